"""Analyze files: one staged object and one inferred schema for all of them, without AWS."""

from collections.abc import Callable, Container, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from managed_tables.documents.analyses import AnalysisDocument
from managed_tables.documents.recipes import FormerColumn, Recalled, find_former_columns
from managed_tables.errors import FILE_NOT_TABULAR, NO_TABLE_INCLUDED, JobError
from managed_tables.identifiers import is_visible, suggest_table_name
from managed_tables.messages.finding_texts import listed_warnings
from managed_tables.messages.findings import Finding, WarningCode
from managed_tables.schema import MAX_LABEL_CHARACTERS
from managed_tables_analyze.inference import (
    InferredColumn,
    Profile,
    convert_first_rows,
    find_medians,
    infer_columns,
    named_column,
    profile_columns,
    propose_format,
    read_sample_rows,
)
from managed_tables_analyze.recalling import kept_formats, recalled_wish
from managed_tables_analyze.staging.combination import MisreadError, Table
from managed_tables_analyze.staging.origins import find_joined, origin_columns
from managed_tables_analyze.staging.sql import open_duckdb
from managed_tables_analyze.staging.told_rows import find_told_rows
from managed_tables_analyze.watching import watched
from managed_tables_reader.files.archives import MAX_UNPACKED_BYTES
from managed_tables_reader.preview import Preview
from managed_tables_reader.reading_files import ReadTable, SourceFile, read
from managed_tables_reader.rows.reading import Reading, TableReading, Wish

Report = Callable[[str, int], None]
"""Called with the phase, `reading` or `inferring`, and how much of it is done, in percent."""


@dataclass(frozen=True)
class FileDialect:
    """How the first table of the job was read; for a workbook all but the header's line is None."""

    encoding: str | None
    delimiter: str | None  # "" where nothing separates cells
    quote: str | None
    header_line: int | None


@dataclass(frozen=True)
class Analysis:
    """What analyze found; `staged` is the staged object, `labels` its headers as written (None for none).

    `proven` says for each column whether every cell that is not NULL is known to convert to its type.
    `reading` is how the files were read, under the `wish` that a person stated.
    """

    staged: Path
    inferred_schema: dict[str, Any]
    findings: list[Finding]
    files: list[str]
    formats: list[dict[str, Any]]
    proven: list[bool]
    row_count: int
    dialect: FileDialect
    labels: list[str | None]
    reading: Reading
    wish: Wish
    preview: Preview
    former_columns: list[FormerColumn | None]
    medians: dict[int, float]  # of columns of numbers, to be compared with what the table holds

    def as_document(self) -> AnalysisDocument:
        """Return what analysis.json holds."""
        names = [column["name"] for column in self.inferred_schema["columns"]]
        return AnalysisDocument.read(
            {
                "inferred_schema": self.inferred_schema,
                "warnings": listed_warnings(self.findings),
                "files": self.files,
                "columns": [
                    {"name": name, "formats": formats, "proven": is_proven, **_chosen(former)}
                    for name, formats, is_proven, former in zip(
                        names, self.formats, self.proven, self.former_columns, strict=True
                    )
                ],
                "row_count": self.row_count,
                "reading": self.reading.as_record(),
                "wish": self.wish.as_record(),
                "line_counts": self.preview.line_counts,
            }
        )


def analyze(
    sources: Sequence[SourceFile],
    work_dir: Path,
    zone: ZoneInfo,
    taken_names: Container[str] = frozenset(),
    wish: Wish | None = None,
    report: Report = lambda _phase, _percent: None,
    unpacked_max_bytes: int = MAX_UNPACKED_BYTES,
    recalled: Recalled | None = None,
) -> Analysis:
    """Read the files into one staged object in `work_dir` and infer its schema.

    Raises JobError if a file cannot be read. `taken_names` are names that the suggested one must differ from;
    `wish` is what a person states about the reading; `zone` applies to times without one, unless the wish
    states another; `recalled` is what the table remembers. `report` gets the progress; archives unpack to
    `unpacked_max_bytes` together. The files are not changed; the caller deletes everything else in
    `work_dir`.
    """
    stated = wish or Wish()
    wish = recalled_wish(stated, recalled)
    zone = ZoneInfo(wish.timezone) if wish.timezone else zone
    with open_duckdb(work_dir) as connection:
        table = Table(work_dir, connection)
        preview = Preview(work_dir / "preview.rows")
        progress = _Progress(sources, report)
        tables = read(progress.files(), work_dir, wish, preview, unpacked_max_bytes)
        readings = [_stage(table, found, progress) for found in tables]
        dialect = _dialect_of(readings, table.findings)
        report("inferring", 0)
        staged = work_dir / "staged.parquet"
        joined = list(find_joined(table.places, table.files, wish.origins))
        origins = origin_columns(wish.origins, table.places, table.files)
        table.finish(staged, origins)
        labels = _labels(table)
        former_columns = find_former_columns(recalled.recipe if recalled else None, labels)
        judged = infer_columns(
            connection,
            staged,
            labels,
            table.files,
            names=table.names,
            delimiter=dialect.delimiter,
            is_workbook=table.is_workbook,
            types=table.types,
            timezone=zone.key,
            reader_findings=[*table.findings, *table.grounds],
            kept=kept_formats(former_columns),
            report=partial(report, "inferring"),
        )
        judged[: len(origins)] = (named_column(one.ground, nullable=one.nullable) for one in origins)
        told = find_told_rows(
            connection, staged, [column.type for column in judged], table.files, first=len(origins)
        )
        findings = [*table.findings, *joined, *_find_cut_labels(table), *told]
        types = [(column.type, column.formats) for column in judged]
        shown_rows = convert_first_rows(connection, staged, types, table.row_count)
        sample_rows = read_sample_rows(connection, table.names, types, zone)
        medians = find_medians(connection, types) if recalled else {}
        profiles = profile_columns(connection, types, shown_rows, zone)
    columns = list(map(_described, table.names, labels, judged, profiles))
    return Analysis(
        staged=staged,
        inferred_schema={
            "suggested_table_name": suggest_table_name(sources[0].name, taken_names),
            "columns": columns,
            "sample_rows": sample_rows,
            "total_row_count_estimate": table.row_count,
        },
        findings=[*findings, *(one for column in judged for one in column.findings)],
        files=table.files,
        formats=[column.formats.as_record() for column in judged],
        proven=[column.is_proven for column in judged],
        row_count=table.row_count,
        dialect=dialect,
        labels=table.labels,
        reading=Reading(zone.key, tuple(readings)),
        wish=stated,
        preview=preview,
        former_columns=former_columns,
        medians=medians,
    )


