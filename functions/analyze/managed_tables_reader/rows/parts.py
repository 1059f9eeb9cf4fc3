"""Describe one table of one file as text that can be read with fixed parameters."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from managed_tables.messages.findings import Finding
from managed_tables.schema import ColumnType
from managed_tables_reader.rows.notes import Extent
from managed_tables_reader.rows.reading import MAX_SKIPPED_LINES

Fill = tuple[int, int, int]
"""The column (from 0), the row that has the value, the last row that it covers."""


@dataclass
class Part:
    """One table of one file, as text that DuckDB reads with exactly these parameters.

    Where `has_line` the first column is the line number; else records are single lines that follow one
    another from `data_line` on.
    """

    path: Path
    labels: list[str]
    width: int
    data_line: int
    header_line: int | None
    delimiter: str = ","
    quote: str = '"'
    escape: str = '"'
    has_line: bool = True
    file: int = 0
    sheet: str | None = None
    expected_rows: int | None = None  # counted beforehand: another number means the file was misread
    max_record_bytes: int = 0
    has_formulas: bool = False  # some cell may be `="00123"`, which is a text
    has_numbers: bool = False  # from a workbook: texts that look like numbers carry a sign
    fills: list[Fill] = field(default_factory=list)  # cells that a sheet merges downwards
    findings: list[Finding] = field(default_factory=list)
    has_breaks: bool = False  # line ends in cells are escaped
    head_starts: list[str] = field(default_factory=list)  # of the first cell where a page of a report begins
    is_ragged: bool = False  # some records are shorter than `width`
    header_lines: int = 0
    header_end: int | None = None  # the last line of the header
    is_guarded: bool = False  # an apostrophe in front of a cell keeps a spreadsheet from running it
    skip_texts: Sequence[str] = ()  # of lines that are stated to be no rows
    trim: bool = False  # blanks around a cell are not part of it
    keeps_last: bool = False  # the end of the rows is stated
    types: list[ColumnType] | None = None  # if the file states them
    extent: Extent = field(default_factory=Extent)

    @property
    def places(self) -> dict[str, Any]:
        """Where the header and the rows are, as a reading says it."""
        return {
            "header_line": self.header_line,
            "header_lines": self.header_lines,
            "first_line": self.extent.first_line,
            "last_line": self.extent.last_line,
            "skipped_lines": sorted(self.extent.skipped)[:MAX_SKIPPED_LINES],
            "rows": self.expected_rows or 0,
        }
