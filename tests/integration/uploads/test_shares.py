"""A company's slots: a limited number of jobs run at once, others wait in order, none is forgotten."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from deployments import client_of
from starlette.testclient import TestClient
from upload_flow import (
    BASE,
    confirm,
    declare,
    error_of,
    execution_status,
    headers,
    record,
    status_of,
    until,
    waiting_job,
)

from managed_tables.aws.executions import Executions, ExecutionsUnavailable
from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.job_records import JobRecord
from managed_tables.catalog.keys import job_key
from managed_tables.clock import timestamp
from managed_tables.errors import JOB_FAULT, JobError
from managed_tables.ids import new_record_id
from managed_tables_api.app import create_app
from managed_tables_api.services import ApiServices
from managed_tables_ingest.sweep import sweep_job
from managed_tables_insert.errands import wait_for_slot

SIZE = 2
PASSING = {"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}}  # changes nothing in the job


@pytest.fixture
def shared(api: ApiServices) -> ApiServices:
    """The services of a deployment where a company has two slots and executions do not change jobs."""
    name = f"{api.settings.table_name}-passing"
    role = client_of("iam").get_role(RoleName=api.settings.table_name)["Role"]["Arn"]
    made = api.stepfunctions.create_state_machine(name=name, definition=json.dumps(PASSING), roleArn=role)
    return with_settings(api, state_machine_arn=made["stateMachineArn"], running_jobs_max=SIZE)


def with_settings(api: ApiServices, **changes: object) -> ApiServices:
    made = ApiServices(api.settings.model_copy(update=changes))
    made.postgres_secret = api.postgres_secret
    return made


@pytest.fixture
def client(shared: ApiServices, company: ConnectionRecord) -> TestClient:
    """A client for the company, with every permission."""
    return TestClient(create_app(shared), headers=headers(shared, company.company_id))


def arrived(api: ApiServices, client: TestClient) -> JobRecord:
    """Return a job whose file has arrived and which has not been started."""
    job = api.jobs.mark_arrived(record(api, client, declare(client).json()["job_id"]), 0, 5)
    assert job
    return job


def is_started(api: ApiServices, job: JobRecord) -> bool:
    return api.executions.state_of(job) != "missing"


def end(api: ApiServices, job: JobRecord) -> None:
    """End a job as an error would."""
    current = api.jobs.find(job.company_id, job.job_id)
    assert current
    assert api.jobs.fail(current, JobError(JOB_FAULT).as_record())


def tickets(api: ApiServices, company_id: str) -> list[str]:
    return [ticket["waiting_job_id"] for ticket in api.shares.slots.tickets(company_id)]


def hold(api: ApiServices, client: TestClient) -> list[JobRecord]:
    """Return jobs that hold all slots."""
    jobs = [arrived(api, client) for _ in range(SIZE)]
    assert all(api.shares.slots.take(job.company_id, job.job_id) for job in jobs)
    return jobs


def test_jobs_beyond_the_slots_wait_and_start_in_order(shared: ApiServices, client: TestClient) -> None:
    jobs = [arrived(shared, client) for _ in range(5)]
    assert [shared.shares.admit(job) for job in jobs] == [True, True, False, False, False]
    assert [is_started(shared, job) for job in jobs] == [True, True, False, False, False]
    assert status_of(client, jobs[2].job_id) == "queued"
    end(shared, jobs[1])
    assert [is_started(shared, job) for job in jobs] == [True, True, True, False, False]
    end(shared, jobs[3])  # while it waits: the next job takes its turn
    end(shared, jobs[0])
    assert is_started(shared, jobs[4])
    assert tickets(shared, jobs[0].company_id) == []
    assert shared.shares.slots.holders(jobs[0].company_id) == {jobs[2].job_id, jobs[4].job_id}


def test_a_company_does_not_wait_for_another(shared: ApiServices, client: TestClient) -> None:
    hold(shared, client)
    assert shared.shares.slots.take(new_record_id(), new_record_id())


def test_a_job_waiting_for_a_person_holds_no_slot(
    api: ApiServices, shared: ApiServices, client: TestClient
) -> None:
    """When all slots are taken, slots of jobs that no longer run a step are freed."""
    waiting = [record(shared, client, waiting_job(api, client)) for _ in range(SIZE)]
    assert all(shared.shares.slots.take(job.company_id, job.job_id) for job in waiting)
    assert shared.shares.admit(arrived(shared, client))


def test_a_confirmed_job_waits_for_a_slot_as_inserting(
    api: ApiServices, shared: ApiServices, client: TestClient
) -> None:
    job_id = waiting_job(api, client)
    shared.shares.leave(record(shared, client, job_id))
    running = hold(shared, client)
    assert confirm(client, job_id).json() == {"status": "inserting"}
    assert confirm(client, job_id).json() == {"status": "inserting"}
    assert (status_of(client, job_id), execution_status(api, job_id)) == ("inserting", "RUNNING")
    assert tickets(shared, running[0].company_id) == [job_id]
    end(shared, running[0])
    until(lambda: execution_status(api, job_id) == "SUCCEEDED")
    assert record(shared, client, job_id).task_token is None


def test_a_busy_job_queues_behind_the_others(
    api: ApiServices, shared: ApiServices, client: TestClient
) -> None:
    """It has had its turn, and waits again with another token: jobs that have not run yet come first."""
    job_id = waiting_job(api, client)
    company_id = record(shared, client, job_id).company_id
    assert confirm(client, job_id).status_code == 200  # it runs, is busy, and gives its slot back
    shared.shares.leave(record(shared, client, job_id))
    running, younger = hold(shared, client), arrived(shared, client)
    assert not shared.shares.admit(younger)
    wait_for_slot(shared, company_id, job_id, "token", rounds=1)
    assert tickets(shared, company_id) == [younger.job_id, job_id]
    end(shared, running[0])
    assert is_started(shared, younger)
    assert record(shared, client, job_id).task_token == "token"
    end(shared, running[1])
    assert record(shared, client, job_id).task_token is None


def test_an_ended_job_does_not_wait_for_a_slot(
    shared: ApiServices, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its execution continues at once, to find that the job has ended."""
    job = arrived(shared, client)
    end(shared, job)
    told: list[str] = []
    monkeypatch.setattr(Executions, "resume", lambda _self, token, _output: told.append(token))
    wait_for_slot(shared, job.company_id, job.job_id, "token", rounds=1)
    assert (told, tickets(shared, job.company_id)) == (["token"], [])


