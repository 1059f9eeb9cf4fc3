"""Whole text files with awkward bytes, and what analyze gives for them."""

from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest
from zipping import zipped

from managed_tables.errors import JobError
from managed_tables.jobs.staged_rows import staged_rows
from managed_tables_analyze.analysis import Analysis, analyze
from managed_tables_reader.reading_files import SourceFile
from managed_tables_reader.tables import read


def _analyze(folder: Path, content: bytes, name: str = "vendas.csv") -> Analysis:
    path = folder / "00"
    path.write_bytes(content)
    return analyze([SourceFile(path, name)], folder, ZoneInfo("UTC"))


def _rows(found: Analysis) -> list[tuple[str | None, ...]]:
    cells = ", ".join(f"c{index}" for index in range(len(found.labels)))
    return duckdb.execute(f"SELECT {cells} FROM {staged_rows(found.staged)}").fetchall()  # noqa: S608


def _lines(found: Analysis) -> list[int]:
    cells = duckdb.execute(f"SELECT line FROM {staged_rows(found.staged)}").fetchall()  # noqa: S608
    return [line for (line,) in cells]


def test_every_character_of_a_cell_comes_back(tmp_path: Path) -> None:
    """Line ends are escaped in the copy that DuckDB reads; the marks of that are themselves values."""
    cells = ["\ufeffa", "\ufdd0\ufdd1n", "x\ny\ufdd1r", "\ufdd1e\r\n", "n\ufdd1"]
    content = "t;i\n" + "".join(f'"{cell}";{n}\n' for n, cell in enumerate(cells))
    assert _rows(_analyze(tmp_path, content.encode())) == [(cell, str(n)) for n, cell in enumerate(cells)]
    plain = "t;i\nb\ufdd1n;0\n\ufeffa;1\n"
    assert _rows(_analyze(tmp_path, plain.encode())) == [("b\ufdd1n", "0"), ("\ufeffa", "1")]


def test_the_mark_of_an_appended_file_is_no_part_of_a_value(tmp_path: Path) -> None:
    """In front of a quote it stands outside of the value; a repeated header is known in spite of it."""
    file = '\ufeff"nome";"valor"\n' + "".join(f'"cliente {n}";"{n},50"\n' for n in range(9))
    found = _rows(_analyze(tmp_path, (file * 2 + '\ufeff"b";"2,50"\n').encode()))
    assert found == [*[(f"cliente {n}", f"{n},50") for n in range(9)] * 2, ("b", "2,50")]


def test_a_brazilian_file_keeps_its_original_characters(tmp_path: Path) -> None:
    content = "Código;Preço Médio (R$)\r\n007;1.234,56\r\n008;\r\n".encode("cp1252")
    found = _analyze(tmp_path, content)
    assert [column.name for column in found.document.inferred_schema.columns] == ["codigo", "preco_medio_r"]
    assert [column.display_name for column in found.document.inferred_schema.columns] == [
        "Código",
        "Preço Médio (R$)",
    ]
    assert [column.nullable for column in found.document.inferred_schema.columns] == [False, True]
    assert _rows(found) == [("007", "1.234,56"), ("008", None)]
    assert (found.dialect.encoding, found.dialect.delimiter, found.dialect.header_line) == ("cp1252", ";", 1)


def test_a_label_that_nobody_sees_is_the_columns_name(tmp_path: Path) -> None:
    """A table's labels must be visible: what analyze suggests can be confirmed."""
    found = _analyze(tmp_path, "produto,\u200b\u202e,valor\na,b,1\nc,d,2\n".encode())
    shown = [(column.name, column.display_name) for column in found.document.inferred_schema.columns]
    assert shown == [("produto", "produto"), ("coluna_2", "coluna_2"), ("valor", "valor")]


def test_a_line_is_the_first_physical_line_of_its_record(tmp_path: Path) -> None:
    found = _analyze(tmp_path, b'a,b\n1,"x\ny"\n\n2,z\n')
    assert _rows(found) == [("1", "x\ny"), ("2", "z")]
    assert _lines(found) == [2, 5]


