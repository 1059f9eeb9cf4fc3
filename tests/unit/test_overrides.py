"""What a person states about a reading is fixed; only the rest is inferred."""

import io
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import openpyxl
import pytest
from table_writers import write_sheets

from managed_tables.documents.analyses import TableReading
from managed_tables.documents.statements import ReadingStatement, TableStatement
from managed_tables.errors import JobError
from managed_tables.jobs.staged_rows import staged_rows
from managed_tables_analyze.analysis import Analysis, analyze
from managed_tables_reader.reading_files import SourceFile
from managed_tables_reader.rows.reading import NOTHING_KNOWN, AllOverrides, Known

SALES = "Vendas\nid;nome;valor\n1;Ana;2,50\n2;Bia;3,00\n3;Caio;4,00\n"
UNITS = "id;valor;dia\nn;R$;d/m/a\n1;2,50;01/02/2024\n2;3,00;02/02/2024\n"


def _analyze(
    folder: Path,
    *tables: TableStatement,
    contents: tuple[bytes, ...],
    timezone: str | None = None,
    known: Known = NOTHING_KNOWN,
) -> Analysis:
    sources = []
    for number, content in enumerate(contents):
        path = folder / f"{number:02d}"
        path.write_bytes(content)
        sources.append(SourceFile(path, f"vendas {number}.csv"))
    stated = ReadingStatement(tables=list(tables), timezone=timezone)
    return analyze(sources, folder, ZoneInfo("UTC"), overrides=AllOverrides(stated, {None: known}))


def _read(folder: Path, text: str | bytes, known: Known = NOTHING_KNOWN, **stated: object) -> Analysis:
    content = text if isinstance(text, bytes) else text.encode()
    return _analyze(folder, TableStatement(file=0, **stated), contents=(content,), known=known)  # type: ignore[arg-type]


def _rows(found: Analysis) -> list[tuple[str | None, ...]]:
    cells = ", ".join(f"c{index}" for index in range(len(found.labels)))
    return duckdb.execute(f"SELECT {cells} FROM {staged_rows(found.staged)}").fetchall()  # noqa: S608


def _lines(found: Analysis) -> list[int]:
    rows = duckdb.execute(f"SELECT line FROM {staged_rows(found.staged)}").fetchall()  # noqa: S608
    return [line for (line,) in rows]


def _table(found: Analysis, place: int = 0) -> TableReading:
    return found.reading.tables[place]


def test_a_stated_header_line_names_the_columns(tmp_path: Path) -> None:
    found = _read(tmp_path, SALES, header_line=3)
    assert found.labels == ["1", "Ana", "2,50"]
    assert _rows(found) == [("2", "Bia", "3,00"), ("3", "Caio", "4,00")]
    assert (_table(found).header_line, _table(found).first_line) == (3, 4)
    assert _table(found).skipped_lines == [1, 2]
    assert [one.code for one in _table(found).reasons][-1] == "STATED"


def test_without_a_header_its_line_becomes_a_row(tmp_path: Path) -> None:
    found = _read(tmp_path, "nome;cidade\nAna;Rio\n", header_line=None)
    assert _rows(found) == [("nome", "cidade"), ("Ana", "Rio")]
    assert (_table(found).header_line, _table(found).first_line, found.labels) == (None, 1, [None, None])


def test_labels_of_several_header_lines_are_joined(tmp_path: Path) -> None:
    found = _read(tmp_path, UNITS, header_line=1, header_lines=2)
    assert found.labels == ["id n", "valor R$", "dia d/m/a"]
    assert (_table(found).header_lines, _table(found).first_line, found.document.row_count) == (2, 3, 2)


def test_a_stated_number_of_header_lines_holds_wherever_they_are(tmp_path: Path) -> None:
    assert _table(_read(tmp_path, UNITS)).header_lines == 1
    for above in ("", "Vendas\n\n", "Filiais\n\nloja;cidade\ncod;uf\n1;Rio\n2;Recife\n\n\n"):
        first = above.count("\n") + 1
        for stated in ({}, {"first_line": first + 2}):
            found = _read(tmp_path, above + UNITS + "3;1,00;03/02/2024\n", header_lines=2, **stated)
            assert found.labels == ["id n", "valor R$", "dia d/m/a"]
            assert (_table(found).header_line, _table(found).header_lines) == (first, 2)
    # A line less than it seems
    found = _read(tmp_path, "Vendas\nFilial\n" + UNITS, header_lines=2, first_line=4)
    assert (_table(found).header_line, _table(found).header_lines, _table(found).first_line) == (2, 2, 4)
    for text, lines in ((SALES, 1), (SALES, 2), (SALES, 20), ("a;b\n", 3)):
        assert _table(_read(tmp_path, text, header_lines=lines)).header_lines == min(lines, text.count("\n"))


