"""The routes of exports: a table's rows to a file, the file's state, and lists of them."""

from typing import Annotated

from fastapi import Query

from managed_tables.errors import EXPORTS_UNAVAILABLE, TOO_MANY_EXPORTS
from managed_tables_api import exports
from managed_tables_api.auth import Permission
from managed_tables_api.calls import KnownExport, KnownTable, Services, SignedIn, api_router, raises, requires
from managed_tables_api.http.bodies import from_json
from managed_tables_api.http.validation import PageQuery

router = api_router("", "Exports")

_READS = requires(Permission.DATA_READ)


@router.post("/{table_id}/exports", summary="Export rows", status_code=201, dependencies=_READS)
@raises(TOO_MANY_EXPORTS, EXPORTS_UNAVAILABLE)
def create_export(
    body: Annotated[exports.NewExport, from_json(exports.NewExport)],
    table: KnownTable,
    caller: SignedIn,
    services: Services,
) -> exports.NewExportAnswer:
    """Write the table's rows, as they are in one moment, to a file of CSV, XLSX, Parquet or JSON lines.

    The file is there once `GET /exports/{export_id}` says `done`, and for some days. A table that is deleted
    or whose definition changes before it is read makes the export fail.
    """
    export = exports.start_export(services, caller, table, body.as_request())
    return exports.NewExportAnswer(export_id=export.export_id, status="queued")


@router.get("/{table_id}/exports", summary="List exports of a table", dependencies=_READS)
def list_table_exports(
    query: Annotated[PageQuery, Query()], table: KnownTable, caller: SignedIn, services: Services
) -> exports.ExportsAnswer:
    """Return the exports of the table, newest first, while their files are kept."""
    return exports.list_exports(services, caller.company_id, query, table.table_id)


@router.get("/exports", summary="List exports", dependencies=_READS)
def list_company_exports(
    query: Annotated[PageQuery, Query()], caller: SignedIn, services: Services
) -> exports.ExportsAnswer:
    """Return the exports of all tables, deleted ones too, newest first, while their files are kept."""
    return exports.list_exports(services, caller.company_id, query)


@router.get("/exports/{export_id}", summary="Get export", dependencies=_READS)
def get_export_state(export: KnownExport, services: Services) -> exports.ExportAnswer:
    """Return how far an export is, and of one that is done where to download it."""
    return exports.export_answer(services, export)