def test_titles_above_and_notes_below_are_not_rows(tmp_path: Path) -> None:
    rows = "id;valor;dia\n1;2,50;01/02/2024\n2;3,00;02/02/2024\n"
    found = _analyze(tmp_path, f"Relatório de vendas\n\n{rows}Total;5,50;\n\nFonte: IBGE\n".encode())
    assert _rows(found) == [("1", "2,50", "01/02/2024"), ("2", "3,00", "02/02/2024")]
    assert found.dialect.header_line == 3
    above, below = found.findings
    assert (above.code, above.lines) == ("LINES_ABOVE", (1,))
    assert (below.code, below.preview) == ("FOOTER", ("Total 5,50", "Fonte: IBGE"))
    assert below.lines == (6, 7, 8)


def test_an_unclosed_quote_affects_one_row_only(tmp_path: Path) -> None:
    found = _analyze(tmp_path, b'a,b,c\n1,x,2\n2,"y,3\n3,z,4\n4,w,5\n')
    assert [row[0] for row in _rows(found)] == ["1", "2", "3", "4"]
    assert found.findings[0].lines == (3,)


def test_long_and_short_rows_keep_their_cells_and_are_reported(tmp_path: Path) -> None:
    found = _analyze(tmp_path, b"a,b\n1,2\n3,4,5\n6\n")
    assert _rows(found) == [("1", "2", None), ("3", "4", "5"), ("6", None, None)]
    assert ("LONG_ROWS", (3,)) in [(finding.code, finding.lines) for finding in found.findings]
    assert ("SHORT_ROWS", (4,)) in [(finding.code, finding.lines) for finding in found.findings]


@pytest.mark.parametrize(("rows", "longer"), [(80, 8), (20, 5), (300, 30)])
def test_rows_that_grew_a_cell_are_rows_also_where_it_repeats(tmp_path: Path, rows: int, longer: int) -> None:
    """A cell that is there again costs as little in a row as below the table."""
    names = ["Ana", "Rui", "Eva", "Ivo", "Bia", "Leo", "Gil", "Ada"]
    lines = [f"{n};{names[n % 8]}{';extra' * (n > rows)}\n" for n in range(1, rows + longer + 1)]
    found = _analyze(tmp_path, ("id;nome\n" + "".join(lines)).encode())
    assert len(_rows(found)) == rows + longer
    assert "FOOTER" not in [one.code for one in found.findings]


def test_a_first_line_longer_than_the_sample_is_read_with_the_lines_below_it(tmp_path: Path) -> None:
    """On its own it would be split at its blanks, of which there are more than tabs."""
    labels = [f"{number} da pesquisa com um rótulo {'muito ' * 8}{'comprido' * 220}" for number in range(300)]
    lines = ["\t".join(labels), *("\t".join([str(row)] * 300) for row in range(3))]
    content = "\r\n".join(lines).encode()
    assert len(lines[0]) > 500_000
    found = _analyze(tmp_path, content)
    assert found.dialect.delimiter == "\t"
    assert (len(found.labels), found.document.row_count) == (300, 3)


