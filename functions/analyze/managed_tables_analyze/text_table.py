"""Owns the way from a text file to a part: two engines, one result.

A regular file (one line a record, no oddities) goes to DuckDB as it stands; DuckDB refuses what is not as
dictated, and its count of records is compared with the count of lines. Everything else is read exactly,
line by line, into a normalised copy that carries line numbers.
"""

import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from managed_tables.errors import FILE_EMPTY, FILE_NOT_TABULAR, TOO_MANY_COLUMNS, JobError
from managed_tables.identifiers import MAX_COLUMNS
from managed_tables.messages.findings import Finding, WarningCode
from managed_tables_analyze.alignment import UnevenError, collapse, is_cut_by_runs
from managed_tables_analyze.cells import STROKES, is_rule
from managed_tables_analyze.columns import Columns
from managed_tables_analyze.dialect import NO_QUOTE, QUOTE, Dialect
from managed_tables_analyze.encodings import CHUNK_BYTES, Encoding, NotTextError, transcode
from managed_tables_analyze.extent import Extent
from managed_tables_analyze.footer import MAX_FOOTER_ROWS, footer_length
from managed_tables_analyze.header import COMMENT, Header, check_width
from managed_tables_analyze.notes import RowNotes, rows_left_out
from managed_tables_analyze.parts import Part
from managed_tables_analyze.prose import is_prose
from managed_tables_analyze.reading import TableWish, Unstated
from managed_tables_analyze.records import Lines, Record, RecordReader, by_other_delimiter
from managed_tables_analyze.sheets import Row
from managed_tables_analyze.sniffer import find_hint, is_aligned
from managed_tables_analyze.stated import LineMask, choose_dialect, place_header, read_encoding
from managed_tables_analyze.wrapping import are_wrapped, unwrap
from managed_tables_analyze.writer import PartWriter

_Change = Callable[[Iterable[str]], Iterable[str]]

_ALIGNED = "as colunas são alinhadas por espaços"
_SAMPLE_BYTES = 262_144
_SAMPLE_LINES = 20  # at least, however long they are: one line alone shows no agreement
_LONG_SAMPLE_BYTES = 8_388_608  # beyond which there need not be as many
_TAIL_BYTES = 65_536
_MAX_CELLS = 16_384  # of a record, empty ones at the end included: as many as a worksheet has
_MAX_PIECES = 1_000_000  # of a line, delimiters in quoted text included: some 60 MB
_MAX_PATTERN_WIDTH = 60  # cells of a row that one regular expression checks
_PROSE = (f"{COMMENT} ", f"{COMMENT}{COMMENT}")
_ODD_STARTS = (*STROKES, "\ufeff", "\x1a", "\r", "\n", " ")


@dataclass
class TextFile:
    """A text file as UTF-8, with all that was learnt about it before its records are read."""

    name: str
    path: Path
    encoding: Encoding
    dialect: Dialect
    header: Header
    width: int  # cells that a record usually has, empty ones at the end included
    start_bytes: int
    end_bytes: int  # where the table ends and the footer begins
    columns: Columns | None = None
    findings: list[Finding] = field(default_factory=list)
    has_comments: bool = False  # lines that begin with `#` are no rows
    has_formulas: bool = False
    is_prose: bool = False  # sentences in one column, which are no table
    has_stray: bool = False  # a quote amid a row that does not look like the others
    footer_lines: int = 0  # between `end_bytes` and the end of the file
    footer: tuple[Row, ...] = ()  # what stands there, its lines counted from `end_bytes`
    below: Sequence[int] = ()  # lines that are stated to lie below the table
    trim: bool = False
    keeps_last: bool = False  # it is stated where the table ends
    is_changed: bool = False  # the lines of `path` are not those of the file


