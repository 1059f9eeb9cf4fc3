"""Measure imports: analyze and insert of each kind of file, beside other programs.

Everything is measured in one run, three times over, each step in a process of its own, without AWS. The
yardsticks: COPY of the equivalent clean CSV into the same table with its key made by the database (`copy`);
calamine reading the workbook alone. `cpu/copy` is the processor time of analyze and insert, PostgreSQL's
included, beside that of COPY.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import psycopg

from benchmarks.files import BYTES_A_ROW, Orders, make_orders
from managed_tables.databases.migrations import migrate
from managed_tables_local.postgres import open_server, remove_server

_READER = "bench_ro"
_MIB = 1_048_576
_ZIP_PARTS = 10
_SAMPLE_SECONDS = 0.02
_ROUNDS = 3  # of which the medians are told: machines are shared


@dataclass(frozen=True)
class Case:
    """A kind of file and how many rows it has."""

    name: str
    rows: int
    write: Callable[[Orders], Path]


@dataclass(frozen=True)
class Measured:
    """A step's seconds, those of the processor, and its peak memory."""

    seconds: float
    processor: float
    peak_mib: float


@dataclass(frozen=True)
class Round:
    """One measurement of a file: its steps, and the yardsticks' seconds beside them."""

    copied: Measured
    analysed: Measured
    inserted: Measured
    calamine: float | None

    def insert_beside_copy(self) -> float:
        """Return insert's seconds as a ratio to COPY's."""
        return self.inserted.seconds / self.copied.seconds

    def both_beside_copy(self) -> float:
        """Return the seconds of both steps as a ratio to COPY's."""
        return (self.analysed.seconds + self.inserted.seconds) / self.copied.seconds

    def processor_beside_copy(self) -> float:
        """Return the processor time of both steps as a ratio to COPY's."""
        return (self.analysed.processor + self.inserted.processor) / self.copied.processor

    def beside_calamine(self) -> float:
        """Return analyze's seconds as a ratio to those of reading the workbook alone."""
        return self.analysed.seconds / (self.calamine or 1)


def cases(small: bool) -> list[Case]:
    """Return the files to measure; small ones have a tenth of the rows."""
    share = 10 if small else 1
    ten, hundred = 10 * _MIB // BYTES_A_ROW // share, 100 * _MIB // BYTES_A_ROW // share
    return [
        Case("CSV brasileiro 10 MB", ten, Orders.brazilian_csv),
        Case("CSV brasileiro 100 MB", hundred, Orders.brazilian_csv),
        Case("CSV limpo 10 MB", ten, Orders.clean_csv),
        Case("CSV limpo 100 MB", hundred, Orders.clean_csv),
        Case("XLSX 300.000 × 10", 300_000 // share, Orders.xlsx),
        Case("XLS 65.000 × 10", 65_000 // share, Orders.xls),
        Case("ZIP de 10 CSVs, 100 MB", hundred, lambda orders: orders.zipped(_ZIP_PARTS)),
    ]


def run(small: bool) -> None:
    """Measure every case and print the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = open_server(folder / "postgres")
        server.start()
        try:
            dsn = prepare_database(server.dsn)
            _print_header()
            for case in cases(small):
                _measure_case(case, folder, dsn)
        finally:
            remove_server(folder / "postgres")


def prepare_database(dsn: str) -> str:
    with psycopg.connect(dsn, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {_READER}")
        migrate(admin, _READER)
    return dsn


def _print_header() -> None:
    titles = ["file", "MiB", "analyze s", "MiB", "insert s", "MiB", "copy s"]
    titles += ["insert/copy", "both/copy", "cpu/copy", "calamine s", "an./calam."]
    print(f"{titles[0]:26}" + "".join(f"{title:>12}" for title in titles[1:]), flush=True)


def _measure_case(case: Case, folder: Path, dsn: str) -> None:
    """Measure a file several times over; seconds and ratios are medians, the ratios of the rounds' own."""
    orders = make_orders(folder / "files", case.rows)
    file, clean = case.write(orders), orders.clean_csv()
    measured = [_measure_round(file, clean, folder, dsn) for _ in range(_ROUNDS)]

    def middle(figure: Callable[[Round], float]) -> str:
        return f"{median(map(figure, measured)):.2f}"

    reader_alone = ["–", "–"]
    if measured[0].calamine is not None:
        reader_alone = [middle(lambda one: one.calamine or 0), middle(Round.beside_calamine)]
    figures = [
        f"{file.stat().st_size / _MIB:.1f}",
        middle(lambda one: one.analysed.seconds),
        f"{max(one.analysed.peak_mib for one in measured):.0f}",
        middle(lambda one: one.inserted.seconds),
        f"{max(one.inserted.peak_mib for one in measured):.0f}",
        middle(lambda one: one.copied.seconds),
        middle(Round.insert_beside_copy),
        middle(Round.both_beside_copy),
        middle(Round.processor_beside_copy),
        *reader_alone,
    ]
    print(f"{case.name:26}" + "".join(f"{figure:>12}" for figure in figures), flush=True)


def _measure_round(file: Path, clean: Path, folder: Path, dsn: str) -> Round:
    with tempfile.TemporaryDirectory(dir=folder) as work:
        copied = _step("copy", clean, dsn)
        analysed = _step("analyze", work, file)
        inserted = _step("insert", work, dsn)
    is_workbook = file.suffix in (".xlsx", ".xls")
    return Round(copied, analysed, inserted, _step("calamine", file).seconds if is_workbook else None)


def _step(name: str, *arguments: object) -> Measured:
    return measure("benchmarks.import_step", name, *arguments)


def measure(module: str, *arguments: object) -> Measured:
    """Run a module that prints its seconds and the processor's, in a process of its own."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    peak_kib = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        while process.poll() is None:
            peak_kib = max(peak_kib, sum(map(_peak_kib, _family(process.pid))))
            time.sleep(_SAMPLE_SECONDS)
        answer = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    seconds, processor = map(float, answer.split())
    return Measured(seconds, processor, peak_kib / 1024)


def _family(pid: int) -> list[int]:
    """Return the process and its descendants, those that a workbook is read in among them (Linux)."""
    children: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            children += map(int, task.read_text().split())
    return [pid, *(one for child in children for one in _family(child))]


def _peak_kib(pid: int) -> int:
    """Return the most memory that the process has held: rusage would count its parent's before exec."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return 0
