"""Every door judges alike: a row that breaks a rule is refused by name wherever it comes from."""

from typing import Any

import psycopg
import pytest
from rows_client import Answer, RowsCompany
from tables_client import TableClient, column, created

RULES: list[dict[str, Any]] = [
    {"id": "r_valor", "kind": "range", "columns": ["valor"], "min": 0, "max": 100},
    {"id": "r_nome", "kind": "length", "columns": ["nome"], "max": 5, "message": "o nome é longo demais"},
    {"id": "r_unico", "kind": "unique", "columns": ["codigo"]},
    {"id": "r_ordem", "kind": "compare", "columns": ["valor", "maximo"], "op": "lte"},
    {"id": "r_cpf", "kind": "named", "columns": ["nome"], "name": "cpf", "severity": "warn"},
]
WRONG = [-1, -0.01, 100.01, 1000, 10**18]
RIGHT = [0, 100, 0.5, None]


@pytest.fixture(scope="module")
def table(rows_company: RowsCompany) -> TableClient:
    return created(
        rows_company,
        column("nome"),
        column("valor", "decimal"),
        column("maximo", "decimal"),
        column("codigo", "integer"),
        column("chave", "integer"),
        key=["chave"],
        rules=RULES,
    )


@pytest.fixture(autouse=True)
def _empty(table: TableClient) -> None:
    table.rows.call("POST", "/delete", {"all": True})


def broken(answer: Answer) -> list[tuple[Any, ...]]:
    """Return row, column and rule of each detail of a refusal."""
    assert (answer.status, answer.body["code"]) == (422, "RULE_BROKEN"), answer
    details = answer.body["details"]
    assert {(one["in"], one["code"]) for one in details} == {("body", "RULE_BROKEN")}
    assert all(one["reason"] for one in details)
    return [(one.get("row"), one["column"], one["rule"]) for one in details]


def insert(table: TableClient, *rows: dict[str, Any], **query: Any) -> Answer:
    return table.rows.call("POST", body={"rows": rows}, **query)


def test_an_insert_names_each_row_and_rule(table: TableClient) -> None:
    """All of them or none; the reason is the rule's message, or says what the rule wants."""
    answer = insert(
        table,
        {"chave": 1, "valor": -1, "nome": "abcdef"},
        {"chave": 2, "valor": 5},
        {"chave": 3, "valor": 50, "maximo": 10},
    )
    assert broken(answer) == [(0, "valor", "r_valor"), (0, "nome", "r_nome"), (2, "valor", "r_ordem")]
    reasons = [one["reason"] for one in answer.body["details"]]
    assert reasons == [
        "deve estar entre 0 e 100",
        "o nome é longo demais",
        "valor deve ser menor ou igual a maximo",
    ]
    assert answer.body["details"][0]["value"] == -1
    assert table.rows.list()["total"] == 0


def test_only_the_first_rows_are_listed(table: TableClient) -> None:
    answer = insert(table, *({"chave": n, "valor": -1} for n in range(50)))
    assert (len(broken(answer)), answer.body["details_total"]) == (20, 50)


def test_a_value_that_must_be_unique_is_refused_in_its_second_row(table: TableClient) -> None:
    """One that the table has, or an earlier row of the request; an empty one may repeat."""
    table.rows.insert({"chave": 1, "codigo": 7}, {"chave": 2}, {"chave": 3})
    answer = insert(table, {"chave": 4, "codigo": 8}, {"chave": 5, "codigo": 8}, {"chave": 6, "codigo": 7})
    assert broken(answer) == [(1, "codigo", "r_unico"), (2, "codigo", "r_unico")]


@pytest.mark.parametrize("value", WRONG)
def test_each_door_refuses_the_same_values(table: TableClient, value: float) -> None:
    """Insert, upsert, update, update of many by ids and by a condition; and the database itself."""
    table.rows.insert({"chave": 1, "valor": 1}, {"chave": 2, "valor": 2})
    first = table.rows.list()["records"][0]["id"]
    by_rule = ("valor", "r_valor")
    assert broken(insert(table, {"chave": 8}, {"chave": 9, "valor": value})) == [(1, *by_rule)]
    merged = insert(table, {"chave": 8, "valor": 1}, {"chave": 1, "valor": value}, on_conflict="update")
    assert broken(merged) == [(1, *by_rule)]
    assert broken(insert(table, {"chave": 9, "valor": value}, on_conflict="ignore")) == [(0, *by_rule)]
    for method in ("PUT", "PATCH"):
        assert broken(table.rows.call(method, f"/{first}", {"valor": value})) == [(0, *by_rule)]
    rows = [{"id": first, "nome": "x"}, {"id": table.rows.list()["records"][1]["id"], "valor": value}]
    assert broken(table.rows.call("PATCH", body={"rows": rows})) == [(1, *by_rule)]
    where = {"where": {"column": "chave", "op": "eq", "value": 1}, "set": {"valor": value}}
    assert broken(table.rows.call("PATCH", body=where)) == [(None, *by_rule)]
    with pytest.raises(psycopg.errors.CheckViolation, match="r_valor"):
        table.rows.execute(f'UPDATE "{table.name}" SET valor = {value}')  # noqa: S608
    assert table.values("valor") == [(1,), (2,)]


@pytest.mark.parametrize("value", RIGHT)
def test_each_door_takes_what_is_right(table: TableClient, value: float | None) -> None:
    assert insert(table, {"chave": 1, "valor": value}).status == 201
    first = table.rows.list()["records"][0]["id"]
    assert table.rows.call("PATCH", f"/{first}", {"valor": value}).status == 200


