"""Owns the exact reading of one record: strictly first, then by the most likely repair.

A record is well formed when every cell that begins with a quote also ends with one, quotes inside being
doubled (or escaped). Whatever is not, or has another number of cells than the table, is repaired by the
reading that gives the table's number of cells; a quote that never closes never swallows the file.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from managed_tables_analyze.cells import is_value
from managed_tables_analyze.columns import Columns
from managed_tables_analyze.dialect import BACKSLASH, Dialect

_MAX_LINES_OF_RECORD = (
    5_000  # of a quoted cell with line breaks; beyond it the quote is taken for a stray one
)
_MAX_CHARACTERS_OF_RECORD = 4_194_304  # the same in characters, for a cell that begins on another line
_MAX_PIECES_TO_REPAIR = 400  # grouping is quadratic in pieces
_REPAIR_COST_LIMIT = 3.0
_OTHER_DELIMITERS = (";", ",", "\t", "|", " ")


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


class Lines:
    """Physical lines, each with its line end, that can be taken back once read."""

    def __init__(self, lines: Iterator[str], number: int = 0) -> None:
        self._lines = lines
        self._returned: list[str] = []
        self.number = number  # of the last line taken

    def take(self) -> str | None:
        line = self._returned.pop() if self._returned else next(self._lines, None)
        if line is not None:
            self.number += 1
        return line

    def give_back(self, lines: Sequence[str]) -> None:
        self._returned += reversed(lines)
        self.number -= len(lines)


class RecordReader:
    """Reads records of a dialect from lines; `width` is the table's number of cells, 0 while unknown.

    `columns` tell where a row that is a cell short lost a delimiter.
    """

    def __init__(
        self, lines: Lines, dialect: Dialect, width: int = 0, columns: Columns | None = None
    ) -> None:
        self._lines = lines
        self._dialect = dialect
        self.width = width
        self._columns = columns

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
        if not quote or quote not in text:
            return self._checked(number, self._dialect.split(text), text)
        return self._read_quoted(number, line, text)

    def _checked(self, number: int, cells: list[str], text: str) -> Record:
        """Accept the cells of a line without quotes, or read it by another delimiter where that fits."""
        if self.width > 1 and len(cells) != self.width:
            other = by_other_delimiter(text, self._dialect, self.width)
            other = other or self._by_columns(text, cells)
            if other:
                return Record(number, other, repaired=True)
        return Record(number, cells)

    def _by_columns(self, text: str, cells: list[str] | None) -> list[str] | None:
        """Read a line that lacks a delimiter, or has blanks for delimiters, as the columns would have it."""
        if self._columns is None:
            return None
        split = self._columns.split(text, cells, self._dialect)
        if split is not None:
            return split
        delimiter = self._dialect.delimiter
        joined = self._columns.join(cells, delimiter) if cells and self._is_too_long(cells) else None
        if joined is not None or delimiter == " ":
            return joined
        scanner = _Scanner(Dialect(" ", self._dialect.quote))
        pieces = scanner.cells if text.count(" ") >= self.width and scanner.feed(text) else None
        return self._columns.join(pieces, " ") if pieces else None

    def _is_too_long(self, cells: list[str]) -> bool:
        """Tell whether a row has more cells than the table, other than empty ones at its end."""
        return any(cells[self.width :]) or not (self._columns and self._columns.fit(cells[: self.width]))

    def _read_quoted(self, number: int, line: str, text: str) -> Record:
        taken: list[str] = []
        scanner = _Scanner(self._dialect)
        cells = self._strict(line, taken, scanner)
        if cells is not None and (not self.width or len(cells) == self.width):
            doubtful = scanner.stray and self._columns is not None and self._columns.doubt(cells)
            cut = self._by_columns(text, cells) if doubtful else None
            return Record(number, cut or cells, repaired=cut is not None, stray=scanner.stray)
        if cells is not None and taken and not any(map(self._is_whole, (line, *taken))):
            return Record(number, cells)
        if BACKSLASH + self._dialect.quote in line:
            self._lines.give_back(taken)
            taken = []
            escape = "" if self._dialect.escape else BACKSLASH
            escaped = self._strict(line, taken, _Scanner(replace(self._dialect, escape=escape)))
            if escaped is not None and (not self.width or len(escaped) == self.width):
                return Record(number, escaped)
        repaired = self._repaired(text, None if taken else cells)
        if repaired is not None:
            self._lines.give_back(taken)
            return Record(number, repaired, repaired=True)
        if cells is not None and not taken:
            return Record(number, cells)
        self._lines.give_back(taken)
        return Record(number, lenient(text, self._dialect), repaired=True)

    def _is_whole(self, line: str) -> bool:
        """Tell whether a line has the cells of a record by itself: then a quote left open swallowed it."""
        return len(self._dialect.split(line)) >= self.width

    def _repaired(self, text: str, cells: list[str] | None) -> list[str] | None:
        """Return the cells that the table's other rows speak for; `cells` are those of the strict reading.

        A row that is short as it stands keeps its quoted cells whole, unless it fits only without.
        """
        found = self._by_columns(text, cells)
        if found is not None or not self.width:
            return found
        repaired = repair(text, self._dialect, self.width)
        if repaired is None or cells is None or len(cells) > self.width:
            return repaired
        if self._columns is None:
            return by_other_delimiter(text, self._dialect, self.width)
        return repaired if self._columns.fit(repaired) and not self._columns.fit(cells) else None

    def _strict(self, line: str, taken: list[str], scanner: "_Scanner") -> list[str] | None:
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


class _Scanner:
    """The strict grammar, fed line by line."""

    def __init__(self, dialect: Dialect) -> None:
        self._delimiter = dialect.delimiter or "\n"
        self._quote = dialect.quote
        self._escape = dialect.escape
        self._skip_blank = self._delimiter != " "
        self._open: list[str] | None = None
        self.cells: list[str] = []
        self.malformed = False
        self.stray = False  # whether a quote stands in a cell that does not begin with one

    def feed(self, line: str) -> bool:
        """Read one line; True when the record is complete."""
        end = len(line.rstrip("\r\n"))
        position = 0
        while True:
            if self._open is None:
                start = self._skip_spaces(line, position, end)
                if not line.startswith(self._quote, start) or start >= end:
                    position = self._plain(line, position, end)
                    if position < 0:
                        return True
                    continue
                self._open = []
                position = start + 1
            position = self._quoted(line, position, end)
            if position < 0:
                return position == -1

    def _skip_spaces(self, line: str, position: int, end: int) -> int:
        while self._skip_blank and position < end and line[position] == " ":
            position += 1
        return position

    def _plain(self, line: str, position: int, end: int) -> int:
        """Take a cell without quotes; return where the next one begins, or -1 at the end of the record."""
        stop = line.find(self._delimiter, position, end)
        self.stray = self.stray or line.find(self._quote, position, end if stop < 0 else stop) >= 0
        if stop < 0:
            self.cells.append(line[position:end])
            return -1
        self.cells.append(line[position:stop])
        return stop + len(self._delimiter)

    def _quoted(self, line: str, position: int, end: int) -> int:
        """Go on in a quoted cell; return where the next begins, -1 at the end, -2 where unfinished."""
        opened = self._open
        assert opened is not None  # noqa: S101 - the caller has just opened it
        while True:
            stop = line.find(self._quote, position)
            if stop < 0:
                opened.append(self._plain_text(line[position:]))
                return -2
            if self._escape and _is_escaped(line, position, stop):
                opened += (self._plain_text(line[position : stop - 1]), self._quote)
                position = stop + 1
                continue
            opened.append(self._plain_text(line[position:stop]))
            if line.startswith(self._quote, stop + 1):
                opened.append(self._quote)
                position = stop + 2
                continue
            return self._close(line, stop + 1, end)

    def _plain_text(self, text: str) -> str:
        return text.replace(BACKSLASH * 2, BACKSLASH) if self._escape else text

    def _close(self, line: str, position: int, end: int) -> int:
        after = self._skip_spaces(line, position, end)
        if after < end and not line.startswith(self._delimiter, after):
            self.malformed = True
            return -2
        self.cells.append("".join(self._open or []))
        self._open = None
        return -1 if after >= end else after + len(self._delimiter)


def _is_escaped(line: str, start: int, position: int) -> bool:
    """Tell whether the quote at `position` follows an odd number of backslashes."""
    before = line[start:position]
    return (len(before) - len(before.rstrip(BACKSLASH))) % 2 == 1


def repair(text: str, dialect: Dialect, width: int) -> list[str] | None:
    """Cut one line into exactly `width` cells, the least odd way; None where there is no likely one."""
    pieces = dialect.split(text)
    if width < 2:
        return None
    if width <= len(pieces) <= _MAX_PIECES_TO_REPAIR:
        groups = _group(pieces, dialect, width)
        if groups is not None:
            return [_unquote(group, dialect) for group in groups]
    return by_other_delimiter(text, dialect, width)


def lenient(text: str, dialect: Dialect) -> list[str]:
    """Cut at every delimiter that is not inside a plausible pair of quotes."""
    cells: list[str] = []
    pieces = dialect.split(text)
    position = 0
    while position < len(pieces):
        stop = position + 1
        if pieces[position].lstrip(" ").startswith(dialect.quote):
            for candidate in range(position + 1, min(len(pieces), position + _MAX_PIECES_TO_REPAIR) + 1):
                group = dialect.delimiter.join(pieces[position:candidate])
                if _cost(group, dialect) == 0:
                    stop = candidate
                    break
        cells.append(_unquote(dialect.delimiter.join(pieces[position:stop]), dialect))
        position = stop
    return cells


def _group(pieces: list[str], dialect: Dialect, width: int) -> list[str] | None:
    """Join neighbouring pieces into `width` cells at the least cost (dynamic programming)."""
    slack = len(pieces) - width
    delimiter = dialect.delimiter
    # best[i] for the current number of cells: the cost of reading the first i pieces so, and how
    best: dict[int, tuple[float, tuple[str, ...]]] = {0: (0.0, ())}
    for cell in range(1, width + 1):
        following: dict[int, tuple[float, tuple[str, ...]]] = {}
        for start, (cost, cells) in best.items():
            group = ""
            for stop in range(start + 1, min(cell + slack, len(pieces)) + 1):
                group = pieces[start] if stop == start + 1 else group + delimiter + pieces[stop - 1]
                total = cost + _cost(group, dialect, stop - start)
                if total < _REPAIR_COST_LIMIT and total < following.get(stop, (_REPAIR_COST_LIMIT, ()))[0]:
                    following[stop] = (total, (*cells, group))
        best = following
    found = best.get(len(pieces))
    return list(found[1]) if found else None


def _cost(group: str, dialect: Dialect, pieces: int = 1) -> float:
    """Say how odd a cell would be: 0 well formed, 1 one stray quote, infinite where pieces do not belong."""
    quote = dialect.quote
    if quote not in group:
        return 0.0 if pieces == 1 else _REPAIR_COST_LIMIT
    text = group.strip(" ")
    enclosed = len(text) >= 2 and text.startswith(quote) and text.endswith(quote)
    if not enclosed:
        if pieces > 1:
            return _REPAIR_COST_LIMIT
        return 1.0 if text.startswith(quote) or text.endswith(quote) else 0.4
    inner = text[1:-1].replace(quote * 2, "")
    if dialect.escape:
        inner = inner.replace(dialect.escape + quote, "")
    if quote not in inner:
        return 0.0
    if pieces > 1 and f"{quote}{dialect.delimiter}{quote}" in inner:
        return _REPAIR_COST_LIMIT
    return 0.6 + 0.1 * inner.count(quote) + (0.3 if pieces > 1 else 0.0)


def _unquote(group: str, dialect: Dialect) -> str:
    quote = dialect.quote
    text = group.strip(" ")
    if not quote or len(text) < 2 or not (text.startswith(quote) and text.endswith(quote)):
        return group
    inner = text[1:-1].replace(quote * 2, quote)
    return inner.replace(dialect.escape + quote, quote) if dialect.escape else inner


def by_other_delimiter(text: str, dialect: Dialect, width: int, *, labels: bool = False) -> list[str] | None:
    """Read a line that was written with another delimiter than the rest of the file, into `width` cells.

    Blanks cut words as well as cells: what they cut must hold a value, unless `labels` are sought.
    """
    if width < 2 or (dialect.delimiter and text.count(dialect.delimiter) * 2 >= width):
        return None
    for delimiter in _OTHER_DELIMITERS:
        if delimiter == dialect.delimiter or text.count(delimiter) < width - 1:
            continue
        scanner = _Scanner(Dialect(delimiter, dialect.quote))
        if not scanner.feed(text) or len(scanner.cells) != width:
            continue
        if delimiter != " " or labels or any(is_value(cell) for cell in scanner.cells):
            return scanner.cells
    return None
