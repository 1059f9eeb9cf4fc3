"""Start background processes detached, find them again by their pid file, stop them by pid."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_POLL_SECONDS = 0.05


class StartError(RuntimeError):
    """A process did not come up; the message carries the end of its log."""


@dataclass(frozen=True)
class Background:
    """A process that outlives the command that starts it; `folder` holds its pid and its log.

    `mark` is a text of its command line: it shows whether a pid now belongs to another process.
    """

    name: str
    folder: Path
    mark: str

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return self.folder / f"{self.name}.log"

    @property
    def _pid_file(self) -> Path:
        return self.folder / f"{self.name}.pid"

    def pid(self) -> int | None:
        """Return the pid of the running process, if it runs."""
        try:
            pid = int(self._pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return None
        return pid if self.mark in _command_line(pid) else None

    def start(
        self,
        command: Sequence[object],
        environment: Mapping[str, str],
        ready: Callable[[], bool],
        limit_seconds: float = 60,
    ) -> None:
        """Start the process and wait until it is ready; raise StartError if it ends or takes too long."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                [str(part) for part in command],
                cwd=self.folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._pid_file.write_text(str(process.pid))
        deadline = time.monotonic() + limit_seconds
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                tail = self.log.read_text(errors="replace")[-3_000:]
                raise StartError(f"{self.name} did not start; the end of {self.log}:\n{tail}")
            time.sleep(_POLL_SECONDS)

    def stop(self, limit_seconds: float = 30) -> None:
        """End the process, kindly first; do nothing if it does not run."""
        pid = self.pid()
        if pid is None:
            return
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + limit_seconds
        while self.pid() is not None:
            if time.monotonic() > deadline:
                os.killpg(pid, signal.SIGKILL)
            time.sleep(_POLL_SECONDS)
        self._pid_file.unlink(missing_ok=True)


def command_lines() -> list[str]:
    """Return the command line of every living process that this user may see."""
    if Path("/proc/self/cmdline").exists():
        return [_command_line(int(entry.name)) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    shown = subprocess.run(["ps", "-axo", "command=", "-ww"], capture_output=True, text=True, check=False)
    return shown.stdout.splitlines()


def _command_line(pid: int) -> str:
    """Return the command line of a living process, nothing for another."""
    proc = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self/cmdline").exists():  # Linux: `ps` may not be installed
        try:
            return proc.read_bytes().replace(b"\0", b" ").decode(errors="replace")  # a zombie has none
        except OSError:
            return ""
    shown = subprocess.run(
        ["ps", "-o", "stat=,command=", "-ww", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return "" if shown.stdout.startswith("Z") else shown.stdout
