"""Faults of the deployed stack: workers killed, PostgreSQL crashed, events and invocations repeated."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx
import psycopg
import pytest
from client import Console, Stack

from managed_tables.catalog.keys import RUNNING_JOBS, item_key
from managed_tables_local import deployment, emulator
from managed_tables_local import stack as local
from managed_tables_local.postgres import open_server

CONFIRM_TIMEOUT_SECONDS = 45  # on this stack, instead of seven days
LIMIT_SECONDS = 90.0
ROWS = 40
FILE = "n;texto\n" + "".join(f"{number};linha {number}\n" for number in range(ROWS))
LARGE_FILE = "n;texto\n" + "".join(f"{number};{'x' * 60}\n" for number in range(150_000))  # seconds of work


@dataclass(frozen=True)
class OwnStack:
    """A stack that may be broken, because no other test calls it."""

    folder: Path
    facts: local.Stack

    def client(self, service: str) -> Any:
        """Return a client for the emulator, as its administrator."""
        running = emulator.find(self.folder / "ministack")
        assert running is not None
        return boto3.client(service, **running.client_arguments)  # type: ignore[call-overload]

    def function(self, logical_id: str) -> str:
        """Return the name of a deployed function."""
        return deployment.function_name(emulator.get(self.folder / "ministack"), logical_id)

    def invoke(self, logical_id: str, event: dict[str, Any]) -> Any:
        """Invoke a function and wait for its answer, which must not be an error."""
        answer = self.client("lambda").invoke(
            FunctionName=self.function(logical_id), Payload=json.dumps(event).encode()
        )
        body = answer["Payload"].read()
        assert "FunctionError" not in answer, body
        return json.loads(body or b"null")


@pytest.fixture(scope="module")
def own(run_folder: Path) -> Iterator[OwnStack]:
    """The stack that this module breaks."""
    folder = run_folder / "broken-stack"
    overrides = {"ConfirmTimeoutSeconds": str(CONFIRM_TIMEOUT_SECONDS)}
    facts = local.up(folder, persistent=False, overrides=overrides)
    yield OwnStack(folder, facts)
    local.remove(folder)


@pytest.fixture(scope="module")
def forgotten(own: OwnStack, http: httpx.Client) -> tuple[Console, str]:
    """A user and a job that nobody will confirm; its time runs out during the other tests."""
    user = Console(Stack.from_file(own.folder / "stack.json"), own.facts.api_url, http)
    user.provision()
    return user, user.analyzed({"vendas.csv": FILE})["_id"]


@pytest.fixture(scope="module")
def queued(own: OwnStack, http: httpx.Client) -> tuple[Console, str, list[str]]:
    """A user, a job that they confirmed, and the jobs holding all slots, whose files never arrive."""
    user = Console(Stack.from_file(own.folder / "stack.json"), own.facts.api_url, http)
    user.provision()
    job = user.analyzed({"vendas.csv": FILE})
    declared = {"files": [{"name": "a.csv", "size_bytes": 3}]}
    holders = [str(user.ok("POST", "/upload", declared)["job_id"]) for _ in range(4)]
    own.client("dynamodb").put_item(
        TableName=own.facts.table_name,
        Item={
            **{name: {"S": value} for name, value in item_key(user.company_id, RUNNING_JOBS).items()},
            "holders": {"SS": holders},
        },
    )
    assert user.confirm(job).status == 200
    return user, str(job["_id"]), holders


@pytest.fixture
def company(own: OwnStack, forgotten: object, queued: object, http: httpx.Client) -> Console:  # noqa: ARG001 - begin first
    """A user of a new, provisioned company on that stack."""
    user = Console(Stack.from_file(own.folder / "stack.json"), own.facts.api_url, http)
    user.provision()
    return user


def until(find: Callable[[], Any], what: str) -> Any:
    """Poll until something is found; return it."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while not (found := find()):
        assert time.monotonic() < deadline, f"not within {LIMIT_SECONDS} s: {what}"
        time.sleep(0.05)
    return found


def numbers(company: Console, table_id: str) -> list[int]:
    return [row["n"] for row in company.rows(table_id)]


