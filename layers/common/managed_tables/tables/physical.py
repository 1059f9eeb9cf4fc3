"""The tables themselves in PostgreSQL: made, renamed and put away, and their indexes built and dropped.

Their comments say what a table and its columns are called and mean, for other products to read. An index is
named for the numbers and types of its columns: a rename keeps it, a change of type makes another. Indexes
that are not in the definition are leftovers.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import LiteralString, NamedTuple

from psycopg import errors as pg
from psycopg import sql
from psycopg.errors import DuplicateTable

from managed_tables import exact_json
from managed_tables.catalog.tables import Applied
from managed_tables.conditions.composition import index_expression
from managed_tables.databases.applied import record_change, record_new
from managed_tables.databases.connecting import PgConnection
from managed_tables.databases.statements import compose, execute
from managed_tables.details import Fault, detail
from managed_tables.errors import DUPLICATE_KEY_ROWS, DUPLICATE_NAME, INVALID_SCHEMA, ApiError
from managed_tables.history import start_history
from managed_tables.identifiers import ID_COLUMN
from managed_tables.schema import POSTGRES_TYPES, Column, ColumnType
from managed_tables.wording import counted, named_values

_AWAY = "deleted${}"  # the name of a deleted table, by its id
_READER = "{0.info.dbname}_ro"  # of a connection: to it `pg_stats` tells values of each table it may read


def create_table_to_fill(connection: PgConnection, table_id: str, applied: Applied, zone: str) -> None:
    """Make the table and record it at version 1, in the transaction that the caller has begun.

    The table is empty, readable by the read-only role, its key column first; `add_primary_key` completes it:
    sorting the ids of rows afterwards costs half as much as placing each on arrival. Raises Fenced where the
    reservation was released (or the table made) before: the caller's transaction must then roll back.
    """
    record_new(connection, table_id, applied)
    name = physical_name(applied.display_name)
    parts = [column_definition(one, zone) for one in applied.columns]
    try:
        execute(connection, "CREATE TABLE {} ({:i} uuid NOT NULL, {})", name, ID_COLUMN, parts)
    except DuplicateTable as error:
        raise ApiError(DUPLICATE_NAME, name=applied.display_name) from error
    write_comments(connection, applied)


def add_primary_key(connection: PgConnection, table_id: str, display_name: str) -> None:
    """Give the table of `create_table_to_fill` its primary key and its history, in the same transaction."""
    # With `$`, no table that a user names can be in its way; with the id, it stays unique forever.
    name, table = f"key${table_id}", physical_name(display_name)
    execute(connection, "ALTER TABLE {} ADD CONSTRAINT {:i} PRIMARY KEY ({:i})", table, name, ID_COLUMN)
    start_history(connection, table_id, table)


def rename_physical_table(connection: PgConnection, old_name: str, new_name: str) -> None:
    """Rename the table, in the transaction that the caller has begun."""
    try:
        execute(connection, "ALTER TABLE {} RENAME TO {:i}", physical_name(old_name), new_name)
    except DuplicateTable as error:
        raise ApiError(DUPLICATE_NAME, name=new_name) from error


def delete_physical_table(connection: PgConnection, table_id: str, applied: Applied) -> None:
    """Move the table out of the way, named for its id, its rows kept; in the caller's transaction."""
    away = _AWAY.format(table_id)  # renamed before it moves: in neither schema can it be in use
    execute(connection, "ALTER TABLE {} RENAME TO {:i}", physical_name(applied.display_name), away)
    execute(connection, "ALTER TABLE {} SET SCHEMA deleted_tables", physical_name(away))
    execute(connection, "REVOKE ALL ON deleted_tables.{:i} FROM {:i}", away, _READER.format(connection))
    record_change(connection, table_id, replace(applied, deleted=True))
    connection.execute("SELECT managed_tables.conceal_deleted(%s)", [table_id])


def restore_physical_table(connection: PgConnection, table_id: str, applied: Applied, zone: str) -> None:
    """Bring a deleted table back as it is to be now, in the caller's transaction; raises DUPLICATE_NAME."""
    away = _AWAY.format(table_id)
    connection.execute("SELECT managed_tables.rename_deleted(%s, false)", [table_id])
    execute(connection, "ALTER TABLE deleted_tables.{:i} SET SCHEMA public", away)
    execute(connection, "GRANT SELECT ON {} TO {:i}", physical_name(away), _READER.format(connection))
    rename_physical_table(connection, away, applied.display_name)
    table = physical_name(applied.display_name)
    for column in applied.columns:
        if column.default is not None:
            default = default_value(column, zone)
            execute(
                connection, "ALTER TABLE {} ALTER COLUMN {:i} SET DEFAULT {}", table, column.name, default
            )
    write_comments(connection, applied)
    record_change(connection, table_id, applied)


