"""The contract, "Data CRUD": rows listed, inserted, updated and deleted."""

import uuid
from typing import Any

import pytest
from client import Console, column, new_id

NOBODY = "01890000-0000-7000-8000-000000000000"  # a well-formed id that no row has
COLUMNS = (column("produto", nullable=False), column("valor", "decimal"))


def make(company: Console, *rows: dict[str, Any]) -> str:
    """Create a table of a required text and a nullable decimal, insert the rows, return its id."""
    table_id = str(company.create_table("vendas", *COLUMNS)["_id"])
    if rows:
        company.insert(table_id, *rows)
    return table_id


def products(company: Console, table_id: str, **params: object) -> list[str]:
    return [row["produto"] for row in company.rows(table_id, **params)]


# --- list ---------------------------------------------------------------------------------------------
def test_list_returns_total_quantity_and_records(company: Console) -> None:
    """GET answers 200 with `total`, `quantity` and `records`: `id` and the table's columns."""
    table_id = make(company, {"produto": "X", "valor": 12}, {"produto": "Y"})
    answer = company.call("GET", f"/{table_id}/data")
    assert answer.status == 200
    assert {"total", "quantity", "records"} <= set(answer.json)
    assert (answer.json["total"], answer.json["quantity"]) == (2, 2)
    assert [list(row) for row in answer.json["records"]] == [["id", "produto", "valor"]] * 2
    assert [row["valor"] for row in answer.json["records"]] == [12, None]


def test_the_id_of_a_row_is_a_uuid(company: Console) -> None:
    """A row's `id` is a UUID, different for each row."""
    table_id = make(company, {"produto": "X"}, {"produto": "X"})
    ids = [row["id"] for row in company.rows(table_id)]
    assert [str(uuid.UUID(one)) for one in ids] == ids
    assert len(set(ids)) == 2


def test_list_pages_have_50_rows_by_default(company: Console) -> None:
    """`page` is 1 and `per_page` 50 unless given."""
    table_id = make(company, *({"produto": f"{number}"} for number in range(51)))
    page = company.ok("GET", f"/{table_id}/data")
    assert (page["total"], page["quantity"], len(page["records"])) == (51, 50, 50)
    page = company.ok("GET", f"/{table_id}/data", params={"page": 2})
    assert [row["produto"] for row in page["records"]] == ["50"]


def test_a_page_past_the_end_is_empty(company: Console) -> None:
    """A page past the last has no records and the same total."""
    page = company.ok("GET", f"/{make(company, {'produto': 'X'})}/data", params={"page": 9})
    assert (page["total"], page["quantity"], page["records"]) == (1, 0, [])


@pytest.mark.parametrize(
    "params",
    [{"page": 0}, {"page": "x"}, {"per_page": 0}, {"per_page": 1_001}, {"per_page": -1}, {"per_page": ""}],
    ids=str,
)
def test_list_refuses_other_pages(company: Console, params: dict[str, object]) -> None:
    """`page` under 1 and `per_page` outside 1–1000 are 422."""
    assert company.call("GET", f"/{make(company)}/data", params=params).status == 422


@pytest.mark.parametrize("per_page", [1, 1_000])
def test_list_accepts_the_limits_of_per_page(company: Console, per_page: int) -> None:
    """`per_page` may be 1 and may be 1,000."""
    rows = company.rows(make(company, {"produto": "X"}), per_page=per_page)
    assert len(rows) == 1


def test_sort_by_a_column(company: Console) -> None:
    """`sort_by=field` sorts ascending, `sort_by=-field` descending, by value, not as text."""
    table_id = make(company, *({"produto": f"{number}", "valor": number} for number in (10, 9, 100)))
    assert products(company, table_id, sort_by="valor") == ["9", "10", "100"]
    assert products(company, table_id, sort_by="-valor") == ["100", "10", "9"]


def test_sort_by_id(company: Console) -> None:
    """`sort_by` accepts `id` in both directions."""
    table_id = make(company, *({"produto": f"{number}"} for number in range(5)))
    ids = [row["id"] for row in company.rows(table_id, sort_by="id")]
    assert ids == sorted(ids)
    assert [row["id"] for row in company.rows(table_id, sort_by="-id")] == ids[::-1]


