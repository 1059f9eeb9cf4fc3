"""Lead from a request to a permitted call: token (401), permission (403), thread (429), ids (404).

A route lists `requires(Permission.…)` among its dependencies, and takes what it needs as arguments:

    @router.get("/{table_id}", dependencies=requires(Permission.LIST), …)
    def get_table(table: KnownTable, caller: SignedIn, services: Services) -> Any:

FastAPI solves a dependency again for each that depends on it, so nothing here depends on more than it needs.
"""

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import Depends
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.exports import ExportRecord
from managed_tables.catalog.job_records import JobRecord
from managed_tables.catalog.table_records import TableRecord
from managed_tables.databases.connection_cache import answered_within
from managed_tables.details import MAX_ERROR_DETAILS, DetailCode, Fault, detail, shown_text
from managed_tables.errors import (
    INVALID_REQUEST,
    TABLE_NOT_FOUND,
    UNAUTHENTICATED,
    UNKNOWN_PARAMETER,
    ApiError,
)
from managed_tables_api.auth.permissions import ALL_PERMISSIONS, Permission
from managed_tables_api.auth.tokens import Caller
from managed_tables_api.exports.starting import get_export
from managed_tables_api.http.bodies import is_multipart, receive_body
from managed_tables_api.jobs.job_answers import get_job
from managed_tables_api.services import ApiServices

ANSWER_SECONDS = 26.0  # API Gateway hangs up after 29 s, of which a process may take two to begin
TOKEN_DESCRIPTION = (
    "JWT com `sub` e `company_id` (24 dígitos hexadecimais), `permissions` e `exp`. "
    f"`{ALL_PERMISSIONS}` concede todas as permissões."
)

_METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_UNKNOWN_PARAMETER = Fault(DetailCode.UNKNOWN_PARAMETER, "a rota não tem este parâmetro")
_NUL = Fault(DetailCode.INVALID_CHARACTER, "não pode conter o caractere NUL")


async def services_of(request: Request) -> ApiServices:
    """Return the services of this process."""
    services: ApiServices = request.app.state.services
    return services


Services = Annotated[ApiServices, Depends(services_of)]


class BearerToken(SecurityBase):
    """The dependency that gives a route its caller; raises UNAUTHENTICATED."""

    def __init__(self) -> None:
        self.model = HTTPBearer(bearerFormat="JWT", description=TOKEN_DESCRIPTION)
        self.scheme_name = "bearerAuth"

    async def __call__(self, request: Request) -> Caller:
        """Return whose token the request carries."""
        services: ApiServices = request.app.state.services
        headers = request.headers.getlist("authorization")
        if len(headers) != 1:
            raise ApiError(UNAUTHENTICATED)
        verify = services.token_verifier.verify
        caller = (
            await run_in_threadpool(verify, headers[0]) if services.keys_are_remote else verify(headers[0])
        )
        request.state.caller = caller
        return caller


SignedIn = Annotated[Caller, Depends(BearerToken())]


class Permitted:
    """The dependency that lets only callers with a permission through; raises FORBIDDEN."""

    def __init__(self, permission: Permission) -> None:
        self.permission = permission

    async def __call__(self, caller: SignedIn) -> None:
        """Check the caller's permissions."""
        caller.require(self.permission)


async def slot(request: Request, caller: SignedIn) -> AsyncIterator[None]:
    """Receive the body, then hold one of the company's threads until there is an answer; TOO_MANY_REQUESTS.

    The slot is taken after the body, which may be slow to arrive, and given back before the answer is sent,
    which may be slow to be taken.
    """
    services: ApiServices = request.app.state.services
    slots = services.slots
    with slots.request(caller.company_id):
        if request.method in _METHODS_WITH_BODY:
            await receive_body(request, services.settings.request_max_bytes)
        async with slots.slot(caller.company_id):
            with answered_within(ANSWER_SECONDS):
                yield


async def slot_without_form(request: Request, caller: SignedIn) -> AsyncIterator[None]:
    """Do as `slot`, but leave a form, and the slot after it, to the route, which reads it piece by piece."""
    if is_multipart(request):
        with request.app.state.services.slots.request(caller.company_id):
            yield
    else:
        async with asynccontextmanager(slot)(request, caller):
            yield


async def check_parameters(request: Request) -> None:
    """Raise UNKNOWN_PARAMETER for what a route does not declare: an ignored filter is a wrong answer.

    Raises INVALID_REQUEST for a character that no table can hold.
    """
    if not request.scope["query_string"]:
        return
    takes = request.scope["route"].takes
    names = [name for name in dict.fromkeys(request.query_params.keys()) if not takes(name)]
    if names:
        details = [
            detail("query", _UNKNOWN_PARAMETER, path=shown_text(name)) for name in names[:MAX_ERROR_DETAILS]
        ]
        shown = ", ".join(fault["path"] for fault in details)
        raise ApiError(UNKNOWN_PARAMETER, details, len(names), names=shown)
    for name, text in request.query_params.multi_items():
        if "\x00" in name + text:
            raise ApiError(INVALID_REQUEST, [detail("query", _NUL, path=shown_text(name))])


def requires(permission: Permission, *, takes_form: bool = False) -> list[Any]:
    """Return the dependencies of a route that needs a permission, in the contract's order of checks."""
    return [
        Depends(Permitted(permission)),
        Depends(slot_without_form if takes_form else slot, scope="function"),
        Depends(check_parameters),
    ]


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
