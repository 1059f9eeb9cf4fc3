"""The jobs' records: every change of status is conditional on the previous one."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from managed_tables.catalog.items import ConditionFailed, Item, to_attributes
from managed_tables.catalog.job_records import (
    MAX_DETAIL_CHARACTERS,
    Intake,
    JobRecord,
    JobStatus,
    LoadResult,
    UploadedFile,
    bounded_error,
    inserting_progress,
    shorten_key,
)
from managed_tables.catalog.jobs import Jobs, UnreadableJobs
from managed_tables.catalog.keys import job_key
from managed_tables.clock import timestamp
from managed_tables.documents.document import JobProgress
from managed_tables.errors import FILES_GONE, JOB_CANCELLED, ErrorRecord, JobError
from managed_tables.ids import new_record_id
from managed_tables.object_keys import ANALYSIS, STAGED_OBJECT, attempt_key, confirmed_name, upload_key
from managed_tables.object_keys import job_key as storage_key
from managed_tables.services import Services

UNIT_BYTES = 1_024
ERROR: ErrorRecord = {
    "code": "X",
    "message": "x",
    "details": [{"line": 3, "value": "é" * 1_000, "sheet": None}] * 30,
}


@pytest.fixture
def jobs(services: Services) -> Jobs:
    return services.jobs


def a_job(files: int = 2, **members: object) -> JobRecord:
    """Return a job of a new company, not recorded yet."""
    company_id, job_id, now = new_record_id(), new_record_id(), timestamp()
    job = JobRecord(
        company_id=company_id,
        job_id=job_id,
        user_id=new_record_id(),
        mode="create",
        status="queued",
        files=tuple(
            UploadedFile(f"{number}.csv", upload_key(company_id, job_id, number, "csv"), 10, "text/csv")
            for number in range(files)
        ),
        expires_at="2026-01-15T10:30:00.000Z",
        created_at=now,
        updated_at=now,
    )
    return replace(job, **members)  # type: ignore[arg-type]


def waiting(jobs: Jobs, **members: object) -> JobRecord:
    """Return a job that waits for confirmation, as the state machine leaves it."""
    job = a_job(**members)
    jobs.create(job)
    jobs.begin_analysis(job.company_id, job.job_id)
    jobs.record_analysis(job, analysis_key="analysis", staged_key="staged")
    item = {"status": "waiting_confirm", "task_token": "token 1"}
    jobs._items.change({"pk": f"COMPANY#{job.company_id}", "sk": f"JOB#{job.job_id}"}, item)
    found = jobs.find(job.company_id, job.job_id)
    assert found
    return found


def confirm(
    jobs: Jobs, job: JobRecord, digest: str = "d", waiting: JobStatus = "waiting_confirm"
) -> JobRecord | None:
    return jobs.confirm(job, confirmed_key="key", digest=digest, reserved_table_id="t", waiting=waiting)


def test_a_job_is_read_as_it_was_written(jobs: Jobs) -> None:
    job = a_job(mode="append", user_table_id="5f0000000000000000000009")
    jobs.create(job)
    assert jobs.find(job.company_id, job.job_id) == job


def test_an_id_is_used_once(jobs: Jobs) -> None:
    job = a_job()
    jobs.create(job)
    with pytest.raises(ConditionFailed):
        jobs.create(job)


def test_a_record_that_is_not_a_job_hides_no_other_job(jobs: Jobs) -> None:
    """A later release or a person may have written it; the company's other jobs are still listed."""
    read, odd = a_job(), a_job()
    odd = replace(odd, company_id=read.company_id)
    jobs.create(read)
    jobs.create(odd)
    jobs._items.change(job_key(odd.company_id, odd.job_id), {"intake": {"later": True}})
    assert list(jobs.list_active(read.company_id)) == [jobs.find(read.company_id, read.job_id)]
    assert jobs.count_active(read.company_id, 10) == 2
    assert jobs.is_loaded(read.company_id, new_record_id(), by_others_than=read.job_id)  # by all we know
    assert not jobs.is_loaded(read.company_id, new_record_id(), by_others_than=odd.job_id)
    assert jobs.find_all(read.company_id, [odd.job_id, read.job_id]) == [read]


