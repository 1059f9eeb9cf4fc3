"""Owns bodies that hold a schema: what is wrong in it is INVALID_SCHEMA, naming index and column."""

from typing import Any, TypeVar

from pydantic import BaseModel

from managed_tables.errors import INVALID_REQUEST, INVALID_SCHEMA, ApiError, Detail
from managed_tables_api.calls import Call

Model = TypeVar("Model", bound=BaseModel)

_SCHEMA_FIELDS = frozenset({"display_name", "columns"})


def schema_body(call: Call, model: type[Model]) -> Model:
    """Return the JSON body as a model; raises what `Call.body` does, and INVALID_SCHEMA.

    `details` of a wrong column are `{"index", "column", "reason"}`, as those of every schema's fault.
    """
    body = call.json_object()
    try:
        return call.body(model)
    except ApiError as error:
        fields = [str(detail.get("campo", "")).split(".") for detail in error.details]
        if error.kind is not INVALID_REQUEST or not any(path[0] in _SCHEMA_FIELDS for path in fields):
            raise
        details = [
            _detail(body, path, detail["reason"]) for path, detail in zip(fields, error.details, strict=True)
        ]
        first = error.details[0]
        reason = f"{first['campo']}: {first['reason']}"
        raise ApiError(INVALID_SCHEMA, details, reason=reason) from error


def _detail(body: dict[str, Any], path: list[str], reason: str) -> Detail:
    if path[0] != "columns" or len(path) < 2:
        return {"field": ".".join(path), "reason": reason}
    index = int(path[1])
    column = body["columns"][index]
    name = column.get("name") if isinstance(column, dict) else None
    shown = name[:200] if isinstance(name, str) else None
    return {"index": index, "column": shown, "reason": ": ".join([".".join(path[2:]), reason]).lstrip(": ")}
