"""Build the OpenAPI document: FastAPI's, with each route's permission and the schemas of its body."""

import json
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from managed_tables_api.auth.permissions import ALL_PERMISSIONS
from managed_tables_api.http.routing import ApiRoute
from managed_tables_api.openapi.described_routes import described

VERSION = "1.0.0"  # of the contract, not of a release
TAGS = ("Provisioning", "Tables CRUD", "File upload", "Data CRUD", "Exports", "Reading by other products")
DESCRIPTION = (
    "Tabelas PostgreSQL de cada empresa: criadas à mão ou a partir de arquivos CSV, Excel e ZIP, com CRUD "
    "de linhas. Números JSON são exatos nos dois sentidos. Todo erro tem a mesma forma: `error` (frase em "
    "português), `code` (estável) e, quando ajuda, `details`."
)
TOKEN_DESCRIPTION = (
    "JWT com `sub` e `company_id` (24 dígitos hexadecimais), `permissions` e `exp`. "
    f"`{ALL_PERMISSIONS}` concede todas as permissões."
)

_UNUSED_SCHEMAS = ("HTTPValidationError", "ValidationError")  # FastAPI's own error shape: never answered

Document = dict[str, Any]


def build_document(app: FastAPI) -> Document:
    """Return the OpenAPI 3.1 document of the app's documented routes."""
    own = [route for route in app.routes if isinstance(route, ApiRoute)]
    documented = [(route, route.documentation) for route in own if route.documentation]
    document = get_openapi(
        title="Managed Tables API",
        version=VERSION,
        openapi_version="3.1.0",
        description=DESCRIPTION,
        routes=[described(route, documentation) for route, documentation in documented],
        tags=[{"name": name} for name in TAGS],
        # Relative to where the document is served, so that it holds behind any stage and host.
        servers=[{"url": "../.."}],
    )
    components = document.setdefault("components", {})
    components["securitySchemes"] = {
        "bearerAuth": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": TOKEN_DESCRIPTION,
        }
    }
    for route, _ in documented:
        for method in route.methods or ():
            operation = document["paths"][route.path][method.lower()]
            # PATCH and PUT may share a function; an id belongs to one operation.
            is_patch = method == "PATCH"
            operation["operationId"] = route.name.replace("update", "patch") if is_patch else route.name
            _complete(operation, route, components["schemas"])
    for name in _UNUSED_SCHEMAS:
        components["schemas"].pop(name, None)
    return document


def _complete(operation: Document, route: ApiRoute, schemas: Document) -> None:
    permission = route.permission
    if permission is None:
        raise ValueError(f"{route.path} declares no permission")
    operation["security"] = [{"bearerAuth": []}]
    operation["x-permission"] = permission.value
    description = operation.get("description", "")
    operation["description"] = f"{description}\n\nPermissão: `{permission}`".strip()
    if "HTTPValidationError" in json.dumps(operation["responses"].get("422", {})):
        del operation["responses"]["422"]
    for media in operation.get("requestBody", {}).get("content", {}).values():
        for name, schema in media["schema"].pop("$defs", {}).items():
            if schemas.setdefault(name, schema) != schema:
                raise ValueError(f"two schemas are called {name}")


def operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    """Yield path, method and operation of everything in the document."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation
