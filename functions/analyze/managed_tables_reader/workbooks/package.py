"""Open the package of an XLSX or ODS file: a ZIP whose bounds are checked before anything is inflated."""

import lzma
import posixpath
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import unquote

from managed_tables_reader.workbooks.failures import WorkbookError, WorkbookTooLargeError
from managed_tables_reader.workbooks.xml import Attributes, parse_xml

MAX_PARTS = 10_000  # a workbook with thousands of charts and images has some; a bomb has more
MAX_INFLATED_BYTES = 1 << 30  # the clarifications' limit for a ZIP
MAX_RATIO = 200  # sheets of the same row over and over reach 100; a bomb reaches 1,000
RATIO_FREE_BYTES = 32 << 20  # parts of this size are harmless whatever their ratio

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
            parse_xml(stream, on_start, lambda _: None, lambda _: None)
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
