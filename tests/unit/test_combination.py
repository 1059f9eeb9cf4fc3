"""Several files, one table."""

from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import openpyxl
import pytest

from managed_tables.documents.statements import OriginLabels, ReadingStatement
from managed_tables.errors import JobError
from managed_tables_analyze.analysis import Analysis, analyze
from managed_tables_analyze.inference import inferring
from managed_tables_reader.reading_files import SourceFile
from managed_tables_reader.rows.reading import AllOverrides


def _analyze(folder: Path, *contents: bytes) -> Analysis:
    sources = []
    for number, content in enumerate(contents):
        path = folder / f"{number:02d}"
        path.write_bytes(content)
        sources.append(SourceFile(path, f"f{number}.csv"))
    return analyze(sources, folder, ZoneInfo("UTC"), taken_names={"f0"})


def _rows(found: Analysis) -> list[tuple[str | None, ...]]:
    cells = ", ".join(f"c{index}" for index in range(len(found.labels)))
    return duckdb.execute(f"SELECT file, {cells} FROM read_parquet('{found.staged}')").fetchall()  # noqa: S608


def test_columns_are_matched_by_normalised_header(tmp_path: Path) -> None:
    found = _analyze(tmp_path, "Código;Preço\n1;2,5\n".encode(), "PRECO,codigo\n3.5,4\n".encode("cp1252"))
    assert [one.display_name for one in found.document.inferred_schema.columns] == ["Código", "Preço"]
    assert _rows(found) == [(0, "1", "2,5"), (1, "4", "3.5")]


def test_a_column_that_a_file_lacks_is_null_there(tmp_path: Path) -> None:
    found = _analyze(tmp_path, b"a,b\n1,2\n", b"a,c\n3,4\n")
    assert _rows(found) == [(0, "1", "2", None), (1, "3", None, "4")]
    assert [column.nullable for column in found.document.inferred_schema.columns] == [False, True, True]
    finding, joined = found.findings
    assert (finding.code, finding.file, finding.columns) == ("OTHER_HEADER", "f1.csv", ("c", "b"))
    assert (joined.code, joined.values["names"]) == ("JOINED_SHEETS", ["f0.csv", "f1.csv"])


def test_a_file_without_header_is_matched_by_position(tmp_path: Path) -> None:
    found = _analyze(tmp_path, b"id,dia\n1,2024-01-01\n", b"2,2024-01-02\n3,2024-01-03\n")
    assert _rows(found) == [(0, "1", "2024-01-01"), (1, "2", "2024-01-02"), (1, "3", "2024-01-03")]


def _book(folder: Path, *sheets: str) -> SourceFile:
    book = openpyxl.Workbook()
    for number, name in enumerate(sheets):
        sheet = book.create_sheet(name)
        for row in (["Aba", "valor"], [f"x{number}", 1.5]):
            sheet.append(row)
    del book["Sheet"]
    path = folder / f"book{len(sheets)}"
    book.save(path)
    return SourceFile(path, f"ano{len(sheets)}.xlsx")


def test_joined_sheets_are_told_and_can_be_told_apart_by_a_column(tmp_path: Path) -> None:
    """The column of names is text, whatever the names look like, and comes first under a name of its own."""
    book = _book(tmp_path, "2023", "2024")
    [told] = analyze([book], tmp_path, ZoneInfo("UTC")).findings
    assert (told.code, told.values["names"], told.count) == ("JOINED_SHEETS", ["2023", "2024"], 2)
    overrides = AllOverrides(ReadingStatement(origin_columns=OriginLabels(sheet="Aba")))
    found = analyze([book], tmp_path, ZoneInfo("UTC"), overrides=overrides)
    assert found.findings == []
    assert _rows(found) == [(0, "2023", "x0", "1.5"), (0, "2024", "x1", "1.5")]
    columns = found.document.inferred_schema.columns
    assert [(one.name, one.display_name, one.type, one.nullable) for one in columns] == [
        ("aba_2", "Aba", "text", False),
        ("aba", "Aba", "text", False),
        ("valor", "valor", "decimal", False),
    ]
    assert found.document.inferred_schema.sample_rows[1] == {"aba_2": "2024", "aba": "x1", "valor": 1.5}
    assert found.document.wish == overrides.stated


