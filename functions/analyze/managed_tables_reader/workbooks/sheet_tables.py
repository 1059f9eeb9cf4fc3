"""Turn a sheet's rows into a part: header, footer, odd rows, the normalised copy.

Of a workbook's sheets, choose those that are read, and record of each how it was read, or why not.
"""

import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from operator import methodcaller
from pathlib import Path

from managed_tables.conversion.marked_cells import unmark_text
from managed_tables.documents.analyses import TableReading
from managed_tables.documents.recipes import TableKind
from managed_tables.errors import FILE_EMPTY, JobError
from managed_tables.identifiers import make_column_names
from managed_tables.messages.findings import Finding, WarningCode, about_lines
from managed_tables.schema import ColumnType
from managed_tables_reader.layout.grid import GridRow, make_grid
from managed_tables_reader.layout.score import MAX_FOOTER_ROWS
from managed_tables_reader.layout.search import Grid, Header, find_end, find_header
from managed_tables_reader.layout.sections import leave_out_section_ends
from managed_tables_reader.rows import reasons
from managed_tables_reader.rows.notes import Extent, RowNotes, about_known, rows_left_out
from managed_tables_reader.rows.parts import Fill, Part, PartWriter, check_columns
from managed_tables_reader.rows.reading import LineMask, Overrides, stated_places
from managed_tables_reader.rows.sheets import MAX_ROWS, Batch, Row, Sheet, ShownDates, letters

HEAD_ROWS = 300  # among which the header is sought
_MAX_NAMED = 20
_MAX_FILLED_LINES = 100_000  # in one sheet; a merge of whole columns says nothing about its rows
_BLANK_OR_QUOTED = re.compile(r',[^\S\n]|"')  # in lines where no cell is blank, mostly none
_RECORDS = ("json", "jsonl", "parquet")
_COVER_WIDTH = 2  # columns: a title, or names and their values
_COVER_SHARE = 5  # a table has so many times the cells of its cover
_SURE_SHARE = 2  # the same, for a table on several sheets


def stage_sheet(sheet: Sheet, name: str, target: Path, overrides: Overrides) -> Part | None:
    """Write the sheet's rows to `target` as the overrides state; return None if no cell is left."""
    if sheet.labels is not None:
        return _stage_records(sheet, sheet.labels, name, target, overrides)
    mask = LineMask(overrides)
    batches = mask.batches(sheet.batches)
    head: list[Batch] = []
    header = _find_header(head, batches, sheet, name, overrides)
    if header is None:
        return None
    notes = RowNotes(header.width, Extent(skipped=list(header.lines_above())))
    _count_above(head, header, notes.extent)
    findings = header.findings()
    if header.footer:
        notes.extent.skip(number for number, _ in header.footer)
        findings.append(rows_left_out("FOOTER", header.footer))
    with PartWriter(target, header.width) as writer:
        body = _body(chain(head, batches), header, notes.extent)
        rows = body if overrides.table.last_line else _without_footer(body, header, notes, findings)
        for batch in rows:
            _write_batch(batch, header, writer, notes, name)
    notes.extent.skip([*mask.left_out, *mask.below])
    notes.extent.leave_all(mask.kept_out)
    fills = _fills(sheet, header, notes.extent, overrides)
    part = Part(
        path=target,
        labels=[label and unmark_text(label) for label in header.shown_labels],
        width=header.width,
        data_line=header.data_line,
        header_line=header.first_line,
        header_lines=header.line_count,
        header_end=header.last_line,
        extent=notes.extent,
        trim=bool(overrides.table.trim),
        skip_texts=mask.texts,
        keeps_last=overrides.table.last_line is not None,
        sheet=sheet.name,
        has_numbers=sheet.has_numbers,
        fills=fills,
        findings=[*sheet.findings, *findings, *_about_fills(fills)],
    )
    writer.describe(part)
    leave_out_section_ends(part, header, notes)
    part.findings += [*notes.findings(), *about_known(mask.kept_out)]
    return part


def _count_above(head: Sequence[Batch], header: Header, extent: Extent) -> None:
    """Count the rows above those of data."""
    known = range(header.first_line or 1, (header.last_line or 0) + 1)
    for batch in head:
        extent.count_above((row for row in batch.rows() if row[0] < header.data_line), known)


