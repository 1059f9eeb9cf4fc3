"""Connect to PostgreSQL, as a cluster's administrator or as a company, with every limit set.

The names and passwords of a company's roles are derived, and stored nowhere.
"""

import hashlib
import hmac
import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from psycopg.errors import ConfigurationLimitExceeded, DivisionByZero, LockNotAvailable, QueryCanceled

from managed_tables import errors
from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.errors import ApiError
from managed_tables.settings import ClusterAddress, PostgresSecret

PgConnection = psycopg.Connection[tuple[Any, ...]]

# What a company may have at once
OWNER_CONNECTIONS = 60  # each API process that served the company keeps one; a default server has 100
READER_CONNECTIONS = 20  # BI tools of one company must not take a cluster's every connection

CONNECT_DEADLINE_SECONDS = 20.0  # a paused Aurora cluster resumes in about 15 s; a request has 29 s
CONNECT_ATTEMPT_MIN_SECONDS = 2  # libpq's least
CONNECT_PAUSE_SECONDS = 0.1
CONNECT_PAUSE_MAX_SECONDS = 2.0

# A peer that is gone without a word is noticed after a minute, on either side, where both would wait for
# hours: a session in COPY heeds no timeout while it waits for its client, and holds its job's locks as long.
_KEEPALIVES = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3}

# What a server says that has no connection left, of a role, of a database or at all: libpq keeps SQLSTATE
# 53300 to itself. One that speaks another language is waited for like one that is resuming.
_FULL = ("too many connections for", "too many clients", "remaining connection slots")

# Of PostgreSQL, which say that an index has no room for a row.
_INDEX_FUNCTIONS = frozenset({"_bt_check_third_page", "index_form_tuple", "index_form_tuple_context"})

# Of a role with another password, or that may not log in while, and after, its company moves.
_REFUSED = ("password authentication failed", "is not permitted to log in")

# Amazon RDS's authorities, of every region: what a cluster's certificate is checked against.
AUTHORITIES = str(Path(__file__).with_name("rds-global-bundle.pem"))
VERIFYING = frozenset({"verify-ca", "verify-full"})


@dataclass(frozen=True)
class CompanyRoles:
    """The database of one connection, its owner and its reader: `reader_generation` counts its passwords."""

    connection_id: str
    master_secret: str
    reader_generation: int = 0

    @property
    def database(self) -> str:
        """The database's name: opaque, since every role of a cluster can list databases."""
        return f"co_{self.connection_id}"

    @property
    def owner(self) -> str:
        """The role that owns the database and everything in it."""
        return self.database

    @property
    def reader(self) -> str:
        """The role for the Data API and BI tools."""
        return f"{self.database}_ro"

    def password(self, role: str) -> str:
        """Return the role's password: HMAC-SHA256 of connection and role under the master secret."""
        message = f"{self.connection_id}:{role}"
        if role == self.reader and self.reader_generation:
            message += f":{self.reader_generation}"
        return hmac.new(self.master_secret.encode(), message.encode(), hashlib.sha256).hexdigest()


class PasswordRefused(ApiError):  # noqa: N818 - named for what it tells
    """DATABASE_UNAVAILABLE because the role has another password: trying again would not help."""


@dataclass(frozen=True)
class SessionLimits:
    """What a session may take, in milliseconds; 0 is without limit."""

    statement_timeout_ms: int
    lock_timeout_ms: int
    idle_in_transaction_timeout_ms: int = 60_000  # a function that was frozen midway must not keep locks
    idle_session_timeout_ms: int = 15 * 60_000  # a frozen function's session must not keep a cluster awake
    unacknowledged_max_ms: int = 120_000  # of what we send: a server at work acknowledges it all the same
    role_sessions_max: int = 0  # how many its role may have with it; the rest is left to others

    def as_options(self) -> str:
        """Return the limits, and UTC as the time zone, as the start-up options of a session."""
        values = {
            "statement_timeout": self.statement_timeout_ms,
            "lock_timeout": self.lock_timeout_ms,
            "idle_in_transaction_session_timeout": self.idle_in_transaction_timeout_ms,
            "idle_session_timeout": self.idle_session_timeout_ms,
            "timezone": "UTC",
            "datestyle": "ISO",
            **{f"tcp_{name}": seconds for name, seconds in _KEEPALIVES.items()},
        }
        return " ".join(f"-c {name}={value}" for name, value in values.items())


