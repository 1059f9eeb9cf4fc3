"""Tell whether a last row sums up the rows above it: each of its numbers is their sum or their mean.

`managed_tables_analyze.staging.combination` has the same rule in SQL, for millions of rows.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from managed_tables.conversion.marked_cells import TEXT_SIGN

FEWEST_ROWS = 2  # to sum: one alone is its own sum
WORD = re.compile(  # beside a sum, unless nothing is
    r"(?i)|(sub[- ]?)?tota(l|is)\b.*|somas?\b.*|somat[óo]rio\b.*|m[ée]dias?\b.*|sum|average|mean"
)
NUMBER = re.compile(r"[-+]?[0-9][0-9.,]*(E[-+]?[0-9]{1,2})?", re.IGNORECASE)
AROUND = f"R$% \t\u00a0{TEXT_SIGN}"  # what may surround the digits of a number
MARKS = ((",", "."), (".", ","))  # thousands separator, decimal mark
TOLERANCE = Decimal("0.000001")  # of sums computed with binary fractions
ROUNDING = Decimal("1e-9")  # of a mean, by which doubles and sums of ten decimals may be off
COLUMNS_COMPARED = 60
_DECIMALS = Decimal("1e-10")
_LARGEST = Decimal("1e18")

Cells = Sequence[str | None]


@dataclass
class _Column:
    """The numbers of a column so far, by one of the marks."""

    filled: int = 0
    total: Decimal = Decimal(0)
    count: int = 0
    effective: int = 0
    least: Decimal | None = None
    greatest: Decimal | None = None

    def add(self, cell: str, group: str, decimal: str) -> None:
        self.filled += 1
        value = _number(cell, group, decimal)
        if value is None:
            return
        self.count += 1
        self.total += value
        self.effective += value != 0
        self.least = value if self.least is None else min(self.least, value)
        self.greatest = value if self.greatest is None else max(self.greatest, value)

    def gives(self, value: Decimal) -> bool:
        """Return whether a value is the sum or the mean of these numbers."""
        if self.filled != self.count or self.effective < FEWEST_ROWS:  # words, or nothing that adds up
            return False
        half = Decimal(1).scaleb(min(0, int(value.as_tuple().exponent))) / 2  # a mean is written rounded
        is_mean = self.least != self.greatest and (
            abs(self.total / self.count - value) <= max(half, abs(value) * ROUNDING)
        )
        return is_mean or abs(self.total - value) <= TOLERANCE


def is_sum_of(last: Cells, above: Iterable[Cells]) -> bool:
    """Return whether the row sums up those above it; they are read only if it may.

    Some column that is filled in all rows above is blank in it, or names it (`Média`).
    """
    texts = dict(enumerate(map(_stripped, last)))
    numbers = {place: text for place, text in texts.items() if NUMBER.fullmatch(text.strip(AROUND))}
    words = [place for place in texts if place not in numbers]
    if not (numbers and all(WORD.fullmatch(texts[place]) for place in words)):
        return False
    rows = _RowsAbove(numbers, words[:COLUMNS_COMPARED])
    for cells in above:
        rows.add(cells)
    return rows.have_names and all(_is_sum(numbers[place], sums) for place, sums in rows.columns.items())


def _stripped(cell: str | None) -> str:
    return (cell or "").strip()


class _RowsAbove:
    """The rows above: how many, in how many of them a word's column is filled, and their numbers."""

    def __init__(self, numbers: Iterable[int], words: Iterable[int]) -> None:
        self.columns = {place: [_Column() for _ in MARKS] for place in numbers}
        self._filled = dict.fromkeys(words, 0)
        self._count = 0

    @property
    def have_names(self) -> bool:
        """Whether there are rows to sum, and one of the words' columns has a value in each of them."""
        return self._count >= FEWEST_ROWS and self._count in self._filled.values()

    def add(self, cells: Cells) -> None:
        self._count += 1
        for place in self._filled:
            self._filled[place] += bool(_stripped(cells[place]))
        for place, sums in self.columns.items():
            if cell := _stripped(cells[place]):
                for one, marks in zip(sums, MARKS, strict=True):
                    one.add(cell, *marks)


def _is_sum(cell: str, sums: Sequence[_Column]) -> bool:
    for one, (group, decimal) in zip(sums, MARKS, strict=True):
        digits = cell.strip(AROUND).replace(group, "").replace(decimal, ".")
        if digits.count(".") <= 1 and one.gives(Decimal(digits)):
            return True
    return False


def _number(cell: str, group: str, decimal: str) -> Decimal | None:
    """Return the number of a cell by these marks, to ten decimals; None for none."""
    try:
        value = Decimal(cell.strip(AROUND).replace(group, "").replace(decimal, "."))
    except InvalidOperation:
        return None
    return value.quantize(_DECIMALS) if value.is_finite() and abs(value) < _LARGEST else None
