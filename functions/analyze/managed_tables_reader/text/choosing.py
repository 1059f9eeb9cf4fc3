"""Choose how to cut a text's lines: each candidate is scored with its best layout."""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import dropwhile, groupby, pairwise, product, takewhile, zip_longest
from operator import attrgetter, itemgetter

from managed_tables_reader.files.source import Change
from managed_tables_reader.layout import weights
from managed_tables_reader.layout.grid import COMMENT, GridRow, is_sure_comment, make_grid
from managed_tables_reader.layout.looks import LIST_ENDS, TEXT, VALUES, look, text_bits
from managed_tables_reader.layout.score import Layout
from managed_tables_reader.layout.search import Grid, find_main, find_tables, narrow
from managed_tables_reader.rows.notes import is_separator
from managed_tables_reader.rows.parts import QUOTE
from managed_tables_reader.rows.reading import Overrides, Stated
from managed_tables_reader.text.dialect import NO_QUOTE, Dialect
from managed_tables_reader.text.mending import Mender
from managed_tables_reader.text.records import Lines, Record, RecordReader

_Way = tuple[Change | None, Dialect, float]  # the prior, in bits

_MOST_LINES = 120  # that are not blank, on which each dialect is tried
_LONGEST_LINE = 1_000_000
_MOST_CHARACTERS = 400_000
MAX_CELLS = 16_384  # of a record, empty ones at the end included: as many as a worksheet has
_IMPOSSIBLE = 1e9  # bits: a reading for want of another alone
_LABEL = re.compile(rf"\s*+[^\s,{LIST_ENDS}][^,{LIST_ENDS}]*+")  # what has a delimiter inside is two of them
_HINT = re.compile(r"\ufeff?\"?sep=(.+?)\"?[\r\n]*", re.IGNORECASE)
_WRAPPED = re.compile(r'"((?:[^"\r\n]|"")*+)"([\r\n]*)')
_DELIMITER = re.compile(rf"[;\t|{QUOTE}]|,(?!\d)|(?<!\d),")
_RUN_OF_BLANKS = re.compile(r"(?<=\S) {2,}(?=\S)")
_RUN = "\0"  # what stands for one: no text has it here
_WIDEST = 4_096  # characters: no aligned columns take more
_ODD_LINES = 10  # one in so many may be a title above aligned columns
_BEGUN = re.compile(rf'[,{LIST_ENDS}]"')  # where a cell that is quoted begins
_OPEN = re.compile(r'(?:[^"]*+"[^"]*+")*+[^"]*+(?<!\w)"[^"]*+')  # a text that does not end; 3/4" opens none


@dataclass(frozen=True)
class Choice:
    """A way to cut the lines: an optional change of the lines, then a dialect.

    `bits` is the cost of all tables and of the prior; `layout` is that of the largest table of `grid`.
    """

    change: Change | None
    dialect: Dialect
    grid: Grid
    layout: Layout
    bits: float
    first_line: int  # of the header, or of data if there is none
    data_line: int  # the first


def choose(lines: Sequence[str], overrides: Overrides, stated: Stated, *, is_whole: bool) -> list[Choice]:
    """Return the ways to cut the lines, best first; empty if there is nothing to cut."""
    first = _first_lines(lines)
    is_whole = is_whole and len(first) == len(lines)
    scored = (
        _score(_read(first, way), way, overrides, stated, is_whole=is_whole)
        for way in _candidates(first, overrides)
    )
    return sorted(filter(None, scored), key=attrgetter("bits"))


def _read(lines: Sequence[str], way: _Way) -> list[Record]:
    change, dialect, _ = way
    with suppress(UnevenError):
        return read_records([*(change(lines) if change else lines)], dialect, change)
    return []


