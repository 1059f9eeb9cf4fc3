"""Owns the jobs' records and the only ways in which a job moves from one status to the next.

`queued → analisando → waiting_confirm → inserting → done | failed`; from `inserting` a rejected job goes
back to `waiting_confirm`. An unattended job never waits: `analisando → inserting`, and rejected it fails.
Each change is conditional on the status it comes from, so a step that is run twice, or late, changes
nothing. `waiting_confirm` itself is written by the state machine, which has the task token.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from managed_tables.catalog.items import ConditionFailed, Item, Items
from managed_tables.catalog.keys import ACTIVE_JOBS_INDEX, company_pk, job_key
from managed_tables.clock import timestamp
from managed_tables.details import described

JobMode = Literal["create", "append", "replace"]
LoadMode = Literal["append", "replace"]  # of a table that exists
JobStatus = Literal["queued", "analisando", "waiting_confirm", "inserting", "done", "failed"]

TERMINAL_STATUSES = frozenset({"done", "failed"})
MAX_ERROR_DETAILS = 20  # what the contract shows
MAX_DETAIL_CHARACTERS = 500  # of one text in them: 20 details stay far below DynamoDB's 400 KB an item
_SECONDS_A_DAY = 86_400


@dataclass(frozen=True)
class JobFile:
    """One file of a job; `size_bytes` is what was declared, then what arrived."""

    original_name: str
    storage_path: str
    size_bytes: int
    mime_type: str


@dataclass(frozen=True)
class Intake:
    """What an object of the inbox asks for: its table's name, and whether nobody is to be asked."""

    table_name: str | None = None
    mode: LoadMode = "append"
    auto_confirm: bool = False


@dataclass(frozen=True)
class JobRecord:
    """A job as it is recorded; times as text, `analysis_key` and `confirmed_key` are keys of S3.

    `confirmed_digest` tells whether a repeated confirmation is the same; `reserved_table_id` is the table
    that a confirmed job of mode `create` is making, `user_table_id` the one that exists.
    """

    company_id: str
    job_id: str
    user_id: str
    mode: JobMode
    status: JobStatus
    files: tuple[JobFile, ...]
    expires_at: str
    created_at: str
    updated_at: str
    user_table_id: str | None = None
    intake: Intake | None = None  # of a job that came by the inbox
    reserved_table_id: str | None = None
    arrived: frozenset[str] = frozenset()
    task_token: str | None = None
    analysis_key: str | None = None
    confirmed_key: str | None = None
    confirmed_digest: str | None = None
    progress: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def is_terminal(self) -> bool:
        """Tell whether the job has ended."""
        return self.status in TERMINAL_STATUSES

    @property
    def has_all_files(self) -> bool:
        """Tell whether every file has arrived."""
        return len(self.arrived) == len(self.files)

    @property
    def is_unattended(self) -> bool:
        """Tell whether the job is to end without a person."""
        return self.intake is not None and self.intake.auto_confirm

    def is_overdue(self, now: str) -> bool:
        """Tell whether the time for its files is over and some are missing."""
        return self.status == "queued" and not self.has_all_files and self.expires_at <= now


class UnreadableJobs(Exception):  # noqa: N818 - what it names
    """Records that are no jobs, by their keys: a later release's, or somebody's hand."""


