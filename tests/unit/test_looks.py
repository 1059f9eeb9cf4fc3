"""What cells look like and which words rows contain: the observations that score layouts."""

import re
from collections.abc import Sequence

import pytest
from written_values import EMPTY, Written, every_group

from managed_tables.schema import ColumnType
from managed_tables_reader.layout import weights
from managed_tables_reader.layout.grid import (
    GridRow,
    PageHead,
    find_repeats,
    is_distinctive,
    make_grid,
    plain_cells,
)
from managed_tables_reader.layout.header_bits import count_labels
from managed_tables_reader.layout.looks import is_year, look
from managed_tables_reader.rows.notes import is_separator

Cells = Sequence[str | None]

KINDS = {
    "number": [
        "1", "01", "$5", "€ 5", "5 €", "5 R$", "5%", "5-", "1'234", "USD 5", "nan", "INF", "-inf", "+inf",
        "infinity", "-Infinity",
    ],
    "date": ["2024.01.31", "2024-01-31 10:30+0300", "31-dez-24", "31 dez. 2024", "31dez24"],
    "time": ["10:30", "100:30", "1:05:00", "10:30:05,5", "10:30:05.25", "10:30 p.m.", "10:30AM"],
    "code": [
        "529.982.247-25", "12.345.678/0001-95", "01310-100", "(11) 98888-7777", "(11)8888-7777",
        "(11) 988887777", '="00123"', '="12.3/4-5"', "1234-5", "45678-X",
    ],
    "address": [
        "https://a.b/c", "http://a.b", "ftp://a.b", "www.x", "a@b.com", "a.b+c@d-e.com.br", "exemplo.com.br",
        "exemplo.com/x",
    ],
    "boolean": ["True", "f"],
    "null": ["na", "--", "none", "nd", "n/d", ".", "x", "\\n"],
    "text": [
        "abc", "Ana Maria", "NF 123", "1,2,3", "1:5", "a.b", "---", "dez 24", "10 metros",
        "9" * 70, "1/2/3 4",
        "a1b2c3d4e5f6g7h8i9j0k1l2m", "x" * 3_000,
    ],
    "": ["", " ", "\t"],
}  # fmt: skip
SHAPES = {
    "10 kg": "9 kg", "10kg": "9 kg", "5,5 m²": "9 m²", "1.000\u00a0un": "9 un", "A-123": "a-9", "AB12": "aa9",
    "12/A": "9/a", "1/2/3": "9/9/9", "x_1": "a_9", "#20": "#9",
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_a_cell_has_a_kind(kind: str) -> None:
    assert {cell: look(cell).kind for cell in KINDS[kind]} == dict.fromkeys(KINDS[kind], kind)
    found = [look(f" {cell} ") for cell in KINDS[kind]]
    assert {one.kind for one in found} == {kind}
    assert {one.plain_kind for one in found} == {kind}
    assert {one.is_value for one in found} == {kind in ("number", "date", "time", "code", "address")}
    assert {one.is_nothing for one in found} == {kind in ("", "null")}


LOOKS = {
    ColumnType.INTEGER: "number", ColumnType.DECIMAL: "number", ColumnType.BOOLEAN: "boolean",
    ColumnType.DATE: "date", ColumnType.DATETIME: "date",
}  # fmt: skip
# Months are labels as often as days, eight digits are codes, 0 and 1 numbers; zeros for no day look like one,
# and a month's name before a time of day is of a mail's lines or a server's.
OTHERWISE = re.compile(
    r"[01]|[0-9]{8}|([a-zç]+[.]?|[0-9]{1,2})( de |[-/ ])([0-9]{4}|[0-9]{2})( 10:00)?|r[$] ?-|[0_ /:-]+"
    r"|.*[a-z]{3}.*[0-9] [0-9]+:[0-9]{2}",
    re.IGNORECASE,
)


@every_group
def test_what_converts_looks_like_it(written: Written) -> None:
    kinds = {text: look(text).kind for text in written.cells if not OTHERWISE.fullmatch(text.strip())}
    for text, kind in kinds.items():
        value = written.cells[text]
        assert value is None or kind in (("null", "") if value == EMPTY else (LOOKS[written.type],)), text


def test_a_text_with_digits_has_a_shape() -> None:
    assert {cell: look(cell).kind for cell in SHAPES} == SHAPES
    for cell in SHAPES:
        assert (look(cell).plain_kind, look(cell).is_value) == ("text", False)
        assert look(cell).bits < look(cell).as_text


def test_longer_values_take_more_bits_and_repeated_words_fewer() -> None:
    for shorter, longer in (("12", "1234"), ("01310-100", "123.456.789-09"), ("10:30", "10:30:15")):
        assert look(shorter).bits < look(longer).bits
    assert look("sim sim sim").as_text < look("sim não vez").as_text


def test_years_are_those_of_recent_centuries() -> None:
    assert [year for year in ("1800", "1999", "2024", "2199", " 2024 ") if not is_year(year)] == []
    assert [year for year in ("1799", "2200", "24", "20240", "", None) if is_year(year)] == []


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["---", "---"], True),
        (["-----|-----"], True),
        (["===", None, "", " "], True),
        (["___"], True),
        (["+---+---+"], True),
        (["|:--|--:|"], True),
        ([":--"], True),
        (["--:"], True),
        (["--", "--"], False),
        (["--- a"], False),
        (["---", "x"], False),
        (["- - -"], False),
        (["== =="], False),
        (["", None], False),
    ],
)
def test_a_separator_line_has_only_line_characters(cells: Cells, expected: bool) -> None:
    assert is_separator(cells) is expected


