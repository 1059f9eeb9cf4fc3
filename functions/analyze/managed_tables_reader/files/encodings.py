"""Detect the encoding of a text file from all its bytes, and transcode it to UTF-8 in bounded memory."""

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from managed_tables.messages.findings import Finding, LineNotes, WarningCode
from managed_tables_reader.files.code_pages import choose_code_page

CHUNK_BYTES = 1_048_576  # fits the processor's cache, and amortises a call
# Letters of a code page make a valid sequence of UTF-8 by chance only: `Ã£`, `Â°`.
_SEQUENCE_WEIGHT = 4
_SAMPLE_BYTES = 262_144  # of bytes that are not ASCII: plenty to distinguish code pages

BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: its mark begins with that of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
WIDE_ENCODINGS = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
_ASCII = bytes(range(128))
_UNDEFINED = "managed_tables.latin1"  # handlers of what an encoding does not define
_BROKEN = "managed_tables.cp1252"
_C1 = bytes(range(0x80, 0xA0))
# Control characters that do not occur in text; those used as delimiters (01, 1C–1F), tab, line ends,
# form feed, DOS's end of file (1A) and escape (1B) do.
_BINARY_CONTROLS = bytes(set(range(0x02, 0x09)) | {0x0E, 0x0F} | set(range(0x10, 0x1A)) | {0x7F})


@dataclass
class Encoding:
    """How the bytes of one text file are read."""

    name: str
    mark_bytes: int = 0
    broken_utf8: bool = False  # valid UTF-8 except some bytes, which are read as cp1252
    has_nul: bool = False
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_utf8(self) -> bool:
        """Whether the bytes are clean UTF-8, apart from a mark at the start."""
        return self.name in ("utf-8", "ascii") and not self.broken_utf8 and not self.has_nul

    @property
    def is_recoded(self) -> bool:
        """Whether single lines of the bytes cannot be decoded as the text was."""
        return self.name in WIDE_ENCODINGS or self.has_nul or self.broken_utf8


class NotTextError(Exception):
    """The bytes are not text in any encoding."""


@dataclass
class _Scan:
    """What one pass over the bytes finds."""

    size: int = 0
    nul_bytes: int = 0
    control_bytes: int = 0
    utf8_error: bool = False
    sequences: int = 0  # well-formed UTF-8 sequences seen from the first error on, and before
    broken: int = 0  # bytes that are not part of any
    sample: bytearray = field(default_factory=bytearray)  # lines with bytes that are not ASCII


def detect_encoding(path: Path, usual: str | None = None) -> Encoding:
    """Read the whole file and return its encoding, or raise NotTextError; `usual` is such files' so far."""
    with path.open("rb", buffering=0) as file:
        head = file.read(65_536)
    for mark, name in BYTE_ORDER_MARKS:
        # UTF-32's mark is that of UTF-16 and a NUL, but in UTF-32 every fourth byte is NUL.
        if head.startswith(mark) and not (name == "utf-32-le" and any(head[7:4_096:4])):
            if name != "utf-8":
                return Encoding(name, len(mark))
            return _judge(_scan(path), head, len(mark), usual)
    return _judge(_scan(path), head, 0, usual)


def _scan(path: Path) -> _Scan:
    scan = _Scan()
    decoder = codecs.getincrementaldecoder("utf-8")()
    for chunk in _chunks(path):
        scan.size += len(chunk)
        scan.nul_bytes += chunk.count(b"\x00")
        if scan.size <= 4 * CHUNK_BYTES:  # binary files show it at once
            scan.control_bytes += len(chunk) - len(chunk.translate(None, _BINARY_CONTROLS))
        if not scan.utf8_error:
            _validate(scan, decoder, chunk)
        elif len(scan.sample) < _SAMPLE_BYTES:
            _sample(scan, chunk)
    if not scan.utf8_error:
        try:
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            pending = len(decoder.getstate()[0])  # counted as a part of a sequence that never ends
            scan.utf8_error, scan.broken = True, scan.broken + 1
            scan.sequences -= pending
    return scan


