"""Owns what a column may be: the types in order of narrowness, each in the formats it may have."""

from dataclasses import dataclass
from functools import cache

from managed_tables.conversion import Formats, build_conversion
from managed_tables.conversion.columns import DateOrder, DecimalMark
from managed_tables.schema import ColumnType

MARKS: tuple[DecimalMark, ...] = (",", ".")
# Year first is the narrowest: every order accepts it. Month first comes last: it takes a cell that
# allows nothing else.
ORDERS: tuple[DateOrder, ...] = ("ymd", "dmy", "mdy")


@dataclass(frozen=True)
class Hypothesis:
    """A type with the one format that matters to it; the other formats are left at their defaults."""

    type: ColumnType
    formats: Formats

    def test(self, cell: str) -> str:
        """Return the SQL test that a cell looks like this."""
        return build_conversion(cell, self.type, self.formats).suggests


@dataclass(frozen=True)
class Choice:
    """A type that a person might choose, though the cells do not suggest it."""

    type: ColumnType
    formats: Formats

    def test(self, cell: str) -> str:
        """Return the SQL test that a cell converts to this."""
        return build_conversion(cell, self.type, self.formats).converts


@cache
def ladder(timezone: str) -> tuple[tuple[Hypothesis, ...], ...]:
    """Return the groups of hypotheses, narrowest first; those of one group are counted together.

    `timezone` is that of times without one.
    """
    numbers = [
        tuple(Hypothesis(column_type, Formats(decimal_mark=mark)) for mark in MARKS)
        for column_type in (ColumnType.INTEGER, ColumnType.DECIMAL)
    ]
    times = [
        (Hypothesis(column_type, Formats(date_order=order, timezone=timezone)),)
        for column_type in (ColumnType.DATE, ColumnType.DATETIME)
        for order in ORDERS
    ]
    return (*numbers, (Hypothesis(ColumnType.BOOLEAN, Formats()),), *times)
