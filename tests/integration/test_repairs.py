"""Values put right in the review: loaded, counted, remembered; the staged object keeps what the file had."""

import io
import json
from typing import Any

import openpyxl
import pytest
from reports import Reports, ask, recipe_of
from rows_client import RowsCompany
from tables_client import TableClient, column, created

from managed_tables.catalog.job_records import JobRecord
from managed_tables.catalog.keys import job_key
from managed_tables.documents.statements import LoadTerms
from managed_tables.schema import Column
from managed_tables_analyze.handler import analyze_job
from managed_tables_insert.errands import find_errand
from managed_tables_insert.unattended import confirm_unattended

HEADER = "uf;valor\n"
UFS = [{"id": "r_uf", "kind": "list", "columns": ["uf"], "values": ["SP", "RJ", "MG"]}]
REPAIRS: list[dict[str, Any]] = [
    {"column": "uf", "from": "SAO PAULO", "to": "SP"},
    {"column": "valor", "from": "58 RC", "to": "58,50"},
    {"column": "valor", "from": "n.d.", "empty": True},
]


@pytest.fixture
def table(loading_company: RowsCompany) -> TableClient:
    return created(loading_company, column("uf"), column("valor", "decimal"), rules=UFS)


def in_process(company: RowsCompany, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the API ask the function that loads in this process."""
    services = company.services

    def ask_loader(job: JobRecord, answered: str, **errand: Any) -> Any:
        event: Any = {"company_id": job.company_id, "job_id": job.job_id, **json.loads(json.dumps(errand))}
        found = find_errand(event)
        assert found is not None
        return found(services, event)[answered]  # type: ignore[literal-required]

    monkeypatch.setattr(services, "ask_loader", ask_loader)


@pytest.fixture
def files(loading_company: RowsCompany, table: TableClient, monkeypatch: pytest.MonkeyPatch) -> Reports:
    """The table's files."""
    in_process(loading_company, monkeypatch)
    return Reports(loading_company, table.name)


def month(*bad: str, good: int = 40) -> str:
    """Return a file of so many right rows, and these at the end."""
    rows = [f"{('SP', 'RJ', 'MG')[n % 3]};{n},{n % 90 + 10}" for n in range(good)]
    return HEADER + "\n".join([*rows, *bad]) + "\n"


def own(table: TableClient) -> list[Column]:
    return [Column.model_validate(one) for one in table.get()["columns"]]


def terms(*repairs: dict[str, Any], **others: Any) -> LoadTerms:
    return LoadTerms.model_validate({"repairs": repairs, **others})


def origin(table: TableClient, row: dict[str, Any]) -> list[dict[str, Any]]:
    answer = table.rows.call("GET", f"/{row['id']}/origin")
    assert answer.status == 200
    cells: list[dict[str, Any]] = answer.body["cells"]
    return cells


def test_values_put_right_are_loaded_counted_and_traced(files: Reports, table: TableClient) -> None:
    """Fourteen equal cells are one repair; where a row came from shows both texts."""
    job_id = files.wait(month(*["SAO PAULO;58 RC"] * 14, "RJ;n.d."), table.table_id)
    files.confirm(job_id, own(table), terms(*REPAIRS))
    assert files.insert(job_id) == "done", files.job(job_id).error
    result = files.job(job_id).result
    assert result is not None
    assert (result.inserted, result.repaired) == (55, 29)
    last = table.values("uf", "valor")[-2:]
    assert last == [("SP", 58.5), ("RJ", None)]
    rows = table.rows.list(per_page=100)["records"]
    cells = origin(table, rows[-2])
    assert cells == [
        {"column": "uf", "source": "uf", "text": "SAO PAULO", "loaded": "SP", "repaired": True},
        {"column": "valor", "source": "valor", "text": "58 RC", "loaded": "58,50", "repaired": True},
    ]
    assert [one["loaded"] for one in origin(table, rows[-1])] == ["RJ", None]
    assert [one["repaired"] for one in origin(table, rows[0])] == [False, False]


def test_what_was_put_right_once_loads_by_itself_next_month(files: Reports, table: TableClient) -> None:
    """With one new bad value it waits, and names only that."""
    bad = ["SAO PAULO;58 RC", "RJ;n.d."]
    for _ in range(2):
        job_id = files.wait(month(*bad), table.table_id, "replace", states_mode=True)
        files.confirm(job_id, own(table), terms(*REPAIRS))
        assert files.insert(job_id) == "done", files.job(job_id).error
    kept = {one["name"]: one["repairs"] for one in recipe_of(table)["columns"]}
    assert kept == {
        "uf": [{"from": "SAO PAULO", "to": "SP"}],
        "valor": [{"from": "58 RC", "to": "58,50"}, {"from": "n.d.", "empty": True}],
    }
    alone = {**recipe_of(table), "auto_confirm": "unchanged", "mode": "replace"}
    assert ask(table, "PUT", alone).status_code == 200
    assert {one["name"]: one["repairs"] for one in recipe_of(table)["columns"]} == kept
    job_id = files.wait(month(*bad, good=41), table.table_id, "replace", states_mode=True)
    assert files.analysis(job_id).recipe is not None
    assert [one for one in files.analysis(job_id).proofs or () if not one.holds] == []
    assert files.insert(job_id) == "done", files.job(job_id).error
    result = files.job(job_id).result
    assert result is not None
    assert (result.inserted, result.repaired) == (43, 3)
    assert table.values("uf", "valor")[-2:] == [("SP", 58.5), ("RJ", None)]
    job_id = files.wait(month(*bad, "MG;58 RX"), table.table_id, "replace", states_mode=True)
    plan = files.analysis(job_id).append_plan
    assert plan is not None
    assert [(one.column, one.count, one.details[0].value) for one in plan.conflicts] == [
        ("valor", 1, "58 RX")
    ]
    missing = [one.code for one in files.analysis(job_id).proofs or () if not one.holds]
    assert "ALL_FIT" in missing


def test_a_repair_that_suddenly_acts_everywhere_is_shown(files: Reports, table: TableClient) -> None:
    job_id = files.wait(month("SAO PAULO;1", good=100), table.table_id)
    files.confirm(job_id, own(table), terms(*REPAIRS))
    assert files.insert(job_id) == "done"
    job_id = files.wait(month(*["SAO PAULO;1"] * 30, good=100), table.table_id)
    recipe = files.analysis(job_id).recipe
    assert recipe is not None
    found = [
        (one.severity, one.column, one.after) for one in recipe.differences if one.code == "REPAIRS_CHANGED"
    ]
    assert found == [("check", "uf", 30)]
    job_id = files.wait(month(*["SAO PAULO;1"] * 5, good=100), table.table_id)
    recipe = files.analysis(job_id).recipe
    assert recipe is not None
    assert "REPAIRS_CHANGED" not in [one.code for one in recipe.differences]


def test_one_cell_is_put_right_and_not_remembered(files: Reports, table: TableClient) -> None:
    """A cell's repair goes before that of its value; one that is not to be remembered is for this load."""
    job_id = files.wait(month("SP;58 RC", "RJ;58 RC", "MG;n.d."), table.table_id)
    cell = {"column": "valor", "file": "vendas.csv", "sheet": None, "line": 43, "to": "7"}
    files.confirm(
        job_id, own(table), terms({**REPAIRS[1], "remember": False}, cell, {**REPAIRS[2], "column": "valor"})
    )
    assert files.insert(job_id) == "done", files.job(job_id).error
    result = files.job(job_id).result
    assert result is not None
    assert result.repaired == 3
    assert table.values("valor")[-3:] == [(58.5,), (7,), (None,)]
    cells = origin(table, table.rows.list(per_page=100)["records"][-2])
    assert cells[1] == {
        "column": "valor",
        "source": "valor",
        "text": "58 RC",
        "loaded": "7",
        "repaired": True,
    }
    [valor] = [one for one in recipe_of(table)["columns"] if one["name"] == "valor"]
    assert valor["repairs"] == [{"from": "n.d.", "empty": True}]


def test_repairs_act_on_the_original_text_alone(files: Reports, table: TableClient) -> None:
    """What one makes is no other's original: two texts may change places; an empty cell is `""`."""
    table.changed(rules=[])
    job_id = files.wait(month("A;1", ";3", "B;2", good=0), table.table_id)
    swapped = [
        {"column": "uf", "from": "A", "to": "B"},
        {"column": "uf", "from": "B", "to": "A"},
        {"column": "uf", "from": "", "to": "C"},
    ]
    files.confirm(job_id, own(table), terms(*swapped))
    assert files.insert(job_id) == "done", files.job(job_id).error
    assert table.values("uf") == [("B",), ("C",), ("A",)]


def test_a_workbooks_numbers_stand_beside_repairs(files: Reports, table: TableClient) -> None:
    """A number that is put right is read as people write it, not as the workbook's own."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (["uf", "valor"], ["SP", 1.5], ["RJ", 2], ["MG", "1.500 RC"], ["SAO PAULO", 3.25]):
        sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    job_id = files.wait(content.getvalue(), table.table_id, name="vendas.xlsx")
    repairs = [{"column": "valor", "from": "1.500 RC", "to": "1.500"}, REPAIRS[0]]
    files.confirm(job_id, own(table), terms(*repairs))
    assert files.insert(job_id) == "done", files.job(job_id).error
    assert table.values("uf", "valor")[-2:] == [("MG", 1500), ("SP", 3.25)]


def test_rejects_and_undo_keep_what_the_file_had(files: Reports, table: TableClient) -> None:
    job_id = files.wait(month("SAO PAULO;58 RX", "SAO PAULO;58 RC", good=3), table.table_id)
    files.confirm(job_id, own(table), terms(*REPAIRS, on_misfit="skip"))
    assert files.insert(job_id) == "done", files.job(job_id).error
    result = files.job(job_id).result
    assert result is not None
    assert (result.inserted, result.rejected, result.repaired) == (4, 1, 2)
    http, headers = table.company.http, table.rows.headers()
    answer = http.get(f"/v1/managed-tables/upload-jobs/{job_id}/rejects", headers=headers)
    assert answer.json()["rows"] == 1
    answer = http.post(f"/v1/managed-tables/upload-jobs/{job_id}/undo", headers=headers, json={})
    assert answer.json()["removed"] == 4
    assert table.rows.list()["total"] == 0


def at(
    table: TableClient, job_id: str, path: str, method: str = "GET", body: Any = None, **headers: str
) -> Any:
    return table.company.http.request(
        method,
        f"/v1/managed-tables/upload-jobs/{job_id}{path}",
        content=None if body is None else json.dumps(body),
        headers={**table.rows.headers(), **headers},
    )


def misfits(table: TableClient, job_id: str, query: str = "") -> dict[str, Any]:
    answer = at(table, job_id, f"/misfits{query}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_each_distinct_value_is_asked_about_once(files: Reports, table: TableClient) -> None:
    """With where it stands first, why, and what may be put in its place."""
    bad = [*["São  Paulo;58 RC"] * 3, "sp;1", "Rj.;12.5", *["MGG;n/i"] * 2, "RJ;-x"]
    table.changed(rules=[{**UFS[0], "values": ["SP", "RJ", "MG", "Sao Paulo"]}])
    job_id = files.wait(month(*bad), table.table_id)
    found = misfits(table, job_id)
    assert (found["total"], found["quantity"]) == (8, 8)
    shown = [
        (one["column"], one["value"], one["count"], one["rule"], one["code"]) for one in found["records"]
    ]
    assert shown[:3] == [
        ("uf", "São  Paulo", 3, "r_uf", "RULE_BROKEN"),
        ("valor", "58 RC", 3, None, "NOT_A_DECIMAL"),
        ("uf", "MGG", 2, "r_uf", "RULE_BROKEN"),
    ]
    assert found["records"][0]["first"] == {"file": "vendas.csv", "sheet": None, "line": 42}
    suggested = {one["value"]: one["suggestions"] for one in found["records"]}
    assert [one["to"] for one in suggested["São  Paulo"]] == ["Sao Paulo"]
    assert [one["to"] for one in suggested["sp"]] == ["SP"]
    assert [one["to"] for one in suggested["Rj."]] == ["RJ"]
    assert [one["to"] for one in suggested["12.5"]] == ["12,5"]
    assert [one["empty"] for one in suggested["n/i"]] == [True]
    assert suggested["58 RC"] == suggested["MGG"] == suggested["-x"] == []
    assert misfits(table, job_id, "?column=valor&per_page=1&page=2")["records"][0]["value"] == "n/i"
    assert misfits(table, job_id, "?rule=r_uf")["total"] == 4
    assert at(table, job_id, "/misfits?column=nada").status_code == 422


def test_a_drafts_repairs_are_made_in_every_figure(files: Reports, table: TableClient) -> None:
    job_id = files.wait(month(*["SAO PAULO;58 RC"] * 14, "MGA;n.d."), table.table_id)
    assert misfits(table, job_id)["total"] == 3
    assert at(table, job_id, "/draft", "PUT", {"repairs": REPAIRS}).status_code == 204
    found = misfits(table, job_id)
    assert [one["value"] for one in found["records"]] == ["MGA"]
    assert found["left"] == [{"column": "uf", "rule": "r_uf", "count": 1}]
    bad = [{"column": "uf", "from": "a", "to": "b", "empty": True}]
    answer = at(table, job_id, "/draft", "PUT", {"repairs": bad})
    assert (answer.status_code, answer.json()["details"][0]["path"]) == (422, "repairs[0]")


def test_what_repeats_is_counted_but_for_its_first_row(files: Reports, table: TableClient) -> None:
    """As the review's checks count it; a repair may make the second one another value."""
    table.changed(rules=[{"id": "r_unico", "kind": "unique", "columns": ["uf"]}])
    job_id = files.wait("uf;valor\nA;1\nB;2\nA;3\nA;4\nC;5\n", table.table_id)
    found = misfits(table, job_id)
    assert [(one["value"], one["count"], one["rule"]) for one in found["records"]] == [("A", 3, "r_unico")]
    assert found["left"] == [{"column": "uf", "rule": "r_unico", "count": 2}]
    assert [one.broken for one in files.analysis(job_id).checks] == [2]
    cells = [{"column": "uf", "file": "vendas.csv", "line": line, "to": f"A{line}"} for line in (4, 5)]
    assert at(table, job_id, "/draft", "PUT", {"repairs": cells}).status_code == 204
    assert misfits(table, job_id)["total"] == 0


def test_every_kind_of_rule_asks_about_values(loading_company: RowsCompany, files: Reports) -> None:
    """A suggestion of another table's value, too."""
    other = created(loading_company, column("c"), key=["c"])
    other.rows.insert({"c": "São Paulo"}, {"c": "Natal"})
    kinds: list[dict[str, Any]] = [
        {"kind": "range", "columns": ["n"], "min": 0, "max": 9},
        {"kind": "compare", "columns": ["n", "m"], "op": "lte"},
        {"kind": "unique", "columns": ["n", "m"]},
        {"kind": "length", "columns": ["t"], "max": 3},
        {"kind": "pattern", "columns": ["t"], "pattern": "[a-z]+"},
        {"kind": "list", "columns": ["t"], "values": ["abc", "def"], "severity": "warn"},
        {"kind": "named", "columns": ["cpf"], "name": "cpf"},
        {"kind": "in_table", "columns": ["cidade"], "table": other.table_id, "column": "c"},
    ]
    rules = [{"id": f"r_{one['kind'].replace('_', '')}", **one} for one in kinds]
    columns = [column("n", "integer"), column("m", "integer"), column("t"), column("cpf"), column("cidade")]
    table = created(loading_company, *columns, rules=rules)
    rows = "1;2;abc;529.982.247-25;Natal\n1;2;def;;sao paulo\n50;3;ABCD;111;Natal\n2;3;abd;;\n"
    job_id = Reports(loading_company, table.name).wait("n;m;t;cpf;cidade\n" + rows, table.table_id)
    found = misfits(table, job_id)
    left = {one["rule"].removeprefix("r_"): one["count"] for one in found["left"]}
    assert left == {
        "range": 1, "compare": 1, "unique": 1, "length": 1, "pattern": 1, "list": 2, "named": 1, "intable": 1,
    }  # fmt: skip
    checks = {one.rule.removeprefix("r_"): one.broken for one in files.analysis(job_id).checks}
    assert left == {**checks, "intable": 1}, "Analyze asks no other table"
    suggested = {(one["rule"], one["value"]): one["suggestions"] for one in found["records"]}
    assert [one["to"] for one in suggested["r_intable", "sao paulo"]] == ["São Paulo"]
    assert at(table, job_id, "/misfits?kind=alike").json()["total"] == 0


def test_texts_that_are_alike_are_listed_with_the_commonest(files: Reports, table: TableClient) -> None:
    table.changed(rules=[])
    forms = ["São Paulo;1"] * 5 + ["SAO PAULO;2"] * 2 + ["Paulo, São;3", "Rio 1-2;4", "Rio 12;5", "Rio 12;6"]
    job_id = files.wait(month(*forms, good=0), table.table_id)
    found = misfits(table, job_id, "?kind=alike")
    shown = [(one["value"], one["count"], one["suggestions"][0]["to"]) for one in found["records"]]
    assert shown == [("SAO PAULO", 2, "São Paulo"), ("Paulo, São", 1, "São Paulo")]
    put = [{"column": "uf", "from": "SAO PAULO", "to": "São Paulo"}]
    assert at(table, job_id, "/draft", "PUT", {"repairs": put}).status_code == 204
    assert misfits(table, job_id, "?kind=alike")["total"] == 1


def test_a_repair_that_does_not_fit_is_refused_with_its_place(files: Reports, table: TableClient) -> None:
    job_id = files.wait(month("SAO PAULO;58 RC"), table.table_id)
    repairs = [
        REPAIRS[0],
        {"column": "valor", "from": "58 RC", "to": "58 R"},
        {"column": "uf", "from": "x", "to": "BA"},
        {"column": "nada", "from": "x", "to": "y"},
    ]
    columns = [
        {key: one[key] for key in ("name", "display_name", "type", "nullable")}
        for one in table.get()["columns"]
    ]
    answer = at(table, job_id, "/confirm", "POST", {"columns": columns, "repairs": repairs[3:]})
    assert answer.status_code == 422
    assert answer.json()["details"][0]["path"] == "repairs[0].column"
    answer = at(table, job_id, "/confirm", "POST", {"columns": columns, "repairs": repairs[:3]})
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_SCHEMA")
    found = [(one["path"], one["column"], one["value"], one["code"]) for one in answer.json()["details"]]
    assert found == [
        ("repairs[1].to", "valor", "58 R", "NOT_A_DECIMAL"),
        ("repairs[2].to", "uf", "BA", "RULE_BROKEN"),
    ]
    many = [{"column": "uf", "from": str(n), "to": "SP"} for n in range(1_001)]
    assert at(table, job_id, "/confirm", "POST", {"columns": columns, "repairs": many}).status_code == 422
    answer = at(table, job_id, "/confirm", "POST", {"columns": columns, "repairs": [*REPAIRS]})
    assert answer.status_code == 200, answer.text
    assert at(table, job_id, "").json()["confirmed_schema"]["repairs"] == REPAIRS


def test_a_draft_takes_the_repairs_that_a_confirmation_would(files: Reports, table: TableClient) -> None:
    """Each is judged once, where it is new; a thousand of them have room."""
    job_id = files.wait(month("SAO PAULO;58 RC"), table.table_id)
    assert at(table, job_id, "/draft", "PUT", {"repairs": REPAIRS}).status_code == 204
    wrong = [*REPAIRS, {"column": "uf", "from": "x", "to": "BA"}]
    answer = at(table, job_id, "/draft", "PUT", {"repairs": wrong})
    assert (answer.status_code, answer.json()["details"][0]["path"]) == (422, "repairs[3].to")
    assert at(table, job_id, "").json()["draft"] == {"repairs": REPAIRS}
    many = [{"column": "uf", "from": f"{n:0100}", "to": "SP"} for n in range(1_000)]
    assert at(table, job_id, "/draft", "PUT", {"repairs": many}).status_code == 204
    assert at(table, job_id, "/draft", "PUT", {"repairs": many, "x": "a" * 70_000}).status_code == 413


def test_a_draft_that_cannot_be_confirmed_yet_says_nothing_of_columns(
    files: Reports, table: TableClient
) -> None:
    """Two columns that lead into one: the values are asked about as the plan has it."""
    job_id = files.wait(month("SAO PAULO;58 RC"), table.table_id)
    columns = [{"name": name, "table_column": {"name": "uf"}} for name in ("uf", "valor")]
    draft = {"columns": columns, "repairs": [*REPAIRS[:1], {"column": "x", "from": "y", "empty": True}]}
    assert at(table, job_id, "/draft", "PUT", draft).status_code == 204
    assert [one["value"] for one in misfits(table, job_id)["records"]] == ["58 RC"]


def test_of_two_people_in_one_review_the_second_is_told(files: Reports, table: TableClient) -> None:
    """412, and nothing of the first one's is lost."""
    job_id = files.wait(month("SAO PAULO;58 RC"), table.table_id)
    tags = [at(table, job_id, query).headers["ETag"] for query in ("", "?fields=draft&numbers=string")]
    first = at(table, job_id, "/draft", "PUT", {"repairs": REPAIRS[:1]}, **{"If-Match": tags[1]})
    assert first.status_code == 204
    second = at(table, job_id, "/draft", "PUT", {"repairs": REPAIRS[1:]}, **{"If-Match": tags[0]})
    assert (second.status_code, second.json()["code"]) == (412, "DRAFT_CHANGED")
    assert at(table, job_id, "").json()["draft"] == {"repairs": REPAIRS[:1]}
    again = at(table, job_id, "/draft", "PUT", {"repairs": REPAIRS}, **{"If-Match": first.headers["ETag"]})
    assert again.status_code == 204
    assert at(table, job_id, "").json()["draft"] == {"repairs": REPAIRS}


def test_another_reading_keeps_the_repairs_of_columns_that_are_there(
    files: Reports, table: TableClient
) -> None:
    """And names the others, until the draft says otherwise."""
    job_id = files.wait("valor;uf\n" + month("SAO PAULO;58 RC"), table.table_id)
    repairs = [*REPAIRS[:2], {"column": "cidade", "from": "x", "to": "y"}]
    assert at(table, job_id, "/draft", "PUT", {"repairs": repairs}).status_code == 204
    reading = {"tables": [{"file": 0, "header_line": 2}]}
    assert at(table, job_id, "/reanalyze", "POST", reading).status_code == 200
    company = files.company
    assert analyze_job(company.services, company.company.company_id, job_id)["outcome"] == "analyzed"
    files.let_wait(job_id)
    job = at(table, job_id, "").json()
    assert job["draft"] == {"repairs": repairs}
    [lost] = [one for one in job["warnings"] if one["code"] == "REPAIRS_LOST"]
    assert lost["columns"] == ["cidade"]
    assert "cidade" in lost["text"]
    assert misfits(table, job_id)["total"] == 0


def test_a_file_of_the_inbox_is_put_right_as_the_table_remembers(files: Reports, table: TableClient) -> None:
    """Also one that was read before anybody knew its table."""
    job_id = files.wait(month("SAO PAULO;58 RC"), table.table_id)
    files.confirm(job_id, own(table), terms(*REPAIRS))
    assert files.insert(job_id) == "done"
    services, company_id = files.company.services, files.company.company.company_id
    job_id = files.queue(month("SAO PAULO;58 RC"), table.table_id)
    key = job_key(company_id, job_id)
    services.items.change(
        key, {"origin": "inbox", "intake": {"table_name": table.name, "auto_confirm": True}}
    )
    assert analyze_job(services, company_id, job_id)["outcome"] == "analyzed"
    assert confirm_unattended(services, files.job(job_id))
    assert files.insert(job_id) == "done", files.job(job_id).error
    result = files.job(job_id).result
    assert result is not None
    assert result.repaired == 2


def test_a_new_tables_column_is_put_right_under_the_type_that_is_chosen(
    files: Reports, table: TableClient
) -> None:
    """The draft says the type; the values that do not fit it are asked about, and then load."""
    rows = [f"{n};{n},50" for n in range(20)]
    content = (
        "codigo;valor\n" + "\n".join([*rows[:10], "10;58 RC", *rows[11:], "20;a definir", "21;1.5x"]) + "\n"
    )
    new = Reports(files.company, f"{table.name}_novo")
    job_id = new.wait(content)
    assert misfits(table, job_id)["total"] == 0, "a text takes everything"
    draft = {"columns": [{"name": "valor", "type": "decimal"}, {"name": "nada", "type": 7}, "x"]}
    assert at(table, job_id, "/draft", "PUT", draft).status_code == 204
    found = misfits(table, job_id)
    assert [one["value"] for one in found["records"]] == ["58 RC", "a definir", "1.5x"]
    assert found["left"] == [{"column": "valor", "rule": None, "count": 3}]
    repairs: list[dict[str, Any]] = [
        {"column": "valor", "from": "58 RC", "to": "58,5"},
        {"column": "valor", "from": "a definir", "empty": True},
        {"column": "valor", "from": "1.5x", "to": "1,5"},
    ]
    assert at(table, job_id, "/draft", "PUT", {**draft, "repairs": repairs}).status_code == 204
    assert misfits(table, job_id)["total"] == 0
    columns = at(table, job_id, "").json()["inferred_schema"]["columns"]
    [valor] = [one for one in columns if one["name"] == "valor"]
    valor |= {"type": "decimal", "name": "preco", "source": "valor", "nullable": True}
    body = {"display_name": new.name, "columns": columns, "repairs": repairs}
    answer = at(table, job_id, "/confirm", "POST", body)
    assert answer.status_code == 200, answer.text
    assert new.insert(job_id) == "done", new.job(job_id).error
    made = TableClient(files.company, new.job(job_id).user_table_id or "", new.name)
    assert made.values("preco")[10] == (58.5,)
    assert made.values("preco")[-2:] == [(None,), (1.5,)]
    [kept] = [one for one in recipe_of(made)["columns"] if one["name"] == "preco"]
    assert kept["repairs"] == [{key: one[key] for key in one if key != "column"} for one in repairs]
