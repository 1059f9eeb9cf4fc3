"""Extensions, "Rules": what is right, at every door, and the contract that says it."""

from decimal import Decimal
from typing import Any

import pytest
from client import Answer, Console, column

RANGE: dict[str, Any] = {"id": "r_valor", "kind": "range", "columns": ["valor"], "min": 0, "max": 100}
EVERY_KIND: list[dict[str, Any]] = [
    RANGE,
    {"id": "r_nome", "kind": "length", "columns": ["nome"], "max": 60, "message": "nome curto, por favor"},
    {"id": "r_codigo", "kind": "pattern", "columns": ["codigo"], "pattern": "[A-Z]{2}[0-9]+"},
    {"id": "r_uf", "kind": "list", "columns": ["uf"], "values": ["SP", "RJ"], "severity": "warn"},
    {"id": "r_unico", "kind": "unique", "columns": ["codigo"]},
    {"id": "r_dias", "kind": "compare", "columns": ["inicio", "fim"], "op": "lte"},
    {"id": "r_cpf", "kind": "named", "columns": ["cpf"], "name": "cpf"},
]
COLUMNS = (
    column("codigo"),
    column("nome"),
    column("valor", "decimal"),
    column("uf"),
    column("cpf"),
    column("inicio", "date"),
    column("fim", "date"),
)
WRONG: dict[str, dict[str, Any]] = {  # a row that breaks one rule alone
    "r_valor": {"valor": Decimal("100.01")},
    "r_nome": {"nome": "a" * 61},
    "r_codigo": {"codigo": "AB12x"},
    "r_unico": {"codigo": "AB1"},
    "r_dias": {"inicio": "2026-01-02", "fim": "2026-01-01"},
    "r_cpf": {"cpf": "529.982.247-26"},
}
YAML = "application/yaml"


def make(company: Console, *rules: dict[str, Any], name: str = "vendas") -> str:
    body = {"display_name": name, "columns": list(COLUMNS), "rules": list(rules)}
    return str(company.ok("POST", "", body)["_id"])


def insert(company: Console, table_id: str, *rows: dict[str, Any]) -> Answer:
    return company.call("POST", f"/{table_id}/data", {"rows": list(rows)})


def bare(company: Console) -> str:
    return str(company.create_table("vazia", column("x"))["_id"])


def test_rules_are_answered_with_the_table_and_sent_back(company: Console) -> None:
    """`rules` stand in GET and PUT; what is left out has its default, and sent back they change nothing."""
    table_id = make(company, *EVERY_KIND)
    table = company.table(table_id)
    usual = {"severity": "refuse", "origin": "person", "for_new": False}
    assert table["rules"] == [{**usual, **rule} for rule in EVERY_KIND]
    assert company.ok("PUT", f"/{table_id}", {"rules": table["rules"]})["version"] == table["version"]
    bare_rule = {name: part for name, part in RANGE.items() if name != "id"}
    (given,) = company.ok("PUT", f"/{table_id}", {"rules": [bare_rule]})["rules"]
    assert given["id"].startswith("r_")


@pytest.mark.parametrize("rule_id", WRONG)
def test_a_row_that_breaks_a_rule_is_refused(company: Console, rule_id: str) -> None:
    """422 RULE_BROKEN names row, column and rule, in details as everywhere, and nothing is written."""
    table_id = make(company, *EVERY_KIND)
    company.insert(table_id, {"codigo": "AB1"}, {})
    answer = insert(company, table_id, {"codigo": "AB2"}, WRONG[rule_id])
    assert (answer.status, answer.code) == (422, "RULE_BROKEN"), answer.text
    (found,) = answer.details
    assert found["rule"] == rule_id
    assert (found["in"], found["code"]) == ("body", "RULE_BROKEN")
    assert found["column"] in WRONG[rule_id]
    assert found["reason"]
    assert len(company.rows(table_id)) == 2


@pytest.mark.app
def test_an_empty_value_passes_every_rule(company: Console) -> None:
    table_id = make(company, *EVERY_KIND)
    assert company.insert(table_id, {}, {}) == 2


def test_rows_that_break_a_rule_that_warns_are_found(company: Console) -> None:
    """They are written; `breaks` finds them in a filter and in a condition, `check` counts and shows them."""
    table_id = make(company, *EVERY_KIND)
    company.insert(table_id, {"uf": "SP"}, {"uf": "XX"}, {"uf": None})
    assert [row["uf"] for row in company.rows(table_id, **{"filter[rule][breaks]": "r_uf"})] == ["XX"]
    where = {"where": {"rule": "r_uf", "op": "breaks"}}
    assert company.ok("POST", f"/{table_id}/data/query", where)["total"] == 1
    records = company.ok("POST", f"/{table_id}/rules/check", {})["records"]
    assert {one["rule"]: one["broken"] for one in records} == {
        rule["id"]: int(rule["id"] == "r_uf") for rule in EVERY_KIND
    }
    (shown,) = [one for one in records if one["broken"]]
    assert shown["rows"] == 3
    assert [row["uf"] for row in shown["examples"]] == ["XX"]
    other = {"rules": [{"kind": "length", "columns": ["uf"], "max": 1}]}
    (counted,) = company.ok("POST", f"/{table_id}/rules/check", other)["records"]
    assert counted["broken"] == 2


