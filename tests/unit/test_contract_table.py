"""docs/contract.md names the tests of each statement of the contract, and must not drift."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROW = re.compile(r"\| (?P<statement>[^|]+) \| (?P<tests>[^|]*) \|")
HEADER = "| statement | held by |"
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def rows() -> list[re.Match[str]]:
    text = (ROOT / "docs" / "contract.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.startswith("| ") and line != HEADER]
    matches = [ROW.fullmatch(line.strip()) for line in lines]
    assert None not in matches, [line for line, match in zip(lines, matches, strict=True) if not match]
    return [match for match in matches if match]


@cache
def functions(file: str) -> frozenset[str]:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def named() -> Iterator[tuple[str, str]]:
    for row in rows():
        yield from TEST.findall(row["tests"])


def test_every_statement_is_unique_and_has_a_test() -> None:
    """No statement is repeated, and each names at least one test."""
    statements = [row["statement"] for row in rows()]
    assert sorted({each for each in statements if statements.count(each) > 1}) == []
    assert [row["statement"] for row in rows() if not TEST.search(row["tests"])] == []


def test_every_named_test_exists() -> None:
    """Each test that the table names is a function in the named file."""
    missing = [
        f"{file}::{name}"
        for file, name in named()
        if not (ROOT / file).is_file() or name not in functions(file)
    ]
    assert missing == []


def test_every_contract_test_is_in_the_table() -> None:
    """No test of the contract is left out of the table."""
    files = sorted((ROOT / "tests" / "e2e").glob("test_contract_*.py"))
    written = {
        (str(file.relative_to(ROOT)), name)
        for file in files
        for name in functions(str(file.relative_to(ROOT)))
        if name.startswith("test_")
    }
    assert sorted(written - set(named())) == []
