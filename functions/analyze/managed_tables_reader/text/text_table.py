"""Turn an opened text file into a part: two engines, one result.

A regular file (one line per record, no oddities) goes to DuckDB as it stands; DuckDB refuses whatever differs
from the stated dialect, and its count of records is compared with the count of lines. Everything else is read
exactly, line by line, into a normalised copy that carries line numbers.
"""

import re
from collections.abc import Callable
from pathlib import Path

from managed_tables.identifiers import MAX_COLUMNS
from managed_tables.messages.findings import WarningCode
from managed_tables_reader.files.encodings import CHUNK_BYTES
from managed_tables_reader.files.source import check_pieces, open_lines
from managed_tables_reader.layout.grid import COMMENT, COMMENT_STARTS
from managed_tables_reader.layout.sections import leave_out_section_ends
from managed_tables_reader.rows.notes import (
    STROKES,
    Extent,
    RowNotes,
    about_known,
    is_separator,
    rows_left_out,
)
from managed_tables_reader.rows.parts import QUOTE, Part, PartWriter, check_columns
from managed_tables_reader.text.dialect import NO_QUOTE
from managed_tables_reader.text.records import Lines, Record, RecordReader
from managed_tables_reader.text.text_file import TextFile

_MAX_PATTERN_WIDTH = 60  # cells of a row that one regular expression checks
_UNUSED = b"\x1f"  # the delimiter stated for a single column, which does not contain it
_MARK = "\ufeff"  # of the byte order, where a file begins
_ODD_STARTS = (*STROKES, _MARK, "\x1a", "\r", "\n", " ")


def as_it_stands(text: TextFile) -> Part | None:
    """Return the part that DuckDB can read without a copy, or None if the file is not that regular."""
    path, header, dialect = text.source.path, text.header, text.dialect
    oddities = (  # of the sample: what DuckDB would not read alike
        len(dialect.delimiter.encode()) > 1,
        dialect.delimiter == " ",
        dialect.escape,
        text.source.start,
        text.end_bytes != text.source.size,
        text.has_stray,
        text.width < len(header.labels),
        # A line above the header that may repeat, but not be recognised by its first cell.
        any(column or not start for column, start in header.page_head.starts),
    )
    lines = None if any(oddities) else _count_uniform_lines(path, b"" if dialect.delimiter else _UNUSED)
    if lines is None or lines < header.data_line:
        return None
    part = _part(text, path, has_line=False)
    part.delimiter = part.delimiter or _UNUSED.decode()
    part.expected_rows = lines - (header.data_line - 1)
    if part.expected_rows:
        part.extent.take(header.data_line, lines)
    with open_lines(path, text.source.start, text.source.size) as file:
        _count_above(text, Lines(file), part.extent)
    return part


def _count_uniform_lines(path: Path, refused: bytes) -> int | None:
    """Count the lines; None unless all end in LF or all in CR LF, and none contains `refused`.

    Blank lines need no check: DuckDB leaves them out, and its count then differs from this one.
    """
    feeds = returns = pairs = 0
    last = b"\n"
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(CHUNK_BYTES):
            if chunk.endswith(b"\r"):
                chunk += file.read(1)
            if refused and refused in chunk:
                return None
            feeds += chunk.count(b"\n")
            if b"\r" in chunk:
                returns += chunk.count(b"\r")
                pairs += chunk.count(b"\r\n")
            last = chunk[-1:]
    is_uniform = returns in (0, feeds) and pairs == returns
    return feeds + (last != b"\n") if is_uniform else None


def normalise(text: TextFile, work_dir: Path) -> Part:
    """Read every record exactly and write the normalised copy; oddities are in the part's findings."""
    target = work_dir / f"{text.source.path.name}.rows"
    part = _part(text, target, has_line=True)
    notes = RowNotes(text.width, part.extent)
    with (
        open_lines(text.source.path, text.source.start, text.end_bytes) as file,
        PartWriter(target, text.width, text.dialect.delimiter) as writer,
    ):
        lines = Lines(file)
        _copy_rows(text, lines, writer, notes)
        part.extent.skip(range(lines.number + 1, lines.number + 1 + text.footer_lines))
        if text.footer:
            footer = [(lines.number + number, cells) for number, cells in text.footer]
            part.findings.append(rows_left_out("FOOTER", footer))
        _count_below(text, lines.number, part.extent)
        writer.describe(part)
    leave_out_section_ends(part, text.header, notes)
    part.findings += [*notes.findings(), *about_known(text.source.mask.kept_out)]
    return part


def _copy_rows(text: TextFile, lines: Lines, writer: PartWriter, notes: RowNotes) -> None:
    """Copy the rows of data: lines without oddities unchanged, the others read exactly."""
    is_plain, odd_starts = _plain_line_test(text, writer), _odd_starts(text)
    reader = RecordReader(lines, text.dialect, text.mender)
    _count_above(text, lines, notes.extent)
    while (line := lines.take()) is not None:
        if not line.startswith(odd_starts) and is_plain(line):
            writer.write_line(lines.number, line.rstrip("\r\n"))
            notes.extent.take(lines.number, lines.number)
        elif text.has_comments and line.startswith(COMMENT) and text.is_comment(text.dialect.split(line)):
            notes.leave_out(lines.number, "COMMENT_LINES", [line])
        else:
            if line.startswith(f"{_MARK}{text.dialect.quote}"):  # the mark of a file that was appended
                line = line[1:]
            check_pieces(line, text.dialect.delimiter, text.name, lines.number)
            _write_record(text, reader.record(line), writer, notes)


