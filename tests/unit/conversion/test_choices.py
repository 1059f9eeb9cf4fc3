"""A person's choices for a column override what was inferred."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError
from test_conversion import CONNECTION

from managed_tables.conversion.columns import ColumnChoice, Formats
from managed_tables.schema import ColumnType

INFERRED = Formats(decimal_mark=",", date_order="dmy", null_tokens=True, timezone="UTC", latest="2026-01-31")


@pytest.mark.parametrize(
    ("choice", "formats"),
    [
        (ColumnChoice(), {}),
        (ColumnChoice(decimal_mark="."), {"decimal_mark": "."}),
        (ColumnChoice(date_order="ymd"), {"date_order": "ymd"}),
        (ColumnChoice(timezone="Asia/Tokyo"), {"timezone": "Asia/Tokyo"}),
        (ColumnChoice(null_tokens=()), {"null_tokens": False}),
        (ColumnChoice(null_tokens=("s/d",)), {}),
    ],
)
def test_a_stated_format_replaces_only_that_inferred_format(
    choice: ColumnChoice, formats: dict[str, Any]
) -> None:
    assert choice.formats(INFERRED) == replace(INFERRED, **formats)


@pytest.mark.parametrize(
    ("choice", "read"),
    [
        (ColumnChoice(null_tokens=("s/d", "nada")), [None, " x ", "OK", "fora", "'s"]),
        (ColumnChoice(true_tokens=("Ok ",)), [" s/d", " x ", "true", "fora", "'s"]),
        (ColumnChoice(false_tokens=("FORA",)), [" s/d", " x ", "OK", "false", "'s"]),
        (ColumnChoice(trim=True), ["s/d", "x", "OK", "fora", "'s"]),
        (ColumnChoice(trim=True, null_tokens=("'s",)), ["s/d", "x", "OK", "fora", None]),
        (ColumnChoice(trim=False, source="a"), [" s/d", " x ", "OK", "fora", "'s"]),
    ],
)
def test_choices_rewrite_cells_before_conversion(choice: ColumnChoice, read: list[str | None]) -> None:
    cells, made = [" s/d", " x ", "OK", "fora", "'s"], choice.rewritten("cell", ColumnType.BOOLEAN)
    query = f"SELECT {made} FROM (SELECT unnest($1::VARCHAR[]) AS cell)"  # noqa: S608
    assert [value for (value,) in CONNECTION.execute(query, [cells]).fetchall()] == read
    has_words = choice.true_tokens or choice.false_tokens  # which no column of texts has
    assert (choice.rewritten("cell", ColumnType.TEXT) == "cell") is (bool(has_words) or read == cells)


def test_choices_are_read_from_json() -> None:
    choice = ColumnChoice.model_validate({"null_tokens": ["s/d"], "true_tokens": [], "source": "a"})
    assert choice == ColumnChoice(null_tokens=("s/d",), true_tokens=(), source="a")


@pytest.mark.parametrize("name", ["null_tokens", "true_tokens", "false_tokens"])
def test_tokens_are_limited_in_number_and_length(name: str) -> None:
    ColumnChoice.model_validate({name: ["x" * 100] * 20})
    for tokens in (["x" * 101], ["x"] * 21, "x"):
        with pytest.raises(ValidationError):
            ColumnChoice.model_validate({name: tokens})
