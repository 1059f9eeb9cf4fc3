"""Answer who changed rows, when, from what to what: read from the newest change back to the first.

`managed_tables.history` keeps changes row by row, texts of cells as PostgreSQL's own. Not so those
of a load and an upsert: what they wrote is what the row had before the next change.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, LiteralString, NamedTuple, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from psycopg import sql
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from managed_tables.clock import timestamp
from managed_tables.conditions.tree import parse_id
from managed_tables.details import InvalidValue
from managed_tables.documents.document import Count, Document, Moment, RecordId, Scalar
from managed_tables.errors import INVALID_REQUEST, ROW_NOT_FOUND, ApiError
from managed_tables.history import Via
from managed_tables.identifiers import MAX_COLUMNS
from managed_tables.kept_rows import STAGED_ID, kept_table
from managed_tables.rules.rule import RuleKind
from managed_tables.schema import Column
from managed_tables.values import array_text
from managed_tables_api.http.requests import ListAnswer, Numbers, NumbersQuery, PageQuery, StrictModel
from managed_tables_api.rows.bulk_changes import MAX_IDS
from managed_tables_api.rows.parsing import value_of
from managed_tables_api.rows.row_models import MAX_PER_PAGE, PerPage, Row, RowId
from managed_tables_api.rows.running import Definition, Table, row_key
from managed_tables_api.rows.statements import compose_reading, compose_statement, part

_MAX_RULE_CHANGES = 100
Action = Literal["insert", "update", "delete", "restore"]
PRESENT, LOADED, UPSERTED = "present", "loaded", "upserted"  # actions that no trigger records

# Of a row of the table, or of one that an upsert has kept, the cells as JSON.
_CELLS = part(
    "managed_tables.hstore_to_json("
    "managed_tables.hstore({t}) OPERATOR(managed_tables.-) ARRAY['id', {staged}])::text",
    staged=STAGED_ID,
)
_SINCE = sql.SQL("now() - make_interval(days => %(days)s::int)")


_ALIKE = {"integer": ("decimal", "text"), "decimal": ("text",), "date": ("text",)}  # types of the same texts
Upsert = tuple[str, int]  # a load that has changed rows: its job, and its place among the changes


def _moment(value: object) -> object:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError as error:
        raise InvalidValue("NOT_A_DATETIME", "deve ser uma data ou data e hora em ISO 8601") from error


def in_zone(moment: datetime | None, zone: ZoneInfo) -> str | None:
    """Return the moment as PostgreSQL reads it; one without a zone is in the deployment's."""
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).isoformat()


_Id = Annotated[str, AfterValidator(parse_id)]
When = Annotated[
    datetime,
    BeforeValidator(_moment),
    Field(json_schema_extra={"type": "string", "format": "date-time"}),
]


class TrashQuery(PageQuery, NumbersQuery):
    """Which page of the deleted rows."""

    per_page: PerPage = 50


class HistoryQuery(TrashQuery):
    """Which changes of a table's rows."""

    action: Action | None = None
    user_id: Annotated[RecordId | None, Field(description="Quem alterou")] = None
    since: Annotated[When | None, Field(alias="from", description="Desde quando, inclusive")] = None
    until: Annotated[When | None, Field(alias="to", description="Até quando, exclusive")] = None
    cursor: Annotated[
        str | None,
        Field(
            pattern=r"^[0-9]{1,18}\.[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
            description="`next_cursor` da página anterior, no lugar de `page`: nada falta nem se repete"
            " enquanto outros alteram a tabela",
        ),
    ] = None


class CellChange(Document):
    """A cell before and after a change, as rows are answered."""

    column: str
    before: Scalar
    after: Scalar


class RowChange(Document):
    """A change of a row: who, when, by which door, and which cells."""

    at: Moment
    user_id: RecordId | None = Field(description="null: uma alteração feita fora da API")
    via: Via | Literal["sql"]
    job_id: RecordId | None
    action: Action
    changes: list[CellChange] = Field(
        description="Só das colunas que a tabela tem: os valores de uma coluna retirada voltam com ela"
    )


class RowHistoryAnswer(Document):
    """All changes of a row, the newest first."""

    total: Count
    records: list[RowChange]


