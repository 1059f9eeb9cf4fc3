"""Facts about confirming the inferred columns as they were answered (extensions 13)."""

from typing import Any

import httpx2
import pytest
from reports import COLUMNS, MAY, TERMS, Reports
from tables_client import TableClient

from managed_tables.documents.statements import ReadingStatement
from managed_tables_analyze.handler import analyze_job
from managed_tables_api.reanalysis import reanalyze_job

JUNE = MAY.replace("/05/", "/06/").replace("café", "leite").replace("pão", "mel")
LOADED = [("leite", "1234.50", "2026-06-01"), ("mel", None, "2026-06-02")]


@pytest.fixture
def table(reports: Reports) -> TableClient:
    """A table whose recipe leads `Vlr. Total` to the column `valor_total`."""
    return reports.load(MAY)


def answered(table: TableClient, job_id: str) -> list[dict[str, Any]]:
    """Return the inferred columns as the API answers them."""
    path = f"/v1/managed-tables/upload-jobs/{job_id}"
    job = table.company.http.get(path, headers=table.rows.headers()).json()
    columns: list[dict[str, Any]] = job["inferred_schema"]["columns"]
    return columns


def confirm(table: TableClient, job_id: str, columns: list[dict[str, Any]]) -> httpx2.Response:
    """Send the columns back as the schema."""
    body = {"display_name": table.name, "columns": columns}
    path = f"/v1/managed-tables/upload-jobs/{job_id}/confirm"
    return table.company.http.post(path, json=body, headers=table.rows.headers())


def loaded(reports: Reports, table: TableClient, job_id: str, columns: list[dict[str, Any]]) -> list[str]:
    """Confirm the columns, load them, and return the names of the table's columns."""
    answer = confirm(table, job_id, columns)
    assert answer.status_code == 200, answer.text
    assert reports.insert(job_id) == "done", reports.job(job_id).error
    return [one["name"] for one in table.get()["columns"]]


def test_under_a_recipe_they_fill_what_the_plan_says(reports: Reports, table: TableClient) -> None:
    """By the table's types and the choices that it remembers (`n/d` is empty)."""
    job_id = reports.wait(JUNE, table.table_id)
    columns = answered(table, job_id)
    assert [one["name"] for one in columns] == ["produto", "vlr_total", "data"]
    assert loaded(reports, table, job_id, columns) == ["produto", "valor_total", "data"]
    assert reports.rows()[2:] == LOADED


def test_so_do_columns_that_say_no_more_than_the_contract_asks(reports: Reports, table: TableClient) -> None:
    job_id = reports.wait(JUNE, table.table_id)
    asked = ("name", "display_name", "type", "nullable")
    columns = [{name: one[name] for name in asked} for one in answered(table, job_id)]
    assert loaded(reports, table, job_id, columns) == ["produto", "valor_total", "data"]
    assert reports.rows()[2:] == LOADED


def test_a_column_for_which_the_table_has_none_is_sent_as_a_new_one(
    reports: Reports, table: TableClient
) -> None:
    """`table_column: null`; whatever the file shows, rows that were there before have no value in it."""
    job_id = reports.wait(JUNE.replace("n/d", "1,00"), table.table_id)
    columns = answered(table, job_id)
    columns[1] |= {"table_column": None, "nullable": False}
    columns[2] |= {"table_column": None, "nullable": False}
    names = loaded(reports, table, job_id, columns)
    assert names == ["produto", "valor_total", "data", "vlr_total", "data_2"]
    assert all(one["nullable"] for one in table.get()["columns"])


def test_a_column_that_the_recipe_leaves_out_stays_out(reports: Reports, table: TableClient) -> None:
    """Answered as `table_column: null`, it comes in only where it is sent otherwise than it was answered."""
    with_note = "Nota;Produto;Vlr. Total;Data\n1;leite;1.234,50;01/06/2026\n2;mel;n/d;02/06/2026\n"
    first = reports.wait(with_note, table.table_id)
    columns = [one for one in answered(table, first) if one["name"] != "nota"]
    assert loaded(reports, table, first, columns) == ["produto", "valor_total", "data"]
    again = reports.wait(with_note.replace("/06/", "/07/"), table.table_id)
    columns = answered(table, again)
    assert (columns[0]["name"], columns[0]["table_column"]) == ("nota", None)
    assert loaded(reports, table, again, columns) == ["produto", "valor_total", "data"]
    third = reports.wait(with_note.replace("/06/", "/08/"), table.table_id)
    columns = answered(table, third)
    del columns[0]["source"]
    assert loaded(reports, table, third, columns) == ["produto", "valor_total", "data", "nota"]


