"""Tables of ways to write a value, and what each converts to (None: it does not)."""

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from test_conversion import CONNECTION, convert
from written_values import EMPTY, Written, every_group

from managed_tables.conversion import marked_cells, numbers, times
from managed_tables.conversion.columns import ERROR_VALUES, Formats, build_conversion, explain
from managed_tables.conversion.patterns import patterns
from managed_tables.conversion.sql_text import choose, identifier, literal, matches, trimmed
from managed_tables.details import DetailCode
from managed_tables.schema import ColumnType
from managed_tables_analyze.inference.profiles import format_instant

_CODES = {
    "text": "INVALID_CHARACTER",
    "integer": "NOT_AN_INTEGER",
    "é grande demais para um inteiro: use o tipo decimal": "OUT_OF_RANGE",
}


def answered(value: str | None, column_type: ColumnType, zone: str) -> str | None:
    """Return DuckDB's text of a value as the API answers it."""
    if value is None or value == EMPTY:
        return value
    if column_type.is_number:
        return f"{Decimal(value):f}" if column_type is ColumnType.DECIMAL else str(int(value))
    return format_instant(value, ZoneInfo(zone)) if column_type is ColumnType.DATETIME else value


def test_the_consoles_patterns_are_those_of_the_conversion() -> None:
    """Where this fails: `make openapi`."""
    committed = Path(__file__).parents[3] / "console" / "src" / "values" / "patterns.json"
    assert json.loads(committed.read_text("utf-8")) == patterns()


@every_group
def test_a_text_converts_as_the_table_of_written_values_says(written: Written) -> None:
    found = convert(list(written.cells), written.type, written.formats)
    values = [answered(value, written.type, written.formats.timezone) for value in found]
    assert dict(zip(written.cells, values, strict=True)) == written.cells


MONTHS = (
    ("jan", "janeiro", "january"), ("fev", "fevereiro", "feb", "february"),
    ("mar", "março", "marco", "march"), ("abr", "abril", "apr", "april"), ("mai", "maio", "may"),
    ("jun", "junho", "june"), ("jul", "julho", "july"), ("ago", "agosto", "aug", "august"),
    ("set", "setembro", "sep", "sept", "september"), ("out", "outubro", "oct", "october"),
    ("nov", "novembro", "november"), ("dez", "dezembro", "dec", "december"),
)  # fmt: skip


def test_month_names_are_read_in_portuguese_and_english() -> None:
    days = {f"5 de {name} de 2024": month for month, names in enumerate(MONTHS, 1) for name in names}
    assert convert(list(days), "date", Formats()) == [f"2024-{month:02d}-05" for month in days.values()]
    capitals = [day.upper().replace(" DE ", " de ") for day in days]
    assert convert(capitals, "date", Formats()) == convert(list(days), "date", Formats())
    longer = [f"5 de {name}x de 2024" for names in MONTHS for name in names]
    assert convert(longer, "date", Formats()) == [None] * len(longer)


def test_a_named_month_has_only_its_own_days() -> None:
    lengths = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    days = {
        f"{day}/{month:02d}/2024": day <= length
        for month, length in enumerate(lengths, 1)
        for day in (29, 30, 31)
    }
    named = [f"{text[:2]}-{MONTHS[int(text[3:5]) - 1][0]}-24" for text in days]
    for texts in (list(days), named):
        assert [value is not None for value in convert(texts, "date", Formats())] == list(days.values())


@pytest.mark.parametrize("blank", [*" \t\n\v\f\r", "\u00a0", "\u2007", "\u202f", "\ufeff"])
def test_blanks_around_a_value_are_ignored(blank: str) -> None:
    values = {"integer": "12", "decimal": "1,5", "boolean": "true", "date": "2024-01-31"}
    written = {"integer": "12", "decimal": "1,5", "boolean": "sim", "date": "31/01/2024"}
    for column_type, value in values.items():
        found = convert([f"{blank}{written[column_type]}{blank}"], column_type, Formats())
        assert found == [value.replace(",", ".")]


def matching(pattern: str, texts: list[str]) -> list[str]:
    query = f"SELECT cell FROM (SELECT unnest($1::VARCHAR[]) AS cell) WHERE {matches('cell', pattern)}"  # noqa: S608
    return [text for (text,) in CONNECTION.execute(query, [texts]).fetchall()]