def _score(
    records: Sequence[Record], way: _Way, overrides: Overrides, stated: Stated, *, is_whole: bool
) -> Choice | None:
    """Return a way to cut the lines with its best layout; None if it cuts none of them."""
    change, dialect, prior = way
    grid = Grid(grid_of(records), keeps_ends=True, is_whole=is_whole, known=overrides.known)
    if not grid.rows:
        return None
    grid, stated = narrow(grid, stated)
    tables = find_tables(grid, stated)
    place, layout = tables[find_main(tables, stated)]
    is_idle = layout.width == 1 and any(len(row.cells) > 1 for row in grid.rows)
    if is_idle and overrides.table.delimiter is None and not stated.header_line:  # it cuts no more than notes
        return None
    header, data = (grid.rows[min(place + one, len(grid.rows) - 1)] for one in (layout.first, layout.start))
    bits = prior + sum(one.total for _, one in tables) + weights.TABLE * (len(tables) - 1)
    bits += sum(text_bits(" ".join(one.cells)) for one in _comments(records))
    bits += _broken_bits(records, dialect)
    bits += _doubt_bits(way, layout, header, grid.rows[place]) - _list_bits(grid.rows[place:], layout)
    bits += _IMPOSSIBLE * _cuts_decimals(dialect.delimiter, header, grid.rows[place + layout.start :])
    return Choice(change, dialect, grid, layout, bits, header.number, data.number)


def _broken_bits(records: Iterable[Record], dialect: Dialect) -> float:
    """Return the bits of the records whose quotes are cut, as texts: nothing is cheaper for being cut there.

    A delimiter that cuts other lines well pays them once; so does "no delimiter", where a cell would begin.
    """
    odd = (one for one in records if one.repaired or one.stray or dialect.quote == NO_QUOTE)
    broken = (one for one in odd if one.repaired or any(map(_cuts_quotes, one.cells)))
    return sum(text_bits(dialect.delimiter.join(one.cells)) for one in broken)


def _cuts_quotes(cell: str) -> bool:
    """Return whether an unquoted cell has quotes that belong to a cell cut otherwise."""
    return _OPEN.fullmatch(cell) is not None or _BEGUN.search(cell) is not None


def _doubt_bits(way: _Way, layout: Layout, first: GridRow, top: GridRow) -> float:
    """Return the bits against a delimiter that also occurs in texts, judged by the columns that it gives."""
    change, dialect, _ = way
    has_header = layout.first < layout.start
    missing = layout.width - (first.extent if has_header else -1)
    if missing > 0 and layout.start and _cuts_one_column(change, top):
        return _IMPOSSIBLE
    if change is collapse:
        return weights.TEXTS_CUT * (sum(map(VALUES.__contains__, layout.kinds)) * 2 <= layout.width)
    if dialect.delimiter == " " and missing > 1:  # R writes no label above its row names
        return _IMPOSSIBLE if has_header or layout.first else weights.TEXTS_CUT
    is_short = missing > 0 or (dialect.delimiter.endswith(" ") and layout.first > 0)
    signs = (dialect.delimiter, has_header, is_short, {*layout.kinds} <= {TEXT, "boolean"})
    return weights.TEXTS_CUT * all(signs)


def _cuts_one_column(change: Change | None, top: GridRow) -> bool:
    """Return whether blanks would cut what the first row may label as a single column."""
    is_word = len(top.filled) == 1 and " " not in top.filled[0]
    return change is collapse or (change is align and is_word)


def _cuts_decimals(delimiter: str, header: GridRow, rows: Sequence[GridRow]) -> bool:
    """Return whether a comma cuts numbers in two that one label names: they are decimals."""
    is_cut = delimiter == "," and len(header.cells) == 1 and any(len(row.cells) > 1 for row in rows)
    return is_cut and all(look(",".join(cell or "" for cell in row.cells)).kind == "number" for row in rows)


def _list_bits(rows: Sequence[GridRow], layout: Layout) -> float:
    """Return the bits that an even table's texts save as lists at delimiters that no label has."""
    labels, body = rows[layout.first : layout.stop], rows[layout.start : layout.end]
    is_even = {len(row.cells) for row in (*labels, *body)} == {layout.width} != {1}
    if not labels or not is_even or any(one.odd for row in labels for one in row.looks):
        return 0.0
    ends = LIST_ENDS if any("," in cell for row in labels for cell in row.cells if cell) else LIST_ENDS + ","
    return sum(row.saved_by_lists(ends) for row in body)


