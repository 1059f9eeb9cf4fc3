"""Write XLSX: real numbers, dates and texts as the table shows them, a header that is frozen and filters.

One that people change and send back has what `editing` says besides, and one sheet.

openpyxl makes the workbook: its styles, and sheets with the header. The rows, for which it needs nine times
the processor, are written into the sheets' XML here, and go out as they come. PostgreSQL has made the texts
of the cells, dates as the serials that Excel counts in. Numbers that a cell cannot hold are written as text.
"""

import io
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any, cast
from xml.sax.saxutils import escape

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from psycopg import sql

from managed_tables.errors import (
    EXPORT_NOT_EDITABLE,
    EXPORT_TEXT_TOO_LONG,
    EXPORT_TOO_MANY_SHEETS,
    JobError,
)
from managed_tables.identifiers import ID_COLUMN
from managed_tables.schema import Column, ColumnFormat, ColumnType
from managed_tables_export import editing
from managed_tables_export.destination import ExportObject
from managed_tables_export.snapshot import ExportSource
from managed_tables_export.texts import CELL_TEXTS, select_texts

SHEET_ROWS = 1_048_575  # Excel's, less the header
SHEET_BYTES = 2_000_000_000  # of XML: Excel does not open ZIP's format for larger members
MAX_SHEETS = 100
MAX_TEXT_CHARACTERS = 32_767  # of a cell, counted as Excel does
MAX_TITLE_CHARACTERS = 31
BATCH_ROWS = 500
_COMPRESSION = 4  # a third of the time of 6, for a file a tenth larger

# What XML cannot carry, or a reader would change, and what would be read as such an escape
_ESCAPED = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_FORMATS = {
    ColumnType.INTEGER: "0",
    ColumnType.DATE: "dd/mm/yyyy",
    ColumnType.DATETIME: "dd/mm/yyyy hh:mm:ss",
}
_DATE_FORMATS = {  # by the column's own; a time alone stays whole, else it would come back without its day
    "date": "dd/mm/yyyy",
    "datetime": "dd/mm/yyyy hh:mm:ss",
    "month": "mm/yyyy",
    "year": "yyyy",
}
_CURRENCIES = {"BRL": '"R$" ', "USD": '"US$" ', "EUR": '"€" '}
_WIDTHS = {ColumnType.TEXT: 24, ColumnType.DATETIME: 20}
_OTHER_WIDTH = 14
_ROWS_END = b"</sheetData>"
_DIMENSION = re.compile(rb"<dimension [^>]*>")  # of the header alone: some programs read no more
_FILTER = '<autoFilter ref="A1:{}{}"/>'
_SHEET = "xl/worksheets/sheet{}.xml"

Row = Sequence[str | None]
Cell = Callable[[str, int], str]  # the XML of a text, as `CELL_TEXTS` gives it, in a row


def write_workbook(source: ExportSource, destination: ExportObject, _folder: Path) -> int:
    """Write the rows as a workbook and return how many."""
    source.set_zone(source.zone)
    query = select_texts(source, CELL_TEXTS, safe=False)
    writer = _WorkbookWriter(source)
    out = cast("IO[bytes]", destination)
    with (
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=_COMPRESSION) as archive,
        source.copy(query, sql.SQL("")) as copy,
    ):
        writer.write(archive, copy.rows())
    return writer.rows


@dataclass(frozen=True)
class _Outline:
    """A workbook without its rows: of `sheets` sheets, the last of so many lines."""

    source: ExportSource
    choices: Mapping[str, editing.Choices]
    sheets: int = 1
    last_line: int = 1

    @property
    def _labels(self) -> list[str]:
        """The header's texts."""
        columns, base_id = self.source.selection.columns, self.source.base_id
        if base_id is not None:
            return editing.labels_of(columns, base_id)
        return [column.display_name for column in columns]

    def make(self) -> tuple[Mapping[str, bytes], Sequence[int]]:
        """Return the workbook's parts, and each column's style."""
        workbook, base_id = Workbook(), self.source.base_id
        workbook.remove(workbook.worksheets[0])
        for number in range(self.sheets):
            sheet, styles = self._add_sheet(workbook, number)
        if base_id is not None:
            editing.sign(workbook, base_id)
            editing.add_choices(workbook, sheet, self.source.selection.columns, self.choices)
            editing.add_table(sheet, len(styles), self.last_line)
        made = io.BytesIO()
        workbook.save(made)
        with zipfile.ZipFile(made) as archive:
            return {name: archive.read(name) for name in archive.namelist()}, styles

    def _add_sheet(self, workbook: Any, number: int) -> tuple[Any, list[int]]:
        """Add a sheet with its header; return it with the numbers of its columns' styles."""
        name = self.source.display_name
        suffix = f"_{number + 1}" if number or name == "history" else ""  # Excel's own sheet
        sheet: Any = workbook.create_sheet(name[: MAX_TITLE_CHARACTERS - len(suffix)] + suffix)
        sheet.freeze_panes = "A2"
        styles = []
        labelled = zip(self.source.selection.columns, self._labels, strict=True)
        for place, (column, label) in enumerate(labelled, start=1):
            shape = sheet.column_dimensions[get_column_letter(place)]
            shape.width, shape.number_format = _WIDTHS.get(column.type, _OTHER_WIDTH), self._format(column)
            shape.hidden = self._is_of_ids(column)
            cell = sheet.cell(1, place, _cell_text(label, column))
            cell.data_type, cell.font = "s", Font(bold=True)  # never a formula
            if self.source.base_id is not None:
                editing.name_column(cell, column)
            styles.append(shape._style)
        return sheet, [workbook._cell_styles.add(style) for style in styles]

    def _format(self, column: Column) -> str:
        """Return Excel's words for the format of the column's cells."""
        if column.type is ColumnType.TEXT and self.source.base_id is not None:
            return editing.TEXT_FORMAT
        return _number_format(column)

    def _is_of_ids(self, column: Column) -> bool:
        return self.source.base_id is not None and column.name == ID_COLUMN