def _described(name: str, label: str, column: InferredColumn, profile: Profile) -> dict[str, Any]:
    return {
        "name": name,
        "display_name": label.strip() if is_visible(label) else name,
        "type": column.type.value,
        "nullable": column.nullable,
        "source": label,
        "inference": column.inference,
        "profile": vars(profile),
        **propose_format(column, label, profile),
    }


def _labels(table: Table) -> list[str]:
    pairs = zip(table.labels, table.names, strict=True)
    return [(label or name).strip()[:MAX_LABEL_CHARACTERS] for label, name in pairs]


def _chosen(former: FormerColumn | None) -> dict[str, Any]:
    choice = former.choice.model_dump(mode="json", exclude_none=True) if former else {}
    return {"choice": choice} if choice else {}


def _find_cut_labels(table: Table) -> list[Finding]:
    """Return findings about labels that are longer than a table's may be."""
    cut = [
        name
        for label, name in zip(table.labels, table.names, strict=True)
        if label and len(label.strip()) > MAX_LABEL_CHARACTERS
    ]
    values = {"limit": MAX_LABEL_CHARACTERS}
    return [Finding(WarningCode.LABELS_CUT, values, len(cut), columns=tuple(cut))] if cut else []


class _Progress:
    """Reports how many bytes are read: of a file none at first, half once its lines are known, then all."""

    def __init__(self, sources: Sequence[SourceFile], report: Report) -> None:
        self._sources, self._report = sources, report
        self._total = sum(source.path.stat().st_size for source in sources) or 1
        self._before = self._size = self._most = 0

    def files(self) -> Iterator[SourceFile]:
        """Yield the files."""
        for source in self._sources:
            self._size = source.path.stat().st_size
            self._tell(self._before * 100 // self._total)
            yield source
            self._before += self._size

    def staging(self, table: Table) -> AbstractContextManager[None]:
        """Report the second half of a file while the rows of one of its tables are staged."""
        half, whole = (2 * self._before + self._size) * 50, (self._before + self._size) * 100
        return watched(table.connection, self._tell, half // self._total, whole // self._total)

    def _tell(self, percent: int) -> None:
        self._most = max(self._most, percent)  # each sheet of a workbook begins at its file's half
        self._report("reading", self._most)


def _stage(table: Table, found: ReadTable, progress: _Progress) -> TableReading:
    """Stage the rows of a file or sheet that is imported; return how it was read."""
    if found.first_reading.file == len(table.files):
        table.add_file(found.first_reading.name)
    table.findings += found.findings
    if found.part is not None and found.first_reading.include:
        with progress.staging(table):
            try:
                table.add(found.part)
            except MisreadError:
                table.add(found.read_exactly())
    return found.reading


def _dialect_of(readings: Sequence[TableReading], findings: Sequence[Finding]) -> FileDialect:
    """Return how the first included table was read; JobError if there is none."""
    for reading in readings:
        if reading.include:
            delimiter = "" if reading.kind == "csv" and reading.delimiter is None else reading.delimiter
            return FileDialect(reading.encoding, delimiter, reading.quote, reading.header_line)
    for finding in findings:
        if finding.code is WarningCode.NOT_A_TABLE:
            raise JobError(FILE_NOT_TABULAR, file=finding.file, reason="é um texto corrido")
    raise JobError(NO_TABLE_INCLUDED)
