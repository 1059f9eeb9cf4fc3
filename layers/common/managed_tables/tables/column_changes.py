"""Owns the change of a table's columns in PostgreSQL: checked and applied in one transaction, or not."""

from dataclasses import dataclass

from psycopg import sql
from psycopg.errors import ProgramLimitExceeded, TooManyColumns

from managed_tables.databases.applied import count_rows
from managed_tables.databases.connecting import PgConnection
from managed_tables.errors import INVALID_SCHEMA, ApiError, Detail
from managed_tables.identifiers import ID_COLUMN
from managed_tables.schema import Column
from managed_tables.tables.column_plan import ColumnPlan, Placed
from managed_tables.tables.conversions import readings
from managed_tables.tables.definitions import raise_column_faults
from managed_tables.tables.physical import column_definition, column_type, physical_name
from managed_tables.wording import counted

MAX_VALUES_SHOWN = 20
MAX_VALUE_CHARACTERS = 200  # a cell of a megabyte would drown the answer


@dataclass(frozen=True)
class _Conversion:
    """A column to convert, the reading that fits its values best, and how many it does not fit."""

    placed: Placed
    reading: sql.Composed
    misfits: int


def change_physical_columns(
    connection: PgConnection, table_id: str, display_name: str, plan: ColumnPlan, zone: str
) -> None:
    """Apply the plan, in the transaction that the caller has begun.

    Raises INVALID_SCHEMA, with one detail a column, where values do not convert or NULLs are in the way;
    the caller's transaction must then roll back.
    """
    table = physical_name(display_name)
    connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(table))
    _rename(connection, table, plan)
    conversions = _choose_readings(connection, table, plan, zone)
    faults = [
        *_misfits(connection, table, conversions),
        *_nulls(connection, table, plan),
        *_missing_values(connection, table_id, plan),
    ]
    raise_column_faults(sorted(faults, key=lambda fault: fault["index"]))
    _alter(connection, table, plan, conversions)


def _rename(connection: PgConnection, table: sql.Identifier, plan: ColumnPlan) -> None:
    """Hide and rename; by way of names that nobody has, so that two columns can change places."""
    for name, hidden in plan.hidden:
        _rename_column(connection, table, name, hidden)
        connection.execute(
            sql.SQL("ALTER TABLE {} ALTER COLUMN {} DROP NOT NULL").format(table, sql.Identifier(hidden))
        )
    for number, (old, _) in enumerate(plan.renamed):
        _rename_column(connection, table, old, f"${number}")
    for number, (_, new) in enumerate(plan.renamed):
        _rename_column(connection, table, f"${number}", new)


def _rename_column(connection: PgConnection, table: sql.Identifier, old: str, new: str) -> None:
    connection.execute(
        sql.SQL("ALTER TABLE {} RENAME COLUMN {} TO {}").format(
            table, sql.Identifier(old), sql.Identifier(new)
        )
    )


def _choose_readings(
    connection: PgConnection, table: sql.Identifier, plan: ColumnPlan, zone: str
) -> list[_Conversion]:
    """Choose, by one scan of the table, the reading of each column that leaves the fewest values out."""
    candidates = [
        (placed, reading)
        for placed in plan.converted
        for reading in readings(placed.column.name, placed.old_type, placed.column.type, zone)
    ]
    misfits = _count_where(
        connection, table, [_is_misfit(placed.column, reading) for placed, reading in candidates]
    )
    chosen: dict[int, _Conversion] = {}
    for (placed, reading), count in zip(candidates, misfits, strict=True):
        best = chosen.get(placed.index)
        if best is None or count < best.misfits:
            chosen[placed.index] = _Conversion(placed, reading, count)
    return list(chosen.values())