def grid_row(*cells: str | None) -> GridRow:
    return make_grid([(1, 1, cells, None)])[0]


@pytest.mark.parametrize(
    ("bits", "rows"),
    [
        (
            weights.NOTE,
            [
                ("Total", "5"), ("Subtotal", "5"), ("TOTAIS", "5"), ("Total geral", "5"),
                ("Total general", "5"),
                ("Total global:", "5"), ("Total do dia", "5"), ("Total do mês", "5"),
                ("Total do período", "5"),
                ("Total do periodo", "5"), ("Total do ano: 2024", "5"), ("total do relatório", "5"),
                ("Grand total", "5"), ("Grand total:", "5"), ("Soma", "5"), ("Soma:", "5"),
            ],
        ),
        (
            weights.NOTE,
            [
                ("Fonte: IBGE",), ("Fontes: IBGE", "x"), ("Source: x", "y"), ("Notes: x", "y"), ("Nota",),
                ("Obs: x", "y"), ("Observação: x", "y"), ("Observações",), ("Elaboração: x", "y"),
                ("Elaborado por Ana",), ("Atualizado em 1/1",), ("Extraído em 1/1",), ("Extraido em 1/1",),
                ("(2 rows affected)",), ("1 row",), ("12 registros",), ("12 linhas",), ("Gerado em 1/1",),
                ("Emitido por Ana",), ("Data de emissão",), ("Data da extração",), ("Data de atualização",),
                ("Legenda",), ("Total de registros",), ("* preliminar",), ("(1) preliminar",),
            ],
        ),
        (
            weights.NOTE_OF_CELLS,
            [
                ("Fonte:", "IBGE"), ("Fontes", "IBGE"), ("Nota", "x"), ("Obs.", "x"), ("*", "x"),
                ("(**):", "x"),
                ("Legenda", "x"), ("Observações", "x"), ("Observação", "x"),
            ],
        ),
        (
            0.0,
            [
                ("Ana", "5"), ("Total de vendas", "5"), ("Totalmente", "5"), ("Notável",), ("Somas", "5"),
                ("A fonte",), ("Grande total", "5"), ("12 casas",), ("Fonte IBGE", "x"),
            ],
        ),
    ],
)  # fmt: skip
def test_totals_and_notes_are_recognised_by_their_words(bits: float, rows: Sequence[Cells]) -> None:
    assert {cells: grid_row(*cells).below_bits(2) for cells in rows} == dict.fromkeys(rows, bits)
    assert {grid_row(*cells).below_bits(1) for cells in rows} == {0.0}


def test_a_comment_starts_with_a_hash() -> None:
    assert [grid_row(*cells).is_comment for cells in (("# x",), ("##",), (" #1", "2"))] == [True] * 3
    assert [grid_row(*cells).is_comment for cells in (("#", "x"), ("x", "#"))] == [False] * 2


def test_units_are_bracketed_or_known() -> None:
    units = (("(kg)", "[m]", "%"), ("R$", "US$", "kg"), ("un", "m²", None))
    assert [grid_row(*cells).is_units(()) for cells in units] == [True] * 3
    assert [grid_row(*cells).is_units(()) for cells in (("kg", "Ana"), ("5", "kg"))] == [False] * 2


def counted(header: Cells, *below: Cells) -> list[int]:
    rows = make_grid((number, number, cells, None) for number, cells in enumerate([header, *below], 1))
    return sorted(count_labels(rows[0], rows[1:]))


