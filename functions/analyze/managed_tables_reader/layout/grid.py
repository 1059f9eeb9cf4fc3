"""Build the grid in which a layout is sought: its rows, what their words say, and which of them repeat.

Blank and separator lines are none of the grid's rows.
"""

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise, zip_longest
from math import inf

from managed_tables_reader.layout import weights
from managed_tables_reader.layout.looks import LIST_ENDS, TEXT, Look, is_year, list_bits, look, repeated_bits
from managed_tables_reader.rows.notes import is_separator

_NOTHING = " \t\r\n\x1a\ufeff\xa0"
_SENTENCE_BLANKS = 3
_WORD = re.compile(rf"[^\s{LIST_ENDS}]+")
COMMENT = "#"
COMMENT_STARTS = (f"{COMMENT} ", f"{COMMENT}{COMMENT}")
_TOTAL = re.compile(
    r"(sub)?(t ?o ?t ?a ?l|totais)(\s+(g ?e ?r ?a ?l|general|global)"
    r"|\s+do\s+(dia|mês|per[íi]odo|ano|relatório))?\s*(:.*)?"
    r"|grand\s+total\s*:?|soma\s*:?"
    r"|saldo(\s+(final|atual|total|bloqueado|dispon[íi]vel|do\s+dia|em\s+[\d/.-]+))?\s*(:.*)?",
    re.IGNORECASE,
)
_NOTE = re.compile(
    r"(fontes?|notas?|obs(ervaç(ão|ões))?|source|notes?|elaboraç(ão|ado)|elaborado|atualizado|extra[ií]do"
    r"|\(?\d+ (rows?|linhas?|registros?)\b"
    r"|gerado|emitido|data (de|da) (extração|atualização|emissão)|legenda|total de registros)\b|\*|\(\d\)",
    re.IGNORECASE,
)
_NOTE_WORD = re.compile(r"\(?\*+\)?:?|(fontes?|notas?|obs|observaç(ão|ões)|legenda)\.?:?", re.IGNORECASE)
_NOTE_COLON = re.compile(r"(fontes?|notas?|obs(ervaç(ão|ões))?|source|notes?|elaboração)\s*:", re.IGNORECASE)
_STATED = re.compile(r"(?:\A|[:\n])(?:(?![:\n])[\W\d])*+[^\W\d][^:\n]*+:\s++\S")  # `Mês: maio`, cut or not
_UNIT = re.compile(r"[(\[].*[)\]]|%|R\$|US\$|[Ee]m (%|R\$|US\$|mil(hares|hões)?\b).*|kg|un|m²")
_UNIT_OF_VALUES = re.compile(rf"{_UNIT.pattern}|[°µ]?[^\W\d_]{{1,3}}[²³]?|\S{{1,4}}/\S{{1,4}}")
_PAGE_NUMBER = re.compile(
    r"(\b(?:p[áa]g(?:ina)?|folha|fls?|page)\b\.*+\s*+:?\s*+(?:n[º°o]\.?\s*+)?)\d++(?:\s*+(?:de|of|/)\s*+\d++)?"
    r"|(\b(?:emiss[ãa]o|emitido em|data|hora|dt|hr)\b[.:\s]*+)\d[\d/.:-]*+(?:\s+\d[\d:]*+)?",
    re.IGNORECASE,
)
_FEWEST_LETTERS = 3
_LETTER = re.compile(r"[^\W\d_]")
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
    def plain(self) -> tuple[str, ...]:
        """The texts of the cells without page numbers."""
        return plain_cells(self.cells)

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

    def saved_by_lists(self, ends: str) -> float:
        """Return the bits that texts save if they are described as lists, cut at `ends`."""
        cells = zip(self.looks, self._pairs, self.known_bits, self.text_bits, strict=False)
        return sum(
            min(text, one.odd + known) - min(list_bits(cell, above, ends, text), known)
            for one, (above, cell), known, text in cells
            if cell and one.kind == TEXT
        )

    @cached_property
    def data_bits(self) -> list[float]:
        """The bits of each cell as text in a row of data, less the words that the cell above has in place."""
        cells = zip(self.looks, self.text_bits, self._pairs, strict=False)
        repeated = ((one.as_text - repeated_bits(*pair), text) for one, text, pair in cells)
        return [max(min(bits), weights.SAME_CELL) for bits in repeated]

    def sum(self, bits: Sequence[float], first: int = 0) -> float:
        """Return the bits of the row's cells from `first` on; one that repeats another may cost less."""
        cells = zip(self.looks[first:], self.known_bits[first:], bits[first:], strict=True)
        return sum(min(text, one.odd + known) for one, known, text in cells if one.kind)

    def saved_by_values(self, bits: Sequence[float]) -> list[float]:
        """Return how many of its `bits`, those of a text, each cell saves as the value that it is."""
        cells = zip(self.looks, self.known_bits, bits, strict=True)
        return [one.is_value * max(0.0, min(text, one.odd + known) - one.bits) for one, known, text in cells]

    @property
    def _pairs(self) -> Iterator[tuple[str | None, str | None]]:
        """Each cell, with the cell above it (None if there is none) before it."""
        return zip_longest(self.above[: len(self.cells)], self.cells)

    @cached_property
    def extent(self) -> int:
        """The number of cells up to the last filled one."""
        return self.columns[-1] + 1 if self.columns else 0

    @cached_property
    def filled(self) -> list[str]:
        """The texts of the cells that are not blank, before mending."""
        return [text for cell in self.written or self.cells if cell and (text := cell.strip())]

    @cached_property
    def states(self) -> bool:
        """Whether a cell states something, by itself or with the next one."""
        return _STATED.search(" ".join(self.filled)) is not None

    @property
    def is_sentence(self) -> bool:
        """Whether a single cell is filled, with four words or more."""
        return len(self.filled) == 1 and self.filled[0].count(" ") >= _SENTENCE_BLANKS

    @property
    def is_unit(self) -> bool:
        """Whether a single cell is filled, with a unit."""
        return len(self.filled) == 1 and _UNIT.fullmatch(self.filled[0]) is not None

    def below_bits(self, width: int) -> float:
        """Return the bits against a row of data of so many columns, for words of totals and notes."""
        if width < 2 or not self.filled:
            return 0.0
        first, *others = self.filled
        is_note = _NOTE_COLON.match(first) and not first.endswith(":")
        if is_note or (not others and _NOTE.match(first)) or _TOTAL.fullmatch(first):
            return weights.NOTE
        return weights.NOTE_OF_CELLS if others and _NOTE_WORD.fullmatch(first) else 0.0

    @property
    def is_comment(self) -> bool:
        """Whether the row begins like a comment."""
        first = (self.cells[0] or "").lstrip()
        return first.startswith(COMMENT) and first.rstrip() != COMMENT

    def is_units(self, kinds: Sequence[str]) -> bool:
        """Return whether all cells, more than the first, are units; short words are, of kinds of values."""
        columns = zip(self.looks[1:], kinds[1:], strict=False)
        are_of_values = not self.looks[0].kind and all(kind != TEXT for one, kind in columns if one.kind)
        unit = _UNIT_OF_VALUES if are_of_values else _UNIT
        texts = [self.text(column) for column in self.columns if self.looks[column].kind == TEXT]
        return self.extent > 1 and len(texts) == len(self.columns) and all(map(unit.fullmatch, texts))

    def text(self, column: int) -> str:
        """Return the text of a cell, less the blanks around it; none beyond the last."""
        return (self.cells[column] or "").strip() if column < len(self.cells) else ""


