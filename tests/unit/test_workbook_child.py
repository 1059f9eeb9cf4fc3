"""The child process that reads workbooks: faults of the file and faults of the system."""

import marshal
import sys
from pathlib import Path

import pytest
from openpyxl import Workbook

from managed_tables.errors import JobError
from managed_tables_reader.files.kinds import Kind
from managed_tables_reader.workbooks.opening import read_workbook
from managed_tables_reader.workbooks.raw import FrameKind


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


def test_a_child_that_does_not_start_is_a_system_error_with_a_reason(
    workbook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is not reported as corrupt: the step is retried, and the log has the loader's message."""
    words = "error while loading shared libraries: libpython3.13.so.1.0"
    monkeypatch.setattr(sys, "executable", interpreter(tmp_path, f"echo '{words}' >&2; exit 127"))
    with pytest.raises(ChildProcessError, match=r"exit status 127.*libpython3\.13"):
        list(read_workbook(workbook, Kind.XLSX, "vendas.xlsx"))


def test_the_child_inherits_the_library_path(
    workbook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lambda's Python has its shared library in a folder known only from LD_LIBRARY_PATH."""
    needed = f'test "$LD_LIBRARY_PATH" = {tmp_path} || exit 127; exec {sys.executable} "$@"'
    monkeypatch.setenv("LD_LIBRARY_PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", interpreter(tmp_path, needed))
    [sheet] = read_workbook(workbook, Kind.XLSX, "vendas.xlsx")
    assert sheet.name == "Sheet"


def test_a_reading_that_never_ends_is_refused(
    workbook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel ends the child, whose processor time is limited."""
    endless = tmp_path / "endless.py"
    started = marshal.dumps(marshal.dumps((FrameKind.STARTED.value, None)))
    endless.write_text(f"import os\nos.write(1, {started!r})\nwhile True: pass")
    script = f"ulimit -S -t 1; exec {sys.executable} {endless}"
    monkeypatch.setattr(sys, "executable", interpreter(tmp_path, script))
    with pytest.raises(JobError, match="a leitura passou do tempo permitido"):
        list(read_workbook(workbook, Kind.XLSX, "vendas.xlsx"))
