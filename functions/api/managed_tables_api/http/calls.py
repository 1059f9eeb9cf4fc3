"""Give a route what it needs: the caller, the services, and its query and body, parsed on demand.

A route declares its permission and takes one argument besides the ids of its path:

    router = ApiRouter("/v1/managed-tables", ["Tables"])

    @router.get("/{table_id}", document("Get table", answers={200: TableAnswer}, errors=[TABLE_NOT_FOUND]))
    def get_table(table_id: str, call: Annotated[Call, requires(Permission.LIST)]) -> Response:
        table = call.services.tables.get(call.company_id, table_id)
        return JsonAnswer(table)

The token and the permission are checked before the route runs (401, 403). The route looks up the ids of
its path first (404) and only then calls `call.query(Model)` or `call.body(Model)` / `call.json_object()`
(413, 422): that is the contract's order of checks. `managed_tables_api.app.ROUTERS` lists the routers.

Routes are plain functions that block (psycopg, boto3) and run in the thread pool, except those that read
a form.
"""

import asyncio
import inspect
import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from managed_tables import exact_json
from managed_tables.databases.time_left import answered_within
from managed_tables.details import DetailCode, Fault, Place, detail, shown_text
from managed_tables.errors import (
    INVALID_REQUEST,
    REQUEST_TOO_LARGE,
    REQUEST_TOO_SLOW,
    UNAUTHENTICATED,
    ApiError,
)
from managed_tables.settings import MIB
from managed_tables_api.auth.permissions import Permission
from managed_tables_api.auth.tokens import Caller
from managed_tables_api.http.parameters import refuse_parameters, unknown_parameters
from managed_tables_api.http.validation import built, details_of
from managed_tables_api.openapi.describing import Documentation
from managed_tables_api.services import ApiServices

Model = TypeVar("Model", bound=BaseModel)

ANSWER_SECONDS = 26.0  # API Gateway hangs up after 29 s, of which a process may take two to begin
BODY_PAUSE_MAX_SECONDS = 20.0  # between two pieces of a body; API Gateway hands a body over whole

