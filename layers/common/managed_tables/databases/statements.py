"""Compose statements of names and values, in the notation of psycopg's templates; nothing is formatted."""

from string import Formatter
from typing import Any, LiteralString

from psycopg import Cursor, sql

from managed_tables.databases.connecting import PgConnection


def compose(form: LiteralString, /, *parts: object, **named: object) -> sql.Composed:
    """Return the statement: `{}` takes SQL, or a value as a literal, `{:i}` a name; commas join a list's."""
    pieces: list[sql.Composable] = []
    places = iter(parts)
    for text, name, kind, _ in Formatter().parse(form):
        pieces.append(sql.SQL(text))
        if name is not None:
            pieces.append(_piece(named[name] if name else next(places), kind))
    return sql.Composed(pieces)


def _piece(part: Any, kind: str | None) -> sql.Composable:
    if isinstance(part, list):
        return sql.SQL(", ").join(_piece(element, kind) for element in part)
    if kind == "i":
        return sql.Identifier(part)
    return part if isinstance(part, sql.Composable) else sql.Literal(part)


def execute(
    connection: PgConnection, form: LiteralString, /, *parts: object, **named: object
) -> Cursor[tuple[Any, ...]]:
    """Execute a composed statement that has no parameters."""
    return connection.execute(compose(form, *parts, **named))
