"""The loading transaction: create, append, upsert or replace, committed once whatever is repeated or dies.

The job's id is inserted into `applied_jobs` first. A second run of the same job waits there until the
first has ended, then finds it applied and does nothing. What the table is like is read, and held, in the
same transaction: a deletion or a change of columns comes entirely before or after.
"""

import time
from dataclasses import dataclass, replace

from duckdb import DuckDBPyConnection
from psycopg import sql

from managed_tables import errors
from managed_tables.catalog.job_records import JobRecord, LoadResult
from managed_tables.catalog.tables import Applied
from managed_tables.databases.applied import (
    AppliedJob,
    add_to_count,
    claim_job,
    find_applied,
    find_applied_job,
    record_result,
)
from managed_tables.databases.connecting import PgConnection, fetch_number
from managed_tables.documents.statements import ConfirmedDocument
from managed_tables.errors import ApiError, JobError
from managed_tables.history import set_actor
from managed_tables.schema import Column
from managed_tables.tables.changes import put_on, with_nulls
from managed_tables.tables.hidden_columns import forget_added
from managed_tables.tables.physical import add_primary_key, align_indexes, create_table_to_fill, physical_name
from managed_tables.tables.recipes import keep_recipe
from managed_tables.undo import keep_rows, record_undoable
from managed_tables_insert.merging import Merge, lock_out_writers
from managed_tables_insert.misfits import RepeatedKeys, find_repeated_keys
from managed_tables_insert.plan import LoadPlan
from managed_tables_insert.transfer import DuplicateFound, Report, Transfer

_REPLACE_SLOT = -1  # of none of them: what one replacement of a table at a time holds


