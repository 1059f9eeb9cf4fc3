"""Call the API's own routes in this process: permissions, validation and errors are theirs."""

from typing import Any

import httpx2
from fastapi import FastAPI

from managed_tables import exact_json
from managed_tables.databases.rehearsing import rehearsal

PREFIX = "/v1/managed-tables"


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
        return _answer(await self._client.request(method, PREFIX + path, content=content, params=params))

    async def send_file(self, path: str, name: str, content: bytes, mode: str | None) -> Any:
        """Upload one file by a form; raises CallRefused."""
        data = {"mode": mode} if mode else {}
        return _answer(await self._client.post(PREFIX + path, data=data, files={"files": (name, content)}))

    async def rehearse(self, method: str, path: str, body: Any) -> Any:
        """Return what the call would answer; it is rolled back. Only for routes that write rows alone."""
        with rehearsal():
            return await self.call(method, path, body)


def _answer(response: httpx2.Response) -> Any:
    found = exact_json.loads(response.content) if response.content else None
    if response.is_error:
        raise CallRefused(dict(found or {}))
    return found
