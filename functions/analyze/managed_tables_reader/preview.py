"""Index the lines of files, so that the API can show any of them quickly, and copy them where needed.

A text whose lines are records in RFC 4180's form needs only the index: the API reads the upload. Lines that
are cut in another way are copied in the form of the normalised copy: one line per record, its number first.
So are the cells of a sheet. All copies are in one file, with the members of archives.
"""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from managed_tables.conversion.marked_cells import ESCAPE, TEXT_SIGN, on_one_line, unmark_text
from managed_tables.documents.analyses import BLOCK_BYTES, MAX_COLUMNS_SHOWN, PreviewTable
from managed_tables_reader.files.encodings import CHUNK_BYTES, Encoding
from managed_tables_reader.files.source import Source, open_lines
from managed_tables_reader.rows.parts import DEFAULT_DELIMITER, QUOTE, Part
from managed_tables_reader.rows.sheets import Batch
from managed_tables_reader.text.records import Lines, RecordReader
from managed_tables_reader.text.text_file import TextFile

_COPIED = {  # how lines of a copy are cut
    "upload": None, "encoding": "utf-8", "delimiter": DEFAULT_DELIMITER, "quote": QUOTE, "is_numbered": True,
}  # fmt: skip


@dataclass
class Preview:
    """The tables of a job for the API to show; `rows` holds the copies, if there are any."""

    rows: Path
    tables: list[PreviewTable] = field(default_factory=list)
    absent: list[int] = field(default_factory=list)  # lines of each that are not even there: a sheet's blanks

    @property
    def last_lines(self) -> list[int]:
        """The last line of each table."""
        return [one.last_line for one in self.tables]

    def add_text(self, text: TextFile, part: Part, path: Path, upload: int | None) -> None:
        """Index a text file; `upload` is None if its bytes at `path` are not those of an upload."""
        encoding, dialect = text.source.encoding, text.dialect
        # Changed lines show what was stated to be none of the table's as blank.
        source = text.source if text.is_changed else text.source.whole or text.source
        if text.is_changed or encoding.is_recoded:
            path, upload, encoding = source.path, None, Encoding("utf-8")
        is_cut_otherwise = part.has_breaks or len(dialect.delimiter) > 1 or dialect.escape
        index = None if is_cut_otherwise else index_lines(path, encoding.mark_bytes)
        if index is None:
            with self.rows.open("ab") as out:
                self.add(write_numbered(source, text, part, out), part, delimiter=part.delimiter)
            return
        if upload is None:
            with self.rows.open("ab") as out, path.open("rb") as file:
                start = out.tell()
                index.blocks = [(line, start + place) for line, place in index.blocks]
                index.end += start
                shutil.copyfileobj(file, out, CHUNK_BYTES)
        cut = {"encoding": encoding.name, "delimiter": dialect.delimiter, "quote": dialect.quote}
        self.add(index, part, upload=upload, is_numbered=False, **cut)

    def copy(self, batches: Iterable[Batch], index: "LineIndex") -> Iterator[Batch]:
        """Yield the rows of a sheet on their way to the table, each batch copied and indexed first."""
        with self.rows.open("ab", buffering=CHUNK_BYTES) as out:
            index.end = out.tell()
            for batch in filter(None, batches):
                shown = batch.first_columns(min(len(batch.columns), MAX_COLUMNS_SHOWN))
                lines = shown.lines
                if "\r" in lines or TEXT_SIGN in lines or ESCAPE in lines or lines.count("\n") != len(batch):
                    lines = _without_breaks(shown)
                index.blocks.append((batch.numbers[0], index.end))
                index.end += out.write(lines.encode("utf-8", "replace"))
                index.columns = max(index.columns, len(batch.columns))
                index.last_line = max(index.last_line, *batch.numbers)
                index.present = (index.present or 0) + len(batch)
                yield batch

    def add(self, index: "LineIndex", part: Part | None, **cut: Any) -> None:
        """Add a table whose lines are indexed; unless said otherwise they were copied, as a sheet's are."""
        place = {
            "header_end": part.header_end if part else None,
            "columns": index.columns or (part.width if part else 0),
            "last_line": index.last_line,
            "blocks": index.blocks,
            "end": index.end,
        }
        self.tables.append(PreviewTable.read(_COPIED | cut | place))
        self.absent.append(0 if index.present is None else index.last_line - index.present)