def make_grid(
    rows: Iterable[tuple[int, int, Cells, Cells | None]], left_out: Container[int] = ()
) -> list[GridRow]:
    """Return the rows to score, given their first and last lines, cells, and cells before mending.

    Lines that are left out, comments and separators, make no gap between those around them.
    """
    grid: list[GridRow] = []
    last = None
    for number, last_line, cells, written in rows:
        if all(cell is None or is_blank(cell) for cell in cells):
            continue
        if number not in left_out and not is_separator(cells):
            grid.append(GridRow(number, cells, last is not None and number > last + 1, written))
        last = max(number, last_line)
    for above, row in pairwise(grid):
        row.above = above.cells
    return grid


def is_blank(cell: str) -> bool:
    """Return whether a cell says nothing: blanks of any kind, or a mark of a file's begin or end."""
    text = cell.strip(_NOTHING)
    return not text or text.isspace()


def is_sure_comment(cells: Sequence[str]) -> bool:
    """Return whether a record that begins with `#` is none of data: `#vendas;20` may be a row."""
    return len(cells) == 1 or cells[0].startswith(COMMENT_STARTS)


def find_repeats(rows: Sequence[GridRow], most_above: int) -> dict[int, int]:
    """Map each row that repeats one of the first to its place; page numbers may differ."""
    origins: dict[int, int] = {}
    first: dict[tuple[str, ...], int] = {}
    for place, row in enumerate(rows):
        if row.plain in first:
            origins[place] = first[row.plain]
        elif place < most_above and is_distinctive(row.plain):
            first[row.plain] = place
    return origins


def is_distinctive(plain: Sequence[str]) -> bool:
    """Return whether a line is unlike rows of data: it has words, or several years."""
    if len(_LETTER.findall("".join(plain))) >= _FEWEST_LETTERS:
        return True
    filled = [text for text in plain if text]
    return len(filled) > 1 and (all(map(is_year, filled)) or all(look(text).kind == TEXT for text in filled))


def plain_cells(cells: Cells) -> tuple[str, ...]:
    """Return a row's texts without page numbers and without the empty cells at its end.

    Of several page numbers and nothing else, the words before them are left.
    """
    for kept in ("", r"\1\2"):
        texts = [_PAGE_NUMBER.sub(kept, cell).strip(" \t\r\n\ufeff") if cell else "" for cell in cells]
        while texts and not texts[-1]:
            texts.pop()
        if texts or sum(map(bool, cells)) < 2:  # one alone, a date, may label the rows below
            break
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
    return column, text[: max(number.end(1), number.end(2))] if number else text
