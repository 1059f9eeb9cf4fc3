"""The request for an export, and its defaults."""

import pytest
from pydantic import ValidationError

from managed_tables.catalog.tables import Applied
from managed_tables.documents.statements import Additions
from managed_tables.errors import ApiError
from managed_tables.tables.definitions import put_on
from managed_tables_api.routes.exports import NewExport


@pytest.mark.parametrize(
    ("body", "dialect", "is_safe"),
    [
        ({"format": "csv"}, "rfc4180", False),
        ({"format": "csv", "dialect": "rfc4180"}, "rfc4180", False),
        ({"format": "csv", "dialect": "excel-br"}, "excel-br", True),
        ({"format": "csv", "dialect": "excel-br", "formula_safe": False}, "excel-br", False),
        ({"format": "csv", "formula_safe": True}, "rfc4180", True),
        ({"format": "xlsx", "dialect": "excel-br"}, None, False),
    ],
)
def test_excel_dialects_are_formula_safe_by_default(
    body: dict[str, object], dialect: str | None, is_safe: bool
) -> None:
    request = NewExport.model_validate(body).as_request()
    assert (request.dialect, request.formula_safe) == (dialect, is_safe)


NAMES = ["valor"] * 250_000


def test_a_list_that_is_too_long_is_read_no_further() -> None:
    """Each name was once compared with all before it: minutes of processor for one request."""
    with pytest.raises(ValidationError) as invalid:
        NewExport.model_validate({"format": "csv", "fields": NAMES, "sort": NAMES})
    assert [error["type"] for error in invalid.value.errors()] == ["too_long"] * 2


@pytest.mark.parametrize("additions", [Additions(key=NAMES), Additions(indexes=[NAMES])])
def test_the_columns_of_a_key_or_an_index_are_counted_first(additions: Additions) -> None:
    with pytest.raises(ApiError) as refused:
        put_on(Applied(version=1, display_name="vendas", status="active", columns=()), additions)
    assert [one["code"] for one in refused.value.details] == ["TOO_LONG"]
    assert refused.value.details_total == 1
