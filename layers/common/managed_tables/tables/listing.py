"""Read tables: one, or a page of a company's list, each with its exact number of rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.tables import TableRecord, Tables
from managed_tables.databases.applied import count_rows
from managed_tables.errors import TABLE_NOT_FOUND, ApiError
from managed_tables.ids import is_record_id
from managed_tables.tables.reconciliation import OpenCompany, Reconciliation


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
        if table is not None and self.reconciliation.end_stale_at_once(company, table):
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
        ended = [self.reconciliation.end_stale_at_once(company, table) for table in tables]
        if any(ended):
            tables = list(self.tables.all(company.company_id))
        found = [table for table in tables if table.state == "ready" and wanted in table.display_name]
        shown = found[(page - 1) * per_page : page * per_page]
        counts = self._count(company, shown)
        return TablePage(len(found), list(zip(shown, counts, strict=True)))

    def names(self, company_id: str) -> set[str]:
        """Return the names that the company's tables hold or reserve."""
        return {table.display_name for table in self.tables.all(company_id)}

    def _count(self, company: ConnectionRecord, tables: Sequence[TableRecord]) -> list[int]:
        if not tables:
            return []  # an empty list needs no database
        with self.open_company(company) as connection:
            counts = count_rows(connection, [table.table_id for table in tables])
        return [counts[table.table_id] for table in tables]
