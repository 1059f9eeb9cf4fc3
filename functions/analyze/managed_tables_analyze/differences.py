"""Find how a job's files differ from what their table remembers, and how much each difference matters."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from difflib import SequenceMatcher
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

from duckdb import DuckDBPyConnection

from managed_tables.conversion.columns import Formats, build_conversion
from managed_tables.conversion.sql_text import choose, matches
from managed_tables.conversion.workbook_cells import unmarked
from managed_tables.documents.analyses import AnalysisDocument, Profile, TableColumn, TableReading
from managed_tables.documents.recipes import (
    Difference,
    DifferenceCode,
    FormerColumn,
    JobRecipe,
    Recalled,
    RecipeColumn,
    RecipeTable,
    SeenColumn,
    Severity,
    verdict_of,
)
from managed_tables.identifiers import fold_label
from managed_tables.jobs.staged_rows import ROW_NUMBER, staged_rows
from managed_tables.messages.finding_texts import TYPE_NAMES, word_difference
from managed_tables.messages.findings import MAX_LINES, VALUE_CODES
from managed_tables.schema import Column, ColumnType
from managed_tables.wording import number
from managed_tables_analyze.append_plan import (
    FedColumn,
    FileColumn,
    as_kept,
    feed_columns,
    plan_append,
)
from managed_tables_analyze.staging.sql import open_duckdb

ROWS_COMPARED = 20_000  # of a column that is converted once more
_FEWEST = 10  # values, below which only what is very far off is told
_FAR, _VERY_FAR = 10.0, 100.0  # times the table's median, or its greatest number
_EMPTIER = 0.5  # the share of empty cells beyond the table's
_YEARS_DAYS = 3_653  # beyond the first and the last day of the table
_CATEGORIES = 20  # texts of a column at most, each there several times
_REPEATED = 3
_FEW_ROWS = 2  # of which any may be empty
_ROWS_FACTOR = 10
_RENAMED = 0.8  # likeness of label, type and place

_SEVERITIES: Mapping[DifferenceCode, Severity] = {
    **dict.fromkeys(
        ("HEADER_MOVED", "COLUMNS_REORDERED", "ENCODING_CHANGED", "DELIMITER_CHANGED", "SHEET_RENAMED"),
        "told",
    ),
    **dict.fromkeys(
        ("COLUMN_NEW", "COLUMN_MISSING", "COLUMN_RENAMED", "VALUES_CHANGED", "ROWS_CHANGED"), "check"
    ),
    **dict.fromkeys(("MARK_CHANGED", "DATE_ORDER_CHANGED", "TYPE_CHANGED", "REQUIRED_MISSING"), "stop"),
}
_HOLDS = {  # which inferred types a type of the table takes as they are
    ColumnType.INTEGER: {ColumnType.INTEGER},
    ColumnType.DECIMAL: {ColumnType.INTEGER, ColumnType.DECIMAL},
    ColumnType.BOOLEAN: {ColumnType.BOOLEAN},
    ColumnType.DATE: {ColumnType.DATE},
    ColumnType.DATETIME: {ColumnType.DATE, ColumnType.DATETIME},
    ColumnType.TEXT: set(ColumnType),
}


def difference(
    code: DifferenceCode,
    *,
    column: str | None = None,
    before: Any = None,
    after: Any = None,
    lines: Sequence[int] = (),
    **values: Any,
) -> Difference:
    """Return a difference with its severity and its sentence; `values` are what only the sentence names."""
    shown = {"before": before, "after": after, "column": column, **values}
    return Difference(
        code=code,
        severity=_SEVERITIES[code],
        text=word_difference(code, **shown),
        column=column,
        before=before,
        after=after,
        lines=list(lines[:MAX_LINES]),
    )


@dataclass(frozen=True)
class FileComparison:
    """A job's files beside what their table remembers."""

    connection: DuckDBPyConnection
    staged: Path
    before: "Before"
    columns: Sequence[FedColumn]
    table: Sequence[Column]
    row_count: int
    profiles: Sequence[Profile | None]

    def result(self) -> JobRecipe:
        """Return the version of the recipe, the differences, and what they amount to.

        What stops comes first, then what is to be checked, then what is only told.
        """
        parts = (self._contradictions(), self._columns(), self._values(), self._rows(), self._reading())
        order = ("stop", "check", "told")
        found = sorted(chain(*parts), key=lambda one: order.index(one.severity))
        version = self.before.recalled.recipe.version
        return JobRecipe(version=version, verdict=verdict_of(found), differences=found)

    # How the files were read

    def _reading(self) -> Iterator[Difference]:
        header_at = self.before.recalled.found.header_at
        for place, (table, kept) in enumerate(self._paired()):
            before = header_at[place] if place < len(header_at) else None
            if before and table.header_line and before != table.header_line:
                yield difference(
                    "HEADER_MOVED", before=before, after=table.header_line, lines=[table.header_line]
                )
            if table.kind != kept.kind:
                continue
            if kept.encoding != table.encoding:
                yield difference("ENCODING_CHANGED", before=kept.encoding, after=table.encoding)
            if kept.delimiter != table.delimiter:
                yield difference("DELIMITER_CHANGED", before=kept.delimiter, after=table.delimiter)
            if kept.sheet and table.sheet and fold_label(kept.sheet) != fold_label(table.sheet):
                yield difference("SHEET_RENAMED", before=kept.sheet, after=table.sheet)
        yield from self._order()

    def _paired(self) -> Iterator[tuple[TableReading, RecipeTable]]:
        """Yield each table that was there before as well, by its sheet's name, else by its place."""
        kept = self.before.recalled.recipe.tables
        by_sheet = {fold_label(one.sheet or ""): one for one in kept}
        names = {fold_label(table.sheet or "") for table in self.before.tables}
        left = iter([one for one in kept if fold_label(one.sheet or "") not in names])
        for table in self.before.tables:
            known = by_sheet.get(fold_label(table.sheet or "")) or next(left, None)
            if known is not None:
                yield table, known

    @cached_property
    def _kept_labels(self) -> list[str]:
        """The folded labels of the recipe's first table, in their order."""
        return next((list(map(fold_label, one.labels)) for one in self.before.recalled.recipe.tables), [])

    def _order(self) -> Iterator[Difference]:
        kept = self._kept_labels
        now = [fold_label(one.file.label) for one in self.columns]
        both = [label for label in kept if label in now]
        if [label for label in now if label in kept] != both:
            yield difference("COLUMNS_REORDERED")

    # Which columns there are

    def _columns(self) -> Iterator[Difference]:
        present = {fold_label(one.file.label) for one in self.columns}
        own = {column.name for column in self.table}
        missing = [
            one for one in self.before.recalled.recipe.columns if one.label not in present and one.name in own
        ]
        new = [one for one in self.columns if one.before is None or one.before.is_renamed]
        for kept, one in self._renamed(missing, new):
            missing.remove(kept)
            new.remove(one)
            yield self._unknown("COLUMN_RENAMED", one, kept.name, kept.source)
        yield from self._missing({one.name: one.source for one in missing}, own)
        for one in new:
            yield self._unknown("COLUMN_NEW", one, one.file.name)

    def _unknown(
        self, code: DifferenceCode, one: FedColumn, column: str, before: str | None = None
    ) -> Difference:
        """Return the difference that a column was not there before, with one of its cells."""
        row = self.connection.execute(
            f"SELECT {unmarked(one.cell)} FROM {staged_rows(self.staged)}"  # noqa: S608 - own SQL
            f" WHERE trim({one.cell}) <> '' LIMIT 1"
        ).fetchone()
        example = row[0] if row else None
        return difference(code, column=column, before=before, after=one.file.label, example=example)

    def _missing(self, sources: Mapping[str, str], own: Collection[str]) -> Iterator[Difference]:
        """Yield the columns of the table that nothing feeds now: `sources` did, or every row needs them."""
        fed = {one.table.name for one in self.columns if one.table}
        for name in self.before.needed:
            if name in own and name not in fed:
                yield difference("REQUIRED_MISSING", column=name, before=sources.get(name))
        for name, source in sources.items():
            if name not in self.before.needed and name not in fed:
                yield difference("COLUMN_MISSING", column=name, before=source)

    def _renamed(
        self, missing: Sequence[RecipeColumn], new: Sequence[FedColumn]
    ) -> list[tuple[RecipeColumn, FedColumn]]:
        """Return the missing and the new columns that are alike, the likest first; each once."""
        pairs = [(self._likeness(kept, one), kept, one) for kept in missing for one in new]
        pairs.sort(key=lambda pair: -pair[0])
        found: list[tuple[RecipeColumn, FedColumn]] = []
        for likeness, kept, one in pairs:
            if likeness < _RENAMED:
                break
            if all(kept is not other and one is not column for other, column in found):
                found.append((kept, one))
        return found

    def _likeness(self, kept: RecipeColumn, one: FedColumn) -> float:
        """Return how alike a column is to one that is missing, by label, type and place."""
        if one.before is not None or one.table is not None:
            return 2.0 if one.table and one.table.name == kept.name else 0.0
        if kept.type and one.file.type not in _HOLDS[kept.type]:
            return 0.0
        before, after = kept.label, fold_label(one.file.label)
        words = {*before.split()}, {*after.split()}
        alike = SequenceMatcher(None, before, after, autojunk=False).ratio()
        if words[0] <= words[1] or words[1] <= words[0]:
            alike = max(alike, _RENAMED - 0.1)
        labels = self._kept_labels
        at_its_place = before in labels and labels.index(before) == one.number
        is_typed = kept.type not in (None, ColumnType.TEXT)
        return alike + 0.15 * at_its_place + 0.15 * is_typed

    # What contradicts

    def _contradictions(self) -> Iterator[Difference]:
        for one in self.columns:
            if one.table is None or one.table.type is ColumnType.TEXT:
                continue
            changed = self._format_changed(one, one.table) or self._type_changed(one, one.table)
            if changed:
                yield changed

    def _format_changed(self, one: FedColumn, table: Column) -> Difference | None:
        """Return that cells contradict a kept format; None for a text that the found one fits no better."""
        formats, is_text = one.file.formats, one.file.type is ColumnType.TEXT
        # Dates of a workbook have no order of their own.
        is_own = formats.date_order == "ymd" and any(read.kind != "csv" for read in self.before.tables)
        parts: tuple[tuple[DifferenceCode, str, bool], ...] = (
            ("MARK_CHANGED", "decimal_mark", one.file.type.is_number or is_text),
            ("DATE_ORDER_CHANGED", "date_order", not is_own and (one.file.type.is_time or is_text)),
        )
        for code, part, has_part in parts:
            kept, found = getattr(one.kept, part, None), getattr(formats, part)
            if not has_part or kept in (None, found):
                continue
            lines, example, count = self._misfits(one, replace(formats, **{part: kept}))
            if not is_text or self._misfits(one, formats)[2] < count:
                values = {"before": kept, "after": found, "example": example}
                return difference(code, column=table.name, lines=lines, **values)
        return None

    def _type_changed(self, one: FedColumn, table: Column) -> Difference | None:
        """Return that values are not of the table's type, or would lose the zeros that make them codes."""
        if one.file.type in _HOLDS[table.type]:
            return None
        lines, example, count = self._misfits(one, one.file.formats)
        was = self.before.recalled.found.types.get(one.file.label)
        if not count and table.type.is_number and was != "text":
            lines, example, count = self._cells_that(one, matches(one.cell, r"\s*0[0-9]+\s*"))
        if not count:
            return None
        return difference(
            "TYPE_CHANGED",
            column=table.name,
            before=TYPE_NAMES[table.type],
            after=TYPE_NAMES[one.file.type],
            lines=lines,
            example=example,
            count=count,
        )

    def _misfits(self, one: FedColumn, formats: Formats) -> tuple[list[int], str | None, int]:
        """Return the lines, the first and the number of the cells that do not convert under these formats."""
        column_type = one.table.type if one.table else one.file.type
        return self._cells_that(one, build_conversion(one.cell, column_type, formats).refuses(one.cell))

    def _cells_that(self, one: FedColumn, test: str) -> tuple[list[int], str | None, int]:
        cell = one.cell
        count, lines, example = self.connection.execute(
            f"SELECT count(*), min(line, {MAX_LINES}), first({unmarked(cell)} ORDER BY {ROW_NUMBER})"  # noqa: S608
            f" FROM {one.rows(self.staged)} WHERE {cell} IS NOT NULL AND trim({cell}) <> '' AND {test}"
        ).fetchone() or (0, [], None)
        return sorted(lines or []), example, count

    # What the values are

    def _values(self) -> Iterator[Difference]:
        for one, profile in zip(self.columns, self.profiles, strict=True):
            seen = self.before.recalled.seen.columns.get(one.table.name) if one.table and one.kept else None
            if one.table is None or seen is None or profile is None or not profile.rows:
                continue
            column_type, median = one.file.type, self.before.medians.get(one.number)
            if column_type is ColumnType.TEXT and one.table.type.is_number:
                column_type, (profile, median) = one.table.type, self._look_at_numbers(one, one.table.type)
            what = _far_off(seen, column_type, profile, median) or self._other_unit(one)
            if what is not None:
                yield difference(
                    "VALUES_CHANGED", column=one.table.name, before=what[1], after=what[2], what=what[0]
                )

    def _look_at_numbers(self, one: FedColumn, column_type: ColumnType) -> tuple[Profile, float | None]:
        """Return the profile of a column that is a text as it stands, but converts as it is chosen."""
        conversion = build_conversion(one.cell, column_type, one.file.formats)
        value = choose((conversion.empty, "NULL"), (conversion.converts, conversion.value), otherwise="NULL")
        found = self.connection.execute(
            "SELECT count(*), count(*) - count(x), min(x), max(x), median(abs(x)) FILTER (x <> 0)"  # noqa: S608
            f" FROM (SELECT TRY_CAST({value} AS DOUBLE) AS x FROM {one.rows(self.staged)}"
            f" LIMIT {ROWS_COMPARED})"
        ).fetchone() or (0, 0, None, None, None)
        rows_seen, empty, least, greatest, median = found
        profile = Profile(
            rows=rows_seen, empty=empty, distinct=0, min=least, max=greatest, top=[], histogram=[]
        )
        return profile, median

    def _other_unit(self, one: FedColumn) -> tuple[str, Any, Any] | None:
        before, after = self.before.recalled.found.units.get(one.file.label, ""), one.file.formats.unit
        if before == after or not one.file.type.is_number or not self.before.recalled.found.types:
            return None
        old, new = (unit or "números sem unidade" for unit in (before, after))
        return f"antes traziam {old}, agora {new}", before, after

    def _rows(self) -> Iterator[Difference]:
        loads = self.before.recalled.seen.loads
        if not loads:
            return
        least, most = min(loads), max(loads)
        if self.row_count * _ROWS_FACTOR <= least or self.row_count >= most * _ROWS_FACTOR:
            yield difference(
                "ROWS_CHANGED",
                before=loads[0],
                after=self.row_count,
                least=number(least),
                most=number(most),
            )