def physical_name(display_name: str) -> sql.Identifier:
    """Return the table's name in SQL."""
    return sql.Identifier("public", display_name)


def column_definition(column: Column, zone: str) -> sql.Composed:
    """Return the column as CREATE TABLE and ADD COLUMN take it; `zone` is that of today's date."""
    definition = compose("{:i} {}", column.name, column_type(column))
    if column.default is not None:
        definition += compose(" DEFAULT {}", default_value(column, zone))
    return definition if column.nullable else definition + sql.SQL(" NOT NULL")


def default_value(column: Column, zone: str) -> sql.Composed:
    """Return the SQL of the column's default: NULL unless it has one."""
    if column.default_is_now and column.type is ColumnType.DATE:
        return compose("(now() AT TIME ZONE {})::date", zone)
    if column.default_is_now:
        return compose("now()")
    return compose("{}::{}", column.default, column_type(column))


def column_type(column: Column) -> sql.SQL:
    """Return the column's type in SQL."""
    return sql.SQL(POSTGRES_TYPES[column.type])


def comment(name: str | None, description: str | None) -> str | None:
    """Return the comment that holds both: the name, and the description below it."""
    return "\n\n".join(text for text in (name, description) if text) or None


def write_comments(connection: PgConnection, applied: Applied) -> None:
    """Give the table and its columns their comments, in the caller's transaction."""
    table = physical_name(applied.display_name)
    statements = [
        compose("COMMENT ON COLUMN {}.{:i} IS {}", table, name, text)
        if name
        else compose("COMMENT ON TABLE {} IS {}", table, text)
        for name, text in comments_of(applied).items()
    ]
    connection.execute(sql.SQL("; ").join(statements))


def comments_of(applied: Applied) -> dict[str, str | None]:
    """Return every comment that the definition gives, by the column's name, the table's by an empty one."""
    columns = {column.name: comment(column.display_name, column.description) for column in applied.columns}
    return {"": comment(applied.title, applied.description), **columns}


DUPLICATES_SHOWN = 20
VALUE_CHARACTERS = 200  # of a value that is shown

_PREFIXES = ("index$", "unique$")


class _Index(NamedTuple):
    """An index as it is to be in PostgreSQL."""

    name: str
    is_unique: bool
    columns: tuple[Column, ...]


def build_indexes(
    connection: PgConnection, table_id: str, before: Applied, after: Applied, origins: Mapping[str, Column]
) -> None:
    """Build, without keeping writers out, the indexes of `after` that the table `before` can have already.

    `origins` are the current columns, by their new names, that the change leaves alone. Not for use
    in a transaction; repeatable: what an earlier attempt left half-made is dropped and built again. Raises
    DUPLICATE_KEY_ROWS, and INVALID_SCHEMA where a value is too long for an index.
    """
    table = physical_name(before.display_name)
    present = _find_present(connection, table_id, table)
    for index in _indexes(connection, table_id, table, after, origins):
        if present.get(index.name) is False:
            execute(connection, "DROP INDEX CONCURRENTLY IF EXISTS {}", physical_name(index.name))
        if not present.get(index.name):
            _create(connection, table, index, concurrently=True)


def align_indexes(connection: PgConnection, table_id: str, applied: Applied) -> None:
    """Let the table have the definition's indexes and no others, in the caller's transaction."""
    table = physical_name(applied.display_name)
    columns = {column.name: column for column in applied.columns}
    wanted = list(_indexes(connection, table_id, table, applied, columns))
    present = _find_present(connection, table_id, table)
    kept = {index.name for index in wanted if present.get(index.name)}
    _drop(connection, present.keys() - kept)
    for index in wanted:
        if index.name not in kept:
            _create(connection, table, index, concurrently=False)


def drop_leftovers(connection: PgConnection, table_id: str, applied: Applied, lock_timeout_ms: int) -> None:
    """Drop the remains of an index that was being built, unless the definition now has it.

    Raises psycopg's LockNotAvailable if others hold the table for longer than the lock timeout.
    """
    if applied.deleted or not _find_present(connection, table_id, physical_name(applied.display_name)):
        return
    with connection.transaction():
        execute(connection, "SET LOCAL lock_timeout = {}", lock_timeout_ms)
        align_indexes(connection, table_id, applied)


