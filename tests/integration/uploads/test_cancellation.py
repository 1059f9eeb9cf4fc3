"""Cancelling a job: either its rows are there and it says so, or nothing of it remains."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from loading_jobs import JobMaker, column
from starlette.testclient import TestClient
from upload_flow import (
    BASE,
    arrive,
    confirm,
    declare,
    error_of,
    execution_status,
    headers,
    record,
    until,
    waiting_job,
)

from managed_tables.aws.storage import Storage
from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.clock import timestamp
from managed_tables.errors import STORAGE_UNAVAILABLE, ApiError
from managed_tables.ids import new_record_id
from managed_tables_analyze import handler as analyzing
from managed_tables_api.app import create_app
from managed_tables_api.services import ApiServices
from managed_tables_ingest.sweep import sweep_job
from managed_tables_insert import handler as inserting
from managed_tables_insert.handler import run_job

SCHEMA = [column("n", "integer")]
ROWS = [["1"], ["2"]]


@pytest.fixture
def maker(api: ApiServices, company: ConnectionRecord, tmp_path: Path) -> JobMaker:
    return JobMaker(api, company, tmp_path)


def cancel(client: TestClient, job_id: str) -> None:
    response = client.delete(f"{BASE}/upload-jobs/{job_id}")
    assert (response.status_code, response.content) == (204, b"")


def assert_nothing_left(api: ApiServices, client: TestClient, job_id: str) -> None:
    job = client.get(f"{BASE}/upload-jobs/{job_id}").json()
    assert (job["status"], job["error"]["code"]) == ("failed", "JOB_CANCELLED")
    assert keys(api) == set()
    assert client.get(f"{BASE}/upload-jobs/active").json() == {"records": []}
    names = api.items.query(f"COMPANY#{job['company_id']}", "NAME#")
    assert {item["sk"] for item in names} <= {"NAME#clientes"}


def keys(api: ApiServices) -> set[str]:
    listed = api.s3.list_objects_v2(Bucket=api.settings.bucket_name)
    return {one["Key"] for one in listed.get("Contents", [])}


def test_a_job_without_its_files_is_cancelled_and_late_files_are_deleted(
    api: ApiServices, client: TestClient
) -> None:
    """The presigned posts are still valid: a file that arrives afterwards is deleted."""
    job_id = declare(client).json()["job_id"]
    cancel(client, job_id)
    stored = record(api, client, job_id).files[0].storage_path
    api.s3.put_object(Bucket=api.settings.bucket_name, Key=stored, Body=b"a;b\n1")
    arrive(api, client, job_id)
    assert_nothing_left(api, client, job_id)
    cancel(client, job_id)


def test_a_waiting_job_is_cancelled_with_its_execution(api: ApiServices, client: TestClient) -> None:
    job_id = waiting_job(api, client)
    assert keys(api)
    cancel(client, job_id)
    assert execution_status(api, job_id) == "ABORTED"
    error_of(confirm(client, job_id), 400, "JOB_NOT_WAITING_CONFIRM")
    assert_nothing_left(api, client, job_id)


def test_a_job_is_cancelled_while_its_files_are_analyzed(
    api: ApiServices, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker itself deletes what it writes afterwards."""
    content = b"n\n1\n2\n"
    job_id = client.post(f"{BASE}/upload", files={"files": ("a.csv", content)}).json()["job_id"]
    analyze, company_id = analyzing.analyze, record(api, client, job_id).company_id

    def cancelled_meanwhile(*arguments: Any, **named: Any) -> Any:
        cancel(client, job_id)
        return analyze(*arguments, **named)

    monkeypatch.setattr(analyzing, "analyze", cancelled_meanwhile)
    outcome = analyzing.analyze_job(api, company_id, job_id)
    assert (outcome["outcome"], outcome["error"]["code"]) == ("failed", "JOB_CANCELLED")
    assert_nothing_left(api, client, job_id)


@pytest.mark.parametrize("mode", ["create", "append", "replace"])
def test_a_job_is_cancelled_before_its_rows_are_inserted(
    client: TestClient, maker: JobMaker, mode: Any
) -> None:
    job_id = maker.inserting(ROWS, SCHEMA, mode=mode, table_id=make_table(maker, mode))
    cancel(client, job_id)
    assert run_job(maker.services, maker.company.company_id, job_id)["outcome"] == "failed"
    assert_nothing_left(maker.services, client, job_id)
    if mode == "create":  # its name is free
        assert run_job(maker.services, maker.company.company_id, maker.inserting(ROWS, SCHEMA)) == {
            "outcome": "done"
        }
    else:
        assert maker.query("SELECT count(*) FROM clientes") == [(0,)]


def make_table(maker: JobMaker, mode: str) -> str | None:
    if mode == "create":
        return None
    operations = maker.services.table_operations
    return operations.create(maker.company, new_record_id(), "clientes", SCHEMA).table_id


