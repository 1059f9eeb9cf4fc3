"""Describe how a text is cut into records and cells, and propose the dialects worth trying."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from managed_tables_reader.layout import weights
from managed_tables_reader.rows.writer import QUOTE

BACKSLASH = "\\"
NO_QUOTE = "\ufdd2"  # a noncharacter, absent from any text: nothing is quoted
_HINT = re.compile(r"\ufeff?\"?sep=(.+?)\"?[\r\n]*", re.IGNORECASE)


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


def find_hint(lines: Sequence[str]) -> str | None:
    """Return the delimiter that Excel's `sep=` line names, None without such a line."""
    match = _HINT.fullmatch(lines[0]) if lines else None
    return match[1] if match else None


def propose_dialects(lines: Sequence[str], stated: str | None = None) -> Iterator[tuple[Dialect, float]]:
    """Yield each dialect worth trying, with its prior in bits; only those of a stated delimiter."""
    text = "".join(lines)
    for delimiter, bits in weights.DELIMITERS.items() if stated is None else [(stated, 0.0)]:
        pair = delimiter * 2
        is_half = pair in weights.DELIMITERS and text.count(delimiter) == 2 * text.count(pair)
        if stated is None and delimiter and (delimiter not in text or is_half):
            continue
        for quote in _quotes(text, delimiter):
            dialect = _with_escape(Dialect(delimiter, quote), text)
            spaced = dialect if stated is not None else _with_blank(dialect, text)
            yield spaced, bits + (weights.APOSTROPHE if quote != QUOTE else 0.0)


def _with_blank(dialect: Dialect, text: str) -> Dialect:
    """Add a blank to the delimiter if one follows it everywhere."""
    delimiter = dialect.delimiter
    if len(delimiter) != 1 or delimiter.isspace():
        return dialect
    unquoted = re.sub(rf"{dialect.quote}[^{dialect.quote}\r\n]*{dialect.quote}", "", text)
    count = unquoted.count(delimiter)
    if count and unquoted.count(delimiter + " ") == count:
        return replace(dialect, delimiter=delimiter + " ")
    return dialect


def _quotes(text: str, delimiter: str) -> list[str]:
    """Return the quotes to try: also `'` if it encloses cells more than twice as often as `"`."""
    counts = {}
    for quote in (QUOTE, "'"):
        edge = re.escape(delimiter) or "(?!)"
        opening = len(re.findall(rf"(?:^|{edge}) *{quote}", text, re.MULTILINE))
        closing = len(re.findall(rf"{quote} *(?:[\r\n]|$|{edge})", text, re.MULTILINE))
        counts[quote] = min(opening, closing)
    return [QUOTE, "'"] if counts["'"] > 2 * counts[QUOTE] else [QUOTE]


def _with_escape(dialect: Dialect, text: str) -> Dialect:
    """Add the backslash as escape if it stands before quotes inside cells more often than a quote does."""
    if BACKSLASH + dialect.quote not in text:
        return dialect
    escaped = replace(dialect, escape=BACKSLASH)
    edge = re.escape(dialect.delimiter) or "(?!)"
    quote = dialect.quote
    inside = len(re.findall(rf"\\{quote}(?!{edge}|[\r\n]|$)", text, re.MULTILINE))
    doubled = len(re.findall(rf"(?<!{edge}){quote}{quote}(?!{edge}|[\r\n]|$)", text, re.MULTILINE))
    return escaped if inside > doubled else dialect