@dataclass(frozen=True)
class Before:
    """What a table remembers of files, how these were read, which columns every row needs, and medians."""

    recalled: Recalled
    tables: Sequence[TableReading]
    needed: Sequence[str]
    medians: Mapping[int, float]


def compare_with_table(
    document: AnalysisDocument,
    staged: Path,
    former_columns: Sequence[FormerColumn | None],
    table: Sequence[Column],
    before: Before | None,
) -> None:
    """Record in the analysis what becomes of the columns in the table, and what is not as `before`.

    Columns that the table does not have become nullable: its rows have no value for them.
    """
    columns = document.inferred_schema.columns
    inferred = [
        FileColumn(one.name, one.source or one.name, one.type, of.formats, one.nullable, of.choice)
        for one, of in zip(columns, document.columns, strict=True)
    ]
    with open_duckdb(staged.parent) as connection:
        fed = [as_kept(connection, staged, one) for one in feed_columns(inferred, table, former_columns)]
        for of, fed_one in zip(document.columns, fed, strict=True):
            of.formats = fed_one.file.formats
        document.append_plan = plan_append(connection, staged, fed, table, document.files)
        if before is not None:
            profiles = [one.profile for one in columns]
            compared = FileComparison(connection, staged, before, fed, table, document.row_count, profiles)
            document.recipe = compared.result()
    for column, fed_one in zip(columns, fed, strict=True):
        own = fed_one.table
        column.nullable = column.nullable or own is None
        column.table_column = TableColumn.read(own.model_dump()) if own else None


