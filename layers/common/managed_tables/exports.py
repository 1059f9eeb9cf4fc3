"""Read what an export asks for: format and dialect, and which rows and columns, in which order; record it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from psycopg.sql import Identifier

from managed_tables.catalog.exports import Dialect, ExportFormat, ExportRecord
from managed_tables.catalog.tables import DefinitionRecord, TableRecord
from managed_tables.clock import timestamp
from managed_tables.conditions.composition import read_search
from managed_tables.conditions.tree import EVERY_ROW, Condition, all_of, marks_of, read_where
from managed_tables.details import Fault, name_faults
from managed_tables.documents.workbooks import BASE_DAYS
from managed_tables.errors import INVALID_REQUEST, ApiError
from managed_tables.identifiers import ID_COLUMN
from managed_tables.ids import new_record_id
from managed_tables.object_keys import export_object_key
from managed_tables.schema import Column, ColumnType
from managed_tables.values import parsers

MAX_SORTS = 5
REQUEST_NAME = "request.json"
DEADLINE_HOURS = 6  # a run has 15 minutes; it may wait for others, and be tried again
_ID = Column(name=ID_COLUMN, display_name=ID_COLUMN, type=ColumnType.TEXT, nullable=False)
_REPEATED = Fault("DUPLICATE_NAME", "coluna repetida")


@dataclass(frozen=True)
class Selection:
    """Which rows and columns go out; the `id` is among them only where it is asked for.

    `sorts` are the columns to sort by, each with whether it descends; `id` is the order of insertion.
    """

    columns: tuple[Column, ...]
    condition: Condition = EVERY_ROW
    sorts: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True)
class ExportRequest:
    """An export as it was asked for; `where`, `q`, `fields` and `sort` as in the request's body."""

    format: ExportFormat
    dialect: Dialect | None = None
    where: Any = None
    q: str | None = None
    fields: Sequence[str] | None = None
    sort: Sequence[str] = ()
    formula_safe: bool = False
    for_editing: bool = False  # the ids go out first, and the workbook may come back

    def select(self, table: DefinitionRecord, columns: Sequence[Column], zone: ZoneInfo) -> Selection:
        """Return what goes out of a table of these columns; raises INVALID_REQUEST naming what is wrong."""
        by_name = {column.name: column for column in columns}
        known = {ID_COLUMN, *by_name}
        sorted_by = [word.removeprefix("-") for word in self.sort]
        details = [
            *name_faults(self.fields or (), known, "fields[{}]", _REPEATED),
            *name_faults(sorted_by, known, "sort[{}]", _REPEATED),
        ]
        if details:
            raise ApiError(INVALID_REQUEST, details)
        parts = [read_search(self.q, columns, zone.key)]
        if self.where is not None:
            name = Identifier("public", table.display_name).as_string()
            marks = marks_of(table.rules, by_name, name, zone.key)
            parts.append(read_where(self.where, by_name, parsers(zone), marks))
        sorts = zip(sorted_by, (word.startswith("-") for word in self.sort), strict=True)
        fields = tuple(by_name.get(name, _ID) for name in self._names(columns))
        return Selection(fields, all_of(parts), tuple(sorts))

    def _names(self, columns: Sequence[Column]) -> Sequence[str]:
        names = [column.name for column in columns] if self.fields is None else self.fields
        return [ID_COLUMN, *(name for name in names if name != ID_COLUMN)] if self.for_editing else names


def new_export(
    company_id: str, user_id: str, table: TableRecord, request: ExportRequest, zone: ZoneInfo
) -> ExportRecord:
    """Return the record of an export that is about to be made."""
    export_id, now = new_record_id(), datetime.now(UTC)
    day = now.astimezone(zone).date().isoformat()
    return ExportRecord(
        company_id=company_id,
        export_id=export_id,
        user_id=user_id,
        table_id=table.table_id,
        table_version=table.version,
        display_name=table.display_name,
        format=request.format,
        dialect=request.dialect,
        status="queued",
        file_name=f"{table.display_name}_{day}.{request.format}",
        request_key=export_object_key(company_id, export_id, REQUEST_NAME),
        deadline=timestamp(now + timedelta(hours=DEADLINE_HOURS)),
        created_at=timestamp(now),
        updated_at=timestamp(now),
        base_expires_at=timestamp(now + timedelta(days=BASE_DAYS)) if request.for_editing else None,
    )
