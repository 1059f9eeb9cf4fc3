"""The documents of jobs are read whichever release wrote them, and written as they were read."""

from pathlib import Path

import pytest

from managed_tables import exact_json
from managed_tables.documents.analyses import AnalysisDocument, PreviewIndex
from managed_tables.documents.document import Document
from managed_tables.documents.statements import (
    ConfirmedDocument,
    ReadingStatement,
    TableStatement,
    WantedSchema,
)

FOLDER = Path(__file__).parent / "documents" / "release_0_2_0"  # as the code of 0.2.0 has written them
KINDS: dict[str, type[Document]] = {
    "analysis": AnalysisDocument,
    "confirmed": ConfirmedDocument,
    "preview": PreviewIndex,
    "statement": ReadingStatement,
}


@pytest.mark.parametrize("name", KINDS)
def test_a_document_of_0_2_0_is_written_as_it_was(name: str) -> None:
    """Every key and every digit: a job that waits for its owner outlives a deployment."""
    stored = exact_json.loads((FOLDER / f"{name}.json").read_bytes())
    written = exact_json.loads(exact_json.dumps(KINDS[name].read(stored).as_json()))
    assert written == stored


@pytest.mark.parametrize("name", KINDS)
def test_a_field_that_this_release_does_not_know_is_left_out(name: str) -> None:
    stored = exact_json.loads((FOLDER / f"{name}.json").read_bytes())
    document = KINDS[name].read({**stored, "of_another_release": [1]})
    assert document == KINDS[name].read(stored)


def test_a_confirmation_has_the_digest_that_0_3_0_gave_it() -> None:
    """One that is sent again while a release is deployed is no other one."""
    wanted = WantedSchema(display_name=None, columns=[])
    assert wanted.digest == exact_json.digest({"display_name": None, "columns": []})


def test_numbers_of_samples_keep_their_digits() -> None:
    analysis = AnalysisDocument.read(exact_json.loads((FOLDER / "analysis.json").read_bytes()))
    text = exact_json.dumps(analysis.as_json())
    assert text.count(b"99999999999999999999.1") >= 1
    assert analysis.columns[2].formats.decimal_mark == ","


def test_of_two_statements_about_a_table_the_newer_one_holds() -> None:
    """Field by field; a null is found anew, but of quotes: there are none. No line of header is no header."""
    older = ReadingStatement(
        timezone="UTC", tables=[TableStatement(file=0, delimiter=";"), TableStatement(file=1, trim=True)]
    )
    newer = TableStatement(file=0, encoding=None, quote=None, header_lines=0).stated()
    assert older.merged(ReadingStatement(tables=[newer])).as_json() == {
        "timezone": "UTC",
        "tables": [
            {"file": 0, "sheet": None, "delimiter": ";", "quote": None, "header_line": None},
            {"file": 1, "trim": True},
        ],
    }


def test_columns_of_origin_stay_until_they_are_stated_again() -> None:
    older = ReadingStatement.read({"tables": [], "origin_columns": {"sheet": "Aba"}})
    assert older.merged(ReadingStatement()).as_json()["origin_columns"] == {"sheet": "Aba"}
    assert "origin_columns" not in older.merged(ReadingStatement(origin_columns=None)).as_json()
