"""Owns the way from a sheet's rows to a part: header, footer, odd rows, the normalised copy."""

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path

from managed_tables.errors import TOO_MANY_COLUMNS, JobError
from managed_tables.identifiers import MAX_COLUMNS
from managed_tables_analyze.cells import is_blank
from managed_tables_analyze.dialect import QUOTE
from managed_tables_analyze.footer import MAX_FOOTER_ROWS, footer_length
from managed_tables_analyze.header import Header, check_width, find_header
from managed_tables_analyze.notes import RowNotes
from managed_tables_analyze.parts import Part
from managed_tables_analyze.sheets import Row, Sheet
from managed_tables_analyze.writer import PartWriter

_HEAD_ROWS = 300  # among which the header is sought
_ROWS_AT_ONCE = 1_000  # so many are written with the overhead of one


def stage_sheet(sheet: Sheet, name: str, target: Path) -> Part | None:
    """Write the sheet's rows to `target`; None where the sheet has no cell."""
    rows = iter(sheet.rows)
    head = list(islice(rows, _HEAD_ROWS))
    header = find_header(head, sheet.merged)
    if header is None:
        head += islice(rows, _HEAD_ROWS)  # a sheet that begins far down
        header = find_header(head, sheet.merged)
    if header is None:
        return None
    check_width(header, name)
    notes = RowNotes(header.width)
    warnings = header.warnings()
    with PartWriter(target, header.width) as writer:
        body = (row for row in chain(head, rows) if row[0] >= header.data_line)
        kept = _without_footer(body, header, warnings)
        while some := list(islice(kept, _ROWS_AT_ONCE)):
            _write_some(some, header, writer, notes, name)
    return Part(
        path=target,
        labels=header.labels,
        width=writer.width,
        has_breaks=writer.has_breaks,
        is_ragged=writer.width > header.width,
        delimiter=writer.delimiter,
        quote=QUOTE,
        escape=QUOTE,
        has_line=True,
        data_line=header.data_line,
        header_line=header.first_line,
        sheet=sheet.name,
        expected_rows=writer.rows,
        max_record_bytes=writer.longest * 4,
        numbers=sheet.counts.numbers,
        warnings=[*sheet.warnings, *warnings, *notes.warnings()],
    )


def _write_some(rows: Sequence[Row], header: Header, writer: PartWriter, notes: RowNotes, name: str) -> None:
    """Write rows: those that are like the others in one go, each odd one by itself."""
    width, labels = header.width, header.labels
    regular: list[Row] = []
    for row in rows:
        cells = row[1]
        if 0 < len(cells) <= width and cells != labels and not is_blank(cells[-1]):
            regular.append(row)
            continue
        writer.write_rows(regular)
        regular = []
        _write(row[0], cells, header, writer, notes, name)
    writer.write_rows(regular)


def _write(
    number: int, row: Sequence[str | None], header: Header, writer: PartWriter, notes: RowNotes, name: str
) -> None:
    cells = list(row)
    while cells and is_blank(cells[-1]):
        cells.pop()
    if not cells:
        return
    if len(cells) > 1 and cells == header.labels:
        notes.repeated_header(number)
        return
    if len(cells) > MAX_COLUMNS:
        raise JobError(TOO_MANY_COLUMNS, file=name, count=len(cells), line=number, limit=MAX_COLUMNS)
    notes.see_length(number, len(cells))
    writer.write_row(number, cells)


def _without_footer(rows: Iterator[Row], header: Header, warnings: list[str]) -> Iterator[Row]:
    """Yield the rows but for the notes and totals at the end, which are named in `warnings`."""
    held: deque[Row] = deque()
    for row in rows:
        held.append(row)
        if len(held) > MAX_FOOTER_ROWS + 1:
            yield held.popleft()
    last = list(held)
    length = footer_length(last, header.width, short_tells=False)
    yield from last[: len(last) - length]
    if length:
        shown = "; ".join(
            " ".join(cell for cell in cells if cell)[:60] for _, cells in last[-length:] if cells
        )
        warnings.append(f"Rodapé fora da tabela, não importado: {shown}")
