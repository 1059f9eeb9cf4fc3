"""Owns the SQL of row operations: one statement each, which also tells whether the definition still holds.

A statement locks the user's table before it takes its snapshot, and changes of columns lock it alone:
where the version in the snapshot is the definition's, the table had these columns throughout. Where it is
not, `definition` is empty and nothing is read or written. Names beginning with `$` are ours: no user's can.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from psycopg import sql

from managed_tables.identifiers import ID_COLUMN
from managed_tables.schema import POSTGRES_TYPES, Column, ColumnType
from managed_tables_api.rows.definitions import Definition

Numbers = Literal["number", "string"]

COUNT_SLOTS = 16  # docs/architecture.md, managed_tables.row_counts
MAX_CURSOR_CHARACTERS = 500  # of a sort value inside a cursor, which travels in a URL
_CACHED_STATEMENTS = 256

_TABLE = sql.Identifier("$table")
_ROW = sql.Identifier("$row")
_SIZE = sql.Identifier("$size")
_FOUND = sql.Identifier("$found")

# Bytes of a value in JSON: about what it will take. Of a text its length alone is read, however long it is; a
# decimal has MAX_DECIMAL_DIGITS at most.
_TEXT_SIZE = "coalesce(octet_length({name}), 4)::bigint"
_DECIMAL_SIZE = "coalesce(octet_length({name}::text), 4)"
_SIZES = {ColumnType.TEXT: _TEXT_SIZE, ColumnType.DECIMAL: _DECIMAL_SIZE}
_TERMS = 40
_OTHER_BYTES = 20  # of an integer, a boolean or a time, and more or less of the id

# Every parameter is text with a cast, so that a statement has one type signature and is prepared once.
_DEFINITION = sql.SQL(
    "definition AS MATERIALIZED ({select} FROM managed_tables.tables"
    " WHERE table_id = %(table_id)s::text AND version = %(version)s::bigint AND deleted_at IS NULL{active})"
)
_COUNTED = sql.SQL(
    "counted AS (INSERT INTO managed_tables.row_counts AS counts (table_id, slot, row_count)"
    " SELECT %(table_id)s::text, pg_backend_pid() %% {slots}, {change} FROM definition"
    " ON CONFLICT (table_id, slot) DO UPDATE SET row_count = counts.row_count + EXCLUDED.row_count)"
)


# Of two requests with one key the later one waits here for the earlier one's end, and inserts nothing.
# Keys of more than a day ago go by the dozen: more than come.
_CLAIMED = sql.SQL(
    " claimed AS (INSERT INTO managed_tables.applied_requests"
    " (table_id, idempotency_key, fingerprint, row_count)"
    " SELECT %(table_id)s::text, %(key)s::text, %(fingerprint)s::text, %(row_count)s::bigint FROM definition"
    " ON CONFLICT DO NOTHING RETURNING 1),"
    " forgotten AS (DELETE FROM managed_tables.applied_requests WHERE ctid = ANY (ARRAY("
    "SELECT ctid FROM managed_tables.applied_requests WHERE applied_at < now() - interval '1 day'"
    " ORDER BY applied_at LIMIT 12 FOR UPDATE SKIP LOCKED))),"
)


@dataclass(frozen=True)
class Order:
    """How a list is sorted; `column` is None for the order of insertion."""

    column: Column | None
    descending: bool


class _Compose:
    """The parts of SQL that name the user's table and columns."""

    def __init__(self, definition: Definition) -> None:
        self.table = sql.Identifier("public", definition.display_name)
        self.columns = definition.columns

    def row_fields(self, source: sql.Identifier, numbers: Numbers) -> sql.Composed:
        """Return the select list of a row as it is answered."""
        fields = [sql.SQL("{}.{}").format(source, sql.Identifier(ID_COLUMN))]
        fields += [_field(source, column, numbers) for column in self.columns]
        return sql.SQL(", ").join(fields)

    def raw_fields(self) -> sql.Composed:
        """Return the select list of the columns as they are stored."""
        names = [ID_COLUMN, *(column.name for column in self.columns)]
        return sql.SQL(", ").join(sql.SQL("{}.{}").format(_TABLE, sql.Identifier(name)) for name in names)

    def row_bytes(self) -> sql.Composed:
        """Return about how many bytes a row takes as JSON; nothing is made, nor read of long texts."""
        fixed = sum(len(column.name) + len('"":,') for column in self.columns) + 2 * _OTHER_BYTES
        fixed += _OTHER_BYTES * sum(column.type not in _SIZES for column in self.columns)
        sizes = [
            sql.SQL(_SIZES[column.type]).format(
                name=sql.SQL("{}.{}").format(_TABLE, sql.Identifier(column.name))
            )
            for column in self.columns
            if column.type in _SIZES
        ]
        terms = [sql.SQL("{}::bigint").format(fixed)]
        # One sum of a thousand terms would be an expression as deep.
        for batch in (sizes[start : start + _TERMS] for start in range(0, len(sizes), _TERMS)):
            terms += [sql.SQL("({})").format(sql.SQL(" + ").join(batch))]
        return sql.SQL(" + ").join(terms)


