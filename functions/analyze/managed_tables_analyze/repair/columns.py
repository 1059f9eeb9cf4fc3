"""What the columns of a table look like, and by that where a row lost a delimiter.

A row that is one cell short is cut where it then looks like the other rows in every column; where it already
does with an empty last cell, or could be cut in several ways, it is left as it is.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from managed_tables_analyze.layout.looks import look
from managed_tables_analyze.text.dialect import QUOTE, Dialect

_FEWEST_ROWS = 10  # below which columns are not known well enough
_MAX_ROWS = 1_000
_MAX_SHAPES = 8  # that a column of codes or amounts has
_LONGEST_SHAPE = 40  # characters of a cell that has a shape
_MAX_QUOTES = 40  # in a line that is cut at one of them
_ALIKE = 2  # the rank of a cut between two digits, or two letters
_MAX_ATTEMPTS = 1_000  # rows of a file: where so many are short it is their way
_GLUED = re.compile(rf"(?:[^\W\d]|[.!?)]){QUOTE}\w")
_SHAPES = str.maketrans(
    dict.fromkeys("0123456789", "9")
    | dict.fromkeys((chr(code) for code in (*range(65, 91), *range(97, 123), *range(192, 592))), "A")
)


@dataclass(frozen=True)
class _Column:
    """The shapes its cells have (none: any), the class they share (empty: none), whether it has gaps."""

    shapes: frozenset[str]
    kind: str
    has_gaps: bool

    def fits(self, cell: str) -> bool:
        if look(cell).is_nothing:
            return self.has_gaps
        if self.shapes:
            return cell.translate(_SHAPES) in self.shapes
        return not self.kind or look(cell).plain_kind == self.kind

    def admits(self, cell: str) -> bool:
        """Return whether a cell that is not in question may stand here: its shape may be its own."""
        return self.fits(cell) or (bool(self.kind) and look(cell).plain_kind == self.kind)


class Columns:
    """The columns of a table as its first regular rows show them."""

    def __init__(self, columns: Sequence[_Column]) -> None:
        self._columns = columns
        self._attempts = 0

    @classmethod
    def of(cls, rows: Sequence[Sequence[str | None]], width: int) -> "Columns | None":
        """Learn from the rows that have `width` cells; None where they are too few to tell."""
        regular = [cells for cells in rows if len(cells) == width][:_MAX_ROWS]
        if width < 2 or len(regular) < _FEWEST_ROWS:
            return None
        whole = [cells for cells in regular if not any(map(_has_stray_quote, cells))]
        if len(whole) >= _FEWEST_ROWS:
            regular = whole
        return cls([_column([cells[number] or "" for cells in regular]) for number in range(width)])

    def fit(self, cells: Sequence[str]) -> bool:
        """Return whether a row looks like the others, empty cells standing for those it lacks."""
        padded = [*cells, *[""] * (len(self._columns) - len(cells))]
        return len(padded) == len(self._columns) and self._admit(padded)

    def doubt(self, cells: Sequence[str]) -> bool:
        """Return whether a row is unlike the others, or has a quote right behind a word: `Bolsa"Couro"`."""
        return not self.fit(cells) or any(QUOTE in cell and _GLUED.search(cell) for cell in cells)

    def _admit(self, cells: Sequence[str]) -> bool:
        return all(column.admits(cell) for column, cell in zip(self._columns, cells, strict=False))

    def split(self, text: str, cells: Sequence[str] | None, dialect: Dialect) -> list[str] | None:
        """Return the cells of a line that lacks a delimiter; `cells` are those it has, None if malformed."""
        if dialect.escape or not dialect.delimiter or self._attempts >= _MAX_ATTEMPTS:
            return None
        if cells is not None and not self.doubt(cells):
            return None
        self._attempts += 1
        cuts = [list(self._cut_at_quotes(text, dialect))]
        if cells is not None and len(cells) == len(self._columns) - 1 and not self._admit(cells):
            found = list(self._cut_inside(cells))
            cuts += [[cut for cut, rank in found if rank == wanted] for wanted in range(2 * _ALIKE + 1)]
        best = next(filter(None, cuts), [])
        return best[0] if len(best) == 1 else None

    def join(self, pieces: Sequence[str], edge: str) -> list[str] | None:
        """Return the cells of a line in which `edge` cuts the text of one cell, too."""
        surplus = len(pieces) - len(self._columns)
        if surplus <= 0:
            return [*pieces] if surplus == 0 and self.fit(pieces) else None
        found: dict[bool, list[list[str]]] = {True: [], False: []}
        for number in range(len(self._columns)):
            words = pieces[number : number + surplus + 1]
            if all(map(str.isdigit, words)) and edge in ",.":
                continue  # whole numbers of their own, not the halves of a decimal
            cells = [*pieces[:number], edge.join(words), *pieces[number + surplus + 1 :]]
            if words[0] and words[-1] and not any(edge in word for word in words) and self.fit(cells):
                found[all(word.startswith(" ") for word in words[1:])].append(cells)
        best = found[True] or found[False]
        return best[0] if len(best) == 1 else None

    def _cut_at_quotes(self, text: str, dialect: Dialect) -> Iterator[list[str]]:
        """Yield the well-formed readings with a delimiter more, before or after one of the quotes."""
        quote, edge = re.escape(dialect.quote), re.escape(dialect.delimiter)
        cell = rf"(?:{quote}(?:[^{quote}]|{quote}{quote})*+{quote}|(?:(?!{edge})[^{quote}])*+)"
        record = re.compile(rf"{cell}(?:{edge}{cell}){{{len(self._columns) - 1}}}")
        quotes = [match.start() for match in re.finditer(quote, text)]
        if len(quotes) > _MAX_QUOTES:
            return
        for position in sorted({*quotes, *(start + 1 for start in quotes)} - {0, len(text)}):
            if text[position:].lstrip(dialect.quote).startswith(" "):
                continue  # inches within a text
            line = text[:position] + dialect.delimiter + text[position:]
            if record.fullmatch(line):
                cells = [
                    _unquote(found, dialect.quote) for found in re.findall(rf"({cell})(?:{edge}|$)", line)
                ]
                cells = cells[: len(self._columns)]
                odd = (dialect.quote, dialect.delimiter)  # a quoted cell hardly begins so
                if self.fit(cells) and not any(cell.startswith(odd) for cell in cells):
                    yield cells

    def _cut_inside(self, cells: Sequence[str]) -> Iterator[tuple[list[str], int]]:
        """Yield the fitting cuts of one cell in two, each with its rank: how unlike what meets there is.

        Cuts into a shape that the column does not have yet rank last, and must part unlike characters.
        """
        columns = self._columns
        for number, cell in enumerate(cells):
            rest = zip(columns[number + 2 :], cells[number + 1 :], strict=True)
            if all(column.admits(other) for column, other in rest):
                for position in range(1, min(len(cell), _LONGEST_SHAPE)):
                    left, right = cell[:position], cell[position:]
                    if columns[number].admits(left) and columns[number + 1].admits(right):
                        cut = [*cells[:number], left, right, *cells[number + 1 :]]
                        is_usual = columns[number].fits(left) and columns[number + 1].fits(right)
                        rank = _rank(cell[position - 1 : position + 1].translate(_SHAPES))
                        if is_usual or rank < _ALIKE:
                            yield cut, rank if is_usual else rank + _ALIKE + 1
            if not columns[number].admits(cell):
                return


def _has_stray_quote(cell: str | None) -> bool:
    """Return whether a cell has one quote of a pair: it may have been cut, and be one too many."""
    return cell is not None and QUOTE in cell and cell.count(QUOTE) % 2 == 1


def _rank(meeting: str) -> int:
    """Rank the two characters that meet at a cut: a letter and a digit, other unlike ones, like ones."""
    return 0 if meeting in ("A9", "9A") else 1 if meeting[0] != meeting[1] else _ALIKE


def _column(cells: Sequence[str]) -> _Column:
    values = [cell for cell in cells if not look(cell).is_nothing]
    has_gaps = len(values) < len(cells)
    if not values:
        return _Column(frozenset(), "null", has_gaps)
    shapes = (
        {cell.translate(_SHAPES) for cell in values} if max(map(len, values)) <= _LONGEST_SHAPE else set()
    )
    if len(shapes) > min(_MAX_SHAPES, len(values) // 4):
        shapes = set()
    kinds = Counter(look(cell).plain_kind for cell in values)
    kind = next(iter(kinds)) if len(kinds) == 1 and "text" not in kinds else ""
    return _Column(frozenset(shapes), kind, has_gaps)


def _unquote(cell: str, quote: str) -> str:
    return cell[1:-1].replace(quote * 2, quote) if cell.startswith(quote) else cell