def test_arrivals_are_counted_once_each_with_their_real_size(jobs: Jobs) -> None:
    job = a_job()
    jobs.create(job)
    jobs.mark_arrived(job, 1, 77)
    again = jobs.mark_arrived(job, 1, 77)
    assert again
    assert not again.has_all_files
    assert [file.size_bytes for file in again.files] == [10, 77]
    last = jobs.mark_arrived(job, 0, 10)
    assert last
    assert last.has_all_files


def test_a_job_with_all_its_files_does_not_expire(jobs: Jobs) -> None:
    job = a_job(files=1)
    jobs.create(job)
    jobs.mark_arrived(job, 0, 10)
    assert jobs.fail(job, ERROR, unless_arrived=1) is None
    other = a_job(files=1)
    jobs.create(other)
    expired = jobs.fail(other, ERROR, unless_arrived=1)
    assert expired
    assert expired.status == "failed"


def test_a_job_goes_from_queued_to_done(jobs: Jobs) -> None:
    job = waiting(jobs)
    assert (job.analysis_key, job.task_token) == ("analysis", "token 1")
    confirmed = confirm(jobs, job)
    assert confirmed
    assert (confirmed.status, confirmed.task_token) == ("inserting", "token 1")
    job = confirmed
    progress = JobProgress(phase="inserting", processed_rows=5, total_rows=10, percent=50)
    assert jobs.report_progress(job, progress)
    found = jobs.find(job.company_id, job.job_id)
    assert found
    assert found.progress == progress
    done = jobs.complete(job, "5f0000000000000000000009", LoadResult(10))
    assert done
    assert (done.status, done.user_table_id, done.progress) == ("done", "5f0000000000000000000009", None)
    assert not jobs.report_progress(job, progress)
    assert jobs.fail(job, ERROR) is None


TOKEN = "A" * 900  # AWS's have a few hundred characters, 2,048 at most
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def test_a_write_of_a_job_costs_one_unit(services: Services) -> None:
    """A unit is 1 KB of the item, and of its part in the index; a wait's token takes a second unit."""
    jobs, job = services.jobs, a_job()
    path = upload_key(job.company_id, job.job_id, 0, "xlsx")
    file = UploadedFile("Relatório de vendas, março de 2026 (final).xlsx", path, 98_765_432, WORKBOOK)
    job = replace(job, files=(file,))
    sizes: list[tuple[int, int]] = []

    def measured(current: JobRecord | None) -> JobRecord:
        assert current
        key = job_key(job.company_id, job.job_id)
        item = services.items.find(key) or {}
        listed = next(services.items.query_index("active-jobs", "active_pk", key["pk"]), {})
        sizes.append((item_bytes(item), item_bytes(listed)))
        return current

    jobs.create(job)
    attempt = new_record_id()
    measured(jobs.mark_arrived(job, 0, file.size_bytes))
    begun = measured(jobs.begin_analysis(job.company_id, job.job_id))
    measured(jobs.begin_analysis(job.company_id, job.job_id))
    read = measured(
        jobs.record_analysis(
            begun,
            analysis_key=attempt_key(job.company_id, job.job_id, attempt, ANALYSIS),
            staged_key=attempt_key(job.company_id, job.job_id, attempt, STAGED_OBJECT),
            digests=["0" * 64],
        )
    )
    services.items.change(
        job_key(job.company_id, job.job_id), {"status": "waiting_confirm", "task_token": TOKEN}
    )
    waits = measured(jobs.find(job.company_id, job.job_id))
    name = confirmed_name(1, "0" * 32)
    confirmed = measured(
        jobs.confirm(
            replace(waits, analysis_key=read.analysis_key),
            confirmed_key=storage_key(job.company_id, job.job_id, name),
            digest="0" * 32,
            reserved_table_id=new_record_id(),
            total_rows=1_000_000,
        )
    )
    jobs.forget_token(confirmed)
    assert jobs.report_progress(confirmed, inserting_progress(999_999, 1_000_000))
    running = measured(jobs.find(job.company_id, job.job_id))
    result = LoadResult(900_000, 50_000, 49_000, 1_000, 123_456)
    measured(jobs.complete(running, new_record_id(), result))
    with_token = [size for size, _ in sizes if size > UNIT_BYTES]
    assert len(with_token) == 2, sizes
    assert max(with_token) <= 2 * UNIT_BYTES
    assert max(listed for _, listed in sizes) <= UNIT_BYTES, sizes


