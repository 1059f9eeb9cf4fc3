"""Plan an upload into a table: where each of the file's columns goes, and what does not fit there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection

from managed_tables.conversion import EMPTY_CELL, Conversion, Formats, build_conversion, explain
from managed_tables.conversion.sql_text import choose
from managed_tables.conversion.workbook_cells import unmarked
from managed_tables.details import MAX_VALUE_CHARACTERS, Detail, detail
from managed_tables.identifiers import make_column_names
from managed_tables.jobs.staged_rows import ROW_NUMBER, staged_rows
from managed_tables.schema import Column, ColumnType
from managed_tables_analyze.inference.tallies import cell_name

MAX_DETAILS = 5  # of one column


@dataclass(frozen=True)
class FileColumn:
    """A column of the staged object: its inferred name, its label, its type and formats."""

    name: str
    label: str
    type: ColumnType
    formats: Formats
    nullable: bool


def match_columns(inferred: Sequence[FileColumn], table: Sequence[Column]) -> dict[str, Column]:
    """Return the table's column for each inferred one that has one: by its name, else by its label."""
    by_name = {column.name: column for column in table}
    found = {column.name: by_name[column.name] for column in inferred if column.name in by_name}
    taken = {column.name for column in found.values()}
    labels = make_column_names([column.display_name for column in table])
    by_label = {
        label: column for label, column in zip(labels, table, strict=True) if column.name not in taken
    }
    for one in inferred:
        if one.name not in found and one.name in by_label:
            found[one.name] = by_label[one.name]
    return found


def plan_append(
    connection: DuckDBPyConnection,
    staged: Path,
    inferred: Sequence[FileColumn],
    table: Sequence[Column],
    files: Sequence[str],
) -> dict[str, Any]:
    """Return `{"matched", "new", "missing", "conflicts"}`: conflicts counted against the table's columns."""
    matched = match_columns(inferred, table)
    taken = {column.name for column in matched.values()}
    conflicts = [
        conflict
        for number, one in enumerate(inferred)
        if one.name in matched
        and (conflict := _find_conflict(connection, staged, number, one, matched[one.name], files))
    ]
    return {
        "matched": [[one.label, matched[one.name].name] for one in inferred if one.name in matched],
        "new": [one.name for one in inferred if one.name not in matched],
        "missing": [column.name for column in table if column.name not in taken],
        "conflicts": conflicts,
    }


def _find_conflict(
    connection: DuckDBPyConnection,
    staged: Path,
    number: int,
    one: FileColumn,
    column: Column,
    files: Sequence[str],
) -> Mapping[str, Any] | None:
    is_same = column.type in (one.type, ColumnType.TEXT)
    if is_same and (column.nullable or not one.nullable):
        return None
    conversion = build_conversion(cell_name(number), column.type, one.formats)
    test = _is_misfit(cell_name(number), conversion, nullable=column.nullable)
    row = connection.execute(
        f"SELECT count(*), min({ROW_NUMBER}, {MAX_DETAILS}) FROM {staged_rows(staged)} WHERE {test}"  # noqa: S608
    ).fetchone()
    count, rows = row or (0, None)
    if not count:
        return None
    details = list(_describe(connection, staged, number, one, column, files, conversion, rows or []))
    return {"column": column.name, "count": count, "details": details}


def _is_misfit(cell: str, conversion: Conversion, *, nullable: bool) -> str:
    """Return the SQL test, never NULL, that insert would refuse the cell."""
    if_empty = "false" if nullable else "true"
    return choose(
        (f"{cell} IS NULL OR {cell} = ''", if_empty),
        (conversion.converts, "false"),
        (conversion.empty, if_empty),
        otherwise="true",
    )


def _describe(
    connection: DuckDBPyConnection,
    staged: Path,
    number: int,
    one: FileColumn,
    column: Column,
    files: Sequence[str],
    conversion: Conversion,
    rows: Sequence[int],
) -> Iterator[Detail]:
    cell, wanted = cell_name(number), ", ".join(map(str, rows))
    found = connection.execute(
        f"SELECT file, sheet, line, left({unmarked(cell)}, {MAX_VALUE_CHARACTERS}), {conversion.empty} "  # noqa: S608
        f"FROM {staged_rows(staged)} WHERE {ROW_NUMBER} IN ({wanted}) ORDER BY {ROW_NUMBER}"
    ).fetchall()
    for file, sheet, line, value, is_empty in found:
        fault = EMPTY_CELL if is_empty else explain(value or "", column.type, one.formats)
        place = {"file": files[file], "line": line, **({} if sheet is None else {"sheet": sheet})}
        yield detail("file", fault, **place, column=column.name, value=value)