@pytest.mark.parametrize(
    ("labels", "values", "are_counted"),
    [
        (["1", "2", "3", "4"], ["500", "600", "700", "800"], True),  # days, lessons
        (["0", "1", "2", "3"], ["500", "600", "700", "800"], True),
        (["2", "3", "4", "5"], ["500", "600", "700", "800"], False),
        (["1", "2", "3"], ["500", "600", "700"], False),
        (["1", "2", "4", "5"], ["500", "600", "700", "800"], False),
        (["1", "2", "3", "4"], ["5", "6", "5", "600"], True),
        (["2020", "2021"], ["1", "2"], True),
        (["2021", "2020"], ["1", "2"], True),
        (["2020", "2022"], ["1", "2"], True),
        (["1990.0", "2008 \\\\1"], ["1", "2"], False),
        (["1990.0", "2000.0"], ["1.5", "2"], True),
        (["2020"], ["1"], False),
        (["2020", "2021"], ["2020", "2021"], False),
        (["2020", "2021"], ["2020", "2025"], False),
        (["2024-01", "2024-02"], ["1", "2"], True),
        (["2024.02", "2024/01"], ["1", "2"], True),
        (["202401", "202403"], ["1", "2"], True),
        (["2024-01", "2024-01"], ["1", "2"], False),
        (["2024-13", "2024-14"], ["1", "2"], False),
        (["31/01/2024", "29/02/2024"], ["1", "2"], True),
        (["2024-02-29", "2024-01-31"], ["1", "2"], True),
        (["2024-01-31", "29/02/2024"], ["1", "2"], True),
        (["2024-02-29", "2024-01-31", "2024-03-31"], ["1", "2", "3"], False),
        (["30/13/2024", "01/03/2024"], ["1", "2"], False),
        (["31/01/2024", "29/02/2024"], ["01/01/2024", "2"], False),
    ],
)
def test_consecutive_values_are_labels(labels: list[str], values: list[str], are_counted: bool) -> None:
    columns = list(range(1, len(labels) + 1)) if are_counted else []
    assert counted(["UF", *labels], ["SP", *values]) == columns
    assert counted(["UF", *labels]) == []


def test_many_consecutive_numbers_need_no_word_beside_them() -> None:
    for count, columns in ((12, list(range(12))), (11, [])):
        assert (
            counted([str(n) for n in range(1, count + 1)], [str(900 - 13 * n) for n in range(count)])
            == columns
        )
    followed = ["Item", "1", "2", "3", "4", "Total"]
    assert counted(followed, ["a", "500", "600", "700", "800", "6"]) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("cells", "plain"),
    [
        (["Relatório Pág. 1", "x"], ("Relatório", "x")),
        (["Relatório página 2 de 10"], ("Relatório",)),
        (["Relatório pag nº 3"], ("Relatório",)),
        (["Folha: 3/4"], ()),
        (["Fls. 3"], ()),
        (["Page 5 of 6"], ()),
        (["Emissão: 01/02/2024 10:30"], ()),
        (["Emitido em 01-02-2024"], ()),
        (["Data 01/02/24", "x", ""], ("", "x")),
        (["Hora: 10:30:00", "", "Folha: 2"], ("Hora:", "", "Folha:")),
        (["Página"], ("Página",)),
        (["Hospedagem 5"], ("Hospedagem 5",)),
        (["\ufeff a \t", None, "b", " "], ("a", "", "b")),
    ],
)
def test_page_numbers_and_print_dates_are_left_out(cells: Cells, plain: tuple[str, ...]) -> None:
    assert plain_cells(cells) == plain


def test_a_line_is_distinctive_by_its_words_or_years() -> None:
    distinctive = (("abc",), ("a", "b", "c"), ("2023", "2024"), ("éà", "x"), ("é", "à"))
    assert [cells for cells in distinctive if not is_distinctive(cells)] == []
    assert [
        cells
        for cells in (("ab", "1"), ("1", "2"), ("2023",), ("é",), ("2023", "1"))
        if is_distinctive(cells)
    ] == []


def test_rows_that_repeat_the_first_are_found() -> None:
    lines: list[Cells] = [
        ["Relatório Pág. 1"], ["nome", "valor", "dia"], ["Ana", "1", "2"], ["Relatório Pág. 2"],
        ["nome", "valor", "dia"], ["nome", "valor"], ["nome"], ["Ana", "1", "2"],
        ["1", "2", "3"], ["1", "2", "3"],
    ]  # fmt: skip
    rows = make_grid((number, number, cells, None) for number, cells in enumerate(lines, 1))
    assert find_repeats(rows, 2) == {3: 0, 4: 1}
    assert find_repeats(rows, 3) == {3: 0, 4: 1, 7: 2}
    head = PageHead(lines[:2])
    assert [head.has(cells) for cells in lines] == [True, True, False, True, True, *[False] * 5]
    assert head.starts == ((0, "Relatório Pág. "), (0, "nome"))
    assert not PageHead().has(["nome"])


def test_numbers_that_end_the_labels_are_judged_by_their_own_columns() -> None:
    """A value further right has no label, and tells nothing about these."""
    labels = ["Nome", "1", "2", "3", "4"]
    assert counted(labels, ["Ana", "1", "2", "1", "2", "90"]) == []
    assert counted([*labels, "Total"], ["Ana", "1", "2", "1", "2", "90"]) == [1, 2, 3, 4]
