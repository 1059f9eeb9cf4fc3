"""Routes of upload jobs: list, get, preview, read again, confirm, cancel, undo."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import PurePath
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from managed_tables import errors, exact_json
from managed_tables.aws.storage import JobDocuments
from managed_tables.catalog.job_records import JobRecord
from managed_tables.clock import timestamp
from managed_tables.details import Fault, detail
from managed_tables.documents.analyses import AnalysisDocument
from managed_tables.documents.document import JobFailure, JobProgress
from managed_tables.documents.recipes import Proof, ProofCode
from managed_tables.documents.statements import ConfirmedDocument, Draft
from managed_tables.documents.workbooks import MergePlan
from managed_tables.errors import NO_REJECTS, ApiError
from managed_tables.exact_json import Object
from managed_tables.jobs.confirmation import confirm_job
from managed_tables.jobs.ending import cancel_job
from managed_tables.jobs.rejects import rejects_keys
from managed_tables_api import job_models as models
from managed_tables_api.auth import Permission
from managed_tables_api.calls import KnownJob, Services, SignedIn, api_router, raises, requires
from managed_tables_api.http.answers import Entity, JsonAnswer, SeenTags, as_json, as_text, tag_of
from managed_tables_api.http.requests import (
    FromJson,
    FromQuery,
    Numbers,
    NumbersQuery,
    received,
)
from managed_tables_api.misfits import (
    MisfitsAnswer,
    MisfitsQuery,
    refuse_new_repairs,
    refuse_unfitting,
    show_misfits,
    warnings_of,
)
from managed_tables_api.preview import PreviewAnswer, PreviewQuery, show_lines
from managed_tables_api.reanalysis import keep_draft, reanalyze_job
from managed_tables_api.tables import FromSchema
from managed_tables_api.undoing import UndoAnswer, undo_job

router = api_router("/upload-jobs", "File upload")

_UPLOADS = requires(Permission.UPLOAD)
_LISTS = requires(Permission.LIST)
ENVELOPE = b'{"records":[%s]}'
DRAFT_MAX_BYTES = 64 * 1_024  # beside its repairs, which are limited by their number
DRAFT_MAX_REPAIRS_BYTES = 512 * 1_024
PAGE = b'{"total":%d,"quantity":%d,"records":[%s]}'


REJECTS_EXPIRE_SECONDS = 900  # a browser fetches them at once
READ_AT_ONCE = 8  # documents of S3, for a list of jobs that nobody has asked for yet

# What an error that is met when a job is confirmed, or loaded, says of what was proven.
_REFUTED_BY: Mapping[str, ProofCode] = {
    errors.RECIPE_CHANGED.code: "AS_RECALLED",
    errors.CONFIRMATION_REFUSED.code: "AS_RECALLED",
    errors.FILES_IMPORTED.code: "NEW_ROWS",
    errors.VALUES_NOT_CONVERTED.code: "ALL_FIT",
    errors.DUPLICATE_KEYS.code: "ALL_FIT",
    errors.VALUES_REFUSED.code: "ALL_FIT",
}
_NO_COLUMNS = Fault("REQUIRED", "faltam as colunas")
_SAME_FIELDS = ("user_table_id", "mode", "origin", "status", "undone_at", "created_at", "updated_at")
_SHOW_ERRORS = ("waiting_confirm", "failed")  # a step records an error before its job leaves the step
_OF_THE_ANALYSIS = ("reading", "append_plan", "recipe", "inferred_schema")
# What is answered from the job's record alone: a console polls these.
RECORD_FIELDS = frozenset({"_id", "user_id", "progress", "result", "error", "expires_at", *_SAME_FIELDS})


def render_jobs(jobs: list[JobRecord], documents: JobDocuments, room: int, numbers: Numbers) -> list[bytes]:
    """Return the answers of jobs, as JSON, which have `room` together, in bytes.

    Where whole ones take more, the last have what their records say, without details of an error, and at
    last are left out.
    """
    answers: list[bytes] = []
    for job in jobs:
        short = _answer(job)
        if short.error is not None:
            short.error.details = []
        bare = exact_json.dumps(as_json(short))
        room -= len(bare) + 1  # and a comma
        if room < 0:
            return answers
        answers.append(bare)
    with ThreadPoolExecutor(READ_AT_ONCE) as pool:
        for start in range(0, len(answers), READ_AT_ONCE):  # no more documents than that are read in vain
            known = pool.map(lambda job: job_answer(job, documents), jobs[start : start + READ_AT_ONCE])
            for place, answer in enumerate(known, start):
                whole = exact_json.dumps(_shown(answer, numbers))
                room -= len(whole) - len(answers[place])
                if room < 0:
                    return answers
                answers[place] = whole
    return answers


def job_answer(job: JobRecord, documents: JobDocuments) -> models.JobAnswer:
    """Return the contract's shape of a job, and `warnings`."""
    draft = documents.find(Draft, job.draft_key)
    known = documents.find_analysis(job), documents.find_confirmed(job), draft
    return _answer(job, *known, documents.find_merge_plan(job))


