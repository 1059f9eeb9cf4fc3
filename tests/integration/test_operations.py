"""What an operator restores, rotates and moves, on a real PostgreSQL and emulator."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import psycopg
import pytest
import trustme
from cloudformation import read_template
from psycopg import sql
from two_clusters import add_cluster, another_server

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.tables import TableRecord
from managed_tables.databases import connecting
from managed_tables.databases.connecting import PasswordRefused
from managed_tables.documents.statements import Additions
from managed_tables.errors import ApiError
from managed_tables.ids import new_record_id, row_id
from managed_tables.rules.rule import Rule
from managed_tables.schema import Column, ColumnType
from managed_tables.services import Services
from managed_tables.tables.definitions import ColumnChange, TableChange
from managed_tables_local.checkout import ROOT
from managed_tables_local.postgres import EmbeddedPostgres, open_server, remove_server
from managed_tables_local.rehearsal import tls_front
from managed_tables_operations import OperatorError, moving
from managed_tables_operations import __main__ as command
from managed_tables_operations.databases import begin_generation, rotate_passwords
from managed_tables_operations.handler import handler
from managed_tables_operations.moving import move_company
from managed_tables_operations.restoring import restore_table

COLUMNS = (
    Column(name="produto", display_name="Produto", type=ColumnType.TEXT, nullable=True),
    Column(name="valor", display_name="Valor", type=ColumnType.DECIMAL, nullable=True),
)


@pytest.fixture
def company(own_company: ConnectionRecord) -> ConnectionRecord:
    """A company for tests that change the whole database."""
    return own_company


@pytest.fixture
def table(services: Services, company: ConnectionRecord) -> TableRecord:
    """A table with one row."""
    made = services.table_operations.create(company, new_record_id(), "vendas", COLUMNS)
    with services.open_company(company) as connection:
        connection.execute("INSERT INTO vendas VALUES (%s, 'Café', 1.50)", [row_id(1_700_000_000_000, 0)])
    return made


def _rows(services: Services, company: ConnectionRecord, name: str) -> list[tuple[object, ...]]:
    with services.open_company(company) as connection:
        query = sql.SQL("SELECT produto, valor::text FROM {}").format(sql.Identifier(name))
        return connection.execute(query).fetchall()


def test_a_deleted_table_comes_back_with_its_rows(
    services: Services, company: ConnectionRecord, table: TableRecord
) -> None:
    services.table_operations.delete(company, table.table_id)
    restored = restore_table(services, company, table.table_id)
    assert services.tables.find(company.company_id, table.table_id) == restored
    with pytest.raises(OperatorError, match="no deleted table"):
        restore_table(services, company, table.table_id)
    assert _rows(services, company, "vendas") == [("Café", "1.50")]
    services.table_operations.update(company, table.table_id, TableChange(display_name="vendas_2025"))
    assert _rows(services, company, "vendas_2025") == [("Café", "1.50")]


def test_a_restored_table_has_its_defaults_comments_key_and_indexes(
    services: Services, company: ConnectionRecord
) -> None:
    """Its names in the catalogue were opaque while it was deleted."""
    columns = [
        Column(name="loja", display_name="Loja", type=ColumnType.TEXT, nullable=False, default="Centro"),
        Column(name="dia", display_name="Dia", type=ColumnType.DATE, nullable=True, default="now"),
    ]
    additions = Additions(title="Lojas", description="de todos", key=["loja"], indexes=[["dia", "loja"]])
    table = services.table_operations.create(company, new_record_id(), "lojas", columns, additions)

    def described() -> list[tuple[object, ...]]:
        with services.open_company(company) as connection:
            return connection.execute(
                "SELECT attname, attnotnull, pg_get_expr(adbin, adrelid), col_description(attrelid, attnum),"
                " obj_description(attrelid), ARRAY(SELECT pg_get_indexdef(indexrelid) FROM pg_index"
                " WHERE indrelid = attrelid ORDER BY 1) FROM pg_attribute"
                " LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum"
                " WHERE attrelid = 'public.lojas'::regclass AND attnum > 0 ORDER BY attnum"
            ).fetchall()

    before = described()
    services.table_operations.delete(company, table.table_id)
    restore_table(services, company, table.table_id)
    assert described() == before


def test_a_restored_table_keeps_its_rules(services: Services, company: ConnectionRecord) -> None:
    """PostgreSQL holds them as before."""
    rules = [
        Rule(id="r_loja", kind="length", columns=("loja",), max=6),
        Rule(id="r_unica", kind="unique", columns=("loja",)),
        Rule(id="r_marca", kind="pattern", columns=("loja",), pattern="[A-Z].*", severity="warn"),
    ]
    columns = [Column(name="loja", display_name="Loja", type=ColumnType.TEXT, nullable=True)]
    additions = Additions(rules=rules)
    table = services.table_operations.create(company, new_record_id(), "regradas", columns, additions)
    services.table_operations.delete(company, table.table_id)
    assert restore_table(services, company, table.table_id).rules == tuple(rules)
    with services.open_company(company) as connection:
        connection.execute("INSERT INTO regradas VALUES (gen_random_uuid(), 'centro')")
        for refused in ("centro velho", "centro"):
            with pytest.raises(psycopg.errors.IntegrityError, match=r"rule\$"), connection.transaction():
                connection.execute("INSERT INTO regradas VALUES (gen_random_uuid(), %s)", [refused])


def test_a_name_taken_meanwhile_is_refused_and_another_is_accepted(
    services: Services, company: ConnectionRecord, table: TableRecord
) -> None:
    services.table_operations.delete(company, table.table_id)
    services.table_operations.create(company, new_record_id(), "vendas", COLUMNS)
    with pytest.raises(ApiError, match="vendas"):
        restore_table(services, company, table.table_id)
    restored = restore_table(services, company, table.table_id, "vendas_antigas")
    assert restored.display_name == "vendas_antigas"
    assert _rows(services, company, "vendas_antigas") == [("Café", "1.50")]


def test_the_commands_of_the_docs_restore_a_table_and_a_column(
    services: Services,
    company: ConnectionRecord,
    table: TableRecord,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The commands of docs/operations.md, in order, with the ids of this table."""
    kept = [ColumnChange(**COLUMNS[0].model_dump())]
    services.table_operations.update(company, table.table_id, TableChange(columns=kept))
    services.table_operations.delete(company, table.table_id)
    monkeypatch.setattr(command, "load_services", lambda: services)
    page = (ROOT / "docs" / "operations.md").read_text()
    commands = re.findall(r"^\$ python -m managed_tables_operations ((?:.*\\\n)*.*)$", page, re.MULTILINE)
    for line in [one for one in commands if re.match(r"(?:deleted-tables|restore-)", one)]:
        arguments = shlex.split(line.replace("\\\n", " "))
        ids = {"--company": company.company_id, "--table": table.table_id}
        for option in ids.keys() & set(arguments):
            arguments[arguments.index(option) + 1] = ids[option]
        assert command.main(arguments) == 0
        assert capsys.readouterr().out.split()[0] in {table.table_id, "valor"}
    restored = services.tables.find(company.company_id, table.table_id)
    assert restored is not None
    assert restored.columns == COLUMNS
    assert _rows(services, company, "vendas") == [("Café", "1.50")]


