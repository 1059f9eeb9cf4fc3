"""Plan an upload into a table: where each of the file's columns goes, and what does not fit there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from duckdb import DuckDBPyConnection

from managed_tables.conversion.columns import EMPTY_CELL, ColumnChoice, Formats, build_conversion, explain
from managed_tables.details import detail
from managed_tables.documents.analyses import AppendPlan, Conflict
from managed_tables.documents.document import DetailBody
from managed_tables.documents.recipes import FormerColumn, RecipeColumn
from managed_tables.identifiers import make_column_names
from managed_tables.jobs.staged_rows import staged_rows
from managed_tables.messages.findings import MAX_LINES
from managed_tables.schema import Column, ColumnType
from managed_tables_analyze.analysis import Analysis
from managed_tables_analyze.inference.tallies import FoundCell, beginning, cell_name, first_cells

CELL = "cell"  # of a fed column, as its choice changes it
MAX_DETAILS = 5  # of one column


class FedCell(FoundCell):
    """A cell of a fed column."""

    is_empty: bool


@dataclass(frozen=True)
class FedColumn:
    """A column of the file, by its number in the `staged` object, and the table's column that it feeds.

    `name`, `type`, `formats` and `nullable` are inferred, `label` is the file's; `before` is where such a
    column went before, and `choice` how it was filled.
    """

    connection: DuckDBPyConnection
    staged: Path
    number: int
    name: str
    label: str
    type: ColumnType
    formats: Formats
    nullable: bool
    choice: ColumnChoice
    before: FormerColumn | None
    table: Column | None

    @property
    def kept(self) -> RecipeColumn | None:
        """The recipe's column; None where the label is not the recipe's."""
        return self.before.kept if self.before else None

    @property
    def rows(self) -> str:
        """The SQL relation of the staged rows, with the column's `CELL`."""
        cell = self.choice.rewritten(cell_name(self.number))
        return f"(SELECT *, {cell} AS {CELL} FROM {staged_rows(self.staged)})"  # noqa: S608 - own SQL

    def find(self, test: str, empty: str = "false") -> tuple[int, list[FedCell]]:
        """Return how many cells pass the SQL test of `CELL`, and the first; `empty` is one more test."""
        first = first_cells(cell_name(self.number), MAX_LINES, is_empty=empty)
        [(count, cells)] = self.connection.execute(
            f"SELECT count(*), {first} FROM {self.rows} WHERE {test}"  # noqa: S608 - own SQL
        ).fetchall()
        return count, cells or []

    @property
    def example(self) -> str | None:
        """Its first filled cell, without a look at the others."""
        found = self.connection.execute(
            f"SELECT {beginning(cell_name(self.number))} FROM {self.rows} WHERE trim({CELL}) <> '' LIMIT 1"  # noqa: S608
        ).fetchone()
        return str(found[0]) if found else None

    def misfits(self, column_type: ColumnType, formats: Formats) -> tuple[int, list[FedCell]]:
        """Return how many cells do not convert to a type under these formats, and the first."""
        return self.find(build_conversion(CELL, column_type, formats).refuses(CELL))


def feed_columns(connection: DuckDBPyConnection, found: Analysis, table: Sequence[Column]) -> list[FedColumn]:
    """Return each inferred column with the table's column that it feeds, if there is one.

    By where such a column went before; one that is new by its name, else by its label.
    """
    schema, staged = found.document.inferred_schema, found.document.columns
    by_name = {column.name: column for column in table}
    by_label = dict(zip(make_column_names([column.display_name for column in table]), table, strict=True))
    names = [one.name for one in schema.columns]
    fed = _feeds(dict(zip(names, found.former_columns, strict=True)), by_name, by_label)
    inferred = zip(schema.columns, staged, found.former_columns, strict=True)
    return [
        FedColumn(
            connection,
            found.staged,
            number,
            one.name,
            one.source or one.name,
            one.type,
            of.formats,
            one.nullable,
            of.choice,
            was,
            fed.get(one.name),
        )
        for number, (one, of, was) in enumerate(inferred)
    ]


def _feeds(
    former: Mapping[str, FormerColumn | None], by_name: Mapping[str, Column], by_label: Mapping[str, Column]
) -> dict[str, Column]:
    """Return the table's column that each inferred column feeds, by its name."""
    fed: dict[str, Column] = {}
    new: list[str] = []
    for name, before in former.items():
        if before is None:
            new.append(name)
        elif column := by_name.get(before.name or ""):
            fed[name] = column
    for candidates in (by_name, by_label):
        taken = {column.name for column in fed.values()}
        free = {name: column for name, column in candidates.items() if column.name not in taken}
        fed |= {name: free[name] for name in new if name in free and name not in fed}
    return fed


def plan_append(fed: Sequence[FedColumn], table: Sequence[Column], files: Sequence[str]) -> AppendPlan:
    """Return the plan, its conflicts counted against the table's columns.

    A column that was left out before is no new one.
    """
    pairs = [(one, one.table) for one in fed if one.table]
    taken = {column.name for _, column in pairs}
    conflicts = (_find_conflict(one, column, files) for one, column in pairs)
    return AppendPlan(
        matched=[[one.label, column.name] for one, column in pairs],
        new=[one.name for one in fed if not one.table and (not one.before or one.before.name)],
        missing=[column.name for column in table if column.name not in taken],
        conflicts=list(filter(None, conflicts)),
    )


def as_kept(one: FedColumn) -> FedColumn:
    """Return the column under other formats where it is a text as it stands, but converts as is remembered.

    The mark and the order that it had before hold unless more cells fit those that were found.
    """
    column, kept, found = one.table, one.kept, one.formats
    if column is None or column.type is ColumnType.TEXT or kept is None or one.type is not ColumnType.TEXT:
        return one
    formats = ColumnChoice(decimal_mark=kept.decimal_mark, date_order=kept.date_order).formats(found)
    if formats == found or one.misfits(column.type, formats)[0] > one.misfits(column.type, found)[0]:
        return one
    return replace(one, formats=formats)


def _find_conflict(one: FedColumn, column: Column, files: Sequence[str]) -> Conflict | None:
    is_same = column.type in (one.type, ColumnType.TEXT)
    if is_same and (column.nullable or not (one.nullable or one.choice.rewrites)):
        return None
    conversion = build_conversion(CELL, column.type, one.formats)
    test = conversion.refuses(CELL, nullable=column.nullable)
    count, cells = one.find(test, conversion.empty)
    details = []
    for cell in cells[:MAX_DETAILS]:
        fault = EMPTY_CELL if cell["is_empty"] else explain(cell["value"] or "", column.type, one.formats)
        place = {"file": files[cell["file"]], "line": cell["line"]}
        place |= {} if cell["sheet"] is None else {"sheet": cell["sheet"]}
        found = detail("file", fault, **place, column=column.name, value=cell["value"])
        details.append(DetailBody.read(found))
    return Conflict(column=column.name, count=count, details=details) if count else None
