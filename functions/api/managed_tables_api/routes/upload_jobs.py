"""Routes of upload jobs: list, get, preview, read again, confirm, cancel, undo."""

from dataclasses import asdict
from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from managed_tables import errors
from managed_tables.documents.statements import Draft
from managed_tables.errors import ApiError
from managed_tables.exact_json import Object
from managed_tables.jobs.confirmation import WantedSchema, confirm_job
from managed_tables.jobs.ending import cancel_job
from managed_tables.jobs.reanalysis import keep_draft, reanalyze_job
from managed_tables.jobs.undoing import undo_job
from managed_tables_api.auth import Permission
from managed_tables_api.calls import KnownJob, Services, SignedIn, api_router, raises, requires
from managed_tables_api.http.answers import Entity, JsonAnswer
from managed_tables_api.http.bodies import from_json, json_object_of, received
from managed_tables_api.http.validation import NumbersQuery
from managed_tables_api.jobs.job_answers import (
    job_fields,
    list_active_jobs,
    list_jobs,
    offer_rejects,
    render_jobs,
)
from managed_tables_api.jobs.job_models import (
    ActiveJobsAnswer,
    ConfirmAnswer,
    Confirmation,
    JobAnswer,
    JobQuery,
    JobsAnswer,
    JobsQuery,
    Reanalysis,
    ReanalysisAnswer,
    RejectsAnswer,
    UndoAnswer,
    UndoBody,
)
from managed_tables_api.jobs.preview import PreviewAnswer, PreviewQuery, show_lines
from managed_tables_api.tables import from_schema

router = api_router("/upload-jobs", "File upload")

_UPLOADS = requires(Permission.UPLOAD)
_LISTS = requires(Permission.LIST)
ENVELOPE = b'{"records":[%s]}'
DRAFT_MAX_BYTES = 64 * 1_024
PAGE = b'{"total":%d,"quantity":%d,"records":[%s]}'


@router.get("", summary="List jobs", response_model=JobsAnswer, dependencies=_LISTS)
def list_upload_jobs(query: Annotated[JobsQuery, Query()], caller: SignedIn, services: Services) -> Response:
    """Return all jobs, newest first: those that have ended too, until their record is deleted after 90 days.

    What has just begun or changed may show a moment late. Of a page over 5.5 MB the last jobs come with less,
    as in the list of active ones.
    """
    total, page = list_jobs(services.jobs, caller.company_id, query)
    max_bytes = services.settings.response_max_bytes - len(PAGE) - 40
    records = render_jobs(page, services.job_documents, max_bytes, query.numbers)
    body = PAGE % (total, len(records), b",".join(records))
    return Response(body, media_type=JsonAnswer.media_type)


@router.get("/active", summary="List active jobs", response_model=ActiveJobsAnswer, dependencies=_LISTS)
def list_active_upload_jobs(
    query: Annotated[NumbersQuery, Query()], entity: Entity, caller: SignedIn, services: Services
) -> Response:
    """Return the jobs that are not yet terminal, newest first.

    Of many jobs with many columns, more than 5.5 MB of them, the oldest come without `sample_rows`, warnings
    and `inference`, then without schemas and details of their error; beyond some thousands they are
    left out. Each is whole by itself (`GET /upload-jobs/{job_id}`).
    """
    max_bytes = services.settings.response_max_bytes - len(ENVELOPE)
    records = list_active_jobs(
        services.jobs, services.job_documents, caller.company_id, max_bytes, query.numbers
    )
    return entity.answer(ENVELOPE % b",".join(records))


@router.get("/{job_id}", summary="Get job", response_model=JobAnswer, dependencies=_LISTS)
def get_upload_job(
    query: Annotated[JobQuery, Query()], job: KnownJob, entity: Entity, services: Services
) -> Response:
    """Return one job, whatever its status.

    With `fields` only those are answered: for polling, without the schemas.
    """
    return entity.answer(job_fields(job, services.job_documents, query))


@router.delete("/{job_id}", summary="Cancel job", status_code=204, dependencies=_UPLOADS)
@raises(errors.JOB_FINISHED, errors.TABLE_BUSY)
def cancel_upload_job(job: KnownJob, services: Services) -> None:
    """Cancel a job that has not ended: nothing of it stays, its files are deleted and its name is free.

    Repeating it is answered 204 again. Once its rows are committed it is too late: 400 `JOB_FINISHED`.
    """
    cancel_job(services, job)


