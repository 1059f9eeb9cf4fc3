"""Find the places of staged rows in the files as they were sent."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from duckdb import DuckDBPyConnection

from managed_tables.details import MAX_VALUE_CHARACTERS, Detail, Fault, detail
from managed_tables.ids import row_number
from managed_tables.jobs.staged_rows import ROW_NUMBER
from managed_tables_insert.plan import LoadPlan
from managed_tables_insert.transfer import Transfer


@dataclass(frozen=True)
class RowPlace:
    """A row's file, sheet (of workbooks) and line, and what was asked of its cells."""

    file: str
    sheet: str | None
    line: int
    cells: tuple[Any, ...]

    def detail(self, fault: Fault, **keys: Any) -> Detail:
        """Return a detail about the row."""
        sheets = {} if self.sheet is None else {"sheet": self.sheet}
        return detail("file", fault, file=self.file, line=self.line, **sheets, **keys)


def find_places(transfer: Transfer, row_ids: Iterable[UUID]) -> dict[UUID, RowPlace]:
    """Return the place of each row, found by its id."""
    numbers = {row_id: row_number(row_id) for row_id in row_ids}
    cells = [f"left({column.cell}, {MAX_VALUE_CHARACTERS})" for column in transfer.columns]
    places = read_places(transfer.converter, transfer.plan, numbers.values(), cells)
    return {row_id: places[number] for row_id, number in numbers.items()}


def read_places(
    converter: DuckDBPyConnection, plan: LoadPlan, numbers: Iterable[int], cells: Sequence[str]
) -> dict[int, RowPlace]:
    """Return the place of each row, by its number, with what the SQL of `cells` gives of it."""
    wanted = ", ".join(map(str, sorted(set(numbers))))
    if not wanted:
        return {}
    rows = converter.execute(
        f"SELECT {ROW_NUMBER}, file, sheet, line, {', '.join(cells)} FROM {plan.rows}"  # noqa: S608 - own SQL
        f" WHERE {ROW_NUMBER} IN ({wanted})"
    ).fetchall()
    return {
        number: RowPlace(plan.files[file], sheet, line, tuple(values))
        for number, file, sheet, line, *values in rows
    }
