"""What template.yaml creates in an AWS account: secure, monitored, cheap when idle."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cloudformation import read_template
from cryptography.x509 import load_pem_x509_certificates
from deployments import LISTED_ATTRIBUTES
from pydantic import ValidationError

from managed_tables.aws.aws_services import (
    CONNECT_TIMEOUT_SECONDS,
    MAX_ATTEMPTS,
    MAX_PAUSES_SECONDS,
    PROVISION_TIMEOUT_SECONDS,
    READ_TIMEOUT_SECONDS,
)
from managed_tables.catalog.job_records import JobRecord
from managed_tables.databases.connecting import ADMIN_LIMITS, AUTHORITIES
from managed_tables.settings import PostgresSecret, Settings
from managed_tables_api.calls.gate import ANSWER_SECONDS
from managed_tables_api.http.boundary import EXPOSED_HEADERS
from managed_tables_local.checkout import ROOT, TEMPLATE
from managed_tables_local.console_page.page_app import security_headers
from managed_tables_operations.__main__ import parser

DOCUMENT = read_template()
RESOURCES: dict[str, dict[str, Any]] = DOCUMENT["Resources"]
PARAMETERS: dict[str, dict[str, Any]] = DOCUMENT["Parameters"]
FUNCTIONS = [name for name, one in RESOURCES.items() if one["Type"] == "AWS::Serverless::Function"]
ALARMS = [name for name, one in RESOURCES.items() if one["Type"] == "AWS::CloudWatch::Alarm"]
NO_VALUE = {"Ref": "AWS::NoValue"}
BUCKET_NAME_MAX = 63
LONGEST_REGION = "ap-southeast-2"  # the longest name of an AWS region today
ACCOUNT_ID_CHARACTERS = 12


def properties(name: str) -> dict[str, Any]:
    """Return a resource's properties."""
    return dict(RESOURCES[name]["Properties"])


def of_type(kind: str) -> list[dict[str, Any]]:
    """Return the resources of a type."""
    return [one for one in RESOURCES.values() if one["Type"] == kind]


def test_the_api_has_one_stage_throttled_logged_and_traced() -> None:
    api = properties("Api")
    (method,) = api["MethodSettings"]
    assert (method["HttpMethod"], method["ResourcePath"]) == ("*", "/*")
    for limit in ("ThrottlingRateLimit", "ThrottlingBurstLimit"):
        assert method[limit] == {"Ref": "RequestsPerSecond"}
    assert api["AccessLogSetting"]["DestinationArn"] == {"Fn::GetAtt": ["ApiLogs", "Arn"]}
    assert api["TracingEnabled"]
    assert api["OpenApiVersion"], "without it SAM adds a stage called Stage"


def test_an_access_log_line_is_json() -> None:
    line = properties("Api")["AccessLogSetting"]["Format"]
    assert {"status", "path", "request", "ms"} <= set(json.loads(line))


def test_the_gateways_own_errors_have_the_apis_shape() -> None:
    for answer in properties("Api")["GatewayResponses"].values():
        assert {"error", "code"} <= set(json.loads(answer["ResponseTemplates"]["application/json"]))


def test_a_browser_can_read_the_gateways_own_errors() -> None:
    answers = properties("Api")["GatewayResponses"]
    for answer in answers.values():
        headers = answer["ResponseParameters"]["Headers"]
        assert headers["Access-Control-Allow-Origin"] == "'*'"
        assert headers["Access-Control-Expose-Headers"] == f"'{', '.join(EXPOSED_HEADERS)}'"
    assert answers["THROTTLED"]["ResponseParameters"]["Headers"]["Retry-After"] == "'1'"


def test_deployed_files_are_ascii() -> None:
    """AWS's own tools read the state machine in the encoding of the machine they run on."""
    for path in (TEMPLATE, *(ROOT / "statemachine").iterdir()):
        assert path.read_text(encoding="utf-8").isascii(), path.name


