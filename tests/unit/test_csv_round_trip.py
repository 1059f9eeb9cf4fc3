"""Rows → a file in some dialect, encoding and line end → analyze → the same cells."""

import csv
import io
import tempfile
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from managed_tables_analyze.analysis import SourceFile, analyze

_WORDS = st.text(alphabet="abcdefghçãéíõ XYZ-,;|'\"\n\t.", max_size=12).map(lambda text: text.strip())
_NUMBERS = st.integers(0, 10**6).map(str) | st.decimals(0, 9999, places=2).map(
    lambda d: str(d).replace(".", ",")
)
_ROWS = st.lists(
    st.tuples(st.integers(1, 10**6).map(str), _WORDS, _NUMBERS, st.dates().map(lambda day: day.isoformat())),
    min_size=3,
    max_size=12,
)
_HEADER = ("codigo", "nome do cliente", "valor", "dia")


@settings(derandomize=True, max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    rows=_ROWS,
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    line_end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "cp1252", "utf-16"]),
    quote_all=st.booleans(),
)
def test_cells_survive_any_dialect_and_encoding(
    rows: list[tuple[str, ...]], delimiter: str, line_end: str, encoding: str, quote_all: bool
) -> None:
    buffer = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator=line_end, quoting=quoting)
    writer.writerow(_HEADER)
    writer.writerows(rows)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "00"
        path.write_bytes(buffer.getvalue().encode(encoding))
        found = analyze([SourceFile(path, "dados.csv")], Path(folder), ZoneInfo("UTC"))
        read = duckdb.execute(f"SELECT c0, c1, c2, c3 FROM read_parquet('{found.staged}')").fetchall()  # noqa: S608
    assert read == [tuple(cell or None for cell in row) for row in rows]
    assert found.labels == list(_HEADER)
