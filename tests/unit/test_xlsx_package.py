"""The parts of an XLSX file, written by hand: tabs, styles, strings, cells, merged ranges."""

import gc
import io
import zipfile
from pathlib import Path
from xml.parsers import expat

import pytest
from read_sheets import Read, read

from managed_tables.conversion.marked_cells import TEXT_SIGN
from managed_tables_reader.rows.sheets import LABEL_ROWS
from managed_tables_reader.workbooks.formats import GENERAL, FormatKind, parse_format
from managed_tables_reader.workbooks.package import read_xml
from managed_tables_reader.workbooks.raw import WorkbookError
from managed_tables_reader.workbooks.xlsx.cells import CellLook, CellReader, column_index
from managed_tables_reader.workbooks.xlsx.strings import read_shared_strings, unescape_xml
from managed_tables_reader.workbooks.xlsx.workbook import read_styles, read_xlsx

KIND = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
NAMES = f'xmlns:r="{KIND}"'
STYLES = (
    '<styleSheet><numFmts><numFmt numFmtId="164" formatCode="mmm/yy"/>'
    '<numFmt numFmtId="165" formatCode="00000-000"/></numFmts><cellStyleXfs><xf numFmtId="9"/></cellStyleXfs>'
    '<cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="9"/>'
    '<xf/><xf numFmtId="x"/><xf numFmtId="999"/></cellXfs></styleSheet>'
)


def relations(**targets: str) -> str:
    """Return relationships, each id being its kind and a number."""
    written = "".join(
        f'<Relationship Id="{one}" Type="{KIND}/{one.rstrip("0123456789")}" Target="{target}"/>'
        for one, target in targets.items()
    )
    return f"<Relationships>{written}</Relationships>"


def sheet(rows: str, *, above: str = "", below: str = "") -> str:
    return f"<worksheet>{above}<sheetData>{rows}</sheetData>{below}</worksheet>"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "00"


def xlsx(path: Path, *sheets: str, tabs: str = "", book: str = "", **parts: str) -> list[Read]:
    """Read a workbook of these sheets; `parts` are named without their folder and ending."""
    plain = "".join(
        f'<sheet name="P{number}" r:id="worksheet{number}"/>' for number in range(1, len(sheets) + 1)
    )
    targets = {f"worksheet{number}": f"sheet{number}.xml" for number in range(1, len(sheets) + 1)}
    content = {
        "_rels/.rels": relations(officeDocument="xl/workbook.xml"),
        "xl/workbook.xml": f"<workbook {NAMES}>{book}<sheets>{tabs or plain}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": relations(**targets, chartsheet9="chart.xml"),
        **{f"xl/sheet{number}.xml": one for number, one in enumerate(sheets, 1)},
        **{f"xl/{name}.xml": one for name, one in parts.items()},
    }
    with zipfile.ZipFile(path, "w") as package:
        for name, text in content.items():
            package.writestr(name, text)
    return read(read_xlsx(path))


ONE = sheet('<row r="1"><c r="A1"><v>1</v></c></row>')


def test_tabs_are_read_in_their_order_with_their_visibility(path: Path) -> None:
    tabs = (
        '<sheet name="b" r:id="worksheet2" state="hidden"/><sheet name="x" r:id="chartsheet9"/>'
        '<sheet name="module" r:id=""/><sheet name="a" r:id="worksheet1"/>'
        '<sheet name="c" r:id="worksheet3" state="veryHidden"/>'
        '<sheet name="d" r:id="worksheet3" state="odd"/>'
    )
    found = xlsx(path, ONE, ONE, ONE, tabs=tabs)
    assert [(one.name, one.visible) for one in found] == [
        ("b", False),
        ("a", True),
        ("c", False),
        ("d", True),
    ]
    with pytest.raises(WorkbookError, match="a aba x não está no arquivo"):
        xlsx(path, ONE, tabs='<sheet name="x" r:id="rId7"/>')


