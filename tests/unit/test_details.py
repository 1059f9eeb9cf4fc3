"""How errors show refused values: shortened, counted, and always valid UTF-8."""

from decimal import Decimal
from typing import Any

import pytest

from managed_tables.details import MAX_ERROR_DETAILS, Fault, shown_value
from managed_tables.errors import ApiError
from managed_tables_api.rows.parsing import Findings


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("x" * 200, "x" * 200),
        ("x" * 201, "x" * 200 + "…"),
        ("a\ud800", "a\\ud800"),
        (12, 12),
        (True, True),
        (None, None),
        (Decimal("1.50"), Decimal("1.50")),
        (int("9" * 200), int("9" * 200)),
        (int("9" * 201), "9" * 200 + "…"),
        ({"a": 1}, "objeto"),
        ([1], "lista"),
    ],
)
def test_a_refused_value_is_shown_shortened(value: Any, shown: Any) -> None:
    assert shown_value(value) == shown


def test_every_fault_is_counted_and_the_first_rows_are_listed() -> None:
    """Columns are checked one after another, so the first faults found may be in later rows."""
    findings, fault = Findings(), Fault("NOT_A_DECIMAL", "x")
    for column in ("a", "b"):
        for row in reversed(range(MAX_ERROR_DETAILS)):
            findings.add(row, column, "x" * 201, fault)
    with pytest.raises(ApiError) as refused:
        findings.raise_any()
    details = refused.value.details
    assert refused.value.details_total == 40
    assert [(detail["row"], detail["column"]) for detail in details] == [
        (row, column) for row in range(10) for column in ("a", "b")
    ]
    assert details[0]["value"] == "x" * 200 + "…"
    assert MAX_ERROR_DETAILS == 20
