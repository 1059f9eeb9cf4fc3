"""A job's record: its fields, and how DynamoDB holds them."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, NotRequired, Self, TypedDict

from pydantic import Field

from managed_tables.catalog.items import Item, Record
from managed_tables.catalog.keys import company_pk, job_key
from managed_tables.clock import timestamp
from managed_tables.details import MAX_ERROR_DETAILS, Detail, described
from managed_tables.documents.document import Count, JobProgress
from managed_tables.documents.recipes import Recipe
from managed_tables.documents.statements import UploadMode
from managed_tables.errors import JOB_CANCELLED, ApiError, ErrorRecord
from managed_tables.object_keys import job_prefixes, upload_key
from managed_tables.observability import get_logger
from managed_tables.uploads import MAX_NAME_CHARACTERS, OfferedFile

JobMode = Literal["create", "append", "replace", "upsert", "merge"]
JobOrigin = Literal["upload", "inbox"]
JobStatus = Literal["queued", "analisando", "waiting_confirm", "inserting", "done", "failed"]

TERMINAL_STATUSES = frozenset({"done", "failed"})
PROGRESS_SECONDS = 5.0  # between two writes of how far a job is: each is billed, twice over with the index
KEY_NAMES = frozenset({"analysis_key", "staged_key", "wish_key", "draft_key", "confirmed_key", "recipe_key"})
UNREADABLE = (KeyError, TypeError, ValueError)  # what `JobRecord.read` raises for an item that is no job
_OWN_PREFIX = "./"  # of a key of S3 in an item: what the job's keys begin with, which its own ids say
MAX_DETAIL_CHARACTERS = 500  # of one text in them: 20 details stay far below DynamoDB's 400 KB an item


@dataclass(frozen=True)
class UploadedFile:
    """A file of a job; `storage_path` is its S3 key, `size_bytes` what was declared, then what arrived."""

    original_name: Annotated[str, Field(max_length=MAX_NAME_CHARACTERS)]
    storage_path: str
    size_bytes: Count
    mime_type: str


@dataclass(frozen=True)
class Intake:
    """What an object of the inbox asks for: its table's name, and whether nobody is to be asked."""

    table_name: str | None = None
    mode: UploadMode = "append"
    auto_confirm: bool = False


@dataclass(frozen=True)
class LoadResult:
    """What a job has done to its table: numbers of rows, and how long the loading took."""

    inserted: int
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    milliseconds: int = 0
    repaired: int = 0  # cells
    deleted: int = 0

    @property
    def row_count(self) -> int:
        """Return how many rows the files had."""
        return self.inserted + self.updated + self.unchanged + self.rejected

    def as_record(self) -> dict[str, int]:
        """Return it as a job's record and `applied_jobs` store it; older releases know fewer counts."""
        later = ("repaired", "deleted")
        return {name: count for name, count in asdict(self).items() if count or name not in later}


_PARTS: dict[str, Callable[[Any], object]] = {  # of a record, and how each is read
    "intake": lambda stored: Intake(**stored),
    "result": lambda stored: LoadResult(**stored),
    "progress": JobProgress.read,
}


