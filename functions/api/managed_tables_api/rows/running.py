"""Run statements of rows: on the right definition, errors translated, once more where that is safe.

Definitions are kept in the process, so that a warm operation costs no look-up. They come from
`managed_tables.tables` of the company's own database: what PostgreSQL has applied. Every statement compares
the version in its own snapshot: a stale copy answers nothing.
"""

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain
from typing import Any, Concatenate, ParamSpec, TypeVar

import psycopg
from cachetools import LRUCache
from psycopg import errors as postgres

from managed_tables import errors
from managed_tables.catalog.connections import ConnectionRecord
from managed_tables.catalog.tables import Applied
from managed_tables.conditions.tree import Marks, marks_of
from managed_tables.databases.applied import find_applied
from managed_tables.databases.connecting import PgConnection, is_of_an_index, performed, translated_errors
from managed_tables.errors import ApiError
from managed_tables.history import Actor, Via
from managed_tables.ids import is_record_id, is_uuid
from managed_tables.schema import Column
from managed_tables.settings import Settings
from managed_tables.tables.constraints import rule_of
from managed_tables.tables.physical import physical_name
from managed_tables.values import Parsers, parsers
from managed_tables_api.connection_cache import ConnectionCache
from managed_tables_api.http.answers import response_too_large

MAX_CACHED_COLUMNS = 30_000  # about 1 KB each, over all companies


@dataclass(frozen=True, eq=False, kw_only=True)
class Definition(Applied):
    """A table as PostgreSQL had it at `version`, and where it is; what is kept by it, is by it alone."""

    connection: ConnectionRecord
    table_id: str

    __eq__, __hash__ = object.__eq__, object.__hash__

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """The columns by their name."""
        return {column.name: column for column in self.columns}

    @property
    def unrepeated(self) -> list[str]:
        """The names of the key's columns, and of those of rules of unique values."""
        ruled = (rule.columns for rule in self.rules if rule.refuses and rule.kind == "unique")
        return [*dict.fromkeys(chain(self.key or (), *ruled))]


class Tables:
    """The tables of companies: the definitions that this process has read, bounded over all companies."""

    def __init__(
        self,
        find_company: Callable[[str], ConnectionRecord | None],
        connections: ConnectionCache,
        settings: Settings,
    ) -> None:
        self._find_company = find_company
        self.connections = connections
        self.settings = settings
        self.parsers = parsers(settings.zone)
        self._lock = threading.Lock()
        self._definitions: LRUCache[tuple[str, str], Definition] = LRUCache(
            MAX_CACHED_COLUMNS, lambda definition: len(definition.columns)
        )

    def find_cached(self, company_id: str, table_id: str) -> Definition | None:
        """Return the copy, which may be stale."""
        with self._lock:
            return self._definitions.get((company_id, table_id.lower()))

    def read(self, company_id: str, table_id: str) -> Definition:
        """Return the definition as it is now; raises TABLE_NOT_FOUND."""
        key = (company_id, table_id.lower())
        try:
            definition = self._read(*key)
        except ApiError:
            with self._lock:
                self._definitions.pop(key, None)  # the database may be at another place now
            raise
        with self._lock:
            self._definitions[key] = definition
        return definition

    def _read(self, company_id: str, table_id: str) -> Definition:
        if not is_record_id(table_id):
            raise ApiError(errors.TABLE_NOT_FOUND)
        cached = self.find_cached(company_id, table_id)
        company = cached.connection if cached else self._find_company(company_id)
        if company is None:
            raise ApiError(errors.TABLE_NOT_FOUND)
        if cached is None:
            with self._lock:  # definitions of another record of the company: its database may have moved
                for key in [key for key in self._definitions if key[0] == company_id]:
                    if self._definitions[key].connection != company:
                        del self._definitions[key]
        with translated_errors(), self.connections.use(company) as connection:
            applied = find_applied(connection, table_id)
        if applied is None or applied.deleted:
            raise ApiError(errors.TABLE_NOT_FOUND)
        return Definition(connection=company, table_id=table_id, **vars(applied))


Result = TypeVar("Result")
Arguments = ParamSpec("Arguments")
Parameters = Mapping[str, str | None]
Found = list[tuple[Any, ...]]
Execute = Callable[[bytes, Parameters], Found]

_KEY = re.compile(r"\((.+)\)=\((.*)\)", re.DOTALL)  # in every language of a server's messages
# A session keeps a hundred statements, here and in the server: longer ones are planned each time.
_PREPARED_MAX_BYTES = 64 * 1024
_UTF8_MAX_BYTES = 4  # of a character
_TRANSACTION = b"SELECT 1, pg_current_xact_id()::text"
_END_OF_TRANSACTION = b"SELECT 1, pg_xact_status(%(transaction)s::xid8)"
_ATTEMPTS = 5  # a definition that changes under five attempts in a row is being changed in a loop


