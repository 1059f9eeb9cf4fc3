"""Find the values that cannot be loaded: how many there are, and where the first of them are."""

from collections.abc import Sequence
from dataclasses import dataclass

from duckdb import DuckDBPyConnection

from managed_tables.conversion.workbook_cells import unmarked
from managed_tables.details import MAX_ERROR_DETAILS, MAX_VALUE_CHARACTERS, Detail
from managed_tables.jobs.staged_rows import ROW_NUMBER
from managed_tables_insert.places import read_places
from managed_tables_insert.plan import LoadedColumn, LoadPlan

COLUMNS_PER_SCAN = 40  # planning grows faster than the number of aggregates


@dataclass(frozen=True)
class Misfits:
    """How many values do not fit; `details` are the first, in the order of the file."""

    count: int
    details: list[Detail]


def find_misfits(connection: DuckDBPyConnection, plan: LoadPlan) -> Misfits:
    """Count every value that cannot be loaded, and describe the first ones."""
    count = 0
    misfits: list[tuple[int, int]] = []
    for start in range(0, len(plan.columns), COLUMNS_PER_SCAN):
        batch = plan.columns[start : start + COLUMNS_PER_SCAN]
        for number, (of_column, first_rows) in enumerate(_scan(connection, plan, batch), start=start):
            count += of_column
            misfits += [(row, number) for row in first_rows]
    return Misfits(count, _describe(connection, plan, sorted(misfits)[:MAX_ERROR_DETAILS]))


def _scan(
    connection: DuckDBPyConnection, plan: LoadPlan, columns: Sequence[LoadedColumn]
) -> list[tuple[int, list[int]]]:
    """Return, a column, how many values do not fit and the rows of the first of them."""
    tests = ", ".join(f"{column.is_misfit()} AS m{number}" for number, column in enumerate(columns))
    aggregates = ", ".join(
        f"count(*) FILTER (m{number}), min({ROW_NUMBER}, {MAX_ERROR_DETAILS}) FILTER (m{number})"
        for number in range(len(columns))
    )
    row = connection.execute(
        f"SELECT {aggregates} FROM (SELECT {ROW_NUMBER}, {tests} FROM {plan.rows})"  # noqa: S608 - own SQL
    ).fetchall()[0]
    return [(row[index], row[index + 1] or []) for index in range(0, len(row), 2)]


def _describe(
    connection: DuckDBPyConnection, plan: LoadPlan, misfits: Sequence[tuple[int, int]]
) -> list[Detail]:
    numbers = sorted({number for _, number in misfits})
    cells = [
        f"{{'value': left({unmarked(column.raw)}, {MAX_VALUE_CHARACTERS}), "
        f"'is_empty': {column.conversion.empty}}}"
        for column in (plan.columns[number] for number in numbers)
    ]
    places = read_places(connection, plan, (row for row, _ in misfits), cells)
    refused = ((places[row], plan.columns[n], places[row].cells[numbers.index(n)]) for row, n in misfits)
    return [
        place.detail(loaded.fault_of(**cell), column=loaded.column.name, value=cell["value"])
        for place, loaded, cell in refused
    ]
