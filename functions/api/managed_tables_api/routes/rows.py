"""The contract's "Data CRUD": rows of a table, listed, read and changed one by one or many at once."""

import json
from typing import Annotated

from fastapi import Depends, Query
from starlette.responses import Response

from managed_tables.errors import (
    DUPLICATE_KEY,
    IDEMPOTENCY_KEY_REUSED,
    INVALID_ROWS,
    KEY_TOO_LONG,
    OUTCOME_UNKNOWN,
    QUERY_TOO_HEAVY,
    RESPONSE_TOO_LARGE,
    ROW_CHANGED,
    ROW_NOT_FOUND,
    ROW_TOO_WIDE,
    TABLE_BUSY,
    TABLE_INACTIVE,
    TABLE_WITHOUT_KEY,
)
from managed_tables.exact_json import Object
from managed_tables_api.auth.permissions import Permission
from managed_tables_api.calls.gate import Services, SignedIn, requires
from managed_tables_api.calls.routing import api_router, raises
from managed_tables_api.http.bodies import json_object_of
from managed_tables_api.rows.inserts.inserting import InsertedRows, NewRows
from managed_tables_api.rows.lists.listing import ListRequest
from managed_tables_api.rows.lists.listing import Page as FoundPage
from managed_tables_api.rows.requests import (
    body_request,
    list_request,
    new_rows,
    numbers_of_errors,
    version_to_delete,
)
from managed_tables_api.rows.row_models import (
    BulkDelete,
    BulkUpdate,
    DeletedAnswer,
    InsertedAnswer,
    RecordPage,
    Row,
    RowChanges,
    RowPage,
    RowQuery,
    UpdatedAnswer,
)
from managed_tables_api.rows.single_rows import RowJson
from managed_tables_api.rows.versions import IfMatch

WRITE_ERRORS = (
    TABLE_INACTIVE,
    TABLE_BUSY,
    DUPLICATE_KEY,
    INVALID_ROWS,
    ROW_TOO_WIDE,
    KEY_TOO_LONG,
    OUTCOME_UNKNOWN,
)

router = api_router("/{table_id}/data", "Data CRUD")

_READS, _WRITES = requires(Permission.DATA_READ), requires(Permission.DATA_WRITE)


@router.get("", summary="List rows", response_model=RowPage, dependencies=_READS)
@raises(QUERY_TOO_HEAVY)
def list_rows(
    table_id: str,
    request: Annotated[ListRequest, Depends(list_request)],
    caller: SignedIn,
    services: Services,
) -> Response:
    """List the rows of a table."""
    return _page_answer(services.row_lists.list_page(caller.company_id, table_id, request))


@router.post("/query", summary="Query rows or groups", response_model=RecordPage, dependencies=_READS)
@raises(QUERY_TOO_HEAVY)
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
@raises(*WRITE_ERRORS, IDEMPOTENCY_KEY_REUSED, RESPONSE_TOO_LARGE, TABLE_WITHOUT_KEY)
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
@raises(ROW_CHANGED, *WRITE_ERRORS)
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
@raises(ROW_CHANGED, TABLE_INACTIVE, TABLE_BUSY, OUTCOME_UNKNOWN)
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
@raises(ROW_NOT_FOUND, ROW_CHANGED, QUERY_TOO_HEAVY, *WRITE_ERRORS)
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
@raises(ROW_NOT_FOUND, QUERY_TOO_HEAVY, *WRITE_ERRORS)
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
