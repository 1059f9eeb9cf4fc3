"""Recognise identifiers made of digits: codes that name something, and so stay text.

Three signs, which can only turn a number into text: a label that says so (`CEP`, `Nº do CPF`), how the
numbers are written (`1.1` and `1.10`), or check digits that all values carry. A label that names a
quantity (`Qtd. telefones`) is no sign.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from duckdb import DuckDBPyConnection

from managed_tables.conversion.columns import DecimalMark
from managed_tables.jobs.staged_rows import staged_rows
from managed_tables.messages.findings import Finding, GroundCode
from managed_tables_analyze.inference.signs.labels import QUANTITY_WORDS, names_year, words_of
from managed_tables_analyze.inference.tallies import (
    COLUMNS_PER_SCAN,
    HEAD,
    ask_columns,
    columns_where,
    long_column,
)

_NAMED_AS_WRITTEN = (
    "CEP CPF CNPJ RG CNH RENAVAM PIS PASEP NIS NIT CNS celular conta lote modelo SKU NCM CFOP CEST CNAE CBO "
    "banco ISBN IMEI chassi"
)
_NAMED_OTHERWISE = {
    "CNPJ": "cgc",
    "telefone": "telefone telefones fone tel whatsapp fax phone mobile",
    "código postal": "zip zipcode",
    "agência": "agencia",
    "conta": "account",
    "código de barras": "ean gtin barras barcode",
    "chave de NF-e": "nfe",
    "código": "cod codigo codigos code",
    "versão": "versao version",
    "modelo": "model",
    "matrícula": "matricula",
}
CODE_WORDS = {name.lower(): name for name in _NAMED_AS_WRITTEN.split()}
CODE_WORDS |= {word: name for name, words in _NAMED_OTHERWISE.items() for word in words.split()}
# Words that name a code only together.
_CODE_PAIRS = {
    frozenset({"chave", "acesso"}): "chave de acesso",
    frozenset({"titulo", "eleitor"}): "título de eleitor",
    frozenset({"titulo", "eleitoral"}): "título de eleitor",
    frozenset({"inscricao", "estadual"}): "inscrição estadual",
    frozenset({"inscricao", "municipal"}): "inscrição municipal",
    frozenset({"nosso", "numero"}): "nosso número",
    frozenset({"linha", "digitavel"}): "linha digitável",
}
_GLUED = ("codigo", "cpf", "cnpj", "pasep", "telefone", "renavam")  # in no other word
_LAST = ("cep",)  # ends no other word
_PLURAL = "s"
_MEASURE = re.compile(r"[$€%]")  # `Conta de luz (R$)`
_LENGTHS = {"CEP": 8, "CPF": 11, "CNPJ": 14, "PIS": 11, "PASEP": 11, "NIS": 11, "NIT": 11}
# `PIS` is also a tax, whose column may hold whole amounts: as a person's number it has 11 digits.
_FEWEST_DIGITS = {"pis": 9}
FEWEST_VALUES = 10  # of the sample: ten values with right check digits by chance are one in 10^10 or less
_BARE_EXPONENT = "[0-9]+[eE][0-9]+"
_SHORT_DECIMAL = "[0-9]{1,4}(?:[.][0-9]{1,4})?"  # of versions and of accounts
_DIGITS = re.compile("[0-9]+")
_INTERNATIONAL_PHONE = re.compile(r"\+[0-9]{8,15}")


def find_code_in_label(label: str, longest_digits: int) -> str | None:
    """Return which code a label names, or None; `longest_digits` is the length of the longest value seen."""
    words = words_of(label)
    if QUANTITY_WORDS.intersection(words) or names_year(label) or _MEASURE.search(label):
        return None
    known = [one for word in words for one in _known_words(word)]
    found = [CODE_WORDS[word] for word in known if longest_digits >= _FEWEST_DIGITS.get(word, 1)]
    found += [name for pair, name in _CODE_PAIRS.items() if pair.issubset(words)]
    return "/".join(dict.fromkeys(found)) or None


def _known_words(word: str) -> list[str]:
    """Return the words of codes that a word is or contains (`cpfcnpj`, `nrcep`)."""
    if word in CODE_WORDS:
        return [word]
    glued = [known for known in _GLUED if known in word and _is_rest(word.replace(known, "", 1))]
    return glued + [known for known in _LAST if word.endswith(known)]


def _is_rest(letters: str) -> bool:
    """Return whether what stands beside a code's word is a word itself: CPFE is a company."""
    return len(letters) != 1 or letters == _PLURAL


