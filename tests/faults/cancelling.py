"""Ends of jobs without rows, with faults: cancelled in each state, failed after a column was added."""

import random
from typing import Any, Literal

from injection import run_step
from loading_jobs import USER_ID
from steps import (
    CSV,
    NEW_NUMBERS,
    OLD,
    OLD_NUMBERS,
    ROWS,
    SCHEMA,
    Scenario,
    Step,
    execution_status,
    stop_execution,
)
from worlds import World, until

from managed_tables.clock import timestamp
from managed_tables.documents.statements import Additions
from managed_tables.errors import JOB_FINISHED, ApiError
from managed_tables.jobs.ending import cancel_job
from managed_tables_api.rows.inserts import NewRows, insert
from managed_tables_ingest.sweep import sweep_job
from managed_tables_insert import handler as inserting
from managed_tables_insert.handler import run_job

State = Literal["waiting", "inserting", "adding", "committed"]
FAR = "9999-01-01T00:00:00.000Z"
LONG_AGO = "2020-01-01T00:00:00.000Z"


class Cancel(Scenario):
    """A cancellation by a user, who repeats it until it is answered."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.name = f"cancel {state}"

    def set_up(self, world: World) -> Step:
        self.job_id = self._make(world)
        if self.state == "adding":
            died = run_step(lambda: _die_before_load(world, self.job_id))
            assert "ZeroDivisionError" in (died.error or ""), died.error
            assert len(world.job_table().columns) == len(SCHEMA)
        if self.state == "committed":
            died = run_step(lambda: _die_after_commit(world, self.job_id))
            assert "ZeroDivisionError" in (died.error or ""), died.error
        return self._step(world)

    def _step(self, world: World) -> Step:
        self.columns = SCHEMA[:2]
        return lambda: self._cancel(world)

    def _make(self, world: World) -> str:
        if self.state == "waiting":
            return self._wait(world)
        if self.state != "adding":
            return world.maker.inserting(ROWS, SCHEMA)
        old = [{name: row[name] for name in row if name != "texto"} for row in OLD]
        table_id = world.make_table("vendas", SCHEMA[:2], old)
        return world.maker.inserting(ROWS, SCHEMA, mode="append", table_id=table_id)

    def _wait(self, world: World) -> str:
        job = world.queued_job(CSV)
        world.services.jobs.begin_analysis(world.company_id, job.job_id)
        world.maker._stage(job.job_id, ROWS, SCHEMA, ";")
        world.services.executions.start(job)
        until(lambda: world.job(job.job_id).status == "waiting_confirm", "the execution waits")
        return job.job_id

    def _cancel(self, world: World) -> str:
        try:
            cancel_job(world.fresh_services(), world.job(self.job_id))
        except ApiError as error:
            if error.kind is not JOB_FINISHED:
                raise
            return "finished"
        return "cancelled"

    def check(self, world: World, value: Any) -> None:
        if self.state == "committed":
            assert value == "finished"
            assert world.job(self.job_id).status == "done"
            assert [n for (n,) in world.query("SELECT n FROM vendas ORDER BY id")] == NEW_NUMBERS
            return
        assert value == "cancelled"
        job = world.job(self.job_id)
        assert (job.status, job.is_cancelled) == ("failed", True)
        if self.state in ("inserting", "adding"):
            late = run_step(lambda: run_job(world.fresh_services(), world.company_id, self.job_id))
            assert late.value["error"]["code"] == "JOB_CANCELLED", late.error
        self._sweep(world)
        assert world.keys() == set()
        if self.state == "adding":
            self._check_table(world)
            return
        assert world.names_held() == set()
        assert world.query("SELECT to_regclass('public.vendas')") == [(None,)]
        if self.state == "waiting":
            assert execution_status(world, self.job_id) == "ABORTED"

    def _check_table(self, world: World) -> None:
        """Check that the table is as before: the column that the job added is gone without a trace."""
        world.list_tables()
        assert list(world.job_table().columns) == self.columns
        assert [n for (n,) in world.query("SELECT n FROM vendas ORDER BY id")] == OLD_NUMBERS
        assert world.query("SELECT count(*) FROM managed_tables.added_columns") == [(0,)]

    def _sweep(self, world: World) -> None:
        """Sweep the job until nothing is left to do, as the schedule would eventually."""
        key = {"pk": f"COMPANY#{world.company_id}", "sk": f"JOB#{self.job_id}"}
        world.services.items.change(key, {"updated_at": LONG_AGO})
        for _ in range(2):
            sweep_job(world.services, world.job(self.job_id), timestamp(), quiet_before=FAR)
        assert not world.job(self.job_id).uncleared


class FailAdding(Cancel):
    """An append that adds a column and fails: its key is too long; its worker died, and the sweep ends it."""

    def __init__(self, by: Literal["insert", "sweep"]) -> None:
        super().__init__("adding")
        self.by = by
        self.name = f"{by} failing, column added"

    def _make(self, world: World) -> str:
        if self.by == "sweep":
            return super()._make(world)
        old = [{"n": number, "texto": str(number)} for number in OLD_NUMBERS]
        columns = [SCHEMA[0], SCHEMA[2]]
        table_id = world.services.table_operations.create(
            world.company, USER_ID, "vendas", columns, Additions(key=["texto"])
        ).table_id
        world.services.named_table(world.company_id, table_id, USER_ID).do(insert, NewRows(old))
        rows = [["1", "1,5", random.Random(0).randbytes(5_000).hex()]]  # noqa: S311 - it does not compress
        return world.maker.inserting(rows, SCHEMA, mode="append", table_id=table_id)

    def set_up(self, world: World) -> Step:
        if self.by == "sweep":
            return super().set_up(world)
        self.job_id = self._make(world)
        self.columns = list(world.job_table().columns)
        return lambda: run_job(world.fresh_services(), world.company_id, self.job_id)

    def _step(self, world: World) -> Step:
        super()._step(world)
        world.services.executions.start(world.job(self.job_id))
        stop_execution(world, self.job_id)
        key = {"pk": f"COMPANY#{world.company_id}", "sk": f"JOB#{self.job_id}"}
        world.services.items.change(key, {"status": "inserting"})
        return lambda: sweep_job(world.fresh_services(), world.job(self.job_id), timestamp(), FAR)

    def check(self, world: World, value: Any) -> None:
        job, codes = world.job(self.job_id), {"insert": "KEY_TOO_LONG", "sweep": "JOB_FAULT"}
        assert (job.status, (job.error or {"code": ""})["code"]) == ("failed", codes[self.by])
        self._sweep(world)
        self._check_table(world)


def _die_after_commit(world: World, job_id: str) -> None:
    """Load the rows in this process, which dies before it can record that."""
    inserting.complete = lambda *_: 1 / 0  # type: ignore[assignment, return-value]
    run_job(world.fresh_services(), world.company_id, job_id)


def _die_before_load(world: World, job_id: str) -> None:
    """Add the job's new column in this process, which dies before it loads anything."""
    inserting.Load.run = lambda *_: 1 / 0  # type: ignore[assignment, method-assign, return-value]
    run_job(world.fresh_services(), world.company_id, job_id)
