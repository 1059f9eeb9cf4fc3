"""Titles, descriptions, defaults and versions of tables (extensions 4), over HTTP and in PostgreSQL."""

import json
from typing import Any

import pytest
from rows_client import RowsClient, RowsCompany
from tables_client import TableClient, column, create, created

NUMBER = "98765432109876543210.123456789012345678901234567890"


def test_a_table_has_a_title_and_a_description_if_set(rows_company: RowsCompany) -> None:
    """Both are given at creation or in an update, stay if not given again, and are removed by null."""
    table = created(rows_company, column("a"), title="Vendas", description="Do mês")
    assert (table.get()["title"], table.get()["description"]) == ("Vendas", "Do mês")
    assert table.changed(title="Compras")["description"] == "Do mês"
    assert table.changed(title=None, description="")["title"] is None
    assert table.get()["description"] is None
    plain = created(rows_company, column("a"))
    assert (plain.get()["title"], plain.get()["description"]) == (None, None)


def test_free_texts_have_limits(rows_company: RowsCompany) -> None:
    """A title has 200 characters, a label 500, a description 2,000, a column's too; NUL is refused."""
    table = created(rows_company, column("a"), title="ã" * 200, description="ã" * 2_000)
    described = column("a", description="x" * 2_001)
    for body, path in (
        ({"title": "x" * 201}, "title"),
        ({"description": "x" * 2_001}, "description"),
        ({"title": "\0"}, "title"),
        ({"columns": [described]}, "columns[0].description"),
        ({"columns": [column("a", display_name="x" * 501)]}, "columns[0].display_name"),
    ):
        answer = table.put(**body)
        assert answer.status_code == 422, body
        assert answer.json()["code"] == "INVALID_SCHEMA"
        assert answer.json()["details"][0]["path"] == path
    assert table.get()["title"] == "ã" * 200
    assert (
        table.changed(columns=[column("a", display_name="ã" * 500)])["columns"][0]["display_name"]
        == "ã" * 500
    )
    assert create(rows_company, described).status_code == 422


def test_a_column_has_default_and_description_only_if_set(rows_company: RowsCompany) -> None:
    """A plain column has the contract's four fields; a rename keeps the others, null removes them."""
    rich = column("a", "integer", default=7, description="Quantos")
    table = created(rows_company, column("b"), rich)
    assert table.get()["columns"] == [column("b"), rich]
    renamed = column("c", "integer", previous_name="a")
    assert table.changed(columns=[column("b"), renamed])["columns"][1] == {**rich, "name": "c"} | {
        "display_name": "C"
    }
    cleared = column("c", "integer", default=None, description=None)
    assert table.changed(columns=[column("b"), cleared])["columns"] == [column("b"), column("c", "integer")]


DEFAULTS: list[tuple[str, Any, Any]] = [
    ("text", "São Paulo", "São Paulo"),
    ("text", "now", "now"),
    ("integer", -(2**63), -(2**63)),
    ("decimal", 12.5, 12.5),
    ("boolean", False, False),
    ("date", "2026-01-31", "2026-01-31"),
    ("datetime", "2026-01-31T10:30:00.5Z", "2026-01-31T10:30:00.5Z"),
]


@pytest.mark.parametrize(("type_", "default", "value"), DEFAULTS)
def test_a_default_applies_to_rows_that_do_not_name_the_column(
    rows_company: RowsCompany, type_: str, default: Any, value: Any
) -> None:
    """Rows inserted without the column have the default, an explicit null stays null."""
    table = created(rows_company, column("a"), column("b", type_, default=default))
    assert table.get()["columns"][1]["default"] == value
    table.rows.insert({"a": "x"}, {"a": "y", "b": None}, {})
    assert [row[0] for row in table.values("b")] == [value, None, value]


def test_a_default_is_kept_digit_for_digit(rows_company: RowsCompany) -> None:
    """Fifty digits given as a JSON number are stored, returned and inserted unchanged."""
    body = json.dumps(
        {"display_name": "digitos", "columns": [column("a"), column("b", "decimal", default=0)]}
    )
    table = created(rows_company, column("a"))
    body = json.dumps({"columns": [column("a"), column("b", "decimal", default="?")]}).replace('"?"', NUMBER)
    answer = rows_company.http.put(
        f"/v1/managed-tables/{table.table_id}", content=body, headers=table.rows.headers()
    )
    assert answer.status_code == 200, answer.text
    assert f'"default":{NUMBER}' in answer.text
    table.rows.insert({"a": "x"})
    assert NUMBER in table.rows.call("GET").text


