"""Recognise text files that hold no table: prose, and columns that only blanks align."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from managed_tables_reader.rows.separators import is_separator

_TABLE_SUFFIXES = (".csv", ".tsv", ".tab")  # such a name means a table, even one of sentences
_ABOUT_FILES = re.compile(r"(?i)(?:leia|read)[-_ ]?me(?:\W.*)?|licen[cs][ae]|licença|changelog")
_SENTENCE_WORDS = 5
_SENTENCE_ENDS = (".", ":", ";", ",", "!", "?")
MAX_LINES = 300  # of the sample
FEWEST_LINES = 3  # that show a pattern
_FEWEST_ALIGNED = 2
_ALIGNED = 0.9  # least share of lines with the usual number of cells
RUN_OF_BLANKS = re.compile(" {2,}")
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d)")


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
    sample = [line for line in filter(str.strip, plain) if not is_separator((line,))][:MAX_LINES]
    if len(sample) < _FEWEST_ALIGNED or delimiter in (";", "\t", "|"):
        return False
    widths = [len(RUN_OF_BLANKS.split(line.strip())) for line in sample]
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
