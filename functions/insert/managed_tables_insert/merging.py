"""The loads of a table with a key that meet the rows it has: an upsert, and a replacement.

The rows are staged in a temporary table first, while writers and readers go on. Then writers are kept out
(readers never are) until the transaction ends, and all of it is done by statements over both tables.
"""

from dataclasses import dataclass

from psycopg import sql

from managed_tables.catalog.job_records import LoadResult
from managed_tables.databases.connecting import PgConnection
from managed_tables.details import MAX_ERROR_DETAILS, Fault
from managed_tables.errors import VALUES_NOT_CONVERTED, JobError
from managed_tables.identifiers import ID_COLUMN
from managed_tables.schema import POSTGRES_TYPES, Column, Columns, ColumnType
from managed_tables.undo import STAGED_ID, keep_rows, keep_values
from managed_tables_insert.transfer import STAGED, DuplicateFound, Transfer, identifiers, translated_refusals

TABLE, NEW = sql.Identifier("$table"), sql.Identifier("$new")
_MERGE_MEMORY = "64MB"  # of each hash of a million keys; more goes to the server's disk

# Replaces an empty value in a comparison that a hash can serve, together with whether it is empty.
_STAND_INS = {
    ColumnType.TEXT: "''",
    ColumnType.INTEGER: "0",
    ColumnType.DECIMAL: "0",
    ColumnType.BOOLEAN: "false",
    ColumnType.DATE: "'epoch'",
    ColumnType.DATETIME: "'epoch'",
}


@dataclass(frozen=True)
class Merge:
    """A load that is staged: the table, its key's columns, and the columns that the file has.

    `missing` are those that a new row must have, and that the file has not.
    """

    transfer: Transfer
    job_id: str
    table: sql.Identifier
    key: Columns
    columns: Columns
    missing: Columns = ()

    @property
    def connection(self) -> PgConnection:
        """The connection whose transaction loads."""
        return self.transfer.connection

    def stage(self) -> int:
        """Copy the rows into a table of this session's own and return how many; raises DuplicateFound."""
        count = self.transfer.stage_like(self.table)
        self.connection.execute(sql.SQL("SET LOCAL work_mem = {}").format(_MERGE_MEMORY))
        keys = identifiers([column.name for column in self.key])  # all that the joins are planned by
        self.connection.execute(sql.SQL("ANALYZE {} ({})").format(STAGED, keys))
        repeated = sql.SQL("SELECT FROM {} GROUP BY {} HAVING count(*) > 1 LIMIT 1").format(STAGED, keys)
        if self.connection.execute(repeated).fetchone() is not None:  # a row of no columns
            raise DuplicateFound("in the file")
        return count

    def upsert(self) -> LoadResult:
        """Update the rows whose key is there, where a value differs, insert the others; count each kind."""
        staged = self.stage()
        lock_out_writers(self.connection, self.table)
        changing = [column for column in self.columns if column not in self.key]
        changed = keep_values(self.connection, self.job_id, self._changed_rows(changing)) if changing else 0
        updated = self._update(changing) if changed else 0
        if changed == staged:  # each met a row: none is new
            return LoadResult(inserted=0, updated=updated)
        is_new: sql.Composable = sql.SQL("true")
        # One known to be empty is scanned for each row that goes in.
        if self.connection.execute(sql.SQL("SELECT FROM {} LIMIT 1").format(self.table)).rowcount:
            is_new = sql.SQL("NOT EXISTS (SELECT FROM {} AS {} WHERE {})").format(
                self.table, TABLE, match_keys(self.key)
            )
        if self.missing:
            self._refuse_new_rows(is_new)
        inserted = self._insert(is_new)
        return LoadResult(inserted=inserted, updated=updated, unchanged=staged - inserted - updated)

    def replace(self) -> LoadResult:
        """Put the staged rows in the place of all that are there."""
        self.stage()
        lock_out_writers(self.connection, self.table)
        keep_rows(self.connection, self.job_id, self.table, sql.SQL("true"))
        self.connection.execute(sql.SQL("DELETE FROM {}").format(self.table))
        return LoadResult(inserted=self._insert(sql.SQL("true")))

    def _compose(self, form: str, changing: Columns, **parts: sql.Composable) -> sql.Composed:
        """Return a statement about `{met}`: a row of the table and the staged one that changes it."""
        met = sql.SQL("{match} AND {differ}").format(match=match_keys(self.key), differ=_differ(changing))
        return sql.SQL(form).format(table=self.table, t=TABLE, staged=STAGED, s=NEW, met=met, **parts)

    def _changed_rows(self, changing: Columns) -> sql.Composed:
        """Return the query of the rows that will be updated, as they are."""
        names = [ID_COLUMN, *(column.name for column in changing)]
        return self._compose(
            "SELECT {fields}, {s}.id AS {origin} FROM {table} AS {t} JOIN {staged} AS {s} ON {met}",
            changing,
            origin=sql.Identifier(STAGED_ID),
            fields=sql.SQL(", ").join(sql.SQL("{}.{}").format(TABLE, sql.Identifier(name)) for name in names),
        )

    def _update(self, changing: Columns) -> int:
        names = [sql.Identifier(column.name) for column in changing]
        changes = [sql.SQL("{name} = {s}.{name}").format(name=name, s=NEW) for name in names]
        statement = self._compose(
            "UPDATE {table} AS {t} SET {changes} FROM {staged} AS {s} WHERE {met}",
            changing,
            changes=sql.SQL(", ").join(changes),
        )
        with translated_refusals():
            return self.connection.execute(statement).rowcount

    def _refuse_new_rows(self, is_new: sql.Composable) -> None:
        """Raise JobError naming the rows that would be new, where there are any."""
        rows = self.connection.execute(
            sql.SQL("SELECT id, count(*) OVER () FROM {} AS {} WHERE {} ORDER BY id LIMIT {}").format(
                STAGED, NEW, is_new, MAX_ERROR_DETAILS
            )
        ).fetchall()
        if not rows:
            return
        places = self.transfer.find_places([row_id for row_id, _ in rows])
        names = ", ".join(column.name for column in self.missing)
        fault = Fault("REQUIRED", f"a linha é nova, e a tabela exige: {names}")
        details = [place.detail(fault, column=self.missing[0].name) for place in places.values()]
        raise JobError(VALUES_NOT_CONVERTED, details, rows[0][1], count=rows[0][1])

    def _insert(self, condition: sql.Composable) -> int:
        names = identifiers([ID_COLUMN, *self.transfer.names])
        statement = sql.SQL("INSERT INTO {} ({names}) SELECT {names} FROM {} AS {} WHERE {}")
        inserting = statement.format(self.table, STAGED, NEW, condition, names=names)
        with translated_refusals():
            return self.connection.execute(inserting).rowcount


