"""List deleted rows and bring them back: what the history kept of a row when it was deleted."""

import json

from psycopg import sql

from managed_tables.clock import timestamp
from managed_tables.details import DetailCode, Fault
from managed_tables.documents.document import Scalar
from managed_tables.history.recording import recorded_rows, row_cells
from managed_tables.schema import Column
from managed_tables.tables.physical import default_value
from managed_tables.values import array_text
from managed_tables_api.http.validation import Numbers, refusal
from managed_tables_api.rows.history.history_models import DeletedRow, RestoreBody, TrashAnswer, in_zone
from managed_tables_api.rows.history.row_history import Names, read_names, value_of
from managed_tables_api.rows.inserts import taken_by_update
from managed_tables_api.rows.running import (
    Definition,
    KeyTaken,
    RowOperations,
    on_definition,
    read_row_ids,
    require_active,
)
from managed_tables_api.rows.statements import (
    ROW,
    compose_statement,
    counted,
    kept_statement,
    names_of,
    table_of,
)

# The last deletion of each row that is not in the table.
_GONE = sql.SQL(
    "gone AS MATERIALIZED (SELECT DISTINCT ON (row_id) row_id, change_id, changed_at, user_id, before"
    " FROM managed_tables.row_history AS history WHERE table_id = %(table_id)s::text AND action = 'delete'"
    " AND changed_at > now() - make_interval(days => %(days)s::int)"
    " AND NOT EXISTS (SELECT FROM {table} AS present WHERE present.id = history.row_id){condition}"
    " ORDER BY row_id, change_id DESC)"
)
_BY_IDS = sql.SQL(" AND row_id = ANY (%(ids)s::uuid[])")
_BY_TIME = sql.SQL(
    " AND changed_at >= %(deleted_after)s::timestamptz"
    " AND (%(deleted_by)s::text IS NULL OR user_id = %(deleted_by)s::text)"
)


class Trash(RowOperations):
    """Deleted rows, as long as their history is kept."""

    @on_definition
    def list_page(self, definition: Definition, page: int, per_page: int, numbers: Numbers) -> TrashAnswer:
        """Return a page of deleted rows, the last deleted first."""
        parameters = {
            **self.runner.kept_days,
            "limit": str(per_page),
            "offset": str((page - 1) * per_page),
        }
        listed = self.runner.read(definition, _page_statement(definition), parameters)
        names = read_names(self.runner, definition)
        records = [
            DeletedRow.read(
                {
                    **_cells(definition, names.since(change_id), before, numbers),
                    "id": row_id,
                    "deleted_at": timestamp(deleted_at),
                    "deleted_by": deleted_by,
                }
            )
            for _, row_id, change_id, deleted_at, deleted_by, before, _ in listed
            if row_id is not None
        ]
        return TrashAnswer(total=listed[0][6], quantity=len(records), records=records)

    @on_definition
    def restore(self, definition: Definition, asked: RestoreBody, user_id: str) -> int:
        """Bring deleted rows back, ids and values, all of them or none, and return how many.

        Those that are not in the trash are passed over. Raises DUPLICATE_KEY where others have taken a key,
        and INVALID_REQUEST where a value is none of its column's type any more (as the runner says it).
        """
        ids = None
        if asked.ids is not None:
            ids = read_row_ids(asked.ids)
            if not ids:
                raise refusal("ids", _NO_ID)
        require_active(definition)
        zone = self.runner.settings.zone
        statement = _restore_statement(definition, zone.key, by_ids=ids is not None)
        parameters = {
            **self.runner.kept_days,
            **self.runner.acting(user_id, "restore"),
            "ids": None if ids is None else array_text(ids),
            "deleted_after": in_zone(asked.deleted_after, zone),
            "deleted_by": asked.deleted_by,
        }
        try:
            return int(self.runner.run(definition, statement, parameters)[0][1])
        except KeyTaken as taken:
            raise taken_by_update(definition, taken, []) from taken


_NO_ID = Fault(DetailCode.INVALID, "um deles não é o id de uma linha")


def _cells(definition: Definition, names: Names, before: str, numbers: Numbers) -> dict[str, Scalar]:
    cells = names.renamed(json.loads(before))
    return {
        column.name: value_of(column.type, cells.get(column.name), numbers) for column in definition.columns
    }


@kept_statement
def _page_statement(definition: Definition) -> bytes:
    """Return the statement of deleted rows: (1, id, change, when, by whom, cells, how many); or NULLs.

    Parameters: table_id, version, days, limit, offset.
    """
    return compose_statement(
        "WITH {held}, {gone} SELECT 1, page.row_id::text, page.change_id, page.changed_at, page.user_id,"
        " managed_tables.hstore_to_json(page.before)::text, (SELECT count(*) FROM gone) FROM definition"
        " LEFT JOIN LATERAL (SELECT * FROM gone ORDER BY change_id DESC"
        " LIMIT %(limit)s::bigint OFFSET %(offset)s::bigint) AS page ON true",
        gone=_GONE.format(table=table_of(definition), condition=sql.SQL("")),
    )


@kept_statement
def _restore_statement(definition: Definition, zone: str, *, by_ids: bool) -> bytes:
    """Return the statement that inserts deleted rows again: (1, how many).

    Parameters: table_id, version, actor, days; ids, or deleted_after and deleted_by.
    """
    values = [_value(column, zone) for column in definition.columns]
    return compose_statement(
        "WITH {held}, {gone},"
        " named AS MATERIALIZED (SELECT row_id, managed_tables.present_cells("
        "%(table_id)s::text, change_id, before) AS cells FROM gone, definition),"
        " back AS (INSERT INTO {table} AS {row} (id, {columns}) SELECT named.row_id, {values} FROM named,"
        " managed_tables.populate_record(NULL::{table}, named.cells) AS kept"
        " RETURNING {row}.id, {recorded_cells}),"
        " {recorded}, {counted} SELECT 1, (SELECT count(*) FROM back) FROM definition",
        definition,
        active=True,
        gone=_GONE.format(table=table_of(definition), condition=_BY_IDS if by_ids else _BY_TIME),
        columns=names_of(definition.columns),
        values=sql.SQL(", ").join(values),
        recorded_cells=row_cells(ROW),
        recorded=recorded_rows(sql.SQL("back"), "restore"),
        counted=counted(sql.SQL("(SELECT count(*) FROM back)")),
    )


def _value(column: Column, zone: str) -> sql.Composed:
    """Return the value of a column: of one that the row did not have yet, its default."""
    name = sql.Identifier(column.name)
    if column.default is None:
        return sql.SQL("kept.{}").format(name)
    return sql.SQL(
        "CASE WHEN named.cells OPERATOR(managed_tables.?) {key} THEN kept.{name} ELSE {default} END"
    ).format(key=column.name, name=name, default=default_value(column, zone))
