"""A condition in SQL finds the rows for which the same condition holds in Python."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from conditions_model import TYPES, folded, holds, rows, trees, words
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import sql

from managed_tables.conditions.composition import (
    condition_parameters,
    condition_sql,
    index_expression,
    read_search,
)
from managed_tables.conditions.tree import (
    EVERY_ROW,
    Condition,
    all_of,
    read_filters,
    read_where,
    without_values,
)
from managed_tables.errors import ApiError
from managed_tables.schema import POSTGRES_TYPES, Column, ColumnFormat
from managed_tables.values import parsers

COLUMNS = {
    name: Column(name=name, display_name=name, type=kind, nullable=True) for name, kind in TYPES.items()
}
PARSERS = parsers(ZoneInfo("UTC"))
TABLE = sql.Identifier("$table")


@pytest.fixture(scope="module")
def connection(postgres_dsn: str) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
    """A session with a table of every type and the indexes that filters use."""
    with psycopg.connect(postgres_dsn, autocommit=True, options="-c timezone=UTC") as connection:
        parts = [
            sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(POSTGRES_TYPES[column.type]))
            for name, column in COLUMNS.items()
        ]
        connection.execute(
            sql.SQL("CREATE TEMP TABLE found (number bigint, {})").format(sql.SQL(", ").join(parts))
        )
        for name in ("produto", "valor"):
            connection.execute(sql.SQL("CREATE INDEX ON found ({})").format(index_expression(COLUMNS[name])))
        yield connection


def fill(connection: psycopg.Connection[Any], given_rows: list[dict[str, Any]]) -> None:
    connection.execute("TRUNCATE found")
    insert = "INSERT INTO found VALUES (%s, %s, %s, %s, %s, %s, %s)"
    with connection.cursor() as cursor:
        cursor.executemany(
            insert, [[number, *(row[name] for name in TYPES)] for number, row in enumerate(given_rows)]
        )


def find(connection: psycopg.Connection[Any], condition: Condition) -> list[int]:
    query = sql.SQL("SELECT number FROM found AS {} WHERE {} ORDER BY number").format(
        TABLE, condition_sql(condition, TABLE)
    )
    return [number for (number,) in connection.execute(query, condition_parameters(condition)).fetchall()]


@settings(max_examples=100)
@given(st.lists(rows, max_size=8), trees, st.booleans())
def test_a_condition_finds_the_same_rows_as_in_python(
    connection: psycopg.Connection[Any],
    given_rows: list[dict[str, Any]],
    tree: dict[str, Any],
    by_index: bool,
) -> None:
    fill(connection, given_rows)
    connection.execute(f"SET enable_seqscan = {'off' if by_index else 'on'}")
    expected = [number for number, row in enumerate(given_rows) if holds(tree, row)]
    assert find(connection, read_where(tree, COLUMNS, PARSERS)) == expected


@settings(max_examples=30)
@given(st.lists(rows, max_size=8), words)
def test_a_search_finds_text_in_any_text_column(
    connection: psycopg.Connection[Any], given_rows: list[dict[str, Any]], text: str
) -> None:
    fill(connection, given_rows)
    expected = [
        number
        for number, row in enumerate(given_rows)
        if not text or (row["produto"] is not None and folded(text) in folded(row["produto"]))
    ]
    assert find(connection, read_search(text, COLUMNS.values())) == expected


SHOWN = {
    "produto": "Pedido 12",
    "valor": Decimal("-1234567.50"),
    "quantidade": 4321,
    "pago": True,
    "dia": date(2025, 12, 31),
    "quando": datetime(2026, 1, 2, 1, 30, 5, 500000, tzinfo=UTC),
}


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("1234567.50", "valor"), ("1234567,5", "valor"), ("-1.234.567,50", "valor"), ("234.567", "valor"),
        (".567,5", "valor"), ("R$ 1.234", "valor"), ("123.4567", None), ("1.234.5", "valor"), ("1,234", None),
        ("US$ 1.234", None), ("4321", "quantidade"), ("4.321", "quantidade"), ("43.21", None),
        ("4.3", "quantidade"), ("12,5", "parte"), ("12,5%", "parte"), ("0.1253", "parte"), ("12,53", None),
        ("4321%", None), ("sim", "pago"), ("SI", "pago"), ("não", None), ("s", None),
        ("31/12/2025", "dia"), ("2025-12-31", "dia"), ("12/2025", "dia"), ("31/12/2024", None),
        ("31-12", None),
        ("01/01/2026 22:30:05", "quando"), ("22:30", "quando"), ("2026-01-02T01:30:05.5Z", "quando"),
        ("01/01/2026", "quando"), ("02/01/2026", None), ("pedido 12", "produto"), ("|", None),
    ],
    ids=str,
)  # fmt: skip
def test_a_search_finds_values_as_they_are_shown(
    connection: psycopg.Connection[Any], text: str, column: str | None
) -> None:
    """Numbers with marks and without, dates of people and of ISO, times by the zone's clocks and in UTC."""
    nothing = dict.fromkeys(TYPES)
    given = [{**nothing, name: value} for name, value in SHOWN.items()]
    fill(connection, [*given, {**nothing, "valor": Decimal("0.1253")}])
    places = [*SHOWN, "parte"]
    by_format = {"valor": {"currency": "BRL"}, "parte": {"percent": True, "decimals": 1}}
    columns = [
        COLUMNS[name].model_copy(update={"format": ColumnFormat(**by_format.get(name, {}))}) for name in SHOWN
    ]
    if column == "parte" or text in ("4321%", "12,53"):
        columns[1] = COLUMNS["valor"].model_copy(update={"format": ColumnFormat(**by_format["parte"])})
    found = find(connection, read_search(text, columns, "America/Sao_Paulo"))
    assert [places[number] for number in found] == ([] if column is None else [column])


