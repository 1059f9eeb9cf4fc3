"""Change and delete many rows at once, by their ids or by a condition: all of them or none."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from psycopg.errors import DivisionByZero

from managed_tables import exact_json
from managed_tables.conditions.composition import condition_parameters
from managed_tables.conditions.reading import read_where
from managed_tables.conditions.tree import Condition, leaves, without_values
from managed_tables.details import MAX_ERROR_DETAILS, Detail, DetailCode, Fault, detail
from managed_tables.errors import ROW_CHANGED, ROW_NOT_FOUND, TABLE_BUSY, ApiError
from managed_tables.history.recording import NOT_RECORDED
from managed_tables.values import array_text
from managed_tables_api.http.validation import refusal
from managed_tables_api.rows.bulk_changes import bulk_statements as statements
from managed_tables_api.rows.bulk_changes.bulk_parsing import (
    GONE,
    no_versions,
    parse_ids,
    parse_updates,
)
from managed_tables_api.rows.definitions import Definition
from managed_tables_api.rows.inserts.conflicts import taken_by_update
from managed_tables_api.rows.parsing import parse_changes
from managed_tables_api.rows.running import (
    Found,
    KeyTaken,
    Parameters,
    RowOperations,
    light_enough,
    numbered,
    on_definition,
    require_active,
)
from managed_tables_api.rows.single_rows import CHANGED, versioned

Body = Mapping[str, Any]
Acting = Mapping[str, str | None]  # who changes rows, as a statement's parameter

_NO_SET = Fault(DetailCode.NOT_AN_OBJECT, "deve ser um objeto com os campos a alterar")


class BulkChanges(RowOperations):
    """Changes of many rows."""

    @light_enough()
    @on_definition
    def update(self, definition: Definition, body: Body, user_id: str) -> int:
        """Change the rows of a body `{"rows"}` or `{"where", "set"}`, for a user, and return how many.

        Raises ROW_NOT_FOUND and ROW_CHANGED, `details` naming the rows.
        """
        acting = self.runner.acting(user_id, "bulk")
        change = self._update_rows if _is_by_ids(body, "rows", {"where", "set", "all"}) else self._set
        try:
            return change(definition, body, acting)
        except KeyTaken as taken:
            raise taken_by_update(definition, taken, _written(body)) from taken

    @light_enough()
    @on_definition
    def delete(self, definition: Definition, body: Body, user_id: str) -> int:
        """Delete the rows of a body `{"ids"}` or `{"where"}`, for a user, and return how many.

        Raises ROW_NOT_FOUND.
        """
        acting = self.runner.acting(user_id, "bulk")
        change = self._delete_ids if _is_by_ids(body, "ids", {"where", "all"}) else self._delete_where
        return change(definition, body, acting)

    def _update_rows(self, definition: Definition, body: Body, acting: Acting) -> int:
        updates = parse_updates(definition, body["rows"], self.runner.parsers)
        require_active(definition)
        named = _Named("rows[{}].id", updates.places, updates.row_versions)
        statement = statements.update_rows_statement(definition, updates.shape)
        try:
            return self._all_or_none(definition, statement, {**updates.parameters, **acting}, named)
        except KeyTaken:
            recorded = {"actor": NOT_RECORDED, "recorder": acting["actor"]}
            statement = statements.exchange_rows_statement(definition, updates.shape)
            return self._all_or_none(definition, statement, {**updates.parameters, **recorded}, named)

    def _delete_ids(self, definition: Definition, body: Body, acting: Acting) -> int:
        places = parse_ids(body["ids"])
        require_active(definition)
        ids = array_text(sorted(places))
        named = _Named("ids[{}]", places, no_versions(len(places)))
        return self._all_or_none(
            definition, statements.delete_rows_statement(definition), {"ids": ids, **acting}, named
        )

    def _all_or_none(
        self, definition: Definition, statement: bytes, parameters: Parameters, named: "_Named"
    ) -> int:
        """Run a statement that fails if it misses a row, and raise the error about such rows."""
        wanted_count = {"wanted": str(len(named.places))}
        try:
            return self._count(definition, statement, {**parameters, **wanted_count})
        except DivisionByZero as missed:
            limit = str(MAX_ERROR_DETAILS)
            wanted = {"ids": parameters["ids"], "row_versions": named.row_versions, "limit": limit}
            search = statements.refused_rows_statement(definition, versioned(definition))
            refused = self.runner.read(definition, search, wanted)
            raise _row_refusal(refused, named) from missed

    def _set(self, definition: Definition, body: Body, acting: Acting) -> int:
        condition = self._read_where(definition, body)
        fields = body.get("set")
        if not isinstance(fields, dict) or not fields:
            raise refusal("set", _NO_SET)
        changes = parse_changes(definition, fields, self.runner.parsers)
        require_active(definition)
        statement = statements.update_where_statement(definition, tuple(changes), without_values(condition))
        parameters = {**numbered(list(changes.values())), **condition_parameters(condition)}
        return self._count(definition, statement, {**parameters, **acting})

    def _delete_where(self, definition: Definition, body: Body, acting: Acting) -> int:
        condition = self._read_where(definition, body)
        require_active(definition)
        statement = statements.delete_where_statement(definition, without_values(condition))
        return self._count(definition, statement, {**condition_parameters(condition), **acting})

    def _read_where(self, definition: Definition, body: Body) -> Condition:
        """Return the body's condition; one that compares nothing, at any depth, must be meant: `all`."""
        where = {} if body.get("where") is None else body["where"]
        condition = read_where(where, definition.by_name, self.runner.parsers)
        if not any(leaves(condition)) and body.get("all") is not True:
            raise refusal("where", Fault(DetailCode.REQUIRED, _NOT_ALL))
        return condition

    def _count(self, definition: Definition, statement: bytes, parameters: Parameters) -> int:
        return int(self.runner.run(definition, statement, parameters)[0][1])


