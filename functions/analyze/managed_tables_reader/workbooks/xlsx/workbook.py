"""Read an XLSX workbook: sheets in their order, with strings, styles, epoch and rows."""

import posixpath
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from managed_tables.errors import WORKBOOK_CORRUPT
from managed_tables_reader.rows.sheets import Batch
from managed_tables_reader.workbooks.formats import GENERAL, NumberFormat, builtin_format, parse_format
from managed_tables_reader.workbooks.package import Package, Relationship, open_package, read_xml
from managed_tables_reader.workbooks.raw import RawSheet, Tally, WorkbookError, in_batches
from managed_tables_reader.workbooks.xlsx.cells import CellReader, parse_rows
from managed_tables_reader.workbooks.xlsx.scan import SheetScanner
from managed_tables_reader.workbooks.xlsx.strings import NotCanonicalError, read_shared_strings

_MAX_STYLES = 100_000  # Excel allows 65,490
_TRUE = ("1", "true", "on")
_NO_WORKSHEETS = ("chartsheet", "dialogsheet", "xlMacrosheet", "xlIntlMacrosheet")


def read_xlsx(path: Path) -> Iterator[RawSheet]:
    """Yield the worksheets in the order of their tabs; chart sheets hold no cells and are left out."""
    with open_package(path) as package:
        part = _workbook_part(package)
        is_1904, is_uncalculated, sheets = _read_workbook(package, part)
        related = package.relationships(part)
        reader = CellReader(
            _shared_strings(package, _related_part(package, part, related, "sharedStrings")),
            _styles(package, _related_part(package, part, related, "styles")),
            is_uncalculated,
        )
        for name, is_visible, relation_id in sheets:
            if not relation_id:  # a module of Excel 5, which has a tab and no cells
                continue
            relation = related.get(relation_id)
            if relation is None:
                raise WorkbookError(f"a aba {name} não está no arquivo")
            if relation.kind not in _NO_WORKSHEETS:
                tally = reader.tally = Tally(is_1904)
                yield RawSheet(name, is_visible, _batches(package, relation.target, reader), tally=tally)


def _workbook_part(package: Package) -> str:
    """Return the part that lists the sheets: as the package says, else by its usual name."""
    try:
        relations = package.relationships("").values()
    except WorkbookError as error:  # what only leads to the workbook may be damaged
        if error.kind is not WORKBOOK_CORRUPT:
            raise
        relations = {}.values()
    targets = [relation.target for relation in relations if relation.kind == "officeDocument"]
    part = next((part for part in (*targets, "/xl/workbook.xml") if part in package), None)
    if part is None:
        raise WorkbookError("o pacote não contém uma pasta de trabalho do Excel")
    return part


class TabPart(NamedTuple):
    """A worksheet's name, and the part that holds its cells."""

    name: str
    part: str


def list_sheets(package: Package) -> Iterator[TabPart]:
    """Yield the worksheets in the order of their tabs."""
    part = _workbook_part(package)
    related = package.relationships(part)
    for name, _, relation_id in _read_workbook(package, part)[2]:
        relation = related.get(relation_id)
        if relation is not None and relation.kind not in _NO_WORKSHEETS:
            yield TabPart(name, relation.target)


def read_format_codes(package: Package) -> list[str]:
    """Return the number format of each style as it is written; empty for one of Excel's own."""
    workbook = _workbook_part(package)
    part = _related_part(package, workbook, package.relationships(workbook), "styles")
    if part is None:
        return []
    with package.open_part(part) as stream:
        codes, ids = _read_formats(stream)
    return [codes.get(number, "") for number in ids]


def _read_workbook(package: Package, part: str) -> tuple[bool, bool, list[tuple[str, bool, str]]]:
    """Return whether days count from 1904, whether all formulas are still to be calculated, and the tabs.

    Of each tab these are its name, visibility and relationship id.
    """
    with package.open_part(part) as stream:
        found = list(read_xml(stream, heads=("workbook", "workbookPr", "sheet", "calcPr")))
    if not found or found[0].tag != "workbook":
        raise WorkbookError("o pacote não contém uma pasta de trabalho do Excel")
    is_1904 = is_uncalculated = False
    sheets: list[tuple[str, bool, str]] = []
    for element in found:
        if element.tag == "workbookPr":
            is_1904 = element.get("date1904", "0").lower() in _TRUE
        elif element.tag == "calcPr":
            is_uncalculated = element.get("fullCalcOnLoad", "0").lower() in _TRUE
        elif element.tag == "sheet":
            is_visible = element.get("state", "").lower() not in ("hidden", "veryhidden")
            sheets.append((element.get("name", ""), is_visible, element.get("id", "")))
    return is_1904, is_uncalculated, sheets


def _related_part(package: Package, workbook: str, related: dict[str, Relationship], kind: str) -> str | None:
    """Return the workbook's part of a kind, None if it has none; a part that it refers to may be missing."""
    referred = [relation.target for relation in related.values() if relation.kind == kind]
    usual = posixpath.join(posixpath.dirname(workbook), f"{kind}.xml")
    return next((part for part in (*referred, usual) if part in package), referred[0] if referred else None)


def _shared_strings(package: Package, part: str | None) -> list[str | None]:
    if part is None or part not in package:
        return []  # a cell that needs one raises an error
    with package.open_part(part) as stream:
        return read_shared_strings(stream)


def _styles(package: Package, part: str | None) -> list[NumberFormat] | WorkbookError:
    """Return the formats by style, or the error of reading them, to be raised only if one is needed."""
    if part is None:
        return []
    try:
        with package.open_part(part) as stream:
            return read_styles(stream)
    except WorkbookError as error:
        if error.kind is not WORKBOOK_CORRUPT:
            raise
        return error


def _batches(package: Package, part: str, reader: CellReader) -> Iterator[Batch]:
    seen_rows = 0
    try:
        with package.open_part(part) as stream:
            for batch in SheetScanner(stream, reader).batches():
                seen_rows += len(batch)
                yield batch
    except NotCanonicalError:
        reader.tally.reset()
        with package.open_part(part) as stream:
            for batch in in_batches(parse_rows(stream, reader)):
                skipped = min(seen_rows, len(batch))
                seen_rows -= skipped
                if skipped < len(batch):
                    yield batch.cut(skipped)


def read_styles(stream: IO[bytes]) -> list[NumberFormat]:
    """Return the number format of each style, in the order of the numbers that cells use."""
    codes, ids = _read_formats(stream)
    return [_format(number, codes) for number in ids]


def _read_formats(stream: IO[bytes]) -> tuple[dict[str, str], list[str]]:
    """Return the written formats by their ids, and the id of each style's."""
    codes: dict[str, str] = {}
    ids: list[str] = []
    for element in read_xml(stream, heads=("numFmt",), wholes=("cellXfs",)):
        if element.tag == "numFmt":
            codes[element.get("numFmtId", "")] = element.get("formatCode", "")
        else:
            ids += [style.get("numFmtId", "0") for style in element.findall("xf")[:_MAX_STYLES]]
    return codes, ids


def _format(number: str, codes: dict[str, str]) -> NumberFormat:
    if number in codes:
        return parse_format(codes[number])
    return builtin_format(int(number)) if number.isdigit() else GENERAL
