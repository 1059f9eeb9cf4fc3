"""Facts about saved views of a table (extensions 10)."""

import json
import secrets
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from deployments import bearer
from rows_client import RowsCompany
from tables_client import TableClient, column, created

ANA, RUI = "5f00000000000000000000a1", "5f00000000000000000000b2"
COLUMNS = [column("produto"), column("valor", "decimal"), column("dia", "date")]
EMPTY = {"column": "dia", "op": "is_null", "value": True}
VIEW = {
    "name": "Maiores vendas",
    "where": {
        "and": [
            {"column": "valor", "op": "gte", "value": 10.50},
            {"not": {"column": "dia", "op": "is_null", "value": True}},
        ]
    },
    "q": "café",
    "sort": ["-valor", "id"],
    "columns": [{"name": "valor", "width": 240, "frozen": True}, {"name": "dia", "hidden": True}],
    "group_by": ["produto"],
    "totals": {"valor": "sum", "dia": "max"},
    "row_height": 32,
}


@pytest.fixture
def table(rows_company: RowsCompany) -> Iterator[TableClient]:
    yield created(rows_company, *COLUMNS, display_name=f"views_{secrets.token_hex(5)}")
    rows_company.drop_tables()


def call(
    table: TableClient, method: str, path: str = "", body: Any = None, user: str = ANA, **query: Any
) -> tuple[int, Any]:
    """Return the status and the body of an answer, numbers exact."""
    secret, company_id = table.company.services.jwt_secret, table.company.company.company_id
    answer = table.company.http.request(
        method,
        f"/v1/managed-tables/{table.table_id}/views{path}",
        params=query,
        content=body if isinstance(body, str | None) else json.dumps(body),
        headers=bearer(secret, company_id, sub=user, permissions=["managed-tables:data-read"]),
    )
    return answer.status_code, json.loads(answer.text, parse_float=Decimal) if answer.text else None


def saved(table: TableClient, user: str = ANA, **fields: Any) -> dict[str, Any]:
    status, view = call(table, "POST", "", {**VIEW, **fields}, user)
    assert status == 201, view
    found: dict[str, Any] = view
    return found


def opened(table: TableClient, view: dict[str, Any], user: str = ANA) -> dict[str, Any]:
    status, found = call(table, "GET", f"/{view['_id']}", user=user)
    assert status == 200, found
    shown: dict[str, Any] = found
    return shown


def names(table: TableClient, user: str, **query: Any) -> tuple[int, list[str]]:
    status, page = call(table, "GET", user=user, **query)
    assert (status, page["quantity"]) == (200, len(page["records"]))
    return page["total"], [one["name"] for one in page["records"]]


def test_a_view_is_saved_opened_changed_and_deleted(table: TableClient) -> None:
    """Numbers keep their digits; a change leaves what it does not name, and takes away by null."""
    text = json.dumps(VIEW).replace("10.5", "10.50000000000000000000001")
    status, view = call(table, "POST", "", text)
    assert (status, view["user_id"], view["shared"], view["warnings"]) == (201, ANA, False, [])
    assert view["where"]["and"][0]["value"] == Decimal("10.50000000000000000000001")
    assert {name: view[name] for name in VIEW if name != "where"} == {
        name: value for name, value in VIEW.items() if name != "where"
    }
    assert opened(table, view) == view
    status, changed = call(table, "PUT", f"/{view['_id']}", {"name": " Vendas ", "q": None, "shared": True})
    assert (status, changed["name"], changed["q"], changed["shared"]) == (200, "Vendas", None, True)
    assert {**changed, "name": "", "q": "", "shared": "", "updated_at": ""} == {
        **view, "name": "", "q": "", "shared": "", "updated_at": ""
    }  # fmt: skip
    assert call(table, "DELETE", f"/{view['_id']}") == (204, None)
    assert call(table, "GET", f"/{view['_id']}")[0] == 404
    assert call(table, "DELETE", f"/{view['_id']}")[1]["code"] == "VIEW_NOT_FOUND"


def test_a_person_sees_their_own_views_and_those_that_are_shared(table: TableClient) -> None:
    """By name, in pages; another's is changed by nobody else, and is not there unless it is shared."""
    private, shared = saved(table, name="b"), saved(table, name="C", shared=True)
    saved(table, RUI, name="a", shared=True)
    assert names(table, ANA) == (3, ["a", "b", "C"])
    assert names(table, RUI) == (2, ["a", "C"])
    assert names(table, ANA, page=2, per_page=2) == (3, ["C"])
    assert names(table, ANA, page=3, per_page=2) == (3, [])
    assert opened(table, shared, RUI) == shared
    for method, body in (("GET", None), ("PUT", {"name": "x"}), ("DELETE", None)):
        assert call(table, method, f"/{private['_id']}", body, RUI)[1]["code"] == "VIEW_NOT_FOUND"
    for method, body in (("PUT", {"name": "x"}), ("DELETE", None)):
        status, refused = call(table, method, f"/{shared['_id']}", body, RUI)
        assert (status, refused["code"]) == (403, "VIEW_OF_ANOTHER")
    other = created(table.company, *COLUMNS)
    assert call(other, "GET", f"/{shared['_id']}")[0] == 404
    assert names(other, ANA) == (0, [])


