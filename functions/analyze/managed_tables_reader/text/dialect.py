"""Describe how a text is cut into cells, and cut a record by the strict grammar."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from managed_tables_reader.rows.parts import QUOTE

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

    def scan(self, line: str, take: Callable[[], str | None] = lambda: None) -> tuple[list[str] | None, bool]:
        """Cut a record by the strict grammar: return its cells, and whether an unquoted one has a quote.

        The cells are None if text follows a closing quote, or a quote is still open where `take`, which gives
        the next line, gives none.
        """
        opening, quoted = _patterns(self)
        cells: list[str] = []
        position, end, stray = 0, len(line.rstrip("\r\n")), False
        while position >= 0:
            if opened := opening.match(line, position, end):
                cell, last, position = self._scan_quoted(quoted, line, opened.end(), take)
                if cell is None:
                    return None, stray
                if last is not line:
                    line, end = last, len(last.rstrip("\r\n"))
            else:
                stop = line.find(self.delimiter, position, end) if self.delimiter else -1
                cell = line[position : end if stop < 0 else stop]
                stray = stray or self.quote in cell
                position = -1 if stop < 0 else stop + len(self.delimiter)
            cells.append(cell)
        return cells, stray

    def _scan_quoted(
        self, quoted: re.Pattern[str], line: str, position: int, take: Callable[[], str | None]
    ) -> tuple[str | None, str, int]:
        """Return a quoted cell's text, the line that ends it, and where the next begins (-1: nowhere)."""
        texts = []
        following: str | None = line
        while following is not None:
            line = following
            found = quoted.match(line, position)
            assert found is not None  # noqa: S101 - it matches the empty text
            text, quote, edge = found.groups()
            texts.append(text)
            if edge is not None:
                return self.unescape("".join(texts)), line, found.end() if edge.strip("\r\n") else -1
            following, position = None if quote else take(), 0
        return None, line, -1

    def unquote(self, cell: str) -> str:
        """Return the text of a cell without its quotes."""
        text = cell.strip(" ")
        is_quoted = len(text) > 1 and text.startswith(self.quote) and text.endswith(self.quote)
        return self.unescape(text[1:-1]) if is_quoted else cell

    def unescape(self, text: str) -> str:
        """Return quoted text with the quotes inside it unescaped."""
        if not self.escape:
            return text.replace(self.quote * 2, self.quote)
        quote = re.escape(self.quote)
        return re.sub(rf"\\([{quote}\\])|{quote}({quote})", r"\1\2", text)


@lru_cache
def _patterns(dialect: Dialect) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the patterns of a quoted cell's opening, and of its text up to the next edge."""
    quote, edge = re.escape(dialect.quote), re.escape(dialect.delimiter) or "(?!)"
    blanks = "" if dialect.delimiter == " " else " *+"
    others = rf"[^{quote}\\]++|\\.|\\" if dialect.escape else rf"[^{quote}]++"
    quoted = rf"((?:{others}|{quote}{quote})*+)(?:({quote})(?:{blanks}({edge}|[\r\n]*\Z))?)?"
    return re.compile(blanks + quote), re.compile(quoted, re.DOTALL)
