"""Read a job's documents from S3: its analysis and its confirmed schema."""

import threading
from collections import OrderedDict
from typing import Any

from managed_tables.aws.storage import Storage
from managed_tables.catalog.jobs import JobRecord

CACHED_DOCUMENTS = 64  # a console polls few jobs at a time; a document of 1,500 columns takes about 1 MB


class JobDocuments:
    """The documents of jobs, the last ones used kept: neither kind changes under its key once written."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._kept: OrderedDict[str, Any] = OrderedDict()
        self._lock = threading.Lock()

    def find_analysis(self, job: JobRecord) -> dict[str, Any] | None:
        """Return the analysis (docs/data.md); None before there is one, and once it is deleted."""
        return None if job.analysis_key is None else self._find(job.analysis_key)

    def find_confirmed(self, job: JobRecord) -> dict[str, Any] | None:
        """Return the last confirmed schema; None before there is one, and once it is deleted."""
        return None if job.confirmed_key is None else self._find(job.confirmed_key)

    def find_draft(self, job: JobRecord) -> dict[str, Any] | None:
        """Return what a review has so far; None where nothing was kept, and once it is deleted."""
        return None if job.draft_key is None else self._find(job.draft_key)

    def find_preview(self, analysis: dict[str, Any]) -> dict[str, Any] | None:
        """Return the index of the lines of a job's files; None if it was deleted or never made."""
        key = analysis.get("preview_key")
        return None if key is None else self._find(key)

    def _find(self, key: str) -> dict[str, Any] | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                kept: dict[str, Any] = self._kept[key]
                return kept
        document: dict[str, Any] | None = self._storage.find_json(key)
        if document is None:  # the bucket's lifecycle deletes them; the job's record lives longer
            return None
        with self._lock:
            self._kept[key] = document
            while len(self._kept) > CACHED_DOCUMENTS:
                self._kept.popitem(last=False)
        return document
