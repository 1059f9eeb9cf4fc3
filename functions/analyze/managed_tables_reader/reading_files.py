"""Read files of every kind, one table after the other, and record how each file and sheet was read.

Or weigh, too, the ways to read them: the best few candidates of each table, with their bits by part.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import cast

from managed_tables.ahead import one_ahead
from managed_tables.documents.analyses import TableReading
from managed_tables.documents.recipes import TableKind
from managed_tables.errors import FILE_EMPTY, FILE_KIND_REFUSED, JobError
from managed_tables.messages.findings import Finding, preview
from managed_tables_reader.files.archives import Room, gunzip, unpack
from managed_tables_reader.files.kinds import Kind, detect_kind
from managed_tables_reader.files.source import open_source
from managed_tables_reader.layout.search import Grid, Ranked, rank_layouts
from managed_tables_reader.preview import LineIndex, Preview
from managed_tables_reader.rows import reasons
from managed_tables_reader.rows.notes import Extent
from managed_tables_reader.rows.parts import Part
from managed_tables_reader.rows.reading import AllOverrides, LineMask, Overrides, beginning, stated_places
from managed_tables_reader.rows.sheets import Batch, Sheet
from managed_tables_reader.text.choosing import align, choose
from managed_tables_reader.text.dialect import NO_QUOTE
from managed_tables_reader.text.text_file import TextFile, open_text
from managed_tables_reader.text.text_table import as_it_stands, normalise
from managed_tables_reader.workbooks.opening import read_workbook
from managed_tables_reader.workbooks.sheet_tables import (
    HEAD_ROWS,
    StagedSheet,
    choose_sheets,
    grid_rows,
    stage_sheet,
)

CANDIDATES = 3


@dataclass(frozen=True)
class SourceFile:
    """One file: its path, and its name as people know it."""

    path: Path
    name: str


@dataclass
class ReadTable:
    """A file or sheet as it was read."""

    first_reading: TableReading
    part: Part | None  # its rows, until the next table is asked for; None for a sheet that is not imported
    findings: list[Finding] = field(default_factory=list)  # about the whole file
    read_again: Callable[[], Part] | None = None

    @property
    def extent(self) -> Extent | None:
        """What became of its lines; None of a table that is not read."""
        return self.part.extent if self.part else None

    @property
    def reading(self) -> TableReading:
        """How the table was read, up to what became of its part: a last row of sums is left out later."""
        if self.part is None:
            return self.first_reading
        texts = list(filter(None, map(beginning, self.part.skip_texts)))
        found = self.part.places | ({"skip_texts": texts} if texts else {})
        return self.first_reading.model_copy(update=found)

    def read_exactly(self) -> Part:
        """Read the rows again, line by line, where they are not as regular as they seemed."""
        assert self.read_again is not None  # noqa: S101 - only a part that was read as it is may be misread
        self.part = self.read_again()
        return self.part


@dataclass(frozen=True)
class _OpenedFile:
    """A file of a known kind, unpacked if it was gzipped; a text is opened."""

    path: Path
    name: str
    kind: Kind
    text: TextFile | None
    is_unpacked: bool = False


@dataclass(frozen=True)
class Candidate:
    """A way to read a table: its delimiter and quote (None for a worksheet), and its layout with its bits."""

    delimiter: str | None
    quote: str | None
    layout: Ranked


Weighed = dict[tuple[str, str | None], list[Candidate]]
"""The best candidates by the first lines, best first, of each file and sheet, by name and sheet."""


@dataclass
class FileReader:
    """Reads files of every kind; counts them, members of archives each as one."""

    work_dir: Path  # what is made there for a table is deleted when the next one is asked for
    overrides: AllOverrides
    preview: Preview  # of the lines of all tables
    room: Room  # for what all archives unpack to
    weighed: Weighed | None = None  # takes the candidates, if they are asked for
    _upload: int | None = None  # the number of the job's file, if the bytes are those that were uploaded
    _files: int = 0

    def read(self, files: Iterable[SourceFile]) -> Iterator[ReadTable]:
        """Yield all files and sheets in order, members of archives and what is not imported as well.

        A file is taken from `files` when those before it were read. Raises JobError if one cannot be read.
        """
        for number, file in enumerate(files):
            self._upload = number
            yield from self._read(self._open(file.path, file.name, self._files))

    def _open(self, path: Path, name: str, file: int) -> _OpenedFile:
        """Open what will be the job's file of number `file`; changes nothing here."""
        if path.stat().st_size == 0:
            raise JobError(FILE_EMPTY, file=name)
        packed = path
        path, kind, words = _unpack_text(packed, name, self.work_dir, self.room)
        if kind is Kind.OTHER:
            raise JobError(FILE_KIND_REFUSED, file=name, reason=words)
        text = open_text(path, name, self.work_dir, self.overrides.of(file)) if kind is Kind.TEXT else None
        return _OpenedFile(path, name, kind, text, path != packed)

    def _read(self, opened: _OpenedFile) -> Iterator[ReadTable]:
        if opened.kind is Kind.ZIP:
            yield from self._read_archive(opened.path, opened.name)
            return
        file = self._files
        self._files += 1
        if opened.is_unpacked:
            self._upload = None  # its bytes are not those of an upload
            self.room.left -= opened.path.stat().st_size
        if opened.text:
            yield from self._read_text(opened.path, opened.text, file)
        else:
            yield from self._read_workbook(opened.path, opened.kind, opened.name, file)
        if opened.is_unpacked:
            opened.path.unlink()

    def _read_archive(self, path: Path, name: str) -> Iterator[ReadTable]:
        self._upload = None  # a member's bytes are not those of an upload
        first = self._files
        with closing(unpack(path, name, self.work_dir, self.room)) as members:
            opened = (
                (member, self._open(member, f"{name}/{member_name}", first + number))
                for number, (member_name, member) in enumerate(members)
            )
            with closing(one_ahead(opened)) as files:
                for member, file in files:
                    self.room.left -= member.stat().st_size
                    yield from self._read(file)
                    member.unlink()

    def _read_text(self, path: Path, text: TextFile, file: int) -> Iterator[ReadTable]:
        overrides = self.overrides.of(file)

        def read_exactly() -> Part:
            part = normalise(text, self.work_dir)
            part.file = file
            return part

        if self.weighed is not None:
            self.weighed[text.name, None] = _weigh_text(path, text.name, self.work_dir, overrides)
        part = as_it_stands(text)
        if part is None:
            part = read_exactly()
        part.file = file
        reading = _text_reading(text, part, overrides)
        if text.is_prose or overrides.table.include is False:
            reading = reading.left_out(reasons.PROSE if text.is_prose else reasons.EXCLUDED)
        shown = preview([text.header.labels or [text.name]])  # of prose, the first sentence
        findings = [Finding("NOT_A_TABLE", preview=shown, file=text.name)] if text.is_prose else []
        table = ReadTable(reading, part, findings, read_exactly)
        yield table
        part = table.part or part
        self.preview.add_text(text, part, path, self._upload)
        for made in {part.path, text.source.path} - {path}:
            made.unlink(missing_ok=True)

    def _read_workbook(self, path: Path, kind: Kind, name: str, file: int) -> Iterator[ReadTable]:
        tables, findings = choose_sheets(
            self._staged(path, kind, name, file), cast("TableKind", kind.value), name
        )
        findings = [finding.at(name) for finding in findings]
        for reading, part in tables:
            yield ReadTable(reading, part, findings)
            findings = []
            if part is not None:
                part.path.unlink()

    def _staged(self, path: Path, kind: Kind, name: str, file: int) -> list[StagedSheet]:
        """Return the sheets, those that may be imported with their parts."""
        staged: list[StagedSheet] = []
        for number, sheet in enumerate(read_workbook(path, kind, name, self.room.limit)):
            target = self.work_dir / f"{path.name}.sheet{number:04d}"
            overrides = self.overrides.of(file, sheet.name).recalled()
            is_wanted = (
                sheet.visible if overrides.table.include is None else overrides.table.include or sheet.visible
            )
            if self.weighed is not None:
                self.weighed[name, sheet.name] = _weigh_sheet(sheet, overrides)
            index = LineIndex()
            sheet.batches = self.preview.copy(sheet.batches, index)
            part = stage_sheet(sheet, name, target, overrides) if is_wanted else None
            deque(sheet.batches, maxlen=0)  # the preview also shows what the table does not need
            self.preview.add(index, part)
            if part is not None:
                part.file = file
            staged.append(StagedSheet(sheet.name, sheet.visible, part, overrides))
        return staged


