"""Keep the tables' records, and the items that make their names unique within a company."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime

from managed_tables.catalog import keys
from managed_tables.catalog.items import (
    ConditionFailed,
    Items,
    Write,
    delete,
    put,
    update,
)
from managed_tables.catalog.table_records import (
    Applied,
    TableRecord,
    finished_table,
    pack_columns,
    read_table,
    write_pending,
    write_table,
)
from managed_tables.clock import timestamp
from managed_tables.ids import NOBODY

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

    def all(self, company_id: str) -> Iterator[TableRecord]:
        """Yield the records of the company's tables, newest first, those in state `creating` included."""
        for item in self._items.query(keys.company_pk(company_id), keys.TABLE_PREFIX, newest_first=True):
            yield read_table(company_id, item)

    def find_holder(self, company_id: str, display_name: str) -> TableRecord | None:
        """Return the table that holds or reserves the name."""
        item = self._items.find(keys.name_key(company_id, display_name))
        return None if item is None else self.find(company_id, item["table_id"])

    def all_deleted(self, company_id: str) -> Iterator[TableRecord]:
        """Yield the records of the company's deleted tables, newest first."""
        for item in self._items.query(
            keys.company_pk(company_id), keys.DELETED_TABLE_PREFIX, newest_first=True
        ):
            yield read_table(company_id, item)

    def find_deleted(self, company_id: str, table_id: str) -> TableRecord | None:
        """Return the record of a deleted table."""
        item = self._items.find(keys.deleted_table_key(company_id, table_id))
        return None if item is None else read_table(company_id, item)

    def restore(self, table: TableRecord, applied: Applied) -> TableRecord:
        """Make a deleted table's record that of a table again; raises NameTaken, or TableChanged if done."""
        restored = replace(finished_table(table, applied), updated_at=timestamp())
        try:
            self._items.write(
                delete(keys.deleted_table_key(table.company_id, table.table_id), "attribute_exists(pk)"),
                put({**keys.table_key(table.company_id, table.table_id), **write_table(restored)}),
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
                put({**keys.table_key(table.company_id, table.table_id), **write_table(table)}),
            )
        except ConditionFailed as error:
            raise NameTaken(table.display_name) from error

    def begin(self, table: TableRecord) -> None:
        """Step 1 of a change: write its `pending`, reserve its new name; raises NameTaken or TableChanged."""
        if table.pending is None:
            raise ValueError(f"nothing is pending on table {table.table_id}")
        writes = [
            update(
                keys.table_key(table.company_id, table.table_id),
                {"pending": write_pending(table.pending)},
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
        releases = [self._release(table, name) for name in sorted(name for name in names if name)]
        finished = None if applied.deleted else finished_table(table, applied)
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
            put({**keys.table_key(company_id, table_id), **write_table(table)}),
            put({**keys.name_key(company_id, table.display_name), "table_id": table_id}),
            delete(keys.deleted_table_key(company_id, table_id)),
        )
        return table

    def _replacement(self, table: TableRecord, finished: TableRecord | None) -> list[Write]:
        key = keys.table_key(table.company_id, table.table_id)
        values: dict[str, object]
        if table.pending is None:
            # PostgreSQL was found ahead of a record without an operation under way.
            guard, values = "attribute_not_exists(pending) AND version = :version", {"version": table.version}
        else:
            guard = "pending.operation_id = :operation_id"
            values = {"operation_id": table.pending.operation_id}
        if finished is not None:
            return [put({**key, **write_table(finished)}, guard, **values)]
        removal = [delete(key, guard, **values)]
        if table.state == "ready":
            gone = {**write_table(table), "state": "deleted", "updated_at": timestamp()}
            gone.pop("pending", None)
            removal.append(put({**keys.deleted_table_key(table.company_id, table.table_id), **gone}))
        return removal

    def _reservation(self, table: TableRecord, name: str) -> Write:
        item = {**keys.name_key(table.company_id, name), "table_id": table.table_id}
        return put(item, "attribute_not_exists(pk)")

    def _release(self, table: TableRecord, name: str) -> Write:
        condition = "attribute_not_exists(pk) OR table_id = :table_id"
        return delete(keys.name_key(table.company_id, name), condition, table_id=table.table_id)
