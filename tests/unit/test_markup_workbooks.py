"""HTML and SpreadsheetML workbooks, each read by its own reader."""

from pathlib import Path

import pytest
from read_sheets import Read, read

from managed_tables.conversion.marked_cells import TEXT_SIGN
from managed_tables_reader.workbooks.html import read_html
from managed_tables_reader.workbooks.raw import WorkbookError
from managed_tables_reader.workbooks.spreadsheetml import read_spreadsheetml


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "00"


def html(path: Path, content: str | bytes) -> list[Read]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read(read_html(path))


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("<table><tr><td>a<td>b<tr><td>c</table>", [["a", "b"], ["c"]]),
        ("<table><td>a</td><td>b</td></table>", [["a", "b"]]),
        ("<TABLE><TR><TH> a \n b </TH><TD>&nbsp;</TD><TD>c&amp;d</TD></TR></TABLE>", [["a b", None, "c&d"]]),
        ("<table><tr><td>a<br>b<p>c</p><div>d</div><ul><li>e</ul></td></tr></table>", [["a\nb\nc\nd\ne"]]),
        ("<table><tr><td><b>a</b><script>x()</script><style>y</style>b</td></tr></table>", [["ab"]]),
        ("<table><tr><td><title>x</title>a</script>b</td></tr></table>", [["ab"]]),
        ("x<td>y</td><table><tr><td>a</td></tr></table>z", [["a"]]),
        (
            "<table><tr><td>a<td><table><tr><td>b<tr><td>c<tr><td>d<tr><td>g</table>e<td>f</table>",
            [["b"], ["c"], ["d"], ["g"]],
        ),
        (
            "<table><tr><td colspan=2>a<td>b<tr><td rowspan=2>c<td>d<td>e<tr><td>f<td>g</table>",
            [["a", None, "b"], ["c", "d", "e"], [None, "f", "g"]],
        ),
        (
            "<table><tr><td rowspan=3>a<td>b<tr><td>c<tr><td>d<tr><td>e</table>",
            [["a", "b"], [None, "c"], [None, "d"], ["e"]],
        ),
        (
            "<table><tr><td colspan=0>a<td colspan=x>b<td colspan=-1>c<td colspan=²>d</table>",
            [["a", "b", "c", "d"]],
        ),
        (
            "<table><tr><td x:num=1234.5>1.234,50<td x:num=5>R$ 5<td x:num=0.5>50%<td x:num=7>sete</table>",
            [["1234.5", "5", "50%", "sete"]],
        ),
    ],
)
def test_the_largest_table_of_a_page_is_read(path: Path, content: str, rows: list[list[str | None]]) -> None:
    [sheet] = html(path, content)
    assert (sheet.rows, sheet.name, sheet.visible) == (rows, None, True)


def test_tables_with_the_same_header_are_read_as_one(path: Path) -> None:
    page = "<table><tr><td><td><tr><td>nome<td>valor<tr><td>{}<td>{}</table>"
    other = "<table><tr><td>x<tr><td>y</table><table><tr><td>z</table>"
    sheets = html(path, page.format("a", 1) + other + page.format("b", 2))
    assert [sheet.numbered for sheet in sheets] == [
        [(2, ["nome", "valor"]), (3, ["a", "1"])],
        [(2, ["nome", "valor"]), (3, ["b", "2"])],
    ]
    assert [sheet.tally.other_tables for sheet in sheets] == [1, 0]


def test_merged_cells_of_a_page_are_found(path: Path) -> None:
    [sheet] = html(path, "<table><tr><td colspan=2>a<td rowspan=2>b<tr><td>c<td>d<td>e</table>")
    assert sheet.tally.merged == [(1, 2, 2, 2)]
    assert sheet.rows == [["a", None, "b"], ["c", "d", None, "e"]]


