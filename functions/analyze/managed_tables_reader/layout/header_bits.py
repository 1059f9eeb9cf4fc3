"""Score a header: the bits of its lines, and those for or against each of its labels."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from itertools import pairwise

from managed_tables_reader.layout import weights, words
from managed_tables_reader.layout.counting import count_labels
from managed_tables_reader.layout.grid import GridRow
from managed_tables_reader.layout.looks import TEXT, Look, is_year
from managed_tables_reader.rows.reading import Known

MOST_LINES = 6
_ROWS_COMPARED = 20


class HeaderBits:
    """Scores headers of a table of `width` columns; `origins`: the first place of each repeated row.

    `keeps_ends`: rows do not end at their last value. `known` is what is known of such files.
    """

    def __init__(
        self,
        rows: Sequence[GridRow],
        width: int,
        origins: Mapping[int, int],
        known: Known,
        *,
        keeps_ends: bool,
    ) -> None:
        self._rows = rows
        self._width = width
        self._origins = origins
        self._known_labels = known
        self._keeps_ends = keeps_ends
        self._sure = cache(self._find_sure)
        self._line = cache(self._line_bits)  # headers of one start share their lower lines
        self._known = cache(lambda place, start: _known_bits(rows[place], self._sure(place, start)))

    def bits(
        self, first: int, stop: int, start: int, texts: Sequence[float], kinds: tuple[str, ...]
    ) -> float:
        """Return the bits of the rows from `first` to `stop` as a header of the data from `start` on.

        `texts` are the bits of each row as texts, `kinds` the kinds of the columns below.
        """
        if first == stop:
            return weights.NO_HEADER
        lines = self._rows[first:stop]
        sure = [self._sure(place, start) for place in range(first, stop)]
        bits = sum(texts[place] - self._known(place, start) for place in range(first, stop))
        bits += sum(self._line(place, stop, start, kinds) for place in range(first + 1, stop))
        bits += weights.HEADER_LINE * (len(lines) > 1 and start == len(self._rows))
        return bits + self._label_bits(lines, sure, start, kinds)

    def _find_sure(self, place: int, start: int) -> frozenset[int]:
        """Return the columns of a line's consecutive or known labels; a repeated line has no new ones."""
        if place in self._origins:
            return frozenset()
        counted = count_labels(self._rows[place], self._rows[start : start + _ROWS_COMPARED])
        return counted | self._known_labels.places(self._rows[place].cells)

    def _line_bits(self, place: int, stop: int, start: int, kinds: tuple[str, ...]) -> float:
        """Return the bits of the first of further header lines: few if the line above is incomplete."""
        above, below, lines = self._rows[place - 1], self._rows[place], self._rows[place:stop]
        sure = self._sure(place, start)
        apart = weights.GROUP_APART if below.after_gap else 0.0
        if words.is_units(below):
            return apart + weights.UNITS_LINE - sum(one.as_text for one in below.looks if one.kind)
        cells = enumerate(zip(below.looks, below.cells, strict=True))
        if any(one.is_value and not is_year(cell) and column not in sure for column, (one, cell) in cells):
            return weights.HEADER_OF_VALUES
        return apart + self._group_bits(above, lines, sure, kinds)

    def _group_bits(
        self, above: GridRow, lines: Sequence[GridRow], sure: frozenset[int], kinds: Sequence[str]
    ) -> float:
        """Return the bits of a line if the line above groups its labels or a later line's."""
        are_periods = {*lines[0].columns} <= sure.intersection(above.columns[1:])
        grouped = self._find_grouped(above, lines)
        if not are_periods and not grouped:
            return weights.HEADER_LINE + _known_bits(lines[0], sure)
        alone = _ungrouped(above, lines, grouped or lines[0], kinds)
        return weights.GROUP_LINE + weights.GROUP_OF_ONE * alone

    def _find_grouped(self, above: GridRow, lines: Sequence[GridRow]) -> GridRow | None:
        """Return the first line that the line above groups; a label of the first column lacks the next."""
        likely = lines[:1] if above.columns == [0] else lines
        return next((line for line in likely if self._is_grouped(above, line)), None)

    def _is_grouped(self, above: GridRow, below: GridRow) -> bool:
        """Return whether labels fill the gaps of the line above, or distinguish its labels."""
        upper, lower = above.columns, below.columns
        if upper == [0]:
            return not below.after_gap and self._fills_corner(above, lower)
        end = len(above.cells) if self._keeps_ends else self._width
        gaps = {*lower}.intersection(range(end)).difference(upper)
        pairs = {(above.cells[column], *below.cells[column : column + 1]) for column in upper}
        return len(lower) > 1 and (bool(gaps) or len(pairs) > len({*above.filled}))

    def _fills_corner(self, above: GridRow, below: Sequence[int]) -> bool:
        """Return whether a label alone is the one that the line below lacks: no sentence, no unit of all."""
        is_label = not (above.is_sentence or words.UNIT.fullmatch(above.filled[0]))
        return is_label and self._with_values[0] > 1 and 0 not in below and len(below) * 2 > self._width

    def _label_bits(
        self, lines: Sequence[GridRow], sure: Sequence[frozenset[int]], start: int, kinds: Sequence[str]
    ) -> float:
        """Return the bits for and against each column's lowest label; those of `sure` columns are sure."""
        named = max(len(line.cells) for line in lines)
        missing = len(self._with_values.keys() & range(named, self._width))
        is_long = lines[-1].extent > self._width
        bits = weights.MISSING_LABELS * missing / self._width + weights.LONG_ROW * is_long
        upwards = [*zip(lines, sure, strict=True)][::-1]
        for column in range(min(named, self._width)):
            for line, columns in upwards:
                if label := _text(line, column):
                    if column not in columns:
                        bits += self._cell_bits(line.looks[column], label, column, start, kinds[column])
                        is_among = line is lines[-1] and self._last_places.get((column, label), -1) >= start
                        is_like = kinds[column] in (TEXT, line.looks[column].kind)
                        bits += weights.LABEL_AMONG_VALUES * (is_among and is_like)
                    break
            else:
                bits += weights.BLANK_LABEL * (column in self._with_values)
        return bits

    def _cell_bits(self, one: Look, label: str, column: int, start: int, kind: str) -> float:
        """Return the bits against a label like the values below; a date above numbers is none of them."""
        if one.kind == "date" and kind not in (TEXT, one.kind):
            return 0.0
        below = _text(self._rows[start], column) if start < len(self._rows) else label
        is_period = one.kind == "number" and is_year(label) and not is_year(below)
        is_value = one.is_value or one.kind == kind != TEXT
        return weights.VALUE_LABEL if is_value and not is_period else 0.0

    @cached_property
    def _with_values(self) -> Counter[int]:
        """How many rows have a value, by column."""
        return Counter(
            column for row in self._rows for column, one in enumerate(row.looks[: self._width]) if one.kind
        )

    @cached_property
    def _last_places(self) -> dict[tuple[int, str], int]:
        """The place of the last row that has a text in a column."""
        return {
            (column, cell.strip()): place
            for place, row in enumerate(self._rows)
            if self._origins.get(place, place - 1) == place - 1
            for column, cell in enumerate(row.cells)
            if cell
        }


