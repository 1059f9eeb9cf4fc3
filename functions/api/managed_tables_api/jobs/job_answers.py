"""Present a job: its record and its documents in the contract's shape, and the rows that did not fit."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import PurePath

from managed_tables import exact_json
from managed_tables.aws.storage import JobDocuments
from managed_tables.catalog.job_records import JobRecord
from managed_tables.catalog.jobs import Jobs
from managed_tables.clock import timestamp
from managed_tables.documents.analyses import AnalysisDocument, InferredSchema, Profile
from managed_tables.documents.confirmations import ConfirmedDocument
from managed_tables.documents.progress import JobFailure, JobProgress
from managed_tables.documents.statements import Draft
from managed_tables.errors import JOB_NOT_FOUND, NO_REJECTS, ApiError
from managed_tables.exact_json import Object
from managed_tables.ids import is_record_id
from managed_tables.jobs.rejected_rows import rejects_keys
from managed_tables.wiring.services import Services
from managed_tables_api.http.answers import as_json, as_text, spoken
from managed_tables_api.http.validation import Numbers
from managed_tables_api.jobs.job_models import (
    ConfirmedSchema,
    JobAnswer,
    JobQuery,
    JobResult,
    JobsQuery,
    RejectsAnswer,
    UploadedFile,
)

REJECTS_EXPIRE_SECONDS = 900  # a browser fetches them at once
READ_AT_ONCE = 8  # documents of S3, for a list of jobs that nobody has asked for yet

_SAME_FIELDS = ("user_table_id", "mode", "origin", "status", "undone_at", "created_at", "updated_at")
_OF_THE_ANALYSIS = ("reading", "append_plan", "recipe", "inferred_schema")
_LEFT_OUT_FIRST = ("reading", "append_plan", "recipe", "stated", "draft", "inferred_schema")
_GROUNDS = {"columns": {"__all__": {"inference", "profile"}}}
# What is answered from the job's record alone: a console polls these.
RECORD_FIELDS = frozenset({"_id", "progress", "result", "error", "expires_at", *_SAME_FIELDS})


def get_job(jobs: Jobs, company_id: str, job_id: str) -> JobRecord:
    """Return the company's job, ended if it is overdue; raises JOB_NOT_FOUND, for a malformed id too."""
    job = jobs.find(company_id, job_id.lower()) if is_record_id(job_id) else None
    if job is None:
        raise ApiError(JOB_NOT_FOUND)
    if job.is_overdue(timestamp()):
        return jobs.expire(job) or get_job(jobs, company_id, job_id)
    return job


def list_active_jobs(
    jobs: Jobs, documents: JobDocuments, company_id: str, max_bytes: int, numbers: Numbers = "number"
) -> list[bytes]:
    """Return the answers of the company's jobs that have not ended, newest first, as `render_jobs` does."""
    now = timestamp()
    active = [job for job in jobs.list_active(company_id) if not (job.is_overdue(now) and jobs.expire(job))]
    return render_jobs(active, documents, max_bytes, numbers)


def list_jobs(jobs: Jobs, company_id: str, query: JobsQuery) -> tuple[int, list[JobRecord]]:
    """Return how many jobs there are, and a page, newest first; the latest changes may show a moment late."""
    job_ids = list(jobs.list_ids(company_id, status=query.status, table_id=query.wanted_table_id))
    first = (query.page - 1) * query.per_page
    shown = jobs.find_all(company_id, job_ids[first : first + query.per_page])
    now = timestamp()
    return len(job_ids), [(job.is_overdue(now) and jobs.expire(job)) or job for job in shown]


def render_jobs(
    jobs: list[JobRecord], documents: JobDocuments, max_bytes: int, numbers: Numbers
) -> list[bytes]:
    """Return the answers of jobs, as JSON, which have `max_bytes` together.

    Where whole ones take more, the last are first without `sample_rows`, warnings and the grounds of each
    column, then without schemas and details of their error, and at last left out.
    """
    answers, room = _first(map(_render_bare, jobs), max_bytes)
    whole: list[bytes] = []
    whole_room = max_bytes
    for place, (brief, full) in enumerate(_render_each(jobs[: len(answers)], documents, numbers)):
        if len(brief) - len(answers[place]) > room:
            break
        room -= len(brief) - len(answers[place])
        whole_room -= len(full)
        if whole_room >= 0:  # of the others only the length was of interest
            whole.append(full)
        answers[place] = brief
    for place, full in enumerate(whole):
        if len(full) - len(answers[place]) > room:
            break
        room -= len(full) - len(answers[place])
        answers[place] = full
    return answers


def _first(answers: Iterable[bytes], max_bytes: int) -> tuple[list[bytes], int]:
    """Return the first answers that have room together, and the room that is left."""
    taken, room = [], max_bytes
    for answer in answers:
        if len(answer) + 1 > room:  # and a comma
            break
        room -= len(answer) + 1
        taken.append(answer)
    return taken, room


def _render_bare(job: JobRecord) -> bytes:
    answer = _answer(job)
    if answer.error is not None:
        answer.error.details = []
    return exact_json.dumps(as_json(answer))


def _render_each(
    jobs: list[JobRecord], documents: JobDocuments, numbers: Numbers
) -> Iterator[tuple[bytes, bytes]]:
    """Yield each job's answer without and with its sample and its grounds; documents are read ahead."""
    with ThreadPoolExecutor(READ_AT_ONCE) as pool:
        for start in range(0, len(jobs), READ_AT_ONCE):  # no more than that is read in vain
            answers = pool.map(lambda job: job_answer(job, documents), jobs[start : start + READ_AT_ONCE])
            for answer in answers:
                with spoken():
                    rendered = _render(answer, numbers)
                yield rendered


