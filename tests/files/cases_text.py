"""Cases of text files: dialects, encodings, headers, footers, odd rows."""

from collections.abc import Iterator

from case import Case, case

AB = "a:integer b:text"
_RARE_DELIMITERS = {
    "two_pipes": "||",
    "two_colons": "::",
    "tilde_pipe_tilde": "~|~",
    "pipe_tilde_pipe": "|~|",
    "unit_separator": "\x1f",
    "start_of_heading": "\x01",
    "record_separator": "\x1e",
    "broken_bar": "¦",
    "section_sign": "§",
}


def cases() -> Iterator[Case]:
    """Yield every case of this module."""
    yield from dialects()
    yield from quoting()
    yield from rows_and_lines()
    yield from encodings()
    yield from headers()
    yield from surroundings()


def dialects() -> Iterator[Case]:
    """Delimiters, and what looks like one."""
    yield case(
        "csv/comma.csv",
        "a,b\n1,x\n2,y\n",
        "the plain form",
        AB,
        "1|x\n2|y",
        dialect={"delimiter": ",", "header_line": 1},
    )
    yield case(
        "csv/semicolon.csv",
        "a;b\n1;x\n2;y\n",
        "Brazil's delimiter",
        AB,
        "1|x\n2|y",
        dialect={"delimiter": ";"},
    )
    yield case("csv/tab.csv", "a\tb\n1\tx\n2\ty\n", "tabs", AB, "1|x\n2|y", dialect={"delimiter": "\t"})
    yield case(
        "csv/pipe.csv", "a|b\n1|x\n2|y\n", "pipes", AB, [["1", "x"], ["2", "y"]], dialect={"delimiter": "|"}
    )
    for name, delimiter in _RARE_DELIMITERS.items():
        lines = [("n", "produto", "qtd"), *((str(n), f"Item {n}", str(n * 3)) for n in range(1, 9))]
        yield case(
            f"csv/delimiter_{name}.csv",
            "".join(f"{delimiter.join(cells)}\n" for cells in lines),
            "a delimiter that few systems write",
            "n:integer produto:text qtd:integer",
            [list(cells) for cells in lines[1:]],
            dialect={"delimiter": delimiter},
        )
    yield case(
        "csv/one_column_emails.csv",
        "ana@exemplo.com.br\nbia@exemplo.com.br\ncaio@exemplo.com\n",
        "an address is one cell",
        "coluna_1:text",
        "ana@exemplo.com.br\nbia@exemplo.com.br\ncaio@exemplo.com",
    )
    yield case(
        "csv/semicolon_with_decimal_commas.csv",
        "item;preco\ncaneta;1,50\nlápis;0,75\ncaderno;12,00\n",
        "more commas than semicolons in the data",
        "item:text preco:decimal",
        "caneta|1,50\nlápis|0,75\ncaderno|12,00",
        values="caneta|1.50\nlápis|0.75\ncaderno|12.00",
    )
    yield case(
        "csv/comma_in_text_of_semicolon_file.csv",
        "nome;obs\nAna;um, dois, três\nBia;quatro, cinco, seis\n",
        "commas in sentences, as many in each line",
        "nome:text obs:text",
        "Ana|um, dois, três\nBia|quatro, cinco, seis",
    )
    yield case(
        "csv/semicolon_in_quoted_text.csv",
        'id,obs\n1,"a; b; c"\n2,"d; e; f"\n',
        "semicolons inside quotes",
        "id_original:integer obs:text",
        "1|a; b; c\n2|d; e; f",
        labels=["id", "obs"],
    )
    yield case(
        "csv/time_colons.csv",
        "hora,local\n10:00:00,A\n11:30:00,B\n",
        "colons are not the delimiter",
        "hora:text local:text",
        "10:00:00|A\n11:30:00|B",
    )
    yield case(
        "csv/sep_line.csv",
        "sep=;\na;b\n1;x\n2;y\n",
        "Excel's own directive names the delimiter",
        AB,
        "1|x\n2|y",
        dialect={"delimiter": ";", "header_line": 2},
        lines=[3, 4],
    )
    yield case(
        "csv/sep_line_bom.csv",
        "\ufeffsep=,\r\na,b\r\n1,x\r\n",
        "the directive behind a byte order mark",
        AB,
        "1|x",
        dialect={"delimiter": ","},
    )
    yield case(
        "csv/one_column.csv",
        "cidade\nSão Paulo\nRio de Janeiro\nBelém\n",
        "no delimiter at all",
        "cidade:text",
        "São Paulo\nRio de Janeiro\nBelém",
    )
    yield case(
        "csv/one_column_numbers.csv",
        "valor\n10\n20\n30\n",
        "no delimiter at all",
        "valor:integer",
        "10\n20\n30",
    )
    yield case(
        "csv/trailing_delimiter.csv",
        "a;b;\n1;x;\n2;y;\n",
        "a delimiter after the last column, in every line",
        AB,
        "1|x\n2|y",
    )
    wide = [f"c{number}" for number in range(300)]
    yield case(
        "csv/wide_300.csv",
        ",".join(wide) + "\n" + ",".join(["7"] * 300) + "\n",
        "300 columns",
        " ".join(f"{name}:integer" for name in wide),
        [["7"] * 300],
    )
    yield case(
        "csv/too_many_columns.csv",
        ",".join(f"c{n}" for n in range(1_501)) + "\n" + ",".join(["7"] * 1_501) + "\n",
        "PostgreSQL has no room",
        error="TOO_MANY_COLUMNS",
    )
    yield case(
        "csv/one_column_full_names.csv",
        "Nome\nAna Lima\nBia Reis\nCaio Dias\n",
        "a list of names: the blank between two words is no delimiter",
        "nome:text",
        "Ana Lima\nBia Reis\nCaio Dias",
        labels=["Nome"],
        dialect={"delimiter": "", "header_line": 1},
    )
    yield case(
        "csv/one_column_decimal_commas.csv",
        "valor\n1,50\n12,75\n1.250,00\n",
        "one column of amounts: their comma is no delimiter",
        "valor:decimal",
        "1,50\n12,75\n1.250,00",
        values="1.50\n12.75\n1250.00",
    )
    people = [("Ana", "Ana Lima", "Ana Maria Lima", "Bia")[n % 4] + "x" * (n % 9) for n in range(40)]
    yield case(
        "csv/blanks_and_words.csv",
        "dia n nome obs\n" + "".join(f'01/02/2024 {n} {name} "a, b"\n' for n, name in enumerate(people)),
        "blanks part the cells, and the words of one that has no quotes",
        "dia:date n:integer nome:text obs:text",
        "".join(f"01/02/2024|{n}|{name}|a, b\n" for n, name in enumerate(people)),
        dialect={"delimiter": " ", "header_line": 1},
    )
    yield case(
        "csv/row_numbers_without_label.csv",
        '"uf";"area"\n'
        + "".join(f'"{n}";"{uf}";{n}5,5\n' for n, uf in enumerate(("AC", "BA", "CE"), start=1)),
        "R numbers the rows and has no label for it",
        "coluna_1:integer uf:text area:decimal",
        "1|AC|15,5\n2|BA|25,5\n3|CE|35,5",
    )
    yield case(
        "csv/hash_in_quoted_lines.csv",
        "id,texto,uf\n" + '7,"# título\n||um|| dois\n||três|| fim",SP\n' * 5,
        "quoted lines that begin with # are no comments",
        "id_original:integer texto:text uf:text",
        [["7", "# título\n||um|| dois\n||três|| fim", "SP"]] * 5,
        labels=["id", "texto", "uf"],
    )


