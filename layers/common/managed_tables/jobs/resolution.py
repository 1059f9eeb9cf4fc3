"""Resolve the end of a job whose rows may have been loaded: only PostgreSQL knows whether they were.

A worker may have died between its commit and the job's record, or may still be running. So the job is first
shut out of the company's database: then its rows are there, or never will be.

What a failed job has left is cleared afterwards, repeatably, so that no job's end depends on it. Until no
worker can write any more its record is marked `uncleared`, and the sweep clears again.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.job_records import JobRecord
from managed_tables.clock import parse_timestamp
from managed_tables.databases.applied import AppliedJob, interrupt_and_shut_out, shut_out_job
from managed_tables.errors import TABLE_NOT_FOUND, ApiError, JobError
from managed_tables.object_keys import job_prefixes
from managed_tables.observability import get_logger
from managed_tables.tables.columns.added_columns import ColumnsInUse, find_added
from managed_tables.wiring.services import Services

WORKER_LIFE_SECONDS = 960  # a Lambda lives 900 s: what one writes after its job's end is there by then


def resolve(
    services: Services, job: JobRecord, error: JobError, *, interrupts: bool = False
) -> JobRecord | None:
    """End the job as `done`, or as `failed` with this error, whichever is true. Repeatable.

    Where a run before has died after it shut the job out, it is that run's error that counts.
    A load that is under way is waited for, unless this `interrupts` it. None where the job has ended already,
    or was confirmed since it was read. Raises ApiError where the database does not answer, or the rows are
    being loaded at this moment. What a failed job has made is taken back afterwards, whatever that raises.
    """
    company = services.provisioning.require(job.company_id)
    table_id = job.reserved_table_id or job.user_table_id or ""  # neither: rejected, so nothing was loaded
    with services.open_company(company) as connection:
        shut_out = interrupt_and_shut_out if interrupts else shut_out_job
        ended = shut_out(connection, job.job_id, table_id, error)
    if isinstance(ended, AppliedJob):
        return complete(services, company, job, ended)
    failed = services.jobs.fail(job, ended.as_record())
    if failed is not None and not interrupts:  # who cancels does not wait for it
        attempt(lambda: take_back(services, failed), job.job_id)
    return failed


def complete(
    services: Services, company: ConnectionRecord, job: JobRecord, applied: AppliedJob
) -> JobRecord | None:
    """Show the table whose rows are committed and end the job as `done`; repeatable.

    None where it has ended already, or was confirmed since `job` was read.
    """
    if job.mode == "create":
        _show_table(services, company, applied.table_id)
    attempt(lambda: services.imports.remember(job, applied.table_id), job.job_id)
    return services.jobs.complete(job, applied.table_id, applied.result)


def _show_table(services: Services, company: ConnectionRecord, table_id: str) -> None:
    try:
        services.upload_tables.finalise(company, table_id)
    except ApiError as error:
        if error.kind is not TABLE_NOT_FOUND:  # shown by an earlier run, and deleted by somebody since
            raise


def attempt(step: Callable[[], object], job_id: str) -> None:
    """Do this after the end of a job, if it can be done now; raises nothing: somebody does it later."""
    try:
        step()
    except Exception:
        get_logger("jobs").warning("left for later", exc_info=True, job_id=job_id)


def clear(services: Services, job: JobRecord) -> None:
    """Take back what the job has made; of a cancelled one stop the execution and delete the files, too."""
    take_back(services, job)
    if job.is_cancelled:
        services.executions.stop(job)
        for prefix in job_prefixes(job.company_id, job.job_id):
            services.storage.delete_all(prefix)
    if (datetime.now(UTC) - parse_timestamp(job.updated_at)).total_seconds() > WORKER_LIFE_SECONDS:
        services.jobs.mark_cleared(job)


def take_back(services: Services, job: JobRecord) -> None:
    """Give up the job's files; free the name of its new table, or drop the columns that it has added."""
    services.imports.forget(job)
    if job.confirmed_key is None:
        return
    company = services.provisioning.require(job.company_id)
    if job.mode != "create":
        _take_back_columns(services, company, job)
    elif job.reserved_table_id:
        services.upload_tables.release(company, job.reserved_table_id)


def _take_back_columns(services: Services, company: ConnectionRecord, job: JobRecord) -> None:
    """Drop the columns that a job has added which will never load its rows.

    They stay where somebody uses them by now, where the table is busy, and while another job loads into it.
    """
    with services.open_company(company) as connection:
        added = find_added(connection, job.job_id)
    if added is None or services.jobs.is_loaded(job.company_id, added[0], by_others_than=job.job_id):
        return
    try:
        services.table_operations.drop_added_columns(company, added[0], job.job_id, added[1])
    except (ColumnsInUse, ApiError):
        get_logger("jobs").warning("columns kept", exc_info=True, job_id=job.job_id)
