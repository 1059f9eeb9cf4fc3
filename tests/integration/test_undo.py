"""Loads taken back (extensions 5): exactly, once, atomically, and never over what others changed."""

import secrets
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, LiteralString

import pytest
from loading_jobs import JobMaker
from loading_jobs import column as loaded_column
from loads import Loads
from rows_client import RowsCompany
from tables_client import TableClient, column, created

from managed_tables.catalog.job_records import JobMode, JobRecord
from managed_tables.databases.connecting import rehearsal
from managed_tables.databases.statements import compose
from managed_tables.errors import CHANGED_SINCE, NOT_UNDOABLE, ApiError
from managed_tables.history import Actor
from managed_tables.ids import NOBODY
from managed_tables.kept_rows import kept_table
from managed_tables_api import undoing as operation
from managed_tables_api.undoing import undo_job, undo_load
from managed_tables_ingest.sweep import drop_expired
from managed_tables_insert.handler import run_job

OLD = [{"k": "A", "v": 1, "nota": "a"}, {"k": "B", "v": 2, "nota": "b"}, {"k": "C", "v": 3, "nota": "c"}]
ROWS = [["A", "10"], ["B", "2"], ["D", "40"], ["E", "50"]]
APPENDED = [["F", "10"], ["G", "20"]]
COLUMNS = [column("k"), column("v", "integer"), column("nota")]
BEFORE = [("A", 1, "a"), ("B", 2, "b"), ("C", 3, "c")]
NAMES = ("k", "v", "nota")


@pytest.fixture
def loads(loading_company: RowsCompany, tmp_path: Path) -> Loads:
    """A table with the key k and three rows."""
    table = created(loading_company, *COLUMNS, display_name=f"undo_{secrets.token_hex(5)}")
    table.rows.insert(*OLD)
    table.changed(key=["k"])
    return Loads(JobMaker(loading_company.services, loading_company.company, tmp_path), table)


def load(loads: Loads, mode: JobMode) -> JobRecord:
    """Load the rows of the mode's example."""
    job: JobRecord = loads.run(mode, APPENDED if mode == "append" else ROWS, "k", "v")
    assert job.status == "done", job.error
    return job


def row_id(loads: Loads, key: str) -> str:
    return str(next(row["id"] for row in loads.table.rows.list()["records"] if row["k"] == key))


def change(loads: Loads, key: str, **fields: Any) -> None:
    answer = loads.table.rows.call("PUT", f"/{row_id(loads, key)}", body=fields)
    assert answer.status == 200, answer


def execute(loads: Loads, statement: LiteralString, *parameters: object) -> list[tuple[Any, ...]]:
    """Run a statement in the company's database and return the rows that it gives."""
    with loads.maker.services.databases.company_connection(loads.maker.company) as connection:
        cursor = connection.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else []


def kept_tables(loads: Loads) -> set[str]:
    rows = execute(loads, "SELECT tablename FROM pg_tables WHERE schemaname = 'kept_rows'")
    return {name for (name,) in rows}


EXAMPLES: list[tuple[JobMode, tuple[int, int, int]]] = [
    ("append", (2, 0, 0)),
    ("upsert", (2, 1, 0)),
    ("replace", (4, 3, 0)),
]
each_mode = pytest.mark.parametrize(("mode", "counts"), EXAMPLES)


@each_mode
@pytest.mark.parametrize("keyed", [True, False])
def test_an_undo_restores_the_table(
    loads: Loads, mode: JobMode, counts: tuple[int, int, int], keyed: bool
) -> None:
    """Rows, values and ids are as before the load; the job says when; of an upsert its history is kept."""
    if not keyed and mode != "upsert":
        loads.table.changed(key=None)
    ids = [row["id"] for row in loads.table.rows.list()["records"]]
    job = load(loads, mode)
    assert loads.rows(*NAMES) != BEFORE
    assert loads.undone(job) == counts
    assert loads.rows(*NAMES) == BEFORE
    assert [row["id"] for row in loads.table.rows.list()["records"]] == ids
    assert loads.maker.job(job.job_id).undone_at is not None
    assert (job.job_id in kept_tables(loads)) == (mode == "upsert")


