"""Insert rows: all of them or none, once however often they are sent.

What meets a row of the same key is updated, ignored or refused (409, naming the rows and the values).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, LiteralString

from psycopg import sql

from managed_tables import errors, exact_json
from managed_tables.databases.statements import compose
from managed_tables.details import MAX_ERROR_DETAILS, Detail, Fault, detail
from managed_tables.errors import ApiError
from managed_tables.history import recorded_rows, row_cells
from managed_tables.schema import Column
from managed_tables.wording import named_values
from managed_tables_api.http.requests import Numbers
from managed_tables_api.rows.broken_rules import refuse_new_rows
from managed_tables_api.rows.parsing import parse_rows, value_of
from managed_tables_api.rows.running import (
    Definition,
    Execute,
    Found,
    KeyTaken,
    Parameters,
    RuleViolated,
    StaleDefinition,
    Table,
    numbered,
)
from managed_tables_api.rows.statements import (
    ROW,
    TABLE,
    Shown,
    cell,
    column_arrays,
    compose_reading,
    compose_statement,
    counted,
    kept_statement,
    names_of,
    part,
)

OnConflict = Literal["error", "update", "ignore"]
_MERGING = ("update", "ignore")  # to which a row whose key the table has is no error
Returned = Literal["count", "ids", "records"]

# Of the definition, where rows are inserted: what their ids begin with.
_NOW = sql.SQL("(extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS microseconds")
# UUIDv7: 48 bits of milliseconds, version, then 32 bits (12 before the variant, 20 after it) that count the
# rows of the batch from the 4,096th of the millisecond, so that two requests of one millisecond keep their
# order; 42 random bits. A batch of more than a million rows runs on into the next 4,096th.
_COUNTER = '((microseconds %% 1000 * 4096 / 1000) << 20) + {row}."$number" - 1'
_ROW_ID = sql.SQL(
    "(lpad(to_hex(microseconds / 1000 + ((COUNTER) >> 32)), 12, '0') || '7'"
    " || lpad(to_hex(((COUNTER) >> 20) & 4095), 3, '0')"
    " || to_hex((-9223372036854775808)::bigint | (((COUNTER) & 1048575) << 42)"
    " | floor(random() * 4398046511104)::bigint))::uuid".replace("COUNTER", _COUNTER)
).format(row=ROW)
_RESULTS: dict[Returned, sql.SQL] = {
    "count": sql.SQL("NULL::text"),
    "ids": sql.SQL("(SELECT json_agg(id ORDER BY id)::text FROM {source})"),
    "records": sql.SQL("(SELECT '[' || string_agg(row, ',' ORDER BY id) || ']' FROM {source})"),
}


@kept_statement
def insert_statement(
    definition: Definition,
    returned: Returned = "count",
    numbers: Numbers = "number",
    changed: tuple[str, ...] | None = None,
) -> bytes:
    """Return the statement that inserts rows: (1, inserted, updated, the returned part, their ids).

    Where the table has a row's key, `changed` are the columns that are updated in it, none to ignore the row;
    without, the statement fails. Parameters: table_id, version, one array a column, c0, c1, …. `ids` and
    `records` are returned as the text of a JSON list in the order of the rows, with the ids as that of an
    array; `count` as NULLs. Ids are as docs/architecture.md says.
    """
    fields = [part("{t}.id, {t}.xmax = 0 AS is_new")]
    if returned == "records":
        shown = Shown(definition.columns, numbers)
        fields.append(part("{json} AS row", json=shown.json(TABLE, stored=True)))
    if definition.history:
        fields.append(row_cells(TABLE))
    made = sql.SQL("(SELECT id, cells FROM written WHERE is_new)")
    return compose_statement(
        "WITH {held}, written AS (INSERT INTO {table} AS {t} (id, {names:i}) SELECT {row}.* FROM"
        " (SELECT {row_id} AS id, {values} FROM definition, unnest({arrays}) WITH ORDINALITY"
        ' AS {row} ({names:i}, "$number")) AS {row}{on_conflict} RETURNING {fields}),'
        "{recorded} {counted} SELECT 1, (SELECT count(*) FROM written WHERE is_new),"
        " (SELECT count(*) FROM written WHERE NOT is_new), {result}, {ids} FROM definition",
        definition,
        active=True,
        select=_NOW,
        names=names_of(definition.columns),
        row_id=_ROW_ID,
        values=[cell(ROW, column.name) for column in definition.columns],
        arrays=column_arrays(enumerate(definition.columns)),
        on_conflict=sql.SQL("") if changed is None else _on_conflict(definition, changed),
        fields=fields,
        recorded=recorded_rows(made) + sql.SQL(",") if definition.history else sql.SQL(""),
        counted=counted(sql.SQL("(SELECT count(*) FROM written WHERE is_new)")),
        result=_RESULTS[returned].format(source=sql.SQL("written")),
        ids=sql.SQL("NULL" if returned == "count" else "(SELECT array_agg(id)::text FROM written)"),
    )


def _on_conflict(definition: Definition, changed: tuple[str, ...]) -> sql.Composed:
    """Return what becomes of a row whose key the table has.

    Rows are met in the order of their keys, so that two such requests do not lock one another out.
    """
    key = definition.key or ()
    changes = [compose("{name:i} = EXCLUDED.{name:i}", name=name) for name in changed]
    action = compose("UPDATE SET {}", changes) if changed else sql.SQL("NOTHING")
    order = [cell(ROW, name) for name in key]
    return compose(" ORDER BY {} ON CONFLICT ({:i}) DO {}", order, list(key), action)


def _is_there(definition: Definition, columns: tuple[Column, ...]) -> sql.Composed:
    """Return the test that the table has a row of the key; by `=`, for the index, except for NULLs."""

    def every(form: LiteralString) -> sql.Composed:
        return sql.SQL(" AND ").join(part(form, name=column.name) for column in columns)

    return part(
        "CASE WHEN {filled} THEN EXISTS (SELECT FROM {table} AS {t} WHERE {equal})"
        " ELSE EXISTS (SELECT FROM {table} AS {t} WHERE {alike}) END",
        definition,
        filled=every("{row}.{name:i} IS NOT NULL"),
        equal=every("{t}.{name:i} = {row}.{name:i}"),
        alike=every("{t}.{name:i} IS NOT DISTINCT FROM {row}.{name:i}"),
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
    """The client's name for a request, by which it is repeated safely, and a digest of the request."""

    key: str  # recorded by the transaction that inserts, and kept for a day at least
    fingerprint: str


