"""Cases of XLSX workbooks."""

from collections.abc import Iterator

import xlsx_writing as x
from case import Case, case
from xlsx_writing import Xml, number, sheet, typed, xlsx

AB = "a:integer b:text"
SIMPLE = sheet([["a", "b"], [1, "x"], [2, "y"]])
ROWS = "1|x\n2|y"


def cases() -> Iterator[Case]:
    """Yield every case of this module."""
    yield from texts()
    yield from sheets()
    yield from forms()
    yield from packages()
    yield from refusals()


def texts() -> Iterator[Case]:
    """Text and its ways of being written."""
    yield case(
        "xlsx/entities.xlsx",
        xlsx(
            sheet([["v", "t"], ["<&>\"'", Xml('<c r="REF" t="inlineStr"><is><t>&#233;&#xE9;</t></is></c>')]])
        ),
        "characters by entity and by number",
        "v:text t:text",
        [["<&>\"'", "éé"]],
    )
    yield case(
        "xlsx/hex_escapes.xlsx",
        xlsx(sheet([["v", "t"], ["a_x000D_b", "_x0041_"], ["_x005F_x000D_", "_xZZZZ_"]])),
        "OOXML's own escapes",
        "v:text t:text",
        [["a\rb", "A"], ["_x000D_", "_xZZZZ_"]],
    )
    rich = '<r><t>ne</t></r><r><rPr><b/></rPr><t xml:space="preserve">gri </t></r><r><t>to</t></r>'
    guide = '<t>東京</t><rPh sb="0" eb="2"><t>トウキョウ</t></rPh>'
    shared = x.strings("v", "t", rich, guide, "")
    refs = [
        [typed("s", "0"), typed("s", "1")],
        [typed("s", "2"), typed("s", "3")],
        [typed("s", "2"), typed("s", "4")],
    ]
    yield case(
        "xlsx/shared_strings.xlsx",
        xlsx(sheet(refs), shared=shared),
        "rich text is joined, phonetic guides are left out, an empty text is empty",
        "v:text t:text?",
        [["negri to", "東京"], ["negri to", None]],
    )
    inline = Xml('<c r="REF" t="inlineStr"><is><r><t>um </t></r><r><t>dois</t></r></is></c>')
    yield case(
        "xlsx/inline_rich.xlsx",
        xlsx(sheet([["nome", "obs"], [inline, "x"], ["três", "y"]])),
        "rich text in the cell itself",
        "nome:text obs:text",
        [["um dois", "x"], ["três", "y"]],
    )
    cdata = Xml('<c r="REF" t="str"><v><![CDATA[a<b>]]></v></c>')
    yield case(
        "xlsx/cdata.xlsx",
        xlsx(sheet([["nome", "obs"], [cdata, "x"], ["c", "y"]])),
        "CDATA",
        "nome:text obs:text",
        [["a<b>", "x"], ["c", "y"]],
    )


