"""Read what a request asks of rows from its query, headers and body: the dependencies of the rows' routes."""

import hashlib
from collections.abc import Sequence
from typing import Annotated

from fastapi import Header, Query
from pydantic import Field
from starlette.requests import Request

from managed_tables.conditions.reading import FILTER_NAME
from managed_tables.details import DetailCode, Fault, detail
from managed_tables.errors import INVALID_REQUEST, UNKNOWN_PARAMETER, ApiError
from managed_tables.exact_json import Object
from managed_tables_api.http.bodies import from_json, json_object_of, received
from managed_tables_api.http.validation import NumbersQuery
from managed_tables_api.rows.inserts.inserting import IdempotencyKey, NewRows
from managed_tables_api.rows.lists.listing import ListRequest
from managed_tables_api.rows.row_models import (
    DeleteQuery,
    InsertQuery,
    ListQuery,
    QueryBody,
    RowChanges,
    RowQuery,
    RowsBody,
)
from managed_tables_api.rows.versions import VERSION_FIELD, IfMatch, read_row_version, same_version

HEADER = "Idempotency-Key"
MAX_CHARACTERS = 255

_FILTER = Fault(DetailCode.UNKNOWN_PARAMETER, "deve ser filter[coluna][operador]")


async def list_request(request: Request, query: Annotated[ListQuery, Query()]) -> ListRequest:
    """Return the list that a query string asks for; raises UNKNOWN_PARAMETER and INVALID_REQUEST."""
    return ListRequest(
        page=query.page if "page" in query.model_fields_set else None,
        per_page=query.per_page,
        cursor=query.cursor,
        sort=() if query.sort_by is None else query.sort_by.split(","),
        fields=None if query.fields is None else query.fields.split(","),
        filters=_filters(request),
        q=query.q,
        count=query.count,
        versions=query.versions,
        numbers=query.numbers,
    )


def _filters(request: Request) -> list[tuple[str, str]]:
    """Return the filters of the query string; raises UNKNOWN_PARAMETER for what only begins like one."""
    pairs = [pair for pair in request.query_params.multi_items() if pair[0].startswith("filter[")]
    malformed = [name for name, _ in pairs if not FILTER_NAME.fullmatch(name)]
    if malformed:
        details = [detail("query", _FILTER, path=name) for name in malformed]
        raise ApiError(UNKNOWN_PARAMETER, details[:1], len(details), names=malformed[0])
    return pairs


async def body_request(
    query: Annotated[RowQuery, Query()], body: Annotated[QueryBody, from_json(QueryBody, holds_values=True)]
) -> ListRequest:
    """Return the list, of rows or of groups, that a body asks for."""
    return ListRequest(
        page=body.page if "page" in body.model_fields_set else None,
        per_page=body.per_page,
        cursor=body.cursor,
        sort=body.sort or (),
        fields=body.fields,
        q=body.q,
        where=body.where,
        group_by=body.group_by,
        aggregates=body.aggregates,
        count=body.count,
        versions=query.versions,
        numbers=query.numbers,
        place="body",
        sort_path="sort",
    )


async def new_rows(
    request: Request,
    query: Annotated[InsertQuery, Query()],
    body: Annotated[RowsBody, from_json(RowsBody, holds_values=True)],
    idempotency_key: Annotated[  # noqa: ARG001 - for OpenAPI: more than one such header is refused
        Annotated[str, Field(json_schema_extra={"minLength": 1, "maxLength": MAX_CHARACTERS})] | None,
        Header(
            alias=HEADER,
            description="Nome do pedido, escolhido pelo cliente: repetido com a mesma chave e o mesmo corpo,"
            " insere uma vez só e responde o mesmo (extensão; guardado por um dia ao menos)",
        ),
    ] = None,
) -> NewRows:
    """Return the rows to insert and how; raises INVALID_REQUEST."""
    asked = {"return": query.returned, "on_conflict": query.on_conflict}
    options = "&".join(f"{name}={value}" for name, value in asked.items() if value is not None)
    key = _read_key(request.headers.getlist(HEADER), received(request), options)
    return NewRows(body.rows, key, query.returned or "count", query.numbers, query.on_conflict)


def _read_key(headers: Sequence[str], body: bytes, options: str) -> IdempotencyKey | None:
    """Return the key in the header's values, None without one; raises INVALID_REQUEST.

    `options` are the request's other parameters.
    """
    if not headers:
        return None
    key = headers[0]
    is_printable = key.isascii() and key.isprintable()
    if len(headers) > 1 or not is_printable or not 1 <= len(key) <= MAX_CHARACTERS:
        reason = f"{HEADER} deve vir uma vez, com 1 a {MAX_CHARACTERS} caracteres ASCII visíveis"
        raise ApiError(INVALID_REQUEST, reason=reason)
    return IdempotencyKey(key, hashlib.sha256(body + options.encode()).hexdigest())


async def numbers_of_errors(query: Annotated[NumbersQuery, Query()]) -> None:
    """Let a route whose answer has no numbers be asked how its errors show them."""


async def version_to_delete(
    query: Annotated[DeleteQuery, Query()],
    if_match: IfMatch,
    body: Annotated[Object | None, json_object_of(RowChanges, is_optional=True)],
) -> str | None:
    """Return the version that a row must have to be deleted, None for any; raises INVALID_REQUEST."""
    of_body = read_row_version(body[VERSION_FIELD]) if body and VERSION_FIELD in body else None
    return same_version(if_match, query.version, of_body)
