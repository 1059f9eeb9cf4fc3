"""Define the grammar of numbers: signs, `R$`, thousands separators in groups of three, one decimal mark.

Blanks group digits too (`1 234,56`); but plain blanks in a whole number may be those of a telephone, so that
they convert and suggest nothing.

A number may not begin with a zero that another digit follows: `01310100` names something, it counts
nothing. `R$`, parentheses and exponents are decimals' only. A percentage is text: what `12,5%` should
become (12.5 or 0.125) is for a person to say.

In a column with a unit or currency (`10 kg`, `US$ 200.00`, `87,5%`) every number must carry it. There a
percentage is a hundredth of what is written, as in a spreadsheet's own cell.
"""

import re

from managed_tables.conversion.marked_cells import EXACT_NUMBER
from managed_tables.conversion.sql_text import (
    ANYTHING,
    BLANK,
    BLANKS,
    choose,
    is_longer,
    literal,
    matches,
    trimmed,
)
from managed_tables.schema import MAX_DECIMAL_DIGITS

_EXPONENT = r"[eE][+-]?([0-9]{1,4})"
MAX_BIGINT_DIGITS = 19
_MAX_BIGINT = {"positive": "9223372036854775807", "negative": "9223372036854775808"}

_PLAIN = r"(?:0|[1-9][0-9]*)"
NO_BREAK = "\u00a0\u2007\u202f"  # what programs group digits with; nobody types it in a telephone
_CURRENCY = rf"[Rr]\${BLANK}*"
_REAL = "R$ "  # as most programs write it
# What most cells look like: matched without trimming; PostgreSQL's syntax except for the mark.
_COMMON_INTEGER = r"-?(?:0|[1-9][0-9]{0,17})"

PERCENT = "%"
_CURRENCIES = ("R$", "US$", "$", "€", "£", "USD", "EUR", "BRL")
CURRENCY = f"(?:{'|'.join(map(re.escape, ('r$', *_CURRENCIES)))})"
_UNITS = (
    PERCENT, "‰", "kg", "g", "mg", "t", "ton", "l", "ml", "m", "cm", "mm", "km", "m²", "m³",
    "km²", "ha", "hs", "hrs", "min", "s", "un", "und", "unid", "pç", "pc", "pcs", "cx", "°c", "ºc",
    "kw", "kwh", "w", "kb", "mb", "gb", "tb", "kcal", "dias", "anos", "meses",
)  # fmt: skip
_LOOKS = re.compile(r"[+-]?\s*(?P<before>[^\s\d.,+-]{1,3})?\s*[+-]?\d[\d.,]*\s*(?P<after>[^\s\d]{1,5})?")
_NUMBER = f"[+-]?{BLANK}*[0-9][0-9.,]*"
_BEFORE, _AFTER = r"[^\s0-9.,+-]{1,3}", r"[^\s0-9]{1,5}"
# A number with something before or after it that may be a unit
_WITH_UNIT = (
    f"[+-]?{BLANK}*{_BEFORE}{BLANK}*{_NUMBER}",
    f"{_NUMBER}{BLANK}*{_AFTER}",
    rf"\({_NUMBER}{BLANK}*{PERCENT}\)",
)
NUMBER_WITH_UNIT = f"{BLANK}*(?:{'|'.join(_WITH_UNIT)}){BLANK}*"
NUMBER_PERHAPS_WITH_UNIT = f"(?:{NUMBER_WITH_UNIT}|{BLANK}*{_NUMBER}{BLANK}*)"


def integer_fits(cell: str, mark: str, *, plain_blanks: bool) -> str:
    """Return the test that `cell` is an integer of 64 bits; never NULL unless the cell is.

    With `plain_blanks` these may group its digits.
    """
    digits = f"ltrim({_ungrouped(cell, mark)}, '+-')"
    bound = choose(
        (f"strpos({cell}, '-') > 0", literal(_MAX_BIGINT["negative"])),
        otherwise=literal(_MAX_BIGINT["positive"]),
    )
    in_range = choose(
        (f"length({digits}) < {MAX_BIGINT_DIGITS}", "true"),
        (f"length({digits}) > {MAX_BIGINT_DIGITS}", "false"),
        otherwise=f"{digits} <= {bound}",
    )
    return choose(
        (matches(cell, _COMMON_INTEGER), "true"),
        (is_longer(cell, MAX_DECIMAL_DIGITS), "false"),
        (matches(cell, integer_pattern(mark, plain_blanks=plain_blanks)), in_range),
        otherwise="false",
    )


