"""Look up what the ids of a path name: 404 for the unknown, for a malformed id too."""

from collections.abc import Callable, Collection
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.exports import ExportRecord
from managed_tables.catalog.job_records import JobRecord
from managed_tables.catalog.table_records import TableRecord
from managed_tables.errors import TABLE_NOT_FOUND, ApiError
from managed_tables_api.calls.gate import Services, SignedIn
from managed_tables_api.exports.starting import get_export
from managed_tables_api.jobs.job_answers import get_job


def known_company(caller: SignedIn, services: Services) -> ConnectionRecord:
    """Return the company's connection; without one, no id of a table is known."""
    company = services.provisioning.find(caller.company_id)
    if company is None:
        raise ApiError(TABLE_NOT_FOUND)
    return company


def known_table(table_id: str, caller: SignedIn, services: Services) -> TableRecord:
    """Return the table of the path."""
    return services.table_reading.get(known_company(caller, services), table_id.lower())


def known_job(job_id: str, caller: SignedIn, services: Services) -> JobRecord:
    """Return the job of the path."""
    return get_job(services.jobs, caller.company_id, job_id)


def known_export(export_id: str, caller: SignedIn, services: Services) -> ExportRecord:
    """Return the export of the path."""
    return get_export(services, caller.company_id, export_id)


KnownCompany = Annotated[ConnectionRecord, Depends(known_company)]
KnownTable = Annotated[TableRecord, Depends(known_table)]
KnownJob = Annotated[JobRecord, Depends(known_job)]
KnownExport = Annotated[ExportRecord, Depends(known_export)]


def require_known(request: Request, takes: Collection[Callable[..., Any] | None]) -> None:
    """Raise the 404 of an id in the path that is not known: before a refusal of what else was sent.

    `takes` are the dependencies of the route. A route of rows takes none of these look-ups: what it does asks
    the company's database, which knows the table and the row.
    """
    ids, services, caller = request.path_params, request.app.state.services, request.state.caller
    if known_job in takes:
        known_job(ids["job_id"], caller, services)
    elif known_export in takes:
        known_export(ids["export_id"], caller, services)
    elif known_table in takes or known_company in takes:
        known_table(ids["table_id"], caller, services)
    elif "table_id" in ids:
        services.rows.require(caller.company_id, ids["table_id"], ids.get("row_id"))
