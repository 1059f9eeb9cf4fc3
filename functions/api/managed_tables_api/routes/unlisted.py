"""The routes that OpenAPI does not list: its document, Swagger UI to read it, and the one of agents.

The documentation needs no token. Agents speak the Model Context Protocol (docs/agents.md).
"""

import base64
import hashlib
import re
from contextlib import ExitStack
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response

from managed_tables.errors import ROUTE_NOT_FOUND, ApiError
from managed_tables_api.calls import Services, TokenHolder, api_router, check_parameters
from managed_tables_api.http.answers import Entity
from managed_tables_api.http.requests import receive_body, received

router = api_router("", "Unlisted")

_VIEWER = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
_INLINE_SCRIPT = re.compile("<script>(.*?)</script>", re.DOTALL)
# Nothing comes from another origin, or goes to one; the viewer writes styles and small images itself.
_POLICY = (
    "default-src 'none'; script-src 'self' 'sha256-{}'; style-src 'self' 'unsafe-inline'; img-src data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@router.get("/openapi.json", include_in_schema=False)
def get_document(request: Request, entity: Entity) -> Response:
    """Return the OpenAPI document, made once at the process's first request for it: callers need no token."""
    from managed_tables_api.openapi import document_of  # late: only its readers pay for it

    return entity.answer(document_of(request.app))


@router.get("/docs", include_in_schema=False)
def get_page() -> Response:
    """Return the page that shows the document: addresses are relative, since a stage may stand in front."""
    from fastapi.openapi.docs import get_swagger_ui_html  # late: only its readers pay for it

    script, style = (f"docs/{name}" for name in _VIEWER)
    page = get_swagger_ui_html(
        openapi_url="openapi.json",
        title="Managed Tables API",
        swagger_js_url=script,
        swagger_css_url=style,
        swagger_favicon_url="data:,",
    )
    inline = _INLINE_SCRIPT.findall(bytes(page.body).decode())[0]
    digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
    page.headers["Content-Security-Policy"] = _POLICY.format(digest)
    return page


@router.get("/docs/{name}", include_in_schema=False)
def get_viewer(name: str) -> Response:
    """Return a file of the viewer."""
    if name not in _VIEWER:
        raise ApiError(ROUTE_NOT_FOUND)
    content = files("fastapi_swagger.resources").joinpath(name).read_bytes()
    return Response(content, media_type=_VIEWER[name], headers={"Cache-Control": "max-age=86400"})


@router.post("/mcp", include_in_schema=False)
async def serve_agent(request: Request, caller: TokenHolder, services: Services) -> Response:
    """Answer a message of the protocol; each tool needs the permissions of the routes that it calls."""
    from managed_tables_api.agents.serving import AgentAnswer  # late: the SDK takes as long as all the rest

    check_parameters(request)  # the routes called within would heed `numbers`
    with ExitStack() as held:  # counted until it is answered: what the SDK does takes time and memory
        held.enter_context(services.slots.request(caller.company_id))
        await receive_body(request)
        return AgentAnswer(request, received(request), caller, held.pop_all())
