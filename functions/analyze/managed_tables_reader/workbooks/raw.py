"""Define what a reader yields in the child process: sheets of batches of rows, and what it found in them.

It passes through a pipe to the parent in frames, a letter and a body in `marshal`'s form: two thousand rows
at a time, by column, as they are staged. Both ends are the same interpreter, started by us. In the pipe a
frame is one value, of bytes, since `marshal` reads from a stream value by value.
"""

import marshal
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import islice, zip_longest
from typing import IO, Any

from managed_tables.conversion.marked_cells import mark_text
from managed_tables.errors import WORKBOOK_CORRUPT, JobErrorKind
from managed_tables.messages.findings import MAX_LINES, GroundCode, WarningCode
from managed_tables_reader.rows.sheets import (
    LABEL_ROWS,
    Batch,
    Column,
    MergedRange,
    Sheet,
    ShownDates,
    letters,
)
from managed_tables_reader.workbooks.formats import (
    FormatKind,
    NumberFormat,
    serial_text,
    show_mask,
    shown_date,
)
from managed_tables_reader.workbooks.numbers import NumberCells

Cells = list[str | None]

Told = tuple[WarningCode | GroundCode, int, dict[str, Any], list[int]]
"""The code of a finding, how many, its values and columns (from 0): plain values, which pass a pipe."""

BATCH_ROWS = 2_000  # large enough that the cost of a batch vanishes, small enough to stay in the cache
BATCH_CELLS = 1_000_000  # empty ones too, of the few sheets that are wider than tall: 8 MB


class WorkbookError(Exception):
    """A file that is refused: the way to fail, and its Portuguese reason."""

    def __init__(self, reason: str, kind: JobErrorKind = WORKBOOK_CORRUPT) -> None:
        super().__init__(reason)
        self.kind = kind


_HALF = re.compile("[\ud800-\udfff]")  # half of a character of UTF-16, without its other half


def is_whole(text: str) -> bool:
    """Return whether no character of the text is half of one."""
    return text.isascii() or _HALF.search(text) is None


def storable_text(text: str) -> str:
    """Return the text without NUL, and with a replacement character for half of one."""
    return _HALF.sub("\ufffd", text.replace("\0", ""))


@dataclass
class Tally:
    """What was found in one sheet's cells, complete once its batches are exhausted."""

    is_1904: bool = False  # days are counted from 1904 on, not from 1900
    errors: Counter[int] = field(default_factory=Counter)  # cells that hold an error, by column (from 0)
    percents: set[int] = field(default_factory=set)  # columns of numbers that are shown as percentages
    currencies: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))  # as percents
    uncached: int = 0  # formulas whose result the file does not hold
    number_cells: NumberCells = field(default_factory=NumberCells)
    hidden_rows: int = 0
    merged: list[MergedRange] = field(default_factory=list)  # cells with those below, complete at the end
    arrays: list[MergedRange] = field(default_factory=list)  # of array formulas that nobody has calculated
    hidden_columns: set[int] = field(default_factory=set)
    seen_hidden: set[int] = field(default_factory=set)  # those of them in which some cell is filled
    shown_dates: ShownDates = field(default_factory=dict)  # among the first rows: some may be labels
    other_tables: int = 0  # of the same page, which were not read
    nul_lines: set[int] = field(default_factory=set)  # with NUL characters, which are removed
    half_lines: set[int] = field(default_factory=set)  # with halves of characters, which are replaced
    nans: Counter[int] = field(default_factory=Counter)  # cells that hold NaN, by column (from 0)
    members: Mapping[WarningCode, Collection[str]] = field(default_factory=dict)  # names in JSON, by finding

    def reset(self) -> None:
        """Forget what was counted: the sheet is read again from its start."""
        self.uncached = self.hidden_rows = 0
        self.errors.clear()
        self.arrays.clear()
        self.percents.clear()
        self.currencies.clear()
        self.number_cells = NumberCells()

    def number(self, row: int, column: int, number_format: NumberFormat, raw: str | float) -> str | None:
        """Return what a number means by its format; `raw` is as it stands in the file, or its double."""
        if number_format.kind in (FormatKind.NUMBER, FormatKind.MASK):
            self.note_format(column, number_format)
            cells = self.number_cells
            text = cells.text(raw) if isinstance(raw, str) else cells.text_of_double(raw)
            shown = show_mask(number_format, text) if number_format.masks else None
            return shown or text or None
        text = serial_text(raw if isinstance(raw, str) else repr(raw), number_format.kind, self.is_1904)
        self.note_date(row, column, number_format, text)
        return text or None

    def note_format(self, column: int, number_format: NumberFormat) -> None:
        """Note what the format of a number says of its column."""
        if number_format.is_percent:
            self.percents.add(column)
        elif number_format.currency:
            self.currencies[number_format.currency].add(column)

    def note_date(self, row: int, column: int, number_format: NumberFormat, iso: str) -> None:
        """Note how a day among the first rows is shown."""
        if row <= LABEL_ROWS and (shown := shown_date(number_format, iso)):
            self.shown_dates[row, column] = shown

    def storable(self, numbers: Sequence[int], column: Column) -> Column:
        """Return the cells as PostgreSQL stores texts; note the rows that lose a character."""
        text = "".join(filter(None, column))  # one search for all cells: nearly no column has a cell to mend
        if "\0" not in text and is_whole(text):
            return column
        for number, cell in zip(numbers, column, strict=True):
            if cell and "\0" in cell:
                self.nul_lines.add(number)
            if cell and not is_whole(cell):
                self.half_lines.add(number)
        return [cell and (mark_text(storable_text(cell)) or None) for cell in column]

    def see(self, batch: Batch) -> None:
        """Note the hidden columns in which some cell is filled."""
        for column in self.hidden_columns - self.seen_hidden:
            cells = batch.columns[column] if column < len(batch.columns) else []
            if any(cell is not None for cell in cells):
                self.seen_hidden.add(column)

    def findings(self) -> list[Told]:
        """Return the findings, as plain values."""
        hidden, numbers = sorted(self.seen_hidden), self.number_cells
        rounded = numbers.rounded_example if numbers.has_exact_decimals else None
        example = {"example": rounded[0], "taken": rounded[1]} if rounded else {}
        found: list[Told] = [
            ("UNCACHED_FORMULAS", self.uncached, {}, []),
            ("DIGITS_LOST", numbers.cut, {}, []),
            ("HIDDEN_ROWS", self.hidden_rows, {}, []),
            ("OTHER_TABLES", self.other_tables, {}, []),
            ("NUL_REMOVED", len(self.nul_lines), {"lines": sorted(self.nul_lines)[:MAX_LINES]}, []),
            ("BYTES_LOST", len(self.half_lines), {"lines": sorted(self.half_lines)[:MAX_LINES]}, []),
            ("NAN_CELLS", self.nans.total(), {}, sorted(self.nans)),
            *((code, len(of), {"names": [*islice(of, MAX_LINES)]}, []) for code, of in self.members.items()),
            ("ERROR_CELLS", self.errors.total(), {}, sorted(self.errors)),
            ("PERCENT", len(self.percents), {}, sorted(self.percents)),
            *(("SHOWN_IN", len(of), {"name": sign}, sorted(of)) for sign, of in self.currencies.items()),
            ("HIDDEN_COLUMNS", len(hidden), {"names": [*map(letters, hidden)]}, hidden),
            ("ROUNDED_NUMBERS", numbers.rounded if rounded else 0, example, []),
        ]
        return [told for told in found if told[1]]


