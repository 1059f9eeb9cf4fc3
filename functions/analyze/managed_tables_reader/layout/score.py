"""Score layouts: the bits that describe a grid's rows under each."""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from itertools import accumulate, pairwise
from math import inf, log2
from operator import add

from managed_tables_reader.layout import weights
from managed_tables_reader.layout.grid import GridRow
from managed_tables_reader.layout.header_bits import MOST_ABOVE, HeaderScorer, Kinds
from managed_tables_reader.layout.looks import NULL, PLAIN_KINDS, QUANTITY, TEXT, is_year

MAX_FOOTER_ROWS = 60  # the notes of public statistics have dozens of lines; longer footers are read as data
_TITLE_CELLS = 3
_Bits = defaultdict[str, float]  # by kind, of cells as what they are or as exceptions of another kind


@dataclass(frozen=True)
class Layout:
    """A candidate: the header is from `first` to `stop`, the data from `start` to `end`, remarks between."""

    first: int
    stop: int
    start: int
    end: int
    width: int
    kinds: Kinds = ()
    bits: Mapping[str, float] = field(default_factory=dict, compare=False)

    @property
    def total(self) -> float:
        """The bits of all parts, rounded: sums differ by the order of their parts."""
        return round(sum(self.bits.values()), 6)


class Scorer(HeaderScorer):
    """Scores layouts of `width` columns."""

    @cached_property
    def _all_row_bits(self) -> Callable[[Kinds], list[float]]:
        return cache(lambda kinds: [self._bits_of_row(place, kinds) for place in range(len(self.rows))])

    @cached_property
    def _find_footer_rows(self) -> Callable[[bool, bool], list[float]]:
        """The bits of each row below the table: remarks may be as full as rows, a footer is not."""
        full = [
            len(row.filled) >= self.width > 1 and not words
            for row, words in zip(self.rows, self._words, strict=True)
        ]
        extra = [weights.FOOTER_LIKE_ROW * is_full for is_full in full]
        return cache(lambda *ways: [*map(add, self._find_below(*ways), extra)])

    @cached_property
    def _find_below(self) -> Callable[[bool, bool], list[float]]:
        return cache(lambda *ways: [self._below_bits(one, *ways) for one in range(len(self.rows))])

    def kinds_by_start(self, end: int) -> list[Kinds]:
        """Return each column's cheapest kind for every first row of data, given the end of the data."""
        columns = [(Counter[str](), _Bits(float), _Bits(float)) for _ in range(self.width)]
        found: list[Kinds] = [(TEXT,) * self.width] * (end + 1)
        for place, row in [*enumerate(self.rows[:end])][::-1]:
            if place not in self._origins:
                for (counts, bits, odd), one, known in zip(columns, row.looks, row.known_bits, strict=False):
                    if one.kind:
                        counts[one.kind] += 1
                        bits[one.kind] += min(one.bits, one.odd + known) - min(one.as_text, one.odd + known)
                        odd[one.kind] += weights.EXCEPTION if known == inf else weights.SAME_EXCEPTION
            if place <= MOST_ABOVE or place == end - 1:
                kinds = tuple(_cheapest_kind(*column) for column in columns)
            found[place] = kinds
        return found

    def score(self, first: int, start: int, end: int, kinds: Kinds, *, has_all_lines: bool = False) -> Layout:
        """Return the layout with its bits part by part; `has_all_lines`: the header goes down to the data."""
        headers, stop = {start: self.header_bits(first, start, start, kinds)}, first + 1
        if not has_all_lines and stop < start and self._may_be_remarks(stop, start, kinds):
            # Remarks about the columns, below the first line: the source, the unit.
            remarks = weights.REMARKS + sum(self._find_below(kinds[0] != TEXT, True)[stop:start])
            is_full = [len({*row.filled}) >= self.width for row in self.rows[stop:start]]
            remarks += weights.TITLE_LIKE_HEADER * sum(is_full)
            headers[stop] = remarks + self.header_bits(first, stop, start, kinds)
        stop = min(headers, key=headers.__getitem__)
        bits = {
            "above": self.above[first],
            "header": headers[stop],
            "rows": self.body_bits(start, end, kinds),
            "footer": self.footer_bits(end, kinds),
        }
        return Layout(first, stop, start, end, self.width, kinds, bits)

    def _may_be_remarks(self, stop: int, start: int, kinds: Kinds) -> bool:
        """Return whether rows are no totals, begin with a word above values, and do not fit their columns.

        Those that are there again without the header are rows of data.
        """
        rows = self.rows[stop:start]
        if any(map(self._is_row_again, range(stop, start))):
            return False
        is_total = weights.NOTE in self._words[stop:start]
        if is_total or kinds[0] == TEXT or any(row.looks[0].kind != TEXT for row in rows):
            return False
        is_wider = max(row.extent for row in self.rows[stop : start + 1]) > self.rows[stop - 1].extent
        return not is_wider and _are_odd(rows, kinds)

    # Rows of the table

    def body_bits(self, start: int, end: int, kinds: Kinds) -> float:
        """Return the bits of rows of data; a repeat of one above costs at most a line outside."""
        gap = weights.GAP if start < end and self.rows[start].after_gap else 0.0
        return sum(self.row_bits(start, kinds)[start:end]) - gap

    def row_bits(self, start: int, kinds: Kinds) -> list[float]:
        """Return the bits of every row as a row of the data that begins at `start`."""
        bits = self._all_row_bits(kinds)
        first = self._first_of_data(kinds)  # a page's head is above all rows: what is below is there again
        heads = [
            (place, origin)
            for place, origin in self._origins.items()
            if origin < min(start, first) and not self._is_row_again(origin)
        ]
        repeated = [place for place, _ in heads if place >= start]
        if repeated:
            bits = bits.copy()
            for upper, place in pairwise([start - 1, *repeated]):
                bits[place] = min(bits[place], self._texts[place] + weights.FOOTER_LINE)
                first = upper + 2 if len(self.rows[place].filled) > 1 else place
                end = self.find_footer(bits, kinds, first, place)
                bits[end:place] = self._below(end, kinds)[end:place]
                bits[end] += weights.FOOTER if end < place else 0.0
        return bits

    @cached_property
    def _first_of_data(self) -> Callable[[Kinds], float]:
        """The first of the rows that are as wide as the table and fit columns of values."""
        return cache(
            lambda kinds: next((place for place in range(len(self.rows)) if self._fits(place, kinds)), inf)
        )

    def _fits(self, place: int, kinds: Kinds) -> bool:
        """Return whether a row is as wide as the table, its cells of their columns' kinds, one a value."""
        row = self.rows[place]
        fits = [kind == TEXT or one.kind in (kind, NULL) for one, kind in zip(row.looks, kinds, strict=False)]
        are_values = [one.kind == kind != TEXT for one, kind in zip(row.looks, kinds, strict=False)]
        return row.extent == self.width and all(fits) and any(are_values)

    def find_footer(self, bits: Sequence[float], kinds: Kinds, start: int, end: int | None = None) -> int:
        """Return from where on the rows, down to `end`, are cheaper below the table than in it."""
        end = len(self.rows) if end is None else end
        ways = [self._find_footer_rows(kinds[0] != TEXT, is_apart) for is_apart in (False, True)]
        best, fewest, totals = end, 0.0, [weights.FOOTER, weights.FOOTER]
        sentence = weights.SENTENCE * bool({*kinds} - {TEXT, NULL})  # it is odd below values
        for place in range(end - 1, max(start, end - MAX_FOOTER_ROWS) - 1, -1):
            row = self.rows[place]
            within = bits[place] + sentence * row.is_sentence
            totals = [total + below[place] - within for total, below in zip(totals, ways, strict=True)]
            if totals[row.after_gap] < fewest:
                best, fewest = place, totals[row.after_gap]
        return best

    @cached_property
    def _groups(self) -> set[int]:
        """The rows that label those below: a text in the first cell alone, then others and fuller rows."""
        found: set[int] = set()
        for place, (row, below) in [*enumerate(pairwise(self.rows))][::-1]:
            is_label = len(row.filled) == 1 and (row.looks[0].kind == TEXT or is_year(row.cells[0]))
            is_value = row.cells[0] == below.cells[0]
            if is_label and not is_value and self.width > 2 and (len(below.filled) > 2 or place + 1 in found):
                found.add(place)
        return found

    @cached_property
    def _words(self) -> list[float]:
        """The bits against each row of data, for words of totals and notes; 0 if three in four have them."""
        found = [row.below_bits(self.width) for row in self.rows]
        return found if sum(map(bool, found)) * 4 < len(found) * 3 else [0.0] * len(found)

    @cached_property
    def _structures(self) -> list[float]:
        return [self._structure_bits(row) + bits for row, bits in zip(self.rows, self._words, strict=True)]

    def _bits_of_row(self, place: int, kinds: Kinds) -> float:
        if place in self._groups:
            return self._structures[place] + self._texts[place] + weights.GROUP
        row, bits = self.rows[place], self._structures[place]
        odd = fitting = 0
        for one, kind, known, text, empty in zip(
            row.looks, kinds, row.known_bits, row.data_bits, self._empty_bits, strict=False
        ):
            if not one.kind:
                bits += empty
                continue
            fits = one.kind == kind or kind == TEXT or one.kind == NULL
            cost = text if kind == TEXT or not fits else one.bits
            bits += min(cost, one.odd + known)
            if not fits:
                bits += weights.EXCEPTION if known == inf else weights.SAME_EXCEPTION
            odd, fitting = odd + (not fits), fitting + fits
        return bits + weights.ODD_ROW * (odd > 0 == fitting and len(row.filled) > 1)

    def _structure_bits(self, row: GridRow) -> float:
        bits = weights.GAP * row.after_gap
        if not self._keeps_ends:
            bits += self._end_bits[min(self.width, len(row.cells))]
        elif len(row.cells) < self.width:
            bits += weights.SHORT_ROW + weights.SENTENCE * (len(row.cells) == 1 and row.is_sentence)
        if row.extent > self.width:
            bits += weights.LONG_ROW + row.sum(row.data_bits, self.width)
        return bits

    @cached_property
    def _empty_bits(self) -> list[float]:
        """The bits of an empty cell, by column: the fewer, the more cells are empty; none if all are."""
        lengths = [len(row.cells) for row in self.rows]
        counts = [sum(length > column for length in lengths) for column in range(self.width)]
        filled = [self._with_values[column] for column in range(self.width)]
        return [
            min(weights.EMPTY, -log2((count - full + 0.5) / (count + 1))) if full else 0.0
            for count, full in zip(counts, filled, strict=True)
        ]

    @cached_property
    def _end_bits(self) -> dict[int, float]:
        """The bits of a sheet's row, by length: the fewer, the more rows are as long."""
        counts = Counter(min(self.width, len(row.cells)) for row in self.rows)
        return {length: -2.0 * log2(count / len(self.rows)) for length, count in counts.items()}

    # Rows outside the table

    @cached_property
    def above(self) -> list[float]:
        """The bits of all rows above each row, as titles."""
        places = range(min(len(self.rows), MOST_ABOVE))
        found = [0.0, *accumulate(map(self._title_bits, places))]
        return found + [found[-1]] * (len(self.rows) + 1 - len(found))

    def _title_bits(self, place: int) -> float:
        row, bits = self.rows[place], self._texts[place]
        if row.is_comment:
            return bits
        count, saved = len(row.filled), row.saved_by_values(row.text_bits)
        bits -= sum(after for one, after in zip(row.looks, saved[1:], strict=False) if one.kind == TEXT)
        bits += weights.TITLE + weights.TITLE * (not row.looks[0].kind)
        is_odd = count > 1 and not row.states
        bits += weights.TITLE_OF_CELLS * is_odd + weights.TITLE_CELL * max(0, count - _TITLE_CELLS)
        is_row = count >= self.width and (self.width > 1 or row.looks[0].is_value)
        return bits + weights.TITLE_LIKE_HEADER * is_row

    def footer_bits(self, end: int, kinds: Kinds) -> float:
        """Return the bits of the rows from `end` on, as a footer."""
        if end == len(self.rows):
            return 0.0
        return weights.FOOTER + sum(self._below(end, kinds)[end:])

    def _below(self, end: int, kinds: Kinds) -> list[float]:
        """Return the bits of each row in a footer from `end` on."""
        return self._find_footer_rows(kinds[0] != TEXT, self.rows[end].after_gap)

    def _below_bits(self, place: int, has_values: bool, is_apart: bool) -> float:
        row = self.rows[place]
        bits = weights.FOOTER_LINE + row.sum(row.data_bits)
        has_own = has_values and row.looks[0].kind == TEXT  # values that a word names, not the columns
        if has_own or self._words[place]:
            bits -= sum(row.saved_by_values(row.data_bits))
        if not self._words[place] and not (has_own and is_apart):
            bits += weights.FOOTER_VALUE * sum(one.is_value for one in row.looks)
        return bits + weights.FOOTER_CELL * max(0, len(row.filled) - 2) * (not self._words[place])