@pytest.mark.parametrize("text", ["100%", "a_b", "c\\d", "%", "_", "\\", "'", "{}", "%s"])
def test_special_characters_are_literal(connection: psycopg.Connection[Any], text: str) -> None:
    nothing = dict.fromkeys(TYPES)
    fill(connection, [{**nothing, "produto": f"x{text}y"}, {**nothing, "produto": "x100aab"}])
    for word, value in (
        ("contains", text),
        ("eq", f"X{text}Y"),
        ("starts_with", f"x{text}"),
        ("ends_with", f"{text}y"),
    ):
        condition = read_where({"column": "produto", "op": word, "value": value}, COLUMNS, PARSERS)
        assert find(connection, condition) == [0], word


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ([("filter[produto][in]", "a\\,b,c")], [0, 1]),
        ([("filter[produto][nin]", "c")], [0, 2]),
        ([("filter[quantidade][gte]", "2")], [1]),
        ([("filter[quantidade][gte]", "1"), ("filter[produto][eq]", "C"), ("page", "x")], [1]),
        ([("filter[produto][is_null]", "true")], [2]),
        ([("filter[produto][is_null]", "false"), ("filter[quantidade][ne]", "1")], [1]),
        ([("filter[pago][eq]", "true")], [0]),
        ([("filter[pago][in]", "true,false")], [0, 1]),
        ([("filter[quando][lt]", "2026-01-02T00:00:00Z")], [0]),
        ([], [0, 1, 2]),
    ],
)
def test_filters_of_a_query_string(
    connection: psycopg.Connection[Any], pairs: list[tuple[str, str]], expected: list[int]
) -> None:
    nothing = dict.fromkeys(TYPES)
    first = {"produto": "A,b", "quantidade": 1, "pago": True, "quando": "2026-01-01T00:00:00Z"}
    second = {"produto": "ç", "quantidade": 2, "pago": False, "quando": "2026-02-01T00:00:00Z"}
    fill(connection, [{**nothing, **first}, {**nothing, **second}, nothing])
    assert find(connection, read_filters(pairs, COLUMNS, PARSERS)) == expected


def condition(column: Any, op: Any, value: Any) -> dict[str, Any]:
    return {"column": column, "op": op, "value": value}


def nested(depth: int) -> dict[str, Any]:
    tree = condition("pago", "eq", True)
    for _ in range(depth):
        tree = {"not": tree}
    return tree


