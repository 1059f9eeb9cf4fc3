"""One meaning of a rule in DuckDB, which reviews and loads, and in PostgreSQL, which judges last."""

import json
import random
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import psycopg
import pytest

from managed_tables.conversion.columns import Formats, build_conversion
from managed_tables.rules.compiling import is_broken
from managed_tables.rules.engines import Cell, Duckdb, Postgres
from managed_tables.rules.named import NAMED_FUNCTIONS
from managed_tables.rules.patterns import PatternFault, portable
from managed_tables.rules.rule import Rule
from managed_tables.schema import POSTGRES_TYPES, ColumnType

ZONE = "America/Sao_Paulo"
WRITTEN = json.loads((Path(__file__).parents[1] / "written_rules.json").read_text("utf-8"))
FORMATS = Formats(decimal_mark=".", date_order="ymd", timezone="UTC")


@pytest.fixture(scope="module")
def server(postgres_dsn: str) -> Iterator[psycopg.Connection[Any]]:
    """A session with the functions of named rules, none of which stays."""
    with psycopg.connect(postgres_dsn, options="-c timezone=UTC") as connection:
        connection.execute("CREATE SCHEMA IF NOT EXISTS managed_tables")
        connection.execute(NAMED_FUNCTIONS.encode())
        yield connection
        connection.rollback()


def postgres(
    server: psycopg.Connection[Any], rule: Rule, kinds: Sequence[ColumnType], rows: Sequence[Sequence[Any]]
) -> list[bool]:
    cells = {name: Cell(f'"{name}"', kind) for name, kind in zip(rule.columns, kinds, strict=True)}
    names = ", ".join(f'"{name}"' for name in rule.columns)
    arrays = ", ".join(f"%s::{POSTGRES_TYPES[kind]}[]" for kind in kinds)
    test = is_broken(rule, cells, Postgres("UTC")).replace("%", "%%")
    found = server.execute(
        f"SELECT {test} FROM unnest({arrays}) WITH ORDINALITY AS r ({names}, n) ORDER BY n",  # noqa: S608
        [list(column) for column in zip(*rows, strict=True)],
    )
    return [is_broken for (is_broken,) in found.fetchall()]


def in_duckdb(rule: Rule, kinds: Sequence[ColumnType], rows: Sequence[Sequence[Any]]) -> list[bool]:
    today = datetime.now(ZoneInfo("UTC")).date()
    typed = [build_conversion(f"c{n}", kind, FORMATS).typed for n, kind in enumerate(kinds)]
    typed = [f"CASE WHEN c{n} IS NOT NULL THEN {one} END" for n, one in enumerate(typed)]
    cells = {name: Cell(one, kind) for name, one, kind in zip(rule.columns, typed, kinds, strict=True)}
    given = ", ".join(f"unnest(${n}::VARCHAR[]) AS c{n}" for n in range(1, len(kinds) + 1))
    test = is_broken(rule, cells, Duckdb("UTC", today))
    names = [f"c{n}" for n in range(1, len(kinds) + 1)]
    renamed = ", ".join(f"{name} AS c{n}" for n, name in enumerate(names))
    query = f"SELECT {test} FROM (SELECT {renamed} FROM (SELECT {given}))"  # noqa: S608 - own SQL
    columns = [list(column) for column in zip(*rows, strict=True)]
    return [is_broken for (is_broken,) in duckdb.execute(query, columns).fetchall()]


@pytest.mark.parametrize("case", WRITTEN, ids=lambda case: "-".join(map(str, case["rule"].values()))[:60])
def test_each_written_case_is_judged_alike(server: psycopg.Connection[Any], case: dict[str, Any]) -> None:
    """What is right and wrong is written down once; an empty value passes every rule."""
    rule, kind = Rule(columns=("valor",), **case["rule"]), ColumnType(case["type"])
    rows = [[text] for text in (*case["right"], *case["wrong"], None)]
    judged = [False] * len(case["right"]) + [True] * len(case["wrong"]) + [False]
    assert postgres(server, rule, [kind], rows) == judged
    assert in_duckdb(rule, [kind], rows) == judged


