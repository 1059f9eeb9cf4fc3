"""Extensions 2: how files were read, shown and corrected, on the way from an upload to its rows."""

from typing import Any

import pytest
from client import Answer, Console, column, plain

pytestmark = pytest.mark.flow

TITLED = "Relatório de vendas\n\nn;valor\n1;2,50\n2;3,00\n3;4,00\n"


def reanalyze(company: Console, job: dict[str, Any], *tables: dict[str, Any], **members: Any) -> Answer:
    return company.call("POST", f"/upload-jobs/{job['_id']}/reanalyze", {"tables": list(tables), **members})


def read_again(
    company: Console, job: dict[str, Any], *tables: dict[str, Any], **members: Any
) -> dict[str, Any]:
    answer = reanalyze(company, job, *tables, **members)
    assert (answer.status, answer.json) == (200, {"status": "analisando"}), answer.text
    return company.wait(job["_id"], "waiting_confirm")


def names(job: dict[str, Any]) -> list[str]:
    return [column["name"] for column in job["inferred_schema"]["columns"]]


def mapped(job: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the inferred columns `codigo` and `vlr` as those that feed `n` and `valor`."""
    wanted = {"codigo": "n", "vlr": "valor"}
    inferred = plain(job["inferred_schema"]["columns"])
    return [{**one, "name": wanted[one["name"]], "source": one["name"]} for one in inferred]


def test_a_reading_is_shown_corrected_and_loaded(company: Console) -> None:
    """reading → reanalyze → waiting_confirm, again → confirm → done: the files are sent only once."""
    job = company.analyzed({"vendas.csv": TITLED})
    [table] = job["reading"]["tables"]
    assert (table["file"], table["sheet"], table["include"], table["kind"]) == (0, None, True, "csv")
    assert (table["header_line"], table["first_line"], table["last_line"]) == (3, 4, 6)
    assert (table["skipped_lines"], table["rows"]) == ([1, 2], 3)

    shown = company.ok("GET", f"/upload-jobs/{job['_id']}/preview", params={"from_line": 1, "lines": 4})
    kinds = [(line["line"], line["kind"]) for line in shown["lines"]]
    assert kinds == [(1, "title"), (2, "blank"), (3, "header"), (4, "row")]
    assert (shown["lines"][3]["cells"], shown["last_line"], shown["columns"]) == (["1", "2,50"], 6, 2)

    again = read_again(company, job, {"file": 0, "sheet": None, "skip_lines": [5]})
    assert again["reading"]["tables"][0]["skipped_lines"] == [1, 2, 5]
    assert again["inferred_schema"]["total_row_count_estimate"] == 2
    shown = company.ok("GET", f"/upload-jobs/{job['_id']}/preview", params={"from_line": 5, "lines": 1})
    assert shown["lines"] == [{"line": 5, "kind": "skipped", "cells": ["2", "3,00"]}]
    beyond = reanalyze(company, job, {"file": 0, "header_line": 7})
    assert (beyond.status, beyond.details[0]["code"]) == (422, "NO_SUCH_LINE")

    last = read_again(
        company, job, {"file": 0, "header_line": None, "first_line": 4, "last_line": 5, "skip_lines": None}
    )
    assert (last["reading"]["tables"][0]["header_line"], last["error"]) == (None, None)
    assert names(last) == ["coluna_1", "coluna_2"]
    assert company.confirm(last).status == 200
    done = company.wait(job["_id"], "done")
    rows = company.rows(done["user_table_id"], numbers="string")
    assert [(row["coluna_1"], row["coluna_2"]) for row in rows] == [("1", "2.50"), ("2", "3.00")]


def test_a_reading_that_finds_no_table_keeps_the_previous_one(company: Console) -> None:
    job = company.analyzed({"vendas.csv": TITLED})
    refused = read_again(company, job, {"file": 0, "include": False})
    assert refused["error"]["code"] == "NO_TABLE_INCLUDED"
    assert (refused["reading"], refused["inferred_schema"]) == (job["reading"], job["inferred_schema"])
    mended = read_again(company, job, {"file": 0, "header_line": 3})
    assert (mended["error"], names(mended)) == (None, ["n", "valor"])


def test_an_append_has_a_plan(company: Console) -> None:
    number = column("n", "integer", nullable=False)
    table = company.create_table("vendas", number, column("valor", "decimal"), column("dia", "date"))
    job = company.analyzed({"vendas.csv": "N;Valor;Cor\n1;2,50;azul\n2;x;verde\n;4,00;azul\n"}, table["_id"])
    plan = job["append_plan"]
    assert (plan["matched"], plan["new"], plan["missing"]) == (
        [["N", "n"], ["Valor", "valor"]],
        ["cor"],
        ["dia"],
    )
    found = [(one["column"], one["count"], one["details"][0]["line"]) for one in plan["conflicts"]]
    assert found == [("n", 1, 4), ("valor", 1, 3)]
    columns = {one["name"]: one for one in job["inferred_schema"]["columns"]}
    assert columns["n"]["table_column"] == {"name": "n", "type": "integer", "nullable": False}
    assert (columns["cor"]["source"], columns["cor"]["table_column"]) == ("Cor", None)
    profile = columns["cor"]["profile"]
    assert (profile["rows"], profile["distinct"], profile["top"][0]) == (3, 2, ["azul", 2])
    assert columns["n"]["profile"]["histogram"][-1][1] == 2


def test_rejected_rows_are_fetched_corrected_and_loaded(company: Console) -> None:
    """confirm with skip → done, `result.rejected` → rejects → the same file, corrected, appended."""
    rows = "".join(f"{number};{number},50\n" for number in range(1, 40))
    job = company.analyzed({"vendas.csv": f"codigo;vlr\n{rows}dois;1,00\n41;zero\n"})
    types = {"n": "integer", "valor": "decimal"}
    columns = [{**one, "type": types[one["name"]]} for one in mapped(job)]
    body = {"display_name": "vendas", "columns": columns, "on_misfit": "skip"}
    assert company.call("POST", f"/upload-jobs/{job['_id']}/confirm", body).status == 200
    done = company.wait(job["_id"], "done")
    assert (done["result"]["inserted"], done["result"]["rejected"]) == (39, 2)
    rejects = company.ok("GET", f"/upload-jobs/{job['_id']}/rejects")
    assert rejects["rows"] == 2
    assert rejects["expires_at"].endswith("Z")
    text = company.http.get(rejects["url"]).content.decode("utf-8-sig")
    assert text.splitlines()[0] == "codigo;vlr;arquivo;aba;linha;motivo"

    table_id = done["user_table_id"]
    corrected = text.replace("dois", "40").replace("zero", "41,50")
    again = company.analyzed({"rejeitadas.csv": corrected}, table_id)
    assert [warning["code"] for warning in again["warnings"]] == ["REJECTED_ROWS"]
    assert company.confirm(again, columns=mapped(again)).status == 200
    last = company.wait(again["_id"], "done")
    assert (last["result"]["inserted"], last["result"]["rejected"]) == (2, 0)
    assert company.call("GET", f"/upload-jobs/{again['_id']}/rejects").status == 404
    values = [row["valor"] for row in company.rows(table_id, numbers="string")]
    assert values[-2:] == ["1.00", "41.50"]