def item_bytes(item: Item) -> int:
    """Return the size by which DynamoDB bills an item: names and values, in UTF-8."""
    return sum(len(name.encode()) + _value_bytes(value) for name, value in to_attributes(item).items())


def _value_bytes(attribute: dict[str, Any]) -> int:
    ((kind, value),) = attribute.items()
    match kind:
        case "S":
            return len(value.encode())
        case "N":
            return len(value.lstrip("-")) // 2 + 2
        case "SS":
            return sum(len(text.encode()) for text in value)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value_bytes(one) for name, one in value.items())
        case "L":
            return 3 + sum(1 + _value_bytes(one) for one in value)
    return 1


def test_full_keys_of_an_earlier_release_are_recognized(jobs: Jobs) -> None:
    """The conditions of the job's next changes recognize them too."""
    job = waiting(jobs)
    whole = storage_key(job.company_id, job.job_id, "confirmed-1.json")
    key = job_key(job.company_id, job.job_id)
    jobs._items.change(key, {"status": "inserting", "confirmed_key": whole, "arrived": {"x"}})
    found = jobs.find(job.company_id, job.job_id)
    assert found
    assert found.confirmed_key == whole
    assert jobs.report_progress(found, JobProgress(phase="inserting", percent=1))


def test_only_the_token_that_was_sent_is_removed(jobs: Jobs) -> None:
    job = waiting(jobs)
    confirm(jobs, job)
    jobs.forget_token(replace(job, task_token="token 0"))
    jobs.forget_token(replace(job, task_token="token 1"))
    found = jobs.find(job.company_id, job.job_id)
    assert found
    assert found.task_token is None


def test_a_rejected_job_keeps_a_bounded_error_and_its_progress(jobs: Jobs) -> None:
    job = waiting(jobs)
    job = confirm(jobs, job) or job
    rejected = jobs.reject(job, ERROR)
    assert rejected
    assert rejected.error
    assert (rejected.status, rejected.progress) == ("inserting", job.progress)
    assert len(rejected.error["details"]) == 20
    assert rejected.error["details"][0] == {"line": 3, "value": "é" * MAX_DETAIL_CHARACTERS, "sheet": None}


def test_a_run_of_an_earlier_confirmation_changes_nothing(jobs: Jobs) -> None:
    """After a rejection and a new confirmation, a late run of the first confirmation is ignored."""
    job = waiting(jobs)
    first = confirm(jobs, job)
    assert first
    jobs.reject(first, ERROR)
    key = {"pk": f"COMPANY#{job.company_id}", "sk": f"JOB#{job.job_id}"}
    jobs._items.change(key, {"status": "waiting_confirm"})
    again = jobs.find(job.company_id, job.job_id)
    assert again
    second = jobs.confirm(again, confirmed_key="key 2", digest="d", reserved_table_id="t2")
    assert second
    assert jobs.fail(first, ERROR) is None
    assert jobs.reject(first, ERROR) is None
    assert jobs.complete(first, "t", LoadResult(1)) is None
    assert not jobs.report_progress(first, JobProgress(phase="inserting", percent=1))
    found = jobs.find(job.company_id, job.job_id)
    assert found
    assert (found.status, found.error, found.confirmations) == ("inserting", None, 2)
    assert found.progress == inserting_progress(0, 0)
    assert jobs.complete(second, "t2", LoadResult(1))


def test_a_confirmation_of_an_earlier_analysis_is_refused(jobs: Jobs) -> None:
    """The confirmed columns are those of an analysis that has since been replaced."""
    job = waiting(jobs)
    key = {"pk": f"COMPANY#{job.company_id}", "sk": f"JOB#{job.job_id}"}
    jobs._items.change(key, {"analysis_key": "another analysis"})
    assert confirm(jobs, job) is None


def test_of_two_simultaneous_analyses_the_first_to_end_is_recorded(jobs: Jobs) -> None:
    job = a_job()
    jobs.create(job)
    first = jobs.begin_analysis(job.company_id, job.job_id)
    second = jobs.begin_analysis(job.company_id, job.job_id)
    assert first
    assert second
    assert jobs.record_analysis(second, analysis_key="a2", staged_key="s2")
    assert jobs.record_analysis(first, analysis_key="a1", staged_key="s1") is None
    found = jobs.find(job.company_id, job.job_id)
    assert found
    assert (found.analysis_key, found.staged_key) == ("a2", "s2")


