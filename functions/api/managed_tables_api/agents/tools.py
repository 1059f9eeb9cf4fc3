"""The table of the tools: which routes each calls, what of theirs it takes, and whether it plans first.

The OpenAPI document says what their parameters are. A route that is no tool has its reason in `NO_TOOLS`.
"""

import base64
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from fastapi import FastAPI
from mcp_types import Tool, ToolAnnotations
from pydantic import BaseModel, ConfigDict, Field, JsonValue, create_model

from managed_tables.catalog.exports import ExportFormat
from managed_tables.details import Fault
from managed_tables.documents.statements import UploadMode
from managed_tables.exact_json import for_doubles
from managed_tables_api.agents.desk import MAX_ROWS, Arguments, Desk, fit
from managed_tables_api.agents.writes import (
    CHANGES,
    PlannedWrite,
    RowChange,
    plan_confirmation,
    plan_first,
    plan_undo,
)
from managed_tables_api.http.requests import refusal
from managed_tables_api.openapi import document_of

_SCHEMAS = "#/components/schemas/"
_REFERENCE = re.compile(rf"{_SCHEMAS}(\w+)")


class ToolArguments(BaseModel):
    """The arguments that are a tool's own; with those of its routes, an unknown one is refused."""

    model_config = ConfigDict(extra="forbid")


class _Write(ToolArguments):
    confirm: str | None = Field(default=None, description="The plan's token; without it nothing is written")


Act = Callable[[Desk, Arguments], Awaitable[Any]]


@dataclass(frozen=True)
class ToolKind:
    """A tool: `takes` are names of its routes' parameters; what they hold is judged by the routes."""

    name: str
    text: str
    operations: tuple[str, ...]
    takes: str
    own: type[ToolArguments] = ToolArguments
    acts: Act | None = None  # otherwise its only route is called
    plans: Callable[[Desk, Arguments], Awaitable[PlannedWrite]] | None = None
    only_reads: bool = False
    keeps_null: bool = False

    async def run(self, desk: Desk, arguments: Any) -> Any:
        """Return what the tool answers; raises ValidationError, CallRefused and ApiError."""
        given = self._model.model_validate(arguments)
        names = given.model_fields_set if self.keeps_null else type(given).model_fields
        asked = {name: getattr(given, name) for name in names}
        if not self.keeps_null:
            asked = {name: value for name, value in asked.items() if value is not None}
        if self.plans is not None:
            token = asked.pop("confirm", None)
            return await plan_first(self.name, await self.plans(desk, asked), asked, desk, token)
        return await (self.acts(desk, asked) if self.acts else desk.call(self.operations[0], asked))

    @cached_property
    def _model(self) -> type[ToolArguments]:
        fields: dict[str, Any] = {
            name: (str, ...) if name.endswith("_id") else (Any, None) for name in self.takes.split()
        }
        return create_model(self.name, __base__=self.own, **fields)

    def listed(self, document: Any) -> Tool:
        """Return the tool as the protocol lists it: what it takes of its routes is as the document has it."""
        schema = self._model.model_json_schema()
        for operation in self.operations:
            known = _parameters(document, operation)
            schema["properties"] |= {name: known[name] for name in self.takes.split() if name in known}
        return Tool(
            name=self.name,
            description=self.text,
            input_schema=_with_definitions(schema, document["components"]["schemas"]),
            annotations=ToolAnnotations(read_only_hint=self.only_reads),
        )


def _parameters(document: Any, operation: str) -> dict[str, Any]:
    """Return the schema of each parameter of an operation, and of each field of its body."""
    operations = [each for methods in document["paths"].values() for each in methods.values()]
    (found,) = (each for each in operations if each["operationId"] == operation)
    known = {each["name"]: each["schema"] for each in found.get("parameters", ())}
    content = found.get("requestBody", {}).get("content", {})
    bodies = [each["schema"] for each in content.values()]
    for body in bodies:
        bodies += body.get("anyOf", ())  # of a body that has several forms
        name = body.get("$ref", "").removeprefix(_SCHEMAS)
        known |= (document["components"]["schemas"][name] if name else body).get("properties", {})
    return known


