"""Print every statement that a test holds, and write docs/contract.md, which says where: `make contract`.

A statement is the first line of a test's docstring, or its name where that says it all.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "contract.md"

# The tiers, from what a client meets to single rules, and what each of them runs against.
TIERS = {
    "e2e": "Over HTTP, on the deployed stack",
    "faults": "Whatever fails",
    "properties": "For any file and any rows",
    "hostile": "For hostile files",
}

_INTRODUCTION = """\
# The contract, test by test

Which test file holds which part of the contract. `make contract` writes this page from the tests, and prints
every single statement with its test, those of `tests/integration` (a real PostgreSQL and emulator) and the
rules of `tests/unit` too. A test compares page and tests.

The tests `test_contract_…` call the deployed stack through API Gateway and the ASGI server of `make serve`,
a test's further cases the server only (`pytest --against deployed|serve|both`); `make test-contract` runs all
of them on the deployed stack.
`tests/e2e/client.py` checks every error that any of them meets for the one error shape.
"""


def modules(tier: str) -> Iterator[tuple[Path, ast.Module]]:
    """Yield the test files of a tier, in order of their paths, parsed."""
    for path in sorted((ROOT / "tests" / tier).rglob("test_*.py")):
        yield path.relative_to(ROOT), ast.parse(path.read_text(encoding="utf-8"))


def _first_line(node: ast.Module | ast.FunctionDef) -> str:
    return (ast.get_docstring(node) or "").partition("\n")[0]


def statements(module: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield the name of each test of a file and what it states."""
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            named = node.name.removeprefix("test_").replace("_", " ").capitalize() + "."
            yield node.name, _first_line(node) or named


def page() -> str:
    """Return docs/contract.md as it should be."""
    sections = [
        f"## {title}\n\n"
        + "\n".join(f"- [{path.stem}](../{path}): {_first_line(module)}" for path, module in modules(tier))
        for tier, title in TIERS.items()
    ]
    return "\n\n".join([_INTRODUCTION.rstrip(), *sections]) + "\n"


def main() -> None:
    """Write the page; print all statements by file."""
    PAGE.write_text(page(), encoding="utf-8")
    for tier in [*TIERS, "integration", "unit"]:
        for path, module in modules(tier):
            print(f"\n{path}: {_first_line(module)}")
            for name, statement in statements(module):
                print(f"  {statement}  ({name})")


if __name__ == "__main__":
    main()