def drop_indexes_of(connection: PgConnection, table_id: str, applied: Applied, names: set[str]) -> None:
    """Drop the indexes that hold one of these columns, which are about to be converted."""
    columns = {column.name: column for column in applied.columns}
    indexes = _indexes(connection, table_id, physical_name(applied.display_name), applied, columns)
    held = (index for index in indexes if any(column.name in names for column in index.columns))
    _drop(connection, {index.name for index in held})


def _indexes(
    connection: PgConnection,
    table_id: str,
    table: sql.Identifier,
    applied: Applied,
    columns: Mapping[str, Column],
) -> Iterator[_Index]:
    """Yield the definition's indexes of these columns, named for their numbers in PostgreSQL's catalogue."""
    numbers: dict[str, int] = dict(
        connection.execute(
            "SELECT attname, attnum FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0",
            [table.as_string()],
        ).fetchall()
    )
    for is_unique, names in ((True, applied.key), *((False, names) for names in applied.indexes)):
        if names is not None and columns.keys() >= set(names):
            held = tuple(columns[name] for name in names)
            text = " ".join(f"{numbers[column.name]}:{column.type.value}" for column in held)
            digest = hashlib.sha256(text.encode()).hexdigest()[:16]
            yield _Index(f"{_PREFIXES[is_unique]}{table_id}${digest}", is_unique, held)


def _find_present(connection: PgConnection, table_id: str, table: sql.Identifier) -> dict[str, bool]:
    """Return the indexes of ours that the table has, and whether each is whole."""
    rows = connection.execute(
        "SELECT relname, indisvalid FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid"
        " WHERE indrelid = %s::regclass AND relname LIKE ANY(%s)",
        [table.as_string(), [f"{prefix}{table_id}$%" for prefix in _PREFIXES]],
    )
    return dict(rows.fetchall())


def _drop(connection: PgConnection, names: Iterable[str]) -> None:
    for name in sorted(names):
        execute(connection, "DROP INDEX IF EXISTS {}", physical_name(name))


def _create(connection: PgConnection, table: sql.Identifier, index: _Index, *, concurrently: bool) -> None:
    names = [column.name for column in index.columns]
    parts = sql.SQL("CONCURRENTLY " if concurrently else ""), index.name, table
    if index.is_unique:  # in a key an empty value is a value: two empty ones are equal
        statement = compose("CREATE UNIQUE INDEX {}{:i} ON {} ({:i}) NULLS NOT DISTINCT", *parts, names)
    else:
        items = [index_expression(column) for column in index.columns]
        statement = compose("CREATE INDEX {}{:i} ON {} ({})", *parts, items)
    try:
        with nullcontext() if concurrently else connection.transaction():
            connection.execute(statement)
    except pg.UniqueViolation as error:
        raise _duplicates(connection, table, index.columns) from error
    except pg.ProgramLimitExceeded as error:
        reason = f"um texto é longo demais para um índice ou uma chave (colunas: {', '.join(names)})"
        raise ApiError(INVALID_SCHEMA, reason=reason) from error


def _duplicates(connection: PgConnection, table: sql.Identifier, columns: Sequence[Column]) -> ApiError:
    """Return what refuses a key: the first of the values that several rows have."""
    names = [column.name for column in columns]
    rows = execute(
        connection,
        'SELECT "$count", count(*) OVER (), (SELECT row_to_json("$row")::text FROM (SELECT {values})'
        ' AS "$row") FROM (SELECT {names:i}, count(*) AS "$count" FROM {table} GROUP BY {names:i}'
        ' HAVING count(*) > 1 ORDER BY {names:i} LIMIT 100000) AS "$groups" LIMIT {limit}',
        values=[_shown_value(column) for column in columns],
        names=names,
        table=table,
        limit=DUPLICATES_SHOWN,
    ).fetchall()
    named = {"column": names[0]} if len(names) == 1 else {}
    details = []
    for count, _, text in rows:
        values = exact_json.loads(text.encode())
        written = named_values({name: values[name] for name in names})
        fault = Fault("DUPLICATE_KEY", f"{counted(count, 'linha', 'linhas')} com os valores {written}")
        details.append(detail("body", fault, path="key", value=values, **named))
    total = rows[0][1] if rows else None
    return ApiError(DUPLICATE_KEY_ROWS, details, total, key=", ".join(names))


def _shown_value(column: Column) -> sql.Composed:
    """Return the column's value as the API shows it, a long text cut."""
    forms: dict[ColumnType, LiteralString] = {
        ColumnType.TEXT: "left({name:i}, {length}) AS {name:i}",
        ColumnType.DATETIME: "managed_tables.datetime_text({name:i}) AS {name:i}",
    }
    return compose(forms.get(column.type, "{name:i}"), name=column.name, length=VALUE_CHARACTERS)
