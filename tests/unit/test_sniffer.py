"""The dialect of a sample of lines."""

import io

import pytest

from managed_tables.documents.statements import TableStatement
from managed_tables_reader.rows.reading import Overrides, Stated
from managed_tables_reader.text.choosing import align, choose, collapse
from managed_tables_reader.text.dialect import Dialect


def sniff(lines: list[str]) -> Dialect:
    return choose(lines, Overrides(TableStatement(file=0)), Stated(), is_whole=True)[0].dialect


def is_aligned(lines: list[str], **stated: str | None) -> bool:
    return (
        choose(lines, Overrides(TableStatement(file=0, **stated)), Stated(), is_whole=True)[0].change is align
    )  # type: ignore[arg-type]


def _sniff(text: str) -> Dialect:
    return sniff(io.StringIO(text, newline="").readlines())


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1,5;2,5\n3,5;4,5\n", ";"),
        ("a\tb c\n1\t2 3\n", "\t"),
        ("id|nome|v\n1|a, b; c|2\n2|d|3\n", "|"),
        ("id||nome\n1||a\n2||b\n", "||"),
        ("n;;nome\n1;;Ana\n2;;Bia\n3;;Caio\n", ";"),
        ("id^nome^v\n1^a b^2\n2^c d^3\n", ""),
        ("email\n" + "".join(f"ana{n}@exemplo.com.br\n" for n in range(10, 50)), ""),
        ("tensao\n" + "".join(f"1.1585{n}e+02\n" for n in range(10, 50)), ""),
        ("fone\n" + "".join(f"+55 81 980{n}-10{n}\n" for n in range(10, 50)), ""),
        ("a;b\n" + '"POLYGON ((1.5 2.5,3.5 4.5,5.5 6.5))";1\n' * 9, ";"),
        ("".join(f'"POLYGON (({n}.5 2.5,3.{n} 4.5,5.5 {n}.5))";{n};Comuna {n}\n' for n in range(15)), ";"),
        (
            "id,nome,porque\n"
            + "".join(f"{n},N{n},Uma frase longa de {n} palavras; sem sentido algum.\n" for n in range(9)),
            ",",
        ),
        ("id\x1fnome\n1\x1fa\n", "\x1f"),
        ("id§nome§v\n1§a, b§2\n", "§"),
        ("a, b, c\n1, 2, 3\n", ", "),
        ('nome,obs\nAna,"a; b; c"\nBia,"d; e; f"\n', ","),
        ("# aviso; importante\nid,nome\n1,Ana\n2,Bia\n", ","),
        ("Título\n\nid;nome;v\n1;Ana;2\n2;Bia;3\n", ";"),
        ("nome\nAna\nJosé, Maria\nÉrica; Zé\n", ""),
        ("data\n2020-01-02\n2020-01-03\n", ""),
        ("sep=;\na;b,c\n", ";"),
        ("Nome\nAna Lima\nBia Reis\nCaio Dias\n", ""),
        ("Ana Lima\nBia Reis\nCaio Dias\n", ""),
        ("Lote 1\nLote 2\nLote 3\n", ""),
        ("nome idade\nAna 10\nBia 20\n", " "),
        ("2024-01-01 10:00:00 INFO início\n2024-01-01 10:00:05 WARN fim\n", " "),
        ('"a" "b" "c"\n' + "".join(f'"{n}" 0.5 "x" {n}\n' for n in range(1, 9)), " "),
        ("n nome obs\n" + '1 Ana "a b"\n2 Bia Sá "c d"\n3 Caio "e f"\n4 Davi Reis "g h"\n' * 3, " "),
        ("hora\n" + "".join(f"1{n}:30\n" for n in range(9)), ""),
        ("01/02/2024 10:00\n02/02/2024 11:30\n", ""),
        ("valor\n1,5\n2,75\n10,25\n", ""),
        ("R$ 1.234,56\nR$ 10,00\nR$ 7,50\n", ""),
        ("1,5\n2,7\n3,9\n", ","),
        ("hora,n\n12:30:01,5\n12:30:02,6\n", ","),
        ("cidade\nCampinas, SP\nSantos, SP\nOlinda, PE\n", ""),
        ("Lista\n'a','b'\n'c','d'\n'e','f'\n", ","),
        ("id,texto\n" + '1,"# um\n||x|| y\n||z|| w"\n2,"# dois\n||x|| y\n||z|| w"\n' * 9, ","),
        ("texto,uf\n" + '"Uma frase de seis palavras só.\nOutra frase de seis palavras, fim.",SP\n' * 9, ","),
    ],
)
def test_the_delimiter_splits_lines_consistently(text: str, delimiter: str) -> None:
    assert _sniff(text).delimiter == delimiter


