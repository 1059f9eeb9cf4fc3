"""Texts of JSON and Parquet, which distinguish them from nothing: blanks and `#N/A` are values."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from read_sheets import read as read_all

from managed_tables.schema import ColumnType
from managed_tables_reader.tables import Table, read
from managed_tables_reader.workbooks.json_objects import read_json

_TEXTS = [" ", "#N/A", "x", None]


@pytest.fixture(params=["json", "parquet"])
def table(request: pytest.FixtureRequest, tmp_path: Path) -> Table:
    """Four texts, of which one is missing, read from a file that states it."""
    path = tmp_path / f"a.{request.param}"
    if request.param == "json":
        path.write_text(json.dumps([{"t": text, "n": 1} for text in _TEXTS]))
    else:
        duckdb.execute(f"COPY (SELECT unnest(?) AS t, 1 AS n) TO '{path}' (FORMAT parquet)", [_TEXTS])
    [found] = read(path).tables
    return found


def test_blanks_and_words_of_spreadsheets_are_values(table: Table) -> None:
    """Only what is missing in the file is NULL, and nothing is said to have been read as empty."""
    stream: Any = duckdb.arrow(table.arrow())
    assert [text for text, _ in stream.fetchall()] == _TEXTS
    assert table.types()[0] == ColumnType.TEXT
    assert not [note.code for note in table.doubts() if note.code == "ERROR_CELLS"]


def test_what_json_has_and_no_database_stores_is_reported(tmp_path: Path) -> None:
    """NUL, half a character and NaN are findings; a number of a million digits is kept digit by digit."""
    path = tmp_path / "a.json"
    digits = "9" * 1_000_000
    path.write_text(f'[{{"t":"a\\u0000","n":NaN}},{{"t":"\\ud800","n":{digits}}},{{"t":"ã","n":-Infinity}}]')
    [sheet] = read_all(read_json(path))
    assert sheet.rows == [["a"], ["\ufffd", digits], ["ã", "-Infinity"]]
    assert sheet.tally.findings() == [
        ("NUL_REMOVED", 1, {"lines": [1]}, []),
        ("BYTES_LOST", 1, {"lines": [2]}, []),
        ("NAN_CELLS", 1, {}, [1]),
    ]
