"""Find text that was written in UTF-8 and read as Windows-1252 before it was sent: `JoÃ£o`."""

import mmap
import re
from dataclasses import replace
from pathlib import Path

from managed_tables.messages.findings import MAX_LINES, Finding, WarningCode, about_lines

# What UTF-8 makes of the letters that Windows-1252 makes of UTF-8's bytes: `Ã£`, `Ã‰`, `Â°`. A capital Ã is a
# letter of Portuguese, so that only what follows it tells.
_FIRST = (b"\xc3\x83", b"\xc3\x82")
_STARTS = (b"\xc3\x83\xc2", b"\xc3\x83\xe2\x80", b"\xc3\x83\xe2\x82", b"\xc3\x83\xc6\x92", b"\xc3\x82\xc2")
_PAIR = (
    rb"\xc3\x83(?:\xc2[\x80-\xbf]|\xe2\x80[\x93-\xba](?=[A-Za-z\xc3])|\xe2\x82\xac|\xc6\x92)"
    rb"|\xc3\x82\xc2[\xa0-\xbf]"
)
_WORD = re.compile(rb'[^\s;,|"]*(?:' + _PAIR + rb')[^\s;,|"]*')
_LINE_END = b"\n"
_CHUNK_BYTES = 1 << 20
_OVERLAP_BYTES = 8  # longer than what is sought


def find_mojibake(path: Path) -> Finding | None:
    """Return the finding about the lines of a UTF-8 file that hold such text, None where there is none."""
    # A search for bytes costs a hundredth of one for a pattern, and nearly all files have none.
    if not _has_bytes(path, *_FIRST) or not _has_bytes(path, *_STARTS):
        return None
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return _find_lines(content)


def _has_bytes(path: Path, *sought: bytes) -> bool:
    """Return whether any of some short sequences of bytes stands in a file."""
    with path.open("rb", buffering=0) as file:
        last = b""
        while chunk := file.read(_CHUNK_BYTES):
            if any(one in chunk or one in last + chunk[:_OVERLAP_BYTES] for one in sought):
                return True
            last = chunk[-_OVERLAP_BYTES:]
    return False


def _find_lines(content: mmap.mmap) -> Finding | None:
    lines: list[int] = []
    count, example, number, counted_to, line_end = 0, b"", 1, 0, -1
    for found in _WORD.finditer(content):
        if found.start() < line_end:  # of a line that was counted
            continue
        number += content[counted_to : found.start()].count(_LINE_END)
        counted_to = found.start()
        end = content.find(_LINE_END, found.end())
        line_end = end if end >= 0 else len(content)
        count += 1
        example = example or found.group()
        if len(lines) < MAX_LINES:
            lines.append(number)
    if not count:
        return None
    about = about_lines(WarningCode.MOJIBAKE, lines, count)
    return replace(about, values={"example": example.decode(errors="replace")})
