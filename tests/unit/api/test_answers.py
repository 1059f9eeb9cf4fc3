"""Response headers (ETag, Retry-After, Allow, CORS), and numbers of a job as text."""

import re
from dataclasses import replace
from unittest.mock import Mock

import pytest
from api_probe import bearer
from fastapi import FastAPI
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from managed_tables.catalog.job_records import new_job
from managed_tables.documents.analyses import InferredColumn, InferredSchema, Profile
from managed_tables.documents.document import DetailBody
from managed_tables.errors import (
    DATABASE_UNAVAILABLE,
    TABLE_NOT_FOUND,
    TOO_MANY_REQUESTS,
    VALUES_NOT_CONVERTED,
    ApiError,
    JobError,
)
from managed_tables.uploads import OfferedFile
from managed_tables_api.calls import ApiRoute
from managed_tables_api.http.answers import EntityTags, error_answer
from managed_tables_api.job_models import JobAnswer, JobFailure, JobQuery
from managed_tables_api.routes.upload_jobs import job_fields, show_numbers_as_text

ORIGIN = {"Origin": "https://console.example"}
BASE = "/v1/managed-tables"


def answer(content: object, *, version: int | None = None, tag: str | None = None) -> Response:
    return EntityTags([] if tag is None else [tag]).answer(content, version)


def test_an_etag_changes_with_the_content_and_starts_with_the_table_version() -> None:
    first, again, other = (answer({"a": n}, version=3).headers["etag"] for n in (1, 1, 2))
    assert first == again != other
    assert first.startswith('"v3-')
    assert answer({"a": 1}).headers["etag"] == answer({"a": 1}).headers["etag"]


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
def test_a_matching_etag_gives_304_without_a_body(form: str) -> None:
    tag = answer({"a": 1}).headers["etag"]
    found = answer({"a": 1}, tag=form.format(tag))
    assert (found.status_code, found.body, found.headers["etag"]) == (304, b"", tag)


@pytest.mark.parametrize("given", ['"other"', "", 'W/"other"'])
def test_a_different_etag_gives_the_whole_body(given: str) -> None:
    found = answer({"a": 1}, tag=given)
    assert (found.status_code, found.body) == (200, b'{"a":1}')


def test_retryable_errors_send_retry_after() -> None:
    for kind in (TOO_MANY_REQUESTS, DATABASE_UNAVAILABLE):
        assert int(error_answer(ApiError(kind)).headers["retry-after"]) >= 1
    assert "retry-after" not in error_answer(ApiError(TABLE_NOT_FOUND)).headers


def test_cors_allows_and_exposes_the_api_headers(client: TestClient) -> None:
    preflight = client.options(
        BASE,
        headers={
            **ORIGIN,
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "authorization,if-match,if-none-match,idempotency-key",
        },
    )
    assert preflight.status_code == 200
    exposed = client.get("/probe/caller", headers={**bearer("managed-tables:*"), **ORIGIN})
    names = {one.strip() for one in exposed.headers["access-control-expose-headers"].lower().split(",")}
    assert names == {"allow", "etag", "retry-after", "x-request-id"}


@pytest.mark.parametrize("path", [f"{BASE}/openapi.json", "/probe/caller", "/probe/fault", "/nowhere"])
def test_no_browser_takes_an_answer_for_another_type(client: TestClient, path: str) -> None:
    """Of a route, an error or no route."""
    answer = client.get(path, headers=bearer("managed-tables:*"))
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("method", "path", "status", "allow"),
    [
        ("PUT", "/upload", 405, "POST"),
        ("DELETE", "/upload", 405, "POST"),
        ("GET", "/provision", 405, "POST"),
        ("POST", "/status", 405, "GET"),
        ("POST", "/upload-jobs/active", 405, "GET"),
        ("DELETE", "/upload-jobs/active", 405, "GET"),
        ("PUT", "/upload-jobs/active/confirm", 404, None),
        ("PUT", "/507f1f77bcf86cd799439011/upload", 405, "POST"),
        ("POST", "/507f1f77bcf86cd799439011", 405, "DELETE, GET, PATCH, PUT"),
    ],
)
def test_a_known_path_with_another_method_is_405(
    client: TestClient, method: str, path: str, status: int, allow: str | None
) -> None:
    found = client.request(method, BASE + path, headers=bearer("managed-tables:*"))
    assert (found.status_code, found.headers.get("allow")) == (status, allow)
    assert found.json()["code"] == ("METHOD_NOT_ALLOWED" if status == 405 else "ROUTE_NOT_FOUND")


