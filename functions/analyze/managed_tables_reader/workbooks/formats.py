"""Parse number formats, and show what the number of a cell means by them: a day, a time, an identifier.

Dates and times are ISO 8601. As labels of a header dates are also shown as in the sheet, `jan/24`: names are
Portuguese unless the format asks for English, and the short forms that files name by number only are those of
Brazil, where they are written with slashes.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import Enum
from functools import lru_cache, partial
from typing import NamedTuple

from managed_tables.wording import MONTHS
from managed_tables_reader.workbooks.numbers import exact_number, is_number


class FormatKind(Enum):
    """How the number in a cell is meant to be read."""

    NUMBER = "number"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"
    DURATION = "duration"
    MASK = "mask"


class Mask(NamedTuple):
    """One section of a format such as `00000-000`."""

    places: str  # what is shown: `_ZERO` and `_DIGIT` stand for digits, others for themselves
    limit: float | None = None  # the largest value that it applies to, as of `[<=99999999]`


@dataclass(frozen=True)
class NumberFormat:
    """A number format, as parsed from its code."""

    kind: FormatKind
    masks: tuple[Mask, ...] = ()
    code: str = ""  # of a date, by which `shown_date` shows it
    is_percent: bool = False  # the number is shown multiplied by 100, with a percent sign
    currency: str = ""  # whose sign stands beside it


GENERAL = NumberFormat(FormatKind.NUMBER)
_PERCENT = NumberFormat(FormatKind.NUMBER, is_percent=True)

# ECMA-376 part 1, 18.8.30: the formats that files name by number only. 27-36 and 50-58 are dates in the
# Chinese, Japanese and Korean editions.
BUILTIN_CODES: dict[int, str] = {
    9: "0%", 10: "0.00%",
    14: "mm-dd-yy", 15: "d-mmm-yy", 16: "d-mmm", 17: "mmm-yy", 18: "h:mm AM/PM", 19: "h:mm:ss AM/PM",
    20: "h:mm", 21: "h:mm:ss", 22: "m/d/yy h:mm", 45: "mm:ss", 46: "[h]:mm:ss", 47: "mm:ss.0",
    **dict.fromkeys((*range(27, 32), 36, *range(50, 55), 57, 58), "yyyy/m/d"),
    **dict.fromkeys((32, 33, 34, 35, 55, 56), "h:mm:ss"),
}  # fmt: skip

_TOKEN = re.compile(
    r"""
    "(?P<quoted>[^"]*)"?            # literal text
    | \\(?P<escaped>.)              # one literal character
    | _(?P<space>.)                 # a blank as wide as the character
    | \*(?P<fill>.)                 # repeated to fill the cell
    | \[(?P<bracket>[^\]]*)\]       # colour, condition, locale, elapsed time
    | (?P<general>general)
    | (?P<meridiem>am/pm|a/p)
    | (?P<exponent>e[+-])
    | (?P<letters>(?P<letter>[a-z])(?P=letter)*)       # d, mmm, yyyy, h …
    | (?P<other>.)
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_ELAPSED = re.compile(r"h+|m+|s+", re.IGNORECASE)
_CONDITION = re.compile(r"(<=?|>=?|=|<>)\s*(-?[0-9.]+)")
_ZERO, _DIGIT = "\0", "\1"  # the places `0` and `#` of a mask: they show a digit, else 0 or nothing
_PLACES = {"0": _ZERO, "#": _DIGIT, "-": "-", "(": "(", ")": ")", " ": " "}
_UNFILLED = {_ZERO: "0", _DIGIT: ""}
_SEPARATED = re.compile(f"[{_ZERO}{_DIGIT}][^{_ZERO}{_DIGIT}]+[{_ZERO}{_DIGIT}]")
# Blanks between groups of three digits, as in `# ### ##0`: the mask of a quantity.
_THOUSANDS = re.compile(
    f"[^{_ZERO}{_DIGIT}]*[{_ZERO}{_DIGIT}]+([ \u00a0\u202f][{_ZERO}{_DIGIT}]{{3}})+[^{_ZERO}{_DIGIT}]*"
)
_DATE_LETTERS = "ydeg"  # e and g are Japanese eras
# Places of digits, whatever letters stand beside them (`US$ #,##0.00`, `0 dias`): a moment has them behind a
# mark alone (`ss.000`, `hh:00`), or beside a year, as of a program that cannot encode `yyyy年m月`.
_DIGITS = re.compile(r".*#.*|(?!.*yy).*(?<![.,:0])[0?].*", re.DOTALL)
_MARKS = {".", ",", ":"}  # also quoted, as in `ss"."000`
_MAX_CODE = 1_000  # characters; Excel's own limit is 255

