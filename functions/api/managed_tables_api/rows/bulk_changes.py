"""Change and delete many rows at once, by their ids or by a condition: all of them or none.

Every id and value is checked, and every fault named, before anything is written.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import sql
from psycopg.errors import DivisionByZero

from managed_tables import exact_json
from managed_tables.conditions.composition import condition_parameters, condition_sql
from managed_tables.conditions.tree import Condition, leaves, read_where
from managed_tables.databases.statements import compose
from managed_tables.details import MAX_ERROR_DETAILS, Fault, detail
from managed_tables.errors import ROW_CHANGED, ROW_NOT_FOUND, TABLE_BUSY, ApiError
from managed_tables.exact_json import Object
from managed_tables.history import NOT_RECORDED
from managed_tables.identifiers import ID_COLUMN
from managed_tables.ids import is_uuid
from managed_tables.values import array_text, quoted
from managed_tables_api.http.requests import refusal
from managed_tables_api.rows.broken_rules import name_violated, refuse_changed_rows
from managed_tables_api.rows.inserts import taken_by_update
from managed_tables_api.rows.parsing import NULL, Findings, check_fields, column_array, parse_changes
from managed_tables_api.rows.running import (
    Definition,
    Found,
    KeyTaken,
    Parameters,
    RuleViolated,
    Table,
    numbered,
)
from managed_tables_api.rows.single_rows import CHANGED, NO_VERSION, is_version, versioned
from managed_tables_api.rows.statements import (
    CHANGED_COUNT,
    TABLE,
    VERSION_FIELD,
    assignments,
    cell,
    changed_values,
    column_arrays,
    compose_deletion,
    compose_reading,
    compose_statement,
    kept_statement,
    names_of,
    parameter,
    part,
)

Body = Mapping[str, Any]

MAX_UPDATES = 1_000
MAX_IDS = 10_000

_NOT_ALL = 'sem condição vale para todas as linhas; se é o que quer, mande também "all": true'
_GIVEN = "$given{}"  # whether a row names the changed column at this place
_GONE = Fault("ROW_NOT_FOUND", "a linha não existe")


def update(table: Table, body: Body) -> int:
    """Change rows by `{"rows"}` or `{"where", "set"}`, return how many; raises ROW_NOT_FOUND, ROW_CHANGED."""
    change = _update_rows if _is_by_ids(body, "rows", {"where", "set", "all"}) else _update_where
    try:
        return change(table, body)
    except RuleViolated as violated:  # of rows that exchange their keys
        raise name_violated(table, violated) from violated
    except KeyTaken as taken:
        written = [
            {name: None if value is None else str(value) for name, value in row.items()}
            for row in body.get("rows", ())
        ]
        raise taken_by_update(table.definition, taken, written) from taken


def delete(table: Table, body: Body) -> int:
    """Delete the rows of a body `{"ids"}` or `{"where"}`, and return how many; raises ROW_NOT_FOUND."""
    try:
        return _delete(table, body)
    except RuleViolated as violated:
        raise name_violated(table, violated) from violated


def _delete(table: Table, body: Body) -> int:
    if _is_by_ids(body, "ids", {"where", "all"}):
        _require_list(body["ids"], "ids", MAX_IDS)
        places: dict[str, int] = {}
        for number, row_id in enumerate(body["ids"]):
            if not isinstance(row_id, str):
                raise refusal(f"ids[{number}]", Fault("NOT_A_TEXT", "deve ser o id de uma linha"))
            places.setdefault(_checked_id(row_id, "ids[{}]", number), number)
        any_version: Parameters = {"row_versions": array_text([NULL] * len(places))}
        by_ids = part("{t}.id = ANY (%(ids)s::uuid[])")
        statement = compose_deletion(table.definition, by_ids, _ALL)
        return _all_or_none(table, statement, any_version, "ids[{}]", places)
    condition = _read_where(table, body)
    statement = compose_deletion(table.definition, condition_sql(condition, TABLE))
    return _count(table, statement, {**condition_parameters(condition), **table.acting("bulk")})


def _update_rows(table: Table, body: Body) -> int:
    definition, rows, findings = table.definition, body["rows"], Findings()
    _require_list(rows, "rows", MAX_UPDATES)
    check_fields(definition.by_name.keys() | {ID_COLUMN, VERSION_FIELD}, rows, findings)
    places = _parse_places(rows, findings)
    findings.raise_any()
    by_any, by_all = set().union(*rows), set(rows[0]).intersection(*rows)
    columns = [column for column in definition.columns if column.name in by_any]
    if not columns:
        raise refusal("rows", Fault("REQUIRED", "nenhuma linha tem um campo a alterar"))
    changed = tuple((column.name, column.name not in by_all) for column in columns)
    # Two requests that change the same rows meet them in the same order, and do not lock one another out.
    given = [(places[row_id], rows[places[row_id]]) for row_id in sorted(places)]
    parameters: dict[str, str | None] = {"row_versions": _version_array(definition, given, findings)}
    for place, column in enumerate(columns):
        parse = table.parsers[column.type]
        parameters[f"c{place}"] = column_array(column, given, parse, NULL, findings)
        if column.name not in by_all:
            parameters[f"g{place}"] = array_text("t" if column.name in row else "f" for _, row in given)
    findings.raise_any()
    try:
        statement = update_rows_statement(definition, changed)
        return _all_or_none(table, statement, parameters, "rows[{}].id", places)
    except RuleViolated as violated:
        raise _broken_by_rows(table, violated, changed, parameters, places, rows) from violated
    except KeyTaken:
        statement = exchange_rows_statement(definition, changed)
        parameters |= {"actor": NOT_RECORDED, "recorder": table.acting("bulk")["actor"]}
        return _all_or_none(table, statement, parameters, "rows[{}].id", places)


def _update_where(table: Table, body: Body) -> int:
    condition = _read_where(table, body)
    fields = body.get("set")
    if not isinstance(fields, dict) or not fields:
        raise refusal("set", Fault("NOT_AN_OBJECT", "deve ser um objeto com os campos a alterar"))
    changes = parse_changes(table.definition, fields, table.parsers)
    statement = compose_statement(
        "WITH {held}, changed AS (UPDATE {table} AS {t} SET {changes} FROM definition WHERE {condition}"
        " RETURNING 1){count}",
        table.definition,
        active=True,
        changes=assignments(table.definition, changes),
        condition=condition_sql(condition, TABLE),
        count=CHANGED_COUNT,
    )
    parameters = {**numbered(list(changes.values())), **condition_parameters(condition)}
    try:
        return _count(table, statement, {**parameters, **table.acting("bulk")})
    except RuleViolated as violated:
        found = part("{table} AS {t} WHERE {held}", table.definition, held=condition_sql(condition, TABLE))
        values = changed_values(table.definition, tuple(changes))
        refused = refuse_changed_rows(table, violated, found, values, parameters, lambda *_: None, [])
        raise refused from violated


def _broken_by_rows(
    table: Table,
    violated: RuleViolated,
    changed: "Changed",
    parameters: Parameters,
    places: Mapping[str, int],
    rows: Sequence[Body],
) -> ApiError:
    found = part("{table} AS {t}, {given}", table.definition, given=_given_rows(table.definition, changed))
    given = {**parameters, "ids": array_text(sorted(places))}
    values = _new_values(changed)
    return refuse_changed_rows(
        table, violated, found, values, given, lambda _, row_id: places.get(row_id or ""), rows
    )


def _all_or_none(
    table: Table, statement: bytes, parameters: Parameters, path: str, places: Mapping[str, int]
) -> int:
    """Run a statement that fails if it misses a row, and raise the error about such rows.

    `places` are the ids' positions in the request, each at `path`; the other arrays are in the ids' order.
    """
    wanted = {"ids": array_text(sorted(places)), "wanted": str(len(places))}
    asked = {**table.acting("bulk"), **wanted, **parameters}
    try:
        return _count(table, statement, asked)
    except DivisionByZero as missed:
        refused = table.read(
            compose_reading(
                'SELECT {row}."$id"::text, CASE WHEN {t}.id IS NOT NULL THEN {json} END, count(*) OVER ()'
                ' FROM unnest(%(ids)s::uuid[], %(row_versions)s::text[]) AS {row} ("$id", "$row_version")'
                ' LEFT JOIN {table} AS {t} ON {t}.id = {row}."$id"'
                ' WHERE {t}.id IS NULL OR {t}.xmin::text <> {row}."$row_version" LIMIT %(limit)s::bigint',
                table.definition,
                json=versioned(table.definition).json(TABLE, stored=True),
            ),
            {**asked, "limit": str(MAX_ERROR_DETAILS)},
        )
        raise _row_refusal(refused, path, places) from missed


def _read_where(table: Table, body: Body) -> Condition:
    """Return the body's condition; one that compares nothing, at any depth, must be meant: `all`."""
    where = {} if body.get("where") is None else body["where"]
    condition = read_where(where, table.definition.by_name, table.parsers, table.marks)
    if not any(leaves(condition)) and body.get("all") is not True:
        raise refusal("where", Fault("REQUIRED", _NOT_ALL))
    return condition