def _first_lines(lines: Sequence[str]) -> list[str]:
    first: list[str] = []
    filled = size = 0
    for line in lines:
        if filled >= _MOST_LINES or (size > _MOST_CHARACTERS and filled > 2):
            break
        first.append(line[:_LONGEST_LINE])
        filled += bool(line.strip())
        size += len(line)
    return first


def _candidates(lines: Sequence[str], overrides: Overrides) -> Iterator[_Way]:
    hint = overrides.table.delimiter if overrides.table.delimiter is not None else find_hint(lines)
    for dialect, prior in propose_dialects(lines, hint):
        quote = dialect.quote if "quote" not in overrides.stated else overrides.table.quote or NO_QUOTE
        is_other = overrides.known.delimiter not in (None, dialect.delimiter)
        yield None, replace(dialect, quote=quote), prior + weights.OTHER_DELIMITER * is_other
    if hint is None:
        yield from _changed_lines(lines, has_quote="quote" in overrides.stated)


def _changed_lines(lines: Sequence[str], *, has_quote: bool) -> Iterator[_Way]:
    """Yield the ways that change the lines; a stated quote has a meaning in the lines as they are alone."""
    if any("  " in f" {line.rstrip()}" for line in lines):
        if not has_quote and not any(map(_DELIMITER.search, lines)):
            yield collapse, Dialect("\t", QUOTE), weights.RUNS_OF_BLANKS
        yield align, Dialect(_RUN, NO_QUOTE), weights.ALIGNED
    # One quoted cell with more than quotes in it.
    wrapped = sum(bool(found and found[1].strip(QUOTE)) for found in map(_WRAPPED.fullmatch, lines))
    if wrapped and not has_quote:
        for dialect, prior in propose_dialects(list(unwrap(lines))):
            if dialect.delimiter:
                yield unwrap, dialect, prior + weights.WRAPPED_LINE * wrapped


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
        for quote, escape in _quotes(text, delimiter):
            dialect = Dialect(delimiter, quote, escape)
            spaced = dialect if stated is not None else _with_blank(dialect, text)
            yield spaced, bits + (weights.APOSTROPHE if quote != QUOTE else 0.0)


def _quotes(text: str, delimiter: str) -> list[tuple[str, str]]:
    """Return each quote and escape to try: also `'` at the edges of cells, a backslash before a quote."""
    edge = re.escape(delimiter) or "(?!)"
    blanks = "" if delimiter == " " else " *"  # which a pattern would seek from each blank of a run again
    edges = (rf"(?:^|{edge}){blanks}'", rf"'{blanks}(?:[\r\n]|$|{edge})")
    quotes = (QUOTE, "'") if all(re.search(one, text, re.MULTILINE) for one in edges) else (QUOTE,)
    tried = product(quotes, ("", "\\"))
    return [(quote, escape) for quote, escape in tried if not escape or escape + quote in text]


def _with_blank(dialect: Dialect, text: str) -> Dialect:
    """Add a blank to the delimiter if one follows it everywhere."""
    delimiter = dialect.delimiter
    if len(delimiter) != 1 or delimiter.isspace():
        return dialect
    unquoted = re.sub(rf"{dialect.quote}[^{dialect.quote}\r\n]*{dialect.quote}", "", text)
    is_followed = unquoted.count(delimiter + " ") == unquoted.count(delimiter) > 0
    return replace(dialect, delimiter=delimiter + " ") if is_followed else dialect


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


