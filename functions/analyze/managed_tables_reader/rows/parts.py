"""Describe one table of one file as text that can be read with fixed parameters; write its normalised copy.

The copy has one line a record, line number first, RFC 4180 quoting. Line ends inside cells are escaped
(`conversion.marked_cells`): DuckDB's strict reader, which finds the bounds of records in parallel, goes wrong
on line ends inside quotes.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from managed_tables.conversion.marked_cells import ESCAPE, ESCAPED, on_one_line
from managed_tables.errors import TOO_MANY_COLUMNS, JobError
from managed_tables.identifiers import MAX_COLUMNS
from managed_tables.messages.findings import Finding
from managed_tables.schema import ColumnType
from managed_tables_reader.rows.notes import Extent
from managed_tables_reader.rows.reading import MAX_SKIPPED_LINES
from managed_tables_reader.rows.sheets import Batch

Fill = tuple[int, int, int]
"""The column (from 0), the row that has the value, the last row that it covers."""
QUOTE = '"'
DEFAULT_DELIMITER = ","
_PLAIN_DELIMITERS = (",", ";", "\t", "|", "^", "~", "\x1f", "\x01")


def check_columns(count: int, file: str, line: int, most: int = MAX_COLUMNS) -> None:
    """Refuse a row of more columns than `most`: more than PostgreSQL allows, or than memory does."""
    if count > most:
        raise JobError(TOO_MANY_COLUMNS, file=file, count=count, line=line, limit=MAX_COLUMNS)


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
    keeps_texts: bool = False  # the file distinguishes a text of blanks, or `#N/A`, from nothing
    extent: Extent = field(default_factory=Extent)

    @property
    def places(self) -> dict[str, Any]:
        """Where the header and the rows are, as a reading says it."""
        return {
            "header_line": self.header_line,
            "header_lines": self.header_lines,
            "first_line": self.extent.first_line,
            "last_line": self.extent.last_line,
            "skipped_lines": sorted({*self.extent.skipped})[:MAX_SKIPPED_LINES],
            "rows": self.expected_rows or 0,
        }


class PartWriter:
    """Writes rows of cells, or lines that need no change, with the line numbers they came from."""

    def __init__(self, path: Path, width: int, delimiter: str = DEFAULT_DELIMITER) -> None:
        self.delimiter = delimiter if delimiter in _PLAIN_DELIMITERS else DEFAULT_DELIMITER
        self._padding = [None] * width
        self.width = width  # cells of the widest row; rows narrower than the table are padded
        self.longest = 0  # characters of the longest record
        self.rows = 0
        self.has_breaks = False
        self._file = path.open("w", encoding="utf-8", errors="replace", newline="", buffering=1_048_576)
        self._write = self._file.write
        self._csv = csv.writer(self, delimiter=self.delimiter, quotechar=QUOTE, lineterminator="\n")

    def __enter__(self) -> "PartWriter":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write_line(self, number: int, text: str) -> None:
        """Write a line (without its end) whose cells are cut by `delimiter` and quoted as RFC 4180 says."""
        if ESCAPE in text:
            text = text.replace(ESCAPE, ESCAPED)
            self.has_breaks = True
        self._write(f"{number}{self.delimiter}{text}\n")
        self.rows += 1
        if len(text) > self.longest:
            self.longest = len(text)

    def write_row(self, number: int, cells: Sequence[str | None]) -> None:
        """Write one row of cells; None and the empty text are the same."""
        self._csv.writerow((number, *cells, *self._padding[len(cells) :]))
        self.rows += 1
        if len(cells) > self.width:
            self.width = len(cells)

    def write_batch(self, batch: Batch) -> None:
        """Write rows no wider than the table, by `DEFAULT_DELIMITER`, much faster than one by one."""
        if not batch:
            return
        text = batch.first_columns(len(self._padding)).lines
        if "\r" in text or ESCAPE in text or text.count("\n") != len(batch):
            for number, cells in batch.rows():
                self.write_row(number, cells)
            return
        self._write(text)
        self.rows += len(batch)
        self.longest = max(self.longest, *map(len, text.split("\n")))

    def describe(self, part: Part) -> None:
        """Say in the part how what is written is to be read."""
        part.width = max(part.width, self.width)
        part.is_ragged = part.width > len(self._padding)
        part.has_breaks = self.has_breaks
        part.max_record_bytes = self.longest * 4
        part.expected_rows = self.rows
        part.delimiter, part.quote, part.escape = self.delimiter, QUOTE, QUOTE

    def write(self, record: str) -> int:
        """Take one record from csv.writer, its line end included."""
        if len(record) > self.longest:
            self.longest = len(record)
        if "\r" in record or ESCAPE in record or record.find("\n") != len(record) - 1:
            self.has_breaks = True
            record = f"{on_one_line(record[:-1])}\n"
        return self._write(record)
