"""What an export is asked for, and what is usual where nothing is said."""

import pytest

from managed_tables_api.exports.export_models import NewExport


@pytest.mark.parametrize(
    ("asked", "dialect", "is_safe"),
    [
        ({"format": "csv"}, "rfc4180", False),
        ({"format": "csv", "dialect": "rfc4180"}, "rfc4180", False),
        ({"format": "csv", "dialect": "excel-br"}, "excel-br", True),
        ({"format": "csv", "dialect": "excel-br", "formula_safe": False}, "excel-br", False),
        ({"format": "csv", "formula_safe": True}, "rfc4180", True),
        ({"format": "xlsx", "dialect": "excel-br"}, None, False),
    ],
)
def test_texts_are_made_safe_for_excel_unless_it_is_said_otherwise(
    asked: dict[str, object], dialect: str | None, is_safe: bool
) -> None:
    request = NewExport.model_validate(asked).as_request(None)
    assert (request.dialect, request.formula_safe) == (dialect, is_safe)
