"""Routes of upload jobs: list, get, preview, read again, confirm, cancel, undo."""

from dataclasses import asdict
from typing import Annotated

from starlette.responses import Response

from managed_tables.errors import (
    ANALYSIS_GONE,
    CHANGED_SINCE,
    DUPLICATE_NAME,
    INVALID_READING,
    INVALID_REQUEST,
    INVALID_SCHEMA,
    JOB_FINISHED,
    JOB_NOT_FOUND,
    JOB_NOT_WAITING,
    NO_REJECTS,
    NOT_UNDOABLE,
    REQUEST_TOO_LARGE,
    TABLE_BUSY,
    TABLE_INACTIVE,
    TABLE_NOT_FOUND,
    TABLE_WITHOUT_KEY,
)
from managed_tables.jobs.cancellation import cancel_job
from managed_tables.jobs.confirmation import WantedSchema, confirm_job
from managed_tables.jobs.reanalysis import reanalyze_job
from managed_tables.undo.operation import undo_job
from managed_tables_api.auth.permissions import Permission
from managed_tables_api.http.answers import JsonAnswer, entity_answer, entity_bytes, no_content
from managed_tables_api.http.calls import Call, requires
from managed_tables_api.http.routing import ApiRouter
from managed_tables_api.http.schema_bodies import schema_body
from managed_tables_api.http.validation import NumbersQuery
from managed_tables_api.jobs.history import list_jobs
from managed_tables_api.jobs.job_answers import get_job, job_fields, list_active_jobs, render_jobs
from managed_tables_api.jobs.job_models import (
    ActiveJobsAnswer,
    ConfirmAnswer,
    Confirmation,
    JobAnswer,
    JobQuery,
    JobsAnswer,
    JobsQuery,
    RejectsAnswer,
)
from managed_tables_api.jobs.preview import Place, show_lines
from managed_tables_api.jobs.reanalysis_models import (
    PreviewAnswer,
    PreviewQuery,
    Reanalysis,
    ReanalysisAnswer,
)
from managed_tables_api.jobs.rejects import offer_rejects
from managed_tables_api.jobs.text_numbers import with_text_numbers
from managed_tables_api.jobs.undo_models import UndoAnswer, UndoBody
from managed_tables_api.openapi.describing import document

router = ApiRouter("/v1/managed-tables/upload-jobs", ["File upload"])


ENVELOPE = b'{"records":[%s]}'
PAGE = b'{"total":%d,"quantity":%d,"records":[%s]}'


@router.get(
    "",
    document("List jobs", answers={200: JobsAnswer}, errors=[INVALID_REQUEST], query=JobsQuery),
)
def list_upload_jobs(call: Annotated[Call, requires(Permission.LIST)]) -> Response:
    """Return all jobs, newest first: those that have ended too, until their record is deleted after 90 days.

    What has just begun or changed may show a moment late. Of a page over 5.5 MB the last jobs come with less,
    as in the list of active ones.
    """
    services, query = call.services, call.query(JobsQuery)
    page = list_jobs(services.jobs, call.company_id, query)
    max_bytes = services.settings.response_max_bytes - len(PAGE) - 40
    records = render_jobs(page.jobs, services.job_documents, max_bytes, query.numbers)
    body = PAGE % (page.total, len(records), b",".join(records))
    return Response(body, media_type=JsonAnswer.media_type)


@router.get(
    "/active",
    document(
        "List active jobs",
        answers={200: ActiveJobsAnswer},
        errors=[INVALID_REQUEST],
        query=NumbersQuery,
        is_entity=True,
    ),
)
def list_active_upload_jobs(call: Annotated[Call, requires(Permission.LIST)]) -> Response:
    """Return the jobs that are not yet terminal, newest first.

    Of many jobs with many columns, more than 5.5 MB of them, the oldest come without `sample_rows`, warnings
    and `inference`, then without schemas and details of their error; beyond some thousands they are
    left out. Each is whole by itself (`GET /upload-jobs/{job_id}`).
    """
    services, numbers = call.services, call.query(NumbersQuery).numbers
    max_bytes = services.settings.response_max_bytes - len(ENVELOPE)
    records = list_active_jobs(services.jobs, services.job_documents, call.company_id, max_bytes, numbers)
    return entity_bytes(call.request, ENVELOPE % b",".join(records))


@router.get(
    "/{job_id}",
    document(
        "Get job",
        answers={200: JobAnswer},
        errors=[JOB_NOT_FOUND, INVALID_REQUEST],
        query=JobQuery,
        is_entity=True,
    ),
)
def get_upload_job(job_id: str, call: Annotated[Call, requires(Permission.LIST)]) -> Response:
    """Return one job, whatever its status.

    With `fields` only those are answered: for polling, without the schemas.
    """
    job = get_job(call.services.jobs, call.company_id, job_id)
    query = call.query(JobQuery)
    answer = job_fields(job, call.services.job_documents, query.wanted)
    return entity_answer(call.request, with_text_numbers(answer) if query.numbers == "string" else answer)


