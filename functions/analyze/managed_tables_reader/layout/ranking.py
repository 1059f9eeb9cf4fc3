"""Rank a grid's layouts by their bits, part by part, to show people what the search weighed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import nsmallest

from managed_tables_reader.layout import weights
from managed_tables_reader.layout.score import Kinds, Layout, Scorer
from managed_tables_reader.layout.search import (
    Grid,
    candidates,
    find_layout,
    find_main,
    find_tables,
    narrow,
    of_width,
    row_limit,
    widths,
)
from managed_tables_reader.rows.stated import Stated

PARTS = ("above", "header", "columns", "odd_rows", "footer", "others", "priors")


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

    @property
    def total(self) -> float:
        """The bits of all parts; the fewest win."""
        return sum(self.bits.values())


def rank_layouts(grid: Grid, stated: Stated, count: int, bits: float | None = None) -> list[Ranked]:
    """Return the cheapest layouts of the grid's largest table, best first, besides its other tables.

    `bits` are those of the best with the choices made before (None: there were none).
    """
    grid, stated = narrow(grid, stated)
    # Rows below a stated first line are one table.
    tables = [(0, find_layout(grid, stated))] if stated.first_line else find_tables(grid, stated)
    number, (place, layout) = find_main(grid, tables)
    others = sum(one.total for _, one in tables) - layout.total + weights.TABLE * (len(tables) - 1)
    if len(tables) > 1:
        grid = grid.cut(place, tables[number + 1][0] if number + 1 < len(tables) else None)
        stated = stated if place == 0 else Stated()
    rows = grid.rows[: row_limit(grid.rows)]
    grid = replace(grid, rows=rows, is_whole=grid.is_whole and len(rows) == len(grid.rows))
    found = (one for width in widths(rows) for one in _of_width(grid, width, stated, count))
    ranked = nsmallest(count, found, key=lambda one: one[1].total)
    priors = 0.0 if bits is None else bits - ranked[0][1].total - others
    return [_show(grid, scorer, layout, others, priors) for scorer, layout in ranked]


def _of_width(grid: Grid, width: int, stated: Stated, count: int) -> list[tuple[Scorer, Layout]]:
    scorer, best = of_width(grid, width, stated)
    found = (one for end in {len(grid.rows), best.end} for one in _scored(scorer, end, stated))
    return [(scorer, one) for one in nsmallest(count, found, key=lambda one: one.total)]


def _scored(scorer: Scorer, end: int, stated: Stated) -> Iterator[Layout]:
    kinds: Sequence[Kinds] = scorer.kinds_by_start(end)
    for start, firsts in candidates(scorer.rows, end, stated):
        yield from (scorer.score(first, start, end, kinds[start]) for first in firsts)


def _show(grid: Grid, scorer: Scorer, layout: Layout, others: float, priors: float) -> Ranked:
    rows, first, start, end = grid.rows, layout.first, layout.start, layout.end
    odd = scorer.odd_bits(start, end)
    bits = layout.bits
    parts = (bits["above"], bits["header"], bits["body"] - odd, odd, bits["below"], others, priors)
    return Ranked(
        header_line=rows[first].number if first < start else None,
        header_lines=start - first,
        first_line=rows[start].number if start < end else None,
        last_line=rows[end - 1].number if start < end else None,
        columns=max((row.extent for row in rows[first:end]), default=layout.width),
        bits=dict(zip(PARTS, parts, strict=True)),
    )
