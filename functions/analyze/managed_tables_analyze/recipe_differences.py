"""Find how a job's files differ from what their table remembers, and how much each difference matters."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from difflib import SequenceMatcher
from functools import cached_property
from itertools import chain, islice
from typing import Any
from zoneinfo import ZoneInfo

from managed_tables.catalog.job_records import JobMode
from managed_tables.catalog.tables import TableRecord
from managed_tables.conversion.columns import build_conversion
from managed_tables.conversion.sql_text import choose, matches
from managed_tables.documents.analyses import AnalysisDocument, Profile, RuleCheck, TableReading
from managed_tables.documents.recipes import (
    Difference,
    DifferenceCode,
    JobRecipe,
    Recalled,
    RecipeColumn,
    RecipeTable,
    SeenColumn,
    Verdict,
)
from managed_tables.identifiers import fold_label
from managed_tables.messages.findings import MAX_LINES
from managed_tables.messages.sentences import TYPE_NAMES, word_difference
from managed_tables.rules.rule import Rule
from managed_tables.schema import Column, ColumnType
from managed_tables.wording import number
from managed_tables_analyze.analysis import Analysis
from managed_tables_analyze.append_plan import CELL, FedCell, FedColumn, feed_columns, plan_append
from managed_tables_analyze.load_rules import LoadRules
from managed_tables_analyze.rule_checks import FileChecks
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

_EPOCH = date(1970, 1, 1)

_CHECKED: set[DifferenceCode] = {
    "COLUMN_NEW",
    "COLUMN_MISSING",
    "COLUMN_RENAMED",
    "VALUES_CHANGED",
    "ROWS_CHANGED",
}
_STOPPING: set[DifferenceCode] = {
    "MARK_CHANGED",
    "DATE_ORDER_CHANGED",
    "TYPE_CHANGED",
    "REQUIRED_MISSING",
    "LOAD_RULE_BROKEN",
}
_HOLDS = {  # which inferred types a type of the table takes as they are
    **{kind: {kind} for kind in ColumnType},
    ColumnType.DECIMAL: {ColumnType.INTEGER, ColumnType.DECIMAL},
    ColumnType.DATETIME: {ColumnType.DATE, ColumnType.DATETIME},
    ColumnType.TEXT: set(ColumnType),
}


_Change = tuple[str, Any, Any]
"""What is far beyond the table's values, in words; what was, and what is."""


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
        severity="stop" if code in _STOPPING else "check" if code in _CHECKED else "told",
        text=word_difference(code, **shown),
        column=column,
        before=before,
        after=after,
        lines=list(lines[:MAX_LINES]),
    )


