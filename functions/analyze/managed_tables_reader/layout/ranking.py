"""Rank a grid's layouts by their bits, part by part, to show people what the search weighed."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import nsmallest

from managed_tables_reader.layout import search, weights
from managed_tables_reader.layout.grid import GridRow
from managed_tables_reader.layout.score import Layout
from managed_tables_reader.rows.reading import Stated


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


def rank_layouts(grid: search.Grid, stated: Stated, count: int, bits: float | None = None) -> list[Ranked]:
    """Return the cheapest layouts of the grid's largest table, best first, besides its other tables.

    `bits` are those of the best with the choices made before (None: there were none).
    """
    grid, stated = search.narrow(grid, stated)
    is_one = stated.first_line is not None  # what is below a stated line is one table
    tables = [(0, search.find_layout(grid, stated))] if is_one else search.find_tables(grid, stated)
    number, (place, layout) = search.find_main(grid, tables)
    others = sum(one.total for _, one in tables) - layout.total + weights.TABLE * (len(tables) - 1)
    if len(tables) > 1:
        grid = grid.cut(place, tables[number + 1][0] if number + 1 < len(tables) else None)
        stated = stated if place == 0 else Stated()
    rows = grid.rows[: search.row_limit(grid.rows)]
    grid = replace(grid, rows=rows, is_whole=grid.is_whole and len(rows) == len(grid.rows))
    found = (one for width in search.widths(rows) for one in _of_width(grid, width, stated))
    ranked = nsmallest(count, found, key=lambda one: one.total)
    priors = 0.0 if bits is None else bits - ranked[0].total - others
    return [_show(rows, layout, {"others": others, "priors": priors}) for layout in ranked]


def _of_width(grid: search.Grid, width: int, stated: Stated) -> Iterator[Layout]:
    scorer, best = search.of_width(grid, width, stated)
    for end in {len(grid.rows), best.end}:
        kinds = scorer.kinds_by_start(end)
        for start, firsts in search.candidates(scorer.rows, end, stated):
            yield from (
                scorer.score(first, start, end, kinds[start], stated.header_lines) for first in firsts
            )


def _show(rows: Sequence[GridRow], layout: Layout, others: Mapping[str, float]) -> Ranked:
    first, start, end = layout.first, layout.start, layout.end
    return Ranked(
        header_line=rows[first].number if first < start else None,
        header_lines=layout.stop - first,
        first_line=rows[start].number if start < end else None,
        last_line=rows[end - 1].number if start < end else None,
        columns=max((row.extent for row in rows[first:end]), default=layout.width),
        bits={**layout.bits, **others},
    )
