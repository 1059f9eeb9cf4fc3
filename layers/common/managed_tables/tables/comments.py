"""What a table and its columns are called and mean, as PostgreSQL's comments, for other products to read."""

from collections.abc import Sequence

from psycopg import sql

from managed_tables.catalog.table_records import Applied
from managed_tables.databases.connecting import PgConnection
from managed_tables.schema import Column
from managed_tables.tables.physical import physical_name


def comment(name: str | None, description: str | None) -> str | None:
    """Return the comment that holds both: the name, and the description below it."""
    return "\n\n".join(text for text in (name, description) if text) or None


def write_comments(connection: PgConnection, applied: Applied) -> None:
    """Give the table and its columns their comments, in the caller's transaction."""
    table = physical_name(applied.display_name)
    texts = comment(applied.title, applied.description)
    statements = [sql.SQL("COMMENT ON TABLE {} IS {}").format(table, sql.Literal(texts))]
    statements += _column_comments(applied.display_name, applied.columns)
    connection.execute(sql.SQL("; ").join(statements))


def _column_comments(display_name: str, columns: Sequence[Column]) -> list[sql.Composed]:
    return [
        sql.SQL("COMMENT ON COLUMN {} IS {}").format(
            sql.Identifier("public", display_name, column.name),
            sql.Literal(comment(column.display_name, column.description)),
        )
        for column in columns
    ]


def comments_of(applied: Applied) -> dict[str, str | None]:
    """Return every comment that the definition gives, by the column's name, the table's by an empty one."""
    columns = {column.name: comment(column.display_name, column.description) for column in applied.columns}
    return {"": comment(applied.title, applied.description), **columns}
