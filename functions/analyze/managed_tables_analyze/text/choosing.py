"""The choice among the ways to cut a text's lines: each candidate is scored with its best layout."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from managed_tables_analyze.layout import weights
from managed_tables_analyze.layout.grid import GridRow, make_grid
from managed_tables_analyze.layout.looks import TEXT, text_bits
from managed_tables_analyze.layout.score import Layout
from managed_tables_analyze.layout.search import Grid, Stated, find_tables
from managed_tables_analyze.layout.words import COMMENT, COMMENT_STARTS
from managed_tables_analyze.reading import TableWish, Unstated
from managed_tables_analyze.repair.columns import Columns
from managed_tables_analyze.repair.mending import Mender
from managed_tables_analyze.text.alignment import collapse, is_cut_by_runs
from managed_tables_analyze.text.dialect import NO_QUOTE, QUOTE, Dialect
from managed_tables_analyze.text.dialects import complete_dialect, find_hint, propose_dialects
from managed_tables_analyze.text.records import Lines, Record, RecordReader
from managed_tables_analyze.text.wrapping import count_wrapped, unwrap

Change = Callable[[Iterable[str]], Iterable[str]]

_MOST_LINES = 120  # that hold something, of those that each dialect is tried on
_LONGEST_LINE = 1_000_000
_MOST_CHARACTERS = 400_000


@dataclass(frozen=True)
class Choice:
    """A way to cut the lines: first changed (None: as they are), then by a dialect; `bits` of the whole."""

    change: Change | None
    dialect: Dialect
    layout: Layout
    bits: float
    first_line: int
    """The header's first line, the first of data where there is none."""
    data_line: int
    """The first line of data."""


def choose(lines: Sequence[str], wish: TableWish, stated: Stated, *, is_whole: bool) -> list[Choice]:
    """Return the ways to cut the lines, best first; none where there is nothing to cut."""
    found = []
    first = _first_lines(lines)
    is_whole = is_whole and len(first) == len(lines)
    for change, dialect, bits in _candidates(first, wish):
        records = _cut(first, change, dialect)
        rows = grid_of(records)
        if not rows or (dialect.delimiter and max(len(row.cells) for row in rows) < 2):
            continue
        tables = find_tables(Grid(rows, short_tells=True, is_whole=is_whole), stated)
        place, layout = max(tables, key=lambda one: one[1].end - one[1].start)
        first_line, data_line = (
            rows[min(place + one, len(rows) - 1)].number for one in (layout.first, layout.start)
        )
        total = (
            sum(one.total for _, one in tables) + weights.TABLE * (len(tables) - 1) + _comment_bits(records)
        )
        bits += _doubt_bits(change, dialect, layout, rows[place + layout.first])
        if layout.width > 1 or not dialect.delimiter or wish.delimiter is not None:
            found.append(Choice(change, dialect, layout, total + bits, first_line, data_line))
    return sorted(found, key=lambda one: one.bits)


def choice_grid(lines: Sequence[str], choice: Choice, *, is_whole: bool) -> Grid:
    """Return the rows that a way to cut the lines was scored on."""
    first = _first_lines(lines)
    rows = grid_of(_cut(first, choice.change, choice.dialect))
    return Grid(rows, short_tells=True, is_whole=is_whole and len(first) == len(lines))


def _cut(lines: Sequence[str], change: Change | None, dialect: Dialect) -> list[Record]:
    return read_records(list(change(lines)) if change else lines, dialect)


def _doubt_bits(change: Change | None, dialect: Dialect, layout: Layout, first: GridRow) -> float:
    """Return what speaks against a delimiter that also stands in texts, by the columns that it gives."""
    if not dialect.delimiter:
        return 0.0
    has_header = layout.first < layout.start
    is_weak = dialect.delimiter in (" ", ":") or (change is collapse and layout.width == 2)
    is_named = has_header and first.extent >= layout.width - 1  # R has no label for the names of rows
    bits = weights.BLANKS_WITHOUT_HEADER if is_weak and not is_named else 0.0
    is_short = first.extent < layout.width or (dialect.delimiter.endswith(" ") and layout.first > 0)
    if has_header and is_short and {*layout.kinds} <= {TEXT, "boolean"}:
        bits += weights.TEXTS_CUT
    return bits


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


def _candidates(lines: Sequence[str], wish: TableWish) -> Iterator[tuple[Change | None, Dialect, float]]:
    hint = wish.delimiter if wish.delimiter is not None else find_hint(lines[0]) if lines else None
    if hint is not None:
        yield None, _quoted(complete_dialect(lines, hint), wish), 0.0
        return
    for dialect, bits in propose_dialects(lines):
        yield None, _quoted(dialect, wish), bits
    if not isinstance(wish.quote, Unstated):
        return
    if is_cut_by_runs(lines):
        yield collapse, Dialect("\t", QUOTE), weights.RUNS_OF_BLANKS
    if wrapped := count_wrapped(lines):
        for dialect, bits in propose_dialects(list(unwrap(lines))):
            if dialect.delimiter:
                yield unwrap, dialect, bits + weights.WRAPPED_LINE * wrapped


def _quoted(dialect: Dialect, wish: TableWish) -> Dialect:
    if isinstance(wish.quote, Unstated):
        return dialect
    return replace(dialect, quote=wish.quote or NO_QUOTE)


def read_records(lines: Sequence[str], dialect: Dialect, mender: Mender | None = None) -> list[Record]:
    """Return the records of lines, the line of a hint left out."""
    skipped = 1 if lines and find_hint(lines[0]) else 0
    return list(RecordReader(Lines(iter(lines[skipped:]), skipped), dialect, mender))


def grid_of(records: Sequence[Record]) -> list[GridRow]:
    """Return the rows that records make, without comments among them."""
    kept = _without_comments([record for record in records if record.cells])
    return make_grid(
        (one.line, one.last_line, one.cells, one.strict or [] if one.repaired else None) for one in kept
    )


def _without_comments(records: Sequence[Record]) -> Sequence[Record]:
    """Leave out the comments below the first record that is none, where no row begins as they do."""
    comments = _comments(records)
    return [one for one in records if one not in comments] if comments else records


def _comment_bits(records: Sequence[Record]) -> float:
    texts = (" ".join(one.cells) for one in _comments([record for record in records if record.cells]))
    return sum(weights.COMMENT_LINE + text_bits(text) for text in texts)


def _comments(records: Sequence[Record]) -> list[Record]:
    start = next((place for place, one in enumerate(records) if not one.cells[0].startswith(COMMENT)), 0)
    marked = [one for one in records[start:] if one.cells[0].startswith(COMMENT)]
    if not marked or any(
        len(one.cells) > 1 and not one.cells[0].startswith(COMMENT_STARTS) for one in marked
    ):
        return []
    return marked


def learn_columns(records: Sequence[Record], first_line: int, width: int) -> Columns | None:
    """Return what the columns look like from a line on."""
    whole = (one.cells for one in records if one.line >= first_line and not one.repaired)
    return Columns.of([cells for cells in whole if cells], width)