def sheets() -> Iterator[Case]:
    """Several sheets."""
    empty = sheet([])
    yield case(
        "xlsx/odd_sheet_state.xlsx",
        xlsx(SIMPLE, states=["show"]),
        "a state that the standard does not know hides nothing, in Excel too",
        AB,
        ROWS,
    )
    chart = x.relations(
        [
            ("rId1", "chartsheet", "chartsheets/sheet1.xml"),
            ("rId2", "worksheet", "worksheets/sheet2.xml"),
            ("rIdS", "styles", "styles.xml"),
        ]
    )
    yield case(
        "xlsx/chart_sheet.xlsx",
        xlsx(
            empty,
            SIMPLE,
            names=["Gráfico", "Dados"],
            changes={"xl/_rels/workbook.xml.rels": chart, "xl/worksheets/sheet1.xml": None},
        ),
        "a chart has no cells",
        AB,
        ROWS,
    )
    module = '<sheet name="Módulo1" sheetId="9" state="veryHidden" r:id=""/><sheet name="Dados" sheetId="1" r:id="rId1"/>'
    yield case(
        "xlsx/module_sheet.xlsx",
        xlsx(
            SIMPLE,
            changes={
                "xl/workbook.xml": f'<workbook xmlns="{x.MAIN}" xmlns:r="{x.RELATION}">'
                f"<sheets>{module}</sheets></workbook>"
            },
        ),
        "a tab that Excel 5 had for its macros has no sheet behind it",
        AB,
        ROWS,
    )
    yield case(
        "xlsx/header_only_first.xlsx",
        xlsx(sheet([["c", "d"]]), SIMPLE, names=["Capa", "Dados"]),
        "a sheet passed over because it has no rows is named",
        AB,
        ROWS,
        warnings=["Capa"],
    )
    yield case(
        "xlsx/header_only.xlsx",
        xlsx(sheet([["nome", "valor"]])),
        "a header and no rows",
        "nome:text valor:text",
        [],
    )
    yield case("xlsx/no_cells.xlsx", xlsx(empty), "nothing at all", error="FILE_EMPTY")
    entries = [[f"PIX {number}", f"Loja {number % 3}", 10.5 * number] for number in range(1, 9)]
    yield case(
        "xlsx/balances_above_another_table.xlsx",
        xlsx(
            sheet(
                [
                    ["historico", "favorecido", "valor"],
                    *entries,
                    [],
                    ["Saldo anterior: 1.200,00"],
                    ["Saldo em conta: 1.578,00"],
                    [],
                    ["Aplicações"],
                    ["produto", "vencimento", "saldo", "taxa"],
                    ["CDB", "2027", 2000, 1.5],
                    ["LCI", "2028", 300, 1.2],
                ]
            )
        ),
        "lines between the table and the next one are named",
        "historico:text favorecido:text valor:decimal",
        [[row[0], row[1], f"{row[2]:g}"] for row in entries],
        warnings=["FOOTER [11, 12]", "TABLE_APART [14, 15, 16, 17]"],
    )


def forms() -> Iterator[Case]:
    """Rows and cells as few programs write them."""
    blank = [
        Xml(f'<row r="{line}"><c r="A{line}" s="6"/><c r="B{line}" s="6"/></row>') for line in range(4, 3_000)
    ]
    yield case(
        "xlsx/formatted_blank_rows.xlsx",
        xlsx(sheet([["a", "b"], [1, "x"], [2, "y"], *blank])),
        "borders down the sheet are no rows",
        AB,
        ROWS,
    )
    yield case(
        "xlsx/hidden_row.xlsx",
        xlsx(
            sheet(
                [
                    ["a", "b"],
                    [1, "x"],
                    Xml(
                        '<row r="3" hidden="1"><c r="A3"><v>2</v></c><c r="B3" t="inlineStr"><is><t>y</t></is></c></row>'
                    ),
                ]
            )
        ),
        "a filtered row is a row",
        AB,
        ROWS,
        warnings=["oculta"],
    )
    for name, dimension in (("small", "A1"), ("huge", "A1:XFD1048576"), ("garbage", "Z9:A1:!!")):
        xml = sheet([["a", "b"], [1, "x"], [2, "y"]], before=f'<dimension ref="{dimension}"/>')
        yield case(
            f"xlsx/dimension_{name}.xlsx",
            xlsx(xml),
            "what a sheet says of its size is not believed",
            AB,
            ROWS,
        )
    disordered = [
        Xml('<row r="3"><c r="B3" t="inlineStr"><is><t>y</t></is></c><c r="A3"><v>2</v></c></row>'),
        Xml(
            '<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c><c r="B1" t="inlineStr"><is><t>b</t></is></c></row>'
        ),
        Xml('<row r="2"><c r="A2"><v>1</v></c><c r="B2" t="inlineStr"><is><t>x</t></is></c></row>'),
    ]
    yield case(
        "xlsx/cells_out_of_order.xlsx",
        xlsx(sheet(disordered)),
        "rows and cells stand where they say",
        AB,
        ROWS,
    )
    bare = [
        Xml('<row><c t="inlineStr"><is><t>a</t></is></c><c t="inlineStr"><is><t>b</t></is></c></row>'),
        Xml('<row><c><v>1</v></c><c t="inlineStr"><is><t>x</t></is></c></row>'),
        Xml('<row><c><v>2</v></c><c t="inlineStr"><is><t>y</t></is></c></row>'),
    ]
    yield case(
        "xlsx/cells_without_reference.xlsx",
        xlsx(sheet(bare)),
        "cells follow one another where they do not say",
        AB,
        ROWS,
    )


