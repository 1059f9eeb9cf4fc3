"""Detect the kind of a file by its content, never by its name."""

import lzma
import re
import struct
import zipfile
import zlib
from enum import StrEnum
from pathlib import Path

# What zipfile and its decompressors raise on a damaged file, besides ValueError.
UNZIP_ERRORS = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, RuntimeError)
_HEAD_BYTES = 4_096  # every signature, and enough text to recognise HTML and XML


class Kind(StrEnum):
    """What a file is, whatever it is called."""

    TEXT = "text"
    XLSX = "xlsx"
    XLSB = "xlsb"
    ODS = "ods"
    XLS = "xls"
    ENCRYPTED_WORKBOOK = "encrypted_workbook"
    HTML = "html"
    SPREADSHEETML = "spreadsheetml"
    JSON = "json"
    JSON_LINES = "jsonl"
    PARQUET = "parquet"
    ZIP = "zip"
    GZIP = "gzip"
    OTHER = "other"


# Signatures of refused kinds, with the words that name them to people.
_OTHER_SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"BZh", "é um arquivo BZIP2"),
    (b"\xfd7zXZ\x00", "é um arquivo XZ"),
    (b"(\xb5/\xfd", "é um arquivo Zstandard"),
    (b"7z\xbc\xaf\x27\x1c", "é um arquivo 7-Zip"),
    (b"Rar!\x1a\x07", "é um arquivo RAR"),
    (b"%PDF-", "é um PDF"),
    (b"\x89PNG\r\n\x1a\n", "é uma imagem PNG"),
    (b"\xff\xd8\xff", "é uma imagem JPEG"),
    (b"GIF8", "é uma imagem GIF"),
    (b"PARE", "é um arquivo Parquet com senha"),
    (b"SQLite format 3\x00", "é um banco SQLite"),
    (b"{\\rtf", "é um documento RTF"),
    (b"version https://git-lfs", "é só o ponteiro de um arquivo guardado no Git LFS"),
)
_OLE2_SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_BIFF_SIGNATURES = (b"\x09\x00\x04\x00", b"\x09\x02\x06\x00", b"\x09\x04\x06\x00")  # XLS before OLE2
_GZIP_SIGNATURE = b"\x1f\x8b"
_PARQUET_SIGNATURE = b"PAR1"
_ZIP_SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_HTML_START = re.compile(rb"<(!doctype\s+html|html|head|body|table|meta|style)\b", re.IGNORECASE)
_HTML_META = re.compile(rb"<meta\b", re.IGNORECASE)  # alone it may stand above any table
_SPREADSHEETML_START = re.compile(rb"urn:schemas-microsoft-com:office:spreadsheet", re.IGNORECASE)
_XML_START = re.compile(rb"<\?xml\b|<[A-Za-z_][\w.-]*(:[\w.-]+)?(\s+[\w:.-]+\s*=|\s*/?>)")
# Labels in angle brackets (`<DATE>\t<OPEN>`), or cells of markup: no document has text next to its root.
_CELLS_START = re.compile(rb"<[^<>\r\n]*>(?:[^<>\r\n]*</[^<>\r\n]*>)?[ \"]*[\t,;|]")
_JSON_START = re.compile(rb"[\[{]\s*([\[{\"\]}]|-?\d|true|false|null)")


def detect_kind(path: Path) -> tuple[Kind, str]:
    """Return the kind of the file and, if it is OTHER, its name in Portuguese."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if head.startswith(_OLE2_SIGNATURE):  # before ZIP: an XLS can hold a whole ZIP, its theme
        return _kind_of_ole2(path), ""
    if head.startswith(_GZIP_SIGNATURE):
        return Kind.GZIP, ""
    if head.startswith(_ZIP_SIGNATURES) or (b"\x00" in head and zipfile.is_zipfile(path)):
        return _kind_of_zip(path), ""
    if head.startswith(_BIFF_SIGNATURES):
        return Kind.XLS, ""
    if head.startswith(_PARQUET_SIGNATURE) and b"\x00" in head:
        return Kind.PARQUET, ""
    for signature, words in _OTHER_SIGNATURES:
        if head.startswith(signature):
            return Kind.OTHER, words
    return _kind_of_text(_plain_start(head))


def _kind_of_zip(path: Path) -> Kind:
    try:
        with zipfile.ZipFile(path) as archive:
            names = {info.filename.replace("\\", "/").lower() for info in archive.infolist()[:2_000]}
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return Kind.ZIP  # the archive reader says what is wrong with it
    if "xl/workbook.bin" in names:
        return Kind.XLSB
    if "[content_types].xml" in names or any(name.startswith("xl/") for name in names):
        return Kind.XLSX
    if "content.xml" in names and names & {"mimetype", "meta-inf/manifest.xml"}:
        return Kind.ODS
    return Kind.ZIP


def _kind_of_ole2(path: Path) -> Kind:
    """Distinguish XLS from an encrypted XLSX: stream names are in the directory as UTF-16."""
    with path.open("rb") as file:
        content = file.read(64 * 1_024 * 1_024)
    is_encrypted = "EncryptedPackage".encode("utf-16-le") in content
    return Kind.ENCRYPTED_WORKBOOK if is_encrypted else Kind.XLS


def _plain_start(head: bytes) -> bytes:
    """Return the head without byte order mark, leading blanks and the NULs of UTF-16."""
    for mark in (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"):
        head = head.removeprefix(mark)
    if b"\x00" in head[:64]:
        head = head.replace(b"\x00", b"")
    return head.lstrip()


def _kind_of_json(start: bytes) -> Kind:
    """Distinguish an object a line from a list, and from an object over several lines."""
    first = start.partition(b"\n")[0].rstrip()
    is_line = start.startswith(b"{") and (first.endswith(b"}") or first == start.rstrip())
    return Kind.JSON_LINES if is_line else Kind.JSON


def _is_html(start: bytes) -> bool:
    """Return whether a text begins as HTML does; below a comment or `<META>` another tag shows it."""
    if start.startswith(b"<!--") or _HTML_META.match(start):
        return _HTML_START.search(start, 1) is not None
    return _HTML_START.match(start) is not None


def _kind_of_text(start: bytes) -> tuple[Kind, str]:
    if not start.startswith((b"<", b"[", b"{")):
        return Kind.TEXT, ""
    if _SPREADSHEETML_START.search(start):
        return Kind.SPREADSHEETML, ""
    if _is_html(start):
        return Kind.HTML, ""
    if _CELLS_START.match(start) or _HTML_META.match(start):
        return Kind.TEXT, ""
    if _XML_START.match(start):
        return (Kind.HTML, "") if _HTML_START.search(start) else (Kind.OTHER, "é um XML")
    if _JSON_START.match(start):
        return _kind_of_json(start), ""
    return Kind.TEXT, ""
