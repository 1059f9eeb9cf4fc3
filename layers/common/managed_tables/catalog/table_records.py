"""Define a table's record, the definition that PostgreSQL has applied, and the item that holds both."""

import json
import zlib
from dataclasses import dataclass, replace
from typing import Any, Literal

from managed_tables.catalog.items import MAX_ITEM_BYTES
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
        return Applied(
            self.version,
            self.display_name,
            self.status,
            self.columns,
            deleted=False,
            title=self.title,
            description=self.description,
            key=self.key,
            indexes=self.indexes,
            history=self.history,
        )


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
    finished = replace(
        table,
        display_name=applied.display_name,
        packed_columns=packed,
        status=applied.status,
        state="ready",
        version=applied.version,
        pending=None,
        title=applied.title,
        description=applied.description,
        key=applied.key,
        indexes=applied.indexes,
        history=applied.history,
    )
    if replace(finished, state=table.state, version=table.version, pending=table.pending) == table:
        return finished
    return replace(finished, updated_at=timestamp())


def write_table(table: TableRecord) -> dict[str, Any]:
    """Return the record's attributes, its keys left out."""
    item = {
        "table_id": table.table_id,
        "display_name": table.display_name,
        "columns": table.packed_columns,
        "source": table.source,
        "status": table.status,
        "state": table.state,
        "version": table.version,
        "created_by_user_id": table.created_by_user_id,
        "created_at": table.created_at,
        "updated_at": table.updated_at,
        **_write_optional(table),
    }
    if table.pending is not None:
        item["pending"] = write_pending(table.pending)
    return item


def _write_optional(table: TableRecord) -> dict[str, Any]:
    optional = {
        "title": table.title,
        "description": table.description,
        "key": None if table.key is None else list(table.key),
        "indexes": [list(index) for index in table.indexes] or None,
        "history": None if table.history else False,
    }
    return {name: value for name, value in optional.items() if value is not None}


def write_pending(pending: Pending) -> dict[str, Any]:
    """Return the attribute of an operation under way."""
    item = {
        "operation_id": pending.operation_id,
        "kind": pending.kind,
        "base_version": pending.base_version,
        "started_at": pending.started_at,
    }
    optional = {"new_name": pending.new_name, "job_id": pending.job_id}
    return item | {name: value for name, value in optional.items() if value is not None}


def read_table(company_id: str, item: dict[str, Any]) -> TableRecord:
    """Return the record of an item that `write_table` wrote."""
    pending = item.get("pending")
    return TableRecord(
        company_id=company_id,
        table_id=item["table_id"],
        display_name=item["display_name"],
        packed_columns=item["columns"],
        source=item["source"],
        status=item["status"],
        state=item["state"],
        version=item["version"],
        pending=None if pending is None else Pending(**pending),
        created_by_user_id=item["created_by_user_id"],
        created_at=item["created_at"],
        updated_at=item["updated_at"],
        title=item.get("title"),
        description=item.get("description"),
        key=tuple(item["key"]) if "key" in item else None,
        indexes=tuple(map(tuple, item.get("indexes", ()))),
        history=item.get("history", True),
    )
