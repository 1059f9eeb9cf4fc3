"""Read numbers that carry one unit or currency throughout a column: `10 kg`, `US$ 200.00`, `87,5%`.

In a column with a unit every number must carry it. A percentage is a hundredth
of what is written, as in a spreadsheet's own cell.
"""

import re

from managed_tables.conversion.sql_text import BLANK, BLANKS, matches

PERCENT = "%"
_CURRENCIES = ("R$", "US$", "$", "€", "£", "USD", "EUR", "BRL")
CURRENCY = f"(?:{'|'.join(map(re.escape, ('r$', *_CURRENCIES)))})"
_UNITS = (
    PERCENT, "‰", "kg", "g", "mg", "t", "ton", "l", "ml", "m", "cm", "mm", "km", "m²", "m³",
    "km²", "ha", "hs", "hrs", "min", "s", "un", "und", "unid", "pç", "pc", "pcs", "cx", "°c", "ºc",
    "kw", "kwh", "w", "kb", "mb", "gb", "tb", "kcal", "dias", "anos", "meses",
)  # fmt: skip
_LOOKS = re.compile(r"[+-]?\s*(?P<before>[^\s\d.,+-]{1,3})?\s*[+-]?\d[\d.,]*\s*(?P<after>[^\s\d]{1,5})?")
_NUMBER = "[+-]?[0-9][0-9.,]*"
_BEFORE, _AFTER = r"[^\s0-9.,+-]{1,3}", r"[^\s0-9]{1,5}"
NUMBER_WITH_UNIT = f"{BLANK}*(?:[+-]?{BLANK}*{_BEFORE}{BLANK}*{_NUMBER}|{_NUMBER}{BLANK}*{_AFTER}){BLANK}*"
"""The pattern of a number with something before or after it that may be a unit."""
NUMBER_PERHAPS_WITH_UNIT = f"(?:{NUMBER_WITH_UNIT}|{BLANK}*{_NUMBER}{BLANK}*)"


def find_unit(text: str) -> str | None:
    """Return the unit before or after a number, known or not; None if the text is no such number."""
    number = _LOOKS.fullmatch(text.strip(BLANKS))
    if number is None or bool(number["before"]) == bool(number["after"]):
        return None
    return number["before"] or number["after"]


def is_known_unit(unit: str) -> bool:
    """Return whether a unit is one that people measure or pay in."""
    return unit in _CURRENCIES or unit.lower() in _UNITS


def is_currency(unit: str) -> bool:
    """Return whether a unit is a currency, which is written before its number."""
    return unit in _CURRENCIES


def has_unit(cell: str, unit: str) -> str:
    """Return the test that the cell carries the unit in its place."""
    if is_currency(unit):
        return matches(cell, rf"{BLANK}*[+-]?{BLANK}*{re.escape(unit)}(?s:.*)")
    number = "[^eE]*" if unit == PERCENT else "(?s:.*)"  # what is scaled has no exponent of its own
    return matches(cell, rf"{number}[0-9]{BLANK}*(?i:{re.escape(unit)}){BLANK}*")


def without_unit(cell: str, unit: str) -> str:
    """Return the SQL of the number alone."""
    if is_currency(unit):
        return f"regexp_replace({cell}, '^({BLANK}*[+-]?){BLANK}*{re.escape(unit)}', '\\1')"
    return f"regexp_replace({cell}, '{BLANK}*(?i:{re.escape(unit)}){BLANK}*$', '')"


def scaled(number: str, unit: str) -> str:
    """Return the SQL of the value of a number in PostgreSQL's syntax: that of a percentage is a hundredth."""
    return f"concat({number}, 'e-2')" if unit == PERCENT else number
