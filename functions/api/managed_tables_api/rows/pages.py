"""Compose the statement of a page: of a table's rows, or of groups of them, filtered and in any order.

Of groups with what is worked out over each: aggregates are defined here, and read from a request.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, LiteralString

from psycopg import sql
from pydantic import Field

from managed_tables.conditions.composition import condition_sql
from managed_tables.conditions.tree import EVERY_ROW, Condition
from managed_tables.databases.applied import ROW_COUNT
from managed_tables.databases.statements import compose
from managed_tables.details import UNKNOWN_COLUMN, Fault, Place
from managed_tables.exports import MAX_SORTS
from managed_tables.identifiers import ID_COLUMN, RESERVED_COLUMNS, is_identifier
from managed_tables.schema import POSTGRES_TYPES, Column, ColumnType
from managed_tables_api.http.requests import StrictModel, refusal
from managed_tables_api.rows.running import Definition
from managed_tables_api.rows.statements import (
    NOTHING,
    TABLE,
    TABLE_ID,
    Shown,
    cell,
    cell_text,
    compose_statement,
    kept_statement,
    parameter,
    part,
)


@dataclass(frozen=True)
class SortKey:
    """One key of an order; `column` is None for the row's id."""

    column: Column | None
    descending: bool = False

    @property
    def name(self) -> str:
        """The name in SQL."""
        return ID_COLUMN if self.column is None else self.column.name

    @property
    def direction(self) -> sql.SQL:
        """The direction; NULLs come last both ways, which is left to the id's index, where there are none."""
        direction: LiteralString = "DESC" if self.descending else "ASC"
        return sql.SQL(direction if self.column is None else direction + " NULLS LAST")

    @property
    def text(self) -> sql.Composed:
        """The key of a row as text."""
        return sql.SQL("{}.id::text").format(TABLE) if self.column is None else cell_text(TABLE, self.column)


Order = tuple[SortKey, ...]  # no two rows share all of the keys


def _order_by(order: Order) -> list[sql.Composed]:
    """Return the list of an ORDER BY."""
    return [compose("{} {}", cell(TABLE, sort.name), sort.direction) for sort in order]


def read_order(
    words: Sequence[str],
    names: Mapping[str, Column | None],
    ties: Sequence[Column | None],
    place: Place,
    path: str,
) -> Order:
    """Return the order that `a`, `-b`, … give, and among equals that of `ties`; raises INVALID_REQUEST.

    None is the row's id, after which nothing counts.
    """
    if len(words) > MAX_SORTS:
        raise refusal(path, Fault("TOO_LONG", f"no máximo {MAX_SORTS} colunas"), place)
    sorts: dict[str, SortKey] = {}
    for word in words:
        name = word.removeprefix("-")
        if name not in names:
            raise refusal(path, UNKNOWN_FIELD, place, value=name)
        if name in sorts:
            raise refusal(path, TWICE, place, value=name)
        sorts[name] = SortKey(names[name], word.startswith("-"))
    for tie in map(SortKey, ties):
        sorts.setdefault(tie.name, tie)
    keys = list(sorts.values())
    ids = [number for number, key in enumerate(keys) if key.column is None]
    return tuple(keys[: ids[0] + 1] if ids else keys)


TWICE = Fault("DUPLICATE_NAME", "a mesma coluna duas vezes")
UNKNOWN_FIELD = Fault("UNKNOWN_COLUMN", "deve ser o nome de uma coluna da tabela ou id")


def after_row(order: Order, nulls: Sequence[bool]) -> sql.Composed:
    """Return the condition that a row comes after that of the keys k0, k1, …; `nulls` are no parameters."""
    terms: list[sql.Composed] = []
    equal: list[sql.Composed] = []
    for place, (sort, is_null) in enumerate(zip(order, nulls, strict=True)):
        key = cell(TABLE, sort.name)
        if is_null:  # nothing comes after NULL
            equal.append(sql.SQL("{} IS NULL").format(key))
            continue
        kind = "uuid" if sort.column is None else POSTGRES_TYPES[sort.column.type]
        value = parameter(f"k{place}", kind)
        beyond = "{key} < {value}" if sort.descending else "{key} > {value}"
        if sort.column is not None:
            beyond = f"({beyond} OR {{key}} IS NULL)"
        terms.append(_joined(" AND ", [*equal, sql.SQL(beyond).format(key=key, value=value)]))
        equal.append(sql.SQL("{} = {}").format(key, value))
    return _joined(" OR ", terms) if terms else sql.Composed([sql.SQL("false")])


