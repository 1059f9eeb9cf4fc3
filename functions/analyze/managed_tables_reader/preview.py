"""Index the lines of files, so that the API can show any of them quickly, and copy them where needed.

A text file that is read as it was uploaded needs only the index. Members of archives, texts in UTF-16 or
UTF-32 and lines that were changed before they were cut are copied; of a sheet the cells are written, one line
per row with its number first, in the form of RFC 4180. All copies are in one file.
"""

import io
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

from managed_tables.conversion.one_line import ESCAPE, on_one_line
from managed_tables.conversion.workbook_cells import TEXT_SIGN, unmark_text
from managed_tables.documents.previews import (
    BLOCK_BYTES,
    MAX_COLUMNS_SHOWN,
    PreviewTable,
)
from managed_tables_reader.files.encodings import CHUNK_BYTES, WIDE_ENCODINGS, Encoding, transcode
from managed_tables_reader.layout.search import Header
from managed_tables_reader.rows.parts import Part
from managed_tables_reader.rows.sheets import Batch


@dataclass
class Preview:
    """The tables of a job for the API to show; `rows` holds the copies, if there are any."""

    rows: Path
    tables: list[PreviewTable] = field(default_factory=list)

    @property
    def has_copies(self) -> bool:
        """Whether there is a file of copies."""
        return self.rows.exists()

    @property
    def line_counts(self) -> list[int]:
        """The last line of each table's file or sheet."""
        return [table.last_line for table in self.tables]

    def add_text(self, source: "TextSource", part: Part, header: Header) -> None:
        """Index a text file, copied first if its bytes cannot be shown as they were uploaded."""
        path, encoding, upload = source.path, source.encoding.name, source.upload
        start = source.encoding.mark_bytes
        offset = 0
        lines = None if source.must_be_copied else index_lines(path, start, _record_lines(part))
        if lines is None:
            path, start, encoding, upload = self._as_utf8(source), 0, "utf-8", None
            lines = index_lines(path, 0, _record_lines(part)) or LineIndex()
        if upload is None:
            offset = self._append(path)
        if path != source.path:
            path.unlink()
        self.tables.append(
            PreviewTable(
                upload=upload,
                encoding=encoding,
                delimiter=source.delimiter,
                quote=source.quote,
                header_end=header.last_line,
                columns=part.width,
                last_line=lines.last_line,
                blocks=[(line, offset + place) for line, place in lines.blocks],
                end=offset + lines.end,
                has_breaks=part.has_breaks,
            )
        )

    def _as_utf8(self, source: "TextSource") -> Path:
        """Write a text with a single kind of line end, and return its path."""
        decoded, target = self.rows.with_name("preview.decoded"), self.rows.with_name("preview.utf8")
        if not source.is_changed:
            transcode(source.path, decoded, replace(source.encoding, findings=[]))
        path = source.changed_path if source.is_changed else decoded
        with (
            path.open(encoding="utf-8", errors="replace") as text,
            target.open("w", encoding="utf-8", newline="\n") as out,
        ):
            shutil.copyfileobj(text, out, CHUNK_BYTES)
        decoded.unlink(missing_ok=True)
        return target

    def _append(self, path: Path) -> int:
        """Add a file to the copies and return where it begins."""
        with self.rows.open("ab") as out, path.open("rb") as file:
            offset = out.tell()
            shutil.copyfileobj(file, out, CHUNK_BYTES)
        return offset

    def add_sheet(self, grid: "SheetCells", part: Part | None) -> None:
        """Index the rows of a sheet, which `grid` wrote as they passed."""
        offset = self._append(grid.path) if grid.last_line else 0
        grid.path.unlink(missing_ok=True)
        header_end = None if part is None else part.header_end
        self.tables.append(
            PreviewTable(
                upload=None,
                encoding="utf-8",
                delimiter=",",
                quote='"',
                is_numbered=True,
                header_end=header_end,
                columns=grid.columns,
                last_line=grid.last_line,
                blocks=[(line, offset + place) for line, place in grid.blocks],
                end=offset + grid.size,
            )
        )


