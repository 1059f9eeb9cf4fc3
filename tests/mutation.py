"""Change the product in one place at a time and see whether a test notices: `python tests/mutation.py`.

Each mutant lives in forked processes only: an import hook compiles the changed module, and no file changes.
The sample is random but the same for the same seed; survivors are printed with their line, to be killed by a
test or explained.
"""

import argparse
import ast
import contextlib
import copy
import io
import json
import os
import random
import resource
import runpy
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import Phase, settings

ROOT = Path(__file__).resolve().parent.parent
COMMON, ANALYZE = ROOT / "layers/common/managed_tables", ROOT / "functions/analyze/managed_tables_analyze"
READER = ROOT / "functions/analyze/managed_tables_reader"
LIMIT_CPU_SECONDS = 120  # twice the longest stage; a mutant may loop forever, which counts as noticed
PATIENCE_SECONDS = 1_200  # on a busy machine; mutants undecided by then count neither way


@dataclass(frozen=True)
class Area:
    """Modules that are changed, and the tests that must notice: pytest's arguments, run in order."""

    name: str
    sources: tuple[Path, ...]
    stages: tuple[str, ...]

    def modules(self) -> list[Path]:
        """Return the area's modules, ordered by name."""
        found = [one for path in self.sources for one in ([path] if path.is_file() else path.rglob("*.py"))]
        return sorted(path for path in found if not path.name.startswith("__"))


FILES = "tests/files/test_files.py -k "
AREAS = (
    Area(
        "conversion",
        (COMMON / "conversion",),
        (
            "tests/unit/conversion tests/unit/test_misfits.py",
            "tests/unit/inference/test_signs.py",
            FILES + "values/",
        ),
    ),
    Area(
        "inference",
        (ANALYZE / "inference",),
        ("tests/unit/inference tests/unit/test_wishes.py", FILES + "values/|doubts/|csv/"),
    ),
    Area(
        "layout",
        (READER / "layout",),
        (
            "tests/unit/test_looks.py tests/unit/test_header.py tests/unit/test_footer.py",
            "tests/unit/test_layout_score.py tests/unit/test_sections.py",
            "tests/unit/test_reading.py tests/unit/test_wishes.py",
            FILES + "layouts/|reports/|csv/",
            FILES + "doubts/|xlsx/",
        ),
    ),
    Area(
        "workbooks",
        (READER / "workbooks",),
        (
            "tests/unit/test_workbook_cells.py tests/unit/test_other_workbooks.py",
            "tests/unit/test_markup_workbooks.py tests/unit/test_ods_workbooks.py",
            "tests/unit/test_xlsx_package.py",
            "tests/unit/test_row_scanning.py tests/unit/test_workbook_child.py",
            FILES + "xlsx/|xls/|ods/",
            "tests/properties/test_workbook_roundtrip.py tests/properties/test_values_of_every_file.py",
        ),
    ),
    Area(
        "conditions",
        (COMMON / "conditions",),
        ("tests/integration/test_conditions.py",),
    ),
    Area(
        "jobs",
        (COMMON / "catalog/jobs.py", COMMON / "catalog/job_records.py", COMMON / "databases/applied.py"),
        (
            "tests/integration/test_jobs.py tests/integration/test_applied.py",
            "tests/integration/test_insert_stale_runs.py tests/integration/test_insert.py",
        ),
    ),
)

_SWAPS: dict[type[ast.AST], tuple[type[ast.AST], ...]] = {
    ast.Lt: (ast.LtE,),
    ast.LtE: (ast.Lt,),
    ast.Gt: (ast.GtE,),
    ast.GtE: (ast.Gt,),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.FloorDiv,),
}


# Run at the start of every Python process of a mutant's tests, including the workbook readers
_HOOK = """
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import spec_from_file_location

class Changed(SourceFileLoader):
    def get_code(self, fullname):
        with open({changed!r}) as source:
            return compile(source.read(), self.path, "exec")

class Finder:
    @staticmethod
    def find_spec(fullname, path=None, target=None):
        if fullname == {module!r}:
            return spec_from_file_location(fullname, {path!r}, loader=Changed(fullname, {path!r}))

sys.meta_path.insert(0, Finder)
"""


@dataclass(frozen=True)
class Mutant:
    """One change: the number of its place in a module's tree, and its line."""

    path: Path
    number: int
    line: int
    told: str


def mutants_of(path: Path) -> list[Mutant]:
    """Return every change that can be made to a module."""
    tree = ast.parse(path.read_text())
    return [Mutant(path, number, line, told) for number, (line, told, _) in enumerate(_changes(tree))]