@dataclass(frozen=True)
class FileComparison:
    """A job's files beside what their table remembers; every row needs the columns `needed`."""

    found: Analysis
    recalled: Recalled
    needed: Sequence[str]
    columns: Sequence[FedColumn]
    table: Sequence[Column]
    key: Sequence[str] = ()  # the table's

    def result(self) -> JobRecipe:
        """Return the version of the recipe, the differences, the gravest first, and their verdict."""
        parts = (
            self._contradictions(),
            self._load_rules(),
            self._columns(),
            self._values(),
            self._rows(),
            self._reading(),
        )
        verdicts: dict[str, Verdict] = {"stop": "stopped", "check": "changed", "told": "unchanged"}
        found = sorted(chain(*parts), key=lambda one: [*verdicts].index(one.severity))
        gravest = next((one.severity for one in found), "told")
        return JobRecipe(version=self.recalled.recipe.version, verdict=verdicts[gravest], differences=found)

    def _load_rules(self) -> Iterator[Difference]:
        fed = {one.table.name: one for one in self.columns if one.table}
        for column, what in LoadRules(self.found.document, self.recalled, fed, self.key).broken():
            yield difference("LOAD_RULE_BROKEN", column=column, what=what)

    # How the files were read

    def _reading(self) -> Iterator[Difference]:
        header_at = self.recalled.found.header_at
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

    def _order(self) -> Iterator[Difference]:
        kept, now = self._kept_labels, [fold_label(one.label) for one in self.columns]
        both = {label for label in kept if kept.count(label) == now.count(label)}
        if [label for label in now if label in both] != [label for label in kept if label in both]:
            yield difference("COLUMNS_REORDERED")

    def _paired(self) -> Iterator[tuple[TableReading, RecipeTable]]:
        """Yield each table that was there before as well, by its sheet's name, else by its place."""
        by_sheet = {fold_label(one.sheet or ""): one for one in self.recalled.recipe.tables}
        named = [(fold_label(one.sheet or ""), one) for one in self.found.reading.tables if one.include]
        names = dict(named)
        left = iter([one for sheet, one in by_sheet.items() if sheet not in names])
        for sheet, table in named:
            known = by_sheet.get(sheet) or next(left, None)
            if known is not None:
                yield table, known

    @cached_property
    def _kept_labels(self) -> list[str]:
        """The folded labels of the recipe's first table, in their order."""
        return next((list(map(fold_label, one.labels)) for one in self.recalled.recipe.tables), [])

    # Which columns there are

    def _columns(self) -> Iterator[Difference]:
        """Yield renamed columns, the likest first; those that nothing feeds now; and new ones."""
        here = {fold_label(one.label) for one in self.columns}
        own = {column.name for column in self.table}
        missing = [one for one in self.recalled.recipe.columns if one.name in own and one.label not in here]
        new = [one for one in self.columns if one.before is None or one.before.is_renamed]
        yield from self._renamed(missing, new)
        yield from self._missing({one.name: one.source for one in missing})
        for one in new:
            yield difference("COLUMN_NEW", column=one.inferred.name, after=one.label, example=one.example)

    def _renamed(self, missing: list[RecipeColumn], new: list[FedColumn]) -> Iterator[Difference]:
        """Yield the missing and the new columns that are alike, and take them from these lists."""
        pairs = [(self._likeness(kept, one), kept, one) for kept in missing for one in new]
        for likeness, kept, one in sorted(pairs, key=lambda pair: -pair[0]):
            if likeness >= _RENAMED and kept in missing and one in new:
                missing.remove(kept)
                new.remove(one)
                shown: dict[str, Any] = {"before": kept.source, "after": one.label, "example": one.example}
                yield difference("COLUMN_RENAMED", column=kept.name, **shown)

    def _missing(self, sources: Mapping[str, str]) -> Iterator[Difference]:
        """Yield the columns of the table that nothing feeds now: `sources` did, or every row needs them."""
        fed = {one.table.name for one in self.columns if one.table}
        for name in dict.fromkeys((*self.needed, *sources)):
            if name not in fed:
                code: DifferenceCode = "REQUIRED_MISSING" if name in self.needed else "COLUMN_MISSING"
                yield difference(code, column=name, before=sources.get(name))

    def _likeness(self, kept: RecipeColumn, one: FedColumn) -> float:
        """Return how alike a column is to one that is missing, by label, type and place."""
        if one.before is not None or one.table is not None:
            return 2.0 if one.table and one.table.name == kept.name else 0.0
        if kept.type and one.inferred.type not in _HOLDS[kept.type]:
            return 0.0
        before, after = kept.label, fold_label(one.label)
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
            if one.table is not None and one.table.type is not ColumnType.TEXT:
                found = chain(self._formats(one, one.table), self._types(one, one.table))
                yield from islice(found, 1)

    def _formats(self, one: FedColumn, table: Column) -> Iterator[Difference]:
        """Yield the kept formats that cells contradict; of a text only where the found one fits better."""
        is_text = one.inferred.type is ColumnType.TEXT
        has_order = not (one.staged.formats.workbook and one.staged.formats.date_order == "ymd")
        parts: tuple[tuple[DifferenceCode, str, str, bool], ...] = (
            ("MARK_CHANGED", "decimal_mark", "[,.]", one.inferred.type.is_number),
            ("DATE_ORDER_CHANGED", "date_order", "[0-9]", has_order and one.inferred.type.is_time),
        )
        for code, part, shows, is_read in parts:
            kept, found = getattr(one.kept, part, None), getattr(one.staged.formats, part)
            if not (is_read or is_text) or kept in (None, found):
                continue
            count, cells = one.misfits(table.type, replace(one.staged.formats, **{part: kept}))
            if not is_text or one.misfits(table.type, one.staged.formats)[0] < count:
                cells = cells or one.find(f"regexp_matches({CELL}, '{shows}')")[1]  # what both read
                if cells:
                    yield _contradiction(code, table, kept, found, count, cells)

    def _types(self, one: FedColumn, table: Column) -> Iterator[Difference]:
        """Yield that values are not of the table's type, or would lose the zeros that make them codes."""
        if one.inferred.type in _HOLDS[table.type]:
            return
        count, cells = one.misfits(table.type, one.staged.formats)
        was = self.recalled.found.types.get(one.label)
        if not count and table.type.is_number and was != "text":
            count, cells = one.find(matches(CELL, r"\s*0[0-9]+\s*"))
        if count:
            before, after = TYPE_NAMES[table.type], TYPE_NAMES[one.inferred.type]
            yield _contradiction("TYPE_CHANGED", table, before, after, count, cells)

    # What the values are

    def _values(self) -> Iterator[Difference]:
        for one in self.columns:
            profile = one.inferred.profile
            seen = self.recalled.seen.columns.get(one.table.name) if one.table and one.kept else None
            if one.table is None or seen is None or profile is None or not profile.rows:
                continue
            column_type, median = one.inferred.type, self.found.medians.get(one.number)
            if column_type is ColumnType.TEXT and one.table.type.is_number:
                column_type = one.table.type
                profile, median = _look_at_numbers(one, column_type, profile)
            far = _changes(seen, column_type, profile, median)
            changes = chain(_lost_zeros(one, seen), far, self._other_unit(one))
            for what, before, after in islice(changes, 1):
                yield difference(
                    "VALUES_CHANGED", column=one.table.name, before=before, after=after, what=what
                )

    def _other_unit(self, one: FedColumn) -> Iterator[_Change]:
        before, after = self.recalled.found.units.get(one.label, ""), one.staged.formats.unit
        if before != after and one.inferred.type.is_number and self.recalled.found.types:
            old, new = (unit or "números sem unidade" for unit in (before, after))
            yield f"antes traziam {old}, agora {new}", before, after

    def _rows(self) -> Iterator[Difference]:
        loads, count = self.recalled.seen.loads, self.found.document.row_count
        if loads and (count * _ROWS_FACTOR <= min(loads) or count >= max(loads) * _ROWS_FACTOR):
            least, most = number(min(loads)), number(max(loads))
            yield difference("ROWS_CHANGED", before=loads[0], after=count, least=least, most=most)


