"""Define the SQL functions that turn a text value into a typed one, or into NULL where it is none.

They live in the company's own database, so that one statement checks a column and another converts it by
the same rule. They read what uploads read: `managed_tables.conversion` writes them.
"""

from collections.abc import Callable

from managed_tables.conversion import times
from managed_tables.conversion.columns import Formats, build_conversion
from managed_tables.conversion.sql_text import choose, literal, matches
from managed_tables.conversion.times import DateOrder, Shape
from managed_tables.schema import POSTGRES_TYPES, ColumnType

_ORDERS: tuple[DateOrder, ...] = ("ymd", "dmy", "mdy")
_CELL = "value"
_NAME = ".*[A-Za-z]{3}.*"
_ZONE = ".*:.*[ZzUG+-].*"  # that a time has


def _function(column_type: ColumnType, parameters: str, body: str) -> str:
    declared = (
        f"managed_tables.try_{column_type}(value text{parameters}) RETURNS {POSTGRES_TYPES[column_type]}"
    )
    # Planned once a session; SQL's bodies would be put in place for each column of a statement again.
    return (
        f"CREATE OR REPLACE FUNCTION {declared} LANGUAGE plpgsql STABLE PARALLEL SAFE AS"
        f" $body$BEGIN RETURN {body}; END$body$;\n"
    )


def _reading(column_type: ColumnType, formats: Formats) -> str:
    reading = build_conversion(_CELL, column_type, formats)
    return choose((reading.converts, f"({reading.value})::{POSTGRES_TYPES[column_type]}"), otherwise="NULL")


def _number(column_type: ColumnType) -> str:
    comma, point = (_reading(column_type, Formats(decimal_mark=mark)) for mark in (",", "."))
    return choose(("comma", comma), otherwise=point)


def _date(order: DateOrder) -> str:
    fits = _by_names(lambda shape: times.day_converts(_CELL, order, shape))
    return choose((fits, f"({times.date_text(_CELL, order)})::date"), otherwise="NULL")


def _datetime(order: DateOrder) -> str:
    """A time without a zone is in `zone`; a date alone is its midnight there."""
    fits = _by_names(lambda shape: times.is_moment(_CELL, order, shape))
    text = times.moment_text(_CELL, order)
    apart = f"regexp_replace({text}, '([AaPp][Mm])', '\\1 ')"  # PostgreSQL takes `PM-03` for a zone
    moment = choose((matches(_CELL, _ZONE), apart), otherwise=f"({text} || ' ' || zone)")
    return choose((fits, f"managed_tables.in_calendar(({moment})::timestamptz)"), otherwise="NULL")


def _by_names(test: Callable[[Shape], str]) -> str:
    """Return a test of days; PostgreSQL makes its automaton for every value, and that of names is large."""
    return choose((matches(_CELL, _NAME), test(Shape.MONTH)), otherwise=test(Shape.DIGITS))


def _by_order(reading: Callable[[DateOrder], str]) -> str:
    branches = [(f"field_order = {literal(order)}", reading(order)) for order in _ORDERS]
    return choose(*branches, otherwise="NULL")


_IN_CALENDAR = """
    -- What the API can answer: the years 1 to 9999 in UTC. A time that leaves them does not convert.
    CREATE OR REPLACE FUNCTION managed_tables.in_calendar(value timestamptz) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN value >= '0001-01-01 00:00:00+00' AND value < '10000-01-01 00:00:00+00' THEN value END;

    CREATE OR REPLACE FUNCTION managed_tables.in_calendar(value date) RETURNS date
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN value BETWEEN '0001-01-01' AND '9999-12-31' THEN value END;

    -- As the API writes it: UTC, `Z`, as many fractional digits as there are.
    CREATE OR REPLACE FUNCTION managed_tables.datetime_text(value timestamptz) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN to_char(value AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS')
        || rtrim(rtrim(to_char(value AT TIME ZONE 'UTC', '.US'), '0'), '.') || 'Z';
"""
CONVERSION_FUNCTIONS = (
    _IN_CALENDAR
    + _function(ColumnType.DECIMAL, ", comma boolean", _number(ColumnType.DECIMAL))
    + _function(ColumnType.INTEGER, ", comma boolean", _number(ColumnType.INTEGER))
    + _function(ColumnType.BOOLEAN, "", _reading(ColumnType.BOOLEAN, Formats()))
    + _function(ColumnType.DATE, ", field_order text", _by_order(_date))
    + _function(ColumnType.DATETIME, ", field_order text, zone text", _by_order(_datetime))
)
