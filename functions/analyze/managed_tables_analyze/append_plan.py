"""Plan an upload into a table: where each of the file's columns goes, and what does not fit there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from duckdb import DuckDBPyConnection

from managed_tables.conversion.cells import EMPTY_CELL
from managed_tables.conversion.choices import ColumnChoice
from managed_tables.conversion.columns import Formats, build_conversion
from managed_tables.conversion.reasons import explain
from managed_tables.conversion.workbook_cells import unmarked
from managed_tables.details import MAX_VALUE_CHARACTERS, detail
from managed_tables.documents.analyses import AppendPlan, Conflict
from managed_tables.documents.progress import DetailBody
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


@dataclass(frozen=True)
class FedColumn:
    """A column of the file: its number in the staged object, and the table's column that it feeds."""

    number: int
    file: FileColumn
    table: Column | None
    before: FormerColumn | None

    @property
    def kept(self) -> RecipeColumn | None:
        """The recipe's column; None where the label is not the recipe's."""
        return self.before.kept if self.before else None

    @property
    def cell(self) -> str:
        """The SQL of its cells."""
        return cell_name(self.number)

    def rows(self, staged: Path) -> str:
        """Return the SQL relation of the staged rows, with the column's cells as its choice changes them."""
        rows, choice = staged_rows(staged), self.file.choice
        if not choice.rewrites:
            return rows
        return f"(SELECT * REPLACE ({choice.rewritten(self.cell)} AS {self.cell}) FROM {rows})"  # noqa: S608


def feed_columns(
    inferred: Sequence[FileColumn], table: Sequence[Column], former_columns: Sequence[FormerColumn | None]
) -> list[FedColumn]:
    """Return each inferred column with the table's column that it feeds, if there is one.

    By where such a column went before; one that is new by its name, else by its label.
    """
    by_name = {column.name: column for column in table}
    labels = make_column_names([column.display_name for column in table])
    known = {one.name: before for one, before in zip(inferred, former_columns, strict=True) if before}
    found = {name: by_name[one.name] for name, one in known.items() if one.name in by_name}
    left = [one.name for one in inferred if one.name not in known]
    for candidates in (by_name, dict(zip(labels, table, strict=True))):
        found |= _free(candidates, left, found)
    return [
        FedColumn(number, one, found.get(one.name), known.get(one.name))
        for number, one in enumerate(inferred)
    ]


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
    fed: Sequence[FedColumn],
    table: Sequence[Column],
    files: Sequence[str],
) -> AppendPlan:
    """Return the plan, its conflicts counted against the table's columns.

    A column that was left out before is no new one.
    """
    taken = {one.table.name for one in fed if one.table}
    conflicts = (_find_conflict(connection, staged, one, files) for one in fed)
    return AppendPlan(
        matched=[[one.file.label, one.table.name] for one in fed if one.table],
        new=[one.file.name for one in fed if not one.table and (not one.before or one.before.name)],
        missing=[column.name for column in table if column.name not in taken],
        conflicts=list(filter(None, conflicts)),
    )


def as_kept(connection: DuckDBPyConnection, staged: Path, one: FedColumn) -> FedColumn:
    """Return the column under other formats where it is a text as it stands, but converts as is remembered.

    The mark and the order that it had before hold unless more cells fit those that were found.
    """
    found, column, kept = one.file.formats, one.table, one.kept
    if column is None or kept is None or one.file.type is not ColumnType.TEXT:
        return one
    formats = ColumnChoice(decimal_mark=kept.decimal_mark, date_order=kept.date_order).formats(found)
    if column.type is ColumnType.TEXT or formats == found:
        return one
    ways = (build_conversion(one.cell, column.type, way) for way in (formats, found))
    tests = [f"count(*) FILTER ({way.refuses(one.cell)})" for way in ways]
    row = connection.execute(
        f"SELECT {', '.join(tests)} FROM {one.rows(staged)} WHERE {one.cell} IS NOT NULL"  # noqa: S608 - own SQL
    ).fetchone()
    if row is None or row[0] > row[1]:
        return one
    return replace(one, file=replace(one.file, formats=formats))


def _find_conflict(
    connection: DuckDBPyConnection, staged: Path, one: FedColumn, files: Sequence[str]
) -> Conflict | None:
    column, file = one.table, one.file
    if column is None:
        return None
    is_same = column.type in (file.type, ColumnType.TEXT)
    if is_same and (column.nullable or not (file.nullable or file.choice.rewrites)):
        return None
    conversion = build_conversion(one.cell, column.type, file.formats)
    test = conversion.refuses(one.cell, nullable=column.nullable)
    row = connection.execute(
        f"SELECT count(*), min({ROW_NUMBER}, {MAX_DETAILS}) FROM {one.rows(staged)} WHERE {test}"  # noqa: S608
    ).fetchone()
    if row is None or not row[0]:
        return None
    value, numbers = f"left({unmarked(one.cell)}, {MAX_VALUE_CHARACTERS})", ", ".join(map(str, row[1]))
    shown = connection.execute(
        f"SELECT file, sheet, line, {value}, {conversion.empty} FROM {staged_rows(staged)}"  # noqa: S608
        f" WHERE {ROW_NUMBER} IN ({numbers}) ORDER BY {ROW_NUMBER}"
    ).fetchall()
    details = []
    for number, sheet, line, text, is_empty in shown:
        fault = EMPTY_CELL if is_empty else explain(text or "", column.type, file.formats)
        place = {"file": files[number], "line": line, **({} if sheet is None else {"sheet": sheet})}
        details.append(DetailBody.read(detail("file", fault, **place, column=column.name, value=text)))
    return Conflict(column=column.name, count=row[0], details=details)
