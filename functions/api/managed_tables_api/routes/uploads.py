"""Routes of uploads: files for a new table or an existing one, sent in a form or declared in JSON.

A job's record is made first, then its files, so that no file is without a job. A form is received into
temporary files: a hundred megabytes in little memory.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal

from fastapi import Depends
from pydantic import ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from managed_tables import errors
from managed_tables.catalog.job_records import JobRecord, new_job
from managed_tables.catalog.tables import TableRecord
from managed_tables.details import Fault, detail
from managed_tables.documents.confirmations import LOAD_MODES, LoadMode
from managed_tables.documents.document import Document, LateModel, RecordId
from managed_tables.documents.recipes import AutoConfirm
from managed_tables.errors import ApiError
from managed_tables.ids import new_record_id
from managed_tables.settings import MIB
from managed_tables.uploads import MAX_FILES, MAX_NAME_CHARACTERS, OfferedFile, check_files
from managed_tables_api.auth import Caller, Permission
from managed_tables_api.calls import KnownTable, Services, SignedIn, api_router, raises, requires
from managed_tables_api.http.requests import JsonBody, is_multipart, stream_body
from managed_tables_api.services import ApiServices

FORM_OVERHEAD_BYTES = MIB  # boundaries, part headers and the `mode` field, besides the files themselves
MAX_PARTS = 100  # more files than are allowed are still counted, to say how many they are
MAX_FIELDS = 10  # of text, which are held in memory; only `mode` says anything
FIELD_MAX_BYTES = 1_024
DRAINED_MAX_BYTES = 256 * MIB  # read and dropped, so that a client that only then listens hears the 413


@asynccontextmanager
async def open_form(request: Request, max_bytes: int) -> AsyncIterator[tuple[list[UploadFile], str | None]]:
    """Receive the form and yield its files, rewound, and `mode`; its temporary files are gone at the end.

    Raises UPLOAD_TOO_LARGE as soon as the body is longer than the files may be, INVALID_UPLOAD for a body
    that is no such form.
    """
    limit_bytes = max_bytes + FORM_OVERHEAD_BYTES

    async def bounded() -> AsyncIterator[bytes]:
        total_bytes = 0
        async for chunk in stream_body(request):
            total_bytes += len(chunk)
            if total_bytes <= limit_bytes:
                yield chunk
            elif total_bytes > DRAINED_MAX_BYTES:
                break
        if total_bytes > limit_bytes:
            raise ApiError(errors.UPLOAD_TOO_LARGE, limit_mb=max_bytes // MIB)

    limits = {"max_files": MAX_PARTS, "max_fields": MAX_FIELDS, "max_part_size": FIELD_MAX_BYTES}
    try:
        form = await MultiPartParser(request.headers, bounded(), **limits).parse()  # type: ignore[arg-type]
    except MultiPartException as error:
        raise ApiError(errors.INVALID_UPLOAD, reason="formulário multipart malformado") from error
    try:
        values, mode = form.getlist("files"), form.get("mode")
        files = [value for value in values if isinstance(value, UploadFile)]
        if len(files) != len(values):
            raise ApiError(errors.INVALID_UPLOAD, reason="files deve conter arquivos")
        if isinstance(mode, UploadFile):
            raise ApiError(errors.INVALID_UPLOAD, reason="mode deve ser texto")
        yield files, mode
    finally:
        await form.close()


class FileDeclaration(LateModel):
    """A file that is going to be posted to S3."""

    name: str = Field(min_length=1, max_length=MAX_NAME_CHARACTERS)
    size_bytes: int = Field(ge=1, description="Tamanho exato; o envio de outro tamanho é recusado")


class UploadDeclaration(LateModel):
    """The files of an upload, declared; each is then posted to S3 with its own form."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"files": [{"name": "vendas.csv", "size_bytes": 12345}], "mode": "append"}]
        }
    )

    files: Annotated[list[FileDeclaration], Field(min_length=1, max_length=MAX_FILES)]
    mode: LoadMode = Field(default="append", description="Só para o envio a uma tabela existente")
    auto_confirm: AutoConfirm = Field(
        default="never", description="`unchanged`: confirma-se sozinho se for como a tabela lembra"
    )


class PresignedUpload(Document):
    """A form that posts one file to S3: `fields` first, then the file in the field `file`."""

    name: str
    url: str
    fields: dict[str, str]


class UploadAnswer(Document):
    """A new job."""

    job_id: RecordId
    status: Literal["queued"]
    uploads: list[PresignedUpload] | None = Field(
        default=None, max_length=MAX_FILES, description="Só quando os arquivos foram declarados em JSON"
    )


FORM_SCHEMA = {
    "type": "object",
    "required": ["files"],
    "properties": {
        "files": {
            "type": "array",
            "minItems": 1,
            "maxItems": MAX_FILES,
            "items": {"type": "string", "contentMediaType": "application/octet-stream"},
            "description": "De 1 a 10 arquivos .csv, .txt, .tsv, .xlsx, .xlsm, .xls, .ods, .json, .jsonl,"
            " .ndjson, .parquet, .gz ou .zip; ao todo até o limite da instalação (100 MB, se não for outro)",
        },
        "mode": {"type": "string", "enum": ["append", "replace", "upsert"], "default": "append"},
    },
}