@pytest.mark.parametrize(
    ("value", "day"), [("1", "1904-01-01"), ("TRUE", "1904-01-01"), ("on", "1904-01-01"), ("0", "0")]
)
def test_days_count_from_the_workbooks_epoch(path: Path, value: str, day: str) -> None:
    row = '<row r="1"><c r="A1" s="1"><v>0</v></c></row>'
    [found] = xlsx(path, sheet(row), book=f'<workbookPr date1904="{value}"/>', styles=STYLES)
    assert found.rows == [[day]]


def test_a_missing_or_damaged_part_is_reported(path: Path) -> None:
    styled = sheet('<row r="1"><c r="A1" s="1"><v>45322</v></c></row>')
    with pytest.raises(WorkbookError):
        xlsx(path, styled, styles="<styleSheet><cellXfs>")
    for unstyled in (ONE, sheet('<row r="1"><c r="A1" s="0"><v>1</v></c></row>')):
        assert xlsx(path, unstyled, styles="<styleSheet><cellXfs>")[0].rows == [["1"]]
    assert xlsx(path, styled)[0].rows == [["45322"]]
    with pytest.raises(WorkbookError, match="texto compartilhado"):
        xlsx(path, sheet('<row r="1"><c r="A1" t="s"><v>0</v></c></row>'))
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("x", "")
    with pytest.raises(WorkbookError, match="o pacote não contém uma pasta de trabalho do Excel"):
        read(read_xlsx(path))


def test_xml_that_was_read_leaves_no_parser() -> None:
    """The child runs without the collector: a circle would keep each parser, and the last element."""

    def parsers() -> int:
        return sum(isinstance(one, expat.XMLParserType) for one in gc.get_objects())

    gc.disable()
    try:
        before = parsers()
        for read_rows in (list, next):  # to the end, and no further than is needed
            read_rows(read_xml(io.BytesIO(b"<rows><row/><row/></rows>"), wholes=("row",)))
        assert parsers() == before
    finally:
        gc.enable()


