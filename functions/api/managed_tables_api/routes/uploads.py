"""Routes of uploads: files for a new table or an existing one, sent in a form or declared in JSON."""

from typing import Annotated

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from managed_tables.catalog.jobs import JobMode
from managed_tables.catalog.table_records import TableRecord
from managed_tables.details import DetailCode, Fault, detail
from managed_tables.errors import (
    INVALID_REQUEST,
    INVALID_UPLOAD,
    NOT_PROVISIONED,
    REQUEST_TOO_LARGE,
    TABLE_INACTIVE,
    TABLE_NOT_FOUND,
    TABLE_WITHOUT_KEY,
    TOO_MANY_JOBS,
    UPLOAD_TOO_LARGE,
    ApiError,
)
from managed_tables.uploads.offered_files import OfferedFile, check_files
from managed_tables_api.auth.permissions import Permission
from managed_tables_api.http.answers import JsonAnswer
from managed_tables_api.http.calls import Call, is_multipart, requires
from managed_tables_api.http.routing import ApiRouter
from managed_tables_api.openapi.describing import document
from managed_tables_api.uploads.form import open_form
from managed_tables_api.uploads.new_jobs import Target, start_declared, start_received
from managed_tables_api.uploads.upload_models import FORM_SCHEMA, UploadAnswer, UploadDeclaration

router = ApiRouter("/v1/managed-tables", ["File upload"])

_FORM = {"multipart/form-data": {"schema": FORM_SCHEMA}}
_MODES: dict[str | None, JobMode] = {
    None: "append",
    "append": "append",
    "replace": "replace",
    "upsert": "upsert",
}
_ERRORS = (
    NOT_PROVISIONED,
    REQUEST_TOO_LARGE,
    UPLOAD_TOO_LARGE,
    INVALID_REQUEST,
    INVALID_UPLOAD,
    TOO_MANY_JOBS,
)


@router.post(
    "/upload",
    document(
        "Upload (create new table)",
        body=UploadDeclaration,
        other_bodies=_FORM,
        answers={201: UploadAnswer},
        errors=_ERRORS,
    ),
)
async def upload_new_table(call: Annotated[Call, requires(Permission.UPLOAD)]) -> Response:
    """Start a job that makes a table of the files.

    Behind Lambda a form takes at most 6 MB; declare larger files in JSON and post them to S3 with the
    forms of `uploads`.
    """
    return await _upload(call, None)


@router.post(
    "/{table_id}/upload",
    document(
        "Upload (append to existing table)",
        body=UploadDeclaration,
        other_bodies=_FORM,
        answers={201: UploadAnswer},
        errors=(TABLE_NOT_FOUND, TABLE_INACTIVE, TABLE_WITHOUT_KEY, *_ERRORS),
    ),
)
async def upload_existing_table(
    table_id: str, call: Annotated[Call, requires(Permission.UPLOAD)]
) -> Response:
    """Start a job that brings the files' rows into the table.

    `append` adds them, `replace` puts them in the place of all that are there, `upsert` (of a table with a
    key) updates the rows whose key is there in the file's columns and adds the others.
    """
    return await _upload(call, await run_in_threadpool(_get_table, call, table_id))


def _get_table(call: Call, table_id: str) -> TableRecord:
    company = call.services.provisioning.find(call.company_id)
    if company is None:  # and so has no tables
        raise ApiError(TABLE_NOT_FOUND)
    return call.services.table_reading.get(company, table_id.lower())


_UNKNOWN_MODE = Fault(DetailCode.NOT_ALLOWED, "deve ser append, replace ou upsert")


async def _upload(call: Call, table: TableRecord | None) -> Response:
    if not is_multipart(call.request):
        return await run_in_threadpool(_upload_declared, call, table)
    max_bytes = call.services.settings.upload_max_bytes
    async with open_form(call.request, max_bytes) as form:
        files = [OfferedFile(file.filename or "", file.size or 0) for file in form.files]
        check_files(files, max_bytes)
        mode = _MODES.get(form.mode)
        if mode is None:
            details = [detail("body", _UNKNOWN_MODE, path="mode")]
            raise ApiError(INVALID_UPLOAD, details, reason=f"mode {_UNKNOWN_MODE.reason}")
        streams = [file.file for file in form.files]
        async with call.slot():
            answer = await run_in_threadpool(
                lambda: start_received(call.services, call.caller, _target(call, table, mode), files, streams)
            )
    return JsonAnswer(answer, 201)


def _upload_declared(call: Call, table: TableRecord | None) -> Response:
    declared = call.body(UploadDeclaration)
    files = [OfferedFile(file.name, file.size_bytes) for file in declared.files]
    check_files(files, call.services.settings.upload_max_bytes)
    target = _target(call, table, declared.mode)
    return JsonAnswer(start_declared(call.services, call.caller, target, files), 201)


def _target(call: Call, table: TableRecord | None, mode: JobMode) -> Target:
    """Return the target of the rows; raises what the state forbids, once the request itself is valid."""
    if table is None:
        call.services.provisioning.require(call.company_id)
        return Target("create")
    if table.status != "active":
        raise ApiError(TABLE_INACTIVE)
    if mode == "upsert" and table.key is None:
        raise ApiError(TABLE_WITHOUT_KEY)
    return Target(mode, table.table_id)
