"""How jobs are shown, and how arriving files advance them."""

from collections import Counter
from typing import Any

import pytest
from botocore.exceptions import ClientError
from starlette.testclient import TestClient
from upload_flow import (
    ANALYSIS_DOCUMENT,
    BASE,
    PRODUTO,
    arrive,
    confirm,
    declare,
    error_of,
    record,
    status_of,
    waiting_job,
)

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.job_records import JobRecord, UploadedFile
from managed_tables.clock import timestamp
from managed_tables.ids import new_record_id
from managed_tables.object_keys import ANALYSIS, job_key
from managed_tables_api.services import ApiServices
from managed_tables_ingest.handler import take_arrival


def test_a_job_whose_files_do_not_arrive_fails_when_it_is_polled(
    api: ApiServices, client: TestClient
) -> None:
    api.settings = api.settings.model_copy(update={"upload_expires_seconds": 0})
    first, second = (declare(client).json()["job_id"] for _ in range(2))
    job = client.get(f"{BASE}/upload-jobs/{first}").json()
    assert (job["status"], job["error"]["code"]) == ("failed", "UPLOAD_EXPIRED")
    assert client.get(f"{BASE}/upload-jobs/active").json() == {"records": []}
    assert status_of(client, second) == "failed"


def test_active_jobs_are_listed_newest_first_with_their_schemas(api: ApiServices, client: TestClient) -> None:
    waiting, queued = waiting_job(api, client), declare(client).json()["job_id"]
    records = client.get(f"{BASE}/upload-jobs/active").json()["records"]
    assert [job["_id"] for job in records] == [queued, waiting]
    assert [job["inferred_schema"] for job in records] == [None, ANALYSIS_DOCUMENT["inferred_schema"]]


