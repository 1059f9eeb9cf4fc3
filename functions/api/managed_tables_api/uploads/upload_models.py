"""Model what the upload routes take and answer, as OpenAPI shows it."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from managed_tables.documents.document import Document, LateModel, RecordId
from managed_tables.documents.recipes import AutoConfirm
from managed_tables.uploads.offered_files import MAX_FILES, MAX_NAME_CHARACTERS


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
