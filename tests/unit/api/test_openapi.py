"""The OpenAPI document: up to date, complete, and readable without another's server."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from managed_tables.details import DetailCode
from managed_tables.messages.findings import WARNING_CODES, ReasonCode
from managed_tables.settings import Settings
from managed_tables_api.app import create_app
from managed_tables_api.handler import sent_bytes
from managed_tables_api.openapi import build_document
from managed_tables_api.services import ApiServices

COMMITTED = Path(__file__).parents[3] / "docs" / "openapi.json"
_UPLOADS = "/v1/managed-tables"


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return create_app(ApiServices(Settings(table_name="t", bucket_name="b")))


@pytest.fixture(scope="module")
def document(app: FastAPI) -> dict[str, Any]:
    return build_document(app)


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield path, method and operation of everything in the document."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_the_committed_document_is_up_to_date(document: dict[str, Any]) -> None:
    """If this fails, run `make openapi`."""
    assert json.loads(COMMITTED.read_text()) == json.loads(json.dumps(document))


def test_every_operation_has_a_unique_id_a_permission_and_the_common_errors(document: dict[str, Any]) -> None:
    found = list(operations(document))
    assert len({operation["operationId"] for _, _, operation in found}) == len(found)
    for _, _, operation in found:
        assert operation["x-permission"] in operation["description"]
        assert operation["security"] == [{"bearerAuth": []}]
        assert {"401", "403", "500", "503"} <= set(operation["responses"])


DATA = {"records", "sample_rows", "rows"}  # objects whose keys are a company's own columns
TYPED = {"type", "$ref", "anyOf", "allOf", "oneOf", "enum", "const"}


def untyped(schema: Any, place: str, *, is_data: bool = False) -> Iterator[str]:
    """Yield the places where a schema leaves the type open."""
    if not TYPED & schema.keys():
        yield place
    if schema.get("type") == "object" and not is_data:
        more = schema.get("additionalProperties")
        if more is True or not (schema.get("properties") or isinstance(more, dict) or more is False):
            yield f"{place}: any object"
    if schema.get("type") == "array" and "items" not in schema:
        yield f"{place}: any array"
    for name, one in schema.get("properties", {}).items():
        yield from untyped(one, f"{place}.{name}", is_data=name in DATA)
    for key in ("items", "additionalProperties"):
        if isinstance(schema.get(key), dict):
            yield from untyped(schema[key], f"{place}[]", is_data=is_data)
    for key in ("anyOf", "allOf", "oneOf"):
        for one in schema.get(key, ()):
            yield from untyped(one, f"{place}|", is_data=is_data)


def test_no_operation_takes_two_kinds_of_bodies(document: dict[str, Any]) -> None:
    """Common generators of clients make one method of both, which sends neither: a form has its own path."""
    bodies = {
        (path, *operation["requestBody"]["content"])
        for path, _, operation in operations(document)
        if "requestBody" in operation
    }
    forms = {f"{_UPLOADS}/upload/form", f"{_UPLOADS}/{{table_id}}/upload/form"}
    assert {path for path, *kinds in bodies if kinds == ["multipart/form-data"]} == forms
    assert all(kinds == ["application/json"] for path, *kinds in bodies if path not in forms)


def test_every_schema_is_fully_typed(document: dict[str, Any]) -> None:
    """Only rows of a company's own columns may be arbitrary objects."""
    schemas = document["components"]["schemas"]
    found = [fault for name in sorted(schemas) for fault in untyped(schemas[name], name)]
    for path, method, operation in operations(document):
        for one in operation.get("parameters", ()):
            found += untyped(one["schema"], f"{method} {path}?{one['name']}")
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for body in bodies:
            for media in body.get("content", {}).values():
                found += untyped(media["schema"], f"{method} {path}", is_data="/data" in path)
    assert found == []


