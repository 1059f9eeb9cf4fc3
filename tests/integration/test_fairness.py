"""One company's slow queries, or a very slow client, do not affect the others."""

import socket
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import psycopg
import pytest
from rows_client import SALES, RowsClient, RowsCompany
from serving import serving

from managed_tables.ids import new_record_id
from managed_tables_api.app import create_app
from managed_tables_api.http import requests
from managed_tables_api.http.slots import COMPANY_REQUESTS

REQUESTS = 50  # more than the server has threads
ROW = {"produto": "Café"}


@pytest.fixture
def other(rows_company: RowsCompany) -> Iterator[RowsClient]:
    """Another company's table, in the same deployment."""
    company = rows_company.services.provisioning.provision(new_record_id())
    made = replace(rows_company, company=company)
    yield made.make_table(SALES)
    made.drop_tables()


@pytest.fixture
def url(rows_company: RowsCompany) -> Iterator[str]:
    """The base URL of the app for both companies, behind a real server."""
    with serving(create_app(rows_company.services)) as base:
        yield base


def path(base: str, client: RowsClient) -> str:
    return f"{base}/v1/managed-tables/{client.table_id}/data"


def wait_until(condition: Any, limit_seconds: float = 20.0) -> None:
    deadline = time.monotonic() + limit_seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def waiting_for_locks(dsn: str, client: RowsClient) -> int:
    with psycopg.connect(dsn) as admin:
        row = admin.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'",
            [f"co_{client.company.connection_id}"],
        ).fetchone()
    return int(row[0]) if row else 0


def test_a_company_whose_queries_hang_does_not_starve_another(
    rows: RowsClient, other: RowsClient, url: str, postgres_dsn: str
) -> None:
    """50 requests of one company wait, four of them for a lock; the other's are answered before them."""
    with (
        httpx.Client(timeout=60, limits=httpx.Limits(max_connections=100)) as http,
        ThreadPoolExecutor(REQUESTS) as pool,
        rows.services.databases.company_connection(rows.company) as blocker,
    ):
        with blocker.transaction():
            blocker.execute("LOCK TABLE public.vendas IN ACCESS EXCLUSIVE MODE")
            hanging: list[Future[httpx.Response]] = [
                pool.submit(http.get, path(url, rows), headers=rows.headers()) for _ in range(REQUESTS)
            ]
            wait_until(lambda: waiting_for_locks(postgres_dsn, rows) == rows.services.slots.threads)
            for _ in range(5):
                written = http.post(path(url, other), json={"rows": [ROW]}, headers=other.headers())
                assert written.status_code == 201, written.text
            assert not any(one.done() for one in hanging)
            assert waiting_for_locks(postgres_dsn, rows) == rows.services.slots.threads == 4
        statuses = [one.result().status_code for one in hanging]
    assert statuses == [200] * REQUESTS


def test_a_company_is_refused_requests_beyond_its_limit(
    rows: RowsClient, other: RowsClient, url: str
) -> None:
    """The 65th simultaneous request is 429 in our error shape, for that company only."""
    with (
        httpx.Client(timeout=60, limits=httpx.Limits(max_connections=200)) as http,
        ThreadPoolExecutor(COMPANY_REQUESTS + 10) as pool,
        rows.services.databases.company_connection(rows.company) as blocker,
    ):
        with blocker.transaction():
            blocker.execute("LOCK TABLE public.vendas IN ACCESS EXCLUSIVE MODE")
            sent = [
                pool.submit(http.get, path(url, rows), headers=rows.headers())
                for _ in range(COMPANY_REQUESTS + 10)
            ]
            wait_until(lambda: sum(one.done() for one in sent) == 10)
            assert http.get(path(url, other), headers=other.headers()).status_code == 200
        answers = [one.result() for one in sent]
    refused = [one for one in answers if one.status_code == 429]
    assert {one.json()["code"] for one in refused} == {"TOO_MANY_REQUESTS"}
    assert len(refused) == 10


def test_a_body_that_stops_is_408_and_holds_no_thread(
    rows: RowsClient, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other requests are answered, even with more unfinished bodies than the company has threads."""
    monkeypatch.setattr(requests, "BODY_PAUSE_MAX_SECONDS", 2.0)
    port = int(url.rpartition(":")[2])
    head = (
        f"POST /v1/managed-tables/{rows.table_id}/data HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n"
        f"Authorization: {rows.headers()['Authorization']}\r\n\r\n" + '{"rows": ['
    )
    number = rows.services.slots.threads * 2
    clients = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(number)]
    try:
        for client in clients:
            client.sendall(head.encode())
        assert httpx.get(path(url, rows), headers=rows.headers()).status_code == 200
        answer = b""
        while b"REQUEST_TOO_SLOW" not in answer:
            piece = clients[0].recv(4_096)
            assert piece, answer
            answer += piece
        assert answer.startswith(b"HTTP/1.1 408")
    finally:
        for client in clients:
            client.close()
