"""Create a job: its record first, then its files, so that no file is without a job."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import IO, Annotated, Literal

from pydantic import ConfigDict, Field

from managed_tables.catalog.job_records import JobFile, JobMode, JobRecord
from managed_tables.clock import timestamp
from managed_tables.documents.document import Document, LateModel, RecordId
from managed_tables.documents.recipes import AutoConfirm
from managed_tables.errors import TOO_MANY_JOBS, ApiError
from managed_tables.ids import new_record_id
from managed_tables.object_keys import upload_key
from managed_tables.uploads.offered_files import MAX_FILES, MAX_NAME_CHARACTERS, OfferedFile
from managed_tables.wiring.services import Services
from managed_tables_api.auth.tokens import Caller


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
    mode: Literal["append", "replace", "upsert"] = Field(
        default="append", description="Só para o envio a uma tabela existente"
    )
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

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"job_id": "507f1f77bcf86cd799439011", "status": "queued"}]}
    )

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


@dataclass(frozen=True)
class UploadTarget:
    """Where an upload's rows go: a new table (`create`, no id), or an existing one.

    `if_unchanged`: nobody is to be asked where the files are as the table remembers.
    """

    mode: JobMode
    table_id: str | None = None
    if_unchanged: bool = False


def start_declared(
    services: Services, caller: Caller, target: UploadTarget, files: Sequence[OfferedFile]
) -> UploadAnswer:
    """Make a job whose files the caller posts to S3; return the answer with one form a file."""
    job = _create(services, caller, target, files)
    seconds = services.settings.upload_expires_seconds
    uploads = [
        PresignedUpload(
            name=file.original_name,
            **services.storage.presigned_post(file.storage_path, file.size_bytes, seconds),
        )
        for file in job.files
    ]
    return UploadAnswer(job_id=job.job_id, status="queued", uploads=uploads)


def start_received(
    services: Services,
    caller: Caller,
    target: UploadTarget,
    files: Sequence[OfferedFile],
    streams: Sequence[IO[bytes]],
) -> UploadAnswer:
    """Make a job and store its files; each arrival reaches the job as a posted file's does."""
    job = _create(services, caller, target, files)
    for file, stream in zip(job.files, streams, strict=True):
        services.storage.put(file.storage_path, stream, file.mime_type)
    return UploadAnswer(job_id=job.job_id, status="queued")


def _create(
    services: Services, caller: Caller, target: UploadTarget, files: Sequence[OfferedFile]
) -> JobRecord:
    limit = services.settings.active_jobs_max
    if services.jobs.count_active(caller.company_id, limit) >= limit:
        raise ApiError(TOO_MANY_JOBS, limit=limit)
    job_id, now = new_record_id(), datetime.now(UTC)
    job = JobRecord(
        company_id=caller.company_id,
        job_id=job_id,
        user_id=caller.user_id,
        mode=target.mode,
        status="queued",
        files=tuple(
            JobFile(
                original_name=file.base_name,
                storage_path=upload_key(caller.company_id, job_id, index, file.extension),
                size_bytes=file.size_bytes,
                mime_type=file.mime_type,
            )
            for index, file in enumerate(files)
        ),
        expires_at=timestamp(now + timedelta(seconds=services.settings.upload_expires_seconds)),
        created_at=timestamp(now),
        updated_at=timestamp(now),
        user_table_id=target.table_id,
        if_unchanged=target.if_unchanged,
    )
    services.jobs.create(job)
    return job
