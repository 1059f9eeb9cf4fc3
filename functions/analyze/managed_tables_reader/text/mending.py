"""Mend records that do not fit the table, by what its columns look like; all by one call: `Mender.mend`.

A row that is one cell short is cut where it then looks like the other rows in every column. It is left as it
is if it already does so with an empty last cell, or could be cut in several ways.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from itertools import product
from operator import itemgetter

from managed_tables_reader.layout.grid import COMMENT_STARTS
from managed_tables_reader.layout.looks import NULL, TEXT, look
from managed_tables_reader.rows.parts import QUOTE
from managed_tables_reader.text.dialect import Dialect

_MALFORMED = 3.0  # the oddity of a malformed cell
_MAX_PIECES = 400  # joining is quadratic in pieces
_DELIMITERS = (";", ",", "\t", "|", " ")
_FEWEST_ROWS = 10  # below which columns are not known well enough
_MAX_ROWS = 1_000
_MAX_SHAPES = 8  # that a column of codes or amounts has
_LONGEST_SHAPE = 40  # characters of a cell that has a shape
_MOST_JOINS = 10_000  # tried in a row of which several cells are cut: some 40 ms
_MAX_QUOTES = 40  # in a line that is cut at one of them
_ALIKE = 2  # the rank of a cut between two digits, or two letters
_MAX_ATTEMPTS = 1_000  # rows of a file: if so many are short, that is normal there
_GLUED = re.compile(rf"(?:[^\W\d]|[.!?)]){QUOTE}\w")
_SHAPES = str.maketrans(
    dict.fromkeys("0123456789", "9")
    | dict.fromkeys((chr(code) for code in (*range(65, 91), *range(97, 123), *range(192, 592))), "A")
)
_USUAL, _OWN_SHAPE, _ODD = range(3)

_Ranked = Iterator[tuple[int, list[str]]]


@dataclass(frozen=True)
class _Column:
    """The shapes of a column of codes or amounts (none: any), their kind (text: any), whether it has gaps."""

    shapes: frozenset[str]
    kind: str
    has_gaps: bool

    @classmethod
    def of(cls, cells: Sequence[str]) -> "_Column":
        """Learn a column from its cells."""
        values = [cell for cell in cells if not look(cell).is_nothing]
        kinds = {look(cell).plain_kind for cell in values} or {NULL}
        kind = kinds.pop() if len(kinds) == 1 else TEXT
        shapes = frozenset(cell.translate(_SHAPES) for cell in values)
        is_short = max(map(len, shapes), default=0) <= _LONGEST_SHAPE
        is_coded = is_short and len(shapes) <= min(_MAX_SHAPES, len(values) // 4)
        return cls(shapes if is_coded else frozenset(), kind, len(values) < len(cells))

    def oddity(self, cell: str) -> int:
        """Return _USUAL for a cell like the others, _OWN_SHAPE for another shape of their kind, else _ODD."""
        one = look(cell)
        if one.is_nothing:
            return _USUAL if self.has_gaps else _ODD
        if cell.translate(_SHAPES) in self.shapes:
            return _USUAL
        is_kind = not self.shapes if self.kind == TEXT else one.plain_kind == self.kind
        return (_OWN_SHAPE if self.shapes else _USUAL) if is_kind else _ODD


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
        self._attempts = 0

    def mend(self, text: str, cells: list[str] | None, *, stray: bool = False) -> list[str] | None:
        """Return the cells that fit the table's other rows, None to keep the strictly cut ones.

        `cells` are those, None if the line is malformed; `stray`: an unquoted one contains a quote.
        """
        if text.startswith(COMMENT_STARTS):
            return None
        if cells is not None and len(cells) == self.width:
            return self._by_columns(text, cells) if stray else None
        if found := self._by_other_delimiter(text) or self._by_columns(text, cells):
            return found
        found = _regroup(text, self._dialect, self.width) if self._dialect.quote in text else None
        if not found or cells is None or len(cells) > self.width:
            return found
        # A short line keeps its cells unless only others fit.
        return found if self._oddity(found) < _ODD == self._oddity(cells) else None

    def is_suspicious(self, cells: Sequence[str]) -> bool:
        """Return whether a row is unlike the others, or has a quote right after a word: `Bolsa"Couro"`."""
        is_glued = any(QUOTE in cell and _GLUED.search(cell) for cell in cells)
        return bool(self._columns) and (is_glued or self._oddity(cells) == _ODD)

    def _oddity(self, cells: Sequence[str]) -> int:
        """Return the oddity of a row's oddest cell; cells that it lacks count as empty."""
        if any(cells[self.width :]):
            return _ODD
        padded = [*cells[: self.width], *[""] * (self.width - len(cells))]
        return max(map(_Column.oddity, self._columns, padded), default=_USUAL)

    def _by_other_delimiter(self, text: str) -> list[str] | None:
        """Return the cells cut by the other delimiter that fits the columns best; None if none fits."""
        own, found = self._dialect.delimiter, []
        if not (text.count(own) * 2 if own else 0) < self.width > 1:
            return None
        for delimiter in _DELIMITERS:
            is_likely = text.count(delimiter) >= self.width - 1
            cells = Dialect(delimiter, self._dialect.quote).scan(text)[0] if is_likely else None
            # Blanks separate words too, and a text may end in a number: two are values, or one and a quote.
            values = sum(look(cell).is_value for cell in cells or ())
            is_likely = delimiter != " " or values > (self._dialect.quote not in text)
            if cells and is_likely and len(cells) == self.width:
                found.append(cells)
        return min(found, key=self._oddity, default=None)

    def _by_columns(self, text: str, cells: list[str] | None) -> list[str] | None:
        """Read a line that lacks a delimiter, or has one within a text, as the columns suggest."""
        if not self._columns or (cells is not None and not self.is_suspicious(cells)):
            return None
        found, dialect = None, self._dialect
        if dialect.delimiter and not dialect.escape and self._attempts < _MAX_ATTEMPTS:
            self._attempts += 1
            found = _only_best([*self._cut_at_quotes(text)] or self._cut_inside(cells or ()))
        return found or self._joined(cells or ())

    def _joined(self, pieces: Sequence[str]) -> list[str] | None:
        """Return the likeliest fitting row, if only one is, of a line whose delimiter also cuts texts."""
        surplus, edge = len(pieces) - self.width, self._dialect.delimiter
        is_tried = self.width * (surplus + 1) ** 2 <= _MOST_JOINS  # more: one text alone
        sizes = range(1, surplus + 2) if is_tried else (1, surplus + 1)
        found: dict[int, list[tuple[int, list[str]]]] = {0: [(0, [])]}  # by how many pieces the cells take
        for most, column in enumerate(self._columns if surplus > 0 else (), start=surplus + 1):
            following = defaultdict[int, list[tuple[int, list[str]]]](list)  # to `most`: others need a piece
            for (start, rows), size in product(found.items(), sizes):
                words = pieces[start : start + size]
                cell = edge.join(words)
                if start + size <= most and _may_be_one(words, edge) and column.oddity(cell) < _ODD:
                    odd = not all(word.startswith(" ") for word in words[1:])
                    following[start + size] += [(rank + odd, [*cells, cell]) for rank, cells in rows]
            found = {stop: nsmallest(2, rows, key=itemgetter(0)) for stop, rows in following.items()}
        return _only_best(found.get(len(pieces), ()))

    def _cut_at_quotes(self, text: str) -> _Ranked:
        """Yield the well-formed readings with one more delimiter, before or after a quote."""
        quote, delimiter = self._dialect.quote, self._dialect.delimiter
        odd = (quote, delimiter)  # a quoted cell hardly ever begins with these
        for place in _beside_quotes(text, quote):
            cells, stray = self._dialect.scan(text[:place] + delimiter + text[place:])
            if not cells or stray or len(cells) != self.width or any(cell.startswith(odd) for cell in cells):
                continue
            if self._oddity(cells) < _ODD:
                yield 0, cells

    def _cut_inside(self, cells: Sequence[str]) -> _Ranked:
        """Yield the fitting cuts of one cell in two, ranked by how different the characters at the cut are.

        Cuts that give a column a new shape rank last, and must separate different characters.
        """
        if len(cells) != self.width - 1:
            return
        odd, moved = (
            [number for number, one in enumerate(map(_Column.oddity, columns, cells)) if one == _ODD]
            for columns in (self._columns, self._columns[1:])
        )
        for number in range(max(moved, default=0), min(odd, default=-1) + 1):
            cell = cells[number]
            for position in range(1, min(len(cell), _LONGEST_SHAPE)):
                halves = [cell[:position], cell[position:]]
                oddity = max(map(_Column.oddity, self._columns[number : number + 2], halves))
                pair = cell[position - 1 : position + 1].translate(_SHAPES)
                rank = 0 if pair in ("A9", "9A") else 1 if pair[0] != pair[1] else _ALIKE
                if oddity == _USUAL or (oddity == _OWN_SHAPE and rank < _ALIKE):
                    yield rank + oddity * (_ALIKE + 1), [*cells[:number], *halves, *cells[number + 1 :]]


def _may_be_one(words: Sequence[str], edge: str) -> bool:
    """Return whether pieces may be one text: whole numbers are separate, not the halves of a decimal."""
    is_whole = words[0] and words[-1] and not any(edge in word for word in words)
    are_numbers = edge in ",." and all(map(str.isdigit, words))
    return len(words) == 1 or bool(is_whole and not are_numbers)


def _beside_quotes(text: str, quote: str) -> list[int]:
    """Return the places before and after each quote, except where a blank follows: inches in a text."""
    quotes = [place for place, character in enumerate(text) if character == quote]
    places = {*quotes, *(place + 1 for place in quotes)} - {0, len(text)}
    likely = [place for place in sorted(places) if not text[place:].lstrip(quote).startswith(" ")]
    return likely if len(quotes) <= _MAX_QUOTES else []


def _regroup(text: str, dialect: Dialect, width: int) -> list[str] | None:
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


def _only_best(ranked: Iterable[tuple[int, list[str]]]) -> list[str] | None:
    """Return the cells of the lowest rank, None if none or several have it."""
    found = sorted(ranked, key=itemgetter(0))
    is_only = found and [rank for rank, _ in found].count(found[0][0]) == 1
    return found[0][1] if is_only else None


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
