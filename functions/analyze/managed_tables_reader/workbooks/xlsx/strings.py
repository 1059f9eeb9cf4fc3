"""Read the texts of workbooks: large parts cut at the ends of their elements, shared strings, escapes.

A general XML parser calls back several times for each cell. What programs write is regular, so the readers of
rows and of shared strings cut the text and match the pieces. Every character must be accounted for: whatever
is written in another form raises NotCanonicalError, and the part is read by expat.
"""

import codecs
import io
import re
from collections.abc import Iterator
from typing import IO
from xml.etree.ElementTree import Element

from managed_tables.conversion.marked_cells import mark_text
from managed_tables.errors import WORKBOOK_TOO_LARGE
from managed_tables_reader.workbooks.package import read_xml
from managed_tables_reader.workbooks.raw import WorkbookError

_ENTITY = re.compile(r"&(?:#x([0-9a-fA-F]{1,6})|#([0-9]{1,7})|(amp|lt|gt|quot|apos));|&")
_NAMED = {"amp": "&", "lt": "<", "gt": ">", "quot": '"', "apos": "'"}
_PLAIN_STRING = r'\s*<{p}si>\s*<{p}t(?: xml:space="preserve")?>([^<]*)</{p}t>\s*'
_HEX_ESCAPE = re.compile("_x([0-9A-Fa-f]{4})_")
_CHUNK_BYTES = 1 << 20
_MAX_ELEMENT_CHARACTERS = 64 << 20  # 16,384 cells of 4,000 characters; an honest row is a thousandth of it
_NO_CHARACTERS = bytes(set(range(32)).difference(b"\t\n\r"))  # not allowed in XML: no parser accepts them


def unescape_xml(text: str) -> str:
    """Resolve XML's own entities; raises WorkbookError on any other, as every XML parser does."""
    return _ENTITY.sub(_character, text) if "&" in text else text


def unescape_hex(text: str) -> str:
    """Resolve `_xHHHH_`, which stands for a UTF-16 unit: NUL or half of a character, too."""
    if "_x" in text:
        text = _HEX_ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    return text


def _character(found: re.Match[str]) -> str:
    if found[3]:
        return _NAMED[found[3]]
    if not found[1] and not found[2]:
        raise WorkbookError("entidade XML desconhecida")
    code = int(found[1], 16) if found[1] else int(found[2])
    if not 0 < code < 0x110000 or 0xD800 <= code < 0xE000:
        raise WorkbookError("referência a um caractere que não existe")
    return chr(code)


def read_shared_strings(stream: IO[bytes]) -> list[str | None]:
    """Return the texts in order, None for an empty one; rich text is joined, phonetic guides left out."""
    try:
        return _cut_texts(stream)
    except NotCanonicalError:
        stream.seek(0)
        texts = map(shown_text, read_xml(stream, wholes=("si",)))
        return [mark_text(unescape_hex(text)) or None for text in texts]


def _cut_texts(stream: IO[bytes]) -> list[str | None]:
    cutter = ElementCutter(stream, "sst", "si")
    prefix = cutter.open()
    if prefix is None:
        return []
    plain = re.compile(_PLAIN_STRING.replace("{p}", prefix))
    strings: list[str | None] = []
    for pieces in cutter.pieces(prefix):
        for piece in pieces:
            found = plain.fullmatch(piece)
            text = found[1] if found else _unusual(f"{piece}</{prefix}si>")
            if found and "&" in text:
                text = unescape_xml(text)
            if "_x" in text or "." in text:
                text = mark_text(unescape_hex(text))
            strings.append(text or None)
    if cutter.rest.strip():
        raise NotCanonicalError
    return strings


def _unusual(xml: str) -> str:
    """Return the text of one string that is written in an unusual form."""
    try:
        [element] = read_xml(io.BytesIO(xml.encode()), wholes=("si",))
    except (WorkbookError, ValueError) as error:
        raise NotCanonicalError from error
    return shown_text(element)


def shown_text(element: Element) -> str:
    """Return the text of a string's runs, without the phonetic guides beside them."""
    runs = (run for child in element if child.tag != "rPh" for run in child.iter("t"))
    return "".join(run.text or "" for run in runs)


class NotCanonicalError(Exception):
    """The part is not written in the form that is read here."""


class ElementCutter:
    """Cuts the content of one element of a part into its child elements."""

    def __init__(self, stream: IO[bytes], container: str, element: str) -> None:
        self._stream = stream
        # A mark at the start is dropped and line ends become line feeds, as the XML standard has it.
        decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._decoder = io.IncrementalNewlineDecoder(decoder, translate=True)
        self._start = re.compile(rf"<((?:\w+:)?){container}(?:\s[^<>]*?)?(/?)>")
        self._names = container, element
        self.rest = ""
        self.before = ""  # what precedes the container, once it is open
        self.after = ""  # what follows the container, once all pieces are cut

    def open(self) -> str | None:
        """Read up to the container and return its prefix (mostly none); None if it is empty."""
        while True:
            found = self._start.search(self.rest)
            if found:
                self.before, self.rest = self.rest[: found.start()], self.rest[found.end() :]
                if "<!" in self.before:
                    raise NotCanonicalError
                return None if found[2] else found[1]
            self.rest += self._read()

    def pieces(self, prefix: str) -> Iterator[list[str]]:
        """Yield elements without their end tags; in the end `rest` is what follows the last of them.

        A comment or CDATA may hold an end tag: the caller declines pieces that begin or hold one.
        """
        container_end, element_end = (f"</{prefix}{name}>" for name in self._names)
        while True:
            pieces = self.rest.split(element_end)
            self.rest, end, self.after = pieces.pop().partition(container_end)
            if pieces:
                yield pieces
            if end:
                break
            self.rest += self._read()
        while chunk := self._stream.read(_CHUNK_BYTES):  # to its end, where the checksum is compared
            if len(self.after) < _MAX_ELEMENT_CHARACTERS:
                self.after += chunk.decode(errors="replace")

    def _read(self) -> str:
        if len(self.rest) > _MAX_ELEMENT_CHARACTERS:
            raise WorkbookError("uma linha tem dezenas de megabytes", WORKBOOK_TOO_LARGE)
        chunk = self._stream.read(_CHUNK_BYTES)
        if not chunk or len(chunk.translate(None, _NO_CHARACTERS)) < len(chunk):
            raise NotCanonicalError
        try:
            return self._decoder.decode(chunk)
        except UnicodeDecodeError as error:
            raise NotCanonicalError from error
