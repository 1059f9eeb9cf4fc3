"""Define the tools once: what each takes, what it says of itself, and the routes that it calls.

A request of the Model Context Protocol is answered by the official SDK, without a session.
"""

import base64
import re
from collections.abc import Sequence
from contextlib import ExitStack
from functools import cache
from typing import Any, Literal, TypedDict

import anyio
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp_types import CallToolRequestParams, CallToolResult, ListToolsResult, Tool, ToolAnnotations
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from managed_tables.details import Fault
from managed_tables.errors import JOB_NOT_WAITING, ApiError
from managed_tables.exact_json import digest, for_doubles
from managed_tables.ids import is_record_id, is_uuid
from managed_tables_api.agents.desk import DATA_NOTE, MAX_ROWS, CallRefused, Desk, as_result, fit
from managed_tables_api.auth import Caller
from managed_tables_api.http.answers import error_body, say
from managed_tables_api.http.requests import json_object, refusal, refusal_of

_EXAMPLES = 5
_INFERRED = ("name", "display_name", "type")

_INSTRUCTIONS = (
    "Tables of one company. Writes are planned first: show the plan to the person, then repeat the call with "
    f"its `confirm`. {DATA_NOTE}"
)


class Plan(TypedDict):
    """What a write would do: to how many rows, some of them, and what to think of before."""

    rows: int
    examples: Sequence[object]
    warnings: list[str]


class Undo(TypedDict):
    """The call of a tool that takes a write back."""

    tool: str
    arguments: dict[str, JsonValue]


class ToolCall(BaseModel):
    """A call of a tool: its arguments, of which an unknown one is refused."""

    model_config = ConfigDict(extra="forbid")

    async def _act(self, desk: Desk) -> Any:
        """Return what the tool answers; raises CallRefused and ApiError."""
        raise NotImplementedError

    def _given(self, *without: str, only: tuple[str, ...] | None = None) -> dict[str, JsonValue]:
        """Return the arguments that were given; a null within them is a value."""
        names = only or [name for name in type(self).model_fields if name not in without]
        return {name: value for name in names if (value := getattr(self, name)) is not None}


class _Write(ToolCall):
    confirm: str | None = Field(default=None, description="The plan's token; without it nothing is written")

    async def _offered(self, desk: Desk, plan: Plan, state: list[JsonValue]) -> Any:
        """Return the plan with its token; None where one was given for the same: then it is to be done."""
        bound = [
            type(self).__name__,
            self.model_dump(exclude={"confirm"}),
            state,
            plan["rows"],
            digest(plan["examples"]),
        ]
        if self.confirm is not None:
            await run_in_threadpool(desk.plans.take, self.confirm, bound)
            return None
        plan["warnings"] = [say(warning) for warning in plan["warnings"]]
        return {"plan": plan, "confirm": await run_in_threadpool(desk.plans.offer, bound)}


class ListTables(ToolCall):
    """List the company's tables, with their ids."""

    search: str | None = None
    page: int = 1

    async def _act(self, desk: Desk) -> Any:
        page = await desk.call("GET", "", page=self.page, per_page=100, search=self.search)
        if _shown(page) == len(page["records"]):
            return page
        named = [{**table, "columns": []} for table in page["records"]]  # describe_table has them
        return {**page, "records": named, "truncated": True}


class DescribeTable(ToolCall):
    """Describe a table: columns with names, labels and types, key, rules, rows, version."""

    table_id: str

    async def _act(self, desk: Desk) -> Any:
        return await desk.call("GET", _path(self.table_id))


class QueryRows(ToolCall):
    """Return rows of a condition, or groups with count, sum, avg, min and max, worked out exactly by SQL.

    `where`: {"and": [...]}, {"or": [...]}, {"not": ...}, {"column", "op", "value"} or {"rule", "op":
    "breaks"}; op: eq ne gt gte lt lte in nin contains not_contains starts_with ends_with is_null.
    `aggregates`: [{"fn", "column", "as"}].
    """

    table_id: str
    where: dict[str, JsonValue] | None = None
    sort: list[Any] | None = Field(default=None, description='["a", "-b"]')
    fields: list[str] | None = None
    group_by: list[str] | None = None
    aggregates: list[dict[str, JsonValue]] | None = None
    page: int | None = None
    per_page: int = Field(default=100, ge=1, le=MAX_ROWS)
    cursor: str | None = None

    async def _act(self, desk: Desk) -> Any:
        path, asked = f"{_path(self.table_id)}/data/query", self._given("table_id")
        page = await desk.call("POST", path, asked)
        if (shown := _shown(page)) == len(page["records"]):
            return page
        if self.page in (None, 1):  # otherwise fewer rows a page would be other rows
            page = await desk.call("POST", path, {**asked, "per_page": shown})
        if _shown(page) < len(page["records"]):  # the cursor would go on behind rows that are not shown
            page["next_cursor"] = None
        return {**page, "truncated": True}


