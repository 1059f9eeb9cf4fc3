"""What a person is told about a column: how and why ambiguities were resolved, and which cells do not fit."""

from collections.abc import Callable

import pytest
from staged_objects import Rows, column_of

from managed_tables.documents.recipes import FormerColumn, RecipeColumn
from managed_tables.messages.findings import Finding
from managed_tables_analyze.inference.explanation import JudgedColumn

Infer = Callable[..., list[JudgedColumn]]


def warning_texts(column: JudgedColumn) -> str:
    return " | ".join(warning.text for warning in column.inference.warnings)


@pytest.mark.parametrize(
    ("cells", "delimiter", "mark", "decision"),
    [
        (["1.234", "5.678"], ";", ",", 'pode ser 1234 ou 1,234. Como o arquivo usa ponto e vírgula entre'),
        (["1.234", "5.678"], ",", ".", 'pode ser 1,234 ou 1234. Como o arquivo usa vírgula entre as colunas'),
        (["1.234", "5.678"], "\t", ".", "Como o arquivo usa tabulação entre as colunas, lemos 1,234"),
        (["1.234", "5.678"], "|", ".", "Como o arquivo usa barras entre as colunas, lemos 1,234"),
        (["1.234", "5.678"], None, ",", "Como é o costume no Brasil, lemos 1234"),
        (["-1,500", "2,000"], ";", ",", '"-1,500" pode ser -1,5 ou -1500'),
        (["R$ 1.234", "R$ 5.678"], ",", ",", "Como são valores em reais, lemos 1234"),
        (["R$ 1.234", "5.678"], ",", ",", "Como são valores em reais, lemos 1234"),
        (["€ 1.234", "€ 5.678"], ",", ",", "lemos 1234"),
        (["BRL 1.234", "BRL 5.678"], ",", ",", "lemos 1234"),
        (["EUR 1.234", "EUR 5.678"], ",", ",", "lemos 1234"),
        (["$ 1.234", "$ 5.678"], ";", ".", "lemos 1,234"),
        (["1.234", "5678", "2"], ";", ".", "Como outras linhas têm milhares sem separador, lemos 1,234"),
        (["1.234", "567", "2"], ";", ",", "lemos 1234"),
        (["1.234.567", "1.234"], ",", ",", ""),
        (["1.234", "1,5"], ",", ",", ""),
        (["1", "2"], ",", ".", ""),
        (["1", "2"], ";", ",", ""),
    ],
)  # fmt: skip
def test_an_ambiguous_decimal_mark_is_resolved_and_explained(
    infer: Infer, cells: list[str], delimiter: str | None, mark: str, decision: str
) -> None:
    [column] = infer(column_of(*cells), delimiter=delimiter)
    assert column.formats.decimal_mark == mark
    assert decision in warning_texts(column)
    assert bool(warning_texts(column)) is bool(decision)


def test_the_majority_of_columns_decides_an_ambiguous_mark(infer: Infer) -> None:
    for others, mark in ((["1.5", "2.5", "3,5"], "."), (["1,5", "2,5", "3.5"], ","), (["1.5", "2,5"], ",")):
        rows = [["1.234", *others], ["5.678", *others]]
        doubtful = infer(rows, delimiter=";")[0]
        assert doubtful.formats.decimal_mark == mark
        by_others = "Como outras colunas do arquivo usam" in warning_texts(doubtful)
        assert by_others is (len(others) == 3)


@pytest.mark.parametrize(
    ("first", "second", "orders", "is_proven"),
    [
        ("01/02/2024", "13/02/2024", "dmy dmy", True),
        ("01/02/2024", "02/13/2024", "mdy mdy", True),
        ("01/02/2024", "03/04/2024", "dmy dmy", False),  # the labels are Portuguese
        ("01/02/2024", "2024-02-13", "dmy ymd", False),
        ("01/02/2024 10:30", "02/13/2024", "mdy mdy", True),
    ],
)
def test_another_column_may_prove_the_date_order(
    infer: Infer, first: str, second: str, orders: str, is_proven: bool
) -> None:
    doubtful, proof = infer([[first, second]] * 3, names=["dia", "prova"])
    assert f"{doubtful.formats.date_order} {proof.formats.date_order}" == orders
    assert ('Como a coluna "prova" só pode estar na ordem' in warning_texts(doubtful)) is is_proven
    assert warning_texts(proof) == ""
    assert doubtful.inference.confidence == (0.5 if is_proven else 1.0)


