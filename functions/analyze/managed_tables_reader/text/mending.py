"""Mend records that do not fit the table, all by one call: `Mender.mend`."""

from collections.abc import Iterator

from managed_tables_reader.layout.looks import look
from managed_tables_reader.text.columns import ODD, Columns
from managed_tables_reader.text.dialect import Dialect
from managed_tables_reader.text.scanner import Scanner, unquote

_MALFORMED = 3.0  # the oddity of a malformed cell
_MAX_PIECES = 400  # joining is quadratic in pieces
_DELIMITERS = (";", ",", "\t", "|", " ")


class Mender:
    """Mends records of a table of `width` cells; `columns` say how they look, None if unknown."""

    def __init__(self, dialect: Dialect, width: int, columns: Columns | None = None) -> None:
        self._dialect = dialect
        self.width = width
        self._columns = columns

    def mend(self, text: str, cells: list[str] | None, *, stray: bool = False) -> list[str] | None:
        """Return the cells that fit the table's other rows, None to keep the strictly cut ones.

        `cells` are those, None if the line is malformed; `stray`: an unquoted one contains a quote.
        """
        if cells is not None and len(cells) == self.width:
            return self._by_columns(text, cells) if stray else None
        if self._dialect.quote in text:
            return self._by_columns(text, cells) or self._regrouped(text, cells)
        return self._by_other_delimiter(text) or self._by_columns(text, cells)

    def _by_other_delimiter(self, text: str) -> list[str] | None:
        """Return the cells cut by the other delimiter that fits the columns best; None if none fits."""
        # Blanks separate words as well as cells: one of the cells must be a value.
        found = [
            cells
            for delimiter, cells in _other_readings(text, self._dialect, self.width)
            if delimiter != " " or any(look(cell).is_value for cell in cells)
        ]
        return min(found, key=self._columns.oddity if self._columns else len, default=None)

    def _by_columns(self, text: str, cells: list[str] | None) -> list[str] | None:
        """Read a line that lacks a delimiter, or has one within a text, as the columns suggest."""
        if self._columns is None or (cells is not None and not self._columns.is_suspicious(cells)):
            return None
        cut = self._columns.cut(text, cells, self._dialect)
        return cut or self._columns.join(cells or (), self._dialect.delimiter)

    def _regrouped(self, text: str, cells: list[str] | None) -> list[str] | None:
        """Cut a line with quotes anew; a short line keeps its cells unless only other cells fit."""
        regrouped, other = regroup(text, self._dialect, self.width), self._by_other_delimiter(text)
        if cells is None or len(cells) > self.width:
            return regrouped or other
        if self._columns is None or self._columns.oddity(cells) < ODD:
            return None if self._columns else other
        return next((one for one in (regrouped, other) if one and self._columns.oddity(one) < ODD), None)


def _other_readings(text: str, dialect: Dialect, width: int) -> Iterator[tuple[str, list[str]]]:
    """Yield each other delimiter that cuts a line into `width` cells, with these cells."""
    if width < 2 or (dialect.delimiter and text.count(dialect.delimiter) * 2 >= width):
        return
    for delimiter in _DELIMITERS:
        scanner = Scanner(Dialect(delimiter, dialect.quote))
        if text.count(delimiter) >= width - 1 and scanner.feed(text) and len(scanner.cells) == width:
            yield delimiter, scanner.cells


def regroup(text: str, dialect: Dialect, width: int) -> list[str] | None:
    """Cut a line into exactly `width` cells in the least odd way; None if no way is likely."""
    pieces = dialect.split(text)
    if not 1 < width <= len(pieces) <= _MAX_PIECES:
        return None
    # best[i] for the current number of cells: the oddity of the first i pieces as cells, and these cells
    best: dict[int, tuple[float, tuple[str, ...]]] = {0: (0.0, ())}
    for cell in range(1, width + 1):
        following: dict[int, tuple[float, tuple[str, ...]]] = {}
        for start, (before, cells) in best.items():
            most = _most_pieces(pieces[start], dialect.quote, cell + len(pieces) - width - start)
            for stop in range(start + 1, start + most + 1):
                group = dialect.delimiter.join(pieces[start:stop])
                total = before + _oddity(group, dialect, stop - start)
                if total < following.get(stop, (_MALFORMED, ()))[0]:
                    following[stop] = (total, (*cells, group))
        best = following
    found = best.get(len(pieces))
    return [unquote(group, dialect) for group in found[1]] if found else None


def _most_pieces(first: str, quote: str, available: int) -> int:
    """Return how many pieces a cell that begins with `first` may have: several only if quoted."""
    return available if first.strip(" ")[:1] in ("", quote) else 1


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
