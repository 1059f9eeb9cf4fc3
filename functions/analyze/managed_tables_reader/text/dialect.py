"""Describe how a text is cut into cells, and cut a record line by line by the strict grammar."""

import re
from dataclasses import dataclass
from functools import lru_cache

from managed_tables_reader.rows.writer import QUOTE

NO_QUOTE = "\ufdd2"  # a noncharacter, absent from any text: nothing is quoted


@dataclass(frozen=True)
class Dialect:
    """The delimiter (of any length; empty for a single column), the quote and the escape (empty for none).

    A doubled quote inside quotes is one quote; `escape` is `\\` if the file writes `\\"` instead.
    """

    delimiter: str = ","
    quote: str = QUOTE
    escape: str = ""

    def split(self, text: str) -> list[str]:
        """Cut text without quotes into cells."""
        return text.split(self.delimiter) if self.delimiter else [text]


class Scanner:
    """Cuts a record by the strict grammar; `cells`: those so far; `malformed`: text follows a closing quote.

    `stray`: a cell that does not begin with a quote contains one.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._opening, self._quoted = _patterns(dialect)
        self._opened: list[str] | None = None  # the text of a quoted cell so far
        self.cells: list[str] = []
        self.malformed = False
        self.stray = False

    def feed(self, line: str) -> bool:
        """Read one line; return whether the record is complete."""
        end = len(line.rstrip("\r\n"))
        position = 0
        while position >= 0:
            if self._opened is not None:
                position = self._take_quoted(self._opened, line, position)
            elif opening := self._opening.match(line, position, end):
                self._opened = []
                position = opening.end()
            else:
                position = self._take_plain(line, position, end)
        return self._opened is None

    def _take_plain(self, line: str, position: int, end: int) -> int:
        """Take a cell without quotes; return where the next one begins, -1 at the end of the line."""
        delimiter = self._dialect.delimiter
        stop = line.find(delimiter, position, end) if delimiter else -1
        cell = line[position : end if stop < 0 else stop]
        self.stray = self.stray or self._dialect.quote in cell
        self.cells.append(cell)
        return -1 if stop < 0 else stop + len(delimiter)

    def _take_quoted(self, opened: list[str], line: str, position: int) -> int:
        """Continue a quoted cell; return where the next one begins, -1 at the end of the line."""
        found = self._quoted.match(line, position)
        assert found is not None  # noqa: S101 - it matches the empty text
        text, quote, edge = found.groups()
        opened.append(text)
        self.malformed = quote is not None and edge is None
        if edge is None:
            return -1
        self.cells.append(unescape("".join(opened), self._dialect))
        self._opened = None
        return found.end() if edge.strip("\r\n") else -1


@lru_cache
def _patterns(dialect: Dialect) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the patterns of a quoted cell's opening, and of its text up to the next edge."""
    quote, edge = re.escape(dialect.quote), re.escape(dialect.delimiter) or "(?!)"
    blanks = "" if dialect.delimiter == " " else " *+"
    others = rf"[^{quote}\\]++|\\.|\\" if dialect.escape else rf"[^{quote}]++"
    quoted = rf"((?:{others}|{quote}{quote})*+)(?:({quote})(?:{blanks}({edge}|[\r\n]*\Z))?)?"
    return re.compile(blanks + quote), re.compile(quoted, re.DOTALL)


def unquote(cell: str, dialect: Dialect) -> str:
    """Return the text of a cell without its quotes."""
    text = cell.strip(" ")
    if len(text) < 2 or not (text.startswith(dialect.quote) and text.endswith(dialect.quote)):
        return cell
    return unescape(text[1:-1], dialect)


def unescape(text: str, dialect: Dialect) -> str:
    """Return quoted text with the quotes inside it unescaped."""
    quote = dialect.quote
    if not dialect.escape:
        return text.replace(quote * 2, quote)
    return re.sub(rf"\\([{re.escape(quote)}\\])|{re.escape(quote)}({re.escape(quote)})", r"\1\2", text)
