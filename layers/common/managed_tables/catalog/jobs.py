"""The jobs' records, and the only ways in which a job moves from one status to the next.

`queued → analisando → waiting_confirm → inserting → done | failed`; from `inserting` a rejected job goes
back to `waiting_confirm`, and from there to `analisando` where its files are to be read otherwise. An
unattended job never waits: `analisando → inserting`, and rejected it fails.
Each change is conditional on the status it comes from, so a step that is run twice, or late, changes
nothing. A step hands in the job as it read it: its change also fails where another analysis or another
confirmation has been recorded since. `waiting_confirm` itself is written by the state machine, which has
the task token.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from managed_tables.catalog.items import ConditionFailed, Items
from managed_tables.catalog.job_reading import JobReading, UnreadableJobs
from managed_tables.catalog.job_records import (
    KEY_NAMES,
    MAX_DETAIL_CHARACTERS,
    TERMINAL_STATUSES,
    Intake,
    JobFile,
    JobMode,
    JobRecord,
    JobStatus,
    LoadMode,
    LoadResult,
    bounded_error,
    inserting_progress,
    new_job_item,
    read_job,
    shorten_file_key,
    shorten_key,
)
from managed_tables.catalog.keys import job_key
from managed_tables.clock import timestamp
from managed_tables.errors import JOB_CANCELLED
from managed_tables.observability import get_logger

__all__ = [
    "MAX_DETAIL_CHARACTERS",
    "TERMINAL_STATUSES",
    "Intake",
    "JobFile",
    "JobMode",
    "JobRecord",
    "JobStatus",
    "Jobs",
    "LoadMode",
    "LoadResult",
    "UnreadableJobs",
    "bounded_error",
]

_SECONDS_A_DAY = 86_400
_ACTIVE: tuple[JobStatus, ...] = ("queued", "analisando", "waiting_confirm", "inserting")


TellEnd = Callable[[JobRecord], bool]  # tells others that a job has ended; whether that was taken


class Jobs(JobReading):
    """The jobs' records in the catalog: how they are made, moved and ended."""

    def __init__(self, items: Items, retention_days: int, tell_end: TellEnd) -> None:
        super().__init__(items)
        self._retention_days = retention_days
        self._tell_end = tell_end

    def create(self, job: JobRecord) -> None:
        """Write a new job, whose id nobody has used."""
        self._items.put(new_job_item(job), "attribute_not_exists(pk)")

    def mark_arrived(self, job: JobRecord, index: int, size_bytes: int) -> JobRecord | None:
        """Record that file `index` is there; None where the job is no longer `queued`."""
        return self._change(
            job.company_id,
            job.job_id,
            from_statuses=("queued",),
            changes={f"files[{index}].size_bytes": size_bytes},
            additions={
                "arrived": {shorten_file_key(job.company_id, job.job_id, job.files[index].storage_path)}
            },
        )

    def begin_analysis(self, company_id: str, job_id: str) -> JobRecord | None:
        """`queued` → `analisando` (again, where the step is retried); None where the job is elsewhere."""
        return self._change(
            company_id, job_id, from_statuses=("queued", "analisando"), changes={"status": "analisando"}
        )

    def keep_recipe(self, job: JobRecord, recipe_key: str) -> JobRecord | None:
        """Keep what the job's table remembers; None where that is kept already, or the job has moved on."""
        return self._change(
            job.company_id,
            job.job_id,
            from_statuses=("queued", "analisando"),
            changes={"recipe_key": recipe_key},
            condition="attribute_not_exists(recipe_key) AND attribute_not_exists(analysis_key)",
        )

    def record_analysis(
        self,
        job: JobRecord,
        *,
        analysis_key: str,
        staged_key: str,
        digests: Sequence[str] = (),
        confirms_itself: bool = False,
    ) -> JobRecord | None:
        """Keep what analyze found; the state machine then makes the job wait for its confirmation.

        A job that `confirms_itself` does not wait. None where the job has moved on, or another analysis has
        been recorded since `job` was read.
        """
        condition, values = _as_read(job, "analysis_key", "wish_key")
        return self._change(
            job.company_id,
            job.job_id,
            from_statuses=("analisando",),
            changes={
                "analysis_key": analysis_key,
                "staged_key": staged_key,
                "digests": list(digests),
                **({"confirms_itself": True} if confirms_itself else {}),
            },
            removals=("wish_key",),
            condition=condition,
            values=values,
        )

    def reanalyze(self, job: JobRecord, *, wish_key: str, digest: str) -> JobRecord | None:
        """`waiting_confirm` → `analisando`, to be read anew; None where somebody was there first.

        The task token stays, as a confirmation's does.
        """
        condition, values = _as_read(job, "analysis_key")
        return self._change(
            job.company_id,
            job.job_id,
            from_statuses=("waiting_confirm",),
            changes={"status": "analisando", "wish_key": wish_key, "wish_digest": digest, "error": None},
            condition=condition,
            values=values,
        )

    def keep_analysis(self, job: JobRecord, error: Mapping[str, Any]) -> JobRecord | None:
        """Give up reading a job's files anew: the analysis before holds, `error` says why."""
        condition, values = _as_read(job, "analysis_key", "wish_key")
        return self._change(
            job.company_id,
            job.job_id,
            from_statuses=("analisando",),
            changes={"error": bounded_error(error)},
            removals=("wish_key",),
            condition=condition,
            values=values,
        )

    def keep_draft(self, job: JobRecord, draft_key: str) -> JobRecord | None:
        """Keep what a review has so far; None where the job neither is read nor waits for it."""
        return self._change(
            job.company_id,
            job.job_id,
            from_statuses=("analisando", "waiting_confirm"),
            changes={"draft_key": draft_key},
        )

    def confirm(
        self,
        job: JobRecord,
        *,
        confirmed_key: str,
        digest: str,
        reserved_table_id: str | None,
        total_rows: int = 0,
        waiting: JobStatus = "waiting_confirm",
    ) -> JobRecord | None:
        """`waiting` → `inserting`; None where somebody was there first.

        `waiting` is `analisando` for a job that goes on alone.

        The task token stays until it is known to be spent: whoever finds it can send it again.
        """
        condition, values = _as_read(job, "analysis_key", "confirmed_key")
        return self._change(
            job.company_id,
            job.job_id,
            from_statuses=(waiting,),
            changes={
                "status": "inserting",
                "confirmed_key": confirmed_key,
                "confirmed_digest": digest,
                "confirmations": job.confirmations + 1,
                "reserved_table_id": reserved_table_id,
                "progress": inserting_progress(0, total_rows),
                "error": None,
            },
            condition=condition,
            values=values,
        )

    def retarget(self, job: JobRecord, mode: JobMode, table_id: str | None) -> JobRecord | None:
        """Let an unattended job's rows go elsewhere, before it is confirmed; None where it has moved on."""
        changes = {"mode": mode, "user_table_id": table_id}
        return self._change(job.company_id, job.job_id, from_statuses=("analisando",), changes=changes)

    def keep_token(self, company_id: str, job_id: str, task_token: str) -> JobRecord | None:
        """Keep the token of an execution that waits for a slot; None where the job is at no step any more."""
        return self._change(
            company_id,
            job_id,
            from_statuses=("inserting", "analisando"),
            changes={"task_token": task_token},
        )

    def forget_token(self, job: JobRecord) -> None:
        """Drop the task token that was sent, unless the job has another one by now."""
        self._change(
            job.company_id,
            job.job_id,
            from_statuses=("inserting", "analisando"),
            removals=("task_token",),
            condition="task_token = :token",
            values={"token": job.task_token},
        )

    def report_progress(self, job: JobRecord, progress: Mapping[str, Any]) -> bool:
        """Keep how far the job is, `{"phase", "percent", …}`; False where it has moved on."""
        condition, values = _as_read(job, "analysis_key", "confirmed_key")
        changed = self._change(
            job.company_id,
            job.job_id,
            from_statuses=("analisando", "inserting"),
            changes={"progress": dict(progress)},
            condition=condition,
            values=values,
        )
        return changed is not None

    def reject(self, job: JobRecord, error: Mapping[str, Any]) -> JobRecord | None:
        """Record why the confirmed schema does not fit; the state machine makes the job wait again.

        None if the job is no longer inserting what `job` says.
        """
        condition, values = _as_read(job, "confirmed_key")
        return self._change(
            job.company_id,
            job.job_id,
            from_statuses=("inserting",),
            changes={"error": bounded_error(error), "progress": None, "reserved_table_id": None},
            condition=condition,
            values=values,
        )

    def complete(self, job: JobRecord, table_id: str, result: LoadResult) -> JobRecord | None:
        """End a job whose rows are committed as `done`; None where it has ended, or was confirmed anew."""
        changes = {
            "status": "done",
            "user_table_id": table_id,
            "result": result.as_record(),
            "error": None,
        }
        return self._end(job, from_statuses=_ACTIVE, changes=changes)

    def record_undone(self, job: JobRecord) -> JobRecord | None:
        """Record that the job was undone; None if that is recorded already."""
        return self._change(
            job.company_id,
            job.job_id,
            from_statuses=("done",),
            changes={"undone_at": timestamp()},
            condition="attribute_not_exists(undone_at)",
        )

    def fail(
        self, job: JobRecord, error: Mapping[str, Any], *, unless_arrived: int | None = None
    ) -> JobRecord | None:
        """End a job as `failed`; None where it has ended, or was confirmed since `job` was read.

        With `unless_arrived` only a `queued` job with fewer files than that fails.
        """
        changes: dict[str, Any] = {"status": "failed", "error": bounded_error(error)}
        if error["code"] == JOB_CANCELLED.code or job.confirmed_key is not None:
            changes["uncleared"] = True
        if unless_arrived is None:
            return self._end(job, from_statuses=_ACTIVE, changes=changes)
        return self._end(
            job,
            from_statuses=("queued",),
            changes=changes,
            condition="(attribute_not_exists(arrived) OR size(arrived) < :count)",
            values={"count": unless_arrived},
        )

    def _end(
        self,
        job: JobRecord,
        *,
        from_statuses: tuple[JobStatus, ...],
        changes: dict[str, Any],
        condition: str = "",
        values: Mapping[str, Any] | None = None,
    ) -> JobRecord | None:
        ttl_seconds = int(time.time()) + self._retention_days * _SECONDS_A_DAY
        as_read, read_values = _as_read(job, "confirmed_key")
        ended = self._change(
            job.company_id,
            job.job_id,
            from_statuses=from_statuses,
            changes={**changes, "ttl": ttl_seconds, "unannounced": True},
            removals=("task_token", "progress"),
            condition=f"{as_read} AND {condition}" if condition else as_read,
            values={**read_values, **(values or {})},
        )
        if ended is not None:
            self.announce(ended)
        return ended

    def announce(self, job: JobRecord) -> bool:
        """Announce that the job has ended; if that fails nothing changes, and the sweep tries again.

        It may be announced twice: the sweep repeats whatever is not recorded as announced.
        """
        told = False
        try:
            told = self._tell_end(job)
            if told:
                self._forget(job, "unannounced", unless="uncleared")
        except Exception:  # whatever it is, the job has ended
            get_logger("jobs").warning("not announced, or not recorded", exc_info=True, job_id=job.job_id)
        return told

    def mark_cleared(self, job: JobRecord) -> None:
        """Record that a failed job has left nothing behind."""
        self._forget(job, "uncleared", unless="unannounced")

    def leave_index(self, job: JobRecord) -> None:
        """Remove a job that has ended, with nothing left to do, from those that the sweep looks at."""
        key = job_key(job.company_id, job.job_id)
        done = (
            "attribute_exists(pk) AND attribute_not_exists(unannounced) AND attribute_not_exists(uncleared)"
        )
        with suppress(ConditionFailed):  # something is left to do after all, or the record is gone
            self._items.change(key, {}, removals=("active_pk",), condition=done)

    def _forget(self, job: JobRecord, name: str, *, unless: str) -> None:
        """Remove this mark, and the job from the index unless the other mark is there."""
        key = job_key(job.company_id, job.job_id)
        try:
            condition = f"attribute_exists(pk) AND attribute_not_exists({unless})"
            self._items.change(key, {}, removals=(name, "active_pk"), condition=condition)
        except ConditionFailed:
            with suppress(ConditionFailed):  # the record may be gone by now
                self._items.change(key, {}, removals=(name,), condition="attribute_exists(pk)")

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
        changes = {
            name: shorten_key(company_id, job_id, value) if name in KEY_NAMES else value
            for name, value in (changes or {}).items()
        }
        statuses: dict[str, Any] = {f"from_{number}": status for number, status in enumerate(from_statuses)}
        comes_from = f"#status IN ({', '.join(f':{name}' for name in statuses)})"
        try:
            item = self._items.change(
                job_key(company_id, job_id),
                {**changes, "updated_at": timestamp()},
                removals=removals,
                additions=additions or {},
                condition=f"{comes_from} AND {condition}" if condition else comes_from,
                **statuses,
                **(values or {}),
            )
        except ConditionFailed:
            return None
        return read_job(item)


def _as_read(job: JobRecord, *names: str) -> tuple[str, dict[str, Any]]:
    """Return a condition, with its values, that these attributes are unchanged since `job` was read."""
    clauses, values = [], {}
    for name in names:
        value = getattr(job, name)
        if value is None:
            clauses.append(f"attribute_not_exists({name})")
            continue
        clauses.append(f"{name} IN (:read_{name}, :short_{name})")  # an earlier release wrote whole keys
        values[f"read_{name}"] = value
        values[f"short_{name}"] = shorten_key(job.company_id, job.job_id, value)
    return " AND ".join(clauses), values
