"""The loading transaction: create, append, upsert or replace, committed once whatever is repeated or dies.

The job's id is inserted into `applied_jobs` first. A second run of the same job waits there until the
first has ended, then finds it applied and does nothing. What the table is like is read, and held, in the
same transaction: a deletion or a change of columns comes entirely before or after.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from uuid import UUID

from duckdb import DuckDBPyConnection
from psycopg import sql

from managed_tables import errors
from managed_tables.catalog.job_records import JobMode, LoadResult
from managed_tables.catalog.tables import Applied
from managed_tables.databases.applied import (
    AppliedJob,
    AppliedLoad,
    add_to_count,
    claim_job,
    find_applied,
    find_applied_job,
    record_result,
)
from managed_tables.databases.connecting import PgConnection, fetch_number
from managed_tables.documents.confirmations import NO_ADDITIONS, USUAL_TERMS, Additions, LoadTerms
from managed_tables.errors import ApiError, JobError
from managed_tables.history.recording import set_actor
from managed_tables.ids import NOBODY
from managed_tables.schema import Column
from managed_tables.tables.changes import put_on, with_nulls
from managed_tables.tables.hidden_columns import forget_added
from managed_tables.tables.physical import add_primary_key, align_indexes, create_table_to_fill, physical_name
from managed_tables.tables.recipes import keep_recipe
from managed_tables.undo import keep_rows, record_undoable
from managed_tables_insert.merging import Merge, lock_out_writers
from managed_tables_insert.misfits import Misfits, find_duplicates, keep_repeated_keys
from managed_tables_insert.plan import LoadPlan
from managed_tables_insert.transfer import DuplicateFound, Report, Transfer

_REPLACE_SLOT = -1  # of none of them: what one replacement of a table at a time holds


@dataclass(frozen=True)
class LoadTarget:
    """The table to load, as the confirmation named it."""

    job_id: str
    mode: JobMode
    table_id: str
    display_name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] | None = None  # of an upsert: by which rows are found
    own_columns: frozenset[str] = frozenset()  # those that an existing table had when it was confirmed
    terms: LoadTerms = USUAL_TERMS
    additions: Additions = NO_ADDITIONS
    user_id: str = NOBODY


@dataclass(frozen=True)
class HeldTable:
    """The table as it is while the transaction lasts."""

    name: sql.Identifier
    columns: tuple[Column, ...]
    key: tuple[Column, ...] = ()


def load_rows(
    connection: PgConnection,
    converter: DuckDBPyConnection,
    target: LoadTarget,
    plan: LoadPlan,
    report: Report,
) -> AppliedJob:
    """Load all of the plan's rows in one transaction and return the result, also when repeated.

    `plan` holds the table's own columns as `current_columns` gave them. Raises MisfitFound and DuplicateFound
    with nothing loaded, JobError if the table does not take the rows, Fenced if the table to be made was
    given up; psycopg's own errors are to be retried.
    """
    started = time.monotonic()
    with connection.transaction():
        if not claim_job(connection, target.job_id, target.table_id):
            first = find_applied_job(connection, target.job_id)  # raises JobError if the job was shut out
            if first is None:
                raise AssertionError("a job that cannot be claimed is loaded or shut out")
            return first
        set_actor(connection, None)  # a load is its own history
        connection.execute("SELECT set_config('TimeZone', %s, true)", [plan.timezone])
        table = _prepare_table(connection, target, plan)
        transfer = Transfer(connection, converter, plan, _clock_ms(connection), report)
        loaded = _load(transfer, target, table)
        milliseconds = round((time.monotonic() - started) * 1_000)
        rejected = plan.row_count - loaded.inserted - loaded.updated - loaded.unchanged
        result = replace(loaded, milliseconds=milliseconds, rejected=rejected if plan.skips_misfits else 0)
        record_undoable(connection, target.job_id, target.table_id, target.mode, transfer.ids)
        forget_added(connection, target.table_id, [loaded.column.name for loaded in plan.columns])
        _record(connection, target, result, plan, transfer.ids)
    return AppliedJob(target.table_id, result)


def find_repeated_keys(
    connection: PgConnection, converter: DuckDBPyConnection, target: LoadTarget, plan: LoadPlan
) -> Misfits:
    """Return the rows whose key is there twice, in the file or, for an append, in the table."""
    with _compared(connection, converter, target, plan) as (transfer, table):
        return find_duplicates(transfer, table.name, table.key, within_file=target.mode != "append")


def leave_out_repeated_keys(
    connection: PgConnection, converter: DuckDBPyConnection, target: LoadTarget, plan: LoadPlan
) -> LoadPlan:
    """Return the plan without the rows whose key is there already, which the converter then knows."""
    with _compared(connection, converter, target, plan) as (transfer, table):
        if not table.key:
            return plan
        keep_repeated_keys(transfer, table.name, table.key, within_file=target.mode != "append")
    return replace(plan, skips_repeated=True)


@contextmanager
def _compared(
    connection: PgConnection, converter: DuckDBPyConnection, target: LoadTarget, plan: LoadPlan
) -> Iterator[tuple[Transfer, HeldTable]]:
    """Begin a transaction that is rolled back, with the table whose key rows may repeat, made if new."""
    with connection.transaction(force_rollback=True):
        connection.execute("SELECT set_config('TimeZone', %s, true)", [plan.timezone])
        is_new = target.mode == "create"
        table = _prepare_table(connection, target, plan) if is_new else _find_table(connection, target)
        yield Transfer(connection, converter, plan, _clock_ms(connection), lambda _: None), table


def _load(transfer: Transfer, target: LoadTarget, table: HeldTable) -> LoadResult:
    """Bring the rows into the table in the job's mode."""
    if table.key and target.mode in ("upsert", "replace"):
        columns = [loaded.column for loaded in transfer.plan.columns]
        missing = [column for column in table.columns if column.is_required and column not in columns]
        merge = Merge(transfer, target.job_id, table.name, table.key, columns, missing)
        if target.mode == "upsert":
            return merge.upsert()
        result = merge.replace()
    else:
        # Rows of a table that nobody else sees yet are written as old ones: no later pass has to mark them.
        is_new = target.mode == "create"
        count = transfer.copy_into(table.name, freeze=is_new)
        result = LoadResult(inserted=count)
        if is_new:
            add_primary_key(transfer.connection, target.table_id, target.display_name)
            _add_key(transfer.connection, target)
        if target.mode == "replace":
            _delete_older_rows(transfer.connection, target.job_id, table.name)
    if target.mode == "replace":
        transfer.connection.execute(
            "DELETE FROM managed_tables.row_counts WHERE table_id = %s", [target.table_id]
        )
    return result