def test_a_change_is_judged_with_what_the_row_has_already(table: TableClient) -> None:
    table.rows.insert({"chave": 1, "valor": 5, "maximo": 9})
    row_id = table.rows.list()["records"][0]["id"]
    assert broken(table.rows.call("PUT", f"/{row_id}", {"maximo": 4})) == [(0, "valor", "r_ordem")]


def test_a_deleted_row_that_breaks_a_rule_by_now_stays_in_the_trash(table: TableClient) -> None:
    table.rows.insert({"chave": 1, "valor": 90})
    row_id = table.rows.list()["records"][0]["id"]
    table.rows.call("DELETE", f"/{row_id}")
    stricter = [{**RULES[0], "max": 50}, *RULES[1:]]
    table.changed(rules=stricter)
    restored = table.company.http.post(
        f"/v1/managed-tables/{table.table_id}/trash/restore",
        json={"ids": [row_id]},
        headers=table.rows.headers(),
    )
    assert (restored.status_code, restored.json()["code"]) == (422, "RULE_BROKEN")
    assert restored.json()["details"][0]["rule"] == "r_valor"
    table.changed(rules=RULES)


def test_a_value_that_another_table_refers_to_cannot_be_deleted(
    table: TableClient, rows_company: RowsCompany
) -> None:
    """The refusal names the rule, and the table that has it."""
    rule = {"id": "r_ref", "kind": "in_table", "columns": ["c"], "table": table.table_id, "column": "chave"}
    other = created(rows_company, column("c", "integer"), rules=[rule])
    table.rows.insert({"chave": 1}, {"chave": 2})
    other.rows.insert({"c": 1})
    assert broken(other.rows.call("POST", body={"rows": [{"c": 2}, {"c": 3}]})) == [(1, "c", "r_ref")]
    row_id = table.rows.list()["records"][0]["id"]
    for answer in (
        table.rows.call("DELETE", f"/{row_id}"),
        table.rows.call("POST", "/delete", {"ids": [row_id]}),
        table.rows.call("POST", "/delete", {"all": True}),
    ):
        assert broken(answer) == [(None, "chave", "r_ref")]
        assert other.name in answer.body["details"][0]["reason"]
    assert other.call("DELETE").status_code == 204


# What breaks a rule is found


def found(table: TableClient, condition: Any) -> list[Any]:
    """Return the keys of the rows of a condition, by a body and by an export's statement alike."""
    answer = table.rows.call("POST", "/query", {"where": condition})
    assert answer.status == 200, answer
    return [row["chave"] for row in answer.body["records"]]


def test_rows_that_break_a_rule_are_found(table: TableClient) -> None:
    """By `breaks`, alone and among other conditions, in a body and in a query, also of rules that warn."""
    table.rows.insert(
        {"chave": 1, "nome": "x"}, {"chave": 2, "nome": None}, {"chave": 3, "nome": "y%", "valor": 1}
    )
    breaks = {"rule": "r_cpf", "op": "breaks"}
    assert found(table, breaks) == [1, 3]
    assert found(table, {"not": breaks}) == [2]
    assert found(table, {"and": [{"column": "valor", "op": "eq", "value": 1}, breaks]}) == [3]
    listed = table.rows.list(**{"filter[rule][breaks]": "r_cpf", "filter[chave][gt]": "1"})
    assert [row["chave"] for row in listed["records"]] == [3]
    unknown = table.rows.call("POST", "/query", {"where": {"rule": "r_nada", "op": "breaks"}})
    assert (unknown.status, unknown.body["details"][0]["path"]) == (422, "where.rule")
    assert table.rows.call("GET", **{"filter[rule][breaks]": "x"}).status == 422
    changed = table.rows.call("PATCH", body={"where": breaks, "set": {"nome": None}})
    assert changed.body == {"updated": 2}


def ask_to_check(table: TableClient, body: Any) -> Any:
    url = f"/v1/managed-tables/{table.table_id}/rules/check"
    return table.company.http.post(url, json=body, headers=table.rows.headers())


def check(table: TableClient, body: Any) -> Any:
    answer = ask_to_check(table, body)
    assert answer.status_code == 200, answer.text
    return answer.json()["records"]


def test_a_mistyped_field_does_not_check_other_rules(table: TableClient) -> None:
    answer = ask_to_check(table, {"ruls": [{"kind": "unique", "columns": ["nome"]}]})
    assert (answer.status_code, answer.json()["details"][0]["path"]) == (422, "ruls")


def test_rules_are_checked_against_the_rows(table: TableClient) -> None:
    """The table's own, or others that it does not have: how many rows break each, and the first of them."""
    table.rows.insert(*({"chave": n, "nome": "52998224725"[: 4 + n % 2]} for n in range(30)))
    own = check(table, {})
    assert [(one["rule"], one["rows"], one["broken"]) for one in own] == [
        ("r_valor", 30, 0), ("r_nome", 30, 0), ("r_unico", 30, 0), ("r_ordem", 30, 0), ("r_cpf", 30, 30),
    ]  # fmt: skip
    assert [row["chave"] for row in own[4]["examples"]] == list(range(20))
    others = [
        {"kind": "unique", "columns": ["nome"]},
        {"id": "r_mais", "kind": "length", "columns": ["nome"], "min": 5},
    ]
    given = check(table, {"rules": others})
    assert [(one["broken"], len(one["examples"])) for one in given] == [(30, 20), (15, 15)]
    assert given[1]["rule"] == "r_mais"
    assert given[1]["examples"][0]["nome"] == "5299"


def test_the_rules_that_are_checked_are_those_of_now(rows_company: RowsCompany) -> None:
    """Also where the table had none when the process came to know it."""
    table = created(rows_company, column("valor", "decimal"))
    assert check(table, {}) == []
    table.changed(rules=[RULES[0]])
    assert [one["rule"] for one in check(table, {})] == ["r_valor"]
