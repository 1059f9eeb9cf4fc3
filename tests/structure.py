"""Measure the structure: `python tests/structure.py` prints it, tests/unit/test_structure.py limits it."""

import ast
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from radon.complexity import cc_visit
from radon.visitors import Function

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = tuple(
    ROOT / name
    for name in (
        "layers/common/managed_tables",
        "functions/api/managed_tables_api",
        "functions/ingest/managed_tables_ingest",
        "functions/analyze/managed_tables_analyze",
        "functions/analyze/managed_tables_reader",
        "functions/insert/managed_tables_insert",
        "functions/export/managed_tables_export",
        "functions/provision/managed_tables_provision",
        "operations/managed_tables_operations",
        "command/managed_tables_command",
        "localstack/managed_tables_local",
    )
)
# Where a file's layout is chosen: limited to few lines and predicates, or rules pile up again.
ROOMS = tuple(ROOT / "functions/analyze/managed_tables_reader" / name for name in ("text", "layout"))
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True)
class Structure:
    """The figures of one package: complexity by radon, and names of what is hard to read."""

    package: str
    modules: int
    complexities: dict[str, int]
    undocumented: list[str]
    same_names: list[str]
    crowded_folders: dict[str, int]
    circle: list[str]

    @property
    def p90(self) -> int:
        """The 90th percentile of the functions' complexity."""
        return _p90(self.complexities)

    def above(self, complexity: int) -> list[str]:
        """Return the functions that are more complex than this."""
        return sorted(name for name, found in self.complexities.items() if found > complexity)


@dataclass(frozen=True)
class Rooms:
    """The combined figures of the folders that read a layout."""

    lines: int
    predicates: list[str]
    complexities: dict[str, int]

    @property
    def p90(self) -> int:
        """The 90th percentile of the functions' complexity."""
        return _p90(self.complexities)


def measure_rooms(rooms: Iterable[Path] = ROOMS) -> Rooms:
    """Return the combined lines, functions that return a bool, and complexities of some folders."""
    paths = [path for room in rooms for path in sorted(room.rglob("*.py"))]
    return Rooms(
        lines=sum(len(path.read_text().splitlines()) for path in paths),
        predicates=[name for path in paths for name in _predicates(path)],
        complexities=dict(pair for path in paths for pair in _complexities(path)),
    )


def _predicates(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if (
            isinstance(node, ast.FunctionDef)
            and isinstance(node.returns, ast.Name)
            and node.returns.id == "bool"
        ):
            yield f"{path.relative_to(ROOT)}:{node.name}"


def _p90(complexities: dict[str, int]) -> int:
    ordered = sorted(complexities.values())
    return ordered[int(len(ordered) * 0.9)]


def measure(package: Path, *, most_modules: int) -> Structure:
    """Return the figures of a package; folders with more modules than `most_modules` are crowded."""
    paths = sorted(package.rglob("*.py"))
    named = [path for path in paths if not path.name.startswith("__")]
    names = Counter(path.name for path in named)
    folders = Counter(str(path.parent.relative_to(ROOT)) for path in named)
    return Structure(
        package=package.name,
        modules=len(named),
        complexities=dict(pair for path in paths for pair in _complexities(path)),
        undocumented=[place for path in paths for place in _undocumented(path)],
        same_names=sorted(name for name, count in names.items() if count > 1),
        crowded_folders={folder: count for folder, count in folders.items() if count > most_modules},
        circle=_circle({_dotted(path): path for path in paths}),
    )


def _complexities(path: Path) -> Iterator[tuple[str, int]]:
    for block in cc_visit(path.read_text()):
        functions = [block] if isinstance(block, Function) else block.methods
        for function in functions:
            yield f"{path.relative_to(ROOT)}:{function.fullname}", function.complexity


def _undocumented(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    place = str(path.relative_to(ROOT))
    if tree.body and not ast.get_docstring(tree):
        yield place
    yield from (f"{place}:{name}" for name in _without_docstring(tree))


def _without_docstring(parent: ast.Module | ast.ClassDef) -> Iterator[str]:
    for node in parent.body:
        if not isinstance(node, _DEFINITIONS) or node.name.startswith("_"):
            continue
        if not ast.get_docstring(node):
            yield node.name
        if isinstance(node, ast.ClassDef):
            yield from (f"{node.name}.{name}" for name in _without_docstring(node))


def _dotted(path: Path) -> str:
    package = next(package for package in PACKAGES if path.is_relative_to(package))
    parts = path.relative_to(package.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _circle(modules: dict[str, Path]) -> list[str]:
    """Return modules that import each other in a cycle, imports inside functions included."""
    graph = {name: set(_imports(path, modules)) - {name} for name, path in modules.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def _imports(path: Path, modules: dict[str, Path]) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module in modules:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in modules else node.module


def main() -> None:
    """Print the figures of every package, and of the folders that read a layout."""
    print(f"{'package':28}{'modules':>8}{'functions':>10}{'p90':>5}{'most':>6}")
    for package in PACKAGES:
        found = measure(package, most_modules=12)
        most = max(found.complexities.values())
        print(f"{found.package:28}{found.modules:8}{len(found.complexities):10}{found.p90:5}{most:6}")
        for finding in (found.above(15), found.undocumented, found.same_names, found.circle):
            if finding:
                print("   ", *finding, sep="\n      ")
        for folder, count in found.crowded_folders.items():
            print(f"    {folder}: {count} modules")
    for names in (*((room,) for room in ROOMS), ROOMS):
        rooms = measure_rooms(names)
        most = max(rooms.complexities.values())
        name = "+".join(room.name for room in names)
        print(f"{name:28}{rooms.lines:8} lines{len(rooms.predicates):5} predicates{rooms.p90:5}{most:6}")


if __name__ == "__main__":
    main()
