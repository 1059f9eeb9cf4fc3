"""Which layouts the search tries, and what it finds."""

import pytest
from text_grids import grid_of

from managed_tables.errors import JobError
from managed_tables_reader.layout.grid import PageHead
from managed_tables_reader.layout.looks import TEXT
from managed_tables_reader.layout.score import Scorer
from managed_tables_reader.layout.search import (
    Grid,
    _splits,
    candidates,
    find_header,
    find_layout,
    find_main,
    find_tables,
    widths,
)
from managed_tables_reader.rows.reading import Stated

KINDS = (TEXT, "number", "number")


def scorer_of(text: str, width: int = 3, *, keeps_ends: bool = False) -> Scorer:
    return Scorer(grid_of(text), width, keeps_ends=keeps_ends)


def test_a_header_has_at_most_six_lines() -> None:
    rows = grid_of("a;b/c;d/e;f/g;h/i;j/k;l/m;n/1;2/3;4")
    tried = [start - first for start, firsts in candidates(rows, len(rows), Stated()) for first in firsts]
    assert max(tried) == 6
    assert min(tried) == 0


def test_the_first_line_of_data_may_be_the_headers() -> None:
    grid = Grid(grid_of("nome;valor/Ana;1,5/Bia;2,5"), keeps_ends=True, is_whole=True)
    below = find_header(grid, Stated(first_line=2))
    at_header = find_header(grid, Stated(first_line=1))
    assert below is not None
    assert at_header is not None
    assert (below.labels, below.data_line) == (["nome", "valor"], 2)
    assert (at_header.labels, at_header.first_line, at_header.data_line) == ([], None, 1)


def test_the_three_most_frequent_widths_are_tried() -> None:
    lines = ["1;2"] * 4 + ["1;2;3"] * 3 + ["1;2;3;4"] * 2 + ["1;2;3;4;5"]
    assert widths(grid_of("/".join(lines))) == [2, 3, 4]


def test_a_line_above_may_begin_with_an_empty_cell() -> None:
    head = PageHead([["", "Relatório anual"], ["Loja Azul"]])
    assert head.has(["", "Relatório anual"])
    assert head.has(["Loja Azul", ""])
    assert not head.has(["", "Relatório mensal"])
    assert head.starts == ((1, "Relatório anual"), (0, "Loja Azul"))


@pytest.mark.parametrize(
    ("text", "is_sentence"),
    [("Pago com um cartão", True), ("Pago com cartão", False), ("Pago com um cartão;x", False)],
)
def test_a_sentence_is_a_single_cell_of_four_words(text: str, is_sentence: bool) -> None:
    [row] = grid_of(text)
    assert row.is_sentence is is_sentence


def test_a_sentence_counts_as_a_footer_only_against_another_kind() -> None:
    body = "/".join(f"{number};Ana;{number}" for number in range(1, 12))
    for kinds, end in ((("number", TEXT, "number"), 11), ((TEXT, TEXT, "number"), 12)):
        scorer = scorer_of(f"{body}/Pago com um cartão;;")
        assert scorer.find_footer(scorer.row_bits(0, kinds), kinds, 0) == end


def test_a_table_below_begins_at_its_title() -> None:
    text = "1;2/Compras/nome;valor/Ana;3/Bia;4"
    assert _splits(grid_of(text.removesuffix("/Bia;4")), 0) == [1, 2]
    assert _splits(grid_of(text.replace("/Compras", "")), 0) == []  # one value with a label is too few, alone
    assert _splits(grid_of(text.removesuffix("/Ana;3/Bia;4")), 0) == []
    assert _splits(grid_of(text), 1) == []  # the title would be the first row of the data


def test_a_columns_kind_pays_for_its_exceptions() -> None:
    mostly = "1;x/2;y/3;z/ab;w/cd;v"
    assert scorer_of(mostly, 2).kinds_by_start(5)[0] == (TEXT, TEXT)
    nearly = "/".join(f"{number}000;x" for number in range(10, 20)) + "/ab;w"
    assert scorer_of(nearly, 2).kinds_by_start(11)[0] == ("number", TEXT)


# What each part of a row or of a place costs


def test_a_column_without_any_value_costs_nothing() -> None:
    with_blank, without = scorer_of("1;2;/3;4;", 3), scorer_of("1;2/3;4", 2)
    kinds = ("number", "number", TEXT)
    assert with_blank.row_bits(0, kinds) == without.row_bits(0, kinds[:2])


def test_words_of_totals_tell_nothing_where_three_in_four_rows_have_them() -> None:
    rows = "Total;1;2/Total;3;4/Total;5;6/Ana;7;8"
    few, enough = (scorer_of(text).row_bits(0, KINDS) for text in (f"{rows}/Bia;9;1", rows))
    assert few[0] > enough[0]


def test_at_most_sixty_lines_are_a_footer() -> None:
    notes = [f"Fonte: {chr(97 + number // 26)}{chr(97 + number % 26)}" for number in range(61)]
    for count, end in ((60, 2), (61, 3)):
        scorer = scorer_of("a;b;c/x;1;2/" + "/".join(notes[:count]), keeps_ends=True)
        assert scorer.find_footer(scorer.row_bits(1, KINDS), KINDS, 1) == end