def test_apostrophes_quote_only_at_the_edges_of_cells() -> None:
    assert _sniff("id,nome\n1,'Silva, Ana'\n2,'Souza, Bia'\n").quote == "'"
    assert _sniff("id,nome\n1,Joana D'Arc\n2,d'Ávila\n").quote == '"'


def test_a_backslash_escapes_if_quotes_follow_it_inside_cells() -> None:
    assert _sniff('id,nome\n1,"a ""b"" c"\n2,"a \\"b\\" c"\n').escape == "\\"
    assert _sniff('id,pasta\n1,"C:\\dir\\"\n2,"x ""y"" z"\n').escape == ""


def test_columns_aligned_by_blanks_are_recognised() -> None:
    lines = ["id   nome        valor\n", "1    Ana Maria   10,00\n", "22   Bia         7,50\n"]
    assert is_aligned(lines)
    assert is_aligned([' 490,02 Luva 3"\n', " 113,87 Papel A4\n", "1895,93 Caneta azul\n"] * 4)
    assert not is_aligned(["a;b\n", "1;x  y\n"])


def test_columns_aligned_by_blanks_are_recognised_below_titles_and_a_separator_line() -> None:
    lines = [
        "Loja Azul             Folha: 1\n",
        "Estoque\n",
        "CODIGO   NOME       UM   CUSTO\n",
        "-------- ---------- -- -------\n",
        "AA001    Parafuso   UN    1,50\n",
        "AA002    Porca      UN    0,75\n",
    ]
    assert is_aligned(lines)


def test_a_tab_or_a_stated_quote_lets_no_comma_cut_aligned_columns() -> None:
    lines = ["Nome  Valor\n", *(f"Ana Lia  {number},50\n" for number in range(10, 20))]
    assert is_aligned([*lines, "total\t12\n"])
    assert is_aligned(lines, quote='"')
    assert is_aligned(lines, quote=None)


def test_a_title_with_a_comma_lets_no_comma_cut_aligned_columns() -> None:
    title = ["Empresa X, filial 2\n", "\n"]
    texts = ["azul", "item porca", "rua das flores", "casa", "tubo verde"] * 4
    assert is_aligned(
        [*title, *(f"{place * 731},{place + 17}  {text}\n" for place, text in enumerate(texts, 3))]
    )


@pytest.mark.parametrize(
    "lines",
    [
        ["x      y      z\n", *(f"{number}   {number}.5   {number}.25\n" for number in range(10, 20))],
        ["  x   y  z\n", *(f"{number} {number}  {number}.5   {number * 3}\n" for number in range(1, 9))],
    ],
)
def test_aligned_words_are_read(lines: list[str]) -> None:
    [found, *_] = choose(lines, Overrides(TableStatement(file=0)), Stated(), is_whole=True)
    assert (found.change, found.layout.width) == (collapse, len(lines[1].split()))


def test_odd_quotes_that_no_way_reads_better_keep_their_delimiter() -> None:
    odd = ('Otávio";5;x', 'Ana "Maria;6;"Bolsa ""Couro"""', 'Bia;8;Tubo 3/4";', '1"023;6;Tubo 3/4"')
    even = ('João;5;"Faca; boa"', 'João;9;"Bolsa ""Couro"""', 'João;7;Bolsa "Couro"', *("Rui;7;Copo",) * 16)
    assert _sniff("\n".join(("nome;dia;item", *even, *odd, ""))).delimiter == ";"


def test_short_rows_below_titles_keep_their_delimiter() -> None:
    rows = "1;05/03/2024;2,5\n2;06/03/2024;3,5;x\n3;07/03/2024;4,5\n"
    assert _sniff(f"Vendas\ncod;dia;valor;nota\n{rows}").delimiter == ";"
    assert _sniff("obs\na; b; c\nd; e\nf\n").delimiter == ""
