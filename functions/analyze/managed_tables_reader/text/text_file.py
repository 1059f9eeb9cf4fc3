"""Determine a text file's encoding, dialect, layout and end before its records are read."""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from operator import attrgetter
from pathlib import Path, PurePosixPath

from managed_tables.errors import FILE_EMPTY, FILE_NOT_TABULAR, LINE_WITHOUT_CELLS, JobError
from managed_tables.messages.findings import Finding
from managed_tables_reader.files.encodings import NotTextError, detect_encoding
from managed_tables_reader.files.source import Source, byte_count, check_pieces, open_source
from managed_tables_reader.layout.grid import COMMENT, Cells, is_sure_comment
from managed_tables_reader.layout.looks import TEXT
from managed_tables_reader.layout.search import Grid, Header, find_end, find_header
from managed_tables_reader.rows.notes import is_separator
from managed_tables_reader.rows.parts import check_columns
from managed_tables_reader.rows.reading import Overrides, Stated, stated_places
from managed_tables_reader.rows.sheets import Row
from managed_tables_reader.text import choosing
from managed_tables_reader.text.dialect import Dialect
from managed_tables_reader.text.mending import Mender
from managed_tables_reader.text.records import Lines, Record, RecordReader

_ALIGNED = "as colunas são alinhadas por espaços"
_TABLE_SUFFIXES = (".csv", ".tsv", ".tab")  # such a name means a table, even one of sentences
_ABOUT_FILES = re.compile(r"(?i)(?:leia|read)[-_ ]?me(?:\W.*)?|licen\w[ae]|changelog")
_SENTENCE_WORDS = 5
_SENTENCE_ENDS = (".", ":", ";", ",", "!", "?")


@dataclass
class TextFile:
    """A text file as UTF-8, with what is known about it before its records are read."""

    name: str
    source: Source
    dialect: Dialect
    header: Header
    width: int  # cells that a record usually has, empty ones at the end included
    end_bytes: int  # where the table ends and the footer begins
    rows: Sequence[Record] = ()  # the first rows of data
    findings: list[Finding] = field(default_factory=list)
    has_comments: bool = False  # lines that begin with `#` are not rows
    is_prose: bool = False  # sentences in one column, not a table
    has_stray: bool = False  # a row unlike the others has a quote inside a cell
    footer_lines: int = 0  # between `end_bytes` and the end of the file
    footer: Sequence[Row] = ()  # its rows, their lines counted from `end_bytes`
    trim: bool = False
    keeps_last: bool = False  # the table's end is stated
    is_changed: bool = False  # the source's lines differ from the file's

    @cached_property
    def mender(self) -> Mender:
        """The mender of the other rows, which knows the columns by the first ones; made when first needed."""
        return Mender(self.dialect, self.width, (one.cells for one in self.rows if not one.repaired))

    def is_comment(self, cells: Sequence[str]) -> bool:
        """Return whether a record that begins with `#` is none of data: a full one below texts is a row."""
        is_full = len(cells) >= self.width and self.header.kinds[:1] in ((), (TEXT,))
        return is_sure_comment(cells) and not is_full


def open_text(path: Path, name: str, work_dir: Path, overrides: Overrides) -> TextFile:
    """Detect encoding, dialect, header and footer, except what the overrides state.

    What was once stated of such files holds where the known labels then stand in this one. Raises JobError if
    the file is empty or not a text, or if the overrides leave no table.
    """
    if overrides.known.stated:
        with suppress(JobError):  # not this file: then it is read as it shows itself
            text = _open_text(path, name, work_dir, _recalled(path, overrides))
            if overrides.known.allows(text.header.labels):
                return text
    return _open_text(path, name, work_dir, overrides)


def _recalled(path: Path, overrides: Overrides) -> Overrides:
    """Return the overrides as once stated; a file that is UTF-8 or UTF-16 allows no other encoding."""
    recalled = overrides.recalled()
    if recalled.table.encoding == overrides.table.encoding:
        return recalled
    with suppress(NotTextError):
        is_own = detect_encoding(path).name.startswith("utf")
        return recalled.stating(encoding=overrides.table.encoding) if is_own else recalled
    return recalled


def _open_text(path: Path, name: str, work_dir: Path, overrides: Overrides) -> TextFile:
    stated = stated_places(overrides)
    source = open_source(path, name, work_dir, overrides)
    choice = _choose(source, name, overrides, stated)
    source = _changed(source, choice, name, work_dir)
    records = _read_sample(source, choice)
    grid = Grid(
        choosing.grid_of(records),
        keeps_ends=True,
        is_whole=source.is_whole and overrides.table.last_line is None,
        known=overrides.known,
    )
    header = find_header(grid, stated, name)
    if header is None:
        raise JobError(FILE_EMPTY, file=name)
    end = _place(records, header.end_line) if header.end_line else len(records)
    rows = records[_place(records, header.data_line) : end]
    if header.last_line is not None:
        header.last_line = records[_place(records, header.last_line)].last_line
    text = _describe(source, name, choice, header, rows)
    text.keeps_last = overrides.table.last_line is not None
    text.is_prose = not (choice.dialect.delimiter or overrides.stated) and is_prose(name, source.sample)
    is_drawn = choice.dialect.delimiter[:1] == "|" and any(is_separator((line,)) for line in source.sample)
    text.trim = is_drawn if overrides.table.trim is None else overrides.table.trim
    _find_end(text, grid, overrides)
    return text