def _joined(word: str, parts: list[sql.Composed]) -> sql.Composed:
    return sql.SQL("({})").format(sql.SQL(word).join(parts))


MAX_GROUP_COLUMNS = 5
MAX_AGGREGATES = 50


Function = Literal["count", "count_distinct", "sum", "avg", "min", "max"]  # all but `count` leave NULLs out

_FORMS: dict[Function, LiteralString] = {
    "count": "count({})",
    "count_distinct": "count(DISTINCT {})",
    "sum": "sum({})::numeric",
    "avg": "avg({})",
    "min": "min({})",
    "max": "max({})",
}
# False comes before true.
_BOOLEAN_FORMS: dict[Function, LiteralString] = {"min": "bool_and({})", "max": "bool_or({})"}


class AggregateBody(StrictModel):
    """What is worked out over each group."""

    fn: Function
    column: str | None = Field(default=None, description="Só `count` vai sem coluna: conta linhas")
    name: str = Field(alias="as", default="", description="Nome do campo; `fn_coluna` se não vier")


@dataclass(frozen=True)
class Aggregate:
    """A function over a column, whose result has the name and type of `output`; no column: of all rows."""

    function: Function
    column: Column | None
    output: Column

    def composed(self) -> sql.Composed:
        """Return the item of a select list."""
        if self.column is None:
            return compose("count(*) AS {:i}", self.output.name)
        form = _FORMS[self.function]
        if self.column.type is ColumnType.BOOLEAN:
            form = _BOOLEAN_FORMS.get(self.function, form)
        return compose("{} AS {:i}", compose(form, cell(TABLE, self.column.name)), self.output.name)


@dataclass(frozen=True)
class Grouping:
    """The columns whose values make the groups, none for one group of all rows, and the aggregates."""

    columns: tuple[Column, ...]
    aggregates: tuple[Aggregate, ...]

    @property
    def output_columns(self) -> tuple[Column, ...]:
        """The fields of a group as it is answered."""
        return (*self.columns, *(aggregate.output for aggregate in self.aggregates))


def read_grouping(
    group_by: Sequence[str], aggregates: Sequence[AggregateBody], columns: Mapping[str, Column]
) -> Grouping:
    """Return the grouping of a body's `group_by` and `aggregates`; raises INVALID_REQUEST with details."""
    for number, name in enumerate(group_by):
        if name not in columns:
            raise refusal(f"group_by[{number}]", UNKNOWN_COLUMN)
    groups = tuple(columns[name] for name in group_by)
    read = tuple(
        _read_aggregate(body, f"aggregates[{number}]", columns) for number, body in enumerate(aggregates)
    )
    if not groups and not read:
        raise refusal("group_by", Fault("REQUIRED", "sem colunas e sem aggregates não há grupos"))
    named = [(f"group_by[{number}]", column.name) for number, column in enumerate(groups)]
    named += [(f"aggregates[{number}].as", each.output.name) for number, each in enumerate(read)]
    for place, (path, name) in enumerate(named):
        if any(name == before for _, before in named[:place]):
            raise refusal(path, Fault("DUPLICATE_NAME", "nome repetido"))
    return Grouping(groups, read)


def _read_aggregate(asked: AggregateBody, path: str, columns: Mapping[str, Column]) -> Aggregate:
    column = None
    if asked.fn != "count" or asked.column not in (None, ID_COLUMN):
        if asked.column is None:
            raise refusal(f"{path}.column", Fault("REQUIRED", "obrigatória: só count vai sem coluna"))
        column = columns.get(asked.column)
        fault = fault_of(asked.fn, column)
        if fault is not None:
            raise refusal(f"{path}.column", fault)
    name = asked.fn if column is None else f"{asked.fn}_{column.name}"[:63]
    if "name" in asked.model_fields_set:
        name = asked.name
    if not is_identifier(name) or name in RESERVED_COLUMNS:
        raise refusal(f"{path}.as", Fault("INVALID_NAME", "deve ser um nome como o de uma coluna"))
    if column is None or asked.fn in ("count", "count_distinct"):
        kind = ColumnType.INTEGER
    else:
        kind = ColumnType.DECIMAL if asked.fn in ("sum", "avg") else column.type
    return Aggregate(asked.fn, column, Column(name=name, display_name=name, type=kind, nullable=True))


