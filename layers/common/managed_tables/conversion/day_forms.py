"""Define how days are written: one table of forms, read by inference and loading.

A year-first date fits any order. A two-digit year is read after a slash, or beside a month's name
(`10-12-11` may be a code). A month without a day is its first day. Only days of the calendar match,
years 0001 to 9999.
"""

from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Literal

DateOrder = Literal["dmy", "mdy", "ymd"]


class Shape(Enum):
    """What the cells of a column of dates look like; each shape includes the one before it."""

    DAY = "day"
    NAMED = "named"
    MONTH = "month"
    YEAR_MONTH = "year_month"  # `2008.01` and nothing else: a number, too
    COMPACT = "compact"  # eight digits and nothing else


_YEAR = "(?:[0-9]{3}[1-9]|[0-9]{2}[1-9]0|[0-9][1-9]00|[1-9]000)"
_LEAP_YEAR = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"
_SHORT_YEAR = "[0-9]{2}"
_SHORT_LEAP_YEAR = "(?:[02468][048]|[13579][26])"

_NAMES = (
    "jan(?:eiro|uary)?", "fev(?:ereiro)?|feb(?:ruary)?", "mar(?:ço|co|ch)?", "a[bp]r(?:il)?", "mai(?:o)?|may",
    "jun(?:ho|e)?", "jul(?:ho|y)?", "ago(?:sto)?|aug(?:ust)?", "set(?:embro)?|sep(?:t(?:ember)?)?",
    "out(?:ubro)?|oct(?:ober)?", "nov(?:embro|ember)?", "dez(?:embro)?|dec(?:ember)?",
)  # fmt: skip
SHORT_NAMES = ("janfevmarabrmaijunjulagosetoutnovdez", "janfebmaraprmayjunjulaugsepoctnovdec")
_ORDINAL = "[ºo°]"  # of a first day: `1º de maio`
_YEAR_MONTH = "(?:1[5-9]|20)[0-9]{2}[.](?:0[1-9]|1[0-2])"  # `2008.1` may be October that lost its zero
_FEBRUARY, _LONG_MONTHS = 2, (1, 3, 5, 7, 8, 10, 12)

# Days, and the months that have them in every year, in digits and by number; 29 February is apart.
_DAYS_OF_MONTHS = (
    ("(?:0?[1-9]|1[0-9]|2[0-8])", "(?:0?[1-9]|1[0-2])", tuple(range(1, 13))),
    ("(?:29|30)", "(?:0?[13-9]|1[0-2])", tuple(month for month in range(1, 13) if month != _FEBRUARY)),
    ("31", "(?:0?[13578]|1[02])", _LONG_MONTHS),
)


@dataclass(frozen=True)
class _DayForm:
    """One way of writing a day: its parts in order, and the separator between them."""

    parts: str
    separators: tuple[str, ...]
    is_named: bool = False
    has_short_year: bool = False

    def pattern(self) -> str:
        """Return the regular expression of the days that the calendar has."""
        return "|".join(one for separator in self.separators for one in self._days(separator))

    def _days(self, separator: str) -> list[str]:
        year, leap_year = (_SHORT_YEAR, _SHORT_LEAP_YEAR) if self.has_short_year else (_YEAR, _LEAP_YEAR)
        if "d" not in self.parts:
            days, digits, numbers = _DAYS_OF_MONTHS[0]
            return [self._joined(separator, days, self._month(digits, numbers), year)]
        found = [
            self._joined(separator, days, self._month(digits, numbers), year)
            for days, digits, numbers in _DAYS_OF_MONTHS
        ]
        leap_day = self._joined(separator, "29", self._month("0?2", (_FEBRUARY,)), leap_year)
        return [*found, leap_day]

    def _month(self, digits: str, numbers: tuple[int, ...]) -> str:
        names = "|".join(_NAMES[number - 1] for number in numbers)
        return f"(?i:(?:{names})[.]?)" if self.is_named else digits

    def _joined(self, separator: str, day: str, month: str, year: str) -> str:
        written = {"d": f"{day}{_ORDINAL}?" if self.is_named else day, "m": month, "y": year}
        return separator.join(written[part] for part in self.parts)


_YEAR_FIRST = (_DayForm("ymd", ("-", "/")),)
_FORMS: dict[Shape, tuple[_DayForm, ...]] = {
    Shape.NAMED: (
        _DayForm("dmy", ("-", "/", " ", " (?i:de) "), is_named=True),
        _DayForm("dmy", ("-", "/", " "), is_named=True, has_short_year=True),
    ),
    Shape.MONTH: (
        _DayForm("ym", ("-",)),
        _DayForm("my", ("/",)),
        _DayForm("my", ("-", "/", " ", " (?i:de) "), is_named=True),
        _DayForm("my", ("-", "/", " "), is_named=True, has_short_year=True),
    ),
}


@cache
def days_pattern(order: str, shape: Shape) -> str:
    """Return the pattern of days in this order, in this shape or one before it."""
    if shape is Shape.YEAR_MONTH:
        return _YEAR_MONTH
    forms = list(_YEAR_FIRST)
    if order != "ymd":
        forms += [_DayForm(order, ("/", "[.]", "-")), _DayForm(order, ("/",), has_short_year=True)]
    if shape in (Shape.NAMED, Shape.MONTH):
        forms += _FORMS[Shape.NAMED]
    if shape is Shape.MONTH:
        forms += _FORMS[Shape.MONTH]
    months = (_YEAR_MONTH,) if shape is Shape.MONTH else ()
    return "|".join([*(form.pattern() for form in forms), *months])
