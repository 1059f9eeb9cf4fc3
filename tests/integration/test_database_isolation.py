"""A company's roles in PostgreSQL: a stolen one reaches only that company's database."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from tempfile import gettempdir
from uuid import UUID

import psycopg
import pytest
from deployments import connect_as
from psycopg import sql
from psycopg.errors import InsufficientPrivilege

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.databases.connecting import (
    OWNER_CONNECTIONS,
    READER_CONNECTIONS,
    PgConnection,
    SessionLimits,
    translated_errors,
)
from managed_tables.databases.roles import OWNER_TEMPORARY_FILES, READER_TEMPORARY_FILES
from managed_tables.documents.statements import Additions
from managed_tables.errors import CONNECTIONS_TAKEN, INVALID_REQUEST, QUERY_TOO_HEAVY, ApiError
from managed_tables.ids import new_record_id
from managed_tables.kept_rows import keep_values, record_undoable
from managed_tables.schema import Column, ColumnType
from managed_tables.services import Services
from managed_tables.tables.definitions import ColumnChange, TableChange
from managed_tables_api.services import LOAD_CONNECTIONS, ApiServices

COLUMNS = [
    Column(name="produto", display_name="Produto", type=ColumnType.TEXT, nullable=True),
    Column(name="segredo", display_name="Segredo", type=ColumnType.TEXT, nullable=True),
]

# Statements that would reach the cluster, the server's files, its programs, or other databases
BEYOND = (
    "CREATE ROLE mallory",
    "CREATE ROLE mallory SUPERUSER",
    "CREATE DATABASE mallory",
    "ALTER ROLE CURRENT_USER SUPERUSER",
    "ALTER ROLE CURRENT_USER CREATEDB",
    "ALTER ROLE CURRENT_USER CREATEROLE",
    "ALTER ROLE CURRENT_USER BYPASSRLS",
    "ALTER ROLE CURRENT_USER CONNECTION LIMIT -1",
    "ALTER SYSTEM SET log_statement = 'none'",
    "SET SESSION AUTHORIZATION postgres",
    "SET ROLE postgres",
    "GRANT pg_read_all_data TO CURRENT_USER",
    "GRANT pg_execute_server_program TO CURRENT_USER",
    f"COPY (SELECT 1) TO '{gettempdir()}/mallory'",
    "COPY (SELECT 1) TO PROGRAM 'id'",
    "DO $$ BEGIN CREATE TEMP TABLE t (a text); COPY t FROM '/etc/passwd'; END $$",
    "DO $$ BEGIN CREATE TEMP TABLE t (a text); COPY t FROM PROGRAM 'id'; END $$",
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_read_binary_file('postgresql.conf')",
    "SELECT pg_ls_dir('.')",
    "SELECT pg_stat_file('.')",
    "SELECT lo_import('/etc/passwd')",
    f"SELECT lo_export(1, '{gettempdir()}/mallory')",
    "SELECT * FROM pg_authid",
    "SELECT * FROM pg_hba_file_rules",
    "SELECT * FROM pg_file_settings",
    "SELECT pg_reload_conf()",
    "SELECT pg_rotate_logfile()",
    "SELECT pg_create_physical_replication_slot('mallory')",
    "CREATE EXTENSION dblink",
    "CREATE EXTENSION file_fdw",
    "CREATE EXTENSION adminpack",
    "CREATE LANGUAGE plpython3u",
    "CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'libc.so.6', 'system'",
    "CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw",
    "LOAD 'auto_explain'",
    "CREATE TABLESPACE mallory LOCATION '/tmp'",
    "CREATE SUBSCRIPTION s CONNECTION 'dbname=postgres' PUBLICATION p",
    "CREATE EVENT TRIGGER t ON ddl_command_start EXECUTE FUNCTION f()",
)
# Further statements, by which a reader would change or read its own database
BEYOND_READING = (
    "CREATE TABLE mine (a int)",
    "CREATE TEMP TABLE mine (a int)",
    "CREATE SCHEMA mine",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "INSERT INTO public.vendas (id) VALUES (gen_random_uuid())",
    "UPDATE public.vendas SET produto = 'x'",
    "DELETE FROM public.vendas",
    "TRUNCATE public.vendas",
    "ALTER TABLE public.vendas ADD COLUMN x int",
    "DROP TABLE public.vendas",
    "DO $$ BEGIN LOCK TABLE public.vendas IN ACCESS EXCLUSIVE MODE; END $$",
    "DO $$ BEGIN LOCK TABLE public.vendas IN ROW EXCLUSIVE MODE; END $$",
    "SELECT * FROM public.vendas FOR UPDATE",
    "CREATE INDEX ON public.vendas (produto)",
    "SELECT * FROM managed_tables.tables",
    "SELECT * FROM managed_tables.row_counts",
    "SELECT * FROM managed_tables.applied_jobs",
    "SELECT managed_tables.try_boolean('sim')",
    "CREATE TABLE managed_tables.mine (a int)",
    "CREATE TABLE deleted_tables.mine (a int)",
    "SELECT lo_from_bytea(0, 'x')",
    "SELECT lo_create(0)",
    "SELECT lo_put(1, 0, 'x')",
    "SELECT lowrite(0, 'x')",
    "SELECT pg_logical_emit_message(false, 'x', 'x')",
    "SET ROLE {owner}",
    "ALTER ROLE {owner} PASSWORD 'x'",
    "REASSIGN OWNED BY {owner} TO CURRENT_USER",
    "ALTER DATABASE {owner} SET statement_timeout = 0",
    "DROP DATABASE {owner}",
    "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT SELECT ON TABLES TO PUBLIC",
)
REFUSALS = (
    InsufficientPrivilege,
    psycopg.errors.UndefinedObject,  # an extension or language that the server does not have
    psycopg.errors.UndefinedFile,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.FeatureNotSupported,
    psycopg.errors.ActiveSqlTransaction,
)


@pytest.fixture
def company(own_company: ConnectionRecord) -> ConnectionRecord:
    """A company for tests that change the whole database."""
    return own_company


@pytest.fixture
def table_id(services: Services, company: ConnectionRecord) -> str:
    """A table `vendas` with one row."""
    table = services.table_operations.create(company, new_record_id(), "vendas", COLUMNS)
    with services.databases.company_connection(company) as connection:
        connection.execute(
            "INSERT INTO public.vendas (id, produto, segredo) VALUES (gen_random_uuid(), 'Café', 'visto')"
        )
    return table.table_id


@pytest.mark.usefixtures("table_id")
@pytest.mark.parametrize("reader", [False, True], ids=["owner", "reader"])
def test_a_role_reaches_only_its_own_database(
    services: Services, company: ConnectionRecord, reader: bool
) -> None:
    """No role of a company reaches files, programs, other roles, the cluster's settings or extensions."""
    with connect_as(services, company, reader=reader) as connection:
        for statement in BEYOND:
            with pytest.raises(REFUSALS):
                connection.execute(statement.encode())
        assert connection.execute("SELECT count(*) FROM pg_roles WHERE rolname = 'mallory'").fetchone() == (
            0,
        )