def _text_reading(text: TextFile, part: Part, overrides: Overrides) -> TableReading:
    encoding, dialect = text.source.encoding.name, text.dialect
    return reasons.reading_of(
        part,
        text.name,
        "csv",
        reasons.of_text(encoding, dialect.delimiter, part.header_line, overrides),
        encoding=encoding,
        delimiter=dialect.delimiter or None,
        quote=None if dialect.quote == NO_QUOTE else dialect.quote,
        escape=dialect.escape or None,
    )


def _unpack_text(path: Path, name: str, work_dir: Path, room: Room) -> tuple[Path, Kind, str]:
    """Return the file, or what gzip has packed in it, its kind, and what it is where that is refused."""
    kind, words = detect_kind(path)
    if kind is not Kind.GZIP:
        return path, kind, words
    unpacked = work_dir / f"{path.name}.unpacked"
    gunzip(path, name, unpacked, room)
    return unpacked, *detect_kind(unpacked)


def _weigh_sheet(sheet: Sheet, overrides: Overrides) -> list[Candidate]:
    """Return the best candidates by the first rows; none where the file says what the sheet is."""
    head: list[Batch] = []
    while sum(map(len, head)) < HEAD_ROWS and (batch := next(sheet.batches, None)):
        head.append(batch)
    sheet.batches = chain(head, sheet.batches)
    rows = chain.from_iterable(batch.rows() for batch in LineMask(overrides).batches(head))
    grid = Grid(
        grid_rows([*islice(rows, HEAD_ROWS)]), keeps_ends=False, is_whole=False, known=overrides.known
    )
    if sheet.labels is not None or not grid.rows:
        return []
    return [Candidate(None, None, one) for one in rank_layouts(grid, stated_places(overrides), CANDIDATES)]


def _weigh_text(path: Path, name: str, work_dir: Path, overrides: Overrides) -> list[Candidate]:
    source = open_source(path, name, work_dir, overrides)
    stated = stated_places(overrides)
    found: list[Candidate] = []
    for choice in choose(source.sample, overrides, stated, is_whole=source.is_whole)[:CANDIDATES]:
        quote = None if choice.dialect.quote == NO_QUOTE else choice.dialect.quote
        layouts = rank_layouts(choice.grid, stated, CANDIDATES, choice.bits)
        delimiter = "  " if choice.change is align else choice.dialect.delimiter
        found += [Candidate(delimiter, quote, layout) for layout in layouts]
    return sorted(found, key=lambda one: sum(one.layout.bits.values()))[:CANDIDATES]