@dataclass(eq=False)
class RawSheet(Sheet):
    """A sheet in the child process, which tallies what the parent's sheet is to say."""

    tally: Tally = field(default_factory=Tally)

    def storable(self) -> Iterator[Batch]:
        """Yield the batches with texts that PostgreSQL stores; a row that is left without any is none.

        Where the file states labels, each of its records is a row, whatever it holds.
        """
        for batch in self.batches:
            columns = [self.tally.storable(batch.numbers, column) for column in batch.columns]
            if columns == batch.columns:
                yield batch
            elif self.labels is None:
                yield from in_batches(Batch(batch.numbers, columns).rows())
            else:
                yield Batch(batch.numbers, columns)


def in_batches(rows: Iterable[tuple[int, Cells]]) -> Iterator[Batch]:
    """Gather rows into batches, without empty ones."""
    numbers: list[int] = []
    batch: list[Cells] = []
    width = 0
    for number, cells in rows:
        while cells and cells[-1] is None:
            cells.pop()
        if not cells:
            continue
        numbers.append(number)
        batch.append(cells)
        width = max(width, len(cells))
        if len(batch) == BATCH_ROWS or len(batch) * width > BATCH_CELLS:
            yield _batch(numbers, batch)
            numbers, batch, width = [], [], 0
    if batch:
        yield _batch(numbers, batch)


def _batch(numbers: list[int], rows: list[Cells]) -> Batch:
    return Batch(numbers, list(map(list, zip_longest(*rows))))


class FrameKind(Enum):
    """What a frame holds."""

    STARTED = b"h"  # nothing: the child runs, and any failure from here on is due to the file
    SHEET = b"s"  # `(name, visible, shown dates, labels, types)` of the sheet that begins
    ROWS = b"r"  # `(row numbers, columns of cells)`
    SHEET_END = b"e"  # `([(code of a finding, count, values, columns)], merged)` of the sheet that ends
    FAILED = b"f"  # `(error code, reason)`: nothing follows
    DONE = b"d"  # nothing: the file was read to its end


def write_frame(stream: IO[bytes], kind: FrameKind, body: Any = None) -> None:
    """Write one frame; the caller flushes."""
    marshal.dump(marshal.dumps((kind.value, body)), stream)


def read_frame(stream: IO[bytes]) -> tuple[FrameKind, Any] | None:
    """Read one frame; None at the end."""
    try:
        kind, body = marshal.loads(marshal.load(stream))  # noqa: S302  # written by our own child process
    except EOFError:
        return None
    return FrameKind(kind), body
