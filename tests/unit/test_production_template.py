"""What template.yaml creates in an AWS account: secure, monitored, cheap when idle."""

import json
import re
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from cloudformation import NESTED, read_resources, read_template
from cryptography.x509 import load_pem_x509_certificates
from deployments import LISTED_ATTRIBUTES
from pydantic import ValidationError

from managed_tables.aws import metrics
from managed_tables.aws_services import (
    CONNECT_TIMEOUT_SECONDS,
    MAX_ATTEMPTS,
    PROVISION_TIMEOUT_SECONDS,
    READ_TIMEOUT_SECONDS,
)
from managed_tables.catalog.job_records import JobRecord
from managed_tables.catalog.operations import LEASE_SECONDS
from managed_tables.databases.connecting import ADMIN_LIMITS, AUTHORITIES
from managed_tables.settings import PostgresSecret, Settings
from managed_tables_api.app import EXPOSED_HEADERS
from managed_tables_api.calls import ANSWER_SECONDS
from managed_tables_local.checkout import ROOT, TEMPLATE
from managed_tables_local.page_app import security_headers
from managed_tables_operations.__main__ import parser

DOCUMENT = read_template()
RESOURCES = read_resources()
PARAMETERS: dict[str, dict[str, Any]] = DOCUMENT["Parameters"]
FUNCTIONS = [name for name, one in RESOURCES.items() if one["Type"] == "AWS::Serverless::Function"]
ALARMS = [name for name, one in RESOURCES.items() if one["Type"] == "AWS::CloudWatch::Alarm"]
BUCKET_NAME_MAX = 63
LONGEST_REGION = "ap-southeast-2"  # the longest name of an AWS region today
ACCOUNT_ID_CHARACTERS = 12


def properties(name: str) -> dict[str, Any]:
    """Return a resource's properties."""
    return dict(RESOURCES[name]["Properties"])


def of_type(kind: str) -> list[dict[str, Any]]:
    """Return the resources of a type."""
    return [one for one in RESOURCES.values() if one["Type"] == kind]


def test_the_gateways_own_errors_have_the_apis_shape() -> None:
    for answer in properties("Api")["GatewayResponses"].values():
        assert {"error", "code"} <= set(json.loads(answer["ResponseTemplates"]["application/json"]))


def test_a_browser_can_read_the_gateways_own_errors() -> None:
    answers = properties("Api")["GatewayResponses"]
    for answer in answers.values():
        headers = answer["ResponseParameters"]["Headers"]
        assert headers["Access-Control-Allow-Origin"] == "'*'"
        assert headers["Access-Control-Expose-Headers"] == f"'{', '.join(EXPOSED_HEADERS)}'"
        assert headers["X-Content-Type-Options"] == "'nosniff'"
    assert answers["THROTTLED"]["ResponseParameters"]["Headers"]["Retry-After"] == "'1'"


def test_deployed_files_are_ascii() -> None:
    """AWS's own tools read the state machine in the encoding of the machine they run on."""
    for path in (TEMPLATE, *(ROOT / "templates").iterdir(), *(ROOT / "statemachine").iterdir()):
        assert path.read_text(encoding="utf-8").isascii(), path.name


def test_jobs_leave_the_api_most_of_an_accounts_concurrency() -> None:
    """AWS gives 1,000; a thousand files at once must leave most of it to the API."""
    reserved = DOCUMENT["Mappings"]["AtOnce"]["false"]
    assert PARAMETERS["ReserveConcurrency"]["Default"] == "true"
    assert sum(reserved[step] for step in ("Ingest", "Analyze", "Insert", "Export")) <= 1_000 - 500
    assert Settings(table_name="t", bucket_name="b").running_jobs_max == int(reserved["RunningJobs"])