def test_the_sweep_starts_jobs_that_were_not_started(
    shared: ApiServices, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A job ends while Step Functions is unreachable: its end is announced again."""
    first, second = (arrived(shared, client) for _ in range(2))
    one_slot = with_settings(shared, running_jobs_max=1)
    assert one_slot.shares.admit(first)
    assert not one_slot.shares.admit(second)

    def unavailable(*_: object) -> None:
        raise ExecutionsUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(Executions, "start", unavailable)
        end(one_slot, first)
    ended = record(shared, client, first.job_id)
    assert (ended.status, ended.unannounced, is_started(shared, second)) == ("failed", True, False)
    assert sweep_job(one_slot, ended, timestamp(), quiet_before="9999") == "told"
    assert is_started(shared, second)


def test_the_slot_of_a_dead_job_is_reclaimed(shared: ApiServices, client: TestClient) -> None:
    """The state machine ended it without releasing the slot: the next job that needs one takes it."""
    for job in hold(shared, client):
        key = {"pk": f"COMPANY#{job.company_id}", "sk": f"JOB#{job.job_id}"}
        shared.items.change(key, {"status": "failed"})
    job = arrived(shared, client)
    assert shared.shares.admit(job)
    assert shared.shares.slots.holders(job.company_id) == {job.job_id}


def test_simultaneous_deliveries_start_each_job_once(shared: ApiServices, client: TestClient) -> None:
    """Repeated and simultaneous deliveries: never more jobs than slots, and none left behind."""
    jobs = [arrived(shared, client) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(shared.shares.admit, [*jobs, *jobs]))
    started = [job for job in jobs if is_started(shared, job)]
    assert len(started) == SIZE
    assert shared.shares.slots.holders(jobs[0].company_id) == {job.job_id for job in started}
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda job: end(shared, job), started))
    assert sum(is_started(shared, job) for job in jobs) == 2 * SIZE


def test_an_unreadable_record_does_not_block_other_jobs(shared: ApiServices, client: TestClient) -> None:
    """It may be a later release's: its ticket is removed, but it keeps a slot that it holds."""
    broken, other, late = (arrived(shared, client) for _ in range(3))
    shared.items.change(job_key(broken.company_id, broken.job_id), {"files": "none"})
    shared.shares.slots.enqueue(broken.company_id, broken.job_id, 0)
    assert shared.shares.admit(other)
    assert tickets(shared, other.company_id) == []
    assert shared.shares.slots.take(broken.company_id, broken.job_id)
    assert not shared.shares.admit(late)
    assert broken.job_id in shared.shares.slots.holders(broken.company_id)


def test_a_company_with_too_many_exports_is_429_until_one_ends(
    shared: ApiServices, company: ConnectionRecord
) -> None:
    """Those that were made and not started are started by whoever finds no slot free."""
    machine = shared.settings.state_machine_arn
    api = with_settings(shared, export_state_machine_arn=machine, running_exports_max=SIZE)
    client = TestClient(create_app(api), headers=headers(api, company.company_id))
    created = {"name": "n", "display_name": "n", "type": "integer", "nullable": True}
    table = client.post(BASE, json={"display_name": "vendas", "columns": [created]}).json()["_id"]

    def export() -> Any:
        return client.post(f"{BASE}/{table}/exports", json={"format": "csv"})

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: export(), range(8)))
    made = [answer.json()["export_id"] for answer in answers if answer.status_code == 201]
    assert len(made) == SIZE
    assert f"{SIZE} exportações" in error_of(export(), 429, "TOO_MANY_EXPORTS")["error"]
    ended = api.exports.find(company.company_id, made[0])
    assert ended
    api.exports.fail(ended, JobError(JOB_FAULT).as_record())
    unstarted = replace(ended, export_id=new_record_id())
    api.exports.create(unstarted)
    assert export().status_code == 201
    api.export_slots.give_back(company.company_id, made[1])
    assert api.export_slots.take(company.company_id, unstarted.export_id)
    error_of(export(), 429, "TOO_MANY_EXPORTS")
    execution = f"{machine.replace(':stateMachine:', ':execution:')}:{unstarted.export_id}"
    assert api.stepfunctions.describe_execution(executionArn=execution)["name"] == unstarted.export_id
    exports = api.items.query(f"COMPANY#{company.company_id}", "EXPORT#")
    assert len(list(exports)) == SIZE + 2  # none of those that were refused