class TableRowChange(RowChange):
    """A change of a row of the table."""

    row_id: RowId


class RuleChange(Document):
    """A change of the table's rules: which one, whose, and when."""

    at: Moment
    user_id: RecordId | None
    action: Literal["added", "changed", "removed"]
    rule: str
    kind: RuleKind
    columns: Annotated[list[str], Field(max_length=MAX_COLUMNS)]


class TableHistoryAnswer(ListAnswer):
    """A page of the changes of a table's rows, the newest first."""

    next_cursor: str | None = Field(description="Para `cursor`, onde houver mais")
    records: Annotated[list[TableRowChange], Field(max_length=MAX_PER_PAGE)]
    rules: Annotated[list[RuleChange], Field(max_length=_MAX_RULE_CHANGES)] = Field(
        description="As últimas mudanças das regras, na primeira página e sem `action`"
    )


class OriginCell(Document):
    """A column of the table, the label that fed it, and the text of the cell as it stands in the file."""

    column: str
    source: str
    text: str | None = Field(description="Como está no arquivo")
    loaded: str | None = Field(description="O texto que foi carregado: o mesmo, ou o de um conserto")
    repaired: bool


class RowOriginAnswer(Document):
    """The load that last wrote a row, and where the row stands in its files."""

    kind: Literal["upload", "api"]
    job_id: RecordId | None
    file: str | None
    sheet: str | None
    line: Count | None
    at: Moment | None
    user_id: RecordId | None
    available: bool = Field(description="false: o arquivo já foi apagado, ou a linha não veio de um arquivo")
    cells: Annotated[list[OriginCell], Field(max_length=MAX_COLUMNS)]


class DeletedRow(Row):
    """A deleted row, with its columns."""

    deleted_at: Moment
    deleted_by: RecordId | None


class TrashAnswer(ListAnswer):
    """A page of deleted rows, the last deleted first."""

    records: Annotated[list[DeletedRow], Field(max_length=MAX_PER_PAGE)]


class RestoreBody(StrictModel):
    """Which deleted rows to bring back: by ids, or all that were deleted since a moment."""

    ids: Annotated[list[_Id], Field(min_length=1, max_length=MAX_IDS)] | None = None
    deleted_after: When | None = None
    deleted_by: RecordId | None = None

    @model_validator(mode="after")
    def _one_way(self) -> "RestoreBody":
        if (self.ids is None) == (self.deleted_after is None) or (self.ids is not None and self.deleted_by):
            raise InvalidValue("REQUIRED", "informe ids, ou deleted_after (e deleted_by, se quiser)")
        return self


class RestoredAnswer(Document):
    """How many rows came back."""

    restored: Count


def changes_statement(definition: Definition, upserts: Sequence[Upsert]) -> bytes:
    """Return the statement of all that is known of some rows.

    (1, row id, change, time, user, via, job, action, cells before, cells after, the staged row's id), the
    oldest change first, the row as it is last. Parameters: table_id, version, ids, days.
    """
    parts = [
        sql.SQL(
            "SELECT row_id, change_id, changed_at, user_id, via, job_id, action,"
            " managed_tables.hstore_to_json(before)::text AS before,"
            " managed_tables.hstore_to_json(after)::text AS after, NULL::uuid AS staged_id"
            " FROM managed_tables.row_history WHERE table_id = %(table_id)s::text"
            " AND row_id = ANY (%(ids)s::uuid[]) AND changed_at > {since}"
        ).format(since=_SINCE),
        sql.SQL(
            "SELECT asked.id, change_id, applied_at, user_id,"
            " CASE mode WHEN 'merge' THEN 'workbook' ELSE 'upload' END, job_id, {loaded}, NULL, NULL,"
            " asked.id FROM managed_tables.applied_jobs, unnest(%(ids)s::uuid[]) AS asked (id)"
            " WHERE table_id = %(table_id)s::text AND mode IS NOT NULL AND row_count > 0"
            " AND asked.id BETWEEN first_id AND last_id"
        ).format(loaded=LOADED),
        part(
            "SELECT {t}.id, 9223372036854775807, now(), NULL, NULL, NULL, {present}, NULL, {cells}, NULL"
            " FROM {table} AS {t} WHERE {t}.id = ANY (%(ids)s::uuid[])",
            definition,
            present=PRESENT,
            cells=_CELLS,
        ),
        *_of_upserts(
            "SELECT {t}.id, {change}, loads.applied_at, loads.user_id, 'upload', {job}, {upserted},"
            " {cells}, NULL, {t}.{staged:i} FROM {kept} AS {t}, managed_tables.applied_jobs AS loads"
            " WHERE {t}.id = ANY (%(ids)s::uuid[]) AND loads.job_id = {job}",
            upserts,
        ),
    ]
    return compose_reading(
        "SELECT row_id::text, change_id, changed_at, user_id, via, job_id, action, before, after, staged_id"
        " FROM ({parts}) AS changes ORDER BY change_id",
        parts=sql.SQL(" UNION ALL ").join(parts),
    )


