"""Read a file as tables: the door of the distribution `managed-tables-reader`.

    from managed_tables_reader import read
    for table in read("report.csv").tables:
        print(table.labels, [*table.rows], table.types())

What is said of a reading (reasons, warnings, why a file is refused) is data: a code, and an English sentence.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from managed_tables.documents.analyses import FileWarning, ReadingReason, TableReading
from managed_tables.documents.statements import TableStatement
from managed_tables.errors import FILE_NOT_TABULAR, NO_TABLE_INCLUDED, JobError
from managed_tables.messages.findings import WARNING_CODES, Finding
from managed_tables.messages.sentences import in_english
from managed_tables_reader.files.archives import MAX_UNPACKED_BYTES, Room
from managed_tables_reader.files.kinds import Kind, detect_kind
from managed_tables_reader.preview import Preview
from managed_tables_reader.reading_files import FileReader, ReadTable, SourceFile, Weighed
from managed_tables_reader.rows.parts import Part
from managed_tables_reader.rows.plain import Cells, PlainRows
from managed_tables_reader.rows.reading import NOTHING_STATED, SameOverrides

if TYPE_CHECKING:
    from managed_tables_reader.typed import ArrowStream, TypedRows

OVERRIDES = tuple(name for name in TableStatement.model_fields if name not in ("file", "include"))
NEEDS_INFER = "NEEDS_INFER"
_NAME = "data"  # of a file that is given as bytes


class ReadError(Exception):
    """A file that is not read; `code` is stable, the message is for people."""

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        super().__init__(message)


@dataclass(frozen=True)
class Note:
    """Something to know about a reading: a reason or a warning; `lines` are the first that it is about."""

    code: str
    text: str
    lines: tuple[int, ...] = ()
    count: int | None = None
    columns: tuple[str, ...] = ()  # labels


@dataclass(frozen=True)
class Table:
    """One table of a file: the labels as written (None for none), what was decided, and why."""

    file: str  # its name; of a member of an archive, with its place there
    sheet: str | None
    kind: str
    encoding: str | None
    delimiter: str | None
    quote: str | None
    header_line: int | None
    header_lines: int
    first_line: int | None
    last_line: int | None
    labels: list[str | None]
    row_count: int
    reasons: list[Note]
    warnings: list[Note]
    _rows: PlainRows = field(repr=False)
    _folder: "TemporaryDirectory[str]" = field(repr=False)  # deleted with the last table

    @property
    def rows(self) -> Iterator[Cells]:
        """The cells of each row as text, None for an empty one; each time it is asked for, from the first."""
        return (cells for _, cells in self._rows)

    @property
    def numbered_rows(self) -> Iterator[tuple[int, Cells]]:
        """The rows, each with its line in the file or its row in the sheet."""
        return iter(self._rows)

    def types(self) -> list[str]:
        """Return each column's type by all of its cells: text, integer, decimal, boolean, date or datetime.

        Needs `managed-tables-reader[infer]`.
        """
        return self._typed.types

    @cached_property
    def _typed(self) -> "TypedRows":
        if find_spec("duckdb") is None:
            raise ReadError(NEEDS_INFER, "types are inferred by DuckDB: install managed-tables-reader[infer]")
        from managed_tables_reader.typed import TypedRows

        delimiter = "" if self.kind == "csv" and self.delimiter is None else self.delimiter
        return TypedRows(self._rows.part, self.file, self._folder, delimiter)

    def doubts(self) -> list[Note]:
        """Return further warnings, which need all values: totals among the rows, dates of an unknown order.

        Needs `managed-tables-reader[infer]`.
        """
        return list(map(_warning, self._typed.findings))

    def arrow(self) -> "ArrowStream":
        """Return the rows in their types, for whatever takes an Arrow stream (PyCapsule interface).

        That are `pyarrow.table`, `polars.DataFrame`, `pandas.DataFrame.from_arrow`, DuckDB and others. Needs
        `managed-tables-reader[infer]`.
        """
        return self._typed.stream()


@dataclass(frozen=True)
class Left:
    """A file or sheet that is not read, and why; state `sheet` to read it."""

    file: str
    sheet: str | None
    reasons: list[Note]


@dataclass(frozen=True)
class Reading:
    """The tables of a file; of an archive or a workbook there may be several."""

    tables: list[Table]
    left_out: list[Left]
    candidates: list[list[dict[str, Any]]] = field(default_factory=list, repr=False)  # of each, best first


def read(
    source: str | os.PathLike[str] | bytes,
    overrides: Mapping[str, object] | None = None,
    *,
    explain: bool = False,
    max_unpacked_bytes: int = MAX_UNPACKED_BYTES,
) -> Reading:
    """Read a file of any kind, by its path or its bytes; `overrides` states what is known of it (OVERRIDES).

    With `explain` the reading has the best candidates of each table by their bits. Raises ReadError if the
    file cannot be read, and ValueError for an override that is none.
    """
    table = _statement(overrides or {})
    folder = TemporaryDirectory(prefix="managed-tables-reader-", ignore_cleanup_errors=True)
    work_dir = Path(folder.name)
    if isinstance(source, bytes):
        file = SourceFile(work_dir / "source", _NAME)
        file.path.write_bytes(source)
    else:
        file = SourceFile(Path(source), Path(source).name)
    _check_kind(file)
    weighed: Weighed | None = {} if explain else None
    room = Room(max_unpacked_bytes, max_unpacked_bytes)
    stated = SameOverrides(NOTHING_STATED.stated, table=table)
    reader = FileReader(work_dir, stated, Preview(work_dir / "preview.rows"), room, weighed)
    try:
        return _collect(reader, file, folder)
    except JobError as error:
        raise ReadError(error.kind.code, in_english(error.message)) from error


def _statement(overrides: Mapping[str, object]) -> TableStatement:
    unknown = overrides.keys() - set(OVERRIDES)
    if unknown:
        raise ValueError(f"no such override: {', '.join(sorted(unknown))}; there are {', '.join(OVERRIDES)}")
    return TableStatement.read({"file": 0, **overrides})


def _check_kind(file: SourceFile) -> None:
    if file.path.stat().st_size and detect_kind(file.path)[0] is Kind.PARQUET and find_spec("duckdb") is None:
        raise ReadError(NEEDS_INFER, "Parquet is read by DuckDB: install managed-tables-reader[infer]")


def _collect(reader: FileReader, file: SourceFile, folder: "TemporaryDirectory[str]") -> Reading:
    """Read all tables; their rows are kept until the last of them is gone."""
    tables: list[Table] = []
    left: list[Left] = []
    about: list[Finding] = []  # what is found of a whole file stands with its first table
    for found in reader.read([file]):
        about += found.findings
        if found.part is None or not found.first_reading.include:
            reading = found.reading
            left.append(Left(reading.name, reading.sheet, list(map(_reason, reading.reasons))))
            continue
        rows = PlainRows(_kept(found, Path(folder.name), len(tables)))
        tables.append(_table(found.reading, rows, [*about, *rows.part.findings], folder))
        about = []
    if not tables:
        if any(one.code == "NOT_A_TABLE" for one in about):
            raise JobError(FILE_NOT_TABULAR, file=file.name, reason="é um texto corrido")
        raise JobError(NO_TABLE_INCLUDED)
    weighed = reader.weighed or {}
    return Reading(
        tables,
        left,
        [[*map(asdict, weighed.get((table.file, table.sheet), ()))] for table in tables],
    )


def _kept(found: ReadTable, folder: Path, number: int) -> Part:
    """Return the part under a name of its own: its file goes when the next table is read."""
    part = found.part
    assert part is not None  # noqa: S101 - of a table that is included
    if not part.has_line:
        part = found.read_exactly()
    kept = folder / f"table{number:04d}.rows"
    os.link(part.path, kept)
    return replace(part, path=kept)


def _table(
    reading: TableReading, rows: PlainRows, findings: Sequence[Finding], folder: "TemporaryDirectory[str]"
) -> Table:
    names = dict(enumerate(label or f"{place + 1}" for place, label in enumerate(rows.part.labels)))
    codes = set(WARNING_CODES)
    return Table(
        file=reading.name,
        sheet=reading.sheet,
        kind=reading.kind,
        encoding=reading.encoding,
        delimiter=reading.delimiter,
        quote=reading.quote,
        header_line=reading.header_line,
        header_lines=reading.header_lines,
        first_line=rows.part.extent.first_line,
        last_line=rows.part.extent.last_line,
        labels=rows.labels,
        row_count=rows.part.expected_rows or 0,
        reasons=list(map(_reason, reading.reasons)),
        warnings=[_warning(one.named(names)) for one in findings if one.code in codes],
        _rows=rows,
        _folder=folder,
    )


def _reason(reason: ReadingReason) -> Note:
    return Note(reason.code, in_english(reason.text))


def _warning(finding: Finding) -> Note:
    shown = FileWarning.of(finding)
    return Note(shown.code, in_english(shown.text), tuple(shown.lines), shown.count, tuple(shown.columns))
