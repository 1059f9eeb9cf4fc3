"""`Idempotency-Key`: rows sent again because no answer came are stored once."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from lost_answers import lose_the_first_answer, lose_the_first_commit
from rows_client import SALES, Answer, RowsClient, RowsCompany

from managed_tables_api.routes.rows import KEY_HEADER

ROWS = [{"produto": "X", "valor": 1}, {"produto": "Y"}]


def insert(rows: RowsClient, body: Any, *keys: str) -> Answer:
    headers = [*rows.headers().items(), *((KEY_HEADER, key) for key in keys)]
    url = f"/v1/managed-tables/{rows.table_id}/data"
    answer = rows.http.request("POST", url, content=json.dumps(body), headers=headers)
    return Answer(answer.status_code, answer.json(), answer.text)


def test_a_repeated_request_inserts_nothing_and_gets_the_same_answer(rows: RowsClient) -> None:
    for _ in range(3):
        assert insert(rows, {"rows": ROWS}, "pedido 1") == Answer(201, {"inserted": 2}, '{"inserted":2}')
    assert [row["produto"] for row in rows.list()["records"]] == ["X", "Y"]
    assert rows.list()["total"] == 2


def test_without_a_key_repeated_rows_are_inserted_again(rows: RowsClient) -> None:
    for key in ((), (), ("a",), ("b",)):
        assert insert(rows, {"rows": ROWS}, *key).status == 201
    assert rows.list()["total"] == 8


def test_a_key_with_another_body_is_refused(rows: RowsClient) -> None:
    insert(rows, {"rows": ROWS}, "k")
    answer = insert(rows, {"rows": ROWS[:1]}, "k")
    assert (answer.status, answer.body["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert rows.list()["total"] == 2


def test_a_refused_request_leaves_its_key_free(rows: RowsClient) -> None:
    assert insert(rows, {"rows": [{"valor": "dez"}]}, "k").status == 422
    assert insert(rows, {"rows": ROWS}, "k").status == 201


def test_a_key_belongs_to_one_table(rows: RowsClient, rows_company: RowsCompany) -> None:
    other = rows_company.make_table(SALES, "outras_vendas")
    for table in (rows, other):
        assert insert(table, {"rows": ROWS[: 1 + (table is other)]}, "k").status == 201
    assert (rows.list()["total"], other.list()["total"]) == (1, 2)


@pytest.mark.parametrize("keys", [("",), ("a" * 256,), ("a", "a"), ("a\tb",)])
def test_an_invalid_key_is_refused_before_anything_is_written(
    rows: RowsClient, keys: tuple[str, ...]
) -> None:
    answer = insert(rows, {"rows": ROWS}, *keys)
    assert (answer.status, answer.body["code"]) == (422, "INVALID_REQUEST")
    assert KEY_HEADER in answer.body["error"]
    assert rows.list()["total"] == 0


def test_simultaneous_requests_with_one_key_insert_once(rows: RowsClient) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: insert(rows, {"rows": ROWS}, "at once"), range(16)))
    assert {(answer.status, answer.body["inserted"]) for answer in answers} == {(201, 2)}
    assert rows.list()["total"] == 2


def test_a_request_recovers_the_databases_lost_answer(
    rows: RowsClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection breaks during the work: the client gets 201, the rows are stored once."""
    lost = lose_the_first_answer(monkeypatch, b"written AS")
    assert insert(rows, {"rows": ROWS}, "k").status == 201
    assert len(lost) == 1
    assert rows.list()["total"] == 2


def test_a_request_recovers_the_lost_answer_to_its_commit(
    rows: RowsClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows are committed and the connection breaks: the client gets 201, the rows are stored once."""
    lost = lose_the_first_commit(monkeypatch)
    assert insert(rows, {"rows": ROWS}, "k").body == {"inserted": 2}
    assert len(lost) == 1
    assert rows.list()["total"] == 2


@pytest.mark.parametrize("write", [b"INSERT INTO", b"UPDATE", b"DELETE FROM"])
def test_a_write_whose_answer_is_lost_is_not_called_repeatable(
    rows: RowsClient, monkeypatch: pytest.MonkeyPatch, write: bytes
) -> None:
    """It was carried out: a client told that the database is waking up would insert the rows twice."""
    rows.insert({"produto": "X"})
    row = f"/{rows.list()['records'][0]['id']}"
    lost = lose_the_first_answer(monkeypatch, write + b' "public"')
    calls = {
        b"INSERT INTO": lambda: insert(rows, {"rows": ROWS}),
        b"UPDATE": lambda: rows.call("PUT", row, {"produto": "Z"}),
        b"DELETE FROM": lambda: rows.call("DELETE", row),
    }
    answer = calls[write]()
    assert (answer.status, answer.body["code"]) == (503, "OUTCOME_UNKNOWN")
    assert KEY_HEADER in answer.body["error"]
    assert len(lost) == 1
    total = {b"INSERT INTO": 3, b"UPDATE": 1, b"DELETE FROM": 0}[write]
    assert rows.list()["total"] == total


def test_a_write_that_the_server_ends_is_not_called_repeatable(rows: RowsClient, postgres_dsn: str) -> None:
    """A server shutting down, or an administrator, ends the session during the statement."""
    with (
        ThreadPoolExecutor(1) as pool,
        rows.services.databases.company_connection(rows.company) as blocker,
        psycopg.connect(postgres_dsn, autocommit=True) as admin,
        blocker.transaction(),
    ):
        blocker.execute("LOCK TABLE public.vendas IN ACCESS EXCLUSIVE MODE")
        sent = pool.submit(insert, rows, {"rows": ROWS})
        ended = 0
        while not ended:
            ended = admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND wait_event_type = 'Lock'",
                [f"co_{rows.company.connection_id}"],
            ).rowcount
        assert sent.result().body["code"] == "OUTCOME_UNKNOWN"


def test_a_repetition_is_answered_even_if_the_table_has_changed(rows: RowsClient) -> None:
    insert(rows, {"rows": ROWS}, "k")
    rows.execute("UPDATE managed_tables.tables SET status = 'inactive', version = version + 1")
    assert insert(rows, {"rows": ROWS}, "k").body == {"inserted": 2}
    assert insert(rows, {"rows": ROWS}, "other").body["code"] == "MANAGED_TABLE_INACTIVE"


def test_keys_expire_after_a_day(rows: RowsClient) -> None:
    insert(rows, {"rows": ROWS}, "old")
    insert(rows, {"rows": ROWS}, "recent")
    rows.execute(
        "UPDATE managed_tables.applied_requests SET applied_at = now() - interval '25 hours'"
        " WHERE idempotency_key = 'old'"
    )
    insert(rows, {"rows": ROWS}, "new")
    kept = rows.execute("SELECT idempotency_key FROM managed_tables.applied_requests ORDER BY 1")
    assert kept == [("new",), ("recent",)]
