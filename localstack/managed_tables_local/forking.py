"""Fork a function's processes from one that has imported its handler: each would take a second to import it.

`Forked` is for MiniStack's process. What it asks runs `serve`, in the function's first environment, with what
importing leaves; each process that it forks has the environment, the folder and the pipes of its own.
"""

import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any

_MESSAGE_MAX_BYTES = 200_000  # a function's environment, mostly
_ENDS = 4  # standard input, output and errors, and where a new process tells its pid and that it runs
_PID_MAX_BYTES = 20
_POLL_SECONDS = 0.01
_origins: dict[str, tuple[bytes, subprocess.Popen[bytes], socket.socket]] = {}  # by functions' names
_lock = Lock()


class Forked:
    """A function's process, with what MiniStack uses of `subprocess.Popen`."""

    def __init__(self, command: list[str], cwd: str, env: dict[str, str], **_options: Any) -> None:
        (stdin, to_stdin), *outputs = (os.pipe() for _ in range(_ENDS))
        ends = [stdin, *(end for _, end in outputs)]
        self.stdin = os.fdopen(to_stdin, "w", buffering=1)
        self.stdout, self.stderr = (os.fdopen(end) for end, _ in outputs[:-1])
        self._told = os.fdopen(outputs[-1][0], "rb", buffering=0)
        try:
            start = json.dumps([command[1], cwd, env]).encode()
            socket.send_fds(_find_origin(command[0], cwd, env), [start], ends)
        finally:
            for end in ends:
                os.close(end)
        self.pid = int(self._told.read(_PID_MAX_BYTES))
        os.set_blocking(self._told.fileno(), False)

    def poll(self) -> int | None:
        """Return None while it runs: its end of a pipe is its own, its pid may be another's by now."""
        return None if self._told.read(1) is None else 0

    def wait(self, timeout: float) -> None:
        """Wait until it has ended, or the time is over."""
        deadline = time.monotonic() + timeout
        while self.poll() is None and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)

    def kill(self) -> None:
        """End it."""
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    terminate = kill


def _find_origin(python: str, folder: str, environment: dict[str, str]) -> socket.socket:
    """Return the way to the process that has imported this code of a function."""
    name, code = environment["AWS_LAMBDA_FUNCTION_NAME"], Path(folder, "../code.zip").read_bytes()
    with _lock:
        kept = _origins.get(name)
        if kept is None or kept[0] != code or kept[1].poll() is not None:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with theirs:
                command = [python, "-P", __file__, str(theirs.fileno())]
                process = subprocess.Popen(command, cwd=folder, env=environment, pass_fds=[theirs.fileno()])
            kept = _origins[name] = (code, process, ours)
    return kept[2]


def serve(channel: socket.socket) -> None:
    """Import the handlers of the current folder, then fork for whoever asks, until nobody can any more."""
    sys.path.insert(0, os.getcwd())
    printed, sys.stdout = sys.stdout, sys.stderr  # as MiniStack's script has it while it imports
    for package in Path.cwd().glob("managed_tables_*"):
        with suppress(BaseException):  # the forked process imports it again, and says what is wrong
            importlib.import_module(f"{package.name}.handler")
    sys.stdout = printed
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # what has ended leaves nothing behind
    while True:
        start, ends, _, _ = socket.recv_fds(channel, _MESSAGE_MAX_BYTES, _ENDS)
        if not start or os.fork() == 0:
            break
        for end in ends:
            os.close(end)
    channel.close()
    if start:
        _become(ends, *json.loads(start))


def _become(ends: list[int], script: str, folder: str, environment: dict[str, str]) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.write(ends[-1], str(os.getpid()).encode())
    for number, end in enumerate(ends[:-1]):
        os.dup2(end, number)
        os.close(end)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    runpy.run_path(script, run_name="__main__")


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
