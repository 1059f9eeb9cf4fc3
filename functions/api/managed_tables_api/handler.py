"""Owns the app as Lambda runs it: API Gateway's event in, its answer out.

The app is built once a process, by its first event; clients and secrets are made by the first request
that needs them.
"""

from functools import cache
from typing import Any

from mangum import Mangum

from managed_tables.errors import RESPONSE_TOO_LARGE, ApiError
from managed_tables.settings import MIB, load_settings
from managed_tables_api.app import create_app
from managed_tables_api.http.answers import error_answer
from managed_tables_api.services import ApiServices


class ApiHandler:
    """The Lambda handler of one process."""

    def __init__(self, services: ApiServices) -> None:
        self._limit_bytes = services.settings.response_max_bytes
        self._adapter = Mangum(create_app(services), lifespan="off")

    def __call__(self, event: dict[str, Any], context: Any) -> dict[str, Any]:
        """Answer one event."""
        answer = self._adapter(event, context)
        size_bytes = len(answer["body"].encode())
        return answer if size_bytes <= self._limit_bytes else self._too_large(answer)

    def _too_large(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Say what to do: Lambda itself would only drop the answer."""
        error = ApiError(RESPONSE_TOO_LARGE, limit_mb=f"{self._limit_bytes / MIB:.1f}".replace(".", ","))
        body = bytes(error_answer(error).body)
        headers = {**answer["headers"], "content-length": str(len(body))}
        return {**answer, "statusCode": error.kind.status, "headers": headers, "body": body.decode()}


@cache
def _handler() -> ApiHandler:
    return ApiHandler(ApiServices(load_settings()))


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one event of API Gateway."""
    return _handler()(event, context)