def job_fields(job: JobRecord, documents: JobDocuments, query: models.JobQuery) -> Object:
    """Return the wanted fields of a job; its documents are read only where one of them is there."""
    whole = _answer(job) if RECORD_FIELDS.issuperset(query.wanted) else job_answer(job, documents)
    answer = _shown(whole, query.numbers)
    return {name: answer[name] for name in query.wanted}


def _shown(job: models.JobAnswer, numbers: Numbers) -> Object:
    answer: Object = as_json(job)
    if numbers == "string":
        show_numbers_as_text(answer)
    return answer


_VALUES = {"base", "theirs", "mine", "before", "after", "value"}  # of a merge's cells, and of a detail


def show_numbers_as_text(answer: Any) -> None:
    """Make every integer and decimal of a job's data a text; what is counted stays a number."""
    schema = answer["inferred_schema"] or {"columns": [], "sample_rows": []}
    schema["sample_rows"] = [as_text(row) for row in schema["sample_rows"]]
    for profile in filter(None, (column.get("profile") for column in schema["columns"])):
        profile |= {name: as_text(profile[name]) for name in ("min", "max")}
        for name in ("top", "histogram"):  # each entry ends with a count
            profile[name] = [[*map(as_text, values), count] for *values, count in profile[name]]
    plan = answer["merge_plan"] or {"conflicts": [], "changes": []}
    details = (answer["error"] or {"details": []})["details"]
    for item in [*plan["conflicts"], *plan["changes"], *details]:
        item |= {name: as_text(item[name]) for name in item.keys() & _VALUES}


def _answer(
    job: JobRecord,
    analysis: AnalysisDocument | None = None,
    confirmed: ConfirmedDocument | None = None,
    draft: Draft | None = None,
    merge_plan: MergePlan | None = None,
) -> models.JobAnswer:
    known = {name: getattr(job, name) for name in ("company_id", *_SAME_FIELDS)}
    known |= {name: getattr(analysis, name, None) for name in _OF_THE_ANALYSIS}
    return models.JobAnswer(
        **known,
        id=job.job_id,
        user_id=None if job.origin == "inbox" else job.user_id,
        files=job.files,
        proofs=_proofs(job, analysis),
        stated=analysis.wish if analysis else None,
        draft=draft,
        confirmed_schema=models.ConfirmedSchema.of(confirmed) if confirmed else None,
        progress=_progress(job),
        result=models.JobResult.of(job.result) if job.result else None,
        error=JobFailure.read(job.error) if job.error and job.status in _SHOW_ERRORS else None,
        warnings=[*warnings_of(draft, analysis), *(analysis.warnings if analysis else ())],
        merge_plan=merge_plan,
        checks=analysis.checks if analysis else [],
        expires_at=job.expires_at if job.status in ("queued", "waiting_confirm") else None,
    )


