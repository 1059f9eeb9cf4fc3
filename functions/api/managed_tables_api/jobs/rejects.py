"""Offer the rows of a job that did not fit."""

from datetime import UTC, datetime, timedelta
from pathlib import PurePath
from typing import Any

from managed_tables.catalog.jobs import JobRecord
from managed_tables.clock import timestamp
from managed_tables.errors import NO_REJECTS, ApiError
from managed_tables.jobs.rejected_rows import rejects_keys
from managed_tables.wiring.services import Services

EXPIRES_SECONDS = 900  # a browser fetches it at once


def offer_rejects(services: Services, job: JobRecord) -> dict[str, Any]:
    """Return `{"url", "expires_at", "rows"}`; raises NO_REJECTS where every row fits, or none was loaded."""
    keys = rejects_keys(job)
    known = services.storage.find_json(keys[1]) if keys and job.status != "inserting" else None
    if not keys or known is None:
        raise ApiError(NO_REJECTS)
    name = f"{PurePath(job.files[0].original_name).stem}_rejeitadas.csv"
    url = services.storage.presigned_get(keys[0], name, "text/csv; charset=utf-8", EXPIRES_SECONDS)
    expires_at = timestamp(datetime.now(UTC) + timedelta(seconds=EXPIRES_SECONDS))
    return {"url": url, "expires_at": expires_at, "rows": known["rows"]}
