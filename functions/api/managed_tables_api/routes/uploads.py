"""Routes of uploads: files for a new table or an existing one, sent in a form or declared in JSON."""

from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from managed_tables.catalog.job_records import JobMode
from managed_tables.catalog.table_records import TableRecord
from managed_tables.details import DetailCode, Fault, detail
from managed_tables.errors import (
    INVALID_UPLOAD,
    NOT_PROVISIONED,
    TABLE_INACTIVE,
    TABLE_WITHOUT_KEY,
    TOO_MANY_JOBS,
    UPLOAD_TOO_LARGE,
    ApiError,
)
from managed_tables.uploads.offered_files import OfferedFile, check_files
from managed_tables_api.auth.permissions import Permission
from managed_tables_api.auth.tokens import Caller
from managed_tables_api.calls.gate import KnownTable, Services, SignedIn, requires
from managed_tables_api.calls.routing import api_router, raises
from managed_tables_api.http.bodies import JsonBody, is_multipart
from managed_tables_api.services import ApiServices
from managed_tables_api.uploads.form import open_form
from managed_tables_api.uploads.new_jobs import (
    FORM_SCHEMA,
    UploadAnswer,
    UploadDeclaration,
    UploadTarget,
    start_declared,
    start_received,
)

router = api_router("", "File upload")

_MODES: dict[str | None, JobMode] = {
    None: "append",
    "append": "append",
    "replace": "replace",
    "upsert": "upsert",
}
_NO_FORM = Fault(DetailCode.INVALID, "o corpo deve ser um formulário (multipart/form-data) com os arquivos")
_UNKNOWN_MODE = Fault(DetailCode.NOT_ALLOWED, "deve ser append, replace ou upsert")
_ERRORS = (NOT_PROVISIONED, UPLOAD_TOO_LARGE, INVALID_UPLOAD, TOO_MANY_JOBS)


class UploadBody(JsonBody):
    """The dependency that gives an upload its declared files; None where a form brings them."""

    async def __call__(self, request: Request) -> Any:
        """Return the declaration."""
        return None if is_multipart(request) else await super().__call__(request)


class FormOnly(JsonBody):
    """The dependency of an upload that only a form brings."""

    form_schema = FORM_SCHEMA

    async def __call__(self, request: Request) -> Any:
        """Return no declaration; raises INVALID_UPLOAD."""
        if not is_multipart(request):
            raise ApiError(INVALID_UPLOAD, [detail("body", _NO_FORM)], reason=_NO_FORM.reason)


Declared = Annotated[UploadDeclaration | None, Depends(UploadBody(UploadDeclaration))]
OnlyForm = Annotated[UploadDeclaration | None, Depends(FormOnly(UploadDeclaration))]
_TAKES_FORM = requires(Permission.UPLOAD, takes_form=True)
_ERRORS_OF_TABLE = (TABLE_INACTIVE, TABLE_WITHOUT_KEY, *_ERRORS)


@router.post("/upload", summary="Upload (create new table)", status_code=201, dependencies=_TAKES_FORM)
@raises(*_ERRORS)
async def upload_new_table(
    request: Request, body: Declared, caller: SignedIn, services: Services
) -> UploadAnswer:
    """Start a job that makes a table of the files, which are posted to S3 with the forms of `uploads`.

    It takes the form of `/upload/form` as well.
    """
    return await _upload(request, body, None, caller, services)


@router.post(
    "/upload/form", summary="Upload by form (create new table)", status_code=201, dependencies=_TAKES_FORM
)
@raises(*_ERRORS)
async def upload_form_new_table(
    request: Request, body: OnlyForm, caller: SignedIn, services: Services
) -> UploadAnswer:
    """Start a job that makes a table of the form's files: behind Lambda at most 6 MB."""
    return await _upload(request, body, None, caller, services)


@router.post(
    "/{table_id}/upload",
    summary="Upload (append to existing table)",
    status_code=201,
    dependencies=_TAKES_FORM,
)
@raises(*_ERRORS_OF_TABLE)
async def upload_existing_table(
    request: Request, body: Declared, table: KnownTable, caller: SignedIn, services: Services
) -> UploadAnswer:
    """Start a job that brings the files' rows into the table.

    `append` adds them, `replace` puts them in the place of all that are there, `upsert` (of a table with a
    key) updates the rows whose key is there in the file's columns and adds the others. It takes the form of
    `/upload/form` as well.
    """
    return await _upload(request, body, table, caller, services)


@router.post(
    "/{table_id}/upload/form",
    summary="Upload by form (append to existing table)",
    status_code=201,
    dependencies=_TAKES_FORM,
)
@raises(*_ERRORS_OF_TABLE)
async def upload_form_existing_table(
    request: Request, body: OnlyForm, table: KnownTable, caller: SignedIn, services: Services
) -> UploadAnswer:
    """Start a job that brings the rows of the form's files into the table: behind Lambda at most 6 MB."""
    return await _upload(request, body, table, caller, services)


async def _upload(
    request: Request,
    declared: UploadDeclaration | None,
    table: TableRecord | None,
    caller: Caller,
    services: ApiServices,
) -> UploadAnswer:
    if declared is not None:
        return await run_in_threadpool(_start_declared, declared, table, caller, services)
    max_bytes = services.settings.upload_max_bytes
    async with open_form(request, max_bytes) as form:
        files = [OfferedFile(file.filename or "", file.size or 0) for file in form.files]
        check_files(files, max_bytes)
        mode = _MODES.get(form.mode)
        if mode is None:
            details = [detail("body", _UNKNOWN_MODE, path="mode")]
            raise ApiError(INVALID_UPLOAD, details, reason=f"mode {_UNKNOWN_MODE.reason}")
        streams = [file.file for file in form.files]
        async with services.slots.slot(caller.company_id):
            return await run_in_threadpool(
                lambda: start_received(
                    services, caller, _target(services, caller, table, mode), files, streams
                )
            )


def _start_declared(
    declared: UploadDeclaration, table: TableRecord | None, caller: Caller, services: ApiServices
) -> UploadAnswer:
    files = [OfferedFile(file.name, file.size_bytes) for file in declared.files]
    check_files(files, services.settings.upload_max_bytes)
    target = _target(services, caller, table, declared.mode)
    target = replace(target, if_unchanged=declared.auto_confirm == "unchanged")
    return start_declared(services, caller, target, files)


def _target(services: ApiServices, caller: Caller, table: TableRecord | None, mode: JobMode) -> UploadTarget:
    """Return the target of the rows; raises what the state forbids, once the request itself is valid."""
    if table is None:
        services.provisioning.require(caller.company_id)
        return UploadTarget("create")
    if table.status != "active":
        raise ApiError(TABLE_INACTIVE)
    if mode == "upsert" and table.key is None:
        raise ApiError(TABLE_WITHOUT_KEY)
    return UploadTarget(mode, table.table_id)