def rehearsed(loads: Loads, job: JobRecord, *, force: bool = False) -> Any:
    """Return the counts of an undo that is rehearsed, or what refuses it."""
    with rehearsal():
        try:
            undone = undo_job(loads.maker.services, job, NOBODY, force=force)
            return undone.removed, undone.restored, undone.kept
        except ApiError as error:
            return error.kind


@each_mode
def test_a_rehearsed_undo_leaves_nothing(loads: Loads, mode: JobMode, counts: tuple[int, int, int]) -> None:
    """It tells what the undo does, as often as it is asked, and is refused where that would be."""
    job = load(loads, mode)
    rows = loads.rows(*NAMES)
    assert [rehearsed(loads, job) for _ in range(2)] == [counts, counts]
    assert loads.rows(*NAMES) == rows
    assert loads.undone(job) == counts
    assert rehearsed(loads, job) is NOT_UNDOABLE


CHANGED: dict[str, tuple[str, int, list[tuple[str, int, str | None]]]] = {
    "append": ("F", 2, [*BEFORE, ("F", 99, None)]),
    "upsert": ("D", 2, [*BEFORE, ("D", 99, None)]),
    "replace": ("D", 4, [*BEFORE, ("D", 99, None)]),
}


@pytest.mark.parametrize("mode", CHANGED)
def test_an_undo_is_refused_if_somebody_changed_a_row(loads: Loads, mode: JobMode) -> None:
    """409 `CHANGED_SINCE` with their number, nothing undone; `force` leaves them and undoes the rest."""
    key, loaded, after = CHANGED[mode]
    job = load(loads, mode)
    change(loads, key, v=99)
    before = loads.rows(*NAMES)
    answer = loads.undo(job)
    assert (answer.status_code, answer.json()["code"]) == (409, "CHANGED_SINCE")
    assert answer.json()["error"].startswith("1 linha mudou")
    assert answer.json()["details"][0]["value"] == 1
    assert loads.undo(job, forced=True).status_code == 422
    assert loads.undo(job, force=False).status_code == 409
    assert loads.rows(*NAMES) == before
    assert loads.undone(job, force=True) == (loaded - 1, {"append": 0, "upsert": 1, "replace": 3}[mode], 1)
    assert sorted(loads.rows(*NAMES)) == sorted(after)


def test_a_value_that_somebody_changed_since_an_upsert_stays(loads: Loads) -> None:
    """A row that somebody deleted stays deleted."""
    job = loads.run("upsert", [["A", "10"], ["B", "20"], ["C", "30"]], "k", "v")
    change(loads, "A", nota="mudou")
    assert loads.table.rows.call("DELETE", f"/{row_id(loads, 'B')}").status == 204
    assert loads.undo(job).json()["error"].startswith("2 linhas mudaram")
    assert loads.undone(job, force=True) == (0, 1, 2)
    assert loads.rows(*NAMES) == [("A", 10, "mudou"), ("C", 3, "c")]


def test_rows_that_others_added_stay(loads: Loads) -> None:
    """They are not the load's rows; one that took an earlier row's key prevents that row's return."""
    job = load(loads, "replace")
    loads.table.rows.insert({"k": "N", "v": 7})
    assert loads.undone(job) == (4, 3, 0)
    assert loads.rows("k") == [("A",), ("B",), ("C",), ("N",)]
    job = load(loads, "replace")
    loads.table.rows.insert({"k": "C", "v": 8})
    assert loads.undo(job).status_code == 409
    assert loads.undone(job, force=True) == (4, 3, 1)
    assert sorted(loads.rows("k", "v")) == [("A", 1), ("B", 2), ("C", 8), ("N", 7)]


def test_a_row_changed_since_a_replacement_is_counted_once(loads: Loads) -> None:
    """It stays in the place of the row of before that has its key."""
    job = load(loads, "replace")
    change(loads, "A", v=99)
    assert loads.undo(job).json()["error"].startswith("1 linha mudou")
    assert loads.undone(job, force=True) == (3, 2, 1)
    assert sorted(loads.rows("k", "v")) == [("A", 99), ("B", 2), ("C", 3)]


