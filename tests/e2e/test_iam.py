"""Least privilege, shown by removal: without any one statement of a policy, something stops working.

Runs with `--iam` only (`make test-iam`, some minutes): it changes the policies of the deployed stack's roles,
and puts them back.
"""

import json
import random
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from client import POLL_SECONDS, Console, column, until

from managed_tables_local.deployment import STACK_NAME, STAGE

FUNCTIONS = (
    "ApiFunction",
    "IngestFunction",
    "SweepFunction",
    "AnalyzeFunction",
    "InsertFunction",
    "ExportFunction",
    "ProvisionFunction",
)
# What the emulator does not check; unit tests and AWS's documentation cover these
NOT_ASKED_FOR = {
    ("IngestFunction", "WhatIsGone"): "the emulator answers 404 for what is gone without it, AWS 403",
    ("AnalyzeFunction", "WhatIsGone"): "the same",
    ("InsertFunction", "WhatIsGone"): "the same",
    (
        "ProvisionFunction",
        "ManagedSecrets",
    ): "of further clusters whose secrets RDS manages; here there is none",
    ("ProvisionFunction", "FurtherSecrets"): "of further clusters; here there is one",
    ("ProvisionFunction", "SecretsKey"): "of a customer's own key; here there is none",
}
FUNCTION_LOGS = f"/managed-tables/{STAGE}/functions"
REFUSED = "not authorized to perform"
STEP_LIMIT_SECONDS = 60.0  # takes about 3 s with every permission, on an idle machine
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
        self.s3 = boto3.client("s3", **keys)  # type: ignore[call-overload]
        self.events, self.logs = boto3.client("events", **keys), boto3.client("logs", **keys)  # type: ignore[call-overload]
        stacks = boto3.client("cloudformation", **keys)  # type: ignore[call-overload]
        found = stacks.describe_stack_resources(StackName=STACK_NAME)["StackResources"]
        self.names = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}
        self.facts = facts

    @contextmanager
    def schedule_paused(self) -> Iterator[None]:
        """Let the sweep run only when invoked: a scheduled one would do a test's work first."""
        rules = [rule["Name"] for rule in self.events.list_rules()["Rules"] if "ScheduleExpression" in rule]
        assert rules
        for rule in rules:
            self.events.disable_rule(Name=rule)
        try:
            yield
        finally:
            for rule in rules:
                self.events.enable_rule(Name=rule)

    def role(self, name: str) -> str:
        found = self.functions.get_function_configuration(FunctionName=self.names[name])
        return str(found["Role"].rpartition("/")[2])

    def statements(self, name: str) -> list[tuple[str, str, dict[str, Any]]]:
        """Return role, policy and statement for each of our statements."""
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
        """Remove the statement for the `with` block."""
        whole = self._document(role, policy)
        less = {**whole, "Statement": [one for one in whole["Statement"] if one.get("Sid") != sid]}
        self._put(name, role, policy, less)
        try:
            yield
        finally:
            self._put(name, role, policy, whole)

    def _put(self, name: str, role: str, policy: str, document: dict[str, Any]) -> None:
        self.iam.put_role_policy(RoleName=role, PolicyName=policy, PolicyDocument=json.dumps(document))
        self._start_afresh(self.names[name])

    def _start_afresh(self, function: str) -> None:
        """Make the function start a new process: a warm one has already read its secrets."""
        environment = self.functions.get_function_configuration(FunctionName=function)["Environment"]
        variables = {**environment["Variables"], "STARTED_AFRESH": str(time.monotonic_ns())}
        self.functions.update_function_configuration(
            FunctionName=function, Environment={"Variables": variables}
        )
        version = self.functions.publish_version(FunctionName=function)["Version"]
        self.functions.update_alias(FunctionName=function, Name="live", FunctionVersion=version)

    def change_job(self, console: Console, job_id: str, **values: Any) -> None:
        """Put values into a job's record behind the API's back."""
        self.dynamodb.update_item(
            TableName=self.facts["table_name"],
            Key={"pk": {"S": f"COMPANY#{console.company_id}"}, "sk": {"S": f"JOB#{job_id}"}},
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
            ExpressionAttributeNames={f"#{name}": name for name in values},
            ExpressionAttributeValues={f":{name}": value for name, value in values.items()},
        )

    def wait_until_arrived(self, console: Console, job_id: str) -> None:
        """Wait until the job's record says that a file of it has come."""
        key = {"pk": {"S": f"COMPANY#{console.company_id}"}, "sk": {"S": f"JOB#{job_id}"}}

        def has_come() -> bool | None:
            item = self.dynamodb.get_item(TableName=self.facts["table_name"], Key=key, ConsistentRead=True)
            return "arrived" in item["Item"] or None

        until(has_come, STEP_LIMIT_SECONDS)

    def wait_until_published(self, console: Console, job_id: str) -> None:
        """Wait until the job's end has been published on the bus, which only its record shows."""
        key = {"pk": {"S": f"COMPANY#{console.company_id}"}, "sk": {"S": f"JOB#{job_id}"}}

        def is_published() -> bool | None:
            item = self.dynamodb.get_item(TableName=self.facts["table_name"], Key=key, ConsistentRead=True)
            return "unannounced" not in item["Item"] or None

        until(is_published, STEP_LIMIT_SECONDS)

    def age_database(self, console: Console) -> None:
        """Make the company's database look like an earlier release's: its next user migrates it."""
        self.dynamodb.update_item(
            TableName=self.facts["table_name"],
            Key={"pk": {"S": f"COMPANY#{console.company_id}"}, "sk": {"S": "CONNECTION"}},
            UpdateExpression="ADD schema_version :less",
            ExpressionAttributeValues={":less": {"N": "-1"}},
        )

    def add_ticket(self, console: Console, job_id: str) -> None:
        """Make the job wait for a slot."""
        key = {"pk": f"COMPANY#{console.company_id}", "sk": f"WAITING_JOB#00000#{job_id}"}
        ticket = {**key, "waiting_job_id": job_id, "stamp": "of the test"}
        item = {name: {"S": value} for name, value in ticket.items()}
        self.dynamodb.put_item(TableName=self.facts["table_name"], Item=item)

    def is_started(self, job_id: str) -> bool:
        """Return whether the job has an execution."""
        arn = self.facts["state_machine_arn"].replace(":stateMachine:", ":execution:")
        try:
            self.machines.describe_execution(executionArn=f"{arn}:{job_id}")
        except self.machines.exceptions.ExecutionDoesNotExist:
            return False
        return True

    def has_token(self, console: Console, job_id: str) -> bool:
        """Return whether the job's execution is still waiting to be told how to continue."""
        key = {"pk": {"S": f"COMPANY#{console.company_id}"}, "sk": {"S": f"JOB#{job_id}"}}
        item = self.dynamodb.get_item(TableName=self.facts["table_name"], Key=key, ConsistentRead=True)
        return "task_token" in item["Item"]

    def stop_execution(self, job_id: str) -> None:
        """Stop the job's execution, which notifies nobody."""
        arn = self.facts["state_machine_arn"].replace(":stateMachine:", ":execution:")
        self.machines.stop_execution(executionArn=f"{arn}:{job_id}")

    def run_again(self, console: Console, export_id: str) -> None:
        """Run the export again, by its function alone, in an earlier release's database."""
        self.dynamodb.update_item(
            TableName=self.facts["table_name"],
            Key={"pk": {"S": f"COMPANY#{console.company_id}"}, "sk": {"S": f"EXPORT#{export_id}"}},
            UpdateExpression="SET #status = :queued",
            ExpressionAttributeNames={"#status": "status"},
            ExpressionAttributeValues={":queued": {"S": "queued"}},
        )
        self.age_database(console)
        answer = self.invoke("ExportFunction", {"company_id": console.company_id, "export_id": export_id})
        assert answer["outcome"] == "done", answer

    def invoke(self, name: str, event: Any) -> Any:
        answer = self.functions.invoke(FunctionName=self.names[name], Payload=json.dumps(event))
        assert "FunctionError" not in answer, answer["Payload"].read()
        return json.loads(answer["Payload"].read())


