"""Read HTML tables, which many systems export under the name `.xls`."""

import codecs
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from managed_tables.errors import FILE_NOT_TABULAR
from managed_tables_reader.files.encodings import WIDE_ENCODINGS, NotTextError, detect_encoding
from managed_tables_reader.rows.sheets import MAX_COLUMNS, MergedRange
from managed_tables_reader.workbooks.numbers import exact_number, is_number
from managed_tables_reader.workbooks.package import read_count
from managed_tables_reader.workbooks.raw import Cells, RawSheet, Tally, WorkbookError, in_batches

_CHUNK_CHARACTERS = 1 << 20
_HEAD_BYTES = 4_096  # HTML requires the declaration of the encoding in the first 1,024
_CHARSET = re.compile(rb"charset\s{0,9}=\s{0,9}[\"']?\s{0,9}([A-Za-z0-9_:.-]{1,40})", re.IGNORECASE)
_BLANKS = re.compile(r"[ \t\r\n\f\xa0]+")
_SHOWN_NUMBER = re.compile(r"[^\d]*[\d.,\s\xa0]+[^\d%:/]*")
_BREAK = "\x00"  # stands for a line break until blanks are collapsed; no HTML text may hold it
_UNSEEN = frozenset({"script", "style", "title"})
_BREAKS = frozenset({"br", "p", "div", "li"})
_MAX_ROW_SPAN = 65_534  # the HTML standard's own


class Table:
    """One table's rows; cells that a span covers are empty."""

    def __init__(self) -> None:
        self.rows: list[Cells] = []
        self.merged_down: list[MergedRange] = []
        self._covered: dict[int, int] = {}
        self._column = 0

    def start_row(self) -> None:
        """Begin the next row."""
        self.rows.append([])
        self._covered = {column: left - 1 for column, left in self._covered.items() if left > 1}
        self._column = 0

    def add_cell(self, text: str | None, across: int, down: int) -> None:
        """Put a cell into the first free place of the row."""
        if not self.rows:
            self.start_row()
        while self._column in self._covered:
            self._column += 1
        first = self._column
        self._column = min(first + across, MAX_COLUMNS)
        row = self.rows[-1]
        row.extend([None] * (self._column - len(row)))
        if first < len(row):
            row[first] = text
        if down > 1:
            self._covered.update(dict.fromkeys(range(first, self._column), down))
            number = len(self.rows)
            self.merged_down.append((number, first, number + down - 1, self._column - 1))

    @property
    def size(self) -> int:
        """How many cells have text."""
        return sum(cell is not None for row in self.rows for cell in row)

    @property
    def header(self) -> Cells:
        """The first row that is not empty."""
        return next((row for row in self.rows if any(row)), [])


class _TableParser(HTMLParser):
    """Gathers every table of a page, including those nested in cells of others, as page layouts do."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: list[Table] = []
        self._open: list[tuple[Table, list[str] | None, dict[str, str | None]]] = []
        self._table: Table | None = None
        self._text: list[str] | None = None
        self._attributes: dict[str, str | None] = {}
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag == "table":
            if self._table is not None:
                self._open.append((self._table, self._text, self._attributes))
            self._table, self._text = Table(), None
            self.tables.append(self._table)
        elif self._table is None:
            return
        elif tag == "tr":
            self._end_cell()
            self._table.start_row()
        elif tag in ("td", "th"):
            self._end_cell()
            self._text, self._attributes = [], dict(attrs)
        elif tag in _BREAKS and self._text:
            self._text.append(_BREAK)

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag in ("td", "th", "tr"):
            self._end_cell()
        elif tag == "table" and self._table is not None:
            self._end_cell()
            self._table, self._text, self._attributes = self._open.pop() if self._open else (None, None, {})

    def handle_data(self, data: str) -> None:
        if self._text is not None and not self._unseen:
            self._text.append(data)

    def close(self) -> None:
        super().close()
        self._end_cell()

    def _end_cell(self) -> None:
        if self._text is None or self._table is None:
            return
        lines = _BLANKS.sub(" ", "".join(self._text)).split(_BREAK)
        text = "\n".join(line.strip() for line in lines).strip()
        number = self._attributes.get("x:num")  # which Excel 2000 wrote with the rounded one shown
        if number and is_number(number) and _SHOWN_NUMBER.fullmatch(text):
            text = exact_number(number)
        across = min(read_count(self._attributes.get("colspan"), 1), MAX_COLUMNS)
        down = min(read_count(self._attributes.get("rowspan"), 1), _MAX_ROW_SPAN)
        self._table.add_cell(text or None, across, down)
        self._text = None


def read_html(path: Path) -> Iterator[RawSheet]:
    """Yield the page's largest table and those with the same header, such as the pages of a long list."""
    parser = _TableParser()
    with path.open(encoding=_detect_charset(path), errors="replace", newline="") as file:
        while chunk := file.read(_CHUNK_CHARACTERS):
            parser.feed(chunk)
    parser.close()
    tables = [table for table in parser.tables if table.size]
    if not tables:
        raise WorkbookError("a página HTML não tem nenhuma tabela com dados", FILE_NOT_TABULAR)
    header = max(tables, key=lambda table: table.size).header
    kept = [table for table in tables if table.header == header]
    left_out = sum(len(table.rows) > 1 for table in tables if table.header != header)
    for index, table in enumerate(kept):
        rows = in_batches(enumerate(table.rows, start=1))
        tally = Tally(other_tables=left_out if index == 0 else 0, merged=table.merged_down)
        yield RawSheet(None, True, rows, tally=tally)


def _detect_charset(path: Path) -> str:
    try:
        found = detect_encoding(path)
    except NotTextError as error:
        raise WorkbookError("o conteúdo é binário", FILE_NOT_TABULAR) from error
    if found.name in WIDE_ENCODINGS:
        return found.name
    if found.name == "utf-8" and (found.mark_bytes or not found.broken_utf8):
        return "utf-8-sig"  # a declared charset is often wrong; a mark or a strict decoding is not
    with path.open("rb") as file:
        declared = _CHARSET.search(file.read(_HEAD_BYTES))
    name = declared[1].decode("ascii").lower() if declared else ""
    if name in ("utf-8", "utf8", "iso-8859-1", "latin1", "us-ascii", ""):
        return "cp1252"  # as the HTML standard reads all of these
    try:
        return codecs.lookup(name).name
    except LookupError:
        return "cp1252"
