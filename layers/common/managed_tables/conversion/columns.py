"""Compose a column's conversion: the expressions of its type, under its formats and a person's choices.

Defined are what is empty, the two types without a grammar (text and boolean), and why a value does not fit a
type: a code, and a short Portuguese reason for a person to act on.
"""

import re
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from managed_tables.conversion import marked_cells, numbers, times
from managed_tables.conversion.numbers import MAX_BIGINT_DIGITS, is_too_long
from managed_tables.conversion.sql_text import BLANK, BLANKS, any_case, choose, literal, matches, trimmed
from managed_tables.conversion.times import DateOrder, Shape
from managed_tables.details import Fault, InvalidValue
from managed_tables.schema import MAX_DECIMAL_DIGITS, STORABLE, ColumnType
from managed_tables.wording import ORDER_NAMES

# `#N/D` is what Excel in Portuguese shows for `#N/A`; `..` and `...` are IBGE's signs for no data.
NULL_WORDS = ("-", "..", "...", "…", "null", "n/a", "#n/a", "#n/d")
# Letters for no number: not available, no record, unknown (`mq` in statistics of Germany and France).
NO_NUMBER = any_case("(?:na|n[.]a[.]?|nr|nd|n[.]d[.]?|mq)")
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

DecimalMark = Literal[",", "."]

MAX_TOKENS = 20
MAX_TOKEN_CHARACTERS = 100

Token = Annotated[str, Field(max_length=MAX_TOKEN_CHARACTERS), STORABLE]
# A list of JSON is a tuple of a model, also where no type is taken for another one.
FROM_LIST = BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value)
Tokens = Annotated[tuple[Token, ...], Field(max_length=MAX_TOKENS), FROM_LIST]

_LEADING_ZERO = re.compile(r"[(+-]?\s*(?:[Rr]\$\s*)?[+-]?0[0-9][0-9.,]*\)?")
_NOT_A_NUMBER = re.compile(r"[+-]?(?:nan|inf|infinity)", re.IGNORECASE)
_NUMERIC = re.compile(r"[(+-]?\s*(?:[Rr]\$\s*)?[+-]?[0-9.,]+(?:[eE][+-]?[0-9]+)?[)-]?")
_INTEGER = re.compile(r"[+-]?[0-9]{1,3}(?:[0-9]*|(?:[.,][0-9]{3})*)")
_DATE = re.compile(r"([0-9]{1,4})([-/.])([0-9]{1,2})\2([0-9]{1,4})(.*)", re.DOTALL)
_YEAR_DIGITS = 4
_LONG_FRACTION = re.compile(r":[0-9]{2}[.,][0-9]{7,}")

NOT_OF_TYPE = {
    ColumnType.TEXT: Fault("INVALID_CHARACTER", "contém o caractere NUL, que o banco não guarda"),
    ColumnType.INTEGER: Fault("NOT_AN_INTEGER", "não é um número inteiro"),
    ColumnType.DECIMAL: Fault("NOT_A_DECIMAL", "não é um número"),
    ColumnType.BOOLEAN: Fault("NOT_A_BOOLEAN", "não é sim/não nem verdadeiro/falso"),
    ColumnType.DATE: Fault("NOT_A_DATE", "não é uma data"),
    ColumnType.DATETIME: Fault("NOT_A_DATETIME", "não é uma data com hora"),
}
_EDGE = re.compile("0001|9999")  # the years of which some hours are beyond, in some zone
_CLOCK = re.compile(r"(?:[T ]\s*[0-9]{1,2}:[0-5][0-9]\b.*)?", re.IGNORECASE)
_MARKS = {",": "a vírgula", ".": "o ponto"}


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


def _is_boolean(cell: str, *, digits: bool) -> str:
    """Return the test that `cell` is a boolean's word or letter, or with `digits` 0 or 1."""
    return matches(cell, f"{BLANK}*(?:{TRUE}|{FALSE}{'|[01]' if digits else ''}){BLANK}*")


