"""Record which lines of a file are a table's rows, and which of them are odd, while they are read."""

import re
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from managed_tables.documents.pictures import MAX_LINES_KEPT, LeftOutLine
from managed_tables.messages.findings import Finding, LineNotes, WarningCode, about_lines, preview
from managed_tables_reader.rows.reading import MAX_SKIPPED_LINES, lines_between

# Possessive, since backtracking over a long line that ends in a word would take too long.
_SEPARATOR = re.compile(r"[\s:|+]*+(?:[-=_]{2,}+[\s:|+]*+)++")
_CELL_CHARACTERS = 60  # of a line that is left out, and so many of its cells: enough to know such a line by
_MOST_CELLS = 60
STROKES = ("---", "===", "___")
_STROKE = re.compile(r"([-=_])\1\1|:--|--:")  # `--` alone is an empty value


def is_separator(cells: Sequence[str | None]) -> bool:
    """Return whether a row is only a separator line."""
    filled = [cell for cell in cells if cell is not None and cell and not cell.isspace()]
    return all(map(_SEPARATOR.fullmatch, filled)) and any(_STROKE.search(cell) for cell in filled)


@dataclass
class Extent:
    """The first and the last line of the rows, None before there is one, and lines that are not rows.

    Every line that is read has one fate: row, header, blank, or left out for a reason.
    """

    first_line: int | None = None
    last_line: int | None = None
    skipped: list[int] = field(default_factory=list)
    row_lines: int = 0
    header_lines: int = 0
    blank_lines: int = 0
    left_out: Counter[str] = field(default_factory=Counter)  # lines, by why
    left: list[LeftOutLine] = field(default_factory=list)  # the first of them

    def leave(self, code: str, line: int, cells: Sequence[str | None], lines: int = 1) -> None:
        """Count lines that are left out as one; a line without a filled cell is blank."""
        filled = [cell if cell and cell.strip() else None for cell in cells]
        if not any(filled):
            self.blank_lines += lines
            return
        self.left_out[code] += lines
        if len(self.left) < MAX_LINES_KEPT:
            shown = [cell and cell[:_CELL_CHARACTERS] for cell in filled[:_MOST_CELLS]]
            self.left.append(LeftOutLine(line=line, code=code, cells=shown))

    def leave_all(self, lines: Iterable[LeftOutLine]) -> None:
        """Count lines of which it is known why they are left out."""
        for line in lines:
            self.leave(line.code, line.line, line.cells)

    def count_above(self, rows: Iterable[tuple[int, Sequence[str | None]]], header: range) -> None:
        """Count the lines above the rows; those of `header` are the header's."""
        for line, cells in rows:
            if line in header:
                self.header_lines += 1
            else:
                self.leave("LINES_ABOVE", line, cells)

    def skip(self, lines: Iterable[int]) -> None:
        """Record lines that are not rows, no more than a reading names."""
        self.skipped += islice(lines, max(0, MAX_SKIPPED_LINES - len(self.skipped)))

    def take(self, first: int, last: int) -> None:
        """Record lines that are rows, in the order of the file."""
        if self.first_line is None:
            self.first_line = first
        self.last_line = last
        self.row_lines += last - first + 1

    def leave_out_last(self, line: int, cells: Sequence[str | None]) -> None:
        """Record that the last row, which begins at this line, is not a row."""
        lines = (self.last_line or line) - line + 1
        self.row_lines -= lines
        self.leave("FOOTER", line, cells, lines)
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
        known = self.row_lines
        self.take(min(numbers), max([self.last_line or 0, *numbers]))
        self.row_lines = known + len(numbers)


class RowNotes(LineNotes):
    """Notes odd rows while they are read, and which lines are rows at all."""

    def __init__(self, width: int, extent: Extent) -> None:
        super().__init__(
            "SHORT_ROWS",
            "LONG_ROWS",
            "REPAIRED_ROWS",
            "REPEATED_HEADER",
            "HEADER_AGAIN",
            "SEPARATOR_LINES",
            "COMMENT_LINES",
        )
        self._width = width
        self.extent = extent
        self.heads = array("Q")  # lines that repeat one above them

    def count_cells(self, line: int, count: int) -> None:
        """Note a row if it has fewer cells than the table, or more."""
        if count != self._width:
            self.add("SHORT_ROWS" if count < self._width else "LONG_ROWS", line)

    def leave_out(
        self, line: int, code: WarningCode | None = None, cells: Sequence[str | None] = (), lines: int = 1
    ) -> None:
        """Record a line that is not a row; a blank one has no code and is not reported."""
        self.extent.skip((line,))
        self.extent.leave(code or "", line, cells if code else (), lines)
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


def about_known(lines: Sequence[LeftOutLine]) -> list[Finding]:
    """Return the finding about the lines that are left out by what is known, if there are any."""
    known = [(one.line, one.cells) for one in lines if one.code == "LINES_LEFT_OUT"]
    return [rows_left_out("LINES_LEFT_OUT", known)] if known else []


def rows_left_out(
    code: WarningCode, rows: Sequence[tuple[int, Sequence[str | None]]], count: int | None = None
) -> Finding:
    """Return the finding about rows that are not imported: all of them, or the first of `count`."""
    lines = [number for number, _ in rows]
    return replace(about_lines(code, lines, count), preview=preview([cells for _, cells in rows]))
