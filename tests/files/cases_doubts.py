"""Cases of values that could be silently misread: each is right, or text, or reported with an example."""

from collections.abc import Iterator, Sequence

import xlsx_writing as x
from case import Case, case


def cases() -> Iterator[Case]:
    """Yield every case of this module."""
    yield from numbers_of_workbooks()
    yield from codes()
    yield from orders()
    yield from years()
    yield from marks()
    yield from months()
    yield from empties()
    yield from times_and_units()
    yield from blanks()
    yield from texts()
    yield from sheets_and_files()
    yield from sums()


def column(
    name: str,
    label: str,
    kind: str,
    cells: str,
    why: str,
    values: str = "",
    *,
    delimiter: str = ";",
    **extra: object,
) -> Case:
    """Return a case of one interesting column beside a text column."""
    rows = cells.split("|")
    body = f"{label}{delimiter}t\n" + "".join(
        f"{'' if cell == '∅' else cell}{delimiter}linha {number}\n"
        for number, cell in enumerate(rows, start=1)
    )
    table = [[None if cell == "∅" else cell.strip('"'), f"linha {n}"] for n, cell in enumerate(rows, start=1)]
    if values:
        typed = [[None if v == "∅" else v, f"linha {n}"] for n, v in enumerate(values.split("|"), start=1)]
        extra = {**extra, "values": typed}
    return case(f"doubts/{name}.csv", body, why, f"{kind} t:text", table, **extra)  # type: ignore[arg-type]


def sheet(
    name: str, rows: Sequence[Sequence[x.Cell]], why: str, columns: str, cells: str, **extra: object
) -> Case:
    """Return a case of a workbook with one sheet; `rows` hold numbers, and texts as Excel keeps them."""
    return case(f"doubts/{name}.xlsx", x.xlsx(x.sheet(rows)), why, columns, cells, **extra)  # type: ignore[arg-type]


def numbers_of_workbooks() -> Iterator[Case]:
    """Numeric cells are exact and prove no decimal mark; only the texts among them have one."""
    yield sheet(
        "text_among_numbers",
        [["nome", "valor"], ["a", 1.5], ["b", "1.500"], ["c", 2]],
        "a text among numbers has the mark of texts, and is told",
        "nome:text valor:decimal",
        "a|1.5\nb|1.500\nc|2",
        values="a|1.5\nb|1500\nc|2",
        warnings=["AMBIGUOUS_MARK", '"1.500" pode ser 1500 ou 1,5'],
    )
    yield sheet(
        "comma_texts_among_numbers",
        [["nome", "valor"], ["a", 1.234], ["b", "99,90"], ["c", "R$ 1.099,90"], ["d", 2]],
        "texts with a comma are decimals like the numbers beside them",
        "nome:text valor:decimal",
        "a|1.234\nb|99,90\nc|R$ 1.099,90\nd|2",
        values="a|1.234\nb|99.90\nc|1099.90\nd|2",
    )
    yield sheet(
        "grouped_texts_alone",
        [["nome", "n"], ["a", "1.500"], ["b", "2.750"]],
        "a workbook's column of texts is read as a text file's, by the custom of the country",
        "nome:text n:integer",
        "a|1.500\nb|2.750",
        values="a|1500\nb|2750",
        warnings=["AMBIGUOUS_MARK"],
    )


def codes() -> Iterator[Case]:
    """Codes that look like quantities."""
    yield column(
        "code_of_points", "Código", "codigo:text", "1.1|1.10|2", "a code has points", labels=["Código", "t"]
    )
    yield column(
        "account", "Conta", "conta:text", "1.1|1.2|1.10", "an account has points", labels=["Conta", "t"]
    )
    yield column(
        "equal_numbers",
        "item",
        "item:text",
        "1.1|1.10|2.3",
        "1.1 and 1.10 are one number and two codes",
        delimiter=",",
    )
    yield column(
        "exponents_of_models", "Modelo", "modelo:text", "1E10|2E5|10E3", "models", labels=["Modelo", "t"]
    )
    yield column("exponents_of_skus", "sku", "sku:text", "1E5|2E3", "codes of articles")
    yield column("bare_exponents", "ref", "ref:text", "1E5|2E3|7", "an E amid digits is a letter")
    yield column(
        "exponents_beside_decimals",
        "v",
        "v:decimal",
        "1E5|2,5|7",
        "where other cells have decimals an exponent is one",
        "100000|2.5|7",
    )
    for name, label, cells in (
        ("ncm", "NCM", "84713012|84733041"),
        ("banco", "Banco", "341|237"),
        ("nosso_numero", "Nosso Número", "12345678|22345678"),
        ("linha_digitavel", "Linha Digitável", "34191790010104351004791020150008291070026000|3419"),
        ("matricula", "Matrícula", "123|124"),
        ("lote", "Lote", "10|11"),
    ):
        yield column(
            f"code_{name}", label, f"{name}:text", cells, "the label names a code", labels=[label, "t"]
        )
    yield column(
        "ano_modelo", "Ano Modelo", "ano_modelo:integer", "2020|2021", "a year", labels=["Ano Modelo", "t"]
    )


