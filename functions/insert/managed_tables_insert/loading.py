"""The loading transaction: create, append, upsert or replace, committed once whatever is repeated or dies.

The job's id is inserted into `applied_jobs` first. A second run of the same job waits there until the
first has ended, then finds it applied and does nothing. What the table is like is read, and held, in the
same transaction: a deletion or a change of columns comes entirely before or after.

Loads that meet the rows of a table with a key, an upsert and a replacement, are staged in a temporary table
first, while writers and readers go on. Then writers are kept out (readers never are) until the transaction
ends, and all of it is done by statements over both tables.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from duckdb import DuckDBPyConnection
from psycopg import sql

from managed_tables import errors
from managed_tables.catalog.job_records import JobRecord, LoadResult
from managed_tables.catalog.tables import Applied, Rules
from managed_tables.databases.applied import (
    AppliedJob,
    add_to_count,
    claim_job,
    find_applied,
    find_applied_job,
    record_result,
)
from managed_tables.databases.connecting import PgConnection, fetch_number
from managed_tables.databases.statements import compose, execute
from managed_tables.details import MAX_ERROR_DETAILS, Fault, row_detail
from managed_tables.documents.statements import ConfirmedDocument
from managed_tables.documents.workbooks import MergePlan, RefusedRow
from managed_tables.errors import ApiError, JobError
from managed_tables.history import Actor, set_actor
from managed_tables.identifiers import ID_COLUMN
from managed_tables.ids import row_number
from managed_tables.jobs.pictures import find_repeated
from managed_tables.kept_rows import STAGED_ID, keep_values, kept_table, record_undoable
from managed_tables.rules.rule import Rule
from managed_tables.schema import Column, Columns
from managed_tables.tables.constraints import find_values
from managed_tables.tables.definitions import put_on, with_nulls
from managed_tables.tables.hidden_columns import forget_added
from managed_tables.tables.memory import find_digests, is_as_recalled, keep_memory
from managed_tables.tables.physical import add_primary_key, align_indexes, create_table_to_fill, physical_name
from managed_tables.tables.recipes import keep_recipe
from managed_tables_insert.merging import ROW_MARK, Merge
from managed_tables_insert.misfits import RepeatedKeys, find_broken_rows, find_repeated_keys, match_keys
from managed_tables_insert.plan import NO_BASE, RULE_VALUES, LoadPlan
from managed_tables_insert.transfer import (
    STAGED,
    DuplicateFound,
    Report,
    RuleViolated,
    Transfer,
    translated_refusals,
)

_REPLACE_SLOT = -1  # of none of them: what one replacement of a table at a time holds
_MERGE_MEMORY = "64MB"  # of each hash of a million keys; more goes to the server's disk
_LOCK = "LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE"  # waits for writers, and keeps others out


@dataclass(frozen=True)
class Load:
    """A job's rows on their way into the table that its confirmation names."""

    connection: PgConnection
    converter: DuckDBPyConnection
    job: JobRecord
    confirmed: ConfirmedDocument
    history_days: int = 0  # for how long what a merge changes is told

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
            if job.mode == "merge":  # of which a row's history is told as of any change by hand
                set_actor(connection, Actor(job.user_id, "workbook", self.history_days, job.job_id))
            if job.mode == "replace":  # what refers to the rows is judged once the new ones are there
                connection.execute("SET CONSTRAINTS ALL DEFERRED")
            with translated_refusals():
                loaded = self._load(transfer, table)
                connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
            milliseconds = round((time.monotonic() - started) * 1_000)
            rejected = plan.row_count - loaded.row_count if plan.skips_misfits else 0
            result = replace(loaded, milliseconds=milliseconds, rejected=rejected, repaired=plan.repaired)
            record_undoable(connection, job.job_id, table_id, job.mode, transfer.ids)
            forget_added(connection, table_id, [loaded.column.name for loaded in plan.columns])
            add_to_count(connection, table_id, result.inserted - result.deleted)
            record_result(connection, job, plan.files, transfer.ids, result)
            if plan.recipe is not None:
                keeps = job.is_confirmed_by_itself or self.confirmed.terms.keep_auto_confirm
                keep_recipe(
                    connection, table_id, job.job_id, plan.recipe, table.columns, keeps_auto_confirm=keeps
                )
            if plan.memory is not None:
                keep_memory(connection, table_id, job.job_id, plan.memory)
        return AppliedJob(table_id, result)

    def plan_merge(self, plan: LoadPlan, refused: Sequence[RefusedRow]) -> MergePlan:
        """Return what becomes of a workbook's rows as the table is now; `refused` are not among the plan's.

        Nothing is written. Raises IDS_MISALIGNED.
        """
        with self.connection.transaction(force_rollback=True):
            merge = self._compare(plan)
            merge.decide(None)
            found = merge.find_refused()
            merge.leave_out(found)
            return merge.describe(found, refused)

    def find_refused(self, plan: LoadPlan) -> list[int]:
        """Return the numbers of the rows that do not go into the table as they are to stand there."""
        with self.connection.transaction(force_rollback=True):
            merge = self._compare(plan)
            merge.decide(self.confirmed.terms.conflicts)
            return [row_number(one.staged_id) for one in merge.find_refused()]

    def _compare(self, plan: LoadPlan) -> Merge:
        self._set_zone(plan)
        merge = self._merge(self._transfer(plan, lambda _: None), self._find_table())
        merge.compare()
        return merge

    def _merge(self, transfer: Transfer, table: Applied) -> Merge:
        plan = transfer.plan
        if plan.base is None:
            raise JobError(errors.BASE_GONE, reason=NO_BASE)
        return Merge(transfer, self.confirmed.table_id, table, plan.base, plan.left_out(self.converter))

    def _load_merged(self, transfer: Transfer, table: Applied) -> LoadResult:
        """Merge the workbook's rows; raises JobError where conflicts are open, or rows do not go in."""
        merge, terms = self._merge(transfer, table), self.confirmed.terms
        merge.lock()
        merge.compare()
        if count := merge.count_open(terms.conflicts):
            raise JobError(errors.CONFLICTS_CAME, count=count)
        merge.decide(terms.conflicts)
        if refused := merge.find_refused():
            count = len(refused)
            raise JobError(errors.VALUES_NOT_CONVERTED, merge.details(refused), count, count=count)
        try:
            return merge.apply(self.job.job_id, delete_absent=terms.delete_absent)
        except (RuleViolated, DuplicateFound) as found:  # values that rows exchange are in each other's way
            raise JobError(errors.VALUES_REFUSED, reason=str(found)) from found

    def find_repeated_keys(
        self, plan: LoadPlan, limit: int | None = None, rule: Rule | None = None
    ) -> RepeatedKeys:
        """Return the first rows, or all, whose key is there twice: in the file, or the table of an append.

        With a `rule` of unique values, its columns are the key. Of an upsert, and where the file lacks one of
        its columns, those that break it.

        All is done in a transaction that is rolled back, with the table made where it is new.
        """
        with self.connection.transaction(force_rollback=True):
            self._set_zone(plan)
            table = self._prepare_table(plan) if self.job.mode == "create" else self._find_table()
            name, key = physical_name(table.display_name), _columns_of(table, rule.columns if rule else None)
            transfer, within_file = self._transfer(plan, lambda _: None), self.job.mode != "append"
            is_upsert = self.job.mode == "upsert"
            if rule is not None and (is_upsert or not set(rule.columns) <= set(transfer.names)):
                own, met = table.columns, _columns_of(table) if is_upsert else ()
                return find_broken_rows(
                    transfer, name, own, met, rule, limit, within_file=within_file and not is_upsert
                )
            return find_repeated_keys(transfer, name, key, limit, within_file=within_file, rule=rule)

    def current_rules(self) -> Rules:
        """Return the rules of an existing table that refuse rows."""
        return tuple(rule for rule in self.all_rules() if rule.refuses)

    def all_rules(self) -> Rules:
        """Return the rules of an existing table."""
        return () if self.job.mode == "create" else self._find_table().rules

    def rules_of_rows(self) -> Rules:
        """Return the rules that the table decides: of unique values, or of more cells than a file's."""
        return tuple(filter(self._is_of_table, self.current_rules()))

    def _is_of_table(self, rule: Rule) -> bool:
        loaded = {column.name for column in self.confirmed.columns}
        unfed = set(rule.columns) - loaded
        if any(column.default is not None for column in _columns_of(self._find_table(), sorted(unfed))):
            return True
        if self.job.mode == "upsert" and loaded.intersection(rule.columns):
            return rule.kind == "unique" or bool(unfed)
        return rule.kind == "unique" and not unfed

    def keep_references(self, plan: LoadPlan) -> None:
        """Give the converter the values of other tables that rules refer to; repeatable."""
        referring = [rule for rule, _, _ in plan.judged if rule.kind == "in_table"]
        if referring:
            self.converter.execute(
                f"CREATE OR REPLACE TEMP TABLE {RULE_VALUES} (rule VARCHAR, value VARCHAR)"
            )
        for rule in referring:
            self.converter.execute(
                f"INSERT INTO {RULE_VALUES} SELECT $1, unnest($2::VARCHAR[])",
                [rule.id, find_values(self.connection, rule)],
            )

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
        base_ms = fetch_number(self.connection, clock)
        return Transfer(self.connection, self.converter, plan, plan.columns, base_ms, report)

    def _prepare_table(self, plan: LoadPlan) -> Applied:
        """Make the table, or hold the one that exists as it is."""
        table_id, mode = self.confirmed.table_id, self.job.mode
        if mode == "create":
            name, columns = self.confirmed.display_name, tuple(self.confirmed.columns)
            made = Applied(version=1, display_name=name, status="active", columns=columns)
            made = put_on(made, self.confirmed.additions)
            create_table_to_fill(self.connection, table_id, made, plan.timezone)
            return made
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
        self._prove_again(plan)
        if not self._is_as_planned(table, [loaded.column for loaded in plan.columns]):
            raise JobError(errors.TABLE_CHANGED)
        return table

    def _prove_again(self, plan: LoadPlan) -> None:
        """Raise JobError unless what nobody confirmed is still proven: others may have been before us.

        Until the transaction ends no other load that nobody confirmed begins, and no one changes the recipe.
        """
        if plan.recalled is None or plan.memory is None:
            return
        table_id = self.confirmed.table_id
        if not is_as_recalled(self.connection, table_id, plan.recalled):
            raise JobError(errors.RECIPE_CHANGED)
        known = find_digests(self.connection, table_id)
        if self.job.mode == "append" and find_repeated(known, plan.memory.digests):
            raise JobError(errors.FILES_IMPORTED)

    def _is_as_planned(self, table: Applied, planned: list[Column]) -> bool:
        """Return whether the table still has the columns, and the key, that the load was planned for."""
        needed = {column.name for column in table.columns if column.is_required}
        if self.job.mode == "upsert":
            needed = set(table.key or ())
            if self.confirmed.key != list(table.key or ()):
                return False
        if self.job.mode == "merge":  # which finds rows by their ids; the rows themselves say what they lack
            needed, planned = set(), [column for column in planned if column.name != ROW_MARK]
        return _are_of(table, planned) and needed <= {new.name for new in planned}

    def _find_table(self) -> Applied:
        applied = find_applied(self.connection, self.confirmed.table_id)
        if applied is None or applied.deleted:
            raise JobError(errors.TABLE_GONE)
        if applied.status != "active":
            raise JobError(errors.TABLE_NOT_ACTIVE)
        return applied

    def _load(self, transfer: Transfer, table: Applied) -> LoadResult:
        """Bring the rows into the table in the job's mode."""
        mode, table_id = self.job.mode, self.confirmed.table_id
        if mode == "merge":
            return self._load_merged(transfer, table)
        name, key = physical_name(table.display_name), _columns_of(table)
        has_unique = any(rule.refuses and rule.kind == "unique" for rule in table.rules)
        if mode == "upsert" or (mode == "replace" and (key or has_unique)):
            merge = _Merge(transfer, self.job.job_id, name, key)
            result = merge.upsert(table.columns) if mode == "upsert" else merge.replace()
        else:
            # Rows of a table that nobody else sees yet are written as old ones: no later pass marks them.
            result = LoadResult(inserted=transfer.copy_into(name, freeze=mode == "create"))
            if mode == "create":
                add_primary_key(self.connection, table_id, table.display_name)
                self._add_key(table)
            if mode == "replace":
                # Written out: as a function's result PostgreSQL would find it again for each row.
                xid = fetch_number(self.connection, "SELECT pg_current_xact_id()::xid::text::bigint")
                others = compose("xmin <> {}::xid", str(xid))
                _take_away(self.connection, self.job.job_id, name, others)
        if mode == "replace":
            self.connection.execute("DELETE FROM managed_tables.row_counts WHERE table_id = %s", [table_id])
        return result

    def _add_key(self, table: Applied) -> None:
        """Give a table that was just filled the index of its key; raises DuplicateFound."""
        try:
            align_indexes(self.connection, self.confirmed.table_id, table)
        except ApiError as error:
            if error.kind is errors.DUPLICATE_KEY_ROWS:
                raise DuplicateFound(error.sentence) from error
            raise JobError(errors.CONFIRMATION_REFUSED, reason=error.sentence) from error