def integer_value(cell: str, mark: str) -> str:
    """Return a fitting integer in PostgreSQL's syntax."""
    return choose((matches(cell, _COMMON_INTEGER), cell), otherwise=_ungrouped(cell, mark))


def decimal_fits(cell: str, mark: str, *, plain_blanks: bool) -> str:
    """Return the test that `cell` is a number under this decimal mark; never NULL unless the cell is.

    With `plain_blanks` these may group the digits of a number without decimals.
    """
    exponent = f"regexp_replace({cell}, '^[^eE]*[eE][+-]?|[^0-9]+$', '', 'g')::INTEGER"
    # Not lower(…): two searches for a letter cost less than a copy.
    in_bounds = choose(
        (f"strpos({cell}, 'E') + strpos({cell}, 'e') = 0", "true"),
        otherwise=f"NOT (length({cell}) + {exponent} > {MAX_DECIMAL_DIGITS})",  # zeros that it adds
    )
    return choose(
        (is_longer(cell, MAX_DECIMAL_DIGITS), "false"),
        (matches(cell, _common_decimal(mark)), "true"),
        (matches(cell, decimal_pattern(mark, plain_blanks=plain_blanks)), in_bounds),
        otherwise="false",
    )


def exact_fits(cell: str) -> str:
    """Return the test that `cell` is a workbook's own number, of no more digits than are kept."""
    exponent = f"regexp_replace({cell}, '^[^E]*E[+-]?', '')::INTEGER"
    return choose(
        (is_longer(cell, MAX_DECIMAL_DIGITS), "false"),
        (f"NOT {matches(cell, EXACT_NUMBER)}", "false"),
        (f"strpos({cell}, 'E') = 0", "true"),
        otherwise=f"length({cell}) + {exponent} <= {MAX_DECIMAL_DIGITS}",  # zeros that it adds
    )


def is_too_long(text: str) -> bool:
    """Return whether a number written out in full has more digits than are kept, as the SQL above does."""
    exponent = re.search(_EXPONENT, text)
    return len(text) + (int(exponent[1]) if exponent else 0) > MAX_DECIMAL_DIGITS


def decimal_value(cell: str, mark: str) -> str:
    """Return a fitting decimal in PostgreSQL's syntax, every digit kept."""
    amount = f"substr({cell}, {len(_REAL) + 1})"
    is_amount = f"starts_with({cell}, {literal(_REAL)}) AND {matches(amount, _common_decimal(mark))}"
    return choose(
        (matches(cell, _common_decimal(mark)), _unmarked(cell, mark)),
        (is_amount, _unmarked(amount, mark)),
        otherwise=_general_decimal(cell, mark),
    )


def _separator(mark: str) -> str:
    return "." if mark == "," else ","


def _unsigned_integer(mark: str) -> str:
    return rf"(?:{_PLAIN}|[1-9][0-9]{{0,2}}(?:[{_separator(mark)}][0-9]{{3}})+)"


def _spaced(*, plain_blanks: bool) -> str:
    """Return the pattern of digits that blanks group."""
    blank = f"[{NO_BREAK}{' ' if plain_blanks else ''}]"
    return rf"[1-9][0-9]{{0,2}}(?:{blank}[0-9]{{3}})+"


def _ungrouped(cell: str, mark: str) -> str:
    """Return an integer's digits and sign alone."""
    without_blanks = f"regexp_replace({trimmed(cell)}, '[ {NO_BREAK}]', '', 'g')"
    return f"replace({without_blanks}, {literal(_separator(mark))}, '')"


def _common_decimal(mark: str) -> str:
    return rf"-?{_unsigned_integer(mark)}(?:[{mark}][0-9]+)?"


def integer_pattern(mark: str, *, plain_blanks: bool) -> str:
    """Return the pattern of integers, however long."""
    return f"{BLANK}*[+-]?(?:{_unsigned_integer(mark)}|{_spaced(plain_blanks=plain_blanks)}){BLANK}*"