def packages() -> Iterator[Case]:
    """Unusual but legal packages."""
    prefixed = SIMPLE.replace("<", "<x:").replace("<x:/", "</x:").replace("xmlns=", "xmlns:x=")
    yield case(
        "xlsx/prefixed_names.xlsx",
        xlsx(prefixed),
        "a prefix on every element, as some libraries write",
        AB,
        ROWS,
    )
    yield case("xlsx/strict.xlsx", xlsx(SIMPLE, is_strict=True), "the namespaces of strict OOXML", AB, ROWS)
    yield case(
        "xlsx/comment_in_rows.xlsx",
        xlsx(SIMPLE.replace("</sheetData>", "<!-- </row> --></sheetData>")),
        "a comment between rows",
        AB,
        ROWS,
    )
    yield case(
        "xlsx/pretty_printed.xlsx",
        xlsx(SIMPLE.replace("<row", "\r\n  <row").replace("<c ", "\r\n    <c ")),
        "line breaks between elements",
        AB,
        ROWS,
    )
    yield case(
        "xlsx/utf16_parts.xlsx",
        xlsx(
            SIMPLE,
            changes={
                "xl/worksheets/sheet1.xml": ('<?xml version="1.0" encoding="UTF-16"?>' + SIMPLE).encode(
                    "utf-16"
                )
            },
        ),
        "XML in UTF-16",
        AB,
        ROWS,
    )
    absolute = x.relations(
        [("rId1", "worksheet", "/xl/worksheets/sheet1.xml"), ("rIdS", "styles", "/xl/styles.xml")]
    )
    yield case(
        "xlsx/absolute_targets.xlsx",
        xlsx(SIMPLE, changes={"xl/_rels/workbook.xml.rels": absolute}),
        "targets from the package's root",
        AB,
        ROWS,
    )
    yield case(
        "xlsx/upper_case_parts.xlsx",
        xlsx(SIMPLE, changes={"xl/worksheets/sheet1.xml": None, "xl/Worksheets/Sheet1.XML": SIMPLE}),
        "part names differ in case",
        AB,
        ROWS,
    )
    yield case(
        "xlsx/no_styles.xlsx",
        xlsx(SIMPLE, changes={"xl/styles.xml": None, "xl/sharedStrings.xml": None}),
        "parts that are related and missing, and not needed",
        AB,
        ROWS,
    )
    yield case(
        "xlsx/damaged_relations_of_the_package.xlsx",
        xlsx(SIMPLE, changes={"_rels/.rels": "<Relationships"}),
        "what only leads to the workbook is damaged, and is not needed",
        AB,
        ROWS,
    )
    yield case(
        "xlsx/damaged_styles_not_needed.xlsx",
        xlsx(SIMPLE, changes={"xl/styles.xml": "<styleSheet><cellXfs>"}),
        "the formats are lost, and no number has one",
        AB,
        ROWS,
    )
    without_kinds = x.relations([("rId1", "planilha", "worksheets/sheet1.xml")])
    yield case(
        "xlsx/relations_of_unknown_kind.xlsx",
        xlsx(
            sheet([["a", "b"], [number(1), typed("s", "0")]]),
            shared=x.strings("x"),
            changes={"xl/_rels/workbook.xml.rels": without_kinds},
        ),
        "a sheet is never left out for what its relation is called; the strings have their usual name",
        AB,
        "1|x",
    )
    yield case("xlsx/named.csv", xlsx(SIMPLE), "an XLSX named .csv is an XLSX", AB, ROWS)
    yield case(
        "xlsx/evil_sheet_name.xlsx",
        xlsx(SIMPLE, names=["'; DROP TABLE x;--"]),
        "a sheet's name is text",
        AB,
        ROWS,
        sheets=["'; DROP TABLE x;--"] * 2,
    )