def _with_definitions(schema: Any, known: Any) -> Any:
    """Return the schema with the definitions that it refers to, and theirs."""
    definitions: dict[str, Any] = schema.setdefault("$defs", {})
    while missing := set(_REFERENCE.findall(json.dumps(schema))) - definitions.keys():
        definitions |= {name: known[name] for name in missing}
    return json.loads(json.dumps(schema).replace(_SCHEMAS, "#/$defs/"))


def list_tools(app: FastAPI) -> list[Tool]:
    """Return the tools as the protocol lists them, made at the first request for them."""
    kept = app.state
    if kept.tools is None:
        document = json.loads(document_of(app))
        kept.tools = [tool.listed(document) for tool in TOOLS.values()]
    return kept.tools  # type: ignore[no-any-return]


async def _list_tables(desk: Desk, asked: Arguments) -> Any:
    page = await desk.call("list_tables", {**asked, "per_page": 100})
    if _shown(page) == len(page["records"]):
        return page
    named = [{**table, "columns": []} for table in page["records"]]  # describe_table has them
    return {**page, "records": named, "truncated": True}


async def _query_rows(desk: Desk, asked: Arguments) -> Any:
    page = await desk.call("query_rows", asked)
    if (shown := _shown(page)) == len(page["records"]):
        return page
    if asked.get("page", 1) == 1:  # otherwise fewer rows a page would be other rows
        page = await desk.call("query_rows", {**asked, "per_page": shown})
    if _shown(page) < len(page["records"]):  # the cursor would go on behind rows that are not shown
        page["next_cursor"] = None
    return {**page, "truncated": True}


def _shown(page: Any) -> int:
    """Return how many of a page's rows an answer holds."""
    return len(fit(for_doubles(page))["records"])  # type: ignore[arg-type]


async def _upload_file(desk: Desk, asked: Arguments) -> Any:
    if "path" in asked:  # the command takes it out, and sends what is there
        raise refusal("path", Fault("NOT_ALLOWED", "é de outro computador: envie content ou content_base64"))
    into: Arguments = {name: asked[name] for name in ("table_id", "mode") if name in asked}
    operation = "upload_existing_table" if "table_id" in asked else "upload_new_table"
    if "size_bytes" in asked:
        file = {name: asked[name] for name in ("name", "size_bytes")}
        return await desk.call(operation, {**into, "files": [file]})
    return await desk.send_file(operation, into, asked["name"], _content(asked))


def _content(asked: Arguments) -> bytes:
    if "content" in asked:
        return str(asked["content"]).encode()
    if "content_base64" not in asked:
        raise refusal("content", Fault("REQUIRED", "obrigatório"))
    try:
        return base64.b64decode(asked["content_base64"], validate=True)
    except ValueError as error:  # binascii.Error, or letters that are not ASCII
        raise refusal("content_base64", Fault("NOT_ALLOWED", "não é base64")) from error


async def _export_table(desk: Desk, asked: Arguments) -> Any:
    if "export_id" in asked:
        return await desk.call("get_export_state", {"export_id": asked["export_id"]})
    return await desk.call("create_export", asked)


class _PageOfRows(ToolArguments):
    per_page: int = Field(default=100, ge=1, le=MAX_ROWS)


class _FileToSend(ToolArguments):
    name: str
    content: str | None = None
    content_base64: str | None = None
    size_bytes: int | None = None
    path: str | None = Field(
        default=None, description="In place of content, of this computer: command only; planned first"
    )
    confirm: str | None = Field(default=None, description="The token of a plan to send a path")
    table_id: str | None = None
    mode: UploadMode | None = None


class _RowsToChange(_Write):
    action: Literal["insert", "update", "delete", "restore"]
    rows: list[dict[str, JsonValue]] | None = Field(default=None, max_length=MAX_ROWS)
    ids: list[str] | None = Field(default=None, max_length=MAX_ROWS)


class _TableToExport(ToolArguments):
    table_id: str | None = None
    export_id: str | None = None
    format: ExportFormat = "csv"


