"""How far a job or an export is, or why it failed: as its record keeps it, and the API answers it."""

from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema
from pydantic.config import JsonDict, JsonValue

from managed_tables.details import MAX_ERROR_DETAILS, DetailCode, Place
from managed_tables.documents.document import Count, Document, Sentence
from managed_tables.errors import JobErrorKind, codes_of


class JobProgress(Document):
    """How far the job is; only the keys that apply are there."""

    phase: Literal["receiving", "reading", "inferring", "waiting", "inserting", "done"]
    percent: int = Field(ge=0, le=100, description="Da fase")
    processed_rows: Count = Field(default=0, description="Ao inserir, e depois")
    total_rows: Count = Field(default=0, description="Ao inserir, e depois")
    received_files: Count = Field(default=0, description="Ao receber")
    total_files: Count = Field(default=0, description="Ao receber")


class ExportProgress(Document):
    """How far the writing is; `total_rows` is not known of a filter."""

    phase: Literal["writing"]
    processed_rows: Count
    total_rows: Count | None
    percent: Annotated[int, Field(ge=0, le=100)]


_ONE: list[JsonValue] = [{"type": name} for name in ("string", "boolean", "integer", "number")]
_ROW: JsonDict = {"additionalProperties": {"anyOf": [*_ONE, {"type": "null"}]}, "type": "object"}
_VALUES: list[JsonValue] = [*_ONE, _ROW, {"type": "null"}]


class DetailBody(Document):
    """One thing that is wrong, and where; only the keys that apply."""

    place: Place = Field(alias="in")
    path: str = Field(default="", description="Caminho na requisição: `columns[0].type`")
    row: int = Field(default=0, ge=0, description="Linha de `rows`, a partir de 0")
    column: str = Field(default="", description="Nome da coluna")
    file: str = Field(default="", description="Nome do arquivo")
    sheet: str = Field(default="", description="Aba da planilha")
    line: int = Field(default=1, ge=1, description="Linha do arquivo ou da aba")
    value: Annotated[Any, WithJsonSchema({"anyOf": _VALUES})] = Field(
        default=None, description="O valor recusado; os da chave, ou a linha como está agora, por coluna"
    )
    code: DetailCode
    reason: Sentence = Field(description="Por quê")


class JobFailure(Document):
    """Why a job or an export failed, or why a job's confirmed schema does not fit."""

    code: str = Field(json_schema_extra={"enum": [*codes_of(JobErrorKind)]})
    message: Sentence
    details: list[DetailBody] = Field(max_length=MAX_ERROR_DETAILS, description="Os primeiros")
    details_total: int = Field(default=0, ge=0, description="Quantos são, quando faltam alguns em `details`")
