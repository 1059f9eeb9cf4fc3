"""Cancelling a job, in any state: one store decides, the rest follows and can be repeated.

A job that was never confirmed ends by its record alone. One that was may be committing at this moment, so
PostgreSQL decides: its load is interrupted, and it is shut out unless its rows are there. What remains
(the reserved name, the execution, the files) is cleared at once as far as possible, and by the sweep until
no worker can write any more.
"""

from datetime import UTC, datetime

from managed_tables.aws.executions import ExecutionsUnavailable
from managed_tables.aws.observability import get_logger
from managed_tables.aws.storage import job_prefixes
from managed_tables.catalog.jobs import JobRecord
from managed_tables.clock import parse_timestamp
from managed_tables.errors import JOB_CANCELLED, JOB_FINISHED, JOB_NOT_FOUND, ApiError, JobError
from managed_tables.jobs.resolution import resolve, take_back_columns
from managed_tables.services import Services

WORKER_LIFE_SECONDS = 960  # a Lambda lives 900 s: what one writes after a cancellation is there by then


def cancel_job(services: Services, job: JobRecord) -> None:
    """End the job as cancelled and clear what it has made; repeatable.

    Raises JOB_FINISHED where it has ended otherwise, its rows being committed included.
    """
    cancelled = _end(services, job)
    try:
        clear(services, cancelled)
    except (ApiError, ExecutionsUnavailable):
        # The job is cancelled, and its record says that files may be left: the sweep goes on.
        get_logger("jobs").warning("not all cleared", exc_info=True, job_id=job.job_id)


def _end(services: Services, job: JobRecord) -> JobRecord:
    """Return the job as cancelled, by this call or another."""
    current: JobRecord | None = job
    while current is not None and not current.is_terminal:
        ended = _try_to_end(services, current)
        current = ended or services.jobs.find(job.company_id, job.job_id)
    if current is None:
        raise ApiError(JOB_NOT_FOUND)
    if not current.is_cancelled:
        raise ApiError(JOB_FINISHED, status=current.status)
    return current


def _try_to_end(services: Services, job: JobRecord) -> JobRecord | None:
    """Return the job as it ended; None where it has moved on since it was read."""
    error = JobError(JOB_CANCELLED)
    if job.confirmed_key is None:
        return services.jobs.fail(job, error.as_record())
    return resolve(services, job, error, interrupts=True)


def clear(services: Services, job: JobRecord) -> None:
    """Free the name, stop the execution and delete the files of a cancelled job; repeatable."""
    if job.mode == "create" and job.reserved_table_id:
        services.upload_tables.release(services.provisioning.require(job.company_id), job.reserved_table_id)
    elif job.confirmed_key is not None:
        take_back_columns(services, services.provisioning.require(job.company_id), job)
    services.executions.stop(job)
    for prefix in job_prefixes(job.company_id, job.job_id):
        services.storage.delete_all(prefix)
    if (datetime.now(UTC) - parse_timestamp(job.updated_at)).total_seconds() > WORKER_LIFE_SECONDS:
        services.jobs.mark_cleared(job)