def _choose(source: Source, name: str, overrides: Overrides, stated: Stated) -> choosing.Choice:
    """Return the cheapest way to cut the lines; JobError if there is none, or blanks align the columns."""
    found = choosing.choose(source.sample, overrides, stated, is_whole=source.is_whole)
    if not found:
        kind = LINE_WITHOUT_CELLS if (stated.header_line or 0) > len(source.sample) else FILE_EMPTY
        raise JobError(kind, file=name, line=stated.header_line)
    if found[0].change is choosing.align:
        raise JobError(FILE_NOT_TABULAR, file=name, reason=_ALIGNED)
    for number, line in enumerate(source.sample, start=1):
        check_pieces(line, found[0].dialect.delimiter, name, number)
    return found[0]


def _changed(source: Source, choice: choosing.Choice, name: str, work_dir: Path) -> Source:
    """Return the source with its lines changed as chosen; JobError if a line cannot be."""
    if choice.change is None:
        return source
    try:
        return source.change(choice.change, work_dir / f"{source.path.name}.changed")
    except choosing.UnevenError as error:
        raise JobError(FILE_NOT_TABULAR, file=name, reason=_ALIGNED) from error


def _read_sample(source: Source, choice: choosing.Choice) -> list[Record]:
    """Return the sample's records; those from the header on are mended if they do not fit the layout.

    The line above a table without a header may be one that another delimiter cuts.
    """
    records = choosing.read_records(source.sample, choice.dialect, choice.change)
    start = _place(records, choice.data_line)
    width = choice.layout.width
    if width == 1 or not any(one.repaired or len(one.cells) not in (0, width) for one in records):
        return records
    mender = Mender(choice.dialect, width, (one.cells for one in records[start:] if not one.repaired))
    first = max(0, min(_place(records, choice.first_line), start - 1))  # titles have any number of cells
    line = records[first].line
    mended = choosing.read_records(source.sample, choice.dialect, choice.change, mender, line)
    return [*records[:first], *mended]


def _place(records: Sequence[Record], line: int) -> int:
    """Return the index of the first record that begins at a line or below it."""
    return bisect_left(records, line, key=attrgetter("line"))


def _usual_width(rows: Sequence[Record], header_width: int) -> int:
    lengths = Counter(len(one.cells) for one in rows if len(one.cells) > 1)
    [(usual, _)] = lengths.most_common(1) or [(header_width, 0)]
    # Shorter lines may be a footer longer than a short table.
    return max(usual, header_width) if header_width in lengths else usual


def _describe(
    source: Source, name: str, choice: choosing.Choice, header: Header, rows: Sequence[Record]
) -> TextFile:
    """Return the file as the sample's rows describe it."""
    width = _usual_width(rows, header.width)
    check_columns(width, name, header.data_line, choosing.MAX_CELLS)
    text = TextFile(name, source, choice.dialect, header, width, source.size, rows)
    text.is_changed = choice.change is not None
    text.findings += [*source.encoding.findings, *header.findings()]
    text.findings += [Finding("WRAPPED_LINES")] if choice.change is choosing.unwrap else []
    text.has_stray = any(text.mender.is_suspicious(one.cells) for one in rows if one.stray)
    marked = (one.cells for one in rows if one.cells and one.cells[0].startswith(COMMENT))
    text.has_comments = width > 1 and all(map(text.is_comment, marked))
    return text


def _find_end(text: TextFile, grid: Grid, overrides: Overrides) -> None:
    """End the table above the notes and totals that end the file, or above another table."""
    line = text.header.end_line
    if line is not None:
        _cut(text, text.source.start, text.source.sample, line, text.header.footer)
    elif overrides.table.last_line is None and not grid.is_whole:
        begin, lines = text.source.tail()
        # Without a mender: a note with a comma in it is one cell, not a row under another delimiter.
        rows = choosing.grid_of(list(RecordReader(Lines(iter(lines)), text.dialect)))
        end = find_end(rows, text.width, text.header.kinds, keeps_ends=True)
        if end < len(rows):
            footer = [(row.number, row.written or row.cells) for row in rows[end:]]
            _cut(text, begin, lines, rows[end].number, footer)


def _cut(
    text: TextFile, begin: int, lines: Sequence[str], line: int, rows: Sequence[tuple[int, Cells]]
) -> None:
    """End the table above one of the lines, which start at byte `begin`; `rows` are those from it on."""
    text.end_bytes = begin + byte_count(lines[: line - 1])
    text.footer_lines = len(lines) - line + 1
    written = {number: [*cells] for number, cells in rows}
    text.footer = [(one - line + 1, written.get(one, [])) for one in range(line, max(written, default=0) + 1)]


def is_prose(name: str, lines: Sequence[str]) -> bool:
    """Return whether most lines are sentences, or the file's name says that it is about the others.

    The other lines are titles and the ends of paragraphs.
    """
    path = PurePosixPath(name.removesuffix(".gz"))
    if path.suffix.lower() in _TABLE_SUFFIXES:
        return False
    filled = [*filter(None, map(str.split, lines))]
    sentences = [words for words in filled if len(words) >= _SENTENCE_WORDS]
    is_mostly = len(sentences) * 2 >= len(filled) and any(
        one[-1].endswith(_SENTENCE_ENDS) for one in sentences
    )
    return is_mostly or _ABOUT_FILES.fullmatch(path.stem) is not None