TOOLS = {
    tool.name: tool
    for tool in (
        ToolKind(
            "list_tables",
            "List the company's tables, with their ids.",
            ("list_tables",),
            "search page",
            acts=_list_tables,
            only_reads=True,
        ),
        ToolKind(
            "describe_table",
            "Describe a table: columns with names, labels and types, key, rules, rows, version.",
            ("get_table",),
            "table_id",
            only_reads=True,
        ),
        ToolKind(
            "query_rows",
            "Return rows of a condition, or groups with count, sum, avg, min and max, worked out exactly by"
            " SQL.",
            ("query_rows",),
            "table_id where sort fields group_by aggregates page cursor",
            own=_PageOfRows,
            acts=_query_rows,
            only_reads=True,
        ),
        ToolKind(
            "row_origin",
            "Say which file, sheet and line a row came from, and its cells as they stand there.",
            ("get_row_origin",),
            "table_id row_id",
            only_reads=True,
        ),
        ToolKind(
            "get_job",
            "Return an upload's job: its status, how its files were read, columns, warnings, or its error.",
            ("get_upload_job",),
            "job_id",
            only_reads=True,
        ),
        ToolKind(
            "list_misfits",
            "List the distinct values of a job's files that do not fit their column or break a rule, with"
            " what may be put in their place: `repairs` of confirm_job.",
            ("list_misfits",),
            "job_id column rule kind page",
            only_reads=True,
        ),
        ToolKind(
            "upload_file",
            "Upload a file as a new table, or into one: the answer's job is then read by get_job, and"
            " confirmed. Give `content` (text) or `content_base64`; for a larger file `size_bytes`, to get a"
            " form to post it by.",
            ("upload_new_table", "upload_existing_table"),
            "",
            own=_FileToSend,
            acts=_upload_file,
        ),
        ToolKind(
            "correct_reading",
            "Have a job's files read otherwise: what is stated is fixed, the rest is inferred again.",
            ("reanalyze_upload_job",),
            "job_id tables timezone origin_columns recipe",
            keeps_null=True,  # what is null is detected again
        ),
        ToolKind(
            "confirm_job",
            "Plan, then start, the insertion of a job that waits for confirmation. Columns are as inferred,"
            " and may be empty, or the table's own that they feed (append_plan), unless `columns` says"
            " otherwise. A workbook that comes back (mode merge) is merged by cell: `conflicts` says whose"
            " value stays.",
            ("confirm_upload_job",),
            "job_id display_name columns on_misfit repairs conflicts delete_absent",
            own=_Write,
            plans=plan_confirmation,
        ),
        ToolKind(
            "change_rows",
            "Plan, then do, a change of rows: all of them or none. insert: `rows`. update: `rows` with their"
            " ids, or `where` and `set`. delete: `ids`, or `where`. restore: `ids` of deleted rows. A change"
            " without a condition needs `all`: true.",
            tuple(CHANGES.values()),
            "table_id where set all",
            own=_RowsToChange,
            plans=RowChange.plan,
        ),
        ToolKind(
            "undo_job",
            "Plan, then do, the undoing of an upload: its rows go, and what they replaced comes back. With"
            " `force`, rows that were changed since stay as they are.",
            ("undo_upload_job",),
            "job_id force",
            own=_Write,
            plans=plan_undo,
        ),
        ToolKind(
            "export_table",
            "Start the export of a table to a file, or ask for one that was started: its `url` downloads it.",
            ("create_export", "get_export_state"),
            "dialect where fields for_editing",
            own=_TableToExport,
            acts=_export_table,
        ),
    )
}

# The routes that are no tool, by the reason.
NO_TOOLS: Mapping[str, str] = {
    "a table is made, altered and deleted by a person": (
        "create_table update_table patch_table delete_table restore_column put_contract"
    ),
    "what is remembered of a table's files, and what is right, is decided by a person": (
        "update_recipe delete_recipe dismiss_proposal"
    ),
    "the company's database and its passwords are no agent's": ("provision status get_connection rotate"),
    "a program has its own: a view is how a person likes to see a table, a draft what a review has so far": (
        "list_views create_view get_view update_view delete_view keep_upload_job_draft"
    ),
    "another tool does the same": (
        "list_rows get_row update_row patch_row delete_row upload_form_new_table upload_form_existing_table"
    ),
    "nothing that an agent is asked for needs it yet": (
        "cancel_upload_job preview_upload_job get_rejected_rows get_recipe list_row_history "
        "list_table_history list_trash list_hidden_columns check_rules list_proposals get_contract "
        "list_upload_jobs list_active_upload_jobs list_table_exports list_company_exports"
    ),
}
