"""Which files were imported into which tables: by the digest of their bytes, as long as jobs are kept."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from managed_tables.catalog.items import ConditionFailed, Items, Record
from managed_tables.catalog.job_records import JobRecord
from managed_tables.catalog.keys import IMPORT, item_key
from managed_tables.clock import expiry, timestamp

_NEW_TABLE = "new"  # in the place of a table's id: what a file was imported as


@dataclass(frozen=True)
class Import(Record):
    """An import of a file: by which job, and when."""

    job_id: str
    imported_at: str


class Imports:
    """The imports of the catalog."""

    def __init__(self, items: Items, retention_days: int) -> None:
        self._items = items
        self._retention_days = retention_days

    def find(self, job: JobRecord, digest: str) -> Import | None:
        """Return the last import of a file into the job's table, or as a new one if it makes one."""
        item = self._items.find(item_key(job.company_id, IMPORT, job.user_table_id or _NEW_TABLE, digest))
        if item is None or item["job_id"] == job.job_id:
            return None
        return Import.read(item)

    def remember(self, job: JobRecord, table_id: str, condition: str = "", **values: str) -> None:
        """Keep which files a job has brought into its table; repeatable."""
        imported = {"job_id": job.job_id, "imported_at": timestamp(), "ttl": expiry(self._retention_days)}
        for key in _keys(job, table_id):
            self._items.put({**key, **imported}, condition, **values)

    def claim(self, job: JobRecord, table_id: str) -> bool:
        """Keep the files as this job's before it loads them; False where another has brought one of them."""
        try:
            self.remember(job, table_id, "attribute_not_exists(pk) OR job_id = :own", own=job.job_id)
        except ConditionFailed:
            self.forget(job)
            return False
        return True

    def forget(self, job: JobRecord) -> None:
        """Drop the imports of a job whose rows are gone, unless the same files were imported since."""
        for key in _keys(job, job.user_table_id or ""):
            with suppress(ConditionFailed):
                self._items.remove(key, "job_id = :job_id", job_id=job.job_id)


def _keys(job: JobRecord, table_id: str) -> Iterator[dict[str, str]]:
    places = (table_id, _NEW_TABLE) if job.mode == "create" else (table_id,)
    for digest in job.digests:
        for place in places:
            yield item_key(job.company_id, IMPORT, place, digest)
