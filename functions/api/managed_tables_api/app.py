"""Make the app: every route mounted, and nothing else of FastAPI's defaults."""

from fastapi import APIRouter, FastAPI

from managed_tables.settings import load_settings
from managed_tables_api.calls import reserve_fixed_words
from managed_tables_api.http.boundary import install_boundary
from managed_tables_api.routes import (
    agents,
    connection,
    exports,
    histories,
    rows,
    tables,
    upload_jobs,
    uploads,
    views,
)
from managed_tables_api.routes import docs as documentation
from managed_tables_api.services import ApiServices

# Those that are called most come first; none matches what another does.
ROUTERS: tuple[APIRouter, ...] = (
    rows.router,
    documentation.router,
    connection.provisioning_router,
    connection.router,
    upload_jobs.router,
    uploads.router,
    tables.router,
    exports.router,
    histories.router,
    views.router,
    agents.router,
)


def create_app(services: ApiServices) -> FastAPI:
    """Return the app on the given services; makes no connection and no client."""
    app = FastAPI(
        title="Managed Tables API",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would lose the stage that API Gateway puts in front
    )
    app.state.services = services
    app.state.document = b""  # of OpenAPI, once somebody has asked for it
    install_boundary(app, services.settings.cors_origins)
    for router in ROUTERS:
        mount(app, router)
    reserve_fixed_words(app.router.routes)
    return app


def make_app() -> FastAPI:
    """Return the app on the services of this process's environment, for an ASGI server."""
    return create_app(ApiServices(load_settings()))


def mount(app: FastAPI, router: APIRouter) -> None:
    """Put a router's routes on the app; `include_router` would make each again at the first request."""
    app.router.routes.extend(router.routes)