def _shown(page: Any) -> int:
    """Return how many of a page's rows an answer holds."""
    return len(fit(for_doubles(page))["records"])  # type: ignore[arg-type]


class RowOrigin(ToolCall):
    """Say which file, sheet and line a row came from, and its cells as they stand there."""

    table_id: str
    row_id: str

    async def _act(self, desk: Desk) -> Any:
        return await desk.call("GET", f"{_path(self.table_id)}/data{_path(self.row_id)}/origin")


class UploadFile(ToolCall):
    """Upload a file as a new table, or into one: the answer's job is then read by get_job, and confirmed.

    Give `content` (text) or `content_base64`; for a larger file `size_bytes`, to get a form to post it by.
    """

    name: str
    content: str | None = None
    content_base64: str | None = None
    size_bytes: int | None = None
    path: str | None = Field(
        default=None, description="In place of content, of this computer: command only; planned first"
    )
    confirm: str | None = Field(default=None, description="The token of a plan to send a path")
    table_id: str | None = None
    mode: Literal["append", "replace", "upsert"] | None = None

    async def _act(self, desk: Desk) -> Any:
        path = "/upload" if self.table_id is None else f"{_path(self.table_id)}/upload"
        if self.size_bytes is not None:
            files = [{"name": self.name, "size_bytes": self.size_bytes}]
            return await desk.call("POST", path, {"files": files, **self._given(only=("mode",))})
        return await desk.send_file(path, self.name, self._content(), self.mode)

    def _content(self) -> bytes:
        if self.content is not None:
            return self.content.encode()
        try:
            return base64.b64decode(self.content_base64 or "", validate=True)
        except ValueError as error:  # binascii.Error, or letters that are not ASCII
            raise refusal("content_base64", Fault("NOT_ALLOWED", "não é base64")) from error


class GetJob(ToolCall):
    """Return an upload's job: its status, how its files were read, columns, warnings, or its error."""

    job_id: str

    async def _act(self, desk: Desk) -> Any:
        return await desk.call("GET", _job(self.job_id))


class CorrectReading(ToolCall):
    """Have a job's files read otherwise: what is stated is fixed, the rest is inferred again.

    `tables`: [{"file", "sheet", "include", "encoding", "delimiter", "header_line", "skip_lines", ...}].
    """

    job_id: str
    tables: list[dict[str, JsonValue]] | None = None
    timezone: str | None = None
    origin_columns: dict[str, JsonValue] | None = None
    recipe: bool | None = Field(default=None, description="false: as if the table remembered nothing")

    async def _act(self, desk: Desk) -> Any:
        stated = self.model_dump(exclude={"job_id"}, exclude_unset=True)  # a null is detected again
        return await desk.call("POST", f"{_job(self.job_id)}/reanalyze", stated)


class ConfirmJob(_Write):
    """Plan, then start, the insertion of a job that waits for confirmation.

    Columns are as inferred, and may be empty, or the table's own that they feed (append_plan), unless
    `columns` says otherwise (name, display_name, type, nullable, source, ...).
    """

    job_id: str
    display_name: str | None = None
    columns: list[dict[str, JsonValue]] | None = None
    on_misfit: Literal["reject", "skip"] | None = None

    async def _act(self, desk: Desk) -> Any:
        job = await desk.call("GET", _job(self.job_id))
        table_id, append_plan = job["user_table_id"], job["append_plan"] or {"conflicts": []}
        table = await desk.call("GET", _path(table_id)) if table_id else {}
        if (schema := job["inferred_schema"]) is None or job["status"] != "waiting_confirm":
            raise ApiError(JOB_NOT_WAITING)
        plan = Plan(
            rows=schema["total_row_count_estimate"],
            examples=schema["sample_rows"][:_EXAMPLES],
            warnings=[warning["text"] for warning in job["warnings"]],
        )
        for misfits in append_plan["conflicts"]:
            plan["warnings"].append(f"{misfits['count']} valores não cabem na coluna {misfits['column']}")
        if self.on_misfit == "skip":
            _leave_out(plan, [misfits["count"] for misfits in append_plan["conflicts"]], job["checks"])
        name = self.display_name or table.get("display_name") or schema["suggested_table_name"]
        columns = self._columns(schema["columns"], job["append_plan"])
        body = {"display_name": name, "columns": columns, **self._given(only=("on_misfit",))}
        if offer := await self._offered(desk, plan, [job["status"], job["updated_at"], table.get("version")]):
            return offer
        done = await desk.call("POST", f"{_job(self.job_id)}/confirm", body)
        return {"done": done, "undo": Undo(tool="undo_job", arguments={"job_id": self.job_id})}

    def _columns(self, inferred: list[Any], plan: Any) -> list[dict[str, JsonValue]]:
        """Return the columns as stated, else the table's that are fed, or as inferred; new ones take NULL."""
        return self.columns or [
            {**{name: column[name] for name in _INFERRED}, "nullable": True, "source": column["name"], **own}
            for column in inferred
            if (own := column.get("table_column") or {}) or plan is None or column["name"] in plan["new"]
        ]


