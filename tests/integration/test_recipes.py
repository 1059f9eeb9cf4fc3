"""Facts about what a table remembers of the files that fill it (extensions 8)."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from reports import COLUMNS, MAY, TERMS, Reports, ask, recipe_of
from tables_client import TableClient

from managed_tables.conversion.columns import ColumnChoice
from managed_tables.documents.statements import LoadTerms
from managed_tables.tables.recipes import change_recipe
from managed_tables_api import reanalysis


def test_a_load_leaves_a_recipe_told_by_what_the_file_says(reports: Reports) -> None:
    recipe = recipe_of(reports.load(MAY))
    told = {name: recipe[name] for name in ("version", "auto_confirm", "mode", "on_misfit", "timezone")}
    assert told == {
        "version": 1,
        "auto_confirm": "never",
        "mode": "append",
        "on_misfit": "reject",
        "timezone": reports.company.services.settings.default_timezone,
    }
    [table] = recipe["tables"]
    assert (table["kind"], table["delimiter"], table["header_lines"]) == ("csv", ";", 1)
    assert table["labels"] == ["Produto", "Vlr. Total", "Data"]
    assert any(text.startswith("Total geral") for text in table["skip_texts"])
    assert table["stated"] == []
    by_name = {one["name"]: one for one in recipe["columns"]}
    total = by_name["valor_total"]
    assert (total["source"], total["type"], total["decimal_mark"]) == ("Vlr. Total", "decimal", ",")
    assert total["null_tokens"] == ["n/d"]
    assert (by_name["data"]["date_order"], by_name["data"]["decimal_mark"]) == ("dmy", None)


def test_each_load_renews_it_unless_it_is_not_to_be_remembered(reports: Reports) -> None:
    table = reports.load(MAY)
    first = recipe_of(table)
    reports.load(MAY, table.table_id, terms=TERMS.model_copy(update={"remember": False}))
    assert recipe_of(table) == first
    assert ask(table, "PUT", {"auto_confirm": "unchanged"}).status_code == 200
    reports.load(MAY, table.table_id, mode="replace")
    renewed = recipe_of(table)
    assert (renewed["version"], renewed["mode"]) == (3, "append")  # one correction is no rule
    assert renewed["auto_confirm"] == "unchanged"  # a person's word: no load takes it back
    assert renewed["job_id"] != first["job_id"]


def test_it_is_changed_by_parts_and_forgotten(reports: Reports) -> None:
    table = reports.load(MAY)
    columns = [{"source": "Vlr. Total", "name": "valor_total", "decimal_mark": "."}]
    changed = ask(
        table, "PUT", {"on_misfit": "skip", "timezone": "America/Manaus", "columns": columns}
    ).json()
    assert (changed["version"], changed["on_misfit"], changed["timezone"]) == (2, "skip", "America/Manaus")
    [column] = changed["columns"]
    assert (column["name"], column["type"], column["decimal_mark"]) == ("valor_total", "decimal", ".")
    assert changed == recipe_of(table)
    assert ask(table, "PUT", {"columns": changed["columns"]}).json()["columns"] == changed["columns"]
    assert [ask(table, "DELETE").status_code for _ in range(2)] == [204, 204]
    for method, body in (("GET", None), ("PUT", {"on_misfit": "skip"})):
        answer = ask(table, method, body)
        assert (answer.status_code, answer.json()["code"]) == (404, "RECIPE_NOT_FOUND")
    assert recipe_of(reports.load(MAY, table.table_id))["version"] == 1


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"auto_confirm": "always"}, "auto_confirm"),
        ({"mode": "create"}, "mode"),
        ({"mode": "upsert"}, "mode"),
        ({"timezone": "Brasil"}, "timezone"),
        ({"version": 9}, "version"),
        ({"columns": [{"source": "X", "name": "nenhuma"}]}, "columns[0].name"),
        ({"columns": [{"source": "X", "name": "data"}] * 2}, "columns[1].name"),
        ({"columns": [{"source": "X", "name": "data", "date_order": "ydm"}]}, "columns[0].date_order"),
        (
            {"columns": [{"source": "X", "name": "data", "true_tokens": ["ok"], "false_tokens": ["OK "]}]},
            "columns[0].false_tokens",
        ),
    ],
)
def test_a_change_that_cannot_be_is_422_and_says_where(
    reports: Reports, body: dict[str, Any], path: str
) -> None:
    answer = ask(reports.load(MAY), "PUT", body)
    assert answer.status_code == 422
    assert answer.json()["details"][0]["path"] == path


def test_a_time_zone_that_the_database_does_not_know_is_422(
    reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each load under such a recipe would fail at the table's own database."""
    monkeypatch.setattr(reanalysis, "_zones", lambda: {"America/Manaus", "America/Nova_Cidade"})
    table = reports.load(MAY)
    before = recipe_of(table)
    columns = [{"source": "Data", "name": "data", "timezone": "America/Nova_Cidade"}]
    answer = ask(table, "PUT", {"timezone": "America/Manaus", "columns": columns})
    assert answer.status_code == 422
    [found] = answer.json()["details"]
    assert (found["path"], found["code"]) == ("columns[0].timezone", "UNKNOWN_TIMEZONE")
    assert recipe_of(table) == before