def quoting() -> Iterator[Case]:
    """Quotes, escapes, line breaks in cells."""
    yield case(
        "csv/quoted_delimiter.csv", 'a,b\n1,"x,y"\n2,"z"\n', "the delimiter inside quotes", AB, "1|x,y\n2|z"
    )
    yield case(
        "csv/quoted_newline.csv",
        'a,b\n1,"x\ny"\n2,z\n',
        "a line break inside quotes: lines are physical",
        AB,
        [["1", "x\ny"], ["2", "z"]],
        lines=[2, 4],
    )
    yield case(
        "csv/quoted_crlf.csv",
        'a,b\r\n1,"x\r\ny"\r\n2,z\r\n',
        "a line break of two characters is kept",
        AB,
        [["1", "x\r\ny"], ["2", "z"]],
    )
    yield case(
        "csv/doubled_quotes.csv",
        'a,b\n1,"say ""hi"""\n2,z\n',
        "doubled quotes",
        AB,
        [["1", 'say "hi"'], ["2", "z"]],
    )
    yield case(
        "csv/backslash_quotes.csv",
        'a,b\n1,"say \\"hi\\", ok"\n2,"z \\"q\\""\n',
        "quotes escaped by a backslash",
        AB,
        [["1", 'say "hi", ok'], ["2", 'z "q"']],
    )
    yield case(
        "csv/single_quotes.csv",
        "a;b\n1;'x;y'\n2;'z;w'\n3;'v;u'\n",
        "apostrophes as quotes",
        AB,
        "1|x;y\n2|z;w\n3|v;u",
    )
    yield case(
        "csv/apostrophes_in_text.csv",
        "a;b\n1;copo d'água\n2;pau d'arco\n",
        "apostrophes are no quotes here",
        AB,
        "1|copo d'água\n2|pau d'arco",
    )
    yield case(
        "csv/inches.csv",
        'a;b\n1;tubo 5"\n2;tubo 6" longo\n3;placa\n',
        "a quote inside an unquoted cell is a character",
        AB,
        [["1", 'tubo 5"'], ["2", 'tubo 6" longo'], ["3", "placa"]],
    )
    yield case(
        "csv/all_quoted.csv", '"a","b"\n"1","x"\n"2","y"\n', "every cell quoted, numbers too", AB, "1|x\n2|y"
    )
    yield case(
        "csv/quoted_empty.csv",
        'a,b\n1,""\n2,\n3,x\n',
        "quoted or not, empty is empty",
        "a:integer b:text?",
        "1|∅\n2|∅\n3|x",
    )
    yield case(
        "csv/quoted_header_newline.csv",
        'a,"valor\ntotal"\n1,2\n3,4\n',
        "a line break in a label",
        "a:integer valor_total:integer",
        "1|2\n3|4",
        labels=["a", "valor\ntotal"],
        lines=[3, 4],
    )
    yield case(
        "csv/quoted_thousands.csv",
        'a,b\nx,"1,234.56"\ny,"7,890.12"\n',
        "the delimiter as thousands separator",
        "a:text b:decimal",
        "x|1,234.56\ny|7,890.12",
        values="x|1234.56\ny|7890.12",
    )
    yield case(
        "csv/blank_after_delimiter.csv",
        'a, b\n1, "x, y"\n2, "z"\n',
        "a blank between delimiter and quote",
        AB,
        "1|x, y\n2|z",
    )
    yield case(
        "csv/json_in_cell.csv",
        'a;b\n1;"{""k"": [1, 2]}"\n2;"{""k"": []}"\n',
        "JSON in a cell",
        AB,
        [["1", '{"k": [1, 2]}'], ["2", '{"k": []}']],
    )
    long = "palavra " * 8_000
    yield case(
        "csv/long_cell.csv",
        f'a,b\n1,"{long}"\n2,y\n',
        "64,000 characters in one cell",
        AB,
        [["1", long], ["2", "y"]],
    )
    goods = "".join(f'{n},"Cabo de {n} m, preto",{n}.50\n' for n in range(1, 13))
    yield case(
        "csv/quotes_not_doubled.csv",
        f'n,produto,preco\n{goods}13,"TV 42" LED, 4K",99.90\n',
        "inches within a quoted cell, their sign not doubled",
        "n:integer produto:text preco:decimal",
        [
            *([str(n), f"Cabo de {n} m, preto", f"{n}.50"] for n in range(1, 13)),
            ["13", 'TV 42" LED, 4K', "99.90"],
        ],
        warnings=["REPAIRED_ROWS [14]"],
    )
    quotes = "".join(f'{n},"disse ""oi"", e saiu"\n' for n in range(1, 6))
    yield case(
        "csv/two_escapes.csv",
        f'n,nota\n{quotes}6,"{{\\"a\\": 1, \\"b\\": 2}}"\n',
        "quotes are doubled, but for one cell that another program wrote with backslashes",
        "n:integer nota:text",
        [*([str(n), 'disse "oi", e saiu'] for n in range(1, 6)), ["6", '{"a": 1, "b": 2}']],
    )


