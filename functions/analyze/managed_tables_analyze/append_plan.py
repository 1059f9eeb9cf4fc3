"""Plan an upload into a table: where each of the file's columns goes, and what does not fit there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection

from managed_tables.conversion.columns import EMPTY_CELL, ColumnChoice, Formats, build_conversion, explain
from managed_tables.details import row_detail
from managed_tables.documents.analyses import (
    AppendPlan,
    Conflict,
    InferredColumn,
    StagedColumn,
    TableColumn,
)
from managed_tables.documents.document import DetailBody
from managed_tables.documents.pictures import Picture
from managed_tables.documents.recipes import FormerColumn, RecipeColumn
from managed_tables.documents.repairs import is_repaired, original, repaired, texts_of
from managed_tables.identifiers import make_column_names
from managed_tables.jobs.pictures import Looked, take_picture
from managed_tables.jobs.staged_rows import staged_rows
from managed_tables.messages.findings import MAX_LINES
from managed_tables.schema import Column, ColumnType
from managed_tables_analyze.analysis import Analysis
from managed_tables_analyze.inference.tallies import FoundCell, beginning, first_cells

CELL = "cell"  # of a fed column, as its choice changes it
MAX_DETAILS = 5  # of one column


class FedCell(FoundCell):
    """A cell of a fed column."""

    is_empty: bool


@dataclass(frozen=True, eq=False)
class FedColumn:
    """A column of the file, by its number in the staged object, and the table's column that it feeds."""

    connection: DuckDBPyConnection
    path: Path
    number: int
    inferred: InferredColumn  # the analysis' own
    staged: StagedColumn  # the analysis' own
    before: FormerColumn | None  # where such a column went before
    table: Column | None

    @property
    def label(self) -> str:
        """The file's label."""
        return self.inferred.source or self.inferred.name

    @property
    def kept(self) -> RecipeColumn | None:
        """The recipe's column; None where the label is not the recipe's."""
        return self.before.kept if self.before else None

    @property
    def is_free(self) -> bool:
        """Whether it goes nowhere, and went nowhere before."""
        return self.before is None and self.table is None

    @property
    def made(self) -> str:
        """The SQL of the cells as they are converted."""
        column_type = self.table.type if self.table else self.inferred.type
        return self.staged.choice.rewritten(repaired(**self._repairs), column_type)

    @property
    def _repairs(self) -> dict[str, Any]:
        is_workbook = self.staged.formats.workbook
        return {"cell": f"c{self.number}", "texts": texts_of(self.staged.repairs), "is_workbook": is_workbook}

    def count_repairs(self) -> dict[str, int]:
        """Return how many cells have each of the texts that are repaired."""
        if not self.staged.repairs:
            return {}
        found = self.connection.execute(
            f"SELECT {original(**self._repairs)}, count(*) FROM {staged_rows(self.path)}"  # noqa: S608 - own SQL
            f" WHERE {is_repaired(**self._repairs)} GROUP BY 1"
        )
        return dict(found.fetchall())

    @property
    def rows(self) -> str:
        """The SQL relation of the staged rows, with the column's `CELL`."""
        return f"(SELECT *, {self.made} AS {CELL} FROM {staged_rows(self.path)})"  # noqa: S608 - own SQL

    def find(self, test: str, empty: str = "false") -> tuple[int, list[FedCell]]:
        """Return how many cells pass the SQL test of `CELL`, and the first; `empty` is one more test."""
        first = first_cells(f"c{self.number}", MAX_LINES, is_empty=empty)
        [(count, cells)] = self.connection.execute(
            f"SELECT count(*), {first} FROM {self.rows} WHERE {test}"  # noqa: S608 - own SQL
        ).fetchall()
        return count, cells or []

    @property
    def example(self) -> str | None:
        """Its first filled cell, without a look at the others."""
        found = self.connection.execute(
            f"SELECT {beginning(f'c{self.number}')} FROM {self.rows} WHERE trim({CELL}) <> '' LIMIT 1"  # noqa: S608
        ).fetchone()
        return str(found[0]) if found else None

    @cached_property
    def picture(self) -> Picture:
        """What it holds, as it goes into the table or, where it goes into none, as it was inferred."""
        column_type = self.table.type if self.table else self.inferred.type
        return take_picture(self.connection, self.rows, Looked(CELL, column_type, self.staged.formats))

    def misfits(self, column_type: ColumnType, formats: Formats) -> tuple[int, list[FedCell]]:
        """Return how many cells do not convert to a type under these formats, and the first."""
        return self.find(build_conversion(CELL, column_type, formats).refuses(CELL))


