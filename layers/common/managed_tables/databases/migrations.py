"""Owns our own schema inside a company's database, `managed_tables`, and how it moves to a new version."""

from collections.abc import Sequence

from psycopg import sql

from managed_tables.databases.connecting import PgConnection
from managed_tables.databases.conversion_functions import BOUNDED_DECIMALS, CONVERSION_FUNCTIONS

_LOCK_KEY = 7_205_759_403  # any number: one migration at a time in one database

_VERSION_1 = """
    CREATE TABLE managed_tables.tables (
        table_id text PRIMARY KEY,
        version bigint NOT NULL,
        display_name text NOT NULL,
        status text NOT NULL,
        columns jsonb NOT NULL,
        deleted_at timestamptz
    );
    CREATE TABLE managed_tables.row_counts (
        table_id text NOT NULL,
        slot smallint NOT NULL,
        row_count bigint NOT NULL,
        PRIMARY KEY (table_id, slot)
    ) WITH (fillfactor = 50);
    CREATE TABLE managed_tables.applied_jobs (
        job_id text PRIMARY KEY,
        table_id text NOT NULL,
        row_count bigint NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
    );
"""

_APPLIED_REQUESTS = """
    CREATE TABLE managed_tables.applied_requests (
        table_id text NOT NULL,
        idempotency_key text NOT NULL,
        fingerprint text NOT NULL,
        row_count bigint NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now(),
        PRIMARY KEY (table_id, idempotency_key)
    );
    CREATE INDEX ON managed_tables.applied_requests (applied_at);
"""

# Each is applied once, in order, in one transaction with its number; a new one goes to the end.
MIGRATIONS: Sequence[str] = (_VERSION_1, CONVERSION_FUNCTIONS, _APPLIED_REQUESTS, BOUNDED_DECIMALS)
SCHEMA_VERSION = len(MIGRATIONS)


def migrate(connection: PgConnection, reader: str) -> None:
    """Bring the database's own schema to SCHEMA_VERSION and let `reader` read `public`; repeatable."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK_KEY])
        connection.execute("CREATE SCHEMA IF NOT EXISTS managed_tables")
        connection.execute("CREATE SCHEMA IF NOT EXISTS deleted_tables")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS managed_tables.migrations"
            " (version int PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        row = connection.execute("SELECT coalesce(max(version), 0) FROM managed_tables.migrations").fetchone()
        applied = row[0] if row else 0
        for version, statements in enumerate(MIGRATIONS[applied:], start=applied + 1):
            connection.execute(statements.encode())
            connection.execute("INSERT INTO managed_tables.migrations (version) VALUES (%s)", [version])
        _grant_reading(connection, reader)


def _grant_reading(connection: PgConnection, reader: str) -> None:
    """Let the read-only role read every table of `public`, those to come included, and nothing else."""
    role = sql.Identifier(reader)
    for statement in (
        "GRANT USAGE ON SCHEMA public TO {role}",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {role}",
    ):
        connection.execute(sql.SQL(statement).format(role=role))
