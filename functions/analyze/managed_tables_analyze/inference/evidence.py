"""Look up what judging needs besides the tallies: each fact when first needed, for all columns at once."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from duckdb import DuckDBPyConnection

from managed_tables.conversion.cells import LETTER_PAIRS, empty_cell
from managed_tables.conversion.columns import DecimalMark, Formats
from managed_tables.conversion.sql_text import matches, trimmed
from managed_tables.conversion.times import TIME_OF_DAY, TIME_WITHOUT_ZONE
from managed_tables.jobs.staged_rows import ROW_NUMBER, staged_rows
from managed_tables.schema import ColumnType
from managed_tables_analyze.inference.hypotheses import ChosenType
from managed_tables_analyze.inference.signs.codes import Writing, read_writing
from managed_tables_analyze.inference.tallies import HEAD, Question, ask_columns, columns_where, count_cells

LONGEST_CODE = 64
_DISTINCT_VALUES = 200  # of the head, to recognise a code by
_ENCLOSED = re.compile(r"\s*\(\s*[0-9]+\s*\)\s*")
_EIGHT_DIGITS = re.compile("(?:19|20)[0-9]{6}")


@dataclass(frozen=True)
class Evidence:
    """What the cells of columns of these types show, besides their tallies.

    `marked` has the decimal mark of columns whose writing may show that they are codes; `years` are the
    columns whose labels say that they hold years.
    """

    connection: DuckDBPyConnection
    staged: Path
    types: Sequence[ColumnType | None]
    marked: Mapping[int, DecimalMark]
    years: Collection[int] = ()

    @cached_property
    def head_values(self) -> dict[int, list[str]]:
        """The first values of each column of numbers, in order."""
        found = ask_columns(self.connection, HEAD, self._of(ColumnType.INTEGER, ColumnType.DECIMAL), _values)
        return {
            column: list(dict.fromkeys(values or ()))[:_DISTINCT_VALUES]
            for column, (values,) in found.items()
        }

    @cached_property
    def times_of_day(self) -> set[int]:
        """The columns of text in whose head every filled cell is a time of day."""
        return columns_where(self.connection, HEAD, self._of(None), _are_times)

    @cached_property
    def times_without_zone(self) -> set[int]:
        """The columns of datetimes in whose head some time has no zone."""
        return columns_where(self.connection, HEAD, self._of(ColumnType.DATETIME), _is_without_zone)

    @cached_property
    def lone_letters(self) -> set[int]:
        """The columns of booleans that have a letter without its partner: `F` alone is a sex or a size."""
        columns, rows = self._of(ColumnType.BOOLEAN), staged_rows(self.staged)
        found = ask_columns(self.connection, rows, columns, _letters)
        return {column for column, (letters,) in found.items() if not _are_paired(set(letters or ()))}

    @cached_property
    def compact_days(self) -> set[int]:
        """The columns of eight digits in which every cell may be a day, `yyyymmdd`."""
        heads = self.head_values.items()
        columns = [column for column, values in heads if values and all(map(_EIGHT_DIGITS.fullmatch, values))]
        choice = ChosenType(ColumnType.DATE, Formats(null_tokens=True))
        asked = [Question(column, choice) for column in columns]
        tallies = count_cells(self.connection, staged_rows(self.staged), asked)
        return {column for column, tally in zip(columns, tallies, strict=True) if tally.holds}

    @cached_property
    def notes(self) -> dict[int, str]:
        """An example of each column whose parentheses are no minus: all its numbers, or years, have them."""
        columns = [
            column
            for column, values in self.head_values.items()
            if column in self.years or (values and all(map(_ENCLOSED.fullmatch, values)))
        ]
        found = ask_columns(self.connection, staged_rows(self.staged), columns, _are_enclosed)
        return {
            column: example.strip()
            for column, (example, all_are) in found.items()
            if example is not None and (all_are or column in self.years)
        }

    @cached_property
    def writing(self) -> dict[int, Writing]:
        """How the decimals of columns are written, where that may show that they are codes."""
        return read_writing(self.connection, self.staged, self.marked)

    def _of(self, *types: ColumnType | None) -> list[int]:
        return [column for column, column_type in enumerate(self.types) if column_type in types]


def _values(cell: str) -> list[str]:
    is_value = f"{cell} <> '' AND strlen({cell}) <= {LONGEST_CODE} AND regexp_matches({cell}, '[0-9]')"
    return [f"list(trim({cell}) ORDER BY {ROW_NUMBER}) FILTER ({is_value})"]


def _are_enclosed(cell: str) -> list[str]:
    enclosed = matches(cell, _ENCLOSED.pattern)
    return [
        f"min({cell}) FILTER ({enclosed})",
        f"bool_and({enclosed}) FILTER (NOT {empty_cell(cell, null_tokens=True)})",
    ]


def _are_times(cell: str) -> str:
    return f"bool_and({matches(cell, TIME_OF_DAY)}) FILTER ({trimmed(cell)} <> '')"


def _is_without_zone(cell: str) -> str:
    return f"bool_or({matches(cell, TIME_WITHOUT_ZONE)})"


def _letters(cell: str) -> list[str]:
    letters = f"lower({trimmed(cell)})"
    return [f"list(DISTINCT {letters}) FILTER (strlen({letters}) = 1 AND regexp_matches({cell}, '[a-zA-Z]'))"]


def _are_paired(seen: set[str]) -> bool:
    return all(any(letter in pair and seen.issuperset(pair) for pair in LETTER_PAIRS) for letter in seen)
