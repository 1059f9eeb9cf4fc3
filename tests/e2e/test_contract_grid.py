"""Extensions 4, rows: found, changed and kept consistent, as a console's grid does over HTTP."""

from typing import Any

import pytest
from client import Console, column

COLUMNS = (
    column("produto"),
    column("valor", "decimal"),
    column("pago", "boolean"),
    column("dia", "date"),
)
ROWS: tuple[dict[str, Any], ...] = (
    {"produto": "Açúcar, 1 kg", "valor": 5, "pago": True, "dia": "2026-01-01"},
    {"produto": "açucar 100%", "valor": 7, "pago": False, "dia": "2026-01-02"},
    {"produto": "Café", "valor": 30, "pago": True, "dia": "2026-01-02"},
    {"produto": None, "valor": None, "pago": None, "dia": None},
)


@pytest.fixture
def table(company: Console) -> str:
    """A table of four rows, the last one empty."""
    table_id = str(company.create_table("vendas", *COLUMNS)["_id"])
    company.insert(table_id, *ROWS)
    return table_id


def places(company: Console, table: str, **params: object) -> list[int]:
    """Return which of ROWS a list shows, in order."""
    page = company.ok("GET", f"/{table}/data", params=params)
    assert page["total"] == page["quantity"]
    return [[one["produto"] for one in ROWS].index(row["produto"]) for row in page["records"]]


FILTERS: dict[str, tuple[str, list[int]]] = {
    "filter[produto][eq]": ("CAFE", [2]),
    "filter[produto][ne]": ("cafe", [0, 1, 3]),
    "filter[produto][in]": ("cafe,acucar\\, 1 kg", [0, 2]),
    "filter[produto][nin]": ("cafe", [0, 1, 3]),
    "filter[produto][contains]": ("CUCAR", [0, 1]),
    "filter[produto][not_contains]": ("cucar", [2, 3]),
    "filter[produto][starts_with]": ("acu", [0, 1]),
    "filter[produto][ends_with]": ("%", [1]),
    "filter[produto][is_null]": ("true", [3]),
    "filter[valor][gt]": ("7", [2]),
    "filter[valor][gte]": ("7", [1, 2]),
    "filter[valor][lt]": ("7", [0]),
    "filter[valor][lte]": ("7.00", [0, 1]),
    "filter[pago][eq]": ("true", [0, 2]),
    "filter[dia][gte]": ("2026-01-02", [1, 2]),
    "q": ("ACUCAR", [0, 1]),
}


def test_filters_and_search_find_rows(company: Console, table: str) -> None:
    """Each operator of `filter[<column>][<op>]`, and `q`, finds its rows; several are combined with AND."""
    found = {name: places(company, table, **{name: value}) for name, (value, _) in FILTERS.items()}
    assert found == {name: expected for name, (_, expected) in FILTERS.items()}
    both = {"filter[valor][gte]": "7", "filter[pago][eq]": "true"}
    assert places(company, table, **both) == [2]


