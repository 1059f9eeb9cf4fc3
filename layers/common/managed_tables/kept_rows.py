"""What is kept in a company's database so that a load can be taken back, and when it is to be dropped.

Of every load one row of `undoable_jobs`: the range of its rows' ids, and the transaction that wrote them. A
row whose `xmin` is that transaction is as the load left it. What a replacement took away, and the values
that an upsert changed, are in a table of schema `kept_rows` named for the job. The reminders are items of
the catalog, which wake no database.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from psycopg import sql

from managed_tables.catalog.items import Items
from managed_tables.clock import timestamp
from managed_tables.databases.connecting import PgConnection
from managed_tables.databases.statements import execute

# Transaction numbers come round after 2^32: an older `xmin` may be another transaction's.
MAX_XID_AGE = 4_000_000_000
KEPT_AS = (
    "$kept_as"  # the column of what a merge keeps: `changed`, `deleted`, or `revived`, which was not there
)
STAGED_ID = "$staged"  # the column of what an upsert keeps that says which row of the file has changed it


@dataclass(frozen=True)
class Undoable:
    """A load as it can be taken back: `xid` wrote its rows, whose ids are from `first_id` to `last_id`."""

    job_id: str
    table_id: str
    mode: str
    xid: str
    first_id: UUID
    last_id: UUID
    has_kept: bool


def keep_values(connection: PgConnection, job_id: str, query: sql.Composed) -> int:
    """Keep the rows, or ids and values, that the query yields; return how many; make no table for none."""
    made = execute(connection, "CREATE TABLE {} AS {}", kept_table(job_id), query)
    if not made.rowcount:
        execute(connection, "DROP TABLE {}", kept_table(job_id))
    return made.rowcount


def record_undoable(
    connection: PgConnection, job_id: str, table_id: str, mode: str, ids: tuple[UUID, UUID]
) -> None:
    """Let the job be taken back, in its loading transaction; a replacement ends that of earlier ones."""
    if mode == "replace":
        forget_table(connection, table_id)
    connection.execute(
        "INSERT INTO managed_tables.undoable_jobs"
        " (job_id, table_id, mode, xid, database_oid, first_id, last_id, has_kept)"
        " SELECT %s, %s, %s, pg_current_xact_id(), oid, %s, %s, to_regclass(%s) IS NOT NULL"
        " FROM pg_database WHERE datname = current_database()",
        [job_id, table_id, mode, *ids, kept_table(job_id).as_string()],
    )


def lock_undoable(connection: PgConnection, job_id: str, days: int) -> Undoable | None:
    """Return what can be undone of the job, locked until the transaction ends; None if nothing can.

    Nothing can be undone after a move to another database: the rows' `xmin` is that of the move.
    """
    row = connection.execute(
        "SELECT job_id, table_id, mode, xid::xid::text, first_id, last_id, has_kept"
        " FROM managed_tables.undoable_jobs WHERE job_id = %s AND undone_at IS NULL"
        " AND applied_at > now() - %s AND database_oid ="
        " (SELECT oid FROM pg_database WHERE datname = current_database())"
        " AND pg_current_xact_id()::text::numeric - xid::text::numeric BETWEEN 0 AND %s FOR UPDATE",
        [job_id, timedelta(days=days), MAX_XID_AGE],
    ).fetchone()
    return None if row is None else Undoable(*row)


def forget_table(connection: PgConnection, table_id: str) -> None:
    """End what can be taken back of the table's loads, in the caller's transaction.

    So after a replacement, which leaves no row of them, and where the table is written anew by a column's
    change of type: every row has the `xmin` of that. What an upsert changed stays: it is its rows' history.
    """
    connection.execute(
        "UPDATE managed_tables.undoable_jobs SET database_oid = 0"
        " WHERE table_id = %s AND mode = 'upsert' AND has_kept",
        [table_id],
    )
    _drop_kept(
        connection,
        connection.execute(
            "DELETE FROM managed_tables.undoable_jobs WHERE table_id = %s AND undone_at IS NULL"
            " AND NOT (mode = 'upsert' AND has_kept) RETURNING job_id, has_kept",
            [table_id],
        ).fetchall(),
    )


def forget_expired(connection: PgConnection, days: int, history_days: int) -> int:
    """Drop what is kept of older loads, at most 20, and return how many; commits.

    What an upsert has changed is the history of its rows, and is kept as long as that.
    """
    with connection.transaction():
        rows = connection.execute(
            "DELETE FROM managed_tables.undoable_jobs WHERE job_id IN (SELECT job_id"
            " FROM managed_tables.undoable_jobs WHERE applied_at < now()"
            " - CASE WHEN mode = 'upsert' AND has_kept THEN %s ELSE %s END"
            " ORDER BY applied_at LIMIT 20 FOR UPDATE SKIP LOCKED) RETURNING job_id, has_kept",
            [timedelta(days=max(days, history_days)), timedelta(days=days)],
        ).fetchall()
        _drop_kept(connection, rows)
    return len(rows)


def rename_kept_columns(connection: PgConnection, table_id: str, renames: list[tuple[str, str]]) -> None:
    """Rename the columns of the table's kept rows, old to new in order, in the caller's transaction."""
    rows = connection.execute(
        "SELECT job_id FROM managed_tables.undoable_jobs WHERE table_id = %s AND has_kept FOR UPDATE",
        [table_id],
    ).fetchall()
    for (job_id,) in rows:
        names = set(column_names(connection, kept_table(job_id)))
        for old, new in renames:
            if old in names:
                execute(connection, "ALTER TABLE {} RENAME COLUMN {:i} TO {:i}", kept_table(job_id), old, new)
                names = names - {old} | {new}


def drop_kept(connection: PgConnection, job_id: str) -> None:
    """Drop what is kept of the job."""
    execute(connection, "DROP TABLE IF EXISTS {}", kept_table(job_id))


def _drop_kept(connection: PgConnection, rows: list[tuple[str, bool]]) -> None:
    for job_id, has_kept in rows:
        if has_kept:
            drop_kept(connection, job_id)


def kept_table(job_id: str) -> sql.Identifier:
    """Return the name in SQL of the table that keeps rows of before the job."""
    return sql.Identifier("kept_rows", job_id)


def column_names(connection: PgConnection, table: sql.Identifier) -> list[str]:
    """Return the names of a table's columns in PostgreSQL."""
    rows = connection.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"
        " ORDER BY attnum",
        [table.as_string()],
    )
    return [name for (name,) in rows]


_PK = "KEPT"
_PREFIX = "DUE#"


@dataclass(frozen=True)
class Reminder:
    """What is due: the company in whose database something may be kept, and the item's own key."""

    company_id: str
    sk: str


@dataclass(frozen=True)
class Reminders:
    """The reminders in the catalog, over all companies."""

    items: Items

    def add(self, company_id: str, job_id: str, days: int) -> None:
        """Remember that the job may keep rows for `days`; before it does. Repeatable."""
        due = timestamp(datetime.now(UTC) + timedelta(days=days, hours=1))
        sk = f"{_PREFIX}{due}#{company_id}#{job_id}"
        self.items.put({"pk": _PK, "sk": sk, "company_id": company_id})

    def due(self, now: str) -> Iterator[Reminder]:
        """Yield what is due, the oldest first."""
        for item in self.items.query(_PK, _PREFIX):
            if item["sk"][len(_PREFIX) :] > now:
                return
            yield Reminder(item["company_id"], item["sk"])

    def remove(self, reminder: Reminder) -> None:
        """Forget a reminder that was followed."""
        self.items.remove({"pk": _PK, "sk": reminder.sk})
