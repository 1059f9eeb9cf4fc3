"""Send events to EventBridge: that a job has ended, and how; no data."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from managed_tables import exact_json
from managed_tables.catalog.job_records import JobRecord
from managed_tables.observability import get_logger

SOURCE = "managed-tables"
DETAIL_TYPES = {"done": "Upload job done", "failed": "Upload job failed"}
_COUNTS = ("inserted", "updated", "unchanged", "rejected")


def send_end(client: Callable[[], Any], bus_name: str, job: JobRecord) -> bool:
    """Send the event of a job that has ended; return whether the bus has taken it. Raises nothing."""
    detail = {
        "company_id": job.company_id,
        "job_id": job.job_id,
        "table_id": job.user_table_id,
        "mode": job.mode,
        "origin": job.origin,
        "outcome": job.status,
        "error_code": job.error["code"] if job.error else None,
        "counts": {name: getattr(job.result, name) for name in _COUNTS} if job.result else None,
        "created_at": job.created_at,
        "ended_at": job.updated_at,
    }
    entry = {
        "Source": SOURCE,
        "DetailType": DETAIL_TYPES[job.status],
        "Detail": exact_json.dumps(detail).decode(),
        "EventBusName": bus_name,
    }
    try:
        answer = client().put_events(Entries=[entry])
    except (ClientError, BotoCoreError):
        get_logger("events").warning("event not sent", exc_info=True, job_id=job.job_id)
        return False
    return bool(answer["FailedEntryCount"] == 0)
