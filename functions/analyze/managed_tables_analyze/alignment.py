"""Owns tables whose cells any number of blanks part, as programs print numbers: no cell has a blank in it."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from managed_tables_analyze.cells import is_value
from managed_tables_analyze.dialect import QUOTE

_MAX_LINES = 300  # of the sample
_FEWEST_LINES = 3
_VALUES = 0.8  # share of values that makes a column one of values
_DELIMITER = re.compile(rf"[;\t|{QUOTE}]|,(?!\d)|(?<!\d),")
_RUN = "  "


def is_cut_by_runs(sample: Sequence[str]) -> bool:
    """Tell whether all lines have as many words, most in columns of values; R has no label for its rows."""
    lines = [line.rstrip("\r\n") for line in sample if line.strip()][:_MAX_LINES]
    if len(lines) < _FEWEST_LINES or not any(_RUN in line.strip() for line in lines[1:]):
        return False
    if any(map(_DELIMITER.search, lines)):
        return False
    labels, *rows = [line.split() for line in lines]
    width = len(rows[0])
    if width < 2 or any(len(words) != width for words in rows) or len(labels) not in (width, width - 1):
        return False
    if len(labels) < width and not _are_row_names([words[0] for words in rows]):
        return False
    if len(labels) == width == 2 and any(map(is_value, labels)):
        return False  # a single column, without a label, of values with blanks in them
    typed = Counter(column for words in rows for column, word in enumerate(words) if is_value(word))
    return sum(count >= _VALUES * len(rows) for count in typed.values()) * 2 > width


def _are_row_names(words: Sequence[str]) -> bool:
    """Tell whether words may be names that R gave to rows: words, or the rows' own numbers."""
    numbers = [str(number) for number in range(1, len(words) + 1)]
    return list(words) == numbers or not any(map(is_value, words))


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