@pytest.mark.parametrize(
    ("op", "kinds", "right", "wrong"),
    [
        ("lte", ["date", "date"], [("2024-01-01", "2024-01-01")], [("2024-01-02", "2024-01-01")]),
        ("lt", ["integer", "decimal"], [("1", "1.5")], [("2", "1.5"), ("2", "2.0")]),
        ("eq", ["decimal", "decimal"], [("1.0", "1"), ("0.30", "0.3")], [("0.1", "0.10000000000000001")]),
        ("ne", ["text", "text"], [("a", "A")], [("a", "a")]),
        ("gt", ["datetime", "datetime"], [("2024-01-02T00:00:00Z", "2024-01-01T23:59:59Z")], []),
        ("gte", ["datetime", "datetime"], [("2024-01-02 00:00:01", "2024-01-02 00:00:00")], []),
        ("eq", ["boolean", "boolean"], [("true", "true")], [("true", "false")]),
    ],
)
def test_two_columns_are_compared_alike(
    server: psycopg.Connection[Any], op: Any, kinds: list[str], right: list[Any], wrong: list[Any]
) -> None:
    """An empty one of the two passes."""
    rule, types = Rule(kind="compare", columns=("a", "b"), op=op), [ColumnType(kind) for kind in kinds]
    rows = [*right, *wrong, (None, right[0][1]), (right[0][0], None)]
    judged = [False] * len(right) + [True] * len(wrong) + [False, False]
    assert postgres(server, rule, types, rows) == judged
    assert in_duckdb(rule, types, rows) == judged


ATOMS = ("a", "b", "é", "1", ".", r"\d", r"\w", r"\s", "[a-c]", "[^a1]", r"[\d_-]", r"\.", r"\-", " ", "x{2}")
QUANTIFIERS = ("", "", "", "*", "+", "?", "{1,3}", "{2}", "{0,}")
CHARACTERS = "aab1é.-_ x\n\t😀A"


def some_pattern(chance: random.Random, depth: int = 0) -> str:
    pieces = []
    for _ in range(chance.randint(0 if depth else 1, 3)):
        atom = chance.choice(ATOMS)
        if depth < 2 and chance.random() < 0.25:
            inner = "|".join(some_pattern(chance, depth + 1) for _ in range(chance.randint(1, 2)))
            atom = f"({'?:' if chance.random() < 0.5 else ''}{inner})"
        pieces.append(atom + (chance.choice(QUANTIFIERS) if not atom.endswith("}") else ""))
    return "".join(pieces)


def test_a_thousand_generated_patterns_and_texts_are_judged_alike(server: psycopg.Connection[Any]) -> None:
    """Review and insert agree on each pair of pattern and text; a fair share of them matches."""
    chance, matched = random.Random(57), 0  # noqa: S311
    for _ in range(250):
        rule = Rule(kind="pattern", columns=("texto",), pattern=some_pattern(chance))
        rows = [["".join(chance.choices(CHARACTERS, k=chance.randint(0, 3)))] for _ in range(4)]
        by_postgres = postgres(server, rule, [ColumnType.TEXT], rows)
        assert in_duckdb(rule, [ColumnType.TEXT], rows) == by_postgres, (rule.pattern, rows)
        matched += by_postgres.count(False)
    assert matched > 100


@pytest.mark.parametrize(
    ("pattern", "place"),
    [
        ("a(?=b)", 2), ("(?i)a", 1), (r"(a)\1", 4), (r"a\b", 2), ("a+?", 3), ("a**", 3), ("[[:alpha:]]", 2),
        (r"\p{L}", 1), ("a{300}", 2), ("(a{20}){20}", 8), ("*a", 1), ("a)", 2), ("(a", 1), ("[a", 1),
        ("[]", 1), ("[z-a]", 4), ("a{,3}", 2), ("a{3,1}", 2), ("x\\", 2), ("^*", 2),
        ("(?<n>a)", 1), ("[a-\\d]", 5),
    ],
)  # fmt: skip
def test_what_engines_do_not_share_is_refused_with_its_place(pattern: str, place: int) -> None:
    with pytest.raises(PatternFault) as found:
        portable(pattern)
    assert found.value.place == place, found.value.reason
