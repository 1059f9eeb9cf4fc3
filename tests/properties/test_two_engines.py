"""The quick way and the exact way give the same staged rows, or the quick one gives up."""

import tempfile
from pathlib import Path
from typing import Any

import duckdb
from examples import examples
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from managed_tables.errors import JobError
from managed_tables_analyze.staging.combination import MisreadError, Table
from managed_tables_analyze.staging.parts import open_duckdb
from managed_tables_analyze.staging.text_table import as_it_stands, normalise
from managed_tables_analyze.text.text_file import open_text

_CELL = st.text(alphabet="ab1 é'\"\\,;#-.\n\r", max_size=6)
_QUOTED = st.text(alphabet="ab ,;\n", max_size=6).map(lambda text: f'"{text}"')
_LINES = st.lists(st.tuples(_CELL | _QUOTED, _CELL | _QUOTED, st.integers(0, 99).map(str)), max_size=8)


def _staged(folder: Path, *, quick: bool) -> list[tuple[Any, ...]]:
    text = open_text(folder / "in", "in.csv", folder)
    part = as_it_stands(text) if quick else normalise(text, folder)
    if part is None:
        raise MisreadError
    with open_duckdb(folder) as connection:
        table = Table(folder, connection)
        table.add_file("in.csv")
        table.add(part)
        table.finish(folder / "out.parquet")
        return duckdb.execute(f"SELECT * FROM read_parquet('{folder / 'out.parquet'}')").fetchall()  # noqa: S608


@settings(
    derandomize=True,
    max_examples=examples(20, 400),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(lines=_LINES, line_end=st.sampled_from(["\n", "\r\n"]), ends=st.booleans())
def test_both_ways_agree(lines: list[tuple[str, str, str]], line_end: str, ends: bool) -> None:
    content = line_end.join(";".join(cells) for cells in [("nome", "obs", "n"), *lines])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in").write_bytes((content + (line_end if ends else "")).encode())
        try:
            quick = _staged(folder, quick=True)
        except (MisreadError, JobError):
            assume(False)
        assert quick == _staged(folder, quick=False)