def test_joined_files_are_named_with_their_sheets_where_these_tell_them_apart(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"Aba,valor\nx,2.5\n")
    sources = [_book(tmp_path, "A", "B"), _book(tmp_path, "C"), SourceFile(tmp_path / "text", "o'ano.csv")]
    [told] = analyze(sources, tmp_path, ZoneInfo("UTC")).findings
    assert told.values["names"] == ["ano2.xlsx (A)", "ano2.xlsx (B)", "ano1.xlsx", "o'ano.csv"]
    overrides = AllOverrides(ReadingStatement(origin_columns=OriginLabels(file="Arquivo")))
    of_files = analyze(sources, tmp_path, ZoneInfo("UTC"), overrides=overrides)
    assert [one.code for one in of_files.findings] == ["JOINED_SHEETS"]
    overrides = AllOverrides(ReadingStatement(origin_columns=OriginLabels(sheet="Aba", file="Arquivo")))
    both = analyze(sources, tmp_path, ZoneInfo("UTC"), overrides=overrides)
    assert both.findings == []
    assert [row[1:3] for row in _rows(both)] == [
        ("A", "ano2.xlsx"),
        ("B", "ano2.xlsx"),
        ("C", "ano1.xlsx"),
        (None, "o'ano.csv"),
    ]
    assert [one.nullable for one in both.document.inferred_schema.columns] == [True, False, False, False]


def test_the_suggested_name_is_free(tmp_path: Path) -> None:
    assert _analyze(tmp_path, b"a\n1\n").document.inferred_schema.suggested_table_name == "f0_2"


def test_trailing_columns_without_label_or_value_are_dropped(tmp_path: Path) -> None:
    found = _analyze(tmp_path, b"a;b;;\n1;2;;\n3;4;;\n")
    assert _rows(found) == [(0, "1", "2"), (0, "3", "4")]


def test_too_many_columns_over_all_files_are_refused(tmp_path: Path) -> None:
    first = ",".join(f"a{number}" for number in range(1_000)).encode()
    second = ",".join(f"b{number}" for number in range(1_000)).encode()
    with pytest.raises(JobError) as raised:
        _analyze(tmp_path, first + b"\n", second + b"\n")
    assert raised.value.kind.code == "TOO_MANY_COLUMNS"
    assert "f1.csv" in raised.value.message


def test_only_what_is_stored_and_the_files_are_left(tmp_path: Path) -> None:
    _analyze(tmp_path, "a;b\né;2\n".encode("cp1252"), b'a;b\n"x\ny";2\n')
    left = ["00", "01", "preview.rows", "staged.parquet"]  # what the review shows of texts that are changed
    assert sorted(path.name for path in tmp_path.iterdir()) == left


def test_progress_is_told_from_file_to_file_and_as_columns_become_known(tmp_path: Path) -> None:
    sources = []
    for number in range(2):
        path = tmp_path / f"{number:02d}"
        path.write_text("a;b\n1;2\n")
        sources.append(SourceFile(path, f"{number}.csv"))
    told: list[tuple[str, int]] = []
    analyze(sources, tmp_path, ZoneInfo("UTC"), report=lambda *step: told.append(step))
    steps = {"reading": (0, 50, 50, 100), "inferring": (0, 55, 70, 85)}
    assert told == [(phase, percent) for phase, percents in steps.items() for percent in percents]


def test_progress_moves_while_a_file_is_staged_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inferring, "_LOOK_SECONDS", 0.01)
    path = tmp_path / "00"
    path.write_text("a;b;c\n" + "".join(f"{n};texto {n * n};{n},5\n" for n in range(400_000)))
    told: list[tuple[str, int]] = []
    analyze([SourceFile(path, "a.csv")], tmp_path, ZoneInfo("UTC"), report=lambda *step: told.append(step))
    reading = [percent for phase, percent in told if phase == "reading"]
    counting = [percent for phase, percent in told if phase == "inferring"]
    assert any(50 < percent < 100 for percent in reading), reading
    assert any(0 < percent < 55 for percent in counting), counting
