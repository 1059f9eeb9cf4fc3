"""Text files, whole: what comes out of analyze for awkward bytes."""

from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest

from managed_tables.errors import JobError
from managed_tables_analyze.analysis import Analysis, SourceFile, analyze


def _analyze(folder: Path, content: bytes, name: str = "vendas.csv") -> Analysis:
    path = folder / "00"
    path.write_bytes(content)
    return analyze([SourceFile(path, name)], folder, ZoneInfo("UTC"))


def _rows(found: Analysis) -> list[tuple[str | None, ...]]:
    cells = ", ".join(f"c{index}" for index in range(len(found.labels)))
    return duckdb.execute(f"SELECT {cells} FROM read_parquet('{found.staged}')").fetchall()  # noqa: S608


def _lines(found: Analysis) -> list[int]:
    cells = duckdb.execute(f"SELECT line FROM read_parquet('{found.staged}')").fetchall()  # noqa: S608
    return [line for (line,) in cells]


def test_a_brazilian_file_keeps_its_original_characters(tmp_path: Path) -> None:
    content = "Código;Preço Médio (R$)\r\n007;1.234,56\r\n008;\r\n".encode("cp1252")
    found = _analyze(tmp_path, content)
    assert [column["name"] for column in found.inferred_schema["columns"]] == ["codigo", "preco_medio_r"]
    assert [column["display_name"] for column in found.inferred_schema["columns"]] == [
        "Código",
        "Preço Médio (R$)",
    ]
    assert [column["nullable"] for column in found.inferred_schema["columns"]] == [False, True]
    assert _rows(found) == [("007", "1.234,56"), ("008", None)]
    assert vars(found.dialect) == {"encoding": "cp1252", "delimiter": ";", "quote": '"', "header_line": 1}


def test_a_line_is_the_first_physical_line_of_its_record(tmp_path: Path) -> None:
    found = _analyze(tmp_path, b'a,b\n1,"x\ny"\n\n2,z\n')
    assert _rows(found) == [("1", "x\ny"), ("2", "z")]
    assert _lines(found) == [2, 5]


def test_titles_above_and_notes_below_are_not_rows(tmp_path: Path) -> None:
    rows = "id;valor;dia\n1;2,50;01/02/2024\n2;3,00;02/02/2024\n"
    found = _analyze(tmp_path, f"Relatório de vendas\n\n{rows}Total;5,50;\n\nFonte: IBGE\n".encode())
    assert _rows(found) == [("1", "2,50", "01/02/2024"), ("2", "3,00", "02/02/2024")]
    assert found.dialect.header_line == 3
    above, below = found.warnings
    assert "1 linha acima da tabela, não importada: linha 1" in above
    assert "Fonte: IBGE" in below


def test_a_quote_that_never_closes_takes_one_row_only(tmp_path: Path) -> None:
    found = _analyze(tmp_path, b'a,b,c\n1,x,2\n2,"y,3\n3,z,4\n4,w,5\n')
    assert [row[0] for row in _rows(found)] == ["1", "2", "3", "4"]
    assert "linha 3" in found.warnings[0]


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b"\n \n"])
def test_a_file_with_nothing_at_all_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(JobError) as raised:
        _analyze(tmp_path, content)
    assert raised.value.as_record()["code"] == "FILE_EMPTY"


def test_a_header_without_rows_is_accepted(tmp_path: Path) -> None:
    found = _analyze(tmp_path, b"id;nome;valor")
    assert found.row_count == 0
    assert found.inferred_schema["sample_rows"] == []


def test_long_rows_lose_nothing_and_are_reported(tmp_path: Path) -> None:
    found = _analyze(tmp_path, b"a,b\n1,2\n3,4,5\n6\n")
    assert _rows(found) == [("1", "2", None), ("3", "4", "5"), ("6", None, None)]
    assert any("linha 3" in warning for warning in found.warnings)
    assert any("linha 4" in warning for warning in found.warnings)


def test_a_first_line_longer_than_the_sample_is_read_with_the_lines_below_it(tmp_path: Path) -> None:
    """Alone it would be cut by its blanks, which are more than its tabs."""
    labels = [
        f"{number} da pesquisa com um rótulo muito comprido {'e repetido ' * 40}" for number in range(1_200)
    ]
    lines = ["\t".join(labels), *("\t".join([str(row)] * 1_200) for row in range(3))]
    content = "\r\n".join(lines).encode()
    assert len(lines[0]) > 500_000
    found = _analyze(tmp_path, content)
    assert found.dialect.delimiter == "\t"
    assert (len(found.labels), found.row_count) == (1_200, 3)
