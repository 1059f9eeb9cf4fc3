"""The template and the state machine, linted as AWS would read them."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from managed_tables import errors, settings
from managed_tables_local.checkout import ROOT, TEMPLATE, tool_environment

MACHINES = ("job", "export")
NUMBERS = ("ConfirmTimeoutSeconds", "JobRetentionDays")


@pytest.fixture(scope="module", params=MACHINES)
def machine(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Each definition with its placeholders filled in."""
    return read_machine(request.param)


def read_machine(name: str) -> dict[str, Any]:
    """Return the definition with this name, its placeholders filled in."""
    return dict(json.loads(_filled((ROOT / "statemachine" / f"{name}.asl.json").read_text())))


def _filled(definition: str) -> str:
    for name in NUMBERS:
        definition = definition.replace(f"${{{name}}}", "60")
    for name in ("AnalyzeFunctionArn", "InsertFunctionArn", "ExportFunctionArn"):
        definition = definition.replace(f"${{{name}}}", "arn:aws:lambda:us-east-1:123456789012:function:f")
    return definition.replace("${TableName}", "t").replace("${Partition}", "aws")


def _run(tool: str, *arguments: object, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    sam = tool_environment("sam")
    environment = {
        "PATH": f"{sam}:{os.environ['PATH']}",
        "HOME": str(cwd),
        "AWS_DEFAULT_REGION": "us-east-1",
        "SAM_CLI_TELEMETRY": "0",
    }
    command = [sam / tool, *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)


def test_the_template_is_valid(tmp_path: Path) -> None:
    """`sam validate --lint` finds nothing."""
    done = _run("sam", "validate", "--lint", "--template-file", TEMPLATE, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_state_machines_are_valid(tmp_path: Path) -> None:
    """cfn-lint checks the definitions in a template."""
    resources = {
        name.title(): {
            "Type": "AWS::StepFunctions::StateMachine",
            "Properties": {"Definition": read_machine(name), "RoleArn": "arn:aws:iam::123456789012:role/r"},
        }
        for name in MACHINES
    }
    template = tmp_path / "template.json"
    template.write_text(json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}))
    done = _run("cfn-lint", template)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_state_can_be_reached_and_leads_to_an_end(machine: dict[str, Any]) -> None:
    """No state is unreachable, and none is a dead end."""
    states: dict[str, Any] = machine["States"]
    reached, open_ = set(), [machine["StartAt"]]
    while open_:
        name = open_.pop()
        if name not in reached:
            reached.add(name)
            open_ += _next_states(states[name])
    assert reached == set(states)


def _next_states(state: dict[str, Any]) -> list[str]:
    branches = [state, *state.get("Choices", []), *state.get("Catch", [])]
    found = [branch["Next"] for branch in branches if "Next" in branch]
    return found + ([state["Default"]] if "Default" in state else [])


CAUGHT = {
    "Recall": "Analyze",
    "Insert": "Unsettled",
    "MarkExpired": "Unsettled",
    "Analyze": "AnalysisFault?",
    "WaitForSlot": "Insert",
}


def test_every_task_is_retried_and_every_fault_ends_the_job(machine: dict[str, Any]) -> None:
    """Infrastructure faults are exceptions: Retry, then Catch States.ALL, then the job is marked failed.

    Except for inserting, which may have committed, and for an expiry without an answer, both left to the
    sweep; for reading files again, where the previous reading stays valid; and for what the table remembers,
    without which files are read as well.
    """
    for name, state in machine["States"].items():
        if state["Type"] == "Task":
            assert state["Retry"][-1]["ErrorEquals"] == ["States.ALL"]
            assert state["Retry"][-1]["MaxAttempts"] >= 6
            if name != "MarkFailed":
                assert state["Catch"][-1]["ErrorEquals"] == ["States.ALL"]
                assert state["Catch"][-1]["Next"] == CAUGHT.get(name, "MarkFailed")
    fault = read_machine("job")["States"]["AnalysisFault?"]
    assert (fault["Choices"][0]["Next"], fault["Default"]) == ("ReanalysisFault", "MarkFailed")


