"""The door of managed-tables-reader: what `read` and `read-tables` give."""

import csv
import io
import json
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from managed_tables_reader import ReadError, read
from managed_tables_reader.__main__ import main

REPORT = (
    "Relatório de vendas\n\nid;nome;valor;dia\n1;Ana;2,50;31/01/2026\n2;Rui;3,75;01/02/2026\n"
    "3;Eva;;\nTotal;;6,25;\n"
).encode()


def test_a_file_is_read_by_its_bytes() -> None:
    """Titles above and totals below are no rows; an empty cell is None."""
    [table] = read(REPORT).tables
    assert table.labels == ["id", "nome", "valor", "dia"]
    assert [*table.rows] == [
        ["1", "Ana", "2,50", "31/01/2026"],
        ["2", "Rui", "3,75", "01/02/2026"],
        ["3", "Eva", None, None],
    ]
    assert [line for line, _ in table.numbered_rows] == [4, 5, 6]
    assert (table.delimiter, table.header_line, table.row_count) == (";", 3, 3)


def test_rows_can_be_read_again() -> None:
    [table] = read(b"a,b\n1,2\n").tables
    assert [*table.rows] == [*table.rows]


def test_rows_outlive_the_reading() -> None:
    """A table keeps what it needs."""
    table = read(b"a,b\n1,2\n").tables[0]
    assert [*table.rows] == [["1", "2"]]


def test_types_are_inferred_from_every_cell() -> None:
    [table] = read(REPORT).tables
    assert table.types() == ["integer", "text", "decimal", "date"]


def test_arrow_has_the_values() -> None:
    """Decimals keep their digits; the stream is taken by whatever knows Arrow, and can be taken again."""
    content = (
        b"id;valor;dia;quando;pago\n1;1.234,50;31/01/2026;2026-01-31T10:00:00Z;sim\n2;-0,05;;;n\xc3\xa3o\n"
    )
    [table] = read(content).tables
    stream = table.arrow()
    for _ in range(2):
        relation = duckdb.connect().from_arrow(stream)
        assert relation.columns == ["id", "valor", "dia", "quando", "pago"]
        assert [str(kind) for kind in relation.types] == [
            "BIGINT", "DECIMAL(6,2)", "DATE", "TIMESTAMP WITH TIME ZONE", "BOOLEAN",
        ]  # fmt: skip
        rows = relation.project("id, valor, dia::VARCHAR, epoch(quando), pago").fetchall()
        assert rows == [
            (1, Decimal("1234.50"), "2026-01-31", 1769853600.0, True),
            (2, Decimal("-0.05"), None, None, False),
        ]


def test_what_is_stated_holds() -> None:
    [table] = read(b"a;b\n1;2\n", {"header_line": None, "delimiter": ","}).tables
    assert table.labels == [None]
    assert [*table.rows] == [["a;b"], ["1;2"]]


def test_an_unknown_override_is_refused() -> None:
    with pytest.raises(ValueError, match="no such override: separator"):
        read(b"a;b\n1;2\n", {"separator": ";"})


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", "FILE_EMPTY"), (b"%PDF-1.7\n", "FILE_KIND_REFUSED"), (b"\x00\x01\x02" * 50, "FILE_NOT_TABULAR")],
)
def test_a_refusal_has_a_code_and_an_english_sentence(content: bytes, code: str) -> None:
    with pytest.raises(ReadError) as refusal:
        read(content)
    assert refusal.value.code == code
    assert str(refusal.value).isascii()


def test_warnings_are_said_in_english() -> None:
    """They name the lines that they are about."""
    [table] = read(b"a,b,c\n1,2,3\n4,5\n6,7,8\n9,10,11\n").tables
    [warning] = [one for one in table.warnings if one.code == "SHORT_ROWS"]
    assert (warning.lines, warning.count) == ((3,), 1)
    assert "line 3" in warning.text.lower()


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none.csv")


def test_the_command_prints_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sales.csv").write_bytes(REPORT)
    assert main([str(tmp_path / "sales.csv"), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["types"] == ["integer", "text", "decimal", "date"]
    assert printed["file"] == "sales.csv"


def test_the_command_prints_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "sales.csv").write_bytes(REPORT)
    assert main([str(tmp_path / "sales.csv"), "--csv", "--last-line", "5"]) == 0
    assert [*csv.reader(io.StringIO(capsys.readouterr().out))] == [
        ["id", "nome", "valor", "dia"],
        ["1", "Ana", "2,50", "31/01/2026"],
        ["2", "Rui", "3,75", "01/02/2026"],
    ]


def test_the_command_explains(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The first candidate is the reading, and costs the fewest bits."""
    (tmp_path / "sales.csv").write_bytes(REPORT)
    assert main([str(tmp_path / "sales.csv"), "--explain"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if "candidate:" in line]
    bits = [float(line.split(" bits")[0].rpartition(" ")[2]) for line in lines]
    assert len(bits) == 3
    assert bits == sorted(bits)


def test_a_refused_file_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "empty.csv").write_bytes(b"")
    assert main([str(tmp_path / "empty.csv")]) == 1
    assert "FILE_EMPTY" in capsys.readouterr().err