def test_runtime_and_architecture_are_parameters() -> None:
    common = DOCUMENT["Globals"]["Function"]
    assert (common["Runtime"], common["Architectures"]) == ({"Ref": "Runtime"}, [{"Ref": "Architecture"}])
    assert PARAMETERS["Runtime"]["Default"] in PARAMETERS["Runtime"]["AllowedValues"]


def test_functions_log_json_and_are_traced() -> None:
    common = DOCUMENT["Globals"]["Function"]
    assert common["LoggingConfig"] == {"LogFormat": "JSON", "LogGroup": {"Ref": "FunctionLogs"}}
    assert common["Tracing"] == "Active"


@pytest.mark.parametrize(
    ("step", "default"), [("Api", -1), ("Ingest", 50), ("Analyze", 100), ("Insert", 50), ("Export", 20)]
)
def test_reserved_concurrency_is_a_parameter(step: str, default: int) -> None:
    """Of each function that a flood of files, of exports or of requests could multiply."""
    function = properties(f"{step}Function")
    reserved = {"Ref": f"{step}ReservedConcurrency"}
    assert function["ReservedConcurrentExecutions"] == {"Fn::If": [f"Limit{step}", reserved, NO_VALUE]}
    assert PARAMETERS[f"{step}ReservedConcurrency"]["Default"] == default
    reserves = {"Fn::Equals": [{"Ref": "ReserveConcurrency"}, "true"]}
    assert DOCUMENT["Conditions"][f"Limit{step}"]["Fn::And"][0] == reserves


def test_jobs_leave_the_api_most_of_an_accounts_concurrency() -> None:
    """AWS gives 1,000; a thousand files at once must leave most of it to the API."""
    reserved = [
        PARAMETERS[f"{step}ReservedConcurrency"]["Default"]
        for step in ("Ingest", "Analyze", "Insert", "Export")
    ]
    assert PARAMETERS["ReserveConcurrency"]["Default"] == "true"
    assert sum(reserved) <= 1_000 - 500


def test_the_default_memory_fits_the_quota_of_a_new_account() -> None:
    """A new account has 3,008 MB per function until its quota is raised."""
    for name in FUNCTIONS:
        memory = properties(name)["MemorySize"]
        default = PARAMETERS[memory["Ref"]]["Default"] if isinstance(memory, dict) else memory
        assert default <= 3_008, name


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_a_timeout(name: str) -> None:
    assert 0 < properties(name)["Timeout"] <= 900


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
        assert group["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}


def test_the_bucket_is_private_encrypted_and_owned() -> None:
    bucket = properties("Bucket")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    assert bucket["BucketEncryption"]
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]


