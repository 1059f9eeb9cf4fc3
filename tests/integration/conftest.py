"""A real AWS emulator per test process, and the services that every function gets."""

import secrets
from collections.abc import Iterator

import boto3
import pytest
from deployments import (
    JWT_SECRET,
    MASTER_SECRET,
    aws_environment,
    aws_session,
    client_of,
    companies_dropped,
    company,
    drop_database,
    emptied_databases,
    emulator,
    make_table,
    own_company,
    secret_of,
    services,
    settings,
    use_emulator,
)
from loads import with_bucket
from reports import Reports
from rows_client import SALES, RowsClient, RowsCompany
from starlette.testclient import TestClient

from managed_tables.ids import new_record_id
from managed_tables.settings import AppSecret, Settings
from managed_tables_api.app import create_app
from managed_tables_api.services import ApiServices
from managed_tables_local.emulator import Emulator

__all__ = [  # fixtures for the tests of this folder
    "JWT_SECRET",
    "MASTER_SECRET",
    "aws_environment",
    "aws_session",
    "companies_dropped",
    "company",
    "drop_database",
    "emptied_databases",
    "emulator",
    "make_table",
    "own_company",
    "secret_of",
    "services",
    "settings",
]


@pytest.fixture(scope="session")
def rows_company(emulator: Emulator, aws_session: boto3.Session, postgres_dsn: str) -> Iterator[RowsCompany]:
    """A company with a ready database, and the app's services."""
    with pytest.MonkeyPatch.context() as patch:
        use_emulator(emulator, aws_session, patch)
        name = f"rows-{secrets.token_hex(6)}"
        make_table(name)
        client_of("s3").create_bucket(Bucket=name)
        settings = Settings(
            table_name=name, bucket_name=name, aws_endpoint_url=emulator.url, default_timezone="UTC"
        )
        services = ApiServices(settings)
        services.app_secret = AppSecret(database_master_secret=MASTER_SECRET)  # type: ignore[assignment]
        services.jwt_secret = JWT_SECRET  # type: ignore[assignment]
        services.postgres_secret = secret_of(postgres_dsn)  # type: ignore[assignment]
        with companies_dropped(services, postgres_dsn):
            company = services.provisioning.provision(new_record_id())
            with TestClient(create_app(services), raise_server_exceptions=False) as http:
                yield RowsCompany(services, company, http)
            services.connection_cache.close_idle()


@pytest.fixture(scope="session")
def loading_company(rows_company: RowsCompany) -> RowsCompany:
    """The same company, with a bucket for its jobs' objects."""
    return with_bucket(rows_company)


@pytest.fixture
def reports(loading_company: RowsCompany) -> Reports:
    return Reports(loading_company, f"vendas_{secrets.token_hex(5)}")


@pytest.fixture
def rows(rows_company: RowsCompany) -> Iterator[RowsClient]:
    """A client for the rows of an empty table, `SALES`, the company's only table."""
    yield rows_company.make_table(SALES)
    rows_company.drop_tables()
