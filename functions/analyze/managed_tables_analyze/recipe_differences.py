"""Find how a job's files differ from what their table remembers, and how much each difference matters."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from itertools import chain, islice
from typing import Any

from managed_tables.conversion.sql_text import matches
from managed_tables.documents.analyses import TableReading
from managed_tables.documents.document import Scalar
from managed_tables.documents.pictures import Picture
from managed_tables.documents.recipes import (
    Difference,
    DifferenceCode,
    Recalled,
    RecipeColumn,
    RecipeTable,
    ShownPicture,
    ShownPictures,
)
from managed_tables.identifiers import fold_label
from managed_tables.messages.findings import MAX_LINES
from managed_tables.messages.sentences import TYPE_NAMES, word_difference
from managed_tables.schema import Column, ColumnType
from managed_tables_analyze.analysis import Analysis
from managed_tables_analyze.append_plan import CELL, FedCell, FedColumn
from managed_tables_analyze.load_rules import LoadRules
from managed_tables_analyze.renamed_labels import compare_labels

_RENAMED = 0.8  # likeness of label, type and place
_REPAIRED_FACTOR = 10  # of the usual share of a text that is put right

_CHECKED: set[DifferenceCode] = {
    "COLUMN_NEW",
    "COLUMN_MISSING",
    "COLUMN_RENAMED",
    "VALUES_CHANGED",
    "ROWS_CHANGED",
    "REPAIRS_CHANGED",
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

    def differences(self) -> list[Difference]:
        """Return what the files show otherwise, but for what their values are."""
        parts = (
            self._contradictions(),
            self._load_rules(),
            self._columns(),
            self._repairs(),
            self._reading(),
        )
        return list(chain(*parts))

    def _load_rules(self) -> Iterator[Difference]:
        fed = {one.table.name: one for one in self.columns if one.table}
        for column, what in LoadRules(self.found.document, self.recalled, fed, self.key).broken():
            yield difference("LOAD_RULE_BROKEN", column=column, what=what)

    def _repairs(self) -> Iterator[Difference]:
        """Yield the repairs that are met far more often than before: then a file may mean something else."""
        rows = self.found.document.row_count
        for one in self.columns:
            usual = self.recalled.found.repairs.get(one.label, {})
            for text, count in one.count_repairs().items():
                if text in usual and count >= usual[text] * _REPAIRED_FACTOR * rows:
                    before = round(usual[text] * rows)
                    yield difference(
                        "REPAIRS_CHANGED",
                        column=one.table.name if one.table else one.inferred.name,
                        before=before,
                        after=count,
                        example=text,
                    )

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
        counts, counts_now = Counter(kept), Counter(now)
        both = {label for label, count in counts.items() if count == counts_now[label]}
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
        gone, come = dict(enumerate(missing)), dict(enumerate(new))
        pairs = sorted(self._pairs(missing, new), key=lambda pair: -pair[0])
        for likeness, old, number in pairs:
            if likeness >= _RENAMED and old in gone and number in come:
                yield self._renaming(gone.pop(old), come.pop(number))
        if len(gone) == 1:
            [kept] = gone.values()
            if len(alike := [number for number, one in come.items() if self._is_free(one, kept)]) == 1:
                gone.clear()
                yield self._renaming(kept, come.pop(alike[0]))
        missing[:], new[:] = gone.values(), come.values()

    def _renaming(self, kept: RecipeColumn, one: FedColumn) -> Difference:
        shown: dict[str, Any] = {"before": kept.source, "after": one.label, "example": one.example}
        known = self.recalled.pictures.get(kept.name)
        before = _shown(kept.source, known) if known else None
        pictures = ShownPictures(before=before, after=_shown(one.label, one.picture))
        told = difference("COLUMN_RENAMED", column=kept.name, **shown)
        return told.model_copy(update={"pictures": pictures})

    def _is_free(self, one: FedColumn, kept: RecipeColumn) -> bool:
        """Return whether a column is new, and of the same kind of values as one that is missing."""
        [known] = (kept.type or column.type for column in self.table if column.name == kept.name)
        return one.is_free and _kind(one.inferred.type) == _kind(known)

    def _pairs(
        self, missing: Sequence[RecipeColumn], new: Sequence[FedColumn]
    ) -> Iterator[tuple[float, int, int]]:
        """Yield how alike columns are, by where they go, by label, type and place, and their numbers."""
        feeding = {one.table.name: number for number, one in enumerate(new) if one.table}
        yield from (
            (2.0, old, feeding[kept.name]) for old, kept in enumerate(missing) if kept.name in feeding
        )
        yield from self._label_pairs(missing, {number: one for number, one in enumerate(new) if one.is_free})

    def _label_pairs(
        self, missing: Sequence[RecipeColumn], free: Mapping[int, FedColumn]
    ) -> Iterator[tuple[float, int, int]]:
        numbers, places = list(free), self._places(missing, list(free.values()))
        labels = [one.label for one in missing], [fold_label(one.label) for one in free.values()]
        for likeness, old, at in compare_labels(*labels, places):
            kept_type, found_type = missing[old].type, free[numbers[at]].inferred.type
            if likeness == 1 or _may_be(kept_type, found_type):
                is_typed = kept_type not in (None, ColumnType.TEXT)
                yield likeness + 0.15 * (places.get(old) == at) + 0.15 * is_typed, old, numbers[at]

    def _places(self, missing: Sequence[RecipeColumn], free: Sequence[FedColumn]) -> dict[int, int]:
        """Return which of the free columns stands where each missing one stood, by their numbers."""
        stands_at = {one.number: at for at, one in enumerate(free)}
        stood_at: dict[str, int] = {}
        for place, label in enumerate(self._kept_labels):
            stood_at.setdefault(label, place)
        places = ((old, stands_at.get(stood_at.get(kept.label, -1))) for old, kept in enumerate(missing))
        return {old: at for old, at in places if at is not None}

    def _missing(self, sources: Mapping[str, str]) -> Iterator[Difference]:
        """Yield the columns of the table that nothing feeds now: `sources` did, or every row needs them."""
        fed = {one.table.name for one in self.columns if one.table}
        for name in dict.fromkeys((*self.needed, *sources)):
            if name not in fed:
                code: DifferenceCode = "REQUIRED_MISSING" if name in self.needed else "COLUMN_MISSING"
                yield difference(code, column=name, before=sources.get(name))

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


def _contradiction(
    code: DifferenceCode, table: Column, before: str, after: str, count: int, cells: Sequence[FedCell]
) -> Difference:
    lines, seen = sorted(cell["line"] for cell in cells), {"example": cells[0]["value"], "count": count}
    return difference(code, column=table.name, before=before, after=after, lines=lines, **seen)


def _shown(label: str, picture: Picture) -> ShownPicture:
    """Return a picture as people are shown it: shares of all its rows, days as dates."""
    least: Scalar = picture.least
    greatest: Scalar = picture.greatest
    if ColumnType(picture.type).is_time:
        least, greatest = _day(picture.least), _day(picture.greatest)
    return ShownPicture(
        label=label,
        type=ColumnType(picture.type),
        rows=picture.rows,
        empty=round(1 - picture.filled / picture.rows, 4) if picture.rows else 0,
        negative=round(picture.negative[1], 4) if picture.negative else None,
        least=least,
        greatest=greatest,
    )


def _day(days: float | None) -> str | None:
    return None if days is None else (date(1970, 1, 1) + timedelta(days)).isoformat()


def _may_be(kept: ColumnType | None, found: ColumnType) -> bool:
    return kept is None or found in _HOLDS[kept]


def _kind(column_type: ColumnType) -> str:
    """Return which kind of values a type has; days are one with and without a time."""
    return "number" if column_type.is_number else "time" if column_type.is_time else column_type.value
