"""Cases of reports: what programs and public bodies write above, below and between the rows of a table."""

from collections.abc import Iterator

from case import Case, case


def cases() -> Iterator[Case]:
    """Yield every case of this module."""
    yield from above()
    yield from below()
    yield from between()


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
        warnings=["LINES_ABOVE [1, 2, 3, 4, 5]"],
    )
    yield case(
        "reports/balance_above.csv",
        "SALDO_INICIAL;CREDITOS;SALDO_FINAL\n1.000,00;500,00;1.500,00\n\n"
        "DATA;TIPO;REFERENCIA;VALOR\n01-02-2024;Liberação;99;400,00\n02-02-2024;Liberação;98;100,00\n",
        "a table of one row stands above the table, a blank line between them",
        "data:date tipo:text referencia:integer valor:decimal",
        "01-02-2024|Liberação|99|400,00\n02-02-2024|Liberação|98|100,00",
        labels=["DATA", "TIPO", "REFERENCIA", "VALOR"],
        lines=[5, 6],
        warnings=["LINES_ABOVE [1, 2]"],
    )
    yield case(
        "reports/three_header_lines.csv",
        ";Entrada;;Saída;\n;2023;2024;2023;2024\nMês;R$;R$;R$;R$\nJan;1,00;2,00;3,00;4,00\nFev;1,50;2,50;3,50;4,50\n",
        "labels that are all the same take their groups' names",
        "mes:text entrada_2023_r:decimal entrada_2024_r:decimal saida_2023_r:decimal saida_2024_r:decimal",
        "Jan|1,00|2,00|3,00|4,00\nFev|1,50|2,50|3,50|4,50",
        labels=["Mês", "Entrada 2023 R$", "Entrada 2024 R$", "Saída 2023 R$", "Saída 2024 R$"],
    )
    yield case(
        "reports/group_ends_the_one_below.csv",
        "Obra;Equipe;;;;Todos;\n;Pedreiros;;Total;;;\n;Pessoas;Horas;Pessoas;Horas;Pessoas;Horas\n"
        "Ponte;14;12,5;31;28,2;45;40,7\nTúnel;7;6,1;12;11,4;19;17,5\nDique;22;20,3;40,5;37,9;62;58,2\n",
        "a group in the first line of a header ends those in the second",
        "obra:text equipe_pedreiros_pessoas:integer equipe_pedreiros_horas:decimal equipe_total_pessoas:decimal"
        " equipe_total_horas:decimal todos_pessoas:integer todos_horas:decimal",
        "Ponte|14|12,5|31|28,2|45|40,7\nTúnel|7|6,1|12|11,4|19|17,5\nDique|22|20,3|40,5|37,9|62|58,2",
        labels=[
            "Obra",
            "Equipe Pedreiros Pessoas",
            "Equipe Pedreiros Horas",
            "Equipe Total Pessoas",
            "Equipe Total Horas",
            "Todos Pessoas",
            "Todos Horas",
        ],
    )
    yield case(
        "reports/title_with_delimiters.csv",
        "Colheita;;;\nCidade;Grão;2021;2022\nSerra Alta;Milho;120;130\nVale Fundo;Milho;80;95\n",
        "years below a title are labels, not values",
        "cidade:text grao:text _2021:integer _2022:integer",
        "Serra Alta|Milho|120|130\nVale Fundo|Milho|80|95",
        labels=["Cidade", "Grão", "2021", "2022"],
    )
    yield case(
        "reports/console_rule.csv",
        "codigo;nome;saldo\n------;----------;------\n1;Ana;2,50\n2;Bia;3,00\n\n(2 rows affected)\n",
        "a database console draws a line under the labels and counts the rows",
        "codigo:text nome:text saldo:decimal",
        "1|Ana|2,50\n2|Bia|3,00",
        warnings=["(2 rows affected)"],
    )
    yield case(
        "reports/label_of_rows_repeated.csv",
        '"Rebanho por município"\n"Município";"Ano x Animal";"Ano x Animal";"Ano x Animal"\n'
        '"Município";"2021";"2022";"2022"\n"Município";"Boi";"Boi";"Cabra"\n'
        '"Serra Alta";"120";"130";"-"\n"Vale Fundo";"80";"95";"7"\n"Fonte: Secretaria da Lavoura"\n',
        "every line of the header begins with the label of the rows",
        "municipio:text ano_x_animal_2021_boi:integer ano_x_animal_2022_boi:integer"
        " ano_x_animal_2022_cabra:integer?",
        "Serra Alta|120|130|-\nVale Fundo|80|95|7",
        labels=["Município", "Ano x Animal 2021 Boi", "Ano x Animal 2022 Boi", "Ano x Animal 2022 Cabra"],
        lines=[5, 6],
    )
    yield case(
        "reports/sections.csv",
        "Extrato\nData;Histórico;Documento;Valor;Saldo\n01/03/2024;Pix recebido;1001;250,00;1.250,00\n"
        "02/03/2024;Boleto;1002;-100,00;1.150,00\n03/03/2024;Tarifa;1003;-10,00;1.140,00\nTotal;;;140,00;\n\n"
        "Lançamentos futuros\nData;Histórico;Documento;Valor;Saldo\n10/04/2024;Boleto;2001;-300,00;840,00\n"
        "11/04/2024;Pix agendado;2002;-40,00;800,00\nTotal;;;-340,00;\n",
        "two sections with the same header are one table, the total and the title between them no rows",
        "data:date historico:text documento:integer valor:decimal saldo:decimal",
        "01/03/2024|Pix recebido|1001|250,00|1.250,00\n02/03/2024|Boleto|1002|-100,00|1.150,00\n"
        "03/03/2024|Tarifa|1003|-10,00|1.140,00\n10/04/2024|Boleto|2001|-300,00|840,00\n"
        "11/04/2024|Pix agendado|2002|-40,00|800,00",
        labels=["Data", "Histórico", "Documento", "Valor", "Saldo"],
        lines=[3, 4, 5, 10, 11],
        warnings=["SECTION_LINES [6, 8]", "Total 140,00; Lançamentos futuros", "FOOTER [12]"],
    )
    yield case(
        "reports/short_section_first.csv",
        "Data;Histórico;Valor\n01/03/2024;Pix;10,00\nTotal;;10,00\n\nData;Histórico;Valor\n10/04/2024;Boleto;-30,00\n"
        "11/04/2024;Pix agendado;-40,00\n12/04/2024;Pix agendado;-4,00\nTotal;;-74,00\n",
        "a section of one row is no other table if its header is the same",
        "data:date historico:text valor:decimal",
        "01/03/2024|Pix|10,00\n10/04/2024|Boleto|-30,00\n11/04/2024|Pix agendado|-40,00\n12/04/2024|Pix agendado|-4,00",
        labels=["Data", "Histórico", "Valor"],
        warnings=["SECTION_LINES [3]"],
    )
    yield case(
        "reports/section_ends_with_words.csv",
        "Nome;Curso;Nota\nAna;Física;7,5\nBia;Química;8,0\nCaio;desistiu;\nNome;Curso;Nota\nDavi;Física;9,0\n"
        "Eva;Química;6,5\n",
        "a row without its value above a repeated header is a row",
        "nome:text curso:text nota:decimal?",
        "Ana|Física|7,5\nBia|Química|8,0\nCaio|desistiu|∅\nDavi|Física|9,0\nEva|Química|6,5",
        labels=["Nome", "Curso", "Nota"],
        warnings=["REPEATED_HEADER [5]"],
    )
    yield case(
        "reports/pages.csv",
        "LOJA AZUL;;;Página: 1 de 2\nBens por sala;;;\nTombo;Descrição;Compra;Valor\n"
        "001;Mesa;01/02/2010;150,00\n002;Cadeira;03/02/2010;75,50\n"
        "LOJA AZUL;;;Página: 2 de 2\nBens por sala;;;\nTombo;Descrição;Compra;Valor\n003;Armário;10/05/2012;450,00\n",
        "what stands above the table stands above it on every page",
        "tombo:text descricao:text compra:date valor:decimal",
        "001|Mesa|01/02/2010|150,00\n002|Cadeira|03/02/2010|75,50\n003|Armário|10/05/2012|450,00",
        labels=["Tombo", "Descrição", "Compra", "Valor"],
        lines=[4, 5, 9],
        warnings=["REPEATED_HEADER [6, 7, 8]"],
    )
    yield case(
        "reports/group_above.csv",
        "Sala: 1;;\nTombo;Descrição;Valor\n001;Mesa;150,00\n002;Cadeira;75,50\n"
        "Sala: 2;;\nTombo;Descrição;Valor\n003;Armário;450,00\n",
        "a line above the table that says something new further down is not passed over",
        "tombo:text descricao:text? valor:decimal?",
        "001|Mesa|150,00\n002|Cadeira|75,50\nSala: 2|∅|∅\n003|Armário|450,00",
        labels=["Tombo", "Descrição", "Valor"],
    )
    yield case(
        "reports/header_of_two_lines_again.csv",
        "Filial;Vendas;;Compras;\n;2023;2024;2023;2024\nSerra;1,50;2,50;3,00;4,00\n"
        "Filial;Vendas;;Compras;\n;2023;2024;2023;2024\nVale;5,00;6,00;7,00;8,25\n",
        "a header of several lines is repeated line by line",
        "filial:text vendas_2023:decimal vendas_2024:decimal compras_2023:decimal compras_2024:decimal",
        "Serra|1,50|2,50|3,00|4,00\nVale|5,00|6,00|7,00|8,25",
        labels=["Filial", "Vendas 2023", "Vendas 2024", "Compras 2023", "Compras 2024"],
    )
    yield case(
        "reports/drawn_box.csv",
        "+------+---------+-------+\n| COD  | NOME    | VALOR |\n+------+---------+-------+\n"
        "| 0001 | Caneta  |  1,50 |\n| 0002 | Caderno | 12,00 |\n+------+---------+-------+\n",
        "a database console draws a box around the table",
        "cod:text nome:text valor:decimal",
        "0001|Caneta|1,50\n0002|Caderno|12,00",
        labels=["COD", "NOME", "VALOR"],
        values=[["0001", "Caneta", "1.50"], ["0002", "Caderno", "12.00"]],
    )
    yield case(
        "reports/drawn_lines.csv",
        "05.02.2024            Lista\n\n---------------------------\n|Pedido|Item   |  Valor  |\n"
        "---------------------------\n|45001 |Porca  |    0,75 |\n|45002 |Arruela|1.250,00-|\n"
        "---------------------------\n|45003 |Prego  |    0,10 |\n---------------------------\n",
        "lines drawn between the rows and below them are no rows",
        "pedido:integer item:text valor:decimal",
        "45001|Porca|0,75\n45002|Arruela|1.250,00-\n45003|Prego|0,10",
        labels=["Pedido", "Item", "Valor"],
        lines=[6, 7, 9],
        warnings=["LINES_ABOVE [1]"],
    )


