"""Insert rows: all of them or none, once however often they are sent.

What meets a row of the same key is updated, ignored or refused (409, naming the rows and the values).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal, LiteralString

from psycopg import sql

from managed_tables import errors, exact_json
from managed_tables.details import MAX_ERROR_DETAILS, Detail, Fault, detail
from managed_tables.errors import ApiError
from managed_tables.history.recording import row_cells
from managed_tables.schema import Column
from managed_tables.wording import named_values
from managed_tables_api.http.requests import Numbers
from managed_tables_api.rows.parsing import parse_rows, value_of
from managed_tables_api.rows.running import (
    Definition,
    Execute,
    Found,
    KeyTaken,
    Parameters,
    StaleDefinition,
    Table,
    numbered,
)
from managed_tables_api.rows.statements import (
    NOW,
    NUMBER,
    ROW,
    TABLE,
    Returned,
    Shown,
    applied_request_statement,
    column_arrays,
    compose_reading,
    compose_statement,
    counted,
    given_rows,
    insert_statement,
    kept_statement,
    names_of,
    part,
    recorded,
    row_json,
)

OnConflict = Literal["error", "update", "ignore"]

_GIVEN = sql.Identifier("$given")
_REPEATED = sql.Identifier("$repeated")


def key_columns(definition: Definition) -> tuple[Column, ...]:
    """Return the columns of the table's key, none without one."""
    return tuple(definition.by_name[name] for name in definition.key or ())


@kept_statement
def merge_statement(definition: Definition, names: tuple[str, ...], on_conflict: OnConflict) -> bytes:
    """Return the statement that inserts rows of a table with a key: (1, inserted, updated).

    A row whose key the table has is updated in the columns `names`, or ignored. Parameters: table_id,
    version, one array a column, c0, c1, …. Rows are met in the order of their keys, so that two such
    requests do not lock one another out.
    """
    key = [sql.Identifier(column.name) for column in key_columns(definition)]
    return compose_statement(
        "WITH {held}, {given} AS MATERIALIZED ({rows}),"
        " merged AS (INSERT INTO {table} AS {t} (id, {columns})"
        " SELECT {given}.* FROM {given} ORDER BY {key}"
        " ON CONFLICT ({key}) DO {action} RETURNING {t}.xmax = 0 AS is_new{made}),"
        "{recorded} {counted} SELECT 1, count(*) FILTER (WHERE merged.is_new),"
        " count(*) FILTER (WHERE NOT merged.is_new) FROM definition LEFT JOIN merged ON true"
        " GROUP BY definition.microseconds",
        definition,
        active=True,
        select=NOW,
        given=_GIVEN,
        rows=given_rows(definition),
        columns=names_of(definition.columns),
        key=sql.SQL(", ").join(key),
        action=_action(names, key, on_conflict),
        made=part(", {t}.id, {cells}", cells=row_cells(TABLE)) if definition.history else sql.SQL(""),
        recorded=recorded(definition, sql.SQL("(SELECT id, cells FROM merged WHERE is_new)")),
        counted=counted(sql.SQL("(SELECT count(*) FROM merged WHERE is_new)")),
    )


def _action(names: tuple[str, ...], key: list[sql.Identifier], on_conflict: OnConflict) -> sql.Composable:
    if on_conflict == "ignore":
        return sql.SQL("NOTHING")
    changed = [sql.Identifier(name) for name in names] or key
    changes = [sql.SQL("{name} = EXCLUDED.{name}").format(name=name) for name in changed]
    return sql.SQL("UPDATE SET {}").format(sql.SQL(", ").join(changes))


@kept_statement
def repeated_keys_statement(definition: Definition, *, within_request: bool) -> bytes:
    """Return the statement of the rows that repeat a key: (1, number from 1, key as JSON, how many in all).

    `within_request`: that of an earlier row of the request, else one of the table's, too. Parameters:
    table_id, version, limit, and of `insert_statement` the arrays of the key's columns.
    """
    columns = key_columns(definition)
    numbered = ((definition.columns.index(column), column) for column in columns)
    there = sql.SQL("") if within_request else sql.SQL(" OR {}").format(_is_there(definition, columns))
    return compose_reading(
        "SELECT {row}.{number} AS number, {key}, count(*) OVER () FROM (SELECT *,"
        " row_number() OVER (PARTITION BY {names} ORDER BY {number}) AS {repeated}"
        " FROM unnest({arrays}) WITH ORDINALITY AS {row} ({names}, {number})) AS {row}"
        " WHERE {row}.{repeated} > 1{there} ORDER BY 1 LIMIT %(limit)s::bigint",
        number=NUMBER,
        key=row_json(Shown(columns, has_id=False).fields(ROW)),
        names=names_of(columns),
        repeated=_REPEATED,
        arrays=column_arrays(numbered),
        there=there,
    )


