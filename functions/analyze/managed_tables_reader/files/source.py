"""Open a text as UTF-8 lines: a sample to choose the dialect by, and the file with its lines changed."""

import codecs
import io
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from managed_tables.errors import FILE_EMPTY, FILE_NOT_TABULAR, JobError
from managed_tables_reader.files.encodings import (
    BYTE_ORDER_MARKS,
    CHUNK_BYTES,
    Encoding,
    NotTextError,
    detect_encoding,
    transcode,
)
from managed_tables_reader.rows.parts import check_columns
from managed_tables_reader.rows.reading import LineMask, Overrides

Change = Callable[[Iterable[str]], Iterable[str]]

_UTF8 = ("utf-8", "utf-8-sig", "ascii")
_SAMPLE_BYTES = 262_144
_SAMPLE_LINES = 20  # at least, however long: a single line shows no pattern
_LONG_SAMPLE_BYTES = 8_388_608  # beyond which fewer lines are enough
_TAIL_BYTES = 65_536
_MAX_PIECES = 1_000_000  # of a line, delimiters in quoted text included: some 60 MB


@dataclass
class Source:
    """A file's lines as UTF-8 from `start` on, and a sample."""

    encoding: Encoding
    path: Path
    mask: LineMask  # which lines were left out, and how those begin that are stated to be no rows
    start: int = 0
    whole: "Source | None" = None  # with the lines that were blanked, if any were

    def __post_init__(self) -> None:
        self.sample = self._sample()

    @property
    def size(self) -> int:
        """The size of the file in bytes."""
        return self.path.stat().st_size

    @property
    def is_whole(self) -> bool:
        """Whether the sample is the whole file."""
        return self.start + byte_count(self.sample) >= self.size

    def change(self, change: Change, target: Path) -> "Source":
        """Return the source with its lines changed, written to `target`."""
        with (
            open_lines(self.path, self.start, self.size) as lines,
            target.open("w", encoding="utf-8", newline="") as out,
        ):
            out.writelines(change(lines))
        return replace(self, path=target, start=0)

    def tail(self) -> tuple[int, list[str]]:
        """Return the last lines, and where they begin in the file."""
        begin = max(self.start, self.size - _TAIL_BYTES)
        with self.path.open("rb") as file:
            file.seek(begin)
            tail = file.read()
        cut = tail.find(b"\n") + 1
        return begin + cut, io.StringIO(tail[cut:].decode("utf-8", "replace"), newline="").readlines()

    def _sample(self) -> list[str]:
        with open_lines(self.path, self.start, self.size) as file:
            lines = file.readlines(_SAMPLE_BYTES)
            size = sum(map(len, lines))
            while len(lines) < _SAMPLE_LINES and size < _LONG_SAMPLE_BYTES and (line := file.readline()):
                lines.append(line)
                size += len(line)
            return lines


def open_source(path: Path, name: str, work_dir: Path, overrides: Overrides) -> Source:
    """Return the lines for the dialect to cut, transcoded and masked if needed; JobError if not a text."""
    if path.stat().st_size == 0:
        raise JobError(FILE_EMPTY, file=name)
    try:
        encoding = _read_encoding(path, overrides.table.encoding, overrides.known.encoding)
    except NotTextError as error:
        raise JobError(FILE_NOT_TABULAR, file=name, reason="o conteúdo é binário") from error
    mask = LineMask(overrides)
    if encoding.is_utf8:
        source = Source(encoding, path, mask, encoding.mark_bytes)
    else:
        utf8 = work_dir / f"{path.name}.utf8"
        transcode(path, utf8, encoding)
        source = Source(encoding, utf8, mask)
    if mask.hides:
        whole, source = source, source.change(mask.lines, work_dir / f"{source.path.name}.masked")
        source.whole = whole
    return source


def _read_encoding(path: Path, name: str | None, usual: str | None) -> Encoding:
    """Return the stated encoding, else the detected one; raises NotTextError as the detection does.

    Bytes that are not UTF-8 are read as cp1252, even if UTF-8 is stated.
    """
    if name is None:
        return detect_encoding(path, usual)
    canonical = codecs.lookup(name).name
    if canonical in _UTF8:
        found = detect_encoding(path)
        return found if found.name == "utf-8" else Encoding("utf-8", broken_utf8=True)
    if canonical in ("utf-16", "utf-32"):  # Python's own refuse a text without a mark
        found = detect_encoding(path)
        return found if found.name.startswith(canonical) else Encoding(f"{canonical}-le")
    with path.open("rb") as file:
        head = file.read(4)
    marks = [len(mark) for mark, known in BYTE_ORDER_MARKS if known == canonical and head.startswith(mark)]
    return Encoding(canonical, max(marks, default=0))


def check_pieces(line: str, delimiter: str, name: str, number: int) -> None:
    """Refuse a line that would be cut into more pieces than memory allows."""
    if delimiter and len(line) > _MAX_PIECES:
        check_columns(line.count(delimiter) + 1, name, number, _MAX_PIECES)


def byte_count(lines: Iterable[str]) -> int:
    """Return how many bytes lines take as UTF-8."""
    return sum(len(line.encode()) for line in lines)


@contextmanager
def open_lines(path: Path, start: int, end: int) -> Iterator[io.TextIOWrapper]:
    """Open the bytes from `start` to `end` as UTF-8 text whose lines keep their ends (CR, LF or both)."""
    with _Limited(path, end) as raw:
        raw.seek(start)
        yield io.TextIOWrapper(io.BufferedReader(raw, CHUNK_BYTES), "utf-8", errors="replace", newline="")


class _Limited(io.FileIO):
    """A file that ends at byte `end`."""

    def __init__(self, path: Path, end: int) -> None:
        super().__init__(path)
        self._end = end

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        return super().readinto(memoryview(buffer)[: max(self._end - self.tell(), 0)]) or 0
