"""Refuse query parameters that a route does not declare: a filter that is ignored is a wrong answer.

A route's parameters are read from its documentation, so that nothing is declared twice.
"""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request

from managed_tables.details import MAX_ERROR_DETAILS, DetailCode, Fault, detail, shown_text
from managed_tables.errors import TABLE_NOT_FOUND, UNKNOWN_PARAMETER, ApiError
from managed_tables_api.exports.starting import get_export
from managed_tables_api.jobs.job_answers import get_job
from managed_tables_api.openapi.describing import Documentation
from managed_tables_api.services import ApiServices

_FAULT = Fault(DetailCode.UNKNOWN_PARAMETER, "a rota não tem este parâmetro")


def unknown_parameters(request: Request, documentation: Documentation | None) -> list[str]:
    """Return the names in the query that the request's route does not declare."""
    if not request.scope["query_string"]:
        return []
    names = dict.fromkeys(request.query_params.keys())
    return [name for name in names if documentation is None or not documentation.takes(name)]


def refuse_parameters(services: ApiServices, company_id: str, request: Request, names: list[str]) -> None:
    """Raise UNKNOWN_PARAMETER naming them, but first the 404 of an unknown id in the path."""
    for name, check in _CHECKS.items():
        if name in request.path_params:
            check(services, company_id, request.path_params)
    details = [detail("query", _FAULT, path=shown_text(name)) for name in names[:MAX_ERROR_DETAILS]]
    shown = ", ".join(one["path"] for one in details)
    raise ApiError(UNKNOWN_PARAMETER, details, len(names), names=shown)


def _check_table(services: ApiServices, company_id: str, ids: Mapping[str, str]) -> None:
    company = services.provisioning.find(company_id)
    if company is None:
        raise ApiError(TABLE_NOT_FOUND)
    services.table_reading.get(company, ids["table_id"])


def _check_row(services: ApiServices, company_id: str, ids: Mapping[str, str]) -> None:
    services.rows.require(company_id, ids["table_id"], ids["row_id"])


def _check_job(services: ApiServices, company_id: str, ids: Mapping[str, str]) -> None:
    get_job(services.jobs, company_id, ids["job_id"])


def _check_export(services: ApiServices, company_id: str, ids: Mapping[str, str]) -> None:
    get_export(services, company_id, ids["export_id"])


_CHECKS: dict[str, Callable[[ApiServices, str, Mapping[str, str]], Any]] = {
    "table_id": _check_table,
    "row_id": _check_row,
    "job_id": _check_job,
    "export_id": _check_export,
}
