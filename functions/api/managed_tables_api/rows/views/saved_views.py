"""Keep the views of tables in the company's own database: each is its owner's, and everybody's if shared."""

from typing import Any, LiteralString

from psycopg import sql

from managed_tables import errors, exact_json
from managed_tables.clock import timestamp
from managed_tables.details import DetailCode, Fault, detail
from managed_tables.errors import ApiError
from managed_tables.ids import is_record_id, new_record_id
from managed_tables_api.auth import Caller
from managed_tables_api.rows.history.row_history import Names, read_names
from managed_tables_api.rows.running import Definition, Execute, KeyTaken, RowOperations, on_definition
from managed_tables_api.rows.statements import compose_statement
from managed_tables_api.rows.views.view_contents import (
    NewView,
    ViewAnswer,
    ViewChange,
    ViewContent,
    ViewOpening,
    ViewsAnswer,
    check_content,
    check_text,
    refuse_any,
)

MAX_VIEWS = 100  # of a person and a table
MAX_CONTENT_BYTES = 128 * 1024  # of 1,500 columns with their widths 120 KB

_CONTENT = {*ViewContent.model_fields}
_EMPTY_NAME = Fault(DetailCode.REQUIRED, "name vazio")
_TOO_LARGE = Fault(DetailCode.TOO_LARGE, f"a visão passa de {MAX_CONTENT_BYTES // 1024} KiB")

_VIEW = sql.SQL("view_id, user_id, name, shared, content::text AS content, change_id, created_at, updated_at")
_VISIBLE = sql.SQL("table_id = %(table_id)s::text AND (shared OR user_id = %(user_id)s::text)")
# What became of columns' names until now is in the view already: it was judged by this same snapshot.
_NOW = sql.SQL(
    "(SELECT coalesce(max(change_id), 0) FROM managed_tables.renamed_columns"
    " WHERE table_id = %(table_id)s::text)"
)


class SavedViews(RowOperations):
    """The views of tables."""

    @on_definition
    def list_page(self, definition: Definition, caller: Caller, page: int, per_page: int) -> ViewsAnswer:
        """Return a page of the caller's own views and of those that are shared, by name."""
        parameters = {
            "user_id": caller.user_id,
            "limit": str(per_page),
            "offset": str((page - 1) * per_page),
        }
        listed = self.runner.read(definition, _page_statement(), parameters)
        names = read_names(self.runner, definition)
        records = [self._answer(definition, names, row[2:]) for row in listed if row[2] is not None]
        return ViewsAnswer(total=listed[0][1], quantity=len(records), records=records)

    @on_definition
    def get(self, definition: Definition, caller: Caller, view_id: str) -> ViewAnswer:
        """Return a view; raises VIEW_NOT_FOUND, for another's that is not shared, too."""
        parameters = _view_key(caller, view_id)
        row = _found(self.runner.read(definition, _find_statement(), parameters))
        return self._answer(definition, read_names(self.runner, definition), row)

    @on_definition
    def create(self, definition: Definition, caller: Caller, body: NewView) -> ViewAnswer:
        """Save a view of the caller's; raises INVALID_REQUEST and DUPLICATE_VIEW_NAME."""
        check_content(body, definition.by_name, self.runner.parsers)
        parameters = {
            "user_id": caller.user_id,
            "view_id": new_record_id(),
            **_written(body.name, body.shared, body),
            "most": str(MAX_VIEWS),
        }
        row = self._write(lambda: self.runner.run(definition, _insert_statement(), parameters), body.name)
        if row[0] is None:
            raise ApiError(
                errors.INVALID_REQUEST, reason=f"no máximo {MAX_VIEWS} visões por pessoa em uma tabela"
            )
        return self._answer(definition, Names(), row)

    @on_definition
    def update(self, definition: Definition, caller: Caller, view_id: str, body: ViewChange) -> ViewAnswer:
        """Change a view of the caller's; raises VIEW_NOT_FOUND, VIEW_OF_ANOTHER and as `create` does."""
        key = _view_key(caller, view_id)
        check_content(body, definition.by_name, self.runner.parsers)
        asked = {name: value for name, value in body if name in body.model_fields_set}
        names = read_names(self.runner, definition)
        wanted = body.name

        def in_transaction(execute: Execute) -> list[tuple[Any, ...]]:
            nonlocal wanted
            row = _owned(execute(_find_statement(" FOR UPDATE"), key), caller)
            changed = self._answer(definition, names, row).model_copy(update=asked)
            wanted = changed.name
            return execute(_update_statement(), {**key, **_written(changed.name, changed.shared, changed)})

        row = self._write(lambda: self.runner.transact(definition, in_transaction), wanted or "")
        return self._answer(definition, Names(), row)

    @on_definition
    def delete(self, definition: Definition, caller: Caller, view_id: str) -> None:
        """Delete a view of the caller's; raises VIEW_NOT_FOUND and VIEW_OF_ANOTHER."""
        key = _view_key(caller, view_id)
        _owned(self.runner.read(definition, _find_statement(), key), caller)
        self.runner.run(definition, _delete_statement(), key, repeatable=True)

    def _write(self, write: Any, name: str) -> tuple[Any, ...]:
        try:
            row: tuple[Any, ...] = write()[0][1:]
        except KeyTaken as taken:
            raise ApiError(errors.DUPLICATE_VIEW_NAME, name=name.strip()) from taken
        return row

    def _answer(self, definition: Definition, names: Names, row: tuple[Any, ...]) -> ViewAnswer:
        view_id, user_id, name, shared, content, change_id, created_at, updated_at = row
        opening = ViewOpening(names.since(change_id), definition.by_name, self.runner.parsers)
        opened = opening.open(ViewContent.read(exact_json.loads(content.encode())))
        return ViewAnswer(
            id=view_id,
            table_id=definition.table_id,
            user_id=user_id,
            name=name,
            shared=shared,
            created_at=timestamp(created_at),
            updated_at=timestamp(updated_at),
            warnings=opening.warnings(),
            **dict(opened),
        )


