"""Read ODS, the workbook of OpenDocument: its tables as they stand in `content.xml`.

Values stand in attributes next to the text shown; equal neighbouring cells and rows are written once, with
a repeat count.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import IO

from managed_tables.conversion.workbook_cells import mark_text
from managed_tables_reader.rows.sheets import LABEL_ROWS, MAX_COLUMNS, MAX_ROWS
from managed_tables_reader.workbooks.package import Attributes, Package, iterate_xml, open_package, read_count
from managed_tables_reader.workbooks.raw import (
    Cells,
    NotTabularError,
    RawSheet,
    Tally,
    WorkbookEncryptedError,
    WorkbookTooLargeError,
    in_batches,
)

_MANIFEST = "META-INF/manifest.xml"
_MAX_MANIFEST_BYTES = 16 << 20  # it names the parts: a few kilobytes
_ENCRYPTION = re.compile(rb"<(?:[\w-]+:)?encryption-data\b")
_CELLS = ("table-cell", "covered-table-cell")
_NUMBERS = ("float", "currency", "percentage")
_MAX_UNROLLED = 1 << 24  # cells that no element stands for: seconds, where 499 bytes said 105 million
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

PlacedRow = tuple[int, int, int, Cells]
"""Table (from 0), row number (from 1), how often the row repeats, and its cells."""


def read_ods(path: Path) -> Iterator[RawSheet]:
    """Yield the sheets that have rows, in their order."""
    with open_package(path) as package:
        _refuse_encrypted(package)
        with package.open_part("content.xml") as stream:
            parser = _TableParser()
            for index, rows in groupby(parser.rows(stream), key=lambda row: row[0]):
                if index not in parser.foreign:
                    repeated = (
                        (row + place, [*cells]) for _, row, count, cells in rows for place in range(count)
                    )
                    parser.sheets[index].batches = in_batches(repeated)
                    yield parser.sheets[index]
        if not parser.is_workbook:
            raise NotTabularError("o documento não é uma planilha")


def _refuse_encrypted(package: Package) -> None:
    if _MANIFEST not in package:
        return
    with package.open_part(_MANIFEST) as stream:  # not parsed: older ones name a DTD, which is never needed
        if _ENCRYPTION.search(stream.read(_MAX_MANIFEST_BYTES)):
            raise WorkbookEncryptedError("tem senha")


class Text:
    """What is shown in one cell: its paragraphs, in which blanks count once, as in HTML."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._is_after_blank = True
        self._has_paragraph = False

    def start_paragraph(self) -> None:
        """Begin a paragraph: from the second on, on a line of its own."""
        if self._has_paragraph:
            self._parts.append("\n")
        self._has_paragraph = self._is_after_blank = True

    def add(self, text: str) -> None:
        """Add characters as they stand in the XML."""
        text = _BLANKS.sub(" ", text)
        if self._is_after_blank:
            text = text.removeprefix(" ")
        if text:
            self._is_after_blank = text.endswith(" ")
            self._parts.append(text)

    def add_exactly(self, text: str) -> None:
        """Add a blank, tab or line break that has an element of its own."""
        self._parts.append(text)
        self._is_after_blank = False

    def __str__(self) -> str:
        return "".join(self._parts)


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
    seconds, ms = divmod(total_ms, 1_000)
    text = f"{found[1]}{seconds // 3_600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{ms:03d}" if ms else text


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