def is_as_before(document: AnalysisDocument, mode: str) -> bool:
    """Return whether nothing is to be decided: no difference that matters, no misfit, no value in doubt.

    A file that was loaded before doubles rows where they are added.
    """
    if document.recipe is None or document.append_plan is None:
        return False
    fed = {column.name for column in document.inferred_schema.columns if column.table_column}
    doubts = (
        warning.code in VALUE_CODES and (not warning.columns or fed.intersection(warning.columns))
        for warning in document.warnings
        if mode == "append" or warning.code != "SAME_FILE"
    )
    return document.recipe.verdict == "unchanged" and not document.append_plan.conflicts and not any(doubts)


def _far_off(
    seen: SeenColumn, column_type: ColumnType, found: Profile, median: float | None
) -> tuple[str, Any, Any] | None:
    """Return what is far beyond the table's values, with what was and what is; None where nothing is."""
    if emptier := _emptier(seen, found):
        return emptier
    filled = min(seen.rows - seen.empty, found.rows - found.empty)
    if column_type.is_number and median and seen.median:
        return _far_numbers(seen, found, median, _FAR if filled >= _FEWEST else _VERY_FAR)
    if column_type.is_time and _has_days_outside(seen, found):
        return "há datas a mais de dez anos das que a tabela tem", None, None
    if column_type is ColumnType.TEXT and filled >= _FEWEST:
        return _unknown_texts(seen, found)
    return None