def kept(jobs: Jobs, job: JobRecord) -> JobRecord:
    """Return the job as it is recorded now."""
    found = jobs.find(job.company_id, job.job_id)
    assert found
    return found


def in_status(jobs: Jobs, status: JobStatus, **members: object) -> JobRecord:
    """Return a job in this status, however it came there."""
    job = a_job(**members)
    jobs.create(job)
    jobs._items.change(job_key(job.company_id, job.job_id), {"status": status, "task_token": "token 1"})
    return kept(jobs, job)


ACTIVE: tuple[JobStatus, ...] = ("queued", "analisando", "waiting_confirm", "inserting")
STATUSES: tuple[JobStatus, ...] = (*ACTIVE, "done", "failed")
STEPS: dict[str, tuple[Callable[[Jobs, JobRecord], object], set[str]]] = {
    "mark_arrived": (lambda jobs, job: jobs.mark_arrived(job, 0, 1), {"queued"}),
    "begin_analysis": (
        lambda jobs, job: jobs.begin_analysis(job.company_id, job.job_id),
        {"queued", "analisando"},
    ),
    "record_analysis": (
        lambda jobs, job: jobs.record_analysis(job, analysis_key="a", staged_key="s"),
        {"analisando"},
    ),
    "reanalyze": (
        lambda jobs, job: jobs.reanalyze(job, wish_key="w", digest="d", recipe_key=None),
        {"waiting_confirm"},
    ),
    "keep_analysis": (lambda jobs, job: jobs.keep_analysis(job, ERROR), {"analisando"}),
    "confirm": (confirm, {"waiting_confirm"}),
    "retarget": (lambda jobs, job: jobs.retarget(job, "append", "t"), {"analisando"}),
    "keep_token": (
        lambda jobs, job: jobs.keep_token(job.company_id, job.job_id, "token 2"),
        {"inserting", "analisando"},
    ),
    "report_progress": (
        lambda jobs, job: jobs.report_progress(job, JobProgress(phase="done", percent=100)),
        {"analisando", "inserting"},
    ),
    "reject": (lambda jobs, job: jobs.reject(job, ERROR), {"inserting"}),
    "complete": (lambda jobs, job: jobs.complete(job, "t", LoadResult(1)), set(ACTIVE)),
    "fail": (lambda jobs, job: jobs.fail(job, ERROR), set(ACTIVE)),
    "expire": (lambda jobs, job: jobs.fail(job, ERROR, unless_arrived=1), {"queued"}),
    "record_undone": (lambda jobs, job: jobs.record_undone(job), {"done"}),
}


@pytest.mark.parametrize("step", STEPS)
def test_a_step_is_taken_from_its_own_statuses_alone(jobs: Jobs, step: str) -> None:
    take, statuses = STEPS[step]
    taken = {status for status in STATUSES if take(jobs, in_status(jobs, status))}
    assert taken == statuses


def test_a_job_that_nobody_is_asked_about_is_confirmed_as_soon_as_it_is_analyzed(jobs: Jobs) -> None:
    for status in STATUSES:
        job = in_status(jobs, status, intake=Intake("vendas", "append", auto_confirm=True))
        confirmed = confirm(jobs, job, waiting="analisando")
        assert (confirmed is not None) is (status == "analisando")


def test_files_are_read_anew_as_a_person_states(jobs: Jobs) -> None:
    job = waiting(jobs)
    jobs.reject(confirm(jobs, job) or job, ERROR)
    jobs._items.change(job_key(job.company_id, job.job_id), {"status": "waiting_confirm"})
    rejected = kept(jobs, job)
    overrides = storage_key(job.company_id, job.job_id, "wish.json")
    stated = jobs.reanalyze(rejected, wish_key=overrides, digest="d", recipe_key=None)
    assert stated
    assert (stated.status, stated.wish_key, stated.wish_digest) == ("analisando", overrides, "d")
    assert (stated.error, stated.task_token, stated.analysis_key) == (None, "token 1", "analysis")
    assert jobs.record_analysis(rejected, analysis_key="a2", staged_key="s2") is None  # knows no overrides
    read = jobs.record_analysis(stated, analysis_key="a2", staged_key="s2", digests=["x", "y"])
    assert read
    assert (read.wish_key, read.analysis_key, read.digests) == (None, "a2", ("x", "y"))
    assert jobs.keep_analysis(stated, ERROR) is None