def rows_and_lines() -> Iterator[Case]:
    """Line ends, blank lines, rows of another length."""
    days = [f"{n:02}/03/2024;{n};R$ {n},50;{'caderno de capa dura'[: n + 3]}\n" for n in range(1, 13)]
    yield case(
        "csv/lost_delimiter.csv",
        "dia;n;preco;texto\n"
        + "".join(days)
        + '13/03/202413;R$ 13,50;lápis\n14/03/2024;14;R$ 14,50;"azul; fim"\n',
        "one line lost a delimiter: only there does it look like the others",
        "dia:date n:integer preco:decimal texto:text",
        "".join(days).replace(";", "|") + "13/03/2024|13|R$ 13,50|lápis\n14/03/2024|14|R$ 14,50|azul; fim",
        warnings=["REPAIRED_ROWS [14]"],
    )
    yield case(
        "csv/runs_of_blanks.txt",
        "  area    perimetro  forma\n 4990 2791.900 0.09\n  702   92.600   0.15\n 1558 1930.660 0.2\n",
        "numbers as programs print them: any number of blanks parts them",
        "area:integer perimetro:decimal forma:decimal",
        "4990|2791.900|0.09\n702|92.600|0.15\n1558|1930.660|0.2",
    )
    yield case(
        "csv/rows_with_names.txt",
        '"altura" "peso" "idade"\n"Ana Dias" 1.5 50 20\n"Bia" 1.6 60 30\n"Caio" 1.7 70 40\n"Davi" 1.8 80 50\n',
        "rows that R names have no label for it",
        "coluna_1:text altura:decimal peso:integer idade:integer",
        "Ana Dias|1.5|50|20\nBia|1.6|60|30\nCaio|1.7|70|40\nDavi|1.8|80|50",
    )
    yield case(
        "csv/comments_outnumber_rows.csv",
        "nome,cidade\n# lote 1\n# do dia\nAna,Natal\n# lote 2\n# de novo\nBia,Recife\n",
        "comments do not speak against the delimiter",
        "nome:text cidade:text",
        "Ana|Natal\nBia|Recife",
        lines=[4, 7],
    )
    yield case(
        "csv/blank_cell_beyond_the_header.csv",
        'a;b\n"1";"x";"\n"\n"2";"y";"\n"\n',
        "cells beyond the header that hold but blanks are no column",
        AB,
        "1|x\n2|y",
        lines=[2, 4],
    )
    texts = [f"{n}|{'Maria Clara Dias'[: n + 3]}|{'Recife e Olinda'[: n + 3]}|{n}.50" for n in range(1, 13)]
    yield case(
        "csv/unquoted_delimiter_in_text.csv",
        "codigo,nome,cidade,valor\n"
        + "".join(f"{line}\n" for line in texts).replace("|", ",")
        + "13,Ana,Rio de Janeiro, RJ,1.50\n14,Ana,Natal,Brasil,2.50\n",
        "a comma before a blank belongs to the text where the line then fits; where two texts could have it, it cuts",
        "codigo:text nome:text cidade:text valor:text coluna_5:decimal?",
        "".join(f"{line}|∅\n" for line in texts)
        + "13|Ana|Rio de Janeiro, RJ|1.50|∅\n14|Ana|Natal|Brasil|2.50",
        warnings=["REPAIRED_ROWS [14]", "LONG_ROWS [15]"],
    )
    yield case(
        "csv/comments_among_rows.csv",
        "cod;nome;valor\n1;Ana;2,5\n# lote 2; do dia 5\n2;#Bia;3,5\n#\n3;Caio;4,5\n",
        "lines that begin with # are no rows where no row begins so",
        "cod:text nome:text valor:decimal",
        "1|Ana|2,5\n2|#Bia|3,5\n3|Caio|4,5",
        lines=[2, 4, 6],
        warnings=["COMMENT_LINES [3, 5]"],
    )
    yield case(
        "csv/hashes_in_first_column.csv",
        "tag,n\n#azul,1\n#verde\n#cinza,3\n",
        "where rows begin with # a short one is a row",
        "tag:text n:integer?",
        "#azul|1\n#verde|∅\n#cinza|3",
    )
    yield case(
        "csv/whole_lines_quoted.csv",
        'codigo,nome,valor\n"1,""Silva, Ana"",2.50"\n2,Bia,3.50\n"3,""Caio """"K"""" Dias"",4.50"\n',
        "lines kept in one column of a spreadsheet are quoted as a whole",
        "codigo:text nome:text valor:decimal",
        '1|Silva, Ana|2.50\n2|Bia|3.50\n3|Caio "K" Dias|4.50',
        warnings=["WRAPPED_LINES"],
    )
    yield case(
        "csv/quoted_texts_with_commas.csv",
        'nome\n"Silva, Ana"\n"Dias, Bia"\n"Reis, Caio"\n',
        "a single column of texts that are quoted for their commas is no table of two",
        "nome:text",
        "Silva, Ana\nDias, Bia\nReis, Caio",
        dialect={"delimiter": ","},
    )
    goods = [
        f"{n}|{'capa de lona azul'[: n + 3]}|Feita à mão, {'forro de seda'[:n]}|R$ {n}.90|"
        for n in range(1, 13)
    ]
    yield case(
        "csv/lost_delimiter_before_quote.csv",
        'codigo,produto"descricao",preco,obs\n'
        + "".join('{},{},"{}",{},{}\n'.format(*line.split("|")) for line in goods)
        + '13,Bolsa"Couro, preta",R$ 5.90,\n14,Tela,"Tela, 5"" azul"R$ 7,\n',
        "a quote amid a cell opens the next one: the line has as many cells as the others only by chance",
        "codigo:text produto:text descricao:text preco:decimal obs:text?",
        "".join(f"{line}∅\n" for line in goods)
        + '13|Bolsa|Couro, preta|R$ 5.90|∅\n14|Tela|Tela, 5" azul|R$ 7|∅',
        warnings=["REPAIRED_ROWS [14, 15]"],
    )
    yield case(
        "csv/short_row_with_quoted_delimiter.csv",
        "dia;texto;n;obs\n"
        + "".join(f'{n:02}/03/2024;"a; b {n}";{n};x\n' for n in range(1, 13))
        + '13/03/2024;"a; b";13\n',
        "a row that ends early keeps its quoted cell whole",
        "dia:date texto:text n:integer obs:text?",
        "".join(f"{n:02}/03/2024|a; b {n}|{n}|x\n" for n in range(1, 13)) + "13/03/2024|a; b|13|∅",
    )
    yield case("csv/crlf.csv", "a,b\r\n1,x\r\n2,y\r\n", "Windows", AB, "1|x\n2|y")
    yield case("csv/cr.csv", "a,b\r1,x\r2,y\r", "old Macs", AB, "1|x\n2|y", lines=[2, 3])
    yield case(
        "csv/mixed_line_ends.csv",
        "a,b\r\n1,x\n2,y\r\n3,z\n",
        "two kinds of line end",
        AB,
        "1|x\n2|y\n3|z",
        lines=[2, 3, 4],
    )
    yield case("csv/no_last_newline.csv", "a,b\n1,x\n2,y", "the last line does not end", AB, "1|x\n2|y")
    yield case(
        "csv/blank_lines.csv",
        "a,b\n\n1,x\n\n\n2,y\n\n",
        "blank lines are no rows",
        AB,
        "1|x\n2|y",
        lines=[3, 6],
    )
    yield case(
        "csv/lines_of_delimiters.csv",
        "a;b\n1;x\n;\n2;y\n;\n",
        "rows of empty cells, as Excel saves them",
        AB,
        "1|x\n2|y",
        lines=[2, 4],
    )
    yield case(
        "csv/short_rows.csv",
        "a,b,c\n1,x,7\n2\n3,z\n",
        "short rows are filled up and reported",
        "a:integer b:text? c:integer?",
        "1|x|7\n2|∅|∅\n3|z|∅",
        warnings=["menos"],
    )
    yield case(
        "csv/long_row.csv",
        "a,b\n1,x\n2,y,extra\n3,z\n",
        "surplus cells are never dropped in silence",
        "a:integer b:text coluna_3:text?",
        "1|x|∅\n2|y|extra\n3|z|∅",
        labels=["a", "b", "coluna_3"],
        warnings=["mais"],
    )
    yield case("csv/one_row.csv", "a,b\n1,x\n", "one row", AB, "1|x")
    yield case(
        "csv/header_only.csv",
        "nome,valor\n",
        "a header and no rows is a table of no rows",
        "nome:text valor:text",
        [],
    )
    yield case(
        "csv/header_only_no_newline.csv",
        "nome;valor",
        "the same without a line end",
        "nome:text valor:text",
        [],
    )
    rows = [[str(n), f"nome {n}", f"{n},50"] for n in range(1, 2_001)]
    yield case(
        "csv/two_thousand_rows.csv",
        "n;nome;valor\n" + "".join(";".join(row) + "\n" for row in rows),
        "more rows than any sample",
        "n:integer nome:text valor:decimal",
        rows,
    )
    late = [[str(n), "x"] for n in range(1, 3_000)] + [["3000A", "x"]]
    yield case(
        "csv/exception_in_last_row.csv",
        "n,b\n" + "".join(",".join(row) + "\n" for row in late),
        "every row is judged",
        "n:text b:text",
        late,
    )
    sales = [f"{n:02}/03/2024;Loja {n};{n * 10},50;{n}" for n in range(1, 13)]
    yield case(
        "csv/row_of_another_delimiter.csv",
        "".join(
            f"{line}\n"
            for line in ["data;loja;valor;itens", *sales[:6], "07/03/2024\tLoja 7\t70,50\t7", *sales[7:]]
        ),
        "a row that was pasted from a spreadsheet has tabs",
        "data:date loja:text valor:decimal itens:integer",
        [[f"{n:02}/03/2024", f"Loja {n}", f"{n * 10},50", str(n)] for n in range(1, 13)],
        warnings=["REPAIRED_ROWS [8]"],
    )


