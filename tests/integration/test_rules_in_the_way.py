"""What a rule does not let happen says which rule it is, and what may be done."""

import secrets
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from loading_jobs import JobMaker
from loading_jobs import column as loaded_column
from loads import Loads
from rows_client import RowsCompany
from tables_client import TableClient, column, created

from managed_tables.catalog.job_records import JobMode
from managed_tables_insert.handler import run_job

RANGE: dict[str, Any] = {"id": "r_valor", "kind": "range", "columns": ["valor"], "max": 50}
COLUMNS = (column("chave", "integer"), column("valor", "integer"))


@pytest.fixture
def loads(loading_company: RowsCompany, tmp_path: Path) -> Loads:
    """A table with a key, and two rows, of which one will break the rule."""
    table = created(loading_company, *COLUMNS, key=["chave"], display_name=f"regra_{secrets.token_hex(5)}")
    table.rows.insert({"chave": 1, "valor": 1}, {"chave": 2, "valor": 90})
    return Loads(JobMaker(loading_company.services, loading_company.company, tmp_path), table)


def told(answer: Any, status: int, code: str, rule: str) -> str:
    """Return the sentence of a refusal that names the rule, in Portuguese and in English."""
    body = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), answer.text
    assert {one["rule"] for one in body["details"]} == {rule}
    return str(body["error"])


def referring(loads: Loads, column_name: str = "chave") -> TableClient:
    """Make a table whose values are those of a column of the loads' table."""
    rule = {"id": "r_ref", "kind": "in_table", "columns": ["c"], "table": loads.table.table_id}
    return created(loads.table.company, column("c", "integer"), rules=[{**rule, "column": column_name}])


@pytest.mark.parametrize("mode", ["replace", "upsert"])
def test_rows_of_before_that_break_a_rule_by_now_keep_a_load_from_being_undone(
    loads: Loads, mode: JobMode
) -> None:
    """Once the rule is changed, it can be."""
    job = loads.run(mode, [["1", "2"], ["2", "3"]], "chave", "valor")
    loads.table.changed(rules=[RANGE])
    said = told(loads.undo(job), 422, "RULE_BROKEN", "r_valor")
    assert f"a regra r_valor da tabela {loads.table.name}" in said
    assert "mude ou tire a regra" in said
    assert loads.rows("valor") == [(2,), (3,)]
    loads.table.changed(rules=[{**RANGE, "severity": "warn"}])
    assert loads.undo(job).status_code == 200
    assert loads.rows("valor") == [(1,), (90,)]


def test_rows_of_before_that_repeat_a_value_by_now_keep_a_load_from_being_undone(loads: Loads) -> None:
    """They are not taken for rows that somebody has changed, and none is left out in silence."""
    loads.table.rows.insert({"chave": 3, "valor": 90})
    job = loads.run("replace", [["1", "2"]], "chave", "valor")
    loads.table.changed(rules=[{"id": "r_unico", "kind": "unique", "columns": ["valor"]}])
    said = told(loads.undo(job), 422, "RULE_BROKEN", "r_unico")
    assert "mude ou tire a regra" in said
    assert loads.rows("chave") == [(1,)]
    loads.table.changed(rules=[])
    assert loads.undone(job) == (1, 3, 0)


def test_rows_that_another_table_uses_keep_a_load_from_being_undone(loads: Loads) -> None:
    """The refusal names that table; its rows changed, the load is undone."""
    job = loads.run("append", [["7", "1"]], "chave", "valor")
    other = referring(loads)
    other.rows.insert({"c": 7})
    said = told(loads.undo(job), 422, "RULE_BROKEN", "r_ref")
    assert f"a regra r_ref da tabela {other.name}" in said
    other.rows.call("POST", "/delete", {"all": True})
    assert loads.undone(job) == (1, 0, 0)


def test_a_table_that_another_refers_to_is_not_deleted(loads: Loads) -> None:
    """Nor taken back with the load that made it, until the rule is gone."""
    maker = loads.maker
    job_id = maker.inserting([["1"]], [loaded_column("chave", "integer")], display_name="feita_por_carga")
    run_job(maker.services, maker.company.company_id, job_id)
    made = replace(loads, table=TableClient(loads.table.company, maker.job(job_id).user_table_id or "", "x"))
    made.table.changed(rules=[{"kind": "unique", "columns": ["chave"]}])
    other = referring(made)
    for answer in (made.table.call("DELETE"), made.undo(maker.job(job_id))):
        said = told(answer, 409, "REFERRED_TO", "r_ref")
        assert other.name in said
        assert "Tire ou mude essa regra antes" in said
    other.changed(rules=[])
    assert made.undone(maker.job(job_id)) == (1, 0, 0)


