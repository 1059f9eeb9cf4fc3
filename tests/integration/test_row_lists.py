"""Lists of rows and of groups over HTTP, compared with a Python model on random tables."""

import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from conditions_model import TYPES, holds, trees
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rows_client import RowsClient

PROPERTY = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

# Few distinct values, so that there are ties and NULLs; text that every collation sorts the same way.
few: dict[str, st.SearchStrategy[Any]] = {
    "produto": st.sampled_from(["", "a", "b", "ba", "z" * 600, "z" * 600 + "a"]),
    "valor": st.sampled_from([None, 1, Decimal("1.00"), Decimal("9" * 60 + ".5"), -Decimal("9" * 60)]),
    "quantidade": st.sampled_from([None, -(2**63), 0, 2**63 - 1]),
    "pago": st.sampled_from([None, True, False]),
    "dia": st.sampled_from([None, "0001-01-01", "2026-01-01"]),
    "quando": st.sampled_from([None, "2026-01-01T00:00:00.000001Z", "2026-01-01T00:00:00Z"]),
}
tables = st.lists(st.fixed_dictionaries(few), max_size=9)
sorts = st.lists(st.sampled_from([*TYPES, "id"]), max_size=5, unique=True).flatmap(
    lambda names: st.tuples(
        *(st.sampled_from(["", "-"]).map(lambda sign, name=name: sign + name) for name in names)
    )
)


