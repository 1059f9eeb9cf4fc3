"""Routes of what became of rows and columns: their history, the trash, and the way back."""

from typing import Annotated, Any

from fastapi import Query

from managed_tables import errors
from managed_tables.tables.hidden_columns import HiddenColumnAnswer
from managed_tables_api.auth import Permission
from managed_tables_api.calls import (
    KnownCompany,
    KnownTable,
    Services,
    SignedIn,
    api_router,
    raises,
    requires,
)
from managed_tables_api.http.bodies import from_json
from managed_tables_api.http.validation import NumbersQuery
from managed_tables_api.rows.history.history_models import (
    HistoryQuery,
    RestoreBody,
    RestoredAnswer,
    RowHistoryAnswer,
    RowOriginAnswer,
    TableHistoryAnswer,
    TrashAnswer,
    TrashQuery,
)
from managed_tables_api.tables import TableAnswer

router = api_router("/{table_id}", "History")

_READS = requires(Permission.DATA_READ)


@router.get("/data/{row_id}/history", summary="History of a row", dependencies=_READS)
def list_row_history(
    table_id: str,
    row_id: str,
    query: Annotated[NumbersQuery, Query()],
    caller: SignedIn,
    services: Services,
) -> RowHistoryAnswer:
    """Return who changed the row, when, and from what to what; of a deleted row, too."""
    return services.row_history.of_row(caller.company_id, table_id, row_id, query.numbers)


@router.get("/data/{row_id}/origin", summary="Origin of a row", dependencies=_READS)
@raises(errors.STORAGE_UNAVAILABLE)
def get_row_origin(table_id: str, row_id: str, caller: SignedIn, services: Services) -> RowOriginAnswer:
    """Return the load that last wrote the row, and its cells as they stand in the file."""
    return services.row_origins.find(caller.company_id, table_id, row_id)


@router.get("/history", summary="History of a table", dependencies=_READS)
def list_table_history(
    table_id: str, query: Annotated[HistoryQuery, Query()], caller: SignedIn, services: Services
) -> TableHistoryAnswer:
    """Return a page of the changes of the table's rows, the newest first."""
    return services.row_history.of_table(caller.company_id, table_id, query)


@router.get("/trash", summary="Deleted rows", dependencies=_READS)
def list_trash(
    table_id: str, query: Annotated[TrashQuery, Query()], caller: SignedIn, services: Services
) -> TrashAnswer:
    """Return a page of deleted rows, the last deleted first."""
    return services.trash.list_page(caller.company_id, table_id, query.page, query.per_page, query.numbers)


@router.post("/trash/restore", summary="Restore deleted rows", dependencies=requires(Permission.DATA_WRITE))
@raises(errors.TABLE_INACTIVE, errors.TABLE_BUSY, errors.DUPLICATE_KEY, errors.OUTCOME_UNKNOWN)
def restore_rows(
    table_id: str,
    body: Annotated[RestoreBody, from_json(RestoreBody)],
    caller: SignedIn,
    services: Services,
) -> RestoredAnswer:
    """Bring deleted rows back, ids and values, all of them or none."""
    restored = services.trash.restore(caller.company_id, table_id, body, caller.user_id)
    return RestoredAnswer(restored=restored)


@router.get(
    "/columns/hidden",
    summary="Columns taken out",
    response_model=list[HiddenColumnAnswer],
    dependencies=requires(Permission.LIST),
)
def list_hidden_columns(table: KnownTable, company: KnownCompany, services: Services) -> Any:
    """Return the columns that were taken out of the table, the last one first."""
    return [column.as_json() for column in services.hidden_columns.describe(company, table.table_id)]


@router.post("/columns/{name}/restore", summary="Restore a column", dependencies=requires(Permission.UPDATE))
@raises(errors.INVALID_SCHEMA, errors.TABLE_BUSY)
def restore_column(name: str, table: KnownTable, company: KnownCompany, services: Services) -> TableAnswer:
    """Bring back the last column of this name that was taken out, as the table's last, with its values."""
    restored = services.hidden_columns.restore_by_name(company, table.table_id, name)
    return TableAnswer.of(company, restored, services.table_reading.count(company, restored))
