"""Build and drop a table's indexes: the unique one of its key, and those for filters and sorts.

An index is named for the numbers and types of its columns: a rename keeps it, a change of type makes another.
Indexes that are not in the definition are leftovers.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from psycopg import errors as pg
from psycopg import sql

from managed_tables import exact_json
from managed_tables.catalog.table_records import Applied, Key
from managed_tables.conditions.folding import index_expression
from managed_tables.databases.connecting import PgConnection
from managed_tables.details import Detail, DetailCode, Fault, detail
from managed_tables.errors import DUPLICATE_KEY_ROWS, INVALID_SCHEMA, ApiError
from managed_tables.schema import Column, ColumnType
from managed_tables.tables.physical import physical_name
from managed_tables.wording import counted, named_values

DUPLICATES_SHOWN = 20
VALUE_CHARACTERS = 200  # of a value that is shown

UNIQUE_PREFIX = "unique$"
_PREFIXES = ("index$", UNIQUE_PREFIX)


@dataclass(frozen=True)
class Index:
    """An index as it is to be in PostgreSQL."""

    name: str
    is_unique: bool
    columns: tuple[Column, ...]

    def statement(self, table: sql.Identifier, *, concurrently: bool) -> sql.Composed:
        """Return its CREATE INDEX. In a key an empty value is a value: two empty ones are equal."""
        items = [
            sql.Identifier(column.name) if self.is_unique else index_expression(column)
            for column in self.columns
        ]
        return sql.SQL("CREATE {unique}INDEX {how}{name} ON {table} ({items}){nulls}").format(
            unique=sql.SQL("UNIQUE " if self.is_unique else ""),
            how=sql.SQL("CONCURRENTLY " if concurrently else ""),
            name=sql.Identifier(self.name),
            table=table,
            items=sql.SQL(", ").join(items),
            nulls=sql.SQL(" NULLS NOT DISTINCT" if self.is_unique else ""),
        )


def build_indexes(
    connection: PgConnection, table_id: str, before: Applied, after: Applied, origins: Mapping[str, Column]
) -> None:
    """Build, without keeping writers out, the indexes of `after` that the table `before` can have already.

    `origins` are the current columns, by their new names, that the change leaves alone. Not for use
    in a transaction; repeatable: what an earlier attempt left half-made is dropped and built again. Raises
    DUPLICATE_KEY_ROWS, and INVALID_SCHEMA where a value is too long for an index.
    """
    table = physical_name(before.display_name)
    buildable = [names for names in _lists(after) if all(name in origins for name in names[1])]
    wanted = _indexes(
        connection,
        table_id,
        before.display_name,
        ((is_unique, tuple(origins[name] for name in names)) for is_unique, names in buildable),
    )
    present = _find_present(connection, table_id, before.display_name)
    for index in wanted:
        if present.get(index.name):
            continue
        if index.name in present:
            connection.execute(
                sql.SQL("DROP INDEX CONCURRENTLY IF EXISTS {}").format(sql.Identifier("public", index.name))
            )
        _create(connection, table, index, concurrently=True)


def align_indexes(connection: PgConnection, table_id: str, applied: Applied) -> None:
    """Let the table have the definition's indexes and no others, in the caller's transaction."""
    table = physical_name(applied.display_name)
    by_name = {column.name: column for column in applied.columns}
    lists = ((is_unique, tuple(by_name[name] for name in names)) for is_unique, names in _lists(applied))
    wanted = _indexes(connection, table_id, applied.display_name, lists)
    present = _find_present(connection, table_id, applied.display_name)
    kept = {index.name for index in wanted if present.get(index.name)}
    _drop(connection, present.keys() - kept)
    for index in wanted:
        if index.name not in kept:
            _create(connection, table, index, concurrently=False)


def drop_leftovers(connection: PgConnection, table_id: str, applied: Applied, lock_timeout_ms: int) -> None:
    """Drop the remains of an index that was being built, unless the definition now has it.

    Raises psycopg's LockNotAvailable if others hold the table for longer than the lock timeout.
    """
    if applied.deleted or not _find_present(connection, table_id, applied.display_name):
        return
    with connection.transaction():
        connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(lock_timeout_ms))
        align_indexes(connection, table_id, applied)


def drop_indexes_of(connection: PgConnection, table_id: str, applied: Applied, names: set[str]) -> None:
    """Drop the indexes that hold one of these columns, which are about to be converted."""
    by_name = {column.name: column for column in applied.columns}
    lists = (
        (is_unique, tuple(by_name[name] for name in listed))
        for is_unique, listed in _lists(applied)
        if names.intersection(listed)
    )
    indexes = _indexes(connection, table_id, applied.display_name, lists)
    _drop(connection, {index.name for index in indexes})


def _lists(applied: Applied) -> list[tuple[bool, tuple[str, ...]]]:
    """Return the names of each index's columns, and whether it is the unique one."""
    key = [] if applied.key is None else [(True, applied.key)]
    return [*key, *((False, names) for names in applied.indexes)]


