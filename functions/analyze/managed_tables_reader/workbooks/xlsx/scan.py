"""Scan a sheet's rows fast, in the form in which every common program writes them.

Programs write rows that look alike, so each row's cells are taken with a single match of an expression that
is learnt from the sheet (`row_pattern`); a row that differs is split into its cells. A sheet that is not
written in this form is read by `xlsx.parse`.
"""

import re
from collections.abc import Iterator, Sequence
from typing import IO, Any

from managed_tables_reader.rows.sheets import MAX_COLUMNS, Batch, Column
from managed_tables_reader.workbooks.failures import WorkbookTooLargeError
from managed_tables_reader.workbooks.raw import BATCH_ROWS
from managed_tables_reader.workbooks.values.numbers import is_plain
from managed_tables_reader.workbooks.xlsx.canonical import ElementCutter, NotCanonicalError
from managed_tables_reader.workbooks.xlsx.cells import CellReader, column_index
from managed_tables_reader.workbooks.xlsx.row_pattern import (
    CELL,
    EMPTY_ROWS,
    ROW_TAG,
    CellLook,
    RowPattern,
    compile_template,
)
from managed_tables_reader.workbooks.xlsx.strings import rich_text, unescape_xml

_FIRST_ROWS = 16  # from which the pattern is learnt; each batch that teaches more has it compiled anew
_MAX_BATCH_CELLS = 2_000_000  # empty ones too, 16 MB: only a sheet of cells far apart has more
_CELL_PARTS = 6  # re.split's pieces for each cell: what stands before it, and five groups

_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
_ROW = r"<{p}row\b([^<>]*)>"
_ROW_NUMBER = re.compile(r'\sr="([0-9]{1,7})"')
_REFERENCE = re.compile(r'\sr="([A-Z]{1,3})[0-9]+"')
_INLINE_TEXT = r'\s*<{p}t(?: xml:space="preserve")?>([^<]*)</{p}t>\s*'
_MERGED = re.compile(r'<(?:\w+:)?mergeCell [^<>]*ref="([A-Z]{1,3})([0-9]{1,7}):([A-Z]{1,3})([0-9]{1,7})"')
_SPACED = re.compile(r">\s+<")
_HIDDEN_ROW = r'<{p}row [^<>]*hidden="(?:1|true)"'


