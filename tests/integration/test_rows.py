"""The contract's "Data CRUD" over HTTP, against a real PostgreSQL."""

import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg import sql
from rows_client import SALES, RowsClient

from managed_tables.databases import connection_cache

UNKNOWN_ROW = "/01990000-0000-7000-8000-000000000000"


def test_a_list_of_an_empty_table_has_no_records(rows: RowsClient) -> None:
    assert rows.list() == {"total": 0, "quantity": 0, "records": [], "next_cursor": None}


def test_inserted_rows_are_listed_in_the_order_of_insertion(rows: RowsClient) -> None:
    assert rows.insert({"produto": "X", "valor": 12.5}, {"produto": "Y", "valor": 30}) == {"inserted": 2}
    rows.insert({"produto": "A"})
    listed = rows.list()
    assert (listed["total"], listed["quantity"]) == (3, 3)
    assert [(row["produto"], row["valor"]) for row in listed["records"]] == [
        ("X", Decimal("12.5")),
        ("Y", 30),
        ("A", None),
    ]


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


def test_values_are_returned_as_the_contract_writes_them(rows: RowsClient) -> None:
    rows.insert(
        {
            "produto": 'aspas " e \\ e {chaves}, NULL\n',
            "valor": "-0.10",
            "quantidade": "9223372036854775807",
            "pago": True,
            "dia": "0001-01-01",
            "quando": "2026-01-15 10:30:00.120-03:00",
        },
        {"produto": "NULL", "quantidade": -9223372036854775808, "quando": "2026-01-15T10:30Z"},
        {"produto": ""},
    )
    first, second, third = rows.list()["records"]
    assert first["produto"] == 'aspas " e \\ e {chaves}, NULL\n'
    assert (first["pago"], first["dia"], first["quando"]) == (True, "0001-01-01", "2026-01-15T13:30:00.12Z")
    assert (second["produto"], second["quando"]) == ("NULL", "2026-01-15T10:30:00Z")
    assert third["produto"] == ""
    text = rows.call("GET").text
    assert '"valor":-0.10,"quantidade":9223372036854775807' in text
    assert '"quantidade":-9223372036854775808' in text
    assert '"valor":"-0.10","quantidade":"9223372036854775807"' in rows.call("GET", numbers="string").text


def test_numbers_are_exact_digit_for_digit_in_both_directions(rows: RowsClient) -> None:
    for digits in (
        "123456789012345678901234567890.123456789012345678901234567890",
        "1e-30",
        "-1E3",
        "1e999",
    ):
        body = f'{{"rows": [{{"produto": "x", "valor": {digits}}}]}}'
        assert rows.call("POST", body=body).status == 201
    values = [row["valor"] for row in rows.list(numbers="string")["records"]]
    assert values[:3] == [
        "123456789012345678901234567890.123456789012345678901234567890",
        "0." + "0" * 29 + "1",
        "-1000",
    ]
    assert values[3] == "1" + "0" * 999


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
    "body", ["", "{", "[]", "{}", '{"rows": []}', '{"rows": {}}', '{"rows": [{}], "x": 1}']
)
def test_a_body_without_rows_is_422(rows: RowsClient, body: str) -> None:
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


def test_put_and_patch_change_the_given_fields_only(rows: RowsClient) -> None:
    rows.insert({"produto": "X", "valor": 1, "quando": "2026-01-01T00:00:00Z"})
    before = rows.list()["records"][0]
    for method, value in (("PUT", Decimal("2.50")), ("PATCH", None)):
        answer = rows.call(method, f"/{before['id']}", f'{{"valor": {value or "null"}}}')
        assert (answer.status, answer.body) == (200, {**before, "valor": value})
    assert rows.call("PUT", f"/{before['id']}", {}).body == {**before, "valor": None}


def test_an_update_refuses_the_id_unknown_fields_and_wrong_values(rows: RowsClient) -> None:
    rows.insert({"produto": "X"})
    path = f"/{rows.list()['records'][0]['id']}"
    for fields in ({"id": "1"}, {"outra": 1}, {"produto": None}, {"valor": "x"}):
        answer = rows.call("PUT", path, fields)
        assert (answer.status, answer.body["code"]) == (422, "INVALID_ROWS")
    assert rows.call("PUT", path, "[]").status == 422


def test_a_deleted_row_is_gone(rows: RowsClient) -> None:
    rows.insert({"produto": "X"}, {"produto": "Y"})
    path = f"/{rows.list()['records'][0]['id']}"
    deleted = rows.call("DELETE", path)
    assert (deleted.status, deleted.text) == (204, "")
    assert rows.call("DELETE", path).body["error"] == "Linha não encontrada"
    listed = rows.list()
    assert (listed["total"], listed["records"][0]["produto"]) == (1, "Y")


@pytest.mark.parametrize("path", [UNKNOWN_ROW, "/not-a-uuid", "/01990000000070008000000000000000"])
def test_an_unknown_row_is_404_before_anything_about_the_body(rows: RowsClient, path: str) -> None:
    for method, body in (("PUT", "{"), ("PATCH", '{"outra": 1}'), ("DELETE", None)):
        answer = rows.call(method, path, body)
        assert (answer.status, answer.body["error"]) == (404, "Linha não encontrada")


@pytest.mark.parametrize("table_id", ["5f00000000000000000000ff", "malformed"])
def test_an_unknown_table_is_404_before_anything_about_the_request(rows: RowsClient, table_id: str) -> None:
    other = RowsClient(rows.services, rows.company, rows.http, table_id)
    for answer in (
        other.call("GET", page=0),
        other.call("POST", body="{"),
        other.call("PUT", UNKNOWN_ROW, "{"),
        other.call("DELETE", "/x"),
    ):
        assert (answer.status, answer.body["error"]) == (404, "Tabela não encontrada")


@pytest.mark.parametrize(
    "query",
    [
        {"page": 0},
        {"page": "x"},
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


def test_an_inactive_table_is_readable_and_refuses_writes(rows: RowsClient) -> None:
    rows.insert({"produto": "X"})
    path = f"/{rows.list()['records'][0]['id']}"
    rows.execute("UPDATE managed_tables.tables SET version = version + 1, status = 'inactive'")
    assert rows.list()["total"] == 1
    for method, where, body in (
        ("POST", "", {"rows": [{"produto": "Y"}]}),
        ("PUT", path, {"valor": 1}),
        ("PUT", path, {}),
        ("DELETE", path, None),
    ):
        answer = rows.call(method, where, body)
        assert (answer.status, answer.body["code"]) == (400, "MANAGED_TABLE_INACTIVE")
    for method in ("PUT", "DELETE"):
        assert rows.call(method, UNKNOWN_ROW, {} if method == "PUT" else None).status == 404
    rows.execute("UPDATE managed_tables.tables SET version = version + 1, status = 'active'")
    rows.insert({"produto": "Y"})


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


def test_the_total_is_exact_after_concurrent_writes(rows: RowsClient) -> None:
    def write(number: int) -> None:
        rows.insert(*({"produto": f"{number}"} for _ in range(number)))
        mine = rows.list(sort_by="-id", per_page=1)["records"][0]
        if number % 2:
            assert rows.call("DELETE", f"/{mine['id']}").status in (204, 404)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(1, 33)))
    ((counted,),) = rows.execute("SELECT count(*) FROM vendas")
    assert rows.list()["total"] == counted


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
    cache.close_idle()
    with cache.use(rows.company) as connection:
        connection.execute("SET idle_session_timeout = 20")
        ended = connection.info.backend_pid
    monkeypatch.setattr(connection_cache, "_is_quiet", lambda _: True)
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