@pytest.mark.usefixtures("table_id")
def test_the_reader_changes_nothing(services: Services, company: ConnectionRecord) -> None:
    """The read-only role cannot write or create anything, or read our own schemas."""
    owner = sql.Identifier(services.databases.roles_of(company).owner)
    with connect_as(services, company, reader=True) as connection:
        for statement in BEYOND_READING:
            with pytest.raises(InsufficientPrivilege):
                connection.execute(sql.SQL(statement).format(owner=owner))  # type: ignore[arg-type]
        connection.execute("GRANT SELECT ON public.vendas TO PUBLIC")  # a warning: nothing was granted
        assert connection.execute("SELECT has_table_privilege('public', 'vendas', 'SELECT')").fetchone() == (
            False,
        )
        assert connection.execute("SELECT produto FROM vendas").fetchall() == [("Café",)]


def test_the_reader_has_limits_by_default(services: Services, company: ConnectionRecord) -> None:
    """A BI tool's forgotten query ends, accidental writes fail, large objects cannot be written at all."""
    with connect_as(services, company, reader=True) as connection:
        connection.execute("RESET default_transaction_read_only")
        for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
            row = connection.execute(
                "SELECT setting::int FROM pg_settings WHERE name = %s", [name]
            ).fetchone()
            assert row
            assert row[0] > 0
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            connection.execute("CREATE TABLE public.minha (n integer)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT lo_from_bytea(0, 'x')")


