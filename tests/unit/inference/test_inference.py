"""Inference: a column's type is the narrowest that every non-empty cell fits."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest
from staged_objects import Rows, column_of, open_session, write_staged

from managed_tables.conversion.marked_cells import mark_text
from managed_tables_analyze.inference.explanation import JudgedColumn
from managed_tables_analyze.inference.inferring import infer_columns
from managed_tables_analyze.inference.profiles import convert_first_rows, read_sample_rows

Infer = Callable[..., list[JudgedColumn]]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1", "-20", "+300"], "integer"),
        (["1.234", "2.345.678"], "integer"),
        (["9223372036854775807", "-9223372036854775808"], "integer"),
        (["9223372036854775808", "1"], "decimal"),
        (["0", "1", "0"], "integer"),
        (["01310100", "4571000"], "text"),
        (["1", "NaN"], "text"),
        (["1234.56", "0.5", "-3"], "decimal"),
        (["1.234,56", "7"], "decimal"),
        (["1,234.56", "7"], "decimal"),
        (["R$ 1.234,56", "-R$ 2,00", "R$ -3,50", "R$ -"], "decimal"),
        (["R$ -", "R$-"], "decimal"),
        (["(35,01)", "-35,01", "35,01-"], "decimal"),
        (["1e5", "1.5E-3"], "decimal"),
        (["12,5%", "3%"], "decimal"),
        (["sim", "Não", "NAO"], "boolean"),
        (["true", "false"], "boolean"),
        (["s", "n", "S"], "boolean"),
        (["F", "F"], "text"),
        (["s", "não"], "text"),
        (["31/12/2024", "01/02/2024"], "date"),
        (["2024-01-31", "2024-02-29"], "date"),
        (["31.12.2024", "1.2.2024"], "date"),
        (["31-12-2024"], "date"),
        (["31/12/24", "1/2/69"], "date"),
        (["30/02/2024", "01/02/2024"], "text"),
        (["29/02/2023"], "text"),
        (["0000-01-01"], "text"),
        (["31/12/2024 10:30", "01/01/2025"], "datetime"),
        (["2024-01-31T10:30:11.123456Z"], "datetime"),
        (["2024-01-31 10:30:11-03:00"], "datetime"),
        (["2024-01-31 24:00"], "text"),
        (["a", "1"], "text"),
        ([None, ""], "text"),
        (["529.982.247-25"], "text"),
        (["+5511987654321", "+5521912345678"], "text"),
    ],
)
def test_the_narrowest_type_that_every_cell_fits(infer: Infer, cells: list[str], expected: str) -> None:
    [column] = infer(column_of(*cells))
    assert column.type == expected


@pytest.mark.parametrize(
    ("first", "then", "expected"), [("-", "1,5", "decimal"), ("n/a", "01/02/2024", "date")]
)
def test_null_tokens_alone_in_the_first_rows_leave_every_type_open(
    infer: Infer, first: str, then: str, expected: str
) -> None:
    [column] = infer(column_of(first, *[None] * 3_000, *[then] * 3))
    assert column.type == expected


@pytest.mark.parametrize(
    ("first", "then", "expected"),
    [
        ("2010-01-01", "2010-01-01 10:30:00", "datetime"),
        ("01/01/2010", "1 mai 2024", "date"),
        ("01/01/2010 10:30", "1 mai 2024 10:30", "datetime"),
        ("1", "1,5", "decimal"),
    ],
)
def test_rows_below_the_first_ones_may_be_of_a_wider_type(
    infer: Infer, first: str, then: str, expected: str
) -> None:
    [column] = infer(column_of(*[first] * 3_000, *[then] * 3))
    assert column.type == expected
    assert not [one for one in column.findings if one.code == "MONTHS_AS_DATES"]


def test_an_invoice_key_too_long_for_an_integer_is_text(infer: Infer) -> None:
    [column] = infer(column_of("3" * 44, "4" * 44), labels=["Chave NFe"])
    assert column.type == "text"


def test_one_cell_among_many_rows_decides_the_type(infer: Infer) -> None:
    cells = [str(number) for number in range(1, 5_000)]
    [column] = infer(column_of(*cells, "n/d", *cells))
    assert column.type == "text"
    assert column.inference.evidence == "9.998 de 9.999 são números inteiros"
    [exception] = column.inference.exceptions
    assert (exception.file, exception.sheet, exception.line) == ("vendas.csv", None, 5_001)
    assert (exception.value, exception.reason) == ("n/d", "não é um número inteiro")
    assert column.inference.alternatives[0].type == "integer"


def test_null_tokens_are_empty_if_the_other_cells_have_a_type(infer: Infer) -> None:
    numbers, words = infer([["1", "a"], ["-", "-"], ["N/A", "b"], ["null", "c"]])
    assert (numbers.type, numbers.nullable, numbers.formats.null_tokens) == ("integer", True, True)
    assert (words.type, words.nullable) == ("text", False)


def test_a_column_with_an_empty_cell_is_nullable(infer: Infer) -> None:
    full, empty = infer([["1", "1"], ["2", ""]])
    assert (full.nullable, empty.nullable) == (False, True)


def test_month_comes_first_only_when_a_cell_allows_nothing_else(infer: Infer) -> None:
    [day_first] = infer(column_of("01/02/2024", "03/04/2024"))
    [month_first] = infer(column_of("01/02/2024", "12/31/2024"))
    assert (day_first.formats.date_order, day_first.inference.warnings) == ("dmy", [])
    assert month_first.formats.date_order == "mdy"
    assert infer(column_of("13/02/2024", "02/13/2024"))[0].type == "text"


@pytest.mark.parametrize(("delimiter", "expected"), [(";", "integer"), (",", "decimal"), ("\t", "decimal")])
def test_an_ambiguous_mark_follows_the_delimiter_with_a_warning(
    infer: Infer, delimiter: str, expected: str
) -> None:
    [column] = infer(column_of("1.234", "5.678"), delimiter=delimiter)
    assert column.type == expected
    assert column.inference.warnings


def test_an_ambiguous_mark_follows_the_other_columns_first(infer: Infer) -> None:
    doubtful, certain = infer([["1.234", "0.5"], ["5.678", "1.25"]], delimiter=";")
    assert (doubtful.type, doubtful.formats.decimal_mark) == ("decimal", ".")
    assert doubtful.inference.warnings
    assert not certain.inference.warnings


def test_thousands_without_separator_make_the_point_a_decimal_mark(infer: Infer) -> None:
    [column] = infer(column_of("1.234", "5678"), delimiter=";")
    assert (column.type, column.formats.decimal_mark) == ("decimal", ".")


def test_numeric_cells_of_a_workbook_are_exact(infer: Infer) -> None:
    [column] = infer(column_of("1.234", "5.678"), is_workbook=True)
    assert (column.type, column.formats.workbook, column.inference.warnings) == ("decimal", True, [])


def test_texts_with_commas_decide_the_mark_beside_whole_numbers(infer: Infer) -> None:
    [column] = infer(column_of("1", "2,5", "3"), is_workbook=True)
    assert (column.type, column.formats.decimal_mark) == ("decimal", ",")


def test_years_in_parentheses_are_notes_in_any_row(infer: Infer) -> None:
    years = [*(f"{1_900 + number % 100}" for number in range(3_500)), "(2023)"]
    rows = [[year, year, f"({number})"] for number, year in enumerate(years)]
    year, amount, notes = infer(rows, labels=["Ano", "Saldo", "Nota"])
    assert (year.type, amount.type, notes.type) == ("text", "decimal", "text")
    assert "(2023)" in year.inference.evidence


def test_numeric_cells_prove_no_mark_for_the_texts_beside_them(infer: Infer) -> None:
    [column] = infer(column_of("1.234", "2,5", "3.702"), is_workbook=True)
    assert (column.type, column.formats.decimal_mark) == ("decimal", ",")
    [doubtful] = infer(column_of("1.5", mark_text("1.500"), "2"), is_workbook=True)
    assert (doubtful.type, doubtful.formats.decimal_mark) == ("decimal", ",")
    assert '"1.500" pode ser 1500 ou 1,5' in doubtful.inference.warnings[0].text


def test_eight_digits_that_may_be_days_are_numbers_with_an_alternative(infer: Infer) -> None:
    days, numbers = infer([["20240131", "20240131"], ["19991231", "20241399"]])
    assert (days.type, numbers.type) == ("integer", "integer")
    assert [one.type for one in days.inference.alternatives] == ["date"]
    assert not numbers.inference.alternatives


def test_codes_without_their_leading_zeros_give_a_warning(infer: Infer) -> None:
    rows = [["6605221807", "12345678"], ["12345678909", "87654321"], ["12345678909", "-1"], ["0", "0"]]
    cut, whole = infer(rows, labels=["CPF", "CEP"])
    assert "como 6605221807" in cut.inference.warnings[0].text
    assert not whole.inference.warnings


@pytest.mark.parametrize(
    "label",
    [
        "CEP",
        "Nº do CPF",
        "cnpj_cliente",
        "Telefone",
        "CodigoBarras",
        "Conta",
        "CPFCNPJ",
        "nrcep",
        "CGC",
        "Título de eleitor",
        "Inscrição Estadual",
        "chave_acesso_nota",
    ],
)
def test_a_label_that_names_a_code_makes_numbers_text(infer: Infer, label: str) -> None:
    assert infer(column_of("12345678", "623.599.188.129"), labels=[label])[0].type == "text"


@pytest.mark.parametrize("label", ["Qtd telefones", "Valor da conta", "Contagem", "Recepção", "Total CPF"])
def test_a_label_that_names_a_quantity_keeps_numbers(infer: Infer, label: str) -> None:
    assert infer(column_of("12345678", "87654321"), labels=[label])[0].type == "integer"


def test_values_with_check_digits_are_codes(infer: Infer) -> None:
    base = [f"{number:09d}" for number in range(123456789, 123456789 + 12)]
    assert infer(column_of(*map(_with_check_digits, base)))[0].type == "text"


def _with_check_digits(nine: str) -> str:
    digits = nine
    for _ in range(2):
        weights = range(len(digits) + 1, 1, -1)
        rest = sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True)) % 11
        digits += "0" if rest < 2 else str(11 - rest)
    return digits


def test_many_columns_are_inferred_as_few_are(tmp_path: Path) -> None:
    """Few columns are queried one by one, many as one long column, with the same result."""
    columns: dict[str, list[str | None]] = {
        "Rótulo": ["1", "2", "30"],
        "Texto": ["a", " b", "#N/D"],
        "Dia": ["01/02/2024", "3/4/24", None],
        "Valor": ["1,5", "-", "2"],
        "Nº do CPF": ["11144477735", "52998224725", "12345678909"],
        "Item": ["1.1", "1.10", "1.2"],
        "Conta": ["2E5", "3E7", "1E2"],
        "Sexo": ["F", "F", "F"],
        "Ativo": ["S", "n", ""],
        "Hora": ["10:30", "11:45", "23:59"],
        "Quando": ["01/02/2024 10:30", "31/12/2024 11:45", "13/01/2024 12:00"],
        "Número": ["20240131", "20231231", "20240229"],
        "Chave": ["1,23457E+11", "2,5", "3"],
        "Resto": ["x", "1", "2"],
        "Vazio": [None, "", None],
    }
    after_head: list[list[str | None]] = [["7", "2,5 kg", "c"], ["8", None, "d"]]
    narrow = [[*row, None, None, None] for row in zip(*columns.values(), strict=True)]
    rows: list[list[str | None]] = [*narrow, *[[None] * len(narrow[0])] * 3_000]
    rows += [[*[None] * len(columns), *row] for row in after_head]
    labels, times = [*columns, "Tardio", "Peso", "Letra"], 6
    with open_session() as connection:
        few = write_staged(tmp_path / "few.parquet", rows)
        judged = infer_columns(connection, few, labels, ["a.csv"], delimiter=";")
        many = write_staged(tmp_path / "many.parquet", [row * times for row in rows])
        counting = CountingConnection(connection)
        found = infer_columns(counting, many, labels * times, ["a.csv"], delimiter=";")  # type: ignore[arg-type]
    assert [one.type for one in judged[:6]] == ["integer", "text", "date", "decimal", "text", "text"]
    for number, column in enumerate(found):
        assert column == judged[number % len(judged)]
    assert counting.queries < len(found)


def test_an_object_without_rows_has_columns_of_text(tmp_path: Path) -> None:
    staged = write_staged(tmp_path / "staged.parquet", [])
    with open_session() as connection:
        [column] = infer_columns(connection, staged, ["A"], ["a.csv"])
    assert (column.type, column.nullable) == ("text", False)


def test_sample_rows_are_typed_exactly(tmp_path: Path) -> None:
    rows: Rows = [["7", "1.234,50", "sim", "31/12/2024", "01/11/2018 10:30", " x ", "-"]] * 30
    staged = write_staged(
        tmp_path / "staged.parquet", [*rows, ["8", "1", "não", "1/1/24", "1/1/24", "y", "5"]]
    )
    names = ["i", "d", "b", "t", "z", "x", "n"]
    with open_session() as connection:
        found = infer_columns(connection, staged, names, ["a.csv"], delimiter=";")
        kinds = [(column.type, column.formats) for column in found]
        convert_first_rows(connection, staged, kinds, len(rows) + 1)
        sample = read_sample_rows(connection, names, kinds, ZoneInfo("America/Sao_Paulo"))
    assert len(sample) == 20
    assert sample[0] == {
        "i": 7,
        "d": Decimal("1234.50"),
        "b": True,
        "t": "2024-12-31",
        "z": "2018-11-01T13:30:00Z",
        "x": " x ",
        "n": None,
    }


def test_evidence_says_which_zone_was_used(infer: Infer) -> None:
    here, stated = infer([["31/12/2024 10:30", "2024-12-31T10:30:00Z"]] * 3, timezone="America/Sao_Paulo")
    assert "America/Sao_Paulo" in here.inference.evidence
    assert "America/Sao_Paulo" not in stated.inference.evidence


def test_evidence_explains_times_of_day_units_and_percentages(infer: Infer) -> None:
    clock, units, kilos, percents = infer([["08:30", "10 kg", "10 kg", "5%"], ["10h30", "5 g", "2 kg", "7%"]])
    assert (clock.type, units.type) == ("text", "text")
    assert "horas do dia" in clock.inference.evidence
    assert "unidades ou moedas diferentes (g, kg)" in units.inference.evidence
    assert "todos em kg" in kilos.inference.evidence
    assert "87,5% é 0,875" in percents.inference.evidence


def test_blanks_alone_make_a_text_column_nullable_and_null_tokens_do_not(infer: Infer) -> None:
    blank, token, code = infer([["x", "x", "01310100"], ["  ", "NULL", "\u00a0"], ["y", "-", "04571000"]])
    assert [column.type.value for column in (blank, token, code)] == ["text"] * 3
    assert [column.nullable for column in (blank, token, code)] == [True, False, True]


def test_empty_columns_need_no_query_each(tmp_path: Path) -> None:
    """A query costs DuckDB 20 ms of planning: 600 empty columns took 12 s."""
    width = 300
    staged = write_staged(tmp_path / "staged.parquet", [["1", *[None] * width]] * 3)
    with open_session() as connection:
        counting = CountingConnection(connection)
        judged = infer_columns(counting, staged, ["c"] * (width + 1), ["a.csv"])  # type: ignore[arg-type]
    assert [column.nullable for column in judged] == [False, *[True] * width]
    assert counting.queries < width / 4


class CountingConnection:
    """A connection that counts its queries."""

    query_progress = staticmethod(lambda: -1.0)

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self.queries = 0

    def execute(self, *arguments: Any) -> duckdb.DuckDBPyConnection:
        self.queries += 1
        return self._connection.execute(*arguments)
