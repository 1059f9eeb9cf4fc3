"""Serve the API by an ASGI server beside the stack: for uploads over Lambda's limit, and for development."""

import json
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from managed_tables_local.checkout import ROOT, fingerprint
from managed_tables_local.ports import LOOPBACK, free_port
from managed_tables_local.processes import Background

APP = "managed_tables_api.app:make_app"
PROTOCOL = "managed_tables_local.http_protocol:ImpatientProtocol"
PREFERRED_PORT = 8_000


def process(folder: Path) -> Background:
    """Return the server's process of a stack's folder."""
    return Background("server", folder, f"--app-dir {folder}")


def take_any_port(folder: Path) -> None:
    """Choose a port now, no particular one, unless the folder's server has one already."""
    kept = folder / "server.port"
    if not kept.exists():
        kept.write_text(str(free_port()))


def url(folder: Path) -> str:
    """Return the server's base URL; its port is chosen at the first call."""
    kept = folder / "server.port"
    running = process(folder).pid() is not None
    port = int(kept.read_text()) if kept.exists() else PREFERRED_PORT
    if not running:
        port = free_port(port)
        kept.write_text(str(port))
    return f"http://{LOOPBACK}:{port}"


def start(folder: Path, environment: Mapping[str, str]) -> None:
    """Start the server in the background; if it runs, again where its sources or settings have changed."""
    note = folder / "server.note"
    wanted = json.dumps([fingerprint(), dict(environment)], sort_keys=True)
    if process(folder).pid() is not None and note.exists() and note.read_text() == wanted:
        return
    process(folder).stop()
    note.write_text(wanted)
    port = int(url(folder).rpartition(":")[2])
    process(folder).start(_command(folder, port), _clean(environment), lambda: _listens(port))


def serve(folder: Path, environment: Mapping[str, str]) -> None:
    """Become the server, reloading when a source changes; the one in the background makes room."""
    process(folder).stop()
    port = int(url(folder).rpartition(":")[2])
    sources = (f"--reload-dir={ROOT / name}" for name in ("functions/api", "layers/common"))
    command = [*_command(folder, port), "--reload", *sources]
    os.execve(command[0], command, _clean(environment))  # noqa: S606 (our own interpreter and arguments)


def _command(folder: Path, port: int) -> list[str]:
    place = ["--app-dir", str(folder), "--host", LOOPBACK, "--port", str(port)]
    return [sys.executable, "-m", "uvicorn", "--factory", APP, "--http", PROTOCOL, *place, "--no-access-log"]


def _clean(environment: Mapping[str, str]) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TZ": "UTC", **environment}


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0
