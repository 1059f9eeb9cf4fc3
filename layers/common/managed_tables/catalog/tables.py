"""Keep the tables' records: what PostgreSQL has applied of each, what is under way, and its reserved name."""

import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any, Literal, Self

from managed_tables import exact_json
from managed_tables.catalog import keys
from managed_tables.catalog.items import (
    MAX_ITEM_BYTES,
    ConditionFailed,
    Item,
    Items,
    Record,
    Write,
    delete,
    put,
    update,
)
from managed_tables.catalog.job_records import Intake, JobMode
from managed_tables.clock import timestamp
from managed_tables.documents.document import built
from managed_tables.errors import INVALID_SCHEMA, ApiError
from managed_tables.ids import NOBODY, new_record_id
from managed_tables.rules.rule import Rule
from managed_tables.schema import Column, Columns

TableStatus = Literal["active", "inactive"]
TableSource = Literal["manual", "upload"]
TableState = Literal["creating", "ready", "deleted"]
PendingKind = Literal["create", "upload", "update", "index", "delete"]
Key = tuple[str, ...]  # the columns whose values tell rows apart
Indexes = tuple[tuple[str, ...], ...]
Rules = tuple[Rule, ...]

MAX_RULES_BYTES = 48 * 1024  # of the rules once compressed: some thousand values of lists
# What columns may take of DynamoDB's 400 KB once compressed: the rest of the item is below 20 KB, with 2,200
# characters of title and description and 62 names of columns in the key and the indexes.
MAX_COLUMNS_BYTES = MAX_ITEM_BYTES - MAX_RULES_BYTES - 24 * 1024


@dataclass(frozen=True)
class Pending(Record):
    """An operation under way: what is needed to finish it or to undo it."""

    operation_id: str
    kind: PendingKind
    base_version: int  # that PostgreSQL had when it began; 0: the table was not there
    started_at: str
    new_name: str | None = None  # reserved for a rename
    job_id: str | None = None  # of the upload that is to make the table


@dataclass(frozen=True, kw_only=True)
class DefinitionRecord(Record):
    """What a table is, in DynamoDB as in PostgreSQL, its columns left out."""

    version: int
    display_name: str
    status: TableStatus
    title: str | None = None
    description: str | None = None
    key: Key | None = None
    indexes: Indexes = ()
    history: bool = True  # changes of rows are recorded
    rules: Rules = ()

    @classmethod
    def read(cls, item: Mapping[str, Any]) -> Self:
        """Return the definition that an item or a row holds, whose lists are tuples here."""
        key, indexes = item.get("key"), item.get("indexes", ())
        lists: dict[str, Any] = {
            "key": None if key is None else tuple(key),
            "indexes": tuple(map(tuple, indexes)),
            "rules": read_rules(item.get("rules")),
        }
        return super().read({**item, **lists})

    def definition(self) -> dict[str, Any]:
        """Return these fields alone."""
        return {one.name: getattr(self, one.name) for one in fields(DefinitionRecord)}


@dataclass(frozen=True, kw_only=True)
class Applied(DefinitionRecord):
    """What PostgreSQL has applied of a table; `deleted` also where it was never made and never will be."""

    columns: tuple[Column, ...]
    deleted: bool = False


@dataclass(frozen=True, kw_only=True)
class TableRecord(DefinitionRecord):
    """A table; one in state `creating` is nobody's to see yet."""

    company_id: str
    table_id: str
    packed_columns: bytes
    source: TableSource
    state: TableState
    pending: Pending | None = None
    created_by_user_id: str
    created_at: str
    updated_at: str

    @classmethod
    def read(cls, item: Mapping[str, Any]) -> Self:
        """Return the table of an item."""
        parts = {
            "company_id": keys.company_of(item),
            "packed_columns": item["columns"],
            "pending": Pending(**item["pending"]) if item.get("pending") else None,
        }
        return super().read({**item, **parts})

    def item(self) -> Item:
        """Return the table's item."""
        kind = keys.DELETED_TABLE if self.state == "deleted" else keys.TABLE
        attributes = self.attributes() | {"columns": self.packed_columns}
        del attributes["company_id"], attributes["packed_columns"]
        if self.rules:
            attributes["rules"] = pack_rules(self.rules)
        return {**keys.item_key(self.company_id, kind, self.table_id), **attributes}

    @property
    def columns(self) -> tuple[Column, ...]:
        """The table's columns, unpacked at each call."""
        return tuple(map(Column.model_validate, json.loads(zlib.decompress(self.packed_columns))))

    @property
    def applied(self) -> Applied:
        """The definition that the record holds, as PostgreSQL has it."""
        return Applied(columns=self.columns, **self.definition())