def encodings() -> Iterator[Case]:
    """Bytes to characters."""
    text, columns, rows = (
        "nome;cidade\nJosé;São Paulo\nAção;Belém\n",
        "nome:text cidade:text",
        "José|São Paulo\nAção|Belém",
    )
    yield case("csv/utf8.csv", text, "UTF-8", columns, rows)
    yield case(
        "csv/utf8_bom.csv",
        text,
        "a byte order mark is not part of the first label",
        columns,
        rows,
        encoding="utf-8-sig",
    )
    yield case("csv/utf16_le_bom.csv", text, "Excel's 'Unicode text'", columns, rows, encoding="utf-16")
    yield case("csv/utf16_be_bom.csv", b"\xfe\xff" + text.encode("utf-16-be"), "big-endian", columns, rows)
    yield case("csv/utf16_le.csv", text, "no byte order mark", columns, rows, encoding="utf-16-le")
    yield case(
        "csv/utf16_be.csv", text, "no byte order mark, big-endian", columns, rows, encoding="utf-16-be"
    )
    yield case(
        "csv/utf16_tab.csv",
        text.replace(";", "\t").replace("\n", "\r\n"),
        "what Excel saves as Unicode text",
        columns,
        rows,
        encoding="utf-16",
    )
    yield case("csv/cp1252.csv", text, "Windows' Latin", columns, rows, encoding="cp1252")
    yield case(
        "csv/cp1252_signs.csv",
        "item;obs\nA;10 € – “novo”\nB;5 € … ‘velho’\n",
        "signs that ISO 8859-1 has not",
        "item:text obs:text",
        "A|10 € – “novo”\nB|5 € … ‘velho’",
        encoding="cp1252",
    )
    yield case(
        "csv/cp1252_one_sign.csv",
        "item;custo (£)\nMesa;12,50\nBanco;9,90\n",
        "a sign beside no letter is none in another code page",
        "item:text custo:decimal",
        "Mesa|12,50\nBanco|9,90",
        labels=["item", "custo (£)"],
        encoding="cp1252",
    )
    yield case(
        "csv/cp1252_rare_signs.csv",
        "item;marca;qtd\nMesa †;Glow™;12\nBanco ††;Sit™;7\nCama ‡;«Flat»;9\nSofá;Tall™;5\n",
        "signs at the edge of a word are no letters of another code page",
        "item:text marca:text qtd:integer",
        "Mesa †|Glow™|12\nBanco ††|Sit™|7\nCama ‡|«Flat»|9\nSofá|Tall™|5",
        encoding="cp1252",
    )
    yield case(
        "csv/cp1252_header.csv",
        "código;descrição\n1;x\n2;y\n",
        "accents in the header only",
        "codigo:text descricao:text",
        "1|x\n2|y",
        labels=["código", "descrição"],
        encoding="cp1252",
    )
    ascii_rows = [[str(n), "texto sem acento"] for n in range(1, 4_000)]
    body = "n;t\n" + "".join(";".join(row) + "\n" for row in ascii_rows)
    yield case(
        "csv/cp1252_last_byte.csv",
        (body + "4000;fim é").encode("cp1252"),
        "the only accent is the last byte",
        "n:integer t:text",
        [*ascii_rows, ["4000", "fim é"]],
    )
    yield case(
        "csv/utf8_late.csv",
        body + "4000;fim é\n",
        "the only accent is in the last line, in UTF-8",
        "n:integer t:text",
        [*ascii_rows, ["4000", "fim é"]],
    )
    yield case(
        "csv/emoji.csv",
        "a,b\n1,😀👍🏽\n2,日本語\n",
        "characters beyond the first plane",
        AB,
        "1|😀👍🏽\n2|日本語",
    )
    yield case(
        "csv/combining.csv",
        "a,b\n1,Sa\u0303o\n2,Joa\u0303o\n",
        "decomposed accents are kept as they are",
        AB,
        [["1", "Sa\u0303o"], ["2", "Joa\u0303o"]],
    )
    yield case(
        "csv/combining_header.csv",
        "Prec\u0327o me\u0301dio,b\n1,x\n",
        "a decomposed label has the name of the composed one",
        "preco_medio:integer b:text",
        "1|x",
        labels=["Prec\u0327o me\u0301dio", "b"],
    )
    yield case(
        "csv/nul.csv",
        "a,b\n1,x\x00y\n2,z\n",
        "PostgreSQL's text has no NUL",
        AB,
        "1|xy\n2|z",
        warnings=["NUL"],
    )
    yield case(
        "csv/no_break_space.csv",
        "a;b\nx;R$\u00a01.234,56\ny;R$\u00a07,00\n",
        "a no-break space between sign and digits",
        "a:text b:decimal",
        [["x", "R$\u00a01.234,56"], ["y", "R$\u00a07,00"]],
        values="x|1234.56\ny|7.00",
    )