def test_contradicting_columns_prove_no_date_order(infer: Infer) -> None:
    doubtful, day_first, month_first = infer([["01/02/2024", "13/02/2024", "02/13/2024"]] * 3)
    assert [one.formats.date_order for one in (doubtful, day_first, month_first)] == ["dmy", "dmy", "mdy"]
    assert "Como o arquivo dá sinais das duas ordens, lemos 1 de fevereiro" in warning_texts(doubtful)
    assert [one.order_shown_by for one in (doubtful, day_first, month_first)] == [[], ["cells"], ["cells"]]


_OPEN = ["03/02/2026", "04/02/2026", "03/05/2026"]
_NEUTRAL, _PORTUGUESE, _ENGLISH = ["x", "y"], ["Data", "Valor"], ["Order date", "Amount"]
_WORKING = [*(f"{day:02d}" for day in range(2, 7)), *(f"{day:02d}" for day in range(9, 13))]  # March 2026


@pytest.mark.parametrize(
    ("days", "number", "labels", "order", "shown_by", "evidence"),
    [
        (_OPEN, "1", _NEUTRAL, "dmy", [], ""),
        (_OPEN, "1100.50", _NEUTRAL, "dmy", [], ""),  # a bare point is what programs write
        (_OPEN, "1.100,50", _NEUTRAL, "dmy", ["marks"], 'vírgula decimal (como na coluna "y")'),
        (_OPEN, "1,100.50", _NEUTRAL, "mdy", ["marks"], 'ponto decimal (como na coluna "y")'),
        (_OPEN, "1", _PORTUGUESE, "dmy", ["labels"], 'língua dos rótulos (como "Data")'),
        (_OPEN, "1", _ENGLISH, "mdy", ["labels"], 'língua dos rótulos (como "Order date")'),
        (_OPEN, "1", ["Date", "y"], "dmy", [], ""),  # of a language that others borrow from
        (_OPEN, "1", ["x", "Observações"], "dmy", ["labels"], 'língua dos rótulos (como "Observações")'),
        (_OPEN, "1,100.50", _ENGLISH, "mdy", ["marks", "labels"], "língua dos rótulos"),
        (_OPEN, "1,100.50", _PORTUGUESE, "dmy", [], ""),
        (_OPEN, "1.100,50", _ENGLISH, "dmy", [], ""),
        ([f"03/{day}/2026" for day in _WORKING], "1", _NEUTRAL, "mdy", ["running_days"], "um ao outro"),
        ([f"{day}/03/2026" for day in _WORKING], "1", _NEUTRAL, "dmy", ["running_days"], "um ao outro"),
        ([f"03/{day}/2026" for day in _WORKING], "1", _PORTUGUESE, "mdy", ["running_days"], "um ao outro"),
        ([f"03/{day}/2026" for day in _WORKING if day != "05"], "1", _NEUTRAL, "dmy", [], ""),
        ([f"{day:02d}/02/2026" for day in range(1, 13)], "1", _NEUTRAL, "dmy", ["running_days"], "os dias"),
        ([f"02/{day:02d}/2026" for day in range(1, 13)], "1", _NEUTRAL, "dmy", [], ""),
        ([f"02/{day:02d}/2026" for day in range(1, 13)], "1", _PORTUGUESE, "dmy", [], ""),
        ([f"02/{day:02d}/2026" for day in range(1, 5)], "1", _PORTUGUESE, "dmy", ["labels"], "rótulos"),
        # The first of each month, as a series of months has them.
        ([f"01/{day:02d}/2026" for day in range(1, 13)], "1", _PORTUGUESE, "dmy", ["labels"], "rótulos"),
        ([f"01/{day:02d}/2026" for day in range(1, 13)], "1", _NEUTRAL, "dmy", [], ""),
        ([f"{day:02d}/01/2026" for day in range(1, 13)], "1", _NEUTRAL, "dmy", [], ""),
        (["03/03/2026", "05/05/2026 "], "1", _NEUTRAL, "dmy", ["cells"], ""),  # one day in both orders
    ],
)  # fmt: skip
def test_an_order_of_dates_is_taken_where_the_file_shows_it_else_reported(
    infer: Infer,
    days: list[str],
    number: str,
    labels: list[str],
    order: str,
    shown_by: list[str],
    evidence: str,
) -> None:
    days_found, _ = infer([[day, number] for day in days] * 2, labels=labels)
    assert (days_found.formats.date_order, days_found.order_shown_by) == (order, shown_by)
    assert evidence in days_found.inference.evidence
    assert [one.code for one in days_found.warnings] == ([] if shown_by else ["AMBIGUOUS_DATES"])
    assert days_found.inference.confidence == (1.0 if shown_by else 0.5)


