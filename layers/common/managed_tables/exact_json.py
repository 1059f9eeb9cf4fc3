"""Read and write JSON with exact numbers: integers as `int`, all others as `Decimal`, no float between.

Lone surrogates and NUL characters pass through as they are: whether a value may hold them is the
business of whoever stores it.
"""

import hashlib
import json
import os
from decimal import Decimal
from typing import Any, TypeAlias

Value: TypeAlias = "bool | int | Decimal | str | list[Value] | dict[str, Value] | None"
"""JSON as it is read here."""
Object = dict[str, Value]
_EXACT_INTEGER = 2**53  # beyond it a double is no longer every integer
_MAX_EXPONENT = 1_000  # beyond any column's; written out, that of an argument may be gigabytes


class InvalidJson(ValueError):  # noqa: N818 - named for what it tells
    """The text is not JSON that we read; its message is a Portuguese reason for the user."""


def loads(raw: bytes) -> Any:
    """Parse UTF-8 JSON text; raises InvalidJson, never RecursionError nor anything else.

    Refused by name: NaN and Infinity, a key given twice in one object, nesting and whole numbers beyond
    Python's own limits.
    """
    try:
        return json.loads(
            raw.decode("utf-8-sig"),
            parse_float=Decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_distinct,
        )
    except InvalidJson:
        raise
    except UnicodeDecodeError as error:
        raise InvalidJson(f"o texto não é UTF-8 (byte {error.start})") from error
    except RecursionError as error:
        raise InvalidJson("aninhamento profundo demais") from error
    except json.JSONDecodeError as error:
        raise InvalidJson(f"JSON malformado na linha {error.lineno}, coluna {error.colno}") from error
    except ArithmeticError as error:
        raise InvalidJson("número com expoente fora do limite") from error
    except ValueError as error:  # Python's own limit is 4,300 digits, no column's is above 1,000
        raise InvalidJson("número com algarismos demais") from error


def _refuse_constant(name: str) -> None:
    raise InvalidJson(f"{name} não é um número JSON")


def _distinct(pairs: list[tuple[str, Value]]) -> Object:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidJson("a mesma chave aparece duas vezes em um objeto")
    return found


def dumps(value: Any) -> bytes:
    """Write JSON text as UTF-8, a Decimal digit for digit as a number; a lone surrogate as its escape."""
    mark = os.urandom(16).hex()  # of what is a number, as no text can have it

    def write_number(number: object) -> str | None:
        if not isinstance(number, Decimal):
            raise TypeError(f"{type(number).__name__} is not written as JSON")
        return f"{mark}{number}{mark}" if number.is_finite() else None

    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=write_number)
    text = text.replace(f'"{mark}', "").replace(f'{mark}"', "")
    return text.encode("utf-8", "backslashreplace")


def for_doubles(value: Any) -> Any:
    """Return the JSON for those who read numbers as doubles: what a double does not hold is text."""
    if isinstance(value, dict):
        return {name: for_doubles(item) for name, item in value.items()}
    if isinstance(value, list):
        return [for_doubles(item) for item in value]
    if isinstance(value, Decimal):
        number = float(value)
        is_held = abs(number) <= _EXACT_INTEGER and Decimal(repr(number)) == value
        is_short = abs(value.adjusted()) < _MAX_EXPONENT
        return number if is_held else format(value, "f" if is_short else "")
    return str(value) if isinstance(value, int) and abs(value) > _EXACT_INTEGER else value


def digest(value: Any) -> str:
    """Return 32 hex digits that tell the value from others."""
    return hashlib.sha256(dumps(value)).hexdigest()[:32]
