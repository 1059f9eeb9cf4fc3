"""Rules of a table judge files, too: in the review, in the load, and in the rows that are left out."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from loading_jobs import JobMaker
from loads import Loads
from reports import Reports
from rows_client import RowsCompany
from tables_client import TableClient, column, created

from managed_tables.catalog.keys import job_key
from managed_tables.documents.statements import LoadTerms
from managed_tables.jobs.rejects import rejects_keys
from managed_tables.schema import Column

RULES: list[dict[str, Any]] = [
    {"id": "r_valor", "kind": "range", "columns": ["valor"], "min": 0, "max": 100},
    {"id": "r_codigo", "kind": "unique", "columns": ["codigo"]},
    {"id": "r_cpf", "kind": "named", "columns": ["cpf"], "name": "cpf", "severity": "warn"},
    {
        "id": "r_dias",
        "kind": "compare",
        "columns": ["inicio", "fim"],
        "op": "lte",
        "message": "fim antes do início",
    },
]
COLUMNS = (
    column("valor", "decimal"),
    column("codigo", "integer"),
    column("cpf"),
    column("inicio", "date"),
    column("fim", "date"),
)
GOOD = "10,5;{};529.982.247-25;21/01/2026;22/01/2026"
HEADER = "valor;codigo;cpf;inicio;fim\n"
BAD = "-1;900;111.111.111-11;22/01/2026;21/01/2026\n10;1;;;\n"  # two lines: 3 broken rules, and a code twice
SKIP, REJECT = LoadTerms(on_misfit="skip"), LoadTerms()


@pytest.fixture
def table(loading_company: RowsCompany) -> TableClient:
    return created(loading_company, *COLUMNS, rules=RULES)


@pytest.fixture
def files(reports: Reports, table: TableClient) -> Reports:
    return Reports(reports.company, table.name)


def content(rows: int = 3) -> str:
    return HEADER + "".join(GOOD.format(n) + "\n" for n in range(rows)) + BAD


def own_columns(table: TableClient) -> list[Column]:
    return [Column.model_validate(one) for one in table.get()["columns"]]


def confirm_again(files: Reports, job_id: str, columns: list[Column], terms: LoadTerms) -> None:
    """Confirm once the state machine has made the job wait."""
    key = job_key(files.company.company.company_id, job_id)
    files.company.services.items.change(key, {"status": "waiting_confirm"})
    files.confirm(job_id, columns, terms)


def rejected(files: Reports, job_id: str) -> list[dict[str, str]]:
    keys = rejects_keys(files.job(job_id))
    assert keys is not None
    storage = files.company.services.storage
    body = storage.client.get_object(Bucket=storage.bucket_name, Key=keys[0])["Body"].read()
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig")), delimiter=";"))


def test_the_review_shows_which_rows_break_which_rules(files: Reports, table: TableClient) -> None:
    """Counted, with file, line, column and the cell as it stands."""
    job_id = files.wait(content(), table.table_id)
    checks = [one.as_json() for one in files.analysis(job_id).checks]
    assert [(one["rule"], one["kind"], one["severity"], one["broken"]) for one in checks] == [
        ("r_valor", "range", "refuse", 1),
        ("r_codigo", "unique", "refuse", 1),
        ("r_cpf", "named", "warn", 1),
        ("r_dias", "compare", "refuse", 1),
    ]
    assert checks[0]["examples"] == [
        {"file": "vendas.csv", "sheet": None, "line": 5, "column": "valor", "value": "-1"}
    ]
    assert checks[1]["examples"][0]["line"] == 6
    answer = table.company.http.get(f"/v1/managed-tables/upload-jobs/{job_id}", headers=table.rows.headers())
    assert answer.json()["checks"] == checks


def test_a_load_names_the_rows_that_break_rules(files: Reports, table: TableClient) -> None:
    """They are misfits: nothing is inserted, and the job can be confirmed again without them."""
    job_id = files.wait(content(), table.table_id)
    files.confirm(job_id, own_columns(table), REJECT)
    assert files.insert(job_id) == "rejected"
    error = files.job(job_id).error
    assert error is not None
    assert error["code"] == "VALUES_NOT_CONVERTED"
    found = [(one["line"], one["column"], one["rule"], one["value"], one["code"]) for one in error["details"]]
    assert found == [
        (5, "valor", "r_valor", "-1", "RULE_BROKEN"),
        (5, "inicio", "r_dias", "22/01/2026", "RULE_BROKEN"),
    ]
    confirm_again(files, job_id, own_columns(table), SKIP)
    assert files.insert(job_id) == "done"
    result = files.job(job_id).result
    assert result is not None
    assert (result.inserted, result.rejected) == (3, 2)
    first, second = rejected(files, job_id)
    assert (first["valor"], first["linha"]) == ("-1", "5")
    assert first["motivo"] == (
        "Valor: deve estar entre 0 e 100 (regra r_valor); Inicio: fim antes do início (regra r_dias)"
    )
    assert "regra r_codigo" in second["motivo"]
    assert table.rows.list()["total"] == 3


def test_what_only_warns_is_loaded_and_found(files: Reports, table: TableClient) -> None:
    table.changed(rules=[{**rule, "severity": "warn"} for rule in RULES])
    job_id = files.wait(content(30), table.table_id)
    files.confirm(job_id, own_columns(table), REJECT)
    assert files.insert(job_id) == "done"
    breaks = {"where": {"rule": "r_valor", "op": "breaks"}}
    found = table.rows.call("POST", "/query", breaks).body["records"]
    assert [row["codigo"] for row in found] == [900]


def test_a_value_that_the_table_has_is_refused_by_its_line(files: Reports, table: TableClient) -> None:
    table.rows.insert({"codigo": 7})
    job_id = files.wait(HEADER + "1;6;;;\n2;7;;;\n", table.table_id)
    files.confirm(job_id, own_columns(table), REJECT)
    assert files.insert(job_id) == "rejected"
    error = files.job(job_id).error
    assert error is not None
    (found,) = error["details"]
    assert (found["line"], found["column"], found["rule"]) == (3, "codigo", "r_codigo")


def test_a_replacement_meets_no_rows_of_before(files: Reports, table: TableClient) -> None:
    """A unique value of a row that goes is free."""
    table.rows.insert({"codigo": 7}, {"codigo": 8})
    job_id = files.wait(HEADER + "1;7;;;\n2;9;;;\n", table.table_id, "replace")
    files.confirm(job_id, own_columns(table), REJECT)
    assert files.insert(job_id) == "done", files.job(job_id).error
    assert table.values("codigo") == [(7,), (9,)]


def test_an_upsert_meets_the_unique_values_of_other_rows(loading_company: RowsCompany) -> None:
    """Those of the table and of the file: refused by line, left out where so said."""
    columns = [column("chave", "integer", nullable=False), column("codigo"), column("obs")]
    rule = {"id": "r_unico", "kind": "unique", "columns": ["codigo"]}
    table = created(loading_company, *columns, key=["chave"], rules=[rule])
    table.rows.insert({"chave": 1, "codigo": "x"}, {"chave": 2, "codigo": "y"})
    files = Reports(loading_company, table.name)
    job_id = files.wait(
        "chave;codigo;obs\n1;x;a\n2;x;b\n3;z;c\n4;z;d\n5;;e\n6;;f\n", table.table_id, "upsert"
    )
    files.confirm(job_id, own_columns(table), REJECT)
    assert files.insert(job_id) == "rejected", files.job(job_id).error
    error = files.job(job_id).error
    assert error is not None
    found = [(one["line"], one["column"], one["rule"], one["value"]) for one in error["details"]]
    assert found == [(3, "codigo", "r_unico", "x"), (5, "codigo", "r_unico", "z")]
    confirm_again(files, job_id, own_columns(table), SKIP)
    assert files.insert(job_id) == "done", files.job(job_id).error
    assert table.values("chave", "codigo", "obs") == [
        (1, "x", "a"), (2, "y", None), (3, "z", "c"), (5, None, "e"), (6, None, "f"),
    ]  # fmt: skip
    assert [one["motivo"] for one in rejected(files, job_id)] == [
        "codigo: é igual em outra linha, e não pode se repetir (regra r_unico)"
    ] * 2


def test_two_rows_of_an_upsert_that_exchange_unique_values_are_named(loading_company: RowsCompany) -> None:
    """PostgreSQL judges row by row, and so the API refuses them as well."""
    rule = {"id": "r_unico", "kind": "unique", "columns": ["codigo"]}
    table = created(
        loading_company, column("chave", "integer"), column("codigo"), key=["chave"], rules=[rule]
    )
    table.rows.insert({"chave": 1, "codigo": "p"}, {"chave": 2, "codigo": "q"})
    files = Reports(loading_company, table.name)
    job_id = files.wait("chave;codigo\n1;q\n2;p\n", table.table_id, "upsert")
    files.confirm(job_id, own_columns(table), REJECT)
    assert files.insert(job_id) == "rejected"
    error = files.job(job_id).error
    assert error is not None
    assert [one["line"] for one in error["details"]] == [2, 3]


def test_values_of_another_table_are_judged_in_the_load(files: Reports, table: TableClient) -> None:
    other = created(table.company, column("c", "integer"), key=["c"])
    other.rows.insert({"c": 1}, {"c": 2})
    rule = {"id": "r_ref", "kind": "in_table", "columns": ["codigo"], "table": other.table_id, "column": "c"}
    table.changed(rules=[rule])
    job_id = files.wait(HEADER + "1;1;a;;\n2;3;b;;\n3;;c;;\n", table.table_id)
    files.confirm(job_id, own_columns(table), REJECT)
    assert files.insert(job_id) == "rejected"
    error = files.job(job_id).error
    assert error is not None
    assert [(one["line"], one["rule"], one["value"]) for one in error["details"]] == [(3, "r_ref", "3")]
    confirm_again(files, job_id, own_columns(table), SKIP)
    assert files.insert(job_id) == "done"
    assert table.values("codigo") == [(1,), (None,)]
    again = files.wait(HEADER + "1;1;;;\n2;3;;;\n", table.table_id)
    assert [(one.rule, one.broken) for one in files.analysis(again).checks] == [("r_ref", 1)]


def test_a_value_that_another_table_lacks_is_shown_with_the_nearest(
    files: Reports, table: TableClient
) -> None:
    """Those alone that are like it, whatever their accents and case."""
    other = created(table.company, column("nome"), key=["nome"])
    other.rows.insert(*({"nome": name} for name in ("Recife", "São Paulo", "São Pedro", "Natal")))
    rule = {"id": "r_ref", "kind": "in_table", "columns": ["cpf"], "table": other.table_id, "column": "nome"}
    table.changed(rules=[rule])
    first = files.wait(HEADER + "1;1;Natal;;\n", table.table_id)
    files.confirm(first, own_columns(table), REJECT)
    assert files.insert(first) == "done"
    job_id = files.wait(HEADER + "1;2;Recifi;;\n1;3;sao paulo;;\n1;4;Xanxerê;;\n", table.table_id)
    (check,) = files.analysis(job_id).checks
    assert [(one.value, one.nearest) for one in check.examples] == [
        ("Recifi", ["Recife"]),
        ("sao paulo", ["São Paulo", "São Pedro"]),
        ("Xanxerê", []),
    ]


def test_the_table_that_others_refer_to_is_replaced_if_it_keeps_their_values(
    files: Reports, table: TableClient
) -> None:
    """Else the load fails, and names the rule."""
    other = created(table.company, column("c", "integer"))
    table.rows.insert({"codigo": 1}, {"codigo": 2})
    rule = {"id": "r_ref", "kind": "in_table", "columns": ["c"], "table": table.table_id, "column": "codigo"}
    other.changed(rules=[rule])
    other.rows.insert({"c": 2})
    for rows, outcome in (("1;2;;;\n2;3;;;\n", "done"), ("1;3;;;\n", "failed")):
        job_id = files.wait(HEADER + rows, table.table_id, "replace")
        files.confirm(job_id, own_columns(table), REJECT)
        assert files.insert(job_id) == outcome, files.job(job_id).error
    error = files.job(job_id).error
    assert error is not None
    assert "r_ref" in error["message"]
    assert table.values("codigo") == [(2,), (3,)]


@pytest.mark.parametrize(
    ("row", "broken"),
    [
        ("10,5;99;111.111.111-11;;", None),
        ("-1;99;;;", "r_valor"),
        ("10,5;99;529.982.247-24;;", "r_cpf"),
        ("10,5;99;;20/01/2026;", "r_dia"),
    ],
    ids=["all kept but what warns", "another sign", "a wrong check digit", "a value that no list has"],
)
def test_a_file_that_breaks_a_rule_waits_for_a_person(
    files: Reports, table: TableClient, row: str, broken: str | None
) -> None:
    """Also where files like those before confirm themselves; what only warns does not stop it."""
    days = ["2026-01-21", "2026-01-22"]
    rules = [*RULES[:2], {"id": "r_dia", "kind": "list", "columns": ["inicio"], "values": days}]
    table.changed(rules=[*rules, {**RULES[2], "severity": "refuse" if broken else "warn"}])
    first = files.wait(HEADER + "".join(GOOD.format(n) + "\n" for n in range(20)), table.table_id)
    files.confirm(first, own_columns(table), REJECT)
    assert files.insert(first) == "done"
    url = f"/v1/managed-tables/{table.table_id}/recipe"
    changed = table.company.http.put(url, json={"auto_confirm": "unchanged"}, headers=table.rows.headers())
    assert changed.status_code == 200, changed.text
    rows = "".join(GOOD.format(n) + "\n" for n in range(20, 39)) + f"{row}\n"
    second = files.wait(HEADER + rows, table.table_id)
    refused = [one.rule for one in files.analysis(second).checks if one.refuses]
    assert (files.job(second).confirms_itself, refused) == (broken is None, [broken] if broken else []), [
        one for one in files.analysis(second).proofs or () if not one.holds
    ]


def test_an_upsert_is_judged(loading_company: RowsCompany, tmp_path: Path) -> None:
    """By what its rows become, in which a file's rows need not have every column."""
    table = created(
        loading_company,
        column("chave", "integer"),
        column("valor", "integer"),
        column("maximo", "integer"),
        key=["chave"],
        rules=[{"id": "r_ordem", "kind": "compare", "columns": ["valor", "maximo"], "op": "lte"}],
    )
    table.rows.insert({"chave": 1, "valor": 1, "maximo": 5})
    loads = Loads(JobMaker(loading_company.services, loading_company.company, tmp_path), table)
    assert loads.run("upsert", [("1", "3")], "chave", "valor").status == "done"
    job = loads.run("upsert", [("1", "9")], "chave", "valor")
    (found,) = job.error["details"]
    assert (found["line"], found["column"], found["rule"], found["value"]) == (2, "valor", "r_ordem", "9")
    skipping = LoadTerms(on_misfit="skip")
    job = loads.run("upsert", [("1", "9"), ("2", "99")], "chave", "valor", terms=skipping)
    assert (job.status, job.result.rejected) == ("done", 1), job.error
    assert table.values("chave", "valor", "maximo") == [(1, 3, 5), (2, 99, None)]


