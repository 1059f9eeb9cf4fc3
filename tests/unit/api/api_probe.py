"""Shared by the tests of the app: a token factory, and routes that return what they receive."""

import time
from typing import Annotated, Any

import jwt
from fastapi import APIRouter
from pydantic import BaseModel, Field

from managed_tables.errors import DATABASE_UNAVAILABLE, ApiError
from managed_tables_api.auth import Permission
from managed_tables_api.calls import ApiRoute, KnownTable, SignedIn, requires
from managed_tables_api.http.requests import FromJson, FromQuery, Page, json_object_of

SECRET = "a secret that only the tests know, 32 bytes or more"
COMPANY_ID = "5f0000000000000000000001"
USER_ID = "5f0000000000000000000002"


def make_token(*permissions: str, key: Any = SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    """Return a token of the tests' company; a claim given as None is left out."""
    content = {
        "sub": USER_ID,
        "company_id": COMPANY_ID,
        "permissions": list(permissions),
        "exp": int(time.time()) + 600,
        **claims,
    }
    headers = content.pop("headers", None)
    return jwt.encode({k: v for k, v in content.items() if v is not None}, key, algorithm, headers)


def bearer(*permissions: str, **claims: Any) -> dict[str, str]:
    """Return request headers with such a token."""
    return {"Authorization": f"Bearer {make_token(*permissions, **claims)}"}


class ProbeQuery(BaseModel):
    page: Page = 1
    filter: dict[str, dict[str, str]] = Field(default={}, json_schema_extra={"style": "deepObject"})


class ProbeBody(BaseModel):
    name: str
    count: int = Field(default=1, ge=1)


probe = APIRouter(prefix="/probe", route_class=ApiRoute)


@probe.get("/caller", dependencies=requires(Permission.LIST))
def show_caller(caller: SignedIn) -> Any:
    return {"user": caller.user_id, "company": caller.company_id}


@probe.get("/fault", dependencies=requires(Permission.LIST))
def fail(caller: SignedIn) -> Any:
    raise RuntimeError(f"the password of {caller.company_id} is hunter2")


@probe.get("/asleep", dependencies=requires(Permission.LIST))
def sleep() -> Any:
    raise ApiError(DATABASE_UNAVAILABLE)


@probe.post("/{table_id}", status_code=201, dependencies=requires(Permission.CREATE))
def echo(table: KnownTable, query: FromQuery[ProbeQuery], body: FromJson[ProbeBody]) -> Any:
    return {"page": query.page, "body": body.model_dump(), "table": table}


@probe.put("/{name}", dependencies=requires(Permission.UPDATE))
def echo_exactly(name: str, body: Annotated[dict[str, Any], json_object_of(ProbeBody)]) -> Any:
    return {name: body}
