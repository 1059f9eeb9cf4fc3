"""Serve the API to be measured: a local stack of its own, whose ASGI server answers."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from managed_tables.databases.connecting import PgConnection
from managed_tables.ids import new_record_id
from managed_tables_local import stack as local
from managed_tables_local.stack import make_token


@dataclass(frozen=True)
class Served:
    """A running API, and a company's token."""

    stack: local.Stack
    token: str

    def client(self) -> "Client":
        """Return a client with a connection of its own, kept open."""
        return Client(HTTPConnection(urlsplit(self.stack.serve_url).netloc), self.token)

    def connect(self, connection_id: str) -> PgConnection:
        """Return a bare connection to a company's database, in autocommit."""
        return psycopg.connect(self.stack.postgres_admin_dsn, dbname=f"co_{connection_id}", autocommit=True)


@dataclass(frozen=True)
class Client:
    """One HTTP client: the standard library's, as thin as a client can be."""

    connection: HTTPConnection
    token: str

    def call(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """Send a request to a route and return the answer's body; fail on any status from 400 on."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        self.connection.request(method, f"/v1/managed-tables{path}", body, headers)
        answer = self.connection.getresponse()
        content = answer.read()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {content[:500]!r}")
        return content

    def json(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request and return the parsed answer."""
        content = self.call(method, path, None if body is None else json.dumps(body).encode())
        return json.loads(content) if content else None


@contextmanager
def serve_api() -> Iterator[Served]:
    """Bring a stack up for a new company, and remove it again."""
    with tempfile.TemporaryDirectory(prefix="managed-tables-bench-") as name:
        folder = Path(name)
        try:
            stack = local.up(folder)  # PostgreSQL with fsync: a commit costs what it costs
            yield Served(stack, make_token(stack, new_record_id(), "managed-tables:*"))
        finally:
            local.remove(folder)