@dataclass(frozen=True)
class JobRecord(Record):
    """A job as recorded; times are text, names that end in `_key` are keys of S3."""

    company_id: str
    job_id: str
    user_id: str
    mode: JobMode
    status: JobStatus
    files: tuple[UploadedFile, ...]
    expires_at: str
    created_at: str
    updated_at: str
    user_table_id: str | None = None  # of the table that exists
    if_unchanged: bool = False  # nobody is to be asked where the files are as the table remembers
    states_mode: bool = False  # somebody has named it; without, it is that of the table's recipe
    intake: Intake | None = None  # of a job that came by the inbox
    reserved_table_id: str | None = None  # of the table that a confirmed job of mode `create` is making
    arrived: frozenset[str] = frozenset()
    task_token: str | None = None
    analysis_key: str | None = None  # of the analysis that was recorded: each has keys of its own
    staged_key: str | None = None  # of the same
    digests: tuple[str, ...] = ()  # of the files' bytes, in their order, once they were read
    wish_key: str | None = None  # while the files are to be read again, as a person states
    wish_digest: str | None = None  # whether a repeated request is the same
    draft_key: str | None = None  # what the review has so far
    recipe_key: str | None = None  # what the table remembers
    confirms_itself: bool = False  # every proof holds
    is_read_again: bool = False  # by itself, since table or recipe changed: once
    confirmed_key: str | None = None  # of the last confirmation: each has a key of its own
    confirmed_digest: str | None = None  # whether a repeated request is the same
    confirmations: int = 0  # in all
    unannounced: bool = False  # it has ended, and nobody has been told
    uncleared: bool = False  # it has failed, and may have left something behind
    progress: JobProgress | None = None
    result: LoadResult | None = None
    undone_at: str | None = None
    error: ErrorRecord | None = None

    @classmethod
    def read(cls, item: Mapping[str, Any]) -> Self:
        """Return the job that an item holds; raises one of UNREADABLE for an item that is no job."""
        uploads, own = job_prefixes(item["company_id"], item["job_id"])
        parts = {name: _whole_key(item[name], own) for name in KEY_NAMES if item.get(name)} | {
            "files": tuple(
                UploadedFile(**{**file, "storage_path": _whole_key(file["storage_path"], uploads)})
                for file in item["files"]
            ),
            "arrived": frozenset(_whole_key(path, uploads) for path in item.get("arrived", ())),
            "digests": tuple(item.get("digests", ())),
            **{name: make(item[name]) for name, make in _PARTS.items() if item.get(name)},
        }
        return super().read({**item, **parts})

    @property
    def is_terminal(self) -> bool:
        """Return whether the job has ended."""
        return self.status in TERMINAL_STATUSES

    @property
    def has_all_files(self) -> bool:
        """Return whether every file has arrived."""
        return len(self.arrived) == len(self.files)

    @property
    def is_unattended(self) -> bool:
        """Return whether the job is to end without a person."""
        return self.intake is not None and self.intake.auto_confirm

    def may_go_as(self, recipe: Recipe) -> bool:
        """Return whether nobody is to be asked where the files are as the recipe has them.

        A person who had the files read otherwise decides. Their being read again under what the table says
        now is nobody's word.
        """
        is_wanted = (self.if_unchanged or recipe.auto_confirm == "unchanged") and not self.is_unattended
        return is_wanted and (self.wish_key is None or self.is_read_again)

    @property
    def is_confirmed_by_itself(self) -> bool:
        """Return whether nobody has confirmed the job, but its proofs."""
        return self.confirms_itself and self.confirmations <= 1

    @property
    def goes_on_alone(self) -> bool:
        """Return whether the job goes from its analysis to its load without a person."""
        return self.is_unattended or self.confirms_itself

    @property
    def origin(self) -> JobOrigin:
        """Return by which way the job came in."""
        return "upload" if self.intake is None else "inbox"

    @property
    def is_cancelled(self) -> bool:
        """Return whether somebody has cancelled the job."""
        return self.error is not None and self.error["code"] == JOB_CANCELLED.code

    @property
    def is_rejected(self) -> bool:
        """Return whether the last confirmed schema did not fit, and is to be confirmed again."""
        return self.status == "waiting_confirm" or (self.status == "inserting" and self.error is not None)

    def is_overdue(self, now: str) -> bool:
        """Return whether the time for its files is over and some are missing."""
        return self.status == "queued" and not self.has_all_files and self.expires_at <= now