def test_no_task_can_hang_for_ever(machine: dict[str, Any]) -> None:
    """Without a limit of its own a task that is never answered waits for 99,999,999 seconds."""
    tasks = [state for state in machine["States"].values() if state["Type"] == "Task"]
    assert all(state["TimeoutSeconds"] > 0 for state in tasks)
    invoked = [state for state in tasks if state["Resource"].endswith(":::lambda:invoke")]
    assert {state["TimeoutSeconds"] for state in invoked} == {930}, "beyond Lambda's own 900"


def test_errors_are_known_in_both_spellings(machine: dict[str, Any]) -> None:
    """Step Functions names a service's errors differently in optimized and in SDK integrations."""
    for state in machine["States"].values():
        for way in [*state.get("Retry", []), *state.get("Catch", [])]:
            named = {name.replace("Dynamo", "").partition(".")[0] for name in way["ErrorEquals"]}
            assert named & {"DB", "Db"} in (set(), {"DB", "Db"}), way
            thrown = {name.removeprefix("Lambda.") for name in way["ErrorEquals"] if "Lambda." in name}
            assert thrown <= set(way["ErrorEquals"]), way


def test_a_throttled_job_waits_instead_of_failing() -> None:
    """A job refused by reserved concurrency waits for hours, within an execution's 25,000 events."""
    machine = read_machine("job")
    waits = [
        retry
        for name in ("Analyze", "WaitForSlot", "Insert")
        for retry in machine["States"][name]["Retry"]
        if "Lambda.TooManyRequestsException" in retry["ErrorEquals"]
    ]
    assert len(waits) == 3
    for wait in waits:
        assert wait["MaxAttempts"] * wait["MaxDelaySeconds"] / 2 >= 8 * 3_600
        assert wait["MaxAttempts"] * 3 * len(waits) < 25_000


def test_the_message_for_an_export_fault_is_the_declared_one() -> None:
    """A user reads the same message wherever an error occurred."""
    record = read_machine("export")["States"]["MarkFailed"]["Arguments"]["ExpressionAttributeValues"]
    error = record[":error"]["M"]
    kind = errors.EXPORT_FAULT
    assert (error["code"]["S"], error["message"]["S"]) == (kind.code, kind.sentence)


def test_the_messages_for_job_faults_are_the_declared_ones() -> None:
    """The same holds for jobs."""
    machine = read_machine("job")
    kinds = (errors.JOB_FAULT, errors.REANALYSIS_FAULT, errors.CONFIRMATION_EXPIRED)
    declared = {kind.code: kind.sentence for kind in kinds}
    found = [
        way["Output"]["error"]
        for state in machine["States"].values()
        for way in [state, *state.get("Catch", [])]
        if isinstance(way.get("Output"), dict) and "error" in way["Output"]
    ]
    assert {error["code"] for error in found} == set(declared)
    assert all(declared[error["code"]] == error["message"] for error in found)


def test_every_variable_of_the_template_is_a_setting() -> None:
    """No variable is set that the functions do not read."""
    text = TEMPLATE.read_text()
    block = text.partition("      Variables:\n")[2].partition("\nResources:")[0]
    names = {line.strip().partition(":")[0] for line in block.splitlines() if line.startswith("        ")}
    known = {name.upper() for name in settings.Settings.model_fields}
    assert {name for name in names if not name.startswith("POWERTOOLS_")} <= known


TRANSFORM = """
import json, sys
from unittest.mock import patch
import boto3
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse
document = yaml_parse(open(sys.argv[1]).read())
values = json.loads(sys.argv[2])
session = boto3.Session(region_name="us-east-1")
with patch("boto3.session.Session", lambda *a, **k: session):
    def made(layer):
        document["Resources"]["CommonLayer"]["Properties"]["ContentUri"] = f"s3://b/{layer}"
        for one in document["Resources"].values():
            if one["Type"] == "AWS::Serverless::Function":
                one["Properties"]["CodeUri"] = "s3://b/code"
            if one["Type"] == "AWS::Serverless::StateMachine":
                one["Properties"]["DefinitionUri"] = "s3://b/machine"
        class Policies:
            def load(self): return {}
        import copy
        return transform(copy.deepcopy(document), values, Policies())
    print(json.dumps([made("old"), made("new")]))
"""


