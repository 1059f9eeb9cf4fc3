"""Uploads: declared or in a form, checked before anything is stored."""

from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient
from upload_flow import BASE, PRODUTO, declare, error_of, headers, make_table, record

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.ids import new_record_id
from managed_tables.schema import Column
from managed_tables_api.app import create_app
from managed_tables_api.services import ApiServices


def test_declared_files_get_one_form_each_and_a_job(client: TestClient) -> None:
    response = declare(client, files=[{"name": "a.csv", "size_bytes": 3}, {"name": "B.ZIP", "size_bytes": 4}])
    body = response.json()
    assert (response.status_code, body["status"]) == (201, "queued")
    assert [one["name"] for one in body["uploads"]] == ["a.csv", "B.ZIP"]
    for upload, content in zip(body["uploads"], (b"a;b", b"PK34"), strict=True):
        form = {"data": upload["fields"], "files": {"file": content}}
        assert httpx.post(upload["url"], **form).status_code == 204
    job = client.get(f"{BASE}/upload-jobs/{body['job_id']}").json()
    assert [file["original_name"] for file in job["files"]] == ["a.csv", "B.ZIP"]
    assert [file["mime_type"] for file in job["files"]] == ["text/csv", "application/zip"]


def test_a_job_has_the_contracts_shape(client: TestClient) -> None:
    job_id = declare(client).json()["job_id"]
    job = client.get(f"{BASE}/upload-jobs/{job_id.upper()}").json()
    assert list(job) == [
        "_id",
        "company_id",
        "user_table_id",
        "files",
        "mode",
        "origin",
        "status",
        "reading",
        "append_plan",
        "stated",
        "draft",
        "inferred_schema",
        "confirmed_schema",
        "progress",
        "result",
        "error",
        "warnings",
        "expires_at",
        "undone_at",
        "created_at",
        "updated_at",
    ]
    assert (job["_id"], job["mode"], job["status"], job["user_table_id"]) == (
        job_id,
        "create",
        "queued",
        None,
    )
    assert list(job["files"][0]) == ["original_name", "storage_path", "size_bytes", "mime_type"]


@pytest.mark.parametrize("path", ["upload", "upload/form"])
def test_a_form_stores_its_files(api: ApiServices, client: TestClient, path: str) -> None:
    files = [("files", ("dir/vendas.csv", b"a;b\n1;2")), ("files", ("x.XLSX", b"x" * 3_000_000))]
    response = client.post(f"{BASE}/{path}", files=files)
    assert (response.status_code, list(response.json())) == (201, ["job_id", "status"])
    job = record(api, client, response.json()["job_id"])
    assert [file.original_name for file in job.files] == ["vendas.csv", "x.XLSX"]
    stored = [sum(map(len, api.storage.stream(file.storage_path))) for file in job.files]
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


@pytest.mark.parametrize(
    "files",
    [
        [],
        [{"name": "a.csv", "size_bytes": 0}],
        [{"name": "a.pdf", "size_bytes": 1}],
        [{"name": "csv", "size_bytes": 1}],
        [{"name": "a\u0000.csv", "size_bytes": 1}],
        [{"name": "", "size_bytes": 1}],
        [{"name": "a.csv"}],
        [{"name": "a.csv", "size_bytes": "1"}],
        [{"name": "a.csv", "size_bytes": 1}] * 11,
        "a.csv",
        None,
    ],
)
def test_files_that_may_not_be_uploaded_are_422(client: TestClient, files: Any) -> None:
    response = client.post(f"{BASE}/upload", json={"files": files})
    assert response.status_code == 422
    assert client.get(f"{BASE}/upload-jobs/active").json() == {"records": []}


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
    assert client.get(f"{BASE}/upload-jobs/active").json() == {"records": []}


def test_more_than_100_mb_is_413(client: TestClient) -> None:
    mib = 1_048_576
    exactly: list[dict[str, Any]] = [
        {"name": "a.csv", "size_bytes": 60 * mib},
        {"name": "b.csv", "size_bytes": 40 * mib},
    ]
    assert declare(client, files=exactly).status_code == 201
    exactly[0]["size_bytes"] += 1
    error_of(declare(client, files=exactly), 413, "UPLOAD_TOO_LARGE")


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


def test_before_provisioning_an_upload_is_400(api: ApiServices) -> None:
    stranger = TestClient(create_app(api), headers=headers(api, new_record_id()))
    assert error_of(declare(stranger), 400, "DATABASE_NOT_PROVISIONED")["error"] == (
        'Base de dados não provisionada. Ative "Meus Dados" primeiro.'
    )
    response = stranger.post(f"{BASE}/upload", files={"files": ("a.csv", b"x")})
    error_of(response, 400, "DATABASE_NOT_PROVISIONED")
    assert stranger.get(f"{BASE}/upload-jobs/active").json() == {"records": []}


def test_an_upload_into_a_table_has_its_mode(
    api: ApiServices, client: TestClient, company: ConnectionRecord
) -> None:
    table_id = make_table(api, company, Column.model_validate(PRODUTO))
    for mode in ("append", "replace"):
        job = record(api, client, declare(client, f"/{table_id}/upload", mode=mode).json()["job_id"])
        assert (job.mode, job.user_table_id) == (mode, table_id)
    form = {"files": {"files": ("a.csv", b"x")}, "data": {"mode": "replace"}}
    job_id = client.post(f"{BASE}/{table_id}/upload", **form).json()["job_id"]
    assert record(api, client, job_id).mode == "replace"
    assert declare(client, f"/{table_id}/upload", mode="merge").status_code == 422
    form["data"] = {"mode": "merge"}
    refused = client.post(f"{BASE}/{table_id}/upload", **form)
    error_of(refused, 422, "INVALID_UPLOAD")
    assert refused.json()["details"][0]["path"] == "mode"


def test_an_unknown_table_is_404_before_the_body_is_read(client: TestClient) -> None:
    for table_id in (new_record_id(), "x", "5f"):
        response = client.post(f"{BASE}/{table_id}/upload", content=b"\xff")
        assert error_of(response, 404, "TABLE_NOT_FOUND")["error"] == "Tabela não encontrada"
