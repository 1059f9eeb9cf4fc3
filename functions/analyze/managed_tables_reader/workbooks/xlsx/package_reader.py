"""Read an XLSX workbook: sheets in their order, with strings, styles, epoch and rows."""

import posixpath
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from managed_tables.errors import WORKBOOK_CORRUPT
from managed_tables_reader.rows.sheets import LABEL_ROWS, MAX_COLUMNS, Batch, ShownDates
from managed_tables_reader.workbooks.failures import WorkbookError
from managed_tables_reader.workbooks.package import Package, Relationship, open_package
from managed_tables_reader.workbooks.raw import RawSheet, Tally, in_batches
from managed_tables_reader.workbooks.values.formats import NumberFormat
from managed_tables_reader.workbooks.xlsx.canonical import NotCanonicalError
from managed_tables_reader.workbooks.xlsx.cells import CellReader, column_index
from managed_tables_reader.workbooks.xlsx.parse import parse_rows
from managed_tables_reader.workbooks.xlsx.scan import SheetScanner
from managed_tables_reader.workbooks.xlsx.strings import read_shared_strings
from managed_tables_reader.workbooks.xlsx.styles import read_styles
from managed_tables_reader.workbooks.xml import Attributes, parse_xml

_HEAD_BYTES = 1 << 18  # in which the columns are declared, and the rows of a header stand
_HIDDEN_COLUMN = re.compile(rb'<(?:\w+:)?col ([^<>]*hidden="(?:1|true)"[^<>]*)>')
_NUMBER = re.compile(rb'(min|max)="([0-9]{1,5})"')
_NUMBER_CELL = re.compile(
    r"<(?:\w+:)?c\s([^<>]*)>(?:<(?:\w+:)?f\b[^<>]*(?:/>|>[^<]*</(?:\w+:)?f>))?<(?:\w+:)?v>([^<]+)<"
)
_ATTRIBUTE = re.compile(r'([a-z]+)="([^"]*)"')
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_NO_WORKSHEETS = ("chartsheet", "dialogsheet", "xlMacrosheet", "xlIntlMacrosheet")


@dataclass
class _Workbook:
    is_1904: bool = False
    sheets: list[tuple[str, bool, str]] = field(default_factory=list)
    """Name, visibility and relationship id, in the order of the tabs."""


def read_xlsx(path: Path) -> Iterator[RawSheet]:
    """Yield the worksheets in the order of their tabs; chart sheets hold no cells and are left out."""
    with open_package(path) as package:
        part = _workbook_part(package)
        workbook = _read_workbook(package, part)
        related = package.relationships(part)
        reader = CellReader(
            _shared_strings(package, _related_part(package, part, related, "sharedStrings")),
            _styles(package, _related_part(package, part, related, "styles")),
            is_1904=workbook.is_1904,
        )
        for name, is_visible, relation_id in workbook.sheets:
            if not relation_id:  # a module of Excel 5, which has a tab and no cells
                continue
            relation = related.get(relation_id)
            if relation is None:
                raise WorkbookError(f"a aba {name} não está no arquivo")
            if relation.kind not in _NO_WORKSHEETS:
                yield _open_sheet(package, relation.target, reader, name, is_visible)


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


def _read_workbook(package: Package, part: str) -> _Workbook:
    workbook = _Workbook()
    root: list[str] = []

    def on_start(element: str, attributes: Attributes) -> None:
        root.append(element)
        if element == "workbookPr":
            workbook.is_1904 = attributes.get("date1904", "0").lower() in ("1", "true", "on")
        elif element == "sheet":
            is_visible = attributes.get("state", "").lower() not in ("hidden", "veryhidden")
            workbook.sheets.append((attributes.get("name", ""), is_visible, attributes.get("id", "")))

    with package.open_part(part) as stream:
        parse_xml(stream, on_start, lambda _: None, lambda _: None)
    if root[:1] != ["workbook"]:
        raise WorkbookError("o pacote não contém uma pasta de trabalho do Excel")
    return workbook


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


def _open_sheet(package: Package, part: str, reader: CellReader, name: str, is_visible: bool) -> RawSheet:
    with package.open_part(part) as stream:
        above, _, rows = stream.read(_HEAD_BYTES).partition(b"sheetData")
    tally = reader.tally = Tally(
        hidden_columns=_hidden_columns(above), shown_dates=_shown_dates(rows, reader)
    )
    return RawSheet(name, is_visible, _batches(package, part, reader), tally)


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
            yield from _skip(in_batches(parse_rows(stream, reader)), seen_rows)


def _skip(batches: Iterator[Batch], rows: int) -> Iterator[Batch]:
    for batch in batches:
        skipped = min(rows, len(batch))
        rows -= skipped
        if skipped < len(batch):
            yield batch.cut(skipped) if skipped else batch


def _hidden_columns(above: bytes) -> frozenset[int]:
    """Return the columns (from 0) that are hidden, which the sheet declares before its rows."""
    hidden: set[int] = set()
    for attributes in _HIDDEN_COLUMN.findall(above):
        named = dict(_NUMBER.findall(attributes))
        first, last = (int(named.get(name, b"0")) for name in (b"min", b"max"))
        hidden.update(range(first - 1, min(last, MAX_COLUMNS)) if first else ())
    return frozenset(hidden)


def _shown_dates(rows: bytes, reader: CellReader) -> ShownDates:
    """Return the dates among the first rows as the sheet shows them."""
    found: ShownDates = {}
    for attributes, raw in _NUMBER_CELL.findall(rows.decode("utf-8", "replace")):
        named = dict(_ATTRIBUTE.findall(attributes))
        place = _REFERENCE.fullmatch(named.get("r", ""))
        if place is None or named.get("t", "n") != "n" or int(place[2]) > LABEL_ROWS:
            continue
        with suppress(WorkbookError):  # of styles that are lost, which the cell itself will say
            if date := reader.shown_date(named.get("s", ""), raw):
                found[int(place[2]), column_index(place[1])] = date
    return found