def below() -> Iterator[Case]:
    """Notes, legends and totals below the rows."""
    yield case(
        "reports/table_below.csv",
        'Canal,Visitas,Novas,Receita\nBusca,"1.234","1.100","R$ 10,50"\nDireto,500,450,"R$ 0,00"\n\n'
        "Dia,Visitas\n01/01/24,900\n02/01/24,834\n",
        "a narrower table stands below the table, a blank line between them",
        "canal:text visitas:integer novas:integer receita:decimal",
        [["Busca", "1.234", "1.100", "R$ 10,50"], ["Direto", "500", "450", "R$ 0,00"]],
        labels=["Canal", "Visitas", "Novas", "Receita"],
        warnings=["Dia Visitas; 01/01/24 900; 02/01/24 834"],
    )
    days = [[f"0{day}/01/2024", f"{day}0,50", f"{day}00,00"] for day in range(1, 7)]
    yield case(
        "reports/table_below_with_its_total.csv",
        "Data;Valor;Saldo\n" + "".join(f"{';'.join(day)}\n" for day in days) + "\n\nNome;Cargo;Cidade\n"
        "Ana;Gerente;Recife\nBruno;Analista;Natal\nCarla;Gerente;Recife\nTotal;3;\nFonte: RH\n",
        "all lines of another table are told, its total and its source among them",
        "data:date valor:decimal saldo:decimal",
        days,
        labels=["Data", "Valor", "Saldo"],
        warnings=["[10, 11, 12, 13, 14, 15]"],
    )
    yield case(
        "reports/group_without_values.csv",
        "Nome;Valor;Obs\nAna;1,50;x\nBia;2,50;z\nCris;5,25;\nDora;6,00;\nEva;7,00;\n\nGrupo B;novo;\nCaio;3,00;\nDavi;4,00;y\n",
        "a blank line and words do not make another table where the rows below are as long",
        "nome:text valor:text obs:text?",
        "Ana|1,50|x\nBia|2,50|z\nCris|5,25|∅\nDora|6,00|∅\nEva|7,00|∅\nGrupo B|novo|∅\nCaio|3,00|∅\nDavi|4,00|y",
        labels=["Nome", "Valor", "Obs"],
    )
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
        "mes:date indice_a:decimal indice_b:decimal",
        "2024-01|0,31|0,07\n2024-02|0,28|-0,11",
        labels=["mes", "indice a", "indice b"],
        values="2024-01-01|0.31|0.07\n2024-02-01|0.28|-0.11",
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
    yield case(
        "reports/sentence_of_cells_below.csv",
        "Dia;Loja;Pago\n01/02/2019;Serra;1015,16\n02/02/2019;Vale;431,82\n03/02/2019;Serra;1007,00\n"
        "08/02/2019;Monte;429,17\n10/02/2019;Vale;480,24\nTudo acima foi pago com cartão;;\n",
        "a sentence in a column of dates is no row, though the delimiters follow it",
        "dia:date loja:text pago:decimal",
        "01/02/2019|Serra|1015,16\n02/02/2019|Vale|431,82\n03/02/2019|Serra|1007,00\n"
        "08/02/2019|Monte|429,17\n10/02/2019|Vale|480,24",
        labels=["Dia", "Loja", "Pago"],
        warnings=["FOOTER"],
    )