def headers() -> Iterator[Case]:
    """Which row names the columns, and what they are called."""
    yield case(
        "csv/dates_as_labels.csv",
        "conta;01/01/2024;01/02/2024\nReceita;100,50;200,00\nDespesa;50,25;60,75\n",
        "months side by side: dates above amounts are labels",
        "conta:text _01_01_2024:decimal _01_02_2024:decimal",
        "Receita|100,50|200,00\nDespesa|50,25|60,75",
        labels=["conta", "01/01/2024", "01/02/2024"],
    )
    yield case(
        "csv/numbers_as_labels.csv",
        "aluno,1001,1002\nAna,TRUE,FALSE\nBia,FALSE,FALSE\nCaio,TRUE,TRUE\n",
        "numbers above booleans are labels",
        "aluno:text _1001:boolean _1002:boolean",
        "Ana|TRUE|FALSE\nBia|FALSE|FALSE\nCaio|TRUE|TRUE",
        labels=["aluno", "1001", "1002"],
    )
    yield case(
        "csv/commented_header.csv",
        "# gerado em 05/03/2024\n#cod\tnome\tvalor\n1\tAna\t2.5\n2\tBia\t3.5\n",
        "the comment right above headerless rows names their columns",
        "cod:text nome:text valor:decimal",
        "1|Ana|2.5\n2|Bia|3.5",
        labels=["#cod", "nome", "valor"],
        lines=[3, 4],
    )
    yield case(
        "csv/labels_in_brackets.csv",
        "<DATE>\t<TICKER>\t<CLOSE>\n05/03/2024\tABCD3\t2.5\n06/03/2024\tABCD3\t3.5\n",
        "labels in angle brackets, as trading platforms write them, are no XML",
        "date:date ticker:text close:decimal",
        "05/03/2024|ABCD3|2.5\n06/03/2024|ABCD3|3.5",
        labels=["<DATE>", "<TICKER>", "<CLOSE>"],
    )
    yield case(
        "csv/markup_in_first_cell.csv",
        "<b>Produto</b>,valor\n<b>Caneta</b>,2.5\n<b>Lápis</b>,3.5\n",
        "markup in cells is no XML",
        "b_produto_b:text valor:decimal",
        "<b>Caneta</b>|2.5\n<b>Lápis</b>|3.5",
        labels=["<b>Produto</b>", "valor"],
    )
    yield case(
        "csv/no_header.csv",
        "1,Ana,10.5\n2,Bia,20.5\n3,Caio,30.5\n",
        "the first row is data",
        "coluna_1:integer coluna_2:text coluna_3:decimal",
        "1|Ana|10.5\n2|Bia|20.5\n3|Caio|30.5",
        dialect={"header_line": None},
        lines=[1, 2, 3],
    )
    yield case(
        "csv/no_header_dates.csv",
        "01/02/2024;100\n02/02/2024;200\n03/02/2024;300\n",
        "dates and numbers name nothing",
        "coluna_1:date coluna_2:integer",
        "01/02/2024|100\n02/02/2024|200\n03/02/2024|300",
        dialect={"header_line": None},
    )
    yield case(
        "csv/accents_in_header.csv",
        "Preço Médio (R$),Nº do Pedido,E-mail\n1.5,7,a@b.c\n2.5,8,d@e.f\n",
        "labels to names",
        "preco_medio_r:decimal no_do_pedido:integer e_mail:text",
        "1.5|7|a@b.c\n2.5|8|d@e.f",
        labels=["Preço Médio (R$)", "Nº do Pedido", "E-mail"],
    )
    yield case(
        "csv/duplicate_labels.csv",
        "nome,valor,nome,Nome\nx,1,y,z\nw,2,v,u\n",
        "names are made distinct",
        "nome:text valor:integer nome_2:text nome_3:text",
        "x|1|y|z\nw|2|v|u",
        labels=["nome", "valor", "nome", "Nome"],
    )
    yield case(
        "csv/blank_label.csv",
        "a,,c\n1,x,2\n3,y,4\n",
        "a blank label is numbered by its place",
        "a:integer coluna_2:text c:integer",
        "1|x|2\n3|y|4",
    )
    yield case(
        "csv/id_label.csv",
        "id,ID,nome\n1,5,x\n2,6,y\n",
        "id is ours",
        "id_original:integer id_original_2:integer nome:text",
        "1|5|x\n2|6|y",
        labels=["id", "ID", "nome"],
    )
    yield case(
        "csv/leading_digit.csv",
        "2024 total,1o nome\n1,x\n2,y\n",
        "a name does not begin with a digit",
        "_2024_total:integer _1o_nome:text",
        "1|x\n2|y",
        labels=["2024 total", "1o nome"],
    )
    yield case(
        "csv/reserved_words.csv",
        "user,order,select\na,1,x\nb,2,y\n",
        "SQL's words are fine",
        "user:text order:integer select:text",
        "a|1|x\nb|2|y",
    )
    yield case(
        "csv/system_column.csv",
        "ctid,nome\n1,x\n2,y\n",
        "PostgreSQL's own names are not available",
        "ctid_original:integer nome:text",
        "1|x\n2|y",
        labels=["ctid", "nome"],
    )
    label = "descrição detalhada do produto conforme cadastro interno da empresa matriz"
    yield case(
        "csv/long_label.csv",
        f"{label},b\n1,x\n",
        "PostgreSQL's names have 63 bytes",
        "descricao_detalhada_do_produto_conforme_cadastro_interno_da_emp:integer b:text",
        "1|x",
        labels=[label, "b"],
    )
    yield case(
        "csv/years_as_labels.csv",
        "uf,2019,2020,2021\nSP,10.5,11.5,12.5\nRJ,20.5,21.5,22.5\nMG,30.5,31.5,32.5\n",
        "years name columns",
        "uf:text _2019:decimal _2020:decimal _2021:decimal",
        "SP|10.5|11.5|12.5\nRJ|20.5|21.5|22.5\nMG|30.5|31.5|32.5",
        labels=["uf", "2019", "2020", "2021"],
    )
    yield case(
        "csv/one_column_times.csv",
        "hora\n10:30\n11:30\n12:30\n13:30\n14:30\n15:30\n16:30\n17:30\n",
        "the colon within times cuts nothing",
        "hora:text",
        "10:30\n11:30\n12:30\n13:30\n14:30\n15:30\n16:30\n17:30",
    )
    yield case(
        "csv/one_column_money.csv",
        "R$ 1.234,56\nR$ 10,00\nR$ 7,50\n",
        "the decimal comma of amounts in one column cuts nothing",
        "coluna_1:decimal",
        "R$ 1.234,56\nR$ 10,00\nR$ 7,50",
    )
    yield case(
        "csv/days_as_labels.csv",
        "Nome;1;2;3;4;Total\nAna;8;0;8;4;20\nBia;4;4;4;4;16\n",
        "numbers that count on from 1 between other labels are labels",
        "nome:text _1:integer _2:integer _3:integer _4:integer total:integer",
        "Ana|8|0|8|4|20\nBia|4|4|4|4|16",
        labels=["Nome", "1", "2", "3", "4", "Total"],
    )
    yield case(
        "csv/symbols_as_label.csv",
        "%,$$,b\n1,2,x\n3,4,y\n",
        "nothing of the label can be kept",
        "coluna_1:integer coluna_2:integer b:text",
        "1|2|x\n3|4|y",
        labels=["%", "$$", "b"],
    )
    yield case(
        "csv/all_text.csv",
        "nome,cidade,uf\nAna,Recife,PE\nBia,Natal,RN\nCaio,Belém,PA\n",
        "a header over text only",
        "nome:text cidade:text uf:text",
        "Ana|Recife|PE\nBia|Natal|RN\nCaio|Belém|PA",
    )
    yield case(
        "csv/blanks_around_labels.csv",
        " nome , valor \nx,1\ny,2\n",
        "a label is shown without the blanks around it",
        "nome:text valor:integer",
        "x|1\ny|2",
    )


