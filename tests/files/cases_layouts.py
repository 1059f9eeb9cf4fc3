"""Cases of layouts: where the header, the rows and the end of a table are, and what lies beside it."""

from collections.abc import Iterator

from case import Case, case


def cases() -> Iterator[Case]:
    """Yield every case of this module."""
    yield from words_and_values()
    yield from headers()
    yield from notes_and_pages()
    yield from several_tables()
    yield from tables_without_a_gap()
    yield from lists_and_words()


def words_and_values() -> Iterator[Case]:
    """Rows of words right below the header are rows."""
    yield case(
        "layouts/words_right_below.csv",
        "Codigo;Nota1;Nota2\n;falta;falta\n12;7,5;8,0\n13;9,0;6,5\n",
        "a row of words right below the header is a row",
        "codigo:text? nota1:text nota2:text",
        "∅|falta|falta\n12|7,5|8,0\n13|9,0|6,5",
        labels=["Codigo", "Nota1", "Nota2"],
        lines=[2, 3, 4],
    )
    yield case(
        "layouts/unknown_right_below.csv",
        "lat,lon\nunknown,unknown\n-23.5,-46.6\n-22.9,-43.2\n-19.9,-43.9\n",
        "what is unknown in the first row does not make it a header",
        "lat:text lon:text",
        "unknown|unknown\n-23.5|-46.6\n-22.9|-43.2\n-19.9|-43.9",
    )
    yield case(
        "layouts/errors_right_below.csv",
        "ma5;ma20\n#N/D;#N/D\n1,5;2,5\n1,7;2,6\n",
        "errors of a spreadsheet are rows, and empty",
        "ma5:decimal? ma20:decimal?",
        "#N/D|#N/D\n1,5|2,5\n1,7|2,6",
    )
    yield case(
        "layouts/nan_right_below.csv",
        "a,b\nNaN,INF\n1.5,2.5\n2.5,3.5\n",
        "NaN and INF are values of a row",
        "a:text b:text",
        "NaN|INF\n1.5|2.5\n2.5|3.5",
    )
    yield case(
        "layouts/decimals_below_two_words.csv",
        "Relatorio\nvalor\n10,50\n20,30\n30,10\n",
        "one column of decimal commas below two lines of words is not cut",
        "valor:decimal",
        [["10,50"], ["20,30"], ["30,10"]],
        lines=[3, 4, 5],
    )

    repeated = [f"Nota fiscal {number} referente ao mes de janeiro" for number in range(1, 7)]
    yield case(
        "layouts/words_that_repeat.csv",
        "pedido;valor;texto\n" + "".join(f"{n};{n},5;{text}\n" for n, text in enumerate(repeated)),
        "words that every text repeats do not make columns of its blanks",
        "pedido:integer valor:decimal texto:text",
        [[f"{n}", f"{n},5", text] for n, text in enumerate(repeated)],
    )
    yield case(
        "layouts/one_column_of_words_that_repeat.csv",
        "descricao\n" + "".join(f"{text}\n" for text in repeated),
        "nor in a single column",
        "descricao:text",
        [[text] for text in repeated],
    )
    rain = [["0.0"] * 12 for _ in range(8)]
    rain[2][3], rain[3][9], rain[5][1], rain[6][6], rain[7][11] = (
        "12.4375",
        "3.8125",
        "7.0625",
        "21.5625",
        "5.1875",
    )
    yield case(
        "layouts/numbers_that_repeat.csv",
        "".join(", ".join(row) + "\n" for row in rain),
        "a line of numbers that repeat is no text, however many the line above has in the same places",
        " ".join(f"coluna_{n}:decimal" for n in range(1, 13)),
        rain,
        dialect={"header_line": None},
    )


