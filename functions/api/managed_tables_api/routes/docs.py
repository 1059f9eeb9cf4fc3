"""The routes of the documentation, which need no token: the OpenAPI document and its readable page."""

from collections.abc import Callable

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from managed_tables import exact_json
from managed_tables_api.calls.routing import api_router
from managed_tables_api.http.answers import Entity

router = api_router("", "Documentation")

_PAGE_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}


@router.get("/openapi.json", include_in_schema=False)
def get_document(request: Request, entity: Entity) -> Response:
    """Return the OpenAPI document."""
    return entity.answer(_once(request.app, "document", _document_bytes))


@router.get("/docs", include_in_schema=False)
def get_page(request: Request) -> Response:
    """Return the document as a page."""
    return HTMLResponse(_once(request.app, "page", _page_bytes), headers=_PAGE_HEADERS)


def _once(app: FastAPI, name: str, make: Callable[[FastAPI], bytes]) -> bytes:
    """Return the document, made once at the process's first request for it: callers need no token."""
    kept = app.state.documentation
    if name not in kept:
        kept[name] = make(app)
    made: bytes = kept[name]
    return made


def _document_bytes(app: FastAPI) -> bytes:
    return exact_json.dumps(_document(app))


def _page_bytes(app: FastAPI) -> bytes:
    from managed_tables_api.openapi.page import render_page  # late: only its readers pay for it

    return render_page(_document(app)).encode()


def _document(app: FastAPI) -> dict[str, object]:
    """Return the document, built once."""
    from managed_tables_api.openapi.document import build_document  # late: only its readers pay for it

    if app.openapi_schema is None:
        app.openapi_schema = build_document(app)
    return app.openapi_schema
