"""Hold what a person states about how files are read: that is fixed, and the rest is inferred."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from typing import Final

from managed_tables.documents.statements import OriginLabels, ReadingStatement, TableStatement
from managed_tables.identifiers import fold_label
from managed_tables_reader.rows.known import NOTHING_KNOWN, Known

MAX_SKIPPED_LINES = 1_000  # named in a reading
NO_ORIGINS = OriginLabels()


class Unstated(Enum):
    """The value of a field that overrides do not state, where None has its own meaning."""

    UNSTATED = "unstated"


UNSTATED: Final = Unstated.UNSTATED


@dataclass(frozen=True)
class Overrides:
    """What a person states about one file or sheet; None, or UNSTATED, is inferred.

    `header_line` None: there is no header. `quote` None: nothing is quoted. `header_lines` is the number of
    lines that the labels are joined from. `skip_lines` are not rows, wherever they are. `known` is no
    statement, but what is known of such files.
    """

    file: int
    sheet: str | None = None
    include: bool | None = None
    encoding: str | None = None
    delimiter: str | None = None
    quote: str | Unstated | None = UNSTATED
    header_line: int | Unstated | None = UNSTATED
    header_lines: int | None = None
    first_line: int | None = None
    last_line: int | None = None
    skip_lines: tuple[int, ...] = ()
    fill_merged: bool | None = None
    trim: bool | None = None
    known: Known = NOTHING_KNOWN

    @property
    def stated(self) -> tuple[str, ...]:
        """The names of the fields that are stated."""
        return tuple(
            one.name for one in fields(self)[2:-1] if getattr(self, one.name) not in (None, UNSTATED, ())
        ) + tuple(name for name in ("quote", "header_line") if getattr(self, name) is None)

    def as_statement(self) -> TableStatement:
        """Return what is stated, as it is stored."""
        return TableStatement(
            file=self.file, sheet=self.sheet, **{name: getattr(self, name) for name in self.stated}
        )

    def recalled(self) -> "Overrides":
        """Return the overrides with what was stated of such files before, where nothing is stated now."""
        stated = {name: value for name, value in self.known.stated if name not in self.stated}
        return replace(self, **stated)  # type: ignore[arg-type]

    @classmethod
    def of(cls, stated: TableStatement) -> "Overrides":
        """Return the overrides of what is stated."""
        given = {name: getattr(stated, name) for name in stated.model_fields_set}
        return cls(**{**given, "skip_lines": tuple(stated.skip_lines or ())})


@dataclass(frozen=True)
class AllOverrides:
    """What a person states about a job's files and sheets; everything else is inferred.

    `known` is what is known of such files, by the sheet's folded name; None for any other. With `recipe`
    False nothing of it is to be used.
    """

    tables: tuple[Overrides, ...] = ()
    timezone: str | None = None
    origins: OriginLabels = NO_ORIGINS
    recipe: bool | None = None
    known: Mapping[str | None, Known] = field(default_factory=dict, compare=False)
    _by_place: dict[tuple[int, str | None], Overrides] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_place", {(one.file, one.sheet): one for one in self.tables})

    def of(self, file: int, sheet: str | None = None) -> Overrides:
        """Return the statement about one file or sheet."""
        overrides = self._by_place.get((file, sheet)) or Overrides(file, sheet)
        known = self.known.get(fold_label(sheet or "")) or self.known.get(None)
        return replace(overrides, known=known) if known else overrides

    def as_statement(self) -> ReadingStatement:
        """Return what is stated, as it is stored."""
        tables = [table.as_statement() for table in self.tables]
        stated = ReadingStatement(timezone=self.timezone, tables=tables)
        if self.recipe is not None:
            stated.recipe = self.recipe
        if self.origins != NO_ORIGINS:
            stated.origin_columns = self.origins
        return stated

    @classmethod
    def stating(cls, stated: ReadingStatement) -> "AllOverrides":
        """Return the overrides of what is stated."""
        tables = tuple(map(Overrides.of, stated.tables))
        return cls(tables, stated.timezone, stated.origin_columns or NO_ORIGINS, stated.recipe)


def lines_between(first: int, last: int, taken: Iterable[int] = ()) -> Sequence[int]:
    """Return the lines of a range that are not taken, no more than a reading names."""
    outside = set(taken)
    found = []
    for line in range(first, last + 1):
        if line not in outside:
            found.append(line)
        if len(found) == MAX_SKIPPED_LINES:
            break
    return found
