"""Locate what is in this checkout, the sources and tools' environments, run it and print the progress."""

import fcntl
import hashlib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.markup import escape

_console = Console()
ROOT = Path(__file__).resolve().parents[2]
LOCAL = ROOT / ".local"
TEMPLATE = ROOT / "template.yaml"
_SOURCES = ("functions", "layers", "operations", "requirements", "statemachine", "template.yaml", "templates")


class StackError(RuntimeError):
    """A part of the local stack, or what was run on it, has failed; the message says which."""


def say(text: str) -> None:
    """Print at once."""
    print(text, flush=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Show in a terminal that the block runs, then print how long it took; steps may overlap."""
    started = time.monotonic()
    outcome = "failed"
    try:
        with _console.status(escape(title)):
            yield
        outcome = "done"
    finally:
        say(f"==> {title}: {outcome} in {time.monotonic() - started:.1f} s")


def tool_environment(name: str) -> Path:
    """Return the `bin` folder of a tool's own environment, rebuilt when requirements/NAME.txt changes."""
    home = LOCAL / f"{name}-venv"
    locked = ROOT / "requirements" / f"{name}.txt"
    wanted = hashlib.sha256(locked.read_bytes()).hexdigest()
    mark = home / ".installed"
    with exclusive(LOCAL / f"{name}-venv.lock"):
        if not mark.exists() or mark.read_text() != wanted:
            with step(f"installing {name} in an environment of its own"):
                uv = Path(sys.executable).parent / "uv"
                run_quietly([uv, "venv", "--quiet", "--clear", "--python", sys.executable, home])
                python = home / "bin" / "python"
                run_quietly([uv, "pip", "sync", "--quiet", "--require-hashes", "--python", python, locked])
                mark.write_text(wanted)
    return home / "bin"


def fingerprint(*sources: str, without: str = "") -> str:
    """Return a digest of these files and folders, by default of everything that a deployment is made of."""
    digest = hashlib.sha256()
    for source in sources or _SOURCES:
        base = ROOT / source
        for path in sorted(base.rglob("*")) if base.is_dir() else [base]:
            if path.is_file() and "__pycache__" not in path.parts and path.name != without:
                digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


@contextmanager
def exclusive(lock: Path) -> Iterator[None]:
    """Hold a lock between processes, waiting for it."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def run_quietly(command: list[object], environment: dict[str, str] | None = None) -> str:
    """Run a command and return its output, without that on errors; both are shown only if it fails."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,  # apart: a warning is no part of the path or version that is asked for
        text=True,
        check=False,
    )
    if done.returncode:
        shown = done.stdout + done.stderr
        raise SystemExit(f"{Path(str(command[0])).name} failed ({done.returncode}):\n{shown}")
    return done.stdout