def orders() -> Iterator[Case]:
    """A column that proves an order decides for those that allow both."""
    yield case(
        "doubts/month_first_proved.csv",
        "Order Date,Ship Date\n11/02/2024,11/22/2024\n03/04/2024,03/05/2024\n",
        "the other column shows that the month comes first",
        "order_date:date ship_date:date",
        "11/02/2024|11/22/2024\n03/04/2024|03/05/2024",
        labels=["Order Date", "Ship Date"],
        values="2024-11-02|2024-11-22\n2024-03-04|2024-03-05",
        warnings=["AMBIGUOUS_DATES", "2 de novembro de 2024 ou 11 de fevereiro de 2024"],
    )
    yield case(
        "doubts/day_first_proved.csv",
        "pedido;envio\n11/02/2024;22/11/2024\n03/04/2024;05/03/2024\n",
        "the other column shows that the day comes first",
        "pedido:date envio:date",
        "11/02/2024|22/11/2024\n03/04/2024|05/03/2024",
        values="2024-02-11|2024-11-22\n2024-04-03|2024-03-05",
        warnings=["AMBIGUOUS_DATES", "11 de fevereiro de 2024 ou 2 de novembro de 2024"],
    )
    yield case(
        "doubts/both_orders_proved.csv",
        "a,b,c\n11/02/2024,11/22/2024,22/11/2024\n03/04/2024,03/05/2024,05/03/2024\n",
        "where columns prove both orders, neither decides for others",
        "a:date b:date c:date",
        "11/02/2024|11/22/2024|22/11/2024\n03/04/2024|03/05/2024|05/03/2024",
        values="2024-02-11|2024-11-22|2024-11-22\n2024-04-03|2024-03-05|2024-03-05",
    )


def years() -> Iterator[Case]:
    """Two-digit years give a warning, and birth dates are never in the future."""
    yield column(
        "two_digit_years",
        "dia",
        "dia:date",
        "31/12/24|01/02/70",
        "69 to 99 are of the last century",
        "2024-12-31|1970-02-01",
        warnings=["TWO_DIGIT_YEARS", '"31/12/24" foi lida como 31 de dezembro de 2024'],
    )
    yield column(
        "births",
        "Nascimento",
        "nascimento:date",
        "15/03/45|15/03/68|01/02/10|15/03/1999",
        "a birth is never in the future",
        "1945-03-15|1968-03-15|2010-02-01|1999-03-15",
        labels=["Nascimento", "t"],
        warnings=["TWO_DIGIT_YEARS"],
    )
    yield column(
        "year_in_parentheses",
        "Ano",
        "ano:text",
        "(2023)|(2024)|2025",
        "a year is no minus",
        labels=["Ano", "t"],
    )


def marks() -> Iterator[Case]:
    """Marks that nothing proves give a warning."""
    yield column(
        "reais_in_a_comma_file",
        "valor",
        "valor:decimal",
        "R$ 1.234|R$ 2.500",
        "reais have points between thousands",
        "1234|2500",
        delimiter=",",
        warnings=["AMBIGUOUS_MARK", '"R$ 1.234" pode ser 1234 ou 1,234'],
    )
    yield column(
        "quoted_comma",
        "Preço por Litro",
        "preco_por_litro:integer",
        '"5,899"|"6,099"',
        "in a comma file a comma may part thousands: told with an example",
        "5899|6099",
        delimiter=",",
        labels=["Preço por Litro", "t"],
        warnings=["AMBIGUOUS_MARK", '"5,899" pode ser 5899 ou 5,899'],
    )


