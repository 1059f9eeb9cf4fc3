"""Owns the whole of analyze: files in, one staged object and one inferred schema out; knows no AWS."""

from collections.abc import Container, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from managed_tables.errors import FILE_EMPTY, FILE_KIND_REFUSED, JobError
from managed_tables.identifiers import make_column_names, suggest_table_name
from managed_tables_analyze.archives import MAX_UNPACKED_BYTES, unpack
from managed_tables_analyze.combination import MisreadError, Table
from managed_tables_analyze.inference import infer_columns, read_sample_rows
from managed_tables_analyze.kinds import Kind, detect_kind
from managed_tables_analyze.parts import Part, open_duckdb
from managed_tables_analyze.sheet_table import stage_sheet
from managed_tables_analyze.text_table import as_it_stands, normalise, open_text
from managed_tables_analyze.totals import warn_of_totals
from managed_tables_analyze.workbooks import read_workbook


@dataclass(frozen=True)
class SourceFile:
    """One uploaded file: where it is, and its name as people know it."""

    path: Path
    name: str


@dataclass(frozen=True)
class FileDialect:
    """How the first table of the job was read; all but the header's line None for a workbook."""

    encoding: str | None
    delimiter: str | None
    quote: str | None
    header_line: int | None


@dataclass(frozen=True)
class Analysis:
    """What analyze found; `staged` is the staged object, `labels` its headers as written (None for none)."""

    staged: Path
    inferred_schema: dict[str, Any]
    warnings: list[str]
    files: list[str]
    formats: list[dict[str, Any]]
    row_count: int
    dialect: FileDialect
    labels: list[str | None]

    def as_record(self) -> dict[str, Any]:
        """Return what analysis.json holds."""
        names = [column["name"] for column in self.inferred_schema["columns"]]
        return {
            "inferred_schema": self.inferred_schema,
            "warnings": self.warnings,
            "files": self.files,
            "columns": [
                {"name": name, "formats": formats} for name, formats in zip(names, self.formats, strict=True)
            ],
            "row_count": self.row_count,
        }


def analyze(
    sources: Sequence[SourceFile],
    work_dir: Path,
    zone: ZoneInfo,
    taken_names: Container[str] = frozenset(),
) -> Analysis:
    """Read the files into one staged object in `work_dir` and infer its schema.

    JobError where a file cannot be read. `taken_names` are tables that the suggested name must not be.
    The files themselves are left alone; what else is written in `work_dir` is the caller's to delete.
    """
    with open_duckdb(work_dir) as connection:
        table = Table(work_dir, connection)
        reader = _Reader(table, work_dir)
        for source in sources:
            reader.read(source.path, source.name)
        staged = work_dir / "staged.parquet"
        table.finish(staged)
        labels = [label or name for label, name in zip(table.labels, table.names, strict=True)]
        judged = infer_columns(
            connection,
            staged,
            labels,
            table.files,
            delimiter=reader.dialect.delimiter,
            point_columns=table.point_columns,
        )
        warnings = [*table.warnings, *warn_of_totals(connection, staged, len(labels), table.files)]
        types = [(column.type, column.formats) for column in judged]
        sample_rows = read_sample_rows(connection, staged, table.names, types, zone)
    columns = [
        {
            "name": name,
            "display_name": label.strip(),
            "type": column.type.value,
            "nullable": column.nullable,
            "inference": column.inference,
        }
        for name, label, column in zip(table.names, labels, judged, strict=True)
    ]
    return Analysis(
        staged=staged,
        inferred_schema={
            "suggested_table_name": suggest_table_name(sources[0].name, taken_names),
            "columns": columns,
            "sample_rows": sample_rows,
            "total_row_count_estimate": table.row_count,
        },
        warnings=warnings,
        files=table.files,
        formats=[column.formats.as_record() for column in judged],
        row_count=table.row_count,
        dialect=reader.dialect,
        labels=table.labels,
    )


class _Reader:
    """Reads files of every kind into a table."""

    def __init__(self, table: Table, work_dir: Path) -> None:
        self._table = table
        self._work_dir = work_dir
        self._dialect: FileDialect | None = None
        self._unpacked_left = MAX_UNPACKED_BYTES

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

    def _read_workbook(self, path: Path, kind: Kind, name: str) -> None:
        file = self._table.add_file(name)
        parts, warnings = self._sheets(path, kind, name)
        if not parts:
            raise JobError(FILE_EMPTY, file=name)
        parts[0].warnings += warnings
        if self._dialect is None:
            self._dialect = FileDialect(None, None, None, parts[0].header_line)
        for part in parts:
            part.file = file
            self._table.add(part)
            part.path.unlink()

    def _sheets(self, path: Path, kind: Kind, name: str) -> tuple[list[Part], list[str]]:
        """Return the sheets to be read: all that have rows where their headers agree, else the first."""
        parts: list[Part] = []
        hidden: list[str] = []
        for number, sheet in enumerate(read_workbook(path, kind, name)):
            if not sheet.visible:
                hidden.append(sheet.name or "")
                continue
            part = stage_sheet(sheet, name, self._work_dir / f"{path.name}.sheet{number:04d}")
            if part is not None:
                parts.append(part)
        warnings = [f"planilhas ocultas não importadas: {', '.join(hidden)}"] if hidden else []
        return _choose(parts, warnings), warnings


def _choose(parts: list[Part], warnings: list[str]) -> list[Part]:
    """Return the parts that have rows if their headers agree, else the first; delete the others."""
    filled = [part for part in parts if part.expected_rows] or parts[:1]
    names = [make_column_names(part.labels) for part in filled]
    chosen = filled if all(one == names[0] for one in names) else filled[:1]
    if len(chosen) < len(filled):
        left = ", ".join(part.sheet or "" for part in filled[1:])
        warnings.append(f"só a planilha {filled[0].sheet} foi importada; têm outro cabeçalho: {left}")
    bare = [part for part in parts if part not in filled and make_column_names(part.labels) != names[0]]
    if bare:
        left = ", ".join(part.sheet or "" for part in bare)
        warnings.append(f"planilhas só com cabeçalho, sem linhas, não importadas: {left}")
    for part in parts:
        if part not in chosen:
            part.path.unlink()
    return chosen
