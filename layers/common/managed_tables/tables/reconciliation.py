"""Resolve operations that did not end: whoever meets one, to read a table too, finishes it or undoes it.

It is safe at any moment, since the version in PostgreSQL is the fence: an operation inside its transaction is
waited for, a committed one is finished, and a later one finds itself shut out and starts again. The ages
below are politeness, not correctness.

The making of an upload's table is such an operation, of several steps:

1. the confirmation calls `reserve`: the name is taken, nobody sees the table yet;
2. insert calls `create_table_to_fill` (module `physical`) first in its loading transaction;
3. after the commit, and again whenever insert is repeated, it calls `end_reservation`, which shows the table;
4. when nothing is inserted (values do not convert, the job fails) the same call frees the name.
"""

import random
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.items import Items
from managed_tables.catalog.keys import job_key
from managed_tables.catalog.tables import NameTaken, Pending, PendingKind, TableRecord, Tables, new_table
from managed_tables.clock import parse_timestamp
from managed_tables.databases.applied import count_rows, fence
from managed_tables.databases.connecting import PgConnection
from managed_tables.errors import DUPLICATE_NAME, TABLE_BUSY, TABLE_NOT_FOUND, ApiError
from managed_tables.ids import is_record_id
from managed_tables.schema import Columns
from managed_tables.tables.definitions import check_columns, check_table_name
from managed_tables.tables.physical import drop_leftovers

OpenCompany = Callable[[ConnectionRecord], AbstractContextManager[PgConnection]]

STALE_AFTER_SECONDS: dict[PendingKind, float] = {
    **dict.fromkeys(("create", "update", "delete"), 3.0),  # some 30 ms from the first step to the transaction
    "index": 40.0,  # longer than the request that builds an index may take
    "upload": 30.0,  # a confirmation reserves before it moves the job to `inserting`
}
REUSED_WITHIN_SECONDS = STALE_AFTER_SECONDS["upload"] / 2
AT_ONCE_MS = 20  # for a lock that is free: a busy server takes a moment to give it
LEFTOVER_LOCK_TIMEOUT_MS = 2_000  # readers and writers of the table queue behind who waits for it
READER_LOCK_TIMEOUT_MS = 50
WAIT_SECONDS = 18.0  # with connecting, below the 29 s after which the gateway hangs up
PAUSE_SECONDS = 0.01
PAUSE_MAX_SECONDS = 0.5


class Waiting:
    """Pauses of growing length for one request; raises TABLE_BUSY when its time is over."""

    def __init__(self, seconds: float = WAIT_SECONDS) -> None:
        self._deadline = time.monotonic() + seconds
        self._pause_seconds = PAUSE_SECONDS

    def pause(self) -> None:
        """Sleep a little, with jitter."""
        if time.monotonic() + self._pause_seconds > self._deadline:
            raise ApiError(TABLE_BUSY)
        time.sleep(self._pause_seconds * random.uniform(0.5, 1))  # noqa: S311 (jitter)
        self._pause_seconds = min(self._pause_seconds * 1.5, PAUSE_MAX_SECONDS)


