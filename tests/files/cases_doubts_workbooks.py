"""Cases of what only workbooks hold: percent formats, merged and hidden cells, covers, error cells, texts."""

from collections.abc import Iterator, Sequence

import cases_ods as o
import xlsx_writing as x
from case import Case, case

_SALES = [["loja", "item", "valor"], ["A", "x", 1], [None, "y", 2], [None, "z", 3], ["B", "w", 4]]
_FILLED = "A|x|1\nA|y|2\nA|z|3\nB|w|4"
_MONTH = [["dia", "valor"], [1, 10], [2, 20], [3, 30]]
_HIDDEN: list[list[object]] = [["a", "b", "c"], [1, 2, 3], [4, 5, 6]]


def cases() -> Iterator[Case]:
    """Yield every case of this module."""
    yield from percents()
    yield from merges()
    yield from hidden()
    yield from sheets()
    yield from cells()
    yield from numbers_of_workbooks()
    yield from sheets_and_files()
    yield from sums()


def _book(
    name: str, rows: Sequence[Sequence[x.Cell]], why: str, columns: str, cells: str, **extra: object
) -> Case:
    return case(f"doubts/{name}.xlsx", x.xlsx(x.sheet(rows)), why, columns, cells, **extra)  # type: ignore[arg-type]


def percents() -> Iterator[Case]:
    """A percentage becomes a decimal, and its evidence says so, in every kind of file."""
    yield _book(
        "percent_cells",
        [["taxa", "n"], [x.number("0.875", x.PERCENT), 1], [x.number("1", x.PERCENT), 2]],
        "numbers that are shown as percentages",
        "taxa:decimal n:integer",
        "0.875|1\n1|2",
        evidence={"taxa": "porcentagens"},
    )
    yield _book(
        "whole_percent_cells",
        [["taxa", "n"], [x.number("1", x.PERCENT), 1], [x.number("0", x.PERCENT), 2]],
        "whole percentages are decimals, too",
        "taxa:decimal n:integer",
        "1|1\n0|2",
        evidence={"taxa": "porcentagens"},
    )
    yield _book(
        "percent_texts_among_cells",
        [["taxa", "n"], [x.number("0.875", x.PERCENT), 1], ["12,5%", 2]],
        "a text of a percentage among cells that are percentages",
        "taxa:decimal n:integer",
        "0.875|1\n12,5%|2",
        values="0.875|1\n0.125|2",
        evidence={"taxa": "porcentagens"},
    )
    yield case(
        "doubts/percent_cells.ods",
        o.ods(
            o.sheet(
                o.row(o.cell("taxa"), o.cell("n")),
                o.row(o.number("0.875", "87,5%", "percentage"), o.number("1")),
                o.row(o.number("0.03", "3%", "percentage"), o.number("2")),
            )
        ),
        "percentages of OpenDocument",
        "taxa:decimal n:integer",
        "0.875|1\n0.03|2",
        evidence={"taxa": "porcentagens"},
    )


