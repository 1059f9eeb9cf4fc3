"""The contract's "Data CRUD": rows of a table."""

import json
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from managed_tables.errors import (
    IDEMPOTENCY_KEY_REUSED,
    INVALID_REQUEST,
    INVALID_ROWS,
    OUTCOME_UNKNOWN,
    QUERY_TOO_HEAVY,
    REQUEST_TOO_LARGE,
    RESPONSE_TOO_LARGE,
    ROW_NOT_FOUND,
    ROW_TOO_WIDE,
    TABLE_BUSY,
    TABLE_INACTIVE,
    TABLE_NOT_FOUND,
    ApiError,
)
from managed_tables_api.answers import no_content
from managed_tables_api.calls import Call, requires
from managed_tables_api.documentation import document
from managed_tables_api.permissions import Permission
from managed_tables_api.rows.idempotency import HEADER, MAX_CHARACTERS, read_key
from managed_tables_api.rows.rows import ListRequest, NewRows, RowUpdate
from managed_tables_api.validation import Count, NumbersQuery, Page, QueryInteger

MAX_PER_PAGE = 1_000
WRITE_ERRORS = (
    TABLE_NOT_FOUND,
    TABLE_INACTIVE,
    TABLE_BUSY,
    INVALID_REQUEST,
    INVALID_ROWS,
    ROW_TOO_WIDE,
    REQUEST_TOO_LARGE,
    OUTCOME_UNKNOWN,
)

router = APIRouter(prefix="/v1/managed-tables/{table_id}/data", tags=["Data CRUD"])

Cell = str | bool | int | float | None


class Row(BaseModel):
    """A row: its `id` and one field a column."""

    model_config = ConfigDict(
        extra="allow", json_schema_extra={"examples": [{"id": "uuid", "produto": "X", "valor": 12.5}]}
    )

    id: UUID
    __pydantic_extra__: dict[str, Cell]


class RowPage(BaseModel):
    """A page of rows."""

    total: Count = Field(description="Linhas na tabela")
    quantity: Count = Field(description="Linhas nesta página")
    records: list[Row] = Field(max_length=MAX_PER_PAGE)
    next_cursor: str | None = Field(description="Para `cursor`, onde houver mais linhas (extensão)")


class RowsBody(BaseModel):
    """Rows to insert: one field a column, without `id`."""

    rows: list[dict[str, Cell]] = Field(
        min_length=1, examples=[[{"produto": "X", "valor": 12.5}, {"produto": "Y", "valor": 30}]]
    )


class RowChanges(BaseModel):
    """The fields to update."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"examples": [{"valor": 13.75}]})

    __pydantic_extra__: dict[str, Cell]


class Inserted(BaseModel):
    """How many rows were inserted."""

    inserted: int = Field(examples=[2])


class InsertHeaders(BaseModel):
    """What an insert may say beside its body."""

    idempotency_key: str | None = Field(
        default=None,
        alias="Idempotency-Key",
        min_length=1,
        max_length=MAX_CHARACTERS,
        description="Nome do pedido, escolhido pelo cliente: repetido com a mesma chave e o mesmo corpo,"
        " insere uma vez só e responde o mesmo (extensão; guardado por um dia ao menos)",
    )


class ListQuery(NumbersQuery):
    """Which rows are listed, in which order."""

    page: Page = 1
    per_page: Annotated[QueryInteger, Field(ge=1, le=MAX_PER_PAGE, description="Linhas por página")] = 50
    sort_by: str | None = Field(
        default=None, description="`campo` em ordem crescente, `-campo` em decrescente; `id` também"
    )
    cursor: str | None = Field(
        default=None,
        description="`next_cursor` da página anterior, no lugar de `page`: custa o mesmo em qualquer ponto"
        " da tabela (extensão)",
    )


@router.get(
    "",
    **document(
        "List rows",
        answers={200: RowPage},
        errors=(TABLE_NOT_FOUND, INVALID_REQUEST, RESPONSE_TOO_LARGE, QUERY_TOO_HEAVY),
        query=ListQuery,
    ),
)
def list_rows(table_id: str, call: Annotated[Call, requires(Permission.DATA_READ)]) -> Response:
    """List the rows of a table."""

    def read_request() -> ListRequest:
        query = call.query(ListQuery)
        if query.cursor is not None and "page" in query.model_fields_set:
            raise ApiError(INVALID_REQUEST, reason="use page ou cursor, não os dois")
        return ListRequest(**query.model_dump())

    page = call.services.rows.list_page(call.company_id, table_id, read_request)
    next_cursor = json.dumps(page.next_cursor)
    return _json(
        f'{{"total":{page.total},"quantity":{len(page.rows)},"records":[{",".join(page.rows)}],'
        f'"next_cursor":{next_cursor}}}'
    )


@router.post(
    "",
    **document(
        "Insert rows",
        answers={201: Inserted},
        errors=(*WRITE_ERRORS, IDEMPOTENCY_KEY_REUSED),
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
            raise ApiError(INVALID_REQUEST, reason=f"campo desconhecido: {min(unknown)}")
        return NewRows(body.get("rows"), read_key(call.request.headers.getlist(HEADER), call.raw_body or b""))

    inserted = call.services.rows.insert(call.company_id, table_id, read_new)
    return _json(f'{{"inserted":{inserted}}}', 201)


def update_row(
    table_id: str, row_id: str, call: Annotated[Call, requires(Permission.DATA_WRITE)]
) -> Response:
    """Change the given fields of a row."""

    def read_changes() -> RowUpdate:
        return RowUpdate(call.json_object(), call.query(NumbersQuery).numbers)

    return _json(call.services.rows.update(call.company_id, table_id, row_id, read_changes))


for _method in ("PUT", "PATCH"):  # the contract's page does not tell which
    router.add_api_route(
        "/{row_id}",
        update_row,
        methods=[_method],
        operation_id=f"update_row_{_method.lower()}",
        **document(
            "Update row",
            answers={200: Row},
            errors=(ROW_NOT_FOUND, *WRITE_ERRORS),
            query=NumbersQuery,
            body=RowChanges,
        ),
    )


@router.delete(
    "/{row_id}",
    **document(
        "Delete row",
        answers={204: None},
        errors=(TABLE_NOT_FOUND, ROW_NOT_FOUND, TABLE_INACTIVE, TABLE_BUSY, OUTCOME_UNKNOWN),
    ),
)
def delete_row(
    table_id: str, row_id: str, call: Annotated[Call, requires(Permission.DATA_WRITE)]
) -> Response:
    """Delete a row."""
    call.services.rows.delete(call.company_id, table_id, row_id)
    return no_content()


def _json(text: str, status: int = 200) -> Response:
    return Response(text, status, media_type="application/json")
