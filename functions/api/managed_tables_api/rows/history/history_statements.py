"""Compose the statements that read the history of rows, which `managed_tables.history.recording` keeps.

Each begins with `definition`, as those of rows do. Texts of cells are PostgreSQL's own, in objects of JSON.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from managed_tables.tables.keeping import STAGED_ID, kept_table
from managed_tables_api.rows.composing import TABLE, compose_statement, table_of
from managed_tables_api.rows.definitions import Definition

PRESENT, LOADED, UPSERTED = "present", "loaded", "upserted"  # actions that no trigger records

_CELLS = sql.SQL("managed_tables.hstore_to_json({})::text")
_SINCE = sql.SQL("now() - make_interval(days => %(days)s::int)")


@dataclass(frozen=True)
class Upsert:
    """A load that has changed rows, and its place among the changes."""

    job_id: str
    change_id: int


def upserts_statement() -> bytes:
    """Return the statement of the table's upserts whose changes are kept: (1, job, change, nothing).

    Parameters: table_id, version, days. One row of NULLs where there are none. Their changes can be looked up
    by row afterwards.
    """
    return compose_statement(
        "WITH {held}, upserts AS MATERIALIZED (SELECT job_id, change_id FROM managed_tables.undoable_jobs"
        " JOIN managed_tables.applied_jobs AS loads USING (job_id)"
        " WHERE loads.table_id = %(table_id)s::text AND loads.mode = 'upsert' AND has_kept"
        " AND loads.applied_at > {since})"
        " SELECT 1, upserts.job_id, upserts.change_id, managed_tables.index_kept(ARRAY("
        "SELECT job_id FROM upserts)) FROM definition LEFT JOIN upserts ON true",
        since=_SINCE,
    )


def renames_statement() -> bytes:
    """Return the statement of what became of columns' names: (1, change, old, new), in order; or NULLs.

    Parameters: table_id, version.
    """
    return compose_statement(
        "WITH {held} SELECT 1, change_id, old_name, new_name FROM definition"
        " LEFT JOIN managed_tables.renamed_columns AS renamed ON renamed.table_id = %(table_id)s::text"
        " ORDER BY change_id",
    )


def changes_statement(definition: Definition, upserts: Sequence[Upsert]) -> bytes:
    """Return the statement of all that is known of some rows.

    (1, row id, change, time, user, via, job, action, cells before, cells after, the staged row's id), the
    oldest change first, the row as it is last. Parameters: table_id, version, ids, days.
    """
    parts = [
        sql.SQL(
            "SELECT row_id, change_id, changed_at, user_id, via, job_id, action, {before} AS before,"
            " {after} AS after, NULL::uuid AS staged_id FROM managed_tables.row_history"
            " WHERE table_id = %(table_id)s::text AND row_id = ANY (%(ids)s::uuid[]) AND changed_at > {since}"
        ).format(
            before=_CELLS.format(sql.SQL("before")), after=_CELLS.format(sql.SQL("after")), since=_SINCE
        ),
        sql.SQL(
            "SELECT asked.id, change_id, applied_at, user_id, 'upload', job_id, {loaded}, NULL, NULL,"
            " asked.id FROM managed_tables.applied_jobs, unnest(%(ids)s::uuid[]) AS asked (id)"
            " WHERE table_id = %(table_id)s::text AND mode IS NOT NULL AND row_count > 0"
            " AND asked.id BETWEEN first_id AND last_id"
        ).format(loaded=LOADED),
        sql.SQL(
            "SELECT {t}.id, 9223372036854775807, now(), NULL, NULL, NULL, {present}, NULL, {cells}, NULL"
            " FROM {table} AS {t} WHERE {t}.id = ANY (%(ids)s::uuid[])"
        ).format(t=TABLE, present=PRESENT, table=table_of(definition), cells=_row_cells(TABLE)),
        *(
            sql.SQL(
                "SELECT {t}.id, {change}, loads.applied_at, loads.user_id, 'upload', {job}, {upserted},"
                " {cells}, NULL, {t}.{staged} FROM {kept} AS {t}, managed_tables.applied_jobs AS loads"
                " WHERE {t}.id = ANY (%(ids)s::uuid[]) AND loads.job_id = {job}"
            ).format(
                t=TABLE,
                change=upsert.change_id,
                job=upsert.job_id,
                upserted=UPSERTED,
                cells=_row_cells(TABLE),
                staged=sql.Identifier(STAGED_ID),
                kept=kept_table(upsert.job_id),
            )
            for upsert in upserts
        ),
    ]
    return compose_statement(
        "WITH {held} SELECT 1, found.row_id::text, found.change_id, found.changed_at, found.user_id,"
        " found.via, found.job_id, found.action, found.before, found.after, found.staged_id"
        " FROM definition LEFT JOIN LATERAL ({parts}) AS found ON true ORDER BY found.change_id",
        parts=sql.SQL(" UNION ALL ").join(parts),
    )


def _row_cells(source: sql.Identifier) -> sql.Composed:
    cells = sql.SQL("managed_tables.hstore({}) OPERATOR(managed_tables.-) ARRAY['id', {}]").format(
        source, STAGED_ID
    )
    return _CELLS.format(cells)


_FILTER = sql.SQL(
    " (%(action)s::text IS NULL OR action = %(action)s::text)"
    " AND (%(user_id)s::text IS NULL OR user_id = %(user_id)s::text)"
    " AND (%(from)s::timestamptz IS NULL OR changed_at >= %(from)s::timestamptz)"
    " AND (%(to)s::timestamptz IS NULL OR changed_at < %(to)s::timestamptz)"
)


def page_statement(upserts: Sequence[Upsert]) -> bytes:
    """Return the statement of a page of the table's changes, newest first: (1, change, row id, how many).

    Parameters: table_id, version, days, action, user_id, from, to (NULL for any), limit, offset; after_change
    and after_row, where the page before ended, or NULLs. NULLs for change and row where the page is empty.
    """
    parts = [
        sql.SQL(
            "SELECT change_id, row_id, changed_at, action, user_id FROM managed_tables.row_history"
            " WHERE table_id = %(table_id)s::text AND changed_at > {since}"
        ).format(since=_SINCE),
        *(
            sql.SQL(
                "SELECT {change}, {t}.id, loads.applied_at, 'update', loads.user_id FROM {kept} AS {t},"
                " managed_tables.applied_jobs AS loads WHERE loads.job_id = {job}"
            ).format(t=TABLE, change=upsert.change_id, job=upsert.job_id, kept=kept_table(upsert.job_id))
            for upsert in upserts
        ),
    ]
    return compose_statement(
        "WITH {held}, found AS MATERIALIZED ("
        "SELECT change_id, row_id FROM ({parts}) AS changes WHERE{filter})"
        " SELECT 1, page.change_id, page.row_id::text, (SELECT count(*) FROM found) FROM definition"
        " LEFT JOIN LATERAL (SELECT * FROM found WHERE %(after_change)s::bigint IS NULL"
        " OR (change_id, row_id) < (%(after_change)s::bigint, %(after_row)s::uuid)"
        " ORDER BY change_id DESC, row_id DESC"
        " LIMIT %(limit)s::bigint OFFSET %(offset)s::bigint) AS page ON true",
        parts=sql.SQL(" UNION ALL ").join(parts),
        filter=_FILTER,
    )
