"""The wiring to AWS: what is signed, and what is not imported."""

import re
import subprocess
import sys

import pytest
from botocore.stub import Stubber
from cloudformation import read_template

from managed_tables import aws_services
from managed_tables.aws_services import AwsServices
from managed_tables.errors import CATALOG_UNAVAILABLE, ApiError
from managed_tables.settings import AppSecret, Settings
from managed_tables_api.services import ApiServices


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> AwsServices:
    """The services of a function in São Paulo."""
    values = {"DEFAULT_REGION": "sa-east-1", "ACCESS_KEY_ID": "key", "SECRET_ACCESS_KEY": "secret"}
    for name, value in values.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):  # perhaps set by an earlier test of the emulator
        monkeypatch.delenv(name, raising=False)
    return AwsServices(Settings(table_name="t", bucket_name="managed-tables-prod"))


@pytest.mark.parametrize("region", ["sa-east-1", "us-east-1", "us-west-2", "eu-central-1"])
def test_files_are_posted_to_the_address_that_the_pages_policy_allows(
    services: AwsServices, monkeypatch: pytest.MonkeyPatch, region: str
) -> None:
    """The global endpoint redirects while a bucket is new, and browsers do not follow."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    headers = read_template("console")["Resources"]["ConsoleHeaders"]["Properties"][
        "ResponseHeadersPolicyConfig"
    ]
    policy = headers["SecurityHeadersConfig"]["ContentSecurityPolicy"]["ContentSecurityPolicy"]["Fn::Sub"]
    (allowed,) = re.findall("connect-src 'self' ([^;]+);", policy)
    names = {"Stage": "prod", "AWS::AccountId": "123456789012", "AWS::Region": region}
    for name, value in {**names, "AWS::URLSuffix": "amazonaws.com"}.items():
        allowed = allowed.replace(f"${{{name}}}", value)
    bucket_name = f"managed-tables-prod-123456789012-{region}"
    services.settings = services.settings.model_copy(update={"bucket_name": bucket_name})
    assert services.storage.presigned_post("uploads/k", 1, 60)["url"] == f"{allowed}/"
    assert services.storage.presigned_get("exports/k", "a.csv", "text/csv", 60).startswith(f"{allowed}/")


def test_a_write_of_one_item_that_meets_a_transaction_is_to_be_tried_again(services: AwsServices) -> None:
    stubbed = Stubber(services.dynamodb)
    stubbed.add_client_error("put_item", "TransactionConflictException")
    with stubbed, pytest.raises(ApiError) as refused:
        services.items.put({"pk": "a", "sk": "b"}, "attribute_not_exists(pk)")
    assert refused.value.kind == CATALOG_UNAVAILABLE


@pytest.mark.parametrize("stored", ["hunter2", '{"master_secret": "hunter2"}'])
def test_a_malformed_secret_is_in_no_error(stored: str) -> None:
    with pytest.raises(ValueError, match="AppSecret") as refused:
        AppSecret.model_validate_json(stored)
    assert "hunter2" not in str(refused.value)


def test_a_table_is_named_without_a_client() -> None:
    """It is named on the event loop, where making one would keep every request waiting."""
    services = ApiServices(Settings(table_name="t", bucket_name="b"))
    services.named_table("a company", "a table")
    assert vars(services).keys() == {"settings"}


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        ("managed_tables_api.handler", {"boto3", "managed_tables_api.openapi"}),
        ("managed_tables_ingest.handler", {"boto3", "psycopg"}),
        ("managed_tables_analyze.handler", {"boto3", "psycopg", "openpyxl"}),
        ("managed_tables_insert.handler", {"boto3"}),
    ],
)
def test_a_function_does_not_import_what_it_may_not_need(module: str, absent: set[str]) -> None:
    code = f"import sys, {module}; print({absent!r} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_unreachable_secrets_are_503_and_fetched_again(
    services: AwsServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also at a process's first request: the failure is not cached."""
    services.settings = services.settings.model_copy(
        update={"aws_endpoint_url": "http://127.0.0.1:1", "app_secret_arn": "arn"}
    )
    monkeypatch.setattr(aws_services, "CONNECT_TIMEOUT_SECONDS", 0.1)
    for _ in range(2):
        with pytest.raises(ApiError) as refused:
            _ = services.app_secret
        assert (refused.value.kind.status, refused.value.kind.code) == (503, "SECRETS_UNAVAILABLE")
