"""Restore what users deleted. Each operation can be repeated."""

from dataclasses import replace

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.tables import Applied, NameTaken, TableRecord
from managed_tables.databases.applied import find_applied, lock_version
from managed_tables.databases.connecting import PgConnection
from managed_tables.errors import DUPLICATE_NAME, ApiError
from managed_tables.services import Services
from managed_tables.tables.constraints import Constraints
from managed_tables.tables.definitions import check_table_name
from managed_tables.tables.physical import delete_physical_table, restore_physical_table
from managed_tables_operations import OperatorError


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
