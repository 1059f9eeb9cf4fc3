"""Compose the statements of single rows and of inserts: one each, which also checks the definition."""

from collections.abc import Sequence
from typing import Literal

from psycopg import sql

from managed_tables.databases.applied import counting
from managed_tables.history.recording import recorded_rows, row_cells
from managed_tables.schema import POSTGRES_TYPES
from managed_tables_api.http.validation import Numbers
from managed_tables_api.rows.composing import (
    ROW,
    TABLE,
    TABLE_ID,
    Shown,
    cell,
    column_arrays,
    compose_statement,
    kept_statement,
    names_of,
    row_json,
    table_of,
)
from managed_tables_api.rows.definitions import Definition

Returned = Literal["count", "ids", "records"]


def counted(change: sql.Composable) -> sql.Composed:
    """Return the CTE that adds the change to the table's exact count of rows."""
    return sql.SQL("counted AS ({})").format(counting(TABLE_ID, change + sql.SQL(" FROM definition")))


# Of two requests with one key the later one waits here for the earlier one's end, and inserts nothing.
# Keys of more than a day ago go by the dozen: more than come.
_CLAIMED = sql.SQL(
    " claimed AS (INSERT INTO managed_tables.applied_requests"
    " (table_id, idempotency_key, fingerprint, row_count, ids)"
    " SELECT %(table_id)s::text, %(key)s::text, %(fingerprint)s::text, %(row_count)s::bigint, {ids}"
    " FROM definition ON CONFLICT DO NOTHING RETURNING 1),"
    " forgotten AS (DELETE FROM managed_tables.applied_requests WHERE ctid = ANY (ARRAY("
    "SELECT ctid FROM managed_tables.applied_requests WHERE applied_at < now() - interval '1 day'"
    " ORDER BY applied_at LIMIT 12 FOR UPDATE SKIP LOCKED))),"
)


NUMBER = sql.Identifier("$number")  # of a row in the request, from 1
_NO_IDS = sql.SQL("NULL::uuid[]")
# Of the definition, where rows are inserted: what their ids begin with.
NOW = sql.SQL("(extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS microseconds")


def claim(ids: sql.Composable = _NO_IDS) -> sql.Composed:
    """Return the CTE `claimed`, which has a row where the request's key is not taken, and a comma."""
    return _CLAIMED.format(ids=ids)


@kept_statement
def find_statement(definition: Definition, shown: Shown) -> bytes:
    """Return the statement of one row: (1, row as JSON, its version), NULLs for both where there is none.

    Parameters: table_id, version, id.
    """
    return compose_statement(
        "WITH {held} SELECT 1, found.row, found.version FROM definition LEFT JOIN LATERAL ("
        "SELECT {json}, {t}.xmin::text AS version FROM {table} AS {t} WHERE {t}.id = %(id)s::uuid"
        ") AS found ON true",
        definition,
        json=_row_json(shown),
    )


def _row_json(shown: Shown) -> sql.Composed:
    """Return a stored row as the JSON that is answered."""
    return row_json(shown.fields(TABLE, stored=True)) + sql.SQL(" AS row")


@kept_statement
def insert_statement(
    definition: Definition, *, is_keyed: bool, returned: Returned = "count", numbers: Numbers = "number"
) -> bytes:
    """Return the statement that inserts rows given as arrays: (1, their number, the returned part).

    Parameters: table_id, version, one array a column, c0, c1, …; key, fingerprint and row_count if
    `is_keyed`: then the number is 0 if the key is taken. Ids are as docs/architecture.md says. `ids` and
    `records` are returned as the text of a JSON list in the order of the rows, `count` as NULL.
    """
    keeps_ids = is_keyed and returned != "count"
    ids = sql.SQL("(SELECT array_agg(id) FROM {})").format(_NEW) if keeps_ids else _NO_IDS
    return compose_statement(
        "WITH {held},{new}{claimed}"
        " inserted AS (INSERT INTO {table} AS {t} (id, {names}) {rows} RETURNING {returning}),"
        "{recorded} {counted}"
        " SELECT 1, (SELECT count(*) FROM inserted), {result} FROM definition",
        definition,
        active=True,
        select=NOW,
        new=_new_rows(definition) if keeps_ids else sql.SQL(""),
        claimed=claim(ids) if is_keyed else sql.SQL(""),
        names=names_of(definition.columns),
        rows=_KEPT_ROWS if keeps_ids else given_rows(definition, is_keyed=is_keyed),
        returning=_returning(definition, returned, numbers),
        recorded=recorded(definition, sql.SQL("inserted")),
        counted=counted(sql.SQL("(SELECT count(*) FROM inserted)")),
        result=_RESULTS[returned].format(source=sql.SQL("inserted")),
    )


_NEW = sql.Identifier("$new")
_KEPT_ROWS = sql.SQL("SELECT {new}.* FROM {new}, claimed").format(new=_NEW)
_RESULTS: dict[Returned, sql.SQL] = {
    "count": sql.SQL("NULL::text"),
    "ids": sql.SQL("(SELECT json_agg(id ORDER BY id)::text FROM {source})"),
    "records": sql.SQL("(SELECT '[' || string_agg(row, ',' ORDER BY id) || ']' FROM {source})"),
}


def _returning(definition: Definition, returned: Returned, numbers: Numbers) -> sql.Composable:
    fields = [cell(TABLE, "id")]
    if returned == "records":
        fields.append(_row_json(Shown(definition.columns, numbers)))
    if definition.history:
        fields.append(row_cells(TABLE))
    return sql.SQL(", ").join(fields)


def recorded(definition: Definition, source: sql.Composable) -> sql.Composable:
    """Return the CTE, and a comma, that writes inserted rows into the history, where the table has one."""
    return recorded_rows(source) + sql.SQL(",") if definition.history else sql.SQL("")


