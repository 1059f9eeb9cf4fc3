"""Turn the conditions of a request (a filter tree, filters of a query string, a search) into composed SQL.

`read_where`, `read_filters` and `read_search` make a `Condition` of untrusted values, `condition_sql` and
`condition_parameters` the SQL of it: equal shapes give equal SQL, so that a statement is prepared once.
"""

from managed_tables.conditions.composition import condition_parameters, condition_sql
from managed_tables.conditions.folding import folded, index_expression
from managed_tables.conditions.reading import (
    FILTER_NAME,
    MAX_CONDITIONS,
    MAX_LIST_VALUES,
    read_filters,
    read_where,
)
from managed_tables.conditions.searching import read_search
from managed_tables.conditions.tree import (
    EVERY_ROW,
    And,
    Comparison,
    Condition,
    Not,
    Operator,
    Or,
    Search,
    all_of,
    leaves,
    without_values,
)

__all__ = [
    "EVERY_ROW",
    "FILTER_NAME",
    "MAX_CONDITIONS",
    "MAX_LIST_VALUES",
    "And",
    "Comparison",
    "Condition",
    "Not",
    "Operator",
    "Or",
    "Search",
    "all_of",
    "condition_parameters",
    "condition_sql",
    "folded",
    "index_expression",
    "leaves",
    "read_filters",
    "read_search",
    "read_where",
    "without_values",
]
