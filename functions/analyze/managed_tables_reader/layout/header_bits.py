"""Score a header: the bits of its lines, and those for or against each of its labels.

Consecutive values are labels: the days of a month, months, years, closing dates.
"""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import date
from functools import cache, cached_property
from itertools import pairwise

from managed_tables_reader.layout import weights
from managed_tables_reader.layout.grid import UNIT, GridRow, find_repeats
from managed_tables_reader.layout.looks import TEXT, YEAR, Look, is_year, look
from managed_tables_reader.rows.reading import NOTHING_KNOWN, Known

MOST_ABOVE = 40  # rows among which the first of data is sought
MOST_LINES = 6
_ROWS_COMPARED = 20
_FEWEST = {"number": 4, "year": 2, "month": 2, "date": 2, "named": 2}
"""How many consecutive values are no coincidence."""
_MANY = 12  # months, days
_PATTERNS = {
    "number": re.compile(r"(?P<number>\d{1,3})(?:\.0)?"),
    "year": re.compile(rf"{YEAR}|(?P<marked>(?:19|20)\d\d)\d"),  # 20171: a footnote's mark, once raised
    "month": re.compile(r"(?P<year>(?:19|20)\d\d)(?:[-/.]|(?=0[1-9]|1[0-2]))(?P<month>\d\d)"),  # also 2012/13
    "named": re.compile(r"(?P<number>\d{1,2})[-/ ]?[A-Za-zç]{3,9}\.?[-/ ,]?\s*\d{2,4}"),  # 31 Mar 2012
    "date": re.compile(r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})"),
    "day": re.compile(r"(?P<day>\d{1,2})[-/.](?P<month>\d{1,2})[-/.](?P<year>\d{4})"),
}
Kinds = tuple[str, ...]


