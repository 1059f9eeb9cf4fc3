"""List rows and groups of rows: the request, the page that answers it, and the cursor of the next one.

A cursor says where a page ended, as opaque text bound to table, version and list. It is not signed: whatever
it holds is judged like any value of a request, and reads only the caller's table.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from managed_tables.conditions.composition import condition_parameters, read_search
from managed_tables.conditions.tree import all_of, read_filters, read_where, without_values
from managed_tables.details import Fault, Place, detail
from managed_tables.errors import INVALID_REQUEST, ApiError
from managed_tables.identifiers import ID_COLUMN
from managed_tables.schema import Column, is_storable
from managed_tables_api.http.answers import response_too_large
from managed_tables_api.http.requests import offset_of, refusal
from managed_tables_api.rows import pages
from managed_tables_api.rows.row_models import QueryBody
from managed_tables_api.rows.running import Definition, Table
from managed_tables_api.rows.single_rows import RowQuery, read_shown
from managed_tables_api.rows.statements import Shown, compose_reading

_DIGEST_CHARACTERS = 22  # 132 bits of base64: no two lists meet


Keys = Sequence[str | None]  # of a row, in the list's order


def write_cursor(definition: Definition, shape: pages.PageShape, keys: Keys) -> str:
    """Return the cursor after a row of these keys; for too long ones its id alone, to look them up by."""
    is_long = shape.grouping is None and any(len(key or "") > pages.MAX_CURSOR_CHARACTERS for key in keys)
    kept = [*(None for _ in keys[:-1]), keys[-1]] if is_long else list(keys)
    text = json.dumps([_binding(definition, shape), kept, is_long], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(table: Table, shape: pages.PageShape, text: str, place: Place) -> Keys:
    """Return the keys that `write_cursor` wrote for this table, version and list; raises INVALID_REQUEST.

    `place` is where in the request the cursor is. Keys that were too long to travel are those of the row now.
    """
    try:
        padded = text + "=" * (-len(text) % 4)
        binding, keys, is_long = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if binding != _binding(table.definition, shape):
            raise refused_cursor(place, _OF_ANOTHER_LIST)
        if not isinstance(keys, list) or not isinstance(is_long, bool):
            raise ValueError(keys)
        if is_long and shape.grouping is not None:  # a group has no row to look its keys up by
            raise ValueError(keys)
        if not all(_is_key(sort, key) for sort, key in zip(shape.order, keys, strict=True)):
            raise ValueError(keys)
    except (binascii.Error, ValueError, TypeError, RecursionError) as error:
        raise refused_cursor(place, "cursor inválido") from error
    if not is_long:
        return keys
    statement = compose_reading(
        "SELECT json_build_array({keys})::text FROM {table} AS {t} WHERE {t}.id = %(id)s::uuid",
        table.definition,
        keys=[sort.text for sort in shape.order],
    )
    (_, now), *_ = table.read(statement, {"id": keys[-1]})
    if now is None:
        raise refused_cursor(place, "a linha do cursor não existe mais; comece de novo sem ele")
    present: Keys = json.loads(now)
    return present


def refused_cursor(place: Place, reason: str) -> ApiError:
    """Return INVALID_REQUEST for a cursor."""
    fault = detail(place, Fault("INVALID", reason), path="cursor")
    return ApiError(INVALID_REQUEST, [fault], reason=reason)


_OF_ANOTHER_LIST = (
    "o cursor é de outra tabela, de outra lista (ordem, filtros) ou de antes de uma mudança da tabela;"
    " comece de novo sem ele"
)


def _binding(definition: Definition, shape: pages.PageShape) -> str:
    parts: list[object] = [definition.table_id, definition.version]
    parts += [(sort.name, sort.descending) for sort in shape.order]
    parts += [shape.condition, shape.grouping]
    digest = hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).digest()
    return base64.b64encode(digest).decode()[:_DIGEST_CHARACTERS]


def _is_key(sort: pages.SortKey, key: object) -> bool:
    """Return whether this may be a parameter; PostgreSQL refuses a text that is no value of its column."""
    return sort.column is not None if key is None else isinstance(key, str) and is_storable(key)


_ESTIMATE_TIMES = 3  # of the limit: how far a page may be weighed too heavy before it is made


@dataclass(frozen=True)
class ListRequest:
    """The request of a list, and how rows are answered; one of a query string has `filters`, if only none."""

    asked: QueryBody
    query: RowQuery
    filters: Sequence[tuple[str, str]] | None = None

    @property
    def place(self) -> Place:
        """Where in the request columns and conditions are."""
        return "body" if self.filters is None else "query"

    def order(self, names: Mapping[str, Column | None], ties: Sequence[Column | None]) -> pages.Order:
        """Return the order that is asked for, by columns of these names; raises INVALID_REQUEST."""
        path = "sort" if self.filters is None else "sort_by"
        return pages.read_order(self.asked.sort or (), names, ties, self.place, path)


def list_page(table: Table, request: ListRequest) -> bytes:
    """Return a page of rows or of groups as JSON text; times are shown in the deployment's zone."""
    definition, limit_bytes = table.definition, table.settings.response_max_bytes
    asked = request.asked
    shape = _read_shape(table, request)
    parameters: dict[str, str | None] = {
        **condition_parameters(shape.condition),
        "limit": str(asked.per_page + 1),  # one more shows whether there is a next page
        "max_bytes": str(_ESTIMATE_TIMES * limit_bytes),
    }
    if asked.cursor is None:
        parameters["offset"] = offset_of(asked.page, asked.per_page)
    else:
        keys = read_cursor(table, shape, asked.cursor, request.place)
        shape = replace(shape, after=tuple(key is None for key in keys))
        parameters |= {f"k{place}": key for place, key in enumerate(keys) if key is not None}
    kept_shape = replace(shape, condition=without_values(shape.condition))
    page = table.read(pages.page_statement(definition, kept_shape), parameters)
    kept = [row for row in page[: asked.per_page] if row[1] is not None]
    rows = [row[2] for row in kept]
    if None in rows:  # they were too large to be made
        raise response_too_large(limit_bytes)
    table.require_sendable(rows)
    next_cursor = None
    if len(page) > asked.per_page:
        next_cursor = write_cursor(definition, shape, json.loads(kept[-1][1]))
    total, cursor = json.dumps(page[0][0] if shape.counted else None), json.dumps(next_cursor)
    records = f'"quantity":{len(rows)},"records":[{",".join(rows)}]'
    return f'{{"total":{total},{records},"next_cursor":{cursor}}}'.encode()