def _is_there(definition: Definition, columns: tuple[Column, ...]) -> sql.Composed:
    """Return the test that the table has a row of the key; by `=`, for the index, except for NULLs."""
    cells = [sql.Identifier(column.name) for column in columns]

    def every(form: LiteralString) -> sql.Composed:
        return sql.SQL(" AND ").join(part(form, name=name) for name in cells)

    return part(
        "CASE WHEN {filled} THEN EXISTS (SELECT FROM {table} AS {t} WHERE {equal})"
        " ELSE EXISTS (SELECT FROM {table} AS {t} WHERE {alike}) END",
        definition,
        filled=every("{row}.{name} IS NOT NULL"),
        equal=every("{t}.{name} = {row}.{name}"),
        alike=every("{t}.{name} IS NOT DISTINCT FROM {row}.{name}"),
    )


def _key_refusal(definition: Definition, repeated: Found) -> ApiError:
    details = [
        _key_detail(definition, exact_json.loads(values.encode()), row=number - 1)
        for _, number, values, _ in repeated
        if number is not None
    ]
    return ApiError(errors.DUPLICATE_KEY, details, repeated[0][3], key=", ".join(definition.key or ()))


def _key_detail(definition: Definition, values: Mapping[str, Any], **place: int) -> Detail:
    key, named = definition.key or (), named_values(values)
    fault = Fault("DUPLICATE_KEY", f"já existe uma linha com {named or 'a mesma chave'}")
    column = {"column": key[0]} if len(key) == 1 else {}
    return detail("row", fault, **place, **column, value=values)


def taken_by_update(
    definition: Definition, taken: KeyTaken, rows: Sequence[Mapping[str, str | None]]
) -> ApiError:
    """Return DUPLICATE_KEY with the values that an update would have repeated.

    `rows` are the texts of the changed columns, one list a row of the request; a row is named if its values
    identify it.
    """
    definition = _with_key(definition, taken)
    texts = dict(zip(taken.columns, taken.values, strict=False))
    named = [
        number
        for number, row in enumerate(rows)
        if row and all(row[name] == texts.get(name) for name in row.keys() & texts.keys())
    ]
    values = {name: value_of(definition.by_name[name].type, text, "number") for name, text in texts.items()}
    place = {"row": named[0]} if len(named) == 1 else {}
    details = [_key_detail(definition, values, **place)]
    return ApiError(errors.DUPLICATE_KEY, details, key=", ".join(definition.key or ()))


def _with_key(definition: Definition, taken: KeyTaken) -> Definition:
    """Return the definition with the key that was taken; raises StaleDefinition where that is not known.

    The index of a key refuses rows while it is being built, and while it is being dropped: the definition has
    the key only in between.
    """
    key = tuple(taken.columns) or definition.key
    if key is None or not definition.by_name.keys() >= set(key):
        raise StaleDefinition
    return definition if key == definition.key else replace(definition, key=key)


@dataclass(frozen=True)
class IdempotencyKey:
    """The client's name for a request, by which it is repeated safely, and a digest of the request.

    The key is recorded by the transaction that inserts, and kept for a day at least.
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
    ids: str | None = None  # of the inserted rows, as the text of an array, where something is returned


# Of two requests with one key the later one waits here for the earlier one's end, and inserts nothing.
# Keys of more than a day ago go by the dozen: more than come.
_CLAIM = compose_statement(
    "WITH {held}, claimed AS (INSERT INTO managed_tables.applied_requests"
    " (table_id, idempotency_key, fingerprint, row_count)"
    " SELECT %(table_id)s::text, %(key)s::text, %(fingerprint)s::text, %(row_count)s::bigint"
    " FROM definition ON CONFLICT DO NOTHING RETURNING 1),"
    " forgotten AS (DELETE FROM managed_tables.applied_requests WHERE ctid = ANY (ARRAY("
    "SELECT ctid FROM managed_tables.applied_requests WHERE applied_at < now() - interval '1 day'"
    " ORDER BY applied_at LIMIT 12 FOR UPDATE SKIP LOCKED)))"
    " SELECT 1, (SELECT count(*) FROM claimed) FROM definition",
    active=True,
)
# `counts` and `ids` are the texts of arrays.
_RECORD_OUTCOME = (
    b"UPDATE managed_tables.applied_requests SET counts = %(counts)s::bigint[], ids = %(ids)s::uuid[]"
    b" WHERE table_id = %(table_id)s::text AND idempotency_key = %(key)s::text RETURNING 1"
)


def insert(table: Table, new: NewRows) -> InsertedRows:
    """Insert all of the rows or none."""
    if new.key is None:
        return _apply(table, new) or InsertedRows(0)
    # A request that is not applied yet may be, by another one of its key, before it has claimed the key.
    applied = _find_applied(table, new, new.key) or _apply(table, new)
    return applied or _find_applied(table, new, new.key) or InsertedRows(0)


def _apply(table: Table, new: NewRows) -> InsertedRows | None:
    """Insert or merge the rows, None where their request's key is taken."""
    definition, is_keyed = table.definition, new.key is not None
    arrays = parse_rows(definition, new.rows, table.parsers, table.settings.zone)
    parameters = {**table.acting("api"), **numbered(arrays)}
    if new.key is not None:
        own = {"key": new.key.key, "fingerprint": new.key.fingerprint, "row_count": str(len(new.rows))}
        parameters |= own
    merges = new.on_conflict in ("update", "ignore")
    write = _merge(table, new, parameters) if merges else partial(_insert, table, new, parameters)

    def claim_and_write(execute: Execute) -> InsertedRows | None:
        if is_keyed and not execute(_CLAIM, parameters)[0][1]:
            return None
        written = write(execute)
        if is_keyed:
            counts = f"{{{written.count},{written.updated}}}"
            execute(_RECORD_OUTCOME, {**parameters, "counts": counts, "ids": written.ids})
        return written

    try:
        if is_keyed or merges or new.returned != "count":
            return table.transact(claim_and_write, repeatable=is_keyed)
        return write(table.run)
    except KeyTaken as taken:
        definition = _with_key(definition, taken)
        statement = repeated_keys_statement(definition, within_request=new.on_conflict == "update")
        repeated = table.read(statement, {**parameters, "limit": str(MAX_ERROR_DETAILS)})
        raise _key_refusal(definition, repeated) from taken


