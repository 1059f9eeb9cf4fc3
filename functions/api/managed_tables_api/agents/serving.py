"""Answer a request of the Model Context Protocol by the official SDK, without a session."""

from contextlib import ExitStack
from typing import Any

import anyio
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp_types import CallToolRequestParams, CallToolResult, ListToolsResult
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from managed_tables.errors import ApiError
from managed_tables.exact_json import for_doubles
from managed_tables_api.agents.desk import DATA_NOTE, CallRefused, Desk, as_result
from managed_tables_api.agents.tools import TOOLS, list_tools
from managed_tables_api.auth import Caller
from managed_tables_api.http.answers import error_body, say
from managed_tables_api.http.requests import json_object, refusal_of

_INSTRUCTIONS = (
    "Tables of one company. Writes are planned first: show the plan to the person, then repeat the call with "
    f"its `confirm`. {DATA_NOTE}"
)


class AgentAnswer(Response):
    """The SDK's answer to a request whose body has been received."""

    def __init__(self, request: Request, body: bytes, caller: Caller, held: ExitStack) -> None:
        super().__init__()
        self._request, self._body, self._caller, self._held = request, body, caller, held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - is received
        """Let the SDK answer; what is held for the request is given back with its end."""
        bodies = iter([self._body])

        async def replay() -> Message:
            for body in bodies:
                return {"type": "http.request", "body": body, "more_body": False}
            await anyio.sleep_forever()
            raise AssertionError("unreachable")

        manager = StreamableHTTPSessionManager(
            self._server(), json_response=True, stateless=True, max_request_body_size=len(self._body) + 1
        )
        with self._held:
            async with manager.run():
                await manager.handle_request(scope, replay, send)

    def _server(self) -> Server[Any]:
        desk = Desk(self._request.app, self._request.headers["authorization"], self._caller)

        async def list_all(_context: Any, _params: Any) -> ListToolsResult:
            return ListToolsResult(tools=await run_in_threadpool(list_tools, self._request.app))

        async def call_tool(_context: Any, params: CallToolRequestParams) -> CallToolResult:
            return await answer(desk, params, self._body)

        return Server(
            "managed-tables", instructions=_INSTRUCTIONS, on_list_tools=list_all, on_call_tool=call_tool
        )


async def answer(desk: Desk, params: CallToolRequestParams, body: bytes) -> CallToolResult:
    """Return what the tool answers; a refusal is an answer, too."""
    tool = TOOLS.get(params.name)
    if tool is None:
        error = say(f"Não há a ferramenta {params.name}")
        return as_result({"code": "UNKNOWN_TOOL", "error": error}, is_error=True)
    try:
        given = for_doubles(json_object(body)["params"])  # the SDK has read its numbers as doubles
        return as_result(await tool.run(desk, given.get("arguments") or {}))
    except ValidationError as error:
        return as_result(error_body(refusal_of("body", error.errors())), is_error=True)
    except CallRefused as refused:
        return as_result(refused.body, is_error=True)
    except ApiError as error:
        return as_result(error_body(error), is_error=True)