class HeaderScorer:
    """Scores headers of a table of `width` columns; `keeps_ends`: rows do not end at their last value.

    `known` is what is known of such files.
    """

    def __init__(
        self, rows: Sequence[GridRow], width: int, *, keeps_ends: bool, known: Known = NOTHING_KNOWN
    ) -> None:
        self.rows = rows
        self.width = width
        self._keeps_ends = keeps_ends
        self._known_labels = known
        self._origins = find_repeats(rows, MOST_ABOVE) if width > 1 else {}
        self._sure = cache(self._find_sure)
        self._line = cache(self._line_bits)  # headers of one start share their lower lines
        self._known = cache(lambda place, start: _known_bits(rows[place], self._sure(place, start)))

    def header_bits(self, first: int, stop: int, start: int, kinds: Kinds) -> float:
        """Return the bits of the rows from `first` to `stop` as a header of the data from `start` on.

        `kinds` are those of the columns below.
        """
        if first == stop:
            return weights.NO_HEADER
        lines = self.rows[first:stop]
        sure = [self._sure(place, start) for place in range(first, stop)]
        bits = sum(self._texts[place] - self._known(place, start) for place in range(first, stop))
        bits += sum(self._line(place, stop, start, kinds) for place in range(first + 1, stop))
        bits += weights.HEADER_LINE * (len(lines) > 1 and start == len(self.rows))
        return bits + self._label_bits(lines, sure, start, kinds)

    @cached_property
    def _texts(self) -> list[float]:
        """The bits of each row as texts."""
        return [row.bits_of_texts for row in self.rows]

    def _find_sure(self, place: int, start: int) -> frozenset[int]:
        """Return the columns of a line's consecutive or known labels; a repeated line has no new ones."""
        if place in self._origins:
            return frozenset()
        counted = count_labels(self.rows[place], self.rows[start : start + _ROWS_COMPARED])
        return counted | self._known_labels.places(self.rows[place].cells)

    def _line_bits(self, place: int, stop: int, start: int, kinds: Kinds) -> float:
        """Return the bits of the first of further header lines: few if the line above is incomplete."""
        above, below, lines = self.rows[place - 1], self.rows[place], self.rows[place:stop]
        sure = self._sure(place, start)
        apart = weights.GROUP_APART if below.after_gap else 0.0
        if below.is_units:
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
        end = len(above.cells) if self._keeps_ends else self.width
        gaps = {*lower}.intersection(range(end)).difference(upper)
        pairs = {(above.cells[column], *below.cells[column : column + 1]) for column in upper}
        return len(lower) > 1 and (bool(gaps) or len(pairs) > len({*above.filled}))

    def _fills_corner(self, above: GridRow, below: Sequence[int]) -> bool:
        """Return whether a label alone is the one that the line below lacks: no sentence, no unit of all."""
        is_label = not (above.is_sentence or UNIT.fullmatch(above.filled[0]))
        return is_label and self._with_values[0] > 1 and 0 not in below and len(below) * 2 > self.width

    def _label_bits(
        self, lines: Sequence[GridRow], sure: Sequence[frozenset[int]], start: int, kinds: Sequence[str]
    ) -> float:
        """Return the bits for and against each column's lowest label; those of `sure` columns are sure."""
        named = max(len(line.cells) for line in lines)
        missing = len(self._with_values.keys() & range(named, self.width))
        is_long = lines[-1].extent > self.width
        bits = weights.MISSING_LABELS * missing / self.width + weights.LONG_ROW * is_long
        upwards = [*zip(lines, sure, strict=True)][::-1]
        for column in range(min(named, self.width)):
            for line, columns in upwards:
                if label := line.text(column):
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
        below = self.rows[start].text(column) if start < len(self.rows) else label
        is_period = one.kind == "number" and is_year(label) and not is_year(below)
        is_value = one.is_value or one.kind == kind != TEXT
        return weights.VALUE_LABEL if is_value and not is_period else 0.0

    @cached_property
    def _with_values(self) -> Counter[int]:
        """How many rows have a value, by column."""
        return Counter(
            column for row in self.rows for column, one in enumerate(row.looks[: self.width]) if one.kind
        )

    @cached_property
    def _last_places(self) -> dict[tuple[int, str], int]:
        """The place of the last row that has a text in a column."""
        return {
            (column, cell.strip()): place
            for place, row in enumerate(self.rows)
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
            label = below.text(place)
            alone += len(upper) > 1 and below.filled.count(label) < 2 and label not in above.filled
        elif place in columns:
            is_wide, are_mixed = (after - place) * 2 > len(below.cells), len({*kinds[place:after]}) > 1
            alone += (is_wide and are_apart) or (are_mixed and (is_wide or above.is_sentence))
    return alone / len(upper)


def _known_bits(row: GridRow, sure: frozenset[int]) -> float:
    """Return the bits that a header's years and consecutive labels save: the next one is predictable."""
    cells = enumerate(zip(row.looks, row.cells, strict=True))
    years = {place for place, (one, cell) in cells if one.kind == "number" and is_year(cell)} - sure
    known = [row.looks[place] for place in years]
    return sum(row.looks[place].as_text for place in sure) + sum(one.as_text - one.bits for one in known)


def count_labels(row: GridRow, below: Sequence[GridRow]) -> frozenset[int]:
    """Return the columns of a row's consecutive values, none if a row below has such values, too."""
    columns, kind = _count(row)
    if not columns or not below or any(_count(other)[1] == kind for other in below):
        return frozenset()
    if kind == "number":
        are_labels = _are_numbered(row, columns, below)
    else:  # hardly any value below is of the same kind
        kinds = [found for found, _ in _places(columns, below)]
        are_labels = kinds.count(kind) * 10 <= len(kinds)
    return frozenset(columns if are_labels else ())


def _are_numbered(row: GridRow, columns: Sequence[int], below: Sequence[GridRow]) -> bool:
    """Return whether consecutive numbers are labels: from 0 or 1 on if they are many, or next to a word."""
    first, is_named = _place(row.cells[columns[0]])[1], _names_values(row, below)
    if _are_labelled(row, columns) or first > 1:
        return first > 1 and is_named
    if is_named or len(columns) >= _MANY:
        return True
    places = _places(columns, below)
    small = sum(kind == "number" and number <= first + len(columns) for kind, number in places)
    return len(columns) < len(row.looks) and small * 2 <= len(places)


def _names_values(row: GridRow, below: Sequence[GridRow]) -> bool:
    """Return whether a word stands above values only."""
    words = [column for column, one in enumerate(row.looks) if one.kind == TEXT]
    lower = [[other.looks[column] for other in below if column < len(other.looks)] for column in words]
    return any(looks and all(one.is_value for one in looks) for looks in lower)


def _are_labelled(row: GridRow, columns: Sequence[int]) -> bool:
    """Return whether each of the columns has a label of its own right above the row."""
    uppers = {row.above[column] for column in columns if column < len(row.above)} - {None, ""}
    return len(uppers) == len(columns) and not any(look(upper).is_value for upper in uppers)


def _places(columns: Sequence[int], rows: Sequence[GridRow]) -> list[tuple[str, int]]:
    return [_place(row.cells[column]) for row in rows for column in columns if column < len(row.cells)]


def _count(row: GridRow) -> tuple[list[int], str]:
    """Return the columns and the kind of a row's values if they are consecutive, else nothing."""
    columns = [column for column, one in enumerate(row.looks) if one.is_value]
    places = [_place(row.cells[column]) for column in columns]
    kind = places[0][0] if places else ""
    if {found for found, _ in places} != {kind} or len(places) < _fewest(kind, row.above, columns[0]):
        return [], ""
    return (columns, kind) if _are_consecutive(kind, [row.cells[column] for column in columns]) else ([], "")


def _are_consecutive(kind: str, cells: Sequence[str | None]) -> bool:
    """Return whether labels of a kind follow each other: dates either way, years in any order."""
    if kind == "named" or all(map(is_year, cells)):
        return True
    steps = {after - before for (_, before), (_, after) in pairwise(map(_place, cells))}
    if kind in ("number", "year"):
        return steps == {1}
    return min(steps) > 0 or max(steps) < 0


def _fewest(kind: str, above: Sequence[str | None], column: int) -> int:
    """Return how many labels are no coincidence; below a label one year is none."""
    has_label = column < len(above) and look(above[column]).kind == TEXT
    return 1 if kind == "year" and has_label else _FEWEST.get(kind, 1_000)


def _place(cell: str | None) -> tuple[str, int]:
    """Return the kind of label that a value may be (empty: none), and its ordinal in that kind."""
    for kind, pattern in _PATTERNS.items():
        if match := pattern.fullmatch((cell or "").strip()):
            found = {name: int(text) for name, text in match.groupdict().items() if text}
            if kind in ("number", "year", "named"):
                return kind, next(iter(found.values()))
            if kind == "month":
                year, month = found.values()
                return (kind, year * 100 + month) if month <= 12 or month == (year + 1) % 100 else ("", 0)
            try:
                return "date", date(**found).toordinal()
            except ValueError:
                return "", 0
    return "", 0