def compare_with_table(
    found: Analysis, table: TableRecord | None, recalled: Recalled | None, mode: JobMode
) -> None:
    """Record in the analysis what becomes of the columns in the table, and what is not as it remembers."""
    document, columns = found.document, table.columns if table is not None else ()  # it may be gone
    required = [column.name for column in columns if column.is_required]
    key = (table.key if table is not None else None) or ()
    needed = (table.key if table is not None and mode == "upsert" else None) or required
    with open_duckdb(found.staged.parent) as connection:
        fed = feed_columns(connection, found, columns)
        document.append_plan = plan_append(fed, columns, document.files)
        document.checks = _check(found, fed, table.rules if table is not None else (), recalled)
        if recalled is not None:
            document.recipe = FileComparison(found, recalled, needed, fed, columns, key).result()


def _check(
    found: Analysis, fed: Sequence[FedColumn], rules: Sequence[Rule], recalled: Recalled | None
) -> list[RuleCheck]:
    zone = found.reading.timezone
    checks = FileChecks(
        {one.table.name: one for one in fed if one.table},
        found.document.files,
        zone,
        datetime.now(ZoneInfo(zone)).date(),
        recalled.references if recalled else {},
    )
    return checks.of(rules)


def is_as_before(document: AnalysisDocument, mode: str) -> bool:
    """Return whether nothing is to be decided: no difference that matters, no misfit, no value in doubt."""
    if document.recipe is None or document.append_plan is None:
        return False
    is_right = not document.append_plan.conflicts and not any(check.refuses for check in document.checks)
    return document.recipe.verdict == "unchanged" and is_right and not _has_doubts(document, mode)


def _has_doubts(document: AnalysisDocument, mode: str) -> bool:
    """Return whether a value of a column that is loaded may have changed."""
    fed = {column.name for column in document.inferred_schema.columns if column.table_column}
    return any(
        warning.may_change_a_value and (not warning.columns or fed.intersection(warning.columns))
        for warning in document.warnings
        if mode == "append" or warning.code != "SAME_FILE"  # a file twice doubles rows that are added
    )


def _contradiction(
    code: DifferenceCode, table: Column, before: str, after: str, count: int, cells: Sequence[FedCell]
) -> Difference:
    lines, seen = sorted(cell["line"] for cell in cells), {"example": cells[0]["value"], "count": count}
    return difference(code, column=table.name, before=before, after=after, lines=lines, **seen)


