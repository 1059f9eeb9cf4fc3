"""Parse any well-formed XML of a sheet, for sheets that `xlsx.scan` declines."""

import re
from collections.abc import Iterator
from itertools import chain
from typing import IO

from managed_tables_reader.rows.sheets import MAX_COLUMNS, MAX_ROWS
from managed_tables_reader.workbooks.package import Attributes, iterate_xml
from managed_tables_reader.workbooks.raw import Cells, WorkbookTooLargeError
from managed_tables_reader.workbooks.xlsx.cells import REFERENCE, CellReader, column_index

_NUMBER = re.compile(r"[0-9]{1,12}")
_SORTED_ROWS = 100_000  # the first rows may stand in any order; after them the file's order is kept
_MAX_TEXT_CHARACTERS = 16 << 20  # of one cell; Excel's own limit is 32,767

NumberedRow = tuple[int, Cells]


def parse_rows(stream: IO[bytes], reader: CellReader) -> Iterator[NumberedRow]:
    """Yield the rows, the first of them sorted by number."""
    rows = SheetParser(reader).rows(stream)
    first = [row for row, _ in zip(rows, range(_SORTED_ROWS), strict=False)]
    first.sort(key=lambda row: row[0])
    return chain(first, rows)


class SheetParser:
    """The state between expat's calls: where in the sheet we are, and the rows completed so far."""

    def __init__(self, reader: CellReader) -> None:
        self._reader = reader
        self._done: list[NumberedRow] = []
        self._path: list[str] = []
        self._row_number = 0
        self._column = -1
        self._cells: Cells = []
        self._style = self._type = ""
        self._text: list[str] = []
        self._text_size = 0
        self._has_formula = self._has_value = False

    def rows(self, stream: IO[bytes]) -> Iterator[NumberedRow]:
        """Yield the rows as they stand in the file."""
        return iterate_xml(stream, self._on_start, self._on_end, self._on_text, self._done)

    def _on_start(self, element: str, attributes: Attributes) -> None:
        self._path.append(element)
        if element == "row":
            self._start_row(attributes)
        elif element == "c":
            self._start_cell(attributes)
        elif element == "f":
            self._has_formula = True
        elif element == "mergeCell":
            self._reader.merge(attributes.get("ref", ""))
        elif element == "col" and attributes.get("hidden") in ("1", "true"):
            self._reader.hide_columns(attributes.get("min", ""), attributes.get("max", ""))

    def _start_row(self, attributes: Attributes) -> None:
        number = attributes.get("r", "")
        self._row_number = int(number) if _NUMBER.fullmatch(number) else self._row_number + 1
        if self._row_number > MAX_ROWS:
            raise WorkbookTooLargeError("tem linhas demais")
        self._column = -1
        self._cells = []
        if attributes.get("hidden") in ("1", "true"):
            self._reader.tally.hidden_rows += 1

    def _start_cell(self, attributes: Attributes) -> None:
        reference = REFERENCE.fullmatch(attributes.get("r", ""))
        self._column = column_index(reference[1].upper()) if reference else self._column + 1
        if self._column >= MAX_COLUMNS:
            raise WorkbookTooLargeError(f"tem mais de {MAX_COLUMNS} colunas")
        self._style, self._type = attributes.get("s", ""), attributes.get("t", "")
        self._text.clear()
        self._text_size = 0
        self._has_formula = self._has_value = False

    def _on_text(self, text: str) -> None:
        element = self._path[-1] if self._path else ""
        if element == "v" or (element == "t" and "rPh" not in self._path and "c" in self._path):
            self._has_value = True
            self._text_size += len(text)
            if self._text_size > _MAX_TEXT_CHARACTERS:
                raise WorkbookTooLargeError("uma célula tem dezenas de megabytes")
            self._text.append(text)

    def _on_end(self, element: str) -> None:
        self._path.pop()
        if element == "c":
            self._end_cell()
        elif element == "row" and any(self._cells):
            self._done.append((self._row_number, self._cells))

    def _end_cell(self) -> None:
        if self._has_formula and not self._has_value and self._type != "str":
            self._reader.tally.uncached += 1
        text = self._reader.text(self._row_number, self._column, self._style, self._type, "".join(self._text))
        if text is None:
            return
        self._cells.extend([None] * (self._column + 1 - len(self._cells)))
        self._cells[self._column] = text
