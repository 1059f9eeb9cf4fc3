"""Build the OpenAPI document: FastAPI's own of the routes that run, and what it does not know of them.

That is a route's permission, its JSON body, its errors and its ETag: read from its dependencies and `raises`.
"""

from collections.abc import Iterable
from typing import Any, Literal, TypeVar

from fastapi import FastAPI
from fastapi.openapi.models import Schema
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, ConfigDict, Field

from managed_tables import errors, exact_json
from managed_tables.details import MAX_ERROR_DETAILS
from managed_tables.documents.document import DetailBody, LateModel
from managed_tables.errors import ApiErrorKind, codes_of
from managed_tables_api.calls import ApiRoute, Requires
from managed_tables_api.http.answers import RETRY_AFTER_SECONDS, entity_tags
from managed_tables_api.http.requests import JsonBody

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


VERSION = "1.0.0"  # of the contract, not of a release
TAGS = (
    "Provisioning",
    "Tables CRUD",
    "File upload",
    "Data CRUD",
    "History",
    "Views",
    "Exports",
    "Reading by other products",
)
DESCRIPTION = (
    "Tabelas PostgreSQL de cada empresa: criadas à mão ou a partir de arquivos CSV, Excel e ZIP, com CRUD "
    "de linhas. Números JSON são exatos nos dois sentidos. Todo erro tem a mesma forma: `error` (frase "
    "para pessoas), `code` (estável) e, quando ajuda, `details`. As frases são em português, ou em inglês "
    "onde `Accept-Language` o prefere; `Content-Language` diz qual."
)
# Whatever is asked: the token, the permission, the company's share, and services that do not answer.
ERRORS_OF_ALL = (
    errors.UNAUTHENTICATED,
    errors.TOKEN_EXPIRED,
    errors.FORBIDDEN,
    errors.UNKNOWN_PARAMETER,
    errors.TOO_MANY_REQUESTS,
    errors.INTERNAL,
    errors.CATALOG_UNAVAILABLE,
    errors.CONNECTIONS_TAKEN,
    errors.DATABASE_TIMEOUT,
    errors.DATABASE_UNAVAILABLE,
    errors.KEYS_UNAVAILABLE,
    errors.SECRETS_UNAVAILABLE,
    errors.STORAGE_UNAVAILABLE,
)

# An id of the path that names nothing, and a body that is too long or says what it may not.
_ERRORS_OF_IDS = {
    "table_id": errors.TABLE_NOT_FOUND,
    "row_id": errors.ROW_NOT_FOUND,
    "view_id": errors.VIEW_NOT_FOUND,
    "name": errors.COLUMN_NOT_FOUND,
    "job_id": errors.JOB_NOT_FOUND,
    "export_id": errors.EXPORT_NOT_FOUND,
}
_ERRORS_OF_BODIES = (errors.INVALID_REQUEST, errors.REQUEST_TOO_LARGE, errors.REQUEST_TOO_SLOW)
_REFERENCE = "#/components/schemas/{model}"
_ANSWERS = {200: "OK", 201: "Criado", 204: "Sem conteúdo"}
_ETAG = {"ETag": {"description": "Muda com o conteúdo", "schema": {"type": "string"}}}
_RETRY_AFTER = {
    "Retry-After": {"description": "Segundos até repetir", "schema": {"type": "integer", "minimum": 1}}
}

Document = dict[str, Any]
Dependency = TypeVar("Dependency")


def build_document(app: FastAPI) -> Document:
    """Return the OpenAPI 3.1 document of the app's documented routes."""
    routes = [route for route in app.routes if isinstance(route, ApiRoute) and route.include_in_schema]
    document = get_openapi(
        title="Managed Tables API",
        version=VERSION,
        openapi_version="3.1.0",
        description=DESCRIPTION,
        routes=routes,
        tags=[{"name": name} for name in TAGS],
        # Relative to where the document is served, so that it holds behind any stage and host.
        servers=[{"url": "../.."}],
    )
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):  # FastAPI's own error shape: never answered
        schemas.pop(name, None)
    schemas["ErrorBody"] = _schema(ErrorBody, "serialization", schemas)
    for route in routes:
        for method in route.methods or ():
            _complete(document["paths"][route.path_format][method.lower()], route, schemas)
    return document


