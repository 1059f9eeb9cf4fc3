"""Find the places of staged rows in the files as they were sent."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from managed_tables.details import MAX_VALUE_CHARACTERS, Detail, Fault, detail
from managed_tables.ids import row_number
from managed_tables.jobs.staged_rows import ROW_NUMBER
from managed_tables_insert.transfer import Transfer


@dataclass(frozen=True)
class RowPlace:
    """A row's file, sheet (of workbooks) and line, and its cells in the plan's columns, long ones cut."""

    file: str
    sheet: str | None
    line: int
    cells: tuple[str | None, ...]

    def detail(self, fault: Fault, **keys: Any) -> Detail:
        """Return a detail about the row."""
        sheets = {} if self.sheet is None else {"sheet": self.sheet}
        return detail("file", fault, file=self.file, line=self.line, **sheets, **keys)


def find_places(transfer: Transfer, row_ids: Iterable[UUID]) -> dict[UUID, RowPlace]:
    """Return the place of each row, found by its id."""
    numbers = {row_id: row_number(row_id) for row_id in row_ids}
    if not numbers:
        return {}
    plan = transfer.plan
    cells = ", ".join(f"left({column.cell}, {MAX_VALUE_CHARACTERS})" for column in transfer.columns)
    rows = transfer.converter.execute(
        f"SELECT {ROW_NUMBER}, file, sheet, line, {cells} FROM {plan.rows}"  # noqa: S608 - own SQL
        f" WHERE {ROW_NUMBER} IN ({', '.join(map(str, sorted(set(numbers.values()))))})"
    ).fetchall()
    by_number = {
        number: RowPlace(plan.files[file], sheet, line, tuple(values))
        for number, file, sheet, line, *values in rows
    }
    return {row_id: by_number[number] for row_id, number in numbers.items()}
