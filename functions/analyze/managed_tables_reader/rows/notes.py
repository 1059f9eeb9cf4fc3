"""Record which lines of a file are a table's rows, and which of them are odd, while they are read."""

import re
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from managed_tables.messages.findings import Finding, LineNotes, WarningCode, about_lines, preview
from managed_tables_reader.rows.reading import MAX_SKIPPED_LINES, lines_between

# Possessive, since backtracking over a long line that ends in a word would take too long.
_SEPARATOR = re.compile(r"[\s:|+]*+(?:[-=_]{2,}+[\s:|+]*+)++")
STROKES = ("---", "===", "___")
_STROKE = re.compile(r"([-=_])\1\1|:--|--:")  # `--` alone is an empty value


def is_separator(cells: Sequence[str | None]) -> bool:
    """Return whether a row is only a separator line."""
    filled = [cell for cell in cells if cell is not None and cell and not cell.isspace()]
    return all(map(_SEPARATOR.fullmatch, filled)) and any(_STROKE.search(cell) for cell in filled)


@dataclass
class Extent:
    """The first and the last line of the rows, None before there is one, and lines that are not rows."""

    first_line: int | None = None
    last_line: int | None = None
    skipped: list[int] = field(default_factory=list)

    def skip(self, lines: Iterable[int]) -> None:
        """Record lines that are not rows, no more than a reading names."""
        self.skipped += islice(lines, max(0, MAX_SKIPPED_LINES - len(self.skipped)))

    def take(self, first: int, last: int) -> None:
        """Record lines that are rows, in the order of the file."""
        if self.first_line is None:
            self.first_line = first
        self.last_line = last

    def leave_out_last(self, line: int) -> None:
        """Record that the last row, which begins at this line, is not a row."""
        end = line - 1
        while end in self.skipped:
            end -= 1
        self.skip(range(line, (self.last_line or line) + 1))
        self.last_line = end

    def take_numbers(self, numbers: Sequence[int]) -> None:
        """Record the numbers of consecutive rows, between which blank ones were left out."""
        if not numbers:
            return
        before = numbers[0] - 1 if self.last_line is None else max([self.last_line, *self.skipped[-1:]])
        if numbers[-1] - before != len(numbers):
            self.skip(lines_between(before + 1, numbers[-1], numbers))
        self.take(min(numbers), max([self.last_line or 0, *numbers]))


class RowNotes(LineNotes):
    """Notes odd rows while they are read, and which lines are rows at all."""

    def __init__(self, width: int, extent: Extent) -> None:
        super().__init__(
            "SHORT_ROWS", "LONG_ROWS", "REPAIRED_ROWS", "REPEATED_HEADER", "SEPARATOR_LINES", "COMMENT_LINES"
        )
        self._width = width
        self.extent = extent
        self.heads = array("Q")  # lines that repeat one above them

    def count_cells(self, line: int, count: int) -> None:
        """Note a row if it has fewer cells than the table, or more."""
        if count != self._width:
            self.add("SHORT_ROWS" if count < self._width else "LONG_ROWS", line)

    def leave_out(self, line: int, code: WarningCode | None = None) -> None:
        """Record a line that is not a row; a blank one has no code and is not reported."""
        self.extent.skip((line,))
        if code == "REPEATED_HEADER":
            self.heads.append(line)
        if code is not None:
            self.add(code, line)

    def forget(self, line: int, length: int) -> None:
        """Take back the notes of a row of so many cells, which is left out after all."""
        for code, lines in self.lines.items():
            if line in lines:
                lines.remove(line)
            elif code != "SHORT_ROWS" or length >= self._width or self.counts[code] <= len(lines):
                continue
            self.counts[code] -= 1


def rows_left_out(
    code: WarningCode, rows: Sequence[tuple[int, Sequence[str | None]]], count: int | None = None
) -> Finding:
    """Return the finding about rows that are not imported: all of them, or the first of `count`."""
    lines = [number for number, _ in rows]
    return replace(about_lines(code, lines, count), preview=preview([cells for _, cells in rows]))
