"""Keep the exports' records and the only ways in which an export moves from one status to the next.

`queued → running → done | failed`. A repeated run takes the record over with an object of its
own (`key`), so that whatever a late run reports or writes is ignored.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, Self

from managed_tables.catalog.items import Items, Record
from managed_tables.catalog.keys import EXPORT, company_pk, item_key
from managed_tables.clock import expiry, parse_timestamp, timestamp
from managed_tables.documents.document import ExportProgress
from managed_tables.errors import EXPORT_EXPIRED, ErrorRecord, JobError
from managed_tables.uploads import MIME_TYPES

ExportFormat = Literal["csv", "xlsx", "parquet", "jsonl"]
Dialect = Literal["rfc4180", "excel-br"]
CONTENT_TYPES: dict[ExportFormat, str] = {
    "csv": f"{MIME_TYPES['csv']}; charset=utf-8",
    "xlsx": MIME_TYPES["xlsx"],
    "parquet": MIME_TYPES["parquet"],
    "jsonl": MIME_TYPES["jsonl"],
}
ExportStatus = Literal["queued", "running", "done", "failed"]
TERMINAL_STATUSES = frozenset({"done", "failed"})
_UNFINISHED = "#status IN (:queued, :running)"


@dataclass(frozen=True)
class ExportRecord(Record):
    """One export. `request_key` holds what it asks for, `key` the object of the run that has it."""

    company_id: str
    export_id: str
    user_id: str
    table_id: str
    table_version: int
    display_name: str
    format: ExportFormat
    status: ExportStatus
    file_name: str
    request_key: str
    deadline: str
    created_at: str
    updated_at: str
    dialect: Dialect | None = None
    key: str | None = None
    progress: ExportProgress | None = None
    rows: int | None = None
    size_bytes: int | None = None
    error: ErrorRecord | None = None
    ended_at: str | None = None
    base_expires_at: str | None = None  # of a workbook that people change and send back

    @classmethod
    def read(cls, item: Mapping[str, Any]) -> Self:
        """Return the export of an item."""
        progress = item.get("progress")
        return super().read({**item, "progress": ExportProgress.read(progress) if progress else None})

    @property
    def is_terminal(self) -> bool:
        """Return whether the export has ended."""
        return self.status in TERMINAL_STATUSES

    @property
    def base_id(self) -> str:
        """The id of the base that the run which has the export keeps."""
        return self.export_id + (self.key or "").rpartition("/")[2]

    def is_overdue(self, now: str) -> bool:
        """Return whether nothing can be expected of the export any more."""
        return not self.is_terminal and self.deadline < now

    def gone_at(self, retention_days: int) -> str:
        """Return when the bucket deletes the file of an export that is done."""
        return timestamp(parse_timestamp(self.ended_at or self.created_at) + timedelta(days=retention_days))


class Exports:
    """The exports' records in DynamoDB; they vanish with their files."""

    def __init__(self, items: Items, retention_days: int) -> None:
        self._items = items
        self._retention_days = retention_days

    def create(self, export: ExportRecord) -> None:
        """Write the record of a new export."""
        # Once more, with the same content, where an answer was lost: nobody else has the id.
        self._items.put(
            {**_key(export), **export.attributes(), "ttl": expiry(self._retention_days)},
            "attribute_not_exists(pk) OR created_at = :created",
            created=export.created_at,
        )

    def discard(self, export: ExportRecord) -> None:
        """Delete the record of an export that was not started."""
        self._items.remove(_key(export))

    def find(self, company_id: str, export_id: str) -> ExportRecord | None:
        """Return the company's export."""
        item = self._items.find(item_key(company_id, EXPORT, export_id))
        return None if item is None else ExportRecord.read(item)

    def list_all(self, company_id: str) -> Iterator[ExportRecord]:
        """Yield the company's exports, newest first: their ids sort by creation."""
        items = self._items.query(company_pk(company_id), f"{EXPORT}#", newest_first=True)
        yield from map(ExportRecord.read, items)

    def take_over(self, export: ExportRecord, key: str) -> ExportRecord | None:
        """Let a run begin that writes this object; None where the export has ended or another run took it."""
        return self._change(export, {"status": "running", "key": key, "progress": None})

    def report_progress(self, export: ExportRecord, progress: ExportProgress) -> bool:
        """Keep how far the run is; False where the export is no longer its own."""
        return self._change(export, {"progress": progress.as_json()}) is not None

    def complete(self, export: ExportRecord, rows: int, size_bytes: int) -> ExportRecord | None:
        """`running` → `done`; None where the export is no longer the run's own."""
        changes = {"status": "done", "rows": rows, "size_bytes": size_bytes, "progress": None}
        return self._change(export, {**changes, **self._end()})

    def fail(self, export: ExportRecord, error: ErrorRecord) -> ExportRecord | None:
        """End the export with the error; None where it has ended, or another run has it by now."""
        changes = {"status": "failed", "error": error, "progress": None}
        return self._change(export, {**changes, **self._end()})

    def expire(self, export: ExportRecord) -> ExportRecord | None:
        """End an export that is overdue; None where it has ended by now."""
        return self.fail(export, JobError(EXPORT_EXPIRED).as_record())

    def is_gone(self, export: ExportRecord) -> bool:
        """Return whether an export has ended, and the bucket deleted its file."""
        return export.is_terminal and export.gone_at(self._retention_days) < timestamp()

    def _end(self) -> dict[str, object]:
        return {"ended_at": timestamp(), "ttl": expiry(self._retention_days)}

    def _change(self, export: ExportRecord, changes: Mapping[str, object]) -> ExportRecord | None:
        """Change an export that has not ended and that no other run has taken over since it was read."""
        unchanged = "attribute_not_exists(#key)" if export.key is None else "#key = :mine"
        values = {} if export.key is None else {"mine": export.key}
        item = self._items.change(
            _key(export),
            {**changes, "updated_at": timestamp()},
            (),
            f"{_UNFINISHED} AND {unchanged}",
            queued="queued",
            running="running",
            **values,
        )
        return None if item is None else ExportRecord.read(item)


def _key(export: ExportRecord) -> dict[str, str]:
    return item_key(export.company_id, EXPORT, export.export_id)