@pytest.mark.parametrize(
    "line", ["-" * 200 + " Relatório de vendas", "_" * 200 + " Assinatura", "pág" + " " * 5_000 + "x"]
)
def test_a_long_separator_line_with_words_is_read_quickly(tmp_path: Path, line: str) -> None:
    """An expression that backtracks over such a line would never finish."""
    rows = "id;nome;valor\n" + "".join(f"{n};Ana;1,50\n" for n in range(20))
    for content in (f"{line}\n{rows}", f"{rows}{line}\n"):
        assert len(_rows(_analyze(tmp_path, content.encode()))) >= 20


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ('valor\n"1,50"\n"2,50"\n"3,75"\n', [("1,50",), ("2,50",), ("3,75",)]),
        ('"valor, em reais"\n"1,50"\n"2,50"\n"3,75"\n', [("1,50",), ("2,50",), ("3,75",)]),
        (
            '"opinião"\n"Caro, feio, ruim"\n"Bom, bonito, barato"\n',
            [("Caro, feio, ruim",), ("Bom, bonito, barato",)],
        ),
        (
            'nome,valor\nAna,1\nBia,2\nCaio,3\n"Fonte: IBGE, 2024"\n',
            [("Ana", "1"), ("Bia", "2"), ("Caio", "3")],
        ),
        (
            '"Vendas, janeiro"\nnome,valor\nAna,1\nBia,2\nCaio,3\n',
            [("Ana", "1"), ("Bia", "2"), ("Caio", "3")],
        ),
        ('"id,nome,""obs"""\n"1,Ana,""a, b"""\n"2,Bia,""c"""\n', [("1", "Ana", "a, b"), ("2", "Bia", "c")]),
        ('"id,nome,valor"\n"1,Ana,5"\n"2,Bia,6"\n', [("1", "Ana", "5"), ("2", "Bia", "6")]),
    ],
)
def test_a_fully_quoted_line_is_split_only_if_it_holds_a_row(
    tmp_path: Path, content: str, rows: list[tuple[str, ...]]
) -> None:
    assert _rows(_analyze(tmp_path, content.encode())) == rows


def test_a_row_that_starts_with_a_hash_is_not_a_comment(tmp_path: Path) -> None:
    content = "canal;membros;obs\ngeral;10;ok\n#vendas;20\n#ti;5\nrh;3;ok\n# fim da lista\n"
    found = _analyze(tmp_path, content.encode())
    assert [row[0] for row in _rows(found)] == ["geral", "#vendas", "#ti", "rh"]
    plain = "id,texto,uf\n" + "".join(f"{n},a,SP\n" for n in range(14_000))
    late = _analyze(tmp_path, (plain + '#5,"linha um\nlinha dois",RJ\n').encode())
    assert _rows(late)[-1] == ("#5", "linha um\nlinha dois", "RJ")


def test_dashes_make_a_separator_line_if_they_fill_every_cell_that_is_not_blank(tmp_path: Path) -> None:
    rows = "mes,a,b\njan,1,2\n,---,---\n\nmar,3,4\n---,---,---\nabr,5,6\n,---,1\n"
    found = _analyze(tmp_path, rows.encode())
    assert [row[0] for row in _rows(found)] == ["jan", "mar", "abr", None]
    assert ("SEPARATOR_LINES", (3, 6)) in [(finding.code, finding.lines) for finding in found.findings]
    for line in ("---,---,---", "----,--,---"):  # also in an otherwise regular file
        regular = _analyze(tmp_path, f"mes,a,b\njan,1,2\n{line}\nmar,3,4\n".encode())
        assert [row[0] for row in _rows(regular)] == ["jan", "mar"]


@pytest.mark.parametrize(
    "content",
    [
        "ano   valor\n2020  1 234\n2021  1 300\n2022  1 400\n",
        "codigo  total\n1001    R$ 10,50\n1002    R$ 11,50\n1003    R$ 12,50\n",
        "nome idade peso\n" + "Ana   30    60\n" * 310 + "Zeca            70\n",
        "nome idade peso\n" + "Ana   30    60\n" * 20_000 + "Ana Maria   10    60\n",
    ],
)
def test_aligned_text_with_unclear_cells_is_refused(tmp_path: Path, content: str) -> None:
    with pytest.raises(JobError) as caught:
        _analyze(tmp_path, content.encode())
    assert "alinhadas por espaços" in str(caught.value)


