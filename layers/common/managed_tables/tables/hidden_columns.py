"""Hide columns: move them out of their table, so that its readers do not see them; and bring them back.

Each change that hides columns makes one table in schema `deleted_tables`, `hidden$<table id>$<version>`: the
ids of the rows that had a value, and the values under names that say nothing: the catalogue of PostgreSQL is
everybody's. What they were called is in `managed_tables.hidden_columns`.

Columns that a job has added and not filled yet go where the job ends without its rows. What is recorded of
them is a claim: it ends when rows are loaded with the column, by whichever job, and when a user states the
table's columns.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from psycopg import sql
from pydantic import Field

from managed_tables.clock import timestamp
from managed_tables.databases.connecting import PgConnection, fetch_number
from managed_tables.databases.statements import compose, execute
from managed_tables.documents.document import Count, Document, Moment
from managed_tables.history import record_renames, set_actor
from managed_tables.identifiers import ID_COLUMN
from managed_tables.kept_rows import forget_table, rename_kept_columns
from managed_tables.schema import POSTGRES_TYPES, ColumnType
from managed_tables.tables.physical import physical_name


class ColumnsInUse(Exception):  # noqa: N818 - an outcome, not a fault
    """The columns hold values, or are no longer the job's to take back."""


def record_added(connection: PgConnection, table_id: str, job_id: str, names: Sequence[str]) -> None:
    """Record, in the transaction that adds them, that these columns are the job's."""
    connection.execute(
        "INSERT INTO managed_tables.added_columns (table_id, column_name, job_id)"
        " SELECT %s, unnest(%s::text[]), %s ON CONFLICT (table_id, column_name)"
        " DO UPDATE SET job_id = excluded.job_id",
        [table_id, list(names), job_id],
    )


def forget_added(connection: PgConnection, table_id: str, names: Sequence[str] | None = None) -> None:
    """End the claims on these columns of the table, or on all of them."""
    connection.execute(
        "DELETE FROM managed_tables.added_columns"
        " WHERE table_id = %s AND (%s::text[] IS NULL OR column_name = ANY(%s))",
        [table_id, None if names is None else list(names), None if names is None else list(names)],
    )


def find_added(connection: PgConnection, job_id: str | None) -> tuple[str, list[str]] | None:
    """Return the table and the names of the columns that the job has added and nobody uses."""
    rows = connection.execute(
        "SELECT table_id, column_name FROM managed_tables.added_columns WHERE job_id = %s ORDER BY 2",
        [job_id],
    ).fetchall()
    return (rows[0][0], [name for _, name in rows]) if rows else None


def drop_added(
    connection: PgConnection, table_id: str, display_name: str, job_id: str | None, names: Sequence[str]
) -> None:
    """Drop the job's columns in the caller's transaction; raises ColumnsInUse where one is in use."""
    table = physical_name(display_name)
    execute(connection, "LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", table)
    used = execute(connection, "SELECT EXISTS (SELECT FROM {} WHERE {})", table, _any_filled(names))
    of_table, added = find_added(connection, job_id) or ("", [])
    if used.fetchone() != (False,) or of_table != table_id or not set(names) <= set(added):
        raise ColumnsInUse(table_id)
    _drop_columns(connection, table, names)
    forget_added(connection, table_id, names)


def _any_filled(names: Iterable[str]) -> sql.Composed:
    return sql.SQL(" OR ").join(compose("{:i} IS NOT NULL", name) for name in names)


def _drop_columns(connection: PgConnection, table: sql.Identifier, names: Iterable[str]) -> None:
    execute(connection, "ALTER TABLE {} {}", table, [compose("DROP COLUMN {:i}", name) for name in names])


class HiddenColumn(NamedTuple):
    """A hidden column: its name in the database, PostgreSQL's type, and what it was called."""

    hidden_name: str
    kind: str
    name: str
    display_name: str
    hidden_at: datetime
    kept: str  # the table that has its values
    rules: str  # that judged it, as JSON

    @property
    def kept_in(self) -> sql.Identifier:
        """The name in SQL of that table."""
        return sql.Identifier("deleted_tables", self.kept)

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


def describe_hidden(connection: PgConnection, table_id: str) -> list[HiddenColumnAnswer]:
    """Return the columns that were taken out of the table, the last one first."""
    form = "SELECT count({:i}) FROM {}"
    return [
        HiddenColumnAnswer(
            name=one.name,
            display_name=one.display_name,
            type=one.type,
            hidden_at=timestamp(one.hidden_at),
            values=fetch_number(connection, compose(form, one.hidden_name, one.kept_in)),
        )
        for one in reversed(find_hidden_columns(connection, table_id))
    ]


