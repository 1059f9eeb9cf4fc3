"""Parse number formats: a date, a time, a duration, a mask, or just a number."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import lru_cache

from managed_tables_reader.workbooks.values.shown_dates import local_code, show_date


class FormatKind(Enum):
    """How the number in a cell is meant to be read."""

    NUMBER = "number"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"
    DURATION = "duration"
    MASK = "mask"


@dataclass(frozen=True)
class Mask:
    """One section of a format such as `00000-000`: digit places and the characters between them."""

    places: tuple[tuple[bool, str], ...]
    """(is a digit place, the place's `0`, `#` or `?`, or the literal character)."""
    limit: float | None = None
    """The largest value that it applies to, if the section has a condition such as `[<=99999999]`."""


@dataclass(frozen=True)
class NumberFormat:
    """A number format, as parsed from its code."""

    kind: FormatKind
    masks: tuple[Mask, ...] = ()
    code: str = ""
    """The code of a date, by which `shown_date` shows it."""
    is_percent: bool = False
    """The number is shown multiplied by 100, with a percent sign."""


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
_THOUSANDS = re.compile(r"[^#]*#+([ \u00a0\u202f]###)+[^#]*")
_DATE_LETTERS = "ydeg"  # e and g are Japanese eras
_MAX_CODE = 1_000  # characters; Excel's own limit is 255


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
    return NumberFormat(FormatKind.MASK, masks) if masks else GENERAL


def shown_date(number_format: NumberFormat, iso: str) -> str | None:
    """Return a day in ISO 8601 as its format shows it; None if the format or the text is not a date's."""
    if number_format.kind is not FormatKind.DATE:
        return None
    try:
        day = date.fromisoformat(iso)
    except ValueError:
        return None
    return show_date(_sections(local_code(number_format.code))[0], day)


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
    if any(token["general"] for token in section):
        return None
    if any(token["bracket"] and _ELAPSED.fullmatch(token["bracket"]) for token in section):
        return FormatKind.DURATION
    shows_date, shows_time = _shown_parts(section)
    if shows_date:
        return FormatKind.DATETIME if shows_time else FormatKind.DATE
    return FormatKind.TIME if shows_time else None


def _shown_parts(section: Sequence[re.Match[str]]) -> tuple[bool, bool]:
    """Return whether a format shows a date, and whether it shows a time."""
    runs = [token["letters"].lower() for token in section if token["letters"]]
    letters = {run[0] for run in runs}
    # "aaa" is a day of the week where Excel is Japanese; "am/pm" is a time.
    has_time = bool(letters & {*"hs"}) or any(token["meridiem"] for token in section)
    has_month = "m" in letters and (not has_time or any(run.startswith("mmm") for run in runs))
    return has_month or bool(letters & {*_DATE_LETTERS}), has_time


def _masks(sections: Sequence[Sequence[re.Match[str]]]) -> tuple[Mask, ...]:
    """Return the masks of a format that shows identifiers: leading zeros, or separators between digits."""
    masks: list[Mask] = []
    for number, section in enumerate(sections[:2]):
        mask = _mask(section)
        if mask is None:
            break
        masks.append(mask)
        if mask.limit is None:
            break
        if number == 0 and len(sections) < 2:
            return ()
    return tuple(masks) if masks and any(_is_identifier_mask(mask) for mask in masks) else ()


def _mask(section: Sequence[re.Match[str]]) -> Mask | None:
    places: list[tuple[bool, str]] = []
    limit: float | None = None
    for token in section:
        if token["bracket"] is not None:
            condition = _CONDITION.fullmatch(token["bracket"])
            if condition and condition[1] != "<=":
                return None
            limit = float(condition[2]) if condition else limit
            continue
        shown = _mask_places(token)
        if shown is None:
            return None
        places += shown
    return Mask(tuple(places), limit)


def _mask_places(token: re.Match[str]) -> list[tuple[bool, str]] | None:
    """Return the places of a mask that a token stands for; None for one that only a quantity has.

    A quantity has a decimal point, thousands, a percent sign or a fraction.
    """
    other = token["other"]
    if other is not None:
        return [(other in "0#", other)] if other in "0#-() " else None
    if token["space"] is not None or token["fill"] is not None:
        return []
    text = token["quoted"] if token["quoted"] is not None else token["escaped"]
    return None if text is None else [(False, char) for char in text]


def _is_identifier_mask(mask: Mask) -> bool:
    digits = [index for index, (is_digit, _) in enumerate(mask.places) if is_digit]
    if len(digits) < 2:
        return False
    shows_zeros = sum(char == "0" for is_digit, char in mask.places if is_digit) >= 2
    return shows_zeros or (digits[-1] - digits[0] >= len(digits) and not _groups_thousands(mask))


def _groups_thousands(mask: Mask) -> bool:
    """Return whether blanks separate groups of three digits, as in `# ### ##0`: the mask of a quantity."""
    shown = "".join("#" if is_digit else char for is_digit, char in mask.places)
    return _THOUSANDS.fullmatch(shown.strip()) is not None


def show_mask(number_format: NumberFormat, raw: str) -> str | None:
    """Return the digits as the mask shows them; None if the value is no whole number that it applies to."""
    if not (raw.isascii() and raw.isdigit()):
        return None
    digits = raw.lstrip("0")
    for mask in number_format.masks:
        if mask.limit is None or int(raw) <= mask.limit:
            return _fill(mask, digits)
    return None


def _fill(mask: Mask, digits: str) -> str:
    shown: list[str] = []
    left = list(digits)
    first = next(index for index, (is_digit, _) in enumerate(mask.places) if is_digit)
    for index in range(len(mask.places) - 1, -1, -1):
        is_digit, char = mask.places[index]
        if not is_digit:
            shown.append(char)
        elif left:
            shown.append(left.pop())
            if index == first:
                shown.extend(reversed(left))
        elif char == "0":
            shown.append("0")
    return "".join(reversed(shown)).strip()
