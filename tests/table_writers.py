"""Write one table of typed values in every format; the readers must agree on it."""

import csv
import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from xml.sax.saxutils import escape, quoteattr

import openpyxl
import xlsxwriter
import xlwt

Value = str | int | Decimal | bool | date | datetime | None
Table = Sequence[Sequence[Value]]
"""A header and its rows."""
Writer = Callable[[Table], bytes]

_ODS_NAMES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{prefix}:1.0"'
    for prefix in ("office", "table", "text")
)


@dataclass(frozen=True)
class CsvDialect:
    """How a CSV file is written; the defaults are Brazilian."""

    delimiter: str = ";"
    quoting: Literal[0, 1] = csv.QUOTE_MINIMAL
    line_end: str = "\r\n"
    encoding: str = "utf-8"
    decimal_mark: str = ","
    groups: bool = False
    day: str = "{day:02d}/{month:02d}/{year:04d}"
    truths: tuple[str, str] = ("falso", "verdadeiro")

    def text(self, value: Value) -> str:
        """Return the text of a value; times are in ISO format."""
        if isinstance(value, bool):
            return self.truths[value]
        if isinstance(value, datetime):
            return value.isoformat(" ")
        if isinstance(value, date):
            return self.day.format(day=value.day, month=value.month, year=value.year)
        if isinstance(value, Decimal):
            return self._decimal(value)
        return "" if value is None else str(value)

    def _decimal(self, value: Decimal) -> str:
        plain = f"{value:,f}" if self.groups else f"{value:f}"
        return plain if self.decimal_mark == "." else plain.translate(str.maketrans(",.", ".,"))


def write_csv(table: Table, dialect: CsvDialect | None = None) -> bytes:
    """Return a CSV file, by default a Brazilian one."""
    dialect, text = dialect or CsvDialect(), io.StringIO()
    writer = csv.writer(
        text, delimiter=dialect.delimiter, quoting=dialect.quoting, lineterminator=dialect.line_end
    )
    writer.writerows([[dialect.text(value) for value in row] for row in table])
    return text.getvalue().encode(dialect.encoding)


def write_sheets(**sheets: Sequence[Sequence[object]]) -> bytes:
    """Return a workbook of these sheets."""
    book = openpyxl.Workbook()
    for place, (name, rows) in enumerate(sheets.items()):
        sheet = book.active if place == 0 else book.create_sheet()
        assert sheet is not None
        sheet.title = name
        for row in rows:
            sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def write_openpyxl(table: Table) -> bytes:
    """Return a workbook as openpyxl writes it."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for number, row in enumerate(table, start=1):
        for column, value in enumerate(row, start=1):
            cell = sheet.cell(number, column)
            cell.value = value
            if isinstance(value, str):
                cell.data_type = "s"  # text, even if it begins with `=`
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def write_xlsxwriter(table: Table) -> bytes:
    """Return a workbook as XlsxWriter writes it."""
    content = io.BytesIO()
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        day, moment = (
            book.add_format({"num_format": form}) for form in ("dd/mm/yyyy", "dd/mm/yyyy hh:mm:ss.000")
        )
        for number, row in enumerate(table):
            for column, value in enumerate(row):
                if isinstance(value, datetime):
                    sheet.write_datetime(number, column, value, moment)
                elif isinstance(value, date):
                    sheet.write_datetime(number, column, value, day)
                elif isinstance(value, str):
                    sheet.write_string(number, column, value)
                elif value is not None:
                    sheet.write(number, column, value)
    return content.getvalue()


def write_xls(table: Table) -> bytes:
    """Return an Excel 97 workbook as xlwt writes it."""
    book = xlwt.Workbook()
    sheet = book.add_sheet("Plan1")
    day, moment = (xlwt.easyxf(num_format_str=form) for form in ("dd/mm/yyyy", "dd/mm/yyyy hh:mm:ss"))
    for number, row in enumerate(table):
        for column, value in enumerate(row):
            style = moment if isinstance(value, datetime) else day if isinstance(value, date) else None
            if value is not None:
                sheet.write(number, column, value, *([style] if style else []))
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def write_ods(table: Table) -> bytes:
    """Return an OpenDocument spreadsheet, its values in attributes with all their digits."""
    rows = "".join(f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in table)
    content = (
        f"<office:document-content {_ODS_NAMES}><office:body><office:spreadsheet>"
        f'<table:table table:name="Plan1">{rows}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
    return package.getvalue()


def _ods_cell(value: Value) -> str:
    if value is None:
        return "<table:table-cell/>"
    kind, name, text = _ods_value(value)
    attribute = f" office:{name}={quoteattr(text)}" if name else ""
    shown = f"<text:p>{escape(text)}</text:p>"
    return f'<table:table-cell office:value-type="{kind}"{attribute}>{shown}</table:table-cell>'


def _ods_value(value: str | int | Decimal | date) -> tuple[str, str, str]:
    if isinstance(value, bool):
        return "boolean", "boolean-value", str(value).lower()
    if isinstance(value, date):
        return "date", "date-value", value.isoformat()
    if isinstance(value, str):
        return "string", "string-value", value
    return "float", "value", f"{value:f}" if isinstance(value, Decimal) else str(value)


WRITERS: dict[str, tuple[str, Writer]] = {
    "csv": ("tabela.csv", write_csv),
    "openpyxl": ("tabela.xlsx", write_openpyxl),
    "xlsxwriter": ("tabela.xlsx", write_xlsxwriter),
    "xlwt": ("tabela.xls", write_xls),
    "ods": ("tabela.ods", write_ods),
}
