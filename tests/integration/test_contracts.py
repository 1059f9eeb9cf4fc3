"""A table as an open data contract: out, into an empty table, and out again it is the same."""

import json
from importlib.resources import files
from itertools import pairwise
from typing import Any

import pytest
import yaml
from jsonschema import validate
from rows_client import RowsClient, RowsCompany
from tables_client import BASE, TableClient, column, created

RULES: list[dict[str, Any]] = [
    {
        "id": "r_valor",
        "kind": "range",
        "columns": ["valor"],
        "min": 0.01,
        "max": 100,
        "message": "de 0,01 a 100",
    },
    {"id": "r_dia", "kind": "range", "columns": ["dia"], "max": "today", "severity": "warn"},
    {"id": "r_nome", "kind": "length", "columns": ["nome"], "max": 60},
    {"id": "r_uf", "kind": "list", "columns": ["uf"], "values": ["SP", "RJ"]},
    {"id": "r_cpf", "kind": "unique", "columns": ["cpf"]},
    {"id": "r_cpf2", "kind": "named", "columns": ["cpf"], "name": "cpf"},
    {"id": "r_par", "kind": "unique", "columns": ["nome", "dia"]},
]
COLUMNS = (
    column("codigo", "integer", nullable=False),
    column("nome", description="Como se apresenta"),
    column("valor", "decimal", format={"currency": "BRL"}),
    column("dia", "date"),
    column("uf", default="SP"),
    column("cpf"),
    column("pago", "boolean"),
    column("quando", "datetime"),
)


@pytest.fixture(scope="module")
def table(rows_company: RowsCompany) -> TableClient:
    more: dict[str, Any] = {
        "title": "Vendas: o que saiu",
        "description": "Uma linha por venda",
        "key": ["codigo"],
    }
    return created(rows_company, *COLUMNS, rules=RULES, indexes=[["nome"], ["dia", "uf"]], **more)


def contract(table: TableClient) -> Any:
    answer = call(table, "GET")
    assert answer.status_code == 200, answer.text
    return answer.json()


def call(table: TableClient, method: str, body: Any = None, **more: Any) -> Any:
    headers = {**table.rows.headers(), **more.pop("headers", {})}
    content = None if body is None else json.dumps(body)
    url = f"{BASE}/{table.table_id}/contract"
    return table.company.http.request(method, url, content=content, params=more, headers=headers)


def send(table: TableClient, content: bytes, headers: dict[str, str], **query: str) -> Any:
    """Put a contract as it is written."""
    url = f"{BASE}/{table.table_id}/contract"
    sent = {**table.rows.headers(), **headers}
    return table.company.http.put(url, content=content, params=query, headers=sent)


def test_a_table_is_a_contract_of_the_standard(table: TableClient) -> None:
    """Columns, types, required, keys, unique and rules are where ODCS v3.1.0 has them, and its schema."""
    found = contract(table)
    validate(found, json.loads((files("open_data_contract_standard") / "schema.json").read_text("utf-8")))
    assert (found["apiVersion"], found["kind"], found["status"]) == ("v3.1.0", "DataContract", "active")
    (schema,) = found["schema"]
    assert (schema["name"], schema["businessName"], schema["physicalType"]) == (
        table.name, "Vendas: o que saiu", "table",
    )  # fmt: skip
    by_name = {one["name"]: one for one in schema["properties"]}
    types = {name: one["logicalType"] for name, one in by_name.items()}
    assert list(types.values()) == [
        "integer", "string", "number", "date", "string", "string", "boolean", "timestamp",
    ]  # fmt: skip
    assert (by_name["codigo"]["required"], by_name["codigo"]["primaryKeyPosition"]) == (True, 1)
    assert by_name["cpf"]["unique"] is True
    assert by_name["valor"]["logicalTypeOptions"] == {"minimum": 0.01, "maximum": 100}
    assert by_name["nome"]["logicalTypeOptions"] == {"maxLength": 60}
    (check,) = by_name["dia"]["quality"]
    assert (check["id"], check["type"], check["severity"]) == ("r_dia", "custom", "warning")
    assert [one["id"] for one in schema["quality"]] == ["r_par"]


def test_it_goes_into_an_empty_table_and_out_again_the_same(
    table: TableClient, rows_company: RowsCompany
) -> None:
    """By a plan, which is shown first and changes nothing; its token is good once, and for this contract."""
    other, wanted = created(rows_company, column("x")), contract(table)
    planned = call(other, "PUT", wanted).json()
    assert [one["name"] for one in planned["plan"]["columns"]] == [one["name"] for one in COLUMNS]
    assert {one["id"] for one in planned["plan"]["rules"]} == {one["id"] for one in RULES}
    assert planned["plan"]["unmapped"] == []
    assert [one["name"] for one in other.get()["columns"]] == ["x"]
    refused = call(other, "PUT", {**wanted, "version": "2.0.0"}, confirm=planned["confirm"])
    assert (refused.status_code, refused.json()["code"]) == (409, "PLAN_NOT_CONFIRMED")
    planned = call(other, "PUT", wanted).json()
    done = call(other, "PUT", wanted, confirm=planned["confirm"])
    assert done.status_code == 200, done.text
    assert done.json()["key"] == ["codigo"]
    assert contract(other) == wanted
    assert call(other, "PUT", wanted, confirm=planned["confirm"]).status_code == 409