def new_job(
    company_id: str,
    job_id: str,
    user_id: str,
    mode: JobMode,
    table_id: str | None,
    files: Sequence[OfferedFile],
    expires_seconds: int,
    *,
    intake: Intake | None = None,
    if_unchanged: bool = False,
    states_mode: bool = False,
) -> JobRecord:
    """Return the record of a job that is about to be made, whose files have so long to arrive."""
    now = datetime.now(UTC)
    return JobRecord(
        company_id=company_id,
        job_id=job_id,
        user_id=user_id,
        mode=mode,
        status="queued",
        files=tuple(
            UploadedFile(
                original_name=file.base_name,
                storage_path=upload_key(company_id, job_id, index, file.extension),
                size_bytes=file.size_bytes,
                mime_type=file.mime_type,
            )
            for index, file in enumerate(files)
        ),
        expires_at=timestamp(now + timedelta(seconds=expires_seconds)),
        created_at=timestamp(now),
        updated_at=timestamp(now),
        user_table_id=table_id,
        if_unchanged=if_unchanged,
        states_mode=states_mode,
        intake=intake,
    )


def shorten_key(company_id: str, job_id: str, key: str) -> str:
    """Return the key of one of the job's objects as its item holds it: 1 KB is written for one unit."""
    for prefix in job_prefixes(company_id, job_id):
        if key.startswith(prefix):
            return _OWN_PREFIX + key.removeprefix(prefix)
    return key


def _whole_key(key: str, prefix: str) -> str:
    return prefix + key.removeprefix(_OWN_PREFIX) if key.startswith(_OWN_PREFIX) else key


def new_job_item(job: JobRecord) -> Item:
    """Return the item of a job that is about to be made."""
    paths = [shorten_key(job.company_id, job.job_id, file.storage_path) for file in job.files]
    files = [{**vars(file), "storage_path": path} for file, path in zip(job.files, paths, strict=True)]
    return {
        **job_key(job.company_id, job.job_id),
        "active_pk": company_pk(job.company_id),
        **job.attributes(),
        "files": files,
        **({"intake": vars(job.intake)} if job.intake else {}),
    }


def bounded_error(error: ErrorRecord) -> ErrorRecord:
    """Return the error with as many details, and as much of their texts, as a record may hold."""
    total = error.get("details_total", len(error["details"]))
    details = list(map(_bounded_detail, error["details"][:MAX_ERROR_DETAILS]))
    return {"code": error["code"], "message": error["message"], **described(details, total)}


def _bounded_detail(detail: Detail) -> Detail:
    texts = {name: text[:MAX_DETAIL_CHARACTERS] for name, text in detail.items() if isinstance(text, str)}
    return {**detail, **texts}  # type: ignore[typeddict-item]  # the same keys


def inserting_progress(processed_rows: int, total_rows: int) -> JobProgress:
    """Return how far a job is that inserts its rows; it is at 100 % once they are committed."""
    return JobProgress(
        phase="inserting",
        processed_rows=min(processed_rows, total_rows),
        total_rows=total_rows,
        percent=min(99, processed_rows * 100 // total_rows) if total_rows else 0,
    )


def reporter(service: str, keep: Callable[..., bool]) -> Callable[..., bool]:
    """Return `keep` as a step calls it on its way: done now and then, and skipped where it fails.

    False where `keep` said that what the step works on is no longer its own.
    """
    due = time.monotonic() + PROGRESS_SECONDS

    def report(*given: Any) -> bool:
        nonlocal due
        now = time.monotonic()
        if now < due:
            return True
        due = now + PROGRESS_SECONDS
        try:
            return keep(*given)
        except ApiError:
            get_logger(service).warning("progress not recorded", exc_info=True)
            return True

    return report


class JobEvent(TypedDict):
    """What the state machine hands a step: the job."""

    company_id: str
    job_id: str


class StepOutcome(TypedDict):
    """What a step answers the state machine; of a failure, which the job's record has in full, no details."""

    outcome: Literal["analyzed", "busy", "done", "failed", "reanalyze", "rejected"]
    auto_confirm: NotRequired[bool]
    merge: NotRequired[bool]  # of a workbook that has come back: what it changes is to be planned
    error: NotRequired[ErrorRecord]


def failed_outcome(error: ErrorRecord) -> StepOutcome:
    """Return the outcome of a job that has failed, small enough for the state machine."""
    return {"outcome": "failed", "error": {**error, "details": []}}
