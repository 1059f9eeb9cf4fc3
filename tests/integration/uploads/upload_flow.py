"""Helpers for the tests of uploads: a console's calls, and S3's events."""

import time
from typing import Any

import httpx2
from deployments import bearer
from starlette.testclient import TestClient

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.job_records import JobRecord
from managed_tables.ids import new_record_id
from managed_tables.object_keys import ANALYSIS, job_key
from managed_tables.schema import Column
from managed_tables_api.services import ApiServices
from managed_tables_ingest.handler import read_arrivals, take_arrival

BASE = "/v1/managed-tables"
PRODUTO = {"name": "produto", "display_name": "Produto", "type": "text", "nullable": False}
VALOR = {"name": "valor", "display_name": "Valor", "type": "decimal", "nullable": True}
_UNKNOWN = dict.fromkeys(("encoding", "quote", "escape", "header_line", "first_line", "last_line"))
_LISTS: dict[str, list[str]] = {"skipped_lines": [], "reasons": []}
_SHOWN = {**_UNKNOWN, **_LISTS, "include": True, "name": "", "header_lines": 0, "rows": 0}
READING = {
    "timezone": "UTC",
    "tables": [
        {**_SHOWN, "file": 0, "sheet": None, "kind": "csv", "delimiter": ";"},
        {**_SHOWN, "file": 1, "sheet": "Dados", "kind": "xlsx", "delimiter": None},
        {**_SHOWN, "file": 1, "sheet": "Resumo", "kind": "xlsx", "delimiter": None},
    ],
}
OVERRIDES = {"timezone": None, "tables": [{"file": 1, "sheet": "Dados", "header_line": 2}]}
ANALYSIS_DOCUMENT = {
    "reading": READING,
    "wish": OVERRIDES,
    "line_counts": [50, 20, 5],
    "inferred_schema": {
        "suggested_table_name": "vendas",
        "columns": [{**PRODUTO, "source": "Produto"}, {**VALOR, "source": "Valor"}],
        "sample_rows": [{"produto": "X", "valor": 1}],
        "total_row_count_estimate": 1,
    },
    "files": ["vendas.csv"],
    "columns": [{"name": "produto", "formats": {}}, {"name": "valor", "formats": {}}],
    "row_count": 1,
}
ANALYSIS_KEY = "./analysis.json"  # as an item has it
# The state of statemachine/job.asl.json that hands out the token, and nothing after it.
WAITING_STATE = {
    "QueryLanguage": "JSONata",
    "StartAt": "WaitForConfirm",
    "States": {
        "WaitForConfirm": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:dynamodb:updateItem.waitForTaskToken",
            "Arguments": {
                "TableName": "",
                "Key": {
                    "pk": {"S": "{% 'COMPANY#' & $states.input.company_id %}"},
                    "sk": {"S": "{% 'JOB#' & $states.input.job_id %}"},
                },
                "UpdateExpression": "SET #status = :waiting, task_token = :token, analysis_key = :key",
                "ExpressionAttributeNames": {"#status": "status"},
                "ExpressionAttributeValues": {
                    ":waiting": {"S": "waiting_confirm"},
                    ":token": {"S": "{% $states.context.Task.Token %}"},
                    ":key": {"S": ANALYSIS_KEY},
                },
            },
            "End": True,
        }
    },
}


def headers(api: ApiServices, company_id: str, *permissions: str) -> dict[str, str]:
    return bearer(api.jwt_secret, company_id, permissions=list(permissions) or ["managed-tables:*"])


def error_of(response: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = response.json()
    assert (response.status_code, body.get("code")) == (status, code), body
    return body


def arrive(api: ApiServices, client: TestClient, job_id: str) -> None:
    """Deliver S3's events of a job's files, each twice and in reverse, as S3 may."""
    job = client.get(f"{BASE}/upload-jobs/{job_id}").json()
    for file in [*reversed(job["files"]), *job["files"]]:
        for arrival in read_arrivals(s3_event(file["storage_path"], file["size_bytes"])):
            take_arrival(api, arrival.key, arrival.size_bytes)


def s3_event(key: str, size_bytes: int, **stored: str) -> dict[str, Any]:
    """Return S3's event about an object; `stored` holds facts about it, such as `eTag`."""
    record = {
        "eventSource": "aws:s3",
        "eventTime": "2026-01-15T10:30:00.123Z",
        "eventName": "ObjectCreated:Post",
        "s3": {
            "bucket": {"name": "bucket"},
            "object": {"key": key.replace("/", "%2F"), "size": size_bytes, **stored},
        },
    }
    return {"Records": [record]}


def declare(client: TestClient, path: str = "/upload", **members: Any) -> httpx2.Response:
    body = {"files": [{"name": "vendas.csv", "size_bytes": 5}], **members}
    return client.post(BASE + path, json=body)


def waiting_job(api: ApiServices, client: TestClient, path: str = "/upload", **members: Any) -> str:
    """Return the id of a job that waits for confirmation."""
    job_id: str = declare(client, path, **members).json()["job_id"]
    company_id = client.get(f"{BASE}/upload-jobs/{job_id}").json()["company_id"]
    api.storage.put_json(job_key(company_id, job_id, ANALYSIS), ANALYSIS_DOCUMENT)
    arrive(api, client, job_id)
    until(lambda: status_of(client, job_id) == "waiting_confirm")
    return job_id


def until(holds: Any, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "not true in time"
        time.sleep(0.02)


def status_of(client: TestClient, job_id: str) -> str:
    return str(client.get(f"{BASE}/upload-jobs/{job_id}").json()["status"])


def execution_status(api: ApiServices, job_id: str) -> str:
    arn = api.settings.state_machine_arn.replace(":stateMachine:", ":execution:") + f":{job_id}"
    return api.stepfunctions.describe_execution(executionArn=arn)["status"]


def confirm(client: TestClient, job_id: str, name: str | None = "vendas", *columns: Any) -> httpx2.Response:
    body = {"display_name": name, "columns": list(columns) or [PRODUTO, VALOR]}
    return client.post(f"{BASE}/upload-jobs/{job_id}/confirm", json=body)


def record(api: ApiServices, client: TestClient, job_id: str) -> JobRecord:
    company_id = client.get(f"{BASE}/upload-jobs/{job_id}").json()["company_id"]
    found = api.jobs.find(company_id, job_id)
    assert found
    return found


def make_table(api: ApiServices, company: ConnectionRecord, *columns: Column) -> str:
    return api.table_operations.create(company, new_record_id(), "clientes", columns).table_id
