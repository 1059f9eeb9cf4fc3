"""A separate deployment per test, on real servers: fixtures for integration and fault tests."""

import json
import secrets
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import jwt
import psycopg
import pytest
from emptied_databases import EmptiedDatabases, connect, connection_of
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.databases.connecting import CompanyRoles
from managed_tables.ids import new_record_id
from managed_tables.services import Services
from managed_tables.settings import PostgresSecret, Settings
from managed_tables_local import emulator as local_emulator
from managed_tables_local.emulator import Emulator

# What index active-jobs projects: tests/unit/test_production_template.py checks the template against it
LISTED_ATTRIBUTES = [
    "company_id", "job_id", "user_id", "mode", "status", "files", "arrived", "user_table_id", "intake",
    "analysis_key", "confirmed_key", "progress", "error", "expires_at", "created_at", "updated_at",
    "unannounced", "uncleared",
]  # fmt: skip
MASTER_SECRET = "a master secret of the tests alone"
JWT_SECRET = "a secret that only the tests know, 32 bytes or more"


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An AWS emulator with nothing deployed."""
    folder: Path = tmp_path_factory.mktemp("ministack", numbered=True)
    running = local_emulator.start(folder, persistent=False)
    try:
        yield running
    finally:
        local_emulator.stop(folder)


@pytest.fixture(scope="session")
def aws_session(emulator: Emulator) -> boto3.Session:
    """The session for all clients in a process, which reads botocore's service models once."""
    with pytest.MonkeyPatch.context() as patch:
        _set_environment(emulator, patch)
        session = boto3.Session()
        assert session.get_credentials() is not None
    return session