@dataclass
class LineIndex:
    """Where some lines begin: `(line, byte)` pairs, the number of lines, and where the last one ends."""

    blocks: list[tuple[int, int]] = field(default_factory=list)
    last_line: int = 0
    end: int = 0
    columns: int = 0  # of a sheet
    present: int | None = None  # of a sheet: how many of the lines are there


def index_lines(path: Path, start: int) -> LineIndex | None:
    """Index a file's lines; None if any ends in a lone CR."""
    index = LineIndex(end=start)
    with path.open("rb", buffering=0) as file:
        head = file.read(CHUNK_BYTES)
        is_cut = len(head) == CHUNK_BYTES and head.endswith(b"\r")
        if head.count(b"\r") - is_cut != head.count(b"\r\n"):
            return None
        file.seek(start)
        line, is_open = 1, False
        while chunk := file.read(BLOCK_BYTES):
            first = 0
            if is_open:  # the chunk begins in the middle of a line
                first = chunk.find(b"\n") + 1
                line += first > 0
            if first or not is_open:
                index.blocks.append((line, index.end + first))
                line += chunk.count(b"\n", first)
            is_open = not chunk.endswith(b"\n")
            index.end += len(chunk)
    index.last_line = line - 1 + is_open
    return index


def write_numbered(source: Source, text: TextFile, part: Part, out: BinaryIO) -> LineIndex:
    """Append all lines of a text in the form of its normalised copy: the copy's rows, and the lines left out.

    Between rows these are as many as a reading names.
    """
    index, delimiter = LineIndex(end=out.tell()), part.delimiter.encode()
    with part.path.open("rb") as copy:
        for lines in _merged(copy, _lines_left_out(source, text, part, index), delimiter):
            if not index.blocks or index.end >= index.blocks[-1][1] + BLOCK_BYTES:
                index.blocks.append((_number(lines, delimiter), index.end))
            index.end += out.write(lines)
    return index


def _merged(copy: BinaryIO, others: Iterator[bytes], delimiter: bytes) -> Iterator[bytes]:
    """Yield numbered lines in their order: those of a copy by the block, and the others."""
    other = next(others, b"")
    while rows := copy.read(BLOCK_BYTES) + copy.readline():
        last = _number(rows[rows.rfind(b"\n", 0, -1) + 1 :], delimiter)
        lines: list[bytes] = []
        while other and _number(other, delimiter) <= last:
            if _number(other, delimiter) < last:  # else it is the last row, left out because it sums up
                lines.append(other)
            other = next(others, b"")
        lines += rows.splitlines(keepends=True) if lines else [rows]
        lines.sort(key=lambda line: _number(line, delimiter))
        yield b"".join(lines)
    if other:
        yield other
        yield from others


def _number(lines: bytes, delimiter: bytes) -> int:
    """Return the number of the first of the lines of a copy."""
    return int(lines[: lines.index(delimiter)])


def _lines_left_out(source: Source, text: TextFile, part: Part, index: LineIndex) -> Iterator[bytes]:
    """Yield the lines that are not among a part's rows, in the form of its copy; count all lines."""
    extent, delimiter = part.extent, part.delimiter
    rows = range(extent.first_line or text.header.data_line, (extent.last_line or 0) + 1)
    skipped = frozenset(extent.skipped)
    with open_lines(source.path, source.start, source.size) as file:
        lines = Lines(file)
        reader = RecordReader(lines, text.dialect)
        while (line := lines.take()) is not None:
            number = lines.number
            if number not in rows or number in skipped:
                cells = (cell.replace(QUOTE, QUOTE * 2) for cell in reader.record(line).cells)
                quoted = (f"{QUOTE}{on_one_line(cell)}{QUOTE}" for cell in cells)
                yield f"{number}{delimiter}{delimiter.join(quoted)}\n".encode("utf-8", "replace")
        index.last_line = lines.number


def _without_breaks(batch: Batch) -> str:
    """Return one line a row: breaks in cells are marked, signs of texts, which nobody typed, left out."""
    columns = [[cell and _on_one_line(cell) for cell in column] for column in batch.columns]
    return Batch(batch.numbers, columns).lines


def _on_one_line(cell: str) -> str:
    return on_one_line(unmark_text(cell).replace("\r\n", "\n").replace("\r", "\n"))
