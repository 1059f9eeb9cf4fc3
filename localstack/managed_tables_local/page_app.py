"""Serve the console's page as the template does: one origin with the API, and the same security headers."""

import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from managed_tables_local.checkout import ROOT

HEADERS_FILE = ROOT / "console" / "security-headers.json"
API_PREFIX = "/v1"
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding", "host"}
)
_ANSWER_SECONDS = 60.0  # API Gateway hangs up after 29


def security_headers(bucket_origin: str, frame_ancestors: str = "'none'") -> dict[str, str]:
    """Return the headers of every answer of the page, as console/security-headers.json has them."""
    headers: dict[str, str] = json.loads(HEADERS_FILE.read_text())
    policy = headers["Content-Security-Policy"].replace("BUCKET_ORIGIN", bucket_origin)
    return {**headers, "Content-Security-Policy": policy.replace("FRAME_ANCESTORS", frame_ancestors)}


def make_app() -> Starlette:
    """Return the application; CONSOLE_PAGE, CONSOLE_API_URL and CONSOLE_BUCKET_ORIGIN say of what.

    CONSOLE_HOSTS: origins, with spaces between them, that may show the page in a frame.
    """
    folder, api_url = Path(os.environ["CONSOLE_PAGE"]).resolve(), os.environ["CONSOLE_API_URL"]
    hosts = os.environ.get("CONSOLE_HOSTS", "").split()
    security = security_headers(os.environ["CONSOLE_BUCKET_ORIGIN"], " ".join(hosts) or "'none'")
    client = httpx.AsyncClient(timeout=_ANSWER_SECONDS)

    async def config(_request: Request) -> Response:
        """Answer where the API is (here), and which consoles may frame the page."""
        told = {"apiUrl": "", "base": "", "hosts": hosts, "tokenInAddress": True, "tokenInTab": True}
        return JSONResponse(told, headers={**security, "Cache-Control": "no-cache"})

    async def file(request: Request) -> Response:
        """Answer a file of the page; any other path is one of the console's own, and gets the page."""
        path = (folder / request.url.path.lstrip("/")).resolve()
        is_asset = path.is_relative_to(folder / "assets") and path.is_file()
        caching = "public, max-age=31536000, immutable" if is_asset else "no-cache"
        shown = path if is_asset else folder / "index.html"
        return FileResponse(shown, headers={**security, "Cache-Control": caching})

    async def api(request: Request) -> Response:
        """Hand a request on to the API, and its answer back."""
        url = httpx.URL(f"{api_url}{request.url.path}", query=request.url.query.encode() or None)
        content = await request.body()
        sent = client.build_request(request.method, url, headers=_handed_on(request.headers), content=content)
        answer = await client.send(sent, stream=True)
        close = BackgroundTask(answer.aclose)
        headers = _handed_on(answer.headers)
        return StreamingResponse(answer.aiter_bytes(), answer.status_code, headers, background=close)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await client.aclose()

    return Starlette(
        routes=[
            Route("/config.json", config),
            Route(API_PREFIX + "/{path:path}", api, methods=_METHODS),
            Route("/{path:path}", file),
        ],
        lifespan=lifespan,
    )


def _handed_on(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in _HOP_BY_HOP}
