"""The OpenAPI document: committed as it is generated, whole, and readable without a network."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from managed_tables.settings import Settings
from managed_tables_api.app import create_app
from managed_tables_api.openapi import build_document, operations
from managed_tables_api.services import ApiServices

COMMITTED = Path(__file__).parents[3] / "docs" / "openapi.json"
VOID_TAGS = {"meta", "br"}


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return create_app(ApiServices(Settings(table_name="t", bucket_name="b")))


@pytest.fixture(scope="module")
def document(app: FastAPI) -> dict[str, Any]:
    return build_document(app)


def test_the_committed_document_is_the_generated_one(document: dict[str, Any]) -> None:
    """Where this fails: make openapi."""
    assert json.loads(COMMITTED.read_text()) == json.loads(json.dumps(document))


def test_every_operation_has_its_own_id_a_permission_and_the_errors_of_all(document: dict[str, Any]) -> None:
    found = list(operations(document))
    assert len({operation["operationId"] for _, _, operation in found}) == len(found)
    for _, _, operation in found:
        assert operation["x-permission"] in operation["description"]
        assert operation["security"] == [{"bearerAuth": []}]
        assert {"401", "403", "500", "503"} <= set(operation["responses"])


def test_every_reference_leads_to_a_schema(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    names = set(re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', text))
    assert names <= set(document["components"]["schemas"])
    assert "$defs" not in text
    assert "HTTPValidationError" not in text


def test_every_error_answers_the_one_shape(document: dict[str, Any]) -> None:
    for _, _, operation in operations(document):
        for status, response in operation["responses"].items():
            if status[0] in "45":
                schema = response["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/ErrorBody"}


def test_the_document_is_served_without_a_token(app: FastAPI, document: dict[str, Any]) -> None:
    response = TestClient(app).get("/v1/managed-tables/openapi.json")
    assert response.json() == json.loads(json.dumps(document))


class Tags(HTMLParser):
    """Collects what a page would load, and the tags that stand open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID_TAGS:
            self.open.append(tag)
        self.loads += [str(value) for name, value in attrs if name == "src"]
        if tag in ("script", "link", "iframe"):
            self.loads.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_shows_every_operation_and_loads_nothing(app: FastAPI, document: dict[str, Any]) -> None:
    response = TestClient(app).get("/v1/managed-tables/docs")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    tags = Tags()
    tags.feed(response.text)
    assert tags.open == []
    assert tags.loads == []
    for path, method, _ in operations(document):
        assert f"{method.upper()}</span><code>{path}</code>" in response.text