@pytest.mark.parametrize(
    "sort_by", ["", "-", "nenhuma", "--valor", "valor,", "valor,-valor", "ctid", "valor desc"]
)
def test_an_unknown_sort_is_refused(company: Console, sort_by: str) -> None:
    """`sort_by` with an unknown or empty column is 422."""
    assert company.call("GET", f"/{make(company)}/data", params={"sort_by": sort_by}).status == 422


def test_rows_come_in_the_order_of_insertion(company: Console) -> None:
    """Without `sort_by`, rows come in the order in which they were inserted, also across requests."""
    table_id = make(company, *({"produto": name} for name in ("z", "a", "m")))
    company.insert(table_id, {"produto": "c"}, {"produto": "b"})
    row_id = company.rows(table_id)[0]["id"]
    company.ok("PUT", f"/{table_id}/data/{row_id}", {"valor": 1})
    assert products(company, table_id) == ["z", "a", "m", "c", "b"]


def test_nulls_sort_last_both_ways(company: Console) -> None:
    """NULL comes after every value, ascending and descending."""
    table_id = make(company, {"produto": "nulo"}, {"produto": "2", "valor": 2}, {"produto": "1", "valor": 1})
    assert products(company, table_id, sort_by="valor") == ["1", "2", "nulo"]
    assert products(company, table_id, sort_by="-valor") == ["2", "1", "nulo"]


@pytest.mark.parametrize("sort_by", ["valor", "-valor"])
def test_ties_come_in_the_order_of_insertion(company: Console, sort_by: str) -> None:
    """Equal values, and NULLs, come in the order of insertion, so that pages neither repeat nor skip rows."""
    rows = [{"produto": f"{number}", "valor": None if number % 2 else 1} for number in range(20)]
    table_id = make(company, *rows)
    expected = [f"{number}" for number in (*range(0, 20, 2), *range(1, 20, 2))]
    paged = [products(company, table_id, sort_by=sort_by, per_page=3, page=page) for page in range(1, 8)]
    assert [name for page in paged for name in page] == expected


def test_text_sorts_in_portuguese(company: Console, query: Any) -> None:
    """Text sorts by ICU pt-BR if the server has ICU, otherwise by code point."""
    words = ["zebra", "Ábaco", "abacate", "Casa", "casa", "às"]
    table_id = make(company, *({"produto": word} for word in words))
    has_icu = query(company, "select count(*) > 0 from pg_collation where collname = 'pt-BR-x-icu'") == [
        (True,)
    ]
    portuguese = ["abacate", "Ábaco", "às", "casa", "Casa", "zebra"]
    assert products(company, table_id, sort_by="produto") == (portuguese if has_icu else sorted(words))


def test_rows_of_an_unknown_table(company: Console) -> None:
    """Every row route of a table that does not exist is 404."""
    for method, path, body in (
        ("GET", "", None),
        ("POST", "", {"rows": [{"a": 1}]}),
        ("PUT", f"/{NOBODY}", {"a": 1}),
        ("DELETE", f"/{NOBODY}", None),
    ):
        answer = company.call(method, f"/{new_id()}/data{path}", body)
        assert (answer.status, answer.error) == (404, "Tabela não encontrada")


# --- insert -------------------------------------------------------------------------------------------
def test_insert_returns_the_number_of_rows(company: Console) -> None:
    """POST inserts the rows: 201 `{"inserted": n}`."""
    table_id = make(company)
    rows = [{"produto": "X", "valor": 12}, {"produto": "Y", "valor": 30}]
    answer = company.call("POST", f"/{table_id}/data", {"rows": rows})
    assert (answer.status, answer.json) == (201, {"inserted": 2})
    assert products(company, table_id) == ["X", "Y"]


@pytest.mark.parametrize(
    "body", [{}, {"rows": []}, {"rows": None}, {"rows": {}}, {"rows": ["x"]}, []], ids=str
)
def test_insert_needs_rows(company: Console, body: object) -> None:
    """`rows` missing, empty or not a list of objects is 422."""
    assert company.call("POST", f"/{make(company)}/data", body).status == 422


def test_a_column_missing_from_a_row_is_null(company: Console) -> None:
    """A nullable column missing from a row is NULL; rows of one request may have different fields."""
    table_id = make(company, {"produto": "X"}, {"valor": 1, "produto": "Y"}, {"produto": "Z", "valor": None})
    assert [row["valor"] for row in company.rows(table_id)] == [None, 1, None]


