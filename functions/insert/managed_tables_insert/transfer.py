"""The rows of a file on their way: DuckDB converts, numpy encodes, PostgreSQL's COPY loads, all at once.

One batch of rows is encoded while the one before it is sent: memory holds two, whatever the file's size.
A record has its id first, then the columns in an order that lets as many as possible be written together.
"""

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from uuid import UUID

import duckdb
import nanoarrow
import numpy as np
from duckdb import DuckDBPyConnection
from nanoarrow.c_array import CArray, CArrayView
from psycopg import errors as pg
from psycopg import sql

from managed_tables.ahead import one_ahead
from managed_tables.conversion.times import ZONED
from managed_tables.databases.connecting import PgConnection, is_of_an_index
from managed_tables.databases.statements import compose, execute
from managed_tables.details import MAX_VALUE_CHARACTERS
from managed_tables.errors import KEY_VALUE_TOO_LONG, ROW_TOO_LARGE, JobError
from managed_tables.identifiers import ID_COLUMN
from managed_tables.ids import COUNTER_LOW_BITS, RANDOM_BITS, row_id, row_id_range, row_number
from managed_tables.schema import ColumnType
from managed_tables.tables.constraints import rule_of
from managed_tables_insert import binary
from managed_tables_insert.plan import MISFIT, LoadedColumn, LoadPlan, Place, find_places
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
    """A column of a batch, as Arrow has it: its buffers are its bits of validity, then what its type has."""

    rows: int
    column: CArrayView

    @property
    def nulls(self) -> binary.Flags | None:
        """Which rows are NULL; None for none."""
        return ~self.flags(0) if self.column.null_count else None

    def flags(self, buffer: int) -> binary.Flags:
        """Return the bits of a buffer; of booleans those of NULL are anything."""
        bits = np.frombuffer(self.column.buffer(buffer), np.uint8)
        return np.unpackbits(bits, count=self.rows, bitorder="little").view(np.bool_)

    def numbers(self, kind: str) -> binary.Ints:
        """Return values of a fixed size; those of NULL are 0."""
        numbers = np.frombuffer(self.column.buffer(1), kind, self.rows)
        nulls = self.nulls
        return numbers if nulls is None else np.where(nulls, 0, numbers)

    @property
    def texts(self) -> binary.Texts:
        """The texts, in UTF-8."""
        ends = np.frombuffer(self.column.buffer(1), np.int32, self.rows + 1).astype(np.int64)
        data = np.frombuffer(self.column.buffer(2), np.uint8, ends[-1])
        return binary.Texts(data, ends[:-1], np.diff(ends), self.nulls)


