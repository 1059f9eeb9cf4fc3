"""Owns the loading transaction: create, append or replace, committed once whatever is repeated or dies.

The job's id is inserted into `applied_jobs` first. A second run of the same job waits there until the
first has ended, then finds it applied and does nothing. What the table is like is read, and held, in the
same transaction: a deletion or a change of columns comes entirely before or after.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from duckdb import DuckDBPyConnection
from psycopg import errors as pg
from psycopg import sql

from managed_tables.catalog.jobs import JobMode, LoadResult
from managed_tables.databases.applied import (
    AppliedJob,
    claim_job,
    find_applied,
    find_applied_job,
    record_result,
)
from managed_tables.databases.connecting import PgConnection
from managed_tables.errors import ROW_TOO_LARGE, TABLE_CHANGED, TABLE_GONE, TABLE_NOT_ACTIVE, JobError
from managed_tables.identifiers import ID_COLUMN
from managed_tables.schema import Column
from managed_tables.tables.physical import create_physical_table, physical_name
from managed_tables_insert.pipe import MisfitFound, Report, copy_rows
from managed_tables_insert.plan import LoadPlan, id_prefix

_SLOTS = 16  # of row counts: writers of one table do not queue for one row
_REPLACE_SLOT = -1  # of none of them: what one replacement of a table at a time holds


@dataclass(frozen=True)
class Target:
    """The table to load, as the confirmation named it."""

    job_id: str
    mode: JobMode
    table_id: str
    display_name: str
    columns: tuple[Column, ...]
    own_columns: frozenset[str] = frozenset()  # those that an existing table had when it was confirmed


def load_rows(
    connection: PgConnection,
    converter: DuckDBPyConnection,
    target: Target,
    plan: LoadPlan,
    report: Report,
) -> AppliedJob:
    """Load all of the plan's rows in one transaction and return what was done, also when repeated.

    `plan` holds the table's own columns as `current_columns` gave them. Raises MisfitFound with nothing
    loaded, JobError where the table does not take the rows, Fenced where the table to be made was given up;
    psycopg's own errors are faults to retry.
    """
    started = time.monotonic()
    with connection.transaction():
        if not claim_job(connection, target.job_id, target.table_id):
            return _find_loaded(connection, target.job_id)
        connection.execute("SELECT set_config('TimeZone', %s, true)", [plan.timezone])
        name = _prepare_table(connection, target, plan, plan.timezone)
        base_ms = _clock_ms(connection)
        statement = _copy_statement(name, plan, is_new=target.mode == "create")
        with connection.cursor() as cursor, _translated_refusals():
            count = copy_rows(
                cursor,
                statement,
                converter,
                plan.select_rows(base_ms),
                row_start=id_prefix(base_ms).encode(),
                report=report,
            )
        if target.mode == "replace":
            _delete_older_rows(connection, name, target.table_id)
        milliseconds = round((time.monotonic() - started) * 1_000)
        result = LoadResult(inserted=count, milliseconds=milliseconds)
        _record(connection, target, count, result)
    return AppliedJob(target.table_id, result)


def _find_loaded(connection: PgConnection, job_id: str) -> AppliedJob:
    """Return what the run that was first has done; raises JobError where the job was shut out."""
    applied = find_applied_job(connection, job_id)
    if applied is None:
        raise AssertionError("a job that cannot be claimed is loaded or shut out")
    return applied


def current_columns(
    connection: PgConnection, target: Target
) -> tuple[tuple[Column, ...], tuple[Column, ...]]:
    """Return the columns to load, as the table has them now, and those of them that it has not yet.

    An existing table's own types and nullability hold, whatever was confirmed. Raises JobError where the
    table is gone, takes no rows, or has lost a column that it had when the job was confirmed.
    """
    _, columns = _find_table(connection, target)
    own = {column.name: column for column in columns}
    if not target.own_columns <= own.keys():  # renamed or hidden since: its rows would be split over two
        raise JobError(TABLE_CHANGED)
    wanted = tuple(own.get(column.name, column) for column in target.columns)
    return wanted, tuple(column for column in wanted if column.name not in own)


def _prepare_table(connection: PgConnection, target: Target, plan: LoadPlan, zone: str) -> sql.Identifier:
    """Make the table, or hold the one that exists as it is; return its name."""
    if target.mode == "create":
        create_physical_table(connection, target.table_id, target.display_name, target.columns, zone)
        return physical_name(target.display_name)
    if target.mode == "replace":
        _take_turn(connection, target.table_id)
    connection.execute("SELECT FROM managed_tables.tables WHERE table_id = %s FOR SHARE", [target.table_id])
    display_name, columns = _find_table(connection, target)
    own = {column.name: column for column in columns}
    loaded = {loaded.column.name for loaded in plan.columns}
    is_same = all(own.get(loaded.column.name) == loaded.column for loaded in plan.columns)
    if not is_same or any(column.is_required and column.name not in loaded for column in columns):
        raise JobError(TABLE_CHANGED)
    return physical_name(display_name)


def _take_turn(connection: PgConnection, table_id: str) -> None:
    """Wait until no other replacement of the table runs, by a row that is there until the end of this one.

    Not by an advisory lock: the company's read-only role could take that, and keep every replacement out.
    """
    connection.execute(
        "INSERT INTO managed_tables.row_counts (table_id, slot, row_count) VALUES (%s, %s, 0)"
        " ON CONFLICT (table_id, slot) DO UPDATE SET row_count = 0",
        [table_id, _REPLACE_SLOT],
    )


def _find_table(connection: PgConnection, target: Target) -> tuple[str, tuple[Column, ...]]:
    applied = find_applied(connection, target.table_id)
    if applied is None or applied.deleted:
        raise JobError(TABLE_GONE)
    if applied.status != "active":
        raise JobError(TABLE_NOT_ACTIVE)
    return applied.display_name, applied.columns


def _clock_ms(connection: PgConnection) -> int:
    """Return PostgreSQL's clock, the one of all who make ids, in milliseconds."""
    row = connection.execute("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint").fetchone()
    if row is None:
        raise AssertionError("a SELECT without FROM has one row")
    return int(row[0])


