"""The sweep is one run for all companies: a fault in one of them does not affect the others."""

import json
from typing import Any

import pytest

from managed_tables.catalog.connections import ClusterRecord, ConnectionRecord
from managed_tables.catalog.job_records import JobRecord, JobStatus, UploadedFile
from managed_tables.clock import timestamp
from managed_tables.databases.migrations import NEEDS_SCHEMA, SCHEMA_VERSION
from managed_tables.errors import JobError
from managed_tables.ids import new_record_id
from managed_tables.services import Services
from managed_tables.settings import Settings
from managed_tables_ingest import sweep as sweeping
from managed_tables_ingest.sweep import SweepFault, sweep

LONG_AGO = "2020-01-01T00:00:00.000Z"


@pytest.fixture
def services(settings: Settings) -> Services:
    """Services whose state machine has never run anything, so that every execution is over."""
    arn = "arn:aws:states:us-east-1:000000000000:stateMachine:nothing-runs"
    return Services(settings.model_copy(update={"state_machine_arn": arn}))


def put_job(services: Services, company_id: str, status: JobStatus = "inserting") -> str:
    """Record a job that has not changed in years."""
    job_id = new_record_id()
    file = UploadedFile("a.csv", f"uploads/{company_id}/{job_id}/00.csv", 5, "text/csv")
    services.jobs.create(
        JobRecord(
            company_id=company_id,
            job_id=job_id,
            user_id=company_id,
            mode="create" if status == "waiting_confirm" else "append",
            status=status,
            files=(file,),
            expires_at=LONG_AGO,
            created_at=LONG_AGO,
            updated_at=LONG_AGO,
            user_table_id=new_record_id(),
        )
    )
    return job_id


def company_on(services: Services, cluster: str) -> str:
    """Record a company with a database marked ready on that cluster."""
    company_id = new_record_id()
    connection = services.connections.reserve(company_id, new_record_id(), cluster)
    services.connections.mark_ready(connection, SCHEMA_VERSION, NEEDS_SCHEMA)
    return company_id


def status_of(services: Services, company_id: str, job_id: str) -> str:
    job = services.jobs.find(company_id, job_id)
    assert job
    return job.status


def test_a_job_that_cannot_be_swept_does_not_stop_the_others(
    services: Services, company: ConnectionRecord
) -> None:
    """Its cluster is not in the settings: the others are swept, then the fault is reported."""
    lost = [(owner, put_job(services, owner)) for owner in [company_on(services, "unknown")] * 3]
    good = [put_job(services, company.company_id) for _ in range(3)]
    overdue = put_job(services, company.company_id, "queued")
    with pytest.raises(SweepFault, match="3 faults"):
        sweep(services)
    assert {status_of(services, company.company_id, job_id) for job_id in [*good, overdue]} == {"failed"}
    assert {status_of(services, *job) for job in lost} == {"inserting"}


def test_records_that_are_no_jobs_do_not_stop_the_others(
    services: Services, company: ConnectionRecord, caplog: pytest.LogCaptureFixture
) -> None:
    """The log names them by one line, with what is wrong and without a trace, however many they are."""
    job_id = put_job(services, company.company_id)
    for number in range(3):
        owner = f"COMPANY#{new_record_id()}"
        broken = {"pk": owner, "sk": f"JOB#{number}", "active_pk": owner, "status": "inserting"}
        services.items.put(broken, "attribute_not_exists(pk)")
    with pytest.raises(SweepFault):
        sweep(services)
    assert status_of(services, company.company_id, job_id) == "failed"
    [line] = [record for record in caplog.records if record.levelname == "ERROR"]
    assert not line.exc_info
    assert line.__dict__["jobs"].count("KeyError('company_id')") == 3


