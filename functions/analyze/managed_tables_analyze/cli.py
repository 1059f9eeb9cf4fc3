"""Run the offline tool: `managed-tables analyze [--rows-dir DIR] FILE…`, one JSON object per line.

What is stated about the reading (`--delimiter`, `--header-line`, …) holds for every file and sheet. Each file
is analysed in a child process of bounded memory and time, so that none can stop the others.
"""

import argparse
import codecs
import csv
import os
import resource
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict
from multiprocessing import active_children, get_context, parent_process
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from managed_tables import exact_json
from managed_tables.conversion.marked_cells import unmarked
from managed_tables.documents.analyses import FileWarning, InferredSchema
from managed_tables.documents.document import Document, JobFailure
from managed_tables.documents.statements import TableStatement
from managed_tables.errors import FILE_EMPTY, FILE_NOT_TABULAR, JobError
from managed_tables.jobs.staged_rows import staged_rows
from managed_tables.settings import DEFAULT_TIMEZONE
from managed_tables.wording import why_not_opened
from managed_tables_analyze.analysis import Analysis, analyze
from managed_tables_analyze.staging.sql import open_duckdb
from managed_tables_reader.reading_files import SourceFile, Weighed
from managed_tables_reader.rows.reading import NOTHING_STATED, SameOverrides

_MAX_SECONDS = 900  # what a Lambda has
_MAX_MEMORY_BYTES = 32 * 1_024**3  # of address space: DuckDB reserves 6.8 GB for 900 columns, and uses 0.3
_FILES_A_CHILD = 200  # after so many, a fresh child: whatever leaked is gone
_FETCHED_ROWS = 10_000
_STATED = ("sheet", "encoding", "delimiter", "header_line", "first_line", "last_line")
_SIGNS = {"tab": "\t", "\\t": "\t", "espaço": " ", "nenhum": ""}


class FileResult(Document):
    """What is printed of a file; only its name and the error where it is refused."""

    file: str
    dialect: dict[str, str | int | None] | None  # of the first table
    reading: dict[str, Any] | None  # each table with the candidates weighed for it, to be explained
    inferred_schema: InferredSchema | None
    warnings: list[FileWarning]
    error: JobFailure | None


Show = Callable[[Mapping[str, Any]], None]


def main(arguments: Sequence[str] | None = None, explain: Show | None = None) -> int:
    """Run the tool; return 1 if a file is refused, else 0. `explain` shows a result with `--explain`."""
    parser = _parser()
    options = parser.parse_args(arguments)
    show = explain if options.explain and explain else _print_json
    rows_dir: Path | None = options.rows_dir
    if rows_dir is not None:
        if len({file.name for file in options.files}) < len(options.files):
            parser.error("--rows-dir: dois arquivos têm o mesmo nome, e seriam gravados no mesmo")
        rows_dir.mkdir(parents=True, exist_ok=True)
    is_refused = False
    for result in _results(options):
        is_refused = is_refused or result.error is not None
        show(result.as_json())
    return int(is_refused)


def _print_json(result: Mapping[str, Any]) -> None:
    sys.stdout.buffer.write(exact_json.dumps(result) + b"\n")
    sys.stdout.buffer.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="managed-tables analyze",
        description="Lê arquivos como um envio, sem AWS nem banco de dados: um objeto JSON por linha.",
    )
    parser.add_argument("--rows-dir", type=Path, metavar="DIR", help="grava também DIR/<arquivo>.csv")
    parser.add_argument(
        "--explain",
        action="store_true",
        help="mostra como cada arquivo foi lido, e as alternativas",
    )
    stated = parser.add_argument_group("o que já se sabe do arquivo")
    stated.add_argument("--delimiter", metavar="SINAL", help="separador das colunas; tab, espaço ou nenhum")
    stated.add_argument(
        "--encoding", type=_encoding, metavar="NOME", help="codificação, como utf-8 ou cp1252"
    )
    stated.add_argument(
        "--header-line", type=_line, metavar="LINHA", help="linha do cabeçalho; 0 se não há nenhum"
    )
    stated.add_argument("--first-line", type=_line, metavar="LINHA", help="primeira linha de dados")
    stated.add_argument("--last-line", type=_line, metavar="LINHA", help="última linha de dados")
    stated.add_argument("--sheet", metavar="ABA", help="a aba a ler, e nenhuma outra")
    parser.add_argument("files", nargs="+", type=Path, metavar="ARQUIVO")
    return parser