def assert_all_there(company: Console, job_id: str) -> None:
    """Check that the job is done and every row of the file is there once, in order and counted."""
    table_id = company.wait(job_id, "done", limit_seconds=LIMIT_SECONDS)["user_table_id"]
    assert numbers(company, table_id) == list(range(ROWS))
    assert company.table(table_id)["row_count"] == ROWS


@dataclass(frozen=True)
class Hold:
    """A lock that blocks inserting in one company's database."""

    connection: psycopg.Connection[Any]

    def worker(self) -> int:
        """Return the pid of the worker that waits for the lock, once there is one."""
        info = self.connection.info
        statement = "SELECT client_port FROM pg_stat_activity WHERE datname = %s AND wait_event_type = 'Lock'"
        with psycopg.connect(info.dsn, password=info.password, autocommit=True) as admin:
            row = until(lambda: admin.execute(statement, [info.dbname]).fetchone(), "a worker waits")
        return _process_of(row[0], info.port)

    def release(self) -> None:
        """Release the lock, so that the waiting worker continues."""
        self.connection.rollback()


@contextmanager
def held(own: OwnStack, company: Console) -> Iterator[Hold]:
    """Block inserting in the company's database, for the `with` block or until released."""
    database = f"co_{company.ok('GET', '/status')['connection_id']}"
    connection = psycopg.connect(own.facts.postgres_admin_dsn, dbname=database)
    try:
        connection.execute("LOCK TABLE managed_tables.applied_jobs IN ACCESS EXCLUSIVE MODE")
        yield Hold(connection)
    finally:
        connection.close()


def _process_of(*ports: int) -> int:
    """Return the pid of the process whose connection goes from one port to the other.

    The first alone is not enough: the kernel gives it to connections with other servers, too.
    """
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    inodes = {line[9] for line in lines if tuple(int(end.split(":")[1], 16) for end in line[1:3]) == ports}
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            target = os.readlink(descriptor)
        except OSError:
            continue
        if target in {f"socket:[{inode}]" for inode in inodes}:
            return int(descriptor.parts[2])
    raise AssertionError(f"no process is connected from and to {ports}")


def worker_pids(own: OwnStack, logical_id: str) -> set[int]:
    """Return the pids of the emulator's workers of one function."""
    mark = f"AWS_LAMBDA_FUNCTION_NAME={own.function(logical_id)}\0".encode()
    home = str(own.folder).encode()
    found = set()
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            content = environment.read_bytes()
        except OSError:
            continue
        if mark in content and home in content:
            found.add(int(environment.parts[2]))
    return found


def test_a_worker_killed_while_it_inserts(own: OwnStack, company: Console) -> None:
    """Step Functions retries, and every row is there once."""
    job = company.analyzed({"vendas.csv": FILE})
    with held(own, company) as hold:
        assert company.confirm(job).status == 200
        os.kill(hold.worker(), signal.SIGKILL)
    assert_all_there(company, job["_id"])


def test_a_worker_killed_while_it_analyzes(own: OwnStack, company: Console) -> None:
    """Step Functions retries, and the file is analyzed as if nothing had happened."""
    job_id = company.upload({"vendas.csv": LARGE_FILE})
    until(lambda: company.job(job_id)["status"] == "analisando", "it is being analysed")
    for pid in until(lambda: worker_pids(own, "AnalyzeFunction"), "a worker analyses"):
        os.kill(pid, signal.SIGKILL)
    job = company.wait(job_id, "waiting_confirm", limit_seconds=LIMIT_SECONDS)
    assert job["inferred_schema"]["total_row_count_estimate"] == 150_000


def test_postgresql_crashes_while_rows_are_inserted(own: OwnStack, company: Console) -> None:
    """The step is retried once the server has recovered, and every row is there once."""
    job = company.analyzed({"vendas.csv": FILE})
    server = open_server(own.folder / "postgres")
    with held(own, company) as hold:
        assert company.confirm(job).status == 200
        hold.worker()
        server.stop("immediate")
        server.start("fsync=off")
    assert_all_there(company, job["_id"])


