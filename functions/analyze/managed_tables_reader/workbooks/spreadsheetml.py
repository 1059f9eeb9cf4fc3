"""Read SpreadsheetML 2003, the XML of Excel 2003, which many systems export under the name `.xls`."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import IO

from managed_tables.conversion.workbook_cells import mark_text
from managed_tables_reader.rows.sheets import MAX_COLUMNS, MAX_ROWS, MergedRange
from managed_tables_reader.workbooks.failures import NotTabularError, WorkbookTooLargeError
from managed_tables_reader.workbooks.raw import Cells, RawSheet, Tally, in_batches
from managed_tables_reader.workbooks.values.formats import (
    GENERAL,
    FormatKind,
    NumberFormat,
    parse_format,
    show_mask,
)
from managed_tables_reader.workbooks.values.serials import iso_text, serial_text
from managed_tables_reader.workbooks.xml import Attributes, iterate_xml, parse_xml, read_count

_NAMED_FORMATS = {
    "General Date": "d/m/yyyy h:mm", "Long Date": "d/m/yyyy", "Medium Date": "d/m/yyyy",
    "Short Date": "d/m/yyyy", "Long Time": "h:mm:ss", "Medium Time": "h:mm", "Short Time": "h:mm",
    **dict.fromkeys(("General", "General Number", "Currency", "Euro Currency", "Fixed", "Standard",
                     "Percent", "Scientific", "Yes/No", "True/False", "On/Off"), ""),
}  # fmt: skip

PlacedRow = tuple[int, int, Cells]
"""Sheet (from 0), row number (from 1) and cells."""


@dataclass
class _Outline:
    """What must be known before the rows; some of it stands after them in the file."""

    names: list[str] = field(default_factory=list)
    hidden: set[int] = field(default_factory=set)
    formats: dict[str, NumberFormat] = field(default_factory=dict)
    is_1904: bool = False


def read_spreadsheetml(path: Path) -> Iterator[RawSheet]:
    """Yield the worksheets that have rows, in their order."""
    outline = _Outline()
    with path.open("rb") as stream:
        _read_outline(stream, outline)
    if not outline.names:
        raise NotTabularError("o XML não contém nenhuma planilha")
    tallies = [Tally() for _ in outline.names]
    with path.open("rb") as stream:
        rows = _RowParser(outline, tallies).rows(stream)
        for index, group in groupby(rows, key=lambda row: row[0]):
            batches = in_batches((number, cells) for _, number, cells in group)
            yield RawSheet(
                outline.names[index],
                index not in outline.hidden,
                batches,
                tallies[index],
            )


def _read_outline(stream: IO[bytes], outline: _Outline) -> None:
    path: list[str] = []
    style = ""

    def on_start(element: str, attributes: Attributes) -> None:
        nonlocal style
        path.append(element)
        if element == "Style":
            style = attributes.get("ID", "")
        elif element == "NumberFormat":
            code = attributes.get("Format", "")
            outline.formats[style] = parse_format(_NAMED_FORMATS.get(code, code))
        elif element == "Worksheet":
            outline.names.append(attributes.get("Name", ""))
        elif element == "Date1904":
            outline.is_1904 = True

    def on_end(_: str) -> None:
        path.pop()

    def on_text(text: str) -> None:
        if path[-1] == "Visible" and text.strip() in ("SheetHidden", "SheetVeryHidden"):
            outline.hidden.add(len(outline.names) - 1)

    parse_xml(stream, on_start, on_end, on_text)


class _Position:
    """Where rows and cells stand: each after the one before, unless `Index` says otherwise."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.row = self.column = self._next_column = self._next_row = 0
        self.span = (0, 0)

    def advance(self, element: str, attributes: Attributes) -> None:
        """Note the start of a row or a cell."""
        index = read_count(attributes.get("Index"))
        if element == "Row":
            self.row = index or self._next_row + 1
            self._next_row = self.row + read_count(attributes.get("Span"))
            self._next_column = 0
            self.span = (0, 0)
            if self.row > MAX_ROWS:
                raise WorkbookTooLargeError("tem linhas demais")
            return
        self.column = index - 1 if index else self._next_column
        self.span = (read_count(attributes.get("MergeDown")), read_count(attributes.get("MergeAcross")))
        self._next_column = self.column + 1 + self.span[1]
        if self._next_column > MAX_COLUMNS:
            raise WorkbookTooLargeError(f"tem mais de {MAX_COLUMNS} colunas")

    def pass_columns(self, attributes: Attributes) -> range:
        """Return the columns (from 0) that a `Column`, which stands before the rows, describes."""
        index = read_count(attributes.get("Index"))
        first = index - 1 if index else self._next_column
        self._next_column = first + 1 + read_count(attributes.get("Span"))
        return range(first, min(self._next_column, MAX_COLUMNS))

    @property
    def merged(self) -> MergedRange:
        """The range that the last cell covers."""
        return self.row, self.column, self.row + self.span[0], self.column + self.span[1]


