"""What the score charges for a header: its lines, their groups, and each of its labels."""

import pytest
from text_grids import grid_of

from managed_tables_reader.layout import weights
from managed_tables_reader.layout.heading import Heading
from managed_tables_reader.layout.looks import TEXT, look
from managed_tables_reader.rows.sheets import MergedRange

KINDS = (TEXT, "number", "number")


def cost(
    text: str,
    start: int,
    *,
    width: int = 3,
    first: int = 0,
    merged: tuple[MergedRange, ...] = (),
    kinds: tuple[str, ...] = KINDS,
) -> float:
    """Return the bits of a header beyond its text; `start` is the first row of data."""
    rows = grid_of(text)
    kinds = (*kinds, *("number",) * width)[:width]
    return Heading(rows, width, {}, merged).bits(first, start, [0.0] * len(rows), kinds)


def test_a_table_without_a_header_pays_for_that() -> None:
    assert cost("x;1;2/y;3;4", 0) == weights.NO_HEADER
    assert cost("a;b;c/x;1;2", 1) == 0


def test_labels_pay_for_gaps_and_values() -> None:
    assert cost(";b;c/x;1;2", 1) == weights.BLANK_LABEL
    assert cost("a;b/x;1;2", 1) == pytest.approx(weights.MISSING_LABELS / 3)
    assert cost("a;b/x;1;", 1) == 0  # no value without a label
    assert cost("a;b;7,5/x;1;2", 1) == weights.VALUE_LABEL
    assert cost("a;b;sim/x;1;2", 1) == 0


def test_years_are_labels() -> None:
    saved = look("2022").as_text - look("2022").bits
    counted = look("2022").bits
    assert cost("a;2022;2023/x;1;2", 1) == pytest.approx(-2 * (saved + counted))
    assert cost("a;b;2022/x;1;2", 1) == pytest.approx(-saved)


def test_numbers_that_count_are_labels() -> None:
    text = "nome;1;2;3;4/Ana;M;T;F;N/Bia;T;T;M;M"
    rows = grid_of(text)
    found = Heading(rows, 5, {}).bits(0, 1, [0.0] * 3, (TEXT,) * 5)
    assert found == pytest.approx(-4 * look("1").as_text)


def test_a_label_that_is_among_the_values_pays() -> None:
    assert cost("a;b;c/x;1;2/a;3;4", 1) == weights.LABEL_AMONG_VALUES
    assert cost("a;b;c/x;1;2/b;3;4", 1) == 0
    rows = grid_of("a;b;c/x;1;2/a;b;c/y;3;4")
    repeated = Heading(rows, 3, {2: 0}).bits(0, 1, [0.0] * 4, KINDS)
    assert repeated == 0  # the header itself comes again


def test_a_further_line_pays_the_less_the_more_it_is_called_for() -> None:
    assert cost("a;b;c/d;e;f/x;1;2", 2) == weights.HEADER_LINE
    assert cost("a;b;c//d;e;f/x;1;2", 2) == weights.HEADER_APART
    assert cost("a;b;c/d;7,5;f/x;1;2", 2) == weights.HEADER_OF_VALUES + weights.VALUE_LABEL
    assert cost("a;b;c/d;2022;f/x;1;2", 2) < weights.HEADER_LINE
    assert cost("a;b;/;c;d/x;1;2", 2) == weights.GROUP_LINE
    assert cost("a;b;b/;c;d/x;1;2", 2) == weights.GROUP_LINE + weights.GROUP_OF_ONE * 2 / 3
    assert cost("a;b;//;c;d/x;1;2", 2) == weights.GROUP_APART + weights.GROUP_LINE
    assert cost("a;b;b/;c;c/x;1;2", 2) == weights.HEADER_LINE
    assert cost("a;b;/;;d/x;1;2", 2) == weights.HEADER_LINE
    assert cost("a;;/b;c;d/x;1;2", 2) == weights.HEADER_LINE


def test_a_year_alone_below_a_label_is_called_for_unless_values_are_years() -> None:
    called = weights.GROUP_LINE + weights.GROUP_OF_ONE / 3
    assert cost("a;b;c/;;2022/x;1;2", 2) == pytest.approx(called - look("2022").as_text)
    assert cost("a;b;c/;;2022/x;1;1999", 2) > weights.HEADER_LINE / 2
    assert cost("a;b;c/2022;;/x;1;2", 2) == pytest.approx(weights.HEADER_LINE - look("2022").as_text)


def test_gaps_at_the_end_of_a_sheets_row_are_gaps() -> None:
    rows = grid_of("a;b/;2022;2023/x;1;2")
    costs = [
        Heading(rows, 3, {}, short_tells=short_tells).bits(0, 2, [0.0] * 3, KINDS)
        for short_tells in (False, True)
    ]
    assert costs[0] < costs[1]


def test_a_line_of_units_costs_no_text() -> None:
    text = look("(kg)").as_text + look("(m)").as_text
    assert cost("a;b;c/;(kg);(m)/x;1;2", 2) == pytest.approx(weights.UNITS_LINE - text)


def test_labels_above_one_other_label_pay_by_their_share() -> None:
    text = "Período;b;/a;c;d/x;1;2"
    assert cost(text, 2) == weights.GROUP_LINE + weights.GROUP_OF_ONE / 2


def test_a_sentence_above_columns_of_several_kinds_groups_nothing() -> None:
    title = ";;Vendas do ano todo;/a;b;c;d/x;y;1;2"
    assert cost(title, 2, width=4) == weights.GROUP_LINE
    dated = (TEXT, TEXT, "date", "number")
    assert cost(title, 2, width=4, kinds=dated) == weights.GROUP_LINE + weights.GROUP_OF_ONE
    assert cost(";;Vendas;/a;b;c;d/x;y;1;2", 2, width=4, kinds=dated) == weights.GROUP_LINE
    assert cost(";Vendas;/a;b;c/x;1;2", 2) == weights.GROUP_LINE + weights.GROUP_OF_ONE
    assert cost("Vendas;;/a;b;c/x;1;2", 2) == weights.HEADER_LINE


def test_merged_cells_group_what_they_cover() -> None:
    text = "a;b;/;c;d/x;1;2"
    assert cost(text, 2, merged=((1, 1, 1, 2),)) == weights.GROUP_LINE
    assert cost(text, 2, merged=((2, 1, 2, 2),)) == weights.GROUP_LINE
    beyond = "a;b;;/e;c;d;f/x;1;2;3"
    assert cost(beyond, 2, width=4, merged=((1, 1, 1, 2),)) == weights.HEADER_LINE
    assert cost("a;b;c/;d;e/x;1;2", 2, merged=((1, 1, 1, 2),)) == weights.HEADER_LINE
    alone = "a;b;/e;c;d/x;1;2"
    assert cost(alone, 2, merged=((1, 1, 1, 2),)) == weights.GROUP_LINE + weights.GROUP_OF_ONE


def test_a_header_of_several_lines_above_nothing_pays_for_one_more() -> None:
    assert cost("a;b;/;c;d", 2) == weights.GROUP_LINE + weights.HEADER_LINE
    assert cost("a;b;c", 1) == 0
