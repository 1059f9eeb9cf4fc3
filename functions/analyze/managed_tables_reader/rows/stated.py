"""Apply what a person states about a layout in place of its detection; the rest is inferred.

Lines that are stated not to be part of the table are blanked before anything is looked for, so that the other
lines keep their numbers, and every rule sees the table alone.
"""

import codecs
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from managed_tables.errors import LINE_WITHOUT_CELLS, JobError
from managed_tables_reader.files.encodings import BYTE_ORDER_MARKS, Encoding, detect_encoding
from managed_tables_reader.layout.grid import GridRow
from managed_tables_reader.layout.search import Stated
from managed_tables_reader.rows.reading import MAX_SKIPPED_LINES, TableWish, Unstated
from managed_tables_reader.rows.sheets import Batch

_UTF8 = ("utf-8", "utf-8-sig", "ascii")


def read_encoding(path: Path, name: str | None) -> Encoding:
    """Return the stated encoding, else the detected one; raises NotTextError as the detection does.

    Bytes that are not UTF-8 are read as cp1252, even if UTF-8 is stated.
    """
    if name is None:
        return detect_encoding(path)
    canonical = codecs.lookup(name).name
    if canonical in _UTF8:
        found = detect_encoding(path)
        return found if found.name == "utf-8" else Encoding("utf-8", broken_utf8=True)
    with path.open("rb") as file:
        head = file.read(4)
    marks = [len(mark) for mark, known in BYTE_ORDER_MARKS if known == canonical and head.startswith(mark)]
    return Encoding(canonical, max(marks, default=0))


class LineMask:
    """Which lines belong to the table, as far as stated; `below` are the first lines below it."""

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
        """Yield the lines down to the last of the table; those that are not part of it are blanked."""
        for number, line in enumerate(lines, start=1):
            if self.keeps(number):
                yield line
            elif not self._is_below(number):
                yield line[len(line.rstrip("\r\n")) :]
            elif not self._note_below(number):
                return

    def _note_below(self, number: int) -> bool:
        """Note a line below the table; return whether there is room for more."""
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


def stated_places(wish: TableWish) -> Stated:
    """Return what a wish states about the start of the table."""
    line = wish.header_line
    return Stated(
        header_line=None if isinstance(line, Unstated) else line or 0,
        header_lines=wish.header_lines,
        first_line=wish.first_line,
    )


def check_stated(rows: Sequence[GridRow], wish: TableWish, name: str) -> None:
    """Refuse a stated header line without cells: LINE_WITHOUT_CELLS."""
    line = wish.header_line
    if isinstance(line, int) and all(row.number != line for row in rows[:1]):
        raise JobError(LINE_WITHOUT_CELLS, file=name, line=line)
