"""Evidence of a column's type: words in its label, how its cells are written, and odd cells."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from staged_objects import column_of

from managed_tables.schema import ColumnType
from managed_tables_analyze.inference.evidence import find_mojibake, has_mojibake
from managed_tables_analyze.inference.explanation import JudgedColumn
from managed_tables_analyze.inference.profiles import format_instant, sample_value
from managed_tables_analyze.inference.signs import (
    find_code_in_label,
    names_birth,
    names_day,
    names_year,
    words_of,
)

QUANTITIES = (
    "qt", "qtd", "qtde", "quant", "quantidade", "quantidades", "total", "totais", "valor", "valores", "vlr",
    "saldo", "soma", "média", "percentual", "taxa", "count", "sum", "dias", "preço", "preços", "peso",
    "área", "custo", "idade", "price", "amount", "value", "índice", "horas", "juros", "consumo",
    "indicador", "kwh", "kg",
)  # fmt: skip
DAYS = (
    "data", "datas", "dt", "date", "dia", "day", "nascimento", "nasc", "birth", "birthdate", "vencimento",
    "venc", "emissão", "admissão", "demissão", "competência", "início", "fim", "pagamento", "cadastro",
    "dtvenda",
)  # fmt: skip
BIRTHS = ("nascimento", "nasc", "dtnasc", "birth", "birthdate", "birthday", "dob", "nascido")
YEARS = ("ano", "anos", "year", "exercício", "safra")
SAO_PAULO = ZoneInfo("America/Sao_Paulo")

Infer = Callable[..., JudgedColumn]


@pytest.fixture
def infer(infer: Callable[..., list[JudgedColumn]]) -> Infer:
    """Infer one column: `infer(cells, label)`."""

    def run(cells: Sequence[str | None], label: str = "Rótulo", **options: Any) -> JudgedColumn:
        [column] = infer(column_of(*cells), labels=[label], **options)
        return column

    return run


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("CódigoBarras", ["codigo", "barras"]),
        ("Nº do CPF", ["no", "do", "cpf"]),
        ("qtd_2024", ["qtd"]),
        ("DATA-Nasc.", ["data", "nasc"]),
        ("PIS/PASEP", ["pis", "pasep"]),
        ("日本", []),
    ],
)
def test_a_label_is_split_into_plain_words(label: str, words: list[str]) -> None:
    assert words_of(label) == words


@pytest.mark.parametrize(
    ("names", "words", "other"),
    [
        (names_day, DAYS, ["diario", "valor", "datação", "mês"]),
        (names_birth, BIRTHS, ["data", "dia", "nascer"]),
        (names_year, YEARS, ["anotação", "mes", "anual"]),
    ],
)
def test_a_label_names_what_its_values_are(
    names: Callable[[str], bool], words: list[str], other: list[str]
) -> None:
    assert [word for word in words if not names(word)] == []
    assert [word for word in words if not names(f"1ª {word.upper()} do cliente")] == []
    assert [word for word in other if names(word)] == []


@pytest.mark.parametrize("word", [*QUANTITIES, "ano", "safra"])
def test_a_label_with_a_quantity_or_a_year_names_no_code(word: str) -> None:
    assert find_code_in_label(f"{word} cpf", 11) is None
    assert find_code_in_label(f"{word}x cpf", 11) == "CPF"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("JoÃ£o da Silva", "JoÃ£o"),
        ("o cafÃ© com", "cafÃ©"),
        ("nÂ° 5", "nÂ°"),
        ("AÃ‡ÃO", "AÃ‡ÃO"),
        ("Ã€ vista", "Ã€"),
        ("Ãƒ", "Ãƒ"),
        ("de Ìîñêâà", "Ìîñêâà"),
        ("Ãéþñãïò 1", "Ãéþñãïò"),
        ("¤ý¤p©ú", "¤ý¤p©ú"),
        ("¡¡¡Última!!!", None),
        ("5 µg·mL, 3½x½, «a» §1º·", None),
        ("········ °C °F", None),
        ("Ã“", None),
        ("SÃO PAULO", None),
        ("Âmbar", None),
        ("AÇÃO – JÁ", None),
    ],
)
def test_mojibake_is_distinguished_from_portuguese(text: str, word: str | None) -> None:
    assert find_mojibake(text) == word
    assert duckdb.execute(f"SELECT {has_mojibake('$1')}", [text]).fetchall() == [(word is not None,)]


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2024-01-31", "2024-01-31T03:00:00Z"),
        ("2024-01-31 10:30", "2024-01-31T13:30:00Z"),
        ("2024-01-31 10:30:05.5", "2024-01-31T13:30:05.5Z"),
        ("2024-01-31 10:30:05.1234567", "2024-01-31T13:30:05.123456Z"),
        ("2024-01-31 12:30 AM", "2024-01-31T03:30:00Z"),
        ("2024-01-31 12:30pm", "2024-01-31T15:30:00Z"),
        ("2024-01-31 1:30 PM", "2024-01-31T16:30:00Z"),
        ("2024-01-31 10:30Z", "2024-01-31T10:30:00Z"),
        ("2024-01-31 10:30 gmt", "2024-01-31T10:30:00Z"),
        ("2024-01-31 10:30 UTC", "2024-01-31T10:30:00Z"),
        ("2024-01-31 10:30+03", "2024-01-31T07:30:00Z"),
        ("2024-01-31 10:30-0330", "2024-01-31T14:00:00Z"),
        ("2024-01-31 10:30 -03:45", "2024-01-31T14:15:00Z"),
        ("0099-01-01 10:00Z", "0099-01-01T10:00:00Z"),
        ("2018-11-04 00:30", "2018-11-04T03:30:00Z"),  # skipped when the clocks went forward
        ("2018-02-17 23:30", "2018-02-18T02:30:00Z"),  # repeated when they went back: the second one
        ("9999-12-31 23:59:59", "9999-12-31 23:59:59"),  # the year 10000 in UTC
    ],
)
def test_an_instant_is_shown_in_utc(text: str, instant: str) -> None:
    assert format_instant(text, SAO_PAULO) == instant
    assert sample_value(text, ColumnType.DATETIME, SAO_PAULO) == instant


def test_sample_values_have_their_columns_type() -> None:
    values = {
        "integer": ("7", 7),
        "decimal": ("1.50", Decimal("1.50")),
        "text": ("7", "7"),
        "date": ("x", "x"),
    }
    for name, (text, value) in values.items():
        assert sample_value(text, ColumnType(name), SAO_PAULO) == value
        assert sample_value(None, ColumnType(name), SAO_PAULO) is None
    assert [sample_value(text, ColumnType.BOOLEAN, SAO_PAULO) for text in ("true", "false")] == [True, False]
    with pytest.raises(ValueError, match="not a canonical datetime: '2024-01-31 x'"):
        format_instant("2024-01-31 x", SAO_PAULO)


@pytest.mark.parametrize(
    ("cells", "label", "column_type", "confidence", "warnings", "alternatives"),
    [
        (["1", "2", "3"], "Item", "integer", 1.0, {}, []),
        (["1", "2"], "Item", "integer", 0.8, {}, []),
        (["12345678", "87654321"], "CEP", "text", 0.9, {}, ["integer"]),
        (["1,23457E+11", "2,5", "3"], "Item", "decimal", 0.5, {"SHORTENED_NUMBERS": [2]}, []),
        (["2,5", "-1.2E+11", "1E+35"], "CPF", "text", 0.5, {"SHORTENED_NUMBERS": [3, 4]}, ["decimal"]),
        (["1,2E+10", "2,5", "3"], "Item", "decimal", 1.0, {}, []),
        (["#N/D", "5", "6", "7"], "Item", "integer", 0.9, {"ERROR_CELLS": [2]}, []),
        (["a", "#REF! ", "b"], "Item", "text", 0.9, {"ERROR_CELLS": [3], "SURROUNDING_BLANKS": [3]}, []),
        ([" a", "b", "c"], "Item", "text", 0.9, {"SURROUNDING_BLANKS": [2]}, []),
        (["a\u00a0", "b ", "\tc"], "Item", "text", 0.9, {"SURROUNDING_BLANKS": [2, 3, 4]}, []),
        (["a\tb", " ", "!", "c"], "Item", "text", 1.0, {}, []),
        (["31/12/24", "1/1/2025", "2/1/25"], "Item", "date", 0.9, {"TWO_DIGIT_YEARS": [2, 4]}, []),
        (
            ["31/12/2024 10:30", "31/12/2024T10:30", "1/1/24 1:30"],
            "Item",
            "datetime",
            0.9,
            {"TWO_DIGIT_YEARS": [4]},
            [],
        ),
        (["31/12/2024", "01/01/2025", "2025-01-02"], "Item", "date", 1.0, {}, []),
        (["Ana", "JoÃ£o"], "Item", "text", 0.9, {"MOJIBAKE": [3]}, []),
        (["a", "b"], "DescriÃ§Ã£o", "text", 0.9, {"MOJIBAKE": None}, []),
        (["2E5", "3E7", "1E2"], "Item", "text", 0.9, {}, ["decimal"]),
        (["2E5", "3E7", "1,5"], "Item", "decimal", 1.0, {}, []),
        (["2E5", "1.234", "12.345.678"], "Item", "text", 0.9, {}, ["decimal"]),
        (["1.1", "1.10", "1.2"], "Item", "text", 0.9, {}, ["decimal"]),
        (["- 1.1", "- 1.10", "- 1.2"], "Item", "text", 0.9, {}, ["decimal"]),
        (["1.234", "- 5.678", "3.210"], "Item", "decimal", 0.5, {"AMBIGUOUS_MARK": None}, ["decimal"]),
        (["1.1", "1.10", "1.2"], "Valor", "decimal", 1.0, {}, []),
        (["1.1", "1.2", "1.3"], "Item", "decimal", 1.0, {}, []),
        (["1.10001", "1.1", "1.100010"], "Item", "decimal", 1.0, {}, []),
        (["(1)", "( 2 )", "(3)"], "Item", "text", 0.9, {}, ["decimal"]),
        (["(1)", "2", "(3)"], "Item", "decimal", 1.0, {}, []),
        (["(2023)", "2022", "2021"], "Ano", "text", 0.9, {}, ["decimal"]),
        (["jan/2024", "fev/2024", "3/4/2024"], "Item", "date", 0.9, {"MONTHS_AS_DATES": None}, []),
        (["F", "F", "F"], "Item", "text", 0.9, {}, ["boolean"]),
        (["S", "n", "y"], "Item", "boolean", 1.0, {}, []),
        (["20240131", "20231231", "19990229"], "Item", "integer", 1.0, {}, []),
        (["20240131", "20231231", "19990228"], "Item", "integer", 1.0, {}, ["date"]),
        (["20240131", "20231231", "18990228"], "Item", "integer", 1.0, {}, []),
        (["20240131", "20231231", "20240229"], "Data", "date", 1.0, {}, []),
        (["1", "2", "x", "3"], "Item", "text", 0.5, {}, ["integer"]),
        (["a", "1"], "Item", "text", 0.5, {}, ["integer"]),
        (["a", "b", "1"], "Item", "text", 1.0, {}, []),
        ([None, "-", ""], "Item", "text", 0.5, {}, []),
        (["12.345.678,90", "98765432100", "1"], "CPF", "decimal", 1.0, {}, []),
    ],
)
def test_confidence_warnings_and_alternatives_follow_the_cells(
    infer: Infer,
    cells: list[str | None],
    label: str,
    column_type: str,
    confidence: float,
    warnings: dict[str, list[int] | None],
    alternatives: list[str],
) -> None:
    found = infer(cells, label)
    codes = {one.code: one.lines or None for one in found.inference.warnings}
    others = [one.type.value for one in found.inference.alternatives]
    assert (found.type.value, found.inference.confidence) == (column_type, confidence)
    assert (codes, others) == (warnings, alternatives)


def test_odd_cells_are_reported_with_their_file(infer: Infer) -> None:
    column = infer(["#N/D", "5", "6", "7"])
    assert [(finding.code, finding.file) for finding in column.findings] == [("ERROR_CELLS", "vendas.csv")]


def test_signs_of_no_data_are_no_values_of_numbers(infer: Infer) -> None:
    numbers = infer(["1", "...", "..", "…", "2"])
    assert (numbers.type, numbers.nullable, numbers.formats.null_tokens) == (ColumnType.INTEGER, True, True)
    assert infer(["a", "...", "b"]).nullable is False


def test_years_with_a_month_behind_a_point_are_months(infer: Infer) -> None:
    """Few of them may be amounts, and so is a single one whose cents are no month."""
    months = [f"2008.{month:02}" for month in range(1, 13)]
    found = infer(months)
    assert (found.type, found.is_proven) == (ColumnType.DATE, True)
    assert [one.code for one in found.findings] == ["MONTHS_AS_DATES"]
    assert found.inference.alternatives[0].type is ColumnType.DECIMAL
    for numbers in (months[:5], [*months, "2009.13"], [*months, "2008.1"]):
        assert infer(numbers).type is not ColumnType.DATE


@pytest.mark.parametrize("empty", ["-", "#N/D", "#DIV/0!", " ", "__/__/____"])
def test_the_example_of_months_is_one_also_where_a_cell_without_value_comes_first(
    infer: Infer, empty: str
) -> None:
    found = infer([empty, "01/2024", "12/9999"])
    [warning] = [one for one in found.findings if one.code == "MONTHS_AS_DATES"]
    assert warning.values == {"example": "01/2024", "day": "2024-01-01"}


def test_dates_swapped_where_they_could_be_are_told_unless_one_speaks_against_it(infer: Infer) -> None:
    dates, texts = ["2024-02-01", "2024-03-03", "2024-05-04"], ["25/01/2024", "13/1/2024", "31-12-2023"]
    assert [(one.code, one.lines) for one in infer([*dates, *texts]).findings] == [("SWAPPED_DATES", (2, 4))]
    for cells in ([*dates, "2024-01-13", *texts], [*dates, *texts, "2/1/2024"], dates, [*dates, *texts[1:]]):
        assert infer(cells).findings == []


def test_a_code_that_lost_its_zeros_among_formatted_ones_is_told(infer: Infer) -> None:
    formatted = [f"123.456.789-{number}" for number in range(10, 20)]
    for cut in ("1234567890", "23.456.789-10"):
        [told] = infer([*formatted, cut], "CPF do cliente").findings
        assert (told.code, told.values) == ("ZEROS_LOST", {"name": "CPF", "example": cut})
    [told] = infer(["33000167000101", "191", "0"], "CNPJ").findings  # of a bank: eleven zeros are lost
    assert (told.code, told.values["example"]) == ("ZEROS_LOST", "191")
    assert infer([*formatted, "isento", "12", "12345678901"], "CPF").findings == []
    assert infer([*formatted, "1234567890"], "Documento").findings == []


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("Índice do Banco Central", None),
        ("Conta de luz (R$)", None),
        ("banco_horas", None),
        ("CPFE3.SA", None),
        ("cpfs", "CPF"),
        ("Banco", "banco"),
        ("Conta", "conta"),
    ],
)
def test_a_word_of_a_code_within_a_quantity_or_a_name_is_none(label: str, name: str | None) -> None:
    assert find_code_in_label(label, 11) == name


@pytest.mark.parametrize(
    ("cells", "column_type"),
    [
        (["312", "45", "7", "1200"], "integer"),  # enrolments of schools
        (["0", "3", "118"], "integer"),
        (["9987", "10234", "10235"], "text"),  # numbers of persons, of whom some are new
        (["123", "124"], "text"),
    ],
)
def test_matriculas_of_many_lengths_are_counts(infer: Infer, cells: list[str], column_type: str) -> None:
    """The word names a person's number and an enrolment: numbers of persons are of about one length."""
    assert infer(cells, "Matrícula").type == column_type
