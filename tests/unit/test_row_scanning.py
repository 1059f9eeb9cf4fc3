"""The fast scanner of a sheet's rows reads what programs write, with the same result as expat."""

import io
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils import get_column_letter

from managed_tables_reader.rows.sheets import Row
from managed_tables_reader.workbooks.formats import GENERAL, parse_format
from managed_tables_reader.workbooks.raw import Tally, in_batches
from managed_tables_reader.workbooks.xlsx import cells as parsing
from managed_tables_reader.workbooks.xlsx.cells import CellReader
from managed_tables_reader.workbooks.xlsx.scan import SheetScanner
from managed_tables_reader.workbooks.xlsx.strings import NotCanonicalError, read_shared_strings

_STRINGS = ["zero", None, "dois"]
_FORMATS = [GENERAL, *map(parse_format, ("dd/mm/yyyy", "dd/mm/yyyy hh:mm", "00000", "[h]:mm"))]


def sheet(body: str) -> bytes:
    return f'<worksheet xmlns="urn:x"><cols/><sheetData>{body}</sheetData><pageMargins/></worksheet>'.encode()


def scanned(xml: bytes) -> tuple[list[Row], Tally]:
    """Return the rows and their tally; raise NotCanonicalError if only expat can read the sheet."""
    reader = CellReader(_STRINGS, _FORMATS, is_uncalculated=True)
    batches = SheetScanner(io.BytesIO(xml), reader).batches()
    return [row for batch in batches for row in batch.rows()], reader.tally


def parsed(xml: bytes) -> tuple[list[Row], Tally]:
    reader = CellReader(_STRINGS, _FORMATS, is_uncalculated=True)
    batches = in_batches(parsing.parse_rows(io.BytesIO(xml), reader))
    return [row for batch in batches for row in batch.rows()], reader.tally


def repeated(row: str, times: int = 40) -> str:
    """Return enough rows of one form for the scanner to learn it; `N` is the row's number."""
    return "".join(row.replace("N", str(number)) for number in range(1, times + 1))