def job_flow(console: Console, cloud: Cloud) -> None:
    """Take a company from provisioning to the rows of an uploaded file, and back to the line of one."""
    company = console.other_company()
    company.provision()
    company.create_table("antes", column("produto"))
    job_id = company.upload_presigned({"a.csv": "produto\nCafé\n"})
    job = company.wait(job_id, "waiting_confirm", limit_seconds=STEP_LIMIT_SECONDS)
    assert company.confirm(job).status == 200
    done = company.wait(job_id, "done", limit_seconds=STEP_LIMIT_SECONDS)
    (row,) = company.rows(done["user_table_id"])
    origin = company.ok("GET", f"/{done['user_table_id']}/data/{row['id']}/origin")
    assert (origin["available"], origin["line"]) == (True, 2)
    cloud.wait_until_published(company, job_id)


def refused_flow(console: Console, cloud: Cloud) -> None:
    """Upload a file that cannot be read: its job ends, and that is published."""
    company = console.other_company()
    company.provision()
    job_id = company.upload({"a.csv": "%PDF-1.7"})
    _wait_until_failed(company, job_id)
    cloud.wait_until_published(company, job_id)


def cancel_flow(console: Console, cloud: Cloud) -> None:
    """Cancel a waiting job: its files are gone and its execution is over."""
    company = console.other_company()
    company.provision()
    job_id = company.analyzed({"a.csv": "produto\nCafé\n"})["_id"]
    company.ok("DELETE", f"/upload-jobs/{job_id}")
    cloud.wait_until_published(company, job_id)
    prefix = f"jobs/{company.company_id}/{job_id}/"
    assert "Contents" not in cloud.s3.list_objects_v2(Bucket=cloud.facts["bucket_name"], Prefix=prefix)


