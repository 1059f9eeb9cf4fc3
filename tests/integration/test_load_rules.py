"""Rules of every load, kept by the recipe: a file that breaks one is stopped, and says which."""

from typing import Any

import pytest
from reports import Reports
from rows_client import RowsCompany
from tables_client import TableClient, column, created

from managed_tables.documents.statements import LoadTerms
from managed_tables.schema import Column

HEADER = "codigo;valor\n"


@pytest.fixture
def files(loading_company: RowsCompany) -> Reports:
    """A table with twenty rows, that a file has brought."""
    table = created(loading_company, column("codigo", "integer"), column("valor", "decimal"), key=["codigo"])
    reports = Reports(loading_company, table.name)
    job_id = reports.wait(content(20), table.table_id)
    columns = [Column.model_validate(one) for one in table.get()["columns"]]
    reports.confirm(job_id, columns, LoadTerms())
    assert reports.insert(job_id) == "done"
    return reports


def content(rows: int, first: int = 1, total: str = "") -> str:
    lines = [f"{number};{number},50" for number in range(first, first + rows)]
    return HEADER + "\n".join([*lines, *([f"Total geral;{total}"] if total else [])]) + "\n"


def table_of(files: Reports) -> TableClient:
    holder = files.company.services.tables.find_holder(files.company.company.company_id, files.name)
    assert holder is not None
    return TableClient(files.company, holder.table_id, files.name)


def put(table: TableClient, *rules: dict[str, Any]) -> Any:
    url = f"/v1/managed-tables/{table.table_id}/recipe"
    return table.company.http.put(url, json={"load_rules": list(rules)}, headers=table.rows.headers())


def broken(files: Reports, rules: list[dict[str, Any]], text: str) -> list[tuple[str, str | None, str]]:
    table = table_of(files)
    answer = put(table, *rules)
    assert answer.status_code == 200, answer.text
    assert answer.json()["load_rules"] == rules
    recipe = files.analysis(files.wait(text, table.table_id, "replace")).recipe
    assert recipe is not None
    found = [one for one in recipe.differences if one.code == "LOAD_RULE_BROKEN"]
    assert (recipe.verdict == "stopped") is bool(found)
    return [(one.severity, one.column, one.text) for one in found]


@pytest.mark.parametrize(("rows", "is_broken"), [(19, False), (22, False), (17, True), (23, True)])
def test_rows_are_within_a_share_of_the_load_before(files: Reports, rows: int, is_broken: bool) -> None:
    found = broken(files, [{"kind": "rows_within", "percent": 10}], content(rows))
    assert bool(found) is is_broken
    assert not found or f"são {rows} linhas" in found[0][2]


@pytest.mark.parametrize(("text", "is_broken"), [(content(25), False), (content(20, first=3), True)])
def test_the_keys_of_the_table_are_kept(files: Reports, text: str, is_broken: bool) -> None:
    found = broken(files, [{"kind": "keeps_keys"}], text)
    assert bool(found) is is_broken
    assert not found or "2 chaves da tabela: 1, 2" in found[0][2]


@pytest.mark.parametrize(("total", "is_broken"), [("220,00", False), ("220,01", True), ("", False)])
def test_the_total_of_the_file_is_the_sum_of_its_rows(files: Reports, total: str, is_broken: bool) -> None:
    found = broken(files, [{"kind": "total_is_sum", "column": "valor"}], content(20, total=total))
    assert [(severity, name) for severity, name, _ in found] == [("stop", "valor")] * is_broken


def test_they_are_kept_by_the_recipe(files: Reports) -> None:
    """Also once another load has written it."""
    table = table_of(files)
    rules: list[dict[str, Any]] = [{"kind": "keeps_keys"}, {"kind": "rows_within", "percent": 300}]
    assert put(table, *rules).status_code == 200
    job_id = files.wait(content(30), table.table_id, "replace")
    files.confirm(job_id, [Column.model_validate(one) for one in table.get()["columns"]], LoadTerms())
    assert files.insert(job_id) == "done"
    url = f"/v1/managed-tables/{table.table_id}/recipe"
    assert table.company.http.get(url, headers=table.rows.headers()).json()["load_rules"] == rules


@pytest.mark.parametrize(
    "rule",
    [{"kind": "rows_within"}, {"kind": "total_is_sum", "column": "nada"}, {"kind": "outra"}],
)
def test_a_rule_that_says_nothing_is_refused(files: Reports, rule: dict[str, Any]) -> None:
    answer = put(table_of(files), rule)
    assert answer.status_code == 422
    assert answer.json()["details"][0]["path"].startswith("load_rules[0]")
