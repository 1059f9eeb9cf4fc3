"""The comparison of a table's columns with those that an update asks for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

from managed_tables.details import Detail, DetailCode, Fault
from managed_tables.schema import Column, Columns, ColumnType
from managed_tables.tables.definitions import ColumnChange, check_columns, column_fault, raise_faults


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
    def converted_from(self) -> set[str]:
        """The names that the columns had whose type changes."""
        olds = {new: old for old, new in self.renamed}
        return {olds.get(placed.column.name, placed.column.name) for placed in self.converted}

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
    gone = [column.name for column in current if column.name not in kept]
    return tuple((name, hidden_name(version, index)) for index, name in enumerate(gone))


def _where(
    kept: Sequence[tuple[Placed, Column]], differs: Callable[[Column, Column], bool]
) -> tuple[Placed, ...]:
    return tuple(new for new, old in kept if differs(old, new.column))


def _default_of(column: Column) -> tuple[str | None, ColumnType]:
    """Return the default as PostgreSQL holds it: one of another type is another one."""
    return column.default, column.type if column.default is not None else ColumnType.TEXT


def hidden_name(version: int, index: int) -> str:
    """Return the name of the column that version `version` hides as number `index`: never used twice."""
    return f"hidden${version}_{index}"


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
            fault = Fault(DetailCode.DUPLICATE_NAME, "previous_name repetido")
        else:
            fault = Fault(DetailCode.UNKNOWN_COLUMN, "previous_name não é uma coluna da tabela")
        faults.append(column_fault(index, change.name, fault, field="previous_name"))
    raise_faults(faults)
    return [claimed.get(change.previous_name or "") or free.get(change.name) for change in wanted]
