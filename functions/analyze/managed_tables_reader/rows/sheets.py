"""Define the form in which every reader of workbooks yields rows of cells: a sheet.

A workbook has several; an HTML table and a SpreadsheetML worksheet are one each. The later steps (layout,
staging) know only this form.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from managed_tables.messages.findings import Finding

MAX_COLUMNS = 16_384  # Excel's own
MAX_ROWS = 1 << 24  # sixteen times what any program has: a larger number is no row's

Row = tuple[int, list[str | None]]
"""Row number as the person sees it (counted from 1), and the cells from the first column on."""

Column = list[str | None]
"""A column's cells, one for each row, None for an empty one."""

MergedRange = tuple[int, int, int, int]
"""First row, first column, last row, last column: rows counted from 1, columns from 0."""

ShownDates = dict[tuple[int, int], str]
"""By row (counted from 1) and column (from 0): a date as the sheet shows it, if that tells the whole date."""

LABEL_ROWS = 300  # of a sheet, among which dates may be labels


@dataclass(frozen=True)
class Batch:
    """Consecutive rows, held by column, which pass between processes and into files fastest that way.

    Each column has a cell for each of `numbers`; there are at least as many columns as the longest row has
    cells. Empty columns may be the same list. No row is empty.
    """

    numbers: list[int]
    columns: list[Column]

    def __len__(self) -> int:
        return len(self.numbers)

    @cached_property
    def lines(self) -> str:
        """The rows in the form of RFC 4180, their numbers first, each with a line feed."""
        columns = [[cell or "" for cell in column] if None in column else column for column in self.columns]
        rows = map(",".join, zip(map(str, self.numbers), *columns, strict=True))
        text = "\n".join((*rows, ""))
        marks = text.count(","), text.count("\n")
        if '"' not in text and "\r" not in text and marks == (len(columns) * len(self), len(self)):
            return text  # no cell needs quotes: half of csv.writer's time
        quoted = io.StringIO()
        csv.writer(quoted, lineterminator="\n").writerows(zip(self.numbers, *columns, strict=True))
        return quoted.getvalue()

    def first_columns(self, count: int) -> "Batch":
        """Return the rows with so many columns: others are left out, missing ones empty."""
        missing = count - len(self.columns)
        if not missing:
            return self
        return Batch(self.numbers, self.columns[:count] + [[None] * len(self)] * missing)

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
        """Return the rows from `start` to `stop`."""
        return Batch(self.numbers[start:stop], [column[start:stop] for column in self.columns])


@dataclass
class Sheet:
    """One table of cells as a reader yields it; `batches` can be read once, before the next sheet.

    Cells are text: numbers as the shortest digits that mean the same, dates and times in ISO 8601,
    booleans as `TRUE` and `FALSE`, error cells and empty cells as None. Empty rows may be left out (their
    numbers are missing). Rows may have different lengths.
    """

    name: str | None
    visible: bool
    batches: Iterator[Batch]
    findings: list[Finding] = field(default_factory=list)  # complete once the rows are exhausted
    has_numbers: bool = True  # texts that look like numbers carry a sign (`marked_cells`)
    shown_dates: ShownDates = field(default_factory=dict)  # among the first rows: some may be labels
    merged_down: list[MergedRange] = field(default_factory=list)  # complete likewise; the first has the text
    labels: list[str] | None = None  # if the file states the columns' names: then every row is data
    types: list[str] | None = None  # if the file states the columns' types


def letters(column: int) -> str:
    """Return the letters by which spreadsheets name a column (from 0)."""
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text
