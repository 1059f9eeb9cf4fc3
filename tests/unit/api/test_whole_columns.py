"""A column converted at once gives the same as its values one by one, or is not converted at once."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from managed_tables.details import InvalidValue
from managed_tables.schema import ColumnType
from managed_tables.values import parsers, quoted
from managed_tables_api.rows.parsing import array_elements

PARSERS = parsers(ZoneInfo("UTC"))
ODD = [
    "",
    "\x00",
    "\ud800",
    'a"\\b',
    "2026-01-31,2026-02-01",
    "2026-02-30",
    "20260131",
    "2026-01-31T24:00:00Z",
]
MOMENTS = [
    "2026-01-31T10:30:00.5Z",
    "2026-01-31T10:30:00-03:00",
    "0001-01-01T00:00:00Z",
    "2026-01-31T10:30:60Z",
]
NUMBERS = [2**63, -(2**63), True, Decimal("1E+999"), Decimal("1.50"), Decimal("-0"), Decimal("1" * 1_001)]
VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**65), 2**65)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.dates().map(str)
    | st.datetimes().map(lambda moment: f"{moment.isoformat()}Z")
    | st.sampled_from([*ODD, *MOMENTS, *NUMBERS])
)


def one_by_one(kind: ColumnType, values: list[Any]) -> list[str]:
    quote = quoted if kind is ColumnType.TEXT else str
    return ["NULL" if value is None else quote(PARSERS[kind](value)) for value in values]


def read(kind: ColumnType, elements: list[str]) -> list[Any]:
    """Return the elements as PostgreSQL reads them: an instant may be written in several ways."""
    if kind is not ColumnType.DATETIME:
        return elements
    return [one if one == "NULL" else datetime.fromisoformat(one).astimezone(UTC) for one in elements]


@pytest.mark.parametrize("kind", ColumnType)
@given(values=st.lists(VALUES, max_size=4))
@example(values=["2026-01-31", "2026-02-28"])
@example(values=["2026-01-31T10:30:00Z", None, "2026-01-31T10:30:00.123456Z"])
@example(values=[1, None, Decimal("12.50")])
@example(values=["água", None, 'a"\\b'])
def test_columns_convert_at_once_as_values_one_by_one(kind: ColumnType, values: list[Any]) -> None:
    elements = array_elements(kind, values)
    if elements is not None:
        assert read(kind, elements) == read(kind, one_by_one(kind, values))


@pytest.mark.parametrize("kind", ColumnType)
@given(value=VALUES, place=st.integers(0, 2))
def test_a_column_with_an_invalid_value_is_not_converted_at_once(
    kind: ColumnType, value: Any, place: int
) -> None:
    usual = {"text": "a", "integer": 1, "decimal": Decimal("1.5"), "boolean": True, "date": "2026-01-31"}
    values = [usual.get(kind, "2026-01-31T10:30:00Z")] * 2
    values.insert(place, value)
    try:
        one_by_one(kind, values)
    except InvalidValue:
        assert array_elements(kind, values) is None


def test_ordinary_columns_are_converted_at_once() -> None:
    for kind, value in {
        ColumnType.TEXT: "água",
        ColumnType.INTEGER: 7,
        ColumnType.DECIMAL: Decimal("9" * 30 + ".5"),
        ColumnType.BOOLEAN: False,
        ColumnType.DATE: "2026-01-31",
        ColumnType.DATETIME: "2026-01-31T10:30:00Z",
    }.items():
        assert array_elements(kind, [value, None, value]) is not None, kind
