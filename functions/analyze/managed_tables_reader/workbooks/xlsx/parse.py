"""Parse any well-formed XML of rows and of sheets, for what `xlsx.scan` cannot match."""

import re
from collections.abc import Iterator
from itertools import chain, islice
from operator import itemgetter
from typing import IO
from xml.etree.ElementTree import Element

from managed_tables_reader.rows.sheets import MAX_COLUMNS, MAX_ROWS
from managed_tables_reader.workbooks.package import read_xml
from managed_tables_reader.workbooks.raw import Cells, WorkbookTooLargeError
from managed_tables_reader.workbooks.xlsx.cells import REFERENCE, CellReader, column_index
from managed_tables_reader.workbooks.xlsx.strings import shown_text

_NUMBER = re.compile(r"[0-9]{1,12}")
_TRUE = ("1", "true")
_SORTED_ROWS = 100_000  # the first rows may stand in any order; after them the file's order is kept
_MAX_TEXT_CHARACTERS = 16 << 20  # of one cell; Excel's own limit is 32,767

NumberedRow = tuple[int, Cells]


def parse_rows(stream: IO[bytes], reader: CellReader) -> Iterator[NumberedRow]:
    """Yield the rows that are not empty, the first of them sorted by number."""
    rows = _rows(stream, reader)
    return chain(sorted(islice(rows, _SORTED_ROWS), key=itemgetter(0)), rows)


def _rows(stream: IO[bytes], reader: CellReader) -> Iterator[NumberedRow]:
    """Yield the rows as they stand in the file."""
    number = 0
    for element in read_xml(stream, heads=("mergeCell", "col"), wholes=("row",)):
        if element.tag == "mergeCell":
            reader.merge(element.get("ref", ""))
        elif element.tag == "col":
            if element.get("hidden") in _TRUE:
                reader.hide_columns(element.get("min", ""), element.get("max", ""))
        else:
            number = row_number(element, number, reader)
            cells: Cells = []
            for _, column, cell in placed_cells(element):
                text = cell_text(number, column, cell, reader)
                if text is not None:
                    cells.extend([None] * (column + 1 - len(cells)))
                    cells[column] = text
            if any(cells):
                yield number, cells


def row_number(row: Element, before: int, reader: CellReader) -> int:
    """Return the number of a row that follows another one, and note whether it is hidden."""
    stated = row.get("r", "")
    number = int(stated) if _NUMBER.fullmatch(stated) else before + 1
    if number > MAX_ROWS:
        raise WorkbookTooLargeError("tem linhas demais")
    reader.tally.hidden_rows += row.get("hidden") in _TRUE
    return number


def placed_cells(row: Element) -> Iterator[tuple[str, int, Element]]:
    """Yield the cells, each with the letters that it states, if any, and its column (from 0)."""
    column = -1
    for cell in row.findall("c"):
        reference = REFERENCE.fullmatch(cell.get("r", ""))
        letters = reference[1] if reference else ""
        column = column_index(letters.upper()) if letters else column + 1
        if column >= MAX_COLUMNS:
            raise WorkbookTooLargeError(f"tem mais de {MAX_COLUMNS} colunas")
        yield letters, column, cell


def cell_text(row: int, column: int, cell: Element, reader: CellReader) -> str | None:
    """Return the text of a cell, None if it is empty."""
    style, cell_type = cell.get("s", ""), cell.get("t", "")
    value, inline = cell.findtext("v"), cell.find("is")
    if inline is None and cell_type == "inlineStr":  # some programs write no `is` around the text
        inline = cell
    raw = (value or "") + (shown_text(inline) if inline is not None else "")
    if len(raw) > _MAX_TEXT_CHARACTERS:
        raise WorkbookTooLargeError("uma célula tem dezenas de megabytes")
    is_empty_text = cell_type == "str" and value is not None
    if not raw and not is_empty_text and cell.find("f") is not None:
        reader.tally.uncached += 1
    return reader.text(row, column, style, cell_type, raw)
