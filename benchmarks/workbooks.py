"""Measure what a workbook that comes back costs: read and planned as a merge, or read and loaded as others.

The table has 100,000 rows of 20 columns. One row in a hundred was changed in the workbook, another one in a
hundred by others since it went out. Both ways go by turns, each in a process of its own.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, cast
from zoneinfo import ZoneInfo

import psycopg
from psycopg import sql

from benchmarks.imports import Measured, measure, prepare_database
from benchmarks.processor import Clock, Spent
from managed_tables.aws.storage import Storage
from managed_tables.catalog.exports import ExportFormat
from managed_tables.catalog.job_records import JobRecord
from managed_tables.catalog.tables import Applied
from managed_tables.documents.statements import USUAL_TERMS, ConfirmedDocument, LoadTerms
from managed_tables.documents.workbooks import BaseColumn
from managed_tables.exports import ExportRequest
from managed_tables.ids import new_record_id
from managed_tables.jobs.confirmation import workbook_schema
from managed_tables.schema import Column, ColumnType
from managed_tables.tables.physical import add_primary_key, create_table_to_fill
from managed_tables_analyze.analysis import analyze
from managed_tables_analyze.returned import Returned
from managed_tables_export.destination import open_destination
from managed_tables_export.editing import make_base
from managed_tables_export.handler import WRITERS
from managed_tables_export.snapshot import ExportSource
from managed_tables_insert.handler import open_converter
from managed_tables_insert.loading import Load
from managed_tables_insert.plan import BaseRows, make_plan
from managed_tables_insert.workbooks import plan_against
from managed_tables_local.postgres import open_server, remove_server
from managed_tables_reader.reading_files import SourceFile

_ROWS = 100_000
_ROUNDS = 3
_ZONE = "America/Sao_Paulo"
_TABLE_ID, _BASE_ID = "a" * 24, "b" * 40
_BOOK, _BASE = "vendas.xlsx", "base.parquet"
_KINDS = {
    "texto": (ColumnType.TEXT, "'Produto ' || (n * 31 + {0}) % 5000"),
    "inteiro": (ColumnType.INTEGER, "n * 7919 + {0}"),
    "valor": (ColumnType.DECIMAL, "((n * 104729 + {0}) % 100000000)::numeric / 100"),
    "dia": (ColumnType.DATE, "date '2015-01-01' + ((n * 31 + {0}) % 4000)::int"),
    "quando": (ColumnType.DATETIME, "timestamptz '2015-01-01' + (n * 61 + {0}) * interval '1 minute'"),
}
_COLUMNS = {f"{name}_{number}": each for number in range(4) for name, each in _KINDS.items()}
_OWN = tuple(
    Column(name=name, display_name=name, type=kind, nullable=True) for name, (kind, _) in _COLUMNS.items()
)
_TABLE = Applied(version=1, display_name="vendas", status="active", columns=_OWN)


class _Folder:
    """A bucket of one object, which is a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.parts: dict[int, bytes] = {}

    def begin_parts(self, *_: Any) -> str:
        return "upload"

    def upload_part(self, _key: str, _upload: str, number: int, body: bytes) -> dict[str, Any]:
        self.parts[number] = bytes(body)
        return {"ETag": "", "PartNumber": number}

    def complete_parts(self, *_: Any) -> None:
        self.path.write_bytes(b"".join(self.parts[number] for number in sorted(self.parts)))

    def put(self, _key: str, body: bytes, _content_type: str) -> None:
        self.path.write_bytes(body)

    def abort_parts(self, *_: Any) -> None:
        pass


def run(small: bool) -> None:
    """Take the workbook back both ways by turns, and print the medians and their ratios."""
    rows = _ROWS // (10 if small else 1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = open_server(folder / "postgres")
        server.start()
        try:
            dsn = prepare_database(server.dsn)
            _make(folder, dsn, rows)
            rounds = [
                (_measure(folder, dsn, "upload"), _measure(folder, dsn, "merge")) for _ in range(_ROUNDS)
            ]
        finally:
            remove_server(folder / "postgres")
    figures: dict[str, Callable[[Measured], float]] = {
        "seconds": lambda one: one.seconds,
        "processor": lambda one: one.processor,
        "MiB": lambda one: one.peak_mib,
    }
    for title, of in figures.items():
        loaded, planned = (median(of(one[place]) for one in rounds) for place in (0, 1))
        ratio = median(of(merge) / of(upload) for upload, merge in rounds)
        print(f"{title:12}{loaded:8.2f} loaded {planned:8.2f} planned {ratio:8.3f}")


def _measure(folder: Path, dsn: str, way: str) -> Measured:
    with tempfile.TemporaryDirectory(dir=folder) as work:
        return measure("benchmarks.workbooks", work, folder, dsn, way)


