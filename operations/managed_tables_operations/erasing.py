"""Erase a company, or one person's rows, wherever the product keeps them (LGPD, article 18, VI).

What was erased is noted in the bucket under `erasures/`, which no restore of PostgreSQL or of the catalog
takes back: what such a restore brings back is erased again. The notes have ids alone: of databases, rows,
changes.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import PurePath
from uuid import UUID

from botocore.exceptions import ClientError
from psycopg import sql

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.items import delete, update
from managed_tables.catalog.job_records import TERMINAL_STATUSES
from managed_tables.catalog.keys import CONNECTION, JOB, PK, SK, company_pk
from managed_tables.catalog.operations import OperationRecord
from managed_tables.databases.applied import add_to_count
from managed_tables.databases.connecting import CompanyRoles, PgConnection
from managed_tables.databases.copies import drop_copy
from managed_tables.databases.statements import execute
from managed_tables.errors import ApiError
from managed_tables.ids import new_record_id
from managed_tables.object_keys import job_prefixes
from managed_tables.services import Services
from managed_tables_operations import OperatorError
from managed_tables_operations.leases import Lease, hold, wanted

PREFIXES = ("uploads", "jobs", "inbox", "exports")  # of a company's objects in the bucket
_NOTED_COMPANIES = "erasures/companies/"
_NOTED_ROWS = "erasures/rows/"
_OURS = ["public", "kept_rows", "deleted_tables"]
# A change has the names of its time; a column that was taken out has a hidden one now. Of a row that was
# deleted, and has not come back, all changes go, as of one that is erased from its table.
_ERASE_CHANGES = sql.SQL("""
    WITH gone AS (DELETE FROM managed_tables.row_history AS change WHERE EXISTS (
        SELECT FROM (VALUES (before), (after)) AS sides (cells)
        WHERE %(value)s = ANY(managed_tables.avals(cells)) AND %(value)s = ANY(
            (cells OPERATOR(managed_tables.||) managed_tables.present_cells(table_id, change_id, cells))
            OPERATOR(managed_tables.->) ARRAY(SELECT %(column)s UNION
            SELECT hidden_name FROM managed_tables.hidden_columns AS hidden
            WHERE hidden.table_id = change.table_id AND hidden.name = %(column)s)))
    RETURNING *),
    earlier AS (DELETE FROM managed_tables.row_history AS change USING gone
        WHERE gone.action = 'delete' AND change.table_id = gone.table_id AND change.row_id = gone.row_id
        AND NOT EXISTS (SELECT FROM managed_tables.row_history AS later WHERE later.table_id = gone.table_id
            AND later.row_id = gone.row_id AND later.change_id > gone.change_id)
    RETURNING change.change_id, change.row_id)
    SELECT change_id, row_id::text FROM gone UNION SELECT change_id, row_id::text FROM earlier
""")
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


def erase_company(services: Services, company_id: str) -> Iterator[str]:
    """Delete everything of a company, its databases on every cluster first, and yield what was deleted.

    The record of the operation goes last, so that an interrupted run is gone on with. Raises OperatorError in
    the end where a cluster was away.
    """
    connection = services.connections.find(company_id)
    left_behind = services.operations.find(company_id)
    if connection is not None:
        connection_id = connection.connection_id
    elif left_behind is not None:
        connection_id = left_behind.connection_id
    else:
        connection_id = ""  # nothing but what a restore of the catalog or an import may have brought back
    with hold(services, wanted(company_id, connection_id, "erase")) as lease:
        away = []
        if connection_id:
            services.storage.put_json(f"{_NOTED_COMPANIES}{connection_id}.json", {"company_id": company_id})
            dropped: list[str] = []
            away = _drop_everywhere(services, connection_id, lease, dropped.append)
            yield from dropped
        lease.advance("objects")
        for prefix in PREFIXES:
            services.storage.delete_all(f"{prefix}/{company_id}/")
            yield f"objects under {prefix}/{company_id}/"
        lease.advance("records")
        items = list(services.items.query(company_pk(company_id)))
        for item in sorted(items, key=lambda item: bool(item[SK] == CONNECTION)):
            services.items.write(delete({PK: item[PK], SK: item[SK]}))
        yield f"{len(items)} records"
        if away:
            raise OperatorError(f"clusters that are away keep the database: {', '.join(away)}; resume")
        services.operations.end(lease.record)


def _drop_everywhere(
    services: Services, connection_id: str, lease: Lease, tell: Callable[[str], None], kept: str = ""
) -> list[str]:
    """Drop the company's databases on every cluster but `kept`; return the clusters that are away."""
    away = []
    for cluster in services.clusters.names():
        if cluster == kept:
            continue
        lease.advance(f"database on {cluster}")
        try:
            dropped = drop_copy(services.databases, cluster, CompanyRoles(connection_id, ""))
        except (ApiError, ClientError):
            away.append(cluster)
            continue
        services.old_databases.remove(connection_id, cluster)
        if dropped:
            tell(f"database co_{connection_id} on cluster {cluster}")
    return away


def erased_databases(services: Services) -> dict[str, str]:
    """Return the company of each erased database, by the connection's id."""
    noted = services.storage.keys(_NOTED_COMPANIES)
    return {PurePath(key).stem: services.storage.get_json(key)["company_id"] for key in noted}


