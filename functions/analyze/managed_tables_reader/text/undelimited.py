"""Recognise text that no delimiter cuts: prose, and columns that only blanks align.

These are cut where no cell contains a blank, and refused otherwise.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from managed_tables_reader.layout.looks import look
from managed_tables_reader.rows.separators import is_separator
from managed_tables_reader.rows.writer import QUOTE

_TABLE_SUFFIXES = (".csv", ".tsv", ".tab")  # such a name means a table, even one of sentences
_ABOUT_FILES = re.compile(r"(?i)(?:leia|read)[-_ ]?me(?:\W.*)?|licen[cs][ae]|licença|changelog")
_SENTENCE_WORDS = 5
_SENTENCE_ENDS = (".", ":", ";", ",", "!", "?")
_MAX_LINES = 300  # of the sample
_FEWEST_LINES = 3  # that show a pattern
_FEWEST_ALIGNED = 2
_ALIGNED = 0.9  # least share of lines with the usual number of cells
_RUN_OF_BLANKS = re.compile(" {2,}")
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d)")
_VALUES = 0.8  # least share of values in a column of values
_DELIMITER = re.compile(rf"[;\t|{QUOTE}]|,(?!\d)|(?<!\d),")


def is_prose(name: str, lines: Sequence[str]) -> bool:
    """Return whether most lines are sentences, or the file's name says that it is about the others.

    The other lines are titles and the ends of paragraphs.
    """
    path = PurePosixPath(name.removesuffix(".gz"))
    if path.suffix.lower() in _TABLE_SUFFIXES:
        return False
    filled = [*filter(None, map(str.split, lines))]
    sentences = [words for words in filled if len(words) >= _SENTENCE_WORDS]
    is_mostly = len(sentences) * 2 >= len(filled) and any(
        one[-1].endswith(_SENTENCE_ENDS) for one in sentences
    )
    return is_mostly or _ABOUT_FILES.fullmatch(path.stem) is not None


def is_aligned(lines: Sequence[str], delimiter: str) -> bool:
    """Return whether runs of blanks align the columns (fixed width) and no delimiter cuts them better.

    Titles may precede the first aligned line; a comma between digits counts as a decimal mark.
    """
    plain = (line.rstrip("\r\n\x1a") for line in lines if not line.startswith("#"))
    sample = [line for line in filter(str.strip, plain) if not is_separator((line,))][:_MAX_LINES]
    if len(sample) < _FEWEST_ALIGNED or delimiter in (";", "\t", "|"):
        return False
    widths = [len(_RUN_OF_BLANKS.split(line.strip())) for line in sample]
    width = Counter(widths).most_common(1)[0][0]
    first = widths.index(width)
    cut = sample[first:]
    signs = (
        width > 1,
        widths.count(width) >= _ALIGNED * len(cut),
        first == 0 or " " in "".join(sample[:first]),  # one word is the label of a single column
        not delimiter.strip() or delimiter not in _DECIMAL_COMMA.sub("", cut[0]),
    )
    return all(signs)


def is_cut_by_runs(sample: Sequence[str]) -> bool:
    """Return whether all lines have the same number of words (R omits a label), mostly values by column."""
    lines = [line.strip() for line in sample if not line.isspace()][:_MAX_LINES]
    text = "\n".join(lines)
    if len(lines) < _FEWEST_LINES or not _RUN_OF_BLANKS.search(text) or _DELIMITER.search(text):
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