def _emptier(seen: SeenColumn, found: Profile) -> tuple[str, Any, Any] | None:
    before, after = seen.empty / max(1, seen.rows), found.empty / found.rows
    if not seen.rows or after - before <= _EMPTIER or found.rows <= _FEW_ROWS:
        return None
    return f"{after:.0%} das células estão vazias, antes {before:.0%}", round(before, 2), round(after, 2)


def _unknown_texts(seen: SeenColumn, found: Profile) -> tuple[str, Any, Any] | None:
    """Return that most texts are other categories than the table's, by the most frequent ones."""
    values = seen.values or ()
    if not 1 < len(values) <= _CATEGORIES or seen.rows < _REPEATED * len(values) or found.distinct < 2:
        return None
    counts = [(text, count) for text, count in found.top if isinstance(count, int)]
    unknown = sum(count for text, count in counts if text not in values)
    share = unknown / max(1, sum(count for _, count in counts))
    return (f"{share:.0%} dos textos são outros que os de antes", None, share) if share > _EMPTIER else None


def _days(day: str) -> float:
    """Return a day, or the day of a moment, in days since 1970."""
    return date.fromisoformat(day[:10]).toordinal() - date(1970, 1, 1).toordinal()


def _has_days_outside(seen: SeenColumn, found: Profile) -> bool:
    """Return whether days are years before the first, or after the last, that the table has."""
    if seen.least is None or seen.greatest is None:
        return False
    if not isinstance(found.min, str) or not isinstance(found.max, str):
        return False
    is_before = _days(found.min) < seen.least - _YEARS_DAYS
    return is_before or _days(found.max) > seen.greatest + _YEARS_DAYS


def _far_numbers(seen: SeenColumn, found: Profile, median: float, far: float) -> tuple[str, Any, Any] | None:
    times = median / (seen.median or median)
    if times >= far or times * far <= 1:
        size = f"{times:.0f} vezes maiores" if times > 1 else f"{1 / times:.0f} vezes menores"
        return f"em geral são {size} (como {median:g}, antes {seen.median:g})", seen.median, median
    bounds = (one for one in (found.min, found.max) if isinstance(one, int | float | Decimal))
    greatest = max((abs(float(one)) for one in bounds), default=0.0)
    if seen.greatest and greatest > _VERY_FAR * seen.greatest:
        return f"há {greatest:g}, e o maior era {seen.greatest:g}", seen.greatest, greatest
    return None
