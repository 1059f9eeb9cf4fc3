"""The jobs' records: every change of status is conditional on the previous one."""

from dataclasses import replace
from typing import Any

import pytest

from managed_tables.aws.storage import ANALYSIS, STAGED_OBJECT, attempt_key, confirmed_name, upload_key
from managed_tables.aws.storage import job_key as storage_key
from managed_tables.catalog.items import ConditionFailed, Item, to_attributes
from managed_tables.catalog.job_records import inserting_progress
from managed_tables.catalog.jobs import MAX_DETAIL_CHARACTERS, JobFile, JobRecord, Jobs, LoadResult
from managed_tables.catalog.keys import job_key
from managed_tables.clock import timestamp
from managed_tables.ids import new_record_id
from managed_tables.services import Services

UNIT_BYTES = 1_024
ERROR = {"code": "X", "message": "x", "details": [{"line": 3, "value": "é" * 1_000, "sheet": None}] * 30}


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
            JobFile(f"{number}.csv", upload_key(company_id, job_id, number, "csv"), 10, "text/csv")
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


def confirm(jobs: Jobs, job: JobRecord, digest: str = "d") -> JobRecord | None:
    return jobs.confirm(job, confirmed_key="key", digest=digest, reserved_table_id="t")


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
    assert jobs.count_active(read.company_id, 10) == 1
    assert jobs.find_all(read.company_id, [odd.job_id, read.job_id]) == [read]


def test_another_companys_job_is_not_found(jobs: Jobs) -> None:
    job = a_job()
    jobs.create(job)
    assert jobs.find(new_record_id(), job.job_id) is None


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


def test_a_file_that_arrives_late_changes_nothing(jobs: Jobs) -> None:
    job = a_job()
    jobs.create(job)
    assert jobs.fail(job, ERROR)
    assert jobs.mark_arrived(job, 0, 10) is None


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


def test_the_active_jobs_of_a_company_are_listed_newest_first_until_they_end(jobs: Jobs) -> None:
    first = a_job()
    second = replace(a_job(), company_id=first.company_id)
    for job in (first, second, a_job()):
        jobs.create(job)
    assert [job.job_id for job in jobs.list_active(first.company_id)] == [second.job_id, first.job_id]
    assert len(list(jobs.scan_unfinished())) == 3
    jobs.fail(first, ERROR)
    assert [job.job_id for job in jobs.list_active(first.company_id)] == [second.job_id]


def test_a_job_goes_from_queued_to_done(jobs: Jobs) -> None:
    job = waiting(jobs)
    assert (job.analysis_key, job.task_token) == ("analysis", "token 1")
    confirmed = confirm(jobs, job)
    assert confirmed
    assert (confirmed.status, confirmed.task_token) == ("inserting", "token 1")
    job = confirmed
    progress = {"phase": "copying", "processed_rows": 5, "total_rows": 10, "percent": 50}
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
    file = JobFile("Relatório de vendas, março de 2026 (final).xlsx", path, 98_765_432, WORKBOOK)
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
    assert jobs.report_progress(found, {"percent": 1})


def test_of_two_confirmations_one_is_accepted(jobs: Jobs) -> None:
    job = waiting(jobs)
    assert confirm(jobs, job, "a")
    assert confirm(jobs, job, "b") is None
    found = jobs.find(job.company_id, job.job_id)
    assert found
    assert found.confirmed_digest == "a"


def test_only_the_token_that_was_sent_is_removed(jobs: Jobs) -> None:
    job = waiting(jobs)
    confirm(jobs, job)
    jobs.forget_token(replace(job, task_token="token 0"))
    jobs.forget_token(replace(job, task_token="token 1"))
    found = jobs.find(job.company_id, job.job_id)
    assert found
    assert found.task_token is None


def test_a_rejected_job_keeps_a_bounded_error(jobs: Jobs) -> None:
    job = waiting(jobs)
    job = confirm(jobs, job) or job
    rejected = jobs.reject(job, ERROR)
    assert rejected
    assert rejected.error
    assert rejected.status == "inserting"
    assert len(rejected.error["details"]) == 20
    assert rejected.error["details"][0] == {"line": 3, "value": "é" * MAX_DETAIL_CHARACTERS, "sheet": None}


def test_analysis_of_an_ended_job_does_not_start(jobs: Jobs) -> None:
    job = a_job()
    jobs.create(job)
    assert jobs.begin_analysis(job.company_id, job.job_id)
    assert jobs.begin_analysis(job.company_id, job.job_id)
    jobs.fail(job, ERROR)
    assert jobs.begin_analysis(job.company_id, job.job_id) is None


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
    assert not jobs.report_progress(first, {"percent": 1})
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
