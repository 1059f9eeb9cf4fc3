"""A part of a text file's bytes, read as lines."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from managed_tables_analyze.files.encodings import CHUNK_BYTES


@contextmanager
def open_lines(path: Path, start: int, end: int) -> Iterator[io.TextIOWrapper]:
    """Open the bytes from `start` to `end` as UTF-8 text whose lines keep their ends (CR, LF or both)."""
    with path.open("rb", buffering=0) as raw:
        raw.seek(start)
        limited = io.BufferedReader(_Limited(raw, end - start), CHUNK_BYTES)
        yield io.TextIOWrapper(limited, encoding="utf-8", errors="replace", newline="")


class _Limited(io.RawIOBase):
    """The next `size` bytes of a file."""

    def __init__(self, raw: io.FileIO, size: int) -> None:
        self._raw = raw
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        view = memoryview(buffer)[: max(self._left, 0)]
        count = self._raw.readinto(view) or 0
        self._left -= count
        return count
