"""What a person states of a layout, put in the place of its detection; the rest is inferred under it.

Lines that are stated to be no part of the table are blanked before anything is looked for, so that the lines
left keep their numbers, and every rule sees the table alone.
"""

import codecs
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from managed_tables.errors import LINE_WITHOUT_CELLS, JobError
from managed_tables_analyze.cells import is_blank
from managed_tables_analyze.dialect import NO_QUOTE, Dialect
from managed_tables_analyze.encodings import BYTE_ORDER_MARKS, Encoding, detect_encoding
from managed_tables_analyze.header import Header, find_header, join_labels
from managed_tables_analyze.reading import MAX_SKIPPED_LINES, TableWish, Unstated
from managed_tables_analyze.sheets import Batch, MergedRange, Row
from managed_tables_analyze.sniffer import complete_dialect, sniff

_UTF8 = ("utf-8", "utf-8-sig", "ascii")


def read_encoding(path: Path, name: str | None) -> Encoding:
    """Return the stated encoding, else the detected one; raises NotTextError as the detection does.

    Bytes that are no UTF-8 are read as cp1252, also where UTF-8 is stated.
    """
    if name is None:
        return detect_encoding(path)
    canonical = codecs.lookup(name).name
    if canonical in _UTF8:
        found = detect_encoding(path)
        return found if found.name == "utf-8" else Encoding("utf-8", broken_utf8=True)
    with path.open("rb") as file:
        head = file.read(4)
    marks = [len(mark) for mark, of in BYTE_ORDER_MARKS if of == canonical and head.startswith(mark)]
    return Encoding(canonical, max(marks, default=0))


def choose_dialect(sample: Sequence[str], wish: TableWish) -> Dialect:
    """Return the dialect of the sample: what is stated of it, and the rest as the sample suggests."""
    dialect = sniff(sample) if wish.delimiter is None else complete_dialect(sample, wish.delimiter)
    if isinstance(wish.quote, Unstated):
        return dialect
    return replace(dialect, quote=wish.quote or NO_QUOTE)


class LineMask:
    """Which lines belong to the table as far as that is stated; `below` are the first that lie below it."""

    def __init__(self, wish: TableWish) -> None:
        self._skipped = frozenset(wish.skip_lines)
        self._last = wish.last_line
        self._first = wish.header_line if isinstance(wish.header_line, int) else 1
        if wish.header_line is None and wish.first_line is not None:
            self._first = wish.first_line
        self.below: list[int] = []

    @property
    def hides(self) -> bool:
        """Whether any line may be left out."""
        return bool(self._skipped) or self._last is not None or self._first > 1

    def keeps(self, number: int) -> bool:
        """Return whether a line may be part of the table."""
        return number >= self._first and number not in self._skipped and not self._is_below(number)

    def _is_below(self, number: int) -> bool:
        return self._last is not None and number > self._last

    def lines(self, lines: Iterable[str]) -> Iterator[str]:
        """Yield the lines down to the last of the table, blank instead of those that are no part of it."""
        for number, line in enumerate(lines, start=1):
            if self.keeps(number):
                yield line
            elif not self._is_below(number):
                yield line[len(line.rstrip("\r\n")) :]
            elif not self._note_below(number):
                return

    def _note_below(self, number: int) -> bool:
        """Take note of a line below the table; False where no more are noted."""
        if len(self.below) < MAX_SKIPPED_LINES:
            self.below.append(number)
        return len(self.below) < MAX_SKIPPED_LINES

    def batches(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Yield the rows of a sheet that may be part of the table."""
        for batch in batches:
            if not self.hides:
                yield batch
                continue
            places = [place for place, number in enumerate(batch.numbers) if self.keeps(number)]
            for number in filter(self._is_below, batch.numbers):
                self._note_below(number)
            if places:
                yield batch.pick(places)


def place_header(
    rows: Sequence[Row], wish: TableWish, name: str, merged: Sequence[MergedRange] = ()
) -> Header | None:
    """Return the header where it is stated to be, else where it is found; None where there is no row.

    Raises LINE_WITHOUT_CELLS where nothing stands on the line that is stated to be the header's.
    """
    found = find_header(rows, merged)
    if not wish.states_header or found is None:
        return found
    if wish.header_line is None:
        return _without_header(found, rows, wish)
    if isinstance(wish.header_line, int):
        return _stated_header(found, rows, wish, wish.header_line, name)
    return _above_stated_data(found, rows, wish.first_line or found.data_line)


def _without_header(found: Header, rows: Sequence[Row], wish: TableWish) -> Header:
    """Return the layout without a header: what was taken for one is data, unless it lies above the rows."""
    data_line = wish.first_line or found.first_line or found.data_line
    width = max((len(cells) for number, cells in rows if number >= data_line), default=found.width)
    return Header([], max(width, 1), None, data_line, [line for line in found.skipped if line < data_line])


def _above_stated_data(found: Header, rows: Sequence[Row], first_line: int) -> Header:
    """Return the header above the line where the data is stated to begin, none where it is not above it."""
    if found.first_line is not None and (found.last_line or found.first_line) < first_line:
        return replace(found, data_line=first_line)
    width = max((len(cells) for number, cells in rows if number >= first_line), default=found.width)
    return Header([], max(width, 1), None, first_line, [number for number, _ in rows if number < first_line])


def _stated_header(found: Header, rows: Sequence[Row], wish: TableWish, line: int, name: str) -> Header:
    filled = [row for row in rows if row[0] >= line and any(not is_blank(cell) for cell in row[1])]
    if not filled or filled[0][0] != line:
        raise JobError(LINE_WITHOUT_CELLS, file=name, line=line)
    first_line = wish.first_line
    is_same = found.first_line == line and (first_line is None or found.data_line <= first_line)
    count = wish.header_lines or (found.line_count if is_same else 1)
    if is_same and count == found.line_count:
        return replace(found, data_line=first_line or found.data_line)
    labels = join_labels([cells for _, cells in filled[:count]], filled[count:])
    last_line = filled[:count][-1][0]
    data_line = first_line or (filled[count][0] if len(filled) > count else last_line + 1)
    return Header(labels, len(labels), line, data_line, [], last_line=last_line, line_count=count)
