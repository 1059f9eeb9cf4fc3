"""Rows of a table with a key: violations are named, and an insert may update or ignore existing rows."""

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rows_client import Answer, RowsCompany
from tables_client import TableClient, column, created

COLUMNS = (column("nome"), column("mes", "integer"), column("valor", "decimal", default="7"), column("nota"))


@pytest.fixture(scope="module")
def table(rows_company: RowsCompany) -> Iterator[TableClient]:
    """A table whose key is `nome` and `mes`."""
    made = created(rows_company, *COLUMNS, display_name="definition")  # as our statements name a part
    made.changed(key=["nome", "mes"])
    yield made
    assert made.call("DELETE").status_code == 204


@pytest.fixture(autouse=True)
def _empty(table: TableClient) -> None:
    table.rows.call("POST", "/delete", {"all": True})


def insert(table: TableClient, *rows: dict[str, Any], **query: Any) -> Answer:
    return table.rows.call("POST", body={"rows": rows}, **query)


def row(nome: str | None, mes: int | None = 1, **more: Any) -> dict[str, Any]:
    return {"nome": nome, "mes": mes, **more}


def counts(answer: Answer) -> tuple[int, ...]:
    assert answer.status == 201, answer
    return tuple(answer.body[name] for name in ("inserted", "updated", "ignored"))


def assert_counted(table: TableClient) -> None:
    assert table.sql("SELECT count(*) FROM {t}") == [(table.rows.list()["total"],)]


@pytest.mark.parametrize("query", [{}, {"on_conflict": "error"}, {"return": "ids"}])
def test_an_insert_that_repeats_a_key_names_row_and_values(table: TableClient, query: dict[str, Any]) -> None:
    insert(table, row("a"), row(None))
    answer = insert(table, row("b"), row("a"), row("b", 2), row("b"), row(None), **query)
    assert (answer.status, answer.body["code"]) == (409, "DUPLICATE_KEY")
    found = [(one["row"], one["value"], one["code"]) for one in answer.body["details"]]
    assert found == [
        (1, row("a"), "DUPLICATE_KEY"),
        (3, row("b"), "DUPLICATE_KEY"),
        (4, row(None), "DUPLICATE_KEY"),
    ]
    assert table.rows.list()["total"] == 2


def test_a_key_being_built_is_enforced_like_an_existing_one(rows_company: RowsCompany) -> None:
    """Its index is enforced before the table has the key: 409 with the values, for inserts and updates."""
    table = created(rows_company, *COLUMNS)
    table.rows.insert(row("a"), row("b"))
    table.sql("CREATE UNIQUE INDEX ON {t} (nome, mes) NULLS NOT DISTINCT")
    ids = {one["nome"]: one["id"] for one in table.rows.list()["records"]}
    answers = [
        insert(table, row("c"), row("a")),
        insert(table, row("c"), row("a"), **{"return": "ids"}),
        table.rows.call("PUT", f"/{ids['b']}", {"nome": "a"}),
        table.rows.call("PATCH", body={"rows": [{"id": ids["b"], "nome": "a"}]}),
    ]
    for answer in answers:
        assert (answer.status, answer.body["code"]) == (409, "DUPLICATE_KEY"), answer
        assert "nome, mes" in answer.body["error"]
    assert [answer.body["details"][0]["row"] for answer in answers[:2]] == [1, 1]
    assert table.rows.list()["total"] == 2


def test_without_conflict_error_inserts_and_counts(table: TableClient) -> None:
    assert counts(insert(table, row("a"), row("b"), on_conflict="error")) == (2, 0, 0)


def test_an_update_of_all_rows_that_repeats_a_key_changes_none(table: TableClient) -> None:
    insert(table, row("a"), row("b"), row("c"))
    answer = table.rows.call("PATCH", body={"where": {}, "set": {"nome": "x"}, "all": True})
    assert answer.status == 409
    assert [one["nome"] for one in table.rows.list()["records"]] == ["a", "b", "c"]


