"""Owns the choice of a dialect from a sample of a file's lines.

Every candidate reads the sample; the one whose records agree best on a number of cells, and whose cells
look most like values, wins (the measure of CleverCSV: pattern score times type score, van den Burg et al.,
"Wrangling messy CSV files by detecting row and type patterns", 2019, adapted).
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import dropwhile

from managed_tables_analyze.cells import is_rule, is_value, value_class
from managed_tables_analyze.dialect import BACKSLASH, QUOTE, Dialect
from managed_tables_analyze.records import Lines, Record, RecordReader

_SAMPLE_LINES = 300
_SAMPLE_CELLS = 4_000  # whose type is looked at
_MAX_LINE = 1_000_000  # characters of a line that are looked at

# Each candidate with its weight: how readily people use it.
_USUAL = {",": 1.0, ";": 1.0, "\t": 1.0, "|": 1.0}
_RARE = {
    **dict.fromkeys(("||", "::", "~|~", "|~|", "\x1f", "\x01"), 0.99),
    **dict.fromkeys(("^", "~", "\x1e", "¦", "§"), 0.9),
    **dict.fromkeys((":", " ", "@"), 0.6),
    **dict.fromkeys(("!", "&", "*", "+", "?"), 0.4),
}
_UNUSUAL_IN_TEXT = (";", "\t", "|")
_SHORTEST_RUN = 3  # records of one length one after another
_RARE_AGREEMENT = 0.8  # share of records of one length without which a rare delimiter is a coincidence
_FEWEST_BY_AT = 4  # cells that `@` parts: fewer may be e-mail addresses
_FIXED_WIDTH = 80  # characters from which lines of one length are records without delimiters
_RARE_MALFORMED = 0.05  # share of records with stray quotes beyond which it is one, too
_VALUES = 0.8  # share of values that makes a column, or the lines as a whole, one of values
_QUOTES = {QUOTE: 1.0, "'": 0.98}  # an apostrophe alone in a cell is no quote: it must fit better
_BLANK_RUN = re.compile(" {2,}")
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d)")
_HINT = re.compile(r"\ufeff?\"?sep=(.+?)\"?[\r\n]*", re.IGNORECASE)
_REMARK = re.compile(r'#[\s#][^"]*$')
_PAIR = re.compile(r"-?\d+,-?\d+")
_TYPE_SCORES = {"null": 0.6, "text": 0.35}  # against 1 for a value; an empty cell says little


def find_hint(line: str) -> str | None:
    """Return the delimiter that Excel's `sep=` line names."""
    match = _HINT.fullmatch(line)
    return match.group(1) if match else None


def sniff(lines: Sequence[str]) -> Dialect:
    """Choose the dialect of the sample (whole lines with their ends, from the start of the file)."""
    sample = _plain_lines(lines)
    if not sample:
        return Dialect()
    text = "".join(sample)
    hint = find_hint(sample[0])
    if hint:
        return complete_dialect(lines, hint)
    best, best_score = Dialect("", QUOTE), 0.0
    for delimiter, weight in (_USUAL | _RARE).items():
        if delimiter not in text or _is_part_of_longer(delimiter, text):
            continue
        for quote in _quotes(text, delimiter):
            dialect = _with_escape(Dialect(delimiter, quote), sample)
            score = weight * _QUOTES[quote] * _score(sample, dialect)
            if score > best_score + 1e-9:
                best, best_score = dialect, score
    return _with_blank(best, text)


def complete_dialect(lines: Sequence[str], delimiter: str) -> Dialect:
    """Choose quote and escape of a sample whose delimiter is known."""
    sample = _plain_lines(lines)
    return _with_escape(Dialect(delimiter, _quotes("".join(sample), delimiter)[-1]), sample)


def is_aligned(lines: Sequence[str], dialect: Dialect) -> bool:
    """Tell whether runs of blanks align the columns (fixed width), and no delimiter cuts them better.

    Titles may stand above the first aligned line; a comma between digits is the mark of decimals there.
    """
    if not dialect.delimiter and _is_fixed_width(lines):
        return True
    sample = [line.strip() for line in _plain_lines(lines)]
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
    """Tell whether all lines are equally long, and too long to be the words or codes of one column."""
    sample = [line.rstrip("\r\n\x1a") for line in lines if line.strip("\r\n\x1a")]
    lengths = set(map(len, sample))
    return len(sample) > 2 and len(lengths) == 1 and min(lengths) >= _FIXED_WIDTH and " " in sample[0]