def test_a_zone_that_is_sent_back_as_it_is_refuses_no_other_change(
    reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recipe may be older than what its server knows: what is as it was changes nothing."""
    monkeypatch.setattr(reanalysis, "_zones", lambda: {"America/Nova_Cidade"})
    table = reports.load(MAY)
    services, company = reports.company.services, reports.company.company
    with services.open_company(company) as connection, connection.transaction():
        change_recipe(connection, table.table_id, {"timezone": "America/Nova_Cidade"})
    answer = ask(table, "PUT", {"timezone": "America/Nova_Cidade", "on_misfit": "skip"})
    assert (answer.status_code, answer.json().get("on_misfit")) == (200, "skip")


def test_it_follows_the_names_and_types_of_the_tables_columns(reports: Reports) -> None:
    table = reports.load(MAY)
    _, total, data = table.get()["columns"]
    renamed = {**total, "name": "total", "previous_name": "valor_total"}
    table.changed(columns=[renamed, {**data, "type": "text"}])
    assert [(one["source"], one["name"], one["type"]) for one in recipe_of(table)["columns"]] == [
        ("Vlr. Total", "total", "decimal"),
        ("Data", "data", "text"),
    ]


def test_a_column_that_is_gone_is_not_found_again_by_another_of_its_name(reports: Reports) -> None:
    """A load begun before it went forgets it; its label feeds no other of its name, but the one restored."""
    table = reports.load(MAY)
    produto, _, data = table.get()["columns"]
    job_id = reports.wait("Produto;Data\nmel;03/05/2026\n", table.table_id)
    table.changed(columns=[produto, data])
    reports.confirm(job_id, [COLUMNS[0], COLUMNS[2]], LoadTerms())
    assert reports.insert(job_id) == "done"
    columns = recipe_of(table)["columns"]
    assert [one["name"] for one in columns] == ["produto", "data"]
    assert ask(table, "PUT", {"columns": columns}).json()["columns"] == columns
    table.changed(columns=[{**produto, "name": "valor_total", "previous_name": "produto"}, data])
    fed = [(one["source"], one["name"]) for one in recipe_of(table)["columns"]]
    assert fed == [("Produto", "valor_total"), ("Data", "data")]
    table.changed(columns=[{**produto, "previous_name": "valor_total"}, data])
    url = f"/v1/managed-tables/{table.table_id}/columns/valor_total/restore"
    assert table.company.http.post(url, headers=table.rows.headers()).status_code == 200
    assert recipe_of(table)["columns"][2]["null_tokens"] == ["n/d"]


def test_two_jobs_of_one_table_at_once_leave_one_recipe(reports: Reports) -> None:
    table = reports.load(MAY)
    jobs = [reports.wait(MAY, table.table_id) for _ in range(2)]
    for job_id in jobs:
        reports.confirm(job_id)
    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(reports.insert, jobs)) == ["done"] * 2
    recipe = recipe_of(table)
    assert (recipe["version"], recipe["job_id"] in jobs) == (3, True)


def undo(table: TableClient, job_id: str) -> None:
    url = f"/v1/managed-tables/upload-jobs/{job_id}/undo"
    assert table.company.http.post(url, headers=table.rows.headers()).status_code == 200


def test_a_load_that_is_undone_leaves_the_one_of_before(reports: Reports) -> None:
    table = reports.load(MAY)
    first = recipe_of(table)
    reports.load(MAY, table.table_id, columns=COLUMNS[:2])
    wrong = recipe_of(table)
    assert wrong["columns"] == first["columns"][:2]
    undo(table, wrong["job_id"])
    assert recipe_of(table) == {**first, "version": 3, "updated_at": recipe_of(table)["updated_at"]}


def test_no_undo_brings_a_load_back_that_was_undone(reports: Reports) -> None:
    """In whatever order: the recipe is that of the newest load that stands."""
    table = reports.load(MAY)
    loads = [recipe_of(table)]
    for count in (1, 2):
        reports.load(MAY, table.table_id, columns=COLUMNS[:count])
        loads.append(recipe_of(table))
    undo(table, loads[1]["job_id"])
    assert recipe_of(table) == {**loads[2], "updated_at": recipe_of(table)["updated_at"]}
    undo(table, loads[2]["job_id"])
    assert recipe_of(table)["job_id"] == loads[0]["job_id"]
    assert recipe_of(table)["columns"] == loads[0]["columns"]


def test_the_undo_of_a_tables_only_load_leaves_no_recipe(reports: Reports) -> None:
    """The next file is not read as the one that was taken back; but a person's word since stays."""
    table = reports.load(MAY, terms=TERMS.model_copy(update={"remember": False}))
    assert ask(table).status_code == 404
    for is_changed in (False, True):
        reports.load(MAY, table.table_id)
        if is_changed:
            assert ask(table, "PUT", {"auto_confirm": "unchanged"}).status_code == 200
        undo(table, recipe_of(table)["job_id"])
        assert ask(table).status_code == (200 if is_changed else 404)


def test_loads_that_are_undone_one_by_one_each_leave_the_one_of_before(reports: Reports) -> None:
    """From the newest back, as many as eight."""
    table = reports.load(MAY)
    left = [recipe_of(table)]
    for number in range(9):
        reports.load(MAY, table.table_id, columns=COLUMNS[: 1 + number % 3])
        left.append(recipe_of(table))
    for before, undone in zip(reversed(left[1:-1]), reversed(left[2:]), strict=True):
        undo(table, undone["job_id"])
        changes = {"version", "updated_at"}
        assert {name: part for name, part in recipe_of(table).items() if name not in changes} == {
            name: part for name, part in before.items() if name not in changes
        }


def test_a_load_that_fails_leaves_none(reports: Reports) -> None:
    table = reports.load(MAY, terms=TERMS.model_copy(update={"remember": False}))
    job_id = reports.wait(MAY, table.table_id)
    misfit = LoadTerms(choices={"valor_total": ColumnChoice(source="produto")})
    reports.confirm(job_id, terms=misfit)
    assert (reports.insert(job_id), ask(table).status_code) == ("rejected", 404)
