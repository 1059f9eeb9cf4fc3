"""Owns the end of a job that was inserting when its execution ended: PostgreSQL alone knows whether it has.

A worker may have died between its commit and the job's record, or may still be at work. So the job is shut
out of the company's database first: then its rows are there for good, or never will be.
"""

from managed_tables.catalog.jobs import JobRecord
from managed_tables.databases.applied import shut_out_job
from managed_tables.errors import JOB_FAULT, JobError
from managed_tables.services import Services


def settle(services: Services, job: JobRecord) -> JobRecord | None:
    """End the job as `done` or `failed`, whichever is true; None where it has ended already. Repeatable.

    Raises ApiError where the database does not answer, or the rows are being loaded at this moment.
    """
    company = services.provisioning.require(job.company_id)
    table_id = job.reserved_table_id or job.user_table_id or ""  # neither: rejected, so nothing was loaded
    with services.open_company(company) as connection:
        is_loaded = shut_out_job(connection, job.job_id, table_id)
    if is_loaded:
        if job.mode == "create":
            services.upload_tables.finalise(company, table_id)
        return services.jobs.complete(job.company_id, job.job_id, table_id)
    failed = services.jobs.fail(job.company_id, job.job_id, JobError(JOB_FAULT).as_record())
    if job.mode == "create" and table_id:
        services.upload_tables.release(company, table_id)
    return failed
