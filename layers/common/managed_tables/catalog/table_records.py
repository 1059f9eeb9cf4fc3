"""Define a table's record, the definition that PostgreSQL has applied, and the item that holds both."""

import json
import zlib
from dataclasses import dataclass, replace
from typing import Literal

from managed_tables.catalog.items import MAX_ITEM_BYTES, Item
from managed_tables.clock import timestamp
from managed_tables.errors import INVALID_SCHEMA, ApiError
from managed_tables.schema import Column, Columns

TableStatus = Literal["active", "inactive"]
TableSource = Literal["manual", "upload"]
TableState = Literal["creating", "ready"]
PendingKind = Literal["create", "upload", "update", "index", "delete"]
Key = tuple[str, ...]  # the columns whose values tell rows apart
Indexes = tuple[tuple[str, ...], ...]

# What a definition may take of DynamoDB's 400 KB once compressed: the rest of the item is below 20 KB, with
# 2,200 characters of title and description and 62 names of columns in the key and the indexes.
MAX_COLUMNS_BYTES = MAX_ITEM_BYTES - 24 * 1024

# What a record and the applied definition have in common, the columns left out.
_DEFINED = ("version", "display_name", "status", "title", "description", "key", "indexes", "history")


@dataclass(frozen=True)
class Pending:
    """An operation under way: what is needed to finish it or to undo it.

    `base_version` is the version that PostgreSQL had when it began (0: the table was not there);
    `new_name` is reserved for a rename; `job_id` is the upload that is to make the table.
    """

    operation_id: str
    kind: PendingKind
    base_version: int
    started_at: str
    new_name: str | None = None
    job_id: str | None = None


@dataclass(frozen=True)
class Applied:
    """What PostgreSQL has applied of a table; `deleted` also where it was never made and never will be."""

    version: int
    display_name: str
    status: TableStatus
    columns: tuple[Column, ...]
    deleted: bool
    title: str | None = None
    description: str | None = None
    key: Key | None = None
    indexes: Indexes = ()
    history: bool = True  # changes of rows are recorded


@dataclass(frozen=True)
class TableRecord:
    """A table that is not deleted; one in state `creating` is nobody's to see yet."""

    company_id: str
    table_id: str
    display_name: str
    packed_columns: bytes
    source: TableSource
    status: TableStatus
    state: TableState
    version: int
    pending: Pending | None
    created_by_user_id: str
    created_at: str
    updated_at: str
    title: str | None = None
    description: str | None = None
    key: Key | None = None
    indexes: Indexes = ()
    history: bool = True

    @property
    def columns(self) -> tuple[Column, ...]:
        """The table's columns, unpacked at each call."""
        return unpack_columns(self.packed_columns)

    @property
    def applied(self) -> Applied:
        """The definition that the record holds, as PostgreSQL has it."""
        same = {name: getattr(self, name) for name in _DEFINED}
        return Applied(columns=self.columns, deleted=False, **same)


def pack_columns(columns: Columns) -> bytes:
    """Return the columns as a record keeps them; raises INVALID_SCHEMA where an item could not hold them."""
    text = json.dumps([column.as_document() for column in columns], ensure_ascii=False)
    packed = zlib.compress(text.encode())
    if len(packed) > MAX_COLUMNS_BYTES:
        raise ApiError(INVALID_SCHEMA, reason="os nomes das colunas somam texto demais")
    return packed


def unpack_columns(packed: bytes) -> tuple[Column, ...]:
    """Return the columns that `pack_columns` packed."""
    return tuple(Column.model_validate(column) for column in json.loads(zlib.decompress(packed)))


def finished_table(table: TableRecord, applied: Applied) -> TableRecord:
    """Return the record of the applied definition; `updated_at` moves if it differs from this record."""
    packed = pack_columns(applied.columns)
    same = {name: getattr(applied, name) for name in _DEFINED}
    finished = replace(table, packed_columns=packed, state="ready", pending=None, **same)
    if replace(finished, state=table.state, version=table.version, pending=table.pending) == table:
        return finished
    return replace(finished, updated_at=timestamp())


def write_table(table: TableRecord) -> Item:
    """Return the record's attributes, its keys left out."""
    item = {
        **vars(table),
        "columns": table.packed_columns,
        "pending": table.pending and write_pending(table.pending),
        "indexes": table.indexes or None,
        "history": None if table.history else False,
    }
    left_out = ("company_id", "packed_columns")
    return {name: value for name, value in item.items() if value is not None and name not in left_out}


def write_pending(pending: Pending) -> Item:
    """Return the attribute of an operation under way."""
    return {name: value for name, value in vars(pending).items() if value is not None}


def read_table(company_id: str, item: Item) -> TableRecord:
    """Return the record of an item that `write_table` wrote."""
    known = {name: item[name] for name in TableRecord.__dataclass_fields__ if name in item}
    known["pending"] = Pending(**item["pending"]) if item.get("pending") else None
    known["key"] = tuple(item["key"]) if "key" in item else None
    known["indexes"] = tuple(map(tuple, item.get("indexes", ())))
    return TableRecord(**{**known, "company_id": company_id, "packed_columns": item["columns"]})