def decimal_pattern(mark: str, *, plain_blanks: bool) -> str:
    """Return the pattern of every accepted form; blanks may surround the number and follow `R$`."""
    fraction = f"[{mark}][0-9]+"
    spaced = f"{_spaced(plain_blanks=plain_blanks)}|{_spaced(plain_blanks=True)}{fraction}"
    number = f"(?:{_unsigned_integer(mark)}(?:{fraction})?|{fraction}|{spaced})"
    # Both marks fit `- 1.234`, as they fit `1.234`; `- 5` may be the item of a list.
    grouped = rf"[1-9][0-9]{{0,2}}(?:[{_separator(mark)}][0-9]{{3}})+"
    amount = f"(?:{_unsigned_integer(mark)}{fraction}|{grouped})"
    forms = (
        f"[+-]?{number}",
        f"[+-]{BLANK}+{amount}",
        f"[+-]?(?:{_PLAIN}(?:{fraction})?|{fraction})[eE][+-]?[0-9]{{1,4}}",
        f"{amount}{BLANK}*-",  # as SAP writes negatives
        f"[+-]?{BLANK}*{_CURRENCY}{number}",
        f"{_CURRENCY}[+-]{BLANK}*{number}",
        rf"\({BLANK}*(?:{_CURRENCY})?{number}{BLANK}*\)",
        rf"{_CURRENCY}\({BLANK}*{number}{BLANK}*\)",
        f"{_CURRENCY}-",  # as Excel's accounting format shows zero
    )
    return f"{BLANK}*(?:{'|'.join(forms)}){BLANK}*"


def _unmarked(number: str, mark: str) -> str:
    """Return `number` without thousands separators and with a point for the decimal mark."""
    if mark == ".":
        return f"replace({number}, ',', '')"
    return f"replace(replace({number}, '.', ''), ',', '.')"


def _general_decimal(cell: str, mark: str) -> str:
    number = f"regexp_replace({cell}, '^[^0-9.,]+|[^0-9]+$|[ {NO_BREAK}]', '', 'g')"
    negative = matches(cell, f"[^0-9]*[(-]{ANYTHING}|{ANYTHING}-{BLANK}*")
    signed = f"(CASE WHEN {negative} THEN '-' ELSE '' END || {_unmarked(number, mark)})"
    accounting_zero = rf"{BLANK}*{_CURRENCY}-{BLANK}*"
    return choose((matches(cell, accounting_zero), "'0'"), otherwise=signed)


def find_unit(text: str) -> str | None:
    """Return the unit before or after a number, known or not; None if the text is no such number."""
    bare = text.strip(BLANKS)
    if bare.startswith("(") and bare.endswith(f"{PERCENT})"):  # a minus, or a share of few: who knows
        return f"({PERCENT})"
    number = _LOOKS.fullmatch(bare)
    if number is None or bool(number["before"]) == bool(number["after"]):
        return None
    return number["before"] or number["after"]


def is_known_unit(unit: str) -> bool:
    """Return whether a unit is one that people measure or pay in."""
    return unit in _CURRENCIES or unit.lower() in _UNITS


def is_currency(unit: str) -> bool:
    """Return whether a unit is a currency, which is written before its number or after it."""
    return unit in _CURRENCIES


def has_unit(cell: str, unit: str) -> str:
    """Return the test that the cell carries the unit in its place."""
    if is_currency(unit):
        sign = re.escape(unit)
        return matches(cell, rf"{BLANK}*[+-]?{BLANK}*{sign}(?s:.*)|(?s:.*)[0-9]{BLANK}*{sign}{BLANK}*")
    number = "[^eE]*" if unit == PERCENT else "(?s:.*)"  # what is scaled has no exponent of its own
    return matches(cell, rf"{number}[0-9]{BLANK}*(?i:{re.escape(unit)}){BLANK}*")


def without_unit(cell: str, unit: str) -> str:
    """Return the SQL of the number alone."""
    if is_currency(unit):
        sign = re.escape(unit)
        return f"regexp_replace({cell}, '^({BLANK}*[+-]?){BLANK}*{sign}|{BLANK}*{sign}{BLANK}*$', '\\1')"
    return f"regexp_replace({cell}, '{BLANK}*(?i:{re.escape(unit)}){BLANK}*$', '')"


def scaled(number: str, unit: str) -> str:
    """Return the SQL of the value of a number in PostgreSQL's syntax: that of a percentage is a hundredth."""
    return f"concat({number}, 'e-2')" if unit == PERCENT else number
