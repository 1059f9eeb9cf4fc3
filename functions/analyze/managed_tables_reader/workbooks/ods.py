"""Read ODS, the workbook of OpenDocument: its tables as they stand in `content.xml`.

Values stand in attributes next to the text shown; equal neighbouring cells and rows are written once, with
a repeat count.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import IO
from xml.etree.ElementTree import Element

from managed_tables.conversion.marked_cells import mark_text
from managed_tables.errors import FILE_NOT_TABULAR, WORKBOOK_ENCRYPTED, WORKBOOK_TOO_LARGE
from managed_tables_reader.files.archives import MAX_RATIO
from managed_tables_reader.rows.sheets import LABEL_ROWS, MAX_COLUMNS, MAX_ROWS
from managed_tables_reader.workbooks import formats
from managed_tables_reader.workbooks.package import open_package, read_count, read_xml
from managed_tables_reader.workbooks.raw import Cells, RawSheet, WorkbookError, in_batches

_MANIFEST = "META-INF/manifest.xml"
_MAX_MANIFEST_BYTES = 16 << 20  # it names the parts: a few kilobytes
_ENCRYPTION = re.compile(rb"<(?:[\w-]+:)?encryption-data\b")
_UNSEEN = ("annotation", "ruby-text")
# What stands for a sign, until blanks are collapsed: no XML may hold it.
_SIGNS = {"s": "\0", "tab": "\1", "line-break": "\2"}
_SHOWN_SIGNS = str.maketrans("\0\1\2", " \t\n")
_CELLS = ("table-cell", "covered-table-cell")
_NUMBERS = ("float", "currency", "percentage")
_MAX_UNROLLED = 1 << 24  # cells that no element stands for: seconds, where 499 bytes said 105 million
_FREE_UNROLLED = 1 << 18  # of them, in a file of any size; more need a file as large as tables are
_ERROR = re.compile(r"#(?:DIV/0!|N/A|NAME\?|NULL!|NUM!|REF!|VALUE!)|Err:[0-9]{3}")
_ERROR_STARTS = ("#", "Err:")  # of what a formula shows in place of a number, in any language
_FOREIGN = re.compile(r"'.*'#.*", re.DOTALL)  # the name of a copy of another file's sheet
_BLANKS = re.compile(r"[ \t\r\n]+")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d)(\.\d+)?)?", re.ASCII)
_DURATION = re.compile(r"(-?)P(?:(\d+)D)?T?(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)([.,]\d+)?S)?", re.ASCII)
_EPOCH = "1899-12-30"  # the day of a time without one
_IDENTIFIER = re.compile(r"0[0-9]+|[(]?[0-9][0-9.() ]*[-/][0-9./() -]*[0-9]", re.ASCII)
_DATE_CHARACTERS = 10  # of a date in ISO 8601
_MAX_CHARACTERS = 100  # of a moment, a duration or an identifier: longer ones are not worth parsing
_MAX_DIGITS = 12  # of a part of a duration

PlacedRow = tuple[RawSheet, int, Cells]
"""The sheet of a row, its number (from 1) and its cells."""


def read_ods(path: Path) -> Iterator[RawSheet]:
    """Yield the sheets that have rows, in their order."""
    room = _Room(min(_MAX_UNROLLED, max(_FREE_UNROLLED, path.stat().st_size * MAX_RATIO)))
    with open_package(path) as package:
        if _MANIFEST in package:
            # It is not parsed: older ones name a DTD, which is never needed.
            with package.open_part(_MANIFEST) as stream:
                if _ENCRYPTION.search(stream.read(_MAX_MANIFEST_BYTES)):
                    raise WorkbookError("tem senha", WORKBOOK_ENCRYPTED)
        with package.open_part("content.xml") as stream:
            for sheet, rows in groupby(_rows(stream, room), key=itemgetter(0)):
                sheet.batches = in_batches((number, cells) for _, number, cells in rows)
                yield sheet


def _rows(stream: IO[bytes], room: "_Room") -> Iterator[PlacedRow]:
    """Yield the rows that are not empty, one table after the other."""
    hidden_styles = set[str]()
    table: _Table | None = None
    is_workbook = is_foreign = False
    heads, wholes = ("spreadsheet", "dde-link", "table"), ("style", "table-column", "table-row")
    for element in read_xml(stream, heads=heads, wholes=wholes):
        match element.tag:
            case "spreadsheet":
                is_workbook = True
            case "style":
                if element.find(".//table-properties[@display='false']") is not None:
                    hidden_styles.add(element.get("name", ""))
            case "dde-link":  # stands behind all tables, with a copy of another file's
                is_foreign = True
            case "table":
                name = element.get("name", "")
                is_visible = element.get("style-name") not in hidden_styles
                is_copy = is_foreign or _FOREIGN.fullmatch(name)
                table = None if is_copy else _Table(name, is_visible=is_visible, room=room)
            case "table-column" if table:
                table.pass_columns(element)
            case "table-row" if table:
                yield from table.read_row(element)
    if not is_workbook:
        raise WorkbookError("o documento não é uma planilha", FILE_NOT_TABULAR)


def moment_text(raw: str) -> str:
    """Return a date, or a date and time to the millisecond, in the form of all readers."""
    raw = raw.strip()
    found = _MOMENT.fullmatch(raw) if len(raw) <= _MAX_CHARACTERS else None
    if found is None or not found[2]:
        return raw
    try:
        moment = datetime.fromisoformat(f"{found[1]}T{found[2]}")
        moment += timedelta(milliseconds=round(Decimal(found[3] or 0) * 1_000))
    except (ValueError, OverflowError):
        return raw
    day, _, clock = moment.isoformat(timespec="milliseconds").removesuffix(".000").partition("T")
    if day == _EPOCH:
        return clock
    return day if clock == "00:00:00" else f"{day}T{clock}"


def duration_text(raw: str) -> str:
    """Return a time of day, or a duration that may be longer than a day, to the millisecond."""
    raw = raw.strip()
    found = _DURATION.fullmatch(raw) if len(raw) <= _MAX_CHARACTERS else None
    if found is None or len(max(found.groups(default=""), key=len)) > _MAX_DIGITS:
        return raw
    days, hours, minutes, seconds = (int(found[group] or 0) for group in range(2, 6))
    fraction = Decimal((found[6] or "0").replace(",", "."))
    total_ms = ((days * 24 + hours) * 60 + minutes) * 60_000 + seconds * 1_000 + round(fraction * 1_000)
    return formats.duration_text(-total_ms if found[1] else total_ms, hour_digits=2)


def shown_identifier(number: str, shown: str) -> str | None:
    """Return the shown text if it is an identifier: the number with leading zeros or separated by signs."""
    if max(len(number), len(shown)) > _MAX_CHARACTERS:
        return None
    digits = "".join(char for char in shown if char.isdigit())
    is_identifier = number.isdigit() and _IDENTIFIER.fullmatch(shown) and int(digits) == int(number)
    return shown if is_identifier else None


def tells_date(shown: str, iso: str) -> bool:
    """Return whether what is shown of a date leaves no other date open; the first of a month needs no day."""
    if len(iso) != _DATE_CHARACTERS or "#" in shown:
        return False
    return iso[2:4] in shown and (iso.endswith("-01") or str(int(iso[8:])) in shown)


class _Room:
    """How many cells the file may still have that no element stands for, in all of its tables."""

    def __init__(self, cells: int) -> None:
        self._left = cells

    def take(self, cells: int) -> None:
        """Take room for so many, or raise WorkbookError."""
        self._left -= cells
        if self._left < 0:
            reason = "repete as mesmas células por linhas e colunas demais para o seu tamanho"
            raise WorkbookError(reason, WORKBOOK_TOO_LARGE)


class _Table:
    """One table whose columns and rows are passed in their order."""

    def __init__(self, name: str, *, is_visible: bool, room: "_Room") -> None:
        self.sheet = RawSheet(name or None, is_visible, iter(()))
        self._row = 1  # the next one
        self._columns = 0  # that are declared, before the rows
        self._room = room

    def pass_columns(self, element: Element) -> None:
        """Note the hidden ones of declared columns."""
        first = self._columns
        self._columns += read_count(element.get("number-columns-repeated"), 1)
        if element.get("visibility", "visible") != "visible":
            self.sheet.tally.hidden_columns.update(range(first, min(self._columns, MAX_COLUMNS)))

    def read_row(self, element: Element) -> Iterator[PlacedRow]:
        """Yield the row as often as it stands there, unless it is empty."""
        first, count = self._row, read_count(element.get("number-rows-repeated"), 1)
        self._row += count
        elements = [cell for cell in element if cell.tag in _CELLS]
        cells = self._cells(elements, range(first, self._row))
        if not any(cells):
            return
        if self._row > MAX_ROWS:
            raise WorkbookError("tem linhas demais", WORKBOOK_TOO_LARGE)
        self._room.take(count * len(cells) - min(len(elements), len(cells)))
        if element.get("visibility", "visible") != "visible":
            self.sheet.tally.hidden_rows += count
        for row in range(first, self._row):
            yield self.sheet, row, [*cells]

    def _cells(self, elements: Iterable[Element], rows: range) -> Cells:
        cells: Cells = []
        column = 0
        for cell in elements:
            count = read_count(cell.get("number-columns-repeated"), 1)
            first, column = column, column + count
            text = self._value(cell, rows, range(first, min(column, MAX_COLUMNS)))
            if text is None:
                continue
            if column > MAX_COLUMNS:
                raise WorkbookError(f"tem mais de {MAX_COLUMNS} colunas", WORKBOOK_TOO_LARGE)
            cells.extend([None] * (first - len(cells)))
            cells.extend([text] * count)
            down = read_count(cell.get("number-rows-spanned"), 1)
            if down > 1:
                across = read_count(cell.get("number-columns-spanned"), 1)
                self.sheet.tally.merged.append((rows[0], first, rows[0] + down - 1, first + across - 1))
        return cells

    def _value(self, cell: Element, rows: range, columns: range) -> str | None:
        """Return the text of a cell that fills these columns of these rows."""
        tally, kind, shown = self.sheet.tally, cell.get("value-type", ""), shown_text(cell)
        if _is_error(cell, shown):
            tally.errors.update(dict.fromkeys(columns, len(rows)))
            return None
        if kind in _NUMBERS and "value" in cell.attrib:
            return self._number(cell, columns, shown)
        if kind in ("date", "time") and f"{kind}-value" in cell.attrib:
            return self._moment(cell, rows[0], columns, shown)
        if kind == "boolean":
            return "TRUE" if cell.get("boolean-value") == "true" else "FALSE"
        if "formula" in cell.attrib and not kind + shown:
            tally.uncached += len(columns) * len(rows)
        return mark_text(cell.get("string-value", shown) if kind == "string" else shown) or None

    def _number(self, cell: Element, columns: range, shown: str) -> str | None:
        tally = self.sheet.tally
        if cell.attrib["value-type"] == "percentage":
            tally.percents.update(columns)
        number = tally.number_cells.text(cell.attrib["value"])
        return shown_identifier(number, shown) or number or None

    def _moment(self, cell: Element, row: int, columns: range, shown: str) -> str:
        if cell.attrib["value-type"] == "time":
            return duration_text(cell.attrib["time-value"])
        text = moment_text(cell.attrib["date-value"])
        if row <= LABEL_ROWS and tells_date(shown, text):
            self.sheet.tally.shown_dates.update({(row, column): shown for column in columns})
        return text


def shown_text(cell: Element) -> str:
    """Return what a cell shows: its paragraphs, in which blanks count once, as in HTML."""
    return "\n".join(map(_paragraph_text, cell.findall("p")))


def _paragraph_text(paragraph: Element) -> str:
    for element in paragraph.iter():
        if element.tag in _UNSEEN:
            tail = element.tail
            element.clear()
            element.tail = tail
        elif element.tag in _SIGNS:
            element.text = _SIGNS[element.tag] * min(read_count(element.get("c"), 1), MAX_COLUMNS)
    text = _BLANKS.sub(" ", "".join(paragraph.itertext()))
    return text.removeprefix(" ").translate(_SHOWN_SIGNS)


def _is_error(cell: Element, shown: str) -> bool:
    kind = cell.get("value-type", "")
    if kind == "error" or "formula" not in cell.attrib:
        return kind == "error"
    return shown.startswith(_ERROR_STARTS) if kind in _NUMBERS else _ERROR.fullmatch(shown) is not None
