"""Write the normalised copy of a table: one line per record, line number first, RFC 4180 quoting.

Line ends inside cells are escaped (`conversion.one_line`): DuckDB's strict reader, which finds the bounds
of records in parallel, goes wrong on line ends inside quotes.
"""

import csv
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from managed_tables.conversion.marked_cells import ESCAPE, ESCAPED, on_one_line
from managed_tables_reader.rows.parts import Part
from managed_tables_reader.rows.sheets import Batch

QUOTE = '"'
DEFAULT_DELIMITER = ","
_PLAIN_DELIMITERS = (",", ";", "\t", "|", "^", "~", "\x1f", "\x01")


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

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
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