def _are_of(table: Applied, columns: Sequence[Column]) -> bool:
    """Return whether the table has these columns, as they are."""
    own = {column.name: column for column in table.columns}
    return all(own.get(column.name) == column for column in columns)


def _columns_of(table: Applied, names: Sequence[str] | None = None) -> tuple[Column, ...]:
    """Return the columns of these names, those of the key without."""
    by_name = {column.name: column for column in table.columns}
    return tuple(by_name[name] for name in (table.key or () if names is None else names))


@dataclass(frozen=True)
class _Merge:
    """A load that is staged, into the table with this key."""

    transfer: Transfer
    job_id: str
    table: sql.Identifier
    key: Columns

    @property
    def connection(self) -> PgConnection:
        """The connection whose transaction loads."""
        return self.transfer.connection

    def stage(self) -> int:
        """Copy the rows into a table of this session's own and return how many; raises DuplicateFound."""
        count = self.transfer.stage_like(self.table)
        execute(self.connection, "SET LOCAL work_mem = {}", _MERGE_MEMORY)
        keys = [column.name for column in self.key]
        execute(self.connection, "ANALYZE {} ({:i})", STAGED, [ID_COLUMN, *keys])  # as joins are planned by
        if not keys:
            return count
        repeated = compose("SELECT FROM {} GROUP BY {:i} HAVING count(*) > 1 LIMIT 1", STAGED, keys)
        if self.connection.execute(repeated).fetchone() is not None:  # a row of no columns
            raise DuplicateFound("in the file")
        return count

    def upsert(self, own: Columns) -> LoadResult:
        """Update the rows whose key is there, where a value differs, insert the others; count each kind.

        `own` are all of the table's columns, of which new rows need those that are required.
        """
        columns = [loaded.column for loaded in self.transfer.columns]
        staged = self.stage()
        execute(self.connection, _LOCK, self.table)
        changing = [column.name for column in columns if column not in self.key]
        updated = self._update(changing) if changing else 0
        if updated == staged:  # each met a row: none is new
            return LoadResult(inserted=0, updated=updated)
        is_new: sql.Composable = sql.SQL("true")
        # One known to be empty is scanned for each row that goes in.
        if execute(self.connection, "SELECT FROM {} LIMIT 1", self.table).rowcount:
            is_new = compose("NOT EXISTS (SELECT FROM {} AS t WHERE {})", self.table, match_keys(self.key))
        if missing := [column.name for column in own if column.is_required and column not in columns]:
            self._refuse_new_rows(is_new, missing)
        inserted = self._insert(is_new)
        return LoadResult(inserted=inserted, updated=updated, unchanged=staged - inserted - updated)

    def replace(self) -> LoadResult:
        """Put the staged rows in the place of all that are there."""
        self.stage()
        _take_away(self.connection, self.job_id, self.table, sql.SQL("true"))
        return LoadResult(inserted=self._insert(sql.SQL("true")))

    def _update(self, changing: Sequence[str]) -> int:
        """Keep the rows of which one of these columns differs, then change them; return how many."""
        differ = (compose("t.{name:i} IS DISTINCT FROM s.{name:i}", name=name) for name in changing)
        changed = compose(
            "SELECT t.id, {}, s.id AS {:i} FROM {} AS t JOIN {} AS s ON {} AND ({})",
            [compose("t.{:i}", name) for name in changing],
            STAGED_ID,
            self.table,
            STAGED,
            match_keys(self.key),
            sql.SQL(" OR ").join(differ),
        )
        if not keep_values(self.connection, self.job_id, changed):
            return 0
        # Else ids count as repeated, a join by them as far larger than it is, and all rows are sorted for it.
        execute(self.connection, "ANALYZE {} ({:i})", kept_table(self.job_id), [ID_COLUMN, STAGED_ID])
        statement = compose(
            "UPDATE {} AS t SET {} FROM {} AS k JOIN {} AS s ON s.id = k.{:i} WHERE t.id = k.id",
            self.table,
            [compose("{name:i} = s.{name:i}", name=name) for name in changing],
            kept_table(self.job_id),
            STAGED,
            STAGED_ID,
        )
        with translated_refusals():
            return self.connection.execute(statement).rowcount

    def _refuse_new_rows(self, is_new: sql.Composable, missing: Sequence[str]) -> None:
        """Raise JobError naming the rows that would be new, where there are any, and what they lack."""
        query = "SELECT id, count(*) OVER () FROM {} AS s WHERE {} ORDER BY id LIMIT {}"
        rows = execute(self.connection, query, STAGED, is_new, MAX_ERROR_DETAILS).fetchall()
        if not rows:
            return
        places = self.transfer.find_places([row_id for row_id, _ in rows])
        fault = Fault("REQUIRED", f"a linha é nova, e a tabela exige: {', '.join(missing)}")
        details = [row_detail(fault, *place[:3], column=missing[0]) for place in places.values()]
        raise JobError(errors.VALUES_NOT_CONVERTED, details, rows[0][1], count=rows[0][1])

    def _insert(self, condition: sql.Composable) -> int:
        form = "INSERT INTO {table} ({names:i}) SELECT {names:i} FROM {staged} AS s WHERE {condition}"
        parts = {"table": self.table, "staged": STAGED, "condition": condition}
        with translated_refusals():
            return execute(self.connection, form, names=[ID_COLUMN, *self.transfer.names], **parts).rowcount


def _take_away(connection: PgConnection, job_id: str, table: sql.Identifier, where: sql.Composable) -> None:
    """Keep the rows aside and delete them, those written while ours were on their way included."""
    execute(connection, _LOCK, table)
    keep_values(connection, job_id, compose("SELECT * FROM {} WHERE {}", table, where))
    execute(connection, "DELETE FROM {} WHERE {}", table, where)
