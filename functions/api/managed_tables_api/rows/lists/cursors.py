"""Write and read the cursor of a list: where a page ended, as opaque text bound to table, version and list.

It is not signed: whatever it holds is judged like any value of a request, and reads only the caller's table.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from managed_tables.details import DetailCode, Fault, Place, detail
from managed_tables.errors import INVALID_REQUEST, ApiError
from managed_tables.schema import ColumnType
from managed_tables.values import Parser
from managed_tables_api.rows.definitions import Definition
from managed_tables_api.rows.lists.ordering import Order, SortKey
from managed_tables_api.rows.lists.pages import MAX_CURSOR_CHARACTERS, PageShape

_DIGEST_CHARACTERS = 22  # 132 bits of base64: no two lists meet


@dataclass(frozen=True)
class Cursor:
    """The last row of a page: its keys in the list's order, None for NULL.

    `is_long` says that they were too long to travel: all but the id are looked up by it.
    """

    keys: tuple[str | None, ...]
    is_long: bool = False


def write_cursor(definition: Definition, shape: PageShape, keys: Sequence[str | None]) -> str:
    """Return the cursor of a page that ended with the row of these keys."""
    is_long = shape.grouping is None and any(len(key or "") > MAX_CURSOR_CHARACTERS for key in keys)
    kept = [*(None for _ in keys[:-1]), keys[-1]] if is_long else list(keys)
    text = json.dumps([_binding(definition, shape), kept, is_long], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(
    definition: Definition, shape: PageShape, text: str, parsers: dict[ColumnType, Parser], place: Place
) -> Cursor:
    """Return what `write_cursor` wrote for this table, version and list; raises INVALID_REQUEST.

    `place` is where in the request the cursor is.
    """
    try:
        padded = text + "=" * (-len(text) % 4)
        binding, keys, is_long = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if binding != _binding(definition, shape):
            raise refused_cursor(place, _OF_ANOTHER_LIST)
        if not isinstance(keys, list) or not isinstance(is_long, bool):
            raise ValueError(keys)
        return Cursor(_checked_keys(shape.order, keys, parsers, is_long), is_long)
    except (binascii.Error, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise refused_cursor(place, "cursor inválido") from error


def refused_cursor(place: Place, reason: str) -> ApiError:
    """Return INVALID_REQUEST for a cursor."""
    found = detail(place, Fault(DetailCode.INVALID, reason), path="cursor")
    return ApiError(INVALID_REQUEST, [found], reason=reason)


_OF_ANOTHER_LIST = (
    "o cursor é de outra tabela, de outra lista (ordem, filtros) ou de antes de uma mudança da tabela;"
    " comece de novo sem ele"
)


def _binding(definition: Definition, shape: PageShape) -> str:
    parts: list[object] = [definition.table_id, definition.version]
    parts += [(sort.name, sort.descending) for sort in shape.order.sorts]
    parts += [shape.condition, shape.grouping]
    digest = hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).digest()
    return base64.b64encode(digest).decode()[:_DIGEST_CHARACTERS]


def _checked_keys(
    order: Order, keys: Sequence[object], parsers: dict[ColumnType, Parser], is_long: bool
) -> tuple[str | None, ...]:
    if is_long:  # the id alone travels
        return (*(None for _ in order.sorts[:-1]), _checked_key(order.sorts[-1], keys[-1], parsers))
    pairs = zip(order.sorts, keys, strict=True)
    return tuple(_checked_key(sort, key, parsers) for sort, key in pairs)


def _checked_key(sort: SortKey, key: object, parsers: dict[ColumnType, Parser]) -> str | None:
    if sort.column is None:
        if not isinstance(key, str) or str(UUID(key)) != key:
            raise ValueError(key)
        return key
    if key is None:
        return None
    if sort.column.type is ColumnType.BOOLEAN:
        key = {"true": True, "false": False}.get(str(key))
    return parsers[sort.column.type](key)