def test_the_bucket_is_reached_by_tls_only() -> None:
    assert RESOURCES["BucketPolicy"]["Condition"] == "OnAws"
    (statement,) = properties("BucketPolicy")["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statement["Resource"] == [{"Fn::GetAtt": ["Bucket", "Arn"]}, {"Fn::Sub": "${Bucket.Arn}/*"}]


def test_everything_in_the_bucket_expires() -> None:
    rules = {rule["Id"]: rule for rule in properties("Bucket")["LifecycleConfiguration"]["Rules"]}
    assert all(rule["Status"] == "Enabled" for rule in rules.values())
    assert {rule.get("Prefix") for rule in rules.values()} >= {"uploads/", "inbox/", "jobs/"}
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


def test_the_runtime_on_aws_is_one_that_duckdb_starts_on() -> None:
    rule = DOCUMENT["Rules"]["RuntimeIsNewEnough"]
    assert rule["RuleCondition"] == {"Fn::Equals": [{"Ref": "Emulated"}, "false"]}
    assert rule["Assertions"][0]["Assert"] == {
        "Fn::Not": [{"Fn::Equals": [{"Ref": "Runtime"}, "python3.11"]}]
    }


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
    secrets = (
        '"PostgresSecretArn',
        '"ClusterSecret',
        '"PostgresSecret',
        '"SecretsKeyArn',
        "secret:managed-tables/",
    )
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
    attempts = MAX_ATTEMPTS * (CONNECT_TIMEOUT_SECONDS + READ_TIMEOUT_SECONDS) + MAX_PAUSES_SECONDS
    assert attempts < api
    assert api > CONNECT_TIMEOUT_SECONDS + PROVISION_TIMEOUT_SECONDS


def test_the_provisioning_function_ends_before_the_request_that_waits_for_it() -> None:
    assert ADMIN_LIMITS.statement_timeout_ms / 1_000 < properties("ProvisionFunction")["Timeout"]
    assert properties("ProvisionFunction")["Timeout"] < PROVISION_TIMEOUT_SECONDS


def test_presigned_posts_expire_before_their_credentials() -> None:
    """A function's credentials expire after some hours: a POST may be valid for 6 hours at most."""
    cap = PARAMETERS["UploadExpiresSeconds"]["MaxValue"]
    assert cap == 6 * 3_600
    with pytest.raises(ValidationError):
        Settings(table_name="t", bucket_name="b", upload_expires_seconds=cap + 1)


def test_the_consoles_origin_may_post_to_the_bucket_and_download_from_it() -> None:
    (rule,) = properties("Bucket")["CorsConfiguration"]["CorsRules"]
    assert (rule["AllowedOrigins"], rule["AllowedMethods"]) == (
        {"Ref": "CorsOrigins"},
        ["POST", "GET"],
    )


def test_the_longest_stage_in_the_longest_region_has_a_bucket() -> None:
    stage = int(re.findall(r"\{0,(\d+)\}", PARAMETERS["Stage"]["AllowedPattern"])[0]) + 1
    name = properties("Bucket")["BucketName"]["Fn::Sub"].replace("${Stage}", "s" * stage)
    name = name.replace("${AWS::AccountId}", "1" * ACCOUNT_ID_CHARACTERS).replace(
        "${AWS::Region}", LONGEST_REGION
    )
    assert len(name) <= BUCKET_NAME_MAX


def test_the_table_can_be_restored_and_is_protected_from_deletion() -> None:
    table = properties("MetadataTable")
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert table["SSESpecification"] == {"SSEEnabled": True}
    assert table["DeletionProtectionEnabled"] == {"Ref": "DeletionProtection"}
    assert PARAMETERS["DeletionProtection"]["Default"] == "true"
    assert table["BillingMode"] == "PAY_PER_REQUEST", "no cost when idle"


def test_the_index_of_active_jobs_has_what_the_list_shows() -> None:
    """Each write of a job is billed for it too, and AWS projects 20 attributes: no task token, no digests."""
    active, history = properties("MetadataTable")["GlobalSecondaryIndexes"]
    assert active["Projection"] == {"ProjectionType": "INCLUDE", "NonKeyAttributes": LISTED_ATTRIBUTES}
    assert len(LISTED_ATTRIBUTES) <= 20
    assert set(LISTED_ATTRIBUTES) < set(JobRecord.__dataclass_fields__)
    assert history["Projection"]["NonKeyAttributes"] == ["status", "user_table_id"]


def test_secret_parameters_cannot_be_read() -> None:
    for name in ("JwtSecret", "PostgresPassword"):
        assert PARAMETERS[name]["NoEcho"] is True
    assert not {"JwtSecret", "PostgresPassword"} & set(re.findall(r"\w+", json.dumps(DOCUMENT["Globals"])))
    assert not re.search("JwtSecret|PostgresPassword", json.dumps(DOCUMENT["Outputs"]))


def test_no_parameter_replaces_the_secret_behind_the_database_passwords() -> None:
    """CloudFormation generates a new secret whenever its definition changes."""
    assert not re.search(r"Ref|Fn::|\$\{", json.dumps(properties("AppSecret")))


def test_only_the_api_reads_the_secret_that_signs_tokens() -> None:
    readers = [name for name in FUNCTIONS if "TokenSecret" in json.dumps(properties(name))]
    assert readers == ["ApiFunction"]
    assert "TokenSecret" not in json.dumps(DOCUMENT["Globals"])


SUBNETS = {"Fn::If": ["MakeNetwork", [{"Ref": "FirstSubnet"}, {"Ref": "SecondSubnet"}], {"Ref": "SubnetIds"}]}


@pytest.mark.parametrize(
    "name",
    [
        "ApiFunction",
        "SweepFunction",
        "InsertFunction",
        "ExportFunction",
        "ProvisionFunction",
        "OperatorFunction",
    ],
)
def test_functions_that_open_databases_run_in_their_network(name: str) -> None:
    network = {
        "SubnetIds": SUBNETS,
        "SecurityGroupIds": [{"Ref": "FunctionSecurityGroup"}],
        "Ipv6AllowedForDualStack": {"Fn::If": ["ByIpv6", True, False]},
    }
    assert properties(name)["VpcConfig"] == {"Fn::If": ["InVpc", network, NO_VALUE]}


def test_a_created_network_has_nothing_billed_by_the_hour() -> None:
    """Outbound traffic is IPv6 through an egress-only gateway; S3 and DynamoDB have gateway endpoints."""
    made = {name: one["Type"] for name, one in RESOURCES.items() if one.get("Condition") == "MakeNetwork"}
    priced = {"AWS::EC2::NatGateway", "AWS::EC2::EIP", "AWS::EC2::VPCEndpoint", "AWS::EC2::InternetGateway"}
    assert not priced & set(made.values())
    assert properties("RouteOut")["DestinationIpv6CidrBlock"] == "::/0"
    assert properties("RouteOut")["EgressOnlyInternetGatewayId"] == {"Ref": "EgressGateway"}
    conditions = DOCUMENT["Conditions"]
    assert conditions["MakeGatewayEndpoints"]["Fn::Or"][0] == {"Condition": "MakeNetwork"}
    assert {"Fn::Not": [{"Condition": "MakeNetwork"}]} in conditions["MakeInterfaceEndpoints"]["Fn::And"]
    assert RESOURCES["FunctionWayOut"]["Condition"] == "ByIpv6"
    assert properties("FunctionWayOut")["CidrIpv6"] == "::/0"
    assert properties("ClusterSubnets")["SubnetIds"] == SUBNETS


@pytest.mark.parametrize(
    ("name", "service", "kind"),
    [
        ("S3Endpoint", "s3", "Gateway"),
        ("DynamoDbEndpoint", "dynamodb", "Gateway"),
        ("SecretsEndpoint", "secretsmanager", "Interface"),
        ("StatesEndpoint", "states", "Interface"),
        ("EventsEndpoint", "events", "Interface"),
        ("LambdaEndpoint", "lambda", "Interface"),
    ],
)
def test_the_network_reaches_each_service_that_its_functions_call(name: str, service: str, kind: str) -> None:
    endpoint = properties(name)
    assert endpoint["ServiceName"] == {"Fn::Sub": f"com.amazonaws.${{AWS::Region}}.{service}"}
    assert endpoint["VpcEndpointType"] == kind
    assert RESOURCES[name]["Condition"] == f"Make{kind}Endpoints"
    if kind == "Interface":
        assert endpoint["PrivateDnsEnabled"]
        assert endpoint["SecurityGroupIds"] == [{"Ref": "EndpointSecurityGroup"}]


def test_endpoints_accept_the_whole_vpc() -> None:
    """With private DNS names they serve the whole VPC, not only our functions."""
    (rule,) = properties("EndpointSecurityGroup")["SecurityGroupIngress"]
    assert rule["CidrIp"] == {"Ref": "VpcCidr"}
    for name in ("SecretsEndpoint", "StatesEndpoint", "EventsEndpoint", "LambdaEndpoint"):
        chosen = ["FewerEndpoints", {"Ref": "EndpointSubnetIds"}, {"Ref": "SubnetIds"}]
        assert properties(name)["SubnetIds"] == {"Fn::If": chosen}


@pytest.mark.parametrize("name", ["MetadataTable", "AppSecret", "ClusterSecret"])
def test_irreplaceable_resources_outlive_the_stack(name: str) -> None:
    assert RESOURCES[name]["DeletionPolicy"] == "RetainExceptOnCreate"
    assert RESOURCES[name]["UpdateReplacePolicy"] == "Retain"


def test_a_cluster_can_be_restored_from_a_snapshot() -> None:
    cluster = properties("Cluster")
    assert cluster["SnapshotIdentifier"] == {
        "Fn::If": ["FromSnapshot", {"Ref": "DatabaseSnapshot"}, NO_VALUE]
    }
    for name in ("MasterUsername", "MasterUserPassword"):
        assert cluster[name]["Fn::If"][:2] == ["FromSnapshot", NO_VALUE], "a snapshot has its own"


def test_a_cluster_is_created_only_on_request_and_pauses_when_idle() -> None:
    assert PARAMETERS["CreateDatabase"]["Default"] == "false"
    assert {one.get("Condition") for one in of_type("AWS::RDS::DBCluster")} == {"MakeCluster"}
    assert PARAMETERS["DatabaseMinCapacity"]["Default"] == 0
    scaling = properties("Cluster")["ServerlessV2ScalingConfiguration"]
    assert scaling == {
        "MinCapacity": {"Ref": "DatabaseMinCapacity"},
        "MaxCapacity": {"Ref": "DatabaseMaxCapacity"},
    }
    assert properties("ClusterInstance")["DBInstanceClass"] == "db.serverless"


def test_a_cluster_is_encrypted_backed_up_and_not_public() -> None:
    cluster = properties("Cluster")
    assert cluster["StorageEncrypted"]
    assert cluster["BackupRetentionPeriod"] >= 7
    assert RESOURCES["Cluster"]["DeletionPolicy"] == "Snapshot"
    assert properties("ClusterInstance")["PubliclyAccessible"] is False
    assert properties("ClusterSettings")["Parameters"]["rds.force_ssl"] == "1"
    rule, clients = properties("ClusterSecurityGroup")["SecurityGroupIngress"]
    assert rule["SourceSecurityGroupId"] == {"Ref": "FunctionSecurityGroup"}
    assert clients["Fn::If"][0] == "LetClientsIn"


def test_the_settings_of_a_cluster_are_those_of_its_version() -> None:
    major = PARAMETERS["DatabaseEngineVersion"]["Default"].partition(".")[0]
    assert PARAMETERS["DatabaseEngineVersion"]["AllowedPattern"] == rf"{major}\.\d+"
    assert properties("ClusterSettings")["Family"] == f"aurora-postgresql{major}"
    assert properties("Cluster")["EngineVersion"] == {"Ref": "DatabaseEngineVersion"}
    assert "DatabaseName" not in properties("Cluster"), "`postgres` always exists and cannot be created"


def test_every_alarm_notifies_the_topic_given_or_made() -> None:
    topic = {"Fn::If": ["Notify", {"Ref": "AlarmTopicArn"}, {"Ref": "AlarmTopic"}]}
    assert {name for name in ALARMS if properties(name)["AlarmActions"] != [topic]} == set()
    assert RESOURCES["AlarmTopic"]["Condition"] == "MakeTopic"


def test_only_the_sweep_raises_an_alarm_when_silent() -> None:
    """An idle deployment sends no metrics and raises no alarm; the sweep runs every five minutes."""
    breaching = {name for name in ALARMS if properties(name)["TreatMissingData"] == "breaching"}
    assert breaching == {"SweepSilentAlarm"}
    assert properties("SweepSilentAlarm")["Period"] >= 3 * 300, "one late run is tolerated"


def watched(alarm: str) -> set[tuple[str, str]]:
    """Return the namespace and name of each metric that an alarm uses."""
    found = [
        one["MetricStat"]["Metric"] for one in properties(alarm).get("Metrics", []) if "MetricStat" in one
    ]
    return {(one["Namespace"], one["MetricName"]) for one in found or [properties(alarm)]}


def test_faults_slowness_throttles_and_capacity_have_alarms() -> None:
    assert set().union(*map(watched, ALARMS)) == {
        ("AWS/States", "ExecutionsFailed"),
        ("AWS/Lambda", "Errors"),
        ("AWS/Lambda", "Throttles"),
        ("AWS/Lambda", "Duration"),
        ("AWS/Lambda", "Invocations"),
        ("ManagedTables", "Faults"),
        ("ManagedTables", "Busy"),
        ("AWS/ApiGateway", "Latency"),
        ("AWS/SQS", "ApproximateNumberOfMessagesVisible"),
        ("AWS/RDS", "ACUUtilization"),
        ("AWS/RDS", "DatabaseConnections"),
    }


def test_a_gradual_deployment_is_judged_by_the_new_version_alone() -> None:
    """Faults of the version before, as in an incident, do not take its mending back."""
    preference = properties("ApiFunction")["DeploymentPreference"]
    assert preference["Alarms"] == {"Fn::If": ["OnAws", [{"Ref": "ReleaseFaultsAlarm"}], []]}
    version = {"Fn::GetAtt": ["ApiFunction", "Version.Version"]}
    alarm = properties("ReleaseFaultsAlarm")
    metrics = [one["MetricStat"]["Metric"] for one in alarm["Metrics"] if "MetricStat" in one]
    names = {"Faults": "version", "Errors": "ExecutedVersion"}
    for metric in metrics:
        assert {"Name": names[metric["MetricName"]], "Value": version} in metric["Dimensions"]
    assert alarm["AlarmName"]["Fn::Sub"][1] == {"Version": version}, "its state is not the last version's"


@pytest.mark.parametrize("alarm", ["FunctionErrorsAlarm", "FunctionThrottlesAlarm"])
def test_the_alarm_covers_every_function(alarm: str) -> None:
    metrics = [one["MetricStat"]["Metric"] for one in properties(alarm)["Metrics"] if "MetricStat" in one]
    names = {one["Dimensions"][0]["Value"]["Ref"] for one in metrics}
    assert names == set(FUNCTIONS)


def test_the_alarm_for_slow_steps_precedes_their_timeout() -> None:
    limit_ms = properties("SlowStepsAlarm")["Threshold"]
    for name in ("AnalyzeFunction", "InsertFunction", "ExportFunction"):
        assert 0.8 < limit_ms / (properties(name)["Timeout"] * 1_000) < 1


def test_performance_insights_are_on_from_two_capacity_units() -> None:
    """AWS refuses them for clusters that may scale below two."""
    assert properties("ClusterInstance")["EnablePerformanceInsights"] == {
        "Fn::If": ["AlwaysAwake", True, False]
    }
    (less,) = DOCUMENT["Conditions"]["AlwaysAwake"]["Fn::Not"]
    refused = {one["Fn::Equals"][1] for one in less["Fn::Or"]}
    assert refused == {0, 0.5, 1, 1.5}, "capacity comes in steps of 0.5"


def test_one_role_invokes_the_operators_function_which_runs_in_the_network() -> None:
    (policy,) = properties("OperatorRole")["Policies"]
    (statement,) = policy["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == (
        "lambda:InvokeFunction",
        {"Ref": "OperatorFunction.Alias"},
    )
    function = properties("OperatorFunction")
    assert function["Timeout"] == 900
    assert function["Environment"] == properties("ProvisionFunction")["Environment"]
    assert properties("Cluster")["EnableHttpEndpoint"], "SQL by hand"
    (prune,) = function["Events"].values()
    arguments = json.loads(prune["Properties"]["Input"]["Fn::Sub"])["arguments"]
    assert parser().parse_args(arguments).keep == 3


def test_a_clusters_own_log_expires_and_is_there_before_rds_makes_one() -> None:
    assert properties("ClusterLogs")["LogGroupName"] == {"Fn::Sub": "/aws/rds/cluster/${Cluster}/postgresql"}
    assert RESOURCES["ClusterInstance"]["DependsOn"] == "ClusterLogs"


def test_a_bad_file_does_not_fail_its_execution() -> None:
    """A failed execution raises an alarm, so only a fault of the system may be one."""
    states = json.loads(re.sub(r": \$\{\w+\}", ": 0", (ROOT / "statemachine" / "job.asl.json").read_text()))[
        "States"
    ]
    assert states["MarkFailed"]["Next"] == states["MarkFailed"]["Catch"][0]["Next"] == "Fault?"
    (fault,) = states["Fault?"]["Choices"]
    assert ("'JOB_FAULT'" in fault["Condition"], fault["Next"]) == (True, "Fault")
    assert states[states["Fault?"]["Default"]]["Type"] == "Succeed"


def test_metrics_per_method_are_off() -> None:
    """API Gateway bills metrics per method as custom metrics; the stage has its own without them."""
    assert properties("Api")["MethodSettings"][0]["MetricsEnabled"] is False


def test_events_that_keep_failing_go_to_the_dead_letter_queue() -> None:
    for name in ("IngestFunction", "SweepFunction"):
        failure = properties(name)["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]
        assert failure == {"Type": "SQS", "Destination": {"Fn::GetAtt": ["DeadLetters", "Arn"]}}


def test_the_dashboard_is_json_of_metrics_that_exist() -> None:
    body = properties("Dashboard")["DashboardBody"]["Fn::Sub"]
    widgets = json.loads(body)["widgets"]
    assert all(widget["properties"]["metrics"] for widget in widgets)
    for name in re.findall(r"\$\{(\w+)", body):
        assert name in RESOURCES or name in PARAMETERS or name == "AWS", name


def test_a_failed_first_deployment_does_not_block_the_second() -> None:
    """Resources with a fixed name are deleted on rollback."""
    for name, resource in RESOURCES.items():
        fixed = {"BucketName", "LogGroupName", "RoleName", "TableName", "QueueName", "DashboardName"}
        if fixed & set(resource["Properties"]):
            assert resource.get("DeletionPolicy", "Delete") in {"Delete", "RetainExceptOnCreate"}, name


def test_every_parameter_is_in_a_group() -> None:
    groups = DOCUMENT["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    assert sorted(name for group in groups for name in group["Parameters"]) == sorted(PARAMETERS)


@pytest.mark.parametrize(
    "name",
    [
        "SharedSecretGiven",
        "PostgresGiven",
        "SecretNeedsHost",
        "ClusterNeedsNetwork",
        "NetworkNeedsSubnets",
        "EndpointsNeedRange",
    ],
)
def test_missing_parameters_are_reported_before_anything_is_created(name: str) -> None:
    (assertion,) = DOCUMENT["Rules"][name]["Assertions"]
    assert "need" in assertion["AssertDescription"] or "Give" in assertion["AssertDescription"]


def test_the_console_is_private_and_created_only_on_request() -> None:
    names = {name for name in RESOURCES if name.startswith("Console")}
    assert {RESOURCES[name]["Condition"] for name in names} == {"MakeConsole"}
    assert PARAMETERS["CreateConsole"]["Default"] == "false"
    assert set(properties("ConsoleBucket")["PublicAccessBlockConfiguration"].values()) == {True}
    (statement,) = properties("ConsoleBucketPolicy")["PolicyDocument"]["Statement"]
    assert (statement["Principal"], statement["Action"]) == (
        {"Service": "cloudfront.amazonaws.com"},
        "s3:GetObject",
    )


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