def _overrides_of(options: argparse.Namespace) -> SameOverrides:
    given = {name: getattr(options, name) for name in _STATED if getattr(options, name) is not None}
    if "header_line" in given:
        given["header_line"] = given["header_line"] or None
    if "delimiter" in given:
        given["delimiter"] = _SIGNS.get(options.delimiter, options.delimiter)
    return SameOverrides(NOTHING_STATED.stated, table=TableStatement(file=0, **given))


def _encoding(name: str) -> str:
    try:
        codecs.lookup(name)
        "".encode(name)  # codecs of bytes, such as base64, are not encodings
    except LookupError as error:
        raise argparse.ArgumentTypeError(f"{name} não é uma codificação") from error
    return name


def _line(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text} não é uma linha")
    return number


def _results(options: argparse.Namespace) -> Iterator[FileResult]:
    """Analyse file after file in a child process; a fresh one follows one that died or has read many."""
    left = deque(options.files)
    while left:
        with ProcessPoolExecutor(1, get_context("spawn"), _bound_child) as child:
            for _ in range(min(len(left), _FILES_A_CHILD)):
                file, started = left.popleft(), time.monotonic()
                with TemporaryDirectory(prefix="managed-tables-", ignore_cleanup_errors=True) as work_dir:
                    try:
                        yield child.submit(_analyze_file, file, options, Path(work_dir)).result()
                    except BrokenProcessPool:
                        is_late = time.monotonic() - started >= _MAX_SECONDS
                        late = f"a leitura passou de {_MAX_SECONDS} segundos"
                        reason = late if is_late else "a leitura foi interrompida pelo conteúdo do arquivo"
                        yield _refused(file, JobError(FILE_NOT_TABULAR, file=file.name, reason=reason))
                        break
                    except KeyboardInterrupt:  # which a child need not have got: it would end its file first
                        for process in active_children():
                            process.kill()
                        raise


def _bound_child() -> None:
    os.dup2(2, 1)  # standard output is for results: whatever a library writes goes elsewhere
    resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY_BYTES, _MAX_MEMORY_BYTES))
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if parent := parent_process():
        parent.join()
        os._exit(1)


def _analyze_file(file: Path, options: argparse.Namespace, work_dir: Path) -> FileResult:
    signal.alarm(_MAX_SECONDS)  # which ends this process
    target = None if options.rows_dir is None else options.rows_dir / f"{file.name}.csv"
    overrides, zone = _overrides_of(options), ZoneInfo(DEFAULT_TIMEZONE)
    try:
        weighed: Weighed | None = {} if options.explain else None
        found = analyze([SourceFile(file, file.name)], work_dir, zone, overrides=overrides, weighed=weighed)
        if target is not None:
            write_rows(found, target, work_dir)
        reading = found.reading.as_json()
        if weighed is not None:
            reading["tables"] = [
                {
                    **table.model_dump(),
                    "candidates": list(map(asdict, weighed.get((table.name, table.sheet), ()))),
                }
                for table in found.reading.tables
            ]
        return FileResult(
            file=str(file),
            dialect=found.dialect.model_dump(include={"encoding", "delimiter", "quote", "header_line"}),
            reading=reading,
            inferred_schema=found.document.inferred_schema,
            warnings=found.document.warnings,
            error=None,
        )
    except JobError as error:
        if target is not None and error.kind is FILE_EMPTY:
            target.write_bytes(b"")  # no rows, as in the file
        return _refused(file, error)
    except BaseException as error:  # a library's panic, too: reported, and the next file is read
        if isinstance(error, OSError):
            reason = why_not_opened(error)
        elif isinstance(error, (MemoryError, duckdb.OutOfMemoryException)):
            reason = "faltou memória para a leitura"
        else:
            reason = f"{type(error).__name__}: {error}"[:500]
        return _refused(file, JobError(FILE_NOT_TABULAR, file=file.name, reason=reason))
    finally:
        signal.alarm(0)  # it may wait long for the next file


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
