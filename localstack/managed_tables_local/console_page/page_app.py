"""Serve the console's page as the template does: one origin with the API, and the same security headers."""

import json
import os
from collections.abc import AsyncIterator
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
    places = {"BUCKET_ORIGIN": bucket_origin, "FRAME_ANCESTORS": frame_ancestors}
    policy = headers["Content-Security-Policy"]
    for place, value in places.items():
        policy = policy.replace(place, value)
    return {**headers, "Content-Security-Policy": policy}


class _Page:
    """The built page in a folder, and the API behind it."""

    def __init__(
        self, folder: Path, api_url: str, bucket_origin: str, hosts: list[str], client: httpx.AsyncClient
    ) -> None:
        self._folder = folder.resolve()
        self._api_url = api_url
        self._hosts = hosts
        self._headers = security_headers(bucket_origin, " ".join(hosts) or "'none'")
        self._client = client

    async def config(self, _request: Request) -> Response:
        """Answer where the API is (here), and which consoles may frame the page."""
        config = {"apiUrl": "", "base": "", "hosts": self._hosts, "tokenInAddress": True}
        return JSONResponse(config, headers={**self._headers, "Cache-Control": "no-cache"})

    async def file(self, request: Request) -> Response:
        """Answer a file of the page; any other path is one of the console's own, and gets the page."""
        path = (self._folder / request.url.path.lstrip("/")).resolve()
        is_asset = path.is_relative_to(self._folder / "assets") and path.is_file()
        caching = "public, max-age=31536000, immutable" if is_asset else "no-cache"
        shown = path if is_asset else self._folder / "index.html"
        return FileResponse(shown, headers={**self._headers, "Cache-Control": caching})

    async def api(self, request: Request) -> Response:
        """Hand a request on to the API, and its answer back."""
        headers = {name: value for name, value in request.headers.items() if name not in _HOP_BY_HOP}
        url = f"{self._api_url}{request.url.path}"
        if request.url.query:
            url = f"{url}?{request.url.query}"
        sent = self._client.build_request(request.method, url, headers=headers, content=await request.body())
        answer = await self._client.send(sent, stream=True)
        kept = {name: value for name, value in answer.headers.items() if name not in _HOP_BY_HOP}
        return StreamingResponse(
            answer.aiter_bytes(), answer.status_code, kept, background=BackgroundTask(answer.aclose)
        )


def make_app() -> Starlette:
    """Return the application; CONSOLE_PAGE, CONSOLE_API_URL and CONSOLE_BUCKET_ORIGIN say of what.

    CONSOLE_HOSTS: origins, with spaces between them, that may show the page in a frame.
    """
    environment = os.environ
    client = httpx.AsyncClient(timeout=_ANSWER_SECONDS)
    page = _Page(
        Path(environment["CONSOLE_PAGE"]),
        environment["CONSOLE_API_URL"],
        environment["CONSOLE_BUCKET_ORIGIN"],
        environment.get("CONSOLE_HOSTS", "").split(),
        client,
    )

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        await client.aclose()

    return Starlette(
        routes=[
            Route("/config.json", page.config),
            Route(API_PREFIX + "/{path:path}", page.api, methods=_METHODS),
            Route("/{path:path}", page.file),
        ],
        lifespan=lifespan,
    )
