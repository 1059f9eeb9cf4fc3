"""Read XLS (BIFF 2 to 8) with xlrd: exact doubles and the number format of every cell."""

import os
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import xlrd
from xlrd.biffh import XL_CELL_BOOLEAN, XL_CELL_DATE, XL_CELL_ERROR, XL_CELL_NUMBER, XL_CELL_TEXT, XLRDError
from xlrd.compdoc import CompDocError

from managed_tables.conversion.marked_cells import mark_text
from managed_tables.errors import WORKBOOK_ENCRYPTED
from managed_tables_reader.workbooks.formats import GENERAL, NumberFormat, builtin_format, parse_format
from managed_tables_reader.workbooks.raw import Cells, RawSheet, Tally, WorkbookError, in_batches

# What xlrd raises on malformed files: its own errors, and those of reading beyond a record's end or from an
# object that is missing.
_FOREIGN_ERRORS = (
    XLRDError, CompDocError, struct.error, AssertionError, AttributeError, LookupError, TypeError, ValueError,
    ArithmeticError, RecursionError, OSError, EOFError, NotImplementedError,
)  # fmt: skip


def read_xls(path: Path) -> Iterator[RawSheet]:
    """Yield the worksheets in the order of their tabs; chart and macro sheets hold no table."""
    book = _open(path)
    formats = _formats(book)
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
        rows = in_batches(_rows(sheet, formats, tally))
        yield RawSheet(sheet.name or None, sheet.visibility == 0, rows, tally=tally)
        book.unload_sheet(index)


def _open(path: Path) -> Any:
    # Formulas of defined names are not needed, and one that xlrd cannot read would cost the whole file.
    xlrd.book.Book.names_epilogue = lambda _: None
    with open(os.devnull, "w") as silence:
        for has_formats in (True, False):  # a broken style must not cost the rows, nor what is told of them
            try:
                return xlrd.open_workbook(
                    path, logfile=silence, formatting_info=has_formats, on_demand=True, ragged_rows=True
                )
            except _FOREIGN_ERRORS as error:
                if "encrypted" in str(error).lower():
                    raise WorkbookError("tem senha", WORKBOOK_ENCRYPTED) from error
                if not has_formats:
                    raise WorkbookError(f"não pode ser lida como XLS ({error!r})") from error
    raise AssertionError("unreachable: the second attempt returns or raises")


def _formats(book: Any) -> list[NumberFormat]:
    """Return the number format of each style; of a workbook that is read without, none."""
    if not book.formatting_info:
        return []
    known = ((style.format_key, book.format_map.get(style.format_key)) for style in book.xf_list)
    codes = ((key, found.format_str if found else "") for key, found in known)
    # xlrd knows that 27 to 36 and 50 to 58 are dates of the eastern editions, but not their codes.
    return [builtin_format(key) if code is None else parse_format(code) for key, code in codes]


def _rows(sheet: Any, formats: Sequence[NumberFormat], tally: Tally) -> Iterator[tuple[int, Cells]]:
    """Yield every row, empty ones too."""

    def text(row: int, column: int, cell_type: int, value: Any) -> str | None:
        if cell_type == XL_CELL_TEXT:
            return mark_text(value) or None
        if cell_type in (XL_CELL_NUMBER, XL_CELL_DATE):
            if formats:
                shown_as = formats[sheet.cell_xf_index(row, column)]
            else:
                shown_as = GENERAL if cell_type == XL_CELL_NUMBER else parse_format("yyyy-mm-dd hh:mm")
            return tally.number(row + 1, column, shown_as, value)
        if cell_type == XL_CELL_BOOLEAN:
            return "TRUE" if value else "FALSE"
        if cell_type == XL_CELL_ERROR:
            tally.errors[column] += 1
        return None

    hidden = {row for row, info in sheet.rowinfo_map.items() if info.hidden}
    for row in range(sheet.nrows):
        filled = zip(sheet.row_types(row), sheet.row_values(row), strict=True)
        cells = [text(row, column, *cell) for column, cell in enumerate(filled)]
        tally.hidden_rows += row in hidden and any(cells)
        yield row + 1, cells
