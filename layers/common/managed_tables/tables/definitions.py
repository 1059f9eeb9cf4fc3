"""Check a table's definition: names, columns, types, each fault named in `details`; apply an update to it.

Its columns are compared with those asked for, the rest is checked.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from operator import attrgetter
from types import EllipsisType
from typing import Any

from pydantic import ConfigDict

from managed_tables import identifiers
from managed_tables.catalog.tables import Applied, Indexes, Key, TableRecord, TableStatus, pack_columns
from managed_tables.details import Detail, DetailCode, Fault, detail, json_path, name_faults, shown_text
from managed_tables.documents.statements import Additions
from managed_tables.errors import INVALID_SCHEMA, TABLE_VERSION_CHANGED, ApiError
from managed_tables.rules.rule import Rule, with_ids
from managed_tables.schema import MAX_LABEL_CHARACTERS, Column, Columns, ColumnType, is_storable
from managed_tables.wording import number

MAX_TITLE_CHARACTERS = 200
MAX_DESCRIPTION_CHARACTERS = 2_000
IDENTIFIER_RULE = (
    "deve ter só letras minúsculas sem acento, algarismos e _, não começar com algarismo e ter no máximo"
    f" {identifiers.MAX_IDENTIFIER_BYTES} caracteres"
)
MAX_KEY_COLUMNS = 32  # of an index of PostgreSQL
MAX_INDEXES = 10
MAX_INDEX_COLUMNS = 3
_WHAT_ROWS_HAVE = attrgetter("name", "type", "nullable", "default")  # of a column; the rest are texts


class ColumnChange(Column):
    """A column as an update asks for it: `previous_name` is the name of the column that it continues."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    previous_name: str | None = None

    def as_column(self, old: Column | None = None) -> Column:
        """Return the column that is asked for; of `old` it keeps what the request does not name.

        The default stays only where it is the same value in the new type, the format where it suits it.
        """
        if old is None:
            return self.column
        unnamed = {"description", "default", "format"} - self.model_fields_set
        is_wider = (old.type, self.type) == (ColumnType.INTEGER, ColumnType.DECIMAL)
        is_text = self.type is ColumnType.TEXT and not old.default_is_now
        if not (self.type is old.type or is_wider or is_text):
            unnamed.discard("default")
        kept = {name: getattr(old, name) for name in unnamed}
        if old.format is not None and not old.format.suits(self.type):
            kept.pop("format", None)
        return self.column.model_copy(update=kept)


def check_table_name(display_name: str) -> None:
    """Raise INVALID_SCHEMA unless a table may have this name."""
    if not identifiers.is_identifier(display_name):
        fault = Fault("INVALID_NAME", IDENTIFIER_RULE)
    elif not identifiers.is_table_name(display_name):
        fault = Fault("RESERVED_NAME", "não pode começar com pg_")
    else:
        return
    found = detail("body", fault, path="display_name", value=shown_text(display_name))
    raise ApiError(INVALID_SCHEMA, [found], reason=f"display_name {fault.reason}")


def check_columns(columns: Sequence[Column]) -> None:
    """Raise INVALID_SCHEMA unless these can be a table's columns; `details` name path and column."""
    if not columns:
        raise ApiError(INVALID_SCHEMA, reason="é preciso ao menos uma coluna")
    if len(columns) > identifiers.MAX_COLUMNS:
        raise ApiError(INVALID_SCHEMA, reason=f"mais de {identifiers.MAX_COLUMNS} colunas")
    details: list[Detail] = []
    seen: set[str] = set()
    for index, column in enumerate(columns):
        found = _fault(column, seen)
        if found:
            field, fault = found
            details.append(column_fault(index, shown_text(column.name), fault, field=field))
        seen.add(column.name)
    raise_faults(details)


def column_fault(index: int, name: str, fault: Fault, *, field: str, **keys: Any) -> Detail:
    """Return the detail about the request's column at `index`; `field` is the wrong field."""
    return detail("body", fault, path=json_path(["columns", index, field]), column=name, **keys)


def raise_faults(details: Sequence[Detail], total: int | None = None) -> None:
    """Raise INVALID_SCHEMA if there are any faults, the first one in its sentence."""
    if details:
        first = details[0]
        name = f' ("{first["column"]}")' if "column" in first else ""
        raise ApiError(INVALID_SCHEMA, details, total, reason=f"{first['path']}{name}: {first['reason']}")


