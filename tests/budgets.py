"""Hold the project's weight and complexity within limits: `python tests/budgets.py`, a part of `make check`.

Code is weighed in tokens, room by room: a joined line, a shorter name or a dropped docstring saves nothing. A
limit is what the room weighed when the last issue that touched it ended, and 3 % of air. A commit that needs
more raises it, and says in a sentence what for.
"""

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterable, Mapping
from pathlib import Path

from radon.complexity import cc_visit
from radon.visitors import Function

ROOT = Path(__file__).resolve().parent.parent
MOST_COMPLEX = 12
P90 = 8  # 5 to 10 in what is read as exemplary; 7 forbade inlining functions that one caller uses
P90_OF_ROOM = {  # where readers of files decide: they only go down
    "functions/analyze/managed_tables_reader": 10,
    "functions/analyze/managed_tables_analyze": 10,
}

PYTHON_ROOMS = {  # the tokens of their code
    "functions/analyze/managed_tables_reader": 71_000,  # with a look for what signs a workbook
    "functions/analyze/managed_tables_analyze": 43_000,  # with workbooks that come back
    "functions/api/managed_tables_api": 67_200,  # with misfits by value, and drafts that two people have
    "functions/export/managed_tables_export": 6_450,  # with workbooks to be changed
    "functions/ingest/managed_tables_ingest": 3_400,
    "functions/insert/managed_tables_insert": 25_400,  # with repairs, and the merge of workbooks
    "functions/provision/managed_tables_provision": 200,
    "layers/common/managed_tables": 83_600,  # with repairs in confirmations, recipes and origins
    "command/managed_tables_command": 9_600,  # with repairs, and workbooks that come back
    "localstack/managed_tables_local": 12_200,
    "operations/managed_tables_operations": 9_900,
    "benchmarks": 10_900,  # with the merge of workbooks
    "reader": 5_250,
    "tests": 366_000,  # with 40 more kinds of drift, random tables and recipes, all doors of a rule, repairs
}
PAGE_ROOMS = {  # TypeScript and CSS; checks of its parts are not the page
    "console/src": 99_900,  # with values put right in the review
    "console/browser": 55_300,  # the same, by keys, in two months
}
TEMPLATE_LINES = 2_820  # template.yaml, what it nests, and the state machines
TEMPLATE_PARAMETERS = 40
DOCS_WORDS = 55_900  # of docs/, README, CONTRIBUTING and the newest part of the CHANGELOG

_LAYOUT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}
_SCOPES = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_PAGE_IMPORT = re.compile(r"^import\b.*?from\s+\S+;?$|^import\s+\S+;?$", re.MULTILINE | re.DOTALL)
_PAGE_TOKEN = re.compile(
    r"""
    (?P<comment>//[^\n]*|/\*.*?\*/)
    |"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`
    |[\w$]+
    |=>|[=!]==|[=!<>+*/-]=|\?\?=?|\?\.|&&|\|\||\.\.\.
    |[^\w\s]
    """,
    re.VERBOSE | re.DOTALL,
)


def files(*places: str) -> list[Path]:
    """Return the committed and new files of some folders, or those that match git's patterns."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "--", *places]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [path for name in dict.fromkeys(names) if (path := ROOT / name).is_file()]


def python(*folders: str) -> list[Path]:
    """Return the Python files of some folders."""
    return [path for path in files(*folders) if path.suffix == ".py"]


def _is_docstring(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(getattr(node.value, "value", None), str)


def _lines_left_out(tree: ast.Module) -> set[int]:
    """Return the lines of imports and docstrings."""
    dropped = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, _SCOPES) and node.body]
    statements = [*dropped, *(body[0] for body in bodies if _is_docstring(body[0]))]
    return {line for node in statements for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)}


def python_tokens(text: str) -> int:
    """Return how many tokens of code a module has: no comments, docstrings, imports or layout."""
    left_out = _lines_left_out(ast.parse(text))
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return sum(token.type not in _LAYOUT and token.start[0] not in left_out for token in tokens)


def page_tokens(text: str) -> int:
    """Return how many tokens a file of TypeScript or CSS has: no comments, no imports."""
    tokens = _PAGE_TOKEN.finditer(_PAGE_IMPORT.sub("", text))
    return sum(token["comment"] is None for token in tokens)


def _weigh_page(room: str) -> int:
    sources = [path for path in files(room) if path.suffix in (".ts", ".tsx", ".css")]
    return sum(page_tokens(path.read_text("utf-8")) for path in sources if ".test." not in path.name)


def _docs_words() -> int:
    """Return the words of the docs, as `wc -w` counts them, with the CHANGELOG down to its newest release."""
    pages = [path.read_text("utf-8") for path in files("docs/*.md", "README.md", "CONTRIBUTING.md")]
    newest = re.split(r"^## ", (ROOT / "CHANGELOG.md").read_text("utf-8"), flags=re.MULTILINE)[:2]
    return sum(len(text.split()) for text in (*pages, *newest))


def _template_lines() -> int:
    paths = files("template.yaml", "templates", "statemachine/*.json")
    return sum(bool(line.strip()) for path in paths for line in path.read_text("utf-8").splitlines())


def _template_parameters() -> int:
    template = (ROOT / "template.yaml").read_text("utf-8")
    parameters = re.search(r"^Parameters:\n(.*?)^\S", template, re.MULTILINE | re.DOTALL)
    assert parameters is not None, "template.yaml has no parameters"
    return len(re.findall(r"^  \w+:", parameters[1], re.MULTILINE))


def complexities(paths: Iterable[Path]) -> list[int]:
    """Return the complexity of every function of these files, by radon, in ascending order."""
    found: list[int] = []
    for path in paths:
        for block in cc_visit(path.read_text("utf-8")):
            functions = [block] if isinstance(block, Function) else block.methods
            found += [function.complexity for function in functions]
    return sorted(found)


def _product() -> Mapping[str, list[Path]]:
    """Return the files of each room of the product's Python."""
    return {room: python(room) for room in PYTHON_ROOMS if room not in ("benchmarks", "reader", "tests")}


def budgets() -> list[tuple[str, int, int]]:
    """Return what is counted, how much there is, and its limit."""
    rows = [
        (f"tokens of {room}", sum(python_tokens(path.read_text("utf-8")) for path in python(room)), limit)
        for room, limit in PYTHON_ROOMS.items()
    ]
    rows += [(f"tokens of {room}", _weigh_page(room), limit) for room, limit in PAGE_ROOMS.items()]
    rows += [
        ("lines of templates and state machines", _template_lines(), TEMPLATE_LINES),
        ("parameters of template.yaml", _template_parameters(), TEMPLATE_PARAMETERS),
        ("words of docs", _docs_words(), DOCS_WORDS),
    ]
    for room, paths in _product().items():
        found = complexities(paths)
        rows.append(
            (
                f"complexity of {room}, 90th percentile",
                found[len(found) * 9 // 10],
                P90_OF_ROOM.get(room, P90),
            )
        )
        rows.append((f"complexity of {room}, worst function", found[-1], MOST_COMPLEX))
    return rows


def main() -> int:
    """Print each count beside its limit; return 1 if one is above its limit."""
    rows = budgets()
    for what, count, limit in rows:
        print(f"{what:75}{count:8,} of {limit:7,}")
    over = [what for what, count, limit in rows if count > limit]
    print(*(f"over its limit: {what}" for what in over), sep="\n", file=sys.stderr, end="\n" if over else "")
    return bool(over)


if __name__ == "__main__":
    raise SystemExit(main())
