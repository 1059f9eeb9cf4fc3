"""Hide columns: move them out of their table, so that its readers do not see them.

Each change that hides columns makes one table in schema `deleted_tables`, `hidden$<table id>$<version>`: the
ids of the rows that had a value, and the values under names that say nothing: the catalogue of PostgreSQL is
everybody's. What they were called is in `managed_tables.hidden_columns`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from psycopg import sql

from managed_tables.databases.connecting import PgConnection, fetch_number
from managed_tables.history.recording import record_renames, set_actor
from managed_tables.identifiers import ID_COLUMN

_ID = sql.Identifier(ID_COLUMN)


class HiddenColumn(NamedTuple):
    """A hidden column: its name in the database, PostgreSQL's type, and what it was called."""

    hidden_name: str
    kind: str
    name: str
    display_name: str
    hidden_at: datetime
    kept: str  # the table that has its values


def hide_columns(
    connection: PgConnection, table_id: str, table: sql.Identifier, hidden: Sequence[tuple[str, str]]
) -> None:
    """Move the columns (name, hidden name) of the table out of it, in the caller's transaction."""
    if not hidden:
        return
    connection.execute(
        "INSERT INTO managed_tables.hidden_columns (table_id, hidden_name, name, display_name)"
        " SELECT table_id, hidden.hidden_name, hidden.name, item ->> 'display_name'"
        " FROM managed_tables.tables, jsonb_array_elements(columns) AS item,"
        " unnest(%s::text[], %s::text[]) AS hidden (name, hidden_name)"
        " WHERE table_id = %s AND item ->> 'name' = hidden.name",
        [*map(list, zip(*hidden, strict=True)), table_id],
    )
    names = [sql.Identifier(name) for name, _ in hidden]
    comma = sql.SQL(", ")
    connection.execute(
        sql.SQL("CREATE TABLE {kept} AS SELECT {id}, {values} FROM {table} WHERE {filled}").format(
            kept=_kept_table(table_id, hidden[0][1]),
            id=_ID,
            values=comma.join(
                sql.SQL("{} AS {}").format(sql.Identifier(name), sql.Identifier(hidden_name))
                for name, hidden_name in hidden
            ),
            table=table,
            filled=sql.SQL(" OR ").join(sql.SQL("{} IS NOT NULL").format(name) for name in names),
        )
    )
    drops = comma.join(sql.SQL("DROP COLUMN {}").format(name) for name in names)
    connection.execute(sql.SQL("ALTER TABLE {} {}").format(table, drops))


def find_hidden_columns(connection: PgConnection, table_id: str) -> list[HiddenColumn]:
    """Return the table's hidden columns, in the order of hiding."""
    rows = connection.execute(
        "SELECT attname, format_type(atttypid, atttypmod), name, display_name, hidden_at, relname"
        " FROM pg_attribute"
        " JOIN pg_class ON pg_class.oid = attrelid JOIN managed_tables.hidden_columns"
        " ON hidden_name = attname AND table_id = %s WHERE relnamespace = 'deleted_tables'::regnamespace"
        " AND starts_with(relname, %s) AND attnum > 0 AND NOT attisdropped ORDER BY attrelid, attnum",
        [table_id, f"hidden${table_id}$"],
    ).fetchall()
    return [HiddenColumn(*row) for row in rows]


def count_kept(connection: PgConnection, hidden: HiddenColumn) -> int:
    """Return how many values are kept of the hidden column."""
    query = sql.SQL("SELECT count({}) FROM {}").format(
        sql.Identifier(hidden.hidden_name), sql.Identifier("deleted_tables", hidden.kept)
    )
    return fetch_number(connection, query)


def bring_back(
    connection: PgConnection, table_id: str, table: sql.Identifier, hidden_name: str, name: str, kind: str
) -> None:
    """Make a hidden column the table's last, nullable, with its values; in the caller's transaction."""
    kept, column = _find_kept(connection, table_id, hidden_name), sql.Identifier(name)
    set_actor(connection, None)  # the values are those of before: no row is changed by anybody
    record_renames(connection, table_id, [(hidden_name, name)])
    connection.execute(sql.SQL("ALTER TABLE {} ADD COLUMN {} {}").format(table, column, sql.SQL(kind)))
    connection.execute(
        sql.SQL(
            "UPDATE {table} AS t SET {column} = kept.{hidden} FROM {kept} AS kept WHERE kept.{id} = t.{id}"
        ).format(table=table, column=column, hidden=sql.Identifier(hidden_name), kept=kept, id=_ID)
    )
    connection.execute(sql.SQL("ALTER TABLE {} DROP COLUMN {}").format(kept, sql.Identifier(hidden_name)))
    connection.execute(
        "DELETE FROM managed_tables.hidden_columns WHERE table_id = %s AND hidden_name = %s",
        [table_id, hidden_name],
    )


def _find_kept(connection: PgConnection, table_id: str, hidden_name: str) -> sql.Identifier:
    row = connection.execute(
        "SELECT relname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid"
        " WHERE relnamespace = 'deleted_tables'::regnamespace AND starts_with(relname, %s) AND attname = %s",
        [f"hidden${table_id}$", hidden_name],
    ).fetchone()
    if row is None:
        raise LookupError(f"no hidden column {hidden_name}")
    return sql.Identifier("deleted_tables", row[0])


def _kept_table(table_id: str, hidden_name: str) -> sql.Identifier:
    version = hidden_name.rpartition("$")[2].partition("_")[0]
    return sql.Identifier("deleted_tables", f"hidden${table_id}${version}")
