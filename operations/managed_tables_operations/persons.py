"""Erase one person's rows, wherever the product keeps them (LGPD, article 18, VI)."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing
from uuid import UUID

from psycopg import sql

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.job_records import TERMINAL_STATUSES
from managed_tables.catalog.keys import JOB_PREFIX, company_pk
from managed_tables.databases.applied import add_to_count
from managed_tables.databases.connecting import PgConnection, SessionLimits
from managed_tables.object_keys import job_prefixes
from managed_tables.wiring.services import Services
from managed_tables_operations.erasures import erased_rows, note_rows

_OURS = ["public", "kept_rows", "deleted_tables"]
LOCK_TIMEOUT_MS = 120_000
# What people or files have said of the value, beside the rows. A view's filter is dropped whole: without one
# condition it would say something else. A short value is looked for as a whole: it is part of any text.
_SAYS = sql.SQL(
    "(lower(said) = lower(%(value)s)"
    " OR length(%(value)s) > 4 AND position(lower(%(value)s) IN lower(said)) > 0)"
)
_MENTIONS = {
    "managed_tables.views": sql.SQL("""
        UPDATE managed_tables.views
        SET content = (content::jsonb || '{{"where": null, "q": null}}')::json, updated_at = now()
        WHERE EXISTS (
            SELECT FROM jsonb_path_query(content::jsonb, '$.**') AS item,
            LATERAL (SELECT item #>> '{{}}') AS text (said)
            WHERE jsonb_typeof(item) IN ('string', 'number') AND {says}
        )
    """).format(says=_SAYS),
    "managed_tables.recipes": sql.SQL("""
        UPDATE managed_tables.recipes
        SET version = version + 1, updated_at = now(), recipe = jsonb_set(recipe, '{{tables}}', (
            SELECT jsonb_agg(item || jsonb_build_object('skip_texts', (
                SELECT coalesce(jsonb_agg(said), '[]')
                FROM jsonb_array_elements_text(item -> 'skip_texts') AS said WHERE NOT {says}
            ))) FROM jsonb_array_elements(recipe -> 'tables') AS item
        ))
        WHERE EXISTS (
            SELECT FROM jsonb_array_elements(recipe -> 'tables') AS item,
            jsonb_array_elements_text(item -> 'skip_texts') AS said WHERE {says}
        )
    """).format(says=_SAYS),
}  # fmt: skip
Erased = tuple[str, int]  # a place, and how many rows were deleted there


def erase_rows(services: Services, company: ConnectionRecord, column: str, value: str) -> Iterator[Erased]:
    """Delete the rows whose `column` is `value` from every table of the company that has such a column.

    That includes rows kept for an undo, history, deleted tables and hidden columns; saved views lose a
    filter, and recipes a text, that names the value. Yields each place with the number of rows; everything
    commits together, after the last was yielded. The ids are noted first: a database from before loses them
    again.
    """
    condition = sql.SQL("::text = {}").format(sql.Literal(value))
    with _patient(services, company) as connection, connection.transaction():
        erased: dict[str, list[UUID]] = {
            place: ids for place, ids in _erase(connection, column, condition) if ids
        }
        ids = sorted({row_id for of_place in erased.values() for row_id in of_place})
        if ids:
            note_rows(services, company.company_id, ids)
        yield from ((place, len(of_place)) for place, of_place in erased.items())
        yield from _erase_ids(connection, ids)
        gone = connection.execute(
            "DELETE FROM managed_tables.row_history"
            " WHERE before OPERATOR(managed_tables.->) %(column)s = %(value)s"
            " OR after OPERATOR(managed_tables.->) %(column)s = %(value)s",
            {"column": column, "value": value},
        )
        if gone.rowcount:
            yield "managed_tables.row_history", gone.rowcount
        for place, statement in _MENTIONS.items():
            mended = connection.execute(statement, {"value": value}).rowcount
            if mended:
                yield place, mended


def erase_again(services: Services, company: ConnectionRecord) -> Iterator[Erased]:
    """Delete what the ledger says was erased of this company and a restore has brought back; repeatable."""
    for ids in erased_rows(services, company.company_id):
        with _patient(services, company) as connection, connection.transaction():
            yield from _erase_ids(connection, ids)


def _patient(services: Services, company: ConnectionRecord) -> AbstractContextManager[PgConnection]:
    """Open the company's database without a request's limit of time."""
    limits = SessionLimits(services.settings.load_statement_timeout_ms, LOCK_TIMEOUT_MS)
    return closing(services.databases.open_company_connection(company, limits))


def _erase_ids(connection: PgConnection, ids: list[UUID]) -> Iterator[Erased]:
    """Delete the rows of these ids wherever they are, also what hidden columns held of them."""
    condition = sql.SQL(" = ANY({})").format(sql.Literal(ids))
    for place, of_place in _erase(connection, "id", condition) if ids else ():
        if of_place:
            yield place, len(of_place)
    # What the deletions themselves have written there, too
    connection.execute("DELETE FROM managed_tables.row_history WHERE row_id = ANY(%s)", [ids])


def _erase(
    connection: PgConnection, column: str, condition: sql.Composed
) -> Iterator[tuple[str, list[UUID]]]:
    """Delete the rows whose column meets the condition, everywhere; yield each place with their ids."""
    table_ids = _ids(connection)
    for schema, name, stored in _places(connection, column):
        form = sql.SQL("DELETE FROM {} WHERE {}{} RETURNING id").format(
            sql.Identifier(schema, name), sql.Identifier(stored), condition
        )
        gone = [row[0] for row in connection.execute(form).fetchall()]
        if schema == "public" and name in table_ids:
            add_to_count(connection, table_ids[name], -len(gone))
        yield f"{schema}.{name}", gone


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