def write(value: Any) -> str:
    """Return JSON text with exact decimals."""
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{write(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(write, value)) + "]"
    return json.dumps(value)


def fill(rows: RowsClient, given_rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Make these the table's only rows; return them as listed."""
    rows.execute("TRUNCATE vendas, managed_tables.row_counts")
    if not given_rows:
        return []
    answer = rows.call("POST", body=write({"rows": given_rows}), **{"return": "records"})
    assert answer.status == 201
    listed: list[dict[str, Any]] = answer.body["records"]
    return listed


def query(rows: RowsClient, body: dict[str, Any]) -> Any:
    answer = rows.call("POST", "/query", write(body))
    assert answer.status == 200, answer
    return answer.body


def by_cursor(rows: RowsClient, body: dict[str, Any]) -> list[Any]:
    found: list[Any] = []
    page = query(rows, body)
    while True:
        found += page["records"]
        assert len(found) <= 9, "the cursor does not end"
        if page["next_cursor"] is None:
            return found
        page = query(rows, {**body, "cursor": page["next_cursor"]})


def by_page(rows: RowsClient, body: dict[str, Any], total: int) -> list[Any]:
    pages = range(1, total // body["per_page"] + 2)
    return [record for page in pages for record in query(rows, {**body, "page": page})["records"]]


def in_order(records: list[dict[str, Any]], words: Sequence[str]) -> list[dict[str, Any]]:
    """Return the records sorted, NULLs last in both directions, ties in order."""
    for word in reversed(words):
        name = word.removeprefix("-")
        known = [one for one in records if one[name] is not None]
        known.sort(key=lambda one, name=name: exact(name, one[name]), reverse=word.startswith("-"))
        records = known + [one for one in records if one[name] is None]
    return records


def exact(name: str, value: Any) -> Any:
    """Return the value in the form compared, text letter by letter."""
    return value if value is None or TYPES.get(name) != "datetime" else datetime.fromisoformat(value)


@PROPERTY
@given(tables, trees, sorts, st.integers(2, 5))
def test_filtered_pages_and_cursors_match_the_python_model(
    rows: RowsClient,
    given_rows: list[dict[str, Any]],
    tree: dict[str, Any],
    words: Sequence[str],
    per_page: int,
) -> None:
    listed = fill(rows, given_rows)
    expected = in_order([row for row in listed if holds(tree, row)], words)
    body = {"where": tree, "sort": list(words), "per_page": per_page}
    assert query(rows, body)["total"] == len(expected)
    assert by_page(rows, body, len(expected)) == expected
    assert by_cursor(rows, body) == expected


functions = st.sampled_from(["count", "count_distinct", "sum", "avg", "min", "max"])


@st.composite
def aggregates(draw: st.DrawFn) -> list[dict[str, Any]]:
    found = []
    for number in range(draw(st.integers(0, 3))):
        function = draw(functions)
        numbers = ["valor", "quantidade"]
        column = draw(st.sampled_from(numbers if function in ("sum", "avg") else list(TYPES)))
        found.append({"fn": function, "column": column, "as": f"a{number}"})
    return found


def aggregate(function: str, column: str | None, members: list[dict[str, Any]]) -> Any:
    if column is None:
        return len(members)
    values = [row[column] for row in members if row[column] is not None]
    if function == "count":
        return len(values)
    if function == "count_distinct":
        return len({exact(column, value) for value in values})
    if not values:
        return None
    if function in ("sum", "avg"):
        total = sum(map(Fraction, values))
        return total if function == "sum" else total / len(values)
    return {"min": min, "max": max}[function](values, key=lambda value: exact(column, value))


@PROPERTY
@given(
    tables,
    trees,
    st.lists(st.sampled_from(list(TYPES)), max_size=3, unique=True),
    aggregates(),
    st.integers(2, 4),
    st.booleans(),
)
def test_groups_match_the_python_model(
    rows: RowsClient,
    given_rows: list[dict[str, Any]],
    tree: dict[str, Any],
    group_by: list[str],
    wanted: list[dict[str, Any]],
    per_page: int,
    descending: bool,
) -> None:
    wanted = [{"fn": "count", "as": "linhas"}, *wanted]
    listed = [row for row in fill(rows, given_rows) if holds(tree, row)]
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {} if group_by else {(): []}
    for row in listed:
        groups.setdefault(tuple(exact(name, row[name]) for name in group_by), []).append(row)
    expected = {
        key: [aggregate(one["fn"], one.get("column"), members) for one in wanted]
        for key, members in groups.items()
    }
    words = ["-linhas" if descending else "linhas"]
    body = {"where": tree, "group_by": group_by, "aggregates": wanted, "sort": words, "per_page": per_page}
    found = by_cursor(rows, body)
    assert query(rows, body)["total"] == len(found) == len(expected)
    assert [list(group) for group in found] == [[*group_by, *(one["as"] for one in wanted)]] * len(found)
    for group in found:
        key = tuple(exact(name, group[name]) for name in group_by)
        for one, value in zip(wanted, expected[key], strict=True):
            assert_equal(one, group[one["as"]], value)
    counts = [group["linhas"] for group in found]
    assert counts == sorted(counts, reverse=descending)
    assert by_page(rows, body, len(found)) == found


def assert_equal(wanted: dict[str, Any], found: Any, expected: Any) -> None:
    """Compare exactly, except for an average, which PostgreSQL gives to at least 16 digits."""
    if wanted["fn"] == "avg" and expected:
        assert abs(Fraction(found) / expected - 1) < Fraction(1, 10**15)
    elif wanted["fn"] in ("min", "max"):
        assert exact(wanted["column"], found) == exact(wanted["column"], expected)
    else:
        assert found == expected


def test_q_searches_every_column(rows: RowsClient) -> None:
    """Numbers and dates as they are shown, with the count of what is found, of a list and of a query."""
    rows.insert(
        {"produto": "Café 1.234", "valor": 5},
        {"produto": "b", "valor": 1234.5},
        {"produto": "c", "valor": 7, "dia": "2025-12-31"},
    )
    for text, names in (
        ("1.234", ["Café 1.234", "b"]),
        ("31/12/2025", ["c"]),
        ("2025-12", ["c"]),
        ("cafe", ["Café 1.234"]),
    ):
        for found in (rows.list(q=text), query(rows, {"q": text})):
            assert (found["total"], [row["produto"] for row in found["records"]]) == (len(names), names)
        assert query(rows, {"q": text, "aggregates": [{"fn": "count"}]})["records"] == [{"count": len(names)}]
