"""What is settled of a text file before its records are read: encoding, dialect, layout and end."""

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from managed_tables.errors import FILE_EMPTY, FILE_NOT_TABULAR, TOO_MANY_COLUMNS, JobError
from managed_tables.identifiers import MAX_COLUMNS
from managed_tables.messages.findings import Finding, WarningCode
from managed_tables_analyze.files.encodings import Encoding, NotTextError, transcode
from managed_tables_analyze.layout.drawn import is_rule
from managed_tables_analyze.layout.grid import GridRow
from managed_tables_analyze.layout.header import Header
from managed_tables_analyze.layout.looks import TEXT
from managed_tables_analyze.layout.search import Grid, Stated, find_end, find_header
from managed_tables_analyze.layout.words import COMMENT, COMMENT_STARTS
from managed_tables_analyze.reading import TableWish
from managed_tables_analyze.repair.columns import Columns
from managed_tables_analyze.repair.grouping import cut_labels
from managed_tables_analyze.repair.mending import Mender
from managed_tables_analyze.stated import LineMask, check_stated, read_encoding, stated_places
from managed_tables_analyze.text.alignment import UnevenError, collapse, is_aligned
from managed_tables_analyze.text.choosing import (
    Change,
    Choice,
    choose,
    grid_of,
    learn_columns,
    read_records,
)
from managed_tables_analyze.text.dialect import Dialect
from managed_tables_analyze.text.prose import is_prose
from managed_tables_analyze.text.records import Lines, Record, RecordReader
from managed_tables_analyze.text.slices import open_lines
from managed_tables_analyze.text.wrapping import unwrap
from managed_tables_analyze.workbooks.sheets import Row

_ALIGNED = "as colunas são alinhadas por espaços"
_SAMPLE_BYTES = 262_144
_SAMPLE_LINES = 20  # at least, however long they are: one line alone shows no agreement
_LONG_SAMPLE_BYTES = 8_388_608  # beyond which there need not be as many
_TAIL_BYTES = 65_536
_MAX_CELLS = 16_384  # of a record, empty ones at the end included: as many as a worksheet has
_MAX_PIECES = 1_000_000  # of a line, delimiters in quoted text included: some 60 MB


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
    footer: Sequence[Row] = ()  # what stands there, its lines counted from `end_bytes`
    below: Sequence[int] = ()  # lines that are stated to lie below the table
    trim: bool = False
    keeps_last: bool = False  # it is stated where the table ends
    is_changed: bool = False  # the lines of `path` are not those of the file


def open_text(path: Path, name: str, work_dir: Path, wish: TableWish | None = None) -> TextFile:
    """Settle encoding, dialect, header and footer, but for what the wish states of them.

    JobError where the file is empty or no text, or where the wish leaves no table.
    """
    wish = wish or TableWish(0)
    stated = stated_places(wish)
    source = open_source(path, name, work_dir, wish)
    choice = _choose(source, name, wish, stated)
    _apply(choice, source, name, work_dir)
    records, grid = _read_sample(source, choice, is_whole=source.is_whole and wish.last_line is None)
    check_stated(grid.rows, wish, name)
    header = find_header(grid, stated)
    if header is None:
        raise JobError(FILE_EMPTY, file=name)
    if stated.is_open:
        _adopt_header_above(header, grid.rows, source.sample, choice.dialect)
    header.last_line = next((one.last_line for one in records if one.line == header.last_line), None)
    header.check_width(name)
    longest = max((len(record.cells) for record in records), default=0)
    if longest > _MAX_CELLS:
        raise JobError(TOO_MANY_COLUMNS, file=name, count=longest, line=header.first_line, limit=MAX_COLUMNS)
    below = [one for one in records if one.line >= header.data_line and not _is_beyond(one, header)]
    if choice.dialect.delimiter == " " or choice.change is collapse:
        _name_rows(header, below)
    text = _text_file(source, name, choice, header, _usual_width(below, header))
    text.trim = _is_trimmed(wish, source.sample, choice)
    text.is_prose = longest <= 1 and not wish.stated and is_prose(name, source.sample)
    text.keeps_last = wish.last_line is not None
    _learn_rows(text, below)
    _find_end(text, source, grid, wish)
    return text