def _insert(table: Table, new: NewRows, parameters: Parameters, execute: Execute) -> InsertedRows:
    statement = insert_statement(table.definition, new.returned, new.numbers)
    (_, count, returned, ids), *_ = execute(statement, parameters)
    table.require_sendable([returned or ""])  # before anything is committed
    return InsertedRows(count, returned, ids=ids)


def _merge(table: Table, new: NewRows, parameters: Parameters) -> Callable[[Execute], InsertedRows]:
    """Return what inserts the rows, those whose key the table has as `on_conflict` says.

    All of them are read before it is called: it holds a connection, and what its statements lock.
    """
    definition = table.definition
    if definition.key is None:
        raise ApiError(errors.TABLE_WITHOUT_KEY)
    if new.returned != "count":
        raise ApiError(errors.INVALID_REQUEST, reason="return não vai com on_conflict=update ou ignore")
    batches = _batches(table, new, parameters)

    def write(execute: Execute) -> InsertedRows:
        if len(batches) > 1:  # of one statement PostgreSQL itself would say so
            statement = repeated_keys_statement(definition, within_request=True)
            repeated = execute(statement, {**parameters, "limit": str(MAX_ERROR_DETAILS)})
            if repeated[0][1] is not None:
                raise _key_refusal(definition, repeated)
        counts = [execute(statement, given)[0] for statement, given in batches]
        inserted, updated = (sum(count[place] for count in counts) for place in (1, 2))
        return InsertedRows(inserted, None, updated, len(new.rows) - inserted - updated)

    return write


def _batches(table: Table, new: NewRows, parameters: Parameters) -> Sequence[tuple[bytes, Parameters]]:
    """Return a statement and its parameters for the rows that name the same columns."""
    definition = table.definition
    if new.on_conflict == "ignore":
        return [(merge_statement(definition, (), "ignore"), parameters)]
    by_names: dict[tuple[str, ...], list[Any]] = {}
    for row in new.rows:
        by_names.setdefault(tuple(sorted(row)), []).append(row)
    batches: list[tuple[bytes, Parameters]] = []
    for names, rows in by_names.items():
        given = parameters
        if len(by_names) > 1:
            arrays = parse_rows(definition, rows, table.parsers, table.settings.zone)
            given = {"actor": parameters["actor"], **numbered(arrays)}
        changed = tuple(name for name in names if name not in (definition.key or ()))
        batches.append((merge_statement(definition, changed, "update"), given))
    return batches


def _find_applied(table: Table, new: NewRows, key: IdempotencyKey) -> InsertedRows | None:
    """Return the outcome of an earlier request of this key, None if there was none.

    Rows are answered as they are now, without deleted ones.
    """
    statement = applied_request_statement(table.definition, new.returned, new.numbers)
    (_, fingerprint, count, returned, counts), *_ = table.read(statement, {"key": key.key})
    if fingerprint is None:
        return None
    if fingerprint != key.fingerprint:
        raise ApiError(errors.IDEMPOTENCY_KEY_REUSED)
    table.require_sendable([returned or ""])
    inserted, updated = counts or (count, 0)
    return InsertedRows(inserted, returned, updated, count - inserted - updated)