def test_an_analysis_holds_where_reading_anew_was_given_up(jobs: Jobs) -> None:
    job = waiting(jobs)
    stated = jobs.reanalyze(job, wish_key="wish", digest="d", recipe_key=None)
    assert stated
    held = jobs.keep_analysis(stated, ERROR)
    assert held
    assert (held.status, held.wish_key, held.analysis_key) == ("analisando", None, "analysis")
    assert held.error
    assert held.error["code"] == "X"


def test_of_two_wishes_for_one_analysis_the_first_is_read(jobs: Jobs) -> None:
    job = waiting(jobs)
    key = job_key(job.company_id, job.job_id)
    jobs._items.change(key, {"analysis_key": "another analysis"})
    assert jobs.reanalyze(job, wish_key="wish", digest="d", recipe_key=None) is None
    assert jobs.reanalyze(kept(jobs, job), wish_key="wish", digest="d", recipe_key=None)


def test_a_new_token_stays_where_the_old_one_is_forgotten(jobs: Jobs) -> None:
    for status in ("inserting", "analisando"):
        job = in_status(jobs, status)  # type: ignore[arg-type]
        assert jobs.keep_token(job.company_id, job.job_id, "token 2")
        jobs.forget_token(job)
        assert kept(jobs, job).task_token == "token 2"
        jobs.forget_token(kept(jobs, job))
        assert kept(jobs, job).task_token is None
    waits = in_status(jobs, "waiting_confirm")
    jobs.forget_token(waits)
    assert kept(jobs, waits).task_token == "token 1"


def test_rows_that_are_committed_are_no_error(jobs: Jobs) -> None:
    """A run found misfits while another one's rows were on their way."""
    job = jobs.reject(in_status(jobs, "inserting"), ERROR)
    assert job
    assert job.is_rejected
    done = jobs.complete(job, "5" * 24, LoadResult(1))
    assert done
    assert (done.error, done.task_token, done.progress) == (None, None, None)


class Ends:
    """Takes what ends, or not."""

    def __init__(self, items: Any, *, takes: bool) -> None:
        self.told: list[str] = []
        self.takes = takes
        self.jobs = Jobs(items, 3, self.tell)

    def tell(self, job: JobRecord) -> bool:
        self.told.append(job.job_id)
        return self.takes

    def left(self) -> list[tuple[str, bool, bool]]:
        """Return the jobs that the sweep sees, and whether each is to be announced and cleared."""
        return [(job.job_id, job.unannounced, job.uncleared) for job in self.jobs.scan_unfinished()]


CANCELLED, GONE = (JobError(kind).as_record() for kind in (JOB_CANCELLED, FILES_GONE))


def test_an_end_is_told_once_it_is_recorded_and_kept_for_days(services: Services) -> None:
    ends = Ends(services.items, takes=True)
    job = in_status(ends.jobs, "inserting")
    ended = ends.jobs.fail(job, GONE)
    assert ended
    assert ended.is_terminal
    assert ends.told == [job.job_id]
    assert ends.left() == []
    item = services.items.find(job_key(job.company_id, job.job_id)) or {}
    assert 0 <= item["ttl"] - (time.time() + 3 * 86_400) + 60 < 120
    assert "active_pk" not in item
    assert not kept(ends.jobs, job).unannounced


def test_an_end_that_nobody_took_is_told_again(services: Services) -> None:
    ends = Ends(services.items, takes=False)
    job = in_status(ends.jobs, "inserting")
    ended = ends.jobs.complete(job, "5" * 24, LoadResult(1))
    assert ended
    assert ends.left() == [(job.job_id, True, False)]
    assert not ends.jobs.announce(ended)
    ends.jobs.leave_index(ended)
    assert ends.left() == [(job.job_id, True, False)]
    ends.takes = True
    assert ends.jobs.announce(ended)
    assert ends.left() == []
    assert ends.told == [job.job_id] * 3


