"""Serve applications by uvicorn in the background: the console's page, and the API beside the stack.

The API is served for uploads over Lambda's limit, and for development.
"""

import json
import os
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from managed_tables_local.checkout import ROOT
from managed_tables_local.processes import LOOPBACK, Background, free_port

PREFERRED_PORT = 8_000


@dataclass(frozen=True)
class Server:
    """An application that is served on 127.0.0.1; `folder` keeps its port and what it was started with."""

    name: str
    folder: Path
    app: str
    preferred_port: int

    @property
    def process(self) -> Background:
        """The server's process, which its `--app-dir` tells from others."""
        return Background(self.name, self.folder, f"--app-dir {self.folder / self.name}")

    @property
    def port(self) -> int:
        """The port, chosen again where the server does not run and somebody else has taken it."""
        kept = self.folder / f"{self.name}.port"
        port = int(kept.read_text()) if kept.exists() else self.preferred_port
        if self.process.pid() is None:
            port = free_port(port)
            kept.write_text(str(port))
        return port

    @property
    def command(self) -> list[str]:
        """The command that is the server."""
        place = [*self.process.mark.split(" ", 1), "--host", LOOPBACK, "--port", str(self.port)]
        return [sys.executable, "-m", "uvicorn", "--factory", self.app, "--no-access-log", *place]

    def start(self, environment: Mapping[str, str], version: object) -> str:
        """Start the server, again where its sources' version or its settings have changed; return its URL."""
        note = self.folder / f"{self.name}.note"
        wanted = json.dumps([version, dict(environment)], sort_keys=True)
        if self.process.pid() is None or not note.exists() or note.read_text() != wanted:
            self.process.stop()
            note.write_text(wanted)
            port = self.port
            self.process.start(self.command, _clean(environment), lambda: _listens(port))
        return f"http://{LOOPBACK}:{self.port}"


def api(folder: Path, preferred_port: int = PREFERRED_PORT) -> Server:
    """Return the API's server of a stack's folder."""
    return Server("server", folder, "managed_tables_api.app:make_app", preferred_port)


def serve(folder: Path, environment: Mapping[str, str]) -> None:
    """Become the API's server, reloading when a source changes; the one in the background makes room."""
    server = api(folder)
    server.process.stop()
    sources = (f"--reload-dir={ROOT / name}" for name in ("functions/api", "layers/common"))
    command = [*server.command, "--reload", *sources]
    os.execve(command[0], command, _clean(environment))  # noqa: S606 (our own interpreter and arguments)


def _clean(environment: Mapping[str, str]) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TZ": "UTC", **environment}


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0
