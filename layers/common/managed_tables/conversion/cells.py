"""Define empty cells, and the two types without a grammar: text and boolean."""

import re

from managed_tables.conversion.sql_text import BLANK, any_case, literal, matches
from managed_tables.details import Fault

# `#N/D` is what Excel in Portuguese shows for `#N/A`; `..` and `...` are IBGE's signs for no data.
NULL_WORDS = ("-", "..", "...", "…", "null", "n/a", "#n/a", "#n/d")
# What spreadsheets show for a formula without a value, in English and in Portuguese.
ERROR_WORDS = (
    "#div/0!", "#n/a", "#n/d", "#ref!", "#name?", "#nome?", "#null!", "#nulo!", "#num!", "#núm!", "#value!",
    "#valor!", "#spill!", "#despejar!", "#calc!",
)  # fmt: skip
NULL_TOKENS, ERROR_VALUES = (
    any_case(f"(?:{'|'.join(map(re.escape, words))})") for words in (NULL_WORDS, ERROR_WORDS)
)
EMPTY_CELL = Fault("REQUIRED", "vazio em uma coluna que não aceita vazios")

# Both compositions of ã: files from macOS carry the decomposed one.
TRUE_WORDS = ("true", "verdadeiro", "sim", "yes", "s", "t", "y")
FALSE_WORDS = ("false", "falso", "não", "na\u0303o", "nao", "no", "n", "f")
LETTER_PAIRS = (("s", "n"), ("t", "f"), ("y", "n"))  # (true, false)
TRUE, FALSE = (any_case("|".join(words)) for words in (TRUE_WORDS, FALSE_WORDS))
_FIRST_BEYOND_ASCII = "\u0080"


def empty_cell(cell: str, *, null_tokens: bool) -> str:
    """Return the test that `cell` holds no value of a type other than text; never NULL."""
    token = f"(?:{NULL_TOKENS}|{ERROR_VALUES})?" if null_tokens else f"(?:{ERROR_VALUES})?"
    return f"({cell} IS NULL OR {matches(cell, f'{BLANK}*{token}{BLANK}*')})"


def empty_text(cell: str, *, null_tokens: bool = False) -> str:
    """Return the test that `cell` is empty for a text column: no character, only blanks, or an error value.

    Most texts begin with a letter: the first comparison sees that without searching for a pattern.
    """
    starts_oddly = f"({cell} < '0' OR {cell} >= {literal(_FIRST_BEYOND_ASCII)})"
    odd = f"({starts_oddly} AND {empty_cell(cell, null_tokens=False)})"
    whole = empty_cell(cell, null_tokens=True) if null_tokens else odd
    return f"({cell} IS NULL OR {cell} = '' OR {whole})"


def is_boolean(cell: str, *, digits: bool) -> str:
    """Return the test that `cell` is a boolean's word or letter, or with `digits` 0 or 1."""
    return matches(cell, f"{BLANK}*(?:{TRUE}|{FALSE}{'|[01]' if digits else ''}){BLANK}*")


def boolean_value(cell: str) -> str:
    """Return `true` or `false` for a cell that is a boolean."""
    return f"CASE WHEN {matches(cell, f'{BLANK}*(?:{TRUE}|1){BLANK}*')} THEN 'true' ELSE 'false' END"
