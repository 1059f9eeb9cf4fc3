"""Parse S3's event: which object was created."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus

from managed_tables.ids import derive_record_id


@dataclass(frozen=True)
class Arrival:
    """An object that was created: `etag` is its content's, `event_id` the same in each delivery of its event.

    `event_id` is a job's id: two puts of one key differ in it, also with the same content.
    """

    key: str
    size_bytes: int
    etag: str
    event_id: str


def read_arrivals(event: Mapping[str, Any]) -> Iterator[Arrival]:
    """Yield each object of the event, put, posted, copied or completed from parts.

    A test of S3, when notifications are set up, has no records; a few objects have no tag or version.
    """
    for record in event.get("Records", []):
        if str(record.get("eventName", "")).startswith("ObjectCreated:"):
            stored = record["s3"]["object"]
            key = unquote_plus(stored["key"])
            yield Arrival(key, int(stored["size"]), stored.get("eTag", ""), _event_id(record, key))


def _event_id(record: Mapping[str, Any], key: str) -> str:
    """Derive an id from what S3 fixes when the object is created, whichever of it there is."""
    stored, time = record["s3"]["object"], str(record["eventTime"])
    created_ms = int(datetime.fromisoformat(time).timestamp() * 1000)
    facts = [str(stored.get(name, "")) for name in ("versionId", "eTag", "sequencer")]
    return derive_record_id(created_ms, record["s3"]["bucket"]["name"], key, time, *facts)