def test_a_row_given_back_by_another_undo_is_as_that_undo_wrote_it(loads: Loads) -> None:
    """The refusal names that cause, too; with `force` the row stays."""
    first, second = (loads.run("upsert", [["A", value]], "k", "v") for value in ("10", "20"))
    assert loads.undone(second) == (0, 1, 0)
    assert "ou ao desfazer outra" in loads.undo(first).json()["error"]
    assert loads.undone(first, force=True) == (0, 0, 1)
    assert loads.rows("k", "v")[0] == ("A", 10)


def test_a_row_deleted_since_is_not_a_conflict(loads: Loads) -> None:
    """There is nothing left to remove."""
    job = load(loads, "append")
    assert loads.table.rows.call("DELETE", f"/{row_id(loads, 'F')}").status == 204
    assert loads.undone(job) == (1, 0, 0)
    assert loads.rows(*NAMES) == BEFORE


def test_the_undo_of_a_creation_deletes_the_table(loading_company: RowsCompany, tmp_path: Path) -> None:
    """It is a soft deletion; with rows that others changed or added it is 409, and `force` keeps them."""
    maker = JobMaker(loading_company.services, loading_company.company, tmp_path)
    columns = [loaded_column("k"), loaded_column("v", "integer")]

    def make() -> tuple[Loads, Any]:
        name = f"feita_{secrets.token_hex(5)}"
        job_id = maker.inserting(ROWS, columns, display_name=name)
        run_job(maker.services, maker.company.company_id, job_id)
        job = maker.job(job_id)
        return Loads(maker, TableClient(loading_company, job.user_table_id or "", name)), job

    loads, job = make()
    assert rehearsed(loads, job) == (4, 0, 0)
    assert loads.undone(job) == (4, 0, 0)
    assert rehearsed(loads, job) is NOT_UNDOABLE
    assert loads.table.call("GET").status_code == 404
    assert loads.undo(job).json()["code"] == "NOT_UNDOABLE"
    assert maker.services.tables.find(maker.company.company_id, loads.table.table_id, deleted=True)

    loads, job = make()
    change(loads, "A", v=11)
    loads.table.rows.insert({"k": "N", "v": 7})
    answer = loads.undo(job)
    assert (answer.status_code, answer.json()["error"][:20]) == (409, "2 linhas mudaram dep")
    assert rehearsed(loads, job) is CHANGED_SINCE
    assert rehearsed(loads, job, force=True) == (3, 0, 1)
    assert len(loads.rows("k")) == 5
    assert loads.undone(job, force=True) == (3, 0, 1)
    assert loads.rows("k", "v") == [("A", 11), ("N", 7)]


@each_mode
def test_columns_may_change_their_names_in_between(
    loads: Loads, mode: JobMode, counts: tuple[int, int, int]
) -> None:
    """Columns are renamed, reordered, hidden and added: values come back where they belong, also later."""
    job = load(loads, mode)
    loads.table.changed(
        columns=[
            column("k"),
            column("nota", "integer", previous_name="v"),
            column("v", previous_name="nota"),
            column("nova", nullable=False, default="x"),
        ]
    )
    loads.table.changed(columns=[column("k"), column("v"), column("nova", nullable=False, default="x")])
    assert loads.undone(job) == counts
    path = f"/v1/managed-tables/{loads.table.table_id}/columns/nota/restore"
    assert loads.table.company.http.post(path, headers=loads.table.rows.headers()).status_code == 200
    assert loads.rows("k", "v", "nota", "nova") == [(k, nota, v, "x") for k, v, nota in BEFORE]


def test_a_change_of_type_makes_undo_impossible(loads: Loads) -> None:
    """The table is rewritten, so changed rows cannot be recognized: 400, and nothing is lost."""
    jobs = [load(loads, mode) for mode in ("append", "upsert")]
    rows = loads.rows("k")
    loads.table.changed(columns=[column("k"), column("v", "decimal"), column("nota")])
    for job in jobs:
        assert loads.undo(job).json()["code"] == "NOT_UNDOABLE"
    assert loads.rows("k") == rows
    assert kept_tables(loads) & {job.job_id for job in jobs} == {jobs[1].job_id}, "the history of its rows"