router = api_router("", "File upload", requires(Permission.UPLOAD, takes_form=True))

_NO_FORM = Fault("INVALID", "o corpo deve ser um formulário (multipart/form-data) com os arquivos")
_UNKNOWN_MODE = Fault("NOT_ALLOWED", "deve ser append, replace ou upsert")
_ERRORS = (errors.NOT_PROVISIONED, errors.UPLOAD_TOO_LARGE, errors.INVALID_UPLOAD, errors.TOO_MANY_JOBS)


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
            raise ApiError(errors.INVALID_UPLOAD, [detail("body", _NO_FORM)], reason=_NO_FORM.reason)


Declared = Annotated[UploadDeclaration | None, Depends(UploadBody(UploadDeclaration))]
OnlyForm = Annotated[UploadDeclaration | None, Depends(FormOnly(UploadDeclaration))]
_ERRORS_OF_TABLE = (errors.TABLE_INACTIVE, errors.TABLE_WITHOUT_KEY, *_ERRORS)


@router.post("/upload", summary="Upload (create new table)", status_code=201)
@raises(*_ERRORS)
async def upload_new_table(
    request: Request, body: Declared, caller: SignedIn, services: Services
) -> UploadAnswer:
    """Start a job that makes a table of the files, which are posted to S3 with the forms of `uploads`.

    It takes the form of `/upload/form` as well.
    """
    return await _upload(request, body, None, caller, services)


@router.post("/upload/form", summary="Upload by form (create new table)", status_code=201)
@raises(*_ERRORS)
async def upload_form_new_table(
    request: Request, body: OnlyForm, caller: SignedIn, services: Services
) -> UploadAnswer:
    """Start a job that makes a table of the form's files: behind Lambda at most 6 MB."""
    return await _upload(request, body, None, caller, services)


@router.post("/{table_id}/upload", summary="Upload (append to existing table)", status_code=201)
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


@router.post("/{table_id}/upload/form", summary="Upload by form (append to existing table)", status_code=201)
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
    async with open_form(request, max_bytes) as (received, named_mode):
        files = [OfferedFile(file.filename or "", file.size or 0) for file in received]
        check_files(files, max_bytes)
        mode = LOAD_MODES.get("append" if named_mode is None else named_mode)
        if mode is None:
            details = [detail("body", _UNKNOWN_MODE, path="mode")]
            raise ApiError(errors.INVALID_UPLOAD, details, reason=f"mode {_UNKNOWN_MODE.reason}")

        def store() -> UploadAnswer:
            job = _make_job(services, caller, table, mode, files)
            for file, content in zip(job.files, received, strict=True):
                services.storage.put(file.storage_path, content.file, file.mime_type)
            return UploadAnswer(job_id=job.job_id, status="queued")

        async with services.slots.slot(caller.company_id):
            return await run_in_threadpool(store)


def _start_declared(
    declared: UploadDeclaration, table: TableRecord | None, caller: Caller, services: ApiServices
) -> UploadAnswer:
    """Make a job whose files the caller posts to S3; return the answer with one form a file."""
    files = [OfferedFile(file.name, file.size_bytes) for file in declared.files]
    check_files(files, services.settings.upload_max_bytes)
    if_unchanged = declared.auto_confirm == "unchanged"
    job = _make_job(services, caller, table, declared.mode, files, if_unchanged=if_unchanged)
    seconds, post = services.settings.upload_expires_seconds, services.storage.presigned_post
    uploads = [
        PresignedUpload(name=file.original_name, **post(file.storage_path, file.size_bytes, seconds))
        for file in job.files
    ]
    return UploadAnswer(job_id=job.job_id, status="queued", uploads=uploads)


def _make_job(
    services: ApiServices,
    caller: Caller,
    table: TableRecord | None,
    mode: LoadMode,
    files: Sequence[OfferedFile],
    *,
    if_unchanged: bool = False,
) -> JobRecord:
    """Record a job that makes a table, or fills one; raises what the state forbids.

    `if_unchanged`: nobody is to be asked where the files are as the table remembers.
    """
    if table is None:
        services.provisioning.require(caller.company_id)
    elif table.status != "active":
        raise ApiError(errors.TABLE_INACTIVE)
    elif mode == "upsert" and table.key is None:
        raise ApiError(errors.TABLE_WITHOUT_KEY)
    limit = services.settings.active_jobs_max
    if services.jobs.count_active(caller.company_id, limit) >= limit:
        raise ApiError(errors.TOO_MANY_JOBS, limit=limit)
    job = new_job(
        caller.company_id,
        new_record_id(),
        caller.user_id,
        mode if table else "create",
        table.table_id if table else None,
        files,
        services.settings.upload_expires_seconds,
        if_unchanged=if_unchanged,
    )
    services.jobs.create(job)
    return job