def _validate(scan: _Scan, decoder: codecs.IncrementalDecoder, chunk: bytes) -> None:
    pending = decoder.getstate()[0]
    if chunk.isascii() and not pending:
        return
    try:
        text = decoder.decode(chunk)
    except UnicodeDecodeError:
        scan.utf8_error = True
        _sample(scan, pending + chunk)
        return
    scan.sequences += len(chunk) - len(text)


def _sample(scan: _Scan, chunk: bytes) -> None:
    """Count the UTF-8 sequences and the other bytes in lines that are not ASCII, and keep these lines."""
    for match in re.finditer(rb"[^\n]*[\x80-\xff][^\n]*", chunk):
        line = match.group()[:2_000]
        scan.sample += line + b"\n"
        sequences = len(_UTF8_SEQUENCE.findall(line))
        rest = _UTF8_SEQUENCE.sub(b"", line).translate(None, _ASCII)
        scan.sequences += sequences
        scan.broken += len(rest)
        if len(scan.sample) >= _SAMPLE_BYTES:
            return


_WORD_END = re.compile(rb"[\s;,|\"]")
_SHOWN_CHARACTERS = 60  # of a word in a sentence
_UTF8_SEQUENCE = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}"
    rb"|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}"
    rb"|\xf4[\x80-\x8f][\x80-\xbf]{2}"
)


def _judge(scan: _Scan, head: bytes, mark_bytes: int, usual: str | None) -> Encoding:
    if scan.nul_bytes:
        wide = _wide_encoding(head)
        if wide:
            return Encoding(wide)
        if scan.nul_bytes * 5 > scan.size:
            raise NotTextError
    if scan.control_bytes * 50 > min(scan.size, 4 * CHUNK_BYTES):
        raise NotTextError
    has_nul = scan.nul_bytes > 0
    if not scan.utf8_error:
        name = "utf-8" if scan.sequences or mark_bytes else _name_of_ascii(usual)
        return Encoding(name, mark_bytes, has_nul=has_nul)
    if mark_bytes or scan.sequences * _SEQUENCE_WEIGHT > scan.broken:
        return Encoding("utf-8", mark_bytes, broken_utf8=True, has_nul=has_nul)
    return Encoding(choose_code_page(bytes(scan.sample), usual), has_nul=has_nul)


def _name_of_ascii(usual: str | None) -> str:
    """Return the usual encoding if it reads ASCII's bytes as themselves, as nearly every one does."""
    return usual if usual and _ASCII.decode(usual, "replace") == _ASCII.decode() else "utf-8"


# Of every four bytes: `0` is mostly NUL, `.` seldom.
_WIDE_ENCODINGS = {".000": "utf-32-le", "000.": "utf-32-be", ".0.0": "utf-16-le", "0.0.": "utf-16-be"}


def _wide_encoding(head: bytes) -> str | None:
    """Detect UTF-16 and UTF-32 without a mark by the positions of the NULs in Latin text."""
    length = len(head) // 4
    if not length:
        return None
    zeros = (head[offset : length * 4 : 4].count(0) for offset in range(4))
    found = "".join("0" if count > 0.6 * length else "." if count < 0.1 * length else "?" for count in zeros)
    return _WIDE_ENCODINGS.get(found)


def transcode(path: Path, target: Path, encoding: Encoding) -> None:
    """Write the file as UTF-8 without mark or NUL; losses and guesses go to `encoding.findings`."""
    lines = _TextNotes()
    with target.open("wb", buffering=0) as out:
        for text in _decoded(path, encoding, lines):
            clean = text
            if "\x00" in text:
                lines.note("NUL_REMOVED", text, "\x00")
                clean = text.replace("\x00", "")
            out.write(clean.encode("utf-8", "replace"))
            lines.advance(text)
    encoding.findings += lines.findings()


