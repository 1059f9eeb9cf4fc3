"""What an operator restores, rotates and moves, on a real PostgreSQL and emulator."""

import re
import shlex

import pytest
from psycopg import sql

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.table_records import TableRecord
from managed_tables.databases.connecting import Databases, SessionLimits
from managed_tables.errors import ApiError
from managed_tables.ids import new_record_id, row_id
from managed_tables.schema import Column, ColumnType
from managed_tables.services import Services
from managed_tables.tables.changes import Additions, TableChange, Texts
from managed_tables.tables.definitions import ColumnChange
from managed_tables_local.checkout import ROOT
from managed_tables_local.postgres import EmbeddedPostgres, open_server, remove_server
from managed_tables_operations import __main__ as command
from managed_tables_operations.databases import move_company, rotate_passwords
from managed_tables_operations.restoring import (
    NotFoundError,
    list_hidden_columns,
    restore_column,
    restore_table,
)

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
    assert services.tables.find_deleted(company.company_id, table.table_id) is None
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
    additions = Additions(Texts("Lojas", "de todos"), key=["loja"], indexes=[["dia", "loja"]])
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


def test_only_deleted_tables_are_restored(
    services: Services, company: ConnectionRecord, table: TableRecord
) -> None:
    with pytest.raises(NotFoundError):
        restore_table(services, company, table.table_id)


def test_a_hidden_column_comes_back_with_its_values(
    services: Services, company: ConnectionRecord, table: TableRecord
) -> None:
    kept = [ColumnChange(**COLUMNS[0].model_dump())]
    services.table_operations.update(company, table.table_id, TableChange(columns=kept))
    ((hidden, *what),) = list_hidden_columns(services, company, table.table_id)
    assert what == ["numeric", "valor", "Valor"]
    restored = restore_column(services, company, table.table_id, hidden, "valor", "Valor")
    assert restored.columns == COLUMNS
    assert services.tables.find(company.company_id, table.table_id) == restored
    assert _rows(services, company, "vendas") == [("Café", "1.50")]
    assert list_hidden_columns(services, company, table.table_id) == []


def test_the_commands_of_the_docs_restore_a_table_and_a_column(
    services: Services,
    company: ConnectionRecord,
    table: TableRecord,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The commands of docs/operations.md, in order, with the ids of this table and column."""
    kept = [ColumnChange(**COLUMNS[0].model_dump())]
    services.table_operations.update(company, table.table_id, TableChange(columns=kept))
    ((hidden, *_),) = list_hidden_columns(services, company, table.table_id)
    services.table_operations.delete(company, table.table_id)
    monkeypatch.setattr(command, "load_services", lambda: services)
    page = (ROOT / "docs" / "operations.md").read_text()
    commands = re.findall(r"^\$ python -m managed_tables_operations ((?:.*\\\n)*.*)$", page, re.MULTILINE)
    for line in [one for one in commands if re.match(r"(?:deleted-tables|hidden-columns|restore-)", one)]:
        arguments = shlex.split(line.replace("\\\n", " "))
        ids = {"--company": company.company_id, "--table": table.table_id, "--hidden": hidden}
        for option in ids.keys() & set(arguments):
            arguments[arguments.index(option) + 1] = ids[option]
        assert command.main(arguments) == 0
        assert capsys.readouterr().out.split()[0] in {table.table_id, hidden, "valor"}
    restored = services.tables.find(company.company_id, table.table_id)
    assert restored is not None
    assert restored.columns == COLUMNS
    assert _rows(services, company, "vendas") == [("Café", "1.50")]


@pytest.mark.usefixtures("table")
def test_new_passwords_replace_the_old_ones(services: Services, company: ConnectionRecord) -> None:
    names = list(rotate_passwords(services, "another master secret"))
    assert f"co_{company.connection_id}" in names
    old = services.databases
    services.databases = Databases(  # type: ignore[assignment]
        old.cluster_secret, "another master secret", SessionLimits(10_000, 10_000)
    )
    assert _rows(services, company, "vendas") == [("Café", "1.50")]
    refused = Databases(old.cluster_secret, old.master_secret, old.limits, connect_deadline_seconds=0)
    with pytest.raises(ApiError):
        refused.open_company_connection(company)


def test_a_company_moves_to_another_cluster_with_everything(
    services: Services,
    company: ConnectionRecord,
    table: TableRecord,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("cluster")
    second = open_server(folder)
    second.start("fsync=off")
    try:
        wider = _with_cluster(services, "two", second)
        moved = move_company(wider, company, "two")
        found = wider.connections.find(company.company_id)
        assert found is not None
        assert found.cluster == "two"
        assert _rows(wider, moved, "vendas") == [("Café", "1.50")]
        wider.table_operations.update(moved, table.table_id, TableChange(display_name="vendas_2025"))
        assert _rows(wider, moved, "vendas_2025") == [("Café", "1.50")]
        old = services.databases
        stale = Databases(old.cluster_secret, old.master_secret, old.limits, connect_deadline_seconds=0)
        with pytest.raises(ApiError):
            stale.open_company_connection(company)
    finally:
        remove_server(folder)


def _with_cluster(services: Services, cluster: str, server: EmbeddedPostgres) -> Services:
    """Return the services of a deployment with one more cluster."""
    changes = {"port": server.port, "password": server.password}
    secret = services.postgres_secret.model_copy(update=changes)
    name = f"{services.settings.table_name}-{cluster}"
    made = services.secretsmanager.create_secret(Name=name, SecretString=secret.model_dump_json())
    clusters = {"further_clusters": (cluster,), "further_secret_arns": (made["ARN"],)}
    wider = Services(services.settings.model_copy(update=clusters))
    wider.postgres_secret = services.postgres_secret  # type: ignore[assignment]
    return wider
