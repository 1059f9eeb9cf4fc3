"""What the score charges for, and which layouts the search tries."""

import pytest

from managed_tables_analyze.layout import weights
from managed_tables_analyze.layout.grid import GridRow, make_grid
from managed_tables_analyze.layout.looks import TEXT
from managed_tables_analyze.layout.pages import PageHead, find_repeats
from managed_tables_analyze.layout.score import Scorer
from managed_tables_analyze.layout.search import (
    Grid,
    Stated,
    _splits,
    candidates,
    find_header,
    widths,
)

KINDS = (TEXT, "number", "number")
REPORT = "nome;valor;peso/Ana;1;2/Total;1;2/nome;valor;peso/Bia;3;4/Ana;1;2/Caio;5;6"


def grid_of(text: str) -> list[GridRow]:
    lines = enumerate(text.split("/"), start=1)
    return make_grid(
        (number, number, [cell or None for cell in line.split(";")], None) for number, line in lines
    )


def scorer_of(text: str, width: int = 3, *, short_tells: bool = False) -> Scorer:
    return Scorer(grid_of(text), width, short_tells=short_tells)


def test_a_header_has_at_most_four_lines() -> None:
    rows = grid_of("a;b/c;d/e;f/g;h/i;j/1;2/3;4")
    tried = [start - first for start, firsts in candidates(rows, len(rows), Stated()) for first in firsts]
    assert max(tried) == 4
    assert min(tried) == 0


def test_the_first_line_of_data_may_be_the_headers() -> None:
    grid = Grid(grid_of("nome;valor/Ana;1,5/Bia;2,5"), short_tells=True, is_whole=True)
    below = find_header(grid, Stated(first_line=2))
    at_header = find_header(grid, Stated(first_line=1))
    assert below is not None
    assert at_header is not None
    assert (below.labels, below.data_line) == (["nome", "valor"], 2)
    assert (at_header.labels, at_header.first_line, at_header.data_line) == ([], None, 1)


def test_the_three_most_frequent_widths_are_tried() -> None:
    lines = ["1;2"] * 4 + ["1;2;3"] * 3 + ["1;2;3;4"] * 2 + ["1;2;3;4;5"]
    assert widths(grid_of("/".join(lines))) == [2, 3, 4]


def test_a_line_that_begins_another_repeats_it_from_two_cells_on() -> None:
    assert find_repeats(grid_of("Nome;Valor;Dia/Ana;1;2/Nome;Valor"), 40) == {2: 0}
    assert find_repeats(grid_of("Nome;Valor/Ana;1/Nome"), 40) == {}
    assert find_repeats(grid_of("Nome;Valor;Dia;Mês/Ana;1;2;3/Nome;Valor"), 40) == {}


def test_a_line_above_may_begin_with_an_empty_cell() -> None:
    head = PageHead([["", "Relatório anual"], ["Loja Azul"]])
    assert head.has(["", "Relatório anual"])
    assert head.has(["Loja Azul", ""])
    assert not head.has(["", "Relatório mensal"])
    assert head.starts == ((1, "Relatório anual"), (0, "Loja Azul"))


def test_totals_above_a_repeated_header_cost_what_a_footer_does() -> None:
    scorer = scorer_of(REPORT)
    plain, bits = scorer_of(REPORT.replace("nome", "Nome", 1)).row_bits(1, KINDS), scorer.row_bits(1, KINDS)
    assert bits[2] == scorer.below[2] + weights.FOOTER < plain[2]
    assert bits[1] == plain[1]
    assert bits[5] == plain[5]  # a row that comes again is still a row
    narrow = scorer_of("nome;valor/Ana;1/Total;1/nome;valor/Bia;3", 2)
    assert narrow.row_bits(1, KINDS[:2])[2] == narrow.below[2] + weights.FOOTER


def test_what_repeats_the_first_row_of_data_repeats_nothing_above_it() -> None:
    scorer = scorer_of("Nome;Valor;Peso/Ana;um;dois/Bia;3;4/Ana;um;dois")
    assert scorer.row_bits(1, KINDS)[3] == scorer.row_bits(0, KINDS)[3]
    assert scorer.row_bits(2, KINDS)[3] < scorer.row_bits(1, KINDS)[3]


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


def test_each_cell_of_a_title_beyond_the_third_costs_more() -> None:
    three, four = (scorer_of(f"{title}/a;b;c;d;e/1;2;3;4;5", 5) for title in ("x;x;x", "x;x;x;x"))
    kinds = ("number",) * 5
    extra = four.score(1, 2, 3, kinds).bits["above"] - three.score(1, 2, 3, kinds).bits["above"]
    assert extra == weights.TITLE_CELL + weights.SAME_CELL


def test_a_title_of_values_costs_twice_in_a_single_column() -> None:
    one, two = (scorer_of("10/valor/20/30", width).score(1, 2, 4, ("number",) * width) for width in (1, 2))
    assert one.bits["above"] - two.bits["above"] == weights.TITLE_OF_VALUES


def test_a_table_below_begins_at_its_title() -> None:
    text = "1;2/Compras/nome;valor/Ana;3/Bia;4"
    assert _splits(grid_of(text), 0) == [1, 2]


def test_a_columns_kind_pays_for_its_exceptions() -> None:
    mostly = "1;x/2;y/3;z/ab;w/cd;v"
    assert scorer_of(mostly, 2).kinds_by_start(5)[0] == (TEXT, TEXT)
    nearly = "/".join(f"{number}000;x" for number in range(10, 20)) + "/ab;w"
    assert scorer_of(nearly, 2).kinds_by_start(11)[0] == ("number", TEXT)