_NOT_ALL = 'sem condição vale para todas as linhas; se é o que quer, mande também "all": true'


@dataclass(frozen=True)
class _Named:
    """The rows that a request names: each id's position, and the versions as the text of an array."""

    path: str
    places: Mapping[str, int]
    row_versions: str


def _written(body: Body) -> list[dict[str, str | None]]:
    """Return what each row of a bulk update is given, as text."""
    rows = body.get("rows", ())
    return [{name: None if value is None else str(value) for name, value in row.items()} for row in rows]


def _is_by_ids(body: Body, by_ids: str, by_condition: set[str]) -> bool:
    """Return which of its two forms a body has; raises INVALID_REQUEST for any other."""
    if body.keys() == {by_ids}:
        return True
    for name in body.keys() - by_condition:
        fault = Fault(DetailCode.UNKNOWN_FIELD, f"campo desconhecido ou que não vai com os outros: {name}")
        raise refusal(name, fault)
    return False


def _row_refusal(refused: Found, named: _Named) -> ApiError:
    """Return ROW_NOT_FOUND where a row is gone, else ROW_CHANGED with the rows as they are now."""
    if refused[0][1] is None:  # whoever changed the row has undone it meanwhile
        return ApiError(TABLE_BUSY)
    total = refused[0][3]
    at = {row_id: named.places[row_id] for _, row_id, _, _ in refused}
    gone = sorted(at[row_id] for _, row_id, row, _ in refused if row is None)
    if gone:
        return ApiError(ROW_NOT_FOUND, [_detail(GONE, named, place) for place in gone])
    rows = [(at[row_id], exact_json.loads(row.encode())) for _, row_id, row, _ in refused]
    rows.sort(key=lambda numbered_row: numbered_row[0])
    details = [_detail(CHANGED, named, place, value=row) for place, row in rows]
    return ApiError(ROW_CHANGED, details, total, [rows[0][1]])


def _detail(fault: Fault, named: _Named, place: int, **more: Any) -> Detail:
    return detail("body", fault, path=named.path.format(place), row=place, **more)