class StaleDefinition(Exception):  # noqa: N818 - an outcome, not a fault
    """The table is not, or no longer, what the definition says; nothing was read or written."""


class Refused(Exception):  # noqa: N818 - an outcome, not a fault
    """PostgreSQL has refused rows; nothing was written. Columns and values are its texts, if known."""

    def __init__(self, error: psycopg.Error) -> None:
        match = _KEY.search(error.diag.message_detail or "")
        self.columns = [name.strip('"') for name in match[1].split(", ")] if match else []
        self.values: list[str | None] = []
        if match:
            texts = match[2].split(", ") if len(self.columns) > 1 else [match[2]]
            if len(texts) == len(self.columns):  # else a comma is in a text, and may end any of them
                self.values = [None if text == "null" else text for text in texts]
        super().__init__(str(error))


class KeyTaken(Refused):
    """Rows have the same key."""


class RuleViolated(Refused):
    """A row breaks a rule of this table, or of one that refers to it: which constraint says so, and whose."""

    def __init__(self, error: psycopg.Error) -> None:
        super().__init__(error)
        self.constraint = error.diag.constraint_name or ""
        self.table_name = error.diag.table_name or ""

    def is_of_others(self, table_id: str) -> bool:
        """Return whether the rule is another table's."""
        named = rule_of(self.constraint)
        return named is not None and named[0] != table_id


@dataclass(frozen=True)
class Table:
    """A table whose definition is at hand: statements on its rows, for a user."""

    definition: Definition
    connections: ConnectionCache
    settings: Settings
    parsers: Parsers
    user_id: str

    @property
    def marks(self) -> Marks:
        """The conditions that rows break its rules."""
        definition = self.definition
        name = physical_name(definition.display_name).as_string()
        return marks_of(definition.rules, definition.by_name, name, self.settings.zone.key)

    @property
    def kept_days(self) -> dict[str, str | None]:
        """The parameter of what reads the history."""
        return {"days": str(self.settings.history_days)}

    def acting(self, via: Via) -> dict[str, str | None]:
        """Return the parameter that says who writes, by which door; raises TABLE_INACTIVE."""
        if self.definition.status != "active":
            raise ApiError(errors.TABLE_INACTIVE)
        return {"actor": Actor(self.user_id, via, self.settings.history_days).setting}

    def require_sendable(self, texts: Sequence[str]) -> None:
        """Raise RESPONSE_TOO_LARGE for JSON texts that together are more than an answer may have."""
        limit = self.settings.response_max_bytes
        if _UTF8_MAX_BYTES * sum(map(len, texts)) > limit and sum(len(row.encode()) for row in texts) > limit:
            raise response_too_large(limit)

    def run(self, statement: bytes, parameters: Parameters, *, repeatable: bool = False) -> Found:
        """Run one statement in a transaction of its own; raises StaleDefinition where it found none to hold.

        One that the server has undone, or never got, is run again; one whose end is unknown only if it is
        `repeatable`, else OUTCOME_UNKNOWN is raised.
        """
        return self._repeat(
            lambda connection: self._execute(connection, statement, parameters), repeatable=repeatable
        )

    def read(self, statement: bytes, parameters: Parameters) -> Found:
        """Run one statement that changes nothing."""
        return self.run(statement, parameters, repeatable=True)

    def transact(self, work: Callable[[Execute], Result], *, repeatable: bool = False) -> Result:
        """Do the work in one transaction, undone where it raises; repeated as by `run`."""

        def in_transaction(connection: PgConnection) -> Result:
            with connection.transaction():
                return work(partial(self._execute, connection))

        return self._repeat(in_transaction, repeatable=repeatable)

    def run_once(self, statement: bytes, parameters: Parameters) -> Found:
        """Run one statement as `run` does; where its answer is lost, find out whether it was committed."""
        begun: list[str | None] = []
        done: list[Found] = []

        def in_transaction(execute: Execute) -> Found:
            begun.append(execute(_TRANSACTION, {})[0][1])
            done.append(execute(statement, parameters))
            return done[-1]

        try:
            return self.transact(in_transaction)
        except ApiError as error:
            if error.kind is not errors.OUTCOME_UNKNOWN or not begun:
                raise
            ended = self.read(_END_OF_TRANSACTION, {"transaction": begun[-1]})[0][1]
            if ended == "committed":
                return done[-1]
            if ended != "aborted":  # the server has not noticed yet
                raise
            return self.transact(in_transaction)

    def _repeat(self, work: Callable[[PgConnection], Result], *, repeatable: bool) -> Result:
        with translated_errors():
            try:
                return self._once(work, repeatable)
            except (
                postgres.DeadlockDetected,
                postgres.SerializationFailure,
                postgres.IdleSessionTimeout,  # the session had ended before the statement came
            ):
                pass
            except psycopg.OperationalError as error:
                if not _is_lost(error):
                    raise
            return self._once(work, repeatable)

    def _once(self, work: Callable[[PgConnection], Result], repeatable: bool) -> Result:
        try:
            with self.connections.use(self.definition.connection) as connection, performed(connection):
                return work(connection)
        except (postgres.CheckViolation, postgres.ForeignKeyViolation) as error:
            raise RuleViolated(error) from error
        except (postgres.UniqueViolation, postgres.CardinalityViolation) as error:
            is_rule = rule_of(error.diag.constraint_name) is not None
            raise (RuleViolated(error) if is_rule else KeyTaken(error)) from error
        except postgres.ProgramLimitExceeded as error:
            if is_of_an_index(error):  # of unique values: others take the beginnings of texts
                raise ApiError(errors.KEY_TOO_LONG, key=", ".join(self.definition.unrepeated)) from error
            raise ApiError(errors.ROW_TOO_WIDE) from error
        except psycopg.OperationalError as error:
            if _is_lost(error) and not repeatable:
                raise ApiError(errors.OUTCOME_UNKNOWN) from error
            raise
        except (psycopg.ProgrammingError, psycopg.NotSupportedError) as error:
            raise StaleDefinition from error  # a column, its type or the table is no longer what it was

    def _execute(self, connection: PgConnection, statement: bytes, parameters: Parameters) -> Found:
        """Run a statement with the parameters by which it knows whether the definition holds, and others."""
        prepare = None if len(statement) <= _PREPARED_MAX_BYTES else False
        key = {"table_id": self.definition.table_id, "version": str(self.definition.version)}
        rows = connection.execute(statement, {**key, **parameters}, prepare=prepare).fetchall()
        if not rows:
            raise StaleDefinition
        return rows