@dataclass(frozen=True)
class Formats:
    """What analyze has chosen from all cells of a column; it holds for whatever type a person confirms."""

    decimal_mark: DecimalMark = ","
    date_order: DateOrder = "dmy"
    null_tokens: bool = False
    timezone: str = "UTC"  # that of a time without one
    text_tokens: bool = False  # null tokens are empty in a text, too: the column holds nothing else
    # The files distinguish texts from nothing: blanks and `#N/A` are texts. Left out where it is false, as in
    # the documents of releases that did not know it.
    keeps_texts: Annotated[bool, Field(exclude_if=lambda keeps: not keeps)] = False
    workbook: bool = False  # a workbook's own numbers stand among the cells, and need no mark
    unit: str = ""  # that every number of the column carries
    latest: str | None = None  # the last day that a year of two digits may give: nobody is born tomorrow


@dataclass(frozen=True)
class Conversion:
    """SQL expressions over one cell; of its tests none is ever NULL for a cell that is not.

    Test `converts` first: a lone `-` is empty, but no cell both converts and is a null token.
    """

    empty: str  # the cell becomes NULL
    converts: str  # the cell, not empty, has a value of the type
    suggests: str  # the cell, not empty, is what the type is recognised by
    value: str  # PostgreSQL's text of the value, defined where `converts` holds
    typed: str  # as a BIGINT, BOOLEAN, DATE or moment of `times.datetime_moment`; of other types the text

    def refuses(self, cell: str, *, nullable: bool = True) -> str:
        """Return the SQL test, never NULL, that the cell cannot be loaded."""
        if_empty = "false" if nullable else "true"
        return choose(
            (f"{cell} IS NULL OR {cell} = ''", if_empty),
            (self.converts, "false"),
            (self.empty, if_empty),
            otherwise="true",
        )


def build_conversion(
    cell: str, column_type: ColumnType, formats: Formats, shape: Shape = Shape.DAY
) -> Conversion:
    """Return the expressions for `cell`, the SQL of a VARCHAR column.

    `shape` is how dates are written where the cells are to suggest them; they convert in every shape.
    """
    match column_type:
        case ColumnType.TEXT:
            return _text(cell, formats)
        case ColumnType.INTEGER | ColumnType.DECIMAL:
            return _number(cell, column_type, formats)
        case ColumnType.BOOLEAN:
            empty = empty_cell(cell, null_tokens=formats.null_tokens)
            converts = _is_boolean(cell, digits=True)
            suggests = _is_boolean(cell, digits=False)
            is_true = matches(cell, f"{BLANK}*(?:{TRUE}|1){BLANK}*")
            value = f"CASE WHEN {is_true} THEN 'true' ELSE 'false' END"
            return Conversion(empty, converts, suggests, value, f"({value} = 'true')")
        case ColumnType.DATE | ColumnType.DATETIME:
            return _time(cell, column_type, formats, shape)


def _text(cell: str, formats: Formats) -> Conversion:
    if formats.keeps_texts:
        empty = f"({cell} IS NULL OR {cell} = '')"
    else:
        empty = empty_text(cell, null_tokens=formats.text_tokens)
    fits = f"(NOT {empty} AND NOT contains({cell}, chr(0)))"  # which PostgreSQL cannot store
    value = marked_cells.unmarked(cell) if formats.workbook else cell
    return Conversion(empty, fits, fits, value, value)


def _number(cell: str, column_type: ColumnType, formats: Formats) -> Conversion:
    is_integer, mark, unit = column_type is ColumnType.INTEGER, formats.decimal_mark, formats.unit
    written = marked_cells.unmarked(cell) if formats.workbook else cell
    written = numbers.without_unit(written, unit) if unit else written
    fits = numbers.integer_fits if is_integer else numbers.decimal_fits
    value = numbers.integer_value(written, mark) if is_integer else numbers.decimal_value(written, mark)
    tests = [fits(written, mark, plain_blanks=blanks) for blanks in (True, False)]  # converts, suggests
    if unit:
        tests = [f"({numbers.has_unit(cell, unit)} AND {test})" for test in tests]
        value = numbers.scaled(value, unit)
    if formats.workbook:
        tests, value = _with_exact(cell, tests, value, is_integer=is_integer, unit=unit)
    empty = empty_cell(cell, null_tokens=formats.null_tokens)
    if formats.null_tokens:
        empty = choose((empty, "true"), otherwise=matches(cell, f"{BLANK}*{NO_NUMBER}{BLANK}*"))
    return Conversion(empty, tests[0], tests[1], value, f"({value})::BIGINT" if is_integer else value)


