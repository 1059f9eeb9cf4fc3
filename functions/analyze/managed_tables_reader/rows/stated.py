"""Apply what a person states about a layout in place of its detection; the rest is inferred.

Lines that are stated not to be part of the table are blanked before anything is looked for, so that the other
lines keep their numbers, and every rule sees the table alone.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from managed_tables_reader.rows.reading import MAX_SKIPPED_LINES, Overrides, Unstated
from managed_tables_reader.rows.sheets import Batch

_MOST_TEXTS = 20
_TEXT_CHARACTERS = 200  # of a line


class LineMask:
    """Which lines belong to the table, as far as stated; `below` are the first lines below it."""

    def __init__(self, overrides: Overrides) -> None:
        self._skipped = frozenset(overrides.skip_lines)
        self._known = overrides.known
        self._last = overrides.last_line
        self._first = overrides.header_line if isinstance(overrides.header_line, int) else 1
        if overrides.header_line is None and overrides.first_line is not None:
            self._first = overrides.first_line
        self.below: list[int] = []
        self.texts: list[str] = []  # of lines stated to be no rows
        self.left_out: list[int] = []  # by their texts

    @property
    def hides(self) -> bool:
        """Whether any line may be left out."""
        return bool(self._skipped or self._known.skip_texts) or self._last is not None or self._first > 1

    def keeps(self, number: int, text: str) -> bool:
        """Return whether a line may be part of the table; `text` is what it says, its cells in a row."""
        if number in self._skipped:
            if len(self.texts) < _MOST_TEXTS:
                self.texts.append(text.strip()[:_TEXT_CHARACTERS])
            return False
        if self._known.skip_texts and self._known.skips(text[:_TEXT_CHARACTERS]):
            self.left_out += [number] if len(self.left_out) < MAX_SKIPPED_LINES else []
            return False
        return number >= self._first and not self._is_below(number)

    def _is_below(self, number: int) -> bool:
        return self._last is not None and number > self._last

    def lines(self, lines: Iterable[str]) -> Iterator[str]:
        """Yield the lines down to the last of the table; those that are not part of it are blanked."""
        for number, line in enumerate(lines, start=1):
            if self.keeps(number, line):
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
            places = [
                place
                for place, number in enumerate(batch.numbers)
                if self.keeps(number, " ".join(filter(None, batch.row(place)[1])))
            ]
            for number in filter(self._is_below, batch.numbers):
                self._note_below(number)
            if places:
                yield batch.pick(places)


@dataclass(frozen=True)
class Stated:
    """What is stated about where the table begins, to narrow the candidates; `header_line` 0: no header."""

    header_line: int | None = None
    header_lines: int | None = None
    first_line: int | None = None


def stated_places(overrides: Overrides) -> Stated:
    """Return what overrides state about the start of the table."""
    line = overrides.header_line
    return Stated(
        header_line=None if isinstance(line, Unstated) else line or 0,
        header_lines=overrides.header_lines,
        first_line=overrides.first_line,
    )