def failed_append(console: Console, cloud: Cloud, *, is_kept: bool = False) -> Callable[[], None]:
    """Append to a table a file that adds a column, and fails; return what checks that the column is gone.

    The column `is_kept` at first where another job is loading into the table: the sweep takes it back.
    """
    company = console.other_company()
    company.provision()
    table_id = company.create_table("vendas")["_id"]
    company.ok("PUT", f"/{table_id}", {"key": ["produto"]})
    other = company.analyzed({"a.csv": "produto\nCafé\n"}, table_id)["_id"]
    if is_kept:
        cloud.change_job(company, other, status={"S": "inserting"})
    too_long = random.Random(0).randbytes(5_000).hex()  # noqa: S311 - for a key: it does not compress
    job = company.analyzed({"b.csv": f"produto;novo\n{too_long};1\n"}, table_id)
    assert company.confirm(job).status == 200
    _wait_until_failed(company, job["_id"])
    assert company.job(job["_id"])["error"]["code"] == "KEY_TOO_LONG"
    if is_kept:
        cloud.change_job(company, other, status={"S": "waiting_confirm"})
        cloud.change_job(company, job["_id"], updated_at={"S": LONG_AGO})

    def check() -> None:
        until(lambda: len(company.table(table_id)["columns"]) == 1 or None, STEP_LIMIT_SECONDS)

    return check


def _wait_until_failed(company: Console, job_id: str) -> None:
    until(lambda: str(company.job(job_id)["status"]) == "failed" or None, STEP_LIMIT_SECONDS)


def export_flow(console: Console, cloud: Cloud) -> None:
    """Export a table's rows to a downloadable file, and again from a database that is migrated meanwhile."""
    company = console.other_company()
    company.provision()
    table_id = company.create_table("vendas", column("produto"))["_id"]
    company.insert(table_id, {"produto": "Café"})
    export_id = company.ok("POST", f"/{table_id}/exports", {"format": "csv"})["export_id"]

    def ended() -> dict[str, Any] | None:
        found: dict[str, Any] = company.ok("GET", f"/exports/{export_id}")
        return found if found["status"] in ("done", "failed") else None

    url = until(ended, STEP_LIMIT_SECONDS)["url"]
    assert company.http.get(url).text.splitlines() == ["produto", "Café"]
    cloud.run_again(company, export_id)


def inbox_flow(console: Console, cloud: Cloud) -> None:
    """Put files into the inbox: one becomes a table unattended, one that is gone becomes nothing."""
    company = console.other_company()
    company.provision()
    bucket, key = cloud.facts["bucket_name"], f"inbox/{company.company_id}/a.csv"
    wanted = {"auto-confirm": "true", "table": "da_caixa"}
    cloud.age_database(company)  # insert is the first to use it: nobody calls the API meanwhile
    cloud.s3.put_object(Bucket=bucket, Key=key, Body=b"produto\nCaf\xc3\xa9\n", Metadata=wanted)
    until(lambda: company.ok("GET", "/upload-jobs?status=done")["total"] or None, STEP_LIMIT_SECONDS)
    assert [one["row_count"] for one in company.ok("GET")["records"]] == [1]
    assert cloud.s3.get_object_tagging(Bucket=bucket, Key=key)["TagSet"]
    cloud.s3.put_object(Bucket=bucket, Key=key, Body=b"produto\n", Metadata={"mode": "x"})
    until(lambda: company.ok("GET", "/upload-jobs?status=failed")["total"] or None, STEP_LIMIT_SECONDS)
    gone = {"key": f"inbox/{company.company_id}/gone.csv", "size": 1, "eTag": "0" * 32}
    record = {
        "eventName": "ObjectCreated:Put",
        "eventTime": "2026-01-01T00:00:00.000Z",
        "s3": {"bucket": {"name": bucket}, "object": gone},
    }
    cloud.invoke("IngestFunction", {"Records": [record]})