def new_table(
    company_id: str, user_id: str, display_name: str, columns: Columns, job_id: str | None = None
) -> TableRecord:
    """Return the record of a table that is about to be made, by a user or an upload's job, with a new id."""
    now = timestamp()
    return TableRecord(
        company_id=company_id,
        table_id=new_record_id(),
        display_name=display_name,
        packed_columns=pack_columns(columns),
        source="upload" if job_id else "manual",
        status="active",
        state="creating",
        version=0,
        pending=Pending(new_record_id(), "upload" if job_id else "create", 0, now, job_id=job_id),
        created_by_user_id=user_id,
        created_at=now,
        updated_at=now,
    )


def pack_columns(columns: Columns) -> bytes:
    """Return the columns as a record keeps them; raises INVALID_SCHEMA where an item could not hold them."""
    text = json.dumps([column.as_document() for column in columns], ensure_ascii=False)
    packed = zlib.compress(text.encode())
    if len(packed) > MAX_COLUMNS_BYTES:
        raise ApiError(INVALID_SCHEMA, reason="os nomes das colunas somam texto demais")
    return packed


def pack_rules(rules: Rules) -> bytes:
    """Return the rules as a record keeps them; raises INVALID_SCHEMA where they are too long."""
    packed = zlib.compress(write_rules(rules).encode())
    if len(packed) > MAX_RULES_BYTES:
        raise ApiError(INVALID_SCHEMA, reason="as regras somam texto demais")
    return packed


def write_rules(rules: Rules) -> str:
    """Return the rules as JSON, every digit of their numbers in it."""
    return exact_json.dumps([rule.as_document() for rule in rules]).decode()


def read_rules(stored: bytes | str | None) -> Rules:
    """Return the rules that a record of the catalog, or JSON, holds."""
    if not stored:
        return ()
    text = zlib.decompress(stored) if isinstance(stored, bytes) else stored.encode()
    return tuple(map(built(Rule).model_validate, exact_json.loads(text)))


def finished_table(table: TableRecord, applied: Applied) -> TableRecord:
    """Return the record of the applied definition; `updated_at` moves if it differs from this record."""
    packed = pack_columns(applied.columns)
    finished = replace(table, packed_columns=packed, state="ready", pending=None, **applied.definition())
    if replace(finished, state=table.state, version=table.version, pending=table.pending) == table:
        return finished
    return replace(finished, updated_at=timestamp())


class NameTaken(Exception):  # noqa: N818 - an outcome, not a fault
    """Another table that is not deleted holds or reserves the name."""


class TableChanged(Exception):  # noqa: N818 - an outcome, not a fault
    """The record has changed since it was read: another operation was first."""


@dataclass(frozen=True)
class Target:
    """A job's mode and, unless it makes a table, the table; `is_active`: whether the table takes rows."""

    mode: JobMode
    table_id: str | None = None
    is_active: bool = True


