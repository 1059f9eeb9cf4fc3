"""A company's database: created once, completely, and closed to everyone else."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psycopg
import pytest
from deployments import companies_dropped, connect_as, secret_of
from psycopg import sql

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.databases import migrations as migrations_module
from managed_tables.databases import provisioning as making_module
from managed_tables.databases import roles as roles_module
from managed_tables.databases.connecting import PgConnection
from managed_tables.databases.migrations import FIRST_VERSION, MIGRATIONS, SCHEMA_VERSION, migrate
from managed_tables.databases.provisioning import Provisioning
from managed_tables.databases.schema_sql import EARLIER_CONCEALMENT
from managed_tables.errors import DATABASE_UNAVAILABLE, ApiError
from managed_tables.ids import new_record_id
from managed_tables.schema import Column, ColumnType
from managed_tables.services import Services
from managed_tables.tables.hidden_columns import bring_back, find_hidden_columns

COLUMNS = [Column(name="produto", display_name="Produto", type=ColumnType.TEXT, nullable=False)]


@pytest.fixture
def company(own_company: ConnectionRecord) -> ConnectionRecord:
    """A company for tests that change the whole database."""
    return own_company


@pytest.fixture
def provisioning(services: Services, postgres_dsn: str) -> Iterator[Provisioning]:
    services.postgres_secret = secret_of(postgres_dsn)  # type: ignore[assignment]
    with companies_dropped(services, postgres_dsn):
        yield services.provisioning


def test_simultaneous_companies_get_a_database_each(provisioning: Provisioning) -> None:
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(provisioning.provision, [new_record_id() for _ in range(4)]))
    assert len({connection.connection_id for connection in made}) == 4


@pytest.mark.parametrize("step", ["make_role", "make_database", "_locale", "migrate"])
def test_a_provision_that_dies_is_resumed(
    provisioning: Provisioning, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    company_id = new_record_id()
    owner = roles_module if step in {"make_role", "_locale"} else making_module
    working = getattr(owner, step)

    def dying(*arguments: object) -> None:
        working(*arguments)
        raise KeyboardInterrupt

    monkeypatch.setattr(owner, step, dying)
    with pytest.raises(KeyboardInterrupt):
        provisioning.provision(company_id)
    assert provisioning.find(company_id) is None
    monkeypatch.undo()
    assert provisioning.provision(company_id) == replace(
        provisioning.connections.find(company_id), state="provisioning", schema_version=0, needs_schema=0
    )


@pytest.mark.parametrize("version", range(FIRST_VERSION, SCHEMA_VERSION))
def test_an_older_releases_database_is_migrated_on_first_use(
    company: ConnectionRecord, services: Services, version: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with services.databases.company_connection(company) as connection:
        current = own_objects(connection)
        connection.execute("DROP SCHEMA managed_tables CASCADE")
        with monkeypatch.context() as older:
            older.setattr(migrations_module, "MIGRATIONS", MIGRATIONS[: version - FIRST_VERSION + 1])
            migrate(connection, services.databases.roles_of(company).reader)
        assert connection.execute("SELECT max(version) FROM managed_tables.migrations").fetchone() == (
            version,
        )
    record = {"pk": f"COMPANY#{company.company_id}", "sk": "CONNECTION"}
    services.items.change(record, {"schema_version": version})
    assert services.provisioning.require(company.company_id).connection_id == company.connection_id
    with services.databases.company_connection(company) as connection:
        assert own_objects(connection) == current


def test_hidden_columns_of_release_0_2_0_come_back(company: ConnectionRecord, services: Services) -> None:
    """That release left them apart, under a name that says what they were called."""
    table = services.table_operations.create(company, new_record_id(), "vendas", COLUMNS)
    with services.databases.company_connection(company) as connection:
        given = "SELECT gen_random_uuid(), n::text FROM generate_series(1, 3) AS n"
        connection.execute(f"INSERT INTO vendas (id, produto) {given}".encode())
        kept = sql.Identifier("deleted_tables", f"hidden${table.table_id}$0")
        query = (
            'CREATE TABLE {} AS SELECT id, produto::numeric AS "valor$2_0" FROM vendas WHERE produto <> {}'
        )
        connection.execute(sql.SQL(query).format(kept, "1"))
        connection.execute(EARLIER_CONCEALMENT.encode())
        [hidden] = find_hidden_columns(connection, table.table_id)
        assert hidden[:4] == ("hidden$2_0", "numeric", "valor", "valor")
        physical = sql.Identifier("public", "vendas")
        with connection.transaction():
            bring_back(connection, table.table_id, physical, hidden)
        rows = connection.execute("SELECT produto, valor FROM vendas ORDER BY produto").fetchall()
    assert [(name, value and int(value)) for name, value in rows] == [("1", None), ("2", 2), ("3", 3)]


def own_objects(connection: PgConnection) -> set[str]:
    """Return the tables, indexes and functions of our own schema, with the functions' definitions."""
    rows = connection.execute(
        "SELECT oid::regclass::text FROM pg_class"
        " WHERE relnamespace IN ('managed_tables'::regnamespace, 'catalog'::regnamespace)"
        " UNION SELECT pg_get_functiondef(oid) FROM pg_proc"
        " WHERE pronamespace = 'managed_tables'::regnamespace"
    )
    return {name for (name,) in rows}


