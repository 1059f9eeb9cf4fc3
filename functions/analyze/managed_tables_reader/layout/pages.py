"""Find lines that repeat further down: a header, or what a report prints at the top of each page."""

import re
from collections.abc import Sequence

from managed_tables_reader.layout.grid import Cells, GridRow
from managed_tables_reader.layout.looks import TEXT, is_year, look

_PAGE_NUMBER = re.compile(
    r"\b(?:p[áa]g(?:ina)?|folha|fls?|page)\b\.*+\s*+:?\s*+(?:n[º°o]\.?\s*+)?\d++(?:\s*+(?:de|of|/)\s*+\d++)?"
    r"|\b(?:emiss[ãa]o|emitido em|data|hora|dt|hr)\b[.:\s]*+\d[\d/.:-]*+(?:\s+\d[\d:]*+)?",
    re.IGNORECASE,
)
_FEWEST_LETTERS = 3
_LETTER = re.compile(r"[^\W\d_]")


def find_repeats(rows: Sequence[GridRow], most_above: int) -> dict[int, int]:
    """Map each row that repeats one of the first to its place; page numbers may differ."""
    origins: dict[int, int] = {}
    first: dict[tuple[str, ...], int] = {}
    for place, row in enumerate(rows):
        plain = plain_cells(row.cells)
        if plain in first:
            origins[place] = first[plain]
        elif place < most_above and is_distinctive(plain):
            first[plain] = place
    return origins


def is_distinctive(plain: Sequence[str]) -> bool:
    """Return whether a line is unlike rows of data: it has words, or several years."""
    if len(_LETTER.findall("".join(plain))) >= _FEWEST_LETTERS:
        return True
    filled = [text for text in plain if text]
    return len(filled) > 1 and (all(map(is_year, filled)) or all(look(text).kind == TEXT for text in filled))


def plain_cells(cells: Cells) -> tuple[str, ...]:
    """Return a row's texts without page numbers and without the empty cells at its end."""
    texts = [_PAGE_NUMBER.sub("", cell).strip(" \t\r\n\ufeff") if cell else "" for cell in cells]
    while texts and not texts[-1]:
        texts.pop()
    return tuple(texts)


class PageHead:
    """The lines above the data: a row repeats one if they differ in nothing but the page number."""

    def __init__(self, lines: Sequence[Cells] = ()) -> None:
        heads = [cells for cells in lines if is_distinctive(plain_cells(cells))]
        self._lines = frozenset(map(plain_cells, heads))
        self._firsts = {plain_cells(cells[:1])[:1] for cells in heads}
        self.starts = tuple(dict.fromkeys(map(_start, heads)))
        """Each line's first filled column (from 0), and what the cell there begins with."""

    def has(self, cells: Cells) -> bool:
        """Return whether a row repeats one of the lines."""
        if not self._lines:
            return False
        first = plain_cells(cells[:1])[:1]  # nearly always enough
        return first in self._firsts and plain_cells(cells) in self._lines


def _start(cells: Cells) -> tuple[int, str]:
    column = next(column for column, cell in enumerate(cells) if cell and cell.strip())
    text = cells[column] or ""
    number = _PAGE_NUMBER.search(text)
    return column, text[: number.start()] if number else text
