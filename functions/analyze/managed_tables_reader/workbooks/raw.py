"""Define what a reader yields in the child process: sheets of batches of rows, and what it found in them."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from managed_tables.messages.findings import GroundCode, WarningCode
from managed_tables_reader.rows.sheets import Batch, MergedRange, ShownDates, letters
from managed_tables_reader.workbooks.values.numbers import NumberCells

Cells = list[str | None]

Told = tuple[str, int, dict[str, Any], list[int]]
"""The code of a finding, how many, its values and columns (from 0): plain values, which pass a pipe."""

BATCH_ROWS = 2_000  # large enough that the cost of a batch vanishes, small enough to stay in the cache
BATCH_CELLS = 1_000_000  # empty ones too, of the few sheets that are wider than tall: 8 MB


@dataclass
class Tally:
    """What was found in one sheet's cells, complete once its batches are exhausted."""

    errors: Counter[int] = field(default_factory=Counter)
    """Cells with an error in place of a value, by column (from 0)."""
    percents: set[int] = field(default_factory=set)
    """Columns (from 0) with numbers that are shown as percentages."""
    uncached: int = 0
    """Formulas whose result the file does not hold."""
    number_cells: NumberCells = field(default_factory=NumberCells)
    hidden_rows: int = 0
    merged: list[MergedRange] = field(default_factory=list)
    """Cells merged with those below, complete at the end."""
    hidden_columns: frozenset[int] = frozenset()
    seen_hidden: set[int] = field(default_factory=set)
    """Hidden columns (from 0) in which some cell is filled."""
    shown_dates: ShownDates = field(default_factory=dict)
    """Dates among the first rows, of which some may be labels."""
    other_tables: int = 0
    """Tables of the same page that were not read."""

    def reset(self) -> None:
        """Forget everything: the sheet is read again from its start."""
        self.uncached = self.hidden_rows = 0
        self.errors.clear()
        self.percents.clear()
        self.number_cells = NumberCells()

    def see(self, batch: Batch) -> None:
        """Note the hidden columns in which some cell is filled."""
        for column in self.hidden_columns.difference(self.seen_hidden):
            cells = batch.columns[column] if column < len(batch.columns) else []
            if any(cell is not None for cell in cells):
                self.seen_hidden.add(column)

    def findings(self) -> list[Told]:
        """Return the findings, as plain values."""
        found = [
            (WarningCode.UNCACHED_FORMULAS, self.uncached),
            (WarningCode.DIGITS_LOST, self.number_cells.cut),
            (WarningCode.HIDDEN_ROWS, self.hidden_rows),
            (WarningCode.OTHER_TABLES, self.other_tables),
        ]
        told: list[Told] = [(code.value, count, {}, []) for code, count in found if count]
        return told + self._of_columns() + self._rounded()

    def _of_columns(self) -> list[Told]:
        told: list[Told] = []
        if self.errors:
            told.append((WarningCode.ERROR_CELLS.value, self.errors.total(), {}, sorted(self.errors)))
        if self.percents:
            told.append((GroundCode.PERCENT.value, len(self.percents), {}, sorted(self.percents)))
        if self.seen_hidden:
            hidden = sorted(self.seen_hidden)
            names = {"names": list(map(letters, hidden))}
            told.append((WarningCode.HIDDEN_COLUMNS.value, len(hidden), names, hidden))
        return told

    def _rounded(self) -> list[Told]:
        """Return the finding about rounded decimals, if the file has decimals that no double holds."""
        cells = self.number_cells
        if cells.rounded_example is None or not cells.has_exact_decimals:
            return []
        written, read = cells.rounded_example
        return [(WarningCode.ROUNDED_NUMBERS.value, cells.rounded, {"example": written, "taken": read}, [])]


@dataclass
class RawSheet:
    """One sheet as a reader yields it; `batches` can be read once, before the next sheet is asked for."""

    name: str | None
    visible: bool
    batches: Iterator[Batch]
    tally: Tally = field(default_factory=Tally)
    labels: list[str] | None = None
    """The columns' names if the file states them: then every row is data."""
    types: list[str] | None = None
    """The columns' types if the file states them."""


def in_batches(rows: Iterable[tuple[int, Cells]]) -> Iterator[Batch]:
    """Gather rows into batches, without empty ones."""
    numbers: list[int] = []
    batch: list[Cells] = []
    width = 0
    for number, cells in rows:
        while cells and cells[-1] is None:
            cells.pop()
        if not cells:
            continue
        numbers.append(number)
        batch.append(cells)
        width = max(width, len(cells))
        if len(batch) == BATCH_ROWS or len(batch) * width > BATCH_CELLS:
            yield _batch(numbers, batch)
            numbers, batch, width = [], [], 0
    if batch:
        yield _batch(numbers, batch)


def _batch(numbers: list[int], rows: list[Cells]) -> Batch:
    return Batch(numbers, list(map(list, zip_longest(*rows))))