def test_a_name_is_taken_once_for_each_owner(table: TableClient) -> None:
    first = saved(table, name="x")
    second = saved(table, name="y")
    saved(table, RUI, name="x")
    for method, path in (("POST", ""), ("PUT", f"/{second['_id']}")):
        body = {**VIEW, "name": " x "}
        status, refused = call(table, method, path, body)
        assert (status, refused["code"]) == (409, "DUPLICATE_NAME")
    assert call(table, "PUT", f"/{first['_id']}", {"name": "x"})[0] == 200
    assert call(created(table.company, *COLUMNS), "POST", "", {**VIEW, "name": "x"})[0] == 201


def test_a_view_of_a_column_that_is_gone_opens_without_it_and_says_so(table: TableClient) -> None:
    """A renamed column is followed; one that is restored is in the view again."""
    view = saved(table)
    table.changed(columns=[column("item", previous_name="produto"), column("dia", "date")])
    found = opened(table, view)
    assert found["where"] == {"and": [VIEW["where"]["and"][1]]}  # type: ignore[index]
    assert (found["sort"], found["group_by"], found["totals"]) == (["id"], ["item"], {"dia": "max"})
    assert found["columns"] == [{"name": "dia", "hidden": True}]
    (warning,) = found["warnings"]
    assert (warning["code"], warning["columns"]) == ("COLUMN_GONE", ["valor"])
    assert "valor" in warning["text"]
    query = {"where": found["where"], "sort": found["sort"]}
    assert table.rows.call("POST", "/query", query).status == 200
    new = [column("item"), column("dia", "date"), column("valor", "decimal")]
    table.changed(columns=new)  # another column, which has the name
    assert opened(table, view) == found
    status, put = call(table, "PUT", f"/{view['_id']}", {"sort": ["-dia"]})  # what it does not name stays
    assert (status, put) == (200, {**found, "sort": ["-dia"], "updated_at": put["updated_at"]})
    table.changed(columns=[*new[:2], column("preco", "decimal", previous_name="valor")])
    restored = table.company.http.post(
        f"/v1/managed-tables/{table.table_id}/columns/valor/restore", headers=table.rows.headers()
    )
    assert restored.status_code == 200, restored.text
    again = opened(table, view)
    assert (again["totals"], again["warnings"]) == (VIEW["totals"], [])
    assert (again["where"], again["columns"]) == (VIEW["where"], VIEW["columns"])
    assert (again["sort"], again["group_by"]) == (["-dia"], ["item"])


def test_what_no_longer_suits_a_columns_type_is_left_out_and_told(table: TableClient) -> None:
    view = saved(table, where={"or": [{"column": "produto", "op": "contains", "value": "x"}, EMPTY]})
    table.changed(columns=[column("produto", "integer"), column("valor", "text"), column("dia", "date")])
    found = opened(table, view)
    assert (found["where"], found["totals"]) == ({"or": [EMPTY]}, {"dia": "max"})
    assert [(one["code"], one["columns"]) for one in found["warnings"]] == [
        ("COLUMN_CHANGED", ["produto", "valor"])
    ]


@pytest.mark.parametrize(
    ("fields", "path", "code"),
    [
        ({"name": " "}, "name", "REQUIRED"),
        ({"name": "a\0"}, "name", "INVALID_CHARACTER"),
        ({"where": {"column": "x", "op": "eq", "value": 1}}, "where.column", "UNKNOWN_COLUMN"),
        ({"sort": ["x"]}, "sort", "UNKNOWN_COLUMN"),
        ({"columns": [{"name": "dia"}, {"name": "dia"}]}, "columns[1].name", "DUPLICATE_NAME"),
        ({"columns": [{"name": "dia", "size": 1}]}, "columns[0].size", "UNKNOWN_FIELD"),
        ({"columns": [{"name": "x"}]}, "columns[0].name", "UNKNOWN_COLUMN"),
        ({"group_by": ["x"]}, "group_by[0]", "UNKNOWN_COLUMN"),
        ({"totals": {"x": "sum"}}, "totals.x", "UNKNOWN_COLUMN"),
        ({"totals": {"dia": "sum"}}, "totals.dia", "OPERATOR_NOT_FOR_TYPE"),
        ({"totals": {"valor": "median"}}, "totals.valor", "NOT_ALLOWED"),
        ({"q": "\0"}, "q", "INVALID_CHARACTER"),
        ({"shared": "yes"}, "shared", "NOT_A_BOOLEAN"),
        ({"filter": {}}, "filter", "UNKNOWN_FIELD"),
    ],
    ids=str,
)
def test_a_wrong_view_is_named(table: TableClient, fields: dict[str, Any], path: str, code: str) -> None:
    status, refused = call(table, "POST", "", {**VIEW, **fields})
    assert (status, refused["code"]) == (422, "INVALID_REQUEST"), refused
    assert [(one["path"], one["code"]) for one in refused["details"]] == [(path, code)]
    assert names(table, ANA) == (0, [])


def test_a_wrong_height_has_its_path(table: TableClient) -> None:
    _, refused = call(table, "POST", "", {**VIEW, "row_height": 0, "constrained-int": 1})
    assert {one["path"] for one in refused["details"]} == {"row_height", "constrained-int"}


def test_a_name_that_is_too_long_is_counted_in_characters(table: TableClient) -> None:
    for method, path in (("POST", ""), ("PUT", f"/{saved(table)['_id']}")):
        (found,) = call(table, method, path, {"name": "x" * 201})[1]["details"]
        assert (found["code"], found["reason"]) == ("TOO_LONG", "deve ter no máximo 200 caracteres")
