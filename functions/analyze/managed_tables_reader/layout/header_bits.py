"""Score a header: the bits of its lines, and those for or against each of its labels.

Consecutive values are labels: the days of a month, months, years, closing dates.
"""

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache, cached_property
from itertools import pairwise
from math import inf

from managed_tables_reader.layout import weights
from managed_tables_reader.layout.grid import GridRow, find_repeats
from managed_tables_reader.layout.looks import TEXT, YEAR, Look, is_year, look
from managed_tables_reader.rows.reading import NOTHING_KNOWN, Known

MOST_ABOVE = 40  # rows among which the first of data is sought
MOST_LINES = 6
_ROWS_COMPARED = 20
_FEWEST = {"number": 4, "year": 2, "month": 2, "date": 2, "named": 2}
"""How many consecutive values are no coincidence."""
_NAMELESS = re.compile(r"[-*.…_–—\s]*")
_MANY = 12  # months, days
_PATTERNS = [
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("number", r"(?P<number>\d{1,3})(?:\.0)?"),
        ("year", YEAR),
        ("year", r"(?P<number>(?:19|20)\d\d)\d"),  # 20171: a footnote's mark, once raised
        ("month", r"(?P<year>(?:19|20)\d\d)(?:[-/.]|(?=0[1-9]|1[0-2]))(?P<month>\d\d)"),  # also 2012/13
        ("named", r"(?P<number>\d{1,2})[-/ ]?[A-Za-zç]{3,9}\.?[-/ ,]?\s*\d{2,4}"),  # 31 Mar 2012
        ("date", r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})(?: 00:00(?::00)?)?"),
        ("date", r"(?P<day>\d{1,2})[-/.](?P<month>\d{1,2})[-/.](?P<year>\d{4})"),
    )
]
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
        return bits + self._label_bits(lines, sure, start, kinds)

    @cached_property
    def _texts(self) -> list[float]:
        """The bits of each row as texts."""
        return [row.sum(row.text_bits) for row in self.rows]

    def _find_sure(self, place: int, start: int) -> frozenset[int]:
        """Return the columns of a line's consecutive or known labels; a repeated line has no new ones."""
        if place in self._origins:
            return frozenset()
        counted = count_labels(self.rows[place], self.rows[start : start + _ROWS_COMPARED])
        return counted | self._known_labels.places(self.rows[place].cells)

    def _line_bits(self, place: int, stop: int, start: int, kinds: Kinds) -> float:
        """Return the bits of the first of further header lines: few if the line above is incomplete.

        A line groups the labels of those below it; one that has the first column alone lacks the next.
        """
        above, below, sure = self.rows[place - 1], self.rows[place], self._sure(place, start)
        apart = weights.GROUP_APART * below.after_gap
        if below.is_units(kinds):
            return apart + weights.UNITS_LINE - sum(one.as_text for one in below.looks)
        values = {place for place in below.columns if below.looks[place].is_value}
        if not all(is_year(below.cells[column]) for column in values - sure):
            return weights.HEADER_OF_VALUES
        if below.columns == [0] != above.columns[:1] and self._is_only(place, kinds[0]):
            return apart + weights.GROUP_LINE
        are_periods = {*below.columns} <= sure.intersection(above.columns[1:])
        first = self._find_grouped(above, self.rows[place:stop]) or (below if are_periods else None)
        if first is None:
            return apart + weights.HEADER_LINE + _known_bits(below, sure)
        alone = _ungrouped(above, self.rows[place:stop], first, kinds)
        return apart + weights.GROUP_LINE + weights.GROUP_OF_ONE * alone

    def _is_row_again(self, place: int) -> bool:
        """Return whether a row is there again below, and a full one above it, a header, is not."""
        again, above = self._origins.values(), self.rows[max(0, place - 1)]
        return place in again and place - 1 not in again and len(above.filled) >= self.width

    def _is_only(self, place: int, kind: str) -> bool:
        """Return whether a word above values is the only one alone in the first cell: others label groups."""
        lone = [row for row in self.rows[place:] if row.columns == [0] and not row.is_sentence]
        return lone == [self.rows[place]] and lone[0].looks[0].kind == TEXT != kind

    def _find_grouped(self, above: GridRow, lines: Sequence[GridRow]) -> GridRow | None:
        """Return the first of the lines below whose labels fill gaps, or distinguish equal neighbours.

        A label alone is the one that the lines below lack: no sentence, no unit of all.
        """
        upper, below = above.columns, lines[0]
        if upper != [0]:
            return next((line for line in lines if _is_grouped(above, line)), None)
        is_title = above.is_sentence or above.is_unit
        is_lacking = self._with_values[0] > 1 and not any(0 in line.columns for line in lines)
        is_next = not below.after_gap and len(below.columns) * 2 > self.width
        return below if is_lacking and is_next and not is_title else None

    def _label_bits(
        self, lines: Sequence[GridRow], sure: Sequence[frozenset[int]], start: int, kinds: Sequence[str]
    ) -> float:
        """Return the bits for and against each column's labels; those of `sure` columns are sure."""
        named = max(len(line.cells) for line in lines)
        missing = len(self._with_values.keys() & range(named, self.width))
        is_long = lines[-1].extent > self.width
        bits = weights.MISSING_LABELS * missing / self.width + weights.LONG_ROW * is_long
        for column in range(min(named, self.width)):
            for line, columns in zip(lines, sure, strict=True):
                if (label := line.text(column)) and column not in columns:
                    bits += self._cell_bits(line.looks[column], label, column, start, kinds[column])
                    is_among = line is lines[-1] and self._last_places.get((column, label), -1) >= start
                    is_like = kinds[column] in (TEXT, line.looks[column].kind)
                    bits += weights.LABEL_AMONG_VALUES * (is_among and is_like)
            bits += self._nameless_bits([line.text(column) for line in lines], column)
        return bits

    def _nameless_bits(self, labels: Sequence[str], column: int) -> float:
        """Return the bits against a column that no line names: strokes and stars name nothing."""
        if not all(map(_NAMELESS.fullmatch, labels)):
            return 0.0
        return weights.VALUE_LABEL if any(labels) else weights.BLANK_LABEL * (column in self._with_values)

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
        return Counter(column for row in self.rows for column in row.columns if column < self.width)

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


