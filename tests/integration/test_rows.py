"""The contract's "Data CRUD" over HTTP, against a real PostgreSQL."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg import sql
from rows_client import SALES, RowsClient

from managed_tables_api import connection_cache


def test_requests_in_one_millisecond_keep_their_order(rows: RowsClient) -> None:
    for number in range(60):
        rows.insert({"produto": str(number)})
    assert [row["produto"] for row in rows.list(per_page=100)["records"]] == [str(n) for n in range(60)]


def test_row_ids_are_version_7_uuids_that_number_the_batch(rows: RowsClient) -> None:
    rows.insert(*({"produto": str(number)} for number in range(300)))
    ids = [uuid.UUID(row["id"]) for row in rows.list(per_page=300)["records"]]
    assert {(one.version, one.variant) for one in ids} == {(7, uuid.RFC_4122)}
    counters = [(one.int >> 64 & 0xFFF) << 20 | one.int >> 42 & 0xFFFFF for one in ids]
    assert counters == list(range(counters[0], counters[0] + 300))
    assert counters[0] % 2**20 == 0
    (milliseconds,), *_ = rows.execute("SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint")
    assert {one.int >> 80 for one in ids} <= set(range(int(milliseconds) - 60_000, int(milliseconds) + 1))


@pytest.mark.parametrize(
    ("row", "column", "code", "reason"),
    [
        ({"produto": 5}, "produto", "NOT_A_TEXT", "deve ser texto"),
        ({"produto": "a\x00b"}, "produto", "INVALID_CHARACTER", "NUL"),
        ({"produto": "\ud800"}, "produto", "INVALID_CHARACTER", "surrogate"),
        ({"produto": None}, "produto", "REQUIRED", "não aceita nulo"),
        ({}, "produto", "REQUIRED", "obrigatório"),
        ({"produto": "x", "outra": 1}, "outra", "UNKNOWN_COLUMN", "não tem esta coluna"),
        ({"produto": "x", "id": "1"}, "id", "READ_ONLY", "definido pelo servidor"),
        ({"produto": "x", "quantidade": 2**63}, "quantidade", "OUT_OF_RANGE", "64 bits"),
        ({"produto": "x", "quantidade": 1.5}, "quantidade", "NOT_AN_INTEGER", "parte decimal"),
        ({"produto": "x", "quantidade": "1 2"}, "quantidade", "NOT_AN_INTEGER", "dígitos"),
        ({"produto": "x", "quantidade": True}, "quantidade", "NOT_AN_INTEGER", "número"),
        ({"produto": "x", "valor": "NaN"}, "valor", "NOT_A_DECIMAL", "número"),
        ({"produto": "x", "valor": "1e1000"}, "valor", "TOO_LONG", "1000 algarismos"),
        ({"produto": "x", "valor": "1e-1000"}, "valor", "TOO_LONG", "1000 algarismos"),
        ({"produto": "x", "pago": "true"}, "pago", "NOT_A_BOOLEAN", "true ou false"),
        ({"produto": "x", "dia": "2026-02-30"}, "dia", "NOT_A_DATE", "calendário"),
        ({"produto": "x", "dia": "15/01/2026"}, "dia", "NOT_A_DATE", "AAAA-MM-DD"),
        ({"produto": "x", "quando": "2026-01-01T00:00:00.1234567Z"}, "quando", "NOT_A_DATETIME", "6 dígitos"),
        ({"produto": "x", "quando": "0001-01-01T00:00:00+01:00"}, "quando", "OUT_OF_RANGE", "9999"),
        ([1], None, "NOT_AN_OBJECT", "objeto"),
    ],
)
def test_a_wrong_value_is_named_and_nothing_is_inserted(
    rows: RowsClient, row: Any, column: str | None, code: str, reason: str
) -> None:
    answer = rows.call("POST", body={"rows": [{"produto": "certo"}, row]})
    assert (answer.status, answer.body["code"]) == (422, "INVALID_ROWS")
    (detail,) = answer.body["details"]
    assert (detail["in"], detail["row"], detail.get("column")) == ("row", 1, column)
    assert detail["code"] == code
    assert reason in detail["reason"]
    assert rows.list()["total"] == 0


def test_the_first_details_come_with_their_total(rows: RowsClient) -> None:
    answer = rows.call("POST", body={"rows": [{"produto": number} for number in range(30)]})
    assert [one["row"] for one in answer.body["details"]] == list(range(20))
    assert answer.body["details_total"] == 30


def test_huge_exponents_are_refused_at_once(rows: RowsClient) -> None:
    for name in ("valor", "quantidade"):
        body = f'{{"rows": [{{"produto": "x", "{name}": 1e999999999}}]}}'
        assert rows.call("POST", body=body).status == 422


@pytest.mark.parametrize(
    ("body", "path", "code"),
    [
        ({}, "rows", "NOT_A_LIST"),
        ({"rows": []}, "rows", "NOT_A_LIST"),
        ({"rows": [{}], "x": 1}, "x", "UNKNOWN_FIELD"),
    ],
)
def test_faults_in_an_inserts_body_are_named(
    rows: RowsClient, body: dict[str, Any], path: str, code: str
) -> None:
    (named,) = rows.call("POST", body=body).body["details"]
    assert (named["in"], named["path"], named["code"]) == ("body", path, code)


@pytest.mark.parametrize(
    "query",
    [
        {"page": 0},
        {"page": "x"},
        {"page": [1, 2]},
        {"per_page": 0},
        {"per_page": 1001},
        {"sort_by": ""},
        {"sort_by": "-"},
        {"sort_by": "nada"},
        {"sort_by": "--valor"},
        {"numbers": "float"},
        {"cursor": "abc"},
        {"cursor": ""},
        {"cursor": "W10", "page": 1},
    ],
)
def test_a_wrong_parameter_of_a_list_is_422(rows: RowsClient, query: dict[str, Any]) -> None:
    answer = rows.call("GET", **query)
    assert answer.status == 422
    assert len(query) > 1 or answer.body["details"][0]["path"] in query


def test_a_page_beyond_the_end_is_empty(rows: RowsClient) -> None:
    rows.insert({"produto": "X"})
    for page in (2, 10**30):
        assert rows.list(page=page) == {"total": 1, "quantity": 0, "records": [], "next_cursor": None}


def test_a_page_too_large_for_an_answer_is_refused(rows: RowsClient) -> None:
    for _ in range(3):
        rows.insert({"produto": "x" * 3_000_000})
    assert rows.call("GET").body["code"] == "RESPONSE_TOO_LARGE"
    assert rows.list(per_page=1)["quantity"] == 1


def test_a_pages_size_is_measured_as_json(rows: RowsClient) -> None:
    """A one-byte control character is six bytes in JSON; a NULL is four, whatever its column."""
    for _ in range(3):
        rows.insert({"produto": "\x01" * 400_000})
    assert rows.call("GET").body["code"] == "RESPONSE_TOO_LARGE"
    assert rows.list(per_page=2)["quantity"] == 2


def test_a_page_that_is_too_large_is_refused_before_it_is_made(rows: RowsClient, postgres_dsn: str) -> None:
    """All companies share a server's disk: short requests for gigabytes must not fill it."""
    rows.change(
        "ALTER TABLE vendas DROP pago, DROP dia, DROP quando, DROP quantidade",
        {"produto": "text", "valor": "decimal?"},
    )
    rows.execute(
        "INSERT INTO vendas (id, produto, valor) SELECT gen_random_uuid(), repeat('x', 1000000), 1e131071"
        " FROM generate_series(1, 300)"
    )
    rows.execute("INSERT INTO managed_tables.row_counts SELECT table_id, 0, 300 FROM managed_tables.tables")
    started, spooled = time.monotonic(), spooled_bytes(rows, postgres_dsn)
    for columns, query in (
        ({"produto": "text", "valor": "decimal?"}, {"per_page": 1_000}),
        ({"produto": "text"}, {"per_page": 300, "sort_by": "-produto"}),
        ({"valor": "decimal?"}, {"per_page": 1_000, "sort_by": "-id"}),
    ):
        rows.change("SELECT 1", columns)
        assert rows.call("GET", **query).body["code"] == "RESPONSE_TOO_LARGE"
    assert len(rows.list(per_page=38, numbers="string")["records"]) == 38  # of 131 KB each
    assert time.monotonic() - started < 20  # takes seconds; making all pages took minutes
    assert spooled_bytes(rows, postgres_dsn) == spooled


