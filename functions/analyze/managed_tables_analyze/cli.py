"""Run the offline tool: `managed-tables analyze [--rows-dir DIR] FILE…`, one JSON object per line.

What is stated about the reading (`--delimiter`, `--header-line`, …) holds for every file and sheet. Each file
is analysed in a child process of bounded memory and time, so that none can stop the others.
"""

import argparse
import csv
import multiprocessing
import os
import resource
import shutil
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from managed_tables import exact_json
from managed_tables.conversion.workbook_cells import unmarked
from managed_tables.documents.analyses import FileWarning, InferredSchema, JobReading, TableReading
from managed_tables.documents.document import Document
from managed_tables.documents.progress import JobFailure
from managed_tables.errors import FILE_EMPTY, FILE_NOT_TABULAR, JobError
from managed_tables.jobs.staged_rows import staged_rows
from managed_tables.settings import DEFAULT_TIMEZONE
from managed_tables_analyze.analysis import Analysis, FileDialect, analyze
from managed_tables_analyze.staging.sql import open_duckdb
from managed_tables_analyze.stated_options import add_stated_options, overrides_of
from managed_tables_reader.candidates import Candidate, Weighed, candidates_of, weigh
from managed_tables_reader.reading_files import SourceFile
from managed_tables_reader.rows.reading import AllOverrides

_MAX_SECONDS = 900  # what a Lambda has
_MAX_MEMORY_BYTES = 32 * 1_024**3  # of address space: DuckDB reserves 6.8 GB for 900 columns, and uses 0.3
_FILES_A_CHILD = 200  # after so many, a fresh child: whatever leaked is gone
_FETCHED_ROWS = 10_000


class ExplainedTable(TableReading):
    """How a file or sheet was read, and the candidates that were weighed for it."""

    candidates: list[Candidate]


class ExplainedReading(Document):
    """How a file was read, with the candidates of each table."""

    timezone: str
    tables: list[ExplainedTable]


class FileResult(Document):
    """What is printed of a file; only its name and the error where it is refused."""

    file: str
    dialect: FileDialect | None
    reading: JobReading | ExplainedReading | None
    inferred_schema: InferredSchema | None
    warnings: list[FileWarning]
    error: JobFailure | None


Show = Callable[[Mapping[str, Any]], None]


def main(arguments: Sequence[str] | None = None, explain: Show | None = None) -> int:
    """Run the tool and return its exit status: 1 if a file is refused, as its result says, else 0.

    `explain` shows a result with `--explain`; without it, that is JSON, too.
    """
    options = _parser().parse_args(arguments)
    show = explain if options.explain and explain else _print_json
    rows_dir: Path | None = options.rows_dir
    if rows_dir is not None:
        rows_dir.mkdir(parents=True, exist_ok=True)
    with _Child(_Task(rows_dir, overrides_of(options), options.explain)) as child:
        is_refused = False
        for file in options.files:
            result = child.analyze(file)
            is_refused = is_refused or result.error is not None
            show(result.as_json())
    return int(is_refused)


def _print_json(result: Mapping[str, Any]) -> None:
    sys.stdout.buffer.write(exact_json.dumps(result) + b"\n")
    sys.stdout.buffer.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="managed-tables", description="Reads files as an upload would, without AWS or a database."
    )
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser(
        "analyze", help="print what analyze makes of each file, one JSON object a line"
    )
    command.add_argument("--rows-dir", type=Path, metavar="DIR", help="also write DIR/<file name>.csv")
    command.add_argument(
        "--explain", action="store_true", help="show how each file was read, and what else was weighed"
    )
    add_stated_options(command)
    command.add_argument("files", nargs="+", type=Path, metavar="FILE")
    return parser


@dataclass(frozen=True)
class _Task:
    """Options for every file: where to write its rows, what is stated about it, whether to explain it."""

    rows_dir: Path | None
    overrides: AllOverrides
    explains: bool


