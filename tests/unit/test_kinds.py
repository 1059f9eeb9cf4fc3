"""The kind of a file, detected from its bytes."""

from pathlib import Path

import pytest
from zipping import zipped

from managed_tables_reader.files.kinds import Kind, detect_kind


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"a;b\n1;2\n", Kind.TEXT),
        (b"", Kind.TEXT),
        (b"<3;b\n1;2\n", Kind.TEXT),
        (b"[a],b\n1,2\n", Kind.TEXT),
        (b"\xef\xbb\xbf  <!DOCTYPE html><html>", Kind.HTML),
        (b"<table><tr><td>1</td></tr></table>", Kind.HTML),
        (b'<meta charset="utf-8">\n<table><tr><td>1</td></tr></table>', Kind.HTML),
        (b'<META NAME="origem" CONTENT="sistema">\na;b\n1;2\n', Kind.TEXT),
        (
            b'<?xml version="1.0"?>\n<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">',
            Kind.SPREADSHEETML,
        ),
        (b'<?xml version="1.0"?><rows/>', Kind.OTHER),
        (b'{"a": 1}', Kind.JSON_LINES),
        (b'{"a": {\n"b": 1}}', Kind.JSON),
        (b"[{}]", Kind.JSON),
        (b"%PDF-1.7", Kind.OTHER),
        (b"\x1f\x8b\x08", Kind.GZIP),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600, Kind.XLS),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600 + "EncryptedPackage".encode("utf-16-le"),
            Kind.ENCRYPTED_WORKBOOK,
        ),
        (zipped({"[Content_Types].xml": "x", "xl/workbook.xml": "x"}), Kind.XLSX),
        (zipped({"xl/workbook.bin": "x"}), Kind.XLSB),
        (zipped({"mimetype": "x", "content.xml": "x"}), Kind.ODS),
        (zipped({"vendas.csv": "x"}), Kind.ZIP),
        (zipped({}), Kind.ZIP),
    ],
)
def test_the_kind_is_that_of_the_content(tmp_path: Path, content: bytes, kind: Kind) -> None:
    path = tmp_path / "qualquer.nome"
    path.write_bytes(content)
    assert detect_kind(path)[0] is kind