_PORTUGUESE = (
    " ".join(MONTHS),
    "segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado domingo",
)
_ENGLISH = (
    "January February March April May June July August September October November December",
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
)
_CURRENCIES = ("R$", "US$", "€")
_ENGLISH_CODE = 9  # the primary language of Windows's language codes, in their last ten bits
_LANGUAGE = re.compile(r"\$[^-]*-([0-9A-Fa-f]{1,8})")
# Of the formats 14 to 17, which are the reader's own short forms whatever their codes say.
_LOCAL = {"mm-dd-yy": "dd/mm/yyyy", "d-mmm-yy": "dd/mmm/yy", "d-mmm": "dd/mmm", "mmm-yy": "mmm/yy"}

_DAY_MS = 86_400_000
_EPOCH_1900 = date(1899, 12, 30)  # right from 1900-03-01 on
_LEAP_DAY = 60  # 1900-02-29, which Excel has and the calendar has not (kept for Lotus 1-2-3)
_EPOCH_1904 = date(1904, 1, 1)
_LAST_DAY = date(9999, 12, 31)
# Of a day: a look-up is quicker than formatting, and so few texts stay in the processor's cache.
_MINUTES = [f"{minute // 60:02d}:{minute % 60:02d}" for minute in range(1_440)]
_SECONDS = [f":{second:02d}" for second in range(60)]
_LONGEST_SERIAL = 30  # characters; a double has 17 digits
_MAX_KEPT = 50_000  # texts, 200 bytes each with their keys


@lru_cache(maxsize=4_096)
def parse_format(code: str) -> NumberFormat:
    """Parse a number format's code as it stands in the file (always in its English form)."""
    sections = _sections(code[:_MAX_CODE])
    kind = _temporal_kind(sections[0])
    if kind is not None:
        return NumberFormat(kind, code=code[:_MAX_CODE] if kind is FormatKind.DATE else "")
    if any(token["other"] == "%" for token in sections[0]):
        return _PERCENT
    masks = _masks(sections)
    if masks:
        return NumberFormat(FormatKind.MASK, masks)
    return NumberFormat(FormatKind.NUMBER, currency=_currency(sections[0]))


def _currency(section: Sequence[re.Match[str]]) -> str:
    """Return the currency's sign that a section shows: `"R$" #,##0.00` or `[$R$-416]`; empty for another."""
    shown = "".join(
        token["quoted"] or token["escaped"] or _shown_in_brackets(token["bracket"] or "") or token[0]
        for token in section
    )
    return next((sign for sign in _CURRENCIES if sign in shown), "")


def _shown_in_brackets(bracket: str) -> str:
    return bracket[1:].partition("-")[0] if bracket.startswith("$") else ""


def builtin_format(number: int) -> NumberFormat:
    """Return a built-in format, which a file may name by number without its code."""
    return parse_format(BUILTIN_CODES.get(number, ""))


def _sections(code: str) -> list[list[re.Match[str]]]:
    """Return the tokens of each section, from the first that is not for one value only, such as `[=0]?`."""
    sections: list[list[re.Match[str]]] = [[]]
    for token in _TOKEN.finditer(code):
        if token["other"] == ";":
            sections.append([])
        else:
            sections[-1].append(token)
    while len(sections) > 1 and any((token["bracket"] or "").startswith("=") for token in sections[0]):
        sections.pop(0)
    return sections


def _temporal_kind(section: Sequence[re.Match[str]]) -> FormatKind | None:
    if any(token["general"] for token in section) or _shows_digits(section):
        return None
    if any(token["bracket"] and _ELAPSED.fullmatch(token["bracket"]) for token in section):
        return FormatKind.DURATION
    shows_date, shows_time = _shown_parts(section)
    if shows_date:
        return FormatKind.DATETIME if shows_time else FormatKind.DATE
    return FormatKind.TIME if shows_time else None


def _shows_digits(section: Sequence[re.Match[str]]) -> bool:
    """Return whether a section has places of digits that are none of a moment's."""
    shown = "".join(
        token["letters"] or token["other"] or "".join(_MARKS & {token["quoted"], token["escaped"]})
        for token in section
    )
    return _DIGITS.fullmatch(shown.lower()) is not None


