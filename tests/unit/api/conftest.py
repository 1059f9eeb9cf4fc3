"""An app that runs in the test process."""

from types import SimpleNamespace

import pytest
from api_probe import SECRET, probe
from fastapi import FastAPI
from starlette.testclient import TestClient

from managed_tables.errors import TABLE_NOT_FOUND, ApiError
from managed_tables.ids import is_record_id
from managed_tables.settings import AppSecret, Settings
from managed_tables_api.app import create_app
from managed_tables_api.services import ApiServices


@pytest.fixture
def settings() -> Settings:
    return Settings(table_name="t", bucket_name="b", request_max_bytes=2 * 1_048_576)


@pytest.fixture
def services(settings: Settings) -> ApiServices:
    made = ApiServices(settings)
    made.app_secret = AppSecret(database_master_secret="m")
    made.jwt_secret = SECRET
    made.provisioning = SimpleNamespace(find=lambda company_id: company_id)
    made.table_reading = SimpleNamespace(get=find_table)
    return made


def find_table(_company: object, table_id: str) -> None:
    """Know every table whose id is one, without a catalogue."""
    if not is_record_id(table_id):
        raise ApiError(TABLE_NOT_FOUND)


@pytest.fixture
def app(services: ApiServices) -> FastAPI:
    made = create_app(services)
    made.router.routes.extend(probe.routes)
    return made


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    return TestClient(app, raise_server_exceptions=False)
