"""Report how far DuckDB is with a query, since a query of a large file takes minutes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from duckdb import DuckDBPyConnection

_LOOK_SECONDS = 1.0  # the job's record is written far less often


@contextmanager
def watched(
    connection: DuckDBPyConnection, report: Callable[[int], None], first: int, last: int
) -> Iterator[None]:
    """Report `first` to `last` percent while a query goes from none to all of its rows, then `last`."""
    ended = Event()

    def watch() -> None:
        while not ended.wait(_LOOK_SECONDS):
            report(first + round((last - first) * max(0.0, connection.query_progress()) / 100))

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()
    report(last)