def _field(source: sql.Identifier, column: Column, numbers: Numbers) -> sql.Composed:
    name = sql.Identifier(column.name)
    if column.type is ColumnType.DATETIME:
        return _datetime_text(source, name) + sql.SQL(" AS {}").format(name)
    if numbers == "string" and column.type in (ColumnType.INTEGER, ColumnType.DECIMAL):
        return sql.SQL("{source}.{name}::text AS {name}").format(source=source, name=name)
    return sql.SQL("{source}.{name}").format(source=source, name=name)


def _datetime_text(source: sql.Identifier, name: sql.Identifier) -> sql.Composed:
    # The session is in UTC with ISO dates: `2026-01-31 10:30:00.5+00`
    form = "replace(replace({source}.{name}::text, ' ', 'T'), '+00', 'Z')"
    return sql.SQL(form).format(source=source, name=name)


def _key_text(column: Column | None) -> sql.Composed:
    """Return the start of what a row is sorted by, as text; no more of a long text is read."""
    name = sql.Identifier(column.name if column else ID_COLUMN)
    if column is not None and column.type is ColumnType.DATETIME:
        return _datetime_text(_TABLE, name)
    form = "left({source}.{name}::text, {characters})"
    return sql.SQL(form).format(source=_TABLE, name=name, characters=MAX_CURSOR_CHARACTERS + 1)


@lru_cache(_CACHED_STATEMENTS)
def list_statement(definition: Definition, order: Order, numbers: Numbers, after: str | None) -> bytes:
    """Return the statement of a page: (total, id, sort value, row as JSON); one row of NULLs if it is empty.

    Parameters: table_id, version, limit, max_bytes; offset without `after`; with it id, and key for a
    column: `after` is "value" or, where the last sort value was NULL, "null". The JSON is NULL where it and
    the rows before it in the page have more than max_bytes: those are never made, nor kept on the disk of a
    server that others use too.
    """
    compose = _Compose(definition)
    return (
        sql.SQL(
            "WITH {definition} SELECT definition.total, page.id, page.key, page.row"
            " FROM definition LEFT JOIN LATERAL ("
            "SELECT {alias}.id::text AS id, {key} AS key, CASE WHEN {alias}.{size} <= %(max_bytes)s::bigint"
            " THEN (SELECT row_to_json({row})::text FROM (SELECT {fields}) AS {row}) END AS row"
            " FROM (SELECT {raw}, sum({bytes}) OVER (ROWS UNBOUNDED PRECEDING) AS {size}"
            " FROM ({page}) AS {alias}) AS {alias}) AS page ON true"
        )
        .format(
            definition=_DEFINITION.format(
                select=sql.SQL(
                    "SELECT (SELECT coalesce(sum(row_count), 0)::bigint FROM managed_tables.row_counts"
                    " WHERE table_id = %(table_id)s::text) AS total"
                ),
                active=sql.SQL(""),
            ),
            row=_ROW,
            key=_key_text(order.column),
            fields=compose.row_fields(_TABLE, numbers),
            bytes=compose.row_bytes(),
            size=_SIZE,
            raw=compose.raw_fields(),
            page=_page(compose, order, after),
            alias=_TABLE,
        )
        .as_bytes(None)
    )


def _page(compose: _Compose, order: Order, after: str | None) -> sql.Composed:
    """Return the SELECT of a page's rows as they are stored, in their order."""
    if order.column is not None:
        return _page_by_column(compose, order.column, order.descending, after)
    if after is None:
        where = _from_offset(compose, order.descending)
    else:
        where = sql.SQL(" WHERE {t}.id {compare} %(id)s::uuid").format(
            t=_TABLE, compare=sql.SQL("<" if order.descending else ">")
        )
    return sql.SQL(
        "SELECT {raw} FROM {table} AS {t}{where} ORDER BY {t}.id {direction} LIMIT %(limit)s::bigint"
    ).format(
        raw=compose.raw_fields(),
        table=compose.table,
        t=_TABLE,
        where=where,
        direction=sql.SQL("DESC" if order.descending else "ASC"),
    )


