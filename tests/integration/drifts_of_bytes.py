"""Ways in which a next file's bytes differ: line ends, archives, what is torn, and what a workbook holds."""

import gzip
import io
import zipfile
from collections.abc import Callable
from decimal import Decimal

import openpyxl
from drifts import AMOUNT, KINDS_OF_MONTHS, Bytes, Kind
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet
from series import Month

_TEXTS = ("history", "company", "agency", "product", "person", "city", "job", "function")


def _plain(change: Callable[[bytes], bytes]) -> Bytes:
    return lambda content, _: change(content)


def _zipped(*names: str) -> Bytes:
    def pack(content: bytes) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for name in names:
                archive.writestr(name, content if name.endswith("csv") else "Leia antes de abrir.\n")
        return out.getvalue()

    return _plain(pack)


def _torn(content: bytes, month: Month) -> bytes:
    """Let a text of the fifth row hold the delimiter, and nothing tell that it belongs to it."""
    row, lines = 4, content.decode(month.encoding).split("\n")
    text = str(month.rows[row][month.places(*_TEXTS)[0]])
    torn = f"{text[:2]}{month.delimiter}{text[2:]}"
    at = len(month.above) + 1 + row
    lines[at] = lines[at].replace(text, torn, 1)
    return "\n".join(lines).encode(month.encoding)


def _book(change: Callable[[Workbook, Worksheet, int], None]) -> Bytes:
    """Return a change of a workbook, its sheet, and the row of its header."""

    def of(content: bytes, month: Month) -> bytes:
        book = openpyxl.load_workbook(io.BytesIO(content))
        sheet = book.worksheets[0]
        change(book, sheet, len(month.above) + 1)
        out = io.BytesIO()
        book.save(out)
        return out.getvalue()

    return of


def _another_sheet(book: Workbook, sheet: Worksheet, header: int) -> None:
    copy = book.create_sheet("Filial 2")
    for number, row in enumerate(sheet.iter_rows(min_row=header, values_only=True)):
        copy.append([value + 1 if number and isinstance(value, int | float) else value for value in row])


def _cover(book: Workbook, _sheet: Worksheet, _header: int) -> None:
    book.create_sheet("Capa", 0).append(["Relatório mensal"])


def _hidden_rows(_book: Workbook, sheet: Worksheet, header: int) -> None:
    for number in (3, 4):
        sheet.row_dimensions[header + number].hidden = True


def _hidden_column(_book: Workbook, sheet: Worksheet, _header: int) -> None:
    sheet.column_dimensions["B"].hidden = True


def _formula(_book: Workbook, sheet: Worksheet, header: int) -> None:
    """Let an amount be a formula that no program has computed yet."""
    for row in sheet.iter_rows(min_row=header + 1):
        for cell in row:
            if isinstance(cell.value, float | Decimal):
                cell.value = "=1+1"
                return


def _codes_as_numbers(content: bytes, month: Month) -> bytes:
    [at, *_] = month.places("code")

    def change(_book: Workbook, sheet: Worksheet, header: int) -> None:
        for number in range(len(month.rows)):
            cell = sheet.cell(header + 1 + number, at + 1)
            cell.value = int(str(cell.value))

    return _book(change)(content, month)


_WINDOWS = _plain(lambda text: text.replace(b"\n", b"\r\n"))
_GZIP = _plain(gzip.compress)

KINDS = (
    *KINDS_OF_MONTHS,
    Kind("line ends", True, content=_WINDOWS, only="csv"),
    Kind("no last line end", True, content=_plain(lambda text: text.rstrip(b"\n")), only="csv"),
    Kind("blank lines below", True, content=_plain(lambda text: text + b"\n\n\n"), only="csv"),
    Kind("blank lines above", True, content=_plain(lambda text: b"\n\n" + text), only="csv"),
    Kind("gzip", True, content=_GZIP, only="csv", suffix=".gz"),
    Kind("zip", True, content=_zipped("mes.csv"), only="csv", suffix=".zip"),
    Kind("zip with a note", None, content=_zipped("leia-me.txt", "mes.csv"), only="csv", suffix=".zip"),
    Kind("a cover sheet", None, content=_book(_cover), only="xlsx"),
    Kind("hidden rows", None, content=_book(_hidden_rows), only="xlsx"),
    Kind("a hidden column", None, content=_book(_hidden_column), only="xlsx"),
    Kind("a torn line", False, content=_torn, only="csv", needs=_TEXTS),
    Kind("another sheet of rows", False, content=_book(_another_sheet), only="xlsx"),
    Kind("a formula without its value", False, content=_book(_formula), only="xlsx", needs=AMOUNT),
    Kind("codes as numbers", False, content=_codes_as_numbers, only="xlsx", needs=("code",)),
    Kind("the same rows, other line ends", False, content=_WINDOWS, only="csv", is_again=True),
    Kind("the same rows, gzip", False, content=_GZIP, only="csv", is_again=True, suffix=".gz"),
    Kind("the same rows, zip", False, content=_zipped("m.csv"), only="csv", is_again=True, suffix=".zip"),
    Kind("twice in one zip", False, content=_zipped("a.csv", "b.csv"), only="csv", suffix=".zip"),
)  # fmt: skip