def open_text(path: Path, name: str, work_dir: Path, wish: TableWish | None = None) -> TextFile:
    """Settle encoding, dialect, header and footer, but for what the wish states of them.

    JobError where the file is empty or no text, or where the wish leaves no table.
    """
    wish = wish or TableWish(0)
    source = _open_source(path, name, work_dir, wish)
    sample = source.sample
    hint_lines = 1 if sample and find_hint(sample[0]) else 0
    dialect = choose_dialect(sample, wish)
    if wish.delimiter is None and is_aligned(sample, dialect):
        raise JobError(FILE_NOT_TABULAR, file=name, reason=_ALIGNED)
    for number, line in enumerate(sample, start=1):
        _check_pieces(line, dialect, name, number)
    records = _sample_records(sample, dialect, hint_lines)
    rows = [_row(record) for record in records]
    header = place_header(rows, wish, name)
    if header is None:
        raise JobError(FILE_EMPTY, file=name)
    if not wish.states_header:
        _adopt_header_above(header, rows, sample, dialect)
    header.last_line = next((one.last_line for one in records if one.line == header.last_line), None)
    check_width(header, name)
    longest = max((len(cells) for _, cells in rows), default=0)
    if longest > _MAX_CELLS:
        raise JobError(TOO_MANY_COLUMNS, file=name, count=longest, line=header.first_line, limit=MAX_COLUMNS)
    below = [record for record in records if record.line >= header.data_line]
    if dialect.delimiter == " " or source.change is collapse:
        _name_rows(header, below)
    text = _text_file(source, name, dialect, header, _usual_width(below, header))
    text.trim = bool(wish.trim)
    text.is_prose = longest <= 1 and not wish.stated and is_prose(name, sample)
    _learn_rows(text, below)
    text.keeps_last = wish.last_line is not None
    if not text.keeps_last:
        _find_footer(text)
    return text


@dataclass
class _Source:
    """A file's lines as UTF-8 and the first of them; `below` are those that are stated to lie below."""

    encoding: Encoding
    path: Path
    start: int
    sample: list[str]
    change: _Change | None
    below: Sequence[int]


def _open_source(path: Path, name: str, work_dir: Path, wish: TableWish) -> _Source:
    """Return the lines that the dialect cuts: transcoded, masked and changed, each where it is needed."""
    encoding, utf8 = _as_utf8(path, name, work_dir, wish)
    start = encoding.mark_bytes if utf8 == path else 0
    mask = LineMask(wish)
    if mask.hides:
        utf8, start = _changed(utf8, start, mask.lines, work_dir / f"{path.name}.masked", name), 0
    sample = _sample(utf8, start)
    change = _needed_change(sample, wish)
    if change:
        utf8, start = _changed(utf8, start, change, work_dir / f"{path.name}.changed", name), 0
        sample = _sample(utf8, start)
    return _Source(encoding, utf8, start, sample, change, mask.below)


def _text_file(source: _Source, name: str, dialect: Dialect, header: Header, width: int) -> TextFile:
    size = source.path.stat().st_size
    text = TextFile(name, source.path, source.encoding, dialect, header, width, source.start, size)
    text.below, text.is_changed = source.below, source.change is not None
    text.findings += [*source.encoding.findings, *header.findings()]
    text.has_formulas = any('="' in line for line in source.sample)
    if source.change is unwrap:
        text.findings.append(Finding(WarningCode.WRAPPED_LINES))
    return text


def _needed_change(sample: Sequence[str], wish: TableWish) -> Callable[[Iterable[str]], Iterable[str]] | None:
    """Return how lines must be changed before they can be cut: not where it is stated what cuts them."""
    if wish.delimiter is not None or not isinstance(wish.quote, Unstated):
        return None
    return unwrap if are_wrapped(sample) else collapse if is_cut_by_runs(sample) else None


def _name_rows(header: Header, records: Sequence[Record]) -> None:
    """Give the first column a blank label where the header lacks one: R has none for the names of rows."""
    lengths = {len(record.cells) for record in records if record.cells}
    if header.labels and lengths == {header.width + 1} and all(map(str.strip, header.labels)):
        header.labels.insert(0, "")
        header.width += 1


