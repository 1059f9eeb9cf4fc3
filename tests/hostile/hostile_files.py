"""Makes hostile files, each beside the outcome that it is owed.

Compact on purpose: every file is made from a few lines, none is committed.
"""

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import NamedTuple

MIB = 1_048_576


class Hostile(NamedTuple):
    """A file, and what comes of it: error codes of which one is given, or (rows, columns)."""

    name: str
    content: bytes
    outcome: set[str] | tuple[int, int]


def hostile_files() -> Iterator[Hostile]:
    """Yield every file."""
    yield from _texts()
    yield from _identifiers_and_values()
    yield from _workbooks()
    yield from _archives()


# --- text ----------------------------------------------------------------------------------------------
def _texts() -> Iterator[Hostile]:
    noise = random.Random(5).randbytes(20_000)  # noqa: S311 - the same noise every time
    yield Hostile("nothing.csv", b"", {"FILE_EMPTY"})
    yield Hostile("bom.csv", b"\xef\xbb\xbf", {"FILE_EMPTY"})
    yield Hostile("nul.csv", b"\0" * MIB, {"FILE_NOT_TABULAR"})
    yield Hostile("noise.csv", noise, {"FILE_NOT_TABULAR"})
    yield Hostile("png.csv", b"\x89PNG\r\n\x1a\n" + noise, {"FILE_KIND_REFUSED"})
    yield Hostile("pdf.csv", b"%PDF-1.7\n" + noise, {"FILE_KIND_REFUSED"})
    yield Hostile("gzip.csv", b"\x1f\x8b\x08\0" + noise[:50], {"FILE_KIND_REFUSED"})
    yield Hostile("json.csv", b'[{"a": 1}]', {"FILE_KIND_REFUSED"})
    yield Hostile("columns.csv", b"a" + b"," * 1_000_000 + b"\n", {"TOO_MANY_COLUMNS"})
    yield Hostile("wide.csv", ",".join(f"c{n}" for n in range(1_501)).encode() + b"\n", {"TOO_MANY_COLUMNS"})
    yield Hostile("unclosed.csv", b'a,b\n1,x\n2,"y\n3,z\n4,w\n', (4, 2))
    yield Hostile("unclosed_long.csv", b'a,b\n1,x\n2,"y\n' + b"3,z\n" * 500_000, (500_002, 2))
    yield Hostile("quotes.csv", b'a,b\n1,"' + b'""' * 500_000 + b'"\n', (1, 2))
    yield Hostile("long_cell.csv", b"a,b\n1," + b"x" * 10 * MIB + b"\n2,y\n", (2, 2))
    yield Hostile("blank.csv", b"a,b\n1,2\n" + b"\n" * MIB + b"3,4\n", (2, 2))
    almost = b"".join(b"%d,%s!\n" % (n, b"1." * 2_000) for n in range(20))
    yield Hostile("almost_numbers.csv", b"a,b\n" + almost, (20, 2))
    uneven = b"id,v\n0,1!\n" + b"1.1,1.1,1.1,1.1,1.1,1.1\n1,2,3,4,5,6\n" * 20
    yield Hostile("above.csv", uneven, (40, 6))
    yield Hostile("copy_markers.csv", b"a,b\n1,\\.\n\\.,2\n3,\\N\n", (3, 2))


def _identifiers_and_values() -> Iterator[Hostile]:
    headers = [
        "a; DROP TABLE users; --",
        'a\'b""c',
        "${jndi:ldap://127.0.0.1/a}",
        "{{7*7}}",
        "../../etc/passwd",
        "<script>alert(1)</script>",
        "a\u202eb",
        "a\u200bb",
        "ctid",
        "xmin",
        "id",
        "__proto__",
        "select",
        "a\nb",
        "x" * 300,
        "x" * 301,
        "😀",
        "\u0000",
    ]
    quoted = ",".join('"' + one.replace('"', '""') + '"' for one in headers)
    yield Hostile("headers.csv", f"{quoted}\n{','.join('1' * len(headers))}\n".encode(), (1, len(headers)))
    values = ["=1+1", "+1-1", "-1+1", "@SUM(A1)", "\t=1", "'; DROP TABLE x; --", "{0}", "%s%n", "\u202eabc"]
    yield Hostile(
        "values.csv", ("n,texto\n" + "".join(f"1,{v}\n" for v in values)).encode(), (len(values), 2)
    )
    yield Hostile("'; DROP TABLE x; --.csv", b"a,b\n1,2\n", (1, 2))
    yield Hostile("$(touch hit) `touch hit`.csv", b"a,b\n1,2\n", (1, 2))
    yield Hostile("quo'te.csv", b"a,b\n1,2\n", (1, 2))


# --- workbooks -----------------------------------------------------------------------------------------
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PARTS = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_RELATIONS}"><Relationship Id="r1" '
    f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_RELATIONS}">'
    f'<Relationship Id="r1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>'
    f'<Relationship Id="r2" Type="{_OFFICE}/sharedStrings" Target="sharedStrings.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
    '<sheet name="A" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl/sharedStrings.xml": f'<sst xmlns="{_MAIN}" count="1" uniqueCount="1"><si><t>x</t></si></sst>',
}
_ROWS = '<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c>'
_ROWS += '<c r="B1" t="inlineStr"><is><t>b</t></is></c></row>'
_ROWS += '<row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>2</v></c></row>'
_LAUGHS = "<!DOCTYPE x [" + '<!ENTITY l0 "lol">'
_LAUGHS += "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10)) + "]>"


def _sheet(rows: str, before: str = "", prologue: str = "") -> str:
    return f'{prologue}<worksheet xmlns="{_MAIN}">{before}<sheetData>{rows}</sheetData></worksheet>'


