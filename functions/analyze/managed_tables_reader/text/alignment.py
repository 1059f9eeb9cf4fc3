"""Cut columns separated by runs of blanks, where no cell contains a blank."""

import re
from collections.abc import Iterable, Iterator, Sequence

from managed_tables_reader.layout.looks import look
from managed_tables_reader.rows.writer import QUOTE
from managed_tables_reader.text.untabular import FEWEST_LINES, MAX_LINES, RUN_OF_BLANKS

_VALUES = 0.8  # least share of values in a column of values
_DELIMITER = re.compile(rf"[;\t|{QUOTE}]|,(?!\d)|(?<!\d),")


def is_cut_by_runs(sample: Sequence[str]) -> bool:
    """Return whether all lines have the same number of words (R omits a label), mostly values by column."""
    lines = [line.strip() for line in sample if not line.isspace()][:MAX_LINES]
    text = "\n".join(lines)
    if len(lines) < FEWEST_LINES or not RUN_OF_BLANKS.search(text) or _DELIMITER.search(text):
        return False
    labels, *rows = map(str.split, lines)
    [width, *others] = {*map(len, rows)}
    if others or width == 1 or not _may_label(labels, rows):
        return False
    values = [sum(look(word).is_value for word in column) for column in zip(*rows, strict=True)]
    return sum(count >= _VALUES * len(rows) for count in values) * 2 > width


def _may_label(labels: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Return whether words may label all columns, or all but the one of R's row names."""
    if len(labels) == len(rows[0]):
        # Values above two columns: in fact one column without a label, whose values contain blanks.
        return len(labels) > 2 or not any(look(one).is_value for one in labels)
    names = [row[0] for row in rows]
    are_names = names == [*map(str, range(1, len(rows) + 1))] or not any(look(one).is_value for one in names)
    return len(labels) == len(rows[0]) - 1 and are_names


class UnevenError(Exception):
    """A line has more or fewer words than those before it: which word is missing is unknown."""


def collapse(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines with a tab for each run of blanks; UnevenError if their numbers of words differ."""
    widths: set[int] = set()
    for number, line in enumerate(lines):
        body = line.rstrip("\r\n")
        words = body.split()
        if words and number:  # the labels may be one fewer
            widths.add(len(words))
        if len(widths) > 1:
            raise UnevenError
        yield "\t".join(words) + line[len(body) :]