def _shown_parts(section: Sequence[re.Match[str]]) -> tuple[bool, bool]:
    """Return whether a format shows a date, and whether it shows a time."""
    runs = _runs(section)
    letters = {run[0] for run in runs}
    # "aaa" is a day of the week where Excel is Japanese; "am/pm" is a time.
    has_time = bool(letters & {*"hs"}) or any(token["meridiem"] for token in section)
    has_month = "m" in letters and (not has_time or any(run.startswith("mmm") for run in runs))
    return has_month or bool(letters & {*_DATE_LETTERS}), has_time


def _runs(section: Sequence[re.Match[str]]) -> list[str]:
    """Return the letters that stand for parts of a moment: `d`, `mmm`, `yyyy`."""
    return [token["letters"].lower() for token in section if token["letters"]]


def _masks(sections: Sequence[Sequence[re.Match[str]]]) -> tuple[Mask, ...]:
    """Return the masks of a format that shows identifiers: leading zeros, or separators between digits."""
    first = _mask(sections[0])
    if first is None or (first.limit is not None and len(sections) < 2):
        return ()
    second = _mask(sections[1]) if first.limit is not None else None  # of the values beyond the limit
    masks = (first,) if second is None else (first, second)
    return masks if any(_is_identifier_mask(mask.places) for mask in masks) else ()


def _mask(section: Sequence[re.Match[str]]) -> Mask | None:
    """Return a section's mask, None where it shows a quantity."""
    places, limit = "", None
    for token in section:
        if token["bracket"] is None:
            shown = _mask_places(token)
            if shown is None:
                return None
            places += shown
        elif condition := _CONDITION.fullmatch(token["bracket"]):
            if condition[1] != "<=":
                return None
            limit = float(condition[2])
    return Mask(places, limit)


def _mask_places(token: re.Match[str]) -> str | None:
    """Return the places that a token stands for; None for a decimal point, thousands or a fraction."""
    if token["other"] is not None:
        return _PLACES.get(token["other"])
    if token["space"] is not None or token["fill"] is not None:
        return ""
    return token["quoted"] if token["quoted"] is not None else token["escaped"]


def _is_identifier_mask(places: str) -> bool:
    is_separated = _SEPARATED.search(places) and not _THOUSANDS.fullmatch(places)
    return places.count(_ZERO) >= 2 or bool(is_separated)


def show_mask(number_format: NumberFormat, raw: str) -> str | None:
    """Return the digits as the mask shows them; None if it shows none, or the value is no whole number."""
    if not (raw.isascii() and raw.isdigit()):
        return None
    for mask in number_format.masks:
        if mask.limit is None or int(raw) <= mask.limit:
            return _fill(mask.places, raw.lstrip("0"))
    return None


def _fill(places: str, digits: str) -> str | None:
    count = sum(sign in _UNFILLED for sign in places)
    if not count:
        return None
    digits = digits.rjust(count)
    extra = len(digits) - count + 1  # the first place shows all that are too many
    cells = iter([digits[:extra], *digits[extra:]])
    shown = (next(cells).strip() or _UNFILLED[sign] if sign in _UNFILLED else sign for sign in places)
    return "".join(shown).strip()


def shown_date(number_format: NumberFormat, iso: str) -> str | None:
    """Return a day in ISO 8601 as its format shows it; None if that leaves the day open, or is no date.

    So months without a year stay what they are: two years of them would be called alike.
    """
    if number_format.kind is not FormatKind.DATE:
        return None
    try:
        day = date.fromisoformat(iso)
    except ValueError:
        return None
    section = _sections(_LOCAL.get(number_format.code.lower(), number_format.code))[0]
    return _show(section, day) if _tells(section, day) else None


def _show(section: Sequence[re.Match[str]], day: date) -> str | None:
    months, weekdays = (names.split() for names in _names(section))
    forms = {
        "d": str(day.day),
        "dd": f"{day.day:02d}",
        "ddd": weekdays[day.weekday()][:3],
        "dddd": weekdays[day.weekday()],
        "m": str(day.month),
        "mm": f"{day.month:02d}",
        "mmm": months[day.month - 1][:3],
        "mmmm": months[day.month - 1],
        "mmmmm": months[day.month - 1][:1],
        "yy": f"{day.year % 100:02d}",
        "yyyy": str(day.year),
    }
    shown = []
    for token in section:
        letters = token["letters"]
        if letters is not None and letters.lower() not in forms:
            return None
        literal = token["quoted"] or token["escaped"] or token["other"] or ""
        shown.append(forms[letters.lower()] if letters is not None else "" if literal == "@" else literal)
    return "".join(shown).strip() or None