def _count(table: Table, statement: bytes, parameters: Parameters) -> int:
    return int(table.run(statement, parameters)[0][1])


def _is_by_ids(body: Body, by_ids: str, by_condition: set[str]) -> bool:
    """Return which of its two forms a body has; raises INVALID_REQUEST for any other."""
    fields = {by_ids} if by_ids in body else by_condition
    unknown = [name for name in body if name not in fields]
    if unknown:
        fault = Fault("UNKNOWN_FIELD", f"campo desconhecido ou que não vai com os outros: {unknown[0]}")
        raise refusal(unknown[0], fault)
    return by_ids in body


def _row_refusal(refused: Found, path: str, places: Mapping[str, int]) -> ApiError:
    """Return ROW_NOT_FOUND where a row is gone, else ROW_CHANGED with the rows as they are now."""
    if refused[0][1] is None:  # whoever changed the row has undone it meanwhile
        return ApiError(TABLE_BUSY)
    found = sorted((places[row_id], row) for _, row_id, row, _ in refused)
    gone = [detail("body", _GONE, path=path.format(place), row=place) for place, row in found if row is None]
    if gone:
        return ApiError(ROW_NOT_FOUND, gone)
    rows = [(place, exact_json.loads(row.encode())) for place, row in found]
    details = [detail("body", CHANGED, path=path.format(place), row=place, value=row) for place, row in rows]
    return ApiError(ROW_CHANGED, details, refused[0][3], [rows[0][1]])