def test_rows_exchange_their_keys_in_one_change(table: TableClient) -> None:
    """What counts is whether the rows have keys of their own afterwards, however they come to it."""
    insert(table, row("a", valor=1, nota="x"), row("b", valor=2), row("c", valor=3), row("d"))
    ids = {one["nome"]: one["id"] for one in table.rows.list()["records"]}
    names = {"a": "b", "b": "c", "c": "a"}
    rows = [{"id": ids[old], "nome": new} for old, new in names.items()]
    rows[0]["valor"] = "1.50"
    assert table.rows.call("PATCH", body={"rows": rows}).body == {"updated": 3}
    records = {one["id"]: one for one in table.rows.list()["records"]}
    assert records[ids["a"]] == {**row("b"), "id": ids["a"], "valor": Decimal("1.50"), "nota": "x"}
    assert [records[ids[old]]["nome"] for old in names] == list(names.values())
    assert_counted(table)
    recorded = table.sql(
        "SELECT row_id::text, action, before::text, after::text FROM managed_tables.row_history"
        " ORDER BY change_id DESC LIMIT 3"
    )
    changed = ("update", '"nome"=>"a", "valor"=>"1"', '"nome"=>"b", "valor"=>"1.50"')
    assert (ids["a"], *changed) in recorded, "an exchange is no deletion"
    assert {action for _, action, _, _ in recorded} == {"update"}
    versions = table.rows.list(versions="true")["records"]
    stale = [
        {"id": one["id"], "mes": 1, "nome": names.get(one["nome"], "e"), "_version": "1"} for one in versions
    ]
    assert table.rows.call("PATCH", body={"rows": stale}).status == 412
    repeated = [{"id": ids["a"], "nome": "c"}, {"id": ids["b"], "nome": "d"}]
    answer = table.rows.call("PATCH", body={"rows": repeated})
    assert (answer.status, answer.body["code"]) == (409, "DUPLICATE_KEY")
    assert {one["id"]: one for one in table.rows.list()["records"]} == records


def test_a_key_that_is_too_long_is_refused_as_such(table: TableClient) -> None:
    insert(table, row("a"))
    [first] = table.rows.list()["records"]
    for answer in (
        insert(table, row(secrets.token_hex(9_000))),
        insert(table, row(secrets.token_hex(3_000)), on_conflict="update"),
        table.rows.call("PUT", f"/{first['id']}", {"nome": secrets.token_hex(3_000)}),
        table.rows.call("PATCH", body={"rows": [{"id": first["id"], "nome": secrets.token_hex(3_000)}]}),
    ):
        assert (answer.status, answer.body["code"]) == (422, "KEY_TOO_LONG")
        assert "(nome, mes)" in answer.body["error"]


def test_a_text_that_is_too_long_for_a_unique_value_names_its_column(rows_company: RowsCompany) -> None:
    rule = {"kind": "unique", "columns": ["nome"]}
    table = created(rows_company, column("mes", "integer"), column("nome"), rules=[rule])
    answer = insert(table, {"mes": 1, "nome": secrets.token_hex(9_000)})
    assert (answer.status, answer.body["code"]) == (422, "KEY_TOO_LONG")
    assert "(nome)" in answer.body["error"]


def test_an_update_that_repeats_a_key_names_its_values_in_their_types(rows_company: RowsCompany) -> None:
    typed = {"pago": True, "mes": 3, "quando": "2024-01-31T10:00:00.5Z"}
    kinds = {"pago": "boolean", "mes": "integer", "quando": "datetime"}
    table = created(rows_company, *(column(name, kind) for name, kind in kinds.items()))
    table.changed(key=[*kinds])
    other = {**typed, "mes": 4}
    row_id = insert(table, typed, other, **{"return": "ids"}).body["ids"][1]
    for answer in (
        table.rows.call("PUT", f"/{row_id}", body=typed),
        table.rows.call("PATCH", body={"rows": [{"id": row_id, "mes": 3}]}),
    ):
        assert (answer.status, answer.body["code"]) == (409, "DUPLICATE_KEY")
        [detail] = answer.body["details"]
        assert detail["value"] == {**typed, "quando": "2024-01-31T10:00:00.5Z"}
        assert detail["reason"].endswith("pago = sim, mes = 3, quando = 2024-01-31T10:00:00.5Z")
    assert table.call("DELETE").status_code == 204


@pytest.mark.parametrize(
    ("kinds", "value", "reason"),
    [
        ({"nome": "text"}, {"nome": "Silva, João"}, "nome = Silva, João"),
        ({"nome": "text", "pago": "boolean"}, {}, "a mesma chave"),  # where one text ends is not known
    ],
)
def test_a_comma_in_a_repeated_key_is_not_taken_for_its_end(
    rows_company: RowsCompany, kinds: dict[str, str], value: dict[str, Any], reason: str
) -> None:
    table = created(rows_company, *(column(name, kind) for name, kind in kinds.items()))
    table.changed(key=[*kinds])
    first = dict(zip(kinds, ("Silva, João", True), strict=False))
    row_id = insert(table, first, {**first, "nome": "Ana"}, **{"return": "ids"}).body["ids"][1]
    answer = table.rows.call("PUT", f"/{row_id}", body=first)
    assert (answer.status, answer.body["code"]) == (409, "DUPLICATE_KEY")
    [detail] = answer.body["details"]
    assert (detail["value"], detail["reason"]) == (value, f"já existe uma linha com {reason}")
    assert table.call("DELETE").status_code == 204


def test_on_conflict_update_changes_the_named_columns_of_existing_rows(table: TableClient) -> None:
    insert(table, row("a", valor=1, nota="fica"), row(None, None, nota="vazia"))
    answer = insert(
        table, row("b", valor=2), row("a", valor=3), row(None, None, valor=4), row("c"), on_conflict="update"
    )
    assert counts(answer) == (2, 2, 0)
    assert sorted(table.values("nome", "mes", "valor", "nota"), key=str) == sorted(
        [("a", 1, 3, "fica"), (None, None, 4, "vazia"), ("b", 1, 2, None), ("c", 1, 7, None)], key=str
    )
    assert_counted(table)