def test_the_readers_locks_do_not_block_the_product(services: Services, company: ConnectionRecord) -> None:
    """Anyone can take advisory locks: with the key that migrations once used, a reader blocked them."""
    with connect_as(services, company, reader=True) as connection:
        connection.execute("SELECT pg_advisory_lock(7205759403)")
        services.items.change(
            {"pk": f"COMPANY#{company.company_id}", "sk": "CONNECTION"}, {"schema_version": 1}
        )
        assert services.provisioning.require(company.company_id).connection_id == company.connection_id


def test_the_reader_cannot_read_deleted_data(
    services: Services, company: ConnectionRecord, table_id: str
) -> None:
    """The read-only role sees no hidden columns in a table, and cannot reach a deleted table."""
    kept = [ColumnChange.model_validate(COLUMNS[0].model_dump())]
    services.table_operations.update(company, table_id, TableChange(columns=kept))
    with connect_as(services, company, reader=True) as connection:
        with pytest.raises(psycopg.errors.UndefinedColumn):
            connection.execute("SELECT segredo FROM vendas")
        cursor = connection.execute("SELECT * FROM vendas")
        assert [one.name for one in cursor.description or ()] == ["id", "produto"]
        services.table_operations.delete(company, table_id)
        moved = sql.Identifier("deleted_tables", f"deleted${table_id}")
        with pytest.raises(InsufficientPrivilege):
            connection.execute(sql.SQL("SELECT * FROM {}").format(moved))


def catalogue(connection: PgConnection) -> str:
    """Return all that a login reads of PostgreSQL's own catalogue: names, comments, defaults, constraints."""
    queries = (
        "SELECT relname FROM pg_class",
        "SELECT attname FROM pg_attribute",
        "SELECT description FROM pg_description",
        "SELECT conname || pg_get_constraintdef(oid) FROM pg_constraint",
        "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef",
        "SELECT pg_get_indexdef(indexrelid) FROM pg_index",
        "SELECT typname FROM pg_type",
        "SELECT concat(most_common_vals, histogram_bounds) FROM pg_stats",
    )
    return " ".join(str(text) for query in queries for (text,) in connection.execute(query.encode()))


def test_the_catalogue_tells_nothing_of_hidden_columns_and_deleted_tables(
    services: Services, company: ConnectionRecord
) -> None:
    """Names, labels, defaults, keys: whatever a login could read of them is opaque or gone."""
    telling = ("folha", "salario", "Salário", "nomeado", "Pessoa", "sigilo", "9876", "demitidos")
    operations = services.table_operations
    columns = [
        Column(name="nomeado", display_name="Pessoa", type=ColumnType.TEXT, nullable=False, default="sigilo"),
        Column(
            name="salario", display_name="Salário", type=ColumnType.DECIMAL, nullable=False, default="9876"
        ),
    ]
    additions = Additions(title="folha de pagamento", key=["nomeado"], indexes=[["salario", "nomeado"]])
    table = operations.create(company, new_record_id(), "folha", columns, additions)
    with services.databases.company_connection(company) as connection:
        empty = sql.SQL("SELECT folha.* FROM (VALUES (1)) AS one LEFT JOIN folha ON true").format()
        keep_values(connection, "kept", empty)
        fill = "INSERT INTO folha (id, nomeado) SELECT gen_random_uuid(), 'sigilo' || n FROM"
        connection.execute(f"{fill} generate_series(1, 9) AS n; ANALYZE folha".encode())
        record_undoable(connection, "kept", table.table_id, "upsert", (UUID(int=0), UUID(int=1)))
    with connect_as(services, company, reader=True) as reader:
        assert all(word in catalogue(reader) for word in telling[:-1])
        hidden = TableChange(columns=[ColumnChange(**columns[0].model_dump())], display_name="demitidos")
        operations.update(company, table.table_id, hidden)
        assert not [word for word in ("salario", "Salário", "9876") if word in catalogue(reader)]
        operations.delete(company, table.table_id)
        assert [word for word in telling if word in catalogue(reader)] == []