def _proofs(job: JobRecord, analysis: AnalysisDocument | None) -> list[Proof] | None:
    """Return the proofs, as they are by now: one may be refuted when the job is confirmed, or loaded."""
    proofs = analysis.proofs if analysis else None
    refuted = _REFUTED_BY.get(job.error["code"]) if job.error else None
    if proofs is None or refuted is None or job.error is None:
        return proofs
    message = job.error["message"]
    known = [
        proof.model_copy(update={"holds": False, "text": message}) if proof.code == refuted else proof
        for proof in proofs
    ]
    return sorted(known, key=lambda proof: proof.holds)


def _progress(job: JobRecord) -> JobProgress | None:
    """Return the phase, the percent being that of the phase; None of a job that failed."""
    match job.status:
        case "queued":
            return _receiving(job)
        case "analisando" | "inserting":  # which a confirmation begins at 0 %
            return job.progress or JobProgress(phase="reading", percent=0)
        case "waiting_confirm":
            return JobProgress(phase="waiting", percent=100)
        case "done":
            rows = job.result.row_count if job.result else None
            counts = {} if rows is None else {"processed_rows": rows, "total_rows": rows}
            return JobProgress(phase="done", percent=100, **counts)
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


@router.get("", summary="List jobs", response_model=models.JobsAnswer, dependencies=_LISTS)
def list_upload_jobs(query: FromQuery[models.JobsQuery], caller: SignedIn, services: Services) -> Response:
    """Return all jobs, newest first: those that have ended too, until their record is deleted after 90 days.

    What has just begun or changed may show a moment late. Of a page over 5.5 MB the last jobs come with less,
    as in the list of active ones.
    """
    jobs, table_id = services.jobs, query.table_id and query.table_id.lower()
    job_ids = list(jobs.list_ids(caller.company_id, status=query.status, table_id=table_id))
    first = (query.page - 1) * query.per_page
    shown = jobs.find_all(caller.company_id, job_ids[first : first + query.per_page])
    now = timestamp()
    page = [(job.is_overdue(now) and jobs.expire(job)) or job for job in shown]
    max_bytes = services.settings.response_max_bytes - len(PAGE) - 40
    records = render_jobs(page, services.job_documents, max_bytes, query.numbers)
    return JsonAnswer(PAGE % (len(job_ids), len(records), b",".join(records)))


@router.get(
    "/active", summary="List active jobs", response_model=models.ActiveJobsAnswer, dependencies=_LISTS
)
def list_active_upload_jobs(
    query: FromQuery[NumbersQuery], entity: Entity, caller: SignedIn, services: Services
) -> Response:
    """Return the jobs that are not yet terminal, newest first.

    Of many jobs with many columns, more than 5.5 MB of them, the oldest come without reading, schema and
    details of their error; beyond some thousands they are left out. Each is whole by itself
    (`GET /upload-jobs/{job_id}`).
    """
    max_bytes = services.settings.response_max_bytes - len(ENVELOPE)
    jobs, now = services.jobs, timestamp()
    active = [
        job for job in jobs.list_active(caller.company_id) if not (job.is_overdue(now) and jobs.expire(job))
    ]
    records = render_jobs(active, services.job_documents, max_bytes, query.numbers)
    return entity.answer(ENVELOPE % b",".join(records))


@router.get("/{job_id:job}", summary="Get job", response_model=models.JobAnswer, dependencies=_LISTS)
def get_upload_job(
    query: FromQuery[models.JobQuery], job: KnownJob, entity: Entity, services: Services
) -> Response:
    """Return one job, whatever its status.

    With `fields` only those are answered: for polling, without the schemas.
    """
    return entity.answer(job_fields(job, services.job_documents, query))


@router.delete("/{job_id:job}", summary="Cancel job", status_code=204, dependencies=_UPLOADS)
@raises(errors.JOB_FINISHED, errors.TABLE_BUSY)
def cancel_upload_job(job: KnownJob, services: Services) -> None:
    """Cancel a job that has not ended: nothing of it stays, its files are deleted and its name is free.

    Repeating it is answered 204 again. Once its rows are committed it is too late: 400 `JOB_FINISHED`.
    """
    cancel_job(services, job)


