"""The request for an export, and its defaults."""

import pytest

from managed_tables_api.exports.export_models import NewExport


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
    request = NewExport.model_validate(body).as_request(None)
    assert (request.dialect, request.formula_safe) == (dialect, is_safe)
