"""Leave out what ends a section: totals and titles between its rows and the header that is repeated below.

They are found like the footer of a table, by the score, but in the copy of the rows: sections may be longer
than any sample.
"""

import csv
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from math import inf

from managed_tables.conversion.marked_cells import LINE_FEED, on_its_lines
from managed_tables.messages.findings import MAX_LINES
from managed_tables_reader.layout.grid import GridRow, make_grid
from managed_tables_reader.layout.search import Header, find_end
from managed_tables_reader.rows.notes import RowNotes, rows_left_out
from managed_tables_reader.rows.parts import QUOTE, Part

_ROWS_COMPARED = 12  # above a repeated header: few, since a report may have thousands of pages
_MOST_COLUMNS = 100  # and few columns: no report on pages is as wide
_MOST_SECTIONS = 20_000  # each costs up to a millisecond

csv.field_size_limit(sys.maxsize)  # a cell of the copy may be as long as a file's

_Copied = tuple[int, str]  # the line number, and the line of the copy
_Ended = tuple[int, list[str]]  # the line number, and the cells of a row that ends a section


def leave_out_section_ends(part: Part, header: Header, notes: RowNotes) -> None:
    """Remove the lines that end sections from a part's copy, and add the finding about them."""
    if part.keeps_last or not notes.heads or not 1 < header.width <= _MOST_COLUMNS:
        return
    left_out: list[int] = []
    first: list[_Ended] = []
    for number, cells in _find_ends(part, header, notes.heads[:_MOST_SECTIONS]):
        notes.forget(number, len(cells))
        lines = 1 + sum(cell.count("\n") for cell in cells)
        part.extent.row_lines -= lines
        part.extent.leave("SECTION_LINES", number, cells, lines)
        left_out.append(number)
        if len(first) < MAX_LINES:
            first.append((number, cells))
    if not left_out:
        return
    target, numbers = part.path.with_suffix(".sections"), frozenset(left_out)
    with target.open("w", encoding="utf-8", newline="\n") as out:
        out.writelines(line for number, line in _copied(part) if number not in numbers)
    target.rename(part.path)
    part.expected_rows = None if part.expected_rows is None else part.expected_rows - len(left_out)
    part.extent.skip(left_out)
    part.findings.append(rows_left_out("SECTION_LINES", first, len(left_out)))


def _copied(part: Part) -> Iterator[_Copied]:
    """Yield the lines of a part's copy."""
    with part.path.open(encoding="utf-8", newline="\n") as copy:
        for line in copy:
            yield int(line[: line.index(part.delimiter)]), line


def _find_ends(part: Part, header: Header, heads: Sequence[int]) -> Iterator[_Ended]:
    """Yield the rows that end sections, right above the heads."""
    window: deque[_Copied] = deque(maxlen=_ROWS_COMPARED)
    begin, passed = header.data_line, 0
    for number, line in _copied(part):
        above = passed
        while passed < len(heads) and heads[passed] < number:
            passed += 1
        if passed > above:
            ended = _find_end(window, begin, header, part.delimiter)
            for _ in ended:
                window.pop()
            yield from ended
            begin = heads[passed - 1]
        window.append((number, line))


def _find_end(window: Sequence[_Copied], begin: int, header: Header, delimiter: str) -> list[_Ended]:
    """Return the last of the window's rows, from line `begin` on, that are none of its section's."""
    last = GridRow(0, _cells(window[-1][1], delimiter) if window else [])
    # No total and no title, as nearly all rows above a page's head are.
    if not window or (len(last.filled) > 1 and not last.below_bits(header.width)):
        return []
    copied = [(number, line.count(LINE_FEED), _cells(line, delimiter)) for number, line in window]
    line = header.first_line
    above = make_grid([(line, line, header.labels, None)] if line else [])
    grid = make_grid((number, number + breaks, cells, None) for number, breaks, cells in copied)
    start = 1 + sum(row.number < begin for row in grid)
    above += grid[:start]
    end = find_end(grid[start:], header.width, header.kinds, keeps_ends=False, above=above)
    below = grid[start + end].number if start + end < len(grid) else inf
    return [(number, cells) for number, _, cells in copied if number >= below]


def _cells(line: str, delimiter: str) -> list[str]:
    [row] = csv.reader([line], delimiter=delimiter, quotechar=QUOTE)
    while row and not row[-1].strip():
        row.pop()
    return list(map(on_its_lines, row[1:]))
