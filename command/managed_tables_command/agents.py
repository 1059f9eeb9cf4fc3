"""Serve the deployment's tools to an agent of this computer, by standard input and output.

Each message is one request of its own: a connection that breaks, or a token that expires, is an answer to the
agent, and the next call is as good as the first.
"""

import signal
from pathlib import Path
from typing import Any

import anyio
import mcp_types
from anyio.to_thread import run_sync
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server

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
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


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
