"""Every file of tests/files is read as the expectation beside it says; a new case is two more files."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from staged_objects import open_session

from managed_tables.conversion.marked_cells import TEXT_SIGN
from managed_tables.documents.document import saying
from managed_tables.errors import JobError
from managed_tables.jobs.staged_rows import staged_rows
from managed_tables.messages.sentences import in_english
from managed_tables_analyze.analysis import Analysis, analyze
from managed_tables_reader.reading_files import SourceFile

_FOLDER = Path(__file__).parent
_EXPECTATIONS = sorted(_FOLDER.glob("*/*.json"))


def analyze_file(file: Path, work_dir: Path) -> Analysis:
    return analyze([SourceFile(file, file.name)], work_dir, ZoneInfo("UTC"))


def staged_column(found: Analysis, *columns: str) -> list[list[Any]]:
    with open_session() as connection:
        relation = connection.sql(f"FROM {staged_rows(found.staged)}").project(", ".join(columns))
        return [list(map(_unmarked, row)) for row in relation.fetchall()]


def _unmarked(cell: Any) -> Any:
    """Return a cell without the mark that distinguishes a workbook's texts from its numbers."""
    return cell.rstrip(TEXT_SIGN) if isinstance(cell, str) else cell


def shown(value: object) -> object:
    """Return a sample's value as expectations write it: numbers as text, so that every digit counts."""
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def shown_warning(warning: dict[str, Any]) -> str:
    """Return a warning as expectations name it: `CODE [lines] sentence (columns: a, b)`."""
    columns = ", ".join(warning.get("columns", []))
    return f"{warning['code']} {warning.get('lines', [])} {warning['text']} (columns: {columns})"


def columns_of(found: Analysis) -> list[dict[str, Any]]:
    columns = []
    for column in found.document.inferred_schema.columns:
        entry = {name: getattr(column, name) for name in ("name", "type", "nullable")}
        if column.display_name != column.name:
            entry["display_name"] = column.display_name
        columns.append(entry)
    return columns


@pytest.mark.parametrize("expectation", _EXPECTATIONS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_file_is_read_as_expected(expectation: Path, tmp_path: Path) -> None:
    expected = json.loads(expectation.read_text(encoding="utf-8"))
    if "error" in expected:
        with pytest.raises(JobError) as refusal:
            analyze_file(expectation.with_suffix(""), tmp_path)
        assert refusal.value.kind.code == expected["error"], refusal.value.message
        assert expected.get("message", "") in refusal.value.message
        assert in_english(refusal.value.message) != refusal.value.message
        return
    found = analyze_file(expectation.with_suffix(""), tmp_path)
    assert columns_of(found) == expected["columns"], expected["why"]
    cells = [f"c{index}" for index in range(len(expected["columns"]))]
    assert staged_column(found, *cells) == expected["rows"], expected["why"]
    assert found.document.row_count == len(expected["rows"])
    assert all(account.is_whole for account in found.document.accounts), found.document.accounts
    assert_details(found, expected)


def assert_details(found: Analysis, expected: dict[str, Any]) -> None:
    if "values" in expected:
        rows = found.document.inferred_schema.sample_rows
        samples = [[shown(value) for value in row.values()] for row in rows]
        assert samples == expected["values"], expected["why"]
    if "lines" in expected:
        assert [line for (line,) in staged_column(found, "line")] == expected["lines"]
    if "sheets" in expected:
        assert [sheet for (sheet,) in staged_column(found, "sheet")] == expected["sheets"]
    for name, value in expected.get("dialect", {}).items():
        assert getattr(found.dialect, name) == value, name
    warnings = [shown_warning(warning) for warning in found.document.as_json()["warnings"]]
    for words in expected.get("warnings", []):
        assert any(words in warning for warning in warnings), (words, warnings)
    columns = found.document.inferred_schema.columns
    inferences = {column.name: column.inference for column in columns if column.inference}
    for name, words in expected.get("evidence", {}).items():
        assert words in inferences[name].evidence, inferences[name]
    assert_doubts_lower_confidence(found)
    assert_it_is_said_in_english(found)


def assert_it_is_said_in_english(found: Analysis) -> None:
    said: list[str] = []
    token = saying.set(lambda sentence: said.append(sentence) or sentence)  # type: ignore[func-returns-value]
    found.document.as_json()
    saying.reset(token)
    assert [sentence for sentence in said if in_english(sentence) == sentence] == []


def assert_doubts_lower_confidence(found: Analysis) -> None:
    """A column with a warning about its values has less than full confidence."""
    doubts = [one for one in found.findings if one.may_change_a_value and one.code != "NAMELESS_COLUMNS"]
    doubtful = {name for finding in doubts for name in finding.columns}
    for column in found.document.inferred_schema.columns:
        if column.name in doubtful:
            assert getattr(column.inference, "confidence", 1) < 1, column