@pytest.mark.usefixtures("table")
def test_new_passwords_replace_the_old_ones_without_an_outage(
    services: Services, company: ConnectionRecord
) -> None:
    """A process that knows neither the new secret nor the new record goes on, before, amid and after it."""
    running = Services(services.settings)
    running.postgres_secret = services.postgres_secret  # type: ignore[assignment]
    assert _rows(running, company, "vendas") == [("Café", "1.50")]
    old = services.databases.roles_of(company)
    assert begin_generation(services) == 1
    amid = replace(company, secret_generation=1)
    services.connections.renew_secret(company, 1)  # a process dies before PostgreSQL has the passwords
    for known in (company, amid):
        assert _rows(running, known, "vendas") == [("Café", "1.50")]
    services.connections.renew_secret(company, 0)
    assert f"co_{company.connection_id}" in list(rotate_passwords(services))
    assert list(rotate_passwords(services)) == [], "repeatable"
    assert services.databases.roles_of(amid).password(old.owner) != old.password(old.owner)
    for known in (company, amid):
        assert _rows(running, known, "vendas") == [("Café", "1.50")]
    made = services.database_maker.connections.reserve(new_record_id(), new_record_id(), "default", 1)
    assert made.secret_generation == services.app_secret.newest == 1, "new companies begin with it"
    stale = replace(services.databases, renew_connection=lambda known: known)
    with pytest.raises(PasswordRefused):
        stale.open_company_connection(company)