@pytest.mark.parametrize("cleared_first", [True, False])
def test_a_cancelled_job_is_seen_until_it_is_told_and_cleared(
    services: Services, cleared_first: bool
) -> None:
    ends = Ends(services.items, takes=False)
    job = in_status(ends.jobs, "inserting")
    ended = ends.jobs.fail(job, CANCELLED)
    assert ended
    assert ended.is_cancelled
    ends.jobs.leave_index(ended)
    assert ends.left() == [(job.job_id, True, True)]
    ends.takes = True
    if cleared_first:
        ends.jobs.mark_cleared(ended)
        assert ends.left() == [(job.job_id, True, False)]
        assert ends.jobs.announce(ended)
    else:
        assert ends.jobs.announce(ended)
        ends.jobs.leave_index(ended)
        assert ends.left() == [(job.job_id, False, True)]
        ends.jobs.mark_cleared(ended)
    assert ends.left() == []


def test_a_record_that_is_gone_by_now_is_not_made_again(services: Services) -> None:
    ends = Ends(services.items, takes=True)
    job = a_job()
    assert ends.jobs.announce(job)
    ends.jobs.mark_cleared(job)
    ends.jobs.leave_index(job)
    assert services.items.find(job_key(job.company_id, job.job_id)) is None


def test_an_ended_job_without_anything_left_leaves_the_index(jobs: Jobs) -> None:
    job = in_status(jobs, "done")
    assert [one.job_id for one in jobs.scan_unfinished()] == [job.job_id]
    assert list(jobs.list_active(job.company_id)) == []
    jobs.leave_index(job)
    assert list(jobs.scan_unfinished()) == []


@pytest.mark.parametrize(
    ("processed", "total", "shown"),
    [
        (0, 0, (0, 0)),
        (0, 10, (0, 0)),
        (1, 3, (1, 33)),
        (10, 10, (10, 99)),
        (12, 10, (10, 99)),
        (99, 100, (99, 99)),
    ],
)
def test_progress_is_below_a_hundred_until_rows_are_committed(
    processed: int, total: int, shown: tuple[int, int]
) -> None:
    rows, percent = shown
    wanted = JobProgress(phase="inserting", processed_rows=rows, total_rows=total, percent=percent)
    assert inserting_progress(processed, total) == wanted


def test_a_recorded_error_says_how_many_details_there_were() -> None:
    assert bounded_error(ERROR)["details_total"] == 30
    assert bounded_error({**ERROR, "details_total": 500})["details_total"] == 500


def test_an_item_holds_keys_without_what_its_ids_say(services: Services) -> None:
    job = a_job(files=1)
    services.jobs.create(job)
    services.jobs.mark_arrived(job, 0, 5)
    item = services.items.find(job_key(job.company_id, job.job_id)) or {}
    assert item["files"][0]["storage_path"] == "./00.csv"
    assert item["arrived"] == {"./00.csv"}
    own = storage_key(job.company_id, job.job_id, "analysis.json")
    assert shorten_key(job.company_id, job.job_id, own) == "./analysis.json"
    assert shorten_key(job.company_id, new_record_id(), own) == own


def test_a_job_is_overdue_once_its_time_is_over_and_files_are_missing() -> None:
    job = a_job(files=1)
    before, after = "2026-01-15T10:29:59.999Z", "2026-01-15T10:30:00.001Z"
    assert [job.is_overdue(now) for now in (before, job.expires_at, after)] == [False, True, True]
    assert not replace(job, arrived=frozenset({"./00.csv"})).is_overdue(after)
    assert not replace(job, status="analisando").is_overdue(after)


def test_an_inbox_job_is_read_as_it_was_written(jobs: Jobs) -> None:
    job = a_job(intake=Intake("vendas", "upsert", auto_confirm=True))
    jobs.create(job)
    assert kept(jobs, job) == job
    done = jobs.complete(job, "5" * 24, LoadResult(1, 2, 3, 4, 5))
    assert done
    assert done.result == LoadResult(1, 2, 3, 4, 5)


def test_a_record_that_cannot_be_read_is_told_after_the_others(jobs: Jobs) -> None:
    """A later release's, or what somebody's hand has made, keeps no other job from its end."""
    broken, other = a_job(), a_job()
    jobs.create(broken)
    jobs.create(other)
    jobs._items.change(job_key(broken.company_id, broken.job_id), {"files": "none"})
    found: list[JobRecord] = []
    with pytest.raises(UnreadableJobs, match=broken.job_id):
        found.extend(jobs.scan_unfinished())
    assert [job.job_id for job in found] == [other.job_id]
