"""Start background processes detached, find them again by their pid file, stop them by pid."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from managed_tables_local.checkout import StackError

_POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Background:
    """A process that outlives the command that starts it; `folder` holds its pid and its log."""

    name: str
    folder: Path
    mark: str  # of its command line: it shows whether a pid now belongs to another process

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
            command = " ".join(psutil.Process(pid).cmdline())
        except (FileNotFoundError, ValueError, psutil.Error):  # gone, a zombie, or another user's
            return None
        return pid if self.mark in command else None

    def start(
        self,
        command: Sequence[object],
        environment: Mapping[str, str],
        ready: Callable[[], bool],
        limit_seconds: float = 60,
    ) -> None:
        """Start the process and wait until it is ready; raise StackError if it ends or takes too long."""
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
                raise StackError(f"{self.name} did not start; the end of {self.log}:\n{tail}")
            time.sleep(_POLL_SECONDS)

    def stop(self, limit_seconds: float = 30) -> None:
        """End the process, kindly first; do nothing if it does not run."""
        pid = self.pid()
        if pid is None:
            return
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(pid)
            process.terminate()
            try:
                process.wait(limit_seconds)
            except psutil.TimeoutExpired:
                os.killpg(pid, signal.SIGKILL)
                process.wait()
        self._pid_file.unlink(missing_ok=True)


LOOPBACK = "127.0.0.1"


def free_port(preferred: int = 0) -> int:
    """Return `preferred` if nobody listens there, else any free port of 127.0.0.1."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError(f"no free TCP port on {LOOPBACK}")
