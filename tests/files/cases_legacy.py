"""Cases of XLS, and of what people and systems call `.xls`: HTML, SpreadsheetML, text."""

import io
import struct
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time

import xlwt
from case import Case, case

AB = "a:integer b:text"
ROWS = "1|x\n2|y"


def cases() -> Iterator[Case]:
    """Yield every case of this module."""
    yield from binary()
    yield from html()
    yield from spreadsheetml()
    yield from misnamed()


def xls(
    sheets: dict[str, Sequence[Sequence[object]]], formats: dict[int, str] | None = None, **options: object
) -> bytes:
    """Return an XLS; `formats` gives the number format of each column."""
    book = xlwt.Workbook(encoding="utf-8")
    book.dates_1904 = bool(options.get("is_1904"))
    for name, rows in sheets.items():
        sheet = book.add_sheet(name, cell_overwrite_ok=True)
        sheet.visibility = int(name.startswith("Oculta"))
        for line, row in enumerate(rows):
            for column, cell in enumerate(row):
                code = (
                    (formats or {}).get(column, "General")
                    if line
                    else options.get("header_format", "General")
                )
                style = xlwt.easyxf(num_format_str=code)
                if cell is not None:
                    sheet.write(line, column, cell, style)
        for top, bottom, left, right in options.get("merged", ()):  # type: ignore[attr-defined]
            sheet.merge(top, bottom, left, right)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def one(name: str, cells: list[object], code: str, why: str, kind: str, rows: str, **extra: object) -> Case:
    """Return a case of one interesting column `v` beside a text column."""
    body = [["v", "t"], *([cell, f"linha {line}"] for line, cell in enumerate(cells, start=1))]
    table = [
        [None if row == "∅" else row, f"linha {line}"] for line, row in enumerate(rows.split("|"), start=1)
    ]
    return case(f"xls/{name}.xls", xls({"Plan1": body}, {0: code}), why, f"v:{kind} t:text", table, **extra)  # type: ignore[arg-type]