@pytest.mark.parametrize(
    "content",
    [
        "é".encode(),
        "\ufeffé".encode(),
        "\ufeffé".encode("utf-16-le"),
        "\ufeffé".encode("utf-16-be"),
        "é".encode("latin-1"),
        b"<meta charset=utf-8>\xe9",
        b"<meta charset='ISO-8859-1'>\xe9",
        b"<meta charset=nonsense>\xe9",
        b'<meta http-equiv="Content-Type" content="text/html; charset = windows-1252">\xe9',
        b"<meta charset=ibm850>\x82",
    ],
)
def test_a_pages_bytes_override_its_declared_charset(path: Path, content: bytes) -> None:
    head, found, body = content.rpartition(b">")
    encoding = (
        "utf-16-le" if content[:2] == b"\xff\xfe" else "utf-16-be" if content[:2] == b"\xfe\xff" else "ascii"
    )
    before, after = "<table><tr><td>".encode(encoding), "</td></tr></table>".encode(encoding)
    mark = next((one for one in (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff") if body.startswith(one)), b"")
    [sheet] = html(path, mark + head + found + before + body.removeprefix(mark) + after)
    assert sheet.rows == [["é"]]
    [sheet] = html(path, b"\xef\xbb\xbf<table><tr><td>S\xc3\xa3o<tr><td>\xe7</table>")  # one broken byte
    assert sheet.rows == [["São"], ["\ufffd"]]


def test_a_page_without_a_table_of_data_is_refused(path: Path) -> None:
    for content in ("<p>x</p>", "<table><tr><td> </td></tr></table>"):
        with pytest.raises(WorkbookError, match="a página HTML não tem nenhuma tabela com dados"):
            html(path, content)


def xml2003(path: Path, *sheets: str, styles: str = "", book: str = "") -> list[Read]:
    tables = "".join(
        f'<Worksheet ss:Name="P{number}"><Table>{content}</Table></Worksheet>'
        for number, content in enumerate(sheets, 1)
    )
    spaces = 'xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
    spaces += 'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet" xmlns:x="urn:x"'
    path.write_text(
        f"<Workbook {spaces}>{book}<Styles>{styles}</Styles>{tables}</Workbook>", encoding="utf-8"
    )
    return read(read_spreadsheetml(path))


def data(kind: str, text: str, cell: str = "") -> str:
    return f'<Cell {cell}><Data ss:Type="{kind}">{text}</Data></Cell>'


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        (data("String", "a") + data("String", "1.500"), ["a", f"1.500{TEXT_SIGN}"]),
        (data("Number", "1.50") + data("Number", "8.3000000000000007"), ["1.5", "8.3"]),
        (data("Boolean", "1") + data("Boolean", " true ") + data("Boolean", "0"), ["TRUE", "TRUE", "FALSE"]),
        (data("Error", "#N/A") + data("String", "x"), [None, "x"]),
        (data("String", "b", 'ss:Index="3"') + data("String", "c"), [None, None, "b", "c"]),
        (data("String", "a", 'ss:MergeAcross="2"') + data("String", "b"), ["a", None, None, "b"]),
        ("<Cell/>" + data("String", "") + data("String", "x"), [None, None, "x"]),
        ('<Cell><Data ss:Type="String">a<B>b</B></Data><Comment><Data>no</Data></Comment></Cell>', ["ab"]),
        (data("DateTime", "2024-01-31T00:00:00.000", 'ss:StyleID="d"'), ["2024-01-31"]),
        (data("DateTime", "2024-01-31T10:30:00.000", 'ss:StyleID="d"'), ["2024-01-31T10:30:00"]),
        (data("DateTime", "1899-12-31T10:30:00.000", 'ss:StyleID="t"'), ["10:30:00"]),
        (data("DateTime", "2024-01-31T00:00:00.000", 'ss:StyleID="m"'), ["2024-01-31T00:00:00"]),
        (data("Number", "45322", 'ss:StyleID="d"'), ["2024-01-31"]),
        (data("Number", "1310100", 'ss:StyleID="c"'), ["01310-100"]),
        (data("Number", "1.5", 'ss:StyleID="c"'), ["1.5"]),
        (data("Number", "5", 'ss:StyleID="s"'), ["5"]),
    ],
)
def test_cells_of_spreadsheetml_are_read_by_their_types(
    path: Path, row: str, cells: list[str | None]
) -> None:
    formats = {"d": "Short Date", "t": "Short Time", "m": "General Date", "c": "00000-000", "s": "Standard"}
    styles = "".join(
        f'<Style ss:ID="{one}"><NumberFormat ss:Format="{code}"/></Style>' for one, code in formats.items()
    )
    [sheet] = xml2003(path, f"<Row>{row}</Row>", styles=styles)
    assert sheet.numbered == [(1, cells)]


NAMED = {
    "General Date": "2024-01-31T00:00:00", "Long Date": "2024-01-31", "Medium Date": "2024-01-31",
    "Short Date": "2024-01-31", "Long Time": "2024-01-31T00:00:00", "Medium Time": "2024-01-31T00:00:00",
    "Short Time": "2024-01-31T00:00:00",
    **dict.fromkeys(
        ("General", "General Number", "Currency", "Euro Currency", "Fixed", "Standard", "Percent",
         "Scientific", "Yes/No", "True/False", "On/Off"),
        "45322",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", NAMED)
def test_named_formats_of_spreadsheetml_are_read(path: Path, name: str) -> None:
    styles = f'<Style ss:ID="Default"><NumberFormat ss:Format="{name}"/></Style>'
    [sheet] = xml2003(path, f"<Row>{data('Number', '45322')}</Row>", styles=styles)
    assert sheet.rows == [[NAMED[name]]]
    assert sheet.tally.shown_dates == (
        {(1, 0): "31/1/2024"} if name.endswith(" Date") and name[0] != "G" else {}
    )


def test_rows_and_sheets_of_spreadsheetml_keep_their_positions(path: Path) -> None:
    merged_down = data("String", "a", 'ss:MergeDown="1"')
    merged_both = data("String", "c", 'ss:MergeAcross="1" ss:MergeDown="2"')
    first = (
        '<Column ss:Hidden="1" ss:Span="1"/><Column/><Column ss:Index="9" ss:Hidden="1"/>'
        f'<Row ss:Hidden="1">{merged_down}</Row>'
        f'<Row ss:Index="5" ss:Span="2">{data("Error", "#REF!")}{data("String", "b")}</Row>'
        f'<Row ss:StyleID="p">{data("Number", "0.5")}<Cell ss:Formula="=1"/></Row>'
        f"<Row><Cell/><Cell/></Row>"
    )
    second = f"<Row>{merged_both}</Row>"
    styles = '<Style ss:ID="p"><NumberFormat ss:Format="0%"/></Style>'
    hidden = "<x:WorksheetOptions><x:Visible>SheetHidden</x:Visible></x:WorksheetOptions>"
    one, two = xml2003(path, first, second + f"</Table>{hidden}<Table>", styles=styles)
    assert one.numbered == [(1, ["a"]), (5, [None, "b"]), (8, ["0.5"])]
    assert one.tally.merged == [(1, 0, 2, 0)]
    assert (one.tally.hidden_rows, one.tally.hidden_columns) == (1, {0, 1, 8})
    assert (dict(one.tally.errors), one.tally.percents, one.tally.uncached) == ({0: 1}, {0}, 1)
    assert (one.name, one.visible, two.name, two.visible) == ("P1", True, "P2", False)
    assert (two.numbered, two.tally.merged) == ([(1, ["c"])], [(1, 0, 3, 1)])


def test_spreadsheetml_may_count_days_from_1904(path: Path) -> None:
    styles = '<Style ss:ID="Default"><NumberFormat ss:Format="yyyy-mm-dd"/></Style>'
    [sheet] = xml2003(path, f"<Row>{data('Number', '0')}</Row>", styles=styles, book="<x:Date1904/>")
    assert sheet.rows == [["1904-01-01"]]


def test_spreadsheetml_beyond_limits_is_refused(path: Path) -> None:
    for row in (f'<Row ss:Index="{(1 << 24) + 1}"/>', '<Row><Cell ss:Index="20001"/></Row>'):
        with pytest.raises(WorkbookError):
            xml2003(path, row)
    with pytest.raises(WorkbookError, match="o XML não contém nenhuma planilha"):
        xml2003(path)
