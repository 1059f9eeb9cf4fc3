"""Hostile files get their expected outcome from the offline tool, in bounded memory, with nothing left.

The tool reads them as an upload would; `tests/e2e/test_hostile_input.py` loads a hostile file on a stack.
"""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from hostile_files import Hostile, hostile_files

FILE_LIMIT_SECONDS = 30  # per file; a file that hangs ends the run
MEMORY_MAX_KIB = 2 * 1_048_576
FILES = list(hostile_files())


class Outcomes(dict[str, Any]):
    """The tool's answer for each file, and the resources that the run used."""

    peak_kib: int
    left: list[str]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """Run the tool once on every file, in a separate folder."""
    folder = tmp_path_factory.mktemp("hostile")
    files, work, rows = folder / "files", folder / "tmp", folder / "rows"
    for one in (files, work):
        one.mkdir()
    for file in FILES:
        file.write(files)
    command = [sys.executable, "-m", "managed_tables_analyze.cli", "--rows-dir", str(rows)]
    command += [str(files / file.name) for file in FILES]
    out = folder / "out"
    with out.open("wb") as stdout:
        process = subprocess.Popen(command, cwd=work, stdout=stdout, env={**os.environ, "TMPDIR": str(work)})
        limit = threading.Timer(FILE_LIMIT_SECONDS * len(FILES), process.kill)
        limit.start()
        _, status, used = os.wait4(process.pid, 0)  # the peak of the process and of its children
        limit.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 1, "some are refused"
    found = Outcomes({Path(one["file"]).name: one for one in map(json.loads, out.read_bytes().splitlines())})
    found.peak_kib = used.ru_maxrss
    written = {f"{file.name}.csv" for file in FILES}
    found.left = [str(one) for one in work.rglob("*")] + [
        str(one) for one in folder.rglob("*") if "hit" in one.name and one.parent not in (files, rows)
    ]
    assert {one.name for one in rows.iterdir()} <= written
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_hostile_file_gets_its_outcome(outcomes: Outcomes, file: Hostile) -> None:
    """Its rows, or a refusal with its code and a message that names the file."""
    answer = outcomes[file.name]
    error, schema = answer["error"], answer["inferred_schema"]
    if error is None:
        shape = schema["total_row_count_estimate"], len(schema["columns"])
        assert shape == file.outcome or str(shape) in file.outcome
    else:
        assert error["code"] in file.outcome, error
        assert file.name in error["message"]


def test_every_identifier_is_plain(outcomes: Outcomes) -> None:
    """Whatever the headers, names are generated: distinct, lower case, at most 63 bytes."""
    names = [column["name"] for column in outcomes["headers.csv"]["inferred_schema"]["columns"]]
    assert len(set(names)) == len(names)
    for name in names:
        assert name.isascii()
        assert name.replace("_", "a").isalnum()
        assert len(name) <= 63


def test_lines_above_a_table_without_a_header_give_a_warning(outcomes: Outcomes) -> None:
    """No line that may be a row is skipped silently."""
    warning = outcomes["above.csv"]["warnings"][0]
    assert (warning["code"], warning["lines"]) == ("LINES_ABOVE", [1, 2])


def test_a_row_shorter_than_those_below_gives_a_warning(outcomes: Outcomes) -> None:
    """A short row below a short header is kept, and named."""
    warning = outcomes["wider_below.csv"]["warnings"][0]
    assert (warning["code"], warning["lines"]) == ("SHORT_ROWS", [2])


def test_the_run_uses_bounded_memory_and_leaves_nothing(outcomes: Outcomes) -> None:
    """No file took more than 2 GiB of memory, and no file or folder is left."""
    assert outcomes.peak_kib <= MEMORY_MAX_KIB
    assert outcomes.left == []
