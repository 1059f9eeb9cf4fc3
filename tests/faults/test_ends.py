"""No job stays unfinished forever: each ends in `failed` with its reason, in `done`, or continues."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from injection import Fault, run_step
from steps import CSV, MISFITS, NEW_NUMBERS, OLD, OLD_NUMBERS, ROWS, SCHEMA, Ingest, stop_execution
from worlds import NOBODY, World, until

from managed_tables.catalog.imports import Imports
from managed_tables.catalog.job_records import JobMode, JobRecord
from managed_tables.catalog.jobs import Jobs
from managed_tables.clock import timestamp
from managed_tables.errors import ApiError
from managed_tables.shares import JobSlots
from managed_tables.tables.operations import TableOperations
from managed_tables.tables.reconciliation import Reconciliation
from managed_tables_api.auth import Caller
from managed_tables_api.calls import known_job
from managed_tables_ingest.sweep import sweep, sweep_job
from managed_tables_insert.handler import run_job

LONG_AGO = "2020-01-01T00:00:00.000Z"
FAR = "9999-01-01T00:00:00.000Z"  # every job has been quiet since before that


@pytest.fixture(autouse=True)
def _empty(world: World) -> None:
    world.empty()


def swept(world: World, job_id: str) -> str | None:
    return sweep_job(world.services, world.job(job_id), timestamp(), quiet_before=FAR)


def running_job(world: World) -> JobRecord:
    """Return a job whose execution waits for confirmation."""
    scenario = Ingest()
    scenario.set_up(world)()
    until(lambda: world.job(scenario.job.job_id).status == "waiting_confirm", "the execution waits")
    return world.job(scenario.job.job_id)


def inserting_job(world: World, mode: JobMode) -> str:
    """Return a job in `inserting` whose execution has ended without recording it."""
    table_id = world.make_table("vendas", SCHEMA, OLD) if mode != "create" else None
    job_id = world.maker.inserting(ROWS, SCHEMA, mode=mode, table_id=table_id)
    world.services.executions.start(world.job(job_id))
    stop_execution(world, job_id)
    world.services.items.change(
        {"pk": f"COMPANY#{world.company_id}", "sk": f"JOB#{job_id}"}, {"status": "inserting"}
    )
    return job_id


def error_code(world: World, job_id: str) -> str:
    job = world.job(job_id)
    assert job.status == "failed"
    return str((job.error or {"code": ""})["code"])


def test_files_that_never_arrive(world: World) -> None:
    """The sweep ends the job, or the first request for it does."""

    def job_without_its_file() -> JobRecord:
        job = world.queued_job(CSV, seconds=-1)
        world.services.storage.delete(job.files[0].storage_path)  # else the sweep finds that it has come
        return job

    swept_one = job_without_its_file()
    assert sweep(world.services) == {"expired": 1}
    assert error_code(world, swept_one.job_id) == "UPLOAD_EXPIRED"
    seen = job_without_its_file()
    caller = Caller(NOBODY, world.company_id, frozenset())
    assert known_job(seen.job_id, caller, world.services).status == "failed"
    assert error_code(world, seen.job_id) == "UPLOAD_EXPIRED"


def test_an_arrival_whose_execution_was_not_started(world: World) -> None:
    """Killed between the last arrival and the start: the sweep starts it."""
    job = world.queued_job(CSV)
    world.services.jobs.mark_arrived(job, 0, len(CSV))
    assert swept(world, job.job_id) == "started"
    until(lambda: world.job(job.job_id).status == "waiting_confirm", "the execution waits")


@pytest.mark.parametrize("status", ["analisando", "waiting_confirm"])
def test_an_execution_that_ended_without_recording_it(world: World, status: str) -> None:
    """Nothing was loaded: the job fails, and the upload can be repeated."""
    job = running_job(world)
    stop_execution(world, job.job_id)
    key = {"pk": f"COMPANY#{world.company_id}", "sk": f"JOB#{job.job_id}"}
    world.services.items.change(key, {"status": status})
    assert swept(world, job.job_id) == "failed"
    assert error_code(world, job.job_id) == "JOB_FAULT"


@pytest.mark.parametrize("mode", ["create", "append", "replace"])
def test_an_execution_that_ended_before_the_rows_were_committed(world: World, mode: JobMode) -> None:
    """The job fails, and a late worker loads nothing; the name is free again."""
    job_id = inserting_job(world, mode)
    assert swept(world, job_id) == "failed"
    assert error_code(world, job_id) == "JOB_FAULT"
    # As seen by a worker that read the record before the sweep.
    key = {"pk": f"COMPANY#{world.company_id}", "sk": f"JOB#{job_id}"}
    world.services.items.change(key, {"status": "inserting"}, removals=("error",))
    late = run_step(lambda: run_job(world.fresh_services(), world.company_id, job_id))
    assert late.value["outcome"] == "failed"
    world.assert_sound()
    if mode == "create":
        assert world.names_held() == set()
    else:
        assert [n for (n,) in world.query("SELECT n FROM vendas ORDER BY id")] == OLD_NUMBERS
        return
    again = world.maker.inserting(ROWS, SCHEMA)
    assert run_step(lambda: run_job(world.fresh_services(), world.company_id, again)).value == {
        "outcome": "done"
    }


@pytest.mark.parametrize("mode", ["create", "append", "replace"])
def test_an_execution_that_ended_after_the_rows_were_committed(world: World, mode: JobMode) -> None:
    """The rows are there, so the job is `done`: a user who saw `failed` would send them twice."""
    job_id = inserting_job(world, mode)

    def step() -> Any:
        return run_job(world.fresh_services(), world.company_id, job_id)

    # Run another job of the same kind to find the COMMIT of the loading transaction.
    killed = run_step(step, Fault(_commit_of(world, mode), "kill after"), world.admin_dsn)
    assert killed.killed
    assert world.job(job_id).status == "inserting"
    assert swept(world, job_id) == "done"
    job = world.job(job_id)
    assert (job.status, job.error) == ("done", None)
    expected = OLD_NUMBERS + NEW_NUMBERS if mode == "append" else NEW_NUMBERS
    assert [n for (n,) in world.query("SELECT n FROM vendas ORDER BY id")] == expected
    world.assert_sound()


def _commit_of(world: World, mode: JobMode) -> int:
    """Return the number of the boundary where such a job commits its rows."""
    table_id = world.make_table("outras", SCHEMA, OLD) if mode != "create" else None
    job_id = world.maker.inserting(ROWS, SCHEMA, mode=mode, table_id=table_id, display_name="outras")
    whole = run_step(lambda: run_job(world.fresh_services(), world.company_id, job_id))
    assert whole.value == {"outcome": "done"}, whole.error
    commits = [number for number, boundary in enumerate(whole.boundaries) if boundary.name == "COMMIT"]
    return commits[0]


def test_the_sweep_waits_for_a_worker_that_is_still_loading(world: World) -> None:
    """Its execution is over but its transaction is not: the job's status follows the transaction."""
    job_id = inserting_job(world, "append")
    job = world.job(job_id)
    loading = "INSERT INTO managed_tables.applied_jobs (job_id, table_id, row_count) VALUES (%s, %s, 12)"
    with ThreadPoolExecutor(1) as pool, world.connect() as worker:
        with worker.transaction():
            worker.execute(loading, [job_id, job.user_table_id])
            settling = pool.submit(swept, world, job_id)
            until(lambda: world.query("SELECT 1 FROM pg_locks WHERE NOT granted"), "the sweep waits")
            assert not settling.done()
        assert settling.result() == "done"