class _Child:
    """A child process that analyses file after file, and is replaced when it dies or takes too long."""

    def __init__(self, task: _Task) -> None:
        self._task = task
        self._context = multiprocessing.get_context("spawn")
        self._temp_dir = Path(tempfile.mkdtemp(prefix="managed-tables-"))
        self._process: Any = None
        self._connection: Connection | None = None
        self._served = 0

    def __enter__(self) -> "_Child":
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()
        shutil.rmtree(self._temp_dir, ignore_errors=True)

    def analyze(self, file: Path) -> FileResult:
        """Return the file's result, or an error if the child dies or takes too long."""
        if self._served >= _FILES_A_CHILD:
            self._stop()
        if self._connection is None:
            self._start()
        self._served += 1
        assert self._connection is not None  # noqa: S101 - just started
        try:
            self._connection.send(str(file))
            if self._connection.poll(_MAX_SECONDS):
                answer: FileResult = self._connection.recv()
                return answer
            reason = f"a leitura passou de {_MAX_SECONDS} segundos"
        except (EOFError, OSError):
            reason = "a leitura foi interrompida pelo conteúdo do arquivo"
        self._stop()
        return _refused(file, JobError(FILE_NOT_TABULAR, file=file.name, reason=reason))

    def _start(self) -> None:
        ours, theirs = self._context.Pipe()
        self._process = self._context.Process(
            target=_serve, args=(theirs, self._task, self._temp_dir), daemon=False
        )
        self._process.start()
        theirs.close()
        self._connection, self._served = ours, 0

    def _stop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
            self._process.join(1)
            if self._process.is_alive():
                self._process.kill()
                self._process.join()
        for left in self._temp_dir.iterdir():
            shutil.rmtree(left, ignore_errors=True)


def _serve(connection: Connection, task: _Task, temp_dir: Path) -> None:
    os.dup2(2, 1)  # standard output is for results: whatever a library writes goes elsewhere
    resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY_BYTES, _MAX_MEMORY_BYTES))
    while True:
        try:
            file = Path(connection.recv())
        except EOFError:
            return
        work_dir = Path(tempfile.mkdtemp(dir=temp_dir))
        try:
            connection.send(_analyze_file(file, task, work_dir))
        finally:
            shutil.rmtree(work_dir, ignore_errors=True)


def _analyze_file(file: Path, task: _Task, work_dir: Path) -> FileResult:
    target = None if task.rows_dir is None else task.rows_dir / f"{file.name}.csv"
    try:
        found = analyze(
            [SourceFile(file, file.name)], work_dir, ZoneInfo(DEFAULT_TIMEZONE), frozenset(), task.overrides
        )
        if target is not None:
            write_rows(found, target, work_dir)
        weighed = weigh(file, file.name, work_dir, task.overrides) if task.explains else None
    except JobError as error:
        if target is not None and error.kind is FILE_EMPTY:
            target.write_bytes(b"")  # no rows, as in the file
        return _refused(file, error)
    except Exception as error:  # reported as the file's result, and the next one is read
        is_memory = isinstance(error, (MemoryError, duckdb.OutOfMemoryException))
        reason = "faltou memória para a leitura" if is_memory else f"{type(error).__name__}: {error}"[:500]
        return _refused(file, JobError(FILE_NOT_TABULAR, file=file.name, reason=reason))
    return FileResult(
        file=str(file),
        dialect=found.dialect,
        reading=_reading(found, weighed),
        inferred_schema=found.document.inferred_schema,
        warnings=found.document.warnings,
        error=None,
    )


def _reading(found: Analysis, weighed: Weighed | None) -> JobReading | ExplainedReading:
    """Return how each table of a file was read, with the candidates that were weighed for it, if any were."""
    if weighed is None:
        return found.reading
    tables = [
        ExplainedTable(**dict(table), candidates=candidates_of(table, weighed))
        for table in found.reading.tables
    ]
    return ExplainedReading(timezone=found.reading.timezone, tables=tables)


def _refused(file: Path, error: JobError) -> FileResult:
    failure = JobFailure.read(error.as_record())
    return FileResult(
        file=str(file), dialect=None, reading=None, inferred_schema=None, warnings=[], error=failure
    )


def write_rows(found: Analysis, target: Path, temp_dir: Path) -> None:
    """Write every row's cells in their original text: RFC 4180, UTF-8, the header as in the file."""
    columns = ", ".join(unmarked(f"c{index}") for index in range(len(found.labels)))
    with open_duckdb(temp_dir) as connection, target.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        if found.dialect.header_line is not None:
            writer.writerow([label or "" for label in found.labels])
        rows = connection.execute(f"SELECT {columns} FROM {staged_rows(found.staged)}")  # noqa: S608
        while batch := rows.fetchmany(_FETCHED_ROWS):
            writer.writerows(batch)


if __name__ == "__main__":
    sys.exit(main())