class _WorkbookWriter:
    """Writes one workbook: as many sheets as the rows need, then the parts that name them."""

    def __init__(self, source: ExportSource) -> None:
        self._source = source
        self.rows = 0
        self._outline = _Outline(source, editing.find_choices(source) if source.base_id else {})
        parts, styles = self._outline.make()
        self._start, _, self._end = _DIMENSION.sub(b"", parts[_SHEET.format(1)]).partition(_ROWS_END)
        styled = zip(source.selection.columns, styles, strict=True)
        self._cells = [
            _cell_writer(column, get_column_letter(place), style)
            for place, (column, style) in enumerate(styled, start=1)
        ]

    def write(self, archive: zipfile.ZipFile, rows: Iterator[Row]) -> None:
        """Write all rows; there is a sheet also without any."""
        sheets = 0
        while (first := list(islice(rows, 1))) or not sheets:
            sheets += 1
            if sheets > (1 if self._source.base_id else MAX_SHEETS):
                raise JobError(EXPORT_NOT_EDITABLE if self._source.base_id else EXPORT_TOO_MANY_SHEETS)
            with archive.open(_SHEET.format(sheets), "w") as out:
                out.write(self._start)
                before = self.rows
                self._write_rows(out, islice(chain(first, rows), SHEET_ROWS))
                out.write(_ROWS_END + self._filter(self.rows - before + 1) + self._end)
        outline = replace(self._outline, sheets=sheets, last_line=self.rows + 1)
        for name, content in outline.make()[0].items():
            if name not in archive.namelist():
                archive.writestr(name, content)

    def _write_rows(self, out: IO[bytes], rows: Iterator[Row]) -> None:
        """Write rows below the header until the sheet is as large as it may be."""
        numbered, size = enumerate(rows, start=2), 0
        while size < SHEET_BYTES and (batch := list(islice(numbered, BATCH_ROWS))):
            content = "".join([self._row(number, row) for number, row in batch]).encode()
            out.write(content)
            size += len(content)
            self.rows += len(batch)
            self._source.report(self.rows)

    def _filter(self, last_line: int) -> bytes:
        """Return what lets people filter by each column, down to this line; a table of Excel's has it."""
        if self._source.base_id is not None:
            return b""
        return _FILTER.format(get_column_letter(len(self._cells)), last_line).encode()

    def _row(self, number: int, row: Row) -> str:
        cells = "".join([cell(text, number) for cell, text in zip(self._cells, row, strict=True) if text])
        return f'<row r="{number}">{cells}</row>'


def _number_format(column: Column) -> str:
    """Return Excel's words for the format in which the table shows a column."""
    usual = _FORMATS.get(column.type, "General")
    if column.format is None:
        return usual
    if column.type.is_number:
        return _format_of_numbers(column, column.format, usual)
    return _DATE_FORMATS.get(column.format.date or "", usual)


def _format_of_numbers(column: Column, shown: ColumnFormat, usual: str) -> str:
    is_decimal = column.type is ColumnType.DECIMAL
    decimals = 2 if shown.decimals is None and shown.currency else shown.decimals
    if decimals is None and is_decimal:
        return "0.00%" if shown.percent else usual  # as many decimals as each value has
    is_grouped = shown.thousands
    if is_grouped is None:
        is_grouped = is_decimal or shown.currency is not None
    whole, fraction = "#,##0" if is_grouped else "0", f".{'0' * decimals}" if decimals else ""
    return f"{_CURRENCIES.get(shown.currency or '', '')}{whole}{fraction}{'%' if shown.percent else ''}"


def _cell_writer(column: Column, letter: str, style: int) -> Cell:
    """Return what writes the column's cells; a text other than a number begins with an apostrophe."""
    styled = f' s="{style}"' if style else ""

    def text_cell(text: str, row: int) -> str:
        found = escape(_cell_text(text, column))
        space = ' xml:space="preserve"' if found.strip() != found or "\n" in found else ""
        return f'<c r="{letter}{row}"{styled} t="inlineStr"><is><t{space}>{found}</t></is></c>'

    def number_cell(text: str, row: int) -> str:
        if text[0] == "'":
            return text_cell(text[1:], row)
        return f'<c r="{letter}{row}"{styled}><v>{text}</v></c>'

    def boolean_cell(text: str, row: int) -> str:
        return f'<c r="{letter}{row}" t="b"><v>{text}</v></c>'

    writers: dict[ColumnType, Cell] = {ColumnType.TEXT: text_cell, ColumnType.BOOLEAN: boolean_cell}
    return writers.get(column.type, number_cell)


def _cell_text(text: str, column: Column) -> str:
    """Return the text as a workbook's XML has it; raises EXPORT_TEXT_TOO_LONG."""
    # Excel counts UTF-16: a character beyond the first plane is two.
    if len(text) > MAX_TEXT_CHARACTERS // 2 and len(text.encode("utf-16-le")) // 2 > MAX_TEXT_CHARACTERS:
        raise JobError(EXPORT_TEXT_TOO_LONG, column=column.name, limit="32.767")
    return _ESCAPED.sub(lambda found: f"_x{ord(found[0]):04X}_", text)