def test_a_fixed_path_segment_is_never_taken_for_an_id(app: FastAPI, client: TestClient) -> None:
    """Whatever the method, `/upload-jobs` and the like are never looked up as a table."""
    paths = [route.path for route in app.routes if isinstance(route, Route)]
    words = {path.removeprefix(f"{BASE}/").split("/")[0] for path in paths if path.startswith(f"{BASE}/")}
    fixed = {word for word in words if "{" not in word}
    assert {"upload", "upload-jobs", "status", "provision"} <= fixed
    for word in fixed:
        for method in ("PUT", "PATCH", "DELETE"):
            found = client.request(method, f"{BASE}/{word}", headers=bearer("managed-tables:*"))
            assert found.json()["code"] in ("METHOD_NOT_ALLOWED", "ROUTE_NOT_FOUND")


def test_no_path_is_two_routes(app: FastAPI) -> None:
    """Not by an id that is another's word, either: the words of each place are named beside the ids."""
    ours = [route for route in app.routes if isinstance(route, ApiRoute) and route.path.startswith(BASE)]
    for route in ours:
        path = re.sub(r"\{\w+\}", "507f1f77bcf86cd799439011", route.path_format)
        matching = {other.path_format for other in ours if other.path_regex.match(path)}
        assert matching == {route.path_format}


def test_a_column_may_be_called_as_a_path_segment_is(client: TestClient) -> None:
    path = f"{BASE}/507f1f77bcf86cd799439011/columns/hidden/restore"
    found = client.post(path, headers=bearer("managed-tables:list"))
    assert found.json()["code"] == "FORBIDDEN"


def test_numbers_as_text_apply_to_a_jobs_data_but_not_to_its_counts() -> None:
    profile = Profile.model_construct(rows=2, min=1, max=2, top=[[1, 2], [None, 1]], histogram=[[1, 2, 5]])
    schema = InferredSchema.model_construct(
        columns=[InferredColumn.model_construct(name="n", profile=profile)],
        sample_rows=[{"n": 9007199254740993, "t": "x", "b": True, "v": None}],
        total_row_count_estimate=2,
    )
    details = [DetailBody.model_construct(**one) for one in ({"line": 3, "value": 12}, {"line": 4})]
    error = JobFailure.model_construct(details=details)
    found = JobAnswer.model_construct(inferred_schema=schema, error=error, merge_plan=None).as_json()
    show_numbers_as_text(found)
    shown = found["inferred_schema"]
    assert shown["sample_rows"] == [{"n": "9007199254740993", "t": "x", "b": True, "v": None}]
    assert shown["columns"][0]["profile"] == {
        "rows": 2, "min": "1", "max": "2", "top": [["1", 2], [None, 1]], "histogram": [["1", "2", 5]],
    }  # fmt: skip
    assert shown["total_row_count_estimate"] == 2
    assert found["error"]["details"] == [{"line": 3, "value": "12"}, {"line": 4}]
    assert schema.sample_rows[0]["n"] == 9007199254740993


def test_a_job_shows_its_error_once_it_has_left_the_step_that_found_it() -> None:
    """Between a rejection and the status that the state machine writes the job inserts, as before."""
    error = JobError(VALUES_NOT_CONVERTED, count=1).as_record()
    job = replace(
        new_job("a" * 24, "b" * 24, "c" * 24, "create", None, [OfferedFile("a.csv", 1)], 60), error=error
    )
    for status in ("analisando", "inserting", "waiting_confirm", "failed"):
        shown = job_fields(replace(job, status=status), Mock(), JobQuery(fields="error"))["error"]
        assert (shown is not None) == (status in ("waiting_confirm", "failed"))
