"""The search for the layout of the fewest bits, under what is stated of it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from managed_tables_analyze.layout import weights
from managed_tables_analyze.layout.grid import GridRow
from managed_tables_analyze.layout.header import Header, join_labels
from managed_tables_analyze.layout.heading import MOST_LINES
from managed_tables_analyze.layout.looks import TEXT
from managed_tables_analyze.layout.pages import PageHead
from managed_tables_analyze.layout.score import MOST_ABOVE, Kinds, Layout, Scorer
from managed_tables_analyze.workbooks.sheets import MergedRange

MAX_FOOTER_ROWS = 60  # the notes of public statistics have dozens of lines; longer ones show as data
_MOST_CELLS = 30_000  # that are scored
_FEWEST_ROWS = 30
_MOST_ROWS = 300
_WIDTHS = 3  # that are tried
_MOST_SPLITS = 6
_MARGIN = 1e-6


@dataclass(frozen=True)
class Stated:
    """What is stated of where the table begins: it narrows the candidates, and changes nothing else.

    `header_line` 0 says that there is no header; None of each leaves it open.
    """

    header_line: int | None = None
    header_lines: int | None = None
    first_line: int | None = None

    @property
    def is_open(self) -> bool:
        """Return whether nothing is stated."""
        return self == Stated()


_NOTHING = Stated()


@dataclass(frozen=True)
class Grid:
    """The rows of a sample and what is known of them; `is_whole`: there are no more."""

    rows: Sequence[GridRow]
    short_tells: bool
    is_whole: bool
    merged: Sequence[MergedRange] = ()

    def cut(self, start: int, stop: int | None = None) -> "Grid":
        """Return some of the rows."""
        is_whole = self.is_whole or stop is not None
        return replace(self, rows=self.rows[start:stop], is_whole=is_whole)


def find_layout(grid: Grid, stated: Stated = _NOTHING) -> Layout:
    """Return the layout of the fewest bits of one table; `grid` has at least one row."""
    rows = grid.rows[: row_limit(grid.rows)]
    if len(rows) == len(grid.rows):
        return _find_layout(grid, stated)
    found = _find_layout(replace(grid, rows=rows, is_whole=False), stated)
    end = (
        find_end(grid.rows, found.width, found.kinds, short_tells=grid.short_tells) if grid.is_whole else None
    )
    return replace(found, end=len(grid.rows) if end is None else end)


def _find_layout(grid: Grid, stated: Stated) -> Layout:
    layouts = (_of_width(grid, width, stated) for width in widths(grid.rows))
    return min(layouts, key=lambda one: one.total)


def find_end(
    rows: Sequence[GridRow], width: int, kinds: Kinds, *, short_tells: bool, above: Sequence[GridRow] = ()
) -> int:
    """Return the first row of the footer among the last rows of a table; `above` may come again in them."""
    first = max(0, len(rows) - 2 * MAX_FOOTER_ROWS)
    kinds = (*kinds, *(TEXT,) * width)[:width]
    scorer = Scorer([*above, *rows[first:]], width, short_tells=short_tells)
    return first + best_end(scorer, len(above), kinds) - len(above)


def row_limit(rows: Sequence[GridRow]) -> int:
    """Return how many of the rows are scored."""
    widest = max(len(row.cells) for row in rows[:_FEWEST_ROWS])
    return min(_MOST_ROWS, max(_FEWEST_ROWS, _MOST_CELLS // widest))


def widths(rows: Sequence[GridRow]) -> Sequence[int]:
    """Return how many columns the table may have."""
    lengths = Counter(len(row.cells) for row in rows)
    usual = sorted((one for one in lengths if one > 1), key=lambda one: (-lengths[one], -one))[:_WIDTHS]
    return [*usual, 1] if not usual or lengths[1] * 3 > len(rows) * 2 else usual


def _of_width(grid: Grid, width: int, stated: Stated) -> Layout:
    scorer = Scorer(grid.rows, width, short_tells=grid.short_tells, merged=grid.merged)
    best = _best_start(scorer, len(grid.rows), stated)
    if grid.is_whole:
        end = max(1, best_end(scorer, best.start, best.kinds))
        if end < best.end:
            best = _best_start(scorer, end, stated)
    return best


def _best_start(scorer: Scorer, end: int, stated: Stated) -> Layout:
    kinds = scorer.kinds_by_start(end)
    best: Layout | None = None
    for start, firsts in candidates(scorer.rows, end, stated):
        if best and scorer.least(firsts[0], start, end, kinds[start]) >= best.total:
            continue
        layouts = (scorer.score(first, start, end, kinds[start]) for first in firsts)
        found = min(layouts, key=lambda one: one.total)
        best = found if best is None or found.total < best.total - _MARGIN else best
    assert best is not None  # noqa: S101 - there is a row, and so a candidate
    return best


def candidates(rows: Sequence[GridRow], end: int, stated: Stated) -> Iterator[tuple[int, Sequence[int]]]:
    """Yield where the data may begin, each with where its header may."""
    if not stated.is_open:
        yield from _stated_candidates(rows, end, stated)
        return
    for start in range(min(MOST_ABOVE, end) + 1):
        firsts = range(max(0, start - MOST_LINES), min(start + 1, end))
        if firsts:
            yield start, firsts


def _stated_candidates(
    rows: Sequence[GridRow], end: int, stated: Stated
) -> Iterator[tuple[int, Sequence[int]]]:
    numbers = [row.number for row in rows]
    start = next((place for place, number in enumerate(numbers) if number >= (stated.first_line or 1)), end)
    if stated.header_line == 0:
        yield start, (start,)
    elif stated.header_line is None:
        yield start, range(max(0, start - MOST_LINES), start + 1)
    else:
        line = stated.header_line
        first = next((place for place, number in enumerate(numbers) if number >= line), 0)
        counts = range(stated.header_lines or 1, (stated.header_lines or MOST_LINES) + 1)
        yield from ((start if stated.first_line else min(first + count, end), (first,)) for count in counts)


def best_end(scorer: Scorer, start: int, kinds: Kinds) -> int:
    """Return the first row of the footer: from there on the rows are cheaper below the table than in it."""
    bits = scorer.row_bits(start, kinds)
    count = len(scorer.rows)
    best, fewest, total = count, 0.0, weights.FOOTER
    for place in range(count - 1, max(start, count - MAX_FOOTER_ROWS) - 1, -1):
        total += scorer.below[place] - bits[place]
        if total + (weights.NO_ROWS if place == start else 0.0) < fewest:
            best, fewest = place, total
    return best


def find_tables(grid: Grid, stated: Stated = _NOTHING) -> list[tuple[int, Layout]]:
    """Return the tables one below the other, each with the place of its first row."""
    whole = find_layout(grid, stated)
    best, fewest = [(0, whole)], whole.total
    for place in _splits(grid.rows):
        above = find_layout(grid.cut(0, place), stated)
        below = find_layout(grid.cut(place))
        bits = above.total + below.total + weights.TABLE
        if bits < fewest:
            rest = [(place + start, layout) for start, layout in find_tables(grid.cut(place))]
            best, fewest = [(0, above), *rest], bits
    return best


def _splits(rows: Sequence[GridRow]) -> list[int]:
    """Return where another table may begin: words below a gap, other than those above it."""
    places = range(1, min(len(rows), _MOST_ROWS) - 1)
    found = [place for place in places if rows[place].after_gap and _may_be_header(rows[place])]
    return found[:_MOST_SPLITS]


def _may_be_header(row: GridRow) -> bool:
    return len(row.filled) > 1 and sum(one.is_value for one in row.looks) * 3 <= len(row.filled)


def find_header(grid: Grid, stated: Stated = _NOTHING) -> Header | None:
    """Return where the largest table of a grid is; None where there is no row."""
    if not grid.rows:
        return None
    tables = find_tables(grid, replace(stated, first_line=None))
    place, layout = max(tables, key=lambda one: one[1].end - one[1].start)
    rows = grid.rows[place:]
    if stated.first_line is None:
        header = _header_of(rows, layout, layout.start)
    elif rows[layout.first].number < stated.first_line:  # rows below the header may be left out
        begin = sum(row.number < stated.first_line for row in rows)
        header = _header_of(rows, replace(layout, start=begin), min(layout.start, begin))
    else:
        tables = [(0, find_layout(grid, stated))]
        (place, layout), rows = tables[0], grid.rows
        header = _header_of(rows, layout, layout.start)
    following = tables[tables.index((place, layout)) + 1 :]
    if following or layout.end < len(rows):
        header.end_line = rows[layout.end].number if layout.end < len(rows) else None
        header.next_line = grid.rows[following[0][0]].number if following else None
    header.others = _rows_of(grid.rows, [one for one in tables if one != (place, layout)])
    header.skipped = [row.number for row in grid.rows[: place + layout.first]]
    return header


def _rows_of(
    rows: Sequence[GridRow], tables: Sequence[tuple[int, Layout]]
) -> list[list[tuple[int, Sequence[str | None]]]]:
    return [
        [(row.number, row.cells) for row in rows[place + one.first : place + one.end]]
        for place, one in tables
    ]


def _header_of(rows: Sequence[GridRow], layout: Layout, header_end: int) -> Header:
    lines = rows[layout.first : header_end]
    below = [row.cells for row in rows[layout.start : layout.end]]
    labels = join_labels([row.cells for row in lines], below) if lines else []
    has_rows = layout.start < len(rows)
    data_line = rows[layout.start].number if has_rows else rows[-1].number + 1
    head = PageHead([row.cells for row in rows[: layout.first if len(lines) == 1 else layout.start]])
    width = len(labels) if labels else max([layout.width, *(row.extent for row in rows[layout.start :])])
    is_assumed = layout.first == 0 and len(lines) == 1 and {*layout.kinds} == {TEXT} and len(rows) > 1
    return Header(
        is_assumed=is_assumed and layout.width > 1,
        labels=labels,
        width=width,
        first_line=lines[0].number if lines else None,
        data_line=data_line,
        page_head=head,
        last_line=lines[-1].number if lines else None,
        line_count=len(lines),
        kinds=layout.kinds,
    )