def mutate(mutant: Mutant) -> ast.Module:
    """Return the module's tree with the change made."""
    tree = ast.parse(mutant.path.read_text())
    for number, (_, _, change) in enumerate(_changes(tree)):
        if number == mutant.number:
            change()
            return ast.fix_missing_locations(tree)
    raise IndexError(mutant.number)


def _changes(tree: ast.Module) -> Iterator[tuple[int, str, "Change"]]:
    ignored = _docstrings(tree) | _annotations(tree) | _exports(tree)
    for node in ast.walk(tree):
        if id(node) not in ignored:
            yield from _changes_of(node)


class Change:
    """Set one field of a node, or one item of a field that is a list."""

    def __init__(self, node: ast.AST, field: str, value: object, index: int | None = None) -> None:
        self.node, self.field, self.value, self.index = node, field, value, index

    def __call__(self) -> None:
        """Make the change."""
        if self.index is None:
            setattr(self.node, self.field, self.value)
        else:
            getattr(self.node, self.field)[self.index] = self.value


def _changes_of(node: ast.AST) -> Iterator[tuple[int, str, Change]]:
    line = getattr(node, "lineno", 0)
    if isinstance(node, ast.Compare):
        for index, operator in enumerate(node.ops):
            for other in _SWAPS.get(type(operator), ()):
                yield line, _swapped(operator, other), Change(node, "ops", other(), index)
    elif isinstance(node, (ast.BoolOp, ast.BinOp)):
        for other in _SWAPS.get(type(node.op), ()):
            yield line, _swapped(node.op, other), Change(node, "op", other())
    elif isinstance(node, (ast.If, ast.IfExp, ast.While)):
        negated = ast.UnaryOp(ast.Not(), copy.deepcopy(node.test))
        yield (
            node.test.lineno,
            "condition negated",
            Change(node, "test", ast.copy_location(negated, node.test)),
        )
    elif isinstance(node, ast.Constant):
        for other_value in _other_constants(node.value):
            yield line, f"{node.value!r} made {other_value!r}", Change(node, "value", other_value)


def _swapped(operator: ast.AST, other: type[ast.AST]) -> str:
    return f"{type(operator).__name__} made {other.__name__}"


def _other_constants(value: object) -> Sequence[object]:
    if isinstance(value, bool):
        return (not value,)
    if isinstance(value, int):
        return (value + 1,)
    if isinstance(value, str) and value.strip():
        return (value + "X",)
    return ()


def _docstrings(tree: ast.Module) -> set[int]:
    """Return the strings that are statements: nothing depends on them."""
    alone = (node.value for node in ast.walk(tree) if isinstance(node, ast.Expr))
    return {id(value) for value in alone if isinstance(value, ast.Constant)}


def _exports(tree: ast.Module) -> set[int]:
    """Return the names in `__all__`, which nothing reads at run time."""
    lists = (
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
    )
    return {id(inner) for value in lists for inner in ast.walk(value)}


def _annotations(tree: ast.Module) -> set[int]:
    found: set[int] = set()
    for node in ast.walk(tree):
        for name in ("annotation", "returns"):
            annotation = getattr(node, name, None)
            if annotation is not None:
                found |= {id(inner) for inner in ast.walk(annotation)}
    return found


def module_name(path: Path) -> str:
    """Return a module's dotted name."""
    package = next(parent for parent in path.parents if not (parent.parent / "__init__.py").exists())
    return ".".join(path.relative_to(package.parent).with_suffix("").parts)


class NoticingFirst:
    """A pytest plugin: run first the tests that noticed other changes, above all in the same module.

    The other tests follow, quick ones first: seconds are those of the run without a change.
    """

    def __init__(self, file: Path, module: str) -> None:
        self.file, self.module = file, module
        kept = json.loads(file.read_text()) if file.exists() else {"noticed": [], "seconds": {}}
        self.noticed: list[list[str]] = kept["noticed"]
        self.seconds: dict[str, float] = kept["seconds"]

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self) -> None:
        """Take the same values every time; a failure is enough, its smallest example is not needed."""
        phases = (Phase.explicit, Phase.generate)
        settings.register_profile("mutation", deadline=None, derandomize=True, phases=phases)
        settings.load_profile("mutation")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Order the tests of a stage."""
        everywhere = Counter(test for _, test in self.noticed)
        here = Counter(test for module, test in self.noticed if module == self.module)

        def place(item: pytest.Item) -> tuple[int, int, float]:
            return -here[item.nodeid], -everywhere[item.nodeid], self.seconds.get(item.nodeid, 0.0)

        items.sort(key=place)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the name of a test that fails, and without a change how long each takes."""
        if report.failed:
            self.noticed.append([self.module, report.nodeid])
        elif report.when == "call" and not self.module:
            self.seconds[report.nodeid] = report.duration

    def pytest_sessionfinish(self) -> None:
        """Save what was learned for the next change."""
        self.file.write_text(json.dumps({"noticed": self.noticed, "seconds": self.seconds}))


