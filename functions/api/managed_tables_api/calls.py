"""Lead from a request to a permitted call, and from what it returns to exact JSON and our errors.

In order: token (401), permission (403), thread (429), ids (404), all else (422). A route lists
`requires(Permission.…)` among its dependencies, and takes what it needs as arguments:

    @router.get("/{table_id}", dependencies=requires(Permission.LIST), …)
    def get_table(table: KnownTable, caller: SignedIn, services: Services) -> Any:

FastAPI solves a dependency again for each that depends on it, so nothing here depends on more than it needs.
Bodies and queries are parsed before anything is looked up, so that a valid request pays for no look-up that
its work does not need. Where they are refused, the ids of the path are looked up first.

Where one route has a word and another an id at the same place, the word is no id (`{table_id:table}`): `PUT
/upload` is 405, as `/upload` is known.
"""

import inspect
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack
from functools import cached_property, partial, wraps
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.models import HTTPBearer
from fastapi.routing import APIRoute
from fastapi.security.base import SecurityBase
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from starlette.concurrency import run_in_threadpool
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.requests import Request
from starlette.responses import Response

from managed_tables import API_PREFIX, errors
from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.exports import ExportRecord
from managed_tables.catalog.job_records import JobRecord
from managed_tables.catalog.tables import TableRecord
from managed_tables.clock import timestamp
from managed_tables.details import MAX_ERROR_DETAILS, Fault, detail, shown_text
from managed_tables.errors import ApiError, ApiErrorKind
from managed_tables.ids import is_record_id
from managed_tables_api.auth import ALL_PERMISSIONS, Caller, Permission
from managed_tables_api.connection_cache import answered_within
from managed_tables_api.http.answers import as_answer, error_answer
from managed_tables_api.http.requests import receive_body, refusal, refusal_of
from managed_tables_api.rows import row_history, single_rows
from managed_tables_api.rows.running import NamedTable, Table
from managed_tables_api.services import ApiServices

ANSWER_SECONDS = 26.0  # API Gateway hangs up after 29 s, of which a process may take two to begin
TOKEN_DESCRIPTION = (
    "JWT com `sub` e `company_id` (24 dígitos hexadecimais), `permissions` e `exp`. "
    f"`{ALL_PERMISSIONS}` concede todas as permissões."
)

_UNKNOWN_PARAMETER = Fault("UNKNOWN_PARAMETER", "a rota não tem este parâmetro")


async def services_of(request: Request) -> ApiServices:
    """Return the services of this process."""
    services: ApiServices = request.app.state.services
    return services


Services = Annotated[ApiServices, Depends(services_of)]


class BearerToken(SecurityBase):
    """The dependency that gives a route its caller; raises UNAUTHENTICATED."""

    model = HTTPBearer(bearerFormat="JWT", description=TOKEN_DESCRIPTION)
    scheme_name = "bearerAuth"

    async def __call__(self, request: Request) -> Caller:
        """Return whose token the request carries."""
        services: ApiServices = request.app.state.services
        headers = request.headers.getlist("authorization")
        if len(headers) != 1:
            raise ApiError(errors.UNAUTHENTICATED)
        verify = services.token_verifier.verify
        caller = (
            await run_in_threadpool(verify, headers[0]) if services.keys_are_remote else verify(headers[0])
        )
        request.state.caller = caller
        return caller


TokenHolder = Annotated[Caller, Depends(BearerToken())]


async def signed_in(request: Request) -> Caller:
    """Return whose token the request carries, once `Requires` has checked it."""
    caller: Caller = request.state.caller
    return caller


SignedIn = Annotated[Caller, Depends(signed_in)]


Receive = Callable[[Request], Awaitable[None]]


async def receive_any(request: Request) -> None:
    """Receive the body, where the method has one."""
    if request.method != "GET":
        await receive_body(request)


