"""Run the console's checks in a real browser, and take the pictures of the docs."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from managed_tables_local.checkout import ROOT
from managed_tables_local.console_page.page_build import CONSOLE, find_node, install

CHECKS = CONSOLE / "browser"
PICTURES = ROOT / "docs" / "images"
NO_BROWSER = "no Chromium starts here: `apt-get install chromium`, and CONSOLE_BROWSER=/usr/bin/chromium"
_LIMIT_SECONDS = 900


class BrowserError(RuntimeError):
    """A check failed, or there is no browser; the message holds what was printed."""


def run_checks(
    facts: dict[str, str], url: str, results: Path, *specs: str, settings: Mapping[str, str] | None = None
) -> str:
    """Run these files of checks, or all, against the page at `url` and return what was printed.

    `facts` are those of stack.json, `settings` further variables of a check. Raises BrowserError if a check
    fails, or none has run.
    """
    node = find_node()
    install(CHECKS, node)
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
        [node.node, runner, "test", *specs],
        cwd=CHECKS,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_LIMIT_SECONDS,
        check=False,
    )
    if "Failed to launch" in done.stdout:
        raise BrowserError(f"{NO_BROWSER}\n{done.stdout[-2_000:]}")
    if done.returncode or " passed" not in done.stdout:
        raise BrowserError(done.stdout[-6_000:] + done.stderr[-2_000:])
    return done.stdout
