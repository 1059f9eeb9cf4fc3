"""Serve the deployment's tools to an agent of this computer, by standard input and output."""

from pathlib import Path
from typing import Any

import anyio
import httpx2
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp_types import CallToolRequestParams, CallToolResult, ListToolsResult

from managed_tables import API_PREFIX
from managed_tables_command.api import TIMEOUT_SECONDS, Api, Json, Login


def serve(login: Login) -> None:
    """Serve until standard input ends."""
    anyio.run(_serve, login)


async def _serve(login: Login) -> None:
    headers = {"Authorization": f"Bearer {login.token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=TIMEOUT_SECONDS) as http,
        Client(streamable_http_client(f"{login.url}{API_PREFIX}/mcp", http_client=http)) as api,
    ):

        async def list_tools(_context: Any, _params: Any) -> ListToolsResult:
            return await api.list_tools()

        async def call_tool(_context: Any, params: CallToolRequestParams) -> CallToolResult:
            return await _call(api, login, params)

        server: Server[Any] = Server(
            "managed-tables", instructions=api.instructions, on_list_tools=list_tools, on_call_tool=call_tool
        )
        async with stdio_server() as (read, write):
            await server.run(read, write, server.create_initialization_options())


async def _call(api: Client, login: Login, params: CallToolRequestParams) -> CallToolResult:
    """Call the tool; a file that is named by its path is declared, and sent from here."""
    arguments = dict(params.arguments or {})
    path = Path(arguments.pop("path")) if params.name == "upload_file" and arguments.get("path") else None
    if path is not None:
        arguments["size_bytes"] = path.stat().st_size
    answer = await api.call_tool(params.name, arguments)
    if path is not None and not answer.is_error:
        (form,) = answer.structured_content["uploads"]
        await anyio.to_thread.run_sync(_send, login, form, path)
    return answer


def _send(login: Login, form: Json, path: Path) -> None:
    with Api(login) as api, path.open("rb") as file:
        api.post_file(form, file)