def months() -> Iterator[Case]:
    """A month becomes its first day, with a warning; names of months make dates."""
    for name, cells, values in (
        ("short_names", "jan/24|fev/24|dez/23", "2024-01-01|2024-02-01|2023-12-01"),
        ("long_names", "janeiro de 2024|março de 2024", "2024-01-01|2024-03-01"),
        ("year_and_month", "2024-01|2024-12", "2024-01-01|2024-12-01"),
        ("month_and_year", "01/2024|12/2024", "2024-01-01|2024-12-01"),
    ):
        yield column(
            f"month_{name}",
            "mes",
            "mes:date",
            cells,
            "a month is its first day",
            values,
            warnings=["MONTHS_AS_DATES", *(["TWO_DIGIT_YEARS"] if "jan/24" in cells else [])],
        )
    for name, cells, values in (
        ("short_year", "15-jan-24|01-fev-24", "2024-01-15|2024-02-01"),
        ("short_name", "15/jan/2024|28/FEV/2024|29/fev/2024", "2024-01-15|2024-02-28|2024-02-29"),
        ("in_capitals", "18 DE JANEIRO DE 2024|1º DE MARÇO DE 2024", "2024-01-18|2024-03-01"),
        ("in_words", "18 de janeiro de 2024|1 de março de 2024", "2024-01-18|2024-03-01"),
        ("first_day", "1º de maio de 2024|2 de maio de 2024", "2024-05-01|2024-05-02"),
        ("english", "15-Apr-2024|31-Dec-2024|01-Aug-2024", "2024-04-15|2024-12-31|2024-08-01"),
    ):
        yield column(f"named_{name}", "dia", "dia:date", cells, "a day with its month's name", values)
    yield column("named_impossible", "dia", "dia:text", "31-fev-2024|01-fev-2024", "no such day")
    yield column(
        "compact_dates",
        "Data Emissão",
        "data_emissao:date?",
        "20240115|20241231|00000000",
        "eight digits under a label of a date",
        "2024-01-15|2024-12-31|∅",
        labels=["Data Emissão", "t"],
    )


def empties() -> Iterator[Case]:
    """What programs write for a missing value is empty."""
    yield column(
        "empty_dates",
        "dia",
        "dia:date?",
        "00/00/0000|31/12/2024|  /  /    |0000-00-00|__/__/____",
        "no day is an empty one",
        "∅|2024-12-31|∅|∅|∅",
    )
    yield column(
        "error_values",
        "v",
        "v:decimal?",
        "#DIV/0!|1,5|#REF!|#N/D|#VALOR!",
        "errors of a spreadsheet are empty, and counted",
        "∅|1.5|∅|∅|∅",
        warnings=["ERROR_CELLS", "4 células com erro"],
    )
    yield column(
        "error_values_in_text",
        "v",
        "v:text?",
        "#NOME?|abc|#1",
        "in texts, too",
        "∅|abc|#1",
        warnings=["ERROR_CELLS"],
    )
    yield column("nulls_alone", "v", "v:text?", "NULL|NULL|∅", "a column without values", "∅|∅|∅")


def times_and_units() -> Iterator[Case]:
    """Times of day stay text; one unit makes decimals, several make text."""
    yield column("clock", "hora", "hora:text", "08:30|10:45|23:59", "there is no type for a time of day")
    yield column("clock_h", "hora", "hora:text", "10h30|8h", "there is no type for a time of day")
    yield column("percent", "taxa", "taxa:decimal", "87,5%|3%|-12,25 %", "a hundredth", "0.875|0.03|-0.1225")
    yield column("one_unit", "peso", "peso:decimal", "10 kg|2,5 kg|1.000 kg", "one unit", "10|2.5|1000")
    for name, cells, why, words in (
        ("units", "10 kg|500 g", "several units", "unidades ou moedas diferentes (g, kg)"),
        ("currencies", "R$ 10,00|R$ 20,00|US$ 5,00", "several currencies", "moedas diferentes (R$, US$)"),
        ("some_units", "10 kg|500|2,5", "some have a unit", "só alguns números têm unidade ou moeda (kg)"),
    ):
        yield column(name, "peso", "peso:text", cells, why, evidence={"peso": words})
    yield column(
        "dollars",
        "preco",
        "preco:decimal",
        "US$ 200.00|US$ 1,234.56",
        "one currency",
        "200.00|1234.56",
        delimiter="\t",
    )


