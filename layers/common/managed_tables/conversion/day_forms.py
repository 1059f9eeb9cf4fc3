"""Define how days are written: one table of forms, read by inference and loading.

A year-first date fits any order. A two-digit year is read after a slash, or beside a month's name
(`10-12-11` may be a code). A month without a day is its first day. Only days of the calendar match,
years 0001 to 9999.
"""

from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Literal

from managed_tables.conversion.sql_text import any_case

DateOrder = Literal["dmy", "mdy", "ymd"]


class Shape(Enum):
    """What the cells of a column of dates look like; each shape includes the one before it."""

    DAY = "day"
    NAMED = "named"
    MONTH = "month"
    DIGITS = "digits"  # those of MONTH that name none
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
        return "|".join(days for separator in self.separators for days in self._days(separator))

    def _days(self, separator: str) -> list[str]:
        year, leap_year = (_SHORT_YEAR, _SHORT_LEAP_YEAR) if self.has_short_year else (_YEAR, _LEAP_YEAR)
        if "d" not in self.parts:
            _, digits, numbers = _DAYS_OF_MONTHS[0]
            return [self._of_year(separator, self._month(digits, numbers), year)]
        days = [
            self._of_month(separator, days, self._month(digits, numbers))
            for days, digits, numbers in _DAYS_OF_MONTHS
        ]
        leap_day = self._of_month(separator, "29", self._month("0?2", (_FEBRUARY,)))
        return [
            self._of_year(separator, f"(?:{'|'.join(days)})", year),
            self._of_year(separator, leap_day, leap_year),
        ]

    def _month(self, digits: str, numbers: tuple[int, ...]) -> str:
        names = "|".join(_NAMES[number - 1] for number in numbers)
        return f"(?:{names})[.]?" if self.is_named else digits

    def _of_month(self, separator: str, day: str, month: str) -> str:
        written = {"d": f"{day}{ORDINAL}?" if self.is_named else day, "m": month}
        return separator.join(written[part] for part in self.parts if part != "y")

    def _of_year(self, separator: str, days: str, year: str) -> str:
        return separator.join((year, days) if self.parts[0] == "y" else (days, year))


_YEAR_FIRST, _COMPACT = _DayForm("ymd", ("-", "/")), _DayForm("ymd", ("",))
_MONTHS = (_DayForm("ym", ("-",)), _DayForm("my", ("/",)))
_BESIDE_NAMES = ("-", "/", " ")
_NAMED, _NAMED_MONTHS = (
    (
        _DayForm(parts, (*_BESIDE_NAMES, f" {OF} "), is_named=True),
        _DayForm(parts, _BESIDE_NAMES, is_named=True, has_short_year=True),
    )
    for parts in ("dmy", "my")
)


@cache
def days_pattern(order: str, shape: Shape) -> str:
    """Return the pattern of days in this order, in this shape or one before it."""
    if shape is Shape.YEAR_MONTH:
        return _YEAR_MONTH
    if shape is Shape.COMPACT:
        return _COMPACT.pattern()
    forms = [_YEAR_FIRST]
    if order != "ymd":
        forms += [_DayForm(order, ("/", "[.]", "-")), _DayForm(order, ("/",), has_short_year=True)]
    if shape in (Shape.NAMED, Shape.MONTH):
        forms += _NAMED
    months = () if shape in (Shape.DAY, Shape.NAMED) else (*(form.pattern() for form in _MONTHS), _YEAR_MONTH)
    if shape is Shape.MONTH:
        forms += _NAMED_MONTHS
    return "|".join([*(form.pattern() for form in forms), *months])
