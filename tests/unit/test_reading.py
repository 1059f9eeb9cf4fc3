"""How files were read, as data."""

import io
import json
from pathlib import Path
from zoneinfo import ZoneInfo

import openpyxl
from table_writers import write_sheets
from zipping import zipped

from managed_tables.conversion.marked_cells import TEXT_SIGN
from managed_tables.documents.analyses import TableReading
from managed_tables.documents.statements import ReadingStatement, TableStatement
from managed_tables_analyze.analysis import Analysis, analyze
from managed_tables_reader.reading_files import SourceFile
from managed_tables_reader.rows.reading import AllOverrides

ROWS = '1;Ana;2,50\n\n2;"Bia\nSouza";3,00\nid;nome;valor\n3;Caio;4,00\n'
TITLED = f"Relatório\n\nid;nome;valor\n{ROWS}\nFonte: IBGE\n"


def _analyze(folder: Path, *contents: bytes, name: str = "vendas.csv") -> Analysis:
    sources = []
    for number, content in enumerate(contents):
        path = folder / f"{number:02d}"
        path.write_bytes(content)
        sources.append(SourceFile(path, name))
    return analyze(sources, folder, ZoneInfo("America/Sao_Paulo"))


def _only(found: Analysis) -> TableReading:
    [table] = found.reading.tables
    return table


def _codes(table: TableReading) -> list[str]:
    return [reason.code for reason in table.reasons]


def test_the_reading_of_a_text_file_says_where_its_rows_are(tmp_path: Path) -> None:
    table = _only(_analyze(tmp_path, TITLED.encode("cp1252")))
    assert (table.file, table.sheet, table.include, table.kind) == (0, None, True, "csv")
    assert (table.encoding, table.delimiter, table.quote, table.escape) == ("cp1252", ";", '"', None)
    assert (table.header_line, table.header_lines, table.first_line, table.last_line) == (3, 1, 4, 9)
    assert table.skipped_lines == [1, 2, 5, 8, 10, 11]
    assert table.rows == 3
    assert _codes(table) == ["ENCODING_DETECTED", "DELIMITER_DETECTED", "HEADER_DETECTED"]


def test_a_regular_file_has_the_same_reading_as_any_other(tmp_path: Path) -> None:
    table = _only(_analyze(tmp_path, b"Vendas\n\na,b\n1,2\n3,4\n"))
    assert (table.header_line, table.first_line, table.last_line, table.rows) == (3, 4, 5, 2)
    assert table.skipped_lines == [1, 2]


def test_a_file_without_header_says_so(tmp_path: Path) -> None:
    table = _only(_analyze(tmp_path, b"1,2024-01-01\n2,2024-01-02\n"))
    assert (table.header_line, table.header_lines, table.first_line, table.last_line) == (None, 0, 1, 2)
    assert "NO_HEADER" in _codes(table)


def test_a_file_with_a_header_alone_has_no_first_line(tmp_path: Path) -> None:
    table = _only(_analyze(tmp_path, b"id;nome;valor\n"))
    assert (table.header_line, table.first_line, table.last_line, table.rows) == (1, None, None, 0)


