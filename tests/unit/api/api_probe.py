"""Shared by the tests of the app: a token factory, and routes that return what they receive."""

import time
from typing import Annotated, Any

import jwt
from pydantic import BaseModel, Field
from starlette.responses import Response

from managed_tables.errors import DATABASE_UNAVAILABLE, TABLE_NOT_FOUND, ApiError
from managed_tables.ids import is_record_id
from managed_tables_api.auth.permissions import Permission
from managed_tables_api.http.answers import JsonAnswer
from managed_tables_api.http.calls import Call, requires
from managed_tables_api.http.routing import ApiRouter
from managed_tables_api.http.validation import Page
from managed_tables_api.openapi.describing import document

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


probe = ApiRouter("/probe")


@probe.get("/caller")
def show_caller(call: Annotated[Call, requires(Permission.LIST)]) -> Response:
    return JsonAnswer({"user": call.caller.user_id, "company": call.company_id})


@probe.get("/fault")
def fail(call: Annotated[Call, requires(Permission.LIST)]) -> Response:
    raise RuntimeError(f"the password of {call.company_id} is hunter2")


@probe.get("/asleep")
def sleep(call: Annotated[Call, requires(Permission.LIST)]) -> Response:  # noqa: ARG001 - what a route takes
    raise ApiError(DATABASE_UNAVAILABLE)


@probe.post("/{table_id}", document("Echo", answers={201: None}, query=ProbeQuery))
def echo(table_id: str, call: Annotated[Call, requires(Permission.CREATE)]) -> Response:
    if not is_record_id(table_id):
        raise ApiError(TABLE_NOT_FOUND)
    query = call.query(ProbeQuery)
    return JsonAnswer({"page": query.page, "body": call.body(ProbeBody).model_dump()}, 201)


@probe.put("/{table_id}")
def echo_exactly(table_id: str, call: Annotated[Call, requires(Permission.UPDATE)]) -> Response:
    return JsonAnswer({table_id: call.json_object()})
