"""Make the table of an upload: reserved when its schema is confirmed, made when its rows are loaded.

The steps, and who takes them:

1. the confirmation calls `reserve`: the name is taken, nobody sees the table yet;
2. insert calls `create_table_to_fill` (module `physical`) first in its loading transaction;
3. after the commit, and again whenever insert is repeated, it calls `finalise`;
4. when nothing is inserted (values do not convert, the job fails) it calls `release` instead.

Whatever crashes between these, whoever next meets the name asks the job and finishes or undoes it.
"""

from dataclasses import dataclass

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.tables import NameTaken, TableRecord, Tables
from managed_tables.errors import TABLE_NOT_FOUND, ApiError
from managed_tables.schema import Columns
from managed_tables.tables.definitions import check_columns, check_table_name
from managed_tables.tables.operations import new_table
from managed_tables.tables.reconciliation import (
    STALE_AFTER_SECONDS,
    Reconciliation,
    Waiting,
    age_seconds,
)

REUSED_WITHIN_SECONDS = STALE_AFTER_SECONDS["upload"] / 2


@dataclass(frozen=True)
class UploadTables:
    """Reserves, finalises and releases the tables that uploads make."""

    tables: Tables
    reconciliation: Reconciliation

    def reserve(
        self, company: ConnectionRecord, job_id: str, user_id: str, display_name: str, columns: Columns
    ) -> TableRecord:
        """Take the name for the job's table; raises INVALID_SCHEMA or DUPLICATE_NAME.

        The reservation lasts while the job's status is `inserting`, and for 30 s before that. The same
        job and name again give the reservation that there is (its columns are what they were: those of
        the table are given to `create_table_to_fill`).
        """
        check_table_name(display_name)
        check_columns(columns)
        waiting = Waiting()
        while True:
            table = new_table(company, user_id, display_name, columns, "upload", "upload", job_id)
            try:
                self.tables.begin(table)
            except NameTaken:
                own = self._find_own(company, job_id, display_name)
                if own is not None:
                    return own
                self.reconciliation.await_name(company, display_name, waiting)
            else:
                return table

    def _find_own(self, company: ConnectionRecord, job_id: str, display_name: str) -> TableRecord | None:
        """Return the job's own reservation, unless it may end before the job's status protects it."""
        table = self.tables.find_holder(company.company_id, display_name)
        pending = table.pending if table else None
        if table is None or pending is None or pending.job_id != job_id:
            return None
        if age_seconds(pending) < REUSED_WITHIN_SECONDS or self.reconciliation.is_inserting(company, table):
            return table
        self.reconciliation.end(company, table)
        return None

    def finalise(self, company: ConnectionRecord, table_id: str) -> TableRecord:
        """Show the table that the loading transaction has committed; repeatable.

        Must not be called before the commit: a table that PostgreSQL does not have is given up, so that
        no later transaction can make it, and TABLE_NOT_FOUND is raised.
        """
        table = self._end(company, table_id)
        if table is None:
            raise ApiError(TABLE_NOT_FOUND)
        return table

    def release(self, company: ConnectionRecord, table_id: str) -> bool:
        """Give up the table and free its name; repeatable. Return whether it is gone.

        If a loading transaction has committed after all, the table is finalised instead and the answer is
        False. A loading transaction that still runs is waited for (TABLE_BUSY after the lock timeout); one
        that comes later finds itself shut out (`Fenced`).
        """
        return self._end(company, table_id) is None

    def _end(self, company: ConnectionRecord, table_id: str) -> TableRecord | None:
        table = self.tables.find(company.company_id, table_id)
        if table is None or table.state != "creating":
            return table
        return self.reconciliation.end(company, table)
