"""Insert rows: all of them or none, once however often they are sent, and what meets a key as asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from managed_tables.errors import (
    IDEMPOTENCY_KEY_REUSED,
    INVALID_REQUEST,
    TABLE_WITHOUT_KEY,
    ApiError,
)
from managed_tables_api.http.validation import Numbers
from managed_tables_api.rows import statements
from managed_tables_api.rows.definitions import Definition
from managed_tables_api.rows.inserts import conflicts
from managed_tables_api.rows.inserts.conflicts import OnConflict, find_repeated, repeated_keys
from managed_tables_api.rows.parsing import parse_rows
from managed_tables_api.rows.running import (
    Execute,
    KeyTaken,
    Parameters,
    RowOperations,
    numbered,
    on_definition,
    require_active,
)
from managed_tables_api.rows.statements import Returned


@dataclass(frozen=True)
class IdempotencyKey:
    """The client's name for a request, by which it is repeated safely, and a digest of the request.

    The key is recorded by the statement that inserts, and kept for a day at least.
    """

    key: str
    fingerprint: str


@dataclass(frozen=True)
class NewRows:
    """The rows to insert, as JSON; with a key, once however often they are sent.

    `on_conflict` says what becomes of a row whose key the table has; None: as `error`.
    """

    rows: Any
    key: IdempotencyKey | None = None
    returned: Returned = "count"
    numbers: Numbers = "number"
    on_conflict: OnConflict | None = None


@dataclass(frozen=True)
class InsertedRows:
    """How many rows were inserted, updated and ignored; ids or rows as a JSON list if asked for."""

    count: int
    returned: str | None = None
    updated: int = 0
    ignored: int = 0


class RowInserts(RowOperations):
    """Inserts of rows."""

    @on_definition
    def insert(self, definition: Definition, new: NewRows, user_id: str) -> InsertedRows:
        """Insert all of the rows, for a user, or none."""
        if new.key is None:
            return self._apply(definition, new, user_id) or InsertedRows(0)
        applied = self._find_applied(definition, new, new.key)
        if applied is None:  # and where another request has been quicker, the second look finds it
            applied = self._apply(definition, new, user_id)
        if applied is None:
            applied = self._find_applied(definition, new, new.key)
        return applied or InsertedRows(0)

    def _apply(self, definition: Definition, new: NewRows, user_id: str) -> InsertedRows | None:
        """Insert or merge the rows, None where their request's key is taken."""
        arrays = parse_rows(definition, new.rows, self.runner.parsers, self.runner.settings.zone)
        require_active(definition)
        acting = self.runner.acting(user_id, "api")
        parameters = {**acting, **numbered(arrays), **_request_key(new)}
        try:
            if new.on_conflict in ("update", "ignore"):
                return self._merge(definition, new, parameters)
            return self._insert(definition, new, parameters)
        except KeyTaken as taken:
            within_request = new.on_conflict == "update"
            raise find_repeated(self.runner, definition, taken, parameters, within_request) from taken

    def _insert(self, definition: Definition, new: NewRows, parameters: Parameters) -> InsertedRows | None:
        is_keyed = new.key is not None
        statement = statements.insert_statement(
            definition, is_keyed=is_keyed, returned=new.returned, numbers=new.numbers
        )
        if new.returned == "count":
            (_, count, _), *_ = self.runner.run(definition, statement, parameters, repeatable=is_keyed)
            return InsertedRows(count) if count else None

        def work(execute: Execute) -> InsertedRows:
            (_, count, returned), *_ = execute(statement, parameters)
            self.require_sendable([returned or ""])  # before anything is committed
            return InsertedRows(count, returned or "[]")

        inserted = self.runner.transact(definition, work, repeatable=is_keyed)
        return inserted if inserted.count else None

    def _merge(self, definition: Definition, new: NewRows, parameters: Parameters) -> InsertedRows | None:
        """Insert the rows, those whose key the table has as `on_conflict` says."""
        if definition.key is None:
            raise ApiError(TABLE_WITHOUT_KEY)
        if new.returned != "count":
            raise ApiError(INVALID_REQUEST, reason="return não vai com on_conflict=update ou ignore")
        batches = self._batches(definition, new, parameters)

        def work(execute: Execute) -> InsertedRows | None:
            if new.key is not None and not execute(conflicts.claim_statement(), parameters)[0][1]:
                return None
            if len(batches) > 1 and (refusal := repeated_keys(execute, definition, parameters)):
                raise refusal  # of one statement PostgreSQL itself would say so
            counts = [execute(statement, given)[0] for statement, given in batches]
            inserted, updated = (sum(count[place] for count in counts) for place in (1, 2))
            if new.key is not None:
                recorded = {**parameters, "counts": f"{{{inserted},{updated}}}"}
                execute(conflicts.record_counts_statement(), recorded)
            return InsertedRows(inserted, None, updated, len(new.rows) - inserted - updated)

        return self.runner.transact(definition, work, repeatable=new.key is not None)

    def _batches(
        self, definition: Definition, new: NewRows, parameters: Parameters
    ) -> Sequence[tuple[bytes, Parameters]]:
        """Return a statement and its parameters for the rows that name the same columns."""
        if new.on_conflict == "ignore":
            return [(conflicts.merge_statement(definition, (), "ignore"), parameters)]
        by_names: dict[tuple[str, ...], list[Any]] = {}
        for row in new.rows:
            by_names.setdefault(tuple(sorted(row)), []).append(row)
        batches: list[tuple[bytes, Parameters]] = []
        for names, rows in by_names.items():
            given = parameters
            if len(by_names) > 1:
                arrays = parse_rows(definition, rows, self.runner.parsers, self.runner.settings.zone)
                given = {"actor": parameters["actor"], **numbered(arrays)}
            changed = tuple(name for name in names if name not in (definition.key or ()))
            batches.append((conflicts.merge_statement(definition, changed, "update"), given))
        return batches

    def _find_applied(self, definition: Definition, new: NewRows, key: IdempotencyKey) -> InsertedRows | None:
        """Return the outcome of an earlier request of this key, None if there was none.

        Rows are answered as they are now, without deleted ones.
        """
        statement = statements.applied_request_statement(definition, new.returned, new.numbers)
        earlier = self.runner.read(definition, statement, {"key": key.key})
        _, fingerprint, count, returned, counts = earlier[0]
        if fingerprint is not None and fingerprint != key.fingerprint:
            raise ApiError(IDEMPOTENCY_KEY_REUSED)
        self.require_sendable([returned or ""])
        if count is None:
            return None
        applied = InsertedRows(int(count), returned)
        if counts is None:
            return applied
        inserted, updated = counts
        return replace(applied, count=inserted, updated=updated, ignored=count - inserted - updated)


def _request_key(new: NewRows) -> dict[str, str | None]:
    if new.key is None:
        return {}
    return {"key": new.key.key, "fingerprint": new.key.fingerprint, "row_count": str(len(new.rows))}
