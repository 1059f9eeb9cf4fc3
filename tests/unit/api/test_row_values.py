"""How a JSON value becomes PostgreSQL's text."""

import contextlib
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from written_values import Written, every_group

from managed_tables.details import InvalidValue
from managed_tables.schema import ColumnType
from managed_tables.values import parsers

PARSERS = parsers(ZoneInfo("America/Sao_Paulo"))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=3,
)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("integer", "-00012", "-12"),
        ("integer", "+7", "7"),
        ("integer", "0" * 5_000, "0"),
        ("integer", Decimal("5.0"), "5"),
        ("integer", Decimal("1e18"), "1000000000000000000"),
        ("integer", Decimal("0e999999"), "0"),
        ("decimal", "1.50", "1.50"),
        ("decimal", Decimal("-0.0"), "-0.0"),
        ("decimal", Decimal("0e999999"), "0"),
        ("decimal", 2**200, str(2**200)),
        ("decimal", "9" * 1_000, "9" * 1_000),
        ("decimal", Decimal("1e999"), "1E+999"),
        ("decimal", Decimal("1e-999"), "1E-999"),
        ("datetime", "2026-01-15T10:30:00", "2026-01-15T13:30:00+00:00"),
        ("datetime", "2026-01-15t10:30:00.5z", "2026-01-15T10:30:00.500000+00:00"),
        ("datetime", "2026-01-15 10:30-0300", "2026-01-15T13:30:00+00:00"),
    ],
)
def test_a_valid_value_is_converted_exactly(kind: str, value: Any, expected: str) -> None:
    assert PARSERS[ColumnType(kind)](value) == expected


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("integer", "१२"),
        ("integer", "1_000"),
        ("integer", " 1"),
        ("integer", ""),
        ("integer", "1\n"),
        ("integer", "9" * 100_000),
        ("integer", Decimal("1e999999999")),
        ("integer", Decimal("1e-999999999")),
        ("decimal", ".5"),
        ("decimal", "1,5"),
        ("decimal", "Infinity"),
        ("decimal", "1e999999999999999999"),
        ("decimal", Decimal("NaN")),
        ("decimal", Decimal("1e-1000")),
        ("decimal", Decimal("1e1000")),
        ("decimal", "1" * 1_001),
        ("decimal", 10**1_000),
        ("decimal", True),
        ("boolean", 1),
        ("date", "0000-01-01"),
        ("date", "2026-1-1"),
        ("date", "20260101"),
        ("date", "2026-01-01\n"),
        ("datetime", "2026-01-01"),
        ("datetime", "2026-01-01T24:00:00Z"),
        ("datetime", "2026-01-01T00:00:60Z"),
        ("datetime", "2026-W01-1T00:00:00Z"),
        ("datetime", "9999-12-31T23:59:59-01:00"),
    ],
)
def test_an_invalid_value_is_refused(kind: str, value: Any) -> None:
    with pytest.raises(InvalidValue):
        PARSERS[ColumnType(kind)](value)


@every_group
def test_a_text_that_is_taken_means_what_it_means_in_a_file_with_decimal_points(written: Written) -> None:
    """But for zeros in front: a program's string of digits is a number, a file's may be a code."""
    if written.type is ColumnType.BOOLEAN or (written.type.is_number and written.formats.decimal_mark != "."):
        return
    parse = parsers(ZoneInfo(written.formats.timezone))[written.type]
    for text, value in written.cells.items():
        with contextlib.suppress(InvalidValue):
            taken = parse(text)
            if written.type.is_number:
                assert value is None or Decimal(taken) == Decimal(value)
                assert value is not None or text.startswith("0")
            else:
                assert value is not None
                assert datetime.fromisoformat(taken) == datetime.fromisoformat(value)


@given(st.sampled_from(ColumnType), json_values)
def test_every_json_value_is_converted_or_refused(kind: ColumnType, value: Any) -> None:
    with contextlib.suppress(InvalidValue):
        assert isinstance(PARSERS[kind](value), str)


@given(st.integers(-(2**63), 2**63 - 1))
def test_every_64_bit_integer_is_accepted_as_number_and_as_text(number: int) -> None:
    assert PARSERS[ColumnType.INTEGER](number) == PARSERS[ColumnType.INTEGER](str(number)) == str(number)


@given(st.datetimes(timezones=st.integers(-1439, 1439).map(lambda m: timezone(timedelta(minutes=m)))))
def test_a_datetime_with_an_offset_is_the_same_instant_in_utc(moment: datetime) -> None:
    try:
        expected = moment.astimezone(UTC)
    except OverflowError:
        return
    assert datetime.fromisoformat(PARSERS[ColumnType.DATETIME](moment.isoformat())) == expected