def test_a_new_rule_that_rows_break_is_refused(company: Console) -> None:
    """409 ROWS_BREAK_RULE with details; with `for_new` it holds for what is written from now on."""
    table_id = make(company)
    company.insert(table_id, {"valor": -1})
    answer = company.call("PUT", f"/{table_id}", {"rules": [RANGE]})
    assert (answer.status, answer.code) == (409, "ROWS_BREAK_RULE")
    assert answer.details[0]["rule"] == RANGE["id"]
    company.ok("PUT", f"/{table_id}", {"rules": [{**RANGE, "for_new": True}]})
    assert insert(company, table_id, {"valor": -1}).code == "RULE_BROKEN"
    assert insert(company, table_id, {"valor": 1}).status == 201


@pytest.mark.app
@pytest.mark.parametrize("pattern", ["a(?=b)", r"(a)\1", r"\p{L}", "a*?", "[[:alpha:]]", "(?i)a"])
def test_a_pattern_that_engines_read_differently_is_refused(company: Console, pattern: str) -> None:
    """422 PATTERN_NOT_ALLOWED, with the place."""
    rule = {"kind": "pattern", "columns": ["nome"], "pattern": pattern}
    answer = company.call("PUT", f"/{make(company)}", {"rules": [rule]})
    assert (answer.status, answer.code) == (422, "PATTERN_NOT_ALLOWED"), answer.text
    assert answer.details[0]["path"] == "rules[0].pattern"


@pytest.mark.app
def test_an_alphanumeric_cnpj_is_one(company: Console) -> None:
    """By its check digits, with or without its mask."""
    table_id = make(company, {"kind": "named", "columns": ["nome"], "name": "cnpj"})
    right = ["12.ABC.345/01DE-35", "12ABC34501DE35", "11.222.333/0001-81"]
    assert company.insert(table_id, *({"nome": one} for one in right)) == 3
    assert insert(company, table_id, {"nome": "12.ABC.345/01DE-36"}).code == "RULE_BROKEN"


def test_values_of_another_table_follow_it(company: Console) -> None:
    """`in_table` refuses others, follows a value that is renamed, and holds its table against deletion."""
    cities = str(
        company.ok("POST", "", {"display_name": "cidades", "columns": [column("cidade")], "key": ["cidade"]})[
            "_id"
        ]
    )
    company.insert(cities, {"cidade": "Recife"})
    rule = {"id": "r_ref", "kind": "in_table", "columns": ["nome"], "table": cities, "column": "cidade"}
    table_id = make(company, rule)
    assert insert(company, table_id, {"nome": "Natal"}).details[0]["rule"] == "r_ref"
    company.insert(table_id, {"nome": "Recife"})
    (row,) = company.rows(cities)
    company.ok("PATCH", f"/{cities}/data/{row['id']}", {"cidade": "Recife (PE)"})
    assert [one["nome"] for one in company.rows(table_id)] == ["Recife (PE)"]
    answer = company.call("DELETE", f"/{cities}")
    assert (answer.status, answer.code, answer.details[0]["rule"]) == (409, "REFERRED_TO", "r_ref")


@pytest.mark.flow
def test_a_file_is_judged_before_it_is_loaded(company: Console) -> None:
    """The job's `checks` name file, line, column and value; rows that break a `refuse` rule are misfits."""
    table_id = make(company, RANGE, EVERY_KIND[3])
    content = "codigo;valor;uf\nAB1;10,5;SP\nAB2;-1;RJ\nAB3;7;XX\n"
    job = company.analyzed({"vendas.csv": content}, table_id)
    checks = {one["rule"]: one for one in job["checks"]}
    assert {rule: (one["kind"], one["severity"], one["broken"]) for rule, one in checks.items()} == {
        "r_valor": ("range", "refuse", 1),
        "r_uf": ("list", "warn", 1),
    }
    (example,) = checks["r_valor"]["examples"]
    assert {name: example[name] for name in ("file", "line", "column", "value")} == {
        "file": "vendas.csv", "line": 3, "column": "valor", "value": "-1",
    }  # fmt: skip
    body = {"columns": job["inferred_schema"]["columns"], "on_misfit": "skip"}
    company.ok("POST", f"/upload-jobs/{job['_id']}/confirm", body)
    result = company.wait(job["_id"], "done")["result"]
    assert (result["inserted"], result["rejected"]) == (2, 1)
    assert [row["codigo"] for row in company.rows(table_id, **{"filter[rule][breaks]": "r_uf"})] == ["AB3"]