def _read_shape(table: Table, request: ListRequest) -> pages.PageShape:
    """Return the shape of the page that a request asks for; raises INVALID_REQUEST with details."""
    definition, parsers, asked, place = table.definition, table.parsers, request.asked, request.place
    names = definition.by_name
    if asked.cursor is not None and "page" in asked.model_fields_set:
        raise ApiError(INVALID_REQUEST, reason="use page ou cursor, não os dois")
    parts = [read_search(asked.q, names.values(), table.settings.default_timezone)]
    if asked.where is not None:
        parts.insert(0, read_where(asked.where, names, parsers, table.marks))
    if request.filters:
        parts.insert(0, read_filters(request.filters, names, parsers, table.marks))
    condition = all_of(parts)
    if asked.group_by is None and asked.aggregates is None:
        order = request.order({**names, ID_COLUMN: None}, (None,))
        shown = read_shown(definition, request.query, place, asked.fields)
        return pages.PageShape(shown, order, condition, asked.count)
    if asked.fields is not None:
        fault = Fault("NOT_ALLOWED", "com group_by ou aggregates os campos são os dos grupos")
        raise refusal("fields", fault, place)
    grouping = pages.read_grouping(asked.group_by or (), asked.aggregates or (), names)
    outputs = {column.name: column for column in grouping.output_columns}
    order = request.order(outputs, grouping.columns)
    shown = Shown(grouping.output_columns, request.query.numbers, has_id=False)
    return pages.PageShape(shown, order, condition, asked.count, grouping=grouping)
