"""Read, update and delete rows one by one; their JSON ready to be sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeGuard

from psycopg import sql
from pydantic import Field

from managed_tables import exact_json
from managed_tables.details import Fault, Place, detail
from managed_tables.errors import INVALID_REQUEST, ROW_CHANGED, ROW_NOT_FOUND, ApiError
from managed_tables.exact_json import Object
from managed_tables.identifiers import ID_COLUMN
from managed_tables.schema import is_storable
from managed_tables_api.http.requests import NumbersQuery, QueryBoolean, refusal
from managed_tables_api.rows.broken_rules import name_violated, refuse_changed_rows
from managed_tables_api.rows.inserts import taken_by_update
from managed_tables_api.rows.pages import UNKNOWN_FIELD
from managed_tables_api.rows.parsing import parse_changes
from managed_tables_api.rows.running import (
    Definition,
    KeyTaken,
    Parameters,
    RuleViolated,
    Table,
    numbered,
    row_key,
)
from managed_tables_api.rows.statements import (
    TABLE,
    VERSION_FIELD,
    Shown,
    assignments,
    cell,
    changed_values,
    compose_deletion,
    compose_reading,
    compose_statement,
    kept_statement,
    part,
)

VERSION_HEADER = "If-Match"
NO_VERSION = Fault("NOT_A_TEXT", f"{VERSION_FIELD} deve ser um texto que a API respondeu")
CHANGED = Fault("ROW_CHANGED", "a linha foi alterada depois de lida")
_NAME_TAKEN = Fault("NOT_ALLOWED", f"a tabela tem uma coluna {VERSION_FIELD}; use ETag e If-Match")


class RowQuery(NumbersQuery):
    """How a row is answered."""

    versions: QueryBoolean = Field(
        default=False, description="`true` acrescenta `_version`, a versão de cada linha (extensão)"
    )


# A row of another version than asked for, NULL for any, is not changed.
_THE_ROW = sql.SQL(
    "{t}.id = %(id)s::uuid AND (%(row_version)s::text IS NULL OR {t}.xmin::text = %(row_version)s::text)"
).format(t=TABLE)


@kept_statement
def find_statement(definition: Definition, shown: Shown) -> bytes:
    """Return the statement of the row of an id: (1, row as JSON, its version), or NULLs for both."""
    return compose_reading(
        "SELECT {json}, {t}.xmin::text FROM {table} AS {t} WHERE {t}.id = %(id)s::uuid",
        definition,
        json=shown.json(TABLE, stored=True),
    )


@kept_statement
def update_statement(definition: Definition, names: Sequence[str], shown: Shown) -> bytes:
    """Return the statement that changes a row: (1, row as JSON, its version), NULLs where it changed none.

    A row that has the values already, to the last digit, is not written again. Parameters: table_id, version,
    id, row_version, c0, c1, … in the order of `names`.
    """
    return compose_statement(
        "WITH {held}, changed AS (UPDATE {table} AS {t} SET {changes} FROM definition WHERE {the_row}"
        " AND ROW({cells})::record *<> ROW({values})::record"
        " RETURNING {json} AS row, {t}.xmin::text AS version)"
        " SELECT 1, changed.row, changed.version FROM definition LEFT JOIN changed ON true",
        definition,
        active=True,
        changes=assignments(definition, names),
        cells=[cell(TABLE, name) for name in names],
        values=list(changed_values(definition, names).values()),
        the_row=_THE_ROW,
        json=shown.json(TABLE, stored=True),
    )


@kept_statement
def delete_statement(definition: Definition) -> bytes:
    """Return the statement that deletes a row by `id` and `row_version`: (1, how many)."""
    return compose_deletion(definition, _THE_ROW)


@dataclass(frozen=True)
class RowJson:
    """A row as JSON text, and its version."""

    text: str
    version: str


def get(table: Table, row_id: str, query: RowQuery) -> RowJson:
    """Return a row."""
    key = row_key(row_id)
    return _find(table, key, read_shown(table.definition, query))


def update(table: Table, row_id: str, fields: Object, row_version: str | None, query: RowQuery) -> RowJson:
    """Change the given fields of a row and return it.

    Raises ROW_CHANGED, with the row as it is now, if the row has another version than asked for: by
    `row_version`, or by the fields where that is no column's name.
    """
    definition, key = table.definition, row_key(row_id)
    fields, row_version = _without_own_fields(definition, row_id, fields, row_version)
    shown = read_shown(definition, query)
    changes = parse_changes(definition, fields, table.parsers)
    acting = table.acting("api")
    if not changes:
        return _unchanged(table, key, shown, row_version)
    parameters = {**key, **acting, **numbered(list(changes.values())), "row_version": row_version}
    try:
        (_, text, version), *_ = table.run(update_statement(definition, tuple(changes), shown), parameters)
    except RuleViolated as violated:
        found = part("{table} AS {t} WHERE {t}.id = %(id)s::uuid", definition)
        values = changed_values(definition, tuple(changes))
        refused = refuse_changed_rows(
            table, violated, found, values, {**parameters, **key}, lambda *_: 0, [fields]
        )
        raise refused from violated
    except KeyTaken as taken:
        raise taken_by_update(definition, taken, [changes]) from taken
    if text is None:
        return _unchanged(table, key, shown, row_version)
    return RowJson(text, version)


def _without_own_fields(
    definition: Definition, row_id: str, fields: Object, row_version: str | None
) -> tuple[Object, str | None]:
    """Return the fields that columns have, without the row's own id, and the version that is named."""
    kept = dict(fields)
    if str(kept.get(ID_COLUMN)).lower() == row_id.lower():
        del kept[ID_COLUMN]
    if VERSION_FIELD in kept and VERSION_FIELD not in definition.by_name:
        row_version = same_version(row_version, read_row_version(kept.pop(VERSION_FIELD)))
    return kept, row_version