def test_the_owner_has_limits_and_utc(company: ConnectionRecord, services: Services) -> None:
    with services.databases.company_connection(company) as connection:
        shown = {
            name: connection.execute(sql.SQL("SHOW {}").format(sql.Identifier(name))).fetchone()
            for name in ("statement_timeout", "lock_timeout", "timezone", "application_name")
        }
    assert shown == {
        "statement_timeout": ("25s",),
        "lock_timeout": ("10s",),
        "timezone": ("UTC",),
        "application_name": ("managed-tables",),
    }


def test_the_readers_sessions_use_the_deployments_time_zone(
    provisioning: Provisioning, services: Services
) -> None:
    """A BI tool shows times as people expect them; the product's own sessions use UTC."""
    maker = replace(services.database_maker, zone="America/Sao_Paulo")
    company = replace(provisioning, maker=maker).provision(new_record_id())
    with connect_as(services, company, reader=True) as reader:
        assert reader.execute("SELECT '2026-01-15 12:00Z'::timestamptz::text").fetchone() == (
            "2026-01-15 09:00:00-03",
        )


def test_the_reader_reads_later_tables_and_nothing_else(
    company: ConnectionRecord, services: Services
) -> None:
    services.table_operations.create(company, new_record_id(), "vendas", COLUMNS)
    with connect_as(services, company, reader=True) as reader:
        assert reader.execute("SELECT * FROM vendas").fetchall() == []
        for forbidden in (
            "INSERT INTO vendas (id, produto) VALUES (gen_random_uuid(), 'x')",
            "CREATE TABLE mine (a int)",
            "CREATE TEMPORARY TABLE mine (a int)",
            "SELECT * FROM managed_tables.tables",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                reader.execute(forbidden)


@pytest.mark.parametrize("reader", [True, False])
def test_a_role_connects_only_to_its_own_database(
    provisioning: Provisioning, services: Services, reader: bool
) -> None:
    one, other = (provisioning.provision(new_record_id()) for _ in range(2))
    roles = services.databases.roles_of(one)
    role = roles.reader if reader else roles.owner
    admin = services.postgres_secret
    for database in (services.databases.roles_of(other).database, admin.dbname, "template1"):
        with pytest.raises(psycopg.OperationalError, match="permission denied"):
            psycopg.connect(
                host=admin.host, port=admin.port, dbname=database, user=role, password=roles.password(role)
            )


def test_an_administrator_who_is_not_a_superuser_can_provision(services: Services, postgres_dsn: str) -> None:
    name = f"admin_{new_record_id()}"
    with psycopg.connect(postgres_dsn, autocommit=True) as superuser:
        role = sql.Identifier(name)
        superuser.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB CREATEROLE PASSWORD 'p'").format(role))
        superuser.execute(sql.SQL("GRANT CONNECT ON DATABASE postgres TO {}").format(role))
    secret = secret_of(postgres_dsn).model_copy(update={"username": name, "password": "p"})
    services.postgres_secret = secret  # type: ignore[assignment]
    try:
        with companies_dropped(services, postgres_dsn):
            company = services.provisioning.provision(new_record_id())
            services.table_operations.create(company, new_record_id(), "vendas", COLUMNS)
            with connect_as(services, company, reader=True) as reader:
                assert reader.execute("SELECT * FROM vendas").fetchall() == []
                renewed = services.provisioning.rotate_reader(company.company_id)
                with pytest.raises(psycopg.OperationalError):
                    reader.execute("SELECT 1")
            connect_as(services, renewed, reader=True).close()
    finally:
        with psycopg.connect(postgres_dsn, autocommit=True) as superuser:
            superuser.execute(sql.SQL("DROP OWNED BY {}").format(role))
            superuser.execute(sql.SQL("DROP ROLE {}").format(role))


def test_a_rotated_administrators_password_is_read_again(services: Services, postgres_dsn: str) -> None:
    """The secret is like one managed by RDS: host, port and database come from the settings."""
    admin = secret_of(postgres_dsn)
    known = {"username": admin.username, "password": admin.password}
    arn = services.secretsmanager.create_secret(
        Name=f"rotated-{new_record_id()}", SecretString=json.dumps({**known, "password": "old"})
    )["ARN"]
    services.settings = services.settings.model_copy(
        update={
            "postgres_secret_arn": arn,
            "postgres_host": f"{admin.host}:{admin.port}",
            "postgres_sslmode": admin.sslmode,
        }
    )
    with pytest.raises(ApiError) as refused:
        services.databases.open_admin_connection("default")
    assert refused.value.kind is DATABASE_UNAVAILABLE
    services.secretsmanager.put_secret_value(SecretId=arn, SecretString=json.dumps(known))
    with services.databases.open_admin_connection("default") as connection:
        assert connection.info.dbname == "postgres"
    assert services.postgres_secret.password == admin.password


def test_a_server_out_of_reach_is_503(company: ConnectionRecord, services: Services) -> None:
    gone = services.postgres_secret.model_copy(update={"port": 1})
    databases = replace(services.databases, address=lambda _cluster: gone, connect_deadline_seconds=0.1)
    with pytest.raises(ApiError) as refused:
        databases.open_company_connection(company)
    assert refused.value.kind is DATABASE_UNAVAILABLE
