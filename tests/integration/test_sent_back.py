"""What is answered can be sent back, and what a body does not know is refused (extensions 13)."""

import json
import secrets
from typing import Any

import pytest
from reports import MAY, Reports, recipe_of
from reports import ask as ask_recipe
from rows_client import RowsCompany
from tables_client import TableClient, column, create, created
from test_row_history import ask, found

BASE = "/v1/managed-tables"
COLUMNS = [
    column("produto", description="O nome", nullable=False),
    column("valor", "decimal", default=1.50, format={"currency": "BRL"}),
    column("quando", "datetime", default="2026-01-31T10:30:00Z"),
    column("dia", "date", default="now"),
]


@pytest.fixture
def table(rows_company: RowsCompany) -> TableClient:
    more = {"title": "Vendas", "description": "Do mês", "key": ["produto"], "indexes": [["valor"], ["dia"]]}
    rule = {"kind": "range", "columns": ["valor"], "min": 0, "severity": "refuse"}
    name = f"volta_{secrets.token_hex(5)}"
    table = created(rows_company, *COLUMNS, **more, rules=[rule], display_name=name)
    table.rows.insert({"produto": "X", "valor": 12.5}, {"produto": "Y"})
    return table


def read_only(answer: Any) -> list[tuple[str, str]]:
    """Return path and code of each fault of an answer."""
    assert answer.status_code == 422, answer.text
    return [(one["path"], one["code"]) for one in answer.json()["details"]]


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_table_sent_back_changes_nothing(table: TableClient, method: str) -> None:
    before = table.get()
    answer = table.call(method, before)
    assert (answer.status_code, answer.json()) == (200, before), answer.text
    assert table.get() == before


@pytest.mark.parametrize(
    ("field", "value"),
    [("_id", "f" * 24), ("row_count", 9), ("source", "upload"), ("created_at", "2020-01-01T00:00:00.000Z")],
)
def test_what_of_a_table_is_only_answered_is_not_changed(
    table: TableClient, field: str, value: object
) -> None:
    assert read_only(table.put(title="Outro", **{field: value})) == [(field, "READ_ONLY")]
    assert table.get()["title"] == "Vendas"


def test_an_unknown_field_of_a_table_is_named(rows_company: RowsCompany, table: TableClient) -> None:
    """At any depth, for a new table and for one that is there."""
    assert read_only(table.put(colour="blue")) == [("colour", "UNKNOWN_FIELD")]
    odd = {**COLUMNS[0], "width": 3}
    assert read_only(table.put(columns=[odd])) == [("columns[0].width", "UNKNOWN_FIELD")]
    assert read_only(create(rows_company, odd)) == [("columns[0].width", "UNKNOWN_FIELD")]
    assert read_only(create(rows_company, COLUMNS[0], row_count=1)) == [("row_count", "UNKNOWN_FIELD")]


def test_a_row_sent_back_changes_nothing(table: TableClient) -> None:
    """Neither its version nor its history; a version that is no more is 412, another id is refused."""
    row_id = table.rows.list()["records"][0]["id"]
    row = found(table, f"/data/{row_id}", versions="true")
    for method in ("PUT", "PATCH"):
        status, body = ask(table, f"/data/{row_id}", method, json.loads(json.dumps(row, default=str)))
        assert (status, body) == (200, {name: row[name] for name in row if name != "_version"})
    assert found(table, f"/data/{row_id}", versions="true") == row
    assert len(found(table, f"/data/{row_id}/history")["records"]) == 1
    assert ask(table, f"/data/{row_id}", "PUT", {"valor": "12.50"})[0] == 200  # another digit is a change
    assert len(found(table, f"/data/{row_id}/history")["records"]) == 2
    sent = json.loads(json.dumps(row, default=str))
    assert ask(table, f"/data/{row_id}", "PUT", sent)[0] == 412
    del sent["_version"]
    status, body = ask(table, f"/data/{row_id}", "PUT", {**sent, "id": row_id[::-1]})
    assert (status, body["details"][0]["column"], body["details"][0]["code"]) == (422, "id", "READ_ONLY")


def test_a_deletion_takes_no_field_but_the_version(table: TableClient) -> None:
    row_id = table.rows.list()["records"][0]["id"]
    status, body = ask(table, f"/data/{row_id}", "DELETE", {"versao": "1"})
    assert (status, body["details"][0]["path"]) == (422, "versao")
    assert ask(table, f"/data/{row_id}", "DELETE", {})[0] == 204


def test_a_view_sent_back_changes_nothing(table: TableClient) -> None:
    """Also one that has lost a column, which is in it again once it comes back."""
    content = {"columns": [{"name": "valor", "width": 9}, {"name": "quando"}], "totals": {"valor": "sum"}}
    body = {"name": "v", "where": {"column": "valor", "op": "gt", "value": 1.5}, **content}
    whole = ask(table, "/views", "POST", body)[1]
    path = f"/views/{whole['_id']}"
    sent = json.loads(json.dumps(whole, default=float))
    assert ask(table, path, "PUT", sent) == (200, whole)
    table.changed(columns=[one for one in table.get()["columns"] if one["name"] != "quando"])
    lost = found(table, path)
    assert (lost["columns"], len(lost["warnings"])) == ([{"name": "valor", "width": 9}], 1)
    sent = json.loads(json.dumps(lost, default=float))
    assert ask(table, path, "PUT", sent) == (200, lost)
    status, renamed = ask(table, path, "PUT", {**sent, "name": "w"})
    assert (status, renamed["name"]) == (200, "w")
    assert ask(table, "/columns/quando/restore", "POST")[0] == 200
    assert found(table, path)["columns"] == whole["columns"]
    status, refused = ask(table, path, "PUT", {**sent, "name": "w", "user_id": "f" * 24, "colour": 1})
    assert (status, refused["details"][0]["path"]) == (422, "colour")
    status, refused = ask(table, path, "PUT", {"user_id": "f" * 24})
    assert (status, refused["details"][0]["path"], refused["details"][0]["code"]) == (
        422, "user_id", "READ_ONLY"
    )  # fmt: skip


def test_a_recipe_sent_back_changes_nothing(reports: Reports) -> None:
    """What of it is only answered is refused where it differs."""
    table = reports.load(MAY)
    before = recipe_of(table)
    answer = ask_recipe(table, "PUT", before)
    assert (answer.status_code, answer.json()) == (200, before), answer.text
    assert recipe_of(table) == before
    changed = ask_recipe(table, "PUT", {**before, "on_misfit": "skip"}).json()
    assert (changed["version"], changed["on_misfit"]) == (2, "skip")
    assert read_only(ask_recipe(table, "PUT", {**changed, "tables": []})) == [("tables", "READ_ONLY")]


def test_a_draft_sent_back_changes_nothing(reports: Reports) -> None:
    job_id = reports.wait(MAY)
    url, table = f"{BASE}/upload-jobs/{job_id}", created(reports.company, *COLUMNS)
    draft = {"columns": [{"name": "valor", "value": 1.10}]}
    for _ in range(2):
        answer = table.company.http.put(
            f"{url}/draft", content=json.dumps(draft), headers=table.rows.headers()
        )
        assert answer.status_code == 204, answer.text
        kept = reports.job(job_id)
        draft = table.company.http.get(url, headers=table.rows.headers()).json()["draft"]
    assert reports.job(job_id) == kept
    again = table.company.http.put(f"{url}/draft", content=json.dumps(draft), headers=table.rows.headers())
    assert (again.status_code, reports.job(job_id)) == (204, kept)