@pytest.fixture(scope="module")
def deployments() -> list[dict[str, Any]]:
    """The output of SAM for the template, and for the template with another layer."""
    values = {"GradualDeployment": "true", "Stage": "dev", "Runtime": "python3.13"}
    python = tool_environment("sam") / "python"
    command = [python, "-c", TRANSFORM, TEMPLATE, json.dumps(values)]
    environment = {"PATH": os.environ["PATH"], "AWS_DEFAULT_REGION": "us-east-1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


def test_every_caller_uses_a_published_version(deployments: list[dict[str, Any]]) -> None:
    """The gateway, the events and the state machines use the alias, never the unpublished version."""
    resources = deployments[0]["Resources"]
    aliases = {name for name, one in resources.items() if one["Type"] == "AWS::Lambda::Alias"}
    assert len(aliases) == 8
    (api,) = (one for one in resources.values() if one["Type"] == "AWS::ApiGateway::RestApi")
    assert "ApiFunctionAliaslive" in json.dumps(api)
    assert "${ApiFunction.Arn}" not in json.dumps(api)
    for kind in ("AWS::Events::Rule", "AWS::StepFunctions::StateMachine", "AWS::Lambda::EventInvokeConfig"):
        found = [json.dumps(one) for one in resources.values() if one["Type"] == kind]
        assert found
        assert all("Aliaslive" in text or "Qualifier" in text for text in found), kind
    assert "IngestFunctionAliaslive" in json.dumps(resources["Bucket"])


def test_abandoned_events_reach_the_dead_letter_queue(deployments: list[dict[str, Any]]) -> None:
    """Lambda writes them with the function's role, which must be allowed to."""
    resources = deployments[0]["Resources"]
    queue = {"Fn::GetAtt": ["DeadLetters", "Arn"]}
    for name in ("IngestFunction", "SweepFunction"):
        policies = resources[f"{name}Role"]["Properties"]["Policies"]
        statements = [one for policy in policies for one in policy["PolicyDocument"]["Statement"]]
        assert {"sqs:SendMessage"} == {
            action
            for one in statements
            if one["Resource"] == queue
            for action in ([one["Action"]] if isinstance(one["Action"], str) else one["Action"])
        }, name
    (statement,) = resources["DeadLettersPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Condition"]) == (
        "Deny",
        {"Bool": {"aws:SecureTransport": "false"}},
    )


def test_another_layer_makes_another_version_of_every_function(deployments: list[dict[str, Any]]) -> None:
    """Code and layer always match: a version keeps both."""
    before, after = (
        {name for name, one in made["Resources"].items() if one["Type"] == "AWS::Lambda::Version"}
        for made in deployments
    )
    assert len(before) == len(after) == 8
    assert not before & after


def test_an_alarm_rolls_back_an_upgrade_of_the_api(deployments: list[dict[str, Any]]) -> None:
    resources = deployments[0]["Resources"]
    (group,) = (one for one in resources.values() if one["Type"] == "AWS::CodeDeploy::DeploymentGroup")
    condition, on_aws, _ = group["Properties"]["AlarmConfiguration"]["Fn::If"]
    assert (condition, on_aws["Alarms"]) == ("OnAws", [{"Name": {"Ref": "ReleaseFaultsAlarm"}}])
    (version,) = (
        name
        for name, one in resources.items()
        if one["Type"] == "AWS::Lambda::Version" and name.startswith("ApiFunction")
    )
    watched = json.dumps(resources["ReleaseFaultsAlarm"]["Properties"])
    assert watched.count(json.dumps({"Fn::GetAtt": [version, "Version"]})) == 3
    assert "DEPLOYMENT_STOP_ON_ALARM" in group["Properties"]["AutoRollbackConfiguration"]["Events"]
    assert "Canary10Percent10Minutes" in json.dumps(group["Properties"]["DeploymentConfigName"])
    assert "CodeDeployLambdaAliasUpdate" in resources["ApiFunctionAliaslive"]["UpdatePolicy"]
