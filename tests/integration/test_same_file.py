"""The warning that a file was imported before, into this table or as a new one."""

import secrets
from typing import Any

import pytest
from reports import MAY, Reports

from managed_tables.clock import timestamp

OTHER = MAY.replace("café", "chá")


@pytest.fixture
def content() -> str:
    """Contents that no other test has loaded."""
    return MAY.replace("pão", f"pão {secrets.token_hex(5)}")


def warnings(reports: Reports, content: str, table_id: str | None = None) -> list[Any]:
    """Return what an upload of the file, which nobody confirms, tells of earlier ones."""
    found = reports.analysis(reports.wait(content, table_id)).warnings
    return [one.text for one in found if one.code == "SAME_FILE"]


def test_a_file_that_made_a_table_gives_a_warning_the_next_time(reports: Reports, content: str) -> None:
    """Until it is loaded it gives none, nor once its job is undone: to send it again is no mistake."""
    assert warnings(reports, content) == warnings(reports, content) == []
    table = reports.load(content)
    [text] = warnings(reports, content)
    assert f"como tabela nova em {'/'.join(timestamp()[:10].split('-')[::-1])}" in text
    [inside] = warnings(reports, content, table.table_id)
    assert "nesta tabela" in inside
    job_id = inside.partition("envio ")[2].partition(")")[0]
    reports.company.services.imports.forget(reports.job(job_id))
    assert warnings(reports, content) == warnings(reports, content, table.table_id) == []


def test_a_file_gives_a_warning_if_imported_into_that_table(reports: Reports, content: str) -> None:
    """Other bytes give none, nor does the file in another table."""
    table = reports.load(OTHER)
    assert warnings(reports, content, table.table_id) == []
    reports.load(content, table.table_id)
    assert len(warnings(reports, content, table.table_id)) == 1
    assert warnings(reports, content) == []