def test_a_job_is_polled_by_fields_and_tags(api: ApiServices, client: TestClient) -> None:
    job_id = waiting_job(api, client)
    url = f"{BASE}/upload-jobs/{job_id}"
    polled = client.get(url, params={"fields": "status,progress,error,updated_at"})
    assert set(polled.json()) == {"status", "progress", "error", "updated_at"}
    assert set(client.get(url, params={"fields": "inferred_schema"}).json()) == {"inferred_schema"}
    for address in (url, f"{BASE}/upload-jobs/active", f"{url}?fields=status"):
        first = client.get(address)
        again = client.get(address, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    before = client.get(url).headers["etag"]
    confirm(client, job_id)
    assert client.get(url, headers={"If-None-Match": before}).status_code == 200


def test_an_unknown_field_of_a_job_is_named(client: TestClient) -> None:
    job_id = declare(client).json()["job_id"]
    response = client.get(f"{BASE}/upload-jobs/{job_id}", params={"fields": "status,password"})
    [detail] = error_of(response, 422, "INVALID_REQUEST")["details"]
    assert (detail["in"], detail["path"], detail["code"]) == ("query", "fields", "UNKNOWN_FIELD")
    assert "password" in detail["reason"]


def test_numbers_of_a_job_are_text_on_request(
    api: ApiServices, client: TestClient, company: ConnectionRecord
) -> None:
    key = job_key(company.company_id, "shared", ANALYSIS)
    schema = {**ANALYSIS_DOCUMENT["inferred_schema"], "sample_rows": [{"produto": 9007199254740993}]}
    api.storage.put_json(key, {**ANALYSIS_DOCUMENT, "inferred_schema": schema})
    put_waiting_job(api, company, key)
    [job] = client.get(f"{BASE}/upload-jobs/active", params={"numbers": "string"}).json()["records"]
    assert job["inferred_schema"]["sample_rows"] == [{"produto": "9007199254740993"}]
    one = client.get(f"{BASE}/upload-jobs/{job['_id']}", params={"numbers": "string"}).json()
    assert one["inferred_schema"]["sample_rows"] == [{"produto": "9007199254740993"}]
    plain = client.get(f"{BASE}/upload-jobs/{job['_id']}").json()
    assert plain["inferred_schema"]["sample_rows"] == [{"produto": 9007199254740993}]


def test_the_list_of_active_jobs_is_cut_if_too_large(
    api: ApiServices, client: TestClient, company: ConnectionRecord
) -> None:
    """The oldest lose their schema, then are left out; it never becomes an error."""
    key = job_key(company.company_id, "shared", ANALYSIS)
    grounds = {"confidence": 1.0, "evidence": "x" * 100, "exceptions": [], "warnings": [], "alternatives": []}
    columns = [{**PRODUTO, "name": f"c{number}", "inference": grounds} for number in range(60)]
    schema = {
        **ANALYSIS_DOCUMENT["inferred_schema"],
        "columns": columns,
        "sample_rows": [{"c0": "y" * 2_000}],
    }
    api.storage.put_json(key, {**ANALYSIS_DOCUMENT, "inferred_schema": schema})
    for _ in range(40):
        put_waiting_job(api, company, key)
    newest = client.get(f"{BASE}/upload-jobs/active").json()["records"]
    one = len(client.get(f"{BASE}/upload-jobs/{newest[0]['_id']}").content)
    forms = {}
    for share in (100, 80, 50, 15, 3):
        api.settings = api.settings.model_copy(update={"response_max_bytes": 40 * one * share // 100 + 100})
        answer = client.get(f"{BASE}/upload-jobs/active")
        assert answer.status_code == 200
        assert len(answer.content) <= api.settings.response_max_bytes
        records = answer.json()["records"]
        assert [job["_id"] for job in records] == [job["_id"] for job in newest][: len(records)]
        forms[share] = Counter(map(form, records))
        assert list(map(form, records)) == sorted(map(form, records))
    assert forms[100] == {FULL: 40}
    assert forms[80].keys() == forms[50].keys() == forms[15].keys() == {FULL, BARE}
    assert forms[3].keys() == {BARE}
    assert forms[3].total() < 40
    assert client.get(f"{BASE}/upload-jobs/{newest[-1]['_id']}").json()["inferred_schema"] == schema


FULL, BARE = range(2)


def form(job: dict[str, Any]) -> int:
    """Return how complete a job's answer is."""
    return BARE if job["inferred_schema"] is None else FULL


def put_waiting_job(api: ApiServices, company: ConnectionRecord, analysis_key: str) -> None:
    job_id = new_record_id()
    file = UploadedFile("a.csv", f"uploads/{company.company_id}/{job_id}/00.csv", 5, "text/csv")
    now = timestamp()
    api.jobs.create(
        JobRecord(
            company.company_id,
            job_id,
            company.company_id,
            "create",
            "waiting_confirm",
            (file,),
            now,
            now,
            now,
        )
    )
    key = {"pk": f"COMPANY#{company.company_id}", "sk": f"JOB#{job_id}"}
    api.items.change(key, {"analysis_key": analysis_key})


def test_a_job_outlives_its_documents(
    api: ApiServices, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bucket's lifecycle deletes them: the job is shown without its schema, and other jobs are shown."""
    gone, kept = waiting_job(api, client), waiting_job(api, client)
    api.storage.delete(record(api, client, gone).analysis_key or "")
    for _ in range(2):
        api.__dict__.pop("job_documents", None)  # a process that has not seen it before
        job = client.get(f"{BASE}/upload-jobs/{gone}")
        assert (job.status_code, job.json()["inferred_schema"]) == (200, None)
        records = client.get(f"{BASE}/upload-jobs/active").json()["records"]
        assert [(job["_id"], job["inferred_schema"] is None) for job in records] == [
            (kept, False),
            (gone, True),
        ]
        # S3's answer on AWS, where nobody may list the bucket
        missing = ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        denied = ClientError({"Error": {"Code": "AccessDenied"}}, "GetObject")
        get_object = api.s3.get_object
        monkeypatch.setattr(api.s3, "get_object", _raising(get_object, missing, denied))
    error_of(confirm(client, gone), 400, "JOB_ANALYSIS_GONE")
    assert status_of(client, gone) == "waiting_confirm"


def _raising(get_object: Any, missing: ClientError, instead: ClientError) -> Any:
    code = missing.response["Error"]["Code"]

    def get(**what: Any) -> Any:
        try:
            return get_object(**what)
        except ClientError as error:
            raise (instead if error.response["Error"]["Code"] == code else error) from error

    return get


def test_the_last_arrival_starts_the_execution_once(api: ApiServices, client: TestClient) -> None:
    files = [{"name": "a.csv", "size_bytes": 3}, {"name": "b.csv", "size_bytes": 4}]
    job_id = declare(client, files=files).json()["job_id"]
    job = record(api, client, job_id)
    take_arrival(api, job.files[1].storage_path, 4)
    assert api.executions.state_of(job) == "missing"
    arrive(api, client, job_id)
    assert api.executions.state_of(job) == "running"
    api.executions.start(job)
    listed = api.stepfunctions.list_executions(stateMachineArn=api.settings.state_machine_arn)
    assert len(listed["executions"]) == 1


def test_a_file_of_another_size_fails_the_job(api: ApiServices, client: TestClient) -> None:
    job_id = declare(client).json()["job_id"]
    take_arrival(api, record(api, client, job_id).files[0].storage_path, 6)
    job = client.get(f"{BASE}/upload-jobs/{job_id}").json()
    assert (job["status"], job["error"]["code"]) == ("failed", "FILE_SIZE_MISMATCH")


def test_an_object_that_belongs_to_no_job_is_ignored(api: ApiServices, client: TestClient) -> None:
    job = record(api, client, declare(client).json()["job_id"])
    for key in ("inbox/x.csv", job.files[0].storage_path.replace("00.csv", "01.csv"), "uploads/x"):
        take_arrival(api, key, 5)
    assert status_of(client, job.job_id) == "queued"
