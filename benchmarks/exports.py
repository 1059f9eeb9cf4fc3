"""Measure exports: each format beside `COPY TO STDOUT` of the same query, or openpyxl's write-only mode.

Everything in one run, three times over, each step in a process of its own, without the network to S3. Peak
memory at a tenth of the rows and at all of them: it may not grow.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psycopg
from psycopg import sql

from benchmarks.files import make_orders
from benchmarks.import_step import copy_file
from benchmarks.imports import Measured, measure
from managed_tables_local.postgres import open_server, remove_server

_STEP = "benchmarks.export_step"
_TABLE, _TENTH = "baseline", "tenth"
_ROUNDS = 3


@dataclass(frozen=True)
class Case:
    """What is written, and beside what."""

    name: str
    form: str
    dialect: str
    rows: int


def run(small: bool) -> None:
    """Measure every format and print the table."""
    share = 10 if small else 1
    million, sheet = 1_000_000 // share, 300_000 // share
    cases = [
        Case("CSV rfc4180", "csv", "rfc4180", million),
        Case("CSV excel-br", "csv", "excel-br", million),
        Case("JSON lines", "jsonl", "-", million),
        Case("Parquet", "parquet", "-", million),
        Case("XLSX", "xlsx", "-", sheet),
    ]
    titles = ["export", "rows", "seconds", "beside s", "ratio", "MiB", "MiB of a tenth"]
    print(f"{titles[0]:20}" + "".join(f"{title:>16}" for title in titles[1:]), flush=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = open_server(folder / "postgres")
        server.start()
        try:
            rows = 0
            for case in cases:
                if case.rows != rows:
                    rows = case.rows
                    _load(folder, server.dsn, rows)
                _measure(case, server.dsn)
        finally:
            remove_server(folder / "postgres")


def _load(folder: Path, dsn: str, rows: int) -> None:
    """Make the table, and one of a tenth of its rows."""
    copy_file(str(make_orders(folder / "files", rows).clean_csv()), dsn)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS tenth")
        limited = sql.SQL("CREATE TABLE tenth AS SELECT * FROM baseline ORDER BY id LIMIT {}")
        connection.execute(limited.format(rows // 10))
        connection.execute("ALTER TABLE tenth ADD PRIMARY KEY (id)")
        connection.execute("VACUUM ANALYZE")


def _measure(case: Case, dsn: str) -> None:
    pairs = [(_write(case, dsn, _TABLE), _beside(case, dsn)) for _ in range(_ROUNDS)]
    tenth = _write(case, dsn, _TENTH)
    figures = [
        f"{case.rows:,}",
        f"{median(ours.seconds for ours, _ in pairs):.2f}",
        f"{median(other.seconds for _, other in pairs):.2f}",
        f"{median(ours.seconds / other.seconds for ours, other in pairs):.2f}",
        f"{max(ours.peak_mib for ours, _ in pairs):.0f}",
        f"{tenth.peak_mib:.0f}",
    ]
    print(f"{case.name:20}" + "".join(f"{figure:>16}" for figure in figures), flush=True)


def _write(case: Case, dsn: str, table: str) -> Measured:
    return measure(_STEP, "write", dsn, table, case.form, case.dialect)


def _beside(case: Case, dsn: str) -> Measured:
    if case.form == "xlsx":
        return measure(_STEP, "openpyxl", case.rows)
    return measure(_STEP, "copy", dsn, _TABLE, case.dialect if case.form == "csv" else "rfc4180")
