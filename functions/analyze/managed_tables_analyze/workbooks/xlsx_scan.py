"""Owns the fast way through a sheet's XML: the form in which every common program writes it.

A general XML parser calls back five times a cell and takes 10 s for 300,000 rows of 10 columns. Programs
write rows that look alike, so this module learns the look of a sheet's rows as one regular expression and
takes each row's cells with a single match; a row that differs is split into cells one by one. Every
character of a row is accounted for: whatever does not fit raises NotCanonicalError, and `xlsx_parse`
reads the sheet.
"""

import codecs
import re
from collections.abc import Iterator
from typing import IO

from managed_tables_analyze.workbooks.cells import CellReader, column_index
from managed_tables_analyze.workbooks.failures import WorkbookTooLargeError
from managed_tables_analyze.workbooks.numbers import PLAIN_NUMBER
from managed_tables_analyze.workbooks.raw import Batch, Cells
from managed_tables_analyze.workbooks.strings import unescape_xml

_CHUNK_BYTES = 1 << 20
_MAX_ROW_CHARACTERS = 64 << 20  # 16,384 cells of 4,000 characters; an honest row is a thousandth of it
_MAX_LEARNT_COLUMNS = 256  # the expression of a wider sheet costs more than it saves
_MAX_LEARNT_LOOKS = 4  # per column: kinds of cell (style and type)
_MAX_LESSONS = 60  # a sheet that still surprises after so many is split cell by cell

_SHEET_DATA = re.compile(r"<(?P<prefix>(?:\w+:)?)sheetData>")
# `{p}` stands for the prefix of the spreadsheet's namespace, mostly none.
_ROW_TAG = r'\s*(?:<{p}row\b[^<>]*/>\s*)*<{p}row r="([0-9]{1,7})"[^<>]*>'
_NO_ROWS = r"\s*(?:<{p}row\b[^<>]*/>\s*)*"
_FORMULA = r"(?:<{p}f(?: [^<>]*)?(?:/>|>[^<]*</{p}f>))?"
_INLINE = r'<{p}is><{p}t(?: xml:space="preserve")?>([^<]*)</{p}t></{p}is>'
_VALUE = r'<{p}v(?: xml:space="preserve")?>([^<]*)</{p}v>'
_CELL = (
    r'\s*<{p}c r="([A-Z]{1,3})[0-9]+"((?: \w+="[^"<>]*")*) ?(?:/>|>'
    rf"{_FORMULA}(?:{_VALUE}|<{{p}}v ?/>|{_INLINE}|<{{p}}is><{{p}}t ?/></{{p}}is>)?</{{p}}c>)"
)
_CELL_PARTS = 5  # re.split's pieces a cell: what stands before it, and four groups
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
_UNCACHED = r"(?:</{p}f>|<{p}f [^<>]*/>)(?:<{p}v ?/>|<{p}v></{p}v>)?</{p}c>"
_HIDDEN_ROW = r'<{p}row [^<>]*hidden="(?:1|true)"'

Look = tuple[str, str, str]
"""The attributes of a cell as written, and of these its style and type."""


class NotCanonicalError(Exception):
    """The sheet is not written in the form that this module reads."""


def _compile(template: str, prefix: str) -> re.Pattern[str]:
    return re.compile(template.replace("{p}", prefix))


