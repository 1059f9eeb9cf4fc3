"""The routes of exports: a table's rows to a file, and the file's state."""

from typing import Annotated

from starlette.responses import Response

from managed_tables.errors import (
    EXPORT_NOT_FOUND,
    EXPORTS_UNAVAILABLE,
    INVALID_REQUEST,
    REQUEST_TOO_LARGE,
    TABLE_NOT_FOUND,
    ApiError,
)
from managed_tables.exports.request import ExportRequest
from managed_tables_api.auth.permissions import Permission
from managed_tables_api.exports.export_models import ExportAnswer, NewExport, NewExportAnswer
from managed_tables_api.exports.starting import export_answer, get_export, start_export
from managed_tables_api.http.answers import JsonAnswer
from managed_tables_api.http.calls import Call, requires
from managed_tables_api.http.routing import ApiRouter
from managed_tables_api.openapi.describing import document

router = ApiRouter("/v1/managed-tables", ["Exports"])


@router.post(
    "/{table_id}/exports",
    document(
        "Export rows",
        answers={201: NewExportAnswer},
        errors=[TABLE_NOT_FOUND, INVALID_REQUEST, REQUEST_TOO_LARGE, EXPORTS_UNAVAILABLE],
        body=NewExport,
    ),
)
def create_export(table_id: str, call: Annotated[Call, requires(Permission.DATA_READ)]) -> Response:
    """Write the table's rows, as they are in one moment, to a file of CSV, XLSX, Parquet or JSON lines.

    The file is there once `GET /exports/{export_id}` says `done`, and for some days. A table that is deleted
    or whose definition changes before it is read makes the export fail.
    """
    company = call.services.provisioning.find(call.company_id)
    if company is None:  # and so has no tables
        raise ApiError(TABLE_NOT_FOUND)
    table = call.services.table_reading.get(company, table_id.lower())
    export = start_export(call.services, call.caller, table, _read_request(call))
    return JsonAnswer({"export_id": export.export_id, "status": export.status}, 201)


@router.get(
    "/exports/{export_id}",
    document("Get export", answers={200: ExportAnswer}, errors=[EXPORT_NOT_FOUND]),
)
def get_export_state(export_id: str, call: Annotated[Call, requires(Permission.DATA_READ)]) -> Response:
    """Return how far an export is, and of one that is done where to download it."""
    export = get_export(call.services, call.company_id, export_id)
    return JsonAnswer(export_answer(call.services, export))


def _read_request(call: Call) -> ExportRequest:
    body = call.json_object()
    return call.body(NewExport, body).as_request(body.get("where"))
