"""Compose the statements of rows, one an operation, which also checks the definition; the last ones are kept.

A statement locks the user's table before it takes its snapshot, and changes of columns lock it alone:
where the version in the snapshot is the definition's, the table had these columns throughout. Where it is
not, `definition` is empty and nothing is read or written. Names beginning with `$` are ours: no user's can.
Every parameter is text with a cast, so that a statement has one type signature and is prepared once.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, LiteralString, ParamSpec

from cachetools import LRUCache, cached
from cachetools.keys import hashkey
from psycopg import sql

from managed_tables.databases.applied import counting
from managed_tables.databases.statements import compose
from managed_tables.history import ACTOR
from managed_tables.identifiers import ID_COLUMN
from managed_tables.schema import POSTGRES_TYPES, Column, ColumnType
from managed_tables.tables.physical import physical_name
from managed_tables_api.http.requests import Numbers
from managed_tables_api.rows.running import Definition

Arguments = ParamSpec("Arguments")

VERSION_FIELD = "_version"  # of a row as it is answered, unless a column of the table takes the name

KEPT_BYTES = 16 * 1024 * 1024  # of all statements: a page of 1,500 columns has 150 KB, one of ten 2 KB
KEPT_STATEMENTS = 1_000  # each keeps its table's definition in memory, too

TABLE = sql.Identifier("$table")
ROW = sql.Identifier("$row")

# Values whose bytes in JSON are counted. Of a text its length alone is read, however long it is; a decimal
# has MAX_DECIMAL_DIGITS at most.
_SIZED = (ColumnType.TEXT, ColumnType.DECIMAL)
_TERMS = 40
_OTHER_BYTES = 20  # of an integer, a boolean or a time, and more or less of the id

TABLE_ID = sql.SQL("%(table_id)s::text")
NOTHING = sql.SQL("1")
# Whoever writes is the transaction's actor, whom the history of rows names.
_ACTING = sql.SQL("{select}, set_config({setting}, %(actor)s::text, true)")
_DEFINITION = sql.SQL(
    "definition AS MATERIALIZED (SELECT {select} FROM managed_tables.tables"
    " WHERE table_id = %(table_id)s::text AND version = %(version)s::bigint AND deleted_at IS NULL{active})"
)


@dataclass(frozen=True)
class Shown:
    """How rows are answered: which columns, numbers as what, with their versions or without, ids or not."""

    columns: tuple[Column, ...] = field(compare=False)
    numbers: Numbers = "number"
    versions: bool = False
    has_id: bool = True
    names: tuple[str, ...] | None = None  # None: all, up to 1,500 columns; they alone are compared

    def json(self, source: sql.Identifier, *, stored: bool = False) -> sql.Composed:
        """Return a row as the text of its JSON as it is answered; `stored`: the source is the table."""
        fields = [_field(source, column, self.numbers) for column in self.columns]
        if self.has_id:
            fields.insert(0, cell(source, ID_COLUMN))
        if self.versions:
            version = compose("{}.xmin::text" if stored else '{}."$version"', source)
            fields.append(compose("{} AS {:i}", version, VERSION_FIELD))
        return compose('(SELECT row_to_json("$json")::text FROM (SELECT {}) AS "$json")', fields)

    def raw(self, *hidden: str) -> sql.Composed:
        """Return the select list of the table's values as they are stored, those of `hidden` columns too."""
        names = dict.fromkeys((ID_COLUMN, *(column.name for column in self.columns), *hidden))
        fields = [cell(TABLE, name) for name in names]
        if self.versions:
            fields.append(compose('{}.xmin::text AS "$version"', TABLE))
        return compose("{}", fields)

    def size(self) -> sql.Composed:
        """Return about how many bytes a row takes as JSON; nothing is made, nor read of long texts."""
        fixed = sum(len(column.name) + len('"":,') for column in self.columns) + 2 * _OTHER_BYTES
        sized = [column for column in self.columns if column.type in _SIZED]
        fixed += _OTHER_BYTES * (len(self.columns) - len(sized))
        sizes = [
            compose("coalesce(octet_length({}::text), 4)::bigint", cell(TABLE, column.name))
            for column in sized
        ]
        terms = [compose("{}::bigint", fixed)]
        # One sum of a thousand terms would be an expression as deep.
        for batch in (sizes[start : start + _TERMS] for start in range(0, len(sizes), _TERMS)):
            terms += [compose("({})", sql.SQL(" + ").join(batch))]
        return sql.SQL(" + ").join(terms)


_KEPT: LRUCache[Any, bytes] = LRUCache(
    KEPT_BYTES, lambda statement: max(len(statement), KEPT_BYTES / KEPT_STATEMENTS)
)
_KEPT_LOCK = threading.Lock()


