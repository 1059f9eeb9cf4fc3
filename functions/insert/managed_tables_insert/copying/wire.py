"""Carry converted columns from DuckDB to the encoder: the SQL of what travels, and what it is made into.

A record has its id first, then the columns in an order that lets as many as possible be written together.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from managed_tables.conversion.times import ZONED
from managed_tables.ids import COUNTER_LOW_BITS, RANDOM_BITS, row_id
from managed_tables.jobs.staged_rows import ROW_NUMBER
from managed_tables.schema import ColumnType
from managed_tables_insert.copying.binary import Bytes, Decimals, Field, Flags, Ints, Texts, Values, encode
from managed_tables_insert.copying.zones import Zone
from managed_tables_insert.plan import LoadedColumn, LoadPlan

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
    def nulls(self) -> Flags | None:
        """Which rows are NULL; None for none."""
        return ~self._bits(0) if self.null_count else None

    @property
    def booleans(self) -> Flags:
        """Return booleans; those of NULL are anything."""
        return self._bits(1)

    def _bits(self, buffer: int) -> Flags:
        bits = np.frombuffer(self.buffers[buffer], np.uint8)
        return np.unpackbits(bits, count=self.rows, bitorder="little").view(np.bool_)

    def numbers(self, kind: str) -> Ints:
        """Return values of a fixed size; those of NULL are 0."""
        numbers = np.frombuffer(self.buffers[1], kind, self.rows)
        nulls = self.nulls
        return numbers if nulls is None else np.where(nulls, 0, numbers)

    @property
    def texts(self) -> Texts:
        """The texts, in UTF-8."""
        ends = np.frombuffer(self.buffers[1], np.int32, self.rows + 1).astype(np.int64)
        data = np.frombuffer(self.buffers[2], np.uint8, ends[-1])
        return Texts(data, ends[:-1], np.diff(ends), self.nulls)


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

    def encode(self, rows: int, batch: Batch) -> Bytes:
        """Return the records of a batch."""
        fields = [self._field(place, loaded, batch) for place, loaded in self.ordered]
        return encode(rows, [_ids(self.base_ms, batch[ROW_NUMBER].numbers("i8")), *fields])

    def _field(self, place: int, loaded: LoadedColumn, batch: Batch) -> Field:
        cells = batch[f"v{place}"]
        match loaded.column.type:
            case ColumnType.TEXT:
                return cells.texts
            case ColumnType.DECIMAL:
                return Decimals(cells.texts)
            case ColumnType.INTEGER:
                return Values([(">i8", cells.numbers("i8"))], cells.nulls)
            case ColumnType.BOOLEAN:
                return Values([("u1", cells.booleans)], cells.nulls)
            case ColumnType.DATE:
                return Values([(">i4", cells.numbers("i4") - _EPOCH_DAYS)], cells.nulls)
            case ColumnType.DATETIME:
                zone = self.zones[loaded.zone or self.plan.timezone]
                moments = _to_utc(cells.numbers("i8"), zone)
                return Values([(">i8", moments - _EPOCH_MICROSECONDS)], cells.nulls)


def _ids(base_ms: int, numbers: Ints) -> Values:
    """Return the ids of rows by their numbers, as `managed_tables.ids.row_id` makes them."""
    first = row_id(base_ms, 0).int >> RANDOM_BITS << RANDOM_BITS
    high = (first >> 64) + (numbers >> COUNTER_LOW_BITS)
    low = ((first & 2**64 - 1) >> RANDOM_BITS) + (numbers & (1 << COUNTER_LOW_BITS) - 1)
    noise = np.frombuffer(os.urandom(8 * len(numbers)), np.uint64) >> np.uint64(64 - RANDOM_BITS)
    return Values([(">u8", high), (">u8", (low.astype(np.uint64) << np.uint64(RANDOM_BITS)) | noise)])


def _to_utc(moments: Ints, zone: Zone) -> Ints:
    """Return moments of `conversion.times.datetime_moment` in UTC."""
    has_zone = moments >= ZONED // 2
    if not has_zone.any():
        return zone.to_utc(moments)
    return np.where(has_zone, moments - ZONED, zone.to_utc(np.where(has_zone, 0, moments)))
