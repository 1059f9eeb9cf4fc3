"""Find a company's database, make it, or bring it up to date where that is owed: here, or by one function.

That function alone may read the administrators' secrets. What travels is `{"action", "company_id"}` there,
`{"connection"}` or `{"code"}` (a declared error's) back.

Each step of the making can be repeated, so that a killed one is resumed.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Literal, TypedDict

from psycopg import sql
from psycopg.errors import InsufficientPrivilege

from managed_tables import errors
from managed_tables.catalog.connections import ConnectionRecord, Connections
from managed_tables.databases.connecting import (
    Databases,
    PgConnection,
    translated_errors,
)
from managed_tables.databases.migrations import NEEDS_SCHEMA, SCHEMA_VERSION, migrate
from managed_tables.databases.moves import Moves
from managed_tables.databases.roles import end_sessions, make_database, make_roles, set_defaults, set_password
from managed_tables.databases.statements import execute
from managed_tables.errors import DATABASE_UNAVAILABLE, NOT_PROVISIONED, ApiError
from managed_tables.ids import new_record_id
from managed_tables.settings import DEFAULT_CLUSTER

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# Any number: roles and databases are rows of catalogues that a whole cluster shares, and two sessions that
# change one row at once get "tuple concurrently updated".
_LOCK_KEY = 7_205_759_402

# Of large objects, and of messages in the log of changes: no limit of a session or a role holds for them.
DISK_FUNCTIONS = (
    "lo_creat",
    "lo_create",
    "lo_from_bytea",
    "lo_open",
    "lo_put",
    "lo_truncate",
    "lo_truncate64",
    "lowrite",
    "pg_logical_emit_message",
)


@dataclass(frozen=True)
class Provisioning:
    """Gives each company its database; what only an administrator can do is the `maker`'s."""

    connections: Connections
    maker: "DatabaseMaker | RemoteMaker"

    def find(self, company_id: str) -> ConnectionRecord | None:
        """Return the company's connection if its database is complete, our own schema up to date."""
        connection = self.connections.find(company_id)
        if connection is None or connection.state != "ready":
            return None
        # Newer code will answer: this one must not touch it. Or an operator, who says which copy counts
        if connection.needs_schema > SCHEMA_VERSION or connection.missing_generation:
            raise ApiError(DATABASE_UNAVAILABLE)
        if connection.schema_version < SCHEMA_VERSION:
            self.maker.bring_up_to_date(connection)
        return connection

    def require(self, company_id: str) -> ConnectionRecord:
        """Return the company's connection; raises NOT_PROVISIONED without a complete one."""
        connection = self.find(company_id)
        if connection is None:
            raise ApiError(NOT_PROVISIONED)
        return connection

    def provision(self, company_id: str) -> ConnectionRecord:
        """Return the company's connection, its database made if it is not complete yet."""
        return self.find(company_id) or self.maker.make(company_id)

    def rotate_reader(self, company_id: str) -> ConnectionRecord:
        """Give the company's read-only role another password; raises NOT_PROVISIONED without a database."""
        return self.maker.rotate_reader(self.require(company_id))

    def end_move(self, company_id: str) -> ConnectionRecord:
        """End the company's move if its worker is gone; raises NOT_PROVISIONED without a connection."""
        return self.maker.end_move(company_id)


@dataclass(frozen=True)
class DatabaseMaker:
    """Makes companies' databases as their clusters' administrator, on the cluster where new companies go."""

    connections: Connections
    databases: Databases
    moves: Moves
    placement: Callable[[], str] = lambda: DEFAULT_CLUSTER  # names that cluster
    newest_secret: Callable[[], int] = lambda: 0  # the generation that their passwords derive from
    zone: str = "UTC"  # that sessions of the read-only roles begin with

    def end_move(self, company_id: str) -> ConnectionRecord:
        """Return the company's connection once its move has ended, if its worker is gone."""
        connection = self.moves.end_lapsed(company_id)
        if connection is None:
            raise ApiError(NOT_PROVISIONED)
        return connection

    def make(self, company_id: str) -> ConnectionRecord:
        """Return the company's connection, its database made, or its making gone on with."""
        connection = self.connections.reserve(
            company_id, new_record_id(), self.placement(), self.newest_secret()
        )
        roles = self.databases.roles_of(connection)
        with translated_errors(), self.databases.open_admin_connection(connection.cluster) as admin:
            _close_shared_databases(admin)
            # Of the session: CREATE DATABASE refuses to run in a transaction.
            admin.execute("SELECT pg_advisory_lock(%s)", [_LOCK_KEY])
            make_roles(admin, roles, self.zone)
            make_database(admin, roles)
            self._close_catalogue(connection)
        self._migrate(connection)
        return connection

    def bring_up_to_date(self, connection: ConnectionRecord) -> None:
        """Migrate a database of an earlier release to this one; repeatable."""
        with translated_errors(), self.databases.open_admin_connection(connection.cluster) as admin:
            admin.execute("SELECT pg_advisory_lock(%s)", [_LOCK_KEY])
            set_defaults(admin, self.databases.roles_of(connection), self.zone)
            self._close_catalogue(connection)
        self._migrate(connection)

    def rotate_reader(self, connection: ConnectionRecord) -> ConnectionRecord:
        """Set another password for the company's read-only role, and end its sessions.

        Repeat it if it fails. Password and record change together, unless the process dies between two
        commits.
        """
        with translated_errors(), self.databases.open_admin_connection(connection.cluster) as admin:
            with admin.transaction():
                admin.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK_KEY])
                connection = self.connections.find(connection.company_id) or connection
                next_generation = connection.reader_generation + 1
                roles = self.databases.roles_of(replace(connection, reader_generation=next_generation))
                set_password(admin, roles, roles.reader)
                set_defaults(admin, roles, self.zone)
                renewed = self.connections.renew_reader(connection)
            end_sessions(admin, roles.reader)
        return renewed

    def _migrate(self, connection: ConnectionRecord) -> None:
        roles = self.databases.roles_of(connection)
        with self.databases.company_connection(connection) as company:
            migrate(company, roles.reader)
            company.execute(  # so that the database itself says whose it is
                "INSERT INTO managed_tables.company (company_id) VALUES (%s) ON CONFLICT DO NOTHING",
                [connection.company_id],
            )
        self.connections.mark_ready(connection, SCHEMA_VERSION, NEEDS_SCHEMA)

    def _close_catalogue(self, connection: ConnectionRecord) -> None:
        """Take from everyone, in the company's database, the functions that write to disk past all limits.

        They are the server's: only a superuser may, and where the administrator is none (RDS) they stay.
        Under the cluster's lock: PostgreSQL refuses two revocations at once.
        """
        database = self.databases.roles_of(connection).database
        with translated_errors(), self.databases.open_admin_connection(connection.cluster, database) as admin:
            functions = admin.execute(
                "SELECT pg_proc.oid::regprocedure::text FROM pg_proc"
                " WHERE pronamespace = 'pg_catalog'::regnamespace AND proname = ANY(%s)"
                " AND has_function_privilege('public', pg_proc.oid, 'EXECUTE')"
                " AND (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)",
                [list(DISK_FUNCTIONS)],
            ).fetchall()
            for (signature,) in functions:
                execute(admin, "REVOKE EXECUTE ON FUNCTION {} FROM PUBLIC", sql.SQL(signature))


