"""Routes of tables: list, get, create, update and delete."""

from typing import Annotated

from starlette.responses import Response

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.errors import (
    DUPLICATE_KEY_ROWS,
    DUPLICATE_NAME,
    INVALID_REQUEST,
    INVALID_SCHEMA,
    NOT_PROVISIONED,
    REQUEST_TOO_LARGE,
    TABLE_BUSY,
    TABLE_NOT_FOUND,
    TABLE_VERSION_CHANGED,
    ApiError,
)
from managed_tables.jobs.orphans import end_jobs_of
from managed_tables.tables.changes import Additions, Texts
from managed_tables.tables.definitions import check_columns, check_table_name
from managed_tables_api.auth.permissions import Permission
from managed_tables_api.http.answers import JsonAnswer, entity_answer, list_answer, no_content
from managed_tables_api.http.calls import Call, requires
from managed_tables_api.http.routing import ApiRouter
from managed_tables_api.http.schema_bodies import schema_body
from managed_tables_api.openapi.describing import document
from managed_tables_api.tables.preconditions import HEADER as IF_MATCH
from managed_tables_api.tables.table_models import (
    NewTable,
    TableAnswer,
    TablesAnswer,
    TablesQuery,
    TableUpdate,
    UpdateHeaders,
    table_answer,
)

router = ApiRouter("/v1/managed-tables", ["Tables CRUD"])

_UPDATE = document(
    "Update table",
    answers={200: TableAnswer},
    errors=[
        TABLE_NOT_FOUND,
        DUPLICATE_NAME,
        TABLE_BUSY,
        TABLE_VERSION_CHANGED,
        DUPLICATE_KEY_ROWS,
        INVALID_REQUEST,
        INVALID_SCHEMA,
        REQUEST_TOO_LARGE,
    ],
    body=TableUpdate,
    headers=UpdateHeaders,
)


@router.get(
    "",
    document("List tables", answers={200: TablesAnswer}, errors=[INVALID_REQUEST], query=TablesQuery),
)
def list_tables(call: Annotated[Call, requires(Permission.LIST)]) -> Response:
    """Return a page of the company's tables, newest first."""
    query = call.query(TablesQuery)
    company = call.services.provisioning.find(call.company_id)
    if company is None:
        return JsonAnswer({"total": 0, "quantity": 0, "records": []})
    page = call.services.table_reading.page(company, query.page, query.per_page, query.search)
    records = (table_answer(company, table, row_count) for table, row_count in page.records)
    return list_answer(page.total, records, call.services.settings.response_max_bytes)


@router.post(
    "",
    document(
        "Create table (manual)",
        answers={201: TableAnswer},
        errors=[NOT_PROVISIONED, DUPLICATE_NAME, INVALID_REQUEST, INVALID_SCHEMA, REQUEST_TOO_LARGE],
        body=NewTable,
    ),
)
def create_table(call: Annotated[Call, requires(Permission.CREATE)]) -> Response:
    """Make an empty table."""
    wanted = schema_body(call, NewTable)
    check_table_name(wanted.display_name)
    check_columns(wanted.columns)
    company = call.services.provisioning.require(call.company_id)
    table = call.services.table_operations.create(
        company,
        call.caller.user_id,
        wanted.display_name,
        wanted.columns,
        Additions(Texts(wanted.title, wanted.description), wanted.key, wanted.indexes),
    )
    return JsonAnswer(table_answer(company, table, 0), 201)


@router.get(
    "/{table_id}",
    document("Get table", answers={200: TableAnswer}, errors=[TABLE_NOT_FOUND], is_entity=True),
)
def get_table(table_id: str, call: Annotated[Call, requires(Permission.LIST)]) -> Response:
    """Return one table."""
    company = _company_of_table(call)
    table = call.services.table_reading.get(company, table_id)
    answer = table_answer(company, table, call.services.table_reading.count(company, table))
    return entity_answer(call.request, answer, table.version)


@router.put("/{table_id}", _UPDATE)
def update_table(table_id: str, call: Annotated[Call, requires(Permission.UPDATE)]) -> Response:
    """Change a table's name, columns or status, all or nothing."""
    company = _company_of_table(call)
    call.services.table_reading.get(company, table_id)
    wanted = schema_body(call, TableUpdate)
    change = wanted.as_change(call.request.headers.get(IF_MATCH))
    table = call.services.table_operations.update(company, table_id.lower(), change)
    return JsonAnswer(table_answer(company, table, call.services.table_reading.count(company, table)))


@router.patch("/{table_id}", _UPDATE)
def patch_table(table_id: str, call: Annotated[Call, requires(Permission.UPDATE)]) -> Response:
    """Change a table: the same as PUT."""
    return update_table(table_id, call)


@router.delete(
    "/{table_id}", document("Delete table", answers={204: None}, errors=[TABLE_NOT_FOUND, TABLE_BUSY])
)
def delete_table(table_id: str, call: Annotated[Call, requires(Permission.DELETE)]) -> Response:
    """Delete a table softly: it disappears from every answer, its rows stay in the database.

    Uploads into it that are not confirmed yet end with `TABLE_GONE`.
    """
    call.services.table_operations.delete(_company_of_table(call), table_id.lower())
    end_jobs_of(call.services, call.company_id, table_id.lower())
    return no_content()


def _company_of_table(call: Call) -> ConnectionRecord:
    """Return the company's connection; without one, no id of a table is known."""
    company = call.services.provisioning.find(call.company_id)
    if company is None:
        raise ApiError(TABLE_NOT_FOUND)
    return company
