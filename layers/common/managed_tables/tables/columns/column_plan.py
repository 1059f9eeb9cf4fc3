"""The comparison of a table's columns with those that an update asks for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from managed_tables.details import Detail, DetailCode, Fault
from managed_tables.schema import Column, Columns, ColumnType
from managed_tables.tables.definitions import ColumnChange, check_columns, column_fault, raise_column_faults


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
        return any(
            (
                self.renamed,
                self.hidden,
                self.converted,
                self.added,
                self.tightened,
                self.loosened,
                self.redefaulted,
            )
        )


def plan_columns(current: Columns, wanted: Sequence[ColumnChange], new_version: int) -> ColumnPlan:
    """Compare the columns by `previous_name`, else by `name`; raises INVALID_SCHEMA naming the faults.

    A name that another column continues by `previous_name` is free for a new column. A missing column is
    hidden under a name that says nothing, distinct by the version of the table that hides it.
    """
    check_columns(wanted)
    by_name = {column.name: column for column in current}
    sources = _sources(by_name, wanted)
    olds = [by_name.get(source or "") for source in sources]
    placed = list(map(_placed, range(len(olds)), wanted, olds))
    kept = [(new, old) for new, old in zip(placed, olds, strict=True) if old]
    return ColumnPlan(
        columns=tuple(new.column for new in placed),
        renamed=tuple((old.name, new.column.name) for new, old in kept if old.name != new.column.name),
        hidden=_hidden([column.name for column in current if column.name not in sources], new_version),
        converted=_where(_is_converted, kept),
        added=tuple(placed[place] for place, source in enumerate(sources) if source is None),
        tightened=_where(_is_tightened, kept),
        loosened=_where(_is_loosened, kept),
        redefaulted=_where(_is_redefaulted, kept),
    )


def _placed(index: int, change: ColumnChange, old: Column | None) -> Placed:
    column = change.as_column(old)
    return Placed(index, column, old.type if old is not None else column.type)


def _hidden(names: Sequence[str], version: int) -> tuple[tuple[str, str], ...]:
    return tuple((name, hidden_name(version, index)) for index, name in enumerate(names))


def _where(
    differs: Callable[[Column, Column], bool], kept: Sequence[tuple[Placed, Column]]
) -> tuple[Placed, ...]:
    return tuple(new for new, old in kept if differs(old, new.column))


def _is_converted(old: Column, new: Column) -> bool:
    return old.type != new.type


def _is_tightened(old: Column, new: Column) -> bool:
    return old.nullable and not new.nullable


def _is_loosened(old: Column, new: Column) -> bool:
    return new.nullable and not old.nullable


def _is_redefaulted(old: Column, new: Column) -> bool:
    """Return whether PostgreSQL holds another default: one of another type is another one."""
    return _default_of(old) != _default_of(new)


def _default_of(column: Column) -> tuple[str | None, ColumnType]:
    return column.default, column.type if column.default is not None else ColumnType.TEXT


def hidden_name(version: int, index: int) -> str:
    """Return the name of the column that version `version` hides as number `index`: never used twice."""
    return f"hidden${version}_{index}"


def _sources(by_name: dict[str, Column], wanted: Sequence[ColumnChange]) -> list[str | None]:
    """Return the name of the column that each wanted one continues, None for a new one."""
    claimed: set[str] = set()
    faults: list[Detail] = []
    for index, change in enumerate(wanted):
        if change.previous_name is None:
            continue
        if change.previous_name not in by_name:
            fault = Fault(DetailCode.UNKNOWN_COLUMN, "previous_name não é uma coluna da tabela")
        elif change.previous_name in claimed:
            fault = Fault(DetailCode.DUPLICATE_NAME, "previous_name repetido")
        else:
            claimed.add(change.previous_name)
            continue
        faults.append(column_fault(index, change.name, fault, field="previous_name"))
    raise_column_faults(faults)
    return [
        change.previous_name
        or (change.name if change.name in by_name and change.name not in claimed else None)
        for change in wanted
    ]
