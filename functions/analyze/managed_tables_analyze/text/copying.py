"""The way from an opened text file to a part: two engines, one result.

A regular file (one line a record, no oddities) goes to DuckDB as it stands; DuckDB refuses what is not as
dictated, and its count of records is compared with the count of lines. Everything else is read exactly,
line by line, into a normalised copy that carries line numbers.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from managed_tables.errors import TOO_MANY_COLUMNS, JobError
from managed_tables.identifiers import MAX_COLUMNS
from managed_tables.messages.findings import WarningCode
from managed_tables_analyze.files.encodings import CHUNK_BYTES
from managed_tables_analyze.layout.drawn import STROKES, is_rule
from managed_tables_analyze.layout.looks import TEXT
from managed_tables_analyze.layout.words import COMMENT, COMMENT_STARTS
from managed_tables_analyze.repair.mending import Mender
from managed_tables_analyze.staging.extent import Extent
from managed_tables_analyze.staging.notes import RowNotes, rows_left_out
from managed_tables_analyze.staging.parts import Part
from managed_tables_analyze.staging.writer import PartWriter
from managed_tables_analyze.text.dialect import NO_QUOTE, QUOTE, Dialect
from managed_tables_analyze.text.records import Lines, Record, RecordReader
from managed_tables_analyze.text.slices import open_lines
from managed_tables_analyze.text.text_file import TextFile, check_pieces

_MAX_PATTERN_WIDTH = 60  # cells of a row that one regular expression checks
_UNUSED = b"\x1f"  # what is told to DuckDB to cut a single column, which does not hold it
_ODD_STARTS = (*STROKES, "\ufeff", "\x1a", "\r", "\n", " ")


def as_it_stands(text: TextFile) -> Part | None:
    """Return the part that DuckDB can read without a copy, or None where the file is not that regular."""
    dialect, header = text.dialect, text.header
    if len(dialect.delimiter.encode()) > 1 or dialect.escape or dialect.delimiter == " " or text.has_stray:
        return None
    if text.end_bytes != text.path.stat().st_size or text.start_bytes or text.width < len(header.labels):
        return None
    if any(column or not start for column, start in header.page_head.starts):
        return None  # where a line above the header comes again, its first cell would not tell
    lines = _count_uniform_lines(text.path, _UNUSED if not dialect.delimiter else b"")
    if lines is None or lines < header.data_line:
        return None
    part = _part(text, text.path, has_line=False)
    part.delimiter = part.delimiter or _UNUSED.decode()
    part.expected_rows = lines - (header.data_line - 1)
    if part.expected_rows:
        part.extent.take(header.data_line, lines)
    return part


def _count_uniform_lines(path: Path, refused: bytes = b"") -> int | None:
    """Count the lines; None where they do not all end alike, in LF or in CR LF, or hold what is refused.

    Blank lines need no look: DuckDB leaves them out, and its count then differs from this one.
    """
    feeds, returns, pairs = 0, 0, 0
    with path.open("rb", buffering=0) as file:
        last = b"\n"
        while chunk := file.read(CHUNK_BYTES):
            if refused and refused in chunk:
                return None
            feeds += chunk.count(b"\n")
            found = chunk.count(b"\r")
            if found or last == b"\r":
                returns += found
                pairs += chunk.count(b"\r\n") + (last == b"\r" and chunk.startswith(b"\n"))
            elif returns:
                return None
            last = chunk[-1:]
    if returns not in (0, feeds) or pairs != returns:
        return None
    return feeds + (last != b"\n")


def normalise(text: TextFile, work_dir: Path) -> Part:
    """Read every record exactly and write the normalised copy; what was odd is in the part's findings."""
    target = work_dir / f"{text.path.name}.rows"
    part = _part(text, target, has_line=True)
    notes = RowNotes(text.width, part.extent)
    with (
        open_lines(text.path, text.start_bytes, text.end_bytes) as file,
        PartWriter(target, text.width, text.dialect.delimiter) as writer,
    ):
        lines = Lines(file)
        _copy_rows(text, lines, writer, notes)
        part.extent.skip(range(lines.number + 1, lines.number + 1 + text.footer_lines))
        if text.footer:
            footer = [(lines.number + number, cells) for number, cells in text.footer]
            part.findings.append(rows_left_out(WarningCode.FOOTER, footer))
        part.width = max(part.width, writer.width)
        part.has_breaks = writer.has_breaks
        part.is_ragged = part.width > text.width
        part.max_record_bytes = writer.longest * 4
        part.expected_rows = writer.rows
        part.delimiter, part.quote, part.escape = writer.delimiter, QUOTE, QUOTE
    part.findings += notes.findings()
    return part