def test_an_unreachable_database_leaves_the_job_to_the_next_sweep(world: World) -> None:
    """Nothing is guessed: the job stays `inserting` until PostgreSQL can be asked."""
    job_id = inserting_job(world, "append")
    services = world.fresh_services()
    services.postgres_secret = world.services.postgres_secret.model_copy(update={"port": 1})
    services.databases.__dict__["connect_deadline_seconds"] = 0.1
    with pytest.raises(ApiError):
        sweep_job(services, world.job(job_id), timestamp(), quiet_before=FAR)
    assert world.job(job_id).status == "inserting"
    assert swept(world, job_id) == "failed"


def test_simultaneous_sweeps_agree(world: World) -> None:
    """The schedule and a repeated delivery of it: one ends the job, the other finds it ended."""
    job_id = inserting_job(world, "append")
    barrier = threading.Barrier(3)

    def one(_: int) -> str | None:
        barrier.wait()
        return swept(world, job_id)

    with ThreadPoolExecutor(3) as pool:
        outcomes = list(pool.map(one, range(3)))
    assert outcomes.count("failed") == 1
    assert set(outcomes) <= {"failed", None}
    world.assert_sound()


TIDYING = [
    (Jobs, "is_loaded"),
    (TableOperations, "drop_added_columns"),
    (Reconciliation, "end_reservation"),
    (Imports, "remember"),
    (JobSlots, "give_back"),
]


