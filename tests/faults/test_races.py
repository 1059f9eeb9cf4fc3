"""Races of two on one job or table: whatever the order, nothing is lost, repeated or half done."""

import json
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from injection import run_step
from loading_jobs import column
from psycopg.sql import SQL
from steps import NEW_NUMBERS, OLD, OLD_NUMBERS, ROWS, SCHEMA, Confirm, execution_status
from worlds import World, until

from managed_tables.databases.provisioning import DISK_FUNCTIONS
from managed_tables.documents.statements import WantedSchema
from managed_tables.errors import (
    INVALID_ROWS,
    JOB_NOT_WAITING,
    TABLE_BUSY,
    TABLE_INACTIVE,
    TABLE_NOT_FOUND,
    ApiError,
    ApiErrorKind,
)
from managed_tables.ids import NOBODY
from managed_tables.jobs.confirmation import confirm_job
from managed_tables.tables.definitions import ColumnChange, TableChange
from managed_tables_api.rows.inserts import NewRows, insert
from managed_tables_api.rows.listing import ListRequest, list_page
from managed_tables_api.rows.row_models import QueryBody
from managed_tables_api.rows.single_rows import RowQuery
from managed_tables_insert.handler import run_job

ATTEMPTS = 3
REFUSED = tuple(f"ClientError: An error occurred ({code})" for code in ("400", "SerializationException"))
ROUNDS = 4  # of each race: the winner varies
Outcome = ApiErrorKind | Any


@pytest.fixture(autouse=True)
def _empty(world: World) -> None:
    world.empty()


def at_once(*calls: Callable[[], Any]) -> list[Outcome]:
    """Make the calls simultaneously; return what each returned, or the kind of error that it raised."""
    barrier = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Outcome:
        barrier.wait()
        try:
            return call()
        except ApiError as error:
            return error.kind

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def numbers(world: World) -> list[int]:
    return [n for (n,) in world.query("SELECT n FROM vendas ORDER BY id")]


def loader(world: World, job_id: str) -> Callable[[], Any]:
    """Return the inserting step as a separate process runs it.

    If the emulator refuses a correct request (an empty 400 or "Invalid JSON", once in thousands), the step
    runs again, as the state machine would run it.
    """

    def load() -> Any:
        for _ in range(ATTEMPTS):
            run = run_step(lambda: run_job(world.fresh_services(), world.company_id, job_id))
            if not (run.error or "").startswith(REFUSED):
                break
        assert run.ended_well, run.error
        return run.value["outcome"]

    return load


def confirmed(world: World, job_id: str, name: str) -> Callable[[], Any]:
    wanted = WantedSchema(display_name=name, columns=SCHEMA)
    return lambda: confirm_job(world.services, world.job(job_id), wanted) or name


@pytest.mark.parametrize("names", [("vendas",) * 4, ("vendas", "outras", "vendas", "outras")])
def test_of_simultaneous_confirmations_one_schema_is_accepted(world: World, names: Sequence[str]) -> None:
    """The same body gets the same answer; of different ones, one is accepted, the other's name released."""
    for _ in range(ROUNDS):
        world.empty()
        scenario = Confirm("create")
        scenario.set_up(world)
        found = at_once(*(confirmed(world, scenario.job_id, name) for name in names))
        won = {one for one in found if isinstance(one, str)}
        assert len(won) == 1
        assert set(found) - won <= {JOB_NOT_WAITING}
        until(lambda job_id=scenario.job_id: execution_status(world, job_id) == "SUCCEEDED", "it goes on")
        assert loader(world, scenario.job_id)() == "done"
        world.assert_sound()
        assert world.names_held() == won
        (name,) = won
        assert [n for (n,) in world.query(f"SELECT n FROM {name} ORDER BY id")] == NEW_NUMBERS


def test_a_confirmation_against_the_deletion_of_its_table(world: World) -> None:
    """The rows are inserted before the table is deleted, or the job fails; the table is gone either way."""
    for _ in range(ROUNDS):
        world.empty()
        scenario = Confirm("append")
        scenario.set_up(world)
        table_id = scenario.table_id or ""
        confirm, deletion = at_once(
            confirmed(world, scenario.job_id, "vendas"),
            lambda table_id=table_id: world.services.table_operations.delete(world.company, table_id),
        )
        assert deletion is None
        assert confirm in ("vendas", TABLE_NOT_FOUND)
        if confirm == "vendas":
            assert loader(world, scenario.job_id)() == "failed"
            assert (world.job(scenario.job_id).error or {"code": ""})["code"] == "TABLE_GONE"
        world.assert_sound()
        away = world.query(f'SELECT column$1 FROM deleted_tables."deleted${table_id}" ORDER BY id')
        assert [n for (n,) in away] == OLD_NUMBERS