def headers() -> Iterator[Case]:
    """Headers of several lines, with lost delimiters, or shorter than their rows."""
    battles = [(str(n), str(1900 + n), str(n % 12 + 1), f"Campo {n}", f"{n}.5") for n in range(1, 15)]
    plots = [(str(n), f"Lote {n}", str(n * 30), "sim") for n in range(1, 15)]
    yield case(
        "layouts/blank_label_and_one_short.csv",
        ",Year,Mo,City\n" + "".join(f"{','.join(row)}\n" for row in battles),
        "a blank label stands over the numbers of rows; the column that lacks one is the last",
        "coluna_1:integer year:integer mo:integer city:text coluna_5:decimal",
        battles,
        labels=["coluna_1", "Year", "Mo", "City", "coluna_5"],
        warnings=["NAMELESS_COLUMNS"],
    )
    yield case(
        "layouts/blank_label_and_one_short_again.csv",
        ";Lote;Área\n" + "".join(f"{';'.join(row)}\n" for row in plots),
        "the same, in other words",
        "coluna_1:integer lote:text area:integer coluna_4:boolean",
        plots,
        labels=["coluna_1", "Lote", "Área", "coluna_4"],
        warnings=["NAMELESS_COLUMNS"],
    )
    towns = [(f"Cidade {n}", str(1000 + 37 * n)) for n in range(12)]
    yield case(
        "layouts/year_in_second_line.csv",
        "Município;Ano\n;2020\n" + "".join(f"{';'.join(row)}\n" for row in towns),
        "a year alone below a label is the header's second line, where no value below is a year",
        "municipio:text ano_2020:integer",
        towns,
        labels=["Município", "Ano 2020"],
    )
    yield case(
        "layouts/years_from_the_first_row.csv",
        "Cidade;Obra\n;1820\nOlinda;1935\nRecife;1837\nNatal;1899\nBelém;1916\n",
        "a year alone below a label is a row, where the values below are years",
        "cidade:text? obra:integer",
        "∅|1820\nOlinda|1935\nRecife|1837\nNatal|1899\nBelém|1916",
        labels=["Cidade", "Obra"],
    )
    yield case(
        "layouts/second_line.csv",
        "Data;Valores;;Saldo\n;Credito;Debito;\n01/02/2024;10,00;;10,00\n02/02/2024;;5,00;5,00\n",
        "a second line names what the first leaves open",
        "data:date valores_credito:decimal? valores_debito:decimal? saldo:decimal",
        "01/02/2024|10,00|∅|10,00\n02/02/2024|∅|5,00|5,00",
        labels=["Data", "Valores Credito", "Valores Debito", "Saldo"],
    )
    yield case(
        "layouts/lines_of_words.csv",
        ";;;Carbo\nNumero do;;Umidade;idrato\nAlimento;Descricao;(%);(g)\nCereais e derivados;;;\n"
        "1;Arroz;70,1;25,8\n2;Milho;60,3;30,2\nVerduras;;;\n3;Alface;95,1;2,0\n",
        "labels are broken over three lines",
        "numero_do_alimento:text numero_do_descricao:text? umidade:decimal? carbo_idrato_g:decimal?",
        "Cereais e derivados|∅|∅|∅\n1|Arroz|70,1|25,8\n2|Milho|60,3|30,2\nVerduras|∅|∅|∅\n3|Alface|95,1|2,0",
        labels=["Numero do Alimento", "Numero do Descricao", "Umidade (%)", "Carbo idrato (g)"],
    )
    yield case(
        "layouts/lost_delimiter_in_header.csv",
        "num;nome,valor\n1;Ana;2,5\n2;Bia;3,5\n3;Caio;4,5\n",
        "one delimiter of the header is another than that of the rows",
        "num:integer nome:text valor:decimal",
        "1|Ana|2,5\n2|Bia|3,5\n3|Caio|4,5",
    )
    yield case(
        "layouts/short_header.csv",
        "num;nome\n1;Ana;5;7;2;3\n2;Bia;6;7;2;4\n3;Caio;7;9;2;5\n",
        "a header of two labels over six columns keeps its first row",
        "num:integer nome:text coluna_3:integer coluna_4:integer coluna_5:integer coluna_6:integer",
        "1|Ana|5|7|2|3\n2|Bia|6|7|2|4\n3|Caio|7|9|2|5",
        warnings=["NAMELESS_COLUMNS"],
    )
    yield case(
        "layouts/words_without_header.csv",
        "Ana;Recife\nBia;Natal\nCaio;Belem\n",
        "nothing tells whether a table of words has a header: it is told",
        "ana:text recife:text",
        "Bia|Natal\nCaio|Belem",
        labels=["Ana", "Recife"],
        warnings=["HEADER_ASSUMED"],
    )
    yield case(
        "layouts/same_words_in_two_columns.csv",
        "c0,c1\nprimeiro,primeiro\nsegundo,segundo\nnada,\nnada,\nnada,\n",
        "rows of one word twice group no labels: the words below tell none of them apart",
        "c0:text c1:text?",
        "primeiro|primeiro\nsegundo|segundo\nnada|∅\nnada|∅\nnada|∅",
        warnings=["HEADER_ASSUMED"],
    )

    yield case(
        "layouts/period_above.csv",
        "Relatorio de vendas\nPeriodo: 01/01/2024 a 31/01/2024\n\nloja;nome;cidade;produto\n"
        "1;Ana;Recife;casa\n2;Rui;Santos;porta\n",
        "a title of as many words as the table has columns is not cut into labels",
        "loja:integer nome:text cidade:text produto:text",
        "1|Ana|Recife|casa\n2|Rui|Santos|porta",
        labels=["loja", "nome", "cidade", "produto"],
        lines=[5, 6],
    )