def _count_above(text: TextFile, lines: Lines, extent: Extent) -> None:
    """Take the lines above the rows, and count what each of them is."""
    header = range(text.header.first_line or 1, (text.header.last_line or 0) + 1)
    while lines.number < text.header.data_line - 1 and (line := lines.take()) is not None:
        extent.count_above([(lines.number, text.dialect.split(line.strip("\ufeff\r\n")))], header)


def _count_below(text: TextFile, last: int, extent: Extent) -> None:
    """Count the lines below the rows, and those that were blanked since they are known to be none."""
    footer = dict(text.footer)
    for number in range(1, text.footer_lines + 1):
        extent.leave("FOOTER", last + number, footer.get(number, ()))
    for line in text.source.mask.kept_out:
        extent.blank_lines -= 1
        extent.leave(line.code, line.line, text.dialect.split((line.cells[0] or "").strip("\r\n")))


def _plain_line_test(text: TextFile, writer: PartWriter) -> Callable[[str], bool]:
    """Return the test for lines that can be copied unchanged."""
    delimiter, quote, marks = text.dialect.delimiter, text.dialect.quote, text.width - 1
    if delimiter != writer.delimiter or text.dialect.escape:
        return lambda _: False
    if quote != QUOTE or text.width > _MAX_PATTERN_WIDTH:
        return lambda line: line.count(delimiter) == marks and quote not in line and QUOTE not in line
    edge = re.escape(delimiter)
    cell = rf'(?:"[^"\r\n]*(?:""[^"\r\n]*)*"|[^"{edge}\r\n]*)'
    quoted = re.compile(rf"{cell}(?:{edge}{cell}){{{marks}}}[\r\n]*").fullmatch
    return lambda line: quoted(line) is not None if QUOTE in line else line.count(delimiter) == marks


def _odd_starts(text: TextFile) -> tuple[str, ...]:
    """Return how lines that are not rows may begin: separators, blanks, comments, repeats of lines above."""
    quote, delimiter, label = text.dialect.quote, text.dialect.delimiter, "".join(text.header.labels[:1])
    heads = [start for column, start in text.header.page_head.starts if start and not column]
    heads += [f"{label}{delimiter}", f"{label}{quote}{delimiter}"] if label else []
    found = (*_ODD_STARTS, *((COMMENT,) if text.has_comments else ()))
    return (*found, delimiter, *heads, *(quote + head for head in heads)) if delimiter else found


def _write_record(text: TextFile, record: Record, writer: PartWriter, notes: RowNotes) -> None:
    cells = record.cells
    while len(cells) > text.width and not cells[-1].strip():
        cells.pop()
    if not "".join(cells).strip(" \x1a\ufeff"):
        notes.leave_out(record.line, lines=record.last_line - record.line + 1)
        return
    if code := _find_note(cells, text):
        notes.leave_out(record.line, code, cells, record.last_line - record.line + 1)
        return
    check_columns(len(cells), text.name, record.line, max(MAX_COLUMNS, text.width))
    if record.repaired:
        notes.add("REPAIRED_ROWS", record.line)
    if text.header.is_assumed and _is_header(cells, text):
        notes.add("HEADER_AGAIN", record.line)
    notes.count_cells(record.line, len(cells))
    notes.extent.take(record.line, record.last_line)
    writer.write_row(record.line, cells)


def _find_note(cells: list[str], text: TextFile) -> WarningCode | None:
    """Return the note to make about a line that is not a row, None for a row."""
    if text.width > 1 and len(cells) in (1, text.width) and is_separator(cells):
        return "SEPARATOR_LINES"
    is_repeated = _is_header(cells, text) or (text.width > 1 and text.header.page_head.has(cells))
    return "REPEATED_HEADER" if is_repeated and not text.header.is_assumed else None


def _is_header(cells: list[str], text: TextFile) -> bool:
    """Return whether a line is the header again, even with other columns at its end."""
    labels = text.header.labels[: len(cells)]
    known = [cells[0].removeprefix(_MARK), *cells[1 : len(labels)]]
    return 1 < len(labels) > len(text.header.labels) / 2 and known == labels


def _part(text: TextFile, path: Path, *, has_line: bool) -> Part:
    header, mask = text.header, text.source.mask
    quote = "" if text.dialect.quote == NO_QUOTE else text.dialect.quote
    return Part(
        path=path,
        labels=header.labels,
        width=max(text.width, header.width),
        delimiter=text.dialect.delimiter,
        quote=quote,
        escape=quote,
        has_line=has_line,
        data_line=header.data_line,
        header_line=header.first_line,
        header_lines=header.line_count,
        header_end=header.last_line,
        extent=Extent(skipped=[*header.lines_above(), *mask.left_out, *mask.below]),
        skip_texts=mask.texts,
        trim=text.trim,
        keeps_last=text.keeps_last,
        has_formulas='="' in "".join(text.source.sample),
        findings=list(text.findings),
        head_starts=[
            *(start for _, start in header.page_head.starts),
            *(COMMENT_STARTS if text.has_comments else ()),
        ],
    )
