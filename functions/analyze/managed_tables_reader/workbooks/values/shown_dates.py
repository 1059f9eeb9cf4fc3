"""Show a date as its number format does, for the labels of a header: `jan/24`.

Names are Portuguese unless the format asks for English. The short forms that files name by number only are
those of Brazil, where they are written with slashes.
"""

import re
from collections.abc import Sequence
from datetime import date

_PORTUGUESE = (
    "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    "segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado domingo",
)
_ENGLISH = (
    "January February March April May June July August September October November December",
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
)
_ENGLISH_CODE = 9  # the primary language of Windows's language codes, in their last ten bits
_LANGUAGE = re.compile(r"\$[^-]*-([0-9A-Fa-f]{1,8})")
# Of the formats 14 to 17, which are the reader's own short forms whatever their codes say.
_LOCAL = {"mm-dd-yy": "dd/mm/yyyy", "d-mmm-yy": "dd/mmm/yy", "d-mmm": "dd/mmm", "mmm-yy": "mmm/yy"}


def local_code(code: str) -> str:
    """Return the code that stands for a format's code in Brazil."""
    return _LOCAL.get(code.lower(), code)


def show_date(section: Sequence[re.Match[str]], day: date) -> str | None:
    """Return a day as a section of a number format shows it; None if that leaves the day open, or is no date.

    So months without a year stay what they are: two years of them would be called alike.
    """
    if not _tells(section, day):
        return None
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
    runs = {token["letters"].lower() for token in section if token["letters"]}
    has_month, has_day = any(run.startswith("m") for run in runs), not runs.isdisjoint(("d", "dd"))
    has_year = any(run.startswith("y") for run in runs)
    return has_year and (has_month or day.month == 1) and (has_day or day.day == 1)


def _names(section: Sequence[re.Match[str]]) -> tuple[str, str]:
    codes = (_LANGUAGE.fullmatch(token["bracket"] or "") for token in section)
    is_english = any(code and int(code[1], 16) & 0x3FF == _ENGLISH_CODE for code in codes)
    return _ENGLISH if is_english else _PORTUGUESE