def test_on_conflict_ignore_inserts_only_new_rows(table: TableClient) -> None:
    insert(table, row("a", valor=1))
    assert counts(insert(table, row("a", valor=2), row("b"), row("b", valor=9), on_conflict="ignore")) == (
        1,
        0,
        2,
    )
    assert table.values("nome", "valor") == [("a", 1), ("b", 7)]
    assert_counted(table)


@pytest.mark.parametrize("more", [{}, {"nota": "x"}])
def test_on_conflict_update_refuses_a_key_twice_in_one_request(
    table: TableClient, more: dict[str, Any]
) -> None:
    answer = insert(table, row("a", valor=1), row("b"), row("a", valor=2, **more), on_conflict="update")
    assert (answer.status, answer.body["code"], answer.body["details"][0]["row"]) == (409, "DUPLICATE_KEY", 2)
    assert table.rows.list()["total"] == 0


def test_on_conflict_needs_a_key_and_returns_only_counts(
    rows_company: RowsCompany, table: TableClient
) -> None:
    plain = created(rows_company, *COLUMNS)
    for on_conflict in ("update", "ignore"):
        assert insert(plain, row("a"), on_conflict=on_conflict).body["code"] == "TABLE_WITHOUT_KEY"
        assert insert(table, row("a"), on_conflict=on_conflict, **{"return": "ids"}).status == 422
    assert insert(table, row("a"), on_conflict="other").status == 422


@pytest.mark.parametrize("on_conflict", ["update", "ignore"])
def test_a_repeated_request_gets_the_first_ones_answer(table: TableClient, on_conflict: str) -> None:
    insert(table, row("a"))
    body = {"rows": [row("a", valor=5), row("b", valor=5)]}
    sent = {"headers": {"Idempotency-Key": f"k-{on_conflict}"}, "on_conflict": on_conflict}
    first = table.rows.call("POST", body=body, **sent)
    table.rows.call("PATCH", body={"where": {}, "set": {"valor": 6}, "all": True})
    second = table.rows.call("POST", body=body, **sent)
    assert (
        first.body
        == second.body
        == {"inserted": 1, "updated": 1, "ignored": 0}
        | ({} if on_conflict == "update" else {"updated": 0, "ignored": 1})
    )
    assert set(table.values("valor")) == {(6,)}


keys = st.sampled_from([None, "a", "b", "c"])
given_rows = st.lists(
    st.fixed_dictionaries(
        {"nome": keys, "mes": st.sampled_from([None, 1, 2])}, optional={"valor": st.integers(0, 9)}
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["error", "update", "ignore"]), given_rows), max_size=4))
def test_requests_do_the_same_as_the_python_model(table: TableClient, requests: list[Any]) -> None:
    table.rows.call("POST", "/delete", {"all": True})
    expected: dict[tuple[Any, Any], Any] = {}
    for on_conflict, rows in requests:
        answer = insert(table, *rows, on_conflict=on_conflict)
        new = dict(expected)
        done = apply(new, rows, on_conflict)
        if done is None:
            assert answer.status == 409
        else:
            assert counts(answer) == done
            expected = new
        assert {one[:2]: one[2] for one in table.values("nome", "mes", "valor")} == expected
    assert_counted(table)


def apply(there: dict[Any, Any], rows: list[dict[str, Any]], on_conflict: str) -> tuple[int, int, int] | None:
    """Insert the rows; None if they are refused."""
    done, seen = [0, 0, 0], set()
    for one in rows:
        key = (one["nome"], one["mes"])
        if on_conflict != "ignore" and (key in seen or (on_conflict == "error" and key in there)):
            return None
        seen.add(key)
        if key not in there:
            there[key] = one.get("valor", Decimal(7))
            done[0] += 1
        elif on_conflict == "update":
            there[key] = one.get("valor", there[key])
            done[1] += 1
        else:
            done[2] += 1
    return done[0], done[1], done[2]


def test_upserts_and_inserts_that_race_leave_each_key_once(table: TableClient) -> None:
    """The first request inserts; the others update, are ignored or are refused, without other errors."""
    many = [row(f"n{number}", valor=0) for number in range(50)]

    def send(number: int) -> int:
        rows = [{**one, "valor": number} for one in (many if number % 2 else many[::-1])]
        return insert(table, *rows, on_conflict=("update", "ignore", "error")[number % 3]).status

    with ThreadPoolExecutor(6) as pool:
        statuses = list(pool.map(send, range(24)))
    assert set(statuses) <= {201, 409}
    assert all(status == 201 for number, status in enumerate(statuses) if number % 3 != 2)
    assert len(table.values("nome")) == 50
    assert len(set(table.values("valor"))) == 1  # each request is all or nothing
    assert_counted(table)
