"""Turn a column of JSON values into PostgreSQL's text all at once: a thousand rows cost a few calls.

Anything unusual is left to `managed_tables.values`, value by value, which names the fault.
"""

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from types import NoneType
from typing import Any

from managed_tables.schema import MAX_DECIMAL_DIGITS, ColumnType
from managed_tables.values import is_encodable

_MAX_INTEGER = 2**63 - 1
_DATES = re.compile(r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2},)*")
_MOMENTS = re.compile(r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?Z,)*")

Texts = list[str] | None


def array_elements(kind: ColumnType, values: Sequence[Any]) -> Texts:
    """Return the values as elements of PostgreSQL's text of an array; None where one must be judged alone."""
    types = set(map(type, values))
    if NoneType not in types:
        return _texts(kind, types, values)
    types.discard(NoneType)
    texts = _texts(kind, types, [value for value in values if value is not None])
    if texts is None:
        return None
    given = iter(texts)
    return ["NULL" if value is None else next(given) for value in values]


def _texts(kind: ColumnType, types: set[type], values: Sequence[Any]) -> Texts:
    if not types:
        return []
    taken, convert = _CONVERSIONS[kind]
    return convert(values) if types <= taken else None


def _of_text(values: Sequence[str]) -> Texts:
    joined = "".join(values)
    if "\x00" in joined or not is_encodable(joined):
        return None
    if "\\" in joined or '"' in joined:
        values = [value.replace("\\", "\\\\").replace('"', '\\"') for value in values]
    return [f'"{value}"' for value in values]


def _of_integer(values: Sequence[int]) -> Texts:
    return list(map(str, values)) if min(values) >= -_MAX_INTEGER and max(values) <= _MAX_INTEGER else None


def _of_decimal(values: Sequence[Decimal | int]) -> Texts:
    texts = list(map(str, values))
    plain = not any(letter in "".join(texts) for letter in "ENI")  # an exponent, NaN, Infinity
    return texts if plain and max(map(len, texts)) <= MAX_DECIMAL_DIGITS else None


def _of_boolean(values: Sequence[bool]) -> Texts:
    return ["true" if value else "false" for value in values]


def _of_date(values: Sequence[str]) -> Texts:
    return _in_calendar(_DATES, date.fromisoformat, values)


def _of_datetime(values: Sequence[str]) -> Texts:
    return _in_calendar(_MOMENTS, datetime.fromisoformat, values)


def _in_calendar(pattern: re.Pattern[str], parse: Callable[[str], object], values: Sequence[str]) -> Texts:
    """Return the values as they are, where each has the one form that PostgreSQL takes in any session."""
    if not pattern.fullmatch(",".join(values) + ","):
        return None
    try:
        for value in values:
            parse(value)
    except ValueError:
        return None
    return list(values)


_CONVERSIONS: dict[ColumnType, tuple[set[type], Callable[[Any], Texts]]] = {
    ColumnType.TEXT: ({str}, _of_text),
    ColumnType.INTEGER: ({int}, _of_integer),
    ColumnType.DECIMAL: ({Decimal, int}, _of_decimal),
    ColumnType.BOOLEAN: ({bool}, _of_boolean),
    ColumnType.DATE: ({str}, _of_date),
    ColumnType.DATETIME: ({str}, _of_datetime),
}
