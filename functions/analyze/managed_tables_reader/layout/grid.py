"""Build the grid in which a layout is sought: rows of a file or sheet, less blank and separator lines."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, zip_longest
from math import inf

from managed_tables_reader.layout import weights
from managed_tables_reader.layout.looks import LIST_ENDS, TEXT, Look, list_bits, look, repeated_bits
from managed_tables_reader.rows.separators import is_separator

_NOTHING = " \t\r\n\x1a\ufeff\xa0"
_SENTENCE_BLANKS = 3
_WORD = re.compile(rf"[^\s{LIST_ENDS}]+")
Cells = Sequence[str | None]


@dataclass
class GridRow:
    """A row that is not blank: its number, its cells, and whether blank rows stand above it."""

    number: int
    cells: Cells
    after_gap: bool = False
    written: Cells | None = None  # the cells before mending
    labels: Cells | None = None  # the cells as a sheet shows them, where labels are called so
    above: Cells = ()  # the cells of the row above

    # Computed on demand: most rows of a long sample are never looked at.

    @cached_property
    def looks(self) -> list[Look]:
        """What each cell looks like."""
        return [look(cell) for cell in self.cells]

    @cached_property
    def columns(self) -> list[int]:
        """The columns of the cells that are not empty."""
        return [column for column, one in enumerate(self.looks) if one.kind]

    @cached_property
    def known_bits(self) -> list[float]:
        """The bits of each cell that repeats the one above it or one to its left; infinite for others.

        A run of cells that repeats the row above costs as much as its first cell.
        """
        seen: set[str | None] = set()
        found, runs = [], False
        for upper, cell in self._pairs:
            is_above = cell == upper
            found.append(0.0 if runs and is_above else weights.SAME_CELL if is_above or cell in seen else inf)
            runs = is_above if cell else runs
            seen.add(cell)
        return found

    @cached_property
    def text_bits(self) -> list[float]:
        """The bits of each cell as text, without those of the words that cells to its left have, too."""
        said: set[str] = set()
        found = []
        for one, cell in zip(self.looks, self.cells, strict=True):
            words = {*_WORD.findall(cell or "")}
            known = sum(weights.CHARACTER * len(word) + weights.BLANK_CHARACTER for word in words & said)
            found.append(max(one.as_text - known, one.odd + weights.SAME_CELL))
            said |= words
        return found

    @cached_property
    def bits_of_texts(self) -> float:
        """The bits of the whole row as texts."""
        return self._sum(self.text_bits)

    def saved_by_lists(self, ends: str) -> float:
        """Return the bits that texts save if they are described as lists, cut at `ends`."""
        cells = zip(self.looks, self.cells, self.known_bits, self.text_bits, strict=True)
        return sum(
            min(text, one.odd + known) - min(list_bits(cell, ends, text), known)
            for one, cell, known, text in cells
            if cell and one.kind == TEXT
        )

    @cached_property
    def data_bits(self) -> list[float]:
        """The bits of each cell as text in a row of data, less the words that the cell above has in place."""
        cells = zip(self.looks, self.text_bits, self._pairs, strict=False)
        repeated = ((one.as_text - repeated_bits(*pair), text) for one, text, pair in cells)
        return [max(min(bits), weights.SAME_CELL) for bits in repeated]

    @cached_property
    def bits_of_repeats(self) -> float:
        """The bits of the whole row as texts, less the words that the cells above have in place."""
        return self._sum(self.data_bits)

    def _sum(self, bits: Sequence[float]) -> float:
        """Return the bits of the row's cells; one that repeats another may cost less than these."""
        cells = zip(self.looks, self.known_bits, bits, strict=True)
        return sum(min(text, one.odd + known) for one, known, text in cells if one.kind)

    @property
    def _pairs(self) -> Iterator[tuple[str | None, str | None]]:
        """Each cell, with the cell above it (None if there is none) before it."""
        return zip_longest(self.above[: len(self.cells)], self.cells)

    @cached_property
    def extent(self) -> int:
        """The number of cells up to the last filled one."""
        filled = (place for place, cell in enumerate(self.cells, start=1) if cell and cell.strip())
        return max(filled, default=0)

    @cached_property
    def filled(self) -> list[str]:
        """The texts of the cells that are not blank, before mending."""
        return [text for cell in self.written or self.cells if cell and (text := cell.strip())]

    @property
    def is_sentence(self) -> bool:
        """Whether a single cell is filled, with four words or more."""
        return len(self.filled) == 1 and self.filled[0].count(" ") >= _SENTENCE_BLANKS


def make_grid(rows: Iterable[tuple[int, int, Cells, Cells | None]]) -> list[GridRow]:
    """Return the rows to score, given their first and last lines, cells, and cells before mending."""
    grid: list[GridRow] = []
    last = None
    for number, last_line, cells, written in rows:
        if not any(cell and cell.strip(_NOTHING) for cell in cells):
            continue
        if not is_separator(cells):
            grid.append(GridRow(number, cells, last is not None and number > last + 1, written))
        last = max(number, last_line)
    for above, row in pairwise(grid):
        row.above = above.cells
    return grid
