"""Single forms of values, each in a table: what it becomes, or None where it is of no such type."""

from collections.abc import Mapping

import pytest
from test_conversion import CONNECTION, convert

from managed_tables.conversion import Formats, build_conversion, explain
from managed_tables.conversion.cells import ERROR_VALUES
from managed_tables.schema import ColumnType

NUMBERS: Mapping[str, str | None] = {
    "R$-5,00": "-5.00",
    "-R$5,00": "-5.00",
    "r$ 5,00": "5.00",
    "R$ -5,00": "-5.00",
    "R$+5,00": "5.00",
    "R$ (5,00)": "-5.00",
    "(R$ 5,00)": "-5.00",
    "5,00-": "-5.00",
    "+5,00": "5.00",
    "R$ -": "0",
    ",5": ".5",
    "5,": None,
    "--5": None,
    "R$": None,
    "5,00 R$": None,
    "01,5": None,
    "1.23,4": None,
}
DAYS: Mapping[str, str | None] = {
    "2024-01-31": "2024-01-31",
    "2024/1/31": "2024-01-31",
    "2024.01.31": None,
    "2024-01/31": None,
    "024-01-31": None,
    "24/01/31": "2031-01-24",  # the day is first
    "24-01-31": None,
    "24.01.31": None,
    "29/02/12": "2012-02-29",
    "29/02/00": "2000-02-29",
    "29/02/96": "1996-02-29",
    "29/02/13": None,
    "29/02/1900": None,
    "29/02/2000": "2000-02-29",
    "31/04/2024": None,
    "30/02/2024": None,
    "00/01/2024": None,
    "01/00/2024": None,
    "01/13/2024": None,
    "01/01/0000": None,
    "1-fev-24": "2024-02-01",
    "15-jan-24": "2024-01-15",
    "15/jan/2024": "2024-01-15",
    "18 de janeiro de 2024": "2024-01-18",
    "jan/24": "2024-01-01",
    "janeiro de 2024": "2024-01-01",
    "2024-01": "2024-01-01",
    "01/2024": "2024-01-01",
    "20240115": "2024-01-15",
    "29-fev-23": None,
    "29 de fevereiro de 2024": "2024-02-29",
    "1º de maio de 2024": "2024-05-01",
    "1o de maio de 2024": "2024-05-01",
    "sept/2024": "2024-09-01",
    "13/2024": None,
    "2024-13": None,
    "01/24": None,
    "00/00/0000": "vazio",
    "  /  /    ": "vazio",
    "__/__/____": "vazio",
    "0000-00-00": "vazio",
    "00/00/0000 00:00:00": "vazio",
    "00000000": "vazio",
    "20240230": None,
    "99990101": None,
}
MOMENTS: Mapping[str, str | None] = {
    "31/01/2024 10:30 GMT": "2024-01-31 10:30 GMT",
    "2024-01-31T10:30Z": "2024-01-31 10:30Z",
    "2024-01-31 10:30:00 UTC": "2024-01-31 10:30:00 UTC",
    "31/01/2024 10:30 BRT": None,
    "31/01/2024 12:30 pm": "2024-01-31 12:30 pm",
    "31/01/2024 13:30 pm": None,
    "31/01/2024 24:00": None,
    "31/01/2024 10:60": None,
    "31/01/2024 10:30-16:00": None,
}
TRUTHS: Mapping[str, str | None] = {
    "sim": "true",
    "0": "false",
    "não": "false",
    "1": "true",
    "NA\u0303O": "false",
    "Verdadeiro": "true",
    "falso": "false",
    "yes": "true",
    "no": "false",
    "T": "true",
    "f": "false",
    "S": "true",
    "n": "false",
    "y": "true",
    "2": None,
    "sim não": None,
}
TABLES = {"decimal": NUMBERS, "date": DAYS, "datetime": MOMENTS, "boolean": TRUTHS}


@pytest.mark.parametrize("column_type", TABLES)
def test_a_form_is_read_so_or_not_at_all(column_type: str) -> None:
    table = TABLES[column_type]
    assert dict(zip(table, convert(list(table), column_type, Formats()), strict=True)) == table


