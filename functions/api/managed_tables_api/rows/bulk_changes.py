"""Change and delete many rows at once, by their ids or by a condition: all of them or none.

Every id and value is checked, and every fault named, before anything is written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg.errors import DivisionByZero

from managed_tables import exact_json
from managed_tables.conditions.composition import condition_parameters
from managed_tables.conditions.reading import read_where
from managed_tables.conditions.tree import Condition, leaves, without_values
from managed_tables.details import MAX_ERROR_DETAILS, Detail, Fault, detail
from managed_tables.errors import ROW_CHANGED, ROW_NOT_FOUND, TABLE_BUSY, ApiError
from managed_tables.exact_json import Object
from managed_tables.history.recording import NOT_RECORDED
from managed_tables.identifiers import ID_COLUMN
from managed_tables.values import Parsers, array_text, quoted
from managed_tables_api.http.requests import refusal
from managed_tables_api.rows import bulk_statements as statements
from managed_tables_api.rows.bulk_statements import UpdateShape
from managed_tables_api.rows.inserts import taken_by_update
from managed_tables_api.rows.parsing import (
    NO_OBJECT,
    NULL,
    Findings,
    check_fields,
    column_array,
    parse_changes,
)
from managed_tables_api.rows.running import (
    Definition,
    Found,
    KeyTaken,
    Parameters,
    Table,
    is_row_id,
    numbered,
    read_row_ids,
)
from managed_tables_api.rows.single_rows import CHANGED, versioned
from managed_tables_api.rows.statements import VERSION_FIELD

Body = Mapping[str, Any]

_NO_SET = Fault("NOT_AN_OBJECT", "deve ser um objeto com os campos a alterar")


def update(table: Table, body: Body) -> int:
    """Change the rows of a body `{"rows"}` or `{"where", "set"}`, and return how many.

    Raises ROW_NOT_FOUND and ROW_CHANGED, `details` naming the rows.
    """
    change = _update_rows if _is_by_ids(body, "rows", {"where", "set", "all"}) else _update_where
    try:
        return change(table, body)
    except KeyTaken as taken:
        written = [
            {name: None if value is None else str(value) for name, value in row.items()}
            for row in body.get("rows", ())
        ]
        raise taken_by_update(table.definition, taken, written) from taken


def delete(table: Table, body: Body) -> int:
    """Delete the rows of a body `{"ids"}` or `{"where"}`, and return how many; raises ROW_NOT_FOUND."""
    if _is_by_ids(body, "ids", {"where", "all"}):
        _require_list(body["ids"], "ids", MAX_IDS)
        places: dict[str, int] = {}
        for number, row_id in enumerate(body["ids"]):
            if not isinstance(row_id, str):
                raise refusal(f"ids[{number}]", Fault("NOT_A_TEXT", "deve ser o id de uma linha"))
            places.setdefault(_checked_id(row_id, f"ids[{number}]"), number)
        table.require_active()
        named = _Named("ids[{}]", places, no_versions(len(places)))
        parameters = {"ids": array_text(sorted(places)), **table.acting("bulk")}
        return _all_or_none(table, statements.delete_rows_statement(table.definition), parameters, named)
    condition = _read_where(table, body)
    table.require_active()
    statement = statements.delete_where_statement(table.definition, without_values(condition))
    return _count(table, statement, {**condition_parameters(condition), **table.acting("bulk")})


def _update_rows(table: Table, body: Body) -> int:
    definition, acting = table.definition, table.acting("bulk")
    updates = parse_updates(definition, body["rows"], table.parsers)
    table.require_active()
    named = _Named("rows[{}].id", updates.places, updates.row_versions)
    statement = statements.update_rows_statement(definition, updates.shape)
    try:
        return _all_or_none(table, statement, {**updates.parameters, **acting}, named)
    except KeyTaken:
        recorded = {"actor": NOT_RECORDED, "recorder": acting["actor"]}
        statement = statements.exchange_rows_statement(definition, updates.shape)
        return _all_or_none(table, statement, {**updates.parameters, **recorded}, named)


def _update_where(table: Table, body: Body) -> int:
    condition = _read_where(table, body)
    fields = body.get("set")
    if not isinstance(fields, dict) or not fields:
        raise refusal("set", _NO_SET)
    changes = parse_changes(table.definition, fields, table.parsers)
    table.require_active()
    statement = statements.update_where_statement(table.definition, tuple(changes), without_values(condition))
    parameters = {**numbered(list(changes.values())), **condition_parameters(condition)}
    return _count(table, statement, {**parameters, **table.acting("bulk")})


def _all_or_none(table: Table, statement: bytes, parameters: Parameters, named: "_Named") -> int:
    """Run a statement that fails if it misses a row, and raise the error about such rows."""
    try:
        return _count(table, statement, {**parameters, "wanted": str(len(named.places))})
    except DivisionByZero as missed:
        limit = str(MAX_ERROR_DETAILS)
        wanted = {"ids": parameters["ids"], "row_versions": named.row_versions, "limit": limit}
        search = statements.refused_rows_statement(table.definition, versioned(table.definition))
        raise _row_refusal(table.read(search, wanted), named) from missed


def _read_where(table: Table, body: Body) -> Condition:
    """Return the body's condition; one that compares nothing, at any depth, must be meant: `all`."""
    where = {} if body.get("where") is None else body["where"]
    condition = read_where(where, table.definition.by_name, table.parsers)
    if not any(leaves(condition)) and body.get("all") is not True:
        raise refusal("where", Fault("REQUIRED", _NOT_ALL))
    return condition


