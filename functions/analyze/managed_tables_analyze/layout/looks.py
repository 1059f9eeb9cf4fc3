"""What a single cell looks like, and the bits that describe it: as text, and as that kind of value."""

import re
from functools import lru_cache
from typing import NamedTuple

from managed_tables_analyze.layout import weights

_NUMBER = re.compile(
    r"[-+(]?\s*(R\$|US\$|\$|€|£)?\s*[-+]?(\d{1,3}([.,' \u00a0]\d{3})+|\d+)?([.,]\d+)?([eE][-+]?\d+)?"
    r"\s*(%|€|R\$)?\)?-?"
)
_DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}([-/.]\d{1,2})?([T ]\d{1,2}:\d{2}(:\d{2})?([.,]\d+)?\s*([zZ]|[-+]\d{2}:?\d{2}|UTC)?)?"
    r"|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})([T ]+\d{1,2}:\d{2}(:\d{2})?([.,]\d+)?\s*([AaPp][Mm])?)?"
    r"|\d{1,2}[-/ ]?[A-Za-zç]{3,9}\.?[-/ ,]?\s*\d{2,4}|\d{1,2}[ºo]?\s+de\s+[A-Za-zç]{3,9}\s+de\s+\d{4}"
)
_TIME = re.compile(r"\d{1,3}:\d{2}(:\d{2}([.,]\d+)?)?\s*([AaPp]\.?[Mm]\.?)?")
_IDENTIFIER = re.compile(
    r"\d{3}\.\d{3}\.\d{3}-\d{2}|\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}|\d{5}-\d{3}|\(\d{2}\)\s*\d{4,5}-?\d{4}"
    r'|="\d[\d./-]*"'  # digits that a spreadsheet is told to leave as they are
)
_ADDRESS = re.compile(
    r"(https?|ftp)://\S+|www\.\S+|[\w.+-]+@[\w-]+(\.[\w-]+)+|[\w-]+(\.[\w-]+)*\.[a-z]{2,4}(/\S*)?"
)
_YEAR = re.compile(r"(18|19|20|21)\d{2}")
_NUMBER_WORDS = frozenset({"nan", "inf", "-inf", "+inf", "infinity", "-infinity"})
_BOOLEANS = frozenset(
    {"true", "false", "verdadeiro", "falso", "sim", "não", "nao", "yes", "no", "s", "n", "t", "f", "y"}
)
_NULLS = frozenset(
    {"null", "n/a", "#n/a", "na", "-", "none", "nd", "n/d", "..", "...", "x", "\\n", "--", "#n/d", "#div/0!"}
    | {"#ref!", "#value!", "#valor!", "#name?", "#nome?", "#num!", "#núm!", "#null!", "#nulo!"}
)
_MONEY = re.compile(r"[-+(]?\s*(?:R\$|US\$|\$|€|£).*[.,]\d\d\)?")
_QUANTITY = re.compile(r"\d+(?:[.,]\d+)*[ \u00a0]?([^\W\d_]{1,5}[²³]?)")
_CODE = re.compile(r"[\w./#-]+")
_LONGEST_VALUE = 64  # characters: no number or date is longer, and patterns stay quick
_LONGEST_SHAPE = 24
_DIGITS = re.compile("[0-9]+")
_LETTERS = re.compile("[a-z]")
_LOOKED_AT = 2_048

EMPTY, NULL, TEXT, QUANTITY = "", "null", "text", "9 "
PLAIN_KINDS = frozenset({"number", "date", "time", "code", "address", "boolean", "null", "text"})
_VALUES = frozenset({"number", "date", "time", "code", "address"})


class Look(NamedTuple):
    """A cell's kind, its bits as a value of that kind, and its bits as text."""

    kind: str
    bits: float
    as_text: float
    odd: float = 0.0  # the part of its delimiters in that

    @property
    def is_value(self) -> bool:
        """Return whether the cell is what a label seldom is."""
        return self.kind in _VALUES

    @property
    def is_nothing(self) -> bool:
        """Return whether the cell is empty, or a usual word for nothing."""
        return self.kind in (EMPTY, NULL)

    @property
    def plain_kind(self) -> str:
        """Return the kind, that of a text of a certain shape being text."""
        return self.kind if self.kind in PLAIN_KINDS or not self.kind else TEXT


_NOTHING = Look(EMPTY, weights.EMPTY, weights.EMPTY)