def _of_upserts(form: LiteralString, upserts: Sequence[Upsert]) -> list[sql.Composed]:
    """Return a SELECT from what each upsert has kept of the rows that it changed."""
    named: dict[str, Any] = {"upserted": UPSERTED, "cells": _CELLS, "staged": STAGED_ID}
    return [part(form, change=change, job=job, kept=kept_table(job), **named) for job, change in upserts]


def page_statement(upserts: Sequence[Upsert]) -> bytes:
    """Return the statement of a page of the table's changes, newest first: (1, change, row id, how many).

    Parameters: table_id, version, days, action, user_id, from, to (NULL for any), limit, offset; after_change
    and after_row, where the page before ended, or NULLs. NULLs for change and row where the page is empty.
    """
    parts = [
        sql.SQL(
            "SELECT change_id, row_id, changed_at, action, user_id FROM managed_tables.row_history"
            " WHERE table_id = %(table_id)s::text AND changed_at > {since}"
        ).format(since=_SINCE),
        *_of_upserts(
            "SELECT {change}, {t}.id, loads.applied_at, 'update', loads.user_id FROM {kept} AS {t},"
            " managed_tables.applied_jobs AS loads WHERE loads.job_id = {job}",
            upserts,
        ),
    ]
    return compose_statement(
        "WITH {held}, found AS MATERIALIZED ("
        "SELECT change_id, row_id FROM ({parts}) AS changes"
        " WHERE (%(action)s::text IS NULL OR action = %(action)s::text)"
        " AND (%(user_id)s::text IS NULL OR user_id = %(user_id)s::text)"
        " AND (%(from)s::timestamptz IS NULL OR changed_at >= %(from)s::timestamptz)"
        " AND (%(to)s::timestamptz IS NULL OR changed_at < %(to)s::timestamptz))"
        " SELECT 1, page.change_id, page.row_id::text, (SELECT count(*) FROM found) FROM definition"
        " LEFT JOIN LATERAL (SELECT * FROM found WHERE %(after_change)s::bigint IS NULL"
        " OR (change_id, row_id) < (%(after_change)s::bigint, %(after_row)s::uuid)"
        " ORDER BY change_id DESC, row_id DESC"
        " LIMIT %(limit)s::bigint OFFSET %(offset)s::bigint) AS page ON true",
        parts=sql.SQL(" UNION ALL ").join(parts),
    )


Cells = Mapping[str, str | None]
Shown = TypeVar("Shown", bound=RowChange)


class Change(NamedTuple):
    """A change of a row; the texts of its cells under the names that the database has now."""

    row_id: str
    change_id: int
    at: datetime
    user_id: str | None
    via: str
    job_id: str | None
    action: str
    before: Cells
    after: Cells
    staged_id: UUID | None = None  # of a load's row: which one of the file it is


def of_row(table: Table, row_id: str, numbers: Numbers) -> RowHistoryAnswer:
    """Return the changes of one row; raises ROW_NOT_FOUND where nothing is known of it."""
    _, changes = read_changes(table, row_id)
    records = [_shown(RowChange, table.definition, change, numbers) for change in _told(changes)]
    return RowHistoryAnswer(total=len(records), records=records)


