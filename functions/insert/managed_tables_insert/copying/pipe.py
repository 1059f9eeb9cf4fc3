"""Pipe rows from DuckDB, which converts, to PostgreSQL's COPY, which loads: both work at once.

One batch of rows is encoded while the one before it is sent: memory holds two, whatever the file's size.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import duckdb
import nanoarrow
from duckdb import DuckDBPyConnection
from nanoarrow.c_array import CArray
from nanoarrow.c_array_stream import CArrayStream
from psycopg import Cursor, sql

from managed_tables.ahead import one_ahead
from managed_tables.catalog.job_records import PROGRESS_SECONDS
from managed_tables.clock import Pace
from managed_tables_insert.copying.binary import HEADER, TRAILER
from managed_tables_insert.copying.wire import Cells, Wire
from managed_tables_insert.plan import MISFIT

_CONVERSION_ERROR = "Conversion Error"  # of a value that a type's grammar takes and the type does not

Report = Callable[[int], None]


class MisfitFound(Exception):  # noqa: N818 - an outcome, not a fault
    """A value does not fit; nothing of the load may be committed. May carry the database's own words."""


def copy_rows(
    cursor: Cursor[tuple[object, ...]],
    statement: sql.Composed,
    connection: DuckDBPyConnection,
    wire: Wire,
    report: Report,
) -> int:
    """COPY the rows and return how many; raises MisfitFound, or what either side raised."""
    rows = 0
    pace = Pace(PROGRESS_SECONDS)
    with (
        _streamed(connection, wire) as stream,
        closing(one_ahead(_encoded(stream, wire))) as batches,
        cursor.copy(statement) as copy,
    ):
        copy.write(HEADER)
        for count, records in batches:
            copy.write(records)
            rows += count
            if pace.is_due():
                report(rows)
        copy.write(TRAILER)
    return cursor.rowcount


@contextmanager
def _streamed(connection: DuckDBPyConnection, wire: Wire) -> Iterator[CArrayStream]:
    """Begin the query; one that is left early is stopped, and the connection is free again."""
    with _translated_errors():
        stream = nanoarrow.c_array_stream(_Query(connection, wire))
    try:
        yield stream
    finally:
        stream.release()


@contextmanager
def _translated_errors() -> Iterator[None]:
    """Turn DuckDB's refusals of values into MisfitFound; in a stream they are the words of a RuntimeError."""
    try:
        yield
    except (duckdb.Error, RuntimeError) as error:
        if MISFIT in str(error):
            raise MisfitFound from error
        if _CONVERSION_ERROR in str(error):
            raise MisfitFound(str(error)) from error
        raise


class _Query:
    """A query as nanoarrow takes it."""

    def __init__(self, connection: DuckDBPyConnection, wire: Wire) -> None:
        # The relation's own stream has batches of 131,072 rows: of 1,500 columns more than memory holds.
        self._stream = connection.sql(wire.plan.select_rows(wire.columns))._submit("stream", wire.batch_rows)

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._stream.arrow_capsule()


def _encoded(stream: CArrayStream, wire: Wire) -> Iterator[tuple[int, memoryview]]:
    """Yield the number of rows of each batch, and their records."""
    with _translated_errors():
        for batch in stream:
            yield batch.length, wire.encode(batch.length, _cells(batch)).data


def _cells(batch: CArray) -> dict[str, Cells]:
    columns = zip(batch.schema.children, batch.view().children, strict=True)
    return {
        schema.name: Cells(
            batch.length, column.null_count, [column.buffer(n) for n in range(column.n_buffers)]
        )
        for schema, column in columns
    }