def _fault(column: Column, seen: set[str]) -> tuple[str, Fault] | None:
    """Return which field of the column is wrong, and why."""
    checks: tuple[tuple[bool, str, DetailCode, str], ...] = (
        (not identifiers.is_identifier(column.name), "name", "INVALID_NAME", f"name {IDENTIFIER_RULE}"),
        (column.name in identifiers.RESERVED_COLUMNS, "name", "RESERVED_NAME", "nome reservado"),
        (column.name in seen, "name", "DUPLICATE_NAME", "nome repetido"),
        (not identifiers.is_visible(column.display_name), "display_name", "REQUIRED", "display_name vazio"),
    )
    found = [(field, Fault(code, reason)) for is_wrong, field, code, reason in checks if is_wrong]
    found += _text_faults(
        ("display_name", column.display_name, MAX_LABEL_CHARACTERS),
        ("description", column.description, MAX_DESCRIPTION_CHARACTERS),
    )
    if column.format is not None and not column.format.suits(column.type):
        reason = "format: date é de datas; thousands, decimals, currency e percent, de números"
        found.append(("format", Fault("NOT_ALLOWED", reason)))
    return found[0] if found else None


def _text_faults(*texts: tuple[str, str | None, int]) -> Iterator[tuple[str, Fault]]:
    """Yield the fields whose free text, of so many characters at most, is wrong, and why."""
    for field, text, limit in texts:
        if text and len(text) > limit:
            yield field, Fault("TOO_LONG", f"{field} tem mais de {number(limit)} caracteres")
        elif text and not is_storable(text):
            yield field, Fault("INVALID_CHARACTER", f"{field} tem um caractere que o banco não guarda")
        elif text and not identifiers.is_visible(text):
            yield field, Fault("REQUIRED", f"{field} não tem nenhum caractere visível")


@dataclass(frozen=True)
class Placed:
    """A column as it is to be, its index in the new list (for `details`), and the one that it continues."""

    index: int
    column: Column
    old: Column | None

    @property
    def is_converted(self) -> bool:
        """Whether its values become those of another type."""
        return self.old is not None and self.old.type is not self.column.type

    @property
    def alters(self) -> bool:
        """Whether anything but texts changes."""
        return self.old is None or _WHAT_ROWS_HAVE(self.old) != _WHAT_ROWS_HAVE(self.column)


@dataclass(frozen=True)
class ColumnPlan:
    """What turns a table's columns into others; those that go are `hidden`, by name, under another name."""

    placed: tuple[Placed, ...]
    hidden: Mapping[str, str]

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns as they are to be."""
        return tuple(placed.column for placed in self.placed)

    @property
    def added(self) -> list[Placed]:
        """The columns that continue none."""
        return [placed for placed in self.placed if placed.old is None]

    @property
    def converted(self) -> list[Placed]:
        """The columns whose type changes."""
        return [placed for placed in self.placed if placed.is_converted]

    @property
    def converted_from(self) -> set[str]:
        """The names that the columns had whose type changes."""
        return {placed.old.name for placed in self.converted if placed.old}

    @property
    def conversions(self) -> list[tuple[str, str]]:
        """Renames through the names of the old types, `$text`: kept cells are texts of that type."""
        pairs = [(placed.old.name, f"${placed.old.type}") for placed in self.converted if placed.old]
        return [rename for pair in pairs for rename in (pair, pair[::-1])]

    @property
    def tightened(self) -> list[Placed]:
        """The columns that let NULL in no more."""
        kept = ((placed, placed.old) for placed in self.placed if not placed.column.nullable)
        return [placed for placed, old in kept if old is not None and old.nullable]

    @cached_property
    def renamed(self) -> dict[str, str]:
        """The new names of columns by their old ones."""
        pairs = ((placed.old.name, placed.column.name) for placed in self.placed if placed.old)
        return {old: new for old, new in pairs if old != new}

    @property
    def renames(self) -> list[tuple[str, str]]:
        """Old and new names, to be renamed one by one: through names that nobody has: two may swap."""
        aside = [(old, f"${number}") for number, old in enumerate(self.renamed)]
        return [*aside, *((f"${number}", new) for number, new in enumerate(self.renamed.values()))]

    def follow(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return the new names of columns that stay."""
        return tuple(self.renamed.get(name, name) for name in names)

    @property
    def origins(self) -> dict[str, Column]:
        """The present columns that keep their values, by their new names."""
        kept = ((placed.column.name, placed.old) for placed in self.placed if not placed.is_converted)
        return {name: old for name, old in kept if old is not None}

    @property
    def alters(self) -> bool:
        """Return whether anything but texts and the order changes."""
        return bool(self.hidden) or any(placed.alters for placed in self.placed)


