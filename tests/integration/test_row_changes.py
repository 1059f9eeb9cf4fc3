"""Rows read one by one, changed in bulk, and protected from being overwritten, over HTTP."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from rows_client import Answer, RowsClient, RowsCompany

UNKNOWN = "01990000-0000-7000-8000-000000000000"


def ids(rows: RowsClient, *products: str) -> list[str]:
    """Insert rows with these products and return their ids."""
    answer = rows.call(
        "POST", body={"rows": [{"produto": one, "valor": 1} for one in products]}, **{"return": "ids"}
    )
    assert answer.status == 201
    found: list[str] = answer.body["ids"]
    return found


def values(rows: RowsClient, name: str = "produto") -> list[Any]:
    return [row[name] for row in rows.list()["records"]]


def version_of(rows: RowsClient, row_id: str) -> str:
    return str(rows.call("GET", f"/{row_id}", versions="true").body["_version"])


def assert_counted(rows: RowsClient) -> None:
    """Check that the stored row count is right."""
    assert rows.execute("SELECT count(*) FROM vendas") == [(rows.list()["total"],)]


# --- one row, and what an insert returns --------------------------------------------------------------
def test_a_row_is_found_by_its_id(rows: RowsClient) -> None:
    (row_id,) = ids(rows, "X")
    answer = rows.call("GET", f"/{row_id}", numbers="string")
    assert (answer.status, answer.body["produto"], answer.body["valor"]) == (200, "X", "1")
    for path in (f"/{UNKNOWN}", "/x"):
        assert rows.call("GET", path).body["code"] == "ROW_NOT_FOUND"


def test_an_insert_returns_ids_or_rows_in_order(rows: RowsClient) -> None:
    body = {"rows": [{"produto": name, "valor": 1.5} for name in "zay"]}
    answer = rows.call("POST", body=body, **{"return": "ids"}).body
    assert (answer["inserted"], answer["ids"]) == (3, [row["id"] for row in rows.list()["records"]])
    answer = rows.call("POST", body=body, numbers="string", **{"return": "records"}).body
    assert [row["produto"] for row in answer["records"]] == ["z", "a", "y"]
    assert answer["records"][0]["valor"] == "1.5"
    assert answer["records"][0]["id"] == rows.list()["records"][3]["id"]


@pytest.mark.parametrize("returned", ["ids", "records"])
def test_a_repeated_insert_returns_the_same(rows: RowsClient, returned: str) -> None:
    body = {"rows": [{"produto": "a"}, {"produto": "b"}]}
    first, second = (
        rows.call("POST", body=body, headers={"Idempotency-Key": "k"}, **{"return": returned}) for _ in "ab"
    )
    assert (first.status, first.body) == (second.status, second.body)
    assert len(first.body[returned]) == 2
    assert rows.list()["total"] == 2
    other = rows.call("POST", body=body, headers={"Idempotency-Key": "k"})
    assert other.body["code"] == "IDEMPOTENCY_KEY_REUSED"


def test_an_insert_whose_answer_is_too_large_inserts_nothing(rows: RowsClient) -> None:
    row = {"produto": "x" * 200_000}
    answer = rows.call("POST", body={"rows": [row] * 29}, **{"return": "records"})
    assert (answer.status, answer.body["code"]) == (422, "RESPONSE_TOO_LARGE")
    assert rows.list()["total"] == 0


# --- bulk updates -------------------------------------------------------------------------------------
def test_each_row_of_a_bulk_update_has_its_own_fields(rows: RowsClient) -> None:
    first, second, third = ids(rows, "a", "b", "c")
    body = {
        "rows": [
            {"id": third, "produto": "C"},
            {"id": first, "valor": None, "pago": True},
            {"id": second, "valor": "1.50"},
        ]
    }
    assert rows.call("PATCH", body=body).body == {"updated": 3}
    assert values(rows) == ["a", "b", "C"]
    assert values(rows, "valor") == [None, Decimal("1.50"), 1]
    assert values(rows, "pago") == [True, None, None]


@pytest.mark.parametrize("bad", [UNKNOWN, "x"])
def test_a_bulk_update_of_an_unknown_row_changes_nothing(rows: RowsClient, bad: str) -> None:
    (row_id,) = ids(rows, "a")
    body = {"rows": [{"id": row_id, "produto": "A"}, {"id": bad, "produto": "B"}]}
    answer = rows.call("PATCH", body=body)
    assert (answer.status, answer.body["code"]) == (404, "ROW_NOT_FOUND")
    assert [(one["path"], one["code"]) for one in answer.body["details"]] == [("rows[1].id", "ROW_NOT_FOUND")]
    assert values(rows) == ["a"]


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ({"produto": 5}, "NOT_A_TEXT"),
        ({"produto": None}, "REQUIRED"),
        ({"outra": 1}, "UNKNOWN_COLUMN"),
        ({"valor": "x"}, "NOT_A_DECIMAL"),
        ({"produto": "x", "_version": 1}, "NOT_A_TEXT"),
        ({"id": None, "produto": "x"}, "REQUIRED"),
    ],
)
def test_a_wrong_item_of_a_bulk_update_is_named(rows: RowsClient, item: dict[str, Any], code: str) -> None:
    first, second = ids(rows, "a", "b")
    answer = rows.call("PATCH", body={"rows": [{"id": first, "produto": "A"}, {"id": second, **item}]})
    assert (answer.status, answer.body["details"][0]["row"], answer.body["details"][0]["code"]) == (
        422,
        1,
        code,
    )
    assert values(rows) == ["a", "b"]


def test_a_bulk_update_names_each_row_once_and_at_most_a_thousand(rows: RowsClient) -> None:
    (row_id,) = ids(rows, "a")
    items = [{"id": row_id, "produto": "A"}, {"id": row_id.upper(), "produto": "B"}]
    assert rows.call("PATCH", body={"rows": items}).body["details"][0]["code"] == "DUPLICATE_ID"
    for wrong in ({"rows": []}, {"rows": items * 501}, {"rows": [{"id": row_id}]}, {"rows": {}}, {}):
        assert rows.call("PATCH", body=wrong).status == 422, wrong


def test_fields_are_set_in_every_row_that_matches(rows: RowsClient) -> None:
    ids(rows, "Ação", "acao", "outra")
    where = {"column": "produto", "op": "eq", "value": "AÇÃO"}
    assert rows.call("PATCH", body={"where": where, "set": {"valor": 7, "pago": False}}).body == {
        "updated": 2
    }
    assert values(rows, "valor") == [7, 7, 1]
    assert rows.call("PATCH", body={"where": {}, "set": {"valor": 2}, "all": True}).body == {"updated": 3}


@pytest.mark.parametrize(
    "body",
    [
        {"where": {}},
        {},
        {"where": {"and": []}},
        {"where": {"and": [{"and": []}]}},
        {"where": {"not": {"or": []}}},
        {"all": False, "where": {}},
    ],
)
def test_a_change_without_a_condition_must_say_all(rows: RowsClient, body: dict[str, Any]) -> None:
    ids(rows, "a")
    for answer in (
        rows.call("PATCH", body={**body, "set": {"valor": 2}}),
        rows.call("POST", "/delete", body),
    ):
        assert answer.status == 422
        assert answer.body["details"][0] | {"reason": ""} == {
            "in": "body",
            "path": "where",
            "code": "REQUIRED",
            "reason": "",
        }
    assert values(rows, "valor") == [1]


# --- bulk deletion ------------------------------------------------------------------------------------
def test_rows_are_deleted_by_ids_or_by_a_condition(rows: RowsClient) -> None:
    first, second, *_ = ids(rows, "a", "b", "c", "d")
    assert rows.call("POST", "/delete", {"ids": [second, first]}).body == {"deleted": 2}
    where = {"column": "produto", "op": "eq", "value": "C"}
    assert rows.call("POST", "/delete", {"where": where}).body == {"deleted": 1}
    assert values(rows) == ["d"]
    assert_counted(rows)
    assert rows.call("POST", "/delete", {"all": True}).body == {"deleted": 1}
    assert rows.list()["total"] == 0


def test_a_deletion_by_ids_is_all_or_none(rows: RowsClient) -> None:
    (row_id,) = ids(rows, "a")
    answer = rows.call("POST", "/delete", {"ids": [row_id, UNKNOWN]})
    assert (answer.status, answer.body["details"][0]["path"]) == (404, "ids[1]")
    assert_counted(rows)
    for wrong in ({"ids": []}, {"ids": [1]}, {"other": 1}):
        assert rows.call("POST", "/delete", wrong).status == 422, wrong
    assert rows.call("POST", "/delete", {"ids": [row_id], "where": {}}).body["details"][0]["path"] == "where"


# --- versions -----------------------------------------------------------------------------------------
def call_with(rows: RowsClient, row_id: str, version: str, how: str) -> Answer:
    """Change the row if it still has the version, stated in one of the ways."""
    headers = {"If-Match": f'"{version}"'} if how == "If-Match" else {}
    method, _, place = how.partition(" ")
    if method == "DELETE":
        if place == "If-Match":
            return rows.call("DELETE", f"/{row_id}", headers={"If-Match": f'"{version}"'})
        if place == "body":
            return rows.call("DELETE", f"/{row_id}", {"_version": version})
        return rows.call("DELETE", f"/{row_id}", _version=version)
    if how == "bulk":
        return rows.call("PATCH", body={"rows": [{"id": row_id, "produto": "meu", "_version": version}]})
    body = {"produto": "meu", **({} if headers else {"_version": version})}
    return rows.call("PUT", f"/{row_id}", body, headers=headers)


WAYS = ["PUT", "If-Match", "bulk", "DELETE query", "DELETE body", "DELETE If-Match"]


@pytest.mark.parametrize("how", WAYS)
def test_a_row_changed_by_somebody_else_is_not_overwritten(rows: RowsClient, how: str) -> None:
    (row_id,) = ids(rows, "a")
    version = version_of(rows, row_id)
    rows.call("PUT", f"/{row_id}", {"valor": 2})
    answer = call_with(rows, row_id, version, how)
    assert (answer.status, answer.body["code"]) == (412, "ROW_CHANGED")
    now = rows.call("GET", f"/{row_id}", versions="true").body
    assert answer.body["row"] == answer.body["details"][0]["value"] == now
    assert (now["produto"], now["valor"]) == ("a", 2)
    assert call_with(rows, row_id, now["_version"], how).status < 300
    if not how.startswith("DELETE"):
        assert values(rows) == ["meu"]


def test_a_bulk_update_names_every_row_that_has_changed(rows: RowsClient) -> None:
    first, second, third = ids(rows, "a", "b", "c")
    versions = {row["id"]: row["_version"] for row in rows.list(versions="true")["records"]}
    for row_id in (first, third):
        rows.call("PUT", f"/{row_id}", {"valor": 2})
    items = [{"id": one, "produto": "x", "_version": versions[one]} for one in (third, second, first)]
    answer = rows.call("PATCH", body={"rows": items})
    assert answer.status == 412
    assert [(one["path"], one["row"], one["code"]) for one in answer.body["details"]] == [
        ("rows[0].id", 0, "ROW_CHANGED"),
        ("rows[2].id", 2, "ROW_CHANGED"),
    ]
    assert [one["value"]["id"] for one in answer.body["details"]] == [third, first]
    assert values(rows) == ["a", "b", "c"]


def test_an_update_returns_the_new_version(rows: RowsClient) -> None:
    (row_id,) = ids(rows, "a")
    answer = rows.call(
        "PUT", f"/{row_id}", {"produto": "b", "_version": version_of(rows, row_id)}, versions="true"
    )
    assert answer.body["_version"] == version_of(rows, row_id)
    assert "_version" not in rows.call("PUT", f"/{row_id}", {"produto": "c"}).body
    assert rows.call("PUT", f"/{row_id}", {"_version": version_of(rows, row_id)}).status == 200
    assert rows.call("PUT", f"/{row_id}", {"_version": "1"}).status == 412


def test_a_version_must_be_text_and_the_same_everywhere(rows: RowsClient) -> None:
    (row_id,) = ids(rows, "a")
    version = version_of(rows, row_id)
    for given in (1, None, "", "a\x00"):
        assert rows.call("PUT", f"/{row_id}", {"_version": given}).status == 422
    assert rows.call("PUT", f"/{row_id}", {"_version": version}, headers={"If-Match": '"1"'}).status == 422
    assert rows.call("PUT", f"/{row_id}", {"_version": version}, headers={"If-Match": "*"}).status == 200
    assert rows.call("PUT", f"/{row_id}", {"produto": "b"}, headers={"If-Match": '"1", "2"'}).status == 422
    assert rows.call("PUT", f"/{UNKNOWN}", {"_version": 1}).status == 404


def test_a_column_may_have_the_name_of_the_version_field(rows_company: RowsCompany) -> None:
    table = rows_company.make_table({"_version": "text"}, "outra")
    try:
        table.insert({"_version": "a"})
        assert table.call("GET", versions="true").status == 422
        row = table.list()["records"][0]
        assert row["_version"] == "a"
        assert table.call("PUT", f"/{row['id']}", {"_version": "b"}).body["_version"] == "b"
        changed = table.call("PUT", f"/{row['id']}", {"_version": "c"}, headers={"If-Match": '"1"'})
        assert (changed.status, changed.body["row"]["_version"]) == (412, "b")
    finally:
        rows_company.drop_tables()


@pytest.mark.parametrize("bulk", [False, True])
def test_of_editors_who_save_simultaneously_one_wins(rows: RowsClient, bulk: bool) -> None:
    """Each adds one and saves with the version, and reads again if refused: no addition is lost."""
    row_id, *others = ids(rows, *"abcd")
    rows.call("PATCH", body={"where": {}, "set": {"quantidade": 0}, "all": True})

    def edit(_: int) -> int:
        for attempt in itertools.count(1):
            row = rows.call("GET", f"/{row_id}", versions="true").body
            new = {"quantidade": row["quantidade"] + 1, "_version": row["_version"]}
            if bulk:
                items = [
                    {"id": row_id, **new},
                    *({"id": one, "quantidade": new["quantidade"]} for one in others),
                ]
                answer = rows.call("PATCH", body={"rows": items})
            else:
                answer = rows.call("PUT", f"/{row_id}", new)
            if answer.status == 200:
                return attempt
            assert answer.status == 412, answer
        raise AssertionError

    with ThreadPoolExecutor(8) as pool:
        attempts = list(pool.map(edit, range(24)))
    quantities = values(rows, "quantidade")
    assert quantities[0] == 24
    assert sum(attempts) >= 24
    if bulk:
        assert quantities == [24] * 4


def test_bulk_changes_of_the_same_rows_do_not_deadlock(rows: RowsClient) -> None:
    """Also once PostgreSQL plans for any number of rows, and would meet them as they lie in the table."""
    many = ids(rows, *map(str, range(500)))
    rows.execute("ALTER ROLE CURRENT_USER SET plan_cache_mode = force_generic_plan")
    rows.services.connection_cache.close_idle()

    def change(number: int) -> int:
        ordered = many if number % 2 else many[::-1]
        return rows.call(
            "PATCH", body={"rows": [{"id": one, "quantidade": number} for one in ordered]}
        ).status

    try:
        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(change, range(24))) == {200}
    finally:
        rows.execute("ALTER ROLE CURRENT_USER RESET plan_cache_mode")
        rows.services.connection_cache.close_idle()
    assert len(set(values(rows, "quantidade"))) == 1


# --- what lists accept ----------------------------------------------------------------------------------
def test_the_requested_fields_are_returned_in_order(rows: RowsClient) -> None:
    ids(rows, "a")
    assert [list(row) for row in rows.list(fields="valor,produto")["records"]] == [["id", "valor", "produto"]]
    assert [list(row) for row in rows.list(fields="id", sort_by="valor")["records"]] == [["id"]]
    for wrong in ("", "outra", "valor,"):
        assert rows.call("GET", fields=wrong).status == 422


def test_a_list_may_omit_the_count(rows: RowsClient) -> None:
    ids(rows, "a", "b")
    for more in ({}, {"filter[valor][eq]": 1}, {"sort_by": "valor"}):
        page = rows.list(count="false", per_page=1, **more)
        assert (page["total"], page["quantity"], page["next_cursor"] is None) == (None, 1, False)
    assert rows.call("GET", count="no").status == 422


def test_a_nul_in_a_query_is_refused_and_named(rows: RowsClient) -> None:
    [row_id] = ids(rows, "a")
    for method, path, name in (
        ("GET", "", "q"),
        ("GET", "", "cursor"),
        ("GET", "", "sort_by"),
        ("GET", "", "fields"),
        ("GET", "", "filter[produto][eq]"),
        ("GET", f"/{row_id}", "versions"),
        ("DELETE", f"/{row_id}", "_version"),
        ("POST", "?return=ids", "on_conflict"),
    ):
        body = {"rows": [{"produto": "x"}]} if method == "POST" else None
        answer = rows.call(method, path, body, **{name: "a\x00"})
        assert (answer.status, answer.body["code"]) == (422, "INVALID_REQUEST"), name
        [found] = answer.body["details"]
        assert (found["in"], found["path"], found["code"]) == ("query", name, "INVALID_CHARACTER")
    for text in ("a\x00", "\ud800"):
        [found] = rows.call("POST", "/query", {"q": text}).body["details"]
        assert (found["in"], found["path"], found["code"]) == ("body", "q", "INVALID_CHARACTER")
    assert rows.list()["total"] == 1


def test_errors_show_numbers_as_they_are_asked_for(rows: RowsClient) -> None:
    """A browser that rounds the row of a 412 would write the rounded number back."""
    big, exact = 9_007_199_254_740_993, "0.00000010"
    rows.insert({"produto": "a", "quantidade": big, "valor": exact})
    [row] = rows.list(versions="true")["records"]
    change = {"produto": "b", "_version": "1"}
    bulk = {"rows": [{"id": row["id"], **change}]}
    for method, path, body, query in (
        ("PUT", f"/{row['id']}", change, {}),
        ("DELETE", f"/{row['id']}", None, {"_version": "1"}),
        ("PATCH", "", bulk, {}),
    ):
        answer = rows.call(method, path, body, numbers="string", **query)
        assert (answer.status, answer.body["code"]) == (412, "ROW_CHANGED")
        for shown in (answer.body["row"], answer.body["details"][0]["value"]):
            assert (shown["quantidade"], shown["valor"]) == (str(big), exact)
        assert answer.body["details"][0]["row"] == 0
    assert rows.call("PUT", f"/{row['id']}", change).body["row"]["quantidade"] == big
    wrong = {"rows": [{"produto": 10**30}, {"produto": "x"}]}
    [found] = rows.call("POST", body=wrong, numbers="string").body["details"]
    assert (found["value"], found["row"]) == (str(10**30), 0)
    where = {"where": {"column": "quantidade", "op": "eq", "value": 10**30}}
    for path in ("/query", "/delete"):
        [found] = rows.call("POST", path, where, numbers="string").body["details"]
        assert found["value"] == str(10**30)


def test_an_unknown_filter_is_refused(rows: RowsClient) -> None:
    for name in ("filter[valor]", "filter[valor][eq][x]", "filter[valor][eq", "filter[]"):
        answer = rows.call("GET", **{name: "1"})
        assert (answer.status, answer.body["code"]) == (422, "UNKNOWN_PARAMETER"), name
        assert answer.body["details"][0]["path"] == name


def test_a_cursor_belongs_to_one_filter(rows: RowsClient) -> None:
    ids(rows, "a", "b")
    cursor = rows.list(per_page=1, q="")["next_cursor"]
    assert rows.call("GET", cursor=cursor, q="b").status == 422
    assert rows.call("GET", cursor=cursor, **{"filter[valor][eq]": 1}).status == 422


def test_sort_and_fields_of_a_query_are_lists_or_comma_separated(rows: RowsClient) -> None:
    """Anything else among them is named by its place."""
    ids(rows, "a", "b")
    for fields, sort in ((["produto"], ["-produto", "valor"]), ("produto", "-produto,valor")):
        found = rows.call("POST", "/query", {"fields": fields, "sort": sort}).body["records"]
        assert [(row.keys(), row["produto"]) for row in found] == [({"id", "produto"}, one) for one in "ba"]
    for name in ("fields", "sort"):
        answer = rows.call("POST", "/query", {name: ["produto", 5]})
        assert (answer.status, answer.body["details"][0]["path"]) == (422, f"{name}[1]")


def test_groups_refuse_fields_and_name_faults(rows: RowsClient) -> None:
    wrong = {
        "fields": {"group_by": ["produto"], "fields": ["valor"]},
        "group_by[0]": {"group_by": ["outra"]},
        "group_by[1]": {"group_by": ["produto", "produto"]},
        "group_by": {"group_by": []},
        "aggregates[0].fn": {"aggregates": [{"fn": "median", "column": "valor"}]},
        "aggregates[0].column": {"aggregates": [{"fn": "sum", "column": "produto"}]},
        "aggregates[0].as": {"aggregates": [{"fn": "count", "as": "x y"}]},
        "aggregates[1].as": {"aggregates": [{"fn": "count"}, {"fn": "count", "column": "id"}]},
        "aggregates[0].other": {"aggregates": [{"fn": "count", "other": 1}]},
        "sort": {"group_by": ["produto"], "sort": ["valor"]},
    }
    for path, body in wrong.items():
        answer = rows.call("POST", "/query", body)
        assert (answer.status, answer.body["details"][0]["path"]) == (422, path), answer
    (missing,) = rows.call("POST", "/query", {"aggregates": [{"fn": "sum"}]}).body["details"]
    assert (missing["path"], missing["code"]) == ("aggregates[0].column", "REQUIRED")


def test_a_query_that_takes_too_long_is_refused_with_a_hint(rows: RowsClient) -> None:
    rows.execute(
        "INSERT INTO vendas (id, produto) SELECT gen_random_uuid(), repeat('á', 1000) || n"
        " FROM generate_series(1, 2000) AS n"
    )
    where = {"column": "produto", "op": "contains", "value": "zz"}
    groups = {"group_by": ["produto"], "aggregates": [{"fn": "count"}], "where": where}
    session = set_statement_timeout(rows, "50ms")
    for method, path, body, q in (
        ("GET", "", None, {"q": "zz"}),
        ("POST", "/query", {"where": where}, {}),
        ("POST", "/query", groups, {}),
        ("PATCH", "", {"where": where, "set": {"valor": 1}}, {}),
        ("POST", "/delete", {"where": where}, {}),
    ):
        answer = rows.call(method, path, body, **q)
        assert (answer.status, answer.body["code"]) == (422, "QUERY_TOO_HEAVY")
        assert "índice" in answer.body["error"]
    assert set_statement_timeout(rows, "0") == session  # the connection is still open


def set_statement_timeout(rows: RowsClient, value: str) -> int:
    """Set it in the session that the next request will have; return the session's process id."""
    company = rows.services.provisioning.find(rows.company.company_id)
    assert company is not None
    with rows.services.connection_cache.use(company) as connection:
        connection.execute("SELECT set_config('statement_timeout', %s, false)", [value])
        return connection.info.backend_pid
