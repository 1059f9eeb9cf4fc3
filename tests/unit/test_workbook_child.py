"""The child process that reads workbooks: what is the file's fault, and what is not."""

import sys
from pathlib import Path

import pytest
from openpyxl import Workbook

from managed_tables_analyze.files.kinds import Kind
from managed_tables_analyze.workbooks import read_workbook


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    made = Workbook(write_only=True)
    made.create_sheet().append(["produto", "valor"])
    path = tmp_path / "vendas.xlsx"
    made.save(path)
    return path


def interpreter(tmp_path: Path, script: str) -> str:
    """Return the path of a program that stands in for Python."""
    path = tmp_path / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_a_child_that_does_not_start_is_a_fault_and_says_why(
    workbook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is not called corrupt: the step is tried again, and the log has the loader's words."""
    words = "error while loading shared libraries: libpython3.13.so.1.0"
    monkeypatch.setattr(sys, "executable", interpreter(tmp_path, f"echo '{words}' >&2; exit 127"))
    with pytest.raises(ChildProcessError, match=r"exit status 127.*libpython3\.13"):
        list(read_workbook(workbook, Kind.XLSX, "vendas.xlsx"))


def test_the_child_finds_the_libraries_that_the_interpreter_was_started_with(
    workbook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lambda's own Python has its library in a folder that only LD_LIBRARY_PATH names."""
    needed = f'test "$LD_LIBRARY_PATH" = {tmp_path} || exit 127; exec {sys.executable} "$@"'
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", interpreter(tmp_path, needed))
    [sheet] = read_workbook(workbook, Kind.XLSX, "vendas.xlsx")
    assert sheet.name == "Sheet"