def test_a_stated_code_page_is_known_of_a_file_of_ascii_too(tmp_path: Path) -> None:
    for name, found in (("iso8859-1", "iso8859-1"), ("utf-16-le", "utf-8"), ("cp037", "utf-8")):  # EBCDIC
        known = Known(encoding=name, stated=(("encoding", name),))
        assert _table(_read(tmp_path, UNITS, known=known)).encoding == found


def test_known_labels_are_found_over_as_many_lines_as_they_had(tmp_path: Path) -> None:
    text = "Relatório\nLoja;Posto\nnome;cargo\nCaio;chefe\nDavi;vendas\n"
    known = Known(frozenset(("loja nome", "posto cargo")), header_lines=2)
    assert _read(tmp_path, text).labels == ["Loja", "Posto"]
    found = _read(tmp_path, text, known=known)
    assert (found.labels, _lines(found)) == (["Loja nome", "Posto cargo"], [4, 5])


def test_lines_that_are_known_to_be_no_rows_are_listed_once(tmp_path: Path) -> None:
    known = Known(frozenset(("id", "n")), skip_texts=frozenset(("nota",)))
    found = _read(tmp_path, "nota 1\nid;n\n1;2\nnota 2\n3;4\nnota 3\n", known=known)
    assert (_lines(found), _table(found).skipped_lines) == ([3, 5], [1, 4, 6])


def test_lines_between_the_header_and_the_stated_first_line_are_left_out(tmp_path: Path) -> None:
    found = _read(tmp_path, UNITS, header_line=1, header_lines=1, first_line=3)
    assert found.labels == ["id", "valor", "dia"]
    assert (_lines(found), _table(found).skipped_lines) == ([3, 4], [2])
    found = _read(tmp_path, SALES, first_line=4)
    assert (_lines(found), _table(found).header_line, _table(found).skipped_lines) == ([4, 5], 2, [1, 3])


def test_rows_end_at_the_stated_last_line(tmp_path: Path) -> None:
    found = _read(tmp_path, SALES, last_line=4)
    assert (_lines(found), _table(found).last_line, _table(found).skipped_lines) == ([3, 4], 4, [1, 5])


def test_a_stated_last_line_restores_a_total(tmp_path: Path) -> None:
    text = "id;valor;obs\n1;2,50;x\n2;3,00;y\nTotal;5,50;\n"
    assert _read(tmp_path, text).document.row_count == 2
    assert _rows(_read(tmp_path, text, last_line=4))[-1] == ("Total", "5,50", None)


def test_skipped_lines_are_left_out_and_the_others_keep_their_numbers(tmp_path: Path) -> None:
    found = _read(tmp_path, SALES, skip_lines=[4])
    assert (_lines(found), _table(found).skipped_lines, _table(found).rows) == ([3, 5], [1, 4], 2)


def test_a_stated_delimiter_splits_the_lines(tmp_path: Path) -> None:
    found = _read(tmp_path, "a,b;c,d\n1,2;3,4\n5,6;7,8\n", delimiter=";")
    assert _rows(found) == [("1,2", "3,4"), ("5,6", "7,8")]
    found = _read(tmp_path, "a,b;c,d\n1,2;3,4\n5,6;7,8\n", delimiter=",")
    assert (_rows(found)[0], _table(found).delimiter) == (("1", "2;3", "4"), ",")


def test_a_stated_quote_or_no_quote_is_used(tmp_path: Path) -> None:
    text = "nome;obs\nAna;'a;b'\nBia;'c'\n"
    assert _rows(_read(tmp_path, text, quote="'", delimiter=";")) == [("Ana", "a;b"), ("Bia", "c")]
    found = _read(tmp_path, 'nome;obs\nAna;"alto"\nBia;5"\n', quote=None)
    assert _rows(found) == [("Ana", '"alto"'), ("Bia", '5"')]
    assert _table(found).quote is None


def test_a_stated_encoding_is_used(tmp_path: Path) -> None:
    content = "nome;n\nJoão;1\n".encode()
    assert _rows(_read(tmp_path, content, encoding="cp1252"))[0][0] == "JoÃ£o"
    for written in ("utf-16", "utf-16-le", "utf-16-be"):  # with a mark, and without
        found = _read(tmp_path, "nome;n\nJoão;1\n".encode(written), encoding="utf-16")
        assert _rows(found) == [("João", "1")]
    assert _table(_read(tmp_path, "nome;n\nJoao;1\n", encoding="utf-16")).encoding == "utf-16-le"
    assert _rows(_read(tmp_path, "nome;n\nJoão;1\n".encode("cp1252"), encoding="utf-8")) == [("João", "1")]


def test_trim_removes_the_blanks_around_every_cell(tmp_path: Path) -> None:
    found = _read(tmp_path, 'nome;n\n" Ana ";1\n"  ";2\n', trim=True)
    assert _rows(found) == [("Ana", "1"), (None, "2")]


