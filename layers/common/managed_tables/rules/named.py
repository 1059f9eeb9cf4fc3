"""Tell documents, codes and addresses by their shape and their check digits, in SQL of both engines.

The CNPJ has letters since July 2026: each character counts as its code less 48, by the same weights (Receita
Federal, Nota Técnica conjunta 2025.001); so does the CNPJ within a key of an NF-e.
"""

from collections.abc import Mapping, Sequence

from managed_tables.conversion.sql_text import choose, matches
from managed_tables.rules.rule import NamedKind

_UFS = (
    "AC", "AL", "AM", "AP", "BA", "CE", "DF", "ES", "GO", "MA", "MG", "MS", "MT", "PA", "PB", "PE", "PI",
    "PR", "RJ", "RN", "RO", "RR", "RS", "SC", "SE", "SP", "TO",
)  # fmt: skip
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"  # of a host's name
_AREA = r"(?:\([1-9][1-9]\)|[1-9][1-9])"
_LOCAL = "(?:9[0-9]{4}|[2-5][0-9]{3})[ -]?[0-9]{4}"

SHAPES: Mapping[NamedKind, str] = {
    "cpf": r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}|[0-9]{11}",
    "cnpj": r"[0-9A-Z]{2}\.[0-9A-Z]{3}\.[0-9A-Z]{3}/[0-9A-Z]{4}-[0-9]{2}|[0-9A-Z]{12}[0-9]{2}",
    "cep": r"[0-9]{5}-?[0-9]{3}|[0-9]{2}\.[0-9]{3}-[0-9]{3}",
    "uf": "|".join(_UFS),
    "email": rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})+",
    "ean": "[0-9]{8}|[0-9]{12,14}",
    "nfe_key": "[0-9]{6}[0-9A-Z]{12}[0-9]{26}",
    "phone_br": rf"(?:\+?55 ?)?{_AREA} ?{_LOCAL}|0[3589]00[ -]?[0-9]{{3}}[ -]?[0-9]{{4}}",
}

_ELEVEN = 11
_CNPJ_WEIGHTS = (5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)
_EAN_DIGITS = 14


def bare(cell: str) -> str:
    """Return the SQL of the text without what people put between digits."""
    return f"translate({cell}, './-', '')"


def has_shape(name: NamedKind, cell: str) -> str:
    """Return the test that a text looks like what the name says."""
    return matches(cell, SHAPES[name])


def has_check_digits(name: NamedKind, text: str) -> str | None:
    """Return the test that the check digits of a `bare` text of the shape are right; None if it has none."""
    match name:
        case "cpf":
            weights = range(10, 1, -1)
            return _two_digits(text, list(weights))
        case "cnpj":
            return _two_digits(text, _CNPJ_WEIGHTS)
        case "ean":
            filled = f"lpad({text}, {_EAN_DIGITS}, '0')"
            total = _sum(filled, [3 - 2 * (place % 2) for place in range(_EAN_DIGITS)])
            return f"({total}) % 10 = 0"
        case "nfe_key":
            weights_from_right = [2 + place % 8 for place in range(43)]
            return _is_digit(text, 44, weights_from_right[::-1])
        case _:
            return None


def named_test(name: NamedKind, cell: str, text: str | None = None) -> str:
    """Return the test of a cell; `text` is the SQL of what `bare` makes of it, where that is at hand."""
    digits = has_check_digits(name, bare(cell) if text is None else text)
    if digits is None:
        return has_shape(name, cell)
    branches = ((f"{cell} IS NULL", "NULL"), (has_shape(name, cell), f"({digits})"))
    return choose(*branches, otherwise="false")


def _value(text: str, place: int) -> str:
    return f"(ascii(substr({text}, {place}, 1)) - 48)"


def _sum(text: str, weights: Sequence[int]) -> str:
    return " + ".join(f"{_value(text, place)} * {weight}" for place, weight in enumerate(weights, start=1))


def _is_digit(text: str, place: int, weights: Sequence[int]) -> str:
    """Return the test that a digit is 11 less the weighted sum of those before it modulo 11, 0 for 10, 11."""
    return f"(11 - ({_sum(text, weights)}) % 11) % 11 % 10 = {_value(text, place)}"


def _two_digits(text: str, weights: Sequence[int]) -> str:
    """Return the test of two digits at the end; a text of one digit alone passes it, and names nobody."""
    size = len(weights)
    second = (weights[0] + 1, *weights)
    if size > _ELEVEN:  # weights begin again at 2 from the right
        second = (6, *weights)
    all_alike = f"translate({text}, substr({text}, 1, 1), '') = ''"
    first, last = _is_digit(text, size + 1, weights), _is_digit(text, size + 2, second)
    return f"NOT ({all_alike}) AND {first} AND {last}"


def _functions() -> str:
    """Return the functions of PostgreSQL, planned once a session, by which CHECK constraints judge."""
    return "".join(
        f"CREATE OR REPLACE FUNCTION managed_tables.is_{name}(value text) RETURNS boolean LANGUAGE plpgsql"
        f" IMMUTABLE STRICT PARALLEL SAFE AS $body$DECLARE bare text := {bare('value')};"
        f" BEGIN RETURN {named_test(name, 'value', 'bare')}; END$body$;\n"
        for name in SHAPES
    )


NAMED_FUNCTIONS = _functions()