@pytest.mark.parametrize(
    ("type_", "default", "code"),
    [
        ("text", 5, "NOT_A_TEXT"),
        ("integer", "x", "NOT_AN_INTEGER"),
        ("integer", 1.5, "NOT_AN_INTEGER"),
        ("decimal", True, "NOT_A_DECIMAL"),
        ("boolean", 1, "NOT_A_BOOLEAN"),
        ("boolean", "now", "NOT_A_BOOLEAN"),
        ("date", "31/01/2026", "NOT_A_DATE"),
        ("datetime", [], "NOT_A_DATETIME"),
    ],
)
def test_a_default_is_a_value_of_the_columns_type(
    rows_company: RowsCompany, type_: str, default: Any, code: str
) -> None:
    """Anything else is 422 naming the column, of a new table and of a changed one."""
    columns = [column("a"), column("b", type_, default=default)]
    table = created(rows_company, column("a"))
    changed = rows_company.http.put(
        f"/v1/managed-tables/{table.table_id}", json={"columns": columns}, headers=table.rows.headers()
    )
    for answer in (create(rows_company, *columns), changed):
        assert answer.status_code == 422
        [detail] = answer.json()["details"]
        assert (detail["path"], detail["column"], detail["code"]) == ("columns[1].default", "b", code)


@pytest.mark.parametrize("type_", [{}, [None], None, 5, "money"])
def test_a_default_of_no_type_is_refused_by_its_type(rows_company: RowsCompany, type_: Any) -> None:
    answer = create(rows_company, column("a"), {**column("b"), "type": type_, "default": "x"})
    assert (answer.status_code, answer.json()["details"][0]["path"]) == (422, "columns[1].type")


def test_only_the_first_faults_of_a_definition_are_listed(rows_company: RowsCompany) -> None:
    """20 of them are listed, and `details_total` says how many there are."""
    answer = create(rows_company, *[column("")] * 30).json()
    assert (len(answer["details"]), answer["details_total"]) == (20, 30)


def test_now_is_the_moment_of_insertion(rows_company: RowsCompany) -> None:
    """`now` fills dates and times by the clock; PostgreSQL has the default too."""
    table = created(
        rows_company, column("a"), column("d", "date", default="now"), column("t", "datetime", default="now")
    )
    table.rows.insert({"a": "x"})
    table.sql("INSERT INTO {t} (id, a) VALUES (gen_random_uuid(), 'y')")
    found = table.sql("SELECT d = (now() AT TIME ZONE 'UTC')::date, now() - t < interval '5 min' FROM {t}")
    assert found == [(True, True), (True, True)]


def test_a_default_lets_a_required_column_be_added_to_rows(rows_company: RowsCompany) -> None:
    """Existing rows get it; without a default the column is refused as before."""
    table = created(rows_company, column("a"))
    table.rows.insert({"a": "x"})
    required = column("b", "integer", nullable=False)
    assert table.put(columns=[column("a"), required]).status_code == 422
    table.changed(columns=[column("a"), {**required, "default": 3}])
    table.rows.insert({"a": "y"})
    assert table.values("b") == [(3,), (3,)]


def test_a_converted_column_keeps_a_default_of_the_same_value(rows_company: RowsCompany) -> None:
    """Integer to decimal and to text keep it, any other change of type drops it."""
    table = created(rows_company, column("a", "integer", default=5), column("k"))
    assert table.changed(columns=[column("a", "decimal"), column("k")])["columns"][0]["default"] == 5
    assert table.changed(columns=[column("a", "text"), column("k")])["columns"][0]["default"] == "5"
    table.rows.insert({"k": "x"})
    assert "default" not in table.changed(columns=[column("a", "integer"), column("k")])["columns"][0]
    table.rows.insert({"k": "y"})
    assert table.values("a") == [(5,), (None,)]


def test_a_hidden_columns_default_no_longer_applies(rows_company: RowsCompany) -> None:
    """A row inserted later does not get it, even if the column was required."""
    table = created(rows_company, column("a"), column("b", nullable=False, default="x"))
    table.changed(columns=[column("a")])
    table.rows.insert({"a": "1"})
    assert table.sql("SELECT to_jsonb(t) - 'id' FROM {t} AS t") == [({"a": "1"},)]


def version_of(table: TableClient) -> int:
    version = table.get()["version"]
    assert isinstance(version, int)
    return version


def test_every_change_of_the_definition_raises_the_version(rows_company: RowsCompany) -> None:
    """It is a number that rises with each change, and stays if nothing or only rows change."""
    table = created(rows_company, column("a"))
    before = version_of(table)
    table.rows.insert({"a": "x"})
    table.changed(title=None)
    assert version_of(table) == before
    assert table.changed(title="Vendas")["version"] > before


