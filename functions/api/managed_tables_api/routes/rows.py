"""The contract's "Data CRUD": rows of a table, listed, read and changed one by one."""

import json
from typing import Annotated, Any

from starlette.responses import Response

from managed_tables.conditions import FILTER_NAME
from managed_tables.details import DetailCode, Fault, detail
from managed_tables.errors import (
    DUPLICATE_KEY,
    IDEMPOTENCY_KEY_REUSED,
    INVALID_REQUEST,
    INVALID_ROWS,
    OUTCOME_UNKNOWN,
    QUERY_TOO_HEAVY,
    REQUEST_TOO_LARGE,
    RESPONSE_TOO_LARGE,
    ROW_CHANGED,
    ROW_NOT_FOUND,
    ROW_TOO_WIDE,
    TABLE_BUSY,
    TABLE_INACTIVE,
    TABLE_NOT_FOUND,
    TABLE_WITHOUT_KEY,
    UNKNOWN_PARAMETER,
    ApiError,
)
from managed_tables_api.auth.permissions import Permission
from managed_tables_api.http.answers import no_content
from managed_tables_api.http.calls import Call, requires, validate
from managed_tables_api.http.routing import ApiRouter
from managed_tables_api.http.validation import built
from managed_tables_api.openapi.describing import document
from managed_tables_api.rows.composing import VERSION_FIELD
from managed_tables_api.rows.inserts.idempotency import HEADER, read_key
from managed_tables_api.rows.inserts.inserting import InsertedRows, NewRows
from managed_tables_api.rows.lists.listing import ListRequest
from managed_tables_api.rows.lists.listing import Page as FoundPage
from managed_tables_api.rows.parsing import refusal
from managed_tables_api.rows.row_models import (
    BulkDelete,
    BulkUpdate,
    Deleted,
    DeleteQuery,
    Inserted,
    InsertHeaders,
    InsertQuery,
    ListQuery,
    QueryBody,
    RecordPage,
    Row,
    RowChanges,
    RowHeaders,
    RowPage,
    RowQuery,
    RowsBody,
    Updated,
)
from managed_tables_api.rows.single_rows import Answered, RowUpdate, read_row_version
from managed_tables_api.rows.single_rows import Row as FoundRow
from managed_tables_api.rows.versions import HEADER as VERSION_HEADER
from managed_tables_api.rows.versions import read_if_match, same_version

READ_ERRORS = (TABLE_NOT_FOUND, INVALID_REQUEST, RESPONSE_TOO_LARGE, QUERY_TOO_HEAVY)
WRITE_ERRORS = (
    TABLE_NOT_FOUND,
    TABLE_INACTIVE,
    TABLE_BUSY,
    DUPLICATE_KEY,
    INVALID_REQUEST,
    INVALID_ROWS,
    ROW_TOO_WIDE,
    REQUEST_TOO_LARGE,
    OUTCOME_UNKNOWN,
)

router = ApiRouter("/v1/managed-tables/{table_id}/data", ["Data CRUD"])


@router.get("", document("List rows", answers={200: RowPage}, errors=READ_ERRORS, query=ListQuery))
def list_rows(table_id: str, call: Annotated[Call, requires(Permission.DATA_READ)]) -> Response:
    """List the rows of a table."""

    def read_request() -> ListRequest:
        query = call.query(ListQuery)
        _refuse_page_and_cursor(query)
        return ListRequest(
            page=query.page,
            per_page=query.per_page,
            cursor=query.cursor,
            sort=() if query.sort_by is None else query.sort_by.split(","),
            fields=None if query.fields is None else query.fields.split(","),
            filters=_filters(call),
            q=query.q,
            count=query.count,
            versions=query.versions,
            numbers=query.numbers,
        )

    return _page_answer(call.services.row_lists.list_page(call.company_id, table_id, read_request))