def align(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines with a sign where blanks align nearly all of them; in others, for each run of blanks.

    Nothing if there is no such place.
    """
    rows = [line.rstrip() for line in lines]
    cuts = _find_cuts(rows)
    for row in rows if cuts else ():
        inside = cuts[: bisect_left(cuts, len(row))]
        if any(row[cut] != " " for cut in inside):
            yield _RUN_OF_BLANKS.sub(_RUN, row.lstrip())
        else:
            yield _RUN.join(row[start:stop].strip() for start, stop in pairwise([0, *inside, None]))


def _find_cuts(rows: Sequence[str]) -> list[int]:
    """Return a place, the emptiest, of each gap that nearly all rows have between their columns."""
    filled_rows = [row[:_WIDEST] for row in rows if row and not is_separator([row])]
    counts = [len(filled_rows) - column.count(" ") for column in zip_longest(*filled_rows, fillvalue=" ")]
    most = max(1, len(filled_rows) // _ODD_LINES)
    filled = [place for place, count in enumerate(counts) if count > most] or [0]
    places = groupby(range(min(filled), max(filled)), lambda place: counts[place] <= most)
    return [min(gap, key=counts.__getitem__) for is_gap, gap in places if is_gap]


def unwrap(lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines with their ends; a line that is one quoted cell loses its quotes.

    A CSV file that was saved from one column of a spreadsheet looks like this.
    """
    for line in lines:
        wrapped = _WRAPPED.fullmatch(line)
        yield wrapped[1].replace('""', '"') + wrapped[2] if wrapped else line


def read_records(
    lines: Sequence[str],
    dialect: Dialect,
    change: Change | None,
    mender: Mender | None = None,
    first_line: int = 1,
) -> list[Record]:
    """Return the records of lines, changed already, from `first_line` on and without the line of a hint."""
    skipped = max(1 if find_hint(lines) else 0, first_line - 1)
    reader = RecordReader(Lines(iter(lines[skipped:]), skipped), dialect, mender)
    return _with_row_names([*reader], may_be_words=change is collapse or dialect.delimiter == " ")


def _with_row_names(records: list[Record], *, may_be_words: bool) -> list[Record]:
    """Give the first record of several cells a blank label if it lacks R's, above the names of its rows."""
    labels, *rows = [one for one in records if len(one.cells) > 1] or [Record(0, [""])]
    is_short = {len(one.cells) for one in rows} == {len(labels.cells) + 1} and all(
        map(str.strip, labels.cells)
    )
    are_whole = labels.has_quotes or (may_be_words and all(map(_LABEL.fullmatch, labels.cells)))
    if is_short and are_whole and _are_named([one.cells for one in rows], may_be_words=may_be_words):
        labels.cells.insert(0, "")
    return records


def _are_named(rows: Sequence[Sequence[str]], *, may_be_words: bool) -> bool:
    """Return whether rows begin with their numbers (totals below do not), or with names that a blank ends.

    R writes no empty cell: a last cell that some rows lack has no label itself.
    """
    names = [cells[0] for cells in rows]
    if len(rows) < 2 or not all(cells[-1].strip() for cells in rows):
        return False
    numbers = [*takewhile(str.isdecimal, names)]
    are_numbers = len(numbers) > 1 and numbers == [*map(str, range(1, len(numbers) + 1))]
    rest = names[len(numbers) if are_numbers else 0 :]
    return (are_numbers or may_be_words) and not any(look(one).is_value for one in rest)


def grid_of(records: Sequence[Record]) -> list[GridRow]:
    """Return the records as rows of a grid, without the comments among them."""
    rows = (
        (one.line, one.last_line, one.cells[: MAX_CELLS + 1], one.strict or [] if one.repaired else None)
        for one in records
        if one.cells
    )
    return make_grid(rows, {one.line for one in _comments(records)})


def _comments(records: Iterable[Record]) -> list[Record]:
    """Return the comments below the first record that is none; no comments if any of them may be a row."""
    begins = [(one.cells[0].startswith(COMMENT), one) for one in filter(attrgetter("cells"), records)]
    below = dropwhile(itemgetter(0), begins)
    marked = [one for is_marked, one in below if is_marked]
    return marked if all(is_sure_comment(one.cells) for one in marked) else []
