"""Read the bodies of requests: bounded, with exact numbers, as the model that a route asks for.

    def create_table(body: Annotated[NewTable, from_json(NewTable)], …) -> Any:

The body is received before the request has a thread (`receive_body`), and parsed once it has one.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from typing import Any

from fastapi import Depends
from pydantic import BaseModel, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from managed_tables import exact_json
from managed_tables.details import DetailCode, Fault, detail
from managed_tables.documents.document import built
from managed_tables.errors import INVALID_REQUEST, REQUEST_TOO_LARGE, REQUEST_TOO_SLOW, ApiError
from managed_tables.settings import MIB
from managed_tables_api.http.validation import refusal_of

BODY_PAUSE_MAX_SECONDS = 20.0  # between two pieces of a body; API Gateway hands a body over whole
PARSED_AT_ONCE_BYTES = (
    64 * 1_024
)  # in less than a millisecond; a longer body would keep other requests waiting

_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


async def receive_body(request: Request, limit_bytes: int) -> None:
    """Receive the body and keep it for `received`, nothing beyond the limit; raises REQUEST_TOO_SLOW."""
    chunks: list[bytes] = []
    total_bytes = 0
    async for chunk in stream_body(request):
        total_bytes += len(chunk)
        if total_bytes > limit_bytes:
            request.state.body = None
            return
        chunks.append(chunk)
    request.state.body = b"".join(chunks)


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


def received(request: Request) -> bytes:
    """Return the body that `receive_body` has kept; raises REQUEST_TOO_LARGE."""
    body: bytes | None = request.state.body
    if body is None:
        raise ApiError(
            REQUEST_TOO_LARGE, limit_mb=request.app.state.services.settings.request_max_bytes // MIB
        )
    return body


def is_multipart(request: Request) -> bool:
    """Return whether the body is declared as multipart/form-data."""
    media_type = request.headers.get("content-type", "").partition(";")[0]
    return media_type.strip().lower() == "multipart/form-data"


class JsonBody:
    """The dependency that gives a route its JSON body: as a model, or as the object that it is.

    Raises REQUEST_TOO_LARGE and INVALID_REQUEST, `details` naming each wrong field. No type is taken for
    another one: `1` is no boolean, `"1"` no number. Where the body may be left out, it is None.
    """

    form_schema: Mapping[str, Any] | None = None  # of the multipart form that the route takes instead

    def __init__(
        self,
        model: type[BaseModel],
        *,
        is_object: bool = False,
        is_optional: bool = False,
        holds_values: bool = False,
    ) -> None:
        self.model = model
        self.is_optional = is_optional
        self._is_object = is_object
        self._holds_values = holds_values

    async def __call__(self, request: Request) -> Any:
        """Return the body."""
        if is_multipart(request):
            raise _not_json("o corpo deve ser JSON")
        raw = received(request)
        if self.is_optional and not raw:
            return None
        if len(raw) <= PARSED_AT_ONCE_BYTES:
            return self.parse(raw, request)
        return await run_in_threadpool(self.parse, raw, request)

    def parse(self, raw: bytes, request: Request) -> Any:  # noqa: ARG002 - what a kind of body may need
        """Return the body of these bytes."""
        value = json_object(raw)
        return value if self._is_object else self.validate(raw, value)

    def validate(self, raw: bytes, value: exact_json.Object) -> BaseModel:
        """Return the object as the model."""
        # An escape can write half a character, which no text of the database holds.
        if not self._holds_values and b"\\ud" in raw.lower():
            written = json.dumps(value, ensure_ascii=False, default=str)
            if _HALF_CHARACTER.search(written):
                fault = Fault(DetailCode.INVALID_CHARACTER, "contém um caractere inválido")
                raise ApiError(INVALID_REQUEST, [detail("body", fault)])
        try:
            return built(self.model).model_validate(value, strict=True)
        except ValidationError as error:
            raise refusal_of("body", error.errors(include_url=False)) from error


def from_json(model: type[BaseModel], *, is_optional: bool = False, holds_values: bool = False) -> Any:
    """Declare the argument that takes a route's JSON body as this model.

    One that `holds_values` of columns leaves them to whoever knows the columns, and names the wrong ones.
    """
    return Depends(JsonBody(model, is_optional=is_optional, holds_values=holds_values))


def json_object_of(model: type[BaseModel], *, is_optional: bool = False) -> Any:
    """Declare the argument that takes a route's JSON body as an object, which the model only describes.

    A row is judged by its table's columns, a bulk change row by row.
    """
    return Depends(JsonBody(model, is_object=True, is_optional=is_optional))


def json_object(raw: bytes) -> exact_json.Object:
    """Return a JSON body with exact numbers, which must be an object; raises INVALID_REQUEST."""
    try:
        value = exact_json.loads(raw)
    except exact_json.InvalidJson as error:
        raise _not_json(str(error)) from error
    if not isinstance(value, dict):
        fault = Fault(DetailCode.NOT_AN_OBJECT, "o corpo deve ser um objeto JSON")
        raise ApiError(INVALID_REQUEST, [detail("body", fault)], reason=fault.reason)
    return value


def _not_json(reason: str) -> ApiError:
    fault = Fault(DetailCode.NOT_JSON, reason)
    return ApiError(INVALID_REQUEST, [detail("body", fault)], reason=reason)
