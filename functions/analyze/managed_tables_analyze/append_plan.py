"""Plan an upload into a table: where each of the file's columns goes, and what does not fit there."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from duckdb import DuckDBPyConnection

from managed_tables.conversion import EMPTY_CELL, Conversion, Formats, build_conversion, explain
from managed_tables.conversion.choices import ColumnChoice
from managed_tables.conversion.sql_text import choose
from managed_tables.conversion.workbook_cells import unmarked
from managed_tables.details import MAX_VALUE_CHARACTERS, Detail, detail
from managed_tables.documents.analyses import AppendPlan, Conflict
from managed_tables.documents.faults import DetailBody
from managed_tables.documents.recipes import FormerColumn, RecipeColumn
from managed_tables.identifiers import make_column_names
from managed_tables.jobs.staged_rows import ROW_NUMBER, staged_rows
from managed_tables.schema import Column, ColumnType
from managed_tables_analyze.inference.tallies import cell_name

NO_CHOICE = ColumnChoice()
MAX_DETAILS = 5  # of one column


@dataclass(frozen=True)
class FileColumn:
    """A column of the staged object: its inferred name, its label, its type and formats, and its choice."""

    name: str
    label: str
    type: ColumnType
    formats: Formats
    nullable: bool
    choice: ColumnChoice = NO_CHOICE


def match_columns(
    inferred: Sequence[FileColumn],
    table: Sequence[Column],
    former_columns: Sequence[FormerColumn | None] = (),
) -> dict[str, Column]:
    """Return the table's column for each inferred one that has one.

    By where such a column went before; one that is new by its name, else by its label.
    """
    by_name = {column.name: column for column in table}
    labels = make_column_names([column.display_name for column in table])
    known = {one.name: before for one, before in zip(inferred, former_columns, strict=False) if before}
    found = {name: by_name[one.name] for name, one in known.items() if one.name in by_name}
    left = [one.name for one in inferred if one.name not in known]
    for candidates in (by_name, dict(zip(labels, table, strict=True))):
        found |= _free(candidates, left, found)
    return found


def _free(
    candidates: Mapping[str, Column], names: Sequence[str], found: Mapping[str, Column]
) -> dict[str, Column]:
    """Return the candidates of these names that nobody has found yet."""
    taken = {column.name for column in found.values()}
    free = {name: column for name, column in candidates.items() if column.name not in taken}
    return {name: free[name] for name in names if name in free and name not in found}


def plan_append(
    connection: DuckDBPyConnection,
    staged: Path,
    inferred: Sequence[FileColumn],
    table: Sequence[Column],
    files: Sequence[str],
    former_columns: Sequence[FormerColumn | None] = (),
) -> AppendPlan:
    """Return the plan, its conflicts counted against the table's columns.

    A column that was left out before is no new one.
    """
    matched = match_columns(inferred, table, former_columns)
    fed = [(number, one, matched[one.name]) for number, one in enumerate(inferred) if one.name in matched]
    left_out = _left_out(inferred, former_columns)
    taken = {column.name for column in matched.values()}
    conflicts = (_find_conflict(connection, staged, *one, files) for one in fed)
    return AppendPlan(
        matched=[[one.label, column.name] for _, one, column in fed],
        new=[one.name for one in inferred if one.name not in {*matched, *left_out}],
        missing=[column.name for column in table if column.name not in taken],
        conflicts=list(filter(None, conflicts)),
    )


def _left_out(inferred: Sequence[FileColumn], former_columns: Sequence[FormerColumn | None]) -> set[str]:
    pairs = zip(inferred, former_columns, strict=False)
    return {column.name for column, before in pairs if before and before.name is None}


def as_kept(
    connection: DuckDBPyConnection,
    staged: Path,
    number: int,
    one: FileColumn,
    column: Column,
    kept: RecipeColumn,
) -> Formats:
    """Return the formats of a column that is a text as it stands, but converts as its table remembers.

    The mark and the order that it had before hold unless more cells fit those that were found.
    """
    formats = replace(
        one.formats,
        decimal_mark=kept.decimal_mark or one.formats.decimal_mark,
        date_order=kept.date_order or one.formats.date_order,
    )
    if one.type is not ColumnType.TEXT or column.type is ColumnType.TEXT or formats == one.formats:
        return one.formats
    relation, cell = rewritten_rows(staged, number, one.choice), cell_name(number)
    ways = (build_conversion(cell, column.type, way) for way in (formats, one.formats))
    tests = [f"count(*) FILTER ({is_misfit(cell, way)})" for way in ways]
    row = connection.execute(
        f"SELECT {', '.join(tests)} FROM {relation} WHERE {cell} IS NOT NULL"  # noqa: S608 - own SQL
    ).fetchone()
    return formats if row and row[0] <= row[1] else one.formats


def _find_conflict(
    connection: DuckDBPyConnection,
    staged: Path,
    number: int,
    one: FileColumn,
    column: Column,
    files: Sequence[str],
) -> Conflict | None:
    is_same = column.type in (one.type, ColumnType.TEXT)
    if is_same and (column.nullable or not (one.nullable or one.choice.rewrites)):
        return None
    relation = rewritten_rows(staged, number, one.choice)
    conversion = build_conversion(cell_name(number), column.type, one.formats)
    test = is_misfit(cell_name(number), conversion, nullable=column.nullable)
    row = connection.execute(
        f"SELECT count(*), min({ROW_NUMBER}, {MAX_DETAILS}) FROM {relation} WHERE {test}"  # noqa: S608
    ).fetchone()
    count, rows = row or (0, None)
    if not count:
        return None
    details = _describe(connection, staged, number, one, column, files, conversion, rows or [])
    return Conflict(column=column.name, count=count, details=list(map(DetailBody.read, details)))


def is_misfit(cell: str, conversion: Conversion, *, nullable: bool = True) -> str:
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


def rewritten_rows(staged: Path, number: int, choice: ColumnChoice) -> str:
    """Return the SQL relation of the staged rows with one column's cells as its choice changes them."""
    rows = staged_rows(staged)
    if not choice.rewrites:
        return rows
    cell = cell_name(number)
    return f"(SELECT * REPLACE ({choice.rewritten(cell)} AS {cell}) FROM {rows})"  # noqa: S608 - own SQL