def _require_list(items: Any, path: str, limit: int) -> None:
    if not isinstance(items, list) or not items:
        raise refusal(path, Fault("NOT_A_LIST", "deve ser uma lista com ao menos um item"))
    if len(items) > limit:
        raise refusal(path, Fault("TOO_LONG", f"no máximo {limit} itens"))


def _parse_places(rows: Sequence[Any], findings: Findings) -> dict[str, int]:
    """Return each id's position in the request."""
    places: dict[str, int] = {}
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            continue  # it is found already
        given = row.get(ID_COLUMN)
        if not isinstance(given, str):
            findings.add(number, ID_COLUMN, given, Fault("REQUIRED", "obrigatório: o id da linha"))
            continue
        row_id = _checked_id(given, "rows[{}].id", number)
        if row_id in places:
            findings.add(number, ID_COLUMN, row_id, Fault("DUPLICATE_ID", "a mesma linha duas vezes"))
        places[row_id] = number
    return places


def _checked_id(row_id: str, path: str, number: int) -> str:
    if not is_uuid(row_id):
        raise ApiError(ROW_NOT_FOUND, [detail("body", _GONE, path=path.format(number))])
    return row_id.lower()


def _version_array(definition: Definition, given: Sequence[tuple[int, Object]], findings: Findings) -> str:
    """Return the text of an array of the version that each row must have, NULL for any."""
    elements = []
    for number, row in given:
        version = None if VERSION_FIELD in definition.by_name else row.get(VERSION_FIELD)
        if version is not None and not is_version(version):
            findings.add(number, VERSION_FIELD, version, NO_VERSION)
        elements.append(NULL if version is None else quoted(str(version)))
    return array_text(elements)


# The columns that rows are changed in, each with whether some of the rows leave it as it is.
Changed = tuple[tuple[str, bool], ...]

# A row that was missed is a division by zero, which undoes the statement: all of the rows or none.
_ALL = sql.SQL(
    " SELECT 1, total.count, 1 / (total.count = %(wanted)s::bigint)::integer"
    " FROM definition, (SELECT count(*) FROM changed) AS total"
)
_MINUS = sql.SQL("OPERATOR(managed_tables.-)")  # of hstore


