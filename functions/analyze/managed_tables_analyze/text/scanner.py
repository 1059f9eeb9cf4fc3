"""The strict grammar of one record, fed line by line, and what is made of a line that does not keep to it."""

from managed_tables_analyze.text.dialect import BACKSLASH, Dialect

_MAX_PIECES = 400  # joining is quadratic in pieces
MALFORMED = 3.0  # the oddity of what is no cell


class Scanner:
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
    """Return whether the quote at `position` follows an odd number of backslashes."""
    before = line[start:position]
    return (len(before) - len(before.rstrip(BACKSLASH))) % 2 == 1


def lenient(text: str, dialect: Dialect) -> list[str]:
    """Cut at every delimiter that is not inside a plausible pair of quotes."""
    cells: list[str] = []
    pieces = dialect.split(text)
    position = 0
    while position < len(pieces):
        stop = position + 1
        if pieces[position].lstrip(" ").startswith(dialect.quote):
            for candidate in range(position + 1, min(len(pieces), position + _MAX_PIECES) + 1):
                group = dialect.delimiter.join(pieces[position:candidate])
                if oddity(group, dialect) == 0:
                    stop = candidate
                    break
        cells.append(unquote(dialect.delimiter.join(pieces[position:stop]), dialect))
        position = stop
    return cells


def oddity(group: str, dialect: Dialect, pieces: int = 1) -> float:
    """Say how odd a cell would be: 0 well formed, 1 one stray quote, infinite where pieces do not belong."""
    quote = dialect.quote
    if quote not in group:
        return 0.0 if pieces == 1 else MALFORMED
    text = group.strip(" ")
    enclosed = len(text) >= 2 and text.startswith(quote) and text.endswith(quote)
    if not enclosed:
        if pieces > 1:
            return MALFORMED
        return 1.0 if text.startswith(quote) or text.endswith(quote) else 0.4
    inner = text[1:-1].replace(quote * 2, "")
    if dialect.escape:
        inner = inner.replace(dialect.escape + quote, "")
    if quote not in inner:
        return 0.0
    if pieces > 1 and f"{quote}{dialect.delimiter}{quote}" in inner:
        return MALFORMED
    return 0.6 + 0.1 * inner.count(quote) + (0.3 if pieces > 1 else 0.0)


def unquote(group: str, dialect: Dialect) -> str:
    """Return the text of a cell without its quotes."""
    quote = dialect.quote
    text = group.strip(" ")
    if not quote or len(text) < 2 or not (text.startswith(quote) and text.endswith(quote)):
        return group
    inner = text[1:-1].replace(quote * 2, quote)
    return inner.replace(dialect.escape + quote, quote) if dialect.escape else inner
