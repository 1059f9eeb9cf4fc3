"""The review, with faults: a new reading requested and made, and a load that leaves rows out."""

from typing import Any

from injection import run_step
from steps import CSV, MISFITS, NEW_NUMBERS, ROWS, SCHEMA, Scenario, Step, execution_output, execution_status
from worlds import World, until

from managed_tables.documents.statements import LoadTerms, ReadingStatement
from managed_tables.jobs.rejects import rejects_keys
from managed_tables_analyze.handler import analyze_job
from managed_tables_api.reanalysis import reanalyze_job
from managed_tables_insert.handler import run_job

STATED = {"timezone": None, "tables": [{"file": 0, "sheet": None, "skip_lines": [2]}]}
LINES = len(ROWS) - 1  # without the line stated not to be a row


def _waiting(world: World) -> str:
    """Return the id of a job whose execution waits, its file analyzed."""
    job = world.queued_job(CSV)
    run = run_step(lambda: analyze_job(world.fresh_services(), world.company_id, job.job_id))
    assert run.ended_well, run.error
    world.services.executions.start(job)
    until(lambda: world.job(job.job_id).status == "waiting_confirm", "the execution waits")
    return job.job_id


def _assert_read_again(world: World, job_id: str) -> None:
    job = world.job(job_id)
    analysis = world.services.storage.get_json(job.analysis_key or "")
    assert (job.wish_key, job.error, analysis["row_count"]) == (None, None, LINES)
    assert analysis["wish"]["tables"] == STATED["tables"]


class Reanalyze(Scenario):
    """A request by a user, who repeats it until it is answered; then the files are read."""

    name = "reanalyze"

    def set_up(self, world: World) -> Step:
        self.job_id = _waiting(world)
        return lambda: reanalyze_job(
            world.fresh_services(), world.job(self.job_id), ReadingStatement.read(STATED)
        )

    def check(self, world: World, value: Any) -> None:
        assert value is None
        until(lambda: execution_status(world, self.job_id) == "SUCCEEDED", "the execution goes on")
        assert '"analyze"' in execution_output(world, self.job_id)
        assert world.job(self.job_id).status == "analisando"
        run = run_step(lambda: analyze_job(world.fresh_services(), world.company_id, self.job_id))
        assert run.value == {"outcome": "analyzed", "auto_confirm": False}, run.error
        _assert_read_again(world, self.job_id)


class AnalyzeAgain(Scenario):
    """The analyzing step with a stated reading: the previous one stays valid until the new one is ready."""

    name = "analyze again"

    def set_up(self, world: World) -> Step:
        self.job_id = _waiting(world)
        reanalyze_job(world.services, world.job(self.job_id), ReadingStatement.read(STATED))
        return lambda: analyze_job(world.fresh_services(), world.company_id, self.job_id)

    def check(self, world: World, value: Any) -> None:
        assert value == {"outcome": "analyzed", "auto_confirm": False}
        _assert_read_again(world, self.job_id)


class InsertSkipping(Scenario):
    """The inserting step when it leaves rows out: each row is in the table or in the rejects file."""

    name = "insert create, skipping"

    def set_up(self, world: World) -> Step:
        self.job_id = world.maker.inserting(MISFITS, SCHEMA, terms=LoadTerms(on_misfit="skip"))
        return lambda: run_job(world.fresh_services(), world.company_id, self.job_id)

    def check(self, world: World, value: Any) -> None:
        assert value == {"outcome": "done"}
        job = world.job(self.job_id)
        assert job.result
        assert (job.result.inserted, job.result.rejected) == (len(NEW_NUMBERS), 1)
        assert [n for (n,) in world.query("SELECT n FROM vendas ORDER BY id")] == NEW_NUMBERS
        keys = rejects_keys(job)
        assert keys
        assert world.services.storage.get_json(keys[1]) == {"rows": 1}
        text = world.services.storage.read_range(keys[0], 0, 2**30).decode("utf-8-sig")
        assert [line.split(";")[0] for line in text.splitlines()] == ["n", "doze"]
