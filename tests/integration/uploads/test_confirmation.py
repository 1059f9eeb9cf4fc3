"""Confirmations: what may be confirmed, repeats, races and interruptions."""

from concurrent.futures import ThreadPoolExecutor

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
    headers,
    make_table,
    record,
    status_of,
    until,
    waiting_job,
)

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.schema import Column, ColumnType
from managed_tables_api import reanalysis
from managed_tables_api.services import ApiServices


def test_a_confirmation_resumes_the_execution(api: ApiServices, client: TestClient) -> None:
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


def test_a_new_table_takes_title_description_and_key(api: ApiServices, client: TestClient) -> None:
    job_id = waiting_job(api, client)
    path = f"{BASE}/upload-jobs/{job_id}/confirm"
    body = {"display_name": "vendas", "columns": [PRODUTO, {**VALOR, "default": 0}], "title": "Vendas"}
    [found] = error_of(client.post(path, json={**body, "key": ["loja"]}), 422, "INVALID_SCHEMA")["details"]
    assert (found["path"], found["code"]) == ("key[0]", "UNKNOWN_COLUMN")
    wanted = {**body, "description": "Do ERP", "key": ["produto"]}
    assert [client.post(path, json=wanted).status_code for _ in range(2)] == [200, 200]
    error_of(client.post(path, json=body), 400, "JOB_NOT_WAITING_CONFIRM")
    assert client.get(f"{BASE}/upload-jobs/{job_id}").json()["confirmed_schema"] == wanted


def test_a_repeated_confirmation_has_no_effect(api: ApiServices, client: TestClient) -> None:
    job_id = waiting_job(api, client)
    assert confirm(client, job_id).status_code == 200
    assert confirm(client, job_id).json() == {"status": "inserting"}
    error_of(confirm(client, job_id, "outra"), 400, "JOB_NOT_WAITING_CONFIRM")
    error_of(confirm(client, job_id, "vendas", VALOR), 400, "JOB_NOT_WAITING_CONFIRM")


