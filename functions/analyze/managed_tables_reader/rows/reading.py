"""Describe as data how files are read before types are inferred.

A `Reading` says how every file and sheet of a job was read. A `Wish` is what a person states about it: that
is fixed, and the rest is inferred.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from enum import Enum
from typing import Any, Final

from managed_tables.documents.recipes import TableKind
from managed_tables.identifiers import fold_label
from managed_tables.messages.findings import ReasonCode
from managed_tables_reader.rows.known import NOTHING_KNOWN, Known

MAX_SKIPPED_LINES = 1_000  # named in a reading


class Unstated(Enum):
    """The value of a field that a wish does not state, where None has its own meaning."""

    UNSTATED = "unstated"


UNSTATED: Final = Unstated.UNSTATED


@dataclass(frozen=True)
class Reason:
    """Why something was read as it was: a stable code, and a Portuguese sentence."""

    code: ReasonCode
    text: str


@dataclass(frozen=True)
class TableReading:
    """How one file or sheet was read. Lines are physical lines of the file or rows of the sheet, from 1.

    `file` counts the files in order, each member of an archive as one; `name` is what people know it by.
    `first_line` and `last_line` are those of the data, None if there is none; `skipped_lines` are not rows,
    outside the data or within it; `skip_texts` say how those begin that a person stated. Encoding, delimiter,
    quote and escape are None for a workbook.
    """

    file: int
    sheet: str | None
    include: bool
    kind: TableKind
    name: str = ""
    encoding: str | None = None
    delimiter: str | None = None
    quote: str | None = None
    escape: str | None = None
    header_line: int | None = None
    header_lines: int = 0
    first_line: int | None = None
    last_line: int | None = None
    skipped_lines: tuple[int, ...] = ()
    rows: int = 0
    reasons: tuple[Reason, ...] = ()
    skip_texts: tuple[str, ...] = ()

    def as_record(self) -> dict[str, Any]:
        """Return the JSON object."""
        record = asdict(self)
        texts = record.pop("skip_texts")
        return {
            **record,
            **({"skip_texts": list(texts)} if texts else {}),
            "skipped_lines": list(self.skipped_lines[:MAX_SKIPPED_LINES]),
            "reasons": [asdict(reason) for reason in self.reasons],
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "TableReading":
        """Return the reading that the JSON object holds."""
        reasons = tuple(Reason(**reason) for reason in record["reasons"])
        return cls(
            **{
                **record,
                "skipped_lines": tuple(record["skipped_lines"]),
                "reasons": reasons,
                "skip_texts": tuple(record.get("skip_texts", ())),
            }
        )

    def left_out(self, *reasons: Reason) -> "TableReading":
        """Return the reading of a table that is not imported, and why."""
        return replace(self, include=False, reasons=(*self.reasons, *reasons))


@dataclass(frozen=True)
class Reading:
    """How all files and sheets of a job were read, in order; `timezone` applies to times without one."""

    timezone: str
    tables: tuple[TableReading, ...]

    def as_record(self) -> dict[str, Any]:
        """Return the JSON object."""
        return {"timezone": self.timezone, "tables": [table.as_record() for table in self.tables]}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Reading":
        """Return the reading that the JSON object holds."""
        return cls(record["timezone"], tuple(map(TableReading.from_record, record["tables"])))


@dataclass(frozen=True)
class TableWish:
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

    def as_record(self) -> dict[str, Any]:
        """Return the JSON object, with only what is stated."""
        return {
            "file": self.file,
            "sheet": self.sheet,
            **{name: _plain(getattr(self, name)) for name in self.stated},
        }

    def recalled(self) -> "TableWish":
        """Return the wish with what a person stated of such files before, where nothing is stated now."""
        stated = {name: value for name, value in self.known.stated if name not in self.stated}
        return replace(self, **stated)  # type: ignore[arg-type]

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "TableWish":
        """Return the wish that the JSON object holds."""
        return cls(**{**record, "skip_lines": tuple(record.get("skip_lines") or ())})


@dataclass(frozen=True)
class Origins:
    """Labels of columns that name each row's sheet and file, None where there is to be no such column."""

    sheet: str | None = None
    file: str | None = None


@dataclass(frozen=True)
class Wish:
    """What a person states about a job's files and sheets; everything else is inferred.

    `known` is what is known of such files, by the sheet's folded name; None for any other. With `recipe`
    False nothing of it is to be used.
    """

    tables: tuple[TableWish, ...] = ()
    timezone: str | None = None
    origins: Origins = Origins()
    recipe: bool | None = None
    known: Mapping[str | None, Known] = field(default_factory=dict, compare=False)
    _by_place: dict[tuple[int, str | None], TableWish] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_place", {(one.file, one.sheet): one for one in self.tables})

    def of(self, file: int, sheet: str | None = None) -> TableWish:
        """Return the statement about one file or sheet."""
        wish = self._by_place.get((file, sheet)) or TableWish(file, sheet)
        known = self.known.get(fold_label(sheet or "")) or self.known.get(None)
        return replace(wish, known=known) if known else wish

    def as_record(self) -> dict[str, Any]:
        """Return the JSON object."""
        tables = [table.as_record() for table in self.tables]
        record: dict[str, Any] = {"timezone": self.timezone, "tables": tables}
        if self.recipe is not None:
            record["recipe"] = self.recipe
        return record if self.origins == Origins() else {**record, "origin_columns": asdict(self.origins)}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Wish":
        """Return the wish that the JSON object holds."""
        tables = map(TableWish.from_record, record.get("tables") or ())
        origins = Origins(**(record.get("origin_columns") or {}))
        return cls(tuple(tables), record.get("timezone"), origins, record.get("recipe"))


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


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
