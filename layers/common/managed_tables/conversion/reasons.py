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
_EDGE = re.compile("0001|9999")  # the years of which some hours are beyond, in some zone
_CLOCK = re.compile(r"(?:[T ]\s*[0-9]{1,2}:[0-5][0-9]\b.*)?", re.IGNORECASE)
_MARKS = {",": "a vírgula", ".": "o ponto"}
_ORDERS = {"dmy": "dia/mês/ano", "mdy": "mês/dia/ano", "ymd": "ano-mês-dia"}


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
        return Fault(code, f"não é um dia que exista, na ordem {_ORDERS[formats.date_order]}")
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