def test_a_taken_name_is_refused_and_the_job_still_waits(
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


def test_a_job_that_does_not_wait_is_400_after_checking_the_body(client: TestClient) -> None:
    job_id = declare(client).json()["job_id"]
    error_of(confirm(client, job_id), 400, "JOB_NOT_WAITING_CONFIRM")
    error_of(confirm(client, job_id, "Vendas"), 422, "INVALID_SCHEMA")


def test_an_append_keeps_the_tables_types_and_adds_nullable_columns(
    api: ApiServices, client: TestClient, company: ConnectionRecord
) -> None:
    own = Column(name="produto", display_name="P", type=ColumnType.TEXT, nullable=True)
    table_id = make_table(api, company, own)
    job_id = waiting_job(api, client, f"/{table_id}/upload")
    response = confirm(client, job_id, "NOT a name", {**PRODUTO, "type": "date"}, VALOR)
    assert response.status_code == 200
    confirmed = api.storage.get_json(record(api, client, job_id).confirmed_key or "")
    assert confirmed == {
        "display_name": "clientes",
        "columns": [own.as_document(), VALOR],
        "table_id": table_id,
        "own_columns": [own.name],
    }


def test_a_confirmation_states_how_columns_are_filled(api: ApiServices, client: TestClient) -> None:
    job_id = waiting_job(api, client)
    preco = {**VALOR, "name": "preco", "source": "valor", "decimal_mark": ",", "null_tokens": ["s/d"]}
    produto = {**PRODUTO, "trim": True, "inference": {"confidence": 1}}
    body = {"display_name": "vendas", "columns": [produto, preco], "on_misfit": "skip"}
    answer = client.post(f"{BASE}/upload-jobs/{job_id}/confirm", json=body)
    assert answer.status_code == 200, answer.text
    confirmed = api.storage.get_json(record(api, client, job_id).confirmed_key or "")
    assert confirmed["columns"] == [PRODUTO, {**VALOR, "name": "preco"}]
    choices = {
        "produto": {"trim": True},
        "preco": {"source": "valor", "decimal_mark": ",", "null_tokens": ["s/d"]},
    }
    assert confirmed["terms"] == {"choices": choices, "on_misfit": "skip"}
    shown = client.get(f"{BASE}/upload-jobs/{job_id}").json()["confirmed_schema"]
    assert shown == {
        "display_name": "vendas",
        "columns": [{**PRODUTO, "trim": True}, preco],
        "on_misfit": "skip",
    }
    assert client.post(f"{BASE}/upload-jobs/{job_id}/confirm", json=body).status_code == 200
    other = {**body, "on_misfit": "reject"}
    error_of(client.post(f"{BASE}/upload-jobs/{job_id}/confirm", json=other), 400, "JOB_NOT_WAITING_CONFIRM")


def test_an_inferred_column_is_confirmed_unchanged(api: ApiServices, client: TestClient) -> None:
    """Its `source` is the label, which may be another column's name."""
    job_id = waiting_job(api, client)
    body = [{**PRODUTO, "source": "Produto"}, {**VALOR, "source": "Valor"}]
    assert confirm(client, job_id, "vendas", *body).status_code == 200
    confirmed = api.storage.get_json(record(api, client, job_id).confirmed_key or "")
    assert (confirmed["columns"], "terms" in confirmed) == ([PRODUTO, VALOR], False)


def test_an_invalid_statement_about_a_column_is_422(api: ApiServices, client: TestClient) -> None:
    job_id = waiting_job(api, client)
    for stated, field, code in (
        ({"source": "unknown"}, "source", "UNKNOWN_COLUMN"),
        ({"decimal_mark": ";"}, "decimal_mark", "NOT_ALLOWED"),
        ({"date_order": "ydm"}, "date_order", "NOT_ALLOWED"),
        ({"null_tokens": ["x"] * 21}, "null_tokens", "TOO_LONG"),
        ({"null_tokens": ["a\0"]}, "null_tokens[0]", "INVALID_CHARACTER"),
        ({"trim": "sim"}, "trim", "NOT_A_BOOLEAN"),
        ({"timezone": "Brasil"}, "timezone", "UNKNOWN_TIMEZONE"),
    ):
        answer = confirm(client, job_id, "vendas", PRODUTO, {**VALOR, **stated})
        [found] = error_of(answer, 422, "INVALID_SCHEMA")["details"]
        assert (found["path"], found["code"]) == (f"columns[1].{field}", code)
    body = {"display_name": "vendas", "columns": [PRODUTO], "on_misfit": "ignore"}
    assert client.post(f"{BASE}/upload-jobs/{job_id}/confirm", json=body).status_code == 422
    body = {"display_name": "vendas", "columns": [PRODUTO], "make_nullable": ["produto"]}
    answer = client.post(f"{BASE}/upload-jobs/{job_id}/confirm", json=body)
    assert error_of(answer, 422, "INVALID_SCHEMA")["details"][0]["path"] == "make_nullable[0]"
    assert status_of(client, job_id) == "waiting_confirm"


def test_a_time_zone_that_the_database_does_not_know_is_422(
    api: ApiServices, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our list may be newer than PostgreSQL's: the load would fail at each of its runs."""
    monkeypatch.setattr(reanalysis, "_zones", lambda: {"America/Sao_Paulo", "America/Nova_Cidade"})
    job_id = waiting_job(api, client)
    answer = confirm(client, job_id, "vendas", PRODUTO, {**VALOR, "timezone": "America/Nova_Cidade"})
    [found] = error_of(answer, 422, "INVALID_SCHEMA")["details"]
    assert (found["path"], found["code"]) == ("columns[1].timezone", "UNKNOWN_TIMEZONE")
    assert status_of(client, job_id) == "waiting_confirm"
    known = {**VALOR, "timezone": "America/Sao_Paulo"}
    assert confirm(client, job_id, "vendas", PRODUTO, known).status_code == 200


def test_making_columns_nullable_requires_permission_to_update_the_table(
    api: ApiServices, client: TestClient, company: ConnectionRecord
) -> None:
    own = Column(name="produto", display_name="P", type=ColumnType.TEXT, nullable=False)
    job_id = waiting_job(api, client, f"/{make_table(api, company, own)}/upload")
    body = {"display_name": None, "columns": [VALOR], "make_nullable": ["produto"]}
    path = f"{BASE}/upload-jobs/{job_id}/confirm"
    uploader = headers(api, company.company_id, "managed-tables:upload")
    error_of(client.post(path, json=body, headers=uploader), 403, "FORBIDDEN")
    error_of(client.get(f"{BASE}/upload-jobs/{job_id}/rejects"), 404, "NO_REJECTS")
    assert client.post(path, json=body).status_code == 200
