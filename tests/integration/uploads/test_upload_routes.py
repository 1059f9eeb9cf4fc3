"""Uploads: declared or in a form, checked before anything is stored."""

import pytest
from starlette.testclient import TestClient
from upload_flow import BASE, declare, error_of, headers, record

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables_api.app import create_app
from managed_tables_api.services import ApiServices


def test_a_job_is_found_by_its_id_in_capitals_too(client: TestClient) -> None:
    job_id = declare(client).json()["job_id"]
    job = client.get(f"{BASE}/upload-jobs/{job_id.upper()}").json()
    assert (job["_id"], job["mode"], job["status"]) == (job_id, "create", "queued")


@pytest.mark.parametrize("path", ["upload", "upload/form"])
def test_a_form_stores_its_files(api: ApiServices, client: TestClient, path: str) -> None:
    files = [("files", ("dir/vendas.csv", b"a;b\n1;2")), ("files", ("x.XLSX", b"x" * 3_000_000))]
    response = client.post(f"{BASE}/{path}", files=files)
    assert (response.status_code, list(response.json())) == (201, ["job_id", "status"])
    job = record(api, client, response.json()["job_id"])
    assert [file.original_name for file in job.files] == ["vendas.csv", "x.XLSX"]
    stored = [len(api.storage.read_range(file.storage_path, 0, 2**30)) for file in job.files]
    assert stored == [7, 3_000_000]


@pytest.mark.parametrize(
    "names",
    [
        ["a.csv", "a.txt", "a.tsv", "a.xlsx", "a.xlsm", "a.xls", "a.ods", "a.zip"],
        ["a.csv.gz", "a.json", "a.jsonl", "a.ndjson", "a.parquet"],
    ],
)
def test_every_kind_of_file_is_accepted(api: ApiServices, client: TestClient, names: list[str]) -> None:
    response = client.post(f"{BASE}/upload", json={"files": [{"name": n, "size_bytes": 1} for n in names]})
    assert response.status_code == 201
    job = record(api, client, response.json()["job_id"])
    assert [file.original_name for file in job.files] == names
    assert len({file.mime_type for file in job.files}) == len(names)


def test_a_declaration_is_no_form(client: TestClient) -> None:
    response = client.post(f"{BASE}/upload/form", json={"files": [{"name": "a.csv", "size_bytes": 1}]})
    error_of(response, 422, "INVALID_UPLOAD")


def test_a_form_with_files_that_may_not_be_uploaded_is_422(client: TestClient) -> None:
    one = ("files", ("a.csv", b"x"))
    for files in ([("files", ("a.csv", b""))], [("files", ("a.pdf", b"x"))], [one] * 11, [("other", b"x")]):
        error_of(client.post(f"{BASE}/upload", files=files), 422, "INVALID_UPLOAD")
    for data in ({"note": "x" * 2_000}, {f"note{number}": "x" for number in range(20)}):
        # Text fields are held in memory before the request has one of its company's slots.
        error_of(client.post(f"{BASE}/upload", files=[one], data=data), 422, "INVALID_UPLOAD")
    malformed = {"Content-Type": "multipart/form-data; boundary=x"}
    for content in (b"", b"--y", b"--x\r\n\r\n"):
        response = client.post(f"{BASE}/upload", content=content, headers=malformed)
        error_of(response, 422, "INVALID_UPLOAD")
    response = client.post(f"{BASE}/upload?name=a", content=b"", headers=malformed)
    error_of(response, 422, "UNKNOWN_PARAMETER")  # before the form is received
    assert client.get(f"{BASE}/upload-jobs/active").json() == {"records": []}


def test_a_form_over_the_limit_is_413(api: ApiServices, company: ConnectionRecord) -> None:
    api.settings = api.settings.model_copy(update={"upload_max_mb": 2})
    small = TestClient(create_app(api), headers=headers(api, company.company_id))
    for size_bytes in (2 * 1_048_576 + 1, 4_000_000):
        response = small.post(f"{BASE}/upload", files={"files": ("a.csv", b"x" * size_bytes)})
        assert "2 MB" in error_of(response, 413, "UPLOAD_TOO_LARGE")["error"]


def test_a_company_with_too_many_active_jobs_is_429_until_one_ends(
    api: ApiServices, company: ConnectionRecord
) -> None:
    api.settings = api.settings.model_copy(update={"active_jobs_max": 2})
    client = TestClient(create_app(api), headers=headers(api, company.company_id))
    first, _ = (declare(client).json()["job_id"] for _ in range(2))
    assert "2 envios" in error_of(declare(client), 429, "TOO_MANY_JOBS")["error"]
    error_of(client.post(f"{BASE}/upload", files={"files": ("a.csv", b"x")}), 429, "TOO_MANY_JOBS")
    api.jobs.fail(record(api, client, first), {"code": "X", "message": "x", "details": []})
    assert declare(client).status_code == 201