def _with_exact(
    cell: str, tests: list[str], value: str, *, is_integer: bool, unit: str
) -> tuple[list[str], str]:
    """Return tests and value with a workbook's own numbers: exact, and percentages without the sign."""
    if is_integer and not unit:
        has_point = matches(cell, marked_cells.WITH_POINT)
        return [choose((has_point, "false"), otherwise=test) for test in tests], value
    if unit not in ("", numbers.PERCENT):
        return tests, value
    is_exact = matches(cell, marked_cells.EXACT_NUMBER)
    exact = [choose((numbers.exact_fits(cell), "true"), otherwise=test) for test in tests]
    return exact, choose((is_exact, cell), otherwise=value)


def _time(cell: str, column_type: ColumnType, formats: Formats, shape: Shape) -> Conversion:
    empty = f"({empty_cell(cell, null_tokens=formats.null_tokens)} OR {matches(cell, times.EMPTY_DAY)})"
    order, latest = formats.date_order, formats.latest
    if column_type is ColumnType.DATE:
        converts, suggests = times.day_converts(cell, order), times.day_suggested(cell, order, shape)
        value, typed = times.date_text(cell, order, latest), times.date_typed(cell, order, latest)
        return Conversion(empty, converts, suggests, value, typed)
    converts, suggests = (
        times.datetime_fits(cell, order, formats.timezone, one_shape) for one_shape in (Shape.WRITTEN, shape)
    )
    value, moment = times.moment_text(cell, order, latest), times.datetime_moment(cell, order, latest)
    return Conversion(empty, converts, suggests, value, moment)


class ColumnChoice(BaseModel):
    """How one column is filled; None leaves it as inferred.

    `null_tokens` add texts that are empty; an empty list removes the usual ones. Tokens are compared without
    the blanks around a cell, those of booleans without regard to case.
    """

    model_config = ConfigDict(frozen=True)

    source: str | None = Field(
        default=None, description="`name` da coluna inferida que a preenche; sem ele, a do mesmo nome"
    )
    decimal_mark: DecimalMark | None = None
    date_order: DateOrder | None = None
    null_tokens: Tokens | None = Field(default=None, description="Textos que são vazios; `[]`: nenhum")
    true_tokens: Tokens | None = Field(default=None, description="Textos que são verdadeiro")
    false_tokens: Tokens | None = Field(default=None, description="Textos que são falso")
    trim: bool | None = Field(default=None, description="Se os espaços nas pontas são retirados")
    timezone: str | None = Field(default=None, description="De horários sem fuso")

    def formats(self, inferred: Formats) -> Formats:
        """Return the formats of the column's cells."""
        return replace(
            inferred,
            decimal_mark=self.decimal_mark or inferred.decimal_mark,
            date_order=self.date_order or inferred.date_order,
            timezone=self.timezone or inferred.timezone,
            null_tokens=inferred.null_tokens and self.null_tokens != (),
        )

    def over(self, other: "ColumnChoice") -> "ColumnChoice":
        """Return the choice with what it leaves open as another chose it."""
        given = {name: value for name, value in self if value is not None}
        return other.model_copy(update=given)

    def rewritten(self, cell: str, column_type: ColumnType) -> str:
        """Return the SQL that is converted to the type, `cell` itself where nothing changes it.

        Only a boolean has words for true and false; the type may have been another when they were chosen.
        """
        bare = trimmed(cell)
        branches = []
        given = {"NULL": self.null_tokens}
        if column_type is ColumnType.BOOLEAN:
            given |= {"'true'": self.true_tokens, "'false'": self.false_tokens}
        for value, tokens in given.items():
            if tokens:
                text = bare if value == "NULL" else f"lower({bare})"
                words = tokens if value == "NULL" else [token.strip().lower() for token in tokens]
                branches.append((f"{text} IN ({', '.join(map(literal, words))})", value))
        otherwise = bare if self.trim else cell
        return choose(*branches, otherwise=otherwise) if branches else otherwise


