"""Reading the jobs' records: one, a company's, or all that something is left to do of."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice

from managed_tables.catalog.items import Item, Items
from managed_tables.catalog.job_records import TERMINAL_STATUSES, UNREADABLE, JobRecord, JobStatus, read_job
from managed_tables.catalog.keys import ACTIVE_JOBS_INDEX, JOB_HISTORY_INDEX, company_pk, job_key
from managed_tables.details import MAX_ERROR_DETAILS
from managed_tables.observability import get_logger

READ_AT_ONCE = 8  # records of one page of jobs


class UnreadableJobs(Exception):  # noqa: N818 - what it names
    """Records that are no jobs, by their keys: a later release's, or somebody's hand."""


class JobReader:
    """Reads the jobs' records."""

    def __init__(self, items: Items) -> None:
        self._items = items

    def find(self, company_id: str, job_id: str) -> JobRecord | None:
        """Return a job of the company."""
        item = self._items.find(job_key(company_id, job_id))
        return None if item is None else read_job(item)

    def find_all(self, company_id: str, job_ids: Sequence[str]) -> list[JobRecord]:
        """Return those of the jobs that there are and that can be read, in this order."""
        with ThreadPoolExecutor(READ_AT_ONCE) as pool:
            items = pool.map(lambda job_id: self._items.find(job_key(company_id, job_id)), job_ids)
            return list(_readable(item for item in items if item is not None))

    def list_ids(
        self, company_id: str, *, status: JobStatus | None = None, table_id: str | None = None
    ) -> Iterator[str]:
        """Yield the ids of the company's jobs, newest first; a change may show a moment late."""
        for item in self._items.query_index(JOB_HISTORY_INDEX, "company_id", company_id):
            if status in (None, item["status"]) and table_id in (None, item.get("user_table_id")):
                yield item["job_id"]

    def list_active(self, company_id: str) -> Iterator[JobRecord]:
        """Yield the company's jobs that are not terminal, newest first; a change may show a moment late.

        Records that cannot be read are left out, and logged: the company goes on with its other jobs.
        """
        return (job for job in _readable(self._active_items(company_id)) if not job.is_terminal)

    def is_loaded(self, company_id: str, table_id: str, *, by_others_than: str) -> bool:
        """Return whether another job is loading into the table; one that cannot be read may be."""
        for item in self._active_items(company_id):
            try:
                job = read_job(item)
            except UNREADABLE:
                return True
            if (job.status, job.user_table_id) == ("inserting", table_id) and job.job_id != by_others_than:
                return True
        return False

    def _active_items(self, company_id: str) -> Iterator[Item]:
        return self._items.query_index(ACTIVE_JOBS_INDEX, "active_pk", company_pk(company_id))

    def count_active(self, company_id: str, limit: int) -> int:
        """Return how many of the company's jobs are not terminal, counted no further than to `limit`."""
        active = (item for item in self._active_items(company_id) if item["status"] not in TERMINAL_STATUSES)
        return sum(1 for _ in islice(active, limit))

    def scan_unfinished(self) -> Iterator[JobRecord]:
        """Yield every company's jobs that are not terminal, or whose end is not all done.

        Raises UnreadableJobs after the last one.
        """
        unreadable: list[str] = []
        for item in self._items.scan_index(ACTIVE_JOBS_INDEX):
            try:
                job = read_job(item)
            except UNREADABLE:
                unreadable.append(f"{item['pk']} {item['sk']}")
            else:
                yield job
        if unreadable:
            raise UnreadableJobs(", ".join(unreadable[:MAX_ERROR_DETAILS]))


def _readable(items: Iterable[Item]) -> Iterator[JobRecord]:
    """Yield the jobs of the items, and log those that are none: a later release's, or somebody's hand."""
    for item in items:
        try:
            yield read_job(item)
        except UNREADABLE:
            get_logger("jobs").error("job cannot be read", exc_info=True, job_id=item.get("job_id"))
