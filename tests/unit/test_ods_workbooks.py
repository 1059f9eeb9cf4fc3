"""ODS workbooks read by their own reader, and the package format that they share with XLSX."""

import zipfile
from pathlib import Path

import pytest
from read_sheets import Read, read

from managed_tables.conversion.marked_cells import TEXT_SIGN
from managed_tables.errors import WORKBOOK_TOO_LARGE
from managed_tables_reader.workbooks.ods import (
    duration_text,
    moment_text,
    read_ods,
    shown_identifier,
    tells_date,
)
from managed_tables_reader.workbooks.package import open_package
from managed_tables_reader.workbooks.raw import WorkbookError

OFFICE = "urn:oasis:names:tc:opendocument:xmlns"
SPACES = " ".join(f'xmlns:{one}="{OFFICE}:{one}:1.0"' for one in ("office", "table", "text", "style"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "00"


def ods(path: Path, content: str, *, manifest: str = "", styles: str = "") -> list[Read]:
    with zipfile.ZipFile(path, "w") as package:
        if manifest:
            package.writestr("META-INF/manifest.xml", manifest)
        body = f"<office:body><office:spreadsheet>{content}</office:spreadsheet></office:body>"
        package.writestr("content.xml", document(styles + body))
    return read(read_ods(path))


def document(content: str) -> str:
    return f"<office:document-content {SPACES}>{content}</office:document-content>"


def row(*cells: str, attributes: str = "") -> str:
    return f"<table:table-row {attributes}>{''.join(cells)}</table:table-row>"


def table(*rows: str, name: str = "P1", attributes: str = "") -> str:
    return f'<table:table table:name="{name}" {attributes}>{"".join(rows)}</table:table>'


def cell(content: str = "", attributes: str = "") -> str:
    return f"<table:table-cell {attributes}>{content}</table:table-cell>"


def value(kind: str, raw: str, shown: str = "", attributes: str = "") -> str:
    name = {"date": "date-value", "time": "time-value", "boolean": "boolean-value", "string": "string-value"}
    stated = f'office:{name.get(kind, "value")}="{raw}"' if raw else ""
    return cell(f"<text:p>{shown}</text:p>", f'office:value-type="{kind}" {stated} {attributes}')


FORMULA = 'table:formula="of:=1"'
RUBY = "<text:ruby><text:ruby-base>a</text:ruby-base><text:ruby-text>no</text:ruby-text></text:ruby>"
NOTE = "<office:annotation><text:p>no</text:p></office:annotation>"


@pytest.mark.parametrize(
    ("written", "cells"),
    [
        (value("string", "", "a") + value("string", "b", "x"), ["a", "b"]),
        (
            value("string", "", " a  b <text:s text:c='2'/>c<text:tab/>d<text:line-break/>e"),
            ["a b   c\td\ne"],
        ),
        (cell("<text:p>a</text:p><text:p> b</text:p>"), ["a\nb"]),
        (cell(f"{NOTE}<text:p>a</text:p>"), ["a"]),
        (cell(f"<text:p>{RUBY}{NOTE}</text:p>"), ["a"]),
        (value("string", "", "1.500"), [f"1.500{TEXT_SIGN}"]),
        (
            value("float", "1.50", "1,5")
            + value("currency", "2", "R$ 2")
            + value("percentage", "0.5", "50%"),
            ["1.5", "2", "0.5"],
        ),
        (
            value("float", "1310100", "01310-100") + value("float", "7", "007") + value("float", "7", "8"),
            ["01310-100", "007", "7"],
        ),
        (value("date", "2024-01-31", "x") + value("time", "PT10H30M00S", "x"), ["2024-01-31", "10:30:00"]),
        (value("boolean", "true", "x") + value("boolean", "false", "x"), ["TRUE", "FALSE"]),
        (
            value("float", "1", "1", 'table:number-columns-repeated="3"') + value("string", "", "a"),
            ["1", "1", "1", "a"],
        ),
        (
            '<table:table-cell table:number-columns-repeated="2"/>' + value("string", "", "a"),
            [None, None, "a"],
        ),
        (
            value("string", "", "a") + "<table:covered-table-cell/>" + value("string", "", "b"),
            ["a", None, "b"],
        ),
        (
            value("error", "", "x") + value("float", "0", "#DIV/0!", FORMULA) + value("string", "", "a"),
            [None, None, "a"],
        ),
        (value("string", "", "Err:502", FORMULA) + value("string", "", "Err:50", FORMULA), [None, "Err:50"]),
        (value("string", "", "#N/A") + value("float", "0", "#x"), ["#N/A", "0"]),
    ],
)
def test_cells_of_ods_are_read_by_their_types(path: Path, written: str, cells: list[str | None]) -> None:
    [sheet] = ods(path, table(row(written)))
    assert sheet.numbered == [(1, cells)]


def test_rows_and_sheets_of_ods_keep_their_positions(path: Path) -> None:
    styles = '<style:style style:name="h"><style:table-properties table:display="false"/></style:style>'
    styles += '<style:style style:name="s"><style:table-properties table:display="true"/></style:style>'
    first = table(
        '<table:table-column table:number-columns-repeated="2"/>',
        '<table:table-column table:visibility="collapse"/>',
        row(value("string", "", "a", 'table:number-columns-spanned="2" table:number-rows-spanned="3"')),
        row(value("string", "", "b"), attributes='table:number-rows-repeated="2"'),
        row(cell(), attributes='table:number-rows-repeated="4"'),
        row(value("error", "", "x"), value("string", "", "c"), attributes='table:visibility="filter"'),
        row(cell(attributes=FORMULA), value("percentage", "0.5", "50%")),
        attributes='table:style-name="s"',
    )
    second = table(row(value("string", "", "d")), name="P2", attributes='table:style-name="h"')
    foreign = table(row(value("string", "", "no")), name="'file:///x'#P1")
    one, two = ods(path, first + foreign + second, styles=styles)
    assert one.numbered == [(1, ["a"]), (2, ["b"]), (3, ["b"]), (8, [None, "c"]), (9, [None, "0.5"])]
    assert one.tally.merged == [(1, 0, 3, 1)]
    assert (one.tally.hidden_rows, one.tally.hidden_columns) == (1, {2})
    assert (dict(one.tally.errors), one.tally.percents, one.tally.uncached) == ({0: 1}, {1}, 1)
    assert (one.name, one.visible, two.name, two.visible) == ("P1", True, "P2", False)
    assert two.numbered == [(1, ["d"])]


def test_repeated_cells_are_counted_one_by_one(path: Path) -> None:
    formulas = cell(attributes=f'{FORMULA} table:number-columns-repeated="2"')
    errors = value("error", "", "x", 'table:number-columns-repeated="2"')
    repeats = 'table:visibility="collapse" table:number-rows-repeated="3"'
    [sheet] = ods(path, table(row(formulas, errors, value("string", "", "a"), attributes=repeats)))
    assert sheet.tally.uncached == 6
    assert dict(sheet.tally.errors) == {2: 3, 3: 3}
    assert sheet.tally.hidden_rows == 3


def test_dates_among_the_first_rows_of_ods_are_shown_as_labels(path: Path) -> None:
    first = value("date", "2024-01-01", "jan/24", 'table:number-columns-repeated="2"')
    [sheet] = ods(path, table(row(first, value("date", "2024-01-31", "jan/24"))))
    assert sheet.tally.shown_dates == {(1, 0): "jan/24", (1, 1): "jan/24"}


def test_a_file_repeats_no_more_cells_than_its_size_makes_likely(path: Path) -> None:
    """In all of its tables: 496 bytes took seconds, by 16 million cells that no element stands for."""
    filled_down = table(row(value("float", "1"), attributes='table:number-rows-repeated="200000"'))
    assert len(ods(path, filled_down)[0].rows) == 200_000
    with pytest.raises(WorkbookError, match="repete as mesmas células"):
        ods(path, filled_down * 2)
    words = table(*(row(value("string", "", f"palavra {number}")) for number in range(20)))
    assert [len(sheet.rows) for sheet in ods(path, filled_down * 2 + words)] == [200_000, 200_000, 20]


def test_invalid_encrypted_or_oversized_ods_is_refused(path: Path) -> None:
    with pytest.raises(WorkbookError, match="tem senha"):
        ods(path, "", manifest="<manifest:file-entry><manifest:encryption-data /></manifest:file-entry>")
    assert ods(path, table(row(value("string", "", "a"))), manifest="<manifest:manifest/>")
    many = value("float", "1", "1", 'table:number-columns-repeated="99999"')
    with pytest.raises(WorkbookError, match="colunas"):
        ods(path, table(row(many)))
    with pytest.raises(WorkbookError, match="linhas demais"):
        ods(path, table(row(value("float", "1"), attributes='table:number-rows-repeated="9999999999"')))
    wide = value("float", "1", "1", 'table:number-columns-repeated="100"')
    with pytest.raises(WorkbookError, match="repete as mesmas células"):
        ods(path, table(row(wide, attributes='table:number-rows-repeated="1048576"')))
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("content.xml", document(""))
    with pytest.raises(WorkbookError, match="o documento não é uma planilha"):
        read(read_ods(path))


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("2024-01-31", "2024-01-31"),
        (" 2024-01-31T00:00:00 ", "2024-01-31"),
        ("2024-01-31T10:30:00", "2024-01-31T10:30:00"),
        ("2024-01-31T10:30:00.5", "2024-01-31T10:30:00.500"),
        ("2024-01-31T23:59:59.9996", "2024-02-01"),
        ("1899-12-30T10:30:00", "10:30:00"),
        ("2024-02-30T10:30:00", "2024-02-30T10:30:00"),
        ("9999-12-31T23:59:59.9999", "9999-12-31T23:59:59.9999"),
        ("ontem", "ontem"),
    ],
)
def test_a_datetime_of_ods_is_written_as_in_other_workbooks(raw: str, text: str) -> None:
    assert moment_text(raw) == text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("PT10H30M05S", "10:30:05"),
        ("PT100H0M0S", "100:00:00"),
        ("-PT1H", "-01:00:00"),
        ("P1DT2H", "26:00:00"),
        ("PT5M", "00:05:00"),
        ("PT1M0.5S", "00:01:00.500"),
        ("PT0,0004S", "00:00:00"),
        ("PT59M59.9996S", "01:00:00"),
        ("PT1234567890123H", "PT1234567890123H"),
        ("PT123456789012S", "34293552:30:12"),
        (" x ", "x"),
    ],
)
def test_a_duration_of_ods_is_written_as_in_other_workbooks(raw: str, text: str) -> None:
    assert duration_text(raw) == text


