"""Owns how the number in a cell becomes text: the digits that the file holds, no more and no fewer.

A workbook stores most numbers as doubles and writes them with 17 digits (8.3 stands in the file as
`8.3000000000000007`). The text here is the shortest one that is the same double, as every program that
reads the file would compute with. Digits that no double can hold (a key of 44 digits, an id beyond 2^53
written by another program than Excel) are kept as written.
"""

import re
from decimal import Decimal

DOUBLE_DIGITS = 15  # every decimal of so many digits survives the way through a double
PLAIN_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]*[1-9])?"
TRIMMED_NUMBER = rf"(?!-0\.?0*(?![.0-9]))({PLAIN_NUMBER})\.?0*"
"""A number in plain digits, whose one group is the same number without the zeros at its end."""
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
_PLAIN = re.compile(PLAIN_NUMBER)
_TRIMMED = re.compile(TRIMMED_NUMBER)
_MAX_TEXT = 400  # longer than any double in plain digits; what is longer is no number
_PLAIN_EXPONENTS = range(-30, 21)  # 1E+21 is the first power of ten that Excel itself never writes in full


def is_number(text: str) -> bool:
    """Tell whether the text is a finite decimal number as workbooks write them."""
    return len(text) <= _MAX_TEXT and _NUMBER.fullmatch(text) is not None


def is_plain(text: str) -> bool:
    """Tell whether the text is a number in plain digits, without exponent or needless zeros before it."""
    return _TRIMMED.fullmatch(text) is not None


def exact_number(raw: str) -> str:
    """Return the exact, shortest text of a numeric cell; what is no number comes back as written."""
    text = raw.strip()
    if len(text) <= DOUBLE_DIGITS and _PLAIN.fullmatch(text):
        return text
    if not is_number(text):
        return text
    shortest = _shortest(text)
    if shortest is not None:
        return shortest
    number = Decimal(text)
    digits = _significant_digits(number)
    if len(digits) > DOUBLE_DIGITS:
        double = float(text)
        if f"{abs(double):.{len(digits) - 1}e}".partition("e")[0].replace(".", "") == digits:
            return float_text(double)
    return _plain(number)


def _shortest(text: str) -> str | None:
    """Return the shortest text of a double that is written out in full as Excel does; None for any other."""
    double = float(text)
    if text in (f"{double:.17g}", f"{double:.16g}"):
        shortest = repr(double)
        if "e" not in shortest:
            return shortest.removesuffix(".0")
    return None


def float_text(value: float) -> str:
    """Return the shortest digits that are this double, without an exponent where they stay readable."""
    return _plain(Decimal(repr(value)).normalize())


def _significant_digits(number: Decimal) -> str:
    return "".join(map(str, number.as_tuple().digits)).strip("0") or "0"


def _plain(number: Decimal) -> str:
    if not number:
        return "0"
    exponent = number.as_tuple().exponent
    is_written_out = isinstance(exponent, int) and exponent <= 0 and number.adjusted() > 0
    if is_written_out or number.adjusted() in _PLAIN_EXPONENTS:
        text = format(number, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    return format(number, "E")
