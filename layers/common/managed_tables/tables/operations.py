"""Create, change and delete tables in three steps, so that DynamoDB and PostgreSQL agree whatever crashes.

1. DynamoDB: the operation is written into the table's record, its new name reserved.
2. PostgreSQL: the change, one version further, only if the version is still that of step 1.
3. DynamoDB: the record becomes what PostgreSQL has; names are released.

Of two operations at once on one table the second waits for the first, then goes on from its result.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial

from psycopg.errors import LockNotAvailable

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.tables import (
    Applied,
    NameTaken,
    Pending,
    PendingKind,
    TableChanged,
    TableRecord,
    Tables,
    new_table,
    pack_columns,
    pack_rules,
)
from managed_tables.clock import timestamp
from managed_tables.databases.applied import Fenced, lock_version, record_change
from managed_tables.databases.connecting import PgConnection
from managed_tables.databases.statements import execute
from managed_tables.documents.statements import NO_ADDITIONS, Additions
from managed_tables.errors import COLUMN_NOT_FOUND, TABLE_NOT_FOUND, ApiError
from managed_tables.history import start_history, stop_history
from managed_tables.ids import is_record_id, new_record_id
from managed_tables.rules.rule import Rule, with_ids
from managed_tables.schema import Column, Columns
from managed_tables.tables import physical
from managed_tables.tables.column_changes import change_physical_columns
from managed_tables.tables.constraints import (
    Constraints,
    ReturningRules,
    check_rules,
    kept_rules,
    plan_rules,
    refuse_referred,
    translated_references,
)
from managed_tables.tables.definitions import (
    ColumnPlan,
    TableChange,
    check_columns,
    check_table_name,
    plan_change,
    put_on,
)
from managed_tables.tables.hidden_columns import (
    bring_back,
    drop_added,
    find_hidden_columns,
    forget_added,
    record_added,
)
from managed_tables.tables.memory import follow_columns_in_memory
from managed_tables.tables.recipes import follow_columns_in_recipe, restore_column_in_recipe
from managed_tables.tables.reconciliation import (
    LEFTOVER_LOCK_TIMEOUT_MS,
    OpenCompany,
    Reconciliation,
    Waiting,
)
from managed_tables.tables.rule_changes import record_rule_changes

# While a change waits for the table's lock, readers queue behind it: it waits briefly, and often.
DDL_LOCK_TIMEOUT_MS = 1_000
LOCK_WAIT_SECONDS = 5.0  # in all: it holds one of the process's few connections all the while

Step = Callable[[PgConnection], None]


@dataclass(frozen=True)
class _Attempt:
    """The record as step 1 leaves it, the definition after step 2, which `step` does."""

    begun: TableRecord
    applied: Applied
    step: Step
    ahead: Step | None = None  # done between the two, outside of the transaction


@dataclass(frozen=True)
class TableOperations:
    """Makes, changes and deletes tables; `zone` is that of a time without one."""

    tables: Tables
    reconciliation: Reconciliation
    open_company: OpenCompany
    zone: str = "UTC"

    def create(
        self,
        company: ConnectionRecord,
        user_id: str,
        display_name: str,
        columns: Columns,
        additions: Additions = NO_ADDITIONS,
    ) -> TableRecord:
        """Make an empty table; raises INVALID_SCHEMA or DUPLICATE_NAME."""
        check_table_name(display_name)
        check_columns(columns)

        def begin(_: Waiting) -> _Attempt:
            table = new_table(company.company_id, user_id, display_name, columns)
            applied = put_on(replace(table.applied, version=1), additions)
            applied = replace(applied, rules=self._with_table_ids(company, applied.rules))
            check_rules(applied.rules, columns, self.zone, partial(self._find_columns, company))

            def step(connection: PgConnection) -> None:
                physical.create_table_to_fill(connection, table.table_id, applied, self.zone)
                physical.add_primary_key(connection, table.table_id, display_name)
                physical.align_indexes(connection, table.table_id, applied)
                Constraints(connection, table.table_id, self.zone).add(applied)
                record_rule_changes(connection, table.table_id, (), applied, user_id)

            return _Attempt(table, applied, step)

        return self._perform(company, begin)

    def update(self, company: ConnectionRecord, table_id: str, change: TableChange) -> TableRecord:
        """Change a table; raises TABLE_NOT_FOUND, INVALID_SCHEMA, DUPLICATE_NAME, TABLE_VERSION_CHANGED."""
        seen: list[TableRecord] = []  # by the attempts before

        def begin(waiting: Waiting) -> _Attempt | TableRecord:
            table = self.reconciliation.await_end(company, table_id, waiting)
            asked = change
            if seen and change.versions is not None:
                before = seen[0].applied
                if replace(table.applied, version=before.version) == before:  # it was only shut out
                    asked = replace(change, versions=change.versions | {table.version})
            if asked.rules is not ...:
                asked = replace(asked, rules=self._with_table_ids(company, asked.rules))
            plan, applied = plan_change(table, asked)
            columns_of = partial(self._find_columns, company)
            applied = replace(applied, rules=plan_rules(table.applied, plan, asked, self.zone, columns_of))
            pack_rules(applied.rules)  # refuses what the catalog cannot store
            seen.append(table)
            if replace(applied, version=table.version) == table.applied:
                return table
            new_name = applied.display_name if applied.display_name != table.display_name else None
            step = partial(self._change, table=table, plan=plan, applied=applied, change=change)
            if change.key in (None, ...) and change.indexes is ...:  # there are none to build, at length
                return _Attempt(_begun(table, "update", new_name), applied, step)
            begun = _begun(table, "index", new_name)
            ahead = partial(self._build_indexes, begun=begun, plan=plan, applied=applied)
            return _Attempt(begun, applied, step, ahead)

        return self._perform(company, begin)

    def drop_added_columns(
        self, company: ConnectionRecord, table_id: str, job_id: str, names: Collection[str]
    ) -> None:
        """Drop the columns that the job has added; raises ColumnsInUse where one is in use: repeatable."""
        self.update(company, table_id, TableChange(unused_columns=frozenset(names), job_id=job_id))

    def restore_column(
        self, company: ConnectionRecord, table_id: str, name: str, user_id: str | None = None
    ) -> TableRecord:
        """Bring back the last hidden column of this name; raises COLUMN_NOT_FOUND and INVALID_SCHEMA.

        Its rules come along, those that cannot be held any more as ones that warn.
        """
        returning = ReturningRules(self.zone, partial(self._find_columns, company))
        while True:
            try:
                return self._restore_column(company, table_id, name, returning, user_id)
            except ApiError as error:
                if not returning.soften(error):
                    raise

    def _restore_column(
        self,
        company: ConnectionRecord,
        table_id: str,
        name: str,
        returning: ReturningRules,
        user_id: str | None,
    ) -> TableRecord:
        def begin(waiting: Waiting) -> _Attempt:
            table = self.reconciliation.await_end(company, table_id, waiting)
            with self.open_company(company) as connection:
                named = [one for one in find_hidden_columns(connection, table_id) if one.name == name]
            if not named:
                raise ApiError(COLUMN_NOT_FOUND)
            hidden = named[-1]
            column = Column(name=name, display_name=hidden.display_name, type=hidden.type, nullable=True)
            columns = (*table.columns, column)
            check_columns(columns)
            pack_columns(columns)  # refuses what the catalog cannot store, before anything begins
            rules = (*table.rules, *returning.of(table.applied, hidden.rules, columns))
            check_rules(rules, columns, self.zone, returning.find_columns)
            applied = replace(table.applied, version=table.version + 1, columns=columns, rules=rules)

            def step(connection: PgConnection) -> None:
                lock_version(connection, table_id, table.version)
                bring_back(connection, table_id, physical.physical_name(table.display_name), hidden)
                restore_column_in_recipe(connection, table_id, hidden.hidden_name)
                Constraints(connection, table_id, self.zone).add(applied, is_asked=False)
                record_rule_changes(connection, table_id, table.rules, applied, user_id)
                physical.write_comments(connection, applied)
                record_change(connection, table_id, applied)

            return _Attempt(_begun(table, "update"), applied, step)

        return self._perform(company, begin)

    def delete(self, company: ConnectionRecord, table_id: str, before: Step | None = None) -> None:
        """Delete a table softly: its rows stay in the database, out of the way; raises TABLE_NOT_FOUND.

        `before` is done first in the deleting transaction, once no other operation can change the table.
        """

        def begin(waiting: Waiting) -> _Attempt:
            table = self.reconciliation.await_end(company, table_id, waiting)

            def step(connection: PgConnection) -> None:
                lock_version(connection, table_id, table.version)
                if before is not None:
                    before(connection)
                refuse_referred(connection, table_id)
                Constraints(connection, table_id, self.zone).drop_all(table.applied)
                physical.delete_physical_table(connection, table_id, table.applied)

            applied = replace(table.applied, version=table.version + 1, deleted=True)
            return _Attempt(_begun(table, "delete"), applied, step)

        self._perform(company, begin)

    def judged_rules(
        self, company: ConnectionRecord, columns: Columns, rules: Sequence[Rule]
    ) -> tuple[Rule, ...]:
        """Return rules as a table of these columns has them; raises INVALID_SCHEMA, PATTERN_NOT_ALLOWED."""
        named = self._with_table_ids(company, rules)
        check_rules(named, columns, self.zone, partial(self._find_columns, company))
        return named

    def _find_columns(self, company: ConnectionRecord, table_id: str) -> dict[str, Column] | None:
        """Return the columns of another table, None where there is none of this id."""
        table = self.tables.find(company.company_id, table_id)
        is_there = table is not None and table.state == "ready"
        return {column.name: column for column in table.columns} if table and is_there else None

    def _with_table_ids(self, company: ConnectionRecord, rules: Sequence[Rule]) -> tuple[Rule, ...]:
        """Return the rules, the tables that some name by their names by their ids."""
        found = []
        for rule in rules:
            named = rule.table if rule.table and not is_record_id(rule.table) else None
            holder = self.tables.find_holder(company.company_id, named) if named else None
            found.append(rule.model_copy(update={"table": holder.table_id}) if holder else rule)
        return with_ids(found)

    def _perform(
        self, company: ConnectionRecord, begin: Callable[[Waiting], _Attempt | TableRecord]
    ) -> TableRecord:
        """Do the steps of what `begin` plans, again where others were first; a table needs none."""
        waiting = Waiting()
        while True:
            attempt = begin(waiting)
            if isinstance(attempt, TableRecord):
                return attempt
            begun, applied = attempt.begun, attempt.applied
            try:
                with self.open_company(company) as connection:
                    self.tables.begin(begun)
                    if attempt.ahead is not None:
                        attempt.ahead(connection)
                    self._run(connection, begun, attempt.step)
                    found = self.tables.finish(begun, applied)
            except NameTaken:
                holder = self.tables.find_holder(company.company_id, applied.display_name)
                self.reconciliation.await_name(company, applied.display_name, holder, waiting)
            except TableChanged:
                waiting.pause()
            except (Fenced, _Interrupted) as outcome:
                # After the connection was returned: ending takes one, too, and a process has few.
                found = self.reconciliation.end(company, begun)
                if done := _committed(outcome, found, attempt):
                    return done
                waiting.pause()
            else:
                if found is None and not applied.deleted:  # deleted by another, just after our change
                    raise ApiError(TABLE_NOT_FOUND)
                return found or begun

    def _build_indexes(
        self, connection: PgConnection, begun: TableRecord, plan: ColumnPlan, applied: Applied
    ) -> None:
        """Build the new indexes ahead of step 2; raises _Interrupted where the connection is lost."""
        try:
            physical.build_indexes(connection, begun.table_id, begun.applied, applied, plan.origins)
        except Exception as error:
            if connection.broken:
                raise _Interrupted(begun.table_id) from error
            try:
                physical.drop_leftovers(connection, begun.table_id, begun.applied, LEFTOVER_LOCK_TIMEOUT_MS)
            except LockNotAvailable:
                self.tables.abandon(begun)  # whoever meets the operation next drops them
            else:
                self.tables.finish(begun, begun.applied)
            raise

    def _run(self, connection: PgConnection, begun: TableRecord, step: Step) -> None:
        """Do step 2, repeatedly while others lock the table; undo it at once if it fails for good.

        Raises Fenced if another has shut the operation out, _Interrupted if the connection broke: it may have
        been committed.
        """
        waiting = Waiting(LOCK_WAIT_SECONDS)
        try:
            while True:
                try:
                    with connection.transaction():
                        execute(connection, "SET LOCAL lock_timeout = {}", DDL_LOCK_TIMEOUT_MS)
                        step(connection)
                except LockNotAvailable:
                    waiting.pause()
                else:
                    return
        except Fenced:
            raise
        except Exception as error:
            if connection.broken:
                raise _Interrupted(begun.table_id) from error
            self.tables.finish(begun, replace(begun.applied, deleted=begun.state == "creating"))
            raise

    def _change(
        self,
        connection: PgConnection,
        table: TableRecord,
        plan: ColumnPlan,
        applied: Applied,
        change: TableChange,
    ) -> None:
        lock_version(connection, table.table_id, table.version)
        if change.unused_columns:
            drop_added(connection, table.table_id, table.display_name, change.job_id, list(plan.hidden))
            plan = replace(plan, hidden={})  # they have no values to hide
        _keep_history(connection, table, applied)
        if applied.status != table.status:
            # Until nobody writes to the table; nobody does until the transaction ends, and readers go on.
            execute(connection, "LOCK TABLE {} IN SHARE MODE", physical.physical_name(table.display_name))
        converted = plan.converted_from
        constraints = Constraints(connection, table.table_id, self.zone)
        refuse_referred(connection, table.table_id, converted | plan.renamed.keys() | plan.hidden.keys())
        constraints.drop_others(table.applied, plan, applied)
        if converted and (table.key or table.indexes):
            physical.drop_indexes_of(connection, table.table_id, table.applied, converted)
        if plan.alters:
            change_physical_columns(connection, table.table_id, table.display_name, plan, self.zone)
            follow_columns_in_recipe(connection, table.table_id, plan)
            follow_columns_in_memory(connection, table.table_id, plan)
        if applied.display_name != table.display_name:
            physical.rename_physical_table(connection, table.display_name, applied.display_name)
        if (applied.key, applied.indexes) != (table.key, table.indexes) or converted:
            with translated_references():
                physical.align_indexes(connection, table.table_id, applied)
        constraints.add(applied)
        was = kept_rules(table.applied, replace(plan, hidden={}))
        record_rule_changes(connection, table.table_id, was, applied, change.user_id)
        if plan.renamed or physical.comments_of(applied) != physical.comments_of(table.applied):
            physical.write_comments(connection, applied)
        _follow_claims(connection, table.table_id, change, plan)
        record_change(connection, table.table_id, applied)


def _keep_history(connection: PgConnection, table: TableRecord, applied: Applied) -> None:
    """Begin, or end, to record what becomes of the table's rows, if that is asked for."""
    if applied.history != table.history:
        keep_or_forget = start_history if applied.history else stop_history
        keep_or_forget(connection, table.table_id, physical.physical_name(table.display_name))


def _follow_claims(connection: PgConnection, table_id: str, change: TableChange, plan: ColumnPlan) -> None:
    """Record the columns that a job adds; whoever states all columns makes them the table's for good."""
    if change.columns is not None:
        forget_added(connection, table_id)
    elif change.job_id is not None and plan.added:
        record_added(connection, table_id, change.job_id, [placed.column.name for placed in plan.added])


class _Interrupted(Exception):  # noqa: N818 - an outcome, not a fault
    """The connection was lost: end the operation by what is there, and begin again where it was not done."""


def _committed(outcome: Exception, found: TableRecord | None, attempt: _Attempt) -> TableRecord | None:
    """Return the table where the operation was done, and only the answer of its commit was lost."""
    is_done = attempt.applied.deleted if found is None else found.applied == attempt.applied
    return (found or attempt.begun) if is_done and isinstance(outcome, _Interrupted) else None


def _begun(table: TableRecord, kind: PendingKind, new_name: str | None = None) -> TableRecord:
    return replace(table, pending=Pending(new_record_id(), kind, table.version, timestamp(), new_name))
