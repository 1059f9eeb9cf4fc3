"""Rules of a table: kept and answered with its definition, and held by PostgreSQL itself."""

import json
from typing import Any

import psycopg
import pytest
from rows_client import RowsCompany
from tables_client import TableClient, column, create, created

COLUMNS = (
    column("nome"),
    column("valor", "decimal"),
    column("quantidade", "integer"),
    column("inicio", "date"),
    column("fim", "date"),
)
RANGE = {"kind": "range", "columns": ["valor"], "min": 0, "max": 100}


@pytest.fixture
def table(rows_company: RowsCompany) -> TableClient:
    return created(rows_company, *COLUMNS)


def bodies(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rules without their ids."""
    return [{name: part for name, part in rule.items() if name != "id"} for rule in rules]


def constraints(table: TableClient) -> list[tuple[str, bool]]:
    """Return the constraints of the table that hold rules, and whether each is validated."""
    return table.sql(
        "SELECT contype::text, convalidated FROM pg_constraint WHERE conrelid = '{t}'::regclass"
        " AND starts_with(conname, 'rule$') ORDER BY 1, 2"
    )


EVERY_KIND: list[dict[str, Any]] = [
    {**RANGE, "message": "de 0 a 100"},
    {"kind": "range", "columns": ["fim"], "max": "today", "severity": "warn"},
    {"kind": "length", "columns": ["nome"], "min": 1, "max": 20},
    {"kind": "pattern", "columns": ["nome"], "pattern": "[a-zç ]*"},
    {"kind": "list", "columns": ["quantidade"], "values": [1, 2, 3]},
    {"kind": "unique", "columns": ["nome", "inicio"]},
    {"kind": "compare", "columns": ["inicio", "fim"], "op": "lte"},
    {"kind": "named", "columns": ["nome"], "name": "cpf", "severity": "warn", "origin": "learned"},
]


def test_rules_of_every_kind_are_answered_as_they_were_given(table: TableClient) -> None:
    """With an id each, severity, origin and `for_new`; sent back as answered, they change nothing."""
    answer = table.changed(rules=EVERY_KIND)
    usual = {"severity": "refuse", "origin": "person", "for_new": False}
    assert bodies(answer["rules"]) == [{**usual, **rule} for rule in EVERY_KIND]
    assert all(rule["id"].startswith("r_") for rule in answer["rules"])
    assert table.get()["rules"] == answer["rules"]
    assert table.changed(rules=answer["rules"])["version"] == answer["version"]
    assert table.changed(title="outro")["rules"] == answer["rules"]


def test_a_table_is_made_with_rules(rows_company: RowsCompany) -> None:
    made = created(rows_company, *COLUMNS, rules=[RANGE])
    assert bodies(made.get()["rules"]) == [
        {**RANGE, "severity": "refuse", "origin": "person", "for_new": False}
    ]
    assert constraints(made) == [("c", True)]


def test_the_owner_cannot_break_a_rule_by_sql(table: TableClient) -> None:
    """A rule that refuses is a constraint of the database, one that warns is none."""
    table.changed(rules=[{**RANGE, "severity": "warn"}, *EVERY_KIND[5:7]])
    table.sql("INSERT INTO {t} (id, valor, nome) VALUES (gen_random_uuid(), -1, 'a')")
    rules = table.get()["rules"]
    table.sql("DELETE FROM {t}")
    table.changed(rules=[{**rules[0], "severity": "refuse"}, *rules[1:]])
    for values in ("-1, 'a', NULL, NULL", "1, 'a', '2024-01-02', '2024-01-01'"):
        names = f'INSERT INTO "{table.name}" (id, valor, nome, inicio, fim)'
        with pytest.raises(psycopg.errors.CheckViolation, match=r"rule\$"):
            table.rows.execute(f"{names} VALUES (gen_random_uuid(), {values})")
    table.changed(rules=[])
    assert constraints(table) == []


@pytest.mark.parametrize(
    ("rule", "path", "code"),
    [
        ({"kind": "range", "columns": ["nada"], "min": 1}, "rules[0].columns[0]", "UNKNOWN_COLUMN"),
        ({"kind": "range", "columns": ["nome"], "min": 1}, "rules[0].columns[0]", "OPERATOR_NOT_FOR_TYPE"),
        ({"kind": "range", "columns": ["valor"]}, "rules[0].min", "REQUIRED"),
        ({"kind": "range", "columns": ["valor"], "min": "x"}, "rules[0].min", "NOT_A_DECIMAL"),
        ({"kind": "range", "columns": ["valor"], "min": 2, "max": 1}, "rules[0].max", "OUT_OF_RANGE"),
        ({"kind": "range", "columns": ["valor", "fim"], "min": 2}, "rules[0].columns", "NOT_ALLOWED"),
        ({"kind": "length", "columns": ["nome"], "max": 1.5}, "rules[0].max", "NOT_AN_INTEGER"),
        ({"kind": "list", "columns": ["nome"], "values": ["a", 1]}, "rules[0].values[1]", "NOT_A_TEXT"),
        ({"kind": "list", "columns": ["nome"], "min": 1, "values": ["a"]}, "rules[0].min", "NOT_ALLOWED"),
        ({"kind": "compare", "columns": ["nome", "fim"], "op": "eq"}, "rules[0].columns", "NOT_ALLOWED"),
        ({"kind": "compare", "columns": ["fim"], "op": "eq"}, "rules[0].columns", "NOT_ALLOWED"),
        ({"kind": "named", "columns": ["nome"], "name": "rg"}, "rules[0].name", "NOT_ALLOWED"),
        ({"kind": "sum", "columns": ["nome"]}, "rules[0].kind", "NOT_ALLOWED"),
        ({"kind": "unique", "columns": []}, "rules[0].columns", "TOO_SHORT"),
        (
            {"kind": "in_table", "columns": ["nome"], "table": "x", "column": "y"},
            "rules[0].table",
            "NOT_ALLOWED",
        ),
    ],
)  # fmt: skip
def test_a_rule_that_says_nothing_is_refused_with_its_place(
    table: TableClient, rule: dict[str, Any], path: str, code: str
) -> None:
    answer = table.put(rules=[rule])
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_SCHEMA"), answer.text
    assert (answer.json()["details"][0]["path"], answer.json()["details"][0]["code"]) == (path, code)


def test_a_wrong_rule_is_no_fault_of_the_column_of_its_number(table: TableClient) -> None:
    """Also where a table has fewer columns than rules: that was an internal error."""
    rules = [RANGE, RANGE, RANGE, {**RANGE, "id": "r_1_2"}]
    body = {"display_name": "t_regras", "columns": [column("valor", "integer")], "rules": rules}
    answer = table.company.http.post(
        "/v1/managed-tables", content=json.dumps(body), headers=table.rows.headers()
    )
    assert answer.status_code == 422, answer.text
    [found] = answer.json()["details"]
    assert (found["path"], found.get("column")) == ("rules[3].id", None)


def test_a_pattern_outside_of_what_engines_share_is_refused(table: TableClient) -> None:
    """422 PATTERN_NOT_ALLOWED, with the place in the pattern."""
    answer = table.put(rules=[{"kind": "pattern", "columns": ["nome"], "pattern": "ab(?=c)"}])
    assert (answer.status_code, answer.json()["code"]) == (422, "PATTERN_NOT_ALLOWED")
    (found,) = answer.json()["details"]
    assert (found["path"], found["code"], found["value"]) == (
        "rules[0].pattern",
        "PATTERN_NOT_ALLOWED",
        "(?=c)",
    )
    assert "caractere 3" in found["reason"]


def test_more_than_a_hundred_rules_are_refused(table: TableClient) -> None:
    assert table.put(rules=[RANGE] * 101).status_code == 422
    assert len(table.changed(rules=[RANGE] * 100)["rules"]) == 100


def test_a_rule_that_rows_break_is_refused_unless_it_is_for_new_ones(table: TableClient) -> None:
    """409 ROWS_BREAK_RULE; with `for_new` it is not validated, and holds for what is written from now on."""
    table.rows.insert({"nome": "a", "valor": -5}, {"nome": "a", "valor": 500}, {"nome": "b", "valor": 5})
    answer = table.put(rules=[EVERY_KIND[2], RANGE])
    assert (answer.status_code, answer.json()["code"]) == (409, "ROWS_BREAK_RULE")
    (found,) = answer.json()["details"]
    assert (found["path"], found["column"], found["code"]) == ("rules[1]", "valor", "ROWS_BREAK_RULE")
    assert found["reason"].startswith("2 linhas")
    assert found["rule"].startswith("r_")
    assert table.get()["rules"] == []
    table.changed(rules=[{**RANGE, "for_new": True}, EVERY_KIND[2]])
    assert constraints(table) == [("c", False), ("c", True)]
    with pytest.raises(psycopg.errors.CheckViolation):
        table.sql("INSERT INTO {t} (id, valor) VALUES (gen_random_uuid(), -1)")
    unique = {"kind": "unique", "columns": ["nome"]}
    assert table.put(rules=[unique]).json()["code"] == "ROWS_BREAK_RULE"
    assert table.put(rules=[{**unique, "for_new": True}]).json()["code"] == "ROWS_BREAK_RULE"
    assert table.changed(rules=[{**unique, "severity": "warn"}])["rules"][0]["severity"] == "warn"


def test_the_values_of_a_large_table_are_counted_in_one_pass(table: TableClient) -> None:
    """Each row asked for another one with its value: 30,000 took longer than a statement may."""
    table.sql(
        "INSERT INTO {t} (id, nome, valor) SELECT gen_random_uuid(), 'n' || n, n"
        " FROM generate_series(1, 40000) AS n"
    )
    unique = {"kind": "unique", "columns": ["nome"]}
    assert len(table.changed(rules=[unique])["rules"]) == 1
    table.changed(rules=[])
    table.sql("UPDATE {t} SET nome = 'n1' WHERE valor = 40000")
    refused = table.put(rules=[unique]).json()
    assert (refused["code"], refused["details"][0]["reason"][:9]) == ("ROWS_BREAK_RULE", "2 linhas ")
    warned = table.changed(rules=[{**unique, "severity": "warn"}])["rules"][0]["id"]
    breaking = {"rule": warned, "op": "breaks"}
    assert table.rows.call("POST", "/query", {"where": breaking}).body["total"] == 2


def test_a_renamed_column_takes_its_rules_along(table: TableClient) -> None:
    table.changed(rules=EVERY_KIND)
    renamed = [
        {**one, "name": "preco", "previous_name": "valor"} if one["name"] == "valor" else one
        for one in COLUMNS
    ]
    answer = table.changed(columns=renamed)
    assert answer["rules"][0]["columns"] == ["preco"]
    with pytest.raises(psycopg.errors.CheckViolation):
        table.sql("INSERT INTO {t} (id, preco) VALUES (gen_random_uuid(), -1)")


def test_a_change_of_type_keeps_the_rules_that_can_judge_it(table: TableClient) -> None:
    """Others are named, and refuse it."""
    rules = table.changed(rules=[RANGE, {"kind": "list", "columns": ["quantidade"], "values": [1]}])["rules"]
    wider = [{**one, "type": "decimal"} if one["name"] == "quantidade" else one for one in COLUMNS]
    table.changed(columns=wider)
    assert len(constraints(table)) == 2
    as_text = [{**one, "type": "text"} if one["name"] == "valor" else one for one in wider]
    answer = table.put(columns=as_text)
    assert answer.status_code == 422
    assert (answer.json()["details"][0]["rule"], answer.json()["details"][0]["column"]) == (
        rules[0]["id"], "valor",
    )  # fmt: skip
    assert table.changed(columns=as_text, rules=rules[1:])["rules"] == rules[1:]


def test_a_hidden_column_takes_its_rules_along_and_brings_them_back(table: TableClient) -> None:
    rules = table.changed(rules=EVERY_KIND)["rules"]
    answer = table.changed(columns=[one for one in COLUMNS if one["name"] not in ("valor", "fim")])
    assert [rule["kind"] for rule in answer["rules"]] == ["length", "pattern", "list", "unique", "named"]
    restored = table.company.http.post(
        f"/v1/managed-tables/{table.table_id}/columns/valor/restore", headers=table.rows.headers()
    )
    assert restored.status_code == 200, restored.text
    assert restored.json()["rules"][-1] == rules[0]
    with pytest.raises(psycopg.errors.CheckViolation):
        table.sql("INSERT INTO {t} (id, valor) VALUES (gen_random_uuid(), -1)")


def told(table: TableClient, **query: Any) -> list[tuple[str, str, list[str]]]:
    """Return action, rule and columns of the changes of rules in the table's history."""
    url = f"/v1/managed-tables/{table.table_id}/history"
    answer = table.company.http.get(url, params=query, headers=table.rows.headers())
    assert answer.status_code == 200, answer.text
    return [(one["action"], one["rule"], one["columns"]) for one in answer.json()["rules"]]


def test_the_history_of_a_table_names_changes_of_its_rules(rows_company: RowsCompany) -> None:
    """Who, when and which, the newest first; what only followed its column, or stayed, is no change."""
    rules = [{**RANGE, "id": "r_a"}, {"id": "r_b", "kind": "length", "columns": ["nome"], "max": 9}]
    table = created(rows_company, *COLUMNS, rules=rules)
    table.changed(rules=[{**rules[0], "max": 50}, rules[1]], title="outro")
    _, _, *others = COLUMNS
    table.changed(columns=[COLUMNS[0], column("preco", "decimal", previous_name="valor"), *others])
    table.changed(columns=[column("preco", "decimal"), *others])
    url, headers = f"/v1/managed-tables/{table.table_id}", table.rows.headers()
    assert table.company.http.post(f"{url}/columns/nome/restore", headers=headers).status_code == 200
    table.changed(rules=[])
    removed = [("removed", "r_a", ["preco"]), ("removed", "r_b", ["nome"])]
    assert told(table) == [
        *reversed(removed),
        ("added", "r_b", ["nome"]),
        ("removed", "r_b", ["nome"]),
        ("changed", "r_a", ["valor"]),
        ("added", "r_b", ["nome"]),
        ("added", "r_a", ["valor"]),
    ]
    (newest, *_) = table.company.http.get(f"{url}/history", headers=headers).json()["rules"]
    assert (newest["user_id"], newest["kind"], newest["at"][-1]) == (
        "5f0000000000000000000002",
        "length",
        "Z",
    )
    assert told(table, to="2020-01-01") == told(table, action="update") == told(table, page=2) == []
    table.changed(history=False)
    table.changed(rules=rules[1:])
    assert told(table) == []


# Values of another table


@pytest.fixture
def cities(rows_company: RowsCompany) -> TableClient:
    made = created(rows_company, column("cidade"), key=["cidade"])
    made.rows.insert({"cidade": "Recife"}, {"cidade": "Natal"})
    return made


def in_cities(cities: TableClient, **more: Any) -> dict[str, Any]:
    return {"kind": "in_table", "columns": ["nome"], "table": cities.table_id, "column": "cidade", **more}


def test_a_value_of_another_table_follows_where_that_is_changed(
    table: TableClient, cities: TableClient
) -> None:
    """The other table is named by its id, or by its name, which becomes the id."""
    rules = table.changed(rules=[{**in_cities(cities), "table": cities.name}])["rules"]
    assert rules[0]["table"] == cities.table_id
    table.rows.insert({"nome": "Recife"}, {"nome": None})
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        table.sql("INSERT INTO {t} (id, nome) VALUES (gen_random_uuid(), 'Olinda')")
    row = cities.rows.list()["records"][0]
    assert cities.rows.call("PUT", f"/{row['id']}", {"cidade": "Recife (PE)"}).status == 200
    assert table.values("nome") == [("Recife (PE)",), (None,)]
    cities.changed(display_name=f"{cities.name}_2")
    assert table.changed(title="x")["rules"] == rules


def test_what_a_rule_refers_to_does_not_go_unnoticed(table: TableClient, cities: TableClient) -> None:
    """Renaming, converting or hiding its column, its key, its deletion: 409 REFERRED_TO names the rule."""
    rule = table.changed(rules=[in_cities(cities)])["rules"][0]
    changes = (
        {"columns": [column("municipio", previous_name="cidade")]},
        {"columns": [column("cidade"), column("outra")], "key": None},
    )
    answers = [*(cities.put(**change) for change in changes), cities.call("DELETE")]
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (409, "REFERRED_TO"), answer.text
        assert answer.json()["details"][0]["rule"] == rule["id"]
    table.changed(rules=[])
    assert cities.call("DELETE").status_code == 204


def test_a_value_of_another_table_needs_one_that_does_not_repeat(
    table: TableClient, rows_company: RowsCompany
) -> None:
    """Its column is the key, or has a rule of unique values; a rule that only warns takes any."""
    other = created(rows_company, column("cidade"))
    answer = table.put(rules=[in_cities(other)])
    assert answer.status_code == 422
    assert answer.json()["details"][0]["path"] == "rules[0].column"
    table.changed(rules=[in_cities(other, severity="warn")])
    other.changed(rules=[{"kind": "unique", "columns": ["cidade"]}])
    table.changed(rules=[in_cities(other)])
    assert other.put(rules=[]).json()["code"] == "REFERRED_TO"


def test_a_deleted_table_lets_go_of_what_it_refers_to(table: TableClient, cities: TableClient) -> None:
    table.changed(rules=[in_cities(cities)])
    assert table.call("DELETE").status_code == 204
    assert cities.call("DELETE").status_code == 204
    assert create(table.company, *COLUMNS, rules=[in_cities(cities)]).status_code == 422
