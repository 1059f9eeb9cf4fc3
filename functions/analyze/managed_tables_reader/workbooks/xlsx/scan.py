"""Scan a sheet's rows fast, in the form in which every common program writes them.

Programs write rows that look alike, so each row's cells are taken with a single match of an expression that
is learnt from the sheet (`RowPattern`); a row that differs is split into its cells. A sheet that is not
written in this form is read by `xlsx.parse`.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import IO, Any, NamedTuple

from managed_tables_reader.rows.sheets import MAX_COLUMNS, Batch, Column
from managed_tables_reader.workbooks.numbers import TRIMMED_NUMBER, is_plain
from managed_tables_reader.workbooks.raw import BATCH_ROWS, WorkbookTooLargeError
from managed_tables_reader.workbooks.xlsx.cells import CellReader, column_index
from managed_tables_reader.workbooks.xlsx.strings import (
    ElementCutter,
    NotCanonicalError,
    rich_text,
    unescape_xml,
)

_FIRST_ROWS = 16  # from which the pattern is learnt; each batch that teaches more has it compiled anew
_MAX_BATCH_CELLS = 2_000_000  # empty ones too, 16 MB: only a sheet of cells far apart has more
_CELL_PARTS = 6  # re.split's pieces for each cell: what stands before it, and five groups

_ATTRIBUTE_PAIR = re.compile(r'(\w+)="([^"]*)"')
_ROW = r"<{p}row\b([^<>]*)>"
_ROW_NUMBER = re.compile(r'\sr="([0-9]{1,7})"')
_REFERENCE = re.compile(r'\sr="([A-Z]{1,3})[0-9]+"')
_INLINE_TEXT = r'\s*<{p}t(?: xml:space="preserve")?>([^<]*)</{p}t>\s*'
_MERGED = re.compile(r'<(?:\w+:)?mergeCell [^<>]*ref="([^"<>]+)"')
_HIDDEN_COLUMN = re.compile(r'<(?:\w+:)?col ([^<>]*hidden="(?:1|true)"[^<>]*)>')
_SPACED = re.compile(r">\s+<")
_HIDDEN_ROW = r'<{p}row [^<>]*hidden="(?:1|true)"'

_MAX_LEARNT_COLUMNS = 256  # the expression of a wider sheet costs more than it saves
_MAX_LEARNT_LOOKS = 4  # per column: kinds of cell (style and type)
_MAX_LESSONS = 60  # a sheet that still differs after so many is split cell by cell

# In these templates `{p}` stands for the prefix of the spreadsheet's namespace, mostly none, and `{s}` for
# the blanks between elements, none at all in most files.
_INNER = r"[^<]*(?:<(?!/{p}is>)[^<]*)*"
_ATTRIBUTES = r'(?:\s+(?!r=)[\w:]+="[^"<>]*")*'
_ROW_TAG = (
    r"({s}(?:<{p}row\b[^<>]*/>{s})*"  # rows without cells
    rf'<{{p}}row{_ATTRIBUTES}(?:\s+r="([0-9]{{1,7}})"[^<>]*)?\s*(?<!/)>)'
)
"""Its groups: the row's tag and those of rows without cells before it, and the row's number."""
_EMPTY_ROWS = r"{s}(?:<{p}row\b[^<>]*/>{s})*"
_FORMULA = r"(?:<{p}f(?:\s[^<>]*)?(?:/>|>[^<]*</{p}f>){s})?"
_INLINE = r'{s}<{p}is>{s}<{p}t(?: xml:space="preserve")?>([^<]*)</{p}t>{s}</{p}is>{s}'
_VALUE = r'<{p}v(?: xml:space="preserve")?>([^<]*)</{p}v>{s}'
_CELL = (
    rf'{{s}}<{{p}}c(?: r="([A-Z]{{1,3}})[0-9]+")?((?:\s+[\w:]+="[^"<>]*")*)\s*(?:/>|>{{s}}({_FORMULA})'
    rf"(?:{_VALUE}|<{{p}}v ?/>{{s}}|<{{p}}is>({_INNER})</{{p}}is>{{s}}|<{{p}}is ?/>{{s}})?"
    r"</{p}c>)"
)
"""One cell, whatever its look: its column, attributes, formula, value, and the content of its inline text."""


class CellLook(NamedTuple):
    """What a cell looks like: its attributes as written, and what they say."""

    attributes: str
    style: str
    type: str
    is_plain: bool = False
    """A number in plain digits, as nearly all are."""
    has_value: bool = True


def _compile(template: str, prefix: str, *, spaced: bool) -> re.Pattern[str]:
    """Return the expression of a sheet whose elements have the prefix, with blanks between them or not."""
    return re.compile(template.replace("{p}", prefix).replace("{s}", r"\s*" if spaced else ""))


class RowPattern:
    """The look of a sheet's rows as learnt so far: per column, the kinds of cell that were met.

    Cells' columns are known by their references or, if they have none (`is_positional`), by counting.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._seen: set[tuple[int, CellLook]] = set()
        self._looks: dict[int, list[CellLook]] = {}
        self._letters: dict[int, str] = {}
        self._lessons = 0
        self._is_stale = False
        self._match: re.Pattern[str] | None = None
        self._is_spaced = False
        self.is_positional = False
        self.groups: list[tuple[int, CellLook]] = []
        """The column and look of each group after those of the row."""

    def learn(self, letters: str, column: int, look: CellLook) -> None:
        """Note a cell: a look that is met twice is expected from then on."""
        if (column, look) not in self._seen:
            self._seen.add((column, look))
            return
        looks = self._looks.setdefault(column, [])
        if look not in looks and len(looks) < _MAX_LEARNT_LOOKS:
            looks.append(look)
            self._letters[column] = letters
            self._is_stale = True

    def expect_blanks(self) -> None:
        """Note that there are blanks between the elements, as in indented XML."""
        if not self._is_spaced:
            self._is_spaced = self._is_stale = True

    def compiled(self) -> re.Pattern[str] | None:
        """Return the expression of a whole row, None if there is none worth trying."""
        if self._is_stale:
            self._is_stale = False
            self._lessons += 1
            last = max(self._looks, default=_MAX_LEARNT_COLUMNS)
            is_worth_it = self._lessons <= _MAX_LESSONS and last < _MAX_LEARNT_COLUMNS
            self._match = self._compiled_row() if is_worth_it else None
        return self._match

    def _compiled_row(self) -> re.Pattern[str]:
        self.groups = []
        columns = range(max(self._looks) + 1) if self.is_positional else sorted(self._looks)
        cells = "".join(map(self._column, columns))
        return _compile(f"{_ROW_TAG}{cells}{{s}}", self._prefix, spaced=self._is_spaced)

    def _column(self, column: int) -> str:
        looks = [look for look in self._looks.get(column, ()) if look.has_value]
        self.groups += [(column, look) for look in looks]
        bodies = "".join(f"{_body(look)}</{{p}}c>|" for look in looks)
        if self.is_positional:  # only the end of the row may stand in a cell's place
            return rf"{{s}}(?:<{{p}}c(?:{bodies}{_ATTRIBUTES}\s*(?:/>|></{{p}}c>))|\Z)"
        return rf'{{s}}(?:<{{p}}c r="{self._letters[column]}[0-9]+"(?:{bodies}[^<>/]*(?:/>|></{{p}}c>)))?+'


