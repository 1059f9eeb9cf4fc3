"""Offer the rows of a job that did not fit."""

from datetime import UTC, datetime, timedelta
from pathlib import PurePath

from managed_tables.catalog.jobs import JobRecord
from managed_tables.clock import timestamp
from managed_tables.errors import NO_REJECTS, ApiError
from managed_tables.jobs.rejected_rows import rejects_keys
from managed_tables.wiring.services import Services
from managed_tables_api.jobs.job_models import RejectsAnswer

EXPIRES_SECONDS = 900  # a browser fetches it at once


def offer_rejects(services: Services, job: JobRecord) -> RejectsAnswer:
    """Return where the rows are; raises NO_REJECTS where every row fits, or none was loaded."""
    keys = rejects_keys(job)
    known = services.storage.find_json(keys[1]) if keys and job.status != "inserting" else None
    if not keys or known is None:
        raise ApiError(NO_REJECTS)
    name = f"{PurePath(job.files[0].original_name).stem}_rejeitadas.csv"
    url = services.storage.presigned_get(keys[0], name, "text/csv; charset=utf-8", EXPIRES_SECONDS)
    expires_at = timestamp(datetime.now(UTC) + timedelta(seconds=EXPIRES_SECONDS))
    return RejectsAnswer(url=url, expires_at=expires_at, rows=known["rows"])
