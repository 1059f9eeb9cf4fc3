"""The append plan: how the columns of a file go into an existing table."""

from pathlib import Path
from zoneinfo import ZoneInfo

from table_writers import write_sheets

from managed_tables.documents.analyses import AppendPlan
from managed_tables.schema import Column, ColumnType
from managed_tables_analyze.analysis import analyze
from managed_tables_analyze.append_plan import feed_columns, plan_append
from managed_tables_analyze.staging.sql import open_duckdb
from managed_tables_reader.reading_files import SourceFile

TABLE = [
    Column(name="n", display_name="Número", type=ColumnType.INTEGER, nullable=False),
    Column(name="valor", display_name="Vlr", type=ColumnType.DECIMAL, nullable=True),
    Column(name="dia", display_name="Dia", type=ColumnType.DATE, nullable=True),
]


def plan(folder: Path, content: str | bytes) -> AppendPlan:
    path = folder / "00"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    found = analyze([SourceFile(path, "vendas.csv")], folder, ZoneInfo("UTC"))
    with open_duckdb(folder) as connection:
        return plan_append(feed_columns(connection, found, TABLE), TABLE, found.document.files)


def test_columns_are_matched_by_name_and_by_the_tables_label(tmp_path: Path) -> None:
    assert plan(tmp_path, "N;VLR;Cor\n1;2,50;azul\n").as_json() == {
        "matched": [["N", "n"], ["VLR", "valor"]],
        "new": ["cor"],
        "missing": ["dia"],
        "conflicts": [],
    }


def test_conflicts_with_the_table_are_counted_with_examples(tmp_path: Path) -> None:
    rows = "1;2,50;01/02/2024\nx;abc;ontem\n;1,00;\n" + "y;1;hoje\n" * 9
    found = plan(tmp_path, f"n;valor;dia\n{rows}")
    number, amount, day = found.conflicts
    assert (number.column, number.count, len(number.details)) == ("n", 11, 5)
    first, empty = number.details[:2]
    assert (first.file, first.line, first.value, first.code) == ("vendas.csv", 3, "x", "NOT_AN_INTEGER")
    assert (empty.line, empty.value, empty.code) == (4, None, "REQUIRED")
    assert (amount.column, amount.count) == ("valor", 1)
    assert (day.column, day.count, day.details[0].code) == ("dia", 10, "NOT_A_DATE")


def test_a_workbooks_text_is_shown_unmarked(tmp_path: Path) -> None:
    [day] = plan(tmp_path, write_sheets(a=[["n", "dia"], [1, "1.500"], [2, "x"]])).conflicts
    assert [one.value for one in day.details] == ["1.500", "x"]
