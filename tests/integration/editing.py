"""Export a table as a workbook that people change and send back."""

from dataclasses import asdict
from typing import Any

from managed_tables.catalog.exports import ExportRecord
from managed_tables.catalog.tables import TableRecord
from managed_tables.exports import ExportRequest, new_export
from managed_tables.services import Services
from managed_tables_export.handler import run_export


def export_for_editing(services: Services, table: TableRecord, **wanted: Any) -> tuple[ExportRecord, bytes]:
    """Return the export, done, and its workbook; `wanted` are fields of the request."""
    company_id = table.company_id
    request = ExportRequest("xlsx", for_editing=True, **wanted)
    export = new_export(company_id, "507f1f77bcf86cd799439014", table, request, services.settings.zone)
    services.storage.put_json(export.request_key, asdict(request))
    services.exports.create(export)
    assert run_export(services, company_id, export.export_id, 1e12) == {"outcome": "done"}
    found = services.exports.find(company_id, export.export_id)
    assert found is not None
    return found, services.storage.read_range(found.key or "", 0, 2**30)
