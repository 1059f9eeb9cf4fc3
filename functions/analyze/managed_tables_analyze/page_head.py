"""Owns the lines that a report prints above its rows, as they come again on each of its pages."""

import re
from collections.abc import Sequence

from managed_tables_analyze.cells import is_blank, is_rule, is_year

_PAGE_NUMBER = re.compile(
    r"\b(?:p[áa]g(?:ina)?|folha|fls?|page)\b\.?\s*+:?\s*+(?:n[º°o]\.?\s*+)?\d++(?:\s*+(?:de|of|/)\s*+\d++)?",
    re.IGNORECASE,
)
_FEWEST_LETTERS = 3
_LETTER = re.compile(r"[^\W\d_]")


class PageHead:
    """The lines down to the end of the header: a row is one again where only the page number differs."""

    def __init__(self, lines: Sequence[Sequence[str | None]] = ()) -> None:
        heads = [cells for cells in lines if not is_rule(cells) and _is_telling(_plain(cells))]
        self._lines = frozenset(map(_plain, heads))
        self._firsts = {_plain(cells[:1])[:1] for cells in heads}
        self.starts = tuple(dict.fromkeys(map(_start, heads)))
        """Each line's first filled column (from 0) and what its cell begins with there."""

    def has(self, cells: Sequence[str | None]) -> bool:
        """Tell whether a row is one of the lines again."""
        if not self._lines:
            return False
        first = _plain(cells[:1])[:1]  # nearly always tells
        return first in self._firsts and _plain(cells) in self._lines


def _is_telling(plain: Sequence[str]) -> bool:
    """Tell whether a line is unlike any row: it has words, or several years."""
    if len(_LETTER.findall("".join(plain))) >= _FEWEST_LETTERS:
        return True
    filled = [text for text in plain if text]
    return len(filled) > 1 and all(map(is_year, filled))


def _plain(cells: Sequence[str | None]) -> tuple[str, ...]:
    texts = [_PAGE_NUMBER.sub("", cell or "").strip() for cell in cells]
    while texts and not texts[-1]:
        texts.pop()
    return tuple(texts)


def _start(cells: Sequence[str | None]) -> tuple[int, str]:
    column = next(column for column, cell in enumerate(cells) if not is_blank(cell))
    text = cells[column] or ""
    number = _PAGE_NUMBER.search(text)
    return column, text[: number.start()] if number else text