def notes_and_pages() -> Iterator[Case]:
    """Notes below, and what is printed on every page."""
    goods = [(str(n), f"Artigo {n}", f"{3 * n}.5") for n in range(40)]
    lines = "".join(f"{';'.join(row)}\n" for row in goods)
    yield case(
        "layouts/notes_alike.csv",
        f"Cod;Artigo;Valor\n{lines}Fonte: IBGE.\n(1) Dados de 2019 sujeitos a revisão.\n"
        "(2) Dados de 2020 sujeitos a revisão.\n(3) Dados de 2021 sujeitos a revisão.\n",
        "notes that resemble each other are no rows",
        "cod:text artigo:text valor:decimal",
        goods,
        labels=["Cod", "Artigo", "Valor"],
        warnings=["FOOTER"],
    )
    yield case(
        "layouts/notes_alike_again.csv",
        f"Cod;Artigo;Valor\n{lines}Nota: valores em reais correntes;;\n"
        "* Preço de 2022 corrigido pelo IPCA;;\n* Preço de 2023 corrigido pelo IPCA;;\n",
        "the same, in other words and with all delimiters",
        "cod:text artigo:text valor:decimal",
        goods,
        labels=["Cod", "Artigo", "Valor"],
        warnings=["FOOTER"],
    )
    yield case(
        "layouts/note_cut_by_comma.csv",
        "uf,ano\nSP,2019\nRJ,2020\n\nFonte: IBGE, 2020\n",
        "a note that has as many pieces as columns is no row",
        "uf:text ano:integer",
        "SP|2019\nRJ|2020",
        warnings=["FOOTER"],
    )
    yield case(
        "layouts/page_heads.csv",
        "SISTEMA  Folha..: 1\nEmpresa X   Emissao: 01/02/2024\nCodigo;Nome;Valor\n1;Ana;2,5\n2;Bia;3,5\n"
        "SISTEMA  Folha..: 2\nEmpresa X   Emissao: 01/02/2024\nCodigo;Nome;Valor\n3;Caio;4,5\n",
        "the head of the second page is no row",
        "codigo:text nome:text valor:decimal",
        "1|Ana|2,5\n2|Bia|3,5\n3|Caio|4,5",
        labels=["Codigo", "Nome", "Valor"],
        lines=[4, 5, 9],
    )
    yield case(
        "layouts/comment_with_delimiter.csv",
        "# gerado\nnum;v\n1;5\n# 20;7\n2;6\n3;9\n",
        "a comment among numbers is none of them, whatever it holds",
        "num:integer v:integer",
        "1|5\n2|6\n3|9",
        lines=[3, 5, 6],
    )


def several_tables() -> Iterator[Case]:
    """Tables one below the other: the largest is read, and the others are reported."""
    yield case(
        "layouts/table_of_same_width_below.csv",
        "a;b\n1;2\n3;4\n5;6\n\nc;d\nx;7\ny;8\n",
        "a table of as many columns stands below",
        "a:integer b:integer",
        "1|2\n3|4\n5|6",
        warnings=["TABLE_APART"],
    )
    rows = "".join(f"n{number};{number}\n" for number in range(22))
    below = "".join(f"{number};z{number};{number};{number},5\n" for number in range(10))
    yield case(
        "layouts/wider_table_below.csv",
        f"nome;valor\n{rows}\ncod;nome;qtd;total\n{below}",
        "a wider table below costs the larger one above no row",
        "nome:text valor:integer",
        "\n".join(f"n{number}|{number}" for number in range(22)),
        warnings=["TABLE_APART"],
    )


