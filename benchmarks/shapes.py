"""Measure files of odd shapes, one very wide and one very long, beside DuckDB reading them as text."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import duckdb

from benchmarks.imports import measure

_ROUNDS = 3
_MIB = 1_048_576

# A column of each sort in turn, its values from the row's number and the column's: the same on every machine.
_SORTS = (
    "i",
    "hash(i * {n}) % 100000",
    "((hash(i * {n}) % 10000000) / 100)::DECIMAL(12, 2)",
    "'Produto ' || hash(i * {n}) % 500",
    "strftime(DATE '2015-01-01' + (hash(i * {n}) % 3650)::INTEGER, '%d/%m/%Y')",
    "NULL",
)


@dataclass(frozen=True)
class Shape:
    """A shape of file, and what writes it."""

    name: str
    write: Callable[[Path], None]


def shapes(small: bool) -> list[Shape]:
    """Return the shapes to measure; small ones have a tenth of the rows."""
    share = 10 if small else 1
    return [
        Shape("CSV 1.500 colunas × 20.000", lambda path: write_wide(path, 1_500, 20_000 // share)),
        Shape("CSV 1 coluna × 12.000.000", lambda path: write_long(path, 12_000_000 // share)),
    ]


def write_wide(path: Path, columns: int, rows: int) -> None:
    """Write a CSV of columns of six sorts, one of them empty."""
    cells = ", ".join(f"{_SORTS[n % len(_SORTS)].format(n=n + 3)} AS c{n}" for n in range(columns))
    _copy(f"SELECT {cells} FROM range({rows}) numbers(i)", path)  # noqa: S608 - own SQL


def write_long(path: Path, rows: int) -> None:
    """Write a CSV of one column of whole numbers."""
    _copy(f"SELECT 100000 + i AS numero FROM range({rows}) numbers(i)", path)  # noqa: S608 - own SQL


def _copy(query: str, path: Path) -> None:
    with duckdb.connect() as connection:
        connection.execute(f"COPY ({query}) TO '{path}' (FORMAT csv, HEADER)")


def run(small: bool) -> None:
    """Measure every shape and print a line each: medians of three rounds."""
    titles = ("MiB", "analyze s", "proc. s", "MiB", "duckdb s", "proc. s", "an./duckdb", "by proc.")
    print(f"{'file':30}" + "".join(f"{title:>12}" for title in titles), flush=True)
    with tempfile.TemporaryDirectory() as name:
        for shape in shapes(small):
            file = Path(name) / "shape.csv"
            shape.write(file)
            print(f"{shape.name:30}" + "".join(f"{figure:>12}" for figure in _measure(file)), flush=True)


def _measure(file: Path) -> list[str]:
    analysed, read = [], []
    for _ in range(_ROUNDS):
        with tempfile.TemporaryDirectory(dir=file.parent) as work:
            analysed.append(measure("benchmarks.import_step", "analyze", work, file))
        read.append(measure("benchmarks.import_step", "text", file))
    pairs = list(zip(analysed, read, strict=True))
    return [
        f"{file.stat().st_size / _MIB:.1f}",
        f"{median(one.seconds for one in analysed):.2f}",
        f"{median(one.processor for one in analysed):.2f}",
        f"{max(one.peak_mib for one in analysed):.0f}",
        f"{median(one.seconds for one in read):.2f}",
        f"{median(one.processor for one in read):.2f}",
        f"{median(ours.seconds / theirs.seconds for ours, theirs in pairs):.2f}",
        f"{median(ours.processor / theirs.processor for ours, theirs in pairs):.2f}",
    ]