def test_times_of_day_are_recognised() -> None:
    matched = [
        "10:30",
        "24:00",
        "9:05",
        "10:30:05",
        "10:30:05.5",
        "10:30:05,25",
        "10h",
        "10H30",
        "10h30min",
        " 10:30 ",
    ]
    other = ["25:00", "10h60", "10", "10:60", "10:30:60", "10:3", "31/01/2024 10:30"]
    assert matching(times.TIME_OF_DAY, matched + other) == matched


def test_two_digit_years_are_recognised() -> None:
    matched = [
        "31/12/24",
        "jan/24",
        "15-jan-24",
        "15 jan 24 10:30",
        "1-fev-24T10:30",
        "12/24",
        " 1/1/24 ",
        "jan./24",
    ]
    other = ["31/12/2024", "2024-12-31", "15 jan 2024", "jan/2024"]
    assert matching(times.SHORT_YEAR_DATE, matched + other) == matched


def test_times_without_a_zone_are_recognised() -> None:
    matched = ["31/01/2024 10:30", "31/01/2024 10:30 pm", "31/01/2024 10:30:00,5 "]
    other = ["31/01/2024 10:30Z", "31/01/2024", "31/01/2024 10:30 -03", "31/01/2024 10:30 GMT"]
    assert matching(times.TIME_WITHOUT_ZONE, matched + other) == matched


UNITS = (
    "%", "‰", "kg", "g", "mg", "t", "ton", "l", "ml", "m", "cm", "mm", "km", "m²", "m³", "km²", "ha", "hs",
    "hrs", "min", "s", "un", "und", "unid", "pç", "pc", "pcs", "cx", "°C", "ºC", "kW", "kWh", "W", "KB",
    "MB", "GB", "TB", "kcal", "dias", "anos", "meses",
)  # fmt: skip
CURRENCIES = ("R$", "US$", "$", "€", "£", "USD", "EUR", "BRL")


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_follows_its_number(unit: str) -> None:
    found = [numbers.find_unit(text) for text in (f"10 {unit}", f"-1.234,5{unit}", f"\u00a0+1\u00a0{unit} ")]
    assert found == [unit] * 3
    assert numbers.is_known_unit(unit)
    assert numbers.is_known_unit(unit.upper())
    assert not numbers.is_currency(unit)


@pytest.mark.parametrize("unit", CURRENCIES)
def test_a_currency_stands_beside_its_number(unit: str) -> None:
    found = [numbers.find_unit(text) for text in (f"{unit} 10", f"-{unit}1.234,5", f"1 {unit}")]
    assert found == [unit] * 3
    assert numbers.is_known_unit(unit)
    assert numbers.is_currency(unit)


@pytest.mark.parametrize(
    "text", ["5", "R$ 5 kg", "5 quilos", "5 quilogramas", "abcd5", "1.5e3", "5 m2", "kg", "5 kg 6", "R$ 5 R$"]
)
def test_other_text_beside_a_number_is_not_a_unit(text: str) -> None:
    assert numbers.find_unit(text) is None or not numbers.is_known_unit(numbers.find_unit(text) or "")


def test_numbers_with_a_unit_are_recognised() -> None:
    matched = ["10 kg", "R$ 5", "-R$ 5", "- R$5", "R$-5", "(5 %)", "- 3 g", "5 km/h", " 1 kg ", "\t+1.000,0g"]
    plain = ["5", "-5", " 1.234,5 "]
    other = ["5 metros", "5 m2", "abcd 5", "1e5", "kg", "5 5"]
    assert matching(numbers.NUMBER_WITH_UNIT, matched + plain + other) == matched
    assert matching(numbers.NUMBER_PERHAPS_WITH_UNIT, matched + plain + other) == matched + plain


@pytest.mark.parametrize("column_type", list(ColumnType))
def test_missing_cells_and_blanks_alone_are_empty_in_every_type(column_type: ColumnType) -> None:
    blanks = [None, "", " ", "  ", "\t", "\u00a0", " \u00a0", "  \u00a0", "\ufeff", " \u202f\ufeff"]
    blanks += ["\r\n", "\v\f", "\v\f\r\n ", "\u2007\u202f"]
    assert convert(blanks, column_type.value, Formats()) == ["empty"] * len(blanks)


