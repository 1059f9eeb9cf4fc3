"""Parse any well-formed XML of a sheet, for sheets that `xlsx.scan` declines."""

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
            stated = element.get("r", "")
            number = int(stated) if _NUMBER.fullmatch(stated) else number + 1
            if number > MAX_ROWS:
                raise WorkbookTooLargeError("tem linhas demais")
            reader.tally.hidden_rows += element.get("hidden") in _TRUE
            cells = _cells(number, element, reader)
            if any(cells):
                yield number, cells


def _cells(number: int, row: Element, reader: CellReader) -> Cells:
    cells: Cells = []
    column = -1
    for cell in row.findall("c"):
        reference = REFERENCE.fullmatch(cell.get("r", ""))
        column = column_index(reference[1].upper()) if reference else column + 1
        if column >= MAX_COLUMNS:
            raise WorkbookTooLargeError(f"tem mais de {MAX_COLUMNS} colunas")
        text = _text(number, column, cell, reader)
        if text is not None:
            cells.extend([None] * (column + 1 - len(cells)))
            cells[column] = text
    return cells


def _text(row: int, column: int, cell: Element, reader: CellReader) -> str | None:
    style, cell_type = cell.get("s", ""), cell.get("t", "")
    raw, inline = cell.findtext("v", ""), cell.find("is")
    if inline is None and cell_type == "inlineStr":  # some programs write no `is` around the text
        inline = cell
    if inline is not None:
        raw += shown_text(inline)
    if len(raw) > _MAX_TEXT_CHARACTERS:
        raise WorkbookTooLargeError("uma célula tem dezenas de megabytes")
    if not raw and cell_type != "str" and cell.find("f") is not None:
        reader.tally.uncached += 1
    return reader.text(row, column, style, cell_type, raw)
