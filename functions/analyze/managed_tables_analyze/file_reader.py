"""Read files of every kind into one table, and tell how each file and sheet of them was read."""

from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from managed_tables.errors import FILE_EMPTY, FILE_KIND_REFUSED, JobError
from managed_tables_analyze import reasons
from managed_tables_analyze.archives import MAX_UNPACKED_BYTES, unpack
from managed_tables_analyze.combination import MisreadError, Table
from managed_tables_analyze.kinds import Kind, detect_kind
from managed_tables_analyze.parts import Part
from managed_tables_analyze.reading import TableReading, Wish
from managed_tables_analyze.sheet_choice import SheetChoice, choose_sheets
from managed_tables_analyze.sheet_table import stage_sheet
from managed_tables_analyze.sheets import Sheet
from managed_tables_analyze.text_table import TextFile, as_it_stands, normalise, open_text
from managed_tables_analyze.workbooks import read_workbook


@dataclass(frozen=True)
class FileDialect:
    """How the first table of the job was read; all but the header's line None for a workbook."""

    encoding: str | None
    delimiter: str | None
    quote: str | None
    header_line: int | None


class FileReader:
    """Reads files into a table; `tables` tells how, one reading a file or sheet, in order."""

    def __init__(self, table: Table, work_dir: Path, wish: Wish) -> None:
        self._table = table
        self._work_dir = work_dir
        self._wish = wish
        self._dialect: FileDialect | None = None
        self._unpacked_left = MAX_UNPACKED_BYTES
        self.tables: list[TableReading] = []

    @property
    def dialect(self) -> FileDialect:
        """How the first table was read."""
        assert self._dialect is not None  # noqa: S101 - a job has a file, and what has no table is refused
        return self._dialect

    def read(self, path: Path, name: str) -> None:
        """Read one file, or each of an archive's; JobError where it cannot be."""
        if path.stat().st_size == 0:
            raise JobError(FILE_EMPTY, file=name)
        kind, words = detect_kind(path)
        if kind is Kind.OTHER:
            raise JobError(FILE_KIND_REFUSED, file=name, reason=words)
        if kind is Kind.ZIP:
            self._read_archive(path, name)
        elif kind is Kind.TEXT:
            self._read_text(path, name)
        else:
            self._read_workbook(path, kind, name)

    def _read_archive(self, path: Path, name: str) -> None:
        with closing(unpack(path, name, self._work_dir, self._unpacked_left)) as members:
            for member in members:
                self._unpacked_left -= member.path.stat().st_size
                self.read(member.path, f"{name}/{member.name}")
                member.path.unlink()

    def _read_text(self, path: Path, name: str) -> None:
        text = open_text(path, name, self._work_dir)
        file = self._table.add_file(name)
        if self._dialect is None:
            dialect = text.dialect
            self._dialect = FileDialect(
                text.encoding.name, dialect.delimiter, dialect.quote, text.header.first_line
            )
        part = as_it_stands(text)
        if part is not None:
            part.file = file
            try:
                self._table.add(part)
            except MisreadError:
                part = None
        if part is None:
            part = normalise(text, self._work_dir)
            part.file = file
            self._table.add(part)
        if part.path != path:
            part.path.unlink(missing_ok=True)
        self.tables.append(_text_reading(text, part))

    def _read_workbook(self, path: Path, kind: Kind, name: str) -> None:
        file = self._table.add_file(name)
        choice = self._choose_sheets(path, kind, name)
        if not choice.chosen:
            raise JobError(FILE_EMPTY, file=name)
        choice.chosen[0].warnings += choice.warnings
        if self._dialect is None:
            self._dialect = FileDialect(None, None, None, choice.chosen[0].header_line)
        for part in choice.chosen:
            part.file = file
            self._table.add(part)
            part.path.unlink()
        self.tables += [replace(reading, file=file, name=name) for reading in choice.readings]

    def _choose_sheets(self, path: Path, kind: Kind, name: str) -> SheetChoice:
        staged: list[tuple[Sheet, Part | None]] = []
        for number, sheet in enumerate(read_workbook(path, kind, name)):
            target = self._work_dir / f"{path.name}.sheet{number:04d}"
            staged.append((sheet, stage_sheet(sheet, name, target) if sheet.visible else None))
        return choose_sheets(staged, kind)


def _text_reading(text: TextFile, part: Part) -> TableReading:
    dialect, header = text.dialect, text.header
    return TableReading(
        file=part.file,
        sheet=None,
        include=True,
        kind="csv",
        name=text.name,
        encoding=text.encoding.name,
        delimiter=dialect.delimiter or None,
        quote=dialect.quote or None,
        escape=dialect.escape or None,
        header_line=header.first_line,
        header_lines=header.line_count,
        first_line=part.extent.first_line,
        last_line=part.extent.last_line,
        skipped_lines=tuple(sorted(part.extent.skipped)),
        rows=part.expected_rows or 0,
        reasons=(
            reasons.encoding_detected(text.encoding.name),
            reasons.delimiter_detected(dialect.delimiter),
            reasons.header_detected(header.first_line),
        ),
    )