@dataclass(frozen=True)
class NewRows:
    """The rows to insert, as JSON; with a key, once however often they are sent."""

    rows: Any
    key: IdempotencyKey | None = None
    returned: Returned = "count"
    numbers: Numbers = "number"
    on_conflict: OnConflict | None = None  # what becomes of a row whose key the table has; None: as `error`


@dataclass(frozen=True)
class InsertedRows:
    """How many rows were inserted, updated and ignored; ids or rows as a JSON list if asked for."""

    count: int
    returned: str | None = None
    updated: int = 0
    ignored: int = 0


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
    try:
        applied = _apply(table, new)
    except ApiError as error:  # a request that is applied stays so, whatever would refuse it now
        applied = None if error.kind.status >= 500 else _find_applied(table, new, new.key)
        if applied is None:
            raise
    return applied or _find_applied(table, new, new.key) or InsertedRows(0)


def _apply(table: Table, new: NewRows) -> InsertedRows | None:
    """Insert or merge the rows, None where their request's key is taken.

    All of them are read before the first statement: a transaction holds a connection, and what it locks.
    """
    definition, key = table.definition, new.key
    arrays = parse_rows(definition, new.rows, table.parsers, table.settings.zone)
    parameters = {**table.acting("api"), **numbered(arrays)}
    if key is not None:
        parameters |= {"key": key.key, "fingerprint": key.fingerprint, "row_count": str(len(new.rows))}
    batches = _batches(table, new, parameters)

    def claim_and_write(execute: Execute) -> InsertedRows | None:
        if key is not None and not execute(_CLAIM, parameters)[0][1]:
            return None
        if len(batches) > 1:  # of one statement PostgreSQL itself would say so
            repeated = execute(*_repeated_keys(definition, parameters, within_request=True))
            if repeated[0][1] is not None:
                raise _key_refusal(definition, repeated)
        written = [execute(*batch)[0] for batch in batches]
        inserted, updated = (sum(counts[place] for counts in written) for place in (1, 2))
        returned, ids = written[0][3:]
        table.require_sendable([returned or ""])  # before anything is committed
        if key is not None:
            execute(_RECORD_OUTCOME, {**parameters, "counts": f"{{{inserted},{updated}}}", "ids": ids})
        return InsertedRows(inserted, returned, updated, len(new.rows) - inserted - updated)

    try:
        if key is not None or new.on_conflict in _MERGING or new.returned != "count":
            return table.transact(claim_and_write, repeatable=key is not None)
        return claim_and_write(table.run)
    except RuleViolated as violated:
        merges = new.on_conflict in _MERGING
        raise refuse_new_rows(table, violated, new.rows, parameters, merges=merges) from violated
    except KeyTaken as taken:
        definition = _with_key(definition, taken)
        within_request = new.on_conflict == "update"
        repeated = table.read(*_repeated_keys(definition, parameters, within_request=within_request))
        raise _key_refusal(definition, repeated) from taken


