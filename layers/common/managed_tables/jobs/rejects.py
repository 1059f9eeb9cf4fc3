"""The file of rows that did not fit: insert writes it, the API offers it, and analyze reads it again."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # analyze reads what strangers send, and knows no AWS
    from managed_tables.catalog.job_records import JobRecord

PLACE_LABELS = ("arquivo", "aba", "linha", "motivo")


def are_rejects(labels: Sequence[str | None]) -> bool:
    """Return whether a file is one of rejected rows, by its last labels."""
    return len(labels) > len(PLACE_LABELS) and tuple(labels[-len(PLACE_LABELS) :]) == PLACE_LABELS


def rejects_keys(job: "JobRecord") -> tuple[str, str] | None:
    """Return the keys of a confirmation's file of rejected rows, and of its summary."""
    if job.confirmed_key is None:
        return None
    base = job.confirmed_key.replace("/confirmed-", "/rejects-").removesuffix(".json")
    return f"{base}.csv", f"{base}.json"