def _stage_records(sheet: Sheet, labels: list[str], name: str, target: Path, overrides: Overrides) -> Part:
    """Write the rows of a sheet whose columns its file names: every row is one, and no layout is sought."""
    check_columns(len(labels), name, 1)
    mask = LineMask(overrides.stating(header_line=None))
    part = Part(
        path=target,
        labels=labels,
        width=len(labels),
        data_line=1,
        header_line=None,
        sheet=sheet.name,
        has_numbers=True,
        trim=bool(overrides.table.trim),
        keeps_last=True,
        findings=sheet.findings,
        types=[*map(ColumnType, sheet.types)] if sheet.types else None,
        keeps_texts=True,
    )
    with PartWriter(target, len(labels)) as writer:
        for batch in mask.batches(sheet.batches):
            _write_plain(batch, writer, part.extent)
    part.extent.skip(mask.below)
    writer.describe(part)
    return part


def _fills(sheet: Sheet, header: Header, extent: Extent, overrides: Overrides) -> list[Fill]:
    """Return the cells of data that merged cells cover, unless a person wants them left empty."""
    last_line = extent.last_line
    if overrides.table.fill_merged is False or last_line is None:
        return []
    fills = [
        (left, top, min(bottom, last_line))
        for top, left, bottom, _ in sheet.merged_down
        if header.data_line <= top < min(bottom, last_line)
    ]
    return fills if sum(bottom - top for _, top, bottom in fills) <= _MAX_FILLED_LINES else []


def _about_fills(fills: Sequence[Fill]) -> Iterator[Finding]:
    """Yield the finding that names the ranges, if there are any."""
    if fills:
        names = [f"{letters(column)}{top}:{letters(column)}{bottom}" for column, top, bottom in fills]
        about = about_lines("MERGED_FILLED", [top for _, top, _ in fills])
        places = tuple(sorted({column for column, _, _ in fills}))
        yield replace(about, values={"names": names[:_MAX_NAMED]}, places=places)


def _find_header(
    head: list[Batch], batches: Iterator[Batch], sheet: Sheet, name: str, overrides: Overrides
) -> Header | None:
    """Find the header in the first rows; the batches that had to be read for it are added to `head`."""
    for row_count in (HEAD_ROWS, 2 * HEAD_ROWS):  # the second for a sheet that begins far down
        while sum(map(len, head)) < row_count and (batch := next(batches, None)) is not None:
            head.append(batch)
        rows = chain.from_iterable(batch.cut(0, row_count).rows() for batch in head)
        found = grid_rows([*islice(rows, row_count)], sheet.shown_dates)
        grid = Grid(found, keeps_ends=False, is_whole=False, known=overrides.known)
        if header := find_header(grid, stated_places(overrides), name):
            return header
    return None


def _body(batches: Iterable[Batch], header: Header, extent: Extent) -> Iterator[Batch]:
    """Yield the rows of data, down to the next table; a few sheets do not hold their rows in order."""
    first, end = header.data_line, header.end_line or MAX_ROWS + 1
    for batch in batches:
        kept = [place for place, number in enumerate(batch.numbers) if first <= number < end]
        if batch.numbers[-1] >= end:
            for number, cells in batch.rows():
                if number >= end:
                    extent.leave("TABLE_APART", number, cells)
        if kept:
            yield batch if len(kept) == len(batch) else batch.pick(kept)


def _write_batch(batch: Batch, header: Header, writer: PartWriter, notes: RowNotes, name: str) -> None:
    """Write rows: regular ones together, odd ones one by one."""
    start = 0
    for place in _odd_places(batch, header):
        _write_plain(batch.cut(start, place), writer, notes.extent)
        _write(*batch.row(place), header, writer, notes, name)
        start = place + 1
    _write_plain(batch.cut(start) if start else batch, writer, notes.extent)


def _write_plain(batch: Batch, writer: PartWriter, extent: Extent) -> None:
    extent.take_numbers(batch.numbers)
    writer.write_batch(batch)


def _odd_places(batch: Batch, header: Header) -> list[int]:
    """Return the places of odd rows: too long, with blank cells, or perhaps a repeated header."""
    odd: set[int] = set()
    for column in batch.columns[header.width :]:
        odd.update(_places(column, lambda _: True))
    if header.labels and header.labels[0] in batch.columns[0]:
        odd.update(_places(batch.columns[0], lambda cell: cell == header.labels[0]))
    for index, start in header.page_head.starts:
        if index < len(batch.columns):
            odd.update(_places(batch.columns[index], methodcaller("startswith", start)))
    may_be_blank = _BLANK_OR_QUOTED.search(batch.lines)
    for column in batch.columns:
        if "" in column or (may_be_blank and any(map(str.isspace, filter(None, column)))):
            odd.update(_places(column, lambda cell: not cell.strip()))
    return sorted(odd)