def test_a_replacement_makes_undo_of_earlier_loads_impossible(loads: Loads) -> None:
    """Their rows are gone; undoing the replacement brings them back as rows that belong to no load."""
    first = load(loads, "append")
    rows = loads.rows(*NAMES)
    second = load(loads, "replace")
    assert loads.undo(first).json()["code"] == "NOT_UNDOABLE"
    loads.undone(second)
    assert loads.rows(*NAMES) == rows
    assert loads.undo(first).json()["code"] == "NOT_UNDOABLE"


def test_loads_that_share_no_row_are_undone_in_any_order(loads: Loads) -> None:
    """Each undo takes back its own rows."""
    first = loads.run("append", [["X", "1"]], "k", "v")
    second = loads.run("upsert", [["A", "5"], ["Y", "1"]], "k", "v")
    third = loads.run("append", [["Z", "1"]], "k", "v")
    assert loads.undone(first) == (1, 0, 0)
    assert loads.undone(third) == (1, 0, 0)
    assert loads.undone(second) == (1, 1, 0)
    assert loads.rows(*NAMES) == BEFORE


def test_only_finished_loads_are_undone(loads: Loads) -> None:
    """A failed, unfinished or unknown job and an inactive or deleted table are refused."""
    waiting = loads.run("append", [["A", "1"]], "k", "v")
    assert loads.undo(waiting).json()["code"] == "NOT_UNDOABLE"
    job = load(loads, "append")
    loads.table.changed(status="inactive")
    assert loads.undo(job).json()["code"] == "MANAGED_TABLE_INACTIVE"
    loads.table.changed(status="active")
    loads.table.call("DELETE")
    assert loads.undo(job).json()["code"] == "NOT_UNDOABLE"
    unknown = loads.table.company.http.post(
        f"/v1/managed-tables/upload-jobs/{secrets.token_hex(12)}/undo", headers=loads.table.rows.headers()
    )
    assert unknown.status_code == 404


def test_a_column_required_since_the_load_prevents_the_undo(loads: Loads) -> None:
    """Earlier rows without a value that is now required cannot come back: 400, and nothing changes."""
    loads.table.rows.insert({"k": "vazia"})
    job = loads.run("replace", [["A", "1", "x"]], *NAMES)
    loads.table.changed(columns=[column("k"), column("v", "integer", nullable=False), column("nota")])
    assert loads.undo(job).json()["code"] == "NOT_UNDOABLE"
    assert loads.rows(*NAMES) == [("A", 1, "x")]


def test_undo_data_is_kept_for_a_limited_time(loads: Loads) -> None:
    """After `UNDO_DAYS` an undo is 400; the sweep drops what has expired (upserts after `HISTORY_DAYS`)."""
    services = loads.maker.services
    old, young = load(loads, "upsert"), loads.run("upsert", [["A", "7"]], "k", "v")
    assert {old.job_id, young.job_id} <= kept_tables(loads)
    execute(
        loads,
        "UPDATE managed_tables.undoable_jobs SET applied_at = now() - %s * interval '1 d' WHERE job_id = %s",
        services.settings.history_days,
        old.job_id,
    )
    assert loads.undo(old).json()["code"] == "NOT_UNDOABLE"
    drop_expired(services)
    assert old.job_id in kept_tables(loads), "no reminder is due yet"
    for reminder in list(services.reminders.due("9999")):
        services.reminders.remove(reminder)
    for job in (old, young):
        services.reminders.add(loads.maker.company.company_id, job.job_id, days=-1)
    assert drop_expired(services) >= 2
    assert young.job_id in kept_tables(loads)
    assert old.job_id not in kept_tables(loads)
    assert list(services.reminders.due("9999")) == []
    assert loads.undone(young) == (0, 1, 0)


