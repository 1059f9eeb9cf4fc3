"""Least privilege, shown by taking it away: without any one statement of a policy something no longer works.

Runs with `--iam` only (`make test-iam`, some minutes): it changes the policies of the deployed stack's roles,
and puts them back.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from client import Console, column

from managed_tables_local.deployment import STACK_NAME

FUNCTIONS = ("ApiFunction", "IngestFunction", "SweepFunction", "AnalyzeFunction", "InsertFunction")
MACHINE = "JobStateMachine"
# What an emulator does not ask for; unit tests and AWS's documentation stand for these
NOT_ASKED_FOR = {(MACHINE, "LogDelivery"): "the emulator delivers no logs of executions"}
STEP_LIMIT_SECONDS = 30.0  # what takes some 3 s with every permission
LONG_AGO = "2020-01-01T00:00:00.000Z"


class Cloud:
    """The deployed stack's roles and functions, as their administrator."""

    def __init__(self, facts: dict[str, str]) -> None:
        keys = {
            "endpoint_url": facts["aws_endpoint_url"],
            "region_name": facts["region"],
            "aws_access_key_id": facts["access_key_id"],
            "aws_secret_access_key": facts["secret_access_key"],
        }
        self.iam, self.functions = boto3.client("iam", **keys), boto3.client("lambda", **keys)  # type: ignore[call-overload]
        self.machines, self.dynamodb = boto3.client("stepfunctions", **keys), boto3.client("dynamodb", **keys)  # type: ignore[call-overload]
        stacks = boto3.client("cloudformation", **keys)  # type: ignore[call-overload]
        found = stacks.describe_stack_resources(StackName=STACK_NAME)["StackResources"]
        self.names = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}
        self.facts = facts

    def role(self, name: str) -> str:
        if name == MACHINE:
            arn = self.machines.describe_state_machine(stateMachineArn=self.facts["state_machine_arn"])
            return str(arn["roleArn"].rpartition("/")[2])
        found = self.functions.get_function_configuration(FunctionName=self.names[name])
        return str(found["Role"].rpartition("/")[2])

    def statements(self, name: str) -> list[tuple[str, str, dict[str, Any]]]:
        """Return role, policy and statement of each statement of ours."""
        role = self.role(name)
        return [
            (role, policy, statement)
            for policy in self.iam.list_role_policies(RoleName=role)["PolicyNames"]
            for statement in self._document(role, policy)["Statement"]
            if "Sid" in statement
        ]

    def _document(self, role: str, policy: str) -> dict[str, Any]:
        document = self.iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
        return json.loads(document) if isinstance(document, str) else dict(document)

    @contextmanager
    def without(self, name: str, role: str, policy: str, sid: str) -> Iterator[None]:
        """Take the statement away for the `with` block."""
        whole = self._document(role, policy)
        less = {**whole, "Statement": [one for one in whole["Statement"] if one.get("Sid") != sid]}
        self._put(name, role, policy, less)
        try:
            yield
        finally:
            self._put(name, role, policy, whole)

    def _put(self, name: str, role: str, policy: str, document: dict[str, Any]) -> None:
        self.iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document))
        if name != MACHINE:  # a warm process has read its secrets already
            self.functions.update_function_configuration(
                FunctionName=self.names[name], Description=f"{name} {time.monotonic_ns()}"
            )

    def change_job(self, console: Console, job_id: str, **values: Any) -> None:
        """Put values into a job's record behind the API's back."""
        self.dynamodb.update_item(
            TableName=self.facts["table_name"],
            Key={"pk": {"S": f"COMPANY#{console.company_id}"}, "sk": {"S": f"JOB#{job_id}"}},
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
            ExpressionAttributeNames={f"#{name}": name for name in values},
            ExpressionAttributeValues={f":{name}": value for name, value in values.items()},
        )

    def stop_execution(self, job_id: str) -> None:
        """End the job's execution, which tells nobody."""
        arn = self.facts["state_machine_arn"].replace(":stateMachine:", ":execution:")
        self.machines.stop_execution(executionArn=f"{arn}:{job_id}")

    def sweep(self) -> dict[str, int]:
        answer = self.functions.invoke(FunctionName=self.names["SweepFunction"])
        assert "FunctionError" not in answer, answer["Payload"].read()
        return dict(json.loads(answer["Payload"].read()))


def job_flow(console: Console) -> None:
    """A company from its provisioning to the rows of an uploaded file."""
    company = console.other_company()
    company.provision()
    company.create_table("antes", column("produto"))
    job_id = company.upload_presigned({"a.csv": "produto\nCafé\n"})
    job = company.wait(job_id, "waiting_confirm", limit_seconds=STEP_LIMIT_SECONDS)
    assert company.confirm(job).status == 200
    done = company.wait(job_id, "done", limit_seconds=STEP_LIMIT_SECONDS)
    assert len(company.rows(done["user_table_id"])) == 1


def sweep_flow(console: Console, cloud: Cloud) -> None:
    """One job of each kind that a sweep looks after.

    Overdue, never started, confirmed and not delivered, cut off while its rows went in.
    """
    company = console.other_company()
    company.provision()
    declared = {"files": [{"name": "a.csv", "size_bytes": 3}]}
    overdue = company.ok("POST", "/upload", declared)["job_id"]
    cloud.change_job(company, overdue, expires_at={"S": LONG_AGO})
    lost = company.ok("POST", "/upload", declared)
    key = lost["uploads"][0]["fields"]["key"]
    cloud.change_job(company, lost["job_id"], arrived={"SS": [key]}, updated_at={"S": LONG_AGO})
    waiting = company.analyzed({"b.csv": "produto\nCafé\n"})["_id"]
    cloud.change_job(company, waiting, status={"S": "inserting"}, updated_at={"S": LONG_AGO})
    cut = company.analyzed({"c.csv": "produto\nCafé\n"})["_id"]
    cloud.stop_execution(cut)
    cloud.change_job(company, cut, status={"S": "inserting"}, updated_at={"S": LONG_AGO})
    swept = cloud.sweep()
    assert {"expired", "started", "confirmed", "failed"} <= set(swept), swept


@pytest.fixture
def cloud(stack_file: Path) -> Cloud:
    return Cloud(json.loads(stack_file.read_text()))


def _breaks(flow: Callable[[], None]) -> str | None:
    """Return how the flow fails, None if it does not."""
    try:
        flow()
    except (AssertionError, OSError) as error:
        return str(error).splitlines()[0][:150]
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:150]
    return None


@pytest.mark.flow
def test_no_statement_can_be_taken_away(
    console: Console, cloud: Cloud, pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    """With all of them everything works; without any one, its flow does not."""
    if not pytestconfig.getoption("iam"):
        pytest.skip("make test-iam")
    everything = {"sweep": lambda: sweep_flow(console, cloud), "job": lambda: job_flow(console)}
    for flow in everything.values():
        assert _breaks(flow) is None
    needless = []
    for name in (*FUNCTIONS, MACHINE):
        flow = everything["sweep" if name == "SweepFunction" else "job"]
        for role, policy, statement in cloud.statements(name):
            with cloud.without(name, role, policy, statement["Sid"]):
                seen = _breaks(flow)
            with capsys.disabled():
                print(f"{name} without {statement['Sid']}: {seen or 'NOTHING BREAKS'}", flush=True)
            if seen is None and (name, statement["Sid"]) not in NOT_ASKED_FOR:
                needless.append((name, statement["Sid"]))
    for flow in everything.values():
        assert _breaks(flow) is None
    assert needless == []
