"""List the columns that were taken out of a table, and bring them back with their values."""

from dataclasses import replace

from pydantic import Field

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.table_records import TableRecord
from managed_tables.catalog.tables import TableChanged
from managed_tables.clock import timestamp
from managed_tables.databases.applied import lock_version, record_change
from managed_tables.documents.document import Count, Document, Moment
from managed_tables.errors import COLUMN_NOT_FOUND, ApiError
from managed_tables.schema import POSTGRES_TYPES, Column, ColumnType
from managed_tables.tables.columns.hidden_columns import (
    HiddenColumn,
    bring_back,
    count_kept,
    find_hidden_columns,
)
from managed_tables.tables.definitions import check_columns
from managed_tables.tables.keeping import forget_table
from managed_tables.tables.physical import physical_name, write_comments
from managed_tables.tables.reconciliation import Waiting
from managed_tables.wiring.services import Services


class HiddenColumnAnswer(Document):
    """A column that was taken out of the table."""

    name: str
    display_name: str
    type: ColumnType
    hidden_at: Moment
    values: Count = Field(description="Quantos valores estão guardados")


def describe_hidden_columns(
    services: Services, company: ConnectionRecord, table_id: str
) -> list[HiddenColumnAnswer]:
    """Return the columns that were taken out, the last one first."""
    with services.open_company(company) as connection:
        found = find_hidden_columns(connection, table_id)
        return [
            HiddenColumnAnswer(
                name=hidden.name,
                display_name=hidden.display_name,
                type=_type_of(hidden.kind),
                hidden_at=timestamp(hidden.hidden_at),
                values=count_kept(connection, hidden),
            )
            for hidden in reversed(found)
        ]


def list_hidden_columns(services: Services, company: ConnectionRecord, table_id: str) -> list[HiddenColumn]:
    """Return the table's hidden columns, in the order of hiding."""
    with services.open_company(company) as connection:
        return find_hidden_columns(connection, table_id)


def restore_column_by_name(
    services: Services, company: ConnectionRecord, table_id: str, name: str
) -> TableRecord:
    """Bring back the last column of this name that was taken out; raises COLUMN_NOT_FOUND, INVALID_SCHEMA."""
    named = [one for one in list_hidden_columns(services, company, table_id) if one.name == name]
    if not named:
        raise ApiError(COLUMN_NOT_FOUND)
    return restore_column(services, company, table_id, named[-1], name, named[-1].display_name)


def restore_column(
    services: Services, company: ConnectionRecord, table_id: str, hidden: HiddenColumn, name: str, label: str
) -> TableRecord:
    """Bring a hidden column back as the table's last, nullable; raises INVALID_SCHEMA."""
    column = Column(name=name, display_name=label, type=_type_of(hidden.kind), nullable=True)
    table = services.reconciliation.await_end(company, table_id, Waiting())
    columns = (*table.columns, column)
    check_columns(columns)
    with services.open_company(company) as connection, connection.transaction():
        lock_version(connection, table_id, table.version)
        physical = physical_name(table.display_name)
        bring_back(connection, table_id, physical, hidden.hidden_name, name, hidden.kind)
        forget_table(connection, table_id)  # every row is written: which ones somebody changed is not known
        applied = replace(table.applied, version=table.version + 1, columns=columns)
        write_comments(connection, applied)
        record_change(connection, table_id, applied)
    try:
        finished = services.tables.finalise(table, applied)
    except TableChanged:  # somebody met the change and has finished it
        finished = None
    return finished or replace(table, version=applied.version)


def _type_of(postgres_type: str) -> ColumnType:
    names = {"timestamp with time zone": "timestamptz"}
    wanted = names.get(postgres_type, postgres_type)
    return next(kind for kind, name in POSTGRES_TYPES.items() if name == wanted)