def test_the_default_memory_fits_the_quota_of_a_new_account() -> None:
    """A new account has 3,008 MB per function until its quota is raised."""
    for name in FUNCTIONS:
        memory = properties(name)["MemorySize"]
        default = PARAMETERS[memory["Ref"]]["Default"] if isinstance(memory, dict) else memory
        assert default <= 3_008, name


@pytest.mark.parametrize("name", ["JobStateMachine", "ExportStateMachine"])
def test_a_state_machine_is_logged_and_traced_without_data(name: str) -> None:
    machine = properties(name)
    assert machine["Tracing"] == {"Enabled": True}
    assert (machine["Logging"]["Level"], machine["Logging"]["IncludeExecutionData"]) == ("ERROR", False)
    assert properties("JobLogs")["LogGroupName"]["Fn::Sub"].startswith("/aws/vendedlogs/states/")


@pytest.mark.parametrize(("name", "file"), [("Job", "job.asl.json"), ("Export", "export.asl.json")])
def test_every_substitution_of_a_state_machine_is_given(name: str, file: str) -> None:
    text = (ROOT / "statemachine" / file).read_text()
    used = set(re.findall(r"\$\{(\w+)\}", text))
    assert used == set(properties(f"{name}StateMachine")["DefinitionSubstitutions"])


def test_logs_expire() -> None:
    for group in of_type("AWS::Logs::LogGroup"):
        assert group["Properties"]["RetentionInDays"] == 30


