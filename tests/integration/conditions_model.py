"""A model of conditions in Python: strategies for rows and trees, and the rows that a tree matches."""

import operator
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from managed_tables.conditions.tree import Operator

TYPES = {
    "produto": "text",
    "valor": "decimal",
    "quantidade": "integer",
    "pago": "boolean",
    "dia": "date",
    "quando": "datetime",
}

# Letters that decompose into ASCII and marks, the same in every collation and in Python.
words = st.sampled_from(
    ["", "a", "A", "á", "Ã", "acao", "Ação", "ação", "açao x", "ÇÃ", "b", "a" * 300, "Á" * 300]
)
values: dict[str, st.SearchStrategy[Any]] = {
    "produto": words,
    "valor": st.sampled_from(
        [0, Decimal("1.5"), Decimal("1.50"), Decimal("1" * 60), -Decimal("1" * 60 + ".1")]
    ),
    "quantidade": st.sampled_from([0, 1, -(2**63), 2**63 - 1]),
    "pago": st.booleans(),
    "dia": st.sampled_from(["0001-01-01", "2026-01-01", "2026-01-02"]),
    "quando": st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000001Z"]),
}
rows = st.fixed_dictionaries({name: st.none() | strategy for name, strategy in values.items()})
TEXT_OPERATORS = ("contains", "not_contains", "starts_with", "ends_with")
ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "contains": operator.contains,
    "starts_with": lambda cell, value: cell.startswith(value),
    "ends_with": lambda cell, value: cell.endswith(value),
}
NEGATIONS = {"ne": "eq", "nin": "in", "not_contains": "contains"}


@st.composite
def comparisons(draw: st.DrawFn) -> dict[str, Any]:
    name = draw(st.sampled_from(list(TYPES)))
    word = draw(
        st.sampled_from([one for one in Operator if TYPES[name] == "text" or one not in TEXT_OPERATORS])
    )
    if word == "is_null":
        value: Any = draw(st.booleans())
    elif word in ("in", "nin"):
        value = draw(st.lists(values[name], max_size=3))
    else:
        value = draw(values[name])
    return {"column": name, "op": str(word), "value": value}


trees = st.recursive(
    comparisons(),
    lambda inner: (
        st.builds(lambda one: {"not": one}, inner)
        | st.builds(
            lambda word, many: {word: many}, st.sampled_from(["and", "or"]), st.lists(inner, max_size=3)
        )
    ),
    max_leaves=6,
).filter(lambda tree: depth(tree) <= 5)


def depth(tree: dict[str, Any]) -> int:
    inner = [tree["not"]] if "not" in tree else tree.get("and", tree.get("or"))
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


def folded(text: str) -> str:
    return re.sub("[\u0300-\u036f]", "", unicodedata.normalize("NFD", text)).lower()


def comparable(name: str, value: Any) -> Any:
    if TYPES[name] == "text":
        return folded(value)
    return datetime.fromisoformat(value).astimezone(UTC) if TYPES[name] == "datetime" else value


def holds(tree: dict[str, Any], row: dict[str, Any]) -> bool:
    if "not" in tree:
        return not holds(tree["not"], row)
    if "and" in tree:
        return all(holds(one, row) for one in tree["and"])
    if "or" in tree:
        return any(holds(one, row) for one in tree["or"])
    if tree["op"] in NEGATIONS:
        return not holds({**tree, "op": NEGATIONS[tree["op"]]}, row)
    cell = row[tree["column"]]
    if tree["op"] == "is_null":
        return (cell is None) == tree["value"]
    if cell is None:
        return False
    cell = comparable(tree["column"], cell)
    if tree["op"] == "in":
        return any(cell == comparable(tree["column"], value) for value in tree["value"])
    return ORDERS[tree["op"]](cell, comparable(tree["column"], tree["value"]))
