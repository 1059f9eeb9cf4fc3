"""Tables whose cells any number of blanks part, as programs print numbers: no cell has a blank in it."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import dropwhile

from managed_tables_analyze.layout.drawn import is_rule
from managed_tables_analyze.layout.looks import look
from managed_tables_analyze.text.dialect import QUOTE, Dialect

_MAX_LINES = 300  # of the sample
_FEWEST_LINES = 3
_VALUES = 0.8  # share of values that makes a column one of values
_DELIMITER = re.compile(rf"[;\t|{QUOTE}]|,(?!\d)|(?<!\d),")
_RUN = "  "
_BLANK_RUN = re.compile(" {2,}")
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d)")
_FEWEST_BLANKS = 3  # of a line of prose
_SENTENCE_ENDS = (".", "!", "?", ":", ".)", '."')
_FIXED_WIDTH = 80  # characters from which lines of one length are records without delimiters


def is_cut_by_runs(sample: Sequence[str]) -> bool:
    """Return whether all lines have as many words, most in columns of values; R has no label for its rows."""
    lines = [line.rstrip("\r\n") for line in sample if line.strip()][:_MAX_LINES]
    if len(lines) < _FEWEST_LINES or any(map(_DELIMITER.search, lines)):
        return False
    if not any(_RUN in line.strip() for line in lines[1:]):
        return False
    labels, *rows = [line.split() for line in lines]
    lengths = {len(words) for words in rows}
    if len(lengths) > 1 or lengths == {1} or not _may_label(labels, rows):
        return False
    typed = Counter(column for words in rows for column, word in enumerate(words) if look(word).is_value)
    return sum(count >= _VALUES * len(rows) for count in typed.values()) * 2 > len(rows[0])


def _may_label(labels: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Return whether words may be the labels of rows of words."""
    width = len(rows[0])
    if len(labels) == width - 1:
        return _are_row_names([words[0] for words in rows])
    # Values above two columns: a single column, without a label, of values with blanks in them.
    return len(labels) == width and not (width == 2 and any(look(one).is_value for one in labels))


def _are_row_names(words: Sequence[str]) -> bool:
    """Return whether words may be names that R gave to rows: words, or the rows' own numbers."""
    numbers = [str(number) for number in range(1, len(words) + 1)]
    return list(words) == numbers or not any(look(one).is_value for one in words)


class UnevenError(Exception):
    """A line has another number of words than those before: which is missing cannot be told."""


def collapse(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines with a tab for each run of blanks; UnevenError where one is not cut as the others."""
    widths: set[int] = set()
    for number, line in enumerate(lines):
        body = line.rstrip("\r\n")
        words = body.split()
        if words and number:  # the labels may be one fewer
            widths.add(len(words))
        if len(widths) > 1:
            raise UnevenError
        yield "\t".join(words) + line[len(body) :]


def is_aligned(lines: Sequence[str], dialect: Dialect) -> bool:
    """Return whether runs of blanks align the columns (fixed width), and no delimiter cuts them better.

    Titles may stand above the first aligned line; a comma between digits is the mark of decimals there.
    """
    if not dialect.delimiter and _is_fixed_width(lines):
        return True
    sample = [line.strip() for line in plain_lines(lines)]
    if len(sample) < 2 or dialect.delimiter in (";", "\t", "|"):
        return False
    widths = [len(_BLANK_RUN.split(line)) for line in sample]
    width = Counter(widths).most_common(1)[0][0]
    first = widths.index(width)
    if first and not any(" " in line for line in sample[:first]):
        return False  # the label of a single column, whose cells have blanks in them
    if width < 2 or widths[first:].count(width) * 10 < len(widths[first:]) * 9:
        return False
    plain = _DECIMAL_COMMA.sub("", sample[first])
    return dialect.delimiter in ("", " ") or dialect.delimiter not in plain


def _is_fixed_width(lines: Sequence[str]) -> bool:
    """Return whether all lines are equally long, and too long to be the words or codes of one column."""
    sample = [line.rstrip("\r\n\x1a") for line in lines if line.strip("\r\n\x1a")]
    lengths = set(map(len, sample))
    return len(sample) > 2 and len(lengths) == 1 and min(lengths) >= _FIXED_WIDTH and " " in sample[0]


def plain_lines(lines: Sequence[str]) -> list[str]:
    """Return the lines that count: neither blank nor drawn, nor comments above the table."""
    sample = [line for line in lines if line.strip()][:_MAX_LINES]
    sample = [line for line in sample if not is_rule((line,))] or sample
    return list(dropwhile(lambda line: line.startswith("#"), sample)) or sample


def is_prose(lines: Sequence[str]) -> bool:
    """Return whether lines are sentences, the first of them too: no table has a header like that."""
    sample = [line.strip() for line in lines if line.strip()][:_MAX_LINES]
    words = [line.count(" ") >= _FEWEST_BLANKS for line in sample]
    ends = sum(line.endswith(_SENTENCE_ENDS) for line in sample)
    return len(sample) > 1 and all(words) and ends * 2 > len(sample)