def refusals() -> Iterator[Case]:
    """Workbooks that are refused, and why."""
    entity = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">]>'
    yield case(
        "xlsx/dtd_in_sheet.xlsx",
        xlsx(entity + SIMPLE),
        "entities are how XML bombs are made",
        error="WORKBOOK_UNSAFE",
    )
    yield case(
        "xlsx/dtd_in_strings.xlsx",
        xlsx(SIMPLE, shared=entity + x.strings("a")),
        "in any part that is read",
        error="WORKBOOK_UNSAFE",
    )
    yield case(
        "xlsx/external_entity.xlsx",
        xlsx('<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + SIMPLE),
        "no file is read for an entity",
        error="WORKBOOK_UNSAFE",
    )
    yield case(
        "xlsx/bomb.xlsx",
        xlsx(SIMPLE.replace("<sheetData>", " " * (80 << 20) + "<sheetData>")),
        "80 MB of blanks in 80 kB",
        error="WORKBOOK_TOO_LARGE",
    )
    yield case(
        "xlsx/malformed.xlsx",
        xlsx("<worksheet><sheetData><row r='1'></sheetData></worksheet>"),
        "XML that does not nest",
        error="WORKBOOK_CORRUPT",
    )
    yield case(
        "xlsx/missing_sheet.xlsx",
        xlsx(SIMPLE, changes={"xl/worksheets/sheet1.xml": None}),
        "a sheet that is not there",
        error="WORKBOOK_CORRUPT",
    )
    yield case(
        "xlsx/missing_string.xlsx",
        xlsx(sheet([["a"], [typed("s", "9")]])),
        "a text that is not there",
        error="WORKBOOK_CORRUPT",
    )
    yield case(
        "xlsx/no_workbook.xlsx",
        xlsx(SIMPLE, changes={"xl/workbook.xml": None}),
        "no workbook in the package",
        error="WORKBOOK_CORRUPT",
    )
    yield case(
        "xlsx/missing_styles.xlsx",
        xlsx(sheet([["dia"], [number("45292", x.DATE)]]), changes={"xl/styles.xml": None}),
        "only the formats that are not there tell a date from a number",
        error="WORKBOOK_CORRUPT",
    )
    yield case(
        "xlsx/damaged_styles.xlsx",
        xlsx(sheet([["dia"], [number("45292", x.DATE)]]), changes={"xl/styles.xml": "<styleSheet><cellXfs>"}),
        "only the formats that are lost tell a date from a number",
        error="WORKBOOK_CORRUPT",
    )
    yield case(
        "xlsx/control_character.xlsx",
        xlsx(sheet([["a"], [typed("s", "0")]]), shared=x.strings("x\x01y")),
        "a character that XML does not have: bytes have changed",
        error="WORKBOOK_CORRUPT",
    )
    good = xlsx(SIMPLE)
    broken = bytearray(good)
    start = good.index(b"xl/worksheets/sheet1.xml") + len(b"xl/worksheets/sheet1.xml")
    broken[start + 20] ^= 0xFF
    yield case(
        "xlsx/flipped_byte.xlsx", bytes(broken), "a part whose bytes have changed", error="WORKBOOK_CORRUPT"
    )
