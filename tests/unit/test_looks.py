"""What cells look like and which words rows contain: the observations that score layouts."""

from collections.abc import Sequence

import pytest

from managed_tables_reader.layout import weights, words
from managed_tables_reader.layout.counting import count_labels
from managed_tables_reader.layout.grid import GridRow, make_grid
from managed_tables_reader.layout.looks import (
    cached_look,
    is_year,
    list_bits,
    look,
    repeated_bits,
    text_bits,
)
from managed_tables_reader.layout.pages import PageHead, find_repeats, is_distinctive, plain_cells
from managed_tables_reader.rows.separators import is_separator

Cells = Sequence[str | None]

KINDS = {
    "number": [
        "1", "-1", "+1", "1.234,56", "1,234.56", "R$ 5", "US$ 5", "$5", "€ 5", "£5", "5 €", "5 R$",
        "5%", "(5)",
        "5-", "1e5", "1.5E-3", "1 234", "1'234", "1\u00a0234", "-R$ 1.234,00", "R$ -5", ",5", "1234567",
        "nan", "INF", "-inf", "+inf", "infinity", "-Infinity",
    ],
    "date": [
        "2024-01", "2024/1/5", "2024.01.31", "2024-01-31T10:30:05.5Z", "2024-01-31 10:30 UTC",
        "2024-01-31 10:30:00-03:00", "2024-01-31 10:30+0300", "31/12/24", "31.12.2024", "1/2/2024 10:30 PM",
        "1/2/2024  10:30:05,5", "31-dez-24", "31/dez/2024", "31 dez. 2024", "31dez24", "1º de maio de 2024",
        "1o de maio de 2024", "10 de março de 2024",
    ],
    "time": ["10:30", "100:30", "1:05:00", "10:30:05,5", "10:30:05.25", "10:30 p.m.", "10:30AM"],
    "code": [
        "529.982.247-25", "12.345.678/0001-95", "01310-100", "(11) 98888-7777", "(11)8888-7777",
        "(11) 988887777", '="00123"', '="12.3/4-5"',
    ],
    "address": [
        "https://a.b/c", "http://a.b", "ftp://a.b", "www.x", "a@b.com", "a.b+c@d-e.com.br", "exemplo.com.br",
        "exemplo.com/x",
    ],
    "boolean": [
        "true", "False", "verdadeiro", "falso", "sim", "não", "nao", "yes", "no", "S", "n", "t", "f", "y",
    ],
    "null": [
        "null", "N/A", "#N/A", "na", "-", "--", "none", "nd", "n/d", "#N/D", ".", "..", "...", "x", "\\n",
        "#DIV/0!", "#REF!", "#VALUE!", "#VALOR!", "#NAME?", "#NOME?", "#NUM!", "#NÚM!", "#NULL!", "#NULO!",
    ],
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


def test_a_text_with_digits_has_a_shape() -> None:
    assert {cell: look(cell).kind for cell in SHAPES} == SHAPES
    for cell in SHAPES:
        assert (look(cell).plain_kind, look(cell).is_value) == ("text", False)
        assert look(cell).bits < look(cell).as_text


@pytest.mark.parametrize(
    ("cell", "bits"),
    [
        ("12", weights.NUMBER + 2 * weights.DIGIT),
        ("R$ 1,50", weights.NUMBER + 7 * weights.DIGIT - weights.MONEY),
        ("R$ 15", weights.NUMBER + 5 * weights.DIGIT),
        ("31/12/2024", weights.DATE),
        ("10:30", weights.TIME),
        ("10:30:05", weights.TIME + 2 * weights.DIGIT),
        ("01310-100", weights.NUMBER + 8 * weights.DIGIT),
        ("sim", weights.BOOLEAN),
        ("n/a", weights.NULL_WORD),
        ("10 kg", weights.NUMBER + 3 * weights.DIGIT),
        ("abc", weights.TEXT + 3 * weights.CHARACTER),
    ],
)
def test_a_value_costs_the_bits_of_its_kind(cell: str, bits: float) -> None:
    assert cached_look(cell).bits == pytest.approx(bits)


@pytest.mark.parametrize(
    ("text", "bits"),
    [
        ("", weights.TEXT),
        ("ab", weights.TEXT + 2 * weights.CHARACTER),
        ("a b", weights.TEXT + 2 * weights.CHARACTER + weights.BLANK_CHARACTER),
        ("a;b|c", weights.TEXT + 5 * weights.CHARACTER + 2 * weights.ODD_CHARACTER),
        ("a\tb", weights.TEXT + 3 * weights.CHARACTER + weights.ODD_CHARACTER),
        ("a\nb;c", weights.TEXT + 5 * weights.CHARACTER),  # it was quoted
        ('a"b', weights.TEXT + 3 * weights.CHARACTER + weights.UNPAIRED_QUOTE),
        ('a""b', weights.TEXT + 4 * weights.CHARACTER),
        ("ab ab ab", weights.TEXT + 2 * weights.CHARACTER),  # repeated words are cheap too
    ],
)
def test_a_text_costs_its_characters(text: str, bits: float) -> None:
    assert text_bits(text) == pytest.approx(bits)
    assert look("x" * 2_048 + text).as_text == pytest.approx(text_bits("x" * 2_048 + text))


def test_words_repeated_from_the_text_above_are_cheap() -> None:
    word = weights.BLANK_CHARACTER + 2 * weights.CHARACTER - weights.SAME_CELL
    assert repeated_bits("ab ce", "ab cd") == pytest.approx(word)
    assert repeated_bits("xb cd", "ab cd") == pytest.approx(word)
    assert repeated_bits("ab cd", "ab cd") == pytest.approx(2 * word + weights.SAME_CELL)
    for text, above in (("ab", "ab"), ("ab cd", "ab cd ef"), ("ab cd", "ba dc"), ("ab cd", "ab cd" * 600)):
        assert repeated_bits(above, text) == 0
    assert repeated_bits(None, "ab cd") == repeated_bits("ab cd", None) == 0


def test_words_of_cells_to_the_left_cost_nothing_again() -> None:
    row = GridRow(1, ["ab cd", "cd ab ef", "12", "ab"], above=["xx", "yy ab ef", "12", "zz"])
    said = 2 * (2 * weights.CHARACTER + weights.BLANK_CHARACTER)
    plain = [text_bits(cell or "") for cell in row.cells]
    assert row.text_bits == [plain[0], plain[1] - said, plain[2], weights.SAME_CELL]
    assert row.data_bits == row.text_bits
    again = GridRow(2, ["gh", "ab ef"], above=["xx", "ab ef"])
    assert again.data_bits[1] == text_bits("ab ef") - repeated_bits("ab ef", "ab ef") < again.text_bits[1]


@pytest.mark.parametrize(
    ("text", "bits"),
    [
        ("ab;12", weights.TEXT + 2 * weights.CHARACTER + look("12").bits),  # its values
        ("12;12;", look("12").bits + weights.SAME_CELL + weights.EMPTY),
        ("a@b.com,c@d.com", 2 * look("a@b.com").bits),
        ("ab,cd", text_bits("ab,cd")),  # words alone: a comma is a sign of prose as well
        ("ab\n;12", text_bits("ab\n;12")),
    ],
)
def test_a_list_costs_what_its_values_do(text: str, bits: float) -> None:
    assert list_bits(text, ";\t|,", text_bits(text)) == pytest.approx(bits)


def test_a_list_costs_less_for_words_that_come_again() -> None:
    text = "um texto longo;um texto longo e outro"
    words = sum(weights.CHARACTER * len(word) + weights.BLANK_CHARACTER for word in ("um", "texto", "longo"))
    assert list_bits(text, ";", text_bits(text)) == text_bits(text) - weights.ODD_CHARACTER - words


def test_texts_save_what_they_cost_more_than_as_lists() -> None:
    row = GridRow(1, ["ab cd", "w;zz", "7"], above=["yy", "zz", "7"])
    assert row.saved_by_lists(";") == text_bits("w;zz") - text_bits("w") - text_bits("zz")
    again = GridRow(2, ["x;12", "x;12"], above=["x;12", "yy"])  # what repeats costs its delimiters, no more
    assert again.saved_by_lists(";") == 2 * weights.ODD_CHARACTER


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
            weights.TOTAL,
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
    assert {cells: words.below_bits(grid_row(*cells), 2) for cells in rows} == dict.fromkeys(rows, bits)
    assert {words.below_bits(grid_row(*cells), 1) for cells in rows} == {0.0}


def test_a_comment_starts_with_a_hash() -> None:
    assert [words.is_comment(grid_row(*cells)) for cells in (("# x",), ("##",), (" #1", "2"))] == [True] * 3
    assert [words.is_comment(grid_row(*cells)) for cells in (("#", "x"), ("x", "#"))] == [False] * 2


def test_units_are_bracketed_or_known() -> None:
    units = (("(kg)", "[m]", "%"), ("R$", "US$", "kg"), ("un", "m²", None))
    assert [words.is_units(grid_row(*cells)) for cells in units] == [True] * 3
    assert [words.is_units(grid_row(*cells)) for cells in (("kg", "Ana"), ("5", "kg"))] == [False] * 2


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
        (["30/02/2024", "01/03/2024"], ["1", "2"], False),
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
        (["hora: 10:30:00", None], ()),
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
    assert find_repeats(rows, 2) == {3: 0, 4: 1, 5: 1}
    assert find_repeats(rows, 3) == {3: 0, 4: 1, 5: 1, 7: 2}
    head = PageHead(lines[:2])
    assert [head.has(cells) for cells in lines] == [True, True, False, True, True, *[False] * 5]
    assert head.starts == ((0, "Relatório "), (0, "nome"))
    assert not PageHead().has(["nome"])


def test_a_code_costs_its_digits_and_most_of_its_letters() -> None:
    code, quantity = look("AB-189"), look("10 kg")
    assert code.kind == "aa-9"
    assert code.bits == pytest.approx(weights.TEXT + 3 * weights.DIGIT + 3 * weights.CHARACTER * 0.8)
    assert quantity.kind == "9 kg"
    assert quantity.bits == pytest.approx(weights.NUMBER + 3 * weights.DIGIT)
    assert look("10:30:05").bits == pytest.approx(weights.TIME + 2 * weights.DIGIT)
    assert look("01310-100").bits == pytest.approx(weights.NUMBER + 8 * weights.DIGIT)
    assert look("R$ 10,50").bits == pytest.approx(weights.NUMBER + 8 * weights.DIGIT - weights.MONEY)


def test_numbers_that_end_the_labels_are_judged_by_their_own_columns() -> None:
    """A value further right has no label, and tells nothing about these."""
    labels = ["Nome", "1", "2", "3", "4"]
    assert counted(labels, ["Ana", "1", "2", "1", "2", "90"]) == []
    assert counted([*labels, "Total"], ["Ana", "1", "2", "1", "2", "90"]) == [1, 2, 3, 4]
