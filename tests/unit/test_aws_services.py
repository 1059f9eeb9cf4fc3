"""The wiring to AWS: what is signed, and what is not imported."""

import subprocess
import sys

import pytest

from managed_tables.aws import aws_services
from managed_tables.aws.aws_services import AwsServices
from managed_tables.errors import ApiError
from managed_tables.settings import Settings


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> AwsServices:
    """The services of a function in São Paulo."""
    values = {"DEFAULT_REGION": "sa-east-1", "ACCESS_KEY_ID": "key", "SECRET_ACCESS_KEY": "secret"}
    for name, value in values.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):  # perhaps set by an earlier test of the emulator
        monkeypatch.delenv(name, raising=False)
    return AwsServices(Settings(table_name="t", bucket_name="managed-tables-prod"))


def test_files_are_posted_to_the_buckets_regional_endpoint(services: AwsServices) -> None:
    """The global endpoint redirects while a bucket is new, and browsers do not follow."""
    post = services.storage.presigned_post("uploads/k", 1, 60)
    assert post["url"] == "https://managed-tables-prod.s3.sa-east-1.amazonaws.com/"


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        (
            "managed_tables_api.handler",
            {"boto3", "managed_tables_api.openapi.document", "managed_tables_api.openapi.page"},
        ),
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
