"""Answers whose JSON a route writes itself are what their models in the OpenAPI document say."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator
from reports import MAY, Reports
from starlette.responses import Response
from tables_client import BASE, TableClient

from managed_tables_api.app import create_app
from managed_tables_api.calls import ApiRoute
from managed_tables_api.openapi import build_document

Ask = Callable[..., Any]


@pytest.fixture
def table(reports: Reports) -> TableClient:
    return reports.load(MAY)


def asked(ask: Ask, table: TableClient, reports: Reports) -> dict[str, list[Any]]:
    """Return the answers of each operation, with rows, columns and jobs in them."""
    of_table, rows = f"/{table.table_id}", f"/{table.table_id}/data"
    waiting = reports.wait(MAY.replace("café", "chá"), table.table_id)
    ask("PUT", of_table, {"columns": table.get()["columns"][:2]})
    row = ask("GET", rows)["records"][0]
    one = f"{rows}/{row['id']}"
    new = {"rows": [{"produto": "mel", "valor_total": "9007199254740993.10"}, {"produto": None}]}
    figures = [{"fn": "sum", "column": "valor_total", "as": "soma"}, {"fn": "count", "as": "n"}]
    return {
        "list_tables": [ask("GET", "")],
        "get_table": [ask("GET", of_table)],
        "list_upload_jobs": [ask("GET", "/upload-jobs"), ask("GET", "/upload-jobs?numbers=string")],
        "list_active_upload_jobs": [ask("GET", "/upload-jobs/active")],
        "get_upload_job": [ask("GET", f"/upload-jobs/{waiting}")],
        "insert_rows": [
            ask("POST", rows, new),
            *(ask("POST", f"{rows}?return={form}", new) for form in ("records", "ids")),
        ],
        "list_rows": [ask("GET", f"{rows}?{query}") for query in ("", "numbers=string", "versions=true")],
        "query_rows": [
            ask("POST", f"{rows}/query", {"sort": ["-produto"], "per_page": 1}),
            ask("POST", f"{rows}/query", {"group_by": ["produto"], "aggregates": figures}),
        ],
        "get_row": [ask("GET", one), ask("GET", f"{one}?versions=true")],
        "update_row": [ask("PUT", one, {"produto": "x"})],
        "patch_row": [ask("PATCH", f"{one}?numbers=string", {"valor_total": 1})],
        "list_hidden_columns": [ask("GET", f"{of_table}/columns/hidden")],
        "get_contract": [ask("GET", f"{of_table}/contract")],
        "get_connection": [ask("GET", "/connection")],
        "rotate": [ask("POST", "/connection/rotate")],
    }


def test_what_routes_write_themselves_is_of_their_models(reports: Reports, table: TableClient) -> None:
    """All of them: those that return a response, and that is not made of a model by what it returns."""
    app = create_app(reports.company.services)
    document = build_document(app)
    written = {
        route.operation_id or route.unique_id: route
        for route in app.routes
        if isinstance(route, ApiRoute) and route.include_in_schema
        if route.endpoint.__annotations__["return"] in (Response, Any) and route.status_code != 204
    }

    def ask(method: str, path: str, body: Any = None) -> Any:
        content = None if body is None else json.dumps(body)
        answer = table.company.http.request(
            method, BASE + path, content=content, headers=table.rows.headers()
        )
        assert answer.status_code < 300, answer.text
        return answer.json()

    answers = asked(ask, table, reports)
    assert answers.keys() == written.keys()
    for name, route in written.items():
        operation = document["paths"][route.path_format][min(route.methods or ()).lower()]
        success = operation["responses"][str(route.status_code or 200)]
        schema = success["content"]["application/json"]["schema"]
        validator = Draft202012Validator({**schema, "components": document["components"]})
        for answer in answers[name]:
            assert [fault.message for fault in validator.iter_errors(answer)] == [], name
            known = document["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)
            if "properties" in known and "additionalProperties" not in known:
                assert answer.keys() <= known["properties"].keys(), name
