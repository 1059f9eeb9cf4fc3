"""What a tool works with: the API's own routes as its caller sees them, and the caller's plans.

Permissions, validation and errors are the routes'. A plan binds a write to what its caller has seen: a signed
token, good for ten minutes and one use.
"""

import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

import httpx2
from fastapi import FastAPI

from managed_tables import API_PREFIX, exact_json
from managed_tables.catalog.items import ConditionFailed
from managed_tables.catalog.keys import plan_key
from managed_tables.databases.rehearsing import rehearsal
from managed_tables.errors import PLAN_NOT_CONFIRMED, ApiError
from managed_tables_api.auth.tokens import Caller
from managed_tables_api.services import ApiServices


class CallRefused(Exception):  # noqa: N818 - an outcome, not a fault
    """The route refused the call; `body` is its error."""

    def __init__(self, body: exact_json.Object) -> None:
        self.body = body
        super().__init__(body.get("code"))


class OwnApi:
    """The API as the caller of one request sees it."""

    def __init__(self, app: FastAPI, authorization: str) -> None:
        transport = httpx2.ASGITransport(app=app)
        headers = {"Authorization": authorization}
        self._client = httpx2.AsyncClient(transport=transport, base_url="http://api", headers=headers)

    async def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Return the answer's JSON with exact numbers; raises CallRefused."""
        content = None if body is None else exact_json.dumps(body)
        params = {name: value for name, value in query.items() if value is not None}
        return _answer(await self._client.request(method, API_PREFIX + path, content=content, params=params))

    async def send_file(self, path: str, name: str, content: bytes, mode: str | None) -> Any:
        """Upload one file by a form; raises CallRefused."""
        data = {"mode": mode} if mode else {}
        return _answer(
            await self._client.post(API_PREFIX + path, data=data, files={"files": (name, content)})
        )

    async def rehearse(self, method: str, path: str, body: Any) -> Any:
        """Return what the call would answer; it is rolled back. Only for routes that write rows alone."""
        with rehearsal():
            return await self.call(method, path, body)


def _answer(response: httpx2.Response) -> Any:
    content = exact_json.loads(response.content) if response.content else None
    if response.is_error:
        raise CallRefused(dict(content or {}))
    return content


LIFE_SECONDS = 600


class Plans:
    """The plans of one caller."""

    def __init__(self, services: ApiServices, caller: Caller) -> None:
        self._services, self._caller = services, caller

    def offer(self, bound: Any) -> str:
        """Return a token for what the plan is bound to: tool, arguments, versions, rows."""
        name = f"{int(time.time()) + LIFE_SECONDS}.{secrets.token_hex(12)}"
        return f"{name}.{self._sign(name, bound)}"

    def take(self, token: str, bound: Any) -> None:
        """Use the token up; raises PLAN_NOT_CONFIRMED where it is spent, late, or of another plan."""
        name, _, signature = token.rpartition(".")
        until = name.partition(".")[0]
        is_ours = hmac.compare_digest(self._sign(name, bound).encode(), signature.encode())
        if not is_ours or int(until) < time.time():
            raise ApiError(PLAN_NOT_CONFIRMED)
        key = plan_key(self._caller.company_id, name)
        try:
            self._services.items.put({**key, "ttl": int(until)}, "attribute_not_exists(pk)")
        except ConditionFailed as error:
            raise ApiError(PLAN_NOT_CONFIRMED) from error

    def _sign(self, name: str, bound: Any) -> str:
        caller = [self._caller.company_id, self._caller.user_id]
        text = json.dumps([name, caller, bound], sort_keys=True, default=str)
        secret = f"plans:{self._services.app_secret.database_master_secret}"
        return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class Desk:
    """What a tool works with."""

    api: OwnApi
    plans: Plans
