"""Have the database write the history of rows: triggers, and who acts.

Updates and deletions are written by triggers, so that no door is without them. Insertions have none: COPY
would ask it for each row. A statement that inserts rows otherwise writes them (`recorded_rows`). Loads are
not copied: `applied_jobs` has the range of their ids, `kept_rows` what an upsert changed.

Values are PostgreSQL's own texts, digit for digit, under the names that columns had then; `renamed_columns`
says what became of those names. The schema is that of `databases.migrations`.
"""

from dataclasses import dataclass
from typing import Literal

from psycopg import sql

from managed_tables.databases.connecting import PgConnection, fetch_number
from managed_tables.databases.statements import compose, execute

Via = Literal["api", "bulk", "upload", "workbook", "undo", "restore"]

ACTOR = "managed_tables.actor"
NOT_RECORDED = "off"
_TRIGGER = "history$"  # with `$`, no name of a user's is in its way


@dataclass(frozen=True)
class Actor:
    """Who changes rows, by which door, for which job."""

    user_id: str
    via: Via
    days: int  # for how long a change is kept
    job_id: str | None = None

    @property
    def setting(self) -> str:
        """The actor as the database's triggers read it."""
        return f"{self.user_id or '-'} {self.via} {self.job_id or '-'} {self.days}"


def set_actor(connection: PgConnection, actor: Actor | None) -> None:
    """Let the rest of the transaction be this actor's; None: its changes of rows are not recorded."""
    setting = NOT_RECORDED if actor is None else actor.setting
    connection.execute("SELECT set_config(%s, %s, true)", [ACTOR, setting])


def start_history(connection: PgConnection, table_id: str, table: sql.Identifier) -> None:
    """Record what is changed and deleted in the table from now on."""
    execute(
        connection,
        "CREATE TRIGGER {:i} AFTER UPDATE OR DELETE ON {} FOR EACH ROW"
        " WHEN (current_setting({}, true) IS DISTINCT FROM {})"
        " EXECUTE FUNCTION managed_tables.record_change({})",
        _TRIGGER,
        table,
        ACTOR,
        NOT_RECORDED,
        table_id,
    )


def stop_history(connection: PgConnection, table_id: str, table: sql.Identifier) -> None:
    """Record nothing more of the table, and forget what was recorded."""
    execute(connection, "DROP TRIGGER IF EXISTS {:i} ON {}", _TRIGGER, table)
    connection.execute("DELETE FROM managed_tables.row_history WHERE table_id = %s", [table_id])
    connection.execute("DELETE FROM managed_tables.rule_changes WHERE table_id = %s", [table_id])


def record_renames(connection: PgConnection, table_id: str, renames: list[tuple[str, str]]) -> None:
    """Record, in the transaction that renames or hides columns, what became of their names, in order."""
    for old, new in renames:
        connection.execute(
            "INSERT INTO managed_tables.renamed_columns (change_id, table_id, old_name, new_name) VALUES ("
            "nextval(pg_get_serial_sequence('managed_tables.row_history', 'change_id')), %s, %s, %s)",
            [table_id, old, new],
        )


def find_new_names(connection: PgConnection, table_id: str) -> frozenset[str]:
    """Return the names that columns of the table ever took from another; a new type is recorded as one."""
    query = (
        "SELECT DISTINCT new_name FROM managed_tables.renamed_columns"
        " WHERE table_id = %s AND old_name !~ '^[$][a-z]'"
    )
    return frozenset(name for (name,) in connection.execute(query, [table_id]).fetchall())


def row_cells(table: sql.Identifier) -> sql.Composed:
    """Return what `recorded_rows` writes of a row, as `cells`; `table` is its name in the statement."""
    return compose("managed_tables.hstore({}) OPERATOR(managed_tables.-) 'id'::text AS cells", table)


def recorded_rows(source: sql.Composable, action: Literal["insert", "restore"] = "insert") -> sql.Composed:
    """Return the CTE `recorded`, which puts rows (`id`, `cells`) into the history; it takes `table_id`."""
    return compose(
        "recorded AS (INSERT INTO managed_tables.row_history"
        " (table_id, row_id, user_id, via, job_id, action, after)"
        " SELECT %(table_id)s::text, made.id, nullif(split_part({actor}, ' ', 1), '-'),"
        " split_part({actor}, ' ', 2), nullif(split_part({actor}, ' ', 3), '-'), {action}, made.cells"
        " FROM {source} AS made)",
        actor=compose("current_setting({})", ACTOR),
        action=action,
        source=source,
    )


def forget_changes(connection: PgConnection, days: int) -> int:
    """Drop the oldest 10,000 changes that are older than `days`, and return how many; commits."""
    return fetch_number(connection, "SELECT managed_tables.forget_changes(%s, 10000)", days)
