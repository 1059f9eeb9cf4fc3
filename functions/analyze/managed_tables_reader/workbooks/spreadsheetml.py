"""Read SpreadsheetML 2003, the XML of Excel 2003, which many systems export under the name `.xls`."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import IO

from managed_tables.conversion.workbook_cells import mark_text
from managed_tables_reader.rows.sheets import MAX_COLUMNS, MAX_ROWS
from managed_tables_reader.workbooks.formats import GENERAL, FormatKind, NumberFormat, iso_text, parse_format
from managed_tables_reader.workbooks.package import Attributes, iterate_xml, parse_xml, read_count
from managed_tables_reader.workbooks.raw import (
    Cells,
    NotTabularError,
    RawSheet,
    Tally,
    WorkbookTooLargeError,
    in_batches,
)

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
    with path.open("rb") as stream:
        parser = _RowParser(outline)
        for index, group in groupby(parser.rows(stream), key=lambda row: row[0]):
            batches = in_batches((number, cells) for _, number, cells in group)
            yield RawSheet(outline.names[index], index not in outline.hidden, batches, parser.tallies[index])


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


class _RowParser:
    """The state between expat's calls, and the rows completed so far.

    Each row and cell stands after the one before, unless its `Index` says otherwise.
    """

    def __init__(self, outline: _Outline) -> None:
        self.tallies = [Tally(is_1904=outline.is_1904) for _ in outline.names]
        self._sheet, self._tally = -1, self.tallies[-1]
        self._formats = outline.formats
        self._done: list[PlacedRow] = []
        self._path: list[str] = []
        self._row = self._next_row = self._column = self._next_column = 0
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
            self._tally = self.tallies[self._sheet]
            self._row = self._next_row = self._column = self._next_column = 0
        elif element == "Row":
            self._start_row(attributes)
        elif element == "Column" and self._path[-3:-1] == ["Worksheet", "Table"]:
            self._pass_columns(attributes)
        elif element == "Cell":
            self._start_cell(attributes)
        elif element == "Data" and self._path[-2:-1] == ["Cell"]:
            self._type, self._has_data = attributes.get("Type", "String"), True
            self._text.clear()

    def _pass_columns(self, attributes: Attributes) -> None:
        """Pass the columns that a `Column`, which stands before the rows, describes; note hidden ones."""
        index = read_count(attributes.get("Index"))
        first = index - 1 if index else self._next_column
        self._next_column = first + 1 + read_count(attributes.get("Span"))
        if attributes.get("Hidden") == "1":
            self._tally.hidden_columns.update(range(first, min(self._next_column, MAX_COLUMNS)))

    def _start_row(self, attributes: Attributes) -> None:
        self._row = read_count(attributes.get("Index")) or self._next_row + 1
        if self._row > MAX_ROWS:
            raise WorkbookTooLargeError("tem linhas demais")
        self._next_row = self._row + read_count(attributes.get("Span"))
        self._next_column = 0
        self._cells = []
        self._row_style = attributes.get("StyleID", "Default")
        self._tally.hidden_rows += attributes.get("Hidden") == "1"

    def _start_cell(self, attributes: Attributes) -> None:
        index = read_count(attributes.get("Index"))
        self._column = index - 1 if index else self._next_column
        down, across = (read_count(attributes.get(name)) for name in ("MergeDown", "MergeAcross"))
        self._next_column = self._column + 1 + across
        if self._next_column > MAX_COLUMNS:
            raise WorkbookTooLargeError(f"tem mais de {MAX_COLUMNS} colunas")
        if down:
            merged = (self._row, self._column, self._row + down, self._column + across)
            self._tally.merged.append(merged)
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
            self._done.append((self._sheet, self._row, self._cells))

    def _end_cell(self) -> None:
        if not self._has_data:
            self._tally.uncached += self._has_formula
            return
        text = self._value("".join(self._text))
        if text is not None:
            self._cells.extend([None] * (self._column + 1 - len(self._cells)))
            self._cells[self._column] = text

    def _value(self, raw: str) -> str | None:
        tally, number_format = self._tally, self._formats.get(self._style, GENERAL)
        if self._type == "Error":
            tally.errors[self._column] += 1
            return None
        if self._type == "Boolean":
            return "TRUE" if raw.strip() in ("1", "true") else "FALSE"
        if self._type == "Number":
            return tally.number(self._row, self._column, number_format, raw)
        if self._type != "DateTime":
            return mark_text(raw) or None
        text = raw.strip().removesuffix(".000")
        if number_format.kind is FormatKind.TIME and text.startswith("1899-12-3"):
            return text.partition("T")[2]
        text = iso_text(text, number_format.kind)
        tally.note_date(self._row, self._column, number_format, text)
        return text or None
