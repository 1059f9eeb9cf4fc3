"""Owns the bodies that go out: JSON with exact numbers, and the one shape of every error."""

from typing import Any

from starlette.responses import Response

from managed_tables import exact_json
from managed_tables.details import described
from managed_tables.errors import ApiError, ApiErrorKind


class JsonAnswer(Response):
    """A JSON body; numbers are written digit for digit."""

    media_type = "application/json"

    def __init__(self, content: Any, status_code: int = 200, headers: dict[str, str] | None = None) -> None:
        super().__init__(content, status_code, headers)

    def render(self, content: Any) -> bytes:
        """Return the body's bytes."""
        return exact_json.dumps(content)


def no_content() -> Response:
    """Return 204."""
    return Response(status_code=204)


def error_body(error: ApiError) -> dict[str, Any]:
    """Return `{"error", "code"}`, and `details` where there are any."""
    body: dict[str, Any] = {"error": error.sentence, "code": error.kind.code}
    return {**body, **described(error.details, error.details_total)} if error.details else body


def error_answer(error: ApiError, headers: dict[str, str] | None = None) -> JsonAnswer:
    """Return an error's status and body."""
    if error.kind.status == 401:
        headers = {"WWW-Authenticate": "Bearer", **(headers or {})}
    return JsonAnswer(error_body(error), error.kind.status, headers)


def kind_of_status(status: int, kind: ApiErrorKind) -> ApiErrorKind:
    """Return the kind with another status: for what the framework refuses by itself."""
    return ApiErrorKind(status, kind.code, kind.sentence)