def document_of(app: FastAPI) -> bytes:
    """Return the document's JSON, made at the process's first request for it."""
    kept = app.state
    if not kept.document:
        kept.document = exact_json.dumps(build_document(app))
    return kept.document  # type: ignore[no-any-return]


def _complete(operation: Document, route: ApiRoute, schemas: Document) -> None:
    """Add to an operation what FastAPI does not know of its route."""
    required = _find(route, Requires)
    if required is None:
        raise ValueError(f"{route.path} requires no permission")
    permission = required.permission
    operation["x-permission"] = permission.value
    operation["description"] = f"{operation.get('description', '')}\n\nPermissão: `{permission}`".strip()
    places = list(route.param_convertors)
    parameters = operation.get("parameters", [])
    parameters.sort(key=lambda each: places.index(each["name"]) if each["in"] == "path" else len(places))
    takes_query = any(parameter["in"] == "query" for parameter in parameters)
    for parameter in parameters[len(places) :]:
        # Its description and style are where OpenAPI has them, and its name is there once.
        schema = parameter["schema"]
        schema.pop("title", None)
        schema.pop("description", None)
        if "style" in schema:
            parameter |= {"style": schema.pop("style"), "explode": True}
    body = _find(route, JsonBody)
    if body is not None:
        operation["requestBody"] = _request_body(body, schemas)
    kinds = (
        *(_ERRORS_OF_IDS[name] for name in route.param_convertors),
        *route.errors,
        *(_ERRORS_OF_BODIES if body is not None else ()),
        *((errors.INVALID_REQUEST, errors.RESPONSE_TOO_LARGE) if takes_query else ()),
        *ERRORS_OF_ALL,
    )
    status = route.status_code or 200
    answer = operation["responses"][str(status)] | {"description": _ANSWERS[status]}
    operation["responses"] = {str(status): answer}
    if entity_tags in route.calls:
        answer["headers"] = _ETAG
        not_changed = "Não mudou desde o ETag de `If-None-Match`"
        operation["responses"]["304"] = {"description": not_changed, "headers": _ETAG}
    operation["responses"] |= _error_responses(kinds)


def _find(route: ApiRoute, kind: type[Dependency]) -> Dependency | None:
    """Return the route's dependency of a kind."""
    return next((call for call in route.calls if isinstance(call, kind)), None)


def _request_body(body: JsonBody, schemas: Document) -> Document:
    # One content type an operation: common generators of clients cannot tell two apart.
    if body.form_schema is not None:
        return {"required": True, "content": {"multipart/form-data": {"schema": body.form_schema}}}
    content = {"application/json": {"schema": _schema(body.model, "validation", schemas)}}
    return {"required": not body.is_optional, "content": content}


def _schema(
    model: type[BaseModel], mode: Literal["validation", "serialization"], schemas: Document
) -> Document:
    """Return a model's schema, its definitions put in the document; raises ValueError for two of one name."""
    made = Schema.model_validate(model.model_json_schema(ref_template=_REFERENCE, mode=mode))
    schema: Document = made.model_dump(mode="json", by_alias=True, exclude_none=True)
    for name, definition in schema.pop("$defs", {}).items():
        if schemas.setdefault(name, definition) != definition:
            raise ValueError(f"two schemas are called {name}")
    return schema


def _error_responses(kinds: Iterable[ApiErrorKind]) -> dict[str, Document]:
    """Return one response a status, naming every code that it can carry."""
    by_status: dict[int, list[ApiErrorKind]] = {}
    for kind in dict.fromkeys(kinds):
        by_status.setdefault(kind.status, []).append(kind)
    schema = {"$ref": _REFERENCE.format(model="ErrorBody")}
    responses: dict[str, Document] = {}
    for status, those in sorted(by_status.items()):
        examples = {kind.code: {"value": {"error": kind.sentence, "code": kind.code}} for kind in those}
        responses[str(status)] = {
            "description": "; ".join(f"`{kind.code}`: {kind.sentence}" for kind in those),
            "content": {"application/json": {"schema": schema, "examples": examples}},
            **({"headers": _RETRY_AFTER} if status in RETRY_AFTER_SECONDS else {}),
        }
    return responses
