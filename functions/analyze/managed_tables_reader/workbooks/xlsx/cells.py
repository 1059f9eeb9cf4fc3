"""Turn an XLSX cell into text, from its type, its style and its content; parse rows of any form.

Any well-formed XML of rows is parsed here, for what `xlsx.scan` cannot match.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain, islice
from operator import itemgetter
from typing import IO, NamedTuple
from xml.etree.ElementTree import Element

from managed_tables.conversion.marked_cells import mark_text
from managed_tables.errors import WORKBOOK_TOO_LARGE
from managed_tables_reader.rows.sheets import LABEL_ROWS, MAX_COLUMNS, MAX_ROWS, Column, MergedRange, Row
from managed_tables_reader.workbooks.formats import (
    GENERAL,
    FormatKind,
    NumberFormat,
    iso_text,
    moment_texts,
    serial_texts,
)
from managed_tables_reader.workbooks.numbers import DOUBLE_DIGITS
from managed_tables_reader.workbooks.package import read_count, read_xml
from managed_tables_reader.workbooks.raw import Cells, Tally, WorkbookError
from managed_tables_reader.workbooks.xlsx.strings import shown_text, unescape_hex, unescape_xml

REFERENCE = re.compile(r"\$?([A-Za-z]{1,3})\$?([0-9]{1,7})")
_RANGE = re.compile(f"{REFERENCE.pattern}:{REFERENCE.pattern}")
_BOOLEANS = {"1": "TRUE", "0": "FALSE", "true": "TRUE", "false": "FALSE"}

Raws = Sequence[str | None]
"""Cells of a column as they stand in the XML."""

_NUMBER = re.compile(r"[0-9]{1,12}")
_TRUE = ("1", "true")
_UNCALCULATED = ("0", "0.0")  # what XlsxWriter, EPPlus and POI write for every formula
_FORMULA = re.compile(r"f(?<=[</:]f)[\s/>]")  # spares rows without one the other expression
# In a cell of a number: its tag, then the formula and its value. Each begins with `<`, which no text has, so
# that a long one is looked through once.
_NUMBER_ATTRIBUTES = r'(?:\s+(?!t=)[\w:.-]+="[^"<>]*"|\s+t="n")*+\s*>'
_ZERO = rf"\s*<(?:\w+:)?v>(?:{'|'.join(map(re.escape, _UNCALCULATED))})</(?:\w+:)?v>\s*"
_FORMULA_END = rf"(?:(?<=/)>|(?<!/)>[^<]*</(?:\w+:)?f\s*>){_ZERO}"
_UNCALCULATED_FORMULA = re.compile(
    rf"(<(?:\w+:)?c{_NUMBER_ATTRIBUTES})\s*<(?:\w+:)?f(?:\s[^<>]*|/)?{_FORMULA_END}"
)
_ARRAY = re.compile(rf'<(?:\w+:)?f\s(?=[^<>]*t="array")[^<>]*ref="([^"<>]+)"[^<>]*{_FORMULA_END}')
_ZERO_CELL = re.compile(rf'(<(?:\w+:)?c r="([A-Z]{{1,3}})([0-9]{{1,7}})"{_NUMBER_ATTRIBUTES}){_ZERO}')
_SORTED_ROWS = 100_000  # the first rows may stand in any order; after them the file's order is kept
_MAX_TEXT_CHARACTERS = 16 << 20  # of one cell; Excel's own limit is 32,767


class CellLook(NamedTuple):
    """What a cell looks like: its attributes as written, and what they say."""

    attributes: str
    style: str
    type: str
    is_plain: bool = False  # a number as `TRIMMED_NUMBER` matches it, as nearly all are
    has_value: bool = True


@lru_cache(MAX_COLUMNS)
def column_index(letters: str) -> int:
    """Return the column (from 0) that `A`, `Z`, `AA`, … stand for; raises WorkbookError beyond XFD."""
    index = 0
    for letter in letters:
        index = index * 26 + ord(letter) - 64
    if not 0 < index <= MAX_COLUMNS:
        raise WorkbookError(f"a coluna {letters} não existe")
    return index - 1


def _areas(reference: str) -> Iterator[MergedRange]:
    """Yield the range that a reference names, if it names one."""
    if found := _RANGE.fullmatch(reference):
        left, right = column_index(found[1].upper()), column_index(found[3].upper())
        yield int(found[2]), left, int(found[4]), right


@dataclass
class CellReader:
    """Turns cells into text for one workbook."""

    strings: Sequence[str | None]
    formats: Sequence[NumberFormat] | WorkbookError  # why they are unknown: raised by a number with a style
    # Excel is to calculate all formulas: their values may be the zeros of a program that does not calculate.
    is_uncalculated: bool = False
    tally: Tally = field(default_factory=Tally)  # of the sheet that is read

    def without_uncalculated(self, row: str) -> str:
        """Return the XML of a row, whose formulas nobody has calculated, without those; count them."""
        if _FORMULA.search(row) is not None:
            for reference in _ARRAY.findall(row):
                self.note_array(reference)
            row, count = _UNCALCULATED_FORMULA.subn(r"\1", row)
            self.tally.uncached += count
        return _ZERO_CELL.sub(self._emptied, row) if self.tally.arrays else row

    def _emptied(self, cell: re.Match[str]) -> str:
        """Return a cell that holds a zero, without it where it belongs to an array formula."""
        return cell[1] if self.is_of_array(int(cell[3]), column_index(cell[2])) else cell[0]

    def note_array(self, reference: str) -> None:
        """Note the cells of an array formula, of which only the first has it; forget what ended above."""
        for area in _areas(reference):
            below = [one for one in self.tally.arrays if one[2] >= area[0]]
            self.tally.arrays = [*below, area] if area[:2] != area[2:] else below

    def is_of_array(self, row: int, column: int) -> bool:
        """Return whether a cell belongs to an array formula that nobody has calculated, and count it."""
        areas = self.tally.arrays
        found = any(top <= row <= down and left <= column <= right for top, left, down, right in areas)
        self.tally.uncached += found
        return found

    def text(self, row: int, column: int, style: str, cell_type: str, raw: str | None) -> str | None:
        """Return the text of one cell whose XML is already resolved; None if it is empty."""
        if not raw:
            return None
        if cell_type in ("", "n"):
            return self.tally.number(row, column, self.format_of(style), raw)
        if cell_type == "s":
            return self._shared(raw)
        if cell_type in ("str", "inlineStr"):
            return mark_text(unescape_hex(raw)) or None
        if cell_type == "b":
            return _BOOLEANS.get(raw.strip().lower(), raw)
        if cell_type == "e":
            self.tally.errors[column] += 1
            return None
        if cell_type == "d":
            return iso_text(raw, self.format_of(style).kind)
        raise WorkbookError(f"tipo de célula desconhecido: {cell_type[:20]}")

    def texts(self, rows: Sequence[int], column: int, look: CellLook, raws: Raws) -> Column:
        """Return what `text` returns for a column's cells of a look in these rows, their XML not resolved."""
        if look.is_plain and self.format_of(look.style).kind is not FormatKind.MASK:
            return self._plain_texts(rows, column, self.format_of(look.style), raws)
        if look.type == "s":
            return self._shared_texts(raws)
        if look.type in ("str", "inlineStr"):
            return _inline_texts(raws)
        return [
            raw and self.text(row, column, look.style, look.type, unescape_xml(raw))
            for row, raw in zip(rows, raws, strict=True)
        ]

    def _shared_texts(self, raws: Raws) -> Column:
        try:
            return [None if raw is None else self.strings[int(raw)] for raw in raws]
        except IndexError as error:
            raise WorkbookError("um texto compartilhado não existe") from error

    def _plain_texts(
        self, rows: Sequence[int], column: int, number_format: NumberFormat, raws: Raws
    ) -> Column:
        """Return the texts of a column's plain numbers, whose format has no mask."""
        kind = number_format.kind
        if kind is FormatKind.NUMBER:
            self.tally.note_format(column, number_format)
            return self._numbers(raws)
        if kind is FormatKind.DATETIME:
            return moment_texts(raws, self.tally.is_1904)
        text_of = serial_texts(kind, is_1904=self.tally.is_1904)
        texts = [raw and text_of(raw) for raw in raws]
        if rows[0] <= LABEL_ROWS:
            for row, text in zip(rows, texts, strict=True):
                self.tally.note_date(row, column, number_format, text or "")
        return texts

    def _numbers(self, raws: Raws) -> Column:
        filled = [raw for raw in raws if raw is not None]
        if len(max(filled, key=len, default="")) <= DOUBLE_DIGITS:
            return list(raws)
        text = self.tally.number_cells.text
        return [raw if raw is None or len(raw) <= DOUBLE_DIGITS else text(raw) for raw in raws]

    def hide_columns(self, first: str, last: str) -> None:
        """Note that columns are hidden, which are counted from 1."""
        if begin := read_count(first):
            self.tally.hidden_columns.update(range(begin - 1, min(read_count(last), MAX_COLUMNS)))

    def merge(self, reference: str) -> None:
        """Note that cells are merged, such as `A1:B2`."""
        self.tally.merged += _areas(reference)

    def format_of(self, style: str) -> NumberFormat:
        """Return the number format of a style, General for one that does not exist."""
        if isinstance(self.formats, WorkbookError):
            if style in ("", "0"):  # the style of cells that were never formatted
                return GENERAL
            raise self.formats
        index = int(style) if style.isdigit() else -1
        return self.formats[index] if 0 <= index < len(self.formats) else GENERAL

    def _shared(self, raw: str) -> str | None:
        if raw.strip().isdigit() and int(raw) < len(self.strings):
            return self.strings[int(raw)]
        raise WorkbookError(f"o texto compartilhado {raw[:20]} não existe")

    def row_number(self, row: Element, before: int) -> int:
        """Return the number of a row that follows another one, and note whether it is hidden."""
        stated = row.get("r", "")
        number = int(stated) if _NUMBER.fullmatch(stated) else before + 1
        if number > MAX_ROWS:
            raise WorkbookError("tem linhas demais", WORKBOOK_TOO_LARGE)
        self.tally.hidden_rows += row.get("hidden") in _TRUE
        return number

    def cell_text(self, row: int, column: int, cell: Element) -> str | None:
        """Return the text of a cell, None if it is empty."""
        style, cell_type = cell.get("s", ""), cell.get("t", "")
        value, inline = self._value(row, column, cell, cell_type), cell.find("is")
        if inline is None and cell_type == "inlineStr":  # some programs write no `is` around the text
            inline = cell
        raw = (value or "") + (shown_text(inline) if inline is not None else "")
        if len(raw) > _MAX_TEXT_CHARACTERS:
            raise WorkbookError("uma célula tem dezenas de megabytes", WORKBOOK_TOO_LARGE)
        is_empty_text = cell_type == "str" and value is not None
        if not raw and not is_empty_text and cell.find("f") is not None:
            self.tally.uncached += 1
        return self.text(row, column, style, cell_type, raw)

    def _value(self, row: int, column: int, cell: Element, cell_type: str) -> str | None:
        """Return what stands in `v`, None for the zero of a formula that nobody has calculated."""
        value = cell.findtext("v")
        if not self.is_uncalculated or cell_type not in ("", "n") or value not in _UNCALCULATED:
            return value
        formula = cell.find("f")
        if formula is None:
            return None if self.is_of_array(row, column) else value
        self.note_array(formula.get("ref", "") if formula.get("t") == "array" else "")
        return None


