"""Make the bodies that go out: JSON with exact numbers, and the one shape of every error."""

import hashlib
from collections.abc import Iterable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from managed_tables import exact_json
from managed_tables.details import described
from managed_tables.errors import RESPONSE_TOO_LARGE, ApiError, ApiErrorKind
from managed_tables.settings import MIB

# A company's other requests are done in a second; a database that wakes takes longer.
RETRY_AFTER_SECONDS = {429: 1, 503: 5}


class JsonAnswer(Response):
    """A JSON body; numbers are written digit for digit."""

    media_type = "application/json"

    def __init__(self, content: Any, status_code: int = 200, headers: dict[str, str] | None = None) -> None:
        super().__init__(content, status_code, headers)

    def render(self, content: Any) -> bytes:
        """Return the body's bytes."""
        return exact_json.dumps(content)


def list_answer(total: int, records: Iterable[Any], limit_bytes: int) -> Response:
    """Return `{"total", "quantity", "records"}`, the records made one by one.

    Raises RESPONSE_TOO_LARGE as soon as they are more than an answer may have, before the rest is made.
    """
    texts: list[bytes] = []
    size_bytes = 0
    for record in records:
        texts.append(exact_json.dumps(record))
        size_bytes += len(texts[-1])
        if size_bytes > limit_bytes:
            raise ApiError(RESPONSE_TOO_LARGE, limit_mb=f"{limit_bytes / MIB:.1f}".replace(".", ","))
    body = b'{"total":%d,"quantity":%d,"records":[%b]}' % (total, len(texts), b",".join(texts))
    return Response(body, media_type=JsonAnswer.media_type)


def no_content() -> Response:
    """Return 204."""
    return Response(status_code=204)


def error_body(error: ApiError) -> dict[str, Any]:
    """Return `{"error", "code"}`, `details` where there are any, `row` where it has changed."""
    body: dict[str, Any] = {"error": error.sentence, "code": error.kind.code}
    if error.rows:
        body["row"] = error.rows[0]
    return {**body, **described(error.details, error.details_total)} if error.details else body


def error_answer(error: ApiError, headers: dict[str, str] | None = None) -> JsonAnswer:
    """Return an error's status and body."""
    status = error.kind.status
    headers = dict(headers or {})
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status in RETRY_AFTER_SECONDS:
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS[status])
    return JsonAnswer(error_body(error), status, headers)


def entity_answer(request: Request, content: Any, version: int | None = None) -> Response:
    """Return the content as JSON with its ETag, or 304 where `If-None-Match` names it."""
    return entity_bytes(request, exact_json.dumps(content), version)


def entity_bytes(request: Request, body: bytes, version: int | None = None) -> Response:
    """Return the JSON text with its ETag, or 304 where `If-None-Match` names it.

    The tag changes with the body; that of a table begins with its version, which `If-Match` compares.
    """
    digest = hashlib.sha256(body).hexdigest()[:32]
    tag = f'"{digest}"' if version is None else f'"v{version}-{digest}"'
    if _names(request.headers.getlist("if-none-match"), tag):
        return Response(status_code=304, headers={"ETag": tag})
    return Response(body, media_type=JsonAnswer.media_type, headers={"ETag": tag})


def _names(given: list[str], tag: str) -> bool:
    """Return whether the values of `If-None-Match` name the tag, weakly compared."""
    tags = [one.strip().removeprefix("W/") for value in given for one in value.split(",")]
    return tag in tags or "*" in tags


def kind_of_status(status: int, kind: ApiErrorKind) -> ApiErrorKind:
    """Return the kind with another status: for what the framework refuses."""
    return ApiErrorKind(status, kind.code, kind.sentence)