# Creating a database waits for its turn; the function that does it is stopped after 24 s.
ADMIN_LIMITS = SessionLimits(statement_timeout_ms=20_000, lock_timeout_ms=0)


@dataclass(frozen=True)
class Databases:
    """Opens connections to the companies' databases."""

    cluster_secret: Callable[[str], PostgresSecret]  # gives a cluster's administrator
    renew_secret: Callable[[str], PostgresSecret]  # reads that again, where a password is refused
    address: Callable[[str], ClusterAddress]  # gives where a cluster listens
    master_secret: Callable[[int], str]  # gives the secret of a generation
    renew_connection: Callable[[ConnectionRecord], ConnectionRecord]  # reads a company's record again
    limits: SessionLimits
    application_name: str = "managed-tables"
    connect_deadline_seconds: float = CONNECT_DEADLINE_SECONDS

    def roles_of(self, connection: ConnectionRecord) -> CompanyRoles:
        """Return the names and present passwords of the company's database and roles."""
        secret = self.master_secret(connection.secret_generation)
        return CompanyRoles(connection.connection_id, secret, connection.reader_generation)

    def open_admin_connection(self, cluster: str, database: str = "") -> PgConnection:
        """Return a connection in autocommit as the administrator, to its own database or another."""
        secret = self.cluster_secret(cluster)
        try:
            return self.open_as_admin(secret, database)
        except PasswordRefused:
            renewed = self.renew_secret(cluster)
            if renewed == secret:
                raise
            return self.open_as_admin(renewed, database)

    def open_as_admin(self, secret: PostgresSecret, database: str = "") -> PgConnection:
        """Return a connection in autocommit to the server of this administrator."""
        return self._open(secret, database or secret.dbname, secret.username, secret.password, ADMIN_LIMITS)

    def open_company_connection(
        self, connection: ConnectionRecord, limits: SessionLimits | None = None
    ) -> PgConnection:
        """Return a connection in autocommit as the company's owner role, to the company's database.

        Waits for a cluster that is resuming; raises DATABASE_UNAVAILABLE when it does not answer in time,
        and CONNECTIONS_TAKEN at once where it has no connection left for the company.
        """
        limits = limits or self.limits
        opened = self._open_by_any(connection, limits)
        if not limits.role_sessions_max:
            return opened
        try:
            sessions = fetch_number(
                opened,
                "SELECT count(*) FROM pg_stat_activity WHERE usename = current_user AND backend_start <="
                " (SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())",
            )
        except psycopg.Error as error:
            opened.close()
            raise ApiError(errors.DATABASE_UNAVAILABLE) from error
        if sessions > limits.role_sessions_max:
            opened.close()
            raise ApiError(errors.CONNECTIONS_TAKEN)
        return opened

    def _open_by_any(self, connection: ConnectionRecord, limits: SessionLimits) -> PgConnection:
        """Open by the record as known, then as it is now, or was before a change that is being made."""
        try:
            return self._open_as_owner(connection, limits)
        except PasswordRefused:
            renewed = self.renew_connection(connection)
            try:
                return self._open_as_owner(renewed, limits)
            except PasswordRefused:
                before = replace(renewed, secret_generation=max(0, renewed.secret_generation - 1))
                return self._open_as_owner(before, limits)

    def _open_as_owner(self, connection: ConnectionRecord, limits: SessionLimits) -> PgConnection:
        roles, address = self.roles_of(connection), self.address(connection.cluster)
        return self._open(address, roles.database, roles.owner, roles.password(roles.owner), limits)

    @contextmanager
    def company_connection(self, connection: ConnectionRecord) -> Iterator[PgConnection]:
        """Open a connection as the company for the `with` block, psycopg's errors translated."""
        with closing(self.open_company_connection(connection)) as opened, translated_errors():
            yield opened

    def _open(
        self, address: ClusterAddress, database: str, user: str, password: str, limits: SessionLimits
    ) -> PgConnection:
        deadline = time.monotonic() + self.connect_deadline_seconds
        pause_seconds = CONNECT_PAUSE_SECONDS
        while True:
            try:
                return psycopg.connect(
                    **_KEEPALIVES,  # type: ignore[arg-type]  # of libpq's parameters
                    host=address.host,
                    port=address.port,
                    dbname=database,
                    user=user,
                    password=password,
                    sslmode=address.sslmode,
                    sslrootcert=AUTHORITIES if address.sslmode in VERIFYING else None,
                    autocommit=True,
                    # The whole time: a cluster that resumes holds the attempt until it is there.
                    connect_timeout=max(CONNECT_ATTEMPT_MIN_SECONDS, int(deadline - time.monotonic())),
                    tcp_user_timeout=limits.unacknowledged_max_ms,
                    application_name=self.application_name,
                    options=limits.as_options(),
                )
            except psycopg.OperationalError as error:
                if any(words in str(error) for words in _FULL):
                    raise ApiError(errors.CONNECTIONS_TAKEN) from error
                if any(words in str(error) for words in _REFUSED):
                    raise PasswordRefused(errors.DATABASE_UNAVAILABLE) from error
                if time.monotonic() + pause_seconds > deadline:
                    raise ApiError(errors.DATABASE_UNAVAILABLE) from error
            time.sleep(pause_seconds * random.uniform(0.5, 1))  # noqa: S311 (jitter)
            pause_seconds = min(pause_seconds * 2, CONNECT_PAUSE_MAX_SECONDS)


