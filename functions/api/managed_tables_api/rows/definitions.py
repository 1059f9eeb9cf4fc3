"""Cache table definitions in the process, so that a warm row operation costs no look-up.

A copy comes from `managed_tables.tables` of the company's own database: what PostgreSQL has applied.
Every statement on rows compares its version in the same snapshot: a stale copy answers nothing.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from cachetools import LRUCache

from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.table_records import Key, TableStatus
from managed_tables.databases.applied import find_applied
from managed_tables.databases.connecting import translated_errors
from managed_tables.databases.connection_cache import ConnectionCache
from managed_tables.errors import TABLE_NOT_FOUND, ApiError
from managed_tables.ids import is_record_id
from managed_tables.schema import Column

MAX_CACHED_COLUMNS = 30_000  # about 1 KB each, over all companies
MAX_CACHED_COMPANIES = 10_000


@dataclass(frozen=True, eq=False)
class Definition:
    """A table as PostgreSQL had it at `version`, and where it is."""

    connection: ConnectionRecord
    table_id: str
    version: int
    display_name: str
    status: TableStatus
    columns: tuple[Column, ...]
    key: Key | None = None
    history: bool = True

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """The columns by their name."""
        return {column.name: column for column in self.columns}


_OF_DEFINITIONS = ("version", "display_name", "status", "columns", "key", "history")


class Definitions:
    """The definitions that this process has read, bounded over all companies."""

    def __init__(
        self, find_company: Callable[[str], ConnectionRecord | None], connections: ConnectionCache
    ) -> None:
        self._find_company = find_company
        self._connections = connections
        self._lock = threading.Lock()
        self._companies: LRUCache[str, ConnectionRecord] = LRUCache(MAX_CACHED_COMPANIES)
        self._definitions: LRUCache[tuple[str, str], Definition] = LRUCache(
            MAX_CACHED_COLUMNS, lambda definition: len(definition.columns)
        )

    def find_cached(self, company_id: str, table_id: str) -> Definition | None:
        """Return the copy, which may be stale."""
        with self._lock:
            return self._definitions.get((company_id, table_id.lower()))

    def read(self, company_id: str, table_id: str) -> Definition:
        """Return the definition as it is now; raises TABLE_NOT_FOUND."""
        table_id = table_id.lower()
        company = self._company(company_id) if is_record_id(table_id) else None
        if company is None:
            raise ApiError(TABLE_NOT_FOUND)
        key = (company_id, table_id)
        try:
            with translated_errors(), self._connections.use(company) as connection:
                applied = find_applied(connection, table_id)
        except ApiError:
            with self._lock:
                self._definitions.pop(key, None)
                self._companies.pop(company_id, None)  # the database may be at another place now
            raise
        if applied is None or applied.deleted:
            with self._lock:
                self._definitions.pop(key, None)
            raise ApiError(TABLE_NOT_FOUND)
        known = {name: getattr(applied, name) for name in _OF_DEFINITIONS}
        definition = Definition(company, table_id, **known)
        with self._lock:
            self._definitions[key] = definition
        return definition

    def _company(self, company_id: str) -> ConnectionRecord | None:
        with self._lock:
            company = self._companies.get(company_id)
        if company is None:
            company = self._find_company(company_id)
            if company is not None:
                with self._lock:
                    self._companies[company_id] = company
        return company
