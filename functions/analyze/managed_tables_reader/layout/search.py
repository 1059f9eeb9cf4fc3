"""Search for the layout with the fewest bits, within what is stated about it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, zip_longest
from math import inf

from managed_tables_reader.layout import weights
from managed_tables_reader.layout.grid import GridRow
from managed_tables_reader.layout.header import Header, join_labels
from managed_tables_reader.layout.header_bits import MOST_LINES
from managed_tables_reader.layout.looks import TEXT, look
from managed_tables_reader.layout.pages import PageHead, find_repeats
from managed_tables_reader.layout.score import MAX_FOOTER_ROWS, MOST_ABOVE, Kinds, Layout, Scorer
from managed_tables_reader.rows.reading import NOTHING_KNOWN, Known, Stated

_MOST_CELLS = 30_000  # scored
_FEWEST_ROWS = 30
_MOST_ROWS = 300
_WIDTHS = 3  # tried
_MOST_SPLITS = 6
_MARGIN = 1e-6


_NOTHING = Stated()


@dataclass(frozen=True)
class Grid:
    """The rows of a sample and what is known about them; `is_whole`: there are no more.

    `is_narrowed`: the first row is a header that is known.
    """

    rows: Sequence[GridRow]
    keeps_ends: bool
    is_whole: bool
    known: Known = NOTHING_KNOWN
    is_narrowed: bool = False

    def cut(self, start: int, stop: int | None = None) -> "Grid":
        """Return the grid of some of the rows."""
        return replace(self, rows=self.rows[start:stop], is_whole=self.is_whole or stop is not None)


def narrow(grid: Grid, stated: Stated) -> tuple[Grid, Stated]:
    """Return the rows from the header with the known labels on, and its place as if it were stated.

    Both as they are where there is no such header, or one is stated.
    """
    if stated.header_line is not None or not grid.known.labels:
        return grid, stated
    cells = [row.labels or row.cells for row in grid.rows]
    for count in dict.fromkeys((stated.header_lines or grid.known.header_lines, 1)):
        lines = cells if count == 1 else [join_labels(cells[one:][:count], ()) for one in range(len(cells))]
        found = [*map(grid.known.count, lines)]
        place = max(range(len(found)), key=found.__getitem__, default=0)
        if found and found[place]:
            header = replace(stated, header_line=grid.rows[place].number, header_lines=count)
            return replace(grid.cut(place), is_narrowed=True), header
    return grid, stated


def find_layout(grid: Grid, stated: Stated = _NOTHING) -> Layout:
    """Return the cheapest layout of a single table; `grid` has at least one row."""
    rows = grid.rows[: row_limit(grid.rows)]
    scored = grid if len(rows) == len(grid.rows) else replace(grid, rows=rows, is_whole=False)
    found = min((of_width(scored, width, stated)[1] for width in widths(rows)), key=lambda one: one.total)
    if scored is grid:
        return found
    # Of wide tables fewer rows are scored. The others are charged like these, or more cuts would cost less.
    rest = found.bits["rows"] * (len(grid.rows) - len(rows)) / max(1, found.end - found.start)
    found = replace(found, bits={**found.bits, "rest": rest})
    if grid.is_whole:
        return replace(found, end=find_end(grid.rows, found.width, found.kinds, keeps_ends=grid.keeps_ends))
    return replace(found, end=len(grid.rows))


def find_end(
    rows: Sequence[GridRow], width: int, kinds: Kinds, *, keeps_ends: bool, above: Sequence[GridRow] = ()
) -> int:
    """Return where the footer begins in a table's last rows, in which rows of `above` may repeat."""
    first = max(0, len(rows) - 2 * MAX_FOOTER_ROWS)
    kinds = (*kinds, *(TEXT,) * width)[:width]
    scorer = Scorer([*above, *rows[first:]], width, keeps_ends=keeps_ends)
    return first + scorer.find_footer(scorer.row_bits(len(above), kinds), kinds, len(above)) - len(above)