def current_columns(
    connection: PgConnection, target: LoadTarget
) -> tuple[tuple[Column, ...], tuple[Column, ...]]:
    """Return the columns to load, as the table has them now, and those of them that it has not yet.

    An existing table's own types and nullability hold, whatever was confirmed. Raises JobError where the
    table is gone, takes no rows, or has lost a column that it had when the job was confirmed.
    """
    own = {column.name: column for column in _find_table(connection, target).columns}
    if not target.own_columns <= own.keys():  # renamed or hidden since: its rows would be split over two
        raise JobError(errors.TABLE_CHANGED)
    opened = target.terms.make_nullable
    wanted = tuple(with_nulls([own.get(column.name, column) for column in target.columns], opened))
    return wanted, tuple(column for column in wanted if column.name not in own)


def _prepare_table(connection: PgConnection, target: LoadTarget, plan: LoadPlan) -> HeldTable:
    """Make the table, or hold the one that exists as it is."""
    if target.mode == "create":
        applied = _new_table(target)
        create_table_to_fill(connection, target.table_id, applied, plan.timezone)
        return _held(applied)
    if target.mode == "replace":
        # Until no other replacement runs, by a row that is there until the end of this one: an advisory lock
        # could be taken by the company's read-only role as well, and keep every replacement out.
        connection.execute(
            "INSERT INTO managed_tables.row_counts (table_id, slot, row_count) VALUES (%s, %s, 0)"
            " ON CONFLICT (table_id, slot) DO UPDATE SET row_count = 0",
            [target.table_id, _REPLACE_SLOT],
        )
    connection.execute("SELECT FROM managed_tables.tables WHERE table_id = %s FOR SHARE", [target.table_id])
    table = _find_table(connection, target)
    if not _takes(table, target, [loaded.column for loaded in plan.columns]):
        raise JobError(errors.TABLE_CHANGED)
    return table