@router.get("/{job_id}/preview", summary="Show lines of a job's files", dependencies=_LISTS)
@raises(errors.JOB_NOT_WAITING, errors.ANALYSIS_GONE, errors.FILES_REPLACED)
def preview_upload_job(
    query: Annotated[PreviewQuery, Query()], job: KnownJob, services: Services
) -> PreviewAnswer:
    """Return lines of one file or sheet, and what each is under the present reading: 1 MB of them at most."""
    return show_lines(services, job, query)


@router.get("/{job_id}/rejects", summary="Get rejected rows", dependencies=_LISTS)
@raises(errors.NO_REJECTS)
def get_rejected_rows(job: KnownJob, services: Services) -> RejectsAnswer:
    """Return where the rows that did not fit can be fetched: a CSV to correct and upload again."""
    return offer_rejects(services, job)


@router.post("/{job_id}/reanalyze", summary="Read a job's files otherwise", dependencies=_UPLOADS)
@raises(errors.JOB_NOT_WAITING, errors.ANALYSIS_GONE, errors.INVALID_READING)
def reanalyze_upload_job(
    body: Annotated[Reanalysis, from_json(Reanalysis)], job: KnownJob, services: Services
) -> ReanalysisAnswer:
    """Read the files again: what is stated is fixed, and the rest is inferred under it.

    The job comes back to `waiting_confirm`, with `error` where that gives no table: then the reading before
    holds. What is not named stays as it was stated, field by field; a field given as null is found anew. The
    same body again, while the files are read, changes nothing.
    """
    reanalyze_job(services, job, body.as_statement())
    return ReanalysisAnswer(status="analisando")


@router.put("/{job_id}/draft", summary="Keep a review's draft", status_code=204, dependencies=_UPLOADS)
@raises(errors.JOB_NOT_WAITING)
def keep_upload_job_draft(
    body: Annotated[Object, json_object_of(Draft)],
    request: Request,
    job: KnownJob,
    services: Services,
) -> None:
    """Keep what a review has so far (64 KiB) in place of what was kept; the job answers it as `draft`."""
    if len(received(request)) > DRAFT_MAX_BYTES:
        raise ApiError(errors.REQUEST_TOO_LARGE, limit_mb="0,0625")
    keep_draft(services, job, body)


@router.post("/{job_id}/confirm", summary="Confirm job schema", dependencies=_UPLOADS)
@raises(
    errors.TABLE_NOT_FOUND,
    errors.JOB_NOT_WAITING,
    errors.ANALYSIS_GONE,
    errors.DUPLICATE_NAME,
    errors.TABLE_INACTIVE,
    errors.TABLE_WITHOUT_KEY,
    errors.TABLE_BUSY,
    errors.INVALID_SCHEMA,
)
def confirm_upload_job(
    body: Annotated[Confirmation, from_schema(Confirmation)],
    job: KnownJob,
    caller: SignedIn,
    services: Services,
) -> ConfirmAnswer:
    """Apply the schema that the user has reviewed, and start the insertion.

    Repeating it with the same body while the rows are inserted changes nothing. For an upload into an
    existing table its name, texts and key are not looked at, and the table's own types hold for its columns.
    """
    if body.make_nullable:
        caller.require(Permission.UPDATE)
    columns = [column.column for column in body.columns]
    confirm_job(services, job, WantedSchema(body.display_name, columns, body.terms, body.additions))
    return ConfirmAnswer(status="inserting")


@router.post("/{job_id}/undo", summary="Undo a job", dependencies=requires(Permission.DELETE))
@raises(errors.NOT_UNDOABLE, errors.CHANGED_SINCE, errors.TABLE_INACTIVE, errors.TABLE_BUSY)
def undo_upload_job(
    body: Annotated[UndoBody | None, from_json(UndoBody, is_optional=True)],
    job: KnownJob,
    caller: SignedIn,
    services: Services,
) -> UndoAnswer:
    """Take back what a job did: its rows go, and those that it replaced or changed are as they were before.

    The table that a job made is deleted. Rows that somebody changed since are never lost: they refuse the
    undo, or stay as they are with `force`.
    """
    undone = undo_job(services, job, caller.user_id, force=body is not None and body.force)
    return UndoAnswer(**asdict(undone))
