"""The jobs' records, and the only ways in which a job moves from one status to the next.

`queued → analisando → waiting_confirm → inserting → done | failed`; from `inserting` a rejected job goes
back to `waiting_confirm`, and from there to `analisando` where its files are to be read otherwise. An
unattended job never waits: `analisando → inserting`, and rejected it fails.
Each change is conditional on the status it comes from, so a step that is run twice, or late, changes
nothing. A step hands in the job as it read it: its change also fails where another analysis or another
confirmation has been recorded since. `waiting_confirm` itself is written by the state machine, which has
the task token.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple

from managed_tables import errors
from managed_tables.catalog.items import Added, Item, Items
from managed_tables.catalog.job_records import (
    KEY_NAMES,
    TERMINAL_STATUSES,
    UNREADABLE,
    JobMode,
    JobRecord,
    JobStatus,
    LoadResult,
    bounded_error,
    inserting_progress,
    new_job_item,
    shorten_key,
)
from managed_tables.catalog.keys import ACTIVE_JOBS_INDEX, JOB_HISTORY_INDEX, company_pk, job_key
from managed_tables.clock import expiry, timestamp
from managed_tables.details import MAX_ERROR_DETAILS
from managed_tables.documents.document import JobProgress
from managed_tables.errors import ApiError, ErrorRecord, JobError
from managed_tables.observability import get_logger

READ_AT_ONCE = 8  # records of one page of jobs
Statuses = tuple[JobStatus, ...]
_AT_A_STEP: Statuses = ("analisando", "inserting")
_ACTIVE: Statuses = ("queued", *_AT_A_STEP, "waiting_confirm")
TellEnd = Callable[[JobRecord], bool]  # tells others that a job has ended; whether that was taken


class JobIds(NamedTuple):
    """Which job it is, where nothing else is known of it."""

    company_id: str
    job_id: str


class UnreadableJobs(Exception):  # noqa: N818 - what it names
    """Records that are no jobs, by their keys: a later release's, or somebody's hand."""


class Jobs:
    """The jobs' records in the catalog: how they are read, made, moved and ended."""

    def __init__(self, items: Items, retention_days: int, tell_end: TellEnd) -> None:
        self._items = items
        self._retention_days = retention_days
        self._tell_end = tell_end

    def find(self, company_id: str, job_id: str) -> JobRecord | None:
        """Return a job of the company."""
        item = self._items.find(job_key(company_id, job_id))
        return None if item is None else JobRecord.read(item)

    def get(self, company_id: str, job_id: str) -> JobRecord:
        """Return a job of the company; raises JOB_NOT_FOUND."""
        job = self.find(company_id, job_id)
        if job is None:
            raise ApiError(errors.JOB_NOT_FOUND)
        return job

    def find_all(self, company_id: str, job_ids: Sequence[str]) -> list[JobRecord]:
        """Return those of the jobs that there are and that can be read, in this order."""
        with ThreadPoolExecutor(READ_AT_ONCE) as pool:
            items = pool.map(lambda job_id: self._items.find(job_key(company_id, job_id)), job_ids)
            return [job for job in map(_read, filter(None, items)) if job is not None]

    def list_ids(self, company_id: str, *, status: JobStatus | None, table_id: str | None) -> Iterator[str]:
        """Yield the ids of the company's jobs, newest first; a change may show a moment late."""
        for item in self._items.query_index(JOB_HISTORY_INDEX, "company_id", company_id):
            if status in (None, item["status"]) and table_id in (None, item.get("user_table_id")):
                yield item["job_id"]

    def list_active(self, company_id: str) -> Iterator[JobRecord]:
        """Yield a company's jobs under way, newest first, maybe late; unreadable ones are only logged."""
        jobs = map(_read, self._active_items(company_id))
        return (job for job in jobs if job is not None and not job.is_terminal)

    def is_loaded(self, company_id: str, table_id: str, *, by_others_than: str) -> bool:
        """Return whether another job is loading into the table; one that cannot be read may be."""
        others = (one for one in self._active_items(company_id) if one.get("job_id") != by_others_than)
        loading = ("inserting", table_id)
        return any(job is None or (job.status, job.user_table_id) == loading for job in map(_read, others))

    def _active_items(self, company_id: str) -> Iterator[Item]:
        return self._items.query_index(ACTIVE_JOBS_INDEX, "active_pk", company_pk(company_id))

    def count_active(self, company_id: str, limit: int) -> int:
        """Return how many of the company's jobs are not terminal, counted no further than to `limit`."""
        active = (item for item in self._active_items(company_id) if item["status"] not in TERMINAL_STATUSES)
        return sum(1 for _ in islice(active, limit))

    def scan_unfinished(self) -> Iterator[JobRecord]:
        """Yield all jobs that are not terminal or not all done; raises UnreadableJobs after the last one."""
        unreadable: list[str] = []
        for item in self._items.scan_index(ACTIVE_JOBS_INDEX):
            try:
                job = JobRecord.read(item)
            except UNREADABLE as error:
                unreadable.append(f"{item['pk']} {item['sk']}: {error!r}")
            else:
                yield job
        if unreadable:
            raise UnreadableJobs(", ".join(unreadable[:MAX_ERROR_DETAILS]))

    def create(self, job: JobRecord) -> None:
        """Write a new job, whose id nobody has used."""
        self._items.put(new_job_item(job), "attribute_not_exists(pk)")

    def mark_arrived(self, job: JobRecord, index: int, size_bytes: int) -> JobRecord | None:
        """Record that file `index` is there; None where the job is no longer `queued`."""
        path = shorten_key(job.company_id, job.job_id, job.files[index].storage_path)
        changes = {f"files[{index}].size_bytes": size_bytes, "arrived": Added([path])}
        return self._change(job, ("queued",), changes)

    def begin_analysis(self, company_id: str, job_id: str) -> JobRecord | None:
        """`queued` → `analisando` (again, where the step is retried); None where the job is elsewhere."""
        return self._change(JobIds(company_id, job_id), ("queued", "analisando"), {"status": "analisando"})

    def keep_recipe(self, job: JobRecord, recipe_key: str) -> JobRecord | None:
        """Keep what the job's table remembers; None where that is kept already, or the job has moved on."""
        condition = "attribute_not_exists(recipe_key) AND attribute_not_exists(analysis_key)"
        return self._change(job, ("queued", "analisando"), {"recipe_key": recipe_key}, condition=condition)

    def record_analysis(
        self,
        job: JobRecord,
        *,
        analysis_key: str,
        staged_key: str,
        digests: Sequence[str] = (),
        confirms_itself: bool = False,
        mode: JobMode | None = None,
    ) -> JobRecord | None:
        """Keep what analyze found; the state machine then makes the job wait for its confirmation.

        A job that `confirms_itself` does not wait; `mode` is what the files say, where they do. None where
        the job has moved on, or another analysis has been recorded since `job` was read.
        """
        changes = {
            "analysis_key": analysis_key,
            "staged_key": staged_key,
            "digests": list(digests),
            **({"confirms_itself": True} if confirms_itself else {}),
            **({"mode": mode} if mode else {}),
        }
        as_read = ("analysis_key", "wish_key")
        return self._change(job, ("analisando",), changes, removals=("wish_key",), as_read=as_read)

    def reanalyze(
        self, job: JobRecord, *, wish_key: str, digest: str, recipe_key: str | None
    ) -> JobRecord | None:
        """`waiting_confirm` → `analisando`, to be read again, token kept; None where somebody was first.

        `recipe_key` names what the table remembers by now, None where that is nothing.
        """
        changes = {"status": "analisando", "wish_key": wish_key, "wish_digest": digest, "error": None}
        removals = ["confirms_itself", "is_read_again"]  # no more: a person decides from here on
        if recipe_key is None:
            removals.append("recipe_key")
        else:
            changes["recipe_key"] = recipe_key
        as_read = ("analysis_key",)
        return self._change(job, ("waiting_confirm",), changes, removals=tuple(removals), as_read=as_read)

    def read_again(self, job: JobRecord, *, wish_key: str, recipe_key: str) -> JobRecord | None:
        """Have a job that goes on alone read under what its table says now; None where it has moved on."""
        changes = {
            "status": "analisando",
            "wish_key": wish_key,
            "recipe_key": recipe_key,
            "is_read_again": True,
            "confirmations": 0,
            "error": None,
        }
        as_read = ("analysis_key", "confirmed_key")
        removals = ("confirms_itself", "confirmed_key", "confirmed_digest")
        return self._change(job, ("analisando", "inserting"), changes, removals=removals, as_read=as_read)

    def keep_analysis(self, job: JobRecord, error: ErrorRecord) -> JobRecord | None:
        """Give up reading a job's files anew: the analysis before holds, `error` says why."""
        changes = {"error": bounded_error(error)}
        as_read = ("analysis_key", "wish_key")
        return self._change(job, ("analisando",), changes, removals=("wish_key",), as_read=as_read)

    def keep_draft(self, job: JobRecord, draft_key: str, *, as_read: bool) -> JobRecord | None:
        """Keep what a review has so far; None where the job neither is read nor waits for it."""
        fields = ("draft_key",) if as_read else ()
        return self._change(job, ("analisando", "waiting_confirm"), {"draft_key": draft_key}, as_read=fields)

    def confirm(
        self,
        job: JobRecord,
        *,
        confirmed_key: str,
        digest: str,
        reserved_table_id: str | None,
        mode: JobMode | None = None,
        total_rows: int = 0,
        waiting: JobStatus = "waiting_confirm",
    ) -> JobRecord | None:
        """`waiting` → `inserting`; None where somebody was there first.

        `waiting` is `analisando` for a job that goes on alone.
        The task token stays until it is known to be spent: whoever finds it can send it again.
        """
        changes = {
            "status": "inserting",
            "mode": mode or job.mode,
            "confirmed_key": confirmed_key,
            "confirmed_digest": digest,
            "confirmations": job.confirmations + 1,
            "reserved_table_id": reserved_table_id,
            "progress": inserting_progress(0, total_rows).as_json(),
            "error": None,
        }
        return self._change(job, (waiting,), changes, as_read=("analysis_key", "confirmed_key"))

    def retarget(self, job: JobRecord, mode: JobMode, table_id: str | None) -> JobRecord | None:
        """Let an unattended job's rows go elsewhere, before it is confirmed; None where it has moved on."""
        return self._change(job, ("analisando",), {"mode": mode, "user_table_id": table_id})

    def keep_token(self, company_id: str, job_id: str, task_token: str) -> JobRecord | None:
        """Keep the token of an execution that waits for a slot; None where the job is at no step any more."""
        return self._change(JobIds(company_id, job_id), _AT_A_STEP, {"task_token": task_token})

    def forget_token(self, job: JobRecord) -> None:
        """Drop the task token that was sent, unless the job has another one by now."""
        condition, removals = "task_token = :token", ("task_token",)
        self._change(job, _AT_A_STEP, {}, removals=removals, condition=condition, token=job.task_token)

    def report_progress(self, job: JobRecord, progress: JobProgress) -> bool:
        """Keep how far the job is; False where it has moved on."""
        changes, as_read = {"progress": progress.as_json()}, ("analysis_key", "confirmed_key")
        return self._change(job, _AT_A_STEP, changes, as_read=as_read) is not None

    def reject(self, job: JobRecord, error: ErrorRecord) -> JobRecord | None:
        """Record why the confirmed schema does not fit; None if the job is not inserting what `job` says."""
        changes = {"error": bounded_error(error), "reserved_table_id": None}
        return self._change(job, ("inserting",), changes, as_read=("confirmed_key",))

    def complete(self, job: JobRecord, table_id: str, result: LoadResult) -> JobRecord | None:
        """End a job whose rows are committed as `done`; None where it has ended, or was confirmed anew."""
        changes = {"status": "done", "user_table_id": table_id, "result": result.as_record(), "error": None}
        return self._end(job, _ACTIVE, changes)

    def record_undone(self, job: JobRecord) -> JobRecord | None:
        """Record that the job was undone; None if that is recorded already."""
        condition = "attribute_not_exists(undone_at)"
        return self._change(job, ("done",), {"undone_at": timestamp()}, condition=condition)

    def fail(
        self, job: JobRecord, error: ErrorRecord, *, unless_arrived: int | None = None
    ) -> JobRecord | None:
        """End a job as `failed`; None where it has ended, or was confirmed since `job` was read.

        With `unless_arrived` only a `queued` job with fewer files than that fails.
        """
        changes: dict[str, object] = {"status": "failed", "error": bounded_error(error)}
        if error["code"] == errors.JOB_CANCELLED.code or job.confirmed_key is not None:
            changes["uncleared"] = True
        if unless_arrived is None:
            return self._end(job, _ACTIVE, changes)
        condition = "(attribute_not_exists(arrived) OR size(arrived) < :count)"
        return self._end(job, ("queued",), changes, condition, count=unless_arrived)

    def expire(self, job: JobRecord) -> JobRecord | None:
        """End a job whose files have not arrived in time; None where they have by now."""
        return self.fail(job, JobError(errors.UPLOAD_EXPIRED).as_record(), unless_arrived=len(job.files))

    def _end(
        self,
        job: JobRecord,
        statuses: Statuses,
        changes: Mapping[str, object],
        condition: str = "",
        **values: object,
    ) -> JobRecord | None:
        ended = self._change(
            job,
            statuses,
            {**changes, "ttl": expiry(self._retention_days), "unannounced": True},
            removals=("task_token", "progress"),
            as_read=("confirmed_key",),
            condition=condition,
            **values,
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
        # Not where something is left to do after all, or the record is gone.
        self._items.change(key, {}, removals=("active_pk",), condition=done)

    def _forget(self, job: JobRecord, name: str, *, unless: str) -> None:
        """Remove this mark, and the job from the index unless the other mark is there."""
        key = job_key(job.company_id, job.job_id)
        condition = f"attribute_exists(pk) AND attribute_not_exists({unless})"
        if self._items.change(key, {}, removals=(name, "active_pk"), condition=condition) is None:
            # Not where the record is gone by now.
            self._items.change(key, {}, removals=(name,), condition="attribute_exists(pk)")

    def _change(
        self,
        job: JobRecord | JobIds,
        statuses: Statuses,
        changes: Mapping[str, object],
        *,
        removals: tuple[str, ...] = (),
        as_read: tuple[str, ...] = (),
        condition: str = "",
        **values: object,
    ) -> JobRecord | None:
        """Change a job that is in one of these statuses, and `as_read` in these attributes.

        0.2.0 wrote whole keys: its jobs that wait for a person are confirmed, and ended, as all others.
        """
        known = {name: getattr(job, name) for name in as_read}
        conditions = (
            f"#status IN ({', '.join(f':from_{status}' for status in statuses)})",
            *(
                f"{name} IN (:{name}, :whole_{name})" if key else f"attribute_not_exists({name})"
                for name, key in known.items()
            ),
            condition,
        )

        def shortened(keys: Mapping[str, object]) -> dict[str, str]:
            own = {name: key for name, key in keys.items() if key and name in KEY_NAMES}
            return {name: shorten_key(job.company_id, job.job_id, str(key)) for name, key in own.items()}

        item = self._items.change(
            job_key(job.company_id, job.job_id),
            {**changes, **shortened(changes), "updated_at": timestamp()},
            removals,
            " AND ".join(filter(None, conditions)),
            **{f"from_{status}": status for status in statuses},
            **shortened(known),
            **{f"whole_{name}": key for name, key in known.items() if key},
            **values,
        )
        return None if item is None else JobRecord.read(item)


def _read(item: Item) -> JobRecord | None:
    """Return the item's job; None, and logged, where it is none: a later release's, or somebody's hand."""
    try:
        return JobRecord.read(item)
    except UNREADABLE as error:
        get_logger("jobs").warning("job cannot be read", reason=repr(error), job_id=item.get("job_id"))
        return None