def test_a_running_load_is_interrupted(client: TestClient, maker: JobMaker) -> None:
    """It holds its lock in PostgreSQL and waits; the cancellation does not wait for it."""
    job_id = maker.inserting(ROWS, SCHEMA, mode="append", table_id=make_table(maker, "append"))
    company_id = maker.company.company_id
    with (
        ThreadPoolExecutor(1) as pool,
        maker.services.databases.company_connection(maker.company) as holder,
        holder.transaction(),
    ):
        holder.execute("LOCK TABLE clientes IN ACCESS EXCLUSIVE MODE")
        loading = pool.submit(run_job, maker.services, company_id, job_id)
        until(lambda: maker.query("SELECT FROM pg_locks WHERE NOT granted"))
        cancel(client, job_id)
        with pytest.raises(psycopg.OperationalError):
            loading.result()
    assert run_job(maker.services, company_id, job_id)["error"]["code"] == "JOB_CANCELLED"
    assert maker.query("SELECT count(*) FROM clientes") == [(0,)]
    assert_nothing_left(maker.services, client, job_id)


def test_once_the_rows_are_committed_it_is_too_late(
    client: TestClient, maker: JobMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if the worker died before recording it, the job is done and says so."""
    job_id = maker.inserting(ROWS, SCHEMA)
    with monkeypatch.context() as patch:
        patch.setattr(inserting, "complete", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run_job(maker.services, maker.company.company_id, job_id)
    for _ in range(2):
        error_of(client.delete(f"{BASE}/upload-jobs/{job_id}"), 400, "JOB_FINISHED")
    assert client.get(f"{BASE}/upload-jobs/{job_id}").json()["status"] == "done"
    assert maker.query("SELECT n FROM vendas ORDER BY id") == [(1,), (2,)]
    assert keys(maker.services)


def test_a_job_that_failed_is_not_cancelled(api: ApiServices, client: TestClient) -> None:
    job_id = declare(client).json()["job_id"]
    api.jobs.fail(record(api, client, job_id), {"code": "X", "message": "x", "details": []})
    error_of(client.delete(f"{BASE}/upload-jobs/{job_id}"), 400, "JOB_FINISHED")


def test_cancelling_requires_the_companys_upload_permission(api: ApiServices, client: TestClient) -> None:
    job_id = declare(client).json()["job_id"]
    company_id = record(api, client, job_id).company_id
    path = f"{BASE}/upload-jobs/{job_id}"
    reader = TestClient(create_app(api), headers=headers(api, company_id, "managed-tables:list"))
    error_of(reader.delete(path), 403, "FORBIDDEN")
    stranger = TestClient(create_app(api), headers=headers(api, new_record_id()))
    error_of(stranger.delete(path), 404, "JOB_NOT_FOUND")


def test_a_cancellation_racing_a_commit_gives_a_true_answer(client: TestClient, maker: JobMaker) -> None:
    """Either wins: 204 and no rows, or 400 and all rows."""
    loads = "SELECT FROM pg_stat_activity WHERE application_name LIKE 'managed-tables load%'"
    for round_number in range(6):
        job_id = maker.inserting(ROWS * 500, SCHEMA)
        start = threading.Barrier(2)

        def load(job_id: str = job_id, start: threading.Barrier = start) -> None:
            start.wait()
            with suppress(psycopg.OperationalError, ApiError):  # interrupted: it would be retried
                run_job(maker.services, maker.company.company_id, job_id)

        with ThreadPoolExecutor(1) as pool:
            loading = pool.submit(load)
            start.wait()
            if round_number % 2:
                until(lambda loading=loading: loading.done() or maker.query(loads))
            status = client.delete(f"{BASE}/upload-jobs/{job_id}").status_code
            loading.result()
        job = client.get(f"{BASE}/upload-jobs/{job_id}").json()
        if status == 204:
            assert (job["status"], job["error"]["code"]) == ("failed", "JOB_CANCELLED")
            assert maker.query("SELECT to_regclass('public.vendas')") == [(None,)]
        else:
            assert (status, job["status"]) == (400, "done")
            assert maker.query("SELECT count(*) FROM vendas") == [(1_000,)]
            maker.services.table_operations.delete(maker.company, job["user_table_id"])


@pytest.fixture
def broken_storage(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """An S3 that cannot delete anything."""

    def fail(*_: Any) -> None:
        raise ApiError(STORAGE_UNAVAILABLE)

    with monkeypatch.context() as patch:
        patch.setattr(Storage, "delete_all", fail)
        yield patch


def test_the_sweep_clears_what_a_cancellation_could_not(
    api: ApiServices, client: TestClient, broken_storage: pytest.MonkeyPatch
) -> None:
    """It continues until no worker of the job can still write, then stops."""
    job_id = waiting_job(api, client)
    cancel(client, job_id)
    assert keys(api)
    broken_storage.undo()
    job = record(api, client, job_id)
    assert job.uncleared
    assert sweep_job(api, job, timestamp(), quiet_before="9999") in ("cleared", "told")
    assert_nothing_left(api, client, job_id)
    assert record(api, client, job_id).uncleared
    api.items.change(
        {"pk": f"COMPANY#{job.company_id}", "sk": f"JOB#{job_id}"}, {"updated_at": "2020-01-01T00:00:00.000Z"}
    )
    sweep_job(api, record(api, client, job_id), timestamp(), quiet_before="9999")
    assert not record(api, client, job_id).uncleared
    assert list(api.jobs.scan_unfinished()) == []