def test_a_row_in_the_trash_that_breaks_a_rule_says_how_it_comes_back(loads: Loads) -> None:
    row_id = loads.table.rows.list()["records"][1]["id"]
    loads.table.rows.call("DELETE", f"/{row_id}")
    loads.table.changed(rules=[RANGE])
    url = f"/v1/managed-tables/{loads.table.table_id}/trash/restore"
    headers = loads.table.rows.headers()
    said = told(
        loads.table.company.http.post(url, json={"ids": [row_id]}, headers=headers),
        422,
        "RULE_BROKEN",
        "r_valor",
    )
    assert "deve ser no máximo 50" in said
    assert "nenhuma linha voltou da lixeira: mude ou tire a regra" in said
    loads.table.changed(rules=[])
    assert loads.table.company.http.post(url, json={"ids": [row_id]}, headers=headers).json() == {
        "restored": 1
    }


def test_a_change_of_type_says_which_rules_stand_in_its_way(loads: Loads) -> None:
    """Of the table, by its type; of another one that refers to the column."""
    loads.table.changed(rules=[{**RANGE, "severity": "warn"}])
    as_text = [column("chave", "integer"), column("valor", "text")]
    answer = loads.table.put(columns=as_text)
    told(answer, 422, "INVALID_SCHEMA", "r_valor")
    assert "mude ou tire a regra" in answer.json()["details"][0]["reason"]
    referring(loads)
    answer = loads.table.put(columns=[column("chave", "text"), column("valor", "integer")])
    assert "Tire ou mude essa regra antes" in told(answer, 409, "REFERRED_TO", "r_ref")


def test_a_row_that_another_table_uses_says_what_to_do_before_it_is_deleted(loads: Loads) -> None:
    other = referring(loads)
    other.rows.insert({"c": 1})
    row_id = loads.table.rows.list()["records"][0]["id"]
    answer = loads.table.rows.call("DELETE", f"/{row_id}")
    assert (answer.status, answer.body["details"][0]["rule"]) == (422, "r_ref")
    assert f"a tabela {other.name} usa este valor" in answer.body["error"]
    assert "mude lá as linhas que o usam, ou tire a regra r_ref" in answer.body["error"]


def test_a_replacement_without_values_that_another_table_uses_says_so(loads: Loads) -> None:
    """The job fails, names the rule and the table, and the rows of before stay."""
    other = referring(loads)
    other.rows.insert({"c": 1})
    job = loads.run("replace", [["5", "1"]], "chave", "valor")
    assert job.status == "failed"
    assert f"regra r_ref da tabela {other.name}" in job.error["message"]
    assert loads.rows("chave") == [(1,), (2,)]


def restored(table: TableClient, name: str) -> Any:
    url = f"/v1/managed-tables/{table.table_id}/columns/{name}/restore"
    return table.company.http.post(url, headers=table.rows.headers())


def test_a_column_comes_back_without_a_rule_of_a_table_that_is_gone(loads: Loads) -> None:
    """The others of its rules come along."""
    cities = created(loads.table.company, column("n", "integer"), key=["n"])
    rule = {"id": "r_n", "kind": "in_table", "columns": ["valor"], "table": cities.table_id, "column": "n"}
    cities.rows.insert({"n": 1}, {"n": 90})
    loads.table.changed(rules=[rule, {**RANGE, "max": 100}])
    loads.table.changed(columns=[COLUMNS[0]])
    assert cities.call("DELETE").status_code == 204
    answer = restored(loads.table, "valor")
    assert answer.status_code == 200, answer.text
    assert [one["id"] for one in answer.json()["rules"]] == ["r_valor"]
    assert loads.rows("valor") == [(1,), (90,)]


def test_a_column_comes_back_with_a_rule_that_it_cannot_keep_any_more_as_one_that_warns(loads: Loads) -> None:
    """Values that do not repeat, of which rows have changed meanwhile; values of a column that may repeat."""
    cities = created(loads.table.company, column("n", "integer"), key=["n"])
    cities.rows.insert({"n": 1}, {"n": 90})
    table = created(loads.table.company, column("a"), column("b", "integer"))
    rules = [
        {"id": "r_par", "kind": "unique", "columns": ["a", "b"]},
        {"id": "r_n", "kind": "in_table", "columns": ["b"], "table": cities.table_id, "column": "n"},
    ]
    table.changed(rules=rules)
    table.rows.insert({"a": "x", "b": 1}, {"a": "y", "b": 1})
    table.changed(columns=[column("a")])
    table.rows.call("PATCH", body={"all": True, "set": {"a": "x"}})
    cities.changed(key=None)
    answer = restored(table, "b")
    assert answer.status_code == 200, answer.text
    assert [(one["id"], one["severity"]) for one in answer.json()["rules"]] == [
        ("r_par", "warn"),
        ("r_n", "warn"),
    ]
    breaks = table.rows.call("POST", "/query", {"where": {"rule": "r_par", "op": "breaks"}})
    assert breaks.body["total"] == 2