def _places(column: Sequence[str | None], is_odd: Callable[[str], bool]) -> Iterator[int]:
    return (place for place, cell in enumerate(column) if cell is not None and is_odd(cell))


def _write(
    number: int, row: Sequence[str | None], header: Header, writer: PartWriter, notes: RowNotes, name: str
) -> None:
    cells = list(row)
    while cells and not (cells[-1] or "").strip():
        cells.pop()
    if not cells:
        notes.leave_out(number)
        return
    if (len(cells) > 1 and cells == header.labels) or (header.width > 1 and header.page_head.has(cells)):
        if not header.is_assumed:
            notes.leave_out(number, "REPEATED_HEADER", cells)
            return
        notes.add("HEADER_AGAIN", number)
    check_columns(len(cells), name, number)
    if len(cells) > header.width:
        notes.add("LONG_ROWS", number)
    notes.extent.take_numbers([number])
    writer.write_row(number, cells)


def grid_rows(rows: Sequence[Row], shown_dates: ShownDates | None = None) -> list[GridRow]:
    """Return the rows of a sheet as rows of a grid; dates are labelled as the sheet shows them."""
    grid = make_grid((number, number, cells, None) for number, cells in rows)
    if shown_dates:
        for row in grid:
            row.labels = [shown_dates.get((row.number, place), cell) for place, cell in enumerate(row.cells)]
    return grid


def _without_footer(
    batches: Iterator[Batch], header: Header, notes: RowNotes, findings: list[Finding]
) -> Iterator[Batch]:
    """Yield the rows except the notes and totals at the end, which are added to `findings`."""
    held: deque[Batch] = deque()
    held_rows = 0
    for batch in batches:
        held.append(batch)
        held_rows += len(batch)
        while held_rows - len(held[0]) > MAX_FOOTER_ROWS:
            held_rows -= len(held[0])
            yield held.popleft()
    tail = [row for batch in held for row in batch.cut(max(0, len(batch) - MAX_FOOTER_ROWS - 1)).rows()]
    last = tail[-MAX_FOOTER_ROWS - 1 :]
    grid = grid_rows(last)
    above = grid_rows([(header.first_line, [*header.labels])] if header.first_line else [])
    end = find_end(grid, header.width, header.kinds, keeps_ends=False, above=above)
    length = 0 if end == len(grid) else sum(number >= grid[end].number for number, _ in last)
    left = held_rows - length
    for batch in held:
        yield batch.cut(0, max(0, left))
        left -= len(batch)
    if length:
        notes.extent.skip(number for number, _ in last[-length:])
        for number, cells in last[-length:]:
            notes.extent.leave("FOOTER", number, cells)
        findings.append(rows_left_out("FOOTER", last[-length:]))


@dataclass(frozen=True)
class StagedSheet:
    """A sheet: its part (None if it is hidden or has no cell) and the overrides about it."""

    name: str | None
    visible: bool
    part: Part | None
    overrides: Overrides

    @property
    def is_hidden(self) -> bool:
        """Whether the sheet is hidden, and nobody has said whether to read it."""
        return not self.visible and self.overrides.table.include is None

    def is_wanted(self, is_found: bool) -> bool:
        """Return whether to read the sheet, which was found to be the table or not."""
        return is_found if self.overrides.table.include is None else self.overrides.table.include


def choose_sheets(
    staged: Sequence[StagedSheet], kind: TableKind, name: str
) -> tuple[list[tuple[TableReading, Part | None]], list[Finding]]:
    """Choose the first table, or that of the known labels, and all sheets that agree; delete the others.

    Return how every sheet was read, with its part if it is to be imported, and what is to be said of those
    left out. The `include` of a sheet's own overrides decides, whatever the others are.
    """
    findings = list(_about_sheets("HIDDEN_SHEETS", [one.name for one in staged if one.is_hidden]))
    parts = [(sheet, sheet.part) for sheet in staged if sheet.part is not None]
    if not parts:
        raise JobError(FILE_EMPTY, file=name)
    found = _choose([part for sheet, part in parts if sheet.visible], staged, findings)
    chosen = [part for sheet, part in parts if sheet.is_wanted(part in found)]
    return [_reading(one, chosen, kind, name) for one in staged], findings if chosen else []


