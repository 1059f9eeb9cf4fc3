"""Turn a JSON value into PostgreSQL's text for a column: exactly, or refused with a reason.

Numbers arrive as `int` and `Decimal` (managed_tables.exact_json) and leave as digits: there is no float
between. PostgreSQL parses the text by the column's type, and nothing that these functions return fails there.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from managed_tables.details import InvalidValue
from managed_tables.schema import MAX_DECIMAL_DIGITS, Column, ColumnType, is_storable

Parser = Callable[[Any], str]
Parsers = Mapping[ColumnType, Parser]

_INTEGERS = range(-(2**63), 2**63)

_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,18})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATETIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
    r"([Zz]|[+-][0-9]{2}(:?[0-9]{2})?)?"
)


def parse_text(value: Any) -> str:
    """Return the text as it is; PostgreSQL stores no NUL, and UTF-8 has no lone surrogates."""
    if not isinstance(value, str):
        raise InvalidValue("NOT_A_TEXT", "deve ser texto")
    if "\x00" in value:
        raise InvalidValue("INVALID_CHARACTER", "contém o caractere NUL, que o PostgreSQL não guarda")
    if not is_storable(value):
        reason = "contém um caractere Unicode inválido (surrogate isolado)"
        raise InvalidValue("INVALID_CHARACTER", reason)
    return value


def parse_integer(value: Any) -> str:
    """Return the digits of a whole number of 64 bits, given as a number or as a string of digits."""
    number = Decimal(value) if isinstance(value, str) and _INTEGER.fullmatch(value) else value
    if isinstance(number, bool) or not isinstance(number, int | Decimal):
        raise InvalidValue("NOT_AN_INTEGER", "deve ser um número inteiro ou um texto só de dígitos")
    is_finite = isinstance(number, int) or number.is_finite()
    if not is_finite or not _INTEGERS.start <= number < _INTEGERS.stop:
        reason = "fora do limite de 64 bits (de -9223372036854775808 a 9223372036854775807)"
        raise InvalidValue("OUT_OF_RANGE", reason)
    if number != int(number):
        raise InvalidValue("NOT_AN_INTEGER", "deve ser um número inteiro, sem parte decimal")
    return str(int(number))


def parse_decimal(value: Any) -> str:
    """Return the digits of a number, given as a number or as a string of digits."""
    is_number = isinstance(value, int | Decimal) and not isinstance(value, bool)
    if not is_number and not (isinstance(value, str) and _DECIMAL.fullmatch(value)):
        raise InvalidValue("NOT_A_DECIMAL", "deve ser um número ou um texto só de dígitos, com ponto decimal")
    try:
        return _numeric(Decimal(value))
    except ArithmeticError as error:  # of an exponent that no Decimal has
        raise InvalidValue("TOO_LONG", _TOO_LONG) from error


_TOO_LONG = f"tem mais de {MAX_DECIMAL_DIGITS} algarismos, escrito por extenso"


def _numeric(number: Decimal) -> str:
    text = str(number)
    if len(text) <= MAX_DECIMAL_DIGITS and "E" not in text and number.is_finite():
        return text
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int):
        raise InvalidValue("NOT_A_DECIMAL", "NaN e infinito não são aceitos")
    if max(number.adjusted() + 1, 1) + max(-exponent, 0) > MAX_DECIMAL_DIGITS:
        if number.is_zero():
            return "0"
        raise InvalidValue("TOO_LONG", _TOO_LONG)
    return text


def parse_boolean(value: Any) -> str:
    """Return PostgreSQL's text of JSON's true or false."""
    if not isinstance(value, bool):
        raise InvalidValue("NOT_A_BOOLEAN", "deve ser true ou false")
    return "true" if value else "false"


def parse_date(value: Any) -> str:
    """Return an ISO date (`2026-01-31`) of the years 0001 to 9999."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise InvalidValue("NOT_A_DATE", "deve ser uma data no formato AAAA-MM-DD")
    try:
        date.fromisoformat(value)
    except ValueError as error:
        raise InvalidValue("NOT_A_DATE", "não é uma data do calendário") from error
    return value


def datetime_parser(zone: ZoneInfo) -> Parser:
    """Return the parser of ISO times, which are in `zone` where they name none; it returns UTC."""

    def parse_datetime(value: Any) -> str:
        if not isinstance(value, str) or not _DATETIME.fullmatch(value):
            raise InvalidValue(
                "NOT_A_DATETIME",
                "deve ser data e hora em ISO 8601, como 2026-01-31T10:30:00Z, com até 6 dígitos de fração",
            )
        try:
            moment = datetime.fromisoformat(value.upper())
        except ValueError as error:
            raise InvalidValue("NOT_A_DATETIME", "não é uma data e hora do calendário") from error
        if moment.tzinfo is None:
            moment = place_moment(moment, zone)
        try:
            return moment.astimezone(UTC).isoformat()
        except OverflowError as error:
            raise InvalidValue("OUT_OF_RANGE", "fora dos anos 0001 a 9999 em UTC") from error

    return parse_datetime


def place_moment(local: datetime, zone: ZoneInfo) -> datetime:
    """Return a local time at the offset that PostgreSQL takes for files: of two, the lesser.

    That is the later of an hour which occurs twice, and the one before the change of a skipped hour.
    """
    both = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    return min(both, key=lambda one: one.utcoffset() or timedelta())


def default_text(column: Column, zone: ZoneInfo) -> str | None:
    """Return PostgreSQL's text of the column's default, None for NULL; today is that of `zone`."""
    if not column.default_is_now:
        return column.default
    now = datetime.now(zone)
    return now.date().isoformat() if column.type is ColumnType.DATE else now.astimezone(UTC).isoformat()


def parsers(zone: ZoneInfo) -> dict[ColumnType, Parser]:
    """Return the parser of each column type; `zone` is that of a time without one."""
    return {
        ColumnType.TEXT: parse_text,
        ColumnType.INTEGER: parse_integer,
        ColumnType.DECIMAL: parse_decimal,
        ColumnType.BOOLEAN: parse_boolean,
        ColumnType.DATE: parse_date,
        ColumnType.DATETIME: datetime_parser(zone),
    }


def array_text(elements: Iterable[str]) -> str:
    """Return PostgreSQL's text of an array of elements that are in its own syntax already."""
    return "{" + ",".join(elements) + "}"


def quoted(text: str) -> str:
    """Return a text as an element of PostgreSQL's text of an array."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