def test_rows_are_inserted_while_their_table_is_deleted(world: World) -> None:
    """All of the file's rows are in the deleted table, or none are and the job failed."""
    for _ in range(ROUNDS):
        world.empty()
        table_id = world.make_table("vendas", SCHEMA, OLD)
        job_id = world.maker.inserting(ROWS, SCHEMA, mode="append", table_id=table_id)
        loaded, deletion = at_once(
            loader(world, job_id),
            lambda table_id=table_id: world.services.table_operations.delete(world.company, table_id),
        )
        assert deletion in (None, TABLE_BUSY)
        away = "n FROM vendas"
        if deletion is not TABLE_BUSY:
            away = f'column$1 FROM deleted_tables."deleted${table_id}"'
        found = [n for (n,) in world.query(f"SELECT {away} ORDER BY id")]
        assert found == (OLD_NUMBERS + NEW_NUMBERS if loaded == "done" else OLD_NUMBERS)
        world.assert_sound()


@pytest.mark.parametrize(
    "modes", [("append", "append", "append"), ("replace", "replace"), ("append", "replace")]
)
def test_simultaneous_uploads_into_one_table(world: World, modes: Sequence[Any]) -> None:
    """Each upload is completely there once, unless a replacing one came after it."""
    for _ in range(ROUNDS):
        world.empty()
        table_id = world.make_table("vendas", SCHEMA, OLD)
        jobs = [world.maker.inserting(ROWS, SCHEMA, mode=mode, table_id=table_id) for mode in modes]
        assert at_once(*(loader(world, job_id) for job_id in jobs)) == ["done"] * len(modes)
        found = numbers(world)
        if "replace" not in modes:
            assert sorted(found) == sorted(OLD_NUMBERS + NEW_NUMBERS * len(modes))
        else:
            times = {found.count(n) for n in NEW_NUMBERS}
            assert times <= ({1} if "append" not in modes else {1, 2})
            assert len(times) == 1
            assert sorted(set(found)) == NEW_NUMBERS
        world.assert_sound()


@pytest.mark.parametrize("mode", ["append", "replace"])
def test_rows_written_while_a_file_loads(world: World, mode: Any) -> None:
    """Acknowledged rows are there once; a replace removes all rows from before its commit."""
    table_id = world.make_table("vendas", SCHEMA, OLD)
    job_id = world.maker.inserting(ROWS, SCHEMA, mode=mode, table_id=table_id)
    over, written = threading.Event(), [0]

    def write() -> None:
        while not over.is_set():
            row = {"n": 1_000 + written[0], "valor": 1, "texto": "entretanto"}
            world.services.named_table(world.company_id, table_id, NOBODY).do(insert, NewRows([row]))
            written[0] += 1

    def load() -> Any:
        try:
            until(lambda: written[0] > 3, "rows are being written")
            return loader(world, job_id)()
        finally:
            over.set()

    assert at_once(load, write) == ["done", None]
    found, between = numbers(world), list(range(1_000, 1_000 + written[0]))
    assert [n for n in found if n in NEW_NUMBERS] == NEW_NUMBERS
    if mode == "append":
        assert found[:3] == OLD_NUMBERS
        assert [n for n in found if n >= 1_000] == between
    else:
        assert not set(found) & set(OLD_NUMBERS)
        kept = [n for n in found if n >= 1_000]
        assert kept == between[len(between) - len(kept) :]
    world.assert_sound()


def test_a_table_deleted_while_it_is_read(world: World) -> None:
    """A reader gets all rows or 404, and never some of them."""
    table_id = world.make_table("vendas", SCHEMA, OLD)
    request, answers = ListRequest(QueryBody(), RowQuery()), list[Any]()
    named = world.services.named_table(world.company_id, table_id)

    def read() -> None:
        while TABLE_NOT_FOUND not in answers:
            try:
                page = json.loads(named.do(list_page, request))
                answers.append((page["total"], len(page["records"])))
            except ApiError as error:
                answers.append(error.kind)

    def delete() -> None:
        until(lambda: len(answers) > 10, "it is being read")
        world.services.table_operations.delete(world.company, table_id)

    assert at_once(read, read, delete) == [None, None, None]
    assert set(answers) == {(3, 3), TABLE_NOT_FOUND}
    world.assert_sound()


