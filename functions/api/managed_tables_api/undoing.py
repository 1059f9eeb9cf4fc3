"""Undo a job: first in the company's database, where it is done once, then in the job's record.

In the database it is one transaction, exact, and never over what others changed. A row counts as changed
since the load where its `xmin` is no longer the load's transaction. Writers of the table are kept out while
the transaction lasts, readers never: they see it as before, or with the load gone.
"""

from datetime import UTC, datetime, timedelta

from psycopg import errors as pg
from psycopg import sql
from psycopg.types.json import Jsonb
from pydantic import Field

from managed_tables import errors
from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.job_records import JobRecord
from managed_tables.databases.applied import add_to_count, find_applied
from managed_tables.databases.connecting import PgConnection, fetch_number, is_rehearsal, performed
from managed_tables.databases.statements import compose, execute
from managed_tables.details import Fault, detail
from managed_tables.documents.document import Count, Document
from managed_tables.errors import ApiError
from managed_tables.history import Actor, recorded_rows, row_cells, set_actor
from managed_tables.kept_rows import KEPT_AS, Undoable, column_names, drop_kept, kept_table, lock_undoable
from managed_tables.services import Services
from managed_tables.tables.constraints import rule_of
from managed_tables.tables.hidden_columns import HiddenColumn, find_hidden_columns
from managed_tables.tables.physical import physical_name
from managed_tables.tables.recipes import take_back_recipe
from managed_tables.wording import counted

# An earlier request is over by then: one that finds its work done and not recorded was cut off.
RECOVERED_AFTER = timedelta(seconds=3)

_ROW = sql.Identifier("$row")
GONE = "o prazo passou, ou outra carga substituiu as linhas, ou a tabela mudou de forma"
_UNDONE = "ela já foi desfeita"
_STRICTER = "a tabela passou a exigir o que as linhas de antes não têm"


class UndoAnswer(Document):
    """What was taken back."""

    removed: Count = Field(description="Linhas da carga que foram removidas")
    restored: Count = Field(description="Linhas que voltaram, ou que voltaram aos valores de antes")
    kept: Count = Field(description="Linhas alteradas desde a carga, que ficaram como estavam")


def undo_job(services: Services, job: JobRecord, user_id: str, *, force: bool) -> UndoAnswer:
    """Undo what the job did to its table.

    Raises NOT_UNDOABLE for a job that is not done, was undone, or is too old; CHANGED_SINCE where somebody
    changed its rows and `force` does not leave them as they are; TABLE_INACTIVE.
    """
    if job.status != "done":
        raise ApiError(errors.NOT_UNDOABLE, reason=f"o envio não terminou com sucesso (status: {job.status})")
    if job.undone_at is not None:
        raise ApiError(errors.NOT_UNDOABLE, reason=_UNDONE)
    company = services.provisioning.require(job.company_id)
    actor = Actor(user_id, "undo", services.settings.history_days, job.job_id)
    try:
        undone = _recover(services, company, job) or _undo(services, company, job, actor, force=force)
    except ApiError as error:
        is_lost = error.kind is errors.DATABASE_UNAVAILABLE
        found = _recover(services, company, job, lost=True) if is_lost else None
        if found is None:
            raise
        undone = found
    if not is_rehearsal():
        services.imports.forget(job)  # the same files may come again without a warning
        services.jobs.record_undone(job)
    return undone


def _recover(
    services: Services, company: ConnectionRecord, job: JobRecord, *, lost: bool = False
) -> UndoAnswer | None:
    """Return the outcome of an interrupted request that did undo the job; raises NOT_UNDOABLE otherwise.

    `lost`: the request is this one, whose connection broke.
    """
    with services.open_company(company) as connection:
        row = connection.execute(
            "SELECT outcome, undone_at FROM managed_tables.undoable_jobs"
            " WHERE job_id = %s AND undone_at IS NOT NULL",
            [job.job_id],
        ).fetchone()
    if row is None:
        return None
    is_known = is_rehearsal() or (not lost and datetime.now(UTC) - row[1] < RECOVERED_AFTER)
    if is_known or services.jobs.record_undone(job) is None:
        raise ApiError(errors.NOT_UNDOABLE, reason=_UNDONE)
    return UndoAnswer.read(row[0])