def _is_grouped(above: GridRow, below: GridRow) -> bool:
    """Return whether labels fill gaps of the line above, or distinguish its labels that repeat.

    One that labels the first columns, as those below do, has no gaps: it is a title's cells. A unit at the
    right end is of all columns.
    """
    upper, lower = above.columns, below.columns
    is_of_all = above.is_unit and lower[-1] <= upper[0]
    is_left = upper == lower[: len(upper)] == [*range(len(upper))]
    has_gaps = not (above.states or is_of_all or is_left or {*lower} <= {*upper})
    repeats = (pair for pair in pairwise(upper) if above.text(pair[0]) == above.text(pair[1]))
    return len(lower) > 1 and (has_gaps or any(below.text(one) != below.text(two) for one, two in repeats))


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
    years = {
        place for place in row.columns if row.looks[place].kind == "number" and is_year(row.cells[place])
    }
    known = [row.looks[place] for place in years - sure]
    return sum(row.looks[place].as_text for place in sure) + sum(one.as_text - one.bits for one in known)


def count_labels(row: GridRow, below: Sequence[GridRow]) -> frozenset[int]:
    """Return the columns of a row's consecutive values, none if a row below has such values, too."""
    columns, kind = _count(row)
    if not columns or not below:
        return frozenset()
    if kind == "number" and _are_places(row, columns) and all(other.looks[0].kind for other in below):
        return frozenset(columns)  # every row below has a name where it is blank
    if any(_count(other)[1] == kind for other in below):
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
    """Return the columns and the kind of a row's values if they are consecutive, else nothing.

    Below a label, one year is no coincidence; alone in its row it is a title's.
    """
    columns = [column for column, one in enumerate(row.looks) if one.is_value]
    cells = [row.cells[column] for column in columns]
    kinds = {kind for kind, _ in map(_place, cells)}
    kind = kinds.pop() if len(kinds) == 1 else ""
    are_labels = len(cells) >= _fewest(row, columns, kind) and _are_consecutive(kind, cells)
    return (columns, kind) if are_labels else ([], "")


def _fewest(row: GridRow, columns: Sequence[int], kind: str) -> float:
    """Return how many consecutive values of a kind are no coincidence in a row."""
    if kind == "number" and _are_places(row, columns):
        return 2
    uppers = row.above[columns[0] :][:1] if kind == "year" and len(row.cells) > 1 else ()
    return 1 if any(look(upper).kind == TEXT for upper in uppers) else _FEWEST.get(kind, inf)


def _are_places(row: GridRow, columns: Sequence[int]) -> bool:
    """Return whether numbers count all columns but a first blank one, as programs do without labels."""
    first = _place(row.cells[columns[0]])[1] if columns else inf
    return first <= 1 and [*columns] == row.columns == [*range(1, len(row.cells))]


def _are_consecutive(kind: str, cells: Sequence[str | None]) -> bool:
    """Return whether labels of a kind follow each other: dates either way, years in any order."""
    if kind == "named" or all(map(is_year, cells)):
        return True
    steps = {after - before for (_, before), (_, after) in pairwise(map(_place, cells))}
    return steps == {1} if kind in ("number", "year") else min(steps) > 0 or max(steps) < 0


def _place(cell: str | None) -> tuple[str, int]:
    """Return the kind of label that a value may be (empty: none), and its ordinal in that kind."""
    for kind, pattern in _PATTERNS:
        if match := pattern.fullmatch((cell or "").strip()):
            found = {name: int(text) for name, text in match.groupdict().items()}
            year, month = found.get("year", 0), found.get("month", 0)
            is_known = month <= 12 or (kind == "month" and month == (year + 1) % 100)  # 2012/13
            ordinal = found.get("number", 0) + 10_000 * year + 100 * month + found.get("day", 0)
            return (kind, ordinal) if is_known else ("", 0)
    return "", 0
