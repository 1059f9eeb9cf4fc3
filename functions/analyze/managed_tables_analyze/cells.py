"""Owns the coarse reading of single cells that sniffing needs: does this look like a value or like words?"""

import re
from collections.abc import Sequence

_NUMBER = re.compile(
    r"[-+(]?\s*(R\$|US\$|\$|€|£)?\s*[-+]?(\d{1,3}([.,' \u00a0]\d{3})+|\d+)?([.,]\d+)?([eE][-+]?\d+)?"
    r"\s*(%|€|R\$)?\)?-?"
)
_DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}([-/.]\d{1,2})?([T ]\d{1,2}:\d{2}(:\d{2})?([.,]\d+)?\s*([zZ]|[-+]\d{2}:?\d{2}|UTC)?)?"
    r"|\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d{2})([T ]+\d{1,2}:\d{2}(:\d{2})?([.,]\d+)?\s*([AaPp][Mm])?)?"
    r"|\d{1,2}[-/ ]?[A-Za-zç]{3,9}\.?[-/ ,]?\s*\d{2,4}"
)
_TIME = re.compile(r"\d{1,3}:\d{2}(:\d{2}([.,]\d+)?)?\s*([AaPp]\.?[Mm]\.?)?")
_IDENTIFIER = re.compile(
    r"\d{3}\.\d{3}\.\d{3}-\d{2}|\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}|\d{5}-\d{3}|\(\d{2}\)\s*\d{4,5}-?\d{4}"
    r'|="\d[\d./-]*"'  # digits that a spreadsheet is told to leave as they are
)
_ADDRESS = re.compile(
    r"(https?|ftp)://\S+|www\.\S+|[\w.+-]+@[\w-]+(\.[\w-]+)+|[\w-]+(\.[\w-]+)*\.[a-z]{2,4}(/\S*)?"
)
_BOOLEAN = frozenset(
    {"true", "false", "verdadeiro", "falso", "sim", "não", "nao", "yes", "no", "s", "n", "t", "f", "y"}
)
_NULLS = frozenset(
    {"", "null", "n/a", "#n/a", "na", "nan", "-", "none", "nd", "n/d", "..", "...", "x", "\\n", "--"}
)
_YEAR = re.compile(r"(18|19|20|21)\d{2}")
# Possessive: a long line with a word at its end must not be tried in every way.
_RULE = re.compile(r"[\s:|+]*+(?:[-=_]{2,}+[\s:|+]*+)++")
STROKES = ("---", "===", "___")
_STROKE = re.compile(r"([-=_])\1\1|:--|--:")  # two alone are a sign for nothing
_LONGEST_VALUE = 64  # characters: no number or date is longer, and patterns stay quick


def is_blank(cell: str | None) -> bool:
    """Tell whether a cell holds nothing that shows."""
    return cell is None or not cell or cell.isspace()


def is_null(cell: str | None) -> bool:
    """Tell whether a cell is empty or one of the usual words for nothing."""
    return cell is None or cell.strip().lower() in _NULLS


def is_rule(cells: Sequence[str | None]) -> bool:
    """Tell whether a row is nothing but a drawn line, such as reports and consoles set between rows."""
    filled = [cell for cell in cells if cell is not None and not is_blank(cell)]
    return all(map(_RULE.fullmatch, filled)) and any(_STROKE.search(cell) for cell in filled)


def is_year(cell: str | None) -> bool:
    """Tell whether a cell is a year, which is a label as often as a value."""
    return cell is not None and _YEAR.fullmatch(cell.strip()) is not None


def value_class(cell: str | None) -> str:
    """Return `null`, `number`, `date`, `time`, `code`, `address`, `boolean`, or `text`."""
    if is_null(cell):
        return "null"
    assert cell is not None  # noqa: S101 - is_null has said so
    text = cell.strip()
    if len(text) > _LONGEST_VALUE:
        return "address" if _ADDRESS.fullmatch(text[:2_048]) else "text"
    if _NUMBER.fullmatch(text) and any(character.isdigit() for character in text):
        return "number"
    for name, pattern in (("date", _DATE), ("time", _TIME), ("code", _IDENTIFIER), ("address", _ADDRESS)):
        if pattern.fullmatch(text):
            return name
    return "boolean" if text.lower() in _BOOLEAN else "text"


def is_value(cell: str | None) -> bool:
    """Tell whether a cell is a number, date, time, code or address: what a label seldom is."""
    return value_class(cell) in ("number", "date", "time", "code", "address")