def test_an_arrival_event_can_be_repeated_at_any_time(own: OwnStack, company: Console) -> None:
    """Twice at once while the job waits, and again once it is done: one execution, every row once."""
    job = company.analyzed({"vendas.csv": FILE, "mais.csv": FILE.partition("\n")[0] + "\n"})
    events = [
        {
            "eventName": "ObjectCreated:Post",
            "eventTime": "2026-01-15T10:30:00.000Z",
            "s3": {
                "bucket": {"name": own.facts.bucket_name},
                "object": {"key": file["storage_path"], "size": file["size_bytes"]},
            },
        }
        for file in reversed(job["files"])
    ]

    def deliver(_: int) -> Any:
        return own.invoke("IngestFunction", {"Records": events})

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(deliver, range(2)))
    assert company.job(job["_id"])["status"] == "waiting_confirm"
    assert company.confirm(job).status == 200
    assert_all_there(company, job["_id"])
    deliver(0)
    assert_all_there(company, job["_id"])
    listed = own.client("stepfunctions").list_executions(stateMachineArn=own.facts.state_machine_arn)
    assert [one["name"] for one in listed["executions"]].count(job["_id"]) == 1


def test_an_invocation_is_repeated_while_it_runs(own: OwnStack, company: Console) -> None:
    """Four at once with the same input, and one more afterwards: every row is there once."""
    job = company.analyzed({"vendas.csv": FILE})
    event = {"company_id": company.company_id, "job_id": job["_id"]}
    with ThreadPoolExecutor(3) as pool, held(own, company) as hold:
        assert company.confirm(job).status == 200
        hold.worker()
        repeated = [pool.submit(own.invoke, "InsertFunction", event) for _ in range(3)]
        until(lambda: len(worker_pids(own, "InsertFunction")) > 1, "another worker runs")
        hold.release()
        assert [one.result() for one in repeated] == [{"outcome": "done"}] * 3
    assert_all_there(company, job["_id"])
    assert own.invoke("InsertFunction", event) == {"outcome": "done"}
    assert own.invoke("AnalyzeFunction", event)["outcome"] == "failed"
    assert_all_there(company, job["_id"])


def test_a_confirmation_before_the_wait_is_retried(own: OwnStack, company: Console) -> None:
    """If writing a token got no answer and the token was used meanwhile, rows are still inserted."""
    job = company.analyzed({"vendas.csv": FILE})
    machine, states = own.facts.state_machine_arn, own.client("stepfunctions")
    states.stop_execution(executionArn=f"{machine.replace(':stateMachine:', ':execution:')}:{job['_id']}")
    assert company.confirm(job).status == 200
    event = {"company_id": company.company_id, "job_id": job["_id"]}
    states.start_execution(stateMachineArn=machine, name=f"{job['_id']}-again", input=json.dumps(event))
    assert_all_there(company, job["_id"])


def test_a_confirmation_that_never_comes(forgotten: tuple[Console, str]) -> None:
    """The job fails when its time runs out, and says so."""
    company, job_id = forgotten
    job = until(lambda: (found := company.job(job_id))["status"] == "failed" and found, "the job fails")
    assert job["error"]["code"] == "CONFIRMATION_EXPIRED"
    assert company.loaded({"vendas.csv": FILE})["status"] == "done"


def test_a_job_confirmed_in_time_waits_for_its_slot(
    own: OwnStack, queued: tuple[Console, str, list[str]]
) -> None:
    """The confirmation's time runs out before a slot is free: the job keeps waiting and is loaded."""
    company, job_id, holders = queued
    states, machine = own.client("stepfunctions"), own.facts.state_machine_arn
    execution = f"{machine.replace(':stateMachine:', ':execution:')}:{job_id}"

    def waits_on() -> bool:
        events = states.get_execution_history(executionArn=execution, reverseOrder=True)["events"]
        return any(event.get("stateEnteredEventDetails", {}).get("name") == "WaitForSlot" for event in events)

    until(waits_on, "the time of the confirmation is over")
    assert company.job(job_id)["status"] == "inserting"
    for holder in holders:
        company.ok("DELETE", f"/upload-jobs/{holder}")
    assert_all_there(company, job_id)