def of_table(table: Table, asked: HistoryQuery) -> TableHistoryAnswer:
    """Return a page of the changes of the table's rows, the newest first, each with its `row_id`."""
    total, places = _page(table, asked)
    _, rows = _read(table, sorted({row for _, row in places}))
    told = {(change.change_id, change.row_id): change for row in rows.values() for change in _told(row)}
    records = [
        _shown(TableRowChange, table.definition, told[place], asked.numbers, row_id=place[1])
        for place in places
        if place in told
    ]
    ended = f"{places[-1][0]}.{places[-1][1]}" if len(places) == asked.per_page else None
    is_first = asked.page == 1 and asked.cursor is None and asked.action is None
    rules = _rule_changes(table, asked) if is_first else []
    return TableHistoryAnswer(
        total=total, quantity=len(records), next_cursor=ended, records=records, rules=rules
    )


def _rule_changes(table: Table, asked: HistoryQuery) -> list[RuleChange]:
    """Return the last changes of the table's rules, the newest first."""
    statement = compose_reading(
        "SELECT changed_at, user_id, action, rule_id, kind, columns FROM managed_tables.rule_changes"
        " WHERE table_id = %(table_id)s::text AND changed_at > {since}"
        " AND (%(user_id)s::text IS NULL OR user_id = %(user_id)s::text)"
        " AND (%(from)s::timestamptz IS NULL OR changed_at >= %(from)s::timestamptz)"
        " AND (%(to)s::timestamptz IS NULL OR changed_at < %(to)s::timestamptz)"
        " ORDER BY change_id DESC LIMIT {most}",
        since=_SINCE,
        most=sql.Literal(_MAX_RULE_CHANGES),
    )
    zone = table.settings.zone
    limits = {"from": in_zone(asked.since, zone), "to": in_zone(asked.until, zone)}
    found = table.read(statement, {**table.kept_days, **limits, "user_id": asked.user_id})
    return [
        RuleChange(at=timestamp(at), user_id=user, action=action, rule=rule, kind=kind, columns=columns)
        for _, at, user, action, rule, kind, columns in found
        if at is not None
    ]


def _page(table: Table, asked: HistoryQuery) -> tuple[int, list[tuple[int, str]]]:
    """Return how many changes there are, and the change and the row of each on the page."""
    if asked.cursor is not None and asked.page > 1:
        raise ApiError(INVALID_REQUEST, reason="use page ou cursor, não os dois")
    zone = table.settings.zone
    change, _, row = (asked.cursor or "").partition(".")
    parameters = {
        **table.kept_days,
        "action": asked.action,
        "user_id": asked.user_id,
        "from": in_zone(asked.since, zone),
        "to": in_zone(asked.until, zone),
        **asked.window,
        "after_change": change or None,
        "after_row": row or None,
    }
    page = table.read(page_statement(_upserts(table)), parameters)
    return page[0][3], [(change_id, row_id) for _, change_id, row_id, _ in page if row_id is not None]


def read_changes(table: Table, row_id: str) -> tuple["Names", list[Change]]:
    """Return what is known of a row, the oldest change first; raises ROW_NOT_FOUND where nothing is."""
    row_key(row_id)
    names, rows = _read(table, [row_id])
    if not (changes := rows.get(row_id.lower())):
        raise ApiError(ROW_NOT_FOUND)
    return names, changes


def _read(table: Table, row_ids: Sequence[str]) -> tuple["Names", dict[str, list[Change]]]:
    """Return what is known of each row, the oldest change first, the row as it is last; and the names."""
    if not row_ids:
        return Names(), {}
    names = read_names(table)
    statement = changes_statement(table.definition, _upserts(table))
    rows: dict[str, list[Change]] = {}
    parameters = {"ids": array_text(row_ids), **table.kept_days}
    for _, *known in table.read(statement, parameters):
        change = Change(*known)
        if change.row_id is not None:
            was, became = (json.loads(text or "{}") for text in (known[7], known[8]))
            if change.action != UPSERTED:  # what an upsert has kept is renamed with the table
                was, became = (names.renamed(cells, change.change_id) for cells in (was, became))
            rows.setdefault(change.row_id, []).append(change._replace(before=was, after=became))
    return names, rows


