"""Open the package of an XLSX or ODS file, a ZIP whose bounds are checked first, and parse its XML.

Names of elements and attributes lose their namespaces, there is no DTD, and expat's errors are translated.
"""

import lzma
import posixpath
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypeVar
from urllib.parse import unquote
from xml.parsers import expat

from managed_tables_reader.workbooks.raw import WorkbookError, WorkbookTooLargeError, WorkbookUnsafeError

MAX_PARTS = 10_000  # a workbook with thousands of charts and images has some; a bomb has more
MAX_INFLATED_BYTES = 1 << 30  # the clarifications' limit for a ZIP
MAX_RATIO = 200  # sheets of the same row over and over reach 100; a bomb reaches 1,000
RATIO_FREE_BYTES = 32 << 20  # parts of this size are harmless whatever their ratio
_CHUNK_BYTES = 1 << 18  # rows wait for the end of their chunk: a smaller one holds fewer

Attributes = dict[str, str]
Row = TypeVar("Row")

_FOREIGN_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    struct.error,
)


@dataclass(frozen=True)
class Relationship:
    """What a part refers to by an id: the kind (last word of its type) and the part's name."""

    kind: str
    target: str


class Package:
    """The parts of one file by name; names are compared ignoring case, as in Excel."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._names: dict[str, zipfile.ZipInfo] = {}
        _check_bounds(archive.infolist())
        for info in archive.infolist():
            self._names.setdefault(_normal(info.filename), info)

    def __contains__(self, name: str) -> bool:
        return _normal(name) in self._names

    @contextmanager
    def open_part(self, name: str) -> Iterator[IO[bytes]]:
        """Open one part for reading; errors while it inflates become WorkbookError, too."""
        info = self._names.get(_normal(name))
        if info is None:
            raise WorkbookError(f"falta a parte {name}")
        try:
            with self._archive.open(info) as stream:
                yield stream
        except _FOREIGN_ERRORS as error:
            raise WorkbookError(f"a parte {name} não pode ser descompactada ({error})") from error

    def relationships(self, part: str) -> dict[str, Relationship]:
        """Return what `part` (empty: the package itself) refers to, by id."""
        folder, _, file = part.rpartition("/")
        name = posixpath.join(folder, "_rels", f"{file}.rels")
        found: dict[str, Relationship] = {}
        if name not in self:
            return found

        def on_start(element: str, attributes: Attributes) -> None:
            if element == "Relationship" and attributes.get("TargetMode") != "External":
                target = unquote(attributes.get("Target", "")).replace("\\", "/")
                kind = attributes.get("Type", "").rpartition("/")[2]
                found[attributes.get("Id", "")] = Relationship(kind, posixpath.join("/", folder, target))

        with self.open_part(name) as stream:
            parse_xml(stream, on_start)
        return found


@contextmanager
def open_package(path: Path) -> Iterator[Package]:
    """Open the file's ZIP directory; raises WorkbookError if there is none."""
    try:
        archive = zipfile.ZipFile(path)
    except (*_FOREIGN_ERRORS, ValueError) as error:
        raise WorkbookError("o arquivo está truncado ou não é um pacote ZIP") from error
    with archive:
        yield Package(archive)


def _normal(name: str) -> str:
    return posixpath.normpath("/" + name.replace("\\", "/")).lower().lstrip("/")


def _check_bounds(parts: list[zipfile.ZipInfo]) -> None:
    """Refuse a package that would inflate beyond bounds; zipfile reads no more of a part than it declares."""
    if len(parts) > MAX_PARTS:
        raise WorkbookTooLargeError(f"tem mais de {MAX_PARTS} partes")
    if sum(part.file_size for part in parts) > MAX_INFLATED_BYTES:
        raise WorkbookTooLargeError(f"descompactada passa de {MAX_INFLATED_BYTES >> 20} MB")
    for part in parts:
        if part.flag_bits & 0x1:
            raise WorkbookError("tem partes cifradas")
        if part.file_size > RATIO_FREE_BYTES and part.file_size > MAX_RATIO * part.compress_size:
            raise WorkbookTooLargeError("a taxa de compressão é a de uma bomba de descompactação")


def _ignore(_: str) -> None:
    """Stand for a callback that is not needed."""


def parse_xml(
    stream: IO[bytes],
    on_start: Callable[[str, Attributes], None],
    on_end: Callable[[str], None] = _ignore,
    on_text: Callable[[str], None] = _ignore,
) -> None:
    """Parse the whole stream with these callbacks; names of elements and attributes lose their prefixes."""
    for _ in iterate_xml(stream, on_start, on_end, on_text, []):
        pass


def iterate_xml(
    stream: IO[bytes],
    on_start: Callable[[str, Attributes], None],
    on_end: Callable[[str], None],
    on_text: Callable[[str], None],
    done: list[Row],
) -> Iterator[Row]:
    """Parse the whole stream as `parse_xml` does, yielding what the callbacks append to `done`.

    Raises WorkbookError where the XML is not well-formed or declares a document type, as entities need.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = 1 << 16

    def start(name: str, attributes: Attributes) -> None:
        if any(":" in key for key in attributes):
            attributes = {key.rpartition(":")[2]: value for key, value in attributes.items()}
        on_start(name.rpartition(":")[2], attributes)

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda name: on_end(name.rpartition(":")[2])
    parser.CharacterDataHandler = on_text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    chunk = None
    while chunk != b"":
        chunk = stream.read(_CHUNK_BYTES)
        try:
            parser.Parse(chunk, not chunk)
        except (expat.ExpatError, LookupError, ValueError) as error:  # the last two for an encoding's name
            raise WorkbookError(f"XML malformado ({error})") from error
        yield from done
        done.clear()


def _refuse_doctype(*_: object) -> None:
    raise WorkbookUnsafeError("contém uma declaração de tipo de documento (DTD)")


def read_count(text: str | None, least: int = 0) -> int:
    """Return the whole number that an attribute states, `least` where it states none or a lower one."""
    return max(least, int(text)) if text and text.isdecimal() and len(text) < 9 else least