def feed_columns(connection: DuckDBPyConnection, found: Analysis, table: Sequence[Column]) -> list[FedColumn]:
    """Return each inferred column with the table's column that it feeds, if there is one, and record that.

    By where such a column went before; one that is new by its name, else by its label. Columns that the table
    does not have become nullable: its rows have no value for them.
    """
    inferred, columns = found.document.inferred_schema.columns, []
    by_name = {column.name: column for column in table}
    by_label = dict(zip(make_column_names([column.display_name for column in table]), table, strict=True))
    names = [one.name for one in inferred]
    workbook = found.document.workbook
    if workbook is not None:  # it says itself which columns are whose
        fed = {one.source: by_name[one.name] for one in workbook.columns if one.name in by_name}
    else:
        fed = _feeds(dict(zip(names, found.former_columns, strict=True)), by_name, by_label)
    every = zip(inferred, found.document.columns, found.former_columns, strict=True)
    for number, (one, staged, before) in enumerate(every):
        own = fed.get(one.name)
        one.nullable = one.nullable or own is None
        one.table_column = TableColumn.read(own.model_dump()) if own else None
        columns.append(FedColumn(connection, found.staged, number, one, staged, before, own))
        _take_kept_formats(columns[-1])
    return columns


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
    """Return the plan; a column that was left out before is no new one."""
    pairs = [(one, one.table) for one in fed if one.table]
    taken = {column.name for _, column in pairs}
    conflicts = (_find_conflict(one, column, files) for one, column in pairs)
    return AppendPlan(
        matched=[[one.label, column.name] for one, column in pairs],
        new=[one.inferred.name for one in fed if not one.table and (not one.before or one.before.name)],
        missing=[column.name for column in table if column.name not in taken],
        conflicts=list(filter(None, conflicts)),
    )


def _take_kept_formats(one: FedColumn) -> None:
    """Put a text under the mark and the order of before, unless more cells fit those that were found."""
    column, kept, found, text = one.table, one.kept, one.staged.formats, ColumnType.TEXT
    if column is None or kept is None or column.type is text or one.inferred.type is not text:
        return
    formats = ColumnChoice(decimal_mark=kept.decimal_mark, date_order=kept.date_order).formats(found)
    if formats != found and one.misfits(column.type, formats)[0] <= one.misfits(column.type, found)[0]:
        one.staged.formats = formats


def _find_conflict(one: FedColumn, column: Column, files: Sequence[str]) -> Conflict | None:
    is_same, formats = column.type in (one.inferred.type, ColumnType.TEXT), one.staged.formats
    if is_same and (column.nullable or not (one.inferred.nullable or one.made != f"c{one.number}")):
        return None
    conversion = build_conversion(CELL, column.type, formats)
    count, cells = one.find(conversion.refuses(CELL, nullable=column.nullable), conversion.empty)
    details = []
    for cell in cells[:MAX_DETAILS]:
        fault = EMPTY_CELL if cell["is_empty"] else explain(cell["value"] or "", column.type, formats)
        place = files[cell["file"]], cell["sheet"], cell["line"]
        details.append(DetailBody.read(row_detail(fault, *place, column=column.name, value=cell["value"])))
    return Conflict(column=column.name, count=count, details=details) if count else None
