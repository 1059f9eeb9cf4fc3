"""Read what only calamine can read: XLSB, and XLS files that xlrd gives up on.

calamine gives values without their number formats and can end the process on a false count in the file,
so it is tried after the exact readers and, like them, in the child process only.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from managed_tables.conversion.marked_cells import mark_text
from managed_tables.errors import WORKBOOK_ENCRYPTED
from managed_tables_reader.workbooks.formats import duration_text
from managed_tables_reader.workbooks.raw import Cells, RawSheet, Tally, WorkbookError, in_batches

Value = int | float | str | bool | time | date | datetime | timedelta


def read_calamine(path: Path) -> Iterator[RawSheet]:
    """Yield the worksheets in the order of their tabs."""
    try:
        book = CalamineWorkbook.from_path(path)
    except PasswordError as error:
        raise WorkbookError("tem senha", WORKBOOK_ENCRYPTED) from error
    except (CalamineError, OSError, ValueError) as error:
        raise WorkbookError(f"não pode ser lida ({error})") from error
    for index, metadata in enumerate(book.sheets_metadata):
        if metadata.typ is not SheetTypeEnum.WorkSheet:
            continue
        try:
            sheet = book.get_sheet_by_index(index)
        except (CalamineError, OSError, ValueError) as error:
            raise WorkbookError(f"a aba {metadata.name} não pode ser lida ({error})") from error
        tally = Tally()
        visible = metadata.visible is SheetVisibleEnum.Visible
        yield RawSheet(metadata.name, visible, in_batches(_rows(sheet, tally)), tally=tally)


def _rows(sheet: CalamineSheet, tally: Tally) -> Iterator[tuple[int, Cells]]:
    start = sheet.start  # (row, column) of the first cell, None for a sheet without any
    if start is None:
        return
    for number, values in enumerate(sheet.to_python(skip_empty_area=True), start=start[0] + 1):
        cells: Cells = [None] * start[1]
        cells.extend(_text(value, tally) for value in values)
        yield number, cells


def _text(value: Value, tally: Tally) -> str | None:
    if isinstance(value, str):
        return mark_text(value) or None
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, timedelta):
        return duration_text(round(value.total_seconds() * 1_000))
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()  # a date and its midnight are the same here
    if isinstance(value, date | time):
        return value.isoformat()
    return tally.number_cells.text_of_double(value) if isinstance(value, float) else str(value)
