"""Compose inserts that update or ignore rows with the same key, and the search for repeated keys."""

from functools import lru_cache
from typing import Literal

from psycopg import sql

from managed_tables.history.recording import row_cells
from managed_tables.schema import POSTGRES_TYPES, Column
from managed_tables_api.rows.composing import (
    ROW,
    TABLE,
    Shown,
    compose_statement,
    table_of,
)
from managed_tables_api.rows.definitions import Definition
from managed_tables_api.rows.statement_cache import kept_statement
from managed_tables_api.rows.statements import NOW, claim, counted, given_rows, recorded

OnConflict = Literal["error", "update", "ignore"]

_GIVEN = sql.Identifier("$given")
_NUMBER = sql.Identifier("$number")
_REPEATED = sql.Identifier("$repeated")


def key_columns(definition: Definition) -> tuple[Column, ...]:
    """Return the columns of the table's key, none without one."""
    return tuple(definition.by_name[name] for name in definition.key or ())


@kept_statement
def merge_statement(definition: Definition, names: tuple[str, ...], on_conflict: OnConflict) -> bytes:
    """Return the statement that inserts rows of a table with a key: (1, inserted, updated).

    A row whose key the table has is updated in the columns `names`, or ignored. Parameters: table_id,
    version, one array a column, c0, c1, …. Rows are met in the order of their keys, so that two such
    requests do not lock one another out.
    """
    key = [sql.Identifier(column.name) for column in key_columns(definition)]
    columns = [sql.Identifier(column.name) for column in definition.columns]
    comma = sql.SQL(", ")
    return compose_statement(
        "WITH {held}, {given} AS MATERIALIZED ({rows}),"
        " merged AS (INSERT INTO {table} AS {t} (id, {columns})"
        " SELECT {given}.* FROM {given} ORDER BY {key}"
        " ON CONFLICT ({key}) DO {action} RETURNING {t}.xmax = 0 AS is_new{made}),"
        "{recorded} {counted} SELECT 1, count(*) FILTER (WHERE merged.is_new),"
        " count(*) FILTER (WHERE NOT merged.is_new) FROM definition LEFT JOIN merged ON true"
        " GROUP BY definition.microseconds",
        definition,
        active=True,
        select=NOW,
        given=_GIVEN,
        rows=given_rows(definition, is_keyed=False),
        columns=comma.join(columns),
        key=comma.join(key),
        action=_action(names, key, on_conflict),
        made=_made(definition),
        recorded=recorded(definition, sql.SQL("(SELECT id, cells FROM merged WHERE is_new)")),
        counted=counted(sql.SQL("(SELECT count(*) FROM merged WHERE is_new)")),
    )


def _made(definition: Definition) -> sql.Composable:
    form = sql.SQL(", {t}.id, {cells}")
    return form.format(t=TABLE, cells=row_cells(TABLE)) if definition.history else sql.SQL("")


def _action(names: tuple[str, ...], key: list[sql.Identifier], on_conflict: OnConflict) -> sql.Composable:
    if on_conflict == "ignore":
        return sql.SQL("NOTHING")
    changed = [sql.Identifier(name) for name in names] or key
    changes = [sql.SQL("{name} = EXCLUDED.{name}").format(name=name) for name in changed]
    return sql.SQL("UPDATE SET {}").format(sql.SQL(", ").join(changes))


@lru_cache(1)
def claim_statement() -> bytes:
    """Return the statement that records a request's key: (1, 1), or (1, 0) if it is recorded already.

    Parameters: table_id, version, key, fingerprint, row_count.
    """
    return compose_statement(
        "WITH {held},{claimed} done AS (SELECT) SELECT 1, (SELECT count(*) FROM claimed) FROM definition",
        active=True,
        claimed=claim(),
    )


def record_counts_statement() -> bytes:
    """Return the statement that records the outcome of a request with an `Idempotency-Key`: (1,).

    Parameters: table_id, key, counts as the text of an array.
    """
    return (
        b"UPDATE managed_tables.applied_requests SET counts = %(counts)s::bigint[]"
        b" WHERE table_id = %(table_id)s::text AND idempotency_key = %(key)s::text RETURNING 1"
    )


@kept_statement
def repeated_keys_statement(definition: Definition, *, within_request: bool) -> bytes:
    """Return the statement of the rows that repeat a key: (1, number from 1, key as JSON, how many in all).

    `within_request`: that of an earlier row of the request, else one of the table's, too. Parameters:
    table_id, version, limit, and of `insert_statement` the arrays of the key's columns.
    """
    columns = key_columns(definition)
    places = [definition.columns.index(column) for column in columns]
    comma = sql.SQL(", ")
    names = comma.join(sql.Identifier(column.name) for column in columns)
    arrays = comma.join(
        sql.SQL("%({})s::{}[]").format(sql.SQL(f"c{place}"), sql.SQL(POSTGRES_TYPES[column.type]))
        for place, column in zip(places, columns, strict=True)
    )
    there = sql.SQL("") if within_request else sql.SQL(" OR {}").format(_is_there(definition, columns))
    return compose_statement(
        "WITH {held} SELECT 1, found.number, found.key, found.total FROM definition LEFT JOIN LATERAL ("
        'SELECT {row}.{number} AS number, (SELECT row_to_json("$key")::text FROM'
        ' (SELECT {fields}) AS "$key") AS key, count(*) OVER () AS total FROM (SELECT *,'
        " row_number() OVER (PARTITION BY {names} ORDER BY {number}) AS {repeated}"
        " FROM unnest({arrays}) WITH ORDINALITY AS {row} ({names}, {number})) AS {row}"
        " WHERE {row}.{repeated} > 1{there} ORDER BY 1 LIMIT %(limit)s::bigint) AS found ON true",
        number=_NUMBER,
        fields=Shown(columns, has_id=False).fields(ROW),
        names=names,
        repeated=_REPEATED,
        arrays=arrays,
        there=there,
    )


def _is_there(definition: Definition, columns: tuple[Column, ...]) -> sql.Composed:
    """Return the test that the table has a row of the key; by `=`, for the index, except for NULLs."""
    cells = [sql.Identifier(column.name) for column in columns]

    def exists(form: str) -> sql.Composed:
        pairs = sql.SQL(" AND ").join(sql.SQL(form).format(t=TABLE, row=ROW, name=name) for name in cells)
        return sql.SQL("EXISTS (SELECT FROM {} AS {} WHERE {})").format(table_of(definition), TABLE, pairs)

    has_values = sql.SQL(" AND ").join(sql.SQL("{}.{} IS NOT NULL").format(ROW, name) for name in cells)
    return sql.SQL("CASE WHEN {} THEN {} ELSE {} END").format(
        has_values,
        exists("{t}.{name} = {row}.{name}"),
        exists("{t}.{name} IS NOT DISTINCT FROM {row}.{name}"),
    )