def _look_at_numbers(
    one: FedColumn, column_type: ColumnType, profile: Profile
) -> tuple[Profile, float | None]:
    """Return the profile of a column that is a text as it stands, but converts as it is chosen."""
    conversion = build_conversion(CELL, column_type, one.staged.formats)
    value = choose((conversion.empty, "NULL"), (conversion.converts, conversion.value), otherwise="NULL")
    [(rows, empty, least, greatest, median)] = one.connection.execute(
        "SELECT count(*), count(*) - count(x), min(x), max(x), median(abs(x)) FILTER (x <> 0)"  # noqa: S608
        f" FROM (SELECT TRY_CAST({value} AS DOUBLE) AS x FROM {one.rows} LIMIT {ROWS_COMPARED})"
    ).fetchall()
    return profile.model_copy(update={"rows": rows, "empty": empty, "min": least, "max": greatest}), median


def _changes(
    seen: SeenColumn, column_type: ColumnType, found: Profile, median: float | None
) -> Iterator[_Change]:
    """Yield what is far beyond the table's values."""
    before, after = seen.empty / max(1, seen.rows), found.empty / found.rows
    if seen.rows and after - before > _EMPTIER and found.rows > _FEW_ROWS:
        words = f"{after:.0%} das células estão vazias, antes {before:.0%}"
        yield words, round(before, 2), round(after, 2)
    filled = min(seen.rows - seen.empty, found.rows - found.empty)
    if column_type.is_number and median and seen.median:
        far = _FAR if filled >= _FEWEST else _VERY_FAR
        yield from _far_numbers(seen, found, (seen.median, median), far)
    elif column_type.is_time and _has_days_outside(seen, found):
        yield "há datas a mais de dez anos das que a tabela tem", None, None
    elif column_type is ColumnType.TEXT and filled >= _FEWEST:
        yield from _unknown_texts(seen, found)


def _lost_zeros(one: FedColumn, seen: SeenColumn) -> Iterator[_Change]:
    """Yield that codes lack the zeros that the table's begin with: a spreadsheet drops those of numbers."""
    codes = [text for text in seen.values or () if text.isdecimal() and text[1:]]
    if len({*map(len, codes)}) == 1 and min(codes) < "1":
        shorter = matches(CELL, rf"\s*[1-9][0-9]{{0,{len(codes[0]) - 2}}}\s*")
        for cell in one.find(shorter)[1][:1]:
            before, after = min(codes), cell["value"]
            yield f"há códigos sem os zeros à esquerda (como {after}, antes {before})", before, after


def _far_numbers(
    seen: SeenColumn, found: Profile, medians: tuple[float, float], far: float
) -> Iterator[_Change]:
    """Yield that numbers are in general `far` times the table's, or that one is beyond all of them."""
    before, after = medians
    times = after / before
    if times >= far or times * far <= 1:
        size = f"{times:.0f} vezes maiores" if times > 1 else f"{1 / times:.0f} vezes menores"
        yield f"em geral são {size} (como {number(after)}, antes {number(before)})", before, after
    bounds = (one for one in (found.min, found.max) if isinstance(one, int | float | Decimal))
    greatest = max((abs(float(one)) for one in bounds), default=0.0)
    if seen.greatest and greatest > _VERY_FAR * seen.greatest:
        yield f"há {number(greatest)}, e o maior era {number(seen.greatest)}", seen.greatest, greatest


def _has_days_outside(seen: SeenColumn, found: Profile) -> bool:
    """Return whether days are years before the first, or after the last, that the table has."""
    if seen.least is None or seen.greatest is None or found.min is None or found.max is None:
        return False
    first, last = (date.fromisoformat(str(one)[:10]) - _EPOCH for one in (found.min, found.max))
    return first.days < seen.least - _YEARS_DAYS or last.days > seen.greatest + _YEARS_DAYS


def _unknown_texts(seen: SeenColumn, found: Profile) -> Iterator[_Change]:
    """Yield that most texts are other categories than the table's, by the most frequent ones."""
    values = seen.values or ()
    if not 1 < len(values) <= _CATEGORIES or seen.rows < _REPEATED * len(values) or found.distinct < 2:
        return
    counts = [(text, count) for text, count in found.top if isinstance(count, int)]
    unknown = sum(count for text, count in counts if text not in values)
    share = unknown / max(1, sum(count for _, count in counts))
    if share > _EMPTIER:
        yield f"{share:.0%} dos textos são outros que os de antes", None, share
