"""Cases of ODS, the workbook of OpenDocument."""

import io
import zipfile
from collections.abc import Iterator

from case import Case, case
from xlsx_writing import zipped

AB = "a:integer b:text"
ROWS = "1|x\n2|y"
_NAMES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in (("office", "office"), ("table", "table"), ("text", "text"), ("style", "style"))
)
_CALC = 'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
_ENCRYPTED = (
    '<manifest xmlns="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><file-entry full-path="content.xml">'
    '<encryption-data checksum="x"/></file-entry></manifest>'
)

_OLD_MANIFEST = (
    '<!DOCTYPE m:manifest PUBLIC "-//OpenOffice.org//DTD Manifest 1.0//EN" "Manifest.dtd"><m:manifest/>'
)


def cell(text: str, attributes: str = "") -> str:
    """Return a cell: a text, unless its attributes say otherwise."""
    attributes = attributes or 'office:value-type="string"'
    return f"<table:table-cell {attributes}><text:p>{text}</text:p></table:table-cell>"


def number(value: str, shown: str = "", kind: str = "float") -> str:
    """Return a cell with a number and its displayed text."""
    return cell(shown or value, f'office:value-type="{kind}" office:value="{value}"')


def row(*cells: str, attributes: str = "") -> str:
    """Return a row."""
    return f"<table:table-row {attributes}>{''.join(cells)}</table:table-row>"


def sheet(*rows: str, name: str = "Plan1", style: str = "ta1") -> str:
    """Return a table, which ends with the empty rows that programs write."""
    end = row(
        '<table:table-cell table:number-columns-repeated="16384"/>', attributes=_repeat("rows", 1_048_000)
    )
    return (
        f'<table:table table:name="{name}" table:style-name="{style}"><table:table-column/>'
        f"{''.join(rows)}{end}</table:table>"
    )


def _repeat(what: str, count: int) -> str:
    return f'table:number-{what}-repeated="{count}"'


def ods(*sheets: str, body: str = "spreadsheet", manifest: str = "") -> bytes:
    """Return the package."""
    hidden = '<style:style style:name="ta2"><style:table-properties table:display="false"/></style:style>'
    content = (
        f"<office:document-content {_NAMES} {_CALC}><office:automatic-styles>{hidden}</office:automatic-styles>"
        f"<office:body><office:{body}>{''.join(sheets)}</office:{body}></office:body></office:document-content>"
    )
    parts: dict[str, str | bytes] = {
        "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
        "content.xml": content,
    }
    return zipped({**parts, "META-INF/manifest.xml": manifest} if manifest else parts)


HEADER = row(cell("a"), cell("b"))
SIMPLE = sheet(HEADER, row(number("1"), cell("x")), row(number("2"), cell("y")))


def one(name: str, cells: list[str], why: str, kind: str, rows: str, **extra: object) -> Case:
    """Return a case of one interesting column `v` beside a text column."""
    body = [row(one, cell(f"linha {line}")) for line, one in enumerate(cells, start=1)]
    table = [
        [None if text == "∅" else text, f"linha {line}"] for line, text in enumerate(rows.split("|"), start=1)
    ]
    content = ods(sheet(row(cell("v"), cell("t")), *body))
    return case(f"ods/{name}.ods", content, why, f"v:{kind} t:text", table, **extra)  # type: ignore[arg-type]


def cases() -> Iterator[Case]:
    """Yield every case of this module."""
    yield from values()
    yield from layouts()
    yield case("ods/password.ods", ods(SIMPLE, manifest=_ENCRYPTED), "a password", error="WORKBOOK_ENCRYPTED")
    yield case(
        "ods/letter.odt",
        ods("<text:p>Prezados,</text:p>", body="text"),
        "another kind of document",
        error="FILE_NOT_TABULAR",
    )