def test_a_root_that_is_not_a_workbook_is_refused(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("xl/workbook.xml", "<document/>")
    with pytest.raises(WorkbookError, match="o pacote não contém uma pasta de trabalho do Excel"):
        read(read_xlsx(path))


def test_columns_and_ranges_declared_by_a_sheet_are_read(path: Path) -> None:
    rows = (
        '<row r="1"><c r="A1" s="2"><v>45292</v></c><c r="C1" s="2"><v>45323</v></c>'
        '<c r="D1" s="2" t="str"><v>45292</v></c><c s="2"><v>45292</v></c></row>'
        '<row r="2"><c r="A2"><v>1</v></c><c r="B2" s="4"><v>0.5</v></c><c r="C2" t="e"><v>#N/A</v></c></row>'
    )
    rows += f'<row r="{LABEL_ROWS + 1}"><c r="A{LABEL_ROWS + 1}" s="2"><v>45292</v></c></row>'
    above = '<cols><col min="2" max="3" hidden="1"/><col min="5" max="5" hidden="0"/>'
    above += '<col min="7" max="7" hidden="true"/><col min="²" max="9" hidden="1"/></cols>'
    below = '<mergeCells><mergeCell ref="A1:B1"/><mergeCell ref="A200:B201"/>'
    below += '<mergeCell ref="A201:B202"/></mergeCells>'
    [found] = xlsx(path, sheet(rows, above=above, below=below), styles=STYLES)
    first = ["2024-01-01", None, "2024-02-01", "45292", "2024-01-01"]
    assert found.rows == [first, ["1", "0.5"], ["2024-01-01"]]
    assert found.tally.merged == [(1, 0, 1, 1), (200, 0, 201, 1), (201, 0, 202, 1)]
    assert found.tally.hidden_columns == {1, 2, 6}
    assert found.tally.shown_dates == {(1, 0): "jan/24", (1, 2): "fev/24", (1, 4): "jan/24"}
    assert (dict(found.tally.errors), found.tally.percents) == ({2: 1}, {1})


@pytest.mark.parametrize("number", ["99999999999", "16777217"])
def test_a_row_of_an_impossible_number_is_refused(path: Path, number: str) -> None:
    with pytest.raises(WorkbookError, match="linhas demais"):
        xlsx(path, sheet(f'<row r="{number}"><c r="A1"><v>1</v></c></row>'))
    [found] = xlsx(path, sheet('<row r="²"><c r="A1"><v>1</v></c></row>'))
    assert found.numbered == [(1, ["1"])]


def test_a_style_has_the_format_of_its_number() -> None:
    found = read_styles(io.BytesIO(STYLES.encode()))
    kinds = [one.kind for one in found]
    assert kinds == [
        FormatKind.NUMBER,
        FormatKind.DATE,
        FormatKind.DATE,
        FormatKind.MASK,
        *[FormatKind.NUMBER] * 4,
    ]
    assert [one.is_percent for one in found] == [False] * 4 + [True] + [False] * 3


@pytest.mark.parametrize(
    ("letters", "index"),
    [("A", 0), ("Z", 25), ("AA", 26), ("AZ", 51), ("BA", 52), ("ZZ", 701), ("XFD", 16_383)],
)
def test_column_letters_give_an_index(letters: str, index: int) -> None:
    assert column_index(letters) == index


def test_there_are_no_columns_beyond_the_last() -> None:
    for letters in ("XFE", "ZZZ", ""):
        with pytest.raises(WorkbookError, match=f"a coluna {letters} não existe"):
            column_index(letters)


@pytest.fixture
def reader() -> CellReader:
    formats = [
        GENERAL,
        parse_format("dd/mm/yyyy"),
        parse_format("00000"),
        parse_format("0%"),
        parse_format("h:mm"),
    ]
    return CellReader(["zero", None], formats)


CELLS = [
    ("", "1.50", "0", "1.5"), ("n", "7", "2", "00007"), ("n", "7.5", "2", "7.5"),
    ("n", "45322", "1", "2024-01-31"),
    ("n", "0.5", "3", "0.5"), ("n", "0.5", "4", "12:00:00"), ("n", "5", "9", "5"), ("n", "5", "x", "5"),
    ("s", "0", "0", "zero"), ("s", "1", "0", None), ("str", "1.500", "0", f"1.500{TEXT_SIGN}"),
    ("inlineStr", "a_x000A_b", "0", "a\nb"), ("b", "1", "0", "TRUE"), ("b", "0", "0", "FALSE"),
    ("b", "true", "0", "TRUE"), ("b", "false", "0", "FALSE"), ("e", "#N/A", "0", None),
    ("d", "2024-01-31T00:00:00", "1", "2024-01-31"), ("", "", "0", None), ("str", "", "0", None),
]  # fmt: skip


@pytest.mark.parametrize(("cell_type", "raw", "style", "text"), CELLS)
def test_a_cell_is_read_by_its_type(
    reader: CellReader, cell_type: str, raw: str, style: str, text: str | None
) -> None:
    assert reader.text(1, 3, style, cell_type, raw) == text
    assert reader.texts([1, 2], 3, CellLook("", style, cell_type), [raw or None, None]) == [text, None]
    assert dict(reader.tally.errors) == ({3: 2} if cell_type == "e" else {})
    assert reader.tally.percents == ({3} if style == "3" else set())


@pytest.mark.parametrize("style", ["0", "1", "2", "3", "4"])
def test_plain_numbers_convert_in_bulk_as_one_by_one(reader: CellReader, style: str) -> None:
    raws = ["45322", "0.5", "7", "1234567890.123456789", None]
    alone = [reader.text(1, 0, style, "n", raw) for raw in raws]
    assert reader.texts([1, 2, 3, 4, 5], 0, CellLook("", style, "n", is_plain=True), raws) == alone


def test_invalid_cell_content_is_refused(reader: CellReader) -> None:
    for cell_type, raw, reason in (
        ("s", "2", "o texto compartilhado 2 não existe"),
        ("s", "x", "o texto compartilhado x"),
        ("odd", "1", "tipo de célula desconhecido: odd"),
    ):
        with pytest.raises(WorkbookError, match=reason):
            reader.text(1, 0, "0", cell_type, raw)
    with pytest.raises(WorkbookError, match="um texto compartilhado não existe"):
        reader.texts([1], 0, CellLook("", "0", "s"), ["2"])


@pytest.mark.parametrize(
    ("text", "plain"),
    [("a&amp;b", "a&b"), ("&lt;&gt;&quot;&apos;", "<>\"'"), ("&#65;&#x42;&#x1F600;", "AB😀"), ("ab", "ab")],
)
def test_entities_are_resolved(text: str, plain: str) -> None:
    assert unescape_xml(text) == plain


@pytest.mark.parametrize("text", ["&nbsp;", "a & b", "&#0;", "&#xD800;", "&#xDFFF;", "&#x110000;"])
def test_unknown_entities_are_refused(text: str) -> None:
    with pytest.raises(WorkbookError, match=r"desconhecida|não existe"):
        unescape_xml(text)


@pytest.mark.parametrize("prefix", ["", "x:"])
@pytest.mark.parametrize(
    ("item", "text"),
    [
        ("<si><t>a</t></si>", "a"),
        ('<si><t xml:space="preserve"> a </t></si>', " a "),
        ("<si><t></t></si>", None),
        ("<si><t/></si>", None),
        ("<si/>", None),
        ("<si><r><t>a</t></r><r><rPr/><t>b</t></r></si>", "ab"),
        ("<si><r><t>a &amp; b</t></r></si>", "a & b"),
        ("<si><t>a</t><rPh><t>no</t></rPh></si>", "a"),
        ("<si><t>1.500</t></si>", f"1.500{TEXT_SIGN}"),
        ("<si><t>a&amp;b_x000A_c</t></si>", "a&b\nc"),
        ("<si><t>a<!-- no -->b</t></si>", "ab"),
        ("<si><t><![CDATA[a<b]]></t></si>", "a<b"),
    ],
)
def test_shared_strings_are_texts_in_order(prefix: str, item: str, text: str | None) -> None:
    part = f"<sst><si><t>x</t></si>{item}<si><t>y</t></si></sst>"
    if prefix:
        for name in ("sst", "si", "rPh", "rPr", "r", "t"):
            for end in (">", " ", "/>"):
                part = part.replace(f"<{name}{end}", f"<x:{name}{end}").replace(
                    f"</{name}{end}", f"</x:{name}{end}"
                )
        part = part.replace("<x:sst>", '<x:sst xmlns:x="urn:x">')
    assert read_shared_strings(io.BytesIO(part.encode())) == ["x", text, "y"]


@pytest.mark.parametrize(
    "row", ['<c r="A{n}" t="s"><v>{place}</v></c>', '<c r="A{n}" t="str"><v>{text}</v></c>']
)
def test_characters_that_no_database_stores_are_reported(path: Path, row: str) -> None:
    """NUL and half of a character may stand in a text as escapes: each is told with its line."""
    texts = ["a_x0000_b", "_x0000_", "c_xD800_", "1.5_x0000_00", "_xD83D__xDE00_"]
    cells = (row.format(n=place + 1, place=place, text=text) for place, text in enumerate(texts))
    rows = "".join(f'<row r="{number}">{cell}</row>' for number, cell in enumerate(cells, start=1))
    strings = "".join(f"<si><t>{text}</t></si>" for text in texts)
    [found] = xlsx(path, sheet(rows), sharedStrings=f"<sst>{strings}</sst>")
    assert found.rows == [["ab"], ["c\ufffd"], ["1.500" + TEXT_SIGN], ["😀"]]
    assert found.tally.findings() == [
        ("NUL_REMOVED", 3, {"lines": [1, 2, 4]}, []),
        ("BYTES_LOST", 1, {"lines": [3]}, []),
    ]