def test_every_error_value_is_empty_in_every_type() -> None:
    english = ["DIV/0!", "N/A", "REF!", "NAME?", "NULL!", "NUM!", "VALUE!", "SPILL!", "CALC!"]
    names = [*english, "N/D", "NOME?", "NULO!", "NÚM!", "VALOR!", "DESPEJAR!"]
    errors = [f"#{name}" for name in names] + ["#div/0!", " #REF! "]
    assert ERROR_VALUES.count("|") == len(names) - 1
    for column_type in ColumnType:
        assert convert(errors, column_type.value, Formats()) == ["empty"] * len(errors)
    assert convert(["#1", "#N/A!", "N/A"], "text", Formats()) == ["#1", "#N/A!", "N/A"]


@pytest.mark.parametrize(
    ("unit", "cells"),
    [
        ("%", {"87,5%": "87.5e-2", "-3 %": "-3e-2", "87,5": None, "1e3%": None, "% 5": None}),
        ("kg", {"10 kg": "10", "2,5KG": "2.5", "10": None, "10 g": None, "1.000 kg": "1000"}),
        ("US$", {"US$ 1.234,50": "1234.50", "-US$5": "-5", "R$ 5": None, "5 US$": "5"}),
    ],
)
def test_a_column_with_a_unit_converts_only_cells_with_that_unit(
    unit: str, cells: Mapping[str, str | None]
) -> None:
    found = convert(list(cells), "decimal", Formats(unit=unit))
    assert dict(zip(cells, found, strict=True)) == cells


def test_numeric_and_written_percentages_convert_in_one_column() -> None:
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
        ("9" * 1_000, "integer", "é grande demais para um inteiro: use o tipo decimal"),
        ("9223372036854775808", "integer", "é grande demais para um inteiro: use o tipo decimal"),
        ("31/02/2024", "date", "não é um dia que exista, na ordem dia/mês/ano"),
        ("01/02/2024 10:30", "date", "tem hora, e a coluna é só de datas"),
        ("01/02/2024 24:00", "datetime", "a hora não existe ou não está no formato hh:mm:ss"),
        ("ontem", "date", "não é uma data"),
        ("talvez", "boolean", "não é sim/não nem verdadeiro/falso"),
        ("a\0b", "text", "contém o caractere NUL, que o banco não guarda"),
        ("R$ 01,00", "decimal", "começa com zero: é um código, e o zero se perderia em um número"),
        ("(-01)", "decimal", "começa com zero: é um código, e o zero se perderia em um número"),
        ("r$ +007", "integer", "começa com zero: é um código, e o zero se perderia em um número"),
        ("nan", "integer", "não é um número inteiro: NaN e infinito não são aceitos"),
        ("+INF", "decimal", "não é um número: NaN e infinito não são aceitos"),
        (
            "1.234,5,6",
            "integer",
            "não é um número inteiro: tem casas decimais, moeda, parênteses ou expoente",
        ),
        ("1,234", "integer", "não é um número inteiro com a vírgula como separador decimal"),
        ("(5)", "integer", "não é um número inteiro: tem casas decimais, moeda, parênteses ou expoente"),
        ("r$ 5", "integer", "não é um número inteiro: tem casas decimais, moeda, parênteses ou expoente"),
        ("1e5", "integer", "não é um número inteiro: tem casas decimais, moeda, parênteses ou expoente"),
        ("(R$ 5,5,5)", "decimal", "não é um número com a vírgula como separador decimal"),
        ("-9223372036854775809", "integer", "é grande demais para um inteiro: use o tipo decimal"),
        ("31/02/2024 10:30", "datetime", "não é um dia que exista, na ordem dia/mês/ano"),
        ("2024-02-30", "date", "não é um dia que exista, na ordem dia/mês/ano"),
        ("2024-01-31x", "datetime", "não é uma data com hora"),
        ("31/01-2024", "date", "não é uma data"),
        ("ontem", "datetime", "não é uma data com hora"),
        ("01/02/2024 10:30:00.1234567", "datetime", "a fração de segundo tem mais de 6 casas"),
        ("01/02/2024 10:30:00,1234567", "datetime", "a fração de segundo tem mais de 6 casas"),
    ],
)
def test_a_refusal_says_what_is_wrong(text: str, column_type: str, reason: str) -> None:
    code = _CODES.get(reason) or _CODES.get(column_type) or f"NOT_A_{column_type.upper()}"
    assert convert([text], column_type, Formats()) == [None]
    assert explain(text, ColumnType(column_type), Formats()) == (code, reason)


