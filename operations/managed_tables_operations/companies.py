"""Migrate all companies, or erase one. Each operation can be repeated."""

from collections.abc import Iterator

from psycopg import sql

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.items import delete
from managed_tables.catalog.keys import CONNECTION_SK, PK, SK, company_pk
from managed_tables.databases.migrations import SCHEMA_VERSION
from managed_tables.databases.roles import end_sessions
from managed_tables.errors import ApiError
from managed_tables.wiring.services import Services
from managed_tables_operations.databases import allow_login
from managed_tables_operations.erasures import note_company

PREFIXES = ("uploads", "jobs", "inbox", "exports")  # of a company's objects in the bucket


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


def erase_company(services: Services, company_id: str) -> Iterator[str]:
    """Delete everything of a company, its database first, and yield what was deleted.

    The record of the connection goes last, so that an interrupted run can be repeated.
    """
    connection = services.connections.find(company_id)
    if connection is not None:
        note_company(services, company_id, connection.connection_id)
        drop_database(services, connection)
        yield f"database co_{connection.connection_id}"
    for prefix in PREFIXES:
        services.storage.delete_all(f"{prefix}/{company_id}/")
        yield f"objects under {prefix}/{company_id}/"
    items = list(services.items.query(company_pk(company_id)))
    for item in sorted(items, key=lambda item: bool(item[SK] == CONNECTION_SK)):
        services.items.write(delete({PK: item[PK], SK: item[SK]}))
    yield f"{len(items)} records"


def drop_database(services: Services, connection: ConnectionRecord) -> None:
    """Drop the company's database and its roles; repeatable."""
    roles = services.databases.roles_of(connection)
    with services.databases.open_admin_connection(connection.cluster) as admin:
        rows = admin.execute(
            "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", [[roles.owner, roles.reader]]
        ).fetchall()
        present = [role for (role,) in rows]
        allow_login(admin, present, allowed=False)
        for role in present:
            end_sessions(admin, role)
        database = sql.Identifier(roles.database)
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(database))
        for role in present:
            admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(role)))