@pytest.mark.parametrize("cell", ["01/01/2024  10:00:00", "11  999991234", "Ana  Lima", "A  2023", "- x  "])
def test_blanks_within_the_cells_of_a_single_column_do_not_split_it(tmp_path: Path, cell: str) -> None:
    found = _analyze(tmp_path, ("coluna\n" + f"{cell}\n" * 5).encode())
    assert _rows(found) == [(cell,)] * 5


@pytest.mark.parametrize(
    ("content", "first"),
    [
        ("Ana,7,8,9,10\nBia,5,5,6,7\nCaio,1,3,3,9\n", ("Ana", "7", "8", "9", "10")),
        ("1,2,3,4\n2,4,6,8\n7,5,6,9\n", ("1", "2", "3", "4")),
        ("Time A,1,2,3,4\nTime B,2,2,3,1\nTime C,4,1,1,2\n", ("Time A", "1", "2", "3", "4")),
        ("31/12/2024\n1,Ana,5\n2,Bia,6\n3,Caio,7\n4,Davi,8\n", ("1", "Ana", "5")),
    ],
)
def test_consecutive_values_and_a_lone_value_are_not_labels(
    tmp_path: Path, content: str, first: tuple[str, ...]
) -> None:
    assert _rows(_analyze(tmp_path, content.encode()))[0] == first


def test_an_extra_number_is_not_joined_into_a_decimal(tmp_path: Path) -> None:
    rows = "id,nome,b\n" + "".join(f"{n},Ana,{n}\n" for n in range(20)) + "15,Ana,45,60\n16,Bia,7\n"
    assert _rows(_analyze(tmp_path, rows.encode()))[20][:4] == ("15", "Ana", "45", "60")


def test_symbols_within_words_do_not_change_the_encoding(tmp_path: Path) -> None:
    words = "Col·legi Coca®Cola Preço€/un café x€y"
    found = _analyze(tmp_path, f"texto;n\n{words};1\n".encode("cp1252"))
    assert _rows(found) == [(words, "1")]


def test_a_label_too_long_for_a_table_is_cut_with_a_warning(tmp_path: Path) -> None:
    found = _analyze(tmp_path, f"codigo;{'N' * 600}\n1;Ana\n2;Bia\n".encode())
    labels = [column.display_name for column in found.document.inferred_schema.columns]
    assert [len(label) for label in labels] == [6, 500]
    [warning] = [one for one in found.findings if one.code == "LABELS_CUT"]
    assert (warning.count, len(warning.columns)) == (1, 1)


def test_commas_beside_days_that_come_first_are_decimal(tmp_path: Path) -> None:
    """In a file of commas, too: `5,899` is a price of a litre, and not of a car."""

    def read(day: str) -> Analysis:
        rows = "".join(f'{day.format(number)},"5,{900 - number}"\n' for number in range(1, 29))
        return _analyze(tmp_path, f"Data,Preço por Litro\n{rows}".encode())

    found = read("{:02}/03/2024")
    assert [one.type for one in found.document.inferred_schema.columns] == ["date", "decimal"]
    [told] = found.findings
    assert (told.code, told.values["because"], told.values["taken"]) == ("AMBIGUOUS_MARK", "days", "5,899")
    assert read("03/{:02}/2024").document.inferred_schema.columns[1].type == "integer"


def test_a_list_of_colours_is_no_list_of_comments(tmp_path: Path) -> None:
    found = _analyze(tmp_path, b"#01869f\n#ff00aa\n#123456\n#abcdef\n")
    assert [*(found.labels if found.labels[0] else []), *(cell for (cell,) in _rows(found))] == [
        "#01869f",
        "#ff00aa",
        "#123456",
        "#abcdef",
    ]


def test_a_word_that_most_rows_have_is_no_total(tmp_path: Path) -> None:
    def read(totals: int, others: int) -> list[tuple[str, int]]:
        kinds = ["Total"] * totals + ["Parcial"] * others
        rows = "".join(f"n{number};{kind};{number},5\n" for number, kind in enumerate(kinds))
        return [(one.code, one.count) for one in _analyze(tmp_path, f"nome;tipo;v\n{rows}".encode()).findings]

    assert (read(100, 1), read(10, 91)) == ([], [("SUBTOTAL_LINES", 10)])