def unchanged(columns: Columns) -> ColumnPlan:
    """Return the plan that leaves the columns as they are."""
    return ColumnPlan(tuple(Placed(index, column, column) for index, column in enumerate(columns)), {})


def _plan_columns(current: Columns, wanted: Sequence[ColumnChange], new_version: int) -> ColumnPlan:
    """Compare the columns by `previous_name`, else by `name`; raises INVALID_SCHEMA naming the faults.

    A name that another column continues by `previous_name` is free for a new column. A missing column is
    hidden under a name that says nothing, and is never used twice: the version that hides it is in it.
    """
    check_columns(wanted)
    olds = _continued(current, wanted)
    pairs = enumerate(zip(wanted, olds, strict=True))
    kept = {old.name for old in olds if old is not None}
    gone = [column.name for column in current if column.name not in kept]
    return ColumnPlan(
        tuple(Placed(index, change.as_column(old), old) for index, (change, old) in pairs),
        {name: f"hidden${new_version}_{index}" for index, name in enumerate(gone)},
    )


def _continued(current: Columns, wanted: Sequence[ColumnChange]) -> list[Column | None]:
    """Return the column that each wanted one continues, None for a new one."""
    free = {column.name: column for column in current}
    claimed: dict[str, Column] = {}
    faults: list[Detail] = []
    for index, change in enumerate(wanted):
        name = change.previous_name
        if name in free:
            claimed[name] = free.pop(name)
        elif name is not None:
            fault = _CLAIMED if name in claimed else _NO_COLUMN
            faults.append(column_fault(index, change.name, fault, field="previous_name"))
    raise_faults(faults)
    return [claimed.get(change.previous_name or "") or free.get(change.name) for change in wanted]


def with_nulls(columns: Columns, opened: Collection[str]) -> list[Column]:
    """Return the columns, those that are opened with NULL let in."""
    return [one.model_copy(update={"nullable": True}) if one.name in opened else one for one in columns]


@dataclass(frozen=True)
class TableChange:
    """An update; None leaves a part as it is, `...` one that None would take away."""

    display_name: str | None = None
    columns: Sequence[ColumnChange] | None = None  # the whole new list
    status: TableStatus | None = None
    added_columns: Columns = ()  # of which those that the table has not, by name, are appended to its own
    unused_columns: Collection[str] = ()  # that the job has added, to be dropped
    job_id: str | None = None  # of the job that adds columns, its own until they hold rows, or drops them
    nullable_columns: Collection[str] = ()  # of the table, that become nullable
    title: str | EllipsisType | None = ...
    description: str | EllipsisType | None = ...
    key: Sequence[str] | EllipsisType | None = ...
    indexes: Sequence[Sequence[str]] | EllipsisType = ...
    history: bool | None = None
    rules: Sequence[Rule] | EllipsisType = ...
    user_id: str | None = None  # who asks for it, for the history of rules
    versions: frozenset[int] | None = None  # of which the table's must be one

    def columns_for(self, present: Columns) -> Sequence[ColumnChange] | None:
        """Return the whole list that is asked of a table with these columns."""
        names = {column.name for column in present}
        added = [column for column in self.added_columns if column.name not in names]
        touched = names & {*self.nullable_columns, *self.unused_columns}
        if self.columns is not None or not (added or touched):
            return self.columns
        kept = with_nulls(
            [one for one in present if one.name not in self.unused_columns], self.nullable_columns
        )
        return [ColumnChange(**column.model_dump()) for column in (*kept, *added)]


def check_texts(title: str | None, description: str | None) -> None:
    """Raise INVALID_SCHEMA unless a table may have these texts."""
    faults = _text_faults(
        ("title", title, MAX_TITLE_CHARACTERS), ("description", description, MAX_DESCRIPTION_CHARACTERS)
    )
    raise_faults([detail("body", fault, path=field) for field, fault in faults])


