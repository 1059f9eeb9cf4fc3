"""Lines below a table that are not part of it."""

import pytest

from managed_tables_reader.layout.grid import make_grid
from managed_tables_reader.layout.looks import TEXT, look
from managed_tables_reader.layout.search import find_end
from managed_tables_reader.rows.sheets import Row


def footer_length(rows: list[Row], width: int, *, keeps_ends: bool) -> int:
    """Count the rows below the table; its first row gives the kinds of the columns."""
    grid = make_grid((number, number, cells, None) for number, cells in rows)
    kinds = tuple(one.plain_kind or TEXT for one in map(look, rows[0][1]))
    end = find_end(grid, width, kinds, keeps_ends=keeps_ends)
    return 0 if end == len(grid) else sum(number >= grid[end].number for number, _ in rows)


def _rows(text: str) -> list[Row]:
    return [(n, [cell or None for cell in line.split(";")]) for n, line in enumerate(text.split("/"), 1)]


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("1;Ana;2/Total;;2", 1),
        ("1;Ana;2/TOTAL GERAL:;;2/Fonte: IBGE", 2),
        ("1;Ana;2//Fonte: IBGE/Notas/1 - Dados de 2020", 3),
        ("1;Ana;2/Fonte: IBGE;;", 1),
        ("1;Ana;2/Documento gerado às 10h de hoje", 1),
        ("1;Ana;2//FOOTNOTE", 1),
        ("1;Ana;2/2;Total;3", 0),
        ("1;Ana;2/Maria José", 0),
        ("1;Ana;2/3", 0),
        ("1;Ana;2//2;Bia;3", 0),
        ("1;Ana;2/Total: conta;;2", 1),
        ("1;Ana;2/Total do período;;2", 1),
        ("1;Ana;2/Fonte;IBGE;FGV", 1),
        ("Mesa;Ana;MX/Fonte;Bia;F2", 0),
        ("1;Ana;2/Nota;Bia;3", 0),
    ],
)
def test_notes_and_totals_at_the_end_are_distinguished_from_records(text: str, length: int) -> None:
    assert footer_length(_rows(text), 3, keeps_ends=True) == length


def test_a_legend_in_two_columns_belongs_to_the_notes() -> None:
    text = "Belém;A;1;2/Fonte: IBGE;;;/Legenda;;;/Sinal;Significado;;/-;Zero;;"
    assert footer_length(_rows(text), 4, keeps_ends=True) == 4


def test_a_note_in_two_cells_ends_a_table_of_numbers() -> None:
    assert footer_length(_rows("1;Ana;2;5/(*);Valores brutos"), 4, keeps_ends=True) == 1


def test_a_record_with_few_cells_is_not_a_note() -> None:
    assert footer_length(_rows("1;Ana;2;5/Bia;ausente;;"), 4, keeps_ends=True) == 0


def test_a_worksheets_last_record_may_have_one_value_that_is_no_sentence() -> None:
    assert footer_length(_rows("1;Ana;2/Maria José Souza"), 3, keeps_ends=False) == 0


def test_a_single_column_has_no_totals() -> None:
    assert footer_length(_rows("Ana/Total"), 1, keeps_ends=True) == 0
