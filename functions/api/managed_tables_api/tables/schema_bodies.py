"""Read bodies that hold a schema: faults in it are INVALID_SCHEMA, naming path and column."""

import re
from typing import Any

from fastapi import Depends
from pydantic import BaseModel
from starlette.requests import Request

from managed_tables.details import Detail, shown_text
from managed_tables.errors import INVALID_REQUEST, INVALID_SCHEMA, ApiError
from managed_tables.values import parsers
from managed_tables_api.http.bodies import JsonBody, json_object
from managed_tables_api.tables.defaults import with_read_defaults

_SCHEMA_FIELD = re.compile(r"(?:display_name|columns)(?:\[([0-9]+)\])?(?:\..*)?")


class SchemaBody(JsonBody):
    """The dependency that gives a route its JSON body with columns; raises INVALID_SCHEMA, too."""

    def parse(self, raw: bytes, request: Request) -> BaseModel:
        """Return the body of these bytes, each column's default read by its type."""
        body = json_object(raw)
        read = with_read_defaults(body, parsers(request.app.state.services.settings.zone))
        try:
            return self.validate(raw, read)
        except ApiError as error:
            if error.kind is not INVALID_REQUEST or not any(map(_in_schema, error.details)):
                raise
            details = [_with_column(body, found) for found in error.details]
            raise ApiError(INVALID_SCHEMA, details, error.details_total) from error


def from_schema(model: type[BaseModel]) -> Any:
    """Declare the argument that takes a route's JSON body as this model, which holds columns."""
    return Depends(SchemaBody(model))


def _in_schema(found: Detail) -> re.Match[str] | None:
    return _SCHEMA_FIELD.fullmatch(found.get("path", ""))


def _with_column(body: dict[str, Any], found: Detail) -> Detail:
    """Return the detail with the name of its column, where it has one."""
    place = _in_schema(found)
    if place is None or place[1] is None:
        return found
    column = body["columns"][int(place[1])]
    name = column.get("name") if isinstance(column, dict) else None
    return {**found, "column": shown_text(name)} if isinstance(name, str) else found