def _tells(section: Sequence[re.Match[str]], day: date) -> bool:
    """Return whether a section shows the year, and the month and the day unless they are the first."""
    runs = _runs(section)
    has_year, has_month = (any(run.startswith(letter) for run in runs) for letter in "ym")
    return has_year and (has_month or day.month == 1) and ("d" in runs or "dd" in runs or day.day == 1)


def _names(section: Sequence[re.Match[str]]) -> tuple[str, str]:
    codes = (_LANGUAGE.fullmatch(token["bracket"] or "") for token in section)
    is_english = any(code and int(code[1], 16) & 0x3FF == _ENGLISH_CODE for code in codes)
    return _ENGLISH if is_english else _PORTUGUESE


def serial_text(raw: str, kind: FormatKind, is_1904: bool) -> str:
    """Return the date, time, datetime or duration that a serial number stands for, to the millisecond.

    A serial that is no day of the calendar (0 or 60 of the 1900 epoch, negative, after the year 9999)
    is returned as a number.
    """
    raw = raw.strip()
    if not is_number(raw):
        return raw
    serial = float(raw)
    if not abs(serial) < 1e8:  # far beyond the calendar, also infinite
        return exact_number(raw)
    total_ms = round(serial * _DAY_MS)
    if kind is FormatKind.DURATION:
        return duration_text(total_ms)
    days, ms = divmod(total_ms, _DAY_MS)
    is_date = kind is FormatKind.DATE and not ms
    if days == 0 and (kind is FormatKind.TIME or not (is_1904 or serial < 0 or is_date)):
        return duration_text(ms, hour_digits=2)
    day = _day(days, is_1904)
    if day is None:
        return exact_number(raw)
    return day if is_date else f"{day}T{duration_text(ms, hour_digits=2)}"


def iso_text(raw: str, kind: FormatKind) -> str:
    """Return a cell written as an ISO date (`t="d"`) in the form that its number format asks for."""
    try:
        moment = datetime.fromisoformat(raw.strip())
    except ValueError:
        return raw.strip()
    if kind is FormatKind.DATE and moment.time() == datetime.min.time() and moment.tzinfo is None:
        return moment.date().isoformat()
    return raw.strip()


@lru_cache(maxsize=100_000)  # 270 years
def _day(days: int, is_1904: bool) -> str | None:
    if not is_1904 and days <= _LEAP_DAY:
        days = days + 1 if 0 < days < _LEAP_DAY else -1
    epoch = _EPOCH_1904 if is_1904 else _EPOCH_1900
    return (epoch + timedelta(days)).isoformat() if 0 <= days <= (_LAST_DAY - epoch).days else None


def duration_text(total_ms: int, hour_digits: int = 1) -> str:
    """Return a duration, or a time of day with two digits for the hour, in hours, minutes and seconds."""
    sign = "-" if total_ms < 0 else ""
    seconds, ms = divmod(abs(total_ms), 1_000)
    hours = f"{sign}{seconds // 3_600:0{hour_digits}d}"
    text = f"{hours}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{ms:03d}" if ms else text


@lru_cache
def serial_texts(kind: FormatKind, *, is_1904: bool) -> Callable[[str], str]:
    """Return `serial_text` of one kind, which remembers texts: a column has few days."""
    return lru_cache(maxsize=_MAX_KEPT)(partial(serial_text, kind=kind, is_1904=is_1904))


def moment_texts(raws: Iterable[str | None], is_1904: bool) -> list[str | None]:
    """Return what `serial_text` returns for datetimes in plain digits, few of which are equal."""
    texts: list[str | None] = []
    for raw in raws:
        if raw is None:
            texts.append(None)
            continue
        seconds, ms = divmod(round(float(raw[:_LONGEST_SERIAL]) * _DAY_MS), 1_000)
        minutes, second = divmod(seconds, 60)
        day = _day(minutes // 1_440, is_1904)
        if day is None or ms or len(raw) > _LONGEST_SERIAL:
            texts.append(serial_text(raw, FormatKind.DATETIME, is_1904))
        else:
            texts.append(f"{day}T{_MINUTES[minutes % 1_440]}{_SECONDS[second]}")
    return texts
