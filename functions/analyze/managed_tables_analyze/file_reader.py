"""Read files of every kind into one table, and record how each file and sheet was read."""

from collections import deque
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from managed_tables.errors import FILE_EMPTY, FILE_KIND_REFUSED, FILE_NOT_TABULAR, NO_TABLE_INCLUDED, JobError
from managed_tables.messages.findings import Finding, WarningCode, preview
from managed_tables_analyze.staging.combination import MisreadError, Table
from managed_tables_reader.files.ahead import one_ahead
from managed_tables_reader.files.archives import MAX_UNPACKED_BYTES, unpack
from managed_tables_reader.files.kinds import Kind, detect_kind
from managed_tables_reader.preview import Grid, Preview, TextSource
from managed_tables_reader.rows import reasons
from managed_tables_reader.rows.parts import Part
from managed_tables_reader.rows.reading import TableReading, TableWish, Wish
from managed_tables_reader.text.dialect import NO_QUOTE
from managed_tables_reader.text.text_file import TextFile, open_text
from managed_tables_reader.text.text_table import as_it_stands, normalise
from managed_tables_reader.workbooks import read_workbook
from managed_tables_reader.workbooks.tables.sheet_choice import SheetChoice, StagedSheet, choose_sheets
from managed_tables_reader.workbooks.tables.sheet_table import stage_sheet


@dataclass(frozen=True)
class FileDialect:
    """How the first table of the job was read; for a workbook all but the header's line is None."""

    encoding: str | None
    delimiter: str | None
    quote: str | None
    header_line: int | None


@dataclass(frozen=True)
class _OpenedFile:
    """A file of a known kind; a text is opened."""

    path: Path
    name: str
    kind: Kind
    text: TextFile | None


class FileReader:
    """Reads files into a table; `tables` are the readings, one for each file or sheet, in order."""

    def __init__(self, table: Table, work_dir: Path, wish: Wish) -> None:
        self._table = table
        self._work_dir = work_dir
        self._wish = wish
        self._dialect: FileDialect | None = None
        self._unpacked_left = MAX_UNPACKED_BYTES
        self.tables: list[TableReading] = []
        self.preview = Preview(work_dir / "preview.rows")
        self._upload: int | None = None

    @property
    def dialect(self) -> FileDialect:
        """How the first included table was read; raises JobError if there is none."""
        if self._dialect is not None:
            return self._dialect
        for finding in self._table.findings:
            if finding.code is WarningCode.NOT_A_TABLE:
                raise JobError(FILE_NOT_TABULAR, file=finding.file, reason="é um texto corrido")
        raise JobError(NO_TABLE_INCLUDED)

    def read_upload(self, number: int, path: Path, name: str) -> None:
        """Read one of the job's files, counted from 0; JobError if it cannot be read."""
        self._upload = number
        self._read(self._open(path, name, len(self._table.files)))

    def _open(self, path: Path, name: str, file: int) -> _OpenedFile:
        """Open what will be the job's file of number `file`; changes nothing here."""
        if path.stat().st_size == 0:
            raise JobError(FILE_EMPTY, file=name)
        kind, words = detect_kind(path)
        if kind is Kind.OTHER:
            raise JobError(FILE_KIND_REFUSED, file=name, reason=words)
        text = open_text(path, name, self._work_dir, self._wish.of(file)) if kind is Kind.TEXT else None
        return _OpenedFile(path, name, kind, text)

    def _read(self, opened: _OpenedFile) -> None:
        if opened.kind is Kind.ZIP:
            self._read_archive(opened.path, opened.name)
        elif opened.text:
            self._read_text(opened.path, opened.text)
        else:
            self._read_workbook(opened.path, opened.kind, opened.name)

    def _read_archive(self, path: Path, name: str) -> None:
        self._upload = None  # a member's bytes are not those of an upload
        first = len(self._table.files)
        with closing(unpack(path, name, self._work_dir, self._unpacked_left)) as members:
            opened = (
                self._open(member.path, f"{name}/{member.name}", first + number)
                for number, member in enumerate(members)
            )
            with closing(one_ahead(opened)) as files:
                for file in files:
                    self._unpacked_left -= file.path.stat().st_size
                    self._read(file)
                    file.path.unlink()

    def _read_text(self, path: Path, text: TextFile) -> None:
        file = self._table.add_file(text.name)
        wish = self._wish.of(file)
        if text.is_prose:
            self._table.findings.append(_about_prose(text))
        include = wish.include is not False and not text.is_prose
        if include and self._dialect is None:
            dialect = text.dialect
            self._dialect = FileDialect(
                text.source.encoding.name, dialect.delimiter, dialect.quote, text.header.first_line
            )
        part = self._stage_text(text, file, include=include)
        self.preview.add_text(_text_source(path, text, self._upload), part, text.header)
        for made in {part.path, text.source.path} - {path}:
            made.unlink(missing_ok=True)
        reading = _text_reading(text, part, wish)
        why = reasons.PROSE if text.is_prose else reasons.EXCLUDED
        self.tables.append(reading if include else reading.left_out(why))

    def _stage_text(self, text: TextFile, file: int, *, include: bool) -> Part:
        part = as_it_stands(text)
        if part is not None:
            part.file = file
            try:
                if include:
                    self._table.add(part)
                return part
            except MisreadError:
                pass
        part = normalise(text, self._work_dir)
        part.file = file
        if include:
            self._table.add(part)
        return part

    def _read_workbook(self, path: Path, kind: Kind, name: str) -> None:
        file = self._table.add_file(name)
        choice = self._choose_sheets(path, kind, name, file)
        if not choice.has_cells:
            raise JobError(FILE_EMPTY, file=name)
        if not choice.chosen:
            self.tables += [replace(reading, file=file, name=name) for reading in choice.readings]
            return
        self._table.findings += [finding.at(name) for finding in choice.findings]
        if self._dialect is None:
            self._dialect = FileDialect(None, None, None, choice.chosen[0].header_line)
        for part in choice.chosen:
            part.file = file
            self._table.add(part)
            part.path.unlink()
        staged = {part.sheet: part for part in choice.chosen}
        self.tables += [
            replace(_as_staged(reading, staged.get(reading.sheet)), file=file, name=name)
            for reading in choice.readings
        ]

    def _choose_sheets(self, path: Path, kind: Kind, name: str, file: int) -> SheetChoice:
        staged: list[StagedSheet] = []
        for number, sheet in enumerate(read_workbook(path, kind, name)):
            target = self._work_dir / f"{path.name}.sheet{number:04d}"
            wish = self._wish.of(file, sheet.name)
            is_wanted = sheet.visible if wish.include is None else wish.include or sheet.visible
            grid = Grid(self._work_dir / f"{path.name}.grid")
            sheet.batches = grid.tee(sheet.batches)
            part = stage_sheet(sheet, name, target, wish) if is_wanted else None
            deque(sheet.batches, maxlen=0)  # the preview also shows what the table does not need
            self.preview.add_sheet(grid, part)
            staged.append(StagedSheet(sheet.name, sheet.visible, part, wish))
        return choose_sheets(staged, kind)


