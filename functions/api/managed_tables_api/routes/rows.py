"""The contract's "Data CRUD": rows of a table, listed, read and changed one by one or many at once."""

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, Header, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from managed_tables import errors
from managed_tables.conditions.reading import FILTER_NAME
from managed_tables.details import DetailCode, Fault, detail
from managed_tables.errors import ApiError
from managed_tables.exact_json import Object
from managed_tables_api.auth import Permission
from managed_tables_api.calls import Services, SignedIn, api_router, raises, requires
from managed_tables_api.http.bodies import from_json, json_object_of, received
from managed_tables_api.http.validation import NumbersQuery
from managed_tables_api.rows.inserts import IdempotencyKey, InsertedRows, NewRows
from managed_tables_api.rows.lists.listing import ListRequest
from managed_tables_api.rows.lists.listing import Page as FoundPage
from managed_tables_api.rows.row_models import (
    BulkDelete,
    BulkUpdate,
    DeletedAnswer,
    DeleteQuery,
    InsertedAnswer,
    InsertQuery,
    ListQuery,
    QueryBody,
    RecordPage,
    Row,
    RowChanges,
    RowPage,
    RowQuery,
    RowsBody,
    UpdatedAnswer,
)
from managed_tables_api.rows.single_rows import VERSION_HEADER, RowJson, read_row_version, same_version
from managed_tables_api.rows.statements import VERSION_FIELD

KEY_HEADER = "Idempotency-Key"
MAX_KEY_CHARACTERS = 255

_FILTER = Fault(DetailCode.UNKNOWN_PARAMETER, "deve ser filter[coluna][operador]")


_TAG = re.compile(r'(?:W/)?"([^"]+)"|([^",\s]+)')


async def read_if_match(
    request: Request,
    if_match: Annotated[  # noqa: ARG001 - for OpenAPI: more than one such header is refused
        Annotated[str, Field(json_schema_extra={"pattern": '^("[^"]+"|\\*)$'})] | None,
        Header(
            alias=VERSION_HEADER,
            description="ETag da linha, sua `_version` entre aspas: 412 se outra pessoa a alterou (extensão)",
        ),
    ] = None,
) -> str | None:
    """Return the version that the header gives, None without one or for `*`; raises INVALID_REQUEST."""
    values = request.headers.getlist(VERSION_HEADER)
    if not values:
        return None
    match = _TAG.fullmatch(values[0].strip())
    if len(values) > 1 or match is None:
        raise ApiError(
            errors.INVALID_REQUEST,
            reason=f"{VERSION_HEADER} deve vir uma vez, com a versão da linha entre aspas",
        )
    version = match[1] or match[2]
    return None if version == "*" else version


IfMatch = Annotated[str | None, Depends(read_if_match)]


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
        raise ApiError(errors.UNKNOWN_PARAMETER, details[:1], len(details), names=malformed[0])
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
        Annotated[str, Field(json_schema_extra={"minLength": 1, "maxLength": MAX_KEY_CHARACTERS})] | None,
        Header(
            alias=KEY_HEADER,
            description="Nome do pedido, escolhido pelo cliente: repetido com a mesma chave e o mesmo corpo,"
            " insere uma vez só e responde o mesmo (extensão; guardado por um dia ao menos)",
        ),
    ] = None,
) -> NewRows:
    """Return the rows to insert and how; raises INVALID_REQUEST."""
    asked = {"return": query.returned, "on_conflict": query.on_conflict}
    options = "&".join(f"{name}={value}" for name, value in asked.items() if value is not None)
    key = _read_key(request.headers.getlist(KEY_HEADER), received(request), options)
    return NewRows(body.rows, key, query.returned or "count", query.numbers, query.on_conflict)


def _read_key(headers: Sequence[str], body: bytes, options: str) -> IdempotencyKey | None:
    """Return the key in the header's values, None without one; raises INVALID_REQUEST.

    `options` are the request's other parameters.
    """
    if not headers:
        return None
    key = headers[0]
    is_printable = key.isascii() and key.isprintable()
    if len(headers) > 1 or not is_printable or not 1 <= len(key) <= MAX_KEY_CHARACTERS:
        reason = f"{KEY_HEADER} deve vir uma vez, com 1 a {MAX_KEY_CHARACTERS} caracteres ASCII visíveis"
        raise ApiError(errors.INVALID_REQUEST, reason=reason)
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


WRITE_ERRORS = (
    errors.TABLE_INACTIVE,
    errors.TABLE_BUSY,
    errors.DUPLICATE_KEY,
    errors.INVALID_ROWS,
    errors.ROW_TOO_WIDE,
    errors.KEY_TOO_LONG,
    errors.OUTCOME_UNKNOWN,
)

router = api_router("/{table_id}/data", "Data CRUD")

_READS, _WRITES = requires(Permission.DATA_READ), requires(Permission.DATA_WRITE)


@router.get("", summary="List rows", response_model=RowPage, dependencies=_READS)
@raises(errors.QUERY_TOO_HEAVY)
def list_rows(
    table_id: str,
    request: Annotated[ListRequest, Depends(list_request)],
    caller: SignedIn,
    services: Services,
) -> Response:
    """List the rows of a table."""
    return _page_answer(services.row_lists.list_page(caller.company_id, table_id, request))