def test_an_update_with_another_version_is_refused(rows_company: RowsCompany) -> None:
    """`version` in the body, or If-Match (a tag of the table, the version in quotes, *): else 412."""
    table = created(rows_company, column("a"))
    version = version_of(table)
    refused = table.put(title="x", version=version + 1)
    assert (refused.status_code, refused.json()["code"]) == (412, "TABLE_CHANGED")
    for tag in (f'"{version + 1}"', f'"v{version + 1}-abc"', f'W/"v{version + 1}-abc"', '"outra"'):
        assert table.call("PATCH", {"title": "x"}, **{"If-Match": tag}).status_code == 412, tag
    assert table.get()["title"] is None
    for tag in (f'"{version}"', f'"v{version}-abc"', "*", f'"1000", "{version}"'):
        answer = table.call("PATCH", {"title": None}, **{"If-Match": tag})
        assert answer.status_code == 200, (tag, answer.text)
    assert table.changed(title="y", version=version)["title"] == "y"
    assert table.put(title="z", version=version).status_code == 412
    assert table.call("PUT", {"title": "z"}, **{"If-Match": "qualquer"}).status_code == 422


def test_a_list_that_is_too_large_is_refused_before_it_is_made(
    rows_company: RowsCompany, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hundred tables of 1,500 columns would be 100 MB; fewer per page are returned."""
    for _ in range(3):
        created(rows_company, *(column(f"c{number}", display_name="x" * 500) for number in range(20)))
    limited = rows_company.services.settings.model_copy(update={"response_max_bytes": 20_000})
    monkeypatch.setattr(rows_company.services, "settings", limited)
    headers = RowsClient(rows_company.services, rows_company.company, rows_company.http, "").headers()
    answers = [
        rows_company.http.get(f"/v1/managed-tables?per_page={count}", headers=headers) for count in (100, 1)
    ]
    assert [answer.status_code for answer in answers] == [422, 200]
    assert answers[0].json()["code"] == "RESPONSE_TOO_LARGE"
    assert answers[1].json()["quantity"] == 1


def test_a_column_has_a_format_only_if_set(rows_company: RowsCompany) -> None:
    """It is kept by what does not name it, taken away by null, and lost with the type that it suits."""
    money = {"thousands": True, "decimals": 2, "currency": "BRL"}
    table = created(
        rows_company,
        column("a", "decimal", format=money),
        column("b", "date", format={"date": "month"}),
        column("c", "integer", format={}),
    )
    assert [one.get("format") for one in table.get()["columns"]] == [money, {"date": "month"}, None]
    assert ["format" in one for one in table.get()["columns"]] == [True, True, False]
    renamed = table.changed(
        columns=[
            column("v", "decimal", previous_name="a"),
            column("b", "date", format=None),
            column("c", "integer", format={"thousands": False}),
        ]
    )
    assert [one.get("format") for one in renamed["columns"]] == [money, None, {"thousands": False}]
    assert renamed["version"] == 2
    changed = table.changed(columns=[column("v", "text"), column("b", "date"), column("c", "decimal")])
    assert [one.get("format") for one in changed["columns"]] == [None, None, {"thousands": False}]


@pytest.mark.parametrize(
    ("type_", "format_", "path", "code"),
    [
        ("decimal", {"decimals": 11}, ".decimals", "TOO_LARGE"),
        ("decimal", {"decimals": -1}, ".decimals", "TOO_SMALL"),
        ("decimal", {"decimals": "2"}, ".decimals", "NOT_AN_INTEGER"),
        ("decimal", {"currency": "GBP"}, ".currency", "NOT_ALLOWED"),
        ("decimal", {"thousands": 1}, ".thousands", "NOT_A_BOOLEAN"),
        ("date", {"date": "week"}, ".date", "NOT_ALLOWED"),
        ("decimal", {"mask": "0,00"}, ".mask", "UNKNOWN_FIELD"),
        ("decimal", "0,00", "", "NOT_AN_OBJECT"),
        ("decimal", {"date": "year"}, "", "NOT_ALLOWED"),
        ("text", {"thousands": False}, "", "NOT_ALLOWED"),
    ],
    ids=str,
)
def test_a_wrong_format_is_named(
    rows_company: RowsCompany, type_: str, format_: Any, path: str, code: str
) -> None:
    answer = create(rows_company, column("x", type_, format=format_))
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_SCHEMA"), answer.text
    (found,) = answer.json()["details"]
    assert (found["path"], found["column"], found["code"]) == (f"columns[0].format{path}", "x", code)