def fault_of(function: Function, column: Column | None) -> Fault | None:
    """Return why the function is not for the column, None where it is."""
    if column is None:
        return UNKNOWN_COLUMN
    if function in ("sum", "avg") and not column.type.is_number:
        return Fault("OPERATOR_NOT_FOR_TYPE", "só para colunas de números")
    return None


MAX_CURSOR_CHARACTERS = 500  # of a sort value inside a cursor, which travels in a URL

_COUNTED_ROWS = ROW_COUNT.format(TABLE_ID)


@dataclass(frozen=True)
class PageShape:
    """What the text of a page's statement depends on; values are parameters."""

    shown: Shown
    order: Order
    condition: Condition = EVERY_ROW
    counted: bool = True
    after: tuple[bool, ...] | None = None  # which keys of the row before are NULL; None: counted by offset
    grouping: Grouping | None = None


@kept_statement
def page_statement(definition: Definition, shape: PageShape) -> bytes:
    """Return the statement of a page: (total, keys as JSON, row as JSON); NULLs for both if it is empty.

    Parameters: table_id, version, limit, max_bytes, those of the condition; offset without `after`; with it
    the keys that are not NULL: k0, k1, …. The row is NULL where it and the rows before it in the page have
    more than max_bytes: those are never made, nor kept on the disk of a server that others use too.
    """
    groups: sql.Composable = sql.SQL("")
    total: sql.Composable = sql.SQL("definition.total")
    select: sql.Composable = NOTHING
    if shape.grouping is None:
        select = sql.SQL("{} AS total").format(_total(definition, shape))
        source = _rows_in_order(definition, shape)
    else:
        total = sql.SQL('(SELECT count(*) FROM "$groups")' if shape.counted else "NULL::bigint")
        groups, source = _groups(definition, shape, shape.grouping)
    return compose_statement(
        "WITH {held}{groups} SELECT {total}, page.keys, page.row"
        " FROM definition LEFT JOIN LATERAL ("
        'SELECT json_build_array({keys})::text AS keys, CASE WHEN {t}."$size" <= %(max_bytes)s::bigint'
        " THEN {json} END AS row"
        ' FROM (SELECT {t}.*, sum({bytes}) OVER (ROWS UNBOUNDED PRECEDING) AS "$size"'
        " FROM ({source}) AS {t}) AS {t}) AS page ON true",
        keys=[_key_text(shape, sort) for sort in shape.order],
        json=shape.shown.json(TABLE),
        bytes=shape.shown.size(),
        source=source,
        select=select,
        groups=groups,
        total=total,
    )


def _key_text(shape: PageShape, sort: SortKey) -> sql.Composed:
    """Return the text of a key; of a long text only as much as shows that it is too long for a cursor."""
    may_be_long = sort.column is not None and sort.column.type in (ColumnType.TEXT, ColumnType.DECIMAL)
    if shape.grouping is not None or not may_be_long:
        return sort.text
    return sql.SQL("left({}, {})").format(sort.text, MAX_CURSOR_CHARACTERS + 1)


def _total(definition: Definition, shape: PageShape) -> sql.Composable:
    """Return how many rows match: without a condition the count that is kept."""
    if shape.condition == EVERY_ROW:
        return _COUNTED_ROWS
    if not shape.counted:
        return sql.SQL("NULL::bigint")
    where = _where(shape.condition)
    return part("(SELECT count(*) FROM {table} AS {t}{where})", definition, where=where)


def _where(condition: Condition, *others: sql.Composable) -> sql.Composable:
    """Return WHERE and all of the conditions, nothing without any."""
    parts = [*([] if condition == EVERY_ROW else [condition_sql(condition, TABLE)]), *others]
    return sql.SQL(" WHERE {}").format(sql.SQL(" AND ").join(parts)) if parts else sql.SQL("")