@dataclass
class Source:
    """A file's lines as UTF-8 and the first of them; `below` are those that are stated to lie below."""

    encoding: Encoding
    path: Path
    start: int
    sample: list[str]
    below: Sequence[int]

    @property
    def is_whole(self) -> bool:
        """Whether the sample is the whole file."""
        return self.start + sum(len(line.encode()) for line in self.sample) >= self.path.stat().st_size


def open_source(path: Path, name: str, work_dir: Path, wish: TableWish) -> Source:
    """Return the lines that the dialect cuts: transcoded and masked, each where it is needed."""
    encoding, utf8 = _as_utf8(path, name, work_dir, wish)
    start = encoding.mark_bytes if utf8 == path else 0
    mask = LineMask(wish)
    if mask.hides:
        utf8, start = _changed(utf8, start, mask.lines, work_dir / f"{path.name}.masked", name), 0
    return Source(encoding, utf8, start, _sample(utf8, start), mask.below)


def _choose(source: Source, name: str, wish: TableWish, stated: Stated) -> Choice:
    """Return the cheapest way to cut the lines; JobError where there is none, or none that can be told."""
    found = choose(source.sample, wish, stated, is_whole=source.is_whole)
    if not found:
        raise JobError(FILE_EMPTY, file=name)
    dialect = found[0].dialect
    if wish.delimiter is None and is_aligned(source.sample, dialect):
        raise JobError(FILE_NOT_TABULAR, file=name, reason=_ALIGNED)
    for number, line in enumerate(source.sample, start=1):
        check_pieces(line, dialect, name, number)
    return found[0]


def _apply(choice: Choice, source: Source, name: str, work_dir: Path) -> None:
    """Change the lines of the source as the choice says."""
    if choice.change:
        target = work_dir / f"{source.path.name}.changed"
        source.path = _changed(source.path, source.start, choice.change, target, name)
        source.start = 0
        source.sample = _sample(source.path, 0)


def _read_sample(source: Source, choice: Choice, *, is_whole: bool) -> tuple[list[Record], Grid]:
    """Return the sample's records, mended where they do not fit the layout that was found."""
    dialect = choice.dialect
    records = read_records(source.sample, dialect)
    lengths = Counter(
        len(one.cells) for one in records if one.line >= choice.data_line and len(one.cells) > 1
    )
    width = lengths.most_common(1)[0][0] if lengths and choice.layout.width > 1 else 1
    if width > 1 and any(record.repaired or len(record.cells) != width for record in records if record.cells):
        columns = learn_columns(records, choice.data_line, width)
        mended = read_records(source.sample, dialect, Mender(dialect, width, columns))
        above = [
            one for one in records if one.line < choice.first_line
        ]  # titles, of as many cells as they have
        records = [*above, *(one for one in mended if one.line >= choice.first_line)]
    return records, Grid(grid_of(records), short_tells=True, is_whole=is_whole)


def _is_trimmed(wish: TableWish, sample: Sequence[str], choice: Choice) -> bool:
    """Return whether blanks around cells are layout: as a person states it, else in a drawn table."""
    if wish.trim is not None:
        return wish.trim
    return choice.dialect.delimiter == "|" and any(is_rule((line,)) for line in sample)


def _is_beyond(record: Record, header: Header) -> bool:
    return header.end_line is not None and record.line >= header.end_line


def _text_file(source: Source, name: str, choice: Choice, header: Header, width: int) -> TextFile:
    size = source.path.stat().st_size
    text = TextFile(name, source.path, source.encoding, choice.dialect, header, width, source.start, size)
    text.below, text.is_changed = source.below, choice.change is not None
    text.findings += [*source.encoding.findings, *header.findings()]
    text.has_formulas = any('="' in line for line in source.sample)
    if choice.change is unwrap:
        text.findings.append(Finding(WarningCode.WRAPPED_LINES))
    return text


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
    marked = [cells for cells in whole if cells[0].startswith(COMMENT)]
    is_text = text.header.kinds[:1] in ((), (TEXT,))
    text.has_comments = text.width > 1 and not any(
        is_text or not one[0].startswith(COMMENT_STARTS) for one in marked
    )
    columns = learn_columns(records, 0, text.width)
    text.columns = columns
    text.has_stray = columns is not None and any(
        record.stray and columns.doubt(record.cells) for record in records
    )