def test_rules_are_proposed_and_dismissed(company: Console) -> None:
    """From 200 rows: each with its evidence; one that is dismissed does not come back, none is imposed."""
    table_id = make(company)
    company.insert(table_id, *({"codigo": f"AB{n}", "valor": n} for n in range(200)))
    records = company.ok("GET", f"/{table_id}/rules/proposals")["records"]
    proposed = {(one["rule"]["kind"], *one["rule"]["columns"]): one for one in records}
    assert ("unique", "codigo") in proposed
    found = proposed["range", "valor"]
    assert (found["rule"]["min"], found["rule"]["origin"], found["rows"]) == (0, "learned", 200)
    assert found["evidence"]
    company.ok("POST", f"/{table_id}/rules/proposals/dismiss", {"rule": found["rule"]})
    left = company.ok("GET", f"/{table_id}/rules/proposals")["records"]
    assert ("range", "valor") not in {(one["rule"]["kind"], *one["rule"]["columns"]) for one in left}
    assert company.table(table_id)["rules"] == []


@pytest.mark.app
def test_a_reader_sees_rules_and_changes_none(company: Console) -> None:
    """`check` and proposals are of `data-read`, to dismiss one and to put a contract of `update`."""
    table_id = make(company, RANGE)
    reader = company.with_permissions("managed-tables:data-read", "managed-tables:list")
    reader.ok("POST", f"/{table_id}/rules/check", {})
    reader.ok("GET", f"/{table_id}/rules/proposals")
    contract = reader.ok("GET", f"/{table_id}/contract")
    for method, path, body in (
        ("POST", "/rules/proposals/dismiss", {"rule": "r_valor"}),
        ("PUT", "/contract", contract),
        ("PUT", "", {"rules": []}),
    ):
        assert reader.call(method, f"/{table_id}{path}", body).status == 403


def test_a_contract_goes_out_and_into_an_empty_table(company: Console) -> None:
    """As a plan first; then it is done, and the table gives the same contract."""
    contract = company.ok("GET", f"/{make(company, *EVERY_KIND)}/contract")
    assert (contract["apiVersion"], contract["kind"]) == ("v3.1.0", "DataContract")
    other = bare(company)
    planned = company.ok("PUT", f"/{other}/contract", contract)
    assert [one["id"] for one in planned["plan"]["rules"]]
    assert planned["plan"]["unmapped"] == []
    assert [one["name"] for one in company.table(other)["columns"]] == ["x"]
    company.ok("PUT", f"/{other}/contract", contract, params={"confirm": planned["confirm"]})
    assert company.ok("GET", f"/{other}/contract") == contract
    made = company.ok("POST", "", {"display_name": "terceira", "contract": contract})
    assert company.ok("GET", f"/{made['_id']}/contract") == contract


def test_a_contract_is_yaml_both_ways(company: Console) -> None:
    """By `Accept` out, by `Content-Type` in; what YAML has beyond JSON is refused."""
    table_id, headers = make(company, RANGE), {"Content-Type": YAML}
    answer = company.call("GET", f"/{table_id}/contract", headers={"Accept": YAML})
    assert answer.headers["content-type"].startswith(YAML)
    assert answer.text.startswith('apiVersion: "v3.1.0"\n')
    path = f"/{bare(company)}/contract"
    planned = company.ok("PUT", path, text=answer.text, headers=headers)
    company.ok("PUT", path, text=answer.text, headers=headers, params={"confirm": planned["confirm"]})
    assert company.call("GET", path, headers={"Accept": YAML}).text == answer.text
    refused = company.call("PUT", path, text="a: &x 1\nb: *x\n", headers=headers)
    assert (refused.status, refused.details[0]["code"]) == (422, "NOT_YAML")


@pytest.mark.app
def test_what_a_table_has_no_place_for_is_named_before_anything_changes(company: Console) -> None:
    """`unmapped` has its path and a reason."""
    contract = company.ok("GET", f"/{make(company, RANGE)}/contract")
    planned = company.ok("PUT", f"/{bare(company)}/contract", {**contract, "servers": []})
    (unmapped,) = planned["plan"]["unmapped"]
    assert unmapped["path"] == "servers"
    assert unmapped["reason"]


@pytest.mark.flow
def test_a_load_that_breaks_a_rule_of_loads_is_stopped(company: Console) -> None:
    """`load_rules` stand in the recipe; a broken one is a difference LOAD_RULE_BROKEN that stops."""
    table_id = make(company)
    rows = "".join(f"AB{n};{n}\n" for n in range(20))
    company.loaded({"vendas.csv": f"codigo;valor\n{rows}"}, table_id)
    rules = [{"kind": "rows_within", "percent": 10}]
    assert company.ok("PUT", f"/{table_id}/recipe", {"load_rules": rules})["load_rules"] == rules
    job = company.analyzed({"vendas.csv": "codigo;valor\nAB1;1\n"}, table_id)
    found = [one for one in job["recipe"]["differences"] if one["code"] == "LOAD_RULE_BROKEN"]
    assert [one["severity"] for one in found] == ["stop"]
