"""The contract, "Provisioning": a dedicated database for each company, created on demand and only once."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from client import Console, column

NOT_PROVISIONED = 'Base de dados não provisionada. Ative "Meus Dados" primeiro.'
CLIENTS = 6  # at once: enough to collide during CREATE DATABASE

Query = Callable[..., list[tuple[object, ...]]]


def test_provision_returns_the_connection(console: Console) -> None:
    """POST /provision returns 200 with `provisioned: true` and a `connection_id` of 24 hex digits."""
    answer = console.call("POST", "/provision")
    assert answer.status == 200
    assert set(answer.json) == {"provisioned", "connection_id"}
    assert answer.json["provisioned"] is True
    assert re.fullmatch(r"[0-9a-f]{24}", answer.json["connection_id"])


def test_provision_again_returns_the_existing_connection(company: Console) -> None:
    """Provisioning is idempotent: calling it again returns the existing connection and keeps its data."""
    first = company.ok("GET", "/status")["connection_id"]
    table_id = company.create_table()["_id"]
    assert company.provision() == first
    assert company.table(table_id)["connection_id"] == first


def test_simultaneous_provisions_make_one_connection(console: Console) -> None:
    """Several calls at once for one company all return the same connection."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = list(pool.map(lambda _: console.call("POST", "/provision"), range(CLIENTS)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.json["connection_id"] for answer in answers}) == 1


def test_each_company_has_a_database_of_its_own(company: Console, query: Query) -> None:
    """Each company has a dedicated PostgreSQL database: a name in one means nothing in another."""
    other = company.other_company()
    assert other.provision() != company.provision()
    company.create_table("vendas")
    assert query(company, "select current_database()") != query(other, "select current_database()")
    assert query(company, "select to_regclass('public.vendas') is not null") == [(True,)]
    assert query(other, "select to_regclass('public.vendas') is not null") == [(False,)]


def test_status_before_provisioning(console: Console) -> None:
    """`provisioned: false` says that POST /provision has not run yet."""
    answer = console.call("GET", "/status")
    assert answer.status == 200
    assert answer.json["provisioned"] is False
    assert answer.json.get("connection_id") is None


def test_status_after_provisioning(console: Console) -> None:
    """GET /status returns 200 with the connection that POST /provision returned."""
    connection_id = console.provision()
    answer = console.call("GET", "/status")
    assert answer.status == 200
    assert answer.json == {"provisioned": True, "connection_id": connection_id}


def test_creation_before_provisioning_is_refused(console: Console) -> None:
    """Creating a table without a provisioned database is 400 with the contract's message."""
    answer = console.call("POST", "", {"display_name": "vendas", "columns": [column("produto")]})
    assert (answer.status, answer.error) == (400, NOT_PROVISIONED)


def test_multipart_upload_before_provisioning_is_refused(console: Console) -> None:
    """An upload by multipart before provisioning is 400 with the same message."""
    answer = console.call("POST", "/upload", files=[("files", ("vendas.csv", b"a\n1\n"))])
    assert (answer.status, answer.error) == (400, NOT_PROVISIONED)


def test_declared_upload_before_provisioning_is_refused(console: Console) -> None:
    """An upload by presigned posts before provisioning is 400 with the same message."""
    answer = console.call("POST", "/upload", {"files": [{"name": "vendas.csv", "size_bytes": 4}]})
    assert (answer.status, answer.error) == (400, NOT_PROVISIONED)


@pytest.mark.parametrize(
    ("path", "empty"),
    [("", {"total": 0, "quantity": 0, "records": []}), ("/upload-jobs/active", {"records": []})],
)
def test_listings_before_provisioning_are_empty(console: Console, path: str, empty: object) -> None:
    """Before provisioning the listings of tables and of active jobs are 200 and empty."""
    answer = console.call("GET", path)
    assert answer.status == 200
    assert answer.json == empty