def test_the_bucket_is_reached_by_tls_only() -> None:
    assert RESOURCES["BucketPolicy"]["Condition"] == "OnAws"
    statement, _notes = properties("BucketPolicy")["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statement["Resource"] == [{"Fn::GetAtt": ["Bucket", "Arn"]}, {"Fn::Sub": "${Bucket.Arn}/*"}]


def test_nobody_deletes_a_note_of_what_was_erased() -> None:
    """A company that was erased would come back with a restore of the database."""
    _tls, notes = properties("BucketPolicy")["PolicyDocument"]["Statement"]
    assert (notes["Effect"], notes["Principal"]) == ("Deny", "*")
    assert notes["Action"] == ["s3:DeleteObject", "s3:DeleteObjectVersion"]
    assert notes["Resource"] == {"Fn::Sub": "${Bucket.Arn}/erasures/*"}


def test_the_networks_addresses_are_as_they_were_unless_others_are_given() -> None:
    """CloudFormation would replace a subnet whose range changes, and cannot while a cluster is in it."""
    subnets = [properties(name)["CidrBlock"]["Fn::Select"] for name in ("FirstSubnet", "SecondSubnet")]
    assert [place for place, _ in subnets] == [0, 1]
    ((given, count, bits),) = {
        json.dumps(ranges["Fn::Cidr"]): ranges["Fn::Cidr"] for _, ranges in subnets
    }.values()
    assert (given, count) == ({"Ref": "VpcCidr"}, 2)
    condition, default_bits, other_bits = bits["Fn::If"]
    assert condition == "DefaultCidr"
    ranges = list(ip_network(PARAMETERS["VpcCidr"]["Default"]).subnets(new_prefix=32 - default_bits))[:2]
    assert list(map(str, ranges)) == ["10.20.0.0/18", "10.20.64.0/18"]
    smallest = ip_network("10.0.0.0/24").subnets(new_prefix=32 - other_bits)
    assert len(list(smallest)) == 2


def test_sessions_run_short_at_seven_tenths_of_what_the_capacity_allows() -> None:
    """AWS allows 189 sessions at 1 unit, 823 at 4, and 2,000 to a cluster that may pause."""
    full = properties("ClusterConnectionsAlarm")["Metrics"][0]["Expression"]["Fn::Sub"]
    most, a_unit = map(int, re.findall(r"\d+", full)[:2])
    assert most == 0.7 * 2_000
    for units, allowed in ((1, 189), (4, 823)):
        assert 0.65 * allowed < a_unit * units < 0.8 * allowed


def test_everything_in_the_bucket_expires() -> None:
    rules = {rule["Id"]: rule for rule in properties("Bucket")["LifecycleConfiguration"]["Rules"]}
    assert all(rule["Status"] == "Enabled" for rule in rules.values())
    assert {rule.get("Prefix") for rule in rules.values()} >= {"uploads/", "inbox/", "jobs/", "operations/"}
    unfinished = rules["unfinished-uploads"]
    assert unfinished["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert "Prefix" not in unfinished, "for every prefix"


def test_staged_objects_outlive_the_wait_for_a_confirmation() -> None:
    """A job may wait for its confirmation, and its record is kept for some days after its end."""
    rules = {rule["Id"]: rule for rule in properties("Bucket")["LifecycleConfiguration"]["Rules"]}
    days = DOCUMENT["Mappings"]["Retention"]["Days"]
    assert rules["staged-objects"]["ExpirationInDays"] == {
        "Fn::FindInMap": ["Retention", "Days", {"Ref": "JobRetentionDays"}]
    }
    assert sorted(map(int, days)) == PARAMETERS["JobRetentionDays"]["AllowedValues"]
    longest_wait_days = PARAMETERS["ConfirmTimeoutSeconds"]["MaxValue"] / 86_400
    assert all(kept >= int(record) + 2 * longest_wait_days for record, kept in days.items())


def test_server_certificates_are_verified_by_default() -> None:
    assert PARAMETERS["PostgresSslMode"]["Default"] == "verify-full"
    chosen = {"Fn::If": ["MakeCluster", "verify-full", {"Ref": "PostgresSslMode"}]}
    assert DOCUMENT["Globals"]["Function"]["Environment"]["Variables"]["POSTGRES_SSLMODE"] == chosen
    assert PostgresSecret(host="h", username="u", password="p").sslmode == "require"


def test_the_trusted_certificates_are_those_of_amazon_rds() -> None:
    """Self-signed roots for each region and each algorithm that RDS offers."""
    authorities = load_pem_x509_certificates(Path(AUTHORITIES).read_bytes())
    for one in authorities:
        one.verify_directly_issued_by(one)
        assert one.not_valid_after_utc > datetime(2060, 1, 1, tzinfo=UTC)
    names = {one.subject.rfc4514_string().partition("CN=")[2].partition(",")[0] for one in authorities}
    for region in ("us-east-1", "sa-east-1"):
        for algorithm in ("RSA2048", "RSA4096", "ECC384"):
            assert f"Amazon RDS {region} Root CA {algorithm} G1" in names
    assert all(re.fullmatch(r"Amazon RDS [a-z]+-[a-z]+-\d Root CA \w+ G1", name) for name in names)


def test_only_two_functions_have_the_administrators_secrets() -> None:
    """Functions that serve the internet or open files have no access to them; nor to further clusters'."""
    secrets = ('"PostgresSecretArn', "Outputs.SecretArn", "secret:managed-tables/")
    texts = {name: json.dumps(properties(name)) for name in FUNCTIONS}
    for secret in secrets:
        readers = [name for name, text in texts.items() if secret in text]
        assert readers == ["ProvisionFunction", "OperatorFunction"], secret
    assert "SECRET_ARN" not in json.dumps(DOCUMENT["Globals"]).replace("APP_SECRET_ARN", "")


GATEWAY_SECONDS = 29  # API Gateway's timeout


def test_everything_a_request_waits_for_ends_before_the_gateway_times_out() -> None:
    """The function, PostgreSQL statements, an AWS call with its retries, and the function it invokes."""
    api = properties("ApiFunction")["Timeout"]
    assert api < GATEWAY_SECONDS
    assert Settings(table_name="t", bucket_name="b").statement_timeout_ms < ANSWER_SECONDS * 1_000
    assert api >= ANSWER_SECONDS + 2, "a process takes up to two seconds to start"
    pauses = 1 + 2  # of botocore's standard mode between three attempts, at most
    attempts = MAX_ATTEMPTS * (CONNECT_TIMEOUT_SECONDS + READ_TIMEOUT_SECONDS) + pauses
    assert attempts < api
    assert api > CONNECT_TIMEOUT_SECONDS + PROVISION_TIMEOUT_SECONDS


def test_the_provisioning_function_ends_before_the_request_that_waits_for_it() -> None:
    assert ADMIN_LIMITS.statement_timeout_ms / 1_000 < properties("ProvisionFunction")["Timeout"]
    assert properties("ProvisionFunction")["Timeout"] < PROVISION_TIMEOUT_SECONDS


def test_presigned_posts_expire_before_their_credentials() -> None:
    """A function's credentials expire after some hours: a POST may be valid for 6 hours at most."""
    with pytest.raises(ValidationError):
        Settings(table_name="t", bucket_name="b", upload_expires_seconds=6 * 3_600 + 1)


def test_the_longest_stage_in_the_longest_region_has_a_bucket() -> None:
    stage = int(re.findall(r"\{0,(\d+)\}", PARAMETERS["Stage"]["AllowedPattern"])[0]) + 1
    name = properties("Bucket")["BucketName"]["Fn::Sub"].replace("${Stage}", "s" * stage)
    name = name.replace("${AWS::AccountId}", "1" * ACCOUNT_ID_CHARACTERS).replace(
        "${AWS::Region}", LONGEST_REGION
    )
    assert len(name) <= BUCKET_NAME_MAX


def test_the_index_of_active_jobs_has_what_the_list_shows() -> None:
    """Each write of a job is billed for it too, and AWS projects 20 attributes: no task token, no digests."""
    active, history = properties("MetadataTable")["GlobalSecondaryIndexes"]
    assert active["Projection"] == {"ProjectionType": "INCLUDE", "NonKeyAttributes": LISTED_ATTRIBUTES}
    assert len(LISTED_ATTRIBUTES) <= 20
    assert set(LISTED_ATTRIBUTES) < set(JobRecord.__dataclass_fields__)
    assert history["Projection"]["NonKeyAttributes"] == ["status", "user_table_id"]


def test_no_secret_is_a_parameter() -> None:
    """What signs tokens is made here; a server's administrator has a secret already."""
    assert not [name for name in PARAMETERS if re.search("Password|Secret(?!Arn)", name)]
    assert properties("TokenSecret")["GenerateSecretString"]["PasswordLength"] >= 32


def test_no_parameter_replaces_the_secret_behind_the_database_passwords() -> None:
    """CloudFormation generates a new secret whenever its definition changes."""
    assert not re.search(r"Ref|Fn::|\$\{", json.dumps(properties("AppSecret")))


def test_only_the_api_reads_the_secret_that_signs_tokens() -> None:
    readers = [name for name in FUNCTIONS if "TokenSecret" in json.dumps(properties(name))]
    assert readers == ["ApiFunction"]
    assert "TokenSecret" not in json.dumps(DOCUMENT["Globals"])


def test_a_created_network_has_nothing_billed_by_the_hour() -> None:
    made = read_template("network")["Resources"].values()
    priced = {"AWS::EC2::NatGateway", "AWS::EC2::EIP", "AWS::EC2::InternetGateway"}
    assert not priced & {one["Type"] for one in made}


@pytest.mark.parametrize("name", ["MetadataTable", "AppSecret", "ClusterSecret"])
def test_irreplaceable_resources_outlive_the_stack(name: str) -> None:
    assert RESOURCES[name]["DeletionPolicy"] == "RetainExceptOnCreate"
    assert RESOURCES[name]["UpdateReplacePolicy"] == "Retain"


def test_every_alarm_notifies_the_topic() -> None:
    topics = [{"Ref": "AlarmTopic"}], [{"Fn::GetAtt": ["Watching", "Outputs.AlarmTopicArn"]}]
    assert {name for name in ALARMS if properties(name)["AlarmActions"] not in topics} == set()


def test_only_the_sweep_raises_an_alarm_when_silent() -> None:
    """An idle deployment sends no metrics and raises no alarm; the sweep runs every five minutes."""
    breaching = {name for name in ALARMS if properties(name)["TreatMissingData"] == "breaching"}
    assert breaching == {"SweepSilentAlarm"}
    assert properties("SweepSilentAlarm")["Period"] >= 3 * 300, "one late run is tolerated"


@pytest.mark.parametrize("alarm", ["FunctionErrorsAlarm", "FunctionThrottlesAlarm"])
def test_the_alarm_covers_every_function(alarm: str) -> None:
    metrics = [one["MetricStat"]["Metric"] for one in properties(alarm)["Metrics"] if "MetricStat" in one]
    places = {one["Dimensions"][0]["Value"]["Fn::Select"][0] for one in metrics}
    given = properties("Watching")["Parameters"]["Functions"]["Fn::Join"][1]
    assert sorted(given[place]["Ref"] for place in places) == sorted(FUNCTIONS)


def test_the_alarm_for_slow_steps_precedes_their_timeout() -> None:
    limit_ms = properties("SlowStepsAlarm")["Threshold"]
    for name in ("AnalyzeFunction", "InsertFunction", "ExportFunction"):
        assert 0.8 < limit_ms / (properties(name)["Timeout"] * 1_000) < 1


def test_one_role_invokes_the_operators_function_which_runs_in_the_network() -> None:
    (policy,) = properties("OperatorRole")["Policies"]
    (trust,) = properties("OperatorRole")["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Condition"]["Fn::If"][:2] == ["AskMfa", {"Bool": {"aws:MultiFactorAuthPresent": "true"}}]
    invoking, reading = policy["PolicyDocument"]["Statement"]
    assert (invoking["Action"], invoking["Resource"]) == (
        ["lambda:InvokeFunction", "lambda:GetFunctionConfiguration"],
        {"Ref": "OperatorFunction.Alias"},
    )
    assert reading["Action"] == "s3:GetObject"
    assert reading["Resource"]["Fn::Sub"].endswith("/operations/*")
    function = properties("OperatorFunction")
    assert function["Timeout"] == 900
    administrator = properties("ProvisionFunction")["Environment"]["Variables"]
    assert administrator.items() <= function["Environment"]["Variables"].items()
    assert properties("Cluster")["EnableHttpEndpoint"], "SQL by hand"
    resume, prune = (event["Properties"] for event in function["Events"].values())
    arguments = json.loads(prune["Input"]["Fn::Sub"])["arguments"]
    assert parser().parse_args(arguments).keep == 3
    assert parser().parse_args(json.loads(resume["Input"])["arguments"]).command == "resume"


def test_a_move_that_was_killed_is_ended_within_two_minutes() -> None:
    """Its lease is a minute, the schedule another; Lambda does not begin it again."""
    function = properties("OperatorFunction")
    assert function["Events"]["Resume"]["Properties"]["Schedule"] == "rate(1 minute)"
    assert LEASE_SECONDS <= 60
    assert function["EventInvokeConfig"] == {"MaximumRetryAttempts": 0}


def test_a_bad_file_does_not_fail_its_execution() -> None:
    """A failed execution raises an alarm, so only a fault of the system may be one."""
    states = json.loads(re.sub(r": \$\{\w+\}", ": 0", (ROOT / "statemachine" / "job.asl.json").read_text()))[
        "States"
    ]
    assert states["MarkFailed"]["Next"] == states["MarkFailed"]["Catch"][0]["Next"] == "Fault?"
    (fault,) = states["Fault?"]["Choices"]
    assert ("'JOB_FAULT'" in fault["Condition"], fault["Next"]) == (True, "Fault")
    assert states[states["Fault?"]["Default"]]["Type"] == "Succeed"


def test_the_dashboard_is_json_of_metrics_that_exist() -> None:
    body, names = properties("Dashboard")["DashboardBody"]["Fn::Sub"]
    widgets = json.loads(body)["widgets"]
    assert all(widget["properties"]["metrics"] for widget in widgets)
    known = {*names, *read_template("watching")["Parameters"], "AWS"}
    assert set(re.findall(r"\$\{(\w+)", body)) <= known
    written = re.findall(r'name="(\w+)"', Path(metrics.__file__).read_text())
    shown = {one for widget in widgets for one in _own_metrics(widget["properties"]["metrics"])}
    assert set() < shown <= set(written)


def _own_metrics(listed: list[list[Any]]) -> Iterator[str]:
    """Yield the names of our own metrics; `.` is what the one before has there, `...` all that it has."""
    namespace = name = ""
    for first, second, *_ in listed:
        if first != "...":
            namespace = namespace if first == "." else first
            name = name if second == "." else second
        if namespace == metrics.NAMESPACE:
            yield name


def test_a_failed_first_deployment_does_not_block_the_second() -> None:
    """Resources with a fixed name are deleted on rollback."""
    for name, resource in RESOURCES.items():
        fixed = {"BucketName", "LogGroupName", "RoleName", "TableName", "QueueName", "DashboardName"}
        if fixed & set(resource["Properties"]):
            assert resource.get("DeletionPolicy", "Delete") in {"Delete", "RetainExceptOnCreate"}, name


def test_every_parameter_is_in_a_group_and_has_a_default() -> None:
    groups = DOCUMENT["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert sorted(name for group in groups for name in group["Parameters"]) == sorted(PARAMETERS)
    assert all("Default" in one for one in PARAMETERS.values())


def test_a_nested_stack_gets_every_parameter_that_it_has() -> None:
    for name in NESTED:
        given = properties(name.title())["Parameters"]
        assert set(given) == set(read_template(name)["Parameters"]), name


def test_three_environments_are_written_with_known_parameters() -> None:
    settings = tomllib.loads((ROOT / "samconfig.toml").read_text())
    assert {"default", "staging", "prod"} <= set(settings)
    for name in ("default", "staging", "prod"):
        deploy = settings[name]["deploy"]["parameters"]
        assert {one.partition("=")[0] for one in deploy["parameter_overrides"]} <= set(PARAMETERS)
        assert any(tag.startswith("environment=") for tag in deploy["tags"])


def test_the_console_has_the_headers_that_its_tests_use() -> None:
    """Browser tests open a local page, served with the headers of security-headers.json."""
    policy = properties("ConsoleHeaders")["ResponseHeadersPolicyConfig"]
    security = policy["SecurityHeadersConfig"]
    bucket = (
        "https://managed-tables-${Stage}-${AWS::AccountId}-${AWS::Region}.s3.${AWS::Region}.${AWS::URLSuffix}"
    )
    written = security_headers(bucket, "${ConsoleFrameAncestors}")
    assert security["ContentSecurityPolicy"]["ContentSecurityPolicy"] == {
        "Fn::Sub": written.pop("Content-Security-Policy")
    }
    assert security["ReferrerPolicy"]["ReferrerPolicy"] == written.pop("Referrer-Policy")
    assert written.pop("X-Content-Type-Options") == "nosniff"
    assert security["ContentTypeOptions"] == {"Override": True}
    others = {item["Header"]: item["Value"] for item in policy["CustomHeadersConfig"]["Items"]}
    assert others == written


def test_the_console_and_the_api_share_an_origin() -> None:
    distribution = properties("ConsoleDistribution")["DistributionConfig"]
    (api,) = distribution["CacheBehaviors"]
    assert (api["PathPattern"], api["TargetOriginId"]) == ("/v1/*", "api")
    assert {origin["Id"] for origin in distribution["Origins"]} == {"page", "api"}