def test_every_sheet_has_a_reading_whether_included_or_not(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    first = book.active
    assert first is not None
    first.title = "Dados"
    for row in (["Vendas"], [], ["id", "valor"], [1, 2.5], [], [2, 3.5], ["Total", 6]):
        first.append(row)
    other = book.create_sheet("Resumo")
    for row in (["mes", "soma", "meta"], ["jan", 1, 2]):
        other.append(row)
    book.create_sheet("Oculta").sheet_state = "hidden"
    book.create_sheet("Vazia")
    content = io.BytesIO()
    book.save(content)
    found = _analyze(tmp_path, content.getvalue(), name="vendas.xlsx")
    data, summary, hidden, empty = found.reading.tables
    assert (data.sheet, data.include, data.kind, data.rows) == ("Dados", True, "xlsx", 2)
    assert (data.header_line, data.first_line, data.last_line) == (3, 4, 6)
    assert data.skipped_lines == [1, 2, 5, 7]
    assert (data.encoding, data.delimiter, data.quote) == (None, None, None)
    assert (summary.sheet, summary.include, summary.rows) == ("Resumo", False, 1)
    assert _codes(summary)[-1] == "SHEET_DIFFERS"
    assert (hidden.include, _codes(hidden)) == (False, ["SHEET_HIDDEN"])
    assert (empty.include, _codes(empty)) == (False, ["SHEET_EMPTY"])
    assert found.document.line_counts == [7, 2, 0, 0]  # one per sheet, in the order of the readings


def test_each_member_of_an_archive_counts_as_a_file(tmp_path: Path) -> None:
    content = zipped({"a.csv": "id,n\n1,2\n", "b/c.csv": "id,n\n3,4\n5,6\n"})
    found = _analyze(tmp_path, content, b"id,n\n7,8\n", name="envio")
    places = [(table.file, table.name, table.rows) for table in found.reading.tables]
    assert places == [(0, "envio/a.csv", 1), (1, "envio/b/c.csv", 2), (2, "envio", 1)]
    assert found.document.files == ["envio/a.csv", "envio/b/c.csv", "envio"]
    assert found.document.line_counts == [2, 3, 2]
    assert [table.upload for table in found.preview.tables] == [None, None, 1]


def test_files_with_the_same_name_are_kept_apart(tmp_path: Path) -> None:
    found = _analyze(tmp_path, b"id,n\n1,2\n", b"id,n\n3,4\n")
    assert [table.file for table in found.reading.tables] == [0, 1]


def test_none_of_a_statement_says_something_of_quotes_and_header_alone() -> None:
    table = {
        "file": 0,
        "sheet": "Dados",
        "header_line": None,
        "skip_lines": [],
        "trim": None,
        "delimiter": ";",
    }
    overrides = AllOverrides(ReadingStatement.read({"tables": [table]}))
    assert overrides.of(0, "Dados").stated == {"header_line", "delimiter"}
    assert overrides.of(0, "outra").stated == set()


def test_a_last_row_of_sums_is_left_out_and_can_be_restored(tmp_path: Path) -> None:
    content = b"loja;itens\nA;1\nB;2\nC;3\n\n;6\n"
    table = _only(_analyze(tmp_path, content))
    assert (table.first_line, table.last_line, table.rows, table.skipped_lines) == (2, 4, 3, [5, 6])
    path = tmp_path / "00"
    overrides = AllOverrides(ReadingStatement(tables=[TableStatement(file=0, last_line=6)]))
    found = analyze([SourceFile(path, "vendas.csv")], tmp_path, ZoneInfo("UTC"), overrides=overrides)
    assert (_only(found).last_line, _only(found).rows, found.document.row_count) == (6, 4, 4)


def test_a_sheets_last_row_of_sums_is_not_among_its_rows(tmp_path: Path) -> None:
    book = write_sheets(a=[["loja", "itens"], ["A", 1], ["B", 2], ["C", 3], [None, 6]])
    table = _only(_analyze(tmp_path, book, name="vendas.xlsx"))
    assert (table.last_line, table.rows, table.skipped_lines) == (4, 3, [5])


def test_the_mark_of_a_workbooks_texts_is_never_shown(tmp_path: Path) -> None:
    rows = [["nome", "valor", "1.500"], ["a", "1.500", "x"], ["b", "2.000", "y"], ["c", "z", "1.000"]]
    book = write_sheets(Dados=rows, Outra=[["2.500", "x"], ["a", 1]])
    found = _analyze(tmp_path, book, name="vendas.xlsx")
    assert TEXT_SIGN not in json.dumps(found.document.as_json(), default=str, ensure_ascii=False)
    shown = found.preview.rows.read_text(encoding="utf-8")
    assert "a,1.500,x" in shown
    assert TEXT_SIGN not in shown