def _page_by_column(compose: _Compose, column: Column, descending: bool, after: str | None) -> sql.Composed:
    """Return the SELECT of a page in the order of a column.

    The sort carries keys and ids alone, since it may not fit in memory and the server's disk is shared; a
    page past the end sorts nothing. The rows are then read by their ids: OFFSET 0 keeps the planner from
    another join, which would lose their order.
    """
    where: sql.Composable
    if after is None:
        where = sql.SQL(" WHERE %(offset)s::bigint < definition.total")
        tail = sql.SQL("LIMIT %(limit)s::bigint OFFSET %(offset)s::bigint")
    else:
        where = _after_column(column, descending, after)
        tail = sql.SQL("LIMIT %(limit)s::bigint")
    return sql.SQL(
        "SELECT {raw} FROM (SELECT {t}.id FROM {table} AS {t}{where}"
        " ORDER BY {t}.{name} {direction} NULLS LAST, {t}.id {tail}) AS {found}"
        " CROSS JOIN LATERAL (SELECT {raw} FROM {table} AS {t} WHERE {t}.id = {found}.id OFFSET 0) AS {t}"
    ).format(
        raw=compose.raw_fields(),
        table=compose.table,
        t=_TABLE,
        found=_FOUND,
        where=where,
        name=sql.Identifier(column.name),
        direction=sql.SQL("DESC" if descending else "ASC"),
        tail=tail,
    )


def _from_offset(compose: _Compose, descending: bool) -> sql.Composed:
    """Return the WHERE of a page in the order of ids: its first id is counted off from the nearer end."""
    return sql.SQL(
        " WHERE {t}.id {compare} CASE"
        " WHEN %(offset)s::bigint = 0 THEN {all}::uuid"
        " WHEN %(offset)s::bigint <= definition.total / 2 THEN"
        " (SELECT id FROM {table} ORDER BY id {forward} LIMIT 1 OFFSET %(offset)s::bigint)"
        " WHEN %(offset)s::bigint < definition.total THEN"
        " (SELECT id FROM {table} ORDER BY id {backward} LIMIT 1"
        " OFFSET greatest(definition.total - 1 - %(offset)s::bigint, 0)) END"
    ).format(
        t=_TABLE,
        table=compose.table,
        compare=sql.SQL("<=" if descending else ">="),
        all="ffffffff-ffff-ffff-ffff-ffffffffffff" if descending else "00000000-0000-0000-0000-000000000000",
        forward=sql.SQL("DESC" if descending else "ASC"),
        backward=sql.SQL("ASC" if descending else "DESC"),
    )


def _after_column(column: Column, descending: bool, after: str) -> sql.Composed:
    name = sql.Identifier(column.name)
    if after == "null":
        return sql.SQL(" WHERE {t}.{name} IS NULL AND {t}.id > %(id)s::uuid").format(t=_TABLE, name=name)
    return sql.SQL(
        " WHERE {t}.{name} {compare} %(key)s::{type} OR {t}.{name} IS NULL"
        " OR ({t}.{name} = %(key)s::{type} AND {t}.id > %(id)s::uuid)"
    ).format(
        t=_TABLE,
        name=name,
        compare=sql.SQL("<" if descending else ">"),
        type=sql.SQL(POSTGRES_TYPES[column.type]),
    )


@lru_cache(_CACHED_STATEMENTS)
def find_statement(definition: Definition, numbers: Numbers) -> bytes:
    """Return the statement of one row: (1, row as JSON or NULL). Parameters: table_id, version, id."""
    compose = _Compose(definition)
    return (
        sql.SQL(
            "WITH {definition} SELECT 1, (SELECT row_to_json({row})::text FROM (SELECT {fields} FROM {table}"
            " AS {alias} WHERE {alias}.id = %(id)s::uuid) AS {row}) FROM definition"
        )
        .format(
            definition=_held(active=False),
            row=_ROW,
            fields=compose.row_fields(_TABLE, numbers),
            table=compose.table,
            alias=_TABLE,
        )
        .as_bytes(None)
    )


@lru_cache(_CACHED_STATEMENTS)
def cell_statement(definition: Definition, column: Column) -> bytes:
    """Return the statement of one cell: (1, row found, text). Parameters: table_id, version, id."""
    return (
        sql.SQL(
            "WITH {definition} SELECT 1, cell.id IS NOT NULL, cell.{name}::text FROM definition"
            " LEFT JOIN {table} AS cell ON cell.id = %(id)s::uuid"
        )
        .format(
            definition=_held(active=False),
            name=sql.Identifier(column.name),
            table=_Compose(definition).table,
        )
        .as_bytes(None)
    )


