"""What each function may do: template.yaml's policies, read as AWS would."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from aws_calls import read_code
from cloudformation import read_template

from managed_tables_local.checkout import ROOT

# Statements whose resource may be `*`, and why
ANY_RESOURCE = {
    ("JobStateMachine", "LogDelivery"): "these actions know no resource",
    ("ExportStateMachine", "LogDelivery"): "the same",
    ("ApiFunction", "Confirm"): "an emulator's task token names no machine; on AWS the machine is named",
    ("IngestFunction", "Confirm"): "the same",
    ("SweepFunction", "Confirm"): "the same",
    ("AnalyzeFunction", "Confirm"): "the same",
    ("InsertFunction", "Confirm"): "the same",
}
# Resources of a pattern that is not ours, and why
PATTERNS = {
    ("ProvisionFunction", "ManagedSecrets"): "RDS names them; a tag of ours is a condition",
    ("OperatorFunction", "ManagedSecrets"): "the same",
    ("OperatorFunction", "OldVersions"): "versions of one function",
}
EXISTING_TABLE = "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/${ExistingTableName}"


def statements() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each statement with its resource's logical id, statements under a condition included."""
    for name, resource in read_template()["Resources"].items():
        for policy in resource["Properties"].get("Policies", []):
            for statement in policy.get("PolicyDocument", policy)["Statement"]:
                for one in statement["Fn::If"][1:] if "Fn::If" in statement else [statement]:
                    if one != {"Ref": "AWS::NoValue"}:
                        yield name, one


def _actions(statement: dict[str, Any]) -> list[str]:
    action = statement["Action"]
    return action if isinstance(action, list) else [action]


STATEMENTS = list(statements())
each_statement = pytest.mark.parametrize(
    ("name", "statement"), STATEMENTS, ids=[f"{name}-{one['Sid']}" for name, one in STATEMENTS]
)


@each_statement
def test_no_action_is_a_pattern(name: str, statement: dict[str, Any]) -> None:
    assert statement["Effect"] == "Allow"
    for action in _actions(statement):
        assert "*" not in action, (name, action)


@each_statement
def test_a_resource_is_named_where_it_can_be(name: str, statement: dict[str, Any]) -> None:
    """`*` needs a reason in ANY_RESOURCE; a wildcard may only end an ARN under a name of our own."""
    resources = list(_leaves(statement["Resource"]))
    if (name, statement["Sid"]) in ANY_RESOURCE:
        return
    assert "*" not in resources
    for text in resources:
        assert "*" not in text.rstrip("*"), text
        if text.endswith("*"):
            assert text.endswith(("/*", "-job:*")) or (name, statement["Sid"]) in PATTERNS, text


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _leaves(one)
    else:
        for one in value:
            yield from _leaves(one)


def test_on_aws_task_tokens_are_limited_to_one_state_machine() -> None:
    """Only the branch for an emulator has `*`; the other names the machine."""
    for name, statement in STATEMENTS:
        if statement["Sid"] == "Confirm":
            condition, on_aws, emulated = statement["Resource"]["Fn::If"]
            assert (condition, emulated) == ("OnAws", "*"), name
            assert "*" not in list(_leaves(on_aws))


COMMON = "managed_tables"
REMOTE_MAKER = (f"{COMMON}.databases.provisioning:RemoteMaker", "_invoke")
# Where each function's code is entered; and what its settings choose, which its syntax does not tell
STARTS: dict[str, list[str | tuple[str, str]]] = {
    "ApiFunction": ["managed_tables_api.routes", "managed_tables_api.handler", REMOTE_MAKER],
    "IngestFunction": [("managed_tables_ingest.handler", "handler")],
    "SweepFunction": [("managed_tables_ingest.sweep", "handler"), REMOTE_MAKER],
    "AnalyzeFunction": [("managed_tables_analyze.handler", "handler")],
    "InsertFunction": [("managed_tables_insert.handler", "handler"), REMOTE_MAKER],
    "ExportFunction": [("managed_tables_export.handler", "handler"), REMOTE_MAKER],
    "ProvisionFunction": [
        ("managed_tables_provision.handler", "handler"),
        f"{COMMON}.databases.provisioning:DatabaseMaker",
    ],
}
# Granted, and not seen in the syntax
UNSEEN = {
    ("IngestFunction", "s3:ListBucket", ""): "S3 answers 403 for an object that is not there without it",
    ("AnalyzeFunction", "s3:ListBucket", ""): "the same",
    ("InsertFunction", "s3:ListBucket", ""): "the same",
}


