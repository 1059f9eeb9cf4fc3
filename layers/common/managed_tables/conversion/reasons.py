"""Say why a value does not fit a type: a code, and a short Portuguese reason for a person to act on."""

import re
from datetime import date

from managed_tables.conversion.columns import Formats
from managed_tables.conversion.numbers import MAX_BIGINT_DIGITS, is_too_long
from managed_tables.conversion.sql_text import BLANKS
from managed_tables.details import Fault
from managed_tables.schema import MAX_DECIMAL_DIGITS, ColumnType

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
_BEYOND_64_BITS = Fault("OUT_OF_RANGE", "é grande demais para um inteiro: use o tipo decimal")
_BEYOND_CALENDAR = "fica fora dos anos 0001 a 9999 quando levada ao horário UTC"
_EDGE = re.compile("0001|9999")  # the years of which some hours are beyond, in some zone
_CLOCK = re.compile(r"(?:[T ]\s*[0-9]{1,2}:[0-5][0-9]\b.*)?", re.IGNORECASE)
_MARKS = {",": "a vírgula", ".": "o ponto"}
_ORDERS = {"dmy": "dia/mês/ano", "mdy": "mês/dia/ano", "ymd": "ano-mês-dia"}


def explain(value: str, column_type: ColumnType, formats: Formats) -> Fault:
    """Return why `value`, known not to fit, does not."""
    text = value[: MAX_DECIMAL_DIGITS + 1].strip(BLANKS)
    fault = NOT_OF_TYPE[column_type]
    if column_type.is_number:
        return _beyond_limits(text, column_type) or Fault(
            fault.code, _explain_number(text, column_type, formats)
        )
    if column_type.is_time:
        reason = _explain_time(text, column_type, formats)
        return Fault("OUT_OF_RANGE" if reason == _BEYOND_CALENDAR else fault.code, reason)
    return fault


def _beyond_limits(text: str, column_type: ColumnType) -> Fault | None:
    """Return the limit that a number, otherwise well written, exceeds."""
    if _LEADING_ZERO.fullmatch(text) or not _NUMERIC.fullmatch(text):
        return None
    if is_too_long(text):
        name = NOT_OF_TYPE[column_type].reason
        reason = f"{name}: tem mais de {MAX_DECIMAL_DIGITS} algarismos, escrito por extenso"
        return Fault("TOO_LONG", reason)
    digits = re.sub("[^0-9]", "", text)
    is_integer = column_type is ColumnType.INTEGER and _INTEGER.fullmatch(text)
    return _BEYOND_64_BITS if is_integer and len(digits) >= MAX_BIGINT_DIGITS else None


def _explain_number(text: str, column_type: ColumnType, formats: Formats) -> str:
    name = NOT_OF_TYPE[column_type].reason
    if _LEADING_ZERO.fullmatch(text):
        return "começa com zero: é um código, e o zero se perderia em um número"
    if _NOT_A_NUMBER.fullmatch(text):
        return f"{name}: NaN e infinito não são aceitos"
    if text.endswith("%"):
        return f"{name}: é uma porcentagem"
    if not _NUMERIC.fullmatch(text):
        return name
    if column_type is ColumnType.DECIMAL or _INTEGER.fullmatch(text):
        return f"{name} com {_MARKS[formats.decimal_mark]} como separador decimal"
    return f"{name}: tem casas decimais, moeda, parênteses ou expoente"


def _explain_time(text: str, column_type: ColumnType, formats: Formats) -> str:
    parts = _DATE.fullmatch(text)
    if parts is None:
        return NOT_OF_TYPE[column_type].reason
    if _LONG_FRACTION.search(text):
        return "a fração de segundo tem mais de 6 casas"
    if not _is_day(parts[1], parts[3], parts[4], formats.date_order):
        return f"não é um dia que exista, na ordem {_ORDERS[formats.date_order]}"
    if column_type is ColumnType.DATE and ":" in parts[5]:
        return "tem hora, e a coluna é só de datas"
    if _EDGE.search(text) and _CLOCK.fullmatch(parts[5]):
        return _BEYOND_CALENDAR
    if ":" in parts[5]:
        return "a hora não existe ou não está no formato hh:mm:ss"
    return NOT_OF_TYPE[column_type].reason


def _is_day(first: str, second: str, third: str, order: str) -> bool:
    """Return whether three numbers are a day of the calendar, year first in any order."""
    if len(first) == _YEAR_DIGITS:
        year, month, day = first, second, third
    elif order == "mdy":
        month, day, year = first, second, third
    else:
        day, month, year = first, second, third
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True