@router.get("/{job_id:job}/preview", summary="Show lines of a job's files", dependencies=_LISTS)
@raises(errors.JOB_NOT_WAITING, errors.ANALYSIS_GONE, errors.FILES_REPLACED)
def preview_upload_job(query: FromQuery[PreviewQuery], job: KnownJob, services: Services) -> PreviewAnswer:
    """Return lines of one file or sheet, and what each is under the present reading: 1 MB of them at most."""
    return show_lines(services, job, query)


@router.get("/{job_id:job}/misfits", summary="List values to put right", dependencies=_LISTS)
@raises(errors.JOB_NOT_WAITING, errors.ANALYSIS_GONE, errors.STORAGE_UNAVAILABLE)
def list_misfits(query: FromQuery[MisfitsQuery], job: KnownJob, services: Services) -> MisfitsAnswer:
    """Return the distinct values that do not fit their column or break a rule, under the job's draft.

    The most frequent first, each with what may be put in its place. The draft's `repairs` are made already;
    of `columns` it may say what `confirm` takes (a type, the table's column), by their inferred names.
    """
    return show_misfits(services, job, query)


@router.get("/{job_id:job}/rejects", summary="Get rejected rows", dependencies=_LISTS)
@raises(errors.NO_REJECTS)
def get_rejected_rows(job: KnownJob, services: Services) -> models.RejectsAnswer:
    """Return where the rows that did not fit can be fetched: a CSV to correct and upload again."""
    keys = rejects_keys(job)
    known = services.storage.find_json(keys[1]) if keys and job.status != "inserting" else None
    if not keys or known is None:
        raise ApiError(NO_REJECTS)
    name = f"{PurePath(job.files[0].original_name).stem}_rejeitadas.csv"
    url = services.storage.presigned_get(keys[0], name, "text/csv; charset=utf-8", REJECTS_EXPIRE_SECONDS)
    expires_at = timestamp(datetime.now(UTC) + timedelta(seconds=REJECTS_EXPIRE_SECONDS))
    return models.RejectsAnswer(url=url, expires_at=expires_at, rows=known["rows"])


@router.post("/{job_id:job}/reanalyze", summary="Read a job's files otherwise", dependencies=_UPLOADS)
@raises(errors.JOB_NOT_WAITING, errors.ANALYSIS_GONE, errors.INVALID_READING)
def reanalyze_upload_job(
    body: FromJson[models.Reanalysis], job: KnownJob, services: Services
) -> models.ReanalysisAnswer:
    """Read the files again: what is stated is fixed, and the rest is inferred under it.

    The job comes back to `waiting_confirm`, with `error` where that gives no table: then the reading before
    holds. What is not named stays as it was stated, field by field; a field given as null is found anew. The
    same body again, while the files are read, changes nothing.
    """
    reanalyze_job(services, job, body.as_statement())
    return models.ReanalysisAnswer(status="analisando")


@router.put("/{job_id:job}/draft", summary="Keep a review's draft", status_code=204, dependencies=_UPLOADS)
@raises(errors.JOB_NOT_WAITING, errors.DRAFT_CHANGED, errors.INVALID_SCHEMA, errors.STORAGE_UNAVAILABLE)
def keep_upload_job_draft(
    body: FromJson[Draft], request: Request, job: KnownJob, services: Services, seen: SeenTags
) -> Response:
    """Keep what a review has so far (64 KiB) in place of what was kept; the job answers it as `draft`.

    Its `repairs` (512 KiB more) are judged as those of `confirm`. With `If-Match`, the ETag that a `GET` of
    the job or the last `PUT` of its draft answered, another's draft since then is 412 `DRAFT_CHANGED` and
    stays.
    """
    repairs = len(exact_json.dumps(body.repairs)) if body.repairs else 0
    if len(received(request)) - repairs > DRAFT_MAX_BYTES or repairs > DRAFT_MAX_REPAIRS_BYTES:
        raise ApiError(errors.REQUEST_TOO_LARGE, limit_mb="0,0625" if repairs < DRAFT_MAX_BYTES else "0,5")
    if seen is not None and seen.isdisjoint(_job_tags(job, services.job_documents)):
        raise ApiError(errors.DRAFT_CHANGED)
    refuse_new_repairs(services, job, body)
    kept = keep_draft(services, job, body.as_json(), as_read=seen is not None)
    tag = next(_job_tags(kept, services.job_documents))
    return Response(status_code=204, headers={"ETag": tag})