def _workbook(sheet: str, **parts: str) -> bytes:
    whole = {**_PARTS, "xl/worksheets/sheet1.xml": sheet}
    whole |= {f"xl/{name}.xml": text for name, text in parts.items()}
    return _zip({name: text.encode() for name, text in whole.items() if text})


def _workbooks() -> Iterator[Hostile]:
    laughing = _sheet(_ROWS.replace("<v>2</v>", "<v>&l9;</v>"), prologue=_LAUGHS)
    yield Hostile("laughs.xlsx", _workbook(laughing), {"WORKBOOK_UNSAFE"})
    external = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
    yield Hostile("external.xlsx", _workbook(_sheet(_ROWS, prologue=external)), {"WORKBOOK_UNSAFE"})
    strings = f'{_LAUGHS}<sst xmlns="{_MAIN}"><si><t>&l9;</t></si></sst>'
    yield Hostile("strings.xlsx", _workbook(_sheet(_ROWS), sharedStrings=strings), {"WORKBOOK_UNSAFE"})
    spaces = _sheet(_ROWS + " " * 100 * MIB)
    yield Hostile("spaces.xlsx", _workbook(spaces), {"WORKBOOK_TOO_LARGE"})
    lie = _sheet(_ROWS, before='<dimension ref="A1:XFD1048576"/>')
    yield Hostile("dimension.xlsx", _workbook(lie), (1, 2))
    corner = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    yield Hostile("corner.xlsx", _workbook(_sheet(_ROWS + corner)), {"TOO_MANY_COLUMNS"})
    shared = f'<sst xmlns="{_MAIN}" count="4294967295" uniqueCount="4294967295"><si><t>x</t></si></sst>'
    beyond = _sheet(_ROWS.replace('<c r="B2"><v>2</v>', '<c r="B2" t="s"><v>999999999</v>'))
    yield Hostile("shared.xlsx", _workbook(beyond, sharedStrings=shared), {"WORKBOOK_CORRUPT"})
    whole = _workbook(_sheet(_ROWS))
    yield Hostile("whole.xlsx", whole, (1, 2))
    yield Hostile("cut.xlsx", whole[: len(whole) // 2], {"WORKBOOK_CORRUPT", "ARCHIVE_CORRUPT"})
    yield Hostile("malformed.xlsx", _workbook("<worksheet><sheetData><row>"), {"WORKBOOK_CORRUPT"})
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    yield Hostile("magic.xls", ole, {"WORKBOOK_CORRUPT"})
    yield Hostile("garbage.xls", ole + random.Random(6).randbytes(9_000), {"WORKBOOK_CORRUPT"})  # noqa: S311
    yield Hostile("named.csv", whole, (1, 2))


# --- archives ------------------------------------------------------------------------------------------
_TABLE = b"a,b\n1,2\n"


def _zip(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def _bomb(mebibytes: int) -> bytes:
    """Return a ZIP whose only member inflates to so much, without ever holding it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("bomb.csv", "w") as member:
        for _ in range(mebibytes):
            member.write(b"0" * MIB)
    return out.getvalue()


def _patched(content: bytes, old: bytes, new: bytes) -> bytes:
    assert old in content
    return content.replace(old, new)


def _archives() -> Iterator[Hostile]:
    one = _zip({"a.csv": _TABLE})
    yield Hostile("bomb.zip", _bomb(1_100), {"ARCHIVE_TOO_LARGE"})
    yield Hostile("nested.zip", _zip({"b.zip": one}), {"ARCHIVE_NESTED"})
    yield Hostile(
        "entries.zip", _zip({f"{n}.csv": _TABLE for n in range(1_001)}), {"ARCHIVE_TOO_MANY_ENTRIES"}
    )
    slips = ["../../hit.csv", "/tmp/hit.csv", "..\\..\\hit.csv", "C:\\hit.csv"]  # noqa: S108 - never written
    for number, name in enumerate(slips):
        yield Hostile(f"slip{number}.zip", _zip({name: _TABLE}), {"ARCHIVE_UNSAFE", "(1, 2)"})
    yield Hostile("cut.zip", one[: len(one) - 30], {"ARCHIVE_CORRUPT"})
    yield Hostile("nothing.zip", _zip({}), {"ARCHIVE_EMPTY"})
    yield Hostile("noise.zip", _zip({"__MACOSX/._a.csv": b"x", ".DS_Store": b"x"}), {"ARCHIVE_EMPTY"})
    yield Hostile("programs.zip", _zip({"a.exe": b"MZ" + b"\0" * 100}), {"ARCHIVE_MEMBERS_REFUSED"})
    checksum = struct.pack("<L", zlib.crc32(_TABLE))
    yield Hostile("checksum.zip", _patched(one, checksum, b"\0\0\0\1"), {"ARCHIVE_CORRUPT"})
    long = _zip({"a.csv": _TABLE * 10_000})
    size = struct.pack("<L", len(_TABLE) * 10_000)
    yield Hostile("size.zip", _patched(long, size, struct.pack("<L", 10)), {"ARCHIVE_CORRUPT"})
    yield Hostile("locked.zip", _locked(one), {"ARCHIVE_ENCRYPTED"})
    link = zipfile.ZipInfo("link.csv")
    link.external_attr = 0o120777 << 16
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(link, "/etc/passwd")
    yield Hostile("link.zip", out.getvalue(), {"ARCHIVE_UNSAFE"})


def _locked(content: bytes) -> bytes:
    """Set the flag of encryption in both headers of the only member."""
    changed = bytearray(content)
    changed[6] |= 1
    changed[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(changed)