def _body(look: CellLook) -> str:
    if look.type == "inlineStr":
        content = _INLINE
    elif look.type == "s":
        content = "{s}<{p}v>([0-9]{1,9})</{p}v>{s}"
    elif look.is_plain:
        content = f"{{s}}{_FORMULA}<{{p}}v>{TRIMMED_NUMBER}</{{p}}v>{{s}}"
    else:  # a formula that gives a text may give an empty one
        value = _VALUE if look.type == "str" else _VALUE.replace("[^<]*", "[^<]+")
        content = f"{{s}}{_FORMULA}{value}"
    return f"{re.escape(look.attributes)}>{content}"


class SheetScanner:
    """Reads the rows of one sheet in batches."""

    def __init__(self, stream: IO[bytes], reader: CellReader) -> None:
        self._cutter = ElementCutter(stream, "sheetData", "row")
        self._reader = reader
        self._number = 0  # of the last row
        self._rows_at_once = _FIRST_ROWS

    def batches(self) -> Iterator[Batch]:
        """Yield the rows as they stand in the file; raises NotCanonicalError, even after some batches."""
        prefix = self._cutter.open()
        if prefix is None:
            return
        self._prepare(prefix)
        for attributes in _HIDDEN_COLUMN.findall(self._cutter.before):
            named = dict(_ATTRIBUTE_PAIR.findall(attributes))
            self._reader.hide_columns(named.get("min", ""), named.get("max", ""))
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
        for reference in _MERGED.findall(self._cutter.after):
            self._reader.merge(reference)

    def _prepare(self, prefix: str) -> None:
        def compiled(template: str) -> re.Pattern[str]:
            return _compile(template, prefix, spaced=True)

        self._pattern = RowPattern(prefix)
        self._cell, self._row_tag, self._row = compiled(_CELL), compiled(_ROW_TAG), compiled(_ROW)
        self._empty_rows, self._inline_text = compiled(_EMPTY_ROWS), compiled(_INLINE_TEXT)
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
        grid = _Grid(len(rows))
        numbers = self._numbers(rows, found, grid)
        if numbers != sorted(numbers):
            raise NotCanonicalError
        if pattern and any(found):
            unmatched = (None,) * pattern.groups
            self._fill(grid, numbers, [one.groups() if one else unmatched for one in found])
        return grid.batch(numbers)

    def _numbers(self, rows: list[str], found: list[re.Match[str] | None], grid: "_Grid") -> list[int]:
        """Return the rows' numbers; those that were not matched are split and put into the grid."""
        numbers: list[int] = []
        for place, one in enumerate(found):
            if one is None:
                for column, text in self._split(rows[place]).items():
                    grid.column(column)[place] = text
            else:
                number = one[2]
                self._number = int(number) if number else self._next_number(one[1])
            numbers.append(self._number)
        return numbers

    def _fill(self, grid: "_Grid", numbers: list[int], matched: list[tuple[str | None, ...]]) -> None:
        """Turn the matched rows' groups into text, column by column."""
        tags, _, *groups = zip(*matched, strict=True)
        self._note_hidden(tags)
        for (column, look), raws in zip(self._pattern.groups, groups, strict=True):
            if raws.count(None) < len(raws):
                is_plain = look.is_plain
                texts = self._reader.texts(numbers, column, look.style, look.type, raws, is_plain=is_plain)
                grid.put(column, texts)

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
            column = column_index(letters) if letters else column + 1
            if column >= MAX_COLUMNS:
                raise WorkbookTooLargeError(f"tem mais de {MAX_COLUMNS} colunas")
            if not letters and not column:
                self._pattern.is_positional = True
            text = self._text(letters, column, _look(attributes), content)
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
        return self._reader.text(self._number, column, look.style, look.type, raw)


@lru_cache(4_096)  # a sheet has few looks
def _look(attributes: str) -> CellLook:
    named = dict(_ATTRIBUTE_PAIR.findall(attributes))
    return CellLook(attributes, named.get("s", ""), named.get("t", ""))


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

    def put(self, column: int, texts: Column) -> None:
        """Put the cells that are not empty into a column."""
        if column not in self._columns:
            self._columns[column] = texts
            return
        cells = self._columns[column]
        for place, text in enumerate(texts):
            if text is not None:
                cells[place] = text

    def column(self, column: int) -> Column:
        """Return a column's cells, to be filled."""
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
        batch, blank = Batch(numbers, columns), set(range(self._size))
        for column in self._columns.values():
            blank = {place for place in blank if column[place] is None}
            if not blank:
                return batch
        kept = sorted(set(range(self._size)) - blank)
        return batch.pick(kept) if kept else None
