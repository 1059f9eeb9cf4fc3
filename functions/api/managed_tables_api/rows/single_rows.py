"""Read, update and delete rows one by one; their JSON ready to be sent."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from managed_tables import exact_json
from managed_tables.details import DetailCode, Fault, detail
from managed_tables.errors import INVALID_REQUEST, ROW_CHANGED, ROW_NOT_FOUND, ApiError
from managed_tables.exact_json import Object
from managed_tables_api.http.validation import Numbers
from managed_tables_api.rows import statements
from managed_tables_api.rows.inserts import taken_by_update
from managed_tables_api.rows.parsing import parse_changes
from managed_tables_api.rows.running import (
    Definition,
    KeyTaken,
    Parameters,
    RowOperations,
    numbered,
    on_definition,
    require_active,
    row_key,
)
from managed_tables_api.rows.statements import VERSION_FIELD, Shown, check_version_field

VERSION_HEADER = "If-Match"


@dataclass(frozen=True)
class Answered:
    """How a row is answered."""

    numbers: Numbers = "number"
    versions: bool = False


@dataclass(frozen=True)
class RowJson:
    """A row as JSON text, and its version."""

    text: str
    version: str


class Rows(RowOperations):
    """Operations on single rows; raises ROW_NOT_FOUND before anything about the request."""

    @on_definition
    def get(self, definition: Definition, row_id: str, answered: Answered) -> RowJson:
        """Return a row."""
        key = row_key(row_id)
        with self._row_comes_first(definition, key):
            shown = shown_row(definition, answered)
        return self._find(definition, key, shown)

    @on_definition
    def update(
        self,
        definition: Definition,
        row_id: str,
        fields: Object,
        row_version: str | None,
        answered: Answered,
        user_id: str,
    ) -> RowJson:
        """Change the given fields of a row, for a user, and return it.

        Raises ROW_CHANGED, with the row as it is now, if the row has another version than asked for: by
        `row_version`, or by the fields where that is no column's name.
        """
        key = row_key(row_id)
        with self._row_comes_first(definition, key):
            if VERSION_FIELD in fields and VERSION_FIELD not in definition.by_name:
                fields = dict(fields)
                row_version = same_version(row_version, read_row_version(fields.pop(VERSION_FIELD)))
            shown = shown_row(definition, answered)
            changes = parse_changes(definition, fields, self.runner.parsers)
            require_active(definition)
        acting = {**key, **self.runner.acting(user_id, "api")}
        return self._update(definition, acting, changes, row_version, shown)

    def _update(
        self,
        definition: Definition,
        key: Parameters,
        changes: Mapping[str, str | None],
        row_version: str | None,
        shown: Shown,
    ) -> RowJson:
        if not changes:
            row = self._find(definition, key, shown)
            if row_version not in (None, row.version):
                raise self._changed(definition, key)
            return row
        is_conditional = row_version is not None
        statement = statements.update_statement(
            definition, tuple(changes), shown, is_conditional=is_conditional
        )
        parameters = {**key, **numbered(list(changes.values())), "row_version": row_version}
        try:
            (_, text, version), *_ = self.runner.run(definition, statement, parameters)
        except KeyTaken as taken:
            raise taken_by_update(definition, taken, [changes]) from taken
        if text is None:
            raise self._changed(definition, key) if is_conditional else ApiError(ROW_NOT_FOUND)
        return RowJson(text, version)

    @on_definition
    def delete(
        self, definition: Definition, row_id: str, user_id: str, row_version: str | None = None
    ) -> None:
        """Delete a row; raises as `update` does where it has another version than asked for."""
        key = row_key(row_id)
        with self._row_comes_first(definition, key):
            require_active(definition)
        is_conditional = row_version is not None
        statement = statements.delete_statement(definition, is_conditional=is_conditional)
        parameters = {**key, **self.runner.acting(user_id, "api"), "row_version": row_version}
        (_, deleted), *_ = self.runner.run(definition, statement, parameters)
        if not deleted:
            raise self._changed(definition, key) if is_conditional else ApiError(ROW_NOT_FOUND)

    def require(self, company_id: str, table_id: str, row_id: str | None) -> None:
        """Raise TABLE_NOT_FOUND unless the table is there, and ROW_NOT_FOUND for a row that is not."""
        if row_id is None:
            self.runner.require(company_id, table_id)
        else:
            self.get(company_id, table_id, row_id, Answered())

    @contextmanager
    def _row_comes_first(self, definition: Definition, key: Parameters) -> Iterator[None]:
        """Raise ROW_NOT_FOUND in the place of an error about the request where the row is not there."""
        try:
            yield
        except ApiError:
            self._find(definition, key, Shown(definition.columns))
            raise

    def _find(self, definition: Definition, key: Parameters, shown: Shown) -> RowJson:
        statement = statements.find_statement(definition, shown)
        (_, text, version), *_ = self.runner.read(definition, statement, key)
        if text is None:
            raise ApiError(ROW_NOT_FOUND)
        return RowJson(text, version)

    def _changed(self, definition: Definition, key: Parameters) -> ApiError:
        """Return ROW_CHANGED with the row as it is now; raises ROW_NOT_FOUND if it is gone."""
        present = self._find(definition, key, versioned(definition))
        row = exact_json.loads(present.text.encode())
        return ApiError(ROW_CHANGED, [detail("row", CHANGED, row=0, value=row)], rows=[row])


CHANGED = Fault(DetailCode.ROW_CHANGED, "a linha foi alterada depois de lida")


def shown_row(definition: Definition, answered: Answered) -> Shown:
    """Return how a row is answered; raises INVALID_REQUEST where a column takes the version's name."""
    if answered.versions:
        check_version_field(definition.by_name, "query")
    return Shown(definition.columns, answered.numbers, answered.versions)


def versioned(definition: Definition) -> Shown:
    """Return rows with their versions, but where a column takes the version's name."""
    return Shown(definition.columns, versions=VERSION_FIELD not in definition.by_name)


def same_version(*given: str | None) -> str | None:
    """Return the version that all places of a request name; raises INVALID_REQUEST if they differ."""
    versions = {version for version in given if version is not None}
    if len(versions) > 1:
        raise ApiError(INVALID_REQUEST, reason=f"{VERSION_FIELD} e {VERSION_HEADER} não são iguais")
    return versions.pop() if versions else None


def read_row_version(given: object) -> str:
    """Return the version that a body names; raises INVALID_REQUEST."""
    if not isinstance(given, str) or not given or "\x00" in given:
        raise ApiError(INVALID_REQUEST, reason=f"{VERSION_FIELD} deve ser um texto que a API respondeu")
    return given
