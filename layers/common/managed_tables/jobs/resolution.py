"""Resolve the end of a job whose rows may have been loaded: only PostgreSQL knows whether they were.

A worker may have died between its commit and the job's record, or may still be running. So the job is first
shut out of the company's database: then its rows are there, or never will be.
"""

from managed_tables.aws.observability import get_logger
from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.jobs import JobRecord
from managed_tables.databases.applied import AppliedJob, interrupt_and_shut_out, shut_out_job
from managed_tables.errors import ApiError, JobError
from managed_tables.services import Services
from managed_tables.tables.columns.added_columns import ColumnsInUse, find_added


def resolve(
    services: Services, job: JobRecord, error: JobError, *, interrupts: bool = False
) -> JobRecord | None:
    """End the job as `done`, or as `failed` with this error, whichever is true. Repeatable.

    A load that is under way is waited for, unless this `interrupts` it. None where the job has ended already,
    or was confirmed since it was read. Raises ApiError where the database does not answer, or the rows are
    being loaded at this moment.
    """
    company = services.provisioning.require(job.company_id)
    table_id = job.reserved_table_id or job.user_table_id or ""  # neither: rejected, so nothing was loaded
    with services.open_company(company) as connection:
        shut_out = interrupt_and_shut_out if interrupts else shut_out_job
        applied = shut_out(connection, job.job_id, table_id, error.kind)
    if applied is not None:
        return complete(services, company, job, applied)
    if not interrupts:  # a cancellation does not wait: the rest is cleared afterwards
        take_back_columns(services, company, job)
    failed = services.jobs.fail(job, error.as_record())
    if job.mode == "create" and job.reserved_table_id:
        services.upload_tables.release(company, job.reserved_table_id)
    return failed


def take_back_columns(services: Services, company: ConnectionRecord, job: JobRecord) -> None:
    """Drop the columns that a job has added which will never load its rows; repeatable.

    They stay where somebody uses them by now, where the table is busy, and while another job loads into it.
    """
    if job.mode == "create" or job.confirmed_key is None:
        return
    with services.open_company(company) as connection:
        added = find_added(connection, job.job_id)
    if added is None or services.jobs.is_loaded(job.company_id, added[0], by_others_than=job.job_id):
        return
    try:
        services.table_operations.drop_added_columns(company, added[0], job.job_id, added[1])
    except (ColumnsInUse, ApiError):
        get_logger("jobs").warning("columns kept", exc_info=True, job_id=job.job_id)


def complete(
    services: Services, company: ConnectionRecord, job: JobRecord, applied: AppliedJob
) -> JobRecord | None:
    """Show the table whose rows are committed and end the job as `done`; repeatable.

    None where it has ended already, or was confirmed since `job` was read.
    """
    if job.mode == "create":
        services.upload_tables.finalise(company, applied.table_id)
    services.imports.remember(job, applied.table_id)
    return services.jobs.complete(job, applied.table_id, applied.result)