def test_an_insert_is_all_or_nothing(company: Console) -> None:
    """If one row of many is wrong, none is inserted."""
    table_id = make(company, {"produto": "antes"})
    rows = [*({"produto": "X"} for _ in range(100)), {"produto": 1}]
    assert company.call("POST", f"/{table_id}/data", {"rows": rows}).status == 422
    assert products(company, table_id) == ["antes"]
    assert company.table(table_id)["row_count"] == 1


def test_details_name_the_value(company: Console) -> None:
    """A detail has the refused value; rows are numbered from 0."""
    answer = company.call("POST", f"/{make(company)}/data", {"rows": [{"produto": "X", "valor": "doze"}]})
    assert [(one["row"], one["column"], one["value"]) for one in answer.details] == [(0, "valor", "doze")]


# --- update -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_update_returns_the_row(company: Console, method: str) -> None:
    """PUT and PATCH change the given fields only: 200 with the updated row."""
    table_id = make(company, {"produto": "X", "valor": 1}, {"produto": "Y", "valor": 2})
    first, second = company.rows(table_id)
    answer = company.call(method, f"/{table_id}/data/{first['id']}", {"valor": 30})
    assert answer.status == 200
    assert answer.json == first | {"valor": 30}
    assert company.rows(table_id) == [first | {"valor": 30}, second]


def test_update_sets_null(company: Console) -> None:
    """A field given as null becomes NULL if the column allows it, otherwise 422."""
    table_id = make(company, {"produto": "X", "valor": 1})
    path = f"/{table_id}/data/{company.rows(table_id)[0]['id']}"
    assert company.ok("PUT", path, {"valor": None})["valor"] is None
    assert company.call("PUT", path, {"produto": None}).status == 422


@pytest.mark.parametrize("body", [{"cor": "azul"}, {"id": NOBODY}, {"produto": 1}, {"valor": "x"}, [], "x"])
def test_update_refuses_wrong_fields(company: Console, body: object) -> None:
    """An unknown field, `id`, another JSON type, a body that is not an object: 422; the row is unchanged."""
    table_id = make(company, {"produto": "X", "valor": 1})
    [before] = company.rows(table_id)
    assert company.call("PUT", f"/{table_id}/data/{before['id']}", body).status == 422
    assert company.rows(table_id) == [before]


@pytest.mark.parametrize("row_id", [NOBODY, "x", "1", "0" * 32 + "-"])
@pytest.mark.parametrize(
    ("method", "body"), [("PUT", {"produto": "Y"}), ("PATCH", {"produto": "Y"}), ("DELETE", None)]
)
def test_a_row_that_does_not_exist(company: Console, method: str, body: object, row_id: str) -> None:
    """An unknown or malformed row id is 404 with the contract's message."""
    answer = company.call(method, f"/{make(company)}/data/{row_id}", body)
    assert (answer.status, answer.error) == (404, "Linha não encontrada")


# --- delete -------------------------------------------------------------------------------------------
def test_delete_returns_204_without_a_body(company: Console) -> None:
    """DELETE removes one row: 204 without a body, and 404 the second time."""
    table_id = make(company, {"produto": "X"}, {"produto": "Y"})
    path = f"/{table_id}/data/{company.rows(table_id)[0]['id']}"
    answer = company.call("DELETE", path)
    assert (answer.status, answer.text) == (204, "")
    assert products(company, table_id) == ["Y"]
    assert company.call("DELETE", path).error == "Linha não encontrada"


def test_counts_are_exact_after_every_write(company: Console) -> None:
    """`total` and the table's `row_count` are exact after an insert, an update and a delete."""
    table_id = make(company, *({"produto": "X"} for _ in range(7)))
    first, second = (row["id"] for row in company.rows(table_id)[:2])
    for method, path, body, expected in (
        ("PUT", f"/{first}", {"produto": "Y"}, 7),
        ("DELETE", f"/{first}", None, 6),
        ("POST", "", {"rows": [{"produto": "Z"}] * 3}, 9),
        ("DELETE", f"/{second}", None, 8),
    ):
        company.ok(method, f"/{table_id}/data{path}", body)
        assert company.ok("GET", f"/{table_id}/data")["total"] == expected
        assert company.table(table_id)["row_count"] == expected
        assert company.ok("GET")["records"][0]["row_count"] == expected
