"""Measure loads into a table that exists: upsert beside append, and what a replacement's undo costs.

All are the inserting step of one analysed file, in turns in one run, each in a transaction of its own. Beside
seconds there is processor time, of this process and of PostgreSQL's: on a shared machine it tells more.
"""

import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from unittest.mock import patch
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql

from benchmarks.files import BYTES_A_ROW, make_orders
from benchmarks.processor import backend_seconds, own_seconds
from managed_tables.databases.applied import find_applied, record_change
from managed_tables.databases.connecting import PgConnection
from managed_tables.databases.migrations import migrate
from managed_tables.ids import new_record_id
from managed_tables.tables.indexing import align_indexes
from managed_tables_analyze.analysis import analyze
from managed_tables_insert import loading
from managed_tables_insert.job import open_converter
from managed_tables_insert.loading import Target, load_rows
from managed_tables_insert.plan import LoadPlan, make_plan
from managed_tables_local.postgres import open_server, remove_server
from managed_tables_reader.reading_files import SourceFile

_MIB = 1_048_576
_ROUNDS = 5
_NAME = sql.Identifier("public", "orders")


@dataclass(frozen=True)
class Bench:
    """A database with the table that is loaded, and the file."""

    connection: PgConnection
    folder: Path
    table_id: str
    plan: LoadPlan

    def load(self, mode: loading.JobMode) -> None:
        """Load the file once more."""
        columns = tuple(loaded.column for loaded in self.plan.columns)
        applied = find_applied(self.connection, self.table_id)
        target = Target(new_record_id(), mode, self.table_id, "orders", columns, applied and applied.key)
        with open_converter(self.folder) as converter:
            load_rows(self.connection, converter, target, self.plan, lambda _: None)

    def set_key(self, key: tuple[str, ...] | None) -> None:
        """Give the table a key, or none."""
        applied = find_applied(self.connection, self.table_id)
        if applied is None:
            raise LookupError(self.table_id)
        with self.connection.transaction():
            align_indexes(self.connection, self.table_id, replace(applied, key=key))
            record_change(self.connection, self.table_id, replace(applied, key=key))

    def execute(self, statement: str) -> None:
        """Run statements that prepare the next load."""
        self.connection.execute(statement.encode())

    def empty(self) -> None:
        """Take every row away."""
        self.execute("TRUNCATE public.orders; TRUNCATE managed_tables.undoable_jobs")


def run(small: bool) -> None:
    """Measure and print the medians."""
    rows = (10 if small else 100) * _MIB // BYTES_A_ROW
    with tempfile.TemporaryDirectory() as name, _database(Path(name)) as connection:
        bench = _prepare(connection, Path(name), rows)
        bench.set_key(("pedido",))
        _print(
            f"{rows:,} rows into a table with a key",
            _measure(bench, _UPSERTS),
            "append",
        )
        bench.set_key(None)
        _print(
            f"{rows:,} rows in the place of as many", _measure(bench, _REPLACEMENTS), "replace, nothing kept"
        )


@contextmanager
def _database(folder: Path) -> Iterator[PgConnection]:
    server = open_server(folder / "postgres")
    server.start()
    try:
        with psycopg.connect(server.dsn, autocommit=True) as connection:
            connection.execute("CREATE ROLE bench_ro")
            migrate(connection, "bench_ro")
            yield connection
    finally:
        remove_server(folder / "postgres")


def _prepare(connection: PgConnection, folder: Path, rows: int) -> Bench:
    """Analyze a file of so many orders, and make the table by loading it once."""
    file = make_orders(folder, rows).brazilian_csv()
    analysis = analyze([SourceFile(file, file.name)], folder, ZoneInfo("UTC")).as_document()
    columns = tuple(one.column for one in analysis.inferred_schema.columns)
    plan = make_plan(folder / "staged.parquet", analysis, columns, "UTC")
    bench = Bench(connection, folder, new_record_id(), plan)
    target = Target(new_record_id(), "create", bench.table_id, "orders", columns)
    with open_converter(folder) as converter:
        load_rows(connection, converter, target, plan, lambda _: None)
    return bench


Case = tuple[Callable[[Bench], None], Callable[[Bench], None]]  # what comes before, and what is measured


def _fill(bench: Bench) -> None:
    bench.empty()
    bench.load("append")


def _fill_half(bench: Bench) -> None:
    """Leave half of the rows, half of them changed."""
    _fill(bench)
    bench.execute("DELETE FROM public.orders WHERE pedido % 2 = 0")
    bench.execute("UPDATE public.orders SET quantidade = quantidade + 1 WHERE pedido % 4 = 1")


def _change_all(bench: Bench) -> None:
    _fill(bench)
    bench.execute("UPDATE public.orders SET quantidade = quantidade + 1")


def _replace_without_undo(bench: Bench) -> None:
    with patch.object(loading, "keep_rows", lambda *_: None):
        bench.load("replace")


_UPSERTS: dict[str, Case] = {
    "append": (Bench.empty, lambda bench: bench.load("append")),
    "upsert, all rows new": (Bench.empty, lambda bench: bench.load("upsert")),
    "upsert, 1/2 new, 1/4 changed": (_fill_half, lambda bench: bench.load("upsert")),
    "upsert, nothing changed": (_fill, lambda bench: bench.load("upsert")),
    "upsert, all rows changed": (_change_all, lambda bench: bench.load("upsert")),
}
_REPLACEMENTS: dict[str, Case] = {
    "replace, nothing kept": (_fill, _replace_without_undo),
    "replace": (_fill, lambda bench: bench.load("replace")),
}


def _measure(bench: Bench, cases: dict[str, Case]) -> dict[str, tuple[float, float]]:
    """Return the median seconds and processor seconds of each case, in turns."""
    found: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for _ in range(_ROUNDS):
        for name, (prepare, work) in cases.items():
            prepare(bench)
            bench.execute("VACUUM ANALYZE public.orders")
            bench.execute("CHECKPOINT")
            seconds, processor = time.perf_counter(), _processor_seconds(bench.connection)
            work(bench)
            found[name].append(
                (time.perf_counter() - seconds, _processor_seconds(bench.connection) - processor)
            )
    return {
        name: (median(one for one, _ in times), median(one for _, one in times))
        for name, times in found.items()
    }


def _processor_seconds(connection: PgConnection) -> float:
    return own_seconds() + backend_seconds(connection)


def _print(title: str, found: dict[str, tuple[float, float]], base: str) -> None:
    print(f"\n{title:34}{'s':>9}{'ratio':>8}{'cpu s':>9}{'ratio':>8}")
    for name, (seconds, processor) in found.items():
        beside = seconds / found[base][0], processor / found[base][1]
        print(f"{name:34}{seconds:9.2f}{beside[0]:8.2f}{processor:9.2f}{beside[1]:8.2f}", flush=True)