class _RowParser:
    """The state between expat's calls, and the rows completed so far."""

    def __init__(self, outline: _Outline, tallies: list[Tally]) -> None:
        self._outline = outline
        self._tallies = tallies
        self._done: list[PlacedRow] = []
        self._path: list[str] = []
        self._sheet = -1
        self._position = _Position()
        self._cells: Cells = []
        self._style = self._row_style = self._type = ""
        self._has_formula = self._has_data = False
        self._text: list[str] = []

    def rows(self, stream: IO[bytes]) -> Iterator[PlacedRow]:
        """Yield the rows of all sheets, one sheet after the other."""
        return iterate_xml(stream, self._on_start, self._on_end, self._on_text, self._done)

    def _on_start(self, element: str, attributes: Attributes) -> None:
        self._path.append(element)
        if element == "Worksheet":
            self._sheet += 1
            self._position.reset()
        elif element == "Row":
            self._position.advance(element, attributes)
            self._cells = []
            self._row_style = attributes.get("StyleID", "Default")
            self._tallies[self._sheet].hidden_rows += attributes.get("Hidden") == "1"
        elif element == "Column" and self._path[-3:-1] == ["Worksheet", "Table"]:
            columns = self._position.pass_columns(attributes)
            if attributes.get("Hidden") == "1":
                self._tallies[self._sheet].hidden_columns |= frozenset(columns)
        elif element == "Cell":
            self._start_cell(attributes)
        elif element == "Data" and self._path[-2:-1] == ["Cell"]:
            self._type, self._has_data = attributes.get("Type", "String"), True
            self._text.clear()

    def _start_cell(self, attributes: Attributes) -> None:
        self._position.advance("Cell", attributes)
        if self._position.span[0]:
            self._tallies[self._sheet].merged.append(self._position.merged)
        self._style = attributes.get("StyleID", self._row_style)
        self._has_formula, self._has_data = "Formula" in attributes, False

    def _on_text(self, text: str) -> None:
        # Rich text has elements inside Data; a comment has a Data of its own.
        if self._has_data and "Data" in self._path and "Comment" not in self._path:
            self._text.append(text)

    def _on_end(self, element: str) -> None:
        self._path.pop()
        if element == "Cell":
            self._end_cell()
        elif element == "Row" and any(self._cells):
            self._done.append((self._sheet, self._position.row, self._cells))

    def _end_cell(self) -> None:
        if not self._has_data:
            self._tallies[self._sheet].uncached += self._has_formula
            return
        text = self._value("".join(self._text))
        if text is None:
            return
        column = self._position.column
        self._cells.extend([None] * (column + 1 - len(self._cells)))
        self._cells[column] = text

    def _value(self, raw: str) -> str | None:
        tally, number_format = self._tallies[self._sheet], self._outline.formats.get(self._style, GENERAL)
        if self._type == "Error":
            tally.errors[self._position.column] += 1
            return None
        if self._type == "Boolean":
            return "TRUE" if raw.strip() in ("1", "true") else "FALSE"
        if self._type == "DateTime":
            return _moment(raw.strip(), number_format.kind) or None
        return self._number(raw, number_format) if self._type == "Number" else mark_text(raw) or None

    def _number(self, raw: str, number_format: NumberFormat) -> str | None:
        tally = self._tallies[self._sheet]
        if number_format.kind not in (FormatKind.NUMBER, FormatKind.MASK):
            return serial_text(raw, number_format.kind, self._outline.is_1904) or None
        if number_format.is_percent:
            tally.percents.add(self._position.column)
        text = tally.number_cells.text(raw)
        shown = show_mask(number_format, text) if number_format.masks else None
        return shown or text or None


def _moment(raw: str, kind: FormatKind) -> str:
    raw = raw.removesuffix(".000")
    if kind is FormatKind.TIME and raw.startswith("1899-12-3"):
        return raw.partition("T")[2]
    return iso_text(raw, kind)
