"""Scan a sheet's rows fast, in the form in which every common program writes them.

Programs write rows that look alike, so each row's cells are taken with a single match of an expression that
is learnt from the sheet (`RowPattern`); a row that differs is parsed as XML, as `xlsx.cells` does all rows of
a sheet that cannot be cut into rows.
"""

import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import IO
from xml.etree.ElementTree import Element

from managed_tables_reader.rows.sheets import Batch, Column
from managed_tables_reader.workbooks.numbers import TRIMMED_NUMBER, is_plain
from managed_tables_reader.workbooks.package import read_xml
from managed_tables_reader.workbooks.raw import BATCH_ROWS, WorkbookError
from managed_tables_reader.workbooks.xlsx.cells import CellLook, CellReader, Raws, placed_cells
from managed_tables_reader.workbooks.xlsx.strings import ElementCutter, NotCanonicalError, unescape_xml

_FIRST_ROWS = 16  # from which the pattern is learnt; each batch that teaches more has it compiled anew
_MAX_BATCH_CELLS = 2_000_000  # empty ones too, 16 MB: only a sheet of cells far apart has more

_ATTRIBUTE_PAIR = re.compile(r"""(\w+)=["']([^"']*)["']""")
_MERGED = re.compile(r"""<(?:\w+:)?mergeCell\s[^<>]*ref=["']([^"'<>]+)["']""")
_HIDDEN_COLUMN = re.compile(r"""<(?:\w+:)?col\s([^<>]*hidden=["'](?:1|true)["'][^<>]*)>""")
_SPACED = re.compile(r">\s+<")
_HIDDEN = re.compile(r"""\shidden=["'](?:1|true)["']""")

_MAX_LEARNT_LOOKS = 4  # per column: kinds of cell (style and type); cells of more kinds are taken one by one
_LOOKS_TO_LEARN = 2  # a look that is met once may be that of the header
_MAX_LEARNT_COLUMNS = 3_000  # of all expressions of a sheet: then no more is learnt
_FREE_COLUMNS = 256  # of the first expressions; each more must be worth it:
_CELLS_PER_COLUMN = 70  # are parsed in the time that a column's expression takes to compile
_MAX_LESSON = 5_000  # cells of a batch: rows that no expression will match teach no more
_END = "end-of-row"  # the element that is put behind each row to be parsed

# In these templates `{p}` stands for the prefix of the spreadsheet's namespace, mostly none, and `{s}` for
# the blanks between elements, none at all in most files.
_ATTRIBUTES = r'(?:\s+(?!r=)[\w:]+="[^"<>&]*")*'
_EMPTY_ROWS = r"{s}(?:<{p}row\b[^<>]*/>{s})*"
_ROW_TAG = (
    rf'({_EMPTY_ROWS}<{{p}}row{_ATTRIBUTES}\s+r="([0-9]{{1,7}})"[^<>]*(?<!/)>'
    rf"|{{s}}<{{p}}row{_ATTRIBUTES}\s*(?<!/)>)"
)
"""Its groups: the row's tag and, if it has a number, those of rows without cells before it; the number."""
_FORMULA = r"(?:<{p}f(?:\s[^<>]*)?(?:/>|>[^<]*</{p}f>){s})?"
_INLINE = r'{s}<{p}is>{s}<{p}t(?: xml:space="preserve")?>([^<]*)</{p}t>{s}</{p}is>{s}'
_VALUE = r'<{p}v(?: xml:space="preserve")?>([^<]*)</{p}v>{s}'


_ANY = CellLook("", "", "any")
"""Of a column of many looks; its groups are the attributes, the value, the text in the cell."""


def _compile(template: str, prefix: str, *, spaced: bool = True) -> re.Pattern[str]:
    """Return the expression of a sheet whose elements have the prefix, with blanks between them or not."""
    return re.compile(template.replace("{p}", prefix).replace("{s}", r"\s*" if spaced else ""))


