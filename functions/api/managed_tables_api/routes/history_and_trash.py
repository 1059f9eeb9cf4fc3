"""Routes of what became of rows and columns: their history, where they come from, the trash, the way back.

The trash is what the history kept of a row when it was deleted.
"""

import json
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from psycopg import sql
from psycopg.errors import NotNullViolation

from managed_tables import errors
from managed_tables.clock import timestamp
from managed_tables.databases.statements import compose
from managed_tables.details import Fault, detail, shown_text
from managed_tables.documents.analyses import AnalysisDocument
from managed_tables.documents.repairs import loaded_text
from managed_tables.documents.statements import ConfirmedDocument
from managed_tables.errors import ROW_NOT_FOUND, ApiError
from managed_tables.history import recorded_rows, row_cells
from managed_tables.ids import row_number
from managed_tables.jobs.staged_rows import Origin
from managed_tables.schema import Column
from managed_tables.tables.hidden_columns import HiddenColumnAnswer, describe_hidden
from managed_tables.tables.physical import default_value, physical_name
from managed_tables.values import array_text
from managed_tables_api.auth import Permission
from managed_tables_api.calls import (
    KnownCompany,
    KnownTable,
    PathTable,
    Services,
    SignedIn,
    api_router,
    raises,
    requires,
)
from managed_tables_api.http.requests import FromJson, FromQuery, NumbersQuery, refusal
from managed_tables_api.rows import row_history
from managed_tables_api.rows.broken_rules import name_violated
from managed_tables_api.rows.inserts import taken_by_update
from managed_tables_api.rows.parsing import NOT_NULLABLE, value_of
from managed_tables_api.rows.row_history import Change, Names
from managed_tables_api.rows.running import Definition, KeyTaken, RuleViolated, Table
from managed_tables_api.rows.statements import ROW, compose_statement, counted, kept_statement, names_of
from managed_tables_api.services import ApiServices
from managed_tables_api.tables import TableAnswer

router = api_router("/{table_id:table}", "History")

_READS = requires(Permission.DATA_READ)
# The deletion of each row that is not in the table, unless a replacement took it after it had been restored.
_GONE = sql.SQL(
    "gone AS MATERIALIZED (SELECT row_id, change_id, changed_at, user_id, before"
    " FROM managed_tables.row_history AS history WHERE table_id = %(table_id)s::text AND action = 'delete'"
    " AND changed_at > now() - make_interval(days => %(days)s::int)"
    " AND NOT EXISTS (SELECT FROM {table} AS present WHERE present.id = history.row_id)"
    " AND NOT EXISTS (SELECT FROM managed_tables.row_history AS later WHERE table_id = %(table_id)s::text"
    " AND later.row_id = history.row_id AND later.change_id > history.change_id){condition})"
)
# Under the names that their columns have now; of one that was taken out, a name that nobody has.
_PRESENT_CELLS = sql.SQL("managed_tables.present_cells(%(table_id)s::text, {0}.change_id, {0}.before)")
_BY_IDS = sql.SQL(" AND row_id = ANY (%(ids)s::uuid[])")
_BY_TIME = sql.SQL(
    " AND changed_at >= %(deleted_after)s::timestamptz"
    " AND (%(deleted_by)s::text IS NULL OR user_id = %(deleted_by)s::text)"
)

_CONVERTED = Fault("INVALID", "a coluna mudou de tipo: volte ao de antes, traga a linha e mude de novo")


@router.get("/data/{row_id:row}/history", summary="History of a row", dependencies=_READS)
def list_row_history(
    table: PathTable, row_id: str, query: FromQuery[NumbersQuery]
) -> row_history.RowHistoryAnswer:
    """Return who changed the row, when, and from what to what; of a deleted row, too."""
    return row_history.of_row(table, row_id, query.numbers)


@router.get("/data/{row_id:row}/origin", summary="Origin of a row", dependencies=_READS)
@raises(errors.STORAGE_UNAVAILABLE)
def get_row_origin(table: PathTable, row_id: str, services: Services) -> row_history.RowOriginAnswer:
    """Return the load that last wrote the row, and its cells as they stand in the file."""
    names, changes = row_history.read_changes(table, row_id)
    if changes[-1].action != row_history.PRESENT:
        raise ApiError(ROW_NOT_FOUND)
    changes = _standing(changes)
    loads = [change for change in changes if change.action in (row_history.LOADED, row_history.UPSERTED)]
    change = loads[-1] if loads else changes[0]  # the first that is known of a row which no load wrote
    place = _find_place(table, names, change, services) if loads else None
    return row_history.RowOriginAnswer(
        kind="upload" if loads else "api",
        job_id=change.job_id,
        at=None if change.action == row_history.PRESENT else timestamp(change.at),
        user_id=change.user_id,
        available=place is not None,
        **(place or {"file": None, "sheet": None, "line": None, "cells": []}),
    )


