"""Tables created, changed and deleted, with DynamoDB and PostgreSQL agreeing whatever happens."""

import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, LiteralString

import pytest
from psycopg import sql

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.tables import Pending, TableRecord
from managed_tables.clock import parse_timestamp, timestamp
from managed_tables.databases.applied import Fenced, find_applied
from managed_tables.errors import (
    DUPLICATE_NAME,
    INVALID_SCHEMA,
    TABLE_BUSY,
    TABLE_NOT_FOUND,
    ApiError,
    ApiErrorKind,
)
from managed_tables.ids import new_record_id
from managed_tables.schema import Column, ColumnType
from managed_tables.services import Services
from managed_tables.tables import operations as operations_module
from managed_tables.tables import reconciliation
from managed_tables.tables.definitions import ColumnChange, TableChange
from managed_tables.tables.operations import TableOperations
from managed_tables.tables.physical import add_primary_key, create_table_to_fill

USER = "507f1f77bcf86cd799439014"


def column(name: str, kind: str = "text", nullable: bool = True) -> Column:
    return Column(name=name, display_name=name.title(), type=ColumnType(kind), nullable=nullable)


def renamed(old: Column, name: str) -> ColumnChange:
    return ColumnChange(**{**old.model_dump(), "name": name, "previous_name": old.name})


def kept(old: Column) -> ColumnChange:
    return ColumnChange(**old.model_dump())


COLUMNS = [column("produto", nullable=False), column("valor", "decimal")]


@pytest.fixture
def operations(services: Services) -> TableOperations:
    return services.table_operations


def query(
    services: Services, company: ConnectionRecord, statement: LiteralString, *values: object
) -> list[tuple[Any, ...]]:
    with services.databases.company_connection(company) as connection:
        cursor = connection.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []


def refused(kind: ApiErrorKind, call: Callable[..., object], *arguments: Any) -> ApiError:
    with pytest.raises(ApiError) as error:
        call(*arguments)
    assert error.value.kind is kind
    return error.value


def physical_tables(services: Services, company: ConnectionRecord) -> set[str]:
    rows = query(services, company, "SELECT relname FROM pg_class WHERE relkind = 'r'"
                 " AND relnamespace = 'public'::regnamespace")  # fmt: skip
    return {name for (name,) in rows}


def names_held(services: Services, company: ConnectionRecord) -> set[str]:
    items = services.items.query(f"COMPANY#{company.company_id}", "NAME#")
    return {item["sk"].removeprefix("NAME#") for item in items}


def assert_agreed(services: Services, company: ConnectionRecord) -> None:
    """Check that DynamoDB's records and names and PostgreSQL's definitions and tables agree."""
    records = list(services.tables.all(company.company_id))
    assert {record.state for record in records} <= {"ready"}
    assert not [record for record in records if record.pending]
    with services.databases.company_connection(company) as connection:
        for record in records:
            applied = find_applied(connection, record.table_id)
            assert applied is not None
            assert (applied.version, applied.display_name, applied.columns, applied.deleted) == (
                record.version,
                record.display_name,
                record.columns,
                False,
            )
    names = [record.display_name for record in records]
    assert len(names) == len(set(names))
    assert names_held(services, company) == set(names) == physical_tables(services, company)


# --- create, get, list -------------------------------------------------------------------------------


def test_a_new_table_is_ready_empty_and_physical(
    company: ConnectionRecord, services: Services, operations: TableOperations
) -> None:
    table = operations.create(company, USER, "vendas", COLUMNS)
    assert (table.state, table.status, table.version, table.source) == ("ready", "active", 1, "manual")
    assert table.created_at == table.updated_at
    assert services.table_reading.get(company, table.table_id.upper()) == table
    assert services.table_reading.count(company, table) == 0
    assert query(services, company, "SELECT id, produto, valor FROM vendas") == []
    assert_agreed(services, company)


def test_row_counts_come_with_the_list(
    company: ConnectionRecord, services: Services, operations: TableOperations
) -> None:
    table = operations.create(company, USER, "vendas", COLUMNS)
    operations.create(company, USER, "vazia", COLUMNS)
    for slot, count in ((0, 5), (3, 7)):
        statement = "INSERT INTO managed_tables.row_counts VALUES (%s, %s, %s)"
        query(services, company, statement, table.table_id, slot, count)
    counts = [count for _, count in services.table_reading.page(company, 1, 20).records]
    assert counts == [0, 12]


def test_an_empty_list_needs_no_database(company: ConnectionRecord, services: Services) -> None:
    gone = replace(services.table_reading, open_company=None)  # type: ignore[arg-type]
    assert gone.page(company, 1, 20).total == 0


