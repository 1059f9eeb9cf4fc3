"""Classify a single cell, and count the bits that describe it as text and as a value of its kind."""

import re
from collections import Counter
from functools import lru_cache
from typing import NamedTuple

from managed_tables.conversion import columns, numbers, times
from managed_tables_reader.layout import weights

_NUMBER = re.compile(
    rf"[-+(]?\s*{numbers.CURRENCY}?\s*[-+(]?\s*(?=[.,]?\d)(\d{{1,3}}([.,' {numbers.NO_BREAK}]\d{{3}})+|\d+)?"
    rf"([.,]\d+)?([eE][-+]?\d+)?\s*(%|{numbers.CURRENCY})?\s*\)?\s*-?"
)
_DATE = re.compile(
    rf"(\d{{4}}([-/.]\d{{1,2}}){{2}}|(1[5-9]|2\d)\d\d[-/.]\d\d?|(\d{{1,2}}[-/.]){{2}}(\d\d){{1,2}}){times.TIME}?"
    r"|\d{1,2}[-/ ]?[A-Za-zÇç]{3,9}\.?[-/ ,]? ?\d{2,4}"  # a time behind it is that of mails and of servers
    r"|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d( [A-Z]{1,4})? \d{4}"  # as `date` prints it
    rf"|\d{{1,2}}{times.ORDINAL}?\s+{times.OF}\s+[A-Za-zÇç]{{3,9}}\s+{times.OF}\s+\d{{4}}"
)
_TIME = re.compile(r"\d{1,3}:\d{2}(:\d{2}([.,]\d+)?)?\s*([AaPp]\.?[Mm]\.?)?")
_IDENTIFIER = re.compile(
    r"\d{3}\.\d{3}\.\d{3}-\d\d|\d\d\.\d{3}\.\d{3}/\d{4}-\d\d|\d{5}-\d{3}|\(\d\d\)\s*\d{4,5}-?\d{4}|\d{3,12}-[\dXx]"
    r'|="\d[\d./-]*"'  # digits written so that a spreadsheet leaves them as they are
)
_ADDRESS = re.compile(
    r"(https?|ftp)://\S+|www\.\S+|[\w.+-]+@[\w-]+(\.[\w-]+)+|[\w-]+(\.[\w-]+)*\.[a-z]{2,4}(/\S*)?"
)
_IP = re.compile(r"(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)")
# As a label: maybe with the decimal of a number that a spreadsheet wrote, and a footnote's mark.
YEAR = r"(?P<number>(?:18|19|20|21)\d\d)(?:\.0)?(?:\s*[^\w\s.,;:/-]\w{0,2}\)?)?"
_YEAR = re.compile(YEAR)
_NULLS = r"na -- none nd n/d . x \n"  # words for nothing that no type takes for empty
_WORDS = {
    **dict.fromkeys(("nan", "inf", "-inf", "+inf", "infinity", "-infinity"), "number"),
    **dict.fromkeys((*columns.TRUE_WORDS, *columns.FALSE_WORDS), "boolean"),
    **dict.fromkeys((*columns.NULL_WORDS, *columns.ERROR_WORDS, *_NULLS.split()), "null"),
}
_MONEY = re.compile(rf"[-+(]?\s*{numbers.CURRENCY}.*[.,]\d\d\)?")
_QUANTITY = re.compile(r"\d+(?:[.,]\d+)*[ \u00a0]?([^\W\d_]{1,5}[²³]?)")
_CODE = re.compile(r"[\w./#-]+")
_LONGEST_VALUE = 64  # characters: no number or date is longer, and patterns stay quick
_LONGEST_SHAPE = 24
_DIGITS = re.compile("[0-9]+")
_LETTERS = re.compile("[a-z]")
_LOOKED_AT = 2_048
LIST_ENDS = ";\t|"  # within a text they usually cut cells, or a list

EMPTY, NULL, TEXT, QUANTITY = "", "null", "text", "9 "
_BITS = {"date": weights.DATE, "boolean": weights.BOOLEAN, NULL: weights.NULL_WORD}
PLAIN_KINDS = frozenset({"number", "date", "time", "code", "address", "boolean", "null", "text"})
VALUES = frozenset({"number", "date", "time", "code", "address"})


class Look(NamedTuple):
    """A cell's kind, its bits as a value of that kind, and its bits as text."""

    kind: str
    bits: float
    as_text: float
    odd: float = 0.0  # the delimiters' share of `as_text`

    @property
    def is_value(self) -> bool:
        """Whether the cell is of a kind that a label seldom is."""
        return self.kind in VALUES

    @property
    def is_nothing(self) -> bool:
        """Whether the cell is empty or a common word for no value."""
        return self.kind in (EMPTY, NULL)

    @property
    def plain_kind(self) -> str:
        """The kind, or text for a text with a certain shape."""
        return self.kind if self.kind in PLAIN_KINDS or not self.kind else TEXT


_NOTHING = Look(EMPTY, 0.0, 0.0)


def look(cell: str | None) -> Look:
    """Return what a cell looks like."""
    if not cell:
        return _NOTHING
    return _remembered(cell) if len(cell) <= _LOOKED_AT else _look(cell)