def _takes(table: HeldTable, target: LoadTarget, loaded: Sequence[Column]) -> bool:
    """Return whether the table still has the columns, and the key, that the load was planned for."""
    if target.mode == "upsert":
        needed = set(target.key or ())
        if target.key != tuple(column.name for column in table.key):
            return False
    else:
        needed = {column.name for column in table.columns if column.is_required}
    own = {column.name: column for column in table.columns}
    return all(own.get(new.name) == new for new in loaded) and needed <= {new.name for new in loaded}


def _find_table(connection: PgConnection, target: LoadTarget) -> HeldTable:
    applied = find_applied(connection, target.table_id)
    if applied is None or applied.deleted:
        raise JobError(errors.TABLE_GONE)
    if applied.status != "active":
        raise JobError(errors.TABLE_NOT_ACTIVE)
    return _held(applied)


def _new_table(target: LoadTarget) -> Applied:
    """Return the definition of the table that the job makes."""
    made = Applied(1, target.display_name, "active", target.columns, deleted=False)
    return put_on(made, target.additions)


def _held(applied: Applied) -> HeldTable:
    by_name = {column.name: column for column in applied.columns}
    key = tuple(by_name[name] for name in applied.key or ())
    return HeldTable(physical_name(applied.display_name), applied.columns, key)


def _add_key(connection: PgConnection, target: LoadTarget) -> None:
    """Give a table that was just filled the index of its key; raises DuplicateFound."""
    try:
        align_indexes(connection, target.table_id, _new_table(target))
    except ApiError as error:
        if error.kind is errors.DUPLICATE_KEY_ROWS:
            raise DuplicateFound(error.sentence) from error
        raise JobError(errors.CONFIRMATION_REFUSED, reason=error.sentence) from error


def _clock_ms(connection: PgConnection) -> int:
    """Return PostgreSQL's clock, which all makers of ids use, in milliseconds."""
    return fetch_number(connection, "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint")


def _delete_older_rows(connection: PgConnection, job_id: str, name: sql.Identifier) -> None:
    """Keep every row but ours aside and delete it, those written while ours were loading included."""
    lock_out_writers(connection, name)
    # Written out: as a function's result PostgreSQL would find it again for each row.
    row = connection.execute("SELECT pg_current_xact_id()::xid::text").fetchone()
    others = sql.SQL("xmin <> {}::xid").format(row and row[0])
    keep_rows(connection, job_id, name, others)
    connection.execute(sql.SQL("DELETE FROM {} WHERE {}").format(name, others))


def _record(
    connection: PgConnection, target: LoadTarget, result: LoadResult, plan: LoadPlan, ids: tuple[UUID, UUID]
) -> None:
    add_to_count(connection, target.table_id, result.inserted)
    row_count = result.inserted + result.updated + result.unchanged
    load = AppliedLoad(target.mode, plan.files, target.user_id, ids)
    record_result(connection, target.job_id, row_count, result, load)
    if plan.recipe is not None:
        keep_recipe(connection, target.table_id, target.job_id, plan.recipe)
