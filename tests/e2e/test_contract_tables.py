"""The contract, "Tables CRUD": list, get, create and delete. Updating has its own file."""

import re
from typing import Any

import pytest
from client import Console, column, new_id

TABLE_FIELDS = {
    "_id",
    "company_id",
    "connection_id",
    "display_name",
    "columns",
    "source",
    "status",
    "row_count",
    "created_by_user_id",
    "created_at",
    "updated_at",
}
UTC_MILLISECONDS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
RECORD_ID = re.compile(r"[0-9a-f]{24}")

CONTRACT_EXAMPLE = {
    "display_name": "vendas_mensais",
    "columns": [
        {"name": "produto", "display_name": "Product", "type": "text", "nullable": False},
        {"name": "valor", "display_name": "Value", "type": "decimal", "nullable": True},
    ],
}


def names(page: dict[str, Any]) -> list[str]:
    return [record["display_name"] for record in page["records"]]


# --- create -------------------------------------------------------------------------------------------
def test_create_returns_the_table(company: Console) -> None:
    """POST creates a table from the contract's example: 201 with every documented field."""
    answer = company.call("POST", "", CONTRACT_EXAMPLE)
    table = answer.json
    assert answer.status == 201
    assert set(table) >= TABLE_FIELDS
    assert table["display_name"] == "vendas_mensais"
    assert table["columns"] == CONTRACT_EXAMPLE["columns"]
    assert (table["source"], table["status"], table["row_count"]) == ("manual", "active", 0)


def test_create_returns_the_same_as_get(company: Console) -> None:
    """The answer to a creation has the same shape and content as GET /:id."""
    created = company.ok("POST", "", CONTRACT_EXAMPLE)
    assert company.table(created["_id"]) == created


def test_ids_are_24_hex_digits(company: Console) -> None:
    """`_id`, `company_id`, `connection_id` and `created_by_user_id` are 24 hex digits: the caller's own."""
    table = company.create_table()
    assert RECORD_ID.fullmatch(table["_id"])
    assert table["connection_id"] == company.ok("GET", "/status")["connection_id"]
    assert table["company_id"] == company.company_id
    assert table["created_by_user_id"] == company.user_id


def test_times_are_utc_with_milliseconds(company: Console) -> None:
    """`created_at` and `updated_at` are UTC with milliseconds and `Z`."""
    table = company.create_table()
    assert UTC_MILLISECONDS.fullmatch(table["created_at"])
    assert UTC_MILLISECONDS.fullmatch(table["updated_at"])


@pytest.mark.parametrize("missing", ["display_name", "columns"])
def test_create_requires_each_field(company: Console, missing: str) -> None:
    """`display_name` and `columns` are required: 422 without one."""
    body = {name: value for name, value in CONTRACT_EXAMPLE.items() if name != missing}
    assert company.call("POST", "", body).status == 422


@pytest.mark.parametrize("missing", ["name", "display_name", "type", "nullable"])
def test_create_requires_each_field_of_a_column(company: Console, missing: str) -> None:
    """A column's `name`, `display_name`, `type` and `nullable` are required: 422 without one."""
    partial = {name: value for name, value in column("produto").items() if name != missing}
    assert company.call("POST", "", {"display_name": "vendas", "columns": [partial]}).status == 422


@pytest.mark.parametrize(
    "columns",
    [[], None, {}, "produto", [1], [column("a", "varchar")], [column("a") | {"nullable": "true"}]],
    ids=str,
)
def test_create_refuses_an_invalid_schema(company: Console, columns: object) -> None:
    """No column at all, an unknown type, a value of the wrong kind: 422 and no table."""
    assert company.call("POST", "", {"display_name": "vendas", "columns": columns}).status == 422
    assert company.ok("GET")["total"] == 0


def test_a_duplicate_active_name_is_refused(company: Console) -> None:
    """Creating a second table with an active name is 400 MANAGED_TABLE_DUPLICATE_NAME."""
    company.create_table("vendas")
    answer = company.call("POST", "", {"display_name": "vendas", "columns": [column("outra")]})
    assert (answer.status, answer.code) == (400, "MANAGED_TABLE_DUPLICATE_NAME")


def test_two_companies_may_use_one_name(company: Console) -> None:
    """A name is unique only within its company."""
    other = company.other_company()
    other.provision()
    assert company.create_table("vendas")["_id"] != other.create_table("vendas")["_id"]


# --- get ----------------------------------------------------------------------------------------------
def test_get_an_unknown_table(company: Console) -> None:
    """A table that does not exist is 404 with the contract's message."""
    answer = company.call("GET", f"/{new_id()}")
    assert (answer.status, answer.error) == (404, "Tabela não encontrada")


@pytest.mark.gateway
@pytest.mark.parametrize("table_id", ["x", "123", "g" * 24, "a" * 25, "%00", "%20", "é"])
def test_a_malformed_table_id_is_like_an_unknown_one(company: Console, table_id: str) -> None:
    """A malformed table id is 404 with the same message."""
    answer = company.call("GET", f"/{table_id}")
    assert (answer.status, answer.error) == (404, "Tabela não encontrada")