def tables_without_a_gap() -> Iterator[Case]:
    """Tables directly below others, recognised only by their headers, and rows that look like headers."""
    lines = (
        "01/03/2024;Pix recebido;1001;250,00\n02/03/2024;Boleto;1002;-100,00\n03/03/2024;Tarifa;1003;-10,00\n"
    )
    yield case(
        "layouts/table_right_below.csv",
        f"Lançamentos;;;\nData;Histórico;Documento;Valor\n{lines}Total;;;140,00\nInvestimentos;;;\n"
        "Produto;Vencimento;Taxa;Saldo\nCDB;01/04/2025;12,5;1000,00\nLCI;02/05/2026;9,8;2000,00\nTotal;;;3000,00\n",
        "another table of as many columns begins at its title, without a blank line",
        "data:date historico:text documento:integer valor:decimal",
        lines.replace(";", "|"),
        labels=["Data", "Histórico", "Documento", "Valor"],
        lines=[3, 4, 5],
        warnings=["FOOTER [6", "TABLE_APART [8, 9, 10, 11]"],
    )
    yield case(
        "layouts/wider_table_right_below.csv",
        "Mês;Valor\n01/2024;250,00\n02/2024;100,00\n03/2024;10,00\n04/2024;15,50\n05/2024;99,90\n"
        "Produto;Quantidade;Preço;Estoque\nArroz;10;5,50;100\nFeijão;20;7,25;80\nCafé;5;15,90;12\n",
        "another header right below the rows begins a wider table",
        "mes:date valor:decimal",
        "01/2024|250,00\n02/2024|100,00\n03/2024|10,00\n04/2024|15,50\n05/2024|99,90",
        labels=["Mês", "Valor"],
        warnings=["TABLE_APART [7, 8, 9, 10]"],
    )
    yield case(
        "layouts/words_in_place_of_values.csv",
        "Aluno;P1;P2;P3;P4\nAna;7,5;8,0;6,5;9,0\nBia;5,0;6,5;7,0;8,5\nCaio;faltou;atestado;viajou;abonado\n"
        "Davi;9,5;8,5;9,0;10,0\nEva;6,0;7,0;5,5;8,0\n",
        "words in place of all values of a row are no other table's header",
        "aluno:text p1:text p2:text p3:text p4:text",
        "Ana|7,5|8,0|6,5|9,0\nBia|5,0|6,5|7,0|8,5\nCaio|faltou|atestado|viajou|abonado\nDavi|9,5|8,5|9,0|10,0\n"
        "Eva|6,0|7,0|5,5|8,0",
        labels=["Aluno", "P1", "P2", "P3", "P4"],
    )


