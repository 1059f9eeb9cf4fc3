"""Confirmations: what may be confirmed, repeated, raced and cut off."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.testclient import TestClient
from upload_flow import (
    BASE,
    PRODUTO,
    VALOR,
    confirm,
    declare,
    error_of,
    execution_status,
    make_table,
    record,
    status_of,
    until,
    waiting_job,
)

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.schema import Column, ColumnType
from managed_tables_api.services import ApiServices


def test_a_confirmation_sets_the_execution_going(api: ApiServices, client: TestClient) -> None:
    job_id = waiting_job(api, client)
    response = confirm(client, job_id, "vendas", VALOR)
    assert (response.status_code, response.json()) == (200, {"status": "inserting"})
    until(lambda: execution_status(api, job_id) == "SUCCEEDED")
    job = record(api, client, job_id)
    assert (job.status, job.task_token) == ("inserting", None)
    confirmed = api.storage.get_json(job.confirmed_key or "")
    assert confirmed == {
        "display_name": "vendas",
        "columns": [VALOR],
        "table_id": job.reserved_table_id,
        "own_columns": [],
    }
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
        "columns": [own.as_document(), VALOR],
        "table_id": table_id,
        "own_columns": [own.name],
    }


def test_an_append_without_a_column_that_the_table_requires_is_422(
    api: ApiServices, client: TestClient, company: ConnectionRecord
) -> None:
    table_id = make_table(api, company, Column.model_validate(PRODUTO))
    job_id = waiting_job(api, client, f"/{table_id}/upload")
    body = error_of(confirm(client, job_id, None, VALOR), 422, "INVALID_SCHEMA")
    assert body["details"] == [
        {
            "in": "body",
            "path": "columns",
            "column": "produto",
            "code": "MISSING_COLUMN",
            "reason": "obrigatória na tabela",
        }
    ]
