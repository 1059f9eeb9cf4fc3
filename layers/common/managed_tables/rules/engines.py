"""Say in the SQL of DuckDB and of PostgreSQL what a rule compares a cell with: a value, another, today.

PostgreSQL's cells have their types. Those of DuckDB are as `conversion.columns.Conversion.typed` makes
them: a decimal is a text, a time the moment of `conversion.times.datetime_moment`.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from managed_tables.conversion.sql_text import choose, literal
from managed_tables.conversion.times import ZONED
from managed_tables.rules.named import CHECKED, has_shape_in_postgres, named_test
from managed_tables.rules.rule import NamedKind
from managed_tables.schema import POSTGRES_TYPES, ColumnType

_EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)
_DECIMAL = "DECIMAL(38, 18)"  # compares exactly what DOUBLE cannot tell apart, where it has room


class Cell(NamedTuple):
    """A column's cell: its SQL, and its type."""

    sql: str
    type: ColumnType


@dataclass(frozen=True)
class Postgres:
    """PostgreSQL; days are those of `zone`."""

    zone: str

    def with_value(self, cell: Cell, sign: str, text: str) -> str:
        """Return the comparison of a cell with a value, given as PostgreSQL's text."""
        return f"{cell.sql} {sign} {literal(text)}::{POSTGRES_TYPES[cell.type]}"

    def with_cell(self, left: Cell, sign: str, right: Cell) -> str:
        """Return the comparison of two cells whose types go together."""
        return f"{left.sql} {sign} {right.sql}"

    def with_today(self, cell: Cell, sign: str) -> str:
        """Return the comparison of a cell's day with today."""
        zone = literal(self.zone)
        day = cell.sql if cell.type is ColumnType.DATE else f"({cell.sql} AT TIME ZONE {zone})::date"
        return f"{day} {sign} (now() AT TIME ZONE {zone})::date"

    def is_listed(self, cell: Cell, texts: list[str]) -> str:
        """Return the test that the cell is one of the values."""
        values = ", ".join(f"{literal(text)}::{POSTGRES_TYPES[cell.type]}" for text in texts)
        return f"{cell.sql} IN ({values})"

    def is_named(self, cell: Cell, name: NamedKind) -> str:
        """Return the test of `rules.named`; of check digits by the function that a migration made of it.

        A function costs a row a microsecond, a pattern in its place a quarter of that.
        """
        if name in CHECKED:
            return f"managed_tables.is_{name}({cell.sql}::text)"
        text = cell.sql if cell.type is ColumnType.TEXT else f"({cell.sql}::text)"
        return has_shape_in_postgres(name, text)


@dataclass(frozen=True)
class Duckdb:
    """DuckDB; times without a zone are in `zone`, where `today` is."""

    zone: str
    today: date

    def with_value(self, cell: Cell, sign: str, text: str) -> str:
        """Return the comparison of a cell with a value, given as PostgreSQL's text."""
        match cell.type:
            case ColumnType.DECIMAL:
                return _compared(cell.sql, sign, literal(text))
            case ColumnType.DATETIME:
                return self._moment(cell, sign, datetime.fromisoformat(text))
            case ColumnType.TEXT:
                return f"{cell.sql} {sign} {literal(text)}"
            case _:
                return f"{cell.sql} {sign} CAST({literal(text)} AS {POSTGRES_TYPES[cell.type]})"

    def with_cell(self, left: Cell, sign: str, right: Cell) -> str:
        """Return the comparison of two cells whose types go together; NULL where they cannot be compared."""
        if ColumnType.DECIMAL in (left.type, right.type):
            return _compared(left.sql, sign, right.sql)
        plain = f"{left.sql} {sign} {right.sql}"
        if left.type is not ColumnType.DATETIME:
            return plain
        # Both have a zone of their own, or neither.
        alike = f"({left.sql} >= {ZONED // 2}) = ({right.sql} >= {ZONED // 2})"
        return choose((alike, plain), otherwise="NULL")

    def with_today(self, cell: Cell, sign: str) -> str:
        """Return the comparison of a cell's day with today."""
        if cell.type is ColumnType.DATE:
            return self.with_value(cell, sign, self.today.isoformat())
        first, after = (
            datetime.combine(day, datetime.min.time(), ZoneInfo(self.zone))
            for day in (self.today, self.today + timedelta(days=1))
        )
        bound = {"<=": ("<", after), ">=": (">=", first)}[sign]
        return self._moment(cell, *bound)

    def is_listed(self, cell: Cell, texts: list[str]) -> str:
        """Return the test that the cell is one of the values."""
        kind = {ColumnType.TEXT: "VARCHAR", ColumnType.DECIMAL: _DECIMAL}.get(
            cell.type, POSTGRES_TYPES[cell.type]
        )
        values = ", ".join(f"CAST({literal(text)} AS {kind})" for text in texts)
        own = f"TRY_CAST({cell.sql} AS {kind})" if cell.type is ColumnType.DECIMAL else cell.sql
        return f"{own} IN ({values})"

    def is_named(self, cell: Cell, name: NamedKind) -> str:
        """Return the test of `rules.named`."""
        text = cell.sql if cell.type is ColumnType.TEXT else f"CAST({cell.sql} AS VARCHAR)"
        return named_test(name, text)

    def _moment(self, cell: Cell, sign: str, bound: datetime) -> str:
        local, utc = (
            (bound.astimezone(zone).replace(tzinfo=None) - _EPOCH) // _MICROSECOND
            for zone in (ZoneInfo(self.zone), UTC)
        )
        return choose(
            (f"{cell.sql} >= {ZONED // 2}", f"{cell.sql} - {ZONED} {sign} {utc}"),
            otherwise=f"{cell.sql} {sign} {local}",
        )


Engine = Postgres | Duckdb


def _compared(left: str, sign: str, right: str) -> str:
    """Compare two texts of decimals: rounding keeps their order; what it makes equal is compared exactly."""
    rounded = [f"TRY_CAST({text} AS DOUBLE)" for text in (left, right)]
    exact = [f"TRY_CAST({text} AS {_DECIMAL})" for text in (left, right)]
    plain = f" {sign} ".join(rounded)
    same = f"coalesce({f' {sign} '.join(exact)}, {plain})"
    return choose((" <> ".join(rounded), plain), otherwise=same)
