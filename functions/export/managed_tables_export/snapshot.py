"""Read one consistent snapshot of a table: held from the first row to the last, whatever others write."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import IO

import psycopg
from psycopg import Copy, sql
from psycopg import errors as postgres

from managed_tables import errors
from managed_tables.catalog.exports import ExportRecord
from managed_tables.catalog.tables import Applied, Rules
from managed_tables.conditions.composition import condition_parameters
from managed_tables.databases.applied import count_rows, find_applied
from managed_tables.databases.connecting import PgConnection, translated_errors
from managed_tables.errors import ApiError, JobError
from managed_tables.exports import ExportRequest, Selection
from managed_tables.observability import get_logger
from managed_tables.services import Services
from managed_tables.tables.physical import physical_name
from managed_tables_export.destination import ExportObject

BATCH_BYTES = 262_144
_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


@dataclass(frozen=True)
class ExportSource:
    """A table as it is in the transaction that has begun on the connection, and what of it goes out."""

    connection: PgConnection
    table_id: str
    display_name: str
    rules: Rules
    zone: str  # of people who read the file
    request: ExportRequest
    selection: Selection
    base_id: str | None  # of a workbook that people change and send back
    report: Callable[[int], None]  # gets the rows so far

    @property
    def table(self) -> sql.Identifier:
        """The table's name in SQL."""
        return physical_name(self.display_name)

    def set_zone(self, zone: str) -> None:
        """Let PostgreSQL write times in this zone."""
        self.connection.execute("SELECT set_config('TimeZone', %s, true)", [zone])

    def copy(self, query: sql.Composed, options: sql.Composable) -> AbstractContextManager[Copy]:
        """Begin `COPY (query) TO STDOUT` with the selection's parameters."""
        statement = sql.SQL("COPY ({}) TO STDOUT {}").format(query, options)
        parameters = condition_parameters(self.selection.condition)
        return self.connection.cursor().copy(statement, parameters or None)

    def write(
        self,
        query: sql.Composed,
        options: sql.Composable,
        out: IO[bytes] | ExportObject,
        line_end: bytes = b"\n",
        row_max_bytes: int = 0,
    ) -> int:
        """Write the query's lines, one a row, and return how many; raises EXPORT_ROW_TOO_LARGE."""
        rows, batch = 0, bytearray()
        with self.copy(query, options) as copy:
            for line in copy:  # one row: PostgreSQL sends each by itself, ended by a line feed
                rows += 1
                if 0 < row_max_bytes < len(line):
                    raise JobError(errors.EXPORT_ROW_TOO_LARGE)
                batch += line
                batch[-1:] = line_end
                if len(batch) >= BATCH_BYTES:
                    out.write(batch)
                    self.report(rows)
                    batch = bytearray()
        if batch:
            out.write(batch)
            self.report(rows)
        return rows


@contextmanager
def open_source(
    services: Services, export: ExportRecord, report: Callable[[int | None, int], None]
) -> Iterator[ExportSource]:
    """Open the snapshot of the export's table for the `with` block.

    Raises EXPORT_TABLE_GONE and EXPORT_TABLE_CHANGED if it is not as it was when the export was requested,
    and translates time-outs of the database into advice. `report` gets how many rows there are, if that is
    known, and how many are written.
    """
    company, settings = services.provisioning.require(export.company_id), services.settings
    request = ExportRequest(**services.storage.get_json(export.request_key))
    with (
        closing(services.databases.open_company_connection(company, services.load_limits)) as connection,
        _told(),
        translated_errors(),
    ):
        table, row_count = _begin(connection, export)
        # Valid when requested, and still, since the table is unchanged.
        selection = request.select(table, table.columns, settings.zone)
        reported = partial(report, row_count if request.where is None else None)
        yield ExportSource(
            connection,
            export.table_id,
            export.display_name,
            table.rules,
            settings.default_timezone,
            request,
            selection,
            export.base_id if request.for_editing else None,
            reported,
        )


@contextmanager
def _told() -> Iterator[None]:
    """Turn errors that a retry cannot fix into the export's failure."""
    try:
        yield
    except ApiError as error:
        if error.kind is errors.DATABASE_TIMEOUT:
            raise JobError(errors.EXPORT_TOO_LARGE) from error
        if error.kind is errors.QUERY_TOO_HEAVY:
            raise JobError(errors.EXPORT_QUERY_TOO_HEAVY) from error
        if error.kind is errors.INVALID_REQUEST:  # as another release, or PostgreSQL, reads the request
            get_logger("export").exception("the request is refused")
            raise JobError(errors.EXPORT_FAULT) from error
        raise
    except (psycopg.ProgrammingError, psycopg.NotSupportedError) as error:
        raise JobError(errors.EXPORT_TABLE_CHANGED) from error


def _begin(connection: PgConnection, export: ExportRecord) -> tuple[Applied, int]:
    """Lock the table, so that its columns stay, then take the snapshot; return it, and how many rows."""
    table = physical_name(export.display_name)
    connection.execute(_BEGIN)
    try:
        connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(table))
    except postgres.UndefinedTable:
        connection.rollback()
        connection.execute(_BEGIN)
    applied = find_applied(connection, export.table_id)
    if applied is None or applied.deleted:
        raise JobError(errors.EXPORT_TABLE_GONE)
    if applied.version != export.table_version:
        raise JobError(errors.EXPORT_TABLE_CHANGED)
    return applied, count_rows(connection, [export.table_id])[export.table_id]