def test_a_unique_pair_of_which_the_file_has_one_is_judged(loading_company: RowsCompany) -> None:
    """By what the other one is in the table; of two rows that become equal the second is named."""
    columns = [column("chave", "integer"), column("codigo"), column("loja")]
    rule = {"id": "r_par", "kind": "unique", "columns": ["codigo", "loja"]}
    table = created(loading_company, *columns, key=["chave"], rules=[rule])
    table.rows.insert(*({"chave": n, "codigo": str(n), "loja": "a"} for n in range(1, 5)))
    files = Reports(loading_company, table.name)
    job_id = files.wait("chave;codigo\n1;2\n3;9\n4;9\n5;2\n", table.table_id, "upsert")
    files.confirm(job_id, own_columns(table)[:2], REJECT)
    assert files.insert(job_id) == "rejected", files.job(job_id).error
    error = files.job(job_id).error
    assert error is not None
    found = [(one["line"], one["column"], one["rule"], one["value"]) for one in error["details"]]
    assert found == [(2, "codigo", "r_par", "2"), (4, "codigo", "r_par", "9")]


@pytest.mark.parametrize("mode", ["append", "replace", "upsert"])
def test_what_a_default_puts_into_a_row_is_judged(loading_company: RowsCompany, mode: str) -> None:
    """Where the file has one of a rule's columns, and where it has none."""
    table = created(
        loading_company,
        column("chave", "integer", nullable=False),
        column("valor", "integer"),
        column("maximo", "integer", default=5),
        column("loja", default="a"),
        key=["chave"],
        rules=[
            {"id": "r_ordem", "kind": "compare", "columns": ["valor", "maximo"], "op": "lte"},
            {"id": "r_par", "kind": "unique", "columns": ["loja", "valor"]},
        ],
    )
    table.rows.insert({"chave": 1, "valor": 1}, {"chave": 2, "valor": 2, "loja": "b"})
    own = [Column.model_validate(one) for one in table.get()["columns"][:2]]
    files = Reports(loading_company, table.name)
    job_id = files.wait("chave;valor\n3;4\n4;4\n5;9\n6;2\n7;1\n", table.table_id, mode)
    files.confirm(job_id, own, SKIP)
    assert files.insert(job_id) == "done", files.job(job_id).error
    reasons = {one["chave"]: one["motivo"] for one in rejected(files, job_id)}
    assert {key: reason.rsplit(" ")[-1] for key, reason in reasons.items()} == {
        "4": "r_par)",
        "5": "r_ordem)",
        **({} if mode == "replace" else {"7": "r_par)"}),
    }
    table.rows.insert({"chave": 100, "valor": 0})
    table.changed(rules=[{"id": "r_loja", "kind": "length", "columns": ["loja"], "min": 2, "for_new": True}])
    job_id = files.wait("chave;valor\n8;7\n9;8\n", table.table_id, mode)
    files.confirm(job_id, own, REJECT)
    assert files.insert(job_id) == "rejected", files.job(job_id).error
    error = files.job(job_id).error
    assert error is not None
    found = [(one["line"], one["column"], one["rule"], one["value"]) for one in error["details"]]
    assert found == [(2, "loja", "r_loja", "a"), (3, "loja", "r_loja", "a")]


