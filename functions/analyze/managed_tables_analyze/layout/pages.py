"""Lines that come again further down: a header, or what a report prints above its rows on each page."""

import re
from collections.abc import Iterable, Sequence

from managed_tables_analyze.layout.grid import Cells, GridRow
from managed_tables_analyze.layout.looks import TEXT, is_year, look

_PAGE_NUMBER = re.compile(
    r"\b(?:p[áa]g(?:ina)?|folha|fls?|page)\b\.*+\s*+:?\s*+(?:n[º°o]\.?\s*+)?\d++(?:\s*+(?:de|of|/)\s*+\d++)?"
    r"|\b(?:emiss[ãa]o|emitido em|data|hora|dt|hr)\b[.:\s]*+\d[\d/.:-]*+(?:\s+\d[\d:]*+)?",
    re.IGNORECASE,
)
_FEWEST_LETTERS = 3
_LETTER = re.compile(r"[^\W\d_]")


def find_repeats(rows: Sequence[GridRow], most_above: int) -> dict[int, int]:
    """Return for each row that is one of the first again (page numbers apart) the place of that one."""
    origins: dict[int, int] = {}
    first: dict[tuple[str, ...], int] = {}
    for place, row in enumerate(rows):
        plain = plain_cells(row.cells)
        if plain in first:
            origins[place] = first[plain]
        elif len(plain) > 1 and (longer := _longer(plain, first)) is not None:
            origins[place] = first[longer]
        elif place < most_above and is_telling(plain):
            first[plain] = place
    return origins


def is_telling(plain: Sequence[str]) -> bool:
    """Return whether a line is unlike any row: it has words, or several years."""
    if len(_LETTER.findall("".join(plain))) >= _FEWEST_LETTERS:
        return True
    filled = [text for text in plain if text]
    return len(filled) > 1 and (all(map(is_year, filled)) or all(look(text).kind == TEXT for text in filled))


def plain_cells(cells: Cells) -> tuple[str, ...]:
    """Return a row's texts without page numbers, and without empty cells at its end."""
    texts = [_PAGE_NUMBER.sub("", cell).strip(" \t\r\n\ufeff") if cell else "" for cell in cells]
    while texts and not texts[-1]:
        texts.pop()
    return tuple(texts)


def _longer(plain: tuple[str, ...], known: Iterable[tuple[str, ...]]) -> tuple[str, ...] | None:
    """Return the line of which a row is more than half, from its start."""
    count = len(plain)
    return next((one for one in known if count < len(one) < 2 * count and one[:count] == plain), None)


class PageHead:
    """The lines down to the end of the header: a row is one again where only the page number differs."""

    def __init__(self, lines: Sequence[Cells] = ()) -> None:
        heads = [cells for cells in lines if is_telling(plain_cells(cells))]
        self._lines = frozenset(map(plain_cells, heads))
        self._firsts = {plain_cells(cells[:1])[:1] for cells in heads}
        self.starts = tuple(dict.fromkeys(map(_start, heads)))
        """Each line's first filled column (from 0) and what its cell begins with there."""

    def has(self, cells: Cells) -> bool:
        """Return whether a row is one of the lines again."""
        if not self._lines:
            return False
        first = plain_cells(cells[:1])[:1]  # nearly always tells
        return first in self._firsts and plain_cells(cells) in self._lines


def _start(cells: Cells) -> tuple[int, str]:
    column = next(column for column, cell in enumerate(cells) if cell and cell.strip())
    text = cells[column] or ""
    number = _PAGE_NUMBER.search(text)
    return column, text[: number.start()] if number else text