@pytest.mark.parametrize(
    ("days", "labels", "before", "order", "shown_by", "reason"),
    [
        (_OPEN, _NEUTRAL, "mdy", "mdy", [], "mostra a ordem e antes era mês/dia/ano, lemos"),
        (_OPEN, _NEUTRAL, "dmy", "dmy", [], "Como nada no arquivo mostra a ordem e antes era dia/mês/ano"),
        (_OPEN, _PORTUGUESE, "dmy", "dmy", ["labels"], None),
        (_OPEN, _PORTUGUESE, "mdy", "mdy", [], "Como o arquivo dá sinais das duas ordens, lemos"),
        ([f"{day:02d}/02/2026" for day in range(1, 13)], _NEUTRAL, "dmy", "dmy", ["running_days"], None),
        ([f"{day:02d}/02/2026" for day in range(1, 13)], _NEUTRAL, "mdy", "mdy", [], "das duas ordens"),
        ([f"02/{day:02d}/2026" for day in range(1, 13)], _NEUTRAL, "mdy", "mdy", ["running_days"], None),
        ([f"02/{day:02d}/2026" for day in range(1, 13)], _PORTUGUESE, "dmy", "dmy", [], "das duas ordens"),
        ([f"03/{day}/2026" for day in _WORKING], _NEUTRAL, "dmy", "mdy", ["running_days"], "Como os dias só"),
        ([f"03/{day}/2026" for day in _WORKING], _NEUTRAL, "mdy", "mdy", ["running_days"], None),
        (["02/01/2026"] * 3, ["x", "13/02/2026"], "dmy", "dmy", ["columns"], None),
        (["02/01/2026"] * 3, ["x", "13/02/2026"], "mdy", "dmy", ["columns"], "só pode estar na ordem"),
    ],
)  # fmt: skip
def test_the_order_of_such_files_before_shows_nothing(
    infer: Infer,
    days: list[str],
    labels: list[str],
    before: str,
    order: str,
    shown_by: list[str],
    reason: str,
) -> None:
    """It is taken where the file leaves it open or contradicts itself, and that is reported."""
    kept = RecipeColumn(source="x", name="x", date_order=before)
    other = labels[1] if "/" in labels[1] else "1"
    found, _ = infer(
        [[day, other] for day in days], labels=labels, former_columns=[FormerColumn("x", kept=kept), None]
    )
    assert (found.formats.date_order, found.order_shown_by) == (order, shown_by)
    assert (reason or "") in warning_texts(found)
    assert bool(warning_texts(found)) is bool(reason)