@pytest.fixture
def aws_environment(emulator: Emulator, aws_session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment for clients of the emulator."""
    use_emulator(emulator, aws_session, monkeypatch)


def use_emulator(emulator: Emulator, session: boto3.Session, patch: pytest.MonkeyPatch) -> None:
    """Make the emulator this process's AWS, for as long as the patch lasts."""
    _set_environment(emulator, patch)
    patch.setattr(boto3, "DEFAULT_SESSION", session)


def _set_environment(emulator: Emulator, patch: pytest.MonkeyPatch) -> None:
    for name, value in emulator.credentials.items():
        patch.setenv(name, value)
    patch.delenv("AWS_PROFILE", raising=False)


@pytest.fixture
def settings(emulator: Emulator, aws_environment: None) -> Settings:  # noqa: ARG001 - needed by the clients
    """The settings of the test's own deployment: an empty table and bucket, no machine, times in UTC."""
    name = f"test-{secrets.token_hex(6)}"
    make_table(name)
    client_of("s3").create_bucket(Bucket=name)
    return Settings(
        table_name=name,
        bucket_name=name,
        aws_endpoint_url=emulator.url,
        default_timezone="UTC",
        **make_secrets(name),
    )


@pytest.fixture
def services(settings: Settings) -> Services:
    """The services of that deployment."""
    return Services(settings)


def client_of(service: str) -> Any:
    """Return a client for the emulator, one per service for all deployments of a process."""
    return _client_of(boto3._get_default_session(), service)


@cache
def _client_of(session: boto3.Session, service: str) -> Any:
    return session.client(service)  # type: ignore[call-overload]


def make_secrets(name: str) -> dict[str, str]:
    """Make a deployment's secrets and return the settings that name them."""
    contents = {
        "app_secret_arn": json.dumps({"database_master_secret": MASTER_SECRET}),
        "jwt_secret_arn": JWT_SECRET,
    }
    return {
        setting: client_of("secretsmanager").create_secret(Name=f"{name}-{setting}", SecretString=content)[
            "ARN"
        ]
        for setting, content in contents.items()
    }


def make_table(name: str) -> None:
    """Make the table described in docs/data.md."""
    client_of("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": one, "AttributeType": "S"}
            for one in ("pk", "sk", "active_pk", "company_id", "job_id")
        ],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": "active-jobs",
                "KeySchema": [
                    {"AttributeName": "active_pk", "KeyType": "HASH"},
                    {"AttributeName": "sk", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": LISTED_ATTRIBUTES},
            },
            {
                "IndexName": "job-history",
                "KeySchema": [
                    {"AttributeName": "company_id", "KeyType": "HASH"},
                    {"AttributeName": "job_id", "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["status", "user_table_id"]},
            },
        ],
    )


@pytest.fixture(scope="session")
def emptied_databases(postgres_dsn: str) -> Iterator[EmptiedDatabases]:
    """Databases reused by the process's tests, each emptied before use."""
    databases = EmptiedDatabases(postgres_dsn)
    yield databases
    with psycopg.connect(postgres_dsn, autocommit=True) as admin:
        for connection_id in databases.connection_ids:
            drop_database(admin, CompanyRoles(connection_id, MASTER_SECRET))


@pytest.fixture
def company(
    services: Services, postgres_dsn: str, emptied_databases: EmptiedDatabases
) -> Iterator[ConnectionRecord]:
    """A company with an empty database, in the test's own deployment."""
    services.postgres_secret = secret_of(postgres_dsn)  # type: ignore[assignment]
    with companies_dropped(services, postgres_dsn, emptied_databases.connection_ids):
        yield provision(services, emptied_databases, new_record_id())


@pytest.fixture
def own_company(
    services: Services, postgres_dsn: str, emptied_databases: EmptiedDatabases
) -> Iterator[ConnectionRecord]:
    """A company with a database never used before, for tests of databases, roles and provisioning."""
    services.postgres_secret = secret_of(postgres_dsn)  # type: ignore[assignment]
    with companies_dropped(services, postgres_dsn, emptied_databases.connection_ids):
        yield services.provisioning.provision(new_record_id())


def provision(services: Services, databases: EmptiedDatabases, company_id: str) -> ConnectionRecord:
    """Give a company an emptied database, or create one if there are too few yet."""
    place = (services.dynamodb, services.settings.table_name, company_id)
    record = databases.take(company_id)
    if record is not None:
        connect(*place, record)
    made = services.provisioning.provision(company_id)
    if record is None:
        databases.add(connection_of(*place))
    return made


def secret_of(dsn: str) -> PostgresSecret:
    """Return the cluster secret for a DSN, as RDS would keep it; a test server need not have TLS."""
    parts = {"sslmode": "prefer", **conninfo_to_dict(dsn)}
    return PostgresSecret.model_validate(
        {**parts, "username": parts["user"], "port": parts.get("port", 5432)}
    )


def token_of(secret: str, company_id: str, **claims: Any) -> str:
    """Return the token of a user of a company with every permission, or with other claims."""
    known = {
        "sub": "5f0000000000000000000002",
        "company_id": company_id,
        "permissions": ["managed-tables:*"],
        "exp": int(time.time()) + 600,
    }
    return jwt.encode({**known, **claims}, secret, "HS256")


def bearer(secret: str, company_id: str, **claims: Any) -> dict[str, str]:
    """Return the header of a request with such a token."""
    return {"Authorization": f"Bearer {token_of(secret, company_id, **claims)}"}


def connect_as(services: Services, company: ConnectionRecord, *, reader: bool) -> psycopg.Connection:
    """Connect to the company's database as one of its roles, with its defaults lifted, as a thief would."""
    roles = services.databases.roles_of(company)
    role = roles.reader if reader else roles.owner
    admin = services.postgres_secret
    connection = psycopg.connect(
        host=admin.host,
        port=admin.port,
        dbname=roles.database,
        user=role,
        password=roles.password(role),
        autocommit=True,
    )
    connection.execute("SET default_transaction_read_only = off")  # on for the reader, who may lift it
    return connection


@contextmanager
def companies_dropped(services: Services, dsn: str, shared: Collection[str] = ()) -> Iterator[None]:
    """Delete in the end the databases that the deployment's companies got meanwhile, but the `shared` ones.

    `reconcile` records every database of a server: those of other deployments stay.
    """
    others = _connections_on(dsn)
    try:
        yield
    finally:
        with psycopg.connect(dsn, autocommit=True) as admin:
            for connection_id in _recorded(services) - others.union(shared):
                drop_database(admin, CompanyRoles(connection_id, MASTER_SECRET))


def _connections_on(dsn: str) -> set[str]:
    """Return the connections whose databases are on the server."""
    with psycopg.connect(dsn, autocommit=True) as admin:
        names = admin.execute("SELECT datname FROM pg_database WHERE datname LIKE 'co\\_%'").fetchall()
    return {str(name).removeprefix("co_") for (name,) in names}


def _recorded(services: Services) -> set[str]:
    """Return the connections of the deployment's companies."""
    pages = services.dynamodb.get_paginator("scan").paginate(TableName=services.settings.table_name)
    items = [item for page in pages for item in page["Items"] if item["sk"]["S"] == "CONNECTION"]
    return {item["connection_id"]["S"] for item in items}


def drop_database(admin: psycopg.Connection, roles: CompanyRoles) -> None:
    """Delete a company's database and roles, complete or not."""
    database, owner, reader = map(sql.Identifier, (roles.database, roles.owner, roles.reader))
    admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(database))
    for role in (owner, reader):
        admin.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(role))