class RowPattern:
    """The look of a sheet's rows as learnt so far: per column, the kinds of cell that were met."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._seen: set[tuple[int, Look]] = set()
        self._looks: dict[int, list[Look]] = {}
        self._letters: dict[int, str] = {}
        self._lessons = 0
        self.is_stale = False
        self._match: re.Pattern[str] | None = None
        self.groups: list[tuple[int, Look]] = []
        """What each group after the first (the row number) holds, in order of column."""

    def learn(self, letters: str, column: int, look: Look) -> None:
        """Take note of a cell with a value: what is met twice is expected from then on."""
        if (column, look) not in self._seen:
            self._seen.add((column, look))
            return
        looks = self._looks.setdefault(column, [])
        if look not in looks and len(looks) < _MAX_LEARNT_LOOKS:
            looks.append(look)
            self._letters[column] = letters
            self.is_stale = True

    def compiled(self) -> re.Pattern[str] | None:
        """Return the expression of a whole row, None while there is none worth trying."""
        if self.is_stale:
            self.is_stale = False
            self._lessons += 1
            is_worth_it = self._lessons <= _MAX_LESSONS and len(self._looks) <= _MAX_LEARNT_COLUMNS
            self._match = self._compile() if is_worth_it else None
        return self._match

    @property
    def width(self) -> int:
        """How many columns a row of this look has."""
        return max(self._looks) + 1

    def _compile(self) -> re.Pattern[str]:
        self.groups = []
        cells: list[str] = []
        for column in sorted(self._looks):
            bodies = "".join(f"|{self._body(column, look)}" for look in self._looks[column])
            cells.append(rf'(?:<{{p}}c r="{self._letters[column]}[0-9]+"(?:[^<>]*/>{bodies}))?+')
        return _compile(_ROW_TAG + "".join(cells), self._prefix)

    def _body(self, column: int, look: Look) -> str:
        attributes, _, cell_type = look
        self.groups.append((column, look))
        if cell_type == "inlineStr":
            content = _INLINE
        elif cell_type in ("", "n"):
            content = f"{_FORMULA}<{{p}}v>({PLAIN_NUMBER})</{{p}}v>"
        elif cell_type == "s":
            content = "<{p}v>([0-9]{1,9})</{p}v>"
        else:
            content = _FORMULA + _VALUE
        return f"{re.escape(attributes)}>{content}</{{p}}c>"


class SheetScanner:
    """Reads the rows of one sheet in batches."""

    def __init__(self, stream: IO[bytes], reader: CellReader) -> None:
        self._stream = stream
        self._reader = reader
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self._looks: dict[str, Look] = {}
        self._columns: dict[str, int] = {}
        self._rest = ""

    def batches(self) -> Iterator[Batch]:
        """Yield the rows as they stand in the file; raises NotCanonicalError, also after some batches."""
        prefix = self._skip_to_rows()
        if prefix is None:
            return
        self._prepare(prefix)
        while True:
            end = self._rest.find(self._sheet_end)
            text = self._rest if end < 0 else self._rest[:end]
            if "<!" in text or "<?" in text or "\r" in text:
                raise NotCanonicalError
            rows = text.split(self._row_end)
            self._rest = rows.pop()
            if rows:
                self._note(text)
                batch = self._batch(rows)
                if batch[0]:
                    yield batch
            if end >= 0:
                if self._no_rows.fullmatch(self._rest) is None:
                    raise NotCanonicalError
                return
            self._rest += self._more()

    def _prepare(self, prefix: str) -> None:
        self._pattern = RowPattern(prefix)
        self._cell = _compile(_CELL, prefix)
        self._row_tag = _compile(_ROW_TAG, prefix)
        self._no_rows = _compile(_NO_ROWS, prefix)
        self._uncached = _compile(_UNCACHED, prefix)
        self._hidden_row = _compile(_HIDDEN_ROW, prefix)
        self._formula = f"<{prefix}f"
        self._row_end, self._sheet_end = f"</{prefix}row>", f"</{prefix}sheetData>"

    def _more(self) -> str:
        chunk = self._stream.read(_CHUNK_BYTES)
        if not chunk or len(self._rest) > _MAX_ROW_CHARACTERS:
            if chunk:
                raise WorkbookTooLargeError("uma linha tem dezenas de megabytes")
            raise NotCanonicalError
        try:
            return self._decode(chunk)
        except UnicodeDecodeError as error:
            raise NotCanonicalError from error

    def _skip_to_rows(self) -> str | None:
        """Read up to `<sheetData>` and return its prefix, None for a sheet without rows."""
        while True:
            found = _SHEET_DATA.search(self._rest)
            if found:
                if "<!" in self._rest[: found.start()]:
                    raise NotCanonicalError
                self._rest = self._rest[found.end() :]
                return found["prefix"]
            if "<sheetData/>" in self._rest:
                return None
            self._rest += self._more()

    def _note(self, text: str) -> None:
        tally = self._reader.tally
        if 'hidden="' in text:
            tally.hidden_rows += len(self._hidden_row.findall(text))
        if self._formula in text:
            tally.uncached += len(self._uncached.findall(text))

    def _batch(self, rows: list[str]) -> Batch:
        numbers: list[int] = []
        batch: list[Cells] = []
        places: list[int] = []
        matches: list[tuple[str | None, ...]] = []
        pattern = self._pattern.compiled()
        for row in rows:
            found = pattern.fullmatch(row) if pattern else None
            if found:
                places.append(len(batch))
                groups = found.groups()
                matches.append(groups)
                numbers.append(int(groups[0]))
                batch.append([])
                continue
            number, cells = self._split(row)
            numbers.append(number)
            batch.append(cells)
            if self._pattern.is_stale:
                self._fill(batch, places, matches)
                places, matches = [], []
                pattern = self._pattern.compiled()
        self._fill(batch, places, matches)
        if numbers != sorted(numbers):
            raise NotCanonicalError
        kept = [index for index, cells in enumerate(batch) if cells]
        if len(kept) == len(batch):
            return numbers, batch
        return [numbers[index] for index in kept], [batch[index] for index in kept]

    def _fill(self, batch: list[Cells], places: list[int], matches: list[tuple[str | None, ...]]) -> None:
        """Turn the matched rows' groups into text, column by column, and put the rows in their places."""
        if not matches:
            return
        groups = list(zip(*matches, strict=True))
        columns: list[list[str | None]] = [[None] * len(matches)] * self._pattern.width
        filled: set[int] = set()
        for (column, look), raws in zip(self._pattern.groups, groups[1:], strict=True):
            _, style, cell_type = look
            texts = self._reader.texts(column, style, cell_type, raws)
            if column in filled:
                texts = [
                    other if text is None else text
                    for text, other in zip(texts, columns[column], strict=True)
                ]
            columns[column] = texts
            filled.add(column)
        for place, cells in zip(places, zip(*columns, strict=True), strict=True):
            row = batch[place] = list(cells)
            while row and row[-1] is None:
                row.pop()

    def _split(self, row: str) -> tuple[int, Cells]:
        """Return a row's number and cells, whatever their look."""
        start = self._row_tag.match(row)
        if start is None:
            raise NotCanonicalError
        pieces = self._cell.split(row[start.end() :])
        if "".join(pieces[::_CELL_PARTS]).strip():
            raise NotCanonicalError
        cells: Cells = []
        parts = (pieces[group::_CELL_PARTS] for group in range(1, _CELL_PARTS))
        for letters, attributes, value, inline in zip(*parts, strict=True):
            raw = inline if value is None else value
            if raw is None:
                continue
            column = self._column(letters)
            look = self._look(attributes)
            self._pattern.learn(letters, column, look)
            if column >= len(cells):
                cells.extend([None] * (column + 1 - len(cells)))
            cells[column] = self._reader.text(column, look[1], look[2], unescape_xml(raw))
        while cells and cells[-1] is None:
            cells.pop()
        return int(start[1]), cells

    def _column(self, letters: str) -> int:
        column = self._columns.get(letters)
        if column is None:
            column = self._columns[letters] = column_index(letters)
        return column

    def _look(self, attributes: str) -> Look:
        look = self._looks.get(attributes)
        if look is None:
            named = dict(_ATTRIBUTE.findall(attributes))
            look = self._looks[attributes] = (attributes, named.get("s", ""), named.get("t", ""))
        return look