def spooled_bytes(rows: RowsClient, postgres_dsn: str) -> int:
    """End the company's sessions and return how much they wrote to temporary files."""
    database = f"co_{rows.company.connection_id}"
    rows.services.connection_cache.close_idle()
    deadline = time.monotonic() + 20
    with psycopg.connect(postgres_dsn, autocommit=True) as admin:
        while admin.execute("SELECT FROM pg_stat_activity WHERE datname = %s", [database]).fetchone():
            assert time.monotonic() < deadline
        found = admin.execute(
            "SELECT temp_bytes FROM pg_stat_database WHERE datname = %s", [database]
        ).fetchone()
    return int(found[0]) if found else 0


def test_a_page_sorts_only_keys_and_ids_and_past_the_end_nothing(rows: RowsClient, postgres_dsn: str) -> None:
    """A sort that does not fit in memory goes to the disk shared by a cluster's companies."""
    rows.execute(
        "INSERT INTO vendas (id, produto, quantidade) SELECT gen_random_uuid(), repeat(n || 'x', 200), n % 97"
        " FROM generate_series(1, 3000) AS n"
    )
    rows.execute("INSERT INTO managed_tables.row_counts SELECT table_id, 0, 3000 FROM managed_tables.tables")
    for sort_by, page, limit in (("quantidade", 1_000, "200kB"), ("-quantidade", 99_999_999, "0")):
        with role_settings(rows, postgres_dsn, {"work_mem": "64kB", "temp_file_limit": limit}):
            assert rows.list(sort_by=sort_by, page=page, per_page=1)["total"] == 3_000