def test_a_list_accepts_fields_sorts_and_no_count(company: Console, table: str) -> None:
    """`fields` with the id always, several sorts, `count=false` without a total, cursors under a filter."""
    page = company.ok("GET", f"/{table}/data", params={"fields": "valor,produto", "sort_by": "-dia,valor"})
    assert [list(row) for row in page["records"]] == [["id", "valor", "produto"]] * 4
    assert [row["valor"] for row in page["records"]] == [7, 30, 5, None]
    params = {"filter[valor][is_null]": "false", "sort_by": "-dia,valor", "per_page": 1, "count": "false"}
    found: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        page = company.ok("GET", f"/{table}/data", params={**params, **cursor})
        assert page["total"] is None
        found += [row["valor"] for row in page["records"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert found == [7, 30, 5]
    six = company.call("GET", f"/{table}/data", params={"sort_by": "valor,-dia,produto,pago,id,-valor"})
    assert (six.status, six.details[0]["code"]) == (422, "TOO_LONG")


def test_a_wrong_filter_is_refused(company: Console, table: str) -> None:
    """An unknown parameter is 422 `UNKNOWN_PARAMETER`; a value of another type is 422 with details."""
    for name in ("produto", "filter[valor]", "Filter[valor][eq]"):
        answer = company.call("GET", f"/{table}/data", params={name: "1"})
        assert (answer.status, answer.code) == (422, "UNKNOWN_PARAMETER"), name
    answer = company.call("GET", f"/{table}/data", params={"filter[valor][gt]": "doze"})
    assert answer.status == 422
    detail = answer.details[0]
    assert (detail["in"], detail["path"], detail["column"]) == ("query", "filter[valor][gt]", "valor")
    assert detail["code"] == "NOT_A_DECIMAL"
    answer = company.call(
        "POST", f"/{table}/data/query", {"where": {"column": "valor", "op": "gt", "value": "x"}}
    )
    assert (answer.status, answer.details[0]["path"]) == (422, "where.value")


def test_a_query_accepts_a_tree(company: Console, table: str) -> None:
    """`where` is a tree of `and`, `or`, `not`; the answer is the same as the list's."""
    where = {
        "and": [
            {
                "or": [
                    {"column": "valor", "op": "in", "value": [5, "7.0"]},
                    {"column": "pago", "op": "eq", "value": True},
                ]
            },
            {"not": {"column": "produto", "op": "contains", "value": "kg"}},
        ]
    }
    page = company.ok(
        "POST", f"/{table}/data/query", {"where": where, "sort": ["-valor"], "fields": ["valor"]}
    )
    assert (page["total"], page["quantity"], page["next_cursor"]) == (2, 2, None)
    assert [(list(row), row["valor"]) for row in page["records"]] == [
        (["id", "valor"], 30),
        (["id", "valor"], 7),
    ]


def test_a_query_groups(company: Console, table: str) -> None:
    """`group_by` and `aggregates` return groups without `id`, sorted and with a cursor."""
    body = {
        "group_by": ["dia"],
        "aggregates": [
            {"fn": "count", "as": "linhas"},
            {"fn": "sum", "column": "valor"},
            {"fn": "max", "column": "produto", "as": "maior"},
        ],
        "sort": ["-linhas", "dia"],
        "per_page": 2,
    }
    first = company.ok("POST", f"/{table}/data/query", body)
    assert first["total"] == 3
    assert first["records"][0] | {"maior": None} == {
        "dia": "2026-01-02",
        "linhas": 2,
        "sum_valor": 37,
        "maior": None,
    }
    rest = company.ok("POST", f"/{table}/data/query", {**body, "cursor": first["next_cursor"]})
    assert rest["records"] == [{"dia": None, "linhas": 1, "sum_valor": None, "maior": None}]
    whole = company.ok(
        "POST", f"/{table}/data/query", {"aggregates": [{"fn": "avg", "column": "valor", "as": "m"}]}
    )
    assert whole["records"] == [{"m": 14}]


def test_one_row_and_what_an_insert_returns(company: Console, table: str) -> None:
    """`GET /:id/data/:rowId` is the row; `return=ids|records` adds them in order."""
    path = f"/{table}/data"
    answer = company.ok(
        "POST", path, {"rows": [{"produto": "b"}, {"produto": "a"}]}, params={"return": "ids"}
    )
    assert answer["inserted"] == 2
    assert [company.ok("GET", f"{path}/{one}")["produto"] for one in answer["ids"]] == ["b", "a"]
    answer = company.ok("POST", path, {"rows": [{"produto": "c"}]}, params={"return": "records"})
    assert [row["produto"] for row in answer["records"]] == ["c"]
    assert company.call("GET", f"{path}/01990000-0000-7000-8000-000000000000").error == "Linha não encontrada"


def test_bulk_changes_are_all_or_nothing(company: Console, table: str) -> None:
    """Bulk updates by rows and by condition, deletions by ids and by condition; `all` for every row."""
    path = f"/{table}/data"
    ids = [row["id"] for row in company.rows(table)]
    unknown = "01990000-0000-7000-8000-000000000000"
    items = [{"id": ids[0], "valor": 1}, {"id": unknown, "valor": 1}]
    assert company.call("PATCH", path, {"rows": items}).status == 404
    assert company.ok(
        "PATCH", path, {"rows": [{"id": ids[0], "valor": 1}, {"id": ids[1], "pago": True}]}
    ) == {"updated": 2}
    where = {"column": "pago", "op": "eq", "value": True}
    assert company.ok("PATCH", path, {"where": where, "set": {"valor": 9}}) == {"updated": 3}
    for body in ({"where": {}}, {}):
        assert company.call("PATCH", path, {**body, "set": {"valor": 0}}).status == 422
        assert company.call("POST", f"{path}/delete", body).status == 422
    assert company.call("POST", f"{path}/delete", {"ids": [ids[0], unknown]}).status == 404
    assert company.ok("POST", f"{path}/delete", {"ids": ids[:1]}) == {"deleted": 1}
    assert company.ok("POST", f"{path}/delete", {"where": where}) == {"deleted": 2}
    assert company.table(table)["row_count"] == 1
    assert company.ok("POST", f"{path}/delete", {"all": True}) == {"deleted": 1}


def test_versions_protect_a_colleagues_change(company: Console, table: str) -> None:
    """With `_version` or `If-Match`, a change made in between is 412 `ROW_CHANGED`, with the row."""
    path = f"/{table}/data"
    (row, *_) = company.rows(table, versions="true")
    company.ok("PUT", f"{path}/{row['id']}", {"valor": 6})
    refused = (
        company.call("PATCH", f"{path}/{row['id']}", {"pago": False, "_version": row["_version"]}),
        company.call(
            "PUT", f"{path}/{row['id']}", {"pago": False}, headers={"If-Match": f'"{row["_version"]}"'}
        ),
        company.call(
            "PATCH", path, {"rows": [{"id": row["id"], "pago": False, "_version": row["_version"]}]}
        ),
        company.call("DELETE", f"{path}/{row['id']}", params={"_version": row["_version"]}),
    )
    now = company.ok("GET", f"{path}/{row['id']}", params={"versions": "true"})
    for answer in refused:
        assert (answer.status, answer.code, answer.json["row"]) == (412, "ROW_CHANGED", now)
    assert (now["valor"], now["pago"]) == (6, True)
    saved = company.call("PUT", f"{path}/{row['id']}", {"pago": False, "_version": now["_version"]})
    assert (saved.status, saved.headers["etag"] == f'"{now["_version"]}"') == (200, False)


def test_a_key_identifies_rows(company: Console, table: str) -> None:
    """A write that breaks the key is 409 `DUPLICATE_KEY`; `on_conflict` updates or ignores instead."""
    company.ok("PUT", f"/{table}", {"key": ["produto"]})
    path = f"/{table}/data"
    rows = {"rows": [{"produto": "novo"}, {"produto": "Café", "valor": 31}]}
    answer = company.call("POST", path, rows)
    assert (answer.status, answer.code) == (409, "DUPLICATE_KEY")
    assert (answer.details[0]["row"], answer.details[0]["value"]) == (1, {"produto": "Café"})
    done = company.ok("POST", path, rows, params={"on_conflict": "ignore"})
    assert done == {"inserted": 1, "updated": 0, "ignored": 1}
    done = company.ok("POST", path, rows, params={"on_conflict": "update"})
    assert done == {"inserted": 0, "updated": 2, "ignored": 0}
    assert company.rows(table)[2]["valor"] == 31
