"""The strict grammar of records: what a line, or several where a quote is open, is cut into.

A record is well formed when every cell that begins with a quote also ends with one, quotes inside being
doubled (or escaped). What is not, or has another number of cells than the table, is handed to the mender,
where there is one; a quote that never closes never swallows the file.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from managed_tables_analyze.repair.mending import Mender
from managed_tables_analyze.text.dialect import BACKSLASH, Dialect
from managed_tables_analyze.text.scanner import Scanner, lenient

_MAX_LINES_OF_RECORD = (
    5_000  # of a quoted cell with line breaks; beyond it the quote is taken for a stray one
)
_MAX_CHARACTERS_OF_RECORD = 4_194_304  # the same in characters, for a cell that begins on another line


@dataclass
class Record:
    """One record: its first and last physical line (from 1), its cells, and whether they had to be repaired.

    `stray` tells of a quote inside a cell that has none around it.
    """

    line: int
    cells: list[str]
    repaired: bool = False
    stray: bool = False
    last_line: int = 0
    strict: list[str] | None = None  # cells before they were mended


class Lines:
    """Physical lines, each with its line end, that can be taken back once read."""

    def __init__(self, lines: Iterator[str], number: int = 0) -> None:
        self._lines = lines
        self._returned: list[str] = []
        self.number = number  # of the last line taken

    def take(self) -> str | None:
        """Return the next line, None at the end."""
        line = self._returned.pop() if self._returned else next(self._lines, None)
        if line is not None:
            self.number += 1
        return line

    def give_back(self, lines: Sequence[str]) -> None:
        """Take lines back, which come next again."""
        self._returned += reversed(lines)
        self.number -= len(lines)


class RecordReader:
    """Reads records of a dialect from lines; `mender` mends those that do not fit the table, None none."""

    def __init__(self, lines: Lines, dialect: Dialect, mender: Mender | None = None) -> None:
        self._lines = lines
        self._dialect = dialect
        self._mender = mender
        self._width = mender.width if mender else 0

    def __iter__(self) -> Iterator[Record]:
        while (record := self.read()) is not None:
            yield record

    def read(self) -> Record | None:
        """Return the next record, or None at the end; a blank line is a record without cells."""
        record = self._read()
        if record is not None:
            record.last_line = self._lines.number
        return record

    def _read(self) -> Record | None:
        line = self._lines.take()
        if line is None:
            return None
        number = self._lines.number
        text = line.rstrip("\r\n")
        if not text.strip(" \x1a\ufeff"):
            return Record(number, [])
        quote = self._dialect.quote
        if quote and quote in text:
            return self._read_quoted(number, line, text)
        cells = self._dialect.split(text)
        mended = self._mended(text, cells)
        return Record(number, mended or cells, repaired=mended is not None, strict=cells)

    def _mended(self, text: str, cells: list[str] | None, *, stray: bool = False) -> list[str] | None:
        return self._mender.mend(text, cells, stray=stray) if self._mender else None

    def _read_quoted(self, number: int, line: str, text: str) -> Record:
        taken: list[str] = []
        scanner = Scanner(self._dialect)
        cells = self._strict(line, taken, scanner)
        if cells is not None and self._fits(cells):
            cut = self._mended(text, cells, stray=True) if scanner.stray else None
            return Record(number, cut or cells, repaired=cut is not None, stray=scanner.stray)
        if cells is not None and taken and not any(map(self._is_whole, (line, *taken))):
            return Record(number, cells)
        escaped = self._read_escaped(line, taken)
        if escaped is not None:
            return Record(number, escaped)
        mended = self._mended(text, None if taken else cells)
        if mended is not None:
            self._lines.give_back(taken)
            return Record(number, mended, repaired=True, strict=cells)
        if cells is not None and not taken:
            return Record(number, cells)
        self._lines.give_back(taken)
        return Record(number, lenient(text, self._dialect), repaired=True)

    def _read_escaped(self, line: str, taken: list[str]) -> list[str] | None:
        """Read with the other sort of quote inside quotes, where that gives a whole record."""
        if BACKSLASH + self._dialect.quote not in line:
            return None
        self._lines.give_back(taken)
        taken.clear()
        escape = "" if self._dialect.escape else BACKSLASH
        escaped = self._strict(line, taken, Scanner(replace(self._dialect, escape=escape)))
        return escaped if escaped is not None and self._fits(escaped) else None

    def _fits(self, cells: list[str]) -> bool:
        return not self._width or len(cells) == self._width

    def _is_whole(self, line: str) -> bool:
        """Return whether a line has the cells of a record by itself: then a quote left open swallowed it."""
        return len(self._dialect.split(line)) >= self._width

    def _strict(self, line: str, taken: list[str], scanner: Scanner) -> list[str] | None:
        """Read strictly, taking further lines while a quote is open; None where it is malformed."""
        size = 0
        following: str | None = line
        while following is not None:
            if scanner.feed(following):
                return scanner.cells
            if scanner.malformed or len(taken) >= _MAX_LINES_OF_RECORD or size > _MAX_CHARACTERS_OF_RECORD:
                return None
            following = self._lines.take()
            if following is not None:
                taken.append(following)
                size += len(following)
        return None
