"""Find whether a file itself shows how its numbers and days are written, where they could be read otherwise.

Cells that both marks, or both orders, allow say nothing. Another cell of the file that allows only one shows
it; days show it, too, by running on, and both by lying where the table's values are in that reading alone.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from managed_tables.conversion.columns import Conversion, DecimalMark, Formats, build_conversion
from managed_tables.conversion.times import DateOrder
from managed_tables.documents.pictures import Picture
from managed_tables.jobs.staged_rows import ROW_NUMBER
from managed_tables.schema import ColumnType
from managed_tables_analyze.append_plan import CELL, FedColumn

_OTHER_MARK: dict[str, DecimalMark] = {",": ".", ".": ","}
_OTHER_ORDER: dict[str, DateOrder] = {"dmy": "mdy", "mdy": "dmy"}
_RUNNING_DAYS = 7  # from one row to the next at most, in a list that runs on
_AROUND = 3.0  # times the table's numbers: ambiguous thousands are a thousand times apart
_AHEAD_DAYS = 31  # that a next file is ahead of the table
_BEHIND_DAYS, _BEYOND_DAYS = 92, 184  # where the other reading could still be meant


class Range(NamedTuple):
    """The least and the greatest of some values."""

    least: float
    greatest: float


@dataclass(frozen=True)
class Written:
    """How the cells of one column may be read: as they are, or by the other mark or order."""

    column: FedColumn
    type: ColumnType
    other: Formats
    picture: Picture | None

    @cached_property
    def _counts(self) -> tuple[int, int]:
        """How many cells only the reading taken allows, and how many both allow, with other values."""
        both = f"{self._taken.converts} AND {self._another.converts}"
        [found] = self.column.connection.execute(
            f"SELECT count(*) FILTER ({self._taken.converts} AND NOT {self._another.converts}),"  # noqa: S608
            f" count(*) FILTER ({both} AND {self._taken.value} <> {self._another.value})"
            f" FROM {self.column.rows} WHERE {CELL} <> ''"
        ).fetchall()
        proving, ambiguous = found
        return proving, ambiguous

    @property
    def _taken(self) -> Conversion:
        return build_conversion(CELL, self.type, self.column.staged.formats)

    @property
    def _another(self) -> Conversion:
        return build_conversion(CELL, self.type, self.other)

    @property
    def is_proven(self) -> bool:
        """Whether some cell allows only the reading that was taken."""
        return self._counts[0] > 0

    @property
    def is_ambiguous(self) -> bool:
        """Whether cells would be other values, and none of the column shows which."""
        return self._counts[1] > 0 and not self.is_proven

    def example(self) -> tuple[str, list[int]]:
        """Return an ambiguous cell, and the first lines that have one."""
        test = (
            f"{self._taken.converts} AND {self._another.converts}"
            f" AND {self._taken.value} <> {self._another.value}"
        )
        cells = self.column.find(test)[1]
        return str(cells[0]["value"]), sorted(cell["line"] for cell in cells)

    @property
    def is_shown_by_place(self) -> bool:
        """Whether the values lie where the table's do, or run on, in the reading taken alone."""
        if self.type.is_number:
            return self._is_among_numbers()
        return self._runs_on() or self._is_in_its_time()

    def _ranges(self, number: str) -> tuple[Range, Range] | None:
        """Return the ranges of the ambiguous cells in both readings; `number` is SQL with a hole."""
        mine, theirs = number.format(self._taken.value), number.format(self._another.value)
        [found] = self.column.connection.execute(
            f"SELECT min({mine}), max({mine}), min({theirs}), max({theirs}) FROM {self.column.rows}"  # noqa: S608
            f" WHERE {self._taken.converts} AND {self._another.converts}"
        ).fetchall()
        return None if None in found else (Range(*found[:2]), Range(*found[2:]))

    def _is_among_numbers(self) -> bool:
        known, ranges = self.picture, self._ranges("abs(TRY_CAST({} AS DOUBLE))")
        if known is None or known.least is None or known.greatest is None or ranges is None:
            return False
        low, high = known.least / _AROUND, known.greatest * _AROUND
        mine, theirs = ranges
        is_among = low <= mine.least and mine.greatest <= high
        return is_among and (theirs.greatest < low or theirs.least > high)

    def _is_in_its_time(self) -> bool:
        known, ranges = self.picture, self._ranges("epoch(TRY_CAST(left({}, 19) AS TIMESTAMP)) / 86400")
        if known is None or known.least is None or known.greatest is None or ranges is None:
            return False
        mine, theirs = ranges
        is_in_time = known.least <= mine.least and mine.greatest <= known.greatest + _AHEAD_DAYS
        earliest, latest = known.least - _BEHIND_DAYS, known.greatest + _BEYOND_DAYS
        return is_in_time and (theirs.least < earliest or theirs.greatest > latest)

    def _runs_on(self) -> bool:
        """Return whether the days follow one another in the order taken, and not in the other."""
        return self._is_running(self._taken.value) and not self._is_running(self._another.value)

    def _is_running(self, value: str) -> bool:
        day = f"floor(epoch(TRY_CAST(left({value}, 19) AS TIMESTAMP)) / 86400)"
        [(rises, falls, distinct)] = self.column.connection.execute(
            f"SELECT bool_and(step BETWEEN 0 AND {_RUNNING_DAYS}),"  # noqa: S608 - own SQL
            f" bool_and(step BETWEEN -{_RUNNING_DAYS} AND 0), count(DISTINCT d) FROM"
            f" (SELECT d, d - lag(d) OVER (PARTITION BY file, sheet ORDER BY {ROW_NUMBER}) AS step FROM"
            f" (SELECT *, {day} AS d FROM {self.column.rows} WHERE {self._taken.converts}))"
        ).fetchall()
        return distinct > 1 and bool(rises or falls)


def find_written(columns: Sequence[FedColumn], pictures: dict[str, Picture]) -> Iterator[Written]:
    """Yield the columns that feed one of numbers or days, as they may be read."""
    for one in columns:
        table, formats = one.table, one.staged.formats
        if table is None or table.type in (ColumnType.TEXT, ColumnType.BOOLEAN, ColumnType.INTEGER):
            continue
        picture = pictures.get(table.name)
        if table.type.is_number:
            other = replace(formats, decimal_mark=_OTHER_MARK[formats.decimal_mark])
            yield Written(one, ColumnType.DECIMAL, other, picture)
        elif formats.date_order in _OTHER_ORDER:
            yield Written(
                one, table.type, replace(formats, date_order=_OTHER_ORDER[formats.date_order]), picture
            )


def find_not_shown(columns: Sequence[FedColumn], pictures: dict[str, Picture]) -> Iterator[Written]:
    """Yield the columns of which the file does not show how they are written."""
    every = list(find_written(columns, pictures))
    for one in every:
        if one.is_ambiguous and not one.is_shown_by_place:
            alike = (
                other
                for other in every
                if other.type.is_number == one.type.is_number and _sign(other) == _sign(one)
            )
            if not any(other.is_proven for other in alike):
                yield one


def _sign(written: Written) -> str:
    formats = written.column.staged.formats
    return formats.decimal_mark if written.type.is_number else formats.date_order
