"""Columns that a job has added and not filled yet: they go where the job ends without its rows.

What is recorded is a claim: it ends when rows are loaded with the column, by whichever job, and when a user
states the table's columns.
"""

from collections.abc import Sequence

from psycopg import sql

from managed_tables.databases.connecting import PgConnection
from managed_tables.tables.physical import physical_name


class ColumnsInUse(Exception):  # noqa: N818 - an outcome, not a fault
    """The columns hold values, or are no longer the job's to take back."""


def record_added(connection: PgConnection, table_id: str, job_id: str, names: Sequence[str]) -> None:
    """Record, in the transaction that adds them, that these columns are the job's."""
    connection.execute(
        "INSERT INTO managed_tables.added_columns (table_id, column_name, job_id)"
        " SELECT %s, unnest(%s::text[]), %s ON CONFLICT (table_id, column_name)"
        " DO UPDATE SET job_id = excluded.job_id",
        [table_id, list(names), job_id],
    )


def forget_added(connection: PgConnection, table_id: str, names: Sequence[str] | None = None) -> None:
    """End the claims on these columns of the table, or on all of them."""
    connection.execute(
        "DELETE FROM managed_tables.added_columns"
        " WHERE table_id = %s AND (%s::text[] IS NULL OR column_name = ANY(%s))",
        [table_id, None if names is None else list(names), None if names is None else list(names)],
    )


def find_added(connection: PgConnection, job_id: str) -> tuple[str, list[str]] | None:
    """Return the table and the names of the columns that the job has added and nobody uses."""
    rows = connection.execute(
        "SELECT table_id, column_name FROM managed_tables.added_columns WHERE job_id = %s ORDER BY 2",
        [job_id],
    ).fetchall()
    return (rows[0][0], [name for _, name in rows]) if rows else None


def _are_of(connection: PgConnection, table_id: str, job_id: str, names: Sequence[str]) -> bool:
    added = find_added(connection, job_id)
    return added is not None and added[0] == table_id and set(names) <= set(added[1])


def drop_added(
    connection: PgConnection, table_id: str, display_name: str, job_id: str, names: Sequence[str]
) -> None:
    """Drop the job's columns in the caller's transaction; raises ColumnsInUse where one is in use."""
    table = physical_name(display_name)
    connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(table))
    columns = [sql.Identifier(name) for name in names]
    filled = sql.SQL(" OR ").join(sql.SQL("{} IS NOT NULL").format(column) for column in columns)
    used = connection.execute(sql.SQL("SELECT EXISTS (SELECT FROM {} WHERE {})").format(table, filled))
    if used.fetchone() != (False,) or not _are_of(connection, table_id, job_id, names):
        raise ColumnsInUse(table_id)
    drops = sql.SQL(", ").join(sql.SQL("DROP COLUMN {}").format(column) for column in columns)
    connection.execute(sql.SQL("ALTER TABLE {} {}").format(table, drops))
    forget_added(connection, table_id, names)
