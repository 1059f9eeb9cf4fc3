"""The read-only login of other products: shown by one call, renewed by another."""

import re
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from deployments import bearer
from psycopg.rows import dict_row
from rows_client import RowsClient, RowsCompany
from tables_client import column, created

from managed_tables.ids import new_record_id
from managed_tables_local.checkout import ROOT

PATH = "/v1/managed-tables/connection"


def call(rows: RowsCompany, method: str = "GET", path: str = "", **claims: Any) -> Any:
    """Call a route of the connection with every permission, or with other claims."""
    headers = bearer(rows.services.jwt_secret, **{"company_id": rows.company.company_id, **claims})
    return rows.http.request(method, PATH + path, headers=headers)


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


def test_the_last_rotated_password_survives_a_migration(rows_company: RowsCompany) -> None:
    """An older release's database is migrated on first use, and nobody's login changes."""
    before = call(rows_company, "POST", "/rotate").json()
    record = {"pk": f"COMPANY#{rows_company.company.company_id}", "sk": "CONNECTION"}
    rows_company.services.items.change(record, {"schema_version": 1})
    rows_company.services.provisioning.require(rows_company.company.company_id)
    assert call(rows_company).json() == before
    psycopg.connect(before["url"]).close()


def test_before_provisioning_nothing_is_shown_and_nothing_is_made(rows_company: RowsCompany) -> None:
    company_id = new_record_id()
    for method, path in (("GET", ""), ("POST", "/rotate")):
        answer = call(rows_company, method, path, company_id=company_id)
        assert (answer.status_code, answer.json()["code"]) == (400, "DATABASE_NOT_PROVISIONED")
    assert rows_company.services.connections.find(company_id) is None


@pytest.mark.parametrize(("granted", "status"), [("connect", 200), ("data-read", 403), ("create", 403)])
def test_connecting_requires_its_own_permission(rows_company: RowsCompany, granted: str, status: int) -> None:
    answer = call(rows_company, permissions=[f"managed-tables:{granted}"])
    assert answer.status_code == status


def test_the_code_of_the_docs_reads_the_table(rows_company: RowsCompany, rows: RowsClient) -> None:
    """The block of docs/bi.md runs unchanged."""
    rows.insert({"produto": "a", "valor": "1.5"}, {"produto": "a", "valor": 2})
    [code] = re.findall(
        r"^```python\n(.*?)^```$", (ROOT / "docs/bi.md").read_text(), re.MULTILINE | re.DOTALL
    )
    names = {"url": call(rows_company).json()["url"]}
    exec(code, names)  # noqa: S102 - the project's own page
    assert names["rows"] == [("a", Decimal("3.5"))]


def test_labels_and_descriptions_are_comments_and_follow_changes(rows_company: RowsCompany) -> None:
    product = column("produto", display_name="Produto (SKU)", description="O que foi vendido; aspas ' e \\.")
    table = created(
        rows_company, product, column("valor"), title="Vendas do mês", description="Sem devoluções"
    )
    assert comments(rows_company, table.name) == {
        None: "Vendas do mês\n\nSem devoluções",
        "produto": "Produto (SKU)\n\nO que foi vendido; aspas ' e \\.",
        "valor": "Valor",
    }
    renamed = column("item", display_name="Item", previous_name="produto")
    table.changed(title=None, columns=[renamed, column("valor")])
    assert comments(rows_company, table.name) == {
        None: "Sem devoluções",
        "item": "Item\n\nO que foi vendido; aspas ' e \\.",
        "valor": "Valor",
    }


def test_the_catalog_shows_tables_and_columns_to_the_reader(rows_company: RowsCompany) -> None:
    table = created(
        rows_company, column("produto", nullable=False), column("valor", "decimal"), title="Vendas do mês"
    )
    gone = created(rows_company, column("x"))
    gone.call("DELETE")
    table.rows.insert({"produto": "a"}, {"produto": "b"})
    shown = {row["id"]: row for row in query(rows_company, "SELECT * FROM catalog.tables")}
    assert gone.table_id not in shown
    updated_at = shown[table.table_id].pop("updated_at")
    assert shown[table.table_id] == {
        "id": table.table_id,
        "name": table.name,
        "label": "Vendas do mês",
        "description": None,
        "status": "active",
        "rows": 2,
    }
    table.changed(columns=[column("produto", nullable=False)], status="inactive")
    (after,) = query(rows_company, "SELECT * FROM catalog.tables WHERE id = %s", table.table_id)
    assert after["status"] == "inactive"
    assert after["updated_at"] > updated_at
    columns = query(
        rows_company, "SELECT * FROM catalog.columns WHERE table_id = %s ORDER BY position", table.table_id
    )
    assert columns == [
        {
            "table_id": table.table_id,
            "table_name": table.name,
            "position": 1,
            "name": "produto",
            "label": "Produto",
            "description": None,
            "type": "text",
            "nullable": False,
        }
    ]
    assert "valor" not in query(rows_company, f"SELECT * FROM {table.name} LIMIT 1")[0]  # noqa: S608


def query(rows: RowsCompany, statement: str, *parameters: str) -> list[dict[str, Any]]:
    """Run SQL as another product would, with the login that the API shows."""
    with psycopg.connect(call(rows).json()["url"], row_factory=dict_row) as connection:
        return connection.execute(statement.encode(), parameters or None).fetchall()


def comments(rows: RowsCompany, table: str) -> dict[str | None, str | None]:
    """Return the comments of a table, under None, and of its columns but the id."""
    found = query(
        rows,
        "SELECT attname, CASE WHEN attname IS NULL THEN obj_description(%s::regclass)"
        " ELSE col_description(attrelid, attnum) END AS comment FROM (SELECT NULL::name AS attname,"
        " NULL::oid AS attrelid, NULL::smallint AS attnum UNION ALL SELECT attname, attrelid, attnum"
        " FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 1 AND NOT attisdropped) AS listed",
        table,
        table,
    )
    return {row["attname"]: row["comment"] for row in found}