def _choose(parts: list[Part], staged: Sequence[StagedSheet], findings: list[Finding]) -> list[Part]:
    """Return the first table and all with its columns; report the others that nobody spoke of."""
    if not parts:
        return []
    filled = [part for part in parts if part.expected_rows] or parts[:1]
    first = _first_table(filled, staged)
    others = [part for part in parts if sorted(_names(part)) != sorted(_names(first))]
    told = _unstated(others, staged)
    findings += _about_others(first, told)
    findings += _about_sheets("EMPTY_SHEETS", [part.sheet for part in told if not part.expected_rows])
    return [part for part in filled if part not in others]


def _unstated(parts: Sequence[Part], staged: Sequence[StagedSheet]) -> list[Part]:
    return [own for one in staged for own in parts if one.part is own and one.overrides.table.include is None]


def _first_table(parts: Sequence[Part], staged: Sequence[StagedSheet]) -> Part:
    """Return the table with the most known labels, else the first one that is no cover."""
    counts = [max(sheet.overrides.known.count(part.labels) for sheet in staged) for part in parts]
    if any(counts):
        return parts[counts.index(max(counts))]
    return next((part for part in parts if not _is_cover(part, parts)), parts[0])


def _about_others(first: Part, others: Sequence[Part]) -> Iterator[Finding]:
    """Yield a finding for each header of the sheets left out: their names and the differing columns."""
    names = _names(first)
    filled = [part for part in others if part.expected_rows]
    for header in dict.fromkeys(map(_names, filled)):
        left = [part for part in filled if _names(part) == header]
        [about] = _about_sheets("SHEETS_LEFT_OUT", [part.sheet for part in left])
        labels = dict(zip((*names, *header), (*first.labels, *left[0].labels), strict=True))
        differing = [name for name in (*header, *names) if (name in header) != (name in names)]
        yield replace(about, columns=tuple(labels.get(name, name) for name in differing))


def _names(part: Part) -> tuple[str, ...]:
    return tuple(make_column_names(part.labels))


def _is_cover(part: Part, parts: Sequence[Part]) -> bool:
    """Return whether a sheet is a cover or a note, not a table: narrow, and small next to the others."""
    width = _labelled_width(part)
    if width > _COVER_WIDTH:
        return False
    tables: dict[tuple[str, ...], list[Part]] = defaultdict(list)
    for other in parts:
        tables[tuple(sorted(_names(other)))].append(other)
    del tables[tuple(sorted(_names(part)))]

    def covers(sheets: Sequence[Part]) -> bool:
        is_wider = max(map(_labelled_width, sheets)) > width
        cells = sum((one.expected_rows or 0) * one.width for one in sheets)
        share = _SURE_SHARE if len(sheets) > 1 else _COVER_SHARE
        return (is_wider or len(sheets) > 1) and cells >= share * (part.expected_rows or 0) * width

    return any(map(covers, tables.values()))


def _labelled_width(part: Part) -> int:
    """Return how many columns have a label: a title has one, whatever is below it."""
    return sum(bool((label or "").strip()) for label in part.labels) or part.width


def _about_sheets(code: WarningCode, sheets: Sequence[str | None]) -> Iterator[Finding]:
    """Yield the finding about sheets, if there are any; a single one is also its `sheet`."""
    names = [sheet or "" for sheet in sheets]
    if names:
        yield Finding(code, {"names": names}, count=len(names), sheet=names[0] if len(names) == 1 else None)


def _reading(
    sheet: StagedSheet, chosen: Sequence[Part], kind: TableKind, name: str
) -> tuple[TableReading, Part | None]:
    part, overrides = sheet.part, sheet.overrides
    if part is None:
        nothing = Part(Path(), [], 0, 1, None, file=overrides.table.file, sheet=sheet.name)
        is_empty = sheet.visible or overrides.table.include
        why = reasons.SHEET_EMPTY if is_empty else reasons.SHEET_HIDDEN
        return reasons.reading_of(nothing, name, kind, []).left_out(why), None
    of_header = [reasons.OF_RECORDS] if kind in _RECORDS else reasons.of_header(part.header_line, overrides)
    reading = reasons.reading_of(part, name, kind, of_header)
    if part in chosen:
        return reading, part
    part.path.unlink()
    if overrides.table.include is False:
        return reading.left_out(reasons.EXCLUDED), None
    return reading.left_out(reasons.SHEET_DIFFERS if reading.rows else reasons.SHEET_WITHOUT_ROWS), None
