"""Tell times of the first or the last day of the calendar that leave the years 1 to 9999 in UTC."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from managed_tables.conversion.sql_text import BLANK, choose, literal

_DAY_SECONDS = 86_400
_CALENDAR_ENDS = (datetime.min, datetime.max)
# What a time of the first or the last day is made of; the other days have no group `first` nor `last`.
_END_OF_CALENDAR = (
    rf"^{BLANK}*(?:(0?1[-/.]0?1[-/.]0001|0001[-/]0?1[-/]0?1)"
    r"|((?:31[-/.]12|12[-/.]31)[-/.]9999|9999[-/]12[-/]31))"
    r"(?:(?:[Tt]| +)([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,][0-9]+)?)? ?([AaPp][Mm])?"
    r" ?(?:([Zz]|UTC|GMT)|([+-])([0-9]{2}):?([0-9]{2})?)?)?"
)
_END_PARTS = ["first", "last", "hour", "minute", "second", "half", "utc", "sign", "hours", "minutes"]


def leaves_calendar(cell: str, zone: str) -> str:
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
