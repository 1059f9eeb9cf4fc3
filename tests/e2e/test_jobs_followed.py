"""Jobs on the deployed stack: listed, followed, cancelled, and ended with their table."""

import json
from pathlib import Path
from typing import Any

from client import Console, open_storage, until

CSV = "produto;valor\nCafé;1,50\nPão;2,00\n"
LIMIT_SECONDS = 60.0


def keys_of(stack_file: Path, job_id: str) -> list[str]:
    """Return every key of the bucket that belongs to the job."""
    facts = json.loads(stack_file.read_text())
    s3 = open_storage(facts)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=facts["bucket_name"])
    return [one["Key"] for page in pages for one in page.get("Contents", []) if job_id in one["Key"]]


def test_a_job_is_cancelled_while_it_waits(company: Console, stack_file: Path) -> None:
    """Its files are gone, its record says why it ended, and its name is free."""
    job = company.analyzed({"vendas.csv": CSV})
    assert keys_of(stack_file, job["_id"])
    assert company.call("DELETE", f"/upload-jobs/{job['_id']}").status == 204
    ended = company.job(job["_id"])
    assert (ended["status"], ended["error"]["code"], ended["progress"]) == ("failed", "JOB_CANCELLED", None)
    assert keys_of(stack_file, job["_id"]) == []
    assert company.confirm(job).status == 400
    assert company.loaded({"vendas.csv": CSV})["result"]["inserted"] == 2


def test_a_job_is_cancelled_while_inserting_or_it_is_too_late(company: Console) -> None:
    """Either way, the answer, the record and the table agree."""
    rows = "".join(f"{number};1,5\n" for number in range(150_000))
    job = company.analyzed({"muitas.csv": f"numero;valor\n{rows}"})
    assert company.confirm(job).status == 200
    answer = company.call("DELETE", f"/upload-jobs/{job['_id']}")
    tables = {table["display_name"]: table["row_count"] for table in company.ok("GET")["records"]}
    ended = company.job(job["_id"])
    if answer.status == 204:
        assert (ended["status"], ended["error"]["code"], tables) == ("failed", "JOB_CANCELLED", {})
    else:
        assert (answer.status, answer.code) == (400, "JOB_FINISHED")
        assert (ended["status"], tables) == ("done", {"muitas": 150_000})


def test_the_history_has_every_job_with_its_result(company: Console) -> None:
    done = company.loaded({"vendas.csv": CSV})
    waiting = company.analyzed({"vendas.csv": CSV}, done["user_table_id"])
    assert "SAME_FILE" in {warning["code"] for warning in waiting["warnings"]}
    found = company.ok("GET", "/upload-jobs")
    assert (found["total"], found["quantity"]) == (2, 2)
    assert [job["_id"] for job in found["records"]] == [waiting["_id"], done["_id"]]
    [only] = company.ok("GET", "/upload-jobs", params={"status": "done"})["records"]
    assert {**only["result"], "seconds": 0} == {
        "inserted": 2,
        "updated": 0,
        "unchanged": 0,
        "rejected": 0,
        "seconds": 0,
    }
    assert company.call("DELETE", f"/upload-jobs/{done['_id']}").code == "JOB_FINISHED"


def test_deleting_a_table_ends_the_jobs_waiting_for_it(company: Console) -> None:
    table_id = company.loaded({"vendas.csv": CSV})["user_table_id"]
    waiting = company.analyzed({"vendas.csv": CSV}, table_id)
    company.ok("DELETE", f"/{table_id}")

    def ended() -> dict[str, Any] | None:
        job = company.job(waiting["_id"])
        return job if job["status"] == "failed" else None

    assert until(ended, LIMIT_SECONDS)["error"]["code"] == "TABLE_GONE"
