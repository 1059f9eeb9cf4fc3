"""Cancelling a job, in any state: one store decides, the rest follows and can be repeated.

A job that was never confirmed ends by its record alone. One that was may be committing at this moment, so
PostgreSQL decides: its load is interrupted, and it is shut out unless its rows are there. What remains
(the reserved name, the execution, the files) is cleared at once as far as possible, then by the sweep.
"""

from managed_tables.catalog.job_records import JobRecord
from managed_tables.errors import JOB_CANCELLED, JOB_FINISHED, JOB_NOT_FOUND, ApiError, JobError
from managed_tables.jobs.resolution import attempt, clear, resolve
from managed_tables.wiring.services import Services


def cancel_job(services: Services, job: JobRecord) -> None:
    """End the job as cancelled and clear what it has made; repeatable.

    Raises JOB_FINISHED where it has ended otherwise, its rows being committed included.
    """
    cancelled = _end(services, job)
    attempt(lambda: clear(services, cancelled), job.job_id)


def _end(services: Services, job: JobRecord) -> JobRecord:
    """Return the job as cancelled, by this call or another."""
    current: JobRecord | None = job
    while current is not None and not current.is_terminal:
        ended = _try_to_end(services, current)
        current = ended or services.jobs.find(job.company_id, job.job_id)
    if current is None:
        raise ApiError(JOB_NOT_FOUND)
    if not current.is_cancelled:
        raise ApiError(JOB_FINISHED)
    return current


def _try_to_end(services: Services, job: JobRecord) -> JobRecord | None:
    """Return the job as it ended; None where it has moved on since it was read."""
    error = JobError(JOB_CANCELLED)
    if job.confirmed_key is None:
        return services.jobs.fail(job, error.as_record())
    return resolve(services, job, error, interrupts=True)