def erase_rows(services: Services, company: ConnectionRecord, column: str, value: str) -> Iterator[Erased]:
    """Delete the rows whose `column` is `value` from every table of the company that has such a column.

    That includes rows kept for an undo, history, deleted tables and hidden columns; saved views lose a
    filter, and recipes a text, that names the value. Yields each place with the number of rows; everything
    commits together, after the last was yielded. Their ids are noted before: a database from before loses
    them again. Copies that a move has left on other clusters are dropped: they hold the rows, too.
    """
    condition = sql.SQL("::text = {}").format(sql.Literal(value))
    with hold(services, wanted(company.company_id, company.connection_id, "erase-rows")) as lease:
        with _patient(services, company) as connection, connection.transaction():
            erased = _erase(connection, column, condition)
            ids = sorted({row_id for of_place in erased.values() for row_id in of_place})
            yield from ((place, len(of_place)) for place, of_place in erased.items())
            yield from _erase_ids(connection, ids)
            changes = connection.execute(_ERASE_CHANGES, {"column": column, "value": value}).fetchall()
            if ids or changes:
                noted = f"{_NOTED_ROWS}{company.company_id}/{new_record_id()}.json"
                services.storage.put_json(noted, {"ids": [str(row_id) for row_id in ids], "changes": changes})
            if changes:
                yield "managed_tables.row_history", len(changes)
            for place, statement in _MENTIONS.items():
                mended = connection.execute(statement, {"value": value}).rowcount
                if mended:
                    yield place, mended
        yield from _drop_copies(services, company, lease)


def _drop_copies(services: Services, company: ConnectionRecord, lease: Lease) -> Iterator[Erased]:
    """Drop what moves have left of the company's database; raises OperatorError where a cluster is away."""
    dropped: list[str] = []
    away = _drop_everywhere(services, company.connection_id, lease, dropped.append, kept=company.cluster)
    yield from ((said, 1) for said in dropped)
    if away:
        raise OperatorError(f"clusters that are away may keep a copy: {', '.join(away)}; run this again")


def go_on_erasing_rows(services: Services, operation: OperationRecord) -> Iterator[str]:
    """Do what is left of an `erase_rows` that was killed: what it had noted is erased, copies are dropped."""
    company = services.connections.find(operation.company_id)
    if company is not None:
        with hold(services, operation) as lease:
            for place, count in erase_again(services, company):
                yield f"{count} rows of {place} erased"
            for place, _ in _drop_copies(services, company, lease):
                yield place


def erase_again(services: Services, company: ConnectionRecord) -> Iterator[Erased]:
    """Delete what the ledger says was erased of this company and a restore has brought back; repeatable."""
    for key in services.storage.keys(f"{_NOTED_ROWS}{company.company_id}/"):
        note = services.storage.get_json(key)
        with _patient(services, company) as connection, connection.transaction():
            yield from _erase_ids(connection, [UUID(row_id) for row_id in note["ids"]])
            again = "DELETE FROM managed_tables.row_history WHERE change_id = %s AND row_id = %s"
            connection.cursor().executemany(again, note.get("changes", []))


def _patient(services: Services, company: ConnectionRecord) -> AbstractContextManager[PgConnection]:
    """Open the company's database without a request's limit of time."""
    return closing(services.databases.open_company_connection(company, services.load_limits))


def _erase_ids(connection: PgConnection, ids: list[UUID]) -> Iterator[Erased]:
    """Delete the rows of these ids wherever they are, also what hidden columns held of them."""
    condition = sql.SQL(" = ANY({})").format(sql.Literal(ids))
    erased = _erase(connection, "id", condition) if ids else {}
    yield from ((place, len(of_place)) for place, of_place in erased.items())
    # What the deletions themselves have written there, too
    connection.execute("DELETE FROM managed_tables.row_history WHERE row_id = ANY(%s)", [ids])


def _erase(connection: PgConnection, column: str, condition: sql.Composed) -> dict[str, list[UUID]]:
    """Delete the rows whose column meets the condition, everywhere; return their ids by place."""
    known = "SELECT display_name, table_id FROM managed_tables.tables WHERE deleted_at IS NULL"
    table_ids: dict[str, str] = dict(connection.execute(known).fetchall())
    erased = {}
    for schema, name, stored in _places(connection, column):
        form = "DELETE FROM {} WHERE {:i}{} RETURNING id"
        rows = execute(connection, form, sql.Identifier(schema, name), stored, condition).fetchall()
        gone = [row_id for (row_id,) in rows]
        if schema == "public" and name in table_ids:
            add_to_count(connection, table_ids[name], -len(gone))
        if gone:
            erased[f"{schema}.{name}"] = gone
    return erased


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


def erase_files(services: Services, company: ConnectionRecord) -> int:
    """Delete the files, staged objects and exports of the company's ended jobs; return how many jobs.

    So are the values in their errors. Which of them hold a person's is not known without reading each.
    """
    jobs = services.items.query(company_pk(company.company_id), f"{JOB}#")
    ended = [job for job in jobs if job["status"] in TERMINAL_STATUSES]
    for job in ended:
        for prefix in job_prefixes(company.company_id, str(job["job_id"])):
            services.storage.delete_all(prefix)
        if job.get("error"):
            services.items.write(update({PK: job[PK], SK: job[SK]}, {"error.details": []}))
    for kind in ("exports", "workbooks", "inbox"):
        services.storage.delete_all(f"{kind}/{company.company_id}/")
    return len(ended)
