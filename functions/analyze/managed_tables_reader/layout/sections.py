"""Leave out what ends a section: totals and titles between its rows and the header that is repeated below.

They are found like the footer of a table, by the score, but in the copy of the rows: sections may be longer
than any sample.
"""

import csv
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from math import inf

from managed_tables.conversion.one_line import LINE_FEED, on_its_lines
from managed_tables.messages.findings import MAX_LINES
from managed_tables_reader.layout.grid import Cells, GridRow, make_grid
from managed_tables_reader.layout.looks import TEXT
from managed_tables_reader.layout.score import Scorer
from managed_tables_reader.layout.search import Header
from managed_tables_reader.rows.notes import RowNotes, rows_left_out
from managed_tables_reader.rows.parts import Part
from managed_tables_reader.rows.writer import QUOTE

_ROWS_COMPARED = 12  # above a repeated header: few, since a report may have thousands of pages
_MOST_COLUMNS = 100  # and few columns: no report on pages is as wide
_MOST_SECTIONS = 20_000  # each costs up to a millisecond

csv.field_size_limit(sys.maxsize)  # a cell of the copy may be as long as a file's

_Copied = tuple[int, str]  # the line number, and the line of the copy


def leave_out_section_ends(part: Part, header: Header, notes: RowNotes) -> None:
    """Remove the lines that end sections from a part's copy, and add the finding about them."""
    if part.keeps_last or not notes.heads or not 1 < header.width <= _MOST_COLUMNS:
        return
    target = part.path.with_suffix(".sections")
    left_out: list[int] = []
    first: list[tuple[int, Cells]] = []
    window: deque[_Copied] = deque()
    with (
        part.path.open(encoding="utf-8", newline="\n") as copy,
        target.open("w", encoding="utf-8", newline="\n") as out,
    ):
        begin = header.data_line
        for end, row in _with_heads(copy, part.delimiter, notes.heads[:_MOST_SECTIONS]):
            if end is not None:
                ended = _take_end(window, _find_end(window, begin, header, part.delimiter), part.delimiter)
                for number, cells in ended:
                    notes.forget(number, len(cells))
                    left_out.append(number)
                first += ended[: MAX_LINES - len(first)]
                begin = end
            window.append(row)
            if len(window) > _ROWS_COMPARED:
                out.write(window.popleft()[1])
        out.writelines(line for _, line in window)
    target.rename(part.path)
    if left_out:
        part.expected_rows = None if part.expected_rows is None else part.expected_rows - len(left_out)
        part.extent.skip(left_out)
        part.findings.append(rows_left_out("SECTION_LINES", first, len(left_out)))


def _take_end(window: deque[_Copied], place: float, delimiter: str) -> list[tuple[int, list[str]]]:
    """Take the rows from a line on out of the window, and return their cells."""
    ended = [(number, _cells(line, delimiter)) for number, line in window if number >= place]
    for _ in ended:
        window.pop()
    return ended


def _with_heads(
    copy: Iterable[str], delimiter: str, heads: Sequence[int]
) -> Iterator[tuple[int | None, _Copied]]:
    """Yield the lines of the copy, each with the last of the heads right above it, None if there is none."""
    place = 0
    for line in copy:
        number = int(line[: line.index(delimiter)])
        last = None
        while place < len(heads) and heads[place] < number:
            last = heads[place]
            place += 1
        yield last, (number, line)


def _find_end(window: Sequence[_Copied], begin: int, header: Header, delimiter: str) -> float:
    """Return the line from which on the window's rows, from `begin` on, are none of its section's."""
    if not window or _is_usual(_cells(window[-1][1], delimiter), header.width):
        return inf
    copied = [(number, line.count(LINE_FEED), _cells(line, delimiter)) for number, line in window]
    line, width = header.first_line, header.width
    above = make_grid([(line, line, header.labels, None)] if line else [])
    grid = make_grid((number, number + breaks, cells, None) for number, breaks, cells in copied)
    start = len(above) + sum(row.number < begin for row in grid)
    kinds = (*header.kinds, *(TEXT,) * width)[:width]
    scorer = Scorer([*above, *grid], width, keeps_ends=False)
    end = scorer.find_section_end(scorer.row_bits(start, kinds), kinds, start + 1, len(scorer.rows))
    return scorer.rows[end].number if end < len(scorer.rows) else inf


def _is_usual(cells: Cells, width: int) -> bool:
    """Return whether a row is no total and no title, as nearly all rows above a page's head are."""
    row = GridRow(0, cells)
    return len(row.filled) > 1 and not row.below_bits(width)


def _cells(line: str, delimiter: str) -> list[str]:
    [row] = csv.reader([line], delimiter=delimiter, quotechar=QUOTE)
    while row and not row[-1].strip():
        row.pop()
    return list(map(on_its_lines, row[1:]))
