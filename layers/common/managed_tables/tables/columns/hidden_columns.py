"""Hide columns: move them out of their table, so that its readers do not see them; and bring them back.

Each change that hides columns makes one table in schema `deleted_tables`, `hidden$<table id>$<version>`: the
ids of the rows that had a value, and the values under names that say nothing: the catalogue of PostgreSQL is
everybody's. What they were called is in `managed_tables.hidden_columns`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from psycopg import sql
from pydantic import Field

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.table_records import TableRecord
from managed_tables.catalog.tables import TableChanged, Tables
from managed_tables.clock import timestamp
from managed_tables.databases.applied import record_change
from managed_tables.databases.connecting import PgConnection, fetch_number
from managed_tables.databases.fence import lock_version
from managed_tables.documents.document import Count, Document, Moment
from managed_tables.errors import COLUMN_NOT_FOUND, ApiError
from managed_tables.history.recording import record_renames, set_actor
from managed_tables.identifiers import ID_COLUMN
from managed_tables.schema import POSTGRES_TYPES, Column, ColumnType
from managed_tables.tables.definitions import check_columns
from managed_tables.tables.physical import physical_name, write_comments
from managed_tables.tables.reconciliation import OpenCompany, Reconciliation, Waiting
from managed_tables.undo.keeping import forget_table

_ID = sql.Identifier(ID_COLUMN)


class HiddenColumn(NamedTuple):
    """A hidden column: its name in the database, PostgreSQL's type, and what it was called."""

    hidden_name: str
    kind: str
    name: str
    display_name: str
    hidden_at: datetime
    kept: str  # the table that has its values

    @property
    def type(self) -> ColumnType:
        """Its type for users."""
        kind = "timestamptz" if self.kind == "timestamp with time zone" else self.kind
        return next(one for one, name in POSTGRES_TYPES.items() if name == kind)


class HiddenColumnAnswer(Document):
    """A column that was taken out of the table."""

    name: str
    display_name: str
    type: ColumnType
    hidden_at: Moment
    values: Count = Field(description="Quantos valores estão guardados")


@dataclass(frozen=True)
class HiddenColumns:
    """Lists the columns that were taken out of a table, and brings them back with their values."""

    tables: Tables
    reconciliation: Reconciliation
    open_company: OpenCompany

    def list_all(self, company: ConnectionRecord, table_id: str) -> list[HiddenColumn]:
        """Return the table's hidden columns, in the order of hiding."""
        with self.open_company(company) as connection:
            return find_hidden_columns(connection, table_id)

    def describe(self, company: ConnectionRecord, table_id: str) -> list[HiddenColumnAnswer]:
        """Return the columns that were taken out, the last one first."""
        with self.open_company(company) as connection:
            return [
                HiddenColumnAnswer(
                    name=hidden.name,
                    display_name=hidden.display_name,
                    type=hidden.type,
                    hidden_at=timestamp(hidden.hidden_at),
                    values=count_kept(connection, hidden),
                )
                for hidden in reversed(find_hidden_columns(connection, table_id))
            ]

    def restore_by_name(self, company: ConnectionRecord, table_id: str, name: str) -> TableRecord:
        """Bring back the last column of this name that was taken out.

        Raises COLUMN_NOT_FOUND and INVALID_SCHEMA.
        """
        named = [one for one in self.list_all(company, table_id) if one.name == name]
        if not named:
            raise ApiError(COLUMN_NOT_FOUND)
        return self.restore(company, table_id, named[-1], name, named[-1].display_name)

    def restore(
        self, company: ConnectionRecord, table_id: str, hidden: HiddenColumn, name: str, label: str
    ) -> TableRecord:
        """Bring a hidden column back as the table's last, nullable; raises INVALID_SCHEMA."""
        column = Column(name=name, display_name=label, type=hidden.type, nullable=True)
        table = self.reconciliation.await_end(company, table_id, Waiting())
        columns = (*table.columns, column)
        check_columns(columns)
        with self.open_company(company) as connection, connection.transaction():
            lock_version(connection, table_id, table.version)
            physical = physical_name(table.display_name)
            bring_back(connection, table_id, physical, hidden.hidden_name, name, hidden.kind)
            forget_table(connection, table_id)  # every row is written: who changed which is not known
            applied = replace(table.applied, version=table.version + 1, columns=columns)
            write_comments(connection, applied)
            record_change(connection, table_id, applied)
        try:
            finished = self.tables.finalise(table, applied)
        except TableChanged:  # somebody met the change and has finished it
            finished = None
        return finished or replace(table, version=applied.version)