def _indexes(
    connection: PgConnection,
    table_id: str,
    display_name: str,
    lists: Iterable[tuple[bool, tuple[Column, ...]]],
) -> list[Index]:
    """Return the indexes of these columns, named for their numbers in PostgreSQL's catalogue."""
    numbers: dict[str, int] = dict(
        connection.execute(
            "SELECT attname, attnum FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0",
            [physical_name(display_name).as_string()],
        ).fetchall()
    )
    return [
        Index(_name(table_id, is_unique, columns, numbers), is_unique, columns)
        for is_unique, columns in lists
    ]


def _name(table_id: str, is_unique: bool, columns: Sequence[Column], numbers: Mapping[str, int]) -> str:
    held = " ".join(f"{numbers[column.name]}:{column.type.value}" for column in columns)
    digest = hashlib.sha256(held.encode()).hexdigest()[:16]
    return f"{_PREFIXES[is_unique]}{table_id}${digest}"


def _find_present(connection: PgConnection, table_id: str, display_name: str) -> dict[str, bool]:
    """Return the indexes of ours that the table has, and whether each is whole."""
    rows = connection.execute(
        "SELECT relname, indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
        " WHERE indrelid = %s::regclass AND relname LIKE ANY(%s)",
        [physical_name(display_name).as_string(), [f"{prefix}{table_id}$%" for prefix in _PREFIXES]],
    )
    return dict(rows.fetchall())


def _drop(connection: PgConnection, names: Iterable[str]) -> None:
    for name in sorted(names):
        connection.execute(sql.SQL("DROP INDEX IF EXISTS {}").format(sql.Identifier("public", name)))


def _create(connection: PgConnection, table: sql.Identifier, index: Index, *, concurrently: bool) -> None:
    statement = index.statement(table, concurrently=concurrently)
    try:
        if concurrently:
            connection.execute(statement)
        else:
            with connection.transaction():
                connection.execute(statement)
    except pg.UniqueViolation as error:
        raise _duplicates(connection, table, index.columns) from error
    except pg.ProgramLimitExceeded as error:
        names = ", ".join(column.name for column in index.columns)
        reason = f"um texto é longo demais para um índice ou uma chave (colunas: {names})"
        raise ApiError(INVALID_SCHEMA, reason=reason) from error


def _duplicates(connection: PgConnection, table: sql.Identifier, columns: Sequence[Column]) -> ApiError:
    """Return what refuses a key: the first of the values that several rows have."""
    names = sql.SQL(", ").join(sql.Identifier(column.name) for column in columns)
    rows = connection.execute(
        sql.SQL(
            'SELECT "$count", count(*) OVER (), (SELECT row_to_json("$row")::text FROM (SELECT {values})'
            ' AS "$row") FROM (SELECT {names}, count(*) AS "$count" FROM {table} GROUP BY {names}'
            ' HAVING count(*) > 1 ORDER BY {names} LIMIT 100000) AS "$groups" LIMIT {limit}'
        ).format(
            values=sql.SQL(", ").join(map(_shown_value, columns)),
            names=names,
            table=table,
            limit=DUPLICATES_SHOWN,
        )
    ).fetchall()
    details = [
        duplicate_detail([column.name for column in columns], exact_json.loads(values.encode()), count)
        for count, _, values in rows
    ]
    key = ", ".join(column.name for column in columns)
    return ApiError(DUPLICATE_KEY_ROWS, details, rows[0][1] if rows else None, key=key)


def duplicate_detail(key: Key | Sequence[str], values: Mapping[str, object], count: int) -> Detail:
    """Return the detail of one value of the key that several rows have."""
    written = named_values({name: values[name] for name in key})
    fault = Fault(DetailCode.DUPLICATE_KEY, f"{counted(count, 'linha', 'linhas')} com {written}")
    named = {"column": key[0]} if len(key) == 1 else {}
    return detail("body", fault, path="key", value=dict(values), **named)


def _shown_value(column: Column) -> sql.Composed:
    """Return the column's value as the API shows it, a long text cut."""
    name = sql.Identifier(column.name)
    forms = {
        ColumnType.TEXT: sql.SQL("left({name}, {length}) AS {name}"),
        ColumnType.DATETIME: sql.SQL("managed_tables.datetime_text({name}) AS {name}"),
    }
    return forms.get(column.type, sql.SQL("{name}")).format(name=name, length=VALUE_CHARACTERS)