def _ungrouped(above: GridRow, lines: Sequence[GridRow], below: GridRow, kinds: Sequence[str]) -> float:
    """Return which share of the labels group nothing, or stand there like titles."""
    upper = above.columns
    named = set[int]().union(*(line.columns for line in lines))
    are_apart = any(line.after_gap for line in lines)
    alone = 0
    for place, after in pairwise([*upper, len(below.cells)]):
        columns = named.intersection(range(place, after))
        if columns == {place}:
            label = _text(below, place)
            alone += len(upper) > 1 and below.filled.count(label) < 2 and label not in above.filled
        elif place in columns:
            is_wide, are_mixed = (after - place) * 2 > len(below.cells), len({*kinds[place:after]}) > 1
            alone += (is_wide and are_apart) or (are_mixed and (is_wide or above.is_sentence))
    return alone / len(upper)


def _text(row: GridRow, column: int) -> str:
    return (row.cells[column] or "").strip() if column < len(row.cells) else ""


def _known_bits(row: GridRow, sure: frozenset[int]) -> float:
    """Return the bits that a header's years and consecutive labels save: the next one is predictable."""
    cells = enumerate(zip(row.looks, row.cells, strict=True))
    years = {place for place, (one, cell) in cells if one.kind == "number" and is_year(cell)} - sure
    known = [row.looks[place] for place in years]
    return sum(row.looks[place].as_text for place in sure) + sum(one.as_text - one.bits for one in known)
