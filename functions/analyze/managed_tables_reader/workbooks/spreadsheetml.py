"""Read SpreadsheetML 2003, the XML of Excel 2003, which many systems export under the name `.xls`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import IO
from xml.etree.ElementTree import Element

from managed_tables.conversion.marked_cells import mark_text
from managed_tables.errors import FILE_NOT_TABULAR, WORKBOOK_TOO_LARGE
from managed_tables_reader.rows.sheets import MAX_COLUMNS, MAX_ROWS
from managed_tables_reader.workbooks.formats import GENERAL, FormatKind, NumberFormat, iso_text, parse_format
from managed_tables_reader.workbooks.package import read_count, read_xml
from managed_tables_reader.workbooks.raw import Cells, RawSheet, Tally, WorkbookError, in_batches

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
    with path.open("rb") as stream:
        outline = _read_outline(stream)
    if not outline.names:
        raise WorkbookError("o XML não contém nenhuma planilha", FILE_NOT_TABULAR)
    with path.open("rb") as stream:
        tallies = [Tally(is_1904=outline.is_1904) for _ in outline.names]
        for index, group in groupby(_rows(stream, outline.formats, tallies), key=itemgetter(0)):
            batches = in_batches((number, cells) for _, number, cells in group)
            yield RawSheet(outline.names[index], index not in outline.hidden, batches, tally=tallies[index])


def _read_outline(stream: IO[bytes]) -> _Outline:
    outline = _Outline()
    for element in read_xml(stream, heads=("Worksheet", "Date1904"), wholes=("Style", "Visible")):
        match element.tag:
            case "Worksheet":
                outline.names.append(element.get("Name", ""))
            case "Date1904":
                outline.is_1904 = True
            case "Visible":
                if (element.text or "").strip() in ("SheetHidden", "SheetVeryHidden"):
                    outline.hidden.add(len(outline.names) - 1)
            case "Style":
                for shown in element.iter("NumberFormat"):
                    code = shown.get("Format", "")
                    outline.formats[element.get("ID", "")] = parse_format(_NAMED_FORMATS.get(code, code))
    return outline


def _rows(
    stream: IO[bytes], formats: Mapping[str, NumberFormat], tallies: Sequence[Tally]
) -> Iterator[PlacedRow]:
    """Yield the rows of all sheets that are not empty, one sheet after the other.

    Each row and cell stands after the one before, unless its `Index` says otherwise.
    """
    sheet, next_row, next_column = -1, 1, 0
    for element in read_xml(stream, heads=("Worksheet", "Column"), wholes=("Row",)):
        tally, index = tallies[sheet], read_count(element.get("Index"))
        if element.tag == "Worksheet":
            sheet, next_row, next_column = sheet + 1, 1, 0
            continue
        if element.tag == "Column":
            first = index - 1 if index else next_column
            next_column = first + 1 + read_count(element.get("Span"))
            if element.get("Hidden") == "1":
                tally.hidden_columns.update(range(first, min(next_column, MAX_COLUMNS)))
            continue
        number = index or next_row
        if number > MAX_ROWS:
            raise WorkbookError("tem linhas demais", WORKBOOK_TOO_LARGE)
        next_row = number + 1 + read_count(element.get("Span"))
        tally.hidden_rows += element.get("Hidden") == "1"
        cells = _cells(number, element, formats, tally)
        if any(cells):
            yield sheet, number, cells


def _cells(number: int, row: Element, formats: Mapping[str, NumberFormat], tally: Tally) -> Cells:
    cells: Cells = []
    next_column = 0
    for cell in row.findall("Cell"):
        column = (read_count(cell.get("Index")) or next_column + 1) - 1
        down, across = read_count(cell.get("MergeDown")), read_count(cell.get("MergeAcross"))
        next_column = column + 1 + across
        if next_column > MAX_COLUMNS:
            raise WorkbookError(f"tem mais de {MAX_COLUMNS} colunas", WORKBOOK_TOO_LARGE)
        if down:
            tally.merged.append((number, column, number + down, column + across))
        data = cell.find("Data")
        if data is None:
            tally.uncached += "Formula" in cell.attrib
            continue
        style = cell.get("StyleID", row.get("StyleID", "Default"))
        text = _text(number, column, data, formats.get(style, GENERAL), tally)
        if text is not None:
            cells.extend([None] * (column + 1 - len(cells)))
            cells[column] = text
    return cells


def _text(row: int, column: int, data: Element, number_format: NumberFormat, tally: Tally) -> str | None:
    raw = "".join(data.itertext())  # rich text has elements inside
    match data.get("Type", "String"):
        case "Error":
            tally.errors[column] += 1
            return None
        case "Boolean":
            return "TRUE" if raw.strip() in ("1", "true") else "FALSE"
        case "Number":
            return tally.number(row, column, number_format, raw)
        case "DateTime":
            text = raw.strip().removesuffix(".000")
            if number_format.kind is FormatKind.TIME and text.startswith("1899-12-3"):
                return text.partition("T")[2]
            text = iso_text(text, number_format.kind)
            tally.note_date(row, column, number_format, text)
            return text or None
    return mark_text(raw) or None
