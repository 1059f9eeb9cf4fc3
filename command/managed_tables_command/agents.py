"""Serve the deployment's tools to an agent of this computer, by standard input and output.

Each message is one request of its own: a connection that breaks, or a token that expires, is an answer to the
agent, and the next call is as good as the first.
"""

import json
import secrets
import signal
import sys
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import unquote, urlsplit

import anyio
import mcp_types
from anyio.to_thread import run_sync
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError
from mcp.shared.message import SessionMessage

from managed_tables import exact_json
from managed_tables.schema import is_storable
from managed_tables_command.api import FAILURES, Api, Json, Login, Refused, sentence_of

_NAME = "managed-tables"
_ID_DIGITS = 100  # at most, of a request
_PLAN_SECONDS = 600.0  # as the deployment's own plans


def serve(login: Login, folders: Sequence[Path]) -> None:
    """Serve until standard input ends; raises Refused, and httpx.HTTPError where nobody answers.

    Files are sent from the folders, or from the client's roots where none is given.
    """
    told = {"protocolVersion": mcp_types.LATEST_PROTOCOL_VERSION, "capabilities": {}}
    with Api(login) as api:
        greeting = _ask(api, "initialize", told | {"clientInfo": {"name": _NAME, "version": ""}})
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # else Ctrl-C waits for the thread that reads a line
        anyio.run(_serve, api, greeting["instructions"], _Files(folders))


async def _serve(api: Api, instructions: str, files: "_Files") -> None:
    async def list_tools(_context: Any, _params: Any) -> mcp_types.ListToolsResult:
        return mcp_types.ListToolsResult.model_validate(await run_sync(_ask, api, "tools/list", {}))

    async def call_tool(context: Any, params: mcp_types.CallToolRequestParams) -> mcp_types.CallToolResult:
        is_file = params.name == "upload_file" and (params.arguments or {}).get("path")
        if not is_file:
            return await run_sync(_call, api, params)
        allowed = files.folders or await _roots(context.session)
        return await run_sync(_send_file, api, files, allowed, dict(params.arguments or {}))

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
    message = exact_json.loads(line.encode())
    if not is_storable(json.dumps(message, ensure_ascii=False, default=str)):  # the SDK drops such a line
        raise exact_json.InvalidJson("um texto tem metade de um caractere")
    params = message.get("params") if isinstance(message, dict) else None
    if not isinstance(params, dict) or "arguments" not in params:
        return line
    params["arguments"] = exact_json.for_doubles(params["arguments"])
    return exact_json.dumps(message).decode()


def _id_of(line: str) -> str | int | None:
    try:
        message = json.loads(line, parse_int=_short)
    except (ValueError, RecursionError):
        return None
    found = message.get("id") if isinstance(message, dict) else None
    return found if isinstance(found, (str, int)) else None


def _short(digits: str) -> int | str:
    """Return the number; Python reads none of more than 4,300 digits, and no id is so long."""
    return int(digits) if len(digits) < _ID_DIGITS else digits


def _ask(api: Api, method: str, params: Json) -> Json:
    answer = api.call("POST", "/mcp", {"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    if "error" in answer:
        raise Refused(answer["error"]["message"])
    result: Json = answer["result"]
    return result


def _call(api: Api, params: mcp_types.CallToolRequestParams) -> mcp_types.CallToolResult:
    try:
        said = _ask(api, "tools/call", {"name": params.name, "arguments": params.arguments or {}})
        return mcp_types.CallToolResult.model_validate(said)
    except FAILURES as error:
        return _refusal(error)


def _refusal(error: Exception) -> mcp_types.CallToolResult:
    reason = mcp_types.TextContent(text=sentence_of(error))
    return mcp_types.CallToolResult(content=[reason], is_error=True)


async def _roots(session: Any) -> list[Path]:
    """Return the folders that the client has opened to its agent; none where it does not say."""
    capabilities = session.client_params.capabilities if session.client_params else None
    if capabilities is None or capabilities.roots is None:
        return []
    try:
        roots = (await session.list_roots()).roots
    except MCPError:  # under the protocol's newest versions a server asks nothing
        return []
    addresses = [urlsplit(str(root.uri)) for root in roots]
    here = [one for one in addresses if one.scheme == "file" and one.netloc in ("", "localhost")]
    return [Path(unquote(one.path)) for one in here]


@dataclass
class _Files:
    """The folders that were given at the start, and the plans to send a file that wait for their token."""

    folders: Sequence[Path]
    plans: dict[str, tuple[float, object]] = field(default_factory=dict)

    def offer(self, bound: object) -> str:
        token = secrets.token_urlsafe()
        self.plans[token] = (time.monotonic() + _PLAN_SECONDS, bound)
        return token

    def take(self, token: str, bound: object) -> None:
        """Use the plan up; raises Refused where it is spent, late, or of another file."""
        until, planned = self.plans.pop(token, (0.0, None))
        if planned != bound or until < time.monotonic():
            raise Refused("O plano não vale mais: peça outro, e confirme com o seu confirm")


def _send_file(api: Api, files: _Files, folders: Sequence[Path], arguments: Json) -> mcp_types.CallToolResult:
    """Plan to send a file of this computer, or send it: declared to the deployment, and posted from here."""
    given, token = str(arguments.pop("path")), arguments.pop("confirm", None)
    try:
        path = _within(folders, given)
        known = path.stat()
        arguments = {"name": Path(given).name} | arguments | {"size_bytes": known.st_size}
        bound = [str(path), known.st_mtime_ns, arguments]
        if token is None:
            plan = {"rows": None, "examples": [{"path": str(path), **arguments}], "warnings": []}
            return _planned({"plan": plan, "confirm": files.offer(bound)})
        files.take(str(token), bound)
        with path.open("rb") as file:
            said = _ask(api, "tools/call", {"name": "upload_file", "arguments": arguments})
            answer = mcp_types.CallToolResult.model_validate(said)
            if answer.structured_content and not answer.is_error:
                (form,) = answer.structured_content["uploads"]
                api.post_file(form, file)
    except (*FAILURES, RuntimeError) as error:  # a `~` of nobody is one
        return _refusal(error)
    return answer


def _planned(content: Json) -> mcp_types.CallToolResult:
    shown = mcp_types.TextContent(text=json.dumps(content, ensure_ascii=False))
    return mcp_types.CallToolResult(content=[shown], structured_content=content)


def _within(folders: Sequence[Path], given: str) -> Path:
    """Return the file's own path, links followed; raises Refused where it is no file of the folders."""
    path = Path(given.replace("\0", "")).expanduser().resolve()
    if not any(path.is_relative_to(folder.expanduser().resolve()) for folder in folders):
        opened = ", ".join(str(folder) for folder in folders) or "nenhuma"
        raise Refused(f"{given} não está em uma pasta aberta a agentes ({opened}): managed-tables mcp PASTA")
    if not path.is_file():
        raise Refused(f"{given} não é um arquivo")
    return path
