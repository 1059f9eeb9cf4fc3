"""Analyze files: one staged object and one inferred schema for all of them, without AWS."""

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Literal, TypeVar
from zoneinfo import ZoneInfo

import duckdb

from managed_tables.conversion.columns import ColumnChoice
from managed_tables.documents import analyses
from managed_tables.documents.pictures import LineAccount
from managed_tables.documents.recipes import FormerColumn, Recalled, RecipeTable, find_former_columns
from managed_tables.documents.statements import ReadingStatement
from managed_tables.errors import FILE_NOT_TABULAR, NO_TABLE_INCLUDED, JobError
from managed_tables.identifiers import fold_label, is_visible, suggest_table_name
from managed_tables.jobs.pictures import digest_rows
from managed_tables.jobs.staged_rows import staged_rows
from managed_tables.messages.findings import Finding
from managed_tables.schema import MAX_LABEL_CHARACTERS
from managed_tables_analyze.inference import profiles
from managed_tables_analyze.inference.explanation import JudgedColumn
from managed_tables_analyze.inference.inferring import infer_columns, named_column, watched
from managed_tables_analyze.staging.combination import (
    CombinedTable,
    MisreadError,
    find_joined,
    origin_columns,
)
from managed_tables_analyze.staging.line_shapes import mark_rows
from managed_tables_analyze.staging.sql import open_duckdb
from managed_tables_analyze.staging.told_rows import find_told_rows
from managed_tables_reader.files.archives import MAX_UNPACKED_BYTES, Room
from managed_tables_reader.preview import Preview
from managed_tables_reader.reading_files import FileReader, ReadTable, SourceFile, Weighed
from managed_tables_reader.rows.notes import Extent
from managed_tables_reader.rows.reading import NO_ORIGINS, NOTHING_STATED, AllOverrides, Known, beginning

Report = Callable[[Literal["reading", "inferring"], int], object]
"""Called with the phase, `reading` or `inferring`, and how much of it is done, in percent."""


# What a person stated of a table's reading, and is stated again.
_OVERRIDDEN = ("encoding", "delimiter", "quote", "fill_merged", "trim")


@dataclass(frozen=True)
class Analysis:
    """What analyze found; `staged` is the staged object, `labels` its headers as written (None for none)."""

    document: analyses.AnalysisDocument
    reading: analyses.JobReading  # the document's
    staged: Path
    findings: list[Finding]
    dialect: analyses.TableReading  # of the first table
    labels: list[str | None]
    preview: Preview
    former_columns: list[FormerColumn | None]
    places: Mapping[int, int]  # of the first table's columns among the inferred ones
    failures: list[Exception] = field(default_factory=list)  # of what only tells


