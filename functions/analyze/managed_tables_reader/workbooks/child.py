"""The program that reads one workbook under bounds: `python -m managed_tables_reader.workbooks.child`.

Arguments: the kind of file, its path, the seconds of processor time it may take, the characters that Parquet
may hold. Frames go to standard
output. A crash of a parser, an endless loop or a lack of memory ends this process and nothing else.
"""

import gc
import os
import resource
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from pkgutil import resolve_name
from typing import IO

from managed_tables.errors import WORKBOOK_CORRUPT, WORKBOOK_TOO_LARGE
from managed_tables_reader.files.kinds import Kind
from managed_tables_reader.rows.sheets import LABEL_ROWS, Batch
from managed_tables_reader.workbooks.raw import FrameKind, RawSheet, WorkbookError, write_frame

MAX_SHEETS = 2_000  # each costs the parent milliseconds, and a few bytes of a file may state thousands
MAX_MEMORY_BYTES = 1 << 30  # leaves the other half of a 2 GB Lambda to the parent

Reader = Callable[[Path], Iterator[RawSheet]]

_READERS = {  # to be tried in turn; each brings libraries that the others do not need
    Kind.XLSX: ("xlsx.workbook:read_xlsx",),
    Kind.XLSB: ("calamine:read_calamine",),
    Kind.XLS: ("xls:read_xls", "calamine:read_calamine"),
    Kind.ODS: ("ods:read_ods",),
    Kind.HTML: ("html:read_html",),
    Kind.SPREADSHEETML: ("spreadsheetml:read_spreadsheetml",),
    Kind.JSON: ("json_objects:read_json",),
    Kind.JSON_LINES: ("json_objects:read_json_lines",),
    Kind.PARQUET: ("parquet:read_parquet",),
}


def main(arguments: Sequence[str]) -> int:
    """Read the file and report; return 0 even for a refused file, which is a report, not a failure."""
    kind, path, cpu_seconds, max_characters = Kind(arguments[0]), Path(arguments[1]), *map(int, arguments[2:])
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    gc.disable()  # rows are millions of small objects without cycles: the search takes a fifth of the time
    output = sys.stdout.buffer
    write_frame(output, FrameKind.STARTED)
    output.flush()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stderr.fileno())  # which the parent reads only if no report comes
    os.close(nowhere)
    try:
        _read(_readers(kind, max_characters), path, output)
    except WorkbookError as error:
        write_frame(output, FrameKind.FAILED, (error.kind.code, str(error)))
    except MemoryError:
        reason = f"para ser lida precisa de mais de {MAX_MEMORY_BYTES >> 20} MB de memória"
        write_frame(output, FrameKind.FAILED, (WORKBOOK_TOO_LARGE.code, reason))
    output.flush()
    return 0


def _readers(kind: Kind, max_characters: int) -> list[Reader]:
    readers = [resolve_name(f"managed_tables_reader.workbooks.{name}") for name in _READERS[kind]]
    return [partial(readers[0], max_characters=max_characters)] if kind is Kind.PARQUET else readers


def _read(readers: Sequence[Reader], path: Path, output: IO[bytes]) -> None:
    """Write what the first reader that can read the file yields; raise the first one's error if none can."""
    refusal: WorkbookError | None = None
    for reader in readers:
        sheets_written = 0
        try:
            for sheet in reader(path):
                if sheets_written == MAX_SHEETS:
                    raise WorkbookError(f"tem mais de {MAX_SHEETS} abas", WORKBOOK_TOO_LARGE)
                sheets_written += 1
                _write_sheet(sheet, output)
            write_frame(output, FrameKind.DONE)
            return
        except WorkbookError as error:
            refusal = refusal or error
            if sheets_written:
                raise
    raise refusal or WorkbookError(WORKBOOK_CORRUPT.sentence)


def _write_sheet(sheet: RawSheet, output: IO[bytes]) -> None:
    tally = sheet.tally
    first: list[Batch] = []  # with which the dates among the first rows are known
    batches = sheet.storable()
    while sum(map(len, first)) < LABEL_ROWS and (batch := next(batches, None)):
        first.append(batch)
    stated = sheet.name, sheet.visible, tally.shown_dates, sheet.labels, sheet.types
    write_frame(output, FrameKind.SHEET, stated)
    for batch in chain(first, batches):
        tally.see(batch)
        write_frame(output, FrameKind.ROWS, (batch.numbers, batch.columns))
    output.flush()
    write_frame(output, FrameKind.SHEET_END, (tally.findings(), tally.merged))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
