"""End jobs: cancelled, failed, left without a table, or whatever PostgreSQL says that they came to.

A job that was never confirmed ends by its record alone. Of one that was, a worker may have died between its
commit and the job's record, or may still be running: only PostgreSQL knows whether its rows were loaded. So
the job is first shut out of the company's database: then its rows are there, or never will be. A cancellation
does not wait for a load that is under way, but interrupts it.

What a failed job has left (the reserved name, the execution, the files) is cleared afterwards, repeatably, so
that no job's end depends on it. Until no worker can write any more its record is marked `uncleared`, and the
sweep clears again.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from managed_tables.aws.executions import ExecutionsUnavailable
from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.job_records import JobRecord
from managed_tables.clock import parse_timestamp
from managed_tables.databases.applied import AppliedJob, shut_out_job
from managed_tables.errors import JOB_CANCELLED, JOB_FINISHED, TABLE_GONE, ApiError, JobError
from managed_tables.object_keys import job_prefixes
from managed_tables.observability import get_logger
from managed_tables.services import Services
from managed_tables.tables.hidden_columns import ColumnsInUse, find_added

WORKER_LIFE_SECONDS = 960  # a Lambda lives 900 s: what one writes after its job's end is there by then


def cancel_job(services: Services, job: JobRecord) -> None:
    """End the job as cancelled, in any state, and clear what it has made; repeatable.

    Raises JOB_FINISHED where it has ended otherwise, its rows being committed included.
    """
    while not job.is_terminal:
        error = JobError(JOB_CANCELLED)
        if job.confirmed_key is None:
            ended = services.jobs.fail(job, error.as_record())
        else:
            ended = resolve(services, job, error, interrupts=True)
        job = ended or services.jobs.get(job.company_id, job.job_id)  # it has moved on since it was read
    if not job.is_cancelled:
        raise ApiError(JOB_FINISHED)
    attempt(lambda: clear(services, job), job.job_id)


def end_jobs_of(services: Services, company_id: str, table_id: str) -> None:
    """End the jobs that were to load into a deleted table; what fails is left to the sweep."""
    try:
        for job in services.jobs.list_active(company_id):
            if job.user_table_id == table_id and is_orphan(services, job):
                end_orphan(services, job)
    except (ApiError, ExecutionsUnavailable):
        get_logger("jobs").warning("left to the sweep", exc_info=True, table_id=table_id)


def is_orphan(services: Services, job: JobRecord) -> bool:
    """Return whether the job's table is deleted, and nobody else finds that out.

    The inserting step does for a job that is confirmed; an unattended one then makes a table of that name.
    """
    if job.mode == "create" or job.is_terminal or job.goes_on_alone or job.status == "inserting":
        return False
    return services.tables.find(job.company_id, job.user_table_id or "") is None


def end_orphan(services: Services, job: JobRecord) -> JobRecord | None:
    """End the job as failed, with its execution; None where it has moved on since it was read."""
    ended = services.jobs.fail(job, JobError(TABLE_GONE).as_record())
    if ended is not None:
        services.executions.stop(job)
    return ended


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
        ended = shut_out_job(connection, job.job_id, table_id, error, interrupts=interrupts)
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
        services.reconciliation.end_reservation(company, applied.table_id)
    attempt(lambda: services.imports.remember(job, applied.table_id), job.job_id)
    return services.jobs.complete(job, applied.table_id, applied.result)


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
        services.reconciliation.end_reservation(company, job.reserved_table_id)


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