def put_on(applied: Applied, additions: Additions) -> Applied:
    """Return the definition with the additions; raises INVALID_SCHEMA."""
    changed = _changed(applied, unchanged(applied.columns), TableChange(**{**dict(additions), "rules": ...}))
    return replace(changed, rules=with_ids(additions.rules))


def plan_change(table: TableRecord, change: TableChange) -> tuple[ColumnPlan, Applied]:
    """Return the table after the change; raises INVALID_SCHEMA and TABLE_VERSION_CHANGED."""
    before = table.applied
    if change.versions is not None and before.version not in change.versions:
        raise ApiError(TABLE_VERSION_CHANGED, version=before.version)
    if change.display_name is not None and change.display_name != before.display_name:
        check_table_name(change.display_name)
    plan, columns = unchanged(before.columns), change.columns_for(before.columns)
    if columns is not None:
        plan = _plan_columns(before.columns, columns, before.version + 1)
    pack_columns(plan.columns)  # refuses what the catalog cannot store, before anything begins
    applied = replace(
        _changed(before, plan, change),
        version=before.version + 1,
        display_name=change.display_name or before.display_name,
        status=change.status or before.status,
        history=before.history if change.history is None else change.history,
    )
    return plan, applied


def _changed(before: Applied, plan: ColumnPlan, change: TableChange) -> Applied:
    """Return the definition with the plan's columns, and with texts, key and indexes as the change asks."""
    key, indexes = _key(before, plan, change), _indexes(before, plan, change)
    title = before.title if change.title is ... else change.title or None
    description = before.description if change.description is ... else change.description or None
    check_texts(title, description)
    return replace(
        before, columns=plan.columns, title=title, description=description, key=key, indexes=indexes
    )


def _key(before: Applied, plan: ColumnPlan, change: TableChange) -> Key | None:
    """Return the key that the table is to have; raises INVALID_SCHEMA where it loses one of its columns."""
    if change.key is None:
        return None
    if change.key is not ...:
        raise_faults(list(_list_faults(change.key, "key", MAX_KEY_COLUMNS, plan.columns)))
        return tuple(change.key)
    lost = [name for name in before.key or () if name in plan.hidden]
    raise_faults([detail("body", _IN_KEY, path="columns", column=name) for name in lost])
    return before.key and plan.follow(before.key)


def _indexes(before: Applied, plan: ColumnPlan, change: TableChange) -> Indexes:
    """Return the indexes that the table is to have: those that lose a column go."""
    if change.indexes is not ...:
        raise_faults(list(_index_faults(change.indexes, plan.columns)))
        return tuple(map(tuple, change.indexes))
    return tuple(plan.follow(index) for index in before.indexes if plan.hidden.keys().isdisjoint(index))


def _index_faults(indexes: Sequence[Sequence[str]], columns: Columns) -> Iterator[Detail]:
    if len(indexes) > MAX_INDEXES:
        fault = Fault("TOO_LONG", f"mais de {MAX_INDEXES} índices")
        yield detail("body", fault, path="indexes")
        return
    seen: set[tuple[str, ...]] = set()
    for place, index in enumerate(indexes):
        path = f"indexes[{place}]"
        yield from _list_faults(index, path, MAX_INDEX_COLUMNS, columns)
        if tuple(index) in seen:
            yield detail("body", Fault("REPEATED", "índice repetido"), path=path)
        seen.add(tuple(index))


def _list_faults(names: Sequence[str], path: str, limit: int, columns: Columns) -> Iterator[Detail]:
    """Yield the faults in a list of the table's columns."""
    if not names or len(names) > limit:
        code: DetailCode = "TOO_LONG" if names else "TOO_SHORT"
        yield detail("body", Fault(code, f"deve ter de 1 a {limit} colunas"), path=path)
        return
    yield from name_faults(names, {column.name for column in columns}, f"{path}[{{}}]", _REPEATED)


_IN_KEY = Fault("KEY_COLUMN", "faz parte da chave da tabela: mude a chave antes de tirar a coluna")
_REPEATED = Fault("REPEATED", "coluna repetida")
_CLAIMED = Fault("DUPLICATE_NAME", "previous_name repetido")
_NO_COLUMN = Fault("UNKNOWN_COLUMN", "previous_name não é uma coluna da tabela")
