"""Where a table begins and what its columns are called."""

import pytest
from text_grids import grid_of

from managed_tables_reader.layout.grid import PageHead, make_grid
from managed_tables_reader.layout.search import Grid, Header, find_header, join_labels


def _find(text: str, *, keeps_ends: bool = True) -> Header:
    found = find_header(Grid(grid_of(text), keeps_ends=keeps_ends, is_whole=False))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "labels", "first_line", "data_line"),
    [
        ("nome;valor/Ana;1,5/Bia;2,0", ["nome", "valor"], 1, 2),
        ("Relatório anual//nome;valor;dia/Ana;1,5;01/01/2024".replace("/01", "-01"), None, 3, 4),
        ("PREAMBLE;;;/;;;/a;b;c;d/1;2;3;4", ["a", "b", "c", "d"], 3, 4),
        ("Emitido em;2024-01-01//id;valor/1;10,5/2;20,5", ["id", "valor"], 3, 4),
        ("Emitido em;2024-01-01//nome;cidade/Ana;Belém/Bia;Recife/Caio;Natal", ["nome", "cidade"], 3, 4),
        (";nome;;/1;2;3;4", ["", "nome"], 1, 2),
        ("2022;2023;2024/10;20;30", ["2022", "2023", "2024"], 1, 2),
        ("Produto;2022;2023/A;10;20", ["Produto", "2022", "2023"], 1, 2),
        ("Nome;1;2;3;4;Total/Ana;8;0;8;4;20/Bia;4;4;4;4;16", ["Nome", "1", "2", "3", "4", "Total"], 1, 2),
        ("Nome;01;02;03;04/Ana;M;T;F;N/Bia;T;T;M;M", ["Nome", "01", "02", "03", "04"], 1, 2),
        ("Conta;2024-01;2024-02/A;10,5;20,0/B;1,0;2,5", ["Conta", "2024-01", "2024-02"], 1, 2),
        ("Conta;202312;202401/A;10,5;20,0/B;1,0;2,5", ["Conta", "202312", "202401"], 1, 2),
        ("Conta;31.12.2024;31.12.2023/A;10,5;20,0", ["Conta", "31.12.2024", "31.12.2023"], 1, 2),
        ("Ana;01.01.2024;31.12.2024/Bia;02.01.2024;30.12.2024", [], None, 1),
        ("01.01.2024;31.01.2024/01.02.2024;01.02.2024", [], None, 1),
        ("1;2;3;4/2;3;4;5/9;8;7;6", [], None, 1),
        ("nome;valor;obs/Ana;1,5;x//Grupo B;novo;/Caio;3,0;/Davi;4,0;y", ["nome", "valor", "obs"], 1, 2),
        ("nome;cidade/Ana;Belém/Bia;Recife", ["nome", "cidade"], 1, 2),
        ("a;b/a;b/1;2", ["a", "b"], 1, 2),
        ("peso;altura/(kg);(m)/70;1,8", ["peso (kg)", "altura (m)"], 1, 3),
        (";;Em R$ mil/conta;jan;fev/receita;10;20/custo;5;7/lucro;5;13", ["conta", "jan", "fev"], 2, 3),
        (";;(em milhares)/conta;jan;fev/receita;10;20/custo;5;7", ["conta", "jan", "fev"], 2, 3),
        (";1;2;3;4/x;5;6;7;8/y;9;1;2;3/z;4;5;6;7", ["", "1", "2", "3", "4"], 1, 2),
        ("notas de/várias;linhas/id;nome;valor/1;Ana;2/2;Bia;3", ["id", "nome", "valor"], 3, 4),
    ],
)
def test_the_header_is_found_below_titles(
    text: str, labels: list[str] | None, first_line: int, data_line: int
) -> None:
    found = _find(text)
    assert (found.first_line, found.data_line) == (first_line, data_line)
    assert labels is None or found.labels == labels


def test_a_row_right_below_the_header_that_is_there_again_is_a_row() -> None:
    """No remark about the columns, no second line of the header, and no head of a page."""
    rows = ["Cidade;*;*;*" if number % 3 == 0 else f"C{number};{number};2;3" for number in range(60)]
    found = _find("/".join(["municipio;a;b;c", *rows]))
    assert (found.first_line, found.line_count, found.data_line, found.skipped) == (1, 1, 2, [])


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("a;n/q;1/q;abc/r;2", []),
        ("cidade;pop/a;12 (1)/b;13/c;15 (2)/d;17", []),
        ("produto;valor/caneta;10,50/lápis;11,20/borracha;grátis/régua;3,40/livro;30,00", []),
        ("produto;valor/a;1/b;2/Total;3/filial;valor/x;10/y;20/Total;30", [5]),
        ("produto;v;q/a;1;2/b;3;4/cidade;w;z/d;7;8", [4]),
    ],
)
def test_one_word_among_values_begins_no_other_table(text: str, lines: list[int]) -> None:
    """A header names two columns, or one as the header above does."""
    assert _find(text).joined == lines