def blanks() -> Iterator[Case]:
    """A cell of blanks alone is empty; blanks around a text are kept and reported."""
    yield case(
        "doubts/blanks_alone.csv",
        'n;t\n1;" "\n" ";abc\n3;" \u00a0"\n',
        "blanks alone are nothing, in every type",
        "n:integer? t:text?",
        "1| \n |abc\n3| \u00a0",
        values="1|∅\n∅|abc\n3|∅",
    )
    yield case(
        "doubts/blanks_around.csv",
        'n;t\n1;" abc"\n2;def\n3;"ghi "\n',
        "blanks around a text are kept and counted",
        "n:integer t:text",
        "1| abc\n2|def\n3|ghi ",
        values="1| abc\n2|def\n3|ghi ",
        warnings=["SURROUNDING_BLANKS [2, 4]", '2 textos têm espaços antes ou depois (como " abc")'],
    )


def texts() -> Iterator[Case]:
    """Text written as formulas for spreadsheets, and mojibake."""
    yield case(
        "doubts/formulas_of_texts.csv",
        'cod;t\n="00123";a\n="00456";b\n',
        "a formula that keeps a text is that text",
        "cod:text t:text",
        "00123|a\n00456|b",
    )
    yield case(
        "doubts/formulas_below_short_labels.csv",
        'a;t\n="00123";x\n="00456";y\n',
        "digits that a formula keeps are values, below labels as short as texts",
        "a:text t:text",
        "00123|x\n00456|y",
    )
    yield case(
        "doubts/mojibake.csv",
        "nome;n\nJoÃ£o;1\nJosÃ©;2\nMAÃ‡Ã;3\n".encode(),
        "letters of another encoding are told with an example",
        "nome:text n:integer",
        "JoÃ£o|1\nJosÃ©|2\nMAÃ‡Ã|3",
        warnings=["MOJIBAKE [2, 3, 4]", '"JoÃ£o"', "Escolha outra codificação", "(columns: nome)"],
    )
    yield case(
        "doubts/one_stray_line.csv",
        "nome;n\nJoão;1\nMaria;2\n".encode() + "Conceição;3\n".encode("cp1252"),
        "a stray line in cp1252 does not spoil the rest, or is told",
        "nome:text n:integer",
        "João|1\nMaria|2\nConceição|3",
        warnings=["INVALID_UTF8 [4]", 'como "Conceição"', "escolha outra codificação"],
    )
    yield case(
        "doubts/capital_letters.csv",
        "nome;n\nSÃO PAULO;1\nMAÇÃ;2\nIRMÃ DULCE;3\n",
        "a capital Ã is a letter of Portuguese",
        "nome:text n:integer",
        "SÃO PAULO|1\nMAÇÃ|2\nIRMÃ DULCE|3",
    )