class Tables:
    """The tables' records in the catalog."""

    def __init__(self, items: Items) -> None:
        self._items = items

    def find(self, company_id: str, table_id: str, *, deleted: bool = False) -> TableRecord | None:
        """Return the record of a table, whatever its state, or of a deleted one."""
        kind = keys.DELETED_TABLE if deleted else keys.TABLE
        item = self._items.find(keys.item_key(company_id, kind, table_id))
        return None if item is None else TableRecord.read(item)

    def all(self, company_id: str, *, deleted: bool = False) -> Iterator[TableRecord]:
        """Yield the records of the company's tables, also `creating`, or of deleted ones, newest first."""
        prefix = f"{keys.DELETED_TABLE if deleted else keys.TABLE}#"
        items = self._items.query(keys.company_pk(company_id), prefix, newest_first=True)
        yield from map(TableRecord.read, items)

    def find_holder(self, company_id: str, display_name: str) -> TableRecord | None:
        """Return the table that holds or reserves the name."""
        item = self._items.find(keys.item_key(company_id, keys.NAME, display_name))
        return None if item is None else self.find(company_id, item["table_id"])

    def find_target(self, company_id: str, intake: Intake) -> Target:
        """Return where an inbox object's rows go now: into the table of that name, if made, or a new one."""
        table = self.find_holder(company_id, intake.table_name) if intake.table_name else None
        if table is None or table.state != "ready":
            return Target("create")
        return Target(intake.mode, table.table_id, table.status == "active")

    def restore(self, table: TableRecord, applied: Applied) -> TableRecord:
        """Make a deleted table's record that of a table again; raises NameTaken, or TableChanged if done."""
        restored = replace(finished_table(table, applied), updated_at=timestamp())
        deletion = delete(_key(table, keys.DELETED_TABLE), "attribute_exists(pk)")
        self._write_named(table, applied.display_name, deletion, put(restored.item()))
        return restored

    def begin(self, table: TableRecord) -> None:
        """Step 1: write a new record or what is pending, hold its name; raises NameTaken or TableChanged."""
        if table.state == "creating":
            self._write_named(table, table.display_name, put(table.item()))
            return
        before = _unchanged(replace(table, pending=None))
        begun = update(_key(table, keys.TABLE), {"pending": table.pending}, **before)
        self._write_named(table, table.pending.new_name if table.pending else None, begun)

    def abandon(self, table: TableRecord) -> None:
        """Mark the table's operation as abandoned, so that the next one to meet it ends it at once."""
        given_up = {"pending.started_at": "2000-01-01T00:00:00.000Z"}  # long ago
        with suppress(ConditionFailed):  # another has ended it
            self._items.write(update(_key(table, keys.TABLE), given_up, **_unchanged(table)))

    def finalise(self, table: TableRecord, applied: Applied) -> TableRecord | None:
        """Step 3: make the record what PostgreSQL has and let go of every name that the table has not.

        Returns the new record, None for a table that is gone. Raises TableChanged where another has
        finalised the operation already, which is as good.
        """
        names = {table.display_name, table.pending.new_name if table.pending else None}
        names -= {None} if applied.deleted else {None, applied.display_name}
        not_of_others = "attribute_not_exists(pk) OR table_id = :table_id"
        writes = [
            delete(_key(table, keys.NAME, name), not_of_others, table_id=table.table_id)
            for name in sorted(filter(None, names))
        ]
        finished: TableRecord | None = None
        if not applied.deleted:
            finished = finished_table(table, applied)
            writes.append(put(finished.item(), **_unchanged(table)))
        else:
            writes.append(delete(_key(table, keys.TABLE), **_unchanged(table)))
            if table.state == "ready":
                gone = replace(table, state="deleted", pending=None, updated_at=timestamp())
                writes.append(put(gone.item()))
        try:
            self._items.write(*writes)
        except ConditionFailed as error:
            raise TableChanged(table.table_id) from error
        return finished

    def finish(self, table: TableRecord, applied: Applied) -> TableRecord | None:
        """Do as `finalise` does; where another has done it, return the record as it is now."""
        try:
            return self.finalise(table, applied)
        except TableChanged:
            return self.find(table.company_id, table.table_id)

    def rebuild(self, company_id: str, table_id: str, applied: Applied) -> None:
        """Write the record of a table that only PostgreSQL knows, and take its name back for it.

        Who made it is not known there; when it was, its id says.
        """
        created_at = timestamp(datetime.fromtimestamp(int(table_id[:12], 16) / 1_000, UTC))
        made = new_table(company_id, NOBODY, applied.display_name, applied.columns)
        table = replace(
            made,
            table_id=table_id,
            state="ready",
            pending=None,
            created_at=created_at,
            updated_at=created_at,
            **applied.definition(),
        )
        self._items.write(
            put(table.item()),
            put(_named(table, table.display_name)),
            delete(_key(table, keys.DELETED_TABLE)),
        )

    def _write_named(self, table: TableRecord, name: str | None, *writes: Write) -> None:
        """Do the writes, and reserve the name if there is one; raises TableChanged or NameTaken."""
        named = [put(_named(table, name), "attribute_not_exists(pk)")] if name else []
        try:
            self._items.write(*writes, *named)
        except ConditionFailed as error:
            raise (TableChanged(table.table_id) if 0 in error.failed else NameTaken(name)) from error


def _key(table: TableRecord, kind: str, *ids: str) -> dict[str, str]:
    return keys.item_key(table.company_id, kind, *(ids or [table.table_id]))


def _named(table: TableRecord, name: str) -> Item:
    """Return the item by which the table holds the name."""
    return {**_key(table, keys.NAME, name), "table_id": table.table_id}


def _unchanged(table: TableRecord) -> dict[str, Any]:
    """Return the condition, and its values, that the operation is still under way, or that none is."""
    if table.pending is None:
        return {
            "condition": "attribute_not_exists(pending) AND version = :version",
            "version": table.version,
        }
    return {
        "condition": "pending.operation_id = :operation_id",
        "operation_id": table.pending.operation_id,
    }