@pytest.mark.parametrize(
    ("lines", "labels"),
    [
        (
            ";Vendas;;;/;Jan;;Fev;/Item;Qtd;R$;Qtd;R$",
            "Item;Vendas Jan Qtd;Vendas Jan R$;Vendas Fev Qtd;Vendas Fev R$",
        ),
        (
            ";Vendas;Vendas;Vendas;Vendas/;Jan;;Fev;/Item;Qtd;R$;Qtd;R$",
            "Item;Vendas Jan Qtd;Vendas Jan R$;Vendas Fev Qtd;Vendas Fev R$",
        ),
        (";Obra;;Todos/;Total;;/Item;Qtd;R$;Qtd", "Item;Obra Total Qtd;Obra Total R$;Todos Qtd"),
        ("Item;V;V/;a;", "Item;V a;V"),
        ("Item;V;;W/;a;b;", "Item;V a;V b;W"),
    ],
)
def test_labels_of_several_lines_are_joined_by_group(lines: str, labels: str) -> None:
    assert join_labels([line.split(";") for line in lines.split("/")], []) == labels.split(";")


@pytest.mark.parametrize(
    "text",
    [
        "Ana;01310-100;1/Bia;01310-200;2",
        "28-01-2018;00:00;2;MG-1/29-01-2018;00:15;0;RI-2",
        "Alice;Jones/Bob;Mathews/Alice;Jones/Bob;Jones",
        "1;2/3;4",
    ],
)
def test_data_in_the_first_line_means_no_header(text: str) -> None:
    found = _find(text)
    assert (found.first_line, found.labels, found.data_line) == (None, [], 1)


def test_a_merged_group_names_each_column_under_it() -> None:
    found = _find("Cliente;;2024;/id;nome;jan;fev/1;Ana;1,5;2,5", keeps_ends=False)
    assert found.labels == ["Cliente id", "Cliente nome", "2024 jan", "2024 fev"]
    assert (found.first_line, found.data_line) == (1, 3)


def test_a_blank_label_without_cells_below_is_dropped() -> None:
    assert _find("a;;b;c/1;2;3/4;5;6").labels == ["a", "b", "c"]


def test_a_grid_of_blanks_has_no_table() -> None:
    assert find_header(Grid(make_grid([(1, 1, [None, " "], None), (2, 2, [], None)]), False, True)) is None


@pytest.mark.parametrize("blank", ["\x1f", "\u2003", "\x85"])
def test_a_row_of_any_blanks_is_none_of_the_grid(blank: str) -> None:
    assert _find(f"a/{blank}/{blank}/{blank}").labels == ["a"]


TWO, THREE = (["1"] * count for count in (2, 3))


@pytest.mark.parametrize(
    ("lines", "below", "labels"),
    [
        ([["a", 'b"c']], [TWO] * 2, ["a", 'b"c']),
        ([["a", "", "b"]], [TWO] * 2, ["a", "b"]),
        ([["a", "", "b"]], [THREE] * 2, ["a", "", "b"]),
        ([["a", "", " ", "b"]], [TWO] * 2, ["a", "", " ", "b"]),
        ([["A", None, "B"], ["x", "y", "z"]], [THREE], ["A x", "A y", "B z"]),
        ([["A", None, None], ["x", "y", None]], [], ["A x", "A y"]),
        ([["A", "A"], ["x", "A"]], [], ["A x", "A"]),
        ([["\ufeffa", " b "]], [TWO], ["a", " b "]),
        ([[" a  b "], ["\ufeffc"]], [], ["a b c"]),
        ([], [], []),
    ],
)
def test_labels_are_joined_and_repaired(
    lines: list[list[str | None]], below: list[list[str | None]], labels: list[str]
) -> None:
    assert join_labels(lines, below) == labels


@pytest.mark.parametrize(
    ("first", "last", "data", "above"),
    [(3, 4, 6, [1, 2, 5]), (3, 3, 4, [1, 2]), (None, None, 3, [1, 2]), (1, 1, 2, [])],
)
def test_lines_above_the_data_exclude_the_header(
    first: int | None, last: int | None, data: int, above: list[int]
) -> None:
    found = Header([], [], 2, first, last, 1, data, (), PageHead())
    assert list(found.lines_above()) == above
