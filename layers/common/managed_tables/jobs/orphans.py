"""Jobs whose table is deleted before their rows go in: they end at once, and say why."""

from managed_tables.aws.executions import ExecutionsUnavailable
from managed_tables.catalog.job_records import JobRecord
from managed_tables.errors import TABLE_GONE, ApiError, JobError
from managed_tables.observability import get_logger
from managed_tables.wiring.services import Services


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
