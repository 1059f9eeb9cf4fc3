"""Owns the normalised copy of a table: line number first, RFC 4180 quoting, records as DuckDB wants them."""

import csv
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from managed_tables_analyze.dialect import QUOTE

LINE_END = "\r\n"  # csv.writer quotes cells that hold either of its characters
DEFAULT_DELIMITER = ","
_PLAIN_DELIMITERS = (",", ";", "\t", "|", "^", "~", "\x1f", "\x01")


class PartWriter:
    """Writes rows of cells, or lines that need no change, with the line numbers they came from."""

    def __init__(self, path: Path, delimiter: str = DEFAULT_DELIMITER) -> None:
        self.delimiter = delimiter if delimiter in _PLAIN_DELIMITERS else DEFAULT_DELIMITER
        self.width = 0  # of the longest row written by `write_row`
        self.longest = 0  # characters of the longest record
        self.rows = 0
        self._file = path.open("w", encoding="utf-8", errors="replace", newline="", buffering=1_048_576)
        self._csv = csv.writer(self._file, delimiter=self.delimiter, quotechar=QUOTE, lineterminator=LINE_END)
        self._write = self._file.write

    def __enter__(self) -> "PartWriter":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def write_line(self, number: int, text: str) -> None:
        """Write a line (without its end) whose cells are cut by `delimiter` and quoted as RFC 4180 says."""
        self._write(f"{number}{self.delimiter}{text}{LINE_END}")
        self.rows += 1
        if len(text) > self.longest:
            self.longest = len(text)

    def write_row(self, number: int, cells: Sequence[str | None]) -> None:
        """Write one row of cells; None and the empty text are the same."""
        self.rows += 1
        written: int = self._csv.writerow((number, *cells))
        self.width = max(self.width, len(cells))
        self.longest = max(self.longest, written)
