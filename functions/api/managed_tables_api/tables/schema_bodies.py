"""Read bodies that hold a schema: faults in it are INVALID_SCHEMA, naming path and column.

A column's default is a value of its type, and kept as PostgreSQL's text.
"""

import re
from typing import Any

from fastapi import Depends
from pydantic import BaseModel
from starlette.requests import Request

from managed_tables.details import Detail, InvalidValue, detail, shown_text
from managed_tables.errors import INVALID_REQUEST, INVALID_SCHEMA, ApiError
from managed_tables.exact_json import Object, Value
from managed_tables.identifiers import MAX_COLUMNS
from managed_tables.schema import NOW, ColumnType
from managed_tables.values import Parsers, parsers
from managed_tables_api.http.bodies import JsonBody, json_object

_SCHEMA_FIELD = re.compile(r"(?:display_name|columns)(?:\[([0-9]+)\])?(?:\..*)?")


class SchemaBody(JsonBody):
    """The dependency that gives a route its JSON body with columns; raises INVALID_SCHEMA, too."""

    def parse(self, raw: bytes, request: Request) -> BaseModel:
        """Return the body of these bytes, each column's default read by its type."""
        body = json_object(raw)
        read = _with_read_defaults(body, parsers(request.app.state.services.settings.zone))
        try:
            return self.validate(raw, read)
        except ApiError as error:
            if error.kind is not INVALID_REQUEST or not any(map(_in_schema, error.details)):
                raise
            details = [_with_column(body, fault) for fault in error.details]
            raise ApiError(INVALID_SCHEMA, details, error.details_total) from error


def from_schema(model: type[BaseModel]) -> Any:
    """Declare the argument that takes a route's JSON body as this model, which holds columns."""
    return Depends(SchemaBody(model))


def _in_schema(fault: Detail) -> re.Match[str] | None:
    return _SCHEMA_FIELD.fullmatch(fault.get("path", ""))


def _with_column(body: Object, fault: Detail) -> Detail:
    """Return the detail with the name of its column, where it has one."""
    place, columns = _in_schema(fault), body.get("columns")
    if place is None or place[1] is None or not isinstance(columns, list):
        return fault
    name = _name(columns[int(place[1])])
    return fault if name is None else {**fault, "column": name}


def _name(column: Value) -> str | None:
    name = column.get("name") if isinstance(column, dict) else None
    return shown_text(name) if isinstance(name, str) else None


def _with_read_defaults(body: Object, parsers: Parsers) -> Object:
    """Return the body with each column's `default` as text; raises INVALID_SCHEMA naming the wrong ones.

    What else is wrong in the body is left for its model to say.
    """
    columns = body.get("columns")
    if not isinstance(columns, list) or len(columns) > MAX_COLUMNS:
        return body
    faults: list[Detail] = []
    read = [
        _read_column(column, f"columns[{place}]", parsers, faults) for place, column in enumerate(columns)
    ]
    if faults:
        raise ApiError(INVALID_SCHEMA, faults)
    return {**body, "columns": read}


def _read_column(column: Value, path: str, parsers: Parsers, faults: list[Detail]) -> Value:
    if not isinstance(column, dict) or column.get("default") is None:
        return column
    kind = next((known for known in ColumnType if known == column.get("type")), None)
    if kind is None:
        return column
    try:
        return {**column, "default": _read_default(column["default"], kind, parsers)}
    except InvalidValue as error:
        name = _name(column)
        named = {} if name is None else {"column": name}
        faults.append(detail("body", error.fault, path=f"{path}.default", **named))
        return column


def _read_default(value: Value, kind: ColumnType, parsers: Parsers) -> str:
    return NOW if value == NOW and kind.is_time else parsers[kind](value)