ROWS, WRONG, EVERY = 100_000, 37, 2_700
WRONG_PLACES = range(7, WRONG * EVERY, EVERY)


def many(wrong: str = "-5") -> str:
    """Return a file of 100,000 rows of which 37, spread over it, have a value that no rule lets in."""
    lines = (wrong if n in WRONG_PLACES else "5" for n in range(ROWS))
    return HEADER + "".join(f"{amount};{n};;;\n" for n, amount in enumerate(lines))


def test_of_many_rows_those_that_break_a_rule_stay_out_and_load_corrected(
    files: Reports, table: TableClient
) -> None:
    """All are counted, and named by file, line, column and rule; the file of rejects, corrected, loads."""
    job_id = files.wait(many(), table.table_id)
    (check,) = [one for one in files.analysis(job_id).checks if one.rule == "r_valor"]
    lines = [place + 2 for place in WRONG_PLACES]
    assert (check.broken, [one.line for one in check.examples]) == (WRONG, lines[:20])
    files.confirm(job_id, own_columns(table), REJECT)
    assert files.insert(job_id) == "rejected"
    error = files.job(job_id).error
    assert error is not None
    named = [(one["file"], one["line"], one["column"], one["rule"]) for one in error["details"]]
    assert named == [("vendas.csv", line, "valor", "r_valor") for line in lines[:20]]
    assert error["details_total"] == WRONG
    confirm_again(files, job_id, own_columns(table), SKIP)
    assert files.insert(job_id) == "done"
    result = files.job(job_id).result
    assert result is not None
    assert (result.inserted, result.rejected) == (99_963, WRONG)
    left = rejected(files, job_id)
    assert [(one["arquivo"], int(one["linha"])) for one in left] == [("vendas.csv", line) for line in lines]
    assert {one["motivo"] for one in left} == {"Valor: deve estar entre 0 e 100 (regra r_valor)"}
    names = list(left[0])
    corrected = [";".join("5" if name == "valor" else one[name] for name in names) for one in left]
    again = files.wait("\n".join([";".join(names), *corrected]) + "\n", table.table_id)
    assert [one.broken for one in files.analysis(again).checks] == [0] * len(RULES)
    files.confirm(again, own_columns(table), REJECT)
    assert files.insert(again) == "done"
    assert table.rows.list(per_page=1)["total"] == ROWS


def test_of_many_rows_that_are_only_warned_of_all_load_and_those_are_found(
    files: Reports, table: TableClient
) -> None:
    table.changed(rules=[{**RULES[0], "severity": "warn"}])
    job_id = files.wait(many(), table.table_id)
    files.confirm(job_id, own_columns(table), REJECT)
    assert files.insert(job_id) == "done"
    found = table.rows.list(per_page=100, **{"filter[rule][breaks]": "r_valor"})
    assert [row["codigo"] for row in found["records"]] == [*WRONG_PLACES]
    assert (found["total"], table.rows.list(per_page=1)["total"]) == (WRONG, ROWS)
