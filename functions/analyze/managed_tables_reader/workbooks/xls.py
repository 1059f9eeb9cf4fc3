"""Read XLS (BIFF 2 to 8) with xlrd: exact doubles and the number format of every cell."""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import xlrd
from xlrd.biffh import XL_CELL_BOOLEAN, XL_CELL_DATE, XL_CELL_ERROR, XL_CELL_NUMBER, XL_CELL_TEXT, XLRDError
from xlrd.compdoc import CompDocError

from managed_tables.conversion.workbook_cells import mark_text
from managed_tables_reader.workbooks.formats import NumberFormat, builtin_format, parse_format
from managed_tables_reader.workbooks.raw import (
    Cells,
    RawSheet,
    Tally,
    WorkbookEncryptedError,
    WorkbookError,
    in_batches,
)

# What xlrd raises on malformed files: its own errors, and those of reading beyond a record's end or from an
# object that is missing.
_FOREIGN_ERRORS = (
    XLRDError, CompDocError, struct.error, AssertionError, AttributeError, LookupError, TypeError, ValueError,
    ArithmeticError, RecursionError, OSError, EOFError, NotImplementedError,
)  # fmt: skip


def read_xls(path: Path) -> Iterator[RawSheet]:
    """Yield the worksheets in the order of their tabs; chart and macro sheets hold no table."""
    book = _open(path)
    for index in range(book.nsheets):
        try:
            sheet = book.sheet_by_index(index)
        except _FOREIGN_ERRORS as error:
            raise WorkbookError(f"a aba {index + 1} não pode ser lida ({error!r})") from error
        tally = Tally(
            is_1904=bool(book.datemode),
            # xlrd counts from 0 and gives the first row and column after the range.
            merged=[(top + 1, left, bottom, right - 1) for top, bottom, left, right in sheet.merged_cells],
            hidden_columns={column for column, info in sheet.colinfo_map.items() if info.hidden},
        )
        rows = SheetReader(book, sheet, tally).rows()
        yield RawSheet(sheet.name or None, sheet.visibility == 0, in_batches(rows), tally)
        book.unload_sheet(index)


def _open(path: Path) -> Any:
    # Formulas of defined names are not needed, and one that xlrd cannot read would cost the whole file.
    xlrd.book.Book.names_epilogue = lambda _: None
    try:
        with open(os.devnull, "w") as silence:
            return xlrd.open_workbook(
                path, logfile=silence, formatting_info=True, on_demand=True, ragged_rows=True
            )
    except _FOREIGN_ERRORS as error:
        if "encrypted" in str(error).lower():
            raise WorkbookEncryptedError("tem senha") from error
        raise WorkbookError(f"não pode ser lida como XLS ({error!r})") from error


class SheetReader:
    """Turns the cells of one sheet into text."""

    def __init__(self, book: Any, sheet: Any, tally: Tally) -> None:
        self._book = book
        self._sheet = sheet
        self._tally = tally
        self._formats: dict[int, NumberFormat] = {}

    def rows(self) -> Iterator[tuple[int, Cells]]:
        """Yield every row, empty ones too."""
        sheet = self._sheet
        hidden = {row for row, info in sheet.rowinfo_map.items() if info.hidden}
        for row in range(sheet.nrows):
            values, types = sheet.row_values(row), sheet.row_types(row)
            cells = [
                self._text(row, column, cell_type, value)
                for column, (cell_type, value) in enumerate(zip(types, values, strict=True))
            ]
            self._tally.hidden_rows += row in hidden and any(cells)
            yield row + 1, cells

    def _text(self, row: int, column: int, cell_type: int, value: Any) -> str | None:
        if cell_type == XL_CELL_TEXT:
            return mark_text(value.replace("\0", "")) or None
        if cell_type in (XL_CELL_NUMBER, XL_CELL_DATE):
            return self._tally.number(row + 1, column, self._format(row, column), value)
        if cell_type == XL_CELL_BOOLEAN:
            return "TRUE" if value else "FALSE"
        if cell_type == XL_CELL_ERROR:
            self._tally.errors[column] += 1
        return None

    def _format(self, row: int, column: int) -> NumberFormat:
        index = self._sheet.cell_xf_index(row, column)
        known = self._formats.get(index)
        if known is None:
            key = self._book.xf_list[index].format_key
            found = self._book.format_map.get(key)
            # xlrd knows that 27 to 36 and 50 to 58 are dates of the eastern editions, but not their codes.
            code = found.format_str if found else ""
            known = self._formats[index] = builtin_format(key) if code is None else parse_format(code)
        return known
