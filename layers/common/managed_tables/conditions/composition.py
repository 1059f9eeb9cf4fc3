"""Compose the SQL of a condition: names as identifiers, values as parameters, nothing formatted.

Parameters are `w0`, `w1`, … in the order of `tree.leaves`, each text with a cast.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count

from psycopg import sql

from managed_tables.conditions import tree
from managed_tables.conditions.folding import folded, folded_start, start_bounds
from managed_tables.conditions.searching import search_sql
from managed_tables.conditions.tree import Comparison, Condition, Operator, Search
from managed_tables.schema import POSTGRES_TYPES, ColumnType

_SIGNS = {
    Operator.EQ: "=",
    Operator.GT: ">",
    Operator.GTE: ">=",
    Operator.LT: "<",
    Operator.LTE: "<=",
    Operator.NE: "IS DISTINCT FROM",
}


def condition_sql(condition: Condition, table: sql.Identifier) -> sql.Composed:
    """Return the condition as a boolean expression over the table's alias."""
    return _compose(condition, table, count())


def condition_parameters(condition: Condition) -> dict[str, str | None]:
    """Return the parameters of `condition_sql`."""
    values = (one.text if isinstance(one, Search) else one.value for one in tree.leaves(condition))
    return {f"w{place}": value for place, value in enumerate(values) if value is not None}


def _compose(condition: Condition, table: sql.Identifier, places: Iterator[int]) -> sql.Composed:
    match condition:
        case tree.Group(word, ()):
            return sql.Composed([sql.SQL("true" if word == "and" else "false")])
        case tree.Group(word, conditions):
            parts = [_compose(one, table, places) for one in conditions]
            return sql.SQL("({})").format(sql.SQL(" AND " if word == "and" else " OR ").join(parts))
        case tree.Not(inner):
            return sql.SQL("({}) IS NOT TRUE").format(_compose(inner, table, places))
        case Search():
            parameter = sql.SQL("%({})s::text").format(sql.SQL(f"w{next(places)}"))
            return search_sql(condition, table, parameter)
        case Comparison(operator=word) if word in tree.NEGATIONS:
            return _compose(tree.Not(replace(condition, operator=tree.NEGATIONS[word])), table, places)
        case Comparison():
            return _comparison(condition, table, next(places))


def _comparison(comparison: Comparison, table: sql.Identifier, place: int) -> sql.Composed:
    operator = comparison.operator
    cell = sql.SQL("{}.{}").format(table, sql.Identifier(comparison.column))
    if operator is Operator.IS_NULL:
        return sql.SQL("{} IS NULL").format(cell)
    if comparison.type is ColumnType.TEXT:
        return _text_comparison(operator, cell, place)
    type_name = sql.SQL(POSTGRES_TYPES[comparison.type] if comparison.type else "uuid")
    value = sql.SQL("%({})s::{}").format(sql.SQL(f"w{place}"), type_name)
    if operator is Operator.IN:
        return sql.SQL("{} = ANY ({}[])").format(cell, value)
    return sql.SQL("{} {} {}").format(cell, sql.SQL(_SIGNS[operator]), value)


def _text_comparison(operator: Operator, cell: sql.Composed, place: int) -> sql.Composed:
    """Compare folded texts; of two conditions the cheaper one comes first where no index serves the other."""
    text, value = folded(cell), _folded_value(place)
    start, start_value = folded_start(cell), _folded_value(place, folded_start)
    match operator:
        case Operator.EQ:
            return sql.SQL("({} = {} AND {} = {})").format(text, value, start, start_value)
        case Operator.IN:
            values, starts = _folded_values(place, folded), _folded_values(place, folded_start)
            return sql.SQL("({} = ANY ({}) AND {} = ANY ({}))").format(text, values, start, starts)
        case Operator.CONTAINS:
            return sql.SQL("strpos({}, {}) > 0").format(text, value)
        case Operator.STARTS_WITH:
            bounds = start_bounds(start_value, cell)
            return sql.SQL("(starts_with({}, {}) AND {})").format(text, value, bounds)
        case Operator.ENDS_WITH:
            return sql.SQL("right({}, length({})) = {}").format(text, value, value)
        case _:  # in the database's own order of texts
            form = '(({}) COLLATE "default") {} ({} COLLATE "default")'
            return sql.SQL(form).format(text, sql.SQL(_SIGNS[operator]), value)


def _folded_value(place: int, fold: Callable[[sql.Composable], sql.Composed] = folded) -> sql.Composed:
    # A sub-select is worked out once a statement, an expression over a parameter maybe once a row.
    return sql.SQL("(SELECT {})").format(fold(sql.SQL("%({})s::text").format(sql.SQL(f"w{place}"))))


def _folded_values(place: int, fold: Callable[[sql.Composable], sql.Composed]) -> sql.Composed:
    return sql.SQL("ARRAY(SELECT {} FROM unnest(%({})s::text[]) AS item)").format(
        fold(sql.SQL("item")), sql.SQL(f"w{place}")
    )