def _leave_out(plan: Plan, misfits: list[int], checks: list[Any]) -> None:
    """Have a plan say how many rows go in: which have which misfit is known to the load alone."""
    out = misfits + [check["broken"] for check in checks if check["severity"] == "refuse"]
    if any(out):
        least, plan["rows"] = max(0, plan["rows"] - sum(out)), plan["rows"] - max(out)
        plan["warnings"].append(f"De {least} a {plan['rows']} linhas entram: outras têm o que não cabe")


class ChangeRows(_Write):
    """Plan, then do, a change of rows: all of them or none.

    insert: `rows`. update: `rows` with their ids, or `where` and `set`. delete: `ids`, or `where`. restore:
    `ids` of deleted rows. A change without a condition needs `all`: true.
    """

    table_id: str
    action: Literal["insert", "update", "delete", "restore"]
    rows: list[dict[str, JsonValue]] | None = Field(default=None, max_length=MAX_ROWS)
    ids: list[str] | None = Field(default=None, max_length=MAX_ROWS)
    where: dict[str, JsonValue] | None = None
    set: dict[str, JsonValue] | None = None
    all: bool | None = None

    async def _act(self, desk: Desk) -> Any:
        table = await desk.call("GET", _path(self.table_id))
        method, path, body = self._change()
        counted = await desk.rehearse(method, path, body)
        before = await self._rows_before(desk)
        plan = Plan(
            rows=next(iter(counted.values())),
            examples=(before or self.rows or [])[:_EXAMPLES],
            warnings=[] if table["history"] else ["A tabela não guarda histórico: não há volta"],
        )
        if offer := await self._offered(desk, plan, [table["version"], digest(await self._changing(desk))]):
            return offer
        done = await desk.call(method, path, body, **({"return": "ids"} if self.action == "insert" else {}))
        answer = {"done": done, "undo": self._undo_of(done, before)}
        is_cut = fit(for_doubles(answer))["truncated"]  # and so are values, which are not to be written
        return {**answer, "undo": None} if is_cut else answer

    def _change(self) -> tuple[str, str, dict[str, JsonValue]]:
        """Return the call of the API that makes the change."""
        path = f"{_path(self.table_id)}/data"
        body = self._given("table_id", "action", "confirm")
        calls = {
            "insert": ("POST", path),
            "update": ("PATCH", path),
            "delete": ("POST", f"{path}/delete"),
            "restore": ("POST", f"{_path(self.table_id)}/trash/restore"),
        }
        return *calls[self.action], body

    async def _rows_before(self, desk: Desk) -> list[Any]:
        """Return the rows that change as they are now, up to the most that an answer has."""
        if self.action not in ("update", "delete"):
            return []
        ids: list[Any] = [*(self.ids or (row.get("id") for row in self.rows or []))]
        where = {"column": "id", "op": "in", "value": ids} if ids else self.where or {}
        path, body = self._query, {"where": where, "per_page": MAX_ROWS}
        try:
            page = await desk.call("POST", path, body)
        except CallRefused:  # rows too wide for one answer
            page = await desk.call("POST", path, {**body, "per_page": _EXAMPLES})
        return list(page["records"])

    async def _changing(self, desk: Desk) -> list[str]:
        """Return the ids of all rows that a condition means now: as many others are another plan."""
        if self.action not in ("update", "delete") or self.ids or self.rows:
            return []
        asked: dict[str, Any] = {"where": self.where or {}, "fields": ["id"], "per_page": MAX_ROWS}
        ids: list[str] = []
        while True:
            page = await desk.call("POST", self._query, asked)
            ids += (row["id"] for row in page["records"])
            if page["next_cursor"] is None:
                return ids
            asked["cursor"] = page["next_cursor"]

    @property
    def _query(self) -> str:
        return f"{_path(self.table_id)}/data/query"

    def _undo_of(self, done: Any, before: list[Any]) -> Undo | None:
        """Return the call that takes the change back; None where too many rows changed for one."""
        ids = self.ids or [row["id"] for row in before]
        if self.action == "insert":
            return self._call("delete", ids=done["ids"])
        if next(iter(done.values())) != len(ids):  # a row that was there is not to be deleted
            return None
        if self.action in ("delete", "restore"):
            return self._call("delete" if self.action == "restore" else "restore", ids=ids)
        changed = {"id"}.union(*(self.rows or [self.set or {}]))
        rows = [{name: value for name, value in row.items() if name in changed} for row in before]
        return self._call("update", rows=rows)

    def _call(self, action: str, **what: Any) -> Undo:
        return Undo(tool="change_rows", arguments={"table_id": self.table_id, "action": action, **what})