@pytest.mark.parametrize(
    ("text", "column_type", "formats", "reason"),
    [
        ("1.2.3", "decimal", {"decimal_mark": "."}, "não é um número com o ponto como separador decimal"),
        ("31/12/2024", "date", {"date_order": "mdy"}, "não é um dia que exista, na ordem mês/dia/ano"),
        ("12/31/2024", "date", {"date_order": "dmy"}, "não é um dia que exista, na ordem dia/mês/ano"),
        ("2024-13-01", "date", {"date_order": "ymd"}, "não é um dia que exista, na ordem ano-mês-dia"),
        ("2024-13-01", "date", {"date_order": "mdy"}, "não é um dia que exista, na ordem mês/dia/ano"),
    ],
)
def test_a_refusal_names_the_columns_format(
    text: str, column_type: str, formats: dict[str, Any], reason: str
) -> None:
    assert explain(text, ColumnType(column_type), Formats(**formats)).reason == reason


@pytest.mark.parametrize(
    ("column_type", "code"),
    [
        (ColumnType.INTEGER, "NOT_AN_INTEGER"),
        (ColumnType.DECIMAL, "NOT_A_DECIMAL"),
        (ColumnType.BOOLEAN, "NOT_A_BOOLEAN"),
        (ColumnType.DATE, "NOT_A_DATE"),
        (ColumnType.DATETIME, "NOT_A_DATETIME"),
        (ColumnType.TEXT, "INVALID_CHARACTER"),
    ],
)
def test_a_refusal_has_the_code_of_its_type(column_type: ColumnType, code: DetailCode) -> None:
    assert explain("a\0b", column_type, Formats()).code == code


SUGGESTED = [
    ("boolean", {}, {"sim": True, "n": True, "0": False, "1": False}),
    ("date", {}, {"31/01/2024": True, "2024-01-31": True, "jan/24": False, "20240131": False}),
    ("datetime", {}, {"31/01/2024 10:30": True, "jan/24": False}),
    ("integer", {}, {"1.234": True, "1 234": False, "1\u00a0234": True}),
    ("decimal", {}, {"1.234,5": True, "1 234": False, "1 234,5": True, "R$ 5": True}),
    ("decimal", {"unit": "kg"}, {"10 kg": True, "1 234 kg": False}),
    ("decimal", {"unit": "%", "workbook": True}, {"0.5": True, "50%": True}),
    ("decimal", {"workbook": True}, {"1.5": True, "-0.25E-3": True, "1.500": True, "1,5": True}),
    ("integer", {"workbook": True}, {"15": True}),
]


@pytest.mark.parametrize(("column_type", "formats", "table"), SUGGESTED)
def test_only_some_forms_that_convert_suggest_their_type(
    column_type: str, formats: dict[str, Any], table: Mapping[str, bool]
) -> None:
    suggests = build_conversion("cell", ColumnType(column_type), Formats(**formats)).suggests
    query = f"SELECT ({suggests}) FROM (SELECT unnest($1::VARCHAR[]) AS cell)"  # noqa: S608
    found = [value for (value,) in CONNECTION.execute(query, [list(table)]).fetchall()]
    assert dict(zip(table, found, strict=True)) == table
    assert None not in convert(list(table), column_type, Formats(**formats))


def marked(text: str) -> str:
    return marked_cells.mark_text(text)