def _render(full: JobAnswer, numbers: Numbers) -> tuple[bytes, bytes]:
    full = with_text_numbers(full) if numbers == "string" else full
    brief = full.model_copy(update=dict.fromkeys(_LEFT_OUT_FIRST)).as_json() | {"warnings": []}
    if full.inferred_schema:
        schema = full.inferred_schema.model_copy(update={"sample_rows": []})
        brief["inferred_schema"] = schema.model_dump(exclude=_GROUNDS, by_alias=True, exclude_unset=True)
    return exact_json.dumps(brief), exact_json.dumps(full.as_json())


def job_answer(job: JobRecord, documents: JobDocuments) -> JobAnswer:
    """Return the contract's shape of a job, and `warnings`."""
    known = documents.find_analysis(job), documents.find_confirmed(job), documents.find_draft(job)
    return _answer(job, *known)


def job_fields(job: JobRecord, documents: JobDocuments, query: JobQuery) -> Object:
    """Return the wanted fields of a job; its documents are read only where one of them is there."""
    whole = _answer(job) if RECORD_FIELDS.issuperset(query.wanted) else job_answer(job, documents)
    answer = as_json(with_text_numbers(whole) if query.numbers == "string" else whole)
    return {name: answer[name] for name in query.wanted}


def with_text_numbers(answer: JobAnswer) -> JobAnswer:
    """Return the answer with every integer and decimal of its data as text."""
    changed = answer.model_copy()
    if answer.inferred_schema:
        changed.inferred_schema = _schema_with_text_numbers(answer.inferred_schema)
    if answer.error:
        details = [
            item.model_copy(update={"value": as_text(item.value)} if "value" in item.model_fields_set else {})
            for item in answer.error.details
        ]
        changed.error = answer.error.model_copy(update={"details": details})
    return changed


def _schema_with_text_numbers(schema: InferredSchema) -> InferredSchema:
    columns = [
        column.model_copy(update={"profile": column.profile and _profile_with_text_numbers(column.profile)})
        for column in schema.columns
    ]
    rows = [as_text(row) for row in schema.sample_rows]
    return schema.model_copy(update={"columns": columns, "sample_rows": rows})


def _profile_with_text_numbers(profile: Profile) -> Profile:
    """Return the profile with its values as text; each entry of `top` and `histogram` ends with a count."""
    values = {"min": as_text(profile.min), "max": as_text(profile.max)}
    counted = {
        name: [[*map(as_text, values), count] for *values, count in entries]
        for name, entries in (("top", profile.top), ("histogram", profile.histogram))
    }
    return profile.model_copy(update={**values, **counted})


def _answer(
    job: JobRecord,
    analysis: AnalysisDocument | None = None,
    confirmed: ConfirmedDocument | None = None,
    draft: Draft | None = None,
) -> JobAnswer:
    known = {name: getattr(job, name) for name in ("company_id", *_SAME_FIELDS)}
    known |= {name: getattr(analysis, name, None) for name in _OF_THE_ANALYSIS}
    return JobAnswer(
        **known,
        id=job.job_id,
        files=[UploadedFile(**vars(file)) for file in job.files],
        stated=analysis.wish if analysis else None,
        draft=draft,
        confirmed_schema=ConfirmedSchema.of(confirmed) if confirmed else None,
        progress=_progress(job),
        result=JobResult.of(job.result) if job.result else None,
        error=JobFailure.read(job.error) if job.error else None,
        warnings=analysis.warnings if analysis else [],
        expires_at=job.expires_at if job.status in ("queued", "waiting_confirm") else None,
    )


def _progress(job: JobRecord) -> JobProgress | None:
    """Return the phase, the percent being that of the phase; None of a job that failed."""
    recorded = job.progress
    match job.status:
        case "queued":
            return _receiving(job)
        case "analisando":
            return recorded or JobProgress(phase="reading", percent=0)
        case "waiting_confirm":
            return JobProgress(phase="waiting", percent=100)
        case "inserting":
            return recorded or JobProgress(phase="inserting", percent=0)
        case "done":
            return _done(job)
    return None


def _receiving(job: JobRecord) -> JobProgress:
    total = sum(file.size_bytes for file in job.files)
    arrived = sum(file.size_bytes for file in job.files if file.storage_path in job.arrived)
    return JobProgress(
        phase="receiving",
        percent=arrived * 100 // total if total else 0,
        received_files=len(job.arrived),
        total_files=len(job.files),
    )


def _done(job: JobRecord) -> JobProgress:
    if job.result is None:
        return JobProgress(phase="done", percent=100)
    rows = job.result.row_count
    return JobProgress(phase="done", percent=100, processed_rows=rows, total_rows=rows)


def offer_rejects(services: Services, job: JobRecord) -> RejectsAnswer:
    """Return where the rows are; raises NO_REJECTS where every row fits, or none was loaded."""
    keys = rejects_keys(job)
    known = services.storage.find_json(keys[1]) if keys and job.status != "inserting" else None
    if not keys or known is None:
        raise ApiError(NO_REJECTS)
    name = f"{PurePath(job.files[0].original_name).stem}_rejeitadas.csv"
    url = services.storage.presigned_get(keys[0], name, "text/csv; charset=utf-8", REJECTS_EXPIRE_SECONDS)
    expires_at = timestamp(datetime.now(UTC) + timedelta(seconds=REJECTS_EXPIRE_SECONDS))
    return RejectsAnswer(url=url, expires_at=expires_at, rows=known["rows"])
