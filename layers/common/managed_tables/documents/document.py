"""What all documents share: how they are read, tolerant of other releases, and written, as they were set.

How far a job or an export is, or why it failed, is kept in its record and answered by the API.
"""

import threading
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from decimal import Decimal
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, SkipValidation, WithJsonSchema
from pydantic.config import JsonDict, JsonValue

from managed_tables.details import MAX_ERROR_DETAILS, DetailCode, Place
from managed_tables.errors import JobErrorKind, codes_of

Model = TypeVar("Model", bound=BaseModel)

RecordId = Annotated[str, Field(pattern="^[0-9a-f]{24}$")]
Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
saying: ContextVar[Callable[[str], str]] = ContextVar("saying", default=str)  # how sentences are written


# In Portuguese, for people; answers may say it in English.
Sentence = Annotated[str, PlainSerializer(lambda sentence: saying.get()(sentence), return_type=str)]
Count = Annotated[int, Field(ge=0)]
SCALAR = [{"type": name} for name in ("string", "integer", "number", "boolean", "null")]
# As it is: a decimal keeps every digit.
Scalar = Annotated[
    str | int | float | Decimal | bool | None, SkipValidation, WithJsonSchema({"anyOf": SCALAR})
]


class LateModel(BaseModel):
    """A model whose schema is built when it first judges something: a cold process needs few of them."""

    model_config = ConfigDict(defer_build=True)


class Document(LateModel):
    """A part of a document that is stored: fields that this release does not know are left out.

    A field that older releases do not write has a default, and is not written again where it was not set.
    """

    model_config = ConfigDict(populate_by_name=True)

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> Self:
        """Return the document that the JSON object holds."""
        return built(cls).model_validate(stored)

    def as_json(self) -> dict[str, Any]:
        """Return the JSON object: what is set, under the names that are stored and answered."""
        return self.model_dump(by_alias=True, exclude_unset=True)


_building = threading.Lock()  # pydantic's own late building lets two threads meet a class half built


def built(model: type[Model]) -> type[Model]:
    """Return the model ready to judge values."""
    if not model.__pydantic_complete__:
        with _building:
            model.model_rebuild()
    return model


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
    rule: str = Field(default="", description="`id` da regra")
    file: str = Field(default="", description="Nome do arquivo")
    sheet: str = Field(default="", description="Aba da planilha")
    line: int = Field(default=1, ge=1, description="Linha do arquivo ou da aba")
    value: Annotated[Any, WithJsonSchema({"anyOf": _VALUES})] = Field(
        default=None, description="O valor recusado; os da chave, ou a linha como está agora, por coluna"
    )
    count: int = Field(default=1, ge=1, description="Quantas vezes o valor está na coluna")
    code: DetailCode
    reason: Sentence = Field(description="Por quê")


class JobFailure(Document):
    """Why a job or an export failed, or why a job's confirmed schema does not fit."""

    code: str = Field(json_schema_extra={"enum": [*codes_of(JobErrorKind)]})
    message: Sentence
    details: list[DetailBody] = Field(max_length=MAX_ERROR_DETAILS, description="Os primeiros")
    details_total: int = Field(default=0, ge=0, description="Quantos são, quando faltam alguns em `details`")
