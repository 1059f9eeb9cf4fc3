"""Turn the number in a cell into text: the digits that the file holds, by one rule for all workbooks.

A workbook stores most numbers as doubles and writes them with 17 digits (8.3 stands in the file as
`8.3000000000000007`). If 15 digits give the same double, they are the number that somebody typed. All other
numbers are kept: whole numbers in plain digits (an id beyond 2^53, a key of 44 digits), and decimals that no
15 digits stand for. A whole number written with an exponent is the exact value of its double.
"""

import re
from dataclasses import dataclass
from decimal import Decimal

DOUBLE_DIGITS = 15  # every decimal of so many digits survives conversion to a double
PLAIN_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]*[1-9])?"
TRIMMED_NUMBER = rf"(?!-0\.?0*(?![.0-9]))({PLAIN_NUMBER})\.?0*"
"""A number in plain digits, whose only group is the same number without trailing zeros."""
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)
_PLAIN = re.compile(PLAIN_NUMBER)
_TRIMMED = re.compile(TRIMMED_NUMBER)
_MAX_TEXT = 400  # longer than any double in plain digits; a longer text is no number
_PLAIN_EXPONENTS = range(-30, 21)  # 1E+21 is the first power of ten that Excel itself never writes in full
_FULL_DIGITS = 17  # enough to distinguish a double from every other
_EXACT_INTEGERS = 2.0**53  # below, a double holds every whole number


@dataclass
class NumberCells:
    """The text of one sheet's numeric cells, and what is not as exact as it looks."""

    cut: int = 0  # whole numbers too long for a double, which the program that wrote the file has truncated
    rounded: int = 0  # decimals of 16 digits and more that are read as the 15 or fewer of the same double
    rounded_example: tuple[str, str] | None = None  # what stands in the file, and what is read
    # A decimal has digits that no double has: this file's decimals were not typed into a spreadsheet.
    has_exact_decimals: bool = False

    def text(self, raw: str) -> str:
        """Return the text of a number as it stands in the file."""
        text = exact_number(raw)
        if len(raw) > DOUBLE_DIGITS:
            self._note(raw.strip(), text)
        return text

    def text_of_double(self, value: float) -> str:
        """Return the text of a number that the file holds as a double."""
        text = float_text(value)
        self.cut += len(text) > DOUBLE_DIGITS and abs(value) > _EXACT_INTEGERS and _has_lost_digits(text)
        return text

    def _note(self, raw: str, text: str) -> None:
        if not is_number(raw):
            return
        if "e" in raw.lower():
            self.cut += len(text) > DOUBLE_DIGITS and ("E+" in text or "." not in text)
        elif not raw.startswith(text) or raw[len(text) :].strip(".0"):
            self.rounded += 1
            self.rounded_example = self.rounded_example or (raw, text)
        elif "." in text and not self.has_exact_decimals:
            self.has_exact_decimals = len(text) > DOUBLE_DIGITS + 1 and not _is_double_in_full(text)


def is_number(text: str) -> bool:
    """Return whether the text is a finite decimal number as workbooks write them."""
    return len(text) <= _MAX_TEXT and _NUMBER.fullmatch(text) is not None


def is_plain(text: str) -> bool:
    """Return whether the text is a number in plain digits, without exponent or leading zeros."""
    return _TRIMMED.fullmatch(text) is not None


def exact_number(raw: str) -> str:
    """Return the exact text of a numeric cell; what is not a number is returned as written."""
    text = raw.strip()
    if len(text) <= DOUBLE_DIGITS and _PLAIN.fullmatch(text):
        return text
    if not is_number(text):
        return text
    return _typed(text) or _written(text)


def float_text(value: float) -> str:
    """Return the digits of a double: all of a whole number, else the fewest; no exponent while readable."""
    if value.is_integer() and abs(value) < 10.0**_PLAIN_EXPONENTS.stop:
        return str(int(value))
    shortest = repr(value)
    if shortest[-1].isdigit() and "e" not in shortest:
        return shortest
    return plain_digits(Decimal(shortest).normalize())


def _typed(text: str) -> str | None:
    """Return the number of at most 15 digits whose double the text writes out, None if there is none."""
    if "." not in text or len(_digits(text)) <= DOUBLE_DIGITS:
        return None
    shortest = repr(float(text))
    if len(_digits(shortest)) > DOUBLE_DIGITS or not _is_double_in_full(text):
        return None
    return plain_digits(Decimal(shortest)) if "e" in shortest else shortest.removesuffix(".0")


def _written(text: str) -> str:
    """Return the number without redundant signs, zeros and exponent."""
    trimmed = _TRIMMED.fullmatch(text)
    if trimmed is not None:
        return trimmed[1]
    number = Decimal(text)
    is_of_double = _EXACT_INTEGERS < abs(number) < 10**_PLAIN_EXPONENTS.stop and _has_lost_digits(text)
    if "e" in text.lower() and is_of_double and _is_double_in_full(text):
        return str(int(float(text)))
    return plain_digits(number)


def _has_lost_digits(text: str) -> bool:
    return len(_digits(text)) > DOUBLE_DIGITS


def _is_double_in_full(text: str) -> bool:
    """Return whether the digits are those of the double, as many as a program writes to distinguish it."""
    digits, double = _digits(text), abs(float(text))
    counts = {len(digits), max(len(digits), _FULL_DIGITS)}
    return any(_digits(f"{double:.{count - 1}e}") == digits for count in counts)


def _digits(text: str) -> str:
    """Return the significant digits of a number."""
    return text.lower().partition("e")[0].lstrip("+-").replace(".", "").strip("0") or "0"


def plain_digits(number: Decimal) -> str:
    """Return a number without redundant zeros, in plain digits as long as they are readable."""
    if not number:
        return "0"
    exponent = number.as_tuple().exponent
    is_written_out = isinstance(exponent, int) and exponent <= 0 and number.adjusted() > 0
    if is_written_out or number.adjusted() in _PLAIN_EXPONENTS:
        text = format(number, "f")
        return text.rstrip("0").rstrip(".") if "." in text else text
    return format(number, "E")
