"""The quick and the exact reader give the same staged rows, or the quick one gives up."""

import csv
import tempfile
from pathlib import Path
from typing import Any

import duckdb
import pytest
from examples import examples
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from managed_tables.errors import JobError
from managed_tables.jobs.staged_rows import staged_rows
from managed_tables_analyze.staging.combination import CombinedTable, MisreadError
from managed_tables_analyze.staging.sql import open_duckdb
from managed_tables_reader.rows.reading import NOTHING_STATED
from managed_tables_reader.text.text_file import open_text
from managed_tables_reader.text.text_table import as_it_stands, normalise

_CELL = st.text(alphabet="ab1 é'\"\\,;#-.\n\r", max_size=6)
_QUOTED = st.text(alphabet="ab ,;\n", max_size=6).map(lambda text: f'"{text}"')
_LINES = st.lists(st.tuples(_CELL | _QUOTED, _CELL | _QUOTED, st.integers(0, 99).map(str)), max_size=8)


def _staged(folder: Path, *, quick: bool) -> list[tuple[Any, ...]]:
    text = open_text(folder / "in", "in.csv", folder, NOTHING_STATED.of(0))
    part = as_it_stands(text) if quick else normalise(text, folder)
    if part is None:
        raise MisreadError
    with open_duckdb(folder) as connection:
        table = CombinedTable(folder, connection)
        table.files.append("in.csv")
        table.add(part)
        table.finish(folder / "out.parquet")
        return duckdb.execute(f"FROM {staged_rows(folder / 'out.parquet')}").fetchall()


@settings(
    derandomize=True,
    max_examples=examples(20, 400),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(lines=_LINES, line_end=st.sampled_from(["\n", "\r\n"]), ends=st.booleans())
def test_both_readers_agree(lines: list[tuple[str, str, str]], line_end: str, ends: bool) -> None:
    content = line_end.join(";".join(cells) for cells in [("nome", "obs", "n"), *lines])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").write_bytes((content + (line_end if ends else "")).encode())
        try:
            quick = _staged(folder, quick=True)
        except (MisreadError, JobError):
            assume(False)
        assert quick == _staged(folder, quick=False)


_LARGE_ROWS = 400_000  # three buffers, which two threads read


@pytest.mark.parametrize("broken", [None, 190_000])
def test_both_readers_agree_on_a_file_of_many_buffers(tmp_path: Path, broken: int | None) -> None:
    """Two threads count the same lines; a line break in quotes, wherever it is, needs the exact reader."""
    rows = [(str(n), f'a;b "c" {n}', "x" * (n % 40)) for n in range(_LARGE_ROWS)]
    if broken is not None:
        rows[broken] = (str(broken), 'quebra\nde;linha "', "x")
    file = tmp_path / "in"
    with file.open("w", newline="") as target:
        csv.writer(target, delimiter=";").writerows([("nome", "obs", "n"), *rows])
    if broken is not None:
        with pytest.raises(MisreadError):
            _staged(tmp_path, quick=True)
        return
    staged = _staged(tmp_path, quick=True)
    assert [line for _, _, line, *_ in staged] == list(range(2, _LARGE_ROWS + 2))
    assert [(n, obs, x or "") for *_, n, obs, x, _ in staged] == rows