# --- rename, status, delete --------------------------------------------------------------------------


def test_a_rename_renames_the_table_and_frees_the_old_name(
    company: ConnectionRecord, services: Services, operations: TableOperations
) -> None:
    table = operations.create(company, USER, "vendas", COLUMNS)
    after = operations.update(company, table.table_id, TableChange("vendas_2026"))
    assert after.display_name == "vendas_2026"
    assert after.updated_at >= table.updated_at
    operations.create(company, USER, "vendas", COLUMNS)
    assert_agreed(services, company)
    error = refused(DUPLICATE_NAME, operations.update, company, table.table_id, TableChange("vendas"))
    assert '"vendas"' in error.sentence
    assert_agreed(services, company)


def test_nothing_to_change_changes_nothing(company: ConnectionRecord, operations: TableOperations) -> None:
    table = operations.create(company, USER, "vendas", COLUMNS)
    same = [kept(c) for c in COLUMNS]
    assert operations.update(company, table.table_id, TableChange("vendas", same, "active")) == table


def test_a_deleted_table_is_gone_its_rows_kept_and_its_name_free(
    company: ConnectionRecord, services: Services, operations: TableOperations
) -> None:
    for row in ("um", "dois"):
        table = operations.create(company, USER, "vendas", COLUMNS)
        query(services, company, "INSERT INTO vendas VALUES (gen_random_uuid(), %s)", row)
        operations.delete(company, table.table_id)
        refused(TABLE_NOT_FOUND, services.table_reading.get, company, table.table_id)
        refused(TABLE_NOT_FOUND, operations.delete, company, table.table_id)
        refused(TABLE_NOT_FOUND, operations.update, company, table.table_id, TableChange("x"))
        with services.databases.company_connection(company) as connection:
            away = sql.Identifier("deleted_tables", f"deleted${table.table_id}")
            rows = connection.execute(sql.SQL("SELECT column$1 FROM {}").format(away)).fetchall()
        assert rows == [(row,)]
    assert services.table_reading.page(company, 1, 20).total == 0
    assert_agreed(services, company)


# --- operations that die, and simultaneous operations ------------------------------------------------------


class Killed(BaseException):
    """Stops a process midway, for a test."""


def die_in(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, *, after: bool) -> None:
    working = getattr(owner, name)

    def dying(*arguments: Any, **more: Any) -> None:
        if after:
            working(*arguments, **more)
        raise Killed

    monkeypatch.setattr(owner, name, dying)


def long_ago(services: Services, company: ConnectionRecord) -> None:
    """Make every running operation look as if it began a minute ago."""
    for table in services.tables.all(company.company_id):
        if table.pending:
            started = timestamp(parse_timestamp(table.pending.started_at).replace(year=2020))
            key = {"pk": f"COMPANY#{company.company_id}", "sk": f"TABLE#{table.table_id}"}
            services.items.change(key, {"pending.started_at": started})


CHANGES: dict[str, Callable[[TableOperations, ConnectionRecord, TableRecord], object]] = {
    "create": lambda ops, company, _: ops.create(company, USER, "nova", COLUMNS),
    "rename": lambda ops, company, table: ops.update(company, table.table_id, TableChange("nova")),
    "columns": lambda ops, company, table: ops.update(
        company, table.table_id, TableChange(columns=[kept(column("outra"))])
    ),
    "delete": lambda ops, company, table: ops.delete(company, table.table_id),
}


@pytest.mark.parametrize("where", ["after step 1", "before step 3", "after step 3"])
@pytest.mark.parametrize("change", CHANGES)
def test_an_operation_that_dies_is_finished_or_undone_by_the_next(
    company: ConnectionRecord, services: Services, monkeypatch: pytest.MonkeyPatch, change: str, where: str
) -> None:
    operations = services.table_operations
    table = operations.create(company, USER, "vendas", COLUMNS)
    tables_class = type(services.tables)
    if where == "after step 1":
        die_in(monkeypatch, tables_class, "begin", after=True)
    else:
        die_in(monkeypatch, tables_class, "finalise", after=where == "after step 3")
    with pytest.raises(Killed):
        CHANGES[change](operations, company, table)
    monkeypatch.undo()
    long_ago(services, company)
    found = {t.display_name for t, _ in services.table_reading.page(company, 1, 20).records}
    applied = {"create": {"vendas", "nova"}, "rename": {"nova"}, "columns": {"vendas"}, "delete": set()}
    assert found == ({"vendas"} if where == "after step 1" else applied[change])
    assert_agreed(services, company)


