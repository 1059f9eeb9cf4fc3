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
from managed_tables_reader.rows.reading import TableWish, lines_between
from managed_tables_reader.rows.writer import QUOTE


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
    """Return the labels of a header of one line."""
    lengths = Counter(map(len, below)).most_common(1)
    usual = lengths[0][0] if lengths else 0
    labels = [(cell or "").replace("\ufeff", "") for cell in cells]
    labels = _cut_at_quote(_without_surplus_blank(labels, usual), usual)
    is_full = all(map(str.strip, labels))  # R writes no blank label above the numbers of rows
    return ["", *labels] if is_full and _are_numbered(below, len(labels)) else labels


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


def _without_surplus_blank(labels: list[str], usual: int) -> list[str]:
    """Drop the only blank label if it makes the header longer than the usual row: a doubled delimiter."""
    blank = sum(not label.strip() for label in labels)
    if usual > 1 and len(labels) - usual == blank == 1:
        return [label for label in labels if label.strip()]
    return labels


def _cut_at_quote(labels: list[str], usual: int) -> list[str]:
    """Cut the only label with a quote inside in two if the rows have one cell more: `Item"Preço"`."""
    glued = [number for number, label in enumerate(labels) if QUOTE in label.strip(QUOTE)]
    if len(labels) != usual - 1 or len(glued) != 1:
        return labels
    parts = labels[glued[0]].strip(QUOTE).split(QUOTE)
    return [*labels[: glued[0]], *parts, *labels[glued[0] + 1 :]] if len(parts) == 2 else labels


def _are_numbered(rows: Sequence[Cells], labels: int) -> bool:
    """Return whether each row begins with its number, which has no label, as R writes them."""
    return (
        len(rows) > 1
        and all(len(cells) == labels + 1 and cells[0] == str(n) for n, cells in enumerate(rows, start=1))
        and any(cells[-1] and cells[-1].strip() for cells in rows)
    )


def about_header(header: Header) -> list[Finding]:
    """Return the findings about lines above the table and other tables: they may have been rows."""
    found = [about_lines(WarningCode.LINES_ABOVE, header.skipped)] if header.skipped else []
    if header.is_assumed:
        found.append(rows_left_out(WarningCode.HEADER_ASSUMED, [(header.first_line or 1, header.labels)]))
    return found + [rows_left_out(WarningCode.TABLE_APART, rows) for rows in header.others]


def check_stated(rows: Sequence[GridRow], wish: TableWish, name: str) -> None:
    """Refuse a stated header line without cells: LINE_WITHOUT_CELLS."""
    line = wish.header_line
    if isinstance(line, int) and all(row.number != line for row in rows[:1]):
        raise JobError(LINE_WITHOUT_CELLS, file=name, line=line)