FORMS = {
    "excel": '<row r="N" spans="1:3" x14ac:dyDescent="0.25"><c r="AN" s="1"><v>45292</v></c>'
    '<c r="BN" s="4"/><c r="CN" t="s"><v>2</v></c></row>',
    "libreoffice": '<row r="N" customFormat="false" ht="12.8" hidden="false" customHeight="false">'
    '<c r="AN" s="0" t="n"><v>1.50</v></c>'
    '<c r="BN" s="0" t="str"><f aca="false">A1&amp;"x"</f><v>1x</v></c></row>',
    "attributes in alphabetical order": '<row collapsed="false" hidden="false" r="N">'
    '<c r="AN" t="s"><v>0</v></c><c s="0" r="BN"><v>7</v></c></row>',
    "no references": '<row><c><v>N</v></c><c t="s"><v>0</v></c><c s="2"><v>45292.75</v></c></row>',
    "no references, some cells empty": '<row><c t="inlineStr"><is><t>a</t></is></c>'
    '<c s="3"/><c/><c><v>1</v></c></row>',
    "row references only": '<row r="N"><c><v>1</v></c><c s="1"></c><c t="b"><v>1</v></c></row>',
    "cell references only": '<row><c r="BN"><v>1</v></c><c r="DN"><f>B1</f><v>0</v></c></row>',
    "indented": '\n  <row r="N">\n    '
    '<c r="AN" t="inlineStr">\n      <is>\n        <t>a b</t>\n      </is>\n    </c>'
    '\n    <c r="BN">\n      <v>2</v>\n    </c>\n  </row>\n',
    "indented, CRLF line ends": '\r\n<row r="N">\r\n'
    '<c r="AN" t="str">\r\n<v>a\r\nb</v>\r\n</c>\r\n</row>\r\n',
    "blank before the end of a tag": '<row r="N" ><c r="AN" s="0" ><v>5</v></c>'
    '<c r="BN" t="s" ><v>1</v></c></row>',
    "empty rows between": '<row r="N"/><row><c><v>1</v></c></row>',
    "rich text in the cell": '<row r="N"><c r="AN" t="inlineStr"><is><r><rPr><b/></rPr><t>ne</t></r><r>'
    '<t xml:space="preserve">grito </t></r><rPh sb="0" eb="1"><t>x</t></rPh></is></c>'
    '<c r="BN"><v>1</v></c></row>',
    "exponents": '<row r="N"><c r="AN"><v>1.5E-7</v></c><c r="BN"><v>-2e3</v></c>'
    '<c r="CN" s="1"><v>4.5E4</v></c></row>',
    "trailing zeros": '<row r="N"><c r="AN"><v>1.500</v></c><c r="BN"><v>-0.0</v></c>'
    '<c r="CN"><v>007</v></c></row>',
    "digits beyond a double": '<row r="N"><c r="AN"><v>12345678901234567890</v></c>'
    '<c r="BN"><v>8.3000000000000007</v></c></row>',
    "formulas of every kind": '<row r="N"><c r="AN"><f t="shared" si="0"/><v>2</v></c>'
    '<c r="BN"><f>1/0</f></c>'
    '<c r="CN" t="str"><f>""</f><v></v></c><c r="DN" t="e"><f>1/0</f><v>#DIV/0!</v></c></row>',
    "formulas without a value": '<row r="N"><c r="AN"><f>1/0</f></c><c r="BN"><v>1</v></c></row>',
    "escapes": '<row r="N"><c r="AN" t="str"><v>a&amp;b _x0041_ &#233;</v></c>'
    '<c r="BN" t="inlineStr"><is><t>&lt;_x000D_&gt;</t></is></c></row>',
    "hidden rows": '<row r="N" hidden="1"><c r="AN"><v>1</v></c></row>',
    "single quotes": "<row><c r='AN'><v>1</v></c></row>",
    "small letters": '<row r="N"><c r="aN"><v>1</v></c><c r="$BN"><v>2</v></c></row>',
    "text between, a second value": '<row r="N"><c r="AN"><v>1</v><v>2</v></c>text</row>',
    "a text that is missing, and one that is empty": '<row r="N"><c r="AN" t="str"><f>A1</f></c>'
    '<c r="BN" t="str"><f>A1</f><v/></c></row>',
    "durations, masks, invalid dates": '<row r="N"><c r="AN" s="4"><v>1.5</v></c>'
    '<c r="BN" s="3"><v>42</v></c>'
    '<c r="CN" s="2"><v>60</v></c><c r="DN" s="2"><v>0.25</v></c>'
    '<c r="EN" s="2"><v>45292.000005</v></c></row>',
}  # fmt: skip


@pytest.mark.parametrize("row", FORMS.values(), ids=FORMS.keys())
def test_a_common_form_is_scanned_as_expat_reads_it(row: str) -> None:
    xml = sheet(repeated(row))
    assert scanned(xml) == parsed(xml)


def test_a_namespace_prefix_is_scanned_as_expat_reads_it() -> None:
    body = repeated('<x:row r="N"><x:c r="AN"><x:v>1</x:v></x:c></x:row>')
    xml = f'<x:worksheet xmlns:x="urn:x"><x:sheetData>{body}</x:sheetData></x:worksheet>'.encode()
    assert scanned(xml) == parsed(xml)


def test_a_reference_without_letters_is_counted_in_each_row() -> None:
    full = repeated('<row><c r="AN"><v>1</v></c><c r="N"><v>2</v></c></row>')
    xml = sheet(f'{full}<row><c r="7"><v>3</v></c></row>')
    assert scanned(xml) == parsed(xml)


def test_a_text_without_its_is_element_is_read() -> None:
    rows, _ = parsed(sheet('<row r="1"><c r="A1" t="inlineStr"><t>direto</t></c></row>'))
    assert rows == [(1, ["direto"])]


def test_rows_of_mixed_forms_are_scanned_as_expat_reads_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parsing, "_SORTED_ROWS", 1)  # more rows than are sorted: none may be lost
    xml = sheet("".join(repeated(row) for row in FORMS.values() if 'r="N"' not in row) * 3)
    assert scanned(xml) == parsed(xml)


