"""Parse XML as workbooks use it: element names without namespaces, no DTD, expat's errors translated."""

from collections.abc import Callable, Iterator
from typing import IO, TypeVar
from xml.parsers import expat

from managed_tables_reader.workbooks.failures import WorkbookError, WorkbookUnsafeError

_CHUNK_BYTES = 1 << 20
_ROWS_CHUNK_BYTES = 1 << 18  # rows wait for the end of their chunk: a smaller one holds fewer

Attributes = dict[str, str]
Row = TypeVar("Row")


def parse_xml(
    stream: IO[bytes],
    on_start: Callable[[str, Attributes], None],
    on_end: Callable[[str], None],
    on_text: Callable[[str], None],
) -> None:
    """Parse the whole stream with these callbacks; names of elements and attributes lose their prefixes."""
    parser = _open_parser(on_start, on_end, on_text)
    while chunk := stream.read(_CHUNK_BYTES):
        _feed(parser, chunk)
    _feed(parser, b"", is_last=True)


def iterate_xml(
    stream: IO[bytes],
    on_start: Callable[[str, Attributes], None],
    on_end: Callable[[str], None],
    on_text: Callable[[str], None],
    done: list[Row],
) -> Iterator[Row]:
    """Parse the whole stream as `parse_xml` does, yielding what the callbacks append to `done`."""
    parser = _open_parser(on_start, on_end, on_text)
    while chunk := stream.read(_ROWS_CHUNK_BYTES):
        _feed(parser, chunk)
        yield from done
        done.clear()
    _feed(parser, b"", is_last=True)
    yield from done


def read_count(text: str | None, least: int = 0) -> int:
    """Return the whole number that an attribute states, `least` where it states none or a lower one."""
    return max(least, int(text)) if text and text.isdecimal() and len(text) < 9 else least


def _open_parser(
    on_start: Callable[[str, Attributes], None],
    on_end: Callable[[str], None],
    on_text: Callable[[str], None],
) -> expat.XMLParserType:
    """Return a parser to feed, which refuses a document type declaration and so every entity."""
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
    return parser


def _feed(parser: expat.XMLParserType, chunk: bytes, *, is_last: bool = False) -> None:
    """Parse one more chunk; raises WorkbookError if the XML is not well-formed."""
    try:
        parser.Parse(chunk, is_last)
    except (expat.ExpatError, LookupError, ValueError) as error:  # the last two for an encoding's name
        raise WorkbookError(f"XML malformado ({error})") from error


def _refuse_doctype(*_: object) -> None:
    raise WorkbookUnsafeError("contém uma declaração de tipo de documento (DTD)")
