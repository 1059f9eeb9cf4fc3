"""Owns how a route describes itself in OpenAPI: query, headers, body, answers, errors, from their models."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from managed_tables import errors
from managed_tables.catalog.jobs import MAX_ERROR_DETAILS
from managed_tables.details import DetailCode, Place
from managed_tables.errors import (
    CATALOG_UNAVAILABLE,
    CONNECTIONS_TAKEN,
    DATABASE_TIMEOUT,
    DATABASE_UNAVAILABLE,
    FORBIDDEN,
    INTERNAL,
    KEYS_UNAVAILABLE,
    REQUEST_TOO_SLOW,
    RESPONSE_TOO_LARGE,
    SECRETS_UNAVAILABLE,
    STORAGE_UNAVAILABLE,
    TOO_MANY_REQUESTS,
    UNAUTHENTICATED,
    UNKNOWN_PARAMETER,
    ApiErrorKind,
    JobErrorKind,
)
from managed_tables_api.http.answers import RETRY_AFTER_SECONDS

COMPONENT_REFERENCE = "#/components/schemas/{model}"

# Whatever is asked: the token, the permission, the company's share, and services that do not answer.
ERRORS_OF_ALL = (
    UNAUTHENTICATED,
    FORBIDDEN,
    UNKNOWN_PARAMETER,
    TOO_MANY_REQUESTS,
    INTERNAL,
    CATALOG_UNAVAILABLE,
    CONNECTIONS_TAKEN,
    DATABASE_TIMEOUT,
    DATABASE_UNAVAILABLE,
    KEYS_UNAVAILABLE,
    SECRETS_UNAVAILABLE,
    STORAGE_UNAVAILABLE,
)
ERRORS_OF_LISTS = (RESPONSE_TOO_LARGE,)
_DETAILS = "Onde e por quê, quando ajuda; só os primeiros"
_DETAILS_TOTAL = "Quantos são, quando `details` tem só os primeiros"
_ANSWERS = {200: "OK", 201: "Criado", 204: "Sem conteúdo"}


_ETAG = {"ETag": {"description": "Muda com o conteúdo", "schema": {"type": "string"}}}
_RETRY_AFTER = {
    "Retry-After": {"description": "Segundos até repetir", "schema": {"type": "integer", "minimum": 1}}
}


class EntityHeaders(BaseModel):
    """What may be said of the answer that one has already."""

    if_none_match: str | None = Field(
        default=None, alias="If-None-Match", description="ETag que já se tem: 304 se nada mudou (extensão)"
    )


def codes_of(family: type[ApiErrorKind] | type[JobErrorKind]) -> list[Any]:
    """Return the codes of every declared error of the family."""
    return sorted({one.code for one in vars(errors).values() if isinstance(one, family)})


class DetailBody(BaseModel):
    """One thing that is wrong, and where; only the keys that apply."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "in": "body",
                    "path": "columns[0].type",
                    "code": "NOT_ALLOWED",
                    "reason": "deve ser um destes",
                }
            ]
        }
    )

    place: Place = Field(alias="in")
    path: str = Field(default="", description="Caminho na requisição: `columns[0].type`")
    row: int = Field(default=0, ge=0, description="Linha de `rows`, a partir de 0")
    column: str = Field(default="", description="Nome da coluna")
    file: str = Field(default="", description="Nome do arquivo")
    sheet: str = Field(default="", description="Aba da planilha")
    line: int = Field(default=1, ge=1, description="Linha do arquivo ou da aba")
    value: str | bool | int | float | dict[str, str | bool | int | float | None] | None = Field(
        default=None, description="O valor recusado; os da chave, ou a linha como está agora, por coluna"
    )
    code: DetailCode
    reason: str = Field(description="Por quê, em português")