@pytest.mark.parametrize(
    ("where", "path", "code"),
    [
        ([], "where", "INVALID"),
        (None, "where", "INVALID"),
        ({"and": {}}, "where.and", "NOT_A_LIST"),
        ({"and": [], "or": []}, "where", "INVALID"),
        ({"column": "valor", "value": 1}, "where", "INVALID"),
        ({**condition("valor", "eq", 1), "other": 1}, "where", "INVALID"),
        ({"or": [condition("outra", "eq", 1)]}, "where.or[0].column", "UNKNOWN_COLUMN"),
        (condition([], "eq", 1), "where.column", "UNKNOWN_COLUMN"),
        (condition("valor", "like", 1), "where.op", "UNKNOWN_OPERATOR"),
        (condition("valor", {}, 1), "where.op", "UNKNOWN_OPERATOR"),
        (condition("valor", "contains", "1"), "where.value", "OPERATOR_NOT_FOR_TYPE"),
        (condition("valor", "eq", "doze"), "where.value", "NOT_A_DECIMAL"),
        (condition("valor", "eq", None), "where.value", "REQUIRED"),
        ({"column": "valor", "op": "eq"}, "where.value", "REQUIRED"),
        (condition("valor", "in", 1), "where.value", "NOT_A_LIST"),
        (condition("valor", "in", [1, "x"]), "where.value[1]", "NOT_A_DECIMAL"),
        (condition("valor", "in", [1] * 1_001), "where.value", "TOO_LONG"),
        (condition("valor", "is_null", "true"), "where.value", "NOT_A_BOOLEAN"),
        (condition("pago", "eq", "true"), "where.value", "NOT_A_BOOLEAN"),
        (condition("produto", "eq", "a\x00"), "where.value", "INVALID_CHARACTER"),
        (condition("id", "eq", "1"), "where.value", "INVALID"),
        (nested(6), "where.not.not.not.not.not.not", "TOO_DEEP"),
        ({"or": [condition("pago", "eq", True)] * 101}, "where.or", "TOO_LONG"),
        (
            {"and": [{"or": [{"and": [{"and": []}] * 100}] * 100}] * 100},
            "where.and[0].or[1].and[0].and",
            "TOO_LONG",
        ),
        ({"and": [{"or": [None] * 51}] * 2}, "where.and[1].or[49]", "TOO_LONG"),
        ({"and": [{"or": {}}] * 101}, "where.and", "TOO_LONG"),
        ({"or": [{"and": [condition("pago", "eq", True)] * 51}] * 2}, "where.or[1].and[49]", "TOO_LONG"),
    ],
)
def test_a_wrong_condition_is_named(where: Any, path: str, code: str) -> None:
    with pytest.raises(ApiError) as caught:
        read_where(where, COLUMNS, PARSERS)
    first = caught.value.details[0]
    assert (caught.value.kind.status, first["in"], first["path"], first["code"]) == (422, "body", path, code)


@pytest.mark.parametrize(
    ("tree", "plain"),
    [
        ({"and": [{"and": []}, condition("pago", "eq", True)]}, condition("pago", "eq", True)),
        ({"or": [{"or": [{"or": []}]}, condition("pago", "eq", True)]}, condition("pago", "eq", True)),
        ({"and": [{"and": [{"and": []}] * 9}] * 9}, {}),
        ({"or": [{"and": []}, condition("pago", "eq", True)]}, {}),
        ({"or": [{"or": []}]}, {"or": []}),
    ],
)
def test_an_empty_group_adds_nothing_to_a_condition(tree: Any, plain: Any) -> None:
    assert read_where(tree, COLUMNS, PARSERS) == read_where(plain, COLUMNS, PARSERS)


def test_what_is_kept_of_a_condition_has_none_of_its_values() -> None:
    tree = {"or": [condition("produto", "eq", "segredo"), {"not": condition("produto", "in", ["segredo"])}]}
    found = all_of([read_where(tree, COLUMNS, PARSERS), read_search("segredo", COLUMNS.values())])
    assert without_values(found) == found
    assert "segredo" in repr(found)
    assert "segredo" not in repr(without_values(found))


def test_a_cursor_is_bound_by_a_condition_as_0_3_0_writes_it() -> None:
    assert repr(EVERY_ROW) == "And(conditions=())"
    assert repr(read_search("x", [])) == "Search(columns=(), zone='UTC', has_marks=False, text='x')"
    assert "<Operator.NIN: 'nin'>" in repr(read_where(condition("produto", "nin", ["x"]), COLUMNS, PARSERS))


