"""Choose the modules of the distribution: the reader, what it imports of the product, and nothing else.

In the repository they stand where the product has them, in an unpacked sdist in `src`. What is shared is
found by following imports, so that none is missing, and none is there that no module imports.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_PACKAGES = {
    "managed_tables_reader": "functions/analyze",
    "managed_tables_analyze": "functions/analyze",
    "managed_tables": "layers/common",
}
_DATA = {  # beside a module
    "managed_tables.wording": "sentences.json",
    "managed_tables_reader.__init__": "py.typed",
}


class ReaderBuildHook(BuildHookInterface[Any]):
    """Adds the modules to the wheel, or to the folder `src` of the sdist."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatch's own
        """Name each file, and where it goes."""
        root = Path(self.root)
        prefix = "src/" if self.target_name == "sdist" else ""
        build_data["force_include"] |= {str(file): f"{prefix}{name}" for file, name in find_files(root)}


def find_files(root: Path) -> Iterator[tuple[Path, str]]:
    """Yield each file of the distribution, and its place among the packages."""
    source = root / "src"
    folders = {
        name: source / name if source.is_dir() else root.parent / place / name
        for name, place in _PACKAGES.items()
    }
    reader = folders["managed_tables_reader"]
    waiting = sorted(reader.rglob("*.py"))
    seen = set(waiting)
    while waiting:
        file = waiting.pop()
        name, folder = next((name, one) for name, one in folders.items() if file.is_relative_to(one))
        place = Path(name) / file.relative_to(folder)
        yield file, place.as_posix()
        if data := _DATA.get(".".join(place.with_suffix("").parts)):
            yield file.with_name(data), place.with_name(data).as_posix()
        found = {one for module in _imported(file) for one in _module_files(module, folders)} - seen
        seen |= found
        waiting += sorted(found)


def _imported(file: Path) -> Iterator[str]:
    """Yield the modules that a file imports, but those for types alone; a name may be a module's."""
    tree = ast.parse(file.read_text("utf-8"))
    for_types = {
        id(one)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for one in ast.walk(node)
    }
    for node in ast.walk(tree):
        if id(node) in for_types:
            continue
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{one.name}" for one in node.names)


def _module_files(module: str, folders: dict[str, Path]) -> Iterator[Path]:
    """Yield the file of a module of ours, and those of the packages that it is in."""
    first, *rest = module.split(".")
    if first not in folders:
        return
    for length in range(len(rest) + 1):
        path = folders[first].joinpath(*rest[:length])
        yield from (one for one in (path / "__init__.py", path.with_suffix(".py")) if one.is_file())
