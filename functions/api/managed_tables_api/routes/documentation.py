"""Owns the routes of the documentation, which need no token: the OpenAPI document and its readable page."""

from fastapi import APIRouter, FastAPI, Request
from starlette.responses import HTMLResponse, Response

from managed_tables_api.answers import JsonAnswer

router = APIRouter(prefix="/v1/managed-tables", include_in_schema=False)

_PAGE_HEADERS = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}


@router.get("/openapi.json")
def get_document(request: Request) -> Response:
    """Return the OpenAPI document."""
    return JsonAnswer(_document(request.app))


@router.get("/docs")
def get_page(request: Request) -> Response:
    """Return the document as a page."""
    from managed_tables_api.docs_page import render_page  # only who reads the page pays for it

    return HTMLResponse(render_page(_document(request.app)), headers=_PAGE_HEADERS)


def _document(app: FastAPI) -> dict[str, object]:
    """Return the document, built once."""
    from managed_tables_api.openapi import build_document  # only who reads the document pays for it

    if app.openapi_schema is None:
        app.openapi_schema = build_document(app)
    return app.openapi_schema
