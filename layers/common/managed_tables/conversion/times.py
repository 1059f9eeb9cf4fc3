"""Owns the grammar of dates and datetimes: only days that the calendar has, years 0001 to 9999.

A year-first date fits any order. A two-digit year is read after a slash only (`10-12-11` may be a code):
69 to 99 are 19yy, as in POSIX and PostgreSQL. A time without a zone is left without one: the session that
loads it has its time zone set, and PostgreSQL settles hours that a change of clocks skips or repeats.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from managed_tables.conversion.sql_text import BLANK, choose, literal, matches, trimmed

_DAY_SECONDS = 86_400
MAX_TIME_BYTES = 64  # the longest form with room for blanks; spares long texts the pattern

_YEAR = "(?:[0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)"
_LEAP_YEAR = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
_SHORT_YEAR = "[0-9]{2}"
_SHORT_LEAP_YEAR = "(?:[02468][048]|[13579][26])"

# (days, months) that every year has; 29 February is apart.
_DAYS_OF_MONTHS = (
    ("(?:0?[1-9]|1[0-9]|2[0-8])", "(?:0?[1-9]|1[0-2])"),
    ("(?:29|30)", "(?:0?[13-9]|1[0-2])"),
    ("31", "(?:0?[13578]|1[02])"),
)
_MINUTES_SECONDS = r":[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]{1,6}0*)?)?"
_CLOCK = rf"(?:(?:[01]?[0-9]|2[0-3]){_MINUTES_SECONDS}|(?:0?[1-9]|1[0-2]){_MINUTES_SECONDS} ?[AaPp][Mm])"
_ZONE = r"(?: ?(?:[Zz]|UTC|GMT|[+-](?:0[0-9]|1[0-5])(?::?[0-5][0-9])?))"
_MIDNIGHT = r"(?:[Tt]| +)0?0:00(?::00(?:[.,]0+)?)?"
_EIGHT_DIGITS = rf"{BLANK}*[12][0-9]{{7}}{BLANK}*"  # of a year from 1000 on: no ddmmyyyy of our times is one
_CALENDAR_ENDS = (datetime.min, datetime.max)
# What a time of the first or the last day is made of; the other days have no group `first` nor `last`.
_END_OF_CALENDAR = (
    rf"^{BLANK}*(?:(0?1[-/.]0?1[-/.]0001|0001[-/]0?1[-/]0?1)"
    r"|((?:31[-/.]12|12[-/.]31)[-/.]9999|9999[-/]12[-/]31))"
    r"(?:(?:[Tt]| +)([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,][0-9]+)?)? ?([AaPp][Mm])?"
    r" ?(?:([Zz]|UTC|GMT)|([+-])([0-9]{2}):?([0-9]{2})?)?)?"
)
_END_PARTS = ["first", "last", "hour", "minute", "second", "half", "utc", "sign", "hours", "minutes"]
_TIME = rf"(?:(?:[Tt]| +){_CLOCK}{_ZONE}?)"


def date_fits(cell: str, order: str, *, chosen: bool) -> str:
    """Return the test that `cell` is a day.

    With `chosen`, where a person says that these are days, a time of 00:00:00 may follow, and eight digits
    are `yyyymmdd`.
    """
    if not chosen:
        return _fits(cell, f"(?:{_day(order)})")
    is_day = f"try_strptime({trimmed(cell)}, '%Y%m%d') IS NOT NULL"
    marked = _fits(cell, f"(?:{_day(order)})(?:{_MIDNIGHT})?")
    return choose((matches(cell, _EIGHT_DIGITS), is_day), otherwise=marked)


def datetime_fits(cell: str, order: str, zone: str) -> str:
    """Return the test that `cell` is a day with or without a time of day, of the years 1 to 9999 in UTC too.

    `zone` is that of a time without one.
    """
    is_time = _fits(cell, f"(?:{_day(order)}){_TIME}?")
    return choose((is_time, f"NOT {_leaves_calendar(cell, zone)}"), otherwise="false")


def _leaves_calendar(cell: str, zone: str) -> str:
    """Return the test that a fitting datetime is before the year 1 or after 9999 in UTC.

    No zone is a day away, so that only the first and the last day are in question.
    """
    place = ZoneInfo(zone)
    first, last = (round((place.utcoffset(end) or timedelta()).total_seconds()) for end in _CALENDAR_ENDS)
    hour, minute, second, hours, minutes = (
        f"concat('0', e.{part})::INTEGER" for part in ("hour", "minute", "second", "hours", "minutes")
    )
    hour = f"({hour} % CASE e.half WHEN '' THEN 24 ELSE 12 END + 12 * (e.half ILIKE 'pm')::INTEGER)"
    time = f"({hour} * 3600 + {minute} * 60 + {second})"
    written = f"concat(e.sign, '1')::INTEGER * ({hours} * 3600 + {minutes} * 60)"
    ahead = f"CASE WHEN e.sign <> '' THEN {written} WHEN e.utc <> '' THEN 0 ELSE"
    before = f"e.first <> '' AND {time} < {ahead} {first} END"
    after = f"e.last <> '' AND {time} >= {_DAY_SECONDS} + {ahead} {last} END"
    parts = f"regexp_extract({cell}, {literal(_END_OF_CALENDAR)}, {_END_PARTS})"
    leaves = f"list_transform([{parts}], lambda e: {before} OR {after})[1]"
    return choose((f"contains({cell}, '0001') OR contains({cell}, '9999')", leaves), otherwise="false")


def date_value(cell: str, order: str) -> str:
    """Return a fitting date as `yyyy-mm-dd`."""
    digits = trimmed(cell)
    compact = f"concat(substr({digits}, 1, 4), '-', substr({digits}, 5, 2), '-', substr({digits}, 7, 2))"
    return choose(
        (_is_padded(cell), _padded_date(cell, order)),
        (matches(cell, _EIGHT_DIGITS), compact),
        otherwise=_date(trimmed(cell), order),
    )


def datetime_value(cell: str, order: str) -> str:
    """Return a fitting datetime as `yyyy-mm-dd time zone`; zone, AM and PM are as written."""
    clock = f"regexp_extract({cell}, '[Tt ] *([0-9]+:.*)$', 1)"
    time_of_day = f"trim(replace({clock}, ',', '.'), {literal(' ')})"
    general = f"trim(concat({_date(trimmed(cell), order)}, ' ', {trimmed(time_of_day)}))"
    common = f"concat({_padded_date(cell, order)}, substr({cell}, 11))"
    return choose((_is_padded_with_time(cell), common), otherwise=general)


def with_zone(value: str, zone: str) -> str:
    """Return the value of a datetime with the zone behind it that it has where none is written."""
    has_zone = f"regexp_matches({value}, ':[0-9.]+ ?(?:[AaPp][Mm])? ?(?:[Zz]|UTC|GMT|[+-][0-9:]+)$')"
    midnight = choose((f"contains({value}, ':')", value), otherwise=f"concat({value}, ' 00:00')")
    return choose((has_zone, value), otherwise=f"concat({midnight}, {literal(' ' + zone)})")


def _fits(cell: str, pattern: str) -> str:
    return choose(
        (f"strlen({cell}) > {MAX_TIME_BYTES}", "false"),
        otherwise=matches(cell, f"{BLANK}*(?:{pattern}){BLANK}*"),
    )


def _day(order: str) -> str:
    """Return the pattern of a day in this order, the separator the same on both sides."""
    year_first = "|".join(_calendar("ymd", separator, _YEAR, _LEAP_YEAR) for separator in "-/")
    if order == "ymd":
        return year_first
    long_years = "|".join(_calendar(order, separator, _YEAR, _LEAP_YEAR) for separator in "/.-")
    return f"{year_first}|{long_years}|{_calendar(order, '/', _SHORT_YEAR, _SHORT_LEAP_YEAR)}"


def _calendar(order: str, separator: str, year: str, leap_year: str) -> str:
    mark = f"[{separator}]"
    days = [(day, month, year) for day, month in _DAYS_OF_MONTHS] + [("29", "0?2", leap_year)]
    arrangements = {"dmy": (0, 1, 2), "mdy": (1, 0, 2), "ymd": (2, 1, 0)}
    return "|".join(mark.join(parts[index] for index in arrangements[order]) for parts in days)


def _is_padded(cell: str) -> str:
    return f"strlen({cell}) = 10 AND {matches(cell, '[0-9].{8}[0-9]')}"


def _is_padded_with_time(cell: str) -> str:
    return matches(cell, r"(?:[0-9]{2}.[0-9]{2}.[0-9]{4}|[0-9]{4}.[0-9]{2}.[0-9]{2}) [0-9]{2}:[0-9:]+")


def _padded_date(cell: str, order: str) -> str:
    year_first = f"concat(substr({cell}, 1, 4), '-', substr({cell}, 6, 2), '-', substr({cell}, 9, 2))"
    if order == "ymd":
        return year_first
    day, month = (1, 4) if order == "dmy" else (4, 1)
    year_last = (
        f"concat(substr({cell}, 7, 4), '-', substr({cell}, {month}, 2), '-', substr({cell}, {day}, 2))"
    )
    return choose((f"substr({cell}, 5, 1) IN ('-', '/')", year_first), otherwise=year_last)


def _date(cell: str, order: str) -> str:
    """Return the date that `cell` begins with: parts of any width, two-digit years completed."""

    def part(number: int) -> str:
        return f"regexp_extract({cell}, '^([0-9]+)[-/.]([0-9]+)[-/.]([0-9]+)', {number})"

    def two(number: int) -> str:
        return f"lpad({part(number)}, 2, '0')"

    year_first = f"concat({part(1)}, '-', {two(2)}, '-', {two(3)})"
    if order == "ymd":
        return year_first
    day, month = (1, 2) if order == "dmy" else (2, 1)
    century = choose((f"strlen({part(3)}) = 4", "''"), (f"{part(3)} >= '69'", "'19'"), otherwise="'20'")
    year_last = f"concat({century}, {part(3)}, '-', {two(month)}, '-', {two(day)})"
    return choose((f"strlen({part(1)}) = 4", year_first), otherwise=year_last)
