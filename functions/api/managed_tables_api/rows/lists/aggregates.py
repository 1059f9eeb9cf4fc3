"""Define aggregates over groups of rows, read them from a request, and compose their SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from psycopg import sql

from managed_tables.details import UNKNOWN_COLUMN, DetailCode, Fault
from managed_tables.identifiers import ID_COLUMN, is_column_name
from managed_tables.schema import Column, ColumnType
from managed_tables_api.http.validation import refusal

MAX_GROUP_COLUMNS = 5
MAX_AGGREGATES = 50


class Function(StrEnum):
    """What is worked out; all but `count` leave NULLs out."""

    COUNT = "count"
    COUNT_DISTINCT = "count_distinct"
    SUM = "sum"
    AVG = "avg"
    MIN = "min"
    MAX = "max"


_NUMBERS = frozenset({ColumnType.INTEGER, ColumnType.DECIMAL})
_FORMS = {
    Function.COUNT: "count({})",
    Function.COUNT_DISTINCT: "count(DISTINCT {})",
    Function.SUM: "sum({})::numeric",
    Function.AVG: "avg({})",
    Function.MIN: "min({})",
    Function.MAX: "max({})",
}
_BOOLEAN_FORMS = {Function.MIN: "bool_and({})", Function.MAX: "bool_or({})"}  # false comes before true


@dataclass(frozen=True)
class Aggregate:
    """A function over a column, whose result has the name and type of `output`; no column: of all rows."""

    function: Function
    column: Column | None
    output: Column

    def composed(self, source: sql.Identifier) -> sql.Composed:
        """Return the item of a select list."""
        name = sql.Identifier(self.output.name)
        if self.column is None:
            return sql.SQL("count(*) AS {}").format(name)
        form = _FORMS[self.function]
        if self.column.type is ColumnType.BOOLEAN:
            form = _BOOLEAN_FORMS.get(self.function, form)
        cell = sql.SQL("{}.{}").format(source, sql.Identifier(self.column.name))
        return sql.SQL(form).format(cell) + sql.SQL(" AS {}").format(name)


@dataclass(frozen=True)
class Grouping:
    """The columns whose values make the groups, none for one group of all rows, and the aggregates."""

    columns: tuple[Column, ...]
    aggregates: tuple[Aggregate, ...]

    @property
    def output_columns(self) -> tuple[Column, ...]:
        """The fields of a group as it is answered."""
        return (*self.columns, *(aggregate.output for aggregate in self.aggregates))

    def outputs(self, source: sql.Identifier) -> sql.Composed:
        """Return the select list of a group."""
        cells = [_cell(source, column) for column in self.columns]
        return sql.SQL(", ").join([*cells, *(aggregate.composed(source) for aggregate in self.aggregates)])

    def by(self, source: sql.Identifier) -> sql.Composable:
        """Return the GROUP BY, nothing for one group of all rows."""
        if not self.columns:
            return sql.SQL("")
        cells = sql.SQL(", ").join(_cell(source, column) for column in self.columns)
        return sql.SQL(" GROUP BY {}").format(cells)


def _cell(source: sql.Identifier, column: Column) -> sql.Composed:
    return sql.SQL("{}.{}").format(source, sql.Identifier(column.name))


def read_grouping(group_by: Any, aggregates: Any, columns: Mapping[str, Column]) -> Grouping:
    """Return the grouping of a body's `group_by` and `aggregates`; raises INVALID_REQUEST with details."""
    groups = _read_groups([] if group_by is None else group_by, columns)
    items = [] if aggregates is None else aggregates
    if not isinstance(items, list):
        raise refusal("aggregates", Fault(DetailCode.NOT_A_LIST, "deve ser uma lista"))
    if len(items) > MAX_AGGREGATES:
        raise refusal("aggregates", Fault(DetailCode.TOO_LONG, f"no máximo {MAX_AGGREGATES}"))
    found = [_read_aggregate(item, f"aggregates[{number}]", columns) for number, item in enumerate(items)]
    if not groups and not found:
        raise refusal("group_by", Fault(DetailCode.REQUIRED, "sem colunas e sem aggregates não há grupos"))
    _check_names(groups, found)
    return Grouping(groups, tuple(found))


def _read_groups(group_by: Any, columns: Mapping[str, Column]) -> tuple[Column, ...]:
    if not isinstance(group_by, list):
        raise refusal("group_by", Fault(DetailCode.NOT_A_LIST, "deve ser uma lista de colunas"))
    if len(group_by) > MAX_GROUP_COLUMNS:
        raise refusal("group_by", Fault(DetailCode.TOO_LONG, f"no máximo {MAX_GROUP_COLUMNS} colunas"))
    for number, name in enumerate(group_by):
        if not isinstance(name, str) or name not in columns:
            raise refusal(f"group_by[{number}]", UNKNOWN_COLUMN)
    return tuple(columns[name] for name in group_by)


_AGGREGATE_KEYS = frozenset({"fn", "column", "as"})


def _read_aggregate(item: Any, path: str, columns: Mapping[str, Column]) -> Aggregate:
    if not isinstance(item, dict) or not item.keys() <= _AGGREGATE_KEYS:
        raise refusal(path, Fault(DetailCode.INVALID, 'deve ser {"fn", "column", "as"}'))
    try:
        function = Function(item.get("fn", ""))
    except ValueError as error:
        fault = Fault(DetailCode.NOT_ALLOWED, f"deve ser uma destas: {', '.join(Function)}")
        raise refusal(f"{path}.fn", fault) from error
    column = _read_column(function, item.get("column"), f"{path}.column", columns)
    default = function.value if column is None else f"{function.value}_{column.name}"[:63]
    name = item.get("as", default)
    if not isinstance(name, str) or not is_column_name(name):
        fault = Fault(DetailCode.INVALID_NAME, "deve ser um nome como o de uma coluna")
        raise refusal(f"{path}.as", fault)
    kind = _result_type(function, column)
    return Aggregate(function, column, Column(name=name, display_name=name, type=kind, nullable=True))


def _read_column(function: Function, name: Any, path: str, columns: Mapping[str, Column]) -> Column | None:
    if function is Function.COUNT and name in (None, ID_COLUMN):
        return None
    if name is None:
        raise refusal(path, Fault(DetailCode.REQUIRED, "obrigatória: só count vai sem coluna"))
    column = columns.get(name) if isinstance(name, str) else None
    if column is None:
        raise refusal(path, UNKNOWN_COLUMN)
    if function in (Function.SUM, Function.AVG) and column.type not in _NUMBERS:
        fault = Fault(DetailCode.OPERATOR_NOT_FOR_TYPE, "só para colunas de números")
        raise refusal(path, fault)
    return column


def _result_type(function: Function, column: Column | None) -> ColumnType:
    if column is None or function in (Function.COUNT, Function.COUNT_DISTINCT):
        return ColumnType.INTEGER
    return ColumnType.DECIMAL if function in (Function.SUM, Function.AVG) else column.type


def _check_names(groups: Sequence[Column], aggregates: Sequence[Aggregate]) -> None:
    names = [column.name for column in groups]
    for number, name in enumerate(names):
        if name in names[:number]:
            raise refusal(f"group_by[{number}]", _TWICE)
    for number, aggregate in enumerate(aggregates):
        if aggregate.output.name in names:
            raise refusal(f"aggregates[{number}].as", _TWICE)
        names.append(aggregate.output.name)


_TWICE = Fault(DetailCode.DUPLICATE_NAME, "nome repetido")