def _refuse_unstated(services: Services, job: JobRecord, body: models.Confirmation) -> None:
    """Raise INVALID_SCHEMA without columns, CONFLICTS_OPEN where nobody decided a merge's conflicts."""
    if job.mode != "merge":
        if not body.columns:
            raise ApiError(errors.INVALID_SCHEMA, [detail("body", _NO_COLUMNS, path="columns")])
        return
    plan = services.job_documents.find_merge_plan(job)
    if plan is None or not plan.conflicts_total or isinstance(body.conflicts, str):
        return
    decided = {(one.row_id.lower(), one.column) for one in body.conflicts or ()}
    shown = {(one.row_id, one.column) for one in plan.conflicts}
    if left := max(plan.conflicts_total - len(decided), len(shown - decided)):
        raise ApiError(errors.CONFLICTS_OPEN, count=left)


def _job_tags(job: JobRecord, documents: JobDocuments) -> Iterator[str]:
    """Yield the ETags of the job's answers: whole, and of its draft alone, numbers either way."""
    for fields in (None, "draft"):
        for numbers in ("number", "string"):
            query = models.JobQuery(fields=fields, numbers=numbers)
            yield tag_of(exact_json.dumps(job_fields(job, documents, query)))


@router.post("/{job_id:job}/confirm", summary="Confirm job schema", dependencies=_UPLOADS)
@raises(
    errors.TABLE_NOT_FOUND,
    errors.JOB_NOT_WAITING,
    errors.ANALYSIS_GONE,
    errors.DUPLICATE_NAME,
    errors.TABLE_INACTIVE,
    errors.TABLE_WITHOUT_KEY,
    errors.TABLE_BUSY,
    errors.INVALID_SCHEMA,
    errors.CONFLICTS_OPEN,
    errors.STORAGE_UNAVAILABLE,
)
def confirm_upload_job(
    body: FromSchema[models.Confirmation], job: KnownJob, caller: SignedIn, services: Services
) -> models.ConfirmAnswer:
    """Apply the schema that the user has reviewed, and start the insertion.

    Repeating it with the same body while the rows are inserted changes nothing. For an upload into an
    existing table its name, texts and key are not looked at, and the table's own types hold for its columns;
    `mode` takes the place of the upload's, and a job that makes a table has none (422).
    """
    _refuse_unstated(services, job, body)
    if body.make_nullable:
        caller.require(Permission.UPDATE)
    body.keep_auto_confirm &= caller.has(Permission.UPDATE)
    confirm_job(services, job, body.as_schema(), judge=partial(refuse_unfitting, services))
    return models.ConfirmAnswer(status="inserting")


@router.post("/{job_id:job}/undo", summary="Undo a job", dependencies=requires(Permission.DELETE))
@raises(errors.NOT_UNDOABLE, errors.CHANGED_SINCE, errors.TABLE_INACTIVE, errors.TABLE_BUSY)
def undo_upload_job(
    body: FromJson[models.UndoBody | None], job: KnownJob, caller: SignedIn, services: Services
) -> UndoAnswer:
    """Take back what a job did: its rows go, and those that it replaced or changed are as they were before.

    The table that a job made is deleted. Rows that somebody changed since are never lost: they refuse the
    undo, or stay as they are with `force`.
    """
    return undo_job(services, job, caller.user_id, force=body is not None and body.force)
