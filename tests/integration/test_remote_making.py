"""Databases created by the one function that reads the administrators' secrets, called by the others.

The function is the real one; Lambda is replaced by a client that passes events and answers on.
"""

import io
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from deployments import companies_dropped, secret_of

from managed_tables.databases.migrations import SCHEMA_VERSION
from managed_tables.databases.provisioning import DatabaseMaker, MakingFault, Provisioning, RemoteMaker
from managed_tables.errors import (
    CONNECTIONS_TAKEN,
    DATABASE_UNAVAILABLE,
    NOT_PROVISIONED,
    SECRETS_UNAVAILABLE,
    ApiError,
)
from managed_tables.ids import new_record_id
from managed_tables.services import Services
from managed_tables_provision import handler as function

Invoke = Callable[[dict[str, Any]], Any]


class Client:
    """Passes an event to `invoke` and returns its answer, both as JSON."""

    def __init__(self, invoke: Invoke) -> None:
        self._invoke = invoke

    def invoke(self, **request: Any) -> dict[str, Any]:
        answer = json.dumps(self._invoke(json.loads(request["Payload"])))
        return {"Payload": io.BytesIO(answer.encode())}


def remote(invoke: Invoke) -> RemoteMaker:
    return RemoteMaker(lambda: Client(invoke), "provision")  # type: ignore[arg-type,return-value]


@pytest.fixture
def caller(services: Services, postgres_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Services:
    """Return a process without the administrator's secret; the function has it."""
    services.postgres_secret = secret_of(postgres_dsn)  # type: ignore[assignment]
    monkeypatch.setattr(function, "_services", lambda: services)
    known = {"postgres_host": f"{services.postgres_secret.host}:{services.postgres_secret.port}"}
    made = Services(services.settings.model_copy(update={**known, "postgres_sslmode": "prefer"}))
    made.provisioning = Provisioning(  # type: ignore[assignment]
        made.connections, remote(lambda event: function.handler(event, None))
    )
    return made


def test_other_processes_do_not_need_the_administrators_secret(
    caller: Services, services: Services, postgres_dsn: str
) -> None:
    company_id = new_record_id()
    with companies_dropped(services, postgres_dsn):
        with pytest.raises(ApiError) as refused:
            caller.provisioning.require(company_id)
        assert refused.value.kind is NOT_PROVISIONED
        company = caller.provisioning.provision(company_id)
        with caller.databases.company_connection(company) as connection:
            assert connection.info.dbname == f"co_{company.connection_id}"
        services.dynamodb.update_item(
            TableName=services.settings.table_name,
            Key={"pk": {"S": f"COMPANY#{company_id}"}, "sk": {"S": "CONNECTION"}},
            UpdateExpression="ADD schema_version :less",
            ExpressionAttributeValues={":less": {"N": "-1"}},
        )
        assert caller.provisioning.require(company_id).schema_version == SCHEMA_VERSION - 1
        assert caller.provisioning.require(company_id).schema_version == SCHEMA_VERSION
        assert caller.provisioning.rotate_reader(company_id).reader_generation == 1
        assert "postgres_secret" not in caller.__dict__


def test_a_full_cluster_and_a_silent_one_are_distinguished(
    caller: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in (CONNECTIONS_TAKEN, SECRETS_UNAVAILABLE):
        monkeypatch.setattr(DatabaseMaker, "make", Mock(side_effect=ApiError(kind)))
        with pytest.raises(ApiError) as refused:
            caller.provisioning.provision(new_record_id())
        assert refused.value.kind is kind


def _throttled(_event: dict[str, Any]) -> Any:
    raise ClientError({"Error": {"Code": "TooManyRequestsException", "Message": ""}}, "Invoke")


def _silent(_event: dict[str, Any]) -> Any:
    raise ReadTimeoutError(endpoint_url="lambda")


@pytest.mark.parametrize(
    "invoke",
    [_throttled, _silent, lambda _event: {"errorMessage": "2026-01-15 Task timed out after 26.00 seconds"}],
)
def test_a_function_that_does_not_answer_in_time_is_503(invoke: Invoke) -> None:
    with pytest.raises(ApiError) as refused:
        remote(invoke).make(new_record_id())
    assert refused.value.kind is DATABASE_UNAVAILABLE


def test_undeclared_errors_and_missing_permissions_are_faults() -> None:
    with pytest.raises(MakingFault, match="ValueError"):
        remote(lambda _event: {"errorMessage": "x", "errorType": "ValueError"}).make(new_record_id())

    def denied(_event: dict[str, Any]) -> Any:
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": ""}}, "Invoke")

    with pytest.raises(ClientError):
        remote(denied).make(new_record_id())


@pytest.mark.usefixtures("caller")
def test_a_server_whose_certificate_cannot_be_checked_is_refused(services: Services) -> None:
    secret = services.postgres_secret.model_copy(update={"sslmode": "verify-full"})
    databases = replace(services.databases, cluster_secret=lambda _: secret, connect_deadline_seconds=0.1)
    with pytest.raises(ApiError) as refused:
        databases.open_admin_connection("default")
    assert refused.value.kind is DATABASE_UNAVAILABLE
    assert "SSL" in str(refused.value.__cause__)