def _written(name: str, shared: bool, content: ViewContent) -> dict[str, str | None]:
    check_text("name", name)
    text = exact_json.dumps(content.model_dump(include=_CONTENT, exclude_none=True)).decode()
    if not name.strip():
        refuse_any([detail("body", _EMPTY_NAME, path="name")])
    if len(text.encode()) > MAX_CONTENT_BYTES:
        refuse_any([detail("body", _TOO_LARGE, path="")])
    return {"name": name.strip(), "shared": str(shared).lower(), "content": text}


def _view_key(caller: Caller, view_id: str) -> dict[str, str | None]:
    if not is_record_id(view_id):
        raise ApiError(errors.VIEW_NOT_FOUND)
    return {"user_id": caller.user_id, "view_id": view_id.lower()}


def _found(rows: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    row = rows[0][1:]
    if row[0] is None:
        raise ApiError(errors.VIEW_NOT_FOUND)
    return row


def _owned(rows: list[tuple[Any, ...]], caller: Caller) -> tuple[Any, ...]:
    row = _found(rows)
    if row[1] != caller.user_id:
        raise ApiError(errors.VIEW_OF_ANOTHER)
    return row


def _statement(form: LiteralString, lock: LiteralString = "") -> bytes:
    """Return a statement that begins with `definition`; its rows are those of a view behind a 1."""
    return compose_statement(form, view=_VIEW, visible=_VISIBLE, now=_NOW, lock=sql.SQL(lock))


def _page_statement() -> bytes:
    """Return the statement of a page: (1, how many, the view's columns)."""
    return _statement(
        "WITH {held}, found AS MATERIALIZED (SELECT {view} FROM managed_tables.views WHERE {visible})"
        " SELECT 1, (SELECT count(*) FROM found), page.* FROM definition"
        " LEFT JOIN LATERAL (SELECT * FROM found ORDER BY lower(name), view_id"
        " LIMIT %(limit)s::bigint OFFSET %(offset)s::bigint) AS page ON true"
    )


def _find_statement(lock: LiteralString = "") -> bytes:
    """Return the statement of one view; a `lock` keeps others from changing it until the transaction ends."""
    return _statement(
        "WITH {held} SELECT 1, view.* FROM definition LEFT JOIN LATERAL (SELECT {view}"
        " FROM managed_tables.views WHERE view_id = %(view_id)s::text AND {visible}{lock}) AS view ON true",
        lock,
    )


def _insert_statement() -> bytes:
    return _statement(
        "WITH {held}, made AS (INSERT INTO managed_tables.views"
        " (view_id, table_id, user_id, name, shared, content, change_id)"
        " SELECT %(view_id)s::text, %(table_id)s::text, %(user_id)s::text, %(name)s::text,"
        " %(shared)s::boolean, %(content)s::json, {now} FROM definition"
        " WHERE (SELECT count(*) FROM managed_tables.views WHERE table_id = %(table_id)s::text"
        " AND user_id = %(user_id)s::text) < %(most)s::bigint RETURNING {view})"
        " SELECT 1, made.* FROM definition LEFT JOIN made ON true"
    )


def _update_statement() -> bytes:
    return _statement(
        "WITH {held}, made AS (UPDATE managed_tables.views SET name = %(name)s::text,"
        " shared = %(shared)s::boolean, content = %(content)s::json, change_id = {now}, updated_at = now()"
        " FROM definition WHERE view_id = %(view_id)s::text AND user_id = %(user_id)s::text RETURNING {view})"
        " SELECT 1, made.* FROM definition LEFT JOIN made ON true"
    )


def _delete_statement() -> bytes:
    return _statement(
        "WITH {held}, gone AS (DELETE FROM managed_tables.views USING definition"
        " WHERE view_id = %(view_id)s::text AND user_id = %(user_id)s::text RETURNING 1)"
        " SELECT 1, (SELECT count(*) FROM gone) FROM definition"
    )