def test_other_companies_names_reveal_nothing(services: Services, company: ConnectionRecord) -> None:
    """Databases and roles, which every role can list, have opaque ids: no company's id, name or comment."""
    other = services.provisioning.provision(new_record_id())
    with connect_as(services, company, reader=True) as connection:
        databases = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
        roles = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
        comments = connection.execute(
            "SELECT description FROM pg_shdescription d JOIN pg_database b ON b.oid = d.objoid"
            " WHERE b.datname LIKE 'co\\_%'"
        ).fetchall()
    mine = services.databases.roles_of(other)
    assert mine.database in databases
    assert {mine.owner, mine.reader} <= roles
    assert not [name for name in databases | roles if other.company_id in name or company.company_id in name]
    assert comments == []


def test_other_roles_statements_are_hidden(services: Services, company: ConnectionRecord) -> None:
    """pg_stat_activity shows a role only the statements of its own sessions."""
    other = services.provisioning.provision(new_record_id())
    with (
        services.databases.company_connection(other) as busy,
        connect_as(services, company, reader=False) as connection,
    ):
        busy.execute("SELECT 'a secret of another company'")
        shown = connection.execute(
            "SELECT query FROM pg_stat_activity WHERE usename = %s",
            [services.databases.roles_of(other).owner],
        ).fetchall()
    assert shown
    assert {text for (text,) in shown} == {"<insufficient privilege>"}


def test_a_company_cannot_take_every_connection(services: Services, company: ConnectionRecord) -> None:
    """Both roles have a limit, so that one company's slow queries leave connections for the others."""
    with connect_as(services, company, reader=True) as connection:
        limits = connection.execute(
            "SELECT rolname, rolconnlimit FROM pg_roles WHERE rolname LIKE %s ORDER BY 1",
            [f"co\\_{company.connection_id}%"],
        ).fetchall()
    assert [limit for _, limit in limits] == [OWNER_CONNECTIONS, READER_CONNECTIONS]


@pytest.mark.parametrize("reader", [False, True], ids=["owner", "reader"])
def test_a_company_cannot_fill_the_disk_with_temporary_files(
    services: Services, company: ConnectionRecord, reader: bool
) -> None:
    """A session's sorts fail beyond its share, and the role cannot raise it."""
    limit = READER_TEMPORARY_FILES if reader else OWNER_TEMPORARY_FILES
    with connect_as(services, company, reader=reader) as connection:
        assert connection.execute("SHOW temp_file_limit").fetchone() == (limit,)
        for statement in (b"SET temp_file_limit = -1", b"ALTER ROLE CURRENT_USER SET temp_file_limit = -1"):
            with pytest.raises(InsufficientPrivilege):
                connection.execute(statement)


def test_a_statement_that_takes_more_disk_than_its_share_is_refused(
    services: Services, company: ConnectionRecord, postgres_dsn: str
) -> None:
    owner = sql.Identifier(services.databases.roles_of(company).owner)
    with psycopg.connect(postgres_dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("ALTER ROLE {} SET temp_file_limit = '1MB'").format(owner))
        admin.execute(sql.SQL("ALTER ROLE {} SET work_mem = '64kB'").format(owner))
    statement = "SELECT repeat(n::text, 99) FROM generate_series(1, 9999) n ORDER BY 1"
    with (
        closing(services.databases.open_company_connection(company)) as connection,
        pytest.raises(ApiError) as refused,
        translated_errors(),
    ):
        connection.execute(statement)
    assert refused.value.kind is QUERY_TOO_HEAVY