@pytest.mark.parametrize(
    "change", ["database_oid = 1", "xid = (xid::text::int8 + (1::int8 << 32))::text::xid8"]
)
def test_transaction_ids_are_valid_only_in_their_database_and_epoch(
    loads: Loads, change: LiteralString
) -> None:
    """A load of another database, or of another epoch of four billion transactions, is 400."""
    job = load(loads, "append")
    execute(
        loads, "".join(["UPDATE managed_tables.undoable_jobs SET ", change, " WHERE job_id = %s"]), job.job_id
    )
    assert loads.undo(job).json()["code"] == "NOT_UNDOABLE"
    assert len(loads.rows("k")) == 5


@each_mode
def test_readers_see_all_of_an_undo_or_nothing(
    loads: Loads, mode: JobMode, counts: tuple[int, int, int]
) -> None:
    """Until the undo commits, a reader sees the load, without waiting; then all is as before."""
    job = load(loads, mode)
    loaded = loads.rows(*NAMES)
    databases = loads.maker.services.databases
    with databases.company_connection(loads.maker.company) as connection, connection.transaction():
        undone = undo_load(connection, job, 7, Actor(NOBODY, "undo", 90), force=False)
        assert (undone.removed, undone.restored, undone.kept) == counts
        assert loads.rows(*NAMES) == loaded
    assert loads.rows(*NAMES) == BEFORE


def at_once(work: Callable[[], Any], times: int) -> list[Any]:
    results: list[Any] = []
    threads = [threading.Thread(target=lambda: results.append(work())) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@each_mode
def test_of_simultaneous_undos_one_is_done(loads: Loads, mode: JobMode, counts: tuple[int, int, int]) -> None:
    """The others are 400."""
    del counts
    job = load(loads, mode)
    answers = at_once(lambda: loads.undo(job), 4)
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]
    assert loads.rows(*NAMES) == BEFORE


def test_an_undo_holds_its_load_only_with_the_table(loads: Loads) -> None:
    """As changes of columns and replacements take them: in another order the two wait for each other."""
    undo = threading.Thread(target=loads.undo, args=[load(loads, "replace")])
    name, databases = loads.table.name, loads.maker.services.databases
    with databases.company_connection(loads.maker.company) as connection, connection.transaction():
        connection.execute(compose("LOCK TABLE {:i} IN SHARE ROW EXCLUSIVE MODE", name))
        undo.start()
        waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = %s::regclass"
        while not execute(loads, waiting, name):
            assert undo.is_alive()
        connection.execute("SELECT FROM managed_tables.undoable_jobs FOR UPDATE NOWAIT")
    undo.join()


class Killed(BaseException):
    """Stands for the end of the process, for the code under test."""


@pytest.mark.parametrize("is_over", [False, True])
def test_an_interrupted_undo_is_reported_by_a_later_request(
    loads: Loads, monkeypatch: pytest.MonkeyPatch, is_over: bool
) -> None:
    """It was committed but not recorded: 400 while it may still be running, then its result, once."""
    job, services = load(loads, "upsert"), loads.maker.services

    def die(_job: JobRecord) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(services.jobs, "record_undone", die)
        with pytest.raises(Killed):
            undo_job(services, job, NOBODY, force=False)
    assert loads.rows(*NAMES) == BEFORE
    if is_over:
        monkeypatch.setattr(operation, "RECOVERED_AFTER", timedelta())
        assert loads.undone(job) == (2, 1, 0)
    assert loads.undo(job).json()["code"] == "NOT_UNDOABLE"
    assert loads.rows(*NAMES) == BEFORE


def test_undo_data_is_hidden_from_the_reader(loads: Loads) -> None:
    """The read-only role can neither list nor read it."""
    job = load(loads, "replace")
    databases = loads.maker.services.databases
    reader = databases.roles_of(loads.maker.company).reader
    rights = execute(
        loads,
        "SELECT has_schema_privilege(%s, 'kept_rows', 'USAGE'), has_table_privilege(%s, %s, 'SELECT')",
        reader,
        reader,
        kept_table(job.job_id).as_string(),
    )
    assert rights == [(False, False)]