def _sample(path: Path, start: int) -> list[str]:
    with open_lines(path, start, path.stat().st_size) as file:
        lines = file.readlines(_SAMPLE_BYTES)
        size = sum(map(len, lines))
        while len(lines) < _SAMPLE_LINES and size < _LONG_SAMPLE_BYTES and (line := file.readline()):
            lines.append(line)
            size += len(line)
        return lines


def _changed(path: Path, start: int, change: Change, target: Path, name: str) -> Path:
    """Write a copy of a text with its lines changed; JobError at a line that cannot be."""
    with (
        open_lines(path, start, path.stat().st_size) as file,
        target.open("w", encoding="utf-8", newline="") as out,
    ):
        try:
            out.writelines(change(file))
        except UnevenError as error:
            raise JobError(FILE_NOT_TABULAR, file=name, reason=_ALIGNED) from error
    return target


def check_pieces(line: str, dialect: Dialect, name: str, number: int) -> None:
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


def _adopt_header_above(
    header: Header, rows: Sequence[GridRow], sample: Sequence[str], dialect: Dialect
) -> None:
    """Take the line above headerless data for the header where another delimiter cuts it as often."""
    above = header.first_line or header.data_line - 1
    is_title = header.first_line is None and above in header.skipped
    if not is_title and (header.line_count != 1 or not _is_short(header, rows)):
        return
    if sample[above - 1].startswith(COMMENT):
        return
    lengths = Counter(len(row.cells) for row in rows if row.number > above)
    width = lengths.most_common(1)[0][0] if lengths else 1
    line = sample[above - 1].rstrip("\r\n")
    labels = cut_labels(line, dialect, width)
    if labels:
        header.skipped = [line for line in header.skipped if line != above]
        header.first_line, header.labels, header.width = above, labels, len(labels)
        header.last_line, header.line_count = above, 1


def _is_short(header: Header, rows: Sequence[GridRow]) -> bool:
    """Return whether a header has fewer labels than the row below it has cells."""
    first = next((row for row in rows if row.number >= header.data_line), None)
    return first is not None and sum(map(bool, map(str.strip, header.labels))) < len(first.cells)


def _find_end(text: TextFile, source: Source, grid: Grid, wish: TableWish) -> None:
    """Move the end of the table before the notes and totals that end the file, or another table."""
    end_line = text.header.end_line
    if end_line is not None:
        footer = [
            row for row in grid.rows if end_line <= row.number < (text.header.next_line or row.number + 1)
        ]
        above = source.sample[: end_line - 1]
        text.end_bytes = source.start + sum(len(line.encode()) for line in above)
        text.footer_lines = len(source.sample) - len(above)
        text.footer = _from_line(end_line, footer)
    elif wish.last_line is None and not grid.is_whole:
        _find_footer(text)


def _from_line(line: int, rows: Sequence[GridRow]) -> list[Row]:
    """Return rows as they are written and the blank ones among them, with their numbers from a line on."""
    written = {row.number: [*(row.written or row.cells)] for row in rows}
    last = max(written, default=line - 1)
    return [(number - line + 1, written.get(number, [])) for number in range(line, last + 1)]


def _find_footer(text: TextFile) -> None:
    """Move the end of the table before the notes and totals that end a long file."""
    begin = max(text.start_bytes, text.end_bytes - _TAIL_BYTES)
    with text.path.open("rb") as file:
        file.seek(begin)
        tail = file.read(text.end_bytes - begin)
    cut = tail.find(b"\n") + 1
    begin, tail = begin + cut, tail[cut:]
    lines = io.StringIO(tail.decode("utf-8", "replace"), newline="").readlines()
    # Without a mender: a note with a comma in it is one cell, not a row under another delimiter.
    rows = grid_of(list(RecordReader(Lines(iter(lines)), text.dialect)))
    end = find_end(rows, text.width, text.header.kinds, short_tells=True)
    if end == len(rows):
        return
    below = lines[rows[end].number - 1 :]
    text.footer_lines = len(below)
    text.end_bytes -= sum(len(line.encode()) for line in below)
    text.footer = _from_line(rows[end].number, rows[end:])
