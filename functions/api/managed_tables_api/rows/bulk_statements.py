"""Compose the statements that change or delete many rows at once, by their ids or by a condition."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString

from psycopg import sql

from managed_tables.conditions.composition import condition_sql
from managed_tables.conditions.tree import EVERY_ROW, Condition
from managed_tables_api.rows.running import Definition
from managed_tables_api.rows.statements import (
    TABLE,
    Shown,
    array,
    assignments,
    cell,
    column_arrays,
    compose_deletion,
    compose_statement,
    kept_statement,
    names_of,
    part,
    row_json,
)

_ID = sql.Identifier("$id")
_ROW_VERSION = sql.Identifier("$row_version")
# A row that was missed is a division by zero, which undoes the statement: all of the rows or none.
_ALL = sql.SQL(
    " SELECT 1, changed.count, 1 / (changed.count = %(wanted)s::bigint)::integer"
    " FROM definition, (SELECT count(*) FROM {changed}) AS changed"
)
_MINUS = sql.SQL("OPERATOR(managed_tables.-)")  # of hstore


@dataclass(frozen=True)
class UpdateShape:
    """What the text of a bulk update depends on: the columns, which of them not every row names, versions."""

    names: tuple[str, ...]
    partial: tuple[bool, ...]
    is_conditional: bool


@kept_statement
def update_rows_statement(definition: Definition, shape: UpdateShape) -> bytes:
    """Return the statement that changes rows by their ids: (1, how many); it fails where it misses one.

    Parameters: table_id, version, ids, how many are `wanted`; one array a column, c0, c1, …; g0, g1, … that
    say which rows name a partial column; row_versions if it is conditional, NULL for any. All arrays have one
    element a row.
    """
    changes = [
        sql.SQL("{} = {}").format(sql.Identifier(name), _value(place, shape))
        for place, name in enumerate(shape.names)
    ]
    return compose_statement(
        "WITH {held}, updated AS (UPDATE {table} AS {t} SET {changes} FROM definition, {given}"
        " RETURNING 1){all}",
        definition,
        active=True,
        all=_ALL.format(changed=sql.SQL("updated")),
        changes=sql.SQL(", ").join(changes),
        given=_given_rows(definition, shape),
    )


@kept_statement
def exchange_rows_statement(definition: Definition, shape: UpdateShape) -> bytes:
    """Return the statement that does what `update_rows_statement` does, also where rows exchange their keys.

    PostgreSQL judges a key row by row, so the old rows go before the new ones come: all are counted first.
    For the history they are updated: its triggers are to be off, and `recorder` is who acts.
    """
    places = {name: place for place, name in enumerate(shape.names)}
    cells = [
        _value(places[column.name], shape) if column.name in places else cell(TABLE, column.name)
        for column in definition.columns
    ]
    return compose_statement(
        "WITH {held}, gone (id, {was}, {names}) AS (DELETE FROM {table} AS {t} USING definition, {given}"
        " RETURNING {t}.id, {row_cells}, {cells}),"
        " updated AS (INSERT INTO {table} AS {t} (id, {names}) SELECT id, {names} FROM gone"
        " WHERE (SELECT count(*) FROM gone) = %(wanted)s::bigint"
        " RETURNING {t}.id, {row_cells} AS {became}),"
        " recorded AS (INSERT INTO managed_tables.row_history"
        " (table_id, row_id, user_id, via, action, before, after)"
        " SELECT %(table_id)s::text, id, nullif(split_part(%(recorder)s::text, ' ', 1), '-'),"
        " split_part(%(recorder)s::text, ' ', 2), 'update',"
        " {was} {minus} {became}, {became} {minus} {was}"
        " FROM gone JOIN updated USING (id)){all}",
        definition,
        active=True,
        all=_ALL.format(changed=sql.SQL("updated")),
        names=names_of(definition.columns),
        given=_given_rows(definition, shape),
        cells=sql.SQL(", ").join(cells),
        row_cells=sql.SQL("(managed_tables.hstore({}) {} 'id'::text)").format(TABLE, _MINUS),
        was=sql.Identifier("$was"),
        became=sql.Identifier("$became"),
        minus=_MINUS,
    )


def _given_rows(definition: Definition, shape: UpdateShape) -> sql.Composed:
    """Return the rows of the request, joined to those that they mean."""
    columns = [definition.by_name[name] for name in shape.names]
    arrays = [array("ids", "uuid"), column_arrays(enumerate(columns))]
    arrays += [array(f"g{place}", "boolean") for place, partial in enumerate(shape.partial) if partial]
    fields = [sql.Identifier(name) for name in shape.names]
    fields += [_given(place) for place, partial in enumerate(shape.partial) if partial]
    condition: sql.Composable = sql.SQL("")
    if shape.is_conditional:
        arrays.append(array("row_versions", "text"))
        fields.append(_ROW_VERSION)
        condition = part(" AND ({row}.{v} IS NULL OR {t}.xmin::text = {row}.{v})", v=_ROW_VERSION)
    return part(
        "unnest({arrays}) AS {row} ({fields}) WHERE {t}.id = {row}.{id}{condition}",
        arrays=sql.SQL(", ").join(arrays),
        fields=sql.SQL(", ").join([_ID, *fields]),
        id=_ID,
        condition=condition,
    )


def _given(place: int) -> sql.Identifier:
    return sql.Identifier(f"$given{place}")


def _value(place: int, shape: UpdateShape) -> sql.Composed:
    """Return what a row of the table is to have in the shape's column."""
    form: LiteralString = "{row}.{name}"
    if shape.partial[place]:
        form = "CASE WHEN {row}.{given} THEN {row}.{name} ELSE {t}.{name} END"
    return part(form, name=sql.Identifier(shape.names[place]), given=_given(place))


@kept_statement
def refused_rows_statement(definition: Definition, shown: Shown) -> bytes:
    """Return the statement of the rows that are gone or changed: (1, id, row as JSON or NULL, their number).

    Parameters: table_id, version, ids, row_versions, limit. One row of NULLs where there are none.
    """
    return compose_statement(
        "WITH {held} SELECT 1, refused.id, refused.row, refused.total FROM definition LEFT JOIN LATERAL ("
        "SELECT {row}.{id}::text AS id, count(*) OVER () AS total, CASE WHEN {t}.id IS NOT NULL"
        " THEN {json} END AS row"
        " FROM unnest(%(ids)s::uuid[], %(row_versions)s::text[]) AS {row} ({id}, {v})"
        " LEFT JOIN {table} AS {t} ON {t}.id = {row}.{id}"
        " WHERE {t}.id IS NULL OR {t}.xmin::text <> {row}.{v} LIMIT %(limit)s::bigint) AS refused ON true",
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
    condition = sql.SQL("{}.id = ANY (%(ids)s::uuid[])").format(TABLE)
    return compose_deletion(definition, condition, _ALL.format(changed=sql.SQL("deleted")))


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
    where: sql.Composable = sql.SQL("")
    if condition != EVERY_ROW:
        where = sql.SQL(" WHERE {}").format(condition_sql(condition, TABLE))
    return compose_statement(
        "WITH {held}, updated AS (UPDATE {table} AS {t} SET {changes} FROM definition{where} RETURNING 1)"
        " SELECT 1, (SELECT count(*) FROM updated) FROM definition",
        definition,
        active=True,
        changes=assignments(definition, names),
        where=where,
    )
