"""Make the catalog and the databases agree again, after either was brought back from a point in time.

PostgreSQL has the rows, so its word counts: which databases there are, whose, and with which tables.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.table_records import Applied, TableRecord
from managed_tables.catalog.tables import TableChanged
from managed_tables.clock import timestamp
from managed_tables.databases.applied import find_applied
from managed_tables.databases.connecting import PgConnection
from managed_tables.databases.roles import make_roles
from managed_tables.errors import ApiError
from managed_tables.services import Services
from managed_tables.settings import DEFAULT_CLUSTER

GONE = Applied(version=0, display_name="", status="inactive", columns=(), deleted=True)


@dataclass(frozen=True)
class Finding:
    """What was found of one database, and done."""

    database: str
    said: str


def reconcile(services: Services) -> Iterator[Finding]:
    """Rebuild the records of every database on every cluster from the databases; yield what was changed."""
    for cluster in (DEFAULT_CLUSTER, *services.settings.further_clusters):
        with services.databases.open_admin_connection(cluster) as admin:
            names = admin.execute(
                "SELECT datname FROM pg_database WHERE starts_with(datname, 'co_') AND datallowconn"
                " AND EXISTS (SELECT FROM pg_roles WHERE rolname = datname AND rolcanlogin) ORDER BY datname"
            ).fetchall()
        for (name,) in names:
            for said in _reconcile_database(services, cluster, name.removeprefix("co_")):
                yield Finding(name, said)


def _reconcile_database(services: Services, cluster: str, connection_id: str) -> Iterator[str]:
    probe = ConnectionRecord("", connection_id, cluster, "ready", 0, timestamp())
    try:
        with services.databases.company_connection(probe) as connection:
            company_id, schema_version = _whose(connection)
            tables = _tables(connection)
    except (ApiError, psycopg.Error, LookupError) as error:
        yield f"left as it is: {error}"
        return
    known = services.connections.find(company_id)
    if known is not None and known.connection_id != connection_id:
        yield f"left as it is: company {company_id} has database co_{known.connection_id}"
        return
    company = known
    if company is None or (company.cluster, company.state) != (cluster, "ready"):
        generation = known.reader_generation if known else 0
        company = ConnectionRecord(
            company_id, connection_id, cluster, "ready", schema_version, timestamp(), generation
        )
        services.connections.put(company)
        yield f"connection of company {company_id} recorded"
    _set_passwords(services, company)
    yield from _reconcile_tables(services, company, tables)


def _whose(connection: PgConnection) -> tuple[str, int]:
    """Return the company that the database says it is of, and the version of our schema inside it."""
    row = connection.execute(
        "SELECT company_id, (SELECT max(version) FROM managed_tables.migrations) FROM managed_tables.company"
    ).fetchone()
    if row is None:
        raise LookupError("the database does not say whose it is")
    return str(row[0]), int(row[1])


def _tables(connection: PgConnection) -> dict[str, Applied]:
    """Return the database's definition of each table, also of deleted ones."""
    rows = connection.execute("SELECT table_id FROM managed_tables.tables").fetchall()
    found = {str(table_id): find_applied(connection, table_id) for (table_id,) in rows}
    return {table_id: applied for table_id, applied in found.items() if applied is not None}


def _set_passwords(services: Services, company: ConnectionRecord) -> None:
    """Set both roles' passwords by the record: a reader's may have been renewed since."""
    with services.databases.open_admin_connection(company.cluster) as admin:
        make_roles(admin, services.databases.roles_of(company), services.settings.default_timezone)


def _reconcile_tables(
    services: Services, company: ConnectionRecord, tables: dict[str, Applied]
) -> Iterator[str]:
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