Batch = tuple[bytes, Parameters]


def _batches(table: Table, new: NewRows, parameters: Parameters) -> Sequence[Batch]:
    """Return a statement and its parameters for all rows, or for those that name the same columns."""
    definition, key = table.definition, table.definition.key
    if new.on_conflict not in _MERGING:
        return [(insert_statement(definition, new.returned, new.numbers), parameters)]
    if key is None:
        raise ApiError(errors.TABLE_WITHOUT_KEY)
    if new.returned != "count":
        raise ApiError(errors.INVALID_REQUEST, reason="return não vai com on_conflict=update ou ignore")
    if new.on_conflict == "ignore":
        return [(insert_statement(definition, changed=()), parameters)]
    by_names: dict[tuple[str, ...], list[Any]] = {}
    for row in new.rows:
        by_names.setdefault(tuple(sorted(row)), []).append(row)
    batches: list[Batch] = []
    for names, rows in by_names.items():
        given = parameters
        if len(by_names) > 1:
            arrays = parse_rows(definition, rows, table.parsers, table.settings.zone)
            given = {"actor": parameters["actor"], **numbered(arrays)}
        changed = tuple(name for name in names if name not in key)
        batches.append((insert_statement(definition, changed=changed or tuple(key)), given))
    return batches


def _repeated_keys(definition: Definition, parameters: Parameters, *, within_request: bool) -> Batch:
    """Return the statement of the rows that repeat a key: (1, number from 1, key as JSON, how many in all).

    `within_request`: that of an earlier row of the request, else one of the table's, too. Its parameters are
    those of `insert_statement`, and how many are shown.
    """
    columns = tuple(definition.by_name[name] for name in definition.key or ())
    there = sql.SQL("") if within_request else sql.SQL(" OR {}").format(_is_there(definition, columns))
    statement = compose_reading(
        'SELECT {row}."$number" AS number, {key}, count(*) OVER () FROM (SELECT *,'
        ' row_number() OVER (PARTITION BY {names:i} ORDER BY "$number") AS "$repeated"'
        ' FROM unnest({arrays}) WITH ORDINALITY AS {row} ({names:i}, "$number")) AS {row}'
        ' WHERE {row}."$repeated" > 1{there} ORDER BY 1 LIMIT %(limit)s::bigint',
        key=Shown(columns, has_id=False).json(ROW),
        names=names_of(columns),
        arrays=column_arrays((definition.columns.index(column), column) for column in columns),
        there=there,
    )
    return statement, {**parameters, "limit": str(MAX_ERROR_DETAILS)}


@kept_statement
def applied_request_statement(definition: Definition, returned: Returned, numbers: Numbers) -> bytes:
    """Return the statement of an earlier request: (1, fingerprint, row count, the returned part, counts)."""
    source: sql.Composable = sql.SQL("unnest(applied.ids) AS id")
    if returned == "records":
        source = part(
            "(SELECT {t}.id, {json} AS row FROM {table} AS {t} WHERE {t}.id = ANY (applied.ids)) AS {t}",
            definition,
            json=Shown(definition.columns, numbers).json(TABLE, stored=True),
        )
    return compose_reading(
        "SELECT fingerprint, row_count, {result}, counts FROM managed_tables.applied_requests AS applied"
        " WHERE table_id = %(table_id)s::text AND idempotency_key = %(key)s::text",
        result=_RESULTS[returned].format(source=source),
    )


def _find_applied(table: Table, new: NewRows, key: IdempotencyKey) -> InsertedRows | None:
    """Return what an earlier request of this key did, None without one; deleted rows are left out."""
    statement = applied_request_statement(table.definition, new.returned, new.numbers)
    (_, fingerprint, count, returned, counts), *_ = table.read(statement, {"key": key.key})
    if fingerprint is None:
        return None
    if fingerprint != key.fingerprint:
        raise ApiError(errors.IDEMPOTENCY_KEY_REUSED)
    table.require_sendable([returned or ""])
    inserted, updated = counts or (count, 0)  # of a plain insert an earlier release has recorded none
    return InsertedRows(inserted, returned, updated, count - inserted - updated)
