"""Make the app: every route, request ids, CORS, and no error in any other shape than ours.

Nothing else of FastAPI's defaults is there.
"""

import uuid
from dataclasses import replace

from fastapi import APIRouter, FastAPI, Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from managed_tables import errors
from managed_tables.errors import ApiError
from managed_tables.observability import get_logger, log_keys
from managed_tables.settings import load_settings
from managed_tables_api.http.answers import SERVICE, JsonAnswer, answering, error_answer, error_body
from managed_tables_api.routes import (
    connection,
    contracts,
    exports,
    history_and_trash,
    rows,
    rules,
    tables,
    unlisted,
    upload_jobs,
    uploads,
    views,
)
from managed_tables_api.services import ApiServices

REQUEST_ID_HEADER = "x-request-id"
# As API Gateway's own answers and preflights say in template.yaml.
ALLOWED_HEADERS = ("authorization", "content-type", "idempotency-key", "if-match", "if-none-match")
EXPOSED_HEADERS = ("allow", "etag", "retry-after", REQUEST_ID_HEADER)
PREFLIGHT_MAX_AGE_SECONDS = 7_200  # what Chrome keeps at most


class RequestBoundary:
    """ASGI middleware: gives the request its id, logs it, and answers 500 for whatever was not expected."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app for one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        event = scope.get("aws.event") or {}
        request_id = event.get("requestContext", {}).get("requestId") or str(uuid.uuid4())
        started = False

        async def send_with_id(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                headers[REQUEST_ID_HEADER] = request_id
                headers["x-content-type-options"] = "nosniff"  # cells were written by others
                reader.mark(headers)
            await send(message)

        logger = get_logger(SERVICE)
        with log_keys(logger, request_id=request_id), answering(scope) as reader:
            try:
                await self._app(scope, receive, send_with_id)
            except Exception:
                logger.exception("unexpected error", method=scope["method"], path=scope["path"])
                if started:
                    raise
                body = error_body(ApiError(errors.INTERNAL, request_id=request_id))
                answer = JsonAnswer({**body, "request_id": request_id}, errors.INTERNAL.status)
                await answer(scope, receive, send_with_id)


class Cors(CORSMiddleware):
    """Starlette's, with a refused preflight in our error shape."""

    def preflight_response(self, request_headers: Headers) -> Response:
        """Answer an OPTIONS request that a browser sends before the real one."""
        response = super().preflight_response(request_headers)
        return error_answer(ApiError(errors.ORIGIN_NOT_ALLOWED)) if response.status_code == 400 else response


async def _answer_api_error(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101 - what it is registered for
    return error_answer(error)


async def _answer_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - what it is registered for
    if error.status_code == 404:
        return error_answer(ApiError(errors.ROUTE_NOT_FOUND))
    if error.status_code == 405:
        routes = [route for route in request.app.routes if isinstance(route, Route)]
        matching = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
        methods = sorted({method for route in matching for method in route.methods or ()})
        return error_answer(ApiError(errors.METHOD_NOT_ALLOWED), {"Allow": ", ".join(methods)})
    kind = replace(errors.HTTP_ERROR, status=error.status_code)
    return error_answer(ApiError(kind, status=error.status_code))


# Those that are called most come first; none matches what another does.
ROUTERS: tuple[APIRouter, ...] = (
    rows.router,
    unlisted.router,
    connection.provisioning_router,
    connection.router,
    upload_jobs.router,
    uploads.router,
    tables.router,
    exports.router,
    history_and_trash.router,
    views.router,
    rules.router,
    contracts.router,
)
ROUTES = [route for router in ROUTERS for route in router.routes]


def create_app(services: ApiServices) -> FastAPI:
    """Return the app on the given services; makes no connection and no client."""
    app = FastAPI(
        title="Managed Tables API",
        routes=[*ROUTES],  # `include_router` would make each again at the first request
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would lose the stage that API Gateway puts in front
        exception_handlers={ApiError: _answer_api_error, HTTPException: _answer_http_exception},
    )
    app.state.services = services
    app.state.document = b""  # of OpenAPI, once somebody has asked for it
    app.state.tools = None  # of agents, likewise
    app.add_middleware(RequestBoundary)
    app.add_middleware(
        Cors,
        allow_origins=services.settings.cors_origins.replace(",", " ").split(),
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=list(ALLOWED_HEADERS),
        expose_headers=list(EXPOSED_HEADERS),
        max_age=PREFLIGHT_MAX_AGE_SECONDS,
    )
    return app


def make_app() -> FastAPI:
    """Return the app on the services of this process's environment, for an ASGI server."""
    return create_app(ApiServices(load_settings()))