@pytest.mark.parametrize(
    ("number", "shown", "is_shown"),
    [
        ("7", "007", True),
        ("1310100", "01310-100", True),
        ("12345678000195", "12.345.678/0001-95", True),
        ("1133334444", "(11) 3333-4444", True),
        ("7", "7", False),
        ("7", "008", False),
        ("1234", "1.234", False),
        ("-7", "-07", False),
        ("1.5", "01-5", False),
        ("20240131", "x20240-131", False),
    ],
)
def test_an_identifier_is_read_as_shown(number: str, shown: str, is_shown: bool) -> None:
    assert shown_identifier(number, shown) == (shown if is_shown else None)


def test_a_displayed_text_determines_the_date_or_not() -> None:
    determined = [("jan/24", "2024-01-01"), ("31/01/24", "2024-01-31"), ("5 jan 2024", "2024-01-05")]
    assert [pair for pair in determined if not tells_date(*pair)] == []
    undetermined = [
        ("jan", "2024-01-01"),
        ("jan/24", "2024-01-31"),
        ("###24", "2024-01-01"),
        ("24", "2024-01-01T10:00:00"),
    ]
    assert [pair for pair in undetermined if tells_date(*pair)] == []


def test_opening_a_package_is_bounded(path: Path) -> None:
    one = '<Relationship Id="1" Type="urn:x/kind" Target="/xl/a%2Exml"/>'
    other = '<Relationship Id="3" Type="urn:x/other" Target="xl\\a.xml"/>'
    external = '<Relationship Id="2" Type="urn:x/kind" TargetMode="External" Target="x"/>'
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("xl\\A.xml", "<a/>")
        package.writestr("_rels/.rels", f"<R>{one}{other}{external}</R>")
    with open_package(path) as opened:
        assert "XL/a.xml" in opened
        assert {key: (one.kind, one.target) for key, one in opened.relationships("").items()} == {
            "1": ("kind", "/xl/a.xml"),
            "3": ("other", "/xl/a.xml"),
        }
        assert opened.relationships("xl/a.xml") == {}
        with pytest.raises(WorkbookError, match=r"falta a parte b\.xml"), opened.open_part("b.xml"):
            pass
    with zipfile.ZipFile(path, "w") as package:
        for number in range(10_001):
            package.writestr(str(number), "")
    with pytest.raises(WorkbookError, match="tem mais de 10000 partes"), open_package(path):
        pass
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("a", bytes(65 << 20))
    with pytest.raises(WorkbookError, match="bomba") as refused, open_package(path):
        pass
    assert refused.value.kind is WORKBOOK_TOO_LARGE
