"""Fence a table's operations by its version: one that is slow or dead finds itself shut out.

The version in `managed_tables.tables` goes up in the transaction that changes the table. An operation begins
from a version and commits only if that still holds; whoever raises it shuts the operation out. When others do
is a matter of `tables.reconciliation`.
"""

from psycopg import sql
from psycopg.errors import LockNotAvailable

from managed_tables.catalog.table_records import Applied
from managed_tables.databases.applied import find_applied, stored_definition
from managed_tables.databases.connecting import PgConnection

AT_ONCE_MS = 20  # for a lock that is free: a busy server takes a moment to give it


class Fenced(Exception):  # noqa: N818 - an outcome, not a fault
    """The table is no longer at the version from which the operation began; nothing was changed."""


def record_new(connection: PgConnection, table_id: str, applied: Applied) -> None:
    """Record a table at version 1; raises Fenced where its making was given up, or done, before."""
    made = connection.execute(
        "INSERT INTO managed_tables.tables"
        " (table_id, version, display_name, status, columns, title, description, key, indexes)"
        " VALUES (%s, 1, %s, 'active', %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
        [table_id, applied.display_name, *stored_definition(applied)],
    )
    if made.rowcount == 0:
        raise Fenced(table_id)


def lock_version(connection: PgConnection, table_id: str, base_version: int) -> None:
    """Hold the table's record until the transaction ends; raises Fenced unless it is at this version."""
    row = connection.execute(
        "SELECT version FROM managed_tables.tables WHERE table_id = %s AND deleted_at IS NULL FOR UPDATE",
        [table_id],
    ).fetchone()
    if row is None or row[0] != base_version:
        raise Fenced(table_id)


def fence(connection: PgConnection, table_id: str, base_version: int) -> Applied:
    """Shut out operations that began from this version and have not committed; return what is applied.

    Waits for an operation that is inside its transaction, within the session's lock timeout.
    """
    _shut_out(connection, table_id, base_version)
    return _get_applied(connection, table_id)


def fence_at_once(connection: PgConnection, table_id: str, base_version: int) -> Applied | None:
    """Do as `fence` does where nobody has to be waited for; None where somebody holds the record."""
    try:
        with connection.transaction():
            connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(AT_ONCE_MS))
            _shut_out(connection, table_id, base_version)
    except LockNotAvailable:
        return None
    return _get_applied(connection, table_id)


def _shut_out(connection: PgConnection, table_id: str, base_version: int) -> None:
    if base_version == 0:
        connection.execute(
            "INSERT INTO managed_tables.tables (table_id, version, display_name, status, columns, deleted_at)"
            " VALUES (%s, 1, '', 'inactive', '[]', now()) ON CONFLICT DO NOTHING",
            [table_id],
        )
    else:
        connection.execute(
            "UPDATE managed_tables.tables SET version = version + 1 WHERE table_id = %s AND version = %s",
            [table_id, base_version],
        )


def _get_applied(connection: PgConnection, table_id: str) -> Applied:
    applied = find_applied(connection, table_id)
    if applied is None:
        raise LookupError(f"the database knows no table {table_id}")
    return applied