def _standing(changes: list[Change]) -> list[Change]:
    """Return a row's changes but those of upserts that were undone on it, and of their undoing."""
    undone = {change.job_id for change in changes if (change.via, change.action) == ("undo", "update")}
    return [change for change in changes if change.job_id not in undone]


def _find_place(table: Table, names: Names, change: Change, services: ApiServices) -> dict[str, Any] | None:
    """Return where a load's row stands in its file, with its cells; None once that is gone."""
    job = services.jobs.find(table.definition.connection.company_id, change.job_id or "")
    if job is None or change.staged_id is None:
        return None
    documents = services.job_documents
    analysis, confirmed = documents.find_analysis(job), documents.find_confirmed(job)
    place = services.read_place(job, row_number(change.staged_id))
    if analysis is None or confirmed is None or place is None:
        return None
    now = partial(names.follow, since=change.change_id)
    cells = list(_cells(table.definition, analysis, confirmed, now, place))
    return {**place, "cells": cells}


def _cells(
    definition: Definition,
    analysis: AnalysisDocument,
    confirmed: ConfirmedDocument,
    now: Callable[[str], str],
    row: Origin,
) -> Iterator[row_history.OriginCell]:
    """Yield the cell of each column of now that the load has filled; `now` follows a name of then."""
    inferred = analysis.inferred_schema.columns
    places = {column.name: place for place, column in enumerate(analysis.columns)}
    for column in confirmed.columns:
        place = places.get(confirmed.terms.source(column.name))
        name = now(column.name)
        if place is not None and name in definition.by_name:
            label, text = inferred[place].source or inferred[place].display_name, row["cells"][place]
            kept = analysis.columns[place].repairs
            is_repaired, loaded = loaded_text(confirmed.terms.repairs, kept, column.name, row, text)
            yield row_history.OriginCell(
                column=name, source=label, text=text, loaded=loaded, repaired=is_repaired
            )


@router.get("/history", summary="History of a table", dependencies=_READS)
def list_table_history(
    table: PathTable, query: FromQuery[row_history.HistoryQuery]
) -> row_history.TableHistoryAnswer:
    """Return a page of the changes of the table's rows, the newest first; the first with those of rules."""
    return row_history.of_table(table, query)


@router.get("/trash", summary="Deleted rows", dependencies=_READS)
def list_trash(table: PathTable, query: FromQuery[row_history.TrashQuery]) -> row_history.TrashAnswer:
    """Return a page of deleted rows, the last deleted first.

    The cell of a column called `deleted_at` or `deleted_by` is under the first free name of `_deleted_at`,
    `__deleted_at` and so on.
    """
    statement = compose_statement(
        "WITH {held}, {gone} SELECT 1, page.row_id::text, page.changed_at, page.user_id,"
        " managed_tables.hstore_to_json({cells})::text, (SELECT count(*) FROM gone) FROM definition"
        " LEFT JOIN LATERAL (SELECT * FROM gone ORDER BY change_id DESC"
        " LIMIT %(limit)s::bigint OFFSET %(offset)s::bigint) AS page ON true",
        gone=_GONE.format(table=physical_name(table.definition.display_name), condition=sql.SQL("")),
        cells=_PRESENT_CELLS.format(sql.Identifier("page")),
    )
    listed = table.read(statement, {**table.kept_days, **query.window})
    records = []
    names = _names_in_trash(table.definition)
    for _, row_id, deleted_at, deleted_by, present, _ in listed:
        if row_id is not None:
            cells = json.loads(present)
            row: dict[str, object] = {
                names[column.name]: value_of(column.type, cells.get(column.name), query.numbers)
                for column in table.definition.columns
            }
            row |= {"id": row_id, "deleted_at": timestamp(deleted_at), "deleted_by": deleted_by}
            records.append(row_history.DeletedRow.read(row))
    return row_history.TrashAnswer(total=listed[0][5], quantity=len(records), records=records)


def _names_in_trash(definition: Definition) -> dict[str, str]:
    """Return the field of each column in a deleted row: not that of what the trash says of the row."""
    names = {name: name for name in definition.by_name}
    for field in definition.by_name.keys() & {"deleted_at", "deleted_by"}:
        while names[field] in definition.by_name:
            names[field] = f"_{names[field]}"
    return names