def _undo(
    services: Services, company: ConnectionRecord, job: JobRecord, actor: Actor, *, force: bool
) -> UndoAnswer:
    """Undo the job; in a rehearsal nothing of it stays."""
    if job.mode == "create":
        try:
            return _delete_table(services, company, job)
        except ApiError as error:
            if error.kind is not errors.CHANGED_SINCE or not force:
                raise
    # Of a table whose rows have changed since, those that have not are taken back.
    with services.open_company(company) as connection, performed(connection), connection.transaction():
        return undo_load(connection, job, services.settings.undo_days, actor, force=force)


def _delete_table(services: Services, company: ConnectionRecord, job: JobRecord) -> UndoAnswer:
    """Delete the table that the job made, softly, unless it has rows that are not as the load left them."""
    undone: list[UndoAnswer] = []

    def step(connection: PgConnection) -> None:
        undone[:] = [undo_creation(connection, job, services.settings.undo_days)]

    if is_rehearsal():
        with services.open_company(company) as connection, performed(connection):
            step(connection)
        return undone[0]
    try:
        services.table_operations.delete(company, job.user_table_id or "", before=step)
    except ApiError as error:
        if error.kind is errors.TABLE_NOT_FOUND:
            raise ApiError(errors.NOT_UNDOABLE, reason="a tabela foi excluída") from error
        raise
    return undone[0]


def undo_load(
    connection: PgConnection, job: JobRecord, days: int, actor: Actor, *, force: bool
) -> UndoAnswer:
    """Remove the job's rows and restore the earlier ones, in the caller's transaction.

    Raises NOT_UNDOABLE, TABLE_INACTIVE, and CHANGED_SINCE unless `force`: the transaction must roll back.
    """
    set_actor(connection, actor)
    load, table, key = _hold(connection, job, days)
    places = table, load.first_id, load.last_id, load.xid
    form = "SELECT count(*) FROM {} WHERE id BETWEEN {} AND {} AND xmin <> {}::xid"
    changed = fetch_number(connection, compose(form, *places))  # those that were deleted since are gone
    form = "DELETE FROM {} WHERE id BETWEEN {} AND {} AND xmin = {}::xid"
    try:
        removed = execute(connection, form, *places).rowcount
    except pg.ForeignKeyViolation as error:
        raise _refused(error) from error
    taken, back, restored, lost = _restore(connection, load, table, key)
    removed += taken
    undone = UndoAnswer(removed=removed, restored=restored, kept=changed + lost)
    _refuse_changed(undone.kept, force=force)
    take_back_recipe(connection, load.table_id, load.job_id)
    return _record(connection, load, undone, back - removed)


def undo_creation(connection: PgConnection, job: JobRecord, days: int) -> UndoAnswer:
    """Record that the job's table is taken back, in the transaction that deletes it.

    Raises NOT_UNDOABLE, and CHANGED_SINCE where the table has rows that are not as the load left them.
    """
    load, table, _ = _hold(connection, job, days)
    form = "SELECT count(*), count(*) FILTER (WHERE xmin <> {}::xid OR id NOT BETWEEN {} AND {}) FROM {}"
    row = execute(connection, form, load.xid, load.first_id, load.last_id, table).fetchone()
    total, changed = row or (0, 0)
    _refuse_changed(changed, force=False)
    return _record(connection, load, UndoAnswer(removed=total, restored=0, kept=0), 0)


def _hold(
    connection: PgConnection, job: JobRecord, days: int
) -> tuple[Undoable, sql.Identifier, tuple[str, ...]]:
    """Lock the table against writers, then the load, as others do; return the table's name and key, too."""
    table_id = job.user_table_id or ""
    connection.execute("SELECT FROM managed_tables.tables WHERE table_id = %s FOR SHARE", [table_id])
    applied = find_applied(connection, table_id)
    if applied is None or applied.deleted:
        raise ApiError(errors.NOT_UNDOABLE, reason="a tabela foi excluída")
    if applied.status != "active":
        raise ApiError(errors.TABLE_INACTIVE)
    table = physical_name(applied.display_name)
    execute(connection, "LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", table)
    load = lock_undoable(connection, job.job_id, days)
    if load is None:
        raise ApiError(errors.NOT_UNDOABLE, reason=GONE)
    return load, table, applied.key or ()


