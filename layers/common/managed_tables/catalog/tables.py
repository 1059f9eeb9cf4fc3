"""Keep the tables' records: what PostgreSQL has applied of each, what is under way, and its reserved name."""

import json
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from managed_tables.catalog import keys
from managed_tables.catalog.items import (
    MAX_ITEM_BYTES,
    ConditionFailed,
    Item,
    Items,
    Write,
    delete,
    put,
    update,
)
from managed_tables.clock import timestamp
from managed_tables.errors import INVALID_SCHEMA, ApiError
from managed_tables.ids import NOBODY
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


_LONG_AGO = "2000-01-01T00:00:00.000Z"  # as the beginning of an operation that was given up


class NameTaken(Exception):  # noqa: N818 - an outcome, not a fault
    """Another table that is not deleted holds or reserves the name."""


class TableChanged(Exception):  # noqa: N818 - an outcome, not a fault
    """The record has changed since it was read: another operation was first."""


class Tables:
    """The tables' records in the catalog."""

    def __init__(self, items: Items) -> None:
        self._items = items

    def find(self, company_id: str, table_id: str) -> TableRecord | None:
        """Return the record of a table that is not deleted, whatever its state."""
        item = self._items.find(keys.table_key(company_id, table_id))
        return None if item is None else read_table(company_id, item)

    def all(self, company_id: str, *, deleted: bool = False) -> Iterator[TableRecord]:
        """Yield the records of the company's tables, or of its deleted ones, newest first.

        Those in state `creating` are included.
        """
        prefix = keys.DELETED_TABLE_PREFIX if deleted else keys.TABLE_PREFIX
        for item in self._items.query(keys.company_pk(company_id), prefix, newest_first=True):
            yield read_table(company_id, item)

    def find_holder(self, company_id: str, display_name: str) -> TableRecord | None:
        """Return the table that holds or reserves the name."""
        item = self._items.find(keys.name_key(company_id, display_name))
        return None if item is None else self.find(company_id, item["table_id"])

    def find_deleted(self, company_id: str, table_id: str) -> TableRecord | None:
        """Return the record of a deleted table."""
        item = self._items.find(keys.deleted_table_key(company_id, table_id))
        return None if item is None else read_table(company_id, item)

    def restore(self, table: TableRecord, applied: Applied) -> TableRecord:
        """Make a deleted table's record that of a table again; raises NameTaken, or TableChanged if done."""
        restored = replace(finished_table(table, applied), updated_at=timestamp())
        deletion = delete(keys.deleted_table_key(table.company_id, table.table_id), "attribute_exists(pk)")
        self._write_named(table, applied.display_name, deletion, _put_table(restored))
        return restored

    def reserve(self, table: TableRecord) -> None:
        """Step 1 of a creation: the record with its `pending`, and its name; raises NameTaken."""
        self._write_named(table, table.display_name, _put_table(table))

    def begin(self, table: TableRecord) -> None:
        """Step 1 of a change: write its `pending`, reserve its new name; raises NameTaken or TableChanged."""
        if table.pending is None:
            raise ValueError(f"nothing is pending on table {table.table_id}")
        begun = update(
            keys.table_key(table.company_id, table.table_id),
            {"pending": write_pending(table.pending)},
            condition="attribute_exists(pk) AND attribute_not_exists(pending) AND version = :version",
            version=table.version,
        )
        self._write_named(table, table.pending.new_name, begun)

    def abandon(self, table: TableRecord) -> None:
        """Mark the table's operation as abandoned, so that the next one to meet it ends it at once."""
        if table.pending is None:
            raise ValueError(f"nothing is pending on table {table.table_id}")
        given_up = replace(table.pending, started_at=_LONG_AGO)
        with suppress(ConditionFailed):  # another has ended it
            self._items.write(
                update(
                    keys.table_key(table.company_id, table.table_id),
                    {"pending": write_pending(given_up)},
                    condition="pending.operation_id = :operation_id",
                    operation_id=table.pending.operation_id,
                )
            )

    def finalise(self, table: TableRecord, applied: Applied) -> TableRecord | None:
        """Step 3: make the record what PostgreSQL has and let go of every name that the table has not.

        Returns the new record, None for a table that is gone. Raises TableChanged where another has
        finalised the operation already, which is as good.
        """
        names = {table.display_name, table.pending.new_name if table.pending else None}
        names -= {None} if applied.deleted else {None, applied.display_name}
        not_of_others = "attribute_not_exists(pk) OR table_id = :table_id"
        releases = [
            delete(keys.name_key(table.company_id, name), not_of_others, table_id=table.table_id)
            for name in sorted(name for name in names if name)
        ]
        finished = None if applied.deleted else finished_table(table, applied)
        try:
            self._items.write(*_replacement(table, finished), *releases)
        except ConditionFailed as error:
            raise TableChanged(table.table_id) from error
        return finished

    def finish(self, table: TableRecord, applied: Applied) -> TableRecord | None:
        """Do as `finalise` does; where another has done it, return the record as it is now."""
        try:
            return self.finalise(table, applied)
        except TableChanged:
            return self.find(table.company_id, table.table_id)

    def rebuild(self, company_id: str, table_id: str, applied: Applied) -> TableRecord:
        """Write the record of a table that only PostgreSQL knows, and take its name back for it.

        Who made it is not known there; when it was, its id says.
        """
        created_ms = int(table_id[:12], 16)
        created_at = timestamp(datetime.fromtimestamp(created_ms / 1_000, UTC))
        table = finished_table(
            TableRecord(
                company_id=company_id,
                table_id=table_id,
                display_name=applied.display_name,
                packed_columns=pack_columns(applied.columns),
                source="manual",
                status=applied.status,
                state="ready",
                version=applied.version,
                pending=None,
                created_by_user_id=NOBODY,
                created_at=created_at,
                updated_at=created_at,
            ),
            applied,
        )
        self._items.write(
            _put_table(table),
            put({**keys.name_key(company_id, table.display_name), "table_id": table_id}),
            delete(keys.deleted_table_key(company_id, table_id)),
        )
        return table

    def _write_named(self, table: TableRecord, name: str | None, *writes: Write) -> None:
        """Do the writes, and reserve the name if there is one; raises TableChanged or NameTaken."""
        named = [{**keys.name_key(table.company_id, name), "table_id": table.table_id}] if name else []
        try:
            self._items.write(*writes, *(put(item, "attribute_not_exists(pk)") for item in named))
        except ConditionFailed as error:
            raise (TableChanged(table.table_id) if 0 in error.failed else NameTaken(name)) from error


def _put_table(table: TableRecord, condition: str = "", **values: object) -> Write:
    key = keys.table_key(table.company_id, table.table_id)
    return put({**key, **write_table(table)}, condition, **values)


def _replacement(table: TableRecord, finished: TableRecord | None) -> list[Write]:
    key = keys.table_key(table.company_id, table.table_id)
    values: dict[str, object]
    if table.pending is None:
        # PostgreSQL was found ahead of a record without an operation under way.
        guard, values = "attribute_not_exists(pending) AND version = :version", {"version": table.version}
    else:
        guard = "pending.operation_id = :operation_id"
        values = {"operation_id": table.pending.operation_id}
    if finished is not None:
        return [_put_table(finished, guard, **values)]
    removal = [delete(key, guard, **values)]
    if table.state == "ready":
        gone = {**write_table(table), "state": "deleted", "updated_at": timestamp()}
        gone.pop("pending", None)
        removal.append(put({**keys.deleted_table_key(table.company_id, table.table_id), **gone}))
    return removal