NO_CONDITION = 'deve ser {"and": […]}, {"or": […]}, {"not": …}, {"column", "op", "value"} ou {"rule", "op"}'
OPERATORS = "eq, ne, gt, gte, lt, lte, in, nin, contains, not_contains, starts_with, ends_with, is_null"


@pytest.mark.parametrize(
    ("where", "reason"),
    [
        ([], NO_CONDITION),
        (condition("valor", "in", 1), "deve ser uma lista"),
        (condition("valor", "nin", [1] * 1_001), "no máximo 1000 valores"),
        (condition("valor", "like", 1), f"operador desconhecido; use um destes: {OPERATORS}"),
        (condition("id", "starts_with", "1"), "este operador é só para colunas de texto"),
        (condition("valor", "eq", None), "não pode ser nulo; para vazios use is_null"),
        (condition("id", "eq", f"{'0' * 8}-0000-0000-0000-{'0' * 11}g"), "deve ser o id de uma linha"),
    ],
)
def test_a_wrong_condition_is_refused_with_its_reason(where: Any, reason: str) -> None:
    with pytest.raises(ApiError) as caught:
        read_where(where, COLUMNS, PARSERS)
    first = caught.value.details[0]
    assert (first["reason"], caught.value.details_total) == (reason, 1)
    assert first["path"].startswith("where")
    assert f"{first['path']}: {reason}" in str(caught.value)


@pytest.mark.parametrize(
    ("where", "shown"),
    [
        (condition("x" * 300, "eq", 1), "x" * 200 + "…"),
        (condition({}, "eq", 1), "objeto"),
        (condition("valor", [], 1), "lista"),
        (condition("valor", "eq", "y" * 300), "y" * 200 + "…"),
    ],
)
def test_a_refused_value_is_shown_and_cut(where: Any, shown: Any) -> None:
    with pytest.raises(ApiError) as caught:
        read_where(where, COLUMNS, PARSERS)
    assert caught.value.details[0]["value"] == shown


@pytest.mark.parametrize(
    ("name", "value", "path", "code"),
    [
        ("filter[outra][eq]", "1", "filter[outra][eq]", "UNKNOWN_COLUMN"),
        ("filter[valor][like]", "1", "filter[valor][like]", "UNKNOWN_OPERATOR"),
        ("filter[valor][eq]", "doze", "filter[valor][eq]", "NOT_A_DECIMAL"),
        ("filter[valor][in]", "1,doze", "filter[valor][in][1]", "NOT_A_DECIMAL"),
        ("filter[valor][contains]", "1", "filter[valor][contains]", "OPERATOR_NOT_FOR_TYPE"),
        ("filter[valor][is_null]", "sim", "filter[valor][is_null]", "NOT_A_BOOLEAN"),
        ("filter[pago][eq]", "sim", "filter[pago][eq]", "NOT_A_BOOLEAN"),
        ("filter[id][eq]", "1", "filter[id][eq]", "INVALID"),
    ],
)
def test_a_wrong_filter_is_named(name: str, value: str, path: str, code: str) -> None:
    with pytest.raises(ApiError) as caught:
        read_filters([(name, value)], COLUMNS, PARSERS)
    [one] = caught.value.details
    assert (one["in"], one["path"], one["code"]) == ("query", path, code)


@pytest.mark.parametrize(
    "name", ["filter[valor]", "xfilter[valor][eq]", "filter[valor][eq]x", "filter[a[b]][eq]"]
)
def test_another_parameter_is_no_filter(name: str) -> None:
    assert read_filters([(name, "doze")], COLUMNS, PARSERS) == EVERY_ROW


def test_rows_are_found_by_their_ids(connection: psycopg.Connection[Any]) -> None:
    ids = [f"{number:08X}-0a0b-0000-0000-00000000ffff" for number in range(3)]
    query = sql.SQL(
        "SELECT n FROM (SELECT row_number() OVER () AS n, id::uuid FROM unnest(%(ids)s::text[]) AS id) AS {}"
    )

    def found(where: dict[str, Any]) -> list[int]:
        read = read_where(where, COLUMNS, PARSERS)
        statement = query.format(TABLE) + sql.SQL(" WHERE ") + condition_sql(read, TABLE)
        values = {**condition_parameters(read), "ids": ids}
        return [number for (number,) in connection.execute(statement, values).fetchall()]

    assert found(condition("id", "eq", ids[1])) == [2]
    assert found(condition("id", "ne", ids[1].lower())) == [1, 3]
    assert found(condition("id", "in", [ids[0], ids[2]])) == [1, 3]
    assert found(condition("id", "nin", [ids[0], ids[2]])) == [2]
    assert found(condition("id", "gt", ids[0])) == [2, 3]
    assert found(condition("id", "is_null", True)) == []


