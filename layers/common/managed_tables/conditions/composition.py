"""Compose the SQL of a condition: names as identifiers, values as parameters, nothing formatted.

Parameters are `w0`, `w1`, … in the order of `tree.leaves`, each text with a cast.
"""

from collections.abc import Callable, Iterator
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
_NEGATIONS = {Operator.NIN: Operator.IN, Operator.NOT_CONTAINS: Operator.CONTAINS}


def condition_sql(condition: Condition, table: sql.Identifier) -> sql.Composed:
    """Return the condition as a boolean expression over the table's alias."""
    return _compose(condition, table, count())


def condition_parameters(condition: Condition) -> dict[str, str | None]:
    """Return the parameters of `condition_sql`."""
    values: dict[str, str | None] = {}
    for place, leaf in enumerate(tree.leaves(condition)):
        value = leaf.text if isinstance(leaf, Search) else leaf.value
        if value is not None:
            values[f"w{place}"] = value
    return values


def _compose(condition: Condition, table: sql.Identifier, places: Iterator[int]) -> sql.Composed:
    match condition:
        case tree.And(conditions):
            return _joined(" AND ", "true", [_compose(one, table, places) for one in conditions])
        case tree.Or(conditions):
            return _joined(" OR ", "false", [_compose(one, table, places) for one in conditions])
        case tree.Not(inner):
            return _negated(_compose(inner, table, places))
        case Search():
            parameter = sql.SQL("%({})s::text").format(sql.SQL(f"w{next(places)}"))
            return search_sql(condition, table, parameter)
        case Comparison():
            return _comparison(condition, table, next(places))


def _joined(word: str, empty: str, parts: list[sql.Composed]) -> sql.Composed:
    if not parts:
        return sql.SQL("{}").format(sql.SQL(empty))
    return sql.SQL("({})").format(sql.SQL(word).join(parts))


def _negated(condition: sql.Composed) -> sql.Composed:
    return sql.SQL("({}) IS NOT TRUE").format(condition)


def _comparison(comparison: Comparison, table: sql.Identifier, place: int) -> sql.Composed:
    operator = comparison.operator
    if operator in _NEGATIONS:
        return _negated(_affirmed(comparison, _NEGATIONS[operator], table, place))
    return _affirmed(comparison, operator, table, place)


def _affirmed(comparison: Comparison, operator: Operator, table: sql.Identifier, place: int) -> sql.Composed:
    cell = _cell(table, comparison.column)
    if operator is Operator.IS_NULL:
        return sql.SQL("{} IS NULL").format(cell)
    if comparison.type is ColumnType.TEXT:
        return _TEXT_FORMS.get(operator, _text_order(operator))(cell, place)
    type_name = sql.SQL(POSTGRES_TYPES[comparison.type] if comparison.type else "uuid")
    value = sql.SQL("%({})s::{}").format(sql.SQL(f"w{place}"), type_name)
    if operator in tree.LIST_OPERATORS:
        return sql.SQL("{} = ANY ({}[])").format(cell, value)
    return sql.SQL("{} {} {}").format(cell, sql.SQL(_SIGNS[operator]), value)


# Of two conditions joined by AND the cheaper one comes first where no index serves the other.
def _text_equals(cell: sql.Composed, place: int) -> sql.Composed:
    return sql.SQL("({} = {} AND {} = {})").format(
        folded(cell), _folded_value(place), folded_start(cell), _folded_value(place, folded_start)
    )


def _text_is_in(cell: sql.Composed, place: int) -> sql.Composed:
    return sql.SQL("({} = ANY ({}) AND {} = ANY ({}))").format(
        folded(cell), _folded_values(place, folded), folded_start(cell), _folded_values(place, folded_start)
    )


def _text_contains(cell: sql.Composed, place: int) -> sql.Composed:
    return sql.SQL("strpos({}, {}) > 0").format(folded(cell), _folded_value(place))


def _text_starts_with(cell: sql.Composed, place: int) -> sql.Composed:
    bounds = start_bounds(_folded_value(place, folded_start), cell)
    return sql.SQL("(starts_with({}, {}) AND {})").format(folded(cell), _folded_value(place), bounds)


def _text_ends_with(cell: sql.Composed, place: int) -> sql.Composed:
    value = _folded_value(place)
    return sql.SQL("right({}, length({})) = {}").format(folded(cell), value, value)


_TextForm = Callable[[sql.Composed, int], sql.Composed]
_TEXT_FORMS: dict[Operator, _TextForm] = {
    Operator.EQ: _text_equals,
    Operator.IN: _text_is_in,
    Operator.CONTAINS: _text_contains,
    Operator.STARTS_WITH: _text_starts_with,
    Operator.ENDS_WITH: _text_ends_with,
}


def _text_order(operator: Operator) -> _TextForm:
    """Return the form of a comparison in the database's own order of texts."""

    def compose(cell: sql.Composed, place: int) -> sql.Composed:
        form = '(({}) COLLATE "default") {} ({} COLLATE "default")'
        sign = sql.SQL(_SIGNS[operator])
        return sql.SQL(form).format(folded(cell), sign, _folded_value(place))

    return compose


def _cell(table: sql.Identifier, column: str) -> sql.Composed:
    return sql.SQL("{}.{}").format(table, sql.Identifier(column))


def _folded_value(place: int, fold: Callable[[sql.Composable], sql.Composed] = folded) -> sql.Composed:
    # A sub-select is worked out once a statement, an expression over a parameter maybe once a row.
    return sql.SQL("(SELECT {})").format(fold(sql.SQL("%({})s::text").format(sql.SQL(f"w{place}"))))


def _folded_values(place: int, fold: Callable[[sql.Composable], sql.Composed]) -> sql.Composed:
    return sql.SQL("ARRAY(SELECT {} FROM unnest(%({})s::text[]) AS item)").format(
        fold(sql.SQL("item")), sql.SQL(f"w{place}")
    )