def _close_shared_databases(admin: PgConnection) -> None:
    """Keep the companies' roles out of the cluster's own databases, which are everyone's by default."""
    with admin.transaction():
        admin.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK_KEY])
        rows = admin.execute(
            "SELECT datname FROM pg_database WHERE datname IN (current_database(), 'postgres', 'template1')"
            " AND has_database_privilege('public', oid, 'CONNECT')"
        ).fetchall()
        for (name,) in rows:
            try:
                with admin.transaction():
                    execute(admin, "REVOKE CONNECT, TEMPORARY ON DATABASE {:i} FROM PUBLIC", name)
            except InsufficientPrivilege:
                continue  # a managed service keeps it for itself, and there is nothing of ours in it


Action = Literal["make", "bring_up_to_date", "rotate_reader", "end_move"]


class MakingRequest(TypedDict):
    """What the function is called with."""

    action: Action
    company_id: str


class MakingAnswer(TypedDict, total=False):
    """What it answers: the connection's record, or the code of a declared error; the others are Lambda's."""

    connection: dict[str, str | int]
    code: str
    errorType: str
    errorMessage: str


_STOPPED = "Task timed out"  # in Lambda's words for a function that ran out of time


class MakingFault(Exception):  # noqa: N818 - as SweepFault
    """The function that makes databases has failed for no declared reason; its log has the trace."""


@dataclass(frozen=True)
class RemoteMaker:
    """The function that makes databases, as the others call it."""

    client: "Callable[[], LambdaClient]"
    function: str

    def make(self, company_id: str) -> ConnectionRecord:
        """Return the company's connection, its database made if it is not complete."""
        return self._ask("make", company_id)

    def bring_up_to_date(self, connection: ConnectionRecord) -> None:
        """Bring a database of an earlier release to what this one makes."""
        self._ask("bring_up_to_date", connection.company_id)

    def rotate_reader(self, connection: ConnectionRecord) -> ConnectionRecord:
        """Give the read-only role another password; return the record that says so."""
        return self._ask("rotate_reader", connection.company_id)

    def end_move(self, company_id: str) -> ConnectionRecord:
        """End the company's move if its worker is gone; return the record of its connection then."""
        return self._ask("end_move", company_id)

    def _ask(self, action: Action, company_id: str) -> ConnectionRecord:
        answer = self._invoke({"action": action, "company_id": company_id})
        code = answer.get("code")
        for kind in vars(errors).values():  # but those whose sentence has more to say than a code
            if isinstance(kind, errors.ApiErrorKind) and kind.code == code and "{" not in kind.sentence:
                raise ApiError(kind)
        if "connection" not in answer:
            raise MakingFault(answer.get("errorType", code))
        return ConnectionRecord.read(answer["connection"])

    def _invoke(self, event: MakingRequest) -> MakingAnswer:
        """Return what the function answers; raises DATABASE_UNAVAILABLE where it did not in time."""
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            answer = self.client().invoke(FunctionName=self.function, Payload=json.dumps(event).encode())
        except BotoCoreError as error:
            raise ApiError(DATABASE_UNAVAILABLE) from error
        except ClientError as error:
            if error.response["Error"]["Code"] in {"AccessDeniedException", "ResourceNotFoundException"}:
                raise
            raise ApiError(DATABASE_UNAVAILABLE) from error
        found: MakingAnswer = json.loads(answer["Payload"].read())
        if _STOPPED in str(found.get("errorMessage")):
            raise ApiError(DATABASE_UNAVAILABLE)
        return found


def answered(ask: Callable[[], ConnectionRecord]) -> MakingAnswer:
    """Return what the function answers, a declared error's code in place of the connection."""
    try:
        return {"connection": asdict(ask())}
    except ApiError as error:
        return {"code": error.kind.code}