def kept_statement(compose: Callable[Arguments, bytes]) -> Callable[Arguments, bytes]:
    """Keep what a function composes; its arguments stay as long, and must hold no values of a request."""
    return cached(_KEPT, partial(hashkey, compose), _KEPT_LOCK)(compose)


def cell(source: sql.Identifier, name: str) -> sql.Composed:
    """Return a cell of a row as it is stored."""
    return compose("{}.{:i}", source, name)


def names_of(columns: Iterable[Column]) -> list[str]:
    """Return the names of columns."""
    return [column.name for column in columns]


def parameter(name: str, kind: str) -> sql.Composed:
    """Return a parameter with its cast: `%(c0)s::bigint`."""
    return compose("%({})s::{}", sql.SQL(name), sql.SQL(kind))


def column_arrays(columns: Iterable[tuple[int, Column]]) -> list[sql.Composed]:
    """Return the parameters that have the values of columns: c0, c1, … by their numbers."""
    return [parameter(f"c{number}", f"{POSTGRES_TYPES[column.type]}[]") for number, column in columns]


def compose_statement(
    form: LiteralString,
    definition: Definition | None = None,
    *,
    select: sql.Composable = NOTHING,
    active: bool = False,
    **parts: Any,
) -> bytes:
    """Return the text of a statement whose form begins with the CTE `definition`, as `{held}`.

    That has a row with `select` where the definition still holds and, if `active`, takes writes: then the
    statement has one more parameter, `actor`.
    """
    if active:
        select = _ACTING.format(select=select, setting=ACTOR)
    held = _DEFINITION.format(select=select, active=sql.SQL(" AND status = 'active'" if active else ""))
    return part(form, definition, held=held, **parts).as_bytes(None)


def compose_reading(form: LiteralString, definition: Definition | None = None, **parts: Any) -> bytes:
    """Return the text of a statement that reads what the form selects: behind a 1, NULLs where nothing is."""
    return compose_statement(
        "WITH {held} SELECT 1, found.* FROM definition LEFT JOIN LATERAL ({query}) AS found ON true",
        query=part(form, definition, **parts),
    )


def part(form: LiteralString, definition: Definition | None = None, **parts: Any) -> sql.Composed:
    """Return a part of a statement; `{t}` and `{row}` are aliases, `{table}` is the user's table."""
    if definition is not None:
        parts["table"] = physical_name(definition.display_name)
    return compose(form, t=TABLE, row=ROW, **parts)


def cell_text(source: sql.Identifier, column: Column) -> sql.Composed:
    """Return a cell as text that PostgreSQL and `managed_tables.values` read back as the same value."""
    text = compose("{}::text", cell(source, column.name))
    if column.type is not ColumnType.DATETIME:
        return text
    # The session is in UTC with ISO dates: `2026-01-31 10:30:00.5+00`
    return compose("replace(replace({}, ' ', 'T'), '+00', 'Z')", text)


def _field(source: sql.Identifier, column: Column, numbers: Numbers) -> sql.Composed:
    if column.type is ColumnType.DATETIME or (numbers == "string" and column.type.is_number):
        return compose("{} AS {:i}", cell_text(source, column), column.name)
    return cell(source, column.name)


def counted(change: sql.Composable) -> sql.Composed:
    """Return the CTE that adds the change to the table's exact count of rows."""
    return sql.SQL("counted AS ({})").format(counting(TABLE_ID, change + sql.SQL(" FROM definition")))


def changed_values(definition: Definition, names: Iterable[str]) -> dict[str, sql.Composed]:
    """Return what columns are to be by their names: c0, c1, … in their order."""
    kinds = ((name, POSTGRES_TYPES[definition.by_name[name].type]) for name in names)
    return {name: parameter(f"c{place}", kind) for place, (name, kind) in enumerate(kinds)}


def assignments(definition: Definition, names: Iterable[str]) -> list[sql.Composed]:
    """Return the list of an UPDATE's SET: the columns in the order of `names` to c0, c1, …."""
    return [compose("{:i} = {}", *change) for change in changed_values(definition, names).items()]


CHANGED_COUNT = sql.SQL(" SELECT 1, (SELECT count(*) FROM changed) FROM definition")


def compose_deletion(
    definition: Definition, condition: sql.Composable, result: sql.Composable = CHANGED_COUNT
) -> bytes:
    """Return the statement that deletes the rows of a condition, and counts them off the table's."""
    return compose_statement(
        "WITH {held}, changed AS (DELETE FROM {table} AS {t} USING definition"
        " WHERE {condition} RETURNING 1), {counted}{result}",
        definition,
        active=True,
        condition=condition,
        counted=counted(sql.SQL("-(SELECT count(*) FROM changed)")),
        result=result,
    )
