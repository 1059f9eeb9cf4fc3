"""Uploads, jobs and confirmations over the app, on a real emulator and a real PostgreSQL."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import boto3
import httpx
import jwt
import pytest
from starlette.testclient import TestClient

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.jobs import JobRecord
from managed_tables.clock import timestamp
from managed_tables.executions import Executions
from managed_tables.ids import new_record_id
from managed_tables.schema import Column, ColumnType
from managed_tables.services import Services
from managed_tables.storage import ANALYSIS, Storage, job_key
from managed_tables_api.app import create_app
from managed_tables_api.services import ApiServices
from managed_tables_ingest.handler import read_arrivals, take_arrival
from managed_tables_ingest.sweep import sweep, sweep_job

BASE = "/v1/managed-tables"
PRODUTO = {"name": "produto", "display_name": "Produto", "type": "text", "nullable": False}
VALOR = {"name": "valor", "display_name": "Valor", "type": "decimal", "nullable": True}
ANALYSIS_DOCUMENT = {
    "inferred_schema": {
        "suggested_table_name": "vendas",
        "columns": [PRODUTO, VALOR],
        "sample_rows": [{"produto": "X", "valor": 1}],
        "total_row_count_estimate": 1,
    }
}
ANALYSIS_KEY = "{% $join(['jobs', $states.input.company_id, $states.input.job_id, 'analysis.json'], '/') %}"
# The state of statemachine/job.asl.json that hands out the token; then nothing more.
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


@pytest.fixture
def api(services: Services, company: ConnectionRecord) -> ApiServices:  # noqa: ARG001 - provisions it
    """The API's services of the test's own deployment, `company` being provisioned in it."""
    name = services.settings.table_name
    role = boto3.client("iam").create_role(
        RoleName=name,
        AssumeRolePolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"Service": "states.amazonaws.com"},
                        "Action": "sts:AssumeRole",
                    }
                ],
            }
        ),
    )["Role"]["Arn"]
    everything = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}],
    }
    boto3.client("iam").put_role_policy(
        RoleName=name, PolicyName="all", PolicyDocument=json.dumps(everything)
    )
    definition = json.loads(json.dumps(WAITING_STATE))
    definition["States"]["WaitForConfirm"]["Arguments"]["TableName"] = name
    arn = services.stepfunctions.create_state_machine(
        name=name, definition=json.dumps(definition), roleArn=role
    )["stateMachineArn"]
    made = ApiServices(services.settings.model_copy(update={"state_machine_arn": arn}))
    made.__dict__["postgres_secret"] = services.postgres_secret
    return made


@pytest.fixture
def client(api: ApiServices, company: ConnectionRecord) -> TestClient:
    """A console of the company, allowed everything."""
    return TestClient(create_app(api), headers=headers(api, company.company_id))


def headers(api: ApiServices, company_id: str, *permissions: str) -> dict[str, str]:
    claims = {
        "sub": "5f0000000000000000000002",
        "company_id": company_id,
        "permissions": list(permissions) or ["managed-tables:*"],
        "exp": int(time.time()) + 600,
    }
    return {"Authorization": f"Bearer {jwt.encode(claims, api.app_secret.jwt_secret)}"}


def error_of(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = response.json()
    assert (response.status_code, body.get("code")) == (status, code), body
    return body


def arrive(api: ApiServices, client: TestClient, job_id: str) -> None:
    """Deliver S3's events of a job's files, each twice and in reverse, as S3 may."""
    job = client.get(f"{BASE}/upload-jobs/{job_id}").json()
    for file in [*reversed(job["files"]), *job["files"]]:
        for key, size_bytes in read_arrivals(s3_event(file["storage_path"], file["size_bytes"])):
            take_arrival(api, key, size_bytes)


def s3_event(key: str, size_bytes: int) -> dict[str, Any]:
    stored = {"key": key.replace("/", "%2F"), "size": size_bytes}
    return {"Records": [{"eventName": "ObjectCreated:Post", "s3": {"object": stored}}]}


def declare(client: TestClient, path: str = "/upload", **members: Any) -> httpx.Response:
    body = {"files": [{"name": "vendas.csv", "size_bytes": 5}], **members}
    return client.post(BASE + path, json=body)


def waiting_job(api: ApiServices, client: TestClient, path: str = "/upload", **members: Any) -> str:
    """Return the id of a job that waits for its confirmation."""
    job_id: str = declare(client, path, **members).json()["job_id"]
    company_id = client.get(f"{BASE}/upload-jobs/{job_id}").json()["company_id"]
    api.storage.put_json(job_key(company_id, job_id, ANALYSIS), ANALYSIS_DOCUMENT)
    arrive(api, client, job_id)
    until(lambda: status_of(client, job_id) == "waiting_confirm")
    return job_id


def until(holds: Any, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "in vain"
        time.sleep(0.02)


def status_of(client: TestClient, job_id: str) -> str:
    return str(client.get(f"{BASE}/upload-jobs/{job_id}").json()["status"])


def execution_status(api: ApiServices, job_id: str) -> str:
    arn = api.settings.state_machine_arn.replace(":stateMachine:", ":execution:") + f":{job_id}"
    return api.stepfunctions.describe_execution(executionArn=arn)["status"]


def confirm(client: TestClient, job_id: str, name: str | None = "vendas", *columns: Any) -> httpx.Response:
    body = {"display_name": name, "columns": list(columns) or [PRODUTO, VALOR]}
    return client.post(f"{BASE}/upload-jobs/{job_id}/confirm", json=body)


def record(api: ApiServices, client: TestClient, job_id: str) -> JobRecord:
    company_id = client.get(f"{BASE}/upload-jobs/{job_id}").json()["company_id"]
    found = api.jobs.find(company_id, job_id)
    assert found
    return found


def make_table(api: ApiServices, company: ConnectionRecord, *columns: Column) -> str:
    return api.table_operations.create(company, new_record_id(), "clientes", columns).table_id


# --- uploads -----------------------------------------------------------------------------------------


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
        "status",
        "inferred_schema",
        "confirmed_schema",
        "progress",
        "error",
        "warnings",
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


def test_a_form_stores_its_files(api: ApiServices, client: TestClient) -> None:
    files = [("files", ("dir/vendas.csv", b"a;b\n1;2")), ("files", ("x.XLSX", b"x" * 3_000_000))]
    response = client.post(f"{BASE}/upload", files=files)
    assert (response.status_code, list(response.json())) == (201, ["job_id", "status"])
    job = record(api, client, response.json()["job_id"])
    assert [file.original_name for file in job.files] == ["vendas.csv", "x.XLSX"]
    stored = [sum(map(len, api.storage.stream(file.storage_path))) for file in job.files]
    assert stored == [7, 3_000_000]


@pytest.mark.parametrize(
    "files",
    [
        [],
        [{"name": "a.csv", "size_bytes": 0}],
        [{"name": "a.txt", "size_bytes": 1}],
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


def test_a_form_with_files_that_may_not_be_uploaded_is_422(client: TestClient) -> None:
    one = ("files", ("a.csv", b"x"))
    for files in ([("files", ("a.csv", b""))], [("files", ("a.pdf", b"x"))], [one] * 11, [("other", b"x")]):
        error_of(client.post(f"{BASE}/upload", files=files), 422, "INVALID_UPLOAD")
    malformed = {"Content-Type": "multipart/form-data; boundary=x"}
    for content in (b"", b"--y", b"--x\r\n\r\n"):
        response = client.post(f"{BASE}/upload", content=content, headers=malformed)
        error_of(response, 422, "INVALID_UPLOAD")
    assert client.get(f"{BASE}/upload-jobs/active").json() == {"records": []}


def test_more_than_100_mb_is_413(client: TestClient) -> None:
    mib = 1_048_576
    exactly = [{"name": "a.csv", "size_bytes": 60 * mib}, {"name": "b.csv", "size_bytes": 40 * mib}]
    assert declare(client, files=exactly).status_code == 201
    exactly[0]["size_bytes"] += 1
    error_of(declare(client, files=exactly), 413, "UPLOAD_TOO_LARGE")


def test_a_form_over_the_limit_is_413(api: ApiServices, company: ConnectionRecord) -> None:
    api.settings = api.settings.model_copy(update={"upload_max_bytes": 2_000_000})
    small = TestClient(create_app(api), headers=headers(api, company.company_id))
    for size_bytes in (2_000_001, 4_000_000):
        response = small.post(f"{BASE}/upload", files={"files": ("a.csv", b"x" * size_bytes)})
        error_of(response, 413, "UPLOAD_TOO_LARGE")


def test_before_provisioning_an_upload_is_400(api: ApiServices) -> None:
    stranger = TestClient(create_app(api), headers=headers(api, new_record_id()))
    assert error_of(declare(stranger), 400, "DATABASE_NOT_PROVISIONED")["error"] == (
        'Base de dados não provisionada. Ative "Meus Dados" primeiro.'
    )
    response = stranger.post(f"{BASE}/upload", files={"files": ("a.csv", b"x")})
    error_of(response, 400, "DATABASE_NOT_PROVISIONED")
    assert stranger.get(f"{BASE}/upload-jobs/active").json() == {"records": []}


def test_an_upload_to_a_table_takes_its_mode(
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
    error_of(client.post(f"{BASE}/{table_id}/upload", **form), 422, "INVALID_UPLOAD")


def test_an_unknown_table_is_404_before_the_body_is_looked_at(client: TestClient) -> None:
    for table_id in (new_record_id(), "x", "5f"):
        response = client.post(f"{BASE}/{table_id}/upload", content=b"\xff")
        assert error_of(response, 404, "TABLE_NOT_FOUND")["error"] == "Tabela não encontrada"


# --- jobs --------------------------------------------------------------------------------------------


def test_an_unknown_or_anothers_job_is_404(api: ApiServices, client: TestClient) -> None:
    job_id = declare(client).json()["job_id"]
    stranger = TestClient(create_app(api), headers=headers(api, new_record_id()))
    for one, caller in ((job_id, stranger), (new_record_id(), client), ("x", client), ("é" * 24, client)):
        response = caller.get(f"{BASE}/upload-jobs/{one}")
        assert error_of(response, 404, "JOB_NOT_FOUND")["error"] == "Job não encontrado"
        error_of(caller.post(f"{BASE}/upload-jobs/{one}/confirm", content=b"x"), 404, "JOB_NOT_FOUND")


def test_a_job_whose_files_do_not_arrive_ends_as_failed_when_somebody_looks(
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


# --- arrivals ----------------------------------------------------------------------------------------


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


def test_an_object_that_belongs_to_no_job_is_passed_over(api: ApiServices, client: TestClient) -> None:
    job = record(api, client, declare(client).json()["job_id"])
    for key in ("inbox/x.csv", job.files[0].storage_path.replace("00.csv", "01.csv"), "uploads/x"):
        take_arrival(api, key, 5)
    assert status_of(client, job.job_id) == "queued"


# --- confirmations -----------------------------------------------------------------------------------


def test_a_confirmation_sets_the_execution_going(api: ApiServices, client: TestClient) -> None:
    job_id = waiting_job(api, client)
    response = confirm(client, job_id, "vendas", VALOR)
    assert (response.status_code, response.json()) == (200, {"status": "inserting"})
    until(lambda: execution_status(api, job_id) == "SUCCEEDED")
    job = record(api, client, job_id)
    assert (job.status, job.task_token) == ("inserting", None)
    confirmed = api.storage.get_json(job.confirmed_key or "")
    assert confirmed == {"display_name": "vendas", "columns": [VALOR], "table_id": job.reserved_table_id}
    shown = client.get(f"{BASE}/upload-jobs/{job_id}").json()["confirmed_schema"]
    assert shown == {"display_name": "vendas", "columns": [VALOR]}


def test_the_same_confirmation_again_is_no_second_time(api: ApiServices, client: TestClient) -> None:
    job_id = waiting_job(api, client)
    assert confirm(client, job_id).status_code == 200
    assert confirm(client, job_id).json() == {"status": "inserting"}
    error_of(confirm(client, job_id, "outra"), 400, "JOB_NOT_WAITING_CONFIRM")
    error_of(confirm(client, job_id, "vendas", VALOR), 400, "JOB_NOT_WAITING_CONFIRM")


def test_of_confirmations_at_once_one_is_taken(api: ApiServices, client: TestClient) -> None:
    job_id = waiting_job(api, client)
    bodies = [("vendas", PRODUTO), ("vendas", PRODUTO), ("vendas", VALOR), ("outra", PRODUTO)] * 2
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda body: confirm(client, job_id, *body), bodies))
    taken = {
        body[0] + body[1]["name"]
        for body, answer in zip(bodies, answers, strict=True)
        if answer.status_code == 200
    }
    assert len(taken) == 1
    assert {answer.status_code for answer in answers} == {200, 400}
    reserved = record(api, client, job_id).reserved_table_id
    names = {
        table.display_name: table.table_id for table in api.tables.all(record(api, client, job_id).company_id)
    }
    assert list(names.values()) == [reserved]


def test_a_name_that_is_taken_is_refused_and_the_job_still_waits(
    api: ApiServices, client: TestClient, company: ConnectionRecord
) -> None:
    make_table(api, company, Column.model_validate(PRODUTO))
    job_id = waiting_job(api, client)
    error_of(confirm(client, job_id, "clientes"), 400, "MANAGED_TABLE_DUPLICATE_NAME")
    assert status_of(client, job_id) == "waiting_confirm"
    assert confirm(client, job_id, "clientes_2").status_code == 200


def test_two_jobs_cannot_confirm_one_name(api: ApiServices, client: TestClient) -> None:
    first, second = waiting_job(api, client), waiting_job(api, client)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda job_id: confirm(client, job_id), (first, second)))
    assert sorted(answer.status_code for answer in answers) == [200, 400]


@pytest.mark.parametrize(
    ("name", "columns"),
    [
        ("Vendas", [PRODUTO]),
        ("vendas\n", [PRODUTO]),
        ("pg_vendas", [PRODUTO]),
        (None, [PRODUTO]),
        ("vendas", []),
        ("vendas", [{**PRODUTO, "type": "money"}]),
        ("vendas", [{**PRODUTO, "nullable": 1}]),
        ("vendas", [{**PRODUTO, "name": "unknown"}]),
        ("vendas", [{**PRODUTO, "name": "id"}]),
        ("vendas", [PRODUTO, PRODUTO]),
    ],
)
def test_a_schema_that_does_not_hold_is_422(
    api: ApiServices, client: TestClient, name: str | None, columns: list[Any]
) -> None:
    job_id = waiting_job(api, client)
    response = client.post(
        f"{BASE}/upload-jobs/{job_id}/confirm", json={"display_name": name, "columns": columns}
    )
    assert response.status_code == 422
    assert confirm(client, job_id).status_code == 200


def test_a_job_that_does_not_wait_is_400_after_what_is_wrong_with_the_body(client: TestClient) -> None:
    job_id = declare(client).json()["job_id"]
    error_of(confirm(client, job_id), 400, "JOB_NOT_WAITING_CONFIRM")
    error_of(confirm(client, job_id, "Vendas"), 422, "INVALID_SCHEMA")


def test_an_append_keeps_the_tables_types_and_adds_nullable_columns(
    api: ApiServices, client: TestClient, company: ConnectionRecord
) -> None:
    own = Column(name="produto", display_name="P", type=ColumnType.TEXT, nullable=True)
    table_id = make_table(api, company, own)
    job_id = waiting_job(api, client, f"/{table_id}/upload")
    error_of(confirm(client, job_id, None, PRODUTO, {**VALOR, "nullable": False}), 422, "INVALID_SCHEMA")
    response = confirm(client, job_id, "NOT a name", {**PRODUTO, "type": "date"}, VALOR)
    assert response.status_code == 200
    confirmed = api.storage.get_json(record(api, client, job_id).confirmed_key or "")
    assert confirmed == {
        "display_name": "clientes",
        "columns": [own.model_dump(mode="json"), VALOR],
        "table_id": table_id,
    }


def test_an_append_without_a_column_that_the_table_requires_is_422(
    api: ApiServices, client: TestClient, company: ConnectionRecord
) -> None:
    table_id = make_table(api, company, Column.model_validate(PRODUTO))
    job_id = waiting_job(api, client, f"/{table_id}/upload")
    body = error_of(confirm(client, job_id, None, VALOR), 422, "INVALID_SCHEMA")
    assert body["details"] == [{"column": "produto", "reason": "obrigatória na tabela"}]


# --- the sweep ---------------------------------------------------------------------------------------


def later(api: ApiServices, job: JobRecord) -> str | None:
    """Sweep one job as if it had not changed for long."""
    return sweep_job(api, job, timestamp(), quiet_before="9999")


def test_the_sweep_sends_a_confirmation_that_was_not_delivered(
    api: ApiServices, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = waiting_job(api, client)
    # The process dies after the decision and before the state machine is told.
    with monkeypatch.context() as patch:
        patch.setattr(Executions, "confirm", _die)
        assert confirm(client, job_id).status_code == 500
    assert execution_status(api, job_id) == "RUNNING"
    assert later(api, record(api, client, job_id)) == "confirmed"
    until(lambda: execution_status(api, job_id) == "SUCCEEDED")


def test_a_repeated_confirmation_delivers_one_that_was_not(
    api: ApiServices, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = waiting_job(api, client)
    with monkeypatch.context() as patch:
        patch.setattr(Executions, "confirm", _die)
        assert confirm(client, job_id).status_code == 500
    assert confirm(client, job_id).status_code == 200
    until(lambda: execution_status(api, job_id) == "SUCCEEDED")


def test_a_confirmation_cut_off_before_its_decision_can_be_repeated(
    api: ApiServices, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = waiting_job(api, client)
    with monkeypatch.context() as patch:
        patch.setattr(Storage, "put_json", _die)
        assert confirm(client, job_id).status_code == 500
    assert status_of(client, job_id) == "waiting_confirm"
    assert confirm(client, job_id).status_code == 200


def _die(*_arguments: object) -> None:
    raise RuntimeError("the process dies here")


def test_the_sweep_expires_starts_and_fails_what_nobody_else_does(
    api: ApiServices, client: TestClient
) -> None:
    overdue = record(api, client, declare(client).json()["job_id"])
    assert later(api, replace(overdue, expires_at=timestamp())) == "expired"
    started = record(api, client, declare(client).json()["job_id"])
    complete = api.jobs.mark_arrived(started, 0, 5)
    assert complete
    assert later(api, complete) == "started"
    stopped = record(api, client, waiting_job(api, client))
    arn = api.settings.state_machine_arn.replace(":stateMachine:", ":execution:") + f":{stopped.job_id}"
    api.stepfunctions.stop_execution(executionArn=arn)
    assert later(api, stopped) == "failed"
    job = client.get(f"{BASE}/upload-jobs/{stopped.job_id}").json()
    assert (job["status"], job["error"]["code"]) == ("failed", "JOB_FAULT")


def test_the_sweep_leaves_alone_what_moves(api: ApiServices, client: TestClient) -> None:
    waiting_job(api, client)
    declare(client)
    assert sweep(api) == {}