def check_parameters(request: Request) -> None:
    """Raise UNKNOWN_PARAMETER for what a route does not declare: an ignored filter is a wrong answer.

    Raises INVALID_REQUEST for a character that no table can hold, and for a parameter that comes twice.
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
        raise ApiError(errors.UNKNOWN_PARAMETER, details, len(names), names=shown)
    items = request.query_params.multi_items()
    given = Counter(name for name, _ in items)
    for name, text in items:
        if "\x00" in name + text:
            fault = Fault("INVALID_CHARACTER", "não pode conter o caractere NUL")
            raise refusal(shown_text(name), fault, "query")
        if given[name] > 1 and "[" not in name:  # conditions on one column hold together
            raise refusal(name, Fault("REPEATED", "só pode vir uma vez"), "query")


class Requires(BearerToken):
    """The dependency that lets a caller with a permission through, to one of the company's threads.

    Raises FORBIDDEN and TOO_MANY_REQUESTS. The thread is taken after the body, which may be slow to arrive,
    and given back before the answer is sent, which may be slow to be taken. No body is received of a request
    whose parameters are refused. `request.state.held` has all that is held: FastAPI's generators cost more.
    """

    def __init__(self, permission: Permission, receive: Receive) -> None:
        self.permission = permission
        self._receive = receive

    async def __call__(self, request: Request) -> Caller:
        """Have the thread, and what was received, held until the request has its answer."""
        caller = await super().__call__(request)
        caller.require(self.permission)
        held: AsyncExitStack = request.state.held
        share = held.enter_context(request.app.state.services.slots.request(caller.company_id))
        check_parameters(request)
        await self._receive(request)
        await share.hold_slot(held)
        held.enter_context(answered_within(ANSWER_SECONDS))
        return caller


def requires(permission: Permission, receive: Receive = receive_any) -> list[Any]:
    """Return the dependencies of a route that needs a permission, in the contract's order of checks."""
    return [Depends(Requires(permission, receive))]


def known_company(caller: SignedIn, services: Services) -> ConnectionRecord:
    """Return the company's connection; without one, no id of a table is known."""
    company = services.provisioning.find(caller.company_id)
    if company is None:
        raise ApiError(errors.TABLE_NOT_FOUND)
    return company


def known_table(table_id: str, caller: SignedIn, services: Services) -> TableRecord:
    """Return the table of the path."""
    return services.table_reading.get(known_company(caller, services), table_id.lower())


def known_job(job_id: str, caller: SignedIn, services: Services) -> JobRecord:
    """Return the job of the path, ended if it is overdue; raises JOB_NOT_FOUND, for a malformed id too."""
    jobs = services.jobs
    job = jobs.find(caller.company_id, job_id.lower()) if is_record_id(job_id) else None
    if job is None:
        raise ApiError(errors.JOB_NOT_FOUND)
    if job.is_overdue(timestamp()):
        return jobs.expire(job) or known_job(job_id, caller, services)
    return job


def known_export(export_id: str, caller: SignedIn, services: Services) -> ExportRecord:
    """Return the export of the path, ended if it is overdue; raises EXPORT_NOT_FOUND once it is gone."""
    exports = services.exports
    export = exports.find(caller.company_id, export_id.lower()) if is_record_id(export_id) else None
    if export is None or exports.is_gone(export):
        raise ApiError(errors.EXPORT_NOT_FOUND)
    if export.is_overdue(timestamp()):
        return exports.expire(export) or known_export(export_id, caller, services)
    return export


async def path_table(table_id: str, request: Request) -> NamedTable:
    """Return the table of the path, on which the route's function is run; looks nothing up itself."""
    caller, services = request.state.caller, request.app.state.services
    named: NamedTable = services.named_table(caller.company_id, table_id, caller.user_id)
    return named


# As the route's function has it: `_answering` calls the function by `NamedTable.do`.
PathTable = Annotated[Table, Depends(path_table)]
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
        table = services.named_table(caller.company_id, ids["table_id"])
        if request.scope["route"].path.endswith("/history") and "row_id" in ids:  # of a deleted row, too
            table.do(row_history.read_changes, ids["row_id"])
        elif "row_id" in ids:
            table.do(single_rows.get, ids["row_id"], single_rows.RowQuery())
        else:
            table.read()


def _beside(*words: str) -> str:
    """Return the pattern of an id in a place of the path where other routes have these words."""
    return rf"(?!(?:{'|'.join(map(re.escape, words))})(?:/|$))[^/]+"


class _TableId(StringConvertor):
    regex = _beside(
        "provision", "status", "connection", "upload", "upload-jobs", "exports", "docs", "openapi.json", "mcp"
    )


class _RowId(StringConvertor):
    regex = _beside("query", "delete")


class _JobId(StringConvertor):
    regex = _beside("active")


register_url_convertor("table", _TableId())
register_url_convertor("row", _RowId())
register_url_convertor("job", _JobId())

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