def test_texts_are_ordered_without_case_and_accents(connection: psycopg.Connection[Any]) -> None:
    nothing = dict.fromkeys(TYPES)
    fill(connection, [{**nothing, "produto": text} for text in ("a", "Ábaco", "b", "Ç", "d")])
    for word, expected in (("gt", [3, 4]), ("gte", [2, 3, 4]), ("lt", [0, 1]), ("lte", [0, 1, 2])):
        read = read_where(condition("produto", word, "B"), COLUMNS, PARSERS)
        assert find(connection, read) == expected, word


def test_a_list_holds_any_text(connection: psycopg.Connection[Any]) -> None:
    nothing = dict.fromkeys(TYPES)
    texts = ['a"b', "c\\d", "e,f", "{g}", "null", "", " h "]
    fill(connection, [{**nothing, "produto": text} for text in texts])
    for number, text in enumerate(texts):
        assert find(connection, read_where(condition("produto", "in", [text]), COLUMNS, PARSERS)) == [number]
    assert find(connection, read_where(condition("produto", "in", texts), COLUMNS, PARSERS)) == list(range(7))


def test_a_limit_itself_is_taken_of_values_and_texts(connection: psycopg.Connection[Any]) -> None:
    nothing = dict.fromkeys(TYPES)
    long = ["é" * 200, "é" * 199 + "x", "é" * 201, "é" * 200 + "y"]
    fill(connection, [{**nothing, "produto": text} for text in long])
    for number, text in enumerate(long):
        assert find(connection, read_where(condition("produto", "eq", text), COLUMNS, PARSERS)) == [number]
    starts = read_where(condition("produto", "starts_with", long[0]), COLUMNS, PARSERS)
    assert find(connection, starts) == [0, 2, 3]
    read_where(condition("valor", "in", [1] * 1_000), COLUMNS, PARSERS)


def test_an_index_holds_the_start_of_a_text_and_other_values_whole(
    connection: psycopg.Connection[Any],
) -> None:
    fill(connection, [{**dict.fromkeys(TYPES), "produto": "Á" * 900, "valor": 5}])
    items = [index_expression(COLUMNS[name]) for name in ("produto", "valor")]
    found = connection.execute(sql.SQL("SELECT {} FROM found").format(sql.SQL(", ").join(items))).fetchone()
    assert found == ("a" * 200, 5)


def test_a_search_of_a_table_without_texts_finds_nothing(connection: psycopg.Connection[Any]) -> None:
    fill(connection, [dict.fromkeys(TYPES)])
    assert find(connection, read_search("a", [COLUMNS["valor"]])) == []


def test_the_limits_are_inclusive() -> None:
    read_where(nested(5), COLUMNS, PARSERS)
    read_where({"or": [condition("pago", "eq", True)] * 100}, COLUMNS, PARSERS)
    assert read_where({}, COLUMNS, PARSERS) == EVERY_ROW
    assert read_search("", COLUMNS.values()) == read_search(None, COLUMNS.values()) == EVERY_ROW


def test_all_faults_are_counted_and_the_first_are_named() -> None:
    with pytest.raises(ApiError) as caught:
        read_filters([(f"filter[x{number}][eq]", "1") for number in range(30)], COLUMNS, PARSERS)
    assert (len(caught.value.details), caught.value.details_total) == (20, 30)
    assert caught.value.details[0]["path"] == "filter[x0][eq]"


def test_equal_shapes_are_equal_whatever_their_values() -> None:
    first, second = (
        read_where(condition("produto", "in", many), COLUMNS, PARSERS) for many in (["a"], ["b", "c"])
    )
    assert first == second
    assert hash(first) == hash(second)
    assert condition_sql(first, TABLE) == condition_sql(second, TABLE)
    assert condition_parameters(first) != condition_parameters(second)
    assert read_search("a", COLUMNS.values()) == read_search("b", COLUMNS.values()) != read_search("a", ())