def test_a_writer_that_was_shut_out_starts_over(
    company: ConnectionRecord, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    operations = services.table_operations
    table = operations.create(company, USER, "vendas", COLUMNS)
    begin = type(services.tables).begin
    met = []

    def begin_and_be_met(tables: Any, begun: TableRecord) -> None:
        begin(tables, begun)
        if not met:
            met.append(begun)
            services.reconciliation.end(company, begun)

    monkeypatch.setattr(type(services.tables), "begin", begin_and_be_met)
    after = operations.update(company, table.table_id, TableChange("nova"))
    assert (after.display_name, after.version) == ("nova", 3)
    assert_agreed(services, company)


def test_a_name_that_a_dead_creation_reserves_is_freed_for_the_next(
    company: ConnectionRecord, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    operations = services.table_operations
    die_in(monkeypatch, type(services.tables), "begin", after=True)
    with pytest.raises(Killed):
        operations.create(company, USER, "vendas", COLUMNS)
    monkeypatch.undo()
    monkeypatch.setitem(reconciliation.STALE_AFTER_SECONDS, "create", 0.3)
    assert operations.create(company, USER, "vendas", COLUMNS).display_name == "vendas"
    assert_agreed(services, company)


def test_a_change_waits_for_the_one_before_it(
    company: ConnectionRecord, services: Services, operations: TableOperations
) -> None:
    table = operations.create(company, USER, "vendas", COLUMNS)
    labels = [f"r{number}" for number in range(12)]

    def add(name: str) -> None:
        operations.update(company, table.table_id, TableChange(added_columns=[column(name)]))

    def rename(name: str) -> None:
        services.table_operations.update(company, table.table_id, TableChange(name))

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(rename, labels))
    final = services.table_reading.get(company, table.table_id)
    assert final.version == 1 + len(labels)
    add("x")
    assert_agreed(services, company)


def test_tables_are_read_while_a_load_blocks_an_operation(
    company: ConnectionRecord, services: Services
) -> None:
    """The load holds the table's record and a dead operation is pending: the table is shown unchanged."""
    table = services.table_operations.create(company, USER, "vendas", COLUMNS)
    left = Pending(new_record_id(), "update", table.version, "2020-01-01T00:00:00.000Z")
    services.tables.begin(replace(table, pending=left))
    with services.databases.company_connection(company) as load, load.transaction():
        load.execute("SELECT FROM managed_tables.tables WHERE table_id = %s FOR SHARE", [table.table_id])
        found = services.table_reading.page(company, 1, 100)
        assert [one.display_name for one, _ in found.records] == ["vendas"]
        assert services.table_reading.get(company, table.table_id).columns == tuple(COLUMNS)
    assert services.table_reading.get(company, table.table_id).pending is None
    assert_agreed(services, company)


def test_a_table_locked_by_a_reader_is_busy_and_unchanged(
    company: ConnectionRecord, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    operations = services.table_operations
    table = operations.create(company, USER, "vendas", COLUMNS)
    monkeypatch.setattr(operations_module, "LOCK_WAIT_SECONDS", 1)
    with services.databases.company_connection(company) as holder, holder.transaction():
        holder.execute("SELECT * FROM vendas")
        refused(TABLE_BUSY, operations.update, company, table.table_id, TableChange("nova"))
    assert services.table_reading.get(company, table.table_id) == table
    assert_agreed(services, company)


def test_32_simultaneous_clients_leave_the_stores_in_agreement(
    company: ConnectionRecord, services: Services, operations: TableOperations
) -> None:
    names = [f"t{number}" for number in range(12)]
    end = time.monotonic() + 2
    odd: list[object] = []
    done = threading.Semaphore(0)

    def act(client: int) -> None:
        chance = random.Random(client)  # noqa: S311 - chooses what to do
        while time.monotonic() < end:
            try:
                step(chance)
                done.release()
            except ApiError as error:
                if error.kind.status >= 500 or error.kind is TABLE_BUSY:
                    odd.append(error.kind.code)
            except Exception as error:
                odd.append(repr(error))

    def step(chance: random.Random) -> None:
        shown = services.table_reading.page(company, 1, 100).records
        listed = [table.display_name for table, _ in shown]
        if len(listed) != len(set(listed)):
            odd.append(listed)
        if not shown or chance.random() < 0.4:
            operations.create(company, USER, chance.choice(names), COLUMNS)
            return
        table_id = chance.choice(shown)[0].table_id
        if chance.random() < 0.5:
            operations.update(company, table_id, TableChange(chance.choice(names)))
        else:
            operations.delete(company, table_id)

    with ThreadPoolExecutor(32) as threads:
        list(threads.map(act, range(32)))
    assert odd == []
    assert done.acquire(blocking=False)
    assert_agreed(services, company)


# --- tables of uploads -------------------------------------------------------------------------------


def load(services: Services, company: ConnectionRecord, table: TableRecord) -> None:
    with services.databases.company_connection(company) as connection, connection.transaction():
        create_table_to_fill(connection, table.table_id, table.applied, "UTC")
        add_primary_key(connection, table.table_id, table.display_name)


def test_an_uploads_table_is_hidden_until_it_is_finalized(
    company: ConnectionRecord, services: Services
) -> None:
    uploads = services.reconciliation
    table = uploads.reserve(company, new_record_id(), USER, "vendas", COLUMNS)
    refused(DUPLICATE_NAME, services.table_operations.create, company, USER, "vendas", COLUMNS)
    refused(TABLE_NOT_FOUND, services.table_reading.get, company, table.table_id)
    assert services.table_reading.page(company, 1, 20).total == 0
    load(services, company, table)
    for _ in range(2):
        shown = uploads.end_reservation(company, table.table_id)
        assert shown is not None
        assert shown.source == "upload"
    assert_agreed(services, company)


def test_a_repeated_confirmation_finds_its_own_reservation(
    company: ConnectionRecord, services: Services
) -> None:
    job_id = new_record_id()
    first = services.reconciliation.reserve(company, job_id, USER, "vendas", COLUMNS)
    assert services.reconciliation.reserve(company, job_id, USER, "vendas", COLUMNS) == first
    other = (company, new_record_id(), USER, "vendas", COLUMNS)
    refused(DUPLICATE_NAME, services.reconciliation.reserve, *other)


def test_a_released_table_can_no_longer_be_created(company: ConnectionRecord, services: Services) -> None:
    uploads = services.reconciliation
    table = uploads.reserve(company, new_record_id(), USER, "vendas", COLUMNS)
    assert [uploads.end_reservation(company, table.table_id) for _ in range(2)] == [None, None]
    with pytest.raises(Fenced):
        load(services, company, table)
    services.table_operations.create(company, USER, "vendas", COLUMNS)
    assert_agreed(services, company)


def test_a_loaded_table_is_finalized_instead_of_released(
    company: ConnectionRecord, services: Services
) -> None:
    table = services.reconciliation.reserve(company, new_record_id(), USER, "vendas", COLUMNS)
    load(services, company, table)
    assert services.reconciliation.end_reservation(company, table.table_id) is not None
    assert_agreed(services, company)


@pytest.mark.parametrize(
    ("status", "is_of_this_table", "free"),
    [("inserting", True, False), ("inserting", False, True), ("failed", True, True), (None, True, True)],
)
def test_a_reservation_lasts_as_long_as_its_job_makes_the_table(
    company: ConnectionRecord, services: Services, status: str | None, is_of_this_table: bool, free: bool
) -> None:
    """A job that was rejected and confirmed again makes another table and no longer needs this one."""
    job_id = new_record_id()
    table = services.reconciliation.reserve(company, job_id, USER, "vendas", COLUMNS)
    if status:
        reserved = table.table_id if is_of_this_table else new_record_id()
        item = {
            "pk": f"COMPANY#{company.company_id}",
            "sk": f"JOB#{job_id}",
            "status": status,
            "reserved_table_id": reserved,
        }
        services.items.put(item, "attribute_not_exists(pk)")
    long_ago(services, company)
    create = services.table_operations.create
    if free:
        create(company, USER, "vendas", COLUMNS)
        assert_agreed(services, company)
    else:
        refused(DUPLICATE_NAME, create, company, USER, "vendas", COLUMNS)


# --- definitions -------------------------------------------------------------------------------------


def test_a_definition_too_large_for_an_item_is_refused(
    company: ConnectionRecord, services: Services, operations: TableOperations
) -> None:
    chance = random.Random(1)  # noqa: S311 - text that does not compress
    labels = ["".join(chr(chance.randrange(0x4E00, 0x9FFF)) for _ in range(200)) for _ in range(1_500)]
    wide = [column(f"c{n}").model_copy(update={"display_name": label}) for n, label in enumerate(labels)]
    refused(INVALID_SCHEMA, operations.create, company, USER, "larga", wide)
    assert_agreed(services, company)


def test_the_widest_table_is_created(
    company: ConnectionRecord, services: Services, operations: TableOperations
) -> None:
    wide = [column(f"c{number}") for number in range(1_500)]
    operations.create(company, USER, "larga", wide)
    refused(INVALID_SCHEMA, operations.create, company, USER, "demais", [*wide, column("c1500")])
    assert_agreed(services, company)