def _rows_in_order(definition: Definition, shape: PageShape) -> sql.Composed:
    """Return the SELECT of a page's rows as they are stored, in their order.

    The sort carries keys and ids alone, since it may not fit in memory and the server's disk is shared; a
    page past the end sorts nothing. The rows are then read by their ids: OFFSET 0 keeps the planner from
    another join, which would lose their order. All rows by their ids come from the id's index.
    """
    others: list[sql.Composable] = []
    is_by_id = shape.condition == EVERY_ROW and shape.order[0].column is None
    if shape.after is not None:
        others.append(after_row(shape.order, shape.after))
    elif is_by_id:
        others.append(_from_offset(definition, shape.order[0].descending))
    else:
        others.append(_WITHIN_TOTAL)
    return part(
        _FROM_INDEX if is_by_id else _BY_IDS,
        definition,
        raw=shape.shown.raw(*(sort.name for sort in shape.order)),
        where=_where(shape.condition, *others),
        order=_order_by(shape.order),
        limit=_LIMIT if is_by_id else _limit(shape),
    )


_WITHIN_TOTAL = sql.SQL("(definition.total IS NULL OR %(offset)s::bigint < definition.total)")
_FROM_INDEX: LiteralString = "SELECT {raw} FROM {table} AS {t}{where} ORDER BY {order} {limit}"
_BY_IDS: LiteralString = (
    'SELECT {t}.* FROM (SELECT {t}.id FROM {table} AS {t}{where} ORDER BY {order} {limit}) AS "$found"'
    ' CROSS JOIN LATERAL (SELECT {raw} FROM {table} AS {t} WHERE {t}.id = "$found".id OFFSET 0) AS {t}'
)


_LIMIT = sql.SQL("LIMIT %(limit)s::bigint")


def _limit(shape: PageShape) -> sql.SQL:
    return _LIMIT if shape.after is not None else sql.SQL("LIMIT %(limit)s::bigint OFFSET %(offset)s::bigint")


def _from_offset(definition: Definition, descending: bool) -> sql.Composed:
    """Return the condition of a page in the order of ids: its first id is counted off from the nearer end."""
    return part(
        "{t}.id {compare} CASE"
        " WHEN %(offset)s::bigint = 0 THEN {all}::uuid"
        " WHEN %(offset)s::bigint <= definition.total / 2 THEN"
        " (SELECT {t}.id FROM {table} AS {t} ORDER BY id {forward} LIMIT 1 OFFSET %(offset)s::bigint)"
        " WHEN %(offset)s::bigint < definition.total THEN"
        " (SELECT {t}.id FROM {table} AS {t} ORDER BY id {backward} LIMIT 1"
        " OFFSET greatest(definition.total - 1 - %(offset)s::bigint, 0)) END",
        definition,
        compare=sql.SQL("<=" if descending else ">="),
        all="ffffffff-ffff-ffff-ffff-ffffffffffff" if descending else "00000000-0000-0000-0000-000000000000",
        forward=sql.SQL("DESC" if descending else "ASC"),
        backward=sql.SQL("ASC" if descending else "DESC"),
    )


def _groups(
    definition: Definition, shape: PageShape, grouping: Grouping
) -> tuple[sql.Composed, sql.Composed]:
    """Return the CTE of all groups, and the SELECT of a page's in their order."""
    cells = [cell(TABLE, column.name) for column in grouping.columns]
    by = compose(" GROUP BY {}", cells) if cells else sql.SQL("")
    groups = part(
        ', "$groups" AS (SELECT {outputs} FROM {table} AS {t}{where}{by})',
        definition,
        outputs=[*cells, *(aggregate.composed() for aggregate in grouping.aggregates)],
        where=_where(shape.condition),
        by=by,
    )
    after = [] if shape.after is None else [after_row(shape.order, shape.after)]
    return groups, part(
        'SELECT {t}.* FROM "$groups" AS {t}{where}{order} {limit}',
        where=_where(EVERY_ROW, *after),
        order=compose(" ORDER BY {}", _order_by(shape.order)) if shape.order else sql.SQL(""),
        limit=_limit(shape),
    )
