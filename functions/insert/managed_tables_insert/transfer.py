"""The rows of a file on their way: converted by DuckDB, copied into a table of PostgreSQL."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

from duckdb import DuckDBPyConnection
from psycopg import errors as pg
from psycopg import sql

from managed_tables.databases.connecting import PgConnection, is_of_an_index
from managed_tables.errors import KEY_VALUE_TOO_LONG, ROW_TOO_LARGE, JobError
from managed_tables.identifiers import ID_COLUMN
from managed_tables.ids import row_id_range
from managed_tables.schema import ColumnType
from managed_tables_insert.copying.pipe import MisfitFound, Report, copy_rows
from managed_tables_insert.copying.wire import Wire
from managed_tables_insert.copying.zones import Zone, find_zone
from managed_tables_insert.plan import LoadedColumn, LoadPlan

STAGED = sql.Identifier("$staged")


class DuplicateFound(Exception):  # noqa: N818 - an outcome, not a fault
    """Two rows have the same key, in the file or one of them in the table; nothing may be committed."""


@dataclass(frozen=True)
class Transfer:
    """The plan's rows, whose ids are made from the millisecond `base_ms`, and the two ends of the pipe."""

    connection: PgConnection
    converter: DuckDBPyConnection
    plan: LoadPlan
    base_ms: int
    report: Report
    chosen: tuple[LoadedColumn, ...] | None = None  # of the plan's columns; None for all

    @property
    def columns(self) -> tuple[LoadedColumn, ...]:
        """The columns that are brought."""
        return self.plan.columns if self.chosen is None else self.chosen

    @property
    def names(self) -> list[str]:
        """Their names, without the id's."""
        return [loaded.column.name for loaded in self.columns]

    @property
    def ids(self) -> tuple[UUID, UUID]:
        """The range in which the ids of the rows are."""
        return row_id_range(self.base_ms, self.plan.row_count)

    def copy_into(self, table: sql.Identifier, *, freeze: bool = False) -> int:
        """Copy the rows with their ids and return how many; raises MisfitFound, DuplicateFound, JobError.

        With `freeze` they are written as old ones, which a table must be made for in the same transaction.
        """
        wire = Wire(self.plan, self.columns, self.base_ms, self._find_zones())
        statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary, FREEZE {})").format(
            table, identifiers([ID_COLUMN, *wire.names]), sql.Literal(freeze)
        )
        with self.connection.cursor() as cursor, translated_refusals():
            return copy_rows(cursor, statement, self.converter, wire, self.report)

    def stage_like(self, table: sql.Identifier) -> int:
        """Copy the rows into STAGED, a table of this session's own like the table, and return how many."""
        self.connection.execute(
            sql.SQL("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
                STAGED, identifiers([ID_COLUMN, *self.names]), table
            )
        )
        return self.copy_into(STAGED)

    def _find_zones(self) -> dict[str, Zone]:
        """Return the zones of the columns' times, by name."""
        times = [loaded for loaded in self.columns if loaded.column.type is ColumnType.DATETIME]
        names = {loaded.zone or self.plan.timezone for loaded in times}
        return {name: find_zone(self.connection, name) for name in names}


def identifiers(names: Sequence[str]) -> sql.Composed:
    """Return the names as a list in SQL."""
    return sql.SQL(", ").join(map(sql.Identifier, names))


@contextmanager
def translated_refusals() -> Iterator[None]:
    """Turn PostgreSQL's refusals of values and of rows into outcomes; its other errors are faults."""
    try:
        yield
    except (pg.DataError, pg.NotNullViolation) as error:
        raise MisfitFound(error.diag.message_primary) from error
    except pg.UniqueViolation as error:
        raise DuplicateFound(error.diag.constraint_name) from error
    except pg.ProgramLimitExceeded as error:
        # Of indexes, only that of a key takes a text as long as it is.
        raise JobError(KEY_VALUE_TOO_LONG if is_of_an_index(error) else ROW_TOO_LARGE) from error