@contextmanager
def held(services: Services, company: ConnectionRecord, count: int) -> Iterator[list[PgConnection]]:
    """Hold sessions of the company's owner, as processes frozen after a burst do."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(closing(services.databases.open_company_connection(company)))
            for _ in range(count)
        ]


def test_a_burst_leaves_connections_for_loads(services: Services, company: ConnectionRecord) -> None:
    """Requests have 48 of the 60; more are refused at once, with an accurate message."""
    api = ApiServices(services.settings)
    api.postgres_secret = services.postgres_secret
    with held(api, company, OWNER_CONNECTIONS - LOAD_CONNECTIONS):
        started = time.monotonic()
        with pytest.raises(ApiError) as refused:
            api.databases.open_company_connection(company)
        assert refused.value.kind is CONNECTIONS_TAKEN
        assert time.monotonic() - started < 5
        load = SessionLimits(services.settings.load_statement_timeout_ms, services.settings.lock_timeout_ms)
        with closing(services.databases.open_company_connection(company, load)) as connection:
            connection.execute("SELECT 1")
    api.databases.open_company_connection(company).close()


def test_a_missing_connection_is_reported_at_once(services: Services, company: ConnectionRecord) -> None:
    """The cause is the role's limit and not a paused database, so nothing waits."""
    with held(services, company, OWNER_CONNECTIONS):
        started = time.monotonic()
        with pytest.raises(ApiError) as refused:
            services.databases.open_company_connection(company)
        assert refused.value.kind is CONNECTIONS_TAKEN
        assert time.monotonic() - started < 5


def test_a_session_of_the_api_ends_a_minute_after_its_last_request(
    services: Services, company: ConnectionRecord
) -> None:
    """A frozen function closes nothing; a load may be idle longer, while it fetches its file."""
    with closing(services.databases.open_company_connection(company)) as connection:
        row = connection.execute("SHOW idle_session_timeout").fetchone()
    assert row == ("1min",)


def test_each_role_has_its_own_password(services: Services, company: ConnectionRecord) -> None:
    """The reader's password does not log in as the owner or into another company."""
    other = services.provisioning.provision(new_record_id())
    roles, others = (services.databases.roles_of(one) for one in (company, other))
    admin = services.postgres_secret
    for user, password in (
        (roles.owner, roles.password(roles.reader)),
        (others.owner, roles.password(roles.owner)),
        (others.reader, roles.password(roles.reader)),
    ):
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(host=admin.host, port=admin.port, dbname="postgres", user=user, password=password)


def connections(services: Services, company: ConnectionRecord) -> list[PgConnection]:
    """Return an administrator's connection, the API's and insert's."""
    databases, settings = services.databases, services.settings
    load = SessionLimits(settings.load_statement_timeout_ms, settings.lock_timeout_ms)
    return [
        databases.open_admin_connection(company.cluster),
        databases.open_company_connection(company),
        databases.open_company_connection(company, load),
    ]


def test_every_connection_has_limits(services: Services, company: ConnectionRecord) -> None:
    """Statements, idle transactions and idle sessions time out, for everybody."""
    for connection in connections(services, company):
        with connection:
            for name in ("statement_timeout", "idle_in_transaction_session_timeout", "idle_session_timeout"):
                row = connection.execute("SELECT setting::int FROM pg_settings WHERE name = %s", [name])
                assert (row.fetchone() or (0,))[0] > 0, name


def test_a_dead_peer_is_noticed_within_a_minute(services: Services, company: ConnectionRecord) -> None:
    """The server notices, whose sessions in COPY obey no other limit, and so do we."""
    for connection in connections(services, company):
        with connection, socket.socket(fileno=os.dup(connection.fileno())) as ours:
            server = dict(
                connection.execute(
                    "SELECT name, setting::int FROM pg_settings WHERE name LIKE 'tcp_keepalives_%'"
                ).fetchall()
            )
            idle, interval, count = (
                server[f"tcp_keepalives_{name}"] for name in ("idle", "interval", "count")
            )
            assert 0 < idle + interval * count <= 60
            assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == idle
            assert 0 < ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) <= 120_000


def test_a_value_that_the_database_refuses_is_the_requests_fault(
    services: Services, company: ConnectionRecord
) -> None:
    """Not the driver's own error, which would be a 500."""
    with pytest.raises(ApiError) as refused, services.databases.company_connection(company) as connection:
        connection.execute("SELECT %s::text", ["a\x00"])
    assert (refused.value.kind, refused.value.kind.status) == (INVALID_REQUEST, 422)
