"""Write the numbers of data as text (`numbers=string`), since browsers round them; counts stay numbers."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any


def error_with_text_numbers(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return an error's body with the row that has changed, and the values of details, as text."""
    changed = dict(body)
    if "row" in body:
        changed["row"] = _text(body["row"])
    if "details" in body:
        changed["details"] = [_with_value(one) for one in body["details"]]
    return changed


def with_text_numbers(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the job's answer with every integer and decimal of its data as text."""
    changed = dict(answer)
    if answer.get("inferred_schema"):
        changed["inferred_schema"] = _schema(answer["inferred_schema"])
    if answer.get("error"):
        details = [_with_value(one) for one in answer["error"]["details"]]
        changed["error"] = {**answer["error"], "details": details}
    return changed


def _schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    rows = [{name: _text(value) for name, value in row.items()} for row in schema["sample_rows"]]
    columns = [
        {**column, "profile": _profile(column["profile"])} if column.get("profile") else column
        for column in schema["columns"]
    ]
    return {**schema, "sample_rows": rows, "columns": columns}


def _profile(profile: Mapping[str, Any]) -> dict[str, Any]:
    """Return the profile with its values as text; each entry of `top` and `histogram` ends with a count."""
    return {
        **profile,
        **{name: _text(profile[name]) for name in ("min", "max") if name in profile},
        **{
            name: [[*map(_text, values), count] for *values, count in profile[name]]
            for name in ("top", "histogram")
            if profile.get(name)
        },
    }


def _with_value(detail: Mapping[str, Any]) -> dict[str, Any]:
    return {**detail, "value": _text(detail["value"])} if "value" in detail else dict(detail)


def _text(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _text(one) for name, one in value.items()}
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return value
    return format(value, "f") if isinstance(value, Decimal) else str(value)