def _with_blank(dialect: Dialect, text: str) -> Dialect:
    """Take the blank after every delimiter for a part of it."""
    delimiter = dialect.delimiter
    if len(delimiter) != 1 or delimiter.isspace():
        return dialect
    unquoted = re.sub(rf"{dialect.quote}[^{dialect.quote}]*{dialect.quote}", "", text)
    count = unquoted.count(delimiter)
    if count and unquoted.count(delimiter + " ") == count:
        return replace(dialect, delimiter=delimiter + " ")
    return dialect


def _plain_lines(lines: Sequence[str]) -> list[str]:
    """Return the lines that count: neither blank nor drawn, nor comments.

    Below the first that is none a `#` may begin a value, too.
    """
    sample = [line[:_MAX_LINE] for line in lines if line.strip()][:_SAMPLE_LINES]
    sample = [line for line in sample if not is_rule((line,))] or sample
    plain = dropwhile(lambda line: line.startswith("#"), sample)
    return [line for line in plain if not _REMARK.match(line)] or sample


def _is_part_of_longer(delimiter: str, text: str) -> bool:
    """Tell whether the character only ever occurs doubled: then the pair is the delimiter."""
    return len(delimiter) == 1 and text.count(delimiter) == 2 * text.count(delimiter * 2) and delimiter != " "


def _quotes(text: str, delimiter: str) -> list[str]:
    """Return the quotes to try: `'` too where it stands at the edges of cells more often than `"`."""
    counts = {}
    for quote in _QUOTES:
        edge = re.escape(delimiter)
        opening = len(re.findall(rf"(?:^|{edge}) *{quote}", text, re.MULTILINE))
        closing = len(re.findall(rf"{quote} *(?:[\r\n]|$|{edge})", text, re.MULTILINE))
        counts[quote] = min(opening, closing)
    return [QUOTE, "'"] if counts["'"] > 2 * counts[QUOTE] else [QUOTE]


def _with_escape(dialect: Dialect, sample: Sequence[str]) -> Dialect:
    """Add the backslash as escape where reading with it goes wrong less often."""
    if not any(BACKSLASH + dialect.quote in line for line in sample):
        return dialect
    escaped = replace(dialect, escape=BACKSLASH)
    edge = re.escape(dialect.delimiter)
    text = "".join(sample)
    quote = dialect.quote
    inside = len(re.findall(rf"\\{quote}(?!{edge}|[\r\n]|$)", text, re.MULTILINE))
    doubled = len(re.findall(rf"(?<!{edge}){quote}{quote}(?!{edge}|[\r\n]|$)", text, re.MULTILINE))
    return escaped if inside > doubled else dialect


def _score(sample: Sequence[str], dialect: Dialect) -> float:
    found = [record for record in RecordReader(Lines(iter(sample)), dialect) if record.cells]
    records = [record.cells for record in found]
    if not records or _cuts_values(sample, dialect.delimiter):
        return 0.0
    if dialect.delimiter in _RARE and not _is_deliberate(found, dialect.delimiter):
        return 0.0
    if _cuts_text(sample, records, dialect) or not _holds_together(records, dialect.delimiter):
        return 0.0
    pattern = _pattern_score(records)
    return pattern * _type_score(records, dialect) if pattern > 0 else 0.0


def _cuts_values(sample: Sequence[str], delimiter: str) -> bool:
    """Tell whether the lines are values as they stand, which the delimiter would cut: `10:30`, `R$ 1,50`.

    Two whole numbers look like one with a decimal comma: then the first line tells, or the comma's company.
    """
    below = [line.strip() for line in sample[1:]] or [sample[0].strip()]
    if delimiter not in (",", *_RARE) or sum(map(is_value, below)) < _VALUES * len(below):
        return False
    if delimiter != ",":
        return True
    if "," not in sample[0]:
        return True
    return is_value(sample[0]) and not any(map(_PAIR.fullmatch, below))


