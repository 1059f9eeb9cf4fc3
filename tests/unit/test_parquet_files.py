"""Parquet read by its own reader: what its metadata says, and what no type of a table has."""

import base64
from pathlib import Path

import duckdb
import pytest
from read_sheets import Read, read

from managed_tables.conversion.marked_cells import EXACT_DECIMALS, TEXT_SIGN
from managed_tables_reader.workbooks.parquet import read_parquet
from managed_tables_reader.workbooks.raw import WorkbookError

_ROOM = 1 << 20
# One column `v` of DECIMAL(39, 1), one row 1.5: DuckDB writes none of more than 38 digits.
_LONG_DECIMAL = (
    "UEFSMRUAFS4VHCwVAhUAFQYVBhwAAAAXGAIAAAACAQA6AQAADxUEGSw1ABgGc2NoZW1hFQIAFQ4VIhUCGAF2JQoVAhVOLFwVAhVOAAAA"
    "FgIZHBkcJgAcFQ4ZJQYAGRgBdhUCFgIWVBZCJghJHBUAFQAVAgA8KQYZJgACAAAAFlQWAiYIFkIAKCBwYXJxdWV0LWNwcC1hcnJvdyB2"
    "ZXJzaW9uIDI2LjAuMRkcHAAAAIoAAABQQVIx"
)


def parquet(folder: Path, select: str, options: str = "") -> Read:
    path = folder / "a.parquet"
    duckdb.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet{options})")
    [sheet] = read(read_parquet(path, _ROOM))
    return sheet


def test_texts_that_the_file_says_are_decimals_are_read_as_such(tmp_path: Path) -> None:
    """`1.000` is one in our own export of long decimals; elsewhere it may be one thousand."""
    stated = f""", KV_METADATA {{'{EXACT_DECIMALS}': '["v", "n"]'}}"""
    found = parquet(tmp_path, "SELECT '1.000' AS v, '1.000' AS t, 7 AS n", stated)
    assert (found.rows, found.types) == (
        [["1.000", f"1.000{TEXT_SIGN}", "7"]],
        ["decimal", "text", "integer"],
    )


@pytest.mark.parametrize("said", ["{", "7", "[7, null]", "[" * 100_000])
def test_metadata_of_another_form_says_nothing(tmp_path: Path, said: str) -> None:
    found = parquet(tmp_path, "SELECT '1.000' AS v", f", KV_METADATA {{'{EXACT_DECIMALS}': '{said}'}}")
    assert found.types == ["text"]


def test_what_is_not_stored_as_the_file_has_it_is_reported(tmp_path: Path) -> None:
    """NUL characters are removed, and NaN is an empty cell: both are findings with their place."""
    found = parquet(
        tmp_path,
        "SELECT unnest(['a' || chr(0) || 'b', 'c', 'd']) AS t, unnest(['NaN', '1.5', 'NaN']::DOUBLE[]) AS v",
    )
    assert found.rows == [["ab"], ["c", "1.5"], ["d"]]
    assert found.tally.findings() == [("NUL_REMOVED", 1, {"lines": [1]}, []), ("NAN_CELLS", 2, {}, [1])]


def test_decimals_that_would_lose_digits_are_refused_by_name(tmp_path: Path) -> None:
    """Of a precision beyond 38 DuckDB reads a double, of 15 to 17 digits."""
    path = tmp_path / "a.parquet"
    path.write_bytes(base64.b64decode(_LONG_DECIMAL))
    with pytest.raises(WorkbookError, match=r"mais de 38 algarismos: grave a coluna v como texto"):
        list(read_parquet(path, _ROOM))


def test_a_label_has_no_nul(tmp_path: Path) -> None:
    """No column of a table can be called so; JSON's labels are cleaned in the same way."""
    path = tmp_path / "a.parquet"
    duckdb.execute(f"COPY (SELECT 1 AS abXcd) TO '{path}' (FORMAT parquet)")
    path.write_bytes(path.read_bytes().replace(b"abXcd", b"ab\0cd"))
    [sheet] = read(read_parquet(path, _ROOM))
    assert (sheet.labels, sheet.rows) == (["abcd"], [["1"]])