def _are_odd(rows: Sequence[GridRow], kinds: Kinds) -> bool:
    """Return whether half of the cells but the first do not fit the kinds of their columns."""
    cells = [cell for row in rows for cell in zip(row.looks[1:], kinds[1:], strict=False)]
    fitting = [kind in (TEXT, one.kind) or one.kind == NULL for one, kind in cells if one.kind]
    return sum(fitting) * 2 <= len(fitting)


def _cheapest_kind(counts: Counter[str], bits: _Bits, odd: _Bits) -> str:
    """Return the kind that describes a column's cells in the fewest bits; those are less than as texts."""
    values, exceptions = counts.total() - counts[NULL], sum(odd.values()) - odd[NULL]
    costs = {TEXT: 0.0}
    for kind, count in counts.most_common():
        if kind not in (TEXT, NULL) and count * 2 >= values:
            # The kind is named once for the whole column, a unit by its letters.
            naming = weights.KINDS.get(kind, 0.0 if kind in PLAIN_KINDS else weights.SHAPE)
            unit = weights.CHARACTER * len(kind.removeprefix(QUANTITY)) if kind.startswith(QUANTITY) else 0.0
            costs[kind] = bits[kind] + exceptions - odd[kind] + naming + unit
    return min(costs, key=costs.__getitem__)