@kept_statement
def update_rows_statement(definition: Definition, changed: Changed) -> bytes:
    """Return the statement that changes rows by their ids: (1, how many); it fails where it misses one.

    They are locked in the order of their ids, however PostgreSQL then finds them. Parameters: table_id,
    version, ids, row_versions (NULL for any), how many are `wanted`; one array a column, c0, c1, …; g0, g1, …
    that say which rows name a column that not all do. All arrays are as long.
    """
    values = _new_values(changed).items()
    return compose_statement(
        "WITH {held}, locked AS MATERIALIZED (SELECT FROM definition, {table} AS {t}"
        " WHERE {t}.id = ANY (%(ids)s::uuid[]) ORDER BY {t}.id FOR NO KEY UPDATE OF {t}),"
        " changed AS (UPDATE {table} AS {t} SET {changes} FROM definition, {given}"
        " AND (SELECT count(*) FROM locked) >= 0 RETURNING 1){all}",
        definition,
        active=True,
        changes=[compose("{:i} = {}", name, value) for name, value in values],
        given=_given_rows(definition, changed),
        all=_ALL,
    )


@kept_statement
def exchange_rows_statement(definition: Definition, changed: Changed) -> bytes:
    """Return the statement that does what `update_rows_statement` does, also where rows exchange their keys.

    PostgreSQL judges a key row by row, so the old rows go before the new ones come: all are counted first.
    For the history they are updated: its triggers are to be off, and `recorder` is who acts.
    """
    values = _new_values(changed)
    cells = [values.get(column.name, cell(TABLE, column.name)) for column in definition.columns]
    return compose_statement(
        'WITH {held}, gone (id, "$was", {names:i}) AS (DELETE FROM {table} AS {t} USING definition, {given}'
        " RETURNING {t}.id, {row_cells}, {cells}),"
        " changed AS (INSERT INTO {table} AS {t} (id, {names:i}) SELECT id, {names:i} FROM gone"
        " WHERE (SELECT count(*) FROM gone) = %(wanted)s::bigint"
        ' RETURNING {t}.id, {row_cells} AS "$became"),'
        " recorded AS (INSERT INTO managed_tables.row_history"
        " (table_id, row_id, user_id, via, action, before, after)"
        " SELECT %(table_id)s::text, id, nullif(split_part(%(recorder)s::text, ' ', 1), '-'),"
        " split_part(%(recorder)s::text, ' ', 2), 'update',"
        ' "$was" {minus} "$became", "$became" {minus} "$was"'
        " FROM gone JOIN changed USING (id)){all}",
        definition,
        active=True,
        all=_ALL,
        names=names_of(definition.columns),
        given=_given_rows(definition, changed),
        cells=cells,
        row_cells=compose("(managed_tables.hstore({}) {} 'id'::text)", TABLE, _MINUS),
        minus=_MINUS,
    )


def _given_rows(definition: Definition, changed: Changed) -> sql.Composed:
    """Return the rows of the request, joined to those that they mean."""
    columns = [definition.by_name[name] for name, _ in changed]
    partial = [place for place, (_, is_partial) in enumerate(changed) if is_partial]
    arrays = [*column_arrays(enumerate(columns)), *(parameter(f"g{place}", "boolean[]") for place in partial)]
    return part(
        "unnest(%(ids)s::uuid[], %(row_versions)s::text[], {arrays})"
        ' AS {row} ("$id", "$row_version", {fields:i}) WHERE {t}.id = {row}."$id"'
        ' AND ({row}."$row_version" IS NULL OR {t}.xmin::text = {row}."$row_version")',
        arrays=arrays,
        fields=[*(name for name, _ in changed), *map(_GIVEN.format, partial)],
    )


def _new_values(changed: Changed) -> dict[str, sql.Composed]:
    """Return what a row of the table is to have in each changed column."""
    always = "{row}.{name:i}"
    where_given = "CASE WHEN {row}.{given:i} THEN {row}.{name:i} ELSE {t}.{name:i} END"
    return {
        name: part(where_given if is_partial else always, name=name, given=_GIVEN.format(place))
        for place, (name, is_partial) in enumerate(changed)
    }
