"""Mend records that do not fit the table: a delimiter within a text, or quotes inside that are not doubled.

A row that is short is left as it is: what it lacks is unknown.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter

from managed_tables_reader.layout.looks import NULL, TEXT, look
from managed_tables_reader.rows.writer import QUOTE
from managed_tables_reader.text.dialect import Dialect

_MALFORMED = 3.0  # the oddity of a malformed cell
_MAX_PIECES = 400  # joining is quadratic in pieces
_FEWEST_ROWS = 10  # below which columns are not known well enough
_MAX_ROWS = 1_000
_MAX_SHAPES = 8  # that a column of codes or amounts has
_LONGEST_SHAPE = 40  # characters of a cell that has a shape
_SHAPES = str.maketrans(
    dict.fromkeys("0123456789", "9")
    | dict.fromkeys((chr(code) for code in (*range(65, 91), *range(97, 123), *range(192, 592))), "A")
)


@dataclass(frozen=True)
class _Column:
    """The shapes of a column's cells (none: any), the kind they share (text: any), whether it has gaps."""

    shapes: frozenset[str]
    kind: str
    has_gaps: bool

    @classmethod
    def of(cls, cells: Sequence[str]) -> "_Column":
        """Learn a column from its cells."""
        values = [cell for cell in cells if not look(cell).is_nothing]
        kinds = {look(cell).plain_kind for cell in values} or {NULL}
        kind = kinds.pop() if len(kinds) == 1 else TEXT
        return cls(_shapes(values), kind, len(values) < len(cells))

    def matches(self, cell: str) -> bool:
        """Return whether a cell is like the others: of their shape or kind."""
        one = look(cell)
        if one.is_nothing:
            return self.has_gaps
        if cell.translate(_SHAPES) in self.shapes:
            return True
        return not self.shapes if self.kind == TEXT else one.plain_kind == self.kind


def _shapes(cells: Sequence[str]) -> frozenset[str]:
    """Return the shapes of a column of codes or amounts; none for a column of other cells."""
    shapes = frozenset(cell.translate(_SHAPES) for cell in cells)
    is_short = max(map(len, shapes), default=0) <= _LONGEST_SHAPE
    return shapes if is_short and len(shapes) <= min(_MAX_SHAPES, len(cells) // 4) else frozenset()


def _columns(rows: Iterable[Sequence[str]], width: int) -> Sequence[_Column]:
    """Learn the columns from the rows that have `width` cells; none if they are too few."""
    regular = [cells for cells in rows if len(cells) == width][:_MAX_ROWS]
    if width < 2 or len(regular) < _FEWEST_ROWS:
        return ()
    # A cell with an unpaired quote may be a piece of one, and its row one cell too long.
    whole = [cells for cells in regular if not any(cell.count(QUOTE) % 2 for cell in cells)]
    learnt = whole if len(whole) >= _FEWEST_ROWS else regular
    return [*map(_Column.of, zip(*learnt, strict=True))]


class Mender:
    """Mends records of a table of `width` cells; the first regular of `rows` show how its columns look."""

    def __init__(self, dialect: Dialect, width: int, rows: Iterable[Sequence[str]] = ()) -> None:
        self._dialect = dialect
        self.width = width
        self._columns = _columns(rows, width)

    def mend(self, text: str, cells: list[str] | None) -> list[str] | None:
        """Return the cells that fit the table's other rows, None to keep the strictly cut ones.

        `cells` are those, None if the line is malformed.
        """
        if cells is not None and len(cells) <= self.width:
            return None
        found = self._rejoined(cells or ())
        if found is None and self._dialect.quote in text:
            return _regrouped(text, self._dialect, self.width)
        return found

    def _rejoined(self, pieces: Sequence[str]) -> list[str] | None:
        """Return the row of a line in which the delimiter also cuts one text; None if it could be several."""
        if not (self._columns and any(pieces[self.width :])):
            return None
        found = sorted(self._joins(pieces), key=itemgetter(0))
        is_only = found and [rank for rank, _ in found].count(found[0][0]) == 1
        return found[0][1] if is_only else None

    def _joins(self, pieces: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
        """Yield the rows like the others in which one cell is several pieces; blanks between rank first."""
        surplus, edge = len(pieces) - self.width, self._dialect.delimiter
        for number in range(self.width):
            words = pieces[number : number + surplus + 1]
            if all(map(str.isdigit, words)) and edge in ",.":
                continue  # separate whole numbers, not the halves of a decimal
            cells = [*pieces[:number], edge.join(words), *pieces[number + surplus + 1 :]]
            is_whole = bool(words[0] and words[-1]) and not any(edge in word for word in words)
            if is_whole and all(map(_Column.matches, self._columns, cells)):
                yield (0 if all(word.startswith(" ") for word in words[1:]) else 1), cells


def _regrouped(text: str, dialect: Dialect, width: int) -> list[str] | None:
    """Cut a line into exactly `width` cells in the least odd way; None if no way is likely."""
    pieces = dialect.split(text)
    if not 1 < width <= len(pieces) <= _MAX_PIECES:
        return None
    # best[i] for the current number of cells: the oddity of the first i pieces as cells, and these cells
    best: dict[int, tuple[float, tuple[str, ...]]] = {0: (0.0, ())}
    for cell in range(1, width + 1):
        following: dict[int, tuple[float, tuple[str, ...]]] = {}
        for start, (before, cells) in best.items():
            # Several pieces only if quoted.
            is_quoted = pieces[start].strip(" ")[:1] in ("", dialect.quote)
            most = cell + len(pieces) - width - start if is_quoted else 1
            for stop in range(start + 1, start + most + 1):
                group = dialect.delimiter.join(pieces[start:stop])
                total = before + _oddity(group, dialect, stop - start)
                if total < following.get(stop, (_MALFORMED, ()))[0]:
                    following[stop] = (total, (*cells, group))
        best = following
    found = best.get(len(pieces))
    return [*map(dialect.unquote, found[1])] if found else None


def _oddity(group: str, dialect: Dialect, pieces: int) -> float:
    """Return how odd a cell of so many pieces would be: 0 well formed, 1 quoted at one edge, 3 malformed."""
    quote = dialect.quote
    text = group.strip(" ")
    edges = text.startswith(quote) + text.endswith(quote)
    if edges < 2 or len(text) < 2:
        return _MALFORMED if pieces > 1 else 0.0 if quote not in text else 1.0 if edges else 0.4
    inner = text[1:-1].replace(quote * 2, "").replace((dialect.escape or quote) + quote, "")
    if pieces > 1 and f"{quote}{dialect.delimiter}{quote}" in inner:
        return _MALFORMED
    return 0.6 + 0.1 * inner.count(quote) + (0.3 if pieces > 1 else 0.0) if quote in inner else 0.0