def fetch_number(connection: PgConnection, query: LiteralString | sql.Composed, *parameters: object) -> int:
    """Return the one whole number that a query gives, 0 where it has no row."""
    row = connection.execute(query, parameters).fetchone()
    return int(row[0]) if row else 0


def is_of_an_index(error: psycopg.Error) -> bool:
    """Return whether a row was refused because a value is too long for an index, not the row for its page.

    Only the messages tell them apart, which come in the server's language, and where they come from.
    """
    return error.diag.source_function in _INDEX_FUNCTIONS


_ANSWERS = {
    LockNotAvailable: errors.TABLE_BUSY,
    QueryCanceled: errors.DATABASE_TIMEOUT,
    ConfigurationLimitExceeded: errors.QUERY_TOO_HEAVY,
}


@contextmanager
def translated_errors() -> Iterator[None]:
    """Turn psycopg's errors of busy, slow, greedy or absent databases, and of values, into answers."""
    try:
        yield
    except DivisionByZero:  # how a statement of ours ends itself
        raise
    except psycopg.DataError as error:
        raise ApiError(errors.INVALID_REQUEST, reason="o banco não aceita um dos valores") from error
    except psycopg.OperationalError as error:
        raise ApiError(_ANSWERS.get(type(error), errors.DATABASE_UNAVAILABLE)) from error


_REHEARSES: ContextVar[bool] = ContextVar("rehearses", default=False)


@contextmanager
def rehearsal() -> Iterator[None]:
    """Let nothing that is written to companies' databases within the block stay."""
    token = _REHEARSES.set(True)
    try:
        yield
    finally:
        _REHEARSES.reset(token)


def is_rehearsal() -> bool:
    """Return whether this is one."""
    return _REHEARSES.get()


def performed(connection: PgConnection) -> AbstractContextManager[object]:
    """Do the block's statements; in a rehearsal they are rolled back."""
    return connection.transaction(force_rollback=True) if is_rehearsal() else nullcontext()
