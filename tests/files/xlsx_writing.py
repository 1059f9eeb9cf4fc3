"""Write XLSX files part by part, so that a case can hold exactly what it is about."""

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

from zipping import zipped

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_STRICT_MAIN = "http://purl.oclc.org/ooxml/spreadsheetml/main"
RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_STRICT_RELATION = "http://purl.oclc.org/ooxml/officeDocument/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"

# Number formats by the style that cells name (`s="3"`).
FORMATS = (
    "General", "dd/mm/yyyy", "dd/mm/yyyy hh:mm:ss", "hh:mm:ss", "[h]:mm:ss", "0.00%", '"R$ "#,##0.00',
    "00000", "00000-000", r"000\.000\.000\-00", "mmm/yy", "@", "0.00E+00", "# ?/?", '0" dias"',
    r"00\.000\.000\/0000\-00", "[$-416]d mmmm, yyyy", "[<=99999999]####-####;(##) ####-####",
)  # fmt: skip
DATE = 1

Cell = str | int | float | None


class Xml(str):
    """A cell (or a row) written out, in which `REF` stands for the cell's reference."""

    __slots__ = ()


def number(raw: str | float, style: int = 0) -> Xml:
    """Return a numeric cell whose value is written exactly so."""
    return Xml(f'<c r="REF" s="{style}"><v>{raw}</v></c>')


def typed(kind: str, raw: str, style: int = 0) -> Xml:
    """Return a cell of another type: `b`, `e`, `d`, `s`, `str`."""
    return Xml(f'<c r="REF" s="{style}" t="{kind}"><v>{raw}</v></c>')


def letters(column: int) -> str:
    """Return the letters of a column (from 0)."""
    text = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        text = chr(65 + rest) + text
    return text


def _cell(cell: Cell, reference: str) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Xml):
        return cell.replace("REF", reference)
    if isinstance(cell, str):
        return f'<c r="{reference}" t="inlineStr"><is><t xml:space="preserve">{escape(cell)}</t></is></c>'
    return f'<c r="{reference}"><v>{cell}</v></c>'


def sheet(rows: Sequence[Sequence[Cell] | Xml], *, before: str = "", after: str = "", first: int = 1) -> str:
    """Return a worksheet's XML; a row that is Xml stands as it is."""
    written: list[str] = []
    for line, row in enumerate(rows, start=first):
        if isinstance(row, Xml):
            written.append(row)
        elif row:
            cells = "".join(_cell(cell, f"{letters(column)}{line}") for column, cell in enumerate(row))
            written.append(f'<row r="{line}">{cells}</row>')
    body = "".join(written)
    return f'<worksheet xmlns="{MAIN}">{before}<sheetData>{body}</sheetData>{after}</worksheet>'


def strings(*items: str) -> str:
    """Return the shared strings; an item that begins with `<` is XML."""
    inner = (item if item.startswith("<") else f"<t>{escape(item)}</t>" for item in items)
    written = "".join(f"<si>{item}</si>" for item in inner)
    return f'<sst xmlns="{MAIN}">{written}</sst>'


def _styles() -> str:
    codes = "".join(
        f'<numFmt numFmtId="{164 + index}" formatCode="{escape(code, {chr(34): "&quot;"})}"/>'
        for index, code in enumerate(FORMATS)
    )
    styles = "".join(f'<xf numFmtId="{164 + index}" applyNumberFormat="1"/>' for index in range(len(FORMATS)))
    return f'<styleSheet xmlns="{MAIN}"><numFmts>{codes}</numFmts><cellXfs>{styles}</cellXfs></styleSheet>'


def xlsx(
    *sheets: str,
    names: Sequence[str] = (),
    states: Sequence[str] = (),
    shared: str = "",
    is_1904: bool = False,
    changes: Mapping[str, str | bytes | None] | None = None,
    is_strict: bool = False,
) -> bytes:
    """Return a workbook of the sheets; `changes` replace parts, None removes one."""
    names = names or [f"Plan{index}" for index in range(1, len(sheets) + 1)]
    padded = [*states, *["visible"] * len(sheets)]
    tabs = "".join(
        f'<sheet name="{escape(name)}" sheetId="{index}" state="{state or "visible"}" r:id="rId{index}"/>'
        for index, (name, state) in enumerate(zip(names, padded, strict=False), start=1)
    )
    epoch = '<workbookPr date1904="1"/>' if is_1904 else ""
    targets = [
        (f"rId{index}", "worksheet", f"worksheets/sheet{index}.xml") for index in range(1, len(sheets) + 1)
    ]
    targets += [("rIdS", "styles", "styles.xml"), ("rIdT", "sharedStrings", "sharedStrings.xml")]
    parts: dict[str, str | bytes | None] = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="xml" '
        'ContentType="application/xml"/></Types>',
        "_rels/.rels": relations([("rId1", "officeDocument", "xl/workbook.xml")]),
        "xl/workbook.xml": (
            f'<workbook xmlns="{MAIN}" xmlns:r="{RELATION}">{epoch}<sheets>{tabs}</sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": relations(targets),
        "xl/styles.xml": _styles(),
        "xl/sharedStrings.xml": shared or strings(),
        **{f"xl/worksheets/sheet{index}.xml": xml for index, xml in enumerate(sheets, start=1)},
        **(changes or {}),
    }
    kept = {name: part for name, part in parts.items() if part is not None}
    if is_strict:
        kept = {name: _strict(part) for name, part in kept.items()}
    return zipped(kept)


def relations(targets: Sequence[tuple[str, str, str]]) -> str:
    """Return a part of relationships: id, kind, target."""
    written = "".join(
        f'<Relationship Id="{identity}" Type="{RELATION}/{kind}" Target="{target}"/>'
        for identity, kind, target in targets
    )
    return f'<Relationships xmlns="{_PACKAGE}/relationships">{written}</Relationships>'


def _strict(part: str | bytes) -> str | bytes:
    if isinstance(part, bytes):
        return part
    return part.replace(MAIN, _STRICT_MAIN).replace(RELATION, _STRICT_RELATION)
