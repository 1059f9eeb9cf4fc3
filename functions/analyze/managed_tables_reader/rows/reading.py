"""Hold what a person states about how files are read, and what is known of such files; the rest is inferred.

Lines that are stated not to be part of the table are blanked before anything is looked for, so that the other
lines keep their numbers, and every rule sees the table alone.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from itertools import islice, takewhile

from managed_tables.documents.pictures import MAX_LINES_KEPT, LeftOutLine
from managed_tables.documents.statements import OriginLabels, ReadingStatement, TableStatement
from managed_tables.identifiers import fold_label
from managed_tables_reader.rows.sheets import Batch

MAX_SKIPPED_LINES = 1_000  # named in a reading
NO_ORIGINS = OriginLabels()
_WORDS = re.compile(r"\w+")
_SPARE = 10  # characters that folding may take away: blanks, accents on their own
_SHARE = 0.5  # of the known labels: more of them make a header
_MOST_TEXTS = 20
_TEXT_CHARACTERS = 200  # of a line


@dataclass(frozen=True)
class Known:
    """How files of this kind were read."""

    labels: frozenset[str] = frozenset()  # folded (`fold_label`)
    header_lines: int = 1
    encoding: str | None = None  # as found
    delimiter: str | None = None  # as found
    stated: tuple[tuple[str, object], ...] = ()  # fields of a statement, which hold where the file allows it
    skip_texts: frozenset[str] = frozenset()  # how lines begin (`beginning`) that are no rows

    @cached_property
    def _longest(self) -> int:
        return _SPARE + max(map(len, self.labels), default=-_SPARE)

    def places(self, cells: Sequence[str | None]) -> frozenset[int]:
        """Return which of the cells are known labels."""
        return frozenset(
            place
            for place, cell in enumerate(cells)
            if cell and len(cell) <= self._longest and _folded(cell) in self.labels
        )

    def count(self, labels: Sequence[str | None]) -> int:
        """Return how many of these labels are known; 0 where they are too few to be a header of this kind."""
        found = len({_folded(labels[place] or "") for place in self.places(labels)})
        return found if found > _SHARE * len(self.labels) and found > min(1, len(self.labels) - 1) else 0

    def skips(self, text: str) -> bool:
        """Return whether a line of this text is known to be no row."""
        begins = beginning(text)
        return any(begins == one or begins.startswith(f"{one} ") for one in self.skip_texts)

    def allows(self, labels: Sequence[str | None]) -> bool:
        """Return whether a file that is read to have these labels may be one of this kind."""
        return not self.labels or self.count(labels) > 0


NOTHING_KNOWN = Known()


def beginning(text: str) -> str:
    """Return how a line begins, down to its first number or date: the folded words that every month has."""
    return " ".join(takewhile(str.isalpha, _WORDS.findall(fold_label(text))))


_folded = lru_cache(4_096)(fold_label)  # the same first lines are cut by one dialect after another


@dataclass(frozen=True)
class Overrides:
    """What a person states about one file or sheet, and what is known of such files; the rest is inferred."""

    table: TableStatement
    known: Known = NOTHING_KNOWN

    @property
    def stated(self) -> frozenset[str]:
        """The names of the fields that are stated: only of `quote` and `header_line` None says something."""
        given = self.table.model_fields_set - {"file", "sheet"}
        said = (name for name in given if getattr(self.table, name) not in (None, []))
        return frozenset(said) | given & {"quote", "header_line"}

    def stating(self, **fields: object) -> "Overrides":
        """Return the overrides with these fields stated, too."""
        return replace(self, table=self.table.model_copy(update=fields))

    def recalled(self) -> "Overrides":
        """Return the overrides with what was stated of such files before, where nothing is stated now."""
        return self.stating(**{name: value for name, value in self.known.stated if name not in self.stated})


@dataclass(frozen=True)
class AllOverrides:
    """What a person states about a job's files and sheets; everything else is inferred."""

    stated: ReadingStatement
    # What is known of such files, by the sheet's folded name; None for any other.
    known: Mapping[str | None, Known] = field(default_factory=dict)

    def of(self, file: int, sheet: str | None = None) -> Overrides:
        """Return the statement about one file or sheet."""
        known = self.known.get(fold_label(sheet or "")) or self.known.get(None)
        return Overrides(self.stated.of((file, sheet)), known or NOTHING_KNOWN)


