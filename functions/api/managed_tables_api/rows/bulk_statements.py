"""Compose the statements that change or delete many rows at once, by their ids or by a condition."""

from collections.abc import Sequence
from typing import LiteralString

from psycopg import sql

from managed_tables.conditions.composition import condition_sql
from managed_tables.conditions.tree import Condition
from managed_tables_api.rows.running import Definition
from managed_tables_api.rows.statements import (
    TABLE,
    Shown,
    array,
    assignments,
    cell,
    column_arrays,
    compose_deletion,
    compose_reading,
    compose_statement,
    compose_update,
    kept_statement,
    names_of,
    part,
    row_json,
)

# The columns that rows are changed in, each with whether some of the rows leave it as it is.
Changed = tuple[tuple[str, bool], ...]

_ID = sql.Identifier("$id")
_ROW_VERSION = sql.Identifier("$row_version")
# A row that was missed is a division by zero, which undoes the statement: all of the rows or none.
_ALL = sql.SQL(
    " SELECT 1, total.count, 1 / (total.count = %(wanted)s::bigint)::integer"
    " FROM definition, (SELECT count(*) FROM changed) AS total"
)
_MINUS = sql.SQL("OPERATOR(managed_tables.-)")  # of hstore


@kept_statement
def update_rows_statement(definition: Definition, changed: Changed) -> bytes:
    """Return the statement that changes rows by their ids: (1, how many); it fails where it misses one.

    Parameters: table_id, version, ids, row_versions (NULL for any), how many are `wanted`; one array a
    column, c0, c1, …; g0, g1, … that say which rows name a column that not all do. All arrays are as long.
    """
    changes = [
        sql.SQL("{} = {}").format(sql.Identifier(name), _value(place, changed))
        for place, (name, _) in enumerate(changed)
    ]
    rows = part(", {given} AND (SELECT count(*) FROM locked) >= 0", given=_given_rows(definition, changed))
    set_changes, locked = sql.SQL(", ").join(changes), _locked(definition)
    return compose_update(definition, set_changes, rows, result=_ALL, before=locked)


def _locked(definition: Definition) -> sql.Composed:
    """Return the CTE that locks the rows in the order of their ids, however PostgreSQL then finds them."""
    return part(
        "locked AS MATERIALIZED (SELECT FROM definition, {table} AS {t} WHERE {t}.id = ANY (%(ids)s::uuid[])"
        " ORDER BY {t}.id FOR NO KEY UPDATE OF {t}), ",
        definition,
    )


@kept_statement
def exchange_rows_statement(definition: Definition, changed: Changed) -> bytes:
    """Return the statement that does what `update_rows_statement` does, also where rows exchange their keys.

    PostgreSQL judges a key row by row, so the old rows go before the new ones come: all are counted first.
    For the history they are updated: its triggers are to be off, and `recorder` is who acts.
    """
    places = {name: place for place, (name, _) in enumerate(changed)}
    cells = [
        _value(places[column.name], changed) if column.name in places else cell(TABLE, column.name)
        for column in definition.columns
    ]
    return compose_statement(
        "WITH {held}, gone (id, {was}, {names}) AS (DELETE FROM {table} AS {t} USING definition, {given}"
        " RETURNING {t}.id, {row_cells}, {cells}),"
        " changed AS (INSERT INTO {table} AS {t} (id, {names}) SELECT id, {names} FROM gone"
        " WHERE (SELECT count(*) FROM gone) = %(wanted)s::bigint"
        " RETURNING {t}.id, {row_cells} AS {became}),"
        " recorded AS (INSERT INTO managed_tables.row_history"
        " (table_id, row_id, user_id, via, action, before, after)"
        " SELECT %(table_id)s::text, id, nullif(split_part(%(recorder)s::text, ' ', 1), '-'),"
        " split_part(%(recorder)s::text, ' ', 2), 'update',"
        " {was} {minus} {became}, {became} {minus} {was}"
        " FROM gone JOIN changed USING (id)){all}",
        definition,
        active=True,
        all=_ALL,
        names=names_of(definition.columns),
        given=_given_rows(definition, changed),
        cells=sql.SQL(", ").join(cells),
        row_cells=sql.SQL("(managed_tables.hstore({}) {} 'id'::text)").format(TABLE, _MINUS),
        was=sql.Identifier("$was"),
        became=sql.Identifier("$became"),
        minus=_MINUS,
    )