def sweep_flow(console: Console, cloud: Cloud) -> None:
    """Sweep one job of each kind that a sweep handles.

    Overdue, also where a file has come whose event was lost, never started, confirmed but not delivered,
    interrupted while inserting, cancelled or failed but not cleared.
    """
    check_failed_append = failed_append(console, cloud, is_kept=True)
    company, idle = console.other_company(), console.other_company()
    company.provision()
    idle.provision()  # nobody but the sweep uses its database, which is to be migrated
    declared = {"files": [{"name": "a.csv", "size_bytes": 3}]}
    overdue = company.ok("POST", "/upload", declared)["job_id"]
    cloud.change_job(company, overdue, expires_at={"S": LONG_AGO})
    unheard = console.other_company()  # of one of two files nobody heard; the record tells of the other
    unheard.provision()
    both = unheard.ok(
        "POST", "/upload", {"files": [{"name": name, "size_bytes": 1} for name in ("e.csv", "f.csv")]}
    )
    came = both["uploads"][0]["fields"]["key"]
    cloud.s3.put_object(Bucket=cloud.facts["bucket_name"], Key=came, Body=b"x")
    cloud.wait_until_arrived(unheard, both["job_id"])
    cloud.change_job(unheard, both["job_id"], arrived={"SS": ["-"]}, expires_at={"S": LONG_AGO})
    lost = company.ok("POST", "/upload", declared)
    key = lost["uploads"][0]["fields"]["key"]
    cloud.change_job(company, lost["job_id"], arrived={"SS": [key]}, updated_at={"S": LONG_AGO})
    waiting = company.analyzed({"b.csv": "produto\nCafé\n"})["_id"]
    cloud.change_job(company, waiting, status={"S": "inserting"}, updated_at={"S": LONG_AGO})
    cut = idle.analyzed({"c.csv": "produto\nCafé\n"})["_id"]
    cloud.stop_execution(cut)
    cloud.change_job(idle, cut, status={"S": "inserting"}, updated_at={"S": LONG_AGO})
    cancelled = company.analyzed({"d.csv": "produto\nCafé\n"})["_id"]
    company.ok("DELETE", f"/upload-jobs/{cancelled}")
    cloud.change_job(company, cancelled, updated_at={"S": LONG_AGO})
    left = f"jobs/{company.company_id}/{cancelled}/left"
    cloud.s3.put_object(Bucket=cloud.facts["bucket_name"], Key=left, Body=b"x")
    cloud.age_database(idle)
    swept = cloud.invoke("SweepFunction", {})
    assert "Contents" not in cloud.s3.list_objects_v2(Bucket=cloud.facts["bucket_name"], Prefix=left)
    assert {"expired", "arrived", "started", "confirmed", "failed"} <= set(swept), swept
    check_failed_append()
    cloud.wait_until_published(company, overdue)
    cloud.wait_until_published(idle, cut)


