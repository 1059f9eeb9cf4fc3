"""Define the grammar of dates and datetimes: which text is a day or a moment, and what it becomes.

One table of forms says how days are written, for inference and loading. A year-first date fits any order. A
two-digit year is read after a slash, or beside a month's name (`10-12-11` may be a code); from 69 to 99 they
are 19yy, as in POSIX and PostgreSQL, unless no day may be later than a given one. A month without a day is
its first day. Only days of the calendar match, years 0001 to 9999. A time without a zone is left without
one: the session that loads it has its time zone set, and PostgreSQL resolves hours that a change of clocks
skips or repeats.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo

from managed_tables.conversion.sql_text import (
    ANYTHING,
    BLANK,
    any_case,
    choose,
    extracted,
    is_longer,
    literal,
    matches,
    trimmed,
)

DateOrder = Literal["dmy", "mdy", "ymd"]
# Year first is the narrowest: every order accepts it. Month first comes last: it needs a cell that
# allows nothing else.
ORDERS: tuple[DateOrder, ...] = ("ymd", "dmy", "mdy")


class Shape(Enum):
    """What the cells of a column of dates look like; each shape includes the one before it."""

    DAY = "day"
    NAMED = "named"
    MONTH = "month"
    WRITTEN = "written"  # all that converts: a month of any year, and `2024-1`, which suggest none
    DIGITS = "digits"  # those of WRITTEN that name no month
    YEAR_MONTH = "year_month"  # `2008.01` and nothing else: a number, too
    COMPACT = "compact"  # eight digits and nothing else


_YEAR = "(?:[0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)"
_LEAP_YEAR = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
_SHORT_YEAR = "[0-9]{2}"
_SHORT_LEAP_YEAR = "(?:[02468][048]|[13579][26])"

_NAMES = [any_case(names) for names in (
    "jan(?:eiro|uary)?", "fev(?:ereiro)?|feb(?:ruary)?", "mar(?:ço|co|ch)?", "(?:abr|apr)(?:il)?",
    "maio?|may", "jun(?:ho|e)?", "jul(?:ho|y)?", "ago(?:sto)?|aug(?:ust)?",
    "set(?:embro)?|sep(?:t(?:ember)?)?", "out(?:ubro)?|oct(?:ober)?",
    "nov(?:embro|ember)?", "dez(?:embro)?|dec(?:ember)?",
)]  # fmt: skip
NUMBERED_NAMES = (
    "jan01 fev02 feb02 mar03 abr04 apr04 mai05 may05 jun06 jul07 ago08 aug08 set09 sep09 out10 oct10 nov11 "
    "dez12 dec12"
)
OF = any_case("de")  # `1 de maio de 2024`
ORDINAL = "[ºo°]"  # of a first day: `1º de maio`
# Of months in digits: `1234-5` is a bank's agency, and `2008.1` may be October that lost its zero.
_NEAR_YEAR, _TWO_DIGIT_MONTH = "(?:1[5-9]|20)[0-9]{2}", "(?:0[1-9]|1[0-2])"
_YEAR_MONTH = f"{_NEAR_YEAR}[.]{_TWO_DIGIT_MONTH}"

# Days, and the months that have them, in digits and by number: in every year, last of all in leap years.
_DAYS_OF_MONTHS = (
    ("(?:0?[1-9]|1[0-9]|2[0-8])", "(?:0?[1-9]|1[0-2])", range(1, 13)),
    ("(?:29|30)", "(?:0?[13-9]|1[0-2])", (1, *range(3, 13))),
    ("31", "(?:0?[13578]|1[02])", (1, 3, 5, 7, 8, 10, 12)),
    ("29", "0?2", (2,)),
)
_BESIDE_NAMES = ("-", "/", " ")


def _form(parts: str, *separators: str, is_named: bool = False, has_short_year: bool = False) -> str:
    """Return the pattern of days of the calendar, or of months, their parts in order, between separators."""
    year, leap_year = (_SHORT_YEAR, _SHORT_LEAP_YEAR) if has_short_year else (_YEAR, _LEAP_YEAR)
    patterns = []
    for separator in separators:
        first, *others, leap_day = _without_year(parts, separator, is_named=is_named)
        of_years = [(first, year)]
        if "d" in parts:
            of_years = [(f"(?:{'|'.join((first, *others))})", year), (leap_day, leap_year)]
        patterns += [separator.join(one[::-1] if parts[0] == "y" else one) for one in of_years]
    return "|".join(patterns)


def _without_year(parts: str, separator: str, *, is_named: bool) -> list[str]:
    """Return a pattern of each of _DAYS_OF_MONTHS."""
    patterns = []
    for day, digits, numbers in _DAYS_OF_MONTHS:
        names = "|".join(_NAMES[number - 1] for number in numbers)
        named = {"d": f"{day}{ORDINAL}?", "m": f"(?:{names})[.]?"}
        written = named if is_named else {"d": day, "m": digits}
        patterns.append(separator.join(written[part] for part in parts if part != "y"))
    return patterns


def _named(parts: str, beside: Sequence[str] = _BESIDE_NAMES) -> tuple[str, str]:
    """Return the patterns of days, or of months, whose months are named, `beside` years of two digits."""
    return (
        _form(parts, *_BESIDE_NAMES, f" {OF} ", is_named=True),
        _form(parts, *beside, is_named=True, has_short_year=True),
    )


_EVERY_MONTH = [_form("ym", "-"), _form("my", "/"), _YEAR_MONTH]
_MONTHS = {  # in digits
    Shape.MONTH: [f"{_NEAR_YEAR}[-.]{_TWO_DIGIT_MONTH}", f"(?:0?[1-9]|1[0-2])/(?:{_NEAR_YEAR}|9999)"],
    Shape.WRITTEN: _EVERY_MONTH,
    Shape.DIGITS: _EVERY_MONTH,
}


@cache
def days_pattern(order: str, shape: Shape) -> str:
    """Return the pattern of days in this order, in this shape or one before it."""
    if shape is Shape.YEAR_MONTH:
        return _YEAR_MONTH
    if shape is Shape.COMPACT:
        return _form("ymd", "")
    forms = [_form("ymd", "-", "/")]
    if order != "ymd":
        forms += [_form(order, "/", "[.]", "-"), _form(order, "/", has_short_year=True)]
    if shape in (Shape.NAMED, Shape.MONTH, Shape.WRITTEN):
        forms += _named("dmy")
    if shape in (Shape.MONTH, Shape.WRITTEN):  # `January 21` suggests no month of 2021
        forms += _named("my", _BESIDE_NAMES if shape is Shape.WRITTEN else ("-", "/"))
    return "|".join(forms + _MONTHS.get(shape, []))


MAX_TIME_BYTES = 64  # the longest form with room for blanks; spares long texts the pattern


_MINUTES_SECONDS = r":[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]{1,6}0*)?)?"
_CLOCK = rf"(?:(?:[01]?[0-9]|2[0-3]){_MINUTES_SECONDS}|(?:0?[1-9]|1[0-2]){_MINUTES_SECONDS} ?[AaPp][Mm])"
_ZONE = r"(?: ?(?:[Zz]|UTC|GMT|[+-](?:0[0-9]|1[0-5])(?::?[0-5][0-9])?))"
_PADDED_DAY = "[0-9]{2}[-/.][0-9]{2}[-/.][0-9]{4}|[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}"
MIDNIGHT = r"(?:[Tt]| +)0?0:00(?::00(?:[.,]0+)?)?"
_EIGHT_DIGITS = rf"{BLANK}*[12][0-9]{{7}}{BLANK}*"  # of a year from 1000 on: no ddmmyyyy of our times is one
TIME = rf"(?:(?:[Tt]| +){_CLOCK}{_ZONE}?)"
# What programs write for no day: zeros, or nothing, between the separators of a day.
EMPTY_DAY = rf"{BLANK}*(?:[0_ ]{{0,4}}[-/.][0_ ]{{0,2}}[-/.][0_ ]{{0,4}}(?:{MIDNIGHT})?|0{{8}}){BLANK}*"
TIME_WITHOUT_ZONE = rf"{ANYTHING}:[0-5][0-9](?:[.,][0-9]+)?{BLANK}*(?:[AaPp][Mm])?{BLANK}*"
SHORT_YEAR_DATE = (
    rf"{BLANK}*(?:[0-9]{{1,2}}[-/ ])?[^-/ 0-9]*[0-9]{{0,2}}[.]?[-/ ][0-9]{{2}}(?:[Tt ]{ANYTHING})?{BLANK}*"
)
_MOMENT = "^([0-9-]+)(?: +([0-9]+):([0-9]+)(?::([0-9.]+))? ?([AaPp][Mm])? ?(.*))?$"
ZONED = 1 << 60  # microseconds, beyond every calendar: of a time whose own zone has brought it to UTC
# How most days are written, in DuckDB's terms.
_PARSED_DAYS: dict[DateOrder, str] = {"dmy": "%d/%m/%Y", "mdy": "%m/%d/%Y", "ymd": "%Y-%m-%d"}
TIME_OF_DAY = rf"{BLANK}*(?:[01]?[0-9]|2[0-4])(?:{_MINUTES_SECONDS}|[hH](?:[0-5][0-9](?:min)?)?){BLANK}*"

_MICROSECOND = timedelta(microseconds=1)
_CALENDAR_ENDS = (datetime.min, datetime.max)


def datetime_fits(cell: str, order: DateOrder, zone: str, shape: Shape = Shape.WRITTEN) -> str:
    """Return DuckDB's test that `cell` is a moment of the years 1 to 9999 in UTC, too.

    `zone` is that of a time without one. No zone is a day away: only the first and the last year can leave
    the calendar.
    """
    ends = [(end - datetime(1970, 1, 1)) // _MICROSECOND for end in _CALENDAR_ENDS]
    ahead = [(ZoneInfo(zone).utcoffset(end) or timedelta()) // _MICROSECOND for end in _CALENDAR_ENDS]
    is_inside = choose(
        (f"m < {ZONED // 2}", f"m BETWEEN {ends[0] + ahead[0]} AND {ends[1] + ahead[1]}"),
        otherwise=f"m - {ZONED} BETWEEN {ends[0]} AND {ends[1]}",
    )
    moment = datetime_moment(cell, order)
    stays = choose(
        (f"strpos({cell}, '0001') + strpos({cell}, '9999') = 0", "true"),
        otherwise=f"list_transform([{moment}], lambda m: {is_inside})[1]",
    )
    return choose((is_moment(cell, order, shape), stays), otherwise="false")


def is_moment(cell: str, order: DateOrder, shape: Shape) -> str:
    """Return the test that `cell` is a day of this shape or one before it, with or without a time of day.

    Eight digits are no moment.
    """
    return _fits(cell, f"(?:{days_pattern(order, shape)}){TIME}?")


def day_suggested(cell: str, order: DateOrder, shape: Shape) -> str:
    """Return the test that `cell` is a day of this shape."""
    fits = _fits(cell, days_pattern(order, shape))
    return choose((matches(cell, _EIGHT_DIGITS), fits), otherwise="false") if shape is Shape.COMPACT else fits


def day_converts(cell: str, order: DateOrder, shape: Shape = Shape.WRITTEN) -> str:
    """Return the test that `cell` is a day of this shape or of eight digits, maybe with a time of zeros."""
    marked = _fits(cell, f"(?:{days_pattern(order, shape)})(?:{MIDNIGHT})?")
    return choose(
        (matches(cell, _EIGHT_DIGITS), _fits(cell, days_pattern(order, Shape.COMPACT))), otherwise=marked
    )


def date_typed(cell: str, order: DateOrder, latest: str | None = None) -> str:
    """Return a fitting date as a DATE, in DuckDB."""
    parsed = _parsed(cell, _PARSED_DAYS[order])
    return f"coalesce({parsed}::DATE, {date_text(cell, order, latest)}::DATE)"


def date_text(cell: str, order: DateOrder, latest: str | None = None) -> str:
    """Return a fitting date as `yyyy-mm-dd`."""
    digits = trimmed(cell)
    compact = _joined(*(f"substr({digits}, {part})" for part in ("1, 4", "5, 2", "7, 2")))
    return choose(
        (matches(cell, _PADDED_DAY), _padded_date(cell, order)),
        (matches(cell, _EIGHT_DIGITS), compact),
        otherwise=_date(trimmed(cell), order, latest),
    )


def datetime_moment(cell: str, order: DateOrder, latest: str | None = None) -> str:
    """Return a fitting datetime in DuckDB, in microseconds since 1970.

    They are by the local clock, or by UTC and ZONED more.
    """
    written = _moment(moment_text(cell, order, latest))
    return f"coalesce(epoch_us({_parsed(cell, _PARSED_DAYS[order] + ' %H:%M:%S')}), {written})"


def moment_text(cell: str, order: DateOrder, latest: str | None = None) -> str:
    """Return a fitting datetime as `yyyy-mm-dd time zone`; zone, AM and PM are as written."""
    bare = trimmed(cell)
    clock = f"replace({extracted(bare, '[^:]*[Tt ]([0-9]+:.*)')}, ',', '.')"
    return choose(
        (
            matches(cell, f"(?:{_PADDED_DAY}) [0-9]{{2}}:[0-9:]+"),
            f"({_padded_date(cell, order)} || substr({cell}, 11))",
        ),
        (f"strpos({cell}, ':') > 0", f"({_date(bare, order, latest)} || ' ' || {clock})"),
        otherwise=date_text(cell, order, latest),
    )


def _moment(value: str) -> str:
    """Return the moment of `yyyy-mm-dd time zone`."""
    seconds = "m.hour::INTEGER % CASE m.half WHEN '' THEN 24 ELSE 12 END * 3600 + m.minute::INTEGER * 60"
    afternoon = "CASE WHEN m.half ILIKE 'pm' THEN 43200 ELSE 0 END"
    fraction = "(concat('0', m.second)::DECIMAL(18, 6) * 1000000)::BIGINT"
    time = f"({seconds} + {afternoon}) * 1000000::BIGINT + {fraction}"
    ahead = "substr(m.zone, 2, 2)::INTEGER * 3600 + concat('0', right(substr(m.zone, 4), 2))::INTEGER * 60"
    zone = choose(
        ("m.zone = ''", "0"),
        ("m.zone[1] = '+'", f"{ZONED} - ({ahead}) * 1000000::BIGINT"),
        ("m.zone[1] = '-'", f"{ZONED} + ({ahead}) * 1000000::BIGINT"),
        otherwise=str(ZONED),
    )
    clock = choose(("m.hour = ''", "0"), otherwise=f"{time} + {zone}")
    parts = (
        f"regexp_extract({value}, {literal(_MOMENT)}, ['day', 'hour', 'minute', 'second', 'half', 'zone'])"
    )
    return f"list_transform([{parts}], lambda m: epoch_us(m.day::TIMESTAMP) + {clock})[1]"


def _parsed(cell: str, form: str) -> str:
    """Return the moment that DuckDB reads in this form, NULL where it does not; the years have four digits.

    It costs a third of finding the parts of a cell, and reads most columns whole.
    """
    first = (
        "TIMESTAMP '1000-01-01 00:00:00'"  # DuckDB takes `24` for the year 24, and more than four for none
    )
    return f"nullif(greatest({first}, try_strptime({cell}, {literal(form)})), {first})"


def _fits(cell: str, pattern: str) -> str:
    return choose(
        (is_longer(cell, MAX_TIME_BYTES), "false"),
        otherwise=matches(cell, f"{BLANK}*(?:{pattern}){BLANK}*"),
    )


def _padded_date(cell: str, order: str) -> str:
    def part(place: int, length: int) -> str:
        return f"substr({cell}, {place}, {length})"

    year_first = _joined(part(1, 4), part(6, 2), part(9, 2))
    if order == "ymd":
        return year_first
    day, month = (part(1, 2), part(4, 2)) if order == "dmy" else (part(4, 2), part(1, 2))
    year_last = _joined(part(7, 4), month, day)
    return choose((f"substr({cell}, 5, 1) IN ('-', '/')", year_first), otherwise=year_last)


def _date(cell: str, order: str, latest: str | None) -> str:
    """Return the date that `cell` begins with: parts of any width, two-digit years completed."""
    return choose(
        (matches(cell, "(?:[0-9]{1,2}[^0-9:]+)?[A-Za-z]{3}.*"), _named_date(cell, latest)),
        (matches(cell, "[0-9]{4}[-.][0-9]{1,2}(?:[Tt ].*)?"), _month_date(cell, year=1, month=2)),
        (matches(cell, "[0-9]{1,2}/[0-9]{4}(?:[Tt ].*)?"), _month_date(cell, year=2, month=1)),
        otherwise=_digits_date(cell, order, latest),
    )


def _digits_date(cell: str, order: str, latest: str | None) -> str:
    first, second, third = (
        extracted(cell, "([0-9]+)[-/.]([0-9]+)[-/.]([0-9]+)", number) for number in (1, 2, 3)
    )
    year_first = _joined(first, _two(second), _two(third))
    if order == "ymd":
        return year_first
    day, month = (first, second) if order == "dmy" else (second, first)
    year_last = _completed(third, _two(month), _two(day), latest)
    return choose((f"length({first}) = 4", year_first), otherwise=year_last)


def _month_date(cell: str, *, year: int, month: int) -> str:
    parts = "([0-9]+)[-/.]([0-9]+)"
    return _joined(extracted(cell, parts, year), _two(extracted(cell, parts, month)), "'01'")


def _named_date(cell: str, latest: str | None) -> str:
    """Return the date of a cell that names its month; without a day it is the first."""
    parts = f"(?:([0-9]+){ORDINAL}?(?:[-/ ]| {OF} ))?([A-Za-z]{{3}})[^0-9]*([0-9]+)"
    day, name, year = (extracted(cell, parts, number) for number in (1, 2, 3))
    day = choose((matches(cell, "[0-9].*"), _two(day)), otherwise="'01'")
    month = f"substr({literal(NUMBERED_NAMES)}, strpos({literal(NUMBERED_NAMES)}, lower({name})) + 3, 2)"
    return _completed(year, month, day, latest)


def _joined(year: str, month: str, day: str) -> str:
    return f"({year} || '-' || {month} || '-' || {day})"


def _two(digits: str) -> str:
    return f"lpad({digits}, 2, '0')"


def _completed(year: str, month: str, day: str, latest: str | None) -> str:
    """Return the date with its year in full: of two digits it is in the last century, or in this one."""
    day_of_year = f"{year} || '-' || {month} || '-' || {day}"
    is_of_last = f"{year} >= '69'" if latest is None else f"('20' || {day_of_year}) > {literal(latest)}"
    century = choose((f"length({year}) = 4", "''"), (is_of_last, "'19'"), otherwise="'20'")
    return f"({century} || {day_of_year})"