def _copy_statement(name: sql.Identifier, plan: LoadPlan, *, is_new: bool) -> sql.Composed:
    names = [ID_COLUMN, *(loaded.column.name for loaded in plan.columns)]
    # Rows of a table that nobody else sees yet are written as old ones: no later pass has to mark them.
    options = sql.SQL("FORMAT csv, FREEZE") if is_new else sql.SQL("FORMAT csv")
    return sql.SQL("COPY {} ({}) FROM STDIN ({})").format(
        name, sql.SQL(", ").join(map(sql.Identifier, names)), options
    )


@contextmanager
def _translated_refusals() -> Iterator[None]:
    """Turn PostgreSQL's refusals of values and of rows into outcomes; its other errors are faults."""
    try:
        yield
    except (pg.DataError, pg.NotNullViolation) as error:
        raise MisfitFound(error.diag.message_primary) from error
    except pg.ProgramLimitExceeded as error:
        raise JobError(ROW_TOO_LARGE) from error


def _delete_older_rows(connection: PgConnection, name: sql.Identifier, table_id: str) -> None:
    """Delete every row but ours, those written while ours were loading included; readers go on."""
    connection.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(name))
    connection.execute(sql.SQL("DELETE FROM {} WHERE xmin <> pg_current_xact_id()::xid").format(name))
    connection.execute("DELETE FROM managed_tables.row_counts WHERE table_id = %s", [table_id])


def _record(connection: PgConnection, target: Target, count: int, result: LoadResult) -> None:
    connection.execute(
        "INSERT INTO managed_tables.row_counts AS counts (table_id, slot, row_count)"
        " VALUES (%s, pg_backend_pid() %% %s, %s)"
        " ON CONFLICT (table_id, slot) DO UPDATE SET row_count = counts.row_count + excluded.row_count",
        [target.table_id, _SLOTS, count],
    )
    record_result(connection, target.job_id, count, result)
