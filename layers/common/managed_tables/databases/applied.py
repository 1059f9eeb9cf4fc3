"""Keep what a company's database has applied: of each table its definition, of each job its load."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from psycopg import sql
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from managed_tables import exact_json
from managed_tables.catalog.job_records import JobRecord, LoadResult
from managed_tables.catalog.tables import Applied, write_rules
from managed_tables.databases.connecting import PgConnection
from managed_tables.databases.statements import compose, execute
from managed_tables.errors import JOB_CANCELLED, JOB_FAULT, JobError
from managed_tables.schema import Column

_UNDONE_WITHIN_MS = 5_000  # a session that is ended undoes what it has done, which takes a moment
COUNT_SLOTS = 16  # of a table's row counts: writers of one table do not queue for one row

_SHUT_OUT = -1  # as a job's number of rows: it has loaded none, and never will; its result says why
_CANCELLED = -2  # the same in 0.2.0, whose result did not say why


@dataclass(frozen=True)
class AppliedJob:
    """What a job has loaded, committed with its rows."""

    table_id: str
    result: LoadResult


def find_applied(connection: PgConnection, table_id: str) -> Applied | None:
    """Return the definition of the table that the database has applied."""
    with connection.cursor(row_factory=dict_row) as cursor:
        row = cursor.execute(
            "SELECT version, display_name, status, columns, deleted_at IS NOT NULL AS deleted,"
            " title, description, key, indexes, history, rules::text FROM managed_tables.tables"
            " WHERE table_id = %s",
            [table_id],
        ).fetchone()
    if row is None:
        return None
    return Applied.read({**row, "columns": tuple(map(Column.model_validate, row["columns"]))})


def record_change(connection: PgConnection, table_id: str, applied: Applied) -> None:
    """Record the table as it is now, or deleted, one version further; the version is locked already."""
    connection.execute(
        "UPDATE managed_tables.tables SET version = version + 1, display_name = %s, columns = %s, title = %s,"
        " description = %s, key = %s, indexes = %s, rules = %s::jsonb, status = %s, history = %s,"
        " deleted_at = CASE WHEN %s THEN now() END WHERE table_id = %s",
        [*_stored(applied), applied.status, applied.history, applied.deleted, table_id],
    )


def _stored(applied: Applied) -> tuple[object, ...]:
    """Return name, columns, texts, key, indexes and rules as `managed_tables.tables` holds them."""
    columns = Jsonb([column.as_document() for column in applied.columns])
    key, rules = None if applied.key is None else Jsonb(applied.key), write_rules(applied.rules)
    texts = applied.title, applied.description
    return applied.display_name, columns, *texts, key, Jsonb(applied.indexes), rules


def find_applied_job(connection: PgConnection, job_id: str) -> AppliedJob | None:
    """Return what the job has loaded, None if nothing yet; raises JobError where it was shut out."""
    row = connection.execute(
        "SELECT table_id, row_count, result FROM managed_tables.applied_jobs WHERE job_id = %s", [job_id]
    ).fetchone()
    if row is None:
        return None
    table_id, row_count, result = row
    if row_count < 0 and result is None:  # of 0.2.0
        raise JobError(JOB_CANCELLED if row_count == _CANCELLED else JOB_FAULT)
    if row_count < 0:
        raise JobError.from_record(exact_json.loads(result.encode()))
    return AppliedJob(table_id, LoadResult(**result) if result else LoadResult(inserted=row_count))


def claim_job(connection: PgConnection, job_id: str, table_id: str) -> bool:
    """Take the job's place once no other run is loading; False where it is loaded, or shut out, already."""
    made = connection.execute(
        "INSERT INTO managed_tables.applied_jobs (job_id, table_id, row_count) VALUES (%s, %s, 0)"
        " ON CONFLICT DO NOTHING",
        [job_id, table_id],
    )
    return made.rowcount == 1


def record_result(
    connection: PgConnection, job: JobRecord, files: Sequence[str], ids: tuple[UUID, UUID], result: LoadResult
) -> None:
    """Record a load's result, files, range of ids and place among the changes of rows, in its transaction."""
    connection.execute(
        "UPDATE managed_tables.applied_jobs SET row_count = %s, result = %s, mode = %s, files = %s,"
        " user_id = %s, first_id = %s, last_id = %s,"
        " change_id = nextval(pg_get_serial_sequence('managed_tables.row_history', 'change_id'))"
        " WHERE job_id = %s",
        [
            result.row_count - result.rejected,
            Jsonb(result.as_record()),
            job.mode,
            Jsonb(list(files)),
            job.user_id,
            *ids,
            job.job_id,
        ],
    )


