"""Make a company's roles and its database on a cluster, with every limit set; end the roles' sessions."""

from collections.abc import Mapping
from contextlib import suppress

from psycopg import sql
from psycopg.errors import DuplicateDatabase, DuplicateObject, InsufficientPrivilege, UniqueViolation

from managed_tables.databases.connecting import (
    OWNER_CONNECTIONS,
    READER_CONNECTIONS,
    CompanyRoles,
    PgConnection,
    fetch_number,
)
from managed_tables.databases.statements import compose, execute

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