def surroundings() -> Iterator[Case]:
    """Titles above, notes and totals below."""
    columns, rows = "mes:text valor:decimal", "jan|1,50\nfev|2,50\nmar|3,50"
    body = "mes;valor\njan;1,50\nfev;2,50\nmar;3,50\n"
    yield case(
        "csv/title_with_delimiters.csv",
        "Espectro novo, amostra 22, 11 de fevereiro\nonda,%T\n4000.00,98.78\n3999.00,98.79\n3998.00,98.78\n",
        "a title cut by commas is no header where the line right above the values names every column",
        "onda:decimal t:decimal",
        "4000.00|98.78\n3999.00|98.79\n3998.00|98.78",
        labels=["onda", "%T"],
        lines=[3, 4, 5],
        warnings=["1 linha acima da tabela"],
    )
    yield case(
        "csv/title_above.csv",
        "Relatório de vendas\n" + body,
        "a title above the header",
        columns,
        rows,
        dialect={"header_line": 2},
        lines=[3, 4, 5],
    )
    yield case(
        "csv/title_and_blank_above.csv",
        "Relatório de vendas;\nEmitido em 01/02/2024;\n;\n" + body,
        "titles padded with delimiters",
        columns,
        rows,
        dialect={"header_line": 4},
    )
    yield case(
        "csv/comments_above.csv",
        "# gerado pelo sistema\n# versão 2\n" + body,
        "comment lines above the header",
        columns,
        rows,
        dialect={"header_line": 3},
    )
    yield case(
        "csv/blank_lines_above.csv",
        "\n\n" + body,
        "the header is not on line 1",
        columns,
        rows,
        dialect={"header_line": 3},
    )
    yield case(
        "csv/note_below.csv",
        body + "\nFonte: IBGE, 2024\n",
        "a source below the table is not a row",
        columns,
        rows,
        warnings=["Fonte: IBGE"],
    )
    yield case(
        "csv/total_below.csv",
        body + "Total;7,50\n",
        "a total is not one row more; it is named",
        columns,
        rows,
        warnings=["Total"],
    )
    yield case(
        "csv/header_repeated.csv",
        "a,b\n1,x\na,b\n2,y\n",
        "a report's pages repeat the header",
        AB,
        "1|x\n2|y",
        warnings=["cabeçalho"],
        lines=[2, 4],
    )
    yield case(
        "csv/header_repeated_otherwise.csv",
        'a,"b",c\n1,x,2\na,b,c\n2,y,3\na,b\n3,z\n',
        "the header is repeated without its quotes, and with fewer columns",
        "a:integer b:text c:integer?",
        "1|x|2\n2|y|3\n3|z|∅",
        warnings=["2 linhas que repetem o cabeçalho"],
        lines=[2, 4, 6],
    )
    yield case(
        "csv/units_below_header.csv",
        "produto;peso;preco\n;(kg);(R$)\ncaneta;0,5;1,50\nlápis;0,3;0,75\n",
        "a second header line gives units",
        "produto:text peso_kg:decimal preco_r:decimal",
        "caneta|0,5|1,50\nlápis|0,3|0,75",
        labels=["produto", "peso (kg)", "preco (R$)"],
    )
