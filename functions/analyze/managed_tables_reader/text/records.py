"""Read records by the strict grammar: a record is one line, or several while a quote is open.

A record is well formed if every cell that begins with a quote also ends with one, and quotes inside are
doubled (or escaped). A record that is malformed, or has more or fewer cells than the table, is handed to the
mender, if there is one. A quote that never closes never swallows the file.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from managed_tables_reader.rows.parts import QUOTE
from managed_tables_reader.text.dialect import Dialect
from managed_tables_reader.text.mending import Mender

_MAX_LINES_OF_RECORD = 5_000  # of a quoted cell with line breaks; beyond that, its quote counts as stray
_MAX_CHARACTERS_OF_RECORD = 4_194_304  # the same in characters, those of the first line not counted


@dataclass
class Record:
    """One record: its first and last physical line (from 1), its cells, and whether they were repaired."""

    line: int
    cells: list[str]
    repaired: bool = False
    stray: bool = False  # an unquoted cell contains a quote
    last_line: int = 0
    strict: list[str] | None = None  # the cells before mending
    has_quotes: bool = False  # its first line does


class Lines:
    """Physical lines with their line ends, which can be given back after they are taken."""

    def __init__(self, lines: Iterator[str], number: int = 0) -> None:
        self._lines = lines
        self._returned: list[str] = []
        self.number = number  # of the last line taken

    def take(self) -> str | None:
        """Return the next line, None at the end."""
        line = self._returned.pop() if self._returned else next(self._lines, None)
        self.number += line is not None
        return line

    def give_back(self, lines: Sequence[str]) -> None:
        """Return lines that were taken: they come next again."""
        self._returned += reversed(lines)
        self.number -= len(lines)


class RecordReader:
    """Reads records of a dialect from lines; `mender`, if any, mends those that do not fit the table."""

    def __init__(self, lines: Lines, dialect: Dialect, mender: Mender | None = None) -> None:
        self._lines = lines
        self._dialect = dialect
        self._mender = mender
        self._width = mender.width if mender else 0

    def __iter__(self) -> Iterator[Record]:
        while (line := self._lines.take()) is not None:
            yield self.record(line)

    def record(self, line: str) -> Record:
        """Return the record that begins with the line just taken; a blank line is a record without cells."""
        number = self._lines.number
        text = line.rstrip("\r\n")
        if not text.strip(" \x1a\ufeff"):
            record = Record(number, [])
        elif self._dialect.quote in text:
            record = self._read_quoted(number, line, text)
        else:
            record = self._mended(number, text, self._dialect.split(text))
        record.last_line = self._lines.number
        record.has_quotes = QUOTE in text
        return record

    def _read_quoted(self, number: int, line: str, text: str) -> Record:
        """Read strictly, taking further lines while a quote is open, but so many only."""
        taken: list[str] = []
        size = 0

        def take() -> str | None:
            nonlocal size
            if len(taken) >= _MAX_LINES_OF_RECORD or size > _MAX_CHARACTERS_OF_RECORD:
                return None
            following = self._lines.take()
            if following is not None:
                taken.append(following)
                size += len(following)
            return following

        cells, stray = self._dialect.scan(line, take)
        if not taken:
            return self._mended(number, text, cells, stray=stray)
        # Had an open quote swallowed records, one of these lines alone would have the cells of a record;
        # each would, had a cell that is nothing but a quote: few quoted texts begin with a delimiter.
        counts = {len(self._dialect.split(one)) for one in (line, *taken)}
        is_odd = any(cell.startswith(self._dialect.delimiter) for cell in cells or ())
        is_swallowed = is_odd and counts == {self._width} != {1}
        if cells and (not is_swallowed if self._width in (0, len(cells)) else max(counts) < self._width):
            return Record(number, cells, stray=stray)
        self._lines.give_back(taken)
        return self._mended(number, text, None)

    def _mended(self, number: int, text: str, cells: list[str] | None, *, stray: bool = False) -> Record:
        """Return the record of a line: mended if possible, else its `cells`, which are None if malformed."""
        mended = self._mender.mend(text, cells, stray=stray) if self._mender else None
        found = mended or cells or self._dialect.split(text)
        return Record(number, found, repaired=found is not cells, stray=stray, strict=cells)