def analyze(
    sources: Sequence[SourceFile],
    work_dir: Path,
    zone: ZoneInfo,
    taken_names: Container[str] = frozenset(),
    overrides: AllOverrides = NOTHING_STATED,
    report: Report = lambda _phase, _percent: None,
    unpacked_max_bytes: int = MAX_UNPACKED_BYTES,
    recalled: Recalled | None = None,
    weighed: Weighed | None = None,
    own: ReadingStatement | None = None,
) -> Analysis:
    """Read the files into one staged object in `work_dir` and infer its schema.

    Raises JobError if a file cannot be read. `taken_names` are names that the suggested one must differ from;
    `overrides` are what a person states about the reading; `zone` applies to times without one, unless they
    state another; `recalled` is what the table remembers. `report` gets the progress; archives unpack to
    `unpacked_max_bytes` together. `weighed` takes the candidates of each table. `own` is how a workbook of
    ours is read that has come back, unless a person states it otherwise. The files are not changed;
    the caller deletes everything else in `work_dir`.
    """
    stated = overrides.stated
    overrides = _recalled_overrides(overrides, recalled)
    if own is not None:
        overrides = replace(overrides, stated=own.merged(stated))
    zone = ZoneInfo(overrides.stated.timezone) if overrides.stated.timezone else zone
    origin_labels = overrides.stated.origin_columns or NO_ORIGINS
    with open_duckdb(work_dir) as connection:
        table = CombinedTable(work_dir, connection, is_returned=own is not None)
        preview = Preview(work_dir / "preview.rows")
        progress = _Progress(sources, report)
        room = Room(unpacked_max_bytes, unpacked_max_bytes)
        reader = FileReader(work_dir, overrides, preview, room, weighed)
        extents: list[Extent | None] = []
        readings = [_stage(table, found, progress, extents) for found in reader.read(progress.files())]
        dialect = _dialect_of(readings, table.findings)
        report("inferring", 0)
        staged = work_dir / "staged.parquet"
        joined = list(find_joined(table, origin_labels))
        origins = origin_columns(table, origin_labels)
        table.finish(staged, origins)
        labels = _labels(table)
        digests = digest_rows(connection, staged_rows(staged), _cells_in_order(labels, len(origins)))
        former_columns = find_former_columns(recalled.recipe if recalled else None, labels)
        judged = infer_columns(
            connection,
            staged,
            labels,
            table.files,
            names=table.names,
            delimiter=dialect.delimiter,
            is_workbook=table.is_workbook,
            keeps_texts=table.keeps_texts,
            types=table.types,
            timezone=zone.key,
            reader_findings=table.findings,
            former_columns=former_columns,
            report=partial(report, "inferring"),
        )
        judged[: len(origins)] = (named_column(one.ground, nullable=one.nullable) for one in origins)
        telling = _Telling()
        kinds = [column.type for column in judged]
        told: list[Finding] = telling.tell(
            "totais e grupos",
            [],
            lambda: find_told_rows(connection, staged, kinds, table.files, len(origins)),
        )
        findings = [*table.warnings, *joined, *_find_cut_labels(table), *told]
        types = [(column.type, column.formats) for column in judged]
        accounts = _accounts(readings, extents, preview)
        for account, part in zip(accounts, table.parts, strict=True):
            mark_rows(connection, staged, account.left, part.shifted(len(origins)), types)
        shown_rows = profiles.convert_first_rows(connection, staged, types, table.row_count)
        sample_rows = profiles.read_sample_rows(connection, table.names, types, zone)
        nothing: list[analyses.Profile | None] = [None] * len(types)
        profiled = telling.tell(
            "resumo das colunas",
            nothing,
            lambda: [*profiles.profile_columns(connection, types, shown_rows, zone)],
        )
    findings += telling.findings
    findings += chain.from_iterable(column.findings for column in judged)
    schema = analyses.InferredSchema(
        suggested_table_name=suggest_table_name(sources[0].name, taken_names),
        columns=list(map(_inferred, table.names, labels, judged, profiled)),
        sample_rows=sample_rows,
        total_row_count_estimate=table.row_count,
    )
    reading = analyses.JobReading(timezone=zone.key, tables=readings)
    document = analyses.AnalysisDocument(
        inferred_schema=schema,
        warnings=analyses.listed_warnings(findings),
        files=table.files,
        columns=list(map(_staged_column, table.names, judged, former_columns)),
        row_count=table.row_count,
        reading=reading,
        wish=stated,
        line_counts=preview.last_lines,
        accounts=accounts,
        digests=digests,
    )
    return Analysis(
        document,
        reading,
        staged,
        findings,
        dialect,
        table.labels,
        preview,
        former_columns,
        table.parts[0].shifted(len(origins)),
        telling.failures,
    )


_T = TypeVar("_T")


class _Telling:
    """The boundary of what only tells: an error there costs its findings, never the job, and is reported."""

    def __init__(self) -> None:
        self.failures: list[Exception] = []
        self.findings: list[Finding] = []

    def tell(self, name: str, nothing: _T, look: Callable[[], _T]) -> _T:
        """Return what was looked for, by its Portuguese name; `nothing` where that fails.

        Infrastructure errors (a full disk, no memory) are raised: to try again may help.
        """
        try:
            return look()
        except (OSError, MemoryError, duckdb.IOException, duckdb.OutOfMemoryException):
            raise
        except Exception as error:  # whatever a stranger's file does to it
            self.failures.append(error)
            self.findings.append(Finding("NOT_CHECKED", {"what": name}))
            return nothing


def _inferred(
    name: str, label: str, column: JudgedColumn, profile: analyses.Profile | None
) -> analyses.InferredColumn:
    inferred = analyses.InferredColumn(
        name=name,
        display_name=label.strip() if is_visible(label) else name,
        type=column.type,
        nullable=column.nullable,
        source=label,
        inference=column.inference,
        profile=profile,
    )
    if profile and (shown := profiles.propose_format(column, label, profile)):
        inferred.format = shown
    return inferred


def _staged_column(name: str, column: JudgedColumn, former: FormerColumn | None) -> analyses.StagedColumn:
    staged = analyses.StagedColumn(
        name=name,
        formats=column.formats,
        proven=column.is_proven,
        order_shown_by=column.order_shown_by,
        mark_shown=column.mark_shown,
    )
    if former and former.choice != ColumnChoice():
        staged.choice = former.choice
    if former and former.kept and former.kept.repairs:
        staged.repairs = former.kept.repairs
    return staged


def _labels(table: CombinedTable) -> list[str]:
    pairs = zip(table.labels, table.names, strict=True)
    return [(label or name).strip()[:MAX_LABEL_CHARACTERS] for label, name in pairs]