@dataclass(frozen=True)
class TextSource:
    """A text file, its dialect, and which upload it is, None for a member of an archive."""

    path: Path
    encoding: Encoding
    delimiter: str
    quote: str
    upload: int | None
    is_changed: bool
    changed_path: Path

    @property
    def must_be_copied(self) -> bool:
        """Whether the uploaded bytes do not show the lines as they were cut."""
        return self.is_changed or self.encoding.name in WIDE_ENCODINGS or self.encoding.has_nul


@dataclass
class LineIndex:
    """Where some lines begin: `(line, byte)` pairs, the number of lines, and the number of bytes."""

    blocks: list[tuple[int, int]] = field(default_factory=list)
    last_line: int = 0
    end: int = 0


def index_lines(path: Path, start: int, records: Sequence[int] | None = None) -> LineIndex | None:
    """Index a file's lines; None if any ends in a lone CR.

    `records` are lines on which records begin, if a record may have several: blocks begin there only.
    """
    with path.open("rb", buffering=0) as file:
        head = file.read(CHUNK_BYTES)
        is_cut = len(head) == CHUNK_BYTES and head.endswith(b"\r")
        if head.count(b"\r") - is_cut != head.count(b"\r\n"):
            return None
        file.seek(start)
        found = _blocks_of_lines(file) if records is None else _blocks_at(io.BufferedReader(file), records)
    blocks = [(line, start + place) for line, place in found.blocks]
    return LineIndex(blocks, found.last_line, start + found.end)


def _blocks_of_lines(file: io.FileIO) -> LineIndex:
    index = LineIndex()
    line, place, is_open = 1, 0, False
    while chunk := file.read(BLOCK_BYTES):
        first = 0
        if is_open:  # the chunk begins in the middle of a line
            first = chunk.find(b"\n") + 1
            line += first > 0
        if first or not is_open:
            index.blocks.append((line, place + first))
            line += chunk.count(b"\n", first)
        is_open = not chunk.endswith(b"\n")
        place += len(chunk)
    index.last_line, index.end = line - 1 + is_open, place
    return index


def _blocks_at(file: io.BufferedReader, records: Sequence[int]) -> LineIndex:
    index = LineIndex([(1, 0)])
    wanted = iter(records)
    following = next(wanted, None)
    place = number = 0
    for number, line in enumerate(file, start=1):
        while following is not None and following <= number:
            if following == number:
                index.blocks.append((number, place))
            following = next(wanted, None)
        place += len(line)
    index.last_line, index.end = number, place
    return index


def _record_lines(part: Part) -> list[int] | None:
    """Return lines on which records begin, one per block of the normalised copy; None if all do."""
    if not part.has_breaks:
        return None
    lines = []
    with part.path.open("rb") as file:
        for place in range(0, part.path.stat().st_size, BLOCK_BYTES):
            file.seek(place)
            if place:
                file.readline()
            number = file.readline().partition(part.delimiter.encode())[0]
            if number:
                lines.append(int(number))
    return [line for before, line in pairwise([0, *lines]) if line > before]


class SheetCells:
    """Writes the cells of a sheet while its rows pass on their way to the table."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.blocks: list[tuple[int, int]] = []
        self.columns = self.last_line = self.size = 0

    def tee(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Yield the batches, each written first."""
        with self.path.open("wb", buffering=CHUNK_BYTES) as out:
            for batch in batches:
                self._write(batch, out)
                yield batch

    def _write(self, batch: Batch, out: BinaryIO) -> None:
        if not batch:
            return
        shown = batch.first_columns(min(len(batch.columns), MAX_COLUMNS_SHOWN))
        lines = shown.lines
        if "\r" in lines or TEXT_SIGN in lines or ESCAPE in lines or lines.count("\n") != len(batch):
            lines = _without_breaks(shown)
        content = lines.encode("utf-8", "replace")
        self.blocks.append((batch.numbers[0], self.size))
        self.size += len(content)
        self.columns = max(self.columns, len(batch.columns))
        self.last_line = max(self.last_line, batch.numbers[-1])
        out.write(content)


def _without_breaks(batch: Batch) -> str:
    """Return the rows with marks for the line breaks in cells, so that each row is one line.

    The sign of texts that look like numbers, which nobody typed, is left out.
    """
    columns = [[cell and _on_one_line(cell) for cell in column] for column in batch.columns]
    return Batch(batch.numbers, columns).lines


def _on_one_line(cell: str) -> str:
    return on_one_line(unmark_text(cell).replace("\r\n", "\n").replace("\r", "\n"))
