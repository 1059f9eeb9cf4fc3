"""Run the app in Lambda: API Gateway's event in, its answer out.

The app is built while Lambda initialises a process; clients and secrets are made by the first request that
needs them. Under SnapStart many processes start as copies of one; each makes what it may not share.
"""

import json
import os
import random
from functools import cache
from http import HTTPStatus
from typing import Any

from mangum import Mangum
from mangum.adapter import DEFAULT_TEXT_MIME_TYPES
from mangum.types import LambdaContext, LambdaEvent

from managed_tables import errors
from managed_tables.aws.metrics import count_answer
from managed_tables.settings import load_settings
from managed_tables_api.app import create_app
from managed_tables_api.http.answers import error_answer, response_too_large
from managed_tables_api.http.requests import YAML
from managed_tables_api.services import ApiServices

# A cluster that wakes or has no connection left, and a slow query: no fault of the version that says so.
BUSY = frozenset(
    kind.code
    for kind in (
        errors.CONNECTIONS_TAKEN,
        errors.DATABASE_TIMEOUT,
        errors.DATABASE_UNAVAILABLE,
        errors.OUTCOME_UNKNOWN,
    )
)
INITIALIZATION = "AWS_LAMBDA_INITIALIZATION_TYPE"  # Lambda's own: on-demand, snap-start, …


class ApiHandler:
    """The Lambda handler of one process."""

    def __init__(self, services: ApiServices) -> None:
        self._settings = services.settings
        self._app = create_app(services)
        # Any other type would leave as base64, which the gateway decodes for those it has as binary alone.
        texts = [*DEFAULT_TEXT_MIME_TYPES, YAML]
        self._adapter = Mangum(self._app, lifespan="off", text_mime_types=texts)

    def __call__(self, event: LambdaEvent, context: LambdaContext) -> dict[str, Any]:
        """Answer one event."""
        answer = self._adapter(event, context)
        if answer["statusCode"] >= HTTPStatus.INTERNAL_SERVER_ERROR:
            busy = json.loads(answer["body"]).get("code") in BUSY
            count_answer("Busy" if busy else "Faults", getattr(context, "function_version", "local"))
        if sent_bytes(answer["body"]) <= self._settings.sent_max_bytes:
            return answer
        # Lambda itself would only drop the answer.
        error = response_too_large(self._settings.response_max_bytes)
        body = bytes(error_answer(error).body)
        headers = {**answer["headers"], "content-length": str(len(body))}
        return {**answer, "statusCode": error.kind.status, "headers": headers, "body": body.decode()}

    def begin_anew(self, services: ApiServices) -> None:
        """Forget connections, clients, secrets and random state, which are those of the process copied."""
        self._app.state.services = services
        random.seed()


def sent_bytes(body: str) -> int:
    """Return how many bytes Lambda counts of a body, which it sends as a text inside JSON."""
    return len(body.encode()) + sum(map(body.count, '"\\\n'))


@cache
def _handler() -> ApiHandler:
    return ApiHandler(ApiServices(load_settings()))


def handler(event: LambdaEvent, context: LambdaContext) -> dict[str, Any]:
    """Answer one event of API Gateway."""
    return _handler()(event, context)


def initialise() -> None:
    """Build the app before the first event, and under SnapStart arrange for what follows a restore."""
    built = _handler()
    if os.environ[INITIALIZATION] != "snap-start":
        return
    from snapshot_restore_py import register_after_restore

    services = ApiServices(load_settings())
    # Clients are made for what importing and building them leaves in memory; none connects by being made.
    for name in ("dynamodb", "s3", "stepfunctions", "secretsmanager", "eventbridge", "lambda_client"):
        getattr(services, name)
    register_after_restore(lambda: built.begin_anew(ApiServices(load_settings())))


if INITIALIZATION in os.environ:
    initialise()
