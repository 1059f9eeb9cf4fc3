"""The rows of a file on their way: DuckDB converts, numpy encodes, PostgreSQL's COPY loads, all at once.

One batch of rows is encoded while the one before it is sent: memory holds two, whatever the file's size.
A record has its id first, then the columns in an order that lets as many as possible be written together.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import duckdb
import nanoarrow
import numpy as np
from duckdb import DuckDBPyConnection
from nanoarrow.c_array import CArray
from nanoarrow.c_array_stream import CArrayStream
from psycopg import errors as pg
from psycopg import sql

from managed_tables.ahead import one_ahead
from managed_tables.conversion.times import ZONED
from managed_tables.databases.connecting import PgConnection, is_of_an_index
from managed_tables.details import MAX_VALUE_CHARACTERS
from managed_tables.errors import KEY_VALUE_TOO_LONG, ROW_TOO_LARGE, JobError
from managed_tables.identifiers import ID_COLUMN
from managed_tables.ids import COUNTER_LOW_BITS, RANDOM_BITS, row_id, row_id_range, row_number
from managed_tables.jobs.staged_rows import ROW_NUMBER
from managed_tables.schema import ColumnType
from managed_tables_insert import binary
from managed_tables_insert.plan import MISFIT, LoadedColumn, LoadPlan, RowPlace
from managed_tables_insert.zones import Zone, find_zone

LEAST_ROWS = 1_024  # of a batch
_BATCH_CELLS = 262_144  # of most files some four megabytes; two batches are under way
# Of wide tables more cells, so that numpy's calls, some a column and batch, have rows enough to pay for them.
_WIDE_ROWS, _WIDE_CELLS = 4_096, 3_000_000
_BATCHES = 16  # at least, of which none is large where the rows are: a file has a gigabyte
_EPOCH_DAYS = 10_957  # from 1970 to 2000, where PostgreSQL counts from
_EPOCH_MICROSECONDS = _EPOCH_DAYS * 86_400 * 1_000_000
# Fields of fixed sizes first: those that follow one another are written as one.
_ORDER = (
    ColumnType.INTEGER,
    ColumnType.BOOLEAN,
    ColumnType.DATE,
    ColumnType.DATETIME,
    ColumnType.DECIMAL,
    ColumnType.TEXT,
)


@dataclass(frozen=True)
class Cells:
    """A column of a batch, as Arrow has it: `buffers` are its bits of validity, then what its type has."""

    rows: int
    null_count: int
    buffers: Sequence[Any]

    @property
    def nulls(self) -> binary.Flags | None:
        """Which rows are NULL; None for none."""
        return ~self._bits(0) if self.null_count else None

    @property
    def booleans(self) -> binary.Flags:
        """Return booleans; those of NULL are anything."""
        return self._bits(1)

    def _bits(self, buffer: int) -> binary.Flags:
        bits = np.frombuffer(self.buffers[buffer], np.uint8)
        return np.unpackbits(bits, count=self.rows, bitorder="little").view(np.bool_)

    def numbers(self, kind: str) -> binary.Ints:
        """Return values of a fixed size; those of NULL are 0."""
        numbers = np.frombuffer(self.buffers[1], kind, self.rows)
        nulls = self.nulls
        return numbers if nulls is None else np.where(nulls, 0, numbers)

    @property
    def texts(self) -> binary.Texts:
        """The texts, in UTF-8."""
        ends = np.frombuffer(self.buffers[1], np.int32, self.rows + 1).astype(np.int64)
        data = np.frombuffer(self.buffers[2], np.uint8, ends[-1])
        return binary.Texts(data, ends[:-1], np.diff(ends), self.nulls)


Batch = Mapping[str, Cells]


@dataclass(frozen=True)
class Wire:
    """The records of a plan's columns, whose ids are made from the millisecond `base_ms`.

    `zones` are those of the times without one, by name.
    """

    plan: LoadPlan
    columns: Sequence[LoadedColumn]
    base_ms: int
    zones: Mapping[str, Zone]

    @property
    def ordered(self) -> list[tuple[int, LoadedColumn]]:
        """The columns with their places, in the order of the record's fields."""
        return sorted(enumerate(self.columns), key=lambda numbered: _ORDER.index(numbered[1].column.type))

    @property
    def names(self) -> list[str]:
        """The columns' names, in the order of the record's fields, which the id's comes before."""
        return [loaded.column.name for _, loaded in self.ordered]

    @property
    def batch_rows(self) -> int:
        """How many rows are encoded at once."""
        width = len(self.columns) + 1
        rows = max(_BATCH_CELLS // width, min(_WIDE_ROWS, _WIDE_CELLS // width))
        return max(LEAST_ROWS, min(rows, self.plan.row_count // _BATCHES))

    def encode(self, rows: int, batch: Batch) -> binary.Bytes:
        """Return the records of a batch."""
        fields = [self._field(place, loaded, batch) for place, loaded in self.ordered]
        return binary.encode(rows, [_ids(self.base_ms, batch[ROW_NUMBER].numbers("i8")), *fields])

    def _field(self, place: int, loaded: LoadedColumn, batch: Batch) -> binary.Field:
        cells = batch[f"v{place}"]
        match loaded.column.type:
            case ColumnType.TEXT:
                return cells.texts
            case ColumnType.DECIMAL:
                return binary.Decimals(cells.texts)
            case ColumnType.INTEGER:
                return binary.Values([(">i8", cells.numbers("i8"))], cells.nulls)
            case ColumnType.BOOLEAN:
                return binary.Values([("u1", cells.booleans)], cells.nulls)
            case ColumnType.DATE:
                return binary.Values([(">i4", cells.numbers("i4") - _EPOCH_DAYS)], cells.nulls)
            case ColumnType.DATETIME:
                zone = self.zones[loaded.zone or self.plan.timezone]
                moments = _to_utc(cells.numbers("i8"), zone)
                return binary.Values([(">i8", moments - _EPOCH_MICROSECONDS)], cells.nulls)


def _ids(base_ms: int, numbers: binary.Ints) -> binary.Values:
    """Return the ids of rows by their numbers, as `managed_tables.ids.row_id` makes them."""
    first = row_id(base_ms, 0).int >> RANDOM_BITS << RANDOM_BITS
    high = (first >> 64) + (numbers >> COUNTER_LOW_BITS)
    low = ((first & 2**64 - 1) >> RANDOM_BITS) + (numbers & (1 << COUNTER_LOW_BITS) - 1)
    noise = np.frombuffer(os.urandom(8 * len(numbers)), np.uint64) >> np.uint64(64 - RANDOM_BITS)
    return binary.Values([(">u8", high), (">u8", (low.astype(np.uint64) << np.uint64(RANDOM_BITS)) | noise)])


def _to_utc(moments: binary.Ints, zone: Zone) -> binary.Ints:
    """Return moments of `conversion.times.datetime_moment` in UTC."""
    has_zone = moments >= ZONED // 2
    if not has_zone.any():
        return zone.to_utc(moments)
    return np.where(has_zone, moments - ZONED, zone.to_utc(np.where(has_zone, 0, moments)))


STAGED = sql.Identifier("$staged")
_CONVERSION_ERROR = "Conversion Error"  # of a value that a type's grammar takes and the type does not

Report = Callable[[int], object]


class MisfitFound(Exception):  # noqa: N818 - an outcome, not a fault
    """A value does not fit; nothing of the load may be committed. May carry the database's own words."""


class DuplicateFound(Exception):  # noqa: N818 - an outcome, not a fault
    """Two rows have the same key, in the file or one of them in the table; nothing may be committed."""


@dataclass(frozen=True)
class Transfer:
    """The plan's rows, whose ids are made from the millisecond `base_ms`, and the two ends of the pipe."""

    connection: PgConnection
    converter: DuckDBPyConnection
    plan: LoadPlan
    base_ms: int
    report: Report
    chosen: tuple[LoadedColumn, ...] | None = None  # of the plan's columns; None for all

    @property
    def columns(self) -> tuple[LoadedColumn, ...]:
        """The columns that are brought."""
        return self.plan.columns if self.chosen is None else self.chosen

    @property
    def names(self) -> list[str]:
        """Their names, without the id's."""
        return [loaded.column.name for loaded in self.columns]

    @property
    def ids(self) -> tuple[UUID, UUID]:
        """The range in which the ids of the rows are."""
        return row_id_range(self.base_ms, self.plan.row_count)

    def copy_into(self, table: sql.Identifier, *, freeze: bool = False) -> int:
        """Copy the rows with their ids and return how many; raises MisfitFound, DuplicateFound, JobError.

        With `freeze` they are written as old ones, which a table must be made for in the same transaction.
        """
        wire = Wire(self.plan, self.columns, self.base_ms, self._find_zones())
        statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary, FREEZE {})").format(
            table, identifiers([ID_COLUMN, *wire.names]), sql.Literal(freeze)
        )
        rows = 0
        with self.connection.cursor() as cursor, translated_refusals():
            with (
                _streamed(self.converter, wire) as stream,
                closing(one_ahead(_encoded(stream, wire))) as batches,
                cursor.copy(statement) as copy,
            ):
                copy.write(binary.HEADER)
                for count, records in batches:
                    copy.write(records)
                    rows += count
                    self.report(rows)
                copy.write(binary.TRAILER)
            return cursor.rowcount

    def stage_like(self, table: sql.Identifier) -> int:
        """Copy the rows into STAGED, a table of this session's own like the table, and return how many."""
        self.connection.execute(
            sql.SQL("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
                STAGED, identifiers([ID_COLUMN, *self.names]), table
            )
        )
        return self.copy_into(STAGED)

    def _find_zones(self) -> dict[str, Zone]:
        """Return the zones of the columns' times, by name."""
        times = [loaded for loaded in self.columns if loaded.column.type is ColumnType.DATETIME]
        names = {loaded.zone or self.plan.timezone for loaded in times}
        return {name: find_zone(self.connection, name) for name in names}

    def find_places(self, row_ids: Iterable[UUID]) -> dict[UUID, RowPlace]:
        """Return the place of each row by its id, in the file's order, with the beginnings of its cells."""
        ids = {row_number(row_id): row_id for row_id in row_ids}
        if not ids:
            return {}
        cells = [f"left({column.cell}, {MAX_VALUE_CHARACTERS})" for column in self.columns]
        rows = self.converter.execute(
            f"SELECT {ROW_NUMBER}, file, sheet, line, {', '.join(cells)} FROM {self.plan.rows}"  # noqa: S608
            f" WHERE {ROW_NUMBER} IN ({', '.join(map(str, ids))}) ORDER BY {ROW_NUMBER}"
        ).fetchall()
        return {
            ids[number]: RowPlace(self.plan.files[file], sheet, line, tuple(texts))
            for number, file, sheet, line, *texts in rows
        }


def identifiers(names: Sequence[str]) -> sql.Composed:
    """Return the names as a list in SQL."""
    return sql.SQL(", ").join(map(sql.Identifier, names))


@contextmanager
def translated_refusals() -> Iterator[None]:
    """Turn PostgreSQL's refusals of values and of rows into outcomes; its other errors are faults."""
    try:
        yield
    except (pg.DataError, pg.NotNullViolation) as error:
        raise MisfitFound(error.diag.message_primary) from error
    except pg.UniqueViolation as error:
        raise DuplicateFound(error.diag.constraint_name) from error
    except pg.ProgramLimitExceeded as error:
        # Of indexes, only that of a key takes a text as long as it is.
        raise JobError(KEY_VALUE_TOO_LONG if is_of_an_index(error) else ROW_TOO_LARGE) from error


@contextmanager
def _streamed(connection: DuckDBPyConnection, wire: Wire) -> Iterator[CArrayStream]:
    """Begin the query; one that is left early is stopped, and the connection is free again."""
    with _translated_errors():
        # The relation's own stream has batches of 131,072 rows: of 1,500 columns more than memory holds.
        query = connection.sql(wire.plan.select_rows(wire.columns))._submit("stream", wire.batch_rows)
        stream = nanoarrow.c_array_stream(query.arrow_capsule())
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