def _filters(call: Call) -> list[tuple[str, str]]:
    """Return the filters of the query string; raises UNKNOWN_PARAMETER for what only begins like one."""
    pairs = [pair for pair in call.request.query_params.multi_items() if pair[0].startswith("filter[")]
    malformed = [name for name, _ in pairs if not FILTER_NAME.fullmatch(name)]
    if malformed:
        details = [detail("query", _FILTER, path=name) for name in malformed]
        raise ApiError(UNKNOWN_PARAMETER, details[:1], len(details), names=malformed[0])
    return pairs


_FILTER = Fault(DetailCode.UNKNOWN_PARAMETER, "deve ser filter[coluna][operador]")


def _refuse_page_and_cursor(query: ListQuery | QueryBody) -> None:
    if query.cursor is not None and "page" in query.model_fields_set:
        raise ApiError(INVALID_REQUEST, reason="use page ou cursor, não os dois")


@router.post(
    "/query",
    document(
        "Query rows or groups",
        answers={200: RecordPage},
        errors=(*READ_ERRORS, REQUEST_TOO_LARGE),
        query=RowQuery,
        body=QueryBody,
    ),
)
def query_rows(table_id: str, call: Annotated[Call, requires(Permission.DATA_READ)]) -> Response:
    """List the rows of a condition, or groups of them with what is worked out over each."""

    def read_request() -> ListRequest:
        given = call.json_object()
        body = validate("body", lambda: built(QueryBody).model_validate(given, strict=True))
        _refuse_page_and_cursor(body)
        query = call.query(RowQuery)
        return ListRequest(
            page=body.page,
            per_page=body.per_page,
            cursor=body.cursor,
            sort=body.sort or (),
            fields=body.fields,
            where=given.get("where"),
            group_by=given.get("group_by"),
            aggregates=given.get("aggregates"),
            count=body.count,
            versions=query.versions,
            numbers=query.numbers,
            place="body",
            sort_path="sort",
        )

    return _page_answer(call.services.row_lists.list_page(call.company_id, table_id, read_request))


@router.get(
    "/{row_id}",
    document(
        "Get row",
        answers={200: Row},
        errors=(TABLE_NOT_FOUND, ROW_NOT_FOUND, INVALID_REQUEST),
        query=RowQuery,
    ),
)
def get_row(table_id: str, row_id: str, call: Annotated[Call, requires(Permission.DATA_READ)]) -> Response:
    """Return one row; its `ETag` is its version in quotes."""
    return _row_answer(call.services.rows.get(call.company_id, table_id, row_id, lambda: _answered(call)))


@router.post(
    "",
    document(
        "Insert rows",
        answers={201: Inserted},
        errors=(*WRITE_ERRORS, IDEMPOTENCY_KEY_REUSED, RESPONSE_TOO_LARGE, TABLE_WITHOUT_KEY),
        query=InsertQuery,
        body=RowsBody,
        headers=InsertHeaders,
    ),
)
def insert_rows(table_id: str, call: Annotated[Call, requires(Permission.DATA_WRITE)]) -> Response:
    """Insert rows, all of them or none."""

    def read_new() -> NewRows:
        body = call.json_object()
        unknown = body.keys() - {"rows"}
        if unknown:
            raise refusal(min(unknown), Fault(DetailCode.UNKNOWN_FIELD, "campo desconhecido"))
        query = call.query(InsertQuery)
        asked = {"return": query.returned, "on_conflict": query.on_conflict}
        options = "&".join(f"{name}={value}" for name, value in asked.items() if value is not None)
        key = read_key(call.request.headers.getlist(HEADER), call.raw_body or b"", options)
        return NewRows(body.get("rows"), key, query.returned or "count", query.numbers, query.on_conflict)

    return _inserted_answer(call, call.services.row_inserts.insert(call.company_id, table_id, read_new))


def _inserted_answer(call: Call, inserted: InsertedRows) -> Response:
    fields = [f'"inserted":{inserted.count}']
    if "on_conflict" in call.request.query_params:
        fields += [f'"updated":{inserted.updated}', f'"ignored":{inserted.ignored}']
    if inserted.returned is not None:
        fields.append(f'"{call.request.query_params["return"]}":{inserted.returned}')
    return _json("{" + ",".join(fields) + "}", 201)