def _inline_texts(raws: Raws) -> Column:
    return [
        (raw or None)
        if not raw or ("." not in raw and "&" not in raw and "_x" not in raw)
        else mark_text(unescape_hex(unescape_xml(raw))) or None
        for raw in raws
    ]


def parse_rows(stream: IO[bytes], reader: CellReader) -> Iterator[Row]:
    """Yield the rows that are not empty, the first of them sorted by number."""
    rows = _rows(stream, reader)
    return chain(sorted(islice(rows, _SORTED_ROWS), key=itemgetter(0)), rows)


def _rows(stream: IO[bytes], reader: CellReader) -> Iterator[Row]:
    number = 0
    for element in read_xml(stream, heads=("mergeCell", "col"), wholes=("row",)):
        if element.tag == "mergeCell":
            reader.merge(element.get("ref", ""))
        elif element.tag == "col":
            if element.get("hidden") in _TRUE:
                reader.hide_columns(element.get("min", ""), element.get("max", ""))
        else:
            number = reader.row_number(element, number)
            cells: Cells = []
            for _, column, cell in placed_cells(element):
                text = reader.cell_text(number, column, cell)
                if text is not None:
                    cells.extend([None] * (column + 1 - len(cells)))
                    cells[column] = text
            if any(cells):
                yield number, cells


def placed_cells(row: Element) -> Iterator[tuple[str, int, Element]]:
    """Yield the cells, each with the letters that it states, if any, and its column (from 0)."""
    column = -1
    for cell in row.findall("c"):
        reference = REFERENCE.fullmatch(cell.get("r", ""))
        letters = reference[1] if reference else ""
        column = column_index(letters.upper()) if letters else column + 1
        if column >= MAX_COLUMNS:
            raise WorkbookError(f"tem mais de {MAX_COLUMNS} colunas", WORKBOOK_TOO_LARGE)
        yield letters, column, cell