def _restore(
    connection: PgConnection, load: Undoable, table: sql.Identifier, key: tuple[str, ...]
) -> tuple[int, int, int, int]:
    """Restore kept rows; return how many went, came back, and in all are as before, and how many are not.

    These others have changed since.

    One whose key a changed row of the load has is that row, which is counted already.
    """
    if not load.has_kept:
        return 0, 0, 0, 0
    kept = kept_table(load.job_id)
    own, names = set(column_names(connection, table)), column_names(connection, kept)
    for hidden in find_hidden_columns(connection, load.table_id):
        if hidden.hidden_name in names:
            connection.execute(_hidden_values_back(load, table, hidden))
    names = [name for name in names if name in own]
    total = fetch_number(connection, compose("SELECT count(*) FROM {}", kept))
    try:
        taken, back, changed = _undo_rows(connection, load, table, names)
    except pg.IntegrityError as error:
        raise _refused(error) from error
    restored = back + changed
    if taken + restored == total:
        return taken, back, restored, 0
    if load.mode == "replace":
        _refuse_repeated(connection, load, table, key, names)
    known = _count_replaced(connection, load, table, key) if load.mode == "replace" and key else 0
    return taken, back, restored, total - taken - restored - known


def _undo_rows(
    connection: PgConnection, load: Undoable, table: sql.Identifier, names: list[str]
) -> tuple[int, int, int]:
    """Return how many rows went that were not there before, came back, and have their values of before."""
    kept, parameters = kept_table(load.job_id), {"table_id": load.table_id}
    every = compose("true")
    if load.mode == "replace":
        return 0, connection.execute(_rows_back(table, kept, names, every), parameters).rowcount, 0
    if load.mode != "merge":
        return 0, 0, connection.execute(_values_back(load, table, names, every)).rowcount
    form = (
        "DELETE FROM {} AS present USING {} AS kept"
        " WHERE {} AND present.id = kept.id AND present.xmin = {}::xid"
    )
    taken = execute(connection, form, table, kept, _is_kept_as("revived"), load.xid).rowcount
    changed = connection.execute(_values_back(load, table, names, _is_kept_as("changed"))).rowcount
    back = connection.execute(_rows_back(table, kept, names, _is_kept_as("deleted")), parameters).rowcount
    return taken, back, changed


def _is_kept_as(kind: str) -> sql.Composed:
    return compose("kept.{:i} = {}", KEPT_AS, kind)


def _refused(error: pg.IntegrityError) -> ApiError:
    """Return which rule does not let rows go, or come back, NOT_UNDOABLE where it is none."""
    named = rule_of(error.diag.constraint_name)
    if named is None:
        return ApiError(errors.NOT_UNDOABLE, reason=_STRICTER)
    rule, table = named[1], error.diag.table_name
    reason = (
        f"a regra {rule} da tabela {table} não deixa desfazer: mude ou tire a regra, ou as linhas que ela"
        " protege, e desfaça de novo"
    )
    fault = Fault("RULE_BROKEN", reason)
    return ApiError(errors.RULE_BROKEN, [detail("body", fault, rule=rule)], reason=fault.reason)


def _refuse_repeated(
    connection: PgConnection, load: Undoable, table: sql.Identifier, key: tuple[str, ...], names: list[str]
) -> None:
    """Raise RULE_BROKEN where a rule of unique values is what keeps rows of before from coming back.

    They are nobody's changed rows, and would be left out in silence.
    """
    is_present = (
        compose("kept.id = present.id OR {}", _same_key(key)) if key else compose("kept.id = present.id")
    )
    form = (
        "INSERT INTO {table} ({names:i}) SELECT {names:i} FROM {kept} AS kept"
        " WHERE NOT EXISTS (SELECT FROM {table} AS present WHERE {is_present})"
    )
    statement = compose(form, table=table, names=names, kept=kept_table(load.job_id), is_present=is_present)
    try:
        with connection.transaction():
            connection.execute(statement)
    except pg.UniqueViolation as error:
        if rule_of(error.diag.constraint_name) is not None:
            raise _refused(error) from error