@router.post("/trash/restore", summary="Restore deleted rows", dependencies=requires(Permission.DATA_WRITE))
@raises(
    errors.TABLE_INACTIVE,
    errors.TABLE_BUSY,
    errors.DUPLICATE_KEY,
    errors.RULE_BROKEN,
    errors.OUTCOME_UNKNOWN,
)
def restore_rows(table: PathTable, body: FromJson[row_history.RestoreBody]) -> row_history.RestoredAnswer:
    """Bring deleted rows back, ids and values, all of them or none."""
    zone = table.settings.zone
    parameters = {
        **table.kept_days,
        **table.acting("restore"),
        "ids": array_text(body.ids or ()),
        "deleted_after": row_history.in_zone(body.deleted_after, zone),
        "deleted_by": body.deleted_by,
        "converted": json.dumps(list(row_history.read_names(table).converted(table.definition.by_name))),
    }
    statement = _restore_statement(table.definition, zone.key, by_ids=body.ids is not None)
    try:  # what is not in the trash is passed over
        found = table.run_once(statement, parameters)
    except RuleViolated as violated:
        refused = name_violated(table, violated)
        said = refused.details[0]["reason"]
        reason = f"{said}; nenhuma linha voltou da lixeira: mude ou tire a regra, e traga-as de novo"
        raise ApiError(errors.RULE_BROKEN, refused.details, reason=reason) from violated
    except KeyTaken as taken:
        raise taken_by_update(table.definition, taken, []) from taken
    except NotNullViolation as error:
        raise refusal(error.diag.column_name or "", NOT_NULLABLE, "row") from error
    if found[0][2] is not None:
        details = [detail("row", _CONVERTED, path=name, value=shown_text(cell)) for _, _, name, cell in found]
        raise ApiError(errors.INVALID_REQUEST, details)
    return row_history.RestoredAnswer(restored=found[0][1])


@router.get(
    "/columns/hidden",
    summary="Columns taken out",
    response_model=list[HiddenColumnAnswer],
    dependencies=requires(Permission.LIST),
)
def list_hidden_columns(table: KnownTable, company: KnownCompany, services: Services) -> Any:
    """Return the columns that were taken out of the table, the last one first."""
    with services.open_company(company) as connection:
        return [column.as_json() for column in describe_hidden(connection, table.table_id)]


@router.post("/columns/{name}/restore", summary="Restore a column", dependencies=requires(Permission.UPDATE))
@raises(errors.INVALID_SCHEMA, errors.TABLE_BUSY)
def restore_column(
    name: str, table: KnownTable, company: KnownCompany, caller: SignedIn, services: Services
) -> TableAnswer:
    """Bring back the last column of this name that was taken out, as the table's last, with its values."""
    restored = services.table_operations.restore_column(company, table.table_id, name, caller.user_id)
    return TableAnswer.of(company, restored, services.table_reading.count(company, restored))


@kept_statement
def _restore_statement(definition: Definition, zone: str, *, by_ids: bool) -> bytes:
    """Return the statement that inserts deleted rows again: (1, how many, NULL, NULL).

    Or none, where columns have another type than cells: (1, 0, column, one of its cells) for each. PostgreSQL
    would read such a text otherwise than the change of type has: 03/04/2025 as a day of March.
    Parameters: table_id, version, actor, days, converted; ids, or deleted_after and deleted_by.
    """
    table, condition = physical_name(definition.display_name), _BY_IDS if by_ids else _BY_TIME
    return compose_statement(
        "WITH {held}, {gone},"
        " named AS MATERIALIZED (SELECT row_id, change_id, {cells} AS cells FROM gone, definition),"
        " other AS MATERIALIZED ("
        "SELECT DISTINCT ON (name) name, cells OPERATOR(managed_tables.->) name AS cell"
        " FROM named, json_to_recordset(%(converted)s::json) AS was (name text, since bigint, until bigint)"
        " WHERE change_id BETWEEN since AND until AND cells OPERATOR(managed_tables.->) name IS NOT NULL),"
        " back AS (INSERT INTO {table} AS {row} (id, {columns:i}) SELECT named.row_id, {values} FROM named,"
        " managed_tables.populate_record(NULL::{table}, named.cells) AS kept WHERE NOT EXISTS (TABLE other)"
        " RETURNING {row}.id, {recorded_cells}),"
        " {recorded}, {counted} SELECT 1, (SELECT count(*) FROM back), other.*"
        " FROM definition LEFT JOIN other ON true",
        definition,
        active=True,
        gone=_GONE.format(table=table, condition=condition),
        cells=_PRESENT_CELLS.format(sql.Identifier("gone")),
        columns=names_of(definition.columns),
        values=[_value(column, zone) for column in definition.columns],
        recorded_cells=row_cells(ROW),
        recorded=recorded_rows(sql.SQL("back"), "restore"),
        counted=counted(sql.SQL("(SELECT count(*) FROM back)")),
    )


def _value(column: Column, zone: str) -> sql.Composed:
    """Return the value of a column: of one that the row did not have yet, its default."""
    if column.default is None:
        return compose("kept.{:i}", column.name)
    default = default_value(column, zone).as_string().replace("%", "%%")  # no parameter begins there
    return compose(
        "CASE WHEN named.cells OPERATOR(managed_tables.?) {name} THEN kept.{name:i} ELSE {default} END",
        name=column.name,
        default=sql.SQL(default),
    )
