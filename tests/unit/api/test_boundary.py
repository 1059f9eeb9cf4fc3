"""One error shape, the order of checks, and no error responses of the framework's own."""

import json
from typing import Any

import pytest
from api_probe import bearer
from httpx import Response
from starlette.testclient import TestClient

TABLE = "/probe/5f0000000000000000000009"
ALL = "managed-tables:*"


def assert_error(response: Response, status: int, code: str) -> dict[str, Any]:
    """Assert that a response has the error shape, and return its body."""
    body: dict[str, Any] = json.loads(response.content)
    assert (response.status_code, body["code"]) == (status, code), body
    assert response.headers["content-type"] == "application/json"
    assert body["error"]
    assert set(body) <= {"error", "code", "details", "details_total", "request_id"}
    return body


def test_an_unexpected_exception_is_500_with_a_request_id_and_no_internals(client: TestClient) -> None:
    response = client.get("/probe/fault", headers=bearer(ALL))
    body = assert_error(response, 500, "INTERNAL_ERROR")
    assert body["request_id"] == response.headers["x-request-id"]
    assert body["request_id"] in body["error"]
    assert "hunter2" not in response.text


def test_a_refused_preflight_has_our_shape(client: TestClient) -> None:
    headers = {"Origin": "https://console.example", "Access-Control-Request-Method": "BREW"}
    assert_error(client.options(TABLE, headers=headers), 400, "ORIGIN_NOT_ALLOWED")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe{}",
        b"[]",
        b"null",
        b'{"name": NaN}',
        b'{"name": Infinity}',
        b'{"name": "a", "name": "b"}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"name": "\\ud800"}',
        b'{"name": "a", "count": 1e999999999999999999999}',
        b'{"name": "a", "count": 0}',
        b'{"name": "a", "count": 1.5}',
        b'{"name": "a", "count": true}',
        b'{"count": 1}',
        b'{"name": 1}',
    ],
)
def test_a_body_that_breaks_the_schema_is_422(client: TestClient, content: bytes) -> None:
    assert_error(client.post(TABLE, headers=bearer(ALL), content=content), 422, "INVALID_REQUEST")


def test_invalid_fields_are_reported_in_portuguese(client: TestClient) -> None:
    response = client.post(TABLE, headers=bearer(ALL), content=b'{"count": 0}')
    assert assert_error(response, 422, "INVALID_REQUEST")["details"] == [
        {"in": "body", "path": "name", "code": "REQUIRED", "reason": "obrigatório"},
        {"in": "body", "path": "count", "value": 0, "code": "TOO_SMALL", "reason": "deve ser no mínimo 1"},
    ]


def test_a_body_over_the_limit_is_413(client: TestClient) -> None:
    response = client.post(TABLE, headers=bearer(ALL), content=b"x" * 3_000_000)
    assert "2 MB" in assert_error(response, 413, "REQUEST_TOO_LARGE")["error"]


@pytest.mark.parametrize("page", ["0", "-1", "1.0", "x", "", " 1", "1_0", "١", "null"])
def test_a_page_that_is_not_a_positive_integer_is_422(client: TestClient, page: str) -> None:
    response = client.post(TABLE, headers=bearer(ALL), params={"page": page}, content=b'{"name": "a"}')
    assert_error(response, 422, "INVALID_REQUEST")


def test_a_lone_surrogate_is_returned_escaped(client: TestClient) -> None:
    response = client.put("/probe/x", headers=bearer(ALL), content=b'{"a":"\\ud800"}')
    assert response.content == b'{"x":{"a":"\\ud800"}}'
