"""The contract's "Data CRUD": rows of a table, listed, read and changed one by one or many at once."""

import hashlib
import re
from typing import Annotated

from fastapi import Depends, Header
from pydantic import WithJsonSchema
from starlette.requests import Request
from starlette.responses import Response

from managed_tables import errors
from managed_tables.conditions.tree import FILTER_NAME
from managed_tables.details import Fault, detail, shown_text
from managed_tables.errors import ApiError
from managed_tables.exact_json import Object
from managed_tables_api.auth import Permission
from managed_tables_api.calls import PathTable, api_router, raises, requires
from managed_tables_api.http.answers import HeaderValues, JsonAnswer, header_schema
from managed_tables_api.http.requests import (
    FromQuery,
    FromValues,
    NumbersQuery,
    json_object_of,
    received,
    refusal,
)
from managed_tables_api.rows import bulk_changes, single_rows
from managed_tables_api.rows import row_models as models
from managed_tables_api.rows.inserts import IdempotencyKey, NewRows, insert
from managed_tables_api.rows.listing import ListRequest, list_page
from managed_tables_api.rows.statements import VERSION_FIELD

KEY_HEADER = "Idempotency-Key"
MAX_KEY_CHARACTERS = 255

_UNKNOWN_FIELD = Fault("UNKNOWN_FIELD", "campo desconhecido")
_FILTER = Fault("UNKNOWN_PARAMETER", "deve ser filter[coluna][operador]")

# Of each header what it must be. A version is in quotes, as an ETag is.
_TAG = re.compile(r'(?:W/)?"([^"]+)"|([^",\s]+)')
_KEY = re.compile(rf"[ -~]{{1,{MAX_KEY_CHARACTERS}}}")


def _only(values: HeaderValues, form: re.Pattern[str], refused: str) -> str | None:
    """Return what a header holds, None without it; raises INVALID_REQUEST for two, or one of another form."""
    if not values:
        return None
    match = form.fullmatch(values[0].strip())
    if len(values) > 1 or match is None:
        raise ApiError(errors.INVALID_REQUEST, reason=refused)
    return match[match.lastindex or 0]


async def read_if_match(
    versions: Annotated[
        HeaderValues,
        WithJsonSchema(header_schema(pattern='^("[^"]+"|\\*)$')),
        Header(
            alias=single_rows.VERSION_HEADER,
            description="ETag da linha, sua `_version` entre aspas: 412 se outra pessoa a alterou (extensão)",
        ),
    ] = None,
) -> str | None:
    """Return the version that the header gives, None without one or for `*`; raises INVALID_REQUEST."""
    refused = f"{single_rows.VERSION_HEADER} deve vir uma vez, com a versão da linha entre aspas"
    version = _only(versions, _TAG, refused)
    return None if version == "*" else version


IfMatch = Annotated[str | None, Depends(read_if_match)]


def _asked(request: Request, query: models.ListQuery) -> ListRequest:
    """Return the list that a query string asks for; raises UNKNOWN_PARAMETER."""
    asked = {
        name: getattr(query, name) for name in query.model_fields_set & models.QueryBody.model_fields.keys()
    }
    asked["sort"] = None if query.sort_by is None else query.sort_by.split(",")
    asked["fields"] = None if query.fields is None else query.fields.split(",")
    return ListRequest(models.QueryBody.model_construct(**asked), query, _filters(request))


def _filters(request: Request) -> list[tuple[str, str]]:
    """Return the filters of the query string; raises UNKNOWN_PARAMETER for what only begins like one."""
    pairs = [pair for pair in request.query_params.multi_items() if pair[0].startswith("filter[")]
    malformed = [name for name, _ in pairs if not FILTER_NAME.fullmatch(name)]
    if malformed:
        details = [detail("query", _FILTER, path=name) for name in malformed]
        raise ApiError(errors.UNKNOWN_PARAMETER, details[:1], len(details), names=malformed[0])
    return pairs