def shut_out_job(
    connection: PgConnection, job_id: str, table_id: str, error: JobError, *, interrupts: bool = False
) -> AppliedJob | JobError:
    """Return what the job has loaded; if nothing, shut it out, so that it never will, and return why.

    That is the error with which it was shut out first. Waits for a run that is loading at this moment, within
    the session's lock timeout; or `interrupts` it: its session is terminated, and PostgreSQL decides whether
    its commit was first, since no session is terminated during one.
    """
    if interrupts:
        connection.execute(
            "SELECT pg_terminate_backend(pid, %s) FROM pg_stat_activity"
            " WHERE usename = current_user AND application_name = %s",
            [_UNDONE_WITHIN_MS, loader_name(job_id)],
        )
    # As text in JSON: jsonb takes no NUL and no half of a character, which the values of an error may have.
    record = Jsonb(exact_json.dumps(error.as_record()).decode())
    connection.execute(
        "INSERT INTO managed_tables.applied_jobs (job_id, table_id, row_count, result)"
        " VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
        [job_id, table_id, _SHUT_OUT, record],
    )
    try:
        return find_applied_job(connection, job_id) or error
    except JobError as first:
        return first


def loader_name(job_id: str) -> str:
    """Return the name by which the sessions of a job's loads are known."""
    return f"managed-tables load {job_id}"


def count_rows(connection: PgConnection, table_ids: Sequence[str]) -> dict[str, int]:
    """Return the exact number of rows of each table."""
    counts = dict.fromkeys(table_ids, 0)
    rows = connection.execute(
        "SELECT table_id, sum(row_count)::bigint FROM managed_tables.row_counts"
        " WHERE table_id = ANY(%s) GROUP BY table_id",
        [list(table_ids)],
    )
    return counts | dict(rows.fetchall())


ROW_COUNT = sql.SQL(
    "(SELECT coalesce(sum(row_count), 0)::bigint FROM managed_tables.row_counts WHERE table_id = {})"
)
_COUNTING = (
    "INSERT INTO managed_tables.row_counts AS counts (table_id, slot, row_count)"
    " SELECT {table_id}, pg_backend_pid() %% {slots}, {change}"
    " ON CONFLICT (table_id, slot) DO UPDATE SET row_count = counts.row_count + excluded.row_count"
)


def counting(table_id: sql.Composable, change: sql.Composable) -> sql.Composed:
    """Return the statement that adds a change to a table's count of rows; it takes parameters."""
    return compose(_COUNTING, table_id=table_id, slots=COUNT_SLOTS, change=change)


def add_to_count(connection: PgConnection, table_id: str, change: int) -> None:
    """Add the change to the table's count of rows, in the caller's transaction."""
    connection.execute(counting(sql.SQL("%s::text"), sql.SQL("%s::bigint")), [table_id, change])


class Fenced(Exception):  # noqa: N818 - an outcome, not a fault
    """The table is no longer at the version from which the operation began; nothing was changed."""


def record_new(connection: PgConnection, table_id: str, applied: Applied) -> None:
    """Record a table at version 1; raises Fenced where its making was given up, or done, before."""
    made = connection.execute(
        "INSERT INTO managed_tables.tables"
        " (table_id, version, status, display_name, columns, title, description, key, indexes, rules)"
        " VALUES (%s, 1, 'active', %s, %s, %s, %s, %s, %s, %s::jsonb) ON CONFLICT DO NOTHING",
        [table_id, *_stored(applied)],
    )
    if made.rowcount == 0:
        raise Fenced(table_id)


def lock_version(connection: PgConnection, table_id: str, base_version: int) -> None:
    """Hold the table's record until the transaction ends; raises Fenced unless it is at this version."""
    held = connection.execute(
        "SELECT FROM managed_tables.tables"
        " WHERE table_id = %s AND version = %s AND deleted_at IS NULL FOR UPDATE",
        [table_id, base_version],
    )
    if held.rowcount == 0:
        raise Fenced(table_id)


def fence(
    connection: PgConnection, table_id: str, base_version: int, lock_timeout_ms: int | None = None
) -> Applied:
    """Shut out operations that began from this version and have not committed; return what is applied.

    Waits for an operation that is inside its transaction, within the lock timeout, else the session's; raises
    psycopg's LockNotAvailable after it.
    """
    with connection.transaction():
        if lock_timeout_ms is not None:
            execute(connection, "SET LOCAL lock_timeout = {}", lock_timeout_ms)
        if base_version == 0:
            connection.execute(
                "INSERT INTO managed_tables.tables"
                " (table_id, version, display_name, status, columns, deleted_at)"
                " VALUES (%s, 1, '', 'inactive', '[]', now()) ON CONFLICT DO NOTHING",
                [table_id],
            )
        else:
            connection.execute(
                "UPDATE managed_tables.tables SET version = version + 1 WHERE table_id = %s AND version = %s",
                [table_id, base_version],
            )
    applied = find_applied(connection, table_id)
    if applied is None:
        raise LookupError(f"the database knows no table {table_id}")
    return applied
