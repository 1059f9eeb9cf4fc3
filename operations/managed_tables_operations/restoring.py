"""Restore what users deleted, and the catalog's records, from what the companies' databases have.

After the catalog or the databases were brought back from a point in time, PostgreSQL's word counts: it has
the rows, and says which databases there are, whose, and with which tables. Each operation can be repeated.
"""

from collections.abc import Iterator
from dataclasses import replace

import psycopg
from botocore.exceptions import ClientError

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.tables import Applied, NameTaken, TableChanged, TableRecord
from managed_tables.clock import timestamp
from managed_tables.databases.applied import find_applied, lock_version
from managed_tables.databases.connecting import PgConnection
from managed_tables.databases.provisioning import make_roles
from managed_tables.databases.statements import execute
from managed_tables.errors import DUPLICATE_NAME, ApiError
from managed_tables.services import Services
from managed_tables.tables.constraints import Constraints
from managed_tables.tables.definitions import check_table_name
from managed_tables.tables.physical import delete_physical_table, restore_physical_table
from managed_tables_operations import OperatorError
from managed_tables_operations.erasing import drop_database, erase_again, erase_company, erased_databases

GONE = Applied(version=0, display_name="", status="inactive", columns=(), deleted=True)
Correction = tuple[str, str]  # a database, and what was done with it


def restore_table(
    services: Services, company: ConnectionRecord, table_id: str, display_name: str = ""
) -> TableRecord:
    """Restore a deleted table, under its old name by default; raises DUPLICATE_NAME, OperatorError."""
    table = services.tables.find(company.company_id, table_id, deleted=True)
    if table is None:
        raise OperatorError(f"no deleted table {table_id}")
    name = display_name or table.display_name
    check_table_name(name)
    with services.open_company(company) as connection:
        applied = _restore_in_database(connection, table_id, name, services.settings.zone.key)
        try:
            return services.tables.restore(table, applied)
        except NameTaken as error:
            with connection.transaction():
                lock_version(connection, table_id, applied.version)
                Constraints(connection, table_id, services.settings.zone.key).drop_all(applied)
                delete_physical_table(connection, table_id, applied)
            raise ApiError(DUPLICATE_NAME, name=name) from error


def _restore_in_database(connection: PgConnection, table_id: str, name: str, zone: str) -> Applied:
    with connection.transaction():
        applied = find_applied(connection, table_id)
        if applied is None:
            raise OperatorError(f"the company's database knows no table {table_id}")
        if applied.deleted:
            restored = replace(applied, display_name=name, status="active", deleted=False)
            restore_physical_table(connection, table_id, restored, zone)
            Constraints(connection, table_id, zone).add(restored, is_asked=False)
        return find_applied(connection, table_id) or applied


def reconcile(services: Services) -> Iterator[Correction]:
    """Erase again what was erased, then rebuild the catalog from the databases; yield what was changed."""
    erased = erased_databases(services)
    for connection_id, company_id in erased.items():
        known = services.connections.find(company_id)
        if known is not None and known.connection_id == connection_id:
            for gone in erase_company(services, company_id):
                yield f"co_{connection_id}", f"erased again: {gone}"
    for cluster in services.clusters.names():
        try:
            names = _databases_on(services, cluster)
        except (ApiError, ClientError) as error:  # one that is away must not keep the others as they are
            yield f"cluster {cluster}", f"left as it is: {error}"
            continue
        for name in names:
            connection_id = name.removeprefix("co_")
            if connection_id in erased:
                drop_database(services, _probe(services, connection_id, cluster, erased[connection_id]))
                yield name, "erased again"
                continue
            for said in _reconcile_database(services, cluster, connection_id):
                yield name, said


def _databases_on(services: Services, cluster: str) -> list[str]:
    """Return the companies' databases of a cluster that are open."""
    with services.databases.open_admin_connection(cluster) as admin:
        rows = admin.execute(
            "SELECT datname FROM pg_database WHERE starts_with(datname, 'co_') AND datallowconn"
            " AND EXISTS (SELECT FROM pg_roles WHERE rolname = datname AND rolcanlogin) ORDER BY datname"
        ).fetchall()
    return [str(name) for (name,) in rows]


def _reconcile_database(services: Services, cluster: str, connection_id: str) -> Iterator[str]:
    database = f"co_{connection_id}"
    try:
        # As the administrator: which passwords the database's roles have is not known yet.
        with services.databases.open_admin_connection(cluster, database) as connection:
            execute(connection, "SET ROLE {:i}", database)
            company_id, schema_version = _whose(connection)
    except (ApiError, psycopg.Error, LookupError) as error:
        yield f"left as it is: {error}"
        return
    known = services.connections.find(company_id)
    if known is not None and known.connection_id != connection_id:
        yield f"left as it is: company {company_id} has database co_{known.connection_id}"
        return
    company = known
    if company is None or (company.cluster, company.state) != (cluster, "ready"):
        company = replace(
            known or _probe(services, connection_id, cluster, company_id),
            cluster=cluster,
            state="ready",
            schema_version=schema_version,
        )
        services.connections.put(company)
        yield f"connection of company {company_id} recorded"
    with services.databases.open_admin_connection(company.cluster) as admin:  # a reader's may be a later one
        make_roles(admin, services.databases.roles_of(company), services.settings.default_timezone)
    for place, count in erase_again(services, company):
        yield f"{count} rows of {place} erased again"
    yield from _reconcile_tables(services, company)


def _probe(services: Services, connection_id: str, cluster: str, company_id: str) -> ConnectionRecord:
    newest = services.app_secret.newest
    return ConnectionRecord(
        company_id, connection_id, cluster, "ready", 0, timestamp(), secret_generation=newest
    )


def _whose(connection: PgConnection) -> tuple[str, int]:
    """Return the company that the database says it is of, and the version of our schema inside it."""
    row = connection.execute(
        "SELECT company_id, (SELECT max(version) FROM managed_tables.migrations) FROM managed_tables.company"
    ).fetchone()
    if row is None:
        raise LookupError("the database does not say whose it is")
    return str(row[0]), int(row[1])


def _reconcile_tables(services: Services, company: ConnectionRecord) -> Iterator[str]:
    with services.databases.company_connection(company) as connection:
        rows = connection.execute("SELECT table_id FROM managed_tables.tables").fetchall()
        tables = {str(table_id): find_applied(connection, table_id) or GONE for (table_id,) in rows}
    records = {table.table_id: table for table in services.tables.all(company.company_id)}
    for table_id, record in records.items():  # first: they let go of names that others have
        applied = tables.get(table_id, GONE)
        if record.version != applied.version or applied.deleted:
            yield _finalise(services, record, applied)
    for table_id, applied in tables.items():
        if table_id not in records and not applied.deleted:
            services.tables.rebuild(company.company_id, table_id, applied)
            yield f"table {table_id} ({applied.display_name}) recorded"


def _finalise(services: Services, record: TableRecord, applied: Applied) -> str:
    try:
        services.tables.finalise(record, applied)
    except TableChanged:
        return f"table {record.table_id} is being changed: run this again"
    if applied.deleted:
        return f"table {record.table_id} ({record.display_name}) taken from the catalog"
    return f"table {record.table_id} ({applied.display_name}) set to version {applied.version}"