async def new_rows(
    request: Request,
    query: FromQuery[models.InsertQuery],
    body: FromValues[models.RowsBody],
    keys: Annotated[
        HeaderValues,
        WithJsonSchema(header_schema(minLength=1, maxLength=MAX_KEY_CHARACTERS)),
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
    refused = f"{KEY_HEADER} deve vir uma vez, com 1 a {MAX_KEY_CHARACTERS} caracteres ASCII visíveis"
    name = _only(keys, _KEY, refused)
    key = name and IdempotencyKey(name, hashlib.sha256(received(request) + options.encode()).hexdigest())
    return NewRows(body.rows, key or None, query.returned or "count", query.numbers, query.on_conflict)


async def version_to_delete(
    query: FromQuery[models.DeleteQuery],
    if_match: IfMatch,
    body: Annotated[Object | None, json_object_of(models.VersionBody, is_optional=True)],
) -> str | None:
    """Return the version that a row must have to be deleted, None for any; raises INVALID_REQUEST."""
    for name in body or ():
        if name != VERSION_FIELD:
            raise refusal(shown_text(name), _UNKNOWN_FIELD)
    of_body = single_rows.read_row_version(body[VERSION_FIELD]) if body else None
    return single_rows.same_version(if_match, query.version, of_body)


WRITE_ERRORS = (
    errors.TABLE_INACTIVE,
    errors.TABLE_BUSY,
    errors.DUPLICATE_KEY,
    errors.RULE_BROKEN,
    errors.INVALID_ROWS,
    errors.ROW_TOO_WIDE,
    errors.KEY_TOO_LONG,
    errors.OUTCOME_UNKNOWN,
)

router = api_router("/{table_id:table}/data", "Data CRUD")

_READS, _WRITES = requires(Permission.DATA_READ), requires(Permission.DATA_WRITE)


@router.get("", summary="List rows", response_model=models.RowPage, dependencies=_READS)
@raises(errors.QUERY_TOO_HEAVY)
def list_rows(table: PathTable, request: Request, query: FromQuery[models.ListQuery]) -> Response:
    """List the rows of a table."""
    return JsonAnswer(list_page(table, _asked(request, query)))


@router.post("/query", summary="Query rows or groups", response_model=models.RecordPage, dependencies=_READS)
@raises(errors.QUERY_TOO_HEAVY)
def query_rows(
    table: PathTable, query: FromQuery[single_rows.RowQuery], body: FromValues[models.QueryBody]
) -> Response:
    """List the rows of a condition, or groups of them with what is worked out over each."""
    return JsonAnswer(list_page(table, ListRequest(body, query)))


@router.get("/{row_id:row}", summary="Get row", response_model=models.Row, dependencies=_READS)
def get_row(table: PathTable, row_id: str, query: FromQuery[single_rows.RowQuery]) -> Response:
    """Return one row; its `ETag` is its version in quotes."""
    return _row_answer(single_rows.get(table, row_id, query))


@router.post(
    "", summary="Insert rows", response_model=models.InsertedAnswer, status_code=201, dependencies=_WRITES
)
@raises(*WRITE_ERRORS, errors.IDEMPOTENCY_KEY_REUSED, errors.RESPONSE_TOO_LARGE, errors.TABLE_WITHOUT_KEY)
def insert_rows(table: PathTable, new: Annotated[NewRows, Depends(new_rows)]) -> Response:
    """Insert rows, all of them or none."""
    inserted = insert(table, new)
    fields = [f'"inserted":{inserted.count}']
    if new.on_conflict is not None:
        fields += [f'"updated":{inserted.updated}', f'"ignored":{inserted.ignored}']
    if new.returned != "count":
        fields.append(f'"{new.returned}":{inserted.returned or "[]"}')
    return JsonAnswer(("{" + ",".join(fields) + "}").encode(), 201)


# By either method: the contract's page does not say which.
@router.patch(
    "/{row_id:row}",
    summary="Update row",
    response_model=models.Row,
    dependencies=_WRITES,
    operation_id="patch_row",
)
@router.put("/{row_id:row}", summary="Update row", response_model=models.Row, dependencies=_WRITES)
@raises(errors.ROW_CHANGED, *WRITE_ERRORS)
def update_row(
    table: PathTable,
    row_id: str,
    fields: Annotated[Object, json_object_of(models.RowChanges)],
    query: FromQuery[single_rows.RowQuery],
    row_version: IfMatch,
) -> Response:
    """Change the given fields of a row; with a version, only if nobody has changed it since."""
    return _row_answer(single_rows.update(table, row_id, fields, row_version, query))


@router.delete("/{row_id:row}", summary="Delete row", status_code=204, dependencies=_WRITES)
@raises(
    errors.ROW_CHANGED, errors.RULE_BROKEN, errors.TABLE_INACTIVE, errors.TABLE_BUSY, errors.OUTCOME_UNKNOWN
)
def delete_row(
    table: PathTable, row_id: str, row_version: Annotated[str | None, Depends(version_to_delete)]
) -> None:
    """Delete a row; with a version, only if nobody has changed it since."""
    single_rows.delete(table, row_id, row_version)


@router.patch("", summary="Update rows in bulk", operation_id="patch_rows", dependencies=_WRITES)
@raises(errors.ROW_NOT_FOUND, errors.ROW_CHANGED, errors.QUERY_TOO_HEAVY, *WRITE_ERRORS)
def update_rows(
    table: PathTable,
    body: Annotated[Object, json_object_of(models.BulkUpdate)],
    _numbers_of_errors: FromQuery[NumbersQuery],
) -> models.UpdatedAnswer:
    """Change many rows, each by its id or all of a condition: all of them or none."""
    return models.UpdatedAnswer(updated=bulk_changes.update(table, body))


@router.post("/delete", summary="Delete rows in bulk", dependencies=_WRITES)
@raises(errors.ROW_NOT_FOUND, errors.QUERY_TOO_HEAVY, *WRITE_ERRORS)
def delete_rows(
    table: PathTable,
    body: Annotated[Object, json_object_of(models.BulkDelete)],
    _numbers_of_errors: FromQuery[NumbersQuery],
) -> models.DeletedAnswer:
    """Delete many rows, by their ids or by a condition: all of them or none."""
    return models.DeletedAnswer(deleted=bulk_changes.delete(table, body))


def _row_answer(row: single_rows.RowJson) -> Response:
    return JsonAnswer(row.text.encode(), headers={"ETag": f'"{row.version}"'})