def _is_deliberate(found: Sequence[Record], delimiter: str) -> bool:
    """Tell whether a rare delimiter cuts nearly all records alike and leaves their quotes whole.

    Blanks cut words as well as cells: they must cut the first line as often, and into a column of values.
    """
    records = [record.cells for record in found]
    malformed = sum(record.repaired for record in found)
    if malformed > _RARE_MALFORMED * len(found):
        return False
    if delimiter == "@" and max(map(len, records)) < _FEWEST_BY_AT:
        return False
    if _agreement(records) < _RARE_AGREEMENT and not (delimiter == " " and _are_words_cut(records)):
        return False
    return delimiter != " " or _are_values_cut(records)


def _are_words_cut(records: Sequence[Sequence[str]]) -> bool:
    """Tell whether blanks part quoted cells in nearly every line, and in some the words of another, too."""
    quoted = sum(any(" " in cell for cell in cells) for cells in records)
    return quoted >= _VALUES * len(records) and all(len(cells) >= len(records[0]) for cells in records)


def _are_values_cut(records: Sequence[Sequence[str]]) -> bool:
    width = Counter(map(len, records)).most_common(1)[0][0]
    if len(records[0]) != width and (width == 2 or len(records[0]) != width - 1):
        return False  # one label fewer has R, which numbers the rows
    below = [cells for cells in records[1:] if len(cells) == width] or records[:1]
    typed = sum(sum(is_value(cells[n]) for cells in below) >= _VALUES * len(below) for n in range(width))
    has_label = not any(map(is_value, records[0]))
    return typed == width if width == 2 and not has_label else typed > 0


def _cuts_text(sample: Sequence[str], records: Sequence[Sequence[str]], dialect: Dialect) -> bool:
    """Tell whether commas cut unquoted text in two below a line without any: `Cidade`, `Campinas, SP`."""
    if dialect.delimiter != "," or len(records[0]) > 1 or max(map(len, records)) > 2:
        return False
    quote = dialect.quote
    if any(f"{quote}," in line or f",{quote}" in line for line in sample):
        return False
    return all(value_class(cell) in ("text", "null") for cells in records[1:] for cell in cells)


def _holds_together(records: Sequence[Sequence[str]], delimiter: str) -> bool:
    """Tell whether the cuts make a table: most records are cut, or a long run of them into as many cells.

    Where the first line is not cut at all, only a run tells a title above a table from a single column.
    """
    lengths = [len(cells) for cells in records]
    run = longest = 0
    for number, length in enumerate(lengths):
        run = run + 1 if length > 1 and number and length == lengths[number - 1] else int(length > 1)
        longest = max(longest, run)
    if longest >= _SHORTEST_RUN and longest * 10 >= 3 * len(lengths):
        return True
    if lengths[0] == 1 and len(lengths) > 1:
        below = list(dropwhile(lambda length: length == 1, lengths))
        if delimiter in _UNUSUAL_IN_TEXT and below and min(below) >= _SHORTEST_RUN:
            return len(below) * 2 >= len(lengths)  # titles above rows some of which end early
        return len(set(lengths[1:])) == 1 < lengths[-1]
    return sum(length > 1 for length in lengths) * 2 >= len(lengths)


def _agreement(records: Sequence[Sequence[str]]) -> float:
    return Counter(len(cells) for cells in records).most_common(1)[0][1] / len(records)


def _pattern_score(records: Sequence[Sequence[str]]) -> float:
    """Reward many records of one length above one: 0 where nothing is cut, towards 1 where all agree."""
    counts = Counter(len(cells) for cells in records)
    total = len(records)
    score = 0.0
    for length, count in counts.items():
        score += (count / total) ** 2 * (length - 1) / length
    return score


def _type_score(records: Sequence[Sequence[str]], dialect: Dialect) -> float:
    """Return the mean likeness of cells to values; other delimiters inside a cell make it unlikely."""
    score, seen = 0.0, 0
    for cells in records:
        for cell in cells[:200]:
            score += _cell_score(cell, dialect)
            seen += 1
        if seen >= _SAMPLE_CELLS:
            break
    return score / seen


def _cell_score(cell: str, dialect: Dialect) -> float:
    kind = value_class(cell)
    if kind != "text":
        return _TYPE_SCORES.get(kind, 1.0)
    if any(delimiter in cell for delimiter in (";", "\t", "|") if delimiter != dialect.delimiter):
        return 0.1
    if dialect.quote in cell and cell.count(dialect.quote) % 2:
        return 0.1
    if len(cell) <= 40 and cell[:1].isalnum() and "," not in cell:
        return 0.7
    return _TYPE_SCORES["text"]
