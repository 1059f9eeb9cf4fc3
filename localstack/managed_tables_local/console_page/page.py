"""Run the console's page beside the stack, in the background."""

from collections.abc import Sequence
from pathlib import Path

from managed_tables_local.console_page.page_build import build_page
from managed_tables_local.server import Server

APP = "managed_tables_local.console_page.page_app:make_app"
PREFERRED_PORT = 8_080


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