@dataclass(frozen=True)
class Wire:
    """The records of these columns of a plan, with ids of the millisecond `base_ms`; `zones` by name."""

    plan: LoadPlan
    columns: Sequence[LoadedColumn]
    base_ms: int
    zones: Mapping[str, Zone]

    @property
    def batch_rows(self) -> int:
        """How many rows are encoded at once."""
        width = len(self.columns) + 1
        rows = max(_BATCH_CELLS // width, min(_WIDE_ROWS, _WIDE_CELLS // width))
        return max(LEAST_ROWS, min(rows, self.plan.row_count // _BATCHES))

    def encode(self, batch: CArray) -> binary.Bytes:
        """Return the records of a batch: the rows' numbers, then the columns."""
        numbers, *values = (Cells(batch.length, column) for column in batch.view().children)
        fields = map(self._field, self.columns, values)
        return binary.encode(batch.length, [_ids(self.base_ms, numbers.numbers("i8")), *fields])

    def _field(self, loaded: LoadedColumn, cells: Cells) -> binary.Field:
        match loaded.column.type:
            case ColumnType.TEXT:
                return cells.texts
            case ColumnType.DECIMAL:
                return binary.Decimals(cells.texts)
            case ColumnType.INTEGER:
                word: binary.Word = ">i8", cells.numbers("i8")
            case ColumnType.BOOLEAN:
                word = "u1", cells.flags(1)
            case ColumnType.DATE:
                word = ">i4", cells.numbers("i4") - _EPOCH_DAYS
            case ColumnType.DATETIME:
                zone = self.zones[loaded.zone or self.plan.timezone]
                word = ">i8", _to_utc(cells.numbers("i8"), zone) - _EPOCH_MICROSECONDS
        return binary.Values(binary.with_length(word), cells.nulls)


def _ids(base_ms: int, numbers: binary.Ints) -> binary.Values:
    """Return the ids of rows by their numbers, as `managed_tables.ids.row_id` makes them."""
    first = row_id(base_ms, 0).int >> RANDOM_BITS << RANDOM_BITS
    high = (first >> 64) + (numbers >> COUNTER_LOW_BITS)
    low = ((first & 2**64 - 1) >> RANDOM_BITS) + (numbers & (1 << COUNTER_LOW_BITS) - 1)
    noise = np.frombuffer(os.urandom(8 * len(numbers)), np.uint64) >> np.uint64(64 - RANDOM_BITS)
    low = (low.astype(np.uint64) << np.uint64(RANDOM_BITS)) | noise
    return binary.Values(binary.with_length((">u8", high), (">u8", low)))


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


class RuleViolated(Exception):  # noqa: N818 - an outcome, not a fault
    """PostgreSQL refuses a row by a rule, of this table or of one that refers to it; nothing is committed."""

    def __init__(self, error: pg.IntegrityError) -> None:
        self.constraint = error.diag.constraint_name or ""
        self.table_name = error.diag.table_name or ""
        super().__init__(error.diag.message_detail or error.diag.message_primary)


@dataclass(frozen=True)
class Transfer:
    """The plan's rows in these columns, with ids of the millisecond `base_ms`, and the pipe's two ends."""

    connection: PgConnection
    converter: DuckDBPyConnection
    plan: LoadPlan
    columns: tuple[LoadedColumn, ...]
    base_ms: int
    report: Report

    @property
    def names(self) -> list[str]:
        """The columns' names, without the id's."""
        return [loaded.column.name for loaded in self.columns]

    @property
    def ids(self) -> tuple[UUID, UUID]:
        """The range in which the ids of the rows are."""
        return row_id_range(self.base_ms, self.plan.row_count)

    def copy_into(self, table: sql.Identifier, *, freeze: bool = False) -> int:
        """Copy the rows with their ids and return how many; raises MisfitFound, DuplicateFound, JobError.

        With `freeze` they are written as old ones, which a table must be made for in the same transaction.
        """
        columns = sorted(self.columns, key=lambda loaded: _ORDER.index(loaded.column.type))
        times = [loaded for loaded in self.columns if loaded.column.type is ColumnType.DATETIME]
        zones = {loaded.zone or self.plan.timezone for loaded in times}
        known = {name: find_zone(self.connection, name) for name in zones}
        wire = Wire(self.plan, columns, self.base_ms, known)
        names = [ID_COLUMN, *(loaded.column.name for loaded in columns)]
        statement = compose("COPY {} ({:i}) FROM STDIN (FORMAT binary, FREEZE {})", table, names, freeze)
        rows = 0
        with self.connection.cursor() as cursor, translated_refusals():
            with (
                closing(_encoded(self.converter, wire)) as encoded,
                closing(one_ahead(encoded)) as batches,
                cursor.copy(statement) as copy,
            ):
                copy.write(binary.HEADER)
                for count, records in batches:
                    copy.write(records)
                    rows += count
                    self.report(rows)
                copy.write(binary.TRAILER)
            return cursor.rowcount

    def stage_like(self, table: sql.Identifier, mark: str | None = None) -> int:
        """Copy the rows into STAGED, a table of this session's own like the table, and return how many.

        A column `mark` of the transfer is a text that the table does not have.
        """
        own = [ID_COLUMN, *(name for name in self.names if name != mark)]
        marks = [compose("NULL::text AS {:i}", mark)] if mark else []
        form = "CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA"
        columns = [*(compose("{:i}", name) for name in own), *marks]
        execute(self.connection, form, STAGED, columns, table)
        return self.copy_into(STAGED)

    def find_places(self, row_ids: Iterable[UUID]) -> dict[UUID, Place]:
        """Return the place of each row by its id, in the file's order, with the beginnings of its cells."""
        ids = {row_number(row_id): row_id for row_id in row_ids}
        cells = [f"left({column.cell}, {MAX_VALUE_CHARACTERS})" for column in self.columns]
        found = find_places(self.converter, self.plan.rows, cells, self.plan.files, ids)
        return {ids[number]: place for number, place in found.items()}


@contextmanager
def translated_refusals() -> Iterator[None]:
    """Turn PostgreSQL's refusals of values and of rows into outcomes; its other errors are faults."""
    try:
        yield
    except (pg.DataError, pg.NotNullViolation) as error:
        raise MisfitFound(error.diag.message_primary) from error
    except (pg.CheckViolation, pg.ForeignKeyViolation) as error:
        raise RuleViolated(error) from error
    except pg.UniqueViolation as error:
        if rule_of(error.diag.constraint_name) is not None:
            raise RuleViolated(error) from error
        raise DuplicateFound(error.diag.constraint_name) from error
    except pg.ProgramLimitExceeded as error:
        # Of indexes, only that of a key takes a text as long as it is.
        raise JobError(KEY_VALUE_TOO_LONG if is_of_an_index(error) else ROW_TOO_LARGE) from error


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


def _encoded(connection: DuckDBPyConnection, wire: Wire) -> Generator[tuple[int, memoryview], None, None]:
    """Yield the number of rows of each batch, and their records.

    A query that is left early is stopped, and the connection is free again, once this is closed.
    """
    with _translated_errors():
        # The relation's own stream has batches of 131,072 rows: of 1,500 columns more than memory holds.
        query = connection.sql(wire.plan.select_rows(wire.columns))._submit("stream", wire.batch_rows)
        stream = nanoarrow.c_array_stream(query.arrow_capsule())
        try:
            for batch in stream:
                yield batch.length, wire.encode(batch).data
        finally:
            stream.release()