@dataclass(frozen=True)
class NamedTable:
    """A table that a user names in a request: on the event loop, where `tables` are not to be made."""

    tables: Callable[[], Tables]
    company_id: str
    table_id: str
    user_id: str = ""

    def read(self) -> Definition:
        """Return the definition as it is now; raises TABLE_NOT_FOUND."""
        return self.tables().read(self.company_id, self.table_id)

    def do(
        self,
        work: Callable[Concatenate[Table, Arguments], Result],
        /,
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        """Do the work on the table as it is known; where that fails, on a fresh definition if it differs.

        Raises TABLE_NOT_FOUND before anything else.
        """
        if not is_record_id(self.table_id):
            raise ApiError(errors.TABLE_NOT_FOUND)
        tables = self.tables()
        cached = tables.find_cached(self.company_id, self.table_id)
        is_fresh = cached is None
        definition = cached or self.read()
        for _ in range(_ATTEMPTS):
            table = Table(definition, tables.connections, tables.settings, tables.parsers, self.user_id)
            try:
                return work(table, *args, **kwargs)
            except StaleDefinition as error:
                before, definition = definition, self.read()
                if is_fresh and (before.version, before.status) == (definition.version, definition.status):
                    raise error.__cause__ or error from error
            except ApiError as error:
                before = definition
                if not (is_fresh or error.kind.status >= 500):
                    definition = self.read()
                if before.version == definition.version:
                    raise
            is_fresh = True
        raise ApiError(errors.TABLE_BUSY)


def _is_lost(error: psycopg.OperationalError) -> bool:
    """Return whether the connection ended during the statement, not before it, by a fault or a shutdown."""
    state = error.sqlstate
    at_rest = isinstance(error, postgres.IdleSessionTimeout)
    return not at_rest and (state is None or state.startswith(("08", "57P")))


def row_key(row_id: str) -> dict[str, str | None]:
    """Return the parameter of a statement on one row; raises ROW_NOT_FOUND if it is no id."""
    if not is_uuid(row_id):
        raise ApiError(errors.ROW_NOT_FOUND)
    return {"id": row_id}


def numbered(values: Sequence[str | None]) -> dict[str, str | None]:
    """Return the values as the parameters c0, c1, …."""
    return {f"c{place}": value for place, value in enumerate(values)}
