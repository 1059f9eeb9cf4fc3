"""All jobs of a company: listed, filtered and followed, with their source."""

from pathlib import Path
from typing import Any

import pytest
from loading_jobs import JobMaker, column
from starlette.testclient import TestClient
from upload_flow import BASE, arrive, confirm, declare, headers, record, s3_event, waiting_job

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.items import Items
from managed_tables.ids import new_record_id
from managed_tables_analyze import handler as analyzing
from managed_tables_api.app import create_app
from managed_tables_api.services import ApiServices
from managed_tables_ingest.handler import read_arrivals, take_object
from managed_tables_insert.handler import run_job

ERROR = {"code": "X", "message": "x", "details": []}
SCHEMA = [column("n", "integer")]


@pytest.fixture
def maker(api: ApiServices, company: ConnectionRecord, tmp_path: Path) -> JobMaker:
    return JobMaker(api, company, tmp_path)


def history(client: TestClient, **query: Any) -> tuple[int, list[str]]:
    """Return the number of jobs, and the page's ids."""
    answer = client.get(f"{BASE}/upload-jobs", params=query).json()
    assert answer["quantity"] == len(answer["records"])
    return answer["total"], [job["_id"] for job in answer["records"]]


def job_of(client: TestClient, job_id: str) -> dict[str, Any]:
    shown: dict[str, Any] = client.get(f"{BASE}/upload-jobs/{job_id}").json()
    return shown


def test_all_jobs_are_listed_newest_first_in_pages(
    api: ApiServices, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ended jobs are included; an index is used, not a scan."""
    monkeypatch.setattr(Items, "scan", None)
    monkeypatch.setattr(Items, "scan_index", None)
    made = [declare(client).json()["job_id"] for _ in range(5)]
    api.jobs.fail(record(api, client, made[0]), ERROR)
    newest_first = made[::-1]
    assert history(client) == (5, newest_first)
    assert history(client, page=2, per_page=2) == (5, newest_first[2:4])
    assert history(client, page=4, per_page=2) == (5, [])
    whole = client.get(f"{BASE}/upload-jobs").json()["records"]
    assert whole[-1] == job_of(client, made[0])
    stranger = TestClient(create_app(api), headers=headers(api, new_record_id()))
    assert history(stranger) == (0, [])


@pytest.mark.parametrize(
    "query",
    [{"status": "esperando"}, {"table_id": "x"}, {"per_page": 101}, {"page": 0}, {"situacao": "done"}],
)
def test_an_invalid_filter_is_422(client: TestClient, query: dict[str, Any]) -> None:
    assert client.get(f"{BASE}/upload-jobs", params=query).status_code == 422


def test_jobs_are_found_by_status_and_table(client: TestClient, maker: JobMaker) -> None:
    first = maker.inserting([["1"]], SCHEMA)
    run_job(maker.services, maker.company.company_id, first)
    table_id = job_of(client, first)["user_table_id"]
    second = declare(client, f"/{table_id}/upload").json()["job_id"]
    third = declare(client).json()["job_id"]
    assert history(client, table_id=table_id.upper()) == (2, [second, first])
    assert history(client, status="queued") == (2, [third, second])
    assert history(client, status="done", table_id=table_id) == (1, [first])
    assert history(client, status="failed") == (0, [])


def test_jobs_of_the_inbox_are_listed_with_their_errors(
    api: ApiServices, client: TestClient, company: ConnectionRecord
) -> None:
    """Nobody is asked about them, so this is where a company finds out."""
    uploaded = declare(client).json()["job_id"]
    key = f"inbox/{company.company_id}/vendas.csv"
    put = api.s3.put_object(
        Bucket=api.settings.bucket_name, Key=key, Body=b"a;b\n1;2\n", Metadata={"mode": "merge"}
    )
    (arrival,) = read_arrivals(s3_event(key, 8, eTag=put["ETag"].strip('"')))
    take_object(api, arrival)
    shown = client.get(f"{BASE}/upload-jobs").json()["records"]
    origins = {one["_id"]: (one["origin"], one["status"]) for one in shown}
    assert origins == {arrival.event_id: ("inbox", "failed"), uploaded: ("upload", "queued")}
    (failed,) = (one for one in shown if one["origin"] == "inbox")
    assert failed["error"]["code"] == "INBOX_METADATA_INVALID"


def test_a_job_that_is_done_has_its_result(client: TestClient, maker: JobMaker) -> None:
    job_id = maker.inserting([["1"], ["2"]], SCHEMA)
    assert job_of(client, job_id)["result"] is None
    run_job(maker.services, maker.company.company_id, job_id)
    job = job_of(client, job_id)
    seconds = job["result"].pop("seconds")
    assert job["result"] == {"inserted": 2, "updated": 0, "unchanged": 0, "rejected": 0}
    assert 0 <= seconds < 60
    done = {"phase": "done", "percent": 100, "processed_rows": 2, "total_rows": 2}
    assert (job["progress"], job["expires_at"]) == (done, None)


def test_progress_goes_through_every_phase(
    api: ApiServices, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [("files", (f"{name}.csv", b"n\n1\n2\n")) for name in "ab"]
    job_id = client.post(f"{BASE}/upload", files=files).json()["job_id"]
    receiving = {"phase": "receiving", "percent": 0, "received_files": 0, "total_files": 2}
    assert job_of(client, job_id)["progress"] == receiving
    seen: list[Any] = []
    reported, job = type(api.jobs).report_progress, record(api, client, job_id)

    def noted(*arguments: Any) -> bool:
        kept = reported(*arguments)
        seen.append(job_of(client, job_id)["progress"])
        return kept

    monkeypatch.setattr(type(api.jobs), "report_progress", noted)
    monkeypatch.setattr("managed_tables.catalog.job_records.PROGRESS_SECONDS", 0)
    analyzing.analyze_job(api, job.company_id, job_id)
    assert seen == [
        *({"phase": "reading", "percent": percent} for percent in (10, 20, 20, 60, 60, 100)),
        *({"phase": "inferring", "percent": percent} for percent in (0, 55, 70, 85)),
    ]
    arrive(api, client, job_id)  # too late to change anything
    assert job_of(client, job_id)["progress"]["phase"] == "inferring"


def test_progress_and_expiry_of_a_job_that_waits(api: ApiServices, client: TestClient) -> None:
    job_id = waiting_job(api, client)
    job = job_of(client, job_id)
    assert job["progress"] == {"phase": "waiting", "percent": 100}
    assert job["expires_at"] == record(api, client, job_id).expires_at
    confirm(client, job_id)
    job = job_of(client, job_id)
    begun = {"phase": "inserting", "processed_rows": 0, "total_rows": 1, "percent": 0}
    assert (job["progress"], job["expires_at"]) == (begun, None)
    failed = declare(client).json()["job_id"]
    api.jobs.fail(record(api, client, failed), ERROR)
    assert job_of(client, failed)["progress"] is None
