"""Change a table's columns in PostgreSQL: checked and applied in one transaction, or not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter

from psycopg import sql
from psycopg.errors import ProgramLimitExceeded, TooManyColumns

from managed_tables.conversion.columns import NOT_OF_TYPE
from managed_tables.conversion.times import ORDERS
from managed_tables.databases.applied import count_rows
from managed_tables.databases.connecting import PgConnection
from managed_tables.databases.statements import compose, execute
from managed_tables.details import MAX_VALUE_CHARACTERS, Detail, Fault
from managed_tables.errors import INVALID_SCHEMA, ApiError
from managed_tables.history import record_renames
from managed_tables.kept_rows import forget_table, rename_kept_columns
from managed_tables.messages.sentences import TYPE_NAMES
from managed_tables.schema import POSTGRES_TYPES, Column, ColumnType
from managed_tables.tables.definitions import ColumnPlan, Placed, column_fault, raise_faults
from managed_tables.tables.hidden_columns import hide_columns
from managed_tables.tables.physical import column_definition, column_type, default_value, physical_name
from managed_tables.wording import counted

MAX_VALUES_SHOWN = 20  # over all columns, but of each at least one


@dataclass(frozen=True)
class _Conversion:
    """A column to convert, the reading that fits its values best, and how many it does not fit."""

    placed: Placed
    reading: sql.Composed
    misfits: int


_PlacedFault = tuple[int, Detail]  # of the column of this index


def change_physical_columns(
    connection: PgConnection, table_id: str, display_name: str, plan: ColumnPlan, zone: str
) -> None:
    """Apply the plan, in the transaction that the caller has begun, to the table's kept rows as well.

    A change of type rewrites every row: which of them somebody has changed is lost, and earlier loads can no
    longer be undone. Raises INVALID_SCHEMA, with a detail for each common value that does not convert,
    and for each column where NULLs are in the way; the caller's transaction must then roll back.
    """
    table = physical_name(display_name)
    execute(connection, "LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", table)
    hide_columns(connection, table_id, table, plan.hidden)
    for old, new in plan.renames:
        execute(connection, "ALTER TABLE {} RENAME COLUMN {:i} TO {:i}", table, old, new)
    for placed in plan.converted:  # PostgreSQL would cast the defaults, or refuse to
        execute(connection, "ALTER TABLE {} ALTER COLUMN {:i} DROP DEFAULT", table, placed.column.name)
    # A scan a column: PostgreSQL keeps 32 patterns, and where a row needs more it makes each anew.
    conversions = [_choose_reading(connection, table, placed, zone) for placed in plan.converted]
    faults = list(_missing_values(connection, table_id, table, plan))
    total = len(faults) + sum(conversion.misfits for conversion in conversions)
    faults = sorted([*_misfits(connection, table, conversions), *faults], key=itemgetter(0))
    raise_faults([fault for _, fault in faults], total)
    using = {conversion.placed.column.name: conversion.reading for conversion in conversions}
    actions = [action for placed in plan.placed for action in _actions(placed, using, zone)]
    try:  # as one statement, so that the table is rewritten once at most
        if actions:
            execute(connection, "ALTER TABLE {} {}", table, actions)
    except (TooManyColumns, ProgramLimitExceeded) as error:
        reason = "a tabela passa do que o PostgreSQL comporta (1.600 colunas, contando as ocultas)"
        raise ApiError(INVALID_SCHEMA, reason=reason) from error
    renames = [*plan.hidden.items(), *plan.renames]
    record_renames(connection, table_id, [*plan.conversions, *renames])
    if plan.converted:
        forget_table(connection, table_id)
    rename_kept_columns(connection, table_id, renames)


def _choose_reading(
    connection: PgConnection, table: sql.Identifier, placed: Placed, zone: str
) -> _Conversion:
    """Choose the reading of the column that leaves the fewest values out."""
    column, old = placed.column, placed.old
    found = readings(column.name, old.type if old else column.type, column.type, zone)
    counts = _count_where(connection, table, [_is_misfit(column, reading) for reading in found])
    misfits = min(counts)
    return _Conversion(placed, found[counts.index(misfits)], misfits)


def _misfits(
    connection: PgConnection, table: sql.Identifier, conversions: list[_Conversion]
) -> Iterator[_PlacedFault]:
    """Yield the values that do not convert, the commonest first, and in how many rows each stands."""
    failed = [conversion for conversion in conversions if conversion.misfits]
    limit = max(MAX_VALUES_SHOWN // len(failed), 1) if failed else 0
    for conversion in failed:
        column, index = conversion.placed.column, conversion.placed.index
        misfits = counted(conversion.misfits, "valor não converte", "valores não convertem")
        code = NOT_OF_TYPE[column.type].code if column.type is not ColumnType.TEXT else "NOT_A_TEXT"
        fault = Fault(code, f"{misfits} para {TYPE_NAMES[column.type]}")
        rows = execute(
            connection,
            "SELECT left({:i}::text, {}) AS value, count(*) FROM {} WHERE {}"
            " GROUP BY value ORDER BY count(*) DESC, min(id::text) LIMIT {}",
            column.name,
            MAX_VALUE_CHARACTERS,
            table,
            _is_misfit(column, conversion.reading),
            limit,
        )
        for value, count in rows:
            yield index, column_fault(index, column.name, fault, field="type", value=value, count=count)


def _missing_values(
    connection: PgConnection, table_id: str, table: sql.Identifier, plan: ColumnPlan
) -> Iterator[_PlacedFault]:
    """Yield the columns that are to have a value in every row, and that rows have none for."""
    added = [placed for placed in plan.added if placed.column.is_required]
    rows = count_rows(connection, [table_id])[table_id] if added else 0
    empty = [compose("{:i} IS NULL", placed.column.name) for placed in plan.tightened]
    counts = [*_count_where(connection, table, empty), *(rows for _ in added)]
    for placed, count in zip([*plan.tightened, *added], counts, strict=True):
        if count:
            lines = counted(count, "linha", "linhas")
            new = f"coluna nova obrigatória em uma tabela com {lines}"
            fault = Fault("NOT_NULLABLE", f"{lines} sem valor nesta coluna" if placed.old else new)
            yield placed.index, column_fault(placed.index, placed.column.name, fault, field="nullable")


def _actions(placed: Placed, using: Mapping[str, sql.Composed], zone: str) -> Iterator[sql.Composed]:
    """Yield the actions of ALTER TABLE that make the column what is asked for."""
    column, old, name = placed.column, placed.old, placed.column.name
    if old is None:
        yield compose("ADD COLUMN {}", column_definition(column, zone))
        return
    if placed.is_converted:
        yield compose("ALTER COLUMN {:i} TYPE {} USING {}", name, column_type(column), using[name])
    if column.nullable != old.nullable:
        yield compose("ALTER COLUMN {:i} {} NOT NULL", name, sql.SQL("DROP" if column.nullable else "SET"))
    if column.default != (None if placed.is_converted else old.default):
        yield compose("ALTER COLUMN {:i} SET DEFAULT {}", name, default_value(column, zone))


def _is_misfit(column: Column, reading: sql.Composed) -> sql.Composed:
    return compose("({:i} IS NOT NULL AND {} IS NULL)", column.name, reading)


def _count_where(
    connection: PgConnection, table: sql.Identifier, conditions: list[sql.Composed]
) -> list[int]:
    """Count the rows that meet each condition, in one scan (an array: a row has 1,664 entries at most)."""
    if not conditions:
        return []
    counts = [compose("count(*) FILTER (WHERE {})", condition) for condition in conditions]
    row = execute(connection, "SELECT ARRAY[{}] FROM {}", counts, table).fetchone()
    return list(row[0]) if row else []


_T = ColumnType
_AS_BOOLEAN = "CASE {c:i} WHEN 0 THEN false WHEN 1 THEN true END"

# `{c:i}` is the column and `{zone}` the zone of a time without one. Each gives NULL for a value that the
# other type cannot hold unchanged; several are readings of a whole column, tried in this order.
_READINGS: dict[tuple[ColumnType, ColumnType], tuple[str, ...]] = {
    **{
        (_T.TEXT, new): tuple(f"managed_tables.try_{new}({{c:i}}, {mark})" for mark in ("false", "true"))
        for new in (_T.INTEGER, _T.DECIMAL)
    },
    (_T.TEXT, _T.BOOLEAN): ("managed_tables.try_boolean({c:i})",),
    (_T.TEXT, _T.DATE): tuple(f"managed_tables.try_date({{c:i}}, '{order}')" for order in ORDERS),
    (_T.TEXT, _T.DATETIME): tuple(
        f"managed_tables.try_datetime({{c:i}}, '{order}', {{zone}})" for order in ORDERS
    ),
    **{(old, _T.TEXT): ("{c:i}::text",) for old in (_T.INTEGER, _T.DECIMAL, _T.BOOLEAN, _T.DATE)},
    (_T.DATETIME, _T.TEXT): ("managed_tables.datetime_text(managed_tables.in_calendar({c:i}))",),
    (_T.INTEGER, _T.DECIMAL): ("{c:i}::numeric",),
    (_T.DECIMAL, _T.INTEGER): (
        (
            "CASE WHEN {c:i} = trunc({c:i}) AND {c:i} BETWEEN -9223372036854775808 AND 9223372036854775807"
            " THEN {c:i}::bigint END"
        ),
    ),
    (_T.INTEGER, _T.BOOLEAN): (_AS_BOOLEAN,),
    (_T.DECIMAL, _T.BOOLEAN): (_AS_BOOLEAN,),
    (_T.BOOLEAN, _T.INTEGER): ("{c:i}::int::bigint",),
    (_T.BOOLEAN, _T.DECIMAL): ("{c:i}::int::numeric",),
    (_T.DATE, _T.DATETIME): ("managed_tables.in_calendar({c:i}::timestamp AT TIME ZONE {zone})",),
    (_T.DATETIME, _T.DATE): (
        (
            "CASE WHEN ({c:i} AT TIME ZONE {zone})::time = '00:00'"
            " THEN managed_tables.in_calendar(({c:i} AT TIME ZONE {zone})::date) END"
        ),
    ),
}


def readings(column: str, old: ColumnType, new: ColumnType, zone: str) -> list[sql.Composed]:
    """Return the expressions by which its values may be read as the new type; NULL if none of them can."""
    templates = _READINGS.get((old, new), (f"NULL::{POSTGRES_TYPES[new]}",))
    return [compose(template, c=column, zone=zone) for template in templates]
