"""Write XLSX by openpyxl's write-only mode: real numbers, dates and texts, a frozen header.

PostgreSQL has made the texts of the cells, dates as the serials that Excel counts in: openpyxl writes them
as they are. Numbers that a cell cannot hold are written as text.
"""

import itertools
import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ERROR_CODES
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from psycopg import sql

from managed_tables.errors import EXPORT_TEXT_TOO_LONG, EXPORT_TOO_MANY_SHEETS, JobError
from managed_tables.schema import Column, ColumnType
from managed_tables_export.destination import Destination
from managed_tables_export.query import CELL_TEXTS, select_texts
from managed_tables_export.snapshot import Source

SHEET_ROWS = 1_048_575  # Excel's, less the header
MAX_SHEETS = 100
MAX_TEXT_CHARACTERS = 32_767  # of a cell, counted as Excel does
MAX_TITLE_CHARACTERS = 31
ROWS_A_REPORT = 2_000

# What XML cannot carry, or a reader would change, and what would be read as such an escape
_ESCAPED = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]|_(?=x[0-9A-Fa-f]{4}_)")
_FORMATS = {
    ColumnType.INTEGER: "0",
    ColumnType.DATE: "dd/mm/yyyy",
    ColumnType.DATETIME: "dd/mm/yyyy hh:mm:ss",
}
_WIDTHS = {ColumnType.TEXT: 24, ColumnType.DATETIME: 20}
_OTHER_WIDTH = 14
_GENERAL_DIGITS = 11  # of a whole number that Excel shows without a format of its own
_FLOAT_DIGITS = 15  # which openpyxl writes as they are


def write_workbook(
    source: Source, destination: Destination, folder: Path, report: Callable[[int], None]
) -> int:
    """Write the rows as a workbook and return how many; the sheets' XML passes through temporary files."""
    source.set_zone(source.snapshot.zone)
    with _temporary_files_in(folder):
        return _write(source, destination, report)


@contextmanager
def _temporary_files_in(folder: Path) -> Iterator[None]:
    """Let openpyxl keep its files there, where they go with the folder whatever happens."""
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before


def _write(source: Source, destination: Destination, report: Callable[[int], None]) -> int:
    query = select_texts(source.snapshot.table, source.selection, CELL_TEXTS, safe=False)
    workbook = Workbook(write_only=True)
    rows = 0
    with source.copy(query, sql.SQL("")) as copy:
        for number, batch in enumerate(_sheets(copy.rows())):
            if number == MAX_SHEETS:
                raise JobError(EXPORT_TOO_MANY_SHEETS)
            with closing(_Sheet(workbook, _title(source, number), source.selection.columns)) as sheet:
                for row in batch:
                    sheet.append(row)
                    rows += 1
                    if rows % ROWS_A_REPORT == 0:
                        report(rows)
    workbook.save(destination)
    return rows


class _Sheet:
    """One sheet: its header, then rows of texts as `CELL_TEXTS` gives them."""

    def __init__(self, workbook: Workbook, title: str, columns: Sequence[Column]) -> None:
        self._sheet: Any = workbook.create_sheet(title)
        self._sheet.freeze_panes = "A2"
        for place, column in enumerate(columns, start=1):
            width = _WIDTHS.get(column.type, _OTHER_WIDTH)
            self._sheet.column_dimensions[get_column_letter(place)].width = width
        self._cells = [_ColumnCells(self._sheet, column) for column in columns]
        self._sheet.append([_label(self._sheet, column) for column in columns])

    def append(self, row: Sequence[str | None]) -> None:
        """Write one row; a text of no characters is an empty cell."""
        cells = self._cells
        self._sheet.append([cells[place].fill(text) if text else None for place, text in enumerate(row)])

    def close(self) -> None:
        """End the sheet."""
        self._sheet.close()


class _ColumnCells:
    """Turns one column's texts into what openpyxl takes: a plain value where that does, which is quicker.

    The two cells are the same objects for every row: each is written before the next one is filled.
    """

    def __init__(self, sheet: Any, column: Column) -> None:
        self._column = column
        self._text_cell, self._cell = WriteOnlyCell(sheet), WriteOnlyCell(sheet)
        self._cell.number_format = _FORMATS.get(column.type, "General")
        fills: dict[ColumnType, Callable[[str], Any]] = {
            ColumnType.TEXT: self._text,
            ColumnType.INTEGER: self._integer,
            ColumnType.DECIMAL: self._decimal,
            ColumnType.BOOLEAN: "1".__eq__,
            ColumnType.DATE: self._number,
            ColumnType.DATETIME: self._number,
        }
        self._fill = fills[column.type]
        self._is_text = column.type is ColumnType.TEXT

    def fill(self, text: str) -> Any:
        """Return the cell of this text, or the plain value; other text begins with an apostrophe."""
        if text[0] == "'" and not self._is_text:
            return self._as_text(text[1:])
        return self._fill(text)

    def _text(self, text: str) -> Any:
        text = _cell_text(text, self._column)
        return self._as_text(text) if text[0] == "=" or text in ERROR_CODES else text

    def _as_text(self, text: str) -> Any:
        self._text_cell.value = text
        self._text_cell.data_type = "s"  # never a formula, nor an error
        return self._text_cell

    def _integer(self, text: str) -> Any:
        return int(text) if len(text) <= _GENERAL_DIGITS else self._number(text)

    def _decimal(self, text: str) -> Any:
        return float(text) if len(text) <= _FLOAT_DIGITS else self._number(text)

    def _number(self, text: str) -> Any:
        """Return the cell of a number with these very digits, in the column's format."""
        self._cell.value = text
        self._cell.data_type = "n"
        return self._cell


def _label(sheet: Any, column: Column) -> Any:
    cell = WriteOnlyCell(sheet, _cell_text(column.display_name, column))
    cell.data_type = "s"
    cell.font = Font(bold=True)
    return cell


def _cell_text(text: str, column: Column) -> str:
    """Return the text as a workbook's XML has it; raises EXPORT_TEXT_TOO_LONG."""
    # Excel counts UTF-16: a character beyond the first plane is two.
    if len(text) > MAX_TEXT_CHARACTERS // 2 and len(text.encode("utf-16-le")) // 2 > MAX_TEXT_CHARACTERS:
        raise JobError(EXPORT_TEXT_TOO_LONG, column=column.name, limit="32.767")
    return _ESCAPED.sub(lambda found: f"_x{ord(found[0]):04X}_", text)


def _sheets(rows: Iterator[tuple[Any, ...]]) -> Iterator[Iterator[tuple[Any, ...]]]:
    """Yield the rows of each sheet, at least one sheet; each is read before the next is asked for."""
    yield itertools.islice(rows, SHEET_ROWS)
    for first in rows:
        yield itertools.chain([first], itertools.islice(rows, SHEET_ROWS - 1))


def _title(source: Source, number: int) -> str:
    suffix = f"_{number + 1}" if number else ""
    return source.snapshot.display_name[: MAX_TITLE_CHARACTERS - len(suffix)] + suffix
