"""Undo a job: first in the company's database, where it is done once, then in the job's record."""

from datetime import UTC, datetime, timedelta

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.job_records import JobRecord
from managed_tables.databases.connecting import PgConnection
from managed_tables.databases.rehearsing import is_rehearsal, performed
from managed_tables.errors import CHANGED_SINCE, NOT_UNDOABLE, TABLE_NOT_FOUND, ApiError
from managed_tables.history.recording import Actor
from managed_tables.undo.undoing import Undone, find_outcome, undo_creation, undo_load
from managed_tables.wiring.services import Services

# An earlier request is over by then: one that finds its work done and not recorded was cut off.
RECOVERED_AFTER = timedelta(seconds=3)


def undo_job(services: Services, job: JobRecord, user_id: str, *, force: bool) -> Undone:
    """Undo what the job did to its table.

    Raises NOT_UNDOABLE for a job that is not done, was undone, or is too old; CHANGED_SINCE where somebody
    changed its rows and `force` does not leave them as they are; TABLE_INACTIVE.
    """
    if job.status != "done":
        raise ApiError(NOT_UNDOABLE, reason=f"o envio não terminou com sucesso (status: {job.status})")
    if job.undone_at is not None:
        raise ApiError(NOT_UNDOABLE, reason="ela já foi desfeita")
    company = services.provisioning.require(job.company_id)
    if is_rehearsal():
        return _rehearse(services, company, job, user_id, force=force)
    undone = _recover(services, company, job) or _undo(services, company, job, user_id, force=force)
    services.imports.forget(job)  # the same files may come again without a warning
    services.jobs.record_undone(job)
    return undone


def _recover(services: Services, company: ConnectionRecord, job: JobRecord) -> Undone | None:
    """Return the outcome of an interrupted request that did undo the job; raises NOT_UNDOABLE otherwise."""
    with services.open_company(company) as connection:
        outcome = find_outcome(connection, job.job_id)
    if outcome is None:
        return None
    if datetime.now(UTC) - outcome.undone_at < RECOVERED_AFTER or services.jobs.record_undone(job) is None:
        raise ApiError(NOT_UNDOABLE, reason="ela já foi desfeita")
    return outcome.undone


def _undo(
    services: Services, company: ConnectionRecord, job: JobRecord, user_id: str, *, force: bool
) -> Undone:
    if job.mode == "create":
        try:
            return _delete_table(services, company, job)
        except ApiError as error:
            if error.kind is not CHANGED_SINCE or not force:
                raise
    actor = Actor(user_id, "undo", services.settings.history_days, job.job_id)
    with services.open_company(company) as connection, connection.transaction():
        return undo_load(connection, job.job_id, services.settings.undo_days, actor, force=force)


def _rehearse(
    services: Services, company: ConnectionRecord, job: JobRecord, user_id: str, *, force: bool
) -> Undone:
    """Return what undoing the job would do; nothing of it stays."""
    days, actor = (
        services.settings.undo_days,
        Actor(user_id, "undo", services.settings.history_days, job.job_id),
    )
    with services.open_company(company) as connection, performed(connection):
        if find_outcome(connection, job.job_id) is not None:
            raise ApiError(NOT_UNDOABLE, reason="ela já foi desfeita")
        if job.mode == "create":
            try:
                with connection.transaction():
                    return undo_creation(connection, job.job_id, days)
            except ApiError as error:
                if error.kind is not CHANGED_SINCE or not force:
                    raise
        return undo_load(connection, job.job_id, days, actor, force=force)


def _delete_table(services: Services, company: ConnectionRecord, job: JobRecord) -> Undone:
    """Delete the table that the job made, softly, unless it has rows that are not as the load left them."""
    undone: list[Undone] = []

    def step(connection: PgConnection) -> None:
        undone[:] = [undo_creation(connection, job.job_id, services.settings.undo_days)]

    try:
        services.table_operations.delete(company, job.user_table_id or "", before=step)
    except ApiError as error:
        if error.kind is TABLE_NOT_FOUND:
            raise ApiError(NOT_UNDOABLE, reason="a tabela foi excluída") from error
        raise
    return undone[0]
