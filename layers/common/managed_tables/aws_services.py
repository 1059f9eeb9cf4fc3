"""Make one process's settings, secrets and AWS clients, each once, when first needed.

What needs PostgreSQL too is added by `services`: steps that do not, start without its driver.
"""

import threading
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from managed_tables.aws.executions import Executions, send_end
from managed_tables.aws.storage import JobDocuments, Storage
from managed_tables.catalog.connections import Clusters, Connections
from managed_tables.catalog.exports import Exports
from managed_tables.catalog.imports import Imports
from managed_tables.catalog.items import Items
from managed_tables.catalog.job_records import JobRecord
from managed_tables.catalog.jobs import Jobs
from managed_tables.catalog.keys import RUNNING_EXPORTS
from managed_tables.catalog.operations import OldDatabases, Operations
from managed_tables.catalog.tables import Tables
from managed_tables.errors import SECRETS_UNAVAILABLE, ApiError
from managed_tables.settings import AppSecret, Settings
from managed_tables.shares import JobSlots, Shares, Slots

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_stepfunctions import SFNClient


T = TypeVar("T")

CONNECT_TIMEOUT_SECONDS = 2
READ_TIMEOUT_SECONDS = 6
MAX_ATTEMPTS = 3
EVENTS_READ_TIMEOUT_SECONDS = 3
COPY_READ_TIMEOUT_SECONDS = 30  # S3 answers a copy when it is done: 256 MB took more than six
PROVISION_TIMEOUT_SECONDS = 25  # the function is stopped a second before, the API's own three after
_BY_GATEWAY = frozenset({"s3", "dynamodb"})  # a VPC reaches these two by free endpoints, without IPv6
_THROTTLED = frozenset({"ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded"})
MAX_POOL_CONNECTIONS = 40  # as many as a served process has threads

_making = threading.RLock()  # sessions of boto3 are not thread-safe while a client is made


class once(cached_property[T]):  # noqa: N801 - reads as the decorator it is
    """A property made at its first use, by one thread only; assigning to it beforehand replaces it."""

    def __get__(self, instance: object, owner: type | None = None) -> T:  # type: ignore[override]
        with _making:
            made: T = super().__get__(instance, owner)
            return made


class AwsServices:
    """What every function is handed: settings, the deployment's secret, clients and the stores on them."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    dynamodb: "once[DynamoDBClient]" = once(lambda self: self.client("dynamodb"))
    s3: "once[S3Client]" = once(lambda self: self.client("s3"))
    stepfunctions: "once[SFNClient]" = once(lambda self: self.client("stepfunctions"))
    secretsmanager: "once[SecretsManagerClient]" = once(lambda self: self.client("secretsmanager"))
    # One short attempt: the sweep sends again what was not accepted.
    eventbridge = once(
        lambda self: self.client("events", read_timeout_seconds=EVENTS_READ_TIMEOUT_SECONDS, max_attempts=1)
    )
    # One attempt: making a database takes as long as a request has, and no call is to be made twice unasked.
    lambda_client: "once[LambdaClient]" = once(
        lambda self: self.client("lambda", read_timeout_seconds=PROVISION_TIMEOUT_SECONDS, max_attempts=1)
    )

    app_secret = once(lambda self: AppSecret.model_validate_json(self._secret(self.settings.app_secret_arn)))
    items = once(lambda self: Items(self.dynamodb, self.settings.table_name))
    connections = once(lambda self: Connections(self.items))
    clusters = once(lambda self: Clusters(self.items))
    operations = once(lambda self: Operations(self.items))
    old_databases = once(lambda self: OldDatabases(self.items))
    tables = once(lambda self: Tables(self.items))
    jobs = once(lambda self: Jobs(self.items, self.settings.job_retention_days, self._tell_end))
    imports = once(lambda self: Imports(self.items, self.settings.job_retention_days))
    exports = once(lambda self: Exports(self.items, self.settings.export_retention_days))
    export_slots = once(lambda self: Slots(self.items, self.settings.running_exports_max, RUNNING_EXPORTS))
    storage = once(lambda self: Storage(self.s3, self.settings.bucket_name))
    copying = once(
        lambda self: Storage(
            self.client("s3", read_timeout_seconds=COPY_READ_TIMEOUT_SECONDS, max_attempts=2),
            self.settings.bucket_name,
        )
    )
    job_documents = once(lambda self: JobDocuments(self.storage))
    executions = once(lambda self: Executions(self.stepfunctions, self.settings.state_machine_arn))
    export_executions = once(
        lambda self: Executions(self.stepfunctions, self.settings.export_state_machine_arn)
    )

    @once
    def shares(self) -> Shares:
        """Which of a company's jobs run, and which wait."""
        slots = JobSlots(self.items, self.settings.running_jobs_max)
        return Shares(slots, self.jobs, lambda: self.executions)

    def _tell_end(self, job: JobRecord) -> bool:
        """Tell the company's next job, and other systems, of a job's end; whether both have taken it."""
        left = self.shares.leave(job)
        return send_end(lambda: self.eventbridge, job) and left

    def _secret(self, arn: str) -> str:
        """Return a secret's text; raises SECRETS_UNAVAILABLE where Secrets Manager does not answer."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return self.secretsmanager.get_secret_value(SecretId=arn)["SecretString"]
        except BotoCoreError as error:
            raise ApiError(SECRETS_UNAVAILABLE) from error
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] >= HTTPStatus.INTERNAL_SERVER_ERROR or (
                error.response["Error"]["Code"] in _THROTTLED
            ):
                raise ApiError(SECRETS_UNAVAILABLE) from error
            raise

    def client(
        self,
        service: str,
        *,
        read_timeout_seconds: float = READ_TIMEOUT_SECONDS,
        max_attempts: int = MAX_ATTEMPTS,
    ) -> Any:
        """Return a new client of a service, as this process reaches AWS."""
        # Imported here: a request that needs no AWS service does not pay for boto3.
        import boto3
        from botocore.config import Config

        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.settings.aws_endpoint_url or None,
            config=Config(
                connect_timeout=CONNECT_TIMEOUT_SECONDS,
                read_timeout=read_timeout_seconds,
                retries={"mode": "standard", "max_attempts": max_attempts},
                max_pool_connections=MAX_POOL_CONNECTIONS,
                signature_version="s3v4" if service == "s3" else None,
                use_dualstack_endpoint=self.settings.aws_dual_stack and service not in _BY_GATEWAY,
                # An emulator has no DNS name a bucket. On AWS `auto`, and in us-east-1 `virtual` too, would
                # sign for the global address, from which a young bucket of another region is redirected, and
                # which the console's policy does not allow.
                s3={
                    "addressing_style": "path" if self.settings.aws_endpoint_url else "virtual",
                    "us_east_1_regional_endpoint": "regional",
                },
            ),
        )