def lengths_of(names: str) -> set[int]:
    """Return how many digits the codes have that a label names, if they have a fixed number."""
    return {_LENGTHS[name] for name in names.split("/") if name in _LENGTHS}


def is_whole_code(lengths: Collection[int], cell: str) -> str:
    """Return the SQL test that a text has as many digits as such a code."""
    return f"strlen({_digits_of(cell)}) IN ({', '.join(map(str, sorted(lengths)))})"


def is_cut_code(lengths: Collection[int], cell: str) -> str:
    """Return the SQL test that a text is such a code without leading zeros, three at most."""
    short = {length - zeros for length in lengths for zeros in (1, 2, 3)} - set(lengths)
    counts = ", ".join(map(str, sorted(short)))
    return f"regexp_full_match({cell}, '[0-9][-0-9./ ]*') AND strlen({_digits_of(cell)}) IN ({counts})"


def _digits_of(cell: str) -> str:
    return f"regexp_replace({cell}, '[^0-9]', '', 'g')"


def find_cut_code(names: str, values: Collection[str]) -> str | None:
    """Return a value that has lost leading zeros, None unless other values have the code's full length.

    `names` is what `find_code_in_label` returned.
    """
    lengths = lengths_of(names)
    found = {len(value) for value in values}
    if not lengths.intersection(found):
        return None
    digits = [value.strip("0") and value for value in values if _DIGITS.fullmatch(value)]
    cut = [value for value in digits if value and len(value) not in lengths and len(value) < max(lengths)]
    return min(cut, default=None)


@dataclass(frozen=True)
class Writing:
    """What the writing of a column's decimals shows: a bare exponent, or two texts of one number."""

    bare_exponent: str | None = None
    same_number: tuple[str, str] | None = None


def find_code_in_writing(writing: Writing, label: str) -> Finding | None:
    """Return why the writing of a column of decimals shows that they are codes, None if it does not.

    A bare `2E5` is a code, unless other cells have decimals; so are `1.1` and `1.10` in one column.
    """
    if writing.bare_exponent is not None:
        return Finding(GroundCode.BARE_EXPONENTS, {"example": writing.bare_exponent})
    if writing.same_number is None or QUANTITY_WORDS.intersection(words_of(label)):
        return None
    return Finding(GroundCode.WRITTEN_DIFFERENTLY, {"example": " e ".join(writing.same_number)})


def read_writing(
    connection: DuckDBPyConnection, staged: Path, marks: Mapping[int, DecimalMark]
) -> dict[int, Writing]:
    """Return how columns of decimals are written, given the decimal mark of each.

    For most columns a look at the head and a search for the letter of an exponent are enough.
    """
    rows = staged_rows(staged)
    columns = sorted(marks)
    with_exponents = columns_where(connection, rows, columns, _has_exponent)
    may_be_codes = [column for column in columns if marks[column] == "."]
    short = columns_where(connection, HEAD, may_be_codes, _are_short)
    found = {column: Writing() for column in columns}
    for mark in (",", "."):
        asked = [column for column in sorted(with_exponents | short) if marks[column] == mark]
        found |= dict(_read_whole(connection, rows, asked, mark))
    return found