@pytest.mark.parametrize(
    ("cells", "evidence"),
    [
        (["1", "2"], "2 de 2 são números inteiros"),
        (["-", "2"], "1 de 1 é número inteiro"),
        (["1,5", "2"], "2 de 2 são números decimais, com vírgula decimal"),
        (["12,5%", "3%"], "2 de 2 são números decimais, com vírgula decimal, porcentagens: 87,5% é 0,875"),
        (["US$ 1.5", "US$ 2"], "2 de 2 são números decimais, com ponto decimal, todos em US$"),
        (["31/12/2024", "1/1/2024"], "2 de 2 são datas, na ordem dia/mês/ano"),
        (["2024-12-31"], "1 de 1 é data, na ordem ano-mês-dia"),
        (["12/31/2024", "1/1/2024"], "2 de 2 são datas, na ordem mês/dia/ano"),
        (["10 kg", "10 g"], "os números têm unidades ou moedas diferentes (g, kg): ficam como texto"),
        (["10 kg", "10"], "só alguns números têm unidade ou moeda (kg): ficam como texto"),
        (["10 xx", "5 xx"], "os números vêm com xx, que não é uma unidade conhecida: ficam como texto"),
        (["10:30", "10h"], "são horas do dia, para as quais não há um tipo: ficam como texto"),
        (["10:30", "x"], "são textos"),
        ([None, "-"], "a coluna não tem valores"),
        (
            ["F", "F"],
            "só uma letra do par (s/n, t/f, y/n) aparece: pode ser um sexo, um tamanho ou uma sigla",
        ),
        (
            ["2E5", "1E2"],
            "2 de 2 são números decimais, mas a letra E no meio (como 1E2) mostra que são códigos",
        ),
        (
            ["(1)", "(2)"],
            "2 de 2 são números decimais, mas os parênteses (como (1)) não parecem um sinal de menos",
        ),
        (["007", "12"], "há zeros à esquerda (como 007), que um número perderia: ficam como texto"),
        (["1", "2", "x"], "2 de 3 são números inteiros"),
        (["x", "1", "y"], "são textos"),
        (["s", "n", "m"], "são textos"),  # letters look like booleans by chance
    ],
)
def test_evidence_says_what_was_seen(infer: Infer, cells: list[str | None], evidence: str) -> None:
    [column] = infer(column_of(*cells))
    assert column.inference.evidence.startswith(evidence)


def test_null_tokens_and_zones_are_appended_to_the_evidence(infer: Infer) -> None:
    [numbers] = infer(column_of("1", "-", "n/a"))
    [moments] = infer(column_of("31/12/2024 10:30"), timezone="America/Bahia")
    assert numbers.inference.evidence.startswith("1 de 1 é número inteiro; ")
    assert "2" in numbers.inference.evidence.partition("; ")[2]
    assert moments.inference.evidence.endswith("; horários sem fuso foram lidos no de America/Bahia")


def test_the_first_cells_that_do_not_fit_are_shown(infer: Infer) -> None:
    cells = ["1"] * 20 + [f"x{number}" for number in range(7)] + ["y" * 300]
    [column] = infer(column_of(*cells))
    exceptions = column.inference.exceptions
    assert [(one.line, one.value) for one in exceptions] == [(22 + n, f"x{n}") for n in range(5)]
    first = exceptions[0]
    assert (first.file, first.sheet, first.reason) == ("vendas.csv", None, "não é um número inteiro")
    [long] = infer(column_of("1", "2", "y" * 300))
    assert long.inference.exceptions[0].value == "y" * 200
    assert long.inference.alternatives[0].reason == "1 valor não é número inteiro"


def test_birth_dates_are_never_in_the_future(infer: Infer) -> None:
    [birth] = infer(column_of("01/02/60", "03/04/2001", "1/1/01"), labels=["Nascimento"])
    [other] = infer(column_of("01/02/60", "03/04/2001", "1/1/01"), labels=["Vencimento"])
    assert birth.formats.latest
    assert other.formats.latest is None
    assert '"01/02/60" foi lida como 1 de fevereiro de 1960' in warning_texts(birth)
    assert '"01/02/60" foi lida como 1 de fevereiro de 2060' in warning_texts(other)


