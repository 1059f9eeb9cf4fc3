"""Owns the one shape in which every reader hands over rows of cells: a sheet.

A workbook has several, a CSV file, an HTML table and a SpreadsheetML worksheet are one each. What comes
after (header, combination, staging, inference) knows only this shape.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

Row = tuple[int, list[str | None]]
"""Row number as the person sees it (counted from 1), and the cells from the first column on."""


MergedRange = tuple[int, int, int, int]
"""First row, first column, last row, last column: rows counted from 1, columns from 0."""


@dataclass
class CellCounts:
    """What a reader learnt about the cells of each column, complete once the rows are exhausted.

    `numbers[i]` counts the cells of column `i` (from 0) that were numbers in the file itself, not text.
    Such cells are written with `.` as the decimal mark and without thousands separators, so `1.234`
    among them is never one thousand.
    """

    numbers: dict[int, int] = field(default_factory=dict)


@dataclass
class Sheet:
    """One table of cells as a reader yields it; `rows` can be read once, before the next sheet is asked for.

    Cells are text: numbers as the shortest digits that mean the same, dates and times in ISO 8601,
    booleans as `TRUE` and `FALSE`, error cells and empty cells as None. Rows that are wholly empty may
    be left out (the row number tells). Rows may have different lengths.
    """

    name: str | None
    visible: bool
    rows: Iterator[Row]
    counts: CellCounts = field(default_factory=CellCounts)
    warnings: list[str] = field(default_factory=list)
    """What a person should know of the cells (Portuguese); complete once the rows are exhausted."""
    merged: list[MergedRange] = field(default_factory=list)
    """Merged cells among the first rows: the first cell has the text, the others are empty."""


# What the workbooks' module offers, called by `sources.py`:
#   managed_tables_analyze.workbooks.read_workbook(path: Path, kind: Kind, name: str) -> Iterator[Sheet]
# `name` is the file's name as a person knows it, for errors; failures are JobError (errors.py), e.g.
# WORKBOOK_ENCRYPTED, WORKBOOK_CORRUPT; the child process, its bounds and temporary files are the module's.
