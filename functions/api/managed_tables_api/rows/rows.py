"""Owns the operations on rows of one table: list, insert, update, delete; their JSON ready to be sent."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import psycopg
from psycopg import errors as postgres

from managed_tables.databases.connecting import translated_errors
from managed_tables.databases.connection_cache import ConnectionCache
from managed_tables.errors import (
    IDEMPOTENCY_KEY_REUSED,
    INVALID_REQUEST,
    OUTCOME_UNKNOWN,
    RESPONSE_TOO_LARGE,
    ROW_NOT_FOUND,
    ROW_TOO_WIDE,
    TABLE_BUSY,
    TABLE_INACTIVE,
    TABLE_NOT_FOUND,
    ApiError,
)
from managed_tables.identifiers import ID_COLUMN
from managed_tables.ids import is_record_id
from managed_tables.settings import MIB
from managed_tables.values import parsers
from managed_tables_api.rows import statements
from managed_tables_api.rows.cursors import Cursor, read_cursor, write_cursor
from managed_tables_api.rows.definitions import Definition, Definitions
from managed_tables_api.rows.idempotency import IdempotencyKey
from managed_tables_api.rows.parsing import parse_changes, parse_rows
from managed_tables_api.rows.statements import Numbers, Order

Result = TypeVar("Result")
Parameters = Mapping[str, str | None]

_ROW_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ATTEMPTS = 5  # a definition that changes under five attempts in a row is being changed in a loop
_ESTIMATE_TIMES = 3  # of the limit: how far a page may be weighed too heavy before it is made
_MAX_OFFSET = 10**15  # beyond every table: larger numbers would not fit PostgreSQL's bigint


@dataclass(frozen=True)
class ListRequest:
    """What a list asks for; `page` counts from 1 and is not heeded with a cursor."""

    page: int = 1
    per_page: int = 50
    sort_by: str | None = None
    cursor: str | None = None
    numbers: Numbers = "number"


@dataclass(frozen=True)
class NewRows:
    """The rows to insert, as JSON; with a key, once however often they are sent."""

    rows: Any
    key: IdempotencyKey | None = None


@dataclass(frozen=True)
class RowUpdate:
    """The fields to change of a row, and how its numbers are answered."""

    fields: Mapping[str, Any]
    numbers: Numbers = "number"


@dataclass(frozen=True)
class Page:
    """A page of rows, each as JSON text."""

    total: int
    rows: list[str]
    next_cursor: str | None


class StaleDefinition(Exception):  # noqa: N818 - an outcome, not a fault
    """The table is not, or no longer, what the definition says; nothing was read or written."""


class Rows:
    """Operations on rows; raises TABLE_NOT_FOUND and ROW_NOT_FOUND before anything about the request."""

    def __init__(
        self, definitions: Definitions, connections: ConnectionCache, zone: ZoneInfo, response_max_bytes: int
    ) -> None:
        self._definitions = definitions
        self._connections = connections
        self._zone = zone
        self._parsers = parsers(zone)
        self._response_max_bytes = response_max_bytes

    def list_page(self, company_id: str, table_id: str, read_request: Callable[[], ListRequest]) -> Page:
        """Return a page; `read_request` may raise what is wrong with the request."""

        def work(definition: Definition) -> Page:
            request = read_request()
            order = _order(definition, request.sort_by)
            cursor = None
            if request.cursor is not None:
                cursor = read_cursor(definition, order, request.cursor, self._parsers)
            return self._page(definition, request, order, cursor)

        return self._with_definition(company_id, table_id, work)

    def insert(self, company_id: str, table_id: str, read_new: Callable[[], NewRows]) -> int:
        """Insert all of the rows or none and return their number; `read_new` may raise what is wrong."""

        def work(definition: Definition) -> int:
            new = read_new()
            if new.key is None:
                return self._insert(definition, new.rows) or 0
            applied = self._find_applied(definition, new.key)
            if applied is None:  # and where another request has been quicker, the second look finds it
                applied = self._insert(definition, new.rows, new.key)
            if applied is None:
                applied = self._find_applied(definition, new.key)
            return applied or 0

        return self._with_definition(company_id, table_id, work)

    def _insert(self, definition: Definition, rows: Any, key: IdempotencyKey | None = None) -> int | None:
        """Insert the rows and return their number, None where their key is taken."""
        arrays = parse_rows(definition, rows, self._parsers, self._zone)
        _require_active(definition)
        parameters = {**_key(definition), **_numbered(arrays)}
        if key is not None:
            parameters |= {"key": key.key, "fingerprint": key.fingerprint, "row_count": str(len(rows))}
        statement = statements.insert_statement(definition, is_keyed=key is not None)
        (_, inserted), *_ = self._run(definition, statement, parameters, repeatable=key is not None)
        return int(inserted) or None

    def _find_applied(self, definition: Definition, key: IdempotencyKey) -> int | None:
        """Return how many rows the request of this key has inserted, None where there was none."""
        parameters = {**_key(definition), "key": key.key}
        statement = statements.applied_request_statement()
        (_, fingerprint, count), *_ = self._run(definition, statement, parameters, repeatable=True)
        if fingerprint is not None and fingerprint != key.fingerprint:
            raise ApiError(IDEMPOTENCY_KEY_REUSED)
        return None if count is None else int(count)

    def update(
        self,
        company_id: str,
        table_id: str,
        row_id: str,
        read_update: Callable[[], RowUpdate],
    ) -> str:
        """Change the given fields of a row and return it as JSON; `read_update` may raise what is wrong."""

        def work(definition: Definition) -> str:
            key = _row_key(definition, row_id)
            try:
                update = read_update()
                changes = parse_changes(definition, update.fields, self._parsers)
                _require_active(definition)
            except ApiError:
                self._find(definition, key)  # a row that is not there comes first
                raise
            if not changes:
                return self._find(definition, key, update.numbers)
            statement = statements.update_statement(definition, tuple(changes), update.numbers)
            parameters = {**key, **_numbered(list(changes.values()))}
            (_, row), *_ = self._run(definition, statement, parameters)
            return _found(row)

        return self._with_definition(company_id, table_id, work)

    def delete(self, company_id: str, table_id: str, row_id: str) -> None:
        """Delete a row."""

        def work(definition: Definition) -> None:
            key = _row_key(definition, row_id)
            try:
                _require_active(definition)
            except ApiError:
                self._find(definition, key)
                raise
            (_, deleted), *_ = self._run(definition, statements.delete_statement(definition), key)
            if not deleted:
                raise ApiError(ROW_NOT_FOUND)

        self._with_definition(company_id, table_id, work)

    def _page(
        self, definition: Definition, request: ListRequest, order: Order, cursor: Cursor | None
    ) -> Page:
        parameters: dict[str, str | None] = {
            **_key(definition),
            "limit": str(request.per_page + 1),  # one more tells whether there is a next page
            "max_bytes": str(_ESTIMATE_TIMES * self._response_max_bytes),
        }
        after = None
        if cursor is None:
            parameters["offset"] = str(min((request.page - 1) * request.per_page, _MAX_OFFSET))
        else:
            key = self._long_key(definition, order, cursor) if cursor.is_long else cursor.key
            parameters |= {"id": cursor.row_id, "key": key}
            after = "null" if key is None and order.column is not None else "value"
        statement = statements.list_statement(definition, order, request.numbers, after)
        found = self._run(definition, statement, parameters, repeatable=True)
        total = int(found[0][0])
        kept = [row for row in found[: request.per_page] if row[1] is not None]
        if any(row[3] is None for row in kept) or self._is_too_large(row[3] for row in kept):
            limit_mb = f"{self._response_max_bytes / MIB:.1f}".replace(".", ",")
            raise ApiError(RESPONSE_TOO_LARGE, limit_mb=limit_mb)
        more = len(found) > request.per_page
        next_cursor = write_cursor(definition, order, kept[-1][1], kept[-1][2]) if more else None
        return Page(total, [row[3] for row in kept], next_cursor)

    def _is_too_large(self, rows: Iterable[str]) -> bool:
        return sum(len(row.encode()) for row in rows) > self._response_max_bytes

    def _long_key(self, definition: Definition, order: Order, cursor: Cursor) -> str | None:
        if order.column is None:
            return None
        statement = statements.cell_statement(definition, order.column)
        parameters = {**_key(definition), "id": cursor.row_id}
        (_, is_found, value), *_ = self._run(definition, statement, parameters, repeatable=True)
        if not is_found:
            raise ApiError(
                INVALID_REQUEST, reason="a linha do cursor não existe mais; comece de novo sem ele"
            )
        return None if value is None else str(value)

    def require(self, company_id: str, table_id: str, row_id: str) -> None:
        """Raise ROW_NOT_FOUND, or TABLE_NOT_FOUND, unless the row is there."""
        self._with_definition(company_id, table_id, lambda found: self._find(found, _row_key(found, row_id)))

    def _find(self, definition: Definition, key: Parameters, numbers: Numbers = "number") -> str:
        statement = statements.find_statement(definition, numbers)
        (_, row), *_ = self._run(definition, statement, key, repeatable=True)
        return _found(row)

    def _with_definition(
        self, company_id: str, table_id: str, work: Callable[[Definition], Result]
    ) -> Result:
        """Do the work with the copy of the definition; where it fails, with a fresh one if that differs."""
        if not is_record_id(table_id):
            raise ApiError(TABLE_NOT_FOUND)
        definition = self._definitions.find_cached(company_id, table_id)
        is_fresh = definition is None
        if definition is None:
            definition = self._definitions.read(company_id, table_id)
        for _ in range(_ATTEMPTS):
            try:
                return work(definition)
            except StaleDefinition as error:
                before, definition = definition, self._definitions.read(company_id, table_id)
                if is_fresh and before.version == definition.version and before.status == definition.status:
                    raise error.__cause__ or error from error
            except ApiError as error:
                if is_fresh or error.kind.status >= 500:
                    raise
                before, definition = definition, self._definitions.read(company_id, table_id)
                if before.version == definition.version:
                    raise
            is_fresh = True
        raise ApiError(TABLE_BUSY)

    def _run(
        self, definition: Definition, statement: bytes, parameters: Parameters, *, repeatable: bool = False
    ) -> list[tuple[Any, ...]]:
        """Run one statement in a transaction of its own; raises StaleDefinition where it found none to hold.

        One that the server has undone, or never got, is run again; one whose end is unknown only if it is
        `repeatable`, else OUTCOME_UNKNOWN is raised.
        """
        with translated_errors():
            try:
                return self._run_once(definition, statement, parameters, repeatable)
            except (
                postgres.DeadlockDetected,
                postgres.SerializationFailure,
                postgres.IdleSessionTimeout,  # the session had ended before the statement came
            ):
                pass
            except psycopg.OperationalError as error:
                if not _is_lost(error):
                    raise
            return self._run_once(definition, statement, parameters, repeatable)

    def _run_once(
        self, definition: Definition, statement: bytes, parameters: Parameters, repeatable: bool
    ) -> list[tuple[Any, ...]]:
        try:
            with self._connections.use(definition.connection) as connection:
                found = connection.execute(statement, parameters).fetchall()
        except postgres.ProgramLimitExceeded as error:
            raise ApiError(ROW_TOO_WIDE) from error
        except psycopg.OperationalError as error:
            if _is_lost(error) and not repeatable:
                raise ApiError(OUTCOME_UNKNOWN) from error
            raise
        except (psycopg.ProgrammingError, psycopg.NotSupportedError) as error:
            raise StaleDefinition from error  # a column, its type or the table is no longer what it was
        if not found:
            raise StaleDefinition
        return found


def _is_lost(error: psycopg.OperationalError) -> bool:
    """Tell whether the connection ended under the statement: by itself, or because the server goes down.

    Not where the session had ended before, of its own idleness.
    """
    state = error.sqlstate
    at_rest = isinstance(error, postgres.IdleSessionTimeout)
    return not at_rest and (state is None or state.startswith(("08", "57P")))


def _key(definition: Definition) -> dict[str, str | None]:
    return {"table_id": definition.table_id, "version": str(definition.version)}


def _row_key(definition: Definition, row_id: str) -> dict[str, str | None]:
    if not _ROW_ID.fullmatch(row_id):
        raise ApiError(ROW_NOT_FOUND)
    return {**_key(definition), "id": row_id}


def _numbered(values: Sequence[str | None]) -> dict[str, str | None]:
    return {f"c{place}": value for place, value in enumerate(values)}


def _found(row: str | None) -> str:
    if row is None:
        raise ApiError(ROW_NOT_FOUND)
    return row


def _require_active(definition: Definition) -> None:
    if definition.status != "active":
        raise ApiError(TABLE_INACTIVE)


def _order(definition: Definition, sort_by: str | None) -> Order:
    if sort_by is None:
        return Order(None, descending=False)
    name = sort_by.removeprefix("-")
    column = definition.by_name.get(name)
    if column is None and name != ID_COLUMN:
        raise ApiError(INVALID_REQUEST, reason="sort_by deve ser o nome de uma coluna da tabela ou id")
    return Order(column, descending=sort_by.startswith("-"))