@contextmanager
def role_settings(rows: RowsClient, postgres_dsn: str, values: dict[str, str]) -> Iterator[None]:
    """Give the company's sessions other settings for the `with` block."""
    role = sql.Identifier(rows.services.databases.roles_of(rows.company).owner)
    with psycopg.connect(postgres_dsn, autocommit=True) as admin:
        for name, value in values.items():
            form = sql.SQL("ALTER ROLE {} IN DATABASE {} SET {} = {}")
            admin.execute(form.format(role, role, sql.Identifier(name), value))
        rows.services.connection_cache.close_idle()
        yield
        admin.execute(sql.SQL("ALTER ROLE {} IN DATABASE {} RESET ALL").format(role, role))
        rows.services.connection_cache.close_idle()


def test_every_operation_notices_a_changed_table(rows: RowsClient) -> None:
    rows.insert({"produto": "X", "valor": "7"})
    path = f"/{rows.list()['records'][0]['id']}"
    types = {**SALES, "preco": "decimal?"}
    del types["valor"]
    rows.change("ALTER TABLE vendas RENAME valor TO preco", types)
    assert rows.list()["records"][0]["preco"] == 7
    rows.change("ALTER TABLE vendas ALTER preco TYPE text", {**types, "preco": "text?"})
    assert rows.call("PUT", path, {"preco": "sete"}).body["preco"] == "sete"
    rows.change("ALTER TABLE vendas RENAME TO vendidos", {**types, "preco": "text?"}, "vendidos")
    rows.insert({"produto": "Y", "preco": "oito"})
    rows.change("ALTER TABLE vendidos RENAME preco TO custo", {**types, "custo": "text?"}, "vendidos")
    assert rows.call("DELETE", path).status == 204


def test_a_deleted_table_is_404_even_if_its_name_is_reused(rows: RowsClient) -> None:
    rows.insert({"produto": "X"})
    rows.execute("UPDATE managed_tables.tables SET version = version + 1, deleted_at = now()")
    assert rows.call("POST", body={"rows": [{"produto": "Y"}]}).status == 404
    assert rows.call("GET").status == 404


def test_a_connection_that_the_server_has_closed_is_replaced(rows: RowsClient) -> None:
    rows.insert({"produto": "X"})
    rows.execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        " AND datname = current_database() AND usename = current_user"
    )
    assert rows.list()["total"] == 1


def test_a_session_that_ended_meanwhile_causes_no_error(
    rows: RowsClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its end went unnoticed, as in a frozen process; the ended session had inserted nothing."""
    cache = rows.services.connection_cache
    company = rows.services.provisioning.require(rows.company.company_id)
    rows.list()  # the table is known: it is the insert that meets the session
    cache.close_idle()
    with cache.use(company) as connection:
        connection.execute("SET idle_session_timeout = 20")
        ended = connection.info.backend_pid
    monkeypatch.setattr(connection_cache, "_is_alive", lambda *_: True)
    while (ended,) in rows.execute("SELECT pid FROM pg_stat_activity"):
        pass
    assert rows.insert({"produto": "X"}) == {"inserted": 1}
    assert rows.list()["total"] == 1


def test_a_row_too_wide_for_postgresql_is_422(rows: RowsClient) -> None:
    types = {f"c{number}": "integer?" for number in range(1_500)}
    columns = ", ".join(f"ADD c{number} bigint" for number in range(1_500))
    rows.change(
        "ALTER TABLE vendas DROP produto, DROP valor, DROP quantidade, DROP pago, DROP dia, DROP quando, "
        + columns,
        types,
    )
    assert rows.insert(dict.fromkeys(list(types)[:900], 1)) == {"inserted": 1}
    assert rows.list()["records"][0]["c899"] == 1
    answer = rows.call("POST", body={"rows": [dict.fromkeys(types, 1)]})
    assert (answer.status, answer.body["code"]) == (422, "ROW_TOO_WIDE")
