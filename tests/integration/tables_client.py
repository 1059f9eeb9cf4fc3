"""Helpers for the tests of table extensions: a table created over HTTP, and calls on it."""

import json
import secrets
from dataclasses import dataclass
from typing import Any, LiteralString

import httpx2
from psycopg import sql
from rows_client import RowsClient, RowsCompany

BASE = "/v1/managed-tables"


def column(name: str, type_: str = "text", *, nullable: bool = True, **more: Any) -> dict[str, Any]:
    """Return one item of `columns`."""
    return {"name": name, "display_name": name.title(), "type": type_, "nullable": nullable, **more}


@dataclass(frozen=True)
class TableClient:
    """Calls the routes of one table and of its rows, as a user of its company."""

    company: RowsCompany
    table_id: str
    name: str

    @property
    def rows(self) -> RowsClient:
        return RowsClient(self.company.services, self.company.company, self.company.http, self.table_id)

    def get(self) -> Any:
        return self.call("GET").json()

    def put(self, **body: Any) -> httpx2.Response:
        return self.call("PUT", body)

    def changed(self, **body: Any) -> Any:
        answer = self.put(**body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def call(self, method: str, body: Any = None, **headers: str) -> httpx2.Response:
        content = None if body is None else json.dumps(body)
        url = f"{BASE}/{self.table_id}"
        return self.company.http.request(
            method, url, content=content, headers={**self.rows.headers(), **headers}
        )

    def sql(self, statement: LiteralString) -> list[tuple[Any, ...]]:
        """Run SQL in the company's database, `{t}` being the table, and return its rows."""
        composed = sql.SQL(statement).format(t=sql.Identifier(self.name))
        with self.company.services.databases.company_connection(self.company.company) as connection:
            cursor = connection.execute(composed)
            return cursor.fetchall() if cursor.description else []

    def values(self, *names: str) -> list[Any]:
        """Return the rows' cells in these columns, in the order of insertion."""
        return [tuple(row[name] for name in names) for row in self.rows.list(per_page=1000)["records"]]


def create(company: RowsCompany, *columns: dict[str, Any], **more: Any) -> httpx2.Response:
    """Request a table with these columns."""
    name = more.pop("display_name", f"t_{secrets.token_hex(5)}")
    headers = RowsClient(company.services, company.company, company.http, "").headers()
    body = {"display_name": name, "columns": columns, **more}
    return company.http.post(BASE, content=json.dumps(body), headers=headers)


def created(company: RowsCompany, *columns: dict[str, Any], **more: Any) -> TableClient:
    """Create a table with these columns."""
    answer = create(company, *columns, **more)
    assert answer.status_code == 201, answer.text
    return TableClient(company, answer.json()["_id"], answer.json()["display_name"])
