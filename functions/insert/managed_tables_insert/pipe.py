"""Pipe rows from DuckDB, which converts, to PostgreSQL's COPY, which loads: both work at once.

DuckDB writes CSV into a pipe of the operating system from a thread of its own; the bytes go to
PostgreSQL unchanged. Memory holds only what is in the pipe, whatever the size of the file.
"""

import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import duckdb
from duckdb import DuckDBPyConnection
from psycopg import Cursor, sql

from managed_tables.catalog.job_records import PROGRESS_SECONDS
from managed_tables.clock import Pace
from managed_tables_insert.plan import MISFIT

CHUNK_BYTES = 262_144
PIPE_BYTES = 1_048_576  # the most that Linux gives an unprivileged process: fewer turns between the two
_SET_PIPE_SIZE = getattr(fcntl, "F_SETPIPE_SZ", None)  # Linux only

Report = Callable[[int], None]


class MisfitFound(Exception):  # noqa: N818 - an outcome, not a fault
    """A value does not fit; nothing of the load may be committed. May carry PostgreSQL's own words."""


def copy_rows(
    cursor: Cursor[tuple[object, ...]],
    statement: sql.Composed,
    connection: DuckDBPyConnection,
    query: str,
    row_start: bytes,
    report: Report,
) -> int:
    """COPY the rows of `query` and return how many; raises MisfitFound, or what either side raised.

    `row_start` is what each row begins with: by it rows are counted for `report`.
    """
    counter = _RowCounter(b"\n" + row_start, report)
    with _converted(connection, query) as chunks, cursor.copy(statement) as copy:
        for chunk in chunks:
            copy.write(chunk)
            counter.add(chunk)
    return cursor.rowcount


class _RowCounter:
    """Counts rows as they pass; one whose start is split over two chunks is missed: it is progress only."""

    def __init__(self, start: bytes, report: Report) -> None:
        self._start, self._report = start, report
        self._rows = 0
        self._pace = Pace(PROGRESS_SECONDS)

    def add(self, chunk: bytes) -> None:
        self._rows += chunk.count(self._start)
        if self._pace.is_due():
            self._report(self._rows)


@contextmanager
def _converted(connection: DuckDBPyConnection, query: str) -> Iterator[Iterator[bytes]]:
    """Give the CSV of `query` in chunks; a failure of DuckDB is raised where the chunks end."""
    reading, writing = os.pipe()
    if _SET_PIPE_SIZE is not None:
        with suppress(OSError):  # a system that grants less is only slower
            fcntl.fcntl(writing, _SET_PIPE_SIZE, PIPE_BYTES)
    writer = _Writer(connection, query, writing)
    writer.start()
    try:
        yield _chunks(reading, writer)
    finally:
        # DuckDB may still write: it is told to stop, and writing to a pipe that nobody reads fails.
        if writer.is_alive():
            connection.interrupt()
        os.close(reading)
        writer.join()


def _chunks(reading: int, writer: "_Writer") -> Iterator[bytes]:
    while chunk := os.read(reading, CHUNK_BYTES):
        yield chunk
    writer.join()
    if writer.error is not None:
        if MISFIT in str(writer.error):
            raise MisfitFound from writer.error
        raise writer.error


class _Writer(threading.Thread):
    """Runs the conversion; closes its end of the pipe whatever happens, so that the reader ends too."""

    def __init__(self, connection: DuckDBPyConnection, query: str, writing: int) -> None:
        super().__init__(name="conversion", daemon=True)
        self._connection, self._query, self._writing = connection, query, writing
        self.error: duckdb.Error | None = None

    def run(self) -> None:
        # Not /dev/fd: a Lambda's /dev has nothing of descriptors that are opened later.
        target = f"/proc/self/fd/{self._writing}"
        try:
            self._connection.execute(f"COPY ({self._query}) TO '{target}' (FORMAT csv, HEADER false)")
        except duckdb.Error as error:
            self.error = error
        finally:
            os.close(self._writing)