@pytest.mark.parametrize("name", STARTS)
def test_a_function_may_do_exactly_what_its_code_can(name: str) -> None:
    """Every call of AWS on any path from its entry is granted, on the index too, and nothing else is."""
    granted = {
        (action, index)
        for owner, statement in STATEMENTS
        if owner == name
        for action in _actions(statement)
        for index in _indexes(statement, action)
    }
    unseen = {(action, index) for owner, action, index in UNSEEN if owner == name}
    code = read_code()
    starts = [
        place
        for start in STARTS[name]
        for place in code.functions
        if (place == start if isinstance(start, tuple) else place[0].startswith(start))
    ]
    assert code.calls_from(starts) | unseen == granted


def _indexes(statement: dict[str, Any], action: str) -> set[str]:
    """Return the indexes on which the statement grants the action, "" for the table itself or no table."""
    texts = list(_leaves(statement["Resource"]))
    indexes = {text.partition("/index/")[2] for text in texts if "/index/" in text}
    if indexes and "MetadataTable" not in texts:
        return indexes
    return {"", *(indexes if action in ("dynamodb:Query", "dynamodb:Scan") else ())}


@pytest.mark.parametrize(
    ("machine", "file", "waits"),
    [
        (
            "JobStateMachine",
            "job.asl.json",
            {"aws-sdk:dynamodb:updateItem.waitForTaskToken", "lambda:invoke.waitForTaskToken"},
        ),
        ("ExportStateMachine", "export.asl.json", set()),
    ],
)
def test_a_state_machine_may_do_exactly_what_its_states_do(machine: str, file: str, waits: set[str]) -> None:
    """No emulator enforces the machine's role, so its statements are compared with its definition."""
    definition = (ROOT / "statemachine" / file).read_text()
    substitutions = read_template()["Resources"][machine]["Properties"]["DefinitionSubstitutions"]
    names = re.findall(r"\$\{(\w+FunctionArn)\}", definition)
    invoked = {substitutions[name]["Ref"] for name in names}
    assert all(one.endswith(".Alias") for one in invoked), "the published version, never $LATEST"
    calls = set(re.findall(r'"Resource": "arn:\$\{Partition\}:states:::([\w:.-]+)"', definition))
    assert calls == {"lambda:invoke", "dynamodb:updateItem"} | waits
    steps, record, logs = (statement for name, statement in STATEMENTS if name == machine)
    assert _actions(steps) == ["lambda:InvokeFunction"]
    assert {one["Ref"] for one in steps["Resource"]} == invoked
    assert (_actions(record), record["Resource"]) == (
        ["dynamodb:UpdateItem"],
        {"Fn::If": ["MakeTable", {"Fn::GetAtt": ["MetadataTable", "Arn"]}, {"Fn::Sub": EXISTING_TABLE}]},
    )
    chosen = ["MakeTable", {"Ref": "MetadataTable"}, {"Ref": "ExistingTableName"}]
    assert substitutions["TableName"] == {"Fn::If": chosen}
    assert logs["Sid"] == "LogDelivery"


def test_statement_ids_are_unique_within_a_role() -> None:
    names = [(name, statement["Sid"]) for name, statement in STATEMENTS]
    assert len(names) == len(set(names))