# --- list ---------------------------------------------------------------------------------------------
def test_list_returns_total_quantity_and_records(company: Console) -> None:
    """GET answers 200 with `total`, `quantity` and `records`, each in the shape of GET /:id."""
    created = company.create_table()
    answer = company.call("GET")
    assert answer.status == 200
    assert answer.json == {"total": 1, "quantity": 1, "records": [created]}


def test_list_pages_have_20_items_by_default(company: Console) -> None:
    """`page` is 1 and `per_page` 20 unless given; `total` counts all, `quantity` the page's; newest first."""
    made = [company.create_table(f"t{number:02}")["display_name"] for number in range(21)]
    newest_first = made[::-1]
    page = company.ok("GET")
    assert (page["total"], page["quantity"]) == (21, 20)
    assert names(page) == newest_first[:20]
    assert names(company.ok("GET", params={"page": 2})) == newest_first[20:]


def test_list_pages_partition_the_tables(company: Console) -> None:
    """`page` and `per_page` cut the listing into pages without repeats or gaps; past the end is empty."""
    made = [company.create_table(f"t{number}")["display_name"] for number in range(5)]
    pages = [company.ok("GET", params={"page": page, "per_page": 2}) for page in (1, 2, 3, 4)]
    assert [page["quantity"] for page in pages] == [2, 2, 1, 0]
    assert {page["total"] for page in pages} == {5}
    assert [name for page in pages for name in names(page)] == made[::-1]


@pytest.mark.parametrize(
    "params",
    [
        {"page": 0},
        {"page": -1},
        {"page": "x"},
        {"page": ""},
        {"page": "1.5"},
        {"per_page": 0},
        {"per_page": 101},
        {"per_page": "x"},
    ],
    ids=str,
)
def test_list_refuses_other_pages(console: Console, params: dict[str, object]) -> None:
    """`page` under 1 and `per_page` outside 1–100, or not an integer, are 422."""
    assert console.call("GET", params=params).status == 422


@pytest.mark.parametrize("per_page", [1, 100])
def test_list_accepts_the_limits_of_per_page(console: Console, per_page: int) -> None:
    """`per_page` may be 1 and may be 100."""
    assert console.call("GET", params={"per_page": per_page}).status == 200


def test_search_matches_anywhere_ignoring_case(company: Console) -> None:
    """`search` matches anywhere in `display_name`, ignoring case; `total` counts the matches."""
    for name in ("vendas_mensais", "clientes", "revendas"):
        company.create_table(name)
    page = company.ok("GET", params={"search": "VENDAS"})
    assert names(page) == ["revendas", "vendas_mensais"]
    assert (page["total"], page["quantity"]) == (2, 2)


@pytest.mark.gateway
@pytest.mark.parametrize(("search", "found"), [("%", []), ("_", ["a_b"]), ("\\", []), ("a_", ["a_b"])])
def test_search_treats_wildcards_as_plain_characters(company: Console, search: str, found: list[str]) -> None:
    r"""`%`, `_` and `\` in `search` are plain characters."""
    company.create_table("acb")
    company.create_table("a_b")
    assert names(company.ok("GET", params={"search": search})) == found


def test_search_and_pages_go_together(company: Console) -> None:
    """A search is paged like the whole listing."""
    for name in ("v1", "x", "v2", "v3"):
        company.create_table(name)
    page = company.ok("GET", params={"search": "v", "per_page": 2, "page": 2})
    assert (page["total"], names(page)) == (3, ["v1"])


# --- delete -------------------------------------------------------------------------------------------
def test_delete_returns_204_without_a_body(company: Console) -> None:
    """DELETE is 204 with no content."""
    answer = company.call("DELETE", f"/{company.create_table()['_id']}")
    assert (answer.status, answer.text) == (204, "")


def test_a_deleted_table_disappears(company: Console) -> None:
    """A deleted table is not in any listing, and every route to it is 404: nothing restores it."""
    table_id = company.create_table()["_id"]
    company.insert(table_id, {"produto": "X"})
    company.ok("DELETE", f"/{table_id}")
    assert company.ok("GET") == {"total": 0, "quantity": 0, "records": []}
    for method, path, body in (
        ("GET", "", None),
        ("DELETE", "", None),
        ("PUT", "", {"status": "active"}),
        ("PATCH", "", {"status": "active"}),
        ("GET", "/data", None),
        ("POST", "/data", {"rows": [{"produto": "X"}]}),
        ("POST", "/upload", {"files": [{"name": "a.csv", "size_bytes": 1}]}),
    ):
        answer = company.call(method, f"/{table_id}{path}", body)
        assert (answer.status, answer.error) == (404, "Tabela não encontrada")


def test_delete_an_unknown_table(company: Console) -> None:
    """Deleting a table that does not exist is 404."""
    assert company.call("DELETE", f"/{new_id()}").status == 404
