"""Tell documents, codes and addresses by their shape and their check digits, in SQL of both engines.

The CNPJ has letters since July 2026: each character counts as its code less 48, by the same weights (Receita
Federal, Nota Técnica conjunta 2025.001); so does the CNPJ within a key of an NF-e.
"""

from collections.abc import Callable, Mapping, Sequence

from managed_tables.conversion.sql_text import choose, literal, matches
from managed_tables.rules.rule import NamedKind

_UFS = (
    "AC", "AL", "AM", "AP", "BA", "CE", "DF", "ES", "GO", "MA", "MG", "MS", "MT", "PA", "PB", "PE", "PI",
    "PR", "RJ", "RN", "RO", "RR", "RS", "SC", "SE", "SP", "TO",
)  # fmt: skip
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"  # of a host's name
_AREA = r"(?:\([1-9][1-9]\)|[1-9][1-9])"
_LOCAL = "(?:9[0-9]{4}|[2-5][0-9]{3})[ -]?[0-9]{4}"

SHAPES: Mapping[NamedKind, str] = {  # but of a state
    "cpf": r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}|[0-9]{11}",
    "cnpj": r"[0-9A-Z]{2}\.[0-9A-Z]{3}\.[0-9A-Z]{3}/[0-9A-Z]{4}-[0-9]{2}|[0-9A-Z]{12}[0-9]{2}",
    "cep": r"[0-9]{5}-?[0-9]{3}|[0-9]{2}\.[0-9]{3}-[0-9]{3}",
    "email": rf"[A-Za-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(?:\.{_LABEL})+",
    "ean": "[0-9]{8}|[0-9]{12,14}",
    "nfe_key": "[0-9]{6}[0-9A-Z]{12}[0-9]{26}",
    "phone_br": rf"(?:\+?55 ?)?{_AREA} ?{_LOCAL}|0[3589]00[ -]?[0-9]{{3}}[ -]?[0-9]{{4}}",
}

_USUAL_DIGITS: Mapping[NamedKind, int] = {"cep": 8}  # as most of them are written
_ELEVEN = 11
_CNPJ_WEIGHTS = (5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)
_EAN_SIZES = (8, 12, 13, 14)

ValueOf = Callable[[int], str]


def bare(cell: str) -> str:
    """Return the SQL of the text without what people put between digits."""
    return f"translate({cell}, './-', '')"


def has_shape(name: NamedKind, cell: str) -> str:
    """Return the test that a text looks like what the name says.

    States are a list, which PostgreSQL hashes: a pattern of 27 costs a row more.
    """
    if name == "uf":
        return f"({cell} IN ({', '.join(map(literal, _UFS))}))"
    return matches(cell, SHAPES[name])


def has_shape_in_postgres(name: NamedKind, cell: str) -> str:
    """Return the same test for PostgreSQL, which sees digits alone in a third of the time of a pattern."""
    digits = _USUAL_DIGITS.get(name)
    if digits is None:
        return has_shape(name, cell)
    return f"((octet_length({cell}) = {digits} AND {cell} !~ '[^0-9]') OR {has_shape(name, cell)})"


def bytes_of(text: str) -> ValueOf:
    """Return what gives PostgreSQL's value of a character by its place, from bytes: it finds them at once."""
    return lambda place: f"(get_byte({text}, {place - 1}) - 48)"


def characters_of(text: str) -> ValueOf:
    """Return what gives either engine's value of a character of a text by its place, from 1."""
    return lambda place: f"(ascii(substr({text}, {place}, 1)) - 48)"


def has_check_digits(name: NamedKind, text: str, value: ValueOf) -> str | None:
    """Return the test that the check digits of a `bare` text of the shape are right; None if it has none."""
    match name:
        case "cpf":
            return _two_digits(text, value, list(range(10, 1, -1)))
        case "cnpj":
            return _two_digits(text, value, _CNPJ_WEIGHTS)
        case "ean":
            return _of_any_length(text, value)
        case "nfe_key":
            weights_from_right = [2 + place % 8 for place in range(43)]
            return _is_digit(value, 44, weights_from_right[::-1])
        case _:
            return None


def named_test(name: NamedKind, cell: str) -> str:
    """Return the test of a cell, for either engine."""
    digits = has_check_digits(name, bare(cell), characters_of(bare(cell)))
    if digits is None:
        return has_shape(name, cell)
    branches = ((f"{cell} IS NULL", "NULL"), (has_shape(name, cell), f"({digits})"))
    return choose(*branches, otherwise="false")


def _sum(value: ValueOf, weights: Sequence[int]) -> str:
    return " + ".join(f"{value(place)} * {weight}" for place, weight in enumerate(weights, start=1))


def _is_digit(value: ValueOf, place: int, weights: Sequence[int]) -> str:
    """Return the test that a digit is 11 less the weighted sum of those before it modulo 11, 0 for 10, 11."""
    return f"(11 - ({_sum(value, weights)}) % 11) % 11 % 10 = {value(place)}"


def _two_digits(text: str, value: ValueOf, weights: Sequence[int]) -> str:
    """Return the test of two digits at the end; a text of one digit alone passes it, and names nobody."""
    size = len(weights)
    second = (weights[0] + 1, *weights)
    if size > _ELEVEN:  # weights begin again at 2 from the right
        second = (6, *weights)
    all_alike = f"translate({text}, substr({text}, 1, 1), '') = ''"
    first, last = _is_digit(value, size + 1, weights), _is_digit(value, size + 2, second)
    return f"NOT ({all_alike}) AND {first} AND {last}"


def _of_any_length(text: str, value: ValueOf) -> str:
    """Return the test of a GTIN: from the right, the digits count once and three times in turns."""
    branches = []
    for size in _EAN_SIZES:
        weights = [3 if (size - place) % 2 else 1 for place in range(1, size + 1)]
        branches.append((f"length({text}) = {size}", f"({_sum(value, weights)}) % 10 = 0"))
    return choose(*branches, otherwise="false")


def _function(name: NamedKind) -> str:
    """Return a function of PostgreSQL, planned once a session, by which CHECK constraints judge."""
    digits = has_check_digits(name, "bare", bytes_of("bytes"))
    return (
        f"CREATE OR REPLACE FUNCTION managed_tables.is_{name}(value text) RETURNS boolean LANGUAGE plpgsql"
        f" IMMUTABLE STRICT PARALLEL SAFE AS $body$DECLARE bare text; bytes bytea; BEGIN"
        f" IF NOT {has_shape(name, 'value')} THEN RETURN false; END IF;"
        f" bare := {bare('value')}; bytes := bare::bytea; RETURN {digits}; END$body$;\n"
    )


CHECKED: Sequence[NamedKind] = ("cpf", "cnpj", "ean", "nfe_key")  # which have digits to check
NAMED_FUNCTIONS = "".join(map(_function, CHECKED))