def test_an_unreachable_cluster_is_waited_for_twice_a_run(
    services: Services, company: ConnectionRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each job would cost 15 s. One silent company may be at fault itself; with two, it is the cluster."""
    services.clusters.put(ClusterRecord("down", "127.0.0.1", 1, "none"))
    services.databases.__dict__["connect_deadline_seconds"] = 0.1
    waited: list[str] = []
    monkeypatch.setattr(sweeping, "resolve", _noting(sweeping.resolve, waited))
    owners = [company_on(services, "down") for _ in range(4)]
    for owner in [*owners, *owners]:
        put_job(services, owner)
    good = put_job(services, company.company_id)
    assert sweep(services) == {"failed": 1, "left": 8}
    assert status_of(services, company.company_id, good) == "failed"
    assert len([owner for owner in waited if owner in owners]) == 2


def _noting(resolve: Any, waited: list[str]) -> Any:
    def noted(services: Services, job: JobRecord, error: JobError) -> Any:
        waited.append(job.company_id)
        return resolve(services, job, error)

    return noted


def test_the_sweep_stops_before_its_time_runs_out(services: Services, company: ConnectionRecord) -> None:
    for _ in range(3):
        put_job(services, company.company_id)
    turns = iter([True, False, False])
    assert sweep(services, lambda: next(turns)) == {"failed": 1, "not reached": 2}


def test_jobs_waiting_for_people_are_checked_last(
    services: Services, company: ConnectionRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thousands of them must not keep the sweep from jobs that need it."""
    monkeypatch.setattr(sweeping, "MAX_WAITING_JOBS", 2)
    for _ in range(6):
        put_job(services, company.company_id, "waiting_confirm")
    put_job(services, company.company_id)
    asked: list[str] = []
    state_of = services.executions.state_of

    def noted(job: JobRecord) -> Any:
        asked.append(job.status)
        return "running" if job.status == "waiting_confirm" else state_of(job)

    monkeypatch.setattr(services.executions, "state_of", noted)
    assert sweep(services) == {"failed": 1}
    assert asked == ["inserting", "waiting_confirm", "waiting_confirm"]


def test_a_company_with_thousands_of_jobs_does_not_delay_the_others(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many of its uploads are overdue, each run looks at every other company's job."""
    monkeypatch.setattr(sweeping, "MAX_JOBS", 10)
    monkeypatch.setattr(sweeping, "MAX_A_COMPANY", 6)
    crowd, small = new_record_id(), [new_record_id() for _ in range(3)]
    for _ in range(40):
        put_job(services, crowd, "queued")
    stuck = put_job(services, crowd)
    statuses: tuple[JobStatus, ...] = ("inserting", "queued", "queued")
    for owner, status in zip(small, statuses, strict=True):
        put_job(services, owner, status)
    looked_at: list[JobRecord] = []

    def noted(_services: Services, job: JobRecord, *_times: str) -> None:
        looked_at.append(job)

    monkeypatch.setattr(sweeping, "sweep_job", noted)
    for _ in range(3):
        looked_at.clear()
        sweep(services)
        first_round = looked_at[:4]
        assert {job.company_id for job in first_round} == {crowd, *small}
        assert stuck in {job.job_id for job in first_round}
        assert len(looked_at) == 10


def test_jobs_that_are_inserting_keep_no_other_of_their_company_out(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hundreds wait for a slot, or for a database that is down: uploads go on to end, and ends to be told."""
    monkeypatch.setattr(sweeping, "MAX_A_COMPANY", 2)
    owner = company_on(services, "unknown")
    for _ in range(6):
        put_job(services, owner)
    overdue = put_job(services, owner, "queued")
    with pytest.raises(SweepFault):
        sweep(services)
    assert status_of(services, owner, overdue) == "failed"


def test_the_order_differs_between_runs(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise, when time is short, every run would starve the same jobs."""
    owner = company_on(services, "default")
    for _ in range(20):
        put_job(services, owner)
    first: list[str] = []

    def noted(_services: Services, job: JobRecord, *_times: str) -> None:
        first.append(job.job_id)

    monkeypatch.setattr(sweeping, "sweep_job", noted)
    for _ in range(5):
        sweep(services)
    runs = [first[start : start + 20] for start in range(0, 100, 20)]
    assert len({tuple(run) for run in runs}) > 1
    assert len({frozenset(run) for run in runs}) == 1


def test_a_job_that_has_just_changed_is_left_alone(services: Services) -> None:
    owner = company_on(services, "unknown")
    job_id = put_job(services, owner)
    services.items.change({"pk": f"COMPANY#{owner}", "sk": f"JOB#{job_id}"}, {"updated_at": timestamp()})
    assert sweep(services) == {}


def test_the_longest_wait_for_a_slot_is_measured(
    services: Services, company: ConnectionRecord, capsys: pytest.CaptureFixture[str]
) -> None:
    """An alarm watches it: a company's queue that nobody works off shows nowhere else."""
    put_job(services, company.company_id, "waiting_confirm")
    sweep(services)
    job_id = put_job(services, company.company_id, "queued")
    job = services.jobs.find(company.company_id, job_id)
    assert job is not None
    services.jobs.mark_arrived(job, 0, 5)
    key = {"pk": f"COMPANY#{company.company_id}", "sk": f"JOB#{job_id}"}
    services.items.change(key, {"updated_at": LONG_AGO})
    sweep(services)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "OldestTicket" in line]
    assert lines[0]["OldestTicketSeconds"] == [0.0]
    assert lines[1]["OldestTicketSeconds"][0] > 86_400
