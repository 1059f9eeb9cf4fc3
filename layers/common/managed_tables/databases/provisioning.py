"""Find a company's database, make it, or bring it up to date where that is owed: here, or by one function.

That function alone may read the administrators' secrets. What travels is `{"action", "company_id"}` there,
`{"connection"}` or `{"code"}` (a declared error's) back.

Each step of the making can be repeated, so that a killed one is resumed.
"""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Literal, TypedDict

from psycopg import sql
from psycopg.errors import DuplicateDatabase, DuplicateObject, InsufficientPrivilege, UniqueViolation

from managed_tables import errors
from managed_tables.catalog.connections import ConnectionRecord, Connections
from managed_tables.databases.connecting import (
    OWNER_CONNECTIONS,
    READER_CONNECTIONS,
    CompanyRoles,
    Databases,
    PgConnection,
    fetch_number,
    translated_errors,
)
from managed_tables.databases.migrations import NEEDS_SCHEMA, SCHEMA_VERSION, migrate
from managed_tables.databases.statements import compose, execute
from managed_tables.errors import DATABASE_UNAVAILABLE, NOT_PROVISIONED, ApiError
from managed_tables.ids import new_record_id
from managed_tables.settings import DEFAULT_CLUSTER

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

# Any number: roles and databases are rows of catalogues that a whole cluster shares, and two sessions that
# change one row at once get "tuple concurrently updated".
_LOCK_KEY = 7_205_759_402


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
        if connection.needs_schema > SCHEMA_VERSION:
            raise ApiError(DATABASE_UNAVAILABLE)  # newer code will answer: this one must not touch it
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


@dataclass(frozen=True)
class DatabaseMaker:
    """Makes companies' databases as their clusters' administrator, on the cluster where new companies go."""

    connections: Connections
    databases: Databases
    placement: Callable[[], str] = lambda: DEFAULT_CLUSTER  # names that cluster
    newest_secret: Callable[[], int] = lambda: 0  # the generation that their passwords derive from
    zone: str = "UTC"  # that sessions of the read-only roles begin with

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


def make_database(admin: PgConnection, roles: CompanyRoles) -> None:
    """Make the database closed, take from everyone what templates do not, and only then open it."""
    # An administrator that is no superuser (RDS) may only give away what its own roles may own.
    execute(admin, "GRANT {:i} TO CURRENT_USER", roles.owner)
    # Refused where an earlier attempt came this far, or another is here at this moment.
    with suppress(DuplicateDatabase, UniqueViolation):
        form = "CREATE DATABASE {:i} OWNER {:i} TEMPLATE template0 ENCODING 'UTF8' {} ALLOW_CONNECTIONS false"
        execute(admin, form, roles.database, roles.owner, _locale(admin))
    execute(admin, "REVOKE ALL ON DATABASE {:i} FROM PUBLIC", roles.database)
    execute(admin, "GRANT CONNECT ON DATABASE {:i} TO {:i}", roles.database, roles.reader)
    execute(admin, "ALTER DATABASE {:i} WITH ALLOW_CONNECTIONS true", roles.database)


def _locale(admin: PgConnection) -> sql.SQL:
    """Return how the database sorts text: as Brazilians do where the server has ICU, else by code point."""
    if fetch_number(admin, "SELECT count(*) FROM pg_collation WHERE collname = 'pt-BR-x-icu'"):
        return sql.SQL("LOCALE_PROVIDER icu ICU_LOCALE 'pt-BR'")
    return sql.SQL("LOCALE_PROVIDER libc LC_COLLATE 'C'")


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


Action = Literal["make", "bring_up_to_date", "rotate_reader"]


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


# What a session of a BI tool has unless it asks for something else, as PostgreSQL lets every role do. A query
# or a transaction that is forgotten would keep changes of columns waiting, and dead rows from being cleared.
READER_SETTINGS = {
    "statement_timeout": "15min",
    "idle_in_transaction_session_timeout": "5min",
    "default_transaction_read_only": "on",
}
# What one session may write of temporary files, on the disk that all companies of a cluster share: sorts and
# hashes that do not fit in memory. No role can lift it. An index of 50 million rows takes 2 GB to build.
OWNER_TEMPORARY_FILES = "4GB"
READER_TEMPORARY_FILES = "2GB"
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


def make_roles(admin: PgConnection, roles: CompanyRoles, zone: str) -> None:
    """Make a company's roles, or their passwords and limits again; readers' sessions begin in `zone`."""
    make_role(admin, roles, roles.owner, OWNER_CONNECTIONS)
    make_role(admin, roles, roles.reader, READER_CONNECTIONS)
    set_defaults(admin, roles, zone)


def make_role(admin: PgConnection, roles: CompanyRoles, role: str, connection_limit: int) -> None:
    """Make the role, or give an existing one its password again."""
    options = compose(
        "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION CONNECTION LIMIT {} PASSWORD {}",
        connection_limit,
        _verifier(admin, roles, role),
    )
    try:
        execute(admin, "CREATE ROLE {:i} {}", role, options)
    except (DuplicateObject, UniqueViolation):
        execute(admin, "ALTER ROLE {:i} {}", role, options)


def set_password(admin: PgConnection, roles: CompanyRoles, role: str) -> None:
    """Give the role its password again."""
    execute(admin, "ALTER ROLE {:i} PASSWORD {}", role, _verifier(admin, roles, role))


def set_defaults(admin: PgConnection, roles: CompanyRoles, zone: str) -> None:
    """Set what the sessions of both roles begin with, and may write of temporary files."""

    def set_all(role: str, values: Mapping[str, str]) -> None:
        for name, value in values.items():
            execute(admin, "ALTER ROLE {:i} SET {:i} = {}", role, name, value)

    set_all(roles.reader, {**READER_SETTINGS, "timezone": zone})
    for role, limit in ((roles.owner, OWNER_TEMPORARY_FILES), (roles.reader, READER_TEMPORARY_FILES)):
        # An administrator that is no superuser (RDS) may not set it: there it is the cluster's own setting.
        with suppress(InsufficientPrivilege), admin.transaction():
            set_all(role, {"temp_file_limit": limit})


def end_sessions(admin: PgConnection, role: str) -> None:
    """End every session of the role."""
    # An administrator that is no superuser may end the sessions of roles of which it is a member.
    execute(admin, "GRANT {:i} TO CURRENT_USER", role)
    admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [role])


def _verifier(admin: PgConnection, roles: CompanyRoles, role: str) -> str:
    """Return what PostgreSQL keeps of the role's password: the server never sees it in clear text."""
    password = roles.password(role).encode()
    return admin.pgconn.encrypt_password(password, role.encode(), b"scram-sha-256").decode()
