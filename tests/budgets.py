"""Hold the project's weight and complexity within limits: `python tests/budgets.py`, a part of `make check`.

Lines are those that are not blank. A limit is its goal where that is reached, otherwise about what is counted
today: it only goes down, by whoever takes something away.
"""

import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from radon.complexity import cc_visit
from radon.visitors import Function

ROOT = Path(__file__).resolve().parent.parent
PRODUCT = ("functions", "layers", "operations", "localstack", "command")
MOST_COMPLEX = 12
P90 = 8  # 5 to 10 in what is read as exemplary; 7 forbade inlining functions that one caller uses


def files(*places: str) -> list[Path]:
    """Return the committed and new files of some folders, or those that match git's patterns."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *places]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [path for name in dict.fromkeys(names) if (path := ROOT / name).is_file()]


def python(*folders: str) -> list[Path]:
    """Return the Python files of some folders."""
    return [path for path in files(*folders) if path.suffix == ".py"]


def lines(paths: Iterable[Path]) -> int:
    """Return how many lines of the files are not blank."""
    return sum(bool(line.strip()) for path in paths for line in path.read_text("utf-8").splitlines())


def complexities() -> list[int]:
    """Return the complexity of every function of the product, by radon, in ascending order."""
    found: list[int] = []
    for path in python(*PRODUCT):
        for block in cc_visit(path.read_text("utf-8")):
            functions = [block] if isinstance(block, Function) else block.methods
            found += [function.complexity for function in functions]
    return sorted(found)


def main() -> int:
    """Print each count beside its limit and its goal; return 1 if one is above its limit."""
    template = (ROOT / "template.yaml").read_text("utf-8")
    parameters = re.search(r"^Parameters:\n(.*?)^\S", template, re.MULTILINE | re.DOTALL)
    assert parameters is not None, "template.yaml has no parameters"
    complexity = complexities()
    words = sum(len(path.read_text("utf-8").split()) for path in files("docs/*.md"))  # as `wc -w` counts them
    rooms = (f"functions/analyze/managed_tables_reader/{name}" for name in ("text", "layout"))
    budgets = (  # what, how much, the limit, the goal
        ("product: lines of Python", lines(python(*PRODUCT)), 32_000, 32_000),
        ("reader's text/, layout/: lines", lines(python(*rooms)), 2_283, 1_900),  # where rules pile up
        ("console/src: lines", lines(files("console/src")), 8_394, 7_500),
        ("console/browser: lines", lines(files("console/browser/*.ts")), 3_738, 3_738),
        ("tests: lines of Python", lines(python("tests")), 30_000, 30_000),
        ("benchmarks: lines of Python", lines(python("benchmarks")), 1_191, 1_191),
        ("docs: words", words, 34_000, 34_000),
        ("template.yaml: lines", lines([ROOT / "template.yaml"]), 1_300, 1_300),
        ("template.yaml: parameters", len(re.findall(r"^  \w+:", parameters[1], re.MULTILINE)), 35, 35),
        ("product: complexity, 90th percentile", complexity[len(complexity) * 9 // 10], P90, P90),
        ("product: complexity, worst function", complexity[-1], MOST_COMPLEX, MOST_COMPLEX),
    )
    for what, count, limit, goal in budgets:
        print(f"{what:40}{count:8,} of {limit:7,}{'' if limit == goal else f'  (goal {goal:,})'}")
    over = [what for what, count, limit, _ in budgets if count > limit]
    print(*(f"over its limit: {what}" for what in over), sep="\n", file=sys.stderr, end="\n" if over else "")
    return bool(over)


if __name__ == "__main__":
    raise SystemExit(main())
