"""Count the rows of a table exactly, in the transaction that changes them."""

from managed_tables.databases.connecting import PgConnection

COUNT_SLOTS = 16  # of a table's row counts: writers of one table do not queue for one row


def add_to_count(connection: PgConnection, table_id: str, change: int) -> None:
    """Add the change to the table's count of rows, in the caller's transaction."""
    connection.execute(
        "INSERT INTO managed_tables.row_counts AS counts (table_id, slot, row_count)"
        " VALUES (%s, pg_backend_pid() %% %s, %s)"
        " ON CONFLICT (table_id, slot) DO UPDATE SET row_count = counts.row_count + excluded.row_count",
        [table_id, COUNT_SLOTS, change],
    )