def test_a_table_is_made_by_a_contract(table: TableClient, rows_company: RowsCompany) -> None:
    headers = RowsClient(rows_company.services, rows_company.company, rows_company.http, "").headers()
    body = {"display_name": f"{table.name}_b", "contract": contract(table)}
    answer = rows_company.http.post(BASE, content=json.dumps(body), headers=headers)
    assert answer.status_code == 201, answer.text
    assert contract(TableClient(rows_company, answer.json()["_id"], body["display_name"])) == body["contract"]


def test_it_is_answered_as_yaml(table: TableClient) -> None:
    answer = call(table, "GET", headers={"Accept": "application/yaml"})
    assert answer.headers["content-type"].startswith("application/yaml")
    assert answer.text.startswith('apiVersion: "v3.1.0"\n')
    assert yaml.safe_load(answer.text) == contract(table)


def test_it_is_taken_as_yaml(table: TableClient, rows_company: RowsCompany) -> None:
    """As it is answered, and as others write it: a plan's token is of what it says, not of how."""
    answered = call(table, "GET", headers={"Accept": "application/yaml"}).text
    other, headers = created(rows_company, column("x")), {"Content-Type": "application/yaml; charset=utf-8"}
    planned = send(other, answered.encode(), headers)
    assert planned.status_code == 200, planned.text
    dumped = yaml.safe_dump(contract(table), sort_keys=False, allow_unicode=True)
    done = send(other, dumped.encode(), headers, confirm=planned.json()["confirm"])
    assert done.status_code == 200, done.text
    assert contract(other) == contract(table)


BOMB = "a: &a [x]\n" + "".join(
    f"{n}: &{n} [{', '.join([f'*{before}'] * 9)}]\n" for before, n in pairwise("abcdefghi")
)


@pytest.mark.parametrize(
    ("body", "status", "code", "reason"),
    [
        (BOMB, 422, "INVALID_REQUEST", "âncoras"),
        ("kind: !!python/object/apply:os.system [id]", 422, "INVALID_REQUEST", "tags"),
        ("- 1", 422, "INVALID_REQUEST", "objeto"),
        ("", 422, "INVALID_REQUEST", "objeto"),
        ("a: '" + "x" * 1_100_000 + "'", 413, "REQUEST_TOO_LARGE", "1 MB"),
        ("a: '" + "x" * 10_000_000 + "'", 413, "REQUEST_TOO_LARGE", "6 MB"),
    ],
    ids=["aliases", "tags", "list", "empty", "1 MB", "10 MB"],
)
def test_yaml_that_does_harm_is_refused(
    table: TableClient, body: str, status: int, code: str, reason: str
) -> None:
    answer = send(table, body.encode(), {"Content-Type": "application/yaml"})
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert reason in answer.json()["error"]


def test_what_a_table_has_no_place_for_is_named(rows_company: RowsCompany) -> None:
    """A contract of another's: what the standard says in words of its own becomes rules."""
    given = {
        "apiVersion": "v3.0.2",
        "kind": "DataContract",
        "id": "pedidos",
        "version": "1.1.0",
        "status": "active",
        "servers": [{"server": "s", "type": "postgres"}],
        "schema": [
            {
                "name": "pedidos",
                "properties": [
                    {"name": "Código", "logicalType": "string", "unique": True,
                     "logicalTypeOptions": {"maxLength": 9, "pattern": "[A-Z]+"}, "examples": ["A"]},
                    {"name": "itens", "logicalType": "array",
                     "quality": [{"type": "sql", "query": "SELECT 1", "mustBe": 1}]},
                    {"name": "total", "logicalType": "number", "required": True,
                     "logicalTypeOptions": {"minimum": 0, "multipleOf": 2}},
                ],
            },
            {"name": "outra", "properties": []},
        ],
    }  # fmt: skip
    plan = call(created(rows_company, column("x")), "PUT", given).json()["plan"]
    assert [(one["name"], one["type"], one["nullable"]) for one in plan["columns"]] == [
        ("codigo", "text", True), ("itens", "text", True), ("total", "decimal", False),
    ]  # fmt: skip
    assert [(one["kind"], one["columns"], one["origin"]) for one in plan["rules"]] == [
        ("unique", ["codigo"], "contract"), ("length", ["codigo"], "contract"),
        ("pattern", ["codigo"], "contract"), ("range", ["total"], "contract"),
    ]  # fmt: skip
    assert {one["path"] for one in plan["unmapped"]} == {
        "servers", "schema[1]", "schema[0].properties[0].examples", "schema[0].properties[1].logicalType",
        "schema[0].properties[1].quality[0]", "schema[0].properties[2].logicalTypeOptions.multipleOf",
    }  # fmt: skip
    assert all(one["reason"] for one in plan["unmapped"])


def test_what_is_no_contract_is_refused(table: TableClient) -> None:
    answer = call(table, "PUT", {"apiVersion": "v1", "kind": "DataContract", "schema": []})
    assert (answer.status_code, answer.json()["details"][0]["path"]) == (422, "apiVersion")