def values() -> Iterator[Case]:
    """What a cell holds and what it shows."""
    yield one(
        "decimal",
        [
            number("1234.5", "1.234,50"),
            number("8.3000000000000007", "8,3"),
            number("-0.25", "-25%", "percentage"),
        ],
        "the value, not its look",
        "decimal",
        "1234.5|8.3|-0.25",
    )
    yield one(
        "identifier",
        [number("1310100", "01310-100"), number("22041001", "22041-001")],
        "a postal code by its mask",
        "text",
        "01310-100|22041-001",
    )
    yield one(
        "thousands",
        [number("1310100", "1.310.100"), number("0", "0,00"), number("-7", "-7"), number("12", "12")],
        "what separates thousands is no mask",
        "integer",
        "1310100|0|-7|12",
    )
    moments = ("2024-01-31", "2024-02-29T00:00:00")
    yield one(
        "date",
        [cell("31/01/24", f'office:value-type="date" office:date-value="{moment}"') for moment in moments],
        "a date, with midnight or without",
        "date",
        "2024-01-31|2024-02-29",
    )
    moments = ("2024-01-31T10:20:30", "2024-12-31T23:59:59.999999798")
    yield one(
        "moment",
        [cell("31/01/24", f'office:value-type="date" office:date-value="{moment}"') for moment in moments],
        "a date and time, to the millisecond",
        "datetime",
        "2024-01-31T10:20:30|2025-01-01",
    )
    times = ("PT10H20M30S", "PT36H00M00.5S")
    yield one(
        "time",
        [cell("10:20", f'office:value-type="time" office:time-value="{time}"') for time in times],
        "a time of day, and more hours than a day has",
        "text",
        "10:20:30|36:00:00.500",
    )
    yield one(
        "boolean",
        [
            cell("SIM", f'office:value-type="boolean" office:boolean-value="{word}"')
            for word in ("true", "false")
        ],
        "booleans in whatever language they are shown",
        "boolean",
        "TRUE|FALSE",
    )
    error = (
        'table:formula="of:=1/0" office:value-type="string" office:string-value="" calcext:value-type="error"'
    )
    older = 'table:formula="of:=1/0" office:value-type="float" office:value="0"'
    yield one(
        "errors",
        [number("1"), cell("#DIV/0!", error), cell("Err:502", older), cell("#VALOR!", older)],
        "errors are empty and counted",
        "integer?",
        "1|∅|∅|∅",
        warnings=["3 células com erro"],
    )
    note = "<office:annotation><text:p>uma nota</text:p></office:annotation>"
    yield one(
        "texts",
        [
            cell('um  <text:s text:c="2"/>dois<text:line-break/>três'),
            cell("a</text:p>\n<text:p>b <text:span>c</text:span>"),
            f'<table:table-cell office:value-type="string">{note}<text:p>d</text:p></table:table-cell>',
        ],
        "blanks, line breaks, paragraphs; a note is no text of the cell",
        "text",
        "um   dois\ntrês|a\nb c|d",
    )


def _month(shown: str, value: str) -> str:
    return cell(shown, f'office:value-type="date" office:date-value="{value}"')


def layouts() -> Iterator[Case]:
    """How rows and sheets are written."""
    months = row(cell("produto"), _month("jan/24", "2024-01-01"), _month("fev/24", "2024-02-01"))
    rows = [
        row(cell(name), number(first), number(second))
        for name, first, second in (("Café", "1", "2.5"), ("Chá", "4", "5.5"), ("Mate", "7", "8.5"))
    ]
    yield case(
        "ods/months_as_labels.ods",
        ods(sheet(months, *rows)),
        "labels that are dates are called what the sheet shows",
        "produto:text jan_24:integer fev_24:decimal",
        "Café|1|2.5\nChá|4|5.5\nMate|7|8.5",
        labels=["produto", "jan/24", "fev/24"],
    )
    yield case("ods/plain.ods", ods(SIMPLE), "the plain form", AB, ROWS, lines=[2, 3], sheets=["Plan1"] * 2)
    yield case(
        "ods/indented.ods",
        ods(SIMPLE.replace("><", ">\n  <")),
        "XML with blanks between its elements",
        AB,
        ROWS,
    )
    again = _repeat("columns", 2)
    yield case(
        "ods/repeated.ods",
        ods(
            sheet(
                row(cell("a"), cell("b"), cell("c")),
                row(
                    cell("7", f'office:value-type="float" office:value="7" {again}'),
                    cell("x"),
                    attributes=_repeat("rows", 3),
                ),
                row(attributes=_repeat("rows", 5)),
                row(f"<table:table-cell {again}/>", cell("y")),
            )
        ),
        "what is alike is written once",
        "a:integer? b:integer? c:text",
        "7|7|x\n7|7|x\n7|7|x\n∅|∅|y",
        lines=[2, 3, 4, 10],
    )
    more = sheet(HEADER, row(number("3"), cell("z")), name="Rascunho", style="ta2")
    yield case(
        "ods/hidden_sheet.ods", ods(SIMPLE, more), "a hidden sheet is named", AB, ROWS, warnings=["Rascunho"]
    )
    foreign = sheet(HEADER, row(number("3"), cell("z")), name="'file:///x.ods'#P")
    yield case(
        "ods/foreign.ods", ods(SIMPLE, foreign), "a copy of another file's cells is no sheet", AB, ROWS
    )
    linked = sheet("<table:table-source/>", HEADER, row(number("1"), cell("x")), row(number("2"), cell("y")))
    yield case("ods/linked.ods", ods(linked), "a sheet that is linked to another file is one", AB, ROWS)
    head = row(
        cell("Cliente", 'office:value-type="string" table:number-columns-spanned="2"'),
        "<table:covered-table-cell/>",
        cell("2024", 'office:value-type="string" table:number-columns-spanned="2"'),
        "<table:covered-table-cell/>",
    )
    labels = row(*(cell(text) for text in ("cod", "nome", "jan", "fev")))
    yield case(
        "ods/merged_header.ods",
        ods(sheet(head, labels, row(number("1"), cell("Ana"), number("1.5"), number("2.5")))),
        "two header rows, the first of merged cells",
        "cliente_cod:text cliente_nome:text _2024_jan:decimal _2024_fev:decimal",
        "1|Ana|1.5|2.5",
        labels=["Cliente cod", "Cliente nome", "2024 jan", "2024 fev"],
    )
    yield case(
        "ods/no_mimetype.ods",
        zipped({"content.xml": _content(ods(SIMPLE)), "META-INF/manifest.xml": _OLD_MANIFEST}),
        "a package that does not say its type, and whose manifest names a DTD",
        AB,
        ROWS,
    )


def _content(package: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        return archive.read("content.xml")