@pytest.mark.parametrize("mode", ["create", "append"])
@pytest.mark.parametrize(("owner", "name"), TIDYING, ids=[name for _, name in TIDYING])
def test_no_end_depends_on_tidying_up(
    world: World, monkeypatch: pytest.MonkeyPatch, owner: type, name: str, mode: JobMode
) -> None:
    """Whatever clearing, remembering and announcing raise, the job ends, by its step and by the sweep."""

    def refused(*given: Any, **named: Any) -> object:
        if shown in given:
            return original(*given, **named)
        raise ClientError({"Error": {"Code": "AccessDeniedException"}}, name)

    table_id = world.make_table("vendas", SCHEMA[:2], [{"n": 0}]) if mode == "append" else None
    loaded, swept_one, failed = (
        world.maker.inserting(rows, SCHEMA, mode=mode, table_id=table_id, display_name=name)
        for rows, name in ((ROWS, "vendas"), (ROWS, "outras"), (MISFITS, "mais"))
    )
    original, shown = getattr(owner, name), world.job(loaded).reserved_table_id or ""
    world.services.executions.start(world.job(swept_one))
    stop_execution(world, swept_one)
    key = {"pk": f"COMPANY#{world.company_id}", "sk": f"JOB#{swept_one}"}
    world.services.items.change(key, {"status": "inserting"})
    monkeypatch.setattr(owner, name, refused)
    outcomes = [
        run_step(lambda job_id=job_id: run_job(world.fresh_services(), world.company_id, job_id)).value
        for job_id in (loaded, failed)
    ]
    assert outcomes == [{"outcome": "done"}, {"outcome": "rejected"}]
    assert swept(world, swept_one) == "failed"
    monkeypatch.undo()
    for job_id in (loaded, swept_one):
        world.services.items.change({**key, "sk": f"JOB#{job_id}"}, {"updated_at": LONG_AGO})
        for _ in range(2):
            swept(world, job_id)
    assert not [job for job in world.services.jobs.scan_unfinished() if job.is_terminal]
    world.assert_sound()


def test_a_table_deleted_before_its_job_could_say_done(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rows were committed and shown: the job is `done`, whatever has become of the table since."""
    job_id = inserting_job(world, "create")
    with monkeypatch.context() as patch:
        patch.setattr(Jobs, "complete", lambda *_: 1 / 0)
        died = run_step(lambda: run_job(world.fresh_services(), world.company_id, job_id))
    assert "ZeroDivisionError" in (died.error or "")
    world.services.table_operations.delete(world.company, world.job(job_id).reserved_table_id or "")
    assert swept(world, job_id) == "done"
    world.assert_sound()
