"""Helpers for the tests of rows: a company's table made in PostgreSQL, and an HTTP client for its rows."""

import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from deployments import bearer
from psycopg import sql
from starlette.testclient import TestClient

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.tables import Applied
from managed_tables.databases.connecting import PgConnection
from managed_tables.ids import new_record_id
from managed_tables.schema import Column
from managed_tables.tables.physical import add_primary_key, create_table_to_fill
from managed_tables_api.services import ApiServices

SALES = {
    "produto": "text",
    "valor": "decimal?",
    "quantidade": "integer?",
    "pago": "boolean?",
    "dia": "date?",
    "quando": "datetime?",
}


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, its numbers exact."""

    status: int
    body: Any
    text: str


@dataclass(frozen=True)
class RowsCompany:
    """A company with its database, and an HTTP client for the app."""

    services: ApiServices
    company: ConnectionRecord
    http: TestClient

    def make_table(self, types: dict[str, str], name: str = "vendas") -> "RowsClient":
        """Make a table and return a client for its rows."""
        table_id = new_record_id()
        with self.connect() as connection, connection.transaction():
            applied = Applied(version=1, display_name=name, status="active", columns=tuple(columns_of(types)))
            create_table_to_fill(connection, table_id, applied, "UTC")
            add_primary_key(connection, table_id, name)
        return RowsClient(self.services, self.company, self.http, table_id)

    def drop_tables(self) -> None:
        """Drop every table of the company."""
        with self.connect() as connection:
            names = connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            ).fetchall()
            for (name,) in names:
                connection.execute(sql.SQL("DROP TABLE public.{} CASCADE").format(sql.Identifier(name)))
            connection.execute(
                "TRUNCATE managed_tables.tables, managed_tables.row_counts, managed_tables.applied_requests"
            )

    def connect(self) -> AbstractContextManager[PgConnection]:
        return self.services.databases.company_connection(self.company)


@dataclass(frozen=True)
class RowsClient:
    """Calls the row routes of one table as a user of its company."""

    services: ApiServices
    company: ConnectionRecord
    http: TestClient
    table_id: str

    def headers(self) -> dict[str, str]:
        return bearer(self.services.jwt_secret, self.company.company_id)

    def call(
        self,
        method: str,
        path: str = "",
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        **query: Any,
    ) -> Answer:
        """Send a request; a str body is sent unchanged."""
        content = body if isinstance(body, str | None) else json.dumps(body)
        url = f"/v1/managed-tables/{self.table_id}/data{path}"
        sent = {**self.headers(), **(headers or {})}
        answer = self.http.request(method, url, content=content, params=query, headers=sent)
        parsed = json.loads(answer.text, parse_float=Decimal) if answer.text else None
        return Answer(answer.status_code, parsed, answer.text)

    def list(self, **query: Any) -> Any:
        answer = self.call("GET", **query)
        assert answer.status == 200, answer
        return answer.body

    def insert(self, *rows: dict[str, Any]) -> Any:
        answer = self.call("POST", body={"rows": rows})
        assert answer.status == 201, answer
        return answer.body

    def execute(self, statement: str) -> Any:
        """Run SQL in the company's database and return its rows."""
        with self.services.databases.company_connection(self.company) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else None

    def change(self, statement: str, columns: dict[str, str], name: str = "vendas") -> None:
        """Change the table as an operation does: DDL and a new version in one transaction."""
        with self.services.databases.company_connection(self.company) as connection, connection.transaction():
            connection.execute(statement.encode())
            definition = json.dumps([column.model_dump(mode="json") for column in columns_of(columns)])
            connection.execute(
                "UPDATE managed_tables.tables SET version = version + 1, display_name = %s, columns = %s",
                [name, definition],
            )


def columns_of(types: dict[str, str]) -> list[Column]:
    """Return the columns of `{"valor": "decimal?"}`; `?` is nullable."""
    return [
        Column(name=name, display_name=name, type=kind.rstrip("?"), nullable=kind.endswith("?"))
        for name, kind in types.items()
    ]
