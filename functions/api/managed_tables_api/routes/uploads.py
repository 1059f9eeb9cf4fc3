"""Routes of uploads: files for a new table or an existing one, sent in a form or declared in JSON.

A job's record is made first, then its files, so that no file is without a job. A form is received into
temporary files: a hundred megabytes in little memory.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, BinaryIO, Literal

from fastapi import Depends
from pydantic import ConfigDict, Field
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from managed_tables import errors
from managed_tables.catalog.job_records import new_job
from managed_tables.catalog.tables import TableRecord
from managed_tables.details import Fault, detail, shown_text
from managed_tables.documents.document import Document, RecordId
from managed_tables.documents.recipes import AutoConfirm
from managed_tables.documents.statements import UPLOAD_MODES, UploadMode
from managed_tables.errors import ApiError
from managed_tables.ids import new_record_id
from managed_tables.settings import MIB
from managed_tables.uploads import MAX_FILES, MAX_NAME_CHARACTERS, OfferedFile, check_files
from managed_tables_api.auth import Caller, Permission
from managed_tables_api.calls import KnownTable, Services, SignedIn, api_router, raises, requires
from managed_tables_api.http.requests import JsonBody, StrictModel, is_multipart, receive_body, stream_body
from managed_tables_api.services import ApiServices

FORM_OVERHEAD_BYTES = MIB  # boundaries, part headers and the `mode` field, besides the files themselves
MAX_PARTS = 100  # more files than are allowed are still counted, to say how many they are
MAX_FIELDS = 10  # of text, which are held in memory; only `mode` says anything
FIELD_MAX_BYTES = 1_024
DRAINED_MAX_BYTES = 256 * MIB  # read and dropped, so that a client that only then listens hears the 413


async def receive_upload(request: Request) -> None:
    """Receive a declaration as any body, and a form into temporary files, which are gone at the end.

    Raises UPLOAD_TOO_LARGE as soon as the form is longer than the files may be, INVALID_UPLOAD for a body
    that is no such form.
    """
    if not is_multipart(request):
        await receive_body(request)
        return
    limits = {"max_files": MAX_PARTS, "max_fields": MAX_FIELDS, "max_part_size": FIELD_MAX_BYTES}
    try:
        form = await MultiPartParser(request.headers, _bounded(request), **limits).parse()  # type: ignore[arg-type]
    except MultiPartException as error:
        raise ApiError(errors.INVALID_UPLOAD, reason="formulário multipart malformado") from error
    request.state.form = form
    request.state.held.push_async_callback(form.close)


async def _bounded(request: Request) -> AsyncIterator[bytes]:
    """Yield a form as it arrives; raises UPLOAD_TOO_LARGE."""
    max_bytes = request.app.state.services.settings.upload_max_bytes
    limit_bytes, total_bytes = max_bytes + FORM_OVERHEAD_BYTES, 0
    async for chunk in stream_body(request):
        total_bytes += len(chunk)
        if total_bytes <= limit_bytes:
            yield chunk
        elif total_bytes > DRAINED_MAX_BYTES:
            break
    if total_bytes > limit_bytes:
        raise ApiError(errors.UPLOAD_TOO_LARGE, limit_mb=max_bytes // MIB)


class FileDeclaration(StrictModel):
    """A file that is going to be posted to S3."""

    name: str = Field(min_length=1, max_length=MAX_NAME_CHARACTERS)
    size_bytes: int = Field(ge=1, description="Tamanho exato; o envio de outro tamanho é recusado")


class UploadDeclaration(StrictModel):
    """The files of an upload, declared; each is then posted to S3 with its own form."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"files": [{"name": "vendas.csv", "size_bytes": 12345}], "mode": "append"}]
        }
    )

    files: Annotated[list[FileDeclaration], Field(min_length=1, max_length=MAX_FILES)]
    mode: UploadMode = Field(default="append", description="Só para o envio a uma tabela existente")
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
        "mode": {"type": "string", "enum": [*UPLOAD_MODES], "default": "append"},
    },
}


router = api_router("", "File upload", requires(Permission.UPLOAD, receive_upload))

_NO_FORM = Fault("INVALID", "o corpo deve ser um formulário (multipart/form-data) com os arquivos")
_UNKNOWN_FIELD = Fault("UNKNOWN_FIELD", "campo desconhecido")
_UNKNOWN_MODE = Fault("NOT_ALLOWED", "deve ser append, replace, upsert ou merge")
_ERRORS = (errors.NOT_PROVISIONED, errors.UPLOAD_TOO_LARGE, errors.INVALID_UPLOAD, errors.TOO_MANY_JOBS)
_ERRORS_OF_TABLE = (errors.TABLE_INACTIVE, errors.TABLE_WITHOUT_KEY, *_ERRORS)


@dataclass(frozen=True)
class Upload:
    """Files that are uploaded, and what is done with them; their contents, where a form has brought them."""

    files: list[OfferedFile]
    mode: UploadMode | None
    contents: list[BinaryIO] | None = None
    if_unchanged: bool = False  # nobody is to be asked where the files are as the table remembers


