"""Write the numbers of data as text (`numbers=string`), since browsers round them; counts stay numbers."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from managed_tables.exact_json import Object, Value


def error_with_text_numbers(body: Mapping[str, Any]) -> Object:
    """Return an error's body with the row that has changed, and the values of details, as text."""
    changed = dict(body)
    if "row" in body:
        changed["row"] = as_text(body["row"])
    if "details" in body:
        changed["details"] = [
            {**one, "value": as_text(one["value"])} if "value" in one else one for one in body["details"]
        ]
    return changed


def as_text(value: Any) -> Value:
    """Return a value of data, or the values of a row, with every integer and decimal as text."""
    if isinstance(value, Mapping):
        return {name: as_text(one) for name, one in value.items()}
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        unchanged: Value = value
        return unchanged
    return format(value, "f") if isinstance(value, Decimal) else str(value)