@pytest.mark.parametrize(
    "body",
    [
        '<row r="1"><c r="A1"><v>1</v></c></row><!-- </row> --><row r="2"><c r="A2"><v>2</v></c></row>',
        '<row r="1"><c r="A1" t="str"><v><![CDATA[</row>]]></v></c></row>',
        '<row r="2"><c r="A2"><v>2</v></c></row><row r="1"><c r="A1"><v>1</v></c></row>',
        '<row r="1"><c r="A1" t="str"><v>&own;</v></c></row>',
        '<row r="1"><row r="2"><c r="A2"><v>1</v></c></row></row>',
        '<row r="1"/><end-of-row/><row r="2"><c r="A2"><v>1</v></c></row>',
    ],
)
def test_what_is_no_row_in_itself_is_left_to_expat(body: str) -> None:
    with pytest.raises(NotCanonicalError):
        scanned(sheet(body))


def test_a_part_is_read_to_its_end() -> None:
    """Its checksum is compared only at the end, so the rows must not be trusted before."""
    stream = io.BytesIO(sheet(repeated(FORMS["excel"])) + b" " * (3 << 20))
    list(SheetScanner(stream, CellReader(_STRINGS, _FORMATS)).batches())
    assert not stream.read()


def test_sparse_cells_do_not_fill_the_memory() -> None:
    """A batch of almost only empty cells is left to the reader that makes smaller batches."""
    cells = (
        f'<c r="{get_column_letter(1 + number % 3_000)}{number}"><v>1</v></c>' for number in range(9_000)
    )
    xml = sheet("".join(f'<row r="{number}">{cell}</row>' for number, cell in enumerate(cells, start=1)))
    with pytest.raises(NotCanonicalError):
        scanned(xml)
    rows, _ = parsed(xml)
    assert [len(cells) for _, cells in rows] == [1 + number % 3_000 for number in range(9_000)]


_raws = st.one_of(
    st.sampled_from(["", ' s="1"', ' s="2"', ' s="3"', ' s="9"']).flatmap(
        lambda style: st.one_of(
            st.integers(-(10**17), 10**17).map(str),
            st.decimals(-(10**6), 10**6, places=3).map(str),
            st.floats(0, 60_000).map(repr),
        ).map(lambda raw: f"{style}><v>{raw}</v></c>")
    ),
    st.sampled_from([' t="s"><v>0</v></c>', ' t="s"><v>1</v></c>', ' t="b"><v>1</v></c>', "/>", ' s="1"/>']),
    st.sampled_from([' t="inlineStr"><is><t>a &amp; b</t></is></c>', ' t="str"><f>A1</f><v>x</v></c>']),
)


def written(table: Sequence[Sequence[str]], *, references: bool) -> str:
    rows = []
    for number, cells in enumerate(table, start=1):
        tags = (f' r="{"ABCDE"[column]}{number}"' if references else "" for column in range(len(cells)))
        row = "".join(f"<c{tag}{cell}" for tag, cell in zip(tags, cells, strict=True))
        rows.append(f'<row r="{number}">{row}</row>' if references else f"<row>{row}</row>")
    return "".join(rows)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.lists(_raws, min_size=1, max_size=4), min_size=1, max_size=60), st.booleans())
def test_the_scanner_and_expat_agree(table: list[list[str]], references: bool) -> None:
    xml = sheet(written(table, references=references))
    assert scanned(xml) == parsed(xml)


@pytest.mark.parametrize(
    ("items", "texts"),
    [
        ("<si><t>a</t></si><si><t/></si><si><t></t></si>", ["a", None, None]),
        ('<si><t xml:space="preserve"> a </t></si>\n<si>\n<t>b</t>\n</si>', [" a ", "b"]),
        ("<si><r><t>ne</t></r><r><t>grito</t></r></si><si><t>x</t></si>", ["negrito", "x"]),
        ('<si><t>課</t><rPh sb="0" eb="1"><t>カ</t></rPh><phoneticPr fontId="1"/></si>', ["課"]),
        ("<si><t>a&amp;_x0041_</t></si><si><t>&#233;\r\nb</t></si>", ["a&A", "é\nb"]),
        ("<!-- </si> --><si><t>a</t></si>", ["a"]),
        ("<si><t><![CDATA[</t></si>]]></t></si><si><t>b</t></si>", ["</t></si>", "b"]),
        ("<si/><si><t>b</t></si>", [None, "b"]),
        ("", []),
    ],
)
def test_shared_strings_keep_their_order_and_text(items: str, texts: list[str | None]) -> None:
    xml = f'<?xml version="1.0"?>\r\n<sst xmlns="urn:x" count="3">{items}</sst>'
    assert read_shared_strings(io.BytesIO(xml.encode())) == texts