class UndoJob(_Write):
    """Plan, then do, the undoing of an upload: its rows go, and what they replaced comes back."""

    job_id: str
    force: bool = Field(default=False, description="Leave rows that were changed since as they are")

    async def _act(self, desk: Desk) -> Any:
        path, body = f"{_job(self.job_id)}/undo", {"force": self.force}
        job = await desk.call("GET", _job(self.job_id))
        table = await desk.call("GET", _path(job["user_table_id"])) if job.get("user_table_id") else {}
        undone = await desk.rehearse("POST", path, body)
        warnings = ["A tabela que este envio criou será excluída"] if job["mode"] == "create" else []
        plan = Plan(rows=undone["removed"] + undone["restored"], examples=[undone], warnings=warnings)
        if offer := await self._offered(desk, plan, [table.get("version")]):
            return offer
        return {"done": await desk.call("POST", path, body), "undo": None}


class ExportTable(ToolCall):
    """Start the export of a table to a file, or ask for one that was started: its `url` downloads it."""

    table_id: str | None = None
    format: Literal["csv", "xlsx", "parquet", "jsonl"] = "csv"
    dialect: Literal["rfc4180", "excel-br"] | None = None
    where: dict[str, JsonValue] | None = None
    fields: list[str] | None = None
    export_id: str | None = None

    async def _act(self, desk: Desk) -> Any:
        if self.export_id is not None:
            return await desk.call("GET", f"/exports{_path(self.export_id)}")
        body = self._given("table_id", "export_id")
        return await desk.call("POST", f"{_path(self.table_id or '-')}/exports", body)


def _path(part: str) -> str:
    """Return an id as a segment of a path; anything else, as the word of another route, finds nothing."""
    return f"/{part if is_record_id(part) or is_uuid(part) else '-'}"


def _job(job_id: str) -> str:
    return f"/upload-jobs{_path(job_id)}"


_READING = (ListTables, DescribeTable, QueryRows, RowOrigin, GetJob)
_OTHERS = (UploadFile, CorrectReading, ConfirmJob, ChangeRows, UndoJob, ExportTable)
TOOLS = {re.sub(r"(?<=.)([A-Z])", r"_\1", tool.__name__).lower(): tool for tool in (*_READING, *_OTHERS)}


@cache
def _listed() -> list[Tool]:
    """Return the tools as the protocol lists them: their schemas take longer to make than to send."""
    return [
        Tool(
            name=name,
            description=tool.__doc__,
            input_schema=tool.model_json_schema(),
            annotations=ToolAnnotations(read_only_hint=tool in _READING),
        )
        for name, tool in TOOLS.items()
    ]


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

        async def list_tools(_context: Any, _params: Any) -> ListToolsResult:
            return ListToolsResult(tools=_listed())

        async def call_tool(_context: Any, params: CallToolRequestParams) -> CallToolResult:
            return await answer(desk, params, self._body)

        return Server(
            "managed-tables", instructions=_INSTRUCTIONS, on_list_tools=list_tools, on_call_tool=call_tool
        )


async def answer(desk: Desk, params: CallToolRequestParams, body: bytes) -> CallToolResult:
    """Return what the tool answers; a refusal is an answer, too."""
    tool = TOOLS.get(params.name)
    if tool is None:
        error = say(f"Não há a ferramenta {params.name}")
        return as_result({"code": "UNKNOWN_TOOL", "error": error}, is_error=True)
    try:
        given = for_doubles(json_object(body)["params"])  # the SDK has read its numbers as doubles
        return as_result(await tool.model_validate(given.get("arguments") or {})._act(desk))
    except ValidationError as error:
        return as_result(error_body(refusal_of("body", error.errors())), is_error=True)
    except CallRefused as refused:
        return as_result(refused.body, is_error=True)
    except ApiError as error:
        return as_result(error_body(error), is_error=True)