@pytest.fixture
def second(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    """Another cluster."""
    with another_server(tmp_path_factory.mktemp("cluster")) as server:
        yield server


def test_a_company_moves_to_another_cluster_over_tls(
    services: Services,
    company: ConnectionRecord,
    table: TableRecord,
    second: EmbeddedPostgres,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second cluster has TLS alone, as Aurora, and a certificate that is verified."""
    authorities, files = (trustme.CA(), trustme.CA()), (str(tmp_path / "ours"), str(tmp_path / "strange"))
    for authority, file in zip(authorities, files, strict=True):
        authority.cert_pem.write_to_path(file)
    monkeypatch.setattr(connecting, "AUTHORITIES", files[0])
    before = Services(services.settings)
    before.postgres_secret = services.postgres_secret  # type: ignore[assignment]
    with tls_front(second.port, authorities[0]) as port:
        add_cluster(services, "two", port, second.password, sslmode="verify-full")
        assert _rows(before, company, "vendas") == [("Café", "1.50")]
        moved = move_company(services, company, "two")
        recorded = services.connections.find(company.company_id)
        assert recorded is not None
        assert recorded.cluster == moved.cluster == "two"
        assert _rows(services, moved, "vendas") == [("Café", "1.50")]
        services.table_operations.update(moved, table.table_id, TableChange(display_name="vendas_2025"))
        assert _rows(before, company, "vendas_2025") == [("Café", "1.50")], "a process with the old record"
        for host, file in zip(("127.0.0.1", "localhost"), files, strict=True):
            monkeypatch.setattr(connecting, "AUTHORITIES", file)
            secret = services.databases.cluster_secret("two").model_copy(update={"host": host})
            run = [moving.program("pg_dump"), "--schema-only", "--no-password"]
            environment = moving.program_environment(secret, "postgres")
            refused = subprocess.run(run, env=environment, capture_output=True, check=False)
            assert b"certificate" in refused.stderr


def test_a_further_cluster_is_a_record(
    services: Services, second: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How many there are is not bounded by an environment, and no deployment tells of another one."""
    add_cluster(services, "two", second.port, second.password)
    monkeypatch.setattr(command, "load_services", lambda: services)
    monkeypatch.setitem(services.databases.__dict__, "connect_deadline_seconds", 0.1)
    known = services.clusters.get("two")
    at = ["--host=127.0.0.1", "--port=1", f"--secret-arn={known.secret_arn}"]
    for name in ("two", "three", "default"):  # what does not answer is not recorded
        assert command.main(["add-cluster", f"--name={name}", *at]) == 1
    assert (list(services.clusters.names()), services.clusters.get("two")) == (["default", "two"], known)
    assert command.main(["place-companies", "--cluster=two"]) == 0
    made = services.provisioning.provision(new_record_id())
    assert made.cluster == "two"
    with services.open_company(made) as connection:
        assert connection.info.port == second.port
    services.connections.relocate(made, replace(made, cluster="default"))
    for status, placed in ((1, "two"), (0, "default")):  # where new companies go is not forgotten
        services.clusters.place_on(placed)
        assert command.main(["remove-cluster", "--name=two"]) == status
    assert command.main(["move-company", f"--company={made.company_id}", "--cluster=two"]) == 1


def test_old_versions_are_deleted_but_for_three_and_those_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    """No emulator has aliases with weights; what is asked of Lambda is its own API's."""
    weighted = {"FunctionVersion": "9", "RoutingConfig": {"AdditionalVersionWeights": {"2": 0.1}}}
    aliases, names = [weighted, {"FunctionVersion": "1"}], ["$LATEST", *map(str, range(1, 11))]
    found = {"Aliases[]": aliases, "Versions[].Version": names}
    client = Mock()
    client.get_paginator.return_value.paginate.return_value.search = found.get
    monkeypatch.setattr(command, "load_services", lambda: SimpleNamespace(lambda_client=client))
    answer = handler({"arguments": ["prune-versions", "--function", "f"]}, None)
    deleted = [call.kwargs["FunctionName"] for call in client.delete_function.call_args_list]
    assert deleted == ["f:3", "f:4", "f:5", "f:6", "f:7"]
    assert answer == {"code": 0, "output": "".join(f"version {number} deleted\n" for number in range(3, 8))}


def test_the_operators_function_runs_the_command(
    services: Services, company: ConnectionRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "load_services", lambda: services)
    answer = handler({"arguments": ["deleted-tables", "--company", company.company_id]}, None)
    assert answer == {"code": 0, "output": ""}
    assert handler({"arguments": ["deleted-tables", "--company", new_record_id()]}, None)["code"] == 1
    unknown = handler({"arguments": ["drop-everything"]}, None)
    assert (unknown["code"], "invalid choice" in unknown["output"]) == (2, True)


def test_the_log_of_a_cluster_made_here_names_no_value(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Under the template's parameters: neither a key that is taken nor a text that is no number."""
    parameters = read_template("database")["Resources"]["ClusterSettings"]["Properties"]["Parameters"]
    logging = [f"{name}={value}" for name, value in parameters.items() if name.startswith("log_")]
    folder = tmp_path_factory.mktemp("logging")
    server = open_server(folder)
    try:
        server.start("fsync=off", *logging)
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            connection.execute("CREATE TABLE pessoas (cpf text PRIMARY KEY, n integer)")
            connection.execute("INSERT INTO pessoas VALUES ('111.444.777-35')")
            for statement in ("INSERT INTO pessoas VALUES (%s)", "SELECT %s::text::integer"):
                with pytest.raises(psycopg.Error):
                    connection.execute(statement, ["111.444.777-35"])
        server.stop()
        logged = server._log.read_text()
        assert "database system is ready" in logged
        assert "111.444.777-35" not in logged
    finally:
        remove_server(folder)