class Jobs:
    """The jobs' records in the catalog."""

    def __init__(self, items: Items, retention_days: int) -> None:
        self._items = items
        self._retention_days = retention_days

    def create(self, job: JobRecord) -> None:
        """Write a new job, whose id nobody has used."""
        item: Item = {
            **job_key(job.company_id, job.job_id),
            "active_pk": company_pk(job.company_id),
            "company_id": job.company_id,
            "job_id": job.job_id,
            "user_id": job.user_id,
            "mode": job.mode,
            "status": job.status,
            "files": [vars(file) for file in job.files],
            "expires_at": job.expires_at,
            "created_at": job.created_at,
            "updated_at": job.updated_at,
        }
        if job.user_table_id is not None:
            item["user_table_id"] = job.user_table_id
        if job.intake is not None:
            item["intake"] = vars(job.intake)
        self._items.put(item, "attribute_not_exists(pk)")

    def find(self, company_id: str, job_id: str) -> JobRecord | None:
        """Return a job of the company."""
        item = self._items.find(job_key(company_id, job_id))
        return None if item is None else _read(item)

    def list_active(self, company_id: str) -> Iterator[JobRecord]:
        """Yield the company's jobs that are not terminal, newest first; a change may show a moment late."""
        for item in self._items.query_index(ACTIVE_JOBS_INDEX, "active_pk", company_pk(company_id)):
            job = _read(item)
            if not job.is_terminal:
                yield job

    def scan_active(self) -> Iterator[JobRecord]:
        """Yield every company's jobs that are not terminal; raises UnreadableJobs after the last one."""
        unreadable: list[str] = []
        for item in self._items.scan_index(ACTIVE_JOBS_INDEX):
            try:
                job = _read(item)
            except (KeyError, TypeError, ValueError):
                unreadable.append(f"{item['pk']} {item['sk']}")
                continue
            if not job.is_terminal:
                yield job
        if unreadable:
            raise UnreadableJobs(", ".join(unreadable[:MAX_ERROR_DETAILS]))

    def mark_arrived(self, job: JobRecord, index: int, size_bytes: int) -> JobRecord | None:
        """Record that file `index` is there; None where the job is no longer `queued`."""
        return self._change(
            job.company_id,
            job.job_id,
            from_statuses=("queued",),
            changes={f"files[{index}].size_bytes": size_bytes},
            additions={"arrived": {job.files[index].storage_path}},
        )

    def begin_analysis(self, company_id: str, job_id: str) -> JobRecord | None:
        """`queued` → `analisando` (again, where the step is retried); None where the job is elsewhere."""
        return self._change(
            company_id, job_id, from_statuses=("queued", "analisando"), changes={"status": "analisando"}
        )

    def record_analysis(
        self, company_id: str, job_id: str, analysis_key: str, warnings: list[str]
    ) -> JobRecord | None:
        """Keep what analyze found; the state machine then makes the job wait for its confirmation."""
        changes = {"analysis_key": analysis_key, "warnings": warnings}
        return self._change(company_id, job_id, from_statuses=("analisando",), changes=changes)

    def confirm(
        self, job: JobRecord, *, confirmed_key: str, digest: str, reserved_table_id: str | None
    ) -> JobRecord | None:
        """`waiting_confirm` (unattended: `analisando`) → `inserting`; None where somebody was there first.

        The task token stays until it is known to be spent: whoever finds it can send it again.
        """
        return self._change(
            job.company_id,
            job.job_id,
            from_statuses=("analisando",) if job.is_unattended else ("waiting_confirm",),
            changes={
                "status": "inserting",
                "confirmed_key": confirmed_key,
                "confirmed_digest": digest,
                "reserved_table_id": reserved_table_id,
                "error": None,
            },
        )

    def retarget(self, job: JobRecord, mode: JobMode, table_id: str | None) -> JobRecord | None:
        """Let an unattended job's rows go elsewhere, before it is confirmed; None where it has moved on."""
        changes = {"mode": mode, "user_table_id": table_id}
        return self._change(job.company_id, job.job_id, from_statuses=("analisando",), changes=changes)

    def forget_token(self, job: JobRecord) -> None:
        """Drop the task token that was sent, unless the job has another one by now."""
        self._change(
            job.company_id,
            job.job_id,
            from_statuses=("inserting",),
            removals=("task_token",),
            condition="task_token = :token",
            values={"token": job.task_token},
        )

    def report_progress(self, company_id: str, job_id: str, progress: Mapping[str, Any]) -> bool:
        """Keep `{"phase", "processed_rows", "total_rows", "percent"}`; False where the job has moved on."""
        changes = {"progress": dict(progress)}
        return self._change(company_id, job_id, from_statuses=("inserting",), changes=changes) is not None

    def reject(self, company_id: str, job_id: str, error: Mapping[str, Any]) -> JobRecord | None:
        """Keep why the confirmed schema does not fit; the state machine makes the job wait again."""
        return self._change(
            company_id,
            job_id,
            from_statuses=("inserting",),
            changes={"error": bounded_error(error), "progress": None, "reserved_table_id": None},
        )

    def complete(self, company_id: str, job_id: str, table_id: str) -> JobRecord | None:
        """`inserting` → `done`."""
        return self._end(
            company_id,
            job_id,
            from_statuses=("inserting",),
            changes={"status": "done", "user_table_id": table_id, "error": None},
        )

    def fail(
        self, company_id: str, job_id: str, error: Mapping[str, Any], *, unless_arrived: int | None = None
    ) -> JobRecord | None:
        """End a job that is not terminal as `failed`; None where it has ended already.

        With `unless_arrived` only a `queued` job with fewer files than that fails.
        """
        changes = {"status": "failed", "error": bounded_error(error)}
        if unless_arrived is None:
            active = ("queued", "analisando", "waiting_confirm", "inserting")
            return self._end(company_id, job_id, from_statuses=active, changes=changes)
        return self._end(
            company_id,
            job_id,
            from_statuses=("queued",),
            changes=changes,
            condition="(attribute_not_exists(arrived) OR size(arrived) < :count)",
            values={"count": unless_arrived},
        )

    def _end(self, company_id: str, job_id: str, *, changes: dict[str, Any], **how: Any) -> JobRecord | None:
        ttl_seconds = int(time.time()) + self._retention_days * _SECONDS_A_DAY
        return self._change(
            company_id,
            job_id,
            changes={**changes, "ttl": ttl_seconds},
            removals=("active_pk", "task_token", "progress"),
            **how,
        )

    def _change(
        self,
        company_id: str,
        job_id: str,
        *,
        from_statuses: tuple[JobStatus, ...],
        changes: Mapping[str, Any] | None = None,
        removals: tuple[str, ...] = (),
        additions: Mapping[str, set[str]] | None = None,
        condition: str = "",
        values: Mapping[str, Any] | None = None,
    ) -> JobRecord | None:
        statuses = {f"from_{number}": status for number, status in enumerate(from_statuses)}
        comes_from = f"#status IN ({', '.join(f':{name}' for name in statuses)})"
        try:
            item = self._items.change(
                job_key(company_id, job_id),
                {**(changes or {}), "updated_at": timestamp()},
                removals=removals,
                additions=additions or {},
                condition=f"{comes_from} AND {condition}" if condition else comes_from,
                **statuses,
                **(values or {}),
            )
        except ConditionFailed:
            return None
        return _read(item)


def bounded_error(error: Mapping[str, Any]) -> dict[str, Any]:
    """Return the error with as many details, and as much of their texts, as a record may hold."""
    details = [
        {
            name: value[:MAX_DETAIL_CHARACTERS] if isinstance(value, str) else value
            for name, value in detail.items()
        }
        for detail in list(error.get("details", []))[:MAX_ERROR_DETAILS]
    ]
    total = error.get("details_total", len(error.get("details", [])))
    return {"code": error["code"], "message": error["message"], **described(details, total)}


def _read(item: Item) -> JobRecord:
    known = {name: item[name] for name in JobRecord.__dataclass_fields__ if item.get(name) is not None}
    intake = item.get("intake")
    known["intake"] = Intake(**intake) if intake else None
    known["files"] = tuple(JobFile(**file) for file in item["files"])
    known["arrived"] = frozenset(item.get("arrived", ()))
    return JobRecord(**known)
