"""Restore what users deleted or hid: tables and columns. Each operation can be repeated."""

from dataclasses import replace

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.table_records import Applied, TableRecord
from managed_tables.catalog.tables import NameTaken, TableChanged
from managed_tables.databases.applied import find_applied, lock_version, record_change
from managed_tables.databases.connecting import PgConnection
from managed_tables.errors import DUPLICATE_NAME, TABLE_NOT_FOUND, ApiError
from managed_tables.schema import POSTGRES_TYPES, Column, ColumnType
from managed_tables.services import Services
from managed_tables.tables.columns.hidden_columns import HiddenColumn, bring_back, find_hidden_columns
from managed_tables.tables.comments import write_comments
from managed_tables.tables.definitions import check_columns, check_table_name
from managed_tables.tables.physical import delete_physical_table, physical_name, restore_physical_table
from managed_tables.tables.reconciliation import Waiting
from managed_tables.undo.keeping import forget_table


class NotFoundError(LookupError):
    """What was to be restored is not there; the message says what there is."""


def restore_table(
    services: Services, company: ConnectionRecord, table_id: str, display_name: str = ""
) -> TableRecord:
    """Restore a deleted table, under its old name by default; raises DUPLICATE_NAME, NotFoundError."""
    table = services.tables.find_deleted(company.company_id, table_id)
    if table is None:
        raise NotFoundError(f"no deleted table {table_id}")
    name = display_name or table.display_name
    check_table_name(name)
    with services.open_company(company) as connection:
        applied = _restore_in_database(connection, table_id, name, services.settings.zone.key)
        try:
            return services.tables.restore(table, applied)
        except NameTaken as error:
            with connection.transaction():
                lock_version(connection, table_id, applied.version)
                delete_physical_table(connection, table_id, name)
            raise ApiError(DUPLICATE_NAME, name=name) from error


def _restore_in_database(connection: PgConnection, table_id: str, name: str, zone: str) -> Applied:
    with connection.transaction():
        applied = find_applied(connection, table_id)
        if applied is None:
            raise NotFoundError(f"the company's database knows no table {table_id}")
        if applied.deleted:
            restore_physical_table(connection, table_id, name, applied.columns, zone)
            write_comments(connection, replace(applied, display_name=name))
    found = find_applied(connection, table_id)
    if found is None:
        raise NotFoundError(f"the company's database knows no table {table_id}")
    return found


def list_hidden_columns(services: Services, company: ConnectionRecord, table_id: str) -> list[HiddenColumn]:
    """Return the table's hidden columns, in the order of hiding."""
    table = _table(services, company, table_id)
    with services.open_company(company) as connection:
        return find_hidden_columns(connection, table.table_id)


def restore_column(
    services: Services, company: ConnectionRecord, table_id: str, hidden_name: str, name: str, label: str = ""
) -> TableRecord:
    """Bring a hidden column back as the table's last, nullable; raises INVALID_SCHEMA, NotFoundError."""
    kinds = {one.hidden_name: one.kind for one in list_hidden_columns(services, company, table_id)}
    if hidden_name not in kinds:
        raise NotFoundError(f"no hidden column {hidden_name}; there are: {', '.join(kinds) or 'none'}")
    column = Column(name=name, display_name=label or name, type=_type_of(kinds[hidden_name]), nullable=True)
    table = _table(services, company, table_id)
    columns = (*table.columns, column)
    check_columns(columns)
    with services.open_company(company) as connection, connection.transaction():
        lock_version(connection, table_id, table.version)
        physical = physical_name(table.display_name)
        bring_back(connection, table_id, physical, hidden_name, name, kinds[hidden_name])
        forget_table(connection, table_id)  # every row is written: which ones somebody changed is not known
        applied = replace(table.applied, version=table.version + 1, columns=columns)
        write_comments(connection, applied)
        record_change(connection, table_id, applied)
    try:
        finished = services.tables.finalise(table, applied)
    except TableChanged:  # somebody met the change and has finished it
        finished = None
    return finished or replace(table, version=applied.version)


def _table(services: Services, company: ConnectionRecord, table_id: str) -> TableRecord:
    table = services.reconciliation.await_end(company, table_id, Waiting())
    if table is None:
        raise ApiError(TABLE_NOT_FOUND)
    return table


def _type_of(postgres_type: str) -> ColumnType:
    names = {"timestamp with time zone": "timestamptz"}
    wanted = names.get(postgres_type, postgres_type)
    return next(kind for kind, name in POSTGRES_TYPES.items() if name == wanted)