class UploadBody(JsonBody):
    """The dependency that gives a route its upload: of a form, or declared where others are taken."""

    def __init__(self, form_schema: Mapping[str, Any] | None = None) -> None:
        super().__init__(UploadDeclaration)
        self.form_schema = form_schema

    async def __call__(self, request: Request) -> Upload:
        """Return the upload; raises INVALID_UPLOAD."""
        if is_multipart(request):
            return _of_form(request.state.form)
        if self.form_schema is not None:
            raise ApiError(errors.INVALID_UPLOAD, [detail("body", _NO_FORM)], reason=_NO_FORM.reason)
        declared: UploadDeclaration = await super().__call__(request)
        files = [OfferedFile(file.name, file.size_bytes) for file in declared.files]
        mode = declared.mode if "mode" in declared.model_fields_set else None
        return Upload(files, mode, if_unchanged=declared.auto_confirm == "unchanged")


def _refuse_unknown_fields(form: FormData) -> None:
    unknown = [name for name in form if name not in ("files", "mode")]
    if unknown:
        details = [detail("body", _UNKNOWN_FIELD, path=shown_text(name)) for name in unknown]
        raise ApiError(errors.INVALID_UPLOAD, details, reason=f"campo desconhecido: {details[0]['path']}")


def _of_form(form: FormData) -> Upload:
    _refuse_unknown_fields(form)
    sent, named_mode = form.getlist("files"), form.get("mode")
    received = [file for file in sent if isinstance(file, UploadFile)]
    if len(received) != len(sent):
        raise ApiError(errors.INVALID_UPLOAD, reason="files deve conter arquivos")
    mode = UPLOAD_MODES.get(named_mode) if isinstance(named_mode, str) else None
    if mode is None and named_mode is not None:
        details = [detail("body", _UNKNOWN_MODE, path="mode")]
        raise ApiError(errors.INVALID_UPLOAD, details, reason=f"mode {_UNKNOWN_MODE.reason}")
    files = [OfferedFile(file.filename or "", file.size or 0) for file in received]
    return Upload(files, mode, [file.file for file in received])


AnyUpload = Annotated[Upload, Depends(UploadBody())]
FormUpload = Annotated[Upload, Depends(UploadBody(FORM_SCHEMA))]


@router.post("/upload", summary="Upload (create new table)", status_code=201)
@raises(*_ERRORS)
def upload_new_table(upload: AnyUpload, caller: SignedIn, services: Services) -> UploadAnswer:
    """Start a job that makes a table of the files, which are posted to S3 with the forms of `uploads`.

    It takes the form of `/upload/form` as well.
    """
    return _start(services, caller, upload, None)


@router.post("/upload/form", summary="Upload by form (create new table)", status_code=201)
@raises(*_ERRORS)
def upload_form_new_table(upload: FormUpload, caller: SignedIn, services: Services) -> UploadAnswer:
    """Start a job that makes a table of the form's files: behind Lambda at most 6 MB."""
    return _start(services, caller, upload, None)


@router.post("/{table_id:table}/upload", summary="Upload (append to existing table)", status_code=201)
@raises(*_ERRORS_OF_TABLE)
def upload_existing_table(
    upload: AnyUpload, table: KnownTable, caller: SignedIn, services: Services
) -> UploadAnswer:
    """Start a job that brings the files' rows into the table.

    `append` adds them, `replace` puts them in the place of all that are there, `upsert` (of a table with a
    key) updates the rows whose key is there in the file's columns and adds the others. `merge` takes the
    cells that were changed in a workbook exported for editing; so does its upload without a mode. The route
    takes the form of `/upload/form` as well.
    """
    return _start(services, caller, upload, table)


@router.post(
    "/{table_id:table}/upload/form", summary="Upload by form (append to existing table)", status_code=201
)
@raises(*_ERRORS_OF_TABLE)
def upload_form_existing_table(
    upload: FormUpload, table: KnownTable, caller: SignedIn, services: Services
) -> UploadAnswer:
    """Start a job that brings the rows of the form's files into the table: behind Lambda at most 6 MB."""
    return _start(services, caller, upload, table)


def _start(services: ApiServices, caller: Caller, upload: Upload, table: TableRecord | None) -> UploadAnswer:
    """Make a job that makes a table, or fills one, with its files, or the forms by which they are posted."""
    settings = services.settings
    check_files(upload.files, settings.upload_max_bytes)
    if table is None:
        services.provisioning.require(caller.company_id)
    elif table.status != "active":
        raise ApiError(errors.TABLE_INACTIVE)
    elif upload.mode == "upsert" and table.key is None:
        raise ApiError(errors.TABLE_WITHOUT_KEY)
    limit, seconds = settings.active_jobs_max, settings.upload_expires_seconds
    if services.jobs.count_active(caller.company_id, limit) >= limit:
        raise ApiError(errors.TOO_MANY_JOBS, limit=limit)
    job = new_job(
        caller.company_id,
        new_record_id(),
        caller.user_id,
        (upload.mode or "append") if table else "create",
        table.table_id if table else None,
        upload.files,
        seconds,
        if_unchanged=upload.if_unchanged,
        states_mode=upload.mode is not None,
    )
    services.jobs.create(job)
    answer = UploadAnswer(job_id=job.job_id, status="queued")
    if upload.contents is None:
        post = services.storage.presigned_post
        answer.uploads = [
            PresignedUpload(name=file.original_name, **post(file.storage_path, file.size_bytes, seconds))
            for file in job.files
        ]
    else:
        for file, content in zip(job.files, upload.contents, strict=True):
            services.storage.put(file.storage_path, content, file.mime_type)
    return answer
