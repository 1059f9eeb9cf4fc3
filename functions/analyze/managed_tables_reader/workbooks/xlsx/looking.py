"""Look into an XLSX workbook for what its cells do not show: a text that signs it, formats of its header.

Only tags are looked at, and no more rows than a header may stand below: nothing of a part is kept in memory.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import TypeVar
from xml.etree.ElementTree import Element

from managed_tables_reader.workbooks.package import Package, open_package, read_xml
from managed_tables_reader.workbooks.raw import WorkbookError
from managed_tables_reader.workbooks.xlsx.cells import REFERENCE, column_index
from managed_tables_reader.workbooks.xlsx.workbook import list_sheets, read_format_codes

Found = TypeVar("Found")

_PARTS = re.compile(r"docprops/[^/]*\.xml|xl/workbook\.xml|xl/sharedstrings\.xml|xl/worksheets/[^/]*\.xml")
_MAX_TEXT_BYTES = 1 << 20  # of the start of each part: a signature stands in properties, names or the header
_MAX_HEADER_CELLS = 200_000  # above and in the header
_MAX_VALUELESS = 1_000


@dataclass(frozen=True)
class MarkedHeader:
    """A row of cells whose number formats say what they are: by column, from 0."""

    sheet: str
    line: int
    marks: dict[int, str]
    other_sheets: tuple[str, ...] = ()


def find_signature(path: Path, find: Callable[[str], Found | None]) -> Found | None:
    """Return what `find` finds in a workbook's properties, names or first cells; None for no workbook."""
    with suppress(WorkbookError), open_package(path) as package:
        for name in filter(_PARTS.fullmatch, package.names):
            with package.open_part(name) as stream:
                text = stream.read(_MAX_TEXT_BYTES).decode(errors="replace")
            if found := find(text):
                return found
    return None


def find_marked_header(path: Path, find: Callable[[str], str | None]) -> MarkedHeader | None:
    """Return the first row with cells of whose number formats `find` makes marks, of the first such sheet."""
    with suppress(WorkbookError), open_package(path) as package:
        codes = read_format_codes(package)
        marks = {str(style): mark for style, code in enumerate(codes) if (mark := find(code))}
        sheets = list(list_sheets(package)) if marks else []
        for sheet in sheets:
            if header := _find_header(package, sheet.name, sheet.part, marks):
                others = tuple(one.name for one in sheets if one.name != sheet.name)
                return replace(header, other_sheets=others)
    return None


def _find_header(package: Package, sheet: str, part: str, marks: dict[str, str]) -> MarkedHeader | None:
    found: dict[int, str] = {}
    line, column = 0, -1
    with package.open_part(part) as stream:
        for element in islice(read_xml(stream, heads=("row", "c")), _MAX_HEADER_CELLS):
            if element.tag == "c":
                column = _column_of(element, column)
                if mark := marks.get(element.get("s", "")):
                    found.setdefault(column, mark)
            elif found:
                break
            else:
                line, column = _row_number(element, line), -1
    return MarkedHeader(sheet, line, found) if found else None


def find_valueless(path: Path, sheet_name: str) -> list[tuple[int, int]]:
    """Return the row and column (from 0) of the first formulas whose result a sheet does not hold."""
    with suppress(WorkbookError), open_package(path) as package:
        for sheet in list_sheets(package):
            if sheet.name == sheet_name:
                with package.open_part(sheet.part) as stream:
                    elements = read_xml(stream, heads=("row", "c", "f"), wholes=("v",))
                    return list(islice(_valueless(elements), _MAX_VALUELESS))
    return []


def _valueless(elements: Iterator[Element]) -> Iterator[tuple[int, int]]:
    """Yield the places of formulas with no value, of rows, cells, formulas and values in their order."""
    number, column, is_open = 0, -1, False
    for element in chain(elements, [Element("row")]):
        if element.tag == "f":
            is_open = True
        elif element.tag == "v":
            is_open = is_open and not element.text
        else:
            if is_open:
                yield number, column
            is_open = False
            if element.tag == "row":
                number, column = _row_number(element, number), -1
            else:
                column = _column_of(element, column)


def _row_number(row: Element, before: int) -> int:
    stated = row.get("r", "")
    return int(stated[:9]) if stated.isdecimal() else before + 1


def _column_of(cell: Element, before: int) -> int:
    reference = REFERENCE.fullmatch(cell.get("r", ""))
    return column_index(reference[1].upper()) if reference else before + 1
