"""An app that runs in the test process."""

import pytest
from api_probe import SECRET, probe
from fastapi import FastAPI
from starlette.testclient import TestClient

from managed_tables.settings import AppSecret, Settings
from managed_tables_api.app import create_app, mount
from managed_tables_api.services import ApiServices


@pytest.fixture
def settings() -> Settings:
    return Settings(table_name="t", bucket_name="b", request_max_bytes=2 * 1_048_576)


@pytest.fixture
def services(settings: Settings) -> ApiServices:
    made = ApiServices(settings)
    made.__dict__["app_secret"] = AppSecret(database_master_secret="m")
    made.__dict__["jwt_secret"] = SECRET
    return made


@pytest.fixture
def app(services: ApiServices) -> FastAPI:
    made = create_app(services)
    mount(made, probe)
    return made


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    return TestClient(app, raise_server_exceptions=False)