def _usual_width(records: Sequence[Record], header: Header) -> int:
    usual = Counter(len(record.cells) for record in records if len(record.cells) > 1)
    width = usual.most_common(1)[0][0] if usual else header.width
    # Shorter lines than the header may be a footer longer than a short table.
    return max(width, header.width) if header.width in usual else width


def _learn_rows(text: TextFile, records: Sequence[Record]) -> None:
    """Learn from the sample's rows what the columns look like, and what is odd among them."""
    whole = [record.cells for record in records if len(record.cells) >= text.width]
    text.has_comments = text.width > 1 and not any(cells[0].startswith(COMMENT) for cells in whole)
    columns = Columns.of([record.cells for record in records], text.width)
    text.columns = columns
    text.has_stray = columns is not None and any(
        record.stray and columns.doubt(record.cells) for record in records
    )


def _sample(path: Path, start: int) -> list[str]:
    with _open_lines(path, start, path.stat().st_size) as file:
        lines = file.readlines(_SAMPLE_BYTES)
        size = sum(map(len, lines))
        while len(lines) < _SAMPLE_LINES and size < _LONG_SAMPLE_BYTES and (line := file.readline()):
            lines.append(line)
            size += len(line)
        return lines


def _changed(path: Path, start: int, change: _Change, target: Path, name: str) -> Path:
    """Write a copy of a text with its lines changed; JobError at a line that cannot be."""
    with (
        _open_lines(path, start, path.stat().st_size) as file,
        target.open("w", encoding="utf-8", newline="") as out,
    ):
        try:
            out.writelines(change(file))
        except UnevenError as error:
            raise JobError(FILE_NOT_TABULAR, file=name, reason=_ALIGNED) from error
    return target


def _check_pieces(line: str, dialect: Dialect, name: str, number: int) -> None:
    """Refuse a line that would be cut into more pieces than memory is for."""
    if len(line) > _MAX_PIECES and dialect.delimiter:
        count = line.count(dialect.delimiter) + 1
        if count > _MAX_PIECES:
            raise JobError(TOO_MANY_COLUMNS, file=name, count=count, line=number, limit=MAX_COLUMNS)


def _as_utf8(path: Path, name: str, work_dir: Path, wish: TableWish) -> tuple[Encoding, Path]:
    if path.stat().st_size == 0:
        raise JobError(FILE_EMPTY, file=name)
    try:
        encoding = read_encoding(path, wish.encoding)
    except NotTextError as error:
        raise JobError(FILE_NOT_TABULAR, file=name, reason="o conteúdo é binário") from error
    if encoding.is_utf8:
        return encoding, path
    utf8 = work_dir / f"{path.name}.utf8"
    transcode(path, utf8, encoding)
    return encoding, utf8


def _sample_records(sample: Sequence[str], dialect: Dialect, hint_lines: int) -> list[Record]:
    reader = RecordReader(Lines(iter(sample[hint_lines:]), hint_lines), dialect)
    records = list(reader)
    usual = Counter(len(record.cells) for record in records if len(record.cells) > 1)
    if usual and any(record.repaired for record in records):  # once more, now that the width is known
        reader = RecordReader(
            Lines(iter(sample[hint_lines:]), hint_lines), dialect, usual.most_common(1)[0][0]
        )
        records = list(reader)
    return records


def _row(record: Record) -> Row:
    return record.line, [*record.cells]


def _adopt_header_above(header: Header, rows: Sequence[Row], sample: Sequence[str], dialect: Dialect) -> None:
    """Take the line above headerless data for the header where another delimiter cuts it as often."""
    above = header.data_line - 1
    if header.first_line is not None or above not in header.skipped or sample[above - 1].startswith(COMMENT):
        return
    width = Counter(len(cells) for number, cells in rows if number > above).most_common(1)[0][0]
    labels = by_other_delimiter(sample[above - 1].rstrip("\r\n"), dialect, width, labels=True)
    if labels:
        header.skipped.remove(above)
        header.first_line, header.labels, header.width = above, labels, len(labels)
        header.last_line, header.line_count = above, 1