def binary() -> Iterator[Case]:
    """XLS proper."""
    simple = [["a", "b"], [1, "x"], [2, "y"]]
    yield case(
        "xls/plain.xls",
        xls({"Plan1": simple}),
        "the plain form",
        AB,
        ROWS,
        lines=[2, 3],
        sheets=["Plan1", "Plan1"],
    )
    yield one("decimal", [1.5, -0.25, 1234567.89], "General", "doubles", "decimal", "1.5|-0.25|1234567.89")
    yield one(
        "large_integer", [123456789012345, 7], "General", "fifteen digits", "integer", "123456789012345|7"
    )
    yield one(
        "three_decimals",
        [1.234, 5.678],
        "General",
        "a number cell never has a thousands separator",
        "decimal",
        "1.234|5.678",
    )
    yield one("money", [1234.5, -3.25], '"R$ "#,##0.00', "the value, not its look", "decimal", "1234.5|-3.25")
    yield one("percent", [0.125, 1], "0.0%", "the value, not its look", "decimal", "0.125|1")
    yield one(
        "date",
        [date(2024, 1, 31), date(2024, 2, 29)],
        "dd/mm/yyyy",
        "dates by number format",
        "date",
        "2024-01-31|2024-02-29",
    )
    yield one(
        "moment",
        [datetime(2024, 1, 31, 10, 20, 30), datetime(2024, 2, 29)],
        "dd/mm/yyyy hh:mm",
        "dates with a time",
        "datetime",
        "2024-01-31T10:20:30|2024-02-29T00:00:00",
    )
    yield one(
        "time", [time(10, 20, 30), time(23, 59, 59)], "hh:mm:ss", "times of day", "text", "10:20:30|23:59:59"
    )
    yield one("duration", [1.5, 0.25], "[h]:mm", "more hours than a day has", "text", "36:00:00|6:00:00")
    yield one(
        "cep", [1310100, 22041001], "00000-000", "a postal code by its mask", "text", "01310-100|22041-001"
    )
    yield one("zeros", [7, 123], "00000", "leading zeros that the format shows", "text", "00007|00123")
    yield one("boolean", [True, False, True], "General", "booleans", "boolean", "TRUE|FALSE|TRUE")
    yield one("text", ["007", "ação", "日本"], "General", "text as written", "text", "007|ação|日本")
    yield one("empty_cells", [1, None, 3], "General", "empty is NULL", "integer?", "1|∅|3")
    yield case(
        "xls/date_1904.xls",
        xls({"P": [["d", "t"], [43830, "a"]]}, {0: "dd/mm/yyyy"}, is_1904=True),
        "the epoch of old Macs",
        "d:date t:text",
        "2024-01-01|a",
    )
    months = [
        ["produto", date(2024, 1, 1), date(2024, 2, 1)],
        ["Café", 1, 2.5],
        ["Chá", 4, 5.5],
        ["Mate", 7, 8.5],
    ]
    yield case(
        "xls/months_as_labels.xls",
        xls({"Plan1": months}, header_format="mmm/yy"),
        "labels that are dates are called what the sheet shows",
        "produto:text jan_24:integer fev_24:decimal",
        "Café|1|2.5\nChá|4|5.5\nMate|7|8.5",
        labels=["produto", "jan/24", "fev/24"],
    )
    yield case(
        "xls/two_sheets.xls",
        xls({"Jan": simple, "Fev": [["a", "b"], [3, "z"]]}),
        "sheets with one header are one table",
        AB,
        "1|x\n2|y\n3|z",
        sheets=["Jan", "Jan", "Fev"],
    )
    yield case(
        "xls/hidden_sheet.xls",
        xls({"Dados": simple, "Oculta": [["a", "b"], [3, "z"]]}),
        "a hidden sheet is not imported in silence",
        AB,
        ROWS,
        warnings=["Oculta"],
    )
    yield case(
        "xls/title_above.xls",
        xls({"P": [["Relatório"], [], *simple]}),
        "a title above the header",
        AB,
        ROWS,
        lines=[4, 5],
    )
    yield case(
        "xls/two_thousand_rows.xls",
        xls({"P": [["n", "t"], *([n, f"t{n}"] for n in range(1, 2_001))]}),
        "many rows",
        "n:integer t:text",
        [[str(n), f"t{n}"] for n in range(1, 2_001)],
    )
    yield case(
        "xls/eastern_date.xls",
        _with_builtin_format(xls({"P": [["t", "d"], ["a", date(2024, 1, 31)]]}, {1: "dd/mm/yyyy"}), 31),
        "a date by a format that only the eastern editions of Excel know",
        "t:text d:date",
        "a|2024-01-31",
    )
    yield case(
        "xls/odd_defined_name.xls",
        _with_odd_name(simple),
        "the formula of a defined name is nothing to the rows",
        AB,
        ROWS,
    )
    good = xls({"Plan1": simple})
    yield case("xls/truncated.xls", good[: len(good) // 2], "half a file", error="WORKBOOK_CORRUPT")
    yield case("xls/signature_only.xls", good[:8], "a signature and nothing", error="WORKBOOK_CORRUPT")
    yield case(
        "xls/noise.xls",
        good[:512] + bytes(range(256)) * 16,
        "noise behind a header",
        error="WORKBOOK_CORRUPT",
    )
    password = (
        b"\0" * 504
        + "EncryptionInfo".encode("utf-16-le")
        + b"\0" * 64
        + "EncryptedPackage".encode("utf-16-le")
        + b"\0" * 512
    )
    yield case(
        "xls/encrypted.xlsx",
        good[:8] + password,
        "an XLSX under a password is an OLE2 container",
        error="WORKBOOK_ENCRYPTED",
    )


def _with_builtin_format(content: bytes, number: int) -> bytes:
    """Return the XLS with a built-in format, named by number only, in its last style."""
    style = content.rindex(b"\xe0\x00\x14\x00")  # the record of a style: its font, then its format
    return content[: style + 6] + struct.pack("<H", number) + content[style + 8 :]


def _with_odd_name(rows: Sequence[Sequence[object]]) -> bytes:
    """Return an XLS with a defined name whose formula is a reference relative to no cell."""
    formula = b"\x2d" + bytes(8)
    head = struct.pack("<HBBHHH4x", 0, 0, 3, len(formula), 0, 0)
    record = head + b"\x00abc" + formula
    book = xlwt.Workbook(encoding="utf-8")
    sheet = book.add_sheet("Plan1")
    for line, row in enumerate(rows):
        for column, cell in enumerate(row):
            sheet.write(line, column, cell)
    before = book._Workbook__useselfs_rec
    book._Workbook__useselfs_rec = lambda: before() + struct.pack("<HH", 0x18, len(record)) + record
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def html() -> Iterator[Case]:
    """HTML tables."""
    head = "<tr><th>a</th><th>b</th></tr>"
    rows = "<tr><td>1</td><td>x</td></tr><tr><td>2</td><td>y</td></tr>"
    page = f"<html><body><table>{head}{rows}</table></body></html>"
    yield case("xls/html.xls", page, "what many systems export", AB, ROWS, lines=[2, 3])
    yield case(
        "xls/html_codes.xls",
        "<table><tr><td>código</td><td>valor</td></tr><tr><td>007</td><td>1.234,56</td></tr><tr><td>008</td><td>7,00</td></tr></table>",
        "cells as a person sees them",
        "codigo:text valor:decimal",
        "007|1.234,56\n008|7,00",
        labels=["código", "valor"],
        values="007|1234.56\n008|7.00",
    )
    yield case(
        "xls/html_cp1252.xls",
        '<html><head><meta http-equiv="Content-Type" content="text/html; charset=iso-8859-1"></head><body><table><tr><td>nome</td><td>cidade</td></tr><tr><td>José</td><td>São Paulo</td></tr></table></body></html>',
        "an encoding by declaration",
        "nome:text cidade:text",
        "José|São Paulo",
        encoding="cp1252",
    )
    yield case("xls/html_utf16.xls", page, "UTF-16", AB, ROWS, encoding="utf-16")
    yield case(
        "xls/html_entities.xls",
        f"<table>{head}<tr><td>1</td><td>&lt;a&gt; &amp; b&nbsp;c &eacute;</td></tr></table>",
        "entities",
        AB,
        [["1", "<a> & b c é"]],
    )
    yield case(
        "xls/html_unclosed.xls",
        "<table><tr><td>a<td>b<tr><td>1<td>x<tr><td>2<td>y</table>",
        "end tags may be missing",
        AB,
        ROWS,
    )
    yield case(
        "xls/html_breaks.xls",
        f"<table>{head}<tr><td>1</td><td>x<br>y\n  z</td></tr></table>",
        "a break is a line, blanks are one blank",
        AB,
        [["1", "x\ny z"]],
    )
    yield case(
        "xls/html_spans.xls",
        f'<table><tr><td colspan="2">Relatório</td></tr>{head}<tr><td rowspan="2">1</td><td>x</td></tr><tr><td>y</td></tr></table>',
        "a cell over several columns has its value once, one over several rows in each of them",
        "a:integer b:text",
        "1|x\n1|y",
        warnings=["MERGED_FILLED", "(columns: a)"],
    )
    yield case(
        "xls/html_layout.xls",
        f"<table><tr><td>Menu</td></tr></table><table><tr><td><table>{head}{rows}</table></td></tr></table>",
        "tables that lay out the page are not the table",
        AB,
        ROWS,
    )
    yield case(
        "xls/html_pages.xls",
        f"<table>{head}{rows}</table><p>Página 2</p><table>{head}<tr><td>3</td><td>z</td></tr></table>",
        "tables with one header are one table",
        AB,
        "1|x\n2|y\n3|z",
    )
    yield case(
        "xls/html_scripts.xls",
        f"<html><head><style>td{{color:red}}</style><script>var t='<table>';</script></head><body><table>{head}{rows}</table></body></html>",
        "what no person sees is not read",
        AB,
        ROWS,
    )
    yield case(
        "xls/html_exact_numbers.xls",
        '<html xmlns:x="urn:schemas-microsoft-com:office:excel"><table><tr><td>v</td><td>t</td></tr><tr><td x:num="1234.5678">1.234,57</td><td>x</td></tr></table></html>',
        "Excel 2000 wrote the exact number beside the one shown",
        "v:decimal t:text",
        "1234.5678|x",
    )
    yield case(
        "xls/html_without_table.xls",
        "<html><body><p>Sessão expirada</p></body></html>",
        "an error page is no table",
        error="FILE_NOT_TABULAR",
    )


def spreadsheetml() -> Iterator[Case]:
    """The XML of Excel 2003."""
    name = "urn:schemas-microsoft-com:office:spreadsheet"
    styles = '<Styles><Style ss:ID="d"><NumberFormat ss:Format="Short Date"/></Style><Style ss:ID="m"><NumberFormat ss:Format="General Date"/></Style><Style ss:ID="z"><NumberFormat ss:Format="00000"/></Style></Styles>'

    def book(rows: str, more: str = "", declaration: str = "") -> str:
        return f'<?xml version="1.0"{declaration}?><?mso-application progid="Excel.Sheet"?><Workbook xmlns="{name}" xmlns:ss="{name}" xmlns:x="urn:schemas-microsoft-com:office:excel">{styles}<Worksheet ss:Name="P"><Table>{rows}</Table></Worksheet>{more}</Workbook>'

    def cell(text: str, kind: str = "String", attributes: str = "") -> str:
        return f'<Cell{attributes}><Data ss:Type="{kind}">{text}</Data></Cell>'

    head = f"<Row>{cell('a')}{cell('b')}</Row>"
    rows = f"<Row>{cell('1', 'Number')}{cell('x')}</Row><Row>{cell('2', 'Number')}{cell('y')}</Row>"
    yield case(
        "xls/xml2003.xls", book(head + rows), "XML named .xls", AB, ROWS, lines=[2, 3], sheets=["P", "P"]
    )
    yield case(
        "xls/xml2003_latin1.xls",
        book(
            head + f"<Row>{cell('1', 'Number')}{cell('ação')}</Row>", declaration=' encoding="windows-1252"'
        ),
        "the declared encoding",
        AB,
        "1|ação",
        encoding="cp1252",
    )
    yield case(
        "xls/xml2003_index.xls",
        book(
            head
            + f'<Row ss:Index="5">{cell("x", attributes=" ss:Index=" + chr(34) + "2" + chr(34))}</Row>'
            + rows
        ),
        "rows and cells by number",
        "a:integer? b:text",
        "∅|x\n1|x\n2|y",
        lines=[5, 6, 7],
    )
    dates = (
        f"<Row>{cell('d')}{cell('m')}{cell('z')}</Row><Row>"
        + cell("2024-01-31T00:00:00.000", "DateTime", ' ss:StyleID="d"')
        + cell("2024-01-31T10:20:30.000", "DateTime", ' ss:StyleID="m"')
        + cell("7", "Number", ' ss:StyleID="z"')
        + "</Row>"
    )
    yield case(
        "xls/xml2003_types.xls",
        book(dates),
        "dates, moments and masks by style",
        "d:date m:datetime z:text",
        "2024-01-31|2024-01-31T10:20:30|00007",
    )
    yield case(
        "xls/xml2003_boolean_error.xls",
        book(
            f"<Row>{cell('v')}{cell('b')}</Row><Row>{cell('#N/A', 'Error')}{cell('1', 'Boolean')}</Row><Row>{cell('2', 'Number')}{cell('0', 'Boolean')}</Row>"
        ),
        "errors and booleans",
        "v:integer? b:boolean",
        "∅|TRUE\n2|FALSE",
        warnings=["erro"],
    )
    comment = f'<Row>{cell("1", "Number")}<Cell><Data ss:Type="String">x</Data><Comment><ss:Data>nota</ss:Data></Comment></Cell></Row>'
    yield case("xls/xml2003_comment.xls", book(head + comment), "a comment is not the cell", AB, "1|x")
    hidden = f'<Worksheet ss:Name="Lista"><Table>{head}<Row>{cell("9", "Number")}{cell("w")}</Row></Table><WorksheetOptions xmlns="urn:schemas-microsoft-com:office:excel"><Visible>SheetHidden</Visible></WorksheetOptions></Worksheet>'
    yield case(
        "xls/xml2003_hidden_sheet.xls",
        book(head + rows, hidden),
        "a hidden sheet is not imported in silence",
        AB,
        ROWS,
        warnings=["Lista"],
    )
    yield case(
        "xls/xml2003_dtd.xls",
        book(head + rows).replace("<?mso", '<!DOCTYPE x [<!ENTITY e "e">]><?mso'),
        "entities are how XML bombs are made",
        error="WORKBOOK_UNSAFE",
    )
    yield case("xls/xml2003_cut.xls", book(head + rows)[:-80], "half a file", error="WORKBOOK_CORRUPT")


def misnamed() -> Iterator[Case]:
    """Text under a workbook's name."""
    yield case(
        "xls/tsv.xls",
        "código\tvalor\r\n007\t1.234,56\r\n008\t7,00\r\n",
        "tabs named .xls",
        "codigo:text valor:decimal",
        "007|1.234,56\n008|7,00",
        labels=["código", "valor"],
        encoding="cp1252",
    )
    yield case("xls/csv.xlsx", "a;b\n1;x\n2;y\n", "a CSV named .xlsx", AB, ROWS)