@dataclass(frozen=True)
class Load:
    """A job's rows on their way into the table that its confirmation names."""

    connection: PgConnection
    converter: DuckDBPyConnection
    job: JobRecord
    confirmed: ConfirmedDocument

    def run(self, plan: LoadPlan, report: Report) -> AppliedJob:
        """Load all of the plan's rows in one transaction and return the result, also when repeated.

        `plan` holds the table's own columns as `current_columns` gave them. Raises MisfitFound and
        DuplicateFound with nothing loaded, JobError if the table does not take the rows, Fenced if the table
        to be made was given up; psycopg's own errors are to be retried.
        """
        started = time.monotonic()
        connection, job, table_id = self.connection, self.job, self.confirmed.table_id
        with connection.transaction():
            if not claim_job(connection, job.job_id, table_id):
                first = find_applied_job(connection, job.job_id)  # raises JobError if the job was shut out
                if first is None:
                    raise AssertionError("a job that cannot be claimed is loaded or shut out")
                return first
            set_actor(connection, None)  # a load is its own history
            self._set_zone(plan)
            table = self._prepare_table(plan)
            transfer = self._transfer(plan, report)
            loaded = self._load(transfer, table)
            milliseconds = round((time.monotonic() - started) * 1_000)
            rejected = plan.row_count - loaded.row_count if plan.skips_misfits else 0
            result = replace(loaded, milliseconds=milliseconds, rejected=rejected)
            record_undoable(connection, job.job_id, table_id, job.mode, transfer.ids)
            forget_added(connection, table_id, [loaded.column.name for loaded in plan.columns])
            add_to_count(connection, table_id, result.inserted)
            record_result(connection, job, plan.files, transfer.ids, result)
            if plan.recipe is not None:
                keep_recipe(connection, table_id, job.job_id, plan.recipe, table.columns)
        return AppliedJob(table_id, result)

    def find_repeated_keys(self, plan: LoadPlan, limit: int | None = None) -> RepeatedKeys:
        """Return the first rows, or all, whose key is there twice: in the file, or the table of an append.

        All is done in a transaction that is rolled back, with the table made where it is new.
        """
        with self.connection.transaction(force_rollback=True):
            self._set_zone(plan)
            table = self._prepare_table(plan) if self.job.mode == "create" else self._find_table()
            name, key = physical_name(table.display_name), _key_of(table)
            transfer = self._transfer(plan, lambda _: None)
            return find_repeated_keys(transfer, name, key, limit, within_file=self.job.mode != "append")

    def current_columns(self) -> tuple[tuple[Column, ...], tuple[Column, ...]]:
        """Return the columns to load, as a table has them now, and those of them that it has not yet.

        An existing table's own types and nullability hold, whatever was confirmed. Raises JobError where the
        table is gone, takes no rows, or has lost a column that it had when the job was confirmed.
        """
        if self.job.mode == "create":
            return tuple(self.confirmed.columns), ()
        own = {column.name: column for column in self._find_table().columns}
        if not own.keys() >= set(self.confirmed.own_columns):  # renamed or hidden: its rows would be split
            raise JobError(errors.TABLE_CHANGED)
        columns = [own.get(column.name, column) for column in self.confirmed.columns]
        wanted = tuple(with_nulls(columns, self.confirmed.terms.make_nullable))
        return wanted, tuple(column for column in wanted if column.name not in own)

    def _set_zone(self, plan: LoadPlan) -> None:
        self.connection.execute("SELECT set_config('TimeZone', %s, true)", [plan.timezone])

    def _transfer(self, plan: LoadPlan, report: Report) -> Transfer:
        """Return the rows, with ids of this moment by PostgreSQL's clock, which all makers of ids use."""
        clock = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"
        return Transfer(self.connection, self.converter, plan, fetch_number(self.connection, clock), report)

    def _prepare_table(self, plan: LoadPlan) -> Applied:
        """Make the table, or hold the one that exists as it is."""
        table_id, mode = self.confirmed.table_id, self.job.mode
        if mode == "create":
            applied = self._new_table()
            create_table_to_fill(self.connection, table_id, applied, plan.timezone)
            return applied
        if mode == "replace":
            # Until no other replacement runs, by a row that is there until the end of this one: an advisory
            # lock could be taken by the company's read-only role as well, and keep every replacement out.
            self.connection.execute(
                "INSERT INTO managed_tables.row_counts (table_id, slot, row_count) VALUES (%s, %s, 0)"
                " ON CONFLICT (table_id, slot) DO UPDATE SET row_count = 0",
                [table_id, _REPLACE_SLOT],
            )
        self.connection.execute("SELECT FROM managed_tables.tables WHERE table_id = %s FOR SHARE", [table_id])
        table = self._find_table()
        if not self._is_as_planned(table, [loaded.column for loaded in plan.columns]):
            raise JobError(errors.TABLE_CHANGED)
        return table

    def _is_as_planned(self, table: Applied, planned: list[Column]) -> bool:
        """Return whether the table still has the columns, and the key, that the load was planned for."""
        needed = {column.name for column in table.columns if column.is_required}
        if self.job.mode == "upsert":
            needed = set(table.key or ())
            if self.confirmed.key != list(table.key or ()):
                return False
        own = {column.name: column for column in table.columns}
        return all(own.get(new.name) == new for new in planned) and needed <= {new.name for new in planned}

    def _find_table(self) -> Applied:
        applied = find_applied(self.connection, self.confirmed.table_id)
        if applied is None or applied.deleted:
            raise JobError(errors.TABLE_GONE)
        if applied.status != "active":
            raise JobError(errors.TABLE_NOT_ACTIVE)
        return applied

    def _new_table(self) -> Applied:
        """Return the definition of the table that the job makes."""
        name, columns = self.confirmed.display_name, tuple(self.confirmed.columns)
        made = Applied(version=1, display_name=name, status="active", columns=columns)
        return put_on(made, self.confirmed.additions)

    def _load(self, transfer: Transfer, table: Applied) -> LoadResult:
        """Bring the rows into the table in the job's mode."""
        mode, table_id = self.job.mode, self.confirmed.table_id
        name, key = physical_name(table.display_name), _key_of(table)
        if key and mode in ("upsert", "replace"):
            columns = [loaded.column for loaded in transfer.plan.columns]
            missing = [column for column in table.columns if column.is_required and column not in columns]
            merge = Merge(transfer, self.job.job_id, name, key, columns, missing)
            result = merge.upsert() if mode == "upsert" else merge.replace()
        else:
            # Rows of a table that nobody else sees yet are written as old ones: no later pass marks them.
            result = LoadResult(inserted=transfer.copy_into(name, freeze=mode == "create"))
            if mode == "create":
                add_primary_key(self.connection, table_id, self.confirmed.display_name)
                self._add_key()
            if mode == "replace":
                self._delete_older_rows(name)
        if mode == "replace":
            self.connection.execute("DELETE FROM managed_tables.row_counts WHERE table_id = %s", [table_id])
        return result

    def _add_key(self) -> None:
        """Give a table that was just filled the index of its key; raises DuplicateFound."""
        try:
            align_indexes(self.connection, self.confirmed.table_id, self._new_table())
        except ApiError as error:
            if error.kind is errors.DUPLICATE_KEY_ROWS:
                raise DuplicateFound(error.sentence) from error
            raise JobError(errors.CONFIRMATION_REFUSED, reason=error.sentence) from error

    def _delete_older_rows(self, name: sql.Identifier) -> None:
        """Keep every row but ours aside and delete it, those written while ours were loading included."""
        lock_out_writers(self.connection, name)
        # Written out: as a function's result PostgreSQL would find it again for each row.
        row = self.connection.execute("SELECT pg_current_xact_id()::xid::text").fetchone()
        others = sql.SQL("xmin <> {}::xid").format(row and row[0])
        keep_rows(self.connection, self.job.job_id, name, others)
        self.connection.execute(sql.SQL("DELETE FROM {} WHERE {}").format(name, others))


def _key_of(table: Applied) -> tuple[Column, ...]:
    by_name = {column.name: column for column in table.columns}
    return tuple(by_name[name] for name in table.key or ())