def _cells_in_order(labels: Sequence[str], first: int) -> list[str]:
    """Return the SQL of the files' own cells, from column `first` on, in the order of their labels."""
    places = sorted(range(first, len(labels)), key=lambda place: fold_label(labels[place]))
    return [f"c{place}" for place in places]


def _find_cut_labels(table: CombinedTable) -> list[Finding]:
    """Return findings about labels that are longer than a table's may be."""
    cut = [
        name
        for label, name in zip(table.labels, table.names, strict=True)
        if label and len(label.strip()) > MAX_LABEL_CHARACTERS
    ]
    values = {"limit": MAX_LABEL_CHARACTERS}
    return [Finding("LABELS_CUT", values, len(cut), columns=tuple(cut))] if cut else []


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

    def staging(self, table: CombinedTable) -> AbstractContextManager[None]:
        """Report the second half of a file while the rows of one of its tables are staged."""
        half, whole = (2 * self._before + self._size) * 50, (self._before + self._size) * 100
        return watched(table.connection, self._tell, half // self._total, whole // self._total)

    def _tell(self, percent: int) -> None:
        self._most = max(self._most, percent)  # each sheet of a workbook begins at its file's half
        self._report("reading", self._most)


def _stage(
    table: CombinedTable, found: ReadTable, progress: _Progress, extents: list[Extent | None]
) -> analyses.TableReading:
    """Stage the rows of a file or sheet that is imported; return how it was read, and keep its extent."""
    if found.first_reading.file == len(table.files):
        table.files.append(found.first_reading.name)
    table.findings += found.findings
    if found.part is not None and found.first_reading.include:
        with progress.staging(table):
            try:
                table.add(found.part)
            except MisreadError:
                table.add(found.read_exactly())
    extents.append(found.extent)
    return found.reading


def _accounts(
    readings: Sequence[analyses.TableReading], extents: Sequence[Extent | None], preview: Preview
) -> list[LineAccount]:
    """Return what became of each line of the files and sheets that are imported."""
    every = zip(readings, extents, preview.tables, preview.absent, strict=True)
    return [
        LineAccount(
            file=reading.name,
            sheet=reading.sheet,
            lines=shown.last_line,
            rows=max(0, extent.row_lines),
            header=extent.header_lines,
            blank=max(0, extent.blank_lines + absent),
            left_out=dict(extent.left_out),
            left=extent.left,
        )
        for reading, extent, shown, absent in every
        if reading.include and extent is not None
    ]


def _dialect_of(readings: list[analyses.TableReading], findings: list[Finding]) -> analyses.TableReading:
    """Return how the first included table was read, "" for a CSV's delimiter if it has none; or JobError."""
    for reading in readings:
        if reading.include:
            is_bare = reading.kind == "csv" and reading.delimiter is None
            return reading.model_copy(update={"delimiter": ""}) if is_bare else reading
    for finding in findings:
        if finding.code == "NOT_A_TABLE":
            raise JobError(FILE_NOT_TABULAR, file=finding.file, reason="é um texto corrido")
    raise JobError(NO_TABLE_INCLUDED)


def _recalled_overrides(overrides: AllOverrides, recalled: Recalled | None) -> AllOverrides:
    """Return the overrides with what the table remembers: beside it, since a person does not state it now."""
    if recalled is None:
        return overrides
    stated, before = overrides.stated, recalled.recipe.timezone
    origins = stated.origin_columns or recalled.found.origins
    kept = {"timezone": stated.timezone or before, "origin_columns": origins}
    return replace(overrides, stated=stated.model_copy(update=kept), known=_known(recalled))


def _known(recalled: Recalled) -> Mapping[str | None, Known]:
    """Return what is known of each sheet by its folded name; None for those of another name."""
    tables = recalled.recipe.tables
    by_sheet: dict[str | None, Known] = {
        fold_label(table.sheet or ""): _known_table(recalled, table) for table in reversed(tables)
    }
    if tables:
        by_sheet[None] = by_sheet[fold_label(tables[0].sheet or "")]
    for sheet in recalled.found.left_out:
        by_sheet[fold_label(sheet)] = replace(by_sheet.get(None, Known()), stated=(("include", False),))
    return by_sheet


def _known_table(recalled: Recalled, table: RecipeTable) -> Known:
    stated = [(name, getattr(table, name)) for name in _OVERRIDDEN if name in table.stated]
    if "header_lines" in table.stated and not table.header_lines:
        stated.append(("header_line", None))
    texts = table.skip_texts if "skip_texts" in table.stated else ()
    return Known(
        labels=recalled.labels if table.labels else frozenset(),
        header_lines=max(1, table.header_lines),
        encoding=table.encoding,
        delimiter=table.delimiter,
        stated=tuple(stated),
        skip_texts=frozenset(filter(None, map(beginning, texts))),
    )