def _look(cell: str) -> Look:
    text = cell.strip()
    if not text:
        return _NOTHING
    kind, as_text = _kind(text[:_LOOKED_AT]), text_bits(text)
    kind, bits = _shape(text, as_text) if kind == TEXT else (kind, _value_bits(text, kind))
    return Look(kind, min(bits, as_text), as_text, _odd_bits(text))


_remembered = lru_cache(maxsize=65_536)(_look)


def _value_bits(text: str, kind: str) -> float:
    """Return the bits of a value with few different characters; a code's marks belong to its shape."""
    digits = sum(map(text.count, "0123456789"))
    if kind == "time":
        return weights.TIME + weights.DIGIT * max(0, digits - 4)
    if kind == "code":
        return weights.NUMBER + weights.DIGIT * digits
    bits = weights.NUMBER + weights.DIGIT * len(text) - (weights.MONEY if _MONEY.fullmatch(text) else 0.0)
    return _BITS.get(kind, bits)


def _shape(text: str, as_text: float) -> tuple[str, float]:
    """Return the kind and bits of a text with digits in a certain shape, which is described once a column."""
    digits = sum(map(text.count, "0123456789"))
    if quantity := _QUANTITY.fullmatch(text):
        return f"{QUANTITY}{quantity[1]}", weights.NUMBER + weights.DIGIT * (len(text) - len(quantity[1]))
    if digits and len(text) <= _LONGEST_SHAPE and _CODE.fullmatch(text):
        bits = weights.TEXT + weights.DIGIT * digits + weights.CHARACTER * (len(text) - digits) * 0.8
        return _DIGITS.sub("9", _LETTERS.sub("a", text.lower())), bits
    return TEXT, as_text


def text_bits(text: str) -> float:
    """Return the bits of a text; a word again has none: as cells, cut at its blanks, such words are cheap."""
    bits = weights.TEXT + weights.CHARACTER * len(text)
    bits -= (weights.CHARACTER - weights.BLANK_CHARACTER) * text.count(" ")
    if odd := _odd_bits(text):  # a text with a delimiter is likely several texts
        return bits + odd
    words = Counter(text.split(" ")) if " " in text else Counter[str]()
    repeats = ((len(word), count - 1) for word, count in words.items())
    return bits - sum(
        count * (weights.CHARACTER * length + weights.BLANK_CHARACTER) for length, count in repeats
    )


def list_bits(text: str, above: str | None, ends: str, as_text: float) -> float:
    """Return the bits of a text as a list that is cut at `ends`, of values or of words that come again.

    They come again in it, or in the same places of the list above.
    """
    items = re.split(f"[{ends}]", text)
    uppers = re.split(f"[{ends}]", above or "")
    found, odd = [*map(look, dict.fromkeys(items))], _odd_bits(text)
    if not odd and ("\n" in text or not any(one.is_value for one in found)):
        return as_text
    again = {item for item, upper in zip(items, uppers, strict=False) if item == upper}
    fresh = [one for item, one in zip(dict.fromkeys(items), found, strict=True) if item not in again]
    values = sum(one.bits or weights.EMPTY for one in fresh) + weights.SAME_CELL * (len(items) - len(fresh))
    return max(min(as_text - odd, values), weights.SAME_CELL)


def repeated_bits(above: str | None, text: str | None) -> float:
    """Return the bits, as text, of the words that the text above has in the same places.

    With these deducted, a text of several words costs no more than if it were cut at its blanks, where such
    words are cells that repeat those above.
    """
    if not (text and above) or max(len(text), len(above)) > _LOOKED_AT:
        return 0.0
    words, uppers = text.split(" "), above.split(" ")
    if len(words) != len(uppers) or len(words) == 1:
        return 0.0
    bits, again = 0.0, False
    for word, upper in dict.fromkeys(zip(words, uppers, strict=True)):
        if word == upper and word:
            same = 0.0 if again else weights.SAME_CELL
            bits += max(0.0, weights.BLANK_CHARACTER + weights.CHARACTER * len(word) - same)
        again = word == upper
    return bits


def _odd_bits(text: str) -> float:
    """Return the bits of a text's delimiters but those at its end, which cut nothing."""
    if "\n" in text:  # it was quoted, and so were its delimiters
        return 0.0
    return weights.ODD_CHARACTER * sum(map(text.rstrip(LIST_ENDS).count, LIST_ENDS))


def _kind(text: str) -> str:
    if kind := _WORDS.get(text.lower()):
        return kind
    if len(text) <= _LONGEST_VALUE and any(map(text.__contains__, "0123456789")):
        for kind, pattern in _WITH_DIGITS:
            if pattern.fullmatch(text):
                return kind
    return "address" if "." in text and _ADDRESS.fullmatch(text) else TEXT


_WITH_DIGITS = (
    ("address", _IP),
    ("number", _NUMBER),
    ("date", _DATE),
    ("time", _TIME),
    ("code", _IDENTIFIER),
)


def is_year(cell: str | None) -> bool:
    """Return whether a cell is a year, which is a label as often as a value."""
    return cell is not None and _YEAR.fullmatch(cell.strip()) is not None