class RowPattern:
    """The look of a sheet's rows as learnt so far: per column, the kinds of cell that were met.

    Cells' columns are known by their references or, if they have none, by counting.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._seen: dict[int, Counter[CellLook]] = {}
        self._looks: dict[int, list[CellLook]] = {}
        self._letters: dict[int, str] = {}
        self._columns = 0  # of the expressions so far
        self._cells = self._cells_before = 0  # that were parsed, and those of the batches before
        self._is_stale = False
        self._match: re.Pattern[str] | None = None
        self._is_spaced = self._is_positional = False
        self.groups: list[tuple[int, CellLook]] = []  # column and look of each after those of the row

    def learn(self, letters: str, column: int, cell: Element) -> None:
        """Note a cell: a look that is met twice is expected from then on."""
        self._is_positional |= not letters and not column
        looks = self._looks.get(column, [])
        is_known = bool(letters) or self._is_positional  # `r="5"` names no column
        self._cells += 1
        is_over = self._columns > _MAX_LEARNT_COLUMNS or self._cells > self._cells_before + _MAX_LESSON
        if is_over or not is_known or _ANY in looks:
            return
        look = _look(cell)
        seen = self._seen.setdefault(column, Counter())
        seen[look] += 1
        if len(seen) > _MAX_LEARNT_LOOKS:
            looks = [*looks, *[_ANY] * 3]  # one for each of its groups
            if len(self._looks) > _FREE_COLUMNS:  # what it remembers of each cell slows the others
                self._columns, self._match = _MAX_LEARNT_COLUMNS + 1, None
        elif seen[look] == _LOOKS_TO_LEARN:
            looks = [*looks, look]
        else:
            return
        self._looks[column], self._letters[column], self._is_stale = looks, letters, True

    def expect_blanks(self) -> None:
        """Note that there are blanks between the elements, as in indented XML."""
        self._is_stale |= not self._is_spaced and bool(self._looks)
        self._is_spaced = True

    def compiled(self) -> re.Pattern[str] | None:
        """Return the expression of a whole row, None if there is none worth trying."""
        self._cells_before = self._cells
        columns = range(max(self._looks, default=-1) + 1) if self._is_positional else sorted(self._looks)
        total = self._columns + len(columns)
        if self._is_stale and total <= _FREE_COLUMNS + self._cells // _CELLS_PER_COLUMN:
            self._is_stale = False
            self._columns = total
            if total <= _MAX_LEARNT_COLUMNS:
                self.groups = []
                cells = "".join(map(self._column, columns))
                self._match = _compile(f"{_ROW_TAG}{{s}}{cells}", self._prefix, spaced=self._is_spaced)
        return self._match

    def _column(self, column: int) -> str:
        looks = [look for look in self._looks.get(column, ()) if look.has_value]
        self.groups += [(column, look) for look in looks]
        bodies = "".join(f"{_body(look)}</{{p}}c>|" for look in dict.fromkeys(looks))
        if self._is_positional:  # only the end of the row may stand in a cell's place
            return rf"(?:<{{p}}c(?:{bodies}{_ATTRIBUTES}\s*(?:/>|></{{p}}c>)){{s}}|\Z)"
        return rf'(?:<{{p}}c r="{self._letters[column]}[0-9]+"(?:{bodies}[^<>/]*(?:/>|></{{p}}c>)){{s}})?+'


def _look(cell: Element) -> CellLook:
    value = cell.findtext("v")
    cell_type = cell.get("t", "")
    return CellLook(
        attributes="".join(f' {name}="{text}"' for name, text in cell.attrib.items() if name != "r"),
        style=cell.get("s", ""),
        type=cell_type,
        is_plain=cell_type in ("", "n") and is_plain(value or ""),
        has_value=value is not None or cell.find("is") is not None,
    )


@lru_cache
def _style_and_type(attributes: str) -> tuple[str, str]:
    named = dict(_ATTRIBUTE_PAIR.findall(attributes))
    return named.get("s", ""), named.get("t", "")


def _body(look: CellLook) -> str:
    if look is _ANY:
        return f"({_ATTRIBUTES})\\s*>{{s}}(?:{_FORMULA}{_VALUE.replace('[^<]*', '[^<]+')}|{_INLINE})"
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
        self._prefix, self._pattern = prefix, RowPattern(prefix)
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
        if _compile(_EMPTY_ROWS, prefix).fullmatch(self._cutter.rest) is None:
            raise NotCanonicalError
        self._reader.tally.hidden_rows += len(_HIDDEN.findall(self._cutter.rest))
        for reference in _MERGED.findall(self._cutter.after):
            self._reader.merge(reference)

    def _batch(self, rows: list[str]) -> Batch | None:
        """Return the rows that are not empty, None if all are."""
        pattern = self._pattern.compiled()
        if self._reader.is_uncalculated:
            rows = list(map(self._reader.without_uncalculated, rows))
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
        """Return the rows' numbers; those that were not matched are parsed and put into the grid."""
        numbers: list[int] = []
        parsed = self._parsed([row for row, one in zip(rows, found, strict=True) if one is None])
        for place, one in enumerate(found):
            if one is None:
                for column, text in self._cells(next(parsed)):
                    grid.column(column)[place] = text
            else:
                self._number = int(one[2]) if one[2] else self._number + 1
            numbers.append(self._number)
        return numbers

    def _fill(self, grid: "_Grid", numbers: list[int], matched: list[tuple[str | None, ...]]) -> None:
        """Turn the matched rows' groups into text, column by column."""
        tags, _, *groups = zip(*matched, strict=True)
        self._reader.tally.hidden_rows += sum(
            len(_HIDDEN.findall(tag)) for tag in tags if tag and "hidden" in tag
        )
        found = zip(self._pattern.groups, groups, strict=True)
        for (column, look), raws in found:
            if look is _ANY:
                texts = self._texts(numbers, column, raws, next(found)[1], next(found)[1])
            elif raws.count(None) < len(raws):
                texts = self._reader.texts(numbers, column, look, raws)
            else:
                continue
            grid.put(column, texts)

    def _texts(self, numbers: Sequence[int], column: int, tags: Raws, values: Raws, inlines: Raws) -> Column:
        """Return the texts of a column's cells of many looks, by the attributes of each."""
        texts: Column = []
        for row, tag, *raws in zip(numbers, tags, values, inlines, strict=True):
            style, cell_type = _style_and_type(tag or "")
            raw = unescape_xml(raws[0] or raws[1] or "")
            texts.append(self._reader.text(row, column, style, cell_type, raw))
        return texts

    def _parsed(self, rows: Sequence[str]) -> Iterator[list[Element]]:
        """Yield each row, whatever its look, behind those without cells before it."""
        ends = f"</{self._prefix}row><{_END}/>"
        xml = f"<rows>{ends.join((*rows, ''))}</rows>"
        # A comment may hold an end tag that is none; an end of ours in the sheet would part a row in two.
        if "<!" in xml or "<?" in xml or xml.count(_END) > len(rows):
            raise NotCanonicalError
        if _SPACED.search(xml):
            self._pattern.expect_blanks()
        group: list[Element] = []
        try:
            for element in read_xml(io.BytesIO(xml.encode()), heads=(_END,), wholes=("row",)):
                if element.tag == "row":
                    group.append(element)
                elif not group or any(map(len, group[:-1])):
                    raise NotCanonicalError
                else:
                    yield group
                    group = []
        except WorkbookError as error:  # the row ends elsewhere, or refers to what stands outside
            raise NotCanonicalError from error
        raise NotCanonicalError  # asked for one more: a row stands in another

    def _cells(self, rows: Sequence[Element]) -> Iterator[tuple[int, str]]:
        """Yield the cells of the last row that are not empty, and note its number."""
        for row in rows:
            self._number = self._reader.row_number(row, self._number)
        for letters, column, cell in placed_cells(rows[-1]):
            self._pattern.learn(letters, column, cell)
            text = self._reader.cell_text(self._number, column, cell)
            if text is not None:
                yield column, text


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