def look(cell: str | None) -> Look:
    """Return what a cell looks like."""
    if not cell:
        return _NOTHING
    if len(cell) <= _LOOKED_AT:
        return _look(cell)
    text = cell.strip()
    as_text = text_bits(text)
    return Look(_kind(text[:_LOOKED_AT]), as_text, as_text, _odd_bits(text)) if text else _NOTHING


@lru_cache(maxsize=65_536)
def _look(cell: str) -> Look:
    text = cell.strip()
    if not text:
        return _NOTHING
    as_text = text_bits(text)
    kind = _kind(text)
    digits = sum(map(text.count, "0123456789"))
    if kind == "number":
        bits = weights.NUMBER + weights.DIGIT * digits + weights.MARK * (len(text) - digits)
        bits -= weights.MONEY if _MONEY.fullmatch(text) else 0.0
    elif kind == "date":
        bits = weights.DATE + (weights.TIME if ":" in text else 0)
    elif kind == "code":
        bits = weights.NUMBER + weights.DIGIT * digits
    elif kind == "address":
        bits = weights.TEXT + weights.ADDRESS_CHARACTER * len(text)
    elif kind == "time":
        bits = weights.TIME + weights.DIGIT * max(0, digits - 4)
    elif kind in _PLAIN_BITS:
        bits = _PLAIN_BITS[kind]
    elif quantity := _QUANTITY.fullmatch(text):
        kind = f"{QUANTITY}{quantity[1]}"  # whose unit is told once, as a code's shape is
        marks = len(text) - digits - len(quantity[1])
        bits = weights.NUMBER + weights.DIGIT * digits + weights.MARK * marks
    else:
        bits = as_text
        if digits and len(text) <= _LONGEST_SHAPE and _CODE.fullmatch(text):
            kind = _DIGITS.sub("9", _LETTERS.sub("a", text.lower()))
            bits = weights.TEXT + weights.DIGIT * digits + weights.CHARACTER * (len(text) - digits) * 0.8
    return Look(kind, min(bits, as_text), as_text, _odd_bits(text))


_PLAIN_BITS = {"boolean": weights.BOOLEAN, "null": weights.NULL_WORD}


def text_bits(text: str) -> float:
    """Return the bits of a text."""
    bits = weights.TEXT + weights.CHARACTER * len(text)
    bits -= (weights.CHARACTER - weights.BLANK_CHARACTER) * text.count(" ")
    bits += _odd_bits(text)
    quotes = text.count('"')
    return bits + weights.QUOTE_CHARACTER * quotes + (weights.UNPAIRED_QUOTE if quotes % 2 else 0.0)


def repeated_bits(text: str, above: str) -> float:
    """Return the bits, as text, of the words that the text above has in the same places.

    So a text of many words costs no more than it does cut at its blanks, where such words are cells that
    stand above already.
    """
    if len(text) > _LOOKED_AT or len(above) > _LOOKED_AT:
        return 0.0
    words, uppers = text.split(" "), above.split(" ")
    if len(words) != len(uppers) or len(words) == 1:
        return 0.0
    bits = 0.0
    again = False
    for word, upper in zip(words, uppers, strict=True):
        if word == upper and word:
            same = weights.SAME_AGAIN if again else weights.SAME_CELL
            bits += max(0.0, weights.BLANK_CHARACTER + weights.CHARACTER * len(word) - same)
        again = word == upper
    return bits


def _odd_bits(text: str) -> float:
    if "\n" in text:  # it was quoted, and so were its delimiters
        return 0.0
    return weights.ODD_CHARACTER * (text.count(";") + text.count("\t") + text.count("|"))


def _kind(text: str) -> str:
    lower = text.lower()
    if lower in _NULLS:
        return NULL
    if lower in _BOOLEANS:
        return "boolean"
    if lower in _NUMBER_WORDS:
        return "number"
    if len(text) > _LONGEST_VALUE:
        return "address" if _ADDRESS.fullmatch(text) else TEXT
    has_digit = any(map(text.__contains__, "0123456789"))
    if has_digit:
        for name, pattern in _WITH_DIGITS:
            if pattern.fullmatch(text):
                return name
    return "address" if "." in text and _ADDRESS.fullmatch(text) else TEXT


_WITH_DIGITS = (("number", _NUMBER), ("date", _DATE), ("time", _TIME), ("code", _IDENTIFIER))


def is_year(cell: str | None) -> bool:
    """Return whether a cell is a year, which is a label as often as a value."""
    return cell is not None and _YEAR.fullmatch(cell.strip()) is not None