def hide_columns(
    connection: PgConnection, table_id: str, table: sql.Identifier, hidden: Mapping[str, str]
) -> None:
    """Move the columns of the table (hidden names by names) out of it, in the caller's transaction.

    They take along the rules that judge them.
    """
    if not hidden:
        return
    connection.execute(
        "INSERT INTO managed_tables.hidden_columns (table_id, hidden_name, name, display_name, rules)"
        " SELECT table_id, hidden.hidden_name, hidden.name, item ->> 'display_name',"
        " (SELECT coalesce(jsonb_agg(rule), '[]') FROM jsonb_array_elements(rules) AS rule"
        " WHERE rule -> 'columns' ? hidden.name)"
        " FROM managed_tables.tables, jsonb_array_elements(columns) AS item,"
        " unnest(%s::text[], %s::text[]) AS hidden (name, hidden_name)"
        " WHERE table_id = %s AND item ->> 'name' = hidden.name",
        [list(hidden), list(hidden.values()), table_id],
    )
    version = next(iter(hidden.values())).rpartition("$")[2].partition("_")[0]
    execute(
        connection,
        "CREATE TABLE deleted_tables.{:i} AS SELECT {:i}, {} FROM {} WHERE {}",
        f"hidden${table_id}${version}",
        ID_COLUMN,
        [compose("{:i} AS {:i}", *names) for names in hidden.items()],
        table,
        _any_filled(hidden),
    )
    _drop_columns(connection, table, hidden)


def find_hidden_columns(connection: PgConnection, table_id: str) -> list[HiddenColumn]:
    """Return the table's hidden columns, in the order of hiding."""
    rows = connection.execute(
        "SELECT attname, format_type(atttypid, atttypmod), name, display_name, hidden_at, relname,"
        " rules::text"
        " FROM pg_attribute"
        " JOIN pg_class ON pg_class.oid = attrelid JOIN managed_tables.hidden_columns"
        " ON hidden_name = attname AND table_id = %s WHERE relnamespace = 'deleted_tables'::regnamespace"
        " AND starts_with(relname, %s) AND attnum > 0 AND NOT attisdropped ORDER BY attrelid, attnum",
        [table_id, f"hidden${table_id}$"],
    ).fetchall()
    return [HiddenColumn(*row) for row in rows]


# Rows that were in the trash when the column was hidden may be back: the history has their values, as texts
# that PostgreSQL would read otherwise where a column was converted in between.
_VALUES_OF_THE_TRASH = (
    "WITH known AS (SELECT DISTINCT ON (row_id) row_id, action, change_id, before"
    " FROM managed_tables.row_history WHERE table_id = {table_id} AND change_id < {since}"
    " ORDER BY row_id, change_id DESC) INSERT INTO {kept} (id, {hidden:i}) SELECT row_id, (managed_tables."
    "present_cells({table_id}, change_id, before) OPERATOR(managed_tables.->) {name})::{kind} FROM known"
    " WHERE action = 'delete' AND NOT EXISTS (SELECT FROM managed_tables.renamed_columns AS renamed WHERE"
    " table_id = {table_id} AND new_name ~ '^[$][a-z]' AND change_id BETWEEN known.change_id AND {since})"
)
_VALUES_TO_THE_HISTORY = (
    "UPDATE managed_tables.row_history SET before = before OPERATOR(managed_tables.||) cell,"
    " after = after OPERATOR(managed_tables.||) cell FROM (SELECT id, managed_tables.hstore({hidden},"
    " {hidden:i}::text) AS cell FROM {kept} WHERE {hidden:i} IS NOT NULL) AS kept WHERE row_id = kept.id"
    " AND table_id = {table_id} AND action IN ('delete', 'restore') AND change_id > {since}"
)


def bring_back(connection: PgConnection, table_id: str, table: sql.Identifier, hidden: HiddenColumn) -> None:
    """Make a hidden column the table's last, nullable, with its values; in the caller's transaction."""
    set_actor(connection, None)  # the values are those of before: no row is changed by anybody
    record_renames(connection, table_id, [(hidden.hidden_name, hidden.name)])
    form = "(SELECT max(change_id) FROM managed_tables.renamed_columns WHERE table_id = {} AND new_name = {})"
    since = compose(form, table_id, hidden.hidden_name)  # when it was hidden, among the changes of rows
    names = {"table_id": table_id, "name": hidden.name, "hidden": hidden.hidden_name, "since": since}
    parts = {**names, "table": table, "kept": hidden.kept_in, "kind": sql.SQL(hidden.kind)}
    for statement in (
        "ALTER TABLE {table} ADD COLUMN {name:i} {kind}",
        _VALUES_OF_THE_TRASH,
        "UPDATE {table} AS t SET {name:i} = kept.{hidden:i} FROM {kept} AS kept WHERE kept.id = t.id",
        _VALUES_TO_THE_HISTORY,
    ):
        execute(connection, statement, **parts)
    _drop_columns(connection, hidden.kept_in, [hidden.hidden_name])
    connection.execute(
        "DELETE FROM managed_tables.hidden_columns WHERE table_id = %s AND hidden_name = %s",
        [table_id, hidden.hidden_name],
    )
    forget_table(connection, table_id)  # every row is written: who changed which is not known
    rename_kept_columns(connection, table_id, [(hidden.hidden_name, hidden.name)])