def test_a_column_hidden_while_rows_are_written(world: World) -> None:
    """A row with the column is inserted whole before the column is hidden; afterwards it is 422."""
    table_id = world.make_table("vendas", SCHEMA, OLD)
    written: list[int] = []

    def write() -> Outcome:
        while True:
            row = {"n": 1_000 + len(written), "valor": 2, "texto": "x"}
            try:
                world.services.named_table(world.company_id, table_id, NOBODY).do(insert, NewRows([row]))
            except ApiError as error:
                return error.kind
            written.append(row["n"])

    def hide() -> Any:
        until(lambda: len(written) > 5, "rows are being written")
        kept = [ColumnChange(**one.model_dump()) for one in SCHEMA if one.name != "valor"]
        return world.services.table_operations.update(
            world.company, table_id, TableChange(columns=kept)
        ).version

    assert at_once(write, hide) == [INVALID_ROWS, 2]
    assert numbers(world) == OLD_NUMBERS + written
    [(kept, hidden)] = world.query(
        "SELECT attrelid::regclass::text, quote_ident(attname) FROM pg_attribute"
        " WHERE attname LIKE 'hidden$%'"
    )
    assert world.query(f"SELECT count(*) FROM {kept} WHERE {hidden} = 2") == [(len(written),)]
    world.assert_sound()


def test_a_table_set_inactive_while_rows_are_written(world: World) -> None:
    """Once the switch is answered, no row is written any more, even by an earlier request."""
    table_id = world.make_table("vendas", SCHEMA, OLD)
    written: list[int] = []
    number = threading.Lock()

    def write() -> Outcome:
        while True:
            try:
                row = {"n": 1_000, "valor": 2, "texto": "x"}
                world.services.named_table(world.company_id, table_id, NOBODY).do(insert, NewRows([row]))
            except ApiError as error:
                return error.kind
            with number:
                written.append(1)

    def switch() -> int:
        until(lambda: len(written) > 5, "rows are being written")
        world.services.table_operations.update(world.company, table_id, TableChange(status="inactive"))
        return int(world.query("SELECT count(*) FROM vendas")[0][0])

    refused, also, count = at_once(write, write, switch)
    assert (refused, also) == (TABLE_INACTIVE, TABLE_INACTIVE)
    assert world.query("SELECT count(*) FROM vendas") == [(count,)] == [(len(OLD) + len(written),)]
    world.assert_sound()


def test_the_switch_to_inactive_waits_for_a_row_being_written(world: World) -> None:
    """A statement that began before the switch ends before the switch is answered."""
    table_id = world.make_table("vendas", SCHEMA, OLD)
    change = TableChange(status="inactive")
    operations = world.services.table_operations
    with ThreadPoolExecutor(1) as pool, world.connect() as writer:
        with writer.transaction():
            writer.execute("INSERT INTO vendas (id, n) VALUES (gen_random_uuid(), 7)")
            switching = pool.submit(operations.update, world.company, table_id, change)
            waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND mode = 'ShareLock'"
            until(lambda: world.query(waiting), "the switch waits")
            assert not switching.done()
        assert switching.result().status == "inactive"


def test_an_upload_adds_a_column_while_another_loads(world: World) -> None:
    """Two simultaneous appends, each with its own new column: both columns are there, and all rows."""
    table_id = world.make_table("vendas", SCHEMA[:1], [{"n": -1}])
    schemas = ([column("n", "integer"), column("a")], [column("n", "integer"), column("b")])
    jobs = [
        world.maker.inserting([row[:2] for row in ROWS], schema, mode="append", table_id=table_id)
        for schema in schemas
    ]
    assert at_once(*(loader(world, job_id) for job_id in jobs)) == ["done", "done"]
    assert sorted(numbers(world)) == sorted([-1, *NEW_NUMBERS * 2])
    assert world.query("SELECT count(a), count(b) FROM vendas") == [(len(ROWS), len(ROWS))]
    world.assert_sound()


def test_simultaneous_upgrades_of_a_database_do_not_fail_each_other(world: World) -> None:
    """PostgreSQL refuses two changes of a function's privileges at once."""
    roles = world.services.databases.roles_of(world.company)
    with world.services.databases.open_admin_connection("default", roles.database) as admin:
        for (signature,) in admin.execute(_DISK_FUNCTIONS, [list(DISK_FUNCTIONS)]).fetchall():
            admin.execute(SQL("GRANT EXECUTE ON FUNCTION {} TO PUBLIC").format(SQL(signature)))
        at_once(*[lambda: world.fresh_services().provisioning.maker.bring_up_to_date(world.company)] * 8)
        granted = admin.execute(_DISK_FUNCTIONS + _TO_PUBLIC, [list(DISK_FUNCTIONS)]).fetchall()
    assert granted == []


_DISK_FUNCTIONS = (
    "SELECT pg_proc.oid::regprocedure::text FROM pg_proc"
    " WHERE pronamespace = 'pg_catalog'::regnamespace AND proname = ANY(%s)"
)
_TO_PUBLIC = " AND has_function_privilege('public', pg_proc.oid, 'EXECUTE')"