def _unchanged(table: Table, key: Parameters, shown: Shown, row_version: str | None) -> RowJson:
    """Return the row as it is, which has all that was asked for; raises ROW_CHANGED and ROW_NOT_FOUND."""
    row = _find(table, key, shown)
    if row_version not in (None, row.version):
        raise _missed(table, key, row_version)
    return row


def delete(table: Table, row_id: str, row_version: str | None = None) -> None:
    """Delete a row; raises as `update` does where it has another version than asked for."""
    key = row_key(row_id)
    parameters = {**key, **table.acting("api"), "row_version": row_version}
    try:
        (_, deleted), *_ = table.run(delete_statement(table.definition), parameters)
    except RuleViolated as violated:
        raise name_violated(table, violated) from violated
    if not deleted:
        raise _missed(table, key, row_version)


def _find(table: Table, key: Parameters, shown: Shown) -> RowJson:
    (_, text, version), *_ = table.read(find_statement(table.definition, shown), key)
    if text is None:
        raise ApiError(ROW_NOT_FOUND)
    return RowJson(text, version)


def _missed(table: Table, key: Parameters, row_version: str | None) -> ApiError:
    """Return ROW_CHANGED, with the row as it is now, where a version was asked for; else ROW_NOT_FOUND."""
    if row_version is None:
        return ApiError(ROW_NOT_FOUND)
    present = _find(table, key, versioned(table.definition))
    row = exact_json.loads(present.text.encode())
    return ApiError(ROW_CHANGED, [detail("row", CHANGED, row=0, value=row)], rows=[row])


def read_shown(
    definition: Definition, query: RowQuery, place: Place = "query", fields: Sequence[str] | None = None
) -> Shown:
    """Return how rows are answered, with the columns `fields`, None for all; raises INVALID_REQUEST."""
    if query.versions and VERSION_FIELD in definition.by_name:
        raise refusal("versions", _NAME_TAKEN, place)
    if fields is None:
        return Shown(definition.columns, query.numbers, query.versions)
    wanted = dict.fromkeys(fields)
    wanted.pop(ID_COLUMN, None)  # it always comes
    for name in wanted:
        if name not in definition.by_name:
            raise refusal("fields", UNKNOWN_FIELD, place, value=name)
    columns = tuple(definition.by_name[name] for name in wanted)
    return Shown(columns, query.numbers, query.versions, names=tuple(wanted))


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
    if not is_version(given):
        raise ApiError(INVALID_REQUEST, reason=NO_VERSION.reason)
    return given


def is_version(given: object) -> TypeGuard[str]:
    """Return whether this may be a version that the API has answered."""
    return isinstance(given, str) and bool(given) and is_storable(given)