def test_a_text_about_the_other_files_of_an_archive_is_no_table(tmp_path: Path) -> None:
    about = "Vendas de 2024\nGerado em 2025\nDúvidas: financeiro\n"
    content = zipped({"dados.csv": "id;nome\n1;Ana\n", "leia-me.txt": about})
    found = _analyze(tmp_path, content, "envio.zip")
    assert [(one.name, one.include) for one in found.reading.tables] == [
        ("envio.zip/dados.csv", True),
        ("envio.zip/leia-me.txt", False),
    ]
    assert [one.code for one in found.findings] == ["NOT_A_TABLE"]


def test_a_label_over_rows_and_their_subtotal_are_told(tmp_path: Path) -> None:
    regions = ["Região Norte;;\nAC;2023;1\nAM;2023;2\nTotal;;3\n", "Região Sul;;\nPR;2023;4\nRS;2023;5\n"]
    found = _analyze(tmp_path, ("uf;ano;valor\n" + "".join(regions) + "SC;2023;6\n").encode())
    told = {one.code: (one.lines, one.count, one.preview) for one in found.findings}
    assert told["GROUP_LINES"] == ((2, 6), 2, ("Região Norte", "Região Sul"))
    assert told["SUBTOTAL_LINES"] == ((5,), 1, ())


def test_sums_are_told_beyond_the_rows_in_which_any_is_sought(tmp_path: Path) -> None:
    amounts = [[90_001 + group * step for step in (37, 53, 71)] for group in range(150)]
    rows = [row for group in amounts for row in (*group, sum(group))]
    text = "item;valor\n" + "".join(f"i{number};{row}\n" for number, row in enumerate(rows))
    [told] = _analyze(tmp_path, text.encode()).findings
    assert (told.code, told.count) == ("SUBTOTAL_LINES", len(amounts))


def test_a_name_without_its_values_is_no_label(tmp_path: Path) -> None:
    """In a list of people some have neither a phone nor an age: no column is filled in all other rows."""
    rows = "".join(f"Ana {n};{n if n % 3 else ''};{n if n % 4 else ''}\n" for n in range(40))
    assert _analyze(tmp_path, f"nome;idade;filhos\n{rows}".encode()).findings == []


