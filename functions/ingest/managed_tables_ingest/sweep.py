"""Owns what nobody else will do: end jobs that nothing moves any more, and repeat what was not delivered."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from managed_tables.catalog.jobs import JobRecord
from managed_tables.clock import timestamp
from managed_tables.errors import JOB_FAULT, UPLOAD_EXPIRED, ApiError, JobError
from managed_tables.executions import ExecutionsUnavailable
from managed_tables.observability import get_logger, log_keys
from managed_tables.services import Services, load_services
from managed_tables_ingest.settlement import settle

SERVICE = "sweep"
QUIET_SECONDS = 60  # a job that changed later than this is being looked after


def sweep(services: Services) -> dict[str, int]:
    """Look at every job that is not terminal; return how many were moved in which way."""
    logger = get_logger(SERVICE)
    done: Counter[str] = Counter()
    now = datetime.now(UTC)
    quiet_before = timestamp(now - timedelta(seconds=QUIET_SECONDS))
    for job in services.jobs.scan_active():
        with log_keys(logger, company_id=job.company_id, job_id=job.job_id):
            try:
                outcome = sweep_job(services, job, timestamp(now), quiet_before)
            except (ExecutionsUnavailable, ApiError):
                logger.warning("left for the next sweep", exc_info=True)
                outcome = "left"
            if outcome:
                logger.info("swept", outcome=outcome, status=job.status)
                done[outcome] += 1
    return dict(done)


def sweep_job(services: Services, job: JobRecord, now: str, quiet_before: str) -> str | None:
    """Do what one job needs: `expired`, `started`, `confirmed`, `done`, `failed`, or None for nothing."""
    if job.is_overdue(now):
        return _expire(services, job)
    if job.updated_at > quiet_before or (job.status == "queued" and not job.has_all_files):
        return None
    state = services.executions.state_of(job)
    if state == "missing" and job.status == "queued":
        services.executions.start(job)
        return "started"
    if state != "running":
        return _fail(services, job)
    if job.status == "inserting" and job.task_token is not None:
        services.executions.confirm(job.task_token)
        services.jobs.forget_token(job)
        return "confirmed"
    return None


def _expire(services: Services, job: JobRecord) -> str | None:
    error = JobError(UPLOAD_EXPIRED).as_record()
    failed = services.jobs.fail(job.company_id, job.job_id, error, unless_arrived=len(job.files))
    return "expired" if failed else None


def _fail(services: Services, job: JobRecord) -> str | None:
    """End a job whose execution is over, unless it has ended since the index told of it."""
    current = services.jobs.find(job.company_id, job.job_id)
    if current is None or current.updated_at != job.updated_at:
        return None
    if current.status == "inserting":
        ended = settle(services, current)
        return ended.status if ended else None
    failed = services.jobs.fail(job.company_id, job.job_id, JobError(JOB_FAULT).as_record())
    return "failed" if failed else None


@cache
def _services() -> Services:
    return load_services()


def handler(_event: dict[str, Any], context: Any) -> dict[str, int]:
    """Sweep once."""
    logger = get_logger(SERVICE)
    with log_keys(logger, request_id=getattr(context, "aws_request_id", None)):
        return sweep(_services())
