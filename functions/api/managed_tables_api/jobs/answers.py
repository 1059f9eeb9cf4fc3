"""Owns how a job looks in the API: its record and its documents in the contract's shape."""

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from managed_tables.catalog.jobs import JobRecord, Jobs
from managed_tables.clock import timestamp
from managed_tables.errors import JOB_NOT_FOUND, UPLOAD_EXPIRED, ApiError, JobError
from managed_tables.ids import is_record_id
from managed_tables.jobs.documents import JobDocuments

READ_AT_ONCE = 8  # documents of S3, for a list of jobs that nobody has asked for yet


def get_job(jobs: Jobs, company_id: str, job_id: str) -> JobRecord:
    """Return the company's job, ended if it is overdue; raises JOB_NOT_FOUND, for a malformed id too."""
    job = jobs.find(company_id, job_id.lower()) if is_record_id(job_id) else None
    if job is None:
        raise ApiError(JOB_NOT_FOUND)
    if job.is_overdue(timestamp()):
        return expire(jobs, job) or get_job(jobs, company_id, job_id)
    return job


def expire(jobs: Jobs, job: JobRecord) -> JobRecord | None:
    """End a job whose files have not arrived in time; None where they have by now."""
    error = JobError(UPLOAD_EXPIRED).as_record()
    return jobs.fail(job.company_id, job.job_id, error, unless_arrived=len(job.files))


def list_active_jobs(jobs: Jobs, documents: JobDocuments, company_id: str) -> list[dict[str, Any]]:
    """Return the answers of the company's jobs that have not ended, newest first."""
    now = timestamp()
    active = [job for job in jobs.list_active(company_id) if not (job.is_overdue(now) and expire(jobs, job))]
    return list(_answers(active, documents))


def _answers(jobs: list[JobRecord], documents: JobDocuments) -> Iterable[dict[str, Any]]:
    if len(jobs) < 2:
        return [job_answer(job, documents) for job in jobs]
    with ThreadPoolExecutor(READ_AT_ONCE) as pool:
        return pool.map(lambda job: job_answer(job, documents), jobs)


def job_answer(job: JobRecord, documents: JobDocuments) -> dict[str, Any]:
    """Return the contract's shape of a job, and `warnings`."""
    analysis = documents.find_analysis(job)
    confirmed = documents.find_confirmed(job)
    return {
        "_id": job.job_id,
        "company_id": job.company_id,
        "user_table_id": job.user_table_id,
        "files": [vars(file) for file in job.files],
        "mode": job.mode,
        "status": job.status,
        "inferred_schema": analysis["inferred_schema"] if analysis else None,
        "confirmed_schema": _confirmed_answer(confirmed) if confirmed else None,
        "progress": job.progress if job.status == "inserting" else None,
        "error": job.error,
        "warnings": job.warnings,
        "created_at": job.created_at,
        "updated_at": job.updated_at,
    }


def _confirmed_answer(confirmed: dict[str, Any]) -> dict[str, Any]:
    return {"display_name": confirmed["display_name"], "columns": confirmed["columns"]}
