"""Read a large part's XML fast: as text, cut at the ends of its elements.

A general XML parser calls back several times for each cell. What programs write is regular, so the readers of
rows and of shared strings cut the text and match the pieces. Every character must be accounted for: whatever
is written in another form raises NotCanonicalError, and the part is read by expat.
"""

import codecs
import io
import re
from collections.abc import Iterator
from typing import IO

from managed_tables_reader.workbooks.failures import WorkbookTooLargeError

_CHUNK_BYTES = 1 << 20
_MAX_ELEMENT_CHARACTERS = 64 << 20  # 16,384 cells of 4,000 characters; an honest row is a thousandth of it
_NO_CHARACTERS = bytes(set(range(32)).difference(b"\t\n\r"))  # not allowed in XML: no parser accepts them


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
        self.after = ""  # what follows the container, once all pieces are cut

    def open(self) -> str | None:
        """Read up to the container and return its prefix (mostly none); None if it is empty."""
        while True:
            found = self._start.search(self.rest)
            if found:
                if "<!" in self.rest[: found.start()]:
                    raise NotCanonicalError
                self.rest = self.rest[found.end() :]
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
            raise WorkbookTooLargeError("uma linha tem dezenas de megabytes")
        chunk = self._stream.read(_CHUNK_BYTES)
        if not chunk or len(chunk.translate(None, _NO_CHARACTERS)) < len(chunk):
            raise NotCanonicalError
        try:
            return self._decoder.decode(chunk)
        except UnicodeDecodeError as error:
            raise NotCanonicalError from error