def row_limit(rows: Sequence[GridRow]) -> int:
    """Return how many of the rows are scored."""
    widest = max(len(row.cells) for row in rows[:_FEWEST_ROWS])
    return min(_MOST_ROWS, max(_FEWEST_ROWS, _MOST_CELLS // widest))


def widths(rows: Sequence[GridRow]) -> Sequence[int]:
    """Return the numbers of columns to try."""
    lengths = Counter(len(row.cells) for row in rows)
    usual = sorted((one for one in lengths if one > 1), key=lambda one: (-lengths[one], -one))[:_WIDTHS]
    return [*usual, 1] if not usual or lengths[1] * 3 > len(rows) * 2 else usual


def of_width(grid: Grid, width: int, stated: Stated) -> tuple[Scorer, Layout]:
    """Return the best layout of `width` columns, and its scorer."""
    scorer = Scorer(grid.rows, width, keeps_ends=grid.keeps_ends, known=grid.known)
    best = _best_start(scorer, len(grid.rows), stated)
    if grid.is_whole:
        end = max(1, scorer.find_footer(scorer.row_bits(best.start, best.kinds), best.kinds, best.start))
        if end < best.end:
            best = _best_start(scorer, end, stated)
    return scorer, best


def _best_start(scorer: Scorer, end: int, stated: Stated) -> Layout:
    kinds = scorer.kinds_by_start(end)
    best: Layout | None = None
    for start, firsts in candidates(scorer.rows, end, stated):
        if best and scorer.least(firsts[0], start, end, kinds[start]) >= best.total:
            continue
        layouts = (scorer.score(first, start, end, kinds[start], stated.header_lines) for first in firsts)
        found = min(layouts, key=lambda one: one.total)
        best = found if best is None or found.total < best.total - _MARGIN else best
    assert best is not None  # noqa: S101 - there is a row, and so a candidate
    return best


def candidates(rows: Sequence[GridRow], end: int, stated: Stated) -> Iterator[tuple[int, Sequence[int]]]:
    """Yield each row where the data may begin, with the rows where its header may."""
    if stated != _NOTHING:
        yield from _stated_candidates(rows, end, stated)
        return
    for start in range(min(MOST_ABOVE, end) + 1):
        firsts = range(max(0, start - MOST_LINES), min(start + 1, end))
        if firsts:
            yield start, firsts


def _stated_candidates(
    rows: Sequence[GridRow], end: int, stated: Stated
) -> Iterator[tuple[int, Sequence[int]]]:
    def place_of(line: int, other: int) -> int:
        return next((place for place, row in enumerate(rows) if row.number >= line), other)

    start = place_of(stated.first_line or 1, end)
    if not stated.header_line:  # 0: there is no header
        yield start, range(max(0, start - MOST_LINES) if stated.header_line is None else start, start + 1)
        return
    first = place_of(stated.header_line, 0)
    counts = range(stated.header_lines or 1, MOST_LINES + 1)
    yield from ((start if stated.first_line else min(first + count, end), (first,)) for count in counts)


def find_tables(grid: Grid, stated: Stated = _NOTHING) -> list[tuple[int, Layout]]:
    """Return the tables from top to bottom, each with the place of its first row."""
    whole = find_layout(grid, stated)
    best, fewest = [(0, whole)], whole.total
    for place in _splits(grid.rows, whole.start):
        above = find_layout(grid.cut(0, place), stated)
        below = find_layout(grid.cut(place))
        row, header = grid.rows[place], grid.rows[whole.first : whole.start]
        repeats = any(cell and cell in line.cells for line in header for cell in row.cells[:1])
        apart = weights.TABLE if row.after_gap or repeats else weights.TABLE_CLOSE
        bits = above.total + below.total + apart
        if bits < fewest and below.first < below.start:
            rest = [(place + start, layout) for start, layout in find_tables(grid.cut(place))]
            best, fewest = [*find_tables(grid.cut(0, place), stated), *rest], bits
    return best


def _splits(rows: Sequence[GridRow], start: int) -> list[int]:
    """Return where another table may begin: below a gap, or at a header or its title below row `start`.

    A header that is repeated begins a section.
    """
    found: list[int] = []
    repeats = find_repeats(rows[:_MOST_ROWS], MOST_ABOVE)
    for place, row in enumerate(rows[1 : min(len(rows), _MOST_ROWS) - 1], start=1):
        has_title = len(rows[place - 1].filled) == 1 < place
        is_header = place > start + has_title and _labelled(row, rows[place + 1]) > 1 - has_title
        values = sum(one.is_value for one in row.looks) if row.after_gap else inf
        if (is_header or values * 3 <= len(row.filled)) and len(row.filled) > 1 and place not in repeats:
            found += [place - 1, place] if has_title else [place]
    return found[:_MOST_SPLITS]


def _labelled(row: GridRow, below: GridRow) -> int:
    """Return how many values of the row below have a word above; 0 unless all its cells do."""
    pairs = [*zip_longest(row.looks, below.looks, fillvalue=look(None))]
    words = all(not upper.is_value if upper.kind else not lower.kind for upper, lower in pairs)
    return words * sum(lower.is_value for _, lower in pairs)


def find_main(grid: Grid, tables: Sequence[tuple[int, Layout]]) -> tuple[int, tuple[int, Layout]]:
    """Return the table of the known header, else that of most rows (of most cells, if it has one column)."""
    if grid.is_narrowed:
        return 0, tables[0]
    rows = [layout.end - layout.start for _, layout in tables]
    cells = [count * layout.width for count, (_, layout) in zip(rows, tables, strict=True)]
    most = rows.index(max(rows))
    number = most if tables[most][1].width > 1 else cells.index(max(cells))
    return number, tables[number]


def find_header(grid: Grid, stated: Stated = _NOTHING) -> Header | None:
    """Return the header of a grid's largest table; None if the grid has no rows."""
    if not grid.rows:
        return None
    whole = grid
    grid, stated = narrow(grid, stated)
    tables, number = _find_stated(grid, stated)
    place, layout = tables[number]
    header = _header_of(grid.rows[place:], layout)
    bounds = [*(start for start, _ in tables), len(grid.rows)]
    lines = [*(row.number for row in grid.rows), None]
    header.end_line, header.next_line = lines[place + layout.end], lines[bounds[number + 1]]
    apart = [rows for rows in pairwise(bounds) if rows[0] != place]
    header.others = [[(row.number, row.cells) for row in grid.rows[start:end]] for start, end in apart]
    above, own = whole.rows[: len(whole.rows) - len(grid.rows)], grid.rows[place : place + layout.start]
    header.skipped = [row.number for row in (*above, *own[: layout.first], *own[layout.stop :])]
    is_first = layout.first == 0 and header.line_count == 1 < len(grid.rows) - place
    header.is_assumed = is_first and {*layout.kinds} == {TEXT} and not grid.is_narrowed
    return header


def _find_stated(grid: Grid, stated: Stated) -> tuple[list[tuple[int, Layout]], int]:
    """Return the tables, and which of them is the main one, as far as stated."""
    tables = find_tables(grid, replace(stated, first_line=None))
    number, (place, layout) = find_main(grid, tables)
    begin = stated.first_line
    if begin is None:
        return tables, number
    if grid.rows[place + layout.first].number >= begin:
        return [(0, find_layout(grid, stated))], 0
    # Rows below the header may be left out.
    start = sum(row.number < begin for row in grid.rows[place:])
    tables[number] = place, replace(layout, start=start, stop=min(layout.stop, start))
    return tables, number


def _header_of(rows: Sequence[GridRow], layout: Layout) -> Header:
    lines, body = rows[layout.first : layout.stop], rows[layout.start :]
    cells = [row.cells for row in rows]
    labels, shown_labels = (
        join_labels(one, cells[layout.start : layout.end])
        for one in (cells[layout.first : layout.stop], [row.labels or row.cells for row in lines])
    )
    numbers: Sequence[int | None] = [row.number for row in lines] or [None]
    return Header(
        labels=labels,
        shown_labels=shown_labels,
        width=len(labels) or max([layout.width, *(row.extent for row in body)]),
        first_line=numbers[0],
        last_line=numbers[-1],
        line_count=len(lines),
        data_line=body[0].number if body else rows[-1].number + 1,
        page_head=PageHead(cells[: layout.first if len(lines) == 1 else layout.start]),
        kinds=layout.kinds,
    )
