"""Describe where a table is and how its columns are labelled."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby, zip_longest

from managed_tables.errors import LINE_WITHOUT_CELLS, TOO_MANY_COLUMNS, JobError
from managed_tables.identifiers import MAX_COLUMNS
from managed_tables.messages.findings import Finding, WarningCode, about_lines
from managed_tables_reader.layout.grid import Cells, GridRow
from managed_tables_reader.layout.pages import PageHead
from managed_tables_reader.rows.notes import rows_left_out
from managed_tables_reader.rows.reading import Overrides, lines_between


@dataclass
class Header:
    """Where a table is, and how its columns are labelled; lines are numbers of rows."""

    labels: list[str]  # cut to `width`
    shown_labels: list[str]  # with dates as a sheet shows them
    width: int
    first_line: int | None  # of the header, None if there is none
    data_line: int  # rows from this number on are data
    skipped: list[int] = field(default_factory=list)  # titles and notes above the table
    page_head: PageHead = field(default_factory=PageHead)
    last_line: int | None = None  # of the header
    line_count: int = 0  # of the header
    end_line: int | None = None  # the first below the table
    next_line: int | None = None  # the first of the next table below
    kinds: tuple[str, ...] = ()  # of the columns
    is_assumed: bool = False  # the first row is the header by custom only: nothing in the table shows it
    others: Sequence[Sequence[tuple[int, Cells]]] = ()  # the rows of other tables above and below

    def lines_above(self) -> Sequence[int]:
        """Return the lines above the data that are not the header's, blank ones included."""
        last = self.first_line if self.last_line is None else self.last_line
        own = () if self.first_line is None or last is None else range(self.first_line, last + 1)
        return lines_between(1, self.data_line - 1, own)

    def check_width(self, name: str) -> None:
        """Raise JobError if the table has more columns than PostgreSQL allows."""
        if self.width > MAX_COLUMNS:
            line = self.first_line or self.data_line
            raise JobError(TOO_MANY_COLUMNS, file=name, count=self.width, line=line, limit=MAX_COLUMNS)


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


def about_header(header: Header) -> list[Finding]:
    """Return the findings about lines above the table and other tables: they may have been rows."""
    found = [about_lines(WarningCode.LINES_ABOVE, header.skipped)] if header.skipped else []
    if header.is_assumed:
        found.append(rows_left_out(WarningCode.HEADER_ASSUMED, [(header.first_line or 1, header.labels)]))
    return found + [rows_left_out(WarningCode.TABLE_APART, rows) for rows in header.others]


def check_stated(rows: Sequence[GridRow], overrides: Overrides, name: str) -> None:
    """Refuse a stated header line without cells: LINE_WITHOUT_CELLS."""
    line = overrides.header_line
    if isinstance(line, int) and all(row.number != line for row in rows[:1]):
        raise JobError(LINE_WITHOUT_CELLS, file=name, line=line)
