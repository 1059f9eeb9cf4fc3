"""The command behind `make audit`: what lints of security say that `make check` does not ask each time."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from managed_tables_local.checkout import LOCAL, ROOT, tool_environment
from managed_tables_local.progress import say

LOCKED = ("api", "common", "ingest", "provision", "analyze", "insert", "export")
SOURCES = ("functions", "layers", "localstack", "statemachine")
_NOT_AUDITED = "could not be audited"  # pip-audit's words, where PyPI's JSON answers are out of reach


def main() -> int:
    """Run every audit and return 0 if none found anything."""
    tools = tool_environment("audit")
    lints = {
        "bandit": ["bandit", "--quiet", "--configfile", "pyproject.toml", "--recursive", *SOURCES],
        "checkov": [
            "checkov",
            "--config-file",
            ".checkov.yaml",
            "--file",
            "template.yaml",
            "--skip-download",
        ],
    }
    results = [_run(name, tools, command) for name, command in lints.items()]
    return 0 if all([*results, *(_audit(tools, name) for name in LOCKED)]) else 1


def _run(name: str, tools: Path, command: Sequence[str]) -> bool:
    done = _call(tools, command)
    say(f"==> {name}: {'nothing found' if done.returncode == 0 else done.stdout + done.stderr}")
    return done.returncode == 0


def _audit(tools: Path, name: str) -> bool:
    """Ask PyPI for the known vulnerabilities of what a function's artefact holds."""
    locked = ROOT / "requirements" / f"{name}.txt"
    if not locked.read_text(encoding="utf-8").strip():
        return True
    command = [
        "pip-audit",
        "--vulnerability-service",
        "pypi",
        "--no-deps",
        "--disable-pip",
        "-r",
        str(locked),
    ]
    done = _call(tools, command)
    if done.returncode == 0 and _NOT_AUDITED in done.stdout + done.stderr:
        say(f"==> pip-audit {name}: NOT AUDITED, PyPI's data is out of reach from here")
        return True
    said = "nothing found" if done.returncode == 0 else done.stdout + done.stderr
    say(f"==> pip-audit {name}: {said}")
    return done.returncode == 0


def _call(tools: Path, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": f"{tools}:{os.environ['PATH']}", "HOME": str(LOCAL), "LANG": "C.UTF-8"}
    environment |= {
        name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_", "REQUESTS_"))
    }
    return subprocess.run(
        [str(tools / command[0]), *command[1:]],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


if __name__ == "__main__":
    sys.exit(main())
