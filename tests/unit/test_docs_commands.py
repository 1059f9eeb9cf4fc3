"""Every command of the docs: run by a test, a target of the Makefile, or marked by what it needs."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from managed_tables_local.checkout import ROOT
from managed_tables_operations.__main__ import parser

PAGES = sorted(
    str(path.relative_to(ROOT))
    for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("localstack/**/*.md"))
)
NOT_COMMANDS = {"", "json", "yaml", "sql", "text", "ts"}  # what other programs read or run
# Blocks that a test takes from the page and runs
RUN = {
    ("README.md", "bash"): "tests/e2e/test_docs.py",
    ("docs/getting-started.md", "bash"): "tests/e2e/test_docs.py",
    ("docs/api.md", "bash"): "tests/e2e/test_docs.py",
    ("docs/api.md", "python"): "tests/e2e/test_docs.py",
    ("docs/bi.md", "python"): "tests/integration/test_connection.py",
    ("docs/ingestion.md", "python"): "tests/e2e/test_ingestion.py",
}
# In the paragraph before a block that no test can run here
MARK = re.compile(r"\b(?:needs?) (?:AWS|Docker)\b", re.IGNORECASE)
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
OPERATION = "python -m managed_tables_operations "

_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block: where it is, its language, the paragraph before it, its text."""

    page: str
    line: int
    language: str
    before: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    def commands(self) -> Iterator[str]:
        """Yield what is typed at each prompt, continued lines joined."""
        for found in re.finditer(r"^[$#] ((?:.*\\\n)*.*)$", self.text, re.MULTILINE):
            yield re.sub(r"\\\n\s*", "", found[1])


def _blocks() -> Iterator[Block]:
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        for found in _FENCE.finditer(text):
            before = text[: found.start()].rstrip().rpartition("\n\n")[2]
            yield Block(page, text.count("\n", 0, found.start()) + 1, found[2], before, found[3])


BLOCKS = [block for block in _blocks() if block.language not in NOT_COMMANDS]
CONSOLE = [block for block in BLOCKS if block.language == "console"]


@pytest.mark.parametrize("block", [one for one in BLOCKS if one.language != "console"], ids=str)
def test_a_script_is_run_by_the_test_that_names_its_page(block: Block) -> None:
    runner = (ROOT / RUN[block.page, block.language]).read_text(encoding="utf-8")
    assert block.page.removeprefix("docs/") in runner.replace('"docs" / "', "")


@pytest.mark.parametrize("block", CONSOLE, ids=str)
def test_a_console_command_is_tested_or_says_what_it_needs(block: Block) -> None:
    commands = list(block.commands())
    assert commands
    for command in commands:
        is_target = re.match(r"make ([a-z-]+)", command) and command.split()[1] in TARGETS
        assert is_target or command.startswith(OPERATION) or MARK.search(block.before), command


OPERATIONS = [one for block in CONSOLE for one in block.commands() if one.startswith(OPERATION)]


@pytest.mark.parametrize("command", OPERATIONS)
def test_the_parser_accepts_the_documented_operator_commands(command: str) -> None:
    """tests/integration/test_operations.py runs them."""
    assert parser().parse_args(shlex.split(command.removeprefix(OPERATION))).run


@pytest.mark.parametrize("page", PAGES)
def test_every_make_target_in_the_docs_exists(page: str) -> None:
    named = re.findall(r"`make (?:-s )?([a-z-]+)", (ROOT / page).read_text(encoding="utf-8"))
    assert set(named) <= TARGETS


def test_every_public_make_target_has_help() -> None:
    hidden = set(re.findall(r"^([a-z-]+):(?!.*##)", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert hidden == {"lint", "types"}