# Of what was sent, or of writing to an inactive table; every other error comes as it is.
_REFUSALS = frozenset({400, 413, 422})


class ApiRoute(APIRoute):
    """A route whose function returns a response, or content that is answered as exact JSON (None: 204)."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, _answering(endpoint, options.get("status_code") or 200), **options)
        self.errors: tuple[ApiErrorKind, ...] = getattr(endpoint, "errors", ())

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return FastAPI's handler of the route, with refusals in the contract's order."""
        handle = super().get_route_handler()

        async def handle_in_order(request: Request) -> Response:
            async with AsyncExitStack() as request.state.held:
                try:
                    return await handle(request)
                except RequestValidationError as error:
                    findings = [{**finding, "loc": finding["loc"][1:]} for finding in error.errors()]
                    refusal = refusal_of("query", findings)
                except ApiError as error:
                    refusal = error
                    if refusal.kind.status not in _REFUSALS:
                        raise
                await run_in_threadpool(require_known, request, self.calls)
                raise refusal

        return handle_in_order

    @cached_property
    def calls(self) -> frozenset[Callable[..., Any] | None]:
        """The dependencies of the route, and theirs."""
        return frozenset(dependency.call for dependency in _dependencies(self.dependant))

    def takes(self, name: str) -> bool:
        """Return whether the query has such a parameter; `filter[a][gte]` is one of the deep `filter`."""
        plain, deep = self._parameters
        return name in plain or ("[" in name and name.partition("[")[0] in deep)

    @cached_property
    def _parameters(self) -> tuple[frozenset[str], frozenset[str]]:
        takers = (self.dependant, *_dependencies(self.dependant))
        fields: dict[str, FieldInfo] = {}
        for taken in (taken for taker in takers for taken in taker.query_params):
            model = taken.field_info.annotation
            if isinstance(model, type) and issubclass(model, BaseModel):
                fields |= {field.alias or name: field for name, field in model.model_fields.items()}
            else:
                fields[taken.alias] = taken.field_info
        extras = {name: field.json_schema_extra for name, field in fields.items()}
        deep = {name for name, extra in extras.items() if isinstance(extra, dict) and "style" in extra}
        return frozenset(fields.keys() - deep), frozenset(deep)


def _answering(endpoint: Endpoint, status_code: int) -> Endpoint:
    """Return the function with its content, or its error, made into an answer where it has its thread.

    One of a table's rows does its work on the table, once more where the definition was stale. A query that
    takes too long is the request's fault where the route says that it raises QUERY_TOO_HEAVY.
    """
    if inspect.iscoroutinefunction(endpoint):  # which has none, and returns a response
        return endpoint
    takes_long = errors.QUERY_TOO_HEAVY in getattr(endpoint, "errors", ())

    @wraps(endpoint)
    def answer(**arguments: Any) -> Response:
        work: Callable[..., Any] = endpoint
        table = arguments.get("table")
        if isinstance(table, NamedTable):
            del arguments["table"]
            work = partial(table.do, endpoint)
        try:
            return as_answer(work(**arguments), status_code)
        except ApiError as error:
            if "row_id" in arguments:  # in the path: the row comes before what is wrong with a request for it
                raise
            if takes_long and error.kind is errors.DATABASE_TIMEOUT:
                return error_answer(ApiError(errors.QUERY_TOO_HEAVY))
            return error_answer(error)

    return answer  # type: ignore[return-value]


def _dependencies(dependant: Dependant) -> Iterator[Dependant]:
    for dependency in dependant.dependencies:
        yield dependency
        yield from _dependencies(dependency)


def api_router(prefix: str, tag: str, dependencies: Sequence[Any] = ()) -> APIRouter:
    """Return a router of such routes, under `API_PREFIX`; the dependencies are those of each."""
    return APIRouter(
        prefix=f"{API_PREFIX}{prefix}",
        tags=[tag],
        dependencies=list(dependencies),
        route_class=ApiRoute,
        generate_unique_id_function=lambda route: route.name,
    )


def raises(*kinds: ApiErrorKind) -> Callable[[Endpoint], Endpoint]:
    """Declare a route's own errors for the OpenAPI document, which knows those of ids, bodies and queries."""

    def declare(endpoint: Endpoint) -> Endpoint:
        endpoint.errors = kinds  # type: ignore[attr-defined]
        return endpoint

    return declare
