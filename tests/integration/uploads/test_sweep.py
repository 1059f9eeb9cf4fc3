"""The sweep finishes what was left unfinished."""

from dataclasses import replace

import pytest
from starlette.testclient import TestClient
from upload_flow import BASE, confirm, declare, execution_status, record, status_of, until, waiting_job

from managed_tables.aws.executions import Executions
from managed_tables.aws.storage import Storage
from managed_tables.catalog.job_records import JobRecord
from managed_tables.clock import timestamp
from managed_tables_api.services import ApiServices
from managed_tables_ingest.sweep import sweep, sweep_job


def later(api: ApiServices, job: JobRecord) -> str | None:
    """Sweep one job as if it had not changed for a long time."""
    return sweep_job(api, job, timestamp(), quiet_before="9999")


def test_the_sweep_sends_a_confirmation_that_was_not_delivered(
    api: ApiServices, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = waiting_job(api, client)
    # The process dies after the decision and before the state machine is notified.
    _confirm_cut_off(client, job_id, monkeypatch, Executions, "resume")
    assert execution_status(api, job_id) == "RUNNING"
    assert later(api, record(api, client, job_id)) == "confirmed"
    until(lambda: execution_status(api, job_id) == "SUCCEEDED")


def test_a_repeated_confirmation_delivers_one_that_was_not(
    api: ApiServices, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = waiting_job(api, client)
    _confirm_cut_off(client, job_id, monkeypatch, Executions, "resume")
    assert confirm(client, job_id).status_code == 200
    until(lambda: execution_status(api, job_id) == "SUCCEEDED")


def test_a_confirmation_interrupted_before_its_decision_can_be_repeated(
    api: ApiServices, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = waiting_job(api, client)
    _confirm_cut_off(client, job_id, monkeypatch, Storage, "put_json")
    assert status_of(client, job_id) == "waiting_confirm"
    assert confirm(client, job_id).status_code == 200


def _confirm_cut_off(
    client: TestClient, job_id: str, monkeypatch: pytest.MonkeyPatch, owner: type, method: str
) -> None:
    """Confirm a job in a process that dies when it calls the method."""
    with monkeypatch.context() as patch:
        patch.setattr(owner, method, _die)
        assert confirm(client, job_id).status_code == 500


def _die(*_arguments: object) -> None:
    raise RuntimeError("the process dies here")


def test_the_sweep_expires_starts_and_fails_abandoned_jobs(api: ApiServices, client: TestClient) -> None:
    overdue = record(api, client, declare(client).json()["job_id"])
    assert later(api, replace(overdue, expires_at=timestamp())) == "expired"
    started = record(api, client, declare(client).json()["job_id"])
    complete = api.jobs.mark_arrived(started, 0, 5)
    assert complete
    assert later(api, complete) == "started"
    stopped = record(api, client, waiting_job(api, client))
    arn = api.settings.state_machine_arn.replace(":stateMachine:", ":execution:") + f":{stopped.job_id}"
    api.stepfunctions.stop_execution(executionArn=arn)
    assert later(api, stopped) == "failed"
    job = client.get(f"{BASE}/upload-jobs/{stopped.job_id}").json()
    assert (job["status"], job["error"]["code"]) == ("failed", "JOB_FAULT")


def test_the_sweep_asks_for_a_file_before_it_expires_its_upload(api: ApiServices, client: TestClient) -> None:
    """An event of S3 may be lost: the file that has come all the same is taken, one of another size fails."""
    for content, fails in ((b"a;b\n1", False), (b"other!", True)):
        job = record(api, client, declare(client).json()["job_id"])
        api.storage.put(job.files[0].storage_path, content, "text/csv")
        assert later(api, replace(job, expires_at=timestamp())) == "arrived"
        found = record(api, client, job.job_id)
        assert (found.status == "failed", found.has_all_files) == (fails, not fails)


def test_the_sweep_leaves_progressing_jobs_alone(api: ApiServices, client: TestClient) -> None:
    waiting_job(api, client)
    declare(client)
    assert sweep(api) == {}