_HALF_CHARACTER = re.compile("[\ud800-\udfff]")
_METHODS_WITH_BODY = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass(frozen=True)
class Call:
    """One authenticated, permitted request."""

    request: Request
    services: ApiServices
    caller: Caller
    raw_body: bytes | None  # None: longer than `request_max_bytes`, or a multipart body not read yet

    @property
    def company_id(self) -> str:
        """The caller's company: every lookup is inside it."""
        return self.caller.company_id

    def slot(self) -> AbstractAsyncContextManager[None]:
        """Hold one of the company's threads; a route has one already, but where it reads a form itself."""
        return self.services.slots.slot(self.company_id)

    def query(self, model: type[Model]) -> Model:
        """Return the query's parameters (the last one where one is repeated); raises INVALID_REQUEST."""
        for name, text in self.request.query_params.multi_items():
            if "\x00" in name + text:
                place = shown_text(name)
                fault = Fault(DetailCode.INVALID_CHARACTER, "não pode conter o caractere NUL")
                found = detail("query", fault, path=place)
                raise ApiError(INVALID_REQUEST, [found], reason=f"{place}: {fault.reason}")
        parameters = dict(self.request.query_params)
        return validate("query", lambda: built(model).model_validate(parameters))

    def json(self) -> Any:
        """Return the JSON body with exact numbers; raises REQUEST_TOO_LARGE and INVALID_REQUEST."""
        if is_multipart(self.request):
            raise _not_json("o corpo deve ser JSON")
        if self.raw_body is None:
            raise ApiError(REQUEST_TOO_LARGE, limit_mb=self.services.settings.request_max_bytes // MIB)
        try:
            return exact_json.loads(self.raw_body)
        except exact_json.InvalidJson as error:
            raise _not_json(str(error)) from error

    def json_object(self) -> dict[str, Any]:
        """Return the JSON body, which must be an object; raises what `json` does."""
        value = self.json()
        if not isinstance(value, dict):
            fault = Fault(DetailCode.NOT_AN_OBJECT, "o corpo deve ser um objeto JSON")
            raise ApiError(INVALID_REQUEST, [detail("body", fault)], reason=fault.reason)
        return value

    def body(self, model: type[Model], read: dict[str, Any] | None = None) -> Model:
        """Return the JSON body as a model; raises what `json` does, `details` naming each wrong field.

        No type is taken for another one: `1` is no boolean, `"1"` no number. `read` is the body as
        `json_object` gave it, or with some of it replaced.
        """
        value = self.json_object() if read is None else read
        if b"\\ud" in (self.raw_body or b"").lower() and not _can_be_stored(value):
            fault = Fault(DetailCode.INVALID_CHARACTER, "contém um caractere inválido")
            raise ApiError(INVALID_REQUEST, [detail("body", fault)], reason=f"corpo: {fault.reason}")
        return validate("body", lambda: built(model).model_validate(value, strict=True))


def _can_be_stored(value: Any) -> bool:
    """Return whether no text of a JSON value has half a character, which an escape can write."""
    return _HALF_CHARACTER.search(json.dumps(value, ensure_ascii=False, default=str)) is None


def _not_json(reason: str) -> ApiError:
    fault = Fault(DetailCode.NOT_JSON, reason)
    return ApiError(INVALID_REQUEST, [detail("body", fault)], reason=reason)


def validate(place: Place, make: Callable[[], Model]) -> Model:
    """Return the model made of untrusted values; raises INVALID_REQUEST, `details` naming each fault."""
    try:
        return make()
    except ValidationError as error:
        details = details_of(error, place)
        reason = f"{details[0]['path'] or 'corpo'}: {details[0]['reason']}"
        raise ApiError(INVALID_REQUEST, details, error.error_count(), reason=reason) from error


def is_multipart(request: Request) -> bool:
    """Return whether the body is declared as multipart/form-data."""
    media_type = request.headers.get("content-type", "").partition(";")[0]
    return media_type.strip().lower() == "multipart/form-data"


@dataclass(frozen=True)
class RequiresPermission:
    """The annotation of a route's argument `call`: the permission that its caller needs."""

    permission: Permission


def requires(permission: Permission) -> Any:
    """Declare the permission that a route's caller needs."""
    return RequiresPermission(permission)


def permission_of(endpoint: Callable[..., Any]) -> Permission | None:
    """Return the permission that a route's function requires, None if it takes no call."""
    for name, annotation in inspect.get_annotations(endpoint).items():
        for one in getattr(annotation, "__metadata__", ()):
            if name == "call" and isinstance(one, RequiresPermission):
                return one.permission
    return None


async def answer_call(
    request: Request,
    permission: Permission,
    endpoint: Callable[..., Any],
    documentation: Documentation | None,
) -> Response:
    """Run a route's function, once token (401) and permission (403) are valid and it has a slot (429).

    The slot is taken after the body, which may be slow to arrive, and given back before the answer is sent,
    which may be slow to be taken; a form is read by its route.
    """
    services: ApiServices = request.app.state.services
    caller = await _authenticate(request, services)
    caller.require(permission)
    slots = services.slots
    with slots.request(caller.company_id):
        unknown = unknown_parameters(request, documentation)
        if unknown:
            async with slots.slot(caller.company_id):
                await run_in_threadpool(refuse_parameters, services, caller.company_id, request, unknown)
        body: bytes | None = b""
        if request.method in _METHODS_WITH_BODY:
            if is_multipart(request):
                return await _run(endpoint, request, Call(request, services, caller, None))
            body = await _read_bounded(request, services.settings.request_max_bytes)
        async with slots.slot(caller.company_id):
            return await _run(endpoint, request, Call(request, services, caller, body))


async def _run(endpoint: Callable[..., Any], request: Request, call: Call) -> Response:
    work = partial(endpoint, **request.path_params, call=call)
    answer: Response
    if inspect.iscoroutinefunction(endpoint):
        answer = await work()
    else:
        with answered_within(ANSWER_SECONDS):
            answer = await run_in_threadpool(work)
    return answer


async def _authenticate(request: Request, services: ApiServices) -> Caller:
    headers = request.headers.getlist("authorization")
    if len(headers) != 1:
        raise ApiError(UNAUTHENTICATED)
    if services.keys_are_remote:
        return await run_in_threadpool(lambda: services.token_verifier.verify(headers[0]))
    return services.token_verifier.verify(headers[0])


async def _read_bounded(request: Request, limit_bytes: int) -> bytes | None:
    """Return the body, None as soon as it is longer than the limit."""
    chunks: list[bytes] = []
    total_bytes = 0
    async for chunk in stream_body(request):
        total_bytes += len(chunk)
        if total_bytes > limit_bytes:
            return None
        chunks.append(chunk)
    return b"".join(chunks)


async def stream_body(request: Request) -> AsyncIterator[bytes]:
    """Yield the body as it arrives; raises REQUEST_TOO_SLOW when nothing comes for a while."""
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(BODY_PAUSE_MAX_SECONDS):
                chunk = await anext(stream, None)
        except TimeoutError as error:
            raise ApiError(REQUEST_TOO_SLOW) from error
        if chunk is None:
            return
        yield chunk
