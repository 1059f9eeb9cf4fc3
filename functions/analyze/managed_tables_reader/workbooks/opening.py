"""Start the child process that reads a workbook, limit it, and yield its sheets as they come."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, cast

from managed_tables.errors import (
    WORKBOOK_CORRUPT,
    WORKBOOK_ENCRYPTED,
    WORKBOOK_TOO_LARGE,
    JobError,
    JobErrorKind,
)
from managed_tables.messages.findings import Finding
from managed_tables_reader.files.archives import MAX_UNPACKED_BYTES
from managed_tables_reader.files.kinds import Kind
from managed_tables_reader.rows.sheets import Batch, MergedRange, Sheet
from managed_tables_reader.workbooks.raw import FrameKind, read_frame

_MIN_SECONDS = 20  # a small file is read in a second, even by a cold Lambda
_SECONDS_PER_MB = 10  # twenty times what it takes
_MAX_SECONDS = 600  # a Lambda has 900, and there is more to do
_PIPE_BYTES = 1 << 20  # room for several batches: the child, which takes longer, waits for nobody
_STDERR_BYTES = 10_000  # of a child that did not start
_LIBRARY_PATH = "LD_LIBRARY_PATH"


def read_workbook(
    path: Path, kind: Kind, name: str, max_characters: int = MAX_UNPACKED_BYTES
) -> Iterator[Sheet]:
    """Yield the sheets of a workbook, HTML, SpreadsheetML, JSON or Parquet, each to be read before the next.

    `name` is the file's name as a person knows it; Parquet may hold `max_characters`. Raises JobError
    (`WORKBOOK_…`) where the file cannot be read, at any point until the last row.
    """
    if kind is Kind.ENCRYPTED_WORKBOOK:
        raise JobError(WORKBOOK_ENCRYPTED, file=name)
    with _child(path, kind, name, max_characters) as frames:
        for frame, body in frames:
            if frame is FrameKind.SHEET:
                sheet = _sheet(body, frames, has_numbers=kind is not Kind.HTML)
                yield sheet
                for _ in sheet.batches:  # skip what the caller did not read
                    pass


def _sheet(body: Any, frames: Iterator[tuple[FrameKind, Any]], *, has_numbers: bool) -> Sheet:
    name, visible, shown_dates, labels, types = body
    findings, merged_down = list[Finding](), list[MergedRange]()

    def batches() -> Iterator[Batch]:
        for frame, content in frames:
            if frame is FrameKind.SHEET_END:
                merged_down.extend(map(tuple, content[1]))
                for code, count, values, places in content[0]:
                    lines = tuple(values.pop("lines", ()))
                    findings.append(Finding(code, values, count, lines, places=tuple(places)))
                return
            yield Batch(*content)

    return Sheet(name, visible, batches(), findings, has_numbers, shown_dates, merged_down, labels, types)


@contextmanager
def _child(
    path: Path, kind: Kind, name: str, max_characters: int
) -> Iterator[Iterator[tuple[FrameKind, Any]]]:
    """Run the child process and yield its frames; it is killed when the context is left."""
    seconds = min(_MAX_SECONDS, _MIN_SECONDS + _SECONDS_PER_MB * path.stat().st_size // (1 << 20))
    command = [sys.executable, "-m", "managed_tables_reader.workbooks.child", kind.value, path]
    command += [str(seconds), str(max_characters)]
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "PYTHONHASHSEED": "0"}
    if _LIBRARY_PATH in os.environ:  # a Lambda has libraries in several folders
        environment[_LIBRARY_PATH] = os.environ[_LIBRARY_PATH]
    with subprocess.Popen[bytes](  # our own module, by the interpreter that runs us
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        pipesize=_PIPE_BYTES,
    ) as process:
        try:
            _await_start(process)
            yield _frames(process, name)
        finally:
            process.kill()


def _await_start(process: subprocess.Popen[bytes]) -> None:
    """Wait until the child runs; if it does not, raise a fault, to be retried: the file is not to blame."""
    first = read_frame(cast("IO[bytes]", process.stdout))
    if first is not None and first[0] is FrameKind.STARTED:
        return
    process.kill()
    message = cast("IO[bytes]", process.stderr).read(_STDERR_BYTES).decode(errors="replace").strip()
    raise ChildProcessError(f"the workbook reader did not start (exit status {process.wait()}): {message}")


def _frames(process: subprocess.Popen[bytes], name: str) -> Iterator[tuple[FrameKind, Any]]:
    while frame := read_frame(cast("IO[bytes]", process.stdout)):
        kind, body = frame
        if kind is FrameKind.DONE:
            return
        if kind is FrameKind.FAILED:
            raise JobError(JobErrorKind(body[0]), file=name, reason=body[1])
        yield kind, body
    if process.wait() == -signal.SIGXCPU:  # it only computes and writes: its processor time is the limit
        raise JobError(WORKBOOK_TOO_LARGE, file=name, reason="a leitura passou do tempo permitido")
    raise JobError(WORKBOOK_CORRUPT, file=name, reason="a leitura foi interrompida pelo conteúdo do arquivo")
