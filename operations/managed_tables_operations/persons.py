"""Erase one person's rows, wherever the product keeps them (LGPD, article 18, VI)."""

from collections.abc import Iterator

from psycopg import sql

from managed_tables.aws.storage import job_prefixes
from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.job_records import TERMINAL_STATUSES
from managed_tables.catalog.keys import JOB_PREFIX, company_pk
from managed_tables.databases.connecting import PgConnection
from managed_tables.services import Services
from managed_tables.tables.row_counts import add_to_count

_OURS = ["public", "kept_rows", "deleted_tables"]


def erase_rows(
    services: Services, company: ConnectionRecord, column: str, value: str
) -> Iterator[tuple[str, int]]:
    """Delete the rows whose `column` is `value` from every table of the company that has such a column.

    That includes rows kept for an undo, deleted tables and hidden columns. Yields each place with the number
    of deleted rows; everything commits together, after the last was yielded.
    """
    with services.open_company(company) as connection, connection.transaction():
        ids = _ids(connection)
        for schema, name, stored in _places(connection, column):
            gone = _delete(connection, sql.Identifier(schema, name), stored, value)
            if schema == "public" and name in ids:
                add_to_count(connection, ids[name], -len(gone))
                yield from _delete_hidden(connection, ids[name], gone)
            yield f"{schema}.{name}", len(gone)


def erase_files(services: Services, company: ConnectionRecord) -> int:
    """Delete the files, staged objects and exports of the company's ended jobs; return how many jobs.

    Which of them hold a person's rows is not known without reading each, so all are deleted.
    """
    jobs = services.items.query(company_pk(company.company_id), JOB_PREFIX)
    ended = [str(job["job_id"]) for job in jobs if job["status"] in TERMINAL_STATUSES]
    for job_id in ended:
        for prefix in job_prefixes(company.company_id, job_id):
            services.storage.delete_all(prefix)
    services.storage.delete_all(f"exports/{company.company_id}/")
    services.storage.delete_all(f"inbox/{company.company_id}/")
    return len(ended)


def _ids(connection: PgConnection) -> dict[str, str]:
    rows = connection.execute(
        "SELECT display_name, table_id FROM managed_tables.tables WHERE deleted_at IS NULL"
    ).fetchall()
    return dict(rows)


def _places(connection: PgConnection, column: str) -> list[tuple[str, str, str]]:
    """Return schema and name of every table that has the column, and what it is called there.

    Hidden columns and those of deleted tables have names that say nothing.
    """
    rows = connection.execute(
        "WITH names AS (SELECT %(column)s::name AS attname, NULL AS table_id"
        " UNION SELECT 'column$' || position, table_id FROM managed_tables.tables,"
        " jsonb_array_elements(columns) WITH ORDINALITY AS listed (item, position)"
        " WHERE deleted_at IS NOT NULL AND item ->> 'name' = %(column)s"
        " UNION SELECT hidden_name, table_id FROM managed_tables.hidden_columns WHERE name = %(column)s)"
        " SELECT DISTINCT nspname, relname, attname FROM names JOIN pg_attribute USING (attname)"
        " JOIN pg_class ON pg_class.oid = attrelid JOIN pg_namespace ON pg_namespace.oid = relnamespace"
        " WHERE nspname = ANY(%(schemas)s) AND relkind = 'r' AND attnum > 0 AND NOT attisdropped"
        " AND (table_id IS NULL OR table_id = split_part(relname, '$', 2) OR relname IN"
        " (SELECT job_id FROM managed_tables.undoable_jobs AS jobs WHERE jobs.table_id = names.table_id))"
        " ORDER BY 1, 2, 3",
        {"column": column, "schemas": _OURS},
    ).fetchall()
    return [(str(schema), str(name), str(stored)) for schema, name, stored in rows]


def _delete(connection: PgConnection, table: sql.Identifier, column: str, value: str) -> list[object]:
    """Delete the rows and return their ids."""
    form = sql.SQL("DELETE FROM {} WHERE {}::text = %s RETURNING id").format(table, sql.Identifier(column))
    return [row[0] for row in connection.execute(form, [value]).fetchall()]


def _delete_hidden(connection: PgConnection, table_id: str, ids: list[object]) -> Iterator[tuple[str, int]]:
    """Delete what columns that were hidden since held of these rows."""
    rows = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'deleted_tables'::regnamespace"
        " AND starts_with(relname, %s)",
        [f"hidden${table_id}$"],
    ).fetchall()
    for (name,) in rows:
        form = sql.SQL("DELETE FROM {} WHERE id = ANY(%s)").format(sql.Identifier("deleted_tables", name))
        yield f"deleted_tables.{name}", connection.execute(form, [ids]).rowcount
