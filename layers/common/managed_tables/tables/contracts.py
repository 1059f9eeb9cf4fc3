"""Keep what the contract is called that a table was made by."""

from collections.abc import Mapping
from typing import Any

from psycopg.types.json import Jsonb

from managed_tables.databases.connecting import PgConnection


def find_identity(connection: PgConnection, table_id: str) -> dict[str, Any] | None:
    """Return what the table's contract is called; None where the table was made by none."""
    row = connection.execute(
        "SELECT identity FROM managed_tables.contracts WHERE table_id = %s", [table_id]
    ).fetchone()
    return row[0] if row else None


def keep_identity(connection: PgConnection, table_id: str, identity: Mapping[str, Any]) -> None:
    """Keep it, in the place of another."""
    connection.execute(
        "INSERT INTO managed_tables.contracts (table_id, identity) VALUES (%s, %s)"
        " ON CONFLICT (table_id) DO UPDATE SET identity = excluded.identity",
        [table_id, Jsonb(dict(identity))],
    )