@router.post("/query", summary="Query rows or groups", response_model=RecordPage, dependencies=_READS)
@raises(errors.QUERY_TOO_HEAVY)
def query_rows(
    table_id: str,
    request: Annotated[ListRequest, Depends(body_request)],
    caller: SignedIn,
    services: Services,
) -> Response:
    """List the rows of a condition, or groups of them with what is worked out over each."""
    return _page_answer(services.row_lists.list_page(caller.company_id, table_id, request))


@router.get("/{row_id}", summary="Get row", response_model=Row, dependencies=_READS)
def get_row(
    table_id: str,
    row_id: str,
    query: Annotated[RowQuery, Query()],
    caller: SignedIn,
    services: Services,
) -> Response:
    """Return one row; its `ETag` is its version in quotes."""
    return _row_answer(services.rows.get(caller.company_id, table_id, row_id, query.answered))


@router.post("", summary="Insert rows", response_model=InsertedAnswer, status_code=201, dependencies=_WRITES)
@raises(*WRITE_ERRORS, errors.IDEMPOTENCY_KEY_REUSED, errors.RESPONSE_TOO_LARGE, errors.TABLE_WITHOUT_KEY)
def insert_rows(
    table_id: str, new: Annotated[NewRows, Depends(new_rows)], caller: SignedIn, services: Services
) -> Response:
    """Insert rows, all of them or none."""
    return _inserted_answer(
        new, services.row_inserts.insert(caller.company_id, table_id, new, caller.user_id)
    )


def _inserted_answer(new: NewRows, inserted: InsertedRows) -> Response:
    fields = [f'"inserted":{inserted.count}']
    if new.on_conflict is not None:
        fields += [f'"updated":{inserted.updated}', f'"ignored":{inserted.ignored}']
    if inserted.returned is not None:
        fields.append(f'"{new.returned}":{inserted.returned}')
    return _json("{" + ",".join(fields) + "}", 201)


# By either method: the contract's page does not say which.
@router.patch(
    "/{row_id}", summary="Update row", response_model=Row, dependencies=_WRITES, operation_id="patch_row"
)
@router.put("/{row_id}", summary="Update row", response_model=Row, dependencies=_WRITES)
@raises(errors.ROW_CHANGED, *WRITE_ERRORS)
def update_row(
    table_id: str,
    row_id: str,
    fields: Annotated[Object, json_object_of(RowChanges)],
    query: Annotated[RowQuery, Query()],
    row_version: IfMatch,
    caller: SignedIn,
    services: Services,
) -> Response:
    """Change the given fields of a row; with a version, only if nobody has changed it since."""
    row = services.rows.update(
        caller.company_id, table_id, row_id, fields, row_version, query.answered, caller.user_id
    )
    return _row_answer(row)


@router.delete("/{row_id}", summary="Delete row", status_code=204, dependencies=_WRITES)
@raises(errors.ROW_CHANGED, errors.TABLE_INACTIVE, errors.TABLE_BUSY, errors.OUTCOME_UNKNOWN)
def delete_row(
    table_id: str,
    row_id: str,
    row_version: Annotated[str | None, Depends(version_to_delete)],
    caller: SignedIn,
    services: Services,
) -> None:
    """Delete a row; with a version, only if nobody has changed it since."""
    services.rows.delete(caller.company_id, table_id, row_id, caller.user_id, row_version)


@router.patch(
    "",
    summary="Update rows in bulk",
    operation_id="patch_rows",
    dependencies=[*_WRITES, Depends(numbers_of_errors)],
)
@raises(errors.ROW_NOT_FOUND, errors.ROW_CHANGED, errors.QUERY_TOO_HEAVY, *WRITE_ERRORS)
def update_rows(
    table_id: str,
    body: Annotated[Object, json_object_of(BulkUpdate)],
    caller: SignedIn,
    services: Services,
) -> UpdatedAnswer:
    """Change many rows, each by its id or all of a condition: all of them or none."""
    updated = services.bulk_changes.update(caller.company_id, table_id, body, caller.user_id)
    return UpdatedAnswer(updated=updated)


@router.post("/delete", summary="Delete rows in bulk", dependencies=[*_WRITES, Depends(numbers_of_errors)])
@raises(errors.ROW_NOT_FOUND, errors.QUERY_TOO_HEAVY, *WRITE_ERRORS)
def delete_rows(
    table_id: str,
    body: Annotated[Object, json_object_of(BulkDelete)],
    caller: SignedIn,
    services: Services,
) -> DeletedAnswer:
    """Delete many rows, by their ids or by a condition: all of them or none."""
    deleted = services.bulk_changes.delete(caller.company_id, table_id, body, caller.user_id)
    return DeletedAnswer(deleted=deleted)


def _page_answer(page: FoundPage) -> Response:
    total, next_cursor = json.dumps(page.total), json.dumps(page.next_cursor)
    return _json(
        f'{{"total":{total},"quantity":{len(page.rows)},"records":[{",".join(page.rows)}],'
        f'"next_cursor":{next_cursor}}}'
    )


def _row_answer(row: RowJson) -> Response:
    return _json(row.text, headers={"ETag": f'"{row.version}"'})


def _json(text: str, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(text, status, headers, media_type="application/json")