def lists_and_words() -> Iterator[Case]:
    """Delimiters within cells, words that come again, and labels that look like no value."""
    lists = [
        ("1", "Contas que fecham no fim do mês", "caixa;banco;prazo médio;multa;juros"),
        ("2", "Cozinhas movidas a luz do sol", "forno;vale seco;receita;lenha;aldeia"),
        ("3", "Pontes e as vilas que fizeram", "ponte;crescimento;rio;arco de pedra"),
        ("4", "Aves contadas por rádios velhos", "censo;rádio;voo noturno;estática;asas;ninho"),
        ("5", "Cartas que não saíram do porto", "carta;porto;dívida;arquivo"),
    ]
    for name, delimiter, mark in (("comma", ",", ";"), ("tab", "\t", ";"), ("semicolon", ";", "|")):
        rows = [(number, title, words.replace(";", mark)) for number, title, words in lists]
        yield case(
            f"layouts/lists_in_{name}_file.csv",
            "".join(delimiter.join(row) + "\n" for row in (("num", "titulo", "assuntos"), *rows)),
            "another delimiter in the texts below a label without it makes lists",
            "num:integer titulo:text assuntos:text",
            rows,
        )
    described = [
        ("chaleira de cobre", "Uma chaleira de cobre com cabo de madeira, para dois litros"),
        ("avental de linho", "Este avental de linho tem dois bolsos, cinza ou azul"),
        ("jarra de vidro", "Uma jarra de vidro alta, feita de garrafas velhas"),
        ("manta de lã", "Cada manta de lã é tecida por encomenda, em três semanas"),
    ]
    for name, delimiter, quote in (("comma", ",", '"'), ("tab", "\t", "")):
        yield case(
            f"layouts/names_within_descriptions_{name}.csv",
            "".join(
                f"{one}{delimiter}{quote}{other}{quote}\n"
                for one, other in (("nome", "descricao"), *described)
            ),
            "words that two columns share are no reason to leave them in one, or to cut them",
            "nome:text descricao:text",
            described,
        )
    bits = ["110101100110", "101101010110", "011001101101", "110010110011"]
    yield case(
        "layouts/columns_named_x.csv",
        ";".join(["x"] * 24) + "\n" + "".join(";".join(one * 2) + "\n" for one in bits),
        "one word above all columns is a label, though as a value it says that there is none",
        " ".join(["x:integer", *(f"x_{number}:integer" for number in range(2, 25))]),
        [[*one * 2] for one in bits],
        labels=["x"] * 24,
    )
    loans = ["Elvas,02/01/2024,14,9,1.50", "Moura,03/01/2024,22,17,0.75", "Serpa,04/01/2024,9,11,2.25"]
    yield case(
        "layouts/title_indented.csv",
        ",Livros emprestados em 2024,,,\nfilial,dia,saidas,voltas,multas\n"
        + "".join(f"{one}\n" for one in loans),
        "a text alone above columns of several kinds is a title, wherever it stands",
        "filial:text dia:date saidas:integer voltas:integer multas:decimal",
        [one.split(",") for one in loans],
        lines=[3, 4, 5],
        warnings=["LINES_ABOVE [1]"],
    )
    months = ["Elvas,Beja,12,9,4", "Moura,Beja,7,11,8", "Serpa,Beja,5,6,10"]
    yield case(
        "layouts/group_of_one_kind.csv",
        ",,Emprestimos,,\nfilial,cidade,jan,fev,mar\n" + "".join(f"{one}\n" for one in months),
        "a text alone above columns of one kind groups them",
        "filial:text cidade:text emprestimos_jan:integer emprestimos_fev:integer emprestimos_mar:integer",
        [one.split(",") for one in months],
        labels=["filial", "cidade", "Emprestimos jan", "Emprestimos fev", "Emprestimos mar"],
        lines=[3, 4, 5],
    )
    pages = [
        (str(number), f"# página {number}\n||cor|| azul\n||peso|| {number} kg") for number in range(1, 10)
    ]
    yield case(
        "layouts/tables_in_texts.csv",
        "num,texto\n" + "".join(f'{number},"{text}"\n' for number, text in pages),
        "what looks like a delimiter in quoted texts cuts none of them",
        "num:integer texto:text",
        pages,
    )
    notes = [("1", "a; b; c"), ("2", "d; e; f"), ("3", "g; h; i")]
    yield case(
        "layouts/lists_without_header.csv",
        "".join(f'{number},"{text}"\n' for number, text in notes),
        "a quote that is cut from its other one says where not to cut",
        "coluna_1:integer coluna_2:text",
        notes,
    )
    emails = [
        ("1", "Ana Lima", "ana@empresa.com,lima@mail.com"),
        ("2", "Rui Dias", "rui@empresa.com,dias@mail.com"),
        ("3", "Eva Reis", "eva@empresa.com,reis@mail.com"),
    ]
    yield case(
        "layouts/emails_in_semicolon_file.csv",
        "id;nome;emails\n" + "".join(";".join(row) + "\n" for row in emails),
        "commas in cells make lists, too",
        "id_original:integer nome:text emails:text",
        emails,
        labels=["id", "nome", "emails"],
    )
    short = ["1;Ana;", "2;Bia", "3;Caio", '4;Davi;"liga à noite\nou cedo"', "5;Eva", '6;Fabi;"vem na\nsexta"']
    yield case(
        "layouts/rows_end_at_their_last_value.csv",
        "num;nome;obs\n" + "".join(f"{one}\n" for one in short),
        "as many columns as labels, though most rows have fewer cells; line breaks stay in their cells",
        "num:integer nome:text obs:text?",
        [
            ("1", "Ana", None),
            ("2", "Bia", None),
            ("3", "Caio", None),
            ("4", "Davi", "liga à noite\nou cedo"),
            ("5", "Eva", None),
            ("6", "Fabi", "vem na\nsexta"),
        ],
    )
    quoted = [
        ("1", 'disse:\n"\nfim'),
        ("2", "nada"),
        ("3", "veio"),
        ("4", "foi"),
        ("5", "saiu"),
        ("6", "ficou"),
    ]
    yield case(
        "layouts/quote_alone_in_its_line.csv",
        "num,obs\n"
        + "".join(f'{number},"{text.replace(chr(34), 2 * chr(34))}"\n' for number, text in quoted),
        "a line of two quotes within a text is no line that was quoted as a whole",
        "num:integer obs:text",
        quoted,
    )
