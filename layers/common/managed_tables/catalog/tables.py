"""Owns the tables' records and the items that keep their names unique within a company."""

import json
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from managed_tables.catalog.items import (
    MAX_ITEM_BYTES,
    ConditionFailed,
    Items,
    Write,
    delete,
    put,
    update,
)
from managed_tables.catalog.keys import (
    DELETED_TABLE_PREFIX,
    TABLE_PREFIX,
    company_pk,
    deleted_table_key,
    name_key,
    table_key,
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


_LONG_AGO = "2000-01-01T00:00:00.000Z"  # as the beginning of an operation that was given up


class NameTaken(Exception):  # noqa: N818 - an outcome, not a fault
    """Another table that is not deleted holds or reserves the name."""


class TableChanged(Exception):  # noqa: N818 - an outcome, not a fault
    """The record is no longer what was read: another operation was there first."""


@dataclass(frozen=True)
class Pending:
    """An operation under way: what whoever meets it needs to finish it or to undo it.

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


class Tables:
    """The tables' records in the catalog."""

    def __init__(self, items: Items) -> None:
        self._items = items

    def find(self, company_id: str, table_id: str) -> TableRecord | None:
        """Return the record of a table that is not deleted, whatever its state."""
        item = self._items.find(table_key(company_id, table_id))
        return None if item is None else _read(company_id, item)

    def all(self, company_id: str) -> Iterator[TableRecord]:
        """Yield the records of the company's tables, newest first, those in state `creating` included."""
        for item in self._items.query(company_pk(company_id), TABLE_PREFIX, newest_first=True):
            yield _read(company_id, item)

    def find_holder(self, company_id: str, display_name: str) -> str | None:
        """Return the id of the table that holds or reserves the name."""
        item = self._items.find(name_key(company_id, display_name))
        return None if item is None else str(item["table_id"])

    def all_deleted(self, company_id: str) -> Iterator[TableRecord]:
        """Yield the records of the company's deleted tables, newest first."""
        for item in self._items.query(company_pk(company_id), DELETED_TABLE_PREFIX, newest_first=True):
            yield _read(company_id, item)

    def find_deleted(self, company_id: str, table_id: str) -> TableRecord | None:
        """Return the record of a deleted table."""
        item = self._items.find(deleted_table_key(company_id, table_id))
        return None if item is None else _read(company_id, item)

    def restore(self, table: TableRecord, applied: Applied) -> TableRecord:
        """Make a deleted table's record that of a table again; raises NameTaken, or TableChanged if done."""
        restored = replace(_with(table, applied), updated_at=timestamp())
        try:
            self._items.write(
                delete(deleted_table_key(table.company_id, table.table_id), "attribute_exists(pk)"),
                put({**table_key(table.company_id, table.table_id), **_write(restored)}),
                self._reservation(table, applied.display_name),
            )
        except ConditionFailed as error:
            if 0 in error.failed:
                raise TableChanged(table.table_id) from error
            raise NameTaken(applied.display_name) from error
        return restored

    def reserve(self, table: TableRecord) -> None:
        """Step 1 of a creation: the record with its `pending`, and its name; raises NameTaken."""
        try:
            self._items.write(
                self._reservation(table, table.display_name),
                put({**table_key(table.company_id, table.table_id), **_write(table)}),
            )
        except ConditionFailed as error:
            raise NameTaken(table.display_name) from error

    def begin(self, table: TableRecord) -> None:
        """Step 1 of a change: write its `pending`, reserve its new name; raises NameTaken or TableChanged."""
        if table.pending is None:
            raise ValueError(f"nothing is pending on table {table.table_id}")
        writes = [
            update(
                table_key(table.company_id, table.table_id),
                {"pending": _write_pending(table.pending)},
                condition="attribute_exists(pk) AND attribute_not_exists(pending) AND version = :version",
                version=table.version,
            )
        ]
        if table.pending.new_name is not None:
            writes.append(self._reservation(table, table.pending.new_name))
        try:
            self._items.write(*writes)
        except ConditionFailed as error:
            if 0 in error.failed:
                raise TableChanged(table.table_id) from error
            raise NameTaken(table.pending.new_name) from error

    def abandon(self, table: TableRecord) -> None:
        """Let whoever meets the table's operation end it at once: nobody is at work on it any more."""
        if table.pending is None:
            raise ValueError(f"nothing is pending on table {table.table_id}")
        given_up = replace(table.pending, started_at=_LONG_AGO)
        with suppress(ConditionFailed):  # another has ended it
            self._items.write(
                update(
                    table_key(table.company_id, table.table_id),
                    {"pending": _write_pending(given_up)},
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
        releases = [self._release(table, name) for name in sorted(name for name in names if name)]
        finished = None if applied.deleted else _with(table, applied)
        try:
            self._items.write(*self._replacement(table, finished), *releases)
        except ConditionFailed as error:
            raise TableChanged(table.table_id) from error
        return finished

    def rebuild(self, company_id: str, table_id: str, applied: Applied) -> TableRecord:
        """Write the record of a table that only PostgreSQL knows, and take its name back for it.

        Who made it is not known there; when it was, its id says.
        """
        created_ms = int(table_id[:12], 16)
        created_at = timestamp(datetime.fromtimestamp(created_ms / 1_000, UTC))
        table = _with(
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
            put({**table_key(company_id, table_id), **_write(table)}),
            put({**name_key(company_id, table.display_name), "table_id": table_id}),
            delete(deleted_table_key(company_id, table_id)),
        )
        return table

    def _replacement(self, table: TableRecord, finished: TableRecord | None) -> list[Write]:
        key = table_key(table.company_id, table.table_id)
        values: dict[str, object]
        if table.pending is None:
            # PostgreSQL was found ahead of a record without an operation under way.
            guard, values = "attribute_not_exists(pending) AND version = :version", {"version": table.version}
        else:
            guard = "pending.operation_id = :operation_id"
            values = {"operation_id": table.pending.operation_id}
        if finished is not None:
            return [put({**key, **_write(finished)}, guard, **values)]
        removal = [delete(key, guard, **values)]
        if table.state == "ready":
            gone = {**_write(table), "state": "deleted", "updated_at": timestamp()}
            gone.pop("pending", None)
            removal.append(put({**deleted_table_key(table.company_id, table.table_id), **gone}))
        return removal

    def _reservation(self, table: TableRecord, name: str) -> Write:
        item = {**name_key(table.company_id, name), "table_id": table.table_id}
        return put(item, "attribute_not_exists(pk)")

    def _release(self, table: TableRecord, name: str) -> Write:
        condition = "attribute_not_exists(pk) OR table_id = :table_id"
        return delete(name_key(table.company_id, name), condition, table_id=table.table_id)


def _with(table: TableRecord, applied: Applied) -> TableRecord:
    """Return the record of what is applied, `updated_at` moved where it differs from what was there."""
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
    )
    if replace(finished, state=table.state, version=table.version, pending=table.pending) == table:
        return finished
    return replace(finished, updated_at=timestamp())


def _write(table: TableRecord) -> dict[str, Any]:
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
        item["pending"] = _write_pending(table.pending)
    return item


def _write_optional(table: TableRecord) -> dict[str, Any]:
    optional = {
        "title": table.title,
        "description": table.description,
        "key": None if table.key is None else list(table.key),
        "indexes": [list(index) for index in table.indexes] or None,
    }
    return {name: value for name, value in optional.items() if value is not None}


def _write_pending(pending: Pending) -> dict[str, Any]:
    item = {
        "operation_id": pending.operation_id,
        "kind": pending.kind,
        "base_version": pending.base_version,
        "started_at": pending.started_at,
    }
    optional = {"new_name": pending.new_name, "job_id": pending.job_id}
    return item | {name: value for name, value in optional.items() if value is not None}


def _read(company_id: str, item: dict[str, Any]) -> TableRecord:
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
    )