@lru_cache(_CACHED_STATEMENTS)
def insert_statement(definition: Definition, *, is_keyed: bool) -> bytes:
    """Return the statement that inserts rows given as one array a column and answers (1, their number).

    Parameters: table_id, version, c0, c1, … in the table's order; key, fingerprint and row_count if
    `is_keyed`: then the number is 0 where the key is taken. Ids are as docs/architecture.md says.
    """
    arrays = [
        sql.SQL("%({})s::{}[]").format(sql.SQL(f"c{place}"), sql.SQL(POSTGRES_TYPES[column.type]))
        for place, column in enumerate(definition.columns)
    ]
    names = [sql.Identifier(column.name) for column in definition.columns]
    comma = sql.SQL(", ")
    return (
        sql.SQL(
            "WITH {definition},{claimed}"
            " inserted AS (INSERT INTO {table} (id, {names}) SELECT {row_id}, {values} FROM {source},"
            " unnest({arrays}) WITH ORDINALITY AS {row} ({names}, {number}) RETURNING 1),"
            " {counted}"
            " SELECT 1, (SELECT count(*) FROM inserted) FROM definition"
        )
        .format(
            definition=_held(
                active=True,
                select="SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS microseconds",
            ),
            claimed=_CLAIMED if is_keyed else sql.SQL(""),
            source=sql.SQL("definition, claimed" if is_keyed else "definition"),
            table=_Compose(definition).table,
            names=comma.join(names),
            row_id=_ROW_ID,
            values=comma.join(sql.SQL("{}.{}").format(_ROW, name) for name in names),
            arrays=comma.join(arrays),
            row=_ROW,
            number=sql.Identifier("$number"),
            counted=_COUNTED.format(slots=COUNT_SLOTS, change=sql.SQL("(SELECT count(*) FROM inserted)")),
        )
        .as_bytes(None)
    )


def applied_request_statement() -> bytes:
    """Return the statement of an earlier request: (1, its fingerprint, its row count), or NULLs for both.

    Parameters: table_id, version, key.
    """
    return (
        sql.SQL(
            "WITH {definition} SELECT 1, fingerprint, row_count FROM definition"
            " LEFT JOIN managed_tables.applied_requests"
            " ON table_id = %(table_id)s::text AND idempotency_key = %(key)s::text"
        )
        .format(definition=_held(active=False))
        .as_bytes(None)
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
).format(row=_ROW, number=sql.Identifier("$number"))


@lru_cache(_CACHED_STATEMENTS)
def update_statement(definition: Definition, names: Sequence[str], numbers: Numbers) -> bytes:
    """Return the statement that changes a row and answers (1, the row as JSON or NULL).

    Parameters: table_id, version, id, c0, c1, … in the order of `names`.
    """
    compose = _Compose(definition)
    changes = [
        sql.SQL("{} = %({})s::{}").format(
            sql.Identifier(name),
            sql.SQL(f"c{place}"),
            sql.SQL(POSTGRES_TYPES[definition.by_name[name].type]),
        )
        for place, name in enumerate(names)
    ]
    return (
        sql.SQL(
            "WITH {definition}, updated AS (UPDATE {table} AS {alias} SET {changes} FROM definition"
            " WHERE {alias}.id = %(id)s::uuid RETURNING {raw})"
            " SELECT 1, (SELECT row_to_json({row})::text FROM (SELECT {fields} FROM updated AS {alias})"
            " AS {row}) FROM definition"
        )
        .format(
            definition=_held(active=True),
            table=compose.table,
            alias=_TABLE,
            changes=sql.SQL(", ").join(changes),
            raw=compose.raw_fields(),
            row=_ROW,
            fields=compose.row_fields(_TABLE, numbers),
        )
        .as_bytes(None)
    )


@lru_cache(_CACHED_STATEMENTS)
def delete_statement(definition: Definition) -> bytes:
    """Return the statement that deletes a row: (1, how many). Parameters: table_id, version, id."""
    return (
        sql.SQL(
            "WITH {definition}, deleted AS (DELETE FROM {table} AS {alias} USING definition"
            " WHERE {alias}.id = %(id)s::uuid RETURNING 1), {counted}"
            " SELECT 1, (SELECT count(*) FROM deleted) FROM definition"
        )
        .format(
            definition=_held(active=True),
            table=_Compose(definition).table,
            alias=_TABLE,
            counted=_COUNTED.format(slots=COUNT_SLOTS, change=sql.SQL("-(SELECT count(*) FROM deleted)")),
        )
        .as_bytes(None)
    )


def _held(active: bool, select: str = "SELECT 1") -> sql.Composed:
    """Return the CTE that has a row where the definition still holds."""
    return _DEFINITION.format(
        select=sql.SQL(select),
        active=sql.SQL(" AND status = 'active'" if active else ""),
    )