def _count(table: Table, statement: bytes, parameters: Parameters) -> int:
    return int(table.run(statement, parameters)[0][1])


_NOT_ALL = 'sem condição vale para todas as linhas; se é o que quer, mande também "all": true'


@dataclass(frozen=True)
class _Named:
    """The rows that a request names: each id's position, and the versions as the text of an array."""

    path: str
    places: Mapping[str, int]
    row_versions: str


def _is_by_ids(body: Body, by_ids: str, by_condition: set[str]) -> bool:
    """Return which of its two forms a body has; raises INVALID_REQUEST for any other."""
    if body.keys() == {by_ids}:
        return True
    for name in body.keys() - by_condition:
        fault = Fault("UNKNOWN_FIELD", f"campo desconhecido ou que não vai com os outros: {name}")
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


MAX_UPDATES = 1_000
MAX_IDS = 10_000

_NO_ID = Fault("REQUIRED", "obrigatório: o id da linha")
_TWICE = Fault("DUPLICATE_ID", "a mesma linha duas vezes")
_NO_VERSION = Fault("NOT_A_TEXT", f"{VERSION_FIELD} deve ser um texto que a API respondeu")
GONE = Fault("ROW_NOT_FOUND", "a linha não existe")
_NO_FIELDS = Fault("REQUIRED", "nenhuma linha tem um campo a alterar")


@dataclass(frozen=True)
class Updates:
    """A bulk update by ids: the statement's shape and parameters, and each id's position in the request."""

    shape: UpdateShape
    parameters: Mapping[str, str | None]
    places: Mapping[str, int]
    row_versions: str


def parse_updates(definition: Definition, rows: Any, parsers: Parsers) -> Updates:
    """Return the updates of a body's `rows`; raises INVALID_REQUEST, INVALID_ROWS and ROW_NOT_FOUND."""
    _require_list(rows, "rows", MAX_UPDATES)
    findings = Findings()
    places = _parse_places(rows, findings)
    findings.raise_any()
    named = set().union(*rows)
    check_fields(definition.by_name.keys() | {ID_COLUMN, VERSION_FIELD}, rows, findings)
    findings.raise_any()
    named_by_all = set(rows[0]).intersection(*rows)
    # Two requests that change the same rows meet them in the same order, and do not lock one another out.
    ids = sorted(places)
    numbered = [(places[row_id], rows[places[row_id]]) for row_id in ids]
    columns = [column for column in definition.columns if column.name in named]
    if not columns:
        raise refusal("rows", _NO_FIELDS)
    partial = tuple(column.name not in named_by_all for column in columns)
    parameters: dict[str, str | None] = {"ids": array_text(ids)}
    for place, column in enumerate(columns):
        parameters[f"c{place}"] = column_array(column, numbered, parsers[column.type], NULL, findings)
        if partial[place]:
            parameters[f"g{place}"] = _given_array(column.name, numbered)
    is_conditional = VERSION_FIELD in named and VERSION_FIELD not in definition.by_name
    row_versions = _version_array(numbered, findings) if is_conditional else no_versions(len(ids))
    findings.raise_any()
    if is_conditional:
        parameters["row_versions"] = row_versions
    names = tuple(column.name for column in columns)
    return Updates(UpdateShape(names, partial, is_conditional), parameters, places, row_versions)


def no_versions(length: int) -> str:
    """Return the text of an array of as many NULLs: rows of any version."""
    return array_text([NULL] * length)


def _require_list(items: Any, path: str, limit: int) -> None:
    if not isinstance(items, list) or not items:
        raise refusal(path, Fault("NOT_A_LIST", "deve ser uma lista com ao menos um item"))
    if len(items) > limit:
        raise refusal(path, Fault("TOO_LONG", f"no máximo {limit} itens"))


def _parse_places(rows: Sequence[Any], findings: Findings) -> dict[str, int]:
    """Return each id's position in the request."""
    try:
        ids = read_row_ids([row[ID_COLUMN] for row in rows])
    except (TypeError, KeyError):
        ids = []  # one must be checked alone
    places = {row_id: number for number, row_id in enumerate(ids)}
    if len(places) == len(ids) == len(rows):
        return places
    places = {}
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            findings.add(number, None, row, NO_OBJECT)
            continue
        row_id = row.get(ID_COLUMN)
        if not isinstance(row_id, str):
            findings.add(number, ID_COLUMN, row_id, _NO_ID)
            continue
        row_id = _checked_id(row_id, f"rows[{number}].id")
        if row_id in places:
            findings.add(number, ID_COLUMN, row_id, _TWICE)
        places[row_id] = number
    return places


def _checked_id(row_id: str, path: str) -> str:
    if not is_row_id(row_id):
        raise ApiError(ROW_NOT_FOUND, [detail("body", GONE, path=path)])
    return row_id.lower()


def _given_array(name: str, numbered: Sequence[tuple[int, Object]]) -> str:
    return array_text("t" if name in row else "f" for _, row in numbered)


def _version_array(numbered: Sequence[tuple[int, Object]], findings: Findings) -> str:
    """Return the text of an array of the version that each row must have, NULL for any."""
    elements = []
    for number, row in numbered:
        version = row.get(VERSION_FIELD)
        if version is None:
            elements.append(NULL)
        elif isinstance(version, str) and "\x00" not in version:
            elements.append(quoted(version))
        else:
            findings.add(number, VERSION_FIELD, version, _NO_VERSION)
    return array_text(elements)
