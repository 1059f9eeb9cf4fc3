"""Make the app as an ASGI server runs it: `uvicorn --factory managed_tables_api.server:make_app`."""

from fastapi import FastAPI

from managed_tables.settings import load_settings
from managed_tables_api.app import create_app
from managed_tables_api.services import ApiServices


def make_app() -> FastAPI:
    """Return the app on the services of this process's environment."""
    return create_app(ApiServices(load_settings()))
