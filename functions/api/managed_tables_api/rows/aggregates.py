"""Define aggregates over groups of rows, read them from a request, and compose their SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, LiteralString

from psycopg import sql
from pydantic import Field

from managed_tables.details import UNKNOWN_COLUMN, Fault
from managed_tables.identifiers import ID_COLUMN, RESERVED_COLUMNS, is_identifier
from managed_tables.schema import Column, ColumnType
from managed_tables_api.http.requests import StrictModel, refusal
from managed_tables_api.rows.statements import TABLE, cell

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
        name = sql.Identifier(self.output.name)
        if self.column is None:
            return sql.SQL("count(*) AS {}").format(name)
        form = _FORMS[self.function]
        if self.column.type is ColumnType.BOOLEAN:
            form = _BOOLEAN_FORMS.get(self.function, form)
        return sql.SQL(form).format(cell(TABLE, self.column.name)) + sql.SQL(" AS {}").format(name)


@dataclass(frozen=True)
class Grouping:
    """The columns whose values make the groups, none for one group of all rows, and the aggregates."""

    columns: tuple[Column, ...]
    aggregates: tuple[Aggregate, ...]

    @property
    def output_columns(self) -> tuple[Column, ...]:
        """The fields of a group as it is answered."""
        return (*self.columns, *(aggregate.output for aggregate in self.aggregates))

    def outputs(self) -> sql.Composed:
        """Return the select list of a group."""
        cells = [cell(TABLE, column.name) for column in self.columns]
        return sql.SQL(", ").join([*cells, *(aggregate.composed() for aggregate in self.aggregates)])

    def by(self) -> sql.Composable:
        """Return the GROUP BY, nothing for one group of all rows."""
        if not self.columns:
            return sql.SQL("")
        cells = sql.SQL(", ").join(cell(TABLE, column.name) for column in self.columns)
        return sql.SQL(" GROUP BY {}").format(cells)


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