def test_a_stated_zone_applies_to_times_without_one(tmp_path: Path) -> None:
    contents = (b"quando\n2024-01-01 10:00:00\n",)
    found = _analyze(tmp_path, contents=contents, timezone="America/Sao_Paulo")
    assert found.reading.timezone == "America/Sao_Paulo"
    assert found.document.inferred_schema.sample_rows == [{"quando": "2024-01-01T13:00:00Z"}]


def test_an_excluded_file_has_a_reading_and_no_rows(tmp_path: Path) -> None:
    contents = (b"id,n\n1,2\n", b"id,n\n3,4\n5,6\n")
    found = _analyze(tmp_path, TableStatement(file=0, include=False), contents=contents)
    assert _rows(found) == [("3", "4"), ("5", "6")]
    assert [(one.include, one.rows) for one in found.reading.tables] == [(False, 1), (True, 2)]


def test_overrides_that_leave_no_table_is_refused_with_a_reason(tmp_path: Path) -> None:
    for stated, code in (
        ({"include": False}, "NO_TABLE_INCLUDED"),
        ({"header_line": 9}, "LINE_WITHOUT_CELLS"),
        ({"header_line": 2, "skip_lines": (2,)}, "LINE_WITHOUT_CELLS"),
    ):
        with pytest.raises(JobError) as refusal:
            _read(tmp_path, SALES, **stated)
        assert refusal.value.kind.code == code


def test_a_sheet_is_read_as_stated(tmp_path: Path) -> None:
    rows: list[list[object]] = [["Vendas"], ["id", "valor"], [1, 2.5], [2, 3.5], [3, 4.5], ["fim", 9]]
    book = write_sheets(Capa=[["Relatório", "2024"]], Dados=rows, Outra=[["x", "y"], [7, 8]])
    found = _analyze(
        tmp_path,
        TableStatement(file=0, sheet="Capa", include=False),
        TableStatement(file=0, sheet="Dados", include=True, header_line=2, last_line=5, skip_lines=[4]),
        TableStatement(file=0, sheet="Outra", include=False),
        contents=(book,),
    )
    assert (found.labels, _rows(found)) == (["id", "valor"], [("1", "2.5"), ("3", "4.5")])
    cover, data, other = found.reading.tables
    assert (cover.include, cover.reasons[-1].code) == (False, "EXCLUDED")
    assert (data.header_line, data.first_line, data.last_line) == (2, 3, 5)
    assert data.skipped_lines == [1, 4, 6]
    assert (other.include, [one.code for one in found.findings]) == (False, [])


def test_a_hidden_sheet_is_read_if_stated(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(io.BytesIO(write_sheets(A=[["id"], [1]], B=[["id"], [2], [3]])))
    book["B"].sheet_state = "hidden"
    content = io.BytesIO()
    book.save(content)
    stated = TableStatement(file=0, sheet="B", include=True)
    found = _analyze(tmp_path, stated, contents=(content.getvalue(),))
    assert _rows(found) == [("1",), ("2",), ("3",)]


def test_merged_cells_are_left_empty_if_stated(tmp_path: Path) -> None:
    rows: list[list[object]] = [["loja", "valor"], ["A", 1], [None, 2], ["B", 3]]
    book = openpyxl.load_workbook(io.BytesIO(write_sheets(Dados=rows)))
    book["Dados"].merge_cells("A2:A3")
    content = io.BytesIO()
    book.save(content)
    for stated, warnings, second in (
        (None, ["MERGED_FILLED"], "A"),
        (True, ["MERGED_FILLED"], "A"),
        (False, [], None),
    ):
        overrides = TableStatement(file=0, sheet="Dados", fill_merged=stated)
        found = _analyze(tmp_path, overrides, contents=(content.getvalue(),))
        assert _rows(found) == [("A", "1"), (second, "2"), ("B", "3")]
        assert [finding.code for finding in found.findings] == warnings
        [loja, _] = found.document.inferred_schema.columns
        assert loja.nullable is (stated is False)


def test_a_reading_lists_at_most_a_thousand_skipped_lines(tmp_path: Path) -> None:
    rows = "".join(f"{number};2\n" for number in range(1_500))
    found = _read(tmp_path, f"id;n\n{rows}", last_line=3)
    skipped = _table(found).skipped_lines
    assert (len(skipped), skipped[0], _lines(found)) == (1_000, 4, [2, 3])


def test_a_stated_header_far_down_is_found(tmp_path: Path) -> None:
    notes = "".join(f"nota {number}, sem valor\n" for number in range(30_000))
    found = _read(tmp_path, notes + "id;n\n1;2\n3;4\n", header_line=30_001)
    assert (found.labels, _lines(found)) == (["id", "n"], [30_002, 30_003])
