"""The inserting step under faults: a worker killed and a connection cut while rows are being copied."""

import multiprocessing
import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from loading_jobs import JobMaker, column

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.errors import ApiError
from managed_tables.services import Services
from managed_tables_insert.handler import run_job

SCHEMA = [column("n", "integer"), column("valor", "decimal"), column("texto")]
ROW_COUNT = 120_000
WAIT_SECONDS = 60.0
# While rows are being copied, or when all are in a transaction that is not committed.
COPYING = (
    "SELECT pid FROM pg_stat_progress_copy WHERE datname = current_database() AND tuples_processed > 1000"
)


@pytest.fixture
def maker(services: Services, company: ConnectionRecord, tmp_path: Path) -> JobMaker:
    """A job maker for a company with an empty database."""
    return JobMaker(services, company, tmp_path)


@pytest.fixture
def job_id(maker: JobMaker) -> str:
    """A job large enough to be interrupted midway."""
    return maker.inserting([[str(number), "1,5", "x" * 50] for number in range(ROW_COUNT)], SCHEMA)


def wait_for_copy(maker: JobMaker) -> int:
    """Return the server's process id for a running COPY."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        found = maker.query(COPYING)
        if found:
            return int(found[0][0])
    raise AssertionError("no COPY was seen")


def assert_loaded_once(maker: JobMaker, job_id: str) -> None:
    """Run the job again and find every row once."""
    assert run_job(maker.services, maker.company.company_id, job_id) == {"outcome": "done"}
    assert maker.query("SELECT count(*), count(DISTINCT n) FROM vendas") == [(ROW_COUNT, ROW_COUNT)]
    assert maker.query("SELECT sum(row_count)::bigint FROM managed_tables.row_counts") == [(ROW_COUNT,)]
    assert maker.job(job_id).status == "done"


def test_a_worker_killed_midway_leaves_nothing_and_the_next_loads_all(maker: JobMaker, job_id: str) -> None:
    arguments = (maker.services, maker.company.company_id, job_id)
    worker = multiprocessing.get_context("fork").Process(target=run_job, args=arguments)
    worker.start()
    wait_for_copy(maker)
    os.kill(worker.pid or 0, signal.SIGKILL)
    worker.join()
    assert maker.query("SELECT to_regclass('public.vendas')") == [(None,)]
    assert_loaded_once(maker, job_id)


def test_a_retry_recovers_from_a_connection_cut_midway(maker: JobMaker, job_id: str) -> None:
    faults: list[BaseException] = []

    def work() -> None:
        try:
            run_job(maker.services, maker.company.company_id, job_id)
        except psycopg.OperationalError as error:
            faults.append(error)

    worker = threading.Thread(target=work)
    worker.start()
    pid = wait_for_copy(maker)
    maker.query(f"SELECT pg_terminate_backend({pid})")
    worker.join()
    assert len(faults) == 1
    assert maker.job(job_id).status == "inserting"
    assert_loaded_once(maker, job_id)


def test_a_cluster_that_is_away_is_waited_for_and_no_fault(
    maker: JobMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wake-up must raise no alarm: the state machine is told to wait, until its last attempt."""
    job_id = maker.inserting([["1", "1,5", "x"]], SCHEMA)
    databases, gone = maker.services.databases, maker.services.postgres_secret.model_copy(update={"port": 1})
    away = replace(databases, address=lambda _cluster: gone, connect_deadline_seconds=0.1)
    arguments = (maker.services, maker.company.company_id, job_id)
    with monkeypatch.context() as patch:
        patch.setitem(maker.services.__dict__, "databases", away)
        assert run_job(*arguments) == {"outcome": "busy"}
        with pytest.raises(ApiError):
            run_job(*arguments, is_last_attempt=True)
    assert maker.job(job_id).status == "inserting"