def refuse_shared_words(words: tuple[str, ...] | None, info: ValidationInfo) -> tuple[str, ...] | None:
    """Refuse words for false of which one is among those for true, by which it would be read."""
    stated = {word.strip().lower() for word in info.data.get("true_tokens") or ()}
    if any(word.strip().lower() in stated for word in words or ()):
        raise InvalidValue("REPEATED", "um destes textos está também em true_tokens")
    return words


def explain(value: str, column_type: ColumnType, formats: Formats) -> Fault:
    """Return why `value`, known not to fit, does not."""
    text = value[: MAX_DECIMAL_DIGITS + 1].strip(BLANKS)
    if column_type.is_number:
        return _explain_number(text, column_type, formats)
    if column_type.is_time:
        return _explain_time(text, column_type, formats)
    return NOT_OF_TYPE[column_type]


def _explain_number(text: str, column_type: ColumnType, formats: Formats) -> Fault:
    code, name = NOT_OF_TYPE[column_type]
    is_integer = column_type is ColumnType.INTEGER
    if _LEADING_ZERO.fullmatch(text):
        return Fault(code, "começa com zero: é um código, e o zero se perderia em um número")
    if _NOT_A_NUMBER.fullmatch(text):
        return Fault(code, f"{name}: NaN e infinito não são aceitos")
    if text.endswith("%"):
        return Fault(code, f"{name}: é uma porcentagem")
    if not _NUMERIC.fullmatch(text):
        return Fault(code, name)
    if is_too_long(text):
        return Fault("TOO_LONG", f"{name}: tem mais de {MAX_DECIMAL_DIGITS} algarismos, escrito por extenso")
    if is_integer and not _INTEGER.fullmatch(text):
        return Fault(code, f"{name}: tem casas decimais, moeda, parênteses ou expoente")
    if is_integer and len(re.sub("[^0-9]", "", text)) >= MAX_BIGINT_DIGITS:
        return Fault("OUT_OF_RANGE", "é grande demais para um inteiro: use o tipo decimal")
    return Fault(code, f"{name} com {_MARKS[formats.decimal_mark]} como separador decimal")


def _explain_time(text: str, column_type: ColumnType, formats: Formats) -> Fault:
    code, name = NOT_OF_TYPE[column_type]
    parts = _DATE.fullmatch(text)
    if parts is None:
        return Fault(code, name)
    if _LONG_FRACTION.search(text):
        return Fault(code, "a fração de segundo tem mais de 6 casas")
    if not _is_day(parts[1], parts[3], parts[4], formats.date_order):
        return Fault(code, f"não é um dia que exista, na ordem {ORDER_NAMES[formats.date_order]}")
    if column_type is ColumnType.DATE and ":" in parts[5]:
        return Fault(code, "tem hora, e a coluna é só de datas")
    if _EDGE.search(text) and _CLOCK.fullmatch(parts[5]):
        return Fault("OUT_OF_RANGE", "fica fora dos anos 0001 a 9999 quando levada ao horário UTC")
    if ":" in parts[5]:
        return Fault(code, "a hora não existe ou não está no formato hh:mm:ss")
    return Fault(code, name)


def _is_day(first: str, second: str, third: str, order: str) -> bool:
    """Return whether three numbers are a day of the calendar, year first in any order."""
    year_last = "mdy" if order == "mdy" else "dmy"
    parts = "ymd" if len(first) == _YEAR_DIGITS else year_last
    numbers = dict(zip(parts, map(int, (first, second, third)), strict=True))
    try:
        date(numbers["y"], numbers["m"], numbers["d"])
    except ValueError:
        return False
    return True
