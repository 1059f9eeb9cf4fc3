"""A company's only slot, with faults: a job that waits for it, and each way in which it is passed on."""

from typing import Any

from injection import Run, run_step
from steps import CSV, NEW_NUMBERS, ROWS, SCHEMA, Scenario, Step, arrivals_event, execution_status
from worlds import World, until

from managed_tables.catalog.job_records import JobRecord
from managed_tables.clock import timestamp
from managed_tables_analyze.handler import analyze_job
from managed_tables_api.services import ApiServices
from managed_tables_ingest.handler import read_arrivals, take_arrival
from managed_tables_ingest.sweep import sweep_job
from managed_tables_insert.errands import wait_for_slot
from managed_tables_insert.handler import run_job

FAR = "9999-01-01T00:00:00.000Z"


def one_slot(world: World) -> ApiServices:
    """Return the services of a new process, in a deployment where each company has one slot."""
    return world.fresh_services(running_jobs_max=1)


def arrived_job(world: World) -> JobRecord:
    """Return a job whose file has arrived and been announced, and which has not been started."""
    job = world.services.jobs.mark_arrived(world.queued_job(CSV), 0, len(CSV))
    assert job
    return job


def waiting_behind(world: World, holder_id: str) -> JobRecord:
    """Return a job that waits for a slot held by another."""
    assert world.services.shares.slots.take(world.company_id, holder_id)
    job = arrived_job(world)
    run = run_step(lambda: one_slot(world).shares.admit(job))
    assert run.value is False, run.error
    return job


def assert_started(world: World, job_id: str) -> None:
    until(lambda: world.job(job_id).status == "waiting_confirm", "the execution waits")
    world.services.stepfunctions.stop_execution(
        executionArn=world.services.settings.state_machine_arn.replace(":stateMachine:", ":execution:")
        + f":{job_id}"
    )


def insert(world: World, job_id: str) -> Run:
    return run_step(lambda: run_job(one_slot(world), world.company_id, job_id))


class IngestWaiting(Scenario):
    """The arrival of a file while another job holds the slot: it starts when that one has ended."""

    name = "ingest, waiting"

    def set_up(self, world: World) -> Step:
        self.holder_id = world.maker.inserting(ROWS, SCHEMA)
        assert world.services.shares.slots.take(world.company_id, self.holder_id)
        self.job = world.queued_job(CSV)
        event = arrivals_event(world.services.settings.bucket_name, self.job.files)

        def step() -> None:
            services = one_slot(world)
            for arrival in read_arrivals(event):
                take_arrival(services, arrival.key, arrival.size_bytes)

        return step

    def check(self, world: World, value: Any) -> None:
        assert value is None
        assert world.services.executions.state_of(self.job) == "missing"
        run = insert(world, self.holder_id)
        assert run.value == {"outcome": "done"}, run.error
        assert_started(world, self.job.job_id)


class InsertGivingOn(Scenario):
    """The inserting step of the job that holds the slot: the next is started, by the sweep at the latest."""

    name = "insert, slot given on"

    def set_up(self, world: World) -> Step:
        self.holder_id = world.maker.inserting(ROWS, SCHEMA)
        self.waiting = waiting_behind(world, self.holder_id)
        return lambda: run_job(one_slot(world), world.company_id, self.holder_id)

    def check(self, world: World, value: Any) -> None:
        assert value == {"outcome": "done"}
        assert [n for (n,) in world.query("SELECT n FROM vendas ORDER BY id")] == NEW_NUMBERS
        sweep_job(one_slot(world), world.job(self.holder_id), timestamp(), quiet_before=FAR)
        assert_started(world, self.waiting.job_id)


class AnalyzeGivingOn(Scenario):
    """The analyzing step of the job with the slot: while it waits for a person, the next one is read."""

    name = "analyze, slot given on"

    def set_up(self, world: World) -> Step:
        self.holder = arrived_job(world)
        self.waiting = waiting_behind(world, self.holder.job_id)
        return lambda: analyze_job(one_slot(world), world.company_id, self.holder.job_id)

    def check(self, world: World, value: Any) -> None:
        assert value == {"outcome": "analyzed", "auto_confirm": False}
        assert_started(world, self.waiting.job_id)


class WaitForSlot(Scenario):
    """A busy job queues again, with its execution's token: it continues once a slot is free."""

    name = "insert, busy"

    def set_up(self, world: World) -> Step:
        job = arrived_job(world)
        assert world.services.shares.admit(job)
        until(lambda: world.job(job.job_id).status == "waiting_confirm", "the execution waits")
        self.job_id, token = job.job_id, world.job(job.job_id).task_token or ""
        key = {"pk": f"COMPANY#{world.company_id}", "sk": f"JOB#{self.job_id}"}
        world.services.items.change(key, {"status": "inserting"}, removals=("task_token",))
        world.services.shares.slots.give_back(world.company_id, self.job_id)
        return lambda: wait_for_slot(one_slot(world), world.company_id, self.job_id, token, rounds=1)

    def check(self, world: World, value: Any) -> None:
        assert value is None
        until(lambda: execution_status(world, self.job_id) == "SUCCEEDED", "the execution goes on")
        assert world.job(self.job_id).task_token is None
        assert world.services.shares.slots.holders(world.company_id) == {self.job_id}