def _copy_rows(text: TextFile, lines: Lines, writer: PartWriter, notes: RowNotes) -> None:
    """Copy the records from the first of data on: line by line where nothing is odd, else read exactly."""
    delimiter, extent = text.dialect.delimiter, notes.extent
    is_plain = _plain_line_pattern(text, writer)
    reader = RecordReader(lines, text.dialect, Mender(text.dialect, text.width, text.columns))
    odd_starts = (*_ODD_STARTS, delimiter, *_header_starts(text)) if delimiter else _ODD_STARTS
    if text.has_comments:
        odd_starts = (*odd_starts, COMMENT)
    while lines.number < text.header.data_line - 1 and lines.take() is not None:
        pass
    while (line := lines.take()) is not None:
        if is_plain is not None and not line.startswith(odd_starts) and is_plain(line):
            writer.write_line(lines.number, line.rstrip("\r\n"))
            extent.take(lines.number, lines.number)
            continue
        if text.has_comments and _is_comment_line(line, text):
            notes.comment(lines.number)
            continue
        check_pieces(line, text.dialect, text.name, lines.number)
        lines.give_back((line,))
        record = reader.read()
        if record is not None:
            _write_record(text, record, writer, notes)


def _is_comment_line(line: str, text: TextFile) -> bool:
    """Return whether a line is a comment for sure: a name with a `#` (`#vendas;20`) is a cell."""
    if not line.startswith(COMMENT) or text.dialect.quote in line:
        return False
    marks = line.count(text.dialect.delimiter)
    is_odd = marks < text.width - 1 or text.header.kinds[:1] not in ((), (TEXT,))
    return marks == 0 or (line.startswith(COMMENT_STARTS) and is_odd)


def _write_record(text: TextFile, record: Record, writer: PartWriter, notes: RowNotes) -> None:
    cells: list[str] = record.cells
    while len(cells) > text.width and not cells[-1].strip():
        cells.pop()
    if not any(cell.strip(" \x1a\ufeff") for cell in cells):
        notes.blank(record.line)
        return
    if text.width > 1 and len(cells) in (1, text.width) and all(map(str.strip, cells)) and is_rule(cells):
        notes.rule(record.line)
        return
    if cells[0].startswith("\ufeff"):
        cells[0] = cells[0].lstrip("\ufeff").strip(text.dialect.quote)
    if _is_header_again(cells, text.header.labels) or (text.width > 1 and text.header.page_head.has(cells)):
        notes.repeated_header(record.line)
        return
    if len(cells) > max(MAX_COLUMNS, text.width):
        raise JobError(
            TOO_MANY_COLUMNS, file=text.name, count=len(cells), line=record.line, limit=MAX_COLUMNS
        )
    notes.see(record)
    notes.extent.take(record.line, record.last_line)
    writer.write_row(record.line, cells)


def _plain_line_pattern(text: TextFile, writer: PartWriter):  # type: ignore[no-untyped-def]
    """Return a test that a line can be copied as it stands, or None where none can."""
    delimiter, quote = text.dialect.delimiter, text.dialect.quote
    if delimiter != writer.delimiter or text.dialect.escape:
        return None
    marks = text.width - 1
    if quote != QUOTE or text.width > _MAX_PATTERN_WIDTH:
        return lambda line: line.count(delimiter) == marks and quote not in line and QUOTE not in line
    edge = re.escape(delimiter)
    cell = rf'(?:"[^"\r\n]*(?:""[^"\r\n]*)*"|[^"{edge}\r\n]*)'
    quoted = re.compile(rf"{cell}(?:{edge}{cell}){{{marks}}}[\r\n]*").fullmatch
    return lambda line: quoted(line) is not None if QUOTE in line else line.count(delimiter) == marks


def _header_starts(text: TextFile) -> tuple[str, ...]:
    """Return how a line begins where the header or a line above it comes again, quoted or not."""
    quote, delimiter = text.dialect.quote, text.dialect.delimiter
    starts = [start for column, start in text.header.page_head.starts if not column and start]
    found = [*starts, *(quote + start for start in starts)]
    if text.header.labels and text.header.labels[0]:
        label = text.header.labels[0]
        found += [f"{label}{delimiter}", f"{quote}{label}{quote}{delimiter}"]
    return tuple(found)


def _is_header_again(cells: Sequence[str], labels: Sequence[str]) -> bool:
    """Return whether a row is the header once more, also where it has other columns at its end."""
    count = min(len(cells), len(labels))
    return count > 1 and count * 2 > len(labels) and list(cells[:count]) == list(labels[:count])


def _sql_quote(dialect: Dialect) -> str:
    return "" if dialect.quote == NO_QUOTE else dialect.quote


def _part(text: TextFile, path: Path, *, has_line: bool) -> Part:
    header = text.header
    return Part(
        path=path,
        labels=header.labels,
        width=max(text.width, header.width),
        delimiter=text.dialect.delimiter,
        quote=_sql_quote(text.dialect),
        escape=_sql_quote(text.dialect),
        has_line=has_line,
        data_line=header.data_line,
        header_line=header.first_line,
        header_lines=header.line_count,
        header_end=header.last_line or header.first_line,
        extent=Extent(skipped=[*header.lines_above(), *text.below]),
        trim=text.trim,
        keeps_last=text.keeps_last,
        has_formulas=text.has_formulas,
        findings=list(text.findings),
        head_starts=[
            *(start for _, start in header.page_head.starts),
            *(COMMENT_STARTS if text.has_comments else ()),
        ],
    )
