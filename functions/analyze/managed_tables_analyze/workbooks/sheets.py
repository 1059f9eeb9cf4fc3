"""Define the one shape in which every reader hands over rows of cells: a sheet.

A workbook has several, a CSV file, an HTML table and a SpreadsheetML worksheet are one each. What comes
after (header, combination, staging, inference) knows only this shape.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from managed_tables.messages.findings import Finding

MAX_COLUMNS = 16_384  # Excel's own

Row = tuple[int, list[str | None]]
"""Row number as the person sees it (counted from 1), and the cells from the first column on."""

Column = list[str | None]
"""A column's cells, one a row, None for an empty one."""

MergedRange = tuple[int, int, int, int]
"""First row, first column, last row, last column: rows counted from 1, columns from 0."""


@dataclass(frozen=True)
class Batch:
    """Rows that follow one another, held by column: so they pass between processes and into files quickest.

    Each column has a cell for each of `numbers`; there are at least as many as the longest row has cells.
    Columns without any may be one and the same list. None of the rows is wholly empty.
    """

    numbers: list[int]
    columns: list[Column]

    def __len__(self) -> int:
        return len(self.numbers)

    def row(self, place: int) -> Row:
        """Return one row (counted from 0), without the empty cells at its end."""
        cells = [column[place] for column in self.columns]
        while cells and cells[-1] is None:
            cells.pop()
        return self.numbers[place], cells

    def rows(self) -> list[Row]:
        """Return all rows, each without the empty cells at its end."""
        return [self.row(place) for place in range(len(self))]

    def pick(self, places: Sequence[int]) -> "Batch":
        """Return the rows at these places."""
        columns = [[column[place] for place in places] for column in self.columns]
        return Batch([self.numbers[place] for place in places], columns)

    def cut(self, start: int, stop: int | None = None) -> "Batch":
        """Return some of the rows."""
        return Batch(self.numbers[start:stop], [column[start:stop] for column in self.columns])


@dataclass
class Sheet:
    """One table of cells as a reader yields it; `batches` can be read once, before the next sheet.

    Cells are text: numbers as the shortest digits that mean the same, dates and times in ISO 8601,
    booleans as `TRUE` and `FALSE`, error cells and empty cells as None. Rows that are wholly empty may
    be left out (the row number tells). Rows may have different lengths.
    """

    name: str | None
    visible: bool
    batches: Iterator[Batch]
    findings: list[Finding] = field(default_factory=list)
    """What a person should know of the cells; complete once the rows are exhausted."""
    merged: list[MergedRange] = field(default_factory=list)
    """Merged cells among the first rows: the first cell has the text, the others are empty."""
    has_numbers: bool = True
    """Numbers are apart from texts, and texts that look like them are signed (`workbook_cells`)."""
    merged_down: list[MergedRange] = field(default_factory=list)
    """All merged cells; complete once the rows are exhausted."""


def letters(column: int) -> str:
    """Return the letters by which spreadsheets name a column (from 0)."""
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text