def sheets_and_files() -> Iterator[Case]:
    """Sheets with the same columns are read; covers and texts are not."""
    month = [["dia", "valor"], [1, 10], [2, 20], [3, 30]]
    yield case(
        "doubts/sheets_that_agree.xlsx",
        x.xlsx(
            x.sheet(month),
            x.sheet(month),
            x.sheet([["dia", "valor", "obs"], [1, 10, "x"]]),
            names=["Jan", "Fev", "Mar"],
        ),
        "all sheets of the first header are read, the other is named with the column that differs",
        "dia:integer valor:integer",
        "1|10\n2|20\n3|30\n1|10\n2|20\n3|30",
        sheets=["Jan"] * 3 + ["Fev"] * 3,
        warnings=["SHEETS_LEFT_OUT", "A aba Mar não foi importada"],
    )
    yield case(
        "doubts/cover_sheet.xlsx",
        x.xlsx(
            x.sheet([["Relatório anual"], ["Empresa X"], ["Gerado em 2024"]]),
            x.sheet([["dia", "valor", "loja"], *([n, n * 10, f"loja {n}"] for n in range(1, 8))]),
            names=["Capa", "Dados"],
        ),
        "a cover does not win over a table",
        "dia:integer valor:integer loja:text",
        "\n".join(f"{n}|{n * 10}|loja {n}" for n in range(1, 8)),
        sheets=["Dados"] * 7,
        warnings=["A aba Capa não foi importada"],
    )
    yield case(
        "doubts/prose_in_an_archive.zip",
        x.zipped(
            {
                "vendas.csv": "loja;valor\nA;1\nB;2\n",
                "leia-me.txt": (
                    "Leia-me\n\nEste arquivo traz as vendas do ano inteiro.\n"
                    "As colunas são separadas por ponto e vírgula.\n"
                ),
            }
        ),
        "a text for people is no table",
        "loja:text valor:integer",
        "A|1\nB|2",
        warnings=["NOT_A_TABLE"],
    )
    yield case(
        "doubts/prose_alone.txt",
        "Este arquivo traz as vendas do ano inteiro.\nElas foram conferidas pela loja em janeiro.\n",
        "a text for people is no table",
        error="FILE_NOT_TABULAR",
    )
    yield case(
        "doubts/merged_down.xlsx",
        x.xlsx(
            x.sheet(
                [["loja", "item", "valor"], ["A", "x", 1], [None, "y", 2], [None, "z", 3], ["B", "w", 4]],
                after=x.merged("A2:A4"),
            )
        ),
        "cells that are merged downwards hold for every row that they cover",
        "loja:text item:text valor:integer",
        "A|x|1\nA|y|2\nA|z|3\nB|w|4",
        warnings=["MERGED_FILLED", "A2:A4", "(columns: loja)"],
    )
    yield case(
        "doubts/hidden_column.xlsx",
        x.xlsx(
            x.sheet(
                [["a", "b", "c"], [1, 2, 3], [4, 5, 6]],
                before='<cols><col min="2" max="2" width="9" hidden="1"/><col min="9" max="16384" hidden="1"/></cols>',
            )
        ),
        "a hidden column that holds something is told",
        "a:integer b:integer c:integer",
        "1|2|3\n4|5|6",
        warnings=["HIDDEN_COLUMNS", "A coluna B está oculta", "(columns: b)"],
    )


def sums() -> Iterator[Case]:
    """A last row whose numbers are the sums or means of those above is a total, named or not."""
    rows = "loja;itens;valor\nA;1;R$ 1.010,50\nB;2;R$ 20,50\nC;4;R$ 30,00\n"
    kept = {"values": "A|1|1010.50\nB|2|20.50\nC|4|30.00"}
    cells = "A|1|R$ 1.010,50\nB|2|R$ 20,50\nC|4|R$ 30,00"
    columns = "loja:text itens:integer valor:decimal"
    for name, last, line, why in (
        ("sums", ";7;R$ 1.061,00", 5, "a row without a name that sums up the others is a total"),
        ("sums_apart", "\n;7;R$ 1.061,00", 6, "a blank line above a total changes nothing"),
        ("means", ";2,33;R$ 353,67", 5, "a row of means, rounded, is no row either"),
        ("named_means", "Média;2,33;R$ 353,67", 5, "a word for it is no other name"),
    ):
        yield case(
            f"doubts/{name}.csv",
            f"{rows}{last}\n",
            why,
            columns,
            cells,
            warnings=[f"FOOTER [{line}]"],
            **kept,
        )
    yield sheet(
        "sums",
        [["loja", "itens", "valor"], ["A", 1, 0.1], ["B", 2, 0.2], ["C", 3, 0.3], [None, 6, 0.1 + 0.2 + 0.3]],
        "a sum of binary fractions is one",
        "loja:text itens:integer valor:decimal",
        "A|1|0.1\nB|2|0.2\nC|3|0.3",
        warnings=["FOOTER [5]"],
    )
    yield case(
        "doubts/no_sums.csv",
        "loja;itens;valor\nA;1;10\nB;2;20\nC;3;30\n;6;61\n",
        "one number that is no sum, and the row is one",
        "loja:text? itens:integer valor:integer",
        "A|1|10\nB|2|20\nC|3|30\n∅|6|61",
    )
    yield case(
        "doubts/named_like_others.csv",
        "loja;itens;valor\nA;1;10\nB;2;20\nC;3;30\nD;6;60\n",
        "a row that has a name of its own is one, whatever its numbers are",
        "loja:text itens:integer valor:integer",
        "A|1|10\nB|2|20\nC|3|30\nD|6|60",
    )
    yield case(
        "doubts/nothing_to_sum.csv",
        "loja;itens\nA;5\nB;5\nC;0\nD;0\n;0\n",
        "noughts are the sum of nothing",
        "loja:text? itens:integer",
        "A|5\nB|5\nC|0\nD|0\n∅|0",
    )