def shares_flow(name: str, console: Console, cloud: Cloud) -> None:
    """A function that passes a slot on, or takes one, resumes the company's first waiting jobs.

    Here one that was never started and one that was confirmed; both have a ticket, and nobody resumed them.
    """
    company = console.other_company()
    company.provision()
    declared = {"files": [{"name": "a.csv", "size_bytes": 3}]}
    unstarted = company.ok("POST", "/upload", declared)
    key = unstarted["uploads"][0]["fields"]["key"]
    cloud.change_job(company, unstarted["job_id"], arrived={"SS": [key]})
    confirmed, used = (company.analyzed({f"{one}.csv": "produto\nCafé\n"})["_id"] for one in "bc")
    cloud.change_job(company, confirmed, status={"S": "inserting"}, confirmed_key={"S": "./gone.json"})
    for job_id in (unstarted["job_id"], confirmed):
        cloud.add_ticket(company, job_id)
    match name:
        case "ApiFunction":
            company.ok("DELETE", f"/upload-jobs/{used}")
        case "IngestFunction":
            company.upload({"d.csv": "produto\nCafé\n"})
        case "AnalyzeFunction":
            cloud.invoke(name, {"company_id": company.company_id, "job_id": used})
        case "InsertFunction":
            event = {"company_id": company.company_id, "job_id": used, "task_token": "none", "rounds": 1}
            cloud.change_job(company, used, status={"S": "inserting"})
            cloud.invoke(name, event)
    until(lambda: cloud.is_started(unstarted["job_id"]) or None, STEP_LIMIT_SECONDS)
    until(lambda: not cloud.has_token(company, confirmed) or None, STEP_LIMIT_SECONDS)
    for job_id in (unstarted["job_id"], confirmed):  # neither has what its step reads, so it may have failed
        company.call("DELETE", f"/upload-jobs/{job_id}")


@pytest.fixture
def cloud(stack_file: Path, pytestconfig: pytest.Config) -> Iterator[Cloud]:
    if not pytestconfig.getoption("iam"):
        pytest.skip("make test-iam")
    found = Cloud(json.loads(stack_file.read_text()))
    with found.schedule_paused():
        yield found


class Denials:
    """What the functions' log says about refused calls, from now on."""

    def __init__(self, cloud: Cloud) -> None:
        self._logs, self._start = cloud.logs, time.time_ns() // 1_000_000

    def find(self, role: str) -> str | None:
        """Return the action that the role was refused, or None."""
        told = self._logs.filter_log_events(
            logGroupName=FUNCTION_LOGS, startTime=self._start, filterPattern=f'"{REFUSED}" "{role}"'
        )
        text = "\n".join(event["message"] for event in told["events"])
        found = re.search(rf"/{re.escape(role)}\b.*? {REFUSED}: (\S+)", text)
        return f"denied {found[1]}" if found else None


def _breaks(flow: Callable[[], None], refused: Callable[[], str | None] = lambda: None) -> str | None:
    """Return how the flow fails, or what was refused meanwhile; None if it succeeds."""
    pool = ThreadPoolExecutor(1)
    running = pool.submit(flow)
    pool.shutdown(wait=False)
    while not running.done() and not refused():
        time.sleep(POLL_SECONDS)
    if not running.done():
        return refused()
    error = running.exception()
    return f"{type(error).__name__}: {error}"[:120].replace("\n", " ") if error else None


def whole_flow(console: Console, cloud: Cloud) -> None:
    """Do everything that any function but the sweep does."""
    job_flow(console, cloud)
    refused_flow(console, cloud)
    failed_append(console, cloud)()
    cancel_flow(console, cloud)
    export_flow(console, cloud)
    inbox_flow(console, cloud)


def _flow_of(name: str, console: Console, cloud: Cloud) -> None:
    """Do everything that the function does."""
    if name == "SweepFunction":
        sweep_flow(console, cloud)
        return
    whole_flow(console, cloud)
    if name in ("ApiFunction", "IngestFunction", "AnalyzeFunction", "InsertFunction"):
        shares_flow(name, console, cloud)


@pytest.mark.flow
@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_statement_can_be_removed(
    name: str, console: Console, cloud: Cloud, capsys: pytest.CaptureFixture[str]
) -> None:
    """With all of them, everything works; without any one of them, something fails."""
    flow = partial(_flow_of, name)
    assert _breaks(partial(flow, console, cloud), partial(Denials(cloud).find, cloud.role(name))) is None
    needless = []
    for role, policy, statement in cloud.statements(name):
        denials = Denials(cloud)
        with cloud.without(name, role, policy, statement["Sid"]):
            seen = _breaks(partial(flow, console, cloud), partial(denials.find, role))
        with capsys.disabled():
            print(f"\n{name} without {statement['Sid']}: {seen or 'NOTHING BREAKS'}", end="", flush=True)
        if seen is None and (name, statement["Sid"]) not in NOT_ASKED_FOR:
            needless.append(statement["Sid"])
    assert _breaks(lambda: flow(console, cloud)) is None
    assert needless == []