def hide_columns(
    connection: PgConnection, table_id: str, table: sql.Identifier, hidden: Sequence[tuple[str, str]]
) -> None:
    """Move the columns (name, hidden name) of the table out of it, in the caller's transaction."""
    if not hidden:
        return
    connection.execute(
        "INSERT INTO managed_tables.hidden_columns (table_id, hidden_name, name, display_name)"
        " SELECT table_id, hidden.hidden_name, hidden.name, item ->> 'display_name'"
        " FROM managed_tables.tables, jsonb_array_elements(columns) AS item,"
        " unnest(%s::text[], %s::text[]) AS hidden (name, hidden_name)"
        " WHERE table_id = %s AND item ->> 'name' = hidden.name",
        [*map(list, zip(*hidden, strict=True)), table_id],
    )
    names = [sql.Identifier(name) for name, _ in hidden]
    comma = sql.SQL(", ")
    connection.execute(
        sql.SQL("CREATE TABLE {kept} AS SELECT {id}, {values} FROM {table} WHERE {filled}").format(
            kept=_kept_table(table_id, hidden[0][1]),
            id=_ID,
            values=comma.join(
                sql.SQL("{} AS {}").format(sql.Identifier(name), sql.Identifier(hidden_name))
                for name, hidden_name in hidden
            ),
            table=table,
            filled=sql.SQL(" OR ").join(sql.SQL("{} IS NOT NULL").format(name) for name in names),
        )
    )
    drops = comma.join(sql.SQL("DROP COLUMN {}").format(name) for name in names)
    connection.execute(sql.SQL("ALTER TABLE {} {}").format(table, drops))


def find_hidden_columns(connection: PgConnection, table_id: str) -> list[HiddenColumn]:
    """Return the table's hidden columns, in the order of hiding."""
    rows = connection.execute(
        "SELECT attname, format_type(atttypid, atttypmod), name, display_name, hidden_at, relname"
        " FROM pg_attribute"
        " JOIN pg_class ON pg_class.oid = attrelid JOIN managed_tables.hidden_columns"
        " ON hidden_name = attname AND table_id = %s WHERE relnamespace = 'deleted_tables'::regnamespace"
        " AND starts_with(relname, %s) AND attnum > 0 AND NOT attisdropped ORDER BY attrelid, attnum",
        [table_id, f"hidden${table_id}$"],
    ).fetchall()
    return [HiddenColumn(*row) for row in rows]


def count_kept(connection: PgConnection, hidden: HiddenColumn) -> int:
    """Return how many values are kept of the hidden column."""
    query = sql.SQL("SELECT count({}) FROM {}").format(
        sql.Identifier(hidden.hidden_name), sql.Identifier("deleted_tables", hidden.kept)
    )
    return fetch_number(connection, query)


def bring_back(
    connection: PgConnection, table_id: str, table: sql.Identifier, hidden_name: str, name: str, kind: str
) -> None:
    """Make a hidden column the table's last, nullable, with its values; in the caller's transaction."""
    kept, column = _find_kept(connection, table_id, hidden_name), sql.Identifier(name)
    set_actor(connection, None)  # the values are those of before: no row is changed by anybody
    record_renames(connection, table_id, [(hidden_name, name)])
    connection.execute(sql.SQL("ALTER TABLE {} ADD COLUMN {} {}").format(table, column, sql.SQL(kind)))
    connection.execute(
        sql.SQL(
            "UPDATE {table} AS t SET {column} = kept.{hidden} FROM {kept} AS kept WHERE kept.{id} = t.{id}"
        ).format(table=table, column=column, hidden=sql.Identifier(hidden_name), kept=kept, id=_ID)
    )
    connection.execute(sql.SQL("ALTER TABLE {} DROP COLUMN {}").format(kept, sql.Identifier(hidden_name)))
    connection.execute(
        "DELETE FROM managed_tables.hidden_columns WHERE table_id = %s AND hidden_name = %s",
        [table_id, hidden_name],
    )


def _find_kept(connection: PgConnection, table_id: str, hidden_name: str) -> sql.Identifier:
    row = connection.execute(
        "SELECT relname FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid"
        " WHERE relnamespace = 'deleted_tables'::regnamespace AND starts_with(relname, %s) AND attname = %s",
        [f"hidden${table_id}$", hidden_name],
    ).fetchone()
    if row is None:
        raise LookupError(f"no hidden column {hidden_name}")
    return sql.Identifier("deleted_tables", row[0])


def _kept_table(table_id: str, hidden_name: str) -> sql.Identifier:
    version = hidden_name.rpartition("$")[2].partition("_")[0]
    return sql.Identifier("deleted_tables", f"hidden${table_id}${version}")
