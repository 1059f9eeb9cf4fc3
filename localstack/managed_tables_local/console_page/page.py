"""Run the console's page beside the stack, in the background."""

import json
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from managed_tables_local.console_page.page_build import build_page
from managed_tables_local.ports import LOOPBACK, free_port
from managed_tables_local.processes import Background

APP = "managed_tables_local.console_page.page_app:make_app"
PREFERRED_PORT = 8_080


def process(folder: Path) -> Background:
    """Return the page's process of a stack's folder."""
    return Background("page", folder, f"--app-dir {folder / 'page'}")


def settings(built: Path, api_url: str, bucket_origin: str, hosts: Sequence[str] = ()) -> dict[str, str]:
    """Return the environment of the page's application."""
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
    """Build the page and serve it, unless it is served already; return its address.

    `hosts` are the origins that may show it in a frame.
    """
    built = build_page()
    kept, note = folder / "page.port", folder / "page.note"
    told = settings(built, api_url, bucket_origin, hosts)
    wanted = json.dumps([told, Path(__file__).with_name("page_app.py").stat().st_mtime_ns])
    if process(folder).pid() is not None and note.exists() and note.read_text() == wanted:
        return f"http://{LOOPBACK}:{kept.read_text()}"
    process(folder).stop()
    port = free_port(int(kept.read_text()) if kept.exists() else preferred_port)
    kept.write_text(str(port))
    note.write_text(wanted)
    command = [
        sys.executable, "-m", "uvicorn", "--factory", APP, "--app-dir", str(folder / "page"),
        "--host", LOOPBACK, "--port", str(port), "--no-access-log",
    ]  # fmt: skip
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **told}
    process(folder).start(command, environment, lambda: _listens(port))
    return f"http://{LOOPBACK}:{port}"


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0