def _as_staged(reading: TableReading, part: Part | None) -> TableReading:
    """Return a sheet's reading after its rows were staged: a last row of sums is left out."""
    if part is None or not reading.include:
        return reading
    return replace(
        reading,
        last_line=part.extent.last_line,
        skipped_lines=tuple(sorted(part.extent.skipped)),
        rows=part.expected_rows or 0,
    )


def _text_source(path: Path, text: TextFile, upload: int | None) -> TextSource:
    source, delimiter = text.source, text.dialect.delimiter
    quote = "" if text.dialect.quote == NO_QUOTE else text.dialect.quote
    return TextSource(path, source.encoding, delimiter, quote, upload, text.is_changed, source.path)


def _about_prose(text: TextFile) -> Finding:
    """Return the finding that a file is not a table; its preview shows the first sentence."""
    return Finding(
        WarningCode.NOT_A_TABLE, preview=preview([text.header.labels or [text.name]]), file=text.name
    )


def _text_reading(text: TextFile, part: Part, wish: TableWish) -> TableReading:
    dialect, header = text.dialect, text.header
    return TableReading(
        file=part.file,
        sheet=None,
        include=True,
        kind="csv",
        name=text.name,
        encoding=text.source.encoding.name,
        delimiter=dialect.delimiter or None,
        quote=None if dialect.quote == NO_QUOTE else dialect.quote,
        escape=dialect.escape or None,
        header_line=header.first_line,
        header_lines=header.line_count,
        first_line=part.extent.first_line,
        last_line=part.extent.last_line,
        skipped_lines=tuple(sorted(part.extent.skipped)),
        rows=part.expected_rows or 0,
        reasons=reasons.of_text(text.source.encoding.name, dialect.delimiter, header.first_line, wish),
    )
