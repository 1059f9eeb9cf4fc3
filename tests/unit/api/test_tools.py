"""The tools of agents: one for each route, or a reason for none; their parameters are the routes'."""

from typing import Any

import pytest
from fastapi import FastAPI
from mcp_types import Tool

from managed_tables_api.agents.desk import operations_of
from managed_tables_api.agents.tools import NO_TOOLS, TOOLS, list_tools
from managed_tables_api.app import create_app
from managed_tables_api.calls import Requires
from managed_tables_api.openapi import build_document
from managed_tables_api.services import ApiServices


@pytest.fixture
def listed(app: FastAPI) -> dict[str, Tool]:
    return {tool.name: tool for tool in list_tools(app)}


def test_every_route_is_a_tools_or_none_for_one_reason(services: ApiServices) -> None:
    """A new route is named there, or this fails."""
    of_tools = [name for tool in TOOLS.values() for name in tool.operations]
    of_none = [name for names in NO_TOOLS.values() for name in names.split()]
    paths = build_document(create_app(services))["paths"].values()
    documented = [operation["operationId"] for path in paths for operation in path.values()]
    assert sorted([*of_tools, *of_none]) == sorted(documented)


def test_a_tool_only_reads_or_plans_first_or_starts_what_is_then_confirmed(app: FastAPI) -> None:
    """Of the routes that write rows or tables, no tool calls one without a plan."""
    routes = operations_of(app)
    for tool in TOOLS.values():
        permissions = {
            call.permission.value.rpartition(":")[2]
            for name in tool.operations
            for call in routes[name].calls
            if isinstance(call, Requires)
        }
        if tool.plans is None:
            assert permissions <= {"list", "data-read", "upload"}, tool.name
        if tool.only_reads:
            assert permissions <= {"list", "data-read"}, tool.name
        assert not (tool.only_reads and tool.plans)


def test_a_tools_parameters_are_as_the_document_has_them(listed: dict[str, Tool]) -> None:
    """With the definitions that they refer to, each in the tool's own schema."""
    schema: Any = listed["query_rows"].input_schema
    assert schema["properties"]["aggregates"]["anyOf"][0]["items"] == {"$ref": "#/$defs/AggregateBody"}
    assert {"ComparisonBody", "Operator", "AggregateBody"} <= schema["$defs"].keys()
    assert schema["properties"]["group_by"]["description"] == "Colunas cujos valores fazem os grupos"
    for tool in TOOLS.values():
        kind: Any = listed[tool.name].input_schema
        assert set(tool.takes.split()) <= kind["properties"].keys()
        assert all("type" in known or "anyOf" in known for known in kind["properties"].values()), tool.name


def test_the_arguments_of_the_tools_are_those_that_clients_know(listed: dict[str, Tool]) -> None:
    known = {
        "list_tables": "search page",
        "describe_table": "table_id",
        "query_rows": "table_id where sort fields group_by aggregates page per_page cursor",
        "row_origin": "table_id row_id",
        "upload_file": "name content content_base64 size_bytes path confirm table_id mode",
        "get_job": "job_id",
        "correct_reading": "job_id tables timezone origin_columns recipe",
        "confirm_job": "job_id display_name columns on_misfit repairs conflicts delete_absent confirm",
        "list_misfits": "job_id column rule kind page",
        "change_rows": "table_id action rows ids where set all confirm",
        "undo_job": "job_id force confirm",
        "export_table": "table_id format dialect where fields for_editing export_id",
    }
    schemas: dict[str, Any] = {name: tool.input_schema for name, tool in listed.items()}
    assert {name: set(schema["properties"]) for name, schema in schemas.items()} == {
        name: set(names.split()) for name, names in known.items()
    }
