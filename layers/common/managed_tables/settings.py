"""Read the environment: every variable of the functions is named here, once, with its unit."""

import os
from collections.abc import Mapping
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

MIB = 1_048_576
DEFAULT_CLUSTER = "default"
DEFAULT_TIMEZONE = "America/Sao_Paulo"  # where most users are: UTC would show each time three hours early


class Settings(BaseModel):
    """The deployment's settings; each field is read from the variable of its name in upper case."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    # Resources, set by template.yaml
    table_name: str
    bucket_name: str
    state_machine_arn: str = ""
    app_secret_arn: str = ""  # AppSecret's
    # Alone reads the administrators' secrets; empty: this process does, and makes databases itself.
    provision_function: str = ""
    postgres_secret_arn: str = ""  # {"username", "password"} of the administrator, with an address or not
    # Where the cluster listens, `host` or `host:port`: no secret, and one that RDS manages does not say it.
    postgres_host: str = ""
    postgres_sslmode: str = "require"

    aws_endpoint_url: str = ""  # an emulator's; empty: AWS's own
    aws_dual_stack: bool = False  # the way out is IPv6 alone, but to S3 and DynamoDB

    # Tokens
    jwt_algorithm: Literal["HS256", "RS256", "ES256"] = "HS256"
    jwt_secret_arn: str = ""  # the text that HS256 signs with
    jwks_url: str = ""
    jwt_issuer: str = ""  # empty: not checked
    jwt_audience: str = ""  # empty: not checked

    # Uploads and jobs
    ingest_function: str = ""  # which the operator's redrive has take objects of the inbox again
    insert_function: str = ""  # which reads staged objects for the API, too
    upload_expires_seconds: int = Field(default=3_600, le=6 * 3_600)  # credentials that sign posts end, too
    # Of an upload's files; S3 takes 5 GiB in one post.
    upload_max_mb: int = Field(default=100, ge=1, le=5_000)
    job_retention_days: int = 90  # of a job that has ended
    active_jobs_max: int = Field(default=200, ge=1)  # of a company, made by the API
    running_jobs_max: int = Field(default=4, ge=1)  # of a company, at one of their steps; the others wait
    undo_days: int = Field(default=7, ge=1)  # for how long a load can be taken back
    history_days: int = Field(default=90, ge=1)  # for how long each change of a row is kept
    running_exports_max: int = Field(default=4, ge=1)  # of a company; the next one is refused
    default_timezone: str = DEFAULT_TIMEZONE

    # Exports
    export_state_machine_arn: str = ""
    export_retention_days: int = 7  # as the bucket's lifecycle has it
    export_url_seconds: int = 3_600

    # Limits of the API
    cors_origins: str = "*"  # apart by commas or blanks
    request_max_bytes: int = 6 * MIB  # of a JSON body: what Lambda takes, the same under a server
    response_max_bytes: int = 5 * MIB  # of a page of rows, a sixth of which Lambda's escapes are
    sent_max_bytes: int = 6 * MIB - 16_384  # of an answer as Lambda counts it: a text inside JSON
    statement_timeout_ms: int = 25_000  # API Gateway hangs up after 29 s
    lock_timeout_ms: int = 10_000
    database_connections_max: int = Field(default=8, ge=1)  # per process, over all companies
    load_statement_timeout_ms: int = 14 * 60_000  # insert's Lambda is stopped after 15 minutes

    @property
    def upload_max_bytes(self) -> int:
        """How large the files of one upload may be together."""
        return self.upload_max_mb * MIB

    @property
    def unpacked_max_bytes(self) -> int:
        """How large the archives of one upload may be when unpacked: ten times that, 1 GiB at least."""
        return max(1_024 * MIB, 10 * self.upload_max_bytes)

    @property
    def default_address(self) -> "ClusterAddress | None":
        """Where the default cluster listens, None where the settings do not say."""
        if not self.postgres_host:
            return None
        host, _, port = self.postgres_host.partition(":")
        return ClusterAddress(host=host, port=int(port or 5432), sslmode=self.postgres_sslmode)

    @property
    def zone(self) -> ZoneInfo:
        """The zone of a time that is written without one."""
        return ZoneInfo(self.default_timezone)


def load_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the settings from the environment; pydantic's ValidationError names what is missing or wrong."""
    values = {
        name: environment[name.upper()] for name in Settings.model_fields if name.upper() in environment
    }
    return Settings.model_validate(values)


class AppSecret(BaseModel):
    """The secrets that databases' passwords derive from: generation 0, and the `later` ones beside it."""

    model_config = ConfigDict(hide_input_in_errors=True)  # which are logged

    database_master_secret: str
    later: dict[int, str] = {}

    @property
    def newest(self) -> int:
        """The generation that new companies' passwords derive from."""
        return max(self.later, default=0)

    def find(self, generation: int) -> str | None:
        """Return the secret of a generation, None if it is not known here."""
        return self.database_master_secret if generation == 0 else self.later.get(generation)


class ClusterAddress(BaseModel):
    """Where one PostgreSQL cluster listens: what every function knows of it."""

    host: str
    port: int = 5432
    sslmode: str = "require"  # libpq's; RDS, whose secrets do not say, always has TLS


class PostgresSecret(ClusterAddress):
    """The administrator of one PostgreSQL cluster, in the shape that RDS gives its secrets."""

    model_config = ConfigDict(hide_input_in_errors=True)

    username: str
    password: str
    dbname: str = "postgres"