def _find_footer(text: TextFile) -> None:
    """Move the end of the table before the notes and totals that end the file."""
    begin = max(text.start_bytes, text.end_bytes - _TAIL_BYTES)
    with text.path.open("rb") as file:
        file.seek(begin)
        tail = file.read(text.end_bytes - begin)
    if begin > text.start_bytes:
        begin += tail.find(b"\n") + 1
        tail = tail[tail.find(b"\n") + 1 :]
    lines = io.StringIO(tail.decode("utf-8", "replace"), newline="").readlines()
    first_line = 1
    if begin == text.start_bytes:  # the whole file: what is above the data is no footer
        first_line = text.header.data_line
    lines = lines[first_line - 1 :]
    # Without the width: a note with a comma in it is one cell, not a row under another delimiter.
    reader = RecordReader(Lines(iter(lines)), text.dialect)
    rows = [_row(record) for record in reader][-2 * MAX_FOOTER_ROWS :]
    length = footer_length(rows, text.width, short_tells=True)
    if not length:
        return
    footer = rows[-length:]
    below = lines[footer[0][0] - 1 :]
    text.footer_lines = len(below)
    text.end_bytes -= sum(len(line.encode()) for line in below)
    text.footer = tuple((number - footer[0][0] + 1, cells) for number, cells in footer)


@contextmanager
def _open_lines(path: Path, start: int, end: int) -> Iterator[io.TextIOWrapper]:
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


def as_it_stands(text: TextFile) -> Part | None:
    """Return the part that DuckDB can read without a copy, or None where the file is not that regular."""
    dialect, header = text.dialect, text.header
    if len(dialect.delimiter.encode()) != 1 or dialect.escape or dialect.delimiter == " " or text.has_stray:
        return None
    if text.end_bytes != text.path.stat().st_size or text.start_bytes or text.width < len(header.labels):
        return None
    if any(column or not start for column, start in header.page_head.starts):
        return None  # where a line above the header comes again, its first cell would not tell
    lines = _count_uniform_lines(text.path)
    if lines is None or lines < header.data_line:
        return None
    part = _part(text, text.path, has_line=False)
    part.expected_rows = lines - (header.data_line - 1)
    if part.expected_rows:
        part.extent.take(header.data_line, lines)
    return part


def _count_uniform_lines(path: Path) -> int | None:
    """Count the lines; None where they do not all end the same way, in LF or in CR LF.

    Blank lines need no look: DuckDB leaves them out, and its count then differs from this one.
    """
    feeds, returns, pairs = 0, 0, 0
    with path.open("rb", buffering=0) as file:
        last = b"\n"
        while chunk := file.read(CHUNK_BYTES):
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
        _open_lines(text.path, text.start_bytes, text.end_bytes) as file,
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
    reader = RecordReader(lines, text.dialect, text.width, text.columns)
    odd_starts = (*_ODD_STARTS, delimiter, *_header_starts(text)) if delimiter else _ODD_STARTS
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
        _check_pieces(line, text.dialect, text.name, lines.number)
        lines.give_back((line,))
        record = reader.read()
        if record is not None:
            _write_record(text, record, writer, notes)


def _is_comment_line(line: str, text: TextFile) -> bool:
    """Tell whether a line is a comment for sure: a name with a `#` (`#vendas;20`), or a number, is a cell."""
    if not line.startswith(COMMENT) or text.dialect.quote in line:
        return False
    marks = line.count(text.dialect.delimiter)
    return marks == 0 or (line.startswith(_PROSE) and marks < text.width - 1)


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
    """Tell whether a row is the header once more, also where it has other columns at its end."""
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
        head_starts=[start for _, start in header.page_head.starts],
    )
