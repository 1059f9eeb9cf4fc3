"""Read, insert, update and delete rows one by one or as new ones; their JSON ready to be sent."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from managed_tables import exact_json
from managed_tables.errors import (
    IDEMPOTENCY_KEY_REUSED,
    INVALID_REQUEST,
    RESPONSE_TOO_LARGE,
    ROW_CHANGED,
    ROW_NOT_FOUND,
    ApiError,
)
from managed_tables.settings import MIB
from managed_tables.values import parsers
from managed_tables_api.rows import statements
from managed_tables_api.rows.composing import VERSION_FIELD, Numbers, Shown
from managed_tables_api.rows.definitions import Definition
from managed_tables_api.rows.idempotency import IdempotencyKey
from managed_tables_api.rows.parsing import parse_changes, parse_rows
from managed_tables_api.rows.running import (
    Parameters,
    Runner,
    definition_key,
    numbered,
    require_active,
    row_key,
)
from managed_tables_api.rows.statements import Returned
from managed_tables_api.rows.versions import same_version


@dataclass(frozen=True)
class Answered:
    """How a row is answered."""

    numbers: Numbers = "number"
    versions: bool = False


@dataclass(frozen=True)
class NewRows:
    """The rows to insert, as JSON; with a key, once however often they are sent."""

    rows: Any
    key: IdempotencyKey | None = None
    returned: Returned = "count"
    numbers: Numbers = "number"


@dataclass(frozen=True)
class InsertedRows:
    """How many rows were inserted, and their ids or the rows themselves as a JSON list if asked for."""

    count: int
    returned: str | None = None


@dataclass(frozen=True)
class RowUpdate:
    """The fields to change of a row, the version that it must have, how it is answered."""

    fields: Mapping[str, Any]
    row_version: str | None = None
    answered: Answered = Answered()


@dataclass(frozen=True)
class Row:
    """A row as JSON text, and its version."""

    text: str
    version: str


class Rows:
    """Operations on rows; raises TABLE_NOT_FOUND and ROW_NOT_FOUND before anything about the request."""

    def __init__(self, runner: Runner, zone: ZoneInfo, response_max_bytes: int) -> None:
        self._runner = runner
        self._zone = zone
        self._parsers = parsers(zone)
        self._response_max_bytes = response_max_bytes

    def get(self, company_id: str, table_id: str, row_id: str, read_answered: Callable[[], Answered]) -> Row:
        """Return a row; `read_answered` may raise what is wrong with the request."""

        def work(definition: Definition) -> Row:
            key = row_key(definition, row_id)
            try:
                shown = shown_row(definition, read_answered())
            except ApiError:
                self._find(definition, key, Shown(definition.columns))  # a row that is not there comes first
                raise
            return self._find(definition, key, shown)

        return self._runner.with_definition(company_id, table_id, work)

    def insert(self, company_id: str, table_id: str, read_new: Callable[[], NewRows]) -> InsertedRows:
        """Insert all of the rows or none; `read_new` may raise what is wrong."""

        def work(definition: Definition) -> InsertedRows:
            new = read_new()
            if new.key is None:
                return self._insert(definition, new) or InsertedRows(0)
            applied = self._find_applied(definition, new, new.key)
            if applied is None:  # and where another request has been quicker, the second look finds it
                applied = self._insert(definition, new)
            if applied is None:
                applied = self._find_applied(definition, new, new.key)
            return applied or InsertedRows(0)

        return self._runner.with_definition(company_id, table_id, work)

    def _insert(self, definition: Definition, new: NewRows) -> InsertedRows | None:
        """Insert the rows, None where their key is taken."""
        arrays = parse_rows(definition, new.rows, self._parsers, self._zone)
        require_active(definition)
        parameters = {**definition_key(definition), **numbered(arrays)}
        if new.key is not None:
            parameters |= {"key": new.key.key, "fingerprint": new.key.fingerprint}
            parameters |= {"row_count": str(len(new.rows))}
        statement = statements.insert_statement(
            definition, is_keyed=new.key is not None, returned=new.returned, numbers=new.numbers
        )
        if new.returned == "count":
            (_, count, _), *_ = self._runner.run(
                definition, statement, parameters, repeatable=new.key is not None
            )
            return InsertedRows(count) if count else None

        def work(execute: Any) -> InsertedRows:
            (_, count, returned), *_ = execute(statement, parameters)
            self._require_sendable(returned)  # before anything is committed
            return InsertedRows(count, returned or "[]")

        inserted = self._runner.transact(definition, work, repeatable=new.key is not None)
        return inserted if inserted.count else None

    def _require_sendable(self, text: str | None) -> None:
        if text is not None and len(text.encode()) > self._response_max_bytes:
            limit_mb = f"{self._response_max_bytes / MIB:.1f}".replace(".", ",")
            raise ApiError(RESPONSE_TOO_LARGE, limit_mb=limit_mb)

    def _find_applied(self, definition: Definition, new: NewRows, key: IdempotencyKey) -> InsertedRows | None:
        """Return what the request of this key has inserted, None where there was none.

        Rows are answered as they are now, without those that are gone.
        """
        parameters = {**definition_key(definition), "key": key.key}
        statement = statements.applied_request_statement(definition, new.returned, new.numbers)
        found = self._runner.run(definition, statement, parameters, repeatable=True)
        _, fingerprint, count, returned = found[0]
        if fingerprint is not None and fingerprint != key.fingerprint:
            raise ApiError(IDEMPOTENCY_KEY_REUSED)
        self._require_sendable(returned)
        return None if count is None else InsertedRows(int(count), returned)

    def update(
        self, company_id: str, table_id: str, row_id: str, read_update: Callable[[], RowUpdate]
    ) -> Row:
        """Change the given fields of a row and return it; `read_update` may raise what is wrong.

        Raises ROW_CHANGED, the row as it is now beside it, where the row has another version.
        """

        def work(definition: Definition) -> Row:
            key = row_key(definition, row_id)
            try:
                update = _read_version(definition, read_update())
                shown = shown_row(definition, update.answered)
                changes = parse_changes(definition, update.fields, self._parsers)
                require_active(definition)
            except ApiError:
                self._find(definition, key, Shown(definition.columns))  # a row that is not there comes first
                raise
            return self._update(definition, key, changes, update.row_version, shown)

        return self._runner.with_definition(company_id, table_id, work)

    def _update(
        self,
        definition: Definition,
        key: Parameters,
        changes: Mapping[str, str | None],
        row_version: str | None,
        shown: Shown,
    ) -> Row:
        if not changes:
            row = self._find(definition, key, shown)
            if row_version not in (None, row.version):
                raise self._changed(definition, key)
            return row
        is_conditional = row_version is not None
        statement = statements.update_statement(
            definition, tuple(changes), shown, is_conditional=is_conditional
        )
        parameters = {**key, **numbered(list(changes.values()))}
        if is_conditional:
            parameters["row_version"] = row_version
        (_, text, version), *_ = self._runner.run(definition, statement, parameters)
        if text is None:
            raise self._changed(definition, key) if is_conditional else ApiError(ROW_NOT_FOUND)
        return Row(text, version)

    def delete(
        self, company_id: str, table_id: str, row_id: str, read_row_version: Callable[[], str | None]
    ) -> None:
        """Delete a row; raises as `update` does where it has another version than asked for."""

        def work(definition: Definition) -> None:
            key = row_key(definition, row_id)
            try:
                row_version = read_row_version()
                require_active(definition)
            except ApiError:
                self._find(definition, key, Shown(definition.columns))
                raise
            is_conditional = row_version is not None
            statement = statements.delete_statement(definition, is_conditional=is_conditional)
            parameters = {**key, "row_version": row_version} if is_conditional else key
            (_, deleted), *_ = self._runner.run(definition, statement, parameters)
            if not deleted:
                raise self._changed(definition, key) if is_conditional else ApiError(ROW_NOT_FOUND)

        self._runner.with_definition(company_id, table_id, work)

    def require(self, company_id: str, table_id: str, row_id: str) -> None:
        """Raise ROW_NOT_FOUND, or TABLE_NOT_FOUND, unless the row is there."""
        self.get(company_id, table_id, row_id, Answered)

    def _find(self, definition: Definition, key: Parameters, shown: Shown) -> Row:
        statement = statements.find_statement(definition, shown)
        (_, text, version), *_ = self._runner.run(definition, statement, key, repeatable=True)
        if text is None:
            raise ApiError(ROW_NOT_FOUND)
        return Row(text, version)

    def _changed(self, definition: Definition, key: Parameters) -> ApiError:
        """Return ROW_CHANGED with the row as it is now; raises ROW_NOT_FOUND where it is gone."""
        row = self._find(definition, key, versioned(definition))
        return ApiError(ROW_CHANGED, rows=[exact_json.loads(row.text.encode())])


def shown_row(definition: Definition, answered: Answered) -> Shown:
    """Return how a row is answered; raises INVALID_REQUEST where a column takes the version's name."""
    if answered.versions and VERSION_FIELD in definition.by_name:
        reason = f"versions: a tabela tem uma coluna {VERSION_FIELD}; use ETag e If-Match"
        raise ApiError(INVALID_REQUEST, reason=reason)
    return Shown(definition.columns, answered.numbers, answered.versions)


def versioned(definition: Definition) -> Shown:
    """Return rows with their versions, but where a column takes the version's name."""
    return Shown(definition.columns, versions=VERSION_FIELD not in definition.by_name)


def _read_version(definition: Definition, update: RowUpdate) -> RowUpdate:
    """Return the update with the version that its fields name, where that is no column's name."""
    if VERSION_FIELD not in update.fields or VERSION_FIELD in definition.by_name:
        return update
    fields = {name: value for name, value in update.fields.items() if name != VERSION_FIELD}
    given = same_version(update.row_version, read_row_version(update.fields[VERSION_FIELD]))
    return RowUpdate(fields, given, update.answered)


def read_row_version(given: Any) -> str:
    """Return the version that a body names; raises INVALID_REQUEST."""
    if not isinstance(given, str) or not given or "\x00" in given:
        raise ApiError(INVALID_REQUEST, reason=f"{VERSION_FIELD} deve ser um texto que a API respondeu")
    return given
