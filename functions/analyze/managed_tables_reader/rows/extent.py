"""Record which lines of a file are a table's rows, while they are read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from managed_tables_reader.rows.reading import MAX_SKIPPED_LINES, lines_between


@dataclass
class Extent:
    """The first and the last line of the rows, None before there is one, and lines that are not rows."""

    first_line: int | None = None
    last_line: int | None = None
    skipped: list[int] = field(default_factory=list)

    def skip(self, lines: Iterable[int]) -> None:
        """Record lines that are not rows, no more than a reading names."""
        for line in lines:
            if len(self.skipped) >= MAX_SKIPPED_LINES:
                return
            self.skipped.append(line)

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