def _read_whole(
    connection: DuckDBPyConnection, rows: str, columns: Sequence[int], mark: DecimalMark
) -> Iterator[tuple[int, Writing]]:
    """Yield the writing of columns that the head, or the letter of an exponent, leaves open."""

    def questions(cell: str) -> list[str]:
        bare = f"regexp_full_match({cell}, '{_BARE_EXPONENT}')"
        width = f"strlen({cell}) - strpos({cell}, '.')"
        return [
            f"min({cell}) FILTER (contains(upper({cell}), 'E') AND {bare})",
            f"count(*) FILTER (contains({cell}, '{mark}') OR regexp_matches({cell}, '[eE][+-]'))",
            _are_short(cell),
            f"min({width}) <> max({width})",
        ]

    answers = ask_columns(connection, rows, columns, questions)
    suspects = []
    for column, (example, decimals, are_short, widths_differ) in answers.items():
        if example is not None and not decimals:
            yield column, Writing(bare_exponent=example)
        elif mark == "." and are_short and widths_differ:
            suspects.append(column)
    for column, pair in _find_equal_numbers(connection, rows, suspects).items():
        yield column, Writing(same_number=pair)


def _has_exponent(cell: str) -> str:
    """Return the SQL test that some cell has an `E`: it costs little, and few columns pass it."""
    return f"bool_or(contains({cell}, 'E') OR contains({cell}, 'e'))"


def _are_short(cell: str) -> str:
    return f"bool_and({cell} IS NULL OR {cell} = '' OR regexp_full_match({cell}, '{_SHORT_DECIMAL}'))"


def _find_equal_numbers(
    connection: DuckDBPyConnection, rows: str, columns: Sequence[int]
) -> dict[int, tuple[str, str]]:
    """Return, for each column that has them, two cells that are the same number but different texts."""
    found: dict[int, tuple[str, str]] = {}
    for start in range(0, len(columns), COLUMNS_PER_SCAN):
        cells = long_column(rows, columns[start : start + COLUMNS_PER_SCAN])
        pairs = (
            f"SELECT number, min(cell) AS least, max(cell) AS greatest FROM {cells} "  # noqa: S608 - own SQL
            "WHERE contains(cell, '.') GROUP BY number, rtrim(rtrim(cell, '0'), '.') "
            "HAVING min(cell) <> max(cell)"
        )
        answers = connection.execute(
            f"SELECT number, min(least), arg_min(greatest, least) FROM ({pairs}) GROUP BY number"  # noqa: S608
        ).fetchall()
        found |= {number: (least, greatest) for number, least, greatest in answers}
    return found


def find_code_in_values(values: Collection[str]) -> str | None:
    """Return which code all values are, by their check digits, or None; `values` are distinct."""
    if any(_INTERNATIONAL_PHONE.fullmatch(value) for value in values):
        return "telefone"
    if len(values) < FEWEST_VALUES:
        return None
    lengths = {len(value) for value in values}
    if len(lengths) != 1 or not all(map(_DIGITS.fullmatch, values)):
        return None
    code, is_valid = _CHECKED_LENGTHS.get(lengths.pop(), (None, None))
    return code if is_valid is not None and all(map(is_valid, values)) else None


def _modulo_11(digits: str, weights: Collection[int]) -> str:
    remainder = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True)) % 11
    return "0" if remainder < 2 else str(11 - remainder)


def _weights(count: int, highest: int) -> list[int]:
    """Return the weights 2, 3, … `highest`, 2, 3, … that count from the right."""
    return [2 + index % (highest - 1) for index in range(count)][::-1]


def is_cpf(digits: str) -> bool:
    """Return whether 11 digits end in the two check digits of a CPF."""
    first = _modulo_11(digits[:9], range(10, 1, -1))
    return digits[9:] == first + _modulo_11(digits[:9] + first, range(11, 1, -1))


def is_cnpj(digits: str) -> bool:
    """Return whether 14 digits end in the two check digits of a CNPJ."""
    first = _modulo_11(digits[:12], _weights(12, 9))
    return digits[12:] == first + _modulo_11(digits[:12] + first, _weights(13, 9))


def is_invoice_key(digits: str) -> bool:
    """Return whether 44 digits end in the check digit of an NF-e's access key."""
    return digits[43] == _modulo_11(digits[:43], _weights(43, 9))


_CHECKED_LENGTHS: dict[int, tuple[str, Callable[[str], bool]]] = {
    11: ("CPF", is_cpf),
    14: ("CNPJ", is_cnpj),
    44: ("chave de NF-e", is_invoice_key),
}
