"""The defaults of columns in a request: values of the column's type, kept as PostgreSQL's text."""

from typing import Any, TypeGuard

from managed_tables.details import Detail, InvalidValue, detail, shown_text
from managed_tables.errors import INVALID_SCHEMA, ApiError
from managed_tables.identifiers import MAX_COLUMNS
from managed_tables.schema import NOW, NOW_TYPES, ColumnType
from managed_tables.values import Parsers


def with_read_defaults(body: dict[str, Any], parsers: Parsers) -> dict[str, Any]:
    """Return the body with each column's `default` as text; raises INVALID_SCHEMA naming the wrong ones.

    What else is wrong in the body is left for its model to say.
    """
    columns = body.get("columns")
    if not isinstance(columns, list) or len(columns) > MAX_COLUMNS or not any(map(_has_default, columns)):
        return body
    faults: list[Detail] = []
    read = [
        _read_column(column, f"columns[{place}]", parsers, faults) for place, column in enumerate(columns)
    ]
    if faults:
        raise ApiError(INVALID_SCHEMA, faults)
    return {**body, "columns": read}


def _read_column(column: Any, path: str, parsers: Parsers, faults: list[Detail]) -> Any:
    if not _has_default(column):
        return column
    try:
        return {**column, "default": _read_default(column["default"], ColumnType(column["type"]), parsers)}
    except InvalidValue as error:
        name = column.get("name")
        named = {"column": shown_text(name)} if isinstance(name, str) else {}
        faults.append(detail("body", error.fault, path=f"{path}.default", **named))
        return column


def _has_default(column: Any) -> TypeGuard[dict[str, Any]]:
    """Return whether there is a default to read, and a type by which to read it."""
    if not isinstance(column, dict) or column.get("default") is None:
        return False
    return column.get("type") in list(ColumnType)  # whatever JSON it is: a set would want it hashable


def _read_default(value: Any, column_type: ColumnType, parsers: Parsers) -> str:
    if value == NOW and column_type in NOW_TYPES:
        return NOW
    return parsers[column_type](value)
