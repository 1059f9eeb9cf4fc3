"""Make a company's two roles, with what the sessions of each may take of a cluster that others use too."""

from collections.abc import Mapping
from contextlib import suppress

from psycopg import sql
from psycopg.errors import DuplicateObject, InsufficientPrivilege, UniqueViolation

from managed_tables.databases.connecting import (
    OWNER_CONNECTIONS,
    READER_CONNECTIONS,
    CompanyRoles,
    PgConnection,
)

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
    """Make both roles of a company, or give them their passwords and limits again; repeatable.

    `zone` is the time zone that sessions of the read-only role begin with.
    """
    make_role(admin, roles, roles.owner, OWNER_CONNECTIONS)
    make_role(admin, roles, roles.reader, READER_CONNECTIONS)
    set_defaults(admin, roles, zone)


def make_role(admin: PgConnection, roles: CompanyRoles, role: str, connection_limit: int) -> None:
    """Make the role, or give an existing one its password again."""
    name = sql.Identifier(role)
    options = sql.SQL(
        "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION CONNECTION LIMIT {limit} PASSWORD {password}"
    ).format(limit=connection_limit, password=_verifier(admin, roles, role))
    try:
        admin.execute(sql.SQL("CREATE ROLE {} ").format(name) + options)
    except (DuplicateObject, UniqueViolation):
        admin.execute(sql.SQL("ALTER ROLE {} ").format(name) + options)


def set_password(admin: PgConnection, roles: CompanyRoles, role: str) -> None:
    """Give the role its password again."""
    form = sql.SQL("ALTER ROLE {} PASSWORD {}")
    admin.execute(form.format(sql.Identifier(role), _verifier(admin, roles, role)))


def set_defaults(admin: PgConnection, roles: CompanyRoles, zone: str) -> None:
    """Set what the sessions of both roles begin with, and may write of temporary files."""
    _set(admin, roles.reader, {**READER_SETTINGS, "timezone": zone})
    for role, limit in ((roles.owner, OWNER_TEMPORARY_FILES), (roles.reader, READER_TEMPORARY_FILES)):
        # An administrator that is no superuser (RDS) may not set it: there it is the cluster's own setting.
        with suppress(InsufficientPrivilege), admin.transaction():
            _set(admin, role, {"temp_file_limit": limit})


def end_sessions(admin: PgConnection, role: str) -> None:
    """End every session of the role."""
    # An administrator that is no superuser may end the sessions of roles of which it is a member.
    admin.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(role)))
    admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [role])


def close_catalogue(admin: PgConnection) -> None:
    """Take from everyone, in the connection's database, the functions that write to disk past all limits.

    They are the server's: only a superuser may, and where the administrator is none (RDS) they stay.
    """
    functions = admin.execute(
        "SELECT pg_proc.oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace"
        " AND proname = ANY(%s) AND has_function_privilege('public', pg_proc.oid, 'EXECUTE')"
        " AND (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)",
        [list(DISK_FUNCTIONS)],
    ).fetchall()
    for (signature,) in functions:
        admin.execute(sql.SQL("REVOKE EXECUTE ON FUNCTION {} FROM PUBLIC").format(sql.SQL(signature)))


def _verifier(admin: PgConnection, roles: CompanyRoles, role: str) -> str:
    """Return what PostgreSQL keeps of the role's password: the server never sees it in clear text."""
    password = roles.password(role).encode()
    return admin.pgconn.encrypt_password(password, role.encode(), b"scram-sha-256").decode()


def _set(admin: PgConnection, role: str, values: Mapping[str, str]) -> None:
    for name, value in values.items():
        form = sql.SQL("ALTER ROLE {} SET {} = {}")
        admin.execute(form.format(sql.Identifier(role), sql.Identifier(name), value))
