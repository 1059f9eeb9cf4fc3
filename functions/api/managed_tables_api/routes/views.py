"""Routes of saved views, kept in the company's own database: a person's own, and those that are shared."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString

from psycopg import sql

from managed_tables import errors, exact_json
from managed_tables.clock import timestamp
from managed_tables.details import Fault
from managed_tables.errors import ApiError
from managed_tables.ids import is_record_id, new_record_id
from managed_tables_api.auth import Permission
from managed_tables_api.calls import PathTable, api_router, raises, requires
from managed_tables_api.http.requests import FromQuery, FromValues, refusal
from managed_tables_api.rows import view_contents as views
from managed_tables_api.rows.row_history import Names, read_names
from managed_tables_api.rows.running import Execute, KeyTaken, Table
from managed_tables_api.rows.statements import compose_reading, compose_statement, part

router = api_router("/{table_id:table}/views", "Views", requires(Permission.DATA_READ))


MAX_VIEWS = 100  # of a person and a table
MAX_CONTENT_BYTES = 128 * 1024  # of 1,500 columns with their widths 120 KB

_VIEW = sql.SQL("view_id, user_id, name, shared, content::text AS content, change_id, created_at, updated_at")
_VISIBLE = sql.SQL("table_id = %(table_id)s::text AND (shared OR user_id = %(user_id)s::text)")
# What became of columns' names until now is in the view already: it was judged by this same snapshot.
_NOW = sql.SQL(
    "(SELECT coalesce(max(change_id), 0) FROM managed_tables.renamed_columns"
    " WHERE table_id = %(table_id)s::text)"
)


@router.get("", summary="List views")
def list_views(table: PathTable, query: FromQuery[views.ViewsQuery]) -> views.ViewsAnswer:
    """Return the caller's own views of the table and those that are shared, by name."""
    statement = compose_statement(
        "WITH {held}, found AS MATERIALIZED (SELECT {view} FROM managed_tables.views WHERE {visible})"
        " SELECT 1, (SELECT count(*) FROM found), page.* FROM definition"
        " LEFT JOIN LATERAL (SELECT * FROM found ORDER BY lower(name), view_id"
        " LIMIT %(limit)s::bigint OFFSET %(offset)s::bigint) AS page ON true",
        view=_VIEW,
        visible=_VISIBLE,
    )
    listed = table.read(statement, {"user_id": table.user_id, **query.window})
    names = read_names(table)
    records = [_answer(table, names, row[2:]) for row in listed if row[2] is not None]
    return views.ViewsAnswer(total=listed[0][1], quantity=len(records), records=records)


@router.post("", summary="Save a view", status_code=201)
@raises(errors.DUPLICATE_VIEW_NAME, errors.OUTCOME_UNKNOWN)
def create_view(table: PathTable, body: FromValues[views.NewView]) -> views.ViewAnswer:
    """Save a view as the caller's own; a name is taken once for each owner."""
    views.check_content(body, table.definition.by_name, table.parsers, table.marks)
    parameters = {
        "user_id": table.user_id,
        "view_id": new_record_id(),
        **_written(body.name, body.shared, body),
        "most": str(MAX_VIEWS),
    }
    statement = _write_statement(
        "INSERT INTO managed_tables.views (view_id, table_id, user_id, name, shared, content, change_id)"
        " SELECT %(view_id)s::text, %(table_id)s::text, %(user_id)s::text, %(name)s::text,"
        " %(shared)s::boolean, %(content)s::json, {now} FROM definition"
        " WHERE (SELECT count(*) FROM managed_tables.views WHERE table_id = %(table_id)s::text"
        " AND user_id = %(user_id)s::text) < %(most)s::bigint"
    )
    with _name_is_free(body.name):
        row = table.run(statement, parameters)[0][1:]
    if row[0] is None:
        raise ApiError(
            errors.INVALID_REQUEST, reason=f"no máximo {MAX_VIEWS} visões por pessoa em uma tabela"
        )
    return _answer(table, Names(), row)


@router.get("/{view_id}", summary="Get a view")
def get_view(table: PathTable, view_id: str) -> views.ViewAnswer:
    """Return a view under the names that columns have now.

    What was asked of a column that is gone, or that no longer fits its type, is left out; `warnings` say so.
    """
    row = _found(table.read(_find_statement(), _view_key(table, view_id)))
    return _answer(table, read_names(table), row)


