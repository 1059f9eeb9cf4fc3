"""Read a job's documents from S3: its analysis and its confirmed schema."""

import threading
from collections import OrderedDict
from typing import Any, TypeVar

from managed_tables.aws.storage import ObjectMissing, Storage
from managed_tables.catalog.job_records import JobRecord
from managed_tables.documents.analyses import AnalysisDocument
from managed_tables.documents.confirmations import ConfirmedDocument
from managed_tables.documents.document import Document
from managed_tables.documents.previews import PreviewIndex
from managed_tables.documents.recipes import Recalled
from managed_tables.documents.statements import Draft

Kind = TypeVar("Kind", bound=Document)

CACHED_DOCUMENTS = 64  # a console polls few jobs at a time; a document of 1,500 columns takes about 1 MB


class JobDocuments:
    """The documents of jobs, the last ones used kept: neither kind changes under its key once written."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._kept: OrderedDict[str, Any] = OrderedDict()
        self._lock = threading.Lock()

    def find_analysis(self, job: JobRecord) -> AnalysisDocument | None:
        """Return the analysis (docs/data.md); None before there is one, and once it is deleted."""
        return self._find(job.analysis_key, AnalysisDocument)

    def get_analysis(self, job: JobRecord) -> AnalysisDocument:
        """Return the analysis of a job that has one; raises JOB_ANALYSIS_GONE."""
        analysis = self.find_analysis(job)
        if analysis is None:
            raise ObjectMissing
        return analysis

    def find_confirmed(self, job: JobRecord) -> ConfirmedDocument | None:
        """Return the last confirmed schema; None before there is one, and once it is deleted."""
        return self._find(job.confirmed_key, ConfirmedDocument)

    def find_draft(self, job: JobRecord) -> Draft | None:
        """Return what a review has so far; None where nothing was kept, and once it is deleted."""
        return self._find(job.draft_key, Draft)

    def find_recalled(self, job: JobRecord) -> Recalled | None:
        """Return what the job's table remembers; None where it does not, and once it is deleted."""
        return self._find(job.recipe_key, Recalled)

    def find_preview(self, analysis: AnalysisDocument) -> PreviewIndex | None:
        """Return the index of the lines of a job's files; None if it was deleted or never made."""
        return self._find(analysis.preview_key, PreviewIndex)

    def _find(self, key: str | None, kind: type[Kind]) -> Kind | None:
        if key is None:
            return None
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                kept: Kind = self._kept[key]
                return kept
        stored = self._storage.find_json(key)
        if stored is None:  # the bucket's lifecycle deletes them; the job's record lives longer
            return None
        document = kind.read(stored)
        with self._lock:
            self._kept[key] = document
            while len(self._kept) > CACHED_DOCUMENTS:
                self._kept.popitem(last=False)
        return document