def survives(mutant: Mutant | None, stages: Sequence[str], noticed: Path) -> bool | None:
    """Return whether all stages pass with the change, `mutant` None being no change; None if undecided."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as name:
        folder = Path(name)
        module = "" if mutant is None else module_name(mutant.path)
        if mutant is not None:
            changed = folder / "changed.py"
            changed.write_text(ast.unparse(mutate(mutant)))
            hook = _HOOK.format(module=module, changed=str(changed), path=str(mutant.path))
            (folder / "sitecustomize.py").write_text(hook)
        for stage in stages:
            passes = _passes(folder, stage, NoticingFirst(noticed, module))
            if not passes:
                return passes
    return True


def _passes(folder: Path, stage: str, plugin: NoticingFirst) -> bool | None:
    """Run a stage's tests in a forked process; None if they do not end."""
    child = os.fork()
    if child == 0:
        _run_and_exit(folder, stage, plugin)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def _run_and_exit(folder: Path, stage: str, plugin: NoticingFirst) -> None:
    os.setpgid(0, 0)
    os.chdir(ROOT)
    resource.setrlimit(resource.RLIMIT_CPU, (LIMIT_CPU_SECONDS, LIMIT_CPU_SECONDS + 1))
    hook = folder / "sitecustomize.py"
    if hook.exists():
        runpy.run_path(str(hook))
        sys.path.insert(0, str(folder))  # workbooks.opening passes this to its child process
        paths = (str(folder), os.environ.get("PYTHONPATH"))
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)
        with contextlib.redirect_stdout(io.StringIO()):
            options = ["-x", "-q", "-p", "no:cacheprovider", "--no-header"]
            code = pytest.main([*options, *_arguments(stage)], plugins=[plugin])
    os._exit(int(code))


def _arguments(stage: str) -> list[str]:
    """Return pytest's arguments; `a|b` after -k is `a or b`, which a shell would need to quote."""
    return [part.replace("|", " or ") for part in stage.split()]


def preload() -> None:
    """Import what every run needs and no mutant changes."""
    for name in ("boto3", "duckdb", "hypothesis", "openpyxl", "psycopg", "pydantic", "xdist"):
        __import__(name)


def main() -> int:
    """Try a sample of every area's mutants and print how many were noticed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=[area.name for area in AREAS], help="one area")
    parser.add_argument("--mutants", type=int, default=60, help="of each area (default: 60)")
    parser.add_argument("--seconds", type=float, default=600.0, help="for each area at most (default: 600)")
    parser.add_argument("--seed", type=int, default=18)
    arguments = parser.parse_args()
    preload()
    for area in AREAS:
        if arguments.only in (None, area.name):
            with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
                noticed = Path(folder) / "noticed.json"
                _try_area(area, arguments.mutants, arguments.seconds, arguments.seed, noticed)
    return 0


def _try_area(area: Area, count: int, seconds: float, seed: int, noticed: Path) -> None:
    if survives(None, area.stages, noticed) is not True:
        raise SystemExit(f"{area.name}: its tests fail without a mutant")
    every = [mutant for path in area.modules() for mutant in mutants_of(path)]
    chosen = random.Random(seed).sample(every, min(count, len(every)))  # noqa: S311
    deadline = time.monotonic() + seconds
    results: list[bool] = []
    for mutant in chosen:
        if time.monotonic() > deadline:
            break
        survived = survives(mutant, area.stages, noticed)
        if survived is not None:
            results.append(survived)
        if survived is not False:
            word = "undecided" if survived is None else "survived"
            print(f"  {word}: {mutant.path.relative_to(ROOT)}:{mutant.line}: {mutant.told}", flush=True)
    killed, tried = results.count(False), len(results)
    print(
        f"{area.name}: {killed} of {tried} noticed ({killed / max(1, tried):.0%}), of {len(every)} mutants",
        flush=True,
    )


if __name__ == "__main__":
    raise SystemExit(main())
