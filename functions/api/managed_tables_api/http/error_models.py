"""Describe the one shape of every error."""

from pydantic import ConfigDict, Field

from managed_tables.details import MAX_ERROR_DETAILS
from managed_tables.documents.document import LateModel
from managed_tables.documents.faults import DetailBody
from managed_tables.errors import ApiErrorKind, codes_of

_DETAILS = "Onde e por quê, quando ajuda; só os primeiros"
_DETAILS_TOTAL = "Quantos são, quando `details` tem só os primeiros"


class ErrorBody(LateModel):
    """The body of every error."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"error": "Tabela não encontrada", "code": "TABLE_NOT_FOUND"}]}
    )

    error: str = Field(description="Frase para pessoas: em português, ou em inglês por `Accept-Language`")
    code: str = Field(
        description="Código estável, para programas", json_schema_extra={"enum": [*codes_of(ApiErrorKind)]}
    )
    details: list[DetailBody] = Field(default=[], max_length=MAX_ERROR_DETAILS, description=_DETAILS)
    details_total: int = Field(default=0, ge=0, description=_DETAILS_TOTAL)
    row: dict[str, str | bool | int | float | None] = Field(
        default={}, description="A linha como está agora (`ROW_CHANGED`)"
    )
    request_id: str = Field(default="", description="Só em erros internos (500)")