def _new_rows(definition: Definition) -> sql.Composed:
    """Return the CTE of the rows to insert with their ids, which the request's key records, too."""
    return sql.SQL(" {new} AS MATERIALIZED ({rows}),").format(
        new=_NEW, rows=given_rows(definition, is_keyed=False)
    )


def given_rows(definition: Definition, *, is_keyed: bool) -> sql.Composed:
    """Return the SELECT of the given rows, each with its new id; none where the request's key is taken."""
    return sql.SQL(
        "SELECT {row_id} AS id, {values} FROM {source},"
        " unnest({arrays}) WITH ORDINALITY AS {row} ({names}, {number})"
    ).format(
        row_id=_ROW_ID,
        values=sql.SQL(", ").join(cell(ROW, column.name) for column in definition.columns),
        source=sql.SQL("definition, claimed" if is_keyed else "definition"),
        arrays=column_arrays(enumerate(definition.columns)),
        row=ROW,
        names=names_of(definition.columns),
        number=NUMBER,
    )


@kept_statement
def applied_request_statement(definition: Definition, returned: Returned, numbers: Numbers) -> bytes:
    """Return the statement that finds an earlier request: (1, fingerprint, row count, returned part, counts).

    `counts` are the rows inserted and updated by a request with `on_conflict`. NULLs if there was none.
    Parameters: table_id, version, key.
    """
    source: sql.Composable = sql.SQL("unnest(applied.ids) AS id")
    if returned == "records":
        source = sql.SQL(
            "(SELECT {t}.id, {json} FROM {table} AS {t} WHERE {t}.id = ANY (applied.ids)) AS {t}"
        ).format(t=TABLE, json=_row_json(Shown(definition.columns, numbers)), table=table_of(definition))
    return compose_statement(
        "WITH {held} SELECT 1, applied.fingerprint, applied.row_count, {result}, applied.counts"
        " FROM definition"
        " LEFT JOIN managed_tables.applied_requests AS applied"
        " ON applied.table_id = %(table_id)s::text AND applied.idempotency_key = %(key)s::text",
        result=_RESULTS[returned].format(source=source),
    )


# UUIDv7: 48 bits of milliseconds, version, then 32 bits (12 before the variant, 20 after it) that count the
# rows of the batch from the 4,096th of the millisecond, so that two requests of one millisecond keep their
# order; 42 random bits. A batch of more than a million rows runs on into the next 4,096th.
_COUNTER = "((microseconds %% 1000 * 4096 / 1000) << 20) + {row}.{number} - 1"
_ROW_ID = sql.SQL(
    "(lpad(to_hex(microseconds / 1000 + ((COUNTER) >> 32)), 12, '0') || '7'"
    " || lpad(to_hex(((COUNTER) >> 20) & 4095), 3, '0')"
    " || to_hex((-9223372036854775808)::bigint | (((COUNTER) & 1048575) << 42)"
    " | floor(random() * 4398046511104)::bigint))::uuid".replace("COUNTER", _COUNTER)
).format(row=ROW, number=NUMBER)


@kept_statement
def update_statement(
    definition: Definition, names: Sequence[str], shown: Shown, *, is_conditional: bool
) -> bytes:
    """Return the statement that changes a row: (1, row as JSON, its version), NULLs where it changed none.

    Parameters: table_id, version, id, c0, c1, … in the order of `names`; row_version if `is_conditional`:
    a row of another version is not changed.
    """
    return compose_statement(
        "WITH {held}, updated AS (UPDATE {table} AS {t} SET {changes} FROM definition"
        " WHERE {t}.id = %(id)s::uuid{condition} RETURNING {json}, {t}.xmin::text AS version)"
        " SELECT 1, updated.row, updated.version FROM definition LEFT JOIN updated ON true",
        definition,
        active=True,
        changes=assignments(definition, names),
        condition=_OF_VERSION if is_conditional else sql.SQL(""),
        json=_row_json(shown),
    )


_OF_VERSION = sql.SQL(" AND {}.xmin::text = %(row_version)s::text").format(TABLE)


def assignments(definition: Definition, names: Sequence[str]) -> sql.Composed:
    """Return the list of an UPDATE's SET: the columns in the order of `names` to c0, c1, …."""
    return sql.SQL(", ").join(
        sql.SQL("{} = %({})s::{}").format(
            sql.Identifier(name),
            sql.SQL(f"c{place}"),
            sql.SQL(POSTGRES_TYPES[definition.by_name[name].type]),
        )
        for place, name in enumerate(names)
    )


@kept_statement
def delete_statement(definition: Definition, *, is_conditional: bool) -> bytes:
    """Return the statement that deletes a row: (1, how many).

    Parameters: table_id, version, id; row_version if `is_conditional`: a row of another version stays.
    """
    condition = sql.SQL("{}.id = %(id)s::uuid").format(TABLE)
    return compose_deletion(definition, condition + _OF_VERSION if is_conditional else condition)


DELETED_COUNT = sql.SQL(" SELECT 1, (SELECT count(*) FROM deleted) FROM definition")


def compose_deletion(
    definition: Definition, condition: sql.Composed, result: sql.Composable = DELETED_COUNT
) -> bytes:
    """Return the statement that deletes the rows of a condition, and counts them off the table's."""
    return compose_statement(
        "WITH {held}, deleted AS (DELETE FROM {table} AS {t} USING definition"
        " WHERE {condition} RETURNING 1), {counted}{result}",
        definition,
        active=True,
        condition=condition,
        counted=counted(sql.SQL("-(SELECT count(*) FROM deleted)")),
        result=result,
    )
