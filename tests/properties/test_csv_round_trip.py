"""Rows → a file in some dialect, encoding and line end → analyze → the same cells."""

import csv
import io
import tempfile
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
from examples import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from managed_tables_analyze.analysis import analyze
from managed_tables_reader.reading_files import SourceFile

_WORDS = st.text(alphabet="abcdefghçãéíõ XYZ-,;|'\"\n\t.", max_size=12).map(lambda text: text.strip())
_NUMBERS = st.integers(0, 10**6).map(str) | st.decimals(0, 9999, places=2).map(
    lambda d: str(d).replace(".", ",")
)
_ROWS = st.lists(
    st.tuples(st.integers(1, 10**6).map(str), _WORDS, _NUMBERS, st.dates().map(lambda day: day.isoformat())),
    min_size=3,
    max_size=12,
)
_DOCUMENTS = st.integers(0, 10**11 - 1).map(
    lambda n: f"{n:011}"[:3] + "." + f"{n:011}"[3:6] + "." + f"{n:011}"[6:9] + "-" + f"{n:011}"[9:]
)
_PRICES = st.integers(0, 10**8).map(lambda n: "R$ " + f"{n / 100:,.2f}".translate(str.maketrans(",.", ".,")))
_DAYS = st.dates(date(1000, 1, 1)).map(lambda day: f"{day:%d/%m/%Y}")  # years have four digits
_SALES = st.lists(st.tuples(_DOCUMENTS, _WORDS, _PRICES, _DAYS, _WORDS), min_size=4, max_size=15)
_SALES_HEADER = ("CPF", "Descrição", "Preço (R$)", "Dt. Emissão", "obs")
_ABOVE = {
    "none": [],
    "titles": ["Relatório de Vendas", "Período: 01/01/2024 a 31/01/2024", ""],
    "comment": ["# gerado pelo sistema"],
    "hint": ["sep={}"],
}
_HEADER = ("codigo", "nome do cliente", "valor", "dia")
_FEW = settings(
    derandomize=True,
    max_examples=examples(10, 200),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)


@_FEW
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


@_FEW
@given(
    rows=_SALES,
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
    above=st.sampled_from(list(_ABOVE)),
    below=st.sampled_from(["", "\n\n", "\nFonte: sistema interno\n"]),
    edge=st.sampled_from(["", "delimiter", "cut"]),
)
def test_cells_survive_the_surroundings_of_a_table(
    rows: list[tuple[str, ...]], delimiter: str, line_end: str, above: str, below: str, edge: str
) -> None:
    """Titles, notes, a delimiter at the end of every line, rows that end at their last filled cell."""
    buffer = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if line_end == "\r" else csv.QUOTE_MINIMAL  # which leaves a lone \n bare there
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator=line_end, quoting=quoting)
    more = ("",) if edge == "delimiter" else ()
    for row in (_SALES_HEADER, *rows):
        # A row of several lines keeps all its cells: if it ended early, its quote would look unclosed.
        is_cut = edge == "cut" and not row[-1] and "\n" not in row[1]
        writer.writerow((row[:-1] if is_cut else row) + more)
    text = "".join(f"{line}{line_end}" for line in _ABOVE[above]).format(delimiter) + buffer.getvalue()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "00"
        path.write_bytes((text + below.replace("\n", line_end)).encode())
        found = analyze([SourceFile(path, "dados.csv")], Path(folder), ZoneInfo("UTC"))
        read = duckdb.execute(f"SELECT c0, c1, c2, c3, c4 FROM read_parquet('{found.staged}')").fetchall()  # noqa: S608
    assert read == [tuple(cell or None for cell in row) for row in rows]
    assert found.labels == list(_SALES_HEADER)