def test_a_column_goes_where_its_own_table_column_says(reports: Reports, table: TableClient) -> None:
    """A person's word, against the plan."""
    content = JUNE.replace("Data", "Dia")
    job_id = reports.wait(content, table.table_id)
    columns = answered(table, job_id)
    assert columns[2]["table_column"] is None
    columns[2]["table_column"] = {"name": "data"}
    assert loaded(reports, table, job_id, columns) == ["produto", "valor_total", "data"]
    assert reports.rows()[2:] == LOADED
    another = reports.wait(content.replace("/06/", "/07/"), table.table_id)
    columns = answered(table, another)
    columns[2]["table_column"] = {"name": "quando"}
    [fault] = confirm(table, another, columns).json()["details"]
    assert (fault["path"], fault["code"]) == ("columns[2].table_column", "UNKNOWN_COLUMN")


def test_two_columns_of_a_file_never_fill_one(reports: Reports, table: TableClient) -> None:
    job_id = reports.wait(JUNE, table.table_id)
    columns = answered(table, job_id)
    columns[2] |= {"table_column": columns[1]["table_column"]}
    answer = confirm(table, job_id, columns)
    assert (answer.status_code, answer.json()["details"][0]["code"]) == (422, "DUPLICATE_NAME")


@pytest.mark.parametrize("label", ["Data", "Vlr. Total"])
def test_what_belongs_to_the_type_before_is_left_out(reports: Reports, label: str) -> None:
    """A person who changes a type need not touch the format, the mark and the order that came with it."""
    job_id = reports.wait(MAY.replace("n/d", "1,00"))
    table = TableClient(reports.company, "", reports.name)
    columns = answered(table, job_id)
    [changed] = [one for one in columns if one["source"] == label]
    assert changed["format"]
    changed |= {"type": "text", "decimal_mark": ",", "date_order": "dmy"}
    answer = confirm(table, job_id, columns)
    assert answer.status_code == 200, answer.text
    shown = table.company.http.get(
        f"/v1/managed-tables/upload-jobs/{job_id}", headers=table.rows.headers()
    ).json()["confirmed_schema"]["columns"]
    [kept] = [one for one in shown if one["name"] == changed["name"]]
    assert not {"format", "decimal_mark", "date_order"} & {*kept}
    assert reports.insert(job_id) == "done"


@pytest.mark.parametrize(
    ("place", "change"),
    [
        (0, {"format": {"decimals": 2}}),  # of a text, which was never a number
        (2, {"type": "text", "format": {"date": "month", "decimals": 2}}),
        (1, {"format": {"date": "date"}}),
        (1, {"type": "money"}),
        (1, {"type": "text", "decimal_mark": "'"}),
    ],
)
def test_values_that_no_type_has_are_refused(reports: Reports, place: int, change: dict[str, Any]) -> None:
    job_id = reports.wait(MAY)
    table = TableClient(reports.company, "", reports.name)
    columns = answered(table, job_id)
    columns[place] |= change
    assert confirm(table, job_id, columns).status_code == 422


def test_a_plan_whose_column_is_gone_is_refused(reports: Reports, table: TableClient) -> None:
    """Nothing is loaded into a column that was renamed since, and no new one takes its name."""
    job_id = reports.wait(JUNE, table.table_id)
    columns = answered(table, job_id)
    kept = table.get()["columns"]
    kept[1] |= {"name": "total", "previous_name": "valor_total"}
    table.changed(columns=kept)
    [fault] = confirm(table, job_id, columns).json()["details"]
    assert (fault["path"], fault["code"]) == ("columns[1].table_column", "UNKNOWN_COLUMN")


@pytest.mark.parametrize("renamed", [True, False])
def test_a_column_that_is_gone_since_the_review_comes_in_by_no_mapping(
    reports: Reports, table: TableClient, renamed: bool
) -> None:
    """Renamed or taken away by another: no new column takes its name until the files are read again."""
    job_id = reports.wait(JUNE, table.table_id)
    kept = table.get()["columns"]
    kept[1] |= {"name": "total", "previous_name": "valor_total"}
    table.changed(columns=kept if renamed else [kept[0], kept[2]])
    mapped = [
        {"name": one.name, "display_name": one.display_name, "type": one.type, "nullable": True}
        for one in COLUMNS
    ]
    mapped[1] |= {"source": "vlr_total", "null_tokens": ["n/d"]}
    [fault] = confirm(table, job_id, mapped).json()["details"]
    assert (fault["path"], fault["code"]) == ("columns[1].name", "UNKNOWN_COLUMN")
    reanalyze_job(reports.company.services, reports.job(job_id), ReadingStatement())
    analyze_job(reports.company.services, reports.company.company.company_id, job_id)
    reports.let_wait(job_id)
    names = ["produto", "total", "data"] if renamed else ["produto", "data"]
    assert loaded(reports, table, job_id, mapped) == [*names, "valor_total"]


def test_a_mapping_by_source_holds_beside_them(reports: Reports, table: TableClient) -> None:
    job_id = reports.wait(JUNE, table.table_id)
    reports.confirm(job_id, COLUMNS, TERMS)
    assert reports.insert(job_id) == "done"
    assert reports.rows()[2:] == LOADED