def between() -> Iterator[Case]:
    """Lines between the rows, and rows that do not match the header."""
    yield case(
        "reports/subtotals.csv",
        "Vendedor;Mês;Valor\nAna;Jan;10,00\nAna;Fev;20,00\nTotal Ana;;30,00\nTotal;Jan;5,00\nBia;Fev;6,00\n",
        "what may be a total stays, and is told",
        "vendedor:text mes:text? valor:decimal",
        "Ana|Jan|10,00\nAna|Fev|20,00\nTotal Ana|∅|30,00\nTotal|Jan|5,00\nBia|Fev|6,00",
        labels=["Vendedor", "Mês", "Valor"],
        warnings=["SUBTOTAL_LINES [4, 5]"],
    )
    yield case(
        "reports/company_called_total.csv",
        "empresa,cidade\nTotal Peças Ltda,Serra Alta\nSubtil Doces,Vale Fundo\n",
        "a company may be called Total",
        "empresa:text cidade:text",
        "Total Peças Ltda|Serra Alta\nSubtil Doces|Vale Fundo",
    )
    yield case(
        "reports/unquoted_decimal_comma.csv",
        "nome,preco\nMesa,5,50\nBanco,7,25\n",
        "a comma that cut a price in two is told",
        "nome:text preco:integer coluna_3:integer",
        "Mesa|5|50\nBanco|7|25",
        warnings=["NAMELESS_COLUMNS"],
    )