# What the search tries


@pytest.mark.parametrize(("cells", "rows"), [(1, 300), (100, 300), (150, 200), (1_000, 30), (2_000, 30)])
def test_the_rows_scored_are_the_fewer_the_wider_they_are(cells: int, rows: int) -> None:
    grid = grid_of("/".join([";".join(["1"] * cells)] * 400))
    assert len(Grid(grid, keeps_ends=True, is_whole=True).scored.rows) == rows


def test_a_single_column_is_tried_where_most_rows_have_one_cell() -> None:
    assert widths(grid_of("1/2/3/4;5")) == [2, 1]
    assert widths(grid_of("1/2/3;4")) == [2]
    assert widths(grid_of("1/2")) == [1]
    assert widths(grid_of("1;2/1;2;3/4;5;6;7")) == [4, 3, 2]  # the widest of those as frequent


def test_a_long_sample_ends_where_its_last_rows_say() -> None:
    text = "nome;valor/" + "/".join(f"Ana;{number}" for number in range(1, 400)) + "/Total;79800/Fonte: IBGE"
    found = find_layout(Grid(grid_of(text), keeps_ends=True, is_whole=True))
    assert (found.first, found.start, found.end) == (0, 1, 400)
    assert find_layout(Grid(grid_of(text), keeps_ends=True, is_whole=False)).end == 402


def test_at_most_six_places_are_tried_for_another_table() -> None:
    text = "nome;valor/Ana;1" + "//nome{};valor{}/Ana;1" * 8
    assert len(_splits(grid_of(text.format(*"abcdefghijklmnop")), 1)) == 6


def test_what_surrounds_the_table_is_kept_apart() -> None:
    text = "Vendas do mês/loja;dia;valor/Sul;1;2,50/Sul;2;3,50/Norte;3;4,50//cor;peso/azul;3/verde;4/Total;7"
    header = find_header(Grid(grid_of(text), keeps_ends=True, is_whole=True))
    assert header is not None
    assert (header.first_line, header.last_line, header.line_count, header.data_line) == (2, 2, 1, 3)
    assert (header.end_line, header.footer, header.skipped, header.width) == (7, [], [1], 3)
    assert [[number for number, _ in rows] for rows in header.others] == [[7, 8, 9, 10]]
    assert [*header.lines_above()] == [1]
    assert [finding.code for finding in header.findings()] == ["LINES_ABOVE", "TABLE_APART"]
    assert header.page_head.has(["Vendas do mês"])


def test_a_header_of_texts_above_texts_is_assumed() -> None:
    for text, is_assumed in (
        ("nome;cidade/Ana;Belém/Bia;Natal", True),
        ("nome;valor/Ana;1/Bia;2", False),
        ("nome/Ana/Bia", True),
        ("nome;cidade", False),
    ):
        header = find_header(Grid(grid_of(text), keeps_ends=True, is_whole=True))
        assert header is not None
        assert header.is_assumed is is_assumed, text


def test_a_file_of_labels_alone_has_no_row_of_data() -> None:
    header = find_header(Grid(grid_of("nome;cidade"), keeps_ends=True, is_whole=True))
    assert header is not None
    assert (header.labels, header.data_line) == (["nome", "cidade"], 2)


def test_too_many_columns_are_refused_with_the_headers_line() -> None:
    values = "/".join([";".join("1" * 1_600)] * 4)
    with pytest.raises(JobError, match="linha 1"):
        find_header(Grid(grid_of(values), keeps_ends=True, is_whole=True), name="a.csv")


def test_tables_below_one_another_are_all_found() -> None:
    first = "nome;valor;dia/Ana;1,50;2024-02-01/Bia;2,50;2024-02-02/Caio;3,50;2024-02-03"
    second = "cor;peso/azul;3/verde;4/roxo;5/rosa;6"
    third = "loja;cidade;meta;feito;resto/Sul;Natal;10;4;6/Norte;Belém;20;9;11/Leste;Lima;7;5;2"
    grid = Grid(grid_of(f"{first}//{second}//{third}"), keeps_ends=True, is_whole=True)
    tables = find_tables(grid)
    assert [place for place, _ in tables] == [0, 4, 9]
    assert [(layout.first, layout.start, layout.width) for _, layout in tables] == [
        (0, 1, 3),
        (0, 1, 2),
        (0, 1, 5),
    ]
    assert [find_main(tables, Stated(header_line=line)) for line in (None, 1)] == [1, 0]


@pytest.mark.parametrize("rows", ["", "/Ana;1,50/Bia;2,50"])
def test_a_header_may_be_stated_far_below_the_lines_that_are_searched(rows: str) -> None:
    above = "/".join(f"linha {number}" for number in range(1, 60))
    grid = Grid(grid_of(f"{above}/nome;valor{rows}"), keeps_ends=True, is_whole=True)
    header = find_header(grid, Stated(header_line=60))
    assert header is not None
    assert (header.labels, header.first_line, header.data_line) == (["nome", "valor"], 60, 61)
    assert header.skipped == [*range(1, 60)]
