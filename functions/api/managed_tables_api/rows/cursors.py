"""Owns the cursor of a list: where a page ended, as opaque text bound to table, version and order.

It is not signed: whatever it holds is judged like any value of a request, and reads only the caller's table.
"""

import base64
import binascii
import json
from dataclasses import dataclass
from uuid import UUID

from managed_tables.errors import INVALID_REQUEST, ApiError
from managed_tables.schema import ColumnType
from managed_tables.values import Parser
from managed_tables_api.rows.definitions import Definition
from managed_tables_api.rows.statements import MAX_CURSOR_CHARACTERS, Order


@dataclass(frozen=True)
class Cursor:
    """The last row of a page: its id and, for a sort by a column, its value there.

    `key` is None for NULL; `is_long` says that the value was too long to travel: it is looked up by the id.
    """

    row_id: str
    key: str | None = None
    is_long: bool = False


def write_cursor(definition: Definition, order: Order, row_id: str, key: str | None) -> str:
    """Return the cursor of a page that ended with this row."""
    is_long = order.column is not None and key is not None and len(key) > MAX_CURSOR_CHARACTERS
    kept = None if is_long or order.column is None else key
    content = [*_binding(definition, order), row_id, kept, is_long]
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(definition: Definition, order: Order, text: str, parsers: dict[ColumnType, Parser]) -> Cursor:
    """Return what `write_cursor` wrote for this table, version and order; raises INVALID_REQUEST."""
    try:
        padded = text + "=" * (-len(text) % 4)
        content = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        table_id, version, sort, descending, row_id, key, is_long = content
        if [table_id, version, sort, descending] != _binding(definition, order):
            raise ApiError(INVALID_REQUEST, reason=_OF_ANOTHER_LIST)
        if str(UUID(row_id)) != row_id or not isinstance(is_long, bool):
            raise ValueError(row_id)
        if key is not None:
            key = _checked_key(order, key, parsers)
    except (binascii.Error, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ApiError(INVALID_REQUEST, reason="cursor inválido") from error
    return Cursor(row_id, key, is_long)


_OF_ANOTHER_LIST = (
    "o cursor é de outra tabela, de outra ordem ou de antes de uma mudança da tabela; comece de novo sem ele"
)


def _binding(definition: Definition, order: Order) -> list[object]:
    return [
        definition.table_id,
        definition.version,
        order.column.name if order.column else None,
        order.descending,
    ]


def _checked_key(order: Order, key: object, parsers: dict[ColumnType, Parser]) -> str:
    if order.column is None:
        raise ValueError(key)
    if order.column.type is ColumnType.BOOLEAN:
        key = {"true": True, "false": False}.get(str(key))
    return parsers[order.column.type](key)
