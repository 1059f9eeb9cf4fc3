"""Make FastAPI's routes of ours, which it only describes: OpenAPI is worked out when somebody reads it."""

from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter, Signature
from typing import Any, Literal

from fastapi.routing import APIRoute
from pydantic import BaseModel, Field

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
)
from managed_tables_api.http.answers import RETRY_AFTER_SECONDS
from managed_tables_api.http.routing import ApiRoute
from managed_tables_api.openapi.describing import Documentation
from managed_tables_api.openapi.error_models import ErrorBody

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


def described(route: ApiRoute, documentation: Documentation) -> APIRoute:
    """Return the route as FastAPI describes it; it answers nothing."""
    return APIRoute(
        route.path,
        _stand_in(route),
        methods=list(route.methods or ()),
        tags=list(route.tags),
        summary=documentation.summary,
        status_code=next(iter(documentation.answers)),
        responses=_responses(documentation),
        openapi_extra=_extra(documentation),
    )


def _stand_in(route: ApiRoute) -> Callable[..., None]:
    """Return a function that takes only the ids of the route's path, all that FastAPI needs to know."""

    def stand_in() -> None:
        raise NotImplementedError

    kind = Parameter.POSITIONAL_OR_KEYWORD
    ids = [Parameter(name, kind, annotation=str) for name in route.param_convertors]
    stand_in.__signature__ = Signature(ids)  # type: ignore[attr-defined]
    stand_in.__name__, stand_in.__doc__ = route.name, route.endpoint.__doc__
    return stand_in


def _extra(documentation: Documentation) -> dict[str, Any]:
    """Return the parameters and the body, in OpenAPI's words."""
    headers = EntityHeaders if documentation.is_entity else documentation.headers
    extra: dict[str, Any] = {}
    parameters = [
        *(parameters_of(documentation.query, "query") if documentation.query else ()),
        *(parameters_of(headers, "header") if headers else ()),
    ]
    if parameters:
        extra["parameters"] = parameters
    if documentation.body is not None:
        schema = documentation.body.model_json_schema(ref_template=COMPONENT_REFERENCE)
        content = {**documentation.other_bodies, "application/json": {"schema": schema}}
        extra["requestBody"] = {"required": True, "content": content}
    return extra


def _responses(documentation: Documentation) -> dict[int | str, dict[str, Any]]:
    slow = () if documentation.body is None else (REQUEST_TOO_SLOW,)
    of_lists = ERRORS_OF_LISTS if documentation.query else ()
    kinds = (*documentation.errors, *slow, *of_lists, *ERRORS_OF_ALL)
    return {**_answers(documentation.answers, documentation.is_entity), **error_responses(kinds)}


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