class ErrorBody(BaseModel):
    """The body of every error."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"error": "Tabela não encontrada", "code": "TABLE_NOT_FOUND"}]}
    )

    error: str = Field(description="Frase em português, para pessoas")
    code: str = Field(
        description="Código estável, para programas", json_schema_extra={"enum": codes_of(ApiErrorKind)}
    )
    details: list[DetailBody] = Field(default=[], max_length=MAX_ERROR_DETAILS, description=_DETAILS)
    details_total: int = Field(default=0, ge=0, description=_DETAILS_TOTAL)
    row: dict[str, str | bool | int | float | None] = Field(
        default={}, description="A linha como está agora (`ROW_CHANGED`)"
    )
    request_id: str = Field(default="", description="Só em erros internos (500)")


def document(
    summary: str,
    *,
    answers: Mapping[int, type[BaseModel] | None],
    errors: Sequence[ApiErrorKind] = (),
    query: type[BaseModel] | None = None,
    body: type[BaseModel] | None = None,
    headers: type[BaseModel] | None = None,
    other_bodies: Mapping[str, Any] = MappingProxyType({}),
    is_entity: bool = False,
) -> dict[str, Any]:
    """Return the keyword arguments that describe a route to FastAPI.

    A field of `query` with the style `deepObject` takes `name[a][b]`.
    `answers` gives each success status its body (None for 204), the first one being the usual;
    `other_bodies` are OpenAPI's media types beside JSON. The errors of every route are added, and those
    of every list. What `is_entity` has an ETag, and may be answered by 304.
    """
    headers = EntityHeaders if is_entity else headers
    extra: dict[str, Any] = {}
    parameters = [
        *(parameters_of(query, "query") if query else ()),
        *(parameters_of(headers, "header") if headers else ()),
    ]
    if parameters:
        extra["parameters"] = parameters
    slow = () if body is None else (REQUEST_TOO_SLOW,)
    if body is not None:
        schema = body.model_json_schema(ref_template=COMPONENT_REFERENCE)
        content = {**other_bodies, "application/json": {"schema": schema}}
        extra["requestBody"] = {"required": True, "content": content}
    return {
        "summary": summary,
        "status_code": next(iter(answers)),
        "responses": {
            **_answers(answers, is_entity),
            **error_responses((*errors, *slow, *(ERRORS_OF_LISTS if query else ()), *ERRORS_OF_ALL)),
        },
        "openapi_extra": extra,
    }


def parameters_of(model: type[BaseModel], place: Literal["query", "header"]) -> list[dict[str, Any]]:
    """Return OpenAPI's parameters for the fields of a flat model."""
    schema = model.model_json_schema()
    return [
        {
            "name": name,
            "in": place,
            "required": name in schema.get("required", ()),
            "description": field.pop("description", ""),
            **({"style": field.pop("style"), "explode": True} if "style" in field else {}),
            "schema": {key: value for key, value in field.items() if key != "title"},
        }
        for name, field in schema["properties"].items()
    ]


def error_responses(kinds: Sequence[ApiErrorKind]) -> dict[int | str, dict[str, Any]]:
    """Return one response a status, naming every code that it can carry."""
    by_status: dict[int, list[ApiErrorKind]] = {}
    for kind in dict.fromkeys(kinds):
        by_status.setdefault(kind.status, []).append(kind)
    return {
        status: {
            "model": ErrorBody,
            **_headers(status),
            "description": "; ".join(f"`{kind.code}`: {kind.sentence}" for kind in found),
            "content": {"application/json": {"examples": {kind.code: _example(kind) for kind in found}}},
        }
        for status, found in sorted(by_status.items())
    }


def _headers(status: int) -> dict[str, Any]:
    """Return OpenAPI's description of the headers that an error carries."""
    return {"headers": _RETRY_AFTER} if status in RETRY_AFTER_SECONDS else {}


def _example(kind: ApiErrorKind) -> dict[str, Any]:
    return {"value": {"error": kind.sentence, "code": kind.code}}


def _answers(
    answers: Mapping[int, type[BaseModel] | None], is_entity: bool
) -> dict[int | str, dict[str, Any]]:
    found: dict[int | str, dict[str, Any]] = {
        status: {"description": _ANSWERS[status], **({"model": model} if model else {})}
        for status, model in answers.items()
    }
    if is_entity:
        found[200]["headers"] = _ETAG
        found[304] = {"description": "Não mudou desde o ETag de `If-None-Match`", "headers": _ETAG}
    return found