def _misfits(connection: PgConnection, table: sql.Identifier, conversions: list[_Conversion]) -> list[Detail]:
    faults: list[Detail] = []
    for conversion in conversions:
        if conversion.misfits:
            column = conversion.placed.column
            rows = connection.execute(
                sql.SQL("SELECT left({}::text, {}) FROM {} WHERE {} ORDER BY {} LIMIT {}").format(
                    sql.Identifier(column.name),
                    MAX_VALUE_CHARACTERS,
                    table,
                    _is_misfit(column, conversion.reading),
                    sql.Identifier(ID_COLUMN),
                    MAX_VALUES_SHOWN,
                )
            )
            misfits = counted(conversion.misfits, "valor não converte", "valores não convertem")
            reason = f"{misfits} para {column.type.value}"
            fault = _fault(conversion.placed, reason, conversion.misfits)
            faults.append(fault | {"values": [value for (value,) in rows]})
    return faults


def _nulls(connection: PgConnection, table: sql.Identifier, plan: ColumnPlan) -> list[Detail]:
    conditions = [
        sql.SQL("{} IS NULL").format(sql.Identifier(placed.column.name)) for placed in plan.tightened
    ]
    counts = _count_where(connection, table, conditions)
    return [
        _fault(placed, f"{counted(count, 'linha', 'linhas')} sem valor nesta coluna", count)
        for placed, count in zip(plan.tightened, counts, strict=True)
        if count
    ]


def _missing_values(connection: PgConnection, table_id: str, plan: ColumnPlan) -> list[Detail]:
    required = [placed for placed in plan.added if not placed.column.nullable]
    count = count_rows(connection, [table_id])[table_id] if required else 0
    reason = f"coluna nova obrigatória em uma tabela com {counted(count, 'linha', 'linhas')}"
    return [_fault(placed, reason, count) for placed in required if count]


def _alter(
    connection: PgConnection, table: sql.Identifier, plan: ColumnPlan, conversions: list[_Conversion]
) -> None:
    """Do the rest as one statement, so that the table is rewritten once at most."""
    actions = [
        *(
            sql.SQL("ALTER COLUMN {} TYPE {} USING {}").format(
                sql.Identifier(conversion.placed.column.name),
                column_type(conversion.placed.column),
                conversion.reading,
            )
            for conversion in conversions
        ),
        *(sql.SQL("ADD COLUMN {}").format(column_definition(placed.column)) for placed in plan.added),
        *(_nullability(placed.column, "SET") for placed in plan.tightened),
        *(_nullability(placed.column, "DROP") for placed in plan.loosened),
    ]
    if not actions:
        return
    try:
        connection.execute(sql.SQL("ALTER TABLE {} {}").format(table, sql.SQL(", ").join(actions)))
    except (TooManyColumns, ProgramLimitExceeded) as error:
        reason = "a tabela passa do que o PostgreSQL comporta (1.600 colunas, contando as ocultas)"
        raise ApiError(INVALID_SCHEMA, reason=reason) from error


def _nullability(column: Column, action: str) -> sql.Composed:
    return sql.SQL(f"ALTER COLUMN {{}} {action} NOT NULL").format(sql.Identifier(column.name))


def _is_misfit(column: Column, reading: sql.Composed) -> sql.Composed:
    return sql.SQL("({} IS NOT NULL AND {} IS NULL)").format(sql.Identifier(column.name), reading)


def _count_where(
    connection: PgConnection, table: sql.Identifier, conditions: list[sql.Composed]
) -> list[int]:
    """Count the rows that meet each condition, in one scan (an array: a row has 1,664 entries at most)."""
    if not conditions:
        return []
    counts = sql.SQL(", ").join(sql.SQL("count(*) FILTER (WHERE {})").format(c) for c in conditions)
    row = connection.execute(sql.SQL("SELECT ARRAY[{}] FROM {}").format(counts, table)).fetchone()
    return list(row[0]) if row else []


def _fault(placed: Placed, reason: str, count: int) -> Detail:
    return {"index": placed.index, "column": placed.column.name, "reason": reason, "count": count}