@router.put("/{view_id}", summary="Change a view")
@raises(errors.VIEW_OF_ANOTHER, errors.DUPLICATE_VIEW_NAME, errors.OUTCOME_UNKNOWN)
def update_view(table: PathTable, view_id: str, body: FromValues[views.ViewChange]) -> views.ViewAnswer:
    """Change a view of the caller's own; what is missing stays, null takes away."""
    key = _view_key(table, view_id)
    views.check_content(body, table.definition.by_name, table.parsers, table.marks)
    names = read_names(table)
    change = _write_statement(
        "UPDATE managed_tables.views SET name = %(name)s::text, shared = %(shared)s::boolean,"
        " content = %(content)s::json, change_id = {now}, updated_at = now()"
        " FROM definition WHERE view_id = %(view_id)s::text AND user_id = %(user_id)s::text"
    )

    def in_transaction(execute: Execute) -> tuple[Any, ...]:
        row = _owned(execute(_find_statement(" FOR UPDATE"), key), table)
        asked = body.changes(_answer(table, names, row))
        if not asked:
            return row
        changed = _answer(table, names, row, whole=True).model_copy(update=asked)
        parameters = {**key, **_written(changed.name, changed.shared, changed)}
        return execute(change, parameters)[0][1:]

    with _name_is_free(body.name or ""):
        row = table.transact(in_transaction)
    return _answer(table, names, row)


@router.delete("/{view_id}", summary="Delete a view", status_code=204)
@raises(errors.VIEW_OF_ANOTHER, errors.OUTCOME_UNKNOWN)
def delete_view(table: PathTable, view_id: str) -> None:
    """Delete a view of the caller's own."""
    key = _view_key(table, view_id)
    _owned(table.read(_find_statement(), key), table)
    statement = _write_statement(
        "DELETE FROM managed_tables.views USING definition"
        " WHERE view_id = %(view_id)s::text AND user_id = %(user_id)s::text"
    )
    table.run(statement, key, repeatable=True)


@contextmanager
def _name_is_free(name: str) -> Iterator[None]:
    """Raise errors.DUPLICATE_VIEW_NAME where a view of the user's has the name."""
    try:
        yield
    except KeyTaken as taken:
        raise ApiError(errors.DUPLICATE_VIEW_NAME, name=name.strip()) from taken


def _answer(table: Table, names: Names, row: tuple[Any, ...], *, whole: bool = False) -> views.ViewAnswer:
    view_id, user_id, name, shared, content, change_id, created_at, updated_at = row
    columns = None if whole else table.definition.by_name
    opening = views.ViewOpening(names, change_id, columns, table.parsers, table.marks.keys())
    opened = opening.open(views.ViewContent.read(exact_json.loads(content.encode())))
    return views.ViewAnswer(
        id=view_id,
        table_id=table.definition.table_id,
        user_id=user_id,
        name=name,
        shared=shared,
        created_at=timestamp(created_at),
        updated_at=timestamp(updated_at),
        warnings=opening.warnings(),
        **dict(opened),
    )


def _written(name: str, shared: bool, content: views.ViewContent) -> dict[str, str | None]:
    shown = content.model_dump(include={*views.ViewContent.model_fields}, exclude_none=True)
    text = exact_json.dumps(shown)
    if not name.strip():
        raise refusal("name", Fault("REQUIRED", "name vazio"))
    if len(text) > MAX_CONTENT_BYTES:
        raise refusal("", Fault("TOO_LARGE", f"a visão passa de {MAX_CONTENT_BYTES // 1024} KiB"))
    return {"name": name.strip(), "shared": str(shared).lower(), "content": text.decode()}


def _view_key(table: Table, view_id: str) -> dict[str, str | None]:
    if not is_record_id(view_id):
        raise ApiError(errors.VIEW_NOT_FOUND)
    return {"user_id": table.user_id, "view_id": view_id.lower()}


def _found(rows: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    row = rows[0][1:]
    if row[0] is None:
        raise ApiError(errors.VIEW_NOT_FOUND)
    return row


def _owned(rows: list[tuple[Any, ...]], table: Table) -> tuple[Any, ...]:
    row = _found(rows)
    if row[1] != table.user_id:
        raise ApiError(errors.VIEW_OF_ANOTHER)
    return row


def _write_statement(form: LiteralString) -> bytes:
    """Return the statement that writes a view: the row of the view behind a 1, NULLs where it wrote none."""
    return compose_statement(
        "WITH {held}, made AS ({write} RETURNING {view}) SELECT 1, made.* FROM definition"
        " LEFT JOIN made ON true",
        write=part(form, now=_NOW),
        view=_VIEW,
    )


def _find_statement(lock: LiteralString = "") -> bytes:
    """Return the statement of one view; a `lock` keeps others from changing it until the transaction ends."""
    return compose_reading(
        "SELECT {view} FROM managed_tables.views WHERE view_id = %(view_id)s::text AND {visible}{lock}",
        view=_VIEW,
        visible=_VISIBLE,
        lock=sql.SQL(lock),
    )
