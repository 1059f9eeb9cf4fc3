"""Apply an update to a table's definition: its columns compared with those asked for, the rest checked."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from enum import Enum
from typing import Final

from managed_tables.catalog.tables import Applied, Indexes, Key, TableRecord, TableStatus, pack_columns
from managed_tables.details import Detail, DetailCode, Fault, detail, name_faults
from managed_tables.documents.confirmations import Additions
from managed_tables.errors import TABLE_VERSION_CHANGED, ApiError
from managed_tables.schema import Column, Columns, ColumnType
from managed_tables.tables.definitions import (
    MAX_DESCRIPTION_CHARACTERS,
    MAX_TITLE_CHARACTERS,
    ColumnChange,
    check_columns,
    check_table_name,
    column_fault,
    raise_faults,
    text_fault,
)

MAX_KEY_COLUMNS = 32  # of an index of PostgreSQL
MAX_INDEXES = 10
MAX_INDEX_COLUMNS = 3


@dataclass(frozen=True)
class Placed:
    """A wanted column, its index in the new list (for `details`), and the type that it had."""

    index: int
    column: Column
    old_type: ColumnType


@dataclass(frozen=True)
class ColumnPlan:
    """What turns a table's columns into `columns`, all of it named by the new names."""

    columns: tuple[Column, ...]
    renamed: tuple[tuple[str, str], ...] = ()
    hidden: tuple[tuple[str, str], ...] = ()
    converted: tuple[Placed, ...] = ()
    added: tuple[Placed, ...] = ()
    tightened: tuple[Placed, ...] = ()
    loosened: tuple[Placed, ...] = ()
    redefaulted: tuple[Placed, ...] = ()

    @property
    def renames(self) -> list[tuple[str, str]]:
        """Old and new names, to be renamed one by one: through names that nobody has: two may swap."""
        aside = [(old, f"${number}") for number, (old, _) in enumerate(self.renamed)]
        return [*aside, *((f"${number}", new) for number, (_, new) in enumerate(self.renamed))]

    @property
    def converted_from(self) -> set[str]:
        """The names that the columns had whose type changes."""
        olds = {new: old for old, new in self.renamed}
        return {olds.get(placed.column.name, placed.column.name) for placed in self.converted}

    def follow(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return the new names of columns that stay."""
        renamed = dict(self.renamed)
        return tuple(renamed.get(name, name) for name in names)

    def origins(self, current: Columns) -> dict[str, Column]:
        """Return the present columns that keep their values, by their new names."""
        gone = self.converted_from | {name for name, _ in self.hidden}
        renamed = dict(self.renamed)
        return {renamed.get(c.name, c.name): c for c in current if c.name not in gone}

    @property
    def alters(self) -> bool:
        """Return whether anything but texts and the order changes."""
        return any(getattr(self, part.name) for part in fields(self) if part.name != "columns")


def plan_columns(current: Columns, wanted: Sequence[ColumnChange], new_version: int) -> ColumnPlan:
    """Compare the columns by `previous_name`, else by `name`; raises INVALID_SCHEMA naming the faults.

    A name that another column continues by `previous_name` is free for a new column. A missing column is
    hidden under a name that says nothing, distinct by the version of the table that hides it.
    """
    check_columns(wanted)
    olds = _continued(current, wanted)
    placed = list(map(_placed, range(len(olds)), wanted, olds))
    kept = [(new, old) for new, old in zip(placed, olds, strict=True) if old]
    return ColumnPlan(
        columns=tuple(new.column for new in placed),
        renamed=tuple((old.name, new.column.name) for new, old in kept if old.name != new.column.name),
        hidden=_hidden(current, {old.name for _, old in kept}, new_version),
        converted=_where(kept, lambda old, new: old.type != new.type),
        added=tuple(new for new, old in zip(placed, olds, strict=True) if old is None),
        tightened=_where(kept, lambda old, new: old.nullable and not new.nullable),
        loosened=_where(kept, lambda old, new: new.nullable and not old.nullable),
        redefaulted=_where(kept, lambda old, new: _default_of(old) != _default_of(new)),
    )


def _placed(index: int, change: ColumnChange, old: Column | None) -> Placed:
    column = change.as_column(old)
    return Placed(index, column, old.type if old is not None else column.type)


def _hidden(current: Columns, kept: set[str], version: int) -> tuple[tuple[str, str], ...]:
    """Return the columns that go, with names that are never used twice."""
    gone = [column.name for column in current if column.name not in kept]
    return tuple((name, f"hidden${version}_{index}") for index, name in enumerate(gone))


def _where(
    kept: Sequence[tuple[Placed, Column]], differs: Callable[[Column, Column], bool]
) -> tuple[Placed, ...]:
    return tuple(new for new, old in kept if differs(old, new.column))


def _default_of(column: Column) -> tuple[str | None, ColumnType]:
    """Return the default as PostgreSQL holds it: one of another type is another one."""
    return column.default, column.type if column.default is not None else ColumnType.TEXT


def _continued(current: Columns, wanted: Sequence[ColumnChange]) -> list[Column | None]:
    """Return the column that each wanted one continues, None for a new one."""
    free = {column.name: column for column in current}
    claimed: dict[str, Column] = {}
    faults: list[Detail] = []
    for index, change in enumerate(wanted):
        name = change.previous_name
        if name is None:
            continue
        if name in free:
            claimed[name] = free.pop(name)
            continue
        if name in claimed:
            fault = Fault("DUPLICATE_NAME", "previous_name repetido")
        else:
            fault = Fault("UNKNOWN_COLUMN", "previous_name não é uma coluna da tabela")
        faults.append(column_fault(index, change.name, fault, field="previous_name"))
    raise_faults(faults)
    return [claimed.get(change.previous_name or "") or free.get(change.name) for change in wanted]


class Keep(Enum):
    """What is not named in a request, where null would mean to take it away."""

    KEEP = "keep"


KEEP: Final = Keep.KEEP


def with_nulls(columns: Columns, opened: Collection[str]) -> list[Column]:
    """Return the columns, those that are opened with NULL let in."""
    return [one.model_copy(update={"nullable": True}) if one.name in opened else one for one in columns]


@dataclass(frozen=True)
class TableChange:
    """An update; None (KEEP for optional parts) leaves a part as it is.

    `columns` is the whole new list. Of `added_columns` those that the table has not, by name, are appended to
    the current list, in which `nullable_columns` become nullable; those of a job (`job_id`) are its own
    to take back until they hold rows. The table's version must be one of `versions`.
    """

    display_name: str | None = None
    columns: Sequence[ColumnChange] | None = None
    status: TableStatus | None = None
    added_columns: Columns = ()
    unused_columns: Collection[str] = ()  # that the job has added, to be dropped
    job_id: str | None = None  # of the job that adds columns, or whose columns are dropped
    nullable_columns: Collection[str] = ()
    title: str | Keep | None = KEEP
    description: str | Keep | None = KEEP
    key: Sequence[str] | Keep | None = KEEP
    indexes: Sequence[Sequence[str]] | Keep = KEEP
    history: bool | None = None
    versions: frozenset[int] | None = None

    @property
    def builds_indexes(self) -> bool:
        """Return whether indexes may have to be built, which takes its time."""
        return self.key not in (None, KEEP) or self.indexes is not KEEP

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
    wanted = (
        ("title", title, MAX_TITLE_CHARACTERS),
        ("description", description, MAX_DESCRIPTION_CHARACTERS),
    )
    faults = [(field, text_fault(field, text, limit)) for field, text, limit in wanted]
    raise_faults([detail("body", fault, path=field) for field, fault in faults if fault])


def put_on(applied: Applied, additions: Additions) -> Applied:
    """Return the definition with the additions; raises INVALID_SCHEMA."""
    return _changed(applied, ColumnPlan(applied.columns), TableChange(**dict(additions)))


def plan_change(table: TableRecord, change: TableChange) -> tuple[ColumnPlan, Applied]:
    """Return the table after the change; raises INVALID_SCHEMA and TABLE_VERSION_CHANGED."""
    before = table.applied
    if change.versions is not None and before.version not in change.versions:
        raise ApiError(TABLE_VERSION_CHANGED, version=before.version)
    if change.display_name is not None and change.display_name != before.display_name:
        check_table_name(change.display_name)
    plan, columns = ColumnPlan(before.columns), change.columns_for(before.columns)
    if columns is not None:
        plan = plan_columns(before.columns, columns, before.version + 1)
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
    title = before.title if change.title is KEEP else change.title or None
    description = before.description if change.description is KEEP else change.description or None
    check_texts(title, description)
    return replace(
        before, columns=plan.columns, title=title, description=description, key=key, indexes=indexes
    )


def _key(before: Applied, plan: ColumnPlan, change: TableChange) -> Key | None:
    """Return the key that the table is to have; raises INVALID_SCHEMA where it loses one of its columns."""
    if change.key is None:
        return None
    if change.key is not KEEP:
        raise_faults(list(_list_faults(change.key, "key", MAX_KEY_COLUMNS, plan.columns)))
        return tuple(change.key)
    lost = [name for name in before.key or () if name in dict(plan.hidden)]
    raise_faults([detail("body", _IN_KEY, path="columns", column=name) for name in lost])
    return before.key and plan.follow(before.key)


def _indexes(before: Applied, plan: ColumnPlan, change: TableChange) -> Indexes:
    """Return the indexes that the table is to have: those that lose a column go."""
    if change.indexes is not KEEP:
        raise_faults(list(_index_faults(change.indexes, plan.columns)))
        return tuple(map(tuple, change.indexes))
    hidden = dict(plan.hidden)
    return tuple(plan.follow(index) for index in before.indexes if hidden.keys().isdisjoint(index))


def _index_faults(indexes: Sequence[Sequence[str]], columns: Columns) -> Iterator[Detail]:
    if len(indexes) > MAX_INDEXES:
        fault = Fault("TOO_LONG", f"mais de {MAX_INDEXES} índices")
        yield detail("body", fault, path="indexes")
        return
    seen: set[tuple[str, ...]] = set()
    for number, index in enumerate(indexes):
        path = f"indexes[{number}]"
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