def merges() -> Iterator[Case]:
    """Vertically merged cells apply to every row that they cover, whatever program wrote them."""
    plain = x.sheet(_SALES, after=x.merged("A2:A4"))
    warnings = ["MERGED_FILLED", "A2:A4", "(columns: loja)"]
    yield case(
        "doubts/merged_in_odd_xml.xlsx",
        x.xlsx(plain.replace("<sheetData>", "<!-- --><sheetData>")),
        "merged cells are known on the general way through the XML, too",
        "loja:text item:text valor:integer",
        _FILLED,
        warnings=warnings,
    )
    labels = [["Cód.", "Município", "População"], [None, None, 2019, 2020, 2021]]
    towns = [[110 + n, f"Cidade {n}", 1000 + 37 * n, 1100 + 31 * n, 1180 + 29 * n] for n in range(12)]
    for name, after in (
        ("years_below_merged", x.merged("A1:A2", "B1:B2", "C1:E1")),
        ("years_below_gaps", ""),
    ):
        yield case(
            f"doubts/{name}.xlsx",
            x.xlsx(x.sheet([*labels, *towns], after=after)),
            "years below a label that spans them are the header's second line",
            "cod:text municipio:text populacao_2019:integer populacao_2020:integer populacao_2021:integer",
            [tuple(map(str, row)) for row in towns],
            labels=["Cód.", "Município", *(f"População {year}" for year in (2019, 2020, 2021))],
        )
    spanned = 'office:value-type="string" table:number-rows-spanned="3" table:number-columns-spanned="1"'
    covered = "<table:covered-table-cell/>"
    yield case(
        "doubts/merged_down.ods",
        o.ods(
            o.sheet(
                o.row(*map(o.cell, _SALES[0])),
                o.row(o.cell("A", spanned), o.cell("x"), o.number("1")),
                o.row(covered, o.cell("y"), o.number("2")),
                o.row(covered, o.cell("z"), o.number("3")),
                o.row(o.cell("B"), o.cell("w"), o.number("4")),
            )
        ),
        "merged cells of OpenDocument",
        "loja:text item:text valor:integer",
        _FILLED,
        warnings=warnings,
    )
    yield case(
        "doubts/merged_down.xls",
        '<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
        'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet ss:Name="P"><Table>'
        '<Column/><Column ss:Hidden="1"/>'
        + _spreadsheetml_row("loja", "item", "valor")
        + _spreadsheetml_row("A", "x", 1).replace("<Cell>", '<Cell ss:MergeDown="2">', 1)
        + _spreadsheetml_row("y", 2).replace("<Cell>", '<Cell ss:Index="2">', 1)
        + _spreadsheetml_row("z", 3).replace("<Cell>", '<Cell ss:Index="2">', 1)
        + _spreadsheetml_row("B", "w", 4)
        + "</Table></Worksheet></Workbook>",
        "merged and hidden cells of SpreadsheetML",
        "loja:text item:text valor:integer",
        _FILLED,
        warnings=[*warnings, "HIDDEN_COLUMNS", "(columns: item)"],
    )


def _spreadsheetml_row(*cells: str | int) -> str:
    written = (
        f'<Cell><Data ss:Type="{"Number" if isinstance(cell, int) else "String"}">{cell}</Data></Cell>'
        for cell in cells
    )
    return f"<Row>{''.join(written)}</Row>"


def hidden() -> Iterator[Case]:
    """Hidden columns with values are reported by name."""
    warnings = ["HIDDEN_COLUMNS", "A coluna B está oculta", "(columns: b)"]
    table = x.sheet(_HIDDEN, before="<!-- --><cols><col min='2' max='2' hidden='1'/></cols>")
    yield case(
        "doubts/hidden_in_odd_xml.xlsx",
        x.xlsx(table.replace("<sheetData>", "<!-- --><sheetData>")),
        "a hidden column is known on the general way through the XML, too",
        "a:integer b:integer c:integer",
        "1|2|3\n4|5|6",
        warnings=warnings,
    )
    rows = "".join(
        o.row(*(o.number(str(n)) if isinstance(n, int) else o.cell(n) for n in one)) for one in _HIDDEN
    )
    columns = '<table:table-column/><table:table-column table:visibility="collapse"/>'
    yield case(
        "doubts/hidden_column.ods",
        o.ods(o.sheet(rows).replace("<table:table-column/>", columns)),
        "a hidden column of OpenDocument",
        "a:integer b:integer c:integer",
        "1|2|3\n4|5|6",
        warnings=warnings,
    )


def sheets() -> Iterator[Case]:
    """Sheets with the same columns are read, in any order of columns; a cover is not."""
    twice = "1|10\n2|20\n3|30"
    yield case(
        "doubts/months_below_a_cover.xlsx",
        x.xlsx(
            x.sheet([["Empresa", "X Ltda"], ["Período", "2024"], ["Gerado por", "Maria"]]),
            x.sheet(_MONTH),
            x.sheet(_MONTH),
            x.sheet([["valor", "dia"], [10, 1]]),
            names=["Capa", "Jan", "Fev", "Mar"],
        ),
        "names and values are a cover of sheets that agree, also where their columns stand in another order",
        "dia:integer valor:integer",
        f"{twice}\n{twice}\n1|10",
        sheets=["Jan"] * 3 + ["Fev"] * 3 + ["Mar"],
        warnings=["SHEETS_LEFT_OUT", "A aba Capa não foi importada"],
    )
    yield case(
        "doubts/first_of_two_lists.xlsx",
        x.xlsx(
            x.sheet([["nome"], ["Ana"]]),
            x.sheet([["dia", "valor", "obs"], [1, 2, "x"]]),
            names=["Pessoas", "Dias"],
        ),
        "a short list is a table: the first one is read",
        "nome:text",
        "Ana",
        warnings=["A aba Dias não foi importada"],
    )


