"""Open the package of an XLSX or ODS file, a ZIP whose bounds are checked first, and parse its XML.

Names of elements and attributes lose their namespaces, there is no DTD, and expat's errors are translated.
"""

import posixpath
import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO
from urllib.parse import unquote
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from managed_tables.errors import WORKBOOK_TOO_LARGE, WORKBOOK_UNSAFE
from managed_tables_reader.files.archives import MAX_RATIO, RATIO_FREE_BYTES
from managed_tables_reader.files.kinds import UNZIP_ERRORS
from managed_tables_reader.workbooks.raw import WorkbookError

MAX_PARTS = 10_000  # a workbook with thousands of charts and images has some; a bomb has more
MAX_INFLATED_BYTES = 1 << 30  # the clarifications' limit for a ZIP
_CHUNK_BYTES = 1 << 18  # rows wait for the end of their chunk: a smaller one holds fewer


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

    @property
    def names(self) -> list[str]:
        """The parts' names, in lower case."""
        return list(self._names)

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
        except UNZIP_ERRORS as error:
            raise WorkbookError(f"a parte {name} não pode ser descompactada ({error})") from error

    def relationships(self, part: str) -> dict[str, Relationship]:
        """Return what `part` (empty: the package itself) refers to, by id."""
        folder, _, file = part.rpartition("/")
        name = posixpath.join(folder, "_rels", f"{file}.rels")
        found: dict[str, Relationship] = {}
        if name not in self:
            return found
        with self.open_part(name) as stream:
            for element in read_xml(stream, heads=("Relationship",)):
                if element.get("TargetMode") != "External":
                    target = unquote(element.get("Target", "")).replace("\\", "/")
                    kind = element.get("Type", "").rpartition("/")[2]
                    found[element.get("Id", "")] = Relationship(kind, posixpath.join("/", folder, target))
        return found


@contextmanager
def open_package(path: Path) -> Iterator[Package]:
    """Open the file's ZIP directory; raises WorkbookError if there is none."""
    try:
        archive = zipfile.ZipFile(path)
    except (*UNZIP_ERRORS, ValueError) as error:
        raise WorkbookError("o arquivo está truncado ou não é um pacote ZIP") from error
    with archive:
        yield Package(archive)


def _normal(name: str) -> str:
    return posixpath.normpath("/" + name.replace("\\", "/")).lower().lstrip("/")


def _check_bounds(parts: list[zipfile.ZipInfo]) -> None:
    """Refuse a package that would inflate beyond bounds; zipfile reads no more of a part than it declares."""
    if len(parts) > MAX_PARTS:
        raise WorkbookError(f"tem mais de {MAX_PARTS} partes", WORKBOOK_TOO_LARGE)
    if sum(part.file_size for part in parts) > MAX_INFLATED_BYTES:
        raise WorkbookError(f"descompactada passa de {MAX_INFLATED_BYTES >> 20} MB", WORKBOOK_TOO_LARGE)
    for part in parts:
        if part.flag_bits & 0x1:
            raise WorkbookError("tem partes cifradas")
        if part.file_size > max(RATIO_FREE_BYTES, part.compress_size * MAX_RATIO):
            raise WorkbookError("a taxa de compressão é a de uma bomba de descompactação", WORKBOOK_TOO_LARGE)


def read_xml(
    stream: IO[bytes], *, heads: Collection[str] = (), wholes: Collection[str] = ()
) -> Iterator[Element]:
    """Yield the elements of these names: `heads` as they begin, `wholes` with all that they hold.

    Names of elements and attributes lose their prefixes. Raises WorkbookError where the XML is not
    well-formed or declares a document type, as entities need.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = 1 << 16
    builder = TreeBuilder()
    depth = 0  # in an element of `wholes`
    done: list[Element] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal builder, depth
        name = name.rpartition(":")[2]
        if not depth and name not in wholes:
            if name in heads:
                done.append(Element(name, _without_prefixes(attributes)))
            return
        if not depth:
            builder = TreeBuilder()
            parser.CharacterDataHandler = builder.data
        depth += 1
        builder.start(name, _without_prefixes(attributes))

    def end(name: str) -> None:
        nonlocal depth
        if depth:
            depth -= 1
            builder.end(name)
            if not depth:
                parser.CharacterDataHandler = None
                done.append(builder.close())

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartDoctypeDeclHandler = _refuse_doctype
    chunk = None
    try:
        while chunk != b"":
            chunk = stream.read(_CHUNK_BYTES)
            try:
                parser.Parse(chunk, not chunk)
            except (expat.ExpatError, LookupError, ValueError) as error:  # the two for an encoding's name
                raise WorkbookError(f"XML malformado ({error})") from error
            yield from done
            done.clear()
    finally:  # they refer to the parser: a circle that the child, without a collector, would keep for good
        parser.StartElementHandler = parser.EndElementHandler = None


def _without_prefixes(attributes: dict[str, str]) -> dict[str, str]:
    if ":" not in "".join(attributes):
        return attributes
    return {key.rpartition(":")[2]: value for key, value in attributes.items()}


def _refuse_doctype(*_: object) -> None:
    raise WorkbookError("contém uma declaração de tipo de documento (DTD)", WORKBOOK_UNSAFE)


def read_count(text: str | None, least: int = 0) -> int:
    """Return the whole number that an attribute states, `least` where it states none or a lower one.

    The first nine digits of a longer one are read: it is beyond every sheet as well.
    """
    return max(least, int(text.lstrip("0")[:9] or 0)) if text and text.isdecimal() else least