@pytest.mark.parametrize("column_type", list(ColumnType))
def test_blanks_alone_are_empty_in_every_type(column_type: ColumnType) -> None:
    blanks = [" ", "\t", "  \u00a0", "\ufeff", "\r\n", "\v\f", "\u2007\u202f"]
    assert convert(blanks, column_type.value, Formats()) == ["vazio"] * len(blanks)


def test_every_error_value_is_empty_in_every_type() -> None:
    english = ["DIV/0!", "N/A", "REF!", "NAME?", "NULL!", "NUM!", "VALUE!", "SPILL!", "CALC!"]
    names = [*english, "N/D", "NOME?", "NULO!", "NÚM!", "VALOR!", "DESPEJAR!"]
    errors = [f"#{name}" for name in names] + ["#div/0!", " #REF! "]
    assert ERROR_VALUES.count("|") == len(names) - 1
    for column_type in ColumnType:
        assert convert(errors, column_type.value, Formats()) == ["vazio"] * len(errors)
    assert convert(["#1", "#N/A!", "N/A"], "text", Formats()) == ["#1", "#N/A!", "N/A"]


@pytest.mark.parametrize(
    ("unit", "cells"),
    [
        ("%", {"87,5%": "87.5e-2", "-3 %": "-3e-2", "87,5": None, "1e3%": None, "% 5": None}),
        ("kg", {"10 kg": "10", "2,5KG": "2.5", "10": None, "10 g": None, "1.000 kg": "1000"}),
        ("US$", {"US$ 1.234,50": "1234.50", "-US$5": "-5", "R$ 5": None, "5 US$": None}),
    ],
)
def test_a_column_of_a_unit_takes_what_carries_it(unit: str, cells: Mapping[str, str | None]) -> None:
    found = convert(list(cells), "decimal", Formats(unit=unit))
    assert dict(zip(cells, found, strict=True)) == cells


def test_a_workbooks_own_percentages_stand_beside_written_ones() -> None:
    formats = Formats(unit="%", workbook=True)
    assert convert(["0.875", "12,5%", "12,5"], "decimal", formats) == ["0.875", "12.5e-2", None]


@pytest.mark.parametrize(
    ("text", "column_type", "reason"),
    [
        ("1,5", "integer", "não é um número inteiro: tem casas decimais, moeda, parênteses ou expoente"),
        ("007", "decimal", "começa com zero: é um código, e o zero se perderia em um número"),
        ("-Infinity", "decimal", "não é um número: NaN e infinito não são aceitos"),
        ("5%", "decimal", "não é um número: é uma porcentagem"),
        ("1,2,3", "decimal", "não é um número com a vírgula como separador decimal"),
        ("abc", "decimal", "não é um número"),
        (
            "9223372036854775808",
            "integer",
            "é grande demais para um inteiro: use o tipo decimal",
        ),
        ("31/02/2024", "date", "não é um dia que exista, na ordem dia/mês/ano"),
        ("01/02/2024 10:30", "date", "tem hora, e a coluna é só de datas"),
        ("01/02/2024 25:30", "datetime", "a hora não existe ou não está no formato hh:mm:ss"),
        ("ontem", "date", "não é uma data"),
        ("talvez", "boolean", "não é sim/não nem verdadeiro/falso"),
        ("a\0b", "text", "contém o caractere NUL, que o banco não guarda"),
    ],
)
def test_a_refusal_says_what_is_wrong(text: str, column_type: str, reason: str) -> None:
    assert explain(text, ColumnType(column_type), Formats()).reason == reason


SUGGESTED = {
    "boolean": {"sim": True, "n": True, "0": False, "1": False},
    "date": {"31/01/2024": True, "2024-01-31": True, "jan/24": False, "20240131": False},
    "datetime": {"31/01/2024 10:30": True, "jan/24": False},
    "integer": {"1.234": True, "1 234": False, "1\u00a0234": True},
}


@pytest.mark.parametrize("column_type", SUGGESTED)
def test_only_some_forms_that_convert_suggest_their_type(column_type: str) -> None:
    table = SUGGESTED[column_type]
    suggests = build_conversion("cell", ColumnType(column_type), Formats()).suggests
    query = f"SELECT {suggests} FROM (SELECT unnest($1::VARCHAR[]) AS cell)"  # noqa: S608
    found = [value for (value,) in CONNECTION.execute(query, [list(table)]).fetchall()]
    assert dict(zip(table, found, strict=True)) == table
    assert None not in convert(list(table), column_type, Formats())
