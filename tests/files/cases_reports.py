"""Cases of reports: what programs and public bodies write above, below and between the rows of a table."""

from collections.abc import Iterator

from case import Case, case


def cases() -> Iterator[Case]:
    """Yield every case of this module."""
    yield from above()
    yield from below()


def above() -> Iterator[Case]:
    """Forms and titles above the header."""
    yield case(
        "reports/form_above.csv",
        "ESTACAO:;SERRA ALTA\nUF:;SC\nLATITUDE:;-27,51\nALTITUDE:;912,4\nFUNDACAO:;03/02/11\n"
        "Data;Hora;Chuva (mm);Temp (°C);\n2024/03/01;0100;,4;18,2;\n2024/03/01;0200;0;17,9;\n",
        "a form of names and values is longer than the table below it",
        "data:date hora:text chuva_mm:decimal temp_c:decimal",
        "2024/03/01|0100|,4|18,2\n2024/03/01|0200|0|17,9",
        labels=["Data", "Hora", "Chuva (mm)", "Temp (°C)"],
        values="2024-03-01|0100|0.4|18.2\n2024-03-01|0200|0|17.9",
        lines=[7, 8],
        warnings=["5 linhas acima da tabela, não importadas: linhas 1, 2, 3, 4, 5"],
    )


def below() -> Iterator[Case]:
    """Notes, legends and totals below the rows."""
    yield case(
        "reports/legend_below.csv",
        "Lavouras por município;;;\nMunicípio;Produto;2021;2022\nSerra Alta;Milho;120;-\nVale Fundo;Milho;80;95\n"
        "Fonte: Secretaria da Lavoura;;;\nLegenda;;;\nSinal;Significado;;\n-;Zero que não é de arredondamento;;\n",
        "the legend of a footer has two columns of its own",
        "municipio:text produto:text _2021:integer _2022:integer?",
        "Serra Alta|Milho|120|-\nVale Fundo|Milho|80|95",
        labels=["Município", "Produto", "2021", "2022"],
        warnings=["Legenda; Sinal Significado"],
    )
    yield case(
        "reports/note_in_cells.csv",
        '"mes";"indice a";"indice b"\n"2024-01";"0,31";"0,07"\n"2024-02";"0,28";"-0,11"\n"Fonte";"IRT";"FZA"\n',
        "the source of each column stands below it",
        "mes:text indice_a:decimal indice_b:decimal",
        "2024-01|0,31|0,07\n2024-02|0,28|-0,11",
        labels=["mes", "indice a", "indice b"],
        values="2024-01|0.31|0.07\n2024-02|0.28|-0.11",
    )
    yield case(
        "reports/product_called_source.csv",
        "item;marca;modelo\nMesa;Arco;M-10\nFonte;Volta;F-500\n",
        "a power supply is called like a source, and is a row",
        "item:text marca:text modelo:text",
        "Mesa|Arco|M-10\nFonte|Volta|F-500",
    )
    yield case(
        "reports/total_with_name.csv",
        "Cliques por anúncio\n1 de maio de 2024 - 31 de maio de 2024\nAnúncio\tImpr.\tCusto\n"
        "Sapato\t1.204\t18,40\nMeia\t310\t2,05\nTotal: conta\t1.514\t20,45\n",
        "a total says of what it is",
        "anuncio:text impr:integer custo:decimal",
        "Sapato|1.204|18,40\nMeia|310|2,05",
        labels=["Anúncio", "Impr.", "Custo"],
        encoding="utf-16",
        values="Sapato|1204|18.40\nMeia|310|2.05",
    )