def _upserts(table: Table) -> list[Upsert]:
    """Return the table's upserts whose changes are kept; those can be looked up by row afterwards."""
    statement = compose_statement(
        "WITH {held}, upserts AS MATERIALIZED (SELECT job_id, change_id FROM managed_tables.undoable_jobs"
        " JOIN managed_tables.applied_jobs AS loads USING (job_id)"
        " WHERE loads.table_id = %(table_id)s::text AND loads.mode = 'upsert' AND has_kept"
        " AND loads.applied_at > {since})"
        " SELECT 1, upserts.job_id, upserts.change_id, managed_tables.index_kept(ARRAY("
        "SELECT job_id FROM upserts)) FROM definition LEFT JOIN upserts ON true",
        since=_SINCE,
    )
    upserts = table.read(statement, table.kept_days)
    return [(job_id, change_id) for _, job_id, change_id, _ in upserts if job_id is not None]


@dataclass(frozen=True)
class Names:
    """What became of columns' names: (change, old, new), in order."""

    renames: tuple[tuple[int, str, str], ...] = ()

    def shown(self, name: str) -> str:
        """Return the last name that people saw of the column that has this one in the database."""
        return next((old for _, old, new in reversed(self.renames) if new == name and "$" in name), name)

    def follow(self, name: str, since: int) -> str:
        """Return a name after the change `since` as the database has it now: with a `$` if it is out."""
        for change_id, old, new in self.renames:
            name = new if change_id > since and name == old else name
        return name

    def converted(self, columns: Mapping[str, Column]) -> Iterator[dict[str, Any]]:
        """Yield the columns of which kept cells are of another type: `since` and `until` which change."""
        now: dict[str, str] = {}  # of each name what the later renames make of it
        conversions = []
        for change_id, old, new in reversed(self.renames):
            now[old] = now.get(new, new)
            if new.startswith("$") and not new[1:].isdecimal():  # `ColumnPlan.conversions`
                conversions.append((change_id, new[1:], now[old]))
        done: dict[str, int] = {}
        for change_id, old_type, name in reversed(conversions):
            if name in columns and columns[name].type not in (old_type, *_ALIKE.get(old_type, ())):
                yield {"name": name, "since": done.get(name, 0), "until": change_id}
            done[name] = change_id

    def renamed(self, cells: Cells, since: int) -> Cells:
        """Return cells of the change `since` under the names that the database has now."""
        present = {**cells}
        for change_id, old, new in self.renames:
            if change_id > since and old in present:
                present[new] = present.pop(old)
        return present


def read_names(table: Table) -> Names:
    """Return what became of the names of the table's columns, from the first rename on."""
    statement = compose_reading(
        "SELECT change_id, old_name, new_name FROM managed_tables.renamed_columns"
        " WHERE table_id = %(table_id)s::text ORDER BY change_id"
    )
    renames = table.read(statement, {})
    return Names(tuple((change, old, new) for _, change, old, new in renames if change is not None))


def _told(changes: Iterable[Change]) -> list[Change]:
    """Return a row's changes, the newest first, each with the cells that it changed and no others."""
    told: list[Change] = []
    cells: dict[str, str | None] = {}  # of the row after the change
    for change in sorted(changes, key=lambda known: known.change_id, reverse=True):
        action, before, after = change.action, change.before, change.after
        if action == PRESENT:
            cells = {**after}
            continue
        if action == UPSERTED:
            action = "update"
            after = {name: cells.get(name) for name in before if cells.get(name) != before[name]}
            cells |= before
            before = {name: before[name] for name in after}
        elif action == "update":
            cells |= before
        elif action == "delete":
            cells = {**before}
        else:
            action, after = ("insert", cells) if action == LOADED else (action, after)
            cells = {}
        told.append(change._replace(action=action, before=before, after=after))
    return told


def _shown(
    model: type[Shown], definition: Definition, change: Change, numbers: Numbers, **more: str
) -> Shown:
    """Return a change as it is answered: of the columns that the table has, for the others are hidden."""
    changes = [
        CellChange(
            column=column.name,
            before=value_of(column.type, change.before.get(column.name), numbers),
            after=value_of(column.type, change.after.get(column.name), numbers),
        )
        for column in definition.columns
        if column.name in change.before or column.name in change.after
    ]
    known = {name: getattr(change, name) for name in ("user_id", "via", "job_id", "action")}
    return model.read({**more, "at": timestamp(change.at), **known, "changes": changes})
