"""Search for the layout with the fewest bits, within what is stated about it, and say where its table is."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import nsmallest
from itertools import groupby, pairwise, zip_longest
from math import inf
from operator import attrgetter

from managed_tables.errors import LINE_WITHOUT_CELLS, JobError
from managed_tables.messages.findings import Finding, about_lines
from managed_tables_reader.layout import weights
from managed_tables_reader.layout.grid import Cells, GridRow, PageHead, find_repeats
from managed_tables_reader.layout.header_bits import MOST_ABOVE, MOST_LINES, Kinds
from managed_tables_reader.layout.looks import TEXT, look
from managed_tables_reader.layout.score import MAX_FOOTER_ROWS, Layout, Scorer
from managed_tables_reader.rows.notes import rows_left_out
from managed_tables_reader.rows.parts import check_columns
from managed_tables_reader.rows.reading import NOTHING_KNOWN, Known, Stated, lines_between

_MOST_CELLS = 30_000  # scored
_FEWEST_ROWS = 30
_MOST_ROWS = 300
_WIDTHS = 3  # tried
_MOST_SPLITS = 6
_NOTHING = Stated()


@dataclass
class Header:
    """Where a table is, and how its columns are labelled; lines are numbers of rows."""

    labels: list[str]  # cut to `width`
    shown_labels: list[str]  # with dates as a sheet shows them
    width: int
    first_line: int | None  # of the header, None if there is none
    last_line: int | None  # of the header
    line_count: int  # of the header
    data_line: int  # rows from this number on are data
    kinds: Kinds  # of the columns
    page_head: PageHead
    skipped: Sequence[int] = ()  # titles and notes above the table
    end_line: int | None = None  # the first below the table
    footer: Sequence[tuple[int, Cells]] = ()  # the rows from there on, down to the next table
    joined: Sequence[int] = ()  # the lines within the table where another may begin
    is_assumed: bool = False  # the first row is the header by custom only: nothing in the table shows it
    others: Sequence[Sequence[tuple[int, Cells]]] = ()  # the rows of other tables above and below

    def lines_above(self) -> Sequence[int]:
        """Return the lines above the data that are not the header's, blank ones included."""
        header = range(self.first_line or 1, (self.last_line or 0) + 1)
        return lines_between(1, self.data_line - 1, header)

    def findings(self) -> list[Finding]:
        """Return the findings about lines above the table and other tables: they may have been rows."""
        found = [about_lines("LINES_ABOVE", self.skipped)] if self.skipped else []
        if self.is_assumed:
            found.append(rows_left_out("HEADER_ASSUMED", [(self.first_line or 1, self.labels)]))
        if self.joined:
            found.append(about_lines("TABLE_JOINED", self.joined))
        return found + [rows_left_out("TABLE_APART", rows) for rows in self.others]


def join_labels(lines: Sequence[Cells], below: Sequence[Cells]) -> list[str]:
    """Join the header's lines column by column; a gap in a line repeats the label to its left."""
    columns = [*zip_longest(*(map(_text, cells) for cells in lines), fillvalue="")]
    while columns and not any(columns[-1]):
        columns.pop()
    if len(lines) == 1:
        return _read_labels(lines[0][: len(columns)], below)
    written = [*zip(*columns, strict=True)]
    rows = [_fill_gaps(written, number) for number in range(len(lines))]
    return [" ".join(one for one, _ in groupby(filter(None, parts))) for parts in zip(*rows, strict=True)]


def _read_labels(cells: Cells, below: Sequence[Cells]) -> list[str]:
    """Return the labels of one line, less an only blank one beyond the usual row: a doubled delimiter."""
    lengths = Counter(map(len, below)).most_common(1)
    usual = lengths[0][0] if lengths else 0
    labels = [(cell or "").replace("\ufeff", "") for cell in cells]
    filled = [label for label in labels if label.strip()]
    return filled if len(filled) == len(labels) - 1 == usual > 1 else labels


def _fill_gaps(lines: Sequence[Sequence[str]], number: int) -> list[str]:
    """Return one line's labels; a group's fills gaps above others, up to another label in a line above.

    A group has a label below its own place, too.
    """
    labels, begin = [], 0
    for column, text in enumerate(lines[number]):
        if text or any(one[column] and one[column] != one[begin] for one in lines[:number]):
            begin = column
        is_grouped = all(any(one[place] for one in lines[number + 1 :]) for place in (begin, column))
        labels.append(lines[number][begin] if is_grouped else text)
    return labels


def _text(cell: str | None) -> str:
    return " ".join((cell or "").replace("\ufeff", "").split())


