"""Serve the API to be measured: an embedded PostgreSQL, an emulator of AWS and one uvicorn worker."""

import json
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import boto3
import jwt
from psycopg.conninfo import conninfo_to_dict

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.databases.connecting import Databases, PgConnection, SessionLimits
from managed_tables.ids import new_record_id
from managed_tables.settings import PostgresSecret
from managed_tables_local.deployed import emulator as local_emulator
from managed_tables_local.deployed.emulator import Emulator
from managed_tables_local.ports import LOOPBACK, free_port
from managed_tables_local.postgres import open_server, remove_server

START_LIMIT_SECONDS = 30
_NAME = "benchmarks"
_ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Served:
    """A running API of one company, and the same company's database without it."""

    port: int
    token: str
    databases: Databases
    company_id: str

    def client(self) -> "Client":
        """Return a client with a connection of its own, kept open."""
        return Client(HTTPConnection(LOOPBACK, self.port), self.token)

    def connect(self, connection_id: str) -> PgConnection:
        """Return a bare connection to the company's database, in autocommit."""
        record = ConnectionRecord(self.company_id, connection_id, "default", "ready", 1, "")
        return self.databases.open_company_connection(record)


@dataclass(frozen=True)
class Client:
    """One HTTP client: the standard library's, as thin as a client can be."""

    connection: HTTPConnection
    token: str

    def call(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """Send a request to a route and return the answer's body; fail on any status from 400 on."""
        return self.send(method, f"/v1/managed-tables{path}", body)

    def send(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """Send a request to any path, as `call` does."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        self.connection.request(method, path, body, headers)
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
    """Start everything that the API needs, and stop it again."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="managed-tables-bench-")))
        postgres = open_server(folder / "postgres")
        stack.callback(remove_server, folder / "postgres")
        postgres.start()  # with fsync: a commit costs what it costs
        emulated = local_emulator.start(folder / "ministack", persistent=False)
        stack.callback(local_emulator.process(folder / "ministack").stop)
        parts = conninfo_to_dict(postgres.dsn)
        admin = {"host": parts["host"], "port": parts["port"], "username": parts["user"], "sslmode": "prefer"}
        secret = PostgresSecret.model_validate({**admin, "password": parts["password"]})
        jwt_secret, master_secret = secrets.token_hex(32), secrets.token_hex(32)
        contents = {
            "APP_SECRET_ARN": json.dumps({"database_master_secret": master_secret}),
            "JWT_SECRET_ARN": jwt_secret,
            "POSTGRES_SECRET_ARN": secret.model_dump_json(),
        }
        environment = _deploy(emulated, contents)
        port = stack.enter_context(uvicorn("managed_tables_api.server:make_app", environment))
        company_id = new_record_id()
        limits = SessionLimits(statement_timeout_ms=600_000, lock_timeout_ms=10_000)
        databases = Databases(lambda _: secret, lambda _: master_secret, limits)
        yield Served(port, _token(jwt_secret, company_id), databases, company_id)


def _deploy(emulated: Emulator, contents: dict[str, str]) -> dict[str, str]:
    """Make what the API finds in AWS, secrets by their variable, and return its environment."""
    session = boto3.Session(
        emulated.access_key_id, emulated.secret_access_key, region_name=local_emulator.REGION
    )
    keys = ("pk", "sk")
    session.client("dynamodb", endpoint_url=emulated.url).create_table(
        TableName=_NAME,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
    )
    manager = session.client("secretsmanager", endpoint_url=emulated.url)
    arns = {
        variable: manager.create_secret(Name=variable, SecretString=content)["ARN"]
        for variable, content in contents.items()
    }
    return {
        **emulated.credentials,
        "TABLE_NAME": _NAME,
        "BUCKET_NAME": _NAME,
        **arns,
    }


@contextmanager
def uvicorn(factory: str, environment: dict[str, str]) -> Iterator[int]:
    """Serve an app by one worker, and yield its port."""
    port = free_port()
    place = ["--host", LOOPBACK, "--port", str(port), "--no-access-log", "--log-level", "warning"]
    command = [sys.executable, "-m", "uvicorn", "--factory", factory, "--app-dir", str(_ROOT), *place]
    server = subprocess.Popen(command, env={"PATH": "/usr/bin:/bin", "TZ": "UTC", **environment})
    try:
        deadline = time.monotonic() + START_LIMIT_SECONDS
        while not _listens(port):
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("uvicorn did not start")
            time.sleep(0.05)
        yield port
    finally:
        server.terminate()
        server.wait()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0


def _token(secret: str, company_id: str) -> str:
    claims = {
        "sub": new_record_id(),
        "company_id": company_id,
        "permissions": ["managed-tables:*"],
        "exp": int(time.time()) + 3_600,
    }
    return jwt.encode(claims, secret, "HS256")
