"""Requests to read files differently: what may be asked, repeats, races and interruptions."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient
from upload_flow import (
    BASE,
    OVERRIDES,
    READING,
    confirm,
    declare,
    error_of,
    execution_status,
    headers,
    record,
    status_of,
    until,
    waiting_job,
)

from managed_tables import shares
from managed_tables.aws.executions import ExecutionsUnavailable
from managed_tables.clock import timestamp
from managed_tables.documents.statements import ReadingStatement
from managed_tables.object_keys import job_key
from managed_tables_api.job_models import Reanalysis, StatedTable
from managed_tables_api.services import ApiServices
from managed_tables_ingest.sweep import sweep_job

STATED = {"file": 0, "sheet": None, "header_line": 3, "skip_lines": [9]}


def reanalyze(client: TestClient, job_id: str, *tables: Any, **members: Any) -> httpx2.Response:
    body = {"tables": list(tables) or [STATED], **members}
    return client.post(f"{BASE}/upload-jobs/{job_id}/reanalyze", json=body)


def overrides_of(api: ApiServices, client: TestClient, job_id: str) -> Any:
    return api.storage.get_json(record(api, client, job_id).wish_key or "")


def output_of(api: ApiServices, job_id: str) -> str:
    arn = api.settings.state_machine_arn.replace(":stateMachine:", ":execution:") + f":{job_id}"
    return api.stepfunctions.describe_execution(executionArn=arn)["output"]


def test_a_stated_reading_is_kept_and_the_execution_returns_to_analyze(
    api: ApiServices, client: TestClient
) -> None:
    job_id = waiting_job(api, client)
    response = reanalyze(client, job_id, timezone="America/Sao_Paulo")
    assert (response.status_code, response.json()) == (200, {"status": "analisando"})
    assert status_of(client, job_id) == "analisando"
    assert record(api, client, job_id).task_token is None
    assert overrides_of(api, client, job_id) == {
        "timezone": "America/Sao_Paulo",
        "tables": [STATED, *OVERRIDES["tables"]],
    }
    until(lambda: execution_status(api, job_id) == "SUCCEEDED")
    assert '"analyze"' in output_of(api, job_id)


def test_columns_of_origin_are_stated_and_stay_until_they_are_taken_back(
    api: ApiServices, client: TestClient
) -> None:
    job_id = waiting_job(api, client)
    assert reanalyze(client, job_id, origin_columns={"sheet": "Aba"}).status_code == 200
    assert overrides_of(api, client, job_id)["origin_columns"] == {"sheet": "Aba"}


@pytest.mark.parametrize("value", ["Aba", {"aba": "Aba"}, {"sheet": ""}, {"file": "x" * 501}, {"file": "\0"}])
def test_columns_of_origin_have_labels(api: ApiServices, client: TestClient, value: object) -> None:
    response = reanalyze(client, waiting_job(api, client), origin_columns=value)
    found = error_of(response, 422, "INVALID_REQUEST")["details"][0]
    assert (found["path"].partition(".")[0], "itens" in found["reason"]) == ("origin_columns", False)


def test_only_named_tables_are_read_again(api: ApiServices, client: TestClient) -> None:
    job_id = waiting_job(api, client)
    again = {"file": 1, "sheet": "Dados", "include": False, "encoding": None}
    assert reanalyze(client, job_id, again).status_code == 200
    tables = [{"file": 1, "sheet": "Dados", "header_line": 2, "include": False}]
    assert overrides_of(api, client, job_id) == {"timezone": None, "tables": tables}


@pytest.mark.parametrize(
    ("before", "named", "after"),
    [
        ({"delimiter": ";"}, {"header_line": 3}, {"delimiter": ";", "header_line": 3}),
        ({"delimiter": ";", "trim": True}, {"delimiter": None}, {"trim": True}),
        ({"skip_lines": [4]}, {"skip_lines": None, "last_line": 9}, {"last_line": 9}),
        ({"header_line": 3, "header_lines": 2}, {"header_line": None}, {"header_line": None}),
        ({"header_line": 3, "trim": True}, {"header_line": None, "header_lines": None}, {"trim": True}),
        ({"quote": "'"}, {"quote": None}, {"quote": None}),
        ({"delimiter": ";"}, {}, {}),
    ],
)
def test_a_statement_is_merged_field_by_field(
    before: dict[str, Any], named: dict[str, Any], after: dict[str, Any]
) -> None:
    place = {"file": 0, "sheet": None}
    stated = StatedTable.model_validate({"file": 0, **named}).stated()
    merged = ReadingStatement.read({"tables": [{**place, **before}]}).merged(
        ReadingStatement(tables=[stated])
    )
    assert merged.as_json()["tables"] == [{**place, **after}]


def test_a_zone_is_stated_until_it_is_given_as_null() -> None:
    before = ReadingStatement(timezone="America/Manaus", recipe=False)
    assert before.merged(Reanalysis().as_statement()) == before
    again = before.merged(Reanalysis(timezone=None, recipe=None).as_statement())
    assert (again.timezone, again.recipe) == (None, None)


def test_a_job_answers_what_was_stated_and_the_draft_of_its_review(
    api: ApiServices, client: TestClient
) -> None:
    job_id = waiting_job(api, client)
    path = f"{BASE}/upload-jobs/{job_id}"
    job = client.get(path).json()
    assert (job["stated"], job["draft"]) == (OVERRIDES, None)
    for draft in ({"columns": [{"name": "valor", "decimal_mark": ","}]}, {"step": 2}):
        assert client.put(f"{path}/draft", json=draft).status_code == 204
        assert client.get(path).json()["draft"] == draft
    drafts = [key for key in api.storage.keys(job_key(job["company_id"], job_id, "")) if "draft" in key]
    assert len(drafts) == 1
    assert reanalyze(client, job_id).status_code == 200
    assert client.get(path).json()["draft"] == {"step": 2}


def test_a_draft_is_bounded_and_for_those_who_may_upload(api: ApiServices, client: TestClient) -> None:
    job_id = waiting_job(api, client)
    path = f"{BASE}/upload-jobs/{job_id}/draft"
    fits, over = {"x": "a" * (64 * 1_024 - 9)}, {"x": "a" * (64 * 1_024 - 8)}
    assert client.put(path, content=json.dumps(fits)).status_code == 204
    error_of(client.put(path, content=json.dumps(over)), 413, "REQUEST_TOO_LARGE")
    error_of(client.put(path, json=[]), 422, "INVALID_REQUEST")
    company_id = record(api, client, job_id).company_id
    reader = headers(api, company_id, "managed-tables:list")
    assert client.put(path, json={}, headers=reader).status_code == 403
    assert confirm(client, job_id).status_code == 200
    error_of(client.put(path, json={}), 400, "JOB_NOT_WAITING_CONFIRM")


def test_an_item_of_the_reading_may_be_sent_back(api: ApiServices, client: TestClient) -> None:
    job_id = waiting_job(api, client)
    shown = {**READING["tables"][1], "encoding": None, "rows": 3, "reasons": [], "header_line": None}  # type: ignore[index]
    assert reanalyze(client, job_id, shown).status_code == 200
    stated = {"include": True, "quote": None, "header_line": None}
    assert overrides_of(api, client, job_id)["tables"] == [{"file": 1, "sheet": "Dados", **stated}]


def test_a_repeated_request_has_no_effect(api: ApiServices, client: TestClient) -> None:
    job_id = waiting_job(api, client)
    assert reanalyze(client, job_id).status_code == 200
    assert reanalyze(client, job_id).json() == {"status": "analisando"}
    error_of(reanalyze(client, job_id, {"file": 0}), 400, "JOB_NOT_WAITING_CONFIRM")
    error_of(confirm(client, job_id), 400, "JOB_NOT_WAITING_CONFIRM")


def test_of_simultaneous_requests_and_confirmations_one_is_accepted(
    api: ApiServices, client: TestClient
) -> None:
    job_id = waiting_job(api, client)
    calls = [
        lambda: reanalyze(client, job_id),
        lambda: reanalyze(client, job_id, {"file": 0, "delimiter": ","}),
        lambda: confirm(client, job_id),
    ] * 3
    with ThreadPoolExecutor(len(calls)) as pool:
        answers = [future.result() for future in [pool.submit(call) for call in calls]]
    taken = {number % 3 for number, answer in enumerate(answers) if answer.status_code == 200}
    assert len(taken) == 1
    assert {answer.status_code for answer in answers} == {200, 400}
    assert status_of(client, job_id) == ("inserting" if taken == {2} else "analisando")


def test_a_job_that_does_not_wait_is_400(client: TestClient) -> None:
    job_id = declare(client).json()["job_id"]
    error_of(reanalyze(client, job_id), 400, "JOB_NOT_WAITING_CONFIRM")


def test_reanalysis_requires_the_permission_to_upload(api: ApiServices, client: TestClient) -> None:
    job_id = waiting_job(api, client)
    company_id = record(api, client, job_id).company_id
    reader = headers(api, company_id, "managed-tables:list")
    path = f"{BASE}/upload-jobs/{job_id}/reanalyze"
    assert client.post(path, json={"tables": []}, headers=reader).status_code == 403


IMPOSSIBLE: list[tuple[dict[str, Any], str, str]] = [
    ({"file": 7}, "file", "UNKNOWN_FILE"),
    ({"file": 0, "sheet": "Dados"}, "sheet", "UNKNOWN_SHEET"),
    ({"file": 1, "sheet": "dados"}, "sheet", "UNKNOWN_SHEET"),
    ({"file": 1}, "sheet", "UNKNOWN_SHEET"),
    ({"file": 0, "header_line": 51}, "header_line", "NO_SUCH_LINE"),
    ({"file": 0, "skip_lines": [2, 51]}, "skip_lines", "NO_SUCH_LINE"),
    ({"file": 1, "sheet": "Resumo", "last_line": 6}, "last_line", "NO_SUCH_LINE"),
    ({"file": 1, "sheet": "Resumo", "skip_lines": [1, 2, 3, 4, 5]}, "skip_lines", "NOT_ALLOWED"),
    ({"file": 0, "header_line": 4, "first_line": 4}, "first_line", "NO_SUCH_LINE"),
    ({"file": 0, "header_line": 1, "header_lines": 3, "first_line": 3}, "first_line", "NO_SUCH_LINE"),
    ({"file": 0, "header_lines": 3, "first_line": 3}, "first_line", "NO_SUCH_LINE"),
    ({"file": 0, "first_line": 4, "last_line": 3}, "last_line", "NO_SUCH_LINE"),
    ({"file": 0, "header_line": 4, "skip_lines": [4]}, "skip_lines", "NO_SUCH_LINE"),
    ({"file": 0, "header_line": None, "header_lines": 1}, "header_lines", "NOT_ALLOWED"),
    ({"file": 0, "delimiter": ""}, "delimiter", "NOT_A_DELIMITER"),
    ({"file": 0, "delimiter": "\n"}, "delimiter", "NOT_A_DELIMITER"),
    ({"file": 0, "delimiter": "ab"}, "delimiter", "NOT_A_DELIMITER"),
    ({"file": 0, "delimiter": ";;;;"}, "delimiter", "NOT_A_DELIMITER"),
    ({"file": 0, "quote": "''"}, "quote", "NOT_A_QUOTE"),
    ({"file": 0, "quote": ";"}, "quote", "NOT_A_QUOTE"),
    ({"file": 0, "encoding": "base64"}, "encoding", "UNKNOWN_ENCODING"),
    ({"file": 0, "encoding": "klingon"}, "encoding", "UNKNOWN_ENCODING"),
    ({"file": 1, "sheet": "Dados", "encoding": "utf-8"}, "encoding", "NOT_FOR_A_WORKBOOK"),
]
UNREADABLE: list[Any] = [
    {"tables": [{}]},
    {"tables": [{"file": "0"}]},
    {"tables": [{"file": 0, "header_line": 0}]},
    {"tables": [{"file": 0, "hedaer_line": 1}]},
    {"tables": {}},
    {"zone": "UTC"},
]


def test_an_impossible_reading_is_422_and_says_where(api: ApiServices, client: TestClient) -> None:
    job_id = waiting_job(api, client)
    for table, field, code in IMPOSSIBLE:
        [found] = error_of(reanalyze(client, job_id, table), 422, "INVALID_READING")["details"]
        assert (found["in"], found["path"], found["code"]) == ("body", f"tables[0].{field}", code), table
    [repeated] = error_of(reanalyze(client, job_id, STATED, STATED), 422, "INVALID_READING")["details"]
    assert (repeated["path"], repeated["code"]) == ("tables[1]", "REPEATED")
    for zone in ("Brasil", "../etc/passwd", "", "localtime", "posix/UTC"):
        [unknown] = error_of(reanalyze(client, job_id, timezone=zone), 422, "INVALID_READING")["details"]
        assert (unknown["path"], unknown["code"]) == ("timezone", "UNKNOWN_TIMEZONE")
    for body in UNREADABLE:
        answer = client.post(f"{BASE}/upload-jobs/{job_id}/reanalyze", json=body)
        assert error_of(answer, 422, "INVALID_REQUEST")["details"], body
    assert status_of(client, job_id) == "waiting_confirm"


def test_a_time_zone_that_the_database_does_not_know_is_422(
    api: ApiServices, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("managed_tables_api.reanalysis._zones", lambda: {"America/Nova_Cidade"})
    job_id = waiting_job(api, client)
    answer = reanalyze(client, job_id, timezone="America/Nova_Cidade")
    [unknown] = error_of(answer, 422, "INVALID_READING")["details"]
    assert (unknown["path"], unknown["code"]) == ("timezone", "UNKNOWN_TIMEZONE")
    assert status_of(client, job_id) == "waiting_confirm"


def test_the_sweep_notifies_an_execution_that_was_not_notified(
    api: ApiServices, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = waiting_job(api, client)

    def unavailable(*_: object) -> None:
        raise ExecutionsUnavailable

    with monkeypatch.context() as patch:
        patch.setattr(type(api.executions), "resume", unavailable)
        assert reanalyze(client, job_id).status_code == 200
    job = record(api, client, job_id)
    assert shares.has_moved_on(job)
    later = timestamp()
    assert sweep_job(api, job, later, later) == "reanalyzed"
    until(lambda: execution_status(api, job_id) == "SUCCEEDED")
    assert '"analyze"' in output_of(api, job_id)
    assert record(api, client, job_id).task_token is None
