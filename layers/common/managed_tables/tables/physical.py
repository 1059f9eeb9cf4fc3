"""The tables themselves in PostgreSQL: made, renamed and put away, in the caller's transaction.

Their comments say what a table and its columns are called and mean, for other products to read.
"""

from psycopg import sql
from psycopg.errors import DuplicateTable

from managed_tables.catalog.table_records import Applied
from managed_tables.databases.applied import record_deletion, record_new, record_restoration
from managed_tables.databases.connecting import PgConnection
from managed_tables.errors import DUPLICATE_NAME, ApiError
from managed_tables.history.recording import start_history
from managed_tables.identifiers import ID_COLUMN
from managed_tables.schema import POSTGRES_TYPES, Column, Columns, ColumnType


def create_table_to_fill(connection: PgConnection, table_id: str, applied: Applied, zone: str) -> None:
    """Make the table and record it at version 1, in the transaction that the caller has begun.

    The table is empty, readable by the read-only role, its key column first; `add_primary_key` completes it:
    sorting the ids of rows afterwards costs half as much as placing each on arrival. Raises Fenced where the
    reservation was released (or the table made) before: the caller's transaction must then roll back.
    """
    record_new(connection, table_id, applied)
    parts = [
        sql.SQL("{} uuid NOT NULL").format(sql.Identifier(ID_COLUMN)),
        *(column_definition(column, zone) for column in applied.columns),
    ]
    name = physical_name(applied.display_name)
    try:
        connection.execute(sql.SQL("CREATE TABLE {} ({})").format(name, sql.SQL(", ").join(parts)))
    except DuplicateTable as error:
        raise ApiError(DUPLICATE_NAME, name=applied.display_name) from error
    write_comments(connection, applied)


def add_primary_key(connection: PgConnection, table_id: str, display_name: str) -> None:
    """Give the table of `create_table_to_fill` its primary key and its history, in the same transaction."""
    # With `$`, no table that a user names can be in its way; with the id, it stays unique forever.
    name = sql.Identifier(f"key${table_id}")
    statement = sql.SQL("ALTER TABLE {} ADD CONSTRAINT {} PRIMARY KEY ({})")
    connection.execute(statement.format(physical_name(display_name), name, sql.Identifier(ID_COLUMN)))
    start_history(connection, table_id, physical_name(display_name))


def rename_physical_table(connection: PgConnection, old_name: str, new_name: str) -> None:
    """Rename the table, in the transaction that the caller has begun."""
    try:
        connection.execute(
            sql.SQL("ALTER TABLE {} RENAME TO {}").format(physical_name(old_name), sql.Identifier(new_name))
        )
    except DuplicateTable as error:
        raise ApiError(DUPLICATE_NAME, name=new_name) from error


def delete_physical_table(connection: PgConnection, table_id: str, display_name: str) -> None:
    """Move the table out of the way, named for its id, its rows kept; in the caller's transaction."""
    away = _name_when_deleted(table_id)  # renamed before it moves: in neither schema can it be in use
    connection.execute(
        sql.SQL("ALTER TABLE {} RENAME TO {}").format(physical_name(display_name), sql.Identifier(away))
    )
    connection.execute(
        sql.SQL("ALTER TABLE {} SET SCHEMA deleted_tables").format(sql.Identifier("public", away))
    )
    record_deletion(connection, table_id)
    connection.execute("SELECT managed_tables.conceal_deleted(%s)", [table_id])


def restore_physical_table(
    connection: PgConnection, table_id: str, display_name: str, columns: Columns, zone: str
) -> None:
    """Bring a deleted table of these columns back under this name, without its comments.

    In the caller's transaction. Raises DUPLICATE_NAME.
    """
    away = _name_when_deleted(table_id)
    connection.execute("SELECT managed_tables.rename_deleted(%s, false)", [table_id])
    connection.execute(
        sql.SQL("ALTER TABLE {} SET SCHEMA public").format(sql.Identifier("deleted_tables", away))
    )
    rename_physical_table(connection, away, display_name)
    for column in columns:
        if column.default is not None:
            connection.execute(
                sql.SQL("ALTER TABLE {} ALTER COLUMN {} SET DEFAULT {}").format(
                    physical_name(display_name), sql.Identifier(column.name), default_value(column, zone)
                )
            )
    record_restoration(connection, table_id, display_name)


def _name_when_deleted(table_id: str) -> str:
    return f"deleted${table_id}"


def wait_for_writers(connection: PgConnection, display_name: str) -> None:
    """Return when nobody writes to the table; until the transaction ends nobody does, readers go on."""
    connection.execute(sql.SQL("LOCK TABLE {} IN SHARE MODE").format(physical_name(display_name)))


def physical_name(display_name: str) -> sql.Identifier:
    """Return the table's name in SQL."""
    return sql.Identifier("public", display_name)


def column_definition(column: Column, zone: str) -> sql.Composed:
    """Return the column as CREATE TABLE and ADD COLUMN take it; `zone` is that of today's date."""
    definition = sql.SQL("{} {}").format(sql.Identifier(column.name), column_type(column))
    if column.default is not None:
        definition += sql.SQL(" DEFAULT {}").format(default_value(column, zone))
    return definition if column.nullable else definition + sql.SQL(" NOT NULL")


def default_value(column: Column, zone: str) -> sql.Composed:
    """Return the SQL of the column's default: NULL unless it has one."""
    if column.default_is_now and column.type is ColumnType.DATE:
        return sql.SQL("(now() AT TIME ZONE {})::date").format(sql.Literal(zone))
    if column.default_is_now:
        return sql.Composed([sql.SQL("now()")])
    return sql.SQL("{}::{}").format(sql.Literal(column.default), column_type(column))


def column_type(column: Column) -> sql.SQL:
    """Return the column's type in SQL."""
    return sql.SQL(POSTGRES_TYPES[column.type])


def comment(name: str | None, description: str | None) -> str | None:
    """Return the comment that holds both: the name, and the description below it."""
    return "\n\n".join(text for text in (name, description) if text) or None


def write_comments(connection: PgConnection, applied: Applied) -> None:
    """Give the table and its columns their comments, in the caller's transaction."""
    statements = [
        sql.SQL("COMMENT ON {} {} IS {}").format(
            sql.SQL("COLUMN" if name else "TABLE"),
            sql.Identifier("public", applied.display_name, *filter(None, [name])),
            sql.Literal(text),
        )
        for name, text in comments_of(applied).items()
    ]
    connection.execute(sql.SQL("; ").join(statements))


def comments_of(applied: Applied) -> dict[str, str | None]:
    """Return every comment that the definition gives, by the column's name, the table's by an empty one."""
    columns = {column.name: comment(column.display_name, column.description) for column in applied.columns}
    return {"": comment(applied.title, applied.description), **columns}
