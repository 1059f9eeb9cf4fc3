"""Serve the deployment's tools to an agent of this computer, by standard input and output.

Each message is one request of its own: a connection that breaks, or a token that expires, is an answer to the
agent, and the next call is as good as the first.
"""

import json
import signal
import sys
from collections.abc import AsyncIterator
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any, cast

import anyio
import mcp_types
from anyio.to_thread import run_sync
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.shared.message import SessionMessage

from managed_tables import exact_json
from managed_tables_command.api import FAILURES, Api, Json, Login, Refused, sentence_of

_NAME = "managed-tables"


def serve(login: Login) -> None:
    """Serve until standard input ends; raises Refused, and httpx.HTTPError where nobody answers."""
    told = {"protocolVersion": mcp_types.LATEST_PROTOCOL_VERSION, "capabilities": {}}
    with Api(login) as api:
        greeting = _ask(api, "initialize", told | {"clientInfo": {"name": _NAME, "version": ""}})
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # else Ctrl-C waits for the thread that reads a line
        anyio.run(_serve, api, greeting["instructions"])


async def _serve(api: Api, instructions: str) -> None:
    async def list_tools(_context: Any, _params: Any) -> mcp_types.ListToolsResult:
        return mcp_types.ListToolsResult.model_validate(await run_sync(_ask, api, "tools/list", {}))

    async def call_tool(_context: Any, params: mcp_types.CallToolRequestParams) -> mcp_types.CallToolResult:
        return await run_sync(_call, api, params)

    server: Server[Any] = Server(
        _NAME, instructions=instructions, on_list_tools=list_tools, on_call_tool=call_tool
    )
    lines = _ExactLines(TextIOWrapper(sys.stdin.buffer, encoding="utf-8", errors="replace"))
    async with stdio_server(stdin=cast("Any", lines)) as (read, write):  # it only iterates
        lines.refusals = write
        await server.run(read, write, server.create_initialization_options())


class _ExactLines:
    """The lines of standard input with arguments as they stand there: the SDK reads numbers as doubles."""

    refusals: Any = None  # where an answer goes

    def __init__(self, lines: IO[str]) -> None:
        self._lines = anyio.wrap_file(lines)

    async def __aiter__(self) -> AsyncIterator[str]:
        """Yield each line; one whose arguments are not read exactly is refused here."""
        async for line in self._lines:
            try:
                yield _exact_line(line)
            except exact_json.InvalidJson as error:
                if (message_id := _id_of(line)) is None:
                    yield line  # no request: the SDK passes it over
                    continue
                fault = mcp_types.ErrorData(code=mcp_types.INVALID_PARAMS, message=str(error))
                refusal = mcp_types.JSONRPCError(jsonrpc="2.0", id=message_id, error=fault)
                await self.refusals.send(SessionMessage(refusal))


def _exact_line(line: str) -> str:
    """Return the line with arguments of which a double holds every number; raises InvalidJson."""
    message = exact_json.loads(line.encode("utf-8", "surrogatepass"))
    params = message.get("params") if isinstance(message, dict) else None
    if not isinstance(params, dict) or "arguments" not in params:
        return line
    params["arguments"] = exact_json.for_doubles(params["arguments"])
    return exact_json.dumps(message).decode()


def _id_of(line: str) -> str | int | None:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    found = message.get("id") if isinstance(message, dict) else None
    return found if isinstance(found, (str, int)) else None


def _ask(api: Api, method: str, params: Json) -> Json:
    answer = api.call("POST", "/mcp", {"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    if "error" in answer:
        raise Refused(answer["error"]["message"])
    result: Json = answer["result"]
    return result


def _call(api: Api, params: mcp_types.CallToolRequestParams) -> mcp_types.CallToolResult:
    """Call the tool; a file that is named by its path is declared, and sent from here."""
    arguments = dict(params.arguments or {})
    given = str(arguments.pop("path", None) or "") if params.name == "upload_file" else ""
    try:
        path = Path(given).expanduser()
        if given:
            arguments = {"name": path.name} | arguments | {"size_bytes": path.stat().st_size}
        said = _ask(api, "tools/call", {"name": params.name, "arguments": arguments})
        answer = mcp_types.CallToolResult.model_validate(said)
        if given and answer.structured_content and not answer.is_error:
            (form,) = answer.structured_content["uploads"]
            with path.open("rb") as file:
                api.post_file(form, file)
    except (*FAILURES, RuntimeError) as error:  # a `~` of nobody is one
        reason = mcp_types.TextContent(text=sentence_of(error))
        return mcp_types.CallToolResult(content=[reason], is_error=True)
    return answer