class _TextNotes(LineNotes):
    """Counts the lines of the text written so far, to name where something was found."""

    def __init__(self) -> None:
        super().__init__()
        self._before = 0

    def note(self, what: WarningCode, text: str, sought: str) -> None:
        """Note every line of `text` that contains `sought`."""
        for number, line in enumerate(text.split("\n") if sought in text else ()):
            if sought in line:
                self.add_line(what, number)

    def add_line(self, what: WarningCode, number: int, example: str | None = None) -> None:
        """Note a line, counted from 0 in the text to be written; one that two chunks share, once."""
        line = self._before + number + 1
        if self.lines.get(what, [])[-1:] != [line]:
            self.add(what, line, example)

    def advance(self, text: str) -> None:
        """Count the lines of a text that was written."""
        self._before += text.count("\n")


def _decoded(path: Path, encoding: Encoding, lines: _TextNotes) -> Iterator[str]:
    if encoding.broken_utf8:
        yield from _decoded_broken(path, encoding, lines)
        return
    if encoding.name == "cp1252":
        yield from map(_decode_cp1252, _chunks(path))
        return
    decoder = codecs.getincrementaldecoder(encoding.name)("replace")
    for chunk in _chunks(path, encoding.mark_bytes):
        text = decoder.decode(chunk)
        if encoding.name != "utf-8":  # all its bytes are read: what stands for a loss is the file's own
            lines.note("BYTES_LOST", text, "\ufffd")
        yield text
    if decoder.decode(b"", final=True):  # the file ends in the middle of a character, which is left out
        lines.add_line("BYTES_LOST", 0)


def _decode_cp1252(chunk: bytes) -> str:
    """Decode cp1252; Latin-1 is three times as fast, and the same except for the bytes 80–9F.

    The five bytes that cp1252 leaves undefined become Latin-1's control characters, as in browsers.
    """
    if len(chunk.translate(None, _C1)) == len(chunk):
        return chunk.decode("latin-1")
    return chunk.decode("cp1252", _UNDEFINED)


def _decoded_broken(path: Path, encoding: Encoding, lines: _TextNotes) -> Iterator[str]:
    """Decode line-aligned chunks as UTF-8, the bytes that are none as cp1252."""
    pending = b""
    for chunk in _chunks(path, encoding.mark_bytes):
        data = pending + chunk
        cut = data.rfind(b"\n") + 1 or len(data)
        yield _decode_broken(data[:cut], lines)
        pending = data[cut:]
    yield _decode_broken(pending, lines)


def _decode_broken(data: bytes, lines: _TextNotes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        pass
    for number, line in enumerate(data.split(b"\n")):
        try:
            line.decode()
        except UnicodeDecodeError as error:
            lines.add_line("INVALID_UTF8", number, _word_at(line, error.start))
    return data.decode("utf-8", _BROKEN)


def _word_at(line: bytes, position: int) -> str:
    """Return the word around a byte that is not UTF-8, as decoded."""
    before = _WORD_END.search(line[:position][::-1])
    after = _WORD_END.search(line, position)
    start = 0 if before is None else position - before.start()
    word = line[start : len(line) if after is None else after.start()]
    return word.decode("utf-8", _BROKEN)[:_SHOWN_CHARACTERS]


def _by(decode: Callable[[bytes], str]) -> Callable[[UnicodeError], tuple[str, int]]:
    """Return the handler that decodes otherwise what an encoding does not define."""

    def handle(error: UnicodeError) -> tuple[str, int]:
        assert isinstance(error, UnicodeDecodeError)  # noqa: S101 - nothing is encoded with it
        return decode(error.object[error.start : error.end]), error.end

    return handle


codecs.register_error(_UNDEFINED, _by(lambda undefined: undefined.decode("latin-1")))
codecs.register_error(_BROKEN, _by(_decode_cp1252))


def _chunks(path: Path, skip: int = 0) -> Iterator[bytes]:
    with path.open("rb", buffering=0) as file:
        file.seek(skip)
        while chunk := file.read(CHUNK_BYTES):
            yield chunk
