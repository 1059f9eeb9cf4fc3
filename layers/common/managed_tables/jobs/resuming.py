"""Let the execution of a job that waited go on, as the job's record says.

Whoever finds the task token in the record may do so again: a token that is spent is no fault.
"""

from managed_tables.aws.executions import ExecutionsUnavailable
from managed_tables.aws.observability import get_logger
from managed_tables.catalog.jobs import JobRecord
from managed_tables.services import Services


def has_moved_on(job: JobRecord) -> bool:
    """Return whether the job has been taken out of its wait while its execution may not know of it."""
    if job.task_token is None:
        return False
    return job.status == "inserting" or (job.status == "analisando" and job.wish_key is not None)


def resume(services: Services, job: JobRecord) -> None:
    """Tell the execution where the job goes, and drop the token; raises ExecutionsUnavailable."""
    if job.task_token is None:
        return
    if job.status == "analisando":
        services.executions.reanalyze(job.task_token)
    else:
        services.executions.confirm(job.task_token)
    services.jobs.forget_token(job)


def try_to_resume(services: Services, job: JobRecord) -> None:
    """Tell the execution what comes next; if that fails, the sweep repeats it."""
    try:
        resume(services, job)
    except ExecutionsUnavailable:
        get_logger("api").error("execution not told", exc_info=True, job_id=job.job_id, status=job.status)