def _count_replaced(
    connection: PgConnection, load: Undoable, table: sql.Identifier, key: tuple[str, ...]
) -> int:
    """Count the rows of before whose key a changed row of the load has, and which are not back therefore."""
    form = (
        "SELECT count(*) FROM {} AS kept JOIN {} AS present ON {}"
        " WHERE present.id BETWEEN {} AND {} AND kept.id <> present.id"
    )
    parts = kept_table(load.job_id), table, _same_key(key), load.first_id, load.last_id
    return fetch_number(connection, compose(form, *parts))


def _same_key(key: tuple[str, ...]) -> sql.Composed:
    return sql.SQL(" AND ").join(compose("kept.{name:i} = present.{name:i}", name=name) for name in key)


def _rows_back(
    table: sql.Identifier, kept: sql.Identifier, names: list[str], which: sql.Composed
) -> sql.Composed:
    """Return the statement that inserts the rows of before, but those whose key others have taken."""
    return compose(
        "WITH back AS (INSERT INTO {table} AS {row} ({names:i}) SELECT {names:i} FROM {kept} AS kept"
        " WHERE {which}"
        " ON CONFLICT DO NOTHING RETURNING id, {cells}), {recorded} SELECT FROM back",
        table=table,
        kept=kept,
        which=which,
        names=names,
        row=_ROW,
        cells=row_cells(_ROW),
        recorded=recorded_rows(sql.SQL("back"), "restore"),
    )


def _values_back(
    load: Undoable, table: sql.Identifier, names: list[str], which: sql.Composed
) -> sql.Composed:
    """Return the statement that gives rows that nobody changed their values back, and writes each of them."""
    changes = [compose("{:i} = kept.{:i}", name, name) for name in names]  # there may be the id alone
    form = (
        "UPDATE {} AS present SET {} FROM {} AS kept"
        " WHERE {} AND present.id = kept.id AND present.xmin = {}::xid"
    )
    return compose(form, table, changes, kept_table(load.job_id), which, load.xid)


def _hidden_values_back(load: Undoable, table: sql.Identifier, hidden: HiddenColumn) -> sql.Composed:
    """Return the statement that puts the values of before where a column taken out since has its own."""
    form = (
        "MERGE INTO {place} AS own USING (SELECT kept.id, kept.{name:i} AS value FROM {kept} AS kept"
        " LEFT JOIN {table} AS present USING (id) WHERE {is_replaced} OR present.xmin = {xid}::xid) AS kept"
        " ON own.id = kept.id WHEN MATCHED THEN UPDATE SET {name:i} = kept.value"
        " WHEN NOT MATCHED AND kept.value IS NOT NULL THEN INSERT (id, {name:i}) VALUES (kept.id, kept.value)"
    )
    parts = {"place": hidden.kept_in, "name": hidden.hidden_name, "kept": kept_table(load.job_id)}
    is_replaced: object = load.mode == "replace"
    if load.mode == "merge":
        is_replaced = _is_kept_as("deleted")
    return compose(form, **parts, table=table, xid=load.xid, is_replaced=is_replaced)


def _refuse_changed(count: int, *, force: bool) -> None:
    if count and not force:
        rows = counted(count, "linha mudou", "linhas mudaram")
        fault = Fault("ROW_CHANGED", f"{rows} depois desta carga")
        raise ApiError(errors.CHANGED_SINCE, [detail("row", fault, value=count)], changed=rows)


def _record(connection: PgConnection, load: Undoable, undone: UndoAnswer, change: int) -> UndoAnswer:
    """Record and return what was done, count the rows, and drop what was kept, but an upsert's history."""
    has_kept = load.mode == "upsert" and load.has_kept
    connection.execute(
        "UPDATE managed_tables.undoable_jobs SET undone_at = now(), has_kept = %s, outcome = %s"
        " WHERE job_id = %s",
        [has_kept, Jsonb(undone.as_json()), load.job_id],
    )
    add_to_count(connection, load.table_id, change)
    if not has_kept:
        drop_kept(connection, load.job_id)
    return undone