@router.delete(
    "/{job_id}",
    document("Cancel job", answers={204: None}, errors=[JOB_NOT_FOUND, JOB_FINISHED, TABLE_BUSY]),
)
def cancel_upload_job(job_id: str, call: Annotated[Call, requires(Permission.UPLOAD)]) -> Response:
    """Cancel a job that has not ended: nothing of it stays, its files are deleted and its name is free.

    Repeating it is answered 204 again. Once its rows are committed it is too late: 400 `JOB_FINISHED`.
    """
    cancel_job(call.services, get_job(call.services.jobs, call.company_id, job_id))
    return no_content()


@router.get(
    "/{job_id}/preview",
    document(
        "Show lines of a job's files",
        answers={200: PreviewAnswer},
        errors=[JOB_NOT_FOUND, JOB_NOT_WAITING, ANALYSIS_GONE, INVALID_REQUEST],
        query=PreviewQuery,
    ),
)
def preview_upload_job(job_id: str, call: Annotated[Call, requires(Permission.LIST)]) -> Response:
    """Return lines of one file or sheet, and what each is under the present reading: 1 MB of them at most."""
    job = get_job(call.services.jobs, call.company_id, job_id)
    query = call.query(PreviewQuery)
    return JsonAnswer(show_lines(call.services, job, Place(**query.model_dump())))


@router.get(
    "/{job_id}/rejects",
    document("Get rejected rows", answers={200: RejectsAnswer}, errors=[JOB_NOT_FOUND, NO_REJECTS]),
)
def get_rejected_rows(job_id: str, call: Annotated[Call, requires(Permission.LIST)]) -> Response:
    """Return where the rows that did not fit can be fetched: a CSV to correct and upload again."""
    job = get_job(call.services.jobs, call.company_id, job_id)
    return JsonAnswer(offer_rejects(call.services, job))


@router.post(
    "/{job_id}/reanalyze",
    document(
        "Read a job's files otherwise",
        body=Reanalysis,
        answers={200: ReanalysisAnswer},
        errors=[
            JOB_NOT_FOUND,
            JOB_NOT_WAITING,
            ANALYSIS_GONE,
            REQUEST_TOO_LARGE,
            INVALID_REQUEST,
            INVALID_READING,
        ],
    ),
)
def reanalyze_upload_job(job_id: str, call: Annotated[Call, requires(Permission.UPLOAD)]) -> Response:
    """Read the files again: what is stated is fixed, and the rest is inferred under it.

    The job comes back to `waiting_confirm`, with `error` where that gives no table: then the reading before
    holds. A file or sheet that is not named stays as it was read. The same body again, while the files are
    read, changes nothing.
    """
    job = get_job(call.services.jobs, call.company_id, job_id)
    body = call.body(Reanalysis)
    reanalyze_job(call.services, job, body.as_stated())
    return JsonAnswer({"status": "analisando"})


@router.post(
    "/{job_id}/confirm",
    document(
        "Confirm job schema",
        body=Confirmation,
        answers={200: ConfirmAnswer},
        errors=[
            JOB_NOT_FOUND,
            JOB_NOT_WAITING,
            ANALYSIS_GONE,
            DUPLICATE_NAME,
            TABLE_INACTIVE,
            TABLE_WITHOUT_KEY,
            TABLE_NOT_FOUND,
            TABLE_BUSY,
            REQUEST_TOO_LARGE,
            INVALID_REQUEST,
            INVALID_SCHEMA,
        ],
    ),
)
def confirm_upload_job(job_id: str, call: Annotated[Call, requires(Permission.UPLOAD)]) -> Response:
    """Apply the schema that the user has reviewed, and start the insertion.

    Repeating it with the same body while the rows are inserted changes nothing. For an upload into an
    existing table `display_name` is not looked at, and the table's own types hold for its columns.
    """
    job = get_job(call.services.jobs, call.company_id, job_id)
    body = schema_body(call, Confirmation)
    if body.make_nullable:
        call.caller.require(Permission.UPDATE)
    columns = [column.column for column in body.columns]
    confirm_job(call.services, job, WantedSchema(body.display_name, columns, body.terms))
    return JsonAnswer({"status": "inserting"})


@router.post(
    "/{job_id}/undo",
    document(
        "Undo a job",
        body=UndoBody,
        answers={200: UndoAnswer},
        errors=[
            JOB_NOT_FOUND,
            NOT_UNDOABLE,
            CHANGED_SINCE,
            TABLE_INACTIVE,
            TABLE_BUSY,
            REQUEST_TOO_LARGE,
            INVALID_REQUEST,
        ],
    ),
)
def undo_upload_job(job_id: str, call: Annotated[Call, requires(Permission.DELETE)]) -> Response:
    """Take back what a job did: its rows go, and those that it replaced or changed are as they were before.

    The table that a job made is deleted. Rows that somebody changed since are never lost: they refuse the
    undo, or stay as they are with `force`.
    """
    job = get_job(call.services.jobs, call.company_id, job_id)
    force = bool(call.raw_body) and call.body(UndoBody).force
    return JsonAnswer(asdict(undo_job(call.services, job, force=force)))
