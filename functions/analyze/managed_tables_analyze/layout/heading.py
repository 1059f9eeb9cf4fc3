"""The bits of a header: its lines, and what speaks for or against each of its labels."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import pairwise

from managed_tables_analyze.layout import weights, words
from managed_tables_analyze.layout.counting import count_labels
from managed_tables_analyze.layout.grid import GridRow
from managed_tables_analyze.layout.looks import NULL, is_year
from managed_tables_analyze.workbooks.sheets import MergedRange

MOST_LINES = 4
_ROWS_COMPARED = 20
_UNCUT = re.compile(r"[,;\t|][^\s,;\t|]")


class Heading:
    """Scores headers of a table of `width` columns; `origins` are the places of rows that come again."""

    def __init__(
        self,
        rows: Sequence[GridRow],
        width: int,
        origins: Mapping[int, int],
        merged: Sequence[MergedRange] = (),
    ) -> None:
        self._rows = rows
        self._width = width
        self._origins = origins
        self._merged = merged

    def bits(self, first: int, start: int, texts: Sequence[float]) -> float:
        """Return the bits of the rows from `first` to `start` as a header; `texts` are those of each row."""
        if first == start:
            return weights.NO_HEADER
        lines = self._rows[first:start]
        bits = sum(texts[first:start]) - sum(map(_year_bits, lines))
        next_row = self._rows[start] if start < len(self._rows) else None
        is_only = len(lines) == 2 and next_row is not None and not self._goes_on(first, start)
        further = [self._line_bits(above, below, is_only=is_only) for above, below in pairwise(lines)]
        if further and next_row is None:
            bits += weights.HEADER_LINE
        bits += sum(further)
        repeated = further and next_row is not None and max(further) <= weights.GROUP_LINE
        bits += weights.FORM_LABEL * sum(map(words.is_form, lines))
        bits += weights.REPAIRED_ROW * sum(line.repaired for line in lines)
        if words.is_comment(lines[0]) and (self._width == 1 or len(lines[-1].filled) < self._width):
            bits += weights.COMMENTED_HEADER
        labels, distinct = self._label_bits(lines, start)
        return bits + labels - (distinct * sum(map(_repeated_bits, lines)) if repeated else 0.0)

    def _goes_on(self, first: int, start: int) -> bool:
        """Return whether the row above or below a header is one of its lines again."""
        around = [*self._rows[max(0, first - 1) : first], *self._rows[start : start + 1]]
        lines = [[*line.cells] for line in self._rows[first:start]]
        return any([*row.cells] in lines for row in around)

    def _line_bits(self, above: GridRow, below: GridRow, *, is_only: bool) -> float:
        """Return what a further line of the header costs: little where the one above is not complete."""
        if below.after_gap:
            return weights.HEADER_APART
        if list(below.cells) == list(above.cells):
            return weights.HEADER_TWICE if is_only else weights.HEADER_LINE
        if words.is_units(below):
            return weights.UNITS_LINE - sum(one.as_text - weights.UNIT for one in below.looks if one.kind)
        pairs = zip(below.looks, below.cells, strict=True)
        if any(one.is_value and not is_year(cell) for one, cell in pairs):
            return weights.HEADER_OF_VALUES
        return self._group_bits(above, below) if self._groups(above, below) else weights.HEADER_LINE

    def _group_bits(self, above: GridRow, below: GridRow) -> float:
        """Return what a line costs that is grouped by the one above it."""
        spans = self._spans(above)
        is_needed = spans or above is self._rows[0] or len({*below.filled}) < below.extent
        bits = weights.GROUP_LINE if is_needed else weights.GROUP_OF_WHOLE
        return bits + weights.GROUP_OF_ONE * _alone(above, below, spans)

    def _spans(self, above: GridRow) -> list[tuple[int, int]]:
        """Return the columns, from the first to the last, that the merged cells of a line cover."""
        return [(left, right) for top, left, _, right in self._merged if top == above.number]

    def _groups(self, above: GridRow, below: GridRow) -> bool:
        """Return whether a line groups the labels below it: they fill its gaps, or tell its labels apart."""
        if len(below.filled) < 2 or (len(above.filled) == 1 and above.looks[0].kind):
            return False
        pairs = enumerate(zip(above.looks, below.looks, strict=False))
        gaps = [column for column, (upper, lower) in pairs if lower.kind and not upper.kind]
        if spans := self._spans(above):
            begin = min(left for left, _ in spans)
            inner = [gap for gap in gaps if gap > begin]
            return bool(inner) and all(any(left < gap <= right for left, right in spans) for gap in inner)
        return bool(gaps) or _tells_apart(above, below)

    def _label_bits(self, lines: Sequence[GridRow], start: int) -> tuple[float, float]:
        """Return the bits of the labels, and the share of them that are labels of one column alone."""
        last = lines[-1]
        counted = count_labels(last, self._rows[start : start + _ROWS_COMPARED])
        width = max(line.extent for line in lines)
        bits = weights.EXTRA_LABEL * max(0, width - self._width)
        named = max(len(line.cells) for line in lines)
        missing = self._with_values.intersection(range(named, self._width))
        bits += min(weights.MISSING_LABEL * len(missing), weights.MOST_MISSING_LABELS)
        seen: Counter[tuple[str, ...]] = Counter()
        groups = [""] * len(lines)
        for column in range(min(named, self._width)):
            stack = [_text(line, column) for line in lines]
            if not any(stack):
                bits += weights.BLANK_LABEL if column in self._with_values else 0.0
                continue
            groups = [text or group for text, group in zip(stack, groups, strict=True)]
            seen[*groups[:-1], stack[-1]] += 1
            if stack[-1]:
                bits += self._cell_bits(last, column, start, counted)
        count = seen.total()
        return bits + weights.SAME_LABEL * (count - len(seen)), len(seen) / max(1, count)

    def _cell_bits(self, row: GridRow, column: int, start: int, counted: frozenset[int]) -> float:
        one, cell = row.looks[column], _text(row, column)
        if column in counted:
            return weights.COUNTED_LABEL - (one.bits if is_year(cell) else one.as_text)
        bits = weights.UNCUT_LABEL if _UNCUT.search(cell) else 0.0
        if self._last_places.get((column, cell), -1) >= start:
            bits += weights.LABEL_AMONG_VALUES
        if one.kind == "number":
            return bits + (weights.YEAR_LABEL if is_year(cell) else weights.NUMBER_LABEL)
        return bits + (weights.DATE_LABEL if one.is_value else _word_bits(one.kind))

    @cached_property
    def _with_values(self) -> set[int]:
        return {
            column for row in self._rows for column, one in enumerate(row.looks[: self._width]) if one.kind
        }

    @cached_property
    def _last_places(self) -> dict[tuple[int, str], int]:
        """The last row of each text in each column."""
        return {
            (column, cell.strip()): place
            for place, row in enumerate(self._rows)
            if self._origins.get(place, place - 1) == place - 1
            for column, cell in enumerate(row.cells)
            if cell
        }


def _tells_apart(above: GridRow, below: GridRow) -> bool:
    """Return whether labels that stand more than once are others with those below them."""
    labels = [pair for pair in zip(above.cells, below.cells, strict=False) if pair[0]]
    return len({*labels}) > len({label for label, _ in labels})


def _word_bits(kind: str) -> float:
    if kind == NULL:
        return weights.NULL_LABEL
    return weights.BOOLEAN_LABEL if kind == "boolean" else 0.0


def _alone(above: GridRow, below: GridRow, spans: Sequence[tuple[int, int]]) -> int:
    """Return how many labels of a line with merged cells stand over another label, and over that alone."""
    pairs = enumerate(zip(above.looks, below.looks, strict=False))
    covered = {left for left, right in spans if left < right}
    return sum(
        bool(upper.kind and lower.kind) and column not in covered for column, (upper, lower) in pairs if spans
    )


def _text(row: GridRow, column: int) -> str:
    return (row.cells[column] or "").strip() if column < len(row.cells) else ""


def _year_bits(row: GridRow) -> float:
    """Return what a header's years cost less than text: they are predictable where they stand for periods."""
    pairs = zip(row.looks, row.cells, strict=True)
    return sum(one.as_text - one.bits for one, cell in pairs if one.kind == "number" and is_year(cell))


def _repeated_bits(row: GridRow) -> float:
    """Return what labels that a line of groups repeats cost less than texts of their own."""
    seen: set[str | None] = set()
    bits = 0.0
    for one, cell in zip(row.looks, row.cells, strict=True):
        bits += max(0.0, one.as_text - weights.SAME_CELL) if one.kind and cell in seen else 0.0
        seen.add(cell)
    return bits
