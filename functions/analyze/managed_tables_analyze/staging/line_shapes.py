"""Judge lines that were left out by their shape: whether they would be rows of the table."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from duckdb import DuckDBPyConnection

from managed_tables.conversion.columns import Formats, build_conversion
from managed_tables.conversion.sql_text import literal
from managed_tables.documents.pictures import LeftOutLine
from managed_tables.jobs.staged_rows import staged_rows
from managed_tables.schema import ColumnType

_NO_ROWS = frozenset({"REPEATED_HEADER", "SEPARATOR_LINES"})  # what these are, their texts say
_COLUMNS_COMPARED = 60
_LINES_AT_ONCE = 100
_FEW = 0.05  # the share of rows that may fill fewer cells than rows do


def mark_rows(
    connection: DuckDBPyConnection,
    staged: Path,
    lines: Sequence[LeftOutLine],
    places: Mapping[int, int],
    kinds: Sequence[tuple[ColumnType, Formats]],
) -> None:
    """Mark the lines that are rows by their shape; `places` are the staged columns of a file's columns.

    Such a line fills as many cells as rows do, none beyond the table's columns, and each as its type has it.
    """
    judged = [one for one in lines if one.code not in _NO_ROWS]
    columns = dict(sorted(places.items())[:_COLUMNS_COMPARED])
    if not judged or not columns:
        return
    counts = " + ".join(f"(coalesce(trim(c{place}), '') <> '')::INT" for place in columns.values())
    [(usual,)] = connection.execute(
        f"SELECT quantile_disc({counts}, {_FEW}) FROM {staged_rows(staged)}"  # noqa: S608 - own SQL
    ).fetchall()
    full = [one for one in judged if _filled(one, columns) >= max(1, usual or 1)]
    tests = " AND ".join(_fits(f"v[{column + 1}]", *kinds[place]) for column, place in columns.items())
    for start in range(0, len(full), _LINES_AT_ONCE):
        some = full[start : start + _LINES_AT_ONCE]
        for number in _find_fitting(connection, some, max(columns) + 1, tests):
            some[number].is_row = True


def _find_fitting(
    connection: DuckDBPyConnection, lines: Sequence[LeftOutLine], width: int, tests: str
) -> list[int]:
    """Return the places of the lines whose cells `v` pass the tests."""
    cells = (f"({number}, {_cells(one, width)})" for number, one in enumerate(lines))
    found = connection.execute(
        f"SELECT n FROM (VALUES {', '.join(cells)}) AS left_out (n, v) WHERE {tests}"  # noqa: S608 - quoted
    ).fetchall()
    return [number for (number,) in found]


def _filled(line: LeftOutLine, columns: Mapping[int, int]) -> int:
    return sum(bool(cell) and place in columns for place, cell in enumerate(line.cells))


def _cells(line: LeftOutLine, width: int) -> str:
    cells = [*line.cells, *[None] * width][:width]
    return f"[{', '.join('NULL' if cell is None else literal(cell) for cell in cells)}]::VARCHAR[]"


def _fits(cell: str, kind: ColumnType, formats: Formats) -> str:
    return f"NOT {build_conversion(cell, kind, formats).refuses(cell)}"