def test_an_error_in_what_only_tells_costs_its_findings_and_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing in a file is known to do so: a check that fails is put in the place of the real one."""

    def fail(*_args: object, **_names: object) -> None:
        raise ValueError("of a file")

    monkeypatch.setattr("managed_tables_analyze.analysis.find_told_rows", fail)
    monkeypatch.setattr("managed_tables_analyze.analysis.profiles.profile_columns", fail)
    found = _analyze(tmp_path, b"a;b\nx;1\ny;2\n")
    assert _rows(found) == [("x", "1"), ("y", "2")]
    assert list(map(str, found.failures)) == ["of a file"] * 2
    told = [warning.text for warning in found.document.warnings if warning.code == "NOT_CHECKED"]
    assert [text[: text.index(")")] for text in told] == [
        "Uma conferência deste envio falhou (totais e grupos",
        "Uma conferência deste envio falhou (resumo das colunas",
    ]
    assert all(warning.may_change_a_value for warning in found.document.warnings)
    assert [column.profile for column in found.document.inferred_schema.columns] == [None, None]


def test_a_full_disk_is_no_fault_of_what_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is raised, since to try again may help."""

    def fail(*_args: object, **_names: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("managed_tables_analyze.analysis.find_told_rows", fail)
    with pytest.raises(OSError, match="No space left"):
        _analyze(tmp_path, b"a;b\nx;1\ny;2\n")


@pytest.mark.parametrize("name", ["Média geral", "MÉDIA", "Average", "Media da turma"])
def test_an_average_among_the_rows_is_told(tmp_path: Path, name: str) -> None:
    lines = "".join(f"aluno {n},{n % 7 + 1}.5,{n % 5 + 3}.0\n" for n in range(12))
    found = _analyze(tmp_path, f"nome,p1,p2\n{lines}{name},3.5,4.1\nzeca,2.5,4.0\nbia,2.5,3.0\n".encode())
    assert [(one.code, one.lines) for one in found.findings if one.code == "SUBTOTAL_LINES"] == [
        ("SUBTOTAL_LINES", (14,))
    ]


def test_a_person_named_like_an_average_is_none(tmp_path: Path) -> None:
    lines = "".join(f"aluno {n},{n % 7 + 1}.5\n" for n in range(12))
    found = _analyze(tmp_path, f"nome,p1\n{lines}Mediana Silva,3.5\nMeana,2.5\n".encode())
    assert [one.code for one in found.findings] == []


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        ("a,3,1/b,4,2/Mediana,9,3/c,6,7/Desvio padrão,9,1/e,3,1/f,8,2/g,1,1", (4, 6)),
        ("n,10.5,203/o,14.2,412/p,11.1,317/Norte,11.9,310.7/s,20.5,103/t,24.2,212/u,21.1,617", (5,)),
    ],
    ids=["words", "the mean of the rows above"],
)
def test_rows_worked_out_of_others_are_told(tmp_path: Path, rows: str, lines: tuple[int, ...]) -> None:
    found = _analyze(tmp_path, f"item,x,y\n{rows.replace('/', chr(10))}\n".encode())
    assert [one.lines for one in found.findings if one.code == "SUBTOTAL_LINES"] == [lines]


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("id;nome;valor\n1;Ana;10,00;\n2;Rui;20,00;\n3;Eva;30,00;obs\n", ["id", "nome", "valor", None]),
        ("numero,cliente\n1,Ana,pago\n2,Rui,pago\n3,Eva,aberto\n", ["numero", "cliente", None]),
        ('"id";"nome"\n"1";"Ana";""\n"2";"Rui";""\n"3";"Eva";"obs"\n', ["id", "nome", None]),
        ('"mpg","cyl"\n"1",21,6\n"2",22.8,4\n"3",21.4,6\n', [None, "mpg", "cyl"]),
        ("mpg cyl\nMazda 21 6\nDatsun 22.8 4\nHornet 21.4 6\n", [None, "mpg", "cyl"]),
    ],
)
def test_labels_stand_above_their_values_where_one_is_missing(
    tmp_path: Path, text: str, labels: list[str | None]
) -> None:
    """The last one, but where the file is as R writes it: in quotes or by blanks, and no cell empty."""
    (path := tmp_path / "a.csv").write_text(text)
    assert read(path).tables[0].labels == labels


def test_balances_of_a_statement_are_told_among_rows_and_left_out_below(tmp_path: Path) -> None:
    """By the name of a row, whatever column it is in: a sum over the movements would count them."""
    days = "01/07/2026;PIX;-150,00\n01/07/2026;SALDO DO DIA;1.350,00\n02/07/2026;REND PAGO;0,03\n"
    days += "03/07/2026;SISPAG;-1.200,00\n03/07/2026;SALDO DO DIA;150,03\n"
    found = _analyze(tmp_path, days.encode())
    told = [(one.code, one.lines) for one in found.findings if one.code == "SUBTOTAL_LINES"]
    assert told == [("SUBTOTAL_LINES", (2, 5))]
    rows = "01/07/2026;DEPOSITO;1.500,00;C\n02/07/2026;SAQUE;200,00;D\n03/07/2026;TED;1.000,50;D\n"
    found = _analyze(tmp_path, f"Data;Lançamento;Valor;D/C\n{rows}SALDO;;299,50;C\n".encode())
    assert [one.code for one in found.findings] == ["FOOTER"]
    assert found.document.inferred_schema.columns[0].type == "date"