def _make(folder: Path, dsn: str, rows: int) -> None:
    """Make the table, its base, the workbook as it comes back, and what others have changed by then."""
    change = sql.SQL("UPDATE vendas SET texto_0 = 'mudado', valor_1 = 0.5 WHERE inteiro_0 / 7919 % 100 = {}")
    with psycopg.connect(dsn, autocommit=True, options=f"-c timezone={_ZONE}") as connection:
        with connection.transaction():
            create_table_to_fill(connection, _TABLE_ID, _TABLE, _ZONE)
            add_primary_key(connection, _TABLE_ID, "vendas")
        cells = ", ".join(form.format(place) for place, (_, form) in enumerate(_COLUMNS.values()))
        filled = (
            f"SELECT lpad(to_hex(n), 32, '0')::uuid, {cells}"  # noqa: S608 - own SQL
            f" FROM generate_series(1, {rows}::bigint) AS n"
        )
        names = sql.SQL(", ").join(map(sql.Identifier, ("id", *_COLUMNS)))
        connection.execute(sql.SQL("INSERT INTO vendas ({}) ").format(names) + sql.SQL(cast("Any", filled)))
        _write(connection, "parquet", folder / _BASE)
        with connection.transaction(force_rollback=True):
            connection.execute(change.format(1))
            _write(connection, "xlsx", folder / _BOOK)
        connection.execute(change.format(2))


def _source(connection: psycopg.Connection, form: ExportFormat) -> ExportSource:
    request = ExportRequest(form, for_editing=True)
    selection = request.select(_TABLE, _OWN, ZoneInfo(_ZONE))
    return ExportSource(
        connection, _TABLE_ID, "vendas", (), _ZONE, request, selection, _BASE_ID, lambda _: None
    )


def _write(connection: psycopg.Connection, form: ExportFormat, path: Path) -> None:
    with (
        connection.transaction(),
        tempfile.TemporaryDirectory() as folder,
        open_destination(cast("Storage", _Folder(path)), "key", "") as destination,
    ):
        WRITERS[form](_source(connection, form), destination, Path(folder))
        destination.finish()


def upload(work: Path, folder: Path, dsn: str) -> Spent:
    """Read the workbook and load it into a new table."""
    clock = Clock()
    found = analyze([SourceFile(folder / _BOOK, _BOOK)], work, ZoneInfo(_ZONE))
    columns = tuple(one.column for one in found.document.inferred_schema.columns)
    job = JobRecord("", new_record_id(), "", "create", "inserting", (), "", "", "")
    confirmed = ConfirmedDocument(display_name=f"t_{job.job_id}", columns=list(columns), table_id=job.job_id)
    with psycopg.connect(dsn, autocommit=True) as connection, open_converter(work) as converter:
        plan = make_plan(found.staged, found.document, columns, _ZONE, USUAL_TERMS)
        Load(connection, converter, job, confirmed).run(plan, lambda _: None)
        spent = clock.spent(connection)
        connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(confirmed.display_name)))
    return spent


def merge(work: Path, folder: Path, dsn: str) -> Spent:
    """Read the workbook as one that comes back, and plan its merge."""
    clock = Clock()
    with psycopg.connect(dsn, autocommit=True) as connection:
        base = make_base(_source(connection, "xlsx"), "2999-01-01T00:00:00.000Z")
        returned = Returned(folder / _BOOK, _BASE_ID, base)
        file = SourceFile(folder / _BOOK, _BOOK)
        found = analyze([file], work, ZoneInfo(_ZONE), own=returned.statement())
        workbook = found.document.workbook = returned.take(found)
        if workbook is None:
            raise AssertionError("the workbook is to have its ids")
        columns, choices = workbook_schema(found.document, _OWN)
        kept = BaseRows(folder / _BASE, [BaseColumn(name=c.name, label=c.name, type=c.type) for c in _OWN])
        job = JobRecord("", new_record_id(), "", "merge", "inserting", (), "", "", "")
        confirmed = ConfirmedDocument(display_name="vendas", columns=columns, table_id=_TABLE_ID)
        with open_converter(work) as converter:
            terms = LoadTerms(choices=choices)
            plan = plan_against(
                kept, found.staged, found.document, workbook.ids, tuple(columns), _ZONE, terms
            )
            planned = Load(connection, converter, job, confirmed).plan_merge(plan, [])
        if (planned.conflicts_total, planned.inserted, planned.absent) != (0, 0, 0) or not planned.updated:
            raise AssertionError(f"one row in a hundred is to change: {planned}")
        return clock.spent(connection)


_WAYS = {"upload": upload, "merge": merge}


def main() -> None:
    """Go one way, as the command line says, and print its seconds and the processor's."""
    work, folder, dsn, way = sys.argv[1:]
    print(*_WAYS[way](Path(work), Path(folder), dsn))


if __name__ == "__main__":
    main()