@dataclass(frozen=True)
class Grid:
    """The rows of a sample and what is known about them; `is_whole`: there are no more."""

    rows: Sequence[GridRow]
    keeps_ends: bool
    is_whole: bool
    known: Known = NOTHING_KNOWN

    def cut(self, start: int, stop: int | None = None) -> "Grid":
        """Return the grid of some of the rows."""
        return replace(self, rows=self.rows[start:stop], is_whole=self.is_whole or stop is not None)

    @property
    def scored(self) -> "Grid":
        """The grid of the rows that are scored: fewer of a wide table."""
        widest = max(len(row.cells) for row in self.rows[:_FEWEST_ROWS])
        limit = min(_MOST_ROWS, max(_FEWEST_ROWS, _MOST_CELLS // widest))
        return replace(self, rows=self.rows[:limit], is_whole=self.is_whole and limit >= len(self.rows))


def find_header(grid: Grid, stated: Stated = _NOTHING, name: str = "") -> Header | None:
    """Return the header of a grid's main table; None if the grid has no rows.

    JobError if the stated header has no cells, or the table more columns than PostgreSQL allows.
    """
    if stated.header_line and all(row.number != stated.header_line for row in grid.rows):
        raise JobError(LINE_WITHOUT_CELLS, file=name, line=stated.header_line)
    if not grid.rows:
        return None
    below, stated = narrow(grid, stated)
    tables, number = _find_stated(below, stated)
    above = len(grid.rows) - len(below.rows)
    places = [above + place for place, _ in tables]
    header = _header_of(grid.rows, [*places, len(grid.rows)], number, tables[number][1])
    is_first = tables[number][1].first == 0 and header.line_count == 1 < len(grid.rows) - places[number]
    header.is_assumed = is_first and {*header.kinds} == {TEXT} and not stated.header_line
    check_columns(header.width, name, header.first_line or header.data_line)
    end = places[number + 1] if number + 1 < len(places) else None
    header.joined = find_joined(below.cut(places[number] - above, end and end - above), tables[number][1])
    return header


def _header_of(rows: Sequence[GridRow], bounds: Sequence[int], number: int, layout: Layout) -> Header:
    """Return the header of one of the tables that begin at `bounds`."""
    place = bounds[number]
    first, stop, start, end = (place + one for one in (layout.first, layout.stop, layout.start, layout.end))
    cells, lines = [row.cells for row in rows], [row.number for row in rows]
    labels = join_labels(cells[first:stop], cells[start:end])
    apart = [*pairwise(bounds)]
    del apart[number]
    return Header(
        labels=labels,
        shown_labels=join_labels([row.labels or row.cells for row in rows[first:stop]], cells[start:end]),
        width=len(labels) or max([layout.width, *(row.extent for row in rows[start:])]),
        first_line=[*lines[first:stop], None][0],
        last_line=[None, *lines[first:stop]][-1],
        line_count=stop - first,
        data_line=[*lines, lines[-1] + 1][start],
        kinds=layout.kinds,
        page_head=PageHead(cells[place : first if stop - first == 1 else start]),
        skipped=[*lines[: bounds[0]], *lines[place:first], *lines[stop:start]],
        end_line=[*lines, None][end],
        footer=[(row.number, row.written or row.cells) for row in rows[end : bounds[number + 1]]],
        others=[[*zip(lines[above:below], cells[above:below], strict=True)] for above, below in apart],
    )


def narrow(grid: Grid, stated: Stated) -> tuple[Grid, Stated]:
    """Return the rows from the stated header on, else from the one with known labels as if it were stated.

    Both as they are where there is no such header.
    """
    if stated.header_line:
        return grid.cut(sum(row.number < stated.header_line for row in grid.rows)), stated
    if stated.header_line == 0 or not grid.known.labels:
        return grid, stated
    cells = [row.labels or row.cells for row in grid.rows]
    counts = (stated.header_lines,) if stated.header_lines else (grid.known.header_lines, 1)
    for count in dict.fromkeys(counts):
        lines = cells if count == 1 else [join_labels(cells[one:][:count], ()) for one in range(len(cells))]
        found = [*map(grid.known.count, lines)]
        if any(found):
            place = found.index(max(found))
            header = replace(stated, header_line=grid.rows[place].number, header_lines=count)
            return grid.cut(place), header
    return grid, stated


def _find_stated(grid: Grid, stated: Stated) -> tuple[list[tuple[int, Layout]], int]:
    """Return the tables, and which of them is the main one, as far as stated."""
    tables = find_tables(grid, replace(stated, first_line=None))
    number = find_main(tables, stated)
    begin, (place, layout) = stated.first_line, tables[number]
    if begin is None:
        return tables, number
    last = max(layout.first, layout.stop - 1) if stated.header_lines else layout.first
    if grid.rows[place + last].number >= begin:
        return [(0, find_layout(grid, stated))], 0
    # Rows below the header may be left out.
    start = sum(row.number < begin for row in grid.rows[place:])
    tables[number] = place, replace(layout, start=start, stop=min(layout.stop, start))
    return tables, number


def find_main(tables: Sequence[tuple[int, Layout]], stated: Stated) -> int:
    """Return which table has the stated header, else the most rows (cells, if that has one column)."""
    if stated.header_line:
        return 0
    rows = [layout.end - layout.start for _, layout in tables]
    cells = [count * layout.width for count, (_, layout) in zip(rows, tables, strict=True)]
    most = rows.index(max(rows))
    return most if tables[most][1].width > 1 else cells.index(max(cells))


def find_tables(grid: Grid, stated: Stated = _NOTHING) -> list[tuple[int, Layout]]:
    """Return the tables from top to bottom, each with the place of its first row."""
    whole = find_layout(grid, stated)
    best, fewest = [(0, whole)], whole.total
    others = stated if stated.header_line is None else _NOTHING  # a number of header lines is of any table
    for place, parts, apart in _parted(grid, (stated, others), whole, _splits(grid.rows, whole.start)):
        bits = parts + apart
        if bits < fewest:
            rest = [(place + start, layout) for start, layout in find_tables(grid.cut(place), others)]
            best, fewest = [*find_tables(grid.cut(0, place), stated), *rest], bits
    return best


def _parted(
    grid: Grid, stated: tuple[Stated, Stated], whole: Layout, splits: Iterable[int]
) -> Iterator[tuple[int, float, float]]:
    """Yield where another table may begin, the bits of the two, and what another table costs there.

    `stated` is what is of the first of them, and of the other.
    """
    for place in splits:
        above = find_layout(grid.cut(0, place), stated[0])
        below = find_layout(grid.cut(place), stated[1])
        row, header = grid.rows[place], grid.rows[whole.first : whole.start]
        repeats = any(cell and cell in line.cells for line in header for cell in row.cells[:1])
        apart = weights.TABLE if row.after_gap or repeats else weights.TABLE_CLOSE
        if below.first < below.start:
            yield place, above.total + below.total, apart


def find_joined(grid: Grid, layout: Layout) -> list[int]:
    """Return the lines within a table where another begins, were it not for what another table costs.

    That blank lines are above it says nothing: tables have some.
    """
    splits = [place for place in _splits(grid.rows, layout.start) if layout.start < place < layout.end]
    return [
        grid.rows[place].number
        for place, bits, _ in _parted(grid, (_NOTHING, _NOTHING), layout, splits)
        if bits + weights.GAP * grid.rows[place].after_gap < layout.total
    ]


def _splits(rows: Sequence[GridRow], start: int) -> list[int]:
    """Return where another table may begin: below a gap, or at a header or its title below row `start`.

    A header names two columns of values, below a title or with a label of the header above one: a single word
    among values is a value that does not fit. If it is repeated, it begins a section; right below data, a row
    that is there again is one of them.
    """
    found: list[int] = []
    labels = {*rows[start - 1].filled} if start else set[str]()
    again = _find_again(rows[:_MOST_ROWS], start)
    for place, row in enumerate(rows[1 : min(len(rows), _MOST_ROWS) - 1], start=1):
        has_title = len(rows[place - 1].filled) == 1 < place
        fewest = 2 - (has_title or not labels.isdisjoint(row.filled))
        is_header = place > start + has_title and _labelled(row, rows[place + 1]) >= fewest
        values = sum(one.is_value for one in row.looks) if row.after_gap else inf
        may_be = is_header or values * 3 <= len(row.filled)
        if may_be and len(row.filled) > 1 and place not in again:
            found += [place - 1, place] if has_title else [place]
    return found[:_MOST_SPLITS]


def _find_again(rows: Sequence[GridRow], start: int) -> set[int]:
    """Return the repeats of the first rows, and what they repeat right below others, below row `start`."""
    repeats = find_repeats(rows, MOST_ABOVE)
    return {*repeats, *(one for one in repeats.values() if one > start and not rows[one].after_gap)}


def _labelled(row: GridRow, below: GridRow) -> int:
    """Return how many values of the row below have a word above; 0 unless all its cells do."""
    pairs = [*zip_longest(row.looks, below.looks, fillvalue=look(None))]
    words = all(not upper.is_value if upper.kind else not lower.kind for upper, lower in pairs)
    return words * sum(lower.is_value for _, lower in pairs)


def find_layout(grid: Grid, stated: Stated = _NOTHING) -> Layout:
    """Return the cheapest layout of a single table; `grid` has at least one row."""
    scored = grid.scored
    [found] = _rank(scored, stated)
    if len(scored.rows) == len(grid.rows):
        return found
    # Of wide tables fewer rows are scored. The others are charged like these, or more cuts would cost less.
    rest = found.bits["rows"] * (len(grid.rows) - len(scored.rows)) / max(1, found.end - found.start)
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


def _rank(grid: Grid, stated: Stated, count: int = 1) -> list[Layout]:
    """Return the cheapest layouts of a single table, best first."""
    found: list[Layout] = []
    for width in widths(grid.rows):
        scorer = Scorer(grid.rows, width, keeps_ends=grid.keeps_ends, known=grid.known)
        cheapest = _rank_starts(scorer, len(grid.rows), stated, count)
        if grid.is_whole:
            best = cheapest[0]
            end = max(1, scorer.find_footer(scorer.row_bits(best.start, best.kinds), best.kinds, best.start))
            if end < best.end:  # the footer is decided: without it, a layout is only shown
                cheapest = [*_rank_starts(scorer, end, stated, count), *cheapest[: count - 1]]
        found += cheapest
    return nsmallest(count, found, key=attrgetter("total"))


def widths(rows: Sequence[GridRow]) -> Sequence[int]:
    """Return the numbers of columns to try."""
    lengths = Counter(len(row.cells) for row in rows)
    usual = sorted((one for one in lengths if one > 1), key=lambda one: (-lengths[one], -one))[:_WIDTHS]
    return [*usual, 1] if not usual or lengths[1] * 3 > len(rows) * 2 else usual


def _rank_starts(scorer: Scorer, end: int, stated: Stated, count: int) -> list[Layout]:
    """Return the cheapest layouts of a table whose data end at `end`, best first."""
    kinds = scorer.kinds_by_start(end)
    best: list[Layout] = []
    for start, firsts in candidates(scorer.rows, end, stated):
        rest = scorer.body_bits(start, end, kinds[start]) + scorer.footer_bits(end, kinds[start])
        if len(best) == count and scorer.above[firsts[0]] + rest >= best[-1].total:
            continue
        are_all = stated.header_lines is not None
        best += [scorer.score(first, start, end, kinds[start], has_all_lines=are_all) for first in firsts]
        best = nsmallest(count, best, key=attrgetter("total"))
    return best


def candidates(rows: Sequence[GridRow], end: int, stated: Stated) -> Iterator[tuple[int, Sequence[int]]]:
    """Yield each row where the data may begin, with the rows where its header may: a stated one is first."""
    for start in _starts(rows, end, stated):
        if stated.header_line is not None:
            yield start, (0 if stated.header_line else start,)
        elif stated.header_lines:
            yield start, (max(0, start - stated.header_lines),)
        else:
            yield start, range(max(0, start - MOST_LINES), min(start + 1, end))


def _starts(rows: Sequence[GridRow], end: int, stated: Stated) -> Sequence[int]:
    """Return the rows where the data may begin."""
    lines = stated.header_lines
    if stated.first_line or stated.header_line == 0:
        line = stated.first_line or 1
        return [next((place for place, row in enumerate(rows) if row.number >= line), end)]
    if stated.header_line:
        return range(min(lines or 1, end), min(lines or MOST_LINES, end) + 1)
    return range(min(lines or 0, end), min(MOST_ABOVE, end) + 1)


@dataclass(frozen=True)
class Ranked:
    """A layout as people see it: lines of the file, and bits by part.

    `header_line` is None without a header, `first_line` without rows; `header_lines` counts its rows.
    """

    header_line: int | None
    header_lines: int
    first_line: int | None
    last_line: int | None
    columns: int
    bits: Mapping[str, float]


def rank_layouts(grid: Grid, stated: Stated, count: int, bits: float | None = None) -> list[Ranked]:
    """Return the cheapest layouts of the grid's main table, best first, besides its other tables.

    `bits` are those of the best with the choices made before (None: there were none).
    """
    grid, stated = narrow(grid, stated)
    tables, number = _find_stated(grid, stated)
    place, layout = tables[number]
    others = sum(one.total for _, one in tables) - layout.total + weights.TABLE * (len(tables) - 1)
    grid = grid.cut(place, tables[number + 1][0] if number + 1 < len(tables) else None).scored
    is_stated = place == 0 or stated.header_line is None
    ranked = _rank(grid, stated if is_stated else _NOTHING, count)
    priors = 0.0 if bits is None else bits - ranked[0].total - others
    return [_show(grid.rows, one, {**one.bits, "others": others, "priors": priors}) for one in ranked]


def _show(rows: Sequence[GridRow], layout: Layout, bits: Mapping[str, float]) -> Ranked:
    first, start, end = layout.first, layout.start, layout.end
    return Ranked(
        header_line=rows[first].number if first < start else None,
        header_lines=layout.stop - first,
        first_line=rows[start].number if start < end else None,
        last_line=rows[end - 1].number if start < end else None,
        columns=max((row.extent for row in rows[first:end]), default=layout.width),
        bits=bits,
    )