NOTHING_STATED = AllOverrides(ReadingStatement(timezone=None, tables=[]))


@dataclass(frozen=True, kw_only=True)
class SameOverrides(AllOverrides):
    """What is stated about every file and sheet alike or, if a sheet is named, about that one alone."""

    table: TableStatement

    def of(self, file: int, sheet: str | None = None) -> Overrides:
        """Return the statement about one file or sheet."""
        if self.table.sheet is None:
            return Overrides(self.table.model_copy(update={"file": file, "sheet": sheet}))
        if sheet == self.table.sheet:
            return Overrides(self.table.model_copy(update={"file": file, "include": True}))
        return Overrides(TableStatement(file=file, sheet=sheet, include=False))


def lines_between(first: int, last: int, taken: Iterable[int]) -> Sequence[int]:
    """Return the lines of a range that are not taken, no more than a reading names."""
    outside = set(taken)
    return list(islice((line for line in range(first, last + 1) if line not in outside), MAX_SKIPPED_LINES))


class LineMask:
    """Which lines belong to the table, as far as stated; `below` are the first lines below it."""

    def __init__(self, overrides: Overrides) -> None:
        table = overrides.table
        self._skipped = frozenset(table.skip_lines or ())
        self._known = overrides.known
        self._last = table.last_line
        is_headless = table.header_line is None and "header_line" in overrides.stated
        self._first = table.header_line or (is_headless and table.first_line) or 1
        self.below: list[int] = []
        self.texts: list[str] = []  # of lines stated to be no rows
        self.left_out: list[int] = []  # by their texts
        self.kept_out: list[LeftOutLine] = []  # of all of them the first, for a file's account

    @property
    def hides(self) -> bool:
        """Whether any line may be left out."""
        return bool(self._skipped or self._known.skip_texts) or self._last is not None or self._first > 1

    def _keep_out(self, code: str, number: int, cells: Sequence[str | None]) -> None:
        if len(self.kept_out) < MAX_LINES_KEPT:
            self.kept_out.append(LeftOutLine(line=number, code=code, cells=list(cells)))

    def keeps(self, number: int, text: str, cells: Sequence[str | None] = ()) -> bool:
        """Return whether a line may be part of the table; `text` is what it says, its cells in a row."""
        if number in self._skipped:
            if len(self.texts) < _MOST_TEXTS:
                self.texts.append(text.strip()[:_TEXT_CHARACTERS])
            self._keep_out("SKIPPED", number, cells or [text])
            return False
        if self._known.skip_texts and self._known.skips(text[:_TEXT_CHARACTERS]):
            self.left_out += [number] if len(self.left_out) < MAX_SKIPPED_LINES else []
            self._keep_out("LINES_LEFT_OUT", number, cells or [text])
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
            places = list(self._kept_places(batch))
            for number in filter(self._is_below, batch.numbers):
                self._note_below(number)
            if places:
                yield batch if len(places) == len(batch) else batch.pick(places)

    def _kept_places(self, batch: Batch) -> Iterator[int]:
        """Yield the places of rows that may be part of the table; texts are made where they count."""
        by_texts = bool(self._skipped or self._known.skip_texts)
        for place, number in enumerate(batch.numbers):
            cells = batch.row(place)[1] if by_texts else ()
            if self.keeps(number, " ".join(filter(None, cells)), cells):
                yield place


@dataclass(frozen=True)
class Stated:
    """What is stated about where the table begins, to narrow the candidates; `header_line` 0: no header."""

    header_line: int | None = None
    header_lines: int | None = None
    first_line: int | None = None


def stated_places(overrides: Overrides) -> Stated:
    """Return what overrides state about the start of the table."""
    table = overrides.table
    return Stated(
        header_line=table.header_line or 0 if "header_line" in overrides.stated else None,
        header_lines=table.header_lines,
        first_line=table.first_line,
    )