def update_row(
    table_id: str, row_id: str, call: Annotated[Call, requires(Permission.DATA_WRITE)]
) -> Response:
    """Change the given fields of a row; with a version, only if nobody has changed it since."""

    def read_changes() -> RowUpdate:
        return RowUpdate(call.json_object(), _if_match(call), _answered(call))

    return _row_answer(call.services.rows.update(call.company_id, table_id, row_id, read_changes))


for _method in ("PUT", "PATCH"):  # the contract's page does not tell which
    router.route(
        _method,
        "/{row_id}",
        document(
            "Update row",
            answers={200: Row},
            errors=(ROW_NOT_FOUND, ROW_CHANGED, *WRITE_ERRORS),
            query=RowQuery,
            body=RowChanges,
            headers=RowHeaders,
        ),
    )(update_row)


@router.delete(
    "/{row_id}",
    document(
        "Delete row",
        answers={204: None},
        errors=(
            TABLE_NOT_FOUND,
            ROW_NOT_FOUND,
            ROW_CHANGED,
            INVALID_REQUEST,
            TABLE_INACTIVE,
            TABLE_BUSY,
            OUTCOME_UNKNOWN,
        ),
        query=DeleteQuery,
        headers=RowHeaders,
    ),
)
def delete_row(
    table_id: str, row_id: str, call: Annotated[Call, requires(Permission.DATA_WRITE)]
) -> Response:
    """Delete a row; with a version, only if nobody has changed it since."""

    def read_version() -> str | None:
        of_body = None
        if call.raw_body:
            body = call.json_object()
            of_body = read_row_version(body[VERSION_FIELD]) if VERSION_FIELD in body else None
        return same_version(_if_match(call), call.query(DeleteQuery).version, of_body)

    call.services.rows.delete(call.company_id, table_id, row_id, read_version)
    return no_content()


@router.patch(
    "",
    document(
        "Update rows in bulk",
        answers={200: Updated},
        errors=(ROW_NOT_FOUND, ROW_CHANGED, QUERY_TOO_HEAVY, *WRITE_ERRORS),
        body=BulkUpdate,
    ),
)
def update_rows(table_id: str, call: Annotated[Call, requires(Permission.DATA_WRITE)]) -> Response:
    """Change many rows, each by its id or all of a condition: all of them or none."""
    updated = call.services.bulk_changes.update(call.company_id, table_id, call.json_object)
    return _json(f'{{"updated":{updated}}}')


@router.post(
    "/delete",
    document(
        "Delete rows in bulk",
        answers={200: Deleted},
        errors=(ROW_NOT_FOUND, QUERY_TOO_HEAVY, *WRITE_ERRORS),
        body=BulkDelete,
    ),
)
def delete_rows(table_id: str, call: Annotated[Call, requires(Permission.DATA_WRITE)]) -> Response:
    """Delete many rows, by their ids or by a condition: all of them or none."""
    deleted = call.services.bulk_changes.delete(call.company_id, table_id, call.json_object)
    return _json(f'{{"deleted":{deleted}}}')


def _answered(call: Call) -> Answered:
    query = call.query(RowQuery)
    return Answered(query.numbers, query.versions)


def _if_match(call: Call) -> str | None:
    return read_if_match(call.request.headers.getlist(VERSION_HEADER))


def _page_answer(page: FoundPage) -> Response:
    total, next_cursor = json.dumps(page.total), json.dumps(page.next_cursor)
    return _json(
        f'{{"total":{total},"quantity":{len(page.rows)},"records":[{",".join(page.rows)}],'
        f'"next_cursor":{next_cursor}}}'
    )


def _row_answer(row: FoundRow) -> Response:
    return _json(row.text, headers={"ETag": f'"{row.version}"'})


def _json(text: str, status: int = 200, headers: Any = None) -> Response:
    return Response(text, status, headers, media_type="application/json")