def lock_out_writers(connection: PgConnection, table: sql.Identifier) -> None:
    """Wait for writers of the table, and keep others out until the transaction ends."""
    connection.execute(sql.SQL("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE").format(table))


def match_keys(key: Columns) -> sql.Composed:
    """Return the test that a row of the table and a staged one have the same key; empty equals empty."""
    return sql.SQL(" AND ").join(map(_match_column, key))


def _match_column(column: Column) -> sql.Composed:
    name = sql.Identifier(column.name)
    if not column.nullable:
        return sql.SQL("{t}.{name} = {s}.{name}").format(t=TABLE, s=NEW, name=name)
    none = sql.SQL(f"{_STAND_INS[column.type]}::{POSTGRES_TYPES[column.type]}")
    # Not IS NOT DISTINCT FROM, which PostgreSQL can only compare pair by pair.
    return sql.SQL(
        "coalesce({t}.{name}, {none}) = coalesce({s}.{name}, {none})"
        " AND ({t}.{name} IS NULL) = ({s}.{name} IS NULL)"
    ).format(t=TABLE, s=NEW, name=name, none=none)


def _differ(columns: Columns) -> sql.Composed:
    """Return the test that one of the columns differs."""
    differs = sql.SQL("{t}.{name} IS DISTINCT FROM {s}.{name}")
    tests = [differs.format(t=TABLE, s=NEW, name=sql.Identifier(column.name)) for column in columns]
    return sql.SQL("({})").format(sql.SQL(" OR ").join(tests))