def _given_rows(definition: Definition, changed: Changed) -> sql.Composed:
    """Return the rows of the request, joined to those that they mean."""
    columns = [definition.by_name[name] for name, _ in changed]
    partial = [place for place, (_, is_partial) in enumerate(changed) if is_partial]
    arrays = [array("ids", "uuid"), array("row_versions", "text"), column_arrays(enumerate(columns))]
    arrays += [array(f"g{place}", "boolean") for place in partial]
    fields = [_ID, _ROW_VERSION, *(sql.Identifier(name) for name, _ in changed), *map(_given, partial)]
    return part(
        "unnest({arrays}) AS {row} ({fields}) WHERE {t}.id = {row}.{id}"
        " AND ({row}.{v} IS NULL OR {t}.xmin::text = {row}.{v})",
        arrays=sql.SQL(", ").join(arrays),
        fields=sql.SQL(", ").join(fields),
        id=_ID,
        v=_ROW_VERSION,
    )


def _given(place: int) -> sql.Identifier:
    return sql.Identifier(f"$given{place}")


def _value(place: int, changed: Changed) -> sql.Composed:
    """Return what a row of the table is to have in the changed column."""
    name, is_partial = changed[place]
    form: LiteralString = "{row}.{name}"
    if is_partial:
        form = "CASE WHEN {row}.{given} THEN {row}.{name} ELSE {t}.{name} END"
    return part(form, name=sql.Identifier(name), given=_given(place))


@kept_statement
def refused_rows_statement(definition: Definition, shown: Shown) -> bytes:
    """Return the statement of the rows that are gone or changed: (1, id, row as JSON or NULL, their number).

    Parameters: table_id, version, ids, row_versions, limit. One row of NULLs where there are none.
    """
    return compose_reading(
        "SELECT {row}.{id}::text, CASE WHEN {t}.id IS NOT NULL THEN {json} END, count(*) OVER ()"
        " FROM unnest(%(ids)s::uuid[], %(row_versions)s::text[]) AS {row} ({id}, {v})"
        " LEFT JOIN {table} AS {t} ON {t}.id = {row}.{id}"
        " WHERE {t}.id IS NULL OR {t}.xmin::text <> {row}.{v} LIMIT %(limit)s::bigint",
        definition,
        id=_ID,
        v=_ROW_VERSION,
        json=row_json(shown.fields(TABLE, stored=True)),
    )


@kept_statement
def delete_rows_statement(definition: Definition) -> bytes:
    """Return the statement that deletes rows by their ids: (1, how many); it fails where it misses one.

    Parameters: table_id, version, ids, how many are `wanted`.
    """
    return compose_deletion(definition, part("{t}.id = ANY (%(ids)s::uuid[])"), _ALL)


@kept_statement
def delete_where_statement(definition: Definition, condition: Condition) -> bytes:
    """Return the statement that deletes the rows of a condition: (1, how many).

    Parameters: table_id, version, those of the condition.
    """
    return compose_deletion(definition, condition_sql(condition, TABLE))


@kept_statement
def update_where_statement(definition: Definition, names: Sequence[str], condition: Condition) -> bytes:
    """Return the statement that changes the rows of a condition alike: (1, how many).

    Parameters: table_id, version, c0, c1, … in the order of `names`, those of the condition.
    """
    rows = sql.SQL(" WHERE {}").format(condition_sql(condition, TABLE))
    return compose_update(definition, assignments(definition, names), rows)