@dataclass(frozen=True)
class Reconciliation:
    """Waits for operations under way, and ends those that nobody else will."""

    items: Items
    tables: Tables
    open_company: OpenCompany

    def await_end(self, company: ConnectionRecord, table_id: str, waiting: Waiting) -> TableRecord:
        """Return the table's record once no operation is under way; raises TABLE_NOT_FOUND."""
        while True:
            table = self.tables.find(company.company_id, table_id) if is_record_id(table_id) else None
            if table is None or table.state == "creating":
                raise ApiError(TABLE_NOT_FOUND)
            if table.pending is None:
                return table
            if not self.end_stale(company, table):
                waiting.pause()

    def await_name(
        self, company: ConnectionRecord, display_name: str, holder: TableRecord | None, waiting: Waiting
    ) -> None:
        """Return when a taken name may have become free; raises DUPLICATE_NAME where it is taken for good.

        A name that an upload reserves is taken; that of an operation of a moment is waited for.
        """
        if holder is None or self.end_stale(company, holder):
            return
        if holder.pending is None or holder.pending.kind == "upload":
            raise ApiError(DUPLICATE_NAME, name=display_name)
        waiting.pause()

    def reserve(
        self, company: ConnectionRecord, job_id: str, user_id: str, display_name: str, columns: Columns
    ) -> TableRecord:
        """Take the name for the job's table; raises INVALID_SCHEMA or DUPLICATE_NAME.

        The reservation lasts while the job's status is `inserting`, and for 30 s before that. The same
        job and name again give the reservation that there is (its columns are what they were: those of
        the table are given to `create_table_to_fill`), unless it may end before that status protects it.
        """
        check_table_name(display_name)
        check_columns(columns)
        waiting = Waiting()
        while True:
            table = new_table(company.company_id, user_id, display_name, columns, job_id)
            with suppress(NameTaken):
                self.tables.begin(table)
                return table
            holder = self.tables.find_holder(company.company_id, display_name)
            pending = holder.pending if holder else None
            if holder is None or pending is None or pending.job_id != job_id:
                self.await_name(company, display_name, holder, waiting)
            elif self._lasts(company, holder.table_id, pending, REUSED_WITHIN_SECONDS):
                return holder
            else:
                self.end(company, holder)

    def end_reservation(self, company: ConnectionRecord, table_id: str) -> TableRecord | None:
        """Show the table if its loading transaction has committed, else give it up and free its name.

        Returns the table that is shown; repeatable. A loading transaction that still runs is waited for
        (TABLE_BUSY after the lock timeout); one that comes later finds itself shut out (`Fenced`).
        """
        table = self.tables.find(company.company_id, table_id)
        return table if table is None or table.state != "creating" else self.end(company, table)

    def end_stale(self, company: ConnectionRecord, table: TableRecord, *, at_once: bool = False) -> bool:
        """End the table's operation if nobody else is going to; return whether it is ended.

        `at_once`, for readers: not where others hold the table.
        """
        pending = table.pending
        if pending is None or self._lasts(
            company, table.table_id, pending, STALE_AFTER_SECONDS[pending.kind]
        ):
            return False
        try:
            self.end(company, table, at_once=at_once)
        except ApiError as error:
            if not at_once or error.kind is not TABLE_BUSY:
                raise
            return False
        return True

    def end(
        self, company: ConnectionRecord, table: TableRecord, *, at_once: bool = False
    ) -> TableRecord | None:
        """Finish the operation if PostgreSQL has applied it, else shut it out and undo it.

        Returns the table's record after that, None if there is no such table (any more). Raises TABLE_BUSY.
        """
        base_version = table.version if table.pending is None else table.pending.base_version
        with self.open_company(company) as connection:
            applied = fence(connection, table.table_id, base_version, AT_ONCE_MS if at_once else None)
            if table.pending is not None and table.pending.kind == "index":  # may have left some behind
                timeout_ms = READER_LOCK_TIMEOUT_MS if at_once else LEFTOVER_LOCK_TIMEOUT_MS
                drop_leftovers(connection, table.table_id, applied, timeout_ms)
        return self.tables.finish(table, applied)

    def _lasts(self, company: ConnectionRecord, table_id: str, pending: Pending, seconds: float) -> bool:
        """Return whether the operation is younger than that, or its job is inserting the table's rows.

        A job that was rejected and confirmed again is making another table.
        """
        age = (datetime.now(UTC) - parse_timestamp(pending.started_at)).total_seconds()
        if age < seconds or pending.kind != "upload":
            return age < seconds
        job = self.items.find(job_key(company.company_id, pending.job_id or "")) or {}
        return (job.get("status"), job.get("reserved_table_id")) == ("inserting", table_id)


@dataclass(frozen=True)
class TablePage:
    """A page of a company's tables: how many there are in all, and the page's with their row counts."""

    total: int
    records: Sequence[tuple[TableRecord, int]]


@dataclass(frozen=True)
class TableListing:
    """Reads the tables of a company; ends unfinished operations, unless it would have to wait."""

    tables: Tables
    reconciliation: Reconciliation
    open_company: OpenCompany

    def get(self, company: ConnectionRecord, table_id: str) -> TableRecord:
        """Return a table that is not deleted; raises TABLE_NOT_FOUND, for a malformed id too."""
        if not is_record_id(table_id):
            raise ApiError(TABLE_NOT_FOUND)
        table_id = table_id.lower()
        table = self.tables.find(company.company_id, table_id)
        if table is not None and self.reconciliation.end_stale(company, table, at_once=True):
            table = self.tables.find(company.company_id, table_id)
        if table is None or table.state == "creating":
            raise ApiError(TABLE_NOT_FOUND)
        return table

    def count(self, company: ConnectionRecord, table: TableRecord) -> int:
        """Return the exact number of the table's rows."""
        return self._count(company, [table])[0]

    def page(self, company: ConnectionRecord, page: int, per_page: int, search: str = "") -> TablePage:
        """Return a page (counted from 1) of the tables whose name contains `search`, newest first."""
        wanted = search.lower()
        tables = list(self.tables.all(company.company_id))
        ended = [self.reconciliation.end_stale(company, table, at_once=True) for table in tables]
        if any(ended):
            tables = list(self.tables.all(company.company_id))
        found = [table for table in tables if table.state == "ready" and wanted in table.display_name]
        shown = found[(page - 1) * per_page : page * per_page]
        counts = self._count(company, shown)
        return TablePage(len(found), list(zip(shown, counts, strict=True)))

    def _count(self, company: ConnectionRecord, tables: Sequence[TableRecord]) -> list[int]:
        if not tables:
            return []  # an empty list needs no database
        with self.open_company(company) as connection:
            counts = count_rows(connection, [table.table_id for table in tables])
        return [counts[table.table_id] for table in tables]
