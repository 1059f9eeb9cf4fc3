"""Late runs of the inserting step: the job's current record decides what they do."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from loading_jobs import USER_ID, JobMaker, column

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.job_records import StepOutcome
from managed_tables.services import Services
from managed_tables.tables import reconciliation
from managed_tables_insert import handler as inserting
from managed_tables_insert.handler import run_job

NUMBERS = [column("n", "integer")]
TEXTS = [column("n", "text")]
ROWS = [["1"], ["dois"], ["3"]]


@pytest.fixture
def maker(services: Services, company: ConnectionRecord, tmp_path: Path) -> JobMaker:
    """A job maker for a company with an empty database."""
    return JobMaker(services, company, tmp_path)


def run(maker: JobMaker, job_id: str) -> StepOutcome:
    """Run the step once, as the state machine does."""
    return run_job(maker.services, maker.company.company_id, job_id)


def meanwhile(monkeypatch: pytest.MonkeyPatch, name: str, happens: Callable[[], Any]) -> None:
    """Make something happen just before the first call of one of the step's functions."""
    owner = inserting.Load if name == "run" else inserting
    original, calls = getattr(owner, name), []

    def paused(*arguments: Any, **named: Any) -> Any:
        calls.append(name)
        if len(calls) == 1:
            happens()
        return original(*arguments, **named)

    monkeypatch.setattr(owner, name, paused)


def test_a_run_of_the_first_confirmation_resumes_after_the_second(
    maker: JobMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It finds its table released, but the job was confirmed again and must not end as failed."""
    job_id = maker.inserting(ROWS, NUMBERS)

    def reject_and_confirm_again() -> None:
        assert run(maker, job_id) == {"outcome": "rejected"}
        maker.confirm(job_id, TEXTS)

    meanwhile(monkeypatch, "run", reject_and_confirm_again)
    assert run(maker, job_id) == {"outcome": "done"}
    assert (maker.job(job_id).status, maker.job(job_id).error) == ("done", None)
    assert maker.query("SELECT n FROM vendas ORDER BY id") == [("1",), ("dois",), ("3",)]


def test_a_late_rejection_does_not_override_committed_rows(
    maker: JobMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run of the first confirmation finds its misfits after the second one's rows are committed."""
    job_id = maker.inserting(ROWS, NUMBERS)

    def end_by_another_confirmation() -> None:
        assert run(maker, job_id) == {"outcome": "rejected"}
        maker.confirm(job_id, TEXTS)
        with monkeypatch.context() as patch:  # the worker dies between its commit and the job's record
            patch.setattr(inserting, "complete", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                run(maker, job_id)

    meanwhile(monkeypatch, "write_rejects", end_by_another_confirmation)
    assert run(maker, job_id) == {"outcome": "done"}
    assert run(maker, job_id) == {"outcome": "done"}
    assert maker.query("SELECT count(*) FROM vendas") == [(3,)]


@pytest.mark.parametrize("mode", ["create", "replace"])
def test_six_runs_of_a_job_with_misfits_leave_it_to_be_confirmed(maker: JobMaker, mode: Any) -> None:
    table_id = None
    if mode != "create":
        made = maker.services.table_operations.create(maker.company, "5" * 24, "vendas", NUMBERS)
        table_id = made.table_id
    job_id = maker.inserting(ROWS, NUMBERS, mode=mode, table_id=table_id)
    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(lambda _: run(maker, job_id), range(6)))
    assert outcomes == [{"outcome": "rejected"}] * 6
    job = maker.job(job_id)
    assert job.error
    assert (job.status, job.error["code"]) == ("inserting", "VALUES_NOT_CONVERTED")
    maker.confirm(job_id, TEXTS, table_id=table_id)
    if mode == "create":
        assert run(maker, job_id) == {"outcome": "done"}


def test_a_job_that_ends_meanwhile_keeps_its_outcome(
    maker: JobMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = maker.inserting([["1"]], NUMBERS)
    meanwhile(monkeypatch, "run", lambda: run(maker, job_id))
    assert run(maker, job_id) == {"outcome": "done"}
    assert maker.query("SELECT count(*) FROM vendas") == [(1,)]
    assert maker.job(job_id).result


def test_a_released_name_is_free_while_the_job_makes_another_table(
    maker: JobMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run died between the rejection and the release; the job was confirmed again under another name."""
    monkeypatch.setitem(reconciliation.STALE_AFTER_SECONDS, "upload", 0)
    job_id = maker.inserting(ROWS, NUMBERS)
    with monkeypatch.context() as patch:
        patch.setattr(inserting.Loading, "release", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run(maker, job_id)
    maker.confirm(job_id, TEXTS, display_name="outras")
    maker.services.table_operations.create(maker.company, USER_ID, "vendas", NUMBERS)
    assert run(maker, job_id) == {"outcome": "done"}
    assert maker.query("SELECT count(*) FROM outras") == [(3,)]
