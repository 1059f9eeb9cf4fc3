"""The read-only login of other products: shown in one call, renewed in another."""

import time
from typing import Any

import jwt
import psycopg
import pytest
from rows_client import RowsClient, RowsCompany

from managed_tables.ids import new_record_id

PATH = "/v1/managed-tables/connection"


def call(rows: RowsCompany, method: str = "GET", path: str = "", **claims: Any) -> Any:
    """Call a route of the connection with every permission, or with other claims."""
    content = {
        "sub": "5f0000000000000000000002",
        "company_id": rows.company.company_id,
        "permissions": ["managed-tables:*"],
        "exp": int(time.time()) + 600,
        **claims,
    }
    token = jwt.encode(content, rows.services.jwt_secret, "HS256")
    return rows.http.request(method, PATH + path, headers={"Authorization": f"Bearer {token}"})


@pytest.mark.usefixtures("rows")
def test_the_url_and_the_parts_connect_to_the_companys_tables(rows_company: RowsCompany) -> None:
    answer = call(rows_company)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    shown = answer.json()
    assert set(shown) == {"host", "port", "database", "user", "password", "sslmode", "url"}
    parts = {name: shown[name] for name in ("host", "port", "user", "password", "sslmode")}
    for connection in (psycopg.connect(shown["url"]), psycopg.connect(dbname=shown["database"], **parts)):
        with connection:
            assert connection.execute("SELECT * FROM vendas").fetchall() == []
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                connection.execute("DELETE FROM vendas")


def test_a_rotation_gives_a_new_password_and_ends_the_old_one(
    rows_company: RowsCompany, rows: RowsClient
) -> None:
    rows.insert({"produto": "Caf\u00e9"})
    for _ in range(2):
        before = call(rows_company).json()
        with psycopg.connect(before["url"], autocommit=True) as session:
            after = call(rows_company, "POST", "/rotate").json()
            with pytest.raises(psycopg.OperationalError):
                session.execute("SELECT 1")
        assert after == call(rows_company).json()
        assert {name for name in after if after[name] != before[name]} == {"password", "url"}
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(before["url"])
        with psycopg.connect(after["url"]) as session:
            assert session.execute("SELECT produto FROM vendas").fetchall() == [("Caf\u00e9",)]


def test_the_password_stays_that_of_the_last_rotation_when_passwords_are_derived_again(
    rows_company: RowsCompany,
) -> None:
    """A database of an older release is migrated when it is met: nobody's login changes."""
    before = call(rows_company, "POST", "/rotate").json()
    record = {"pk": f"COMPANY#{rows_company.company.company_id}", "sk": "CONNECTION"}
    rows_company.services.items.change(record, {"schema_version": 1})
    rows_company.services.provisioning.require(rows_company.company.company_id)
    assert call(rows_company).json() == before
    psycopg.connect(before["url"]).close()


def test_before_provisioning_there_is_nothing_to_show_and_nothing_is_made(rows_company: RowsCompany) -> None:
    company_id = new_record_id()
    for method, path in (("GET", ""), ("POST", "/rotate")):
        answer = call(rows_company, method, path, company_id=company_id)
        assert (answer.status_code, answer.json()["code"]) == (400, "DATABASE_NOT_PROVISIONED")
    assert rows_company.services.connections.find(company_id) is None


@pytest.mark.parametrize(("granted", "status"), [("connect", 200), ("data-read", 403), ("create", 403)])
def test_connecting_takes_a_permission_of_its_own(
    rows_company: RowsCompany, granted: str, status: int
) -> None:
    answer = call(rows_company, permissions=[f"managed-tables:{granted}"])
    assert answer.status_code == status
