"""One export in a process of its own, so that its peak memory is its own: prints its seconds
and the processor's.

`python -m benchmarks.export_step write DSN TABLE FORMAT DIALECT` (all but the network: parts are dropped),
`… copy DSN TABLE DIALECT` (`COPY TO STDOUT` of the same query, read and dropped), `… openpyxl ROWS` (its
write-only mode alone, rows made beforehand).
"""

import io
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import psycopg
from openpyxl import Workbook
from psycopg import sql

from benchmarks.files import COLUMNS
from benchmarks.processor import Clock, Spent
from managed_tables.aws.storage import Storage
from managed_tables.catalog.exports import Dialect, ExportFormat
from managed_tables.catalog.tables import Applied
from managed_tables.exports import ExportRequest
from managed_tables.schema import POSTGRES_TYPES, Column
from managed_tables_export.destination import open_destination
from managed_tables_export.handler import WRITERS
from managed_tables_export.snapshot import ExportSource
from managed_tables_export.texts import compose

_TYPES = {postgres: kind for kind, postgres in POSTGRES_TYPES.items()}
_MADE_ROWS = 10_000
_ZONE = ZoneInfo("America/Sao_Paulo")


class _Nowhere:
    """A bucket that drops what it is given."""

    def begin_parts(self, *_: Any) -> str:
        return "upload"

    def upload_part(self, _key: str, _upload: str, number: int, _body: bytes) -> dict[str, Any]:
        return {"ETag": "", "PartNumber": number}

    def put(self, *_: Any) -> None:
        pass

    complete_parts = abort_parts = put


@contextmanager
def _source(dsn: str, table: str, form: str, dialect: str) -> Iterator[ExportSource]:
    columns = tuple(
        Column(name=name, display_name=name.title(), type=_TYPES[kind], nullable=True)
        for name, kind in COLUMNS.items()
    )
    wanted = cast("Dialect", dialect) if form == "csv" else None
    request = ExportRequest(cast("ExportFormat", form), wanted, formula_safe=dialect == "excel-br")
    with psycopg.connect(dsn, autocommit=True, options="-c timezone=UTC") as connection:
        connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        applied = Applied(version=1, display_name=table, status="active", columns=columns)
        selection = request.select(applied, columns, _ZONE)
        yield ExportSource(
            connection, "0" * 24, table, (), _ZONE.key, request, selection, None, lambda _: None
        )


def write(dsn: str, table: str, form: str, dialect: str) -> Spent:
    """Write the table as functions/export does."""
    clock = Clock()
    with (
        _source(dsn, table, form, dialect) as source,
        tempfile.TemporaryDirectory() as folder,
        open_destination(cast("Storage", _Nowhere()), "key", "") as destination,
    ):
        WRITERS[cast("ExportFormat", form)](source, destination, Path(folder))
        destination.finish()
        return clock.spent(source.connection)


def copy(dsn: str, table: str, dialect: str) -> Spent:
    """Read `COPY TO STDOUT` of the query of this dialect."""
    clock = Clock()
    with _source(dsn, table, "csv", dialect) as source:
        query, delimiter, _ = compose(source)
        with source.copy(query, sql.SQL("(FORMAT csv, DELIMITER {})").format(delimiter)) as found:
            for _ in found:
                pass
        return clock.spent(source.connection)


def openpyxl(rows: str) -> Spent:
    """Write a workbook of so many rows, of values like those of the table."""
    sheet_rows = [
        (
            100_000 + number,
            f"Produto {number % 5_000}",
            Decimal(number * 7919 % 10**8) / 100,
            Decimal(number * 104_729 % 10**8) / 100,
            date(2015, 1, 1 + number % 28),
            datetime(2015, 1, 1, number % 24, number % 60, 7),
            number % 2 == 0,
            f"{number * 31 % 10**8:08}",
            number % 1_000,
            None if number % 10 == 0 else f"Brasília {number % 600}",
        )
        for number in range(_MADE_ROWS)
    ]
    clock = Clock()
    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("baseline")
    for number in range(int(rows)):
        sheet.append(sheet_rows[number % _MADE_ROWS])
    workbook.save(io.BytesIO())
    return clock.spent()


_STEPS: dict[str, Callable[..., Spent]] = {"write": write, "copy": copy, "openpyxl": openpyxl}


def main() -> None:
    """Run the step of the command line and print its seconds, and the processor's."""
    step, *arguments = sys.argv[1:]
    print(*_STEPS[step](*arguments))


if __name__ == "__main__":
    main()
