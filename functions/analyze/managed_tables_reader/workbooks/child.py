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
from typing import IO

from managed_tables.errors import WORKBOOK_CORRUPT, WORKBOOK_TOO_LARGE
from managed_tables_reader.files.kinds import Kind
from managed_tables_reader.rows.sheets import LABEL_ROWS, Batch
from managed_tables_reader.workbooks.raw import FrameKind, RawSheet, WorkbookError, write_frame

MAX_MEMORY_BYTES = 1 << 30  # leaves the other half of a 2 GB Lambda to the parent

Reader = Callable[[Path], Iterator[RawSheet]]


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
    """Return the readers to try in turn; each brings libraries that the others do not need."""
    if kind is Kind.XLSX:
        from managed_tables_reader.workbooks.xlsx.workbook import read_xlsx

        return [read_xlsx]
    if kind is Kind.XLS:
        from managed_tables_reader.workbooks.calamine import read_calamine
        from managed_tables_reader.workbooks.xls import read_xls

        return [read_xls, read_calamine]
    if kind is Kind.ODS:
        from managed_tables_reader.workbooks.ods import read_ods

        return [read_ods]
    if kind is Kind.HTML:
        from managed_tables_reader.workbooks.html import read_html

        return [read_html]
    if kind in (Kind.JSON, Kind.JSON_LINES):
        from managed_tables_reader.workbooks.records.json_objects import read_json

        return [partial(read_json, are_lines=kind is Kind.JSON_LINES)]
    if kind is Kind.PARQUET:
        from managed_tables_reader.workbooks.records.parquet import read_parquet

        return [partial(read_parquet, max_characters=max_characters)]
    if kind is Kind.SPREADSHEETML:
        from managed_tables_reader.workbooks.spreadsheetml import read_spreadsheetml

        return [read_spreadsheetml]
    from managed_tables_reader.workbooks.calamine import read_calamine

    return [read_calamine]


def _read(readers: Sequence[Reader], path: Path, output: IO[bytes]) -> None:
    """Write what the first reader that can read the file yields; raise the first one's error if none can."""
    refusal: WorkbookError | None = None
    for reader in readers:
        sheets_written = 0
        try:
            for sheet in reader(path):
                sheets_written += 1
                _write_sheet(sheet, output)
            write_frame(output, FrameKind.DONE)
        except WorkbookError as error:
            refusal = refusal or error
            if sheets_written:
                raise
        else:
            return
    raise refusal or WorkbookError(WORKBOOK_CORRUPT.sentence)


def _write_sheet(sheet: RawSheet, output: IO[bytes]) -> None:
    tally = sheet.tally
    first: list[Batch] = []  # with which the dates among the first rows are known
    while sum(map(len, first)) < LABEL_ROWS and (batch := next(sheet.batches, None)):
        first.append(batch)
    write_frame(
        output,
        FrameKind.SHEET,
        (sheet.name, sheet.visible, tally.shown_dates, sheet.labels, sheet.types),
    )
    for batch in chain(first, sheet.batches):
        tally.see(batch)
        write_frame(output, FrameKind.ROWS, (batch.numbers, batch.columns))
    output.flush()
    write_frame(output, FrameKind.SHEET_END, (tally.findings(), tally.merged))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