class SheetScanner:
    """Reads the rows of one sheet in batches."""

    def __init__(self, stream: IO[bytes], reader: CellReader) -> None:
        self._cutter = ElementCutter(stream, "sheetData", "row")
        self._reader = reader
        self._looks: dict[str, CellLook] = {}
        self._columns: dict[str, int] = {}
        self._number = 0  # of the last row
        self._rows_at_once = _FIRST_ROWS

    def batches(self) -> Iterator[Batch]:
        """Yield the rows as they stand in the file; raises NotCanonicalError, even after some batches."""
        prefix = self._cutter.open()
        if prefix is None:
            return
        self._prepare(prefix)
        for rows in self._cutter.pieces(prefix):
            start = 0
            while start < len(rows):
                some = rows[start : start + self._rows_at_once]
                start += len(some)
                batch = self._batch(some)
                if batch is not None:
                    yield batch
                self._rows_at_once = min(2 * self._rows_at_once, BATCH_ROWS)
        if self._empty_rows.fullmatch(self._cutter.rest) is None:
            raise NotCanonicalError
        self._note_hidden([self._cutter.rest])
        self._reader.tally.merged = [
            (int(top), column_index(left), int(bottom), column_index(right))
            for left, top, right, bottom in _MERGED.findall(self._cutter.after)
        ]

    def _prepare(self, prefix: str) -> None:
        def compiled(template: str) -> re.Pattern[str]:
            return compile_template(template, prefix, spaced=True)

        self._pattern = RowPattern(prefix)
        self._cell, self._row_tag, self._row = compiled(CELL), compiled(ROW_TAG), compiled(_ROW)
        self._empty_rows, self._inline_text = compiled(EMPTY_ROWS), compiled(_INLINE_TEXT)
        self._hidden_row = compiled(_HIDDEN_ROW)

    def _note_hidden(self, tags: Sequence[str | None]) -> None:
        """Count the hidden rows among those of the tags."""
        for text in tags:
            if text and 'hidden="' in text:
                self._reader.tally.hidden_rows += len(self._hidden_row.findall(text))

    def _batch(self, rows: list[str]) -> Batch | None:
        """Return the rows that are not empty, None if all are."""
        pattern = self._pattern.compiled()
        found = [pattern.fullmatch(row) if pattern else None for row in rows]
        matched = [one.groups() for one in found if one]
        grid = _Grid(len(rows))
        numbers = self._numbers(rows, found, grid)
        if numbers != sorted(numbers):
            raise NotCanonicalError
        if len(matched) == len(rows):
            self._fill(grid, range(len(rows)), matched)
        elif matched:
            self._fill(grid, [place for place, one in enumerate(found) if one], matched)
        return grid.batch(numbers)

    def _numbers(self, rows: list[str], found: list[re.Match[str] | None], grid: "_Grid") -> list[int]:
        """Return the rows' numbers; those that were not matched are split and put into the grid."""
        numbers: list[int] = []
        for place, one in enumerate(found):
            if one is None:
                grid.put_row(place, self._split(rows[place]))
            else:
                number = one[2]
                self._number = int(number) if number else self._next_number(one[1])
            numbers.append(self._number)
        return numbers

    def _fill(self, grid: "_Grid", places: Sequence[int], matched: list[tuple[str | None, ...]]) -> None:
        """Turn the matched rows' groups into text, column by column."""
        tags, _, *groups = zip(*matched, strict=True)
        self._note_hidden(tags)
        for (column, look), raws in zip(self._pattern.groups, groups, strict=True):
            if raws.count(None) < len(raws):
                texts = self._reader.texts(column, look.style, look.type, raws, is_plain=look.is_plain)
                grid.put(column, places, texts)

    def _next_number(self, tags: str | None) -> int:
        """Return the number of the last row of some tags; a row without a number follows the one before."""
        number = self._number
        for attributes in self._row.findall(tags or ""):
            found = _ROW_NUMBER.search(attributes)
            number = int(found[1]) if found else number + 1
        return number

    def _split(self, row: str) -> dict[int, str]:
        """Return a row's cells by column, whatever their look, and note its number."""
        start = self._row_tag.match(row)
        if start is None or "<!" in row or "<?" in row:
            raise NotCanonicalError
        self._number = int(start[2]) if start[2] else self._next_number(start[1])
        self._note_hidden([start[1]])
        if _SPACED.search(row):
            self._pattern.expect_blanks()
        cells: dict[int, str] = {}
        column = -1
        for letters, attributes, *content in self._cells_in(row[start.end() :]):
            letters, attributes = _reference(letters, attributes)
            column = self._column(letters) if letters else column + 1
            if column >= MAX_COLUMNS:
                raise WorkbookTooLargeError(f"tem mais de {MAX_COLUMNS} colunas")
            if not letters and not column:
                self._pattern.is_positional = True
            text = self._text(letters, column, self._look(attributes), content)
            if text is not None:
                cells[column] = text
        return cells

    def _cells_in(self, text: str) -> Iterator[tuple[Any, ...]]:
        """Return the cells' groups; nothing may stand between them."""
        pieces = self._cell.split(text)
        if "".join(pieces[::_CELL_PARTS]).strip():
            raise NotCanonicalError
        return zip(*(pieces[group::_CELL_PARTS] for group in range(1, _CELL_PARTS)), strict=True)

    def _text(self, letters: str, column: int, look: CellLook, content: Sequence[str | None]) -> str | None:
        """Return the text of one cell, and note its look."""
        formula, value, inline = content
        if inline is None and not value:
            is_empty_text = look.type == "str" and value is not None
            self._reader.tally.uncached += bool(formula) and not is_empty_text
            self._pattern.learn(letters, column, look._replace(has_value=value is not None))
            return None
        if inline is not None:
            plain = self._inline_text.fullmatch(inline)
            raw = unescape_xml(plain[1]) if plain else rich_text(inline)
        else:
            raw = unescape_xml(value or "")
            if look.type in ("", "n") and is_plain(raw):
                look = look._replace(is_plain=True)
        self._pattern.learn(letters, column, look)
        return self._reader.text(column, look.style, look.type, raw)

    def _column(self, letters: str) -> int:
        column = self._columns.get(letters)
        if column is None:
            column = self._columns[letters] = column_index(letters)
        return column

    def _look(self, attributes: str) -> CellLook:
        look = self._looks.get(attributes)
        if look is None:
            named = dict(_ATTRIBUTE.findall(attributes))
            look = self._looks[attributes] = CellLook(attributes, named.get("s", ""), named.get("t", ""))
        return look


def _reference(letters: str | None, attributes: str) -> tuple[str, str]:
    """Return a cell's column and its other attributes, wherever its reference stands among them."""
    if letters or ' r="' not in attributes:
        return letters or "", attributes
    found = _REFERENCE.search(attributes)
    if found is None:
        raise NotCanonicalError
    return found[1], attributes[: found.start()] + attributes[found.end() :]


class _Grid:
    """The cells of a batch's rows, by column."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._columns: dict[int, Column] = {}

    def put_row(self, place: int, cells: dict[int, str]) -> None:
        """Put one row's cells into their places."""
        for column, text in cells.items():
            self._column(column)[place] = text

    def put(self, column: int, places: Sequence[int], texts: Column) -> None:
        """Put cells of a column into their places."""
        if column not in self._columns and len(texts) == self._size:
            self._columns[column] = texts
            return
        cells = self._column(column)
        for place, text in zip(places, texts, strict=True):
            if text is not None:
                cells[place] = text

    def _column(self, column: int) -> Column:
        cells = self._columns.get(column)
        if cells is None:
            cells = self._columns[column] = [None] * self._size
            if len(self._columns) * self._size > _MAX_BATCH_CELLS:
                raise NotCanonicalError
        return cells

    def batch(self, numbers: list[int]) -> Batch | None:
        """Return the rows that are not empty, None if all are."""
        if not self._columns:
            return None
        empty: Column = [None] * self._size
        columns = [self._columns.get(column, empty) for column in range(max(self._columns) + 1)]
        blank = set(range(self._size))
        for column in self._columns.values():
            blank = {place for place in blank if column[place] is None}
            if not blank:
                return Batch(numbers, columns)
        kept = sorted(set(range(self._size)) - blank)
        if not kept:
            return None
        return Batch([numbers[place] for place in kept], [[cells[p] for p in kept] for cells in columns])
