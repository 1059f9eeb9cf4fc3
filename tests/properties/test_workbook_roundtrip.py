"""Rows written by openpyxl or by hand come back as the same values, whichever way the sheet is read."""

import io
import math
import zipfile
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile

import openpyxl
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st

from managed_tables_reader.workbooks.raw import Cells
from managed_tables_reader.workbooks.xlsx.workbook import read_xlsx

Value = str | int | float | bool | date | datetime | timedelta | None

characters = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
values = st.one_of(
    st.none(),
    st.text(characters, max_size=12).filter(lambda text: "_x" not in text),
    st.sampled_from(["007", "1.234,56", " x ", "a\nb", "<&>\"'", "R$ 1,00", "#N/A", "TRUE"]),
    st.integers(-(10**15), 10**15),
    st.floats(-1e300, 1e300).map(lambda value: float(f"{value:.15g}")),
    st.booleans(),
    st.dates(date(1900, 3, 1), date(9999, 12, 30)),
    st.datetimes(datetime(1900, 3, 1), datetime(9999, 12, 30)).map(lambda at: at.replace(microsecond=0)),
)
tables = st.lists(st.lists(values, min_size=1, max_size=6), min_size=1, max_size=12)


def expected(value: Value) -> object:
    """Return what a cell's text must mean: numbers by value, everything else by text."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int | float):
        return float(value)
    return value or None


def meaning(text: str | None, value: Value) -> object:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(text) if is_number and text is not None else text


def written(table: list[list[Value]]) -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row_number, row in enumerate(table, start=1):
        for column, value in enumerate(row, start=1):
            sheet.cell(row_number, column).value = value
            if isinstance(value, str):
                sheet.cell(row_number, column).data_type = "s"
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def rows_of(content: bytes) -> dict[int, Cells]:
    """Return the rows of the first sheet by number."""
    with NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        sheets = read_xlsx(Path(file.name))  # the file stays open as long as this object lives
        sheet = next(sheets)
        return dict(row for batch in sheet.batches for row in batch.rows())


def edited(content: bytes, edit: Callable[[str], str]) -> bytes:
    """Return the workbook with the XML of its first sheet changed."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(changed, "w") as new:
        for info in old.infolist():
            part = old.read(info)
            if info.filename == "xl/worksheets/sheet1.xml":
                part = edit(part.decode()).encode()
            new.writestr(info, part)
    return changed.getvalue()


def with_comment(xml: str) -> str:
    """Add a comment, which no program writes and only the general parser reads."""
    return xml.replace("</sheetData>", "<!-- </row> --></sheetData>")


def assert_same(table: list[list[Value]], rows: dict[int, Cells]) -> None:
    for number, row in enumerate(table, start=1):
        cells = rows.get(number, [])
        cells = cells + [None] * (len(row) - len(cells))
        assert [meaning(text, value) for text, value in zip(cells, row, strict=False)] == [
            expected(value) for value in row
        ]
        assert not any(cells[len(row) :])


@settings(deadline=None, max_examples=examples(30, 400))
@given(tables)
def test_written_values_are_read(table: list[list[Value]]) -> None:
    assert_same(table, rows_of(written(table)))


@settings(deadline=None, max_examples=examples(8, 100))
@given(tables)
def test_the_general_parser_reads_the_same(table: list[list[Value]]) -> None:
    content = written(table)
    assert rows_of(edited(content, with_comment)) == rows_of(content)


@settings(deadline=None, max_examples=examples(8, 100))
@given(st.lists(values, min_size=1, max_size=4), st.integers(3, 40))
def test_rows_read_by_a_learned_pattern_are_the_same(row: list[Value], count: int) -> None:
    table: list[list[Value]] = [["header"] * len(row), *([row] * count), [None, "odd one"], *([row] * count)]
    assert_same(table, rows_of(written(table)))


def test_every_double_survives() -> None:
    doubles = [math.pi * 10.0**power for power in range(-300, 300, 7)]
    cells = (
        f'<row r="{row}"><c r="A{row}"><v>{value!r}</v></c></row>' for row, value in enumerate(doubles, 1)
    )
    xml = f"<worksheet><sheetData>{''.join(cells)}</sheetData></worksheet>"
    rows = rows_of(edited(written([["x"]]), lambda _: xml))
    assert [float(cell) for cells in rows.values() for cell in cells if cell] == doubles


def test_a_comment_after_a_megabyte_of_rows_changes_nothing() -> None:
    table: list[list[Value]] = [[number, f"text {number}", number % 2 == 0] for number in range(20_000)]
    content = written(table)
    assert rows_of(edited(content, with_comment)) == rows_of(content)


def test_a_duration_is_hours_minutes_and_seconds() -> None:
    assert rows_of(written([[timedelta(hours=36, minutes=5)]])) == {1: ["36:05:00"]}