def cells() -> Iterator[Case]:
    """Error cells, codes written as text, mojibake and means."""
    yield _book(
        "error_cells",
        [["v", "n"], [1.5, 1], [x.typed("e", "#DIV/0!"), 2], [x.typed("e", "#N/A"), 3]],
        "errors are empty, counted, and their column is named",
        "v:decimal? n:integer",
        "1.5|1\n∅|2\n∅|3",
        warnings=["ERROR_CELLS", "2 células com erro", "(columns: v)"],
    )
    yield _book(
        "mojibake_cells",
        [["nome", "n"], ["JoÃ£o da Silva", 1], ["Maria", 2]],
        "letters of another encoding in a workbook",
        "nome:text n:integer",
        "JoÃ£o da Silva|1\nMaria|2",
        warnings=["MOJIBAKE [2]", '"JoÃ£o"', "(columns: nome)"],
    )
    yield _book(
        "equal_texts",
        [["item", "n"], ["1.1", 1], ["1.10", 2], ["2", 3]],
        "equal numbers written differently, as texts of a workbook",
        "item:text n:integer",
        "1.1|1\n1.10|2\n2|3",
    )
    yield _book(
        "exponent_texts",
        [["item", "n"], ["1E5", 1], ["2E3", 2], ["10E3", 3]],
        "bare exponents as texts of a workbook",
        "item:text n:integer",
        "1E5|1\n2E3|2\n10E3|3",
    )
    yield _book(
        "means",
        [["loja", "n", "v"], ["A", 1, 10.5], ["B", 2, 20.5], ["C", 4, 30], [None, 7 / 3, 61 / 3]],
        "means of a spreadsheet, in all the digits of a double",
        "loja:text n:integer v:decimal",
        "A|1|10.5\nB|2|20.5\nC|4|30",
        warnings=["FOOTER [5]"],
    )


def numbers_of_workbooks() -> Iterator[Case]:
    """Numeric cells are exact and prove no decimal mark; only the texts among them have one."""
    yield _book(
        "text_among_numbers",
        [["nome", "valor"], ["a", 1.5], ["b", "1.500"], ["c", 2]],
        "a text among numbers has the mark of texts, and is told",
        "nome:text valor:decimal",
        "a|1.5\nb|1.500\nc|2",
        values="a|1.5\nb|1500\nc|2",
        warnings=["AMBIGUOUS_MARK", '"1.500" pode ser 1500 ou 1,5'],
    )
    yield _book(
        "comma_texts_among_numbers",
        [["nome", "valor"], ["a", 1.234], ["b", "99,90"], ["c", "R$ 1.099,90"], ["d", 2]],
        "texts with a comma are decimals like the numbers beside them",
        "nome:text valor:decimal",
        "a|1.234\nb|99,90\nc|R$ 1.099,90\nd|2",
        values="a|1.234\nb|99.90\nc|1099.90\nd|2",
    )
    yield _book(
        "grouped_texts_alone",
        [["nome", "n"], ["a", "1.500"], ["b", "2.750"]],
        "a workbook's column of texts is read as a text file's, by the custom of the country",
        "nome:text n:integer",
        "a|1.500\nb|2.750",
        values="a|1500\nb|2750",
        warnings=["AMBIGUOUS_MARK"],
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
    """A last row whose numbers are the sums of those above is a total."""
    yield _book(
        "sums",
        [["loja", "itens", "valor"], ["A", 1, 0.1], ["B", 2, 0.2], ["C", 3, 0.3], [None, 6, 0.1 + 0.2 + 0.3]],
        "a sum of binary fractions is one",
        "loja:text itens:integer valor:decimal",
        "A|1|0.1\nB|2|0.2\nC|3|0.3",
        warnings=["FOOTER [5]"],
    )
