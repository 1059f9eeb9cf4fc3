"""Make and migrate our own schema inside a company's database, `managed_tables`."""

from collections.abc import Sequence

from psycopg import sql

from managed_tables.databases.connecting import PgConnection
from managed_tables.databases.conversion_functions import (
    BOUNDED_DECIMALS,
    BOUNDED_TIMES,
    CONVERSION_FUNCTIONS,
)
from managed_tables.databases.reading_schema import CATALOG_VIEWS, CONCEALMENT, HIDDEN_COLUMNS_AND_COMMENTS

_LOCK_KEY = 7_205_759_403  # any number

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

# What a job did to its table: it must be known after the commit, whoever dies then.
_JOB_RESULTS = "ALTER TABLE managed_tables.applied_jobs ADD COLUMN result jsonb"
_TABLE_TEXTS_AND_KEYS = """
    ALTER TABLE managed_tables.tables
        ADD COLUMN title text,
        ADD COLUMN description text,
        ADD COLUMN key jsonb,
        ADD COLUMN indexes jsonb NOT NULL DEFAULT '[]';
"""

# What can be taken back (managed_tables.undo).
_UNDOABLE_JOBS = """
    CREATE SCHEMA IF NOT EXISTS kept_rows;
    CREATE TABLE managed_tables.undoable_jobs (
        job_id text PRIMARY KEY,
        table_id text NOT NULL,
        mode text NOT NULL,
        xid xid8 NOT NULL,
        database_oid oid NOT NULL,
        first_id uuid NOT NULL,
        last_id uuid NOT NULL,
        has_kept boolean NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now(),
        undone_at timestamptz,
        outcome jsonb
    );
    CREATE INDEX ON managed_tables.undoable_jobs (table_id);
    CREATE INDEX ON managed_tables.undoable_jobs (applied_at);
"""

# What an insert with a key was asked to return, to be answered again.
_REQUEST_IDS = "ALTER TABLE managed_tables.applied_requests ADD COLUMN ids uuid[]"
# What an insert with a key did that may have met rows: how many it inserted and updated.
_REQUEST_COUNTS = "ALTER TABLE managed_tables.applied_requests ADD COLUMN counts bigint[]"

# Whose database it is: what a lost catalog is made again from.
_COMPANY = "CREATE TABLE managed_tables.company (company_id text PRIMARY KEY)"
# Columns that a job has added and nobody has filled yet (managed_tables.tables.columns.added_columns).
_ADDED_COLUMNS = """
    CREATE TABLE managed_tables.added_columns (
        table_id text NOT NULL,
        column_name text NOT NULL,
        job_id text NOT NULL,
        PRIMARY KEY (table_id, column_name)
    );
    CREATE INDEX ON managed_tables.added_columns (job_id);
"""

# Each is applied once, in order, in one transaction with its number; a new one goes to the end.
MIGRATIONS: Sequence[str] = (
    _VERSION_1,
    CONVERSION_FUNCTIONS,
    _APPLIED_REQUESTS,
    BOUNDED_DECIMALS,
    _JOB_RESULTS,
    _TABLE_TEXTS_AND_KEYS,
    BOUNDED_TIMES,
    _UNDOABLE_JOBS,
    _REQUEST_IDS,
    CATALOG_VIEWS + HIDDEN_COLUMNS_AND_COMMENTS,
    _REQUEST_COUNTS,
    _COMPANY,
    _ADDED_COLUMNS,
    CONCEALMENT,
)
SCHEMA_VERSION = len(MIGRATIONS)
# The last of them that older code cannot work with; the others only add. While an upgrade goes on, and after
# one that was taken back, older code meets newer databases: one that needs more than it knows it refuses.
NEEDS_SCHEMA = 1


def migrate(connection: PgConnection, reader: str) -> None:
    """Bring the database's own schema to SCHEMA_VERSION and let `reader` read `public`; repeatable."""
    with connection.transaction():
        _take_turn(connection)
        connection.execute("CREATE SCHEMA IF NOT EXISTS catalog")
        row = connection.execute("SELECT coalesce(max(version), 0) FROM managed_tables.migrations").fetchone()
        applied = row[0] if row else 0
        for version, statements in enumerate(MIGRATIONS[applied:], start=applied + 1):
            connection.execute(statements.encode())
            connection.execute("INSERT INTO managed_tables.migrations (version) VALUES (%s)", [version])
        _grant_reading(connection, reader)


def record_company(connection: PgConnection, company_id: str) -> None:
    """Let the database itself say whose it is; repeatable."""
    connection.execute(
        "INSERT INTO managed_tables.company (company_id) VALUES (%s) ON CONFLICT DO NOTHING", [company_id]
    )


def _take_turn(connection: PgConnection) -> None:
    """Wait until no other migration runs in this database, by a lock that nobody else can take.

    The read-only role can take any advisory lock, and keep it: one serves only before there is a table of
    ours, when nobody has that role's password yet.
    """
    row = connection.execute("SELECT to_regclass('managed_tables.migrations') IS NULL").fetchone()
    if row and row[0]:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK_KEY])
        connection.execute("CREATE SCHEMA IF NOT EXISTS managed_tables")
        connection.execute("CREATE SCHEMA IF NOT EXISTS deleted_tables")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS managed_tables.migrations"
            " (version int PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
        )
    connection.execute("LOCK TABLE managed_tables.migrations IN SHARE ROW EXCLUSIVE MODE")


def _grant_reading(connection: PgConnection, reader: str) -> None:
    """Let the read-only role read schema `catalog` and every table of `public`, those to come included."""
    role = sql.Identifier(reader)
    for statement in (
        "GRANT USAGE ON SCHEMA public TO {role}",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}",
        "GRANT USAGE ON SCHEMA catalog TO {role}",
        "GRANT SELECT ON ALL TABLES IN SCHEMA catalog TO {role}",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO {role}",
    ):
        connection.execute(sql.SQL(statement).format(role=role))