def schemas_in(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every schema of the document, examples excluded."""
    if isinstance(node, list):
        for one in node:
            yield from schemas_in(one)
    elif isinstance(node, dict):
        if TYPED & node.keys():
            yield node
        for key, one in node.items():
            if key not in {"example", "examples", "enum", "const", "default"}:
                yield from schemas_in(one)


def test_limits_use_the_keywords_of_json_schema(document: dict[str, Any]) -> None:
    """`minimum` and `maximum`, not pydantic's own `ge` and `le`."""
    assert [one for one in schemas_in(document) if {"ge", "gt", "le", "lt"} & one.keys()] == []
    list_rows = document["paths"]["/v1/managed-tables/{table_id}/data"]["get"]
    limits = {
        one["name"]: (one["schema"]["minimum"], one["schema"].get("maximum"))
        for one in list_rows["parameters"]
        if one["name"] in {"page", "per_page"}
    }
    assert limits == {"page": (1, None), "per_page": (1, 1000)}


def test_every_list_of_a_request_states_its_max_items(document: dict[str, Any]) -> None:
    """Nothing in a body is read further than a limit that is known beforehand."""
    lists = []

    def walk(schema: Any, seen: frozenset[str]) -> None:
        for one in schemas_in(schema):
            name = str(one.get("$ref", "")).rpartition("/")[2]
            if name and name not in seen:
                walk(document["components"]["schemas"][name], seen | {name})
            if one.get("type") == "array":
                lists.append(one)

    for _, _, operation in operations(document):
        walk(operation.get("requestBody", {}), frozenset())
    assert len(lists) > 20
    assert [one for one in lists if "maxItems" not in one] == []


# Of whatever shape a client likes, of the columns of a table, of a standard whose unknown parts are named.
OPEN = {"Draft", "RowChanges", "RowUpdateItem", "ContractSchema"}


def schemas_of(part: Any, schemas: dict[str, Any], seen: set[str]) -> None:
    """Add the names of the schemas that a part of the document refers to, and of theirs."""
    if isinstance(part, list):
        for item in part:
            schemas_of(item, schemas, seen)
    elif isinstance(part, dict):
        name = part.get("$ref", "").rpartition("/")[2]
        if name and name not in seen:
            seen.add(name)
            schemas_of(schemas[name], schemas, seen)
        for item in part.values():
            schemas_of(item, schemas, seen)


def test_every_body_refuses_fields_that_it_does_not_know(document: dict[str, Any]) -> None:
    """A field that is ignored is a wrong answer."""
    schemas = document["components"]["schemas"]
    seen: set[str] = set()
    for _, _, operation in operations(document):
        schemas_of(operation.get("requestBody"), schemas, seen)
    bodies = {name: schemas[name] for name in seen - OPEN if schemas[name].get("type") == "object"}
    assert [name for name, schema in bodies.items() if schema.get("additionalProperties") is not False] == []


def test_codes_and_statuses_are_enums(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    codes = schemas["ErrorBody"]["properties"]["code"]["enum"]
    assert {"UNKNOWN_PARAMETER", "TABLE_NOT_FOUND", "METHOD_NOT_ALLOWED"} <= set(codes)
    assert set(schemas["ReadingReason"]["properties"]["code"]["enum"]) == set(get_args(ReasonCode))
    assert "VALUES_NOT_CONVERTED" in schemas["JobFailure"]["properties"]["code"]["enum"]
    assert set(schemas["DetailCode"]["enum"]) == set(get_args(DetailCode.__value__))
    assert schemas["JobAnswer"]["properties"]["status"]["enum"][0] == "queued"


def test_every_reference_resolves(document: dict[str, Any]) -> None:
    text = json.dumps(document)
    names = set(re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', text))
    assert names <= set(document["components"]["schemas"])
    assert "$defs" not in text
    assert "HTTPValidationError" not in text


def test_every_error_response_has_the_error_shape(document: dict[str, Any]) -> None:
    for _, _, operation in operations(document):
        for status, response in operation["responses"].items():
            if status[0] in "45":
                schema = response["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/ErrorBody"}


def test_the_page_loads_nothing_from_elsewhere_and_is_shown_in_none(app: FastAPI) -> None:
    client = TestClient(app)
    page = client.get("/v1/managed-tables/docs")
    loads = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert loads == ["docs/swagger-ui.css", "data:,", "docs/swagger-ui-bundle.js"]
    assert "url: 'openapi.json'" in page.text
    policy = page.headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"} < {
        *policy
    }
    for name in loads[::2]:
        file = client.get(f"/v1/managed-tables/{name}")
        assert file.headers["content-type"].startswith(("text/css", "text/javascript"))
        assert sent_bytes(file.text) < Settings(table_name="t", bucket_name="b").sent_max_bytes
    assert client.get("/v1/managed-tables/docs/__init__.py").status_code == 404


def test_codes_of_warnings_are_an_enum(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["WarningCode"]["enum"] == [*WARNING_CODES]
    assert schemas["FileWarning"]["properties"]["code"] == {"$ref": "#/components/schemas/WarningCode"}
    assert schemas["FileWarning"]["properties"]["lines"]["maxItems"] == 20


def test_the_document_is_built_once(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    """It needs no token, so repeated requests must cost next to nothing."""
    client = TestClient(app)
    first = client.get("/v1/managed-tables/openapi.json").content
    monkeypatch.setattr("managed_tables_api.openapi.build_document", None)
    assert client.get("/v1/managed-tables/openapi.json").content == first