@pytest.mark.parametrize(
    ("column_type", "formats", "table"),
    [
        # A workbook's numbers are exact; its texts follow the column's mark, as in a text file.
        (
            "decimal",
            {},
            {"1.5": "1.5", "1500": "1500", "-0.25": "-0.25", "1E-7": "1E-7", "1.5E+20": "1.5E+20",
             "1.500": "1.500", marked("1.500"): "1500", "1.500,5": "1500.5", "0.5x": None, "01.5": None,
             "1.5E12345": None},
        ),
        # Of no more digits than are kept, as everywhere, written out.
        (
            "decimal",
            {},
            {"9" * 1_000: "9" * 1_000, "9" * 1_001: None, "0." + "9" * 1_001: None,
             "1E+999": None, "1E-990": "1E-990"},
        ),
        ("integer", {}, {"15": "15", "1.5": None, "1.500": None, "1.5E+20": None, marked("1.500"): "1500",
                         marked("-1.500.000"): "-1500000", "-0.5": None}),
        ("decimal", {"decimal_mark": "."}, {marked("1.500"): "1.500", "1,500": "1500"}),
        ("text", {}, {marked("1.500"): "1.500", "1.5": "1.5", "x": "x"}),
        ("decimal", {"unit": "kg"}, {"10 kg": "10", "10": None}),
        ("decimal", {"unit": "$"}, {"$ 10": "10", "10": None}),
    ],
)  # fmt: skip
def test_a_workbooks_numbers_are_exact_and_its_texts_follow_the_mark(
    column_type: str, formats: dict[str, Any], table: Mapping[str, str | None]
) -> None:
    found = convert(list(table), column_type, Formats(workbook=True, **formats))
    assert dict(zip(table, found, strict=True)) == table


@pytest.mark.parametrize("text", ["1.500", "-1.500", "12.345.678", "999.999"])
def test_a_text_that_looks_like_grouped_digits_is_marked_and_shown_unmarked(text: str) -> None:
    assert marked(text) == text + marked_cells.TEXT_SIGN
    assert marked_cells.unmark_text(marked(text)) == text
    cell = f"(SELECT {marked_cells.mark_texts('$1')})"
    found = CONNECTION.execute(f"SELECT {cell}, {marked_cells.unmarked(cell)}", [text]).fetchone()
    assert found == (marked(text), text)


@pytest.mark.parametrize("text", ["1500", "1.50", "0.500", "1.5000", "1234.567", "+1.500", "1,500", "x"])
def test_other_texts_are_not_marked(text: str) -> None:
    assert marked(text) == text
    assert marked_cells.unmark_text(text + marked_cells.TEXT_SIGN) == text + marked_cells.TEXT_SIGN
    assert CONNECTION.execute(f"SELECT {marked_cells.mark_texts('$1')}", [text]).fetchone() == (text,)


@pytest.mark.parametrize("token", ["-", "null", "NULL", "n/a", "N/A"])
def test_null_tokens_are_empty_only_if_the_column_says_so(token: str) -> None:
    for column_type in ("integer", "decimal", "boolean", "date", "datetime"):
        texts = [token, f" {token}\u00a0"]
        assert convert(texts, column_type, Formats(null_tokens=True)) == ["empty"] * 2
        assert convert(texts, column_type, Formats()) == [None] * 2
    assert convert([token], "text", Formats(null_tokens=True)) == [token]
    assert convert([token, "abc"], "text", Formats(text_tokens=True)) == ["empty", "abc"]


def test_words_like_null_tokens_stay_text_and_error_values_are_empty() -> None:
    assert convert(["nulo", "n/", "--", "na"], "text", Formats(text_tokens=True)) == [
        "nulo",
        "n/",
        "--",
        "na",
    ]
    assert convert(["#N/D", " #n/a "], "integer", Formats(null_tokens=True)) == ["empty"] * 2


def test_texts_keep_any_first_character() -> None:
    texts = ["'", "!", "#", "#REF", "0", "~", "é", "\u00a0x", "日本", "-", "/"]
    assert convert(texts, "text", Formats()) == texts


@pytest.mark.parametrize("text", ["a", "it's", "''", 'say "x"', "a\\b", ""])
def test_texts_and_names_are_quoted(text: str) -> None:
    name = identifier(text or "x")
    found = CONNECTION.execute(f"SELECT {name}, {literal(text)} FROM (SELECT 1 AS {name})")  # noqa: S608
    assert found.description[0][0] == (text or "x")
    assert found.fetchall() == [(1, text)]


def test_the_first_matching_branch_is_chosen() -> None:
    case = choose(("$1 > 2", "'large'"), ("$1 > 1", "'middle'"), otherwise="'small'")
    assert [CONNECTION.execute(f"SELECT {case}", [n]).fetchone() for n in (3, 2, 1)] == [
        ("large",),
        ("middle",),
        ("small",),
    ]
    assert CONNECTION.execute(f"SELECT {trimmed('$1')}", ["\u00a0 a b\t"]).fetchone() == ("a b",)