@pytest.mark.parametrize(
    ("cells", "example"),
    [
        ([" a", "b"], 'como " a")'),
        (["\ta", "b"], 'como " a")'),
        (["x" * 80 + " ", "b"], f'como "{"x" * 60}")'),
    ],
)
def test_an_example_shows_the_blanks_around_a_text(infer: Infer, cells: list[str], example: str) -> None:
    [column] = infer(column_of(*cells))
    assert example in warning_texts(column)


def test_percent_cells_of_a_workbook_are_decimals(infer: Infer) -> None:
    percent = Finding("PERCENT", count=1, columns=("Item 0",))
    rows: Rows = [["1", "1"], ["0.5", "2"], ["2", "3"]]
    labels = ["Item 0", "Item 1"]
    shown, other = infer(rows, labels=labels, is_workbook=True, reader_findings=[percent])
    assert (shown.type.value, other.type.value) == ("decimal", "integer")
    assert "87,5% é 0,875" in shown.inference.evidence
    assert "87,5% é 0,875" not in other.inference.evidence


def test_a_column_that_starts_empty_is_judged_by_its_first_values(infer: Infer) -> None:
    rows: Rows = [[None, "1"]] * 3_100 + [["2,5", "1"], ["x", "1"], ["3", "1"]]
    late, _ = infer(rows)
    assert (late.type.value, late.inference.evidence) == ("text", "2 de 3 são números decimais")
    assert [one.line for one in late.inference.exceptions] == [3_103]


def test_a_workbooks_numbers_have_no_mark_and_may_be_shown_in_a_currency(infer: Infer) -> None:
    shown = Finding("SHOWN_IN", {"name": "R$"}, 3, columns=("Valor",))
    rows = [["1100.5", "2.5"], ["3", "1"], ["4", "7"]]
    amount, other = infer(rows, labels=["Valor", "x"], is_workbook=True, reader_findings=[shown])
    assert (amount.unit, other.unit) == ("R$", "")
    assert amount.inference.evidence == "3 de 3 são números decimais, que a planilha mostra em R$"
    assert other.inference.evidence == "3 de 3 são números decimais"


def test_letters_for_no_number_are_nothing_where_all_else_is_a_number(infer: Infer) -> None:
    rows = [["1,5", "NA", "mq", "x"], ["NA", "NR", "mq", "NA"], ["2,5", "7", "mq", "y"]]
    decimals, integers, alone, words = infer(rows)
    assert [one.type.value for one in (decimals, integers, alone, words)] == [
        "decimal", "integer", "text", "text",
    ]  # fmt: skip
    assert (decimals.nullable, alone.nullable) == (True, False)
    assert decimals.inference.evidence.endswith("1 sem valor (em branco, NULL, N/A, NA, - ou ...)")


def test_a_month_before_a_day_is_no_year(infer: Infer) -> None:
    days, months = infer([["January 21", "jan/21"], ["January 22", "fev/21"], ["January 23", "mar/21"]])
    assert (days.type.value, months.type.value) == ("text", "date")


_CNPJS = ["11222333000181", "11444777000161", "12ABC34501DE35", "12.ABC.345/01DE-35"]


def test_a_cnpj_with_letters_is_no_exception_among_others(infer: Infer) -> None:
    [mixed] = infer(column_of(*_CNPJS), labels=["x"])
    assert (mixed.type.value, mixed.confidence, mixed.exceptions) == ("text", 1.0, [])
    assert "CNPJ" in mixed.inference.evidence
    [wrong] = infer(column_of(*_CNPJS[:2], "12ABC34501DE36"), labels=["x"])
    assert [one.value for one in wrong.exceptions] == ["12ABC34501DE36"]


def test_a_decimal_comma_is_no_account_code(infer: Infer) -> None:
    money, account = infer(
        [["29,22", "1.1"], ["30,10", "1.2"], ["5,00", "1.3"]], labels=["Conta Caixa", "Conta"]
    )
    assert (money.type.value, account.type.value) == ("decimal", "text")
