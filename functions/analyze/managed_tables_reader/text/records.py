"""Read records by the strict grammar: a record is one line, or several while a quote is open.

A record is well formed if every cell that begins with a quote also ends with one, and quotes inside are
doubled (or escaped). One that is malformed, or has quotes and more cells than the table, is mended. A quote
that never closes never swallows the file.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from managed_tables_reader.rows.writer import QUOTE
from managed_tables_reader.text.dialect import Dialect
from managed_tables_reader.text.mending import regroup

_MAX_LINES_OF_RECORD = 5_000  # of a quoted cell with line breaks; beyond that, its quote counts as stray
_MAX_CHARACTERS_OF_RECORD = 4_194_304  # the same in characters, those of the first line not counted
_GLUED = re.compile(rf"(?:[^\W\d]|[.!?)]){QUOTE}\w")


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

    @property
    def is_doubtful(self) -> bool:
        """Whether it was repaired, or has a quote right after a word, as where a delimiter is lost."""
        return self.repaired or (self.stray and any(map(_GLUED.search, self.cells)))


class Lines:
    """Physical lines with their line ends, which can be given back after they are taken."""

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
        """Return lines that were taken: they come next again."""
        self._returned += reversed(lines)
        self.number -= len(lines)


class RecordReader:
    """Reads records of a dialect from lines; those that do not fit a table of `width` cells are mended."""

    def __init__(self, lines: Lines, dialect: Dialect, width: int = 0) -> None:
        self._lines = lines
        self._dialect = dialect
        self._width = width

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
            record = Record(number, self._dialect.split(text))
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
        if cells is not None and self._width in (0, len(cells)):
            return self._mended(number, text, cells, stray=stray)
        # Had an open quote swallowed records, one of these lines alone would have the cells of a record.
        counts = map(len, map(self._dialect.split, (line, *taken)))
        if cells is not None and taken and max(counts) < self._width:
            return Record(number, cells)
        self._lines.give_back(taken)
        return self._mended(number, text, None if taken else cells)

    def _mended(self, number: int, text: str, cells: list[str] | None, *, stray: bool = False) -> Record:
        """Return the record of a line with quotes: its `cells`, mended if malformed (None) or too many."""
        is_odd = self._width and (cells is None or len(cells) > self._width)
        mended = regroup(text, self._dialect, self._width) if is_odd else None
        found = mended or cells or self._dialect.split(text)
        return Record(number, found, repaired=found is not cells, stray=stray, strict=cells)
