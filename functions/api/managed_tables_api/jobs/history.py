"""All jobs of a company, page by page, those that have ended included."""

from dataclasses import dataclass

from managed_tables.catalog.jobs import JobRecord, Jobs
from managed_tables.clock import timestamp
from managed_tables_api.jobs.job_models import JobsQuery


@dataclass(frozen=True)
class JobPage:
    """A page of a company's jobs, and how many there are in all."""

    total: int
    jobs: list[JobRecord]


def list_jobs(jobs: Jobs, company_id: str, query: JobsQuery) -> JobPage:
    """Return a page of jobs, newest first; the latest changes may show a moment late."""
    found = list(jobs.list_ids(company_id, status=query.status, table_id=query.wanted_table_id))
    first = (query.page - 1) * query.per_page
    shown = jobs.find_all(company_id, found[first : first + query.per_page])
    now = timestamp()
    return JobPage(len(found), [(job.is_overdue(now) and jobs.expire(job)) or job for job in shown])