class _TableParser:
    """The state between expat's calls, and the rows completed so far."""

    def __init__(self) -> None:
        self.sheets: list[RawSheet] = []
        self.foreign: set[int] = set()  # places of copies of other files' sheets
        self.is_workbook = False
        self._done: list[PlacedRow] = []
        self._path: list[str] = []
        self._style = ""
        self._hidden_styles: set[str] = set()
        self._row = self._row_count = self._column = self._written = self._unrolled = 0
        self._is_hidden_row = False
        self._cells: Cells = []
        self._cell: Attributes = {}
        self._tally = Tally()
        self._cell_depth = 0  # of the path, 0 outside of cells
        self._text = Text()

    def rows(self, stream: IO[bytes]) -> Iterator[PlacedRow]:
        """Yield the rows that are not empty, one table after the other."""
        return iterate_xml(stream, self._on_start, self._on_end, self._on_text, self._done)

    def _on_start(self, element: str, attributes: Attributes) -> None:
        self._path.append(element)
        if self._cell_depth:
            self._start_in_cell(element, attributes)
        elif element in _CELLS and self.sheets:
            self._cell, self._cell_depth, self._text = attributes, len(self._path), Text()
        elif element == "table-row":
            self._start_row(attributes)
        elif element == "table":
            self._start_table(attributes)
        elif element == "table-column" and self.sheets:
            self._pass_columns(attributes)
        elif element == "style":
            self._style = attributes.get("name", "")
        elif element == "table-properties" and attributes.get("display") == "false":
            self._hidden_styles.add(self._style)
        elif element == "spreadsheet":
            self.is_workbook = True

    def _start_table(self, attributes: Attributes) -> None:
        name, is_visible = attributes.get("name", ""), attributes.get("style-name") not in self._hidden_styles
        if "dde-link" in self._path or _FOREIGN.fullmatch(name):
            self.foreign.add(len(self.sheets))
        self.sheets.append(RawSheet(name or None, is_visible, iter(())))
        self._tally = self.sheets[-1].tally
        self._row, self._row_count, self._column = 1, 0, 0

    def _pass_columns(self, attributes: Attributes) -> None:
        """Pass columns, which a table declares before its rows, and note the hidden ones."""
        first = self._column
        self._column += read_count(attributes.get("number-columns-repeated"), 1)
        if attributes.get("visibility", "visible") != "visible":
            self._tally.hidden_columns.update(range(first, min(self._column, MAX_COLUMNS)))

    def _start_row(self, attributes: Attributes) -> None:
        self._row += self._row_count
        self._row_count = read_count(attributes.get("number-rows-repeated"), 1)
        self._is_hidden_row = attributes.get("visibility", "visible") != "visible"
        self._column, self._written, self._cells = 0, 0, []

    def _start_in_cell(self, element: str, attributes: Attributes) -> None:
        depth = len(self._path) - self._cell_depth
        if depth == 1 and element == "p":
            self._text.start_paragraph()
        elif self._is_in_paragraph():
            if element == "s":
                self._text.add_exactly(" " * min(read_count(attributes.get("c"), 1), MAX_COLUMNS))
            elif element in ("tab", "line-break"):
                self._text.add_exactly("\t" if element == "tab" else "\n")

    def _is_in_paragraph(self) -> bool:
        inside = self._path[self._cell_depth :]
        return inside[:1] == ["p"] and "annotation" not in inside and "ruby-text" not in inside

    def _on_text(self, text: str) -> None:
        if self._cell_depth and self._is_in_paragraph():
            self._text.add(text)

    def _on_end(self, element: str) -> None:
        if self._cell_depth == len(self._path):
            self._end_cell()
        elif element == "table-row" and not self._cell_depth:
            self._end_row()
        self._path.pop()

    def _end_cell(self) -> None:
        self._cell_depth = 0
        self._written += 1
        count = read_count(self._cell.get("number-columns-repeated"), 1)
        first, self._column = self._column, self._column + count
        text = self._value(range(first, min(self._column, MAX_COLUMNS)))
        if text is None:
            return
        if self._column > MAX_COLUMNS:
            raise WorkbookTooLargeError(f"tem mais de {MAX_COLUMNS} colunas")
        self._cells.extend([None] * (first - len(self._cells)))
        self._cells.extend([text] * count)
        across, down = (
            read_count(self._cell.get(f"number-{name}-spanned"), 1) for name in ("columns", "rows")
        )
        if down > 1:
            self._tally.merged.append((self._row, first, self._row + down - 1, first + across - 1))

    def _value(self, columns: range) -> str | None:
        """Return the text of the cell that just ended, which fills these columns of the row."""
        cell, tally = self._cell, self._tally
        kind, shown = cell.get("value-type", ""), str(self._text)
        if _is_error(cell, shown):
            tally.errors.update(dict.fromkeys(columns, self._row_count))
            return None
        if kind in _NUMBERS and "value" in cell:
            return self._number(columns, shown)
        if kind in ("date", "time") and f"{kind}-value" in cell:
            return self._moment(columns, shown)
        if kind == "boolean":
            return "TRUE" if cell.get("boolean-value") == "true" else "FALSE"
        if "formula" in cell and not kind + shown:
            tally.uncached += len(columns) * self._row_count
        text = cell.get("string-value", shown) if kind == "string" else shown
        return mark_text(text) or None

    def _moment(self, columns: range, shown: str) -> str:
        if self._cell["value-type"] == "time":
            return duration_text(self._cell["time-value"])
        text = moment_text(self._cell["date-value"])
        if self._row <= LABEL_ROWS and tells_date(shown, text):
            self._tally.shown_dates.update({(self._row, column): shown for column in columns})
        return text

    def _number(self, columns: range, shown: str) -> str | None:
        cell, tally = self._cell, self._tally
        if cell["value-type"] == "percentage":
            tally.percents.update(columns)
        number = tally.number_cells.text(cell["value"])
        return shown_identifier(number, shown) or number or None

    def _end_row(self) -> None:
        if not any(self._cells):
            return
        if self._row + self._row_count > MAX_ROWS:
            raise WorkbookTooLargeError("tem linhas demais")
        self._unrolled += self._row_count * len(self._cells) - min(self._written, len(self._cells))
        if self._unrolled > _MAX_UNROLLED:
            raise WorkbookTooLargeError("repete a mesma célula por milhões de linhas e colunas")
        if self._is_hidden_row:
            self._tally.hidden_rows += self._row_count
        self._done.append((len(self.sheets) - 1, self._row, self._row_count, self._cells))


def _is_error(cell: Attributes, shown: str) -> bool:
    kind = cell.get("value-type", "")
    if kind == "error" or "formula" not in cell:
        return kind == "error"
    return shown.startswith(_ERROR_STARTS) if kind in _NUMBERS else _ERROR.fullmatch(shown) is not None
