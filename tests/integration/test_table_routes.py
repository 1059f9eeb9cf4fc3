"""The routes of provisioning and tables, on real services."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from deployments import JWT_SECRET, bearer, companies_dropped, provision, secret_of
from emptied_databases import EmptiedDatabases
from exporting import ExportMaker
from fastapi import FastAPI
from starlette.testclient import TestClient

from managed_tables.ids import new_record_id
from managed_tables.settings import Settings
from managed_tables_api.app import create_app
from managed_tables_api.openapi import build_document
from managed_tables_api.services import ApiServices

BASE = "/v1/managed-tables"
COLUMNS = [
    {"name": "produto", "display_name": "Product", "type": "text", "nullable": False},
    {"name": "valor", "display_name": "Value", "type": "decimal", "nullable": True},
]
TABLE = {"display_name": "vendas_mensais", "columns": COLUMNS}
USER = "507f1f77bcf86cd799439014"


@pytest.fixture
def company_id() -> str:
    return new_record_id()


@pytest.fixture
def api(settings: Settings, postgres_dsn: str) -> ApiServices:
    services = ApiServices(settings)
    services.postgres_secret = secret_of(postgres_dsn)  # type: ignore[assignment]
    return services


@pytest.fixture
def client(
    api: ApiServices, postgres_dsn: str, company_id: str, emptied_databases: EmptiedDatabases
) -> Iterator[TestClient]:
    headers = bearer(JWT_SECRET, company_id, sub=USER)
    with companies_dropped(api, postgres_dsn, emptied_databases.connection_ids):
        yield TestClient(create_app(api), headers=headers, raise_server_exceptions=False)


@pytest.fixture
def provisioned(
    client: TestClient, api: ApiServices, company_id: str, emptied_databases: EmptiedDatabases
) -> TestClient:
    provision(api, emptied_databases, company_id)
    return client


def wrong(column: dict[str, Any]) -> dict[str, Any]:
    return {**TABLE, "columns": [COLUMNS[0], {**COLUMNS[1], **column}]}


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({**TABLE, "display_name": "1a"}, {"in": "body", "path": "display_name"}),
        ({**TABLE, "display_name": 7}, {"in": "body", "path": "display_name"}),
        ({"columns": COLUMNS}, {"in": "body", "path": "display_name"}),
        (wrong({"name": "id"}), {"path": "columns[1].name", "column": "id", "code": "RESERVED_NAME"}),
        (wrong({"name": "A b"}), {"path": "columns[1].name", "column": "A b", "code": "INVALID_NAME"}),
        (
            wrong({"name": "produto"}),
            {"path": "columns[1].name", "column": "produto", "code": "DUPLICATE_NAME"},
        ),
        (wrong({"type": "varchar"}), {"path": "columns[1].type", "column": "valor", "code": "NOT_ALLOWED"}),
        (wrong({"nullable": "yes"}), {"path": "columns[1].nullable", "column": "valor", "value": "yes"}),
        (wrong({"nullable": None}), {"path": "columns[1].nullable", "code": "NOT_A_BOOLEAN"}),
        ({**TABLE, "columns": [COLUMNS[0], 5]}, {"path": "columns[1]", "value": 5, "code": "NOT_AN_OBJECT"}),
        ({**TABLE, "columns": [{}]}, {"path": "columns[0].name", "code": "REQUIRED"}),
        ({**TABLE, "columns": 5}, {"path": "columns", "code": "NOT_A_LIST"}),
    ],
)
def test_a_wrong_schema_is_422_and_names_the_fault(
    provisioned: TestClient, body: dict[str, Any], detail: dict[str, Any]
) -> None:
    answer = provisioned.post(BASE, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_SCHEMA")
    assert detail.items() <= answer.json()["details"][0].items()


def test_an_unknown_parameter_is_refused_by_every_route(provisioned: TestClient, company_id: str) -> None:
    """The error names it, before anything is done, but unknown ids are reported first."""
    table = provisioned.post(BASE, json=TABLE).json()["_id"]
    provisioned.post(f"{BASE}/{table}/data", json={"rows": [{"produto": "x"}]})
    row = provisioned.get(f"{BASE}/{table}/data").json()["records"][0]["id"]
    job = provisioned.post(f"{BASE}/upload", json={"files": [{"name": "a.csv", "size_bytes": 1}]}).json()[
        "job_id"
    ]
    app = provisioned.app
    assert isinstance(app, FastAPI)
    export = make_export(app.state.services, company_id, table)
    known = {"table_id": table, "row_id": row, "job_id": job, "export_id": export}
    known |= {"name": "produto", "view_id": table}  # of a table, which is looked up with its own
    paths = build_document(app)["paths"]
    for path, method, operation in ((at, *one) for at in paths for one in paths[at].items()):
        names = [name for name in known if f"{{{name}}}" in path]
        assert set(re.findall(r"\{(\w+)\}", path)) == set(names)
        address = path.format(**known) if names else path
        answer = provisioned.request(method, f"{address}?page=1&colour=blue&x%5By%5D=1")
        assert (answer.status_code, answer.json()["code"]) == (422, "UNKNOWN_PARAMETER"), (method, path)
        named = {one["path"] for one in answer.json()["details"]}
        assert named - {"page"} == {"colour", "x[y]"}
        assert answer.json()["details"][0]["in"] == "query"
        for name in names:
            if name in ("name", "view_id"):
                continue
            unknown = {**known, name: known[name][::-1]}
            answer = provisioned.request(method, f"{path.format(**unknown)}?colour=blue")
            assert answer.status_code == 404, (method, path, name)
        assert "422" in operation["responses"]
    assert provisioned.get(f"{BASE}/{table}").json()["row_count"] == 1


def make_export(services: ApiServices, company_id: str, table_id: str) -> str:
    """Return the id of an export that is not run."""
    company = services.provisioning.require(company_id)
    table = services.table_reading.get(company, table_id)
    return ExportMaker(services, company).queue(table, format="csv").export_id


def test_a_tables_tag_begins_with_its_version_and_changes_with_it(provisioned: TestClient) -> None:
    url = f"{BASE}/{provisioned.post(BASE, json=TABLE).json()['_id']}"
    first = provisioned.get(url)
    assert first.headers["etag"].startswith('"v1-')
    again = provisioned.get(url, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    provisioned.put(url, json={"display_name": "outra"})
    changed = provisioned.get(url, headers={"If-None-Match": first.headers["etag"]})
    assert changed.status_code == 200
    assert changed.headers["etag"].startswith('"v2-')
