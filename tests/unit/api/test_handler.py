"""The app behind API Gateway: events in, responses out."""

import json
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest
from api_probe import bearer, probe

from managed_tables.ids import new_record_id
from managed_tables.settings import Settings
from managed_tables_api import handler as module
from managed_tables_api.app import create_app
from managed_tables_api.handler import ApiHandler
from managed_tables_api.services import ApiServices

ALL = "managed-tables:*"
REQUEST_ID = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"


@dataclass(frozen=True)
class Context:
    """The context that Lambda passes with an invocation."""

    aws_request_id: str = "1"
    function_version: str = "1"


@pytest.fixture
def handle(services: ApiServices, monkeypatch: pytest.MonkeyPatch) -> ApiHandler:
    """The handler of an app that also has the probe's routes."""

    def create_probed_app(made: ApiServices) -> Any:
        app = create_app(made)
        app.router.routes.extend(probe.routes)
        return app

    monkeypatch.setattr(module, "create_app", create_probed_app)
    return ApiHandler(services)


def event(method: str, path: str, body: str | None = None, **headers: str) -> dict[str, Any]:
    """Return the event that a REST API sends to Lambda."""
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": {"proxy": path[1:]},
        "requestContext": {"requestId": REQUEST_ID, "stage": "dev", "identity": {"sourceIp": "127.0.0.1"}},
        "body": body,
        "isBase64Encoded": False,
    }


def test_a_response_carries_the_gateways_request_id(handle: ApiHandler) -> None:
    answer = handle(event("PUT", "/probe/x", '{"a": 1.10}', **bearer(ALL)), Context())
    assert (answer["statusCode"], answer["body"]) == (200, '{"x":{"a":1.10}}')
    assert answer["headers"]["x-request-id"] == REQUEST_ID


def test_an_unexpected_exception_is_our_own_500(handle: ApiHandler) -> None:
    answer = handle(event("GET", "/probe/fault", **bearer(ALL)), Context())
    assert (answer["statusCode"], json.loads(answer["body"])["request_id"]) == (500, REQUEST_ID)


def test_a_fault_is_counted_for_its_version_and_a_busy_database_is_none(
    handle: ApiHandler, capsys: pytest.CaptureFixture[str]
) -> None:
    """A gradual deployment is taken back by the first, not by a cluster that wakes."""
    context = Context(function_version="42")
    for path, name in (("fault", "Faults"), ("asleep", "Busy")):
        handle(event("GET", f"/probe/{path}", **bearer(ALL)), context)
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        (counted,) = (line for line in lines if "_aws" in line)
        (directive,) = counted["_aws"]["CloudWatchMetrics"]
        assert directive["Dimensions"] == [["service"], ["service", "version"]]
        assert (counted["service"], counted["version"], counted[name]) == ("api", "42", [1.0])


def test_a_response_too_large_for_lambda_is_422_with_advice(services: ApiServices) -> None:
    services.settings = services.settings.model_copy(update={"sent_max_bytes": 100})
    limited = ApiHandler(services)
    headers = {"Origin": "https://console.example"}
    answer = limited(event("GET", "/v1/managed-tables/openapi.json", **headers), Context())
    body = json.loads(answer["body"])
    assert (answer["statusCode"], body["code"]) == (422, "RESPONSE_TOO_LARGE")
    assert "Peça menos linhas" in body["error"]
    assert answer["headers"]["access-control-allow-origin"] == "*"
    assert answer["headers"]["content-length"] == str(len(answer["body"].encode()))


def test_an_answer_is_measured_as_lambda_sends_it(services: ApiServices) -> None:
    """Lambda counts the answer after escaping: each quote of a page of rows is two bytes there."""
    asked = event("GET", "/v1/managed-tables/openapi.json")
    body = ApiHandler(services)(asked, Context())["body"]
    sent = len(json.dumps(body, ensure_ascii=False).encode()) - 2
    assert sent > 1.05 * len(body.encode())
    for limit, status in ((sent, 200), (sent - 1, 422)):
        services.settings = services.settings.model_copy(update={"sent_max_bytes": limit})
        assert ApiHandler(services)(asked, Context())["statusCode"] == status
    rows = '{"id":"0190a5c4-8d1a-7b9c-9e1f-0a1b2c3d4e5f","produto":"Café","valor":12.5,"cidade":"São Paulo"},'
    page = rows * (services.settings.response_max_bytes // len(rows.encode()))
    assert module.sent_bytes(page) <= Settings(table_name="t", bucket_name="b").sent_max_bytes


@pytest.fixture
def snapshot(monkeypatch: pytest.MonkeyPatch, services: ApiServices) -> Iterator[list[Callable[[], None]]]:
    """The restore hooks that the handler registers when its process starts under SnapStart."""
    hooks: list[Callable[[], None]] = []
    library = ModuleType("snapshot_restore_py")
    library.register_after_restore = hooks.append  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "snapshot_restore_py", library)
    monkeypatch.setenv(module.INITIALIZATION, "snap-start")
    monkeypatch.setattr(module, "load_settings", lambda: services.settings)
    module._handler.cache_clear()
    yield hooks
    module._handler.cache_clear()


def test_a_restored_process_shares_no_state_with_its_snapshot(
    snapshot: list[Callable[[], None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connections, clients, secrets and random state are renewed; the app itself is reused."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    module.initialise()
    built = module._handler()
    copied = built._app.state.services
    copied.__dict__["connection_cache"] = copied.__dict__["dynamodb"] = object()
    state, first_id = random.getstate(), new_record_id()
    (restore,) = snapshot
    restore()
    assert module._handler() is built
    renewed = built._app.state.services
    assert renewed is not copied
    assert not {"connection_cache", "dynamodb", "jwt_secret", "token_verifier"} & set(renewed.__dict__)
    first, second = random.random(), new_record_id()  # noqa: S311 - what is tested
    random.setstate(state)
    assert first != random.random()  # noqa: S311 - the same
    assert second != first_id


def test_without_snapstart_no_hook_is_registered(
    snapshot: list[Callable[[], None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(module.INITIALIZATION, "on-demand")
    module.initialise()
    assert snapshot == []
    assert module._handler.cache_info().currsize == 1, "the app is built before the first event"
